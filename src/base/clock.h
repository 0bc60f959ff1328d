/*
 * clock.h - the two clocks.  Wall time is for what is written down and shown,
 * monotonic time for every wait.
 */
#ifndef TRACESPOOL_CLOCK_H
#define TRACESPOOL_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_DAY (86400 * NS_PER_S)

uint64_t clock_wall_ns(void); /* since 1970-01-01 UTC */
uint64_t clock_mono_ns(void);

/* For pthread_cond_timedwait on a condition made by clock_cond_init. */
struct timespec clock_timespec(uint64_t mono_ns);

#include <pthread.h>
/* A condition variable whose timed waits take monotonic time. */
void clock_cond_init(pthread_cond_t *cond);

#endif
