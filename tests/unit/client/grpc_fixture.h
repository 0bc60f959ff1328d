/*
 * grpc_fixture.h - gRPC core, started before the tests of the client and shut down after them.
 */
#ifndef TRACESPOOL_GRPC_FIXTURE_H
#define TRACESPOOL_GRPC_FIXTURE_H

#include "export_grpc.h"

/* cmocka's setup and teardown, of a test or of a group. */
static inline int fixture_start_grpc(void **state)
{
    (void)state;
    export_grpc_init();
    return 0;
}

static inline int fixture_stop_grpc(void **state)
{
    (void)state;
    export_grpc_shutdown();
    return 0;
}

#endif
