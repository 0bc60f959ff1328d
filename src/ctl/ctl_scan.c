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

#include "bounds.h"

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

static int scan_batches(const struct ctl_scan *scan, struct ctl_batch *batch, struct spool *spool, struct err *err)
{
    struct spool_record records[CTL_PAGE_RECORDS];
    uint64_t from = 0;
    size_t count;

    do {
        if (spool_list(spool, from, CTL_PAGE_RECORDS, records, &count, err) < 0)
            return -1;
        for (size_t i = 0; i < count && !is_enough(scan); i++) {
            if (scan_batch(scan, batch, spool, records[i].seq, err) < 0)
                return -1;
            from = records[i].seq + 1;
        }
    } while (count > 0 && !is_enough(scan));
    return 0;
}

static int scan_parked(const struct ctl_scan *scan, struct ctl_batch *batch, struct spool *spool, struct err *err)
{
    struct spool_parked parked[CTL_PAGE_PARKED];
    struct arena arena;
    uint64_t seq = 0;
    uint32_t index = 0;
    size_t count;
    int result = 0;

    arena_init(&arena, CTL_REQUEST_BYTES_MAX);
    do {
        arena_reset(&arena, 0);
        result = spool_list_parked(spool, seq, index, CTL_PAGE_PARKED, &arena, parked, &count, err);
        for (size_t i = 0; result == 0 && i < count && !is_enough(scan); i++) {
            struct err unreadable;

            batch->request = parked[i].payload;
            /* What is parked as damaged is the record as it was stored: there is nothing to read in it. */
            if (parked[i].reason == SPOOL_PARK_DAMAGED || scan_request(scan, batch, CTL_IN_PARKED, &unreadable) < 0)
                scan->report->unreadable++;
            seq = parked[i].seq;
            index = parked[i].index + 1;
            if (index == 0)
                seq++;
        }
    } while (result == 0 && count > 0 && !is_enough(scan));
    arena_fini(&arena);
    return result;
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
