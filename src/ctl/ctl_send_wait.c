/*
 * ctl_send_wait.c - how long to wait, and for whom.  Pure.
 */
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "ctl_send.h"

uint64_t ctl_send_wait_ms(unsigned attempt, const struct export_answer *answer, uint64_t random)
{
    uint64_t ceiling = CTL_RETRY_MIN_MS;

    if (answer->has_retry_delay)
        return answer->retry_delay_ms;
    for (; attempt > 1 && ceiling < CTL_RETRY_MAX_MS; attempt--)
        ceiling *= 2;
    if (ceiling > CTL_RETRY_MAX_MS)
        ceiling = CTL_RETRY_MAX_MS;
    return ceiling / 2 + random % (ceiling / 2 + 1);
}

void ctl_send_endpoint(char *out, size_t size, const char *listen)
{
    static const struct {
        const char *any;
        const char *loopback;
    } addresses[] = {{"0.0.0.0:", "127.0.0.1:"}, {"[::]:", "[::1]:"}};

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        size_t len = strlen(addresses[i].any);

        if (strncmp(listen, addresses[i].any, len) == 0) {
            snprintf(out, size, "%s%s", addresses[i].loopback, listen + len);
            return;
        }
    }
    snprintf(out, size, "%s", listen);
}
