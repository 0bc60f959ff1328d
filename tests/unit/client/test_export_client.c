/*
 * test_export_client.c - the client against servers that answer what the
 * receiver never does, or nothing at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "export_client.h"
#include "grpc_fixture.h"
#include "otlp_response.h"
#include "otlp_status.h"

#define TIMEOUT_MS 20000

/* A server that gives each of its calls the next of some answers. */
struct script {
    const struct scripted {
        grpc_status_code code;
        bool has_retry;
        const char *response; /* the message's bytes; NULL: none */
    } * answers;
    unsigned count;
    grpc_server *server;
    grpc_completion_queue *queue;
    pthread_t thread;
    char endpoint[64];
};

static void await(struct script *script, void *tag)
{
    grpc_event event = grpc_completion_queue_next(script->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);

    if (event.type != GRPC_OP_COMPLETE || event.tag != tag)
        abort();
}

static void answer_call(struct script *script, grpc_call *call, const struct scripted *scripted)
{
    grpc_metadata trailer = {.key = grpc_slice_from_static_string("grpc-status-details-bin")};
    grpc_slice text = grpc_slice_from_static_string("as scripted");
    grpc_slice response = grpc_slice_from_static_string(scripted->response != NULL ? scripted->response : "");
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&response, 1);
    grpc_op ops[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}};
    struct buf details;
    int cancelled;

    buf_init(&details, 1024);
    otlp_status_put_retry(&details, scripted->code, "as scripted", 1500);
    trailer.value = grpc_slice_from_copied_buffer((const char *)details.data, details.len);
    ops[1].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[1].data.recv_close_on_server.cancelled = &cancelled;
    ops[2].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[2].data.send_status_from_server.status = scripted->code;
    ops[2].data.send_status_from_server.status_details = &text;
    ops[2].data.send_status_from_server.trailing_metadata = &trailer;
    ops[2].data.send_status_from_server.trailing_metadata_count = scripted->has_retry ? 1 : 0;
    ops[3].op = GRPC_OP_SEND_MESSAGE;
    ops[3].data.send_message.send_message = message;
    if (grpc_call_start_batch(call, ops, scripted->response != NULL ? 4 : 3, call, NULL) != GRPC_CALL_OK)
        abort();
    await(script, call);
    grpc_slice_unref(trailer.value);
    grpc_byte_buffer_destroy(message);
    buf_fini(&details);
}

static void *serve(void *context)
{
    struct script *script = context;

    for (unsigned i = 0; i < script->count; i++) {
        grpc_call *call = NULL;
        grpc_call_details details;
        grpc_metadata_array metadata;

        grpc_call_details_init(&details);
        grpc_metadata_array_init(&metadata);
        if (grpc_server_request_call(script->server, &call, &details, &metadata, script->queue, script->queue,
                                     script) != GRPC_CALL_OK)
            abort();
        await(script, script);
        answer_call(script, call, &script->answers[i]);
        grpc_call_unref(call);
        grpc_metadata_array_destroy(&metadata);
        grpc_call_details_destroy(&details);
    }
    grpc_server_shutdown_and_notify(script->server, script->queue, script);
    grpc_server_cancel_all_calls(script->server);
    await(script, script);
    return NULL;
}

static void start_script(struct script *script, const struct scripted *answers, unsigned count)
{
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();

    script->answers = answers;
    script->count = count;
    script->queue = grpc_completion_queue_create_for_next(NULL);
    script->server = grpc_server_create(NULL, NULL);
    grpc_server_register_completion_queue(script->server, script->queue, NULL);
    snprintf(script->endpoint, sizeof(script->endpoint), "127.0.0.1:%d",
             grpc_server_add_http2_port(script->server, "127.0.0.1:0", credentials));
    grpc_server_credentials_release(credentials);
    grpc_server_start(script->server);
    assert_int_equal(pthread_create(&script->thread, NULL, serve, script), 0);
}

static void stop_script(struct script *script)
{
    pthread_join(script->thread, NULL);
    grpc_server_destroy(script->server);
    grpc_completion_queue_shutdown(script->queue);
    while (grpc_completion_queue_next(script->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
           GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(script->queue);
}

static void send_to(const char *endpoint, unsigned timeout_ms, struct export_answer *answer)
{
    struct export_client *client;
    struct err err;

    assert_int_equal(export_client_open(&client, endpoint, NULL, &err), 0);
    assert_int_equal(export_client_send(client, slice_of("", 0), false, timeout_ms, answer, &err), 0);
    export_client_close(client);
}

/* The OTLP specification's table: what may be sent again. */
static void test_send_retryable_follows_the_specification(void **state)
{
    static const bool retryable[17] = {
        [GRPC_STATUS_CANCELLED] = true,    [GRPC_STATUS_DEADLINE_EXCEEDED] = true, [GRPC_STATUS_ABORTED] = true,
        [GRPC_STATUS_OUT_OF_RANGE] = true, [GRPC_STATUS_UNAVAILABLE] = true,       [GRPC_STATUS_DATA_LOSS] = true,
    };
    struct scripted answers[17];
    struct script script;
    struct export_client *client;
    struct export_answer answer;
    struct err err;

    (void)state;
    for (unsigned code = 0; code < 17; code++)
        answers[code] = (struct scripted){.code = (grpc_status_code)code, .response = code == 0 ? "" : NULL};
    start_script(&script, answers, 17);
    assert_int_equal(export_client_open(&client, script.endpoint, NULL, &err), 0);
    for (int code = 0; code < 17; code++) {
        assert_int_equal(export_client_send(client, slice_of("", 0), false, TIMEOUT_MS, &answer, &err), 0);
        assert_int_equal(answer.code, code);
        assert_false(answer.has_retry_delay);
        assert_int_equal(answer.retryable, retryable[code]);
        if (code != 0)
            assert_string_equal(answer.message, "as scripted");
    }
    export_client_close(client);
    stop_script(&script);
}

static void test_send_resource_exhausted_with_retry_is_retryable(void **state)
{
    const struct scripted scripted = {.code = GRPC_STATUS_RESOURCE_EXHAUSTED, .has_retry = true};
    struct script script;
    struct export_answer answer;

    (void)state;
    start_script(&script, &scripted, 1);
    send_to(script.endpoint, TIMEOUT_MS, &answer);
    assert_int_equal(answer.code, 8);
    assert_true(answer.has_retry_delay);
    assert_int_equal(answer.retry_delay_ms, 1500);
    assert_true(answer.retryable);
    stop_script(&script);
}

static void test_send_reads_partial_success(void **state)
{
    const struct scripted answers[] = {{.response = "\x0a\x0a\x08\x07\x12\x06seven!"}, {.response = "\x0a\x7f"}};
    struct script script;
    struct export_answer answer;

    (void)state;
    start_script(&script, answers, 2);
    send_to(script.endpoint, TIMEOUT_MS, &answer);
    assert_int_equal(answer.code, 0);
    assert_int_equal(answer.rejected_spans, 7);
    assert_string_equal(answer.partial_message, "seven!");
    send_to(script.endpoint, TIMEOUT_MS, &answer);
    assert_int_equal(answer.code, 0);
    assert_string_equal(answer.partial_message, "the response does not decode");
    stop_script(&script);
}

/* A TCP port on loopback that is bound; with `backlog` it accepts connections and says nothing. */
static int bind_port(char *endpoint, size_t size, bool listening)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    if (listening)
        assert_int_equal(listen(fd, 1), 0);
    snprintf(endpoint, size, "127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static void test_send_to_closed_port_is_unavailable_soon(void **state)
{
    char endpoint[64];
    int fd = bind_port(endpoint, sizeof(endpoint), false);
    struct export_answer answer;

    (void)state;
    send_to(endpoint, 10 * TIMEOUT_MS, &answer);
    assert_string_equal(export_code_name(answer.code), "UNAVAILABLE");
    assert_true(answer.retryable);
    assert_true(answer.elapsed_ns < TIMEOUT_MS * NS_PER_MS);
    close(fd);
}

static void test_send_to_silent_server_exceeds_deadline(void **state)
{
    char endpoint[64];
    int fd = bind_port(endpoint, sizeof(endpoint), true);
    struct export_answer answer;

    (void)state;
    send_to(endpoint, 50, &answer);
    assert_string_equal(export_code_name(answer.code), "DEADLINE_EXCEEDED");
    assert_true(answer.retryable);
    assert_true(answer.elapsed_ns >= 50 * NS_PER_MS);
    close(fd);
}

static void test_open_malformed_endpoint_fails(void **state)
{
    struct export_client *client;
    struct err err;

    (void)state;
    assert_int_equal(export_client_open(&client, "localhost", NULL, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_string_equal(err.text, "\"localhost\" is no endpoint: it is not host:port");
    export_client_close(NULL);
}

static void test_code_name_knows_all_and_others(void **state)
{
    (void)state;
    assert_string_equal(export_code_name(0), "OK");
    assert_string_equal(export_code_name(8), "RESOURCE_EXHAUSTED");
    assert_string_equal(export_code_name(16), "UNAUTHENTICATED");
    assert_string_equal(export_code_name(17), "CODE(17)");
    assert_string_equal(export_code_name(-1), "CODE(-1)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start_grpc, fixture_stop_grpc)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_send_retryable_follows_the_specification),
        TEST(test_send_resource_exhausted_with_retry_is_retryable),
        TEST(test_send_reads_partial_success),
        TEST(test_send_to_closed_port_is_unavailable_soon),
        TEST(test_send_to_silent_server_exceeds_deadline),
        TEST(test_open_malformed_endpoint_fails),
        TEST(test_code_name_knows_all_and_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
