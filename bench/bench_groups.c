/*
 * bench_groups.c - records a second, by record size and by puts outstanding.
 *
 * Each figure is measured in a fresh, reserved file, and beside each the peer's
 * in one of its own: spool, LMDB, LMDB, spool, ... so that a disk that others
 * slow down for a while slows down both.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_load.h"
#include "bench_peer.h"
#include "bench_store.h"
#include "clock.h"

#define FILL_SHARE 2 /* at most size / this is written, so that neither meets the end of its file */

static const size_t record_sizes[] = {300, 3000, 8000, 46000, 300000, 3000000};
static const unsigned groups[] = {1, 4, 16, 64};

#define SIZES (sizeof(record_sizes) / sizeof(record_sizes[0]))
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

enum side { SPOOL, PEER, SIDES };

static const char *const side_names[SIDES] = {"spool", "lmdb"};

struct cell {
    const struct bench_options *options;
    struct bench_shape *shape;
    unsigned group;
};

static int run_spool(const struct cell *cell, struct bench_load_result *result, struct err *err)
{
    struct bench_load load = {.shape = cell->shape,
                              .outstanding = cell->group,
                              .total_bytes = cell->options->size_bytes / FILL_SHARE,
                              .duration_ns = cell->options->cell_ns};
    struct bench_store store;
    int rc;

    if (bench_store_open(&store, cell->options->dir, cell->options->size_bytes, err) == -1)
        return -1;
    load.writer = store.writer;
    rc = bench_load_run(&load, result, err);
    bench_store_close(&store);
    return rc;
}

static int run_peer(const struct cell *cell, struct bench_load_result *result, struct err *err)
{
    struct bench_peer peer = {.dir = cell->options->dir,
                              .size_bytes = cell->options->size_bytes,
                              .shape = cell->shape,
                              .group = cell->group,
                              .total_bytes = cell->options->size_bytes / FILL_SHARE,
                              .duration_ns = cell->options->cell_ns};

    return bench_peer_run(&peer, result, err);
}

static int run_side(const struct cell *cell, enum side side, struct bench_load_result *result, struct err *err)
{
    if (bench_store_remove(cell->options->dir, err) == -1)
        return -1;
    if ((side == SPOOL ? run_spool(cell, result, err) : run_peer(cell, result, err)) == -1)
        return -1;
    return bench_store_remove(cell->options->dir, err);
}

static void write_cell(const struct cell *cell, const struct bench_load_result *results, struct json *json)
{
    json_begin_object(json);
    json_key(json, "record_bytes");
    json_uint(json, bench_shape_max(cell->shape));
    json_key(json, "outstanding");
    json_uint(json, cell->group);
    for (unsigned side = 0; side < SIDES; side++) {
        json_key(json, side_names[side]);
        json_begin_array(json);
        for (uint64_t round = 0; round < cell->options->rounds; round++) {
            json_begin_object(json);
            bench_load_json(&results[round * SIDES + side], json);
            json_end_object(json);
        }
        json_end_array(json);
    }
    json_end_object(json);
}

static int run_cell(const struct cell *cell, struct json *json, struct err *err)
{
    struct bench_load_result *results = calloc(cell->options->rounds * SIDES, sizeof(*results));
    int rc = results == NULL ? err_set(err, ERR_BUSY, ENOMEM, "out of memory") : 0;

    for (uint64_t i = 0; rc == 0 && i < cell->options->rounds * SIDES; i++) {
        uint64_t round = i / SIDES;
        /* Every second round the other way round: neither is always the first. */
        enum side side = (enum side)((i + round) % SIDES);

        rc = run_side(cell, side, &results[round * SIDES + side], err);
    }
    if (rc == 0)
        write_cell(cell, results, json);
    free(results);
    return rc;
}

static int run_size(const struct bench_options *options, size_t record_bytes, struct json *json, struct err *err)
{
    struct bench_shape shape;
    int rc = bench_shape_init(&shape, record_bytes, record_bytes, options->seed, err);

    for (size_t i = 0; rc == 0 && i < GROUPS; i++) {
        struct cell cell = {.options = options, .shape = &shape, .group = groups[i]};

        fprintf(stderr, "records of %zu bytes, %u outstanding\n", record_bytes, groups[i]);
        rc = run_cell(&cell, json, err);
    }
    bench_shape_fini(&shape);
    return rc;
}

int bench_groups(const struct bench_options *options, struct json *json, struct err *err)
{
    int rc = 0;

    json_key(json, "cells");
    json_begin_array(json);
    for (size_t i = 0; rc == 0 && i < SIZES; i++)
        rc = run_size(options, record_sizes[i], json, err);
    json_end_array(json);
    return rc;
}
