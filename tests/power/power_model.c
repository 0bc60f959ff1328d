/*
 * power_model.c - see the header.  Pure.
 */
#include "power_model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "spool.h"

#define MASKS (1U << POWER_ACTORS)
#define RECORD(state) ((state) >> 2)
#define WHOLE(state) (((state)&2U) != 0)
#define SPAN(state) (((state)&1U) != 0)

static unsigned moved(unsigned state, unsigned from, unsigned to)
{
    return RECORD(state) == from ? POWER_STATE(to, WHOLE(state), SPAN(state)) : state;
}

static unsigned without_whole(unsigned state)
{
    return POWER_STATE(RECORD(state), false, SPAN(state));
}

/* The state after the change was made in `state`. */
static unsigned change(enum power_change change, unsigned state)
{
    switch (change) {
    case POWER_DELIVER:
        return moved(state, SPOOL_PENDING, SPOOL_DELIVERED);
    case POWER_PARK:
        return POWER_STATE(RECORD(state), WHOLE(state), true);
    case POWER_PARK_WHOLE:
        return RECORD(state) == SPOOL_PENDING ? POWER_STATE(SPOOL_HELD, true, SPAN(state)) : state;
    case POWER_HOLD:
        return moved(state, SPOOL_PENDING, SPOOL_HELD);
    case POWER_RELEASE:
        return RECORD(state) == SPOOL_HELD ? moved(without_whole(state), SPOOL_HELD, SPOOL_PENDING) : state;
    case POWER_REPLAY:
        return moved(state, SPOOL_DELIVERED, SPOOL_PENDING);
    case POWER_REMOVE:
        return RECORD(state) == POWER_ABSENT ? state : POWER_STATE(POWER_ABSENT, false, false);
    case POWER_REQUEUE_SPAN:
    case POWER_REMOVE_SPAN:
        return POWER_STATE(RECORD(state), WHOLE(state), false);
    case POWER_REQUEUE_WHOLE:
        return WHOLE(state) ? moved(without_whole(state), SPOOL_HELD, SPOOL_PENDING) : state;
    case POWER_REMOVE_WHOLE:
        return WHOLE(state) ? moved(without_whole(state), SPOOL_HELD, POWER_ABSENT) : state;
    case POWER_PUT:
    case POWER_OPENED:
        break;
    }
    assert(!"not a change of a record");
    return state;
}

static bool add(struct power_seq_model *seq, unsigned state, unsigned mask)
{
    uint16_t bit = (uint16_t)(1U << mask);
    bool is_new = (seq->possible[state] & bit) == 0;

    seq->possible[state] = (uint16_t)(seq->possible[state] | bit);
    return is_new;
}

/* What may come of (state, mask) in one step: history is evicted at any time, a change in flight is made once. */
static bool add_next(const struct power_model *model, struct power_seq_model *seq, unsigned state, unsigned mask)
{
    bool more = add(seq, moved(state, SPOOL_DELIVERED, POWER_ABSENT), mask);

    for (unsigned actor = 0; actor < POWER_ACTORS; actor++) {
        if ((seq->in_flight & ~mask & 1U << actor) != 0)
            more |= add(seq, change(model->in_flight[actor]->change, state), mask | 1U << actor);
    }
    return more;
}

static void add_all(const struct power_model *model, struct power_seq_model *seq)
{
    bool more = true;

    while (more) {
        more = false;
        for (unsigned state = 0; state < POWER_STATES; state++) {
            for (unsigned mask = 0; mask < MASKS; mask++) {
                if ((seq->possible[state] & 1U << mask) != 0)
                    more |= add_next(model, seq, state, mask);
            }
        }
    }
}

/* Of all that was possible, what has the actor's change made, or not made. */
static void settle(struct power_seq_model *seq, unsigned actor, bool made)
{
    uint16_t left = 0;

    for (unsigned state = 0; state < POWER_STATES; state++) {
        uint16_t kept = 0;

        for (unsigned mask = 0; mask < MASKS; mask++) {
            if ((seq->possible[state] & 1U << mask) != 0 && ((mask >> actor & 1U) != 0) == made)
                kept = (uint16_t)(kept | 1U << (mask & ~(1U << actor)));
        }
        seq->possible[state] = kept;
        left |= kept;
    }
    assert(left != 0);
    seq->in_flight &= ~(1U << actor);
}

static void become_record(struct power_model *model, uint64_t id, uint64_t number)
{
    struct power_seq_model *seq = &model->seqs[number];

    assert(number > 0 && number < POWER_SEQS_MAX && id < POWER_PUTS_MAX && seq->id == 0);
    seq->id = id;
    add(seq, POWER_STATE(SPOOL_PENDING, false, false), 0);
    model->puts[id].seq = number;
    model->acknowledged++;
    if (number > model->last_seq)
        model->last_seq = number;
}

static void follow_put(struct power_model *model, const struct power_mark *mark)
{
    struct power_put_model *put = &model->puts[mark->id];

    if (mark->moment == POWER_ASKED)
        *put = (struct power_put_model){.asked = true, .len = mark->len, .checksum = mark->checksum};
    else if (mark->moment == POWER_REFUSED)
        put->refused = true;
    else
        become_record(model, mark->id, mark->seq);
}

static void ask(struct power_model *model, const struct power_mark *mark)
{
    assert(model->in_flight[mark->actor] == NULL);
    model->in_flight[mark->actor] = mark;
    for (size_t i = 0; i < mark->count; i++) {
        struct power_seq_model *seq = &model->seqs[mark->seqs[i]];

        assert(seq->id != 0);
        seq->in_flight |= 1U << mark->actor;
        add_all(model, seq);
        if (mark->change == POWER_PARK) {
            seq->span_id = mark->id;
            model->puts[mark->id] = (struct power_put_model){.len = mark->len, .checksum = mark->checksum};
        } else if (mark->change == POWER_REQUEUE_SPAN) {
            model->puts[mark->id].asked = true;
        }
    }
}

static void answer(struct power_model *model, const struct power_mark *mark)
{
    const struct power_mark *asked = model->in_flight[mark->actor];

    assert(asked != NULL && asked->change == mark->change);
    for (size_t i = 0; i < asked->count; i++)
        settle(&model->seqs[asked->seqs[i]], mark->actor, mark->moment == POWER_CONFIRMED);
    model->in_flight[mark->actor] = NULL;
    if (mark->change != POWER_REQUEUE_SPAN)
        return;
    model->puts[asked->id].asked = mark->seq != 0;
    if (mark->seq != 0)
        become_record(model, asked->id, mark->seq);
}

void power_model_follow(struct power_model *model, const struct power_mark *mark)
{
    if (mark->change == POWER_OPENED)
        model->opened = true;
    else if (mark->change == POWER_PUT)
        follow_put(model, mark);
    else if (mark->moment == POWER_ASKED)
        ask(model, mark);
    else
        answer(model, mark);
}

bool power_model_allows(const struct power_model *model, uint64_t seq, unsigned state)
{
    return model->seqs[seq].possible[state] != 0;
}

bool power_model_had_span(const struct power_model *model, uint64_t seq)
{
    const struct power_seq_model *record = &model->seqs[seq];

    for (unsigned state = 0; state < POWER_STATES; state++) {
        if (!SPAN(state) && (record->possible[state] & 1U) != 0)
            return false;
    }
    return true;
}

const char *power_model_state_text(unsigned state, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s",
             RECORD(state) == POWER_ABSENT ? "gone" : spool_record_state_name((enum spool_record_state)RECORD(state)),
             WHOLE(state) ? " and parked" : "", SPAN(state) ? " with a parked span" : "");
    return out;
}

const char *power_model_text(const struct power_model *model, uint64_t seq, char *out, size_t size)
{
    char one[64];
    size_t used = 0;

    out[0] = '\0';
    for (unsigned state = 0; state < POWER_STATES && used < size; state++) {
        if (power_model_allows(model, seq, state))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", or ",
                                     power_model_state_text(state, one, sizeof(one)));
    }
    return out;
}
