/*
 * fuzz_h2.c - the gRPC server: any bytes after the client's preface are
 * answered with HTTP/2 or not at all, and leave nothing behind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_transport.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" /* and an empty SETTINGS frame */
#define PREFACE_BYTES (sizeof(PREFACE) - 1)
#define INPUT_BYTES_MAX (64UL << 10)
#define FRAME_HEADER_BYTES 9
#define TYPE_SETTINGS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The server's SETTINGS come first, and frames are whole up to the end. */
static void check_answer(struct slice answer)
{
    const uint8_t *at = answer.data;

    if (answer.len == 0)
        return;
    if (answer.len < FRAME_HEADER_BYTES || at[3] != TYPE_SETTINGS)
        abort();
    while (answer.len >= FRAME_HEADER_BYTES) {
        size_t len = FRAME_HEADER_BYTES + ((size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2]);

        if (len > answer.len)
            abort();
        at += len;
        answer.len -= len;
    }
    if (answer.len > 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t input[PREFACE_BYTES + INPUT_BYTES_MAX];

    if (size > INPUT_BYTES_MAX)
        return -1;
    memcpy(input, PREFACE, PREFACE_BYTES);
    memcpy(input + PREFACE_BYTES, data, size);
    check_answer(fuzz_h2_exchange(slice_of(input, PREFACE_BYTES + size)));
    fuzz_transport_check_idle();
    return 0;
}
