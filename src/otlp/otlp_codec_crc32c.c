/*
 * otlp_codec_crc32c.c - CRC-32C eight bytes at a time ("slicing by 8").
 *
 * Pure.  Any thread.  A byte at a time would take longer than inflating does.
 */
#include <pthread.h>

#include "otlp_codec_internal.h"

#define SLICES 8
#define POLYNOMIAL 0x82f63b78 /* reflected: the lowest bit is the highest power */

static uint32_t tables[SLICES][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;

        for (unsigned bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        tables[0][byte] = crc;
    }
    /* The next table has the effect of a byte that is followed by one more zero. */
    for (unsigned i = 1; i < SLICES; i++)
        for (unsigned byte = 0; byte < 256; byte++)
            tables[i][byte] = tables[i - 1][byte] >> 8 ^ tables[0][tables[i - 1][byte] & 0xff];
}

static uint32_t add_eight(uint32_t crc, const uint8_t *at)
{
    uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);

    return tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^
           tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^ tables[0][at[7]];
}

uint32_t otlp_codec_crc32c(struct slice data)
{
    const uint8_t *at = data.data;
    size_t left = data.len;
    uint32_t crc = UINT32_MAX;

    pthread_once(&once, make_tables);
    for (; left >= SLICES; at += SLICES, left -= SLICES)
        crc = add_eight(crc, at);
    for (; left > 0; at++, left--)
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xff];
    return ~crc;
}
