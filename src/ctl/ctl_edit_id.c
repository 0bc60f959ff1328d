/*
 * ctl_edit_id.c - ids as they are typed.
 *
 * Pure.  Strict: what an operator mistypes must be an error before anything is
 * changed, since what follows cannot be undone.
 */
#include "ctl_edit_id.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bounds.h"
#include "spool.h"

#define SEQ_MAX (SPOOL_SEQ_OPEN - 2) /* the end of its range is a number of its own, not SPOOL_SEQ_OPEN */
#define IDS_FIRST 64

enum number { NUMBER_OK, NUMBER_NONE, NUMBER_TOO_LARGE };

/* Takes decimal digits off *at. */
static enum number take_number(const char **at, uint64_t max, uint64_t *number)
{
    enum number result = **at >= '0' && **at <= '9' ? NUMBER_OK : NUMBER_NONE;

    *number = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        unsigned digit = (unsigned)(**at - '0');

        if (*number > (max - digit) / 10)
            result = NUMBER_TOO_LARGE;
        else
            *number = *number * 10 + digit;
    }
    return result;
}

static int no_id(const char *text, struct err *err)
{
    if (strcasecmp(text, "all") == 0)
        return err_set(err, ERR_CONFIG, 0, "\"%s\": ALL is written in capitals", text);
    return err_set(err, ERR_CONFIG, 0, "\"%s\" names no batch; SEQ, SEQ-SEQ and ALL do, and SEQ:N is one parked entry",
                   text);
}

static int too_large(const char *text, struct err *err)
{
    return err_set(err, ERR_CONFIG, 0, "\"%s\": no number here is so large", text);
}

/* What stands behind the first number. */
static int parse_rest(struct ctl_edit_id *id, const char *text, const char *at, struct err *err)
{
    uint64_t number = 0;
    bool is_range = *at == '-';
    enum number result = NUMBER_NONE;

    if (*at == '\0')
        return 0;
    if (strcmp(at, ":all") == 0) { /* what stands for the whole batch is kept as its entry 0 */
        id->kind = CTL_EDIT_ENTRY;
        return 0;
    }
    if (*at == '-' || *at == ':') {
        at++;
        result = take_number(&at, is_range ? SEQ_MAX : UINT32_MAX, &number);
    }
    if (result == NUMBER_NONE || *at != '\0')
        return no_id(text, err);
    if (result == NUMBER_TOO_LARGE)
        return too_large(text, err);
    if (is_range && number < id->first)
        return err_set(err, ERR_CONFIG, 0, "\"%s\": the range runs backwards", text);
    id->kind = is_range ? CTL_EDIT_RANGE : CTL_EDIT_ENTRY;
    if (is_range)
        id->last = number;
    else
        id->index = (uint32_t)number;
    return 0;
}

int ctl_edit_id_parse(struct ctl_edit_id *id, const char *text, struct err *err)
{
    const char *at = text;
    enum number result;

    *id = (struct ctl_edit_id){.kind = CTL_EDIT_ALL};
    if (strcmp(text, "ALL") == 0)
        return 0;
    result = take_number(&at, SEQ_MAX, &id->first);
    if (result == NUMBER_NONE || strchr("-:", *at) == NULL)
        return no_id(text, err);
    id->kind = CTL_EDIT_BATCH;
    id->last = id->first;
    if (result == NUMBER_TOO_LARGE)
        return too_large(text, err);
    if (id->first == 0)
        return err_set(err, ERR_CONFIG, 0, "\"%s\": batches are numbered from 1", text);
    return parse_rest(id, text, at, err);
}

char *ctl_edit_id_format(char out[CTL_EDIT_ID_TEXT_MAX], const struct ctl_edit_id *id)
{
    switch (id->kind) {
    case CTL_EDIT_BATCH:
        snprintf(out, CTL_EDIT_ID_TEXT_MAX, "%" PRIu64, id->first);
        break;
    case CTL_EDIT_RANGE:
        snprintf(out, CTL_EDIT_ID_TEXT_MAX, "%" PRIu64 "-%" PRIu64, id->first, id->last);
        break;
    case CTL_EDIT_ENTRY:
        snprintf(out, CTL_EDIT_ID_TEXT_MAX, "%" PRIu64 ":%" PRIu32, id->first, id->index);
        break;
    case CTL_EDIT_ALL:
        snprintf(out, CTL_EDIT_ID_TEXT_MAX, "ALL");
        break;
    }
    return out;
}

int ctl_edit_id_add(struct ctl_edit_ids *ids, const struct ctl_edit_id *id, struct err *err)
{
    if (ids->count == CTL_EDIT_IDS_MAX)
        return err_set(err, ERR_CONFIG, 0, "more than %d ids; name ranges, or ALL", CTL_EDIT_IDS_MAX);
    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity > 0 ? 2 * ids->capacity : IDS_FIRST;
        struct ctl_edit_id *items = realloc(ids->items, capacity * sizeof(*items));

        if (items == NULL)
            return err_set(err, ERR_BUSY, 0, "no memory for %zu ids", capacity);
        ids->items = items;
        ids->capacity = capacity;
    }
    ids->items[ids->count++] = *id;
    return 0;
}

/* --- from a pipe ----------------------------------------------------------- */

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

/* What `ls` prints besides its lines; in parentheses stands why a batch is not delivered. */
static bool is_frame(const char *line)
{
    static const char *const frames[] = {"SEQ ", "(", "The newest ", "The oldest ", "No ", "Nothing "};

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        if (strncmp(line, frames[i], strlen(frames[i])) == 0)
            return true;
    }
    return false;
}

#define WORDS_MAX 3

/* The line is cut up at its blanks.  Returns how many words there are, at most WORDS_MAX; the last is one word too. */
static size_t split(char *line, const char *words[WORDS_MAX], bool *more)
{
    static const char blanks[] = " \t\r\n";
    char *rest, *word = strtok_r(line, blanks, &rest);
    size_t count = 0;

    for (; word != NULL && count < WORDS_MAX; word = strtok_r(NULL, blanks, &rest))
        words[count++] = word;
    *more = word != NULL;
    return count;
}

/* 1: an id, 0: nothing on this line, -1: neither. */
static int parse_line(struct ctl_edit_id *id, char *line, struct err *err)
{
    char typed[CTL_EDIT_ID_TEXT_MAX];
    const char *words[WORDS_MAX];
    bool more;

    line += strspn(line, " \t");
    if (is_frame(line))
        return 0;
    size_t count = split(line, words, &more);
    if (count == 0)
        return 0;
    if (count == WORDS_MAX && is_time(words[2])) {
        /* a line of ls --parked: SEQ, SPAN, PARKED */
        snprintf(typed, sizeof(typed), "%.20s:%.20s", words[0], words[1]);
        words[0] = typed;
    } else if (count > 1 && !is_time(words[1])) {
        return err_set(err, ERR_CONFIG, 0, "\"%s %s\" is not one id, and no line of `tracespool ls`", words[0],
                       words[1]);
    }
    if (ctl_edit_id_parse(id, words[0], err) < 0)
        return -1;
    if (id->kind == CTL_EDIT_ALL)
        return err_set(err, ERR_CONFIG, 0, "ALL is taken from the command line only");
    return 1;
}

int ctl_edit_id_read(struct ctl_edit_ids *ids, FILE *input, struct err *err)
{
    char line[CTL_EDIT_LINE_MAX];

    for (unsigned long number = 1; fgets(line, sizeof(line), input) != NULL; number++) {
        struct ctl_edit_id id;
        int result;

        if (strlen(line) == sizeof(line) - 1 && line[sizeof(line) - 2] != '\n')
            return err_set(err, ERR_CONFIG, 0, "standard input, line %lu: longer than any line of `tracespool ls`",
                           number);
        result = parse_line(&id, line, err);
        if (result > 0)
            result = ctl_edit_id_add(ids, &id, err);
        if (result < 0)
            return err_prefix(err, "standard input, line %lu", number);
    }
    if (ferror(input))
        return err_set(err, ERR_CONFIG, 0, "standard input cannot be read");
    return 0;
}
