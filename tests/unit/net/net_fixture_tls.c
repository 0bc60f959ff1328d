/*
 * net_fixture_tls.c - see net_fixture_tls.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_fixture.h"
#include "net_fixture_tls.h"

#define VALID_S 3600

/* --- certificates ------------------------------------------------------------ */

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

struct fixture_cert fixture_cert_make(const char *name, const struct fixture_cert *issuer)
{
    static long serial;
    struct fixture_cert made = {X509_new(), EVP_EC_gen("P-256")};
    const struct fixture_cert *signer = issuer == NULL ? &made : issuer;
    X509_NAME *subject = X509_get_subject_name(made.cert);

    assert_non_null(made.cert);
    assert_non_null(made.key);
    X509_set_version(made.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.cert), -VALID_S);
    X509_gmtime_adj(X509_getm_notAfter(made.cert), VALID_S);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made.cert, X509_get_subject_name(signer->cert));
    X509_set_pubkey(made.cert, made.key);
    add_extension(made.cert, NID_basic_constraints, issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    assert_true(X509_sign(made.cert, signer->key, EVP_sha256()) > 0);
    return made;
}

void fixture_cert_free(struct fixture_cert *cert)
{
    X509_free(cert->cert);
    EVP_PKEY_free(cert->key);
}

static FILE *create(const char *path, char *temporary, size_t size)
{
    FILE *file;
    int fd;

    snprintf(temporary, size, "%s.new", path);
    fd = open(temporary, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    file = fdopen(fd, "w");
    assert_non_null(file);
    return file;
}

static void put_in_place(FILE *file, const char *temporary, const char *path)
{
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(temporary, path), 0);
}

void fixture_cert_write(const char *path, X509 *cert)
{
    char temporary[256];
    FILE *file = create(path, temporary, sizeof(temporary));

    assert_int_equal(PEM_write_X509(file, cert), 1);
    put_in_place(file, temporary, path);
}

void fixture_key_write(const char *path, EVP_PKEY *key, const char *passphrase)
{
    char temporary[256];
    FILE *file = create(path, temporary, sizeof(temporary));

    assert_int_equal(PEM_write_PKCS8PrivateKey(file, key, passphrase == NULL ? NULL : EVP_aes_256_cbc(), passphrase,
                                               passphrase == NULL ? 0 : (int)strlen(passphrase), NULL, NULL),
                     1);
    put_in_place(file, temporary, path);
}

void fixture_file_write(const char *path, const char *text)
{
    char temporary[256];
    FILE *file = create(path, temporary, sizeof(temporary));

    assert_true(fputs(text, file) >= 0);
    put_in_place(file, temporary, path);
}

/* --- clients ------------------------------------------------------------------- */

/*
 * OpenSSL writes without MSG_NOSIGNAL.  A client does without SIGPIPE only
 * while it writes, so that a relay that lets the signal through ends the test.
 */
static void set_sigpipe(int how)
{
    const struct timespec at_once = {0};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    if (how == SIG_UNBLOCK)
        (void)sigtimedwait(&set, NULL, &at_once); /* takes one that is pending */
    assert_int_equal(pthread_sigmask(how, &set, NULL), 0);
}

struct fixture_client fixture_client_new(const struct fixture_cert *cert)
{
    struct fixture_client client = {SSL_CTX_new(TLS_client_method()), NULL, -1};

    assert_non_null(client.context);
    if (cert != NULL) {
        assert_int_equal(SSL_CTX_use_certificate(client.context, cert->cert), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(client.context, cert->key), 1);
    }
    return client;
}

bool fixture_client_connect(struct fixture_client *client, int port)
{
    int result;

    client->fd = fixture_connect(AF_INET, port);
    client->ssl = SSL_new(client->context);
    assert_non_null(client->ssl);
    assert_int_equal(SSL_set_fd(client->ssl, client->fd), 1);
    set_sigpipe(SIG_BLOCK);
    result = SSL_connect(client->ssl);
    set_sigpipe(SIG_UNBLOCK);
    return result == 1;
}

void fixture_client_send(struct fixture_client *client, const void *data, size_t len)
{
    size_t sent;
    int result;

    set_sigpipe(SIG_BLOCK);
    result = SSL_write_ex(client->ssl, data, len, &sent);
    set_sigpipe(SIG_UNBLOCK);
    assert_int_equal(result, 1);
    assert_int_equal(sent, len);
}

void fixture_client_receive(struct fixture_client *client, void *data, size_t len)
{
    for (size_t got = 0, count; got < len; got += count)
        assert_int_equal(SSL_read_ex(client->ssl, (char *)data + got, len - got, &count), 1);
}

void fixture_client_receive_end(struct fixture_client *client)
{
    char byte;
    int result = SSL_read(client->ssl, &byte, 1);

    assert_int_equal(SSL_get_error(client->ssl, result), SSL_ERROR_ZERO_RETURN);
}

bool fixture_client_is_cut(struct fixture_client *client)
{
    char byte;
    int result = SSL_read(client->ssl, &byte, 1);

    return result <= 0 && SSL_get_error(client->ssl, result) != SSL_ERROR_WANT_READ;
}

void fixture_client_free(struct fixture_client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    if (client->fd >= 0)
        close(client->fd);
    *client = (struct fixture_client){NULL, NULL, -1};
}
