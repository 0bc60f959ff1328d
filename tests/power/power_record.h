/*
 * power_record.h - logs what this process, LMDB included, does to DIR/data.mdb.
 *
 * power_record.c defines write, pwrite, fdatasync, open and their relatives:
 * an executable's functions come before libc's for every library that it
 * loads.  Without a log they only pass on.
 *
 * Nothing is synced in earnest: the tests decide later what a power loss would
 * have left, and so need no disk that is fast at syncing.
 */
#ifndef TRACESPOOL_POWER_RECORD_H
#define TRACESPOOL_POWER_RECORD_H

#include "power_log.h"

/* Before the spool in `path` is opened, by each process that opens it.  `path` has to outlive the recording. */
void power_record_start(struct power_log *log, const char *path);

#endif
