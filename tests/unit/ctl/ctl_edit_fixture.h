/*
 * ctl_edit_fixture.h - spools for an operator to edit, and a terminal that answers.
 */
#ifndef TRACESPOOL_CTL_EDIT_FIXTURE_H
#define TRACESPOOL_CTL_EDIT_FIXTURE_H

#include "ctl_run_fixture.h"

/* Batches 1 .. count of two spans each. */
static inline void fixture_put_batches(struct spool_fixture *fixture, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        fixture_put(fixture, slice_of_text("batch"), 5, OTLP_CODEC_IDENTITY, 2);
}

static inline void fixture_park(struct spool_fixture *fixture, uint64_t seq, uint32_t index, const char *payload)
{
    struct spool_parked parked = fixture_refused(seq, index, "Document failed validation", slice_of_text(payload));
    struct err err;

    parked.parked_ns = parked.received_ns = clock_wall_ns();
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
}

static inline void fixture_park_whole(struct spool_fixture *fixture, uint64_t seq)
{
    struct spool_parked parked = {.seq = seq,
                                  .whole = true,
                                  .reason = SPOOL_PARK_UNDECODABLE,
                                  .spans = 2,
                                  .parked_ns = clock_wall_ns(),
                                  .text = "not protobuf"};
    struct err err;

    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
}

/* "1p 2h 3d 7:0 ": pending, held, delivered, and the parked entries. */
static inline void assert_spool(struct spool_fixture *fixture, const char *expected)
{
    static struct spool_record records[64];
    static struct spool_parked parked[64];
    char text[1024] = "";
    struct spool *spool = fixture->spool;
    struct arena arena;
    struct err err;
    size_t count;

    if (spool == NULL)
        assert_int_equal(spool_open_readonly(&spool, fixture->path, &err), 0);
    assert_int_equal(spool_list(spool, 1, 64, records, &count, &err), 0);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%llu%c ", (unsigned long long)records[i].seq,
                 spool_record_state_name(records[i].state)[0]);
    arena_init(&arena, 1UL << 20);
    assert_int_equal(spool_list_parked(spool, 0, 0, 64, &arena, parked, &count, &err), 0);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%llu:%u ", (unsigned long long)parked[i].seq,
                 parked[i].index);
    arena_fini(&arena);
    if (fixture->spool == NULL)
        spool_close(spool);
    assert_string_equal(text, expected);
}

/* assert_ran of a replay by time, which says first which times are meant. */
static inline void assert_ran_in_window(struct run *run, int status, const char *out, const char *err)
{
    static const char says[] = "tracespool replay: what was received from ";
    char *rest = strchr(run->err, '\n');

    assert_int_equal(strncmp(run->err, says, sizeof(says) - 1), 0);
    assert_non_null(rest);
    memmove(run->err, rest + 1, strlen(rest));
    assert_ran(run, status, out, err);
}

/* Runs with `text` on standard input, from a pipe. */
static inline void run_with_input(struct run *run, const char *text, const char *const *argv)
{
    int ends[2], kept = dup(STDIN_FILENO);

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    run_command(run, argv);
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    close(kept);
}

#define RUN_WITH(run, text, ...) run_with_input(run, text, (const char *[]){"tracespool", __VA_ARGS__, NULL})

/* --- a terminal ------------------------------------------------------------ */

struct terminal {
    int fd;
    char seen[65536]; /* what was written to it */
    size_t len;
};

/* Reads until `text` was seen, or, with NULL, until nobody writes any more. */
static inline void terminal_read(struct terminal *terminal, const char *text)
{
    while (text == NULL || strstr(terminal->seen, text) == NULL) {
        ssize_t got = read(terminal->fd, terminal->seen + terminal->len, sizeof(terminal->seen) - 1 - terminal->len);

        if (got <= 0) /* EIO: the last one has closed it */
            break;
        terminal->len += (size_t)got;
        terminal->seen[terminal->len] = '\0';
    }
    if (text != NULL)
        assert_contains(terminal->seen, text);
}

/*
 * Standard input and standard error are a terminal, at which `answer` is typed
 * once the question is there and `meanwhile` is done (both may be NULL).
 * run->err is what the terminal showed.
 */
static inline void run_on_terminal(struct run *run, const char *const *argv, const char *answer,
                                   void (*meanwhile)(struct spool_fixture *), struct spool_fixture *fixture)
{
    static struct terminal terminal;
    FILE *out = tmpfile();
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;

    terminal = (struct terminal){.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    assert_true(terminal.fd >= 0);
    assert_non_null(out);
    assert_int_equal(grantpt(terminal.fd) + unlockpt(terminal.fd), 0);
    assert_int_equal(setenv("TERM", "xterm", 1), 0); /* whatever the tests run in: a dumb one is shown no progress */
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, ptsname(terminal.fd), O_RDWR | O_NOCTTY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    assert_int_equal(posix_spawn(&pid, TRACESPOOL, &actions, NULL, (char **)(uintptr_t)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    if (answer != NULL) {
        terminal_read(&terminal, "Go on? (y/N) ");
        if (meanwhile != NULL)
            meanwhile(fixture);
        assert_int_equal(write(terminal.fd, answer, strlen(answer)), (ssize_t)strlen(answer));
    }
    terminal_read(&terminal, NULL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    close(terminal.fd);
    run->status = WEXITSTATUS(status);
    run->out = fixture_take(out);
    run->err = strdup(terminal.seen);
    assert_non_null(run->err);
}

#define RUN_AND_ANSWER(run, answer, ...)                                                                               \
    run_on_terminal(run, (const char *[]){"tracespool", __VA_ARGS__, NULL}, answer, NULL, NULL)

#endif
