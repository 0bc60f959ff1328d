/*
 * export_grpc.h - gRPC core, process-wide: init, shutdown, and its log.
 */
#ifndef TRACESPOOL_EXPORT_GRPC_H
#define TRACESPOOL_EXPORT_GRPC_H

#include <stddef.h>

/* Around every use of export_client.h.  Routes gRPC core's own log into ours. */
void export_grpc_init(void);
void export_grpc_shutdown(void);

/*
 * Until export_grpc_uncapture, what gRPC core logs as an error on this
 * thread goes to `text` (the last one wins, always terminated) instead of the
 * log: for calls that report nothing but failure.
 */
void export_grpc_capture(char *text, size_t size);
void export_grpc_uncapture(void);

#endif
