/*
 * err.c - filling and prefixing a struct err.  Never fails: a text that is
 * too long is cut, since an error about an error helps nobody.
 */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_class class, int code, const char *format, ...)
{
    char text[ERR_TEXT_MAX]; /* an argument may point into err->text */
    va_list args;

    if (err == NULL)
        return -1;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    err->class = class;
    err->code = code;
    memcpy(err->text, text, sizeof(text));
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    size_t len;

    if (err == NULL)
        return -1;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    len = strlen(text);
    if (snprintf(text + len, sizeof(text) - len, ": %s", err->text) >= (int)(sizeof(text) - len))
        memcpy(text + sizeof(text) - 4, "...", 4);
    memcpy(err->text, text, sizeof(text));
    return -1;
}

const char *err_class_name(enum err_class class)
{
    switch (class) {
    case ERR_NONE:
        return "none";
    case ERR_RETRY:
        return "retry";
    case ERR_BUSY:
        return "busy";
    case ERR_POISON:
        return "poison";
    case ERR_CONFIG:
        return "config";
    case ERR_OVERLOAD:
        return "overload";
    case ERR_FULL:
        return "full";
    case ERR_UNKNOWN:
        return "unknown";
    case ERR_FATAL:
        return "fatal";
    }
    return "unknown";
}
