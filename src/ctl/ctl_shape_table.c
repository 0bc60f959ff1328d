/*
 * ctl_shape_table.c - counting services by age.  Pure.
 */
#include <stdlib.h>

#include "checksum.h"
#include "ctl_shape.h"

#define SLOTS (2 * CTL_SHAPE_SERVICES_MAX)

static_assert(CTL_SHAPE_SERVICES_MAX < UINT16_MAX, "a slot holds the index of a row");

struct ctl_shape *ctl_shape_new(uint64_t bucket_ns)
{
    struct ctl_shape *shape = calloc(1, sizeof(*shape));

    if (shape == NULL)
        return NULL;
    shape->bucket_ns = bucket_ns;
    arena_init(&shape->names, CTL_SHAPE_NAMES_BYTES);
    return shape;
}

void ctl_shape_free(struct ctl_shape *shape)
{
    if (shape == NULL)
        return;
    arena_fini(&shape->names);
    free(shape);
}

static struct ctl_shape_row *add_row(struct ctl_shape *shape, struct slice service, uint16_t *slot)
{
    struct ctl_shape_row *row = &shape->rows[shape->count];
    uint8_t *name;

    if (shape->count == CTL_SHAPE_SERVICES_MAX || (name = arena_alloc(&shape->names, service.len)) == NULL)
        return &shape->others;
    if (service.len > 0)
        memcpy(name, service.data, service.len);
    row->name = slice_of(name, service.len);
    *slot = (uint16_t)++shape->count;
    return row;
}

static struct ctl_shape_row *row_of(struct ctl_shape *shape, struct slice service)
{
    size_t at = checksum_64(service) % SLOTS;

    for (; shape->slots[at] != 0; at = (at + 1) % SLOTS) {
        struct ctl_shape_row *row = &shape->rows[shape->slots[at] - 1];

        if (slice_equal(row->name, service))
            return row;
    }
    return add_row(shape, service, &shape->slots[at]);
}

static void count(const struct ctl_shape *shape, struct ctl_shape_row *row, uint64_t age_ns, uint64_t amount)
{
    uint64_t end_ns = shape->bucket_ns;
    unsigned bucket = 0;

    for (; bucket < CTL_SHAPE_BUCKETS - 1 && age_ns >= end_ns; bucket++)
        end_ns *= 2;
    row->ages[bucket] += amount;
    row->total += amount;
}

void ctl_shape_add(struct ctl_shape *shape, struct slice service, uint64_t age_ns, uint64_t amount)
{
    count(shape, &shape->total, age_ns, amount);
    count(shape, row_of(shape, service), age_ns, amount);
}

static void count_once(const struct ctl_shape *shape, struct ctl_shape_row *row, uint64_t age_ns, uint64_t batch)
{
    if (row->last_batch == batch)
        return;
    row->last_batch = batch;
    count(shape, row, age_ns, 1);
}

void ctl_shape_add_batch(struct ctl_shape *shape, struct slice service, uint64_t age_ns, uint64_t batch)
{
    count_once(shape, &shape->total, age_ns, batch);
    count_once(shape, row_of(shape, service), age_ns, batch);
}

static int compare(const void *a, const void *b)
{
    const struct ctl_shape_row *one = a, *other = b;
    size_t len = one->name.len < other->name.len ? one->name.len : other->name.len;
    int order = len > 0 ? memcmp(one->name.data, other->name.data, len) : 0;

    if (one->total != other->total)
        return one->total > other->total ? -1 : 1;
    if (order != 0)
        return order;
    return one->name.len == other->name.len ? 0 : one->name.len < other->name.len ? -1 : 1;
}

void ctl_shape_sort(struct ctl_shape *shape, uint64_t limit, size_t *shown, struct ctl_shape_row *others)
{
    qsort(shape->rows, shape->count, sizeof(shape->rows[0]), compare);
    *shown = limit < shape->count ? (size_t)limit : shape->count;
    *others = shape->others;
    for (size_t i = *shown; i < shape->count; i++) {
        others->total += shape->rows[i].total;
        for (unsigned bucket = 0; bucket < CTL_SHAPE_BUCKETS; bucket++)
            others->ages[bucket] += shape->rows[i].ages[bucket];
    }
}
