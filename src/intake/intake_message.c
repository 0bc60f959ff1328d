/*
 * intake_message.c - from the bytes of a request to what the spool takes.
 *
 * Runs on a thread that receives; knows neither transport nor spool.  What is
 * compressed is inflated into the scratch, under the bound, to be checked.
 * gzip and zstd are stored as they came; what came otherwise, and what came as
 * JSON, is stored as zstd.  A message without a valid span is not stored.
 *
 * What is wrong with the input is ERR_POISON; being short of memory is
 * ERR_BUSY, since the same request may pass later.
 */
#include "intake_message.h"

#include <errno.h>

#include "fault.h"
#include "otlp_json_read.h"

/* zstd's worst case is under len + len / 128 + 1 KiB. */
#define DEFLATED_MAX(len) ((len) + (len) / 128 + 1024)

void intake_scratch_init(struct intake_scratch *scratch, size_t max_request_bytes)
{
    buf_init(&scratch->inflated, max_request_bytes);
    buf_init(&scratch->converted, max_request_bytes);
    buf_init(&scratch->deflated, DEFLATED_MAX(max_request_bytes));
}

void intake_scratch_fini(struct intake_scratch *scratch)
{
    buf_fini(&scratch->deflated);
    buf_fini(&scratch->converted);
    buf_fini(&scratch->inflated);
}

static void trim(struct buf *buf)
{
    size_t max = buf->max;

    if (buf->capacity <= INTAKE_SCRATCH_BYTES) {
        buf_clear(buf);
        return;
    }
    buf_fini(buf);
    buf_init(buf, max);
}

void intake_scratch_reset(struct intake_scratch *scratch)
{
    trim(&scratch->inflated);
    trim(&scratch->converted);
    trim(&scratch->deflated);
}

/* The request's own bytes: `bytes`, or what they inflate to. */
static int inflate(struct slice *request, struct intake_scratch *scratch, enum otlp_codec codec, struct slice bytes,
                   size_t max_request_bytes, struct err *err)
{
    if (bytes.len > max_request_bytes)
        return err_set(err, ERR_POISON, EMSGSIZE, "the request is %zu bytes, %zu are allowed", bytes.len,
                       max_request_bytes);
    *request = bytes;
    if (codec == OTLP_CODEC_IDENTITY)
        return 0;
    if (otlp_codec_inflate(codec, bytes, max_request_bytes, &scratch->inflated, err) != 0)
        return -1;
    *request = buf_slice(&scratch->inflated);
    return 0;
}

static int convert(struct slice *request, struct intake_scratch *scratch, size_t max_request_bytes, struct err *err)
{
    if (otlp_json_read(*request, max_request_bytes, &scratch->converted, err) != 0)
        return -1;
    *request = buf_slice(&scratch->converted);
    return 0;
}

static int deflate(struct intake_message *message, struct intake_scratch *scratch, struct slice request,
                   struct err *err)
{
    int fault = fault_point("receiver.deflate");

    if (fault != 0)
        return err_set(err, ERR_BUSY, fault, "no memory to compress the request");
    if (otlp_codec_deflate(OTLP_CODEC_ZSTD, request, &scratch->deflated, err) != 0)
        return -1;
    message->codec = OTLP_CODEC_ZSTD;
    message->payload = buf_slice(&scratch->deflated);
    return 0;
}

static bool is_stored_as_it_came(enum intake_format format, enum otlp_codec codec)
{
    return format == INTAKE_PROTOBUF && (codec == OTLP_CODEC_GZIP || codec == OTLP_CODEC_ZSTD);
}

int intake_message_read(struct intake_message *message, struct intake_scratch *scratch, enum intake_format format,
                        enum otlp_codec codec, struct slice bytes, const struct intake_options *options,
                        struct err *err)
{
    struct otlp_summary summary;
    struct slice request;

    *message = (struct intake_message){0};
    if (inflate(&request, scratch, codec, bytes, options->max_request_bytes, err) != 0)
        return -1;
    if (format == INTAKE_JSON && convert(&request, scratch, options->max_request_bytes, err) != 0)
        return -1;
    message->raw_bytes = request.len;
    if (otlp_index_check(&summary, request, err) != 0)
        return -1;
    if (summary.depth > options->max_depth)
        return err_set(err, ERR_POISON, ERANGE, "attribute values nest %u deep, %u levels are allowed", summary.depth,
                       options->max_depth);
    memcpy(message->by_validity, summary.by_validity, sizeof(message->by_validity));
    if (summary.by_validity[OTLP_VALID] == 0)
        return 0;
    if (!is_stored_as_it_came(format, codec))
        return deflate(message, scratch, request, err);
    message->codec = codec;
    message->payload = bytes;
    return 0;
}
