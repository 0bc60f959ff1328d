/*
 * ctl_send.c - `tracespool send FILE...`: an OTLP client.
 *
 * Sends the files in their order, one request each, to any OTLP/gRPC receiver.
 * An answer that the specification calls retryable is followed by the same
 * request again, after what RetryInfo says, for at most --retry-for; any other
 * is final.  A file that cannot be sent is told and the next one tried.
 *
 * Exit status 1: something could not be sent (unreadable, nobody answers);
 * else 2: something was refused; else 0.
 */
#include "ctl_send.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "ctl_verbs.h"
#include "receiver.h"
#include "units.h"

#define DEFAULT_TIMEOUT_NS (10 * NS_PER_S)
#define DEFAULT_RETRY_FOR_NS (60 * NS_PER_S)
#define TIMEOUT_NS_MAX (3600 * NS_PER_S)
#define READ_BYTES (256UL << 10)
#define LINE_BYTES_MAX (64UL << 10)

const struct ctl_option ctl_send_options[] = {
    {"endpoint", "HOST:PORT", 'e', "the receiver; default: receiver.grpc of the configuration, on this machine"},
    {"gzip", NULL, 'z', "compress requests"},
    {"repeat", "N", 'n', "send each file N times"},
    {"timeout", "DURATION", 't', "how long an answer may take (default 10s)"},
    {"retry-for", "DURATION", 'r', "how long to try again what is refused for now (default 60s)"},
    {NULL, NULL, 0, NULL},
};

static int parse_duration(struct ctl *ctl, const char *option, const char *text, uint64_t min_ns, uint64_t *ns)
{
    if (units_parse_duration(text, ns) == 0 && *ns >= min_ns && *ns <= TIMEOUT_NS_MAX)
        return 0;
    ctl_fail(ctl, "--%s takes a duration of %s to 1h, not \"%s\"", option, min_ns > 0 ? "1ms" : "0", text);
    return -1;
}

static int take_option(struct ctl_sender *sender, int option, const char *argument)
{
    struct ctl *ctl = sender->ctl;

    switch (option) {
    case 'e':
        if (strlen(argument) >= sizeof(sender->endpoint)) {
            ctl_fail(ctl, "--endpoint is longer than %d bytes", CTL_ENDPOINT_MAX - 1);
            return -1;
        }
        memcpy(sender->endpoint, argument, strlen(argument) + 1);
        return 0;
    case 'z':
        sender->gzip = true;
        return 0;
    case 'n':
        if (ctl_options_number(argument, CTL_SEND_REPEAT_MAX, &sender->repeat) == 0 && sender->repeat > 0)
            return 0;
        ctl_fail(ctl, "--repeat takes a number from 1 to %d, not \"%s\"", CTL_SEND_REPEAT_MAX, argument);
        return -1;
    case 't':
        return parse_duration(ctl, "timeout", argument, NS_PER_MS, &sender->timeout_ns);
    default:
        return parse_duration(ctl, "retry-for", argument, 0, &sender->retry_for_ns);
    }
}

/* --- a request ------------------------------------------------------------- */

static int too_large(struct err *err)
{
    return err_set(err, ERR_POISON, EMSGSIZE, "larger than %lu bytes, the most that a receiver takes",
                   CTL_REQUEST_BYTES_MAX);
}

static int read_all(int fd, struct buf *request, struct err *err)
{
    for (;;) {
        uint8_t *room = buf_reserve(request, READ_BYTES);
        ssize_t got;

        if (room == NULL)
            return too_large(err);
        got = read(fd, room, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_CONFIG, errno, "%s", strerror(errno));
        if (got == 0)
            return 0;
        request->len += (size_t)got;
    }
}

static int read_request(const char *path, struct buf *request, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    int result;

    buf_clear(request);
    if (fd < 0)
        return err_set(err, ERR_CONFIG, errno, "%s", strerror(errno));
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && (uint64_t)stat.st_size > CTL_REQUEST_BYTES_MAX)
        result = too_large(err); /* without reading it first */
    else
        result = read_all(fd, request, err);
    if (!is_stdin)
        close(fd);
    return result;
}

static void sleep_ms(uint64_t ms)
{
    struct timespec until = clock_timespec(clock_mono_ns() + ms * NS_PER_MS);

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

/* Sends until there is a final answer or --retry-for is over.  -1: no call could be made. */
static int send_request(struct ctl_sender *sender, const char *path, struct export_answer *answer, unsigned *attempts,
                        struct err *err)
{
    uint64_t deadline = clock_mono_ns() + sender->retry_for_ns;
    char text[UNITS_TEXT_MAX];

    for (*attempts = 1;; ++*attempts) {
        uint64_t random = 0;

        if (export_client_send(sender->client, buf_slice(&sender->request), sender->gzip,
                               (unsigned)(sender->timeout_ns / NS_PER_MS), answer, err) < 0)
            return -1;
        if (answer->code == 0 || !answer->retryable)
            return 0;
        if (getrandom(&random, sizeof(random), 0) < 0)
            random = clock_mono_ns(); /* jitter, no secret */
        uint64_t wait = ctl_send_wait_ms(*attempts, answer, random);
        uint64_t now = clock_mono_ns();
        if (now >= deadline || wait > (deadline - now) / NS_PER_MS)
            return 0;
        ctl_note(sender->ctl, "%s: %s: %s; again in %s", path, export_code_name(answer->code), answer->message,
                 units_format_duration(text, wait * NS_PER_MS));
        sleep_ms(wait);
    }
}

static void count_answer(struct ctl_sender *sender, const struct export_answer *answer)
{
    if (answer->code == 0) {
        sender->ok++;
        sender->rejected += answer->rejected_spans > 0;
        sender->sent_bytes += sender->request.len;
    } else if (answer->retryable) {
        sender->unsent++;
    } else {
        sender->refused++;
    }
}

static void tell_failure(struct ctl_sender *sender, const char *path, uint64_t number, const struct err *err)
{
    sender->unsent++;
    ctl_fail(sender->ctl, "%s: %s", path, err->text);
    if (sender->ctl->json)
        ctl_send_put_answer(sender, path, number, 0, NULL, err->text);
}

/* --- the verb -------------------------------------------------------------- */

static void send_file(struct ctl_sender *sender, const char *path)
{
    struct export_answer answer;
    struct err err;
    unsigned attempts;

    if (read_request(path, &sender->request, &err) < 0) {
        tell_failure(sender, path, 1, &err);
        return;
    }
    for (uint64_t number = 1; number <= sender->repeat; number++) {
        if (send_request(sender, path, &answer, &attempts, &err) < 0) {
            tell_failure(sender, path, number, &err);
            continue;
        }
        count_answer(sender, &answer);
        if (sender->ctl->json)
            ctl_send_put_answer(sender, path, number, attempts, &answer, NULL);
        else
            ctl_send_print_answer(sender, path, number, attempts, &answer);
    }
}

static int send_files(struct ctl_sender *sender, char **paths, int count)
{
    struct err err;
    uint64_t began = clock_mono_ns();

    receiver_grpc_init();
    if (export_client_open(&sender->client, sender->endpoint, &err) < 0) {
        receiver_grpc_shutdown();
        return ctl_fail(sender->ctl, "%s", err.text);
    }
    for (int i = 0; i < count; i++)
        send_file(sender, paths[i]);
    export_client_close(sender->client);
    receiver_grpc_shutdown();
    if (!sender->ctl->json)
        ctl_send_print_summary(sender, clock_mono_ns() - began);
    return sender->unsent > 0 ? CTL_FAILED : sender->refused + sender->rejected > 0 ? CTL_PARTIAL : CTL_OK;
}

static int choose_endpoint(struct ctl_sender *sender)
{
    const struct conf *conf;

    if (sender->endpoint[0] != '\0')
        return 0;
    conf = ctl_conf(sender->ctl);
    if (conf == NULL)
        return -1;
    ctl_send_endpoint(sender->endpoint, sizeof(sender->endpoint), conf->receiver.grpc);
    return 0;
}

int ctl_send(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_sender sender = {
        .ctl = ctl, .repeat = 1, .timeout_ns = DEFAULT_TIMEOUT_NS, .retry_for_ns = DEFAULT_RETRY_FOR_NS};
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_send_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return ctl->exit;
        if (take_option(&sender, option, argument) < 0)
            return CTL_FAILED;
    }
    if (optind == argc)
        return ctl_fail(ctl, "takes files, each the body of an ExportTraceServiceRequest; - is standard input");
    if (choose_endpoint(&sender) < 0)
        return CTL_FAILED;
    int first = optind;
    buf_init(&sender.request, CTL_REQUEST_BYTES_MAX + READ_BYTES);
    buf_init(&sender.out, LINE_BYTES_MAX);
    int status = send_files(&sender, argv + first, argc - first);
    buf_fini(&sender.out);
    buf_fini(&sender.request);
    return status;
}
