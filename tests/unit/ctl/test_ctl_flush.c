/*
 * test_ctl_flush.c - what `flush` says, from values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "ctl_fixture.h"
#include "ctl_flush.h"

#define NOW FIXTURE_BEGIN

static struct ctl_flush flush_in(enum spool_delivery_state state)
{
    return (struct ctl_flush){
        .before = {.path = "/s",
                   .owner = 4711,
                   .now_ns = NOW,
                   .stat = {.pending_records = 12,
                            .pending_spans = 1204,
                            .delivery = {.state = state, .since_ns = NOW - 17 * NS_PER_S, .text = "no server"}}},
    };
}

static void assert_asked(const struct ctl_flush *flush, const char *expected)
{
    struct buf out;

    buf_init(&out, 1UL << 16);
    ctl_flush_put_asked(flush, &out);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

static void test_due_when_there_is_something_to_cut_short(void **state)
{
    struct ctl_flush flush = flush_in(SPOOL_DELIVERY_BACKING_OFF);

    (void)state;
    assert_true(ctl_flush_is_due(&flush.before));
    flush.before.stat.pending_records = 0;
    assert_false(ctl_flush_is_due(&flush.before));
    flush = flush_in(SPOOL_DELIVERY_MISCONFIGURED);
    assert_true(ctl_flush_is_due(&flush.before));
    flush = flush_in(SPOOL_DELIVERY_STORAGE_FULL);
    assert_true(ctl_flush_is_due(&flush.before));
    flush = flush_in(SPOOL_DELIVERY_FLOWING);
    assert_false(ctl_flush_is_due(&flush.before));
    flush = flush_in(SPOOL_DELIVERY_STARTING);
    flush.before.stat.delivery.since_ns = 0;
    assert_false(ctl_flush_is_due(&flush.before));
}

static void test_asked_says_what_was_cut_short(void **state)
{
    struct ctl_flush flush = flush_in(SPOOL_DELIVERY_BACKING_OFF);

    (void)state;
    flush.asked = true;
    assert_asked(&flush, "asked the daemon, process 4711, to try now: it was backing off for 17 s; 12 batches, 1,204 "
                         "spans pending\n");
    flush = flush_in(SPOOL_DELIVERY_MISCONFIGURED);
    flush.asked = true;
    assert_asked(&flush, "asked the daemon, process 4711, to try now: MongoDB refused what waiting does not cure for "
                         "17 s; 12 batches, 1,204 spans pending\n");
    flush = flush_in(SPOOL_DELIVERY_STORAGE_FULL);
    flush.asked = true;
    assert_asked(&flush, "asked the daemon, process 4711, to try now: MongoDB had no room for 17 s; 12 batches, 1,204 "
                         "spans pending\n");
    flush = flush_in(SPOOL_DELIVERY_FLOWING);
    flush.before.stat.pending_records = flush.before.stat.pending_spans = 1;
    assert_asked(&flush, "the daemon, process 4711, does not wait: MongoDB takes batches; 1 batch, 1 span pending\n");
    flush.before.stat.delivery.since_ns = 0;
    assert_asked(&flush, "the daemon, process 4711, does not wait: it is about to send the first ones; 1 batch, 1 span "
                         "pending\n");
    flush.before.stat.pending_records = 0;
    assert_asked(&flush, "nothing is pending\n");
}

static void assert_waited(const struct ctl_flush *flush, const char *expected)
{
    struct buf out;

    buf_init(&out, 1UL << 16);
    ctl_flush_put_waited(flush, &out);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

static void test_waited_says_what_is_left_and_why(void **state)
{
    struct ctl_flush flush = flush_in(SPOOL_DELIVERY_BACKING_OFF);

    (void)state;
    flush.waited = true;
    flush.waited_ns = 3200 * NS_PER_MS;
    flush.after = flush.before;
    assert_waited(&flush, "after 3.2 s 12 batches, 1,204 spans are pending; MongoDB: backing off: no server");
    flush.after.owner = 0;
    assert_waited(&flush, "after 3.2 s 12 batches, 1,204 spans are pending, and the daemon has ended");
    flush.done = true;
    assert_waited(&flush, "all that was pending is delivered, after 3.2 s");
}

static void test_json(void **state)
{
    struct ctl_flush flush = flush_in(SPOOL_DELIVERY_BACKING_OFF);
    struct buf out;

    (void)state;
    flush.asked = true;
    buf_init(&out, 1UL << 16);
    ctl_flush_json(&flush, &out);
    flush.waited = flush.done = true;
    flush.waited_ns = NS_PER_S / 2;
    ctl_flush_json(&flush, &out);
    assert_string_equal(fixture_text(&out),
                        "{\"daemon_pid\":4711,\"asked\":true,\"state_before\":\"backing off\",\"state_seconds\":17,"
                        "\"waited_seconds\":null,\"delivered\":null,\"pending_batches\":12,\"pending_spans\":1204,"
                        "\"last_error\":\"no server\"}\n"
                        "{\"daemon_pid\":4711,\"asked\":true,\"state_before\":\"backing off\",\"state_seconds\":17,"
                        "\"waited_seconds\":0.5,\"delivered\":true,\"pending_batches\":0,\"pending_spans\":0,"
                        "\"last_error\":null}\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due_when_there_is_something_to_cut_short),
        cmocka_unit_test(test_asked_says_what_was_cut_short),
        cmocka_unit_test(test_waited_says_what_is_left_and_why),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
