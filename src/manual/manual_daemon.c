/*
 * manual_daemon.c - options, exit statuses and metrics of tracespoold.8.
 */
#include <limits.h>
#include <string.h>

#include "daemon_options.h"
#include "manual_parts.h"
#include "manual_text.h"

void manual_daemon_options(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (const struct daemon_option *option = daemon_options_table; option->name != NULL; option++) {
        fputs(".It", out);
        if (option->value <= UCHAR_MAX)
            fprintf(out, " Fl %c ,", option->value);
        fputs(" Fl \\-", out);
        manual_text_roff_joined(out, option->name);
        if (option->argument != NULL)
            fprintf(out, " Ar %s", option->argument);
        fputc('\n', out);
        manual_text_roff(out, option->help);
    }
    fputs(".El\n", out);
}

void manual_daemon_exits(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (const struct daemon_exit *end = daemon_options_exits; end->text != NULL; end++) {
        fprintf(out, ".It %d\n", end->status);
        manual_text_roff(out, end->text);
    }
    fputs(".El\n", out);
}

static const struct {
    const char *type;
    const char *family;
    const char *labels;
    const char *help;
} metrics[] = {
#define COUNTER "counter"
#define GAUGE "gauge"
#define KNOWN "gauge"
#define SECONDS "counter"
#define METRIC(id, type, family, labels, help) {type, family, labels, help},
#include "metrics_table.h"
#undef METRIC
#undef COUNTER
#undef GAUGE
#undef KNOWN
#undef SECONDS
#define METRIC_HISTOGRAM(id, unit, family, help) {"histogram", family, "", help},
#include "metrics_table.h"
#undef METRIC_HISTOGRAM
};

#define METRIC_COUNT (sizeof(metrics) / sizeof(metrics[0]))

/* Members of a family stand together: one entry, and a line for the labels of each. */
void manual_daemon_metrics(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        if (i == 0 || strcmp(metrics[i].family, metrics[i - 1].family) != 0) {
            fprintf(out, ".It Va %s Pq %s\n", metrics[i].family, metrics[i].type);
            manual_text_roff(out, metrics[i].help);
        }
        if (metrics[i].labels[0] != '\0') {
            fputs(".br\n", out);
            manual_text_roff(out, metrics[i].labels);
        }
    }
    fputs(".El\n", out);
}
