/*
 * ctl_shape.h - what is in the spool, services by age.  Pure, but for the verb
 * itself (ctl_shape.c).
 *
 * Ages are counted in buckets, each twice as wide as the one before; the last
 * one has no end.  Memory is bounded: once CTL_SHAPE_SERVICES_MAX services, or
 * CTL_SHAPE_NAMES_BYTES of their names, are there, every further one is
 * counted among the others.
 */
#ifndef TRACESPOOL_CTL_SHAPE_H
#define TRACESPOOL_CTL_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "bounds.h"
#include "buf.h"
#include "slice.h"

struct ctl_shape_row {
    struct slice name; /* empty: spans whose resource has no service.name */
    uint64_t total;
    uint64_t ages[CTL_SHAPE_BUCKETS];
    uint64_t last_batch; /* that was counted here */
};

struct ctl_shape {
    uint64_t bucket_ns; /* the first bucket: younger than this */
    struct ctl_shape_row total;
    struct ctl_shape_row others; /* services that have no row */
    size_t count;
    struct ctl_shape_row rows[CTL_SHAPE_SERVICES_MAX];
    uint16_t slots[2 * CTL_SHAPE_SERVICES_MAX]; /* by the name's checksum: index of its row + 1, or 0 */
    struct arena names;
};

struct ctl_shape *ctl_shape_new(uint64_t bucket_ns); /* NULL: no memory */
void ctl_shape_free(struct ctl_shape *shape);

void ctl_shape_add(struct ctl_shape *shape, struct slice service, uint64_t age_ns, uint64_t amount);

/* The same for batches: one of several services counts once for each, and once in the total.  Numbers from 1. */
void ctl_shape_add_batch(struct ctl_shape *shape, struct slice service, uint64_t age_ns, uint64_t batch);

/* The most first; after it nothing may be added.  Rows from `limit` on are counted among the others. */
void ctl_shape_sort(struct ctl_shape *shape, uint64_t limit, size_t *shown, struct ctl_shape_row *others);

/* --- ctl_shape_print.c ------------------------------------------------------- */

struct ctl_shape_page {
    const struct ctl_shape *shape;
    size_t shown; /* of its rows */
    struct ctl_shape_row others;
    const char *unit; /* "spans", "bytes", "batches" */
    unsigned width;
    bool colored;
};

void ctl_shape_print(const struct ctl_shape_page *page, struct buf *out);
void ctl_shape_put(const struct ctl_shape_page *page, struct buf *out); /* JSON, a line a row */

#endif
