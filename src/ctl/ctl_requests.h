/*
 * ctl_requests.h - files of requests, in the forms in which they are found.
 *
 *   one request      the body of an Export, in protobuf
 *   framed           many, each after its length in 4 bytes, big-endian: what the
 *                    Collector's file exporter writes with `format: proto`, or with
 *                    `compression: zstd`
 *   JSON             OTLP/JSON, a request a line, or over many lines as it is
 *                    indented: from a line "{" to one that begins with "}"
 *
 * They are told apart by the first byte.  A request in protobuf never begins
 * with 0x00 .. 0x07, which would be a field with the number 0, and a message of
 * less than 128 MiB has a length that does; nor with '{', which would be a group.
 */
#ifndef TRACESPOOL_CTL_REQUESTS_H
#define TRACESPOOL_CTL_REQUESTS_H

#include <stdio.h>

#include "buf.h"
#include "err.h"

#define CTL_REQUESTS_HEAD_BYTES 4 /* a length; enough to tell the form */

enum ctl_requests_form { CTL_REQUESTS_ONE, CTL_REQUESTS_FRAMED, CTL_REQUESTS_JSON };

struct ctl_requests {
    FILE *file;
    enum ctl_requests_form form;
    bool any;            /* a request has been found */
    uint64_t number;     /* of the request that was read last, from 1 */
    uint64_t first_line; /* JSON: where it begins, from 1 */
    uint64_t line;       /* JSON: that was read last */
    uint64_t read_bytes; /* of the file, so far */
    uint8_t head[CTL_REQUESTS_HEAD_BYTES];
    size_t head_len; /* of the file's first bytes */
    size_t head_at;  /* those that have been used */

    /* the request in hand: as it stands in the file, inflated, and made protobuf */
    struct buf raw;
    struct buf inflated;
    struct buf converted;
};

/* `path` "-" is standard input.  -1: ERR_CONFIG, it cannot be read; ERR_POISON, it is over the bound. Close after 0. */
int ctl_requests_open(struct ctl_requests *requests, const char *path, struct err *err);
void ctl_requests_close(struct ctl_requests *requests);

enum ctl_requests_result {
    CTL_REQUESTS_END = 0,
    CTL_REQUESTS_READ = 1,
    CTL_REQUESTS_BAD = 2,     /* this one is none; the next can be read */
    CTL_REQUESTS_FAILED = -1, /* the rest cannot be read, as with ctl_requests_open, or ends within a message */
};

/* The next request in protobuf, whatever it was in the file; valid until the next call.  `err` with BAD and FAILED. */
enum ctl_requests_result ctl_requests_next(struct ctl_requests *requests, struct slice *request, struct err *err);

#define CTL_REQUESTS_PLACE_MAX 40

/* Where in the file the request in hand is: "message 7", "line 3", or "" where the file is one.  Returns `out`. */
char *ctl_requests_place(char out[CTL_REQUESTS_PLACE_MAX], const struct ctl_requests *requests);

/* Writes a request after its length; `first` is the file's first.  -1: errno. */
int ctl_requests_write(FILE *file, struct slice request, bool first);

#endif
