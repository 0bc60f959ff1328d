/*
 * ctl_show.c - `tracespool show SEQ | TRACEID`: which of the two.
 */
#include "ctl_show.h"

#include <getopt.h>
#include <string.h>

#include "clock.h"
#include "ctl_verbs.h"
#include "hex.h"
#include "units.h"

#define DEFAULT_TIMEOUT_MS 3000
#define TIMEOUT_MS_MAX 600000

const struct ctl_option ctl_show_options[] = {
    {"from", "WHERE", 'f', "spool, mongodb or both (default): where to look for a trace"},
    {"timeout", "DURATION", 't', "how long MongoDB may take (default 3s)"},
    {"otlp", NULL, 'o', "all that was sent, as OTLP/JSON, one export request a line"},
    {NULL, NULL, 0, NULL},
};

static int parse_from(struct ctl *ctl, const char *text, enum ctl_from *from)
{
    static const struct {
        const char *name;
        enum ctl_from from;
    } names[] = {{"spool", CTL_FROM_SPOOL}, {"mongodb", CTL_FROM_MONGODB}, {"both", CTL_FROM_BOTH}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, text) == 0) {
            *from = names[i].from;
            return 0;
        }
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
    }
    return 0;
}

int ctl_show(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_show_options options = {.from = CTL_FROM_BOTH, .timeout_ms = DEFAULT_TIMEOUT_MS};
    uint8_t trace_id[OTLP_TRACE_ID_BYTES];
    uint64_t seq;

    if (parse(ctl, argc, argv, &options) < 0)
        return ctl->exit;
    if (argc - optind != 1)
        return ctl_fail(ctl, "takes one operand: a batch's number (`tracespool ls`) or a trace id");
    if (hex_decode(trace_id, sizeof(trace_id), argv[optind]) == 0)
        return options.otlp ? ctl_show_otlp(ctl, trace_id, &options) : ctl_show_trace(ctl, trace_id, &options);
    if (ctl_options_number(argv[optind], UINT64_MAX, &seq) == 0) {
        ctl->json |= options.otlp; /* a batch's JSON is that already */
        return ctl_show_batch(ctl, seq);
    }
    return ctl_fail(ctl, "\"%s\" is neither a batch's number nor a trace id of 32 hex digits", argv[optind]);
}
