/*
 * ctl_verbs.c - the table of verbs, and guessing what a mistyped one means.
 *
 * Pure.  A name is compared with each verb by the optimal string alignment
 * distance (insert, delete, replace, swap neighbours); two steps are near.
 */
#include "ctl_verbs.h"

#include <stdint.h>
#include <string.h>

#define NAME_MAX_COMPARED 16 /* a longer name is no typing error for one of ours */
#define NEAR_STEPS 2

const struct ctl_verb ctl_verbs[] = {
    {"status", "", "the spool, the daemon and MongoDB on one screen", ctl_status_options, ctl_status},
    {"ls", "", "the batches that wait, and what is parked", ctl_ls_options, ctl_ls},
    {"show", "SEQ[:N] | TRACEID", "one batch, one parked entry, or one trace as a tree", ctl_show_options, ctl_show},
    {"shape", "", "what waits, services by age", ctl_shape_options, ctl_shape},
    {"tail", "", "spans as they arrive", ctl_tail_options, ctl_tail},
    {"flush", "", "have the daemon try now what it waits to try again", ctl_flush_options, ctl_flush},
    {"hold", "ID...", "keep pending batches back from MongoDB", ctl_hold_options, ctl_hold},
    {"release", "ID...", "deliver held batches after all", ctl_hold_options, ctl_release},
    {"requeue", "ID...", "deliver what is parked again", ctl_requeue_options, ctl_requeue},
    {"rm", "ID...", "remove batches and what is parked, for good", ctl_rm_options, ctl_rm},
    {"replay", "[ID...]", "deliver history to MongoDB again", ctl_replay_options, ctl_replay},
    {"export", "[ID...]", "write batches as OTLP, for files and other tools", ctl_export_options, ctl_export},
    {"import", "[FILE...]", "put files of OTLP into the spool", ctl_import_options, ctl_import},
    {"check", "", "read all of the spool and say what is damaged", ctl_check_options, ctl_check},
    {"salvage", "FILE", "send what is intact in a damaged spool to a receiver", ctl_salvage_options, ctl_salvage},
    {"send", "FILE...", "send export requests to an OTLP/gRPC receiver", ctl_send_options, ctl_send},
    {"shard", "", "shard the days that are in MongoDB already", ctl_shard_options, ctl_shard},
    {"size", "", "how large the spool has to be to outlast an outage", ctl_size_options, ctl_size},
    {"config", "", "the configuration in effect, and where each value comes from", ctl_config_options, ctl_config},
    {"help", "[VERB]", "this help, or the help of a verb", ctl_help_options, ctl_help},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct ctl_verb *ctl_verb_find(const char *name)
{
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        if (strcmp(verb->name, name) == 0)
            return verb;
    }
    return NULL;
}

static unsigned min_of(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned d[NAME_MAX_COMPARED + 1][NAME_MAX_COMPARED + 1];

    for (size_t i = 0; i <= a_len; i++)
        d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= b_len; j++)
        d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        for (size_t j = 1; j <= b_len; j++) {
            unsigned change = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i][j] = min_of(min_of(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = min_of(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[a_len][b_len];
}

const struct ctl_verb *ctl_verb_suggest(const char *name)
{
    const struct ctl_verb *best = NULL;
    unsigned best_steps = NEAR_STEPS + 1;
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_COMPARED)
        return NULL;
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        size_t verb_len = strlen(verb->name);
        unsigned steps = distance(name, len, verb->name, verb_len);

        /* All of a short verb can be replaced in two steps: then nothing of it was typed. */
        if (steps >= verb_len && steps >= len)
            continue;
        if (len >= 2 && strncmp(name, verb->name, len) == 0)
            steps = 0;
        if (steps < best_steps) {
            best = verb;
            best_steps = steps;
        }
    }
    return best;
}
