/*
 * export_grpc.h - gRPC core, process-wide: init, shutdown, and its log.
 */
#ifndef TRACESPOOL_EXPORT_GRPC_H
#define TRACESPOOL_EXPORT_GRPC_H

/* Around every use of export_client.h.  Routes gRPC core's own log into ours. */
void export_grpc_init(void);
void export_grpc_shutdown(void);

#endif
