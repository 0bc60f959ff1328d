/*
 * conf_check.c - what a text must look like, beyond its length, and which
 * keys contradict each other.
 *
 * Pure.  The texts never hold the connection string.
 */
#include "conf_internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "units.h"

#define HOST_MAX 255
#define PORT_MAX 65535

typedef int check_text(const char *text, struct err *err);

static int is_port(const char *text)
{
    size_t len = strlen(text);

    return len >= 1 && len <= 5 && strspn(text, "0123456789") == len && atoi(text) <= PORT_MAX;
}

/* "[v6]" with or without "%interface". */
static int check_bracketed(const char *host, size_t len, struct err *err)
{
    char address[HOST_MAX + 1] = "";
    struct in6_addr binary;

    if (host[len - 1] != ']')
        return err_set(err, ERR_CONFIG, 0, "lacks \"]\", write it as \"[::1]:4317\"");
    memcpy(address, host + 1, len - 2);
    address[strcspn(address, "%")] = '\0';
    if (inet_pton(AF_INET6, address, &binary) != 1)
        return err_set(err, ERR_CONFIG, 0, "\"%s\" is not an IPv6 address", address);
    return 0;
}

static int check_host(const char *host, size_t len, struct err *err)
{
    if (len == 0)
        return err_set(err, ERR_CONFIG, 0, "has no host, write it as \"0.0.0.0:4317\"");
    if (len > HOST_MAX)
        return err_set(err, ERR_CONFIG, 0, "has a host of more than %d characters", HOST_MAX);
    if (host[0] == '[')
        return check_bracketed(host, len, err);
    if (memchr(host, ':', len) != NULL)
        return err_set(err, ERR_CONFIG, 0, "has more than one colon, write an IPv6 address as \"[::1]:4317\"");
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)host[i]) && strchr(".-_", host[i]) == NULL)
            return err_set(err, ERR_CONFIG, 0, "has a host with characters other than letters, digits, \".-_\"");
    }
    return 0;
}

static int check_address(const char *text, struct err *err)
{
    const char *colon = strrchr(text, ':');

    if (colon == NULL || strchr(colon, ']') != NULL)
        return err_set(err, ERR_CONFIG, 0, "has no port, write it as \"0.0.0.0:4317\" or \"[::1]:4317\"");
    if (!is_port(colon + 1))
        return err_set(err, ERR_CONFIG, 0, "has no valid port, must be from 0 to %d", PORT_MAX);
    return check_host(text, (size_t)(colon - text), err);
}

static int check_address_or_empty(const char *text, struct err *err)
{
    return text[0] == '\0' ? 0 : check_address(text, err);
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

static int check_order(const char *text, struct err *err)
{
    if (is_one_of(text, (const char *const[]){"oldest_first", "newest_first", "both", NULL}))
        return 0;
    return err_set(err, ERR_CONFIG, 0, "must be oldest_first, newest_first or both");
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
    [CONF_INDEX_receiver_grpc] = check_address,
    [CONF_INDEX_spool_when_full] = check_when_full,
    [CONF_INDEX_flush_order] = check_order,
    [CONF_INDEX_mongodb_uri] = check_uri,
    [CONF_INDEX_mongodb_compressor] = check_compressor,
    [CONF_INDEX_admin_listen] = check_address_or_empty,
    [CONF_INDEX_log_level] = check_level,
    [CONF_INDEX_log_format] = check_format,
};

int conf_check_text(const struct conf_key *key, const char *text, struct err *err)
{
    check_text *check = checks[key - conf_keys];

    return check == NULL ? 0 : check(text, err);
}

/* A ring that one request nearly fills would refuse the next one until MongoDB has the first. */
int conf_check_sizes(const struct conf *conf, struct err *err)
{
    uint64_t least = CONF_SPOOL_REQUESTS_MIN * conf->receiver.max_request_bytes;
    char size[UNITS_TEXT_MAX], needed[UNITS_TEXT_MAX];

    if (conf->spool.size >= least)
        return 0;
    return err_set(
        err, ERR_CONFIG, 0, "spool.size: %s is too small, must be at least %s, %d times receiver.max_request_bytes",
        units_format_bytes(size, conf->spool.size), units_format_bytes(needed, least), CONF_SPOOL_REQUESTS_MIN);
}
