#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "logged.h"
#include "metrics.h"
#include "opened.h"
#include "sink_day.h"
#include "upkept.h"

static int setup(void **state)
{
    static const char *const extra[] = {"--auth", NULL};

    (void)state;
    return opened_setup_with(extra);
}

/* Runs a command with an administrator's rights, or with none as "" from this machine, until there is a user. */
static void run_as(const char *user, const char *database, bson_t *command)
{
    mongoc_client_t *client;
    bson_error_t error;
    char uri[256];

    snprintf(uri, sizeof(uri), "mongodb://%s%s/?directConnection=true&authSource=admin", user, mongod_host(mongod));
    client = mongoc_client_new(uri);
    if (!mongoc_client_command_simple(client, database, command, NULL, NULL, &error))
        fail_msg("%s", error.message);
    mongoc_client_destroy(client);
    bson_destroy(command);
}

static void make_administrator(void)
{
    static bool made;

    if (made)
        return;
    made = true;
    run_as("", "admin",
           BCON_NEW("createUser", "root", "pwd", "root", "roles", "[", "{", "role", "root", "db", "admin", "}", "]"));
}

/* The actions of docs/mongodb.md, in its order; NULL ends. */
static const char *const documented[] = {
    "listCollections", "createCollection", "createIndex", "listIndexes", "collMod", "find",
    "insert",          "dropCollection",   "dbStats",     NULL};

/* A user `name` of database `name` whose role has the documented actions but `without`. */
static void make_user(const char *name, const char *without)
{
    bson_t *command = BCON_NEW("createRole", BCON_UTF8(name), "roles", "[", "]");
    bson_t privileges, privilege, resource, actions;
    char key[2] = "0";

    make_administrator();
    BSON_APPEND_ARRAY_BEGIN(command, "privileges", &privileges);
    BSON_APPEND_DOCUMENT_BEGIN(&privileges, "0", &privilege);
    BSON_APPEND_DOCUMENT_BEGIN(&privilege, "resource", &resource);
    BSON_APPEND_UTF8(&resource, "db", name);
    BSON_APPEND_UTF8(&resource, "collection", "");
    bson_append_document_end(&privilege, &resource);
    BSON_APPEND_ARRAY_BEGIN(&privilege, "actions", &actions);
    for (size_t i = 0; documented[i] != NULL; i++)
        if (without == NULL || strcmp(documented[i], without) != 0) {
            bson_append_utf8(&actions, key, 1, documented[i], -1);
            key[0]++;
        }
    bson_append_array_end(&privilege, &actions);
    bson_append_document_end(&privileges, &privilege);
    bson_append_array_end(command, &privileges);
    run_as("root:root@", name, command);
    run_as("root:root@", name, BCON_NEW("createUser", "trace", "pwd", "hunter2", "roles", "[", BCON_UTF8(name), "]"));
}

static void open_as(struct opened *opened, const char *database)
{
    char host[128], rest[128];

    snprintf(host, sizeof(host), "trace:hunter2@%s", mongod_host(mongod));
    snprintf(rest, sizeof(rest), "?authSource=%s", database);
    opened_open(opened, host, rest, database);
}

static void check_config(struct opened *opened, const char *part)
{
    struct err err;

    assert_int_equal(opened_try_span(opened, 1, &err), -1);
    check_contains(err.text, part);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_null(strstr(err.text, "hunter2"));
}

static void test_wrong_password_is_config(void **state)
{
    struct opened opened;
    char host[128];
    struct err err;

    NEED_MONGOD();
    snprintf(host, sizeof(host), "trace:hunter2@%s", mongod_host(mongod));
    opened_open(&opened, host, "", "wrong"); /* there is no such user */
    check_config(&opened, "Authentication failed");
    check_config(&opened, "MongoDB needs a person: ");
    assert_int_equal(sink_mongo_ping(&opened.options, 5000, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    check_contains(err.text, "Authentication failed");
    opened_close(&opened);
}

static void test_no_user_at_all_is_config(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    make_administrator();
    opened_open(&opened, mongod_host(mongod), "", "nobody");
    check_config(&opened, "(code 13 Unauthorized)");
    opened_close(&opened);
}

static void count_span(void *context, const struct sink_mongo_span *span)
{
    (void)span;
    ++*(size_t *)context;
}

static void test_documented_rights_suffice(void **state)
{
    uint8_t trace[OTLP_TRACE_ID_BYTES];
    struct opened opened;
    size_t count = 0;
    struct err err;

    NEED_MONGOD();
    make_user("suffice", NULL);
    open_as(&opened, "suffice");
    memset(trace, 1, sizeof(trace));
    for (int i = 0; i < 2; i++) /* once made, once stored before */
        if (opened_try_span(&opened, 1, &err) != 0)
            fail_msg("%s", err.text);
    opened_write_span(&opened, 1, 2, REQUESTS_RECEIVED_NS - DAY_NS, SINK_STORED); /* changes the view */
    assert_int_equal(sink_mongo_ping(&opened.options, 5000, &err), 0);
    if (sink_mongo_find_trace(&opened.options, trace, 5000, count_span, &count, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(count, 2);
    /* Both views are there. */
    run_as("root:root@", "suffice", BCON_NEW("collMod", "traces"));
    run_as("root:root@", "suffice", BCON_NEW("collMod", "spans"));
    opened_close(&opened);
}

static void test_right_that_is_missing_is_config(void **state)
{
    static const struct {
        const char *action;
        const char *text;
    } rows[] = {
        {"createIndex", "make the indexes of " TODAY ": MongoDB needs a person: "},
        {"insert", "insert into " TODAY ": MongoDB needs a person: "},
    };

    NEED_MONGOD();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct opened opened;

        make_user(rows[i].action, rows[i].action);
        open_as(&opened, rows[i].action);
        check_config(&opened, rows[i].text);
        opened_close(&opened);
    }
}

/*
 * What only the views need is missed by their readers, not by delivery.  (A
 * plain collection can be made with the right to insert.)
 */
static void test_right_of_views_does_not_stop_delivery(void **state)
{
    static const char *const actions[] = {"listCollections", "collMod", "createCollection", "listIndexes"};

    NEED_MONGOD();
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        struct opened opened;
        struct err err;

        make_user(actions[i], actions[i]);
        open_as(&opened, actions[i]);
        if (opened_try_span(&opened, 1, &err) != 0)
            fail_msg("%s", err.text);
        opened_write_span(&opened, 1, 2, REQUESTS_RECEIVED_NS - DAY_NS, SINK_STORED);
        opened_close(&opened);
    }
}

/* Of two spans, which is what may be taken apart. */
static void make_pair(struct request *request)
{
    struct made_span made[2];
    Otlp__Span *spans[] = {&made[0].span, &made[1].span};

    make_span(&made[0], 1, 1, 0, REQUESTS_RECEIVED_NS);
    make_span(&made[1], 1, 2, 1, REQUESTS_RECEIVED_NS);
    request_of_spans(request, "shop", spans, 2, REQUESTS_RECEIVED_NS);
}

/* A fragment of several spans might have been taken apart before. */
static void test_without_the_right_to_look_that_is_config(void **state)
{
    struct sink_verdict verdict;
    struct request request;
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    make_pair(&request);
    make_user("blind", "find");
    open_as(&opened, "blind");
    assert_int_equal(opened_write(&opened, &request, &verdict, &err), -1);
    check_contains(err.text, "look into tracespool_apart_20261122: MongoDB needs a person: ");
    assert_int_equal(err.class, ERR_CONFIG);
    opened_close(&opened);
    request_free(&request);
}

/* The documented rights are enough to note what is taken apart, to meet it again, and to drop the notes. */
static void test_documented_rights_suffice_to_take_apart(void **state)
{
    struct sink_verdict verdict;
    struct request request;
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    make_pair(&request);
    make_user("parted", NULL);
    run_as("root:root@", "parted", BCON_NEW("create", TODAY, "validator", "{", "serviceName", "nobody's", "}"));
    open_as(&opened, "parted");
    for (int i = 0; i < 2; i++) {
        if (opened_write(&opened, &request, &verdict, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(verdict.outcome, SINK_REFUSED);
        assert_int_equal(verdict.code, i == 0 ? 121 : 0);
    }
    opened_close(&opened);
    request_free(&request);
}

/* --- upkeep --------------------------------------------------------------- */

#define MONTH_NS (30 * NS_PER_DAY)

/* A day that retention ends, with notes of what was taken apart, made by an administrator. */
static void make_old_day(const char *database)
{
    char name[SINK_DAY_APART_NAME_MAX];

    sink_day_name(name, (uint32_t)((clock_wall_ns() - 40 * NS_PER_DAY) / NS_PER_DAY));
    run_as("root:root@", database, BCON_NEW("create", BCON_UTF8(name)));
    sink_day_apart_name(name, (uint32_t)((clock_wall_ns() - 40 * NS_PER_DAY) / NS_PER_DAY));
    run_as("root:root@", database, BCON_NEW("create", BCON_UTF8(name)));
}

static void upkeep_as(struct opened *opened, const char *database)
{
    const struct sink_mongo_options options = {.retention_ns = MONTH_NS, .min_free_millionths = 1};
    char host[128], rest[128];

    make_old_day(database);
    snprintf(host, sizeof(host), "trace:hunter2@%s", mongod_host(mongod));
    snprintf(rest, sizeof(rest), "?authSource=%s", database);
    upkept_open_at(opened, host, rest, database, &options);
}

static bool is_measured(void)
{
    return metrics_get(METRIC_MONGODB_AVAILABLE_BYTES) > 0;
}

static void test_documented_rights_suffice_for_upkeep(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    make_user("kept", NULL);
    metrics_set(METRIC_MONGODB_AVAILABLE_BYTES, 0);
    upkeep_as(&opened, "kept");
    upkept_wait_for_pass();
    upkept_wait_for(is_measured, "a measure");
    assert_int_equal(logged_count("event=mongodb.day_dropped"), 1);
    assert_int_equal(logged_count("level=warn"), 0);
    opened_close(&opened);
}

/* What the next test waits for. */
static const char *awaited;

static bool is_said(void)
{
    return logged_count(awaited) > 0;
}

static void test_right_of_upkeep_that_is_missing_is_said_once(void **state)
{
    static const struct {
        const char *action;
        const char *said;
    } rows[] = {
        {"dropCollection", "event=mongodb.upkeep_failed msg=\"drop traces_"},
        {"dbStats", "mongodb.min_free has no effect: free space of MongoDB's volume: MongoDB needs a person: "},
        {"listCollections", "event=mongodb.upkeep_failed msg=\"list collections: MongoDB needs a person: "},
        {"createIndex", "event=mongodb.upkeep_failed msg=\"make the indexes of traces_"},
    };

    NEED_MONGOD();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct opened opened;
        char database[64];
        struct err err;

        snprintf(database, sizeof(database), "kept%s", rows[i].action);
        make_user(database, rows[i].action);
        upkeep_as(&opened, database);
        awaited = rows[i].said;
        upkept_wait_for(is_said, awaited);
        assert_int_equal(logged_count(awaited), 1);
        if (strcmp(rows[i].action, "createIndex") != 0 && opened_try_span(&opened, 1, &err) != 0)
            fail_msg("%s", err.text);
        opened_close(&opened);
    }
    assert_int_equal(logged_count("hunter2"), 0);
}

/* Nothing can be compared then: a dropped index is made again, and the rest goes on. */
static void test_without_listing_indexes_upkeep_goes_on(void **state)
{
    struct opened opened;

    NEED_MONGOD();
    make_user("unlisted", "listIndexes");
    upkeep_as(&opened, "unlisted");
    upkept_wait_for_pass();
    assert_int_equal(logged_count("level=warn"), 0);
    opened_close(&opened);
}

#define LOGGED(test) cmocka_unit_test_setup_teardown(test, logged_setup, logged_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_password_is_config),
        cmocka_unit_test(test_no_user_at_all_is_config),
        cmocka_unit_test(test_documented_rights_suffice),
        cmocka_unit_test(test_right_that_is_missing_is_config),
        cmocka_unit_test(test_right_of_views_does_not_stop_delivery),
        cmocka_unit_test(test_without_the_right_to_look_that_is_config),
        cmocka_unit_test(test_documented_rights_suffice_to_take_apart),
        LOGGED(test_documented_rights_suffice_for_upkeep),
        LOGGED(test_right_of_upkeep_that_is_missing_is_said_once),
        LOGGED(test_without_listing_indexes_upkeep_goes_on),
    };

    return cmocka_run_group_tests(tests, setup, opened_teardown);
}
