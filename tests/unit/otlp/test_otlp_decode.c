/*
 * otlp_decode beside protobuf-c's own decoder, on every capture; and where the
 * two differ, what the specification says.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp_decode.h"
#include "otlp_fixture.h"
#include "otlp_index.h"
#include "otlp_samples.h"

#define BYTES(text) slice_of(text, sizeof(text) - 1)

/* Both packed by protobuf-c: equal bytes are equal messages, as no capture has a field that is not known. */
static void check_same(const void *decoded, const ProtobufCMessageDescriptor *descriptor, struct slice bytes)
{
    const ProtobufCMessage *ours = decoded;
    ProtobufCMessage *theirs = protobuf_c_message_unpack(descriptor, NULL, bytes.len, bytes.data);
    size_t len = protobuf_c_message_get_packed_size(ours);
    uint8_t *one, *other;

    assert_non_null(theirs);
    assert_int_equal(theirs->n_unknown_fields, 0);
    assert_int_equal(len, protobuf_c_message_get_packed_size(theirs));
    one = test_malloc(len + 1);
    other = test_malloc(len + 1);
    assert_int_equal(protobuf_c_message_pack(ours, one), len);
    assert_int_equal(protobuf_c_message_pack(theirs, other), len);
    assert_memory_equal(one, other, len);
    test_free(one);
    test_free(other);
    protobuf_c_message_free_unpacked(theirs, NULL);
}

static void check_request(const struct otlp_index *index)
{
    const Otlp__Resource *resource;
    const Otlp__InstrumentationScope *scope;
    const Otlp__Span *span;

    for (uint32_t i = 0; i < index->resource_count; i++) {
        assert_int_equal(otlp_decode_resource(&resource, &arena, index->resources[i].bytes, &err), 0);
        check_same(resource, &otlp__resource__descriptor, index->resources[i].bytes);
    }
    for (uint32_t i = 0; i < index->scope_count; i++) {
        assert_int_equal(otlp_decode_scope(&scope, &arena, index->scopes[i].bytes, &err), 0);
        check_same(scope, &otlp__instrumentation_scope__descriptor, index->scopes[i].bytes);
    }
    for (uint32_t i = 0; i < index->span_count; i++) {
        assert_int_equal(otlp_decode_span(&span, &arena, index->spans[i].bytes, &err), 0);
        check_same(span, &otlp__span__descriptor, index->spans[i].bytes);
    }
}

static void check_sample(const struct sample *sample, struct slice request)
{
    struct otlp_index index;

    (void)sample;
    arena_reset(&arena, 0);
    assert_int_equal(otlp_index_build(&index, &arena, request, &err), 0);
    check_request(&index);
}

static void test_decode_captures_as_protobuf_c(void **state)
{
    (void)state;
    assert_true(samples_visit(check_sample) > 0);
}

static const Otlp__Span *decode(struct slice bytes)
{
    const Otlp__Span *span;

    assert_int_equal(otlp_decode_span(&span, &arena, bytes, &err), 0);
    return span;
}

static const Otlp__AnyValue *only_value(const Otlp__Span *span)
{
    assert_int_equal(span->n_attributes, 1);
    return span->attributes[0]->value;
}

static void test_decode_empty_gives_defaults(void **state)
{
    const Otlp__Span *span = decode(slice_of(NULL, 0));

    (void)state;
    assert_int_equal(span->name.len, 0);
    assert_int_equal(span->n_attributes, 0);
    assert_null(span->status);
}

static void test_decode_text_points_into_input(void **state)
{
    struct slice bytes = BYTES("\x2a\x04name");

    (void)state;
    assert_ptr_equal(decode(bytes)->name.data, bytes.data + 2);
}

static void test_decode_scalar_given_again_last_counts(void **state)
{
    (void)state;
    assert_int_equal(decode(BYTES("\x30\x02\x30\x05"))->kind, 5);
    assert_int_equal(decode(BYTES("\x2a\x01"
                                  "a\x2a\x02zz"))
                         ->name.len,
                     2);
}

static void test_decode_unknown_fields_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(decode(BYTES("\xf8\x01\x07\x30\x02\xfa\xff\xff\xff\x0f\x01\xff"))->kind, 2);
}

static void test_decode_message_given_again_is_merged(void **state)
{
    const Otlp__Span *span = decode(BYTES("\x7a\x04\x12\x02no\x30\x03\x7a\x02\x18\x02"));

    (void)state;
    assert_int_equal(span->status->code, 2);
    assert_int_equal(span->status->message.len, 2);
    assert_int_equal(span->kind, 3);
}

/* An attribute's value that is an array of one, then without a value, then an array of one more. */
static void test_decode_oneof_message_given_again_is_merged(void **state)
{
    const Otlp__AnyValue *value = only_value(decode(BYTES("\x4a\x12\x12\x06\x2a\x04\x0a\x02\x18\x01\x12\x00\x12\x06\x2a"
                                                          "\x04\x0a\x02\x18\x02")));

    (void)state;
    assert_int_equal(value->value_case, OTLP__ANY_VALUE__VALUE_ARRAY_VALUE);
    assert_int_equal(value->array_value->n_values, 2);
    assert_int_equal(value->array_value->values[0]->int_value, 1);
    assert_int_equal(value->array_value->values[1]->int_value, 2);
}

static void test_decode_oneof_last_member_counts(void **state)
{
    /* array of one, bool, array of one: the first array is forgotten */
    const Otlp__AnyValue *value =
        only_value(decode(BYTES("\x4a\x10\x12\x0e\x2a\x04\x0a\x02\x18\x01\x10\x01\x2a\x04\x0a\x02\x18\x02")));

    (void)state;
    assert_int_equal(value->value_case, OTLP__ANY_VALUE__VALUE_ARRAY_VALUE);
    assert_int_equal(value->array_value->n_values, 1);
    assert_int_equal(value->array_value->values[0]->int_value, 2);

    value = only_value(decode(BYTES("\x4a\x0a\x12\x08\x2a\x04\x0a\x02\x18\x01\x10\x01")));
    assert_int_equal(value->value_case, OTLP__ANY_VALUE__VALUE_BOOL_VALUE);
    assert_int_equal(value->bool_value, 1);
}

static void test_decode_malformed_is_poison(void **state)
{
    const Otlp__Span *span;

    (void)state;
    assert_int_equal(otlp_decode_span(&span, &arena, BYTES("\x2a\x05name"), &err), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_string_equal(err.text, "6 bytes do not decode as a Span");
    assert_int_equal(otlp_decode_span(&span, &arena, BYTES("\x7a\x02\x12\x05"), &err), -1);
    assert_int_equal(err.class, ERR_POISON);
}

static void test_decode_full_arena_is_busy(void **state)
{
    const struct slice inputs[] = {BYTES(""), BYTES("\x4a\x00"), BYTES("\x7a\x00"), BYTES("\x7a\x00\x7a\x02\x18\x02")};
    const Otlp__Span *span;

    (void)state;
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        size_t room = 0;
        int result;

        do { /* one piece more each time */
            struct arena small;

            arena_init(&small, room);
            result = otlp_decode_span(&span, &small, inputs[i], &err);
            if (result != 0)
                assert_int_equal(err.class, ERR_BUSY);
            arena_fini(&small);
            room += 16;
        } while (result != 0 && room < 4096);
        assert_int_equal(result, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_decode_captures_as_protobuf_c),
        TEST(test_decode_empty_gives_defaults),
        TEST(test_decode_text_points_into_input),
        TEST(test_decode_scalar_given_again_last_counts),
        TEST(test_decode_unknown_fields_are_left_out),
        TEST(test_decode_message_given_again_is_merged),
        TEST(test_decode_oneof_message_given_again_is_merged),
        TEST(test_decode_oneof_last_member_counts),
        TEST(test_decode_malformed_is_poison),
        TEST(test_decode_full_arena_is_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
