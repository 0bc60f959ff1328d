/*
 * ctl_batch.c - from a record's bytes to its parts, under bounds.
 *
 * The record says how long it is uncompressed, and the receiver took no
 * longer one, so that is the bound on inflating.  A batch that cannot be
 * inflated or walked is told to the caller, who goes on with the next.
 */
#include "ctl_batch.h"

#include <inttypes.h>
#include <stdio.h>

#include "otlp_codec.h"
#include "otlp_decode.h"

#define KEEP_BYTES (4UL << 20) /* of an arena, from one batch to the next */

void ctl_batch_init(struct ctl_batch *batch)
{
    *batch = (struct ctl_batch){.request = slice_of(NULL, 0)};
    arena_init(&batch->stored, CTL_REQUEST_BYTES_MAX + KEEP_BYTES);
    buf_init(&batch->raw, CTL_REQUEST_BYTES_MAX);
    arena_init(&batch->decoded, OTLP_DECODED_BYTES_MAX);
}

void ctl_batch_fini(struct ctl_batch *batch)
{
    arena_fini(&batch->stored);
    buf_fini(&batch->raw);
    arena_fini(&batch->decoded);
}

int ctl_batch_read(struct ctl_batch *batch, struct spool *spool, uint64_t seq, struct err *err)
{
    int found;

    arena_reset(&batch->stored, KEEP_BYTES);
    found = spool_read(spool, seq, &batch->stored, &batch->record, err);
    batch->mapped += found > 0 ? batch->record.stored_bytes : 0;
    if (batch->mapped >= CTL_RESIDENT_BYTES) {
        spool_forget_pages(spool);
        batch->mapped = 0;
    }
    return found;
}

int ctl_batch_inflate(struct ctl_batch *batch, struct err *err)
{
    const struct spool_record *record = &batch->record;
    size_t max = record->raw_bytes < CTL_REQUEST_BYTES_MAX ? record->raw_bytes : CTL_REQUEST_BYTES_MAX;

    if (record->codec == OTLP_CODEC_IDENTITY) {
        batch->request = record->payload;
        return 0;
    }
    if (otlp_codec_inflate((enum otlp_codec)record->codec, record->payload, max, &batch->raw, err) < 0)
        return -1;
    batch->request = buf_slice(&batch->raw);
    return 0;
}

int ctl_batch_walk(struct ctl_batch *batch, struct err *err)
{
    arena_reset(&batch->decoded, KEEP_BYTES);
    return otlp_index_build(&batch->index, &batch->decoded, batch->request, err);
}

static int look_inside(struct ctl_batch *batch, struct err *err)
{
    if (batch->record.damaged)
        return err_set(err, ERR_POISON, 0, "a part is missing or its checksum is wrong");
    if (ctl_batch_inflate(batch, err) < 0)
        return -1;
    return ctl_batch_walk(batch, err);
}

int ctl_batch_look(struct ctl_batch *batch, struct spool *spool, uint64_t seq, struct err *err)
{
    int found = ctl_batch_read(batch, spool, seq, err);

    if (found > 0)
        batch->readable = look_inside(batch, &batch->unreadable) == 0;
    return found;
}

void ctl_batch_look_at(struct ctl_batch *batch, struct slice request)
{
    batch->request = request;
    batch->readable = ctl_batch_walk(batch, &batch->unreadable) == 0;
}

int ctl_batch_service(struct ctl_batch *batch, uint32_t resource, struct slice *service, struct err *err)
{
    struct slice bytes = batch->index.resources[resource].bytes;
    const Otlp__Resource *decoded;

    *service = slice_of(NULL, 0);
    if (bytes.len == 0)
        return 0;
    if (otlp_decode_resource(&decoded, &batch->decoded, bytes, err) < 0)
        return -1;
    *service = otlp_attribute_string(decoded->attributes, decoded->n_attributes, "service.name");
    return 0;
}

bool ctl_batch_has_service(struct ctl_batch *batch, struct slice service)
{
    const struct otlp_index *index = &batch->index;
    uint32_t looked_at = UINT32_MAX;

    if (memmem(batch->request.data, batch->request.len, service.data, service.len) == NULL)
        return false;
    for (uint32_t i = 0; i < index->span_count; i++) {
        uint32_t resource = index->scopes[index->spans[i].scope].resource;
        struct slice name;

        if (resource == looked_at)
            continue;
        looked_at = resource;
        if (ctl_batch_service(batch, resource, &name, &batch->unreadable) < 0) {
            batch->readable = false;
            return false;
        }
        if (slice_equal(name, service))
            return true;
    }
    return false;
}

static void add_service(struct ctl_services *services, struct slice name)
{
    for (size_t i = 0; i < services->count; i++) {
        if (slice_equal(services->names[i], name))
            return;
    }
    if (services->count == CTL_SERVICES_MAX)
        services->more = true;
    else
        services->names[services->count++] = name;
}

int ctl_batch_services(struct ctl_batch *batch, struct ctl_services *services, struct err *err)
{
    *services = (struct ctl_services){.count = 0};
    for (uint32_t i = 0; i < batch->index.resource_count && !services->more; i++) {
        struct slice name;

        if (ctl_batch_service(batch, i, &name, err) < 0)
            return -1;
        if (name.len > 0)
            add_service(services, name);
    }
    return 0;
}

const char *ctl_batch_missing(char out[CTL_MISSING_TEXT_MAX], uint64_t seq, uint64_t next_seq)
{
    if (seq < next_seq)
        snprintf(out, CTL_MISSING_TEXT_MAX, "there is no such batch; it has been removed, or gave way to newer ones");
    else if (next_seq > 1)
        snprintf(out, CTL_MISSING_TEXT_MAX, "there is no such batch; the newest is %" PRIu64, next_seq - 1);
    else
        snprintf(out, CTL_MISSING_TEXT_MAX, "there is no such batch; none has come yet");
    return out;
}
