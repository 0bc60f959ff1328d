/*
 * http_client.h - a server under test with a spool behind it, and clients of
 * it that write HTTP/1.1 by hand, over a pair of sockets.
 *
 * One server and one test at a time.  Everything asserts; waits have a
 * deadline.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "http_server.h"
#include "intake_home.h"

#define CLIENT_MAX_REQUEST_BYTES (1UL << 20)

/* --- the server ------------------------------------------------------------------ */

struct rig {
    struct home home;
    struct intake *intake;
    struct http_server *server;
    struct net_quota quota;
    struct intake_options intake_options; /* these two: a test may change them before rig_start */
    struct http_server_options options;
};

extern struct rig rig;

void rig_init(void);  /* a spool, and the options: one thread, timeouts that no test waits for */
void rig_start(void); /* the server */
void rig_stop(void);
void rig_fini(void); /* stops what runs; nothing may be left in hand, and no connection */

void rig_wait_connections(unsigned count); /* until so many are open */

/* --- a client -------------------------------------------------------------------- */

/* One end of a pair of sockets, of which the server has the other; with deadlines. The caller's to close. */
int client_connect(void);
int client_connect_narrow(void); /* the server can send little that is not read */

/* False: the server has closed, or cut, the connection before it had taken all. */
bool client_write(int fd, struct slice bytes);
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
