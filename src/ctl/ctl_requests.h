/*
 * ctl_requests.h - files of requests: one request, or many, each after its length.
 *
 * The second is what the Collector's file exporter writes with `format: proto`:
 * before each message its length in 4 bytes, big-endian.  The two are told
 * apart by the first byte: a request never begins with 0x00 .. 0x07, which
 * would be a field with the number 0, and a message of less than 128 MiB has a
 * length that does.
 */
#ifndef TRACESPOOL_CTL_REQUESTS_H
#define TRACESPOOL_CTL_REQUESTS_H

#include <stdio.h>

#include "buf.h"
#include "err.h"

#define CTL_REQUESTS_LENGTH_BYTES 4

struct ctl_requests {
    FILE *file;
    bool framed;     /* each message after its length */
    bool any;        /* a message with bytes has been read */
    uint64_t number; /* of the message that was read last, from 1 */
    uint8_t head[CTL_REQUESTS_LENGTH_BYTES];
    size_t head_len; /* of the file's first bytes, not used yet */
};

/* `path` "-" is standard input.  -1: ERR_CONFIG, it cannot be read; ERR_POISON, it is over the bound. Close after 0. */
int ctl_requests_open(struct ctl_requests *requests, const char *path, struct err *err);
void ctl_requests_close(struct ctl_requests *requests);

/* The next request in *out.  1, 0 at the end, -1 as above, and when the file ends within a message. */
int ctl_requests_next(struct ctl_requests *requests, struct buf *out, struct err *err);

/* Writes a request after its length; `first` is the file's first.  -1: errno. */
int ctl_requests_write(FILE *file, struct slice request, bool first);

#endif
