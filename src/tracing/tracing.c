/*
 * tracing.c - a span from its begin to the ring.
 *
 * Runs on whatever thread does the work.  Drawing ids and asking the sampler
 * take no lock; recording takes the ring's for the time of a copy.
 *
 * Nothing here fails for its caller: what does not fit into a span is cut, and
 * what does not fit into the ring is counted there.
 */
#include "tracing.h"

#include <assert.h>
#include <string.h>

#include "clock.h"
#include "tracing_random.h"
#include "tracing_ring.h"
#include "tracing_sampler.h"

atomic_bool tracing_switch;
static atomic_uint ratio; /* millionths */

void tracing_begin(struct tracing_live *live, const struct tracing_context *parent, bool is_remote, uint64_t begun_ns)
{
    struct tracing_context *context = &live->context;

    memset(live, 0, sizeof(*live));
    live->begun_ns = begun_ns;
    live->has_parent = parent != NULL && parent->is_valid;
    if (live->has_parent) {
        *context = *parent;
        live->parent_is_remote = is_remote;
        memcpy(live->parent_span_id, parent->span_id, TRACING_SPAN_ID_BYTES);
    } else {
        context->is_valid = true;
        tracing_random_fill(context->trace_id, TRACING_TRACE_ID_BYTES);
        context->is_sampled = tracing_sampler_takes(context->trace_id, atomic_load(&ratio));
    }
    tracing_random_fill(context->span_id, TRACING_SPAN_ID_BYTES);
}

void tracing_span_init(struct tracing_span *span, const struct tracing_live *live, const char *name,
                       enum tracing_kind kind)
{
    memset(span, 0, offsetof(struct tracing_span, attributes));
    span->live = *live;
    span->name = name;
    span->kind = kind;
    span->end_ns = clock_mono_ns();
    span->texts[span->text_len++] = '\0'; /* for those that find no room */
}

/* Returns where it is. */
static uint16_t keep_text(struct tracing_span *span, const char *text)
{
    size_t room = sizeof(span->texts) - span->text_len, len = strnlen(text, room);
    uint16_t at = span->text_len;

    if (room < 2)
        return 0;
    if (len == room)
        len--;
    memcpy(span->texts + at, text, len);
    span->texts[at + len] = '\0';
    span->text_len = (uint16_t)(at + len + 1);
    return at;
}

static struct tracing_attribute *add_attribute(struct tracing_span *span, const char *key)
{
    struct tracing_attribute *attribute = &span->attributes[span->attribute_count];

    assert(span->attribute_count < TRACING_ATTRIBUTES_MAX);
    span->attribute_count++;
    *attribute = (struct tracing_attribute){.key = key};
    return attribute;
}

void tracing_span_text(struct tracing_span *span, const char *key, const char *text)
{
    struct tracing_attribute *attribute = add_attribute(span, key);

    attribute->is_text = true;
    attribute->text_at = keep_text(span, text);
}

void tracing_span_number(struct tracing_span *span, const char *key, uint64_t number)
{
    add_attribute(span, key)->number = number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

void tracing_span_event(struct tracing_span *span, const char *name, uint64_t at_ns)
{
    assert(span->event_count < TRACING_EVENTS_MAX);
    span->events[span->event_count++] = (struct tracing_event){.name = name, .at_ns = at_ns};
}

void tracing_span_fail(struct tracing_span *span, const char *text)
{
    span->failed = true;
    span->failure_at = keep_text(span, text);
}

void tracing_record(const struct tracing_span *span)
{
    assert(span->live.context.is_sampled);
    tracing_ring_put(span);
}

int tracing_turn_on(uint32_t ratio_millionths, struct err *err)
{
    if (tracing_ring_open(err) != 0)
        return -1;
    atomic_store(&ratio, ratio_millionths);
    atomic_store(&tracing_switch, true);
    return 0;
}

void tracing_turn_off(void)
{
    atomic_store(&tracing_switch, false);
    tracing_ring_close();
}
