/*
 * ctl_pick.h - which batches and parked entries a command is about: by state,
 * time, service, damage.
 */
#ifndef TRACESPOOL_CTL_PICK_H
#define TRACESPOOL_CTL_PICK_H

#include "ctl.h"
#include "ctl_batch.h"
#include "spool_edit.h"

#define CTL_STATES_ALL                                                                                                 \
    (SPOOL_EDIT_STATE(SPOOL_PENDING) | SPOOL_EDIT_STATE(SPOOL_HELD) | SPOOL_EDIT_STATE(SPOOL_DELIVERED))

struct ctl_pick {
    unsigned states; /* SPOOL_EDIT_STATE() of each */
    uint64_t since_ns;
    uint64_t until_ns;   /* UINT64_MAX: no end */
    const char *service; /* service.name of a resource that has spans; NULL: any */
    bool damaged;        /* only what cannot be read */
};

/* --- options ---------------------------------------------------------------- */

/* Values of the options that verbs share; each tells its mistake on ctl->err and returns -1. */
int ctl_pick_take_since(struct ctl *ctl, struct ctl_pick *pick, const char *text);
int ctl_pick_take_until(struct ctl *ctl, struct ctl_pick *pick, const char *text);
int ctl_pick_take_service(struct ctl *ctl, struct ctl_pick *pick, const char *text);

/* After all of them: whether the times make sense together. */
int ctl_pick_check_times(struct ctl *ctl, const struct ctl_pick *pick);

/* --- batches and entries ---------------------------------------------------- */

bool ctl_pick_in_time(const struct ctl_pick *pick, uint64_t received_ns);

/* By state and time alone: what a header tells. */
bool ctl_pick_fits(const struct ctl_pick *pick, const struct spool_record *header);

/* Whether more than the header has to be looked at. */
bool ctl_pick_looks_inside(const struct ctl_pick *pick);

/*
 * After ctl_batch_look of a batch that fits: whether it is picked.  One that is
 * not readable is never of a service.
 */
bool ctl_pick_takes(const struct ctl_pick *pick, struct ctl_batch *batch);

/* The same of a parked entry, without states; `batch` is to look into it. */
bool ctl_pick_takes_parked(const struct ctl_pick *pick, const struct spool_parked *parked, struct ctl_batch *batch);

#endif
