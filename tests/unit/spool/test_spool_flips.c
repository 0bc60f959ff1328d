/*
 * Hundreds of damaged files, each opened, read and written as the daemon does.
 *
 * Whatever the damage: no crash, no hang, no byte that was not put; nothing
 * that was pending goes without a word; and after at most one fail-stop the
 * spool is up again.  What was not touched can be salvaged.  The seed is printed; TRACESPOOL_TEST_SEED repeats a run,
 * TRACESPOOL_DAMAGE_IMAGES is how many files.
 */
#include "spool_image.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "log.h"
#include "spool_aside.h"
#include "spool_salvage.h"

#define IMAGES_DEFAULT 500
#define CHILD_SECONDS 60
#define NEW_RECORDS 24
#define NEW_SEED 2000000
#define READ_RECORDS 64

enum ending { ENDED_WELL = 0, ENDED_WRONG = 70, ENDED_FATAL = 77 };

/* What a child tells, in memory that it shares. */
struct told {
    bool moved;
    unsigned damaged; /* records and parked entries */
    unsigned refused; /* new records */
    struct image_damage damage;
    char text[ERR_TEXT_MAX];
};

static struct image image;
static struct told *told;

/* --- in the child ------------------------------------------------------------ */

static void wrong(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void wrong(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(told->text, sizeof(told->text), format, args);
    va_end(args);
    _exit(ENDED_WRONG);
}

static void fail_stop(const struct err *err)
{
    snprintf(told->text, sizeof(told->text), "%s", err->text);
    _exit(ENDED_FATAL);
}

static bool has_bytes(struct slice payload, uint64_t seed, size_t len)
{
    static uint8_t expected[1 << 20];

    if (payload.len != len)
        return false;
    fixture_fill(expected, seed, len);
    return memcmp(payload.data, expected, len) == 0;
}

static void check_record(const struct spool_record *record)
{
    if (record->damaged)
        told->damaged++;
    else if (record->seq > IMAGE_RECORDS || !has_bytes(record->payload, record->seq, image_len(record->seq)))
        wrong("record %llu has other bytes than were put", (unsigned long long)record->seq);
}

/* All that is pending, from one end.  seen[] tells which. */
static void read_pending(struct spool *spool, enum spool_end end, bool *seen)
{
    struct spool_record records[READ_RECORDS];
    struct spool_range taken[1] = {{.first = 0, .end = 1}};
    size_t count = 1;
    struct arena arena;
    struct err err;

    while (count > 0) {
        struct spool_want want = {
            .end = end, .taken = taken, .taken_count = 1, .max_records = READ_RECORDS, .max_bytes = 4 << 20};

        arena_init(&arena, SIZE_MAX);
        if (spool_read_pending(spool, &want, &arena, records, &count, &err) == -1)
            fail_stop(&err);
        for (size_t i = 0; i < count; i++) {
            check_record(&records[i]);
            if (records[i].seq <= IMAGE_RECORDS)
                seen[records[i].seq] = true;
        }
        if (count > 0 && end == SPOOL_OLDEST)
            taken[0] = (struct spool_range){.first = 0, .end = records[count - 1].seq + 1};
        else if (count > 0)
            taken[0] = (struct spool_range){.first = records[0].seq, .end = SPOOL_SEQ_OPEN};
        arena_fini(&arena);
    }
}

/* History and held records as well. */
static void read_all(struct spool *spool)
{
    struct spool_record record;
    struct arena arena;
    uint64_t seq = 0;
    size_t count = 1;
    struct err err;

    while (count == 1) {
        if (spool_list(spool, seq, 1, &record, &count, &err) == -1)
            fail_stop(&err);
        if (count == 0)
            return;
        arena_init(&arena, SIZE_MAX);
        if (spool_read(spool, record.seq, &arena, &record, &err) != 1)
            wrong("record %llu is listed and not there", (unsigned long long)record.seq);
        check_record(&record);
        seq = record.seq + 1;
        arena_fini(&arena);
    }
}

static uint64_t read_parked(struct spool *spool)
{
    struct spool_parked parked;
    struct arena arena;
    uint64_t seq = 0, entries = 0;
    uint32_t index = 0;
    size_t count = 1;
    struct err err;

    for (;; entries++) {
        arena_init(&arena, SIZE_MAX);
        if (spool_list_parked(spool, seq, index, 1, &arena, &parked, &count, &err) == -1)
            fail_stop(&err);
        if (count == 0)
            break;
        if (parked.text != NULL && strcmp(parked.text, "the parked entry itself is damaged") == 0)
            told->damaged++;
        else if (!parked.whole &&
                 !has_bytes(parked.payload, IMAGE_PARKED_SEED + parked.seq, image_parked_len(parked.seq)))
            wrong("parked entry %llu has other bytes than were put", (unsigned long long)parked.seq);
        seq = parked.seq;
        index = parked.index + 1;
        arena_fini(&arena);
    }
    arena_fini(&arena);
    return entries;
}

/* Invariant: what was pending is there, from either end; in which state it is read tells the rest. */
static void check_pending(struct spool *spool)
{
    static bool up[IMAGE_RECORDS + 1], down[IMAGE_RECORDS + 1];

    read_pending(spool, SPOOL_OLDEST, up);
    read_pending(spool, SPOOL_NEWEST, down);
    for (uint64_t seq = 1; seq <= IMAGE_RECORDS && !told->moved; seq++) {
        bool expected = image.kept[seq] && image.states[seq] == SPOOL_PENDING;

        if (up[seq] != expected || down[seq] != expected)
            wrong("record %llu was %spending and is %spending", (unsigned long long)seq, expected ? "" : "not ",
                  expected ? "not " : "");
    }
}

static void deliver_some(struct fixture *fixture)
{
    uint64_t seqs[30];
    struct err err;

    for (uint64_t i = 0; i < 30; i++)
        seqs[i] = IMAGE_RECORDS - 60 + i;
    if (spool_writer_delivered(fixture->writer, seqs, 30, &err) == -1)
        wrong("delivered: %s", err.text);
}

static void put_new(struct fixture *fixture, uint64_t seqs[NEW_RECORDS])
{
    struct err err;

    for (uint64_t i = 0; i < NEW_RECORDS; i++) {
        seqs[i] = fixture_try_put(fixture, NEW_SEED + i, image_len(i + 20), &err);
        told->refused += seqs[i] == 0;
    }
}

static void check_new(struct spool *spool, const uint64_t seqs[NEW_RECORDS])
{
    struct spool_record record;
    struct arena arena;
    struct err err;

    for (uint64_t i = 0; i < NEW_RECORDS; i++) {
        arena_init(&arena, SIZE_MAX);
        if (seqs[i] != 0 &&
            (spool_read(spool, seqs[i], &arena, &record, &err) != 1 || record.damaged ||
             record.state != SPOOL_PENDING || !has_bytes(record.payload, NEW_SEED + i, image_len(i + 20))))
            wrong("new record %llu was acknowledged and is not there", (unsigned long long)seqs[i]);
        arena_fini(&arena);
    }
}

/* --- salvage, before the daemon has touched the file --------------------------- */

struct found {
    bool records[IMAGE_RECORDS + 1];
    bool parked[IMAGE_RECORDS + 1];
};

static int found_record(void *context, const struct spool_record *record, struct err *err)
{
    struct found *found = context;

    (void)err;
    if (record->seq > IMAGE_RECORDS || !has_bytes(record->payload, record->seq, image_len(record->seq)))
        wrong("salvage: record %llu has other bytes than were put", (unsigned long long)record->seq);
    found->records[record->seq] = true;
    return 0;
}

static int found_parked(void *context, const struct spool_parked *parked, struct err *err)
{
    struct found *found = context;

    (void)err;
    if (parked->seq > IMAGE_RECORDS ||
        (!parked->whole && !has_bytes(parked->payload, IMAGE_PARKED_SEED + parked->seq, image_parked_len(parked->seq))))
        wrong("salvage: parked entry %llu has other bytes than were put", (unsigned long long)parked->seq);
    found->parked[parked->seq] = true;
    return 0;
}

/* Everything of which no byte was touched is found. */
static void salvage(const char *path)
{
    static struct found found;
    static bool touched[2][IMAGE_RECORDS + 1];
    struct spool_salvage_to to = {.context = &found, .record = found_record, .parked = found_parked};
    static struct spool_salvage_report report;
    char name[128];
    struct err err;

    snprintf(name, sizeof(name), "%s/data.mdb", path);
    if (spool_salvage(name, &to, &report, &err) == -1)
        wrong("salvage: %s", err.text);
    for (size_t i = 0; i < image.part_count; i++)
        touched[image.parts[i].parked][image.parts[i].seq] |= !image_is_untouched(&image.parts[i], &told->damage);
    for (size_t i = 0; i < image.part_count; i++) {
        const struct image_part *part = &image.parts[i];

        if (!touched[part->parked][part->seq] && !(part->parked ? found.parked : found.records)[part->seq])
            wrong("salvage: %s %llu is whole and was not found", part->parked ? "parked entry" : "record",
                  (unsigned long long)part->seq);
    }
}

/* A day in a daemon's life, and the start of the next. */
static void live(const char *path)
{
    struct fixture fixture = {.options = {.path = path, .size_bytes = IMAGE_SIZE, .history_ns = UINT64_MAX}};
    uint64_t seqs[NEW_RECORDS];
    struct err err;

    if (spool_open(&fixture.spool, &fixture.options, &err) == -1)
        wrong("open: %s", err.text);
    told->moved = spool_aside_count(path) > 0;
    if (spool_writer_start(&fixture.writer, fixture.spool, fail_stop, &err) == -1)
        fail_stop(&err);
    check_pending(fixture.spool);
    read_all(fixture.spool);
    if (read_parked(fixture.spool) != (told->moved ? 0 : image.parked))
        wrong("a parked entry has gone");
    deliver_some(&fixture);
    put_new(&fixture, seqs);
    check_new(fixture.spool, seqs);
    fixture_close(&fixture);
    /* What we wrote to a file that was called sound has left it sound. */
    if (spool_open(&fixture.spool, &fixture.options, &err) == -1)
        wrong("second open: %s", err.text);
    if ((spool_aside_count(path) > 0) != told->moved)
        wrong("the file was sound, and after a day it was not");
    check_new(fixture.spool, seqs);
    spool_close(fixture.spool);
    _exit(ENDED_WELL);
}

/* --- the test ------------------------------------------------------------------ */

static int run_child(const char *path, const char *log, bool first)
{
    int status, fd;
    pid_t child = fork();

    if (child == 0) {
        fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, STDERR_FILENO);
        dup2(fd, STDOUT_FILENO);
        alarm(CHILD_SECONDS);
        if (first)
            salvage(path);
        live(path);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void show(const char *log)
{
    char command[160];

    snprintf(command, sizeof(command), "cat %s", log);
    if (system(command) != 0)
        print_message("no %s\n", log);
}

struct counts {
    unsigned intact;
    unsigned damaged;
    unsigned moved;
    unsigned stopped;
    unsigned refused;
};

static void one_image(uint64_t number, uint64_t seed, struct counts *counts)
{
    struct image_damage damage;
    uint64_t random = seed * 1000003 + number;
    struct fixture place;
    char log[80];
    int ending;

    fixture_init_fast(&place, IMAGE_SIZE);
    snprintf(log, sizeof(log), "%s/log", place.path);
    image_damage(&image, &damage, number, &random);
    image_write(&image, &damage, place.path);
    memset(told, 0, sizeof(*told));
    told->damage = damage;
    ending = run_child(place.path, log, true);
    if (ending == ENDED_FATAL) {
        counts->stopped++;
        print_message("image %llu (%s) stopped the process: %s\n", (unsigned long long)number, damage.text, told->text);
        told->damaged = 0;
        ending = run_child(place.path, log, false);
    }
    if (ending != ENDED_WELL) {
        show(log);
        fail_msg("seed %llu, image %llu (%s): ended with %d: %s", (unsigned long long)seed, (unsigned long long)number,
                 damage.text, ending, told->text);
    }
    if (number == 0 && (told->moved || told->damaged > 0))
        fail_msg("the file without damage is called damaged");
    *(told->moved ? &counts->moved : told->damaged > 0 ? &counts->damaged : &counts->intact) += 1;
    counts->refused += told->refused;
    fixture_fini(&place);
}

static void test_spool_survives_any_damage(void **state)
{
    uint64_t seed = from_environment("TRACESPOOL_TEST_SEED", (uint64_t)time(NULL));
    uint64_t images = from_environment("TRACESPOOL_DAMAGE_IMAGES", IMAGES_DEFAULT);
    struct counts counts = {0};

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < images; i++)
        one_image(i, seed, &counts);
    print_message(
        "%llu images: %u served intact, %u with damaged records, %u moved aside; %u stopped the process once; "
        "%u of the new records refused\n",
        (unsigned long long)images, counts.intact, counts.damaged, counts.moved, counts.stopped, counts.refused);
    assert_true(counts.intact > 0 && counts.damaged > 0 && counts.moved > 0);
}

static int make(void **state)
{
    (void)state;
    image_make(&image);
    told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return told == MAP_FAILED ? -1 : 0;
}

static int unmake(void **state)
{
    (void)state;
    image_free(&image);
    return munmap(told, sizeof(*told));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_spool_survives_any_damage)};

    return cmocka_run_group_tests(tests, make, unmake);
}
