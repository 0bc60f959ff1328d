/*
 * test_secret_file.c - files of keys and tokens: the first token of several, and
 * what is refused without a word of what it holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secret_file.h"

#define FILE_BYTES 1000

static char path[] = "/tmp/tracespool-secret-XXXXXX";

static void write_file(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void expect_bearer(const char *text, const char *authorization)
{
    char *read;
    struct err err;

    write_file(text, strlen(text));
    if (secret_file_read_bearer(&read, path, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(read, authorization);
    secret_file_forget(&read);
    assert_null(read);
}

static void expect_refused(const char *text, const char *words)
{
    char *read = path, message[256];
    struct err err;

    write_file(text, strlen(text));
    assert_int_equal(secret_file_read_bearer(&read, path, &err), -1);
    assert_null(read);
    assert_int_equal(err.class, ERR_CONFIG);
    snprintf(message, sizeof(message), "%s%s", path, words);
    assert_string_equal(err.text, message);
}

static void test_first_token_is_taken(void **state)
{
    (void)state;
    expect_bearer("token", "Bearer token");
    expect_bearer("token\n", "Bearer token");
    expect_bearer("# of the staging system\r\n\r\n \t first= \r\nsecond\n", "Bearer first=");
}

static void test_what_is_no_token_is_not_repeated(void **state)
{
    static char text[NET_TOKEN_BYTES_MAX + 2];

    (void)state;
    expect_refused("", ": no token is in it");
    expect_refused("# a comment\n\n", ": no token is in it");
    expect_refused("\n\nwith space\n", ":3: not a bearer token");
    expect_refused("t\xC3\xB6ken\n", ":1: not a bearer token");
    memset(text, 'a', NET_TOKEN_BYTES_MAX + 1);
    expect_refused(text, ":1: a token has at most 4096 characters");
}

static void test_read_gives_all_or_says_why_not(void **state)
{
    char *text, *large = calloc(1, FILE_BYTES), message[256];
    struct err err;

    (void)state;
    write_file("-----BEGIN\nEND-----\n", 20);
    assert_int_equal(secret_file_read(&text, path, FILE_BYTES, &err), 0);
    assert_string_equal(text, "-----BEGIN\nEND-----\n");
    secret_file_forget(&text);
    write_file("se\0cret", 7);
    assert_int_equal(secret_file_read(&text, path, FILE_BYTES, &err), -1);
    assert_null(text);
    snprintf(message, sizeof(message), "%s is no text: it holds a NUL", path);
    assert_string_equal(err.text, message);
    memset(large, 'a', FILE_BYTES);
    write_file(large, FILE_BYTES);
    assert_int_equal(secret_file_read(&text, path, FILE_BYTES, &err), -1);
    snprintf(message, sizeof(message), "%s is larger than 1000 bytes", path);
    assert_string_equal(err.text, message);
    free(large);
    assert_int_equal(secret_file_read(&text, "/none", FILE_BYTES, &err), -1);
    assert_string_equal(err.text, "cannot read /none: No such file or directory");
    assert_int_equal(secret_file_read(&text, "/tmp", FILE_BYTES, &err), -1);
    assert_string_equal(err.text, "cannot read /tmp: Is a directory");
}

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_token_is_taken),
        cmocka_unit_test(test_what_is_no_token_is_not_repeated),
        cmocka_unit_test(test_read_gives_all_or_says_why_not),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
