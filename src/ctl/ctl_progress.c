/*
 * ctl_progress.c - the progress line.
 */
#include "ctl_progress.h"

#include "clock.h"
#include "ctl_terminal.h"

#define EVERY_NS (200 * NS_PER_MS)
#define LINE_BYTES 128
#define ERASE_LINE "\r\033[K"

void ctl_progress_init(struct ctl_progress *progress, const struct ctl *ctl)
{
    *progress = (struct ctl_progress){.ctl = ctl, .wanted = ctl_terminal_moves(ctl->err)};
}

bool ctl_progress_due(struct ctl_progress *progress)
{
    return progress->wanted && clock_mono_ns() >= progress->next_ns;
}

void ctl_progress_line(struct ctl_progress *progress, const char *line)
{
    progress->next_ns = clock_mono_ns() + EVERY_NS;
    progress->shown = true;
    fprintf(progress->ctl->err, "\r%s\033[K", line);
    fflush(progress->ctl->err);
}

void ctl_progress_show(struct ctl_progress *progress, const char *what, uint64_t done, uint64_t total)
{
    char line[LINE_BYTES];

    if (!ctl_progress_due(progress))
        return;
    snprintf(line, sizeof(line), "%s: %.0f %%", what,
             total > 0 && done < total ? 100.0 * (double)done / (double)total : 100.0);
    ctl_progress_line(progress, line);
}

void ctl_progress_clear(struct ctl_progress *progress)
{
    if (!progress->shown)
        return;
    progress->shown = false;
    fputs(ERASE_LINE, progress->ctl->err);
    fflush(progress->ctl->err);
}
