/*
 * spool_salvage_index.c - the index of found parts.
 *
 * An array that is sorted when it is full and at the end.  LMDB copies a leaf
 * page whenever it changes, so a small record may be in the file many times;
 * sorting throws the copies out.  When that makes too little room, the upper
 * half by seq is let go.
 */
#include "spool_salvage_index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024

void spool_salvage_index_init(struct spool_salvage_index *index, size_t max)
{
    assert(max >= 4);
    *index = (struct spool_salvage_index){.max = max, .end = UINT64_MAX};
}

void spool_salvage_index_fini(struct spool_salvage_index *index)
{
    free(index->parts);
    index->parts = NULL;
}

void spool_salvage_index_begin(struct spool_salvage_index *index, uint64_t begin)
{
    index->count = 0;
    index->begin = begin;
    index->end = UINT64_MAX;
}

/* --- sorting --------------------------------------------------------------- */

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_entry(const struct spool_salvage_part *a, const struct spool_salvage_part *b)
{
    int by = order(a->seq, b->seq);

    if (by == 0)
        by = order(a->parked, b->parked);
    return by != 0 ? by : order(a->base, b->base);
}

static int compare_place(const struct spool_salvage_part *a, const struct spool_salvage_part *b)
{
    int by = compare_entry(a, b);

    if (by == 0)
        by = order(a->count, b->count);
    if (by == 0)
        by = order(a->index, b->index);
    return by != 0 ? by : order(a->checksum, b->checksum);
}

static int compare(const void *one, const void *other)
{
    const struct spool_salvage_part *a = one, *b = other;
    int by = compare_place(a, b);

    if (by == 0)
        by = order(a->damaged, b->damaged);
    return by != 0 ? by : order(a->offset, b->offset);
}

bool spool_salvage_same_entry(const struct spool_salvage_part *a, const struct spool_salvage_part *b)
{
    return compare_entry(a, b) == 0;
}

bool spool_salvage_same_division(const struct spool_salvage_part *a, const struct spool_salvage_part *b)
{
    return compare_entry(a, b) == 0 && a->count == b->count;
}

void spool_salvage_index_sort(struct spool_salvage_index *index)
{
    size_t kept = 0;

    if (index->count == 0)
        return;
    qsort(index->parts, index->count, sizeof(index->parts[0]), compare);
    for (size_t i = 1; i < index->count; i++) {
        if (compare_place(&index->parts[kept], &index->parts[i]) != 0)
            index->parts[++kept] = index->parts[i];
    }
    index->count = kept + 1;
}

/* --- adding ---------------------------------------------------------------- */

static int grow(struct spool_salvage_index *index, struct err *err)
{
    size_t capacity = index->capacity == 0 ? FIRST_CAPACITY : 2 * index->capacity;
    struct spool_salvage_part *parts;

    if (capacity > index->max)
        capacity = index->max;
    parts = realloc(index->parts, capacity * sizeof(*parts));
    if (parts == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for %zu parts", capacity);
    index->parts = parts;
    index->capacity = capacity;
    return 0;
}

/* After sorting: at most half of the parts stay, all of the lowest seq among them. */
static int let_go(struct spool_salvage_index *index, struct err *err)
{
    size_t at = index->count / 2;
    uint64_t lowest = index->parts[0].seq;

    while (at > 0 && index->parts[at - 1].seq == index->parts[at].seq)
        at--;
    while (at < index->count && index->parts[at].seq == lowest)
        at++;
    if (at == index->count)
        return err_set(err, ERR_BUSY, EMSGSIZE, "batch %llu alone has more than %zu parts", (unsigned long long)lowest,
                       index->count);
    index->end = index->parts[at].seq;
    index->count = at;
    return 0;
}

/* Sorting again and again for a few places would take for ever, so a quarter must have become free. */
static int make_room(struct spool_salvage_index *index, struct err *err)
{
    if (index->capacity < index->max)
        return grow(index, err);
    spool_salvage_index_sort(index);
    return index->count > index->max - index->max / 4 ? let_go(index, err) : 0;
}

int spool_salvage_index_add(struct spool_salvage_index *index, const struct spool_salvage_part *part, struct err *err)
{
    if (part->seq < index->begin || part->seq >= index->end)
        return 0;
    if (index->count == index->capacity && make_room(index, err) == -1)
        return -1;
    if (part->seq < index->end)
        index->parts[index->count++] = *part;
    return 0;
}
