/*
 * h2_server.c - start, connections to loops, stop.
 *
 * Main's thread starts and stops; the listeners' threads bring connections,
 * which are dealt out in turn.
 */
#include "h2_server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "h2_internal.h"

static int make_session_options(struct h2_server *server)
{
    if (nghttp2_option_new(&server->session_options) != 0)
        return -1;
    /* Kept only for priorities, which nothing here uses. */
    nghttp2_option_set_no_closed_streams(server->session_options, 1);
    return 0;
}

static void free_server(struct h2_server *server)
{
    if (server == NULL)
        return;
    nghttp2_option_del(server->session_options);
    nghttp2_session_callbacks_del(server->callbacks);
    free(server);
}

static struct h2_server *new_server(const struct h2_server_options *options, struct intake *intake)
{
    struct h2_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return NULL;
    server->options = *options;
    server->intake = intake;
    server->callbacks = h2_session_callbacks();
    if (server->callbacks != NULL && make_session_options(server) == 0)
        return server;
    free_server(server);
    return NULL;
}

int h2_server_start(struct h2_server **out, const struct h2_server_options *options, struct intake *intake,
                    struct err *err)
{
    struct h2_server *server = new_server(options, intake);

    assert(options->threads >= 1 && options->threads <= RECEIVER_THREADS_MAX);
    if (server == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "no memory for the gRPC server");
    for (; server->loop_count < options->threads; server->loop_count++) {
        if (h2_loop_start(&server->loops[server->loop_count], server, err) != 0) {
            h2_server_stop(server, 0);
            return -1;
        }
    }
    *out = server;
    return 0;
}

void h2_server_accept(void *context, int fd)
{
    struct h2_server *server = context;
    struct h2_loop *loop = &server->loops[atomic_fetch_add(&server->next_loop, 1) % server->loop_count];
    struct h2_conn *conn = h2_conn_new(loop, fd);

    if (conn != NULL) {
        h2_loop_add(loop, conn);
        return;
    }
    close(fd);
    net_quota_release(server->options.quota);
}

void h2_server_stop(struct h2_server *server, uint64_t deadline_ns)
{
    if (server == NULL)
        return;
    for (unsigned i = 0; i < server->loop_count; i++)
        h2_loop_stop(&server->loops[i], deadline_ns);
    for (unsigned i = 0; i < server->loop_count; i++)
        h2_loop_join(&server->loops[i]);
    free_server(server);
}
