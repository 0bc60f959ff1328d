/*
 * otlp_walk.c - goes over an export request with a stack of its own, so that
 * the depth of the input is a number here and not the thread's stack.
 *
 * What it must guarantee is that the decoder (otlp_decode.c), which recurses
 * and allocates as the input tells it to, succeeds on whatever passed: each
 * known field has the wire type of its declaration, and the memory of a decode
 * is added up as an arena holds it, where nothing is given back before the end
 * and each piece is rounded up.
 *
 * Happy path: otlp_wire_next, count, step into submessages, until the stack is
 * empty.  Everything that fails is the client's input: ERR_POISON, with the
 * path of names that leads to the place.
 */
#include "otlp_walk.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "bounds.h"
#include "otlp_wire.h"

#define PATH_TEXT_MAX 200 /* of ERR_TEXT_MAX: a path 300 names deep is cut */

struct frame {
    const struct otlp_schema_message *message;
    const uint8_t *end;
    const char *entered_as; /* the field in the message around it */
};

struct walk {
    const uint8_t *start;
    struct otlp_walk_totals *totals;
    uint32_t any_values;   /* on the stack */
    struct slice trace_id; /* these two of the span that is on the stack; there is one at most */
    struct slice span_id;
    uint32_t depth;
    struct frame frames[OTLP_WIRE_DEPTH_MAX];
};

static_assert(OTLP_WIRE_DEPTH_MAX >= 3 * OTLP_DEPTH_MAX + 8,
              "an AnyValue in a map takes three messages, and a request takes a few before the first");

/* "resource_spans.scope_spans.spans.attributes", cut with "..." */
static void write_path(char text[PATH_TEXT_MAX], const struct walk *walk, const char *last)
{
    size_t used = 0;

    text[0] = '\0';
    for (uint32_t i = 1; i <= walk->depth; i++) {
        const char *name = i < walk->depth ? walk->frames[i].entered_as : last;
        int len;

        if (name == NULL)
            continue;
        len = snprintf(text + used, PATH_TEXT_MAX - used, "%s%s", used == 0 ? "" : ".", name);
        if (used + (size_t)len >= PATH_TEXT_MAX - sizeof("...")) {
            snprintf(text + used, PATH_TEXT_MAX - used, "...");
            return;
        }
        used += (size_t)len;
    }
}

/* `field` is the name of what is wrong within the innermost message, or NULL for the message itself. */
static int fail(const struct walk *walk, struct err *err, int code, const char *field, const uint8_t *at,
                const char *what)
{
    char path[PATH_TEXT_MAX];

    write_path(path, walk, field);
    return err_set(err, ERR_POISON, code, "%s: %s, at byte %zu", path[0] == '\0' ? "request" : path, what,
                   (size_t)(at - walk->start));
}

static size_t padded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static void push(struct walk *walk, const struct otlp_schema_message *message, const char *entered_as,
                 const uint8_t *end)
{
    assert(walk->depth < OTLP_WIRE_DEPTH_MAX); /* OTLP_DEPTH_MAX has refused what would come here */
    walk->frames[walk->depth++] = (struct frame){
        .message = message,
        .end = end,
        .entered_as = entered_as,
    };
    walk->totals->decoded_bytes += message->base_bytes;
    walk->totals->counts[message->kind]++;
    if (message->kind == OTLP_SCHEMA_ANY_VALUE)
        walk->any_values++;
    else if (message->kind == OTLP_SCHEMA_SPAN)
        walk->trace_id = walk->span_id = slice_of(NULL, 0);
}

/* The innermost message has ended. */
static void pop(struct walk *walk)
{
    const struct frame *frame = &walk->frames[walk->depth - 1];

    if (frame->message->kind == OTLP_SCHEMA_ANY_VALUE)
        walk->any_values--;
    else if (frame->message->kind == OTLP_SCHEMA_SPAN)
        walk->totals->by_validity[otlp_validity_of(walk->trace_id, walk->span_id)]++;
    walk->depth--;
}

static const char *passed_bound(struct walk *walk)
{
    if (walk->any_values > walk->totals->depth) { /* seldom; the bound is not looked at otherwise */
        walk->totals->depth = walk->any_values;
        if (walk->any_values > OTLP_DEPTH_MAX)
            return "values nested too deep";
    }
    if (walk->totals->counts[OTLP_SCHEMA_SPAN] > OTLP_SPANS_MAX)
        return "too many spans";
    if (walk->totals->counts[OTLP_SCHEMA_RESOURCE_SPANS] > OTLP_GROUPS_MAX)
        return "too many resources";
    if (walk->totals->counts[OTLP_SCHEMA_SCOPE_SPANS] > OTLP_GROUPS_MAX)
        return "too many scopes";
    if (walk->totals->decoded_bytes > OTLP_DECODED_BYTES_MAX)
        return "too much memory to decode";
    return NULL;
}

static const struct otlp_schema_field *find_field(const struct otlp_schema_message *message, uint32_t number)
{
    static const struct otlp_schema_field unknown;

    return number < OTLP_SCHEMA_NUMBERS ? &message->fields[number] : &unknown;
}

/*
 * Most messages of a request are AnyValues of one scalar: these are counted
 * without being entered, as if they had been.  What is anything else, or
 * deeper than any before, is left to be entered.
 */
static bool take_scalar(struct walk *walk, const struct otlp_schema_message *message, struct slice body)
{
    const uint8_t *end = body.data + body.len;
    const struct otlp_schema_field *known;
    struct otlp_wire_field field;
    const char *why;

    if (message->kind != OTLP_SCHEMA_ANY_VALUE || body.len == 0 || walk->any_values >= walk->totals->depth)
        return false;
    if (otlp_wire_next(body.data, end, &field, &why) != end)
        return false;
    known = find_field(message, field.number);
    if (known->name == NULL || known->child != NULL || field.type != known->wire_type)
        return false;
    walk->totals->counts[OTLP_SCHEMA_ANY_VALUE]++;
    walk->totals->decoded_bytes += message->base_bytes;
    return true;
}

/* Steps into a submessage, or past it. The byte to go on at. */
static const uint8_t *enter(struct walk *walk, const struct otlp_schema_field *known, struct slice body)
{
    if (known->element_bytes == 0)
        walk->totals->decoded_bytes += padded(body.len); /* its occurrences may have to be joined */
    if (take_scalar(walk, known->child, body))
        return body.data + body.len;
    push(walk, known->child, known->name, body.data + body.len);
    return body.data;
}

/* Of an id that occurs again the last counts, as for every decoder of protobuf. */
static void take_text(struct walk *walk, const struct frame *frame, const struct otlp_wire_field *field)
{
    if (frame->message->kind != OTLP_SCHEMA_SPAN)
        return;
    if (field->number == OTLP_SPAN_TRACE_ID)
        walk->trace_id = field->body;
    else if (field->number == OTLP_SPAN_SPAN_ID)
        walk->span_id = field->body;
}

/* The bounds are looked at here and at the end: between two messages little can be added. */
static const uint8_t *step_into(struct walk *walk, const struct otlp_schema_field *known,
                                const struct otlp_wire_field *field, const uint8_t *at, struct err *err)
{
    const uint8_t *next = enter(walk, known, field->body);
    const char *why = passed_bound(walk);

    if (why == NULL)
        return next;
    fail(walk, err, ERANGE, NULL, at, why);
    return NULL;
}

/* One field of the innermost message: where to go on, or NULL and `err`. */
static const uint8_t *step(struct walk *walk, const uint8_t *at, struct err *err)
{
    struct frame *frame = &walk->frames[walk->depth - 1];
    const struct otlp_schema_field *known;
    struct otlp_wire_field field;
    const char *why = NULL;
    const uint8_t *next = otlp_wire_next(at, frame->end, &field, &why);

    if (next == NULL) {
        fail(walk, err, EBADMSG, NULL, at, why);
        return NULL;
    }
    known = find_field(frame->message, field.number);
    if (known->name == NULL)
        return next;
    if (field.type != known->wire_type) {
        fail(walk, err, EBADMSG, known->name, at, "not the wire type of this field");
        return NULL;
    }
    walk->totals->decoded_bytes += known->element_bytes;
    if (known->child != NULL)
        return step_into(walk, known, &field, at, err);
    if (field.type == OTLP_WIRE_LENGTH)
        take_text(walk, frame, &field);
    return next;
}

int otlp_walk(struct otlp_walk_totals *totals, struct slice request, struct err *err)
{
    static const uint8_t nothing;
    struct walk walk;
    const uint8_t *at = request.len == 0 ? &nothing : request.data;

    if (request.len > INT32_MAX)
        return err_set(err, ERR_POISON, EMSGSIZE, "request: %zu bytes, and a message has less than 2 GiB", request.len);
    *totals = (struct otlp_walk_totals){.decoded_bytes = 0};
    walk.start = at;
    walk.totals = totals;
    walk.any_values = 0;
    walk.trace_id = walk.span_id = slice_of(NULL, 0);
    walk.depth = 0;
    push(&walk, otlp_schema_request(), NULL, at + request.len);
    while (walk.depth > 0) {
        if (at < walk.frames[walk.depth - 1].end) {
            at = step(&walk, at, err);
            if (at == NULL)
                return -1;
        } else {
            pop(&walk);
        }
    }
    if (totals->decoded_bytes > OTLP_DECODED_BYTES_MAX)
        return fail(&walk, err, ERANGE, NULL, at, "too much memory to decode");
    return 0;
}
