/*
 * ctl_follow.h - a spool that is looked at again and again.
 *
 * It is kept open, in no transaction between looks.  A daemon that starts may
 * begin a new file in its place: a damaged one is moved aside, one that is
 * made smaller is written anew.
 */
#ifndef TRACESPOOL_CTL_FOLLOW_H
#define TRACESPOOL_CTL_FOLLOW_H

#include <sys/stat.h>

#include "ctl.h"

struct ctl_follow {
    const char *path;
    struct spool *spool; /* NULL: it was not there at the last look */
    dev_t device;
    ino_t file; /* data.mdb; 0: none was there yet */
};

/* -1 after the reason has been printed.  To be closed after 0. */
int ctl_follow_open(struct ctl_follow *follow, struct ctl *ctl);
void ctl_follow_close(struct ctl_follow *follow);

/*
 * Before each look.  0: follow->spool is what it was; 1: it is another file
 * than at the look before.  -1: there is none just now, or it cannot be opened.
 */
int ctl_follow_look(struct ctl_follow *follow, struct err *err);

/* After a look that failed: the next one opens it again, as the daemon may have given it another size. */
void ctl_follow_drop(struct ctl_follow *follow);

#endif
