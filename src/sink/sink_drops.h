/*
 * sink_drops.h - which days were dropped last, noted in MongoDB, so that
 * several daemons do not drop several days for one shortage of room.
 */
#ifndef TRACESPOOL_SINK_DROPS_H
#define TRACESPOOL_SINK_DROPS_H

#include <stdint.h>

#include "err.h"

struct sink_link;

enum sink_drop_reason {
    SINK_DROP_RETENTION,
    SINK_DROP_FULL,
};

/* How long to wait, after a drop that was noted at `noted_ns`, until its room is there.  Pure. */
uint64_t sink_drops_pause_ns(uint64_t noted_ns, uint64_t now_ns);

/*
 * Asks for the right to drop `day` because the volume is full, now by the
 * primary's clock.  0 with *pause_ns 0: it is the caller's, and noted.  0 with
 * *pause_ns: another drop has been noted, and its room is waited for so long.
 * -1: ERR_RETRY, ERR_CONFIG: nothing may be dropped.  Blocks.
 */
int sink_drops_claim(const struct sink_link *link, uint32_t day, uint64_t server_ns, uint64_t *pause_ns,
                     struct err *err);

/* Notes that retention drops `day`, whatever else was noted.  -1: ERR_RETRY, ERR_CONFIG.  Blocks. */
int sink_drops_note(const struct sink_link *link, uint32_t day, uint64_t server_ns, struct err *err);

#endif
