/*
 * h2_health.c - grpc.health.v1.Health/Check, by hand.
 *
 * Pure.  The messages, as grpc-proto has them:
 *   HealthCheckRequest  { string service = 1; }
 *   HealthCheckResponse { ServingStatus status = 1; }   SERVING = 1, NOT_SERVING = 2
 *
 * Watch is not there: a client that asks for it is answered UNIMPLEMENTED,
 * which the protocol has mean "take it as healthy and do not ask again".
 */
#include <string.h>

#include "h2_internal.h"
#include "otlp_field.h"

#define STATUS_SERVING 1
#define STATUS_NOT_SERVING 2

/* "" is the server as a whole. */
static const char *const services[] = {"", "opentelemetry.proto.collector.trace.v1.TraceService"};

static bool is_known(struct slice service)
{
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if (slice_equal(service, slice_of_text(services[i])))
            return true;
    return false;
}

int h2_health_check(struct slice request, bool serving, struct buf *response, struct intake_answer *answer)
{
    struct slice service = slice_of(NULL, 0);
    struct otlp_field field;

    while (otlp_field_next(&request, &field))
        if (field.number == 1 && field.type == OTLP_WIRE_LENGTH)
            service = field.bytes;
    if (request.len > 0) {
        intake_answer_set(answer, INTAKE_CODE_INVALID_ARGUMENT, "the request is not a HealthCheckRequest");
        return -1;
    }
    if (!is_known(service)) {
        intake_answer_set(answer, INTAKE_CODE_NOT_FOUND, "there is no service of that name here");
        return -1;
    }
    otlp_field_put_varint(response, 1, serving ? STATUS_SERVING : STATUS_NOT_SERVING);
    return 0;
}
