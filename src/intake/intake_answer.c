/*
 * intake_answer.c - the table "What an Export is answered" of docs/design.md.
 *
 * Pure.  Any thread.  The class of the error decides: what is wrong with the
 * input is final (INVALID_ARGUMENT, or RESOURCE_EXHAUSTED when it is only too
 * large); everything else may pass, and is UNAVAILABLE with RetryInfo.  That
 * includes a failure that is fatal to the process: another one will take the
 * resend.
 */
#include "intake_answer.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "otlp_response.h"
#include "otlp_status.h"

#define REQUEST_FIELD "request" /* BadRequest names a field; the text has the path inside */

void intake_answer_ok(struct intake_answer *answer, const uint32_t by_validity[OTLP_VALIDITY_COUNT])
{
    size_t len = 0;
    uint64_t total = 0;

    *answer = (struct intake_answer){.code = INTAKE_CODE_OK};
    for (int validity = 0; validity < OTLP_VALIDITY_COUNT; validity++) {
        total += by_validity[validity];
        if (validity != OTLP_VALID)
            answer->rejected_spans += by_validity[validity];
    }
    if (answer->rejected_spans == 0)
        return;
    len += (size_t)snprintf(answer->message, sizeof(answer->message),
                            "%llu of %llu spans rejected:", (unsigned long long)answer->rejected_spans,
                            (unsigned long long)total);
    for (int validity = 0; validity < OTLP_VALIDITY_COUNT; validity++) {
        if (validity == OTLP_VALID || by_validity[validity] == 0)
            continue;
        len += (size_t)snprintf(answer->message + len, sizeof(answer->message) - len, " %u with an invalid %s;",
                                by_validity[validity], otlp_validity_name((enum otlp_validity)validity));
    }
    assert(len < sizeof(answer->message)); /* a few short parts: the bound is far */
    answer->message[len - 1] = '\0';
}

static enum intake_code code_of(const struct err *failure)
{
    if (failure->class != ERR_POISON)
        return INTAKE_CODE_UNAVAILABLE;
    return failure->code == EMSGSIZE ? INTAKE_CODE_RESOURCE_EXHAUSTED : INTAKE_CODE_INVALID_ARGUMENT;
}

void intake_answer_failure(struct intake_answer *answer, const struct err *failure, uint64_t retry_after_ms)
{
    assert(failure->class != ERR_NONE);
    *answer = (struct intake_answer){.code = code_of(failure)};
    if (answer->code == INTAKE_CODE_UNAVAILABLE)
        answer->retry_after_ms = retry_after_ms;
    snprintf(answer->message, sizeof(answer->message), "%s", failure->text);
}

void intake_answer_set(struct intake_answer *answer, enum intake_code code, const char *format, ...)
{
    va_list args;

    *answer = (struct intake_answer){.code = code};
    va_start(args, format);
    vsnprintf(answer->message, sizeof(answer->message), format, args);
    va_end(args);
}

void intake_answer_put_response(const struct intake_answer *answer, struct buf *out)
{
    assert(answer->code == INTAKE_CODE_OK);
    otlp_response_put(out, answer->rejected_spans, answer->message);
}

void intake_answer_put_response_json(const struct intake_answer *answer, struct buf *out)
{
    struct json json;

    assert(answer->code == INTAKE_CODE_OK);
    json_init(&json, out);
    otlp_response_write_json(&json, answer->rejected_spans, answer->message);
}

/* With a RetryInfo, RESOURCE_EXHAUSTED would be retryable; the others need no details. */
void intake_answer_put_status(const struct intake_answer *answer, struct buf *out)
{
    if (answer->code == INTAKE_CODE_UNAVAILABLE)
        otlp_status_put_retry(out, answer->code, answer->message, answer->retry_after_ms);
    else if (answer->code == INTAKE_CODE_INVALID_ARGUMENT)
        otlp_status_put_bad_request(out, answer->code, answer->message, REQUEST_FIELD);
    else
        otlp_status_put(out, answer->code, answer->message);
}

void intake_answer_put_status_json(const struct intake_answer *answer, struct buf *out)
{
    struct json json;

    json_init(&json, out);
    if (answer->code == INTAKE_CODE_UNAVAILABLE)
        otlp_status_write_json_retry(&json, answer->code, answer->message, answer->retry_after_ms);
    else if (answer->code == INTAKE_CODE_INVALID_ARGUMENT)
        otlp_status_write_json_bad_request(&json, answer->code, answer->message, REQUEST_FIELD);
    else
        otlp_status_write_json(&json, answer->code, answer->message);
}

enum metric intake_answer_metric(const struct intake_answer *answer)
{
    switch (answer->code) {
    case INTAKE_CODE_OK:
        return METRIC_RECEIVER_OK;
    case INTAKE_CODE_INVALID_ARGUMENT:
        return METRIC_RECEIVER_INVALID;
    case INTAKE_CODE_DEADLINE_EXCEEDED:
        return METRIC_RECEIVER_TOO_SLOW;
    case INTAKE_CODE_RESOURCE_EXHAUSTED:
        return METRIC_RECEIVER_TOO_LARGE;
    case INTAKE_CODE_UNAVAILABLE:
        return METRIC_RECEIVER_UNAVAILABLE;
    case INTAKE_CODE_UNAUTHENTICATED:
        return METRIC_RECEIVER_UNAUTHENTICATED;
    case INTAKE_CODE_INTERNAL:
        return METRIC_RECEIVER_INTERNAL;
    case INTAKE_CODE_NOT_FOUND:
    case INTAKE_CODE_UNIMPLEMENTED:
        break;
    }
    return METRIC_RECEIVER_UNIMPLEMENTED;
}

enum metric intake_answer_reason(const struct err *failure)
{
    switch (failure->code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EAGAIN: /* the writer's queue */
        return METRIC_RECEIVER_REFUSED_FULL;
    case ENOBUFS:
        return METRIC_RECEIVER_REFUSED_BYTES;
    case EUSERS:
        return METRIC_RECEIVER_REFUSED_CALLS;
    case ECANCELED:
        return METRIC_RECEIVER_REFUSED_STOPPING;
    default:
        return METRIC_RECEIVER_REFUSED_OTHER;
    }
}
