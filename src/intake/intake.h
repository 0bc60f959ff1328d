/*
 * intake.h - which calls are in hand, over all transports, and how many bytes
 * they hold.
 *
 * A call is admitted before its message is read, and what it holds is counted
 * as it grows: so what clients can make the daemon hold is bounded by
 * max_calls and max_in_flight_bytes, whatever they send.
 *
 * Any thread, without blocking, unless a function says otherwise.
 */
#ifndef TRACESPOOL_INTAKE_H
#define TRACESPOOL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "spool_writer.h"

struct intake;
struct intake_large;

struct intake_options {
    size_t max_request_bytes;   /* of one request, before and after inflating */
    unsigned max_depth;         /* nesting of attribute values, at most OTLP_DEPTH_MAX */
    size_t max_in_flight_bytes; /* of all calls in hand */
    unsigned max_calls;         /* in hand */
};

/* `writer` must outlive it. -1: ERR_RETRY, no memory or no thread. */
int intake_new(struct intake **intake, const struct intake_options *options, struct spool_writer *writer,
               struct err *err);

/* No call may be in hand. NULL is allowed. */
void intake_free(struct intake *intake);

const struct intake_options *intake_options(const struct intake *intake);

/* From now on every new call is refused. */
void intake_close(struct intake *intake);

/* After intake_close: the calls in hand whose message waits to be checked are refused too. */
void intake_cut(struct intake *intake);

/* Whether an Export would be admitted now. */
bool intake_is_open(struct intake *intake);

/* Blocks until no call is in hand, or until `deadline_ns` (monotonic). True: none is. */
bool intake_wait_idle(struct intake *intake, uint64_t deadline_ns);

/* What a client that is refused now is told to wait. */
uint64_t intake_retry_ms(struct intake *intake);

/* --- for intake_export.c ---------------------------------------------------- */

/* Takes one call in hand, which holds nothing yet. -1: ERR_BUSY. */
int intake_enter(struct intake *intake, struct err *err);

/* The call holds `after` bytes now, `before` until now. -1: ERR_BUSY, and nothing changed; less never fails. */
int intake_resize(struct intake *intake, size_t before, size_t after, struct err *err);

/* The call, which still held `bytes`, is over. */
void intake_leave(struct intake *intake, size_t bytes);

struct spool_writer *intake_writer(struct intake *intake);
struct intake_large *intake_large(struct intake *intake);

#endif
