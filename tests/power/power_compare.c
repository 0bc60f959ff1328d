/*
 * power_compare.c - see the header.  The judge's process; one thread.
 *
 * First what is there is collected, as the spool's reading functions say it,
 * then it is held against the model: each record that was acknowledged is in a
 * state that is possible, with its bytes; anything else was at least asked for.
 */
#include "power_compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"
#include "power_work.h"

#define PAGE_RECORDS 256
#define SPAN_INDEX 1

static char *verdict;
static size_t verdict_size;

/* What was found, by sequence number. */
static struct found {
    bool here;
    enum spool_record_state state;
    bool whole;
    bool span;
} found[POWER_SEQS_MAX];

struct sums {
    uint64_t records, pending, pending_bytes, held, parked, last_seq;
};

void power_compare_init(char *to, size_t size)
{
    verdict = to;
    verdict_size = size;
}

void power_compare_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(verdict, verdict_size, format, arguments);
    va_end(arguments);
    _exit(1);
}

static void check_seq(uint64_t seq)
{
    if (seq == 0 || seq >= POWER_SEQS_MAX)
        power_compare_fail("there is a record %llu, and never was", (unsigned long long)seq);
}

/* --- what is there --------------------------------------------------------- */

static void check_bytes(const struct power_model *model, const struct spool_record *record, uint64_t id)
{
    const struct power_put_model *put = &model->puts[id];

    if (record->damaged)
        power_compare_fail("record %llu is damaged", (unsigned long long)record->seq);
    if (record->payload.len != put->len || checksum_64(record->payload) != put->checksum)
        power_compare_fail("record %llu has not the bytes of put %llu", (unsigned long long)record->seq,
                           (unsigned long long)id);
}

/* A record may be there before anybody was told, but not when somebody was told no. */
static void check_origin(const struct power_model *model, const struct spool_record *record)
{
    uint64_t id = record->received_ns - POWER_RECEIVED_NS;

    if (id == 0 || id >= POWER_PUTS_MAX || !model->puts[id].asked)
        power_compare_fail("record %llu was never put", (unsigned long long)record->seq);
    if (model->puts[id].refused)
        power_compare_fail("record %llu is put %llu, which was refused", (unsigned long long)record->seq,
                           (unsigned long long)id);
    if (model->puts[id].seq != 0 && model->puts[id].seq != record->seq)
        power_compare_fail("put %llu is record %llu, and was told that it is %llu", (unsigned long long)id,
                           (unsigned long long)record->seq, (unsigned long long)model->puts[id].seq);
    if (model->seqs[record->seq].id != 0 && model->seqs[record->seq].id != id)
        power_compare_fail("record %llu is put %llu, and put %llu was told so", (unsigned long long)record->seq,
                           (unsigned long long)id, (unsigned long long)model->seqs[record->seq].id);
    check_bytes(model, record, id);
}

static void look_at_record(struct spool *spool, const struct power_model *model, uint64_t seq, struct sums *sums)
{
    struct spool_record record;
    struct arena arena;
    struct err err;

    check_seq(seq);
    arena_init(&arena, SIZE_MAX);
    if (spool_read(spool, seq, &arena, &record, &err) != 1)
        power_compare_fail("record %llu is in the list and cannot be read", (unsigned long long)seq);
    check_origin(model, &record);
    found[seq].here = true;
    found[seq].state = record.state;
    sums->records++;
    sums->last_seq = seq;
    if (record.state == SPOOL_PENDING) {
        sums->pending++;
        sums->pending_bytes += record.stored_bytes;
    }
    sums->held += record.state == SPOOL_HELD ? 1 : 0;
    arena_fini(&arena);
}

static void look_at_records(struct spool *spool, const struct power_model *model, struct sums *sums)
{
    static struct spool_record records[PAGE_RECORDS];
    uint64_t from = 1;
    size_t count;
    struct err err;

    do {
        if (spool_list(spool, from, PAGE_RECORDS, records, &count, &err) == -1)
            power_compare_fail("list: %s", err.text);
        for (size_t i = 0; i < count; i++)
            look_at_record(spool, model, records[i].seq, sums);
        from = count == 0 ? from : records[count - 1].seq + 1;
    } while (count == PAGE_RECORDS);
}

static void look_at_entry(const struct power_model *model, const struct spool_parked *parked)
{
    uint64_t id = parked->received_ns - POWER_RECEIVED_NS;

    check_seq(parked->seq);
    if (parked->whole) {
        found[parked->seq].whole = true;
        return;
    }
    if (parked->index != SPAN_INDEX || id >= POWER_PUTS_MAX || model->seqs[parked->seq].span_id != id ||
        model->puts[id].len != parked->payload.len || model->puts[id].checksum != checksum_64(parked->payload))
        power_compare_fail("the entry %llu:%u is not what was parked", (unsigned long long)parked->seq, parked->index);
    found[parked->seq].span = true;
}

static void look_at_parked(struct spool *spool, const struct power_model *model, struct sums *sums)
{
    static struct spool_parked entries[PAGE_RECORDS];
    uint64_t seq = 0;
    uint32_t index = 0;
    struct arena arena;
    size_t count;
    struct err err;

    arena_init(&arena, SIZE_MAX);
    do {
        if (spool_list_parked(spool, seq, index, PAGE_RECORDS, &arena, entries, &count, &err) == -1)
            power_compare_fail("parked: %s", err.text);
        for (size_t i = 0; i < count; i++)
            look_at_entry(model, &entries[i]);
        sums->parked += count;
        if (count > 0) {
            seq = entries[count - 1].seq;
            index = entries[count - 1].index + 1;
        }
    } while (count == PAGE_RECORDS);
    arena_fini(&arena);
}

/* --- against the model ----------------------------------------------------- */

static void check_acknowledged(const struct power_model *model)
{
    char is[64], should[256];

    for (uint64_t seq = 1; seq < POWER_SEQS_MAX; seq++) {
        unsigned record = found[seq].here ? (unsigned)found[seq].state : POWER_ABSENT;
        unsigned state = POWER_STATE(record, found[seq].whole, found[seq].span);

        if (model->seqs[seq].id == 0) {
            if (found[seq].whole || found[seq].span)
                power_compare_fail("record %llu, which was not acknowledged, has parked entries",
                                   (unsigned long long)seq);
            continue;
        }
        if (!power_model_allows(model, seq, state))
            power_compare_fail("record %llu (put %llu) is %s; it has to be %s", (unsigned long long)seq,
                               (unsigned long long)model->seqs[seq].id, power_model_state_text(state, is, sizeof(is)),
                               power_model_text(model, seq, should, sizeof(should)));
    }
}

/* A parked span that is being requeued is an entry or a record, and never both or neither. */
static void check_requeue(const struct power_model *model, bool record_here)
{
    const struct power_mark *mark = model->in_flight[POWER_ACTORS - 1];

    if (mark == NULL || mark->change != POWER_REQUEUE_SPAN || !power_model_had_span(model, mark->seqs[0]))
        return;
    if (found[mark->seqs[0]].span == record_here)
        power_compare_fail("the entry %llu:1, while it was requeued, is %s", (unsigned long long)mark->seqs[0],
                           record_here ? "here twice" : "lost");
}

/* Whether put `id`, of which nobody was told, is a record. */
static bool is_here(struct spool *spool, const struct power_model *model, uint64_t id)
{
    for (uint64_t seq = 1; seq < POWER_SEQS_MAX; seq++) {
        struct spool_record record;
        size_t count;

        if (found[seq].here && model->seqs[seq].id == 0 && spool_list(spool, seq, 1, &record, &count, NULL) == 0 &&
            record.received_ns == POWER_RECEIVED_NS + id)
            return true;
    }
    return false;
}

static void check_sums(struct spool *spool, const struct power_model *model, const struct sums *sums)
{
    struct spool_stat stat;
    struct err err;

    if (spool_stat(spool, &stat, &err) == -1)
        power_compare_fail("stat: %s", err.text);
    if (stat.pending_records != sums->pending || stat.pending_bytes != sums->pending_bytes ||
        stat.held_records != sums->held || stat.parked_entries != sums->parked ||
        stat.history_records != sums->records - sums->pending - sums->held)
        power_compare_fail("the sums are wrong: %llu pending (%llu bytes), %llu held, %llu history, %llu parked",
                           (unsigned long long)stat.pending_records, (unsigned long long)stat.pending_bytes,
                           (unsigned long long)stat.held_records, (unsigned long long)stat.history_records,
                           (unsigned long long)stat.parked_entries);
    if (stat.next_seq <= sums->last_seq || stat.next_seq <= model->last_seq)
        power_compare_fail("the next record would be %llu, which was given to another",
                           (unsigned long long)stat.next_seq);
}

/* What a flusher is given is what is pending, all of it and in order. */
static void check_pending(struct spool *spool, const struct sums *sums)
{
    static struct spool_record records[PAGE_RECORDS];
    struct spool_range before = {.first = 0, .end = 1};
    struct spool_want want = {
        .end = SPOOL_OLDEST, .taken = &before, .taken_count = 1, .max_records = PAGE_RECORDS, .max_bytes = SIZE_MAX};
    uint64_t pending = 0;
    struct arena arena;
    struct err err;
    size_t count;

    arena_init(&arena, SIZE_MAX);
    do {
        arena_reset(&arena, SIZE_MAX);
        if (spool_read_pending(spool, &want, &arena, records, &count, &err) == -1)
            power_compare_fail("reading what is pending: %s", err.text);
        for (size_t i = 0; i < count; i++) {
            if (records[i].seq < before.end || !found[records[i].seq].here ||
                found[records[i].seq].state != SPOOL_PENDING)
                power_compare_fail("record %llu is read as pending and is not", (unsigned long long)records[i].seq);
            before.end = records[i].seq + 1;
        }
        pending += count;
    } while (count > 0);
    arena_fini(&arena);
    if (pending != sums->pending)
        power_compare_fail("%llu records are pending, %llu are read", (unsigned long long)sums->pending,
                           (unsigned long long)pending);
}

uint64_t power_compare(struct spool *spool, const struct power_model *model)
{
    struct sums sums = {.records = 0};
    const struct power_mark *last = model->in_flight[POWER_ACTORS - 1];

    memset(found, 0, sizeof(found));
    look_at_records(spool, model, &sums);
    look_at_parked(spool, model, &sums);
    check_acknowledged(model);
    check_requeue(model, last != NULL && is_here(spool, model, last->id));
    check_sums(spool, model, &sums);
    check_pending(spool, &sums);
    return sums.last_seq;
}
