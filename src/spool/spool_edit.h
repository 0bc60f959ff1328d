/*
 * spool_edit.h - what an operator changes: ranges of records, and parked entries.
 *
 * Any process may do this, beside a running daemon or without one, on a spool
 * from spool_open_edit.  Each step is one bounded write transaction, so that a
 * daemon waits for a moment only; what it remembers it reads again, as
 * `generation` in `state` has moved.  A step that was committed stays done
 * whatever becomes of the rest.
 */
#ifndef TRACESPOOL_SPOOL_EDIT_H
#define TRACESPOOL_SPOOL_EDIT_H

#include "spool.h"

/*
 * Opens to edit: no lock, no change of size.  For spool_edit_* and for every
 * reading function; not in a process that has the same spool open.  -1 as
 * spool_open_readonly, and ERR_CONFIG when the user may only read.
 */
int spool_open_edit(struct spool **spool, const char *path, struct err *err);

/* --- records -------------------------------------------------------------- */

enum spool_edit_kind {
    SPOOL_EDIT_REPLAY,  /* delivered -> pending */
    SPOOL_EDIT_HOLD,    /* pending -> held */
    SPOOL_EDIT_RELEASE, /* held -> pending; the parked entry that says why it was held goes */
    SPOOL_EDIT_REMOVE,  /* gone, and with it the parked entries of that record */
};

#define SPOOL_EDIT_STATE(state) (1U << (state))

struct spool_edit {
    enum spool_edit_kind kind;
    struct spool_range range; /* of seqs; end SPOOL_SEQ_OPEN: all from first on that are here now */
    uint64_t since_ns;        /* received at or after this */
    uint64_t until_ns;        /* and before this; UINT64_MAX: no end */
    unsigned states;          /* SPOOL_EDIT_REMOVE: records in which states go, SPOOL_EDIT_STATE() of each */
    const uint64_t *only;     /* of the range, only these seqs, ascending; NULL: all */
    size_t only_count;        /* of them */
    bool dry_run;             /* count only; a read transaction */
};

struct spool_edit_result {
    uint64_t records;
    uint64_t spans;
    uint64_t stored_bytes;
    uint64_t parked; /* entries */
    uint64_t passed; /* records looked at that were in another state or time */
};

/*
 * Does up to SPOOL_EDIT_RECORDS_MAX records from *from on (begin with
 * edit->range.first) and adds to *result.  1: there is more, *from has moved;
 * 0: done.  -1: nothing of this step was done; ERR_BUSY (no room),
 * ERR_RETRY (the daemon has another size by now: open again), ERR_FATAL.
 */
int spool_edit_step(struct spool *spool, const struct spool_edit *edit, uint64_t *from,
                    struct spool_edit_result *result, struct err *err);

/*
 * Asks the daemon to try now what it waits to try again: changes nothing but
 * the generation, which it notices within SPOOL_TICK_MS.  -1 as above.
 */
int spool_edit_ask(struct spool *spool, struct err *err);

/* --- parked entries ------------------------------------------------------- */

struct spool_edit_parked {
    bool requeue; /* deliver again, as a new record or by releasing the one that is held; else: remove */
    /* entries from (seq, index) on, up to and with the last */
    uint64_t seq;
    uint32_t index;
    uint64_t last_seq;
    uint32_t last_index;
    uint8_t codec; /* requeue: what the caller calls bytes that are not compressed */
    bool dry_run;
};

/*
 * Does one entry and, unless it fails with ERR_BUSY or ERR_FATAL, moves edit->seq and edit->index behind it.  *new_seq is the record that
 * the entry has become, or 0.  1: done and there may be more; 0: none is left.
 * -1: ERR_BUSY (no room, no memory), ERR_POISON (the entry is damaged: nothing to requeue; it stays), ERR_FATAL.
 */
int spool_edit_parked_step(struct spool *spool, struct spool_edit_parked *edit, uint64_t *new_seq,
                           struct spool_edit_result *result, struct err *err);

#endif
