/* test_sink_space.c - the rule on free space, what dbStats says of it, and which days go.  Pure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "sink_retention.h"
#include "sink_upkeep.h"

#define GIB (1ULL << 30)
#define NOW_NS (20000 * NS_PER_DAY + 5 * NS_PER_S)

/* --- the rule ------------------------------------------------------------- */

static void test_needed_is_a_size_or_a_share(void **state)
{
    const struct sink_min_free none = {0}, size = {.bytes = 5 * GIB}, share = {.millionths = 100000};

    (void)state;
    assert_true(sink_space_needed(&none, 50 * GIB) == 0);
    assert_true(sink_space_needed(&size, 50 * GIB) == 5 * GIB);
    assert_true(sink_space_needed(&share, 50 * GIB) == 5 * GIB);
    assert_true(sink_space_needed(&share, 1ULL << 62) == (1ULL << 62) / 10); /* does not wrap */
}

static void test_full_opens_with_a_tenth_more(void **state)
{
    (void)state;
    assert_false(sink_space_is_full(false, 100, 100));
    assert_true(sink_space_is_full(false, 100, 99));
    assert_true(sink_space_is_full(true, 100, 100));
    assert_true(sink_space_is_full(true, 100, 109));
    assert_false(sink_space_is_full(true, 100, 110));
}

static void test_nothing_needed_is_never_full(void **state)
{
    (void)state;
    assert_false(sink_space_is_full(false, 0, 0));
    assert_false(sink_space_is_full(true, 0, 0));
}

/* --- what dbStats says ---------------------------------------------------- */

static const struct sink_min_free nothing, five_gib = {.bytes = 5 * GIB}, a_tenth = {.millionths = 100000};

static enum sink_space_measured read_json(const char *json, const struct sink_min_free *min_free,
                                          struct sink_volume *volume, struct err *err)
{
    bson_error_t error;
    bson_t *reply = bson_new_from_json((const uint8_t *)json, -1, &error);
    enum sink_space_measured result;

    if (reply == NULL)
        fail_msg("%s: %s", json, error.message);
    result = sink_space_read(reply, min_free, volume, err);
    bson_destroy(reply);
    return result;
}

static void test_read_takes_a_servers_volume(void **state)
{
    struct sink_volume volume;
    struct err err;

    (void)state;
    assert_int_equal(read_json("{\"fsUsedSize\": 60.0, \"fsTotalSize\": 100, \"ok\": 1}", &nothing, &volume, &err),
                     SINK_SPACE_MEASURED);
    assert_true(volume.available == 40 && volume.total == 100);
    assert_string_equal(volume.shard, "");
    assert_int_equal(read_json("{\"fsUsedSize\": 101, \"fsTotalSize\": 100}", &nothing, &volume, &err),
                     SINK_SPACE_MEASURED);
    assert_true(volume.available == 0);
    assert_int_equal(read_json("{\"fsUsedSize\": 0, \"fsTotalSize\": 0}", &nothing, &volume, &err), SINK_SPACE_FAILED);
    assert_int_equal(err.class, ERR_RETRY);
    assert_int_equal(read_json("{\"ok\": 1}", &nothing, &volume, &err), SINK_SPACE_ABSENT);
    assert_int_equal(err.class, ERR_CONFIG);
}

#define SHARD(name, used, total) "\"" name "\": {\"fsUsedSize\": " used ", \"fsTotalSize\": " total ", \"ok\": 1}"
/* The sums of a mongos, which say nothing of one shard. */
#define SUMS "\"fsUsedSize\": 1, \"fsTotalSize\": 1099511627776, \"ok\": 1"

/* Of `a` 20 of 100 GiB are free, of `b` 15 of 50. */
#define TWO_SHARDS                                                                                                     \
    "{\"raw\": {" SHARD("a/h:1,h:2", "85899345920", "107374182400") ", " SHARD("b/h:3", "37580963840.0",               \
                                                                               "53687091200") "}, " SUMS "}"

static void test_read_takes_the_fullest_shards_volume(void **state)
{
    static const struct {
        const struct sink_min_free *min_free;
        const char *shard; /* by size `b` has less, by its share `a` */
        uint64_t available;
    } cases[] = {{&nothing, "b", 15 * GIB}, {&five_gib, "b", 15 * GIB}, {&a_tenth, "a", 20 * GIB}};
    struct sink_volume volume;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_json(TWO_SHARDS, cases[i].min_free, &volume, &err), SINK_SPACE_MEASURED);
        assert_string_equal(volume.shard, cases[i].shard);
        assert_true(volume.available == cases[i].available);
    }
}

static void test_read_passes_over_shards_that_do_not_tell(void **state)
{
    struct sink_volume volume;
    struct err err;

    (void)state;
    assert_int_equal(
        read_json("{\"raw\": {" SHARD("a/h:1", "0", "0") ", " SHARD("b", "60", "100") ", \"c\": {\"ok\": 0}, "
                                                                                      "\"d\": 7, \"e\": {}}, " SUMS "}",
                  &a_tenth, &volume, &err),
        SINK_SPACE_MEASURED);
    assert_string_equal(volume.shard, "b");
    assert_true(volume.available == 40 && volume.total == 100);

    assert_int_equal(read_json("{\"raw\": {}, " SUMS "}", &a_tenth, &volume, &err), SINK_SPACE_FAILED);
    assert_int_equal(read_json("{\"raw\": {" SHARD("a", "0", "0") "}, " SUMS "}", &a_tenth, &volume, &err),
                     SINK_SPACE_FAILED);
    assert_int_equal(err.class, ERR_RETRY);
    assert_int_equal(read_json("{\"raw\": {\"a\": {\"ok\": 1}}, " SUMS "}", &a_tenth, &volume, &err),
                     SINK_SPACE_ABSENT);
    assert_int_equal(err.class, ERR_CONFIG);
}

static void test_read_cuts_a_shards_long_name(void **state)
{
    char name[2 * SINK_SHARD_NAME_MAX], json[512];
    struct sink_volume volume;
    struct err err;

    (void)state;
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    snprintf(json, sizeof(json), "{\"raw\": {\"%s/h:1\": {\"fsUsedSize\": 1, \"fsTotalSize\": 2}}}", name);
    assert_int_equal(read_json(json, &nothing, &volume, &err), SINK_SPACE_MEASURED);
    assert_int_equal(strlen(volume.shard), SINK_SHARD_NAME_MAX - 1);
}

/* --- days ----------------------------------------------------------------- */

static void test_day_is_over_when_all_of_it_is(void **state)
{
    const uint64_t month_ns = 30 * NS_PER_DAY;

    (void)state;
    assert_true(sink_retention_is_over(19969, month_ns, NOW_NS));
    assert_false(sink_retention_is_over(19970, month_ns, NOW_NS)); /* its last hours are younger */
    assert_false(sink_retention_is_over(19969, month_ns, 20000 * NS_PER_DAY - 1));
    assert_true(sink_retention_is_over(19969, month_ns, 20000 * NS_PER_DAY));
    assert_true(sink_retention_is_over(19999, NS_PER_S, NOW_NS));
    assert_false(sink_retention_is_over(20000, NS_PER_S, NOW_NS));
    assert_false(sink_retention_is_over(20001, NS_PER_S, NOW_NS));
}

static void test_day_is_never_over_without_retention_or_a_clock(void **state)
{
    (void)state;
    assert_false(sink_retention_is_over(0, 0, NOW_NS));
    assert_false(sink_retention_is_over(0, NS_PER_DAY, 0));
    assert_false(sink_retention_is_over(20000, NS_PER_DAY, NS_PER_DAY));
}

static void test_oldest_is_not_todays_nor_the_only_one(void **state)
{
    uint32_t days[] = {20001, 20000, 19999, 19990};
    struct sink_listing listing = {.days = days, .day_count = 4};
    uint32_t day = 7;

    (void)state;
    assert_true(sink_retention_oldest(&listing, NOW_NS, &day));
    assert_int_equal(day, 19990);
    listing.day_count = 2;
    assert_false(sink_retention_oldest(&listing, NOW_NS, &day));
    listing.days = days + 3;
    listing.day_count = 1;
    assert_false(sink_retention_oldest(&listing, NOW_NS, &day));
    listing.day_count = 0;
    assert_false(sink_retention_oldest(&listing, NOW_NS, &day));
}

static void test_past_is_retention_where_it_is_set(void **state)
{
    (void)state;
    assert_true(sink_retention_past(0) == SINK_PLACEMENT_PAST_DAYS * NS_PER_DAY);
    assert_true(sink_retention_past(NS_PER_DAY) == NS_PER_DAY);
}

/* --- when ----------------------------------------------------------------- */

static void test_pass_comes_each_hour_and_after_midnight(void **state)
{
    const uint64_t hour_ns = 3600 * NS_PER_S, midnight_ns = SINK_UPKEEP_MIDNIGHT_S * NS_PER_S;

    (void)state;
    assert_true(sink_upkeep_pause_ns(20000 * NS_PER_DAY + 12 * hour_ns) == hour_ns);
    assert_true(sink_upkeep_pause_ns(20001 * NS_PER_DAY - 10 * NS_PER_S) == midnight_ns + 10 * NS_PER_S);
    assert_true(sink_upkeep_pause_ns(20000 * NS_PER_DAY) == midnight_ns);
    assert_true(sink_upkeep_pause_ns(20000 * NS_PER_DAY + midnight_ns) == hour_ns);
    assert_true(sink_upkeep_pause_ns(0) == midnight_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_needed_is_a_size_or_a_share),
        cmocka_unit_test(test_full_opens_with_a_tenth_more),
        cmocka_unit_test(test_nothing_needed_is_never_full),
        cmocka_unit_test(test_read_takes_a_servers_volume),
        cmocka_unit_test(test_read_takes_the_fullest_shards_volume),
        cmocka_unit_test(test_read_passes_over_shards_that_do_not_tell),
        cmocka_unit_test(test_read_cuts_a_shards_long_name),
        cmocka_unit_test(test_day_is_over_when_all_of_it_is),
        cmocka_unit_test(test_day_is_never_over_without_retention_or_a_clock),
        cmocka_unit_test(test_oldest_is_not_todays_nor_the_only_one),
        cmocka_unit_test(test_past_is_retention_where_it_is_set),
        cmocka_unit_test(test_pass_comes_each_hour_and_after_midnight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
