/*
 * sink_index_notes.c - one row a day that differs, shared by all threads.
 *
 * When there are more such days than rows, all is forgotten, and what is found
 * again is said again.
 */
#include "sink_index_notes.h"

#include "metrics.h"
#include "sink_listing.h"

/* Under the lock. */
static struct sink_index_note *find(struct sink_index_notes *notes, uint32_t day)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->rows[i].day == day)
            return &notes->rows[i];
    return NULL;
}

/* Under the lock. */
static void set_gauge(const struct sink_index_notes *notes)
{
    uint64_t differences = 0;

    for (size_t i = 0; i < notes->count; i++)
        differences += (uint64_t)__builtin_popcount(notes->rows[i].missing | notes->rows[i].differing);
    metrics_set(METRIC_MONGODB_INDEX_DIFFERENCES, differences);
}

struct sink_index_note sink_index_notes_put(struct sink_mongo *mongo, const struct sink_index_note *note)
{
    struct sink_index_notes *notes = &mongo->index_notes;
    struct sink_index_note before = {.day = note->day};
    struct sink_index_note *row;

    pthread_mutex_lock(&mongo->lock);
    row = find(notes, note->day);
    if (row != NULL) {
        before = *row;
        *row = notes->rows[--notes->count];
    }
    if (notes->count == SINK_DAYS_KNOWN_MAX)
        notes->count = 0;
    if ((note->missing | note->differing) != 0)
        notes->rows[notes->count++] = *note;
    set_gauge(notes);
    pthread_mutex_unlock(&mongo->lock);
    return before;
}

void sink_index_notes_forget(struct sink_mongo *mongo, const struct sink_listing *listing)
{
    struct sink_index_notes *notes = &mongo->index_notes;

    pthread_mutex_lock(&mongo->lock);
    for (size_t i = 0; i < notes->count;)
        if (sink_listing_has(listing, notes->rows[i].day))
            i++;
        else
            notes->rows[i] = notes->rows[--notes->count];
    set_gauge(notes);
    pthread_mutex_unlock(&mongo->lock);
}
