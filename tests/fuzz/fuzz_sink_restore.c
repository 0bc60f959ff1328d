/*
 * fuzz_sink_restore.c - documents and the OTLP that is restored from them.
 *
 * Any bytes as a request: what the walk accepts becomes documents, each is
 * restored, the walk accepts that, and storing and restoring it once more
 * changes no byte.  Any bytes as a document: it is refused, or what is restored
 * of it is a request.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sink_bson.h"
#include "sink_restore.h"

#define ARENA_BYTES (1UL << 30)
#define OUT_BYTES_MAX (64UL << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_sink_restore: does not hold: %s\n", what);
    abort();
}

/* False: too large for a document. */
static bool store_and_restore(struct buf *request, const struct otlp_fragment *fragment)
{
    struct sink_bson bson;
    struct buf bytes;
    bson_t document;
    struct err err;
    bool fits;

    sink_bson_init(&bson);
    buf_init(request, OUT_BYTES_MAX);
    buf_init(&bytes, SINK_DOCUMENT_BYTES_MAX);
    fits = sink_bson_build(&bson, fragment, &bytes, &err) == 0;
    require(fits || err.class == ERR_POISON, "what cannot be stored is poison");
    if (fits) {
        require(bson_init_static(&document, bytes.data, bytes.len), "a document has its length");
        require(bson_validate(&document, BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL, NULL), "and is BSON");
        require(sink_restore(request, &document, &err) == 0, "what was stored is restored");
    }
    buf_fini(&bytes);
    sink_bson_fini(&bson);
    return fits;
}

static void restore_twice(const struct otlp_fragment *fragment)
{
    struct otlp_fragment *again;
    struct otlp_index index;
    struct buf once, twice;
    struct arena arena;
    size_t count;

    arena_init(&arena, ARENA_BYTES);
    if (store_and_restore(&once, fragment)) {
        require(otlp_index_build(&index, &arena, buf_slice(&once), NULL) == 0, "what is restored is a request");
        require(index.span_count == fragment->span_count, "of as many spans");
        require(index.by_validity[OTLP_VALID] == index.span_count, "which are valid");
        require(otlp_fragment_build(&again, &count, &arena, &index, 0, NULL) == 0, "and is cut");
        /* Spans that differ in what is not stored are the same now, and one of them is left out. */
        if (count == 1 && again->span_count == fragment->span_count) {
            require(store_and_restore(&twice, again), "it can be stored again");
            require(slice_equal(buf_slice(&once), buf_slice(&twice)), "and comes back the same");
            buf_fini(&twice);
        }
    }
    buf_fini(&once);
    arena_fini(&arena);
}

static void take_as_request(struct slice request)
{
    struct otlp_fragment *fragments;
    struct otlp_index index;
    struct arena arena;
    size_t count;

    arena_init(&arena, ARENA_BYTES);
    if (otlp_index_build(&index, &arena, request, NULL) == 0) {
        require(otlp_fragment_build(&fragments, &count, &arena, &index, 0, NULL) == 0, "an index is cut");
        for (size_t i = 0; i < count; i++)
            restore_twice(&fragments[i]);
    }
    arena_fini(&arena);
}

static void take_as_document(struct slice bytes)
{
    struct otlp_index index;
    struct arena arena;
    struct buf request;
    bson_t document;
    struct err err;

    if (!bson_init_static(&document, bytes.data, bytes.len))
        return;
    arena_init(&arena, ARENA_BYTES);
    buf_init(&request, OUT_BYTES_MAX);
    if (sink_restore(&request, &document, &err) == 0)
        require(otlp_index_build(&index, &arena, buf_slice(&request), NULL) == 0, "a document gives a request");
    else
        require(err.class == ERR_POISON && err.text[0] != '\0', "or is refused, with a text");
    buf_fini(&request);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    take_as_request(slice_of(data, size));
    take_as_document(slice_of(data, size));
    return 0;
}
