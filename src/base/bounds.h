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
#define ERR_TEXT_MAX 512    /* struct err's text, with its NUL */
#define LOG_LINE_MAX 4096   /* one log line; longer ones are cut with "..." */
#define LOG_EVENTS_MAX 128  /* whose repetition is watched; there are fewer */
#define LOG_REPEAT_BURST 20 /* lines of one event in LOG_REPEAT_MS; more are counted and left out */
#define LOG_REPEAT_MS 10000
#define PARK_TEXT_MAX 512 /* why something was parked */
#define STATE_NAME_MAX 32 /* a name in the spool's state database */

/* OTLP. */
/*
 * AnyValue nesting.  MongoDB documents a limit of 100 levels; an event's or a
 * link's attributes are level 6 of our document, and a reader may wrap it.
 */
#define OTLP_DEPTH_MAX 90
#define OTLP_WIRE_DEPTH_MAX                                                                                            \
    (3 * OTLP_DEPTH_MAX + 16)                 /* messages on the walk's stack: AnyValue, KeyValueList, KeyValue, ... */
#define OTLP_SPANS_MAX 1000000                /* spans in one request */
#define OTLP_GROUPS_MAX 1000000               /* ResourceSpans, and ScopeSpans, in one request */
#define OTLP_DECODED_BYTES_MAX (1024UL << 20) /* memory that decoding one request may take */
#define OTLP_JSON_NUMBER_MAX 512              /* characters of a number in OTLP/JSON: "%f" of the largest takes 316 */

/* Fragments: a document each.  BSON is about twice the wire size. */
#define FRAGMENT_SPANS_MAX 1000
#define FRAGMENT_WIRE_BYTES_MAX (2UL << 20)
#define FRAGMENT_PROBES_MAX 256 /* steps of one look-up while spans are grouped: ids may be chosen to collide */

/* Spool. */
#define SPOOL_PAGE_BYTES 4096UL
#define SPOOL_PART_PAGES 31 /* largest run of pages that one value takes */
#define SPOOL_SIZE_MIN_BYTES (16UL << 20)
#define SPOOL_SIZE_MAX_BYTES (16UL << 40)
#define SPOOL_GROUP_BYTES_MAX (16UL << 20)   /* payload bytes in one transaction */
#define SPOOL_GROUP_COUNT_MAX 1024           /* operations in one transaction */
#define SPOOL_QUEUE_BYTES_MAX (256UL << 20)  /* payload bytes that wait for the writer */
#define SPOOL_QUEUE_COUNT_MAX 16384          /* operations that wait for the writer */
#define SPOOL_READERS_MAX 126                /* LMDB reader slots: flushers, admin and CLI processes */
#define SPOOL_LOCK_TABLE_BYTES (16UL << 10)  /* allocated for LMDB's table of readers */
#define SPOOL_GROUP_SHARE 32                 /* a transaction appends at most size / this, in pages, or one record */
#define SPOOL_HEADROOM_SHARE 16              /* no record is admitted into the last size / this, */
#define SPOOL_HEADROOM_MIN_BYTES (1UL << 20) /* or into two groups and this, whichever is more */
#define SPOOL_RECORD_SHARE 2                 /* the largest record takes (size - headroom) / this */
#define SPOOL_TXN_SLACK_PAGES 64UL           /* tree and free-list pages that one transaction copies, with room */
#define SPOOL_EVICT_RECORDS_MAX 65536        /* delivered records removed in one transaction to make room */
#define SPOOL_EXPIRE_RECORDS_MAX 256         /* delivered records removed in one transaction because of their age */
#define SPOOL_TICK_MS 1000                   /* how often the idle writer looks at history, room and dead readers */
#define SPOOL_HOLD_MS 2000                   /* no new try for so long after LMDB or the disk had no page */
#define SPOOL_RETRY_MIN_MS 1000              /* shortest delay that a refused sender is asked for */
#define SPOOL_RETRY_MAX_MS 30000             /* longest, and what it is while nothing drains */
#define SPOOL_DRAIN_SMOOTH_MS 5000           /* over which the rate of deliveries is smoothed */
#define SPOOL_PACE_MS 5000                   /* between two marks from which the pace of a drain is measured */
#define SPOOL_PACE_MIN_MS 1000               /* of it, before a pace is believed */
#define SPOOL_ORDER_SLACK_MS 60000           /* that records may be out of the order of their times and be marked */
#define SPOOL_ORDER_TRIES 16                 /* records looked at for a marked one, at each step of a search */
#define SPOOL_DROP_QUIET_MS 10000            /* without a drop, after which dropping has ended */
#define SPOOL_GROW_BYTES (16UL << 20)        /* a file that is not reserved is allocated ahead in these steps */
#define SPOOL_READ_STEP_BYTES (8UL << 20)    /* copied out in one read transaction, unless one record is larger */
#define SPOOL_EDIT_RECORDS_MAX 1024          /* records that an operator's command looks at in one write transaction */
#define SPOOL_SHRINK_SLACK_BYTES (4UL << 20) /* that removing history may write while a spool is made smaller */
#define SPOOL_EDIT_SLACK_PAGES 512UL         /* tree and free-list pages that one of these may write */
#define SPOOL_DROP_RECORDS_MAX 4096        /* pending records dropped in one transaction, with when_full drop_oldest */
#define SPOOL_ASIDE_MAX 64                 /* damaged files kept beside a spool */
#define SPOOL_WALK_DEPTH_MAX 32            /* levels of a tree of LMDB's, its own CURSOR_STACK */
#define SPOOL_WALK_DATABASES_MAX 16        /* of one file: LMDB has two of its own, a spool five */
#define SPOOL_PIN_MS 1000                  /* how long a check may pin a snapshot beside a running daemon */
#define SPOOL_PARKED_BYTES_MAX (1UL << 30) /* one parked entry */
#define SPOOL_SALVAGE_WINDOW_BYTES (4UL << 20) /* of a file that is searched, in memory at a time, and one part more */
#define SPOOL_SALVAGE_PARTS_MAX (1UL << 24)    /* parts in memory, 48 bytes each; what is above is a pass of its own */
#define SPOOL_SALVAGE_BYTES_MAX (1088UL << 20) /* one record: the largest request, and what compressing it may add */
#define SPOOL_SALVAGE_SEQS_MAX 64              /* incomplete records that are named */
#define SPOOL_CHECK_FINDINGS_MAX 64            /* findings of a check that are kept with their texts */
#define SPOOL_CHECK_KEYS_MAX 4096              /* keys that a check looks at in one read transaction */

/* Delivery. */
#define FLUSH_THREADS_MAX 16
#define FLUSH_RECORDS_MAX 1024           /* records in one batch */
#define FLUSH_READ_BYTES_MAX (8UL << 20) /* stored bytes of one claim, unless one record is larger: a full batch */
#define FLUSH_CLAIM_SPANS_MIN 8192       /* a claim is not cut below that for the others: about 1,000 documents */
#define FLUSH_CLAIM_SHARE 2              /* so many claims a thread in what is pending, while they are larger */
#define FLUSH_READ_NEWEST_BYTES_MAX (1UL << 20) /* the same of the newest records: later ones wait for it to be done */
#define FLUSH_BATCH_RAW_BYTES_MAX (32UL << 20)  /* requests' bytes in one batch, unless one request is larger */
#define FLUSH_ARENA_BYTES_MAX (2048UL << 20)    /* a batch's requests, indexes and fragments */
#define FLUSH_PARK_MAX 256                      /* refused spans that are parked together */
#define FLUSH_PARK_BYTES (4UL << 20)            /* the same; one that is larger goes alone */
#define FLUSH_WRAP_BYTES_MAX 4096               /* what wrapping one span as a request may add */
#define FLUSH_BACKOFF_MIN_MS 100
#define FLUSH_BACKOFF_MAX_MS 30000
#define FLUSH_OVERLOAD_STEPS 3               /* an overload is waited for like so many more failures in a row */
#define FLUSH_PROBE_MS 30000                 /* and more, between tries of what only a person mends */
#define FLUSH_NOTE_MS 5000                   /* between notes of what flows, in the spool, for `tracespool status` */
#define FLUSH_NOTE_FAILED_MS 1000            /* the same of what fails; at most so much later status knows of it */
#define FLUSH_UNKNOWN_MS 600000              /* an error that nobody knows: then the batch is taken apart */
#define FLUSH_WRITE_STEPS 8                  /* successes until a write that was halved is as large as before */
#define FLUSH_RATE_MAX 100000000UL           /* spans a second */
#define SINK_DOCUMENT_BYTES_MAX (16UL << 20) /* MongoDB's limit on a document */
#define SINK_RESTORED_BYTES_MAX (3 * SINK_DOCUMENT_BYTES_MAX) /* a document as protobuf: a null takes 3 bytes, then 7 */
#define SINK_MESSAGE_BYTES_MAX (40UL << 20)                   /* one insert command; MongoDB's limit is 48 MB */
#define SINK_MESSAGE_DOCUMENTS_MAX 10000                      /* one insert command; MongoDB's limit is 100,000 */
#define SINK_PLACEMENT_PAST_DAYS 30         /* a start further back is filed under the day of receipt */
#define SINK_PLACEMENT_FUTURE_DAYS 1        /* the same for a start in the future */
#define SINK_NESTING_MAX 100                /* levels of a document, by MongoDB's documentation */
#define SINK_ATTRIBUTES_LEVEL 6             /* where the deepest attributes are: document, spans, span, events, event */
#define SINK_ARENA_BYTES_MAX (2048UL << 20) /* one fragment, decoded, and its keys */
#define SINK_ARENA_KEEP_BYTES (16UL << 20)  /* of it, what a session keeps between fragments */
#define SINK_DAYS_KNOWN_MAX 1024            /* days whose collections are known to be there */
#define SINK_DAY_RECHECK_S 600              /* then a day's collection and indexes are asked for again */
#define SINK_APART_LOOK_MS 1000             /* the same, whether anything of a day was taken apart, when nothing was */
#define SINK_APART_NOTES_MAX 100            /* fragments that are noted together when they are taken apart */
#define SINK_VIEW_DAYS_MAX 900              /* days that the views join; MongoDB allows 1000 stages */
#define SINK_VIEW_ROUNDS_MAX 8              /* tries to catch up with days that others make meanwhile */
#define SINK_VIEW_RETRY_S 10                /* then views that could not be changed are tried again */
#define SINK_UPKEEP_INTERVAL_S 3600         /* between two passes over the days */
#define SINK_UPKEEP_MIDNIGHT_S 30           /* after which a new day is looked at */
#define SINK_UPKEEP_RETRY_S 10              /* after a failure that may pass by itself */
#define SINK_SPACE_INTERVAL_S 10            /* between two looks at the room on MongoDB's volume */
#define SINK_SPACE_SLACK_SHARE 10           /* what was full opens again with so much more, a part of what is asked */
#define SINK_SHARD_NAME_MAX 64              /* of a shard's name, what is told */
#define SINK_SHARD_WAIT_S 60                /* for which a day that cannot be sharded at the moment waits */
#define SINK_DROP_PAUSE_S 360               /* between two drops: mongod frees the files about 5 minutes later */
#define SINK_MIN_FREE_SHARE_MAX 900000UL    /* millionths of the volume; with the slack, it can be reached */
#define SINK_CONNECT_TIMEOUT_MS 3000        /* these four unless the connection string says otherwise */
#define SINK_SELECTION_TIMEOUT_MS 3000
#define SINK_SOCKET_TIMEOUT_MS 30000
#define SINK_WRITE_TIMEOUT_MS 10000 /* for the majority to have it */
#define SINK_RENEW_S 30             /* without a server that can be selected, then the driver begins anew */
#define SINK_URI_BYTES_MAX 8192     /* a masked connection string */

/* Receiver: what is common to its endpoints. */
#define RECEIVER_THREADS_MAX 64
#define RECEIVER_SLACK_MS 1000           /* to close connections in order, when the calls' time is over */
#define INTAKE_SMALL_BYTES (512UL << 10) /* as it came and inflated: what is checked where it comes in */
#define INTAKE_SCRATCH_BYTES (4UL << 20) /* what a thread keeps of each of its buffers between calls */

/* Receiver: HTTP. */
#define HTTP_CONN_BYTES (32UL << 10)   /* a connection has so much beside its head: pieces of the body */
#define HTTP_MESSAGE_ROOM (64UL << 10) /* a body has so much room at once, a larger one by doubling */
#define HTTP_DROPPED_FACTOR 4          /* times max_request_bytes: of a refused body, before its client is told */
#define HTTP_SWEEP_MS 1000             /* how often deadlines are looked at, or a quarter of read_timeout */

/* Receiver: gRPC over HTTP/2. */
#define H2_STREAMS_MAX 256                 /* calls at a time on one connection */
#define H2_CALLS_FACTOR 2                  /* times max_calls: calls that exist, those that are refused included */
#define H2_STREAM_WINDOW_BYTES (1UL << 20) /* what a client may send of a call ahead of us */
#define H2_CONN_WINDOW_BYTES (8UL << 20)   /* and of all calls of a connection */
#define H2_FRAME_BYTES_MAX (64UL << 10)    /* larger than the protocol's default: fewer frames for a large request */
#define H2_READ_BYTES (64UL << 10)         /* at once from a connection; one buffer a thread */
#define H2_TURN_BYTES (256UL << 10)        /* from one connection before another gets its turn */
#define H2_TURN_US 500                     /* the same, for what costs more */
#define H2_OUT_GATHER_BYTES (32UL << 10)   /* answers that are gathered into one write */
#define H2_OUT_BYTES_MAX (128UL << 10)     /* and the last one of them */
#define H2_HOLD_STEP (64UL << 10)          /* in which a message that comes in is counted */
#define H2_MESSAGE_ROOM (512UL << 10)      /* a message has so much room at once, a larger one by doubling */
#define H2_HEALTH_BYTES_MAX 1024           /* a health check's request */
#define H2_SHOWN_MAX 128                   /* of a client's text in an answer to it */
#define H2_HEADER_FACTOR 4                 /* times max_header_bytes: fields of a call that are looked at */
#define H2_LINGER_MS 1000                  /* for a client to close after us */
#define H2_SWEEP_MS 1000                   /* how often deadlines are looked at, or a quarter of read_timeout */
#define H2_STOPPING_MS 20                  /* the same while the server stops */

/* Network. */
#define NET_SOCKETS_MAX 16                  /* addresses that one name may stand for */
#define NET_HOST_BYTES 256                  /* a host's name, with its NUL */
#define NET_PORT_TRIES_MAX 16               /* for a port that is free on all addresses of a name */
#define NET_ACCEPT_BATCH 64                 /* connections taken from one socket before another gets its turn */
#define NET_ACCEPT_PAUSE_MS 100             /* no accept for so long when the system has no room for one */
#define NET_NOTICE_MS 10000                 /* between two lines on the same trouble */
#define NET_KEEPALIVE_IDLE_S 60             /* silence after which TCP looks whether the peer is there */
#define NET_KEEPALIVE_INTERVAL_S 20         /* between two such looks, */
#define NET_KEEPALIVE_PROBES 3              /* after so many of which it is gone */
#define NET_RELAY_BUFFER_BYTES (32UL << 10) /* of a TLS connection, each way: two of TLS's largest records */
#define NET_RELAY_SOCKET_BYTES (64 << 10)   /* what the kernel buffers between a relay and a server, each way */
#define NET_RELAY_TURN_BYTES (128UL << 10)  /* of one connection, before another gets its turn */
#define NET_RELAY_EVENTS_MAX 64             /* taken from epoll at a time */
#define NET_RELAY_CLOSE_MS 3000             /* for what is buffered when one side has ended, and for the other's end */
#define NET_TOKENS_MAX 64                   /* bearer tokens that are valid at a time */
#define NET_TOKEN_BYTES_MIN 16              /* shorter ones can be guessed */
#define NET_TOKEN_BYTES_MAX 4096
#define NET_TOKENS_FILE_BYTES_MAX (1UL << 20) /* with its comments */

/* Tracing of the daemon itself: ring, batch and delay as the SDKs' batch processor has them. */
#define TRACING_RING_SPANS 2048 /* that wait to be exported; more are dropped */
#define TRACING_BATCH_SPANS 512 /* in one request, */
#define TRACING_BATCH_MS 5000   /* or what there is after so long */
#define TRACING_ATTRIBUTES_MAX 12
#define TRACING_EVENTS_MAX 2
#define TRACING_TEXT_BYTES 512                /* of a span's attributes and status together; longer ones are cut */
#define TRACING_ARENA_BYTES_MAX (4UL << 20)   /* what encoding a batch takes */
#define TRACING_REQUEST_BYTES_MAX (2UL << 20) /* a batch, encoded */
#define TRACING_ANSWER_BYTES_MAX (64UL << 10) /* of a receiver's answer, its head and its body each */
#define TRACING_CONNECT_MS 3000
#define TRACING_EXPORT_MS 10000 /* one request and its answer */
#define TRACING_STOP_MS 1000    /* the last of them, when the daemon stops */
#define SINK_DESCRIBED_MAX 4    /* attributes by which a sink says where a write goes */

/* Command. */
#define MANUAL_LINE_MAX 1024                  /* a line of a manual page's template, and of its tables */
#define CTL_OPTIONS_MAX 32                    /* options of one verb, the global ones included */
#define CTL_WIDTH_MIN 40                      /* columns; a narrower terminal wraps */
#define CTL_WIDTH_MAX 1000                    /* columns */
#define CTL_WIDTH_DEFAULT 100                 /* columns, when neither a terminal nor COLUMNS says */
#define CTL_PAGE_RECORDS 256                  /* headers read in one transaction */
#define CTL_PAGE_PARKED 64                    /* parked entries read in one transaction */
#define CTL_PAGE_PARKED_BYTES (4UL << 20)     /* of these, together; a larger one comes alone */
#define CTL_RESIDENT_BYTES (16UL << 20)       /* stored bytes read before what is mapped of the spool is given back */
#define CTL_REQUEST_BYTES_MAX (1UL << 30)     /* one request: the most that receiver.max_request_bytes can be */
#define CTL_LS_KINDS_MAX 8                    /* ls --parked: reasons that are counted each for itself */
#define CTL_SERVICES_MAX 16                   /* service names that a list shows of one batch */
#define CTL_TRACE_SPANS_MAX 100000            /* spans of a trace that are shown */
#define CTL_TRACE_BYTES_MAX (256UL << 20)     /* names and texts of these spans */
#define CTL_INDENT_LEVELS_MAX 24              /* levels of a trace that are indented; deeper ones are numbered */
#define CTL_ERRORS_MAX 10                     /* error texts that are written under a trace */
#define CTL_EDIT_IDS_MAX 1000000              /* ids that a command takes, most of them from a pipe */
#define CTL_EDIT_LINE_MAX (1UL << 20)         /* a line of `tracespool ls`, read back */
#define CTL_EDIT_ERRORS_MAX 100               /* texts about single ids in JSON; the number of them is exact */
#define CTL_SHAPE_SERVICES_MAX 4096           /* shape: services that are counted each for itself */
#define CTL_SHAPE_NAMES_BYTES (1UL << 20)     /* shape: of their names */
#define CTL_SHAPE_BUCKETS 11                  /* shape: ages, the last without an end */
#define CTL_SHAPE_BUCKET_S_MAX 2592000UL      /* shape: the first of them */
#define CTL_RETRY_MIN_MS 500                  /* send: first wait without RetryInfo */
#define CTL_RETRY_MAX_MS 30000                /* send: longest wait */
#define CTL_SEND_REPEAT_MAX 1000000000        /* send: --repeat */
#define CTL_WATCH_MS 2000                     /* status --watch: between two looks, unless it is said */
#define CTL_WATCH_MIN_MS 100                  /* of what is said */
#define CTL_WATCH_MAX_MS 3600000              /* of what is said */
#define CTL_FLUSH_LOOK_MS 100                 /* flush --wait: between two looks */
#define CTL_TAIL_LOOK_MS 200                  /* tail: between two looks at what has come */
#define CTL_TAIL_LIMIT_MAX 1000000            /* tail: --limit */
#define CTL_SALVAGE_TOLD_MAX 20               /* salvage, import: requests that are named when they are refused */
#define CTL_SECURE_FILE_BYTES_MAX (1UL << 20) /* certificates, a key, or tokens */
#define CTL_IMPORT_FLIGHT_BYTES (64UL << 20)  /* import: requests that wait for the spool's writer, or one */
#define CTL_IMPORT_FLIGHT_COUNT 1024          /* the same */
#define CTL_SIZE_SLOTS 60                     /* in which a stretch of time moves along */
#define CTL_SIZE_OUTAGE_MIN_S 60              /* size: --outage */
#define CTL_SIZE_OUTAGE_MAX_S 31536000        /* a year */
#define CTL_SIZE_COVERED_MIN_S 60             /* size: less says nothing about a rate */
#define CTL_SIZE_RATE_MAX 1000000000          /* size: --rate, spans a second */

/* How long a thread may be at one piece of work before it counts as stuck. */
#define PULSE_RECEIVER_MS 60000  /* a turn of a loop, a step of a call, a request that is checked */
#define PULSE_WRITER_MS 300000   /* a transaction; a disk may take long to sync one, and a restart would not mend it */
#define PULSE_FLUSHER_MS 1800000 /* one write and what is built for it; the URI may ask for timeouts of minutes */

/* Daemon. */
#define DAEMON_LOOK_MS 5000                 /* between two looks at certificates and tokens */
#define DAEMON_MALLOC_MMAP_BYTES (9 << 20)  /* an allocation of so much is a mapping of its own */
#define DAEMON_MALLOC_KEEP_BYTES (16 << 20) /* that each of malloc's arenas keeps */
#define DAEMON_MALLOC_ARENAS 4              /* so 64 MiB are kept at most; left alone it were eight arenas a core */
#define DAEMON_DESCRIPTORS_MAX 256          /* beside those of the receiver's connections */

/* Admin. */
#define ADMIN_CONNECTIONS_MAX 64
#define ADMIN_TIMEOUT_S 10                    /* a connection that is silent for so long is closed */
#define ADMIN_METRICS_BYTES_MAX (256UL << 10) /* the rendered metrics_table.h takes a few kB */

static_assert(FRAGMENT_WIRE_BYTES_MAX * 4 <= SINK_DOCUMENT_BYTES_MAX,
              "a fragment's BSON must fit into a document with room for blow-up");
static_assert(SINK_DOCUMENT_BYTES_MAX < SINK_MESSAGE_BYTES_MAX, "a document must fit into a message");
static_assert(OTLP_DEPTH_MAX + SINK_ATTRIBUTES_LEVEL <= SINK_NESTING_MAX, "what is accepted must be storable");
static_assert(OTLP_DECODED_BYTES_MAX < SINK_ARENA_BYTES_MAX, "a request of one span must fit when it is decoded");
static_assert(SINK_MIN_FREE_SHARE_MAX / SINK_SPACE_SLACK_SHARE * (SINK_SPACE_SLACK_SHARE + 1) < 1000000,
              "a volume that is full can be freed so far that it opens again");
static_assert(SINK_WRITE_TIMEOUT_MS < SINK_SOCKET_TIMEOUT_MS, "MongoDB must answer before we hang up");
static_assert(H2_OUT_GATHER_BYTES + 64 * 1024 <= H2_OUT_BYTES_MAX, "the frame that fills the buffer must fit");
static_assert(H2_HOLD_STEP <= H2_MESSAGE_ROOM, "what has room may be counted");
static_assert(H2_STREAM_WINDOW_BYTES <= H2_CONN_WINDOW_BYTES, "one call must not stop the others of its connection");
static_assert(NET_TOKENS_MAX * NET_TOKEN_BYTES_MAX < NET_TOKENS_FILE_BYTES_MAX, "all tokens fit into their file");
static_assert(NET_RELAY_BUFFER_BYTES <= NET_RELAY_TURN_BYTES, "a turn moves a buffer");
static_assert(TRACING_BATCH_SPANS <= TRACING_RING_SPANS, "a batch gathers in the ring");
static_assert(TRACING_CONNECT_MS < TRACING_EXPORT_MS, "who cannot be reached is not waited for like who is slow");
static_assert(SPOOL_GROUP_BYTES_MAX <= SPOOL_QUEUE_BYTES_MAX, "a group gathers from the queue");
static_assert(SPOOL_SIZE_MIN_BYTES / SPOOL_GROUP_SHARE >= SPOOL_PART_PAGES * SPOOL_PAGE_BYTES, "a group takes a part");
static_assert(SPOOL_TXN_SLACK_PAGES * SPOOL_PAGE_BYTES < SPOOL_HEADROOM_MIN_BYTES, "the headroom covers the slack");
static_assert((SPOOL_READERS_MAX + 16) * 64 <= SPOOL_LOCK_TABLE_BYTES, "a reader takes a cache line");
static_assert(SPOOL_GROUP_COUNT_MAX <= SPOOL_QUEUE_COUNT_MAX, "a group gathers from the queue");
static_assert(SPOOL_RETRY_MIN_MS < SPOOL_RETRY_MAX_MS, "a delay has a range");
static_assert(SPOOL_TICK_MS <= SPOOL_RETRY_MIN_MS, "the writer looks for room before a sender comes back");
static_assert(SPOOL_HOLD_MS < SPOOL_RETRY_MAX_MS, "a sender may be asked to wait for the next try");

#endif
