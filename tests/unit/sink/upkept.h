/*
 * upkept.h - a sink with its thread of upkeep, and waiting for what that does.
 *
 * For tests between logged_setup and logged_teardown: a pass is seen in the log.
 */
#ifndef TRACESPOOL_TEST_UPKEPT_H
#define TRACESPOOL_TEST_UPKEPT_H

#include "opened.h"

/* Options that ask for nothing: no retention, no bound on free space. */
extern const struct sink_mongo_options upkept_nothing;

/* Of `options` retention, free space and what is done without it count.  To be closed by opened_close. */
void upkept_open(struct opened *opened, const char *database, const struct sink_mongo_options *options);
void upkept_open_at(struct opened *opened, const char *host, const char *rest, const char *database,
                    const struct sink_mongo_options *options);

/* Polls until it holds; past the deadline the test fails with `what`. */
void upkept_wait_for(bool (*holds)(void), const char *what);

/* Until the pass at the start of the sink that was opened last has succeeded. */
void upkept_wait_for_pass(void);

#endif
