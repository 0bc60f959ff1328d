/*
 * ctl_salvage.c - `tracespool salvage FILE`: what is intact in a damaged spool, sent to a receiver or into a file.
 *
 * spool_salvage finds the batches; here they are inflated and handed on, each
 * as the request that it was.  A receiver that takes nothing for as long as
 * --retry-for ends the search: running it again stores nothing twice.  What a
 * receiver refuses for good is named and passed over.
 *
 * Exit status 1: not finished, or nothing found; else 2: something is not
 * whole, or was refused; else 0.
 */
#include "ctl_salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_requests.h"
#include "ctl_verbs.h"

#define DATA_NAME "data.mdb" /* of a directory that is named */
#define OUTPUT_MODE 0600     /* traces are nobody else's */
#define LABEL_MAX 64
#define REPORT_BYTES_MAX (64UL << 10)

const struct ctl_option ctl_salvage_options[] = {
    {"output", "OUT", 'o', "write the requests to a new file, for `tracespool send`; - is standard output"},
    {"endpoint", "HOST:PORT", CTL_SEND_ENDPOINT,
     "send them to this receiver; default: receiver.grpc of the configuration, on this machine"},
    {"dry-run", NULL, 'd', "search and count only"},
    {"gzip", NULL, CTL_SEND_GZIP, "compress requests that are sent"},
    {"timeout", "DURATION", CTL_SEND_TIMEOUT, "how long an answer may take (default 10s)"},
    {"retry-for", "DURATION", CTL_SEND_RETRY_FOR, "how long to try again what is refused for now (default 60s)"},
    CTL_SECURE_OPTIONS,
    {NULL, NULL, 0, NULL},
};

/* --- one request ----------------------------------------------------------- */

static void tell_one(struct ctl_salvage *salvage, const char *label, const char *what, const char *text)
{
    if (salvage->told++ >= CTL_SALVAGE_TOLD_MAX)
        return;
    ctl_progress_clear(&salvage->progress);
    ctl_note(salvage->ctl, "%s: %s: %s%s", label, what, text,
             salvage->told == CTL_SALVAGE_TOLD_MAX ? " (more are counted, not named)" : "");
}

static int write_request(struct ctl_salvage *salvage, struct slice request, struct err *err)
{
    if (ctl_requests_write(salvage->file, request, salvage->written == 0) < 0)
        return err_set(err, ERR_CONFIG, errno, "cannot write %s: %s", salvage->output, strerror(errno));
    salvage->written++;
    return 0;
}

/* -1 when there is no use in going on. */
static int send_request(struct ctl_salvage *salvage, const char *label, struct slice request, struct err *err)
{
    struct export_answer answer;
    unsigned attempts;

    salvage->sender.body = request;
    if (ctl_send_request(&salvage->sender, label, &answer, &attempts, err) < 0)
        return err_prefix(err, "%s", label);
    if (answer.code != 0 && answer.retryable)
        return err_set(err, ERR_RETRY, answer.code, "%s: %s: %s", label, export_code_name(answer.code), answer.message);
    if (answer.code != 0)
        tell_one(salvage, label, export_code_name(answer.code), answer.message);
    return 0;
}

static int hand_on(struct ctl_salvage *salvage, const char *label, struct slice request, uint32_t spans,
                   struct err *err)
{
    salvage->requests++;
    salvage->request_bytes += request.len;
    salvage->spans += spans;
    if (salvage->dry_run)
        return 0;
    return salvage->output != NULL ? write_request(salvage, request, err) : send_request(salvage, label, request, err);
}

/* --- what is found --------------------------------------------------------- */

static int take_record(void *context, const struct spool_record *record, struct err *err)
{
    struct ctl_salvage *salvage = context;
    char label[LABEL_MAX];
    struct err unreadable;

    snprintf(label, sizeof(label), "batch %" PRIu64, record->seq);
    salvage->batch.record = *record;
    if (ctl_batch_inflate(&salvage->batch, &unreadable) < 0) {
        salvage->unreadable++;
        tell_one(salvage, label, "it cannot be read", unreadable.text);
        return 0;
    }
    return hand_on(salvage, label, salvage->batch.request, record->spans, err);
}

/* A parked entry whose batch is held has no bytes of its own: the batch is found as such. */
static int take_parked(void *context, const struct spool_parked *parked, struct err *err)
{
    struct ctl_salvage *salvage = context;
    char label[LABEL_MAX];

    if (parked->payload.len == 0)
        return 0;
    snprintf(label, sizeof(label), "batch %" PRIu64 ", parked span %" PRIu32, parked->seq, parked->index);
    return hand_on(salvage, label, parked->payload, parked->spans, err);
}

static void show_progress(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
    struct ctl_salvage *salvage = context;

    ctl_progress_show(&salvage->progress, "searching", done_bytes, total_bytes);
}

static int search(struct ctl_salvage *salvage, struct err *err)
{
    struct spool_salvage_to to = {
        .context = salvage, .record = take_record, .parked = take_parked, .progress = show_progress};

    return spool_salvage(salvage->path, &to, &salvage->report, err);
}

/* --- where it goes --------------------------------------------------------- */

static int open_output(struct ctl_salvage *salvage, struct err *err)
{
    int fd;

    if (strcmp(salvage->output, "-") == 0) {
        salvage->file = salvage->ctl->out;
        return 0;
    }
    fd = open(salvage->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, OUTPUT_MODE);
    if (fd < 0 && errno == EEXIST)
        return err_set(err, ERR_CONFIG, errno, "%s is already there, and nothing is written over it", salvage->output);
    salvage->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (salvage->file == NULL)
        return err_set(err, ERR_CONFIG, errno, "cannot make %s: %s", salvage->output, strerror(errno));
    return 0;
}

/* A file that is not whole must not look so: it goes again. */
static int close_output(struct ctl_salvage *salvage, int result, struct err *err)
{
    if (salvage->file == salvage->ctl->out) {
        if (fflush(salvage->file) != 0 && result == 0)
            result = err_set(err, ERR_CONFIG, errno, "cannot write the output: %s", strerror(errno));
        return result;
    }
    if (result == 0 && (fflush(salvage->file) != 0 || fsync(fileno(salvage->file)) < 0))
        result = err_set(err, ERR_CONFIG, errno, "cannot write %s: %s", salvage->output, strerror(errno));
    fclose(salvage->file);
    salvage->file = NULL;
    if (result < 0 || salvage->written == 0)
        unlink(salvage->output);
    return result;
}

static int search_into(struct ctl_salvage *salvage, struct err *err)
{
    int result;

    if (salvage->dry_run)
        return search(salvage, err);
    if (salvage->output != NULL)
        return open_output(salvage, err) < 0 ? -1 : close_output(salvage, search(salvage, err), err);
    if (ctl_send_open(&salvage->sender, err) < 0)
        return -1;
    result = search(salvage, err);
    ctl_send_close(&salvage->sender);
    return result;
}

/* --- the verb -------------------------------------------------------------- */

static int exit_status(const struct ctl_salvage *salvage, int result)
{
    const struct spool_salvage_report *report = &salvage->report;

    if (result < 0 || report->records + report->parked + report->incomplete == 0)
        return CTL_FAILED;
    return report->incomplete + report->damaged_parts + report->unreadable_bytes + salvage->unreadable +
                       salvage->sender.refused >
                   0
               ? CTL_PARTIAL
               : CTL_OK;
}

static int run(struct ctl_salvage *salvage)
{
    struct err err = {.text = ""};
    struct buf out;
    int result = search_into(salvage, &err);

    ctl_progress_clear(&salvage->progress);
    buf_init(&out, REPORT_BYTES_MAX);
    ctl_salvage_tell(salvage, result < 0 ? err.text : NULL, &out);
    /* Standard output may be the requests'. */
    if (out.len > 0)
        fwrite(out.data, 1, out.len, salvage->file == salvage->ctl->out ? salvage->ctl->err : salvage->ctl->out);
    buf_fini(&out);
    if (result < 0)
        ctl_fail(salvage->ctl, "%s", err.text);
    else if (exit_status(salvage, result) == CTL_FAILED)
        ctl_fail(salvage->ctl, "nothing of a spool is in %s", salvage->path);
    return exit_status(salvage, result);
}

static int parse(struct ctl_salvage *salvage, int argc, char **argv)
{
    struct ctl *ctl = salvage->ctl;
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_salvage_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return -1;
        ctl->exit = CTL_FAILED;
        if (option == 'o')
            salvage->output = argument;
        else if (option == 'd')
            salvage->dry_run = true;
        else if (ctl_send_take_option(&salvage->sender, option, argument) < 0)
            return -1;
    }
    ctl->exit = CTL_FAILED;
    if (argc - optind != 1) {
        ctl_fail(ctl, "takes one file: a spool's data.mdb, or the directory that it is in");
        return -1;
    }
    if (salvage->output != NULL && salvage->sender.endpoint[0] != '\0') {
        ctl_fail(ctl, "takes --output or --endpoint, not both");
        return -1;
    }
    if (salvage->output != NULL && strcmp(salvage->output, "-") == 0 && isatty(fileno(ctl->out)) == 1) {
        ctl_fail(ctl, "requests are no text for a terminal: redirect standard output");
        return -1;
    }
    return 0;
}

int ctl_salvage(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_salvage salvage = {.ctl = ctl};
    char joined[PATH_MAX];
    struct stat stat_of;
    int status = CTL_FAILED;

    ctl_send_init(&salvage.sender, ctl);
    ctl_batch_init(&salvage.batch);
    ctl_progress_init(&salvage.progress, ctl);
    if (parse(&salvage, argc, argv) < 0) {
        status = (int)ctl->exit;
        goto out;
    }
    if (ctl_conf_named(ctl) < 0)
        goto out;
    salvage.path = argv[optind];
    if (stat(salvage.path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode) &&
        snprintf(joined, sizeof(joined), "%s/" DATA_NAME, salvage.path) < (int)sizeof(joined))
        salvage.path = joined;
    if (salvage.output == NULL && !salvage.dry_run && ctl_send_choose_endpoint(&salvage.sender) < 0)
        goto out;
    status = run(&salvage);
out:
    ctl_batch_fini(&salvage.batch);
    ctl_send_fini(&salvage.sender);
    return status;
}
