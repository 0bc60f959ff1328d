/*
 * conf_check.c - what a text must look like, beyond its length.
 *
 * Pure.  The texts never hold the connection string.
 */
#include "conf_internal.h"

#include <string.h>

#include "log.h"
#include "units.h"

typedef int check_text(const char *text, struct err *err);

static int check_address_or_empty(const char *text, struct err *err)
{
    return text[0] == '\0' ? 0 : conf_address_check(text, err);
}

static int check_listener_or_empty(const char *text, struct err *err)
{
    return text[0] == '\0' ? 0 : conf_address_check_listener(text, err);
}

static bool is_one_of(const char *text, const char *const *names)
{
    while (*names != NULL && strcmp(*names, text) != 0)
        names++;
    return *names != NULL;
}

static int check_uri(const char *text, struct err *err)
{
    if (strncmp(text, "mongodb://", 10) != 0 && strncmp(text, "mongodb+srv://", 14) != 0)
        return err_set(err, ERR_CONFIG, 0, "must begin with mongodb:// or mongodb+srv://");
    return 0;
}

static int check_compressor(const char *text, struct err *err)
{
    if (is_one_of(text, (const char *const[]){"zstd", "snappy", "zlib", "none", NULL}))
        return 0;
    return err_set(err, ERR_CONFIG, 0, "must be zstd, snappy, zlib or none");
}

static int check_when_full(const char *text, struct err *err)
{
    if (is_one_of(text, (const char *const[]){"refuse", "drop_oldest", NULL}))
        return 0;
    return err_set(err, ERR_CONFIG, 0, "must be refuse or drop_oldest");
}

static int check_mongodb_when_full(const char *text, struct err *err)
{
    if (is_one_of(text, (const char *const[]){"wait", "drop_oldest", NULL}))
        return 0;
    return err_set(err, ERR_CONFIG, 0, "must be wait or drop_oldest");
}

static int check_min_free(const char *text, struct err *err)
{
    uint64_t bytes, millionths;

    if (units_parse_share(text, &millionths) == 0 && millionths > SINK_MIN_FREE_SHARE_MAX)
        return err_set(err, ERR_CONFIG, 0, "\"%.64s\" is out of range, a share must be from 0%% to %lu%%", text,
                       SINK_MIN_FREE_SHARE_MAX / 10000);
    if (units_parse_share(text, &millionths) == 0 || units_parse_bytes(text, &bytes) == 0)
        return 0;
    return err_set(err, ERR_CONFIG, 0, "\"%.64s\" is neither a share nor a size, write it as \"10%%\" or \"5GiB\"",
                   text);
}

static int check_order(const char *text, struct err *err)
{
    if (is_one_of(text, (const char *const[]){"oldest_first", "newest_first", "both", NULL}))
        return 0;
    return err_set(err, ERR_CONFIG, 0, "must be oldest_first, newest_first or both");
}

static int check_url_or_empty(const char *text, struct err *err)
{
    return text[0] == '\0' ? 0 : conf_url_check(text, err);
}

static int check_share(const char *text, struct err *err)
{
    uint64_t millionths;

    if (units_parse_share(text, &millionths) == 0)
        return 0;
    return err_set(err, ERR_CONFIG, 0, "\"%.64s\" is not a share, write it as \"1%%\", from 0%% to 100%%", text);
}

static int check_level(const char *text, struct err *err)
{
    enum log_level level;

    return log_level_parse(text, &level) ? 0 : err_set(err, ERR_CONFIG, 0, "must be debug, info, warn or error");
}

static int check_format(const char *text, struct err *err)
{
    enum log_format format;

    return log_format_parse(text, &format) ? 0 : err_set(err, ERR_CONFIG, 0, "must be logfmt or json");
}

static check_text *const checks[CONF_KEY_COUNT] = {
    [CONF_INDEX_receiver_grpc] = check_listener_or_empty,
    [CONF_INDEX_receiver_http] = check_listener_or_empty,
    [CONF_INDEX_spool_when_full] = check_when_full,
    [CONF_INDEX_flush_order] = check_order,
    [CONF_INDEX_mongodb_uri] = check_uri,
    [CONF_INDEX_mongodb_compressor] = check_compressor,
    [CONF_INDEX_mongodb_min_free] = check_min_free,
    [CONF_INDEX_mongodb_when_full] = check_mongodb_when_full,
    [CONF_INDEX_admin_listen] = check_address_or_empty,
    [CONF_INDEX_tracing_endpoint] = check_url_or_empty,
    [CONF_INDEX_tracing_sample_ratio] = check_share,
    [CONF_INDEX_log_level] = check_level,
    [CONF_INDEX_log_format] = check_format,
};

int conf_check_text(const struct conf_key *key, const char *text, struct err *err)
{
    check_text *check = checks[key - conf_keys];

    return check == NULL ? 0 : check(text, err);
}
