#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <mongoc/mongoc.h>

#include "sink_mongo_internal.h"

static void check_mask(const char *uri, const char *expected)
{
    char masked[256];

    sink_mongo_mask_uri(masked, sizeof(masked), uri);
    assert_string_equal(masked, expected);
}

static void test_mask_hides_the_password_only(void **state)
{
    (void)state;
    check_mask("mongodb://h:1,i:2/db?replicaSet=r", "mongodb://h:1,i:2/db?replicaSet=r");
    check_mask("mongodb://u:hunter2@h:1/db?w=1", "mongodb://u:***@h:1/db?w=1");
    check_mask("mongodb+srv://u:hunter2@h/", "mongodb+srv://u:***@h/");
    check_mask("mongodb://u@h/", "mongodb://u@h/");
    check_mask("mongodb://u:@h/", "mongodb://u:***@h/");
    check_mask("", "");
}

static void test_mask_hides_unescaped_passwords(void **state)
{
    (void)state;
    check_mask("mongodb://u:se@cr/e?t=&@h:1/db", "mongodb://u:***@h:1/db");
    check_mask("u:hunter2@h", "u:***@h");
}

static void test_mask_hides_secrets_in_options(void **state)
{
    (void)state;
    check_mask("mongodb://h/?tls=true&tlsCertificateKeyFilePassword=hunter2&appname=a",
               "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=***&appname=a");
    check_mask("mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:hunter2",
               "mongodb://h/?authMechanismProperties=***");
}

static void test_mask_cuts_to_the_size(void **state)
{
    char masked[16];

    (void)state;
    sink_mongo_mask_uri(masked, sizeof(masked), "mongodb://u:hunter2@host.example:27017/");
    assert_string_equal(masked, "mongodb://u:***");
    sink_mongo_mask_uri(masked, 1, "mongodb://u:hunter2@host");
    assert_string_equal(masked, "");
}

static int32_t int_option(const mongoc_uri_t *uri, const char *option)
{
    return mongoc_uri_get_option_as_int32(uri, option, -1);
}

static void test_parse_fills_in_our_defaults(void **state)
{
    mongoc_uri_t *uri;
    struct err err;

    (void)state;
    assert_int_equal(sink_uri_parse(&uri, "mongodb://u:p@h:1/db", &err), 0);
    assert_int_equal(int_option(uri, MONGOC_URI_CONNECTTIMEOUTMS), SINK_CONNECT_TIMEOUT_MS);
    assert_int_equal(int_option(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS), SINK_SELECTION_TIMEOUT_MS);
    assert_int_equal(int_option(uri, MONGOC_URI_SOCKETTIMEOUTMS), SINK_SOCKET_TIMEOUT_MS);
    assert_int_equal(int_option(uri, MONGOC_URI_WTIMEOUTMS), SINK_WRITE_TIMEOUT_MS);
    assert_false(mongoc_uri_get_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true));
    assert_string_equal(mongoc_uri_get_appname(uri), "tracespoold");
    mongoc_uri_destroy(uri);
}

static void test_parse_leaves_what_the_text_says(void **state)
{
    mongoc_uri_t *uri;
    struct err err;

    (void)state;
    assert_int_equal(sink_uri_parse(&uri,
                                    "mongodb://h/?connectTimeoutMS=1&serverSelectionTimeoutMS=2&socketTimeoutMS=3"
                                    "&wtimeoutMS=4&retryWrites=true&appname=mine",
                                    &err),
                     0);
    assert_int_equal(int_option(uri, MONGOC_URI_CONNECTTIMEOUTMS), 1);
    assert_int_equal(int_option(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS), 2);
    assert_int_equal(int_option(uri, MONGOC_URI_SOCKETTIMEOUTMS), 3);
    assert_int_equal(int_option(uri, MONGOC_URI_WTIMEOUTMS), 4);
    assert_true(mongoc_uri_get_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false));
    assert_string_equal(mongoc_uri_get_appname(uri), "mine");
    mongoc_uri_destroy(uri);
}

static void check_refused(const char *text, const char *expected)
{
    mongoc_uri_t *uri;
    struct err err;

    assert_int_equal(sink_uri_parse(&uri, text, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_null(strstr(err.text, "hunter2"));
    if (strstr(err.text, expected) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", expected, err.text);
}

static void test_parse_refuses_without_telling_the_password(void **state)
{
    char longer[SINK_URI_BYTES_MAX + 1];

    (void)state;
    check_refused("mongo://u:hunter2@h", "connection string mongo://u:***@h: ");
    check_refused("mongodb://u:hunter2@", "connection string mongodb://u:***@: ");
    check_refused("mongodb://u:se/hunter2@h/", "percent-encoded");
    check_refused("mongodb://u:hunter2%zz@h/", "percent-encoded");
    memset(longer, 'a', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    check_refused(longer, "longer than");
}

static struct sink_mongo_options options_with(const char *database, const char *compressor)
{
    return (struct sink_mongo_options){
        .uri = "mongodb://127.0.0.1:1/", .database = database, .compressor = compressor, .sessions = 1};
}

static void check_options_refused(const char *database, const char *compressor, const char *expected)
{
    struct sink_mongo_options options = options_with(database, compressor);
    struct sink *sink = NULL;
    struct err err;

    assert_int_equal(sink_mongo_new(&sink, &options, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_string_equal(err.text, expected);
    assert_null(sink);
}

static void test_new_checks_database_and_compressor(void **state)
{
    (void)state;
    check_options_refused("", "zstd", "\"\" cannot be the name of a database");
    check_options_refused("a.b", "zstd", "\"a.b\" cannot be the name of a database");
    check_options_refused("$a", "zstd", "\"$a\" cannot be the name of a database");
    check_options_refused("tracing", "lz4", "\"lz4\" is no block compressor: zstd, snappy, zlib, none");
}

static void test_session_open_past_the_pool_is_refused(void **state)
{
    struct sink_mongo_options options = options_with("tracing", "zstd");
    struct sink_session *first, *second;
    struct sink *sink;
    struct err err;

    (void)state;
    assert_int_equal(sink_mongo_new(&sink, &options, &err), 0);
    assert_int_equal(sink->ops->session_open(sink, &first, &err), 0);
    assert_int_equal(sink->ops->session_open(sink, &second, &err), -1);
    assert_int_equal(err.class, ERR_RETRY);
    assert_string_equal(err.text, "every connection of the pool is in use");
    sink->ops->session_close(first);
    sink_mongo_free(sink);
    sink_mongo_free(NULL);
}

static int setup(void **state)
{
    (void)state;
    sink_mongo_init();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sink_mongo_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mask_hides_the_password_only),
        cmocka_unit_test(test_mask_hides_unescaped_passwords),
        cmocka_unit_test(test_mask_hides_secrets_in_options),
        cmocka_unit_test(test_mask_cuts_to_the_size),
        cmocka_unit_test(test_parse_fills_in_our_defaults),
        cmocka_unit_test(test_parse_leaves_what_the_text_says),
        cmocka_unit_test(test_parse_refuses_without_telling_the_password),
        cmocka_unit_test(test_new_checks_database_and_compressor),
        cmocka_unit_test(test_session_open_past_the_pool_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
