/*
 * ctl_show.c - `tracespool show SEQ | SEQ:N | TRACEID`: which of them, and in which form.
 */
#include "ctl_show.h"

#include <getopt.h>
#include <string.h>

#include "clock.h"
#include "ctl_edit_id.h"
#include "ctl_verbs.h"
#include "ctl_words.h"
#include "hex.h"
#include "units.h"

#define DEFAULT_TIMEOUT_MS 3000
#define TIMEOUT_MS_MAX 600000

const struct ctl_option ctl_show_options[] = {
    {"from", "WHERE", 'f', "spool, mongodb or both (default): where to look for a trace"},
    {"timeout", "DURATION", 't', "how long MongoDB may take (default 3s)"},
    {"otlp", NULL, 'o', "all that was sent, as OTLP/JSON, one export request a line"},
    {"raw", NULL, 'r', "the request of a batch or a parked entry, in protobuf's binary form"},
    {NULL, NULL, 0, NULL},
};

static int parse_from(struct ctl *ctl, const char *text, enum ctl_from *from)
{
    int choice = ctl_words_choose(ctl_words_where, text);

    if (choice >= 0) {
        *from = (enum ctl_from)(CTL_FROM_SPOOL + choice);
        return 0;
    }
    ctl_fail(ctl, "--from takes spool, mongodb or both, not \"%s\"", text);
    return -1;
}

static int parse_timeout(struct ctl *ctl, const char *text, uint64_t *timeout_ms)
{
    uint64_t ns;

    if (units_parse_duration(text, &ns) < 0 || ns < NS_PER_MS || ns / NS_PER_MS > TIMEOUT_MS_MAX) {
        ctl_fail(ctl, "--timeout takes a duration of 1ms to 10m, not \"%s\"", text);
        return -1;
    }
    *timeout_ms = ns / NS_PER_MS;
    return 0;
}

static int parse(struct ctl *ctl, int argc, char **argv, struct ctl_show_options *options)
{
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_show_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return -1;
        ctl->exit = CTL_FAILED;
        if (option == 'f' && parse_from(ctl, argument, &options->from) < 0)
            return -1;
        if (option == 't' && parse_timeout(ctl, argument, &options->timeout_ms) < 0)
            return -1;
        if (option == 'o')
            options->otlp = true;
        if (option == 'r')
            options->raw = true;
    }
    if (options->raw && (options->otlp || ctl->json)) {
        ctl_fail(ctl, "--raw is protobuf, %s is JSON; ask for one", ctl->json ? "--json" : "--otlp");
        return -1;
    }
    return 0;
}

static int show_batch_or_entry(struct ctl *ctl, const char *name, const struct ctl_show_options *options)
{
    struct ctl_edit_id id;
    struct err err;

    if (ctl_edit_id_parse(&id, name, &err) < 0 || (id.kind != CTL_EDIT_BATCH && !ctl_edit_id_is_parked(&id)))
        return ctl_fail(
            ctl, "\"%s\" is neither a batch's number, nor SEQ:N for a parked entry, nor a trace id of 32 hex digits",
            name);
    if (options->raw && !ctl_show_may_be_raw(ctl))
        return CTL_FAILED;
    if (ctl_edit_id_is_parked(&id))
        return ctl_show_parked(ctl, &id, options);
    if (options->raw)
        return ctl_show_raw(ctl, id.first);
    ctl->json |= options->otlp; /* a batch's JSON is that already */
    return ctl_show_batch(ctl, id.first);
}

int ctl_show(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_show_options options = {.from = CTL_FROM_BOTH, .timeout_ms = DEFAULT_TIMEOUT_MS};
    uint8_t trace_id[OTLP_TRACE_ID_BYTES];

    if (parse(ctl, argc, argv, &options) < 0)
        return ctl->exit;
    if (argc - optind != 1)
        return ctl_fail(ctl, "takes one operand: a batch's number (`tracespool ls`), a parked entry's "
                             "(`tracespool ls --parked`), or a trace id");
    if (hex_decode(trace_id, sizeof(trace_id), argv[optind]) != 0)
        return show_batch_or_entry(ctl, argv[optind], &options);
    if (options.raw)
        return ctl_fail(ctl, "--raw is for a batch or a parked entry; --otlp gives all that is known of a trace");
    return options.otlp ? ctl_show_otlp(ctl, trace_id, &options) : ctl_show_trace(ctl, trace_id, &options);
}
