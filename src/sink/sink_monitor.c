/*
 * sink_monitor.c - what the driver's monitors say, as metrics, and as a word
 * to the flusher.
 *
 * A monitor asks each server every ten seconds, and at once after an
 * operation failed; it tells when what is known of the deployment has changed
 * (mongoc_apm_topology_changed_t).  Writable is a primary, a standalone server
 * or a mongos.  Time is counted from the first such word on; before, nothing
 * is known.
 *
 * The watcher is called under the lock, so that it is gone when it is taken
 * back.  It runs on a monitor's thread, which must not be kept.
 */
#include "sink_monitor.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

void sink_monitor_init(struct sink_monitor *monitor)
{
    *monitor = (struct sink_monitor){.is_known = false};
    pthread_mutex_init(&monitor->lock, NULL);
}

void sink_monitor_fini(struct sink_monitor *monitor)
{
    pthread_mutex_destroy(&monitor->lock);
}

/* Under the lock. */
static void count_time(struct sink_monitor *monitor)
{
    uint64_t now_ns = clock_mono_ns();

    if (monitor->is_known)
        metrics_add(monitor->is_writable ? METRIC_MONGODB_UP_SECONDS : METRIC_MONGODB_DOWN_SECONDS,
                    now_ns - monitor->counted_ns);
    monitor->counted_ns = now_ns;
}

/* Under the lock. */
static void tell(const struct sink_monitor *monitor, bool passable)
{
    if (monitor->told != NULL)
        monitor->told(monitor->context, passable);
}

/* Under the lock.  True when it is news: that no server is known yet at the start is none. */
static bool set_writable(struct sink_monitor *monitor, bool is_writable)
{
    bool is_news = monitor->is_known ? monitor->is_writable != is_writable : is_writable;

    count_time(monitor);
    monitor->is_known = true;
    monitor->is_writable = is_writable;
    metrics_set(METRIC_MONGODB_UP, is_writable);
    if (is_news)
        tell(monitor, is_writable);
    return is_news;
}

static void note_writable(struct sink_monitor_tap *tap, bool is_writable)
{
    bool is_news;

    pthread_mutex_lock(&tap->monitor->lock);
    is_news = !tap->is_over && set_writable(tap->monitor, is_writable);
    pthread_mutex_unlock(&tap->monitor->lock);
    if (is_news && is_writable)
        log_info("mongodb.up", "a server takes writes");
    else if (is_news)
        log_warn("mongodb.down", "no server is known that takes writes");
}

static void on_topology_changed(const mongoc_apm_topology_changed_t *event)
{
    const mongoc_topology_description_t *topology = mongoc_apm_topology_changed_get_new_description(event);

    note_writable(mongoc_apm_topology_changed_get_context(event),
                  mongoc_topology_description_has_writable_server(topology));
}

static void on_server_changed(const mongoc_apm_server_changed_t *event)
{
    const mongoc_server_description_t *now = mongoc_apm_server_changed_get_new_description(event);
    const struct sink_monitor_tap *tap = mongoc_apm_server_changed_get_context(event);

    if (strcmp(mongoc_server_description_type(now), "Unknown") == 0)
        tap->lost(tap->context);
}

void sink_monitor_attach(struct sink_monitor_tap *tap, struct sink_monitor *monitor, mongoc_client_pool_t *pool,
                         void (*lost)(void *context), void *context)
{
    mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();

    *tap = (struct sink_monitor_tap){.monitor = monitor, .lost = lost, .context = context};
    mongoc_apm_set_server_changed_cb(callbacks, on_server_changed);
    mongoc_apm_set_topology_changed_cb(callbacks, on_topology_changed);
    mongoc_client_pool_set_apm_callbacks(pool, callbacks, tap);
    mongoc_apm_callbacks_destroy(callbacks);
}

void sink_monitor_detach(struct sink_monitor_tap *tap)
{
    pthread_mutex_lock(&tap->monitor->lock);
    tap->is_over = true;
    pthread_mutex_unlock(&tap->monitor->lock);
}

void sink_monitor_watch(struct sink_monitor *monitor, void (*told)(void *context, bool passable), void *context)
{
    pthread_mutex_lock(&monitor->lock);
    monitor->told = told;
    monitor->context = context;
    pthread_mutex_unlock(&monitor->lock);
}

void sink_monitor_tell(struct sink_monitor *monitor)
{
    pthread_mutex_lock(&monitor->lock);
    tell(monitor, true);
    pthread_mutex_unlock(&monitor->lock);
}

void sink_monitor_doubt(struct sink_monitor *monitor)
{
    pthread_mutex_lock(&monitor->lock);
    if (!monitor->is_writable)
        tell(monitor, false);
    pthread_mutex_unlock(&monitor->lock);
}

void sink_monitor_refresh(struct sink_monitor *monitor)
{
    pthread_mutex_lock(&monitor->lock);
    count_time(monitor);
    pthread_mutex_unlock(&monitor->lock);
}
