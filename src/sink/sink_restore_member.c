/*
 * sink_restore_member.c - members of a document as fields of protobuf, by
 * tables.
 *
 * Pure.  What is zero or empty is left out, as protobuf's encoders do, so a
 * member that is not there needs no rule of its own.
 */
#include "otlp_field.h"
#include "sink_restore_internal.h"

int sink_restore_wrong(struct sink_restore *restore, const bson_iter_t *at, const char *what)
{
    restore->wrong = what;
    restore->wrong_member = bson_iter_key(at);
    return -1;
}

bool sink_restore_find(bson_iter_t *found, const bson_iter_t *holder, const char *key)
{
    return BSON_ITER_HOLDS_DOCUMENT(holder) && bson_iter_recurse(holder, found) && bson_iter_find(found, key);
}

int sink_restore_members(struct sink_restore *restore, const bson_iter_t *holder,
                         const struct sink_restore_member *members)
{
    bson_iter_t at;

    for (; members->key != NULL; members++)
        if (sink_restore_find(&at, holder, members->key) && members->put(restore, members->number, &at, holder) < 0)
            return -1;
    return 0;
}

int sink_restore_message(struct sink_restore *restore, uint32_t number, const bson_iter_t *holder,
                         const struct sink_restore_member *members, bool is_optional)
{
    size_t before = restore->out->len;
    size_t opened = otlp_field_open(restore->out, number, false);

    if (sink_restore_members(restore, holder, members) < 0)
        return -1;
    if (is_optional && restore->out->len == opened)
        restore->out->len = before;
    else
        otlp_field_close(restore->out, opened, false);
    return 0;
}

int sink_restore_messages(struct sink_restore *restore, uint32_t number, const bson_iter_t *array,
                          const struct sink_restore_member *members)
{
    bson_iter_t at;

    if (!BSON_ITER_HOLDS_ARRAY(array) || !bson_iter_recurse(array, &at))
        return sink_restore_wrong(restore, array, "not an array");
    while (bson_iter_next(&at)) {
        if (!BSON_ITER_HOLDS_DOCUMENT(&at))
            return sink_restore_wrong(restore, array, "not an array of documents");
        if (sink_restore_message(restore, number, &at, members, false) < 0)
            return -1;
    }
    return 0;
}

/* --- kinds ----------------------------------------------------------------- */

int sink_restore_text(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    uint32_t len;
    const char *text;

    (void)holder;
    if (!BSON_ITER_HOLDS_UTF8(at))
        return sink_restore_wrong(restore, at, "not a string");
    text = bson_iter_utf8(at, &len);
    if (len > 0)
        otlp_field_put_bytes(restore->out, number, slice_of(text, len));
    return 0;
}

/* Every one of an array, the empty ones too. */
int sink_restore_texts(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    bson_iter_t text;

    (void)holder;
    if (!BSON_ITER_HOLDS_ARRAY(at) || !bson_iter_recurse(at, &text))
        return sink_restore_wrong(restore, at, "not an array");
    while (bson_iter_next(&text)) {
        uint32_t len;
        const char *data;

        if (!BSON_ITER_HOLDS_UTF8(&text))
            return sink_restore_wrong(restore, at, "not an array of strings");
        data = bson_iter_utf8(&text, &len);
        otlp_field_put_bytes(restore->out, number, slice_of(data, len));
    }
    return 0;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Ids of links and parents may have any length. */
int sink_restore_hex(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    uint32_t len;
    const char *text;
    uint8_t *to;

    (void)holder;
    if (!BSON_ITER_HOLDS_UTF8(at))
        return sink_restore_wrong(restore, at, "not a string");
    text = bson_iter_utf8(at, &len);
    if (len == 0)
        return 0;
    otlp_field_put_header(restore->out, number, len / 2);
    to = buf_reserve(restore->out, len / 2);
    for (uint32_t i = 0; i < len; i += 2) {
        int high = digit_of(text[i]), low = digit_of(text[i + 1]); /* after the last digit is a NUL, which is none */

        if (high < 0 || low < 0)
            return sink_restore_wrong(restore, at, "not hexadecimal");
        if (to != NULL)
            to[i / 2] = (uint8_t)(high << 4 | low);
    }
    if (to != NULL)
        restore->out->len += len / 2;
    return 0;
}

/* Any 32 bits; negative ones have 64 on the wire. */
int sink_restore_enum(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    (void)holder;
    if (!BSON_ITER_HOLDS_INT32(at))
        return sink_restore_wrong(restore, at, "not a 32-bit integer");
    if (bson_iter_int32(at) != 0)
        otlp_field_put_varint(restore->out, number, (uint64_t)(int64_t)bson_iter_int32(at));
    return 0;
}

bool sink_restore_read_count(const bson_iter_t *at, uint32_t *count)
{
    int64_t value = BSON_ITER_HOLDS_INT32(at) || BSON_ITER_HOLDS_INT64(at) ? bson_iter_as_int64(at) : -1;

    *count = (uint32_t)value;
    return value >= 0 && value <= UINT32_MAX;
}

int sink_restore_count(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    uint32_t count;

    (void)holder;
    if (!sink_restore_read_count(at, &count))
        return sink_restore_wrong(restore, at, "not a count");
    if (count != 0)
        otlp_field_put_varint(restore->out, number, count);
    return 0;
}

int sink_restore_flags(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    uint32_t flags;

    (void)holder;
    if (!sink_restore_read_count(at, &flags))
        return sink_restore_wrong(restore, at, "not 32 bits");
    if (flags != 0)
        otlp_field_put_fixed32(restore->out, number, flags);
    return 0;
}

int sink_restore_time(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    (void)holder;
    if (!BSON_ITER_HOLDS_INT64(at) || bson_iter_int64(at) < 0)
        return sink_restore_wrong(restore, at, "not a time");
    if (bson_iter_int64(at) != 0)
        otlp_field_put_fixed64(restore->out, number, (uint64_t)bson_iter_int64(at));
    return 0;
}
