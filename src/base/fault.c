/*
 * fault.c - a short list of armed points under one lock.  Tests only.
 */
#include "fault.h"

#ifdef TRACESPOOL_FAULTS

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAULTS_MAX 16
#define FAULT_NAME_MAX 48

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char point[FAULT_NAME_MAX];
    unsigned countdown; /* 0: free */
    int action;
} faults[FAULTS_MAX];

static void take_lock(void)
{
    pthread_mutex_lock(&lock);
}

static void give_lock(void)
{
    pthread_mutex_unlock(&lock);
}

/* A test that forks beside a running thread must not leave its child with a lock that nobody will give back. */
__attribute__((constructor)) static void guard_forks(void)
{
    pthread_atfork(take_lock, give_lock, give_lock);
}

/* Under the lock.  The action when this pass is the one that fails, else 0. */
static int pass(const char *point)
{
    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        if (faults[i].countdown > 0 && strcmp(faults[i].point, point) == 0)
            return --faults[i].countdown == 0 ? faults[i].action : 0;
    }
    return 0;
}

int fault_point(const char *point)
{
    int action;

    pthread_mutex_lock(&lock);
    action = pass(point);
    pthread_mutex_unlock(&lock);
    if (action == FAULT_KILL)
        kill(getpid(), SIGKILL);
    while (action == FAULT_HANG)
        pause();
    return action;
}

void fault_arm(const char *point, unsigned countdown, int action)
{
    unsigned slot = FAULTS_MAX;

    assert(strlen(point) < FAULT_NAME_MAX && action != 0);
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        bool same = faults[i].countdown > 0 && strcmp(faults[i].point, point) == 0;

        if (same || (slot == FAULTS_MAX && faults[i].countdown == 0))
            slot = i;
        if (same)
            break;
    }
    assert(slot < FAULTS_MAX);
    snprintf(faults[slot].point, FAULT_NAME_MAX, "%s", point);
    faults[slot].countdown = countdown;
    faults[slot].action = action;
    pthread_mutex_unlock(&lock);
}

/* 0 when there is none. */
static int action_named(const char *name)
{
    if (strcmp(name, "kill") == 0)
        return FAULT_KILL;
    if (strcmp(name, "hang") == 0)
        return FAULT_HANG;
    return atoi(name) > 0 ? atoi(name) : 0;
}

/* One "point:countdown:action".  A malformed one ends the process: a test that arms nothing would prove nothing. */
static void arm_text(const char *text)
{
    char point[FAULT_NAME_MAX], action[8];
    unsigned countdown;

    if (sscanf(text, "%47[^:]:%u:%7s", point, &countdown, action) != 3 || action_named(action) == 0) {
        fprintf(stderr, "TRACESPOOL_FAULT: cannot read '%s'\n", text);
        exit(64);
    }
    fault_arm(point, countdown, action_named(action));
}

void fault_arm_from_environment(void)
{
    const char *value = getenv("TRACESPOOL_FAULT");
    char *copy, *rest, *text;

    if (value == NULL)
        return;
    copy = strdup(value);
    assert(copy != NULL);
    for (text = strtok_r(copy, ",", &rest); text != NULL; text = strtok_r(NULL, ",", &rest))
        arm_text(text);
    free(copy);
}

#else

typedef int fault_is_compiled_out; /* ISO C wants a declaration in every file */

#endif
