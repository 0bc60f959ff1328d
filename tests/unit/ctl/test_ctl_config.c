/*
 * test_ctl_config.c - keys in the syntax of the file and as JSON, from values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "clock.h"
#include "ctl_config.h"
#include "ctl_fixture.h"
#include "ctl_text.h"

static struct ctl_config_line line_of(const char *section, const char *name, enum conf_type type, uint64_t number,
                                      const char *text)
{
    struct ctl_config_line line = {.item = {.section = section, .name = name, .type = type, .number = number}};

    snprintf(line.item.text, sizeof(line.item.text), "%s", text);
    return line;
}

static void test_text_opens_and_closes_groups(void **state)
{
    struct ctl_config_line lines[] = {
        line_of("receiver", "threads", CONF_COUNT, 2, "2"),
        line_of("receiver.tls", "cert_file", CONF_TEXT, 0, ""),
        line_of("spool", "size", CONF_BYTES, 8ULL << 30, "8GiB"),
        line_of("spool", "reserve", CONF_BOOL, 1, "true"),
    };
    struct buf out;

    (void)state;
    lines[1].item.source = CONF_FROM_FILE;
    lines[1].item.file = "/etc/t.conf";
    lines[1].item.line = 12;
    lines[2].item.source = CONF_FROM_ENVIRONMENT;
    lines[3].by_option = true;
    buf_init(&out, 1UL << 16);
    for (size_t i = 0; i < 4; i++)
        ctl_config_text(i > 0 ? &lines[i - 1] : NULL, &lines[i], false, &out);
    ctl_config_text(&lines[3], NULL, false, &out);
    assert_string_equal(fixture_text(&out), "receiver = {\n"
                                            "  threads = 2;                               # default\n"
                                            "  tls = {\n"
                                            "    cert_file = \"\";                          # /etc/t.conf:12\n"
                                            "  };\n"
                                            "};\n"
                                            "spool = {\n"
                                            "  size = \"8GiB\";                             # MONGO_URI in the "
                                            "environment\n"
                                            "  reserve = true;                            # --spool\n"
                                            "};\n");
    buf_fini(&out);
}

static void test_text_cannot_leave_its_quotes_or_its_comment(void **state)
{
    struct ctl_config_line line = line_of("spool", "path", CONF_TEXT, 0, "/a\"; x = \"\\\n\033[2J스풀");
    struct buf out;

    (void)state;
    line.item.source = CONF_FROM_FILE;
    line.item.file = "a\nb";
    line.item.line = 1;
    buf_init(&out, 1UL << 16);
    ctl_config_text(NULL, &line, true, &out);
    assert_string_equal(fixture_text(&out), "spool = {\n"
                                            "  path = \"/a\\\"; x = \\\"\\\\\\x0a\\x1b[2J스풀\";   \033[33m # a\\nb:1"
                                            "\033[0m\n");
    buf_fini(&out);
}

static void test_json_has_numbers_for_programs(void **state)
{
    struct ctl_config_line size = line_of("spool", "size", CONF_BYTES, 1 << 20, "1MiB");
    struct ctl_config_line time = line_of("spool", "history", CONF_DURATION, 1500 * NS_PER_MS, "1500ms");
    struct ctl_config_line flag = line_of("spool", "reserve", CONF_BOOL, 0, "false");
    struct buf out;

    (void)state;
    time.item.source = CONF_FROM_FILE;
    time.item.file = "f";
    time.item.line = 3;
    flag.by_option = true;
    buf_init(&out, 1UL << 16);
    ctl_config_json(&size, &out);
    ctl_config_json(&time, &out);
    ctl_config_json(&flag, &out);
    assert_string_equal(fixture_text(&out),
                        "{\"key\":\"spool.size\",\"value\":\"1MiB\",\"bytes\":1048576,\"seconds\":null,\"origin\":"
                        "\"default\",\"file\":null,\"line\":null}\n"
                        "{\"key\":\"spool.history\",\"value\":\"1500ms\",\"bytes\":null,\"seconds\":1.5,\"origin\":"
                        "\"file\",\"file\":\"f\",\"line\":3}\n"
                        "{\"key\":\"spool.reserve\",\"value\":false,\"bytes\":null,\"seconds\":null,\"origin\":"
                        "\"option\",\"file\":null,\"line\":null}\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_opens_and_closes_groups),
        cmocka_unit_test(test_text_cannot_leave_its_quotes_or_its_comment),
        cmocka_unit_test(test_json_has_numbers_for_programs),
    };

    ctl_text_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
