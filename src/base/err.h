/*
 * err.h - what went wrong, and what kind of thing is to be done about it.
 *
 * A function that can fail returns 0 or -1 and takes a `struct err *` as its
 * last argument, which it fills on -1 only.  The class decides; the code is
 * whatever the failing layer has (errno, LMDB, MongoDB, gRPC); the text is for
 * people and reads from the outside in: callers prefix their context.
 */
#ifndef TRACESPOOL_ERR_H
#define TRACESPOOL_ERR_H

#include "bounds.h"

enum err_class {
    ERR_NONE,     /* nothing is wrong */
    ERR_RETRY,    /* may pass later, or the outcome is unknown: the same again */
    ERR_BUSY,     /* no room now: come back */
    ERR_POISON,   /* this input will never pass; code EMSGSIZE: it is over a size bound */
    ERR_CONFIG,   /* a person has to change something */
    ERR_FATAL,    /* durability is in doubt: the process must stop */
    ERR_OVERLOAD, /* the other side has too much to do: less of it, later */
    ERR_FULL,     /* the other side has no room until a person makes some */
    ERR_UNKNOWN,  /* nobody knows what this means: the same again, but not for ever */
};

struct err {
    enum err_class class;
    int code;
    char text[ERR_TEXT_MAX];
};

/* Fills `err` (NULL is allowed) with a formatted text; a longer one is cut.  Returns -1. */
int err_set(struct err *err, enum err_class class, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "<formatted>: " before the text.  Returns -1. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "retry", "busy", ...: a stable name for logs and metrics. */
const char *err_class_name(enum err_class class);

#endif
