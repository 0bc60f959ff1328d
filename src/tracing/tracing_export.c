/*
 * tracing_export.c - the exporter's thread.
 *
 * It takes what the ring has when that is a batch, or TRACING_BATCH_MS have
 * passed, encodes it and sends it.  What the receiver does not take is not
 * kept for another try: these spans tell of the daemon's own health, and the
 * next ones tell of it too.  That the receiver fails is said when it begins,
 * when the reason changes, and when it has ended.
 *
 * When the daemon stops the ring is emptied, as far as that goes in
 * TRACING_STOP_MS.
 */
#include "tracing_export.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "metrics.h"
#include "secret_file.h"
#include "tracing_encode.h"
#include "tracing_http.h"
#include "tracing_ring.h"

struct tracing_export {
    /* set once */
    pthread_t thread;
    struct tracing_http *http;
    struct tracing_resource resource;

    atomic_bool stopping;

    /* the thread's */
    struct tracing_span batch[TRACING_BATCH_SPANS];
    struct arena arena;
    struct buf request;
    char trouble[ERR_TEXT_MAX]; /* why the last export failed; "": it did not */
};

/* --- the thread --------------------------------------------------------------- */

static void note_failed(struct tracing_export *export, size_t count, const struct err *err)
{
    metrics_add(METRIC_TRACING_FAILED, count);
    if (strcmp(export->trouble, err->text) == 0)
        return;
    strcpy(export->trouble, err->text);
    log_warn("tracing.export_failed", "the daemon's own spans are dropped until it works: %s", err->text);
}

static void note_exported(struct tracing_export *export, size_t count, uint64_t rejected)
{
    struct err err;

    rejected = rejected < count ? rejected : count;
    metrics_add(METRIC_TRACING_EXPORTED, count - rejected);
    if (rejected > 0) {
        err_set(&err, ERR_POISON, 0, "the receiver at tracing.endpoint rejects spans");
        note_failed(export, rejected, &err);
        return;
    }
    if (export->trouble[0] != '\0')
        log_info("tracing.export_works", "the daemon's own spans are exported again");
    export->trouble[0] = '\0';
}

static int send_batch(struct tracing_export *export, size_t count, uint64_t *rejected, struct err *err)
{
    buf_clear(&export->request);
    arena_reset(&export->arena, TRACING_ARENA_BYTES_MAX);
    if (tracing_encode(&export->request, &export->arena, &export->resource, export->batch, count, clock_wall_ns(),
                       clock_mono_ns(), err) != 0)
        return -1;
    return tracing_http_post(export->http, buf_slice(&export->request), rejected, err);
}

/* False when there was nothing. */
static bool export_batch(struct tracing_export *export)
{
    size_t count = tracing_ring_take(export->batch);
    uint64_t rejected;
    struct err err;

    if (count == 0)
        return false;
    if (send_batch(export, count, &rejected, &err) != 0)
        note_failed(export, count, &err);
    else
        note_exported(export, count, rejected);
    return true;
}

static void *run(void *context)
{
    struct tracing_export *export = context;

    while (!atomic_load(&export->stopping)) {
        tracing_ring_wait(clock_mono_ns() + TRACING_BATCH_MS * NS_PER_MS);
        if (!atomic_load(&export->stopping))
            export_batch(export);
    }
    while (export_batch(export))
        ;
    return NULL;
}

/* --- start and stop --------------------------------------------------------------- */

static void free_export(struct tracing_export *export)
{
    tracing_http_free(export->http);
    arena_fini(&export->arena);
    buf_fini(&export->request);
    free(export);
}

/* libcurl would find out at the first export only. */
static int check_ca(const char *path, struct err *err)
{
    if (path[0] == '\0' || access(path, R_OK) == 0)
        return 0;
    return err_set(err, ERR_CONFIG, errno, "tracing.ca_file: cannot read %s: %s", path, strerror(errno));
}

static int make_http(struct tracing_export *export, const struct tracing_export_options *options, struct err *err)
{
    struct tracing_http_options http = {.endpoint = options->endpoint, .ca_file = options->ca_file};
    char *authorization = NULL;
    int rc;

    if (check_ca(options->ca_file, err) != 0)
        return -1;
    if (options->token_file[0] != '\0' && secret_file_read_bearer(&authorization, options->token_file, err) != 0)
        return err_prefix(err, "tracing.token_file");
    http.authorization = authorization;
    rc = tracing_http_new(&export->http, &http, err);
    secret_file_forget(&authorization);
    return rc;
}

static int start_thread(struct tracing_export *export, struct err *err)
{
    int rc = fault_point("tracing.thread");

    if (rc == 0)
        rc = pthread_create(&export->thread, NULL, run, export);
    return rc == 0 ? 0 : err_set(err, ERR_RETRY, rc, "cannot start a thread: %s", strerror(rc));
}

int tracing_export_start(struct tracing_export **out, const struct tracing_export_options *options, struct err *err)
{
    struct tracing_export *export;

    *out = NULL;
    if (options->endpoint[0] == '\0')
        return 0;
    export = calloc(1, sizeof(*export));
    if (export == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for the exporter of spans");
    arena_init(&export->arena, TRACING_ARENA_BYTES_MAX);
    buf_init(&export->request, TRACING_REQUEST_BYTES_MAX);
    tracing_resource_init(&export->resource);
    if (tracing_http_init(err) != 0)
        goto fail;
    if (make_http(export, options, err) != 0 || tracing_turn_on(options->ratio_millionths, err) != 0)
        goto fail_http;
    if (start_thread(export, err) != 0)
        goto fail_on;
    log_info("tracing.on", "endpoint=%s", options->endpoint);
    *out = export;
    return 0;

fail_on:
    tracing_turn_off();
fail_http:
    tracing_http_free(export->http);
    export->http = NULL;
    tracing_http_cleanup();
fail:
    free_export(export);
    return -1;
}

void tracing_export_stop(struct tracing_export *export)
{
    if (export == NULL)
        return;
    tracing_http_end(export->http, clock_mono_ns() + TRACING_STOP_MS * NS_PER_MS);
    atomic_store(&export->stopping, true);
    tracing_ring_wake();
    pthread_join(export->thread, NULL);
    tracing_turn_off();
    free_export(export);
    tracing_http_cleanup();
}
