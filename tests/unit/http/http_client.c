/*
 * http_client.c - see http_client.h.
 */
#include "http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_server.h"

/* --- the server ------------------------------------------------------------------ */

static int start_server(void **server, struct intake *intake, struct err *err)
{
    const struct http_server_options options = {.threads = rig.options.threads,
                                                .max_header_bytes = rig.options.max_header_bytes,
                                                .read_timeout_ms = rig.options.read_timeout_ms,
                                                .idle_timeout_ms = rig.options.idle_timeout_ms,
                                                .max_connections = RIG_CONNECTIONS_MAX,
                                                .quota = &rig.quota,
                                                .tokens = rig.options.tokens};
    struct http_server *made = NULL;
    int result = http_server_start(&made, &options, intake, err);

    *server = made;
    return result;
}

static void stop_server(void *server, uint64_t timeout_ms)
{
    (void)timeout_ms; /* it waits for the writer only */
    http_server_stop(server);
}

const struct rig_protocol http_protocol = {
    .start = start_server, .accept = http_server_accept, .stop = stop_server, .stop_cuts = true};

/* --- a client -------------------------------------------------------------------- */

bool client_print(int fd, const char *format, ...)
{
    char text[4096];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert_true(len >= 0 && (size_t)len < sizeof(text));
    return rig_write(fd, slice_of(text, (size_t)len));
}

void client_post_head(int fd, size_t len, const char *fields)
{
    client_print(fd,
                 "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\n"
                 "Content-Length: %zu\r\n%s\r\n",
                 len, fields);
}

static bool read_head(int fd, struct answer *answer)
{
    size_t len = 0;

    while (len < 4 || memcmp(answer->head + len - 4, "\r\n\r\n", 4) != 0) {
        assert_true(len < sizeof(answer->head) - 1);
        if (!rig_read(fd, answer->head + len, 1))
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
    return rig_read(fd, answer->body, answer->body_len);
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

    while (rig_read(fd, &byte, 1))
        continue;
}

struct answer client_post(int fd, struct slice body, const char *fields)
{
    static _Thread_local struct answer answer;

    client_post_head(fd, body.len, fields);
    rig_write(fd, body);
    if (!client_read(fd, &answer))
        fail_msg("the server closed, and there was no answer");
    return answer;
}
