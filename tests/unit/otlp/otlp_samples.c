/*
 * otlp_samples.c - see otlp_samples.h.
 */
#include "otlp_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define DIRECTORY "/otlp/"
#define REQUEST_BYTES_MAX (256UL << 20)

void samples_load_file(struct buf *request, const char *path_in_data)
{
    char path[512];
    uint8_t *to;
    size_t size;
    FILE *file;

    buf_init(request, REQUEST_BYTES_MAX);
    snprintf(path, sizeof(path), TEST_DATA_DIR "%s", path_in_data);
    file = fopen(path, "rb");
    assert_non_null(file);
    do {
        to = buf_reserve(request, 65536);
        assert_non_null(to);
        size = fread(to, 1, 65536, file);
        request->len += size;
    } while (size > 0);
    assert_int_equal(ferror(file), 0);
    fclose(file);
}

void samples_load(struct buf *request, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), DIRECTORY "%s", name);
    samples_load_file(request, path);
}

static unsigned number_after(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    unsigned value = 0;

    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(key), "%u", &value), 1);
    return value;
}

static void parse_line(struct sample *sample, const char *line)
{
    assert_int_equal(sscanf(line, "{\"file\": \"%63[^\"]\"", sample->name), 1);
    sample->bytes = number_after(line, "\"bytes\": ");
    sample->resource_spans = number_after(line, "\"resource_spans\": ");
    sample->scope_spans = number_after(line, "\"scope_spans\": ");
    sample->spans = number_after(line, "\"spans\": ");
    sample->traces = number_after(line, "\"traces\": ");
}

unsigned samples_visit(void (*visit)(const struct sample *sample, struct slice request))
{
    FILE *list = fopen(TEST_DATA_DIR DIRECTORY "index.jsonl", "r");
    char line[4096];
    unsigned count = 0;

    assert_non_null(list);
    while (fgets(line, sizeof(line), list) != NULL) {
        struct sample sample;
        struct buf request;

        parse_line(&sample, line);
        samples_load(&request, sample.name);
        assert_int_equal(request.len, sample.bytes);
        visit(&sample, buf_slice(&request));
        buf_fini(&request);
        count++;
    }
    fclose(list);
    return count;
}

static void put_varint(struct buf *message, uint64_t value)
{
    uint8_t byte;

    while (value >= 0x80) {
        byte = (uint8_t)(value | 0x80);
        buf_append(message, &byte, 1);
        value >>= 7;
    }
    byte = (uint8_t)value;
    assert_int_equal(buf_append(message, &byte, 1), 0);
}

void samples_field(struct buf *message, unsigned number, struct slice body)
{
    put_varint(message, number << 3 | 2);
    put_varint(message, body.len);
    assert_int_equal(buf_append(message, body.data, body.len), 0);
}

void samples_wrap(struct buf *message, unsigned number)
{
    struct buf whole;

    buf_init(&whole, message->max);
    samples_field(&whole, number, buf_slice(message));
    buf_fini(message);
    *message = whole;
}

void samples_text_field(struct buf *message, unsigned number, const char *text)
{
    samples_field(message, number, slice_of_text(text));
}

void samples_varint_field(struct buf *message, unsigned number, uint64_t value)
{
    put_varint(message, number << 3);
    put_varint(message, value);
}

void samples_fixed64_field(struct buf *message, unsigned number, uint64_t value)
{
    put_varint(message, number << 3 | 1);
    for (unsigned i = 0; i < 8; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));

        assert_int_equal(buf_append(message, &byte, 1), 0);
    }
}

void samples_span(struct buf *message, unsigned trace, unsigned span)
{
    uint8_t trace_id[16] = {1, [12] = (uint8_t)(trace >> 24), (uint8_t)(trace >> 16), (uint8_t)(trace >> 8),
                            (uint8_t)trace};
    uint8_t span_id[8] = {1, [4] = (uint8_t)(span >> 24), (uint8_t)(span >> 16), (uint8_t)(span >> 8), (uint8_t)span};

    samples_field(message, 1, slice_of(trace_id, sizeof(trace_id)));
    samples_field(message, 2, slice_of(span_id, sizeof(span_id)));
    samples_text_field(message, 5, "work");
    samples_fixed64_field(message, 7, 1000000000ULL + span);
    samples_fixed64_field(message, 8, 2000000000ULL + span);
}

void samples_nested(struct buf *request, unsigned depth, bool maps)
{
    struct buf span;

    buf_init(request, REQUEST_BYTES_MAX);
    samples_varint_field(request, 2, 1); /* AnyValue.bool_value */
    for (unsigned i = 1; i < depth; i++) {
        if (maps)
            samples_wrap(request, 2);        /* KeyValue.value */
        samples_wrap(request, 1);            /* ArrayValue.values, KeyValueList.values */
        samples_wrap(request, maps ? 6 : 5); /* AnyValue.kvlist_value, .array_value */
    }
    samples_wrap(request, 2); /* KeyValue.value */
    samples_wrap(request, 9); /* Span.attributes */
    buf_init(&span, REQUEST_BYTES_MAX);
    samples_span(&span, 1, 1);
    assert_int_equal(buf_append(&span, request->data, request->len), 0);
    buf_fini(request);
    *request = span;
    samples_wrap(request, 2); /* ScopeSpans.spans */
    samples_wrap(request, 2); /* ResourceSpans.scope_spans */
    samples_wrap(request, 1);
}

void samples_request_start(struct samples_request *request)
{
    buf_init(&request->scope_spans, REQUEST_BYTES_MAX);
    buf_init(&request->resource_spans, REQUEST_BYTES_MAX);
    buf_init(&request->whole, REQUEST_BYTES_MAX);
}

void samples_request_free(struct samples_request *request)
{
    buf_fini(&request->scope_spans);
    buf_fini(&request->resource_spans);
    buf_fini(&request->whole);
}

void samples_request_span(struct samples_request *request, unsigned trace, unsigned span, const char *name)
{
    struct buf message;

    buf_init(&message, REQUEST_BYTES_MAX);
    samples_span(&message, trace, span);
    samples_text_field(&message, 5, name);
    samples_field(&request->scope_spans, 2, buf_slice(&message));
    buf_fini(&message);
}

void samples_request_scope(struct samples_request *request, const char *name, const char *schema_url)
{
    struct buf scope;

    buf_init(&scope, 4096);
    samples_text_field(&scope, 1, name);
    samples_field(&request->scope_spans, 1, buf_slice(&scope));
    samples_text_field(&request->scope_spans, 3, schema_url);
    samples_field(&request->resource_spans, 2, buf_slice(&request->scope_spans));
    buf_clear(&request->scope_spans);
    buf_fini(&scope);
}

void samples_request_resource(struct samples_request *request, unsigned dropped_attributes, const char *schema_url)
{
    struct buf resource;

    buf_init(&resource, 64);
    samples_varint_field(&resource, 2, dropped_attributes);
    samples_field(&request->resource_spans, 1, buf_slice(&resource));
    samples_text_field(&request->resource_spans, 3, schema_url);
    samples_field(&request->whole, 1, buf_slice(&request->resource_spans));
    buf_clear(&request->resource_spans);
    buf_fini(&resource);
}

struct slice samples_request_end(struct samples_request *request)
{
    if (request->scope_spans.len > 0)
        samples_request_scope(request, "scope", "");
    if (request->resource_spans.len > 0)
        samples_request_resource(request, 1, "");
    return buf_slice(&request->whole);
}
