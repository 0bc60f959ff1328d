/*
 * test_ctl_ls.c - the lists, against a real spool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_run_fixture.h"

/* Three batches, the first delivered: 1 order, 2 twelve services, 3 with a Korean service. */
static int make_spool(void **state)
{
    static struct spool_fixture fixture;

    unsetenv("COLUMNS");
    fixture_open_spool(&fixture);
    fixture_deliver(&fixture, fixture_put_file(&fixture, "collector-batch-0001.pb", 4));
    fixture_put_file(&fixture, "python-awkward-0008.pb", 137);
    fixture_put_file(&fixture, "python-awkward-0015.pb", 2);
    *state = &fixture;
    return 0;
}

/* How many lines, and line `number` from 0 at the start of the returned text. */
static size_t lines(const char *text, size_t number, const char **line)
{
    size_t count = 0;

    *line = "";
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
        if (count++ == number)
            *line = at;
    }
    return count;
}

static void test_ls_lists_what_is_pending_newest_last(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    const char *line;

    setenv("COLUMNS", "100", 1);
    RUN(&run, "ls", "--spool", fixture->path);
    assert_string_equal(run.err, "");
    assert_int_equal(run.status, CTL_OK);
    assert_int_equal(lines(run.out, 0, &line), 3);
    assert_true(strncmp(line, "   SEQ  RECEIVED                   AGE   SPANS   STORED  STATE     SERVICES\n", 75) ==
                0);
    lines(run.out, 1, &line);
    assert_true(strncmp(line, "     2  20", 10) == 0);
    assert_contains(line, "     137 ");
    assert_contains(line, "  pending   svc-00, svc-01, svc-02, svc-03, …\n");
    lines(run.out, 2, &line);
    assert_contains(line, "  pending   이상한 서비스\n");
    run_free(&run);
}

static void test_ls_all_lists_history_too(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    const char *line;

    RUN(&run, "ls", "--all", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 1, &line), 4);
    assert_contains(line, "  delivered order\n");
    run_free(&run);
}

static void test_ls_limit_lists_the_newest_and_says_so(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    const char *line;

    RUN(&run, "ls", "--limit", "1", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 1, &line), 3);
    assert_true(strncmp(line, "     3  20", 10) == 0);
    lines(run.out, 2, &line);
    assert_string_equal(line, "The newest 1 of 2 pending batches; --limit 0 lists all.\n");
    run_free(&run);
    RUN(&run, "ls", "--limit", "0", "--all", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 0, &line), 4);
    run_free(&run);
}

static void test_ls_json_is_a_line_a_batch(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    const char *line;

    RUN(&run, "--json", "ls", "--all", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 0, &line), 3);
    assert_true(strncmp(line, "{\"seq\":1,\"received_unix_ns\":1", 29) == 0);
    assert_contains(line, "\"spans\":4,\"stored_bytes\":");
    assert_contains(line, "\"request_bytes\":2942,\"state\":\"delivered\",\"services\":[\"order\"],\"error\":null,"
                          "\"attempts\":null,\"last_error\":null,\"parked_entries\":0}\n");
    lines(run.out, 2, &line);
    assert_contains(line, "\"state\":\"pending\",\"services\":[\"이상한 "
                          "서비스\"],\"error\":null,\"attempts\":null,\"last_error\":null,\"parked_entries\":0}\n");
    run_free(&run);
}

/* "1 2 3 " of the JSON lines. */
static const char *seqs(const char *out)
{
    static char text[256];

    text[0] = '\0';
    for (const char *at = out; (at = strstr(at, "{\"seq\":")) != NULL; at += 7)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%ld ", strtol(at + 7, NULL, 10));
    return text;
}

#define assert_lists(fixture, expected, ...)                                                                           \
    do {                                                                                                               \
        struct run list;                                                                                               \
        RUN(&list, "ls", "--json", "--spool", (fixture)->path, __VA_ARGS__);                                           \
        assert_string_equal(list.err, "");                                                                             \
        assert_string_equal(seqs(list.out), expected);                                                                 \
        run_free(&list);                                                                                               \
    } while (0)

static void hold(struct spool_fixture *fixture, const char *seq)
{
    struct run run;

    RUN(&run, "hold", seq, "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    run_free(&run);
}

static void test_ls_lists_what_each_state_has(void **state)
{
    struct spool_fixture *fixture = *state;

    fixture_stop_spool(fixture);
    hold(fixture, "3");
    assert_lists(fixture, "2 3 ", "--limit", "0");
    assert_lists(fixture, "2 ", "--pending");
    assert_lists(fixture, "3 ", "--held");
    assert_lists(fixture, "1 ", "--history");
    assert_lists(fixture, "1 3 ", "--history", "--held");
    assert_lists(fixture, "1 2 3 ", "--all");
    assert_lists(fixture, "", "--damaged");
}

static void test_ls_lists_from_either_end(void **state)
{
    struct spool_fixture *fixture = *state;

    assert_lists(fixture, "3 2 1 ", "--all", "--reverse");
    assert_lists(fixture, "3 2 ", "--all", "--reverse", "--limit", "2");
    assert_lists(fixture, "1 2 ", "--all", "--oldest", "--limit", "2");
    assert_lists(fixture, "2 3 ", "--all", "--limit", "2");
    for (unsigned i = 0; i < 2 * CTL_PAGE_RECORDS; i++)
        fixture_put_file(fixture, "python-awkward-0012.pb", 1);
    assert_lists(fixture, "515 514 ", "--reverse", "--limit", "2");
}

static void test_ls_lists_what_a_service_sent(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    const char *line;

    fixture_put_file(fixture, "python-awkward-0008.pb", 137);
    assert_lists(fixture, "1 ", "--all", "--service", "order");
    assert_lists(fixture, "2 4 ", "--all", "--service", "svc-11");
    assert_lists(fixture, "4 ", "--all", "--service", "svc-11", "--limit", "1");
    assert_lists(fixture, "", "--all", "--service", "svc-1");
    RUN(&run, "ls", "--service", "svc-11", "--limit", "1", "--spool", fixture->path);
    lines(run.out, 2, &line);
    assert_string_equal(line, "The newest that matches; --limit 0 lists all.\n");
    run_free(&run);
    RUN(&run, "ls", "--service", "nobody", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "No pending batches match. `tracespool ls --all` lists history.\n", "");
}

static void test_ls_lists_what_was_received_in_time(void **state)
{
    struct spool_fixture *fixture = *state;

    assert_lists(fixture, "1 2 3 ", "--all", "--since", "1h");
    assert_lists(fixture, "", "--all", "--since", "2h", "--until", "1h");
    assert_lists(fixture, "1 2 3 ", "--all", "--since", "2h", "--until", "now");
}

static void test_ls_tells_why_a_batch_waits(void **state)
{
    struct spool_fixture *fixture = *state;
    struct spool_delivery delivery = {
        .state = SPOOL_DELIVERY_BACKING_OFF, .since_ns = 1, .attempts = 1234, .text = "nobody answers"};
    struct spool_parked whole = {.seq = 3,
                                 .whole = true,
                                 .reason = SPOOL_PARK_UNDECODABLE,
                                 .attempts = 1,
                                 .spans = 2,
                                 .parked_ns = 1,
                                 .received_ns = 1,
                                 .text = "not \033[31mprotobuf"};
    struct err err;
    struct run run;
    const char *line;

    assert_int_equal(spool_writer_note_delivery(fixture->writer, &delivery, &err), 0);
    assert_int_equal(spool_writer_park(fixture->writer, &whole, 1, &err), 0);
    RUN(&run, "ls", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 2, &line), 5);
    assert_true(strncmp(line, "        (tried 1,234 times: nobody answers)\n", 44) == 0);
    lines(run.out, 4, &line);
    assert_string_equal(line, "        (tried once: not \\x1b[31mprotobuf)\n");
    run_free(&run);
    RUN(&run, "ls", "--json", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 0, &line), 2);
    assert_contains(line, ",\"attempts\":1234,\"last_error\":\"nobody answers\",\"parked_entries\":0}\n");
    lines(run.out, 1, &line);
    assert_contains(line, ",\"attempts\":1,\"last_error\":\"not \\u001b[31mprotobuf\",\"parked_entries\":1}\n");
    run_free(&run);
}

static void test_ls_pages_through_more_than_a_page(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    const char *line;

    for (unsigned i = 0; i < 2 * CTL_PAGE_RECORDS; i++)
        fixture_put_file(fixture, "python-awkward-0012.pb", 1);
    RUN(&run, "ls", "--limit", "0", "--all", "--json", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 2 * CTL_PAGE_RECORDS + 2, &line), 2 * CTL_PAGE_RECORDS + 3);
    assert_true(strncmp(line, "{\"seq\":515,", 11) == 0);
    run_free(&run);
    /* The start is found backwards over a page's edge. */
    RUN(&run, "ls", "--limit", "300", "--json", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 0, &line), 300);
    assert_true(strncmp(line, "{\"seq\":216,", 11) == 0);
    run_free(&run);
    RUN(&run, "ls", "--limit", "10000", "--json", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 0, &line), 514);
    run_free(&run);
}

static void test_ls_passes_over_what_is_delivered_between(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    const char *line;

    for (unsigned i = 0; i < 300; i++)
        fixture_deliver(fixture, fixture_put_file(fixture, "python-awkward-0012.pb", 1));
    RUN(&run, "ls", "--limit", "2", "--json", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 0, &line), 2);
    assert_true(strncmp(line, "{\"seq\":2,", 9) == 0);
    run_free(&run);
}

static void test_ls_of_an_empty_spool(void **state)
{
    struct spool_fixture fixture;
    struct run run;

    (void)state;
    fixture_open_spool(&fixture);
    RUN(&run, "ls", "--spool", fixture.path);
    assert_ran(&run, CTL_OK, "No pending batches.\n", "");
    RUN(&run, "ls", "--json", "--spool", fixture.path);
    assert_ran(&run, CTL_OK, "", "");
    RUN(&run, "ls", "--parked", "--spool", fixture.path);
    assert_ran(&run, CTL_OK, "Nothing is parked.\n", "");
    fixture_deliver(&fixture, fixture_put_file(&fixture, "python-awkward-0012.pb", 1));
    RUN(&run, "ls", "--spool", fixture.path);
    assert_ran(&run, CTL_OK, "No pending batches. `tracespool ls --all` lists history.\n", "");
    fixture_remove_spool(&fixture);
}

static void test_ls_looks_without_a_daemon(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    const char *line;

    fixture_stop_spool(fixture);
    RUN(&run, "ls", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_int_equal(lines(run.out, 0, &line), 3);
    run_free(&run);
    RUN(&run, "status", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "daemon     not running\n");
    assert_contains(run.out, "pending    2 batches, 139 spans, ");
    run_free(&run);
}

static void test_ls_bytes_that_are_no_request_are_named_and_make_it_2(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_put(fixture, slice_of_text("\377\377\377\377"), 4, OTLP_CODEC_IDENTITY, 7);
    RUN(&run, "ls", "--json", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.out, "\"spans\":7,\"stored_bytes\":4,\"request_bytes\":4,\"state\":\"pending\",\"services\":[],"
                             "\"error\":\"");
    run_free(&run);
}

/* Flips a byte of the payload in the file, as a bad disk would. */
static void damage(struct spool_fixture *fixture, const char *marker)
{
    char path[128];
    struct stat stat;

    fixture_stop_spool(fixture);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &stat), 0);
    char *data = malloc((size_t)stat.st_size);
    assert_int_equal(pread(fd, data, (size_t)stat.st_size, 0), stat.st_size);
    char *at = memmem(data, (size_t)stat.st_size, marker, strlen(marker));
    assert_non_null(at);
    assert_int_equal(pwrite(fd, "X", 1, at - data), 1);
    free(data);
    close(fd);
}

static void test_ls_damaged_batch_is_listed_and_makes_it_2(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_put(fixture, slice_of_text("MARKER-OF-THIS-TEST"), 19, OTLP_CODEC_IDENTITY, 1);
    damage(fixture, "MARKER-OF-THIS-TEST");
    RUN(&run, "ls", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.out, "  damaged   a part is missing");
    run_free(&run);
    RUN(&run, "ls", "--damaged", "--json", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_string_equal(seqs(run.out), "4 ");
    run_free(&run);
    RUN(&run, "show", "4", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_string_equal(run.err, "tracespool show: batch 4 is damaged: a part is missing or its checksum is wrong\n");
    run_free(&run);
    /* A search goes past it, finds what there is, and says that it is not all. */
    RUN(&run, "show", "--from", "spool", "00000000000000000000000000000001", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "no span of trace 00000000000000000000000000000001 in the spool\n");
    assert_contains(run.err, "1 damaged batches or parked entries could not be looked through\n");
    run_free(&run);
}

static void test_ls_parked_lists_reason_code_and_text(void **state)
{
    struct spool_fixture *fixture = *state;
    struct err err;
    struct run run;
    const char *line;
    struct spool_parked parked = fixture_refused(2, 5, "Document failed \033[31mvalidation", slice_of_text("abc"));

    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    parked.index = 6;
    parked.text = "second";
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    RUN(&run, "ls", "--parked", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_int_equal(lines(run.out, 0, &line), 5);
    assert_true(strncmp(line, "           ID  PARKED                REASON        CODE   SPANS  WHY\n", 66) == 0);
    lines(run.out, 1, &line);
    assert_contains(line, "          2:5  2023-11-14T22:13:20Z  refused        121       1  Document failed");
    assert_contains(line, "\n(1 x refused, code 121: Document failed \\x1b[31mvalidation)\n"
                          "(1 x refused, code 121: second)\n");
    assert_null(strchr(run.out, '\033'));
    run_free(&run);
    RUN(&run, "ls", "--parked", "--limit", "1", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 1, &line), 3);
    assert_contains(line, "          2:6  ");
    assert_contains(line, "\nThe newest 1 of 2 entries; --limit 0 lists all.\n");
    run_free(&run);
    RUN(&run, "ls", "--parked", "--json", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 1, &line), 2);
    assert_string_equal(
        line, "{\"seq\":2,\"span_index\":6,\"whole\":false,\"reason\":\"refused\",\"code\":121,\"text\":\"second\","
              "\"attempts\":1,\"spans\":1,\"bytes\":3,\"parked_unix_ns\":1700000000000000000,"
              "\"received_unix_ns\":1700000000000000000}\n");
    run_free(&run);
    assert_lists(fixture, "2 ", "--parked", "--limit", "1");
    assert_lists(fixture, "", "--parked", "--since", "1h");
    assert_lists(fixture, "2 2 ", "--parked", "--until", "1h");
    assert_lists(fixture, "", "--parked", "--damaged");
    RUN(&run, "ls", "--parked", "--reverse", "--json", "--spool", fixture->path);
    assert_true(strncmp(run.out, "{\"seq\":2,\"span_index\":6,", 24) == 0);
    run_free(&run);
    RUN(&run, "ls", "--parked", "--oldest", "--limit", "1", "--json", "--spool", fixture->path);
    assert_true(strncmp(run.out, "{\"seq\":2,\"span_index\":5,", 24) == 0);
    run_free(&run);
    RUN(&run, "ls", "--parked", "--service", "order", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "Nothing that is parked matches.\n", "");
    RUN(&run, "status", "--spool", fixture->path);
    assert_contains(run.out, "parked     2 entries\n");
    assert_contains(run.out, "! 2 entries were not stored in MongoDB and kept in the spool");
    run_free(&run);
}

static void park(struct spool_fixture *fixture, uint32_t index, const char *text)
{
    struct spool_parked parked = {.seq = 1,
                                  .index = index,
                                  .reason = SPOOL_PARK_REFUSED,
                                  .code = index > 0 ? 121 : 0,
                                  .spans = 1,
                                  .text = text,
                                  .payload = slice_of_text("abc")};
    struct err err;

    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
}

static void test_ls_says_what_of_a_batch_is_parked(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    const char *line;

    for (uint32_t i = 1; i < 4; i++)
        park(fixture, i, "Document failed \033validation");
    RUN(&run, "ls", "--history", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 2, &line), 3);
    assert_string_equal(line, "        (3 of 4 spans parked: refused, code 121: Document failed \\x1bvalidation)\n");
    run_free(&run);
    RUN(&run, "ls", "--all", "--json", "--spool", fixture->path);
    assert_int_equal(lines(run.out, 0, &line), 3);
    assert_contains(line, ",\"last_error\":null,\"parked_entries\":3}\n");
    lines(run.out, 1, &line);
    assert_null(strstr(line, "\"parked_entries\":3"));
    run_free(&run);
    RUN(&run, "show", "1", "--spool", fixture->path);
    assert_contains(run.out, "\n3 of its 4 spans are parked; `tracespool ls --parked` says why\n");
    run_free(&run);
    RUN(&run, "show", "2", "--spool", fixture->path);
    assert_null(strstr(run.out, "parked"));
    run_free(&run);
}

static void test_ls_parked_counts_kinds_up_to_a_bound(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    char text[32];

    for (uint32_t i = 0; i < CTL_LS_KINDS_MAX + 3; i++) {
        snprintf(text, sizeof(text), "number %u: {\"value\":%u}", i > 2 ? i : 2, i);
        park(fixture, i, text);
    }
    RUN(&run, "ls", "--parked", "--limit", "0", "--spool", fixture->path);
    assert_contains(run.out, "\n(1 x refused: number 2)\n(2 x refused, code 121: number 2)\n"
                             "(1 x refused, code 121: number 3)\n");
    assert_contains(run.out, "(1 x refused, code 121: number 8)\n(2 x something else)\n");
    run_free(&run);
}

static void test_status_names_the_daemon_that_holds_the_spool(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    char expected[64];

    RUN(&run, "status", "--json", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    snprintf(expected, sizeof(expected), "\"daemon\":{\"running\":true,\"pid\":%d},\"receiving\":true", (int)getpid());
    assert_contains(run.out, expected);
    assert_contains(run.out, "\"pending\":{\"batches\":2,\"spans\":139,");
    assert_contains(run.out, "\"findings\":[]}\n");
    run_free(&run);
}

static void test_color_only_when_asked(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "ls", "--spool", fixture->path);
    assert_null(strchr(run.out, '\033'));
    run_free(&run);
    RUN(&run, "ls", "--color", "always", "--spool", fixture->path);
    assert_non_null(strchr(run.out, '\033'));
    run_free(&run);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_spool, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ls_lists_what_is_pending_newest_last),
        TEST(test_ls_all_lists_history_too),
        TEST(test_ls_limit_lists_the_newest_and_says_so),
        TEST(test_ls_json_is_a_line_a_batch),
        TEST(test_ls_lists_what_each_state_has),
        TEST(test_ls_lists_from_either_end),
        TEST(test_ls_lists_what_a_service_sent),
        TEST(test_ls_lists_what_was_received_in_time),
        TEST(test_ls_tells_why_a_batch_waits),
        TEST(test_ls_pages_through_more_than_a_page),
        TEST(test_ls_passes_over_what_is_delivered_between),
        cmocka_unit_test(test_ls_of_an_empty_spool),
        TEST(test_ls_looks_without_a_daemon),
        TEST(test_ls_bytes_that_are_no_request_are_named_and_make_it_2),
        TEST(test_ls_damaged_batch_is_listed_and_makes_it_2),
        TEST(test_ls_parked_lists_reason_code_and_text),
        TEST(test_ls_parked_counts_kinds_up_to_a_bound),
        TEST(test_ls_says_what_of_a_batch_is_parked),
        TEST(test_status_names_the_daemon_that_holds_the_spool),
        TEST(test_color_only_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
