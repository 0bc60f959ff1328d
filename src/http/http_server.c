/*
 * http_server.c - start, connections to workers, the sweeper, stop.
 *
 * Main's thread starts and stops; the listeners' threads bring connections,
 * which are dealt out in turn; a thread of its own looks for clients that take
 * too long.
 */
#include "http_server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "http_internal.h"

static uint64_t sweep_ns(const struct http_server *server)
{
    uint64_t quarter_ms = server->options.read_timeout_ms / 4;

    return (quarter_ms < 1 ? 1 : quarter_ms > HTTP_SWEEP_MS ? HTTP_SWEEP_MS : quarter_ms) * NS_PER_MS;
}

static void *sweep(void *context)
{
    struct http_server *server = context;

    pthread_mutex_lock(&server->lock);
    while (!server->stopping) {
        struct timespec next = clock_timespec(clock_mono_ns() + sweep_ns(server));

        pthread_cond_timedwait(&server->changed, &server->lock, &next);
        pthread_mutex_unlock(&server->lock);
        for (unsigned i = 0; i < server->worker_count; i++)
            http_worker_sweep(&server->workers[i], clock_mono_ns());
        pthread_mutex_lock(&server->lock);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void stop_workers(struct http_server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++)
        http_worker_stop(&server->workers[i]);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int http_server_start(struct http_server **out, const struct http_server_options *options, struct intake *intake,
                      struct err *err)
{
    struct http_server *server = calloc(1, sizeof(*server));
    int rc;

    assert(options->threads >= 1 && options->threads <= RECEIVER_THREADS_MAX);
    if (server == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "no memory for the HTTP server");
    server->options = *options;
    server->intake = intake;
    pthread_mutex_init(&server->lock, NULL);
    clock_cond_init(&server->changed);
    for (; server->worker_count < options->threads; server->worker_count++)
        if (http_worker_start(&server->workers[server->worker_count], server, err) != 0)
            goto fail;
    rc = pthread_create(&server->sweeper, NULL, sweep, server);
    if (rc != 0) {
        err_set(err, ERR_RETRY, rc, "cannot start a thread: %s", strerror(rc));
        goto fail;
    }
    *out = server;
    return 0;

fail:
    stop_workers(server);
    return -1;
}

void http_server_accept(void *context, int fd)
{
    struct http_server *server = context;

    http_worker_accept(&server->workers[atomic_fetch_add(&server->next_worker, 1) % server->worker_count], fd);
}

void http_server_stop(struct http_server *server)
{
    if (server == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->sweeper, NULL);
    stop_workers(server);
}
