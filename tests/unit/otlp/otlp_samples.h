/*
 * otlp_samples.h - requests for the tests of src/otlp: the captures, and ones
 * put together field by field.
 */
#ifndef TRACESPOOL_TEST_OTLP_SAMPLES_H
#define TRACESPOOL_TEST_OTLP_SAMPLES_H

#include "buf.h"
#include "slice.h"

/* One line of tests/data/otlp/index.jsonl. */
struct sample {
    char name[64]; /* "java-0001.pb" */
    unsigned bytes;
    unsigned resource_spans;
    unsigned scope_spans;
    unsigned spans;
    unsigned traces;
};

/* Calls `visit` for every capture; the test fails if the list or a file cannot be read. The number of captures. */
unsigned samples_visit(void (*visit)(const struct sample *sample, struct slice request));

/* A capture by name; free with buf_fini. */
void samples_load(struct buf *request, const char *name);

/* The same of any file: "/otlp-json/js-0001.json" in tests/data. */
void samples_load_file(struct buf *request, const char *path_in_data);

/* Puts a field at the front of what `message` holds, or takes it all as the body of one: requests grow outwards. */
void samples_wrap(struct buf *message, unsigned number);

/* Appends a field. */
void samples_field(struct buf *message, unsigned number, struct slice body);
void samples_text_field(struct buf *message, unsigned number, const char *text);
void samples_varint_field(struct buf *message, unsigned number, uint64_t value);
void samples_fixed64_field(struct buf *message, unsigned number, uint64_t value);

/* Appends the fields of a valid span: ids made from `trace` and `span`, a name, a start and an end. */
void samples_span(struct buf *message, unsigned trace, unsigned span);

/* A request whose one span has one attribute, `depth` AnyValues deep; of maps or else of lists. */
void samples_nested(struct buf *request, unsigned depth, bool maps);

/* A request put together in order: spans, the scope that they are under, the resource that scopes are under. */
struct samples_request {
    struct buf scope_spans;
    struct buf resource_spans;
    struct buf whole;
};

void samples_request_start(struct samples_request *request);
void samples_request_free(struct samples_request *request);

/* `name` tells apart spans with the same ids. */
void samples_request_span(struct samples_request *request, unsigned trace, unsigned span, const char *name);
void samples_request_scope(struct samples_request *request, const char *name, const char *schema_url);
void samples_request_resource(struct samples_request *request, unsigned dropped_attributes, const char *schema_url);

/* Closes what is open under scope "scope" and resource 1. */
struct slice samples_request_end(struct samples_request *request);

#endif
