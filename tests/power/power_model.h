/*
 * power_model.h - what a spool may and must hold after a power loss at some place in the log.
 *
 * A change that was confirmed has been made; one that was asked and neither
 * confirmed nor refused may have been made or not; one that was refused has
 * not.  Several changes of one record may be in flight, in either order: so
 * each record has a set of states that are possible, each with the changes in
 * flight that have been made on the way there.
 */
#ifndef TRACESPOOL_POWER_MODEL_H
#define TRACESPOOL_POWER_MODEL_H

#include "power_log.h"

/* A record's state: SPOOL_PENDING and so on, or this; and which of its parked entries are there. */
#define POWER_ABSENT 3U
#define POWER_STATE(record, whole, span) ((unsigned)(record) << 2 | ((whole) ? 2U : 0U) | ((span) ? 1U : 0U))
#define POWER_STATES 16

struct power_put_model {
    bool asked;
    bool refused;
    uint64_t seq; /* 0 until it is acknowledged */
    uint64_t len;
    uint64_t checksum;
};

struct power_seq_model {
    uint64_t id;                     /* of its put; 0: not acknowledged */
    uint64_t span_id;                /* of the bytes that are, or were, parked as its span */
    uint16_t possible[POWER_STATES]; /* bit m: in this state after the changes in flight of the bits of m */
    unsigned in_flight;              /* actors with a change of it */
};

struct power_model {
    bool named;        /* the file's name is on disk */
    bool opened;       /* spool_open has returned */
    uint64_t last_seq; /* the highest that was acknowledged */
    uint64_t acknowledged;
    const struct power_mark *in_flight[POWER_ACTORS];
    struct power_put_model puts[POWER_PUTS_MAX]; /* by id */
    struct power_seq_model seqs[POWER_SEQS_MAX];
};

/* Goes on by one mark. */
void power_model_follow(struct power_model *model, const struct power_mark *mark);

bool power_model_allows(const struct power_model *model, uint64_t seq, unsigned state);

/* Whether the parked span was there for certain before the changes that are in flight. */
bool power_model_had_span(const struct power_model *model, uint64_t seq);

/* "pending or delivered": for messages.  Returns `out`. */
const char *power_model_text(const struct power_model *model, uint64_t seq, char *out, size_t size);
const char *power_model_state_text(unsigned state, char *out, size_t size);

#endif
