/*
 * fuzz_http.c - the HTTP server: any bytes are answered with HTTP or not at
 * all, and leave nothing behind.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz_transport.h"

#define INPUT_BYTES_MAX (64UL << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice answer;

    if (size > INPUT_BYTES_MAX)
        return -1;
    answer = fuzz_http_exchange(slice_of(data, size));
    if (answer.len > 0 && (answer.len < 9 || memcmp(answer.data, "HTTP/1.", 7) != 0))
        abort();
    fuzz_transport_check_idle();
    return 0;
}
