/*
 * bench_store.h - a spool with its writer, as the daemon has them.
 */
#ifndef TRACESPOOL_BENCH_STORE_H
#define TRACESPOOL_BENCH_STORE_H

#include <stdint.h>

#include "err.h"
#include "json.h"
#include "spool.h"
#include "spool_writer.h"

struct bench_store {
    struct spool *spool;
    struct spool_writer *writer;
};

/* Reserved, like a production spool; delivered records stay until their room is needed. */
int bench_store_open(struct bench_store *store, const char *dir, uint64_t size_bytes, struct err *err);

/* A clean stop. */
void bench_store_close(struct bench_store *store);

/* Deletes `dir`, if it holds nothing but a spool, and waits until the file system has done so; one that is missing is fine. */
int bench_store_remove(const char *dir, struct err *err);

/* Members of the present object: used_bytes, pending_records, evicted_records, of struct spool_stat. */
int bench_store_json(struct bench_store *store, struct json *json, struct err *err);

#endif
