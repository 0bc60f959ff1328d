/*
 * daemon_service.c - sd_notify(3).
 *
 * Main's thread alone would feed a watchdog for ever: it is fed only while
 * every thread that matters gets its work done.
 */
#include "daemon_service.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "clock.h"
#include "log.h"
#include "pulse.h"
#include "units.h"

#define STATUS_MAX 256

static void write_status(char *status, size_t size, struct spool *spool)
{
    struct spool_stat stat;
    struct err err;

    if (spool_stat(spool, &stat, &err) != 0)
        snprintf(status, size, "Receiving traces");
    else
        snprintf(status, size, "%s; %" PRIu64 " spans wait; MongoDB: %s",
                 stat.refusing ? "The spool is full, senders are told to come back" : "Receiving traces",
                 stat.pending_spans, spool_delivery_state_name(stat.delivery.state));
}

/* Said at the first look that finds it, and when it has passed. */
static bool is_well(void)
{
    static bool was_stuck;
    char why[ERR_TEXT_MAX];
    bool stuck = pulse_find_stuck(clock_mono_ns(), why, sizeof(why));

    if (stuck && !was_stuck)
        log_error("daemon.stuck", "%s; the watchdog is not fed", why);
    else if (!stuck && was_stuck)
        log_warn("daemon.going_on", "no thread is stuck any more");
    was_stuck = stuck;
    return !stuck;
}

void daemon_service_ready(void)
{
    sd_notify(0, "READY=1\nSTATUS=Receiving traces");
}

void daemon_service_look(struct spool *spool)
{
    char status[STATUS_MAX];

    if (!is_well()) {
        sd_notify(0, "STATUS=A thread is stuck, see the log");
        return;
    }
    write_status(status, sizeof(status), spool);
    sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", status);
}

void daemon_service_stopping(uint64_t stop_ns)
{
    sd_notifyf(0, "STOPPING=1\nSTATUS=Finishing calls\nEXTEND_TIMEOUT_USEC=%" PRIu64, stop_ns / 1000);
}
