/*
 * test_ctl_trace.c - spans into rows: trees, orphans, circles, shared ids, depth; and merging.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_fixture.h"
#include "ctl_trace.h"

struct fixture {
    struct arena arena;
    struct ctl_trace trace;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    arena_init(&fixture.arena, 64UL << 20);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_fini(&fixture->arena);
    return 0;
}

static void build(struct fixture *fixture, const struct ctl_span *spans, size_t count)
{
    struct err err;

    assert_int_equal(ctl_trace_build(&fixture->trace, &fixture->arena, spans, count, &err), 0);
    assert_int_equal(fixture->trace.count, count);
}

static void assert_row(const struct fixture *fixture, size_t row, uint8_t id, uint32_t depth, enum ctl_mark mark)
{
    const struct ctl_row *at = &fixture->trace.rows[row];

    assert_int_equal(fixture->trace.spans[at->span].span_id[0], id);
    assert_int_equal(at->depth, depth);
    assert_int_equal(at->mark, mark);
}

static void test_build_orders_parents_before_children_and_siblings_by_start(void **state)
{
    struct ctl_span spans[] = {
        fixture_span(4, 2, "b", "late child", 30, 40),  fixture_span(3, 1, "a", "second", 50, 60),
        fixture_span(5, 2, "b", "early child", 15, 20), fixture_span(1, 0, "a", "root", 0, 100),
        fixture_span(2, 1, "a", "first", 10, 45),
    };

    build(*state, spans, 5);
    assert_row(*state, 0, 1, 0, CTL_MARK_NONE);
    assert_row(*state, 1, 2, 1, CTL_MARK_NONE);
    assert_row(*state, 2, 5, 2, CTL_MARK_NONE);
    assert_row(*state, 3, 4, 2, CTL_MARK_NONE);
    assert_row(*state, 4, 3, 1, CTL_MARK_NONE);
    const struct ctl_trace *trace = &((struct fixture *)*state)->trace;
    assert_false(trace->rows[1].last);
    assert_true(trace->rows[3].last);
    assert_true(trace->rows[4].last);
    assert_int_equal(trace->begin_unix_nano, FIXTURE_BEGIN);
    assert_int_equal(trace->end_unix_nano, FIXTURE_BEGIN + 100 * FIXTURE_MS);
    assert_int_equal(trace->services, 2);
    assert_int_equal(trace->deepest, 2);
}

static void test_build_of_nothing_has_no_rows(void **state)
{
    build(*state, NULL, 0);
    const struct ctl_trace *trace = &((struct fixture *)*state)->trace;
    assert_int_equal(trace->begin_unix_nano, 0);
    assert_int_equal(trace->services, 0);
}

static void test_build_orphan_is_a_marked_root(void **state)
{
    struct ctl_span spans[] = {fixture_span(2, 9, "a", "orphan", 5, 9), fixture_span(3, 2, "a", "its child", 6, 8),
                               fixture_span(1, 0, "a", "root", 0, 10)};

    build(*state, spans, 3);
    assert_row(*state, 0, 1, 0, CTL_MARK_NONE);
    assert_row(*state, 1, 2, 0, CTL_MARK_ORPHAN);
    assert_row(*state, 2, 3, 1, CTL_MARK_NONE);
    assert_int_equal(((struct fixture *)*state)->trace.orphans, 1);
}

static void test_build_own_parent_is_a_marked_root(void **state)
{
    struct ctl_span spans[] = {fixture_span(1, 1, "a", "self", 0, 10), fixture_span(2, 1, "a", "child", 1, 2)};

    build(*state, spans, 2);
    assert_row(*state, 0, 1, 0, CTL_MARK_CYCLE);
    assert_row(*state, 1, 2, 1, CTL_MARK_NONE);
}

static void test_build_circle_is_opened_at_its_earliest_span(void **state)
{
    struct ctl_span spans[] = {
        fixture_span(1, 3, "a", "c1", 20, 30),
        fixture_span(2, 1, "a", "c2", 10, 30),
        fixture_span(3, 2, "a", "c3", 30, 40),
        fixture_span(4, 3, "a", "hangs on the circle", 5, 6),
    };

    build(*state, spans, 4);
    assert_row(*state, 0, 2, 0, CTL_MARK_CYCLE);
    assert_row(*state, 1, 3, 1, CTL_MARK_NONE);
    assert_row(*state, 2, 4, 2, CTL_MARK_NONE);
    assert_row(*state, 3, 1, 2, CTL_MARK_NONE);
    assert_int_equal(((struct fixture *)*state)->trace.cycles, 1);
}

static void test_build_client_and_server_share_an_id(void **state)
{
    struct ctl_span spans[] = {
        fixture_span(1, 0, "front", "root", 0, 100),       fixture_span(2, 1, "front", "client", 10, 90),
        fixture_span(2, 1, "back", "server", 20, 80),      fixture_span(3, 2, "back", "query", 30, 40),
        fixture_span(4, 2, "front", "read reply", 85, 86),
    };

    build(*state, spans, 5);
    /* Each child goes to the one of its own service. */
    assert_row(*state, 1, 2, 1, CTL_MARK_NONE);
    assert_row(*state, 2, 4, 2, CTL_MARK_NONE);
    assert_row(*state, 3, 2, 1, CTL_MARK_NONE);
    assert_row(*state, 4, 3, 2, CTL_MARK_NONE);
}

static void test_build_server_under_a_client_of_the_same_id(void **state)
{
    struct ctl_span spans[] = {fixture_span(2, 0, "front", "client", 10, 90),
                               fixture_span(2, 2, "back", "server", 20, 80)};

    build(*state, spans, 2);
    assert_row(*state, 0, 2, 0, CTL_MARK_NONE);
    assert_row(*state, 1, 2, 1, CTL_MARK_NONE);
}

static void test_build_two_spans_that_name_each_others_id_do_not_hang(void **state)
{
    struct ctl_span spans[] = {fixture_span(2, 2, "a", "x", 10, 90), fixture_span(2, 2, "b", "y", 20, 80),
                               fixture_span(2, 2, "a", "z", 30, 80)};

    build(*state, spans, 3);
    assert_int_equal(((struct fixture *)*state)->trace.cycles, 1);
}

static void test_build_zero_times_come_last(void **state)
{
    struct ctl_span spans[] = {fixture_span(2, 1, "a", "no times", 0, 0), fixture_span(3, 1, "a", "child", 5, 6),
                               fixture_span(1, 0, "a", "root", 0, 10)};

    spans[0].start_unix_nano = 0;
    spans[0].end_unix_nano = 0;
    build(*state, spans, 3);
    assert_row(*state, 1, 3, 1, CTL_MARK_NONE);
    assert_row(*state, 2, 2, 1, CTL_MARK_NONE);
    assert_int_equal(((struct fixture *)*state)->trace.begin_unix_nano, FIXTURE_BEGIN);
}

static void test_build_201_levels_without_recursion(void **state)
{
    struct ctl_span spans[201];

    /* Children before their ancestors. */
    for (unsigned i = 0; i < 201; i++)
        spans[200 - i] = fixture_span((uint8_t)(i + 1), (uint8_t)i, "a", "level", i, 500 - i);
    build(*state, spans, 201);
    for (unsigned i = 0; i < 201; i++)
        assert_row(*state, i, (uint8_t)(i + 1), i, CTL_MARK_NONE);
    assert_int_equal(((struct fixture *)*state)->trace.deepest, 200);
}

/* One parent a child down to the bound, all in a circle, all with one id: none may take quadratic time. */
static void test_build_at_the_bound_of_spans(void **state)
{
    static struct ctl_span spans[CTL_TRACE_SPANS_MAX];
    uint32_t count = CTL_TRACE_SPANS_MAX;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t parent = (i + 1) % count;

        spans[i] = fixture_span(0, 1, "a", "circle", i, i + 1);
        memcpy(spans[i].span_id, &i, sizeof(i));
        memcpy(spans[i].parent_span_id, &parent, sizeof(parent));
        memset(spans[i].parent_span_id + 4, 0, 4);
    }
    build(*state, spans, count);
    assert_int_equal(((struct fixture *)*state)->trace.cycles, 1);
    assert_int_equal(((struct fixture *)*state)->trace.deepest, count - 1);
    for (uint32_t i = 0; i < count; i++)
        spans[i] = fixture_span(1, 1, "a", "same id", i, i + 1);
    build(*state, spans, count);
    assert_int_equal(((struct fixture *)*state)->trace.cycles, 1);
}

static void test_build_without_memory_says_so(void **state)
{
    struct ctl_span spans[] = {fixture_span(1, 0, "a", "root", 0, 1)};
    struct ctl_trace trace;
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, 16);
    assert_int_equal(ctl_trace_build(&trace, &arena, spans, 1, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "no memory for a trace of 1 spans");
    arena_fini(&arena);
}

/* --- merging --------------------------------------------------------------- */

static void add(struct ctl_spans *spans, struct ctl_span span, unsigned places, uint64_t content)
{
    span.places = places;
    span.content = content;
    assert_int_equal(ctl_spans_add(spans, &span), 0);
}

static void test_merge_same_span_in_spool_and_mongodb_is_one(void **state)
{
    struct ctl_spans spans;
    struct ctl_span span = fixture_span(1, 0, "a", "root", 0, 10);

    (void)state;
    ctl_spans_init(&spans);
    add(&spans, span, CTL_IN_PENDING, 7);
    add(&spans, span, CTL_IN_HISTORY, 7); /* a resend */
    add(&spans, span, CTL_IN_PARKED, 7);
    add(&spans, span, CTL_IN_MONGODB, 0);
    ctl_spans_merge(&spans);
    assert_int_equal(spans.count, 1);
    assert_int_equal(spans.items[0].places, CTL_IN_PENDING | CTL_IN_HISTORY | CTL_IN_PARKED | CTL_IN_MONGODB);
    ctl_spans_fini(&spans);
}

static void test_merge_same_id_other_content_stays_two(void **state)
{
    struct ctl_spans spans;
    struct ctl_span span = fixture_span(1, 0, "a", "root", 0, 10);

    (void)state;
    ctl_spans_init(&spans);
    /* The same fields, other attributes: two in the spool, one of them delivered. */
    add(&spans, span, CTL_IN_HISTORY, 7);
    add(&spans, span, CTL_IN_PENDING, 8);
    add(&spans, span, CTL_IN_MONGODB, 0);
    /* Another name. */
    span.name = slice_of_text("other");
    add(&spans, span, CTL_IN_MONGODB, 0);
    add(&spans, span, CTL_IN_MONGODB, 0);
    ctl_spans_merge(&spans);
    assert_int_equal(spans.count, 4);
    unsigned both = 0, spool = 0, mongodb = 0;
    for (size_t i = 0; i < spans.count; i++) {
        both += spans.items[i].places == (CTL_IN_HISTORY | CTL_IN_MONGODB);
        spool += spans.items[i].places == CTL_IN_PENDING;
        mongodb += spans.items[i].places == CTL_IN_MONGODB;
    }
    assert_int_equal(both, 1);
    assert_int_equal(spool, 1);
    assert_int_equal(mongodb, 2);
    ctl_spans_fini(&spans);
}

static void test_merge_takes_what_mongodb_made_of_a_span_for_the_same(void **state)
{
    struct ctl_spans spans;
    struct ctl_span span = fixture_span(1, 0, "a", "bad \377 byte", 0, 10);

    (void)state;
    ctl_spans_init(&spans);
    span.end_unix_nano = UINT64_MAX;
    add(&spans, span, CTL_IN_PENDING, 7);
    span.name = slice_of_text("bad \357\277\275 byte");
    span.end_unix_nano = INT64_MAX;
    add(&spans, span, CTL_IN_MONGODB, 0);
    ctl_spans_merge(&spans);
    assert_int_equal(spans.count, 1);
    assert_int_equal(spans.items[0].end_unix_nano, UINT64_MAX);
    ctl_spans_fini(&spans);
}

static void test_add_past_the_bound_is_cut_and_said(void **state)
{
    struct ctl_spans spans;
    struct ctl_span span = fixture_span(1, 0, "", "", 0, 10);

    (void)state;
    ctl_spans_init(&spans);
    for (uint64_t i = 0; i < CTL_TRACE_SPANS_MAX; i++)
        add(&spans, span, CTL_IN_PENDING, i + 1);
    assert_false(spans.cut);
    assert_int_equal(ctl_spans_add(&spans, &span), -1);
    assert_true(spans.cut);
    assert_int_equal(spans.count, CTL_TRACE_SPANS_MAX);
    ctl_spans_fini(&spans);
}

static void test_add_resends_do_not_use_up_the_bound(void **state)
{
    struct ctl_spans spans;
    struct ctl_span span = fixture_span(1, 0, "", "", 0, 10);

    (void)state;
    ctl_spans_init(&spans);
    for (uint64_t i = 0; i < 3 * CTL_TRACE_SPANS_MAX; i++)
        add(&spans, span, CTL_IN_PENDING, i % 10 + 1);
    ctl_spans_merge(&spans);
    assert_int_equal(spans.count, 10);
    assert_false(spans.cut);
    ctl_spans_fini(&spans);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_build_orders_parents_before_children_and_siblings_by_start),
        TEST(test_build_of_nothing_has_no_rows),
        TEST(test_build_orphan_is_a_marked_root),
        TEST(test_build_own_parent_is_a_marked_root),
        TEST(test_build_circle_is_opened_at_its_earliest_span),
        TEST(test_build_client_and_server_share_an_id),
        TEST(test_build_server_under_a_client_of_the_same_id),
        TEST(test_build_two_spans_that_name_each_others_id_do_not_hang),
        TEST(test_build_zero_times_come_last),
        TEST(test_build_201_levels_without_recursion),
        TEST(test_build_at_the_bound_of_spans),
        TEST(test_build_without_memory_says_so),
        TEST(test_merge_same_span_in_spool_and_mongodb_is_one),
        TEST(test_merge_same_id_other_content_stays_two),
        TEST(test_merge_takes_what_mongodb_made_of_a_span_for_the_same),
        TEST(test_add_past_the_bound_is_cut_and_said),
        TEST(test_add_resends_do_not_use_up_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
