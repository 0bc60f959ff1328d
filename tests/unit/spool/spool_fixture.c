/*
 * spool_fixture.c - see the header.
 */
#include "spool_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;

void fixture_fatal(const struct err *err)
{
    fprintf(stderr, "the writer died: %s\n", err->text);
    abort();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static const char *fast_directory(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static void init_in(struct fixture *fixture, const char *directory, uint64_t size_bytes)
{
    *fixture = (struct fixture){.spool = NULL};
    snprintf(fixture->path, sizeof(fixture->path), "%s/tracespool-test-XXXXXX", directory);
    assert_non_null(mkdtemp(fixture->path));
    fixture->options = (struct spool_options){
        .path = fixture->path,
        .size_bytes = size_bytes,
        .history_ns = UINT64_MAX,
    };
}

void fixture_init(struct fixture *fixture, uint64_t size_bytes)
{
    init_in(fixture, "/tmp", size_bytes);
}

void fixture_init_fast(struct fixture *fixture, uint64_t size_bytes)
{
    init_in(fixture, fast_directory(), size_bytes);
}

void fixture_open(struct fixture *fixture)
{
    struct err err = {.text = ""};

    if (spool_open(&fixture->spool, &fixture->options, &err) == -1 ||
        spool_writer_start(&fixture->writer, fixture->spool, fixture_fatal, &err) == -1)
        fail_msg("%s", err.text);
}

void fixture_close(struct fixture *fixture)
{
    spool_writer_stop(fixture->writer);
    spool_close(fixture->spool);
    fixture->writer = NULL;
    fixture->spool = NULL;
}

void fixture_fini(struct fixture *fixture)
{
    fixture_close(fixture);
    nftw(fixture->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int fixture_setup_by(void **state, void (*init)(struct fixture *fixture, uint64_t size_bytes), uint64_t size_bytes)
{
    struct fixture *fixture = malloc(sizeof(*fixture));

    assert_non_null(fixture);
    init(fixture, size_bytes);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

int fixture_setup(void **state)
{
    return fixture_setup_by(state, fixture_init, FIXTURE_SIZE);
}

int fixture_teardown(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

void fixture_fill(uint8_t *out, uint64_t seed, size_t len)
{
    uint64_t x = seed * 0x9E3779B97F4A7C15ULL + 1;

    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        out[i] = (uint8_t)(x >> (8 * (i % 8)));
    }
}

static void on_done(struct spool_put *spool_put, const struct err *failure)
{
    struct fixture_put *put = spool_put->context;

    pthread_mutex_lock(&lock);
    put->tells++;
    put->failed = failure != NULL;
    if (failure != NULL)
        put->failure = *failure;
    pthread_cond_broadcast(&told);
    pthread_mutex_unlock(&lock);
}

int fixture_put_start(struct fixture *fixture, struct fixture_put *put, uint64_t seed, size_t len, struct err *err)
{
    uint8_t *bytes = malloc(len + 1);

    assert_non_null(bytes);
    fixture_fill(bytes, seed, len);
    *put = (struct fixture_put){
        .put = {.payload = slice_of(bytes, len),
                .raw_bytes = len * 3,
                .received_ns = 1000000 + seed,
                .spans = (uint32_t)(seed % 100 + 1),
                .codec = (uint8_t)(seed % 3),
                .done = on_done,
                .context = put},
        .seed = seed,
    };
    return spool_writer_put(fixture->writer, &put->put, err);
}

void fixture_put_wait(struct fixture_put *put)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += FIXTURE_WAIT_S;
    pthread_mutex_lock(&lock);
    while (put->tells == 0)
        assert_int_equal(pthread_cond_timedwait(&told, &lock, &deadline), 0);
    pthread_mutex_unlock(&lock);
}

void fixture_put_fini(struct fixture_put *put)
{
    free((void *)(uintptr_t)put->put.payload.data);
}

uint64_t fixture_try_put(struct fixture *fixture, uint64_t seed, size_t len, struct err *err)
{
    struct fixture_put put;
    uint64_t seq = 0;

    if (fixture_put_start(fixture, &put, seed, len, err) == 0) {
        fixture_put_wait(&put);
        if (put.failed)
            *err = put.failure;
        else
            seq = put.put.seq;
    }
    fixture_put_fini(&put);
    return seq;
}

uint64_t fixture_put(struct fixture *fixture, uint64_t seed, size_t len)
{
    struct err err = {.text = ""};
    uint64_t seq = fixture_try_put(fixture, seed, len, &err);

    if (seq == 0)
        fail_msg("put: %s", err.text);
    return seq;
}

void fixture_deliver(struct fixture *fixture, uint64_t first, uint64_t end)
{
    struct err err = {.text = ""};

    for (uint64_t seq = first; seq < end; seq++) {
        if (spool_writer_delivered(fixture->writer, &seq, 1, &err) == -1)
            fail_msg("delivered: %s", err.text);
    }
}

void fixture_check(struct spool *spool, uint64_t seq, uint64_t seed, size_t len, enum spool_record_state record_state)
{
    uint8_t *expected = malloc(len + 1);
    struct spool_record record;
    struct arena arena;
    struct err err = {.text = ""};

    assert_non_null(expected);
    fixture_fill(expected, seed, len);
    arena_init(&arena, SIZE_MAX);
    if (spool_read(spool, seq, &arena, &record, &err) != 1)
        fail_msg("record %llu: %s", (unsigned long long)seq, err.text);
    assert_false(record.damaged);
    assert_int_equal(record.seq, seq);
    assert_int_equal(record.stored_bytes, len);
    assert_int_equal(record.raw_bytes, len * 3);
    assert_int_equal(record.received_ns, 1000000 + seed);
    assert_int_equal(record.spans, seed % 100 + 1);
    assert_int_equal(record.codec, seed % 3);
    assert_int_equal(record.state, record_state);
    assert_true(slice_equal(record.payload, slice_of(expected, len)));
    arena_fini(&arena);
    free(expected);
}

bool fixture_exists(struct spool *spool, uint64_t seq)
{
    struct spool_record record;
    struct arena arena;
    struct err err = {.text = ""};
    int found;

    arena_init(&arena, SIZE_MAX);
    found = spool_read(spool, seq, &arena, &record, &err);
    arena_fini(&arena);
    if (found == -1)
        fail_msg("record %llu: %s", (unsigned long long)seq, err.text);
    return found == 1;
}

struct spool_stat fixture_stat(struct spool *spool)
{
    struct spool_stat stat;
    struct err err = {.text = ""};

    if (spool_stat(spool, &stat, &err) == -1)
        fail_msg("stat: %s", err.text);
    return stat;
}

void fixture_until(bool (*condition)(void *context), void *context)
{
    uint64_t deadline_ns = clock_mono_ns() + FIXTURE_WAIT_S * NS_PER_S;

    while (!condition(context)) {
        assert_true(clock_mono_ns() < deadline_ns);
        sched_yield();
    }
}

void fixture_fault(const char *point, unsigned countdown, int action)
{
    fault_arm(point, countdown, action);
}

int fixture_read_pending(struct fixture *fixture, uint64_t from, size_t max_records, size_t max_bytes,
                         struct arena *arena, struct spool_record *records, size_t *count, struct err *err)
{
    struct spool_range before = {.first = 0, .end = from};
    struct spool_want want = {
        .end = SPOOL_OLDEST, .taken = &before, .taken_count = 1, .max_records = max_records, .max_bytes = max_bytes};

    return spool_read_pending(fixture->spool, &want, arena, records, count, err);
}

/* --- damage ---------------------------------------------------------------- */

struct spool_part fixture_part(uint64_t seq, uint64_t seed, size_t len, uint32_t most, uint32_t index)
{
    return (struct spool_part){
        .magic = SPOOL_MAGIC_RECORD,
        .codec = (uint8_t)(seed % 3),
        .in_order = true,
        .seq = seq,
        .received_ns = 1000000 + seed,
        .raw_bytes = len * 3,
        .stored_bytes = len,
        .spans = (uint32_t)(seed % 100 + 1),
        .index = index,
        .count = (uint32_t)spool_part_count(len, most),
    };
}

void fixture_flip(struct fixture *fixture, struct slice needle, long offset)
{
    char path[128];
    uint8_t *bytes, *end, *at;
    unsigned flips = 0;
    struct stat st;
    int fd;

    snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
    fd = open(path, O_RDWR);
    assert_int_equal(fstat(fd, &st), 0);
    bytes = malloc((size_t)st.st_size);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    end = bytes + st.st_size;
    for (at = bytes; (at = memmem(at, (size_t)(end - at), needle.data, needle.len)) != NULL; at++, flips++) {
        uint8_t flipped = at[offset] ^ 0x10;

        assert_int_equal(pwrite(fd, &flipped, 1, at - bytes + offset), 1);
    }
    assert_true(flips > 0);
    close(fd);
    free(bytes);
}

void fixture_flip_payload(struct fixture *fixture, uint64_t seed, size_t at)
{
    uint8_t *payload = malloc(at + 64);

    assert_non_null(payload);
    fixture_fill(payload, seed, at + 64);
    fixture_flip(fixture, slice_of(payload + at, 32), 7);
    free(payload);
}

void fixture_flip_header(struct fixture *fixture, uint64_t seq, uint64_t seed, size_t len, uint32_t index)
{
    uint8_t header[SPOOL_PART_HEADER_BYTES];
    struct spool_part part = fixture_part(seq, seed, len, spool_part_bytes_max(SPOOL_PART_PAGES), index);

    spool_part_encode(header, &part);
    fixture_flip(fixture, slice_of(header, 52), 40);
}
