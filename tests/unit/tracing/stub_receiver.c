/*
 * stub_receiver.c - one connection at a time, by one thread.
 */
#include "stub_receiver.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPEATED 1000

/* One request. False: the client has gone. */
static bool read_request(struct stub_receiver *stub, int client)
{
    static char bytes[1 << 20];
    size_t len = 0, head_len, body_len;
    char *end, *length;
    ssize_t got;

    do {
        got = read(client, bytes + len, sizeof(bytes) - 1 - len);
        if (got <= 0)
            return false;
        len += (size_t)got;
        bytes[len] = '\0';
        end = strstr(bytes, "\r\n\r\n");
    } while (end == NULL);
    *end = '\0';
    head_len = (size_t)(end - bytes) + 4;
    length = strcasestr(bytes, "\r\ncontent-length:");
    body_len = length == NULL ? 0 : strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    assert(head_len + body_len < sizeof(bytes));
    while (len < head_len + body_len && (got = read(client, bytes + len, sizeof(bytes) - len)) > 0)
        len += (size_t)got;
    pthread_mutex_lock(&stub->lock);
    assert(head_len < sizeof(stub->head));
    memcpy(stub->head, bytes, head_len);
    memcpy(stub->head + head_len - 4, "\r\n", 3);
    buf_append(&stub->body, bytes + head_len, body_len);
    stub->requests++;
    pthread_cond_broadcast(&stub->came);
    pthread_mutex_unlock(&stub->lock);
    return true;
}

static bool write_all(int client, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(client, bytes, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static void serve(struct stub_receiver *stub, int client)
{
    while (read_request(stub, client)) {
        size_t len = stub->answer == NULL ? 0 : strlen(stub->answer);

        if (stub->answer == NULL)
            continue; /* until the client goes */
        if (!write_all(client, stub->answer, len))
            return;
        for (size_t i = 0; i < stub->repeats; i++)
            if (!write_all(client, stub->answer + len - REPEATED, REPEATED))
                return;
    }
}

static void *run(void *context)
{
    struct stub_receiver *stub = context;

    for (;;) {
        int client = accept(stub->fd, NULL, NULL);

        if (client < 0)
            return NULL;
        pthread_mutex_lock(&stub->lock);
        stub->client = client;
        pthread_mutex_unlock(&stub->lock);
        serve(stub, client);
        pthread_mutex_lock(&stub->lock);
        stub->client = -1;
        pthread_mutex_unlock(&stub->lock);
        close(client);
    }
}

void stub_receiver_start(struct stub_receiver *stub, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int rc;

    memset(stub, 0, sizeof(*stub));
    stub->answer = answer;
    stub->client = -1;
    buf_init(&stub->body, 8 << 20);
    pthread_mutex_init(&stub->lock, NULL);
    pthread_cond_init(&stub->came, NULL);
    stub->fd = socket(AF_INET, SOCK_STREAM, 0);
    rc = bind(stub->fd, (struct sockaddr *)&address, len);
    assert(rc == 0);
    rc = listen(stub->fd, 8);
    assert(rc == 0);
    getsockname(stub->fd, (struct sockaddr *)&address, &len);
    stub->port = ntohs(address.sin_port);
    rc = pthread_create(&stub->thread, NULL, run, stub);
    assert(rc == 0);
}

void stub_receiver_stop(struct stub_receiver *stub)
{
    shutdown(stub->fd, SHUT_RDWR);
    pthread_mutex_lock(&stub->lock);
    if (stub->client >= 0)
        shutdown(stub->client, SHUT_RDWR);
    pthread_mutex_unlock(&stub->lock);
    pthread_join(stub->thread, NULL);
    close(stub->fd);
    buf_fini(&stub->body);
    pthread_cond_destroy(&stub->came);
    pthread_mutex_destroy(&stub->lock);
}

void stub_receiver_await(struct stub_receiver *stub, unsigned requests)
{
    pthread_mutex_lock(&stub->lock);
    while (stub->requests < requests)
        pthread_cond_wait(&stub->came, &stub->lock);
    pthread_mutex_unlock(&stub->lock);
}
