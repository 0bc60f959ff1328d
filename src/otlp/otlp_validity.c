/*
 * otlp_validity.c - a span's ids, by the rule of the OTLP specification and of
 * the trace context: of their length, and not all zero.
 */
#include "otlp_validity.h"

static bool is_id(struct slice id, size_t len)
{
    static const uint8_t zeros[OTLP_TRACE_ID_BYTES];

    return id.len == len && memcmp(id.data, zeros, len) != 0;
}

enum otlp_validity otlp_validity_of(struct slice trace_id, struct slice span_id)
{
    if (!is_id(trace_id, OTLP_TRACE_ID_BYTES))
        return OTLP_BAD_TRACE_ID;
    return is_id(span_id, OTLP_SPAN_ID_BYTES) ? OTLP_VALID : OTLP_BAD_SPAN_ID;
}

const char *otlp_validity_name(enum otlp_validity validity)
{
    switch (validity) {
    case OTLP_VALID:
        return "valid";
    case OTLP_BAD_TRACE_ID:
        return "trace_id";
    case OTLP_BAD_SPAN_ID:
        return "span_id";
    case OTLP_VALIDITY_COUNT:
        break;
    }
    return "unknown";
}
