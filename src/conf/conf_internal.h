/*
 * conf_internal.h - what the files of this folder share.
 *
 * Invariants:
 * 1. A text member of struct conf is NULL or from strdup, so conf_free may
 *    run after any part of a load.
 * 2. No text of a problem holds the value of a TEXT key that may be secret:
 *    only addresses, sizes and durations are quoted.
 */
#ifndef TRACESPOOL_CONF_INTERNAL_H
#define TRACESPOOL_CONF_INTERNAL_H

#include <stddef.h>

#include "conf.h"
#include "conf_list.h"

struct conf_key {
    const char *section; /* its path: "spool", "receiver.tls" */
    const char *name;
    enum conf_type type;
    const char *default_text;
    uint64_t min;
    uint64_t max;
    size_t offset; /* of the member in struct conf */
};

enum {
#define CONF_SECTION(section, path)
#define CONF_KEY(section, name, type, default_text, min, max, help) CONF_INDEX_##section##_##name,
#include "conf_table.h"
#undef CONF_SECTION
#undef CONF_KEY
    CONF_KEY_COUNT
};

/* --- conf_key.c: the table ------------------------------------------------ */

extern const struct conf_key conf_keys[CONF_KEY_COUNT];

/* The table's own text, so that it may be kept; or NULL. */
const char *conf_section_find(const char *path);
const struct conf_key *conf_key_find(const char *section, const char *name); /* or NULL */

/* The known name that `name` is probably a slip of, or NULL when none is close.  A section's groups count as its keys. */
const char *conf_section_nearest(const char *name);
const char *conf_key_nearest(const char *section, const char *name);

/* --- conf_value.c: a value into its member ------------------------------- */

/*
 * Check the value and store it.  -1: ERR_CONFIG, the text without the key's
 * name, the member as it was.
 */
int conf_value_set_text(struct conf *conf, const struct conf_key *key, const char *text, struct err *err);
int conf_value_set_count(struct conf *conf, const struct conf_key *key, int64_t count, struct err *err);
void conf_value_set_bool(struct conf *conf, const struct conf_key *key, bool flag);
int conf_value_set_default(struct conf *conf, const struct conf_key *key, struct err *err);

/* --- conf_check.c: what a text has to look like --------------------------- */

/* 0 when this key takes any text of the right length, or takes this one. -1: ERR_CONFIG. Pure. */
int conf_check_text(const struct conf_key *key, const char *text, struct err *err);

/* --- conf_address.c: where to listen -------------------------------------- */

/* 0, or -1 with ERR_CONFIG.  A listener may be at a Unix socket too.  Neither takes an empty text.  Pure. */
int conf_address_check(const char *text, struct err *err);
int conf_address_check_listener(const char *text, struct err *err);

/* Whether only this machine reaches a well-formed address, as far as its text says.  Pure. */
bool conf_address_is_local(const char *text);

/* --- conf_url.c: where to send --------------------------------------------- */

/* 0, or -1 with ERR_CONFIG, for a text that is not empty.  Nothing of it is repeated: it may hold a password.  Pure. */
int conf_url_check(const char *text, struct err *err);

/* Of a well-formed one. */
bool conf_url_is_https(const char *text);

/* --- conf.c: one load ------------------------------------------------------ */

/* Where a key's value came from. */
struct conf_origin {
    enum conf_source source;
    char *file; /* with CONF_FROM_FILE; the struct conf's */
    int line;
};

/* The same while it is loaded. */
struct conf_found {
    enum conf_source source;
    const char *file; /* valid as long as the file is open */
    int line;
    bool bad; /* a problem was reported for it */
};

struct conf_load {
    struct conf *conf;
    conf_problem *problem;
    void *context;
    unsigned problems;
    struct conf_found found[CONF_KEY_COUNT];
};

void conf_report(struct conf_load *load, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* --- conf_conflict.c: keys that cannot both be meant ----------------------- */

/* Reports every contradiction at the line of a key that takes part in it. */
void conf_conflict_check(struct conf_load *load);

/* --- conf_file.c ----------------------------------------------------------- */

struct conf_file;

/* Reads the file and sets what it says in load->conf; all problems are reported.  To be closed in any case. */
struct conf_file *conf_file_open(struct conf_load *load, const char *path);
void conf_file_close(struct conf_file *file); /* NULL is allowed */

#endif
