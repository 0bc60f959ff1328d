/*
 * spool.h - the LMDB environment that holds acknowledged requests, and reading it.
 *
 * The spool knows bytes, not OTLP.  A record is the stored bytes of one
 * request under a sequence number that is never reused.  Records that are not
 * delivered are `pending`; delivered ones stay as history until their room is
 * needed.
 *
 * Any thread of any process may read.  Each reading function opens and closes
 * a read transaction of its own and copies out what it returns, so nothing
 * stays pinned.  All writing goes through spool_writer.h.
 */
#ifndef TRACESPOOL_SPOOL_H
#define TRACESPOOL_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "arena.h"
#include "err.h"
#include "slice.h"
#include "spool_pace.h"
#include "spool_rate.h"

#define SPOOL_FORMAT_VERSION 2    /* 1 had no held ranges; it is brought up to date when it is opened to be written */
#define SPOOL_SEQ_OPEN UINT64_MAX /* the end of the last pending range */

/* Sequence numbers first .. end - 1. */
struct spool_range {
    uint64_t first;
    uint64_t end;
};

struct spool;

struct spool_options {
    const char *path;    /* a directory; made (0700) when it is missing */
    uint64_t size_bytes; /* rounded down to whole pages */
    bool reserve;        /* allocate the file's blocks now */
    uint64_t history_ns; /* delivered records older than this are removed; UINT64_MAX keeps them */
    bool drop_oldest;    /* full: the oldest pending record goes, instead of the new one being refused */
};

/*
 * Opens for the daemon: takes the lock on the directory, makes the environment
 * when it is missing.  A file that is damaged in its structure is moved aside
 * whole, with an error line in the log, and a fresh one is started
 * (spool_aside.h).  The lock and the file are held until spool_close.
 * -1: ERR_CONFIG (already in use by process N, not our format, a newer format,
 * network file system, no permission, smaller than what is held), ERR_BUSY
 * (no room to reserve), ERR_FATAL (I/O error).
 */
int spool_open(struct spool **spool, const struct spool_options *options, struct err *err);

/*
 * Opens for looking, beside a daemon or without one; changes nothing.  Not in
 * a process that has the same spool open already: LMDB's locks belong to a
 * process.  -1: ERR_CONFIG with what to do, ERR_BUSY (too many look), ERR_FATAL.
 */
int spool_open_readonly(struct spool **spool, const char *path, struct err *err);

void spool_close(struct spool *spool);

/* The process that holds the daemon's lock on `path`, or 0 when none does.  Opens nothing but the lock file. */
pid_t spool_owner(const char *path);

/* --- records ------------------------------------------------------------ */

enum spool_record_state {
    SPOOL_PENDING,   /* to be delivered */
    SPOOL_DELIVERED, /* history: goes when its room is needed */
    SPOOL_HELD,      /* neither delivered nor removed, until an operator decides */
};

const char *spool_record_state_name(enum spool_record_state state);

struct spool_record {
    uint64_t seq;
    uint64_t received_ns; /* wall clock, as spool_put said */
    uint64_t raw_bytes;   /* before compression */
    uint64_t stored_bytes;
    uint32_t spans;
    uint8_t codec; /* the caller's number */
    enum spool_record_state state;
    bool damaged;         /* a part is missing or a checksum does not match: payload is empty, numbers may be 0 */
    struct slice payload; /* stored_bytes in the arena; empty when only headers were asked for */
};

/* 1 and *record when it exists, 0 when not, -1 on error.  A damaged record is found, with `damaged` set. */
int spool_read(struct spool *spool, uint64_t seq, struct arena *arena, struct spool_record *record, struct err *err);

enum spool_end { SPOOL_OLDEST, SPOOL_NEWEST };

/* What of the pending records is wanted. */
struct spool_want {
    enum spool_end end;              /* from which end to begin */
    const struct spool_range *taken; /* records that others have in hand; in any order, may touch */
    size_t taken_count;
    size_t max_records;
    size_t max_bytes; /* stored, together; the first is returned whatever its size */
};

/*
 * Pending records from one end of what is pending and not taken, up to the
 * next taken range or the bounds.  They are returned in the order of their
 * seqs, whichever end they come from, and no taken record lies between them.
 * *count 0 when there is none.  Payloads are in `arena`; when the arena is full
 * after the first record the rest is left for later.  Without an arena (NULL)
 * only headers are read.
 */
int spool_read_pending(struct spool *spool, const struct spool_want *want, struct arena *arena,
                       struct spool_record *records, size_t *count, struct err *err);

/* Headers of up to `max_records` records, seq ascending from `from`. The caller pages with last seq + 1. */
int spool_list(struct spool *spool, uint64_t from, size_t max_records, struct spool_record *records, size_t *count,
               struct err *err);

/*
 * *seq such that every record before it was received before `since_ns`, and
 * that of the oldest when this is 0: where to begin, in time that hardly grows
 * with the spool.  Some of those behind it may be older all the same.
 */
int spool_find_since(struct spool *spool, uint64_t since_ns, uint64_t *seq, struct err *err);

/*
 * Gives back what reading has mapped of the file, so that who reads much of it
 * stays small; what is read again comes out of the kernel's cache.  Between
 * calls of the functions above, by a process of one thread.
 */
void spool_forget_pages(struct spool *spool);

/* --- parked ------------------------------------------------------------- */

enum spool_park_reason { SPOOL_PARK_REFUSED = 1, SPOOL_PARK_DAMAGED = 2, SPOOL_PARK_UNDECODABLE = 3 };

struct spool_parked {
    uint64_t seq;   /* of the record that it came from */
    uint32_t index; /* of the span in that record; 0 for a whole record */
    bool whole;     /* the record itself is held (SPOOL_HELD) and `payload` is empty */
    enum spool_park_reason reason;
    int code; /* MongoDB's, or 0 */
    uint32_t attempts;
    uint32_t spans;
    uint64_t parked_ns;
    uint64_t received_ns;
    const char *text;     /* in the arena */
    struct slice payload; /* an ExportTraceServiceRequest, uncompressed */
};

const char *spool_park_reason_name(enum spool_park_reason reason);

/* Up to `max` entries after (seq, index), in order; start with 0, 0 and inclusive. */
int spool_list_parked(struct spool *spool, uint64_t from_seq, uint32_t from_index, size_t max, struct arena *arena,
                      struct spool_parked *parked, size_t *count, struct err *err);

/* Up to `max` entries before (seq, index), exclusive, the last one first; start with UINT64_MAX, 0. */
int spool_list_parked_before(struct spool *spool, uint64_t seq, uint32_t index, size_t max, struct arena *arena,
                             struct spool_parked *parked, size_t *count, struct err *err);

/* How many entries of the record are parked.  Their keys are read, not what they hold. */
int spool_count_parked(struct spool *spool, uint64_t seq, uint64_t *count, struct err *err);

/* --- state -------------------------------------------------------------- */

enum spool_delivery_state {
    SPOOL_DELIVERY_STARTING,
    SPOOL_DELIVERY_FLOWING,
    SPOOL_DELIVERY_BACKING_OFF,
    SPOOL_DELIVERY_MISCONFIGURED, /* a person has to act */
    SPOOL_DELIVERY_STORAGE_FULL,  /* MongoDB has no room */
    SPOOL_DELIVERY_STATE_COUNT    /* the numbers are stored: never renumber */
};

/* What the flusher last noted about MongoDB, for `tracespool status`. */
struct spool_delivery {
    enum spool_delivery_state state;
    uint64_t since_ns;       /* wall clock, when this state began; 0: nothing noted yet */
    uint64_t last_ok_ns;     /* wall clock, when MongoDB last confirmed something; 0: never */
    uint64_t attempts;       /* failed in a row */
    char text[ERR_TEXT_MAX]; /* last error, "" when flowing; holds no secret */
};

const char *spool_delivery_state_name(enum spool_delivery_state state);

struct spool_stat {
    uint64_t size_bytes;
    uint64_t used_bytes; /* pages in use, history included */
    uint64_t pending_records;
    uint64_t pending_spans;
    uint64_t pending_bytes;      /* stored bytes */
    uint64_t oldest_pending_ns;  /* received time of the oldest pending record, 0 when none */
    uint64_t newest_received_ns; /* 0 when the spool is empty */
    uint64_t history_records;
    uint64_t held_records;
    uint64_t oldest_record_ns; /* received time of the oldest record, 0 when empty */
    uint64_t next_seq;
    uint64_t parked_entries;
    uint64_t received_records; /* since the spool was made */
    uint64_t received_spans;
    uint64_t delivered_records; /* but for those that an older daemon delivered */
    uint64_t delivered_spans;
    uint64_t evicted_records;
    uint64_t dropped_records; /* pending and dropped, by when_full = drop_oldest */
    uint64_t dropped_spans;
    uint64_t removed_records; /* by an operator */
    uint64_t damaged_files;   /* moved aside, and still there */
    bool refusing;            /* as the writer last noted */
    struct spool_pace pace;   /* of what is pending */
    struct spool_marks marks; /* of what was received and delivered */
    struct spool_delivery delivery;
};

static inline struct spool_sums spool_stat_sums(const struct spool_stat *stat)
{
    return (struct spool_sums){stat->received_records, stat->received_spans, stat->delivered_records,
                               stat->delivered_spans};
}

/* Bounded work, whatever the spool holds: the sums are kept by the writer. */
int spool_stat(struct spool *spool, struct spool_stat *stat, struct err *err);

/* What is pending, from the counters alone: cheap enough for each claim of a flusher. */
int spool_stat_pending(struct spool *spool, uint64_t *records, uint64_t *spans, struct err *err);

/* Sets the spool's gauges from its figures; before /metrics is rendered.  Any thread. */
void spool_refresh_metrics(struct spool *spool);

#endif
