/*
 * buf.c - a byte buffer that doubles up to its bound.
 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

#define BUF_CAPACITY_MIN 256

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

static bool grow(struct buf *buf, size_t needed)
{
    size_t capacity = buf->capacity < BUF_CAPACITY_MIN ? BUF_CAPACITY_MIN : buf->capacity;
    uint8_t *data;

    while (capacity < needed)
        capacity = capacity > buf->max / 2 ? buf->max : capacity * 2;
    if (fault_point("buf.grow") != 0)
        return false;
    data = realloc(buf->data, capacity);
    if (data == NULL)
        return false;
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

uint8_t *buf_reserve(struct buf *buf, size_t more)
{
    if (more > buf->max - buf->len || (buf->len + more > buf->capacity && !grow(buf, buf->len + more))) {
        buf->failed = true;
        return NULL;
    }
    return buf->data + buf->len;
}

int buf_append(struct buf *buf, const void *data, size_t len)
{
    uint8_t *to;

    if (len == 0)
        return 0;
    to = buf_reserve(buf, len);
    if (to == NULL)
        return -1;
    memcpy(to, data, len);
    buf->len += len;
    return 0;
}

int buf_text(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

int buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    uint8_t *to;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        buf->failed = true;
        return -1;
    }
    to = buf_reserve(buf, (size_t)len + 1); /* vsnprintf writes a NUL, which is not counted */
    if (to == NULL)
        return -1;
    va_start(args, format);
    vsnprintf((char *)to, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
    return 0;
}
