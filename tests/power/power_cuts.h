/*
 * power_cuts.h - at which places of the log the power goes.
 */
#ifndef TRACESPOOL_POWER_CUTS_H
#define TRACESPOOL_POWER_CUTS_H

#include "power_log.h"

/* `count` of them, ascending, as numbers of entries: a quarter anywhere, the others around a commit. */
void power_cuts_choose(struct power_log *log, size_t *cuts, size_t count, uint64_t *random);

#endif
