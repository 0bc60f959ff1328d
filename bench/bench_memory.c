/*
 * bench_memory.c - samples of /proc/self.
 *
 * A thread of its own.  `status` has counters and is read often, for what comes
 * and goes: anonymous memory.  Which file the rest belongs to is told by
 * `smaps`, for which the kernel goes over the tables of all mapped pages, tens
 * of milliseconds for a map of many gigabytes: it is read seldom.  Pages of the
 * map are never anonymous, so memory without the map is the two together.
 */
#include "bench_memory.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

#define LOOK_NS (20 * NS_PER_MS)
#define LOOKS_A_SMAPS 100
#define LINE_BYTES 512
#define MAP_NAME "/data.mdb\n"

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A mapping's first line begins with its addresses; what follows are "Name: value kB". */
static bool is_first_line(const char *line)
{
    unsigned long from, to;

    return sscanf(line, "%lx-%lx ", &from, &to) == 2;
}

static void keep_larger(uint64_t *most, uint64_t value)
{
    if (*most < value)
        *most = value;
}

static void look_at_mappings(struct bench_memory *memory)
{
    uint64_t map_kib = 0, other_kib = 0;
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[LINE_BYTES];
    bool is_map = false;
    unsigned long kib;

    if (file == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (is_first_line(line))
            is_map = ends_with(line, MAP_NAME);
        else if (sscanf(line, "Rss: %lu kB", &kib) == 1)
            *(is_map ? &map_kib : &other_kib) += kib;
        else if (sscanf(line, "Anonymous: %lu kB", &kib) == 1 && !is_map)
            other_kib -= kib;
    }
    fclose(file);
    keep_larger(&memory->map_kib, map_kib);
    keep_larger(&memory->other_file_kib, other_kib);
}

static void look_at_status(struct bench_memory *memory)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[LINE_BYTES];
    unsigned long kib;

    if (file == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "VmHWM: %lu kB", &kib) == 1)
            keep_larger(&memory->peak_kib, kib);
        else if (sscanf(line, "RssAnon: %lu kB", &kib) == 1)
            keep_larger(&memory->anonymous_kib, kib);
    }
    fclose(file);
    memory->samples++;
}

static void *run(void *context)
{
    struct bench_memory *memory = context;
    struct timespec deadline;

    pthread_mutex_lock(&memory->lock);
    while (!memory->ending) {
        look_at_status(memory);
        if (memory->samples % LOOKS_A_SMAPS == 1)
            look_at_mappings(memory);
        deadline = clock_timespec(clock_mono_ns() + LOOK_NS);
        while (!memory->ending && pthread_cond_timedwait(&memory->changed, &memory->lock, &deadline) == 0)
            ;
    }
    look_at_mappings(memory);
    pthread_mutex_unlock(&memory->lock);
    return NULL;
}

int bench_memory_start(struct bench_memory *memory, struct err *err)
{
    int rc;

    *memory = (struct bench_memory){.samples = 0};
    pthread_mutex_init(&memory->lock, NULL);
    clock_cond_init(&memory->changed);
    rc = pthread_create(&memory->thread, NULL, run, memory);
    return rc == 0 ? 0 : err_set(err, ERR_BUSY, rc, "cannot start a thread: %s", strerror(rc));
}

void bench_memory_stop(struct bench_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    memory->ending = true;
    pthread_cond_signal(&memory->changed);
    pthread_mutex_unlock(&memory->lock);
    pthread_join(memory->thread, NULL);
    pthread_cond_destroy(&memory->changed);
    pthread_mutex_destroy(&memory->lock);
}

void bench_memory_json(const struct bench_memory *memory, struct json *json)
{
    json_begin_object(json);
    json_key(json, "samples");
    json_uint(json, memory->samples);
    json_key(json, "without_map_kib");
    json_uint(json, memory->anonymous_kib + memory->other_file_kib);
    json_key(json, "map_kib");
    json_uint(json, memory->map_kib);
    json_key(json, "peak_kib");
    json_uint(json, memory->peak_kib);
    json_end_object(json);
}
