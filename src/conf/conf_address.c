/*
 * conf_address.c - addresses as text: host:port, [v6]:port, unix:/path.
 *
 * Pure; no name is looked up.  What an address reaches is judged by its text
 * alone, so a name counts as local only when it is localhost.
 */
#include "conf_internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define UNIX_PREFIX "unix:"
#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define HOST_MAX 255
#define PORT_MAX 65535

/* --- what it looks like ----------------------------------------------------- */

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
        return err_set(err, ERR_CONFIG, 0, "has no host, write it as \"127.0.0.1:4317\"");
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

int conf_address_check(const char *text, struct err *err)
{
    const char *colon = strrchr(text, ':');

    if (colon == NULL || strchr(colon, ']') != NULL)
        return err_set(err, ERR_CONFIG, 0, "has no port, write it as \"127.0.0.1:4317\" or \"[::1]:4317\"");
    if (!is_port(colon + 1))
        return err_set(err, ERR_CONFIG, 0, "has no valid port, must be from 0 to %d", PORT_MAX);
    return check_host(text, (size_t)(colon - text), err);
}

static bool is_unix(const char *text)
{
    return strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
}

int conf_address_check_listener(const char *text, struct err *err)
{
    const char *path = text + strlen(UNIX_PREFIX);

    if (!is_unix(text))
        return conf_address_check(text, err);
    if (path[0] != '/')
        return err_set(err, ERR_CONFIG, 0, "has no absolute path, write it as \"unix:/run/tracespool/otlp.sock\"");
    if (strlen(path) > UNIX_PATH_MAX)
        return err_set(err, ERR_CONFIG, 0, "has a path of more than %zu characters", UNIX_PATH_MAX);
    return 0;
}

/* --- whom it reaches -------------------------------------------------------- */

static bool is_loopback_v6(const char *host)
{
    struct in6_addr binary;

    return inet_pton(AF_INET6, host, &binary) == 1 && IN6_IS_ADDR_LOOPBACK(&binary);
}

static bool is_loopback_v4(const char *host)
{
    struct in_addr binary;

    return inet_pton(AF_INET, host, &binary) == 1 && ntohl(binary.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool conf_address_is_local(const char *text)
{
    char host[HOST_MAX + 1] = "";
    const char *colon = strrchr(text, ':');

    if (is_unix(text))
        return true;
    if (text[0] == '[') {
        memcpy(host, text + 1, (size_t)(colon - text) - 2);
        return is_loopback_v6(host);
    }
    memcpy(host, text, (size_t)(colon - text));
    return is_loopback_v4(host) || strcasecmp(host, "localhost") == 0;
}
