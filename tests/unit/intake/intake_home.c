/*
 * intake_home.c - see intake_home.h.
 */
#include "intake_home.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "metrics.h"
#include "otlp_codec.h"
#include "otlp_field.h"

#define INFLATED_MAX (64UL << 20)

static void die(const struct err *err)
{
    fprintf(stderr, "the writer gave up: %s\n", err->text);
    abort();
}

void home_open(struct home *home, uint64_t spool_bytes)
{
    struct spool_options options = {.size_bytes = spool_bytes, .history_ns = UINT64_MAX};
    struct err err = {0};

    snprintf(home->path, sizeof(home->path), "/tmp/tracespool-home-XXXXXX");
    assert_non_null(mkdtemp(home->path));
    options.path = home->path;
    if (spool_open(&home->spool, &options, &err) != 0 || spool_writer_start(&home->writer, home->spool, die, &err) != 0)
        fail_msg("%s", err.text);
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char name[512];

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            assert_int_equal(unlink(name), 0);
    }
    closedir(directory);
    assert_int_equal(rmdir(path), 0);
}

void home_close(struct home *home)
{
    spool_writer_stop(home->writer);
    spool_close(home->spool);
    remove_directory(home->path);
}

struct spool_stat home_stat(struct home *home)
{
    struct spool_stat stat;
    struct err err;

    if (spool_stat(home->spool, &stat, &err) != 0)
        fail_msg("%s", err.text);
    return stat;
}

struct spool_record home_read(struct home *home, uint64_t seq, struct buf *out)
{
    struct spool_record record;
    struct arena arena;
    struct err err;

    arena_init(&arena, INFLATED_MAX);
    assert_int_equal(spool_read(home->spool, seq, &arena, &record, &err), 1);
    assert_false(record.damaged);
    if (otlp_codec_inflate((enum otlp_codec)record.codec, record.payload, INFLATED_MAX, out, &err) != 0)
        fail_msg("%s", err.text);
    arena_fini(&arena);
    record.payload = slice_of(NULL, 0);
    return record;
}

void home_assert_stored(struct home *home, uint64_t seq, struct slice request)
{
    struct buf back;

    buf_init(&back, INFLATED_MAX);
    assert_int_equal(home_read(home, seq, &back).raw_bytes, request.len);
    assert_true(slice_equal(buf_slice(&back), request));
    buf_fini(&back);
}

/* --- requests ------------------------------------------------------------------ */

static void wrap(struct buf *out, uint32_t number, struct buf *inner)
{
    otlp_field_put_bytes(out, number, buf_slice(inner));
    buf_fini(inner);
}

void home_put_span(struct buf *out, const char *trace_id, const char *span_id, struct slice name)
{
    struct buf span, scope_spans, resource_spans;

    buf_init(&span, SIZE_MAX / 4);
    buf_init(&scope_spans, SIZE_MAX / 4);
    buf_init(&resource_spans, SIZE_MAX / 4);
    otlp_field_put_bytes(&span, 1, slice_of_text(trace_id));
    otlp_field_put_bytes(&span, 2, slice_of_text(span_id));
    otlp_field_put_bytes(&span, 5, name);
    wrap(&scope_spans, 2, &span);
    wrap(&resource_spans, 2, &scope_spans);
    wrap(out, 1, &resource_spans);
    assert_false(out->failed);
}

void home_load(struct buf *out, const char *name)
{
    char path[1024];
    uint8_t block[65536];
    size_t len;
    FILE *file;

    snprintf(path, sizeof(path), "%s/otlp/%s", TEST_DATA_DIR, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    while ((len = fread(block, 1, sizeof(block), file)) > 0)
        assert_int_equal(buf_append(out, block, len), 0);
    fclose(file);
}

/* --- waiting ------------------------------------------------------------------- */

void home_wait(bool (*reached)(void *context), void *context)
{
    uint64_t deadline_ns = clock_mono_ns() + HOME_TIMEOUT_MS * NS_PER_MS;
    const struct timespec pause = {.tv_nsec = 1000000};

    while (!reached(context)) {
        if (clock_mono_ns() > deadline_ns)
            fail_msg("waited for %d ms", HOME_TIMEOUT_MS);
        nanosleep(&pause, NULL);
    }
}

static bool has_calls(void *context)
{
    const uint64_t *wanted = context;

    return metrics_get(METRIC_RECEIVER_CALLS) == wanted[0] &&
           (wanted[1] == SIZE_MAX || metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES) == wanted[1]);
}

void home_wait_calls(uint64_t calls, uint64_t bytes)
{
    uint64_t wanted[2] = {calls, bytes};

    home_wait(has_calls, wanted);
}

void home_wait_idle(void)
{
    home_wait_calls(0, 0);
}

/* --- a writer that is held ----------------------------------------------------- */

static void hold_writer(struct spool_put *put, const struct err *failure)
{
    struct home_block *block = put->context;

    (void)failure;
    pthread_mutex_lock(&block->lock);
    block->reached = true;
    pthread_cond_broadcast(&block->changed);
    while (!block->released)
        pthread_cond_wait(&block->changed, &block->lock);
    block->reached = false;
    pthread_cond_broadcast(&block->changed);
    pthread_mutex_unlock(&block->lock);
}

void home_block_writer(struct home *home, struct home_block *block)
{
    struct err err;

    *block = (struct home_block){.put = {.payload = slice_of_text("a record"), .done = hold_writer, .context = block}};
    pthread_mutex_init(&block->lock, NULL);
    pthread_cond_init(&block->changed, NULL);
    assert_int_equal(spool_writer_put(home->writer, &block->put, &err), 0);
    pthread_mutex_lock(&block->lock);
    while (!block->reached)
        pthread_cond_wait(&block->changed, &block->lock);
    pthread_mutex_unlock(&block->lock);
}

void home_release_writer(struct home_block *block)
{
    pthread_mutex_lock(&block->lock);
    block->released = true;
    pthread_cond_broadcast(&block->changed);
    while (block->reached)
        pthread_cond_wait(&block->changed, &block->lock);
    pthread_mutex_unlock(&block->lock);
    pthread_cond_destroy(&block->changed);
    pthread_mutex_destroy(&block->lock);
}
