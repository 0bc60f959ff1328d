/*
 * bench_shape.c - lengths and noise from one seed.
 *
 * Noise, since a spool holds what is compressed, and a disk below may compress
 * what repeats.  All records end at the end of the same bytes, which are made
 * once: what makes a request of them stands at their different beginnings, and
 * is noise to those that are longer.  So a record costs no time and no memory
 * of its own.
 */
#include "bench_shape.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/*
 * What stands before the noise: ExportTraceServiceRequest, ResourceSpans,
 * ScopeSpans, Span, and its attribute "noise".  Lengths take four bytes
 * whatever they are, so each message begins at a fixed place.
 */
static const uint8_t head[] = {
    0x0a, 0,  0,   0,   0,                                                     /* resource_spans */
    0x12, 0,  0,   0,   0,                                                     /* scope_spans */
    0x12, 0,  0,   0,   0,                                                     /* spans */
    0x0a, 16, 1,   2,   3,   4,   5,   6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, /* trace_id */
    0x12, 8,  1,   2,   3,   4,   5,   6, 7, 8,                                /* span_id */
    0x39, 0,  0,   0,   0,   0,   0,   0, 0,                                   /* start_time_unix_nano */
    0x41, 0,  0,   0,   0,   0,   0,   0, 0,                                   /* end_time_unix_nano */
    0x4a, 0,  0,   0,   0,                                                     /* attributes */
    0x0a, 5,  'n', 'o', 'i', 's', 'e',                                         /* key */
    0x12, 0,  0,   0,   0,                                                     /* value */
    0x3a, 0,  0,   0,   0,                                                     /* bytes_value */
};

#define LENGTH_BYTES 4

/* Where lengths stand: each counts from behind itself to the end. */
static const size_t length_places[] = {1, 6, 11, 62, 74, 79};
static const size_t time_places[] = {44, 53};

/* splitmix64 */
static uint64_t next_random(struct bench_shape *shape)
{
    uint64_t value = shape->state += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

/* A varint of as many bytes as there is room for. */
static void put_length(uint8_t *out, size_t length)
{
    for (unsigned i = 0; i < LENGTH_BYTES; i++, length >>= 7)
        out[i] = (uint8_t)((length & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
}

static void put_head(uint8_t *record, size_t len, uint64_t now_ns)
{
    memcpy(record, head, sizeof(head));
    for (size_t i = 0; i < sizeof(length_places) / sizeof(length_places[0]); i++)
        put_length(record + length_places[i], len - length_places[i] - LENGTH_BYTES);
    for (size_t i = 0; i < sizeof(time_places) / sizeof(time_places[0]); i++) {
        for (unsigned byte = 0; byte < sizeof(now_ns); byte++)
            record[time_places[i] + byte] = (uint8_t)(now_ns >> (8 * byte));
    }
}

/* Heads must not reach into each other, so lengths that are too close are left out. */
static void choose_lengths(struct bench_shape *shape, size_t min_bytes, size_t max_bytes)
{
    double ratio = (double)max_bytes / (double)min_bytes;

    shape->lengths[shape->count++] = min_bytes;
    for (unsigned i = 1; i < BENCH_SHAPE_LENGTHS; i++) {
        size_t len = (size_t)((double)min_bytes * pow(ratio, (double)i / (BENCH_SHAPE_LENGTHS - 1)));

        if (len >= shape->lengths[shape->count - 1] + sizeof(head))
            shape->lengths[shape->count++] = len;
    }
}

int bench_shape_init(struct bench_shape *shape, size_t min_bytes, size_t max_bytes, uint64_t seed, struct err *err)
{
    uint64_t now_ns = clock_wall_ns();

    *shape = (struct bench_shape){.state = seed};
    if (min_bytes <= sizeof(head))
        return err_set(err, ERR_CONFIG, 0, "a record has more than %zu bytes", sizeof(head));
    choose_lengths(shape, min_bytes, max_bytes);
    shape->data_len = bench_shape_max(shape);
    shape->data = malloc(shape->data_len);
    if (shape->data == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory for a record of %zu bytes", shape->data_len);
    for (size_t at = 0; at < shape->data_len; at++)
        shape->data[at] = (uint8_t)next_random(shape);
    for (size_t i = 0; i < shape->count; i++)
        put_head(shape->data + shape->data_len - shape->lengths[i], shape->lengths[i], now_ns);
    return 0;
}

void bench_shape_fini(struct bench_shape *shape)
{
    free(shape->data);
    shape->data = NULL;
}

size_t bench_shape_max(const struct bench_shape *shape)
{
    return shape->lengths[shape->count - 1];
}

struct slice bench_shape_next(struct bench_shape *shape)
{
    size_t len = shape->lengths[next_random(shape) % shape->count];

    return slice_of(shape->data + shape->data_len - len, len);
}
