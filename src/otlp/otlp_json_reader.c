/*
 * otlp_json_reader.c - which field a value is for, and what is around it.
 *
 * Pure.  A stack of its own has a frame for each object and list that is open;
 * its size is the bound on nesting, unknown keys included.
 *
 * Protobuf has a message's length before it, and JSON comes front to back: an
 * object leaves one byte for the length, and its end moves the message by what
 * more that takes.  Usual lengths take one or two, a byte is moved a few times
 * at the speed of memmove, and the result has the size that an encoder of
 * protobuf would have given it, by which it is bounded and stored.  So that a
 * text nested 500 deep is not moved 500 times, messages deep inside have
 * lengths of five bytes, which need no moving.
 *
 * What can fail is the request (ERR_POISON), with the path to the place, or
 * memory.
 */
#include "otlp_json_reader.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "otlp_field.h"

#define PATH_TEXT_MAX 200 /* of ERR_TEXT_MAX, as in otlp_walk.c */
#define NAME_TEXT_MAX 40

#define EXACT_LEVELS 24 /* an attribute of an event is at level 11, a list in it at 14 */

#define HEADER_BYTES_MAX (OTLP_WIRE_TAG_BYTES_MAX + OTLP_WIRE_VARINT_BYTES_MAX)

static_assert(JSON_DEPTH_MAX > EXACT_LEVELS, "levels of one request");

void otlp_json_reader_init(struct otlp_json_reader *reader, struct buf *out, struct err *err)
{
    reader->out = out;
    reader->err = err;
    reader->depth = 0;
    reader->skipped = 0;
}

static struct otlp_json_frame *innermost(struct otlp_json_reader *reader)
{
    return &reader->frames[reader->depth - 1];
}

/* "resourceSpans[0].scopeSpans[1].spans[3].traceId", cut with "..." */
static void write_path(char text[PATH_TEXT_MAX], const struct otlp_json_reader *reader)
{
    char name[NAME_TEXT_MAX];
    size_t used = 0;

    snprintf(text, PATH_TEXT_MAX, "request");
    for (uint32_t i = 0; i < reader->depth; i++) {
        const struct otlp_json_frame *frame = &reader->frames[i];
        int len = 0;

        if (frame->message == NULL && frame->elements > 0) {
            len = snprintf(text + used, PATH_TEXT_MAX - used, "[%u]", frame->elements - 1);
        } else if (frame->message != NULL && frame->field != NULL) {
            otlp_schema_json_name(name, sizeof(name), frame->field);
            len = snprintf(text + used, PATH_TEXT_MAX - used, "%s%s", used == 0 ? "" : ".", name);
        }
        if (used + (size_t)len >= PATH_TEXT_MAX - sizeof("...")) {
            snprintf(text + used, PATH_TEXT_MAX - used, "...");
            return;
        }
        used += (size_t)len;
    }
}

static bool refuse(struct otlp_json_reader *reader, int code, const char *why)
{
    char path[PATH_TEXT_MAX];

    write_path(path, reader);
    err_set(reader->err, ERR_POISON, code, "%s: %s", path, why);
    return false;
}

void otlp_json_reader_refuse_syntax(struct otlp_json_reader *reader, size_t at, struct slice why)
{
    char path[PATH_TEXT_MAX];

    write_path(path, reader);
    err_set(reader->err, ERR_POISON, EBADMSG, "%s: not JSON, at byte %zu: %.*s", path, at, (int)why.len,
            (const char *)why.data);
}

/* After something of at most `size` bytes was appended: true, or the bound or memory was too small. */
static bool is_written(struct otlp_json_reader *reader, size_t size)
{
    const struct buf *out = reader->out;

    if (!out->failed)
        return true;
    if (size > out->max - out->len)
        err_set(reader->err, ERR_POISON, EMSGSIZE, "request: more than %zu bytes as protobuf", out->max);
    else
        err_set(reader->err, ERR_BUSY, ENOMEM, "request: no memory for it as protobuf");
    return false;
}

static bool is_unknown(struct otlp_json_reader *reader)
{
    return reader->skipped > 0 || (reader->depth > 0 && innermost(reader)->field == NULL);
}

static bool has_level(struct otlp_json_reader *reader)
{
    return reader->depth + reader->skipped < JSON_DEPTH_MAX || refuse(reader, ERANGE, "nested too deep");
}

static bool skip_level(struct otlp_json_reader *reader)
{
    if (!has_level(reader))
        return false;
    reader->skipped++;
    return true;
}

static bool push(struct otlp_json_reader *reader, struct otlp_json_frame frame)
{
    reader->frames[reader->depth++] = frame;
    return true;
}

static bool is_repeated(const struct otlp_schema_field *field)
{
    return field->element_bytes != 0;
}

/* A value begins that is no list. The field that it is for, or NULL: there is none. */
static const struct otlp_schema_field *take_field(struct otlp_json_reader *reader)
{
    struct otlp_json_frame *frame;

    if (reader->depth == 0) {
        refuse(reader, EBADMSG, "not an object");
        return NULL;
    }
    frame = innermost(reader);
    if (frame->message == NULL) {
        frame->elements++;
    } else if (is_repeated(frame->field)) {
        refuse(reader, EBADMSG, "not a list");
        return NULL;
    }
    return frame->field;
}

static bool is_padded(uint32_t level)
{
    return level >= EXACT_LEVELS;
}

bool otlp_json_reader_begin_object(struct otlp_json_reader *reader)
{
    const struct otlp_schema_field *field;
    size_t opened;

    if (is_unknown(reader))
        return skip_level(reader);
    if (reader->depth == 0)
        return push(reader, (struct otlp_json_frame){.message = otlp_schema_request()});
    field = take_field(reader);
    if (field == NULL)
        return false;
    if (field->child == NULL)
        return refuse(reader, EBADMSG, otlp_json_scalar_expected(field));
    if (!has_level(reader))
        return false;
    opened = otlp_field_open(reader->out, field->number, is_padded(reader->depth));
    return is_written(reader, HEADER_BYTES_MAX) &&
           push(reader, (struct otlp_json_frame){.message = field->child, .opened = opened});
}

bool otlp_json_reader_begin_list(struct otlp_json_reader *reader)
{
    struct otlp_json_frame *frame;

    if (is_unknown(reader))
        return skip_level(reader);
    if (reader->depth == 0)
        return refuse(reader, EBADMSG, "not an object");
    frame = innermost(reader);
    if (frame->message == NULL)
        frame->elements++;
    if (frame->message == NULL || !is_repeated(frame->field))
        return refuse(reader, EBADMSG, otlp_json_scalar_expected(frame->field));
    return has_level(reader) && push(reader, (struct otlp_json_frame){.field = frame->field});
}

bool otlp_json_reader_end(struct otlp_json_reader *reader)
{
    const struct otlp_json_frame *frame;

    if (reader->skipped > 0) {
        reader->skipped--;
        return true;
    }
    assert(reader->depth > 0); /* yajl pairs brackets */
    frame = &reader->frames[--reader->depth];
    if (frame->message == NULL || reader->depth == 0)
        return true;
    otlp_field_close(reader->out, frame->opened, is_padded(reader->depth));
    return is_written(reader, HEADER_BYTES_MAX);
}

bool otlp_json_reader_key(struct otlp_json_reader *reader, struct slice key)
{
    if (reader->skipped == 0)
        innermost(reader)->field = otlp_schema_find(innermost(reader)->message, key);
    return true;
}

/* As if the key were not there; a list has no place for it. */
bool otlp_json_reader_null(struct otlp_json_reader *reader)
{
    if (is_unknown(reader))
        return true;
    if (reader->depth > 0 && innermost(reader)->message != NULL)
        return true;
    return take_field(reader) != NULL && refuse(reader, EBADMSG, "null in a list");
}

bool otlp_json_reader_scalar(struct otlp_json_reader *reader, struct otlp_json_scalar value)
{
    const struct otlp_schema_field *field;
    const char *why;

    if (is_unknown(reader))
        return true;
    field = take_field(reader);
    if (field == NULL)
        return false;
    why = otlp_json_scalar_put(reader->out, field, value);
    if (why != NULL)
        return refuse(reader, EBADMSG, why);
    return is_written(reader, value.text.len + 2 * HEADER_BYTES_MAX);
}
