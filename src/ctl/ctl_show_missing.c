/*
 * ctl_show_missing.c - what `tracespool show` says of a batch or a parked entry
 * that is not there: whether it ever was, and what is.
 */
#include <inttypes.h>

#include "ctl_batch.h"
#include "ctl_show.h"
#include "units.h"

/* "1 span of it is", "161 spans of it are" */
static void note_parked(const struct ctl *ctl, uint64_t parked)
{
    char count[UNITS_TEXT_MAX];

    ctl_note(ctl, "%s %s of it %s parked; `tracespool ls --parked` lists what is", units_format_count(count, parked),
             parked == 1 ? "span" : "spans", parked == 1 ? "is" : "are");
}

int ctl_show_no_batch(const struct ctl *ctl, struct spool *spool, uint64_t seq)
{
    char text[CTL_MISSING_TEXT_MAX];
    struct spool_stat stat;
    uint64_t parked;
    struct err err;

    if (spool_stat(spool, &stat, &err) < 0 || spool_count_parked(spool, seq, &parked, &err) < 0)
        return ctl_fail(ctl, "%s", err.text);
    ctl_fail(ctl, "%" PRIu64 ": %s", seq, ctl_batch_missing(text, seq, stat.next_seq));
    if (parked > 0)
        note_parked(ctl, parked);
    return CTL_FAILED;
}

int ctl_show_no_entry(const struct ctl *ctl, struct spool *spool, const struct ctl_edit_id *id)
{
    char text[CTL_EDIT_ID_TEXT_MAX];
    uint64_t parked = 0;
    struct err err;

    ctl_edit_id_format(text, id);
    if (id->kind == CTL_EDIT_ENTRIES && spool_count_parked(spool, id->first, &parked, &err) < 0)
        return ctl_fail(ctl, "%s", err.text);
    if (parked == 0)
        return ctl_fail(ctl, "nothing is parked at %s; `tracespool ls --parked` lists what is", text);
    ctl_fail(ctl, "%s: the batch is not parked as a whole; %" PRIu64 ":N shows a span that is", text, id->first);
    note_parked(ctl, parked);
    return CTL_FAILED;
}
