#include "requests.h"

#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants these before it */
#include <setjmp.h>

#include <cmocka.h>

#define ARENA_MAX (1UL << 30)

static void index_and_cut(struct request *request, uint64_t received_ns)
{
    struct err err;

    arena_init(&request->arena, ARENA_MAX);
    if (otlp_index_build(&request->index, &request->arena, buf_slice(&request->bytes), &err) != 0 ||
        otlp_fragment_build(&request->fragments, &request->count, &request->arena, &request->index, received_ns,
                            &err) != 0)
        fail_msg("%s", err.text);
}

void request_load(struct request *request, const char *file)
{
    char path[512];
    char chunk[65536];
    size_t len;
    FILE *stream;

    snprintf(path, sizeof(path), "%s/otlp/%s", TEST_DATA_DIR, file);
    stream = fopen(path, "rb");
    assert_non_null(stream);
    buf_init(&request->bytes, ARENA_MAX);
    while ((len = fread(chunk, 1, sizeof(chunk), stream)) > 0)
        assert_int_equal(buf_append(&request->bytes, chunk, len), 0);
    fclose(stream);
    index_and_cut(request, REQUESTS_RECEIVED_NS);
}

void request_pack(struct request *request, const Otlp__ExportTraceServiceRequest *message, uint64_t received_ns)
{
    size_t len = otlp__export_trace_service_request__get_packed_size(message);

    buf_init(&request->bytes, ARENA_MAX);
    assert_non_null(buf_reserve(&request->bytes, len));
    request->bytes.len = otlp__export_trace_service_request__pack(message, request->bytes.data);
    index_and_cut(request, received_ns);
}

void request_free(struct request *request)
{
    arena_fini(&request->arena);
    buf_fini(&request->bytes);
}

static int is_capture(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot != NULL && strcmp(dot, ".pb") == 0;
}

size_t request_each_capture(void (*each)(const char *file, void *context), void *context)
{
    struct dirent **entries;
    int count = scandir(TEST_DATA_DIR "/otlp", &entries, is_capture, alphasort);

    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        each(entries[i]->d_name, context);
        free(entries[i]);
    }
    free(entries);
    return (size_t)count;
}

ProtobufCBinaryData text_data(const char *text)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)text, .len = strlen(text)};
}

void request_of_spans(struct request *request, const char *service, Otlp__Span **spans, size_t count,
                      uint64_t received_ns)
{
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;
    Otlp__KeyValue pair = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *pairs[1] = {&pair};
    Otlp__Resource resource = OTLP__RESOURCE__INIT;
    Otlp__ScopeSpans scope_spans = OTLP__SCOPE_SPANS__INIT;
    Otlp__ScopeSpans *scopes[1] = {&scope_spans};
    Otlp__ResourceSpans resource_spans = OTLP__RESOURCE_SPANS__INIT;
    Otlp__ResourceSpans *resources[1] = {&resource_spans};
    Otlp__ExportTraceServiceRequest message = OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;

    value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    value.string_value = text_data(service);
    pair.key = text_data("service.name");
    pair.value = &value;
    resource.attributes = pairs;
    resource.n_attributes = 1;
    scope_spans.spans = spans;
    scope_spans.n_spans = count;
    resource_spans.resource = &resource;
    resource_spans.scope_spans = scopes;
    resource_spans.n_scope_spans = 1;
    message.resource_spans = resources;
    message.n_resource_spans = 1;
    request_pack(request, &message, received_ns);
}

void make_span(struct made_span *made, uint8_t trace, uint8_t id, uint8_t parent, uint64_t start_ns)
{
    *made = (struct made_span){.span = OTLP__SPAN__INIT, .status = OTLP__STATUS__INIT};
    memset(made->trace_id, trace, sizeof(made->trace_id));
    memset(made->span_id, id, sizeof(made->span_id));
    memset(made->parent_id, parent, sizeof(made->parent_id));
    made->span.trace_id = (ProtobufCBinaryData){.data = made->trace_id, .len = sizeof(made->trace_id)};
    made->span.span_id = (ProtobufCBinaryData){.data = made->span_id, .len = sizeof(made->span_id)};
    if (parent != 0)
        made->span.parent_span_id = (ProtobufCBinaryData){.data = made->parent_id, .len = sizeof(made->parent_id)};
    made->span.name = text_data("made");
    made->span.kind = OTLP__SPAN__SPAN_KIND__SPAN_KIND_SERVER;
    made->span.start_time_unix_nano = start_ns;
    made->span.end_time_unix_nano = start_ns + 1000;
    made->span.status = &made->status;
}
