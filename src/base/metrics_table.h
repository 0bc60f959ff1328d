/*
 * metrics_table.h - every metric, once: METRIC(id, type, family, labels, help).
 *
 * Members of a family stand together and repeat its help.  Counters count
 * events, gauges are set or counted up and down; SECONDS are counters of time,
 * added to in ns.  Labels are part of the row, so they are bounded.
 * The reference in docs/metrics.md is checked against this table.
 */
/* clang-format off */
METRIC(RECEIVER_OK,          COUNTER, "tracespool_receiver_requests_total", "code=\"OK\"",                 "Requests answered, by gRPC status code; OTLP/HTTP is counted by the code that its status stands for.")
METRIC(RECEIVER_INVALID,     COUNTER, "tracespool_receiver_requests_total", "code=\"INVALID_ARGUMENT\"",   "Requests answered, by gRPC status code; OTLP/HTTP is counted by the code that its status stands for.")
METRIC(RECEIVER_TOO_LARGE,   COUNTER, "tracespool_receiver_requests_total", "code=\"RESOURCE_EXHAUSTED\"", "Requests answered, by gRPC status code; OTLP/HTTP is counted by the code that its status stands for.")
METRIC(RECEIVER_UNAVAILABLE, COUNTER, "tracespool_receiver_requests_total", "code=\"UNAVAILABLE\"",        "Requests answered, by gRPC status code; OTLP/HTTP is counted by the code that its status stands for.")
METRIC(RECEIVER_TOO_SLOW,    COUNTER, "tracespool_receiver_requests_total", "code=\"DEADLINE_EXCEEDED\"",  "Requests answered, by gRPC status code; OTLP/HTTP is counted by the code that its status stands for.")
METRIC(RECEIVER_INTERNAL,    COUNTER, "tracespool_receiver_requests_total", "code=\"INTERNAL\"",           "Requests answered, by gRPC status code; OTLP/HTTP is counted by the code that its status stands for.")
METRIC(RECEIVER_UNAUTHENTICATED, COUNTER, "tracespool_receiver_requests_total", "code=\"UNAUTHENTICATED\"", "Requests answered, by gRPC status code; OTLP/HTTP is counted by the code that its status stands for.")
METRIC(RECEIVER_UNIMPLEMENTED, COUNTER, "tracespool_receiver_requests_total", "code=\"UNIMPLEMENTED\"",    "Requests answered, by gRPC status code; OTLP/HTTP is counted by the code that its status stands for.")
METRIC(NET_OPEN,             GAUGE,   "tracespool_net_open_connections", "",                     "Connections that are open.")
METRIC(NET_REFUSED_BOUND,    COUNTER, "tracespool_net_refused_connections_total", "reason=\"bound\"",     "Connections closed at once, because as many as allowed were open or the system had no room.")
METRIC(NET_REFUSED_SYSTEM,   COUNTER, "tracespool_net_refused_connections_total", "reason=\"system\"",    "Connections closed at once, because as many as allowed were open or the system had no room.")
METRIC(NET_HANDSHAKES_FAILED, COUNTER, "tracespool_net_failed_handshakes_total", "",             "TLS handshakes that failed or took too long.")
METRIC(RECEIVER_CALLS,       GAUGE,   "tracespool_receiver_calls", "",                       "Export calls in hand, of both endpoints.")
METRIC(RECEIVER_IN_FLIGHT_BYTES, GAUGE, "tracespool_receiver_in_flight_bytes", "",           "Bytes that calls in hand hold, which receiver.max_in_flight_bytes bounds.")
METRIC(RECEIVER_SPANS,       COUNTER, "tracespool_receiver_spans_total", "",                "Spans acknowledged.")
METRIC(RECEIVER_REJECTED_TRACE_ID, COUNTER, "tracespool_receiver_rejected_spans_total", "reason=\"trace_id\"", "Spans rejected by partial_success, by what is invalid.")
METRIC(RECEIVER_REJECTED_SPAN_ID, COUNTER, "tracespool_receiver_rejected_spans_total", "reason=\"span_id\"", "Spans rejected by partial_success, by what is invalid.")
METRIC(RECEIVER_BYTES,       COUNTER, "tracespool_receiver_bytes_total", "",                "Bytes of acknowledged requests, after decompression.")
METRIC(SPOOL_COMMITS,        COUNTER, "tracespool_spool_commits_total", "",                 "Transactions synced to disk.")
METRIC(SPOOL_EVICTED,        COUNTER, "tracespool_spool_evicted_records_total", "",         "Delivered records removed to make room or because history ended.")
METRIC(SPOOL_REFUSED,        COUNTER, "tracespool_spool_refused_records_total", "",         "Records refused because the spool was full.")
METRIC(SPOOL_DAMAGED,        COUNTER, "tracespool_spool_damaged_records_total", "",         "Records whose checksum did not match when they were read.")
METRIC(SPOOL_DROPPED_RECORDS,COUNTER, "tracespool_spool_dropped_records_total", "",         "Records dropped before they were delivered, because spool.when_full is drop_oldest.")
METRIC(SPOOL_DROPPED_SPANS,  COUNTER, "tracespool_spool_dropped_spans_total", "",           "Spans dropped before they were delivered, because spool.when_full is drop_oldest.")
METRIC(SPOOL_REFUSING,       GAUGE,   "tracespool_spool_refusing", "",                       "1 while new records are refused because the spool is full, else 0.")
METRIC(SPOOL_REFUSING_SECONDS, SECONDS, "tracespool_spool_refusing_seconds_total", "",       "Time during which new records were refused because the spool was full.")
METRIC(SPOOL_RETRY_DELAY_SECONDS, GAUGE, "tracespool_spool_retry_delay_seconds", "",         "Delay that senders are asked for while the spool is full, by the rate of deliveries; else 0.")
METRIC(SPOOL_SIZE_BYTES,     GAUGE,   "tracespool_spool_size_bytes", "",                    "Size of the spool.")
METRIC(SPOOL_USED_BYTES,     GAUGE,   "tracespool_spool_used_bytes", "",                    "Bytes of pages in use, history included.")
METRIC(SPOOL_PENDING_RECORDS,GAUGE,   "tracespool_spool_pending_records", "",               "Records not delivered.")
METRIC(SPOOL_PENDING_SPANS,  GAUGE,   "tracespool_spool_pending_spans", "",                 "Spans not delivered.")
METRIC(SPOOL_PENDING_BYTES,  GAUGE,   "tracespool_spool_pending_bytes", "",                 "Stored bytes not delivered.")
METRIC(SPOOL_OLDEST_PENDING_SECONDS, GAUGE, "tracespool_spool_oldest_pending_seconds", "",  "Age of the oldest record not delivered, 0 when none waits.")
METRIC(SPOOL_HELD_RECORDS,   GAUGE,   "tracespool_spool_held_records", "",                  "Records that an operator holds, or that could not be read or decoded.")
METRIC(SPOOL_DAMAGED_FILES,  GAUGE,   "tracespool_spool_damaged_files", "",                 "Damaged spool files that were moved aside and wait for tracespool salvage.")
METRIC(SPOOL_PARKED,         GAUGE,   "tracespool_spool_parked_entries", "",                "Entries parked because MongoDB refused them or they were damaged.")
METRIC(FLUSH_STORED,         COUNTER, "tracespool_flush_fragments_total", "outcome=\"stored\"",        "Fragments, by what MongoDB said.")
METRIC(FLUSH_STORED_BEFORE,  COUNTER, "tracespool_flush_fragments_total", "outcome=\"stored_before\"", "Fragments, by what MongoDB said.")
METRIC(FLUSH_PARKED,         COUNTER, "tracespool_flush_fragments_total", "outcome=\"parked\"",        "Fragments, by what MongoDB said.")
METRIC(FLUSH_SPANS,          COUNTER, "tracespool_flush_spans_total", "",                   "Spans that MongoDB confirmed.")
METRIC(FLUSH_ATTEMPTS_FAILED,COUNTER, "tracespool_flush_failed_attempts_total", "",         "Bulk inserts that failed as a whole and were sent again.")
METRIC(FLUSH_BACKING_OFF,    GAUGE,   "tracespool_flush_backing_off", "",                   "1 while delivery waits for MongoDB, else 0.")
METRIC(SINK_REPAIRED,        COUNTER, "tracespool_sink_repaired_texts_total", "",           "Texts stored with U+FFFD in place of bytes that were not UTF-8.")
METRIC(SINK_CLAMPED,         COUNTER, "tracespool_sink_clamped_times_total", "",            "Times past 2262 stored as the largest that MongoDB can hold.")
/* clang-format on */
