/*
 * test_ctl_edit.c - hold, release, requeue, rm and replay on a real spool,
 * beside the process that writes it and at rest.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_edit_fixture.h"

/* Batches 1 to 6; 1 and 2 delivered. */
static int make_spool(void **state)
{
    static struct spool_fixture fixture;

    fixture = (struct spool_fixture){.spool = NULL};
    fixture_open_spool(&fixture);
    fixture_put_batches(&fixture, 6);
    fixture_deliver(&fixture, 1);
    fixture_deliver(&fixture, 2);
    *state = &fixture;
    return 0;
}

/* --- hold and release ------------------------------------------------------ */

static void test_hold_and_release_a_range(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "hold", "1-4", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "held 2 batches, 4 spans\n", "");
    assert_spool(fixture, "1d 2d 3h 4h 5p 6p ");
    RUN(&run, "release", "4", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "released 1 batch, 2 spans\n", "");
    RUN(&run, "release", "ALL", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "released 1 batch, 2 spans\n", "");
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p ");
}

static void test_hold_at_rest(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_stop_spool(fixture);
    RUN(&run, "hold", "5", "3", "4", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "held 3 batches, 6 spans\n", "");
    assert_spool(fixture, "1d 2d 3h 4h 5h 6p ");
}

static void test_what_is_named_twice_is_done_once(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "hold", "4", "3-5", "4", "5-6", "3", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "held 4 batches, 8 spans\n", "");
    assert_spool(fixture, "1d 2d 3h 4h 5h 6h ");
}

static void test_nothing_in_a_range_is_no_failure(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "hold", "1-2", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "nothing to hold\n", "");
    RUN(&run, "release", "ALL", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "nothing to release\n", "");
    RUN(&run, "requeue", "ALL", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "nothing to requeue\n", "");
    RUN(&run, "rm", "1-2", "--yes", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "nothing to remove\n",
               "tracespool rm: 2 batches are delivered; --history removes such batches too\n");
    RUN(&run, "rm", "2-2", "--dry-run", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "nothing to remove\n",
               "tracespool rm: 1 batch is delivered; --history removes such batches too\n");
    RUN(&run, "rm", "3-4", "--yes", "--spool", fixture->path);
    run_free(&run);
    RUN(&run, "rm", "3-4", "--yes", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "nothing to remove\n", "");
    RUN(&run, "replay", "5-6", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "nothing to replay\n", "");
}

static void test_an_id_that_does_not_fit_is_told(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "hold", "1", "99", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool hold: 1: is delivered; hold takes only what is pending\n"
               "tracespool hold: 99: there is no such batch; the newest is 6\n");
    RUN(&run, "hold", "3", "1", "--spool", fixture->path);
    assert_ran(&run, CTL_PARTIAL, "held 1 batch, 2 spans\n",
               "tracespool hold: 1: is delivered; hold takes only what is pending\n");
    RUN(&run, "hold", "3", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool hold: 3: is held; hold takes only what is pending\n");
    RUN(&run, "release", "4", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool release: 4: is pending; release takes only what is held\n");
    RUN(&run, "replay", "4", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool replay: 4: is pending; replay takes only what is delivered\n");
    RUN(&run, "requeue", "4", "4:1", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool requeue: 4: nothing of this batch is parked\n"
               "tracespool requeue: 4:1: nothing is parked there\n");
    RUN(&run, "rm", "1", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool rm: 1: is delivered; --history removes such batches too\n");
    assert_spool(fixture, "1d 2d 3h 4p 5p 6p ");
}

static void test_an_id_of_a_batch_that_went_is_told(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "rm", "4", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "removed 1 batch, 2 spans\n",
               "tracespool rm: 1 batch, 2 spans (1 pending) will be removed for good\n");
    RUN(&run, "hold", "4", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool hold: 4: there is no such batch; it has been removed, or gave way to newer ones\n");
}

static void test_an_empty_spool(void **state)
{
    struct spool_fixture fixture = {.spool = NULL};
    struct run run;

    (void)state;
    fixture_open_spool(&fixture);
    RUN(&run, "hold", "1", "--spool", fixture.path);
    assert_ran(&run, CTL_FAILED, "", "tracespool hold: 1: there is no such batch; none has come yet\n");
    RUN(&run, "hold", "1-2", "--spool", fixture.path);
    assert_ran(&run, CTL_FAILED, "", "tracespool hold: 1-2: no batch has come yet\n");
    RUN(&run, "rm", "ALL", "--yes", "--history", "--spool", fixture.path);
    assert_ran(&run, CTL_OK, "nothing to remove\n", "");
    fixture_remove_spool(&fixture);
}

/* Whatever is wrong with one id, nothing is done for the others. */
static void test_mistakes_change_nothing(void **state)
{
    static const struct {
        const char *id;
        const char *why;
    } cases[] = {
        {"4-99", "4-99: the newest batch is 6"},
        {"x", "\"x\" names no batch; SEQ, SEQ-SEQ and ALL do, and SEQ:N is one parked entry"},
        {"0", "\"0\": batches are numbered from 1"},
        {"6-4", "\"6-4\": the range runs backwards"},
        {"99999999999999999999", "\"99999999999999999999\": no number here is so large"},
        {"4:1", "4:1 names what is parked, which requeue, rm, export and show take"},
        {"4:all", "4:all names what is parked, which requeue, rm, export and show take"},
        {"all", "\"all\": ALL is written in capitals"},
    };
    struct spool_fixture *fixture = *state;
    char expected[256];
    struct run run;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        RUN(&run, "hold", "3", cases[i].id, "--spool", fixture->path);
        snprintf(expected, sizeof(expected), "tracespool hold: %s\n", cases[i].why);
        assert_ran(&run, CTL_FAILED, "", expected);
    }
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p ");
}

static void test_no_id_is_a_mistake(void **state)
{
    static const char *const verbs[] = {"hold", "release", "requeue", "rm"};
    char expected[128];
    struct run run;

    (void)state;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        RUN(&run, verbs[i]);
        snprintf(expected, sizeof(expected), "tracespool %s: say which: SEQ, SEQ-SEQ or ALL\n", verbs[i]);
        assert_ran(&run, CTL_FAILED, "", expected);
    }
    RUN(&run, "hold", "--service", "order");
    assert_ran(&run, CTL_FAILED, "", "tracespool hold: say which: SEQ, SEQ-SEQ, or ALL for all of this service\n");
    RUN(&run, "replay", "--service", "order");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool replay: say which: --since TIME, SEQ, SEQ-SEQ, or ALL for all of this service\n");
}

static void test_a_spool_that_is_missing_is_told(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "hold", "1", "--spool", "/tmp/test-ctl-edit-missing");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "tracespool hold: no spool at /tmp/test-ctl-edit-missing");
    run_free(&run);
}

/* --- ids from a pipe ------------------------------------------------------- */

static void test_ids_from_standard_input(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run, list;

    RUN_WITH(&run, "3\n5-6\n", "hold", "-", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "held 3 batches, 6 spans\n", "");
    RUN_WITH(&run, "3\nfour\n", "release", "-", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool release: standard input, line 2: \"four\" names no batch; SEQ, SEQ-SEQ and ALL do, and "
               "SEQ:N is one parked entry\n");
    RUN_WITH(&run, "3\n", "release", "-", "-", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool release: standard input can be read once; - stands there twice\n");
    assert_spool(fixture, "1d 2d 3h 4p 5h 6h ");
    RUN_WITH(&run, "", "release", "-", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "nothing to release\n", "");
    /* what `ls` prints is what is taken */
    RUN(&list, "ls", "--spool", fixture->path);
    RUN_WITH(&run, list.out, "hold", "-", "--json", "--spool", fixture->path);
    assert_contains(run.out, "{\"verb\":\"hold\",\"dry_run\":false,\"batches\":1,\"spans\":2,");
    run_free(&run);
    run_free(&list);
    assert_spool(fixture, "1d 2d 3h 4h 5h 6h ");
}

/* More than one step takes, as ids and as a range. */
static void test_many_batches(void **state)
{
    enum { COUNT = 2 * SPOOL_EDIT_RECORDS_MAX + 10 };
    struct spool_fixture *fixture = *state;
    char *ids = calloc(COUNT, 16), *at = ids;
    struct run run;

    assert_non_null(ids);
    fixture_put_batches(fixture, COUNT - 6);
    for (int i = 3; i <= COUNT; i++)
        at += sprintf(at, "%d\n", i);
    RUN_WITH(&run, ids, "hold", "-", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "held 2,056 batches, 4,112 spans\n", "");
    RUN(&run, "release", "ALL", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "released 2,056 batches, 4,112 spans\n", "");
    free(ids);
}

/* --- rm -------------------------------------------------------------------- */

static void test_rm_without_a_terminal_wants_yes(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "rm", "3-4", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool rm: removing a range or ALL cannot be undone and nobody can be asked: give --yes, or "
               "--dry-run to see what would go\n");
    RUN_WITH(&run, "3\n", "rm", "-", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "",
               "tracespool rm: removing what standard input names cannot be undone and nobody can be asked: give "
               "--yes, or --dry-run to see "
               "what would go\n");
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p ");
    RUN(&run, "rm", "3", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "removed 1 batch, 2 spans\n",
               "tracespool rm: 1 batch, 2 spans (1 pending) will be removed for good\n");
    assert_spool(fixture, "1d 2d 4p 5p 6p ");
}

static void test_rm_takes_pending_held_and_parked_and_leaves_history(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "hold", "4", "--spool", fixture->path);
    run_free(&run);
    fixture_park(fixture, 1, 0, "one");
    fixture_park(fixture, 1, 7, "two");
    fixture_park_whole(fixture, 5);
    RUN(&run, "rm", "ALL", "--dry-run", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "would remove 4 batches, 8 spans, 3 parked entries (2 pending, 2 held)\n", "");
    assert_spool(fixture, "1d 2d 3p 4h 5h 6p 1:0 1:7 5:0 ");
    RUN(&run, "rm", "ALL", "--yes", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "removed 4 batches, 8 spans, 3 parked entries\n",
               "tracespool rm: 4 batches, 8 spans, 3 parked entries (2 pending, 2 held) will be removed for good\n");
    assert_spool(fixture, "1d 2d ");
    RUN(&run, "rm", "ALL", "--history", "--yes", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "removed 2 batches, 4 spans\n",
               "tracespool rm: 2 batches, 4 spans (2 delivered) will be removed for good\n");
    assert_spool(fixture, "");
}

static void test_rm_of_parked_entries(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_park(fixture, 1, 0, "one");
    fixture_park(fixture, 1, 7, "two");
    fixture_park(fixture, 2, 0, "three");
    fixture_park_whole(fixture, 5);
    RUN(&run, "rm", "1:7", "1:8", "--spool", fixture->path);
    assert_ran(&run, CTL_PARTIAL, "removed 1 parked entry\n",
               "tracespool rm: 1:8: nothing is parked there\n"
               "tracespool rm: 1 parked entry will be removed for good\n");
    /* the batch is history and stays; what is parked of it goes */
    RUN(&run, "rm", "1", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "removed 1 parked entry\n", "tracespool rm: 1 parked entry will be removed for good\n");
    /* an entry that stands for a batch */
    RUN(&run, "rm", "5:0", "2:0", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "removed 1 batch, 2 spans, 2 parked entries\n",
               "tracespool rm: 1 batch, 2 spans, 2 parked entries will be removed for good\n");
    assert_spool(fixture, "1d 2d 3p 4p 6p ");
}

static void test_all_that_is_parked_of_a_batch(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_park(fixture, 1, 0, "one");
    fixture_park(fixture, 1, 7, "two");
    fixture_park(fixture, 1, UINT32_MAX, "three");
    fixture_park(fixture, 2, 5, "four");
    fixture_park_whole(fixture, 5);
    RUN(&run, "requeue", "1:7", "1:all", "1:0", "--dry-run", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "would requeue 3 parked entries, 3 spans\n", "");
    RUN(&run, "rm", "2:all", "3:all", "--spool", fixture->path);
    assert_ran(&run, CTL_PARTIAL, "removed 1 parked entry\n",
               "tracespool rm: 3:all: nothing is parked there\n"
               "tracespool rm: 1 parked entry will be removed for good\n");
    RUN(&run, "requeue", "1:all", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "requeued 3 parked entries, 3 spans, as batches 7 to 9\n", "");
    /* one that stands for its batch is among them */
    RUN(&run, "requeue", "5:all", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "requeued 1 parked entry, 2 spans\n", "");
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p 7p 8p 9p ");
    fixture_park_whole(fixture, 6);
    RUN(&run, "rm", "6:all", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "removed 1 batch, 2 spans, 1 parked entry\n",
               "tracespool rm: 1 batch, 2 spans, 1 parked entry will be removed for good\n");
    assert_spool(fixture, "1d 2d 3p 4p 5p 7p 8p 9p ");
}

static void test_rm_asks_at_a_terminal(void **state)
{
    static const char *const refusals[] = {"n\n", "\n", "ja\n", "\004"};
    struct spool_fixture *fixture = *state;
    struct run run;

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        RUN_AND_ANSWER(&run, refusals[i], "rm", "3-4", "--spool", fixture->path);
        assert_contains(run.err, "tracespool rm: 2 batches, 4 spans (2 pending) will be removed for good\r\n"
                                 "Go on? (y/N) ");
        assert_contains(run.err, "tracespool rm: nothing was removed\r\n");
        assert_string_equal(run.out, "");
        assert_int_equal(run.status, CTL_FAILED);
        run_free(&run);
    }
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p ");
    RUN_AND_ANSWER(&run, "y\n", "rm", "3-4", "--spool", fixture->path);
    assert_string_equal(run.out, "removed 2 batches, 4 spans\n");
    assert_int_equal(run.status, CTL_OK);
    run_free(&run);
    RUN_AND_ANSWER(&run, NULL, "rm", "5", "--yes", "--spool", fixture->path);
    assert_null(strstr(run.err, "Go on?"));
    assert_string_equal(run.out, "removed 1 batch, 2 spans\n");
    run_free(&run);
    assert_spool(fixture, "1d 2d 6p ");
}

static void deliver_four(struct spool_fixture *fixture)
{
    fixture_deliver(fixture, 4);
}

static void test_what_changes_during_the_question_is_left_alone(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    run_on_terminal(&run, (const char *[]){"tracespool", "rm", "3", "4", "6", "--spool", fixture->path, NULL}, "yes\n",
                    deliver_four, fixture);
    assert_contains(run.err, "tracespool rm: 3-4: 1 batch changed meanwhile, delivered perhaps; left alone\r\n");
    assert_string_equal(run.out, "removed 2 batches, 4 spans\n");
    assert_int_equal(run.status, CTL_PARTIAL);
    run_free(&run);
    assert_spool(fixture, "1d 2d 4d 5p ");
}

/* --- requeue --------------------------------------------------------------- */

static void test_requeue_makes_new_batches(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_park(fixture, 1, 0, "one");
    fixture_park(fixture, 1, 7, "two");
    fixture_park(fixture, 2, 0, "three");
    RUN(&run, "requeue", "ALL", "--dry-run", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "would requeue 3 parked entries, 3 spans\n", "");
    RUN(&run, "requeue", "1:7", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "requeued 1 parked entry, 1 span, as batch 7\n", "");
    RUN(&run, "requeue", "1", "1:0", "2", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "requeued 2 parked entries, 2 spans, as batches 8 to 9\n", "");
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p 7p 8p 9p ");
}

static void test_requeue_releases_a_batch_that_is_parked_whole(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_park_whole(fixture, 5);
    assert_spool(fixture, "1d 2d 3p 4p 5h 6p 5:0 ");
    RUN(&run, "requeue", "5", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "requeued 1 parked entry, 2 spans\n", "");
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p ");
}

/* Without bytes there is nothing to send: it stays, and the next one is tried. */
static void test_requeue_passes_what_is_damaged(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    fixture_park(fixture, 1, 0, "");
    fixture_park(fixture, 1, 7, "two");
    RUN(&run, "requeue", "1-6", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_string_equal(run.out, "requeued 1 parked entry, 1 span, as batch 7\n");
    assert_string_equal(run.err, "tracespool requeue: 1:0: Document failed validation\n");
    run_free(&run);
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p 7p 1:0 ");
    RUN(&run, "requeue", "1", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", "tracespool requeue: 1:0: Document failed validation\n");
}

/* --- replay ---------------------------------------------------------------- */

static void test_replay_wants_to_know_what(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "replay");
    assert_ran(&run, CTL_FAILED, "", "tracespool replay: say which: --since TIME, SEQ, SEQ-SEQ or ALL\n");
    RUN(&run, "replay", "--until", "now");
    assert_ran(&run, CTL_FAILED, "", "tracespool replay: say which: --since TIME, SEQ, SEQ-SEQ or ALL\n");
    RUN(&run, "replay", "--since", "soon");
    assert_ran(
        &run, CTL_FAILED, "",
        "tracespool replay: --since: \"soon\" is no time; write 2h, \"yesterday 14:00\", \"2026-11-22 14:00\" or "
        "2026-11-22T14:00:00Z\n");
    RUN(&run, "replay", "ALL", "--until", "2h hence");
    assert_ran(
        &run, CTL_FAILED, "",
        "tracespool replay: --until: \"2h hence\" is no time; write 2h, \"yesterday 14:00\", \"2026-11-22 14:00\" "
        "or 2026-11-22T14:00:00Z\n");
    RUN(&run, "replay", "--since", "2500-01-01");
    assert_ran(&run, CTL_FAILED, "", "tracespool replay: --since has yet to come: it is 2500-01-01T00:00:00.000Z\n");
    RUN(&run, "replay", "--since", "yesterday", "22:00", "--until", "now");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool replay: \"22:00\" stands alone: quote a time with its day, \"yesterday 22:00\"\n");
    RUN(&run, "replay", "--since", "1h", "--until", "2h");
    assert_ran(&run, CTL_FAILED, "", "tracespool replay: --until is not after --since\n");
}

static void test_replay_by_time(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "replay", "--since", "2h", "--until", "1h", "--spool", fixture->path);
    assert_ran_in_window(&run, CTL_OK, "nothing to replay\n", "");
    RUN(&run, "replay", "2", "--since", "2h", "--until", "1h", "--spool", fixture->path);
    assert_ran_in_window(&run, CTL_FAILED, "", "tracespool replay: 2: was received at another time\n");
    RUN(&run, "replay", "--since", "2h", "--dry-run", "--spool", fixture->path);
    assert_ran_in_window(&run, CTL_OK, "would replay 2 batches, 4 spans\n", "");
    RUN(&run, "replay", "--since", "1970-01-01T00:00:00Z", "--dry-run", "--spool", fixture->path);
    assert_ran(&run, CTL_OK, "would replay 2 batches, 4 spans\n", "");
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p ");
    RUN(&run, "replay", "--since", "2h", "--spool", fixture->path);
    assert_ran_in_window(&run, CTL_OK, "replayed 2 batches, 4 spans\n",
                         "tracespool replay: 2 batches, 4 spans will be replayed: MongoDB is sent them again\n");
    assert_spool(fixture, "1p 2p 3p 4p 5p 6p ");
}

static void test_replay_by_id_asks_at_a_terminal(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN_AND_ANSWER(&run, "n\n", "replay", "1-2", "--spool", fixture->path);
    assert_contains(run.err, "tracespool replay: 2 batches, 4 spans will be replayed: MongoDB is sent them again\r\n"
                             "Go on? (y/N) ");
    assert_contains(run.err, "tracespool replay: nothing was replayed\r\n");
    assert_int_equal(run.status, CTL_FAILED);
    run_free(&run);
    RUN_AND_ANSWER(&run, "y\n", "replay", "2", "--spool", fixture->path);
    assert_string_equal(run.out, "replayed 1 batch, 2 spans\n");
    assert_int_equal(run.status, CTL_OK);
    run_free(&run);
    assert_spool(fixture, "1d 2p 3p 4p 5p 6p ");
}

/* --- progress -------------------------------------------------------------- */

static void test_progress_is_shown_at_a_terminal_and_wiped(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN_AND_ANSWER(&run, NULL, "hold", "3", "5-6", "--spool", fixture->path);
    assert_string_equal(run.err, "\rheld 1 batch, 2 spans\033[K\r\033[K");
    assert_string_equal(run.out, "held 3 batches, 6 spans\n");
    run_free(&run);
    RUN_AND_ANSWER(&run, NULL, "rm", "3", "5-6", "--yes", "--spool", fixture->path);
    assert_contains(run.err, "\rremoved 1 batch, 2 spans of 3 batches, 6 spans\033[K");
    run_free(&run);
    RUN_AND_ANSWER(&run, NULL, "replay", "1", "2", "--yes", "--json", "--spool", fixture->path);
    assert_null(strchr(run.err, '\033'));
    run_free(&run);
}

/* --- JSON ------------------------------------------------------------------ */

static void test_json_is_one_object(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    RUN(&run, "hold", "1", "3-4", "99", "--json", "--spool", fixture->path);
    assert_string_equal(
        run.out,
        "{\"verb\":\"hold\",\"dry_run\":false,\"batches\":2,\"spans\":4,\"stored_bytes\":10,\"parked_entries\":0,"
        "\"passed_batches\":0,\"unreadable_batches\":0,\"first_new_seq\":null,\"last_new_seq\":null,\"interrupted\":"
        "false,\"error\":null,"
        "\"failed\":2,\"failures\":[{\"id\":\"1\",\"text\":\"is delivered; hold takes only what is pending\"},"
        "{\"id\":\"99\",\"text\":\"there is no such batch; the newest is 6\"}]}\n");
    assert_int_equal(run.status, CTL_PARTIAL);
    run_free(&run);
    fixture_park(fixture, 1, 0, "one");
    RUN(&run, "requeue", "ALL", "--json", "--spool", fixture->path);
    assert_ran(
        &run, CTL_OK,
        "{\"verb\":\"requeue\",\"dry_run\":false,\"batches\":0,\"spans\":1,\"stored_bytes\":0,\"parked_entries\":1,"
        "\"passed_batches\":0,\"unreadable_batches\":0,\"first_new_seq\":7,\"last_new_seq\":7,\"interrupted\":false,"
        "\"error\":null,"
        "\"failed\":0,\"failures\":[]}\n",
        "");
    /* There is nothing to ask about, and what was passed over is counted all the same. */
    RUN(&run, "rm", "1-1", "--yes", "--json", "--spool", fixture->path);
    assert_ran(
        &run, CTL_OK,
        "{\"verb\":\"rm\",\"dry_run\":false,\"batches\":0,\"spans\":0,\"stored_bytes\":0,\"parked_entries\":0,"
        "\"passed_batches\":1,\"unreadable_batches\":0,\"first_new_seq\":null,\"last_new_seq\":null,\"interrupted\":"
        "false,\"error\":null,"
        "\"failed\":0,\"failures\":[]}\n",
        "");
    RUN(&run, "rm", "ALL", "--yes", "--json", "--dry-run", "--spool", fixture->path);
    assert_ran(
        &run, CTL_OK,
        "{\"verb\":\"rm\",\"dry_run\":true,\"batches\":5,\"spans\":9,\"stored_bytes\":23,\"parked_entries\":0,"
        "\"passed_batches\":2,\"unreadable_batches\":0,\"first_new_seq\":null,\"last_new_seq\":null,\"interrupted\":"
        "false,\"error\":null,"
        "\"failed\":0,\"failures\":[]}\n",
        "");
}

static void test_json_bounds_the_texts_and_not_the_number(void **state)
{
    struct spool_fixture *fixture = *state;
    char *ids = calloc(1000, 16), *at = ids;
    struct run run;

    assert_non_null(ids);
    for (int i = 0; i < CTL_EDIT_ERRORS_MAX + 50; i++)
        at += sprintf(at, "%d\n", 1000 + i);
    RUN_WITH(&run, ids, "hold", "-", "--json", "--spool", fixture->path);
    assert_contains(run.out, "\"failed\":150,\"failures\":[{\"id\":\"1000\",");
    assert_contains(run.out, "{\"id\":\"1099\",\"text\":\"there is no such batch; the newest is 6\"}]}\n");
    assert_contains(run.err, "tracespool hold: 1149: there is no such batch; the newest is 6\n");
    assert_int_equal(run.status, CTL_FAILED);
    run_free(&run);
    free(ids);
}

/* --- what ends it early ---------------------------------------------------- */

/* Runs with Ctrl-C typed already: it is waiting when the work begins. */
static void run_interrupted(struct run *run, const char *const *argv)
{
    FILE *out = tmpfile(), *err = tmpfile();
    int status;
    pid_t pid;

    assert_non_null(out);
    assert_non_null(err);
    pid = fork();
    if (pid == 0) {
        sigset_t interrupt;

        sigemptyset(&interrupt);
        sigaddset(&interrupt, SIGINT);
        sigprocmask(SIG_BLOCK, &interrupt, NULL);
        raise(SIGINT);
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        execv(TRACESPOOL, (char **)(uintptr_t)argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    run->status = WEXITSTATUS(status);
    run->out = fixture_take(out);
    run->err = fixture_take(err);
}

static void test_interrupt_ends_between_steps_and_says_how_far_it_came(void **state)
{
    struct spool_fixture *fixture = *state;
    struct run run;

    run_interrupted(&run, (const char *[]){"tracespool", "hold", "3-4", "6", "--spool", fixture->path, NULL});
    assert_ran(&run, CTL_PARTIAL, "held 2 batches, 4 spans\n", "tracespool hold: interrupted; the rest is as it was\n");
    assert_spool(fixture, "1d 2d 3h 4h 5p 6p ");
    /* All was done before it was looked for. */
    run_interrupted(&run, (const char *[]){"tracespool", "hold", "5-6", "--spool", fixture->path, NULL});
    assert_ran(&run, CTL_OK, "held 2 batches, 4 spans\n", "");
    run_interrupted(&run, (const char *[]){"tracespool", "release", "ALL", "--json", "--spool", fixture->path, NULL});
    assert_contains(run.out, "\"batches\":4,");
    assert_contains(run.out, "\"interrupted\":false,");
    run_free(&run);
    run_interrupted(&run, (const char *[]){"tracespool", "hold", "3", "5", "--json", "--spool", fixture->path, NULL});
    assert_contains(run.out, "\"batches\":1,");
    assert_contains(run.out, "\"interrupted\":true,");
    run_free(&run);
}

static void test_a_step_that_fails_changes_nothing_and_is_told(void **state)
{
    struct spool_fixture *fixture = *state;
    char expected[256];
    struct run run;

    setenv("TRACESPOOL_FAULT", "spool.edit:1:28", 1); /* ENOSPC */
    RUN(&run, "hold", "3-4", "6", "--spool", fixture->path);
    snprintf(expected, sizeof(expected),
             "tracespool hold: cannot change spool %s: No space left on device; the rest is as it was\n",
             fixture->path);
    assert_ran(&run, CTL_FAILED, "", expected);
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p ");
    setenv("TRACESPOOL_FAULT", "spool.edit:2:28", 1);
    RUN(&run, "hold", "3-4", "6", "--spool", fixture->path);
    assert_ran(&run, CTL_PARTIAL, "held 2 batches, 4 spans\n", expected);
    assert_spool(fixture, "1d 2d 3h 4h 5p 6p ");
    fixture_park(fixture, 1, 0, "one");
    setenv("TRACESPOOL_FAULT", "spool.edit:1:28", 1);
    RUN(&run, "requeue", "1", "--json", "--spool", fixture->path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.out, ": No space left on device\",\"failed\":0,");
    run_free(&run);
    unsetenv("TRACESPOOL_FAULT");
    assert_spool(fixture, "1d 2d 3h 4h 5p 6p 1:0 ");
}

/* What could not be counted was not said, so it must not go. */
static void test_a_count_that_fails_removes_nothing(void **state)
{
    struct spool_fixture *fixture = *state;
    char expected[256];
    struct run run;

    setenv("TRACESPOOL_FAULT", "spool.edit.begin:1:5", 1); /* EIO */
    RUN(&run, "rm", "ALL", "--yes", "--spool", fixture->path);
    snprintf(expected, sizeof(expected),
             "tracespool rm: cannot begin a transaction in spool %s: Input/output error; the rest is as it was\n",
             fixture->path);
    assert_ran(&run, CTL_FAILED, "", expected);
    setenv("TRACESPOOL_FAULT", "spool.edit.begin:2:5", 1);
    RUN(&run, "rm", "ALL", "--yes", "--spool", fixture->path);
    assert_ran(&run, CTL_FAILED, "", expected);
    setenv("TRACESPOOL_FAULT", "spool.edit.begin:1:5", 1);
    RUN(&run, "rm", "1", "--spool", fixture->path);
    snprintf(expected, sizeof(expected), "tracespool rm: cannot begin a transaction in spool %s: Input/output error\n",
             fixture->path);
    assert_ran(&run, CTL_FAILED, "", expected);
    unsetenv("TRACESPOOL_FAULT");
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p ");
}

/* In this process, so that nothing but the spool has to be readable for whoever it becomes. */
static int run_as_a_reader(struct spool_fixture *fixture, const char *verb, const char *id, char text[], size_t size)
{
    FILE *out = tmpfile();
    int status;
    pid_t pid;

    assert_non_null(out);
    pid = fork();
    if (pid == 0) {
        const char *argv[] = {"tracespool", "--spool", fixture->path, verb, id, NULL};

        /* Root is stopped by no permission. */
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(100);
        _exit(ctl_run(id != NULL ? 5 : 4, (char **)(uintptr_t)argv, out, out));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    char *all = fixture_take(out);
    snprintf(text, size, "%s", all);
    free(all);
    return WEXITSTATUS(status);
}

static void test_who_may_only_read_is_told(void **state)
{
    struct spool_fixture *fixture = *state;
    char name[128], text[1024];

    fixture_stop_spool(fixture);
    snprintf(name, sizeof(name), "%s/data.mdb", fixture->path);
    assert_int_equal(chmod(name, 0444), 0);
    snprintf(name, sizeof(name), "%s/lock.mdb", fixture->path);
    assert_int_equal(chmod(name, 0666), 0);
    assert_int_equal(chmod(fixture->path, 0755), 0);
    assert_int_equal(run_as_a_reader(fixture, "show", "3", text, sizeof(text)), CTL_PARTIAL);
    assert_int_equal(run_as_a_reader(fixture, "hold", "3", text, sizeof(text)), CTL_FAILED);
    assert_contains(text, "tracespool hold: no permission to change spool ");
    assert_contains(text, ": run this as the user that the spool belongs to, or as root");
    assert_int_equal(chmod(fixture->path, 0700), 0);
    assert_int_equal(run_as_a_reader(fixture, "ls", NULL, text, sizeof(text)), CTL_FAILED);
    assert_contains(text, "tracespool ls: no permission to open spool ");
    assert_int_equal(run_as_a_reader(fixture, "check", NULL, text, sizeof(text)), CTL_FAILED);
    assert_contains(text, "tracespool check: no permission to open spool ");
    assert_contains(text, ": run this as the user that the spool belongs to, or as root");
    assert_spool(fixture, "1d 2d 3p 4p 5p 6p ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hold_and_release_a_range, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_hold_at_rest, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_named_twice_is_done_once, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_nothing_in_a_range_is_no_failure, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_id_that_does_not_fit_is_told, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_id_of_a_batch_that_went_is_told, make_spool, fixture_teardown),
        cmocka_unit_test(test_an_empty_spool),
        cmocka_unit_test_setup_teardown(test_mistakes_change_nothing, make_spool, fixture_teardown),
        cmocka_unit_test(test_no_id_is_a_mistake),
        cmocka_unit_test(test_a_spool_that_is_missing_is_told),
        cmocka_unit_test_setup_teardown(test_ids_from_standard_input, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_batches, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_rm_without_a_terminal_wants_yes, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_rm_takes_pending_held_and_parked_and_leaves_history, make_spool,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_rm_of_parked_entries, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_all_that_is_parked_of_a_batch, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_rm_asks_at_a_terminal, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_changes_during_the_question_is_left_alone, make_spool,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_requeue_makes_new_batches, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_requeue_releases_a_batch_that_is_parked_whole, make_spool,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_requeue_passes_what_is_damaged, make_spool, fixture_teardown),
        cmocka_unit_test(test_replay_wants_to_know_what),
        cmocka_unit_test_setup_teardown(test_replay_by_time, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_replay_by_id_asks_at_a_terminal, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_progress_is_shown_at_a_terminal_and_wiped, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_json_is_one_object, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_json_bounds_the_texts_and_not_the_number, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_interrupt_ends_between_steps_and_says_how_far_it_came, make_spool,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_step_that_fails_changes_nothing_and_is_told, make_spool,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_count_that_fails_removes_nothing, make_spool, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_who_may_only_read_is_told, make_spool, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
