/*
 * sink_out.c - one function a BSON type (bsonspec.org, version 1.1).
 *
 * Any thread, one document at a time.  What can fail is recorded in the
 * struct: too large (the document will never be stored) and no memory (it may
 * be tried again).  libbson's appending was a seventh of the CPU of
 * delivery: it gathers each element through variable arguments and copies the finished
 * document once more.
 */
#include "sink_out.h"

#include <bson/bson.h>
#include <endian.h>
#include <string.h>

#include "bounds.h"
#include "hex.h"
#include "utf8.h"

#define ELEMENT_BYTES 2 /* type, and the key's NUL */
#define LENGTH_BYTES 4  /* of a document, its own and its NUL included */
#define SCRATCH_KEEP_BYTES (1UL << 20)
#define REPAIR_GROWTH 3 /* U+FFFD takes three bytes for one that is ill-formed */

void sink_out_init(struct sink_out *out, struct arena *arena)
{
    *out = (struct sink_out){.arena = arena};
    buf_init(&out->scratch, REPAIR_GROWTH * SINK_DOCUMENT_BYTES_MAX);
}

void sink_out_fini(struct sink_out *out)
{
    buf_fini(&out->scratch);
}

size_t sink_out_start(struct sink_out *out, struct buf *to)
{
    static const uint8_t none[LENGTH_BYTES];
    size_t begin;

    out->to = to;
    out->room_bytes = SINK_DOCUMENT_BYTES_MAX;
    out->too_large = false;
    out->no_memory = false;
    if (out->scratch.capacity > SCRATCH_KEEP_BYTES) {
        buf_fini(&out->scratch);
        buf_init(&out->scratch, REPAIR_GROWTH * SINK_DOCUMENT_BYTES_MAX);
    }
    out->room_bytes -= LENGTH_BYTES + 1;
    begin = to->len;
    if (buf_append(to, none, LENGTH_BYTES) != 0)
        out->no_memory = true;
    return begin;
}

bool sink_out_charge(struct sink_out *out, size_t bytes)
{
    if (sink_out_failed(out))
        return false;
    if (bytes > out->room_bytes) {
        out->too_large = true;
        return false;
    }
    out->room_bytes -= bytes;
    return true;
}

bool sink_out_may_fit(struct sink_out *out, size_t count)
{
    if (count > out->room_bytes / (ELEMENT_BYTES + 1))
        out->too_large = true;
    return !sink_out_failed(out);
}

/* Type and key of an element; where its value of `value_bytes` goes, or NULL. */
static uint8_t *put_element(struct sink_out *out, bson_type_t type, struct slice key, size_t value_bytes)
{
    size_t size = ELEMENT_BYTES + key.len + value_bytes;
    uint8_t *at;

    if (!sink_out_charge(out, size))
        return NULL;
    at = buf_reserve(out->to, size);
    if (at == NULL) {
        out->no_memory = true;
        return NULL;
    }
    out->to->len += size;
    *at++ = (uint8_t)type;
    if (key.len > 0)
        memcpy(at, key.data, key.len);
    at[key.len] = '\0';
    return at + key.len + 1;
}

/* BSON's numbers are little-endian. */
static void put_32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

static void put_64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
}

/* Points `text` at a repaired copy in scratch when it is not well-formed. */
static bool repair(struct sink_out *out, struct slice *text)
{
    if (text->len > SINK_DOCUMENT_BYTES_MAX) {
        out->too_large = true;
        return false;
    }
    if (utf8_valid(*text))
        return true;
    out->repaired++;
    buf_clear(&out->scratch);
    if (utf8_append_repaired(&out->scratch, *text) != 0) {
        out->no_memory = true;
        return false;
    }
    *text = buf_slice(&out->scratch);
    return true;
}

bool sink_out_well_formed(struct sink_out *out, struct slice *text)
{
    const uint8_t *before = text->data;
    uint8_t *copy;

    if (!repair(out, text))
        return false;
    if (text->data == before)
        return true;
    copy = arena_alloc(out->arena, text->len);
    if (copy == NULL) {
        out->no_memory = true;
        return false;
    }
    memcpy(copy, text->data, text->len);
    text->data = copy;
    return true;
}

void sink_out_text(struct sink_out *out, struct slice key, struct slice text)
{
    uint8_t *at;

    if (!repair(out, &text) || (at = put_element(out, BSON_TYPE_UTF8, key, text.len + 5)) == NULL)
        return;
    put_32(at, (uint32_t)text.len + 1);
    if (text.len > 0)
        memcpy(at + 4, text.data, text.len);
    at[4 + text.len] = '\0';
}

void sink_out_hex(struct sink_out *out, struct slice key, struct slice bytes)
{
    uint8_t *at;

    if (bytes.len > SINK_DOCUMENT_BYTES_MAX) {
        out->too_large = true;
        return;
    }
    at = put_element(out, BSON_TYPE_UTF8, key, 2 * bytes.len + 5);
    if (at == NULL)
        return;
    put_32(at, (uint32_t)(2 * bytes.len + 1));
    hex_encode((char *)at + 4, bytes.data, bytes.len);
}

void sink_out_binary(struct sink_out *out, struct slice key, struct slice bytes)
{
    uint8_t *at = put_element(out, BSON_TYPE_BINARY, key, bytes.len + 5);

    if (at == NULL)
        return;
    put_32(at, (uint32_t)bytes.len);
    at[4] = BSON_SUBTYPE_BINARY;
    if (bytes.len > 0)
        memcpy(at + 5, bytes.data, bytes.len);
}

void sink_out_int32(struct sink_out *out, struct slice key, int32_t value)
{
    uint8_t *at = put_element(out, BSON_TYPE_INT32, key, sizeof(value));

    if (at != NULL)
        put_32(at, (uint32_t)value);
}

void sink_out_int64(struct sink_out *out, struct slice key, int64_t value)
{
    uint8_t *at = put_element(out, BSON_TYPE_INT64, key, sizeof(value));

    if (at != NULL)
        put_64(at, (uint64_t)value);
}

void sink_out_count(struct sink_out *out, struct slice key, uint32_t value)
{
    if (value <= INT32_MAX)
        sink_out_int32(out, key, (int32_t)value);
    else
        sink_out_int64(out, key, value);
}

void sink_out_time(struct sink_out *out, struct slice key, uint64_t unix_nano)
{
    if (unix_nano > INT64_MAX) {
        out->clamped++;
        unix_nano = INT64_MAX;
    }
    sink_out_int64(out, key, (int64_t)unix_nano);
}

void sink_out_bool(struct sink_out *out, struct slice key, bool value)
{
    uint8_t *at = put_element(out, BSON_TYPE_BOOL, key, 1);

    if (at != NULL)
        *at = value;
}

void sink_out_double(struct sink_out *out, struct slice key, double value)
{
    uint8_t *at = put_element(out, BSON_TYPE_DOUBLE, key, sizeof(value));
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    if (at != NULL)
        put_64(at, bits);
}

void sink_out_null(struct sink_out *out, struct slice key)
{
    (void)put_element(out, BSON_TYPE_NULL, key, 0);
}

void sink_out_copy(struct sink_out *out, struct slice key, struct slice document)
{
    uint8_t *at = put_element(out, BSON_TYPE_DOCUMENT, key, document.len);

    if (at != NULL)
        memcpy(at, document.data, document.len);
}

/* The NUL that ends it is charged as well. */
static bool begin(struct sink_out *out, bson_type_t type, struct slice key, size_t *at)
{
    uint8_t *length = sink_out_charge(out, 1) ? put_element(out, type, key, LENGTH_BYTES) : NULL;

    if (length == NULL)
        return false;
    *at = (size_t)(length - out->to->data);
    return true;
}

bool sink_out_begin(struct sink_out *out, struct slice key, size_t *at)
{
    return begin(out, BSON_TYPE_DOCUMENT, key, at);
}

bool sink_out_begin_array(struct sink_out *out, struct slice key, size_t *at)
{
    return begin(out, BSON_TYPE_ARRAY, key, at);
}

void sink_out_end(struct sink_out *out, size_t at)
{
    static const uint8_t nul = 0;

    if (buf_append(out->to, &nul, sizeof(nul)) != 0)
        out->no_memory = true;
    else
        put_32(out->to->data + at, (uint32_t)(out->to->len - at));
}

struct slice sink_out_index(char *text, uint32_t i)
{
    const char *digits;
    size_t len = bson_uint32_to_string(i, &digits, text, SINK_OUT_INDEX_MAX);

    return slice_of(digits, len);
}
