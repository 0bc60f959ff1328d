/*
 * logged.h - what the process logs, for a test that looks at it.
 */
#ifndef TRACESPOOL_TEST_LOGGED_H
#define TRACESPOOL_TEST_LOGGED_H

#include <stddef.h>

/* For cmocka_unit_test_setup_teardown: in between, standard error is kept, and shown at the end. */
int logged_setup(void **state);
int logged_teardown(void **state);

/* How often `part` is in it so far. */
size_t logged_count(const char *part);

#endif
