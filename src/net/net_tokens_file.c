/*
 * net_tokens_file.c - a file of tokens, read and checked line by line.
 *
 * The file is read in one go into memory that is cleansed, since stdio's
 * buffers are not.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net_tokens_internal.h"

static const char token_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";

/* RFC 6750, 2.1: b64token. */
static bool is_token(struct slice text)
{
    size_t at = 0;

    while (at < text.len && text.data[at] != '\0' && strchr(token_characters, text.data[at]) != NULL)
        at++;
    if (at == 0)
        return false;
    while (at < text.len && text.data[at] == '=')
        at++;
    return at == text.len;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct slice trim(struct slice line)
{
    while (line.len > 0 && is_blank(line.data[0]))
        line = slice_of(line.data + 1, line.len - 1);
    while (line.len > 0 && is_blank(line.data[line.len - 1]))
        line.len--;
    return line;
}

static int add_line(struct net_tokens_set *set, struct slice line, const char *path, unsigned number, struct err *err)
{
    struct slice token = trim(line);

    if (token.len == 0 || token.data[0] == '#')
        return 0;
    if (!is_token(token))
        return err_set(err, ERR_CONFIG, EINVAL, "%s:%u: not a bearer token: those are of letters, digits and -._~+/",
                       path, number);
    if (token.len < NET_TOKEN_BYTES_MIN || token.len > NET_TOKEN_BYTES_MAX)
        return err_set(err, ERR_CONFIG, EINVAL, "%s:%u: a token has %d to %d characters", path, number,
                       NET_TOKEN_BYTES_MIN, NET_TOKEN_BYTES_MAX);
    if (set->count == NET_TOKENS_MAX)
        return err_set(err, ERR_CONFIG, E2BIG, "%s:%u: more than %d tokens", path, number, NET_TOKENS_MAX);
    if (net_tokens_digest(token, set->digests[set->count]) != 0)
        return err_set(err, ERR_RETRY, ENOMEM, "%s:%u: out of memory", path, number);
    set->count++;
    return 0;
}

static int parse(struct net_tokens_set *set, struct slice text, const char *path, struct err *err)
{
    set->count = 0;
    for (unsigned number = 1; text.len > 0; number++) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);

        if (add_line(set, slice_of(text.data, len), path, number, err) != 0)
            return -1;
        if (end != NULL)
            len++;
        text = slice_of(text.data + len, text.len - len);
    }
    if (set->count == 0)
        return err_set(err, ERR_CONFIG, EINVAL, "%s: no token is in it", path);
    return 0;
}

/* The length; or -1 with errno, EFBIG when there is more than fits. */
static ssize_t read_all(int fd, uint8_t *data, size_t size)
{
    size_t len = 0;
    ssize_t count;

    do {
        if (len == size) {
            errno = EFBIG;
            return -1;
        }
        count = read(fd, data + len, size - len);
        if (count < 0)
            return -1;
        len += (size_t)count;
    } while (count > 0);
    return (ssize_t)len;
}

/* O_NONBLOCK: opening a pipe that nobody writes would wait for ever. */
int net_tokens_file_read(struct net_tokens_set *set, const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = -1;
    uint8_t *data = NULL;
    ssize_t len = -1;

    if (fd >= 0)
        data = malloc(NET_TOKENS_FILE_BYTES_MAX);
    if (data != NULL)
        len = read_all(fd, data, NET_TOKENS_FILE_BYTES_MAX);
    if (len < 0)
        err_set(err, ERR_CONFIG, errno, "cannot read tokens from %s: %s", path, strerror(errno));
    else
        rc = parse(set, slice_of(data, (size_t)len), path, err);
    if (data != NULL)
        OPENSSL_cleanse(data, NET_TOKENS_FILE_BYTES_MAX);
    free(data);
    if (fd >= 0)
        close(fd);
    return rc;
}
