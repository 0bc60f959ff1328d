/*
 * otlp_codec_internal.h - what the codecs share.  For this folder.
 */
#ifndef TRACESPOOL_OTLP_CODEC_INTERNAL_H
#define TRACESPOOL_OTLP_CODEC_INTERNAL_H

#include <libdeflate.h>
#include <zstd.h>

#include "otlp_codec.h"

/*
 * Working memory of the calling thread: made at first use, given back when the
 * thread ends.  NULL when memory is short.
 */
struct libdeflate_decompressor *otlp_codec_context_inflate(void);
ZSTD_DCtx *otlp_codec_context_unzstd(void);
ZSTD_CCtx *otlp_codec_context_zstd(void);

/* `out` is empty, and its max is the bound. */
int otlp_codec_gzip_inflate(struct slice in, struct buf *out, struct err *err);
int otlp_codec_zlib_inflate(struct slice in, struct buf *out, struct err *err);
int otlp_codec_zstd_inflate(struct slice in, struct buf *out, struct err *err);
int otlp_codec_snappy_inflate(struct slice in, struct buf *out, struct err *err);

/* `out` is empty. */
int otlp_codec_gzip_deflate(struct slice in, struct buf *out, struct err *err);
int otlp_codec_zstd_deflate(struct slice in, struct buf *out, struct err *err);

/* CRC-32C (Castagnoli), which snappy's frames carry; zlib's and gzip's is another polynomial. */
uint32_t otlp_codec_crc32c(struct slice data);

/* Each fills `err` and returns -1. */
int otlp_codec_too_large(enum otlp_codec codec, size_t max_bytes, struct err *err);
int otlp_codec_no_memory(enum otlp_codec codec, struct err *err);

#endif
