/*
 * h2_request.c - the fields of a request, as they come, and what is wrong with
 * them.
 *
 * Pure.  Fields are looked at one by one and not kept, so what a client can
 * make us hold is two short texts.  nghttp2 has checked HTTP's own rules: the
 * pseudo fields are there, once and first, and names are lower case.
 *
 * The order of the checks: what is no gRPC call is refused as HTTP does; who
 * has no credentials learns nothing else.
 */
#include <string.h>

#include "h2_internal.h"
#include "otlp_response.h"

#define HEALTH_METHOD "/grpc.health.v1.Health/Check"
#define GRPC_TYPE "application/grpc"
#define FIELD_OVERHEAD 32 /* RFC 9113, 6.5.2: what a field counts beside its bytes */

static bool equals(struct slice value, const char *text)
{
    return slice_equal(value, slice_of_text(text));
}

/* For people, so only what can be printed. */
static void copy_shown(char shown[H2_SHOWN_MAX], struct slice value)
{
    size_t len = value.len < H2_SHOWN_MAX - 1 ? value.len : H2_SHOWN_MAX - 1;

    for (size_t i = 0; i < len; i++)
        shown[i] = value.data[i] >= ' ' && value.data[i] <= '~' ? (char)value.data[i] : '?';
    shown[len] = '\0';
}

static void take_path(struct h2_request *request, struct slice value)
{
    if (equals(value, OTLP_EXPORT_METHOD))
        request->method = H2_METHOD_EXPORT;
    else if (equals(value, HEALTH_METHOD))
        request->method = H2_METHOD_HEALTH;
    copy_shown(request->path, value);
}

/* "application/grpc", "application/grpc+proto", "application/grpc;..."; not "application/grpc-web". */
static bool is_grpc_type(struct slice value)
{
    size_t len = strlen(GRPC_TYPE);
    struct slice rest;

    if (value.len < len || memcmp(value.data, GRPC_TYPE, len) != 0)
        return false;
    rest = slice_of(value.data + len, value.len - len);
    return rest.len == 0 || rest.data[0] == ';' || equals(rest, "+proto");
}

static void take_encoding(struct h2_request *request, struct slice value)
{
    request->has_codec = otlp_codec_parse(value, &request->codec);
    copy_shown(request->encoding, value);
}

/* W3C: a request with several has none. */
static void take_parent(struct h2_request *request, struct slice value)
{
    if (!tracing_is_on())
        return;
    if (request->has_parent)
        request->parent.is_valid = false;
    else
        tracing_context_parse(&request->parent, value);
    request->has_parent = true;
}

void h2_request_take(struct h2_request *request, struct slice name, struct slice value, struct net_tokens *tokens)
{
    request->header_bytes += name.len + value.len + FIELD_OVERHEAD;
    if (equals(name, ":path"))
        take_path(request, value);
    else if (equals(name, ":method"))
        request->is_post = equals(value, "POST");
    else if (equals(name, "content-type"))
        request->is_grpc = is_grpc_type(value);
    else if (equals(name, "grpc-encoding"))
        take_encoding(request, value);
    else if (equals(name, "traceparent"))
        take_parent(request, value);
    else if (tokens != NULL && equals(name, "authorization"))
        request->is_authorized = net_tokens_match(tokens, value);
}

int h2_request_check(const struct h2_request *request, size_t max_header_bytes, struct intake_answer *answer)
{
    if (!request->is_grpc)
        return 415;
    if (!request->is_post)
        return 405;
    if (request->header_bytes > max_header_bytes)
        intake_answer_set(answer, INTAKE_CODE_RESOURCE_EXHAUSTED,
                          "the call's header fields are %zu bytes, %zu are allowed", request->header_bytes,
                          max_header_bytes);
    else if (!request->is_authorized && request->method != H2_METHOD_HEALTH)
        intake_answer_set(answer, INTAKE_CODE_UNAUTHENTICATED,
                          "the call has no bearer token that is known here (metadata \"authorization\")");
    else if (request->method == H2_METHOD_UNKNOWN)
        intake_answer_set(answer, INTAKE_CODE_UNIMPLEMENTED, "tracespool takes traces only, by %s; not %s",
                          &OTLP_EXPORT_METHOD[1], request->path);
    else if (!request->has_codec)
        intake_answer_set(answer, INTAKE_CODE_UNIMPLEMENTED,
                          "the request is compressed by %s; " OTLP_CODEC_NAMES " work", request->encoding);
    else
        return 0;
    return 200;
}
