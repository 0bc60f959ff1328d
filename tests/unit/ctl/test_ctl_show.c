/*
 * test_ctl_show.c - batches and traces out of a real spool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_run_fixture.h"

#define DEEP_TRACE "e0e4373d0afc438d58972d53b2a31fdc"   /* 201 spans, children before their ancestors */
#define TWO_SERVICES "d6d88dde8e09857acc8f5d284ebb5618" /* 9 spans of pricing, 2 of order */
#define NOT_ENDED "40a980bd3f4ed95aaaf38c2fdcb284f9"    /* no times; a span that has not ended */

/* 1 of pricing (delivered), 2 of order, 3 and 4 the deep trace, 5 awkward times. */
static int make_spool(void **state)
{
    static struct spool_fixture fixture;

    setenv("COLUMNS", "100", 1);
    fixture_open_spool(&fixture);
    fixture_deliver(&fixture, fixture_put_file(&fixture, "collector-batch-0003.pb", 205));
    fixture_put_file(&fixture, "collector-batch-0004.pb", 219);
    fixture_put_file(&fixture, "python-awkward-0009.pb", 100);
    fixture_put_file(&fixture, "python-awkward-0010.pb", 101);
    fixture_put_file(&fixture, "python-awkward-0015.pb", 2);
    *state = &fixture;
    return 0;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}

static void test_show_trace_joins_batches_into_one_tree(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", TWO_SERVICES, "--from", "spool", "--spool", fixture->path);
    assert_ran(&run, CTL_OK,
               "trace " TWO_SERVICES "\n"
               "11 spans of 2 services; began 2026-11-22T16:23:37.988Z, took 241 ms\n"
               "2 in the spool, not delivered yet; 9 in the spool, delivered\n"
               "\n"
               "SPAN                                   KIND       DURATION  0                        241 ms  WHERE\n"
               "pricing: GET /price/:sku               server       235 ms  ██████████████████████████████   history\n"
               "├ middleware - patched                 internal     234 ms  ██████████████████████████████   history\n"
               "│ └ request handler                    internal     234 ms  ██████████████████████████████   history\n"
               "│   └ request handler - /price/:sku    internal     234 ms  ██████████████████████████████   history\n"
               "│     ├ GET                            client       116 ms                ███████████████    history\n"
               "│     │ ├ tcp.connect                  internal    1.71 ms                █                  history\n"
               "│     │ └ order: GET /api/stock/{sku}  server       120 ms                 ████████████████  spool\n"
               "│     │   └ SELECT shop.product        client       503 µs                              ▏    spool\n"
               "│     └ 할인 계산                      internal    7.05 ms                               █   history\n"
               "└ middleware - patched                 internal     190 µs  ▏                                history\n"
               "  └ middleware - jsonParser            internal    60.8 µs  ▏                                history\n",
               "");
}

static void test_show_trace_201_levels_deep(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", "--from", "spool", DEEP_TRACE, "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "\n201 spans of 1 service; began ");
    assert_contains(run.out, "\nbilling: 깊이 200  ");
    assert_contains(run.out, " [200] 깊이 0  ");
    assert_int_equal(count_lines(run.out), 4 + 1 + 201 + 2);
    run_free(&run);
}

static void test_show_trace_json_is_a_line_a_span(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", "--from", "spool", NOT_ENDED, "--json", "--spool", fixture->path);
    assert_ran(&run, CTL_OK,
               "{\"trace_id\":\"" NOT_ENDED "\",\"span_id\":\"107d72d5c71c5cf1\",\"parent_span_id\":null,"
               "\"service\":\"\",\"name\":\"bare\",\"kind\":\"internal\",\"status\":\"unset\",\"status_message\":\"\","
               "\"start_unix_ns\":0,\"end_unix_ns\":0,\"duration_seconds\":null,\"events\":0,\"depth\":0,"
               "\"root_because\":null,\"spool\":\"pending\",\"parked\":false,\"mongodb\":null}\n"
               "{\"trace_id\":\"" NOT_ENDED "\",\"span_id\":\"f6a07500ae9c8563\","
               "\"parent_span_id\":\"107d72d5c71c5cf1\",\"service\":\"이상한 서비스\",\"name\":\"never ended\","
               "\"kind\":\"internal\",\"status\":\"unset\",\"status_message\":\"\","
               "\"start_unix_ns\":1795364536409300802,\"end_unix_ns\":0,\"duration_seconds\":null,\"events\":1,"
               "\"depth\":1,\"root_because\":null,\"spool\":\"pending\",\"parked\":false,\"mongodb\":null}\n",
               "");
}

static void test_show_trace_sent_twice_has_each_span_once(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_put_file(fixture, "python-awkward-0015.pb", 2);
    RUN(&run, "show", "--from", "spool", NOT_ENDED, "--json", "--spool", fixture->path);
    assert_int_equal(count_lines(run.out), 2);
    run_free(&run);
}

static void test_show_trace_finds_what_is_parked(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    struct err err;
    struct buf request;
    struct spool_parked parked = {.seq = 9, .reason = SPOOL_PARK_REFUSED, .spans = 1, .text = "refused"};

    fixture_read(&request, "python-awkward-0012.pb");
    parked.payload = buf_slice(&request);
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    buf_fini(&request);
    RUN(&run, "show", "--from", "spool", "286bef29899918a76ec15d384c867063", "--spool", fixture->path);
    assert_string_equal(run.err, "");
    assert_contains(run.out, "1 parked, not in MongoDB\n");
    assert_contains(run.out, "? billing: 고아");
    assert_contains(run.out, "  parked\n");
    run_free(&run);
}

static void test_show_trace_that_is_nowhere_fails(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", "--from", "spool", "0123456789abcdef0123456789ABCDEF", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool show: no span of trace 0123456789abcdef0123456789abcdef in the spool\n");
}

/* MongoDB being away is when this is needed most: it is told, and the spool's part shown. */
static void test_show_trace_without_mongodb_is_a_note(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    setenv("MONGO_URI", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200", 1);
    RUN(&run, "show", NOT_ENDED, "--timeout", "300ms", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_true(strncmp(run.err, "tracespool show: only the spool was looked through, MongoDB: ", 61) == 0);
    assert_contains(run.out, "\n2 spans of 2 services; began ");
    run_free(&run);
    unsetenv("MONGO_URI");
}

static void test_show_batch_groups_spans(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", "5", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_true(strncmp(run.out, "batch 5  pending, received 20", 29) == 0);
    assert_contains(run.out, "2 spans; 233 B, stored as zstd in 214 B\n"
                             "\n"
                             "resource without service.name  0 attributes\n"
                             "  scope without a name\n"
                             "    trace " NOT_ENDED "\n"
                             "      107d72d5c71c5cf1  internal  no start           0 attr  bare\n"
                             "\n"
                             "resource 이상한 서비스  1 attribute\n"
                             "  scope x 1\n"
                             "    trace " NOT_ENDED "\n"
                             "      f6a07500ae9c8563  internal    no end           0 attr  never ended\n");
    run_free(&run);
}

static void test_show_batch_json_is_a_request(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", "5", "--json", "--spool", fixture->path);
    assert_ran(&run, CTL_OK,
               "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"" NOT_ENDED
               "\",\"spanId\":\"107d72d5c71c5cf1\",\"flags\":256,\"name\":\"bare\",\"kind\":1,\"status\":{}}]}]},"
               "{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"이상한 "
               "서비스\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"x\",\"version\":\"1\"},"
               "\"schemaUrl\":\"https://example.com/schema\",\"spans\":[{\"traceId\":\"" NOT_ENDED
               "\",\"spanId\":\"f6a07500ae9c8563\",\"parentSpanId\":\"107d72d5c71c5cf1\",\"flags\":256,"
               "\"name\":\"never ended\",\"kind\":1,\"startTimeUnixNano\":\"1795364536409300802\","
               "\"events\":[{\"timeUnixNano\":\"1\",\"name\":\"e\",\"attributes\":[{\"key\":\"k\","
               "\"value\":{\"stringValue\":\"v\"}}]}],\"status\":{}}]}]}]}\n",
               "");
}

/* As requests: a line for each batch, which has only the spans of the trace. */
static void test_show_otlp_is_a_request_for_each_batch(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", TWO_SERVICES, "--otlp", "--from", "spool", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_int_equal(count_lines(run.out), 2);
    assert_int_equal(count_of(run.out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":"), 2);
    assert_int_equal(count_of(run.out, "\"traceId\":\"" TWO_SERVICES "\""), 11);
    assert_int_equal(count_of(run.out, "\"traceId\":"), 11);
    assert_non_null(strstr(run.out, "\"name\":\"GET /price/:sku\",\"kind\":2,\"startTimeUnixNano\":\"17953646"));
    run_free(&run);
}

static void test_show_otlp_of_what_was_sent_twice_has_each_span_once(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_put_file(fixture, "python-awkward-0015.pb", 2);
    RUN(&run, "show", NOT_ENDED, "--otlp", "--from", "spool", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_int_equal(count_lines(run.out), 1);
    run_free(&run);
}

static void test_show_otlp_of_a_trace_that_is_nowhere_fails(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "show", "--otlp", "--from", "spool", "0123456789abcdef0123456789ABCDEF", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool show: no span of trace 0123456789abcdef0123456789abcdef was found\n");
}

static void test_show_otlp_without_mongodb_is_a_note(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    setenv("MONGO_URI", "mongodb://127.0.0.1:1/", 1);
    RUN(&run, "show", NOT_ENDED, "--otlp", "--timeout", "300ms", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_true(strncmp(run.err, "tracespool show: only the spool was looked through, MongoDB: ", 61) == 0);
    assert_int_equal(count_lines(run.out), 1);
    run_free(&run);
    RUN(&run, "show", NOT_ENDED, "--otlp", "--from", "mongodb", "--timeout", "300ms", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_true(strncmp(run.err, "tracespool show: MongoDB: ", 26) == 0);
    assert_string_equal(run.out, "");
    run_free(&run);
    unsetenv("MONGO_URI");
}

static void test_show_batch_otlp_is_its_json(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run json, otlp;

    RUN(&json, "show", "5", "--json", "--spool", fixture->path);
    RUN(&otlp, "show", "5", "--otlp", "--spool", fixture->path);
    assert_int_equal(otlp.status, CTL_OK);
    assert_string_equal(otlp.out, json.out);
    run_free(&json);
    run_free(&otlp);
}

static void test_show_batch_that_is_not_there_fails(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    struct err err;
    struct spool_parked parked = {.seq = 77, .reason = SPOOL_PARK_REFUSED, .spans = 1, .text = "refused"};

    RUN(&run, "show", "77", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool show: 77: there is no such batch; the newest is 5\n");
    parked.payload = slice_of_text("x");
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    RUN(&run, "show", "77", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "1 span of it is parked; `tracespool ls --parked` lists what is\n");
    run_free(&run);
}

static void test_show_batch_of_invalid_spans_says_why(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;
    /* ResourceSpans { ScopeSpans { Span { name "n" } } }: no ids at all. */
    static const uint8_t request[] = {0x0a, 0x07, 0x12, 0x05, 0x12, 0x03, 0x2a, 0x01, 'n'};

    fixture_put(fixture, slice_of(request, sizeof(request)), sizeof(request), OTLP_CODEC_IDENTITY, 0);
    RUN(&run, "show", "6", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "    not stored: its trace_id is not valid\n      ----------------");
    run_free(&run);
}

static void test_show_batch_that_is_no_request_makes_it_2(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_put(fixture, slice_of_text("\377\377"), 2, OTLP_CODEC_IDENTITY, 1);
    RUN(&run, "show", "6", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_true(strncmp(run.err, "tracespool show: batch 6 cannot be read: ", 41) == 0);
    run_free(&run);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_spool, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_show_trace_joins_batches_into_one_tree),
        TEST(test_show_trace_201_levels_deep),
        TEST(test_show_trace_json_is_a_line_a_span),
        TEST(test_show_trace_sent_twice_has_each_span_once),
        TEST(test_show_trace_finds_what_is_parked),
        TEST(test_show_trace_that_is_nowhere_fails),
        TEST(test_show_trace_without_mongodb_is_a_note),
        TEST(test_show_batch_groups_spans),
        TEST(test_show_batch_json_is_a_request),
        TEST(test_show_batch_that_is_not_there_fails),
        TEST(test_show_batch_of_invalid_spans_says_why),
        TEST(test_show_batch_that_is_no_request_makes_it_2),
        TEST(test_show_otlp_is_a_request_for_each_batch),
        TEST(test_show_otlp_of_what_was_sent_twice_has_each_span_once),
        TEST(test_show_otlp_of_a_trace_that_is_nowhere_fails),
        TEST(test_show_otlp_without_mongodb_is_a_note),
        TEST(test_show_batch_otlp_is_its_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
