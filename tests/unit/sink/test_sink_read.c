#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "opened.h"

#define SEEN_MAX 16

struct seen {
    struct sink_mongo_span spans[SEEN_MAX];
    char names[SEEN_MAX][32];
    char services[SEEN_MAX][32];
    char status[SEEN_MAX][32];
    size_t count;
};

static void copy_text(char out[32], struct slice text)
{
    assert_true(text.len < 32);
    if (text.len > 0)
        memcpy(out, text.data, text.len);
    out[text.len] = '\0';
}

static void visit(void *context, const struct sink_mongo_span *span)
{
    struct seen *seen = context;

    assert_true(seen->count < SEEN_MAX);
    seen->spans[seen->count] = *span;
    copy_text(seen->names[seen->count], span->name);
    copy_text(seen->services[seen->count], span->service);
    copy_text(seen->status[seen->count], span->status_text);
    seen->count++;
}

static int find_trace(struct opened *opened, uint8_t trace, unsigned timeout_ms, struct seen *seen, struct err *err)
{
    uint8_t id[OTLP_TRACE_ID_BYTES];

    memset(id, trace, sizeof(id));
    *seen = (struct seen){.count = 0};
    return sink_mongo_find_trace(&opened->options, id, timeout_ms, visit, seen, err);
}

/* Writes spans as one request that was received now. */
static void write_spans(struct opened *opened, struct made_span *made, size_t count)
{
    Otlp__Span *spans[SEEN_MAX];
    struct sink_verdict verdicts[SEEN_MAX];
    struct request request;
    struct err err;

    for (size_t i = 0; i < count; i++)
        spans[i] = &made[i].span;
    request_of_spans(&request, "shop", spans, count, REQUESTS_RECEIVED_NS);
    if (opened_write(opened, &request, verdicts, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < request.count; i++)
        assert_int_not_equal(verdicts[i].outcome, SINK_REFUSED);
    request_free(&request);
}

static void test_find_trace_gives_every_field(void **state)
{
    Otlp__Span__Event event = OTLP__SPAN__EVENT__INIT;
    Otlp__Span__Event *events[] = {&event, &event};
    struct made_span made[2];
    struct opened opened;
    struct seen seen;
    struct err err;

    NEED_MONGOD();
    make_span(&made[0], 7, 1, 0, REQUESTS_RECEIVED_NS);
    make_span(&made[1], 7, 2, 1, REQUESTS_RECEIVED_NS + 5);
    made[1].span.name = text_data("child");
    made[1].span.events = events;
    made[1].span.n_events = 2;
    made[1].status.code = OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    made[1].status.message = text_data("no money");
    opened_open(&opened, mongod_host(mongod), "", "fields");
    write_spans(&opened, made, 2);
    assert_int_equal(find_trace(&opened, 7, 5000, &seen, &err), 0);
    assert_int_equal(seen.count, 2);
    assert_memory_equal(seen.spans[0].span_id, made[0].span_id, 8);
    assert_false(seen.spans[0].has_parent);
    assert_string_equal(seen.names[0], "made");
    assert_string_equal(seen.services[0], "shop");
    assert_int_equal(seen.spans[0].event_count, 0);
    assert_memory_equal(seen.spans[1].span_id, made[1].span_id, 8);
    assert_true(seen.spans[1].has_parent);
    assert_memory_equal(seen.spans[1].parent_span_id, made[0].span_id, 8);
    assert_string_equal(seen.names[1], "child");
    assert_int_equal(seen.spans[1].kind, 2);
    assert_int_equal(seen.spans[1].status_code, 2);
    assert_string_equal(seen.status[1], "no money");
    assert_int_equal(seen.spans[1].start_unix_nano, REQUESTS_RECEIVED_NS + 5);
    assert_int_equal(seen.spans[1].end_unix_nano, REQUESTS_RECEIVED_NS + 1005);
    assert_int_equal(seen.spans[1].event_count, 2);
    opened_close(&opened);
}

static void test_find_trace_shows_days_newest_first_and_each_span_once(void **state)
{
    struct made_span made[2];
    struct opened opened;
    struct seen seen;
    struct err err;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "newest");
    make_span(&made[0], 7, 1, 0, REQUESTS_RECEIVED_NS - 3 * DAY_NS);
    write_spans(&opened, made, 1);
    make_span(&made[0], 7, 2, 0, REQUESTS_RECEIVED_NS);
    write_spans(&opened, made, 1);
    /* The first span again, in another fragment, and once with the same id and another name. */
    make_span(&made[0], 7, 1, 0, REQUESTS_RECEIVED_NS - 3 * DAY_NS);
    make_span(&made[1], 7, 1, 0, REQUESTS_RECEIVED_NS - 3 * DAY_NS);
    made[1].span.name = text_data("other");
    write_spans(&opened, made, 2);
    make_span(&made[0], 8, 3, 0, REQUESTS_RECEIVED_NS);
    write_spans(&opened, made, 1); /* another trace */

    assert_int_equal(find_trace(&opened, 7, 5000, &seen, &err), 0);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.spans[0].span_id[0], 2);
    assert_int_equal(seen.spans[1].span_id[0], 1);
    assert_int_equal(seen.spans[2].span_id[0], 1);
    assert_int_equal(strcmp(seen.names[1], seen.names[2]) == 0, 0);
    opened_close(&opened);
}

static void test_find_trace_that_is_not_there_finds_none(void **state)
{
    struct opened opened;
    struct seen seen;
    struct err err;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "none"); /* a database that does not exist */
    assert_int_equal(find_trace(&opened, 7, 5000, &seen, &err), 0);
    assert_int_equal(seen.count, 0);
    opened_close(&opened);
}

/* Documents that are not ours may lie in our collections; they are passed over. */
static void test_find_trace_passes_over_foreign_documents(void **state)
{
    struct made_span made;
    struct opened opened;
    struct seen seen;
    struct err err;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "foreign");
    make_span(&made, 7, 1, 0, REQUESTS_RECEIVED_NS);
    write_spans(&opened, &made, 1);
    bson_destroy(mongod_command(
        mongod, "foreign",
        BCON_NEW("insert", TODAY, "documents", "[", "{", "traceId", "07070707070707070707070707070707", "}", "{",
                 "traceId", "07070707070707070707070707070707", "spans", "[", BCON_INT32(5), "{", "spanId",
                 BCON_INT32(5), "status", "x", "events", "x", "}", "]", "serviceName", BCON_INT32(5), "}", "]")));
    assert_int_equal(find_trace(&opened, 7, 5000, &seen, &err), 0);
    assert_int_equal(seen.count, 2);
    opened_close(&opened);
}

/* --- failures ------------------------------------------------------------- */

static void test_find_trace_within_its_timeout(void **state)
{
    struct opened opened;
    struct seen seen;
    struct err err;
    uint64_t before_ns;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "slow");
    opened_write_span(&opened, 7, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
    bson_destroy(mongod_command(mongod, "admin",
                                BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times", BCON_INT32(2), "}",
                                         "data", "{", "failCommands", "[", "find", "]", "blockConnection",
                                         BCON_BOOL(true), "blockTimeMS", BCON_INT32(5000), "}")));
    before_ns = clock_mono_ns();
    assert_int_equal(find_trace(&opened, 7, 300, &seen, &err), -1);
    assert_int_equal(err.class, ERR_RETRY);
    check_contains(err.text, "read " TODAY ": ");
    assert_true(clock_mono_ns() - before_ns < 3 * NS_PER_S);
    opened_close(&opened);
}

static void test_find_trace_tells_what_mongodb_refuses(void **state)
{
    struct opened opened;
    struct seen seen;
    struct err err;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "refused");
    opened_write_span(&opened, 7, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
    mongod_fail_next(mongod, "find", 1, 13);
    assert_int_equal(find_trace(&opened, 7, 5000, &seen, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    check_contains(err.text, "read " TODAY ": MongoDB needs a person: ");
    mongod_fail_next(mongod, "listCollections", 1, 13);
    assert_int_equal(find_trace(&opened, 7, 5000, &seen, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    check_contains(err.text, "list collections: MongoDB needs a person: ");
    opened_close(&opened);
}

static void test_ping_answers_or_says_why_not(void **state)
{
    struct sink_mongo_options options = {
        .uri = "mongodb://u:hunter2@127.0.0.1:1/", .database = "ping", .compressor = "zstd", .sessions = 1};
    struct opened opened;
    struct seen seen;
    struct err err;
    uint64_t before_ns = clock_mono_ns();

    NEED_MONGOD();
    assert_int_equal(sink_mongo_ping(&options, 500, &err), -1); /* nobody listens */
    assert_int_equal(err.class, ERR_RETRY);
    assert_null(strstr(err.text, "hunter2"));
    assert_true(clock_mono_ns() - before_ns < 3 * NS_PER_S);
    options.uri = "nonsense";
    assert_int_equal(sink_mongo_ping(&options, 500, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    opened_open(&opened, mongod_host(mongod), "", "ping");
    assert_int_equal(sink_mongo_ping(&opened.options, 5000, &err), 0);
    mongod_fail_next(mongod, "ping", 1, 13);
    assert_int_equal(sink_mongo_ping(&opened.options, 5000, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    opened.options.uri = "nonsense";
    assert_int_equal(find_trace(&opened, 7, 500, &seen, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    opened_close(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_trace_gives_every_field),
        cmocka_unit_test(test_find_trace_shows_days_newest_first_and_each_span_once),
        cmocka_unit_test(test_find_trace_that_is_not_there_finds_none),
        cmocka_unit_test(test_find_trace_passes_over_foreign_documents),
        cmocka_unit_test(test_find_trace_within_its_timeout),
        cmocka_unit_test(test_find_trace_tells_what_mongodb_refuses),
        cmocka_unit_test(test_ping_answers_or_says_why_not),
    };

    return cmocka_run_group_tests(tests, opened_setup, opened_teardown);
}
