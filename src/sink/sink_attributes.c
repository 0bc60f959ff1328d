/*
 * sink_attributes.c - keys first, then the two documents from the same list.
 *
 * Any thread.  Failures are recorded in the sink_out.
 */
#include "sink_attributes.h"

#include "sink_keys.h"

struct pair {
    struct slice original;
    struct slice stored;
    bool named;
};

/* NULL when memory is short or a key is too long. */
static struct pair *choose_keys(struct sink_out *out, Otlp__KeyValue *const *attributes, size_t count, bool *any_named)
{
    struct pair *pairs;
    struct sink_keys keys;

    if (!sink_out_may_fit(out, count))
        return NULL;
    pairs = arena_calloc(out->arena, count, sizeof(*pairs));
    if (pairs == NULL || sink_keys_init(&keys, out->arena, count) != 0)
        goto no_memory;
    for (size_t i = 0; i < count; i++) {
        pairs[i].original = sink_out_bytes(attributes[i]->key);
        if (!sink_out_well_formed(out, &pairs[i].original))
            return NULL;
        if (sink_keys_top(&keys, pairs[i].original, &pairs[i].stored, &pairs[i].named) != 0)
            goto no_memory;
        *any_named |= pairs[i].named;
    }
    return pairs;

no_memory:
    out->no_memory = true;
    return NULL;
}

void sink_attributes_put(struct sink_out *out, Otlp__KeyValue *const *attributes, size_t count)
{
    bool any_named = false;
    struct pair *pairs = choose_keys(out, attributes, count, &any_named);
    size_t at;

    if (pairs == NULL || !sink_out_begin(out, sink_out_key("attributes"), &at))
        return;
    for (size_t i = 0; i < count && !sink_out_failed(out); i++)
        sink_out_value(out, pairs[i].stored, attributes[i]->value);
    sink_out_end(out, at);

    if (!any_named || !sink_out_begin(out, sink_out_key("names"), &at))
        return;
    for (size_t i = 0; i < count && !sink_out_failed(out); i++)
        if (pairs[i].named)
            sink_out_text(out, pairs[i].stored, pairs[i].original);
    sink_out_end(out, at);
}
