/*
 * receiver_message.c - from the bytes of a gRPC message to what the spool takes.
 *
 * Runs on a poller; knows neither gRPC nor the spool.  gzip is inflated into
 * the scratch, under the bound, to be checked, and stored as it came; what
 * came plain is checked and stored as zstd.  A message without a valid span is
 * not stored.
 *
 * What is wrong with the input is ERR_POISON; being short of memory is
 * ERR_BUSY, since the same request may pass later.
 */
#include "receiver_message.h"

#include <errno.h>

#include "fault.h"

/* zstd's worst case is under len + len / 128 + 1 KiB. */
#define DEFLATED_MAX(len) ((len) + (len) / 128 + 1024)

static const uint8_t zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};
static const uint8_t snappy_magic[] = {0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59};

void receiver_scratch_init(struct receiver_scratch *scratch, size_t max_request_bytes)
{
    arena_init(&scratch->index, RECEIVER_INDEX_BYTES_MAX);
    buf_init(&scratch->inflated, max_request_bytes);
    buf_init(&scratch->deflated, DEFLATED_MAX(max_request_bytes));
}

void receiver_scratch_fini(struct receiver_scratch *scratch)
{
    buf_fini(&scratch->deflated);
    buf_fini(&scratch->inflated);
    arena_fini(&scratch->index);
}

static void trim(struct buf *buf)
{
    size_t max = buf->max;

    if (buf->capacity <= RECEIVER_SCRATCH_BYTES) {
        buf_clear(buf);
        return;
    }
    buf_fini(buf);
    buf_init(buf, max);
}

void receiver_scratch_reset(struct receiver_scratch *scratch)
{
    arena_reset(&scratch->index, RECEIVER_SCRATCH_BYTES);
    trim(&scratch->inflated);
    trim(&scratch->deflated);
}

static bool starts_with(struct slice bytes, const uint8_t *magic, size_t len)
{
    return bytes.len >= len && memcmp(bytes.data, magic, len) == 0;
}

static int refuse_codec(const char *codec, struct err *err)
{
    return err_set(err, ERR_POISON, 0, "the request is compressed by %s; gzip and identity (no compression) work",
                   codec);
}

/*
 * gRPC core drops the name of an encoding that it does not know and hands the
 * message on as if it were plain, so these two are told by their first bytes.
 */
static int refuse_unnamed_codec(struct slice bytes, struct err *err)
{
    if (starts_with(bytes, zstd_magic, sizeof(zstd_magic)))
        return refuse_codec("zstd", err);
    if (starts_with(bytes, snappy_magic, sizeof(snappy_magic)))
        return refuse_codec("snappy", err);
    return 0;
}

/* The request's own bytes: `bytes`, or what they inflate to. */
static int unpack(struct slice *request, struct receiver_scratch *scratch, enum receiver_encoding encoding,
                  struct slice bytes, size_t max_request_bytes, struct err *err)
{
    if (bytes.len > max_request_bytes)
        return err_set(err, ERR_POISON, EMSGSIZE, "the request is %zu bytes, %zu are allowed", bytes.len,
                       max_request_bytes);
    *request = bytes;
    switch (encoding) {
    case RECEIVER_ENCODING_IDENTITY:
        return refuse_unnamed_codec(bytes, err);
    case RECEIVER_ENCODING_DEFLATE:
        return refuse_codec("deflate", err);
    case RECEIVER_ENCODING_GZIP:
        break;
    }
    if (otlp_codec_inflate(OTLP_CODEC_GZIP, bytes, max_request_bytes, &scratch->inflated, err) != 0)
        return -1;
    *request = buf_slice(&scratch->inflated);
    return 0;
}

static int deflate_plain(struct receiver_message *message, struct receiver_scratch *scratch, struct slice request,
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

int receiver_message_read(struct receiver_message *message, struct receiver_scratch *scratch,
                          enum receiver_encoding encoding, struct slice bytes, size_t max_request_bytes,
                          struct err *err)
{
    struct otlp_index index;
    struct slice request;

    *message = (struct receiver_message){0};
    if (unpack(&request, scratch, encoding, bytes, max_request_bytes, err) != 0)
        return -1;
    message->raw_bytes = request.len;
    if (otlp_index_build(&index, &scratch->index, request, err) != 0)
        return -1;
    memcpy(message->by_validity, index.by_validity, sizeof(message->by_validity));
    if (index.by_validity[OTLP_VALID] == 0)
        return 0;
    if (encoding == RECEIVER_ENCODING_IDENTITY)
        return deflate_plain(message, scratch, request, err);
    message->codec = OTLP_CODEC_GZIP;
    message->payload = bytes;
    return 0;
}
