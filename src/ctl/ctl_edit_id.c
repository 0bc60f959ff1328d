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
    if (strcmp(at, ":all") == 0) {
        id->kind = CTL_EDIT_ENTRIES;
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

bool ctl_edit_id_is_parked(const struct ctl_edit_id *id)
{
    return id->kind == CTL_EDIT_ENTRY || id->kind == CTL_EDIT_ENTRIES;
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
    case CTL_EDIT_ENTRIES:
        snprintf(out, CTL_EDIT_ID_TEXT_MAX, "%" PRIu64 ":all", id->first);
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
