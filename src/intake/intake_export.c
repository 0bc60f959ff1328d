/*
 * intake_export.c - one Export, whatever brought it.
 *
 * Runs on the transport's thread, but for note_stored, which the spool's
 * writer calls, and intake_export_check_large, which has a thread of its own.
 * What is counted against max_in_flight_bytes is what the transport says that
 * it holds, and then what waits for the writer; the scratch of a thread is not
 * counted, as there are only so many threads.
 */
#include "intake_export.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "intake_large.h"
#include "metrics.h"

static void count_answer(const struct intake_export *export)
{
    metrics_add(intake_answer_metric(&export->answer), 1);
    if (export->answer.code != INTAKE_CODE_OK)
        return;
    metrics_observe(METRIC_HISTOGRAM_RECEIVER_ACKNOWLEDGEMENT, clock_mono_ns() - export->whole_ns);
    metrics_add(METRIC_RECEIVER_SPANS, export->by_validity[OTLP_VALID]);
    metrics_add(METRIC_RECEIVER_REJECTED_TRACE_ID, export->by_validity[OTLP_BAD_TRACE_ID]);
    metrics_add(METRIC_RECEIVER_REJECTED_SPAN_ID, export->by_validity[OTLP_BAD_SPAN_ID]);
    metrics_add(METRIC_RECEIVER_BYTES, export->put.raw_bytes);
}

static void refuse(struct intake_export *export, struct intake *intake, const struct err *failure)
{
    intake_answer_failure(&export->answer, failure, intake_retry_ms(intake));
    count_answer(export);
    if (export->answer.code == INTAKE_CODE_UNAVAILABLE)
        metrics_add(intake_answer_reason(failure), 1);
}

void intake_export_refuse(struct intake_export *export, const struct err *failure)
{
    refuse(export, export->intake, failure);
}

bool intake_export_begin(struct intake_export *export, struct intake *intake, void (*done)(struct intake_export *))
{
    struct err err;

    if (intake_enter(intake, &err) != 0) {
        refuse(export, intake, &err);
        return false;
    }
    export->intake = intake;
    export->done = done;
    buf_init(&export->message, 0);
    return true;
}

bool intake_export_hold(struct intake_export *export, size_t bytes)
{
    struct err err;

    if (intake_resize(export->intake, export->bytes, bytes, &err) != 0) {
        intake_export_refuse(export, &err);
        return false;
    }
    export->bytes = bytes;
    return true;
}

/* On the writer's thread. */
static void note_stored(struct spool_put *put, const struct err *failure)
{
    struct intake_export *export = put->context;
    int fault = fault_point("receiver.durable");

    if (failure != NULL)
        export->failure = *failure;
    else if (fault != 0)
        err_set(&export->failure, ERR_RETRY, fault, "fault after the request was stored");
    export->done(export);
}

/* What the scratch holds has to be copied; what came as it is stored stays in export->message. */
static int keep_payload(struct intake_export *export, const struct intake_message *message, struct err *err)
{
    uint8_t *copy;

    if (message->payload.data == export->message.data) {
        export->put.payload = message->payload;
        return 0;
    }
    copy = malloc(message->payload.len);
    if (copy == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory to keep the request");
    memcpy(copy, message->payload.data, message->payload.len);
    export->payload = slice_of(copy, message->payload.len);
    export->put.payload = export->payload;
    buf_fini(&export->message);
    return 0;
}

/* Of at most `max_bytes`, as it came and inflated. */
static int read_message(struct intake_export *export, struct intake_scratch *scratch, size_t max_bytes, struct err *err)
{
    struct intake_options options = *intake_options(export->intake);
    struct intake_message message;

    fault_point("receiver.read");
    options.max_request_bytes = max_bytes;
    if (intake_message_read(&message, scratch, export->format, export->codec, buf_slice(&export->message), &options,
                            err) != 0)
        return -1;
    memcpy(export->by_validity, message.by_validity, sizeof(export->by_validity));
    export->put.raw_bytes = message.raw_bytes;
    export->put.codec = (uint8_t)message.codec;
    export->put.spans = message.by_validity[OTLP_VALID];
    return export->put.spans == 0 ? 0 : keep_payload(export, &message, err);
}

static int give_to_writer(struct intake_export *export, struct err *err)
{
    int fault = fault_point("receiver.received");

    if (fault != 0)
        return err_set(err, ERR_BUSY, fault, "fault before the request was stored");
    export->put.received_ns = clock_wall_ns();
    export->put.done = note_stored;
    export->put.trace = &export->trace;
    export->put.context = export;
    return spool_writer_put(intake_writer(export->intake), &export->put, err);
}

/*
 * Checks and prepares the message, of at most `max_bytes`, and gives it away.
 * 1: the writer has it, and the export is not the caller's any more; 0: there
 * is nothing to store; -1: err.
 */
static int check_and_put(struct intake_export *export, struct intake_scratch *scratch, size_t max_bytes,
                         struct err *err)
{
    int rc = read_message(export, scratch, max_bytes, err);

    intake_scratch_reset(scratch);
    if (rc != 0 || export->put.spans == 0)
        return rc;
    if (intake_resize(export->intake, export->bytes, export->put.payload.len, err) != 0)
        return -1;
    export->bytes = export->put.payload.len;
    return give_to_writer(export, err) == 0 ? 1 : -1;
}

/* And not to be put. */
static bool is_too_large_to_read(const struct intake_export *export, const struct err *err)
{
    return err->code == EMSGSIZE && export->put.payload.data == NULL;
}

bool intake_export_store(struct intake_export *export, struct intake_scratch *scratch, enum intake_format format,
                         enum otlp_codec codec, struct buf *message)
{
    size_t max_bytes = intake_options(export->intake)->max_request_bytes;
    size_t here_bytes = max_bytes < INTAKE_SMALL_BYTES ? max_bytes : INTAKE_SMALL_BYTES;
    struct err err = {0};
    int rc;

    export->whole_ns = clock_mono_ns();
    export->message = *message;
    export->format = format;
    export->codec = codec;
    buf_init(message, message->max);
    rc = check_and_put(export, scratch, here_bytes, &err);
    if (rc < 0 && is_too_large_to_read(export, &err) && here_bytes < max_bytes) {
        intake_large_put(intake_large(export->intake), export);
        return true;
    }
    if (rc < 0)
        intake_export_refuse(export, &err);
    else if (rc == 0)
        intake_export_finish(export);
    return rc > 0;
}

void intake_export_check_large(struct intake_export *export, struct intake_scratch *scratch, bool refuse)
{
    struct err err = {0};
    int rc = refuse ? err_set(&err, ERR_BUSY, ECANCELED, "the receiver is stopping") : 0;

    if (rc == 0)
        rc = check_and_put(export, scratch, intake_options(export->intake)->max_request_bytes, &err);
    if (rc > 0)
        return; /* note_stored is or was told */
    if (rc < 0)
        export->failure = err;
    export->done(export);
}

void intake_export_finish(struct intake_export *export)
{
    if (export->failure.class != ERR_NONE) {
        intake_export_refuse(export, &export->failure);
        return;
    }
    intake_answer_ok(&export->answer, export->by_validity);
    count_answer(export);
}

void intake_export_release(struct intake_export *export)
{
    if (export->intake == NULL)
        return;
    buf_fini(&export->message);
    free((void *)(uintptr_t) export->payload.data);
    export->payload = slice_of(NULL, 0);
    intake_resize(export->intake, export->bytes, 0, NULL);
    export->bytes = 0;
}

void intake_export_end(struct intake_export *export)
{
    if (export->intake == NULL)
        return;
    intake_export_release(export);
    intake_leave(export->intake, 0);
    export->intake = NULL;
}
