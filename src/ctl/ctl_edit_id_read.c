/*
 * ctl_edit_id_read.c - ids from a pipe: as they are typed, or lines of a list.
 *
 * Pure, but for reading.  As strict as with what is typed: a line that is
 * neither an id nor of a list is a mistake.  Of a line of JSON the members
 * count that name something, in any order and with any others beside them, so
 * a list may have gone through jq.
 */
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "buf.h"
#include "ctl_edit_id.h"

#define BLANKS " \t\r"
#define NUMBER_COLUMNS 20 /* as long as any that is taken */

/* --- a line for people ----------------------------------------------------- */

/* "2026-01-31T12:00:00Z", as the lists of `ls` have it. */
static bool is_time(const char *word)
{
    static const char shape[] = "0000-00-00T00:00:00Z";

    if (strlen(word) != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == '0' ? word[i] < '0' || word[i] > '9' : word[i] != shape[i])
            return false;
    }
    return true;
}

/* What `ls` prints besides its lines; in parentheses stands why a batch is not delivered, or parked. */
static bool is_frame(const char *line)
{
    static const char *const frames[] = {"SEQ ", "ID ", "(", "The newest ", "The oldest ", "No ", "Nothing "};

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        if (strncmp(line, frames[i], strlen(frames[i])) == 0)
            return true;
    }
    return false;
}

static int parse_words(struct ctl_edit_id *id, char *line, struct err *err)
{
    char *rest;
    const char *word = strtok_r(line, BLANKS, &rest);
    const char *next = strtok_r(NULL, BLANKS, &rest);

    if (next != NULL && !is_time(next))
        return err_set(err, ERR_CONFIG, 0, "\"%.40s %.40s\" is not one id, and no line of `tracespool ls`", word, next);
    return ctl_edit_id_parse(id, word, err);
}

/* --- a line of JSON -------------------------------------------------------- */

/* The members that name something, as they stand in the line; NULL: it is not there. */
struct members {
    const char *seq;
    const char *index;
    const char *whole;
};

/* The closing quote of the string that begins at `at`, or NULL. */
static const char *end_of_string(const char *at)
{
    for (at++; *at != '"'; at++) {
        at += *at == '\\';
        if (*at == '\0')
            return NULL;
    }
    return at;
}

/* What stands behind the value: the comma, or the brace of the object that it is in.  NULL: there is no end. */
static const char *end_of_value(const char *at)
{
    for (size_t depth = 0; *at != '\0'; at++) {
        if (depth == 0 && (*at == ',' || *at == '}'))
            return at;
        if (*at == '"' && (at = end_of_string(at)) == NULL)
            return NULL;
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && depth-- == 0)
            return NULL;
    }
    return NULL;
}

static void take_member(struct members *members, const char *name, size_t len, const char *value)
{
    const struct {
        const char *name;
        const char **value;
    } known[] = {{"seq", &members->seq}, {"span_index", &members->index}, {"whole", &members->whole}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
            *known[i].value = value;
    }
}

static int read_members(struct members *members, const char *at)
{
    do {
        const char *name, *end;

        at += 1 + strspn(at + 1, BLANKS);
        if (*at != '"' || (end = end_of_string(at)) == NULL)
            return -1;
        name = at + 1;
        at = end + 1 + strspn(end + 1, BLANKS);
        if (*at != ':')
            return -1;
        at += 1 + strspn(at + 1, BLANKS);
        take_member(members, name, (size_t)(end - name), at);
        at = end_of_value(at);
    } while (at != NULL && *at == ',');
    return at != NULL && at[1 + strspn(at + 1, BLANKS)] == '\0' ? 0 : -1;
}

static int number_len(const char *value)
{
    return (int)strspn(value, "0123456789");
}

static int parse_json(struct ctl_edit_id *id, const char *line, struct err *err)
{
    struct members members = {.seq = NULL};
    char typed[CTL_EDIT_ID_TEXT_MAX];

    if (read_members(&members, line) < 0 || members.seq == NULL || number_len(members.seq) > NUMBER_COLUMNS ||
        (members.index != NULL && number_len(members.index) > NUMBER_COLUMNS))
        return err_set(err, ERR_CONFIG, 0, "is an object without \"seq\", and no line of `tracespool ls --json`");
    int len = snprintf(typed, sizeof(typed), "%.*s", number_len(members.seq), members.seq);
    if (members.whole != NULL && strncmp(members.whole, "true", 4) == 0)
        snprintf(typed + len, sizeof(typed) - (size_t)len, ":all");
    else if (members.index != NULL)
        snprintf(typed + len, sizeof(typed) - (size_t)len, ":%.*s", number_len(members.index), members.index);
    return ctl_edit_id_parse(id, typed, err);
}

/* --- any line -------------------------------------------------------------- */

/* 1: an id, 0: nothing on this line, -1: neither. */
static int parse_line(struct ctl_edit_id *id, char *line, struct err *err)
{
    line += strspn(line, BLANKS);
    if (*line == '\0' || is_frame(line))
        return 0;
    if ((*line == '{' ? parse_json(id, line, err) : parse_words(id, line, err)) < 0)
        return -1;
    if (id->kind == CTL_EDIT_ALL)
        return err_set(err, ERR_CONFIG, 0, "ALL is taken from the command line only");
    return 1;
}

/* Without its end, with a NUL.  1, or 0 when none is left; a longer one sets line->failed. */
static int read_line(struct buf *line, FILE *input)
{
    int byte = getc_unlocked(input);
    bool any = byte != EOF;

    buf_clear(line);
    for (; byte != EOF && byte != '\n' && !line->failed; byte = getc_unlocked(input))
        buf_append(line, &(char){(char)byte}, 1);
    buf_append(line, "", 1);
    return any;
}

static int read_lines(struct ctl_edit_ids *ids, FILE *input, struct buf *line, struct err *err)
{
    for (unsigned long number = 1; read_line(line, input) > 0; number++) {
        struct ctl_edit_id id;
        int result;

        if (line->failed)
            return err_set(err, ERR_CONFIG, 0, "standard input, line %lu: longer than any line of `tracespool ls`",
                           number);
        result = parse_line(&id, (char *)line->data, err);
        if (result > 0)
            result = ctl_edit_id_add(ids, &id, err);
        if (result < 0)
            return err_prefix(err, "standard input, line %lu", number);
    }
    if (ferror(input))
        return err_set(err, ERR_CONFIG, 0, "standard input cannot be read");
    return 0;
}

int ctl_edit_id_read(struct ctl_edit_ids *ids, FILE *input, struct err *err)
{
    struct buf line;

    buf_init(&line, CTL_EDIT_LINE_MAX);
    int result = read_lines(ids, input, &line, err);
    buf_fini(&line);
    return result;
}
