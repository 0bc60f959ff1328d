/*
 * export_client.h - the other end of an Export call: sends requests to any
 * OTLP/gRPC receiver.  `tracespool send` and tests use it.
 *
 * It stands beside the server so that gRPC core and the call's wire details
 * (method, status details) are known in one folder.
 */
#ifndef TRACESPOOL_EXPORT_CLIENT_H
#define TRACESPOOL_EXPORT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"

struct export_client;

struct export_answer {
    int code; /* gRPC status code, 0 = OK */
    char message[ERR_TEXT_MAX];
    bool retryable; /* by the OTLP specification: code and RetryInfo considered */
    bool has_retry_delay;
    uint64_t retry_delay_ms; /* RetryInfo */
    int64_t rejected_spans;  /* partial_success */
    char partial_message[ERR_TEXT_MAX];
    uint64_t elapsed_ns;
};

/* Texts are copied, or not needed after the open; NULL where there is none. */
struct export_security {
    bool tls;
    const char *ca;            /* authorities, PEM; NULL: the system's */
    const char *cert;          /* the client's own, PEM; with `key` */
    const char *key;           /* PEM */
    const char *name;          /* that the server's certificate is to have, instead of the endpoint's host */
    const char *authorization; /* a header's value, sent with each call */
};

/*
 * "host:port".  `security` NULL: none, no TLS and no token.  Connects at the
 * first send.  -1: ERR_CONFIG.  One thread at a time per client.
 */
int export_client_open(struct export_client **client, const char *endpoint, const struct export_security *security,
                       struct err *err);
void export_client_close(struct export_client *client);

/*
 * Sends one ExportTraceServiceRequest and waits for the answer, at most
 * `timeout_ms` (then the answer's code is DEADLINE_EXCEEDED).  With `gzip`
 * the message is compressed by gRPC.  -1 only when no call could be made at all.
 */
int export_client_send(struct export_client *client, struct slice request, bool gzip, unsigned timeout_ms,
                       struct export_answer *answer, struct err *err);

/* "OK", "UNAVAILABLE", ... or "CODE(n)"; static storage. */
const char *export_code_name(int code);

#endif
