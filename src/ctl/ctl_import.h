/*
 * ctl_import.h - the parts of `tracespool import`.
 */
#ifndef TRACESPOOL_CTL_IMPORT_H
#define TRACESPOOL_CTL_IMPORT_H

#include "ctl_progress.h"
#include "ctl_send.h"
#include "intake_message.h"

struct ctl_import_spool;

struct ctl_import {
    struct ctl *ctl;
    bool dry_run;
    const char *path;               /* of the spool */
    bool sends;                     /* through the daemon, which runs */
    struct ctl_sender sender;       /* to it */
    struct ctl_import_spool *spool; /* else into this; NULL: nothing is written */
    struct intake_options intake;   /* what is taken, as the daemon does */
    struct intake_scratch scratch;
    struct ctl_progress progress;
    const char *file; /* in hand */

    uint64_t read;     /* requests that were read */
    uint64_t requests; /* that are in the spool now, or would be */
    uint64_t spans;    /* in them */
    uint64_t bytes;    /* of them */
    uint64_t rejected; /* spans without a valid id */
    uint64_t empty;    /* requests without a span that could be stored */
    uint64_t bad;      /* lines and messages that are no request */
    uint64_t refused;  /* requests that are not taken for good */
    uint64_t unread;   /* files that could not be read to their end */
    unsigned told;     /* lines about single ones */
};

/* What came of it: `failure` NULL when all was read.  As text, or with --json as one object. */
void ctl_import_tell(struct ctl_import *import, const char *failure);
void ctl_import_show_progress(struct ctl_import *import);

/* --- ctl_import_spool.c ---------------------------------------------------- */

struct ctl_import_stored {
    uint64_t requests;
    uint64_t spans;
    uint64_t bytes; /* of requests, before compression */
};

/*
 * The spool at `path`, which must be there, as its daemon has it: with its lock,
 * so that no daemon starts meanwhile.  -1: ERR_CONFIG and what spool_open says.
 */
int ctl_import_spool_open(struct ctl_import_spool **spool, const char *path, struct err *err);

/* Copies the message and gives it to the writer; waits while too much is on its way.  -1: this or one before failed. */
int ctl_import_spool_put(struct ctl_import_spool *spool, const struct intake_message *message, struct err *err);

/* Waits until all is durable and closes.  *stored is what is.  -1: something is not. */
int ctl_import_spool_close(struct ctl_import_spool *spool, struct ctl_import_stored *stored, struct err *err);

#endif
