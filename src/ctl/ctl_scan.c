/*
 * ctl_scan.c - every batch and every parked entry, one after the other.
 *
 * The spool has no index of traces: every batch is read.  So the cheap test
 * comes first: the id's bytes anywhere in the request.  Headers are read by
 * pages and each batch in a transaction of its own, so the writer is never
 * held up.
 *
 * A batch that has been removed meanwhile is passed over, a damaged one
 * counted.
 */
#include "ctl_scan.h"

#include <string.h>

#include "ctl_pages.h"

static unsigned place_of(enum spool_record_state state)
{
    switch (state) {
    case SPOOL_PENDING:
        return CTL_IN_PENDING;
    case SPOOL_HELD:
        return CTL_IN_HELD;
    default:
        return CTL_IN_HISTORY;
    }
}

static bool is_enough(const struct ctl_scan *scan)
{
    return scan->enough != NULL && *scan->enough;
}

/* batch->request; what is not readable there is counted. */
static int scan_request(const struct ctl_scan *scan, struct ctl_batch *batch, unsigned place, struct err *err)
{
    if (memmem(batch->request.data, batch->request.len, scan->trace_id, OTLP_TRACE_ID_BYTES) == NULL)
        return 0;
    return scan->visit(scan->context, batch, place, err);
}

static int scan_batch(const struct ctl_scan *scan, struct ctl_batch *batch, struct spool *spool, uint64_t seq,
                      struct err *err)
{
    struct err unreadable;
    int found = ctl_batch_read(batch, spool, seq, err);

    if (found <= 0)
        return found;
    scan->report->batches++;
    if (batch->record.damaged || ctl_batch_inflate(batch, &unreadable) < 0 ||
        scan_request(scan, batch, place_of(batch->record.state), &unreadable) < 0)
        scan->report->unreadable++;
    return 0;
}

/* Those that were there when it began: more may come for as long as it takes. */
static int scan_batches(const struct ctl_scan *scan, struct ctl_batch *batch, struct spool *spool, struct err *err)
{
    const struct spool_record *header;
    struct ctl_pages pages;
    struct spool_stat stat;
    int result = 0;

    if (spool_stat(spool, &stat, err) < 0)
        return -1;
    ctl_pages_init(&pages, spool, 0, stat.next_seq, false);
    while (!is_enough(scan) && (result = ctl_pages_next(&pages, &header, err)) > 0) {
        if (scan_batch(scan, batch, spool, header->seq, err) < 0)
            return -1;
    }
    return result < 0 ? -1 : 0;
}

static int scan_parked(const struct ctl_scan *scan, struct ctl_batch *batch, struct spool *spool, struct err *err)
{
    const struct spool_parked *entry;
    struct ctl_parked_pages pages;
    struct err unreadable;
    int result = 0;

    ctl_parked_pages_init(&pages, spool, 0, 0);
    while (!is_enough(scan) && (result = ctl_parked_pages_next(&pages, &entry, err)) > 0) {
        batch->request = entry->payload;
        /* What is parked as damaged is the record as it was stored: there is nothing to read in it. */
        if (entry->reason == SPOOL_PARK_DAMAGED || scan_request(scan, batch, CTL_IN_PARKED, &unreadable) < 0)
            scan->report->unreadable++;
    }
    ctl_parked_pages_fini(&pages);
    return result < 0 ? -1 : 0;
}

int ctl_scan_spool(const struct ctl_scan *scan, struct spool *spool, struct err *err)
{
    struct ctl_batch batch;

    ctl_batch_init(&batch);
    int result = scan_batches(scan, &batch, spool, err);
    if (result == 0)
        result = scan_parked(scan, &batch, spool, err);
    ctl_batch_fini(&batch);
    return result;
}
