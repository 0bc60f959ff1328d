/*
 * power_log.h - what was written to a spool's file and what was promised, in one order.
 *
 * The log lies in memory that forked processes share, so that the daemon's
 * threads and an operator's process append to the same one.  An entry is never
 * changed once it is there.
 */
#ifndef TRACESPOOL_POWER_LOG_H
#define TRACESPOOL_POWER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POWER_ENTRIES_MAX 400000
#define POWER_DATA_BYTES_MAX (1UL << 30) /* address space; what is written is what is taken */
#define POWER_ACTORS 4                   /* who may have a change in flight, one each; puts are not counted */
#define POWER_SEQS_MAX 8192
#define POWER_PUTS_MAX 8192
#define POWER_JUDGES_ID (POWER_PUTS_MAX - 1) /* of the put that is made after the power loss */

enum power_kind {
    POWER_WRITE,   /* `bytes` at `offset` are about to be written */
    POWER_WRITTEN, /* the write at entry `of` has returned */
    POWER_LENGTH,  /* the file was cut, or extended, to `offset` */
    POWER_GROWN,   /* the file has at least `offset` bytes */
    POWER_SYNC,    /* a sync that began when there were `of` entries has returned */
    POWER_NAMED,   /* the directory was synced: the file's name is on disk */
    POWER_MARK,    /* a struct power_mark */
};

struct power_entry {
    enum power_kind kind;
    bool durable; /* POWER_WRITE: it is synced when it has returned, as O_DSYNC promises */
    size_t of;
    uint64_t offset;
    size_t bytes;
    size_t data; /* where its bytes are: power_log_data */
};

/* What is done to records and parked entries. */
enum power_change {
    POWER_PUT,
    POWER_DELIVER,
    POWER_PARK,       /* a span of the record: entry 1 */
    POWER_PARK_WHOLE, /* the record becomes held; entry 0 */
    POWER_HOLD,
    POWER_RELEASE,
    POWER_REPLAY,
    POWER_REMOVE,
    POWER_REQUEUE_SPAN,
    POWER_REMOVE_SPAN,
    POWER_REQUEUE_WHOLE,
    POWER_REMOVE_WHOLE,
    POWER_OPENED, /* spool_open has returned */
};

enum power_moment { POWER_ASKED, POWER_CONFIRMED, POWER_REFUSED };

struct power_mark {
    enum power_change change;
    enum power_moment moment;
    unsigned actor;    /* but for a put */
    uint64_t id;       /* of the put, or of the bytes that are parked */
    uint64_t seq;      /* what a put, or a requeued entry, has become; 0: nothing */
    uint64_t len;      /* of the bytes of `id` */
    uint64_t checksum; /* of them */
    size_t count;      /* the records that it is done to */
    uint64_t seqs[];
};

struct power_log;

struct power_log *power_log_new(void); /* dies when there is no memory */
void power_log_free(struct power_log *log);

/* Any thread of any process.  Returns the entry's number; dies when the log is full. */
size_t power_log_append(struct power_log *log, const struct power_entry *entry, const void *bytes);
void power_log_mark(struct power_log *log, const struct power_mark *mark,
                    const uint64_t *seqs); /* mark->count of them */

size_t power_log_count(struct power_log *log);
const struct power_entry *power_log_at(const struct power_log *log, size_t number);
const void *power_log_data(const struct power_log *log, const struct power_entry *entry);

#endif
