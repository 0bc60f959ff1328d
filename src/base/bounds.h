/*
 * bounds.h - every bound of tracespool that is not a configuration key.
 *
 * A queue, a batch, a nesting depth, a wait or a text that has no bound here
 * or in the configuration is a defect.  How bounds relate is asserted below,
 * so that changing one cannot silently break another.
 */
#ifndef TRACESPOOL_BOUNDS_H
#define TRACESPOOL_BOUNDS_H

#include <assert.h>

/* Texts. */
#define ERR_TEXT_MAX 512  /* struct err's text, with its NUL */
#define LOG_LINE_MAX 4096 /* one log line; longer ones are cut with "..." */
#define PARK_TEXT_MAX 512 /* why something was parked */
#define STATE_NAME_MAX 32 /* a name in the spool's state database */

/* OTLP. */
#define OTLP_DEPTH_MAX                                                                                                 \
    96 /* AnyValue nesting; MongoDB refuses documents nested over 100 levels,
                                 and resource.attributes / spans[].events[].attributes take the rest */
#define OTLP_WIRE_DEPTH_MAX                                                                                            \
    (2 * OTLP_DEPTH_MAX + 16)                 /* messages on the walk's stack: AnyValue and its list alternate */
#define OTLP_SPANS_MAX 1000000                /* spans in one request */
#define OTLP_DECODED_BYTES_MAX (1024UL << 20) /* memory that decoding one request may take */

/* Fragments: a document each.  BSON is about twice the wire size. */
#define FRAGMENT_SPANS_MAX 1000
#define FRAGMENT_WIRE_BYTES_MAX (2UL << 20)

/* Spool. */
#define SPOOL_PAGE_BYTES 4096UL
#define SPOOL_PART_PAGES 31 /* largest run of pages that one value takes */
#define SPOOL_SIZE_MIN_BYTES (16UL << 20)
#define SPOOL_SIZE_MAX_BYTES (16UL << 40)
#define SPOOL_GROUP_BYTES_MAX (16UL << 20)  /* payload bytes in one transaction */
#define SPOOL_GROUP_COUNT_MAX 1024          /* operations in one transaction */
#define SPOOL_QUEUE_BYTES_MAX (256UL << 20) /* payload bytes that wait for the writer */
#define SPOOL_QUEUE_COUNT_MAX 16384         /* operations that wait for the writer */
#define SPOOL_READERS_MAX 126               /* LMDB reader slots: flushers, admin and CLI processes */

/* Delivery. */
#define FLUSH_THREADS_MAX 16
#define FLUSH_RECORDS_MAX 1024            /* records in one batch */
#define FLUSH_READ_BYTES_MAX (64UL << 20) /* stored bytes read for one batch, unless one record is larger */
#define FLUSH_BACKOFF_MIN_MS 100
#define FLUSH_BACKOFF_MAX_MS 30000
#define SINK_DOCUMENT_BYTES_MAX (16UL << 20) /* MongoDB's limit on a document */
#define SINK_MESSAGE_BYTES_MAX (40UL << 20)  /* one insert command; MongoDB's limit is 48 MB */
#define SINK_MESSAGE_DOCUMENTS_MAX 10000     /* one insert command; MongoDB's limit is 100,000 */
#define SINK_PLACEMENT_PAST_DAYS 30          /* a start further back is filed under the day of receipt */
#define SINK_PLACEMENT_FUTURE_DAYS 1         /* the same for a start in the future */

/* Receiver. */
#define RECEIVER_THREADS_MAX 64
#define RECEIVER_RETRY_DELAY_MS 5000 /* RetryInfo, while the spool refuses */

static_assert(FRAGMENT_WIRE_BYTES_MAX * 4 <= SINK_DOCUMENT_BYTES_MAX,
              "a fragment's BSON must fit into a document with room for blow-up");
static_assert(SINK_DOCUMENT_BYTES_MAX < SINK_MESSAGE_BYTES_MAX, "a document must fit into a message");
static_assert(SPOOL_GROUP_BYTES_MAX <= SPOOL_QUEUE_BYTES_MAX, "a group gathers from the queue");
static_assert(SPOOL_GROUP_COUNT_MAX <= SPOOL_QUEUE_COUNT_MAX, "a group gathers from the queue");

#endif
