/*
 * packers.h - compresses for tests in every codec that the receiver inflates.
 */
#ifndef TRACESPOOL_TEST_PACKERS_H
#define TRACESPOOL_TEST_PACKERS_H

#include "otlp_codec.h"

/* Each replaces what `out` holds and ends the program when it has no room. */
void pack(enum otlp_codec codec, struct slice in, struct buf *out); /* snappy: framed */
void pack_snappy_block(struct slice in, struct buf *out);

/* Appends a chunk of a framed snappy stream with its length. */
void pack_snappy_chunk(unsigned type, struct slice body, struct buf *out);

/* A chunk of plain data, with its checksum. */
void pack_snappy_plain(struct slice data, struct buf *out);

#endif
