/*
 * net_tls_internal.h - what the files of this folder have of OpenSSL.
 */
#ifndef TRACESPOOL_NET_TLS_INTERNAL_H
#define TRACESPOOL_NET_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "net_tls.h"

/* A session for an accepted connection, by the files as last loaded.  `alpn` is static.  NULL without memory. */
SSL *net_tls_session(struct net_tls *tls, int fd, const char *alpn);

/* Reads the files.  NULL: as net_tls_new. */
SSL_CTX *net_tls_context_new(const struct net_tls_options *options, struct err *err);

/* The first error in this thread's queue, which holds the cause of those after it; the queue is emptied. */
const char *net_tls_reason(void);

#endif
