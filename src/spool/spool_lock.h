/*
 * spool_lock.h - one daemon a spool, and only on a disk of this machine.
 */
#ifndef TRACESPOOL_SPOOL_LOCK_H
#define TRACESPOOL_SPOOL_LOCK_H

#include "err.h"

/* Holds the lock until the descriptor is closed.  -1: ERR_CONFIG names the owner. */
int spool_lock_take(const char *path, int *fd, struct err *err);

/* The name of a file system that may not hold a spool, by statfs's f_type; NULL when it may.  Pure. */
const char *spool_lock_network_name(unsigned long type);

/* -1: ERR_CONFIG when `path` is on a network file system. */
int spool_lock_check_local(const char *path, struct err *err);

#endif
