/*
 * daemon_limits.c - as many descriptors as the configured connections take.
 *
 * Main's thread, at start.  A limit that is too low is no reason not to
 * start: connections above it are closed at once, as those above
 * receiver.max_connections are.
 */
#include "daemon_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>

#include "log.h"

/* A connection's own, and with TLS both ends of the pair between the relay and the server. */
static uint64_t needed_descriptors(const struct conf *conf)
{
    uint64_t each = conf->receiver_tls.cert_file[0] == '\0' ? 1 : 3;

    return conf->receiver.max_connections * each + DAEMON_DESCRIPTORS_MAX;
}

void daemon_limits_raise(const struct conf *conf)
{
    uint64_t needed = needed_descriptors(conf);
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        log_warn("daemon.limits_unknown", "RLIMIT_NOFILE: %s", strerror(errno));
        return;
    }
    if (limit.rlim_cur >= needed)
        return;
    limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < needed)
        log_warn("daemon.few_descriptors",
                 "receiver.max_connections may take %" PRIu64 " open files, the system allows %" PRIu64
                 ": connections above that are closed at once",
                 needed, (uint64_t)limit.rlim_cur);
}

/*
 * Left alone, malloc maps a request of some 100 kB anew and unmaps it again, or
 * gives the top of its heap back: a page fault for every 4 kB that a client
 * sends, a tenth of the CPU that a request of 1,000 spans takes.  The driver
 * doubles a buffer for each write, to 8 MiB for what is common: another tenth.
 */
void daemon_limits_keep_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, DAEMON_MALLOC_MMAP_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, DAEMON_MALLOC_KEEP_BYTES);
    (void)mallopt(M_ARENA_MAX, DAEMON_MALLOC_ARENAS);
}
