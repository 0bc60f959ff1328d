/*
 * spool_append.h - a new record at the end.  Inside the writer's transaction, or an operator's.
 */
#ifndef TRACESPOOL_SPOOL_APPEND_H
#define TRACESPOOL_SPOOL_APPEND_H

#include "spool_internal.h"
#include "spool_state.h"
#include "spool_writer.h"

/* Stores `put` under the next number, which put->seq then is, pending, in parts of `part_pages`. */
int spool_append(MDB_txn *txn, const struct spool *spool, struct spool_put *put, unsigned part_pages,
                 struct spool_counters *counters);

#endif
