/*
 * http_request.c - what the head of a request says, and what is wrong with it.
 *
 * Pure.  OTLP/HTTP of opentelemetry-proto's docs/specification.md: one path,
 * POST, protobuf or JSON, whose answer has the type of the request.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_internal.h"

#define TYPE_PROTOBUF "application/x-protobuf"
#define TYPE_JSON "application/json"

/* The text without parameters and the space around it. */
static struct slice bare(const char *text)
{
    size_t len = strcspn(text, ";");

    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return slice_of(text, len);
}

static bool equals(struct slice value, const char *name)
{
    return value.len == strlen(name) && strncasecmp((const char *)value.data, name, value.len) == 0;
}

static bool take_type(struct http_request *request, const char *content_type)
{
    struct slice type = content_type == NULL ? slice_of("", 0) : bare(content_type);

    request->format = INTAKE_PROTOBUF;
    if (equals(type, TYPE_JSON))
        request->format = INTAKE_JSON;
    return request->format == INTAKE_JSON || equals(type, TYPE_PROTOBUF);
}

static bool take_encoding(struct http_request *request, const char *content_encoding)
{
    struct slice encoding = content_encoding == NULL ? slice_of_text("identity") : bare(content_encoding);

    return otlp_codec_parse(encoding, &request->codec);
}

/* libmicrohttpd has checked that it is a number. */
static void take_length(struct http_request *request, const char *content_length)
{
    request->content_length = SIZE_MAX;
    if (content_length == NULL)
        return;
    errno = 0;
    request->content_length = strtoull(content_length, NULL, 10);
}

int http_request_check(struct http_request *request, const char *path, const char *method, const char *content_type,
                       const char *content_encoding, const char *content_length, struct intake_answer *answer)
{
    bool has_type = take_type(request, content_type); /* first: it decides how any refusal is written */

    take_length(request, content_length); /* and this, what is done with the body */
    if (strcmp(path, HTTP_PATH) != 0) {
        intake_answer_set(answer, INTAKE_CODE_UNIMPLEMENTED, "tracespool takes traces only, by POST " HTTP_PATH);
        return MHD_HTTP_NOT_FOUND;
    }
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        intake_answer_set(answer, INTAKE_CODE_UNIMPLEMENTED, HTTP_PATH " takes POST only");
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    if (!has_type) {
        intake_answer_set(answer, INTAKE_CODE_INVALID_ARGUMENT,
                          "the Content-Type is neither " TYPE_PROTOBUF " nor " TYPE_JSON);
        return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }
    if (!take_encoding(request, content_encoding)) {
        intake_answer_set(answer, INTAKE_CODE_INVALID_ARGUMENT,
                          "the Content-Encoding is not known here; " OTLP_CODEC_NAMES " work");
        return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }
    return 0;
}
