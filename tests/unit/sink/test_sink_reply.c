#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <mongoc/mongoc.h>
#include <stdlib.h>

#include "sink_reply.h"

#define DOCUMENTS 4

struct answer {
    struct sink_verdict verdicts[DOCUMENTS];
    struct err err;
    enum sink_reply result;
};

/* Reads `json` as the reply of the driver to an insert of DOCUMENTS documents. */
static struct answer read_reply(const char *json, bool ok, bson_error_t error, size_t count)
{
    bson_error_t parse;
    bson_t *reply = bson_new_from_json((const uint8_t *)json, -1, &parse);
    struct answer answer = {.err = {.class = ERR_NONE}};
    struct sink_verdict *verdicts[DOCUMENTS];

    assert_non_null(reply);
    for (size_t i = 0; i < DOCUMENTS; i++)
        verdicts[i] = &answer.verdicts[i];
    answer.result = sink_reply_read(ok, reply, &error, count, verdicts, &answer.err);
    bson_destroy(reply);
    return answer;
}

static const bson_error_t no_error;

static bson_error_t error_of(uint32_t domain, uint32_t code)
{
    return (bson_error_t){.domain = domain, .code = code, .message = "said"};
}

static void test_plain_success_stores_all(void **state)
{
    struct answer answer = read_reply("{\"insertedCount\": 4}", true, no_error, DOCUMENTS);

    (void)state;
    assert_int_equal(answer.result, SINK_REPLY_VERDICTS);
    for (size_t i = 0; i < DOCUMENTS; i++)
        assert_int_equal(answer.verdicts[i].outcome, SINK_STORED);
}

static void test_write_errors_are_walked_in_full(void **state)
{
    struct answer answer =
        read_reply("{\"insertedCount\": 1, \"writeErrors\": ["
                   "{\"index\": 0, \"code\": 11000, \"errmsg\": \"E11000\", \"keyPattern\": {\"_id\": 1}},"
                   "{\"index\": 1, \"code\": 121, \"errmsg\": \"Document failed validation\"},"
                   "{\"index\": 3, \"code\": 11000, \"errmsg\": \"E11000 other\", \"keyPattern\": {\"traceId\": 1}}]}",
                   false, error_of(MONGOC_ERROR_SERVER, 11000), DOCUMENTS);

    (void)state;
    assert_int_equal(answer.result, SINK_REPLY_VERDICTS);
    assert_int_equal(answer.verdicts[0].outcome, SINK_STORED_BEFORE);
    assert_int_equal(answer.verdicts[1].outcome, SINK_REFUSED);
    assert_int_equal(answer.verdicts[1].code, 121);
    assert_string_equal(answer.verdicts[1].text, "Document failed validation");
    assert_int_equal(answer.verdicts[2].outcome, SINK_STORED);
    assert_int_equal(answer.verdicts[3].outcome, SINK_REFUSED);
    assert_int_equal(answer.verdicts[3].code, 11000);
    assert_string_equal(answer.verdicts[3].text, "E11000 other");
}

/* Whatever is there: a text without room for more, details of another type, none. */
static void test_details_stand_behind_the_text(void **state)
{
    char json[1024], text[PARK_TEXT_MAX];
    struct answer answer;

    (void)state;
    memset(text, 'x', sizeof(text) - 4);
    text[sizeof(text) - 4] = '\0';
    snprintf(
        json, sizeof(json),
        "{\"insertedCount\": 0, \"writeErrors\": ["
        "{\"index\": 0, \"code\": 121, \"errmsg\": \"no\", \"errInfo\": {\"details\": {\"a\": {\"b\": \"\\u00e9\"}}}},"
        "{\"index\": 1, \"code\": 121, \"errmsg\": \"no\", \"errInfo\": {\"details\": 7}},"
        "{\"index\": 2, \"code\": 121, \"errmsg\": \"%s\", \"errInfo\": {\"details\": {\"a\": 1}}},"
        "{\"index\": 3, \"code\": 121, \"errmsg\": \"\", \"errInfo\": {\"details\": {}}}]}",
        text);
    answer = read_reply(json, false, error_of(MONGOC_ERROR_SERVER, 121), DOCUMENTS);
    assert_int_equal(answer.result, SINK_REPLY_VERDICTS);
    assert_string_equal(answer.verdicts[0].text, "no: { \"a\" : { \"b\" : \"\xc3\xa9\" } }");
    assert_int_equal(answer.verdicts[0].quoted_at, 2);
    assert_string_equal(answer.verdicts[1].text, "no");
    assert_int_equal(answer.verdicts[1].quoted_at, 0);
    assert_int_equal(strncmp(answer.verdicts[2].text, text, strlen(text)), 0);
    assert_string_equal(answer.verdicts[2].text + strlen(text), ": {");
    assert_int_equal(answer.verdicts[2].quoted_at, strlen(text));
    assert_string_equal(answer.verdicts[3].text, "MongoDB gives no text: { }");
    assert_int_equal(answer.verdicts[3].quoted_at, strlen("MongoDB gives no text"));
}

/* {_id, x} is another index than {_id}. */
static void test_duplicate_is_told_by_key_pattern_else_by_text(void **state)
{
    struct answer answer =
        read_reply("{\"insertedCount\": 0, \"writeErrors\": ["
                   "{\"index\": 0, \"code\": 11000, \"errmsg\": \"\", \"keyPattern\": {\"_id\": 1}},"
                   "{\"index\": 1, \"code\": 11000, \"errmsg\": \"\", \"keyPattern\": {\"_id\": 1, \"x\": 1}},"
                   "{\"index\": 2, \"code\": 11000, \"errmsg\": \"collection: t.x index: _id_ dup key: { : 1 }\"},"
                   "{\"index\": 3, \"code\": 11000, \"errmsg\": \"collection: t.x index: y_1 dup key: { : 1 }\"}]}",
                   false, error_of(MONGOC_ERROR_SERVER, 11000), DOCUMENTS);

    (void)state;
    assert_int_equal(answer.result, SINK_REPLY_VERDICTS);
    assert_int_equal(answer.verdicts[0].outcome, SINK_STORED_BEFORE);
    assert_int_equal(answer.verdicts[1].outcome, SINK_REFUSED);
    assert_int_equal(answer.verdicts[2].outcome, SINK_STORED_BEFORE);
    assert_int_equal(answer.verdicts[3].outcome, SINK_REFUSED);
}

static void test_duplicate_without_a_word_is_asked_again(void **state)
{
    const char *several =
        "{\"insertedCount\": 3, \"writeErrors\": [{\"index\": 0, \"code\": 11000, \"errmsg\": \"\"}]}";
    const char *one = "{\"insertedCount\": 0, \"writeErrors\": [{\"index\": 0, \"code\": 11000, \"errmsg\": \"\"}]}";

    (void)state;
    assert_int_equal(read_reply(several, false, no_error, DOCUMENTS).result, SINK_REPLY_SPLIT);
    assert_int_equal(read_reply(one, false, no_error, 1).verdicts[0].outcome, SINK_REFUSED);
}

static void check_failed(struct answer answer, enum err_class class, const char *text)
{
    assert_int_equal(answer.result, SINK_REPLY_FAILED);
    assert_int_equal(answer.err.class, class);
    assert_string_equal(answer.err.text, text);
}

static void test_write_concern_error_hides_nothing_and_wins(void **state)
{
    (void)state;
    check_failed(read_reply("{\"insertedCount\": 4, \"writeConcernErrors\": ["
                            "{\"code\": 64, \"errmsg\": \"waiting for replication timed out\"}]}",
                            false, error_of(MONGOC_ERROR_WRITE_CONCERN, 64), DOCUMENTS),
                 ERR_RETRY,
                 "a majority has not confirmed the write: waiting for replication timed out "
                 "(code 64 WriteConcernTimeout)");
    check_failed(read_reply("{\"insertedCount\": 3, \"writeErrors\": ["
                            "{\"index\": 0, \"code\": 121, \"errmsg\": \"no\"}], "
                            "\"writeConcernErrors\": [{\"code\": 91, \"errmsg\": \"stopping\"}]}",
                            false, error_of(MONGOC_ERROR_SERVER, 121), DOCUMENTS),
                 ERR_RETRY, "a majority has not confirmed the write: stopping (code 91 ShutdownInProgress)");
    check_failed(read_reply("{\"insertedCount\": 4, \"writeConcernErrors\": [{\"code\": 100, \"errmsg\": \"w\"}]}",
                            false, error_of(MONGOC_ERROR_WRITE_CONCERN, 100), DOCUMENTS),
                 ERR_CONFIG, "MongoDB needs a person: w (code 100 UnsatisfiableWriteConcern)");
}

static void test_entry_that_is_not_the_documents_fails_the_whole(void **state)
{
    (void)state;
    check_failed(read_reply("{\"insertedCount\": 3, \"writeErrors\": ["
                            "{\"index\": 1, \"code\": 10107, \"errmsg\": \"not primary\"}]}",
                            false, no_error, DOCUMENTS),
                 ERR_RETRY,
                 "MongoDB cannot be reached or is changing state: not primary (code 10107 NotWritablePrimary)");
    check_failed(read_reply("{\"insertedCount\": 3, \"writeErrors\": ["
                            "{\"index\": 1, \"code\": 14031, \"errmsg\": \"disk\"}]}",
                            false, no_error, DOCUMENTS),
                 ERR_FULL, "MongoDB has no room or blocks writes: disk (code 14031 OutOfDiskSpace)");
    check_failed(read_reply("{\"insertedCount\": 3, \"writeErrors\": ["
                            "{\"index\": 1, \"code\": 54321, \"errmsg\": \"new\"}]}",
                            false, no_error, DOCUMENTS),
                 ERR_UNKNOWN, "MongoDB failed in a way that is not known: new (code 54321)");
}

static void test_answer_that_does_not_add_up_is_not_believed(void **state)
{
    (void)state;
    check_failed(read_reply("{\"insertedCount\": 3}", true, no_error, DOCUMENTS), ERR_RETRY,
                 "MongoDB's answer accounts for 3 of 4 documents");
    check_failed(read_reply("{}", true, no_error, DOCUMENTS), ERR_RETRY,
                 "MongoDB's answer accounts for 0 of 4 documents");
    check_failed(read_reply("{\"insertedCount\": 3, \"writeErrors\": [{\"index\": 4, \"code\": 121}]}", false, no_error,
                            DOCUMENTS),
                 ERR_RETRY, "MongoDB's answer names document 4 of 4");
    check_failed(read_reply("{\"insertedCount\": 3, \"writeErrors\": [{\"code\": 121}]}", false, no_error, DOCUMENTS),
                 ERR_RETRY, "MongoDB's answer names document -1 of 4");
}

static void test_whole_failure_is_the_errors(void **state)
{
    struct answer answer = read_reply("{\"insertedCount\": 0}", false, error_of(MONGOC_ERROR_SERVER, 2), DOCUMENTS);

    (void)state;
    assert_int_equal(answer.result, SINK_REPLY_SPLIT);
    assert_int_equal(answer.err.code, 2);
    assert_int_equal(
        read_reply("{}", false, error_of(MONGOC_ERROR_COMMAND, MONGOC_ERROR_COMMAND_INVALID_ARG), DOCUMENTS).result,
        SINK_REPLY_SPLIT);
    check_failed(read_reply("{\"insertedCount\": 0}", false, error_of(MONGOC_ERROR_STREAM, 4), DOCUMENTS), ERR_RETRY,
                 "MongoDB cannot be reached or is changing state: said (driver's code 2.4)");
    check_failed(read_reply("{\"insertedCount\": 0}", false, error_of(MONGOC_ERROR_SERVER, 13), DOCUMENTS), ERR_CONFIG,
                 "MongoDB needs a person: said (code 13 Unauthorized)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_success_stores_all),
        cmocka_unit_test(test_write_errors_are_walked_in_full),
        cmocka_unit_test(test_details_stand_behind_the_text),
        cmocka_unit_test(test_duplicate_is_told_by_key_pattern_else_by_text),
        cmocka_unit_test(test_duplicate_without_a_word_is_asked_again),
        cmocka_unit_test(test_write_concern_error_hides_nothing_and_wins),
        cmocka_unit_test(test_entry_that_is_not_the_documents_fails_the_whole),
        cmocka_unit_test(test_answer_that_does_not_add_up_is_not_believed),
        cmocka_unit_test(test_whole_failure_is_the_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
