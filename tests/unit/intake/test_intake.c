/*
 * test_intake.c - which calls are let in, and what they may hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "clock.h"
#include "intake.h"
#include "intake_home.h"
#include "metrics.h"

#define IN_FLIGHT_BYTES 1000

static const struct intake_options options = {.max_request_bytes = 1UL << 20,
                                              .max_depth = OTLP_DEPTH_MAX,
                                              .max_in_flight_bytes = IN_FLIGHT_BYTES,
                                              .max_calls = 3};
static struct home home;
static struct intake *intake;
static struct err err;

static int open_sized(uint64_t spool_bytes)
{
    home_open(&home, spool_bytes);
    assert_int_equal(intake_new(&intake, &options, home.writer, &err), 0);
    return 0;
}

static int open(void **state)
{
    (void)state;
    return open_sized(HOME_SPOOL_BYTES);
}

static int open_small(void **state)
{
    (void)state;
    return open_sized(SPOOL_SIZE_MIN_BYTES);
}

static int close_all(void **state)
{
    (void)state;
    assert_int_equal(metrics_get(METRIC_RECEIVER_CALLS), 0);
    assert_int_equal(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES), 0);
    intake_free(intake);
    home_close(&home);
    return 0;
}

static void assert_not_entered(const char *text)
{
    assert_int_equal(intake_enter(intake, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, text);
}

static void test_enter_up_to_max_calls(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(intake_enter(intake, &err), 0);
    assert_not_entered("the receiver has 3 calls in hand, which is receiver.max_calls");
    assert_int_equal(metrics_get(METRIC_RECEIVER_CALLS), 3);
    intake_leave(intake, 0);
    assert_int_equal(intake_enter(intake, &err), 0);
    for (int i = 0; i < 3; i++)
        intake_leave(intake, 0);
}

static void test_enter_after_close_is_refused(void **state)
{
    (void)state;
    assert_true(intake_is_open(intake));
    assert_int_equal(intake_enter(intake, &err), 0);
    intake_close(intake);
    assert_false(intake_is_open(intake));
    assert_not_entered("the receiver is stopping");
    assert_int_equal(intake_retry_ms(intake), SPOOL_RETRY_MIN_MS);
    intake_leave(intake, 0);
}

static void ignore(struct spool_put *put, const struct err *failure)
{
    (void)put;
    (void)failure;
}

static bool is_refusing(void *context)
{
    struct spool_put *put = context;

    if (spool_writer_put(home.writer, put, &err) == 0) {
        struct home_block block;

        home_block_writer(&home, &block); /* in the queue behind it, so it has been told */
        home_release_writer(&block);
        return false;
    }
    return true;
}

static void test_enter_while_spool_refuses_is_refused(void **state)
{
    static uint8_t noise[512 << 10];
    struct spool_put put = {.payload = slice_of(noise, sizeof(noise)), .done = ignore};

    (void)state;
    home_wait(is_refusing, &put);
    assert_false(intake_is_open(intake));
    assert_not_entered("the spool takes nothing at the moment: it is full, or its writer is behind");
    assert_int_equal(intake_retry_ms(intake), SPOOL_RETRY_MAX_MS); /* nothing is delivered */
}

/* --- bytes ----------------------------------------------------------------------- */

static void test_resize_up_to_the_bound(void **state)
{
    (void)state;
    assert_int_equal(intake_resize(intake, 0, IN_FLIGHT_BYTES, &err), 0);
    assert_int_equal(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES), IN_FLIGHT_BYTES);
    assert_int_equal(intake_resize(intake, 0, 1, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "the receiver has 1000 bytes in hand, near receiver.max_in_flight_bytes");
    assert_int_equal(intake_resize(intake, IN_FLIGHT_BYTES, 0, &err), 0);
}

/* A refusal changes nothing, and giving back is never refused. */
static void test_resize_refused_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(intake_resize(intake, 0, 600, &err), 0);
    assert_int_equal(intake_resize(intake, 600, IN_FLIGHT_BYTES + 1, &err), -1);
    assert_int_equal(intake_resize(intake, 0, IN_FLIGHT_BYTES - 600 + 1, &err), -1);
    assert_int_equal(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES), 600);
    assert_int_equal(intake_resize(intake, 600, 600, &err), 0);
    assert_int_equal(intake_resize(intake, 0, IN_FLIGHT_BYTES - 600, &err), 0);
    assert_int_equal(intake_resize(intake, 600, 1, &err), 0);
    assert_int_equal(intake_resize(intake, 1, 0, &err), 0);
    assert_int_equal(intake_resize(intake, IN_FLIGHT_BYTES - 600, 0, &err), 0);
}

static void test_leave_gives_the_bytes_back(void **state)
{
    (void)state;
    assert_int_equal(intake_enter(intake, &err), 0);
    assert_int_equal(intake_resize(intake, 0, 700, &err), 0);
    intake_leave(intake, 700);
    assert_int_equal(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES), 0);
    assert_true(intake_wait_idle(intake, clock_mono_ns()));
}

/* --- the end --------------------------------------------------------------------- */

static void test_wait_idle_ends_at_its_deadline(void **state)
{
    uint64_t deadline_ns = clock_mono_ns() + 20 * NS_PER_MS;

    (void)state;
    assert_int_equal(intake_enter(intake, &err), 0);
    assert_false(intake_wait_idle(intake, deadline_ns));
    assert_true(clock_mono_ns() >= deadline_ns);
    intake_leave(intake, 0);
    assert_true(intake_wait_idle(intake, 0)); /* a deadline that is over does not matter then */
}

static void *wait_idle(void *idle)
{
    *(bool *)idle = intake_wait_idle(intake, clock_mono_ns() + HOME_TIMEOUT_MS * NS_PER_MS);
    return NULL;
}

static void test_wait_idle_is_told_by_the_last_one(void **state)
{
    pthread_t thread;
    bool idle = false;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(intake_enter(intake, &err), 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_idle, &idle), 0);
    for (int i = 0; i < 3; i++)
        intake_leave(intake, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(idle);
}

/* --- many threads ---------------------------------------------------------------- */

#define THREADS 8
#define ROUNDS 20000

static void *come_and_go(void *refused)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct err failure;

        if (intake_enter(intake, &failure) != 0) {
            ++*(unsigned *)refused;
            continue;
        }
        if (intake_resize(intake, 0, 400, &failure) == 0)
            intake_leave(intake, 400);
        else
            intake_leave(intake, 0);
    }
    return NULL;
}

/* More threads than calls and bytes are allowed: the sums come out even, and somebody waits for them meanwhile. */
static void test_sums_of_many_threads_come_out_even(void **state)
{
    pthread_t threads[THREADS], waiter;
    unsigned refused[THREADS] = {0}, refused_sum = 0;
    bool idle = false;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &refused[i]), 0);
    assert_int_equal(pthread_create(&waiter, NULL, wait_idle, &idle), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        refused_sum += refused[i];
    }
    assert_true(refused_sum < THREADS * ROUNDS); /* some came in */
    assert_int_equal(pthread_join(waiter, NULL), 0);
    assert_true(idle);
    for (int i = 0; i < 3; i++)
        assert_int_equal(intake_enter(intake, &err), 0);
    assert_int_equal(intake_resize(intake, 0, IN_FLIGHT_BYTES, &err), 0);
    intake_leave(intake, IN_FLIGHT_BYTES);
    intake_leave(intake, 0);
    intake_leave(intake, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_enter_up_to_max_calls),
        TEST(test_enter_after_close_is_refused),
        cmocka_unit_test_setup_teardown(test_enter_while_spool_refuses_is_refused, open_small, close_all),
        TEST(test_resize_up_to_the_bound),
        TEST(test_resize_refused_changes_nothing),
        TEST(test_leave_gives_the_bytes_back),
        TEST(test_wait_idle_ends_at_its_deadline),
        TEST(test_wait_idle_is_told_by_the_last_one),
        TEST(test_sums_of_many_threads_come_out_even),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
