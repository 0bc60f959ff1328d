/*
 * requests.h - captured and made-up requests as fragments, for the tests of the sink.
 */
#ifndef TRACESPOOL_TEST_REQUESTS_H
#define TRACESPOOL_TEST_REQUESTS_H

#include "otlp_decode.h"
#include "otlp_fragment.h"

/* 2026-11-22T16:30:00Z: shortly after the captures were made. */
#define REQUESTS_RECEIVED_NS (1795365000ULL * 1000000000ULL)

/* tests/data/otlp/index.jsonl, in sum. */
#define REQUESTS_CAPTURES 68
#define REQUESTS_CAPTURED_SPANS 12182

struct request {
    struct arena arena;
    struct buf bytes;
    struct otlp_index index;
    struct otlp_fragment *fragments;
    size_t count;
};

/* Every one of them fails the test when something is wrong with the input. */
void request_load(struct request *request, const char *file);
void request_pack(struct request *request, const Otlp__ExportTraceServiceRequest *message, uint64_t received_ns);
void request_free(struct request *request);

/* Calls `each` for every capture in tests/data/otlp, in the order of their names.  Returns their number. */
size_t request_each_capture(void (*each)(const char *file, void *context), void *context);

/* One resource with service.name `service`, one scope, these spans. */
void request_of_spans(struct request *request, const char *service, Otlp__Span **spans, size_t count,
                      uint64_t received_ns);

/* A span with ids made of the two numbers; parent 0: none. */
struct made_span {
    Otlp__Span span;
    Otlp__Status status;
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t parent_id[8];
};
void make_span(struct made_span *made, uint8_t trace, uint8_t id, uint8_t parent, uint64_t start_ns);

/* Bytes of a C string. */
ProtobufCBinaryData text_data(const char *text);

#endif
