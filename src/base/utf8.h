/*
 * utf8.h - OTLP strings ought to be UTF-8, and are whatever a client sent.
 */
#ifndef TRACESPOOL_UTF8_H
#define TRACESPOOL_UTF8_H

#include <stdbool.h>

#include "buf.h"
#include "slice.h"

/* Well-formed by Unicode 15 table 3-7: no surrogates, no overlong forms, nothing past U+10FFFF. NUL is well-formed. */
bool utf8_valid(struct slice text);

/*
 * Appends `text` with each maximal ill-formed subpart (Unicode 15, 3.9)
 * replaced by U+FFFD, as Python's errors="replace" does.  0, or -1 as buf_append.
 */
int utf8_append_repaired(struct buf *out, struct slice text);

#endif
