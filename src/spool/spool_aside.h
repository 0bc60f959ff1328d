/*
 * spool_aside.h - a damaged file is kept, whole, beside the spool that goes on without it.
 *
 * DIR/damaged-20260314T150926Z/ then holds data.mdb and lock.mdb as they were
 * found.  Nothing here deletes a byte of it: that is left to an operator, after
 * `tracespool salvage`.
 */
#ifndef TRACESPOOL_SPOOL_ASIDE_H
#define TRACESPOOL_SPOOL_ASIDE_H

#include "err.h"

/*
 * Moves the files of the spool at `path` aside; the caller holds the spool's
 * lock and has no environment open on it.  0 and *moved, where data.mdb is now,
 * the caller's to free.  A crash at any point leaves data.mdb whole in one of
 * the two places.  -1: ERR_CONFIG (SPOOL_ASIDE_MAX are there already, or no
 * permission), ERR_BUSY (no room for a directory, no memory), ERR_FATAL.
 */
int spool_aside_move(const char *path, char **moved, struct err *err);

/* Damaged files that are kept beside the spool at `path`; 0 when its directory cannot be read.  Any process. */
unsigned spool_aside_count(const char *path);

#endif
