/*
 * The power goes at any moment: what was promised is there, and the spool goes
 * on from it.
 *
 * Each test records one workload on a real spool and makes images of its file
 * as a power loss may leave it (power_image.h), each judged by a process that
 * starts on it (power_judge.h).  TRACESPOOL_POWER_IMAGES: how many altogether;
 * TRACESPOOL_POWER_SEED: where chance begins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "environment.h"
#include "log.h"
#include "power_cuts.h"
#include "power_image.h"
#include "power_judge.h"
#include "power_place.h"
#include "power_work.h"

#define IMAGES_DEFAULT 1200
#define DEFECT_IMAGES 60 /* for each writer that is broken on purpose */
#define CAUGHT_MIN 3     /* of them */
#define FAILURES_MAX 5   /* then a workload is given up */
#define COMMITS_MIN 5

#define MIB(n) ((uint64_t)(n) << 20)

struct outcome {
    size_t images;
    size_t sound;
    size_t with_unsynced; /* images of a moment at which something was not synced */
    char verdict[POWER_VERDICT_MAX];
};

/* --- the recording --------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static size_t images_of(unsigned share)
{
    size_t images = from_environment("TRACESPOOL_POWER_IMAGES", IMAGES_DEFAULT) / share;

    return images == 0 ? 1 : images;
}

/* What was done, and refused, in the recording. */
struct counts {
    size_t commits;
    size_t confirmed[POWER_OPENED];
    size_t refused[POWER_OPENED];
};

static struct counts count_of(const struct power_run *run)
{
    struct counts counts = {.commits = 0};
    size_t entries = power_log_count(run->log);

    for (size_t i = 0; i < entries; i++) {
        const struct power_entry *entry = power_log_at(run->log, i);
        const struct power_mark *mark = power_log_data(run->log, entry);

        counts.commits += entry->kind == POWER_WRITE && entry->durable ? 1 : 0;
        if (entry->kind != POWER_MARK || mark->change == POWER_OPENED)
            continue;
        counts.confirmed[mark->change] += mark->moment == POWER_CONFIRMED ? 1 : 0;
        counts.refused[mark->change] += mark->moment == POWER_REFUSED ? 1 : 0;
    }
    return counts;
}

/* A workload that does not do what it is there for shows nothing. */
static void check_counts(const struct power_run *run)
{
    struct counts counts = count_of(run);

    print_message("%s: %zu commits, %zu puts and %zu refused, %zu deliveries, %zu parked, %zu edits\n", run->work->name,
                  counts.commits, counts.confirmed[POWER_PUT], counts.refused[POWER_PUT],
                  counts.confirmed[POWER_DELIVER], counts.confirmed[POWER_PARK] + counts.confirmed[POWER_PARK_WHOLE],
                  counts.confirmed[POWER_HOLD] + counts.confirmed[POWER_RELEASE] + counts.confirmed[POWER_REPLAY] +
                      counts.confirmed[POWER_REMOVE]);
    assert_true(power_table_stored_bytes(run->table) >= run->work->stored_bytes);
    assert_true(counts.commits >= COMMITS_MIN);
    assert_true(!run->work->fill || counts.refused[POWER_PUT] > 0);
    for (unsigned change = POWER_PARK; change <= POWER_PARK_WHOLE && run->work->park; change++)
        assert_true(counts.confirmed[change] > 0);
    for (unsigned change = POWER_HOLD; change <= POWER_REMOVE_WHOLE && run->work->edit; change++)
        assert_true(counts.confirmed[change] > 0);
}

/* The log, done again from the start, gives the file: nothing was written past the recorder. */
static void check_recording(const struct power_run *run)
{
    struct power_builder *builder = power_builder_new(run->log, run->work->size_bytes, POWER_NO_DEFECT);
    const struct power_image *image;
    uint64_t random = 1;
    uint8_t *bytes = malloc(run->work->size_bytes + 1);
    char path[96];
    FILE *file;

    image = power_builder_cut(builder, power_log_count(run->log), &random);
    assert_int_equal(power_builder_unsynced(builder), 0);
    snprintf(path, sizeof(path), "%s/data.mdb", run->path);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, run->work->size_bytes + 1, file), image->length);
    assert_memory_equal(bytes, image->bytes, image->length);
    fclose(file);
    free(bytes);
    power_builder_free(builder);
}

static void record(struct power_run *run, const struct power_work *work)
{
    static char path[64];

    strcpy(path, "/tmp/tracespool-power-XXXXXX");
    assert_non_null(mkdtemp(path));
    *run = (struct power_run){.work = work,
                              .path = path,
                              .seed = from_environment("TRACESPOOL_POWER_SEED", clock_wall_ns() / NS_PER_MS),
                              .log = power_log_new(),
                              .table = power_table_new()};
    print_message("%s: seed %llu\n", work->name, (unsigned long long)run->seed);
    assert_true(power_work_record(run));
    check_recording(run);
    check_counts(run);
}

static int setup(void **state)
{
    static struct power_run run;

    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    run.path = NULL;
    *state = &run;
    return 0;
}

static int teardown(void **state)
{
    struct power_run *run = *state;

    if (run->path == NULL)
        return 0;
    nftw(run->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    power_log_free(run->log);
    power_table_free(run->table);
    return 0;
}

/* --- the images ------------------------------------------------------------ */

static void tell_failure(const struct power_run *run, const struct power_image *image, size_t number,
                         const char *verdict)
{
    char path[96];

    power_place_keep(image, run->seed, number, path, sizeof(path));
    print_error("%s, seed %llu, image %zu, %s: %s\n  kept in %s\n", run->work->name, (unsigned long long)run->seed,
                number, image->text, verdict, path);
}

static struct outcome judge(const struct power_run *run, size_t images, enum power_defect defect)
{
    struct power_builder *builder = power_builder_new(run->log, run->work->size_bytes, defect);
    struct power_judge *power_judge = power_judge_new(run->work);
    size_t *cuts = malloc(images * sizeof(cuts[0]));
    struct outcome outcome = {.images = 0};
    uint64_t random = run->seed;

    assert_non_null(cuts);
    power_cuts_choose(run->log, cuts, images, &random);
    for (size_t i = 0; i < images && (defect != POWER_NO_DEFECT || outcome.images - outcome.sound < FAILURES_MAX);
         i++) {
        const struct power_image *image = power_builder_cut(builder, cuts[i], &random);
        char verdict[POWER_VERDICT_MAX];
        bool sound = power_judge_image(power_judge, image, power_builder_model(builder), verdict);

        outcome.images++;
        outcome.sound += sound ? 1 : 0;
        outcome.with_unsynced += power_builder_unsynced(builder) > 0 ? 1 : 0;
        if (!sound)
            memcpy(outcome.verdict, verdict, sizeof(verdict));
        if (!sound && defect == POWER_NO_DEFECT)
            tell_failure(run, image, i, verdict);
    }
    free(cuts);
    power_judge_free(power_judge);
    power_builder_free(builder);
    return outcome;
}

static void survives(struct power_run *run, const struct power_work *work, unsigned share)
{
    struct outcome outcome;
    uint64_t began_ns;

    record(run, work);
    began_ns = clock_mono_ns();
    outcome = judge(run, images_of(share), POWER_NO_DEFECT);

    print_message("%s: %zu images, %zu sound, %zu of them with unsynced writes, %llu ms\n", work->name, outcome.images,
                  outcome.sound, outcome.with_unsynced, (unsigned long long)((clock_mono_ns() - began_ns) / NS_PER_MS));
    assert_int_equal(outcome.sound, outcome.images);
    assert_true(outcome.with_unsynced * 4 > outcome.images);
}

/* --- workloads ------------------------------------------------------------- */

static void test_power_loss_while_the_ring_turns(void **state)
{
    static const struct power_work work = {
        .name = "ring", .size_bytes = MIB(16), .stored_bytes = MIB(40), .sessions = 2};

    survives(*state, &work, 4);
}

static void test_power_loss_with_a_reserved_file(void **state)
{
    static const struct power_work work = {.name = "reserved",
                                           .size_bytes = MIB(20),
                                           .first_bytes = MIB(16),
                                           .stored_bytes = MIB(40),
                                           .reserve = true,
                                           .sessions = 2};

    survives(*state, &work, 5);
}

static void test_power_loss_of_a_full_spool(void **state)
{
    static const struct power_work work = {
        .name = "full", .size_bytes = MIB(16), .stored_bytes = MIB(30), .fill = true, .sessions = 2};

    survives(*state, &work, 5);
}

static void test_power_loss_beside_an_operator(void **state)
{
    static const struct power_work work = {
        .name = "operator", .size_bytes = MIB(18), .stored_bytes = MIB(40), .park = true, .edit = true, .sessions = 3};

    survives(*state, &work, 4);
}

/* Much of what there is to lose here is the file itself. */
static void test_power_loss_at_the_first_start(void **state)
{
    static const struct power_work work = {
        .name = "start", .size_bytes = MIB(16), .stored_bytes = MIB(1), .sessions = 1};

    survives(*state, &work, 10);
}

/* --- the judge ------------------------------------------------------------- */

/* Not every image shows it: many are of moments at which nothing is lost by it. */
static void is_caught(struct power_run *run, enum power_defect defect)
{
    static const struct power_work work = {
        .name = "broken", .size_bytes = MIB(16), .stored_bytes = MIB(25), .sessions = 1};
    struct outcome outcome;

    record(run, &work);
    outcome = judge(run, DEFECT_IMAGES, defect);

    print_message("%s: %zu images, %zu sound; for example: %s\n", work.name, outcome.images, outcome.sound,
                  outcome.verdict);
    assert_true(outcome.sound + CAUGHT_MIN <= outcome.images);
}

static void test_power_without_data_sync_is_caught(void **state)
{
    is_caught(*state, POWER_WITHOUT_DATA_SYNC);
}

static void test_power_without_meta_sync_is_caught(void **state)
{
    is_caught(*state, POWER_WITHOUT_META_SYNC);
}

#define POWER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POWER_TEST(test_power_without_data_sync_is_caught), POWER_TEST(test_power_without_meta_sync_is_caught),
        POWER_TEST(test_power_loss_at_the_first_start),     POWER_TEST(test_power_loss_while_the_ring_turns),
        POWER_TEST(test_power_loss_with_a_reserved_file),   POWER_TEST(test_power_loss_of_a_full_spool),
        POWER_TEST(test_power_loss_beside_an_operator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
