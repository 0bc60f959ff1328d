/*
 * test_ctl_salvage.c - what is intact in a file goes to a receiver, or into a file that `send` reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_receiver_fixture.h"

#define AN_ORDER "collector-batch-0001.pb"
#define KOREAN "python-awkward-0015.pb"

/* A spool at rest that is salvaged, and where it goes to. */
struct fixture {
    struct spool_fixture damaged;
    struct receiver_fixture target;
    char data[128];
    char output[128];
};

static void park(struct spool_fixture *spool, const char *name)
{
    struct spool_parked parked = {.seq = 1, .index = 3, .reason = SPOOL_PARK_REFUSED, .text = "no", .spans = 1};
    struct buf payload;
    struct err err;

    fixture_read(&payload, name);
    parked.payload = buf_slice(&payload);
    assert_int_equal(spool_writer_park(spool->writer, &parked, 1, &err), 0);
    buf_fini(&payload);
}

/* Two batches, one of them delivered, and a parked span. */
static int setup(void **state)
{
    static struct fixture fixture;

    fixture_open_spool(&fixture.damaged);
    fixture_deliver(&fixture.damaged, fixture_put_file(&fixture.damaged, AN_ORDER, 4));
    fixture_put_file(&fixture.damaged, KOREAN, 2);
    park(&fixture.damaged, "python-awkward-0012.pb");
    fixture_stop_spool(&fixture.damaged);
    snprintf(fixture.data, sizeof(fixture.data), "%s/data.mdb", fixture.damaged.path);
    snprintf(fixture.output, sizeof(fixture.output), "%s/out.pb", fixture.damaged.path);
    fixture_start_receiver(&fixture.target);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    fixture_stop_receiver(&fixture->target);
    fixture_remove_spool(&fixture->damaged);
    return 0;
}

static void put_raw(struct fixture *fixture, struct slice payload, uint64_t raw_bytes, uint8_t codec)
{
    struct spool_options options = {.path = fixture->damaged.path, .size_bytes = 64UL << 20, .history_ns = UINT64_MAX};
    struct err err;

    assert_int_equal(spool_open(&fixture->damaged.spool, &options, &err), 0);
    assert_int_equal(spool_writer_start(&fixture->damaged.writer, fixture->damaged.spool, fixture_fatal, &err), 0);
    fixture_put(&fixture->damaged, payload, raw_bytes, codec, 9);
    fixture_stop_spool(&fixture->damaged);
}

/* Changes a byte of the first part of the batch, found by the header's magic and number. */
static void damage_batch(struct fixture *fixture, uint8_t seq)
{
    uint8_t needle[16] = {'T', 'S', 'P', 'R', 1, OTLP_CODEC_ZSTD, 1, 0, seq};
    struct stat stat;
    int fd = open(fixture->data, O_RDWR);
    unsigned found = 0;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &stat), 0);
    uint8_t *data = malloc((size_t)stat.st_size);
    assert_non_null(data);
    assert_int_equal(pread(fd, data, (size_t)stat.st_size, 0), stat.st_size);
    for (uint8_t *at = data; (at = memmem(at, (size_t)(data + stat.st_size - at), needle, sizeof(needle))) != NULL;
         at++, found++) {
        uint8_t byte = at[100] ^ 1;

        assert_int_equal(pwrite(fd, &byte, 1, at + 100 - data), 1);
    }
    assert_true(found > 0);
    free(data);
    close(fd);
}

/* --- sending ------------------------------------------------------------------ */

static void test_salvage_sends_all_that_is_intact(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    RUN(&run, "salvage", "--endpoint", fixture->target.endpoint, fixture->data);
    assert_string_equal(run.err, "");
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "/data.mdb: searched ");
    assert_contains(run.out, ", found 2 whole batches and 1 parked entry\n");
    assert_contains(run.out, "3 requests with 7 spans, ");
    assert_contains(run.out, ": 3 sent to 127.0.0.1:");
    assert_int_equal(fixture_received(&fixture->target), 3);
    run_free(&run);
}

static void test_salvage_of_a_directory_takes_its_data(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    RUN(&run, "--json", "salvage", "--endpoint", fixture->target.endpoint, fixture->damaged.path);
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "/data.mdb\",\"file_bytes\":");
    assert_contains(run.out, "\"unreadable_bytes\":0,\"batches\":2,\"multi_part_batches\":0,\"parked_entries\":1,"
                             "\"parked_whole_batches\":0,\"damaged_parts\":0,\"incomplete\":0,\"incomplete_seqs\":[],"
                             "\"undecodable\":0,\"requests\":3,");
    assert_contains(run.out, "\"spans\":7,\"dry_run\":false,\"endpoint\":\"127.0.0.1:");
    assert_contains(run.out, "\"output\":null,\"written\":0,\"sent\":3,\"refused\":0,\"error\":null}\n");
    run_free(&run);
}

static void test_salvage_names_what_is_not_whole(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    damage_batch(fixture, 1);
    RUN(&run, "salvage", "--endpoint", fixture->target.endpoint, fixture->data);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.out, "found 1 whole batch and 1 parked entry\n");
    assert_contains(run.out, "1 other is not whole, a part is damaged, or was written over long after delivery: 1\n");
    assert_contains(run.out, "2 requests with 3 spans, ");
    assert_int_equal(fixture_received(&fixture->target), 2);
    run_free(&run);
}

static void test_salvage_dry_run_sends_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    RUN(&run, "salvage", "--dry-run", fixture->data);
    assert_string_equal(run.err, "");
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, ": not sent (--dry-run)\n");
    assert_int_equal(fixture_received(&fixture->target), 0);
    run_free(&run);
}

static void test_salvage_names_what_is_refused_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    put_raw(fixture, slice_of_text("\377\377\377\377"), 4, OTLP_CODEC_IDENTITY); /* no request */
    put_raw(fixture, slice_of_text("no zstd"), 70, OTLP_CODEC_ZSTD);
    RUN(&run, "salvage", "--endpoint", fixture->target.endpoint, fixture->data);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.err, "tracespool salvage: batch 3: INVALID_ARGUMENT: ");
    assert_contains(run.err, "tracespool salvage: batch 4: it cannot be read: ");
    assert_contains(run.out, "1 of the batches cannot be decompressed\n");
    assert_contains(run.out, ": 3 sent to ");
    assert_contains(run.out, ", 1 refused\n");
    assert_int_equal(fixture_received(&fixture->target), 3);
    run_free(&run);
}

static void test_salvage_to_nobody_ends_and_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    RUN(&run, "salvage", "--endpoint", "127.0.0.1:1", "--retry-for", "0", fixture->data);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "tracespool salvage: batch 1: UNAVAILABLE: ");
    assert_contains(run.out, "This is not all: salvage it again, nothing is stored twice.\n");
    run_free(&run);
    RUN(&run, "--json", "salvage", "--endpoint", "127.0.0.1:1", "--retry-for", "0", fixture->data);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.out, "\"sent\":0,\"refused\":0,\"error\":\"batch 1: UNAVAILABLE: ");
    run_free(&run);
}

/* --- into a file ---------------------------------------------------------------- */

static void test_salvage_into_a_file_that_is_sent(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    RUN(&run, "salvage", "--output", fixture->output, fixture->data);
    assert_string_equal(run.err, "");
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, ": 3 written to ");
    run_free(&run);
    RUN(&run, "send", "--endpoint", fixture->target.endpoint, fixture->output);
    assert_string_equal(run.err, "");
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "/out.pb, message 1: OK (");
    assert_contains(run.out, "/out.pb, message 3: OK (");
    assert_contains(run.out, "3 requests to ");
    assert_int_equal(fixture_received(&fixture->target), 3);
    run_free(&run);
    /* It is not written over. */
    RUN(&run, "salvage", "--output", fixture->output, fixture->data);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "/out.pb is already there, and nothing is written over it\n");
    assert_string_equal(run.out, "");
    run_free(&run);
}

/* The first message is the first request to the byte, after its length. */
static void test_salvage_to_standard_output(void **state)
{
    struct fixture *fixture = *state;
    struct buf request;
    struct run run;

    fixture_read(&request, AN_ORDER);
    RUN(&run, "salvage", "--output", "-", fixture->data);
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.err, ": 3 written to -\n");
    assert_int_equal(run.out[0], 0);
    assert_int_equal((uint8_t)run.out[2] << 8 | (uint8_t)run.out[3], request.len);
    assert_memory_equal(run.out + 4, request.data, request.len);
    buf_fini(&request);
    run_free(&run);
}

static void test_salvage_that_cannot_write_leaves_no_file(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    RUN(&run, "salvage", "--output", "/nowhere/out.pb", fixture->data);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "cannot make /nowhere/out.pb: No such file or directory\n");
    run_free(&run);
    /* Nothing found: no empty file either. */
    RUN(&run, "salvage", "--output", fixture->output, FILE_OF("java-0001.pb"));
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "nothing of a spool is in ");
    assert_int_equal(access(fixture->output, F_OK), -1);
    run_free(&run);
}

static void test_salvage_that_cannot_begin_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    RUN(&run, "salvage");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool salvage: takes one file: a spool's data.mdb, or the directory that it is in\n");
    RUN(&run, "salvage", "--output", "x", "--endpoint", "a:1", "y");
    assert_ran(&run, CTL_FAILED, "", "tracespool salvage: takes --output or --endpoint, not both\n");
    RUN(&run, "salvage", "--dry-run", "/nowhere");
    assert_ran(&run, CTL_FAILED, "", "tracespool salvage: cannot open /nowhere: No such file or directory\n");
    RUN(&run, "salvage", "--endpoint", "nowhere", fixture->data);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "\"nowhere\" is no endpoint");
    run_free(&run);
    RUN(&run, "salvage", "--timeout", "0", "x");
    assert_ran(&run, CTL_FAILED, "", "tracespool salvage: --timeout takes a duration of 1ms to 1h, not \"0\"\n");
}

/* --- check ------------------------------------------------------------------------ */

static void test_check_of_a_sound_spool(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    setenv("COLUMNS", "100", 1);
    RUN(&run, "check", "--spool", fixture->damaged.path);
    assert_string_equal(run.err, "");
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "structure  sound; ");
    assert_contains(run.out, "batches    2 read, ");
    assert_contains(run.out, ": 1 pending, 0 held, 1 history\n");
    assert_contains(run.out, "parked     1 entry\ncounters   compared\nresult     sound\n");
    run_free(&run);
    RUN(&run, "--json", "check", "--spool", fixture->damaged.path);
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "\"sound\":true,\"daemon_running\":false,\"structure_checked\":true,"
                             "\"structure_note\":null,");
    assert_contains(run.out, "\"counters_compared\":true,\"finding_count\":0,\"findings\":[],\"error\":null}\n");
    run_free(&run);
}

static void test_check_beside_a_daemon_says_so(void **state)
{
    struct fixture *fixture = *state;
    char process[64];
    struct run run;

    RUN(&run, "check", "--spool", fixture->target.spool.path);
    assert_int_equal(run.status, CTL_OK);
    snprintf(process, sizeof(process), ", beside the daemon, process %d\n", (int)getpid());
    assert_contains(run.out, process);
    assert_contains(run.out, "result     sound\n");
    run_free(&run);
}

static void test_check_names_what_is_damaged(void **state)
{
    struct fixture *fixture = *state;
    struct run run;

    setenv("COLUMNS", "100", 1);
    damage_batch(fixture, 1);
    RUN(&run, "check", "--spool", fixture->damaged.path);
    assert_string_equal(run.err, "");
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.out, "! batch 1: the checksum of part 0 of 1 is wrong; it is delivered already: nothing is "
                             "lost\n");
    assert_contains(run.out, "           1 damaged\n");
    assert_contains(run.out, "result     1 thing is wrong\n\nWhat else is in the spool is not affected.");
    run_free(&run);
    RUN(&run, "--json", "check", "--spool", fixture->damaged.path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.out, "\"sound\":false,");
    assert_contains(run.out, "\"findings\":[{\"kind\":\"batch\",\"seq\":1,\"known\":false,\"text\":\"batch 1: ");
    run_free(&run);
}

static void test_check_of_a_damaged_structure_says_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    struct run run;
    uint8_t zeros[8192] = {0};
    int fd = open(fixture->data, O_WRONLY);

    assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 0), sizeof(zeros)); /* both meta pages */
    close(fd);
    RUN(&run, "check", "--spool", fixture->damaged.path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.out, "structure  damaged: nothing else was looked at\nresult     1 thing is wrong\n");
    assert_contains(run.out, "moves a file like this aside");
    run_free(&run);
    RUN(&run, "salvage", "--endpoint", fixture->target.endpoint, fixture->data);
    assert_int_equal(run.status, CTL_OK);
    assert_int_equal(fixture_received(&fixture->target), 3);
    run_free(&run);
}

static void test_check_that_cannot_begin_is_told(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "check", "x");
    assert_ran(&run, CTL_FAILED, "", "tracespool check: takes no operand; --spool DIR names another spool\n");
    RUN(&run, "check", "--spool", "/nowhere");
    assert_ran(&run, CTL_FAILED, "", "tracespool check: no spool at /nowhere: is this the spool.path of the daemon?\n");
    RUN(&run, "--json", "check", "--spool", "/nowhere");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.out, "\"sound\":false,");
    assert_contains(run.out, "\"error\":\"no spool at /nowhere: ");
    run_free(&run);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_salvage_sends_all_that_is_intact),
        TEST(test_salvage_of_a_directory_takes_its_data),
        TEST(test_salvage_names_what_is_not_whole),
        TEST(test_salvage_dry_run_sends_nothing),
        TEST(test_salvage_names_what_is_refused_and_goes_on),
        TEST(test_salvage_to_nobody_ends_and_says_so),
        TEST(test_salvage_into_a_file_that_is_sent),
        TEST(test_salvage_to_standard_output),
        TEST(test_salvage_that_cannot_write_leaves_no_file),
        TEST(test_salvage_that_cannot_begin_is_told),
        TEST(test_check_of_a_sound_spool),
        TEST(test_check_beside_a_daemon_says_so),
        TEST(test_check_names_what_is_damaged),
        TEST(test_check_of_a_damaged_structure_says_what_to_do),
        cmocka_unit_test(test_check_that_cannot_begin_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
