/*
 * export_client.c - one Export call at a time over one channel.
 *
 * The caller's thread does everything: it starts one batch with the whole call
 * and waits for it, so there is nothing to lock and nothing runs on after
 * export_client_send.  A server that is not there, goes away or takes too long
 * is an answer (UNAVAILABLE, DEADLINE_EXCEEDED) and not an error.
 */
#include "export_client.h"

#include <assert.h>
#include <errno.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/compression.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "otlp_response.h"
#include "otlp_status.h"

struct export_client {
    grpc_channel *channel;
    grpc_completion_queue *queue;
    char *authorization; /* NULL: none */
};

/* What one call needs and leaves behind. */
struct exchange {
    grpc_call *call;
    grpc_byte_buffer *request;
    grpc_byte_buffer *response;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice message;
};

static const char *const code_names[] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};
#define CODE_COUNT (sizeof(code_names) / sizeof(code_names[0]))

const char *export_code_name(int code)
{
    static _Thread_local char unknown[32];

    if (code >= 0 && (size_t)code < CODE_COUNT)
        return code_names[code];
    snprintf(unknown, sizeof(unknown), "CODE(%d)", code);
    return unknown;
}

static const struct {
    const char *key;
    int value;
} settings[] = {
    /* A connection of its own: two clients of one process are two clients. */
    {GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1},
    /* The caller decides what is sent again, and counts it. */
    {GRPC_ARG_ENABLE_RETRIES, 0},
    {GRPC_ARG_ENABLE_HTTP_PROXY, 0},
    {GRPC_ARG_ENABLE_CHANNELZ, 0},
    /* Core waits up to two minutes before it looks again for a server that was away. */
    {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100},
    {GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000},
};
#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

static grpc_channel_credentials *make_credentials(const struct export_security *security)
{
    grpc_ssl_pem_key_cert_pair pair;

    if (!security->tls)
        return grpc_insecure_credentials_create();
    pair = (grpc_ssl_pem_key_cert_pair){.private_key = security->key, .cert_chain = security->cert};
    return grpc_ssl_credentials_create(security->ca, security->cert != NULL ? &pair : NULL, NULL, NULL);
}

static grpc_channel *make_channel(const char *endpoint, const struct export_security *security)
{
    grpc_arg args[SETTING_COUNT + 1];
    grpc_channel_args channel_args = {.num_args = SETTING_COUNT, .args = args};
    grpc_channel_credentials *credentials = make_credentials(security);
    grpc_channel *channel;

    if (credentials == NULL)
        return NULL;
    for (size_t i = 0; i < SETTING_COUNT; i++)
        args[i] =
            (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)settings[i].key, .value.integer = settings[i].value};
    if (security->tls && security->name != NULL)
        args[channel_args.num_args++] = (grpc_arg){.type = GRPC_ARG_STRING,
                                                   .key = (char *)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
                                                   .value.string = (char *)(uintptr_t)security->name};
    channel = grpc_channel_create(endpoint, credentials, &channel_args);
    grpc_channel_credentials_release(credentials);
    return channel;
}

int export_client_open(struct export_client **out, const char *endpoint, const struct export_security *security,
                       struct err *err)
{
    static const struct export_security none = {.tls = false};
    struct export_client *client;

    if (strrchr(endpoint, ':') == NULL)
        return err_set(err, ERR_CONFIG, 0, "\"%s\" is no endpoint: it is not host:port", endpoint);
    if (security == NULL)
        security = &none;
    client = calloc(1, sizeof(*client));
    if (client == NULL ||
        (security->authorization != NULL && (client->authorization = strdup(security->authorization)) == NULL)) {
        free(client);
        return err_set(err, ERR_CONFIG, ENOMEM, "no memory for a client");
    }
    client->queue = grpc_completion_queue_create_for_pluck(NULL);
    client->channel = make_channel(endpoint, security);
    if (client->channel == NULL) {
        export_client_close(client);
        return err_set(err, ERR_CONFIG, 0, "these certificates or this key cannot be used for TLS");
    }
    *out = client;
    return 0;
}

static void forget(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void export_client_close(struct export_client *client)
{
    grpc_event event;

    if (client == NULL)
        return;
    if (client->channel != NULL)
        grpc_channel_destroy(client->channel);
    grpc_completion_queue_shutdown(client->queue);
    event = grpc_completion_queue_pluck(client->queue, client, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    assert(event.type == GRPC_QUEUE_SHUTDOWN);
    grpc_completion_queue_destroy(client->queue);
    forget(client->authorization);
    free(client);
}

static void begin(struct exchange *exchange, struct export_client *client, struct slice request, unsigned timeout_ms)
{
    gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
    grpc_slice bytes = grpc_slice_from_copied_buffer((const char *)request.data, request.len);

    *exchange = (struct exchange){.code = GRPC_STATUS_UNKNOWN, .message = grpc_empty_slice()};
    grpc_metadata_array_init(&exchange->initial);
    grpc_metadata_array_init(&exchange->trailing);
    exchange->request = grpc_raw_byte_buffer_create(&bytes, 1);
    exchange->call = grpc_channel_create_call(client->channel, NULL, GRPC_PROPAGATE_DEFAULTS, client->queue,
                                              grpc_slice_from_static_string(OTLP_EXPORT_METHOD), NULL, deadline, NULL);
    grpc_slice_unref(bytes);
}

static void end(struct exchange *exchange)
{
    grpc_call_unref(exchange->call);
    grpc_slice_unref(exchange->message);
    grpc_metadata_array_destroy(&exchange->trailing);
    grpc_metadata_array_destroy(&exchange->initial);
    grpc_byte_buffer_destroy(exchange->response);
    grpc_byte_buffer_destroy(exchange->request);
}

#define METADATA_MAX 2

/* Of static strings: the client outlives its calls. */
static size_t put_metadata(grpc_metadata metadata[METADATA_MAX], const struct export_client *client, bool gzip)
{
    size_t count = 0;

    if (gzip)
        metadata[count++] =
            (grpc_metadata){.key = grpc_slice_from_static_string(GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY),
                            .value = grpc_slice_from_static_string("gzip")};
    if (client->authorization != NULL)
        metadata[count++] = (grpc_metadata){.key = grpc_slice_from_static_string("authorization"),
                                            .value = grpc_slice_from_static_string(client->authorization)};
    return count;
}

/* The whole call as one batch; it always completes, by the deadline at the latest. */
static int run(struct exchange *exchange, struct export_client *client, bool gzip, struct err *err)
{
    grpc_metadata metadata[METADATA_MAX];
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA,
         .data.send_initial_metadata = {.count = put_metadata(metadata, client, gzip), .metadata = metadata}},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = exchange->request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &exchange->initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &exchange->response},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &exchange->trailing,
                                        .status = &exchange->code,
                                        .status_details = &exchange->message}},
    };
    grpc_call_error error = grpc_call_start_batch(exchange->call, ops, sizeof(ops) / sizeof(ops[0]), exchange, NULL);

    if (error != GRPC_CALL_OK)
        return err_set(err, ERR_CONFIG, (int)error, "gRPC refused the call: %s", grpc_call_error_to_string(error));
    grpc_completion_queue_pluck(client->queue, exchange, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    return 0;
}

static void read_details(struct export_answer *answer, const struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->trailing.count; i++) {
        const grpc_metadata *item = &exchange->trailing.metadata[i];

        if (grpc_slice_str_cmp(item->key, "grpc-status-details-bin") == 0)
            answer->has_retry_delay = otlp_status_find_retry(
                slice_of(GRPC_SLICE_START_PTR(item->value), GRPC_SLICE_LENGTH(item->value)), &answer->retry_delay_ms);
    }
}

static void read_response(struct export_answer *answer, grpc_byte_buffer *response)
{
    grpc_byte_buffer_reader reader;
    grpc_slice bytes;

    if (response == NULL || !grpc_byte_buffer_reader_init(&reader, response))
        return;
    bytes = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    if (otlp_response_read(slice_of(GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes)), &answer->rejected_spans,
                           answer->partial_message, sizeof(answer->partial_message)) != 0)
        snprintf(answer->partial_message, sizeof(answer->partial_message), "the response does not decode");
    grpc_slice_unref(bytes);
}

/* OTLP specification, "Failures" of OTLP/gRPC. */
static bool is_retryable(const struct export_answer *answer)
{
    switch (answer->code) {
    case GRPC_STATUS_CANCELLED:
    case GRPC_STATUS_DEADLINE_EXCEEDED:
    case GRPC_STATUS_ABORTED:
    case GRPC_STATUS_OUT_OF_RANGE:
    case GRPC_STATUS_UNAVAILABLE:
    case GRPC_STATUS_DATA_LOSS:
        return true;
    case GRPC_STATUS_RESOURCE_EXHAUSTED:
        return answer->has_retry_delay;
    default:
        return false;
    }
}

static void read_answer(struct export_answer *answer, const struct exchange *exchange)
{
    size_t len = GRPC_SLICE_LENGTH(exchange->message);

    if (len >= sizeof(answer->message))
        len = sizeof(answer->message) - 1;
    memcpy(answer->message, GRPC_SLICE_START_PTR(exchange->message), len);
    answer->message[len] = '\0';
    answer->code = (int)exchange->code;
    read_details(answer, exchange);
    read_response(answer, exchange->response);
    answer->retryable = is_retryable(answer);
}

int export_client_send(struct export_client *client, struct slice request, bool gzip, unsigned timeout_ms,
                       struct export_answer *answer, struct err *err)
{
    uint64_t start_ns = clock_mono_ns();
    struct exchange exchange;
    int rc;

    *answer = (struct export_answer){0};
    begin(&exchange, client, request, timeout_ms);
    rc = run(&exchange, client, gzip, err);
    if (rc == 0) {
        read_answer(answer, &exchange);
        answer->elapsed_ns = clock_mono_ns() - start_ns;
    }
    end(&exchange);
    return rc;
}
