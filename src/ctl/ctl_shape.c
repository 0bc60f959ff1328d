/*
 * ctl_shape.c - `tracespool shape`: what waits in the spool, services by age.
 *
 * Every batch of the states that are asked for is read, each in a read
 * transaction of its own, and counted; nothing of it is kept.  Then the table
 * is printed, the largest service first.  What cannot be read is told and
 * makes the exit status 2.
 */
#include "ctl_shape.h"

#include <getopt.h>
#include <inttypes.h>

#include "clock.h"
#include "ctl_pages.h"
#include "ctl_pick.h"
#include "ctl_progress.h"
#include "ctl_terminal.h"
#include "ctl_verbs.h"
#include "units.h"

#define DEFAULT_LIMIT 20
#define DEFAULT_BUCKET_NS (60 * NS_PER_S)
#define OUT_BYTES_MAX (8UL << 20)

const struct ctl_option ctl_shape_options[] = {
    {"pending", NULL, 'P', "batches that wait for MongoDB (default)"},
    {"held", NULL, 'H', "batches that are kept back"},
    {"history", NULL, 'D', "batches that are delivered"},
    {"parked", NULL, 'p', "what is parked"},
    {"bytes", NULL, 'b', "count the spans' bytes, before compression, instead of spans"},
    {"batches", NULL, 'B', "count batches instead of spans"},
    {"bucket", "DURATION", 'T', "the first column of ages (default 1m); each is twice the one before"},
    {"limit", "N", 'n', "the N largest services (default 20), then the others; 0: all"},
    {NULL, NULL, 0, NULL},
};

enum unit { SPANS, BYTES, BATCHES };

static const char *const unit_names[] = {[SPANS] = "spans", [BYTES] = "bytes", [BATCHES] = "batches"};

struct shaping {
    struct ctl *ctl;
    unsigned states;
    bool parked;
    enum unit unit;
    uint64_t bucket_ns;
    uint64_t limit;

    struct spool *spool;
    struct ctl_shape *shape;
    struct ctl_batch batch;
    struct ctl_progress progress;
    uint64_t now_ns;
    uint64_t done; /* batches and entries */
    uint64_t there;
    uint64_t unreadable;
};

/* --- counting ------------------------------------------------------------------ */

static void add(struct shaping *shaping, struct slice service, uint64_t age_ns, uint64_t spans, uint64_t bytes)
{
    if (shaping->unit == BATCHES)
        ctl_shape_add_batch(shaping->shape, service, age_ns, shaping->done);
    else
        ctl_shape_add(shaping->shape, service, age_ns, shaping->unit == SPANS ? spans : bytes);
}

/* batch->request, which was walked: the spans of one resource after those of another. */
static void count_spans(struct shaping *shaping, uint64_t received_ns)
{
    const struct otlp_index *index = &shaping->batch.index;
    uint64_t age_ns = shaping->now_ns > received_ns ? shaping->now_ns - received_ns : 0;
    struct slice service;

    for (uint32_t i = 0; i < index->span_count;) {
        uint32_t resource = index->scopes[index->spans[i].scope].resource;
        uint64_t spans = 0, bytes = 0;

        for (; i < index->span_count && index->scopes[index->spans[i].scope].resource == resource; i++) {
            spans++;
            bytes += index->spans[i].bytes.len;
        }
        if (ctl_batch_service(&shaping->batch, resource, &service, &shaping->batch.unreadable) < 0) {
            shaping->unreadable++;
            return;
        }
        add(shaping, service, age_ns, spans, bytes);
    }
}

static void count_request(struct shaping *shaping, uint64_t received_ns)
{
    if (shaping->batch.readable)
        count_spans(shaping, received_ns);
    else
        shaping->unreadable++;
    ctl_progress_show(&shaping->progress, "looking into batches", shaping->done, shaping->there);
}

static int count_batches(struct shaping *shaping, const struct spool_stat *stat, struct err *err)
{
    struct ctl_pick pick = {.states = shaping->states, .until_ns = UINT64_MAX};
    const struct spool_record *header;
    struct ctl_pages pages;
    uint64_t lowest;
    int result;

    if (ctl_pages_lowest(shaping->spool, shaping->states, stat->next_seq, &lowest, err) < 0)
        return -1;
    ctl_pages_init(&pages, shaping->spool, lowest, stat->next_seq, false);
    while ((result = ctl_pages_next(&pages, &header, err)) > 0) {
        if (!ctl_pick_fits(&pick, header))
            continue;
        int found = ctl_batch_look(&shaping->batch, shaping->spool, header->seq, err);
        if (found < 0)
            return -1;
        shaping->done++;
        if (found > 0)
            count_request(shaping, header->received_ns);
    }
    return result;
}

/* One that stands for a whole batch is counted with the batch, which is held. */
static int count_parked(struct shaping *shaping, const struct spool_stat *stat, struct err *err)
{
    const struct spool_parked *parked;
    struct ctl_parked_pages pages;
    int result;

    ctl_parked_pages_init(&pages, shaping->spool, 0, 0);
    pages.end_seq = stat->next_seq;
    while ((result = ctl_parked_pages_next(&pages, &parked, err)) > 0) {
        shaping->done++;
        if (parked->whole)
            continue;
        if (parked->payload.len > 0)
            ctl_batch_look_at(&shaping->batch, parked->payload);
        else
            shaping->batch.readable = false;
        count_request(shaping, parked->received_ns);
    }
    ctl_parked_pages_fini(&pages);
    return result;
}

static int count(struct shaping *shaping, struct err *err)
{
    struct spool_stat stat;

    if (spool_stat(shaping->spool, &stat, err) < 0)
        return -1;
    shaping->there = ((shaping->states & SPOOL_EDIT_STATE(SPOOL_PENDING)) != 0 ? stat.pending_records : 0) +
                     ((shaping->states & SPOOL_EDIT_STATE(SPOOL_HELD)) != 0 ? stat.held_records : 0) +
                     ((shaping->states & SPOOL_EDIT_STATE(SPOOL_DELIVERED)) != 0 ? stat.history_records : 0) +
                     (shaping->parked ? stat.parked_entries : 0);
    if (shaping->states != 0 && count_batches(shaping, &stat, err) < 0)
        return -1;
    return shaping->parked ? count_parked(shaping, &stat, err) : 0;
}

/* --- telling --------------------------------------------------------------------- */

/* "Nothing is pending or held." */
static void print_nothing(const struct shaping *shaping, struct buf *out)
{
    const char *before = "Nothing is ";

    for (int state = SPOOL_PENDING; state <= SPOOL_HELD; state++) {
        if ((shaping->states & SPOOL_EDIT_STATE(state)) == 0)
            continue;
        buf_printf(out, "%s%s", before, spool_record_state_name((enum spool_record_state)state));
        before = " or ";
    }
    buf_printf(out, shaping->parked ? "%sparked.\n" : ".\n", before);
}

static void tell(struct shaping *shaping)
{
    struct ctl_shape_page page = {.shape = shaping->shape,
                                  .unit = unit_names[shaping->unit],
                                  .width = ctl_terminal_width(shaping->ctl),
                                  .colored = ctl_terminal_colored(shaping->ctl)};
    struct buf out;

    buf_init(&out, OUT_BYTES_MAX);
    ctl_shape_sort(shaping->shape, shaping->limit, &page.shown, &page.others);
    if (shaping->ctl->json)
        ctl_shape_put(&page, &out);
    else if (shaping->shape->total.total > 0)
        ctl_shape_print(&page, &out);
    else if (shaping->unreadable == 0)
        print_nothing(shaping, &out);
    ctl_write(shaping->ctl, &out);
    buf_fini(&out);
    if (shaping->unreadable > 0)
        ctl_note(shaping->ctl, "%" PRIu64 " damaged batches or parked entries could not be looked into",
                 shaping->unreadable);
}

static int run(struct shaping *shaping)
{
    struct err err;

    shaping->shape = ctl_shape_new(shaping->bucket_ns);
    if (shaping->shape == NULL)
        return ctl_fail(shaping->ctl, "no memory");
    ctl_batch_init(&shaping->batch);
    ctl_progress_init(&shaping->progress, shaping->ctl);
    int result = count(shaping, &err);
    ctl_progress_clear(&shaping->progress);
    if (result < 0)
        ctl_fail(shaping->ctl, "%s", err.text);
    else
        tell(shaping);
    ctl_batch_fini(&shaping->batch);
    ctl_shape_free(shaping->shape);
    return result < 0 ? CTL_FAILED : shaping->unreadable > 0 ? CTL_PARTIAL : CTL_OK;
}

/* --- the command line ------------------------------------------------------------ */

static int take_unit(struct shaping *shaping, enum unit unit)
{
    if (shaping->unit != SPANS && shaping->unit != unit) {
        ctl_fail(shaping->ctl, "--bytes and --batches are two tables; ask for one");
        return -1;
    }
    shaping->unit = unit;
    return 0;
}

static int take_bucket(struct shaping *shaping, const char *text)
{
    if (units_parse_duration(text, &shaping->bucket_ns) == 0 && shaping->bucket_ns >= NS_PER_MS &&
        shaping->bucket_ns <= CTL_SHAPE_BUCKET_S_MAX * NS_PER_S)
        return 0;
    ctl_fail(shaping->ctl, "--bucket takes a duration of 1ms to 30d, not \"%s\"", text);
    return -1;
}

static int take_option(struct shaping *shaping, int option, const char *argument)
{
    switch (option) {
    case 'P':
        shaping->states |= SPOOL_EDIT_STATE(SPOOL_PENDING);
        return 0;
    case 'H':
        shaping->states |= SPOOL_EDIT_STATE(SPOOL_HELD);
        return 0;
    case 'D':
        shaping->states |= SPOOL_EDIT_STATE(SPOOL_DELIVERED);
        return 0;
    case 'p':
        shaping->parked = true;
        return 0;
    case 'b':
        return take_unit(shaping, BYTES);
    case 'B':
        return take_unit(shaping, BATCHES);
    case 'T':
        return take_bucket(shaping, argument);
    default:
        if (ctl_options_number(argument, UINT64_MAX, &shaping->limit) == 0)
            return 0;
        ctl_fail(shaping->ctl, "--limit takes a number, not \"%s\"", argument);
        return -1;
    }
}

int ctl_shape(struct ctl *ctl, int argc, char **argv)
{
    struct shaping shaping = {
        .ctl = ctl, .bucket_ns = DEFAULT_BUCKET_NS, .limit = DEFAULT_LIMIT, .now_ns = clock_wall_ns()};
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_shape_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return ctl->exit;
        if (take_option(&shaping, option, argument) < 0)
            return CTL_FAILED;
    }
    if (optind < argc)
        return ctl_fail(ctl, "takes no operand; `tracespool show %s` shows one batch or trace", argv[optind]);
    if (shaping.states == 0 && !shaping.parked)
        shaping.states = SPOOL_EDIT_STATE(SPOOL_PENDING);
    if (shaping.limit == 0)
        shaping.limit = UINT64_MAX;
    shaping.spool = ctl_open_spool(ctl);
    if (shaping.spool == NULL)
        return CTL_FAILED;
    int status = run(&shaping);
    spool_close(shaping.spool);
    return status;
}
