/*
 * intake_message.h - the bytes of one request, checked and made ready to be stored.
 */
#ifndef TRACESPOOL_INTAKE_MESSAGE_H
#define TRACESPOOL_INTAKE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "intake.h"
#include "otlp_codec.h"
#include "otlp_index.h"
#include "slice.h"

/* What the request is, once it is inflated. */
enum intake_format { INTAKE_PROTOBUF, INTAKE_JSON };

/* Memory that one thread uses for one message after the other. */
struct intake_scratch {
    struct buf inflated;
    struct buf converted; /* JSON as protobuf */
    struct buf deflated;
};

struct intake_message {
    struct slice payload; /* what to store: the bytes as they came, or in scratch->deflated; empty: nothing to store */
    enum otlp_codec codec;
    uint64_t raw_bytes;
    uint32_t by_validity[OTLP_VALIDITY_COUNT];
};

void intake_scratch_init(struct intake_scratch *scratch, size_t max_request_bytes);
void intake_scratch_fini(struct intake_scratch *scratch);

/* Forgets the last message; keeps at most INTAKE_SCRATCH_BYTES of each buffer. */
void intake_scratch_reset(struct intake_scratch *scratch);

/*
 * Checks `bytes`, which are compressed by `codec`, and prepares them.  The
 * message is valid until the scratch is reset, and as long as `bytes` are.
 * -1: ERR_POISON (EMSGSIZE: too large before or after inflating), ERR_BUSY out
 * of memory.
 */
int intake_message_read(struct intake_message *message, struct intake_scratch *scratch, enum intake_format format,
                        enum otlp_codec codec, struct slice bytes, const struct intake_options *options,
                        struct err *err);

#endif
