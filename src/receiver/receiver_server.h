/*
 * receiver_server.h - gRPC core's server object: its settings and its port.
 */
#ifndef TRACESPOOL_RECEIVER_SERVER_H
#define TRACESPOOL_RECEIVER_SERVER_H

#include "receiver_internal.h"

/* Makes the server, not listening, and a completion queue for each poller. */
void receiver_server_make(struct receiver *receiver);

/* Binds `listen` and sets receiver->port.  -1: ERR_CONFIG. */
int receiver_server_listen(struct receiver *receiver, const char *listen, struct err *err);

#endif
