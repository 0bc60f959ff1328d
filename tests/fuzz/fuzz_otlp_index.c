/*
 * fuzz_otlp_index.c - the property on which the daemon's safety rests:
 *
 * What the walk accepts decodes, in no more memory than the walk said; and
 * cutting, encoding and indexing it again gives the same fragments.
 *
 * A libFuzzer target (see CMakeLists.txt), and called by
 * tests/unit/otlp/test_otlp_fuzz.c with inputs of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "otlp_decode.h"
#include "otlp_fragment.h"
#include "otlp_json.h"
#include "otlp_walk.h"

#define ARENA_BYTES (4UL << 30) /* far over what any input of a fuzzer may take: a full arena is a finding */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_otlp_index: does not hold: %s\n", what);
    abort();
}

static void decode_parts(struct slice request, const struct otlp_index *index)
{
    struct otlp_walk_totals totals;
    struct arena parts, *arena = &parts;
    const Otlp__Resource *resource;
    const Otlp__InstrumentationScope *scope;
    const Otlp__Span *span;
    struct json json;
    struct buf text;

    require(otlp_walk(&totals, request, NULL) == 0, "the walk says the same twice");
    require(totals.decoded_bytes <= OTLP_DECODED_BYTES_MAX, "the walk keeps to its bound");
    arena_init(arena, ARENA_BYTES);
    buf_init(&text, SIZE_MAX / 2);
    json_init(&json, &text);
    for (uint32_t i = 0; i < index->resource_count; i++) {
        require(otlp_decode_resource(&resource, arena, index->resources[i].bytes, NULL) == 0, "a resource decodes");
        otlp_json_resource(&json, resource);
    }
    for (uint32_t i = 0; i < index->scope_count; i++) {
        require(otlp_decode_scope(&scope, arena, index->scopes[i].bytes, NULL) == 0, "a scope decodes");
        require(index->scopes[i].resource < index->resource_count, "a scope has a resource");
        otlp_json_scope(&json, scope);
    }
    for (uint32_t i = 0; i < index->span_count; i++) {
        const struct otlp_span_ref *ref = &index->spans[i];

        require(otlp_decode_span(&span, arena, ref->bytes, NULL) == 0, "a span decodes");
        require(ref->scope < index->scope_count, "a span has a scope");
        require(span->start_time_unix_nano == ref->start_unix_nano, "index and decoder agree on the start");
        require(span->end_time_unix_nano == ref->end_unix_nano, "index and decoder agree on the end");
        require((ref->validity == OTLP_VALID) == (ref->trace_id != NULL), "a valid span has a trace id");
        require(ref->trace_id == NULL || memcmp(span->trace_id.data, ref->trace_id, OTLP_TRACE_ID_BYTES) == 0,
                "index and decoder agree on the trace");
        otlp_json_span(&json, span);
    }
    require(!text.failed, "everything has a JSON form");
    require(arena->used_bytes <= totals.decoded_bytes, "a decode takes no more than the walk said");
    buf_fini(&text);
    arena_fini(arena);
}

static void resend_fragment(const struct otlp_fragment *fragment, struct arena *arena)
{
    struct otlp_fragment *again;
    struct otlp_index index;
    struct buf request;
    size_t count;

    buf_init(&request, SIZE_MAX / 2);
    require(otlp_fragment_encode(&request, fragment) == 0, "a fragment encodes");
    require(otlp_index_build(&index, arena, buf_slice(&request), NULL) == 0, "an encoded fragment is accepted");
    require(otlp_fragment_build(&again, &count, arena, &index, 0, NULL) == 0, "an encoded fragment is cut");
    require(count == 1 && again->span_count == fragment->span_count, "an encoded fragment is one fragment");
    require(memcmp(again->hash, fragment->hash, OTLP_FRAGMENT_HASH_BYTES) == 0, "an encoded fragment hashes the same");
    buf_fini(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otlp_fragment *fragments;
    struct otlp_index index;
    struct arena arena;
    size_t count;

    arena_init(&arena, ARENA_BYTES);
    if (otlp_index_build(&index, &arena, slice_of(data, size), NULL) == 0) {
        decode_parts(slice_of(data, size), &index);
        require(otlp_fragment_build(&fragments, &count, &arena, &index, 0, NULL) == 0, "an index is cut");
        for (size_t i = 0; i < count; i++)
            resend_fragment(&fragments[i], &arena);
    }
    arena_fini(&arena);
    return 0;
}
