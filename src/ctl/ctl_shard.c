/*
 * ctl_shard.c - `tracespool shard`: the days that are in MongoDB already are sharded.
 *
 * The daemon shards a new day before its first insert (mongodb.shard); what was
 * there before is a person's decision, as it may build an index over much.  A day
 * that is refused is told and the next one tried.  The spool is not opened.
 *
 * Exit status 1: MongoDB is no sharded cluster, does not answer, or refused every
 * day; 2: some days; else 0.
 */
#include <getopt.h>
#include <inttypes.h>

#include "clock.h"
#include "ctl.h"
#include "ctl_verbs.h"
#include "json.h"
#include "sink_mongo.h"
#include "units.h"

#define DEFAULT_TIMEOUT_MS 600000U
#define TIMEOUT_MS_MAX 86400000U
#define LINE_BYTES_MAX (1UL << 16)

const struct ctl_option ctl_shard_options[] = {
    {"dry-run", NULL, 'n', "only say what would be done"},
    {"timeout", "DURATION", 't', "how long one step may take, as an index (default 10m)"},
    {NULL, NULL, 0, NULL},
};

struct sharding {
    struct ctl *ctl;
    bool dry_run;
    unsigned timeout_ms;
    uint64_t counts[SINK_MONGO_NOT_SHARDED + 1];
};

static int take_option(struct sharding *sharding, int option, const char *argument)
{
    uint64_t ns;

    if (option == 'n') {
        sharding->dry_run = true;
        return 0;
    }
    if (units_parse_duration(argument, &ns) < 0 || ns < NS_PER_MS || ns / NS_PER_MS > TIMEOUT_MS_MAX) {
        ctl_fail(sharding->ctl, "--timeout takes a duration of 1ms to 24h, not \"%s\"", argument);
        return -1;
    }
    sharding->timeout_ms = (unsigned)(ns / NS_PER_MS);
    return 0;
}

/* --- telling --------------------------------------------------------------- */

static void put_day(struct buf *out, const char *day, enum sink_mongo_sharding what, const char *text)
{
    static const char *const outcomes[] = {"sharded", "sharded_before", "would_shard", "failed"};
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "day");
    json_text(&json, day);
    json_key(&json, "outcome");
    json_text(&json, outcomes[what]);
    json_key(&json, "error");
    json_text(&json, text);
    json_end_object(&json);
    buf_text(out, "\n");
}

static void print_day(struct buf *out, const char *day, enum sink_mongo_sharding what)
{
    static const char *const words[] = {"sharded", "is sharded already", "would be sharded", "failed"};

    buf_printf(out, "%s: %s\n", day, words[what]);
}

static void tell(void *context, const char *day, enum sink_mongo_sharding what, const char *text)
{
    struct sharding *sharding = context;
    struct buf out;

    sharding->counts[what]++;
    if (what == SINK_MONGO_NOT_SHARDED)
        ctl_fail(sharding->ctl, "%s: %s", day, text);
    buf_init(&out, LINE_BYTES_MAX);
    if (sharding->ctl->json)
        put_day(&out, day, what, text);
    else if (what != SINK_MONGO_NOT_SHARDED)
        print_day(&out, day, what);
    ctl_write(sharding->ctl, &out);
    buf_fini(&out);
}

/* --- the verb -------------------------------------------------------------- */

static int shard(struct sharding *sharding, const struct conf *conf)
{
    struct sink_mongo_options options = {
        .uri = conf->mongodb.uri,
        .database = conf->mongodb.database,
        .compressor = conf->mongodb.compressor,
        .sessions = 1,
        .command_timeout_ms = sharding->timeout_ms,
    };
    uint64_t *counts = sharding->counts, done;
    struct err err;

    sink_mongo_init();
    int result = sink_mongo_shard_days(&options, sharding->dry_run, tell, sharding, &err);
    sink_mongo_cleanup();
    if (result < 0)
        ctl_fail(sharding->ctl, "MongoDB: %s", err.text);
    done = counts[SINK_MONGO_SHARDED] + counts[SINK_MONGO_SHARDED_BEFORE] + counts[SINK_MONGO_WOULD_SHARD];
    if (result == 0 && done + counts[SINK_MONGO_NOT_SHARDED] == 0)
        ctl_note(sharding->ctl, "%s has no days yet", conf->mongodb.database);
    if (result == 0 && !conf->mongodb.shard)
        ctl_note(sharding->ctl, "mongodb.shard is false: days to come will not be sharded");
    if (result == 0 && counts[SINK_MONGO_NOT_SHARDED] == 0)
        return CTL_OK;
    return done > 0 ? CTL_PARTIAL : CTL_FAILED;
}

int ctl_shard(struct ctl *ctl, int argc, char **argv)
{
    struct sharding sharding = {.ctl = ctl, .timeout_ms = DEFAULT_TIMEOUT_MS};
    const struct conf *conf;
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_shard_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return ctl->exit;
        if (take_option(&sharding, option, argument) < 0)
            return CTL_FAILED;
    }
    if (optind != argc)
        return ctl_fail(ctl, "takes no operands");
    conf = ctl_conf(ctl);
    return conf == NULL ? CTL_FAILED : shard(&sharding, conf);
}
