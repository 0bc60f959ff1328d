/*
 * intake_export.h - one Export, from its admission to its answer, whatever
 * brought it.
 *
 *   intake_export_begin   admitted, or refused
 *   intake_export_hold    while the message comes in, each time that it grows
 *   intake_export_store   checked and given to the spool's writer
 *   done()                on another thread: durable, or refused
 *   intake_export_finish  makes the answer
 *   intake_export_release gives the memory back, while the answer is on its way
 *   intake_export_end     gives everything back
 *
 * One thread at a time, but for `done`.
 */
#ifndef TRACESPOOL_INTAKE_EXPORT_H
#define TRACESPOOL_INTAKE_EXPORT_H

#include <stdbool.h>

#include "buf.h"
#include "intake.h"
#include "intake_answer.h"
#include "intake_message.h"
#include "tracing.h"

struct intake_export {
    /* set once, by intake_export_begin */
    struct intake *intake; /* NULL: not in hand */
    void (*done)(struct intake_export *export);

    struct intake_answer answer; /* when intake_export_store gave false, and after refuse and finish */

    struct tracing_live trace; /* intake_trace.h's */

    /* intake_export.c's; another thread's between store and done */
    size_t bytes; /* counted */
    struct buf message;
    enum intake_format format;
    enum otlp_codec codec;
    struct intake_export *next; /* of those that are large */
    struct slice payload;       /* to be freed, unless it is in `message` */
    struct spool_put put;
    uint32_t by_validity[OTLP_VALIDITY_COUNT];
    uint64_t whole_ns;  /* monotonic, when the message was there as a whole */
    struct err failure; /* class ERR_NONE: it is durable */
};

/*
 * `export` is zeroed memory.  True: it is in hand, and intake_export_end is
 * owed.  False: it is refused, and answer says how.
 */
bool intake_export_begin(struct intake_export *export, struct intake *intake, void (*done)(struct intake_export *));

/* The transport holds `bytes` for it now.  False: too much is in hand, and answer says so. */
bool intake_export_hold(struct intake_export *export, size_t bytes);

/*
 * Takes `message` over (it is empty afterwards) and checks it with `scratch`,
 * or has it checked by another thread when that would take longer than
 * INTAKE_SMALL_BYTES do.
 * True: it is with another thread, and `done` will be called there, perhaps
 * before this returns.  False: answer is made.
 */
bool intake_export_store(struct intake_export *export, struct intake_scratch *scratch, enum intake_format format,
                         enum otlp_codec codec, struct buf *message);

/* After `done`: makes and counts the answer. */
void intake_export_finish(struct intake_export *export);

/* Answers with what `failure` means, and counts it. */
void intake_export_refuse(struct intake_export *export, const struct err *failure);

/* It is answered: gives back what it holds, while the client takes the answer.  Not between store and done. */
void intake_export_release(struct intake_export *export);

/* It is over, in hand or not.  Not between store and done. */
void intake_export_end(struct intake_export *export);

/* --- for intake_large.c ------------------------------------------------------ */

/* Checks what intake_export_store left to it, or refuses it since the receiver stops; `done` will be called. */
void intake_export_check_large(struct intake_export *export, struct intake_scratch *scratch, bool refuse);

#endif
