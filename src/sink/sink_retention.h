/*
 * sink_retention.h - which days go, and dropping them.
 */
#ifndef TRACESPOOL_SINK_RETENTION_H
#define TRACESPOOL_SINK_RETENTION_H

#include "sink_clock.h"
#include "sink_listing.h"

/* How far before its receipt a start may lie and still be filed under its own day.  Pure. */
uint64_t sink_retention_past(uint64_t retention_ns);

/* Whether all of the day is older than `retention_ns`; 0 keeps for ever.  Pure. */
bool sink_retention_is_over(uint32_t day, uint64_t retention_ns, uint64_t now_ns);

/* The day that goes when there is no room: the oldest, but never the only one, today's or a later one.  Pure. */
bool sink_retention_oldest(const struct sink_listing *listing, uint64_t now_ns, uint32_t *day);

/*
 * Drops every day that retention ends, the oldest first; *dropped of them, each
 * noted first: when that fails the day goes all the same, and the note is the
 * failure.  -1: ERR_RETRY, ERR_CONFIG.  Blocks.
 */
int sink_retention_pass(const struct sink_link *link, const struct sink_clock *now, size_t *dropped, struct err *err);

/*
 * 0: the oldest day is dropped, or the room of another drop is still to come;
 * in *pause_ns it makes sense to ask again.  -1: ERR_RETRY, ERR_CONFIG, also
 * when none may be dropped.  Blocks.
 */
int sink_retention_make_room(const struct sink_link *link, const struct sink_clock *now, uint64_t *pause_ns,
                             struct err *err);

#endif
