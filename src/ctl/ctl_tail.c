/*
 * ctl_tail.c - `tracespool tail`: spans as they arrive.
 *
 * One thread.  Where to begin is looked for backwards; from there batches are
 * listed by pages and shown one by one, then it looks again every
 * CTL_TAIL_LOOK_MS.  No transaction is open while anything is printed or
 * waited for, so a terminal that takes nothing holds up nobody: what is
 * delivered and gone when its turn comes is counted and said.
 *
 * It goes on while the daemon is away, and with the spool that is there then.
 */
#include "ctl_tail.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "ctl_follow.h"
#include "ctl_pages.h"
#include "ctl_terminal.h"
#include "ctl_time.h"
#include "ctl_turns.h"
#include "ctl_verbs.h"
#include "units.h"

#define DEFAULT_LIMIT 10
#define NO_LIMIT UINT64_MAX
#define OUT_BYTES_MAX (4UL << 20)   /* a line has a name, which can be long */
#define OUT_BYTES_FULL (32UL << 10) /* then it is written */

enum { SERVICE = 's', STATUS = 'S', DURATION = 'd', SINCE = 't', LIMIT = 'n', NO_FOLLOW = 'F' };

const struct ctl_option ctl_tail_options[] = {
    {"limit", "N", CTL_OPTION_LETTER | LIMIT, "begin with the last N spans (default 10, with --since all); 0: none"},
    {"since", "TIME", SINCE, "begin with what was received then or later"},
    {"service", "NAME", SERVICE, "only spans of this service.name"},
    {"status", "STATUS", STATUS, "only spans whose status is error, ok or unset"},
    {"min-duration", "DURATION", DURATION, "only spans that took so long or longer"},
    {"no-follow", NULL, NO_FOLLOW, "end with the newest, instead of waiting for more"},
    {NULL, NULL, 0, NULL},
};

struct tail {
    struct ctl *ctl;
    struct ctl_tail_filter filter;
    uint64_t since_ns;
    uint64_t limit;
    bool follows;
    bool colored;
    unsigned name_columns;

    struct ctl_follow follow;
    struct ctl_turns turns;
    struct ctl_tail_reader reader;
    struct buf out;

    uint64_t next_seq;      /* to be listed next */
    uint64_t begin_seq;     /* the first that came after the beginning */
    uint64_t expected;      /* the batch after the last one that was seen; 0: none was */
    uint64_t skip;          /* spans that are not shown, of the first batch */
    uint64_t damaged_files; /* that are kept beside the spool */
    pid_t owner;
    bool damaged; /* a batch was */
    bool away;    /* the last look failed, which was said */
    bool ended;
};

static bool is_ended(struct tail *tail)
{
    tail->ended |= ctl_turns_wait(&tail->turns, 0) == CTL_TURN_END;
    return tail->ended;
}

/* --- where to begin ---------------------------------------------------------- */

static int count_span(void *context, const struct ctl_tail_span *span)
{
    (void)span;
    ++*(uint64_t *)context;
    return 0;
}

/* The last `limit` spans: goes back batch by batch until there are as many. */
static int find_last(struct tail *tail, uint64_t lowest, struct err *err)
{
    struct spool *spool = tail->follow.spool;
    const struct spool_record *header;
    struct ctl_pages pages;
    uint64_t spans = 0;
    int result = 0;

    ctl_pages_init(&pages, spool, lowest, tail->next_seq, true);
    while (spans < tail->limit && !is_ended(tail) && (result = ctl_pages_next(&pages, &header, err)) > 0) {
        if (header->received_ns < tail->since_ns)
            continue;
        if (ctl_tail_read(&tail->reader, spool, header->seq, &tail->filter, count_span, &spans, err) == CTL_TAIL_FAILED)
            return -1;
        tail->next_seq = header->seq;
    }
    tail->skip = spans > tail->limit ? spans - tail->limit : 0;
    return result < 0 ? -1 : 0;
}

/* What is there already, from the oldest or the last ones on. */
static int find_begin(struct tail *tail, uint64_t *end_seq, struct err *err)
{
    struct spool_stat stat;
    uint64_t lowest;

    if (spool_find_since(tail->follow.spool, tail->since_ns, &lowest, err) < 0 ||
        spool_stat(tail->follow.spool, &stat, err) < 0)
        return -1;
    tail->damaged_files = stat.damaged_files;
    *end_seq = tail->next_seq = tail->begin_seq = stat.next_seq;
    if (tail->limit == NO_LIMIT)
        tail->next_seq = lowest;
    else if (tail->limit > 0 && find_last(tail, lowest, err) < 0)
        return -1;
    tail->expected = tail->next_seq;
    return 0;
}

/* --- showing ----------------------------------------------------------------- */

static int write_out(struct tail *tail)
{
    if (tail->out.len > 0 && ctl_turns_write(&tail->turns, &tail->out) < 0)
        tail->ended = true;
    return tail->ended ? -1 : 0;
}

static int show_span(void *context, const struct ctl_tail_span *span)
{
    struct tail *tail = context;

    if (tail->skip > 0) {
        tail->skip--;
        return 0;
    }
    if (tail->ctl->json)
        ctl_tail_json(span, &tail->out);
    else
        ctl_tail_text(span, tail->name_columns, tail->colored, &tail->out);
    return tail->out.len < OUT_BYTES_FULL ? 0 : write_out(tail);
}

/* The ring goes from its oldest end: a gap behind a batch that is there still was one before all this. */
static bool is_passed_by_the_ring(struct tail *tail)
{
    struct spool_record oldest;
    struct err err;
    size_t count;

    return spool_list(tail->follow.spool, 0, 1, &oldest, &count, &err) == 0 &&
           (count == 0 || oldest.seq >= tail->expected);
}

static void note_gap(struct tail *tail, uint64_t seq)
{
    uint64_t gone = seq - tail->expected;
    char text[UNITS_TEXT_MAX];

    if (tail->expected == 0 || gone == 0 || (tail->expected < tail->begin_seq && !is_passed_by_the_ring(tail)))
        return;
    ctl_note(tail->ctl, "%s %s gone before %s could be shown: removed after delivery to make room, or by an operator",
             units_format_count(text, gone), gone == 1 ? "batch was" : "batches were", gone == 1 ? "it" : "they");
}

/* -1: the spool cannot be read. */
static int show_batch(struct tail *tail, const struct spool_record *record, struct err *err)
{
    enum ctl_tail_found found = CTL_TAIL_READ;

    note_gap(tail, record->seq);
    if (record->received_ns >= tail->since_ns)
        found = ctl_tail_read(&tail->reader, tail->follow.spool, record->seq, &tail->filter, show_span, tail, err);
    if (found == CTL_TAIL_FAILED)
        return -1;
    tail->skip = 0; /* it was the first batch's */
    tail->next_seq = record->seq + 1;
    /* One that goes between the list and the read is a gap before the next. */
    tail->expected = found == CTL_TAIL_GONE ? record->seq : tail->next_seq;
    if (found == CTL_TAIL_DAMAGED) {
        tail->damaged = true;
        ctl_note(tail->ctl, "batch %" PRIu64 " is not shown: %s", record->seq, err->text);
    }
    write_out(tail);
    return 0;
}

/* All that is there below `end_seq`.  -1: the spool cannot be read. */
static int catch_up(struct tail *tail, uint64_t end_seq, struct err *err)
{
    const struct spool_record *header;
    struct ctl_pages pages;
    int result = 0;

    ctl_pages_init(&pages, tail->follow.spool, tail->next_seq, end_seq, false);
    while (!is_ended(tail) && (result = ctl_pages_next(&pages, &header, err)) > 0) {
        if (show_batch(tail, header, err) < 0)
            return -1;
    }
    return result < 0 ? -1 : 0;
}

/* --- following --------------------------------------------------------------- */

static void note_owner(struct tail *tail, bool is_first)
{
    pid_t owner = spool_owner(tail->follow.path);

    if (owner == 0 && (is_first || tail->owner != 0))
        ctl_note(tail->ctl, "the daemon is not running; what it receives is shown when it is back");
    else if (owner != 0 && tail->owner != owner && !is_first)
        ctl_note(tail->ctl, "the daemon runs again, process %d", (int)owner);
    tail->owner = owner;
}

/* Another file is in the place of the spool's. */
static int begin_anew(struct tail *tail, struct err *err)
{
    struct spool_stat stat;

    if (spool_stat(tail->follow.spool, &stat, err) < 0)
        return -1;
    if (stat.damaged_files > tail->damaged_files)
        ctl_note(tail->ctl,
                 "the spool was found damaged and is begun anew; what was in it is kept: `tracespool status` "
                 "says what to do");
    else
        ctl_note(tail->ctl, "the spool is another file now");
    tail->damaged_files = stat.damaged_files;
    tail->expected = tail->begin_seq = 0;
    if (stat.next_seq < tail->next_seq)
        tail->next_seq = 0;
    return 0;
}

static void look(struct tail *tail)
{
    struct err err;
    int result = ctl_follow_look(&tail->follow, &err);

    if (result > 0)
        result = begin_anew(tail, &err);
    if (result == 0)
        result = catch_up(tail, SPOOL_SEQ_OPEN, &err);
    if (result < 0) {
        ctl_follow_drop(&tail->follow);
        if (!tail->away)
            ctl_note(tail->ctl, "%s; trying on", err.text);
    }
    tail->away = result < 0;
}

/*
 * A last look when the daemon has gone, and none while it is away: nothing
 * comes then, and the next daemon, which is given a turn's time, may find the
 * file damaged.
 */
static void turn(struct tail *tail)
{
    bool was_there = tail->owner != 0;

    note_owner(tail, false);
    if (was_there)
        look(tail);
    if (tail->owner == 0)
        ctl_follow_drop(&tail->follow);
}

static int run(struct tail *tail)
{
    uint64_t end_seq = 0;
    struct err err;

    if (find_begin(tail, &end_seq, &err) < 0 || (!tail->ended && catch_up(tail, end_seq, &err) < 0))
        return ctl_fail(tail->ctl, "%s", err.text);
    if (!tail->follows)
        note_gap(tail, tail->expected < end_seq ? end_seq : tail->expected);
    else
        note_owner(tail, true);
    tail->since_ns = 0; /* what comes from now on is shown, also when it was received long ago and requeued */
    while (tail->follows && !tail->ended) {
        turn(tail);
        tail->ended |= ctl_turns_wait(&tail->turns, clock_mono_ns() + CTL_TAIL_LOOK_MS * NS_PER_MS) == CTL_TURN_END;
        tail->name_columns = ctl_tail_name_columns(ctl_terminal_width(tail->ctl)); /* it may have been resized */
    }
    return CTL_OK;
}

/* --- the command line -------------------------------------------------------- */

static int take_option(struct tail *tail, int option, const char *argument)
{
    struct ctl *ctl = tail->ctl;
    struct err err;

    switch (option) {
    case SERVICE:
        tail->filter.service = argument;
        return CTL_OK;
    case STATUS:
        if (ctl_tail_status(argument, &tail->filter.status) < 0)
            return ctl_fail(ctl, "--status takes error, ok or unset, not \"%s\"", argument);
        return CTL_OK;
    case DURATION:
        if (units_parse_duration(argument, &tail->filter.min_duration_ns) != 0)
            return ctl_fail(ctl, "--min-duration takes a duration, such as 250ms, not \"%s\"", argument);
        return CTL_OK;
    case SINCE:
        if (ctl_time_parse(argument, clock_wall_ns(), &tail->since_ns, &err) < 0)
            return ctl_fail(ctl, "--since: %s", err.text);
        return CTL_OK;
    case LIMIT:
        if (ctl_options_number(argument, CTL_TAIL_LIMIT_MAX, &tail->limit) < 0)
            return ctl_fail(ctl, "--limit takes a number up to %d, not \"%s\"", CTL_TAIL_LIMIT_MAX, argument);
        return CTL_OK;
    default:
        tail->follows = false;
        return CTL_OK;
    }
}

static int open_and_run(struct tail *tail)
{
    struct ctl *ctl = tail->ctl;
    int status;

    if (ctl_follow_open(&tail->follow, ctl) < 0)
        return CTL_FAILED;
    tail->colored = ctl_terminal_colored(ctl);
    tail->name_columns = ctl_tail_name_columns(ctl_terminal_width(ctl));
    ctl_tail_reader_init(&tail->reader);
    buf_init(&tail->out, OUT_BYTES_MAX);
    ctl_turns_begin(&tail->turns, ctl, false);
    status = run(tail);
    ctl_turns_end(&tail->turns);
    buf_fini(&tail->out);
    ctl_tail_reader_fini(&tail->reader);
    ctl_follow_close(&tail->follow);
    if (status == CTL_OK)
        status = ctl_turns_status(&tail->turns);
    return status == CTL_OK && tail->damaged ? CTL_PARTIAL : status;
}

int ctl_tail(struct ctl *ctl, int argc, char **argv)
{
    struct tail tail = {.ctl = ctl, .filter = {.status = CTL_TAIL_ANY_STATUS}, .limit = NO_LIMIT, .follows = true};
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_tail_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return ctl->exit;
        if (take_option(&tail, option, argument) != CTL_OK)
            return CTL_FAILED;
    }
    if (optind < argc)
        return ctl_fail(ctl, "takes no operand; `tracespool show %s` shows one batch or trace", argv[optind]);
    if (tail.limit == NO_LIMIT && tail.since_ns == 0)
        tail.limit = DEFAULT_LIMIT;
    return open_and_run(&tail);
}
