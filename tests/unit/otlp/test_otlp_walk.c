/*
 * otlp_walk: what is malformed, with the text that names the place, and every
 * bound, from both sides.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp_samples.h"
#include "otlp_walk.h"

#define REQUEST_BYTES_MAX (64UL << 20)
#define BYTES(text) slice_of(text, sizeof(text) - 1)

static struct otlp_walk_totals totals;
static struct err err;

/* `body`, wrapped into fields from the inside out; the numbers end with 0. */
static void wrap_in(struct buf *request, struct slice body, const unsigned *numbers)
{
    buf_init(request, REQUEST_BYTES_MAX);
    assert_int_equal(buf_append(request, body.data, body.len), 0);
    for (; *numbers != 0; numbers++)
        samples_wrap(request, *numbers);
}

static void check_refused(struct slice request, int code, const char *text)
{
    memset(&err, 0, sizeof(err));
    assert_int_equal(otlp_walk(&totals, request, &err), -1);
    assert_string_equal(err.text, text);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, code);
}

static void test_walk_malformed_tag_is_refused(void **state)
{
    const char *no_number = "request: a field number that does not exist, at byte 0";
    const char *bad_type = "request: a wire type that does not exist or is a group, at byte 0";

    (void)state;
    check_refused(BYTES("\x00\x00"), EBADMSG, no_number);
    check_refused(BYTES("\x80\x00"), EBADMSG, no_number);
    check_refused(BYTES("\x80\x80\x80\x80\x10\x00"), EBADMSG, no_number); /* 2^29 */
    check_refused(BYTES("\x80"), EBADMSG, "request: truncated, at byte 0");
    check_refused(BYTES("\x8a\x80\x80\x80\x80\x00\x00"), EBADMSG, "request: a varint that is too long, at byte 0");
    check_refused(BYTES("\x13"), EBADMSG, bad_type);
    check_refused(BYTES("\x14"), EBADMSG, bad_type);
    check_refused(BYTES("\x16"), EBADMSG, bad_type);
    check_refused(BYTES("\x17"), EBADMSG, bad_type);
    check_refused(BYTES("\x0b\x0c"), EBADMSG, bad_type);
}

static void test_walk_malformed_value_is_refused(void **state)
{
    const char *truncated = "request: truncated, at byte 2";

    (void)state;
    check_refused(BYTES("\x10\x01\x10"), EBADMSG, truncated);
    check_refused(BYTES("\x10\x01\x10\x80"), EBADMSG, truncated);
    check_refused(BYTES("\x10\x01\x11\x01\x02\x03\x04\x05\x06\x07"), EBADMSG, truncated);
    check_refused(BYTES("\x10\x01\x15\x01\x02\x03"), EBADMSG, truncated);
    check_refused(BYTES("\x10\x01\x0a"), EBADMSG, truncated);
    check_refused(BYTES("\x10\x01\x0a\x80"), EBADMSG, truncated);
    check_refused(BYTES("\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), EBADMSG,
                  "request: a varint that is too long, at byte 0");
    check_refused(BYTES("\x0a\x80\x80\x80\x80\x80\x00"), EBADMSG, "request: a varint that is too long, at byte 0");
    check_refused(BYTES("\x0a\x01"), EBADMSG, "request: a length that passes the end, at byte 0");
    check_refused(BYTES("\x0a\xff\xff\xff\xff\x7f"), EBADMSG, "request: a length that passes the end, at byte 0");
}

static void check_wrapped(struct slice body, const unsigned *numbers, const char *text)
{
    struct buf request;

    wrap_in(&request, body, numbers);
    check_refused(buf_slice(&request), EBADMSG, text);
    buf_fini(&request);
}

static void test_walk_error_names_the_path(void **state)
{
    static const unsigned value[] = {2, 9, 2, 2, 1, 0};
    static const unsigned span[] = {2, 2, 1, 0};
    static const unsigned resource[] = {1, 1, 0};

    (void)state;
    check_wrapped(BYTES("\x12\x00"), value,
                  "resource_spans.scope_spans.spans.attributes.value.bool_value: not the wire type of this field, at "
                  "byte 10");
    check_wrapped(BYTES("\x10\x80"), value, "resource_spans.scope_spans.spans.attributes.value: truncated, at byte 10");
    check_wrapped(BYTES("\x08\x01"), span,
                  "resource_spans.scope_spans.spans.trace_id: not the wire type of this field, at byte 6");
    check_wrapped(BYTES("\x3d\x01\x02\x03\x04"), span,
                  "resource_spans.scope_spans.spans.start_time_unix_nano: not the wire type of this field, at byte 6");
    check_wrapped(BYTES("\x82\x01\x01x"), span,
                  "resource_spans.scope_spans.spans.flags: not the wire type of this field, at byte 6");
    check_wrapped(BYTES("\x0a\x02\x0a\x05"), resource,
                  "resource_spans.resource.attributes: a length that passes the end, at byte 6");
}

static void test_walk_unknown_fields_are_passed_over(void **state)
{
    (void)state;
    assert_int_equal(otlp_walk(&totals, BYTES("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &err), 0);
    assert_int_equal(otlp_walk(&totals,
                               BYTES("\x19"
                                     "12345678\x25"
                                     "1234\x2a\x02zz"),
                               &err),
                     0);
    assert_int_equal(otlp_walk(&totals, BYTES("\xfa\x01\x00\x82\x02\x00"), &err), 0);         /* 31, 32 */
    assert_int_equal(otlp_walk(&totals, BYTES("\xfa\xff\xff\xff\x0f\x01\xff"), &err), 0);     /* 2^29 - 1 */
    assert_int_equal(otlp_walk(&totals, BYTES("\x8a\x80\x80\x80\x00\x80\x80\x00"), &err), 0); /* longer than needed */
    assert_int_equal(totals.counts[OTLP_SCHEMA_RESOURCE_SPANS], 1);
}

static void check_depth(unsigned depth, bool maps, const char *text)
{
    struct buf request;

    samples_nested(&request, depth, maps);
    if (text == NULL) {
        assert_int_equal(otlp_walk(&totals, buf_slice(&request), &err), 0);
        assert_int_equal(totals.counts[OTLP_SCHEMA_ANY_VALUE], depth);
    } else {
        assert_int_equal(otlp_walk(&totals, buf_slice(&request), &err), -1);
        assert_int_equal(err.code, ERANGE);
        assert_non_null(strstr(err.text, text));
        assert_int_equal(strncmp(err.text, "resource_spans.scope_spans.spans.attributes.value.", 50), 0);
    }
    buf_fini(&request);
}

static void test_walk_depth_is_bounded(void **state)
{
    (void)state;
    for (unsigned maps = 0; maps < 2; maps++) {
        check_depth(1, maps, NULL);
        check_depth(OTLP_DEPTH_MAX, maps, NULL);
        check_depth(OTLP_DEPTH_MAX + 1, maps, "...: values nested too deep, at byte ");
        check_depth(10000, maps, "...: values nested too deep, at byte ");
    }
}

/* `count` times the same few bytes, wrapped. */
static void repeat(struct buf *request, struct slice piece, unsigned count, const unsigned *numbers)
{
    struct buf body;

    buf_init(&body, REQUEST_BYTES_MAX);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(buf_append(&body, piece.data, piece.len), 0);
    wrap_in(request, buf_slice(&body), numbers);
    buf_fini(&body);
}

static void check_count(struct slice piece, unsigned max, const unsigned *numbers, const char *text)
{
    struct buf request;

    repeat(&request, piece, max, numbers);
    assert_int_equal(otlp_walk(&totals, buf_slice(&request), &err), 0);
    buf_fini(&request);
    repeat(&request, piece, max + 1, numbers);
    check_refused(buf_slice(&request), ERANGE, text);
    buf_fini(&request);
}

static void test_walk_counts_are_bounded(void **state)
{
    static const unsigned in_scope_spans[] = {2, 1, 0};
    static const unsigned in_resource_spans[] = {1, 0};
    static const unsigned in_request[] = {0};

    (void)state;
    check_count(BYTES("\x12\x00"), OTLP_SPANS_MAX, in_scope_spans,
                "resource_spans.scope_spans.spans: too many spans, at byte 2000008");
    check_count(BYTES("\x12\x00"), OTLP_GROUPS_MAX, in_resource_spans,
                "resource_spans.scope_spans: too many scopes, at byte 2000004");
    check_count(BYTES("\x0a\x00"), OTLP_GROUPS_MAX, in_request, "resource_spans: too many resources, at byte 2000000");
}

static void check_memory(struct slice piece, unsigned count, const unsigned *numbers)
{
    struct buf request;

    repeat(&request, piece, count, numbers);
    assert_int_equal(otlp_walk(&totals, buf_slice(&request), &err), -1);
    assert_int_equal(err.code, ERANGE);
    assert_non_null(strstr(err.text, "too much memory to decode, at byte "));
    assert_in_range(totals.decoded_bytes, OTLP_DECODED_BYTES_MAX, 2 * OTLP_DECODED_BYTES_MAX);
    buf_fini(&request);
}

static void test_walk_memory_is_bounded(void **state)
{
    static const unsigned in_span[] = {2, 2, 1, 0};
    static const unsigned in_attribute[] = {9, 2, 2, 1, 0};

    (void)state;
    check_memory(BYTES("\x6a\x00"), 8000000, in_span);       /* empty links */
    check_memory(BYTES("\x12\x00"), 20000000, in_attribute); /* a value, given again */
}

static void test_walk_two_gigabytes_are_refused_unread(void **state)
{
    (void)state;
    check_refused(slice_of("", (size_t)INT32_MAX + 1), EMSGSIZE,
                  "request: 2147483648 bytes, and a message has less than 2 GiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_malformed_tag_is_refused),
        cmocka_unit_test(test_walk_malformed_value_is_refused),
        cmocka_unit_test(test_walk_error_names_the_path),
        cmocka_unit_test(test_walk_unknown_fields_are_passed_over),
        cmocka_unit_test(test_walk_depth_is_bounded),
        cmocka_unit_test(test_walk_counts_are_bounded),
        cmocka_unit_test(test_walk_memory_is_bounded),
        cmocka_unit_test(test_walk_two_gigabytes_are_refused_unread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
