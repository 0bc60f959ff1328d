/*
 * power_operator.c - an operator beside the daemon of a workload.
 *
 * A process of its own: holds, releases, replays and removes records, requeues
 * and removes parked entries, each step said in the log as in power_work.c.
 * It changes only what was acknowledged, since of what is not nothing can be
 * said afterwards.
 */
#include "power_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "power_record.h"
#include "spool_edit.h"

#define ACTOR (POWER_ACTORS - 1)
#define RANGE_MAX 12
#define PAUSE_MS 3
#define REQUEUED_CODEC 9

struct editor {
    const struct power_run *run;
    struct spool *spool;
    uint64_t random;
    unsigned rounds;
    unsigned parked[2]; /* entries taken, by whether they stand for a whole record */
};

static void fail(const char *what, const struct err *err)
{
    fprintf(stderr, "power_operator: %s: %s\n", what, err->text);
    _exit(1);
}

static void mark_change(const struct editor *editor, enum power_change change, enum power_moment moment, uint64_t id,
                        uint64_t new_seq, uint64_t seq)
{
    struct power_mark mark = {.change = change, .moment = moment, .actor = ACTOR, .id = id, .seq = new_seq};

    mark.count = moment == POWER_ASKED ? 1 : 0;
    power_log_mark(editor->run->log, &mark, &seq);
}

/* --- records --------------------------------------------------------------- */

struct edit_kind {
    enum power_change change;
    enum spool_edit_kind kind;
    enum power_hint from;
    enum power_hint to;
};

static const struct edit_kind edit_kinds[] = {
    {POWER_HOLD, SPOOL_EDIT_HOLD, POWER_WAITS, POWER_HELD},
    {POWER_RELEASE, SPOOL_EDIT_RELEASE, POWER_HELD, POWER_WAITS},
    {POWER_RELEASE, SPOOL_EDIT_RELEASE, POWER_HELD, POWER_WAITS},
    {POWER_REPLAY, SPOOL_EDIT_REPLAY, POWER_DONE, POWER_WAITS},
    {POWER_REMOVE, SPOOL_EDIT_REMOVE, POWER_WAITS, POWER_GONE},
    {POWER_REMOVE, SPOOL_EDIT_REMOVE, POWER_HELD, POWER_GONE},
    {POWER_REMOVE, SPOOL_EDIT_REMOVE, POWER_DONE, POWER_GONE},
};

static bool edit_one(const struct editor *editor, const struct edit_kind *kind, uint64_t seq)
{
    struct spool_edit edit = {
        .kind = kind->kind,
        .range = {.first = seq, .end = seq + 1},
        .until_ns = UINT64_MAX,
        .states = SPOOL_EDIT_STATE(SPOOL_PENDING) | SPOOL_EDIT_STATE(SPOOL_HELD) | SPOOL_EDIT_STATE(SPOOL_DELIVERED),
    };
    struct spool_edit_result result = {.records = 0};
    uint64_t from = seq;
    struct err err;
    int rc;

    mark_change(editor, kind->change, POWER_ASKED, 0, 0, seq);
    do {
        rc = spool_edit_step(editor->spool, &edit, &from, &result, &err);
    } while (rc == 1);
    if (rc == -1 && err.class != ERR_BUSY)
        fail("edit", &err);
    mark_change(editor, kind->change, rc == 0 ? POWER_CONFIRMED : POWER_REFUSED, 0, 0, 0);
    return rc == 0 && result.records > 0;
}

static void edit_records(struct editor *editor)
{
    const struct edit_kind *kind = &edit_kinds[editor->rounds++ % (sizeof(edit_kinds) / sizeof(edit_kinds[0]))];
    struct power_table *table = editor->run->table;
    uint64_t seqs[RANGE_MAX];
    size_t count = power_table_choose(table, kind->from, power_random(&editor->random), POWER_SEQS_MAX,
                                      1 + power_random_below(&editor->random, RANGE_MAX), seqs);

    for (size_t i = 0; i < count; i++) {
        if (edit_one(editor, kind, seqs[i]))
            power_table_set(table, &seqs[i], 1, kind->to);
    }
}

/* --- parked ---------------------------------------------------------------- */

static void edit_parked(struct editor *editor)
{
    static const enum power_change changes[2][2] = {{POWER_REMOVE_SPAN, POWER_REMOVE_WHOLE},
                                                    {POWER_REQUEUE_SPAN, POWER_REQUEUE_WHOLE}};
    bool requeue, whole;
    struct power_table *table = editor->run->table;
    struct spool_edit_result result = {.records = 0};
    uint64_t seq, id, new_seq;
    struct spool_edit_parked edit;
    enum power_change change;
    struct err err;
    int rc;

    if (!power_table_take_parked(table, &seq, &id, &whole))
        return;
    requeue = editor->parked[whole]++ % 2 == 0;
    change = changes[requeue][whole];
    edit = (struct spool_edit_parked){.requeue = requeue,
                                      .seq = seq,
                                      .index = whole ? 0 : 1,
                                      .last_seq = seq,
                                      .last_index = whole ? 0 : 1,
                                      .codec = REQUEUED_CODEC};
    mark_change(editor, change, POWER_ASKED, id, 0, seq);
    rc = spool_edit_parked_step(editor->spool, &edit, &new_seq, &result, &err);
    if (rc == -1 && err.class != ERR_BUSY)
        fail("edit of a parked entry", &err);
    mark_change(editor, change, rc == -1 ? POWER_REFUSED : POWER_CONFIRMED, id, new_seq, 0);
    if (rc == -1)
        power_table_park(table, seq, id, whole);
    else if (new_seq != 0)
        power_table_add(table, new_seq, 1);
    else if (whole && result.records > 0)
        power_table_set(table, &seq, 1, requeue ? POWER_WAITS : POWER_GONE);
}

/* --- the process ----------------------------------------------------------- */

/* False while the daemon has not made it yet. */
static bool try_open(struct editor *editor)
{
    struct err err;

    if (spool_open_edit(&editor->spool, editor->run->path, &err) == 0)
        return true;
    if (power_table_stored_bytes(editor->run->table) > 0)
        fail("open", &err);
    return false;
}

void power_operator_run(const struct power_run *run)
{
    struct editor editor = {.run = run, .random = run->seed * 400};

    power_record_start(run->log, run->path);
    while (!power_table_ended(run->table)) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
        if (power_table_stored_bytes(run->table) == 0 || (editor.spool == NULL && !try_open(&editor)))
            continue;
        edit_records(&editor);
        edit_parked(&editor);
    }
    spool_close(editor.spool);
    _exit(0);
}
