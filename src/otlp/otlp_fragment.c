/*
 * otlp_fragment.c - from an index to the units that become documents.
 *
 * Groups come from otlp_fragment_group.c; here they are cut, summed up and
 * hashed.  Cutting goes over the groups twice, to count and to fill, so the
 * array has its size from the start.  Runs on the flusher's thread, fails only
 * when memory is short.
 */
#include "otlp_fragment.h"

#include <assert.h>
#include <errno.h>

#include "bounds.h"
#include "fault.h"
#include "otlp_fragment_form.h"
#include "otlp_fragment_group.h"

/* How many of `count` spans fit into a fragment; at least one. */
static uint32_t first_cut(const struct otlp_index *index, const uint32_t *spans, uint32_t count)
{
    size_t bytes = index->spans[spans[0]].bytes.len;
    uint32_t cut = 1;

    while (cut < count && cut < FRAGMENT_SPANS_MAX) {
        bytes += index->spans[spans[cut]].bytes.len;
        if (bytes > FRAGMENT_WIRE_BYTES_MAX)
            break;
        cut++;
    }
    return cut;
}

static void sum_up(struct otlp_fragment *fragment, const struct otlp_index *index, const uint32_t *spans,
                   uint32_t count)
{
    *fragment = (struct otlp_fragment){
        .index = index,
        .spans = spans,
        .span_count = count,
        .resource = index->scopes[index->spans[spans[0]].scope].resource,
        .start_unix_nano = UINT64_MAX,
    };
    for (uint32_t i = 0; i < count; i++) {
        const struct otlp_span_ref *span = &index->spans[spans[i]];

        if (span->start_unix_nano < fragment->start_unix_nano)
            fragment->start_unix_nano = span->start_unix_nano;
        if (span->end_unix_nano > fragment->end_unix_nano)
            fragment->end_unix_nano = span->end_unix_nano;
    }
}

/* The number of fragments; they are written when there is where to. */
static size_t cut_groups(struct otlp_fragment *fragments, const struct otlp_fragment_groups *groups,
                         const struct otlp_index *index)
{
    size_t count = 0;
    uint32_t at = 0;

    for (uint32_t i = 0; i < groups->count; i++) {
        while (at < groups->ends[i]) {
            uint32_t cut = first_cut(index, groups->spans + at, groups->ends[i] - at);

            if (fragments != NULL)
                sum_up(&fragments[count], index, groups->spans + at, cut);
            count++;
            at += cut;
        }
    }
    return count;
}

/* Fills in what the spans do not say. */
static int finish_fragments(struct otlp_fragment *fragments, size_t count, uint64_t received_ns, struct err *err)
{
    struct checksum_128 *state = fault_point("otlp_fragment.hash") != 0 ? NULL : checksum_128_new();

    if (state == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory to hash fragments");
    for (size_t i = 0; i < count; i++) {
        fragments[i].received_ns = received_ns;
        otlp_fragment_form_hash(&fragments[i], state);
    }
    checksum_128_free(state);
    return 0;
}

int otlp_fragment_build(struct otlp_fragment **fragments, size_t *count, struct arena *arena,
                        const struct otlp_index *index, uint64_t received_ns, struct err *err)
{
    struct otlp_fragment_groups groups;

    if (otlp_fragment_group(&groups, arena, index, err) < 0)
        return -1;
    *count = cut_groups(NULL, &groups, index);
    *fragments = arena_calloc(arena, *count, sizeof(**fragments));
    if (*fragments == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for %zu fragments", *count);
    cut_groups(*fragments, &groups, index);
    return finish_fragments(*fragments, *count, received_ns, err);
}

int otlp_fragment_single(struct otlp_fragment *single, struct arena *arena, const struct otlp_fragment *fragment,
                         uint32_t i, struct err *err)
{
    uint32_t *span = arena_alloc(arena, sizeof(*span));

    assert(i < fragment->span_count);
    if (span == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for a fragment of one span");
    *span = fragment->spans[i];
    sum_up(single, fragment->index, span, 1);
    return finish_fragments(single, 1, fragment->received_ns, err);
}
