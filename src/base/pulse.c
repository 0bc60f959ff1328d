/*
 * pulse.c - a list of the threads that have started.
 *
 * Nothing here waits but for the lock, which is held for a walk over a few
 * dozen entries.
 */
#include "pulse.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pulse *first;

void pulse_start(struct pulse *pulse, const char *name, uint64_t bound_ms)
{
    pulse->name = name;
    pulse->bound_ns = bound_ms * NS_PER_MS;
    pulse_idle(pulse);
    pthread_mutex_lock(&lock);
    pulse->next = first;
    first = pulse;
    pthread_mutex_unlock(&lock);
}

void pulse_stop(struct pulse *pulse)
{
    pthread_mutex_lock(&lock);
    for (struct pulse **at = &first; *at != NULL; at = &(*at)->next) {
        if (*at == pulse) {
            *at = pulse->next;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}

bool pulse_find_stuck(uint64_t now_ns, char *text, size_t size)
{
    bool found = false;

    pthread_mutex_lock(&lock);
    for (const struct pulse *pulse = first; pulse != NULL && !found; pulse = pulse->next) {
        uint64_t since_ns = atomic_load_explicit(&pulse->busy_since_ns, memory_order_relaxed);

        if (since_ns == 0 || since_ns > now_ns || now_ns - since_ns <= pulse->bound_ns)
            continue;
        found = true;
        snprintf(text, size, "the thread \"%s\" has been at one piece of work for %" PRIu64 " s", pulse->name,
                 (now_ns - since_ns) / NS_PER_S);
    }
    pthread_mutex_unlock(&lock);
    return found;
}
