/*
 * h2_fixture.c - see h2_fixture.h.
 */
#include "h2_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "clock.h"
#include "h2_server.h"

#define SENT_MAX (64UL << 20)

struct buf request;
struct buf upload;
struct buf wire;

const struct h2_call_options open_call = {.keep_open = true};

static int start_server(void **server, struct intake *intake, struct err *err)
{
    const struct h2_server_options options = {.threads = rig.options.threads,
                                              .max_header_bytes = rig.options.max_header_bytes,
                                              .read_timeout_ms = rig.options.read_timeout_ms,
                                              .idle_timeout_ms = rig.options.idle_timeout_ms,
                                              .quota = &rig.quota,
                                              .tokens = rig.options.tokens};
    struct h2_server *made = NULL;
    int result = h2_server_start(&made, &options, intake, err);

    *server = made;
    return result;
}

static void stop_server(void *server, uint64_t timeout_ms)
{
    h2_server_stop(server, clock_mono_ns() + timeout_ms * NS_PER_MS);
}

static const struct rig_protocol protocol = {.start = start_server, .accept = h2_server_accept, .stop = stop_server};

int fixture_start(void **state)
{
    (void)state;
    buf_init(&request, SENT_MAX);
    buf_init(&upload, SENT_MAX);
    buf_init(&wire, SENT_MAX);
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of_text("a span"));
    client_put_message(&upload, 0, buf_slice(&request));
    rig_init(&protocol);
    return 0;
}

int fixture_stop(void **state)
{
    (void)state;
    rig_fini();
    buf_fini(&wire);
    buf_fini(&upload);
    buf_fini(&request);
    return 0;
}

void fixture_assert_works(void)
{
    struct h2_client *client = client_open(WINDOW);
    struct h2_stream *stream = client_call(client, NULL, buf_slice(&upload));

    client_finish(client, stream);
    assert_int_equal(client_grpc_status(stream), 0);
    client_close(client);
}

struct h2_client *fixture_open_untaken(struct h2_stream **stream)
{
    struct h2_client *client = client_open(0);

    *stream = client_call(client, NULL, buf_slice(&upload));
    while ((*stream)->head.len == 0)
        client_step(client);
    return client;
}
