/* test_ctl_shard.c - `tracespool shard` without a MongoDB; 37-sharded has it in front of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_run_fixture.h"

static void test_shard_mistakes_are_told(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "shard", "traces_20261122");
    assert_ran(&run, CTL_FAILED, "", "tracespool shard: takes no operands\n");
    RUN(&run, "shard", "--timeout", "0s");
    assert_ran(&run, CTL_FAILED, "", "tracespool shard: --timeout takes a duration of 1ms to 24h, not \"0s\"\n");
    RUN(&run, "shard", "--timeout", "25h");
    assert_ran(&run, CTL_FAILED, "", "tracespool shard: --timeout takes a duration of 1ms to 24h, not \"25h\"\n");
}

static void test_shard_needs_mongodb_and_no_spool(void **state)
{
    struct run run;

    (void)state;
    setenv("MONGO_URI", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200", 1);
    for (int json = 0; json < 2; json++) {
        RUN(&run, "shard", "--dry-run", "--spool", "/nowhere", json ? "--json" : "--color=never");
        assert_int_equal(run.status, CTL_FAILED);
        assert_string_equal(run.out, "");
        assert_contains(run.err, "tracespool shard: MongoDB: ask MongoDB what it is: MongoDB cannot be reached");
        run_free(&run);
    }
    unsetenv("MONGO_URI");
}

static void test_shard_tells_a_wrong_connection_string(void **state)
{
    struct run run;

    (void)state;
    setenv("MONGO_URI", "mongodb://user:hunter2@127.0.0.1:1/?ssl=perhaps", 1);
    RUN(&run, "shard");
    assert_int_equal(run.status, CTL_FAILED);
    assert_string_equal(run.out, "");
    assert_null(strstr(run.err, "hunter2"));
    run_free(&run);
    unsetenv("MONGO_URI");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shard_mistakes_are_told),
        cmocka_unit_test(test_shard_needs_mongodb_and_no_spool),
        cmocka_unit_test(test_shard_tells_a_wrong_connection_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
