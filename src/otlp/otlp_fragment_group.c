/*
 * otlp_fragment_group.c - one pass that chains the spans of a group together,
 * and one that writes the chains out, without repetitions.
 *
 * Both look things up in a hash table with open addressing.  Its hash is
 * cheap and known, so a client can choose ids that collide: a search ends
 * after FRAGMENT_PROBES_MAX steps with "not found", which real ids, at half
 * load, never come near.  Then a trace is split or a repetition is kept, the
 * same way at every replay, and the work stays linear.
 *
 * Fails only when the arena is full.
 */
#include "otlp_fragment_group.h"

#include <errno.h>
#include <string.h>

#include "bounds.h"

struct chain {
    uint32_t first;
    uint32_t last;
    uint32_t count;
};

struct grouping {
    const struct otlp_index *index;
    struct chain *chains;
    uint32_t chain_count;
    uint32_t *next;      /* of a span within its chain */
    uint32_t *slots;     /* 0, or 1 + a chain's or a span's number */
    uint32_t slot_count; /* a power of 2, at least twice the number of spans */
};

static uint64_t read_64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* Some ids differ only in their high bytes and some only in their low: all have to reach the low bits. */
static uint32_t mix(uint64_t id)
{
    id ^= id >> 32;
    id *= 0x9e3779b97f4a7c15U; /* 2^64 / golden ratio */
    id ^= id >> 32;
    id *= 0x9e3779b97f4a7c15U;
    return (uint32_t)(id >> 32);
}

static uint32_t resource_of(const struct otlp_index *index, uint32_t span)
{
    return index->scopes[index->spans[span].scope].resource;
}

static bool belong_together(const struct otlp_index *index, uint32_t a, uint32_t b)
{
    return memcmp(index->spans[a].trace_id, index->spans[b].trace_id, OTLP_TRACE_ID_BYTES) == 0 &&
           resource_of(index, a) == resource_of(index, b);
}

/* The slot of the chain to which `span` belongs or, empty, of a new one; NULL when the search was given up. */
static uint32_t *find_chain(const struct grouping *grouping, uint32_t span)
{
    const uint8_t *id = grouping->index->spans[span].trace_id;
    uint32_t hash = mix(read_64(id) ^ mix(read_64(id + 8) + resource_of(grouping->index, span)));

    for (uint32_t probe = 0; probe < FRAGMENT_PROBES_MAX; probe++) {
        uint32_t *slot = &grouping->slots[(hash + probe) & (grouping->slot_count - 1)];

        if (*slot == 0 || belong_together(grouping->index, grouping->chains[*slot - 1].first, span))
            return slot;
    }
    return NULL;
}

static uint32_t chain_of(struct grouping *grouping, uint32_t span)
{
    uint32_t *slot = find_chain(grouping, span);

    if (slot != NULL && *slot != 0)
        return *slot - 1;
    grouping->chains[grouping->chain_count] = (struct chain){.first = span, .last = span};
    grouping->chain_count++;
    if (slot != NULL)
        *slot = grouping->chain_count;
    return grouping->chain_count - 1;
}

static void chain_spans(struct grouping *grouping)
{
    const struct otlp_index *index = grouping->index;
    uint32_t previous = UINT32_MAX; /* the chain of the span before: exporters often send a trace in one go */

    for (uint32_t span = 0; span < index->span_count; span++) {
        struct chain *chain;

        if (index->spans[span].validity != OTLP_VALID)
            continue;
        if (previous == UINT32_MAX || !belong_together(index, grouping->chains[previous].first, span))
            previous = chain_of(grouping, span);
        chain = &grouping->chains[previous];
        grouping->next[chain->last] = span;
        grouping->next[span] = UINT32_MAX;
        chain->last = span;
        chain->count++;
    }
}

bool otlp_fragment_same_scope(const struct otlp_index *index, uint32_t a, uint32_t b)
{
    const struct otlp_scope_ref *scopes = index->scopes;

    return a == b ||
           (slice_equal(scopes[a].bytes, scopes[b].bytes) && slice_equal(scopes[a].schema_url, scopes[b].schema_url));
}

/* Whether `span` repeats one that is in the table; else it is put there. The bytes of equal spans hold equal ids. */
static bool is_repetition(struct grouping *grouping, uint32_t mask, uint32_t span)
{
    const struct otlp_span_ref *spans = grouping->index->spans;
    uint32_t hash = mix(read_64(spans[span].span_id));

    for (uint32_t probe = 0; probe < FRAGMENT_PROBES_MAX; probe++) {
        uint32_t *slot = &grouping->slots[(hash + probe) & mask];

        if (*slot == 0) {
            *slot = span + 1;
            return false;
        }
        if (slice_equal(spans[*slot - 1].bytes, spans[span].bytes) &&
            otlp_fragment_same_scope(grouping->index, spans[*slot - 1].scope, spans[span].scope))
            return true;
    }
    return false;
}

static uint32_t table_size(uint32_t entries)
{
    uint32_t size = 2;

    while (size < 2 * entries)
        size *= 2;
    return size;
}

/* Appends the chain's spans at spans[used]; where the next chain goes. */
static uint32_t write_chain(struct grouping *grouping, const struct chain *chain, uint32_t *spans, uint32_t used)
{
    uint32_t size = table_size(chain->count);

    if (chain->count > 1)
        memset(grouping->slots, 0, size * sizeof(*grouping->slots));
    for (uint32_t span = chain->first; span != UINT32_MAX; span = grouping->next[span])
        if (chain->count == 1 || !is_repetition(grouping, size - 1, span))
            spans[used++] = span;
    return used;
}

int otlp_fragment_group(struct otlp_fragment_groups *groups, struct arena *arena, const struct otlp_index *index,
                        struct err *err)
{
    uint32_t valid = index->by_validity[OTLP_VALID];
    struct grouping grouping = {.index = index, .slot_count = table_size(valid)};
    uint32_t used = 0;

    grouping.chains = arena_alloc(arena, valid * sizeof(*grouping.chains));
    grouping.next = arena_alloc(arena, index->span_count * sizeof(*grouping.next));
    grouping.slots = arena_calloc(arena, grouping.slot_count, sizeof(*grouping.slots));
    groups->spans = arena_alloc(arena, valid * sizeof(*groups->spans));
    groups->ends = arena_alloc(arena, valid * sizeof(*groups->ends));
    if (grouping.chains == NULL || grouping.next == NULL || grouping.slots == NULL || groups->spans == NULL ||
        groups->ends == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory to group %u spans", index->span_count);
    chain_spans(&grouping);
    for (uint32_t i = 0; i < grouping.chain_count; i++) {
        used = write_chain(&grouping, &grouping.chains[i], groups->spans, used);
        groups->ends[i] = used;
    }
    groups->count = grouping.chain_count;
    return 0;
}
