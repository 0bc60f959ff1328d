/*
 * receiver_answer.c - the table "What an Export is answered" of docs/design.md.
 *
 * Pure.  Any thread.  The class of the error decides: what is wrong with the
 * input is final (INVALID_ARGUMENT, or RESOURCE_EXHAUSTED when it is only too
 * large); everything else may pass, and is UNAVAILABLE with RetryInfo.  That
 * includes a failure that is fatal to the process: another one will take the
 * resend.
 */
#include "receiver_answer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "otlp_response.h"
#include "otlp_status.h"

#define METHOD_SHOWN_MAX 200
#define REQUEST_FIELD "request" /* BadRequest names a field; the text has the path inside */

void receiver_answer_ok(struct receiver_answer *answer, const uint32_t by_validity[OTLP_VALIDITY_COUNT])
{
    size_t len = 0;
    uint64_t total = 0;

    *answer = (struct receiver_answer){.code = RECEIVER_CODE_OK};
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

static enum receiver_code code_of(const struct err *failure)
{
    if (failure->class != ERR_POISON)
        return RECEIVER_CODE_UNAVAILABLE;
    return failure->code == EMSGSIZE ? RECEIVER_CODE_RESOURCE_EXHAUSTED : RECEIVER_CODE_INVALID_ARGUMENT;
}

void receiver_answer_failure(struct receiver_answer *answer, const struct err *failure)
{
    assert(failure->class != ERR_NONE);
    *answer = (struct receiver_answer){.code = code_of(failure), .retry_after_ms = SPOOL_RETRY_MIN_MS};
    snprintf(answer->message, sizeof(answer->message), "%s", failure->text);
}

void receiver_answer_unimplemented(struct receiver_answer *answer, struct slice method)
{
    int shown = (int)(method.len < METHOD_SHOWN_MAX ? method.len : METHOD_SHOWN_MAX);

    *answer = (struct receiver_answer){.code = RECEIVER_CODE_UNIMPLEMENTED};
    snprintf(answer->message, sizeof(answer->message),
             "tracespool takes traces only, by opentelemetry.proto.collector.trace.v1.TraceService/Export; not %.*s",
             shown, shown > 0 ? (const char *)method.data : "");
}

void receiver_answer_put_response(const struct receiver_answer *answer, struct buf *out)
{
    assert(answer->code == RECEIVER_CODE_OK);
    otlp_response_put(out, answer->rejected_spans, answer->message);
}

void receiver_answer_put_details(const struct receiver_answer *answer, struct buf *out)
{
    switch (answer->code) {
    case RECEIVER_CODE_UNAVAILABLE:
        otlp_status_put_retry(out, answer->code, answer->message, answer->retry_after_ms);
        break;
    case RECEIVER_CODE_INVALID_ARGUMENT:
        otlp_status_put_bad_request(out, answer->code, answer->message, REQUEST_FIELD);
        break;
    case RECEIVER_CODE_OK:
    case RECEIVER_CODE_RESOURCE_EXHAUSTED: /* with RetryInfo it would be retryable */
    case RECEIVER_CODE_UNIMPLEMENTED:
        break;
    }
}

enum metric receiver_answer_metric(const struct receiver_answer *answer)
{
    switch (answer->code) {
    case RECEIVER_CODE_OK:
        return METRIC_RECEIVER_OK;
    case RECEIVER_CODE_INVALID_ARGUMENT:
        return METRIC_RECEIVER_INVALID;
    case RECEIVER_CODE_RESOURCE_EXHAUSTED:
        return METRIC_RECEIVER_TOO_LARGE;
    case RECEIVER_CODE_UNAVAILABLE:
        return METRIC_RECEIVER_UNAVAILABLE;
    case RECEIVER_CODE_UNIMPLEMENTED:
        break;
    }
    return METRIC_COUNT;
}
