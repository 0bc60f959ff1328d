/*
 * http_client.c - see http_client.h.
 */
#include "http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct rig rig;

/* --- the server ------------------------------------------------------------------ */

void rig_init(void)
{
    rig = (struct rig){
        .intake_options = {.max_request_bytes = CLIENT_MAX_REQUEST_BYTES,
                           .max_depth = OTLP_DEPTH_MAX,
                           .max_in_flight_bytes = 64UL << 20,
                           .max_calls = 1000},
        .options = {.threads = 1,
                    .max_header_bytes = 16UL << 10,
                    .read_timeout_ms = HOME_TIMEOUT_MS,
                    .idle_timeout_ms = HOME_TIMEOUT_MS,
                    .max_connections = 64,
                    .quota = &rig.quota},
    };
    net_quota_init(&rig.quota, 64);
    home_open(&rig.home, HOME_SPOOL_BYTES);
}

void rig_start(void)
{
    struct err err = {0};

    if (intake_new(&rig.intake, &rig.intake_options, rig.home.writer, &err) != 0 ||
        http_server_start(&rig.server, &rig.options, rig.intake, &err) != 0)
        fail_msg("%s", err.text);
}

void rig_stop(void)
{
    http_server_stop(rig.server);
    rig.server = NULL;
}

void rig_fini(void)
{
    rig_wait_connections(0);
    rig_stop();
    home_wait_idle();
    intake_free(rig.intake);
    home_close(&rig.home);
}

static bool has_connections(void *count)
{
    return net_quota_used(&rig.quota) == *(unsigned *)count;
}

void rig_wait_connections(unsigned count)
{
    home_wait(has_connections, &count);
}

/* --- a client -------------------------------------------------------------------- */

static int connect_with(int send_bytes)
{
    struct timeval deadline = {.tv_sec = HOME_TIMEOUT_MS / 1000};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    if (send_bytes > 0)
        assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes)), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline)), 0);
    assert_true(net_quota_take(&rig.quota));
    http_server_accept(rig.server, fds[1]);
    return fds[0];
}

int client_connect(void)
{
    return connect_with(0);
}

int client_connect_narrow(void)
{
    return connect_with(1); /* the kernel has a least size */
}

bool client_write(int fd, struct slice bytes)
{
    for (size_t sent = 0; sent < bytes.len;) {
        ssize_t len = send(fd, bytes.data + sent, bytes.len - sent, MSG_NOSIGNAL);

        if (len < 0 && (errno == EPIPE || errno == ECONNRESET))
            return false;
        assert_true(len > 0);
        sent += (size_t)len;
    }
    return true;
}

bool client_print(int fd, const char *format, ...)
{
    char text[4096];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert_true(len >= 0 && (size_t)len < sizeof(text));
    return client_write(fd, slice_of(text, (size_t)len));
}

void client_post_head(int fd, size_t len, const char *fields)
{
    client_print(fd,
                 "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\n"
                 "Content-Length: %zu\r\n%s\r\n",
                 len, fields);
}

/* False at the end of the connection. */
static bool read_exactly(int fd, void *out, size_t len)
{
    ssize_t got = len == 0 ? 0 : recv(fd, out, len, MSG_WAITALL);

    assert_true(got >= 0 || errno == ECONNRESET); /* not the deadline */
    return got == (ssize_t)len;
}

static bool read_head(int fd, struct answer *answer)
{
    size_t len = 0;

    while (len < 4 || memcmp(answer->head + len - 4, "\r\n\r\n", 4) != 0) {
        assert_true(len < sizeof(answer->head) - 1);
        if (!read_exactly(fd, answer->head + len, 1))
            return false;
        len++;
    }
    answer->head[len] = '\0';
    assert_int_equal(sscanf(answer->head, "HTTP/1.1 %d ", &answer->status), 1);
    return true;
}

bool client_read(int fd, struct answer *answer)
{
    const char *length;

    if (!read_head(fd, answer))
        return false;
    answer->body_len = 0;
    if (answer->status == 100)
        return true;
    length = client_field(answer, "Content-Length");
    assert_non_null(length);
    answer->body_len = (size_t)atoi(length);
    assert_true(answer->body_len <= sizeof(answer->body));
    return read_exactly(fd, answer->body, answer->body_len);
}

const char *client_field(const struct answer *answer, const char *name)
{
    static _Thread_local char value[4096];
    size_t name_len = strlen(name);

    for (const char *line = answer->head; line != NULL; line = strstr(line, "\r\n")) {
        if (line != answer->head)
            line += 2;
        if (strncasecmp(line, name, name_len) != 0 || strncmp(line + name_len, ": ", 2) != 0)
            continue;
        line += name_len + 2;
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "\r"), line);
        return value;
    }
    return NULL;
}

void client_await_end(int fd)
{
    uint8_t byte;

    while (read_exactly(fd, &byte, 1))
        continue;
}

struct answer client_post(int fd, struct slice body, const char *fields)
{
    static _Thread_local struct answer answer;

    client_post_head(fd, body.len, fields);
    client_write(fd, body);
    if (!client_read(fd, &answer))
        fail_msg("the server closed, and there was no answer");
    return answer;
}
