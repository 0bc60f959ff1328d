/*
 * test_ctl_command.c - options, verbs, help, configuration: the command's frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_run_fixture.h"
#include "ctl_verbs.h"

static void test_no_verb_is_told_where_help_is(void **state)
{
    struct run run;

    (void)state;
    run_command(&run, (const char *[]){"tracespool", NULL});
    assert_ran(&run, CTL_FAILED, "", "tracespool: a verb is missing; `tracespool help` lists them\n");
}

static void test_mistyped_verb_gets_a_suggestion(void **state)
{
    static const struct {
        const char *typed;
        const char *meant;
    } cases[] = {{"stauts", "status"}, {"stat", "status"}, {"list", "ls"},  {"sl", "ls"},
                 {"shwo", "show"},     {"sned", "send"},   {"hlep", "help"}};
    char expected[128];
    struct run run;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        RUN(&run, cases[i].typed);
        snprintf(expected, sizeof(expected), "tracespool: there is no verb \"%s\"\nDid you mean `tracespool %s`?\n",
                 cases[i].typed, cases[i].meant);
        assert_ran(&run, CTL_FAILED, "", expected);
    }
}

static void test_word_that_is_near_no_verb_gets_none(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "frobnicate\033[2J");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool: there is no verb \"frobnicate\\x1b[2J\"\n`tracespool help` lists the verbs.\n");
    RUN(&run, "xy");
    assert_ran(&run, CTL_FAILED, "", "tracespool: there is no verb \"xy\"\n`tracespool help` lists the verbs.\n");
}

static void test_help_names_every_verb_and_option(void **state)
{
    struct run run, of_verb;

    (void)state;
    RUN(&run, "help");
    assert_int_equal(run.status, CTL_OK);
    assert_string_equal(run.err, "");
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        assert_contains(run.out, verb->summary);
        RUN(&of_verb, "help", verb->name);
        assert_int_equal(of_verb.status, CTL_OK);
        for (const struct ctl_option *option = verb->options; option->name != NULL; option++)
            assert_contains(of_verb.out, option->help);
        for (const struct ctl_option *option = ctl_options_global; option->name != NULL; option++)
            assert_contains(of_verb.out, option->help);
        run_free(&of_verb);
    }
    run_free(&run);
}

static void test_help_option_is_the_verbs_help(void **state)
{
    struct run a, b;

    (void)state;
    RUN(&a, "help", "ls");
    RUN(&b, "ls", "--limit", "3", "--help");
    assert_ran(&b, CTL_OK, a.out, "");
    RUN(&b, "-h", "ls");
    assert_contains(b.out, "Usage: tracespool");
    run_free(&a);
    run_free(&b);
}

static void test_help_of_an_unknown_verb_fails(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "help", "nothing");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool help: there is no verb \"nothing\"\n`tracespool help` lists the verbs.\n");
    RUN(&run, "help", "stauts");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool help: there is no verb \"stauts\"\nDid you mean `tracespool status`?\n");
    RUN(&run, "help", "ls", "show");
    assert_ran(&run, CTL_FAILED, "", "tracespool help: takes one verb\n");
}

static void test_version(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "--version");
    assert_int_equal(run.status, CTL_OK);
    assert_true(strncmp(run.out, "tracespool 0.", 13) == 0);
    run_free(&run);
}

static void test_unknown_option_is_named(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "ls", "--frob");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool ls: there is no option --frob\n`tracespool help ls` lists the options.\n");
    RUN(&run, "-x", "ls");
    assert_ran(&run, CTL_FAILED, "", "tracespool: there is no option -x\n`tracespool help` lists the options.\n");
    RUN(&run, "ls", "--all", "-xq");
    assert_ran(&run, CTL_FAILED, "", "tracespool ls: there is no option -x\n`tracespool help ls` lists the options.\n");
    RUN(&run, "ls", "--limit=3", "-xq");
    assert_ran(&run, CTL_FAILED, "", "tracespool ls: there is no option -x\n`tracespool help ls` lists the options.\n");
}

static void test_mistyped_option_gets_a_suggestion(void **state)
{
    static const struct {
        const char *typed;
        const char *meant;
    } cases[] = {{"--limt", "limit"},     {"--limt=3", "limit"}, {"--oldset", "oldest"},
                 {"--servce", "service"}, {"--jsn", "json"},     {"--re-verse", "reverse"}};
    char expected[128];
    struct run run;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        RUN(&run, "ls", cases[i].typed);
        snprintf(expected, sizeof(expected), "tracespool ls: there is no option %s\nDid you mean --%s?\n",
                 cases[i].typed, cases[i].meant);
        assert_ran(&run, CTL_FAILED, "", expected);
    }
    RUN(&run, "--vrsion");
    assert_ran(&run, CTL_FAILED, "", "tracespool: there is no option --vrsion\nDid you mean --version?\n");
}

static void test_option_with_a_value_that_it_does_not_take_is_named(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "ls", "--reverse=yes");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool ls: option --reverse takes no value\n`tracespool help ls` lists the options.\n");
    RUN(&run, "ls", "--rev=yes");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool ls: option --rev takes no value\n`tracespool help ls` lists the options.\n");
}

static void test_option_without_its_value_is_named(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "ls", "--limit");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool ls: option --limit needs a value\n`tracespool help ls` lists the options.\n");
    RUN(&run, "status", "-c");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool status: option -c needs a value\n`tracespool help status` lists the options.\n");
}

static void test_values_out_of_range_are_named(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "ls", "--limit", "-1");
    assert_ran(&run, CTL_FAILED, "", "tracespool ls: --limit takes a number, not \"-1\"\n");
    RUN(&run, "ls", "--color", "blue");
    assert_ran(&run, CTL_FAILED, "", "tracespool ls: --color takes auto, always or never, not \"blue\"\n");
    RUN(&run, "ls", "--all", "--parked");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool ls: --parked is a list of its own, of spans and not of batches; ask for one\n");
    RUN(&run, "ls", "--oldest", "--reverse");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool ls: --oldest begins with the oldest, --reverse with the newest; ask for one\n");
    RUN(&run, "ls", "--service", "a", "--service", "b");
    assert_ran(&run, CTL_FAILED, "", "tracespool ls: --service takes one service; \"b\" is the second\n");
    RUN(&run, "ls", "--service", "");
    assert_ran(&run, CTL_FAILED, "", "tracespool ls: --service takes a service.name\n");
    RUN(&run, "ls", "--since", "1h", "--until", "2h");
    assert_ran(&run, CTL_FAILED, "", "tracespool ls: --until is not after --since\n");
    RUN(&run, "ls", "--since", "soon");
    assert_contains(run.err, "tracespool ls: --since: \"soon\" is no time; write ");
    run_free(&run);
    RUN(&run, "show", "1", "--from", "nowhere");
    assert_ran(&run, CTL_FAILED, "", "tracespool show: --from takes spool, mongodb or both, not \"nowhere\"\n");
    RUN(&run, "show", "1", "--timeout", "soon");
    assert_ran(&run, CTL_FAILED, "", "tracespool show: --timeout takes a duration of 1ms to 10m, not \"soon\"\n");
    RUN(&run, "show", "12x");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool show: \"12x\" is neither a batch's number, nor SEQ:N for a parked entry, nor a trace id of "
               "32 hex digits\n");
    RUN(&run, "show");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool show: takes one operand: a batch's number (`tracespool ls`), a parked entry's "
               "(`tracespool ls --parked`), or a trace id\n");
    RUN(&run, "show", "1", "--raw", "--otlp");
    assert_ran(&run, CTL_FAILED, "", "tracespool show: --raw is protobuf, --otlp is JSON; ask for one\n");
    RUN(&run, "show", "--json", "1", "--raw");
    assert_ran(&run, CTL_FAILED, "", "tracespool show: --raw is protobuf, --json is JSON; ask for one\n");
    RUN(&run, "show", "0123456789abcdef0123456789abcdef", "--raw");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool show: --raw is for a batch or a parked entry; --otlp gives all that is known of a trace\n");
    RUN(&run, "show", "1-3");
    assert_int_equal(run.status, CTL_FAILED);
    run_free(&run);
    RUN(&run, "shape", "--bytes", "--batches");
    assert_ran(&run, CTL_FAILED, "", "tracespool shape: --bytes and --batches are two tables; ask for one\n");
    RUN(&run, "shape", "--bucket", "0");
    assert_ran(&run, CTL_FAILED, "", "tracespool shape: --bucket takes a duration of 1ms to 30d, not \"0\"\n");
    RUN(&run, "status", "more");
    assert_ran(&run, CTL_FAILED, "", "tracespool status: takes no operand\n");
    RUN(&run, "ls", "7");
    assert_ran(&run, CTL_FAILED, "", "tracespool ls: takes no operand; `tracespool show 7` shows one batch or trace\n");
}

static void test_number_is_strict(void **state)
{
    uint64_t number = 77;

    (void)state;
    assert_int_equal(ctl_options_number("18446744073709551615", UINT64_MAX, &number), 0);
    assert_true(number == UINT64_MAX);
    assert_int_equal(ctl_options_number("18446744073709551616", UINT64_MAX, &number), -1);
    assert_int_equal(ctl_options_number("", UINT64_MAX, &number), -1);
    assert_int_equal(ctl_options_number(" 1", UINT64_MAX, &number), -1);
    assert_int_equal(ctl_options_number("0x1", UINT64_MAX, &number), -1);
    assert_int_equal(ctl_options_number("11", 10, &number), -1);
}

static void test_configuration_that_is_named_must_be_there(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "-c", "/nowhere/tracespool.conf", "status");
    assert_int_equal(run.status, CTL_FAILED);
    assert_string_equal(run.out, "");
    assert_contains(run.err, "tracespool status: /nowhere/tracespool.conf: ");
    run_free(&run);
    /* Also by a verb that could do without, since the mistake may be the file's name. */
    RUN(&run, "ls", "--spool", "/nowhere", "--config", "/nowhere/tracespool.conf");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "tracespool ls: /nowhere/tracespool.conf: ");
    run_free(&run);
    RUN(&run, "send", "--endpoint", "127.0.0.1:1", "-c", "/nowhere/tracespool.conf", "/nowhere/file");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "tracespool send: /nowhere/tracespool.conf: ");
    run_free(&run);
    RUN(&run, "salvage", "--dry-run", "-c", "/nowhere/tracespool.conf", "/nowhere/file");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "tracespool salvage: /nowhere/tracespool.conf: ");
    run_free(&run);
}

static void test_broken_configuration_is_told_with_its_line(void **state)
{
    char path[] = "/tmp/test-ctl-conf-XXXXXX";
    char expected[64];
    struct run run;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "spool = {\n  sizes = \"1GiB\";\n};\n", 31), 31);
    close(fd);
    RUN(&run, "status", "-c", path);
    assert_int_equal(run.status, CTL_FAILED);
    snprintf(expected, sizeof(expected), "tracespool status: %s:2: ", path);
    assert_contains(run.err, expected);
    assert_contains(run.err, "sizes");
    run_free(&run);
    /* Told, and left out where --spool says all that is needed. */
    RUN(&run, "ls", "-c", path, "--spool", "/nowhere/spool");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, ":2: ");
    assert_contains(run.err, "tracespool ls: going on without it where it is not needed, as --spool names the spool\n"
                             "tracespool ls: no spool at /nowhere/spool: is this the spool.path of the daemon?\n");
    run_free(&run);
    RUN(&run, "shard", "-c", path, "--spool", "/nowhere/spool");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "tracespool shard: ");
    assert_null(strstr(run.err, "going on"));
    run_free(&run);
    unlink(path);
}

static void test_missing_spool_is_told(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "--spool", "/nowhere/spool", "status");
    assert_int_equal(run.status, CTL_FAILED);
    assert_string_equal(run.out, "");
    assert_contains(run.err, "tracespool status: ");
    assert_contains(run.err, "/nowhere/spool");
    assert_null(strstr(run.err, "defaults"));
    run_free(&run);
}

/* Where tracespool is installed there may be one: then it has no say here. */
static void test_missing_spool_of_the_defaults_is_told_as_such(void **state)
{
    bool installed = access(CONF_DEFAULT_PATH, F_OK) == 0 || access("/var/lib/tracespool/data.mdb", F_OK) == 0;
    struct run run;

    (void)state;
    for (const char *const *verb = (const char *const[]){"ls", "status", "check", "import", NULL}; *verb != NULL;
         verb++) {
        RUN(&run, *verb, strcmp(*verb, "import") == 0 ? "/dev/null" : NULL);
        assert_true(installed || run.status == CTL_FAILED);
        assert_int_equal(strstr(run.err,
                                "There is no configuration at " CONF_DEFAULT_PATH
                                ", so the defaults hold: name it by --config, or the spool by --spool\n") != NULL,
                         !installed);
        run_free(&run);
    }
}

static void test_help_says_what_an_id_is_verb_by_verb(void **state)
{
    struct run run;

    (void)state;
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        bool takes_parked =
            strcmp(verb->name, "requeue") == 0 || strcmp(verb->name, "rm") == 0 || strcmp(verb->name, "export") == 0;

        if (strstr(verb->synopsis, "ID...") == NULL)
            continue;
        RUN(&run, "help", verb->name);
        assert_contains(run.out, "\nID...:\n  ");
        assert_contains(run.out, "\n  SEQ-SEQ               a range, both ends included\n");
        assert_int_equal(strstr(run.out, "  SEQ:all               all that is parked of a batch") != NULL,
                         takes_parked);
        assert_int_equal(strstr(run.out, "  no ID                 what MongoDB does not have") != NULL,
                         strcmp(verb->name, "export") == 0);
        run_free(&run);
    }
}

static void test_output_that_cannot_be_written_fails(void **state)
{
    const char *argv[] = {"tracespool", "help", NULL};
    char *text;
    size_t len;
    FILE *full = fopen("/dev/full", "w");
    FILE *err = open_memstream(&text, &len);

    (void)state;
    assert_non_null(full);
    assert_int_equal(ctl_run(2, (char **)(uintptr_t)argv, full, err), CTL_FAILED);
    fclose(full);
    fclose(err);
    assert_string_equal(text, "tracespool help: cannot write the output: No space left on device\n");
    free(text);
}

/* --- docs/command.md ------------------------------------------------------- */

static void test_reference_has_every_verb_and_option(void **state)
{
    static char text[1 << 20];
    char wanted[128];
    FILE *file = fopen(SOURCE_DIR "/docs/command.md", "r");

    (void)state;
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    for (const struct ctl_option *option = ctl_options_global; option->name != NULL; option++) {
        snprintf(wanted, sizeof(wanted), "| `--%s%s%s`", option->name, option->argument != NULL ? " " : "",
                 option->argument != NULL ? option->argument : "");
        assert_contains(text, wanted);
    }
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        snprintf(wanted, sizeof(wanted), "\n## tracespool %s\n", verb->name);
        assert_contains(text, wanted);
        for (const struct ctl_option *option = verb->options; option->name != NULL; option++) {
            snprintf(wanted, sizeof(wanted), "| `--%s%s%s`", option->name, option->argument != NULL ? " " : "",
                     option->argument != NULL ? option->argument : "");
            assert_contains(text, wanted);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_verb_is_told_where_help_is),
        cmocka_unit_test(test_mistyped_verb_gets_a_suggestion),
        cmocka_unit_test(test_word_that_is_near_no_verb_gets_none),
        cmocka_unit_test(test_help_names_every_verb_and_option),
        cmocka_unit_test(test_help_says_what_an_id_is_verb_by_verb),
        cmocka_unit_test(test_help_option_is_the_verbs_help),
        cmocka_unit_test(test_help_of_an_unknown_verb_fails),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_unknown_option_is_named),
        cmocka_unit_test(test_mistyped_option_gets_a_suggestion),
        cmocka_unit_test(test_option_with_a_value_that_it_does_not_take_is_named),
        cmocka_unit_test(test_option_without_its_value_is_named),
        cmocka_unit_test(test_values_out_of_range_are_named),
        cmocka_unit_test(test_number_is_strict),
        cmocka_unit_test(test_configuration_that_is_named_must_be_there),
        cmocka_unit_test(test_broken_configuration_is_told_with_its_line),
        cmocka_unit_test(test_missing_spool_is_told),
        cmocka_unit_test(test_missing_spool_of_the_defaults_is_told_as_such),
        cmocka_unit_test(test_output_that_cannot_be_written_fails),
        cmocka_unit_test(test_reference_has_every_verb_and_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
