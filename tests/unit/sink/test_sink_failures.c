#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "metrics.h"
#include "opened.h"

#define SPANS_MAX 8

/* `count` traces of one span each, as one request. */
static void make_traces(struct request *request, size_t count)
{
    struct made_span made[SPANS_MAX];
    Otlp__Span *spans[SPANS_MAX];

    for (size_t i = 0; i < count; i++) {
        make_span(&made[i], (uint8_t)(i + 1), (uint8_t)(i + 1), 0, REQUESTS_RECEIVED_NS);
        spans[i] = &made[i].span;
    }
    request_of_spans(request, "shop", spans, count, REQUESTS_RECEIVED_NS);
    assert_int_equal(request->count, count);
}

/* Fails as `class` with `part` in its text. */
static void check_write_fails(struct opened *opened, const struct request *request, enum err_class class,
                              const char *part)
{
    struct sink_verdict verdicts[SPANS_MAX];
    struct err err;

    assert_int_equal(opened_write(opened, request, verdicts, &err), -1);
    check_contains(err.text, part);
    assert_int_equal(err.class, class);
}

static void check_write(struct opened *opened, const struct request *request, enum sink_outcome outcome)
{
    struct sink_verdict verdicts[SPANS_MAX];
    struct err err;

    if (opened_write(opened, request, verdicts, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < request->count; i++)
        assert_int_equal(verdicts[i].outcome, outcome);
}

/* The first is refused with `code` and `part` in its text, the others are stored. */
static void check_first_is_refused(struct opened *opened, const struct request *request, int code, const char *part)
{
    struct sink_verdict verdicts[SPANS_MAX];
    struct err err;

    if (opened_write(opened, request, verdicts, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(verdicts[0].outcome, SINK_REFUSED);
    assert_int_equal(verdicts[0].code, code);
    check_contains(verdicts[0].text, part);
    for (size_t i = 1; i < request->count; i++)
        assert_int_equal(verdicts[i].outcome, SINK_STORED);
}

/*
 * After a change of state the driver waits for the server's next heartbeat,
 * and a server that only pretends sends none early.
 */
#define SHORT_HEARTBEAT "?heartbeatFrequencyMS=500"

/* --- the server is gone --------------------------------------------------- */

static void test_stopped_mongod_is_retry_within_the_timeouts_and_comes_back(void **state)
{
    struct request request;
    struct opened opened;
    uint64_t before_ns;

    NEED_MONGOD();
    make_traces(&request, 3);
    opened_open(&opened, mongod_host(mongod), "?serverSelectionTimeoutMS=500&connectTimeoutMS=500", "stopped");
    check_write(&opened, &request, SINK_STORED);
    mongod_stop(mongod);
    before_ns = clock_mono_ns();
    check_write_fails(&opened, &request, ERR_RETRY, "MongoDB cannot be reached or is changing state: ");
    check_write_fails(&opened, &request, ERR_RETRY, "No suitable servers found");
    assert_true(clock_mono_ns() - before_ns < 5 * NS_PER_S);
    mongod_restart(mongod);
    check_write(&opened, &request, SINK_STORED_BEFORE);
    opened_close(&opened);
    request_free(&request);
}

static void test_silent_mongod_is_retry_within_the_socket_timeout(void **state)
{
    struct request request;
    struct opened opened;
    uint64_t before_ns;

    NEED_MONGOD();
    make_traces(&request, 1);
    opened_open(&opened, mongod_host(mongod), "?socketTimeoutMS=300", "silent");
    check_write(&opened, &request, SINK_STORED);
    bson_destroy(mongod_command(mongod, "admin",
                                BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times", BCON_INT32(1), "}",
                                         "data", "{", "failCommands", "[", "insert", "]", "blockConnection",
                                         BCON_BOOL(true), "blockTimeMS", BCON_INT32(3000), "}")));
    before_ns = clock_mono_ns();
    check_write_fails(&opened, &request, ERR_RETRY, "socket error or timeout");
    assert_true(clock_mono_ns() - before_ns < 2 * NS_PER_S);
    check_write(&opened, &request, SINK_STORED_BEFORE);
    opened_close(&opened);
    request_free(&request);
}

static void test_closed_connection_is_retry(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 1);
    opened_open(&opened, mongod_host(mongod), "", "closed");
    check_write(&opened, &request, SINK_STORED);
    bson_destroy(
        mongod_command(mongod, "admin",
                       BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times", BCON_INT32(1), "}", "data",
                                "{", "failCommands", "[", "insert", "]", "closeConnection", BCON_BOOL(true), "}")));
    check_write_fails(&opened, &request, ERR_RETRY, "MongoDB cannot be reached or is changing state: ");
    check_write(&opened, &request, SINK_STORED_BEFORE);
    opened_close(&opened);
    request_free(&request);
}

/* Stored, and the answer is lost: the same batch again finds it. */
static void test_lost_answer_is_retry_and_then_stored_before(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 4);
    opened_open(&opened, mongod_host(mongod), "", "lost");
    fault_arm("sink.answer", 1, 5);
    check_write_fails(&opened, &request, ERR_RETRY, "insert into " TODAY ": fault at sink.answer");
    check_write(&opened, &request, SINK_STORED_BEFORE);
    assert_int_equal(count_documents(mongod, "lost", TODAY), 4);
    opened_close(&opened);
    request_free(&request);
}

/* --- the server refuses for now ------------------------------------------- */

static void test_command_codes_have_their_class(void **state)
{
    static const struct {
        int code;
        enum err_class class;
        const char *text;
    } rows[] = {
        {10107, ERR_RETRY, "insert into " TODAY ": MongoDB cannot be reached or is changing state: "},
        {11600, ERR_RETRY, "(code 11600 InterruptedAtShutdown)"},
        {262, ERR_RETRY, "MongoDB cannot be reached or is changing state: "},
        {365, ERR_OVERLOAD, "MongoDB is overloaded: "},
        {14031, ERR_FULL, "MongoDB has no room or blocks writes: "},
        {150, ERR_RETRY, "the collection changed meanwhile: "},
        {12345, ERR_UNKNOWN, "MongoDB failed in a way that is not known: "},
        {13, ERR_CONFIG, "MongoDB needs a person: "},
        {20, ERR_CONFIG, "(code 20 IllegalOperation)"},
    };
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 2);
    opened_open(&opened, mongod_host(mongod), SHORT_HEARTBEAT, "codes");
    check_write(&opened, &request, SINK_STORED);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mongod_fail_next(mongod, "insert", 1, rows[i].code);
        check_write_fails(&opened, &request, rows[i].class, rows[i].text);
    }
    check_write(&opened, &request, SINK_STORED_BEFORE);
    opened_close(&opened);
    request_free(&request);
}

static void test_write_concern_error_is_retry_though_stored(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 2);
    opened_open(&opened, mongod_host(mongod), "", "concern");
    bson_destroy(
        mongod_command(mongod, "admin",
                       BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times", BCON_INT32(1), "}", "data",
                                "{", "failCommands", "[", "insert", "]", "writeConcernError", "{", "code",
                                BCON_INT32(64), "errmsg", "waiting for replication timed out", "}", "}")));
    check_write_fails(&opened, &request, ERR_RETRY,
                      "a majority has not confirmed the write: waiting for replication timed out");
    check_write(&opened, &request, SINK_STORED_BEFORE);
    opened_close(&opened);
    request_free(&request);
}

/* Each step of making a day can fail, and what is left then is made by the next write. */
static void test_day_that_cannot_be_made_is_made_later(void **state)
{
    static const char *const commands[] = {"create", "createIndexes"};
    static const char *const texts[] = {"make collection " TODAY ": ", "make the indexes of " TODAY ": "};
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 1);
    opened_open(&opened, mongod_host(mongod), SHORT_HEARTBEAT, "ddl");
    for (size_t i = 0; i < 2; i++) {
        mongod_fail_next(mongod, commands[i], 1, 189);
        check_write_fails(&opened, &request, ERR_RETRY, texts[i]);
    }
    mongod_fail_next(mongod, "create", 1, 13);
    check_write_fails(&opened, &request, ERR_CONFIG, "(code 13 Unauthorized)");
    mongod_fail_next(mongod, "create", 1, 2); /* BadValue: an option, not a document */
    check_write_fails(&opened, &request, ERR_CONFIG, "(code 2 BadValue)");
    check_write(&opened, &request, SINK_STORED);
    opened_close(&opened);
    request_free(&request);
}

/* Views that cannot be made are missed by their readers only, and made later. */
static void test_views_that_cannot_be_made_do_not_stop_delivery(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 1);
    opened_open(&opened, mongod_host(mongod), SHORT_HEARTBEAT, "viewless");
    mongod_fail_next(mongod, "listCollections", 1, 50); /* one that the driver does not send again */
    check_write(&opened, &request, SINK_STORED);
    opened_close(&opened);
    opened_open(&opened, mongod_host(mongod), SHORT_HEARTBEAT, "viewless");
    fault_arm("sink.make", 2, 5); /* collection, view */
    check_write(&opened, &request, SINK_STORED_BEFORE);
    assert_int_equal(count_documents(mongod, "viewless", "traces"), 0);
    opened_close(&opened);
    opened_open(&opened, mongod_host(mongod), SHORT_HEARTBEAT, "viewless");
    check_write(&opened, &request, SINK_STORED_BEFORE);
    assert_int_equal(count_documents(mongod, "viewless", "traces"), 1);
    opened_close(&opened);
    request_free(&request);
}

static void test_session_without_memory_is_retry(void **state)
{
    struct sink_session *session;
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "memory");
    opened.sink->ops->session_close(opened.session);
    fault_arm("sink.open", 1, 12);
    assert_int_equal(opened.sink->ops->session_open(opened.sink, &session, &err), -1);
    assert_int_equal(err.class, ERR_RETRY);
    assert_string_equal(err.text, "no memory for a session");
    assert_int_equal(opened.sink->ops->session_open(opened.sink, &opened.session, &err), 0);
    opened_close(&opened);
}

/* --- a whole command is refused ------------------------------------------- */

/* Four documents: all, the first two, the first. That one alone is to blame. */
static void test_refused_command_is_taken_apart(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 4);
    opened_open(&opened, mongod_host(mongod), "", "apart");
    mongod_fail_next(mongod, "insert", 3, 22);
    check_first_is_refused(&opened, &request, 22, "MongoDB refuses it: ");
    opened_close(&opened);
    request_free(&request);
}

static void test_part_that_fails_fails_the_whole(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 4);
    opened_open(&opened, mongod_host(mongod), "", "part");
    mongod_fail_next(mongod, "insert", 1, 2);
    fault_arm("sink.send", 3, 5); /* all, the first half, the second */
    check_write_fails(&opened, &request, ERR_RETRY, "insert into " TODAY ": fault at sink.send");
    opened_close(&opened);
    request_free(&request);
}

/* As a server without a journal answers (a whole command, code 2): nothing may be parked for it. */
static void test_server_that_refuses_everything_is_config(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 4);
    opened_open(&opened, mongod_host(mongod), "", "everything");
    mongod_fail_next(mongod, "insert", 1000, 2);
    check_write_fails(&opened, &request, ERR_CONFIG,
                      "every insert is refused, whatever it holds: MongoDB refuses it: ");
    mongod_fail_next(mongod, "insert", 0, 2);
    check_write(&opened, &request, SINK_STORED);

    mongod_fail_next(mongod, "insert", 1000, 2); /* and when there are documents */
    check_write_fails(&opened, &request, ERR_CONFIG,
                      "every insert is refused, whatever it holds: MongoDB refuses it: ");
    mongod_fail_next(mongod, "insert", 0, 2);
    check_write(&opened, &request, SINK_STORED_BEFORE);
    opened_close(&opened);
    request_free(&request);
}

/* What nobody knows is taken apart when that is asked for. */
static void test_unknown_refusal_is_taken_apart_when_asked(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 4);
    opened_open(&opened, mongod_host(mongod), "", "odd");
    opened_write_span(&opened, 90, 90, REQUESTS_RECEIVED_NS, SINK_STORED); /* a document that is known */
    opened.apart = true;
    mongod_fail_next(mongod, "insert", 3, 12345);
    check_first_is_refused(&opened, &request, 12345, "MongoDB failed in a way that is not known: ");
    opened_close(&opened);
    request_free(&request);
}

/* A server that fails for every document is not the documents' fault. */
static void test_unknown_failure_of_everything_refuses_nothing(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 4);
    opened_open(&opened, mongod_host(mongod), "", "odder");
    opened_write_span(&opened, 90, 90, REQUESTS_RECEIVED_NS, SINK_STORED);
    opened.apart = true;
    mongod_fail_next(mongod, "insert", 1000, 12345);
    check_write_fails(&opened, &request, ERR_UNKNOWN, "MongoDB failed in a way that is not known: ");
    mongod_fail_next(mongod, "insert", 0, 12345);
    check_write(&opened, &request, SINK_STORED);
    opened_close(&opened);
    request_free(&request);
}

/* --- whether it can be written to ------------------------------------------- */

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned told[2]; /* that none would pass, that writes may pass */

static void count_tell(void *context, bool passable)
{
    (void)context;
    pthread_mutex_lock(&told_lock);
    told[passable]++;
    pthread_mutex_unlock(&told_lock);
}

static unsigned times_told(bool passable)
{
    unsigned times;

    pthread_mutex_lock(&told_lock);
    times = told[passable];
    pthread_mutex_unlock(&told_lock);
    return times;
}

static void await_up(uint64_t up)
{
    uint64_t deadline_ns = clock_mono_ns() + 30 * NS_PER_S;

    while (metrics_get(METRIC_MONGODB_UP) != up) {
        assert_true(clock_mono_ns() < deadline_ns);
        usleep(10000);
    }
}

static void test_monitor_says_up_and_down_and_tells_the_watcher(void **state)
{
    uint64_t up_ns = metrics_get(METRIC_MONGODB_UP_SECONDS), down_ns = metrics_get(METRIC_MONGODB_DOWN_SECONDS);
    struct opened opened;
    unsigned before;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), SHORT_HEARTBEAT, "monitor");
    opened.sink->ops->watch(opened.sink, count_tell, NULL);
    await_up(1);
    before = times_told(true);
    mongod_stop(mongod);
    await_up(0);
    usleep(20000);
    sink_mongo_refresh_metrics(opened.sink);
    assert_true(metrics_get(METRIC_MONGODB_UP_SECONDS) > up_ns);
    assert_true(metrics_get(METRIC_MONGODB_DOWN_SECONDS) >= down_ns + 20 * NS_PER_MS);
    assert_int_equal(times_told(true), before);
    assert_int_equal(times_told(false), 1);
    mongod_restart(mongod);
    await_up(1);
    assert_int_equal(times_told(true), before + 1);
    opened.sink->ops->watch(opened.sink, NULL, NULL);
    opened_close(&opened);
}

/* Finding out which it is can fail as well. */
static void test_unclear_refusal_is_retry(void **state)
{
    struct request request;
    struct opened opened;

    NEED_MONGOD();
    make_traces(&request, 1);
    opened_open(&opened, mongod_host(mongod), "", "unclear");
    check_write(&opened, &request, SINK_STORED);
    mongod_fail_next(mongod, "insert", 1, 2);
    fault_arm("sink.send", 2, 5);
    check_write_fails(&opened, &request, ERR_RETRY, "fault at sink.send");
    bson_destroy(
        mongod_command(mongod, "admin",
                       BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times", BCON_INT32(2), "}", "data",
                                "{", "failCommands", "[", "insert", "find", "]", "errorCode", BCON_INT32(2), "}")));
    check_write_fails(&opened, &request, ERR_RETRY, "(code 2 BadValue)");
    check_write(&opened, &request, SINK_STORED_BEFORE);
    opened_close(&opened);
    request_free(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped_mongod_is_retry_within_the_timeouts_and_comes_back),
        cmocka_unit_test(test_silent_mongod_is_retry_within_the_socket_timeout),
        cmocka_unit_test(test_closed_connection_is_retry),
        cmocka_unit_test(test_lost_answer_is_retry_and_then_stored_before),
        cmocka_unit_test(test_command_codes_have_their_class),
        cmocka_unit_test(test_write_concern_error_is_retry_though_stored),
        cmocka_unit_test(test_day_that_cannot_be_made_is_made_later),
        cmocka_unit_test(test_views_that_cannot_be_made_do_not_stop_delivery),
        cmocka_unit_test(test_session_without_memory_is_retry),
        cmocka_unit_test(test_refused_command_is_taken_apart),
        cmocka_unit_test(test_part_that_fails_fails_the_whole),
        cmocka_unit_test(test_server_that_refuses_everything_is_config),
        cmocka_unit_test(test_unclear_refusal_is_retry),
        cmocka_unit_test(test_unknown_refusal_is_taken_apart_when_asked),
        cmocka_unit_test(test_unknown_failure_of_everything_refuses_nothing),
        cmocka_unit_test(test_monitor_says_up_and_down_and_tells_the_watcher),
    };

    return cmocka_run_group_tests(tests, opened_setup, opened_teardown);
}
