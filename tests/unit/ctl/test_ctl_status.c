/*
 * test_ctl_status.c - the screen and the JSON of `status`, from figures; what is found wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "ctl_fixture.h"
#include "ctl_status.h"
#include "ctl_text.h"

#define NOW FIXTURE_BEGIN

static struct ctl_status healthy(void)
{
    return (struct ctl_status){
        .path = "/var/lib/tracespool",
        .owner = 4711,
        .now_ns = NOW,
        .file_system_known = true,
        .file_system_free_bytes = 100ULL << 30,
        .rates_known = true,
        .rates = {.received_records = 12.04, .received_spans = 1204, .delivered_records = 9.96, .delivered_spans = 5},
        .stat =
            {
                .size_bytes = 8ULL << 30,
                .used_bytes = 2ULL << 30,
                .pending_records = 12,
                .pending_spans = 1204,
                .pending_bytes = 86118,
                .oldest_pending_ns = NOW - 3 * NS_PER_S,
                .newest_received_ns = NOW - NS_PER_S,
                .history_records = 5000,
                .oldest_record_ns = NOW - 26 * 3600 * NS_PER_S,
                .next_seq = 5013,
                .received_records = 5012,
                .received_spans = 501204,
                .delivered_spans = 500000,
                .delivery = {.state = SPOOL_DELIVERY_FLOWING,
                             .since_ns = NOW - 3600 * NS_PER_S,
                             .last_ok_ns = NOW - 2 * NS_PER_S},
            },
    };
}

static void assert_text(const struct ctl_status *status, const char *expected)
{
    struct buf out;

    buf_init(&out, 1UL << 20);
    ctl_status_text(status, 100, false, &out);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

static void test_text_of_a_healthy_daemon(void **state)
{
    struct ctl_status status = healthy();

    (void)state;
    assert_text(&status, "spool      /var/lib/tracespool\n"
                         "daemon     running, process 4711\n"
                         "receiving  yes\n"
                         "pending    12 batches, 1,204 spans, 84.1 KiB; the oldest waits for 3.0 s\n"
                         "rates      in 1,204 spans/s (12 batches/s), out 5.0 spans/s (10.0 batches/s)\n"
                         "history    5,000 delivered batches, back to 2023-11-13T20:13:20.000Z (1 d 2 h ago)\n"
                         "parked     nothing\n"
                         "disk       2.00 GiB of 8.00 GiB used (25 %), history included; 100 GiB free on the file "
                         "system\n"
                         "MongoDB    flowing for 1 h 0 m; last confirmed 2.0 s ago\n"
                         "totals     received 5,012 batches, 501,204 spans; delivered 500,000 spans\n"
                         "\nNothing needs attention.\n");
}

static void test_text_of_an_empty_spool_without_a_daemon(void **state)
{
    struct ctl_status status = {.path = "/tmp/\033[2J", .now_ns = NOW, .stat = {.size_bytes = 16 << 20}};

    (void)state;
    assert_text(&status, "spool      /tmp/\\x1b[2J\n"
                         "daemon     not running\n"
                         "receiving  no\n"
                         "pending    nothing\n"
                         "rates      nothing comes or goes without a daemon\n"
                         "history    nothing\n"
                         "parked     nothing\n"
                         "disk       0 B of 16.0 MiB used (0 %), history included\n"
                         "MongoDB    nothing sent yet\n"
                         "totals     received 0 batches, 0 spans; delivered 0 spans\n"
                         "\n"
                         "! tracespoold is not running: nothing is received or delivered. Start it (systemctl start\n"
                         "  tracespoold); journalctl -u tracespoold says why it ended.\n");
}

static void test_text_while_mongodb_is_away(void **state)
{
    struct ctl_status status = healthy();
    struct buf out;

    (void)state;
    status.stat.delivery.state = SPOOL_DELIVERY_BACKING_OFF;
    status.stat.delivery.attempts = 7;
    status.stat.delivery.last_ok_ns = 0;
    snprintf(status.stat.delivery.text, sizeof(status.stat.delivery.text), "connection refused");
    buf_init(&out, 1UL << 20);
    ctl_status_text(&status, 100, false, &out);
    assert_non_null(strstr(fixture_text(&out),
                           "MongoDB    backing off for 1 h 0 m, failed 7 times in a row; nothing confirmed yet\n"
                           "           connection refused\n"));
    buf_fini(&out);
}

static void assert_finding(const struct ctl_status *status, const char *code, const char *words)
{
    struct ctl_finding findings[CTL_FINDINGS_MAX];

    assert_int_equal(ctl_status_findings(status, findings), 1);
    assert_string_equal(findings[0].code, code);
    assert_non_null(strstr(findings[0].text, words));
}

static void test_findings_none_when_all_is_well(void **state)
{
    struct ctl_status status = healthy();
    struct ctl_finding findings[CTL_FINDINGS_MAX];

    (void)state;
    assert_int_equal(ctl_status_findings(&status, findings), 0);
}

static void test_findings_name_each_trouble(void **state)
{
    struct ctl_status status = healthy();

    (void)state;
    status.owner = 0;
    assert_finding(&status, "daemon_not_running", "what is pending stays in the spool. Start it");
    status = healthy();
    status.stat.refusing = true;
    assert_finding(&status, "spool_full", "clients keep their batches");
    status = healthy();
    status.stat.pending_bytes = 7ULL << 30;
    assert_finding(&status, "spool_nearly_full", "More than 80 % of the spool");
    status = healthy();
    status.stat.delivery.state = SPOOL_DELIVERY_MISCONFIGURED;
    assert_finding(&status, "mongodb_misconfigured", "Correct what the error above names");
    status.stat.delivery.state = SPOOL_DELIVERY_BACKING_OFF;
    assert_finding(&status, "mongodb_unavailable", "Nothing is lost");
    status = healthy();
    status.stat.oldest_pending_ns = NOW - 700 * NS_PER_S;
    assert_finding(&status, "behind", "the oldest has waited 11 m 40 s");
    status = healthy();
    status.stat.parked_entries = 1;
    assert_finding(&status, "parked", "1 entry was not stored in MongoDB");
    status.stat.parked_entries = 1000;
    assert_finding(&status, "parked", "1,000 entries were not stored");
    status = healthy();
    status.stat.held_records = 1;
    assert_finding(&status, "held", "1 batch is held back from MongoDB");
    status.stat.held_records = 2;
    assert_finding(&status, "held", "2 batches are held back from MongoDB");
    status = healthy();
    status.stat.damaged_files = 1;
    assert_finding(&status, "damaged_files", "A file of this spool was found damaged and is kept beside it");
    status.stat.damaged_files = 2;
    assert_finding(&status, "damaged_files", "`tracespool salvage` of that directory sends what is intact");
}

static void test_findings_all_at_once_fit(void **state)
{
    struct ctl_status status = healthy();
    struct ctl_finding findings[CTL_FINDINGS_MAX];

    (void)state;
    status.stat.refusing = true;
    status.stat.delivery.state = SPOOL_DELIVERY_BACKING_OFF;
    status.stat.parked_entries = 3;
    assert_int_equal(ctl_status_findings(&status, findings), 3);
    status.owner = 0;
    status.stat.pending_bytes = 7ULL << 30;
    /* Without a daemon nobody knows how MongoDB is now. */
    assert_int_equal(ctl_status_findings(&status, findings), 3);
    assert_string_equal(findings[0].code, "daemon_not_running");
    assert_string_equal(findings[1].code, "spool_nearly_full");
    assert_string_equal(findings[2].code, "parked");
}

static void assert_json(const struct ctl_status *status, const char *expected)
{
    struct buf out;

    buf_init(&out, 1UL << 20);
    ctl_status_json(status, &out);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

static void test_json_of_a_healthy_daemon(void **state)
{
    struct ctl_status status = healthy();

    (void)state;
    assert_json(&status,
                "{\"spool\":\"/var/lib/tracespool\",\"time_unix_ns\":1700000000000000000,"
                "\"daemon\":{\"running\":true,\"pid\":4711},\"receiving\":true,\"refusing\":false,"
                "\"pending\":{\"batches\":12,\"spans\":1204,\"stored_bytes\":86118,"
                "\"oldest_received_unix_ns\":1699999997000000000,\"oldest_age_seconds\":3,\"drained_in_seconds\":null},"
                "\"parked\":{\"entries\":0},\"held\":{\"batches\":0},"
                "\"history\":{\"batches\":5000,\"oldest_received_unix_ns\":1699906400000000000},"
                "\"rates\":{\"received_batches_per_second\":12.04,\"received_spans_per_second\":1204,"
                "\"delivered_batches_per_second\":9.96,\"delivered_spans_per_second\":5},"
                "\"disk\":{\"size_bytes\":8589934592,\"used_bytes\":2147483648,\"damaged_files\":0,"
                "\"file_system_free_bytes\":107374182400},"
                "\"mongodb\":{\"state\":\"flowing\",\"since_unix_ns\":1699996400000000000,\"failed_attempts\":0,"
                "\"last_error\":null,\"last_confirmed_unix_ns\":1699999998000000000},"
                "\"totals\":{\"received_batches\":5012,\"received_spans\":501204,\"delivered_spans\":500000,"
                "\"evicted_batches\":0,\"dropped_batches\":0,\"dropped_spans\":0,\"removed_batches\":0,\"next_seq\":"
                "5013},\"findings\":[]}");
}

static void test_json_says_null_for_what_is_not_known(void **state)
{
    struct ctl_status status = {.path = "/s", .now_ns = NOW};
    struct buf out;

    (void)state;
    buf_init(&out, 1UL << 20);
    ctl_status_json(&status, &out);
    assert_non_null(strstr(fixture_text(&out), "\"daemon\":{\"running\":false,\"pid\":null}"));
    assert_non_null(
        strstr(fixture_text(&out),
               "\"oldest_received_unix_ns\":null,\"oldest_age_seconds\":null,\"drained_in_seconds\":null}"));
    assert_non_null(strstr(fixture_text(&out), "\"file_system_free_bytes\":null"));
    assert_non_null(strstr(fixture_text(&out), "\"rates\":null"));
    assert_non_null(strstr(fixture_text(&out), "\"mongodb\":{\"state\":null,\"since_unix_ns\":null"));
    assert_non_null(strstr(fixture_text(&out), "\"findings\":[{\"code\":\"daemon_not_running\",\"text\":\""));
    buf_fini(&out);
}

/* A clock that was set back must not show an age of centuries. */
static void test_ages_are_never_negative(void **state)
{
    struct ctl_status status = healthy();
    struct buf out;

    (void)state;
    status.now_ns = NOW - NS_PER_DAY * 10;
    buf_init(&out, 1UL << 20);
    ctl_status_json(&status, &out);
    assert_non_null(strstr(fixture_text(&out), "\"oldest_age_seconds\":0,"));
    buf_fini(&out);
}

/* Nine times of what is left were delivered within 10 s: it takes a ninth of that. */
static void test_drain_is_forecast(void **state)
{
    struct ctl_status status = healthy();
    struct buf out;

    (void)state;
    status.stat.pace = (struct spool_pace){.from_ns = NOW - 10 * NS_PER_S, .from_spans = 1204 + 9 * 1204};
    assert_int_equal(ctl_status_left_ns(&status) / NS_PER_MS, 1111);
    status.stat.pace.from_spans = 1204 + 602;
    assert_int_equal(ctl_status_left_ns(&status), 20 * NS_PER_S);
    buf_init(&out, 1UL << 20);
    ctl_status_json(&status, &out);
    assert_non_null(strstr(fixture_text(&out), "\"drained_in_seconds\":20}"));
    buf_clear(&out);
    ctl_status_text(&status, 200, false, &out);
    assert_non_null(strstr(fixture_text(&out), "\ndrain      all delivered in about 20 s\n"));
    buf_fini(&out);
    status.stat.delivery.state = SPOOL_DELIVERY_BACKING_OFF;
    assert_int_equal(ctl_status_left_ns(&status), 0);
    status = healthy();
    status.owner = 0;
    assert_int_equal(ctl_status_left_ns(&status), 0);
}

static void test_rates_that_are_not_known(void **state)
{
    struct ctl_status status = healthy();
    struct buf out;

    (void)state;
    status.rates_known = false;
    buf_init(&out, 1UL << 20);
    ctl_status_text(&status, 200, false, &out);
    assert_non_null(strstr(fixture_text(&out), "\nrates      unknown\n"));
    buf_fini(&out);
}

static void assert_frame(const char *text, unsigned rows, const char *expected)
{
    struct buf out;

    buf_init(&out, 1024);
    ctl_status_frame(slice_of_text(text), rows, &out);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

/* No line end after the last line, and no line more than there are: either would make the terminal scroll. */
static void test_frame_fits_the_terminal(void **state)
{
    (void)state;
    assert_frame("a\nb\n", 0, "\033[Ha\033[K\nb\033[K\033[J");
    assert_frame("a\nb\nc\n", 2, "\033[Ha\033[K\nb\033[K\033[J");
    assert_frame("a\n\nc", 3, "\033[Ha\033[K\n\033[K\nc\033[K\033[J");
    assert_frame("", 3, "\033[H\033[J");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_of_a_healthy_daemon),
        cmocka_unit_test(test_text_of_an_empty_spool_without_a_daemon),
        cmocka_unit_test(test_text_while_mongodb_is_away),
        cmocka_unit_test(test_drain_is_forecast),
        cmocka_unit_test(test_findings_none_when_all_is_well),
        cmocka_unit_test(test_findings_name_each_trouble),
        cmocka_unit_test(test_findings_all_at_once_fit),
        cmocka_unit_test(test_json_of_a_healthy_daemon),
        cmocka_unit_test(test_json_says_null_for_what_is_not_known),
        cmocka_unit_test(test_ages_are_never_negative),
        cmocka_unit_test(test_rates_that_are_not_known),
        cmocka_unit_test(test_frame_fits_the_terminal),
    };

    ctl_text_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
