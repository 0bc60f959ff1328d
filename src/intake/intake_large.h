/*
 * intake_large.h - large requests, checked one after the other on a thread of
 * their own.
 *
 * A thread of a transport answers for many clients: a request that takes it
 * longer than INTAKE_SMALL_BYTES do would make all of them wait, and a few
 * bytes can be such a request once they are inflated.
 *
 * What is queued is not bounded here: each entry is a call in hand, whose
 * number and bytes the intake bounds.
 */
#ifndef TRACESPOOL_INTAKE_LARGE_H
#define TRACESPOOL_INTAKE_LARGE_H

#include <stddef.h>

#include "err.h"

struct intake_export;
struct intake_large;

/* Of requests of at most `max_request_bytes` each. -1: ERR_RETRY, no memory or no thread. */
int intake_large_start(struct intake_large **large, size_t max_request_bytes, struct err *err);

/* Nothing may be queued. NULL is allowed. */
void intake_large_stop(struct intake_large *large);

/* Will call intake_export_check_large with it. Any thread, without blocking. */
void intake_large_put(struct intake_large *large, struct intake_export *export);

/* From now on what is not begun is refused: the time to stop is over. Any thread. */
void intake_large_cut(struct intake_large *large);

#endif
