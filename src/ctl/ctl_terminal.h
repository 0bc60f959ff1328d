/*
 * ctl_terminal.h - what the terminal can show.
 */
#ifndef TRACESPOOL_CTL_TERMINAL_H
#define TRACESPOOL_CTL_TERMINAL_H

#include "ctl.h"

/* Columns: of the terminal at ctl->out, else of COLUMNS, else CTL_WIDTH_DEFAULT. */
unsigned ctl_terminal_width(const struct ctl *ctl);

/* Lines of the terminal at ctl->out; 0: not known. */
unsigned ctl_terminal_rows(const struct ctl *ctl);

/* Whether it is a terminal on which the cursor can be moved. */
bool ctl_terminal_moves(FILE *stream);

/* Whether to color, by --color, NO_COLOR and what ctl->out is. */
bool ctl_terminal_colored(const struct ctl *ctl);

#endif
