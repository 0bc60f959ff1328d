#include "upkept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "log.h"
#include "logged.h"

#define DEADLINE_NS (60 * NS_PER_S)
#define POLL_NS (20 * NS_PER_MS)
#define PASSED "event=mongodb.upkeep_passed"

const struct sink_mongo_options upkept_nothing = {.retention_ns = 0};

static size_t passes_before;

void upkept_open_at(struct opened *opened, const char *host, const char *rest, const char *database,
                    const struct sink_mongo_options *options)
{
    struct sink_mongo_options all = *options;
    struct err err;

    all.compressor = "zstd";
    all.sessions = 1;
    log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
    passes_before = logged_count(PASSED);
    opened_open_with(opened, host, rest, database, &all);
    if (sink_mongo_start_upkeep(opened->sink, &err) != 0)
        fail_msg("%s", err.text);
}

void upkept_open(struct opened *opened, const char *database, const struct sink_mongo_options *options)
{
    upkept_open_at(opened, mongod_host(mongod), "", database, options);
}

void upkept_wait_for(bool (*holds)(void), const char *what)
{
    const struct timespec poll = {.tv_nsec = (long)POLL_NS};
    uint64_t deadline_ns = clock_mono_ns() + DEADLINE_NS;

    while (!holds()) {
        if (clock_mono_ns() > deadline_ns)
            fail_msg("waited in vain for %s", what);
        nanosleep(&poll, NULL);
    }
}

static bool has_passed(void)
{
    return logged_count(PASSED) > passes_before;
}

void upkept_wait_for_pass(void)
{
    upkept_wait_for(has_passed, "a pass of upkeep");
}
