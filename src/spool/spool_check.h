/*
 * spool_check.h - is all of a spool as it should be?  Reads everything, changes nothing.
 *
 * Any process, beside a running daemon or without one.  Without one the file's
 * structure is looked at first (spool_walk.h) and nothing else when that is
 * damaged, since LMDB trusts what it maps.  Then every record and parked entry
 * is read and compared with its checksums, the ranges of what is pending and
 * held are looked at, and the counters, unless something was written meanwhile.
 */
#ifndef TRACESPOOL_SPOOL_CHECK_H
#define TRACESPOOL_SPOOL_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bounds.h"
#include "err.h"

enum spool_check_kind {
    SPOOL_CHECK_STRUCTURE, /* of the file: nothing behind it was checked */
    SPOOL_CHECK_RECORD,
    SPOOL_CHECK_PARKED,
    SPOOL_CHECK_PENDING, /* the ranges of what is pending, and of what is held */
    SPOOL_CHECK_HELD,
    SPOOL_CHECK_COUNTERS,
};

const char *spool_check_kind_name(enum spool_check_kind kind);

struct spool_check_finding {
    enum spool_check_kind kind;
    uint64_t seq; /* 0: of none in particular */
    bool known;   /* the record is held and parked as damaged already: somebody has been told */
    char text[ERR_TEXT_MAX];
};

struct spool_check_report {
    pid_t owner; /* the daemon beside which it was done; 0: none */

    bool structure_checked;
    char structure_note[ERR_TEXT_MAX]; /* why not, or what is worth knowing; "" */
    uint64_t used_pages;
    uint64_t free_pages;
    uint64_t lost_pages; /* room that is gone, and no harm */

    bool content_checked; /* false: the structure is damaged */
    uint64_t records;
    uint64_t pending_records; /* of them */
    uint64_t held_records;
    uint64_t parts;
    uint64_t stored_bytes;
    uint64_t parked;
    uint64_t damaged_records;
    uint64_t known_records; /* of them */
    uint64_t damaged_parked;

    bool counters_compared; /* false: something was written meanwhile, or the content was not checked */

    uint64_t finding_count; /* the first SPOOL_CHECK_FINDINGS_MAX are kept */
    struct spool_check_finding findings[SPOOL_CHECK_FINDINGS_MAX];
};

struct spool_check_to {
    void *context;
    void (*finding)(void *context, const struct spool_check_finding *finding);        /* NULL: none */
    void (*progress)(void *context, const char *what, uint64_t done, uint64_t total); /* NULL: none */
};

/*
 * 0 and *report: sound when finding_count is 0.  -1, could not check: ERR_CONFIG
 * (no spool, no permission, another format), ERR_BUSY, ERR_RETRY (it was
 * written to all the time, by no daemon), ERR_FATAL (I/O error).  *report then
 * says how far it came.  Not in a process that has the same spool open.
 */
int spool_check(const char *path, const struct spool_check_to *to, struct spool_check_report *report, struct err *err);

#endif
