/*
 * receiver.c - both endpoints: what they share, and the order in which things
 * begin and end.
 *
 * Main's thread.  Built left to right: credentials, intake, servers,
 * listeners; so nobody can connect before there is somebody to answer.  A port
 * that cannot be had is ERR_CONFIG.
 *
 * Stop has two steps.  First everything stays up, calls in hand are finished
 * and new ones are told to come back later (with RetryInfo, which a closed
 * port could not give).  Then the ports are closed, clients are told to go,
 * and what is left at the timeout is cut.  A request that is with the spool's
 * writer is always waited for, since the writer has its memory.
 */
#include "receiver.h"

#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "h2_server.h"
#include "http_server.h"
#include "log.h"
#include "net_listener.h"
#include "net_tokens.h"

struct receiver {
    struct net_quota quota;
    struct net_tls *tls;       /* NULL: none */
    struct net_tokens *tokens; /* NULL: none */
    struct intake *intake;
    struct h2_server *h2;
    struct http_server *http;
    struct net_listener *grpc_listener; /* NULL: no such endpoint */
    struct net_listener *http_listener;
};

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static int load_credentials(struct receiver *receiver, const struct receiver_options *options, struct err *err)
{
    if (is_set(options->tls.cert_file) && net_tls_new(&receiver->tls, &options->tls, err) != 0)
        return -1;
    if (is_set(options->bearer_tokens_file) &&
        net_tokens_load(&receiver->tokens, options->bearer_tokens_file, err) != 0)
        return -1;
    return 0;
}

static int listen_on(struct net_listener **listener, const char *address, const char *alpn, struct receiver *receiver,
                     unsigned timeout_ms, void (*accepted)(void *context, int fd), void *server, struct err *err)
{
    const struct net_listener_options options = {
        .address = address,
        .tls = receiver->tls,
        .alpn = alpn,
        .quota = &receiver->quota,
        .handshake_timeout_ms = timeout_ms,
        .accepted = accepted,
        .context = server,
    };

    return net_listener_start(listener, &options, err);
}

static int start_grpc(struct receiver *receiver, const struct receiver_options *options, struct err *err)
{
    const struct h2_server_options server = {
        .threads = options->threads,
        .max_header_bytes = options->max_header_bytes,
        .read_timeout_ms = options->read_timeout_ms,
        .idle_timeout_ms = options->idle_timeout_ms,
        .quota = &receiver->quota,
        .tokens = receiver->tokens,
    };

    if (!is_set(options->grpc))
        return 0;
    if (h2_server_start(&receiver->h2, &server, receiver->intake, err) != 0)
        return -1;
    return listen_on(&receiver->grpc_listener, options->grpc, "h2", receiver, options->read_timeout_ms,
                     h2_server_accept, receiver->h2, err);
}

static int start_http(struct receiver *receiver, const struct receiver_options *options, struct err *err)
{
    const struct http_server_options server = {
        .threads = options->threads,
        .max_header_bytes = options->max_header_bytes,
        .read_timeout_ms = options->read_timeout_ms,
        .idle_timeout_ms = options->idle_timeout_ms,
        .max_connections = options->max_connections,
        .quota = &receiver->quota,
        .tokens = receiver->tokens,
    };

    if (!is_set(options->http))
        return 0;
    if (http_server_start(&receiver->http, &server, receiver->intake, err) != 0)
        return -1;
    return listen_on(&receiver->http_listener, options->http, "http/1.1", receiver, options->read_timeout_ms,
                     http_server_accept, receiver->http, err);
}

int receiver_start(struct receiver **out, const struct receiver_options *options, struct spool_writer *writer,
                   struct err *err)
{
    struct receiver *receiver = calloc(1, sizeof(*receiver));

    if (receiver == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "no memory for the receiver");
    net_quota_init(&receiver->quota, options->max_connections);
    if (load_credentials(receiver, options, err) != 0 ||
        intake_new(&receiver->intake, &options->intake, writer, err) != 0 || start_grpc(receiver, options, err) != 0 ||
        start_http(receiver, options, err) != 0) {
        receiver_stop(receiver, 0);
        return -1;
    }
    *out = receiver;
    return 0;
}

static int port_of(const struct net_listener *listener)
{
    return listener == NULL ? 0 : net_listener_port(listener);
}

int receiver_grpc_port(const struct receiver *receiver)
{
    return port_of(receiver->grpc_listener);
}

int receiver_http_port(const struct receiver *receiver)
{
    return port_of(receiver->http_listener);
}

bool receiver_is_open(struct receiver *receiver)
{
    return intake_is_open(receiver->intake);
}

static void log_reload(const char *what, int rc, const struct err *err)
{
    if (rc == 0)
        log_info("receiver.reloaded", "%s: read again", what);
    else
        log_error("receiver.reload_failed", "%s: what was read before stays in use: %s", what, err->text);
}

void receiver_reload(struct receiver *receiver, bool only_changed)
{
    struct err err = {0};
    int rc;

    if (receiver->tls != NULL && (!only_changed || net_tls_changed(receiver->tls))) {
        rc = net_tls_reload(receiver->tls, &err);
        log_reload("receiver.tls", rc, &err);
    }
    if (receiver->tokens != NULL && (!only_changed || net_tokens_changed(receiver->tokens))) {
        rc = net_tokens_reload(receiver->tokens, &err);
        log_reload("receiver.bearer_tokens_file", rc, &err);
    }
}

static void quiesce(struct net_listener *listener)
{
    if (listener != NULL)
        net_listener_quiesce(listener);
}

void receiver_stop(struct receiver *receiver, unsigned timeout_ms)
{
    uint64_t deadline_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;

    if (receiver == NULL)
        return;
    if (receiver->intake != NULL) {
        intake_close(receiver->intake);
        if (!intake_wait_idle(receiver->intake, deadline_ns))
            log_warn("receiver.calls_cut", "cutting the calls that are not finished");
        intake_cut(receiver->intake);
    }
    quiesce(receiver->grpc_listener);
    quiesce(receiver->http_listener);
    h2_server_stop(receiver->h2, clock_mono_ns() + RECEIVER_SLACK_MS * NS_PER_MS);
    http_server_stop(receiver->http);
    net_listener_stop(receiver->grpc_listener);
    net_listener_stop(receiver->http_listener);
    intake_free(receiver->intake);
    net_tokens_free(receiver->tokens);
    net_tls_free(receiver->tls);
    free(receiver);
}
