/*
 * net_fixture_tls.h - certificates and TLS clients, by OpenSSL's own API, for the tests of this folder.
 */
#ifndef NET_FIXTURE_TLS_H
#define NET_FIXTURE_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct fixture_cert {
    X509 *cert;
    EVP_PKEY *key;
};

/* Signed by `issuer`, or by itself and then an authority. */
struct fixture_cert fixture_cert_make(const char *name, const struct fixture_cert *issuer);
void fixture_cert_free(struct fixture_cert *cert);

/* PEM files, replaced by rename; the key's is 0600. */
void fixture_cert_write(const char *path, X509 *cert);
void fixture_key_write(const char *path, EVP_PKEY *key, const char *passphrase);
void fixture_file_write(const char *path, const char *text);

struct fixture_client {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};

/* A client that is not connected yet; `cert` may be NULL. */
struct fixture_client fixture_client_new(const struct fixture_cert *cert);

/* Connects and shakes hands.  False: the handshake failed. */
bool fixture_client_connect(struct fixture_client *client, int port);

void fixture_client_send(struct fixture_client *client, const void *data, size_t len);
void fixture_client_receive(struct fixture_client *client, void *data, size_t len);
void fixture_client_receive_end(struct fixture_client *client); /* by close_notify */
bool fixture_client_is_cut(struct fixture_client *client);      /* nothing comes any more, however it ended */
void fixture_client_free(struct fixture_client *client);        /* closes without a word */

#endif
