/*
 * net_tls.h - the certificate that listeners show, and whom they trust.
 *
 * Files are PEM.  Any thread may call; a reload is noticed by the connections
 * that come after it and by none that is open.  No text has key material.
 */
#ifndef TRACESPOOL_NET_TLS_H
#define TRACESPOOL_NET_TLS_H

#include <stdbool.h>

#include "err.h"

struct net_tls;

struct net_tls_options {
    const char *cert_file;      /* the server's certificate, then the chain to its root */
    const char *key_file;       /* its key, without a passphrase */
    const char *client_ca_file; /* who signs clients' certificates; "" or NULL: clients need none */
};

/* Paths are copied.  -1: ERR_CONFIG, the text names the file and why it cannot be used; ERR_RETRY without memory. */
int net_tls_new(struct net_tls **tls, const struct net_tls_options *options, struct err *err);

/* Reads the files again.  -1, as above: what was loaded before stays in use. */
int net_tls_reload(struct net_tls *tls, struct err *err);

/* The files differ from what they were when they were last read, whether that went well or not. */
bool net_tls_changed(struct net_tls *tls);

void net_tls_free(struct net_tls *tls); /* after all listeners; NULL is allowed */

#endif
