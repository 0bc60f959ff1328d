/*
 * test_flush.c - the flusher between a real spool and a fake sink.
 */
#include "flush_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "metrics.h"

static struct slice read_capture(const char *name)
{
    char path[512];
    struct stat info;
    void *data = NULL;
    int fd;

    snprintf(path, sizeof(path), "%s/otlp/%s", TEST_DATA_DIR, name);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    if (info.st_size > 0) {
        data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        assert_ptr_not_equal(data, MAP_FAILED);
    }
    close(fd);
    return slice_of(data, (size_t)info.st_size);
}

static void drop_capture(struct slice capture)
{
    if (capture.len > 0)
        munmap((void *)capture.data, capture.len);
}

/* python-awkward-0013 is python-awkward-0012 again, as a retry sends it: one fragment of one span. */
#define CAPTURES_AGAIN 1

/*
 * Puts every capture, compressed as the receiver would.  Returns the number of
 * different spans in their fragments.
 */
static uint64_t put_captures(struct fixture *f)
{
    DIR *dir = opendir(TEST_DATA_DIR "/otlp");
    struct dirent *entry;
    uint64_t spans = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct otlp_fragment *fragments;
        struct slice capture;
        struct otlp_index index;
        struct arena arena;
        struct buf stored;
        struct err err = {0};
        size_t count;

        if (strstr(entry->d_name, ".pb") == NULL)
            continue;
        capture = read_capture(entry->d_name);
        if (capture.len == 0)
            continue;
        arena_init(&arena, REQUEST_MAX);
        buf_init(&stored, REQUEST_MAX);
        fixture_must(otlp_index_build(&index, &arena, capture, &err), &err);
        fixture_must(otlp_fragment_build(&fragments, &count, &arena, &index, 0, &err), &err);
        for (size_t i = 0; i < count; i++)
            spans += fragments[i].span_count;
        fixture_must(otlp_codec_deflate(OTLP_CODEC_ZSTD, capture, &stored, &err), &err);
        fixture_put(f, buf_slice(&stored), OTLP_CODEC_ZSTD, index.by_validity[OTLP_VALID]);
        buf_fini(&stored);
        arena_fini(&arena);
        drop_capture(capture);
    }
    closedir(dir);
    assert_true(spans > 8000);
    return spans - CAPTURES_AGAIN;
}

/* --- conditions -------------------------------------------------------------- */

static bool misconfigured(struct fixture *f, const struct spool_stat *stat)
{
    (void)f;
    return stat->delivery.state == SPOOL_DELIVERY_MISCONFIGURED;
}

static bool flowing(struct fixture *f, const struct spool_stat *stat)
{
    (void)f;
    return stat->delivery.state == SPOOL_DELIVERY_FLOWING;
}

/* --- tests ------------------------------------------------------------------ */

static void test_every_capture_is_delivered_once(void **state)
{
    struct fixture *f = *state;
    uint64_t spans = put_captures(f);
    struct spool_stat stat;

    fixture_start(f, FLUSH_BOTH, 2, 100);
    stat = fixture_until(f, nothing_pending, "everything is delivered");
    assert_int_equal(f->sink.spans, spans);
    assert_int_equal(f->sink.again, CAPTURES_AGAIN);
    assert_in_range(f->sink.largest_write, 50, 100);
    assert_int_equal(stat.parked_entries, 0);
    fixture_until(f, flowing, "flowing is noted");
}

static void test_live_puts_are_delivered_while_running(void **state)
{
    struct fixture *f = *state;
    uint64_t spans;

    fixture_start(f, FLUSH_BOTH, 3, 1000);
    spans = put_captures(f);
    fixture_until(f, nothing_pending, "everything is delivered");
    assert_int_equal(f->sink.spans, spans);
    assert_int_equal(f->sink.again, CAPTURES_AGAIN);
}

static void test_failed_writes_are_repeated_until_answered(void **state)
{
    struct fixture *f = *state;
    uint64_t spans = put_captures(f);
    struct spool_stat stat;

    f->sink.fail_writes = 4;
    f->sink.fail_class = ERR_RETRY;
    f->sink.fail_opens = 1;
    fixture_start(f, FLUSH_BOTH, 2, 100);
    stat = fixture_until(f, nothing_pending, "everything is delivered");
    assert_int_equal(f->sink.spans, spans);
    assert_int_equal(f->sink.failed_writes, 4);
    stat = fixture_until(f, flowing, "flowing is noted");
    assert_string_equal(stat.delivery.text, "");
    assert_int_equal(stat.delivery.attempts, 0);
    assert_true(stat.delivery.last_ok_ns > 0);
}

static void test_full_spool_gets_the_note_later_and_mongodb_nothing_twice(void **state)
{
    struct fixture *fixture = *state;
    struct spool_stat stat;

    fixture_put_numbers(fixture, 1, 11);
    fault_arm("spool.delivered", 1, ENOSPC);
    fixture_start(fixture, FLUSH_OLDEST_FIRST, 1, 1000);
    stat = fixture_until(fixture, nothing_pending, "the note to be made");
    fixture_stop(fixture);
    assert_int_equal(stat.delivered_spans, 10);
    assert_int_equal(fixture->sink.count, 10);
    assert_int_equal(fixture->sink.again, 0);
    assert_int_equal(stat.delivery.state, SPOOL_DELIVERY_FLOWING);
}

static void test_outage_is_noted_and_stop_ends_a_backoff(void **state)
{
    struct fixture *f = *state;
    uint64_t spans = put_captures(f);
    struct spool_stat stat;
    uint64_t records;

    f->sink.fail_writes = UINT32_MAX;
    f->sink.fail_class = ERR_RETRY;
    fixture_start(f, FLUSH_BOTH, 2, 100);
    stat = fixture_until(f, backing_off, "the outage is noted");
    assert_string_equal(stat.delivery.text, "the sink is away");
    records = stat.pending_records;
    assert_true(records > 50);
    fixture_stop(f);

    fixture_close(f);
    fixture_open(f);
    f->sink.fail_writes = 0;
    fixture_start(f, FLUSH_BOTH, 2, 100);
    fixture_until(f, nothing_pending, "what was left is delivered after a restart");
    assert_int_equal(f->sink.spans, spans);
}

static void test_misconfiguration_is_noted_and_stop_ends_its_wait(void **state)
{
    struct fixture *f = *state;
    struct spool_stat stat;

    put_captures(f);
    f->sink.fail_writes = UINT32_MAX;
    f->sink.fail_class = ERR_CONFIG;
    fixture_start(f, FLUSH_BOTH, 1, 100);
    stat = fixture_until(f, misconfigured, "the misconfiguration is noted");
    assert_string_equal(stat.delivery.text, "the sink is away");
    assert_true(stat.pending_records > 50);
    fixture_stop(f); /* would take 30 s if it waited */
}

/* The first span of a capture whose fragment has several. */
static uint32_t find_span(const struct otlp_fragment *fragments, size_t count, uint32_t least_spans)
{
    for (size_t i = 0; i < count; i++) {
        if (fragments[i].span_count >= least_spans)
            return fragments[i].spans[1];
    }
    fail_msg("no fragment of %u spans", least_spans);
    return 0;
}

static void test_refused_span_is_parked_and_its_neighbours_stored(void **state)
{
    struct fixture *f = *state;
    struct slice capture = read_capture("java-0002.pb");
    struct otlp_fragment *fragments;
    struct spool_parked parked[4];
    struct otlp_index index, again;
    struct spool_stat stat;
    struct arena arena;
    struct err err = {0};
    size_t count, parked_count;
    uint32_t span;

    arena_init(&arena, REQUEST_MAX);
    fixture_must(otlp_index_build(&index, &arena, capture, &err), &err);
    fixture_must(otlp_fragment_build(&fragments, &count, &arena, &index, 0, &err), &err);
    span = find_span(fragments, count, 3);
    memcpy(f->sink.refused_span_id, index.spans[span].span_id, OTLP_SPAN_ID_BYTES);
    f->sink.refuses = true;

    fixture_put(f, capture, OTLP_CODEC_IDENTITY, index.span_count);
    fixture_start(f, FLUSH_BOTH, 1, 2); /* two documents a write, so the refused fragment's spans take several */
    stat = fixture_until(f, nothing_pending, "the batch is done");
    assert_int_equal(stat.parked_entries, 1);
    assert_int_equal(f->sink.spans, index.span_count - 1);

    fixture_must(spool_list_parked(f->spool, 0, 0, 4, &arena, parked, &parked_count, &err), &err);
    assert_int_equal(parked_count, 1);
    assert_int_equal(parked[0].reason, SPOOL_PARK_REFUSED);
    assert_int_equal(parked[0].code, 121);
    assert_int_equal(parked[0].index, span);
    assert_string_equal(parked[0].text, "Document failed validation");
    fixture_must(otlp_index_build(&again, &arena, parked[0].payload, &err), &err);
    assert_int_equal(again.span_count, 1);
    assert_true(slice_equal(again.spans[0].bytes, index.spans[span].bytes));
    assert_true(slice_equal(again.resources[0].bytes, index.resources[0].bytes));
    arena_fini(&arena);
    drop_capture(capture);
}

/* Many at a time: a write takes the spans of several refused fragments, a transaction many that are parked. */
static void test_many_refused_spans_cost_few_writes_and_commits(void **state)
{
    struct fixture *f = *state;
    struct slice capture = read_capture("java-0002.pb");
    uint64_t refused = 0, commits, numbered = 2000;
    struct otlp_index index;
    struct spool_stat stat;
    struct arena arena;
    struct err err = {0};

    arena_init(&arena, REQUEST_MAX);
    fixture_must(otlp_index_build(&index, &arena, capture, &err), &err);
    f->sink.refused_every = 2;
    for (uint32_t i = 0; i < index.span_count; i++)
        refused += (index.spans[i].span_id[OTLP_SPAN_ID_BYTES - 1] & 1) == 0;
    fixture_put(f, capture, OTLP_CODEC_IDENTITY, index.span_count);
    fixture_put_numbers(f, 1, numbered + 1);
    commits = metrics_get(METRIC_SPOOL_COMMITS);
    fixture_start(f, FLUSH_OLDEST_FIRST, 1, 1000);
    stat = fixture_until(f, nothing_pending, "the batches are done");
    commits = metrics_get(METRIC_SPOOL_COMMITS) - commits;
    assert_true(refused > 10 && refused < index.span_count);
    assert_int_equal(stat.parked_entries, refused + numbered / 2);
    assert_int_equal(f->sink.spans, index.span_count - refused + numbered / 2);
    assert_true(f->sink.write_count <= 12); /* 3 batches or 4, and the capture's spans one by one */
    assert_in_range(commits, 1, 30);
    arena_fini(&arena);
    drop_capture(capture);
}

static void test_undecodable_record_is_parked_whole(void **state)
{
    struct fixture *f = *state;
    struct slice capture = read_capture("java-0001.pb");
    static const char garbage[] = "this is no gzip stream";
    struct spool_parked parked[2];
    struct spool_record record;
    struct spool_stat stat;
    struct arena arena;
    struct err err = {0};
    size_t count;
    uint64_t seq;

    arena_init(&arena, REQUEST_MAX);
    seq = fixture_put(f, slice_of_text(garbage), OTLP_CODEC_GZIP, 7);
    fixture_put(f, capture, OTLP_CODEC_IDENTITY, 4);
    fixture_start(f, FLUSH_BOTH, 1, 100);
    stat = fixture_until(f, nothing_pending, "both batches are done");
    assert_int_equal(stat.parked_entries, 1);
    assert_int_equal(f->sink.spans, 4);
    fixture_must(spool_list_parked(f->spool, 0, 0, 2, &arena, parked, &count, &err), &err);
    assert_int_equal(parked[0].seq, seq);
    assert_int_equal(parked[0].spans, 7);
    assert_int_equal(parked[0].reason, SPOOL_PARK_UNDECODABLE);
    assert_non_null(strstr(parked[0].text, "gzip"));
    assert_true(parked[0].whole);
    assert_int_equal(parked[0].payload.len, 0);
    assert_int_equal(stat.held_records, 1);
    assert_int_equal(spool_read(f->spool, seq, &arena, &record, &err), 1);
    assert_int_equal(record.state, SPOOL_HELD);
    assert_true(slice_equal(record.payload, slice_of_text(garbage)));
    arena_fini(&arena);
    drop_capture(capture);
}

/* Flips a byte of `needle` in the spool's data file, under LMDB's feet. */
static void damage(const char *path, const char *needle)
{
    char file[128];
    struct stat info;
    uint8_t *data, *at;
    int fd;

    snprintf(file, sizeof(file), "%s/data.mdb", path);
    fd = open(file, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    data = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(data, MAP_FAILED);
    at = memmem(data, (size_t)info.st_size, needle, strlen(needle));
    assert_non_null(at);
    at[3] ^= 1;
    munmap(data, (size_t)info.st_size);
    close(fd);
}

static void test_damaged_record_is_parked_and_never_sent(void **state)
{
    struct fixture *f = *state;
    struct slice capture = read_capture("java-0001.pb");
    struct spool_parked parked[2];
    struct spool_stat stat;
    struct arena arena;
    struct err err = {0};
    size_t count;

    arena_init(&arena, REQUEST_MAX);
    fixture_put(f, slice_of_text("needle in the data file"), OTLP_CODEC_IDENTITY, 1);
    fixture_put(f, capture, OTLP_CODEC_IDENTITY, 4);
    damage(f->path, "needle in the data file");
    fixture_start(f, FLUSH_BOTH, 1, 100);
    stat = fixture_until(f, nothing_pending, "both batches are done");
    assert_int_equal(stat.parked_entries, 1);
    assert_int_equal(f->sink.spans, 4);
    fixture_must(spool_list_parked(f->spool, 0, 0, 2, &arena, parked, &count, &err), &err);
    assert_int_equal(parked[0].reason, SPOOL_PARK_DAMAGED);
    assert_true(parked[0].whole);
    assert_int_equal(stat.held_records, 1);
    assert_string_equal(parked[0].text, "the record is damaged: its checksum does not match");
    arena_fini(&arena);
    drop_capture(capture);
}

static void test_records_without_spans_are_done(void **state)
{
    struct fixture *f = *state;
    struct slice bad_ids = slice_of("\x0a\x04\x12\x02\x12\x00", 6); /* one span without ids */

    fixture_put(f, bad_ids, OTLP_CODEC_IDENTITY, 0);
    fixture_put(f, slice_of(NULL, 0), OTLP_CODEC_IDENTITY, 0);
    fixture_start(f, FLUSH_BOTH, 1, 100);
    fixture_until(f, nothing_pending, "both batches are done");
    assert_int_equal(f->sink.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_every_capture_is_delivered_once),
        TEST(test_live_puts_are_delivered_while_running),
        TEST(test_failed_writes_are_repeated_until_answered),
        TEST(test_full_spool_gets_the_note_later_and_mongodb_nothing_twice),
        TEST(test_outage_is_noted_and_stop_ends_a_backoff),
        TEST(test_misconfiguration_is_noted_and_stop_ends_its_wait),
        TEST(test_refused_span_is_parked_and_its_neighbours_stored),
        TEST(test_many_refused_spans_cost_few_writes_and_commits),
        TEST(test_undecodable_record_is_parked_whole),
        TEST(test_damaged_record_is_parked_and_never_sent),
        TEST(test_records_without_spans_are_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
