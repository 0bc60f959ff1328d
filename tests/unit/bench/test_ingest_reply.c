/* test_ingest_reply.c - what counts as OK, and all that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest_reply.h"

#define EMPTY_MESSAGE "\0\0\0\0\0"
#define EMPTY_PARTIAL_SUCCESS "\0\0\0\0\2\x0a\0"
#define ONE_REJECTED "\0\0\0\0\4\x0a\2\x08\1"

static void put_header(struct ingest_reply *reply, const char *name, const char *value)
{
    ingest_reply_header(reply, slice_of_text(name), slice_of_text(value));
}

/* A whole answer; NULL leaves its part out. */
static struct ingest_reply reply_of(const char *http, const char *type, struct slice body, const char *grpc)
{
    struct ingest_reply reply = {.ended = true};

    if (http != NULL)
        put_header(&reply, ":status", http);
    if (type != NULL)
        put_header(&reply, "content-type", type);
    ingest_reply_data(&reply, body);
    if (grpc != NULL)
        put_header(&reply, "grpc-status", grpc);
    return reply;
}

static enum ingest_verdict judge(const char *http, const char *type, struct slice body, const char *grpc)
{
    struct ingest_reply reply = reply_of(http, type, body, grpc);

    return ingest_reply_judge(&reply);
}

#define BODY(text) slice_of(text, sizeof(text) - 1)
#define NOTHING slice_of("", 0)

static void test_a_stored_request_is_ok(void **state)
{
    (void)state;
    assert_int_equal(judge("200", "application/grpc", BODY(EMPTY_MESSAGE), "0"), INGEST_OK);
    assert_int_equal(judge("200", "application/grpc+proto", BODY(EMPTY_PARTIAL_SUCCESS), "0"), INGEST_OK);
}

static void test_a_message_may_come_in_pieces(void **state)
{
    struct ingest_reply reply = reply_of("200", "application/grpc", BODY("\0\0\0"), NULL);

    (void)state;
    ingest_reply_data(&reply, BODY("\0\2\x0a"));
    ingest_reply_data(&reply, BODY("\0"));
    put_header(&reply, "grpc-status", "0");
    assert_int_equal(ingest_reply_judge(&reply), INGEST_OK);
}

static void test_rejected_spans_are_not_ok(void **state)
{
    (void)state;
    assert_int_equal(judge("200", "application/grpc", BODY(ONE_REJECTED), "0"), INGEST_PARTIAL);
}

static void test_every_other_code_is_refused_and_kept(void **state)
{
    char text[4];

    (void)state;
    for (int code = 1; code < INGEST_CODES; code++) {
        struct ingest_reply reply;

        text[0] = code < 10 ? (char)('0' + code) : '1';
        text[1] = code < 10 ? '\0' : (char)('0' + code - 10);
        text[2] = '\0';
        /* Trailers only: no message. */
        reply = reply_of("200", "application/grpc", NOTHING, text);
        assert_int_equal(ingest_reply_judge(&reply), INGEST_REFUSED);
        assert_int_equal(reply.grpc_status, code);
    }
    assert_string_equal(ingest_reply_code_name(14), "UNAVAILABLE");
    assert_string_equal(ingest_reply_code_name(16), "UNAUTHENTICATED");
}

static void test_what_is_no_answer_of_grpc_is_broken(void **state)
{
    (void)state;
    assert_int_equal(judge("200", "application/grpc", BODY(EMPTY_MESSAGE), NULL), INGEST_BROKEN);
    assert_int_equal(judge("503", "application/grpc", BODY(EMPTY_MESSAGE), "0"), INGEST_BROKEN);
    assert_int_equal(judge(NULL, "application/grpc", BODY(EMPTY_MESSAGE), "0"), INGEST_BROKEN);
    assert_int_equal(judge("200", "text/html", BODY(EMPTY_MESSAGE), "0"), INGEST_BROKEN);
    assert_int_equal(judge("200", NULL, BODY(EMPTY_MESSAGE), "0"), INGEST_BROKEN);
    assert_int_equal(judge("200", "application/grpc", BODY(EMPTY_MESSAGE), "17"), INGEST_BROKEN);
    assert_int_equal(judge("200", "application/grpc", BODY(EMPTY_MESSAGE), "x"), INGEST_BROKEN);
    assert_int_equal(judge("200", "application/grpc", BODY(EMPTY_MESSAGE), ""), INGEST_BROKEN);
}

static void test_ok_without_one_whole_message_is_broken(void **state)
{
    static const char long_body[INGEST_BODY_BYTES_MAX + 1];

    (void)state;
    assert_int_equal(judge("200", "application/grpc", NOTHING, "0"), INGEST_BROKEN);
    assert_int_equal(judge("200", "application/grpc", BODY("\0\0\0\0"), "0"), INGEST_BROKEN);
    assert_int_equal(judge("200", "application/grpc", BODY("\0\0\0\0\2\x0a"), "0"), INGEST_BROKEN);
    assert_int_equal(judge("200", "application/grpc", BODY(EMPTY_MESSAGE EMPTY_MESSAGE), "0"), INGEST_BROKEN);
    assert_int_equal(judge("200", "application/grpc", BODY("\1\0\0\0\0"), "0"), INGEST_BROKEN);
    assert_int_equal(judge("200", "application/grpc", BODY("\0\0\0\0\1\x0a"), "0"), INGEST_BROKEN);
    assert_int_equal(judge("200", "application/grpc", BODY(long_body), "0"), INGEST_BROKEN);
}

static void test_a_stream_that_was_closed_before_its_end_is_reset(void **state)
{
    struct ingest_reply nothing = {.ended = false};
    struct ingest_reply cut = reply_of("200", "application/grpc", BODY(EMPTY_MESSAGE), "0");

    (void)state;
    cut.ended = false;
    assert_int_equal(ingest_reply_judge(&nothing), INGEST_RESET);
    assert_int_equal(ingest_reply_judge(&cut), INGEST_RESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stored_request_is_ok),
        cmocka_unit_test(test_a_message_may_come_in_pieces),
        cmocka_unit_test(test_rejected_spans_are_not_ok),
        cmocka_unit_test(test_every_other_code_is_refused_and_kept),
        cmocka_unit_test(test_what_is_no_answer_of_grpc_is_broken),
        cmocka_unit_test(test_ok_without_one_whole_message_is_broken),
        cmocka_unit_test(test_a_stream_that_was_closed_before_its_end_is_reset),
    };

    return cmocka_run_group_tests_name("ingest_reply", tests, NULL, NULL);
}
