/*
 * bench_store.c - opening, closing and deleting the spool that is measured.
 */
#include "bench_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const struct err *err)
{
    fprintf(stderr, "bench_spool: %s\n", err->text);
    _exit(EXIT_FAILURE);
}

int bench_store_open(struct bench_store *store, const char *dir, uint64_t size_bytes, struct err *err)
{
    struct spool_options options = {.path = dir, .size_bytes = size_bytes, .reserve = true, .history_ns = UINT64_MAX};

    *store = (struct bench_store){.spool = NULL};
    if (spool_open(&store->spool, &options, err) == -1)
        return -1;
    if (spool_writer_start(&store->writer, store->spool, die, err) == -1) {
        bench_store_close(store);
        return -1;
    }
    return 0;
}

void bench_store_close(struct bench_store *store)
{
    spool_writer_stop(store->writer);
    spool_close(store->spool);
    *store = (struct bench_store){.spool = NULL};
}

/* What a spool and LMDB put into their folder; anything else is not ours to delete. */
static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};

static int remove_files(const char *dir)
{
    char *path;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
        if (asprintf(&path, "%s/%s", dir, files[i]) == -1)
            return ENOMEM;
        rc = unlink(path) == 0 || errno == ENOENT ? 0 : errno;
        free(path);
    }
    return rc == 0 && rmdir(dir) == -1 && errno != ENOENT ? errno : rc;
}

/* The folder around `dir`, or -1. */
static int open_parent(const char *dir)
{
    char *parent;
    int fd;

    if (asprintf(&parent, "%s/..", dir) == -1)
        return -1;
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    return fd;
}

int bench_store_remove(const char *dir, struct err *err)
{
    int fd = open_parent(dir), rc;

    if (fd == -1 && errno == ENOENT)
        return 0;
    rc = remove_files(dir);
    /* What giving back its blocks costs is not part of what is measured next. */
    if (rc == 0 && (fd == -1 || syncfs(fd) == -1))
        rc = errno;
    if (fd != -1)
        close(fd);
    return rc == 0 ? 0 : err_set(err, ERR_FATAL, rc, "cannot delete %s: %s", dir, strerror(rc));
}

int bench_store_json(struct bench_store *store, struct json *json, struct err *err)
{
    struct spool_stat stat;

    if (spool_stat(store->spool, &stat, err) == -1)
        return -1;
    json_key(json, "used_bytes");
    json_uint(json, stat.used_bytes);
    json_key(json, "pending_records");
    json_uint(json, stat.pending_records);
    json_key(json, "pending_bytes");
    json_uint(json, stat.pending_bytes);
    json_key(json, "evicted_records");
    json_uint(json, stat.evicted_records);
    return 0;
}
