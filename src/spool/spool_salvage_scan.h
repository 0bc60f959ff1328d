/*
 * spool_salvage_scan.h - reading a file that may be damaged, and finding parts in it.
 */
#ifndef TRACESPOOL_SPOOL_SALVAGE_SCAN_H
#define TRACESPOOL_SPOOL_SALVAGE_SCAN_H

#include "spool_record.h"
#include "spool_salvage.h"
#include "spool_salvage_index.h"

struct spool_salvage_file {
    const char *path; /* the caller's */
    int fd;
    uint64_t bytes;
    uint8_t *window; /* SPOOL_SALVAGE_WINDOW_BYTES and a part */
};

/* -1: ERR_CONFIG, ERR_BUSY.  After it, close also when it failed. */
int spool_salvage_file_open(struct spool_salvage_file *file, const char *path, struct err *err);
void spool_salvage_file_close(struct spool_salvage_file *file);

/* Adds every part of the file to `index`.  -1: it cannot be read at all, or the index cannot take more. */
int spool_salvage_file_scan(struct spool_salvage_file *file, struct spool_salvage_index *index,
                            const struct spool_salvage_to *to, struct spool_salvage_report *report, struct err *err);

/*
 * Reads a part that the scan has found again, into `head` and `out` of
 * part->bytes, and verifies it.  False when it is not there any more.
 */
bool spool_salvage_file_read(struct spool_salvage_file *file, const struct spool_salvage_part *part,
                             struct spool_part *head, uint8_t *out);

#endif
