/*
 * fuzz_spool_file.c - the property on which starting the daemon rests:
 *
 * A file that the walk calls sound, LMDB opens, reads and writes without a
 * crash; whatever it holds, the records are read or called damaged, and after
 * writing the file is as sound as it was.
 *
 * The input is a compact data file: pages of 4096 bytes follow each other, a
 * shorter last one is filled up with zeros.
 */
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "log.h"
#include "spool.h"
#include "spool_aside.h"
#include "spool_walk.h"
#include "spool_writer.h"

#define PAGES_MAX 64
#define RECORDS_MAX 64
#define ARENA_BYTES (256UL << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char directory[64];
static char data_path[80];
static uint8_t page_zero[SPOOL_PAGE_BYTES];

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_spool_file: does not hold: %s\n", what);
    abort();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    return ftw->level == 0 ? 0 : remove(path);
}

static void clear(void)
{
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    snprintf(directory, sizeof(directory), "%s/tracespool-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    require(mkdtemp(directory) != NULL, "there is a directory");
    snprintf(data_path, sizeof(data_path), "%s/data.mdb", directory);
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    return 0;
}

static void write_input(const uint8_t *data, size_t size)
{
    int fd = open(data_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t rest = size % SPOOL_PAGE_BYTES;

    require(fd != -1 && write(fd, data, size) == (ssize_t)size, "the input can be written");
    if (rest != 0)
        require(write(fd, page_zero, SPOOL_PAGE_BYTES - rest) == (ssize_t)(SPOOL_PAGE_BYTES - rest), "and filled up");
    close(fd);
}

static bool is_sound(struct err *err)
{
    struct spool_walk_options options = {.txnid = 0};
    struct spool_walk_report report;
    int fd = open(data_path, O_RDONLY), rc;

    require(fd != -1, "the file is there");
    rc = spool_walk(fd, &options, &report, err);
    close(fd);
    if (rc == -1)
        require(err->class == ERR_FATAL || err->class == ERR_CONFIG, "the walk has no other answer about a quiet file");
    return rc == 0;
}

static void fatal(const struct err *err)
{
    fprintf(stderr, "fuzz_spool_file: the writer died: %s\n", err->text);
    abort();
}

/* --- reading --------------------------------------------------------------- */

static void read_all(struct spool *spool)
{
    static struct spool_record records[RECORDS_MAX];
    static struct spool_parked parked[RECORDS_MAX];
    struct spool_want want = {.max_records = RECORDS_MAX, .max_bytes = 1 << 20};
    struct spool_record record;
    struct spool_stat stat;
    struct arena arena;
    size_t count;
    struct err err;

    arena_init(&arena, ARENA_BYTES);
    require(spool_stat(spool, &stat, &err) == 0, "there are figures");
    for (want.end = SPOOL_OLDEST; want.end <= SPOOL_NEWEST; want.end++)
        require(spool_read_pending(spool, &want, &arena, records, &count, &err) == 0 || err.class == ERR_BUSY,
                "pending records are read");
    require(spool_list(spool, 0, RECORDS_MAX, records, &count, &err) == 0, "records are listed");
    for (size_t i = 0; i < count; i++)
        require(spool_read(spool, records[i].seq, &arena, &record, &err) == 1 || err.class == ERR_BUSY,
                "what is listed is there");
    require(spool_list_parked(spool, 0, 0, RECORDS_MAX, &arena, parked, &count, &err) == 0 || err.class == ERR_BUSY,
            "parked entries are listed");
    arena_fini(&arena);
}

/* --- writing --------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;

static void on_done(struct spool_put *put, const struct err *failure)
{
    (void)failure;
    pthread_mutex_lock(&lock);
    *(bool *)put->context = true;
    pthread_cond_signal(&told);
    pthread_mutex_unlock(&lock);
}

static void put_one(struct spool_writer *writer, size_t len)
{
    static uint8_t payload[200000];
    bool done = false;
    struct spool_put put = {.payload = slice_of(payload, len), .done = on_done, .context = &done};
    struct err err;

    if (spool_writer_put(writer, &put, &err) == -1)
        return;
    pthread_mutex_lock(&lock);
    while (!done)
        pthread_cond_wait(&told, &lock);
    pthread_mutex_unlock(&lock);
}

static void write_some(struct spool *spool)
{
    const uint64_t seqs[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct spool_writer *writer;
    struct err err;

    if (spool_writer_start(&writer, spool, fatal, &err) == -1)
        fatal(&err);
    put_one(writer, 100);
    put_one(writer, 200000);
    require(spool_writer_delivered(writer, seqs, 8, &err) == 0 || err.class == ERR_BUSY, "records are delivered");
    spool_writer_stop(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spool_options options = {.path = directory, .size_bytes = SPOOL_SIZE_MIN_BYTES};
    struct spool *spool;
    struct err err;

    if (size == 0 || size > PAGES_MAX * SPOOL_PAGE_BYTES)
        return 0;
    write_input(data, size);
    if (!is_sound(&err))
        return 0;
    if (spool_open(&spool, &options, &err) == 0) {
        if (spool_aside_count(directory) == 0) {
            read_all(spool);
            write_some(spool);
        }
        spool_close(spool);
        require(is_sound(&err), "after writing it is as sound as it was");
    } else {
        require(err.class == ERR_CONFIG, "a sound file is opened, or is no spool of this version and size");
    }
    clear();
    return 0;
}
