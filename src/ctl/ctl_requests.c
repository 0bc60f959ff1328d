/*
 * ctl_requests.c - reading and writing files of requests.
 *
 * A message is read whole, under the bound of what a receiver takes; the
 * memory is that of the largest one.  A message of no bytes is a request
 * without spans and is passed over: one is written before a first message that
 * is so long that its length would look like a request.
 */
#include "ctl_requests.h"

#include <errno.h>
#include <sys/stat.h>

#include "bounds.h"

#define READ_BYTES (256UL << 10)
#define FRAMED_BEFORE 0x08 /* the first byte of a length, and of no request */

static int too_large(struct err *err)
{
    return err_set(err, ERR_POISON, EMSGSIZE, "larger than %lu bytes, the most that a receiver takes",
                   CTL_REQUEST_BYTES_MAX);
}

/* Up to `len` bytes; less at the end of the file. */
static int read_some(FILE *file, void *out, size_t len, size_t *got, struct err *err)
{
    *got = fread(out, 1, len, file);
    return ferror(file) ? err_set(err, ERR_CONFIG, errno, "%s", strerror(errno)) : 0;
}

int ctl_requests_open(struct ctl_requests *requests, const char *path, struct err *err)
{
    struct stat stat;

    *requests = (struct ctl_requests){.file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe")};
    if (requests->file == NULL)
        return err_set(err, ERR_CONFIG, errno, "%s", strerror(errno));
    if (read_some(requests->file, requests->head, sizeof(requests->head), &requests->head_len, err) < 0)
        goto fail;
    requests->framed = requests->head_len > 0 && requests->head[0] < FRAMED_BEFORE;
    /* Told without reading it first. */
    if (!requests->framed && fstat(fileno(requests->file), &stat) == 0 && S_ISREG(stat.st_mode) &&
        (uint64_t)stat.st_size > CTL_REQUEST_BYTES_MAX) {
        too_large(err);
        goto fail;
    }
    return 0;
fail:
    ctl_requests_close(requests);
    return -1;
}

void ctl_requests_close(struct ctl_requests *requests)
{
    if (requests->file != stdin)
        fclose(requests->file);
}

/* All that is left of the file. */
static int read_whole(struct ctl_requests *requests, struct buf *out, struct err *err)
{
    size_t got;

    buf_append(out, requests->head, requests->head_len);
    do {
        uint8_t *room = buf_reserve(out, READ_BYTES);

        if (room == NULL)
            return too_large(err);
        if (read_some(requests->file, room, READ_BYTES, &got, err) < 0)
            return -1;
        out->len += got;
    } while (got > 0);
    return 0;
}

static int cut_short(const struct ctl_requests *requests, struct err *err)
{
    return err_set(err, ERR_POISON, 0, "ends within message %llu", (unsigned long long)requests->number);
}

static uint32_t length_of(const uint8_t head[CTL_REQUESTS_LENGTH_BYTES])
{
    return (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | (uint32_t)head[3];
}

/* 1 and *length, 0 at the end of the file, -1. */
static int read_length(struct ctl_requests *requests, uint32_t *length, struct err *err)
{
    size_t got = requests->head_len;

    requests->number++;
    if (got == 0 && read_some(requests->file, requests->head, sizeof(requests->head), &got, err) < 0)
        return -1;
    requests->head_len = 0;
    if (got == 0)
        return 0;
    if (got < sizeof(requests->head))
        return cut_short(requests, err);
    *length = length_of(requests->head);
    if (*length > CTL_REQUEST_BYTES_MAX)
        return err_set(err, ERR_POISON, EMSGSIZE, "message %llu is said to have %lu bytes: more than a receiver takes",
                       (unsigned long long)requests->number, (unsigned long)*length);
    return 1;
}

static int read_message(struct ctl_requests *requests, struct buf *out, uint32_t length, struct err *err)
{
    uint8_t *room = buf_reserve(out, length);
    size_t got;

    if (room == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for a message of %lu bytes", (unsigned long)length);
    if (read_some(requests->file, room, length, &got, err) < 0)
        return -1;
    out->len += got;
    return got == length ? 1 : cut_short(requests, err);
}

int ctl_requests_next(struct ctl_requests *requests, struct buf *out, struct err *err)
{
    uint32_t length;
    int result;

    buf_clear(out);
    if (!requests->framed) {
        if (requests->number++ > 0)
            return 0;
        return read_whole(requests, out, err) < 0 ? -1 : 1;
    }
    do {
        result = read_length(requests, &length, err);
    } while (result == 1 && length == 0);
    if (result == 0 && !requests->any)
        return err_set(err, ERR_POISON, 0, "holds no message");
    requests->any = true;
    return result == 1 ? read_message(requests, out, length, err) : result;
}

static int write_one(FILE *file, struct slice request)
{
    uint8_t head[CTL_REQUESTS_LENGTH_BYTES] = {(uint8_t)(request.len >> 24), (uint8_t)(request.len >> 16),
                                               (uint8_t)(request.len >> 8), (uint8_t)request.len};

    if (fwrite(head, 1, sizeof(head), file) != sizeof(head))
        return -1;
    return request.len == 0 || fwrite(request.data, 1, request.len, file) == request.len ? 0 : -1;
}

int ctl_requests_write(FILE *file, struct slice request, bool first)
{
    if (first && request.len >> 24 >= FRAMED_BEFORE && write_one(file, slice_of("", 0)) < 0)
        return -1;
    return write_one(file, request);
}
