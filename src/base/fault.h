/*
 * fault.h - faults on demand, for tests; nothing in a release build.
 *
 * A fault point sits where a failure has to be survived.  A test arms it with
 * a countdown: the n-th pass fails once.  Armed through fault_arm() or through
 * the environment, TRACESPOOL_FAULT="point:countdown:action[,...]", where the
 * action is an errno's number (returned to the caller), "kill" (SIGKILL to the
 * own process: a crash exactly there) or "hang" (the thread stays there).
 */
#ifndef TRACESPOOL_FAULT_H
#define TRACESPOOL_FAULT_H

#define FAULT_KILL (-1)
#define FAULT_HANG (-2)

#ifdef TRACESPOOL_FAULTS

/* 0 to go on, or the errno to fail with. `point` is "module.step". Any thread. */
int fault_point(const char *point);

/* countdown 1 fails the next pass; 0 disarms. */
void fault_arm(const char *point, unsigned countdown, int action);
void fault_arm_from_environment(void);

#else

static inline int fault_point(const char *point)
{
    (void)point;
    return 0;
}
static inline void fault_arm_from_environment(void) {}

#endif
#endif
