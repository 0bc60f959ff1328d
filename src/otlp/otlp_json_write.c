/*
 * otlp_json_write.c - the groups of a request around its parts (otlp_json.c).
 *
 * Runs on the caller's thread.  Decodes one part at a time, so the memory of a
 * large request is its bytes, its index and its largest part.
 */
#include "otlp_json_write.h"

#include <inttypes.h>

#include "otlp_decode.h"
#include "otlp_json.h"

#define KEEP_BYTES (1UL << 20)

struct writer {
    const struct otlp_json_write *write;
    const struct otlp_index *index;
    struct json json;
    uint32_t next_scope, next_span; /* the index holds both in the order of their parents */
};

static bool is_wanted(const struct writer *writer, uint32_t span)
{
    return writer->write->wanted == NULL || writer->write->wanted[span];
}

/* Whether a span that is still to come is wanted, of scope `scope` or, UINT32_MAX, of any of resource `resource`. */
static bool any_wanted(const struct writer *writer, uint32_t resource, uint32_t scope)
{
    const struct otlp_index *index = writer->index;

    if (writer->write->wanted == NULL)
        return true;
    for (uint32_t i = writer->next_span; i < index->span_count; i++) {
        uint32_t of = index->spans[i].scope;

        if (index->scopes[of].resource != resource || (scope != UINT32_MAX && of != scope))
            return false;
        if (is_wanted(writer, i))
            return true;
    }
    return false;
}

static void begin_list(struct writer *writer, const char *key)
{
    json_key(&writer->json, key);
    json_begin_array(&writer->json);
}

static void end_group(struct writer *writer)
{
    json_end_array(&writer->json);
    json_end_object(&writer->json);
}

static void put_schema_url(struct writer *writer, struct slice url)
{
    if (url.len == 0)
        return;
    json_key(&writer->json, "schemaUrl");
    json_string(&writer->json, url);
}

static int put_span(struct writer *writer, uint32_t at, struct err *err)
{
    const Otlp__Span *span;

    arena_reset(writer->write->parts, KEEP_BYTES);
    if (otlp_decode_span(&span, writer->write->parts, writer->index->spans[at].bytes, err) < 0)
        return err_prefix(err, "span %" PRIu32, at);
    otlp_json_span(&writer->json, span);
    if (writer->write->each_span != NULL)
        writer->write->each_span(writer->write->context);
    return 0;
}

static int begin_scope(struct writer *writer, const struct otlp_scope_ref *ref, struct err *err)
{
    const Otlp__InstrumentationScope *scope;

    json_begin_object(&writer->json);
    arena_reset(writer->write->parts, KEEP_BYTES);
    if (ref->bytes.len > 0) {
        if (otlp_decode_scope(&scope, writer->write->parts, ref->bytes, err) < 0)
            return err_prefix(err, "scope");
        json_key(&writer->json, "scope");
        otlp_json_scope(&writer->json, scope);
    }
    put_schema_url(writer, ref->schema_url);
    begin_list(writer, "spans");
    return 0;
}

static int put_scope(struct writer *writer, uint32_t at, struct err *err)
{
    const struct otlp_index *index = writer->index;
    bool is_shown = any_wanted(writer, index->scopes[at].resource, at);

    if (is_shown && begin_scope(writer, &index->scopes[at], err) < 0)
        return -1;
    for (; writer->next_span < index->span_count && index->spans[writer->next_span].scope == at; writer->next_span++)
        if (is_wanted(writer, writer->next_span) && put_span(writer, writer->next_span, err) < 0)
            return -1;
    if (is_shown)
        end_group(writer);
    return 0;
}

static int begin_resource(struct writer *writer, const struct otlp_resource_ref *ref, struct err *err)
{
    const Otlp__Resource *resource;

    json_begin_object(&writer->json);
    arena_reset(writer->write->parts, KEEP_BYTES);
    if (ref->bytes.len > 0) {
        if (otlp_decode_resource(&resource, writer->write->parts, ref->bytes, err) < 0)
            return err_prefix(err, "resource");
        json_key(&writer->json, "resource");
        otlp_json_resource(&writer->json, resource);
    }
    put_schema_url(writer, ref->schema_url);
    begin_list(writer, "scopeSpans");
    return 0;
}

static int put_resource(struct writer *writer, uint32_t at, struct err *err)
{
    const struct otlp_index *index = writer->index;
    bool is_shown = any_wanted(writer, at, UINT32_MAX);

    if (is_shown && begin_resource(writer, &index->resources[at], err) < 0)
        return -1;
    for (; writer->next_scope < index->scope_count && index->scopes[writer->next_scope].resource == at;
         writer->next_scope++)
        if (put_scope(writer, writer->next_scope, err) < 0)
            return -1;
    if (is_shown)
        end_group(writer);
    return 0;
}

int otlp_json_write(const struct otlp_json_write *write, struct err *err)
{
    struct writer writer = {.write = write, .index = write->index};

    json_init(&writer.json, write->out);
    json_begin_object(&writer.json);
    begin_list(&writer, "resourceSpans");
    for (uint32_t i = 0; i < write->index->resource_count; i++)
        if (put_resource(&writer, i, err) < 0)
            return -1;
    end_group(&writer);
    buf_text(write->out, "\n");
    return 0;
}
