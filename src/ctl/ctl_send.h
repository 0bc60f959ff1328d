/*
 * ctl_send.h - the parts of `tracespool send`.
 */
#ifndef TRACESPOOL_CTL_SEND_H
#define TRACESPOOL_CTL_SEND_H

#include <stddef.h>
#include <stdint.h>

#include "ctl.h"
#include "ctl_requests.h"
#include "ctl_secure.h"
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
    struct ctl_secure secure;

    struct slice body; /* what is sent */
    uint64_t message;  /* its number in the file */
    char place[CTL_REQUESTS_PLACE_MAX];
    struct buf out;

    /* requests so far; `rejected` are those of `ok` of which some spans were */
    uint64_t ok, rejected, refused, unsent;
    uint64_t sent_bytes;
};

/* --- calling: for `send`, `salvage` and `import` ----------------------------- */

/* Defaults: one try of 10 s after the other for 60 s, once, not compressed. */
void ctl_send_init(struct ctl_sender *sender, struct ctl *ctl);
void ctl_send_fini(struct ctl_sender *sender);

/* The values of the options that are the same wherever something is sent. */
enum { CTL_SEND_ENDPOINT = 'e', CTL_SEND_GZIP = 'z', CTL_SEND_TIMEOUT = 't', CTL_SEND_RETRY_FOR = 'r' };

/* Takes one of these.  -1 after the mistake has been told. */
int ctl_send_take_option(struct ctl_sender *sender, int option, const char *argument);

/*
 * The endpoint, unless --endpoint named one, from the configuration, and with
 * it what that says of TLS and tokens.  -1 after its problems have been printed.
 */
int ctl_send_choose_endpoint(struct ctl_sender *sender);

/* gRPC and the client; once a process.  -1: ERR_CONFIG.  Close after 0. */
int ctl_send_open(struct ctl_sender *sender, struct err *err);
void ctl_send_close(struct ctl_sender *sender);

/*
 * Sends `body` until there is a final answer or --retry-for is over, and
 * counts it; `label` says what it is when it waits.  -1: no call could be made.
 */
int ctl_send_request(struct ctl_sender *sender, const char *label, struct export_answer *answer, unsigned *attempts,
                     struct err *err);

/* --- telling ----------------------------------------------------------------- */

/* The answer to send number `number` of `path`, as text, or as JSON (`failure`: why there is no answer, else NULL). */
void ctl_send_print_answer(struct ctl_sender *sender, const char *path, uint64_t number, unsigned attempts,
                           const struct export_answer *answer);
void ctl_send_put_answer(struct ctl_sender *sender, const char *path, uint64_t number, unsigned attempts,
                         const struct export_answer *answer, const char *failure);

void ctl_send_print_summary(struct ctl_sender *sender, uint64_t elapsed_ns);

/* --- pure ------------------------------------------------------------------------ */

/*
 * Milliseconds to wait before try number `attempt` + 1, after `attempt` that
 * failed (1 the first): what RetryInfo says, else twice as long each time with
 * jitter.  `random` is 64 random bits.  Pure.
 */
uint64_t ctl_send_wait_ms(unsigned attempt, const struct export_answer *answer, uint64_t random);

/* Where to reach what listens at `listen`: 0.0.0.0 and [::] become the loopback address.  Pure. */
void ctl_send_endpoint(char *out, size_t size, const char *listen);

#endif
