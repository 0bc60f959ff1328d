/*
 * ctl_size.c - `tracespool size`: how large the spool has to be to outlast an outage.
 *
 * Reads the heads of all batches that are there, delivered or not, a page of
 * them in a transaction.  With --rate a spool that is not there yet is no
 * obstacle.  What is computed from them is in ctl_size_plan.c.
 *
 * Exit status 2: the present size is too small.
 */
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "clock.h"
#include "ctl.h"
#include "ctl_pages.h"
#include "ctl_progress.h"
#include "ctl_size_plan.h"
#include "ctl_verbs.h"
#include "spool_sizing.h"
#include "units.h"

#define DEFAULT_OUTAGE_NS (36 * 3600 * NS_PER_S) /* what 95 % of 30 days leave */
#define DEFAULT_MARGIN 250000
#define SCREEN_BYTES_MAX (64UL << 10)

const struct ctl_option ctl_size_options[] = {
    {"outage", "DURATION", 'o', "how long MongoDB may be away (default 36h)"},
    {"rate", "SPANS/S", 'r', "spans a second to expect, instead of what was measured"},
    {"margin", "SHARE", 'm', "so much more, for growth (default 25%)"},
    {NULL, NULL, 0, NULL},
};

static int take_option(struct ctl *ctl, struct ctl_size_asked *asked, int option, const char *argument)
{
    switch (option) {
    case 'o':
        if (units_parse_duration(argument, &asked->outage_ns) == 0 &&
            asked->outage_ns >= CTL_SIZE_OUTAGE_MIN_S * NS_PER_S &&
            asked->outage_ns <= CTL_SIZE_OUTAGE_MAX_S * NS_PER_S)
            return 0;
        ctl_fail(ctl, "--outage takes a duration of 1m to 365d, not \"%s\"", argument);
        return -1;
    case 'r':
        if (ctl_options_number(argument, CTL_SIZE_RATE_MAX, &asked->rate) == 0 && asked->rate > 0)
            return 0;
        ctl_fail(ctl, "--rate takes spans a second, 1 to %d, not \"%s\"", CTL_SIZE_RATE_MAX, argument);
        return -1;
    default:
        if (units_parse_share(argument, &asked->margin_millionths) == 0)
            return 0;
        ctl_fail(ctl, "--margin takes a share of 0%% to 100%%, not \"%s\"", argument);
        return -1;
    }
}

static int read_load(struct ctl *ctl, struct spool *spool, uint64_t end, struct ctl_size_load *load, struct err *err)
{
    const struct spool_record *header;
    struct ctl_progress progress;
    struct ctl_pages pages;
    uint64_t first = end;
    int result;

    ctl_progress_init(&progress, ctl);
    ctl_pages_init(&pages, spool, 0, end, false);
    while ((result = ctl_pages_next(&pages, &header, err)) > 0) {
        if (first == end)
            first = header->seq;
        if (!header->damaged)
            ctl_size_load_add(load, header->received_ns, header->spans,
                              spool_sizing_record_bytes(header->stored_bytes));
        ctl_progress_show(&progress, "reading", header->seq - first, end - first);
    }
    ctl_progress_clear(&progress);
    return result;
}

/* Also when there is nothing to measure yet; *size_bytes 0 then. */
static int gather(struct ctl *ctl, bool needs_spool, struct ctl_size_load *load, uint64_t *size_bytes)
{
    const char *path = ctl_spool_path(ctl);
    struct spool_stat stat;
    struct spool *spool;
    struct err err;
    int result;

    *size_bytes = 0;
    if (path == NULL)
        return -1;
    if (!needs_spool && access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    spool = ctl_open_spool(ctl);
    if (spool == NULL)
        return -1;
    result = spool_stat(spool, &stat, &err);
    if (result == 0) {
        *size_bytes = stat.size_bytes;
        result = read_load(ctl, spool, stat.next_seq, load, &err);
    }
    spool_close(spool);
    if (result < 0)
        ctl_fail(ctl, "%s", err.text);
    return result;
}

static int tell(const struct ctl *ctl, const struct ctl_size_view *view)
{
    const struct ctl_size_plan *plan = view->plan;
    struct buf out;

    buf_init(&out, SCREEN_BYTES_MAX);
    if (ctl->json)
        ctl_size_json(view, &out);
    else
        ctl_size_text(view, &out);
    ctl_write(ctl, &out);
    buf_fini(&out);
    return plan->too_much || (plan->size_bytes > 0 && plan->size_bytes < plan->needed_bytes) ? CTL_PARTIAL : CTL_OK;
}

int ctl_size(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_size_asked asked = {.outage_ns = DEFAULT_OUTAGE_NS, .margin_millionths = DEFAULT_MARGIN};
    struct ctl_size_view view = {.asked = &asked};
    struct ctl_size_load load;
    struct ctl_size_plan plan;
    const char *argument;
    uint64_t size_bytes;
    char covered[UNITS_TEXT_MAX];

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_size_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return ctl->exit;
        if (take_option(ctl, &asked, option, argument) < 0)
            return CTL_FAILED;
    }
    if (optind != argc)
        return ctl_fail(ctl, "takes no operands");
    ctl_size_load_init(&load, asked.outage_ns);
    if (gather(ctl, asked.rate == 0, &load, &size_bytes) < 0)
        return CTL_FAILED;
    if (!ctl_size_plan_make(&plan, &asked, &load, size_bytes))
        return ctl_fail(ctl, "the spool covers %s, which is too little to measure a rate; give one with --rate",
                        units_format_duration(covered, ctl_size_load_covered_ns(&load)));
    view.path = ctl_spool_path(ctl);
    view.load = &load;
    view.plan = &plan;
    return tell(ctl, &view);
}
