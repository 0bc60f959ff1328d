/*
 * spool_format.h - the databases of an environment that is open.
 */
#ifndef TRACESPOOL_SPOOL_FORMAT_H
#define TRACESPOOL_SPOOL_FORMAT_H

#include "spool_internal.h"

#define SPOOL_DATABASES 5

/*
 * Opens the databases, and for the owner makes them when there is none.  -1:
 * ERR_CONFIG (no spool, a newer format), ERR_FATAL with SPOOL_DAMAGED (the
 * owner's: something that a spool has is gone), or LMDB's error.
 */
int spool_format_open(struct spool *spool, struct err *err);

/* Notes where the file is mapped (spool->map), for spool_parts_delete; by all who write, when the map has its size. */
int spool_format_find_map(struct spool *spool, struct err *err);

#endif
