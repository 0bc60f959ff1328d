/*
 * ctl_parked.c - what is said of a parked entry in more than one place.  Pure.
 */
#include "ctl_parked.h"

#include <inttypes.h>
#include <stdio.h>

char *ctl_parked_id(char out[CTL_PARKED_ID_MAX], const struct spool_parked *parked)
{
    if (parked->whole)
        snprintf(out, CTL_PARKED_ID_MAX, "%" PRIu64 ":all", parked->seq);
    else
        snprintf(out, CTL_PARKED_ID_MAX, "%" PRIu64 ":%" PRIu32, parked->seq, parked->index);
    return out;
}

void ctl_parked_why(struct buf *out, enum spool_park_reason reason, int code, const char *text)
{
    buf_text(out, spool_park_reason_name(reason));
    if (code != 0)
        buf_printf(out, ", code %d", code);
    if (*text != '\0')
        buf_printf(out, ": %s", text);
}

void ctl_parked_put(struct json *json, const struct spool_parked *parked)
{
    json_member_uint(json, "seq", parked->seq);
    json_member_uint(json, "span_index", parked->index);
    json_member_bool(json, "whole", parked->whole);
    json_key(json, "reason");
    json_text(json, spool_park_reason_name(parked->reason));
    json_key(json, "code");
    json_int(json, parked->code);
    json_key(json, "text");
    json_text(json, parked->text);
    json_member_uint(json, "attempts", parked->attempts);
    json_member_uint(json, "spans", parked->spans);
    json_member_uint(json, "bytes", parked->payload.len);
    json_member_uint(json, "parked_unix_ns", parked->parked_ns);
    json_member_uint(json, "received_unix_ns", parked->received_ns);
}
