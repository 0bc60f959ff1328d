/*
 * http_client.h - the HTTP/1.1 of intake_rig.h: its server, and clients of it
 * that write by hand.
 *
 * Everything asserts; waits have a deadline.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "intake_rig.h"

/* For rig_init. */
extern const struct rig_protocol http_protocol;

/* As rig_write. */
bool client_print(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The head of a POST of protobuf of `len` bytes, with more fields: "X-A: b\r\n". */
void client_post_head(int fd, size_t len, const char *fields);

struct answer {
    int status;
    char head[4096];
    uint8_t body[65536];
    size_t body_len;
};

/* Reads one response.  False: the connection has ended before one was whole. */
bool client_read(int fd, struct answer *answer);

/* A field's value, whatever the case of its name; NULL: not there.  Static storage. */
const char *client_field(const struct answer *answer, const char *name);

/* Whatever still comes, and then the end. */
void client_await_end(int fd);

/* The whole exchange. */
struct answer client_post(int fd, struct slice body, const char *fields);

#endif
