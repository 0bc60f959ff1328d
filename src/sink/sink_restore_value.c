/*
 * sink_restore_value.c - attributes with their keys, and any value.
 *
 * Recursive; the depth is bounded as it is where values come in, and a
 * document that nests deeper is none of ours.
 */
#include <string.h>

#include "bounds.h"
#include "otlp_field.h"
#include "sink_restore_internal.h"

enum { KEY_VALUE_KEY = 1, KEY_VALUE_VALUE = 2, LIST_VALUES = 1 };

enum {
    ANY_VALUE_STRING = 1,
    ANY_VALUE_BOOL = 2,
    ANY_VALUE_INT = 3,
    ANY_VALUE_ARRAY = 5,
    ANY_VALUE_MAP = 6,
    ANY_VALUE_BYTES = 7,
};

static int put_value(struct sink_restore *restore, uint32_t number, const bson_iter_t *at);

static int put_pair(struct sink_restore *restore, uint32_t number, struct slice key, const bson_iter_t *value)
{
    size_t opened = otlp_field_open(restore->out, number, false);

    if (key.len > 0)
        otlp_field_put_bytes(restore->out, KEY_VALUE_KEY, key);
    if (put_value(restore, KEY_VALUE_VALUE, value) < 0)
        return -1;
    otlp_field_close(restore->out, opened, false);
    return 0;
}

/* --- keys: what sink_keys.h has done, undone --------------------------------- */

/* Of the top level, without `names`. */
static struct slice dots_again(struct sink_restore *restore, struct slice stored)
{
    uint8_t *key;

    buf_clear(&restore->key);
    key = buf_reserve(&restore->key, stored.len);
    if (key == NULL)
        return slice_of(NULL, 0);
    for (size_t i = 0; i < stored.len; i++)
        key[i] = stored.data[i] == '_' ? '.' : stored.data[i];
    return slice_of(key, stored.len);
}

/* What follows `%#` tells equal keys apart; a `%` that is left alone is the empty key. */
static struct slice without_number(struct slice stored)
{
    const uint8_t *mark = memmem(stored.data, stored.len, "%#", 2);

    if (mark != NULL)
        stored.len = (size_t)(mark - stored.data);
    return stored.len == 1 && stored.data[0] == '%' ? slice_of(NULL, 0) : stored;
}

static uint8_t escaped_byte(const uint8_t *digits)
{
    return memcmp(digits, "25", 2) == 0 ? '%' : memcmp(digits, "24", 2) == 0 ? '$' : '\0';
}

/* Of a map inside a value. */
static struct slice unescaped(struct sink_restore *restore, struct slice stored)
{
    uint8_t *key;
    size_t len = 0;

    stored = without_number(stored);
    buf_clear(&restore->key);
    key = buf_reserve(&restore->key, stored.len);
    if (key == NULL)
        return slice_of(NULL, 0);
    for (size_t i = 0; i < stored.len; i++) {
        bool is_escape = stored.data[i] == '%' && stored.len - i > 2;

        key[len++] = is_escape ? escaped_byte(stored.data + i + 1) : stored.data[i];
        i += is_escape ? 2 : 0;
    }
    return slice_of(key, len);
}

static struct slice key_of(const bson_iter_t *at)
{
    return slice_of(bson_iter_key(at), bson_iter_key_len(at));
}

/* --- attributes --------------------------------------------------------------- */

/* `names` is in the order of `attributes`, so one pass over both suffices, whatever their number. */
struct names {
    bson_iter_t *at; /* the caller's, as its type asks for an alignment that a struct would have to have as well */
    bool more;       /* `at` is one that was not used yet */
};

static int names_init(struct names *names, struct sink_restore *restore, const bson_iter_t *holder)
{
    bson_iter_t found;

    names->more = false;
    if (!sink_restore_find(&found, holder, "names"))
        return 0;
    if (!BSON_ITER_HOLDS_DOCUMENT(&found) || !bson_iter_recurse(&found, names->at))
        return sink_restore_wrong(restore, &found, "not a document");
    names->more = bson_iter_next(names->at);
    return 0;
}

static int original_key(struct names *names, struct sink_restore *restore, const bson_iter_t *at, struct slice *key)
{
    uint32_t len;

    if (!names->more || !slice_equal(key_of(names->at), key_of(at))) {
        *key = dots_again(restore, key_of(at));
        return 0;
    }
    if (!BSON_ITER_HOLDS_UTF8(names->at))
        return sink_restore_wrong(restore, names->at, "not a string");
    key->data = (const uint8_t *)bson_iter_utf8(names->at, &len);
    key->len = len;
    names->more = bson_iter_next(names->at);
    return 0;
}

int sink_restore_attributes(struct sink_restore *restore, uint32_t number, const bson_iter_t *at,
                            const bson_iter_t *holder)
{
    bson_iter_t attribute, name;
    struct names names = {.at = &name};
    struct slice key;

    if (!BSON_ITER_HOLDS_DOCUMENT(at) || !bson_iter_recurse(at, &attribute))
        return sink_restore_wrong(restore, at, "not a document");
    if (names_init(&names, restore, holder) < 0)
        return -1;
    while (bson_iter_next(&attribute))
        if (original_key(&names, restore, &attribute, &key) < 0 || put_pair(restore, number, key, &attribute) < 0)
            return -1;
    return names.more ? sink_restore_wrong(restore, &name, "a name of no attribute, or not in their order") : 0;
}

/* --- values --------------------------------------------------------------------- */

static int put_array(struct sink_restore *restore, const bson_iter_t *at)
{
    size_t opened = otlp_field_open(restore->out, ANY_VALUE_ARRAY, false);
    bson_iter_t element;

    if (!bson_iter_recurse(at, &element))
        return sink_restore_wrong(restore, at, "not an array");
    while (bson_iter_next(&element))
        if (put_value(restore, LIST_VALUES, &element) < 0)
            return -1;
    otlp_field_close(restore->out, opened, false);
    return 0;
}

static int put_map(struct sink_restore *restore, const bson_iter_t *at)
{
    size_t opened = otlp_field_open(restore->out, ANY_VALUE_MAP, false);
    bson_iter_t member;

    if (!bson_iter_recurse(at, &member))
        return sink_restore_wrong(restore, at, "not a document");
    while (bson_iter_next(&member))
        if (put_pair(restore, LIST_VALUES, unescaped(restore, key_of(&member)), &member) < 0)
            return -1;
    otlp_field_close(restore->out, opened, false);
    return 0;
}

static int put_bytes(struct sink_restore *restore, const bson_iter_t *at)
{
    bson_subtype_t subtype;
    const uint8_t *data;
    uint32_t len;

    bson_iter_binary(at, &subtype, &len, &data);
    if (subtype != BSON_SUBTYPE_BINARY)
        return sink_restore_wrong(restore, at, "not binary of subtype 0");
    otlp_field_put_bytes(restore->out, ANY_VALUE_BYTES, slice_of(data, len));
    return 0;
}

static void put_text(struct sink_restore *restore, const bson_iter_t *at)
{
    uint32_t len;
    const char *text = bson_iter_utf8(at, &len);

    otlp_field_put_bytes(restore->out, ANY_VALUE_STRING, slice_of(text, len));
}

static void put_double(struct sink_restore *restore, const bson_iter_t *at)
{
    double value = bson_iter_double(at);
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    otlp_field_put_fixed64(restore->out, OTLP_ANY_VALUE_DOUBLE, bits);
}

/* The one field of an AnyValue, also when it is zero: that it is there says the type. */
static int put_kind(struct sink_restore *restore, const bson_iter_t *at)
{
    switch (bson_iter_type(at)) {
    case BSON_TYPE_UTF8:
        put_text(restore, at);
        return 0;
    case BSON_TYPE_BOOL:
        otlp_field_put_varint(restore->out, ANY_VALUE_BOOL, bson_iter_bool(at));
        return 0;
    case BSON_TYPE_INT64:
        otlp_field_put_varint(restore->out, ANY_VALUE_INT, (uint64_t)bson_iter_int64(at));
        return 0;
    case BSON_TYPE_DOUBLE:
        put_double(restore, at);
        return 0;
    case BSON_TYPE_ARRAY:
        return put_array(restore, at);
    case BSON_TYPE_DOCUMENT:
        return put_map(restore, at);
    case BSON_TYPE_BINARY:
        return put_bytes(restore, at);
    case BSON_TYPE_NULL:
        return 0;
    default:
        return sink_restore_wrong(restore, at, "of a type that no attribute has");
    }
}

static int put_value(struct sink_restore *restore, uint32_t number, const bson_iter_t *at)
{
    size_t opened;

    if (restore->depth == OTLP_DEPTH_MAX)
        return sink_restore_wrong(restore, at, "nested deeper than any value");
    restore->depth++;
    opened = otlp_field_open(restore->out, number, false);
    if (put_kind(restore, at) < 0)
        return -1;
    otlp_field_close(restore->out, opened, false);
    restore->depth--;
    return 0;
}
