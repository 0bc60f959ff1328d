/*
 * ctl_edit_id.h - what an operator calls a batch, a range of them, or what is parked.
 */
#ifndef TRACESPOOL_CTL_EDIT_ID_H
#define TRACESPOOL_CTL_EDIT_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

enum ctl_edit_id_kind {
    CTL_EDIT_BATCH,   /* SEQ */
    CTL_EDIT_RANGE,   /* SEQ-SEQ */
    CTL_EDIT_ENTRY,   /* SEQ:N: one parked entry */
    CTL_EDIT_ENTRIES, /* SEQ:all: all that is parked of a batch, or what stands for it as a whole */
    CTL_EDIT_ALL,     /* ALL */
};

struct ctl_edit_id {
    enum ctl_edit_id_kind kind;
    uint64_t first; /* 0 with CTL_EDIT_ALL */
    uint64_t last;  /* inclusive; `first` but with CTL_EDIT_RANGE */
    uint32_t index; /* of CTL_EDIT_ENTRY; 0 without */
};

/* 0, or -1 with ERR_CONFIG and a text that quotes what was typed. */
int ctl_edit_id_parse(struct ctl_edit_id *id, const char *text, struct err *err);

#define CTL_EDIT_ID_TEXT_MAX 48

/* Whether it names what is parked, and no batch. */
bool ctl_edit_id_is_parked(const struct ctl_edit_id *id);

/* As it is typed.  Returns `out`. */
char *ctl_edit_id_format(char out[CTL_EDIT_ID_TEXT_MAX], const struct ctl_edit_id *id);

/* A list that grows up to CTL_EDIT_IDS_MAX.  Begin with zeros; free(items) ends it. */
struct ctl_edit_ids {
    struct ctl_edit_id *items;
    size_t count;
    size_t capacity;
};

int ctl_edit_id_add(struct ctl_edit_ids *ids, const struct ctl_edit_id *id, struct err *err);

/* --- ctl_edit_id_read.c ---------------------------------------------------- */

/*
 * Adds the ids of `input`, one a line: an id, or a line of `tracespool ls` or
 * `tracespool ls --parked`, also of --json; their heads, last lines and empty
 * lines are passed over.  ALL is refused: it is to be typed.  -1: ERR_CONFIG
 * with the line's number; `ids` is then of no use.
 */
int ctl_edit_id_read(struct ctl_edit_ids *ids, FILE *input, struct err *err);

#endif
