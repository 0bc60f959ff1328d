/*
 * flush_fixture.c - see the header.
 */
#include "flush_fixture.h"

#include <inttypes.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"

#define WAIT_NS (30 * NS_PER_S)
#define EDIT_OPTION "--edit"

extern char **environ;

void fixture_must(int rc, const struct err *err)
{
    if (rc != 0)
        fail_msg("%s", err->text);
}

static void on_fatal(const struct err *err)
{
    fprintf(stderr, "fatal: %s\n", err->text);
    abort();
}

void fixture_open(struct fixture *f)
{
    struct spool_options options = {.path = f->path, .size_bytes = 64 << 20, .history_ns = UINT64_MAX};
    struct err err = {0};

    fixture_must(spool_open(&f->spool, &options, &err), &err);
    fixture_must(spool_writer_start(&f->writer, f->spool, on_fatal, &err), &err);
}

void fixture_close(struct fixture *f)
{
    spool_writer_stop(f->writer);
    spool_close(f->spool);
}

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    strcpy(f->path, "/tmp/test_flush.XXXXXX");
    assert_non_null(mkdtemp(f->path));
    fake_sink_init(&f->sink);
    fixture_open(f);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];

    fake_sink_hang(&f->sink, 0); /* a test that failed may have left it so */
    flusher_stop(f->flusher);
    fixture_close(f);
    fake_sink_fini(&f->sink);
    snprintf(command, sizeof(command), "rm -rf '%s'", f->path);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

void fixture_start(struct fixture *f, enum flush_order order, unsigned threads, size_t batch_documents)
{
    struct flush_options options = {.settings = {.order = order, .batch_documents = batch_documents},
                                    .threads = threads,
                                    .max_request_bytes = REQUEST_MAX,
                                    .unknown_ms = FLUSH_UNKNOWN_MS};

    fixture_start_with(f, &options);
}

void fixture_start_with(struct fixture *f, const struct flush_options *options)
{
    struct err err = {0};

    fixture_must(flusher_start(&f->flusher, options, f->spool, f->writer, &f->sink.base, &err), &err);
}

void fixture_stop(struct fixture *f)
{
    flusher_stop(f->flusher);
    f->flusher = NULL;
}

/* --- putting ---------------------------------------------------------------- */

/* Puts that are waited for together. */
struct tally {
    pthread_mutex_t lock;
    pthread_cond_t told;
    uint64_t left;
};

static void put_done(struct spool_put *put, const struct err *failure)
{
    struct tally *tally = put->context;

    assert_null(failure);
    pthread_mutex_lock(&tally->lock);
    if (--tally->left == 0)
        pthread_cond_signal(&tally->told);
    pthread_mutex_unlock(&tally->lock);
}

static void put_all(struct fixture *f, struct spool_put *puts, uint64_t count)
{
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER, .left = count};
    struct err err = {0};

    for (uint64_t i = 0; i < count; i++) {
        puts[i].received_ns = clock_wall_ns();
        puts[i].done = put_done;
        puts[i].context = &tally;
        fixture_must(spool_writer_put(f->writer, &puts[i], &err), &err);
    }
    pthread_mutex_lock(&tally.lock);
    while (tally.left > 0)
        pthread_cond_wait(&tally.told, &tally.lock);
    pthread_mutex_unlock(&tally.lock);
}

uint64_t fixture_put(struct fixture *f, struct slice stored, enum otlp_codec codec, uint32_t spans)
{
    struct spool_put put = {.payload = stored, .raw_bytes = stored.len, .spans = spans, .codec = codec};

    put_all(f, &put, 1);
    return put.seq;
}

/* ExportTraceServiceRequest { ResourceSpans { ScopeSpans { Span { trace_id, span_id } } } } */
#define NUMBERED_BYTES 34

static void number_request(uint8_t out[NUMBERED_BYTES], uint64_t number)
{
    static const uint8_t head[] = {0x0a, 32, 0x12, 30, 0x12, 28, 0x0a, 16};
    uint8_t *span_id = out + sizeof(head) + 16 + 2;

    memcpy(out, head, sizeof(head));
    memset(out + sizeof(head), 0x77, 16);
    span_id[-2] = 0x12;
    span_id[-1] = 8;
    for (unsigned i = 0; i < 8; i++)
        span_id[i] = (uint8_t)(number >> (56 - 8 * i));
}

void fixture_put_numbers(struct fixture *f, uint64_t first, uint64_t end)
{
    uint64_t count = end - first;
    struct spool_put *puts = calloc(count, sizeof(*puts));
    uint8_t *requests = malloc(count * NUMBERED_BYTES);

    assert_non_null(puts);
    assert_non_null(requests);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *request = requests + i * NUMBERED_BYTES;

        number_request(request, first + i);
        puts[i] = (struct spool_put){.payload = slice_of(request, NUMBERED_BYTES),
                                     .raw_bytes = NUMBERED_BYTES,
                                     .spans = 1,
                                     .codec = OTLP_CODEC_IDENTITY};
    }
    put_all(f, puts, count);
    free(requests);
    free(puts);
}

/* --- another process --------------------------------------------------------- */

void fixture_edit(struct fixture *f, enum spool_edit_kind kind, uint64_t first, uint64_t end)
{
    char self[] = "self", option[] = EDIT_OPTION, numbers[3][24];
    char *argv[] = {self, option, f->path, numbers[0], numbers[1], numbers[2], NULL};
    pid_t pid;
    int status;

    snprintf(numbers[0], sizeof(numbers[0]), "%d", (int)kind);
    snprintf(numbers[1], sizeof(numbers[1]), "%" PRIu64, first);
    snprintf(numbers[2], sizeof(numbers[2]), "%" PRIu64, end);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int edit(const char *path, const struct spool_edit *what)
{
    struct spool_edit_result result = {0};
    uint64_t from = what->range.first;
    struct spool *spool;
    struct err err;
    int rc = spool_open_edit(&spool, path, &err);

    if (rc == 0) {
        do {
            rc = spool_edit_step(spool, what, &from, &result, &err);
        } while (rc == 1);
        spool_close(spool);
    }
    if (rc != 0)
        fprintf(stderr, "edit: %s\n", err.text);
    return rc == 0 && result.records > 0 ? 0 : 1;
}

bool fixture_edit_main(int argc, char **argv, int *status)
{
    struct spool_edit what = {.until_ns = UINT64_MAX,
                              .states = SPOOL_EDIT_STATE(SPOOL_PENDING) | SPOOL_EDIT_STATE(SPOOL_HELD) |
                                        SPOOL_EDIT_STATE(SPOOL_DELIVERED)};

    if (argc != 6 || strcmp(argv[1], EDIT_OPTION) != 0)
        return false;
    what.kind = (enum spool_edit_kind)atoi(argv[3]);
    what.range = (struct spool_range){strtoull(argv[4], NULL, 10), strtoull(argv[5], NULL, 10)};
    *status = edit(argv[2], &what);
    return true;
}

/* --- waiting ---------------------------------------------------------------- */

struct spool_stat fixture_until(struct fixture *f, condition *holds, const char *what)
{
    uint64_t deadline = clock_mono_ns() + WAIT_NS;
    struct spool_stat stat;
    struct err err = {0};

    for (;;) {
        fixture_must(spool_stat(f->spool, &stat, &err), &err);
        if (holds(f, &stat))
            return stat;
        if (clock_mono_ns() > deadline)
            fail_msg("waited in vain for: %s", what);
        spool_writer_wait(f->writer, SPOOL_SEQ_OPEN, clock_mono_ns() + 5 * NS_PER_MS);
    }
}

bool nothing_pending(struct fixture *f, const struct spool_stat *stat)
{
    (void)f;
    return stat->pending_records == 0;
}

bool backing_off(struct fixture *f, const struct spool_stat *stat)
{
    (void)f;
    return stat->delivery.state == SPOOL_DELIVERY_BACKING_OFF;
}
