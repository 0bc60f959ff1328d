/*
 * net_fixture.h - a listener, what it accepts, and clients, for the tests of this folder.
 */
#ifndef NET_FIXTURE_H
#define NET_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "net_listener.h"

#define FIXTURE_QUOTA 8
#define FIXTURE_DEADLINE_MS 20000

struct fixture {
    struct net_listener *listener;
    struct net_quota quota;
    struct net_listener_options options; /* filled by fixture_init; a test may change it before it starts */
};

extern struct fixture fixture;

void fixture_init(void);
int fixture_start(const char *address, struct err *err);
void fixture_start_ok(const char *address);
void fixture_stop(void); /* and closes what was accepted and not taken */

/* The next connection that was handed over: the caller's, to be ended by fixture_end. */
int fixture_accepted(void);
void fixture_end(int fd);

/* Connected, blocking, with a deadline on reads. */
int fixture_connect(int family, int port);
int fixture_connect_unix(const char *path);

/* All of it; the end of the stream where it says so. */
void fixture_send(int fd, const void *data, size_t len);
void fixture_receive(int fd, void *data, size_t len);
void fixture_receive_end(int fd);
bool fixture_is_cut(int fd); /* the end of the stream, or reset */

/* Until reached(context); fails at the deadline. */
void fixture_wait(bool (*reached)(void *context), void *context);
void fixture_wait_quota(unsigned used);

/* What this process wrote to standard error while `act` ran. */
void fixture_capture_stderr(void (*act)(void), char *text, size_t size);

#endif
