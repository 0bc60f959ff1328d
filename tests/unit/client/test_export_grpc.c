/*
 * test_export_grpc.c - gRPC core's log lines in ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <grpc/support/log.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "grpc_fixture.h"
#include "log.h"

/* What gpr_log writes to standard error for `message`, as an error of core's. */
static const char *log_of(const char *message)
{
    static char text[1024];
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    size_t len;

    assert_non_null(file);
    assert_true(saved >= 0);
    assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
    gpr_log(GPR_ERROR, "%s", message);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
    rewind(file);
    len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    fclose(file);
    return text;
}

static void test_error_of_core_is_a_warning(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    assert_non_null(
        strstr(log_of("accept4: no file left"), "level=warn event=client.grpc msg=\"accept4: no file left\""));
}

/* One line a request or a connection, at any client's will. */
static void test_noise_of_core_is_debug(void **state)
{
    const char *lines[] = {"Error parsing metadata: error=invalid value key=grpc-encoding value=zstd",
                           "Invalid entry in accept encoding metadata: 'zstd'. Ignoring.",
                           "CHTTP2: Ignoring unknown setting 8 (value 0)"};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
        assert_string_equal(log_of(lines[i]), "");
        log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
        assert_non_null(strstr(log_of(lines[i]), "level=debug event=client.grpc"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_of_core_is_a_warning),
        cmocka_unit_test(test_noise_of_core_is_debug),
    };

    return cmocka_run_group_tests(tests, fixture_start_grpc, fixture_stop_grpc);
}
