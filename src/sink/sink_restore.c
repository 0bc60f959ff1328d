/*
 * sink_restore.c - a document as a request: the resource, then the runs of
 * spans under one scope.
 *
 * Any thread; reads the document where it lies and takes no memory but the
 * output's.  A document of another form is refused, never guessed at: what is
 * restored is shown to people as what was sent.
 */
#include "sink_restore.h"

#include <errno.h>

#include "bounds.h"
#include "otlp_field.h"
#include "sink_restore_internal.h"

static const uint8_t no_members[] = {5, 0, 0, 0, 0}; /* the empty document */

/* The bytes of `scope`; those of an empty document when the span has none. */
static struct slice scope_of(const bson_iter_t *span, bson_iter_t *scope)
{
    uint32_t len = sizeof(no_members);
    const uint8_t *data = no_members;

    if (sink_restore_find(scope, span, "scope") && BSON_ITER_HOLDS_DOCUMENT(scope))
        bson_iter_document(scope, &len, &data);
    return slice_of(data, len);
}

static int put_schema_url(struct sink_restore *restore, const bson_iter_t *holder)
{
    bson_iter_t url;

    if (!sink_restore_find(&url, holder, "schemaUrl"))
        return 0;
    return sink_restore_text(restore, OTLP_GROUP_SCHEMA_URL, &url, holder);
}

static int put_head(struct sink_restore *restore, const bson_iter_t *holder, const struct sink_restore_member *members)
{
    if (!BSON_ITER_HOLDS_DOCUMENT(holder))
        return sink_restore_wrong(restore, holder, "not a document");
    return sink_restore_message(restore, OTLP_GROUP_HEAD, holder, members, true);
}

/* The spans from `at` on that have the scope of the first; `at` is the one after them, *more whether there is one. */
static int put_scope_spans(struct sink_restore *restore, bson_iter_t *at, bool *more)
{
    size_t opened = otlp_field_open(restore->out, OTLP_GROUP_MEMBERS, false);
    bson_iter_t scope, other;
    struct slice bytes = scope_of(at, &scope);
    bool has_scope = bytes.data != no_members;

    if (has_scope && put_head(restore, &scope, sink_restore_scope) < 0)
        return -1;
    do {
        if (!BSON_ITER_HOLDS_DOCUMENT(at))
            return sink_restore_wrong(restore, at, "not a document");
        if (sink_restore_span(restore, OTLP_GROUP_MEMBERS, at) < 0)
            return -1;
        *more = bson_iter_next(at);
    } while (*more && slice_equal(scope_of(at, &other), bytes));
    if (has_scope && put_schema_url(restore, &scope) < 0)
        return -1;
    otlp_field_close(restore->out, opened, false);
    return 0;
}

static int put_spans(struct sink_restore *restore, const bson_iter_t *spans)
{
    bson_iter_t at;
    bool more;

    if (!BSON_ITER_HOLDS_ARRAY(spans) || !bson_iter_recurse(spans, &at))
        return sink_restore_wrong(restore, spans, "not an array");
    more = bson_iter_next(&at);
    while (more)
        if (put_scope_spans(restore, &at, &more) < 0)
            return -1;
    return 0;
}

static int missing(struct sink_restore *restore, const char *member)
{
    restore->wrong = "not there";
    restore->wrong_member = member;
    return -1;
}

static int put_document(struct sink_restore *restore, const bson_t *document)
{
    bson_iter_t trace_id, resource, spans;
    size_t opened;

    if (!bson_iter_init_find(&trace_id, document, "traceId"))
        return missing(restore, "traceId");
    if (!bson_iter_init_find(&resource, document, "resource"))
        return missing(restore, "resource");
    if (!bson_iter_init_find(&spans, document, "spans"))
        return missing(restore, "spans");
    restore->trace_id = &trace_id;
    opened = otlp_field_open(restore->out, OTLP_REQUEST_RESOURCE_SPANS, false);
    if (put_head(restore, &resource, sink_restore_resource) < 0 || put_spans(restore, &spans) < 0 ||
        put_schema_url(restore, &resource) < 0)
        return -1;
    otlp_field_close(restore->out, opened, false);
    return 0;
}

int sink_restore(struct buf *out, const bson_t *document, struct err *err)
{
    struct sink_restore restore = {.out = out};
    int result;

    buf_init(&restore.key, SINK_DOCUMENT_BYTES_MAX);
    result = put_document(&restore, document);
    if (out->failed || restore.key.failed)
        result = err_set(err, ERR_BUSY, ENOMEM, "no memory to restore a document of %u bytes", document->len);
    else if (result < 0)
        err_set(err, ERR_POISON, EBADMSG, "not a document of ours: %s is %s", restore.wrong_member, restore.wrong);
    buf_fini(&restore.key);
    return result;
}
