/*
 * test_net_tokens.c - the file of tokens, what matches, and reloading beside threads that match.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "net_fixture.h"
#include "net_tokens.h"

#define FIRST "first-token-0123456789"
#define SECOND "second.token_~+/0123=="
#define OTHER "other-token-0123456789"

static char folder[] = "/tmp/tracespool-tokens-XXXXXX";
static char path[128];
static struct net_tokens *tokens;

static void write_file(const char *text, mode_t mode)
{
    char temporary[160];
    int fd;

    snprintf(temporary, sizeof(temporary), "%s.new", path);
    fd = open(temporary, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    assert_int_equal(rename(temporary, path), 0);
}

static void load(const char *text)
{
    struct err err;

    write_file(text, 0600);
    if (net_tokens_load(&tokens, path, &err) != 0)
        fail_msg("%s", err.text);
}

static int teardown(void **state)
{
    (void)state;
    net_tokens_free(tokens);
    tokens = NULL;
    return 0;
}

static bool match(const char *value)
{
    return net_tokens_match(tokens, slice_of_text(value));
}

static void test_match_takes_every_token_of_the_file(void **state)
{
    (void)state;
    load("# for the Collectors\n\n" FIRST "\n  # and the SDKs\r\n\t" SECOND " \r\n");
    assert_true(match("Bearer " FIRST));
    assert_true(match("Bearer " SECOND));
    assert_true(match("bearer " FIRST));
    assert_true(match("BEARER   " SECOND));
}

static void test_match_takes_nothing_else(void **state)
{
    static const char *const values[] = {"",
                                         "Bearer",
                                         "Bearer ",
                                         "Bearer  ",
                                         FIRST,
                                         "Basic " FIRST,
                                         "Bearer" FIRST,
                                         "Bearer\t" FIRST,
                                         "Bearer " FIRST " ",
                                         "Bearer " FIRST "x",
                                         "Bearer x" FIRST,
                                         "Bearer first-token-012345678",
                                         "Bearer first-token-0123456788",
                                         "Bearer FIRST-TOKEN-0123456789",
                                         "Bearer " FIRST "," SECOND,
                                         "Bearer # for the Collectors",
                                         "Bearer " OTHER};
    uint8_t *long_value = malloc(2 * NET_TOKEN_BYTES_MAX);

    (void)state;
    load("# for the Collectors\n" FIRST "\n" SECOND);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (match(values[i]))
            fail_msg("'%s' was taken", values[i]);
    }
    assert_false(net_tokens_match(tokens, slice_of(NULL, 0)));
    assert_false(net_tokens_match(tokens, slice_of("Bearer " FIRST "\0", 7 + strlen(FIRST) + 1)));
    memset(long_value, 'a', 2 * NET_TOKEN_BYTES_MAX);
    memcpy(long_value, "Bearer ", 7);
    assert_false(net_tokens_match(tokens, slice_of(long_value, 2 * NET_TOKEN_BYTES_MAX)));
    free(long_value);
}

static void assert_load_fails(const char *text, const char *reason)
{
    struct err err = {0};
    char expected[256];

    write_file(text, 0600);
    snprintf(expected, sizeof(expected), "%s%s", path, reason);
    assert_int_equal(net_tokens_load(&tokens, path, &err), -1);
    assert_null(tokens);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.class, ERR_CONFIG);
}

static void test_load_names_file_and_line_and_no_token(void **state)
{
    (void)state;
    assert_load_fails("", ": no token is in it");
    assert_load_fails("# nothing\n\n", ": no token is in it");
    assert_load_fails(FIRST "\nshort-0123456789"
                            "\nshort-012345678\n",
                      ":3: a token has 16 to 4096 characters");
    assert_load_fails("\n\nwith spaces 0123456789\n",
                      ":3: not a bearer token: those are of letters, digits and -._~+/");
    assert_load_fails("====================\n", ":1: not a bearer token: those are of letters, digits and -._~+/");
    assert_load_fails("a=b=0123456789012345\n", ":1: not a bearer token: those are of letters, digits and -._~+/");
    assert_load_fails("t\xc3\xb6ken-0123456789012\n",
                      ":1: not a bearer token: those are of letters, digits and -._~+/");
}

static void test_load_is_bounded(void **state)
{
    char *text = calloc(1, NET_TOKENS_FILE_BYTES_MAX + 2), *at = text;
    struct err err = {0};
    char expected[256];

    (void)state;
    for (int i = 0; i < NET_TOKENS_MAX; i++)
        at += sprintf(at, "token-0123456789-%d\n", i);
    load(text);
    assert_true(match("Bearer token-0123456789-0"));
    assert_true(match("Bearer token-0123456789-63"));
    net_tokens_free(tokens);
    tokens = NULL;
    strcpy(at, FIRST);
    assert_load_fails(text, ":65: more than 64 tokens");

    memset(text, 'a', NET_TOKEN_BYTES_MAX + 1);
    text[NET_TOKEN_BYTES_MAX + 1] = '\0';
    assert_load_fails(text, ":1: a token has 16 to 4096 characters");
    text[NET_TOKEN_BYTES_MAX] = '\0';
    load(text);
    net_tokens_free(tokens);

    memset(text, '#', NET_TOKENS_FILE_BYTES_MAX + 1);
    write_file(text, 0600);
    assert_int_equal(net_tokens_load(&tokens, path, &err), -1);
    snprintf(expected, sizeof(expected), "cannot read tokens from %s: File too large", path);
    assert_string_equal(err.text, expected);
    free(text);
}

static void test_load_missing_file_is_config(void **state)
{
    struct err err = {0};
    char expected[256];

    (void)state;
    unlink(path);
    assert_int_equal(net_tokens_load(&tokens, path, &err), -1);
    snprintf(expected, sizeof(expected), "cannot read tokens from %s: No such file or directory", path);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_int_equal(net_tokens_load(&tokens, folder, &err), -1);
    snprintf(expected, sizeof(expected), "cannot read tokens from %s: Is a directory", folder);
    assert_string_equal(err.text, expected);
}

static void test_reload_exchanges_tokens(void **state)
{
    struct err err = {0};

    (void)state;
    load(FIRST "\n");
    assert_false(net_tokens_changed(tokens));
    write_file(SECOND "\n", 0600);
    assert_true(net_tokens_changed(tokens));
    assert_int_equal(net_tokens_reload(tokens, &err), 0);
    assert_false(net_tokens_changed(tokens));
    assert_false(match("Bearer " FIRST));
    assert_true(match("Bearer " SECOND));

    write_file("short\n", 0600);
    assert_true(net_tokens_changed(tokens));
    assert_int_equal(net_tokens_reload(tokens, &err), -1);
    assert_false(net_tokens_changed(tokens));
    assert_true(match("Bearer " SECOND));
    unlink(path);
    assert_true(net_tokens_changed(tokens));
    assert_int_equal(net_tokens_reload(tokens, &err), -1);
    assert_true(match("Bearer " SECOND));
}

static void reload(void)
{
    struct err err;

    assert_int_equal(net_tokens_reload(tokens, &err), 0);
}

static void test_load_of_a_readable_file_is_said(void **state)
{
    char text[1024], expected[256];

    (void)state;
    load(FIRST "\n");
    write_file(FIRST "\n", 0640);
    fixture_capture_stderr(reload, text, sizeof(text));
    assert_string_equal(text, "");
    write_file(FIRST "\n", 0644);
    fixture_capture_stderr(reload, text, sizeof(text));
    snprintf(expected, sizeof(expected), "%s: others than its owner may read it (mode 0644)", path);
    assert_non_null(strstr(text, "event=net.secret_readable"));
    assert_non_null(strstr(text, expected));
    assert_null(strstr(text, FIRST));
}

static atomic_bool done;

static void *match_all_the_time(void *argument)
{
    atomic_uint *misses = argument;

    while (!atomic_load(&done)) {
        if (!match("Bearer " FIRST) || match("Bearer " OTHER))
            atomic_fetch_add(misses, 1);
    }
    return NULL;
}

static void test_reload_beside_threads_that_match(void **state)
{
    pthread_t threads[2];
    atomic_uint misses = 0;
    struct err err;

    (void)state;
    load(FIRST "\n");
    atomic_store(&done, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, match_all_the_time, &misses), 0);
    for (int i = 0; i < 200; i++) {
        write_file(i % 2 == 0 ? SECOND "\n" FIRST "\n" : FIRST "\n", 0600);
        assert_int_equal(net_tokens_reload(tokens, &err), 0);
    }
    atomic_store(&done, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&misses), 0);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/tokens", folder);
    net_tokens_free(NULL);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

#define CASE(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_match_takes_every_token_of_the_file),   CASE(test_match_takes_nothing_else),
        CASE(test_load_names_file_and_line_and_no_token), CASE(test_load_is_bounded),
        CASE(test_load_missing_file_is_config),           CASE(test_reload_exchanges_tokens),
        CASE(test_load_of_a_readable_file_is_said),       CASE(test_reload_beside_threads_that_match),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
