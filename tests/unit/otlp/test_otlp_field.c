/*
 * test_otlp_field.c - protobuf's wire format: what is written is read back, and
 * what is no field is not read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp_field.h"

#define BYTES_MAX (8UL << 20)
#define GOLDEN(text) slice_of(text, sizeof(text) - 1)

static void assert_bytes(const struct buf *out, struct slice golden)
{
    assert_false(out->failed);
    assert_int_equal(out->len, golden.len);
    assert_memory_equal(out->data, golden.data, golden.len);
}

/* Unknown fields of every wire type are passed over; groups, field 0 and overlong numbers are not protobuf here. */
static void test_next_passes_every_type(void **state)
{
    struct slice good = GOLDEN("\x08\x96\x01\x11"
                               "12345678"
                               "\x1a\x01z\x25"
                               "1234");
    struct slice bad[] = {GOLDEN("\x0b"), GOLDEN("\x00\x01"), GOLDEN("\x0f"),
                          GOLDEN("\x11"
                                 "1234567"),
                          GOLDEN("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")};
    struct otlp_field field;

    (void)state;
    assert_true(otlp_field_next(&good, &field));
    assert_int_equal(field.value, 150);
    assert_true(otlp_field_next(&good, &field));
    assert_int_equal(field.type, OTLP_WIRE_64BIT);
    assert_true(otlp_field_next(&good, &field));
    assert_true(slice_equal(field.bytes, slice_of_text("z")));
    assert_true(otlp_field_next(&good, &field));
    assert_int_equal(field.number, 4);
    assert_false(otlp_field_next(&good, &field));
    assert_int_equal(good.len, 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t len = bad[i].len;

        assert_false(otlp_field_next(&bad[i], &field));
        assert_int_equal(bad[i].len, len);
    }
}

static void test_put_gives_golden_bytes(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    otlp_field_put_varint(&out, 1, 0);
    otlp_field_put_varint(&out, 15, 300);
    otlp_field_put_varint(&out, 16, UINT64_MAX);
    assert_bytes(&out, GOLDEN("\x08\x00\x78\xac\x02\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    buf_clear(&out);
    otlp_field_put_fixed32(&out, 16, 0x01020304);
    otlp_field_put_fixed64(&out, 7, 0x0102030405060708);
    assert_bytes(&out, GOLDEN("\x85\x01\x04\x03\x02\x01\x39\x08\x07\x06\x05\x04\x03\x02\x01"));
    buf_clear(&out);
    otlp_field_put_bytes(&out, 2, slice_of_text("text"));
    assert_bytes(&out, GOLDEN("\x12\x04text"));
    buf_fini(&out);
}

/* The length before a message takes as many bytes as it needs, or always five. */
static void check_open_and_close(size_t len, bool is_padded, size_t header)
{
    uint8_t *body = calloc(1, len + 1);
    struct otlp_field field;
    struct slice message;
    struct buf out;
    size_t opened;

    assert_non_null(body);
    for (size_t i = 0; i < len; i++)
        body[i] = (uint8_t)(i * 7);
    buf_init(&out, BYTES_MAX);
    otlp_field_put_varint(&out, 1, 5);
    opened = otlp_field_open(&out, 2, is_padded);
    buf_append(&out, body, len);
    otlp_field_close(&out, opened, is_padded);
    assert_false(out.failed);
    assert_int_equal(out.len, 2 + header + len);
    message = buf_slice(&out);
    assert_true(otlp_field_next(&message, &field));
    assert_int_equal(field.value, 5);
    assert_true(otlp_field_next(&message, &field));
    assert_int_equal(field.number, 2);
    assert_true(slice_equal(field.bytes, slice_of(body, len)));
    assert_int_equal(message.len, 0);
    buf_fini(&out);
    free(body);
}

static void test_message_is_closed_with_its_length(void **state)
{
    static const struct {
        size_t len, header;
    } cases[] = {{0, 2}, {127, 2}, {128, 3}, {16383, 3}, {16384, 4}, {2097151, 4}, {2097152, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_open_and_close(cases[i].len, false, cases[i].header);
        check_open_and_close(cases[i].len, true, 6);
        assert_int_equal(otlp_field_size(2, cases[i].len), cases[i].header + cases[i].len);
        assert_int_equal(otlp_field_size(16, cases[i].len), 1 + cases[i].header + cases[i].len);
    }
}

static void test_put_past_the_bound_fails(void **state)
{
    struct buf out;
    size_t opened;

    (void)state;
    buf_init(&out, 130);
    opened = otlp_field_open(&out, 2, false);
    buf_append(&out, (uint8_t[128]){0}, 128);
    assert_false(out.failed);
    otlp_field_close(&out, opened, false); /* the second byte of the length has no room */
    assert_true(out.failed);
    assert_int_equal(out.len, 130);
    otlp_field_close(&out, opened, false); /* nor later */
    assert_true(out.failed);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_passes_every_type),
        cmocka_unit_test(test_put_gives_golden_bytes),
        cmocka_unit_test(test_message_is_closed_with_its_length),
        cmocka_unit_test(test_put_past_the_bound_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
