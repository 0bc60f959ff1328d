/*
 * secret_file.c - read in one go into memory that is cleared.  Not by stdio,
 * whose buffers are not.
 */
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "Bearer "
#define BLANKS " \t\r\n"

void secret_file_forget(char **text)
{
    if (*text != NULL)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

int secret_file_read(char **text, const char *path, size_t size, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = -1;

    *text = fd < 0 ? NULL : calloc(1, size);
    while (*text != NULL && len < size && (got = read(fd, *text + len, size - len)) > 0)
        len += (size_t)got;
    if (got < 0)
        err_set(err, ERR_CONFIG, errno, "cannot read %s: %s", path, strerror(errno));
    else if (len == size)
        got = err_set(err, ERR_CONFIG, EFBIG, "%s is larger than %zu bytes", path, size);
    else if (strlen(*text) != len)
        got = err_set(err, ERR_CONFIG, EINVAL, "%s is no text: it holds a NUL", path);
    if (fd >= 0)
        close(fd);
    if (got >= 0)
        return 0;
    if (*text != NULL)
        explicit_bzero(*text, len);
    free(*text);
    *text = NULL;
    return -1;
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

/* Cuts the first token out of `text`. */
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

int secret_file_read_bearer(char **authorization, const char *path, struct err *err)
{
    char *text, *token = NULL;
    int result;

    *authorization = NULL;
    if (secret_file_read(&text, path, NET_TOKENS_FILE_BYTES_MAX, err) < 0)
        return -1;
    result = find_token(&token, text, path, err);
    if (result == 0 && asprintf(authorization, SCHEME "%s", token) < 0) {
        *authorization = NULL;
        result = err_set(err, ERR_CONFIG, ENOMEM, "no memory for a token");
    }
    explicit_bzero(text, NET_TOKENS_FILE_BYTES_MAX); /* it has been cut into lines */
    free(text);
    return result;
}
