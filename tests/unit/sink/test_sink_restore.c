/*
 * test_sink_restore.c - what was sent comes back out of its documents, field
 * by field: of every capture, and of requests that use all that OTLP allows.
 * From there through JSON and back it is the same, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "awkward.h"
#include "otlp_json_read.h"
#include "otlp_json_write.h"
#include "requests.h"
#include "same.h"
#include "sink_bson.h"
#include "sink_restore.h"

#define ARENA_MAX (1UL << 30)
#define AWKWARD_REQUESTS 4000

/* A request, restored or read again from JSON. */
struct again {
    struct buf bytes;
    struct otlp_index index;
    struct arena arena;
};

static struct sink_bson builder;
static struct buf bytes;
static bson_t document; /* of bytes */
static struct again restored, from_json;
static struct buf text;
static struct arena messages; /* decoded, of a span or a group in hand */

static int setup(void **state)
{
    (void)state;
    sink_bson_init(&builder);
    buf_init(&bytes, SINK_DOCUMENT_BYTES_MAX);
    for (struct again *again = &restored; again != NULL; again = again == &restored ? &from_json : NULL) {
        buf_init(&again->bytes, ARENA_MAX);
        arena_init(&again->arena, ARENA_MAX);
    }
    buf_init(&text, ARENA_MAX);
    arena_init(&messages, ARENA_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&messages);
    buf_fini(&text);
    for (struct again *again = &restored; again != NULL; again = again == &restored ? &from_json : NULL) {
        arena_fini(&again->arena);
        buf_fini(&again->bytes);
    }
    buf_fini(&bytes);
    sink_bson_fini(&builder);
    return 0;
}

static void index_again(struct again *again)
{
    struct err err;

    arena_reset(&again->arena, ARENA_MAX);
    if (otlp_index_build(&again->index, &again->arena, buf_slice(&again->bytes), &err) != 0)
        fail_msg("%s", err.text);
}

static void restore(const struct otlp_fragment *fragment)
{
    struct err err;

    sink_bson_forget(&builder);
    buf_clear(&restored.bytes);
    buf_clear(&bytes);
    if (sink_bson_build(&builder, fragment, &bytes, &err) != 0 || !bson_init_static(&document, bytes.data, bytes.len) ||
        sink_restore(&restored.bytes, &document, &err) != 0)
        fail_msg("%s", err.text);
    index_again(&restored);
}

static void write_and_read_json(void)
{
    const struct otlp_json_write write = {.index = &restored.index, .parts = &messages, .out = &text};
    struct err err;

    buf_clear(&text);
    if (otlp_json_write(&write, &err) != 0 || otlp_json_read(buf_slice(&text), ARENA_MAX, &from_json.bytes, &err) != 0)
        fail_msg("%s", err.text);
    assert_false(text.failed);
    index_again(&from_json);
}

/* --- comparing -------------------------------------------------------------------- */

struct place {
    const struct otlp_index *index;
    uint32_t span;
};

static const struct otlp_scope_ref *scope_at(struct place place)
{
    return &place.index->scopes[place.index->spans[place.span].scope];
}

static const struct otlp_resource_ref *resource_at(struct place place)
{
    return &place.index->resources[scope_at(place)->resource];
}

static void check_same(const char *where, const char *what, const void *sent, const void *other)
{
    char differences[SAME_TEXT_MAX];

    if (same_compare(differences, sent, other) != 0)
        fail_msg("%s, %s, sent / restored:\n%s", where, what, differences);
}

static const void *span_message(struct place place)
{
    const Otlp__Span *span;

    assert_int_equal(otlp_decode_span(&span, &messages, place.index->spans[place.span].bytes, NULL), 0);
    return span;
}

static const void *scope_message(struct place place)
{
    const Otlp__InstrumentationScope *scope;

    assert_int_equal(otlp_decode_scope(&scope, &messages, scope_at(place)->bytes, NULL), 0);
    return scope;
}

static const void *resource_message(struct place place)
{
    const Otlp__Resource *resource;

    assert_int_equal(otlp_decode_resource(&resource, &messages, resource_at(place)->bytes, NULL), 0);
    return resource;
}

static uint64_t clamped(uint64_t time)
{
    return time > INT64_MAX ? INT64_MAX : time;
}

/* What was sent, with its times as documents have them. */
static const void *sent_span(struct place place)
{
    Otlp__Span *span = arena_alloc(&messages, sizeof(*span));

    assert_non_null(span);
    *span = *(const Otlp__Span *)span_message(place);
    span->start_time_unix_nano = clamped(span->start_time_unix_nano);
    span->end_time_unix_nano = clamped(span->end_time_unix_nano);
    for (size_t i = 0; i < span->n_events; i++)
        span->events[i]->time_unix_nano = clamped(span->events[i]->time_unix_nano);
    return span;
}

static void check_place(const char *where, struct place sent, struct place other)
{
    arena_reset(&messages, ARENA_MAX);
    check_same(where, "span", sent_span(sent), span_message(other));
    check_same(where, "scope", scope_message(sent), scope_message(other));
    check_same(where, "resource", resource_message(sent), resource_message(other));
    assert_true(slice_equal(scope_at(sent)->schema_url, scope_at(other)->schema_url));
    assert_true(slice_equal(resource_at(sent)->schema_url, resource_at(other)->schema_url));
}

/* As protobuf-c encodes it: fields in the order of their numbers. */
static struct slice packed(const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *data = arena_alloc(&messages, len);

    assert_non_null(data);
    return slice_of(data, protobuf_c_message_pack(message, data));
}

static void check_bytes(const char *where, const char *what, struct slice a, struct slice b)
{
    if (!slice_equal(a, b))
        fail_msg("%s, %s: %zu and %zu bytes that differ", where, what, a.len, b.len);
}

/* The restored messages are encoded as protobuf-c would, and JSON changes no byte of them. */
static void check_encoding(const char *where, uint32_t i)
{
    struct place one = {&restored.index, i}, other = {&from_json.index, i};

    check_bytes(where, "span", restored.index.spans[i].bytes, packed(span_message(one)));
    check_bytes(where, "span in JSON", restored.index.spans[i].bytes, packed(span_message(other)));
    check_bytes(where, "scope", scope_at(one)->bytes, packed(scope_message(one)));
    check_bytes(where, "scope in JSON", scope_at(one)->bytes, packed(scope_message(other)));
    check_bytes(where, "resource", resource_at(one)->bytes, packed(resource_message(one)));
    check_bytes(where, "resource in JSON", resource_at(one)->bytes, packed(resource_message(other)));
}

static void check_fragment(const char *where, const struct otlp_fragment *fragment)
{
    restore(fragment);
    write_and_read_json();
    assert_int_equal(restored.index.resource_count, 1);
    assert_int_equal(restored.index.span_count, fragment->span_count);
    assert_int_equal(from_json.index.span_count, fragment->span_count);
    for (uint32_t i = 0; i < fragment->span_count; i++) {
        struct place sent = {fragment->index, fragment->spans[i]};

        assert_int_equal(restored.index.spans[i].validity, OTLP_VALID);
        check_place(where, sent, (struct place){&restored.index, i});
        check_place(where, sent, (struct place){&from_json.index, i});
        check_encoding(where, i);
    }
}

static void test_the_comparison_lists_what_differs(void **state)
{
    char differences[SAME_TEXT_MAX];
    struct made_span one, other;
    Otlp__Span__Link link = OTLP__SPAN__LINK__INIT, changed = OTLP__SPAN__LINK__INIT;
    Otlp__Span__Link *links[] = {&link}, *changed_links[] = {&changed};

    (void)state;
    make_span(&one, 1, 1, 0, 1);
    make_span(&other, 1, 1, 2, 1);
    assert_int_equal(same_compare(differences, &one.span.base, &one.span.base), 0);
    other.span.status = NULL;
    other.span.kind = -1;
    changed.flags = 1;
    one.span.links = links;
    other.span.links = changed_links;
    one.span.n_links = other.span.n_links = 1;
    assert_int_equal(same_compare(differences, &one.span.base, &other.span.base), 4);
    assert_string_equal(differences, "parent_span_id: (0) / (8) 02 02 02 02 02 02 02 02\n"
                                     "kind: (4) 02 00 00 00 / (4) ff ff ff ff\n"
                                     "links[0].flags: (4) 00 00 00 00 / (4) 01 00 00 00\n"
                                     "status: (1) 6d / (0)\n");
}

/* --- what comes back ----------------------------------------------------------------- */

static void check_capture(const char *file, void *context)
{
    size_t *spans = context;
    struct request request;

    request_load(&request, file);
    for (size_t i = 0; i < request.count; i++) {
        check_fragment(file, &request.fragments[i]);
        *spans += request.fragments[i].span_count;
    }
    request_free(&request);
}

static void test_every_capture_comes_back(void **state)
{
    size_t spans = 0;

    (void)state;
    assert_int_equal(request_each_capture(check_capture, &spans), REQUESTS_CAPTURES);
    assert_true(spans > REQUESTS_CAPTURED_SPANS - 10); /* but those that are invalid or repeat another one */
}

static void test_awkward_requests_come_back(void **state)
{
    size_t spans = 0;

    (void)state;
    for (uint64_t seed = 0; seed < AWKWARD_REQUESTS; seed++) {
        struct arena arena;
        struct request request;
        char where[32];

        snprintf(where, sizeof(where), "seed %u", (unsigned)seed);
        arena_init(&arena, ARENA_MAX);
        request_pack(&request, awkward_request(&arena, seed), REQUESTS_RECEIVED_NS);
        for (size_t i = 0; i < request.count; i++) {
            check_fragment(where, &request.fragments[i]);
            spans += request.fragments[i].span_count;
        }
        request_free(&request);
        arena_fini(&arena);
    }
    assert_true(spans > 2 * AWKWARD_REQUESTS);
}

/* --- what does not -------------------------------------------------------------------- */

/* The span, stored and restored. */
static const Otlp__Span *restored_span(Otlp__Span *span)
{
    struct request request;
    const Otlp__Span *again;

    request_of_spans(&request, "shop", &span, 1, REQUESTS_RECEIVED_NS);
    assert_int_equal(request.count, 1);
    restore(&request.fragments[0]);
    again = span_message((struct place){&restored.index, 0});
    request_free(&request);
    return again;
}

static void test_what_does_not_come_back(void **state)
{
    static uint8_t ill_formed[] = {'a', 0xff, 'b'};
    Otlp__KeyValue bare = OTLP__KEY_VALUE__INIT, indexed = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *pairs[] = {&bare, &indexed};
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;
    struct made_span made;
    const Otlp__Span *again;

    (void)state;
    make_span(&made, 1, 1, 0, 1ULL << 63);
    made.span.name = (ProtobufCBinaryData){.data = ill_formed, .len = sizeof(ill_formed)};
    value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE_STRINDEX;
    value.string_value_strindex = 7;
    bare.key = text_data("bare");
    indexed.key = text_data("indexed");
    indexed.key_strindex = 9;
    indexed.value = &value;
    made.span.attributes = pairs;
    made.span.n_attributes = 2;
    again = restored_span(&made.span);
    assert_int_equal(again->start_time_unix_nano, INT64_MAX);
    assert_memory_equal(again->name.data,
                        "a\xef\xbf\xbd"
                        "b",
                        again->name.len);
    for (size_t i = 0; i < 2; i++) {
        assert_non_null(again->attributes[i]->value);
        assert_int_equal(again->attributes[i]->value->value_case, OTLP__ANY_VALUE__VALUE__NOT_SET);
        assert_int_equal(again->attributes[i]->key_strindex, 0);
    }
}

/* --- documents that are none of ours ----------------------------------------------------- */

static void check_refused(bson_t *foreign, const char *why)
{
    struct err err;

    buf_clear(&restored.bytes);
    assert_int_equal(sink_restore(&restored.bytes, foreign, &err), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_string_equal(err.text, why);
    bson_destroy(foreign);
}

#define TRACE "traceId", "07070707070707070707070707070707"
#define SPAN(...) BCON_NEW(TRACE, "resource", "{", "}", "spans", "[", "{", __VA_ARGS__, "}", "]")

static void test_foreign_documents_are_refused(void **state)
{
    (void)state;
    check_refused(BCON_NEW("a", "b"), "not a document of ours: traceId is not there");
    check_refused(BCON_NEW(TRACE), "not a document of ours: resource is not there");
    check_refused(BCON_NEW(TRACE, "resource", "{", "}"), "not a document of ours: spans is not there");
    check_refused(BCON_NEW(TRACE, "resource", "x", "spans", "[", "]"),
                  "not a document of ours: resource is not a document");
    check_refused(BCON_NEW(TRACE, "resource", "{", "}", "spans", "x"), "not a document of ours: spans is not an array");
    check_refused(BCON_NEW(TRACE, "resource", "{", "}", "spans", "[", BCON_INT32(5), "]"),
                  "not a document of ours: 0 is not a document");
    check_refused(BCON_NEW("traceId", BCON_INT32(5), "resource", "{", "}", "spans", "[", "{", "}", "]"),
                  "not a document of ours: traceId is not a string");
    check_refused(SPAN("spanId", "0g"), "not a document of ours: spanId is not hexadecimal");
    check_refused(SPAN("spanId", "012"), "not a document of ours: spanId is not hexadecimal");
    check_refused(SPAN("name", BCON_INT32(5)), "not a document of ours: name is not a string");
    check_refused(SPAN("kind", BCON_INT64(5)), "not a document of ours: kind is not a 32-bit integer");
    check_refused(SPAN("flags", BCON_INT32(-1)), "not a document of ours: flags is not 32 bits");
    check_refused(SPAN("droppedLinksCount", "x"), "not a document of ours: droppedLinksCount is not a count");
    check_refused(SPAN("parentSpanIdZeros", "x"), "not a document of ours: parentSpanIdZeros is not a count");
    check_refused(SPAN("endTimeUnixNano", BCON_INT64(-1)), "not a document of ours: endTimeUnixNano is not a time");
    check_refused(SPAN("status", "x"), "not a document of ours: status is not a document");
    check_refused(SPAN("events", "x"), "not a document of ours: events is not an array");
    check_refused(SPAN("links", "[", "x", "]"), "not a document of ours: links is not an array of documents");
    check_refused(SPAN("scope", "{", "version", BCON_NULL, "}"), "not a document of ours: version is not a string");
    check_refused(SPAN("attributes", "x"), "not a document of ours: attributes is not a document");
    check_refused(SPAN("attributes", "{", "a", BCON_INT32(1), "}"),
                  "not a document of ours: a is of a type that no attribute has");
    check_refused(
        SPAN("attributes", "{", "a", BCON_BIN(BSON_SUBTYPE_UUID, (const uint8_t *)"0123456789abcdef", 16), "}"),
        "not a document of ours: a is not binary of subtype 0");
    check_refused(SPAN("attributes", "{", "a", "x", "}", "names", "x"),
                  "not a document of ours: names is not a document");
    check_refused(SPAN("attributes", "{", "a", "x", "}", "names", "{", "a", BCON_NULL, "}"),
                  "not a document of ours: a is not a string");
    check_refused(SPAN("attributes", "{", "a", "x", "}", "names", "{", "b", "x", "}"),
                  "not a document of ours: b is a name of no attribute, or not in their order");
}

static void test_a_document_that_nests_too_deep_is_refused(void **state)
{
    bson_t *inner = BCON_NEW("k", "core");

    (void)state;
    for (int depth = 0; depth < 95; depth++) {
        bson_t *outer = BCON_NEW("k", BCON_DOCUMENT(inner));

        bson_destroy(inner);
        inner = outer;
    }
    check_refused(SPAN("attributes", BCON_DOCUMENT(inner)),
                  "not a document of ours: k is nested deeper than any value");
    bson_destroy(inner);
}

static void test_without_room_it_is_tried_again(void **state)
{
    struct made_span made;
    Otlp__Span *span = &made.span;
    struct request request;
    struct err err;

    (void)state;
    make_span(&made, 1, 1, 2, REQUESTS_RECEIVED_NS);
    request_of_spans(&request, "shop", &span, 1, REQUESTS_RECEIVED_NS);
    restore(&request.fragments[0]);
    for (size_t room = 0; room < restored.bytes.len; room++) {
        struct buf small;

        buf_init(&small, room);
        assert_int_equal(sink_restore(&small, &document, &err), -1);
        assert_int_equal(err.class, ERR_BUSY);
        buf_fini(&small);
    }
    request_free(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_comparison_lists_what_differs),
        cmocka_unit_test(test_every_capture_comes_back),
        cmocka_unit_test(test_awkward_requests_come_back),
        cmocka_unit_test(test_what_does_not_come_back),
        cmocka_unit_test(test_foreign_documents_are_refused),
        cmocka_unit_test(test_a_document_that_nests_too_deep_is_refused),
        cmocka_unit_test(test_without_room_it_is_tried_again),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
