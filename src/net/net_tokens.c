/*
 * net_tokens.c - matching, and exchanging the tokens in use.
 *
 * What a client sent is compared as a digest with all of the digests, each as
 * a whole: the time tells neither how much of a token was right nor how long
 * one is.
 */
#include "net_tokens.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "net_stamp.h"
#include "net_tokens_internal.h"

#define SCHEME "Bearer "

struct net_tokens {
    char *path; /* set once */
    pthread_mutex_t lock;
    /* Under the lock. */
    struct net_tokens_set set;
    struct net_stamp stamp; /* taken before the file was last read */
};

int net_tokens_digest(struct slice token, uint8_t digest[NET_TOKENS_DIGEST_BYTES])
{
    return EVP_Digest(token.data, token.len, digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -1;
}

/* What is behind the scheme, whose case does not matter (RFC 9110, 11.1).  False: it is another scheme. */
static bool find_token(struct slice authorization, struct slice *token)
{
    size_t at = sizeof(SCHEME) - 1;

    if (authorization.len <= at || strncasecmp((const char *)authorization.data, SCHEME, at) != 0)
        return false;
    while (at < authorization.len && authorization.data[at] == ' ')
        at++;
    *token = slice_of(authorization.data + at, authorization.len - at);
    return token->len >= NET_TOKEN_BYTES_MIN && token->len <= NET_TOKEN_BYTES_MAX;
}

bool net_tokens_match(struct net_tokens *tokens, struct slice authorization)
{
    uint8_t digest[NET_TOKENS_DIGEST_BYTES];
    struct slice token;
    unsigned equal = 0;

    if (!find_token(authorization, &token) || net_tokens_digest(token, digest) != 0)
        return false;
    pthread_mutex_lock(&tokens->lock);
    for (unsigned i = 0; i < tokens->set.count; i++)
        equal |= CRYPTO_memcmp(tokens->set.digests[i], digest, sizeof(digest)) == 0;
    pthread_mutex_unlock(&tokens->lock);
    OPENSSL_cleanse(digest, sizeof(digest));
    return equal != 0;
}

int net_tokens_reload(struct net_tokens *tokens, struct err *err)
{
    struct net_stamp stamp = net_stamp_take(tokens->path);
    struct net_tokens_set set;
    int rc = net_tokens_file_read(&set, tokens->path, err);

    if (rc == 0)
        net_stamp_warn_if_readable(&stamp, S_IROTH, tokens->path);
    pthread_mutex_lock(&tokens->lock);
    tokens->stamp = stamp;
    if (rc == 0)
        tokens->set = set;
    pthread_mutex_unlock(&tokens->lock);
    OPENSSL_cleanse(&set, sizeof(set));
    return rc;
}

int net_tokens_load(struct net_tokens **out, const char *path, struct err *err)
{
    struct net_tokens *tokens = calloc(1, sizeof(*tokens));

    *out = NULL;
    if (tokens == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "out of memory for tokens");
    pthread_mutex_init(&tokens->lock, NULL);
    tokens->path = strdup(path);
    if (tokens->path == NULL)
        err_set(err, ERR_RETRY, ENOMEM, "out of memory for tokens");
    if (tokens->path == NULL || net_tokens_reload(tokens, err) != 0) {
        net_tokens_free(tokens);
        return -1;
    }
    *out = tokens;
    return 0;
}

bool net_tokens_changed(struct net_tokens *tokens)
{
    struct net_stamp now = net_stamp_take(tokens->path);
    bool changed;

    pthread_mutex_lock(&tokens->lock);
    changed = !net_stamp_equal(&tokens->stamp, &now);
    pthread_mutex_unlock(&tokens->lock);
    return changed;
}

void net_tokens_free(struct net_tokens *tokens)
{
    if (tokens == NULL)
        return;
    pthread_mutex_destroy(&tokens->lock);
    free(tokens->path);
    OPENSSL_cleanse(tokens, sizeof(*tokens));
    free(tokens);
}
