/*
 * net_tls_context.c - files and policy into a context of OpenSSL's.
 *
 * TLS 1.2 with forward secrecy and authenticated encryption, or 1.3.  The
 * server's certificate is all that is needed; with a client CA file a client
 * without a certificate that this CA signed is refused in the handshake.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "net_tls_internal.h"

/* What HTTP/2 allows of TLS 1.2 (RFC 9113, appendix A bans the rest). */
#define CIPHERS_TLS12 "ECDHE+AESGCM:ECDHE+CHACHA20"

const char *net_tls_reason(void)
{
    unsigned long code = ERR_get_error();
    const char *reason = NULL;

    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(code))
        reason = strerror(ERR_GET_REASON(code));
    else if (code != 0)
        reason = ERR_reason_error_string(code);
    return reason == NULL ? "unknown error" : reason;
}

static int refuse(struct err *err, const char *kind, const char *path)
{
    unsigned long code = ERR_peek_error();

    if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
        return err_set(err, ERR_CONFIG, EINVAL, "cannot use %s file %s: no certificate in PEM is in it", kind, path);
    return err_set(err, ERR_CONFIG, EINVAL, "cannot use %s file %s: %s", kind, path, net_tls_reason());
}

/* "h2" or "http/1.1" is agreed on, or the handshake fails (RFC 7301); clients that offer none are taken. */
static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *offers,
                       unsigned offers_len, void *unused)
{
    const char *wanted = SSL_get_app_data(ssl);

    (void)unused;
    if (wanted == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    for (unsigned at = 0; at < offers_len; at += 1U + offers[at]) {
        if (offers[at] != strlen(wanted) || at + 1U + offers[at] > offers_len)
            continue;
        if (memcmp(offers + at + 1, wanted, offers[at]) != 0)
            continue;
        *out = offers + at + 1;
        *out_len = offers[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int set_policy(SSL_CTX *context)
{
    static const unsigned char sessions_of[] = "tracespool"; /* OpenSSL wants it when clients have certificates */

    /*
     * A client that ends without close_notify is not told from one that has
     * been cut off: requests know their own length.
     */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets keep sessions at the client's */
    SSL_CTX_set_alpn_select_cb(context, select_alpn, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(context, CIPHERS_TLS12) == 1 &&
                   SSL_CTX_set_session_id_context(context, sessions_of, sizeof(sessions_of) - 1) == 1
               ? 0
               : -1;
}

/* Without this OpenSSL would ask on the terminal. */
static int no_passphrase(char *out, int size, int writing, void *asked)
{
    (void)out;
    (void)size;
    (void)writing;
    *(int *)asked = 1;
    return -1;
}

static int load_key(SSL_CTX *context, const struct net_tls_options *options, struct err *err)
{
    BIO *file = BIO_new_file(options->key_file, "r");
    EVP_PKEY *key;
    int asked = 0, rc = 0;

    if (file == NULL)
        return refuse(err, "key", options->key_file);
    key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, &asked);
    BIO_free(file);
    if (key == NULL && asked)
        rc = err_set(err, ERR_CONFIG, EINVAL, "cannot use key file %s: it is encrypted with a passphrase",
                     options->key_file);
    else if (key == NULL)
        rc = err_set(err, ERR_CONFIG, EINVAL, "cannot use key file %s: no private key in PEM is in it",
                     options->key_file);
    else if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1)
        rc = err_set(err, ERR_CONFIG, EINVAL, "key file %s does not belong to certificate file %s", options->key_file,
                     options->cert_file);
    else if (SSL_CTX_use_PrivateKey(context, key) != 1)
        rc = refuse(err, "key", options->key_file);
    EVP_PKEY_free(key);
    return rc;
}

static int load_client_ca(SSL_CTX *context, const char *path, struct err *err)
{
    STACK_OF(X509_NAME) * names;

    if (SSL_CTX_load_verify_file(context, path) != 1)
        return refuse(err, "client CA", path);
    names = SSL_load_client_CA_file(path); /* told to clients, so that they choose a certificate */
    if (names == NULL)
        return refuse(err, "client CA", path);
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

SSL_CTX *net_tls_context_new(const struct net_tls_options *options, struct err *err)
{
    SSL_CTX *context;

    ERR_clear_error();
    context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || set_policy(context) != 0) {
        err_set(err, ERR_RETRY, ENOMEM, "cannot set TLS up: %s", net_tls_reason());
        goto fail;
    }
    if (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1) {
        refuse(err, "certificate", options->cert_file);
        goto fail;
    }
    if (load_key(context, options, err) != 0)
        goto fail;
    if (options->client_ca_file[0] != '\0' && load_client_ca(context, options->client_ca_file, err) != 0)
        goto fail;
    return context;

fail:
    ERR_clear_error();
    SSL_CTX_free(context);
    return NULL;
}
