/*
 * spool_sizing.h - what records take in the spool's file, and how large it has to be for them.  Pure.
 *
 * spool_layout_entry_pages says what a record takes at most, which is what
 * admits it; this here says what many of them take on average.
 */
#ifndef TRACESPOOL_SPOOL_SIZING_H
#define TRACESPOOL_SPOOL_SIZING_H

#include <stdint.h>

/* Bytes of the file that a record of so many stored bytes takes, its share of LMDB's tree included. */
uint64_t spool_sizing_record_bytes(uint64_t stored_bytes);

/* Bytes of records that a spool of so many bytes takes before it refuses. */
uint64_t spool_sizing_room_bytes(uint64_t size_bytes);

/* The smallest size with so much room, in whole MiB; SPOOL_SIZE_MAX_BYTES when none has. */
uint64_t spool_sizing_size_bytes(uint64_t room_bytes);

#endif
