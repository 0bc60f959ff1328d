/*
 * ctl_parked.c - what `ls --parked` and `show SEQ:N` say of an entry to programs.  Pure.
 */
#include "ctl_parked.h"

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
