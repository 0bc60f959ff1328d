/*
 * intake_rig.h - a server of the intake under test, whatever its protocol: a
 * spool and an intake behind it, pairs of sockets in front of it, and threads
 * that stop it or are many clients of it.  What is said over the sockets is
 * for the protocol's own files.
 *
 * One server and one test at a time.  Everything asserts; waits have a
 * deadline.
 */
#ifndef INTAKE_RIG_H
#define INTAKE_RIG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intake.h"
#include "intake_home.h"
#include "net_quota.h"
#include "net_tokens.h"

#define RIG_MAX_REQUEST_BYTES (1UL << 20)
#define RIG_CONNECTIONS_MAX 64

/* What the servers of both protocols can be told. */
struct rig_options {
    unsigned threads;
    size_t max_header_bytes;
    unsigned read_timeout_ms;
    unsigned idle_timeout_ms;
    struct net_tokens *tokens; /* NULL: none are needed */
};

/* How a protocol's server is run; it has rig.options and rig.quota, and `stop` gets what `start` has made, or NULL. */
struct rig_protocol {
    int (*start)(void **server, struct intake *intake, struct err *err);
    void (*accept)(void *server, int fd);
    void (*stop)(void *server, uint64_t timeout_ms);
    bool stop_cuts; /* what is open is cut at once, whatever the timeout: rig_fini lets it end before */
};

struct rig {
    const struct rig_protocol *protocol;
    struct home home;
    struct intake *intake;
    void *server;
    struct net_quota quota;
    struct intake_options intake_options; /* these two: a test may change them before rig_start */
    struct rig_options options;
};

extern struct rig rig;

/* A spool, and the options: one thread, timeouts that no test waits for. */
void rig_init(const struct rig_protocol *protocol);
void rig_start(void); /* the server */
void rig_start_impatient(unsigned read_timeout_ms, unsigned idle_timeout_ms);
void rig_stop(void);
void rig_stop_within(uint64_t timeout_ms);
void rig_restart(void); /* another intake and server, with the options as they are now; clients have gone before */
void rig_fini(void);    /* stops what runs; nothing may be left in hand, and no connection */

void rig_wait_connections(unsigned count); /* until so many are open */

/* --- the client's end ------------------------------------------------------------- */

/* One end of a pair of sockets, of which the server has the other; with deadlines. The caller's to close. */
int rig_connect(void);
int rig_connect_narrow(void); /* the server can send little that is not read */

/* False: the server has closed, or cut, the connection before it had taken all. */
bool rig_write(int fd, struct slice bytes);

/* False: the connection has ended before. */
bool rig_read(int fd, void *out, size_t len);

/* --- threads ---------------------------------------------------------------------- */

/* A stop in a thread of its own, while the test goes on. */
struct rig_stopper {
    pthread_t thread;
    uint64_t timeout_ms;
    atomic_bool is_over;
};

void rig_begin_stop(struct rig_stopper *stopper, uint64_t timeout_ms);
bool rig_is_stopped(struct rig_stopper *stopper);
void rig_await_stop(struct rig_stopper *stopper);

/* Starts a server of two threads, and runs `client` in several, each with a seed; nothing may be left in hand. */
void rig_run_many(void (*client)(unsigned seed));

#endif
