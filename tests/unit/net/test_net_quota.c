/*
 * test_net_quota.c - the bound on connections, also when many threads want the last one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "bounds.h"
#include "clock.h"
#include "net_notice.h"
#include "net_quota.h"

#define THREADS 4
#define PASSES 20000

static void test_quota_ends_at_its_bound(void **state)
{
    struct net_quota quota;

    (void)state;
    net_quota_init(&quota, 2);
    assert_true(net_quota_take(&quota));
    assert_true(net_quota_take(&quota));
    assert_false(net_quota_take(&quota));
    assert_int_equal(net_quota_used(&quota), 2);
    net_quota_release(&quota);
    assert_true(net_quota_take(&quota));
    assert_false(net_quota_take(&quota));
}

static struct net_quota shared;
static atomic_uint highest;

static void *take_and_release(void *argument)
{
    for (int i = 0; i < PASSES; i++) {
        unsigned used;

        if (!net_quota_take(&shared))
            continue;
        used = net_quota_used(&shared);
        if (used > atomic_load(&highest))
            atomic_store(&highest, used);
        net_quota_release(&shared);
    }
    return argument;
}

static void test_quota_holds_between_threads(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    net_quota_init(&shared, THREADS - 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_release, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(net_quota_used(&shared), 0);
    assert_in_range(atomic_load(&highest), 1, THREADS - 1);
}

static void test_notice_is_due_once_in_its_time(void **state)
{
    struct net_notice notice = {0};
    uint64_t start_ns = 5 * NS_PER_S;

    (void)state;
    assert_int_equal(net_notice_count(&notice, start_ns), 1);
    assert_int_equal(net_notice_count(&notice, start_ns), 0);
    assert_int_equal(net_notice_count(&notice, start_ns + NET_NOTICE_MS * NS_PER_MS - 1), 0);
    assert_int_equal(net_notice_count(&notice, start_ns + NET_NOTICE_MS * NS_PER_MS), 3);
    assert_int_equal(net_notice_count(&notice, start_ns + NET_NOTICE_MS * NS_PER_MS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota_ends_at_its_bound),
        cmocka_unit_test(test_quota_holds_between_threads),
        cmocka_unit_test(test_notice_is_due_once_in_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
