/*
 * test_metrics_reference.c - docs/metrics.md against metrics_table.h, both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "metrics.h"

/* What Prometheus knows: a counter of seconds is a counter. */
#define TYPE_COUNTER "counter"
#define TYPE_GAUGE "gauge"
#define TYPE_SECONDS "counter"
#define TYPE_KNOWN "gauge"

static const struct {
    const char *type;
    const char *family;
    const char *labels;
    const char *help;
} table[METRIC_COUNT + METRIC_HISTOGRAM_COUNT] = {
#define METRIC(id, type, family, labels, help) {TYPE_##type, family, labels, help},
#include "metrics_table.h"
#undef METRIC
#define METRIC_HISTOGRAM(id, unit, family, help) {"histogram", family, "", help},
#include "metrics_table.h"
#undef METRIC_HISTOGRAM
};

#define ROWS (sizeof(table) / sizeof(table[0]))

/* The row that the reference must have for this metric. */
static void expected_row(char *row, size_t size, size_t metric)
{
    const char *labels = table[metric].labels;
    bool labelled = labels[0] != '\0';

    snprintf(row, size, "| `%s%s%s%s` | %s | %s |\n", table[metric].family, labelled ? "{" : "", labels,
             labelled ? "}" : "", table[metric].type, table[metric].help);
}

static void test_reference_has_every_metric_and_nothing_else(void **state)
{
    FILE *file = fopen(SOURCE_DIR "/docs/metrics.md", "r");
    char line[1024], expected[1024];
    size_t rows = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "## ", 3) == 0)
            break; /* other tables follow */
        if (strncmp(line, "| `", 3) != 0)
            continue;
        if (rows == ROWS)
            fail_msg("no metric: %s", line);
        expected_row(expected, sizeof(expected), rows++);
        assert_string_equal(line, expected);
    }
    fclose(file);
    assert_int_equal(rows, ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_has_every_metric_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
