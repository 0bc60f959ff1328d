/*
 * seed_spool.c - inputs for fuzz_spool_file and fuzz_spool_record to begin with:
 *
 *   seed_spool DIRECTORY     makes DIRECTORY/file and DIRECTORY/record
 *
 * Real spools of a few pages: one that is new, one with a little of everything,
 * one with many small records that were delivered in part; and parts out of
 * their headers.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checksum.h"
#include "spool.h"
#include "spool_record.h"
#include "spool_walk.h"
#include "spool_writer.h"

struct seed {
    const char *name;
    unsigned records;
    size_t len;
    uint64_t delivered;
    bool parked;
};

static const struct seed seeds[] = {
    {"new", 0, 0, 0, false},
    {"mixed", 6, 4100, 3, true},
    {"small", 150, 60, 40, true},
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "seed_spool: %s\n", what);
    exit(1);
}

static void fatal(const struct err *err)
{
    require(false, err->text);
}

static void on_done(struct spool_put *put, const struct err *failure)
{
    require(failure == NULL, "a record is refused");
    pthread_mutex_lock(&lock);
    *(bool *)put->context = true;
    pthread_cond_signal(&told);
    pthread_mutex_unlock(&lock);
}

static void put_one(struct spool_writer *writer, size_t len)
{
    static uint8_t payload[8192];
    bool done = false;
    struct spool_put put = {
        .payload = slice_of(payload, len), .received_ns = 1, .spans = 1, .done = on_done, .context = &done};
    struct err err;

    require(spool_writer_put(writer, &put, &err) == 0, err.text);
    pthread_mutex_lock(&lock);
    while (!done)
        pthread_cond_wait(&told, &lock);
    pthread_mutex_unlock(&lock);
}

static void park(struct spool_writer *writer)
{
    uint8_t payload[64] = {0};
    struct spool_parked parked[] = {
        {.seq = 5, .index = 2, .reason = SPOOL_PARK_REFUSED, .text = "refused", .payload = slice_of(payload, 64)},
        {.seq = 5, .whole = true, .reason = SPOOL_PARK_UNDECODABLE, .text = "undecodable"}};
    struct err err;

    require(spool_writer_park(writer, parked, 2, &err) == 0, err.text);
}

static void fill(const struct seed *seed, const char *path)
{
    struct spool_options options = {.path = path, .size_bytes = SPOOL_SIZE_MIN_BYTES, .history_ns = UINT64_MAX};
    struct spool_writer *writer;
    struct spool *spool;
    struct err err;

    require(spool_open(&spool, &options, &err) == 0, err.text);
    require(spool_writer_start(&writer, spool, fatal, &err) == 0, err.text);
    for (unsigned i = 0; i < seed->records; i++)
        put_one(writer, seed->len);
    for (uint64_t seq = 1; seq <= seed->delivered; seq++)
        require(spool_writer_delivered(writer, &seq, 1, &err) == 0, err.text);
    if (seed->parked)
        park(writer);
    spool_writer_stop(writer);
    spool_close(spool);
}

static void write_file(const char *directory, const char *name, const void *bytes, size_t len)
{
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    require(fd != -1 && write(fd, bytes, len) == (ssize_t)len, "cannot write a seed");
    close(fd);
}

/* The pages that are in use from the file's start. */
static void copy_file(const char *path, const char *directory, const char *name)
{
    struct spool_walk_options options = {.txnid = 0};
    struct spool_walk_report report;
    struct err err;
    uint8_t *bytes;
    char data[512];
    int fd;

    snprintf(data, sizeof(data), "%s/data.mdb", path);
    fd = open(data, O_RDONLY);
    require(fd != -1 && spool_walk(fd, &options, &report, &err) == 0, "the seed is not sound");
    bytes = calloc(report.touched_pages, SPOOL_PAGE_BYTES);
    require(bytes != NULL && pread(fd, bytes, report.touched_pages * SPOOL_PAGE_BYTES, 0) > 0, "cannot read a seed");
    write_file(directory, name, bytes, report.touched_pages * SPOOL_PAGE_BYTES);
    free(bytes);
    close(fd);
}

static void make_part(const char *directory)
{
    uint8_t part[SPOOL_PART_HEADER_BYTES + 40] = {0};
    struct spool_part head = {.magic = SPOOL_MAGIC_RECORD,
                              .seq = 7,
                              .raw_bytes = 90,
                              .stored_bytes = 40,
                              .spans = 3,
                              .count = 1,
                              .bytes = 40};

    head.checksum = checksum_64(slice_of(part + SPOOL_PART_HEADER_BYTES, 40));
    spool_part_encode(part, &head);
    write_file(directory, "part", part, sizeof(part));
}

int main(int argc, char **argv)
{
    char file[256], record[256], path[512];

    require(argc == 2, "usage: seed_spool DIRECTORY");
    snprintf(file, sizeof(file), "%s/file", argv[1]);
    snprintf(record, sizeof(record), "%s/record", argv[1]);
    require(mkdir(argv[1], 0777) == 0 && mkdir(file, 0777) == 0 && mkdir(record, 0777) == 0,
            "DIRECTORY is there already, or cannot be made");
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        snprintf(path, sizeof(path), "%s/spool-%s", argv[1], seeds[i].name);
        fill(&seeds[i], path);
        copy_file(path, file, seeds[i].name);
    }
    make_part(record);
    return 0;
}
