/*
 * spool_lock_table.h - lock.mdb, the table that LMDB shares between processes.
 */
#ifndef TRACESPOOL_SPOOL_LOCK_TABLE_H
#define TRACESPOOL_SPOOL_LOCK_TABLE_H

#include "spool_internal.h"

/* Before the environment is opened.  -1: ERR_BUSY when the disk has no room for it. */
int spool_lock_table_prepare(const struct spool *spool, struct err *err);

#endif
