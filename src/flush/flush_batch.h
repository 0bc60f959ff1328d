/*
 * flush_batch.h - records of the spool as fragments for the sink.
 *
 * A batch belongs to one thread and is used again and again.
 */
#ifndef TRACESPOOL_FLUSH_BATCH_H
#define TRACESPOOL_FLUSH_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "otlp_fragment.h"
#include "spool.h"

struct flush_batch {
    struct otlp_fragment *fragments; /* `count` of them, in the records' order */
    uint64_t *origins;               /* for each fragment the record that it came from */
    size_t count;
    size_t capacity;
    uint64_t seqs[FLUSH_RECORDS_MAX]; /* records that the batch covers, those without a valid span included */
    size_t seq_count;
    uint64_t raw_bytes; /* requests' bytes, inflated */
    size_t last_count;  /* fragments of the record that was added last */

    struct arena arena;  /* requests, indexes, fragments' span lists */
    struct buf inflated; /* one request; between fillings it is the deliverer's, for spans to be parked */
    size_t max_request_bytes;
};

void flush_batch_init(struct flush_batch *batch, size_t max_request_bytes);
void flush_batch_fini(struct flush_batch *batch);
void flush_batch_clear(struct flush_batch *batch);

/*
 * Adds a record's fragments.  `record` and its payload may go afterwards.
 * -1, and the batch is as before: ERR_POISON when the record is damaged or
 * does not decode, ERR_BUSY when memory is short.
 */
int flush_batch_add(struct flush_batch *batch, const struct spool_record *record, struct err *err);

#endif
