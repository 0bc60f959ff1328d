/*
 * admin.c - three pages over HTTP, by libmicrohttpd.
 *
 * One thread of libmicrohttpd's serves all connections, whose number and
 * idle time are bounded.  A page is built in memory when it is asked for.
 * When memory is short the connection is closed, which a scraper reports as
 * what it is; nothing here can hurt the daemon's work.
 */
#include "admin.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_internal.h"
#include "buf.h"
#include "log.h"
#include "metrics.h"
#include "pulse.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"
static const char *const metrics_types[] = {
    [METRICS_PROMETHEUS_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
    [METRICS_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

struct admin {
    /* Set once. */
    struct admin_options options; /* listen is not kept */
    struct MHD_Daemon *http;
    int port;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, struct slice body)
{
    struct MHD_Response *response;
    enum MHD_Result result = MHD_NO;

    response = MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
        (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
         MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES))
        result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text)
{
    return answer(connection, status, TEXT_PLAIN, slice_of_text(text));
}

static enum MHD_Result answer_metrics(const struct admin *admin, struct MHD_Connection *connection)
{
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    enum metrics_format format = admin_accept_metrics(accept);
    enum MHD_Result result = MHD_NO;
    struct buf out;

    admin_process_refresh();
    if (admin->options.refresh != NULL)
        admin->options.refresh(admin->options.context);
    buf_init(&out, ADMIN_METRICS_BYTES_MAX);
    if (metrics_render(&out, format) == 0)
        result = answer(connection, MHD_HTTP_OK, metrics_types[format], buf_slice(&out));
    buf_fini(&out);
    return result;
}

static enum MHD_Result answer_health(struct MHD_Connection *connection)
{
    char stuck[ERR_TEXT_MAX], text[ERR_TEXT_MAX + 16];

    if (!pulse_find_stuck(clock_mono_ns(), stuck, sizeof(stuck)))
        return answer_text(connection, MHD_HTTP_OK, "ok\n");
    snprintf(text, sizeof(text), "not well: %s\n", stuck);
    return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, text);
}

static enum MHD_Result answer_ready(const struct admin *admin, struct MHD_Connection *connection)
{
    if (admin->options.ready(admin->options.context))
        return answer_text(connection, MHD_HTTP_OK, "ready\n");
    return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                       "not ready: an Export would be answered UNAVAILABLE now\n");
}

static enum MHD_Result route(const struct admin *admin, struct MHD_Connection *connection, const char *path)
{
    if (strcmp(path, "/metrics") == 0)
        return answer_metrics(admin, connection);
    if (strcmp(path, "/healthz") == 0)
        return answer_health(connection);
    if (strcmp(path, "/readyz") == 0)
        return answer_ready(admin, connection);
    return answer_text(connection, MHD_HTTP_NOT_FOUND, "not found: try /metrics, /healthz or /readyz\n");
}

/*
 * Called once with the headers and once more when the request is complete.  A
 * wrong method is answered at once, so that no body is read for it; a GET is
 * answered the second time, which keeps the connection open for the next one.
 */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *body, size_t *body_len, void **request)
{
    static char seen;

    (void)version;
    (void)body;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed: use GET\n");
    if (*request == NULL) {
        *request = &seen;
        return MHD_YES;
    }
    if (*body_len != 0) {
        *body_len = 0;
        return MHD_YES;
    }
    return route(context, connection, path);
}

/* What libmicrohttpd has to say is about single connections, and of use to whoever looks into one. */
static void log_http(void *context, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void log_http(void *context, const char *format, va_list args)
{
    char text[ERR_TEXT_MAX];

    (void)context;
    vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\r\n")] = '\0';
    log_debug("admin.http", "%s", text);
}

/*
 * The socket is libmicrohttpd's from here on.  When it fails, it has closed
 * the socket or not, depending on how far it came: left alone, since closing
 * it twice could close somebody else's, and the process ends after this.
 */
static int start_http(struct admin *admin, int fd, const char *listen, struct err *err)
{
    admin->http = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle, admin,
                                   MHD_OPTION_EXTERNAL_LOGGER, log_http, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
                                   MHD_OPTION_CONNECTION_LIMIT, (unsigned)ADMIN_CONNECTIONS_MAX,
                                   MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)ADMIN_TIMEOUT_S, MHD_OPTION_END);
    if (admin->http == NULL)
        return err_set(err, ERR_CONFIG, errno, "admin endpoint %s: cannot serve: %s", listen, strerror(errno));
    return 0;
}

int admin_start(struct admin **admin, const struct admin_options *options, struct err *err)
{
    struct admin *made;
    int fd;

    *admin = NULL;
    if (options->listen[0] == '\0')
        return 0;
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return err_set(err, ERR_CONFIG, ENOMEM, "admin endpoint %s: out of memory", options->listen);
    made->options = *options;
    made->options.listen = NULL;
    fd = admin_socket_listen(options->listen, &made->port, err);
    if (fd < 0)
        goto fail;
    if (start_http(made, fd, options->listen, err) != 0)
        goto fail;
    *admin = made;
    return 0;

fail:
    free(made);
    return -1;
}

int admin_port(const struct admin *admin)
{
    return admin->port;
}

void admin_stop(struct admin *admin)
{
    if (admin == NULL)
        return;
    MHD_stop_daemon(admin->http);
    free(admin);
}
