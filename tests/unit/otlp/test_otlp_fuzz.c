/*
 * The property of tests/fuzz/fuzz_otlp_index.c, on every capture, on a small
 * capture cut at every byte, and on many small changes to small captures.
 * Seeds are fixed: a failure comes again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bounds.h"
#include "otlp_samples.h"
#include "otlp_walk.h"

#define MUTATIONS_EACH 25000
#define MUTANT_BYTES_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const small_captures[] = {
    "python-awkward-0015.pb", "proto-awkward-0003.pb",  "python-awkward-0012.pb", "python-awkward-0004.pb",
    "proto-awkward-0002.pb",  "python-awkward-0001.pb", "python-awkward-0006.pb", "java-0001.pb",
};

/* Ends where its memory ends, so that a sanitizer sees a read past the input. */
static void try_exactly(struct slice input)
{
    uint8_t *copy = malloc(input.len == 0 ? 1 : input.len);

    assert_non_null(copy);
    if (input.len > 0)
        memcpy(copy, input.data, input.len);
    LLVMFuzzerTestOneInput(copy, input.len);
    free(copy);
}

static void try_sample(const struct sample *sample, struct slice request)
{
    (void)sample;
    try_exactly(request);
}

static void test_property_captures_holds(void **state)
{
    (void)state;
    assert_int_equal(samples_visit(try_sample), 68);
}

static void test_property_every_truncation_holds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(small_captures) / sizeof(small_captures[0]); i++) {
        struct buf request;

        samples_load(&request, small_captures[i]);
        for (size_t len = 0; len < request.len; len++)
            try_exactly(slice_of(request.data, len));
        buf_fini(&request);
    }
}

/* `piece` is a field, given `count` times and wrapped into `number`, which is given `times` times. */
static void put_pieces(struct buf *message, unsigned number, unsigned times, const char *piece, unsigned count)
{
    struct buf body;

    buf_init(&body, MUTANT_BYTES_MAX);
    while (count-- > 0)
        assert_int_equal(buf_text(&body, piece), 0);
    while (times-- > 0)
        samples_field(message, number, buf_slice(&body));
    buf_fini(&body);
}

/* Everything that protobuf-c merges, with more fields than it has room for on its stack. */
static void test_property_merged_parts_holds(void **state)
{
    struct otlp_walk_totals totals;
    struct buf attribute;
    struct buf request;
    struct err err;

    (void)state;
    buf_init(&attribute, MUTANT_BYTES_MAX);
    buf_init(&request, MUTANT_BYTES_MAX);
    put_pieces(&attribute, 2, 2, "\x0a\x01s", 1); /* a value of a text, then of a list, then of a map and a number */
    put_pieces(&attribute, 2, 2, "\x2a\x04\x0a\x02\x10\x01", 2);
    put_pieces(&attribute, 2, 3, "\x32\x05\x0a\x03\x0a\x01k\x18\x02", 1);
    samples_span(&request, 1, 1);
    samples_field(&request, 9, buf_slice(&attribute));
    put_pieces(&request, 15, 3,
               "\x12\x03"
               "bad\x18\x02",
               20); /* status */
    samples_wrap(&request, 2);
    put_pieces(&request, 1, 5, "\x1a\x03\x0a\x01k", 40); /* scope.attributes */
    samples_wrap(&request, 2);
    put_pieces(&request, 1, 9, "\x0a\x03\x0a\x01k\x1a\x03\x0a\x01u\x7a\x01?", 30); /* attributes, entities, unknown */
    samples_wrap(&request, 1);
    assert_int_equal(otlp_walk(&totals, buf_slice(&request), &err), 0);
    try_exactly(buf_slice(&request));
    buf_fini(&attribute);
    buf_fini(&request);
}

static void test_property_deepest_values_hold(void **state)
{
    (void)state;
    for (unsigned maps = 0; maps < 2; maps++) {
        struct buf request;

        samples_nested(&request, OTLP_DEPTH_MAX, maps);
        try_exactly(buf_slice(&request));
        buf_fini(&request);
    }
}

/* xorshift64*: good enough, and the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dULL;
}

/* Bytes that mean something on the wire: tags of messages and ends of varints. */
static uint8_t interesting_byte(uint64_t random)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0x02, 0x08, 0x0a, 0x10, 0x12, 0x1a, 0x2a, 0x32,
                                    0x39, 0x4a, 0x5a, 0x6a, 0x7a, 0x7f, 0x80, 0x85, 0xf8, 0xff};

    return bytes[random % sizeof(bytes)];
}

static void mutate_once(struct buf *mutant, uint64_t *random)
{
    size_t at = next_random(random) % mutant->len;
    size_t len = next_random(random) % 64 % (mutant->len - at) + 1;

    switch (next_random(random) % 6) {
    case 0:
        mutant->data[at] ^= (uint8_t)(1U << next_random(random) % 8);
        break;
    case 1:
        mutant->data[at] = interesting_byte(next_random(random));
        break;
    case 2:
        mutant->data[at] = (uint8_t)(mutant->data[at] + next_random(random) % 9 - 4); /* lengths that are off */
        break;
    case 3: /* a piece goes */
        memmove(mutant->data + at, mutant->data + at + len, mutant->len - at - len);
        mutant->len -= mutant->len > len ? len : 0;
        break;
    case 4: /* a piece comes twice */
        if (mutant->len + len <= MUTANT_BYTES_MAX) {
            memmove(mutant->data + at + len, mutant->data + at, mutant->len - at);
            mutant->len += len;
        }
        break;
    default: /* a piece from elsewhere */
        memmove(mutant->data + at, mutant->data + next_random(random) % (mutant->len - len + 1), len);
        break;
    }
}

static void mutate_capture(const char *name, uint64_t random)
{
    struct buf request;
    struct buf mutant;

    samples_load(&request, name);
    buf_init(&mutant, MUTANT_BYTES_MAX);
    assert_non_null(buf_reserve(&mutant, MUTANT_BYTES_MAX));
    for (unsigned i = 0; i < MUTATIONS_EACH; i++) {
        unsigned changes = 1 + next_random(&random) % 3;

        buf_clear(&mutant);
        buf_append(&mutant, request.data, request.len);
        while (changes-- > 0)
            mutate_once(&mutant, &random);
        try_exactly(buf_slice(&mutant));
    }
    buf_fini(&mutant);
    buf_fini(&request);
}

static void test_property_mutations_holds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(small_captures) / sizeof(small_captures[0]); i++)
        mutate_capture(small_captures[i], 0x9e3779b97f4a7c15ULL + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_property_captures_holds),     cmocka_unit_test(test_property_every_truncation_holds),
        cmocka_unit_test(test_property_merged_parts_holds), cmocka_unit_test(test_property_deepest_values_hold),
        cmocka_unit_test(test_property_mutations_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
