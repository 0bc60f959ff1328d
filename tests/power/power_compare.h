/*
 * power_compare.h - an open spool against the model, for the judge's process.
 *
 * What does not hold ends the process: power_compare_fail.
 */
#ifndef TRACESPOOL_POWER_COMPARE_H
#define TRACESPOOL_POWER_COMPARE_H

#include "power_model.h"
#include "spool.h"

/* Where power_compare_fail writes; memory that is shared with the parent. */
void power_compare_init(char *verdict, size_t size);
_Noreturn void power_compare_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Every record, every parked entry, the lists and the sums.  Returns the highest sequence number there is. */
uint64_t power_compare(struct spool *spool, const struct power_model *model);

#endif
