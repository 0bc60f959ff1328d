/*
 * bench_write.c - a backlog is written and stays; the same through bare LMDB, and does not stay.
 *
 * The second tells which of the first's ups and downs are the disk's.
 */
#include "bench.h"

#include "bench_load.h"
#include "bench_memory.h"
#include "bench_peer.h"
#include "bench_store.h"

#define OUTSTANDING 16

static void write_result(const struct bench_load_result *result, struct json *json)
{
    json_key(json, "outstanding");
    json_uint(json, OUTSTANDING);
    bench_load_json(result, json);
    json_key(json, "tenths");
    bench_tenths_json(&result->tenths, json);
}

static int measure(struct bench_store *store, struct bench_shape *shape, const struct bench_options *options,
                   struct bench_disk *disk, struct json *json, struct err *err)
{
    struct bench_load load = {.writer = store->writer,
                              .shape = shape,
                              .outstanding = OUTSTANDING,
                              .total_bytes = options->total_bytes,
                              .duration_ns = UINT64_MAX,
                              .disk = disk};
    struct bench_load_result result;
    struct bench_memory memory;
    int rc;

    if (bench_memory_start(&memory, err) == -1)
        return -1;
    rc = bench_load_run(&load, &result, err);
    bench_memory_stop(&memory);
    if (rc == -1)
        return -1;
    write_result(&result, json);
    json_key(json, "memory");
    bench_memory_json(&memory, json);
    json_key(json, "disk");
    bench_disk_json(disk, json);
    return bench_store_json(store, json, err);
}

int bench_write(const struct bench_options *options, struct json *json, struct err *err)
{
    struct bench_store store;
    struct bench_shape shape;
    struct bench_disk disk;
    int rc;

    if (bench_store_remove(options->dir, err) == -1 ||
        bench_shape_init(&shape, options->min_bytes, options->max_bytes, options->seed, err) == -1)
        return -1;
    rc = bench_disk_open(&disk, options->dir, false, options->total_bytes, err);
    if (rc == 0)
        rc = bench_store_open(&store, options->dir, options->size_bytes, err);
    if (rc == 0) {
        rc = measure(&store, &shape, options, &disk, json, err);
        bench_store_close(&store);
    }
    bench_disk_close(&disk);
    bench_shape_fini(&shape);
    return rc;
}

int bench_write_peer(const struct bench_options *options, struct json *json, struct err *err)
{
    struct bench_peer peer = {.dir = options->dir,
                              .size_bytes = options->size_bytes,
                              .group = OUTSTANDING,
                              .total_bytes = options->total_bytes,
                              .duration_ns = UINT64_MAX};
    struct bench_load_result result;
    struct bench_shape shape;
    int rc;

    if (bench_store_remove(options->dir, err) == -1 ||
        bench_shape_init(&shape, options->min_bytes, options->max_bytes, options->seed, err) == -1)
        return -1;
    peer.shape = &shape;
    rc = bench_peer_run(&peer, &result, err);
    bench_shape_fini(&shape);
    if (rc == -1)
        return -1;
    write_result(&result, json);
    return bench_store_remove(options->dir, err);
}
