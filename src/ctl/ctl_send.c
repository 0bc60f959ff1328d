/*
 * ctl_send.c - `tracespool send FILE...`: an OTLP client.
 *
 * Sends the requests of the files in their order to any OTLP/gRPC receiver; a
 * file is one request or many, in protobuf or OTLP/JSON (ctl_requests.h).  What is sent again is decided
 * in ctl_send_call.c.  A request that cannot be sent is told and the next one
 * tried; of a file that cannot be read on, what came before has been sent.
 *
 * Exit status 1: something could not be sent (unreadable, nobody answers);
 * else 2: something was refused; else 0.
 */
#include "ctl_send.h"

#include <getopt.h>
#include <inttypes.h>

#include "clock.h"
#include "ctl_verbs.h"

#define OPTION_REPEAT 'n'

const struct ctl_option ctl_send_options[] = {
    {"endpoint", "HOST:PORT", CTL_SEND_ENDPOINT,
     "the receiver; default: receiver.grpc of the configuration, on this machine"},
    {"gzip", NULL, CTL_SEND_GZIP, "compress requests"},
    {"repeat", "N", OPTION_REPEAT, "send each request N times"},
    {"timeout", "DURATION", CTL_SEND_TIMEOUT, "how long an answer may take (default 10s)"},
    {"retry-for", "DURATION", CTL_SEND_RETRY_FOR, "how long to try again what is refused for now (default 60s)"},
    CTL_SECURE_OPTIONS,
    {NULL, NULL, 0, NULL},
};

static int take_option(struct ctl_sender *sender, int option, const char *argument)
{
    if (option != OPTION_REPEAT)
        return ctl_send_take_option(sender, option, argument);
    if (ctl_options_number(argument, CTL_SEND_REPEAT_MAX, &sender->repeat) == 0 && sender->repeat > 0)
        return 0;
    ctl_fail(sender->ctl, "--repeat takes a number from 1 to %d, not \"%s\"", CTL_SEND_REPEAT_MAX, argument);
    return -1;
}

/* --- files ------------------------------------------------------------------- */

static void tell_failure(struct ctl_sender *sender, const char *path, uint64_t number, const struct err *err)
{
    ctl_fail(sender->ctl, "%s%s%s: %s", path, sender->place[0] != '\0' ? ", " : "", sender->place, err->text);
    if (sender->ctl->json)
        ctl_send_put_answer(sender, path, number, 0, NULL, err->text);
}

static void tell_answer(struct ctl_sender *sender, const char *path, uint64_t number, unsigned attempts,
                        const struct export_answer *answer)
{
    if (sender->ctl->json)
        ctl_send_put_answer(sender, path, number, attempts, answer, NULL);
    else
        ctl_send_print_answer(sender, path, number, attempts, answer);
}

static void send_one(struct ctl_sender *sender, const char *path)
{
    struct export_answer answer;
    unsigned attempts;
    struct err err;

    for (uint64_t number = 1; number <= sender->repeat; number++) {
        if (ctl_send_request(sender, path, &answer, &attempts, &err) < 0)
            tell_failure(sender, path, number, &err);
        else
            tell_answer(sender, path, number, attempts, &answer);
    }
}

/* Nothing can be sent of what was to come: the text names it. */
static void tell_unread(struct ctl_sender *sender, const char *path, const struct err *err)
{
    sender->unsent++;
    sender->body = slice_of(NULL, 0);
    tell_failure(sender, path, 1, err);
}

static void send_file(struct ctl_sender *sender, const char *path)
{
    enum ctl_requests_result result;
    struct ctl_requests requests;
    struct err err;

    sender->message = 0;
    sender->place[0] = '\0';
    if (ctl_requests_open(&requests, path, &err) < 0) {
        tell_unread(sender, path, &err);
        return;
    }
    while ((result = ctl_requests_next(&requests, &sender->body, &err)) > 0) {
        sender->message = requests.number;
        ctl_requests_place(sender->place, &requests);
        if (result == CTL_REQUESTS_READ)
            send_one(sender, path);
        else
            tell_unread(sender, path, &err);
    }
    ctl_requests_close(&requests);
    sender->place[0] = '\0';
    if (result == CTL_REQUESTS_FAILED)
        tell_unread(sender, path, &err);
}

static int send_files(struct ctl_sender *sender, char **paths, int count)
{
    struct err err;
    uint64_t began = clock_mono_ns();

    if (ctl_send_open(sender, &err) < 0)
        return ctl_fail(sender->ctl, "%s", err.text);
    for (int i = 0; i < count; i++)
        send_file(sender, paths[i]);
    ctl_send_close(sender);
    if (!sender->ctl->json)
        ctl_send_print_summary(sender, clock_mono_ns() - began);
    return sender->unsent > 0 ? CTL_FAILED : sender->refused + sender->rejected > 0 ? CTL_PARTIAL : CTL_OK;
}

static int run(struct ctl_sender *sender, int argc, char **argv)
{
    struct ctl *ctl = sender->ctl;
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_send_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return ctl->exit;
        if (take_option(sender, option, argument) < 0)
            return CTL_FAILED;
    }
    if (optind == argc)
        return ctl_fail(ctl, "takes files of requests, in protobuf or OTLP/JSON; - is standard input");
    if (ctl_send_choose_endpoint(sender) < 0)
        return CTL_FAILED;
    return send_files(sender, argv + optind, argc - optind);
}

int ctl_send(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_sender sender;

    ctl_send_init(&sender, ctl);
    int status = run(&sender, argc, argv);
    ctl_send_fini(&sender);
    return status;
}
