/*
 * ctl_parked.h - a parked entry: its id, why it is parked, and as JSON.
 */
#ifndef TRACESPOOL_CTL_PARKED_H
#define TRACESPOOL_CTL_PARKED_H

#include "buf.h"
#include "json.h"
#include "spool.h"

#define CTL_PARKED_ID_MAX 40

/* "7:104", or "7:all" for one that stands for its batch: as it is typed.  Returns `out`. */
char *ctl_parked_id(char out[CTL_PARKED_ID_MAX], const struct spool_parked *parked);

/* "refused, code 121: Document failed validation" */
void ctl_parked_why(struct buf *out, enum spool_park_reason reason, int code, const char *text);

/* Its members, in an object that is open. */
void ctl_parked_put(struct json *json, const struct spool_parked *parked);

#endif
