/*
 * spool_internal.h - the body of struct spool, for the files of this folder.
 *
 * Databases of the environment:
 *   records  seq, part         -> part header and payload (spool_record.h)
 *   pending  first seq         -> end, exclusive (spool_pending.h)
 *   held     first seq         -> end, exclusive (spool_pending.h)
 *   parked   seq, index, part  -> part header and entry (spool_park.c)
 *   state    name              -> value (spool_state.h)
 *
 * Invariants, true of every committed transaction:
 *  1. All parts of a record are there, or none is; likewise of a parked entry.
 *  2. Every record's seq is in 1 .. next_seq - 1, and next_seq never goes back.
 *  3. Pending ranges are not empty, do not overlap and do not touch; the last
 *     one ends at SPOOL_SEQ_OPEN and starts at next_seq or before it.
 *  4. Held ranges are not empty, do not overlap each other or a pending range,
 *     and do not touch; each seq in them has a record.
 *  5. A pending or held record is removed only by an operator (spool_edit.h), or
 *     when it is pending and the spool was told to drop the oldest.
 *  6. The counters in `state` agree with the other databases.
 *  7. No value is larger than SPOOL_PART_PAGES pages.
 *
 * Functions of this folder that work inside a transaction return what LMDB
 * returned (0, MDB_NOTFOUND, another code or an errno) and leave it to their
 * caller to end the transaction; spool_lmdb_error() makes a struct err of it.
 */
#ifndef TRACESPOOL_SPOOL_INTERNAL_H
#define TRACESPOOL_SPOOL_INTERNAL_H

#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"
#include "spool.h"

struct spool {
    /* set once, at open */
    MDB_env *env;
    MDB_dbi records;
    MDB_dbi pending;
    MDB_dbi held;
    MDB_dbi parked;
    MDB_dbi state;
    char *path;
    bool readonly;
    bool reserved;
    uint64_t size_bytes; /* 0 when opened read-only: `state` knows */
    uint64_t history_ns;
    bool drop_oldest;
    uint64_t page_bytes;
    const uint8_t *map; /* where LMDB has mapped the file, when that could be told */
    uint64_t map_bytes;
    int lock_fd; /* -1 when opened read-only */

    /* the writer's thread, or whoever opens */
    uint64_t allocated_bytes; /* of the file, from its start; UINT64_MAX when the file system cannot say */
};

/* The daemon's: who only looks or edits changes neither size nor format, and moves nothing aside. */
static inline bool spool_is_owner(const struct spool *spool)
{
    return spool->lock_fd != -1;
}

/* spool_open_readonly for who has just walked the file, or leaves that to its daemon: it is not walked again. */
int spool_open_walked(struct spool **spool, const char *path, struct err *err);

/* What a code of LMDB's or an errno means for us. */
enum err_class spool_lmdb_class(int code);

/* Fills `err` with "<formatted>: <LMDB's words>" and the code's class.  Returns -1. */
int spool_lmdb_error(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Why somebody who is not the daemon cannot open the spool to `verb` it ("open", "change").  Returns -1. */
int spool_open_error(struct err *err, int code, const char *verb, const char *path);

static inline MDB_val spool_val(const void *data, size_t len)
{
    return (MDB_val){.mv_data = (void *)(uintptr_t)data, .mv_size = len};
}

static inline struct slice spool_slice(MDB_val value)
{
    return slice_of(value.mv_data, value.mv_size);
}

#endif
