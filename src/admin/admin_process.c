/*
 * admin_process.c - what every Prometheus client library says of its process,
 * under the names that they have agreed on.
 * https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
 *
 * Admin's thread.  What /proc does not tell keeps the value that it had.
 */
#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin_internal.h"
#include "clock.h"

#define STAT_BYTES_MAX 1024
#define STAT_START_TIME 20 /* fields after the command's name: proc(5), starttime is the 22nd of all */

static uint64_t timeval_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_usec * NS_PER_US;
}

static void set_cpu(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metrics_set(METRIC_PROCESS_CPU, timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime));
}

/* All arenas are locked for it, one after the other: for a look now and then. */
static void set_heap(void)
{
    struct mallinfo2 info = mallinfo2();

    metrics_set(METRIC_PROCESS_HEAP, info.uordblks + info.hblkhd);
}

static void set_memory(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    uint64_t pages, resident, page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);

    if (file == NULL)
        return;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &pages, &resident) == 2) {
        metrics_set(METRIC_PROCESS_VIRTUAL, pages * page_bytes);
        metrics_set(METRIC_PROCESS_RESIDENT, resident * page_bytes);
    }
    fclose(file);
}

static void set_descriptors(void)
{
    struct rlimit limit;
    uint64_t count = 0;
    DIR *directory = opendir("/proc/self/fd");

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_set(METRIC_PROCESS_MAX_FDS, limit.rlim_cur);
    if (directory == NULL)
        return;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        count += entry->d_name[0] != '.';
    closedir(directory);
    metrics_set(METRIC_PROCESS_OPEN_FDS, count - 1); /* without the one that was just looked through */
}

/* Ticks from the start of the system to that of the process. */
static bool read_start_ticks(uint64_t *ticks)
{
    char text[STAT_BYTES_MAX];
    FILE *file = fopen("/proc/self/stat", "re");
    const char *at;
    size_t len;

    if (file == NULL)
        return false;
    len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    at = strrchr(text, ')'); /* the command's name may hold anything */
    for (int field = 0; at != NULL && field < STAT_START_TIME; field++)
        at = strchr(at + 1, ' ');
    return at != NULL && sscanf(at, " %" SCNu64, ticks) == 1;
}

static void set_start_time(void)
{
    uint64_t ticks, age_s;
    struct timespec up;

    if (!read_start_ticks(&ticks) || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return;
    age_s = (uint64_t)up.tv_sec - ticks / (uint64_t)sysconf(_SC_CLK_TCK);
    metrics_set(METRIC_PROCESS_START_TIME, clock_wall_ns() / NS_PER_S - age_s);
}

void admin_process_refresh(void)
{
    set_cpu();
    set_memory();
    set_heap();
    set_descriptors();
    if (metrics_get(METRIC_PROCESS_START_TIME) == 0)
        set_start_time();
}
