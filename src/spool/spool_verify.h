/*
 * spool_verify.h - what is looked at before a spool's file is trusted.
 */
#ifndef TRACESPOOL_SPOOL_VERIFY_H
#define TRACESPOOL_SPOOL_VERIFY_H

#include "spool_internal.h"
#include "spool_walk.h"

/*
 * The structure of DIR/data.mdb (spool_walk.h), before LMDB maps it; nobody may
 * write to it meanwhile.  0 also when there is none, or an empty one.  -1:
 * ERR_FATAL with SPOOL_DAMAGED; ERR_CONFIG when it is no spool's or cannot be
 * opened; ERR_RETRY when somebody did write; ERR_BUSY out of memory.
 */
int spool_verify_file(const char *path, struct err *err);

/*
 * See newer_txnid in spool_walk.h: whether a transaction that was committed has
 * gone from its meta page, and with it what was acknowledged; lock.mdb tells.
 * -1: ERR_FATAL with SPOOL_DAMAGED.
 */
int spool_verify_newest(const char *path, const struct spool_walk_report *report, struct err *err);

/*
 * What LMDB knows nothing of: counters, ranges, the last record.  Work that
 * follows the number of ranges, not of records.  -1: ERR_FATAL with
 * SPOOL_DAMAGED, or LMDB's error.
 */
int spool_verify_state(const struct spool *spool, struct err *err);

#endif
