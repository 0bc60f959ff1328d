/*
 * stub_receiver.h - an HTTP server on loopback that gives each request the
 * same bytes, and keeps what came.
 */
#ifndef STUB_RECEIVER_H
#define STUB_RECEIVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define STUB_HEAD_MAX 4096

struct stub_receiver {
    /* set once */
    int fd;
    unsigned port;
    pthread_t thread;
    const char *answer; /* NULL: none, and the connection stays open */
    size_t repeats;     /* of its last 1,000 bytes, behind it */

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t came; /* requests grew */
    unsigned requests;
    char head[STUB_HEAD_MAX]; /* of the last one */
    struct buf body;          /* of all */
    bool stopping;
    int client; /* -1: none */
};

#define STUB_OK "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"

void stub_receiver_start(struct stub_receiver *stub, const char *answer);
void stub_receiver_stop(struct stub_receiver *stub);

/* Waits until as many requests are there in whole. */
void stub_receiver_await(struct stub_receiver *stub, unsigned requests);

#endif
