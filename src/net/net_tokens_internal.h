/*
 * net_tokens_internal.h - what is kept of a file of tokens.
 */
#ifndef TRACESPOOL_NET_TOKENS_INTERNAL_H
#define TRACESPOOL_NET_TOKENS_INTERNAL_H

#include <stdint.h>

#include "bounds.h"
#include "err.h"
#include "slice.h"

#define NET_TOKENS_DIGEST_BYTES 32

struct net_tokens_set {
    unsigned count;
    uint8_t digests[NET_TOKENS_MAX][NET_TOKENS_DIGEST_BYTES];
};

/* -1: ERR_CONFIG as net_tokens_load, and `set` holds anything. */
int net_tokens_file_read(struct net_tokens_set *set, const char *path, struct err *err);

/* -1: OpenSSL has no memory. */
int net_tokens_digest(struct slice token, uint8_t digest[NET_TOKENS_DIGEST_BYTES]);

#endif
