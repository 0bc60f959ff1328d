/*
 * spool_edit_parked.c - parked entries: deliver again, or remove; one a
 * transaction, since one may be as large as a request.
 *
 * One thread of a process that is not the daemon.  A span that MongoDB refused
 * becomes a record of its own with the time at which it was received, so it
 * gets the document that it would have had.  An entry that stands for a whole
 * record has no bytes: the record is held, and is made pending again.
 */
#include <errno.h>
#include <string.h>

#include "checksum.h"
#include "spool_append.h"
#include "spool_edit.h"
#include "spool_edit_txn.h"
#include "spool_evict.h"
#include "spool_park.h"

#define SEQ_BYTES 8

/* What one step has found. */
struct found {
    struct spool_parked parked;
    bool any;
    struct arena arena;
};

static int find(struct spool_edit_txn *txn, const struct spool_edit_parked *edit, struct found *found)
{
    struct spool_parts_reader reader;
    uint8_t prefix[SPOOL_PARK_PREFIX_BYTES];
    int rc = spool_parts_open(&reader, txn->txn, txn->spool->parked, SPOOL_PARK_PREFIX_BYTES);

    if (rc != 0)
        return rc;
    spool_park_encode_prefix(prefix, edit->seq, edit->index);
    if ((rc = spool_parts_seek(&reader, prefix)) == 0)
        rc = spool_park_read(&reader, &found->arena, &found->parked);
    spool_parts_close(&reader);
    if (rc == MDB_NOTFOUND)
        return 0;
    found->any = rc == 0 && (found->parked.seq < edit->last_seq ||
                             (found->parked.seq == edit->last_seq && found->parked.index <= edit->last_index));
    return rc;
}

/* The record that a `whole` entry stands for; *state SPOOL_DELIVERED also when there is none. */
static int find_record(struct spool_edit_txn *txn, uint64_t seq, struct spool_part *head,
                       enum spool_record_state *state)
{
    uint8_t prefix[SEQ_BYTES];
    bool damaged;
    int rc;

    *state = SPOOL_DELIVERED;
    spool_key_put_u64(prefix, seq);
    rc = spool_parts_seek(&txn->records, prefix);
    if (rc != 0 || spool_parts_seq(&txn->records) != seq)
        return rc == MDB_NOTFOUND ? 0 : rc;
    rc = spool_parts_head(&txn->records, head, &damaged);
    return rc == 0 ? spool_edit_state(txn, seq, state) : rc;
}

static int edit_whole(struct spool_edit_txn *txn, const struct spool_edit_parked *edit, uint64_t seq,
                      struct spool_edit_result *result)
{
    enum spool_record_state state;
    struct spool_part head;
    int rc = find_record(txn, seq, &head, &state);

    if (rc != 0 || state != SPOOL_HELD)
        return rc; /* an operator has decided about it already: the entry goes */
    result->records++;
    result->stored_bytes += head.stored_bytes;
    if (!txn->writes)
        return 0;
    return edit->requeue ? spool_edit_move(txn, &head, SPOOL_HELD, SPOOL_PENDING)
                         : spool_edit_remove(txn, &head, SPOOL_HELD);
}

static uint64_t pages_of(const struct spool *spool, const struct spool_parked *parked)
{
    return spool_layout_entry_pages(parked->payload.len, SPOOL_PART_PAGES, spool->page_bytes);
}

static int append(struct spool_edit_txn *txn, const struct spool_edit_parked *edit, const struct spool_parked *parked,
                  uint64_t *new_seq)
{
    struct spool_put put = {
        .payload = parked->payload,
        .raw_bytes = parked->payload.len,
        .received_ns = parked->received_ns,
        .spans = parked->spans,
        .codec = edit->codec,
        .checksum = checksum_64(parked->payload),
    };
    int rc = spool_evict_until(txn->txn, txn->spool, txn->layout.limit_pages, pages_of(txn->spool, parked),
                               &txn->counters, &txn->changed);

    if (rc == 0)
        rc = spool_append(txn->txn, txn->spool, &put, SPOOL_PART_PAGES, &txn->counters);
    if (rc == MDB_NOTFOUND)
        rc = MDB_MAP_FULL; /* everything in it waits: no room until something is delivered */
    *new_seq = put.seq;
    return rc;
}

static int edit_span(struct spool_edit_txn *txn, const struct spool_edit_parked *edit,
                     const struct spool_parked *parked, uint64_t *new_seq)
{
    return edit->requeue && txn->writes ? append(txn, edit, parked, new_seq) : 0;
}

static bool is_damaged(const struct spool_parked *parked)
{
    return !parked->whole && parked->payload.len == 0;
}

static int edit_entry(struct spool_edit_txn *txn, const struct spool_edit_parked *edit,
                      const struct spool_parked *parked, uint64_t *new_seq, struct spool_edit_result *result)
{
    int rc = parked->whole ? edit_whole(txn, edit, parked->seq, result) : edit_span(txn, edit, parked, new_seq);

    if (rc != 0)
        return rc;
    result->parked++;
    result->spans += parked->spans;
    if (!txn->writes)
        return 0;
    txn->changed = true;
    return spool_park_remove(txn->txn, txn->spool, parked->seq, parked->index, &txn->counters);
}

static void move_behind(struct spool_edit_parked *edit, const struct spool_parked *parked)
{
    edit->seq = parked->index == UINT32_MAX ? parked->seq + 1 : parked->seq;
    edit->index = parked->index + 1;
}

/* Reads first, for the pages that it will take; the entry cannot change between, only go. */
static int look(struct spool *spool, const struct spool_edit_parked *edit, struct found *found, struct err *err)
{
    struct spool_edit_txn txn;
    int rc;

    if (spool_edit_begin(&txn, spool, true, 0, err) == -1)
        return -1;
    rc = find(&txn, edit, found);
    if (rc == ENOBUFS) {
        spool_edit_end(&txn, 0, NULL);
        return err_set(err, ERR_BUSY, rc, "no memory for the parked entry after %llu:%u", (unsigned long long)edit->seq,
                       edit->index);
    }
    return spool_edit_end(&txn, rc, err);
}

static int do_entry(struct spool *spool, const struct spool_edit_parked *edit, const struct spool_parked *parked,
                    uint64_t *new_seq, struct spool_edit_result *result, struct err *err)
{
    struct spool_edit_result counted = *result;
    struct spool_edit_txn txn;
    bool exists;
    int rc;

    if (edit->requeue && is_damaged(parked))
        return err_set(err, ERR_POISON, 0, "%s", parked->text == NULL ? "nothing of it can be sent" : parked->text);
    if (spool_edit_begin(&txn, spool, edit->dry_run, pages_of(spool, parked), err) == -1)
        return -1;
    rc = spool_park_exists(txn.txn, spool, parked->seq, parked->index, &exists);
    if (rc == 0 && exists)
        rc = edit_entry(&txn, edit, parked, new_seq, &counted);
    if (spool_edit_end(&txn, rc, err) == -1)
        return -1;
    *result = counted;
    return 0;
}

int spool_edit_parked_step(struct spool *spool, struct spool_edit_parked *edit, uint64_t *new_seq,
                           struct spool_edit_result *result, struct err *err)
{
    struct found found = {.any = false};
    int rc;

    *new_seq = 0;
    arena_init(&found.arena, SPOOL_PARKED_BYTES_MAX);
    rc = look(spool, edit, &found, err);
    if (rc == 0 && found.any) {
        rc = do_entry(spool, edit, &found.parked, new_seq, result, err) == -1 ? -1 : 1;
        /* One that can never be requeued is passed; any other failure may pass itself. */
        if (rc == 1 || is_damaged(&found.parked))
            move_behind(edit, &found.parked);
    }
    arena_fini(&found.arena);
    return rc;
}
