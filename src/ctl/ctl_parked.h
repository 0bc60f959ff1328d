/*
 * ctl_parked.h - a parked entry as JSON.
 */
#ifndef TRACESPOOL_CTL_PARKED_H
#define TRACESPOOL_CTL_PARKED_H

#include "json.h"
#include "spool.h"

/* Its members, in an object that is open. */
void ctl_parked_put(struct json *json, const struct spool_parked *parked);

#endif
