/*
 * test_sink_upkeep.c - the thread, against a real mongod: each of its jobs at
 * its start, and what it says when one fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "fault.h"
#include "logged.h"
#include "metrics.h"
#include "opened.h"
#include "sink_day.h"
#include "upkept.h"

#define MONTH_NS (30 * NS_PER_DAY)

/* --- what there is -------------------------------------------------------- */

static char *day_name(char out[SINK_DAY_NAME_MAX], int days_ago)
{
    return sink_day_name(out, (uint32_t)((int)(clock_wall_ns() / NS_PER_DAY) - days_ago));
}

static void make_collection(const char *database, const char *name)
{
    bson_destroy(mongod_command(mongod, database, BCON_NEW("create", BCON_UTF8(name))));
}

static void make_day(const char *database, int days_ago)
{
    char name[SINK_DAY_NAME_MAX];

    make_collection(database, day_name(name, days_ago));
}

static bool has_day(const char *database, int days_ago)
{
    char name[SINK_DAY_NAME_MAX];

    return mongod_has(mongod, database, day_name(name, days_ago));
}

static char *as_json(bson_t *reply)
{
    char *json = bson_as_relaxed_extended_json(reply, NULL);

    bson_destroy(reply);
    return json;
}

/* --- days ahead of need --------------------------------------------------- */

static void test_days_are_there_before_the_first_span(void **state)
{
    struct opened opened;
    char name[SINK_DAY_NAME_MAX];

    NEED_MONGOD();
    upkept_open(&opened, "ahead", &upkept_nothing);
    upkept_wait_for_pass();
    for (int days_ago = -1; days_ago <= 0; days_ago++) {
        char *json =
            as_json(mongod_command(mongod, "ahead", BCON_NEW("listIndexes", BCON_UTF8(day_name(name, days_ago)))));

        check_contains(json, "service_error");
        bson_free(json);
        json = as_json(mongod_command(mongod, "ahead", BCON_NEW("collStats", BCON_UTF8(name))));
        check_contains(json, "block_compressor=zstd");
        bson_free(json);
    }
    assert_true(mongod_has(mongod, "ahead", "traces"));
    assert_true(mongod_has(mongod, "ahead", "spans"));
    opened_close(&opened);
}

/* --- retention ------------------------------------------------------------ */

/* What looks like an old day and is none. */
static const char *const look_alikes[] = {"traces_20200230", "traces_202001011", "traces_2020010",
                                          "old_traces_20200101", "traces_20200101_kept"};

static void test_retention_drops_old_days_only(void **state)
{
    const struct sink_mongo_options month = {.retention_ns = MONTH_NS};
    uint64_t before = metrics_get(METRIC_MONGODB_DAYS_DROPPED_RETENTION);
    struct opened opened;
    char *json;

    NEED_MONGOD();
    make_day("old", 31);
    make_day("old", 400);
    make_day("old", 30);
    make_day("old", 1);
    for (size_t i = 0; i < sizeof(look_alikes) / sizeof(look_alikes[0]); i++)
        make_collection("old", look_alikes[i]);
    bson_destroy(mongod_command(
        mongod, "old", BCON_NEW("create", "traces_20200101", "viewOn", "traces_20200230", "pipeline", "[", "]")));
    upkept_open(&opened, "old", &month);
    upkept_wait_for_pass();
    assert_int_equal(metrics_get(METRIC_MONGODB_DAYS_DROPPED_RETENTION) - before, 2);
    assert_false(has_day("old", 31));
    assert_false(has_day("old", 400));
    assert_true(has_day("old", 30));
    assert_true(has_day("old", 1));
    for (size_t i = 0; i < sizeof(look_alikes) / sizeof(look_alikes[0]); i++)
        assert_true(mongod_has(mongod, "old", look_alikes[i]));
    assert_true(mongod_has(mongod, "old", "traces_20200101"));
    assert_int_equal(logged_count("event=mongodb.day_dropped"), 2);
    json = as_json(mongod_command(mongod, "old",
                                  BCON_NEW("listCollections", BCON_INT32(1), "filter", "{", "name", "traces", "}")));
    assert_null(strstr(json, "traces_2020"));
    assert_null(strstr(json, "traces_2025"));
    bson_free(json);
    opened_close(&opened);
}

static void test_without_retention_all_days_stay(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    make_day("ever", 4000);
    upkept_open(&opened, "ever", &upkept_nothing);
    upkept_wait_for_pass();
    assert_true(has_day("ever", 4000));
    opened_close(&opened);
}

/* Writes a span that started, and was received, so long ago. */
static void write_old(struct opened *opened, int days_ago)
{
    uint64_t then_ns = clock_wall_ns() - (uint64_t)days_ago * NS_PER_DAY;
    struct made_span made;
    Otlp__Span *spans[] = {&made.span};
    struct sink_verdict verdict;
    struct request request;
    struct err err;

    make_span(&made, 1, 1, 0, then_ns);
    request_of_spans(&request, "shop", spans, 1, then_ns);
    if (opened_write(opened, &request, &verdict, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(verdict.outcome, SINK_STORED);
    request_free(&request);
}

/* A replay of history whose day is gone: stored, and gone again with the next pass. */
static void test_replay_of_a_dropped_day_is_stored_until_the_next_pass(void **state)
{
    const struct sink_mongo_options week = {.retention_ns = 7 * NS_PER_DAY};
    struct opened opened;

    NEED_MONGOD();
    upkept_open(&opened, "replay", &week);
    upkept_wait_for_pass();
    write_old(&opened, 40);
    assert_true(has_day("replay", 40));
    opened_close(&opened);

    upkept_open(&opened, "replay", &week);
    upkept_wait_for_pass();
    assert_false(has_day("replay", 40));
    opened_close(&opened);
}

/* --- indexes of days that nobody writes to -------------------------------- */

static bool reports_one_difference(void)
{
    return metrics_get(METRIC_MONGODB_INDEX_DIFFERENCES) == 1;
}

static void test_pass_looks_at_every_day_and_forgets_what_is_gone(void **state)
{
    struct opened opened;
    char name[SINK_DAY_NAME_MAX];

    NEED_MONGOD();
    make_day("look", 5); /* without an index: an insert made it */
    upkept_open(&opened, "look", &upkept_nothing);
    upkept_wait_for_pass();
    opened_close(&opened);
    bson_destroy(
        mongod_command(mongod, "look", BCON_NEW("dropIndexes", BCON_UTF8(day_name(name, 5)), "index", "trace")));
    upkept_open(&opened, "look", &upkept_nothing);
    upkept_wait_for(reports_one_difference, "the difference");
    assert_int_equal(logged_count("event=mongodb.index_differs"), 1);
    opened_close(&opened);
    bson_destroy(mongod_command(mongod, "look", BCON_NEW("drop", BCON_UTF8(name))));
    upkept_open(&opened, "look", &upkept_nothing);
    upkept_wait_for_pass();
    assert_int_equal(metrics_get(METRIC_MONGODB_INDEX_DIFFERENCES), 0);
    opened_close(&opened);
}

/* --- free space ----------------------------------------------------------- */

#define MORE_THAN_ALL (1ULL << 60)

static bool is_low(void)
{
    return logged_count("event=mongodb.space_low") > 0;
}

static bool is_open_again(void)
{
    return logged_count("event=mongodb.space_again") > 0;
}

static bool is_measured(void)
{
    return metrics_get(METRIC_MONGODB_AVAILABLE_BYTES) > 0;
}

static void set_flag(void *context, bool passable)
{
    if (passable)
        *(volatile bool *)context = true;
}

static void test_low_space_refuses_writes_until_it_is_over(void **state)
{
    const struct sink_mongo_options greedy = {.min_free_bytes = MORE_THAN_ALL};
    static bool told;
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    upkept_open(&opened, "low", &greedy);
    opened.sink->ops->watch(opened.sink, set_flag, &told);
    upkept_wait_for(is_low, "the rule to apply");
    told = false; /* the monitor tells, too */
    assert_int_equal(opened_try_span(&opened, 1, &err), -1);
    assert_int_equal(err.class, ERR_FULL);
    check_contains(err.text, "MongoDB's volume has ");
    check_contains(err.text, " free, mongodb.min_free asks for 1.00 EiB");
    assert_true(metrics_get(METRIC_MONGODB_SIZE_BYTES) > metrics_get(METRIC_MONGODB_AVAILABLE_BYTES));
    assert_true(has_day("low", 0)); /* room is asked for, and days are made all the same */

    mongod_fail_next(mongod, "dbStats", 1, 13); /* the right to ask is taken away: the rule has no effect any more */
    upkept_wait_for(is_open_again, "the rule to end");
    assert_true(told);
    assert_int_equal(logged_count("mongodb.min_free has no effect: free space of MongoDB's volume: "), 1);
    assert_int_equal(metrics_get(METRIC_MONGODB_SIZE_BYTES), 0);
    assert_int_equal(opened_try_span(&opened, 1, &err), 0);
    opened.sink->ops->watch(opened.sink, NULL, NULL);
    opened_close(&opened);
}

static void test_measure_that_fails_is_said_and_tried_again(void **state)
{
    const struct sink_mongo_options share = {.min_free_millionths = 1};
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    metrics_set(METRIC_MONGODB_AVAILABLE_BYTES, 0);
    mongod_fail_next(mongod, "dbStats", 1, 91);
    upkept_open(&opened, "again", &share);
    upkept_wait_for(is_measured, "a measure");
    assert_int_equal(logged_count("event=mongodb.upkeep_failed"), 1);
    assert_int_equal(logged_count("free space of MongoDB's volume: MongoDB cannot be reached or is changing state"), 1);
    assert_int_equal(opened_try_span(&opened, 1, &err), 0);
    opened_close(&opened);
}

static bool has_dropped_for_room(void)
{
    return logged_count("the volume is full, and mongodb.when_full is drop_oldest") > 0; /* the last that is done */
}

static bool cannot_drop(void)
{
    return logged_count("there is no day before today's that could be dropped to make room") > 0;
}

static void test_oldest_day_is_dropped_for_room(void **state)
{
    const struct sink_mongo_options options = {.min_free_bytes = MORE_THAN_ALL, .drop_oldest = true};
    struct opened opened;

    NEED_MONGOD();
    make_day("room", 2);
    make_day("room", 3);
    upkept_open(&opened, "room", &options);
    upkept_wait_for(has_dropped_for_room, "a day to be dropped");
    assert_int_equal(logged_count("the volume is full, and mongodb.when_full is drop_oldest"), 1);
    assert_int_equal(metrics_get(METRIC_MONGODB_DAYS_DROPPED_FULL), 1);
    assert_false(has_day("room", 3));
    assert_true(has_day("room", 2)); /* the room that the first one gives comes minutes later */
    opened_close(&opened);
}

static void test_todays_day_is_never_dropped_for_room(void **state)
{
    const struct sink_mongo_options options = {.min_free_bytes = MORE_THAN_ALL, .drop_oldest = true};
    struct opened opened;

    NEED_MONGOD();
    upkept_open(&opened, "today", &options);
    upkept_wait_for(cannot_drop, "the reason why nothing is dropped");
    assert_true(has_day("today", 0));
    opened_close(&opened);
}

/* --- failures ------------------------------------------------------------- */

static bool has_failed(void)
{
    return logged_count("event=mongodb.upkeep_failed") > 0;
}

static void test_pass_without_a_server_is_said_once(void **state)
{
    struct opened opened;

    (void)state;
    upkept_open_at(&opened, "127.0.0.1:1", "", "none", &upkept_nothing);
    upkept_wait_for(has_failed, "the failure to be said");
    opened_close(&opened); /* ends */
    assert_true(logged_count("ask MongoDB for its time: ") <= 1);
}

static void test_pass_is_tried_again_when_the_server_is_there(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    mongod_stop(mongod);
    upkept_open(&opened, "late", &upkept_nothing);
    upkept_wait_for(has_failed, "the failure to be said");
    mongod_restart(mongod);
    upkept_wait_for_pass();
    assert_true(has_day("late", 0));
    opened_close(&opened);
}

static void test_day_that_cannot_be_made_is_said_and_the_rest_is_done(void **state)
{
    const struct sink_mongo_options month = {.retention_ns = MONTH_NS};
    struct opened opened;

    NEED_MONGOD();
    make_day("part", 31);
    mongod_fail_next(mongod, "create", 1, 13);
    upkept_open(&opened, "part", &month);
    upkept_wait_for(has_failed, "the failure to be said");
    opened_close(&opened); /* that pass has ended */
    assert_int_equal(logged_count("MongoDB needs a person: "), 1);
    assert_false(has_day("part", 31));
}

static bool has_failed_twice(void)
{
    return logged_count("event=mongodb.upkeep_failed") > 1;
}

static bool has_dropped_by_retention(void)
{
    return logged_count("event=mongodb.day_dropped") > 0;
}

/* Today's name is taken by a view, and the old day cannot be dropped at first: a person's, and a passing one. */
static void test_each_failure_of_a_pass_is_said_once(void **state)
{
    const struct sink_mongo_options month = {.retention_ns = MONTH_NS};
    char name[SINK_DAY_NAME_MAX];
    struct opened opened;

    NEED_MONGOD();
    make_day("both", 31);
    bson_destroy(mongod_command(mongod, "both",
                                BCON_NEW("create", BCON_UTF8(day_name(name, 0)), "viewOn", "x", "pipeline", "[", "]")));
    mongod_fail_next(mongod, "drop", 1, 50);
    upkept_open(&opened, "both", &month);
    upkept_wait_for(has_failed_twice, "both failures to be said");
    upkept_wait_for(has_dropped_by_retention, "what may pass to be tried again soon");
    opened_close(&opened); /* that pass has ended */
    assert_int_equal(logged_count("event=mongodb.upkeep_failed msg=\"list the indexes of traces_"), 1);
    assert_int_equal(logged_count("event=mongodb.upkeep_failed msg=\"drop traces_"), 1);
    assert_int_equal(logged_count("event=mongodb.upkeep_failed"), 2);
}

static void test_thread_that_cannot_be_made_is_an_error(void **state)
{
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "thread");
    fault_arm("sink.upkeep", 1, 11);
    assert_int_equal(sink_mongo_start_upkeep(opened.sink, &err), -1);
    assert_int_equal(err.class, ERR_RETRY);
    assert_string_equal(err.text, "no thread for upkeep");
    assert_int_equal(sink_mongo_start_upkeep(opened.sink, &err), 0); /* its client went back */
    sink_mongo_end_upkeep(opened.sink);
    opened_close(&opened);
}

#define LOGGED(test) cmocka_unit_test_setup_teardown(test, logged_setup, logged_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOGGED(test_days_are_there_before_the_first_span),
        LOGGED(test_retention_drops_old_days_only),
        LOGGED(test_without_retention_all_days_stay),
        LOGGED(test_replay_of_a_dropped_day_is_stored_until_the_next_pass),
        LOGGED(test_pass_looks_at_every_day_and_forgets_what_is_gone),
        LOGGED(test_low_space_refuses_writes_until_it_is_over),
        LOGGED(test_measure_that_fails_is_said_and_tried_again),
        LOGGED(test_oldest_day_is_dropped_for_room),
        LOGGED(test_todays_day_is_never_dropped_for_room),
        LOGGED(test_pass_without_a_server_is_said_once),
        LOGGED(test_pass_is_tried_again_when_the_server_is_there),
        LOGGED(test_day_that_cannot_be_made_is_said_and_the_rest_is_done),
        LOGGED(test_each_failure_of_a_pass_is_said_once),
        LOGGED(test_thread_that_cannot_be_made_is_an_error),
    };

    return cmocka_run_group_tests(tests, opened_setup, opened_teardown);
}
