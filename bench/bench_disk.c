/*
 * bench_disk.c - see the header.
 *
 * A disk that is fast for the first gigabytes, or slows down for others, must
 * not look like a spool that does.
 */
#include "bench_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define BLOCK_BYTES (1UL << 20)

int bench_disk_open(struct bench_disk *disk, const char *dir, bool reads, uint64_t total_bytes, struct err *err)
{
    char path[4096];
    int rc = 0;

    *disk = (struct bench_disk){.fd = -1, .reads = reads, .block = malloc(BLOCK_BYTES)};
    if (disk->block == NULL || snprintf(path, sizeof(path), "%s.disk", dir) >= (int)sizeof(path))
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for a block");
    memset(disk->block, 'x', BLOCK_BYTES);
    disk->fd = open(path, reads ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (disk->fd == -1)
        return err_set(err, ERR_FATAL, errno, "cannot open %s: %s", path, strerror(errno));
    if (!reads)
        rc = posix_fallocate(disk->fd, 0, (off_t)total_bytes);
    return rc == 0 ? 0 : err_set(err, ERR_FATAL, rc, "cannot allocate %s: %s", path, strerror(rc));
}

void bench_disk_close(struct bench_disk *disk)
{
    if (disk->fd != -1)
        close(disk->fd);
    free(disk->block);
}

static bool do_block(struct bench_disk *disk, size_t bytes)
{
    if (disk->reads)
        return read(disk->fd, disk->block, bytes) >= 0;
    return write(disk->fd, disk->block, bytes) == (ssize_t)bytes && fdatasync(disk->fd) == 0;
}

void bench_disk_pass(struct bench_disk *disk, uint64_t bytes)
{
    uint64_t begin_ns = clock_mono_ns();

    if (disk->fd == -1 || disk->passes == BENCH_DISK_PASSES)
        return;
    for (uint64_t left = bytes; left > 0 && !disk->failed;) {
        size_t block = left < BLOCK_BYTES ? left : BLOCK_BYTES;

        disk->failed = !do_block(disk, block);
        left -= block;
    }
    disk->bytes[disk->passes] = bytes;
    disk->ns[disk->passes++] = clock_mono_ns() - begin_ns;
}

void bench_disk_json(const struct bench_disk *disk, struct json *json)
{
    json_begin_array(json);
    for (unsigned i = 0; i < disk->passes && !disk->failed; i++) {
        json_begin_object(json);
        json_key(json, "bytes");
        json_uint(json, disk->bytes[i]);
        json_key(json, "seconds");
        json_double(json, (double)disk->ns[i] / (double)NS_PER_S);
        json_end_object(json);
    }
    json_end_array(json);
}
