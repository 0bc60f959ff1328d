/*
 * net_tokens.h - the bearer tokens that are accepted (RFC 6750).
 *
 * A file has one a line; blank lines and lines that begin with # are passed
 * over.  Several make it possible to change them without a gap: the new one is
 * added, clients are changed, the old one is removed.  Only SHA-256 digests
 * are kept, and no text has a token.
 */
#ifndef TRACESPOOL_NET_TOKENS_H
#define TRACESPOOL_NET_TOKENS_H

#include <stdbool.h>

#include "err.h"
#include "slice.h"

struct net_tokens;

/* `path` is copied.  -1: ERR_CONFIG, the text names file and line. */
int net_tokens_load(struct net_tokens **tokens, const char *path, struct err *err);

/*
 * Is this value of an Authorization header "Bearer" and a token of the file?
 * Any thread.  Takes the same time for each token that is none.
 */
bool net_tokens_match(struct net_tokens *tokens, struct slice authorization);

/* Reads the file again.  -1, as above: the tokens that were loaded before stay valid. */
int net_tokens_reload(struct net_tokens *tokens, struct err *err);

/* The file differs from what it was when it was last read, whether that went well or not. */
bool net_tokens_changed(struct net_tokens *tokens);

void net_tokens_free(struct net_tokens *tokens); /* NULL is allowed */

#endif
