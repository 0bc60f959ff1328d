/*
 * tracing_context.c - `traceparent`, read and written.
 *
 *   00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *   version, trace id, span id of the parent, flags; lower case only
 *
 * A later version may have more behind it, after another dash; ff is none.
 * Ids of zeros are invalid.  Of the flags only `sampled` is looked at.
 */
#include "tracing_context.h"

#include <stdio.h>
#include <string.h>

#include "hex.h"

#define TRACE_ID_AT 3
#define SPAN_ID_AT 36
#define FLAGS_AT 53
#define LENGTH 55
#define FLAG_SAMPLED 0x01

static int digit_of(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool read_bytes(uint8_t *out, size_t count, const uint8_t *text)
{
    for (size_t i = 0; i < count; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Length and dashes, by the version. */
static bool has_form(struct slice value, uint8_t version)
{
    const uint8_t *text = value.data;

    if (version == 0xFF || (version == 0 && value.len != LENGTH))
        return false;
    if (value.len > LENGTH && text[LENGTH] != '-')
        return false;
    return text[TRACE_ID_AT - 1] == '-' && text[SPAN_ID_AT - 1] == '-' && text[FLAGS_AT - 1] == '-';
}

void tracing_context_parse(struct tracing_context *context, struct slice value)
{
    uint8_t version, flags;

    memset(context, 0, sizeof(*context));
    if (value.len < LENGTH || !read_bytes(&version, 1, value.data) || !has_form(value, version))
        return;
    if (!read_bytes(context->trace_id, TRACING_TRACE_ID_BYTES, value.data + TRACE_ID_AT) ||
        !read_bytes(context->span_id, TRACING_SPAN_ID_BYTES, value.data + SPAN_ID_AT) ||
        !read_bytes(&flags, 1, value.data + FLAGS_AT))
        return;
    context->is_valid =
        !is_zero(context->trace_id, TRACING_TRACE_ID_BYTES) && !is_zero(context->span_id, TRACING_SPAN_ID_BYTES);
    context->is_sampled = context->is_valid && (flags & FLAG_SAMPLED) != 0;
}

char *tracing_context_format(char out[TRACING_PARENT_MAX], const struct tracing_context *context)
{
    char trace_id[2 * TRACING_TRACE_ID_BYTES + 1], span_id[2 * TRACING_SPAN_ID_BYTES + 1];

    hex_encode(trace_id, context->trace_id, TRACING_TRACE_ID_BYTES);
    hex_encode(span_id, context->span_id, TRACING_SPAN_ID_BYTES);
    snprintf(out, TRACING_PARENT_MAX, "00-%s-%s-%02x", trace_id, span_id, context->is_sampled ? FLAG_SAMPLED : 0);
    return out;
}
