/*
 * ctl_ls_line.c - the line of a batch in a list, and its JSON.
 *
 * Pure.  The reason why a batch, or a part of it, is not delivered stands below its line in
 * parentheses, as mail queues print it, so that a line stays an id with what
 * can be counted on; ctl_edit_id.c reads both back.
 */
#include "ctl_ls_line.h"

#include <inttypes.h>

#include "clock.h"
#include "ctl_parked.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

#define SEQ_COLUMNS 6
#define AGE_COLUMNS 9
#define SPANS_COLUMNS 7
#define BYTES_COLUMNS 8
#define STATE_COLUMNS 9
#define USED_COLUMNS                                                                                                   \
    (SEQ_COLUMNS + CTL_LS_TIME_COLUMNS + AGE_COLUMNS + SPANS_COLUMNS + BYTES_COLUMNS + STATE_COLUMNS + 8)
#define NAMES_BYTES_MAX (1UL << 20)

void ctl_ls_time(struct buf *out, uint64_t wall_ns)
{
    char text[UNITS_TEXT_MAX];

    /* Milliseconds tell batches apart in JSON; here they would take the room of a service's name. */
    units_format_time(text, wall_ns);
    buf_printf(out, "%.19sZ", text);
}

static const char *state_name(const struct spool_record *record)
{
    return record->damaged ? "damaged" : spool_record_state_name(record->state);
}

static uint64_t age_ns(const struct ctl_ls_form *form, const struct spool_record *record)
{
    return form->now_ns > record->received_ns ? form->now_ns - record->received_ns : 0;
}

static unsigned services_columns(const struct ctl_ls_form *form)
{
    return form->width > USED_COLUMNS + CTL_LS_TEXT_MIN ? form->width - USED_COLUMNS : CTL_LS_TEXT_MIN;
}

static void right_text(struct buf *out, const char *text, unsigned columns)
{
    buf_printf(out, "%*s", (int)columns, text);
}

void ctl_ls_print_head(struct buf *out, const struct ctl_ls_form *form)
{
    ctl_text_style(out, form->colored, CTL_BOLD);
    right_text(out, "SEQ", SEQ_COLUMNS);
    buf_text(out, "  ");
    ctl_text_pad(out, slice_of_text("RECEIVED"), CTL_LS_TIME_COLUMNS);
    right_text(out, "AGE", AGE_COLUMNS + 1);
    right_text(out, "SPANS", SPANS_COLUMNS + 1);
    right_text(out, "STORED", BYTES_COLUMNS + 1);
    buf_text(out, "  ");
    ctl_text_pad(out, slice_of_text("STATE"), STATE_COLUMNS + 1);
    buf_text(out, "SERVICES");
    ctl_text_style(out, form->colored, CTL_PLAIN);
    buf_text(out, "\n");
}

static void print_services(struct buf *out, const struct ctl_ls_form *form, const struct ctl_services *services)
{
    struct buf names;

    buf_init(&names, NAMES_BYTES_MAX);
    for (size_t i = 0; i < services->count && names.len < 2 * CTL_WIDTH_MAX; i++) {
        buf_text(&names, i > 0 ? ", " : "");
        buf_append(&names, services->names[i].data, services->names[i].len);
    }
    if (services->more || services->count == 0)
        buf_text(&names, services->more ? ", ..." : "-");
    ctl_text_append(out, buf_slice(&names), services_columns(form));
    buf_fini(&names);
}

static void print_below(struct buf *out, const struct ctl_ls_form *form, struct buf *text)
{
    ctl_text_spaces(out, SEQ_COLUMNS + 2);
    buf_text(out, "(");
    ctl_text_append(out, buf_slice(text), form->cuts ? form->width - (SEQ_COLUMNS + 4) : CTL_TEXT_WHOLE);
    buf_text(out, ")\n");
    buf_fini(text);
}

/* "        (tried 7 times: MongoDB cannot be reached ...)" */
static void print_error(struct buf *out, const struct ctl_ls_form *form, const struct ctl_ls_row *row)
{
    char count[UNITS_TEXT_MAX];
    struct buf text;

    buf_init(&text, 2UL * ERR_TEXT_MAX);
    if (row->attempts == 1)
        buf_text(&text, "tried once: ");
    else if (row->attempts > 1)
        buf_printf(&text, "tried %s times: ", units_format_count(count, row->attempts));
    buf_text(&text, row->last_error);
    print_below(out, form, &text);
}

/* "        (4 of 105 spans parked: refused, code 121: Document failed validation)" */
static void print_parked(struct buf *out, const struct ctl_ls_form *form, const struct ctl_ls_row *row)
{
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];
    struct buf text;

    buf_init(&text, 2UL * ERR_TEXT_MAX);
    buf_printf(&text, "%s of %s %s parked: ", units_format_count(a, row->parked_entries),
               units_format_count(b, row->record->spans), row->record->spans == 1 ? "span" : "spans");
    ctl_parked_why(&text, row->parked->reason, row->parked->code, row->parked->text);
    print_below(out, form, &text);
}

void ctl_ls_print_row(struct buf *out, const struct ctl_ls_form *form, const struct ctl_ls_row *row)
{
    const struct spool_record *record = row->record;
    char text[UNITS_TEXT_MAX];

    buf_printf(out, "%*" PRIu64 "  ", SEQ_COLUMNS, record->seq);
    ctl_ls_time(out, record->received_ns);
    right_text(out, units_format_duration(text, age_ns(form, record)), AGE_COLUMNS + 1);
    right_text(out, units_format_count(text, record->spans), SPANS_COLUMNS + 1);
    right_text(out, units_format_bytes(text, record->stored_bytes), BYTES_COLUMNS + 1);
    buf_text(out, "  ");
    ctl_text_style(out, form->colored && record->damaged, CTL_RED);
    ctl_text_pad(out, slice_of_text(state_name(record)), STATE_COLUMNS + 1);
    ctl_text_style(out, form->colored && record->damaged, CTL_PLAIN);
    if (row->unreadable != NULL)
        ctl_text_append(out, slice_of_text(row->unreadable), services_columns(form));
    else
        print_services(out, form, &row->services);
    buf_text(out, "\n");
    if (row->last_error != NULL)
        print_error(out, form, row);
    if (row->parked != NULL)
        print_parked(out, form, row);
}

void ctl_ls_put_row(struct buf *out, const struct ctl_ls_form *form, const struct ctl_ls_row *row)
{
    const struct spool_record *record = row->record;
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_member_uint(&json, "seq", record->seq);
    json_member_uint(&json, "received_unix_ns", record->received_ns);
    json_key(&json, "age_seconds");
    json_double(&json, (double)age_ns(form, record) / NS_PER_S);
    json_member_uint(&json, "spans", record->spans);
    json_member_uint(&json, "stored_bytes", record->stored_bytes);
    json_member_uint(&json, "request_bytes", record->raw_bytes);
    json_key(&json, "state");
    json_text(&json, state_name(record));
    json_key(&json, "services");
    json_begin_array(&json);
    for (size_t i = 0; i < row->services.count; i++)
        json_string(&json, row->services.names[i]);
    json_end_array(&json);
    json_key(&json, "error");
    json_text(&json, row->unreadable);
    json_key(&json, "attempts");
    if (row->tried)
        json_uint(&json, row->attempts);
    else
        json_null(&json);
    json_key(&json, "last_error");
    json_text(&json, row->last_error);
    json_member_uint(&json, "parked_entries", row->parked_entries);
    json_end_object(&json);
    buf_text(out, "\n");
}
