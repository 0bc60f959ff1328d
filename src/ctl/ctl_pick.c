/*
 * ctl_pick.c - what a command is about.
 *
 * A header tells state and time.  A service is in the batch's bytes only, so
 * that question comes last, and its name is looked for as bytes before the
 * batch is walked.
 */
#include "ctl_pick.h"

#include <string.h>

#include "clock.h"
#include "ctl_time.h"
#include "units.h"

/* --- options ---------------------------------------------------------------- */

static int take_time(struct ctl *ctl, const char *option, const char *text, uint64_t *wall_ns)
{
    struct err err;

    if (ctl_time_parse(text, clock_wall_ns(), wall_ns, &err) == 0)
        return 0;
    ctl_fail(ctl, "--%s: %s", option, err.text);
    return -1;
}

int ctl_pick_take_since(struct ctl *ctl, struct ctl_pick *pick, const char *text)
{
    return take_time(ctl, "since", text, &pick->since_ns);
}

int ctl_pick_take_until(struct ctl *ctl, struct ctl_pick *pick, const char *text)
{
    return take_time(ctl, "until", text, &pick->until_ns);
}

int ctl_pick_take_service(struct ctl *ctl, struct ctl_pick *pick, const char *text)
{
    if (*text == '\0')
        ctl_fail(ctl, "--service takes a service.name");
    else if (pick->service != NULL)
        ctl_fail(ctl, "--service takes one service; \"%s\" is the second", text);
    else
        pick->service = text;
    return pick->service == text ? 0 : -1;
}

int ctl_pick_check_times(struct ctl *ctl, const struct ctl_pick *pick)
{
    char text[UNITS_TEXT_MAX];

    if (pick->since_ns > clock_wall_ns()) {
        ctl_fail(ctl, "--since has yet to come: it is %s", units_format_time(text, pick->since_ns));
        return -1;
    }
    if (pick->until_ns <= pick->since_ns) {
        ctl_fail(ctl, "--until is not after --since");
        return -1;
    }
    return 0;
}

/* --- batches and entries ---------------------------------------------------- */

bool ctl_pick_in_time(const struct ctl_pick *pick, uint64_t received_ns)
{
    return received_ns >= pick->since_ns && (pick->until_ns == UINT64_MAX || received_ns < pick->until_ns);
}

bool ctl_pick_fits(const struct ctl_pick *pick, const struct spool_record *header)
{
    return (pick->states & SPOOL_EDIT_STATE(header->state)) != 0 && ctl_pick_in_time(pick, header->received_ns);
}

bool ctl_pick_looks_inside(const struct ctl_pick *pick)
{
    return pick->service != NULL || pick->damaged;
}

bool ctl_pick_takes(const struct ctl_pick *pick, struct ctl_batch *batch)
{
    if (pick->damaged && batch->readable)
        return false;
    return pick->service == NULL || (batch->readable && ctl_batch_has_service(batch, slice_of_text(pick->service)));
}

bool ctl_pick_takes_parked(const struct ctl_pick *pick, const struct spool_parked *parked, struct ctl_batch *batch)
{
    if (!ctl_pick_in_time(pick, parked->received_ns) || (pick->damaged && parked->reason != SPOOL_PARK_DAMAGED))
        return false;
    if (pick->service == NULL)
        return true;
    if (parked->payload.len == 0)
        return false;
    ctl_batch_look_at(batch, parked->payload);
    return batch->readable && ctl_batch_has_service(batch, slice_of_text(pick->service));
}
