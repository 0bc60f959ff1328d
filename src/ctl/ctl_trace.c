/*
 * ctl_trace.c - the tree of a trace from spans that come from anywhere.
 *
 * Steps, each n log n or better and without recursion, since a stranger
 * chooses ids, depth and numbers:
 *   1. each span's parent, by binary search in the spans sorted by id;
 *   2. circles among the parents are opened at their earliest span;
 *   3. children are linked to their parents in the order of their starts;
 *   4. the rows are written walking first child, next sibling, back up.
 *
 * Only memory can fail.
 */
#include "ctl_trace.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "bounds.h"

#define STATUS_CODE_ERROR 2 /* opentelemetry.proto.trace.v1.Status.StatusCode */

struct layout {
    const struct ctl_span *spans;
    uint32_t count;
    uint32_t *sorted; /* span indexes in the order of the step */
    uint32_t *parent;
    uint32_t *first_child;
    uint32_t *next_sibling;
    uint32_t *walk; /* which walk of step 2 passed here, 0 none */
    enum ctl_mark *mark;
    uint32_t first_root;
    struct ctl_row *rows;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_services(const struct ctl_span *a, const struct ctl_span *b)
{
    size_t len = a->service.len < b->service.len ? a->service.len : b->service.len;
    int order = len > 0 ? memcmp(a->service.data, b->service.data, len) : 0;

    return order != 0 ? order : compare_numbers(a->service.len, b->service.len);
}

/* A start that is not said comes last. */
static int compare_starts(const struct ctl_span *a, const struct ctl_span *b)
{
    return compare_numbers(a->start_unix_nano - 1, b->start_unix_nano - 1);
}

static int by_service(const void *a, const void *b, void *context)
{
    const struct ctl_span *spans = context;

    return compare_services(&spans[*(const uint32_t *)a], &spans[*(const uint32_t *)b]);
}

static int by_id(const void *a, const void *b, void *context)
{
    const struct ctl_span *spans = context;
    const struct ctl_span *x = &spans[*(const uint32_t *)a], *y = &spans[*(const uint32_t *)b];
    int order = memcmp(x->span_id, y->span_id, OTLP_SPAN_ID_BYTES);

    if (order == 0)
        order = compare_services(x, y);
    if (order == 0)
        order = compare_starts(x, y);
    return order != 0 ? order : compare_numbers(*(const uint32_t *)a, *(const uint32_t *)b);
}

/* Siblings: by start, the longer first when they start together, so that what encloses comes before. */
static int by_start(const void *a, const void *b, void *context)
{
    const struct ctl_span *spans = context;
    const struct ctl_span *x = &spans[*(const uint32_t *)a], *y = &spans[*(const uint32_t *)b];
    int order = compare_starts(x, y);

    if (order == 0)
        order = compare_numbers(y->end_unix_nano, x->end_unix_nano);
    if (order == 0)
        order = memcmp(x->span_id, y->span_id, OTLP_SPAN_ID_BYTES);
    return order != 0 ? order : compare_numbers(*(const uint32_t *)a, *(const uint32_t *)b);
}

static void sort_spans(struct layout *layout, int (*order)(const void *, const void *, void *))
{
    for (uint32_t i = 0; i < layout->count; i++)
        layout->sorted[i] = i;
    qsort_r(layout->sorted, layout->count, sizeof(*layout->sorted), order, (void *)(uintptr_t)layout->spans);
}

static bool has_id(const struct layout *layout, uint32_t at, const uint8_t *id)
{
    return at < layout->count && memcmp(layout->spans[layout->sorted[at]].span_id, id, OTLP_SPAN_ID_BYTES) == 0;
}

/* The first of `sorted` whose id, then service, is not below; `service_of` NULL: by id alone. */
static uint32_t lower_bound(const struct layout *layout, const uint8_t *id, const struct ctl_span *service_of)
{
    uint32_t low = 0, high = layout->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct ctl_span *span = &layout->spans[layout->sorted[middle]];
        int order = memcmp(span->span_id, id, OTLP_SPAN_ID_BYTES);

        if (order == 0 && service_of != NULL)
            order = compare_services(span, service_of);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * The span that `child` names as its parent.  Several may have that id (a
 * client and a server that share one): one of the child's own service is the
 * nearer, and a span is not its own parent while another has the id.
 */
static uint32_t find_parent(const struct layout *layout, uint32_t child)
{
    const struct ctl_span *span = &layout->spans[child];
    const uint8_t *id = span->parent_span_id;
    uint32_t at = lower_bound(layout, id, span);

    if (has_id(layout, at, id) && compare_services(&layout->spans[layout->sorted[at]], span) == 0 &&
        layout->sorted[at] != child)
        return layout->sorted[at];
    at = lower_bound(layout, id, NULL);
    if (!has_id(layout, at, id))
        return CTL_NO_SPAN;
    if (layout->sorted[at] == child && has_id(layout, at + 1, id))
        at++;
    return layout->sorted[at];
}

static void find_parents(struct layout *layout)
{
    sort_spans(layout, by_id);
    for (uint32_t i = 0; i < layout->count; i++) {
        layout->parent[i] = CTL_NO_SPAN;
        if (!layout->spans[i].has_parent)
            continue;
        layout->parent[i] = find_parent(layout, i);
        if (layout->parent[i] == CTL_NO_SPAN)
            layout->mark[i] = CTL_MARK_ORPHAN;
    }
}

/* Opens the circle that `member` is in at its earliest span. */
static void open_circle(struct layout *layout, uint32_t member)
{
    uint32_t earliest = member;

    for (uint32_t at = layout->parent[member]; at != member; at = layout->parent[at]) {
        if (by_start(&at, &earliest, (void *)(uintptr_t)layout->spans) < 0)
            earliest = at;
    }
    layout->parent[earliest] = CTL_NO_SPAN;
    layout->mark[earliest] = CTL_MARK_CYCLE;
}

/* Walks up from every span; a walk that meets itself has found a circle, one that meets another can stop. */
static void open_circles(struct layout *layout)
{
    for (uint32_t i = 0; i < layout->count; i++) {
        uint32_t at = i;

        while (at != CTL_NO_SPAN && layout->walk[at] == 0) {
            layout->walk[at] = i + 1;
            at = layout->parent[at];
        }
        if (at != CTL_NO_SPAN && layout->walk[at] == i + 1)
            open_circle(layout, at);
    }
}

/* From the last to the first, each put before what its parent has. */
static void link_children(struct layout *layout)
{
    sort_spans(layout, by_start);
    layout->first_root = CTL_NO_SPAN;
    for (uint32_t i = 0; i < layout->count; i++)
        layout->first_child[i] = CTL_NO_SPAN;
    for (uint32_t i = layout->count; i-- > 0;) {
        uint32_t span = layout->sorted[i];
        uint32_t parent = layout->parent[span];
        uint32_t *head = parent == CTL_NO_SPAN ? &layout->first_root : &layout->first_child[parent];

        layout->next_sibling[span] = *head;
        *head = span;
    }
}

static void write_rows(struct layout *layout)
{
    uint32_t written = 0, depth = 0;
    uint32_t at = layout->first_root;

    while (at != CTL_NO_SPAN) {
        layout->rows[written++] = (struct ctl_row){
            .span = at,
            .parent = layout->parent[at],
            .depth = depth,
            .last = layout->next_sibling[at] == CTL_NO_SPAN,
            .mark = layout->mark[at],
        };
        if (layout->first_child[at] != CTL_NO_SPAN) {
            at = layout->first_child[at];
            depth++;
            continue;
        }
        while (at != CTL_NO_SPAN && layout->next_sibling[at] == CTL_NO_SPAN) {
            at = layout->parent[at];
            depth--; /* wraps below the roots, where the walk ends */
        }
        if (at != CTL_NO_SPAN)
            at = layout->next_sibling[at];
    }
    assert(written == layout->count);
}

bool ctl_trace_duration(const struct ctl_span *span, uint64_t *ns)
{
    if (span->start_unix_nano == 0 || span->end_unix_nano < span->start_unix_nano)
        return false;
    *ns = span->end_unix_nano - span->start_unix_nano;
    return true;
}

static void sum_up(struct ctl_trace *trace, struct layout *layout)
{
    uint64_t begin = UINT64_MAX, end = 0;

    for (uint32_t i = 0; i < layout->count; i++) {
        const struct ctl_span *span = &layout->spans[layout->rows[i].span];

        if (span->start_unix_nano != 0) {
            uint64_t until = span->end_unix_nano > span->start_unix_nano ? span->end_unix_nano : span->start_unix_nano;
            begin = span->start_unix_nano < begin ? span->start_unix_nano : begin;
            end = until > end ? until : end;
        }
        trace->errors += span->status_code == STATUS_CODE_ERROR;
        trace->orphans += layout->rows[i].mark == CTL_MARK_ORPHAN;
        trace->cycles += layout->rows[i].mark == CTL_MARK_CYCLE;
        if (layout->rows[i].depth > trace->deepest)
            trace->deepest = layout->rows[i].depth;
    }
    trace->begin_unix_nano = end > 0 ? begin : 0;
    trace->end_unix_nano = end;
    sort_spans(layout, by_service);
    for (uint32_t i = 0; i < layout->count; i++)
        trace->services +=
            i == 0 || by_service(&layout->sorted[i - 1], &layout->sorted[i], (void *)(uintptr_t)layout->spans) != 0;
}

int ctl_trace_build(struct ctl_trace *trace, struct arena *arena, const struct ctl_span *spans, size_t count,
                    struct err *err)
{
    static_assert(CTL_TRACE_SPANS_MAX < CTL_NO_SPAN, "an index must never be taken for no span");
    struct layout layout = {
        .spans = spans,
        .count = (uint32_t)count,
        .sorted = arena_calloc(arena, count, sizeof(uint32_t)),
        .parent = arena_calloc(arena, count, sizeof(uint32_t)),
        .first_child = arena_calloc(arena, count, sizeof(uint32_t)),
        .next_sibling = arena_calloc(arena, count, sizeof(uint32_t)),
        .walk = arena_calloc(arena, count, sizeof(uint32_t)),
        .mark = arena_calloc(arena, count, sizeof(enum ctl_mark)),
        .rows = arena_calloc(arena, count, sizeof(struct ctl_row)),
    };

    assert(count <= CTL_TRACE_SPANS_MAX);
    if (layout.sorted == NULL || layout.parent == NULL || layout.first_child == NULL || layout.next_sibling == NULL ||
        layout.walk == NULL || layout.mark == NULL || layout.rows == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for a trace of %zu spans", count);
    find_parents(&layout);
    open_circles(&layout);
    link_children(&layout);
    write_rows(&layout);
    *trace = (struct ctl_trace){.spans = spans, .rows = layout.rows, .count = count};
    sum_up(trace, &layout);
    return 0;
}
