/*
 * ctl_spans.c - a bounded set of spans, merged by sorting.
 *
 * The same span may be in the spool twice (a client's resend), parked, and in
 * MongoDB.  From the spool its wire bytes are known and tell it apart from any
 * other; MongoDB's copy has only its fields.  So within the spans whose fields
 * are equal, the spool's are told apart by content, and each of MongoDB's is
 * matched with one of them.
 *
 * No room is not an error: what is held is shown, and `cut` says that there is
 * more.
 */
#include "ctl_spans.h"

#include <stdlib.h>

#include "bounds.h"
#include "buf.h"
#include "utf8.h"

#define FIRST_CAPACITY 256

void ctl_spans_init(struct ctl_spans *spans)
{
    *spans = (struct ctl_spans){.items = NULL};
    arena_init(&spans->texts, CTL_TRACE_BYTES_MAX);
}

void ctl_spans_fini(struct ctl_spans *spans)
{
    free(spans->items);
    arena_fini(&spans->texts);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

    return order != 0 ? order : compare_numbers(a.len, b.len);
}

/* MongoDB's integers are signed: what passes them was clamped when it was stored. */
static uint64_t clamped(uint64_t time)
{
    return time > INT64_MAX ? INT64_MAX : time;
}

/* Everything that both sides know. */
static int compare_fields(const struct ctl_span *a, const struct ctl_span *b)
{
    int order = memcmp(a->span_id, b->span_id, sizeof(a->span_id));

    if (order == 0)
        order = compare_numbers(clamped(a->start_unix_nano), clamped(b->start_unix_nano));
    if (order == 0)
        order = compare_numbers(clamped(a->end_unix_nano), clamped(b->end_unix_nano));
    if (order == 0)
        order = compare_numbers(a->has_parent, b->has_parent);
    if (order == 0 && a->has_parent)
        order = memcmp(a->parent_span_id, b->parent_span_id, sizeof(a->parent_span_id));
    if (order == 0)
        order = compare_numbers((unsigned)a->kind, (unsigned)b->kind);
    if (order == 0)
        order = compare_numbers((unsigned)a->status_code, (unsigned)b->status_code);
    if (order == 0)
        order = compare_numbers(a->event_count, b->event_count);
    if (order == 0)
        order = compare_slices(a->name, b->name);
    if (order == 0)
        order = compare_slices(a->service, b->service);
    return order != 0 ? order : compare_slices(a->status_text, b->status_text);
}

/* MongoDB's own (content 0) come first within equal fields. */
static int compare_spans(const void *a, const void *b)
{
    const struct ctl_span *x = a, *y = b;
    int order = compare_fields(x, y);

    return order != 0 ? order : compare_numbers(x->content, y->content);
}

/* Merges items[from..to), whose fields are equal, to items[*kept..]. */
static void merge_group(struct ctl_span *items, size_t from, size_t to, size_t *kept)
{
    size_t unmatched = 0; /* MongoDB's, not matched with one of the spool's yet */
    struct ctl_span mongodb = items[from];

    while (from < to && items[from].content == 0) {
        unmatched++;
        from++;
    }
    while (from < to) {
        struct ctl_span span = items[from++];

        for (; from < to && items[from].content == span.content; from++)
            span.places |= items[from].places;
        if (unmatched > 0 && (span.places & CTL_IN_MONGODB) == 0) {
            span.places |= CTL_IN_MONGODB;
            unmatched--;
        }
        items[(*kept)++] = span;
    }
    for (; unmatched > 0; unmatched--)
        items[(*kept)++] = mongodb;
}

void ctl_spans_merge(struct ctl_spans *spans)
{
    size_t kept = 0;

    if (spans->count == 0)
        return;
    qsort(spans->items, spans->count, sizeof(*spans->items), compare_spans);
    for (size_t from = 0, to; from < spans->count; from = to) {
        for (to = from + 1; to < spans->count; to++) {
            if (compare_fields(&spans->items[from], &spans->items[to]) != 0)
                break;
        }
        merge_group(spans->items, from, to, &kept);
    }
    spans->count = kept;
}

/* Room for one more: a greater array, or at the bound what merging gives. */
static int make_room(struct ctl_spans *spans)
{
    size_t capacity = spans->capacity == 0 ? FIRST_CAPACITY : spans->capacity * 2;

    if (spans->count < spans->capacity)
        return 0;
    if (spans->capacity == CTL_TRACE_SPANS_MAX) {
        ctl_spans_merge(spans);
        /* Little room is as none: a merge for each span that comes would take for ever. */
        return spans->count <= CTL_TRACE_SPANS_MAX / 2 ? 0 : -1;
    }
    if (capacity > CTL_TRACE_SPANS_MAX)
        capacity = CTL_TRACE_SPANS_MAX;
    struct ctl_span *items = reallocarray(spans->items, capacity, sizeof(*items));
    if (items == NULL)
        return -1;
    spans->items = items;
    spans->capacity = capacity;
    return 0;
}

static int copy_text(struct ctl_spans *spans, struct slice *text)
{
    struct buf repaired;
    struct slice from = *text;
    uint8_t *copy = NULL;

    buf_init(&repaired, CTL_TRACE_BYTES_MAX);
    if (!utf8_valid(from) && utf8_append_repaired(&repaired, from) == 0)
        from = buf_slice(&repaired);
    if (!repaired.failed)
        copy = arena_alloc(&spans->texts, from.len);
    if (copy != NULL && from.len > 0)
        memcpy(copy, from.data, from.len);
    *text = slice_of(copy, from.len);
    buf_fini(&repaired);
    return copy != NULL ? 0 : -1;
}

int ctl_spans_add(struct ctl_spans *spans, const struct ctl_span *span)
{
    struct ctl_span copy = *span;

    if (spans->cut)
        return -1;
    if (make_room(spans) < 0 || copy_text(spans, &copy.service) < 0 || copy_text(spans, &copy.name) < 0 ||
        copy_text(spans, &copy.status_text) < 0) {
        spans->cut = true;
        return -1;
    }
    spans->items[spans->count++] = copy;
    return 0;
}
