/*
 * ctl_guess.h - what a mistyped verb or option most likely means.
 */
#ifndef TRACESPOOL_CTL_GUESS_H
#define TRACESPOOL_CTL_GUESS_H

#include <stddef.h>

struct ctl_guess {
    const char *typed; /* not necessarily ended by NUL */
    size_t len;
    const char *best; /* NULL: none of those that were offered is near */
    unsigned best_steps;
};

void ctl_guess_init(struct ctl_guess *guess, const char *typed, size_t len);

/* A name that could be meant; of several that are equally near the first is kept.  It must outlive the guess. */
void ctl_guess_offer(struct ctl_guess *guess, const char *name);

#endif
