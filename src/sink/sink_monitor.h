/*
 * sink_monitor.h - whether MongoDB can be written to, as the driver's monitors
 * find out without a query.
 *
 * Any thread.
 */
#ifndef TRACESPOOL_SINK_MONITOR_H
#define TRACESPOOL_SINK_MONITOR_H

#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct sink_monitor {
    /* under lock */
    pthread_mutex_t lock;
    bool is_known; /* the driver looks, and has said something */
    bool is_writable;
    uint64_t counted_ns; /* monotonic: time is counted up to here */
    void (*told)(void *context, bool passable);
    void *context;
};

/* What one pool tells. */
struct sink_monitor_tap {
    /* set once */
    struct sink_monitor *monitor;
    void (*lost)(void *context);
    void *context;

    bool is_over; /* under the monitor's lock */
};

void sink_monitor_init(struct sink_monitor *monitor);
void sink_monitor_fini(struct sink_monitor *monitor);

/*
 * Before the pool's first client is made.  `tap` and `monitor` must outlive
 * the pool.  `lost` is called on a driver's thread whenever a server becomes
 * unknown.
 */
void sink_monitor_attach(struct sink_monitor_tap *tap, struct sink_monitor *monitor, mongoc_client_pool_t *pool,
                         void (*lost)(void *context), void *context);

/* The pool is about to go, which is not MongoDB's doing. */
void sink_monitor_detach(struct sink_monitor_tap *tap);

/* As sink.h's watch. */
void sink_monitor_watch(struct sink_monitor *monitor, void (*told)(void *context, bool passable), void *context);

/* Tells the watcher, for another reason, that writes may pass again. */
void sink_monitor_tell(struct sink_monitor *monitor);

/* Something has failed: tells the watcher when no server is known that takes writes. */
void sink_monitor_doubt(struct sink_monitor *monitor);

/* Counts the time up to now. */
void sink_monitor_refresh(struct sink_monitor *monitor);

#endif
