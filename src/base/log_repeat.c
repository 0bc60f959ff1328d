/*
 * log_repeat.c - a short table of events, looked through by name.
 */
#include "log_repeat.h"

#include <string.h>

#include "clock.h"

static struct log_repeat_event *find(struct log_repeat *repeat, const char *event)
{
    for (size_t i = 0; i < LOG_EVENTS_MAX; i++) {
        struct log_repeat_event *at = &repeat->events[i];

        if (at->name == NULL)
            at->name = event;
        if (at->name == event || strcmp(at->name, event) == 0)
            return at;
    }
    return NULL;
}

bool log_repeat_pass(struct log_repeat *repeat, const char *event, uint64_t now_ns, uint64_t *left_out)
{
    struct log_repeat_event *at = find(repeat, event);

    *left_out = 0;
    if (at == NULL)
        return true;
    if (at->written == 0 || now_ns - at->since_ns >= LOG_REPEAT_MS * NS_PER_MS) {
        at->since_ns = now_ns;
        at->written = 0;
    }
    if (at->written == LOG_REPEAT_BURST) {
        at->left_out++;
        return false;
    }
    at->written++;
    *left_out = at->left_out;
    at->left_out = 0;
    return true;
}
