/*
 * sink_apart_known.c - a small table, so that a write asks MongoDB for what was
 * taken apart only where there is something.
 *
 * That there is nothing holds for SINK_APART_LOOK_MS, since another daemon may
 * take something apart; that there is something for as long as a day is known.
 * What this process has taken apart itself is never forgotten before that time,
 * though an answer from before then may come in later.
 */
#include "sink_apart_known.h"

#include "clock.h"
#include "sink_mongo_internal.h"

static size_t find(const struct sink_apart_known *known, uint32_t day)
{
    size_t i = 0;

    while (i < known->count && known->days[i].day != day)
        i++;
    return i;
}

bool sink_apart_known_get(struct sink_mongo *mongo, uint32_t day, uint64_t now_ns, bool *any)
{
    const struct sink_apart_known *known = &mongo->apart;
    bool is_known;
    size_t i;

    pthread_mutex_lock(&mongo->lock);
    i = find(known, day);
    is_known = i < known->count && now_ns < known->days[i].until_ns;
    if (is_known)
        *any = known->days[i].any;
    pthread_mutex_unlock(&mongo->lock);
    return is_known;
}

void sink_apart_known_set(struct sink_mongo *mongo, uint32_t day, uint64_t now_ns, bool any)
{
    uint64_t lasts_ns = any ? SINK_DAY_RECHECK_S * NS_PER_S : SINK_APART_LOOK_MS * NS_PER_MS;
    struct sink_apart_known *known = &mongo->apart;
    size_t i;

    pthread_mutex_lock(&mongo->lock);
    i = find(known, day);
    if (i == SINK_DAYS_KNOWN_MAX)
        i = known->count = 0; /* all of it can be asked for again */
    if (i == known->count)
        known->days[known->count++] = (struct sink_apart_day){.day = day};
    if (any || !known->days[i].any || known->days[i].until_ns <= now_ns)
        known->days[i] = (struct sink_apart_day){.day = day, .any = any, .until_ns = now_ns + lasts_ns};
    pthread_mutex_unlock(&mongo->lock);
}
