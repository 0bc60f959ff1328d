/*
 * ctl_send_call.c - calling a receiver: the client, tries and waits.
 *
 * An answer that the specification calls retryable is followed by the same
 * request again, after what RetryInfo says, for at most --retry-for; any other
 * is final.
 */
#include <errno.h>
#include <sys/random.h>

#include "clock.h"
#include "ctl_send.h"
#include "export_grpc.h"
#include "units.h"

#define DEFAULT_TIMEOUT_NS (10 * NS_PER_S)
#define DEFAULT_RETRY_FOR_NS (60 * NS_PER_S)
#define TIMEOUT_NS_MAX (3600 * NS_PER_S)
#define LINE_BYTES_MAX (64UL << 10)

void ctl_send_init(struct ctl_sender *sender, struct ctl *ctl)
{
    *sender = (struct ctl_sender){
        .ctl = ctl, .repeat = 1, .timeout_ns = DEFAULT_TIMEOUT_NS, .retry_for_ns = DEFAULT_RETRY_FOR_NS};
    buf_init(&sender->out, LINE_BYTES_MAX);
}

void ctl_send_fini(struct ctl_sender *sender)
{
    buf_fini(&sender->out);
    ctl_secure_fini(&sender->secure);
}

/* --- options ----------------------------------------------------------------- */

static int parse_duration(struct ctl *ctl, const char *option, const char *text, uint64_t min_ns, uint64_t *ns)
{
    if (units_parse_duration(text, ns) == 0 && *ns >= min_ns && *ns <= TIMEOUT_NS_MAX)
        return 0;
    ctl_fail(ctl, "--%s takes a duration of %s to 1h, not \"%s\"", option, min_ns > 0 ? "1ms" : "0", text);
    return -1;
}

int ctl_send_take_option(struct ctl_sender *sender, int option, const char *argument)
{
    struct ctl *ctl = sender->ctl;

    if (ctl_secure_take_option(&sender->secure, option, argument))
        return 0;
    switch (option) {
    case CTL_SEND_ENDPOINT:
        if (strlen(argument) >= sizeof(sender->endpoint)) {
            ctl_fail(ctl, "--endpoint is longer than %d bytes", CTL_ENDPOINT_MAX - 1);
            return -1;
        }
        memcpy(sender->endpoint, argument, strlen(argument) + 1);
        return 0;
    case CTL_SEND_GZIP:
        sender->gzip = true;
        return 0;
    case CTL_SEND_TIMEOUT:
        return parse_duration(ctl, "timeout", argument, NS_PER_MS, &sender->timeout_ns);
    default:
        return parse_duration(ctl, "retry-for", argument, 0, &sender->retry_for_ns);
    }
}

int ctl_send_choose_endpoint(struct ctl_sender *sender)
{
    const struct conf *conf;

    if (sender->endpoint[0] != '\0')
        return ctl_conf_named(sender->ctl);
    conf = ctl_conf(sender->ctl);
    if (conf == NULL)
        return -1;
    if (conf->receiver.grpc[0] == '\0') {
        ctl_fail(sender->ctl, "receiver.grpc of the configuration is empty, name a receiver by --endpoint");
        return -1;
    }
    ctl_send_endpoint(sender->endpoint, sizeof(sender->endpoint), conf->receiver.grpc);
    ctl_secure_default(&sender->secure, conf);
    return 0;
}

/* --- the call ---------------------------------------------------------------- */

int ctl_send_open(struct ctl_sender *sender, struct err *err)
{
    struct export_security security;

    if (ctl_secure_load(&sender->secure, &security, err) < 0)
        return -1;
    export_grpc_init();
    if (export_client_open(&sender->client, sender->endpoint, &security, err) == 0)
        return 0;
    export_grpc_shutdown();
    return -1;
}

void ctl_send_close(struct ctl_sender *sender)
{
    export_client_close(sender->client);
    export_grpc_shutdown();
}

static void sleep_ms(uint64_t ms)
{
    struct timespec until = clock_timespec(clock_mono_ns() + ms * NS_PER_MS);

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

/* The receiver's own delay may end it long before the time is over. */
static void note_giving_up(const struct ctl_sender *sender, const char *label, const struct export_answer *answer)
{
    char asked[UNITS_TEXT_MAX], limit[UNITS_TEXT_MAX];
    uint64_t asked_ns = answer->retry_delay_ms * NS_PER_MS;

    if (answer->has_retry_delay && sender->retry_for_ns > 0)
        ctl_note(sender->ctl, "%s: not tried again: the receiver asks to wait %s, longer than %s--retry-for %s", label,
                 units_format_duration(asked, asked_ns), asked_ns > sender->retry_for_ns ? "" : "what is left of ",
                 units_format_duration(limit, sender->retry_for_ns));
}

static int send_until_final(struct ctl_sender *sender, const char *label, struct export_answer *answer,
                            unsigned *attempts, struct err *err)
{
    uint64_t deadline = clock_mono_ns() + sender->retry_for_ns;
    char text[UNITS_TEXT_MAX];

    for (*attempts = 1;; ++*attempts) {
        uint64_t random = 0;

        if (export_client_send(sender->client, sender->body, sender->gzip, (unsigned)(sender->timeout_ns / NS_PER_MS),
                               answer, err) < 0)
            return -1;
        if (answer->code == 0 || !answer->retryable)
            return 0;
        if (getrandom(&random, sizeof(random), 0) < 0)
            random = clock_mono_ns(); /* jitter, no secret */
        uint64_t wait = ctl_send_wait_ms(*attempts, answer, random);
        uint64_t now = clock_mono_ns();
        if (now >= deadline || wait > (deadline - now) / NS_PER_MS) {
            note_giving_up(sender, label, answer);
            return 0;
        }
        ctl_note(sender->ctl, "%s: %s: %s; again in %s", label, export_code_name(answer->code), answer->message,
                 units_format_duration(text, wait * NS_PER_MS));
        sleep_ms(wait);
    }
}

static void count_answer(struct ctl_sender *sender, const struct export_answer *answer)
{
    if (answer->code == 0) {
        sender->ok++;
        sender->rejected += answer->rejected_spans > 0;
        sender->sent_bytes += sender->body.len;
    } else if (answer->retryable) {
        sender->unsent++;
    } else {
        sender->refused++;
    }
}

int ctl_send_request(struct ctl_sender *sender, const char *label, struct export_answer *answer, unsigned *attempts,
                     struct err *err)
{
    if (send_until_final(sender, label, answer, attempts, err) == 0) {
        count_answer(sender, answer);
        return 0;
    }
    sender->unsent++;
    return -1;
}
