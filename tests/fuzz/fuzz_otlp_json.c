/*
 * fuzz_otlp_json.c - a request in OTLP/JSON, whatever it is, is refused in
 * order or becomes protobuf that the walk looks at as it does at all other.
 *
 * What the walk accepts of it is written as JSON by our writer and read again:
 * that has to be accepted, and to say the same when it is written once more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "otlp_index.h"
#include "otlp_json.h"
#include "otlp_json_read.h"

#define ARENA_BYTES (4UL << 30)
#define OUT_BYTES_MAX (64UL << 20)
#define BOUND_FACTOR 8       /* no byte of JSON makes more of protobuf */
#define BUF_CAPACITY_MIN 256 /* that a buf takes, whatever its bound */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_otlp_json: does not hold: %s\n", what);
    abort();
}

/* 0, or the code of the refusal. */
static int read_json(struct slice json, size_t max_bytes, struct buf *out)
{
    struct err err = {.class = ERR_NONE};
    int result;

    buf_init(out, OUT_BYTES_MAX);
    result = otlp_json_read(json, max_bytes, out, &err);
    require(out->len <= max_bytes, "no more than the bound is produced");
    require(out->capacity <= max_bytes || out->capacity == BUF_CAPACITY_MIN, "no more than the bound is held");
    if (result == 0)
        return 0;
    require(err.class == ERR_POISON && out->len == 0, "a refusal is poison, and gives nothing");
    require(err.code == EMSGSIZE || err.code == EBADMSG || err.code == ERANGE, "a refusal has its code");
    require(err.text[0] != '\0', "a refusal has a text");
    return err.code;
}

static void check_bounds(struct slice json, const struct buf *expected)
{
    struct buf out;

    require(read_json(json, expected->len, &out) == 0, "the exact bound suffices");
    require(slice_equal(buf_slice(&out), buf_slice(expected)), "a bound changes nothing");
    buf_fini(&out);
    if (expected->len == 0)
        return;
    require(read_json(json, expected->len - 1, &out) == EMSGSIZE, "a byte less does not suffice");
    buf_fini(&out);
}

/* {"resourceSpans":[{"scopeSpans":[{"spans":[...]}]}]} of one span. */
static void write_span(struct buf *text, const Otlp__Span *span)
{
    struct json json;

    json_init(&json, text);
    json_begin_object(&json);
    json_key(&json, "resourceSpans");
    json_begin_array(&json);
    json_begin_object(&json);
    json_key(&json, "scopeSpans");
    json_begin_array(&json);
    json_begin_object(&json);
    json_key(&json, "spans");
    json_begin_array(&json);
    otlp_json_span(&json, span);
    json_end_array(&json);
    json_end_object(&json);
    json_end_array(&json);
    json_end_object(&json);
    json_end_array(&json);
    json_end_object(&json);
    require(!text->failed, "a span has a JSON form");
}

static void read_span_again(const Otlp__Span *span, struct arena *arena)
{
    const Otlp__Span *again;
    struct otlp_index index;
    struct buf text, out, second;

    buf_init(&text, OUT_BYTES_MAX);
    buf_init(&second, OUT_BYTES_MAX);
    write_span(&text, span);
    require(read_json(buf_slice(&text), OUT_BYTES_MAX, &out) == 0, "what we write we read");
    require(otlp_index_build(&index, arena, buf_slice(&out), NULL) == 0, "and accept");
    require(index.span_count == 1, "it is one span");
    require(otlp_decode_span(&again, arena, index.spans[0].bytes, NULL) == 0, "which decodes");
    write_span(&second, again);
    require(slice_equal(buf_slice(&text), buf_slice(&second)), "and says the same");
    buf_fini(&second);
    buf_fini(&out);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const Otlp__Span *span;
    struct otlp_index index;
    struct arena arena;
    struct buf out;

    if (read_json(slice_of(data, size), BOUND_FACTOR * size, &out) == 0) {
        check_bounds(slice_of(data, size), &out);
        arena_init(&arena, ARENA_BYTES);
        if (otlp_index_build(&index, &arena, buf_slice(&out), NULL) == 0) {
            for (uint32_t i = 0; i < index.span_count; i++) {
                require(otlp_decode_span(&span, &arena, index.spans[i].bytes, NULL) == 0, "a span decodes");
                read_span_again(span, &arena);
            }
        }
        arena_fini(&arena);
    }
    buf_fini(&out);
    return 0;
}
