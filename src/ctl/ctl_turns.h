/*
 * ctl_turns.h - a verb that goes on: a look, output, a pause, until Ctrl-C.
 *
 * Signals are handled between ctl_turns_begin and ctl_turns_end only; one verb
 * at a time.
 */
#ifndef TRACESPOOL_CTL_TURNS_H
#define TRACESPOOL_CTL_TURNS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "ctl.h"

enum ctl_turn {
    CTL_TURN_NEXT,    /* it is time */
    CTL_TURN_RESIZED, /* the terminal has another size */
    CTL_TURN_SUSPEND, /* Ctrl-Z; only if that was asked for */
    CTL_TURN_END,     /* Ctrl-C and the like, or nobody reads the output any more */
};

#define CTL_TURNS_SIGNALS 6

struct ctl_turns {
    const struct ctl *ctl;
    bool broken; /* output: nobody reads it */
    bool failed; /* output: it could not be written, and that was told */
    sigset_t handled;
    sigset_t before; /* the mask */
    struct sigaction old[CTL_TURNS_SIGNALS];
};

/* With `suspends` Ctrl-Z is told to the caller, who has a terminal to put right first. */
void ctl_turns_begin(struct ctl_turns *turns, const struct ctl *ctl, bool suspends);
void ctl_turns_end(struct ctl_turns *turns);

/* Until `deadline_ns` (monotonic) or something comes before it; what has come already is told at once. */
enum ctl_turn ctl_turns_wait(struct ctl_turns *turns, uint64_t deadline_ns);

/*
 * Writes `out` to standard output and clears it.  Blocks as long as its reader
 * does; -1: to be ended, by a signal or since it cannot be written.
 */
int ctl_turns_write(struct ctl_turns *turns, struct buf *out);

/* What the verb ends with. */
int ctl_turns_status(const struct ctl_turns *turns);

#endif
