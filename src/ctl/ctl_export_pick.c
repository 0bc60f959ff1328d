/*
 * ctl_export_pick.c - what of the spool is exported, in the order of its numbers.
 *
 * A batch holds the spans of it that are parked.  So a parked entry is written
 * where its batch is not: whoever imports both would have such a span twice.
 * Both are looked through together for that, each by its number, with nothing
 * to remember but how far.
 *
 * What is damaged is named and passed over.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "ctl_export.h"
#include "ctl_pages.h"

#define KEEP_BYTES (4UL << 20)

static void pass_over(struct ctl_export *export, const char *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void pass_over(struct ctl_export *export, const char *why, const char *format, ...)
{
    char what[ERR_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    export->damaged++;
    ctl_progress_clear(&export->progress);
    ctl_note(export->ctl, "%s is passed over: %s", what, why);
}

/* 1: batch.request is to be written, 0: it is not meant, -1: it cannot be read. */
static int look_into(struct ctl_export *export, struct err *err)
{
    if (ctl_batch_walk(&export->batch, err) < 0)
        return -1;
    return export->pick.service == NULL || ctl_batch_has_service(&export->batch, slice_of_text(export->pick.service));
}

static int put(struct ctl_export *export, uint32_t spans, struct err *err)
{
    if (ctl_export_put(export, err) < 0)
        return -1;
    export->requests++;
    export->spans += spans;
    ctl_export_show_progress(export);
    return 0;
}

static bool is_enough(const struct ctl_export *export)
{
    return export->requests >= export->limit;
}

/* --- parked entries -------------------------------------------------------- */

static int put_entry(struct ctl_export *export, const struct spool_parked *entry, struct err *err)
{
    struct err unreadable;
    int found;

    if (ctl_export_pause(export, err) < 0)
        return -1;
    /* One that stands for its batch has no bytes: the batch is held, and is exported as such. */
    if (entry->whole || !ctl_pick_in_time(&export->pick, entry->received_ns))
        return 0;
    if (entry->reason == SPOOL_PARK_DAMAGED || entry->payload.len == 0) {
        pass_over(export, entry->text, "parked entry %" PRIu64 ":%" PRIu32, entry->seq, entry->index);
        return 0;
    }
    export->batch.request = entry->payload;
    found = look_into(export, &unreadable);
    if (found < 0)
        pass_over(export, unreadable.text, "parked entry %" PRIu64 ":%" PRIu32, entry->seq, entry->index);
    if (found <= 0)
        return 0;
    export->entries++;
    return put(export, entry->spans, err);
}

/* The next entry from (parked_seq, parked_index) on, if it is one before (seq, index).  1, 0, -1. */
static int next_entry(struct ctl_export *export, uint64_t seq, uint32_t index, struct spool_parked *entry,
                      struct err *err)
{
    size_t count;

    if (export->parked_next > seq)
        return 0;
    arena_reset(&export->batch.stored, KEEP_BYTES);
    if (spool_list_parked(export->spool, export->parked_seq, export->parked_index, 1, &export->batch.stored, entry,
                          &count, err) < 0)
        return -1;
    export->parked_next = count > 0 ? entry->seq : UINT64_MAX;
    if (count == 0 || entry->seq > seq || (entry->seq == seq && entry->index >= index))
        return 0;
    export->parked_seq = entry->index == UINT32_MAX ? entry->seq + 1 : entry->seq;
    export->parked_index = entry->index + 1;
    export->parked_next = 0;
    return 1;
}

/* The entries before (seq, index) that were not looked at. */
static int put_entries(struct ctl_export *export, uint64_t seq, uint32_t index, struct err *err)
{
    struct spool_parked entry;
    int found = 0;

    while (export->parked && !is_enough(export) && (found = next_entry(export, seq, index, &entry, err)) == 1) {
        if (put_entry(export, &entry, err) < 0)
            return -1;
    }
    return found;
}

static void go_to_entry(struct ctl_export *export, uint64_t seq, uint32_t index)
{
    export->parked_seq = seq;
    export->parked_index = index;
    if (export->parked_next < seq)
        export->parked_next = 0;
}

/* --- batches --------------------------------------------------------------- */

/* 1: it is written, 0: it is not, -1. */
static int put_batch(struct ctl_export *export, uint64_t seq, struct err *err)
{
    struct ctl_batch *batch = &export->batch;
    struct err unreadable;
    int found = ctl_batch_read(batch, export->spool, seq, err);

    if (found <= 0)
        return found; /* removed meanwhile */
    if (batch->record.damaged) {
        pass_over(export, "a part is missing or its checksum is wrong", "batch %" PRIu64, seq);
        return 0;
    }
    found = ctl_batch_inflate(batch, &unreadable) < 0 ? -1 : look_into(export, &unreadable);
    if (found < 0)
        pass_over(export, unreadable.text, "batch %" PRIu64, seq);
    if (found <= 0)
        return 0;
    export->batches++;
    return put(export, batch->record.spans, err) < 0 ? -1 : 1;
}

/* Of one of which nothing is intact the time is not known. */
static bool is_meant(struct ctl_export *export, const struct spool_record *record)
{
    bool in_time = record->damaged || ctl_pick_in_time(&export->pick, record->received_ns);

    if ((export->pick.states & SPOOL_EDIT_STATE(record->state)) != 0)
        return in_time;
    export->left[record->state] += in_time;
    return false;
}

static int put_record(struct ctl_export *export, const struct spool_record *record, struct err *err)
{
    int written = 0;

    if (ctl_export_pause(export, err) < 0)
        return -1;
    if (put_entries(export, record->seq, 0, err) < 0)
        return -1;
    if (is_meant(export, record) && !is_enough(export) && (written = put_batch(export, record->seq, err)) < 0)
        return -1;
    if (written == 0)
        return put_entries(export, record->seq + 1, 0, err);
    go_to_entry(export, record->seq + 1, 0);
    return 0;
}

static int put_range(struct ctl_export *export, uint64_t first, uint64_t last, struct err *err)
{
    const struct spool_record *header;
    struct ctl_pages pages;
    int result = 0;

    ctl_pages_init(&pages, export->spool, ctl_edit_from(export->edit, first), last + 1, false);
    go_to_entry(export, first, 0);
    while (!is_enough(export) && (result = ctl_pages_next(&pages, &header, err)) > 0) {
        if (put_record(export, header, err) < 0)
            return -1;
    }
    return result < 0 ? -1 : put_entries(export, last + 1, 0, err);
}

/* --- what is named --------------------------------------------------------- */

/* 1: the first entry of the work stands for its batch, which has been written; 0: it is another, -1. */
static int put_whole(struct ctl_export *export, const struct ctl_edit_work *work, struct err *err)
{
    struct spool_parked entry;
    size_t count;

    arena_reset(&export->batch.stored, KEEP_BYTES);
    if (spool_list_parked(export->spool, work->first, work->index, 1, &export->batch.stored, &entry, &count, err) < 0)
        return -1;
    if (count == 0 || entry.seq != work->first || entry.index != work->index || !entry.whole ||
        !ctl_pick_in_time(&export->pick, entry.received_ns))
        return 0;
    return put_batch(export, entry.seq, err);
}

/* Entries of one batch. */
static int put_parked(struct ctl_export *export, const struct ctl_edit_work *work, struct err *err)
{
    int whole = put_whole(export, work, err);
    uint32_t end = work->last_index == UINT32_MAX ? 0 : work->last_index + 1;

    if (whole != 0)
        return whole < 0 ? -1 : 0;
    go_to_entry(export, work->first, work->index);
    return put_entries(export, end > 0 ? work->first : work->first + 1, end, err);
}

int ctl_export_pick(struct ctl_export *export, struct err *err)
{
    const struct ctl_edit *edit = export->edit;

    for (size_t i = 0; i < edit->work_count && !is_enough(export); i++) {
        const struct ctl_edit_work *work = &edit->work[i];
        int result;

        result = work->is_parked ? put_parked(export, work, err) : put_range(export, work->first, work->last, err);
        if (result < 0)
            return -1;
    }
    return 0;
}
