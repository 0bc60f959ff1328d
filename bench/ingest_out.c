/*
 * ingest_out.c - one list of parts, written with one call.
 *
 * The list starts over when all of it is written, so that memory for copies
 * needs no ring.  A socket that takes a part of a part moves that part's
 * beginning.
 */
#include "ingest_out.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void add_part(struct ingest_out *out, const uint8_t *data, size_t len)
{
    struct iovec *last = out->count > out->first ? &out->parts[out->count - 1] : NULL;

    if (last != NULL && (uint8_t *)last->iov_base + last->iov_len == data)
        last->iov_len += len;
    else
        out->parts[out->count++] = (struct iovec){(void *)data, len};
}

bool ingest_out_put(struct ingest_out *out, struct slice head, struct slice body)
{
    uint8_t *copy = out->bytes + out->copied;

    if (out->count + 2 > INGEST_OUT_PARTS || head.len > INGEST_OUT_BYTES - out->copied)
        return false;
    if (head.len > 0) {
        memcpy(copy, head.data, head.len);
        out->copied += head.len;
        add_part(out, copy, head.len);
    }
    if (body.len > 0)
        add_part(out, body.data, body.len);
    return true;
}

static void drop_written(struct ingest_out *out, size_t written)
{
    while (out->first < out->count && written >= out->parts[out->first].iov_len)
        written -= out->parts[out->first++].iov_len;
    if (out->first == out->count) {
        out->first = out->count = 0;
        out->copied = 0;
        return;
    }
    out->parts[out->first].iov_base = (uint8_t *)out->parts[out->first].iov_base + written;
    out->parts[out->first].iov_len -= written;
}

int ingest_out_flush(struct ingest_out *out, int fd, struct err *err)
{
    while (out->count > 0) {
        struct msghdr message = {.msg_iov = out->parts + out->first, .msg_iovlen = out->count - out->first};
        ssize_t written = sendmsg(fd, &message, MSG_NOSIGNAL);

        if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (written < 0)
            return err_set(err, ERR_RETRY, errno, "cannot write: %s", strerror(errno));
        drop_written(out, (size_t)written);
    }
    return 0;
}
