/* test_sink_indexes.c - what an entry of listIndexes says of ours, and what is done about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "logged.h"
#include "metrics.h"
#include "opened.h"
#include "sink_indexes.h"

enum { TRACE = 1, SERVICE = 2, SERVICE_ROOT = 4, SERVICE_ERROR = 8 };

/* --- one entry ------------------------------------------------------------ */

static const struct {
    const char *entry;
    unsigned present;
    unsigned differing;
} rows[] = {
    {"{\"v\": 2, \"key\": {\"_id\": 1}, \"name\": \"_id_\"}", 0, 0},
    {"{\"v\": 2, \"key\": {\"traceId\": 1}, \"name\": \"trace\"}", TRACE, 0},
    {"{\"v\": 1, \"key\": {\"traceId\": 1.0}, \"name\": \"trace\", \"ns\": \"a.b\", \"background\": true}", TRACE, 0},
    {"{\"key\": {\"traceId\": 1}, \"name\": \"trace\", \"unique\": false}", TRACE, 0},
    {"{\"key\": {\"traceId\": 1}, \"name\": \"trace\", \"unique\": true}", TRACE, TRACE},
    {"{\"key\": {\"traceId\": 1}, \"name\": \"trace\", \"expireAfterSeconds\": 60}", TRACE, TRACE},
    {"{\"key\": {\"traceId\": 1}, \"name\": \"trace\", \"hidden\": true}", TRACE, TRACE},
    {"{\"key\": {\"traceId\": -1}, \"name\": \"trace\"}", TRACE, TRACE},
    {"{\"key\": {\"traceId\": \"hashed\"}, \"name\": \"trace\"}", TRACE, 0},
    {"{\"key\": {\"traceId\": \"text\"}, \"name\": \"trace\"}", TRACE, TRACE},
    {"{\"key\": {\"traceId\": \"hashed\", \"serviceName\": 1}, \"name\": \"trace\"}", TRACE, TRACE},
    {"{\"key\": {\"serviceName\": \"hashed\", \"startTimeUnixNano\": -1}, \"name\": \"service\"}", SERVICE, SERVICE},
    {"{\"key\": {\"traceId\": 1, \"serviceName\": 1}, \"name\": \"trace\"}", TRACE, TRACE},
    {"{\"key\": {}, \"name\": \"trace\"}", TRACE, TRACE},
    {"{\"name\": \"trace\"}", TRACE, TRACE},
    {"{\"key\": {\"traceId\": 1}, \"name\": \"traceId_1\"}", 0, 0},
    {"{\"key\": {\"serviceName\": 1, \"startTimeUnixNano\": -1}, \"name\": \"service\"}", SERVICE, 0},
    {"{\"key\": {\"serviceName\": 1}, \"name\": \"service\"}", SERVICE, SERVICE},
    {"{\"key\": {\"startTimeUnixNano\": -1, \"serviceName\": 1}, \"name\": \"service\"}", SERVICE, SERVICE},
    {"{\"key\": {\"serviceName\": 1, \"startTimeUnixNano\": -1}, \"name\": \"service_root\","
     " \"partialFilterExpression\": {\"root\": true}}",
     SERVICE_ROOT, 0},
    {"{\"key\": {\"serviceName\": 1, \"startTimeUnixNano\": -1}, \"name\": \"service_root\"}", SERVICE_ROOT,
     SERVICE_ROOT},
    {"{\"key\": {\"serviceName\": 1, \"startTimeUnixNano\": -1}, \"name\": \"service_root\","
     " \"partialFilterExpression\": {\"root\": true, \"error\": true}}",
     SERVICE_ROOT, SERVICE_ROOT},
    {"{\"key\": {\"serviceName\": 1, \"startTimeUnixNano\": -1}, \"name\": \"service_error\","
     " \"partialFilterExpression\": {\"root\": true}}",
     SERVICE_ERROR, SERVICE_ERROR},
    {"{\"key\": {\"serviceName\": 1, \"startTimeUnixNano\": -1}, \"name\": \"service\","
     " \"partialFilterExpression\": {\"root\": true}}",
     SERVICE, SERVICE},
    {"{\"key\": {\"serviceName\": 1, \"startTimeUnixNano\": -1}, \"name\": 5}", 0, 0},
};

static void test_read_finds_what_is_ours_and_what_differs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sink_indexes_found found = {0};
        bson_error_t error;
        bson_t *entry = bson_new_from_json((const uint8_t *)rows[i].entry, -1, &error);

        if (entry == NULL)
            fail_msg("%s: %s", rows[i].entry, error.message);
        sink_indexes_read(entry, &found);
        if (found.present != rows[i].present || found.differing != rows[i].differing)
            fail_msg("%s: %u, %u", rows[i].entry, found.present, found.differing);
        bson_destroy(entry);
    }
}

/* --- a day ---------------------------------------------------------------- */

static size_t count_indexes(const char *database)
{
    bson_t *reply = mongod_command(mongod, database, BCON_NEW("listIndexes", TODAY));
    bson_iter_t at, batch;
    size_t count = 0;

    assert_true(bson_iter_init(&at, reply));
    assert_true(bson_iter_find_descendant(&at, "cursor.firstBatch", &batch));
    assert_true(bson_iter_recurse(&batch, &at));
    while (bson_iter_next(&at))
        count++;
    bson_destroy(reply);
    return count;
}

static void drop_index(const char *database, const char *name)
{
    bson_destroy(mongod_command(mongod, database, BCON_NEW("dropIndexes", TODAY, "index", BCON_UTF8(name))));
}

/* Under one of our names, or over one of our keys. */
static void make_index(const char *database, const char *name, const char *field)
{
    bson_destroy(mongod_command(mongod, database,
                                BCON_NEW("createIndexes", TODAY, "indexes", "[", "{", "name", BCON_UTF8(name), "key",
                                         "{", BCON_UTF8(field), BCON_INT32(1), "}", "}", "]")));
}

/* A daemon that knows of no day yet looks at today's, and its spans arrive. */
static void write_anew(const char *database, uint8_t id)
{
    struct opened opened;

    opened_open(&opened, mongod_host(mongod), "", database);
    opened_write_span(&opened, 1, id, REQUESTS_RECEIVED_NS, SINK_STORED);
    opened_close(&opened);
}

static uint64_t differences(void)
{
    return metrics_get(METRIC_MONGODB_INDEX_DIFFERENCES);
}

static void test_dropped_index_is_reported_and_not_made_again(void **state)
{
    NEED_MONGOD();
    write_anew("gone", 1);
    assert_int_equal(differences(), 0);
    drop_index("gone", "service_root");
    write_anew("gone", 2);
    assert_int_equal(differences(), 1);
    assert_int_equal(count_indexes("gone"), 4);
    assert_int_equal(logged_count("event=mongodb.index_differs"), 1);
    assert_int_equal(logged_count("index service_root of gone." TODAY " is missing"), 1);
}

static void test_index_of_another_definition_is_reported_and_left(void **state)
{
    NEED_MONGOD();
    write_anew("other", 1);
    drop_index("other", "trace");
    make_index("other", "trace", "spanCount");
    write_anew("other", 2);
    assert_int_equal(differences(), 1);
    assert_int_equal(count_indexes("other"), 5);
    assert_int_equal(logged_count("index trace of other." TODAY " is another one than ours"), 1);
}

/* The same session looks again after a failure: said once, and over when it is mended. */
static void test_finding_is_said_once_and_ends(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    write_anew("once", 1);
    drop_index("once", "trace");
    opened_open(&opened, mongod_host(mongod), "", "once");
    for (uint8_t id = 2; id < 5; id++) {
        struct sink_verdict verdict;
        struct made_span made;
        Otlp__Span *spans[] = {&made.span};
        struct request request;
        struct err err;

        make_span(&made, 1, id, 0, REQUESTS_RECEIVED_NS);
        request_of_spans(&request, "shop", spans, 1, REQUESTS_RECEIVED_NS);
        fault_arm("sink.send", 1, 5);
        assert_int_equal(opened_write(&opened, &request, &verdict, &err), -1);
        assert_int_equal(opened_write(&opened, &request, &verdict, &err), 0);
        request_free(&request);
        if (id == 3)
            make_index("once", "trace", "traceId");
        assert_int_equal(differences(), id < 4);
    }
    assert_int_equal(logged_count("event=mongodb.index_differs"), 1);
    opened_close(&opened);
}

/* Codes 85 and 86: what is in the way of one is reported, the others are made, delivery goes on. */
static void test_index_in_the_way_does_not_stop_delivery(void **state)
{
    NEED_MONGOD();
    make_index("way", "mine", "traceId");       /* 85: our key under another name */
    make_index("way2", "service", "spanCount"); /* our name is there, so the rest is taken for dropped */
    write_anew("way", 1);
    assert_int_equal(differences(), 1);
    assert_int_equal(count_indexes("way"), 5);
    assert_int_equal(logged_count("index trace of way." TODAY " is another one than ours"), 1);
    write_anew("way2", 1);
    assert_int_equal(differences(), 4);
    assert_int_equal(count_indexes("way2"), 2);
}

static void test_indexes_that_cannot_be_listed_are_tried_again(void **state)
{
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    write_anew("unlisted", 1);
    opened_open(&opened, mongod_host(mongod), "", "unlisted");
    mongod_fail_next(mongod, "listIndexes", 1, 50);
    assert_int_equal(opened_try_span(&opened, 2, &err), -1);
    assert_int_equal(err.class, ERR_OVERLOAD);
    check_contains(err.text, "list the indexes of " TODAY ": ");
    assert_int_equal(opened_try_span(&opened, 2, &err), 0);
    opened_close(&opened);
}

/* Dropped between the question whether it is there and the next one: indexes alone would make it, without options. */
static void test_day_that_is_gone_meanwhile_is_made_again(void **state)
{
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "meanwhile");
    mongod_fail_next(mongod, "create", 1, 48);
    assert_int_equal(opened_try_span(&opened, 2, &err), -1);
    assert_int_equal(err.class, ERR_RETRY);
    assert_string_equal(err.text, TODAY " was dropped meanwhile");
    assert_int_equal(opened_try_span(&opened, 2, &err), 0);
    assert_int_equal(count_indexes("meanwhile"), 5);
    opened_close(&opened);
}

#define LOGGED(test) cmocka_unit_test_setup_teardown(test, logged_setup, logged_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_finds_what_is_ours_and_what_differs),
        LOGGED(test_dropped_index_is_reported_and_not_made_again),
        LOGGED(test_index_of_another_definition_is_reported_and_left),
        LOGGED(test_finding_is_said_once_and_ends),
        LOGGED(test_index_in_the_way_does_not_stop_delivery),
        cmocka_unit_test(test_indexes_that_cannot_be_listed_are_tried_again),
        cmocka_unit_test(test_day_that_is_gone_meanwhile_is_made_again),
    };

    return cmocka_run_group_tests(tests, opened_setup, opened_teardown);
}
