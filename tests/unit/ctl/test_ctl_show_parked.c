/*
 * test_ctl_show_parked.c - one parked entry, and the bytes of requests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_run_fixture.h"

/* A batch of order, which is held; parked of it: 1:0 all of it, 1:3 a span, 1:4 what is no request, 1:5 without bytes. */
static int make_spool(void **state)
{
    static struct spool_fixture fixture;
    struct buf span;
    struct err err;

    setenv("COLUMNS", "100", 1);
    fixture_open_spool(&fixture);
    fixture_put_file(&fixture, "python-awkward-0012.pb", 1);
    fixture_read(&span, "python-awkward-0012.pb");
    struct spool_parked parked[] = {
        {.seq = 1,
         .index = 0,
         .whole = true,
         .reason = SPOOL_PARK_UNDECODABLE,
         .spans = 1,
         .parked_ns = 1,
         .text = "why"},
        fixture_refused(1, 3, "failed \033[31mvalidation", buf_slice(&span)),
        {.seq = 1,
         .index = 4,
         .reason = SPOOL_PARK_UNDECODABLE,
         .attempts = 2,
         .text = "no",
         .payload = slice_of_text("\377\377")},
        {.seq = 1, .index = 5, .reason = SPOOL_PARK_DAMAGED, .text = "a checksum is wrong"},
    };
    assert_int_equal(spool_writer_park(fixture.writer, parked, sizeof(parked) / sizeof(parked[0]), &err), 0);
    buf_fini(&span);
    *state = &fixture;
    return 0;
}

static void assert_begins(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)) != 0)
        assert_string_equal(text, start);
}

static void test_show_entry_says_why_and_all_that_it_holds(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", "1:3", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_string_equal(run.err, "");
    assert_begins(run.out, "parked 1:3  refused, code 121, tried once\nreceived 2023-11-14T22:13:20.000Z (");
    assert_contains(run.out, "\nfailed \\x1b[31mvalidation\n\nresource ");
    assert_contains(run.out, "\nscope ");
    assert_contains(run.out, "\nspan ");
    assert_contains(run.out, "\n  trace     ");
    run_free(&run);
}

static void test_show_entry_json_has_the_request_that_otlp_prints(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run json, otlp;

    RUN(&json, "show", "1:3", "--json", "--spool", fixture->path);
    RUN(&otlp, "show", "1:3", "--otlp", "--spool", fixture->path);
    assert_int_equal(json.status + otlp.status, CTL_OK);
    assert_begins(json.out, "{\"seq\":1,\"span_index\":3,\"whole\":false,\"reason\":\"refused\",\"code\":121,");
    assert_begins(otlp.out, "{\"resourceSpans\":[{\"resource\":");
    otlp.out[strlen(otlp.out) - 1] = '\0';
    const char *at = strstr(json.out, ",\"request\":");
    assert_non_null(at);
    assert_int_equal(strncmp(at + 11, otlp.out, strlen(otlp.out)), 0);
    assert_string_equal(at + 11 + strlen(otlp.out), "}\n");
    run_free(&json);
    run_free(&otlp);
}

static size_t take_bytes(const char *const *argv, char *bytes, size_t max, const char *path)
{
    FILE *pipe;
    char command[512];

    snprintf(command, sizeof(command), "'%s' show '%s' --raw --spool '%s'", TRACESPOOL, argv[0], path);
    pipe = popen(command, "re");
    assert_non_null(pipe);
    size_t len = fread(bytes, 1, max, pipe);
    assert_int_equal(pclose(pipe), 0);
    return len;
}

static void test_show_raw_is_what_was_sent(void **state)
{
    struct spool_fixture *fixture = *state;
    static char bytes[1 << 20];
    struct buf sent;

    fixture_read(&sent, "python-awkward-0012.pb");
    for (const char *const *id = (const char *const[]){"1", "1:3", "1:all", NULL}; *id != NULL; id++) {
        size_t len = take_bytes(id, bytes, sizeof(bytes), fixture->path);
        assert_int_equal(len, sent.len);
        assert_memory_equal(bytes, sent.data, len);
    }
    buf_fini(&sent);
}

static void test_show_entry_of_a_whole_batch_points_to_it(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run entry, batch;

    RUN(&entry, "show", "1:all", "--spool", fixture->path);
    assert_int_equal(entry.status, CTL_OK);
    assert_contains(entry.out, "parked 1:all  undecodable\nparked 1970-01-01T00:00:00.000Z (");
    assert_contains(entry.out, "\nwhy\nthe batch is held; `tracespool show 1` shows it\n");
    run_free(&entry);
    RUN(&entry, "show", "1:all", "--json", "--spool", fixture->path);
    assert_int_equal(entry.status, CTL_OK);
    assert_contains(entry.out, ",\"whole\":true,");
    assert_contains(entry.out, ",\"request\":null}\n");
    run_free(&entry);
    RUN(&entry, "show", "1:0", "--otlp", "--spool", fixture->path);
    RUN(&batch, "show", "1", "--otlp", "--spool", fixture->path);
    assert_ran(&entry, CTL_OK, batch.out, "");
    run_free(&batch);
}

static void test_export_of_what_is_parked_whole_is_the_batch(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run named, batch;

    RUN(&batch, "show", "1", "--otlp", "--spool", fixture->path);
    for (const char *const *id = (const char *const[]){"1:all", "1:0", NULL}; *id != NULL; id++) {
        RUN(&named, "export", *id, "--spool", fixture->path);
        assert_int_equal(named.status, CTL_OK);
        assert_string_equal(named.out, batch.out);
        run_free(&named);
    }
    run_free(&batch);
}

static void test_show_entry_that_is_damaged_makes_it_2(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", "1:5", "--spool", fixture->path);
    assert_ran(&run, CTL_PARTIAL, "parked 1:5  damaged\na checksum is wrong\n",
               "tracespool show: parked entry 1:5 cannot be read: a checksum is wrong\n");
    for (const char *const *form = (const char *const[]){"--otlp", "--raw", NULL}; *form != NULL; form++) {
        RUN(&run, "show", "1:5", *form, "--spool", fixture->path);
        assert_ran(&run, CTL_PARTIAL, "", "tracespool show: parked entry 1:5 cannot be read: a checksum is wrong\n");
    }
    RUN(&run, "show", "1:4", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_string_equal(run.out, "parked 1:4  undecodable, tried 2 times\nno\n");
    run_free(&run);
    RUN(&run, "show", "1:4", "--json", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.out, ",\"request\":null}\n");
    run_free(&run);
}

static void test_show_entry_that_is_not_there_is_told(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", "1:6", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool show: nothing is parked at 1:6; `tracespool ls --parked` lists what is\n");
    RUN(&run, "show", "9", "--raw", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool show: 9: there is no such batch; the newest is 1\n");
    RUN(&run, "show", "7:all", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool show: nothing is parked at 7:all; `tracespool ls --parked` lists what is\n");
}

static void test_show_all_of_a_batch_that_is_not_parked_whole_counts(void **state)
{
    struct spool_fixture *fixture = *state;
    struct spool_parked parked = {
        .seq = 2, .reason = SPOOL_PARK_REFUSED, .spans = 1, .text = "no", .payload = slice_of_text("x")};
    struct err err;
    struct run run;

    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    parked.index = 9;
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    RUN(&run, "show", "2:all", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool show: 2:all: the batch is not parked as a whole; 2:N shows a span that is\n"
               "tracespool show: 2 spans of it are parked; `tracespool ls --parked` lists what is\n");
    RUN(&run, "show", "1", "--spool", fixture->path);
    assert_contains(run.out, "\nparked as a whole; `tracespool show 1:all` says why\n");
    run_free(&run);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_spool, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_show_entry_says_why_and_all_that_it_holds),
        TEST(test_show_entry_json_has_the_request_that_otlp_prints),
        TEST(test_show_raw_is_what_was_sent),
        TEST(test_show_entry_of_a_whole_batch_points_to_it),
        TEST(test_show_entry_that_is_damaged_makes_it_2),
        TEST(test_export_of_what_is_parked_whole_is_the_batch),
        TEST(test_show_entry_that_is_not_there_is_told),
        TEST(test_show_all_of_a_batch_that_is_not_parked_whole_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
