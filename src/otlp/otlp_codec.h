/*
 * otlp_codec.h - compression of requests, each way under a bound.
 *
 * The numbers are stored in spool records: never renumber.
 */
#ifndef TRACESPOOL_OTLP_CODEC_H
#define TRACESPOOL_OTLP_CODEC_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"
#include "slice.h"

enum otlp_codec {
    OTLP_CODEC_IDENTITY = 0,
    OTLP_CODEC_GZIP = 1,
    OTLP_CODEC_ZSTD = 2,
    OTLP_CODEC_DEFLATE = 3, /* zlib, RFC 1950: what gRPC and HTTP call deflate */
    OTLP_CODEC_SNAPPY = 4,  /* framed, as gRPC's clients send it, or one block, as HTTP's do */
};

/* All of them: for people, and as a list of HTTP's or gRPC's. */
#define OTLP_CODEC_NAMES "gzip, deflate, zstd, snappy and identity (no compression)"
#define OTLP_CODEC_LIST "gzip, deflate, zstd, snappy, identity"

/* By its name in HTTP and gRPC, whatever its case.  False: none has it. */
bool otlp_codec_parse(struct slice name, enum otlp_codec *codec);

/*
 * Inflates `in` into `out` (cleared first); no more than `max_bytes` are ever
 * produced or held, whatever the stream claims.  Any thread.
 * -1: ERR_POISON with code EMSGSIZE when it would pass the bound, ERR_POISON
 * when it is damaged, truncated or followed by garbage; ERR_BUSY out of memory.
 */
int otlp_codec_inflate(enum otlp_codec codec, struct slice in, size_t max_bytes, struct buf *out, struct err *err);

/*
 * Compresses `in` into `out` (cleared first).  zstd: level 1, or less where
 * that is faster.  Any thread.
 * Not for deflate and snappy, which are only ever inflated: what comes in them
 * is stored as zstd.
 * -1: ERR_BUSY out of memory, ERR_POISON for a codec that it is not for.
 */
int otlp_codec_deflate(enum otlp_codec codec, struct slice in, struct buf *out, struct err *err);

const char *otlp_codec_name(enum otlp_codec codec); /* "identity", "gzip", "zstd", "deflate", "snappy", or "unknown" */

#endif
