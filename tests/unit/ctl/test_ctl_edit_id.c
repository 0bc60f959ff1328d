/*
 * test_ctl_edit_id.c - ids as they are typed, and as they come from a pipe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bounds.h"
#include "ctl_edit_id.h"

#define NO_OBJECT "is an object without \"seq\", and no line of `tracespool ls --json`"
#define NO_ID "names no batch; SEQ, SEQ-SEQ and ALL do, and SEQ:N is one parked entry"

static void assert_id(const char *text, enum ctl_edit_id_kind kind, uint64_t first, uint64_t last, uint32_t index)
{
    char back[CTL_EDIT_ID_TEXT_MAX];
    struct ctl_edit_id id;
    struct err err;

    assert_int_equal(ctl_edit_id_parse(&id, text, &err), 0);
    assert_int_equal(id.kind, kind);
    assert_int_equal(id.first, first);
    assert_int_equal(id.last, last);
    assert_int_equal(id.index, index);
    assert_string_equal(ctl_edit_id_format(back, &id), text);
}

static void test_parse_takes_every_form(void **state)
{
    (void)state;
    assert_id("1", CTL_EDIT_BATCH, 1, 1, 0);
    assert_id("18446744073709551613", CTL_EDIT_BATCH, UINT64_MAX - 2, UINT64_MAX - 2, 0);
    assert_id("3-9", CTL_EDIT_RANGE, 3, 9, 0);
    assert_id("9-9", CTL_EDIT_RANGE, 9, 9, 0);
    assert_id("74:0", CTL_EDIT_ENTRY, 74, 74, 0);
    assert_id("74:4294967295", CTL_EDIT_ENTRY, 74, 74, UINT32_MAX);
    assert_id("74:all", CTL_EDIT_ENTRIES, 74, 74, 0);
    assert_id("ALL", CTL_EDIT_ALL, 0, 0, 0);
}

static void test_parse_refuses_what_is_mistyped(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", "\"\" " NO_ID},
        {"x", "\"x\" " NO_ID},
        {"12x", "\"12x\" " NO_ID},
        {" 12", "\" 12\" " NO_ID},
        {"12 ", "\"12 \" " NO_ID},
        {"+12", "\"+12\" " NO_ID},
        {"-12", "\"-12\" " NO_ID},
        {"12-", "\"12-\" " NO_ID},
        {"12-13-14", "\"12-13-14\" " NO_ID},
        {"12..14", "\"12..14\" " NO_ID},
        {"12:", "\"12:\" " NO_ID},
        {"12:1-2", "\"12:1-2\" " NO_ID},
        {"12:ALL", "\"12:ALL\" " NO_ID},
        {"12:all ", "\"12:all \" " NO_ID},
        {"12-13:all", "\"12-13:all\" " NO_ID},
        {"12-14:1", "\"12-14:1\" " NO_ID},
        {"1e3", "\"1e3\" " NO_ID},
        {"0x10", "\"0x10\" " NO_ID},
        {"all", "\"all\": ALL is written in capitals"},
        {"All", "\"All\": ALL is written in capitals"},
        {"0", "\"0\": batches are numbered from 1"},
        {"0-5", "\"0-5\": batches are numbered from 1"},
        {"0:1", "\"0:1\": batches are numbered from 1"},
        {"9-3", "\"9-3\": the range runs backwards"},
        {"9-0", "\"9-0\": the range runs backwards"},
        {"18446744073709551614", "\"18446744073709551614\": no number here is so large"},
        {"18446744073709551616", "\"18446744073709551616\": no number here is so large"},
        {"99999999999999999999999999", "\"99999999999999999999999999\": no number here is so large"},
        {"1-18446744073709551615", "\"1-18446744073709551615\": no number here is so large"},
        {"1:4294967296", "\"1:4294967296\": no number here is so large"},
    };
    struct ctl_edit_id id;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(ctl_edit_id_parse(&id, cases[i].text, &err), -1);
        assert_int_equal(err.class, ERR_CONFIG);
        assert_string_equal(err.text, cases[i].why);
    }
}

/* --- from a pipe ----------------------------------------------------------- */

static int read_text(struct ctl_edit_ids *ids, const char *text, struct err *err)
{
    FILE *input = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

    assert_non_null(input);
    *ids = (struct ctl_edit_ids){.items = NULL};
    int result = ctl_edit_id_read(ids, input, err);
    fclose(input);
    return result;
}

static void assert_read(const char *text, const char *expected)
{
    char joined[256] = "", one[CTL_EDIT_ID_TEXT_MAX];
    struct ctl_edit_ids ids;
    struct err err;

    assert_int_equal(read_text(&ids, text, &err), 0);
    for (size_t i = 0; i < ids.count; i++) {
        strcat(joined, ctl_edit_id_format(one, &ids.items[i]));
        strcat(joined, " ");
    }
    assert_string_equal(joined, expected);
    free(ids.items);
}

static void test_read_takes_ids_one_a_line(void **state)
{
    (void)state;
    assert_read("5\n7-9\n\n  74:2  \r\n11", "5 7-9 74:2 11 ");
    assert_read("\n", "");
}

static void test_read_takes_the_lists_of_ls(void **state)
{
    (void)state;
    assert_read("   SEQ  RECEIVED                   AGE   SPANS   STORED  STATE     SERVICES\n"
                "     5  2026-11-22T18:53:37Z      24 s     137 3.85 KiB  delivered svc-00, svc-01\n"
                "     7  2026-11-22T18:53:41Z      20 s       2    214 B  pending   이상한 서비스\n"
                "The newest 3 of 7 batches; --limit 0 lists all.\n",
                "5 7 ");
    assert_read("           ID  PARKED                REASON        CODE   SPANS  WHY\n"
                "         74:0  2026-11-22T18:48:34Z  refused        121       1  Document failed validation\n"
                "        74:12  2026-11-22T18:48:34Z  refused        121       1  \n"
                "       75:all  2026-11-22T18:48:34Z  undecodable      0       4  not protobuf\n"
                "(2 x refused, code 121: Document failed validation)\n"
                "(1 x undecodable: not protobuf)\n"
                "The oldest 3 of 7 entries; --limit 0 lists all.\n",
                "74:0 74:12 75:all ");
    assert_read("     7  2026-11-22T18:53:41Z      20 s       2    214 B  held      order\n"
                "        (tried once: not protobuf)\n",
                "7 ");
    assert_read("No held batches match.\n", "");
    assert_read("Nothing that is parked matches.\n", "");
    assert_read("No pending batches. `tracespool ls --all` lists history.\n", "");
    assert_read("No batches.\n", "");
    assert_read("Nothing is parked.\n", "");
}

static void test_read_takes_the_lists_of_ls_as_json(void **state)
{
    (void)state;
    assert_read(
        "{\"seq\":1,\"received_unix_ns\":1795704120129575936,\"services\":[\"a,\\\"seq\\\":9\"],\"error\":null}\n"
        "{\"seq\":4,\"span_index\":12,\"whole\":false,\"text\":\"}\"}\n"
        "{\"seq\":5,\"span_index\":0,\"whole\":true,\"reason\":\"undecodable\"}\n"
        "  { \"age_seconds\" : 0.5 , \"deep\" : {\"seq\":[7,{\"seq\":8}]} , \"seq\" : 18 }  \r\n",
        "1 4:12 5:all 18 ");
}

static void test_read_names_the_line_that_is_wrong(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"5\nseven\n", "standard input, line 2: \"seven\" " NO_ID},
        {"ALL\n", "standard input, line 1: ALL is taken from the command line only"},
        {"1\n\n9-3\n", "standard input, line 3: \"9-3\": the range runs backwards"},
        {"1 2\n", "standard input, line 1: \"1 2\" is not one id, and no line of `tracespool ls`"},
        {"1 2 3\n", "standard input, line 1: \"1 2\" is not one id, and no line of `tracespool ls`"},
        {"1 2026-11-22T18:48:34\n",
         "standard input, line 1: \"1 2026-11-22T18:48:34\" is not one id, and no line of `tracespool ls`"},
        {"1 2 2026-11-22T18:48:34Z\n", "standard input, line 1: \"1 2\" is not one id, and no line of `tracespool ls`"},
        {"x 2026-11-22T18:48:34Z\n", "standard input, line 1: \"x\" " NO_ID},
        {"{}\n", "standard input, line 1: " NO_OBJECT},
        {"{\"services\":[\"seq\"]}\n", "standard input, line 1: " NO_OBJECT},
        {"{\"deep\":{\"seq\":6}}\n", "standard input, line 1: " NO_OBJECT},
        {"{\"seq\":6\n", "standard input, line 1: " NO_OBJECT},
        {"{\"seq\":6}}\n", "standard input, line 1: " NO_OBJECT},
        {"{\"seq\":6} 7\n", "standard input, line 1: " NO_OBJECT},
        {"{\"seq\":6,\"text\":\"\\\"}\n", "standard input, line 1: " NO_OBJECT},
        {"{\"seq\":6]}\n", "standard input, line 1: " NO_OBJECT},
        {"{\"seq\" 6}\n", "standard input, line 1: " NO_OBJECT},
        {"{\"seq\":100000000000000000000}\n", "standard input, line 1: " NO_OBJECT},
        {"{\"seq\":\"6\"}\n", "standard input, line 1: \"\" " NO_ID},
        {"{\"seq\":0}\n", "standard input, line 1: \"0\": batches are numbered from 1"},
    };
    struct ctl_edit_ids ids;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_text(&ids, cases[i].text, &err), -1);
        assert_int_equal(err.class, ERR_CONFIG);
        assert_string_equal(err.text, cases[i].why);
        free(ids.items);
    }
}

static void test_read_refuses_a_line_without_end(void **state)
{
    char *text = calloc(1, 2 * CTL_EDIT_LINE_MAX);
    struct ctl_edit_ids ids;
    struct err err;

    (void)state;
    assert_non_null(text);
    memset(text, '1', 2 * CTL_EDIT_LINE_MAX - 1);
    assert_int_equal(read_text(&ids, text, &err), -1);
    assert_string_equal(err.text, "standard input, line 1: longer than any line of `tracespool ls`");
    free(ids.items);
    free(text);
}

static void test_read_from_what_cannot_be_read_fails(void **state)
{
    struct ctl_edit_ids ids = {.items = NULL};
    struct err err;
    FILE *directory = fopen("/tmp", "r");

    (void)state;
    assert_non_null(directory);
    assert_int_equal(ctl_edit_id_read(&ids, directory, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_string_equal(err.text, "standard input cannot be read");
    fclose(directory);
}

static void test_add_ends_at_its_bound(void **state)
{
    struct ctl_edit_id id = {.kind = CTL_EDIT_BATCH, .first = 1, .last = 1};
    struct ctl_edit_ids ids = {.items = NULL};
    struct err err;

    (void)state;
    for (int i = 0; i < CTL_EDIT_IDS_MAX; i++)
        assert_int_equal(ctl_edit_id_add(&ids, &id, &err), 0);
    assert_int_equal(ctl_edit_id_add(&ids, &id, &err), -1);
    assert_string_equal(err.text, "more than 1000000 ids; name ranges, or ALL");
    free(ids.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_takes_every_form),
        cmocka_unit_test(test_parse_refuses_what_is_mistyped),
        cmocka_unit_test(test_read_takes_ids_one_a_line),
        cmocka_unit_test(test_read_takes_the_lists_of_ls),
        cmocka_unit_test(test_read_takes_the_lists_of_ls_as_json),
        cmocka_unit_test(test_read_names_the_line_that_is_wrong),
        cmocka_unit_test(test_read_refuses_a_line_without_end),
        cmocka_unit_test(test_read_from_what_cannot_be_read_fails),
        cmocka_unit_test(test_add_ends_at_its_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
