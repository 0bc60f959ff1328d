/*
 * ctl_send.h - the parts of `tracespool send`.
 */
#ifndef TRACESPOOL_CTL_SEND_H
#define TRACESPOOL_CTL_SEND_H

#include <stddef.h>
#include <stdint.h>

#include "ctl.h"
#include "export_client.h"

#define CTL_ENDPOINT_MAX 300

struct ctl_sender {
    struct ctl *ctl;
    struct export_client *client;

    /* options */
    char endpoint[CTL_ENDPOINT_MAX];
    bool gzip;
    uint64_t repeat;
    uint64_t timeout_ns;
    uint64_t retry_for_ns;

    struct buf request; /* the file in hand */
    struct buf out;

    /* requests so far; `rejected` are those of `ok` of which some spans were */
    uint64_t ok, rejected, refused, unsent;
    uint64_t sent_bytes;
};

/* The answer to send number `number` of `path`, as text, or as JSON (`failure`: why there is no answer, else NULL). */
void ctl_send_print_answer(struct ctl_sender *sender, const char *path, uint64_t number, unsigned attempts,
                           const struct export_answer *answer);
void ctl_send_put_answer(struct ctl_sender *sender, const char *path, uint64_t number, unsigned attempts,
                         const struct export_answer *answer, const char *failure);

void ctl_send_print_summary(struct ctl_sender *sender, uint64_t elapsed_ns);

/*
 * Milliseconds to wait before try number `attempt` + 1, after `attempt` that
 * failed (1 the first): what RetryInfo says, else twice as long each time with
 * jitter.  `random` is 64 random bits.  Pure.
 */
uint64_t ctl_send_wait_ms(unsigned attempt, const struct export_answer *answer, uint64_t random);

/* Where to reach what listens at `listen`: 0.0.0.0 and [::] become the loopback address.  Pure. */
void ctl_send_endpoint(char *out, size_t size, const char *listen);

#endif
