/* admin_accept.c: which format for which Accept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin_internal.h"

static const struct {
    const char *accept;
    enum metrics_format format;
} rows[] = {
    {NULL, METRICS_PROMETHEUS_TEXT},
    {"", METRICS_PROMETHEUS_TEXT},
    {"*/*", METRICS_PROMETHEUS_TEXT},
    {"text/html, */*;q=0.8", METRICS_PROMETHEUS_TEXT}, /* a browser */
    {"application/json", METRICS_PROMETHEUS_TEXT},
    {"application/openmetrics-text", METRICS_OPENMETRICS},
    {" Application/OpenMetrics-Text ; Version=1.0.0 ", METRICS_OPENMETRICS},
    {"application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5", METRICS_PROMETHEUS_TEXT},
    {"application/openmetrics-text;version=0.0.1;q=0.75,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1",
     METRICS_OPENMETRICS},
    /* Prometheus 2.42 and 3.0 */
    {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     METRICS_OPENMETRICS},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
     "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
     METRICS_OPENMETRICS},
    {"text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.9", METRICS_PROMETHEUS_TEXT},
    {"text/plain,application/openmetrics-text", METRICS_PROMETHEUS_TEXT}, /* equals: the first */
    {"application/openmetrics-text,text/plain", METRICS_OPENMETRICS},
    {"application/openmetrics-text;q=0", METRICS_PROMETHEUS_TEXT},
    {"application/openmetrics-text;q=much,text/plain;q=0.1", METRICS_PROMETHEUS_TEXT},
    {",;,;;q=1,application/openmetrics-text;;q=0.5,", METRICS_OPENMETRICS},
};

static void test_accept_gives_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (admin_accept_metrics(rows[i].accept) != rows[i].format)
            fail_msg("%s", rows[i].accept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_accept_gives_format)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
