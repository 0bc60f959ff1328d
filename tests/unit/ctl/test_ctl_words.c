/*
 * test_ctl_words.c - words in synopses, and choices in the order of their enums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ctl.h"
#include "ctl_show.h"
#include "ctl_words.h"

static void test_find_takes_whole_words_only(void **state)
{
    static const struct {
        const char *text;
        const char *word; /* NULL: none */
    } cases[] = {{"FILE", "FILE"},      {"FILE...", "FILE"},
                 {"[FILE...]", "FILE"}, {"ID... | DIR", "DIR"},
                 {"[VERB]", "VERB"},    {"", NULL},
                 {"N", NULL},           {"FILES", NULL},
                 {"WHEREVER", NULL},    {"SEQ[:N] | TRACEID", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ctl_word *word = ctl_words_find(cases[i].text);

        if (cases[i].word == NULL)
            assert_null(word);
        else
            assert_string_equal(word->word, cases[i].word);
    }
}

static void test_choices_stand_in_the_order_of_their_enum(void **state)
{
    (void)state;
    assert_int_equal(ctl_words_choose(ctl_words_when, "auto"), CTL_COLOR_AUTO);
    assert_int_equal(ctl_words_choose(ctl_words_when, "always"), CTL_COLOR_ALWAYS);
    assert_int_equal(ctl_words_choose(ctl_words_when, "never"), CTL_COLOR_NEVER);
    assert_int_equal(ctl_words_choose(ctl_words_where, "spool") + 1, CTL_FROM_SPOOL);
    assert_int_equal(ctl_words_choose(ctl_words_where, "mongodb") + 1, CTL_FROM_MONGODB);
    assert_int_equal(ctl_words_choose(ctl_words_where, "both") + 1, CTL_FROM_BOTH);
    assert_int_equal(ctl_words_choose(ctl_words_where, "bot"), -1);
    assert_int_equal(ctl_words_choose(ctl_words_where, ""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_takes_whole_words_only),
        cmocka_unit_test(test_choices_stand_in_the_order_of_their_enum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
