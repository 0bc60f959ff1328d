/*
 * spool_salvage.c - from the parts that are in a file to records and parked entries.
 *
 * The caller's thread.  A pass over the file finds the parts and where they
 * are; then, seq by seq, those that belong together are read again, verified
 * again, put together and handed over.  Where more parts are in the file than
 * fit into memory, a pass takes the seqs up to some number and the next one
 * goes on from there.
 *
 * What belongs together: parts whose headers agree in all but the part's own
 * fields.  A record whose transaction was tried again in smaller parts is
 * there in several divisions, any of which will do when it is complete.  Parts
 * of one place with different contents belong to two records under one header;
 * those cannot be told apart and are not mixed.
 */
#include "spool_salvage.h"

#include <assert.h>
#include <errno.h>

#include "arena.h"
#include "spool_park.h"
#include "spool_salvage_index.h"
#include "spool_salvage_scan.h"

#define KEEP_BYTES (4UL << 20) /* of memory, from one record to the next */

struct salvage {
    const struct spool_salvage_to *to;
    struct spool_salvage_report *report;
    struct spool_salvage_file file;
    struct spool_salvage_index index;
    struct arena arena;
};

/* --- one record ------------------------------------------------------------ */

static int hand_record(struct salvage *salvage, const struct spool_part *head, struct slice payload, struct err *err)
{
    struct spool_record record = {
        .seq = head->seq,
        .received_ns = head->received_ns,
        .raw_bytes = head->raw_bytes,
        .stored_bytes = head->stored_bytes,
        .spans = head->spans,
        .codec = head->codec,
        .state = SPOOL_PENDING,
        .payload = payload,
    };

    salvage->report->records++;
    salvage->report->multi_part += head->count > 1;
    return salvage->to->record(salvage->to->context, &record, err);
}

/* 1: handed over; 0: it is damaged within; -1. */
static int hand_parked(struct salvage *salvage, const struct spool_part *head, struct slice blob, struct err *err)
{
    struct spool_parked parked = {.seq = head->seq, .spans = head->spans, .received_ns = head->received_ns};
    bool damaged = blob.len < SPOOL_PARK_FIXED_BYTES;

    if (!damaged) {
        parked.index = spool_get_u32(blob.data);
        if (spool_park_decode(&parked, blob, &salvage->arena, &damaged) != 0)
            return err_set(err, ERR_BUSY, ENOMEM, "no memory for a parked entry");
    }
    if (damaged)
        return 0;
    salvage->report->parked++;
    salvage->report->parked_whole += parked.whole;
    return salvage->to->parked(salvage->to->context, &parked, err) == 0 ? 1 : -1;
}

/*
 * Reads `first` and those of `parts` that are not first parts.  1: handed
 * over; 0: something is not as the scan saw it; -1.
 */
static int hand_over(struct salvage *salvage, const struct spool_salvage_part *first,
                     const struct spool_salvage_part *parts, size_t count, uint64_t bytes, struct err *err)
{
    struct spool_part head, other;
    uint64_t copied = first->bytes;
    uint8_t *payload;

    arena_reset(&salvage->arena, KEEP_BYTES);
    payload = arena_alloc(&salvage->arena, bytes);
    if (payload == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for batch %llu of %llu bytes", (unsigned long long)first->seq,
                       (unsigned long long)bytes);
    if (!spool_salvage_file_read(&salvage->file, first, &head, payload) || head.stored_bytes != bytes)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].index == 0 || parts[i].damaged)
            continue;
        if (!spool_salvage_file_read(&salvage->file, &parts[i], &other, payload + copied))
            return 0;
        copied += parts[i].bytes;
    }
    assert(copied == bytes);
    if (first->parked)
        return hand_parked(salvage, &head, slice_of(payload, bytes), err);
    return hand_record(salvage, &head, slice_of(payload, bytes), err) == 0 ? 1 : -1;
}

/* Whether each part after the first is there exactly once; *bytes is what they have together. */
static bool has_the_rest(const struct spool_salvage_part *parts, size_t count, uint64_t *bytes)
{
    uint32_t next = 1;

    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].index == 0 || parts[i].damaged)
            continue;
        if (parts[i].index != next++)
            return false;
        *bytes += parts[i].bytes;
    }
    return next == parts[0].count;
}

static size_t count_first(const struct spool_salvage_part *parts, size_t count)
{
    size_t firsts = 0;

    for (size_t i = 0; i < count && parts[i].index == 0; i++)
        firsts += !parts[i].damaged;
    return firsts;
}

/*
 * One division of an entry.  1: handed over, 0: not complete, -1.  An entry
 * that was parked again has another first part (its time) and the same others.
 */
static int take_division(struct salvage *salvage, const struct spool_salvage_part *parts, size_t count, struct err *err)
{
    size_t firsts = count_first(parts, count);
    uint64_t rest;
    int result = 0;

    if (firsts == 0 || !has_the_rest(parts, count, &rest))
        return 0;
    if (firsts > 1 && parts[0].count > 1 && !parts[0].parked)
        return 0;
    for (size_t i = 0; i < count && parts[i].index == 0; i++) {
        int handed = parts[i].damaged ? 0 : hand_over(salvage, &parts[i], parts, count, parts[i].bytes + rest, err);

        if (handed == -1)
            return -1;
        result |= handed;
    }
    return result;
}

/* --- all of them ----------------------------------------------------------- */

static void note_incomplete(struct spool_salvage_report *report, uint64_t seq)
{
    size_t count = report->incomplete_seq_count;

    report->incomplete++;
    if (count < SPOOL_SALVAGE_SEQS_MAX && (count == 0 || report->incomplete_seqs[count - 1] != seq))
        report->incomplete_seqs[report->incomplete_seq_count++] = seq;
}

static int take_entry(struct salvage *salvage, const struct spool_salvage_part *parts, size_t count, struct err *err)
{
    int result = 0;

    for (size_t i = 0, end; result == 0 && i < count; i = end) {
        for (end = i + 1; end < count && spool_salvage_same_division(&parts[i], &parts[end]); end++) {
        }
        result = take_division(salvage, parts + i, end - i, err);
    }
    if (result == 0)
        note_incomplete(salvage->report, parts[0].seq);
    return result == -1 ? -1 : 0;
}

static int take_all(struct salvage *salvage, struct err *err)
{
    const struct spool_salvage_part *parts = salvage->index.parts;
    size_t count = salvage->index.count;

    for (size_t i = 0; i < count; i++) {
        salvage->report->parts += !parts[i].damaged;
        salvage->report->damaged_parts += parts[i].damaged;
    }
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && spool_salvage_same_entry(&parts[i], &parts[end]); end++) {
        }
        if (take_entry(salvage, parts + i, end - i, err) == -1)
            return -1;
    }
    return 0;
}

static int run_passes(struct salvage *salvage, struct err *err)
{
    uint64_t begin = 0;

    do {
        spool_salvage_index_begin(&salvage->index, begin);
        salvage->report->passes++;
        if (spool_salvage_file_scan(&salvage->file, &salvage->index, salvage->to, salvage->report, err) == -1)
            return -1;
        spool_salvage_index_sort(&salvage->index);
        if (take_all(salvage, err) == -1)
            return -1;
        begin = salvage->index.end;
    } while (begin != UINT64_MAX);
    return 0;
}

int spool_salvage(const char *path, const struct spool_salvage_to *to, struct spool_salvage_report *report,
                  struct err *err)
{
    struct salvage salvage = {.to = to, .report = report};
    int result;

    *report = (struct spool_salvage_report){.passes = 0};
    spool_salvage_index_init(&salvage.index, to->max_parts != 0 ? to->max_parts : SPOOL_SALVAGE_PARTS_MAX);
    arena_init(&salvage.arena, SPOOL_SALVAGE_BYTES_MAX + KEEP_BYTES);
    result = spool_salvage_file_open(&salvage.file, path, err);
    report->file_bytes = salvage.file.bytes;
    if (result == 0)
        result = run_passes(&salvage, err);
    spool_salvage_file_close(&salvage.file);
    arena_fini(&salvage.arena);
    spool_salvage_index_fini(&salvage.index);
    return result;
}
