/*
 * test_sink_drops.c - one drop for one shortage of room, whoever looks: the
 * pause is pure, the rest is against a real mongod.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "logged.h"
#include "metrics.h"
#include "opened.h"
#include "sink_drops.h"
#include "sink_mongo_internal.h"
#include "upkept.h"

#define NOW_NS (20000 * NS_PER_DAY)
#define PAUSE_NS (SINK_DROP_PAUSE_S * NS_PER_S)
#define MORE_THAN_ALL (1ULL << 60)
#define CLAIMANTS 8

static const struct sink_mongo_options greedy = {.min_free_bytes = MORE_THAN_ALL, .drop_oldest = true};

/* --- the pause ------------------------------------------------------------ */

static void test_pause_is_what_is_left_of_it(void **state)
{
    (void)state;
    assert_true(sink_drops_pause_ns(NOW_NS, NOW_NS) == PAUSE_NS);
    assert_true(sink_drops_pause_ns(NOW_NS - 10 * NS_PER_S, NOW_NS) == PAUSE_NS - 10 * NS_PER_S);
    assert_true(sink_drops_pause_ns(NOW_NS - PAUSE_NS + 1, NOW_NS) == 1);
    assert_true(sink_drops_pause_ns(NOW_NS - PAUSE_NS, NOW_NS) == 0);
    assert_true(sink_drops_pause_ns(NOW_NS - NS_PER_DAY, NOW_NS) == 0);
    assert_true(sink_drops_pause_ns(0, NOW_NS) == 0); /* nothing was noted */
}

/* After an election the clock may be another one. */
static void test_pause_after_a_note_of_the_future_is_bounded(void **state)
{
    (void)state;
    assert_true(sink_drops_pause_ns(NOW_NS + 5 * NS_PER_S, NOW_NS) == PAUSE_NS + 5 * NS_PER_S);
    assert_true(sink_drops_pause_ns(NOW_NS + PAUSE_NS, NOW_NS) == 2 * PAUSE_NS);
    assert_true(sink_drops_pause_ns(NOW_NS + PAUSE_NS + 1, NOW_NS) == 0);
    assert_true(sink_drops_pause_ns(NOW_NS + 365 * NS_PER_DAY, NOW_NS) == 0);
}

/* --- several at once ------------------------------------------------------ */

struct claimant {
    pthread_t thread;
    struct sink_link link;
    uint64_t pause_ns;
    struct err err;
    int result;
};

static void *claim(void *context)
{
    struct claimant *claimant = context;

    claimant->result = sink_drops_claim(&claimant->link, 20000, NOW_NS, &claimant->pause_ns, &claimant->err);
    return NULL;
}

static void test_one_of_several_may_drop(void **state)
{
    struct claimant claimants[CLAIMANTS] = {0};
    struct opened opened;
    int winners = 0;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "several");
    for (int i = 0; i < CLAIMANTS; i++) {
        claimants[i].link.mongo = (struct sink_mongo *)opened.sink;
        claimants[i].link.client = mongoc_client_new(opened.uri);
        mongoc_client_set_error_api(claimants[i].link.client, MONGOC_ERROR_API_VERSION_2);
        assert_int_equal(pthread_create(&claimants[i].thread, NULL, claim, &claimants[i]), 0);
    }
    for (int i = 0; i < CLAIMANTS; i++) {
        pthread_join(claimants[i].thread, NULL);
        if (claimants[i].result != 0)
            fail_msg("%s", claimants[i].err.text);
        winners += claimants[i].pause_ns == 0;
        assert_true(claimants[i].pause_ns == 0 || claimants[i].pause_ns == PAUSE_NS);
        mongoc_client_destroy(claimants[i].link.client);
    }
    assert_int_equal(winners, 1);
    assert_int_equal(count_documents(mongod, "several", "tracespool_drops"), 1);
    opened_close(&opened);
}

/* --- the thread ----------------------------------------------------------- */

static bool waits(void)
{
    return logged_count("event=mongodb.drop_waits") > 0;
}

static bool has_dropped(void)
{
    return logged_count("event=mongodb.day_dropped") > 0;
}

static void make_days(const char *database)
{
    char name[SINK_DAY_NAME_MAX];

    for (uint32_t days_ago = 2; days_ago < 5; days_ago++) {
        sink_day_name(name, (uint32_t)(clock_wall_ns() / NS_PER_DAY) - days_ago);
        bson_destroy(mongod_command(mongod, database, BCON_NEW("create", BCON_UTF8(name))));
    }
}

static void put_note(const char *database, int64_t number, int64_t ago_s)
{
    int64_t at_ms = (int64_t)(clock_wall_ns() / NS_PER_MS) - ago_s * 1000;

    bson_destroy(mongod_command(mongod, database,
                                BCON_NEW("insert", "tracespool_drops", "documents", "[", "{", "_id", BCON_INT64(number),
                                         "at", BCON_DATE_TIME(at_ms), "day", "traces_20200101", "by",
                                         "elsewhere, process 7", "}", "]")));
}

static void test_drop_is_known_after_a_restart(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    make_days("restart");
    upkept_open(&opened, "restart", &greedy);
    upkept_wait_for(has_dropped, "the oldest day to be dropped");
    opened_close(&opened);
    upkept_open(&opened, "restart", &greedy);
    upkept_wait_for(waits, "the room to be waited for");
    assert_int_equal(logged_count("event=mongodb.day_dropped"), 1);
    assert_int_equal(logged_count("level=warn event=mongodb.upkeep_failed"), 0);
    opened_close(&opened);
}

static void test_another_ones_drop_is_waited_for(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    make_days("other");
    put_note("other", 3, 10);
    upkept_open(&opened, "other", &greedy);
    upkept_wait_for(waits, "the room to be waited for");
    assert_int_equal(logged_count("the room of traces_20200101, which elsewhere, process 7 drops, is waited for"), 1);
    assert_int_equal(logged_count("event=mongodb.day_dropped"), 0);
    opened_close(&opened);
}

static void test_next_day_goes_when_the_pause_is_over(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    make_days("next");
    put_note("next", 3, SINK_DROP_PAUSE_S + 1);
    upkept_open(&opened, "next", &greedy);
    upkept_wait_for(has_dropped, "the oldest day to be dropped");
    assert_int_equal(logged_count("event=mongodb.drop_waits"), 0);
    assert_int_equal(count_documents(mongod, "next", "tracespool_drops"), 2);
    opened_close(&opened);
}

/* What retention drops gives room, too. */
static void test_drop_by_retention_is_noted(void **state)
{
    const struct sink_mongo_options day = {.retention_ns = 3 * NS_PER_DAY};
    struct opened opened;

    NEED_MONGOD();
    make_days("ended");
    upkept_open(&opened, "ended", &day);
    upkept_wait_for_pass();
    opened_close(&opened);
    assert_int_equal(logged_count("event=mongodb.day_dropped"), 1);
    upkept_open(&opened, "ended", &greedy);
    upkept_wait_for(waits, "the room to be waited for");
    assert_int_equal(logged_count("event=mongodb.day_dropped"), 1);
    opened_close(&opened);
}

static bool has_failed(void)
{
    return logged_count("note a drop in tracespool_drops: ") > 0;
}

static void test_without_a_note_nothing_is_dropped(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    make_days("mute");
    mongod_fail_next(mongod, "insert", 1, 13);
    upkept_open(&opened, "mute", &greedy);
    upkept_wait_for(has_failed, "the failure to be said");
    assert_int_equal(logged_count("event=mongodb.day_dropped"), 0);
    opened_close(&opened);
}

#define LOGGED(test) cmocka_unit_test_setup_teardown(test, logged_setup, logged_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pause_is_what_is_left_of_it),
        cmocka_unit_test(test_pause_after_a_note_of_the_future_is_bounded),
        LOGGED(test_one_of_several_may_drop),
        LOGGED(test_drop_is_known_after_a_restart),
        LOGGED(test_another_ones_drop_is_waited_for),
        LOGGED(test_next_day_goes_when_the_pause_is_over),
        LOGGED(test_drop_by_retention_is_noted),
        LOGGED(test_without_a_note_nothing_is_dropped),
    };

    return cmocka_run_group_tests(tests, opened_setup, opened_teardown);
}
