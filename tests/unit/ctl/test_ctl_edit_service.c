/*
 * test_ctl_edit_service.c - replay, hold and release of what one service sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_edit_fixture.h"

#define ASKED " will be replayed: MongoDB is sent them again, with what other services have in them\n"

/* 1 and 3 of order, 2 of pricing, 4 of svc-00 to svc-11, all delivered; 5 is no request, 6 pending of order. */
static int make_spool(void **state)
{
    static struct spool_fixture fixture;

    fixture = (struct spool_fixture){.spool = NULL};
    fixture_open_spool(&fixture);
    fixture_put_file(&fixture, "java-0001.pb", 4);
    fixture_put_file(&fixture, "node-0001.pb", 124);
    fixture_put_file(&fixture, "java-0005.pb", 54);
    fixture_put_file(&fixture, "python-awkward-0008.pb", 137);
    fixture_put(&fixture, slice_of_text("\377\377order"), 7, OTLP_CODEC_IDENTITY, 1);
    fixture_put_file(&fixture, "java-0001.pb", 4);
    for (uint64_t seq = 1; seq <= 5; seq++)
        fixture_deliver(&fixture, seq);
    *state = &fixture;
    return 0;
}

#define UNREADABLE "1 damaged batches could not be looked into, and are left alone\n"

static void test_replay_takes_batches_of_the_service_as_a_whole(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "replay", "1-4", "--service", "order", "--dry-run", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "would replay 2 batches, 58 spans\n", "");
    assert_spool(fixture, "1d 2d 3d 4d 5d 6p ");
    RUN(&run, "replay", "1-4", "--service", "svc-11", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "replayed 1 batch, 137 spans\n", "tracespool replay: 1 batch, 137 spans" ASKED);
    assert_spool(fixture, "1d 2d 3d 4p 5d 6p ");
    RUN(&run, "replay", "--since", "1h", "--until", "now", "--service", "nobody", "--json", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.out, "\"batches\":0,");
    assert_contains(run.out, "\"unreadable_batches\":1,");
    run_free(&run);
    assert_spool(fixture, "1d 2d 3d 4p 5d 6p ");
}

static void test_what_cannot_be_looked_into_is_left_alone_and_told(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "replay", "--since", "1h", "--service", "order", "--spool", fixture->path);
    assert_ran_in_window(&run, CTL_PARTIAL, "replayed 2 batches, 58 spans\n",
                         "tracespool replay: 2 batches, 58 spans" ASKED "tracespool replay: " UNREADABLE);
    assert_spool(fixture, "1p 2d 3p 4d 5d 6p ");
}

static void test_an_id_without_spans_of_the_service_is_told(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "replay", "2", "--service", "order", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool replay: 2: has no spans of order\n");
    RUN(&run, "replay", "1", "2", "3", "6", "--service", "order", "--spool", fixture->path);
    assert_ran(&run, CTL_PARTIAL, "replayed 2 batches, 58 spans\n",
               "tracespool replay: 6: is pending; replay takes only what is delivered\n"
               "tracespool replay: 2: has no spans of order\n"
               "tracespool replay: 2 batches, 58 spans" ASKED);
    assert_spool(fixture, "1p 2d 3p 4d 5d 6p ");
    RUN(&run, "replay", "5", "--service", "order", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "tracespool replay: 5: cannot be looked into: ");
    run_free(&run);
}

static void test_replay_asks_with_what_it_found(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN_AND_ANSWER(&run, "n\n", "replay", "1-4", "--service", "order", "--spool", fixture->path);
    assert_contains(run.err,
                    "tracespool replay: 2 batches, 58 spans will be replayed: MongoDB is sent them again, with "
                    "what other services have in them\r\nGo on? (y/N) ");
    assert_int_equal(run.status, CTL_FAILED);
    run_free(&run);
    assert_spool(fixture, "1d 2d 3d 4d 5d 6p ");
}

static void test_hold_and_release_take_a_service_too(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_stop_spool(fixture);
    RUN(&run, "replay", "1-4", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_OK);
    run_free(&run);
    RUN(&run, "hold", "ALL", "--service", "pricing", "--dry-run", "--spool", fixture->path);
    assert_contains(run.err, " in the same batches would be held too; ");
    run_free(&run);
    RUN(&run, "hold", "ALL", "--service", "pricing", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "held 1 batch, 124 spans\n",
               "tracespool hold: what other services sent in the same batches is held too; batches that come "
               "from now on are not\n");
    RUN(&run, "hold", "ALL", "--service", "order", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "held 3 batches, 62 spans\n",
               "tracespool hold: what other services sent in the same batches is held too; batches that come "
               "from now on are not\n");
    RUN(&run, "release", "1-6", "--service", "order", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "released 3 batches, 62 spans\n",
               "tracespool release: what other services sent in the same batches is released too\n");
    assert_spool(fixture, "1p 2h 3p 4p 5d 6p ");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_spool, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_replay_takes_batches_of_the_service_as_a_whole),
        TEST(test_what_cannot_be_looked_into_is_left_alone_and_told),
        TEST(test_an_id_without_spans_of_the_service_is_told),
        TEST(test_replay_asks_with_what_it_found),
        TEST(test_hold_and_release_take_a_service_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
