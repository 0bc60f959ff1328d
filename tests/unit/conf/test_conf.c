/*
 * test_conf.c - every kind of problem, by file, line and text; and what a good load gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_list.h"

#define REPORT_MAX 16

struct report {
    unsigned count;
    char lines[REPORT_MAX][ERR_TEXT_MAX + 256]; /* "FILE:LINE: text", the directory cut off */
};

static char dir[] = "/tmp/tracespool-test-conf-XXXXXX";
static struct report report;
static struct conf conf;

static void note(void *context, const char *file, int line, const char *text)
{
    size_t dir_len = strlen(dir);

    assert_ptr_equal(context, &report);
    assert_true(report.count < REPORT_MAX);
    if (strncmp(file, dir, dir_len) == 0 && file[dir_len] == '/')
        file += dir_len + 1;
    snprintf(report.lines[report.count++], sizeof(report.lines[0]), "%s:%d: %s", file, line, text);
}

static void write_file(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static unsigned load(const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    report.count = 0;
    return conf_load(&conf, path, note, &report);
}

/* Loads `text` as t.conf and expects exactly these problems, in this order; the last is NULL. */
static void expect(const char *text, ...)
{
    const char *line;
    unsigned problems, count = 0;
    va_list lines;

    write_file("t.conf", text);
    problems = load("t.conf");
    assert_int_equal(problems, report.count);
    va_start(lines, text);
    while ((line = va_arg(lines, const char *)) != NULL) {
        assert_true(count < report.count);
        assert_string_equal(report.lines[count++], line);
    }
    va_end(lines);
    assert_int_equal(report.count, count);
    if (count == 0)
        conf_free(&conf);
}

/* "SECTION = { SETTING; };" is good when `problem` is NULL, else is this one problem of line 1. */
static void expect_key(const char *section, const char *setting, const char *problem)
{
    char text[1024], line[ERR_TEXT_MAX];

    snprintf(text, sizeof(text), "%s = { %s; };", section, setting);
    snprintf(line, sizeof(line), "t.conf:1: %s", problem == NULL ? "" : problem);
    expect(text, problem == NULL ? NULL : line, NULL);
}

static struct conf_item item;

/* "FILE:LINE VALUE" of a key, FILE without its directory; "default VALUE", "environment VALUE". */
static const char *listed(const char *section, const char *name)
{
    static char text[CONF_LIST_TEXT_MAX + 256];

    for (size_t i = 0; i < conf_list_count(); i++) {
        conf_list_get(&conf, i, &item);
        if (strcmp(item.section, section) != 0 || strcmp(item.name, name) != 0)
            continue;
        if (item.source == CONF_FROM_FILE)
            snprintf(text, sizeof(text), "%s:%d %s", item.file[0] == '/' ? strrchr(item.file, '/') + 1 : item.file,
                     item.line, item.text);
        else
            snprintf(text, sizeof(text), "%s %s", item.source == CONF_FROM_DEFAULT ? "default" : "environment",
                     item.text);
        return text;
    }
    fail();
    return NULL;
}

static void test_list_knows_where_each_value_came_from(void **state)
{
    (void)state;
    write_file("more.conf", "\n\nflush = { rate = 7; };\n");
    write_file("list.conf", "receiver = { threads = 3;\n  tls = { key_file = \"/k\"; cert_file = \"/c\"; }; };\n"
                            "mongodb = { uri = \"mongodb://a/\"; database = \"d\"; };\n"
                            "@include \"more.conf\"\n");
    setenv("MONGO_URI", "mongodb://b/", 1);
    assert_int_equal(load("list.conf"), 0);
    unsetenv("MONGO_URI");
    /* The file is closed by now, and its tree gone. */
    assert_string_equal(listed("receiver", "threads"), "list.conf:1 3");
    assert_string_equal(listed("receiver.tls", "key_file"), "list.conf:2 /k");
    assert_string_equal(listed("receiver", "grpc"), "default 127.0.0.1:4317");
    assert_string_equal(listed("mongodb", "database"), "list.conf:3 d");
    assert_string_equal(listed("mongodb", "uri"), "environment mongodb://b/");
    assert_string_equal(listed("flush", "rate"), "more.conf:3 7");
    conf_free(&conf);
    assert_null(conf.origins);
}

static void test_list_says_exactly_what_is_in_effect(void **state)
{
    (void)state;
    write_file("list.conf", "receiver = { read_timeout = \"1.5s\"; idle_timeout = \"90m\"; insecure = true; };\n"
                            "spool = { size = \"1.5GiB\"; history = \"1w\"; };\n"
                            "mongodb = { retention = \"0\"; };\n");
    assert_int_equal(load("list.conf"), 0);
    assert_string_equal(listed("receiver", "read_timeout"), "list.conf:1 1500ms");
    assert_int_equal(item.number, 1500 * NS_PER_MS);
    assert_string_equal(listed("receiver", "idle_timeout"), "list.conf:1 90m");
    assert_string_equal(listed("receiver", "insecure"), "list.conf:1 true");
    assert_int_equal(item.number, 1);
    assert_string_equal(listed("spool", "size"), "list.conf:2 1536MiB");
    assert_string_equal(listed("spool", "history"), "list.conf:2 7d");
    assert_string_equal(listed("spool", "reserve"), "default true");
    assert_string_equal(listed("mongodb", "retention"), "list.conf:3 0");
    conf_free(&conf);
}

static void test_load_without_file_gives_defaults(void **state)
{
    (void)state;
    report.count = 0;
    assert_int_equal(conf_load(&conf, NULL, note, &report), 0);
    assert_string_equal(conf.receiver.grpc, "127.0.0.1:4317");
    assert_string_equal(conf.receiver.http, "127.0.0.1:4318");
    assert_false(conf.receiver.insecure);
    assert_int_equal(conf.receiver.threads, 2);
    assert_int_equal(conf.receiver.max_request_bytes, 64 << 20);
    assert_int_equal(conf.receiver.max_depth, 90);
    assert_int_equal(conf.receiver.max_in_flight_bytes, 256 << 20);
    assert_int_equal(conf.receiver.max_connections, 1024);
    assert_int_equal(conf.receiver.max_calls, 1024);
    assert_int_equal(conf.receiver.max_header_bytes, 16 << 10);
    assert_true(conf.receiver.read_timeout == 30 * NS_PER_S);
    assert_true(conf.receiver.idle_timeout == 600 * NS_PER_S);
    assert_int_equal(conf.receiver.stop_timeout, 10 * NS_PER_S);
    assert_string_equal(conf.receiver.bearer_tokens_file, "");
    assert_string_equal(conf.receiver_tls.cert_file, "");
    assert_string_equal(conf.receiver_tls.key_file, "");
    assert_string_equal(conf.receiver_tls.client_ca_file, "");
    assert_string_equal(conf.spool.path, "/var/lib/tracespool");
    assert_true(conf.spool.size == 8ULL << 30);
    assert_true(conf.spool.reserve);
    assert_true(conf.spool.history == 7 * NS_PER_DAY);
    assert_int_equal(conf.flush.threads, 2);
    assert_int_equal(conf.flush.batch_documents, 1000);
    assert_string_equal(conf.mongodb.uri, "mongodb://127.0.0.1:27017");
    assert_string_equal(conf.mongodb.database, "tracing");
    assert_string_equal(conf.mongodb.compressor, "zstd");
    assert_true(conf.mongodb.retention == 30 * NS_PER_DAY);
    assert_string_equal(conf.mongodb.min_free, "10%");
    assert_string_equal(conf.mongodb.when_full, "wait");
    assert_false(conf.mongodb.shard);
    assert_string_equal(conf.admin.listen, "127.0.0.1:9464");
    assert_string_equal(conf.tracing.endpoint, "");
    assert_string_equal(conf.tracing.sample_ratio, "1%");
    assert_string_equal(conf.tracing.ca_file, "");
    assert_string_equal(conf.tracing.token_file, "");
    assert_string_equal(conf.log.level, "info");
    assert_string_equal(conf.log.format, "logfmt");
    conf_free(&conf);
    assert_null(conf.mongodb.uri);
}

static void test_load_file_wins_over_defaults(void **state)
{
    (void)state;
    write_file("good.conf", "receiver = { grpc = \"[::1]:0\"; threads = 0x3; stop_timeout = \"0\"; };\n"
                            "spool = { path = \"/x\"; size = \"1.5GiB\"; reserve = false; };\n"
                            "admin = { listen = \"\"; };\n");
    assert_int_equal(load("good.conf"), 0);
    assert_string_equal(conf.receiver.grpc, "[::1]:0");
    assert_int_equal(conf.receiver.threads, 3);
    assert_int_equal(conf.receiver.stop_timeout, 0);
    assert_string_equal(conf.spool.path, "/x");
    assert_true(conf.spool.size == 3ULL << 29);
    assert_false(conf.spool.reserve);
    assert_string_equal(conf.admin.listen, "");
    assert_true(conf.spool.history == 7 * NS_PER_DAY);
    conf_free(&conf);
}

static void test_load_sets_every_key_of_the_receiver(void **state)
{
    (void)state;
    write_file("good.conf",
               "receiver = { grpc = \"0.0.0.0:1\"; http = \"unix:/run/otlp.sock\"; insecure = true; threads = 64;\n"
               "  max_request_bytes = \"1MiB\"; max_depth = 7; max_in_flight_bytes = \"3MiB\";\n"
               "  max_connections = 5; max_calls = 6; max_header_bytes = \"8KiB\"; read_timeout = \"250ms\";\n"
               "  idle_timeout = \"2h\"; bearer_tokens_file = \"/t\";\n"
               "  tls = { cert_file = \"/c\"; key_file = \"/k\"; client_ca_file = \"/a\"; }; };\n");
    assert_int_equal(load("good.conf"), 0);
    assert_string_equal(conf.receiver.grpc, "0.0.0.0:1");
    assert_string_equal(conf.receiver.http, "unix:/run/otlp.sock");
    assert_true(conf.receiver.insecure);
    assert_int_equal(conf.receiver.threads, 64);
    assert_int_equal(conf.receiver.max_request_bytes, 1 << 20);
    assert_int_equal(conf.receiver.max_depth, 7);
    assert_int_equal(conf.receiver.max_in_flight_bytes, 3 << 20);
    assert_int_equal(conf.receiver.max_connections, 5);
    assert_int_equal(conf.receiver.max_calls, 6);
    assert_int_equal(conf.receiver.max_header_bytes, 8 << 10);
    assert_true(conf.receiver.read_timeout == 250 * NS_PER_MS);
    assert_true(conf.receiver.idle_timeout == 7200 * NS_PER_S);
    assert_string_equal(conf.receiver.bearer_tokens_file, "/t");
    assert_string_equal(conf.receiver_tls.cert_file, "/c");
    assert_string_equal(conf.receiver_tls.key_file, "/k");
    assert_string_equal(conf.receiver_tls.client_ca_file, "/a");
    conf_free(&conf);
    assert_null(conf.receiver_tls.cert_file);
}

static void test_load_empty_file_is_good(void **state)
{
    (void)state;
    expect("", NULL);
    expect("# nothing but a comment\n", NULL);
}

static void test_load_missing_file_has_line_zero(void **state)
{
    (void)state;
    assert_int_equal(load("missing.conf"), 1);
    assert_string_equal(report.lines[0], "missing.conf:0: cannot open: No such file or directory");
}

static void test_load_directory_is_refused(void **state)
{
    (void)state;
    report.count = 0;
    assert_int_equal(conf_load(&conf, dir, note, &report), 1);
    assert_non_null(strstr(report.lines[0], ":0: cannot open: Is a directory"));
}

static void test_load_syntax_error_names_line(void **state)
{
    (void)state;
    expect("spool = {\n  path = \"/x\";\n  size = ;\n};\n", "t.conf:3: syntax error", NULL);
    expect("spool.size = \"1GiB\";\n", "t.conf:1: syntax error", NULL);
    expect("spool = { reserve = yes; };\n", "t.conf:1: syntax error", NULL);
    expect("log = { level = \"info\";\n level = \"warn\"; };\n", "t.conf:2: duplicate setting name", NULL);
}

static void test_load_unknown_section_suggests_nearest(void **state)
{
    (void)state;
    expect("\nspol = { };\n", "t.conf:2: unknown section spol, did you mean spool?", NULL);
    expect("mongo = 1;\n", "t.conf:1: unknown section mongo, did you mean mongodb?", NULL);
    expect("exporters = { };\n", "t.conf:1: unknown section exporters", NULL);
    expect("a_section_with_a_name_far_longer_than_any = { };\n",
           "t.conf:1: unknown section a_section_with_a_name_far_longer_than_any", NULL);
}

static void test_load_unknown_key_suggests_nearest(void **state)
{
    (void)state;
    expect("spool = {\n  siz = \"1GiB\";\n};\n", "t.conf:2: unknown key spool.siz, did you mean spool.size?", NULL);
    expect_key("receiver", "max_request_byte = \"1MiB\"",
               "unknown key receiver.max_request_byte, did you mean receiver.max_request_bytes?");
    expect_key("flush", "ordr = \"both\"", "unknown key flush.ordr, did you mean flush.order?");
    expect_key("flush", "size = \"1GiB\"", "unknown key flush.size");
}

static void test_load_unknown_key_of_a_nested_group_suggests_nearest(void **state)
{
    (void)state;
    expect("receiver = {\n tls = {\n  crt_file = \"/c\"; }; };\n",
           "t.conf:3: unknown key receiver.tls.crt_file, did you mean receiver.tls.cert_file?", NULL);
    expect_key("receiver", "tls = { ciphers = \"ALL\"; }", "unknown key receiver.tls.ciphers");
    expect_key("receiver", "tsl = { }", "unknown key receiver.tsl");
    expect_key("receiver", "tlss = { cert_file = \"/c\"; }", "unknown key receiver.tlss, did you mean receiver.tls?");
    expect_key("receiver", "cert_file = \"/c\"", "unknown key receiver.cert_file");
    expect_key("receiver", "tls = { tls = { }; }", "unknown key receiver.tls.tls");
    /* A group is one of its section only. */
    expect_key("admin", "tls = { }", "unknown key admin.tls");
    expect("tls = { };\n", "t.conf:1: unknown section tls", NULL);
}

static void test_load_section_that_is_no_group(void **state)
{
    (void)state;
    expect("spool = \"/var\";\n", "t.conf:1: spool: is a text, must be a group: spool = { ... };", NULL);
    expect("log = ( 1, 2 );\n", "t.conf:1: log: is a list, must be a group: log = { ... };", NULL);
    expect_key("receiver", "tls = \"/c\"", "receiver.tls: is a text, must be a group: tls = { ... };");
    expect_key("receiver", "tls = true", "receiver.tls: is a truth value, must be a group: tls = { ... };");
}

static void test_load_wrong_type(void **state)
{
    (void)state;
    expect_key("spool", "path = 5", "spool.path: is a whole number, must be a text in quotes");
    expect_key("spool", "size = 1073741824",
               "spool.size: is a whole number, must be a size in quotes, such as \"8GiB\"");
    expect_key("spool", "history = 7.5",
               "spool.history: is a number with a fraction, must be a duration in quotes, such as \"7d\"");
    expect_key("spool", "reserve = \"true\"", "spool.reserve: is a text, must be true or false");
    expect_key("flush", "threads = true", "flush.threads: is a truth value, must be a whole number");
    expect_key("flush", "threads = \"2\"", "flush.threads: is a text, must be a whole number");
    expect_key("receiver", "insecure = \"yes\"", "receiver.insecure: is a text, must be true or false");
    expect_key("receiver", "idle_timeout = 30",
               "receiver.idle_timeout: is a whole number, must be a duration in quotes, such as \"10m\"");
    expect_key("receiver", "tls = { cert_file = 1; }",
               "receiver.tls.cert_file: is a whole number, must be a text in quotes");
    expect_key("log", "level = { }", "log.level: is a group, must be a text in quotes");
    expect_key("log", "level = [ \"info\" ]", "log.level: is a list, must be a text in quotes");
}

static void test_load_bad_size_and_duration(void **state)
{
    (void)state;
    expect_key("spool", "size = \"8G\"", "spool.size: \"8G\" is not a size, write it as \"8GiB\"");
    expect_key("spool", "size = \"\"", "spool.size: \"\" is not a size, write it as \"8GiB\"");
    expect_key("spool", "history = \"7 days\"", "spool.history: \"7 days\" is not a duration, write it as \"7d\"");
    expect_key("receiver", "stop_timeout = \"10\"",
               "receiver.stop_timeout: \"10\" is not a duration, write it as \"10s\"");
}

static void test_load_out_of_range(void **state)
{
    (void)state;
    expect_key("spool", "size = \"16777215\"",
               "spool.size: \"16777215\" is out of range, must be from 16.0 MiB to 16.0 TiB");
    expect_key("spool", "size = \"17TiB\"", "spool.size: \"17TiB\" is out of range, must be from 16.0 MiB to 16.0 TiB");
    expect_key("receiver", "stop_timeout = \"11m\"",
               "receiver.stop_timeout: \"11m\" is out of range, must be from 0 ns to 10 m 0 s");
    expect_key("flush", "threads = 0", "flush.threads: is out of range, must be from 1 to 16");
    expect_key("flush", "threads = 17", "flush.threads: is out of range, must be from 1 to 16");
    expect_key("flush", "threads = -1", "flush.threads: is out of range, must be from 1 to 16");
    expect_key("flush", "threads = 9000000000L", "flush.threads: is out of range, must be from 1 to 16");
    expect_key("spool", "path = \"\"", "spool.path: is 0 characters long, must be from 1 to 4000");
    expect_key("mongodb", "database = \"d23456789.123456789.123456789.123456789.123456789.123456789.1234\"",
               "mongodb.database: is 64 characters long, must be from 1 to 63");
    expect_key("flush", "threads = 16", NULL);
}

static void test_load_receiver_out_of_range(void **state)
{
    (void)state;
    expect_key("receiver", "max_depth = 0", "receiver.max_depth: is out of range, must be from 1 to 90");
    expect_key("receiver", "max_depth = 91", "receiver.max_depth: is out of range, must be from 1 to 90");
    expect_key("receiver", "max_depth = 1", NULL);
    expect_key("receiver", "max_in_flight_bytes = \"1048575\"",
               "receiver.max_in_flight_bytes: \"1048575\" is out of range, must be from 1.00 MiB to 64.0 GiB");
    expect_key("receiver", "max_in_flight_bytes = \"65GiB\"",
               "receiver.max_in_flight_bytes: \"65GiB\" is out of range, must be from 1.00 MiB to 64.0 GiB");
    expect_key("receiver", "max_in_flight_bytes = \"64GiB\"", NULL);
    expect_key("receiver", "max_connections = 0",
               "receiver.max_connections: is out of range, must be from 1 to 100000");
    expect_key("receiver", "max_connections = 100001",
               "receiver.max_connections: is out of range, must be from 1 to 100000");
    expect_key("receiver", "max_connections = 100000", NULL);
    expect_key("receiver", "max_calls = 0", "receiver.max_calls: is out of range, must be from 1 to 100000");
    expect_key("receiver", "max_calls = 100001", "receiver.max_calls: is out of range, must be from 1 to 100000");
    expect_key("receiver", "max_calls = 1", NULL);
    expect_key("receiver", "max_header_bytes = \"4095\"",
               "receiver.max_header_bytes: \"4095\" is out of range, must be from 4.00 KiB to 1.00 MiB");
    expect_key("receiver", "max_header_bytes = \"2MiB\"",
               "receiver.max_header_bytes: \"2MiB\" is out of range, must be from 4.00 KiB to 1.00 MiB");
    expect_key("receiver", "read_timeout = \"99ms\"",
               "receiver.read_timeout: \"99ms\" is out of range, must be from 100 ms to 10 m 0 s");
    expect_key("receiver", "read_timeout = \"11m\"",
               "receiver.read_timeout: \"11m\" is out of range, must be from 100 ms to 10 m 0 s");
    expect_key("receiver", "idle_timeout = \"999ms\"",
               "receiver.idle_timeout: \"999ms\" is out of range, must be from 1.0 s to 1 d 0 h");
    expect_key("receiver", "idle_timeout = \"25h\"",
               "receiver.idle_timeout: \"25h\" is out of range, must be from 1.0 s to 1 d 0 h");
    expect_key("receiver", "idle_timeout = \"1s\"", NULL);
}

/* The text of a key that takes at most 4000 characters. */
static void expect_long_path(const char *before, const char *after, const char *problem)
{
    char path[4002] = "", text[4200];

    memset(path, 'p', sizeof(path) - 1);
    snprintf(text, sizeof(text), "receiver = { %s\"%s\"%s };", before, path, after);
    expect(text, problem, NULL);
}

static void test_load_long_paths_are_refused(void **state)
{
    (void)state;
    expect_long_path("bearer_tokens_file = ", ";",
                     "t.conf:1: receiver.bearer_tokens_file: is 4001 characters long, must be from 0 to 4000");
    expect_long_path("tls = { cert_file = ", "; };",
                     "t.conf:1: receiver.tls.cert_file: is 4001 characters long, must be from 0 to 4000");
    expect_long_path("tls = { key_file = ", "; };",
                     "t.conf:1: receiver.tls.key_file: is 4001 characters long, must be from 0 to 4000");
    expect_long_path("tls = { client_ca_file = ", "; };",
                     "t.conf:1: receiver.tls.client_ca_file: is 4001 characters long, must be from 0 to 4000");
}

static void test_load_malformed_address(void **state)
{
    (void)state;
    expect_key("receiver", "grpc = \"4317\"",
               "receiver.grpc: has no port, write it as \"127.0.0.1:4317\" or \"[::1]:4317\"");
    expect_key("receiver", "grpc = \"[::1]\"",
               "receiver.grpc: has no port, write it as \"127.0.0.1:4317\" or \"[::1]:4317\"");
    expect_key("receiver", "grpc = \":4317\"", "receiver.grpc: has no host, write it as \"127.0.0.1:4317\"");
    expect_key("receiver", "grpc = \"localhost:otlp\"", "receiver.grpc: has no valid port, must be from 0 to 65535");
    expect_key("receiver", "grpc = \"localhost:65536\"", "receiver.grpc: has no valid port, must be from 0 to 65535");
    expect_key("receiver", "grpc = \"localhost:\"", "receiver.grpc: has no valid port, must be from 0 to 65535");
    expect_key("receiver", "grpc = \"::1:4317\"",
               "receiver.grpc: has more than one colon, write an IPv6 address as \"[::1]:4317\"");
    expect_key("receiver", "grpc = \"[::1:4317\"", "receiver.grpc: lacks \"]\", write it as \"[::1]:4317\"");
    expect_key("receiver", "grpc = \"[fe80::g]:1\"", "receiver.grpc: \"fe80::g\" is not an IPv6 address");
    expect_key("receiver", "grpc = \"local host:1\"",
               "receiver.grpc: has a host with characters other than letters, digits, \".-_\"");
    expect_key("receiver", "grpc = \"http://localhost:1\"",
               "receiver.grpc: has more than one colon, write an IPv6 address as \"[::1]:4317\"");
    expect_key("admin", "listen = \"9464\"",
               "admin.listen: has no port, write it as \"127.0.0.1:4317\" or \"[::1]:4317\"");
    expect_key("receiver", "http = \"4318\"",
               "receiver.http: has no port, write it as \"127.0.0.1:4317\" or \"[::1]:4317\"");
    expect_key("receiver", "grpc = \"[fe80::1%eth0]:4317\"; insecure = true", NULL);
    expect_key("receiver", "grpc = \"trace-spool.example_1:4317\"; insecure = true", NULL);
}

static void test_load_address_of_a_unix_socket(void **state)
{
    char setting[200] = "grpc = \"unix:/";
    size_t len = strlen(setting);

    (void)state;
    expect_key("receiver", "grpc = \"unix:/run/tracespool/otlp.sock\"", NULL);
    expect_key("receiver", "http = \"unix:run/otlp.sock\"",
               "receiver.http: has no absolute path, write it as \"unix:/run/tracespool/otlp.sock\"");
    expect_key("receiver", "grpc = \"unix:\"",
               "receiver.grpc: has no absolute path, write it as \"unix:/run/tracespool/otlp.sock\"");
    expect_key("admin", "listen = \"unix:/run/admin.sock\"",
               "admin.listen: has no valid port, must be from 0 to 65535");
    memset(setting + len, 'p', 106);
    strcpy(setting + len + 106, "\"");
    expect_key("receiver", setting, NULL);
    strcpy(setting + len + 106, "p\"");
    expect_key("receiver", setting, "receiver.grpc: has a path of more than 107 characters");
}

#define EXPOSED(key, address)                                                                                          \
    "receiver." key ": \"" address "\" can be reached from other machines and has no TLS: set receiver.tls.cert_file " \
    "and receiver.tls.key_file, or listen on 127.0.0.1, or set receiver.insecure = true where the network is trusted"

static void test_load_address_of_this_machine_needs_nothing(void **state)
{
    (void)state;
    expect_key("receiver", "grpc = \"127.0.0.1:0\"; http = \"127.255.0.9:1\"", NULL);
    expect_key("receiver", "grpc = \"[::1]:4317\"; http = \"[0:0:0:0:0:0:0:1]:1\"", NULL);
    expect_key("receiver", "grpc = \"localhost:4317\"; http = \"LocalHost:4318\"", NULL);
    expect_key("receiver", "grpc = \"\"; http = \"unix:/run/otlp.sock\"", NULL);
    expect_key("receiver", "grpc = \"[::1]:4317\"; http = \"\"", NULL);
}

static void test_load_address_for_other_machines_without_tls(void **state)
{
    (void)state;
    expect_key("receiver", "grpc = \"0.0.0.0:4317\"", EXPOSED("grpc", "0.0.0.0:4317"));
    expect_key("receiver", "grpc = \"[::]:4317\"", EXPOSED("grpc", "[::]:4317"));
    expect_key("receiver", "http = \"10.0.0.1:4318\"", EXPOSED("http", "10.0.0.1:4318"));
    expect_key("receiver", "http = \"128.0.0.1:1\"; insecure = false", EXPOSED("http", "128.0.0.1:1"));
    expect_key("receiver", "grpc = \"[::ffff:127.0.0.1]:1\"", EXPOSED("grpc", "[::ffff:127.0.0.1]:1"));
    expect_key("receiver", "grpc = \"localhost.example:1\"", EXPOSED("grpc", "localhost.example:1"));
    expect("receiver = {\n  grpc = \"0.0.0.0:1\";\n  http = \"tracespool:2\";\n};\n",
           "t.conf:2: " EXPOSED("grpc", "0.0.0.0:1"), "t.conf:3: " EXPOSED("http", "tracespool:2"), NULL);
    expect_key("receiver", "grpc = \"0.0.0.0:1\"; http = \"[::]:2\"; insecure = true", NULL);
    expect_key("receiver", "grpc = \"0.0.0.0:1\"; http = \"[::]:2\"; tls = { cert_file = \"/c\"; key_file = \"/k\"; }",
               NULL);
    /* A value that is wrong by itself is not compared. */
    expect_key("receiver", "grpc = \"0.0.0.0:1\"; insecure = 1",
               "receiver.insecure: is a whole number, must be true or false");
}

static void test_load_no_endpoint_at_all(void **state)
{
    (void)state;
    expect("receiver = {\n  http = \"\";\n  grpc = \"\"; };\n",
           "t.conf:3: receiver.grpc and receiver.http are both empty: nothing could be received", NULL);
}

static void test_load_tls_in_part(void **state)
{
    (void)state;
    expect("receiver = {\n  tls = {\n    cert_file = \"/c\"; }; };\n",
           "t.conf:3: receiver.tls.cert_file: needs receiver.tls.key_file beside it", NULL);
    expect_key("receiver", "tls = { key_file = \"/k\"; }",
               "receiver.tls.key_file: needs receiver.tls.cert_file beside it");
    expect_key("receiver", "tls = { client_ca_file = \"/a\"; }",
               "receiver.tls.client_ca_file: needs receiver.tls.cert_file and receiver.tls.key_file beside it");
    expect_key("receiver", "tls = { cert_file = \"/c\"; key_file = \"/k\"; }", NULL);
    expect_key("receiver", "tls = { }", NULL);
}

static void test_load_requests_larger_than_what_is_in_flight(void **state)
{
    (void)state;
    expect("receiver = {\n  max_request_bytes = \"64MiB\";\n  max_in_flight_bytes = \"127MiB\"; };\n",
           "t.conf:3: receiver.max_in_flight_bytes: 127 MiB is too small, must be at least 128 MiB, 2 times "
           "receiver.max_request_bytes",
           NULL);
    /* At the line of the one that the file names. */
    expect("receiver = {\n  max_request_bytes = \"256MiB\"; };\n",
           "t.conf:2: receiver.max_in_flight_bytes: 256 MiB is too small, must be at least 512 MiB, 2 times "
           "receiver.max_request_bytes",
           NULL);
    expect_key("receiver", "max_request_bytes = \"128MiB\"", NULL);
}

static void test_load_long_host_is_refused(void **state)
{
    char setting[400] = "listen = \"";

    (void)state;
    memset(setting + strlen(setting), 'h', 253);
    strcat(setting, ":1\"");
    expect_key("admin", setting, NULL);
    memset(setting + strlen("listen = \""), 'h', 256);
    strcpy(setting + strlen("listen = \"") + 256, ":1\"");
    expect_key("admin", setting, "admin.listen: has a host of more than 255 characters");
}

static void test_load_malformed_names(void **state)
{
    (void)state;
    expect_key("log", "level = \"x\"", "log.level: must be debug, info, warn or error");
    expect_key("log", "level = \"INFO\"", "log.level: must be debug, info, warn or error");
    expect_key("log", "format = \"xml\"", "log.format: must be logfmt or json");
    expect_key("mongodb", "compressor = \"lz4\"", "mongodb.compressor: must be zstd, snappy, zlib or none");
    expect_key("spool", "when_full = \"dropoldest\"", "spool.when_full: must be refuse or drop_oldest");
    expect_key("spool", "when_full = \"drop_oldest\"", NULL);
    expect_key("flush", "order = \"newest\"", "flush.order: must be oldest_first, newest_first or both");
    expect_key("flush", "order = \"newest_first\"", NULL);
    expect_key("mongodb", "compressor = \"none\"", NULL);
    expect_key("mongodb", "when_full = \"refuse\"", "mongodb.when_full: must be wait or drop_oldest");
    expect_key("mongodb", "when_full = \"drop_oldest\"", NULL);
    expect_key("log", "format = \"json\"", NULL);
}

static void test_load_bad_uri_is_not_repeated(void **state)
{
    (void)state;
    expect_key("mongodb", "uri = \"http://user:secret@h\"",
               "mongodb.uri: must begin with mongodb:// or mongodb+srv://");
    expect_key("mongodb", "uri = \"mongodb+srv://user:secret@h\"", NULL);
}

static void test_load_spool_smaller_than_requests(void **state)
{
    (void)state;
    expect("receiver = { };\nspool = {\n  size = \"255MiB\";\n};\n",
           "t.conf:3: spool.size: 255 MiB is too small, must be at least 256 MiB, 4 times receiver.max_request_bytes",
           NULL);
    expect("spool = { size = \"256MiB\"; };\n", NULL);
    expect("receiver = { max_request_bytes = \"1GiB\"; max_in_flight_bytes = \"2GiB\"; };\n", NULL);
    expect("receiver = { max_request_bytes = \"4MiB\"; }; spool = { size = \"16MiB\"; };\n", NULL);
    /* A value that is wrong by itself is not compared. */
    expect("receiver = { max_request_bytes = \"1\"; }; spool = { size = \"16MiB\"; };\n",
           "t.conf:1: receiver.max_request_bytes: \"1\" is out of range, must be from 64.0 KiB to 1.00 GiB", NULL);
}

static void test_load_reports_every_problem_in_order(void **state)
{
    (void)state;
    expect("reciever = { };\n"
           "spool = { path = 1;\n"
           "  size = \"x\"; };\n"
           "log = { color = true; };\n",
           "t.conf:1: unknown section reciever, did you mean receiver?",
           "t.conf:2: spool.path: is a whole number, must be a text in quotes",
           "t.conf:3: spool.size: \"x\" is not a size, write it as \"8GiB\"", "t.conf:4: unknown key log.color", NULL);
}

static void test_load_include_reports_its_own_name(void **state)
{
    (void)state;
    write_file("part.conf", "# a comment\nflush = { threads = 99; };\n");
    expect("@include \"part.conf\"\n\nspool = { sise = \"1GiB\"; };\n",
           "part.conf:2: flush.threads: is out of range, must be from 1 to 16",
           "t.conf:3: unknown key spool.sise, did you mean spool.size?", NULL);
    write_file("part.conf", "flush = {\n threads = = 1; };\n");
    expect("log = { };\n@include \"part.conf\"\n", "part.conf:2: syntax error", NULL);
    write_file("part.conf", "flush = { threads = 3; };\n");
    write_file("t.conf", "@include \"part.conf\"\n");
    assert_int_equal(load("t.conf"), 0);
    assert_int_equal(conf.flush.threads, 3);
    conf_free(&conf);
}

static void test_load_missing_include_says_where_it_looked(void **state)
{
    char line[256];

    (void)state;
    snprintf(line, sizeof(line), "t.conf:2: cannot open include file, its path is relative to %s", dir);
    expect("log = { };\n@include \"nowhere.conf\"\n", line, NULL);
    expect("@include \"t.conf\"\n", "t.conf:1: include file nesting too deep", NULL);
}

static void test_load_path_without_directory(void **state)
{
    char *before = getcwd(NULL, 0);

    (void)state;
    assert_non_null(before);
    write_file("part.conf", "flush = { threads = 4; };\n");
    write_file("t.conf", "@include \"part.conf\"\n");
    assert_int_equal(chdir(dir), 0);
    report.count = 0;
    assert_int_equal(conf_load(&conf, "t.conf", note, &report), 0);
    assert_int_equal(conf.flush.threads, 4);
    conf_free(&conf);
    assert_int_equal(chdir(before), 0);
    free(before);
}

static void test_load_environment_wins(void **state)
{
    (void)state;
    write_file("t.conf", "mongodb = { uri = \"mongodb://file\"; };\n");
    assert_int_equal(setenv("MONGO_URI", "mongodb://user:secret@environment/", 1), 0);
    assert_int_equal(load("t.conf"), 0);
    assert_string_equal(conf.mongodb.uri, "mongodb://user:secret@environment/");
    conf_free(&conf);
}

static void test_load_bad_environment_is_not_repeated(void **state)
{
    (void)state;
    assert_int_equal(setenv("MONGO_URI", "user:secret@host", 1), 0);
    expect("", "environment:0: MONGO_URI: must begin with mongodb:// or mongodb+srv://", NULL);
    assert_int_equal(setenv("MONGO_URI", "", 1), 0);
    expect("mongodb = { uri = \"x\"; };", "t.conf:1: mongodb.uri: must begin with mongodb:// or mongodb+srv://",
           "environment:0: MONGO_URI: must begin with mongodb:// or mongodb+srv://", NULL);
}

static int forget_environment(void **state)
{
    (void)state;
    return unsetenv("MONGO_URI");
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"t.conf", "good.conf", "part.conf", "list.conf", "more.conf"};
    char path[256];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static void test_min_free_is_a_share_or_a_size(void **state)
{
    (void)state;
    expect_key("mongodb", "min_free = \"0\"", NULL);
    expect_key("mongodb", "min_free = \"2.5 %\"", NULL);
    expect_key("mongodb", "min_free = \"5GiB\"", NULL);
    expect_key("mongodb", "min_free = \"5GB\"", NULL);
    expect_key("mongodb", "min_free = \"10 percent\"",
               "mongodb.min_free: \"10 percent\" is neither a share nor a size, write it as \"10%\" or \"5GiB\"");
    expect_key("mongodb", "min_free = \"\"",
               "mongodb.min_free: \"\" is neither a share nor a size, write it as \"10%\" or \"5GiB\"");
    expect_key("mongodb", "min_free = \"95%\"",
               "mongodb.min_free: \"95%\" is out of range, a share must be from 0% to 90%");
    expect_key("mongodb", "min_free = 10", "mongodb.min_free: is a whole number, must be a text in quotes");
    expect_key("mongodb", "retention = \"3651d\"",
               "mongodb.retention: \"3651d\" is out of range, must be from 0 ns to 3650 d 0 h");
    expect_key("mongodb", "retention = \"0\"", NULL);
}

static void test_tracing_endpoint_is_a_url(void **state)
{
    (void)state;
    expect_key("tracing", "endpoint = \"\"", NULL);
    expect_key("tracing", "endpoint = \"http://127.0.0.1:4318\"", NULL);
    expect_key("tracing", "endpoint = \"https://collector.example/otlp/\"", NULL);
    expect_key("tracing", "endpoint = \"http://[::1]\"", NULL);
    expect_key("tracing", "endpoint = \"http://[fe80::1%eth0]:4318/\"", NULL);
    expect_key("tracing", "endpoint = \"127.0.0.1:4318\"",
               "tracing.endpoint: must begin with http:// or https://, such as \"http://127.0.0.1:4318\"");
    expect_key("tracing", "endpoint = \"HTTP://127.0.0.1\"",
               "tracing.endpoint: must begin with http:// or https://, such as \"http://127.0.0.1:4318\"");
    expect_key("tracing", "endpoint = \"https:///v1/traces\"",
               "tracing.endpoint: has no host, write it as \"127.0.0.1:4317\"");
    expect_key("tracing", "endpoint = \"http://h:x\"", "tracing.endpoint: has no valid port, must be from 0 to 65535");
    expect_key("tracing", "endpoint = \"http://[::1\"", "tracing.endpoint: lacks \"]\", write it as \"[::1]:4317\"");
    expect_key("tracing", "endpoint = \"https://user:secret@h\"",
               "tracing.endpoint: must hold no user and password: a token belongs into tracing.token_file");
    expect_key("tracing", "endpoint = \"http://h/a?b\"",
               "tracing.endpoint: must end with the path: /v1/traces is added to it");
    expect_key("tracing", "endpoint = \"http://h#f\"",
               "tracing.endpoint: must end with the path: /v1/traces is added to it");
    expect_key("tracing", "endpoint = \"http://h/\\t\"", "tracing.endpoint: has characters that no URL has");
}

static void test_tracing_ratio_is_a_share(void **state)
{
    (void)state;
    expect_key("tracing", "sample_ratio = \"0%\"", NULL);
    expect_key("tracing", "sample_ratio = \"0.01%\"", NULL);
    expect_key("tracing", "sample_ratio = \"100%\"", NULL);
    expect_key("tracing", "sample_ratio = \"1.5\"",
               "tracing.sample_ratio: \"1.5\" is not a share, write it as \"1%\", from 0% to 100%");
    expect_key("tracing", "sample_ratio = 0.01",
               "tracing.sample_ratio: is a number with a fraction, must be a text in quotes");
}

static void test_tracing_ca_needs_tls(void **state)
{
    (void)state;
    expect("tracing = {\n  endpoint = \"http://h\";\n  ca_file = \"/a\"; };\n",
           "t.conf:3: tracing.ca_file: needs a tracing.endpoint that begins with https://", NULL);
    expect("tracing = { endpoint = \"https://h\"; ca_file = \"/a\"; token_file = \"/t\"; };\n", NULL);
    expect("tracing = { ca_file = \"/a\"; };\n", NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, forget_environment, forget_environment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list_knows_where_each_value_came_from),
        TEST(test_list_says_exactly_what_is_in_effect),
        TEST(test_load_without_file_gives_defaults),
        TEST(test_min_free_is_a_share_or_a_size),
        TEST(test_tracing_endpoint_is_a_url),
        TEST(test_tracing_ratio_is_a_share),
        TEST(test_tracing_ca_needs_tls),
        TEST(test_load_file_wins_over_defaults),
        TEST(test_load_sets_every_key_of_the_receiver),
        TEST(test_load_empty_file_is_good),
        TEST(test_load_missing_file_has_line_zero),
        TEST(test_load_directory_is_refused),
        TEST(test_load_syntax_error_names_line),
        TEST(test_load_unknown_section_suggests_nearest),
        TEST(test_load_unknown_key_suggests_nearest),
        TEST(test_load_unknown_key_of_a_nested_group_suggests_nearest),
        TEST(test_load_section_that_is_no_group),
        TEST(test_load_wrong_type),
        TEST(test_load_bad_size_and_duration),
        TEST(test_load_out_of_range),
        TEST(test_load_receiver_out_of_range),
        TEST(test_load_long_paths_are_refused),
        TEST(test_load_malformed_address),
        TEST(test_load_address_of_a_unix_socket),
        TEST(test_load_address_of_this_machine_needs_nothing),
        TEST(test_load_address_for_other_machines_without_tls),
        TEST(test_load_no_endpoint_at_all),
        TEST(test_load_tls_in_part),
        TEST(test_load_requests_larger_than_what_is_in_flight),
        TEST(test_load_long_host_is_refused),
        TEST(test_load_malformed_names),
        TEST(test_load_bad_uri_is_not_repeated),
        TEST(test_load_spool_smaller_than_requests),
        TEST(test_load_reports_every_problem_in_order),
        TEST(test_load_include_reports_its_own_name),
        TEST(test_load_missing_include_says_where_it_looked),
        TEST(test_load_path_without_directory),
        TEST(test_load_environment_wins),
        TEST(test_load_bad_environment_is_not_repeated),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
