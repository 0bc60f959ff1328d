/*
 * spool_file.h - the spool's directory and the blocks of its file.  Whoever opens; main's thread.
 */
#ifndef TRACESPOOL_SPOOL_FILE_H
#define TRACESPOOL_SPOOL_FILE_H

#include "spool_internal.h"

/* -1: ERR_CONFIG (no parent, not a directory, no permission), ERR_BUSY (disk full), ERR_FATAL. */
int spool_file_make_directory(const char *path, struct err *err);

/* A new name is on disk only when its directory is synced. */
int spool_file_sync_directory(const char *path, struct err *err);

/* Notes how much of the file is there, for one who will write but not change its size.  -1: ERR_FATAL. */
int spool_file_measure(struct spool *spool, struct err *err);

/*
 * Fits the file to the spool's size: shortens it, with `reserve` allocates all
 * of it.  -1: ERR_CONFIG (it holds more than that), ERR_BUSY (no room to
 * reserve), ERR_FATAL.
 */
int spool_file_size(struct spool *spool, bool reserve, struct err *err);

#endif
