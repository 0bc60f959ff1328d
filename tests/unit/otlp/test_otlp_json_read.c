/*
 * test_otlp_json_read.c - whole requests in OTLP/JSON: the captures through our
 * own writer, and what other encoders made (tests/data/otlp-json), against the
 * same requests in protobuf.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fault.h"
#include "otlp_index.h"
#include "otlp_json.h"
#include "otlp_json_read.h"
#include "otlp_samples.h"

#define BYTES_MAX (64UL << 20)
#define ARENA_BYTES (512UL << 20)

static struct arena arena;
static struct buf out;
static struct err err;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_BYTES);
    buf_init(&out, BYTES_MAX);
    memset(&err, 0, sizeof(err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    buf_fini(&out);
    return 0;
}

static void member_text(struct json *json, const char *key, struct slice text)
{
    json_key(json, key);
    json_string(json, text);
}

static void write_spans(struct json *json, const struct otlp_index *index, uint32_t scope)
{
    const Otlp__Span *span;

    json_key(json, "spans");
    json_begin_array(json);
    for (uint32_t i = 0; i < index->span_count; i++) {
        if (index->spans[i].scope != scope)
            continue;
        assert_int_equal(otlp_decode_span(&span, &arena, index->spans[i].bytes, &err), 0);
        otlp_json_span(json, span);
    }
    json_end_array(json);
}

static void write_scopes(struct json *json, const struct otlp_index *index, uint32_t resource)
{
    const Otlp__InstrumentationScope *scope;

    json_key(json, "scopeSpans");
    json_begin_array(json);
    for (uint32_t i = 0; i < index->scope_count; i++) {
        if (index->scopes[i].resource != resource)
            continue;
        assert_int_equal(otlp_decode_scope(&scope, &arena, index->scopes[i].bytes, &err), 0);
        json_begin_object(json);
        json_key(json, "scope");
        otlp_json_scope(json, scope);
        member_text(json, "schemaUrl", index->scopes[i].schema_url);
        write_spans(json, index, i);
        json_end_object(json);
    }
    json_end_array(json);
}

/* A request in protobuf, as our writer has it in JSON: every field of it. */
static void write_request(struct buf *text, struct slice request)
{
    const Otlp__Resource *resource;
    struct otlp_index index;
    struct json json;

    buf_init(text, BYTES_MAX);
    json_init(&json, text);
    assert_int_equal(otlp_index_build(&index, &arena, request, &err), 0);
    json_begin_object(&json);
    json_key(&json, "resourceSpans");
    json_begin_array(&json);
    for (uint32_t i = 0; i < index.resource_count; i++) {
        assert_int_equal(otlp_decode_resource(&resource, &arena, index.resources[i].bytes, &err), 0);
        json_begin_object(&json);
        json_key(&json, "resource");
        otlp_json_resource(&json, resource);
        member_text(&json, "schemaUrl", index.resources[i].schema_url);
        write_scopes(&json, &index, i);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    assert_false(text->failed);
}

/* `json` is the request that `expected` is in protobuf. */
static void check_same(struct slice json, struct slice expected)
{
    struct buf text, again;

    if (otlp_json_read(json, BYTES_MAX, &out, &err) != 0)
        fail_msg("%s", err.text);
    write_request(&text, expected);
    write_request(&again, buf_slice(&out));
    assert_int_equal(again.len, text.len);
    assert_memory_equal(again.data, text.data, text.len);
    buf_fini(&again);
    buf_fini(&text);
}

static void check_capture(const struct sample *sample, struct slice request)
{
    struct buf text;

    (void)sample;
    write_request(&text, request);
    check_same(buf_slice(&text), request);
    buf_fini(&text);
    arena_reset(&arena, 1UL << 20);
}

static void test_read_captures_come_back(void **state)
{
    (void)state;
    assert_int_equal(samples_visit(check_capture), 68);
}

static void load_pair(const char *name, struct buf *json, struct buf *request)
{
    char path[128];

    snprintf(path, sizeof(path), "/otlp-json/%s.json", name);
    samples_load_file(json, path);
    snprintf(path, sizeof(path), "/otlp-json/%s.pb", name);
    samples_load_file(request, path);
}

static void test_read_json_of_other_encoders_is_what_they_send_in_protobuf(void **state)
{
    static const char *const names[] = {"js-0001",
                                        "collector-batch-0001",
                                        "proto-awkward-0002",
                                        "proto-awkward-0003",
                                        "python-awkward-0001",
                                        "python-awkward-0004",
                                        "python-awkward-0006",
                                        "python-awkward-0012",
                                        "python-awkward-0015"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct buf json, request;

        load_pair(names[i], &json, &request);
        check_same(buf_slice(&json), buf_slice(&request));
        buf_fini(&request);
        buf_fini(&json);
    }
}

/* Both have the same fields, if in another order: so no length takes more bytes than it has to. */
static void test_read_gives_no_more_bytes_than_an_encoder_of_protobuf(void **state)
{
    struct buf json, request;

    (void)state;
    load_pair("js-0001", &json, &request);
    assert_int_equal(otlp_json_read(buf_slice(&json), request.len, &out, &err), 0);
    assert_int_equal(out.len, request.len);
    buf_fini(&request);
    buf_fini(&json);
}

static void check_code(struct slice json, size_t max_bytes, enum err_class class, int code, const char *text)
{
    memset(&err, 0, sizeof(err));
    assert_int_equal(otlp_json_read(json, max_bytes, &out, &err), -1);
    assert_string_equal(err.text, text);
    assert_int_equal(err.class, class);
    assert_int_equal(err.code, code);
    assert_int_equal(out.len, 0);
    assert_int_equal(out.max, BYTES_MAX);
}

static void test_read_bound_is_exact(void **state)
{
    const size_t smallest = 256; /* that a buf takes */
    struct buf json;
    char text[64];
    size_t size;

    (void)state;
    samples_load_file(&json, "/otlp-json/js-0001.json");
    assert_int_equal(otlp_json_read(buf_slice(&json), BYTES_MAX, &out, &err), 0);
    size = out.len;
    buf_fini(&out);
    assert_int_equal(otlp_json_read(buf_slice(&json), size, &out, &err), 0);
    assert_true(out.capacity <= size);
    for (size_t max_bytes = 0; max_bytes < size; max_bytes++) {
        buf_fini(&out);
        snprintf(text, sizeof(text), "request: more than %zu bytes as protobuf", max_bytes);
        check_code(buf_slice(&json), max_bytes, ERR_POISON, EMSGSIZE, text);
        assert_true(out.capacity <= max_bytes || out.capacity == smallest);
    }
    buf_fini(&json);
}

/* Whatever is cut off is refused, and what is left is never taken for a smaller request. */
static void test_read_truncated_json_is_poison(void **state)
{
    struct buf json;

    (void)state;
    samples_load_file(&json, "/otlp-json/js-0001.json");
    for (size_t len = 0; len < json.len; len++) {
        uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees a read past the end */

        assert_non_null(exact);
        memcpy(exact, json.data, len);
        assert_int_equal(otlp_json_read(slice_of(exact, len), BYTES_MAX, &out, &err), -1);
        assert_int_equal(err.class, ERR_POISON);
        assert_int_equal(err.code, EBADMSG);
        free(exact);
    }
    buf_fini(&json);
}

static void test_read_no_memory_is_busy(void **state)
{
    (void)state;
    fault_arm("otlp_json.pool", 1, ENOMEM);
    check_code(slice_of_text("{}"), BYTES_MAX, ERR_BUSY, ENOMEM, "no memory to read JSON of 2 bytes");
    fault_arm("buf.grow", 1, ENOMEM);
    check_code(slice_of_text("{\"resourceSpans\":[{}]}"), BYTES_MAX, ERR_BUSY, ENOMEM,
               "request: no memory for it as protobuf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_captures_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_json_of_other_encoders_is_what_they_send_in_protobuf, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_read_gives_no_more_bytes_than_an_encoder_of_protobuf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_bound_is_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_truncated_json_is_poison, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_no_memory_is_busy, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
