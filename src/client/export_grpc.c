/*
 * export_grpc.c - gRPC core, process-wide: init, shutdown, and its log.
 *
 * gRPC core logs on any of its threads.  Its errors are warnings here: what
 * matters to us comes back as a failed call and is logged by who makes it.
 * Core also writes an error line for each request that names an encoding it
 * does not know, and for each connection with a setting that it does not; any
 * client could fill the log with these, so they are debug lines.
 */
#include "export_grpc.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <string.h>

#include "log.h"

static bool is_noise(const char *message)
{
    static const char *const starts[] = {"Error parsing metadata", "Invalid entry in accept encoding",
                                         "CHTTP2: Ignoring unknown setting"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (strncmp(message, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static void write_line(gpr_log_func_args *args)
{
    if (args->severity == GPR_LOG_SEVERITY_ERROR && !is_noise(args->message))
        log_warn("client.grpc", "%s", args->message);
    else
        log_debug("client.grpc", "%s", args->message);
}

void export_grpc_init(void)
{
    gpr_set_log_function(write_line);
    grpc_init();
}

void export_grpc_shutdown(void)
{
    grpc_shutdown_blocking();
    gpr_set_log_function(NULL);
}
