/*
 * power_table.c - see the header.  Any thread of any process; one lock.
 */
#include "power_table.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct parked {
    uint64_t seq;
    uint64_t id;
    bool whole;
};

struct power_table {
    pthread_mutex_t lock;
    uint64_t last_id;
    uint64_t last_seq;
    uint64_t waiting_bytes;
    uint64_t stored_bytes;
    bool refused;
    bool ended;
    size_t parked_count;
    struct parked parked[POWER_SEQS_MAX];
    struct {
        enum power_hint hint;
        uint64_t len;
        bool was_parked;
    } seqs[POWER_SEQS_MAX];
};

struct power_table *power_table_new(void)
{
    pthread_mutexattr_t shared;
    struct power_table *table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (table == MAP_FAILED) {
        perror("power_table");
        abort();
    }
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&table->lock, &shared);
    pthread_mutexattr_destroy(&shared);
    return table;
}

void power_table_free(struct power_table *table)
{
    if (table != NULL)
        munmap(table, sizeof(*table));
}

uint64_t power_table_next_id(struct power_table *table)
{
    uint64_t id;

    pthread_mutex_lock(&table->lock);
    id = table->last_id + 1 < POWER_JUDGES_ID ? ++table->last_id : 0;
    pthread_mutex_unlock(&table->lock);
    return id;
}

/* --- records --------------------------------------------------------------- */

/* Under the lock. */
static void set(struct power_table *table, uint64_t seq, enum power_hint hint)
{
    if (table->seqs[seq].hint == POWER_WAITS)
        table->waiting_bytes -= table->seqs[seq].len;
    if (hint == POWER_WAITS)
        table->waiting_bytes += table->seqs[seq].len;
    table->seqs[seq].hint = hint;
}

void power_table_add(struct power_table *table, uint64_t seq, uint64_t len)
{
    assert(seq < POWER_SEQS_MAX);
    pthread_mutex_lock(&table->lock);
    table->seqs[seq].len = len;
    table->stored_bytes += len;
    if (seq > table->last_seq)
        table->last_seq = seq;
    set(table, seq, POWER_WAITS);
    pthread_mutex_unlock(&table->lock);
}

void power_table_set(struct power_table *table, const uint64_t *seqs, size_t count, enum power_hint hint)
{
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < count; i++)
        set(table, seqs[i], hint);
    pthread_mutex_unlock(&table->lock);
}

size_t power_table_choose(struct power_table *table, enum power_hint hint, uint64_t random, size_t spread, size_t max,
                          uint64_t *seqs)
{
    size_t seen = 0, count = 0;

    pthread_mutex_lock(&table->lock);
    for (uint64_t seq = 1; seq <= table->last_seq && seen < spread; seq++) {
        if (table->seqs[seq].hint != hint)
            continue;
        seen++;
        /* Reservoir sampling: each is as likely. */
        random = random * 6364136223846793005U + 1442695040888963407U;
        if (count < max)
            seqs[count++] = seq;
        else if ((random >> 33) % seen < max)
            seqs[(random >> 40) % max] = seq;
    }
    pthread_mutex_unlock(&table->lock);
    return count;
}

/* --- parked ---------------------------------------------------------------- */

bool power_table_may_park(struct power_table *table, uint64_t seq)
{
    bool may;

    pthread_mutex_lock(&table->lock);
    may = !table->seqs[seq].was_parked;
    table->seqs[seq].was_parked = true;
    pthread_mutex_unlock(&table->lock);
    return may;
}

void power_table_park(struct power_table *table, uint64_t seq, uint64_t id, bool whole)
{
    pthread_mutex_lock(&table->lock);
    assert(table->parked_count < POWER_SEQS_MAX);
    table->parked[table->parked_count++] = (struct parked){.seq = seq, .id = id, .whole = whole};
    pthread_mutex_unlock(&table->lock);
}

bool power_table_take_parked(struct power_table *table, uint64_t *seq, uint64_t *id, bool *whole)
{
    struct parked *last;
    bool any;

    pthread_mutex_lock(&table->lock);
    any = table->parked_count > 0;
    if (any) {
        last = &table->parked[--table->parked_count];
        *seq = last->seq;
        *id = last->id;
        *whole = last->whole;
    }
    pthread_mutex_unlock(&table->lock);
    return any;
}

/* --- sums ------------------------------------------------------------------ */

uint64_t power_table_waiting_bytes(struct power_table *table)
{
    uint64_t bytes;

    pthread_mutex_lock(&table->lock);
    bytes = table->waiting_bytes;
    pthread_mutex_unlock(&table->lock);
    return bytes;
}

uint64_t power_table_stored_bytes(struct power_table *table)
{
    uint64_t bytes;

    pthread_mutex_lock(&table->lock);
    bytes = table->stored_bytes;
    pthread_mutex_unlock(&table->lock);
    return bytes;
}

void power_table_refuse(struct power_table *table)
{
    pthread_mutex_lock(&table->lock);
    table->refused = true;
    pthread_mutex_unlock(&table->lock);
}

bool power_table_take_refusal(struct power_table *table)
{
    bool refused;

    pthread_mutex_lock(&table->lock);
    refused = table->refused;
    table->refused = false;
    pthread_mutex_unlock(&table->lock);
    return refused;
}

void power_table_end(struct power_table *table)
{
    pthread_mutex_lock(&table->lock);
    table->ended = true;
    pthread_mutex_unlock(&table->lock);
}

bool power_table_ended(struct power_table *table)
{
    bool ended;

    pthread_mutex_lock(&table->lock);
    ended = table->ended;
    pthread_mutex_unlock(&table->lock);
    return ended;
}
