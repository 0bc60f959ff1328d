/*
 * otlp_fragment_form.c - the two forms of a fragment's content: what is hashed
 * and what is sent.  Pure; encoding fails only through out->failed.
 *
 * The hash is the document's identity.  It is XXH3-128 over these fields, each
 * as checksum_128_field takes it (its length, then its bytes), and may never
 * change, or every replay would store every span a second time:
 *
 *     resource message, schema URL of its ResourceSpans,
 *     then for each span
 *         if its scope says something else than the span's before, and at the first span:
 *             an empty field, scope message, schema URL of its ScopeSpans
 *         span message
 *
 * The empty field cannot be taken for a span, as a valid span holds two ids.
 * Messages are hashed as they came, so unknown fields count, and how spans
 * were divided into ScopeSpans does not.
 */
#include "otlp_fragment_form.h"

#include "otlp_field.h"
#include "otlp_fragment_group.h"

static const struct otlp_span_ref *span_at(const struct otlp_fragment *fragment, uint32_t i)
{
    return &fragment->index->spans[fragment->spans[i]];
}

static bool starts_scope(const struct otlp_fragment *fragment, uint32_t i)
{
    return i == 0 ||
           !otlp_fragment_same_scope(fragment->index, span_at(fragment, i - 1)->scope, span_at(fragment, i)->scope);
}

void otlp_fragment_form_hash(struct otlp_fragment *fragment, struct checksum_128 *state)
{
    const struct otlp_resource_ref *resource = &fragment->index->resources[fragment->resource];

    checksum_128_reset(state);
    checksum_128_field(state, resource->bytes);
    checksum_128_field(state, resource->schema_url);
    for (uint32_t i = 0; i < fragment->span_count; i++) {
        const struct otlp_span_ref *span = span_at(fragment, i);
        const struct otlp_scope_ref *scope = &fragment->index->scopes[span->scope];

        if (starts_scope(fragment, i)) {
            checksum_128_field(state, slice_of(NULL, 0));
            checksum_128_field(state, scope->bytes);
            checksum_128_field(state, scope->schema_url);
        }
        checksum_128_field(state, span->bytes);
    }
    checksum_128_result(state, fragment->hash);
}

/* An empty field need not be sent. */
static size_t optional_size(uint32_t number, struct slice body)
{
    return body.len == 0 ? 0 : otlp_field_size(number, body.len);
}

static void put_optional(struct buf *out, uint32_t number, struct slice body)
{
    if (body.len > 0)
        otlp_field_put_bytes(out, number, body);
}

/* The span after the last one of the scope that starts at span `i`. */
static uint32_t scope_end(const struct otlp_fragment *fragment, uint32_t i)
{
    do
        i++;
    while (i < fragment->span_count && !starts_scope(fragment, i));
    return i;
}

static size_t scope_spans_size(const struct otlp_fragment *fragment, uint32_t first, uint32_t end)
{
    const struct otlp_scope_ref *scope = &fragment->index->scopes[span_at(fragment, first)->scope];
    size_t size =
        optional_size(OTLP_GROUP_HEAD, scope->bytes) + optional_size(OTLP_GROUP_SCHEMA_URL, scope->schema_url);

    for (uint32_t i = first; i < end; i++)
        size += otlp_field_size(OTLP_GROUP_MEMBERS, span_at(fragment, i)->bytes.len);
    return size;
}

static void put_scope_spans(struct buf *out, const struct otlp_fragment *fragment, uint32_t first, uint32_t end)
{
    const struct otlp_scope_ref *scope = &fragment->index->scopes[span_at(fragment, first)->scope];

    otlp_field_put_header(out, OTLP_GROUP_MEMBERS, scope_spans_size(fragment, first, end));
    put_optional(out, OTLP_GROUP_HEAD, scope->bytes);
    for (uint32_t i = first; i < end; i++)
        otlp_field_put_bytes(out, OTLP_GROUP_MEMBERS, span_at(fragment, i)->bytes);
    put_optional(out, OTLP_GROUP_SCHEMA_URL, scope->schema_url);
}

int otlp_fragment_encode(struct buf *out, const struct otlp_fragment *fragment)
{
    const struct otlp_resource_ref *resource = &fragment->index->resources[fragment->resource];
    size_t size =
        optional_size(OTLP_GROUP_HEAD, resource->bytes) + optional_size(OTLP_GROUP_SCHEMA_URL, resource->schema_url);
    uint32_t end;

    for (uint32_t i = 0; i < fragment->span_count; i = end) {
        end = scope_end(fragment, i);
        size += otlp_field_size(OTLP_GROUP_MEMBERS, scope_spans_size(fragment, i, end));
    }
    otlp_field_put_header(out, OTLP_REQUEST_RESOURCE_SPANS, size);
    put_optional(out, OTLP_GROUP_HEAD, resource->bytes);
    for (uint32_t i = 0; i < fragment->span_count; i = end) {
        end = scope_end(fragment, i);
        put_scope_spans(out, fragment, i, end);
    }
    put_optional(out, OTLP_GROUP_SCHEMA_URL, resource->schema_url);
    return out->failed ? -1 : 0;
}
