/*
 * receiver_message.h - the bytes of one request, checked and made ready to be stored.
 */
#ifndef TRACESPOOL_RECEIVER_MESSAGE_H
#define TRACESPOOL_RECEIVER_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "otlp_codec.h"
#include "otlp_index.h"
#include "slice.h"

/* How gRPC says that a message is compressed. */
enum receiver_encoding { RECEIVER_ENCODING_IDENTITY, RECEIVER_ENCODING_GZIP, RECEIVER_ENCODING_DEFLATE };

/* Memory that one thread uses for one message after the other. */
struct receiver_scratch {
    struct arena index;
    struct buf inflated;
    struct buf deflated;
};

struct receiver_message {
    struct slice payload; /* what to store: the bytes as they came, or in scratch->deflated; empty: nothing to store */
    enum otlp_codec codec;
    uint64_t raw_bytes;
    uint32_t by_validity[OTLP_VALIDITY_COUNT];
};

void receiver_scratch_init(struct receiver_scratch *scratch, size_t max_request_bytes);
void receiver_scratch_fini(struct receiver_scratch *scratch);

/* Forgets the last message; keeps at most RECEIVER_SCRATCH_BYTES of each buffer. */
void receiver_scratch_reset(struct receiver_scratch *scratch);

/*
 * Checks `bytes` and prepares them.  The message is valid until the scratch is
 * reset, and as long as `bytes` are.  -1: ERR_POISON (EMSGSIZE: too large
 * before or after inflating), ERR_BUSY out of memory.
 */
int receiver_message_read(struct receiver_message *message, struct receiver_scratch *scratch,
                          enum receiver_encoding encoding, struct slice bytes, size_t max_request_bytes,
                          struct err *err);

#endif
