/*
 * flush_state.c - what is known of the sink: one state for all flusher
 * threads, said once in the log and noted in the spool, where
 * `tracespool status` finds it with or without a daemon.
 *
 * The note costs a transaction of its own when nothing else is written, so it
 * is made when the state changes and otherwise not before FLUSH_NOTE_MS have
 * passed, FLUSH_NOTE_FAILED_MS for one more failed attempt.  The latter is owed
 * then, and made by a thread that waits: the next attempt may be half a minute
 * away, and until then status would tell the number of the first one.  So is
 * what the sink finds out while nothing is sent.
 * A note that cannot be made (the writer is stopping) is not an error: it is
 * about the past.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "flush_internal.h"
#include "log.h"
#include "metrics.h"
#include "units.h"

#define MOVE(state) (1U << SPOOL_DELIVERY_##state)
#define KNOWN (MOVE(FLOWING) | MOVE(BACKING_OFF) | MOVE(MISCONFIGURED) | MOVE(STORAGE_FULL))

/* Any of them may follow any other; what it starts with is left once, at the first answer or failure. */
static const unsigned allowed_moves[SPOOL_DELIVERY_STATE_COUNT] = {
    [SPOOL_DELIVERY_STARTING] = KNOWN,      [SPOOL_DELIVERY_FLOWING] = KNOWN,      [SPOOL_DELIVERY_BACKING_OFF] = KNOWN,
    [SPOOL_DELIVERY_MISCONFIGURED] = KNOWN, [SPOOL_DELIVERY_STORAGE_FULL] = KNOWN,
};

static enum spool_delivery_state state_after(const struct err *failure)
{
    switch (failure->class) {
    case ERR_CONFIG:
        return SPOOL_DELIVERY_MISCONFIGURED;
    case ERR_FULL:
        return SPOOL_DELIVERY_STORAGE_FULL;
    default:
        return SPOOL_DELIVERY_BACKING_OFF;
    }
}

bool flush_stopping(struct flusher *flusher)
{
    bool stopping;

    pthread_mutex_lock(&flusher->lock);
    stopping = flusher->stopping;
    pthread_mutex_unlock(&flusher->lock);
    return stopping;
}

/* Under the lock. True when the caller has to write `*note` to the spool, after unlocking. */
static bool note_is_due(struct flusher *flusher, bool changed, uint64_t interval_ms, struct spool_delivery *note)
{
    uint64_t now = clock_mono_ns();

    if (!changed && now - flusher->noted_ns < interval_ms * NS_PER_MS)
        return false;
    flusher->noted_ns = now;
    flusher->note_owed = false;
    *note = flusher->delivery;
    return true;
}

static void write_note(struct flusher *flusher, const struct spool_delivery *note)
{
    struct err err;

    if (spool_writer_note_delivery(flusher->writer, note, &err) != 0)
        log_debug("flush.note_failed", "%s", err.text);
}

void flush_show_state(enum spool_delivery_state state)
{
    static_assert(METRIC_FLUSH_STATE_STARTING + SPOOL_DELIVERY_STATE_COUNT == METRIC_FLUSH_STATE_STORAGE_FULL + 1,
                  "a row of metrics_table.h a state, in the same order");

    for (unsigned i = 0; i < SPOOL_DELIVERY_STATE_COUNT; i++)
        metrics_set(METRIC_FLUSH_STATE_STARTING + i, i == state);
}

/* Under the lock.  True when it is a change. */
static bool move_to(struct flusher *flusher, enum spool_delivery_state state, const char *text)
{
    struct spool_delivery *delivery = &flusher->delivery;
    bool changed = delivery->state != state || strcmp(delivery->text, text) != 0;

    assert(allowed_moves[delivery->state] & (1U << state));
    if (delivery->state != state)
        delivery->since_ns = clock_wall_ns();
    delivery->state = state;
    snprintf(delivery->text, sizeof(delivery->text), "%s", text);
    flush_show_state(state);
    return changed;
}

void flush_note_attempt(struct flush_thread *thread)
{
    pthread_mutex_lock(&thread->flusher->lock);
    thread->chances = thread->flusher->chances;
    pthread_mutex_unlock(&thread->flusher->lock);
}

void flush_note_success(struct flush_thread *thread)
{
    struct flusher *flusher = thread->flusher;
    struct spool_delivery before, note;
    char away[UNITS_TEXT_MAX];
    bool changed, due;

    pthread_mutex_lock(&flusher->lock);
    before = flusher->delivery;
    changed = move_to(flusher, SPOOL_DELIVERY_FLOWING, "");
    flusher->delivery.attempts = 0;
    flusher->delivery.last_ok_ns = clock_wall_ns();
    if (thread->chances == flusher->chances) /* its own success is no reason for itself */
        thread->chances++;
    flusher->chances++;
    due = note_is_due(flusher, changed, FLUSH_NOTE_MS, &note);
    if (changed)
        pthread_cond_broadcast(&flusher->changed);
    pthread_mutex_unlock(&flusher->lock);

    if (changed && before.state == SPOOL_DELIVERY_STARTING)
        log_info("flush.flowing", "MongoDB stores what it is sent");
    else if (changed)
        log_info("flush.flowing", "MongoDB stores again, after %s and %llu failed attempts",
                 units_format_duration(away, note.last_ok_ns - before.since_ns), (unsigned long long)before.attempts);
    if (due)
        write_note(flusher, &note);
}

/*
 * Under the lock.  With nothing to send there is no attempt that could fail, and
 * an operator asks all the same: what is known is told as a state without
 * attempts, which is over when the sink says so.
 */
static void take_word(struct flusher *flusher, bool passable)
{
    struct spool_delivery *delivery = &flusher->delivery;
    bool is_word = delivery->state == SPOOL_DELIVERY_BACKING_OFF && delivery->attempts == 0;

    if (!passable && (delivery->state == SPOOL_DELIVERY_STARTING || delivery->state == SPOOL_DELIVERY_FLOWING))
        move_to(flusher, SPOOL_DELIVERY_BACKING_OFF, "no server is known that takes writes");
    else if (passable && is_word)
        move_to(flusher, SPOOL_DELIVERY_FLOWING, "");
    else
        return;
    flusher->note_owed = true;
    flusher->noted_ns = 0; /* at once */
}

void flush_note_told(void *context, bool passable)
{
    struct flusher *flusher = context;

    pthread_mutex_lock(&flusher->lock);
    take_word(flusher, passable);
    flusher->chances += passable;
    pthread_cond_broadcast(&flusher->changed);
    pthread_mutex_unlock(&flusher->lock);
}

void flush_note_edited(void *context)
{
    struct flusher *flusher = context;

    pthread_mutex_lock(&flusher->lock);
    flusher->asks++;
    pthread_cond_broadcast(&flusher->changed);
    pthread_mutex_unlock(&flusher->lock);
}

uint64_t flush_asks(struct flusher *flusher)
{
    uint64_t asks;

    pthread_mutex_lock(&flusher->lock);
    asks = flusher->asks;
    pthread_mutex_unlock(&flusher->lock);
    return asks;
}

static void log_failure(enum spool_delivery_state state, const struct err *failure, uint64_t wait_ms)
{
    if (state == SPOOL_DELIVERY_MISCONFIGURED)
        log_error("flush.misconfigured", "MongoDB refuses delivery until somebody acts; batches stay in the spool: %s",
                  failure->text);
    else if (state == SPOOL_DELIVERY_STORAGE_FULL)
        log_error("flush.storage_full", "delivery waits until MongoDB has room; batches stay in the spool: %s",
                  failure->text);
    else
        log_warn("flush.backing_off", "batches stay in the spool, next try in %llu ms: %s", (unsigned long long)wait_ms,
                 failure->text);
}

/* A note of the failure; the log gets a line when something new is known. */
static void note_failure(struct flush_thread *thread, const struct err *failure, uint64_t wait_ms)
{
    struct flusher *flusher = thread->flusher;
    enum spool_delivery_state state = state_after(failure);
    struct spool_delivery note;
    bool changed, due;

    pthread_mutex_lock(&flusher->lock);
    changed = move_to(flusher, state, failure->text);
    flusher->delivery.attempts++;
    due = note_is_due(flusher, changed, FLUSH_NOTE_FAILED_MS, &note);
    flusher->note_owed = !due;
    pthread_mutex_unlock(&flusher->lock);

    metrics_add(METRIC_FLUSH_ATTEMPTS_FAILED, 1);
    if (changed)
        log_failure(state, failure, wait_ms);
    if (due)
        write_note(flusher, &note);
}

/* splitmix64: jitter needs spread, not secrecy. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* Under the lock, which is open while an owed note is written.  True when it was. */
static bool pay_note(struct flusher *flusher)
{
    struct spool_delivery note;

    if (!flusher->note_owed || !note_is_due(flusher, false, FLUSH_NOTE_FAILED_MS, &note))
        return false;
    pthread_mutex_unlock(&flusher->lock);
    write_note(flusher, &note);
    pthread_mutex_lock(&flusher->lock);
    return true;
}

void flush_pay_note(struct flusher *flusher)
{
    pthread_mutex_lock(&flusher->lock);
    pay_note(flusher);
    pthread_mutex_unlock(&flusher->lock);
}

/* Under the lock: when the next one of these comes, a signal, an owed note's time, or `end_ns`. */
static void wait_for_change(struct flusher *flusher, uint64_t end_ns)
{
    uint64_t note_ns = flusher->noted_ns + FLUSH_NOTE_FAILED_MS * NS_PER_MS;
    struct timespec deadline = clock_timespec(flusher->note_owed && note_ns < end_ns ? note_ns : end_ns);

    pthread_cond_timedwait(&flusher->changed, &flusher->lock, &deadline);
}

/* What may end a wait before its time, besides stopping. */
#define END_AT_CHANCE 1U
#define END_AT_ASK 2U

/* Under the lock.  Asks count from the claim on, chances from the attempt on: the wait may begin after they came. */
static bool is_ended(const struct flush_thread *thread, unsigned ends)
{
    const struct flusher *flusher = thread->flusher;

    return flusher->stopping || ((ends & END_AT_CHANCE) != 0 && flusher->chances != thread->chances) ||
           ((ends & END_AT_ASK) != 0 && flusher->asks != thread->asks);
}

/* False when stopping. */
static bool wait_for(struct flush_thread *thread, uint64_t wait_ms, unsigned ends)
{
    struct flusher *flusher = thread->flusher;
    uint64_t end_ns = clock_mono_ns() + wait_ms * NS_PER_MS;
    bool stopping;

    pthread_mutex_lock(&flusher->lock);
    while (!is_ended(thread, ends) && clock_mono_ns() < end_ns)
        if (!pay_note(flusher))
            wait_for_change(flusher, end_ns);
    thread->chances = flusher->chances;
    stopping = flusher->stopping;
    pthread_mutex_unlock(&flusher->lock);
    return !stopping;
}

/* What passes only when a person acts is tried rarely: it fills the server's log. */
static uint64_t wait_after(struct flush_thread *thread, const struct err *failure)
{
    uint64_t steps = failure->class == ERR_OVERLOAD ? FLUSH_OVERLOAD_STEPS : 0;
    uint64_t wait_ms = backoff_ms(thread->attempts + steps, next_random(&thread->random));

    return failure->class == ERR_CONFIG || failure->class == ERR_FULL ? FLUSH_PROBE_MS + wait_ms : wait_ms;
}

bool flush_back_off(struct flush_thread *thread, const struct err *failure)
{
    uint64_t wait_ms;

    thread->attempts++;
    wait_ms = wait_after(thread, failure);
    note_failure(thread, failure, wait_ms);
    return wait_for(thread, wait_ms, END_AT_ASK | (failure->class != ERR_OVERLOAD ? END_AT_CHANCE : 0));
}

bool flush_wait_for_spool(struct flush_thread *thread, uint64_t attempts)
{
    return wait_for(thread, backoff_ms(attempts, next_random(&thread->random)), 0);
}

static bool claim_holds(struct flush_thread *thread)
{
    return !flush_stopping(thread->flusher) && spool_writer_generation(thread->flusher->writer) == thread->generation;
}

bool flush_try_again(struct flush_thread *thread, const struct err *failure)
{
    return claim_holds(thread) && flush_back_off(thread, failure) && claim_holds(thread);
}

bool flush_wait_for_rate(struct flush_thread *thread, uint64_t spans)
{
    struct flusher *flusher = thread->flusher;
    uint64_t now_ns = clock_mono_ns(), at_ns;

    pthread_mutex_lock(&flusher->lock);
    at_ns = flush_pace_take(&flusher->pace, flusher->settings.rate, spans, now_ns);
    pthread_mutex_unlock(&flusher->lock);
    if (at_ns <= now_ns)
        return true;
    wait_for(thread, (at_ns - now_ns) / NS_PER_MS, 0);
    return claim_holds(thread);
}
