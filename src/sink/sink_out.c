/*
 * sink_out.c - one function a BSON type.
 *
 * Any thread, one document at a time.  What can fail is recorded in the
 * struct: too large (the document will never be stored) and no memory (it may
 * be tried again).  libbson itself aborts when it has no memory; what it
 * refuses would be our own bug, so that is asserted.
 */
#include "sink_out.h"

#include <assert.h>
#include <string.h>

#include "bounds.h"
#include "hex.h"
#include "utf8.h"

#define ELEMENT_BYTES 2 /* type, and the key's NUL */
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

void sink_out_start(struct sink_out *out)
{
    out->room_bytes = SINK_DOCUMENT_BYTES_MAX;
    out->too_large = false;
    out->no_memory = false;
    if (out->scratch.capacity > SCRATCH_KEEP_BYTES) {
        buf_fini(&out->scratch);
        buf_init(&out->scratch, REPAIR_GROWTH * SINK_DOCUMENT_BYTES_MAX);
    }
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

static bool charge_element(struct sink_out *out, struct slice key, size_t value_bytes)
{
    return sink_out_charge(out, ELEMENT_BYTES + key.len) && sink_out_charge(out, value_bytes);
}

/* Cannot fail: keys and values that were charged are below every limit of libbson. */
static void must(bool appended)
{
    assert(appended);
    (void)appended;
}

#define KEY(key) (const char *)(key).data, (int)(key).len

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

void sink_out_text(struct sink_out *out, bson_t *to, struct slice key, struct slice text)
{
    if (!repair(out, &text) || !charge_element(out, key, text.len + 5))
        return;
    must(bson_append_utf8(to, KEY(key), text.len == 0 ? "" : (const char *)text.data, (int)text.len));
}

void sink_out_hex(struct sink_out *out, bson_t *to, struct slice key, struct slice bytes)
{
    uint8_t *text;

    if (bytes.len > SINK_DOCUMENT_BYTES_MAX) {
        out->too_large = true;
        return;
    }
    if (!charge_element(out, key, 2 * bytes.len + 5))
        return;
    buf_clear(&out->scratch);
    text = buf_reserve(&out->scratch, 2 * bytes.len + 1);
    if (text == NULL) {
        out->no_memory = true;
        return;
    }
    hex_encode((char *)text, bytes.data, bytes.len);
    must(bson_append_utf8(to, KEY(key), (const char *)text, (int)(2 * bytes.len)));
}

void sink_out_binary(struct sink_out *out, bson_t *to, struct slice key, struct slice bytes)
{
    static const uint8_t none[1];

    if (!charge_element(out, key, bytes.len + 5))
        return;
    must(
        bson_append_binary(to, KEY(key), BSON_SUBTYPE_BINARY, bytes.len == 0 ? none : bytes.data, (uint32_t)bytes.len));
}

void sink_out_int32(struct sink_out *out, bson_t *to, struct slice key, int32_t value)
{
    if (charge_element(out, key, sizeof(value)))
        must(bson_append_int32(to, KEY(key), value));
}

void sink_out_int64(struct sink_out *out, bson_t *to, struct slice key, int64_t value)
{
    if (charge_element(out, key, sizeof(value)))
        must(bson_append_int64(to, KEY(key), value));
}

void sink_out_count(struct sink_out *out, bson_t *to, struct slice key, uint32_t value)
{
    if (value <= INT32_MAX)
        sink_out_int32(out, to, key, (int32_t)value);
    else
        sink_out_int64(out, to, key, value);
}

void sink_out_time(struct sink_out *out, bson_t *to, struct slice key, uint64_t unix_nano)
{
    if (unix_nano > INT64_MAX) {
        out->clamped++;
        unix_nano = INT64_MAX;
    }
    sink_out_int64(out, to, key, (int64_t)unix_nano);
}

void sink_out_bool(struct sink_out *out, bson_t *to, struct slice key, bool value)
{
    if (charge_element(out, key, 1))
        must(bson_append_bool(to, KEY(key), value));
}

void sink_out_double(struct sink_out *out, bson_t *to, struct slice key, double value)
{
    if (charge_element(out, key, sizeof(value)))
        must(bson_append_double(to, KEY(key), value));
}

void sink_out_null(struct sink_out *out, bson_t *to, struct slice key)
{
    if (charge_element(out, key, 0))
        must(bson_append_null(to, KEY(key)));
}

void sink_out_copy(struct sink_out *out, bson_t *to, struct slice key, const bson_t *document)
{
    if (charge_element(out, key, document->len))
        must(bson_append_document(to, KEY(key), document));
}

bool sink_out_begin(struct sink_out *out, bson_t *to, struct slice key, bson_t *child)
{
    if (!charge_element(out, key, 5))
        return false;
    must(bson_append_document_begin(to, KEY(key), child));
    return true;
}

bool sink_out_begin_array(struct sink_out *out, bson_t *to, struct slice key, bson_t *child)
{
    if (!charge_element(out, key, 5))
        return false;
    must(bson_append_array_begin(to, KEY(key), child));
    return true;
}

void sink_out_end(bson_t *to, bson_t *child)
{
    must(bson_append_document_end(to, child));
}

void sink_out_end_array(bson_t *to, bson_t *child)
{
    must(bson_append_array_end(to, child));
}

struct slice sink_out_index(char *text, uint32_t i)
{
    const char *digits;
    size_t len = bson_uint32_to_string(i, &digits, text, SINK_OUT_INDEX_MAX);

    return slice_of(digits, len);
}
