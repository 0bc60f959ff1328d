/*
 * conf_url.c - where something is sent: http://host[:port][/path], https://...
 *
 * Pure; no name is looked up.  User and password are refused: the log shows the
 * text.  So are a query and a fragment, since a path is added to it.
 */
#include "conf_internal.h"

#include <stdio.h>
#include <string.h>

#define HTTP "http://"
#define HTTPS "https://"
#define AUTHORITY_MAX 300 /* longer than conf_address.c takes, with a port */

bool conf_url_is_https(const char *text)
{
    return strncmp(text, HTTPS, strlen(HTTPS)) == 0;
}

/* Behind the last bracket of an IPv6 address, if it is one. */
static bool has_port(const char *authority)
{
    const char *bracket = strrchr(authority, ']');

    return strchr(bracket != NULL ? bracket : authority, ':') != NULL;
}

static int check_authority(const char *text, size_t len, struct err *err)
{
    char address[AUTHORITY_MAX + sizeof(":80")];

    if (memchr(text, '@', len) != NULL)
        return err_set(err, ERR_CONFIG, 0, "must hold no user and password: a token belongs into tracing.token_file");
    if (len > AUTHORITY_MAX)
        return err_set(err, ERR_CONFIG, 0, "has a host that is too long");
    snprintf(address, sizeof(address), "%.*s", (int)len, text);
    if (!has_port(address))
        strcat(address, ":80");
    return conf_address_check(address, err);
}

/* The form alone: what else is in it is the receiver's. */
static int check_path(const char *text, struct err *err)
{
    if (strpbrk(text, "?#") != NULL)
        return err_set(err, ERR_CONFIG, 0, "must end with the path: /v1/traces is added to it");
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return err_set(err, ERR_CONFIG, 0, "has characters that no URL has");
    return 0;
}

int conf_url_check(const char *text, struct err *err)
{
    size_t len;

    if (strncmp(text, HTTP, strlen(HTTP)) != 0 && !conf_url_is_https(text))
        return err_set(err, ERR_CONFIG, 0, "must begin with http:// or https://, such as \"http://127.0.0.1:4318\"");
    text += strlen(conf_url_is_https(text) ? HTTPS : HTTP);
    len = strcspn(text, "/?#");
    if (check_authority(text, len, err) != 0)
        return -1;
    return check_path(text + len, err);
}
