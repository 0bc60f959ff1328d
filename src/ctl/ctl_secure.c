/*
 * ctl_secure.c - TLS and tokens of what the command sends.
 *
 * The daemon's own certificate is the authority by default when it is its
 * daemon that is sent to: that is enough when it is signed by itself, or when
 * the file holds its authority too.  Its first token is taken: whoever may read
 * that file may send.
 */
#include "ctl_secure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "Bearer "
#define BLANKS " \t\r\n"

bool ctl_secure_take_option(struct ctl_secure *secure, int option, const char *argument)
{
    switch (option) {
    case CTL_SECURE_TLS:
        break;
    case CTL_SECURE_CA:
        secure->ca_path = argument;
        break;
    case CTL_SECURE_CERT:
        secure->cert_path = argument;
        break;
    case CTL_SECURE_KEY:
        secure->key_path = argument;
        break;
    case CTL_SECURE_NAME:
        secure->name = argument;
        break;
    case CTL_SECURE_TOKEN:
        secure->token_path = argument;
        return true;
    default:
        return false;
    }
    secure->tls = true;
    return true;
}

void ctl_secure_default(struct ctl_secure *secure, const struct conf *conf)
{
    const char *cert = conf->receiver_tls.cert_file, *tokens = conf->receiver.bearer_tokens_file;

    if (cert[0] != '\0' && secure->ca_path == NULL && !secure->tls)
        secure->ca_path = cert;
    secure->tls |= cert[0] != '\0';
    if (tokens[0] != '\0' && secure->token_path == NULL)
        secure->token_path = tokens;
}

static void forget(char **text, size_t len)
{
    if (*text != NULL)
        explicit_bzero(*text, len);
    free(*text);
    *text = NULL;
}

/* All of a file, as text with its end.  Not by stdio, whose buffers are not cleared. */
static int read_file(char **text, const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = -1;

    *text = fd < 0 ? NULL : calloc(1, CTL_SECURE_FILE_BYTES_MAX);
    while (*text != NULL && len < CTL_SECURE_FILE_BYTES_MAX &&
           (got = read(fd, *text + len, CTL_SECURE_FILE_BYTES_MAX - len)) > 0)
        len += (size_t)got;
    if (got < 0)
        err_set(err, ERR_CONFIG, errno, "cannot read %s: %s", path, strerror(errno));
    else if (len == CTL_SECURE_FILE_BYTES_MAX)
        got = err_set(err, ERR_CONFIG, EFBIG, "%s is larger than %lu bytes", path, CTL_SECURE_FILE_BYTES_MAX);
    if (fd >= 0)
        close(fd);
    if (got < 0)
        forget(text, len);
    return got < 0 ? -1 : 0;
}

/* A header's value must hold nothing that could end it; RFC 6750 allows less than this. */
static int check_token(const char *token, const char *path, unsigned line, struct err *err)
{
    size_t len = strlen(token);

    for (size_t i = 0; i < len; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return err_set(err, ERR_CONFIG, EINVAL, "%s:%u: not a bearer token", path, line);
    if (len > NET_TOKEN_BYTES_MAX)
        return err_set(err, ERR_CONFIG, EINVAL, "%s:%u: a token has at most %d characters", path, line,
                       NET_TOKEN_BYTES_MAX);
    return 0;
}

/* Cuts the first token out of `text`, a file of the daemon's form. */
static int find_token(char **token, char *text, const char *path, struct err *err)
{
    char *next = text;

    for (unsigned line = 1; next != NULL; line++) {
        char *at = strsep(&next, "\n");

        at += strspn(at, BLANKS);
        at[strcspn(at, "\r")] = '\0';
        for (size_t len = strlen(at); len > 0 && strchr(BLANKS, at[len - 1]) != NULL; len--)
            at[len - 1] = '\0';
        if (at[0] == '\0' || at[0] == '#')
            continue;
        *token = at;
        return check_token(at, path, line, err);
    }
    return err_set(err, ERR_CONFIG, EINVAL, "%s: no token is in it", path);
}

static int load_token(struct ctl_secure *secure, struct err *err)
{
    char *text, *token = NULL;
    int result;

    if (secure->token_path == NULL)
        return 0;
    if (read_file(&text, secure->token_path, err) < 0)
        return -1;
    result = find_token(&token, text, secure->token_path, err);
    if (result == 0 && asprintf(&secure->authorization, SCHEME "%s", token) < 0) {
        secure->authorization = NULL;
        result = err_set(err, ERR_CONFIG, ENOMEM, "no memory for a token");
    }
    forget(&text, CTL_SECURE_FILE_BYTES_MAX);
    return result;
}

int ctl_secure_load(struct ctl_secure *secure, struct export_security *security, struct err *err)
{
    if ((secure->cert_path == NULL) != (secure->key_path == NULL))
        return err_set(err, ERR_CONFIG, 0, "--cert and --key come together");
    if ((secure->ca_path != NULL && read_file(&secure->ca, secure->ca_path, err) < 0) ||
        (secure->cert_path != NULL && read_file(&secure->cert, secure->cert_path, err) < 0) ||
        (secure->key_path != NULL && read_file(&secure->key, secure->key_path, err) < 0) || load_token(secure, err) < 0)
        return -1;
    *security = (struct export_security){.tls = secure->tls,
                                         .ca = secure->ca,
                                         .cert = secure->cert,
                                         .key = secure->key,
                                         .name = secure->name,
                                         .authorization = secure->authorization};
    return 0;
}

void ctl_secure_fini(struct ctl_secure *secure)
{
    free(secure->ca);
    free(secure->cert);
    secure->ca = secure->cert = NULL;
    forget(&secure->key, secure->key != NULL ? strlen(secure->key) : 0);
    forget(&secure->authorization, secure->authorization != NULL ? strlen(secure->authorization) : 0);
}
