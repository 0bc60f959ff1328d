/*
 * hex.h - bytes as lowercase hexadecimal text, and back.
 */
#ifndef TRACESPOOL_HEX_H
#define TRACESPOOL_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Writes 2 * len digits and a NUL to `text`. */
void hex_encode(char *text, const void *data, size_t len);

/* Exactly 2 * len digits of either case, then the end.  0, or -1 with `data` undefined. */
int hex_decode(void *data, size_t len, const char *text);

#endif
