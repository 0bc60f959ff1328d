/*
 * ctl_import_spool.c - requests into the spool of a stopped daemon.
 *
 * The spool is opened and written as the daemon does it, with its lock and its
 * writer, so what holds for an Export holds here: group commit, room, history
 * that gives way.  It keeps the size that it has, nothing is removed because of
 * its age, and nothing that waits is dropped for what is imported.
 *
 * This thread puts, the writer's calls note_stored.  The first failure ends it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "ctl_import.h"
#include "log.h"

struct ctl_import_spool {
    struct spool *spool;
    struct spool_writer *writer;
    pthread_mutex_t lock;
    pthread_cond_t told;
    /* under the lock */
    size_t flight_count;
    size_t flight_bytes;
    struct ctl_import_stored stored;
    struct err failure;
};

/* A request on its way, with its bytes. */
struct flight {
    struct spool_put put;
    struct ctl_import_spool *of;
    uint8_t bytes[];
};

/* Durability is in doubt: the process stops, as the daemon would. */
static void stop(const struct err *err)
{
    fprintf(stderr, "tracespool import: %s\n", err->text);
    _exit(CTL_FAILED);
}

static void note_stored(struct spool_put *put, const struct err *failure)
{
    struct flight *flight = put->context;
    struct ctl_import_spool *spool = flight->of;

    pthread_mutex_lock(&spool->lock);
    spool->flight_count--;
    spool->flight_bytes -= put->payload.len;
    if (failure != NULL && spool->failure.class == ERR_NONE)
        spool->failure = *failure;
    if (failure == NULL) {
        spool->stored.requests++;
        spool->stored.spans += put->spans;
        spool->stored.bytes += put->raw_bytes;
    }
    pthread_cond_signal(&spool->told);
    pthread_mutex_unlock(&spool->lock);
    free(flight);
}

/* Of the one that is there: it is not made smaller or larger here, and not made. */
static int find_size(const char *path, uint64_t *size_bytes, struct err *err)
{
    struct spool_stat stat;
    struct spool *spool;
    int result;

    if (spool_open_readonly(&spool, path, err) < 0)
        return -1;
    result = spool_stat(spool, &stat, err);
    spool_close(spool);
    *size_bytes = stat.size_bytes;
    return result;
}

int ctl_import_spool_open(struct ctl_import_spool **out, const char *path, struct err *err)
{
    struct spool_options options = {.path = path, .history_ns = UINT64_MAX};
    struct ctl_import_spool *spool;

    if (find_size(path, &options.size_bytes, err) < 0)
        return -1;
    spool = calloc(1, sizeof(*spool));
    if (spool == NULL)
        return err_set(err, ERR_CONFIG, ENOMEM, "no memory");
    log_configure(LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
    pthread_mutex_init(&spool->lock, NULL);
    pthread_cond_init(&spool->told, NULL);
    if (spool_open(&spool->spool, &options, err) == 0) {
        if (spool_writer_start(&spool->writer, spool->spool, stop, err) == 0) {
            *out = spool;
            return 0;
        }
        spool_close(spool->spool);
    }
    free(spool);
    return -1;
}

/* Waits for room of `bytes`; with SIZE_MAX until nothing is on its way.  -1: something failed. */
static int wait_for_room(struct ctl_import_spool *spool, size_t bytes, struct err *err)
{
    int result = 0;

    pthread_mutex_lock(&spool->lock);
    while (spool->flight_count > 0 && (bytes == SIZE_MAX || spool->flight_count >= CTL_IMPORT_FLIGHT_COUNT ||
                                       spool->flight_bytes + bytes > CTL_IMPORT_FLIGHT_BYTES))
        pthread_cond_wait(&spool->told, &spool->lock);
    if (spool->failure.class != ERR_NONE) {
        *err = spool->failure;
        result = -1;
    } else if (bytes != SIZE_MAX) {
        spool->flight_count++;
        spool->flight_bytes += bytes;
    }
    pthread_mutex_unlock(&spool->lock);
    return result;
}

static void take_back(struct ctl_import_spool *spool, struct flight *flight)
{
    pthread_mutex_lock(&spool->lock);
    spool->flight_count--;
    spool->flight_bytes -= flight->put.payload.len;
    pthread_mutex_unlock(&spool->lock);
    free(flight);
}

int ctl_import_spool_put(struct ctl_import_spool *spool, const struct intake_message *message, struct err *err)
{
    struct flight *flight;

    if (wait_for_room(spool, message->payload.len, err) < 0)
        return -1;
    flight = malloc(sizeof(*flight) + message->payload.len);
    if (flight == NULL)
        stop(&(struct err){.text = "no memory"});
    memcpy(flight->bytes, message->payload.data, message->payload.len);
    flight->of = spool;
    flight->put = (struct spool_put){.payload = slice_of(flight->bytes, message->payload.len),
                                     .raw_bytes = message->raw_bytes,
                                     .received_ns = clock_wall_ns(),
                                     .spans = message->by_validity[OTLP_VALID],
                                     .codec = (uint8_t)message->codec,
                                     .done = note_stored,
                                     .context = flight};
    if (spool_writer_put(spool->writer, &flight->put, err) == 0)
        return 0;
    take_back(spool, flight);
    return -1;
}

int ctl_import_spool_close(struct ctl_import_spool *spool, struct ctl_import_stored *stored, struct err *err)
{
    int result = wait_for_room(spool, SIZE_MAX, err);

    *stored = spool->stored;
    spool_writer_stop(spool->writer);
    spool_close(spool->spool);
    pthread_cond_destroy(&spool->told);
    pthread_mutex_destroy(&spool->lock);
    free(spool);
    return result;
}
