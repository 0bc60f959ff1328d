/*
 * receiver_server.c - gRPC core's server object: its settings and its port.
 *
 * Main's thread, at start.  Only the port can fail: ERR_CONFIG with the
 * system's reason.
 */
#include "receiver_server.h"

#include <assert.h>
#include <grpc/grpc_security.h>
#include <stdlib.h>
#include <string.h>

#include "export_grpc.h"
#include "otlp_response.h"

#define ARGS_MAX 16

struct args {
    grpc_arg items[ARGS_MAX];
    size_t count;
};

static grpc_arg *add_arg(struct args *args, grpc_arg_type type, const char *key)
{
    grpc_arg *arg = &args->items[args->count++];

    assert(args->count <= ARGS_MAX);
    arg->type = type;
    arg->key = (char *)key;
    return arg;
}

static void add_int(struct args *args, const char *key, int value)
{
    add_arg(args, GRPC_ARG_INTEGER, key)->value.integer = value;
}

static void fill_args(struct args *args, grpc_resource_quota *quota)
{
    grpc_arg *arg = add_arg(args, GRPC_ARG_POINTER, GRPC_ARG_RESOURCE_QUOTA);

    arg->value.pointer.p = quota;
    arg->value.pointer.vtable = grpc_resource_quota_arg_vtable();
    /* Core would inflate a gzip bomb whole. */
    add_int(args, GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    /* Core measures a message only when it has all of it, so its limit saves no memory; ours gives the better answer. */
    add_int(args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1);
    /* A second daemon must be told that the port is taken, not be given every other connection. */
    add_int(args, GRPC_ARG_ALLOW_REUSEPORT, 0);
    add_int(args, GRPC_ARG_MAX_CONCURRENT_STREAMS, RECEIVER_STREAMS_MAX);
    add_int(args, GRPC_ARG_KEEPALIVE_TIME_MS, RECEIVER_KEEPALIVE_MS);
    add_int(args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, RECEIVER_KEEPALIVE_TIMEOUT_MS);
    /* Clients that ping more often than core likes are cut off with GOAWAY too_many_pings. */
    add_int(args, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    add_int(args, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, RECEIVER_PING_INTERVAL_MIN_MS);
    add_int(args, GRPC_ARG_ENABLE_CHANNELZ, 0);
}

void receiver_server_make(struct receiver *receiver)
{
    grpc_resource_quota *quota = grpc_resource_quota_create("receiver");
    struct args args = {.count = 0};
    grpc_channel_args channel_args;

    grpc_resource_quota_resize(quota, RECEIVER_QUOTA_BYTES + 2 * receiver->max_request_bytes);
    fill_args(&args, quota);
    channel_args = (grpc_channel_args){.num_args = args.count, .args = args.items};
    receiver->server = grpc_server_create(&channel_args, NULL);
    grpc_resource_quota_unref(quota);
    receiver->export_method =
        grpc_server_register_method(receiver->server, OTLP_EXPORT_METHOD, NULL, GRPC_SRM_PAYLOAD_NONE, 0);
    assert(receiver->export_method != NULL);
    for (unsigned i = 0; i < receiver->poller_count; i++) {
        receiver->pollers[i].queue = grpc_completion_queue_create_for_next(NULL);
        grpc_server_register_completion_queue(receiver->server, receiver->pollers[i].queue, NULL);
    }
}

/* Core takes an address without a port and listens on 443, so the port is looked for here. */
static bool has_port(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    size_t digits;

    if (colon == NULL || colon == listen)
        return false;
    digits = strspn(colon + 1, "0123456789");
    return digits > 0 && digits <= 5 && colon[1 + digits] == '\0' && atoi(colon + 1) <= 65535;
}

/* Core's text is one line of nested errors; the innermost one of the system says why. */
static int explain_listen(const char *listen, const char *text, struct err *err)
{
    static const char key[] = "os_error:\"";
    const char *reason = strstr(text, key);

    if (reason == NULL)
        return err_set(err, ERR_CONFIG, 0, "cannot listen on %s: %.200s", listen, text);
    reason += sizeof(key) - 1;
    return err_set(err, ERR_CONFIG, 0, "cannot listen on %s: %.*s", listen, (int)strcspn(reason, "\""), reason);
}

int receiver_server_listen(struct receiver *receiver, const char *listen, struct err *err)
{
    grpc_server_credentials *credentials;
    char text[4 * ERR_TEXT_MAX];

    if (!has_port(listen))
        return err_set(err, ERR_CONFIG, 0, "cannot listen on \"%s\": it is not host:port", listen);
    credentials = grpc_insecure_server_credentials_create();
    export_grpc_capture(text, sizeof(text));
    receiver->port = grpc_server_add_http2_port(receiver->server, listen, credentials);
    export_grpc_uncapture();
    grpc_server_credentials_release(credentials);
    return receiver->port > 0 ? 0 : explain_listen(listen, text, err);
}
