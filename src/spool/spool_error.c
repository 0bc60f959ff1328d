/*
 * spool_error.c - LMDB's codes and the errno of its system calls, as ours.
 *
 * Pure; any thread.  A code that is not in the table puts durability in
 * doubt: the process stops rather than guess.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spool_internal.h"

static const struct {
    int code;
    enum err_class class;
} classes[] = {
    /* No page, no block, no memory: nothing was written, and it may pass. */
    {MDB_MAP_FULL, ERR_BUSY},
    {MDB_TXN_FULL, ERR_BUSY},
    {MDB_READERS_FULL, ERR_BUSY},
    {ENOSPC, ERR_BUSY},
    {EDQUOT, ERR_BUSY},
    {EFBIG, ERR_BUSY},
    {ENOMEM, ERR_BUSY},
    {EMFILE, ERR_BUSY},
    {ENFILE, ERR_BUSY},
    /* The daemon came back with a larger size while we looked. */
    {MDB_MAP_RESIZED, ERR_RETRY},
    {EACCES, ERR_CONFIG},
    {EPERM, ERR_CONFIG},
    {EROFS, ERR_CONFIG},
    {ENOENT, ERR_CONFIG},
    {ENOTDIR, ERR_CONFIG},
    {ENAMETOOLONG, ERR_CONFIG},
    {MDB_INVALID, ERR_CONFIG},
    {MDB_VERSION_MISMATCH, ERR_CONFIG},
};

enum err_class spool_lmdb_class(int code)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (classes[i].code == code)
            return classes[i].class;
    }
    return ERR_FATAL;
}

int spool_lmdb_error(struct err *err, int code, const char *format, ...)
{
    char context[ERR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(context, sizeof(context), format, args);
    va_end(args);
    return err_set(err, spool_lmdb_class(code), code, "%s: %s", context, mdb_strerror(code));
}

int spool_open_error(struct err *err, int code, const char *verb, const char *path)
{
    if (code == ENOENT || code == ENOTDIR)
        return err_set(err, ERR_CONFIG, code, "no spool at %s: is this the spool.path of the daemon?", path);
    if (code == EACCES || code == EPERM)
        return err_set(err, ERR_CONFIG, code,
                       "no permission to %s spool %s: run this as the user that the spool belongs to, or as root", verb,
                       path);
    return err_set(err, ERR_CONFIG, code, "cannot %s spool %s: %s", verb, path, strerror(code));
}
