/*
 * ctl_text.h - text for a terminal: made harmless, measured, cut, colored.
 *
 * Names come from strangers.  An escape sequence in a span name must not move
 * the cursor or set the title of whoever looks at it.
 */
#ifndef TRACESPOOL_CTL_TEXT_H
#define TRACESPOOL_CTL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "slice.h"

#define CTL_TEXT_WHOLE UINT32_MAX

/* Process-wide, before the others: sets the locale, for the columns of characters. */
void ctl_text_init(void);

/*
 * Appends `text` in at most `max_columns` terminal columns, with "…" at the
 * end when it was cut.  Control characters, bidirectional overrides and
 * whatever has no glyph are written as escapes, ill-formed UTF-8 as U+FFFD.
 * Returns the columns taken.
 */
unsigned ctl_text_append(struct buf *out, struct slice text, unsigned max_columns);

/* The same, then spaces until `columns` are taken. */
void ctl_text_pad(struct buf *out, struct slice text, unsigned columns);

/* Columns that ctl_text_append would take, counted up to `max`. */
unsigned ctl_text_columns(struct slice text, unsigned max);

/*
 * Appends `text`, made harmless, in lines of at most `width` columns, broken
 * at spaces; the first begins where `indent` columns are taken, the others are
 * indented so far.  No line end after the last.
 */
void ctl_text_wrap(struct buf *out, struct slice text, unsigned indent, unsigned width);

void ctl_text_spaces(struct buf *out, unsigned count);

/* "812 ns", "12.3 µs", "4.56 ms", "1.23 s", then as units_format_duration. */
void ctl_text_duration(struct buf *out, uint64_t ns);

/* A span's duration in exactly `columns`, to the right; what is wrong with its times when it has none. */
void ctl_text_span_duration(struct buf *out, uint64_t start_unix_nano, uint64_t end_unix_nano, unsigned columns);

enum ctl_style { CTL_PLAIN, CTL_BOLD, CTL_DIM, CTL_RED, CTL_GREEN, CTL_YELLOW };

/* Turns a style on (CTL_PLAIN: off), when `colored`. */
void ctl_text_style(struct buf *out, bool colored, enum ctl_style style);

#endif
