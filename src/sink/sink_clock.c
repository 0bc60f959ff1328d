/*
 * sink_clock.c - our clock beside the primary's.
 *
 * Runs on the thread that owns the link; blocks on the network, bounded by the
 * driver's timeouts.
 */
#include "sink_clock.h"

#include "clock.h"
#include "sink_errors.h"
#include "sink_mongo_internal.h"

static uint64_t read_server(const bson_t *reply, uint64_t ours_ns)
{
    bson_iter_t at;
    int64_t theirs_ms;

    if (!bson_iter_init_find(&at, reply, "localTime") || !BSON_ITER_HOLDS_DATE_TIME(&at))
        return ours_ns;
    theirs_ms = bson_iter_date_time(&at);
    return theirs_ms > 0 ? (uint64_t)theirs_ms * NS_PER_MS : 0;
}

int sink_clock_ask(const struct sink_link *link, struct sink_clock *now, struct err *err)
{
    bson_t *command = BCON_NEW("hello", BCON_INT32(1));
    uint64_t ours_ns = clock_wall_ns();
    bson_error_t error;
    bson_t reply;
    int result = 0;

    if (!mongoc_client_command_simple(link->client, "admin", command, NULL, &reply, &error)) {
        sink_errors_set_command(err, &error, &reply);
        result = err_prefix(err, "ask MongoDB for its time");
    } else {
        now->server_ns = read_server(&reply, ours_ns);
        now->earlier_ns = now->server_ns < ours_ns ? now->server_ns : ours_ns;
    }
    bson_destroy(&reply);
    bson_destroy(command);
    return result;
}
