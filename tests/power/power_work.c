/*
 * power_work.c - a workload's processes, and its bytes.
 *
 * The daemon's process opens the spool, runs the threads of power_actors.c and
 * closes it again, several times.  A child that meets what should not be exits
 * with a status that is not 0.
 */
#include "power_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "power_actors.h"
#include "power_record.h"

#define RUN_S 60 /* a workload takes a few seconds */

/* --- bytes and chance ------------------------------------------------------ */

uint64_t power_random(uint64_t *state)
{
    uint64_t x = *state += 0x9E3779B97F4A7C15U;

    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
    x = (x ^ x >> 27) * 0x94D049BB133111EBU;
    return x ^ x >> 31;
}

uint64_t power_random_below(uint64_t *state, uint64_t end)
{
    return power_random(state) % end;
}

uint8_t *power_bytes(uint64_t id, size_t len)
{
    uint64_t state = id, *words = malloc((len / 8 + 1) * 8);

    if (words == NULL)
        abort();
    for (size_t i = 0; i <= len / 8; i++)
        words[i] = power_random(&state);
    return (uint8_t *)words;
}

_Noreturn void power_work_fail(const char *what, const struct err *err)
{
    fprintf(stderr, "power_work: %s: %s\n", what, err->text);
    _exit(1);
}

static void on_fatal(const struct err *err)
{
    power_work_fail("the writer died", err);
}

/* --- the process ----------------------------------------------------------- */

static void run_threads(const struct power_daemon *daemon)
{
    static void *(*const entries[])(void *) = {power_deliver_many, power_deliver_many, power_park_many,
                                               power_put_many,     power_put_many,     power_put_many};
    enum { COUNT = sizeof(entries) / sizeof(entries[0]) };
    struct power_daemon daemons[COUNT];
    pthread_t threads[COUNT];

    for (unsigned i = 0; i < COUNT; i++) {
        daemons[i] = *daemon;
        daemons[i].number = i;
        if (pthread_create(&threads[i], NULL, entries[i], &daemons[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < COUNT; i++)
        pthread_join(threads[i], NULL);
}

static uint64_t size_of(const struct power_work *work, unsigned session)
{
    return session == 0 && work->first_bytes != 0 ? work->first_bytes : work->size_bytes;
}

static void run_session(const struct power_run *run, unsigned session)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
    struct spool_options options = {.path = run->path,
                                    .size_bytes = size_of(run->work, session),
                                    .reserve = run->work->reserve,
                                    .history_ns = UINT64_MAX};
    struct power_mark opened = {.change = POWER_OPENED};
    struct power_daemon daemon = {.run = run,
                                  .goal_bytes = run->work->stored_bytes / run->work->sessions * (session + 1),
                                  .deadline_ns = clock_mono_ns() + RUN_S * NS_PER_S,
                                  .lock = &lock,
                                  .told = &told};
    struct spool *spool;
    struct err err;

    if (spool_open(&spool, &options, &err) == -1)
        power_work_fail("open", &err);
    if (spool_writer_start(&daemon.writer, spool, on_fatal, &err) == -1)
        power_work_fail("start", &err);
    power_log_mark(run->log, &opened, NULL);
    run_threads(&daemon);
    spool_writer_stop(daemon.writer);
    spool_close(spool);
}

static void run_daemon(const struct power_run *run)
{
    power_record_start(run->log, run->path);
    for (unsigned session = 0; session < run->work->sessions; session++)
        run_session(run, session);
    power_table_end(run->table);
    _exit(0);
}

static bool ended_well(pid_t child)
{
    int status;

    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool power_work_record(const struct power_run *run)
{
    pid_t daemon = fork(), editor = -1;
    bool well;

    if (daemon == 0)
        run_daemon(run);
    if (run->work->edit && (editor = fork()) == 0)
        power_operator_run(run);
    well = ended_well(daemon);
    power_table_end(run->table); /* for the operator, if the daemon did not */
    return (editor == -1 || ended_well(editor)) && well;
}
