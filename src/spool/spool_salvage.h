/*
 * spool_salvage.h - finds what is intact in a damaged file, whatever has become of LMDB's tree.
 *
 * The file is searched for parts by their magic and checksums (spool_record.h),
 * at every byte, so it may be a data.mdb of any length, cut or shuffled in
 * whole pages, or a disk's image.  Nothing is written and LMDB is not asked.
 *
 * What is found is more than what waited: delivered records that are history,
 * and copies on pages that LMDB has given up.  That is harmless, as delivery
 * stores nothing twice.  What has become of a record cannot be told.
 */
#ifndef TRACESPOOL_SPOOL_SALVAGE_H
#define TRACESPOOL_SPOOL_SALVAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "err.h"
#include "spool.h"

struct spool_salvage_report {
    uint64_t file_bytes;       /* its length when it was opened */
    uint64_t scanned_bytes;    /* of them, read */
    uint64_t unreadable_bytes; /* blocks that gave an I/O error, passed over */
    uint64_t passes;           /* over the file: more than one when it has more parts than fit into memory */
    uint64_t parts;            /* intact, copies counted once */
    uint64_t damaged_parts;    /* the header is intact, the payload is not, and there is no intact copy */
    uint64_t records;          /* handed over */
    uint64_t multi_part;       /* of these, cut into several parts */
    uint64_t parked;           /* entries handed over, of which */
    uint64_t parked_whole;     /* have no payload: the record has it */
    uint64_t incomplete;       /* records and parked entries of which a part is damaged or not there */
    uint64_t incomplete_seqs[SPOOL_SALVAGE_SEQS_MAX]; /* the first of these, ascending, each once */
    size_t incomplete_seq_count;
};

/*
 * What is done with what is found.  `record` and `parked` are called in the
 * order of the seqs, a record before its parked entries; what they point to is
 * valid until they return.  They return 0 to go on, -1 with *err to end the
 * search.  A record's state is not known: SPOOL_PENDING.  One seq may come
 * twice with different contents: then a transaction was not finished, and the
 * seq was given again.
 */
struct spool_salvage_to {
    void *context;
    int (*record)(void *context, const struct spool_record *record, struct err *err);
    int (*parked)(void *context, const struct spool_parked *parked, struct err *err);
    void (*progress)(void *context, uint64_t done_bytes, uint64_t total_bytes); /* NULL: none */
    size_t max_parts; /* held in memory at a time; 0: SPOOL_SALVAGE_PARTS_MAX */
};

/*
 * Searches the file at `path`.  0 and *report, also when nothing was found.
 * -1: ERR_CONFIG (it cannot be opened, or is no file that can be read at any
 * place), ERR_BUSY (no memory), or what a callback gave; *report then says how
 * far it came.
 */
int spool_salvage(const char *path, const struct spool_salvage_to *to, struct spool_salvage_report *report,
                  struct err *err);

#endif
