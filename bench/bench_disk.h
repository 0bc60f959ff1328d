/*
 * bench_disk.h - a plain file, written or read in turn with what is measured: what the disk gives just then.
 */
#ifndef TRACESPOOL_BENCH_DISK_H
#define TRACESPOOL_BENCH_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "json.h"

#define BENCH_DISK_PASSES 10

struct bench_disk {
    int fd; /* -1: there is none, and nothing is done */
    bool reads;
    uint8_t *block;
    uint64_t bytes[BENCH_DISK_PASSES];
    uint64_t ns[BENCH_DISK_PASSES];
    unsigned passes;
    bool failed;
};

/* The file is "DIR.disk".  To be written it is made anew, `total_bytes` allocated; to be read it must be there. */
int bench_disk_open(struct bench_disk *disk, const char *dir, bool reads, uint64_t total_bytes, struct err *err);
void bench_disk_close(struct bench_disk *disk);

/* Writes so many bytes behind the last, synced by the mebibyte, or reads the next ones.  Any thread, one at a time. */
void bench_disk_pass(struct bench_disk *disk, uint64_t bytes);

/* An array of {bytes, seconds}. */
void bench_disk_json(const struct bench_disk *disk, struct json *json);

#endif
