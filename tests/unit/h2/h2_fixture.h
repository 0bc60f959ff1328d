/*
 * h2_fixture.h - the HTTP/2 of intake_rig.h: its server, and what the tests of
 * calls and of connections begin with: a request, and buffers to send from.
 *
 * Everything asserts; waits have a deadline.
 */
#ifndef H2_FIXTURE_H
#define H2_FIXTURE_H

#include "h2_client.h"

#define WINDOW 65535
#define SHORT_MS 100 /* a timeout that a test does wait for */
#define EXPORT_STREAM 1

extern struct buf request; /* one span */
extern struct buf upload;  /* the request as a gRPC message */
extern struct buf wire;    /* empty: for bytes by hand */

extern const struct h2_call_options open_call; /* no END_STREAM */

/* cmocka's setup and teardown; rig_start is for the test. */
int fixture_start(void **state);
int fixture_stop(void **state);

/* A new client's call is answered. */
void fixture_assert_works(void);

/* A client whose window has no room for an answer, and its call, of whose answer the head has come. */
struct h2_client *fixture_open_untaken(struct h2_stream **stream);

#endif
