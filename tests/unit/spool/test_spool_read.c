/*
 * spool_read_pending: from both ends, around what others have taken, over
 * holes, held and damaged records, up to its bounds; at last against a model.
 *
 * The world is one array, a struct world a record.  It is made by putting
 * records and then changing the databases below the writer, so that every
 * state can stand beside every other.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spool_internal.h"
#include "spool_parts.h"
#include "spool_pending.h"
#include "spool_record.h"

#define RECORDS_MAX 256
#define PART_BYTES ((size_t)SPOOL_PART_PAGES * 4096)
#define LARGE (2 * PART_BYTES) /* several parts */

enum fate { PENDING, HELD, DELIVERED, GONE, LOST /* gone, and yet in a pending range */ };
enum harm { INTACT, PAYLOAD_HARMED, FIRST_HEADER_HARMED };

struct world {
    enum fate fate;
    enum harm harm;
    size_t len;
};

/* Record `seq` is made from the seed `seq`, and so is worlds[seq]. */
struct test {
    struct fixture fixture;
    struct world worlds[RECORDS_MAX + 1];
    uint64_t count;
    struct arena arena;
    struct spool_record records[RECORDS_MAX];
    size_t read;
};

static int setup(void **state)
{
    struct test *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    fixture_init(&t->fixture, FIXTURE_SIZE);
    fixture_open(&t->fixture);
    arena_init(&t->arena, SIZE_MAX);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct test *t = *state;

    arena_fini(&t->arena);
    fixture_fini(&t->fixture);
    free(t);
    return 0;
}

/* --- making a world --------------------------------------------------------- */

static void harm_value(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, size_t at)
{
    uint8_t bytes[SPOOL_RECORD_KEY_BYTES] = {0}, *copy;
    MDB_val key = spool_val(bytes, sizeof(bytes)), value;

    spool_key_put_u64(bytes, seq);
    assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
    copy = malloc(value.mv_size);
    assert_non_null(copy);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[at] ^= 0x40;
    value.mv_data = copy;
    assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
    free(copy);
}

static void shape_record(MDB_txn *txn, const struct spool *spool, uint64_t seq, const struct world *world)
{
    struct spool_range only = {seq, seq + 1};
    uint8_t prefix[8];
    unsigned removed;

    spool_key_put_u64(prefix, seq);
    if (world->harm == PAYLOAD_HARMED)
        harm_value(txn, spool->records, seq, SPOOL_PART_HEADER_BYTES + world->len / 2 % PART_BYTES / 2);
    if (world->harm == FIRST_HEADER_HARMED)
        harm_value(txn, spool->records, seq, 10);
    if (world->fate != PENDING && world->fate != LOST)
        assert_int_equal(spool_pending_subtract(txn, spool->pending, only), 0);
    if (world->fate == HELD)
        assert_int_equal(spool_pending_add(txn, spool->held, only), 0);
    if (world->fate == GONE || world->fate == LOST) {
        assert_int_equal(spool_parts_delete(txn, spool->records, prefix, sizeof(prefix), &removed), 0);
        assert_true(removed > 0);
    }
}

/* Puts worlds[1 .. count] and gives each its fate and its harm. */
static void make_world(struct test *t)
{
    struct spool *spool = t->fixture.spool;
    MDB_txn *txn;

    for (uint64_t seq = 1; seq <= t->count; seq++)
        assert_int_equal(fixture_put(&t->fixture, seq, t->worlds[seq].len), seq);
    assert_int_equal(mdb_txn_begin(spool->env, NULL, 0, &txn), 0);
    for (uint64_t seq = 1; seq <= t->count; seq++)
        shape_record(txn, spool, seq, &t->worlds[seq]);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

/* One letter a record: p pending, h held, d delivered, - gone, x lost. */
static void make_simple_world(struct test *t, const char *fates, size_t len)
{
    static const char letters[] = "phd-x";

    t->count = strlen(fates);
    for (uint64_t i = 0; i < t->count; i++)
        t->worlds[i + 1] = (struct world){.fate = (enum fate)(strchr(letters, fates[i]) - letters), .len = len};
    make_world(t);
}

/* --- reading ---------------------------------------------------------------- */

/* What is to be seen of a record; the fixture says how its numbers follow from its seed. */
static void check_record(const struct spool_record *record, const struct world *world, bool with_payload)
{
    bool lost = world->harm == FIRST_HEADER_HARMED && world->len <= PART_BYTES / 2; /* it had one part */
    bool damaged = world->harm == FIRST_HEADER_HARMED || (world->harm == PAYLOAD_HARMED && with_payload);
    uint8_t *expected;

    assert_int_equal(record->damaged, damaged);
    assert_int_equal(record->state, SPOOL_PENDING);
    assert_int_equal(record->stored_bytes, lost ? 0 : world->len);
    assert_int_equal(record->received_ns, lost ? 0 : 1000000 + record->seq);
    assert_int_equal(record->payload.len, damaged || !with_payload ? 0 : world->len);
    if (record->payload.len == 0)
        return;
    expected = malloc(world->len);
    assert_non_null(expected);
    fixture_fill(expected, record->seq, world->len);
    assert_memory_equal(record->payload.data, expected, world->len);
    free(expected);
}

static struct spool_want want_all(enum spool_end end, const struct spool_range *taken, size_t taken_count)
{
    return (struct spool_want){
        .end = end,
        .taken = taken,
        .taken_count = taken_count,
        .max_records = RECORDS_MAX,
        .max_bytes = SIZE_MAX,
    };
}

static void read_into(struct test *t, const struct spool_want *want, struct arena *arena)
{
    struct err err;

    if (spool_read_pending(t->fixture.spool, want, arena, t->records, &t->read, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < t->read; i++)
        check_record(&t->records[i], &t->worlds[t->records[i].seq], arena != NULL);
}

static void read_pending(struct test *t, const struct spool_want *want)
{
    arena_reset(&t->arena, SIZE_MAX);
    read_into(t, want, &t->arena);
}

/* `expected` are seqs, ending with 0. */
static void expect_seqs(const struct test *t, const uint64_t *expected)
{
    size_t i = 0;

    for (; expected[i] != 0; i++) {
        assert_true(i < t->read);
        assert_int_equal(t->records[i].seq, expected[i]);
    }
    assert_int_equal(t->read, i);
}

#define EXPECT(t, ...) expect_seqs(t, (const uint64_t[]){__VA_ARGS__ __VA_OPT__(, ) 0})

static void expect_around(struct test *t, enum spool_end end, const struct spool_range *taken, size_t taken_count,
                          const uint64_t *expected)
{
    struct spool_want want = want_all(end, taken, taken_count);

    read_pending(t, &want);
    expect_seqs(t, expected);
}

#define AROUND(t, end, expected, ...)                                                                                  \
    expect_around(t, end, (const struct spool_range[]){__VA_ARGS__},                                                   \
                  sizeof((const struct spool_range[]){__VA_ARGS__}) / sizeof(struct spool_range),                      \
                  (const uint64_t[]){SEQS expected})
#define SEQS(...) __VA_ARGS__ __VA_OPT__(, ) 0

/* --- ends and taken ranges --------------------------------------------------- */

static void test_read_pending_from_either_end_is_in_order(void **state)
{
    struct test *t = *state;
    struct spool_want want = want_all(SPOOL_OLDEST, NULL, 0);

    read_pending(t, &want);
    EXPECT(t);
    want.end = SPOOL_NEWEST;
    read_pending(t, &want);
    EXPECT(t);

    make_simple_world(t, "pppppp", 100);
    want = want_all(SPOOL_OLDEST, NULL, 0);
    read_pending(t, &want);
    EXPECT(t, 1, 2, 3, 4, 5, 6);
    want.max_records = 2;
    read_pending(t, &want);
    EXPECT(t, 1, 2);
    want.end = SPOOL_NEWEST;
    read_pending(t, &want);
    EXPECT(t, 5, 6);
    want.max_records = RECORDS_MAX;
    read_pending(t, &want);
    EXPECT(t, 1, 2, 3, 4, 5, 6);
}

static void test_read_pending_stops_at_taken_ranges(void **state)
{
    struct test *t = *state;

    make_simple_world(t, "pppppppp", 100);
    /* At the near end. */
    AROUND(t, SPOOL_OLDEST, (3, 4, 5, 6, 7, 8), {1, 3});
    AROUND(t, SPOOL_NEWEST, (1, 2, 3, 4, 5), {6, 9});
    AROUND(t, SPOOL_NEWEST, (1, 2, 3, 4, 5), {6, SPOOL_SEQ_OPEN});
    AROUND(t, SPOOL_OLDEST, (3, 4, 5, 6, 7, 8), {0, 3});
    /* At the far end, and in the middle. */
    AROUND(t, SPOOL_OLDEST, (1, 2, 3, 4, 5), {6, 9});
    AROUND(t, SPOOL_NEWEST, (3, 4, 5, 6, 7, 8), {1, 3});
    AROUND(t, SPOOL_OLDEST, (1, 2), {3, 5});
    AROUND(t, SPOOL_NEWEST, (5, 6, 7, 8), {3, 5});
    /* Several, in any order, that touch or overlap. */
    AROUND(t, SPOOL_OLDEST, (4), {5, 6}, {2, 4}, {1, 2}, {7, 9});
    AROUND(t, SPOOL_NEWEST, (6), {7, 9}, {1, 2}, {5, 6}, {2, 4});
    AROUND(t, SPOOL_OLDEST, (6, 7, 8), {3, 6}, {1, 4});
    AROUND(t, SPOOL_NEWEST, (1, 2), {3, 6}, {5, 9});
    /* All, and more than there is. */
    AROUND(t, SPOOL_OLDEST, (), {1, 9});
    AROUND(t, SPOOL_NEWEST, (), {1, 9});
    AROUND(t, SPOOL_OLDEST, (), {0, SPOOL_SEQ_OPEN});
    AROUND(t, SPOOL_NEWEST, (), {0, SPOOL_SEQ_OPEN});
    AROUND(t, SPOOL_OLDEST, (), {5, 9}, {1, 5});
    AROUND(t, SPOOL_NEWEST, (), {1, 5}, {5, 9});
    /* Behind everything, and before: nobody's business. */
    AROUND(t, SPOOL_OLDEST, (1, 2, 3, 4, 5, 6, 7, 8), {9, 20});
    AROUND(t, SPOOL_NEWEST, (1, 2, 3, 4, 5, 6, 7, 8), {9, 20});
}

static void test_read_pending_passes_over_what_is_not_pending(void **state)
{
    struct test *t = *state;

    make_simple_world(t, "-dphp-dpphdp-h", 100);
    AROUND(t, SPOOL_OLDEST, (3, 5, 8, 9, 12), {0, 1});
    AROUND(t, SPOOL_NEWEST, (3, 5, 8, 9, 12), {0, 1});
    /* Taken ranges that begin or end in holes, or lie in one. */
    AROUND(t, SPOOL_OLDEST, (5), {1, 5}, {6, 8});
    AROUND(t, SPOOL_NEWEST, (8, 9), {10, 15}, {4, 7});
    AROUND(t, SPOOL_OLDEST, (3, 5), {6, 8});
    AROUND(t, SPOOL_NEWEST, (8, 9, 12), {6, 8});
    AROUND(t, SPOOL_NEWEST, (3, 5), {8, 13});
    AROUND(t, SPOOL_OLDEST, (12), {3, 10});
    AROUND(t, SPOOL_OLDEST, (), {3, 13});
    AROUND(t, SPOOL_NEWEST, (), {3, 13});
}

static void test_read_pending_passes_over_what_is_lost(void **state)
{
    struct test *t = *state;

    make_simple_world(t, "xpxdpxhxxpx", 100);
    AROUND(t, SPOOL_OLDEST, (2, 5, 10), {0, 1});
    AROUND(t, SPOOL_NEWEST, (2, 5, 10), {0, 1});
    AROUND(t, SPOOL_OLDEST, (5, 10), {1, 3});
    AROUND(t, SPOOL_NEWEST, (2, 5), {10, 12});
}

static void test_read_pending_finds_nothing_when_nothing_is_pending(void **state)
{
    struct test *t = *state;

    make_simple_world(t, "dh-dd-hd", 100);
    AROUND(t, SPOOL_OLDEST, (), {0, 1});
    AROUND(t, SPOOL_NEWEST, (), {0, 1});
}

static void test_read_pending_of_large_records_takes_several_transactions(void **state)
{
    struct test *t = *state;

    make_simple_world(t, "pdppp", 6UL << 20);
    AROUND(t, SPOOL_OLDEST, (1, 3, 4, 5), {0, 1});
    AROUND(t, SPOOL_NEWEST, (1, 3, 4, 5), {0, 1});
    AROUND(t, SPOOL_NEWEST, (4, 5), {3, 4});
}

/* --- bounds ----------------------------------------------------------------- */

static void test_read_pending_keeps_to_max_bytes_but_gives_one(void **state)
{
    struct test *t = *state;
    struct spool_want want = want_all(SPOOL_OLDEST, NULL, 0);

    make_simple_world(t, "pppp", 1000);
    want.max_bytes = 2000;
    read_pending(t, &want);
    EXPECT(t, 1, 2);
    want.end = SPOOL_NEWEST;
    read_pending(t, &want);
    EXPECT(t, 3, 4);
    want.max_bytes = 1999;
    read_pending(t, &want);
    EXPECT(t, 4);
    want.max_bytes = 0;
    read_pending(t, &want);
    EXPECT(t, 4);
    want.end = SPOOL_OLDEST;
    read_pending(t, &want);
    EXPECT(t, 1);
    want.max_records = 0;
    read_pending(t, &want);
    EXPECT(t);
}

static void test_read_pending_with_a_full_arena_leaves_the_rest(void **state)
{
    struct test *t = *state;
    struct spool_want want = want_all(SPOOL_OLDEST, NULL, 0);
    struct arena small;
    struct err err;

    make_simple_world(t, "pppp", 1UL << 20);
    arena_init(&small, 5UL << 19);
    read_into(t, &want, &small);
    EXPECT(t, 1, 2);
    arena_reset(&small, 0);
    want.end = SPOOL_NEWEST;
    read_into(t, &want, &small);
    EXPECT(t, 3, 4);
    arena_fini(&small);

    arena_init(&small, 1UL << 19); /* not even for one */
    assert_int_equal(spool_read_pending(t->fixture.spool, &want, &small, t->records, &t->read, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "no memory for record 4 of 1048576 bytes");
    assert_int_equal(t->read, 0);
    arena_fini(&small);
}

static void test_read_pending_without_an_arena_reads_headers(void **state)
{
    struct test *t = *state;
    struct spool_want want = want_all(SPOOL_NEWEST, NULL, 0);

    t->count = 4;
    t->worlds[1] = (struct world){.len = 1000};
    t->worlds[2] = (struct world){.len = LARGE, .harm = PAYLOAD_HARMED};
    t->worlds[3] = (struct world){.len = LARGE, .harm = FIRST_HEADER_HARMED};
    t->worlds[4] = (struct world){.len = 0};
    make_world(t);
    read_into(t, &want, NULL);
    EXPECT(t, 1, 2, 3, 4);
    want.max_bytes = LARGE;
    read_into(t, &want, NULL);
    EXPECT(t, 3, 4);
}

/* --- damage ------------------------------------------------------------------ */

static void test_read_pending_returns_damaged_records_as_such(void **state)
{
    struct test *t = *state;

    t->count = 6;
    t->worlds[1] = (struct world){.len = 1000, .harm = FIRST_HEADER_HARMED};
    t->worlds[2] = (struct world){.len = LARGE};
    t->worlds[3] = (struct world){.len = LARGE, .harm = FIRST_HEADER_HARMED};
    t->worlds[4] = (struct world){.len = 1000, .harm = PAYLOAD_HARMED};
    t->worlds[5] = (struct world){.len = 10};
    t->worlds[6] = (struct world){.len = LARGE, .harm = PAYLOAD_HARMED};
    make_world(t);
    AROUND(t, SPOOL_OLDEST, (1, 2, 3, 4, 5, 6), {0, 1});
    AROUND(t, SPOOL_NEWEST, (1, 2, 3, 4, 5, 6), {0, 1});
    AROUND(t, SPOOL_NEWEST, (4, 5), {6, 7}, {3, 4});
}

/* --- while the world moves ---------------------------------------------------- */

struct deliverer {
    struct test *test;
    uint64_t state;
    atomic_bool done;
};

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static uint64_t new_seed(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    print_message("seed %lld\n", (long long)now.tv_nsec);
    return (uint64_t)now.tv_nsec;
}

/* Delivers every record once, in an order of its own. */
static void *deliver_all(void *context)
{
    struct deliverer *deliverer = context;
    struct test *t = deliverer->test;
    uint64_t seqs[RECORDS_MAX];

    for (uint64_t i = 0; i < t->count; i++)
        seqs[i] = i + 1;
    for (uint64_t left = t->count; left > 0; left--) {
        uint64_t at = next_random(&deliverer->state) % left;

        fixture_deliver(&t->fixture, seqs[at], seqs[at] + 1);
        seqs[at] = seqs[left - 1];
    }
    atomic_store(&deliverer->done, true);
    return NULL;
}

static void test_read_pending_while_records_are_delivered(void **state)
{
    struct test *t = *state;
    struct deliverer deliverer = {.test = t, .state = new_seed()};
    struct spool_range taken = {100, 110};
    struct spool_want want = want_all(SPOOL_OLDEST, &taken, 1);
    pthread_t thread;

    t->count = 200;
    for (uint64_t seq = 1; seq <= t->count; seq++)
        t->worlds[seq] = (struct world){.len = PART_BYTES};
    make_world(t);
    assert_int_equal(pthread_create(&thread, NULL, deliver_all, &deliverer), 0);
    do {
        want.end = want.end == SPOOL_OLDEST ? SPOOL_NEWEST : SPOOL_OLDEST;
        read_pending(t, &want);
        for (size_t i = 0; i < t->read; i++) {
            assert_true(i == 0 || t->records[i - 1].seq < t->records[i].seq);
            assert_true((t->records[i].seq < taken.first) == (t->records[0].seq < taken.first));
            assert_false(taken.first <= t->records[i].seq && t->records[i].seq < taken.end);
        }
    } while (!atomic_load(&deliverer.done));
    pthread_join(thread, NULL);
    read_pending(t, &want);
    EXPECT(t);
}

/* --- the model ---------------------------------------------------------------- */

static bool is_taken(const struct spool_want *want, uint64_t seq)
{
    for (size_t i = 0; i < want->taken_count; i++) {
        if (want->taken[i].first <= seq && seq < want->taken[i].end)
            return true;
    }
    return false;
}

/* What a reader without damage to fear would count: a record whose only header is harmed has no size. */
static size_t size_of(const struct world *world)
{
    return world->harm == FIRST_HEADER_HARMED && world->len <= PART_BYTES / 2 ? 0 : world->len;
}

/* Record by record from the end that is wanted.  The seqs, ascending, and how many. */
static size_t model_read(const struct test *t, const struct spool_want *want, uint64_t *seqs)
{
    bool up = want->end == SPOOL_OLDEST;
    size_t count = 0, bytes = 0;

    for (uint64_t i = 1; i <= t->count && count < want->max_records; i++) {
        uint64_t seq = up ? i : t->count + 1 - i;
        const struct world *world = &t->worlds[seq];

        if (is_taken(want, seq) && count > 0)
            break;
        if (is_taken(want, seq) || world->fate != PENDING)
            continue;
        if (count > 0 && bytes + size_of(world) > want->max_bytes)
            break;
        bytes += size_of(world);
        seqs[count++] = seq;
    }
    for (size_t i = 0; !up && i < count / 2; i++) {
        uint64_t seq = seqs[i];

        seqs[i] = seqs[count - 1 - i];
        seqs[count - 1 - i] = seq;
    }
    return count;
}

static struct world random_world(uint64_t *random)
{
    static const size_t lens[] = {0, 10, 1000, 5000, 60000, LARGE, 4 * LARGE};
    uint64_t draw = next_random(random);
    struct world world = {
        .fate = draw % 2 == 0 ? PENDING : (enum fate)(draw / 2 % 5),
        .len = lens[draw / 16 % (sizeof(lens) / sizeof(lens[0]))],
    };

    if (draw / 256 % 8 == 0)
        world.harm = world.len > 0 ? PAYLOAD_HARMED : INTACT;
    else if (draw / 256 % 8 == 1)
        world.harm = FIRST_HEADER_HARMED;
    return world;
}

static void compare_once(struct test *t, uint64_t *random)
{
    struct spool_range taken[8];
    struct spool_want want = want_all(next_random(random) % 2 == 0 ? SPOOL_OLDEST : SPOOL_NEWEST, taken, 0);
    uint64_t expected[RECORDS_MAX];
    size_t count;

    for (want.taken_count = 0; want.taken_count < next_random(random) % 8; want.taken_count++) {
        uint64_t first = next_random(random) % (t->count + 3), length = 1 + next_random(random) % 20;

        taken[want.taken_count] =
            (struct spool_range){first, next_random(random) % 16 == 0 ? SPOOL_SEQ_OPEN : first + length};
    }
    if (next_random(random) % 2 == 0)
        want.max_records = next_random(random) % 20;
    if (next_random(random) % 2 == 0)
        want.max_bytes = next_random(random) % (2 * LARGE);
    count = model_read(t, &want, expected);
    if (next_random(random) % 2 == 0)
        read_into(t, &want, NULL);
    else
        read_pending(t, &want);
    assert_int_equal(t->read, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(t->records[i].seq, expected[i]);
}

static void test_read_pending_agrees_with_a_model(void **state)
{
    struct test *t = *state;
    uint64_t random = new_seed();

    t->count = 150;
    for (uint64_t seq = 1; seq <= t->count; seq++)
        t->worlds[seq] = random_world(&random);
    make_world(t);
    for (unsigned i = 0; i < 3000; i++)
        compare_once(t, &random);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_read_pending_from_either_end_is_in_order),
        TEST(test_read_pending_stops_at_taken_ranges),
        TEST(test_read_pending_passes_over_what_is_not_pending),
        TEST(test_read_pending_passes_over_what_is_lost),
        TEST(test_read_pending_finds_nothing_when_nothing_is_pending),
        TEST(test_read_pending_of_large_records_takes_several_transactions),
        TEST(test_read_pending_keeps_to_max_bytes_but_gives_one),
        TEST(test_read_pending_with_a_full_arena_leaves_the_rest),
        TEST(test_read_pending_without_an_arena_reads_headers),
        TEST(test_read_pending_returns_damaged_records_as_such),
        TEST(test_read_pending_while_records_are_delivered),
        TEST(test_read_pending_agrees_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
