#include "receiver_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <grpc/byte_buffer.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export_grpc.h"
#include "otlp_status.h"

struct receiver_options fixture_options(void)
{
    return (struct receiver_options){
        .grpc = "127.0.0.1:0",
        .http = "127.0.0.1:0",
        .threads = 2,
        .intake = {.max_request_bytes = FIXTURE_MAX_REQUEST_BYTES,
                   .max_depth = OTLP_DEPTH_MAX,
                   .max_in_flight_bytes = 256UL << 20,
                   .max_calls = 1024},
        .max_connections = 1024,
        .max_header_bytes = 16UL << 10,
        .read_timeout_ms = HOME_TIMEOUT_MS,
        .idle_timeout_ms = HOME_TIMEOUT_MS,
    };
}

static void start_receiver(struct fixture *fixture, const struct receiver_options *options)
{
    struct err err = {0};

    if (receiver_start(&fixture->receiver, options, fixture->home.writer, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(fixture->endpoint, sizeof(fixture->endpoint), "127.0.0.1:%d", receiver_grpc_port(fixture->receiver));
    assert_int_equal(export_client_open(&fixture->client, fixture->endpoint, NULL, &err), 0);
}

static int start(void **state, uint64_t spool_bytes)
{
    struct receiver_options options = fixture_options();
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    *state = fixture;
    export_grpc_init();
    home_open(&fixture->home, spool_bytes);
    start_receiver(fixture, &options);
    return 0;
}

int fixture_start(void **state)
{
    return start(state, HOME_SPOOL_BYTES);
}

int fixture_start_small(void **state)
{
    return start(state, SPOOL_SIZE_MIN_BYTES);
}

void fixture_restart(struct fixture *fixture, const struct receiver_options *options)
{
    export_client_close(fixture->client);
    fixture_stop_receiver(fixture, HOME_TIMEOUT_MS);
    start_receiver(fixture, options);
}

void fixture_stop_receiver(struct fixture *fixture, unsigned timeout_ms)
{
    receiver_stop(fixture->receiver, timeout_ms);
    fixture->receiver = NULL;
}

int fixture_stop(void **state)
{
    struct fixture *fixture = *state;

    export_client_close(fixture->client);
    fixture_stop_receiver(fixture, HOME_TIMEOUT_MS);
    home_wait_idle();
    home_close(&fixture->home);
    free(fixture);
    export_grpc_shutdown();
    return 0;
}

struct export_answer fixture_send(struct fixture *fixture, struct slice request, bool gzip)
{
    struct export_answer answer;
    struct err err;

    if (export_client_send(fixture->client, request, gzip, HOME_TIMEOUT_MS, &answer, &err) != 0)
        fail_msg("%s", err.text);
    return answer;
}

/* --- calls by hand ---------------------------------------------------------- */

static void read_trailers(struct raw_call *raw, const grpc_metadata_array *trailing)
{
    uint64_t delay_ms;

    for (size_t i = 0; i < trailing->count; i++) {
        grpc_slice value = trailing->metadata[i].value;

        if (grpc_slice_str_cmp(trailing->metadata[i].key, "grpc-status-details-bin") != 0)
            continue;
        raw->has_details = true;
        raw->has_retry =
            otlp_status_find_retry(slice_of(GRPC_SLICE_START_PTR(value), GRPC_SLICE_LENGTH(value)), &delay_ms);
    }
}

static grpc_byte_buffer *make_message(const struct raw_call *raw)
{
    grpc_slice slice;
    grpc_byte_buffer *buffer;

    if (raw->message == NULL)
        return NULL;
    slice = grpc_slice_from_copied_buffer((const char *)raw->message->data, raw->message->len);
    buffer = grpc_raw_compressed_byte_buffer_create(&slice, 1,
                                                    raw->encoding != NULL ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
    grpc_slice_unref(slice);
    return buffer;
}

static size_t fill_ops(grpc_op *ops, const struct raw_call *raw, grpc_metadata *encoding, grpc_byte_buffer *message)
{
    size_t count = 0;

    ops[count].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[count].data.send_initial_metadata.count = raw->encoding != NULL ? 1 : 0;
    ops[count++].data.send_initial_metadata.metadata = encoding;
    if (message != NULL) {
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = message;
    }
    if (!raw->keep_open)
        ops[count++].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    return count;
}

void fixture_raw_call(struct fixture *fixture, struct raw_call *raw)
{
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(fixture->endpoint, credentials, NULL);
    grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck(NULL);
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(HOME_TIMEOUT_MS, GPR_TIMESPAN));
    grpc_call *call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
                                               grpc_slice_from_static_string(raw->method), NULL, deadline, NULL);
    grpc_metadata encoding = {.key = grpc_slice_from_static_string("grpc-encoding"),
                              .value =
                                  grpc_slice_from_static_string(raw->encoding != NULL ? raw->encoding : "identity")};
    grpc_byte_buffer *message = make_message(raw);
    grpc_metadata_array initial, trailing;
    grpc_byte_buffer *response = NULL;
    grpc_status_code code;
    grpc_slice text = grpc_empty_slice();
    grpc_op ops[8] = {0};
    size_t count = fill_ops(ops, raw, &encoding, message);

    grpc_metadata_array_init(&initial);
    grpc_metadata_array_init(&trailing);
    ops[count].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[count++].data.recv_initial_metadata.recv_initial_metadata = &initial;
    ops[count].op = GRPC_OP_RECV_MESSAGE;
    ops[count++].data.recv_message.recv_message = &response;
    ops[count].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[count].data.recv_status_on_client.trailing_metadata = &trailing;
    ops[count].data.recv_status_on_client.status = &code;
    ops[count++].data.recv_status_on_client.status_details = &text;
    assert_int_equal(grpc_call_start_batch(call, ops, count, raw, NULL), GRPC_CALL_OK);
    grpc_completion_queue_pluck(queue, raw, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);

    raw->code = (int)code;
    snprintf(raw->text, sizeof(raw->text), "%.*s", (int)GRPC_SLICE_LENGTH(text),
             (const char *)GRPC_SLICE_START_PTR(text));
    read_trailers(raw, &trailing);
    grpc_slice_unref(text);
    grpc_metadata_array_destroy(&trailing);
    grpc_metadata_array_destroy(&initial);
    grpc_byte_buffer_destroy(response);
    grpc_byte_buffer_destroy(message);
    grpc_call_unref(call);
    grpc_channel_destroy(channel);
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue);
    grpc_channel_credentials_release(credentials);
}
