/*
 * power_table.h - what the actors of a workload know of its records, shared by its processes.
 *
 * Hints from which they choose; what is certain is in the log.  A record is
 * here once its acknowledgement is in the log.
 */
#ifndef TRACESPOOL_POWER_TABLE_H
#define TRACESPOOL_POWER_TABLE_H

#include "power_log.h"

enum power_hint { POWER_NONE, POWER_WAITS, POWER_DONE, POWER_HELD, POWER_GONE };

struct power_table;

struct power_table *power_table_new(void); /* dies when there is no memory */
void power_table_free(struct power_table *table);

/* A number for a put, or for bytes that are parked; 0 when there are no more. */
uint64_t power_table_next_id(struct power_table *table);

void power_table_add(struct power_table *table, uint64_t seq, uint64_t len);
void power_table_set(struct power_table *table, const uint64_t *seqs, size_t count, enum power_hint hint);

/*
 * Up to `max` records with this hint, in random order.  `spread`: how far from
 * the oldest of them they may be.
 */
size_t power_table_choose(struct power_table *table, enum power_hint hint, uint64_t random, size_t spread, size_t max,
                          uint64_t *seqs);

/* A parked span, and a whole record that is parked: which record, and the id of what is parked. */
void power_table_park(struct power_table *table, uint64_t seq, uint64_t id, bool whole);
bool power_table_take_parked(struct power_table *table, uint64_t *seq, uint64_t *id, bool *whole);
bool power_table_may_park(struct power_table *table, uint64_t seq); /* false the second time */

uint64_t power_table_waiting_bytes(struct power_table *table);
uint64_t power_table_stored_bytes(struct power_table *table); /* ever */

/* A put was refused; whether one was since this was last asked. */
void power_table_refuse(struct power_table *table);
bool power_table_take_refusal(struct power_table *table);

/* All that was to be stored is. */
void power_table_end(struct power_table *table);
bool power_table_ended(struct power_table *table);

#endif
