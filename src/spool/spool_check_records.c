/*
 * spool_check_records.c - records and parked entries, each as a whole.
 *
 * The caller's thread.  One finding an entry: the first thing that is wrong.
 * A record that the flusher has found damaged itself is held and has a parked
 * entry; it is found again, as known.
 */
#include <string.h>

#include "arena.h"
#include "spool_check_parts.h"
#include "spool_park.h"
#include "spool_parts.h"
#include "spool_pending.h"

#define SEQ_BYTES 8

/* --- records --------------------------------------------------------------- */

static void record_part(struct spool_check_parts *parts, const struct spool_part *part, struct slice payload)
{
    (void)parts;
    (void)part;
    (void)payload;
}

/* Whether the record has a parked entry of its own that says why it is held. */
static int is_parked_whole(const struct spool_check_parts *parts, MDB_txn *txn, bool *parked)
{
    struct spool_parts_reader reader;
    uint8_t prefix[SPOOL_PARK_PREFIX_BYTES];
    int rc = spool_parts_open(&reader, txn, parts->check->spool->parked, SPOOL_PARK_PREFIX_BYTES);

    *parked = false;
    if (rc != 0)
        return rc;
    spool_park_encode_prefix(prefix, parts->entry.seq, 0);
    rc = spool_parts_seek(&reader, prefix);
    if (rc == 0)
        *parked = memcmp(reader.prefix, prefix, sizeof(prefix)) == 0 && spool_park_is_whole(&reader);
    spool_parts_close(&reader);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static const char *what_of_it(enum spool_record_state state, bool known)
{
    switch (state) {
    case SPOOL_PENDING:
        return "it is pending: it will be held and parked when its turn comes";
    case SPOOL_DELIVERED:
        return "it is delivered already: nothing is lost";
    case SPOOL_HELD:
        return known ? "it is held, and parked for that" : "it is held";
    }
    return "";
}

static int find_damaged(struct spool_check_parts *parts, MDB_txn *txn, enum spool_record_state state)
{
    bool known = false;
    int rc = state == SPOOL_HELD ? is_parked_whole(parts, txn, &known) : 0;

    parts->check->report->damaged_records++;
    parts->check->report->known_records += known;
    spool_check_find(parts->check, SPOOL_CHECK_RECORD, parts->entry.seq, known, "batch %llu: %s; %s",
                     (unsigned long long)parts->entry.seq, parts->entry.wrong, what_of_it(state, known));
    return rc;
}

static int record_end(struct spool_check_parts *parts, MDB_txn *txn)
{
    const struct spool_check_entry *entry = &parts->entry;
    struct spool_check *check = parts->check;
    enum spool_record_state state;
    int rc = spool_pending_state(txn, check->spool, entry->seq, &state);

    if (rc != 0)
        return rc;
    if (entry->seq >= parts->next_seq)
        spool_check_parts_wrong(parts, "its number is not given yet, the next is %llu",
                                (unsigned long long)parts->next_seq);
    check->report->records++;
    check->report->stored_bytes += entry->bytes;
    check->headless |= !entry->has_head;
    if (state == SPOOL_PENDING) {
        check->report->pending_records++;
        check->pending_spans += entry->head.spans;
        check->pending_bytes += entry->head.stored_bytes;
    } else if (state == SPOOL_HELD) {
        check->report->held_records++;
        check->held_spans += entry->head.spans;
    }
    return entry->wrong[0] != '\0' ? find_damaged(parts, txn, state) : 0;
}

int spool_check_records(struct spool_check *check)
{
    struct spool_check_parts parts = {
        .check = check,
        .dbi = check->spool->records,
        .prefix_len = SEQ_BYTES,
        .magic = SPOOL_MAGIC_RECORD,
        .progress = "batches",
        .part = record_part,
        .entry_end = record_end,
    };

    return spool_check_parts_run(&parts);
}

/* --- parked ---------------------------------------------------------------- */

struct parked_parts {
    struct spool_check_parts parts; /* first, so that one is the other */
    bool whole;
};

/* What its first part says of the entry. */
static void parked_part(struct spool_check_parts *parts, const struct spool_part *part, struct slice payload)
{
    struct spool_parked parked = {.index = spool_key_get_u32(parts->entry.prefix + SEQ_BYTES)};
    struct arena arena;
    bool damaged = true;

    if (part->index != 0)
        return;
    arena_init(&arena, 2 * PARK_TEXT_MAX);
    /* Of a larger entry the first part is a page at least, so the text lies in it. */
    if (part->count == 1 || payload.len >= SPOOL_PARK_FIXED_BYTES + PARK_TEXT_MAX)
        spool_park_decode(&parked, slice_of(payload.data, part->stored_bytes), &arena, &damaged);
    if (damaged)
        spool_check_parts_wrong(parts, "what it says of itself makes no sense");
    else if (parked.reason < SPOOL_PARK_REFUSED || parked.reason > SPOOL_PARK_UNDECODABLE)
        spool_check_parts_wrong(parts, "its reason is unknown (%u)", (unsigned)parked.reason);
    else if (parked.whole && parked.payload.len > 0)
        spool_check_parts_wrong(parts, "it stands for a whole batch, and has bytes of its own");
    ((struct parked_parts *)parts)->whole = !damaged && parked.whole;
    arena_fini(&arena);
}

static int check_record_held(struct spool_check_parts *parts, MDB_txn *txn)
{
    struct spool_parts_reader reader;
    enum spool_record_state state;
    uint8_t prefix[SEQ_BYTES];
    int rc = spool_pending_state(txn, parts->check->spool, parts->entry.seq, &state);

    if (rc == 0)
        rc = spool_parts_open(&reader, txn, parts->check->spool->records, SEQ_BYTES);
    if (rc != 0)
        return rc;
    spool_key_put_u64(prefix, parts->entry.seq);
    rc = spool_parts_seek(&reader, prefix);
    if (rc == MDB_NOTFOUND || (rc == 0 && spool_parts_seq(&reader) != parts->entry.seq))
        spool_check_parts_wrong(parts, "it stands for a whole batch, which is not there");
    else if (rc == 0 && state != SPOOL_HELD)
        spool_check_parts_wrong(parts, "it stands for a whole batch, which is %s and not held",
                                spool_record_state_name(state));
    spool_parts_close(&reader);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int parked_end(struct spool_check_parts *parts, MDB_txn *txn)
{
    struct parked_parts *parked = (struct parked_parts *)parts;
    const struct spool_check_entry *entry = &parts->entry;
    int rc = 0;

    parts->check->report->parked++;
    if (parked->whole)
        rc = check_record_held(parts, txn);
    parked->whole = false;
    if (entry->wrong[0] == '\0')
        return rc;
    parts->check->report->damaged_parked++;
    spool_check_find(parts->check, SPOOL_CHECK_PARKED, entry->seq, false, "parked entry %llu:%u: %s",
                     (unsigned long long)entry->seq, spool_key_get_u32(entry->prefix + SEQ_BYTES), entry->wrong);
    return rc;
}

int spool_check_parked(struct spool_check *check)
{
    struct parked_parts parked = {.parts = {
                                      .check = check,
                                      .dbi = check->spool->parked,
                                      .prefix_len = SPOOL_PARK_PREFIX_BYTES,
                                      .magic = SPOOL_MAGIC_PARKED,
                                      .progress = "parked entries",
                                      .part = parked_part,
                                      .entry_end = parked_end,
                                  }};

    return spool_check_parts_run(&parked.parts);
}
