/*
 * power_judge.c - see the header.
 *
 * The parent lays the image down, writing only the pages that differ from
 * those of the image before.  A child starts on it as the daemon does after a
 * reboot: no lock file, no reader.  It must find the file sound and leave it
 * where it is; then it compares, puts one more record, stops in order, starts
 * again and compares again.  The verdict comes back through shared memory, so
 * that a child that crashed or hung is a verdict too.
 */
#include "power_judge.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounds.h"
#include "checksum.h"
#include "clock.h"
#include "power_compare.h"
#include "power_place.h"
#include "spool_check.h"
#include "spool_walk.h"
#include "spool_writer.h"

#define JUDGE_S 60 /* a judgement takes some milliseconds */
#define ROOM_S 10  /* for a full spool to take a record once all is delivered */
#define NEW_PUT_BYTES 5000

struct power_judge {
    const struct power_work *work;
    struct power_place *place;
    char *verdict; /* shared with the child */
};

struct power_judge *power_judge_new(const struct power_work *work)
{
    struct power_judge *judge = calloc(1, sizeof(*judge));

    power_must(judge != NULL, "judge");
    judge->work = work;
    judge->place = power_place_new(work->size_bytes);
    judge->verdict = mmap(NULL, POWER_VERDICT_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    power_must(judge->verdict != MAP_FAILED, "verdict");
    return judge;
}

void power_judge_free(struct power_judge *judge)
{
    if (judge == NULL)
        return;
    power_place_free(judge->place);
    munmap(judge->verdict, POWER_VERDICT_MAX);
    free(judge);
}

/* --- the child ------------------------------------------------------------- */

/* By the file alone, and by all that the command would look at. */
static void check_sound(const struct power_judge *judge)
{
    struct spool_walk_options options = {.txnid = 0};
    static struct spool_check_report report;
    struct spool_check_to to = {.context = NULL};
    struct spool_walk_report walk;
    struct err err;
    int fd = open(power_place_file(judge->place), O_RDONLY | O_CLOEXEC);

    if (fd == -1)
        power_compare_fail("there is no file");
    if (spool_walk(fd, &options, &walk, &err) == -1)
        power_compare_fail("walk: %s", err.text);
    if (walk.lost_pages != 0)
        power_compare_fail("walk: %llu pages are lost", (unsigned long long)walk.lost_pages);
    close(fd);
    if (spool_check(power_place_path(judge->place), &to, &report, &err) == -1)
        power_compare_fail("check: %s", err.text);
    if (report.finding_count != 0)
        power_compare_fail("check: %s", report.findings[0].text);
    if (!report.content_checked || !report.counters_compared)
        power_compare_fail("check: not all was checked");
}

static void check_in_place(const struct power_judge *judge)
{
    DIR *directory = opendir(power_place_path(judge->place));
    struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (strncmp(entry->d_name, "damaged", 7) == 0)
            power_compare_fail("the file was moved to %s", entry->d_name);
    }
    closedir(directory);
}

static void on_fatal(const struct err *err)
{
    power_compare_fail("the writer died: %s", err->text);
}

static struct spool_writer *start(const struct power_judge *judge, struct spool **spool)
{
    struct spool_options options = {.path = power_place_path(judge->place),
                                    .size_bytes = judge->work->size_bytes,
                                    .reserve = judge->work->reserve,
                                    .history_ns = UINT64_MAX};
    struct spool_writer *writer;
    struct err err;

    if (spool_open(spool, &options, &err) == -1)
        power_compare_fail("open: %s", err.text);
    if (spool_writer_start(&writer, *spool, on_fatal, &err) == -1)
        power_compare_fail("start: %s", err.text);
    return writer;
}

struct answer {
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool is_told;
};

static void on_done(struct spool_put *put, const struct err *failure)
{
    struct answer *answer = put->context;

    (void)failure;
    pthread_mutex_lock(&answer->lock);
    answer->is_told = true;
    pthread_cond_signal(&answer->told);
    pthread_mutex_unlock(&answer->lock);
}

/* Its sequence number, or 0 when the spool is full. */
static uint64_t put_one(struct spool_writer *writer, struct slice payload)
{
    struct answer answer = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct spool_put put = {.payload = payload,
                            .raw_bytes = payload.len,
                            .received_ns = POWER_RECEIVED_NS + POWER_JUDGES_ID,
                            .done = on_done,
                            .context = &answer};
    struct err err;

    if (spool_writer_put(writer, &put, &err) == -1) {
        if (err.class != ERR_BUSY)
            power_compare_fail("put: %s", err.text);
        return 0;
    }
    pthread_mutex_lock(&answer.lock);
    while (!answer.is_told)
        pthread_cond_wait(&answer.told, &answer.lock);
    pthread_mutex_unlock(&answer.lock);
    return put.seq;
}

static void deliver_all(struct spool_writer *writer, uint64_t last_seq)
{
    static uint64_t seqs[POWER_SEQS_MAX];
    struct err err;

    for (uint64_t seq = 1; seq <= last_seq; seq++)
        seqs[seq - 1] = seq;
    if (spool_writer_delivered(writer, seqs, last_seq, &err) == -1)
        power_compare_fail("delivered: %s", err.text);
}

/* True when all had to be delivered first, as the spool was full. */
static bool put_another(struct spool_writer *writer, struct power_model *model, uint64_t last_seq)
{
    uint64_t deadline_ns = clock_mono_ns() + ROOM_S * NS_PER_S;
    uint8_t *bytes = power_bytes(POWER_JUDGES_ID, NEW_PUT_BYTES);
    struct slice payload = slice_of(bytes, NEW_PUT_BYTES);
    struct power_mark mark = {
        .change = POWER_PUT, .id = POWER_JUDGES_ID, .len = payload.len, .checksum = checksum_64(payload)};
    bool was_full;

    mark.seq = put_one(writer, payload);
    was_full = mark.seq == 0;
    if (was_full)
        deliver_all(writer, last_seq);
    while (mark.seq == 0) {
        if (clock_mono_ns() > deadline_ns)
            power_compare_fail("no put is taken, though all is delivered");
        spool_writer_wait(writer, UINT64_MAX, clock_mono_ns() + NS_PER_MS);
        mark.seq = put_one(writer, payload);
    }
    free(bytes);
    if (mark.seq <= last_seq || mark.seq <= model->last_seq)
        power_compare_fail("a new record was given the number %llu again", (unsigned long long)mark.seq);
    if (!model->opened)
        return was_full; /* a fresh spool was begun, perhaps, with numbers of its own */
    power_model_follow(model, &mark);
    mark.moment = POWER_CONFIRMED;
    power_model_follow(model, &mark);
    return was_full;
}

/* Nothing can be said of what was cut while it was made: it may be moved aside, but something has to start. */
static _Noreturn void judge(const struct power_judge *judge, const struct power_image *image, struct power_model *model)
{
    struct spool *spool;
    struct spool_writer *writer;
    bool was_full;

    alarm(JUDGE_S);
    power_compare_init(judge->verdict, POWER_VERDICT_MAX);
    if (image->exists && model->opened)
        check_sound(judge);
    writer = start(judge, &spool);
    if (model->opened)
        check_in_place(judge);
    was_full = put_another(writer, model, power_compare(spool, model));
    spool_writer_stop(writer);
    spool_close(spool);
    check_sound(judge);
    writer = start(judge, &spool);
    if (model->opened)
        check_in_place(judge);
    if (!was_full && model->opened)
        power_compare(spool, model);
    spool_writer_stop(writer);
    spool_close(spool);
    _exit(0);
}

/* --- the parent ------------------------------------------------------------ */

static void run_child(struct power_judge *power_judge, const struct power_image *image, struct power_model *model)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    dup2(null, STDERR_FILENO); /* the verdict says it; a broken writer's hundred crashes are wanted */
    judge(power_judge, image, model);
}

bool power_judge_image(struct power_judge *judge, const struct power_image *image, const struct power_model *model,
                       char verdict[POWER_VERDICT_MAX])
{
    bool sound;
    pid_t child;
    int status;

    power_place_lay(judge->place, image);
    judge->verdict[0] = '\0';
    child = fork();
    power_must(child != -1, "fork");
    if (child == 0)
        run_child(judge, image, (struct power_model *)(uintptr_t)model); /* the child's own copy */
    power_must(waitpid(child, &status, 0) == child, "waitpid");
    sound = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!sound && judge->verdict[0] == '\0')
        snprintf(judge->verdict, POWER_VERDICT_MAX, "the process ended with %s %d",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    memcpy(verdict, judge->verdict, POWER_VERDICT_MAX);
    if (!sound || !model->opened)
        power_place_renew(judge->place);
    return sound;
}
