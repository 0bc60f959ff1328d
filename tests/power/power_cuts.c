/*
 * power_cuts.c - see the header.
 */
#include "power_cuts.h"

#include <stdlib.h>

#include "power_work.h"

/* Of 4 chosen places one is anywhere; the others are around a commit, if one is near. */
static bool is_telling(const struct power_log *log, size_t number, unsigned kind)
{
    const struct power_entry *entry = power_log_at(log, number);

    switch (kind) {
    case 0: /* the meta page is under way */
        return entry->kind == POWER_WRITE && entry->durable;
    case 1: /* it has arrived */
        return entry->kind == POWER_WRITTEN && power_log_at(log, entry->of)->durable;
    case 2: /* the data is synced, or within the next group */
        return entry->kind == POWER_SYNC || (entry->kind == POWER_WRITE && !entry->durable);
    default:
        return true;
    }
}

static int compare(const void *a, const void *b)
{
    size_t left = *(const size_t *)a, right = *(const size_t *)b;

    return left < right ? -1 : left > right;
}

void power_cuts_choose(struct power_log *log, size_t *cuts, size_t count, uint64_t *random)
{
    size_t entries = power_log_count(log);

    for (size_t i = 0; i < count; i++) {
        size_t number = power_random_below(random, entries);

        while (number + 1 < entries && !is_telling(log, number, (unsigned)i % 4))
            number++;
        cuts[i] = number + 1;
    }
    qsort(cuts, count, sizeof(cuts[0]), compare);
}
