#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bounds.h"
#include "metrics.h"
#include "opened.h"

/* --- stored, and stored before -------------------------------------------- */

struct tally {
    struct opened opened;
    size_t outcomes[SINK_REFUSED + 1];
};

static void write_capture(const char *file, void *context)
{
    struct tally *tally = context;
    struct sink_verdict *verdicts;
    struct request request;
    struct err err;

    request_load(&request, file);
    verdicts = calloc(request.count + 1, sizeof(verdicts[0]));
    if (opened_write(&tally->opened, &request, verdicts, &err) != 0)
        fail_msg("%s: %s", file, err.text);
    for (size_t i = 0; i < request.count; i++)
        tally->outcomes[verdicts[i].outcome]++;
    free(verdicts);
    request_free(&request);
}

static int64_t count_everything(const char *database)
{
    return count_documents(mongod, database, "traces");
}

static void test_captures_twice_are_stored_once(void **state)
{
    struct tally first = {.outcomes = {0}}, second = {.outcomes = {0}};

    NEED_MONGOD();
    opened_open(&first.opened, mongod_host(mongod), "", "twice");
    request_each_capture(write_capture, &first);
    assert_int_equal(first.outcomes[SINK_REFUSED], 0);
    assert_true(first.outcomes[SINK_STORED] > 1000);
    assert_int_equal(count_everything("twice"), first.outcomes[SINK_STORED]);

    second.opened = first.opened;
    request_each_capture(write_capture, &second);
    assert_int_equal(second.outcomes[SINK_STORED], 0);
    assert_int_equal(second.outcomes[SINK_STORED_BEFORE],
                     first.outcomes[SINK_STORED] + first.outcomes[SINK_STORED_BEFORE]);
    assert_int_equal(second.outcomes[SINK_REFUSED], 0);
    assert_int_equal(count_everything("twice"), first.outcomes[SINK_STORED]);
    /* python-awkward-0013 is a span that another capture has, sent again. */
    assert_int_equal(first.outcomes[SINK_STORED_BEFORE], 1);
    assert_int_equal(count_documents(mongod, "twice", "spans"), REQUESTS_CAPTURED_SPANS - 1);
    opened_close(&first.opened);
}

static void test_no_fragments_is_no_work(void **state)
{
    struct request nothing = {.count = 0};
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "nothing");
    assert_int_equal(opened_write(&opened, &nothing, NULL, &err), 0);
    opened_close(&opened);
}

static void test_changes_are_counted_when_stored(void **state)
{
    uint64_t repaired = metrics_get(METRIC_SINK_REPAIRED), clamped = metrics_get(METRIC_SINK_CLAMPED);
    struct made_span made;
    Otlp__Span *spans[] = {&made.span};
    struct sink_verdict verdict;
    struct request request;
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "changes");
    make_span(&made, 1, 1, 0, REQUESTS_RECEIVED_NS);
    made.span.trace_state = text_data("\xff");
    made.span.end_time_unix_nano = UINT64_MAX;
    request_of_spans(&request, "shop", spans, 1, REQUESTS_RECEIVED_NS);
    assert_int_equal(opened_write(&opened, &request, &verdict, &err), 0);
    assert_int_equal(metrics_get(METRIC_SINK_REPAIRED), repaired + 1);
    assert_int_equal(metrics_get(METRIC_SINK_CLAMPED), clamped + 2); /* the span's and the document's */
    request_free(&request);
    opened_close(&opened);
}

/* --- refused -------------------------------------------------------------- */

/* Spans of `count` traces, one each; the one numbered `special` is what `change` made of it. */
static void write_traces(struct opened *opened, size_t count, size_t special, void (*change)(Otlp__Span *span),
                         struct sink_verdict *verdicts)
{
    struct made_span made[8];
    Otlp__Span *spans[8];
    struct request request;
    struct err err;

    for (size_t i = 0; i < count; i++) {
        make_span(&made[i], (uint8_t)(i + 1), (uint8_t)(i + 1), 0, REQUESTS_RECEIVED_NS);
        spans[i] = &made[i].span;
    }
    change(&made[special].span);
    request_of_spans(&request, "shop", spans, count, REQUESTS_RECEIVED_NS);
    assert_int_equal(request.count, count);
    if (opened_write(opened, &request, verdicts, &err) != 0)
        fail_msg("%s", err.text);
    request_free(&request);
}

static void check_only_one_refused(const struct sink_verdict *verdicts, size_t count, size_t refused, int code)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(verdicts[i].outcome, i == refused ? SINK_REFUSED : SINK_STORED);
    assert_int_equal(verdicts[refused].code, code);
}

static void rename_to_bad(Otlp__Span *span)
{
    span->name = text_data("bad");
}

static void test_document_that_a_validator_refuses_is_refused_alone(void **state)
{
    struct sink_verdict verdicts[5];
    struct opened opened;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "validator");
    opened_write_span(&opened, 100, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
    bson_destroy(mongod_command(
        mongod, "validator", BCON_NEW("collMod", TODAY, "validator", "{", "entry.name", "{", "$ne", "bad", "}", "}")));
    write_traces(&opened, 5, 2, rename_to_bad, verdicts);
    check_only_one_refused(verdicts, 5, 2, 121);
    assert_string_equal(verdicts[2].text, "Document failed validation: { \"operatorName\" : \"$ne\", "
                                          "\"specifiedAs\" : { \"entry.name\" : { \"$ne\" : \"bad\" } }, "
                                          "\"reason\" : \"comparison succeeded\", \"consideredValue\" : \"bad\" }");
    assert_int_equal(verdicts[2].quoted_at, strlen("Document failed validation"));
    assert_int_equal(count_documents(mongod, "validator", TODAY), 5);
    opened_close(&opened);
}

#define LONG_NAME_CHARACTERS (2UL << 20)

/* Snowmen, of three bytes each. */
static void rename_to_long(Otlp__Span *span)
{
    static uint8_t name[3 * LONG_NAME_CHARACTERS];

    for (size_t i = 0; i < LONG_NAME_CHARACTERS; i++)
        memcpy(&name[3 * i], "\xe2\x98\x83", 3);
    span->name = (ProtobufCBinaryData){.data = name, .len = sizeof(name)};
}

static void test_what_a_validator_quotes_is_cut_at_a_character(void **state)
{
    struct sink_verdict verdict;
    struct opened opened;
    size_t len;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "long");
    opened_write_span(&opened, 100, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
    bson_destroy(mongod_command(
        mongod, "long", BCON_NEW("collMod", TODAY, "validator", "{", "entry.name", "{", "$eq", "short", "}", "}")));
    write_traces(&opened, 1, 0, rename_to_long, &verdict);
    assert_int_equal(verdict.outcome, SINK_REFUSED);
    assert_int_equal(verdict.quoted_at, strlen("Document failed validation"));
    check_contains(verdict.text, "Document failed validation: { \"operatorName\" : \"$eq\"");
    len = strlen(verdict.text);
    assert_true(len > PARK_TEXT_MAX - 4);
    check_contains(verdict.text + len - 6, "\xe2\x98\x83\xe2\x98\x83");
    opened_close(&opened);
}

static void rename_to_taken(Otlp__Span *span)
{
    span->name = text_data("taken");
}

static void test_duplicate_in_another_index_is_refused(void **state)
{
    struct sink_verdict verdicts[3];
    struct opened opened;

    NEED_MONGOD();
    opened_open(&opened, mongod_host(mongod), "", "other_index");
    opened_write_span(&opened, 100, 1, REQUESTS_RECEIVED_NS, SINK_STORED);
    bson_destroy(mongod_command(mongod, "other_index",
                                BCON_NEW("createIndexes", TODAY, "indexes", "[", "{", "name", "odd", "unique",
                                         BCON_BOOL(true), "key", "{", "entry.name", BCON_INT32(1), "}",
                                         "partialFilterExpression", "{", "entry.name", "taken", "}", "}", "]")));
    write_traces(&opened, 1, 0, rename_to_taken, verdicts);
    assert_int_equal(verdicts[0].outcome, SINK_STORED);
    write_traces(&opened, 3, 1, rename_to_taken, verdicts);
    assert_int_equal(verdicts[1].outcome, SINK_REFUSED);
    assert_int_equal(verdicts[1].code, 11000);
    check_contains(verdicts[1].text, "index: odd");
    opened_close(&opened);
}

static char *huge;

static void make_huge(Otlp__Span *span)
{
    span->trace_state = (ProtobufCBinaryData){.data = (uint8_t *)huge, .len = SINK_DOCUMENT_BYTES_MAX};
}

static void test_oversize_document_is_refused_without_being_sent(void **state)
{
    struct sink_verdict verdicts[4];
    struct opened opened;

    NEED_MONGOD();
    huge = malloc(SINK_DOCUMENT_BYTES_MAX);
    memset(huge, 'x', SINK_DOCUMENT_BYTES_MAX);
    opened_open(&opened, mongod_host(mongod), "", "oversize");
    write_traces(&opened, 4, 1, make_huge, verdicts);
    check_only_one_refused(verdicts, 4, 1, 10334);
    assert_string_equal(verdicts[1].text, "the document would be over MongoDB's limit of 16777216 bytes");
    opened_close(&opened);
    free(huge);
}

/* --- bounds --------------------------------------------------------------- */

/* The largest document that we send is one that MongoDB takes. */
static void test_document_at_the_bound_is_stored(void **state)
{
    struct made_span made;
    Otlp__Span *spans[] = {&made.span};
    char *text = malloc(SINK_DOCUMENT_BYTES_MAX);
    struct opened opened;
    size_t low = SINK_DOCUMENT_BYTES_MAX - 4096, high = SINK_DOCUMENT_BYTES_MAX;

    NEED_MONGOD();
    memset(text, 'x', SINK_DOCUMENT_BYTES_MAX);
    opened_open(&opened, mongod_host(mongod), "", "bound");
    /* The longest text that fits is found by halving: stored below, refused by us from there on. */
    while (high - low > 1) {
        size_t len = low + (high - low) / 2;
        struct sink_verdict verdict;
        struct request request;
        struct err err;

        make_span(&made, 1, 1, 0, REQUESTS_RECEIVED_NS);
        made.span.trace_state = (ProtobufCBinaryData){.data = (uint8_t *)text, .len = len};
        request_of_spans(&request, "shop", spans, 1, REQUESTS_RECEIVED_NS);
        if (opened_write(&opened, &request, &verdict, &err) != 0)
            fail_msg("%s", err.text);
        if (verdict.outcome == SINK_REFUSED) {
            check_contains(verdict.text, "the document would be over");
            high = len;
        } else {
            low = len;
        }
        request_free(&request);
    }
    assert_true(low > SINK_DOCUMENT_BYTES_MAX - 4096);
    assert_true(high < SINK_DOCUMENT_BYTES_MAX);
    opened_close(&opened);
    free(text);
}

/* More than one message's worth: each part has its verdicts. */
static void test_write_over_a_message_is_cut(void **state)
{
    struct made_span made[6];
    Otlp__Span *spans[6];
    struct sink_verdict verdicts[6];
    char *text = malloc(SINK_DOCUMENT_BYTES_MAX);
    struct request request;
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    memset(text, 'x', SINK_DOCUMENT_BYTES_MAX);
    for (size_t i = 0; i < 6; i++) {
        make_span(&made[i], (uint8_t)(i + 1), 1, 0, REQUESTS_RECEIVED_NS);
        made[i].span.trace_state =
            (ProtobufCBinaryData){.data = (uint8_t *)text, .len = SINK_DOCUMENT_BYTES_MAX - 4096};
        spans[i] = &made[i].span;
    }
    request_of_spans(&request, "shop", spans, 6, REQUESTS_RECEIVED_NS);
    opened_open(&opened, mongod_host(mongod), "", "cut");
    for (int round = 0; round < 2; round++) {
        assert_int_equal(opened_write(&opened, &request, verdicts, &err), 0);
        for (size_t i = 0; i < 6; i++)
            assert_int_equal(verdicts[i].outcome, round == 0 ? SINK_STORED : SINK_STORED_BEFORE);
    }
    assert_int_equal(count_documents(mongod, "cut", TODAY), 6);
    opened_close(&opened);
    request_free(&request);
    free(text);
}

/* An event's attribute, nested as deep as a request may be, is within MongoDB's nesting. */
static void test_deepest_accepted_value_is_stored(void **state)
{
    static Otlp__AnyValue values[OTLP_DEPTH_MAX];
    static Otlp__ArrayValue arrays[OTLP_DEPTH_MAX];
    static Otlp__AnyValue *inner[OTLP_DEPTH_MAX];
    Otlp__KeyValue pair = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *pairs[] = {&pair};
    Otlp__Span__Event event = OTLP__SPAN__EVENT__INIT;
    Otlp__Span__Event *events[] = {&event};
    struct made_span made;
    Otlp__Span *spans[] = {&made.span};
    struct sink_verdict verdict;
    struct request request;
    struct opened opened;
    struct err err;

    NEED_MONGOD();
    for (size_t i = 0; i < OTLP_DEPTH_MAX; i++) {
        otlp__any_value__init(&values[i]);
        otlp__array_value__init(&arrays[i]);
        values[i].value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
        values[i].array_value = &arrays[i];
        if (i + 1 < OTLP_DEPTH_MAX) {
            inner[i] = &values[i + 1];
            arrays[i].values = &inner[i];
            arrays[i].n_values = 1;
        }
    }
    pair.key = text_data("deep");
    pair.value = &values[0];
    event.attributes = pairs;
    event.n_attributes = 1;
    make_span(&made, 1, 1, 0, REQUESTS_RECEIVED_NS);
    made.span.events = events;
    made.span.n_events = 1;
    request_of_spans(&request, "shop", spans, 1, REQUESTS_RECEIVED_NS);
    opened_open(&opened, mongod_host(mongod), "", "deep");
    if (opened_write(&opened, &request, &verdict, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(verdict.outcome, SINK_STORED);
    assert_int_equal(count_documents(mongod, "deep", "spans"), 1);
    opened_close(&opened);
    request_free(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captures_twice_are_stored_once),
        cmocka_unit_test(test_no_fragments_is_no_work),
        cmocka_unit_test(test_changes_are_counted_when_stored),
        cmocka_unit_test(test_document_that_a_validator_refuses_is_refused_alone),
        cmocka_unit_test(test_what_a_validator_quotes_is_cut_at_a_character),
        cmocka_unit_test(test_duplicate_in_another_index_is_refused),
        cmocka_unit_test(test_oversize_document_is_refused_without_being_sent),
        cmocka_unit_test(test_document_at_the_bound_is_stored),
        cmocka_unit_test(test_write_over_a_message_is_cut),
        cmocka_unit_test(test_deepest_accepted_value_is_stored),
    };

    return cmocka_run_group_tests(tests, opened_setup, opened_teardown);
}
