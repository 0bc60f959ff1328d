/*
 * fuzz_transport.h - both servers in front of a spool, for targets that are
 * clients: bytes go in over a socket pair, as net_listener hands them on.
 */
#ifndef FUZZ_TRANSPORT_H
#define FUZZ_TRANSPORT_H

#include "slice.h"

/* What the server answered until it closed; valid until the next call. */
struct slice fuzz_h2_exchange(struct slice bytes);
struct slice fuzz_http_exchange(struct slice bytes);

/* Nothing that the clients sent is held any more, and no connection is open; ends the process when that is not so. */
void fuzz_transport_check_idle(void);

#endif
