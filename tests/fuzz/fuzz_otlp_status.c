/*
 * fuzz_otlp_status.c - the messages of an answer: readers take any bytes, and
 * what is written for any text is read back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "otlp_response.h"
#include "otlp_status.h"

#define OUT_BYTES_MAX (64UL << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_otlp_status: does not hold: %s\n", what);
    abort();
}

static void read_any(struct slice bytes)
{
    char message[16];
    uint64_t delay_ms;
    int64_t rejected;

    if (!otlp_status_find_retry(bytes, &delay_ms))
        require(delay_ms == 0, "no RetryInfo has no delay");
    for (size_t size = 1; size <= sizeof(message); size += 5) {
        memset(message, 'x', sizeof(message));
        otlp_response_read(bytes, &rejected, message, size);
        require(memchr(message, '\0', size) != NULL, "a message is terminated within its room");
    }
}

static void write_response(uint64_t rejected, const char *text)
{
    char message[ERR_TEXT_MAX];
    int64_t read_rejected;
    struct buf out;

    buf_init(&out, OUT_BYTES_MAX);
    otlp_response_put(&out, rejected, text);
    require(!out.failed, "a response is written");
    require(otlp_response_read(buf_slice(&out), &read_rejected, message, sizeof(message)) == 0, "a response is read");
    require((uint64_t)read_rejected == rejected && strcmp(message, text) == 0, "a response says what it was given");
    buf_fini(&out);
}

static void write_status(int code, const char *text, uint64_t delay_ms)
{
    uint64_t read_ms = UINT64_MAX;
    struct buf out;

    buf_init(&out, OUT_BYTES_MAX);
    otlp_status_put_retry(&out, code, text, delay_ms);
    require(!out.failed && otlp_status_find_retry(buf_slice(&out), &read_ms), "a RetryInfo is found");
    require(read_ms == delay_ms, "its delay is the one that was given");
    buf_clear(&out);
    otlp_status_put_bad_request(&out, code, text, text);
    require(!out.failed && !otlp_status_find_retry(buf_slice(&out), &read_ms), "a BadRequest is no RetryInfo");
    buf_fini(&out);
}

static void write_json(int code, const char *text, uint64_t number)
{
    struct json json;
    struct buf out;

    buf_init(&out, OUT_BYTES_MAX);
    json_init(&json, &out);
    otlp_response_write_json(&json, number, text);
    otlp_status_write_json_retry(&json, code, text, number);
    otlp_status_write_json_bad_request(&json, code, text, text);
    require(!out.failed && json.depth == 0, "answers have a JSON form");
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[ERR_TEXT_MAX / 2]; /* of a BadRequest, field and description share the room of one detail */
    uint32_t number = 0;
    size_t len;

    read_any(slice_of(data, size));
    if (size < sizeof(number))
        return 0;
    memcpy(&number, data, sizeof(number));
    len = size - sizeof(number) < sizeof(text) ? size - sizeof(number) : sizeof(text) - 1;
    memcpy(text, data + sizeof(number), len);
    text[len] = '\0';
    write_response(number, text);
    write_status((int)(number % 17), text, number);
    write_json((int)(number % 17), text, number);
    return 0;
}
