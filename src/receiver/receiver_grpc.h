/*
 * receiver_grpc.h - gRPC core's own log, for this folder.
 */
#ifndef TRACESPOOL_RECEIVER_GRPC_H
#define TRACESPOOL_RECEIVER_GRPC_H

#include <stddef.h>

/*
 * Until receiver_grpc_uncapture, what gRPC core logs as an error on this
 * thread goes to `text` (the last one wins, always terminated) instead of the
 * log: for calls that report nothing but failure.
 */
void receiver_grpc_capture(char *text, size_t size);
void receiver_grpc_uncapture(void);

#endif
