/*
 * flush_batch.c - inflate, index, cut.
 *
 * Everything was validated by the same index when it was received, so a
 * record that fails here was damaged in a way its checksum does not see, or
 * was written by another version; the caller parks it.
 */
#include "flush_batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "otlp_codec.h"
#include "otlp_index.h"

/* Kept between batches: what an ordinary batch needs, so that only unusual ones call malloc. */
#define BATCH_KEEP_BYTES (8UL << 20)

void flush_batch_init(struct flush_batch *batch, size_t max_request_bytes)
{
    memset(batch, 0, sizeof(*batch));
    arena_init(&batch->arena, FLUSH_ARENA_BYTES_MAX);
    buf_init(&batch->inflated, max_request_bytes + FLUSH_WRAP_BYTES_MAX + FLUSH_PARK_BYTES);
    batch->max_request_bytes = max_request_bytes;
}

void flush_batch_fini(struct flush_batch *batch)
{
    free(batch->fragments);
    free(batch->origins);
    arena_fini(&batch->arena);
    buf_fini(&batch->inflated);
}

void flush_batch_clear(struct flush_batch *batch)
{
    batch->count = 0;
    batch->seq_count = 0;
    batch->raw_bytes = 0;
    batch->last_count = 0;
    arena_reset(&batch->arena, BATCH_KEEP_BYTES);
    if (batch->inflated.capacity > BATCH_KEEP_BYTES)
        buf_fini(&batch->inflated);
}

static int make_room(struct flush_batch *batch, size_t more, struct err *err)
{
    size_t capacity = batch->capacity == 0 ? 1024 : batch->capacity;
    struct otlp_fragment *fragments;
    uint64_t *origins;

    while (capacity < batch->count + more)
        capacity *= 2;
    if (capacity == batch->capacity)
        return 0;
    fragments = realloc(batch->fragments, capacity * sizeof(*fragments));
    if (fragments == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for %zu fragments", capacity);
    batch->fragments = fragments;
    origins = realloc(batch->origins, capacity * sizeof(*origins));
    if (origins == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for %zu fragments", capacity);
    batch->origins = origins;
    batch->capacity = capacity;
    return 0;
}

/* The request's bytes, inflated, in the batch's arena. */
static int inflate(struct flush_batch *batch, const struct spool_record *record, struct slice *request, struct err *err)
{
    uint8_t *bytes;

    if (record->damaged)
        return err_set(err, ERR_POISON, 0, "the record is damaged: its checksum does not match");
    if (otlp_codec_inflate(record->codec, record->payload, batch->max_request_bytes, &batch->inflated, err) != 0)
        return -1;
    bytes = arena_alloc(&batch->arena, batch->inflated.len);
    if (bytes == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for a request of %zu bytes", batch->inflated.len);
    if (batch->inflated.len > 0)
        memcpy(bytes, batch->inflated.data, batch->inflated.len);
    *request = slice_of(bytes, batch->inflated.len);
    return 0;
}

int flush_batch_add(struct flush_batch *batch, const struct spool_record *record, struct err *err)
{
    struct otlp_fragment *fragments;
    struct otlp_index *index;
    struct slice request;
    size_t count;

    assert(batch->seq_count < FLUSH_RECORDS_MAX);
    if (inflate(batch, record, &request, err) != 0)
        return -1;
    index = arena_alloc(&batch->arena, sizeof(*index)); /* fragments point to it */
    if (index == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for an index");
    if (otlp_index_build(index, &batch->arena, request, err) != 0)
        return -1;
    if (otlp_fragment_build(&fragments, &count, &batch->arena, index, record->received_ns, err) != 0)
        return -1;
    if (make_room(batch, count, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        batch->fragments[batch->count + i] = fragments[i];
        batch->origins[batch->count + i] = record->seq;
    }
    batch->count += count;
    batch->last_count = count;
    batch->raw_bytes += request.len;
    batch->seqs[batch->seq_count++] = record->seq;
    return 0;
}
