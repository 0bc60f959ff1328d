/*
 * sink_uri.c - the connection string: our defaults, and keeping its secrets.
 *
 * Any thread.  The driver's messages about a string that it does not accept
 * may quote parts of it, and where an unescaped password ends is exactly what
 * it got wrong.  So the real string is parsed with the driver's log off, and
 * what is said about it comes from parsing its masked form.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "sink_mongo_internal.h"

#define MASK "***"
#define APPNAME "tracespoold"

static _Thread_local bool log_is_off;

void sink_uri_log(mongoc_log_level_t level, const char *domain, const char *message, void *context)
{
    (void)context;
    if (log_is_off)
        return;
    switch (level) {
    case MONGOC_LOG_LEVEL_ERROR:
    case MONGOC_LOG_LEVEL_CRITICAL:
        log_error("mongodb.driver", "%s: %s", domain, message);
        break;
    case MONGOC_LOG_LEVEL_WARNING:
        log_warn("mongodb.driver", "%s: %s", domain, message);
        break;
    case MONGOC_LOG_LEVEL_MESSAGE:
    case MONGOC_LOG_LEVEL_INFO:
        log_info("mongodb.driver", "%s: %s", domain, message);
        break;
    default:
        log_debug("mongodb.driver", "%s: %s", domain, message);
        break;
    }
}

/* --- masking -------------------------------------------------------------- */

struct writer {
    char *out;
    size_t size;
    size_t len;
};

static void put(struct writer *writer, const char *text, size_t len)
{
    size_t room = writer->size - writer->len - 1;

    len = len < room ? len : room;
    memcpy(writer->out + writer->len, text, len);
    writer->len += len;
    writer->out[writer->len] = '\0';
}

/* Options that carry a secret: passwords of key files, and session tokens in authMechanismProperties. */
static bool is_secret(const char *key, size_t len)
{
    static const char *const parts[] = {"password", "properties"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        for (size_t at = 0; at + strlen(parts[i]) <= len; at++)
            if (strncasecmp(key + at, parts[i], strlen(parts[i])) == 0)
                return true;
    return false;
}

static void put_options(struct writer *writer, const char *options)
{
    while (*options != '\0') {
        size_t len = strcspn(options, "&;");
        const char *equals = memchr(options, '=', len);
        size_t separator = options[len] == '\0' ? 0 : 1;

        if (equals != NULL && is_secret(options, (size_t)(equals - options))) {
            put(writer, options, (size_t)(equals - options) + 1);
            put(writer, MASK, strlen(MASK));
            put(writer, options + len, separator);
        } else {
            put(writer, options, len + separator);
        }
        options += len + separator;
    }
}

/*
 * The user's part ends at the last '@' of all, wherever that is: a password
 * that was not escaped may hold '@', '/' and '?', and masking too much is the
 * error to make.
 */
void sink_mongo_mask_uri(char *out, size_t size, const char *uri)
{
    const char *scheme_end = strstr(uri, "://");
    const char *user = scheme_end == NULL ? uri : scheme_end + 3;
    const char *at = strrchr(user, '@');
    const char *colon = at == NULL ? NULL : memchr(user, ':', (size_t)(at - user));
    const char *rest = at == NULL ? user : at;
    size_t before_options = strcspn(rest, "?");
    struct writer writer = {.out = out, .size = size};

    out[0] = '\0';
    put(&writer, uri, (size_t)((colon != NULL ? colon : rest) - uri));
    if (colon != NULL)
        put(&writer, ":" MASK, strlen(":" MASK));
    put(&writer, rest, before_options);
    if (rest[before_options] == '?') {
        put(&writer, "?", 1);
        put_options(&writer, rest + before_options + 1);
    }
}

/* --- parsing -------------------------------------------------------------- */

static void set_default_ms(mongoc_uri_t *uri, const char *option, int32_t ms)
{
    if (!mongoc_uri_has_option(uri, option))
        mongoc_uri_set_option_as_int32(uri, option, ms);
}

static void set_defaults(mongoc_uri_t *uri)
{
    set_default_ms(uri, MONGOC_URI_CONNECTTIMEOUTMS, SINK_CONNECT_TIMEOUT_MS);
    set_default_ms(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, SINK_SELECTION_TIMEOUT_MS);
    set_default_ms(uri, MONGOC_URI_SOCKETTIMEOUTMS, SINK_SOCKET_TIMEOUT_MS);
    set_default_ms(uri, MONGOC_URI_WTIMEOUTMS, SINK_WRITE_TIMEOUT_MS);
    /*
     * What is sent again by the flusher need not be sent again by the driver,
     * and a server that has no transaction numbers refuses retryable writes.
     */
    if (!mongoc_uri_has_option(uri, MONGOC_URI_RETRYWRITES))
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
    if (mongoc_uri_get_appname(uri) == NULL)
        mongoc_uri_set_appname(uri, APPNAME);
}

/* Parses the masked form, so that what the driver has to say about it can be said.  -1 with the reason. */
static int parse_masked(const char *text, struct err *err)
{
    char masked[SINK_URI_BYTES_MAX];
    mongoc_uri_t *uri;
    bson_error_t error;

    sink_mongo_mask_uri(masked, sizeof(masked), text);
    uri = mongoc_uri_new_with_error(masked, &error);
    if (uri == NULL)
        return err_set(err, ERR_CONFIG, (int)error.code, "connection string %s: %s", masked, error.message);
    mongoc_uri_destroy(uri);
    return 0;
}

int sink_uri_parse(mongoc_uri_t **uri, const char *text, struct err *err)
{
    bson_error_t error;

    if (strlen(text) >= SINK_URI_BYTES_MAX)
        return err_set(err, ERR_CONFIG, 0, "the connection string is longer than %d bytes", SINK_URI_BYTES_MAX - 1);
    log_is_off = true;
    *uri = mongoc_uri_new_with_error(text, &error);
    log_is_off = false;

    if (*uri != NULL) {
        parse_masked(text, NULL); /* only for the warnings in the log */
        set_defaults(*uri);
        return 0;
    }
    if (parse_masked(text, err) != 0)
        return -1;
    return err_set(err, ERR_CONFIG, (int)error.code,
                   "connection string: its user name, password or another secret cannot be read; "
                   "characters such as : / ? # @ %% have to be percent-encoded in them");
}
