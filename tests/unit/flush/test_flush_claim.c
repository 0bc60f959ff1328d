/*
 * test_flush_claim.c - who takes what, decided in one thread that plays several.
 */
#include "flush_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flush_claim.h"

/* A thread's side. */
struct hand {
    struct arena arena;
    struct spool_record records[FLUSH_RECORDS_MAX];
    size_t count;
};

struct table {
    struct flush_claims claims;
    struct hand hands[FLUSH_THREADS_MAX];
    struct fixture *fixture;
};

static int setup(void **state)
{
    struct table *table = calloc(1, sizeof(*table));
    void *fixture;

    assert_non_null(table);
    fixture_setup(&fixture);
    table->fixture = fixture;
    flush_claim_init(&table->claims, 1);
    for (unsigned i = 0; i < FLUSH_THREADS_MAX; i++)
        arena_init(&table->hands[i].arena, SIZE_MAX);
    *state = table;
    return 0;
}

static int teardown(void **state)
{
    struct table *table = *state;
    void *fixture = table->fixture;

    for (unsigned i = 0; i < FLUSH_THREADS_MAX; i++)
        arena_fini(&table->hands[i].arena);
    flush_claim_fini(&table->claims);
    free(table);
    return fixture_teardown(&fixture);
}

static void take(struct table *table, unsigned thread, enum spool_end end)
{
    struct hand *hand = &table->hands[thread];
    struct err err = {0};

    arena_reset(&hand->arena, SIZE_MAX);
    fixture_must(flush_claim_take(&table->claims, thread, end, table->fixture->spool, &hand->arena, hand->records,
                                  &hand->count, &err),
                 &err);
}

/* Takes, and it must be all of first .. last. */
static void expect_take(struct table *table, unsigned thread, enum spool_end end, uint64_t first, uint64_t last)
{
    const struct hand *hand = &table->hands[thread];

    take(table, thread, end);
    assert_int_equal(hand->count, last - first + 1);
    for (size_t i = 0; i < hand->count; i++)
        assert_int_equal(hand->records[i].seq, first + i);
}

static void expect_nothing(struct table *table, unsigned thread, enum spool_end end)
{
    take(table, thread, end);
    assert_int_equal(table->hands[thread].count, 0);
}

/* Delivers what the thread has in hand from its record `from` on, and leaves the claim. */
static void deliver(struct table *table, unsigned thread, size_t from)
{
    const struct hand *hand = &table->hands[thread];
    uint64_t seqs[FLUSH_RECORDS_MAX];
    struct err err = {0};

    for (size_t i = from; i < hand->count; i++)
        seqs[i - from] = hand->records[i].seq;
    fixture_must(spool_writer_delivered(table->fixture->writer, seqs, hand->count - from, &err), &err);
    flush_claim_leave(&table->claims, thread);
}

static void test_end_follows_the_order(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= FLUSH_THREADS_MAX; threads++) {
        unsigned newest = 0;

        for (unsigned thread = 0; thread < threads; thread++) {
            assert_int_equal(flush_claim_end(FLUSH_OLDEST_FIRST, thread, threads, thread), SPOOL_OLDEST);
            assert_int_equal(flush_claim_end(FLUSH_NEWEST_FIRST, thread, threads, thread), SPOOL_NEWEST);
            newest += flush_claim_end(FLUSH_BOTH, thread, threads, 0) == SPOOL_NEWEST;
            if (threads > 1)
                assert_int_equal(flush_claim_end(FLUSH_BOTH, thread, threads, 0),
                                 flush_claim_end(FLUSH_BOTH, thread, threads, 1));
        }
        assert_int_equal(newest, (threads + 1) / 2);
    }
    assert_int_equal(flush_claim_end(FLUSH_BOTH, 0, 1, 0), SPOOL_NEWEST);
    assert_int_equal(flush_claim_end(FLUSH_BOTH, 0, 1, 1), SPOOL_OLDEST);
    assert_int_equal(flush_claim_end(FLUSH_BOTH, 0, 1, 2), SPOOL_NEWEST);
}

static void test_claims_meet_in_the_middle(void **state)
{
    struct table *table = *state;

    expect_nothing(table, 0, SPOOL_NEWEST);
    fixture_put_numbers(table->fixture, 1, 3001);
    expect_take(table, 0, SPOOL_NEWEST, 1977, 3000);
    expect_take(table, 1, SPOOL_OLDEST, 1, 1024);
    expect_take(table, 2, SPOOL_NEWEST, 1025, 1976);
    expect_nothing(table, 3, SPOOL_OLDEST);
    expect_nothing(table, 3, SPOOL_NEWEST);

    fixture_put_numbers(table->fixture, 3001, 3002);
    expect_take(table, 3, SPOOL_OLDEST, 3001, 3001);
    deliver(table, 3, 0);
    deliver(table, 1, 0);
    expect_nothing(table, 1, SPOOL_OLDEST);

    deliver(table, 0, 24);                           /* 1977 .. 2000 are given up */
    expect_take(table, 3, SPOOL_OLDEST, 1977, 2000); /* and anybody's */
    deliver(table, 3, 0);
    deliver(table, 2, 0);
    assert_int_equal(fixture_until(table->fixture, nothing_pending, "all is delivered").pending_records, 0);
}

static void test_claims_are_bounded_in_bytes(void **state)
{
    struct table *table = *state;
    uint8_t *bytes = calloc(1, 300 << 10);

    assert_non_null(bytes);
    for (unsigned i = 1; i <= 40; i++)
        assert_int_equal(fixture_put(table->fixture, slice_of(bytes, 300 << 10), OTLP_CODEC_IDENTITY, 1), i);
    free(bytes);
    expect_take(table, 0, SPOOL_NEWEST, 38, 40);
    expect_take(table, 1, SPOOL_OLDEST, 1, 27);
    expect_take(table, 2, SPOOL_OLDEST, 28, 37);
}

/* A backlog that one claim could hold is shared out, in claims that become smaller but not too small to fill a write. */
static void test_claims_are_shared_out(void **state)
{
    struct table *table = *state;

    table->claims.threads = 4;
    for (uint64_t seq = 1; seq <= 100; seq++)
        assert_int_equal(fixture_put(table->fixture, slice_of((const uint8_t *)"x", 1), OTLP_CODEC_IDENTITY, 1000),
                         seq);
    expect_take(table, 0, SPOOL_OLDEST, 1, 13); /* an eighth of 100 */
    expect_take(table, 1, SPOOL_NEWEST, 88, 100);
    expect_take(table, 2, SPOOL_OLDEST, 14, 26);
    deliver(table, 0, 0);
    deliver(table, 1, 0);
    deliver(table, 2, 0);
    expect_take(table, 0, SPOOL_OLDEST, 27, 35); /* FLUSH_CLAIM_SPANS_MIN */
    table->claims.threads = 1;
    expect_take(table, 1, SPOOL_OLDEST, 36, 87);
    deliver(table, 1, 0);
    table->claims.threads = 4;
    deliver(table, 0, 1);
    expect_take(table, 2, SPOOL_OLDEST, 27, 27); /* all that is left */
}

static void test_replayed_records_are_found_beside_claims(void **state)
{
    struct table *table = *state;
    struct fixture *f = table->fixture;

    fixture_put_numbers(f, 1, 21);
    expect_take(table, 0, SPOOL_OLDEST, 1, 20);
    deliver(table, 0, 0);
    fixture_put_numbers(f, 21, 26);
    expect_take(table, 0, SPOOL_OLDEST, 21, 25);
    fixture_edit(f, SPOOL_EDIT_REPLAY, 5, 8);
    fixture_edit(f, SPOOL_EDIT_REPLAY, 10, 11);
    take(table, 1, SPOOL_OLDEST);
    assert_int_equal(table->hands[1].count, 4);
    assert_int_equal(table->hands[1].records[0].seq, 5);
    assert_int_equal(table->hands[1].records[3].seq, 10);
    fixture_edit(f, SPOOL_EDIT_REPLAY, 9, 10);  /* within the claim: it waits until that is left */
    fixture_edit(f, SPOOL_EDIT_REPLAY, 12, 13); /* between the claims */
    expect_take(table, 2, SPOOL_NEWEST, 12, 12);
    expect_nothing(table, 3, SPOOL_NEWEST);
    deliver(table, 1, 0);
    expect_take(table, 1, SPOOL_NEWEST, 9, 9);
}

static void test_claim_covers_holes_and_held_records(void **state)
{
    struct table *table = *state;
    struct fixture *f = table->fixture;

    fixture_put_numbers(f, 1, 11);
    fixture_edit(f, SPOOL_EDIT_HOLD, 4, 6);
    fixture_edit(f, SPOOL_EDIT_REMOVE, 8, 9);
    take(table, 0, SPOOL_OLDEST);
    assert_int_equal(table->hands[0].count, 7);
    fixture_edit(f, SPOOL_EDIT_RELEASE, 4, 6);
    expect_nothing(table, 1, SPOOL_OLDEST);
    deliver(table, 0, 0);
    expect_take(table, 1, SPOOL_NEWEST, 4, 5);
}

static void test_claim_that_cannot_be_read_is_left(void **state)
{
    struct table *table = *state;
    uint8_t *bytes = calloc(1, 1 << 20);
    struct hand *hand = &table->hands[0];
    struct arena small;
    struct err err = {0};

    assert_non_null(bytes);
    fixture_put(table->fixture, slice_of(bytes, 1 << 20), OTLP_CODEC_IDENTITY, 1);
    free(bytes);
    arena_init(&small, 1 << 19);
    assert_int_equal(flush_claim_take(&table->claims, 0, SPOOL_OLDEST, table->fixture->spool, &small, hand->records,
                                      &hand->count, &err),
                     -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "no memory for record 1 of 1048576 bytes");
    assert_int_equal(hand->count, 0);
    arena_fini(&small);
    expect_take(table, 1, SPOOL_OLDEST, 1, 1);
}

/* --- at random --------------------------------------------------------------- */

#define RANDOM_THREADS 5
#define RANDOM_RECORDS 6000
#define RANDOM_STEPS 1500

struct game {
    struct table *table;
    uint64_t random;
    uint64_t end; /* of the seqs that were put */
    bool pending[RANDOM_RECORDS + 1];
    struct spool_range hands[RANDOM_THREADS];
};

/* splitmix64 */
static uint64_t draw(struct game *game, uint64_t below)
{
    uint64_t z = (game->random += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (z ^ (z >> 31)) % below;
}

static bool is_free(const struct game *game, uint64_t seq)
{
    for (unsigned i = 0; i < RANDOM_THREADS; i++) {
        if (game->hands[i].first <= seq && seq < game->hands[i].end)
            return false;
    }
    return game->pending[seq];
}

/* The record that must be the outermost of a claim from `end`, or 0. */
static uint64_t outermost(const struct game *game, enum spool_end end)
{
    for (uint64_t i = 1; i < game->end; i++) {
        uint64_t seq = end == SPOOL_OLDEST ? i : game->end - i;

        if (is_free(game, seq))
            return seq;
    }
    return 0;
}

static void play_take(struct game *game, unsigned thread)
{
    enum spool_end end = draw(game, 2) == 0 ? SPOOL_OLDEST : SPOOL_NEWEST;
    const struct hand *hand = &game->table->hands[thread];
    uint64_t expected = outermost(game, end);

    take(game->table, thread, end);
    if (expected == 0) {
        assert_int_equal(hand->count, 0);
        return;
    }
    assert_true(hand->count > 0);
    assert_int_equal(hand->records[end == SPOOL_OLDEST ? 0 : hand->count - 1].seq, expected);
    for (size_t i = 0; i < hand->count; i++) {
        assert_true(is_free(game, hand->records[i].seq));
        assert_true(i == 0 || hand->records[i - 1].seq < hand->records[i].seq);
    }
    game->hands[thread] = (struct spool_range){hand->records[0].seq, hand->records[hand->count - 1].seq + 1};
}

/* All of it, a part of it, or nothing. */
static void play_deliver(struct game *game, unsigned thread)
{
    const struct hand *hand = &game->table->hands[thread];
    size_t from = draw(game, 2) == 0 ? 0 : draw(game, hand->count + 1);

    if (from < hand->count)
        deliver(game->table, thread, from);
    else
        flush_claim_leave(&game->table->claims, thread);
    for (size_t i = from; i < hand->count; i++)
        game->pending[hand->records[i].seq] = false;
    game->hands[thread] = (struct spool_range){0};
}

static void play_put(struct game *game)
{
    uint64_t end = game->end + 1 + draw(game, 200);

    if (end > RANDOM_RECORDS + 1)
        return;
    fixture_put_numbers(game->table->fixture, game->end, end);
    for (; game->end < end; game->end++)
        game->pending[game->end] = true;
}

/* Of a range in which something is delivered, or else there would be nothing to do. */
static void play_replay(struct game *game)
{
    uint64_t first = 1 + draw(game, game->end), end = first + 1 + draw(game, 300);
    bool any = false;

    end = end < game->end ? end : game->end;
    for (uint64_t seq = first; seq < end; seq++)
        any = any || !game->pending[seq];
    if (!any)
        return;
    fixture_edit(game->table->fixture, SPOOL_EDIT_REPLAY, first, end);
    for (uint64_t seq = first; seq < end; seq++)
        game->pending[seq] = true;
}

static void play(struct game *game)
{
    unsigned thread = (unsigned)draw(game, RANDOM_THREADS);

    if (draw(game, 40) == 0)
        play_replay(game);
    else if (draw(game, 10) == 0)
        play_put(game);
    else if (game->hands[thread].end == 0)
        play_take(game, thread);
    else
        play_deliver(game, thread);
}

static void test_claims_at_random_never_overlap_and_miss_nothing(void **state)
{
    struct game *game = calloc(1, sizeof(*game));
    struct timespec now;

    assert_non_null(game);
    clock_gettime(CLOCK_REALTIME, &now);
    print_message("seed %ld\n", now.tv_nsec);
    game->table = *state;
    game->random = (uint64_t)now.tv_nsec;
    game->end = 1;
    play_put(game);
    for (unsigned step = 0; step < RANDOM_STEPS; step++)
        play(game);
    for (unsigned i = 0; i < RANDOM_THREADS; i++) {
        if (game->hands[i].end != 0)
            play_deliver(game, i);
    }
    while (outermost(game, SPOOL_OLDEST) != 0) {
        play_take(game, 0);
        play_deliver(game, 0);
    }
    fixture_until(game->table->fixture, nothing_pending, "all is delivered");
    free(game);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end_follows_the_order),
        TEST(test_claims_meet_in_the_middle),
        TEST(test_claims_are_bounded_in_bytes),
        TEST(test_claims_are_shared_out),
        TEST(test_replayed_records_are_found_beside_claims),
        TEST(test_claim_covers_holes_and_held_records),
        TEST(test_claim_that_cannot_be_read_is_left),
        TEST(test_claims_at_random_never_overlap_and_miss_nothing),
    };
    int status;

    if (fixture_edit_main(argc, argv, &status))
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
