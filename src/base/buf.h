/*
 * buf.h - a byte buffer that grows up to a bound.
 *
 * Not thread-safe.
 */
#ifndef TRACESPOOL_BUF_H
#define TRACESPOOL_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "slice.h"

struct buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
    size_t max;  /* len never passes this */
    bool failed; /* an append did not fit: sticky until buf_clear, so a run of appends is checked once */
};

void buf_init(struct buf *buf, size_t max);
void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the memory */

/* Room for `more` bytes after len: a pointer to them, or NULL (and `failed`) when that would pass max. */
uint8_t *buf_reserve(struct buf *buf, size_t more);

/* 0, or -1 with `failed` set and nothing appended. */
int buf_append(struct buf *buf, const void *data, size_t len);
int buf_text(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline struct slice buf_slice(const struct buf *buf)
{
    return slice_of(buf->data, buf->len);
}

#endif
