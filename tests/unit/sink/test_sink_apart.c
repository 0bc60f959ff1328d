/*
 * test_sink_apart.c - what was taken apart is not stored whole beside its
 * spans: the table of days is pure but for its lock, the rest is against a
 * real mongod.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "logged.h"
#include "opened.h"
#include "sink_apart.h"
#include "upkept.h"

#define NOTES "tracespool_apart_20261122"
#define BAD "bad"
#define DAY 20779 /* TODAY's */
#define SPANS_MAX 4
#define MANY (2 * SINK_APART_NOTES_MAX + 50)

/* One trace of `count` spans, one fragment; the last has the name that rules refuse. */
static void make_trace(struct request *request, uint8_t trace, size_t count)
{
    struct made_span made[SPANS_MAX];
    Otlp__Span *spans[SPANS_MAX];

    for (size_t i = 0; i < count; i++) {
        make_span(&made[i], trace, (uint8_t)(i + 1), 0, REQUESTS_RECEIVED_NS + i);
        spans[i] = &made[i].span;
    }
    made[count - 1].span.name = text_data(BAD);
    request_of_spans(request, "shop", spans, count, REQUESTS_RECEIVED_NS);
    assert_int_equal(request->count, 1);
}

static void open_day(struct opened *opened, const char *database)
{
    opened_open(opened, mongod_host(mongod), "", database);
    opened_write_span(opened, 100, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
}

static void set_rule(const char *database, const char *name)
{
    bson_destroy(mongod_command(
        mongod, database,
        BCON_NEW("collMod", TODAY, "validator", "{", "spans.name", "{", "$ne", BCON_UTF8(name), "}", "}")));
}

static struct sink_verdict write_one(struct opened *opened, const struct request *request)
{
    struct sink_verdict verdict;
    struct err err;

    if (opened_write(opened, request, &verdict, &err) != 0)
        fail_msg("%s", err.text);
    return verdict;
}

static void check_one(struct opened *opened, const struct request *request, enum sink_outcome outcome)
{
    assert_int_equal(write_one(opened, request).outcome, outcome);
}

static void check_known_apart(struct opened *opened, const struct request *request)
{
    struct sink_verdict verdict = write_one(opened, request);

    assert_int_equal(verdict.outcome, SINK_REFUSED);
    assert_string_equal(verdict.text, "it was taken apart before");
    assert_int_equal(verdict.code, 0);
}

/* --- the table of days ------------------------------------------------------ */

static void test_what_is_known_of_a_day_lasts_its_time(void **state)
{
    const uint64_t now_ns = 1000 * NS_PER_S, look_ns = SINK_APART_LOOK_MS * NS_PER_MS;
    struct sink_mongo *mongo;
    struct opened opened;
    bool any = true;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "known");
    mongo = (struct sink_mongo *)opened.sink;
    assert_false(sink_apart_known_get(mongo, 1, now_ns, &any));
    sink_apart_known_set(mongo, 1, now_ns, false);
    assert_true(sink_apart_known_get(mongo, 1, now_ns + look_ns - 1, &any));
    assert_false(any);
    assert_false(sink_apart_known_get(mongo, 1, now_ns + look_ns, &any));
    assert_false(sink_apart_known_get(mongo, 2, now_ns, &any));

    sink_apart_known_set(mongo, 1, now_ns, true);
    sink_apart_known_set(mongo, 1, now_ns, false); /* an answer from before */
    assert_true(sink_apart_known_get(mongo, 1, now_ns + look_ns, &any));
    assert_true(any);
    assert_false(sink_apart_known_get(mongo, 1, now_ns + SINK_DAY_RECHECK_S * NS_PER_S, &any));
    sink_apart_known_set(mongo, 1, now_ns + SINK_DAY_RECHECK_S * NS_PER_S, false);
    assert_true(sink_apart_known_get(mongo, 1, now_ns + SINK_DAY_RECHECK_S * NS_PER_S, &any));
    assert_false(any);
    opened_close(&opened);
}

static void test_table_of_days_is_bounded(void **state)
{
    struct sink_mongo *mongo;
    struct opened opened;
    bool any;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "bounded");
    mongo = (struct sink_mongo *)opened.sink;
    for (uint32_t day = 0; day <= SINK_DAYS_KNOWN_MAX; day++)
        sink_apart_known_set(mongo, day, NS_PER_S, true);
    assert_int_equal(mongo->apart.count, 1);
    assert_false(sink_apart_known_get(mongo, 0, NS_PER_S, &any));
    assert_true(sink_apart_known_get(mongo, SINK_DAYS_KNOWN_MAX, NS_PER_S, &any));
    opened_close(&opened);
}

/* --- noted, and met again --------------------------------------------------- */

static void test_refused_fragment_is_noted_and_not_inserted_again(void **state)
{
    struct request request;
    struct opened opened, other;

    NEED_MONGOD();
    make_trace(&request, 1, 3);
    open_day(&opened, "noted");
    set_rule("noted", BAD);
    assert_int_equal(write_one(&opened, &request).code, 121);
    assert_int_equal(count_documents(mongod, "noted", NOTES), 1);
    set_rule("noted", "");
    check_known_apart(&opened, &request);
    opened_open(&other, mongod_host(mongod), "?readPreference=secondaryPreferred", "noted");
    check_known_apart(&other, &request);
    opened_close(&other);
    assert_int_equal(count_documents(mongod, "noted", NOTES), 1);
    assert_int_equal(count_documents(mongod, "noted", TODAY), 1);
    bson_destroy(mongod_command(mongod, "noted", BCON_NEW("drop", NOTES))); /* by hand: then it is as any other */
    check_one(&opened, &request, SINK_STORED);
    opened_close(&opened);
    request_free(&request);
}

static void test_note_is_the_id_and_nothing_else(void **state)
{
    uint8_t id[SINK_BSON_ID_BYTES];
    struct request request;
    struct opened opened;
    bson_t *filter, *reply;
    bson_iter_t at;

    NEED_MONGOD();
    make_trace(&request, 1, 2);
    open_day(&opened, "form");
    set_rule("form", BAD);
    check_one(&opened, &request, SINK_REFUSED);
    sink_bson_id(id, &request.fragments[0]);
    filter = bson_new();
    BSON_APPEND_BINARY(filter, "_id", BSON_SUBTYPE_BINARY, id, sizeof(id));
    reply = mongod_command(mongod, "form", BCON_NEW("count", NOTES, "query", BCON_DOCUMENT(filter)));
    assert_true(bson_iter_init_find(&at, reply, "n"));
    assert_int_equal(bson_iter_as_int64(&at), 1);
    bson_destroy(reply);
    bson_destroy(filter);
    opened_close(&opened);
    request_free(&request);
}

/* Nothing is to be told apart: its own _id is that of its only span. */
static void test_refused_span_is_not_noted(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_trace(&request, 1, 1);
    open_day(&opened, "single");
    set_rule("single", BAD);
    check_one(&opened, &request, SINK_REFUSED);
    assert_int_equal(count_documents(mongod, "single", NOTES), 0);
    set_rule("single", "");
    check_one(&opened, &request, SINK_STORED);
    opened_close(&opened);
    request_free(&request);
}

/* MongoDB looks at the rule before it looks for the _id. */
static void test_what_was_stored_before_the_rule_is_stored_before(void **state)
{
    struct request whole, single;
    struct opened opened;

    NEED_MONGOD();
    make_trace(&whole, 1, 3);
    make_trace(&single, 2, 1);
    open_day(&opened, "older");
    check_one(&opened, &whole, SINK_STORED);
    check_one(&opened, &single, SINK_STORED);
    set_rule("older", BAD);
    check_one(&opened, &whole, SINK_STORED_BEFORE);
    check_one(&opened, &single, SINK_STORED_BEFORE);
    assert_int_equal(count_documents(mongod, "older", NOTES), 0);
    opened_close(&opened);
    request_free(&single);
    request_free(&whole);
}

/* What another daemon notes is met when what is known here has had its time. */
static void test_another_ones_note_is_met(void **state)
{
    uint64_t deadline_ns = clock_mono_ns() + 30 * NS_PER_S;
    struct opened opened, other;
    struct request first, request;
    bool any;

    NEED_MONGOD();
    make_trace(&first, 1, 2);
    make_trace(&request, 2, 2);
    open_day(&opened, "others");
    check_one(&opened, &first, SINK_STORED); /* nothing is noted, as far as it knows */
    set_rule("others", BAD);
    opened_open(&other, mongod_host(mongod), "", "others");
    check_one(&other, &request, SINK_REFUSED);
    set_rule("others", "");
    while (sink_apart_known_get((struct sink_mongo *)opened.sink, DAY, clock_mono_ns(), &any)) {
        assert_true(clock_mono_ns() < deadline_ns);
        usleep(10000);
    }
    check_known_apart(&opened, &request);
    opened_close(&other);
    opened_close(&opened);
    request_free(&request);
    request_free(&first);
}

/* More than are noted together, each of them twice in the write. */
static void test_many_are_noted_and_met(void **state)
{
    struct sink_verdict verdicts[2 * MANY];
    struct otlp_fragment fragments[2 * MANY];
    struct request *requests = calloc(MANY, sizeof(*requests));
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    assert_non_null(requests);
    for (size_t i = 0; i < MANY; i++) {
        make_trace(&requests[i], (uint8_t)(1 + i % 200), 2 + i / 200);
        fragments[i] = fragments[MANY + i] = requests[i].fragments[0];
    }
    open_day(&opened, "many");
    set_rule("many", BAD);
    for (int round = 0; round < 2; round++) {
        if (opened.sink->ops->write(opened.session, fragments, 2 * MANY, false, verdicts, &err) != 0)
            fail_msg("%s", err.text);
        for (size_t i = 0; i < 2 * MANY; i++) {
            assert_int_equal(verdicts[i].outcome, SINK_REFUSED);
            assert_int_equal(verdicts[i].code, round == 0 ? 121 : 0);
        }
        assert_int_equal(count_documents(mongod, "many", NOTES), MANY);
        set_rule("many", "");
    }
    assert_int_equal(count_documents(mongod, "many", TODAY), 1);
    opened_close(&opened);
    for (size_t i = 0; i < MANY; i++)
        request_free(&requests[i]);
    free(requests);
}

/* --- a note that cannot be made ----------------------------------------------- */

/* The next insert into the notes of `database` fails with `code`. */
static void fail_next_note(const char *database, int code)
{
    char name[128];

    snprintf(name, sizeof(name), "%s." NOTES, database);
    bson_destroy(mongod_command(mongod, "admin",
                                BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times", BCON_INT32(1), "}",
                                         "data", "{", "failCommands", "[", "insert", "]", "namespace", BCON_UTF8(name),
                                         "errorCode", BCON_INT32(code), "}")));
}

static void check_write_fails(struct opened *opened, const struct request *request, enum err_class class,
                              const char *part)
{
    struct sink_verdict verdict;
    struct err err;

    assert_int_equal(opened_write(opened, request, &verdict, &err), -1);
    check_contains(err.text, part);
    assert_int_equal(err.class, class);
}

static void test_note_that_fails_fails_the_write(void **state)
{
    static const struct {
        int code;
        enum err_class class;
        const char *text;
    } rows[] = {
        {262, ERR_RETRY, "note what is taken apart in " NOTES ": MongoDB cannot be reached or is changing state: "},
        {365, ERR_OVERLOAD, "note what is taken apart in " NOTES ": MongoDB is overloaded: "},
        {13, ERR_CONFIG, "note what is taken apart in " NOTES ": MongoDB needs a person: "},
        {2, ERR_CONFIG, "note what is taken apart in " NOTES ": MongoDB refuses it: "},
    };
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_trace(&request, 1, 3);
    open_day(&opened, "failing");
    set_rule("failing", BAD);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fail_next_note("failing", rows[i].code);
        check_write_fails(&opened, &request, rows[i].class, rows[i].text);
        assert_int_equal(count_documents(mongod, "failing", NOTES), 0);
    }
    fault_arm("sink.note", 1, 5);
    check_write_fails(&opened, &request, ERR_RETRY, "fault at sink.note");
    check_one(&opened, &request, SINK_REFUSED);
    assert_int_equal(count_documents(mongod, "failing", NOTES), 1);
    opened_close(&opened);
    request_free(&request);
}

/* A rule on the notes themselves is a person's mistake, and no reason to go on without them. */
static void test_refused_note_is_config(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_trace(&request, 1, 3);
    open_day(&opened, "ruled");
    set_rule("ruled", BAD);
    bson_destroy(mongod_command(
        mongod, "ruled", BCON_NEW("create", NOTES, "validator", "{", "x", "{", "$exists", BCON_BOOL(true), "}", "}")));
    check_write_fails(&opened, &request, ERR_CONFIG, "note what is taken apart in " NOTES ": MongoDB refuses it: ");
    opened_close(&opened);
    request_free(&request);
}

static void test_notes_that_cannot_be_read_fail_the_write(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_trace(&request, 1, 3);
    open_day(&opened, "unread");
    mongod_fail_next(mongod, "find", 1, 50); /* one that the driver does not send again */
    check_write_fails(&opened, &request, ERR_OVERLOAD, "look into " NOTES ": MongoDB is overloaded: ");
    check_one(&opened, &request, SINK_STORED);
    opened_close(&opened);
    request_free(&request);
}

/* --- with their day ------------------------------------------------------------- */

static uint32_t days_ago(uint32_t days)
{
    return (uint32_t)(clock_wall_ns() / NS_PER_DAY) - days;
}

/* Days 2 to 5 ago, each with notes. */
static void make_days(const char *database)
{
    char name[SINK_DAY_APART_NAME_MAX];

    for (uint32_t days = 2; days <= 5; days++) {
        sink_day_name(name, days_ago(days));
        bson_destroy(mongod_command(mongod, database, BCON_NEW("create", BCON_UTF8(name))));
        sink_day_apart_name(name, days_ago(days));
        bson_destroy(mongod_command(mongod, database, BCON_NEW("create", BCON_UTF8(name))));
    }
}

static bool has_notes(const char *database, uint32_t days)
{
    char name[SINK_DAY_APART_NAME_MAX];

    return mongod_has(mongod, database, sink_day_apart_name(name, days_ago(days)));
}

/* The notes of a day go with the day after it: a fragment may have spans on both. */
static void test_retention_drops_notes(void **state)
{
    const struct sink_mongo_options retention = {.retention_ns = 3 * NS_PER_DAY};
    struct opened opened;

    NEED_MONGOD();
    make_days("retained");
    bson_destroy(mongod_command(mongod, "retained", BCON_NEW("create", "tracespool_apart_20200131x")));
    upkept_open(&opened, "retained", &retention);
    upkept_wait_for_pass();
    assert_int_equal(logged_count("event=mongodb.day_dropped"), 2);
    assert_false(has_notes("retained", 5));
    assert_true(has_notes("retained", 4));
    assert_true(has_notes("retained", 3));
    assert_true(mongod_has(mongod, "retained", "tracespool_apart_20200131x"));
    opened_close(&opened);
}

static bool notes_are_gone(void)
{
    return !has_notes("needy", 6);
}

static void test_drop_for_want_of_room_takes_notes_along(void **state)
{
    const struct sink_mongo_options greedy = {.min_free_bytes = 1ULL << 60, .drop_oldest = true};
    char name[SINK_DAY_APART_NAME_MAX];
    struct opened opened;

    NEED_MONGOD();
    make_days("needy");
    sink_day_apart_name(name, days_ago(6));
    bson_destroy(mongod_command(mongod, "needy", BCON_NEW("create", BCON_UTF8(name))));
    upkept_open(&opened, "needy", &greedy);
    upkept_wait_for(notes_are_gone, "the notes to be dropped");
    assert_int_equal(logged_count("event=mongodb.day_dropped"), 1);
    assert_true(has_notes("needy", 5));
    opened_close(&opened);
}

static void test_name_of_notes_and_its_day(void **state)
{
    char name[SINK_DAY_APART_NAME_MAX];
    uint32_t day = 7;

    (void)state;
    assert_string_equal(sink_day_apart_name(name, DAY), NOTES);
    assert_true(sink_day_apart_read(NOTES, &day));
    assert_int_equal(day, DAY);
    assert_false(sink_day_apart_read(TODAY, &day));
    assert_false(sink_day_apart_read("tracespool_apart_20260230", &day));
    assert_false(sink_day_apart_read("tracespool_apart_2026112", &day));
    assert_false(sink_day_apart_read("tracespool_apart_202611220", &day));
    assert_false(sink_day_read(NOTES, &day));
}

#define LOGGED(test) cmocka_unit_test_setup_teardown(test, logged_setup, logged_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_of_notes_and_its_day),
        cmocka_unit_test(test_what_is_known_of_a_day_lasts_its_time),
        cmocka_unit_test(test_table_of_days_is_bounded),
        cmocka_unit_test(test_refused_fragment_is_noted_and_not_inserted_again),
        cmocka_unit_test(test_note_is_the_id_and_nothing_else),
        cmocka_unit_test(test_refused_span_is_not_noted),
        cmocka_unit_test(test_what_was_stored_before_the_rule_is_stored_before),
        cmocka_unit_test(test_another_ones_note_is_met),
        cmocka_unit_test(test_many_are_noted_and_met),
        cmocka_unit_test(test_note_that_fails_fails_the_write),
        cmocka_unit_test(test_refused_note_is_config),
        cmocka_unit_test(test_notes_that_cannot_be_read_fail_the_write),
        LOGGED(test_retention_drops_notes),
        LOGGED(test_drop_for_want_of_room_takes_notes_along),
    };

    return cmocka_run_group_tests(tests, opened_setup, opened_teardown);
}
