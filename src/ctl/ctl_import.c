/*
 * ctl_import.c - `tracespool import [FILE...]`: files of OTLP into this spool.
 *
 * While the daemon runs, each request is sent to it, as the spool has one
 * writer; when it is stopped the spool is written here (ctl_import_spool.c).
 * What is taken is the same in either case: the receiver's own check decides.
 *
 * What is no request, or is refused for good, is named and passed over.  It
 * ends early when the spool takes nothing more; then all of it can be imported
 * again, as MongoDB stores nothing twice.
 *
 * Exit status 1: it did not come to its end, or a file could not be read; else
 * 2: something is no request, was refused, or spans were rejected; else 0.
 */
#include "ctl_import.h"

#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "ctl_verbs.h"

#define LABEL_MAX 512

const struct ctl_option ctl_import_options[] = {
    {"dry-run", NULL, 'd', "read and count only"},
    {"timeout", "DURATION", CTL_SEND_TIMEOUT, "how long an answer of the daemon may take (default 10s)"},
    {"retry-for", "DURATION", CTL_SEND_RETRY_FOR, "how long to try again what it refuses for now (default 60s)"},
    CTL_SECURE_OPTIONS,
    {NULL, NULL, 0, NULL},
};

/* --- one request ----------------------------------------------------------- */

static void tell_one(struct ctl_import *import, const char *label, const char *text)
{
    if (import->told++ >= CTL_SALVAGE_TOLD_MAX)
        return;
    ctl_progress_clear(&import->progress);
    ctl_note(import->ctl, "%s: %s%s", label, text,
             import->told == CTL_SALVAGE_TOLD_MAX ? " (more are counted, not named)" : "");
}

static void count(struct ctl_import *import, uint64_t spans, uint64_t bytes)
{
    import->requests++;
    import->spans += spans;
    import->bytes += bytes;
}

/* -1: there is no use in going on. */
static int send(struct ctl_import *import, const char *label, struct slice request, uint32_t spans, struct err *err)
{
    char text[2 * ERR_TEXT_MAX];
    struct export_answer answer;
    unsigned attempts;

    import->sender.body = request;
    if (ctl_send_request(&import->sender, label, &answer, &attempts, err) < 0)
        return err_prefix(err, "%s", label);
    if (answer.code != 0 && answer.retryable)
        return err_set(err, ERR_RETRY, answer.code, "%s: %s: %s", label, export_code_name(answer.code), answer.message);
    if (answer.code == 0) {
        count(import, spans, request.len);
        return 0;
    }
    import->refused++;
    snprintf(text, sizeof(text), "%s: %s", export_code_name(answer.code), answer.message);
    tell_one(import, label, text);
    return 0;
}

/* What is stored is counted at the end. */
static int store(struct ctl_import *import, const char *label, struct slice request, struct err *err)
{
    struct intake_message message;

    if (intake_message_read(&message, &import->scratch, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, request, &import->intake,
                            err) == 0) {
        if (import->spool != NULL && ctl_import_spool_put(import->spool, &message, err) == 0)
            return 0;
        if (import->spool == NULL) {
            count(import, message.by_validity[OTLP_VALID], request.len);
            return 0;
        }
    }
    if (err->class != ERR_POISON)
        return err_prefix(err, "%s", label);
    import->refused++;
    tell_one(import, label, err->text);
    return 0;
}

static int import_request(struct ctl_import *import, const char *label, struct slice request, struct err *err)
{
    struct otlp_summary summary;
    uint32_t spans;
    int result;

    if (otlp_index_check(&summary, request, err) < 0) {
        import->bad++;
        tell_one(import, label, err->text);
        return 0;
    }
    import->read++;
    spans = summary.by_validity[OTLP_VALID];
    import->rejected += summary.by_validity[OTLP_BAD_TRACE_ID] + summary.by_validity[OTLP_BAD_SPAN_ID];
    if (spans == 0) {
        import->empty++;
        return 0;
    }
    result = import->sends ? send(import, label, request, spans, err) : store(import, label, request, err);
    intake_scratch_reset(&import->scratch);
    ctl_import_show_progress(import);
    return result;
}

/* --- files ----------------------------------------------------------------- */

static void cannot_read(struct ctl_import *import, const struct err *err)
{
    import->unread++;
    ctl_progress_clear(&import->progress);
    ctl_fail(import->ctl, "%s: %s", import->file, err->text);
}

/* -1: there is no use in going on with others either. */
static int import_file(struct ctl_import *import, struct err *err)
{
    char label[LABEL_MAX], place[CTL_REQUESTS_PLACE_MAX];
    enum ctl_requests_result read;
    struct ctl_requests requests;
    struct slice request;
    int result = 0;

    if (ctl_requests_open(&requests, import->file, err) < 0) {
        cannot_read(import, err);
        return 0;
    }
    while (result == 0 && (read = ctl_requests_next(&requests, &request, err)) != CTL_REQUESTS_END) {
        ctl_requests_place(place, &requests);
        snprintf(label, sizeof(label), "%s%s%s", import->file, place[0] != '\0' ? ", " : "", place);
        if (read == CTL_REQUESTS_FAILED) {
            cannot_read(import, err);
            break;
        }
        if (read == CTL_REQUESTS_READ) {
            result = import_request(import, label, request, err);
        } else {
            import->bad++;
            tell_one(import, label, err->text);
        }
    }
    ctl_requests_close(&requests);
    return result;
}

static int import_files(struct ctl_import *import, char **files, int count_of, struct err *err)
{
    static char input[] = "-";
    char *only[] = {input};

    if (count_of == 0) {
        files = only;
        count_of = 1;
    }
    for (int i = 0; i < count_of; i++) {
        import->file = files[i];
        if (import_file(import, err) < 0)
            return -1;
    }
    return 0;
}

/* --- where it goes --------------------------------------------------------- */

static int open_daemon(struct ctl_import *import, pid_t pid, struct err *err)
{
    const struct conf *conf = ctl_conf(import->ctl);

    if (conf == NULL)
        return err_set(err, ERR_CONFIG, 0, "the configuration cannot be read");
    if (strcmp(import->path, conf->spool.path) != 0)
        return err_set(err, ERR_CONFIG, 0,
                       "%s is in use by process %ld, and the configuration is not of that daemon: name its own by "
                       "--config, or stop it",
                       import->path, (long)pid);
    if (ctl_send_choose_endpoint(&import->sender) < 0)
        return err_set(err, ERR_CONFIG, 0, "there is no endpoint to reach the daemon, process %ld", (long)pid);
    import->sends = true;
    return ctl_send_open(&import->sender, err);
}

static int open_target(struct ctl_import *import, struct err *err)
{
    pid_t pid;

    if (import->dry_run)
        return 0;
    pid = spool_owner(import->path);
    return pid > 0 ? open_daemon(import, pid, err) : ctl_import_spool_open(&import->spool, import->path, err);
}

static int close_target(struct ctl_import *import, int result, struct err *err)
{
    struct ctl_import_stored stored;
    struct err failure;

    if (import->sends)
        ctl_send_close(&import->sender);
    if (import->spool == NULL)
        return result;
    if (ctl_import_spool_close(import->spool, &stored, &failure) < 0 && result == 0) {
        *err = failure;
        result = -1;
    }
    import->requests = stored.requests;
    import->spans = stored.spans;
    import->bytes = stored.bytes;
    return result;
}

/* --- the verb -------------------------------------------------------------- */

static int run(struct ctl_import *import, char **files, int count_of)
{
    struct err err = {.text = ""};

    if (open_target(import, &err) < 0)
        return ctl_fail_open(import->ctl, &err);
    int result = close_target(import, import_files(import, files, count_of, &err), &err);
    ctl_progress_clear(&import->progress);
    ctl_import_tell(import, result < 0 ? err.text : NULL);
    if (result < 0 || import->unread > 0)
        return CTL_FAILED;
    return import->bad + import->refused + import->rejected > 0 ? CTL_PARTIAL : CTL_OK;
}

static int parse(struct ctl_import *import, int argc, char **argv)
{
    struct ctl *ctl = import->ctl;
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_import_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return -1;
        ctl->exit = CTL_FAILED;
        if (option == 'd')
            import->dry_run = true;
        else if (ctl_send_take_option(&import->sender, option, argument) < 0)
            return -1;
    }
    ctl->exit = CTL_FAILED;
    if (optind == argc && isatty(STDIN_FILENO) == 1) {
        ctl_fail(ctl, "takes files of requests, in protobuf or OTLP/JSON; - is standard input");
        return -1;
    }
    return 0;
}

static int prepare(struct ctl_import *import)
{
    const struct conf *conf = ctl_conf(import->ctl);

    if (conf == NULL || (import->path = ctl_spool_path(import->ctl)) == NULL)
        return -1;
    import->intake = (struct intake_options){.max_request_bytes = conf->receiver.max_request_bytes,
                                             .max_depth = (unsigned)conf->receiver.max_depth};
    intake_scratch_init(&import->scratch, import->intake.max_request_bytes);
    return 0;
}

int ctl_import(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_import import = {.ctl = ctl};
    int status = CTL_FAILED;

    ctl_send_init(&import.sender, ctl);
    ctl_progress_init(&import.progress, ctl);
    if (parse(&import, argc, argv) < 0) {
        status = (int)ctl->exit;
    } else if (prepare(&import) == 0) {
        status = run(&import, argv + optind, argc - optind);
        intake_scratch_fini(&import.scratch);
    }
    ctl_send_fini(&import.sender);
    return status;
}
