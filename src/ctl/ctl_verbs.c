/*
 * ctl_verbs.c - the table of verbs.  Pure.
 */
#include "ctl_verbs.h"

#include <string.h>

#include "ctl_guess.h"

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
    {"export", "[ID...]", "write what MongoDB does not have, or what is named, as OTLP", ctl_export_options,
     ctl_export},
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

const struct ctl_verb *ctl_verb_suggest(const char *name)
{
    struct ctl_guess guess;

    ctl_guess_init(&guess, name, strlen(name));
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++)
        ctl_guess_offer(&guess, verb->name);
    return guess.best != NULL ? ctl_verb_find(guess.best) : NULL;
}
