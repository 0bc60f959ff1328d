#include "receiver_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <grpc/byte_buffer.h>
#include <grpc/compression.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "export_grpc.h"
#include "otlp_field.h"
#include "otlp_status.h"

static void die(const struct err *err)
{
    fprintf(stderr, "the writer gave up: %s\n", err->text);
    abort();
}

static int start(void **state, uint64_t spool_bytes)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct spool_options spool = {.size_bytes = spool_bytes, .history_ns = UINT64_MAX};
    struct receiver_options options = {
        .listen = "127.0.0.1:0", .threads = 2, .max_request_bytes = FIXTURE_MAX_REQUEST_BYTES};
    struct err err = {0};

    assert_non_null(fixture);
    *state = fixture;
    export_grpc_init();
    snprintf(fixture->path, sizeof(fixture->path), "/tmp/tracespool-receiver-XXXXXX");
    assert_non_null(mkdtemp(fixture->path));
    spool.path = fixture->path;
    if (spool_open(&fixture->spool, &spool, &err) != 0 ||
        spool_writer_start(&fixture->writer, fixture->spool, die, &err) != 0 ||
        receiver_start(&fixture->receiver, &options, fixture->writer, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(fixture->endpoint, sizeof(fixture->endpoint), "127.0.0.1:%d", receiver_port(fixture->receiver));
    assert_int_equal(export_client_open(&fixture->client, fixture->endpoint, &err), 0);
    return 0;
}

int fixture_start(void **state)
{
    return start(state, 256UL << 20);
}

int fixture_start_small(void **state)
{
    return start(state, SPOOL_SIZE_MIN_BYTES);
}

void fixture_stop_receiver(struct fixture *fixture, unsigned timeout_ms)
{
    receiver_stop(fixture->receiver, timeout_ms);
    fixture->receiver = NULL;
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char name[512];

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            assert_int_equal(unlink(name), 0);
    }
    closedir(directory);
    assert_int_equal(rmdir(path), 0);
}

int fixture_stop(void **state)
{
    struct fixture *fixture = *state;

    export_client_close(fixture->client);
    fixture_stop_receiver(fixture, FIXTURE_TIMEOUT_MS);
    spool_writer_stop(fixture->writer);
    spool_close(fixture->spool);
    remove_directory(fixture->path);
    free(fixture);
    export_grpc_shutdown();
    return 0;
}

struct spool_stat fixture_stat(struct fixture *fixture)
{
    struct spool_stat stat;
    struct err err;

    if (spool_stat(fixture->spool, &stat, &err) != 0)
        fail_msg("%s", err.text);
    return stat;
}

struct export_answer fixture_send(struct fixture *fixture, struct slice request, bool gzip)
{
    struct export_answer answer;
    struct err err;

    if (export_client_send(fixture->client, request, gzip, FIXTURE_TIMEOUT_MS, &answer, &err) != 0)
        fail_msg("%s", err.text);
    return answer;
}

struct spool_record fixture_read(struct fixture *fixture, uint64_t seq, struct buf *out)
{
    struct spool_record record;
    struct arena arena;
    struct err err;

    arena_init(&arena, 64UL << 20);
    assert_int_equal(spool_read(fixture->spool, seq, &arena, &record, &err), 1);
    assert_false(record.damaged);
    if (otlp_codec_inflate((enum otlp_codec)record.codec, record.payload, FIXTURE_MAX_REQUEST_BYTES, out, &err) != 0)
        fail_msg("%s", err.text);
    arena_fini(&arena);
    record.payload = slice_of(NULL, 0);
    return record;
}

static void wrap(struct buf *out, uint32_t number, struct buf *inner)
{
    otlp_field_put_bytes(out, number, buf_slice(inner));
    buf_fini(inner);
}

void fixture_put_span(struct buf *out, const char *trace_id, const char *span_id, struct slice name)
{
    struct buf span, scope_spans, resource_spans;

    buf_init(&span, SIZE_MAX / 4);
    buf_init(&scope_spans, SIZE_MAX / 4);
    buf_init(&resource_spans, SIZE_MAX / 4);
    otlp_field_put_bytes(&span, 1, slice_of_text(trace_id));
    otlp_field_put_bytes(&span, 2, slice_of_text(span_id));
    otlp_field_put_bytes(&span, 5, name);
    wrap(&scope_spans, 2, &span);
    wrap(&resource_spans, 2, &scope_spans);
    wrap(out, 1, &resource_spans);
    assert_false(out->failed);
}

void fixture_wait(bool (*reached)(void *context), void *context)
{
    uint64_t deadline_ns = clock_mono_ns() + FIXTURE_TIMEOUT_MS * NS_PER_MS;
    const struct timespec pause = {.tv_nsec = 1000000};

    while (!reached(context)) {
        assert_true(clock_mono_ns() < deadline_ns);
        nanosleep(&pause, NULL);
    }
}

static bool is_idle(void *context)
{
    struct receiver *receiver = context;
    bool idle;

    pthread_mutex_lock(&receiver->lock);
    idle = receiver->in_hand == 0 && receiver->in_hand_bytes == 0 && receiver->reading_first == NULL &&
           receiver->calls == receiver->poller_count * (RECEIVER_CALLS_REQUESTED + 1);
    pthread_mutex_unlock(&receiver->lock);
    return idle;
}

void fixture_wait_idle(struct fixture *fixture)
{
    fixture_wait(is_idle, fixture->receiver);
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
    buffer = grpc_raw_compressed_byte_buffer_create(&slice, 1, raw->compression);
    grpc_slice_unref(slice);
    return buffer;
}

static size_t fill_ops(grpc_op *ops, const struct raw_call *raw, grpc_metadata *encoding, grpc_byte_buffer *message)
{
    size_t count = 0;

    ops[count].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[count].data.send_initial_metadata.count = raw->compression != GRPC_COMPRESS_NONE ? 1 : 0;
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
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(raw->timeout_ms, GPR_TIMESPAN));
    grpc_call *call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
                                               grpc_slice_from_static_string(raw->method), NULL, deadline, NULL);
    grpc_metadata encoding = {
        .key = grpc_slice_from_static_string(GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY),
        .value = grpc_slice_from_static_string(raw->compression == GRPC_COMPRESS_GZIP ? "gzip" : "deflate")};
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
