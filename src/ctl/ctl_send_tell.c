/*
 * ctl_send_tell.c - what `tracespool send` says: a line for each answer, and a summary.
 */
#include <inttypes.h>

#include "clock.h"
#include "ctl_send.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

void ctl_send_print_answer(struct ctl_sender *sender, const char *path, uint64_t number, unsigned attempts,
                           const struct export_answer *answer)
{
    struct buf *out = &sender->out;

    ctl_text_append(out, slice_of_text(path), CTL_TEXT_WHOLE);
    if (sender->place[0] != '\0')
        buf_printf(out, ", %s", sender->place);
    if (sender->repeat > 1)
        buf_printf(out, " #%" PRIu64, number);
    buf_printf(out, ": %s", export_code_name(answer->code));
    if (answer->message[0] != '\0') {
        buf_text(out, ": ");
        ctl_text_append(out, slice_of_text(answer->message), CTL_TEXT_WHOLE);
    }
    if (answer->rejected_spans != 0)
        buf_printf(out, ", %" PRId64 " %s rejected", answer->rejected_spans,
                   answer->rejected_spans == 1 ? "span" : "spans");
    if (answer->partial_message[0] != '\0') {
        buf_text(out, ": ");
        ctl_text_append(out, slice_of_text(answer->partial_message), CTL_TEXT_WHOLE);
    }
    buf_text(out, " (");
    ctl_text_duration(out, answer->elapsed_ns);
    if (attempts > 1)
        buf_printf(out, ", try %u", attempts);
    buf_text(out, ")\n");
    ctl_write(sender->ctl, out);
}

void ctl_send_put_answer(struct ctl_sender *sender, const char *path, uint64_t number, unsigned attempts,
                         const struct export_answer *answer, const char *failure)
{
    struct json json;

    json_init(&json, &sender->out);
    json_begin_object(&json);
    json_key(&json, "file");
    json_string(&json, slice_of_text(path));
    json_key(&json, "number");
    json_uint(&json, number);
    json_key(&json, "request");
    json_uint(&json, sender->message > 0 ? sender->message : 1);
    json_key(&json, "bytes");
    json_uint(&json, sender->body.len);
    json_key(&json, "error");
    json_text(&json, failure);
    json_key(&json, "code");
    json_text(&json, failure == NULL ? export_code_name(answer->code) : NULL);
    if (failure == NULL) {
        json_key(&json, "code_number");
        json_int(&json, answer->code);
        json_key(&json, "message");
        json_text(&json, answer->message);
        json_key(&json, "retryable");
        json_bool(&json, answer->retryable);
        json_key(&json, "rejected_spans");
        json_int(&json, answer->rejected_spans);
        json_key(&json, "partial_message");
        json_text(&json, answer->partial_message);
        json_key(&json, "elapsed_seconds");
        json_double(&json, (double)answer->elapsed_ns / NS_PER_S);
        json_key(&json, "attempts");
        json_uint(&json, attempts);
    }
    json_end_object(&json);
    buf_text(&sender->out, "\n");
    ctl_write(sender->ctl, &sender->out);
}

void ctl_send_print_summary(struct ctl_sender *sender, uint64_t elapsed_ns)
{
    uint64_t requests = sender->ok + sender->refused + sender->unsent;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

    buf_printf(&sender->out, "%s %s to %s in ", units_format_count(a, requests), requests == 1 ? "request" : "requests",
               sender->endpoint);
    ctl_text_duration(&sender->out, elapsed_ns);
    buf_printf(&sender->out, ": %s OK (%s)", units_format_count(a, sender->ok),
               units_format_bytes(b, sender->sent_bytes));
    if (sender->rejected > 0)
        buf_printf(&sender->out, ", %s of them in part", units_format_count(a, sender->rejected));
    if (sender->refused > 0)
        buf_printf(&sender->out, ", %s refused", units_format_count(a, sender->refused));
    if (sender->unsent > 0)
        buf_printf(&sender->out, ", %s not sent", units_format_count(a, sender->unsent));
    buf_text(&sender->out, "\n");
    ctl_write(sender->ctl, &sender->out);
}
