/*
 * ctl_terminal.c - width and color of standard output.
 */
#include "ctl_terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bounds.h"
#include "ctl_options.h"

static unsigned clamp_width(uint64_t columns)
{
    if (columns < CTL_WIDTH_MIN)
        return CTL_WIDTH_MIN;
    return columns > CTL_WIDTH_MAX ? CTL_WIDTH_MAX : (unsigned)columns;
}

unsigned ctl_terminal_width(const struct ctl *ctl)
{
    struct winsize size;
    uint64_t columns;
    const char *wish = getenv("COLUMNS");
    int fd = fileno(ctl->out);

    if (fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return clamp_width(size.ws_col);
    if (wish != NULL && ctl_options_number(wish, UINT32_MAX, &columns) == 0 && columns > 0)
        return clamp_width(columns);
    return CTL_WIDTH_DEFAULT;
}

unsigned ctl_terminal_rows(const struct ctl *ctl)
{
    struct winsize size;
    int fd = fileno(ctl->out);

    return fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

bool ctl_terminal_moves(FILE *stream)
{
    const char *term = getenv("TERM");
    int fd = fileno(stream);

    return fd >= 0 && isatty(fd) == 1 && (term == NULL || strcmp(term, "dumb") != 0);
}

bool ctl_terminal_colored(const struct ctl *ctl)
{
    const char *no_color = getenv("NO_COLOR");

    if (ctl->color != CTL_COLOR_AUTO)
        return ctl->color == CTL_COLOR_ALWAYS;
    if (no_color != NULL && *no_color != '\0') /* no-color.org: set and not empty */
        return false;
    return ctl_terminal_moves(ctl->out);
}
