#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "fault.h"
#include "opened.h"

/* --- asking the server ---------------------------------------------------- */

static char *as_json(bson_t *reply)
{
    char *json = bson_as_relaxed_extended_json(reply, NULL);

    bson_destroy(reply);
    return json;
}

static void check_reply_contains(bson_t *reply, const char *part)
{
    char *json = as_json(reply);

    check_contains(json, part);
    bson_free(json);
}

static size_t count_parts(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static bson_t *list_indexes(const char *database, const char *collection)
{
    return mongod_command(mongod, database, BCON_NEW("listIndexes", BCON_UTF8(collection)));
}

static bson_t *list_collections(const char *database)
{
    return mongod_command(mongod, database, BCON_NEW("listCollections", BCON_INT32(1)));
}

/* Documents that a pipeline over a collection or view gives, as JSON. */
static char *aggregate(const char *database, const char *collection, const char *match)
{
    bson_error_t error;
    bson_t *filter = bson_new_from_json((const uint8_t *)match, -1, &error);
    char *json = as_json(
        mongod_command(mongod, database,
                       BCON_NEW("aggregate", BCON_UTF8(collection), "pipeline", "[", "{", "$match",
                                BCON_DOCUMENT(filter), "}", "]", "cursor", "{", "batchSize", BCON_INT32(1000), "}")));

    assert_non_null(filter);
    bson_destroy(filter);
    return json;
}

/* How often `key` is `value` in it, outside of plans that were not chosen. */
static size_t count_chosen(const bson_iter_t *parent, const char *key, const char *value)
{
    size_t count = 0;
    bson_iter_t at;

    if (!bson_iter_recurse(parent, &at))
        return 0;
    while (bson_iter_next(&at)) {
        if (strcmp(bson_iter_key(&at), "rejectedPlans") == 0)
            continue;
        if (BSON_ITER_HOLDS_DOCUMENT(&at) || BSON_ITER_HOLDS_ARRAY(&at))
            count += count_chosen(&at, key, value);
        else if (strcmp(bson_iter_key(&at), key) == 0 && BSON_ITER_HOLDS_UTF8(&at))
            count += strcmp(bson_iter_utf8(&at, NULL), value) == 0;
    }
    return count;
}

/* The $match reaches `index` in every one of three days, and no day is read whole; NULL: all of them are. */
static void check_plan(const char *database, const char *view, const char *match, const char *index)
{
    bson_error_t error;
    bson_t *filter = bson_new_from_json((const uint8_t *)match, -1, &error);
    bson_t *plan =
        mongod_command(mongod, database,
                       BCON_NEW("explain", "{", "aggregate", BCON_UTF8(view), "pipeline", "[", "{", "$match",
                                BCON_DOCUMENT(filter), "}", "]", "cursor", "{", "}", "}", "verbosity", "queryPlanner"));
    bson_iter_t stages;

    assert_true(bson_iter_init_find(&stages, plan, "stages"));
    assert_int_equal(count_chosen(&stages, "stage", "IXSCAN"), index == NULL ? 0 : 3);
    assert_int_equal(count_chosen(&stages, "stage", "COLLSCAN"), index == NULL ? 3 : 0);
    if (index != NULL)
        assert_int_equal(count_chosen(&stages, "indexName", index), 3);
    bson_destroy(plan);
    bson_destroy(filter);
}

/* --- a day ---------------------------------------------------------------- */

static void test_day_is_made_with_compressor_and_indexes(void **state)
{
    struct opened opened;
    char *json;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "made");
    opened_write_span(&opened, 1, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
    check_reply_contains(mongod_command(mongod, "made", BCON_NEW("collStats", TODAY)), "block_compressor=zstd");
    json = as_json(list_indexes("made", TODAY));
    check_contains(json, "\"key\" : { \"_id\" : 1 }");
    check_contains(json, "\"key\" : { \"traceId\" : 1 }, \"name\" : \"trace\" }");
    check_contains(json, "\"key\" : { \"serviceName\" : 1, \"startTimeUnixNano\" : -1 }, \"name\" : \"service\" }");
    check_contains(json, "\"name\" : \"service_root\", \"partialFilterExpression\" : { \"root\" : true } }");
    check_contains(json, "\"name\" : \"service_error\", \"partialFilterExpression\" : { \"error\" : true } }");
    assert_int_equal(count_parts(json, "\"name\" : "), 5);
    bson_free(json);
    opened_close(&opened);
}

static void test_fragments_go_to_the_day_of_their_start(void **state)
{
    struct made_span made[3];
    Otlp__Span *spans[] = {&made[0].span, &made[1].span, &made[2].span};
    struct sink_verdict verdicts[3];
    struct request request;
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    make_span(&made[0], 1, 1, 0, REQUESTS_RECEIVED_NS);
    make_span(&made[1], 2, 1, 0, REQUESTS_RECEIVED_NS - 2 * DAY_NS);
    make_span(&made[2], 3, 1, 0, 0); /* 1970: by receipt */
    request_of_spans(&request, "shop", spans, 3, REQUESTS_RECEIVED_NS);
    opened_open(&opened, mongod_host(mongod), "", "days");
    assert_int_equal(opened_write(&opened, &request, verdicts, &err), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(verdicts[i].outcome, SINK_STORED);
    assert_int_equal(count_documents(mongod, "days", TODAY), 2);
    assert_int_equal(count_documents(mongod, "days", "traces_20261120"), 1);
    opened_close(&opened);
    request_free(&request);
}

/* An operator drops a day while we write to it: it comes back with its indexes. */
static void test_dropped_day_is_made_again_after_a_failure(void **state)
{
    struct made_span made;
    Otlp__Span *spans[] = {&made.span};
    struct sink_verdict verdict;
    struct request request;
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    make_span(&made, 1, 1, 0, REQUESTS_RECEIVED_NS);
    request_of_spans(&request, "shop", spans, 1, REQUESTS_RECEIVED_NS);
    opened_open(&opened, mongod_host(mongod), "", "dropped");
    assert_int_equal(opened_write(&opened, &request, &verdict, &err), 0);
    bson_destroy(mongod_command(mongod, "dropped", BCON_NEW("drop", TODAY)));
    fault_arm("sink.send", 1, 5);
    assert_int_equal(opened_write(&opened, &request, &verdict, &err), -1);
    assert_int_equal(opened_write(&opened, &request, &verdict, &err), 0);
    assert_int_equal(verdict.outcome, SINK_STORED);
    check_reply_contains(list_indexes("dropped", TODAY), "service_error");
    opened_close(&opened);
    request_free(&request);
}

/* Or an insert made it, without them: whoever looks at the day next adds them. */
static void test_day_made_by_an_insert_gets_its_indexes(void **state)
{
    struct opened opened;
    char *json;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "implicit");
    opened_write_span(&opened, 1, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
    bson_destroy(mongod_command(mongod, "implicit", BCON_NEW("drop", TODAY)));
    opened_write_span(&opened, 1, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
    json = as_json(list_indexes("implicit", TODAY));
    assert_int_equal(count_parts(json, "\"name\" : "), 1);
    bson_free(json);
    opened_close(&opened);

    opened_open(&opened, mongod_host(mongod), "", "implicit"); /* knows of no day */
    opened_write_span(&opened, 1, 1, REQUESTS_RECEIVED_NS, SINK_STORED_BEFORE);
    json = as_json(list_indexes("implicit", TODAY));
    assert_int_equal(count_parts(json, "\"name\" : "), 5);
    bson_free(json);
    opened_close(&opened);
}

/* --- views ---------------------------------------------------------------- */

/* Three days; trace 1 is in two of them. */
static void fill_days(const char *database)
{
    struct opened opened;

    opened_open(&opened, mongod_host(mongod), "", database);
    opened_write_span(&opened, 1, 1, REQUESTS_RECEIVED_NS - 2 * DAY_NS, SINK_STORED);
    opened_write_span(&opened, 1, 2, REQUESTS_RECEIVED_NS, SINK_STORED);
    opened_write_span(&opened, 2, 3, REQUESTS_RECEIVED_NS - DAY_NS, SINK_STORED);
    opened_close(&opened);
}

#define TRACE_1 "01010101010101010101010101010101"

static void test_views_show_all_days(void **state)
{
    char *json;

    NEED_MONGOD();
    fill_days("views");
    assert_int_equal(count_documents(mongod, "views", "traces"), 3);
    assert_int_equal(count_documents(mongod, "views", "spans"), 3);
    json = aggregate("views", "spans", "{\"traceId\": \"" TRACE_1 "\"}");
    assert_int_equal(count_parts(json, "\"spanId\" : "), 2);
    check_contains(json, "{ \"traceId\" : \"" TRACE_1
                         "\", \"serviceName\" : \"shop\", \"resource\" : { \"attributes\" : { \"service_name\" "
                         ": \"shop\" } }, \"id\" : \"0101010101010101\", \"spanId\" : \"0101010101010101\", "
                         "\"parentSpanId\" : null, \"name\" : \"made\", \"kind\" : 2, ");
    check_contains(json, "\"id\" : \"0202020202020202\"");
    assert_null(strstr(json, "_id"));
    bson_free(json);
}

static void test_views_reach_the_indexes_of_every_day(void **state)
{
    NEED_MONGOD();
    fill_days("plans");
    check_plan("plans", "traces", "{\"traceId\": \"" TRACE_1 "\"}", "trace");
    check_plan("plans", "spans", "{\"traceId\": \"" TRACE_1 "\"}", "trace");
    check_plan("plans", "spans", "{\"serviceName\": \"shop\"}", "service");
    check_plan("plans", "traces", "{\"serviceName\": \"shop\", \"startTimeUnixNano\": {\"$gt\": 5}}", "service");
    check_plan("plans", "traces", "{\"serviceName\": \"shop\", \"error\": true}", "service_error");
    /* What the documentation warns of: a span's own start does not reach one. */
    check_plan("plans", "spans", "{\"startTimeUnixNano\": {\"$gt\": 5}}", NULL);
}

/* --- pages ---------------------------------------------------------------- */

static void store_capture(const char *file, void *context)
{
    struct sink_verdict *verdicts;
    struct request request;
    struct err err;

    request_load(&request, file);
    verdicts = calloc(request.count + 1, sizeof(verdicts[0]));
    if (opened_write(context, &request, verdicts, &err) != 0)
        fail_msg("%s: %s", file, err.text);
    free(verdicts);
    request_free(&request);
}

static int64_t execution(bson_t *plan, const char *name)
{
    char path[64];
    bson_iter_t at, found;

    snprintf(path, sizeof(path), "executionStats.%s", name);
    assert_true(bson_iter_init(&at, plan));
    assert_true(bson_iter_find_descendant(&at, path, &found));
    return bson_iter_as_int64(&found);
}

/* A page's query: 20 latest of one day.  It examines what it returns, and nothing is sorted. */
static void check_page(const char *filter_json, const char *index)
{
    bson_error_t error;
    bson_t *filter = bson_new_from_json((const uint8_t *)filter_json, -1, &error);
    bson_t *plan = mongod_command(mongod, "pages",
                                  BCON_NEW("explain", "{", "find", TODAY, "filter", BCON_DOCUMENT(filter), "sort", "{",
                                           "startTimeUnixNano", BCON_INT32(-1), "}", "limit", BCON_INT32(20), "}",
                                           "verbosity", "executionStats"));
    bson_iter_t planner;

    assert_true(bson_iter_init_find(&planner, plan, "queryPlanner"));
    assert_int_equal(count_chosen(&planner, "indexName", index), 1);
    assert_int_equal(count_chosen(&planner, "stage", "SORT"), 0);
    assert_int_equal(execution(plan, "nReturned"), 20);
    assert_int_equal(execution(plan, "totalDocsExamined"), 20);
    bson_destroy(plan);
    bson_destroy(filter);
}

static void test_pages_examine_what_they_return(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "pages");
    request_each_capture(store_capture, &opened);
    check_page("{\"serviceName\": \"order\"}", "service");
    check_page("{\"serviceName\": \"order\", \"startTimeUnixNano\": {\"$lt\": 1795365000000000000}}", "service");
    check_page("{\"serviceName\": \"order\", \"root\": true}", "service_root");
    check_page("{\"serviceName\": \"order\", \"error\": true}", "service_error");
    opened_close(&opened);
}

static void test_views_follow_new_days(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    fill_days("follow");
    opened_open(&opened, mongod_host(mongod), "", "follow");
    opened_write_span(&opened, 3, 4, REQUESTS_RECEIVED_NS + DAY_NS / 2, SINK_STORED);
    opened_write_span(&opened, 3, 5, REQUESTS_RECEIVED_NS - 9 * DAY_NS, SINK_STORED);
    assert_int_equal(count_documents(mongod, "follow", "traces"), 5);
    check_reply_contains(list_collections("follow"),
                         "\"viewOn\" : \"traces_20261123\", \"pipeline\" : [ { \"$unionWith\" : \"" TODAY "\" }, ");
    opened_close(&opened);
}

/* Another version's view is replaced. */
static void test_views_that_differ_are_changed(void **state)
{
    NEED_MONGOD();
    bson_destroy(mongod_command(mongod, "differ",
                                BCON_NEW("create", "spans", "viewOn", "other", "pipeline", "[", "{", "$match", "{", "a",
                                         BCON_INT32(1), "}", "}", "]")));
    fill_days("differ");
    assert_int_equal(count_documents(mongod, "differ", "spans"), 3);
}

/* The names are taken: traces are stored all the same. */
static void test_collection_in_the_place_of_a_view_does_not_stop_delivery(void **state)
{
    NEED_MONGOD();
    bson_destroy(mongod_command(mongod, "taken", BCON_NEW("create", "spans")));
    fill_days("taken");
    assert_int_equal(count_documents(mongod, "taken", "traces"), 3);
    assert_int_equal(count_documents(mongod, "taken", "spans"), 0);
}

/* --- many at once --------------------------------------------------------- */

#define DAEMONS 4
#define DAYS_EACH 5

static void *write_days(void *context)
{
    struct opened *opened = context;
    size_t number = (size_t)(opened->options.sessions - 1);

    opened->options.sessions = 1;
    for (size_t i = 0; i < DAYS_EACH; i++)
        opened_write_span(opened, (uint8_t)(number + 1), (uint8_t)(i + 1),
                          REQUESTS_RECEIVED_NS - (i * DAEMONS + number) * DAY_NS, SINK_STORED);
    return NULL;
}

/* Each makes days of its own at the same time, so each overwrites views that others wrote. */
static void test_views_of_many_daemons_hold_every_day(void **state)
{
    struct opened daemons[DAEMONS];
    pthread_t threads[DAEMONS];

    NEED_MONGOD();
    for (size_t i = 0; i < DAEMONS; i++) {
        opened_open(&daemons[i], mongod_host(mongod), "", "many");
        daemons[i].options.sessions = (unsigned)i + 1; /* its number, for the thread */
        assert_int_equal(pthread_create(&threads[i], NULL, write_days, &daemons[i]), 0);
    }
    for (size_t i = 0; i < DAEMONS; i++) {
        pthread_join(threads[i], NULL);
        opened_close(&daemons[i]);
    }
    assert_int_equal(count_documents(mongod, "many", "traces"), DAEMONS * DAYS_EACH);
}

/* All of them make the same day. */
static void *write_same_day(void *context)
{
    struct opened *opened = context;

    opened_write_span(opened, (uint8_t)opened->options.sessions, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
    return NULL;
}

static void test_same_day_made_by_many_daemons(void **state)
{
    struct opened daemons[DAEMONS];
    pthread_t threads[DAEMONS];

    NEED_MONGOD();
    for (size_t i = 0; i < DAEMONS; i++) {
        opened_open(&daemons[i], mongod_host(mongod), "", "same");
        daemons[i].options.sessions = (unsigned)i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, write_same_day, &daemons[i]), 0);
    }
    for (size_t i = 0; i < DAEMONS; i++) {
        pthread_join(threads[i], NULL);
        opened_close(&daemons[i]);
    }
    assert_int_equal(count_documents(mongod, "same", "traces"), DAEMONS);
    check_reply_contains(mongod_command(mongod, "same", BCON_NEW("collStats", TODAY)), "block_compressor=zstd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_day_is_made_with_compressor_and_indexes),
        cmocka_unit_test(test_fragments_go_to_the_day_of_their_start),
        cmocka_unit_test(test_dropped_day_is_made_again_after_a_failure),
        cmocka_unit_test(test_day_made_by_an_insert_gets_its_indexes),
        cmocka_unit_test(test_views_show_all_days),
        cmocka_unit_test(test_views_reach_the_indexes_of_every_day),
        cmocka_unit_test(test_pages_examine_what_they_return),
        cmocka_unit_test(test_views_follow_new_days),
        cmocka_unit_test(test_views_that_differ_are_changed),
        cmocka_unit_test(test_collection_in_the_place_of_a_view_does_not_stop_delivery),
        cmocka_unit_test(test_views_of_many_daemons_hold_every_day),
        cmocka_unit_test(test_same_day_made_by_many_daemons),
    };

    return cmocka_run_group_tests(tests, opened_setup, opened_teardown);
}
