/*
 * ctl_run_fixture.h - runs the command, and makes spools for it to look at.
 */
#ifndef TRACESPOOL_CTL_RUN_FIXTURE_H
#define TRACESPOOL_CTL_RUN_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "ctl.h"
#include "otlp_codec.h"
#include "spool_writer.h"

/* --- the command ----------------------------------------------------------- */

struct run {
    int status;
    char *out;
    char *err;
};

/* What was written to `file`, which is closed. */
static inline char *fixture_take(FILE *file)
{
    char *text;
    long len;

    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    len = ftell(file);
    text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    rewind(file);
    assert_int_equal(fread(text, 1, (size_t)len, file), len);
    fclose(file);
    return text;
}

/* A process of its own: one that holds a spool must not open it a second time, since LMDB's locks are a process's. */
static inline void run_command(struct run *run, const char *const *argv)
{
    FILE *out = tmpfile(), *err = tmpfile();
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;

    assert_non_null(out);
    assert_non_null(err);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(err), STDERR_FILENO);
    assert_int_equal(posix_spawn(&pid, TRACESPOOL, &actions, NULL, (char **)(uintptr_t)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    run->status = WEXITSTATUS(status);
    run->out = fixture_take(out);
    run->err = fixture_take(err);
}

/* RUN(&run, "ls", "--all"); run_free(&run);  or assert_ran, which frees it too. */
#define RUN(run, ...) run_command(run, (const char *[]){"tracespool", __VA_ARGS__, NULL})

static inline void run_free(struct run *run)
{
    free(run->out);
    free(run->err);
}

/* All that it said and how it ended.  The run is freed. */
static inline void assert_ran(struct run *run, int status, const char *out, const char *err)
{
    assert_string_equal(run->err, err);
    assert_string_equal(run->out, out);
    assert_int_equal(run->status, status);
    run_free(run);
}

static inline void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        print_error("\"%s\" is not in:\n%s\n", part, text);
        fail();
    }
}

/* --- spools ---------------------------------------------------------------- */

struct spool_fixture {
    char path[64];
    struct spool *spool;
    struct spool_writer *writer;
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool done; /* under lock */
};

static inline void fixture_fatal(const struct err *err)
{
    fprintf(stderr, "fatal: %s\n", err->text);
    abort();
}

static inline void fixture_done(struct spool_put *put, const struct err *failure)
{
    struct spool_fixture *fixture = put->context;

    if (failure != NULL)
        fixture_fatal(failure);
    pthread_mutex_lock(&fixture->lock);
    fixture->done = true;
    pthread_cond_signal(&fixture->told);
    pthread_mutex_unlock(&fixture->lock);
}

static inline void fixture_open_spool(struct spool_fixture *fixture)
{
    struct spool_options options = {.path = fixture->path, .size_bytes = 64UL << 20, .history_ns = UINT64_MAX};
    struct err err;

    snprintf(fixture->path, sizeof(fixture->path), "/tmp/test-ctl-XXXXXX");
    assert_non_null(mkdtemp(fixture->path));
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_cond_init(&fixture->told, NULL);
    assert_int_equal(spool_open(&fixture->spool, &options, &err), 0);
    assert_int_equal(spool_writer_start(&fixture->writer, fixture->spool, fixture_fatal, &err), 0);
}

/* As when the daemon has stopped; the directory stays. */
static inline void fixture_stop_spool(struct spool_fixture *fixture)
{
    spool_writer_stop(fixture->writer);
    spool_close(fixture->spool);
    fixture->writer = NULL;
    fixture->spool = NULL;
}

static inline void fixture_remove_spool(struct spool_fixture *fixture)
{
    char name[512];
    DIR *directory = opendir(fixture->path);

    if (fixture->spool != NULL)
        fixture_stop_spool(fixture);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        snprintf(name, sizeof(name), "%s/%s", fixture->path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(name);
    }
    closedir(directory);
    assert_int_equal(rmdir(fixture->path), 0);
    pthread_cond_destroy(&fixture->told);
    pthread_mutex_destroy(&fixture->lock);
}

/* cmocka's: *state is the fixture. */
static inline int fixture_teardown(void **state)
{
    fixture_remove_spool(*state);
    return 0;
}

/* Stores bytes as one batch and returns its number. */
static inline uint64_t fixture_put(struct spool_fixture *fixture, struct slice payload, size_t raw_bytes, uint8_t codec,
                                   uint32_t spans)
{
    struct err err;
    struct spool_put put = {.payload = payload,
                            .raw_bytes = raw_bytes,
                            .received_ns = clock_wall_ns(),
                            .spans = spans,
                            .codec = codec,
                            .done = fixture_done,
                            .context = fixture};

    fixture->done = false;
    assert_int_equal(spool_writer_put(fixture->writer, &put, &err), 0);
    pthread_mutex_lock(&fixture->lock);
    while (!fixture->done)
        pthread_cond_wait(&fixture->told, &fixture->lock);
    pthread_mutex_unlock(&fixture->lock);
    return put.seq;
}

/* The bytes of a file of tests/data/otlp. */
static inline void fixture_read(struct buf *data, const char *name)
{
    char path[512];
    struct stat stat;

    snprintf(path, sizeof(path), "%s/otlp/%s", TEST_DATA_DIR, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &stat), 0);
    buf_init(data, (size_t)stat.st_size + 1);
    assert_non_null(buf_reserve(data, (size_t)stat.st_size + 1));
    assert_int_equal(read(fd, data->data, (size_t)stat.st_size), stat.st_size);
    data->len = (size_t)stat.st_size;
    close(fd);
}

static inline uint64_t fixture_put_file(struct spool_fixture *fixture, const char *name, uint32_t spans)
{
    struct buf raw, stored;
    struct err err;

    fixture_read(&raw, name);
    buf_init(&stored, 1UL << 30);
    assert_int_equal(otlp_codec_deflate(OTLP_CODEC_ZSTD, buf_slice(&raw), &stored, &err), 0);
    uint64_t seq = fixture_put(fixture, buf_slice(&stored), raw.len, OTLP_CODEC_ZSTD, spans);
    buf_fini(&stored);
    buf_fini(&raw);
    return seq;
}

static inline void fixture_deliver(struct spool_fixture *fixture, uint64_t seq)
{
    struct err err;

    assert_int_equal(spool_writer_delivered(fixture->writer, &seq, 1, &err), 0);
}

/* A span that MongoDB refused, for spool_writer_park; received and parked at 2023-11-14T22:13:20Z. */
static inline struct spool_parked fixture_refused(uint64_t seq, uint32_t index, const char *text, struct slice payload)
{
    return (struct spool_parked){.seq = seq,
                                 .index = index,
                                 .reason = SPOOL_PARK_REFUSED,
                                 .code = 121,
                                 .attempts = 1,
                                 .spans = 1,
                                 .parked_ns = 1700000000ULL * NS_PER_S,
                                 .received_ns = 1700000000ULL * NS_PER_S,
                                 .text = text,
                                 .payload = payload};
}

#endif
