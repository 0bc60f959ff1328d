/*
 * power_log.c - see the header.
 *
 * One lock for all processes.  It is held while bytes are copied in, never
 * while anything is written to a file.
 */
#include "power_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct power_log {
    pthread_mutex_t lock;
    size_t count;
    size_t data_bytes;
    struct power_entry entries[POWER_ENTRIES_MAX];
    _Alignas(16) uint8_t data[];
};

#define LOG_BYTES (sizeof(struct power_log) + POWER_DATA_BYTES_MAX)

static void die(const char *what)
{
    fprintf(stderr, "power_log: %s\n", what);
    abort();
}

struct power_log *power_log_new(void)
{
    pthread_mutexattr_t shared;
    struct power_log *log =
        mmap(NULL, LOG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (log == MAP_FAILED)
        die("no memory");
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&log->lock, &shared);
    pthread_mutexattr_destroy(&shared);
    return log;
}

void power_log_free(struct power_log *log)
{
    if (log != NULL)
        munmap(log, LOG_BYTES);
}

size_t power_log_append(struct power_log *log, const struct power_entry *entry, const void *bytes)
{
    size_t number;

    pthread_mutex_lock(&log->lock);
    number = log->count;
    if (number == POWER_ENTRIES_MAX || entry->bytes > POWER_DATA_BYTES_MAX - log->data_bytes - 16)
        die("full");
    log->entries[number] = *entry;
    log->entries[number].data = log->data_bytes;
    if (entry->bytes > 0)
        memcpy(log->data + log->data_bytes, bytes, entry->bytes);
    log->data_bytes += (entry->bytes + 15) / 16 * 16;
    log->count++;
    pthread_mutex_unlock(&log->lock);
    return number;
}

void power_log_mark(struct power_log *log, const struct power_mark *mark, const uint64_t *seqs)
{
    size_t seqs_bytes = mark->count * sizeof(seqs[0]);
    struct power_entry entry = {.kind = POWER_MARK, .bytes = sizeof(*mark) + seqs_bytes};
    struct power_mark *whole = malloc(entry.bytes);

    if (whole == NULL)
        die("no memory");
    *whole = *mark;
    if (seqs_bytes > 0)
        memcpy(whole->seqs, seqs, seqs_bytes);
    power_log_append(log, &entry, whole);
    free(whole);
}

size_t power_log_count(struct power_log *log)
{
    size_t count;

    pthread_mutex_lock(&log->lock);
    count = log->count;
    pthread_mutex_unlock(&log->lock);
    return count;
}

const struct power_entry *power_log_at(const struct power_log *log, size_t number)
{
    return &log->entries[number];
}

const void *power_log_data(const struct power_log *log, const struct power_entry *entry)
{
    return log->data + entry->data;
}
