#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bson/bson.h>

#include "bounds.h"
#include "sink_attributes.h"

/*
 * Whatever the keys are, a reader who follows docs/mongodb.md gets each one
 * back.  The keys are made of the bytes that the rules treat specially, so
 * that collisions, suffixes that are taken and escapes of escapes happen.
 */
#define KEYS_MAX 60
#define KEY_BYTES_MAX 6
#define ROUNDS 3000

struct pairs {
    Otlp__KeyValue pairs[KEYS_MAX];
    Otlp__AnyValue values[KEYS_MAX];
    Otlp__KeyValue *list[KEYS_MAX];
    uint8_t keys[KEYS_MAX][KEY_BYTES_MAX];
    size_t count;
};

static uint64_t random_state = 88172645463325252ULL;

/* xorshift64: the same keys in every run. */
static size_t random_below(size_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % bound);
}

/* The value of pair number i is i: that is how a reader's result is matched with its original. */
static void make_pairs(struct pairs *pairs)
{
    static const uint8_t alphabet[] = {'.', '_', '$', '\0', '%', '#', '2', '3', 'a'};

    pairs->count = random_below(KEYS_MAX + 1);
    for (size_t i = 0; i < pairs->count; i++) {
        size_t len = random_below(KEY_BYTES_MAX + 1);

        for (size_t j = 0; j < len; j++)
            pairs->keys[i][j] = alphabet[random_below(sizeof(alphabet))];
        otlp__any_value__init(&pairs->values[i]);
        pairs->values[i].value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
        pairs->values[i].int_value = (int64_t)i;
        otlp__key_value__init(&pairs->pairs[i]);
        pairs->pairs[i].key = (ProtobufCBinaryData){.data = pairs->keys[i], .len = len};
        pairs->pairs[i].value = &pairs->values[i];
        pairs->list[i] = &pairs->pairs[i];
    }
}

static void check_original(const struct pairs *pairs, int64_t i, const uint8_t *text, size_t len)
{
    assert_true(i >= 0 && (size_t)i < pairs->count);
    assert_int_equal(len, pairs->pairs[i].key.len);
    assert_memory_equal(text, pairs->pairs[i].key.data, len);
}

static void check_storable(const char *key, bool dots_allowed)
{
    assert_int_not_equal(key[0], '\0');
    assert_int_not_equal(key[0], '$');
    if (!dots_allowed)
        assert_null(strchr(key, '.'));
}

static size_t count_key(const bson_t *document, const char *key)
{
    bson_iter_t at;
    size_t count = 0;

    assert_true(bson_iter_init(&at, document));
    while (bson_iter_next(&at))
        count += strcmp(bson_iter_key(&at), key) == 0;
    return count;
}

static void sub_document(const bson_t *document, const char *key, bson_t *child)
{
    bson_iter_t at;
    const uint8_t *data;
    uint32_t len;

    bson_init(child);
    if (!bson_iter_init_find(&at, document, key))
        return;
    bson_iter_document(&at, &len, &data);
    assert_true(bson_init_static(child, data, len));
}

/* What a reader does with one key of `attributes`. */
static size_t read_top(const bson_t *names, const char *key, uint8_t *out)
{
    bson_iter_t at;
    const char *text;
    uint32_t len;

    if (bson_iter_init_find(&at, names, key)) {
        text = bson_iter_utf8(&at, &len);
        memcpy(out, text, len);
        return len;
    }
    for (len = 0; key[len] != '\0'; len++)
        out[len] = (uint8_t)(key[len] == '_' ? '.' : key[len]);
    return len;
}

static void check_top(const struct pairs *pairs, const bson_t *document)
{
    bson_t attributes, names;
    uint8_t original[256];
    size_t seen = 0;
    bson_iter_t at;

    sub_document(document, "attributes", &attributes);
    sub_document(document, "names", &names);
    assert_true(bson_iter_init(&at, &attributes));
    while (bson_iter_next(&at)) {
        size_t len = read_top(&names, bson_iter_key(&at), original);

        check_original(pairs, bson_iter_int64(&at), original, len);
        check_storable(bson_iter_key(&at), false);
        assert_int_equal(count_key(&attributes, bson_iter_key(&at)), 1);
        seen++;
    }
    assert_int_equal(seen, pairs->count);
    bson_destroy(&names);
    bson_destroy(&attributes);
}

/* `names` holds no key that the rule would have got right. */
static void check_names_are_needed(const bson_t *document)
{
    static const bson_t none = BSON_INITIALIZER;
    uint8_t by_rule[256];
    bson_iter_t at;
    bson_t names;

    sub_document(document, "names", &names);
    assert_true(bson_iter_init(&at, &names));
    while (bson_iter_next(&at)) {
        uint32_t len;
        const char *original = bson_iter_utf8(&at, &len);

        if (read_top(&none, bson_iter_key(&at), by_rule) == len)
            assert_memory_not_equal(by_rule, original, len);
    }
    bson_destroy(&names);
}

/* What a reader does with one key of a nested document. */
static size_t read_nested(const char *key, uint8_t *out)
{
    const char *repeat = strstr(key, "%#");
    size_t end = repeat == NULL ? strlen(key) : (size_t)(repeat - key);
    size_t len = 0;

    if (end == 1 && key[0] == '%')
        return 0;
    for (size_t i = 0; i < end; i++) {
        if (key[i] != '%') {
            out[len++] = (uint8_t)key[i];
            continue;
        }
        out[len++] = (uint8_t)(key[i + 1] == '0' ? '\0' : key[i + 2] == '5' ? '%' : '$');
        i += 2;
    }
    return len;
}

static void check_nested(const struct pairs *pairs, const bson_t *document)
{
    uint8_t original[256];
    size_t seen = 0;
    bson_iter_t at;
    bson_t map;

    sub_document(document, "map", &map);
    assert_true(bson_iter_init(&at, &map));
    while (bson_iter_next(&at)) {
        size_t len = read_nested(bson_iter_key(&at), original);

        check_original(pairs, bson_iter_int64(&at), original, len);
        check_storable(bson_iter_key(&at), true);
        assert_int_equal(count_key(&map, bson_iter_key(&at)), 1);
        seen++;
    }
    assert_int_equal(seen, pairs->count);
    bson_destroy(&map);
}

static void test_reader_recovers_every_key(void **state)
{
    static struct pairs pairs;
    struct arena arena;
    struct sink_out out;

    (void)state;
    arena_init(&arena, 16UL << 20);
    sink_out_init(&out, &arena);
    for (int round = 0; round < ROUNDS; round++) {
        Otlp__KeyValueList list = OTLP__KEY_VALUE_LIST__INIT;
        Otlp__AnyValue map = OTLP__ANY_VALUE__INIT;
        struct buf bytes;
        bson_t document;
        size_t begin;

        make_pairs(&pairs);
        list.values = pairs.list;
        list.n_values = pairs.count;
        map.value_case = OTLP__ANY_VALUE__VALUE_KVLIST_VALUE;
        map.kvlist_value = &list;
        arena_reset(&arena, 1UL << 20);
        buf_init(&bytes, SINK_DOCUMENT_BYTES_MAX);
        begin = sink_out_start(&out, &bytes);
        sink_attributes_put(&out, pairs.list, pairs.count);
        sink_out_value(&out, sink_out_key("map"), &map);
        sink_out_end(&out, begin);
        assert_false(sink_out_failed(&out));
        assert_true(bson_init_static(&document, bytes.data, bytes.len));
        assert_true(bson_validate(&document, BSON_VALIDATE_UTF8_ALLOW_NULL | BSON_VALIDATE_UTF8, NULL));
        check_top(&pairs, &document);
        check_names_are_needed(&document);
        check_nested(&pairs, &document);
        buf_fini(&bytes);
    }
    sink_out_fini(&out);
    arena_fini(&arena);
}

/* Two attributes, as they are stored by hand: the example of docs/mongodb.md. */
static void test_attributes_example_is_as_documented(void **state)
{
    Otlp__AnyValue method = OTLP__ANY_VALUE__INIT, status = OTLP__ANY_VALUE__INIT;
    Otlp__KeyValue first = OTLP__KEY_VALUE__INIT, second = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *list[] = {&first, &second};
    struct arena arena;
    struct sink_out out;
    struct buf bytes;
    bson_t document;
    size_t begin;
    char *json;

    (void)state;
    first.key = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t) "http.request.method", .len = 19};
    first.value = &method;
    method.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    method.string_value = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t) "GET", .len = 3};
    second.key = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t) "http.response.status_code", .len = 25};
    second.value = &status;
    status.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    status.int_value = 200;
    arena_init(&arena, 1UL << 20);
    sink_out_init(&out, &arena);
    buf_init(&bytes, SINK_DOCUMENT_BYTES_MAX);
    begin = sink_out_start(&out, &bytes);
    sink_attributes_put(&out, list, 2);
    sink_out_end(&out, begin);
    assert_true(bson_init_static(&document, bytes.data, bytes.len));
    json = bson_as_relaxed_extended_json(&document, NULL);
    assert_string_equal(
        json, "{ \"attributes\" : { \"http_request_method\" : \"GET\", \"http_response_status_code\" : 200 }, "
              "\"names\" : { \"http_response_status_code\" : \"http.response.status_code\" } }");
    bson_free(json);
    buf_fini(&bytes);
    sink_out_fini(&out);
    arena_fini(&arena);
}

static void test_full_arena_is_no_memory(void **state)
{
    static struct pairs pairs;
    struct arena arena;
    struct sink_out out;
    struct buf bytes;

    (void)state;
    do
        make_pairs(&pairs);
    while (pairs.count == 0);
    arena_init(&arena, 16);
    sink_out_init(&out, &arena);
    buf_init(&bytes, SINK_DOCUMENT_BYTES_MAX);
    sink_out_start(&out, &bytes);
    sink_attributes_put(&out, pairs.list, pairs.count);
    assert_true(out.no_memory);
    assert_false(out.too_large);
    buf_fini(&bytes);
    sink_out_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_recovers_every_key),
        cmocka_unit_test(test_attributes_example_is_as_documented),
        cmocka_unit_test(test_full_arena_is_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
