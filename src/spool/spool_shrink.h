/*
 * spool_shrink.h - a spool that gets a smaller size than its file has been used up to.
 */
#ifndef TRACESPOOL_SPOOL_SHRINK_H
#define TRACESPOOL_SPOOL_SHRINK_H

#include "spool_internal.h"

/* Whether the open environment's file is used beyond spool->size_bytes. */
bool spool_shrink_is_due(const struct spool *spool);

/*
 * Removes history until the rest fits, and puts a copy without free pages in
 * the place of the file.  The owner's, at open, before anybody else writes.  On
 * 0 the environment is closed and to be opened again.  -1, and what was there
 * before is there: ERR_CONFIG (what is not history does not fit), ERR_BUSY (no
 * room on the disk for the copy), ERR_FATAL.
 */
int spool_shrink(struct spool *spool, struct err *err);

#endif
