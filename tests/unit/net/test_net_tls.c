/*
 * test_net_tls.c - certificates and keys: loading, refusing, reloading, and whom a listener trusts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "metrics.h"
#include "net_fixture.h"
#include "net_fixture_tls.h"
#include "net_tls.h"

static char folder[] = "/tmp/tracespool-tls-XXXXXX";
static char cert_path[128], key_path[128], ca_path[128];
static struct fixture_cert authority, server_cert, client_cert, stranger;
static struct net_tls *tls;

static void write_files(const struct fixture_cert *cert)
{
    fixture_cert_write(cert_path, cert->cert);
    fixture_key_write(key_path, cert->key, NULL);
}

static int load(const char *ca, struct err *err)
{
    const struct net_tls_options options = {cert_path, key_path, ca};

    return net_tls_new(&tls, &options, err);
}

static void start_with(const char *ca, const char *alpn)
{
    struct err err;

    if (load(ca, &err) != 0)
        fail_msg("%s", err.text);
    fixture.options.tls = tls;
    fixture.options.alpn = alpn;
    fixture_start_ok("127.0.0.1:0");
}

static int setup(void **state)
{
    (void)state;
    fixture_init();
    write_files(&server_cert);
    fixture_cert_write(ca_path, authority.cert);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_stop();
    net_tls_free(tls);
    tls = NULL;
    return net_quota_used(&fixture.quota) == 0 ? 0 : -1;
}

/* --- what is refused ------------------------------------------------------------ */

static void assert_load_fails(const char *ca, const char *kind, const char *path, const char *reason)
{
    struct err err = {0};
    char text[512];

    snprintf(text, sizeof(text), "cannot use %s file %s: %s", kind, path, reason);
    assert_int_equal(load(ca, &err), -1);
    assert_null(tls);
    assert_string_equal(err.text, text);
    assert_int_equal(err.class, ERR_CONFIG);
}

static void test_new_missing_file_is_config(void **state)
{
    (void)state;
    unlink(key_path);
    assert_load_fails("", "key", key_path, "No such file or directory");
    unlink(cert_path);
    assert_load_fails("", "certificate", cert_path, "No such file or directory");
    write_files(&server_cert);
    unlink(ca_path);
    assert_load_fails(ca_path, "client CA", ca_path, "No such file or directory");
}

static void test_new_broken_file_is_config(void **state)
{
    (void)state;
    fixture_file_write(key_path, "not a key\n");
    assert_load_fails(NULL, "key", key_path, "no private key in PEM is in it");
    fixture_file_write(ca_path, "not a certificate\n");
    write_files(&server_cert);
    assert_load_fails(ca_path, "client CA", ca_path, "no certificate or crl found");
    fixture_file_write(cert_path, "not a certificate\n");
    assert_load_fails("", "certificate", cert_path, "no certificate in PEM is in it");
    fixture_file_write(cert_path, "-----BEGIN CERTIFICATE-----\n####\n-----END CERTIFICATE-----\n");
    assert_load_fails("", "certificate", cert_path, "bad base64 decode");
}

static void test_new_encrypted_key_is_config(void **state)
{
    (void)state;
    fixture_key_write(key_path, server_cert.key, "secret");
    assert_load_fails("", "key", key_path, "it is encrypted with a passphrase");
}

static void test_new_foreign_key_is_config(void **state)
{
    struct err err = {0};
    char text[512];

    (void)state;
    fixture_key_write(key_path, stranger.key, NULL);
    snprintf(text, sizeof(text), "key file %s does not belong to certificate file %s", key_path, cert_path);
    assert_int_equal(load("", &err), -1);
    assert_string_equal(err.text, text);
    assert_int_equal(err.class, ERR_CONFIG);
}

static void test_new_key_of_another_kind_is_config(void **state)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    struct err err = {0};

    (void)state;
    assert_non_null(rsa);
    fixture_key_write(key_path, rsa, NULL);
    EVP_PKEY_free(rsa);
    assert_int_equal(load("", &err), -1);
    assert_non_null(strstr(err.text, "does not belong to certificate file"));
}

/* --- who is served ---------------------------------------------------------------- */

/* A word each way; over the given server's end. */
static void assert_talk(struct fixture_client *client, int server)
{
    char text[4];

    fixture_client_send(client, "ping", 4);
    fixture_receive(server, text, 4);
    assert_memory_equal(text, "ping", 4);
    fixture_send(server, "pong", 4);
    fixture_client_receive(client, text, 4);
    assert_memory_equal(text, "pong", 4);
}

static void assert_served(struct fixture_client *client)
{
    int server;

    if (!fixture_client_connect(client, net_listener_port(fixture.listener)))
        fail_msg("the handshake failed");
    server = fixture_accepted();
    assert_talk(client, server);
    fixture_end(server);
    fixture_client_receive_end(client);
    fixture_client_free(client);
}

/* With TLS 1.3 a client has done its part before the server looks at its certificate. */
static void assert_not_served(struct fixture_client *client)
{
    uint64_t failed = metrics_get(METRIC_NET_HANDSHAKES_FAILED);

    if (fixture_client_connect(client, net_listener_port(fixture.listener)))
        assert_true(fixture_client_is_cut(client));
    fixture_wait_quota(0);
    assert_int_equal(metrics_get(METRIC_NET_HANDSHAKES_FAILED) - failed, 1);
    fixture_client_free(client);
}

static void test_versions_from_1_2(void **state)
{
    struct fixture_client client;

    (void)state;
    start_with("", "h2");
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        client = fixture_client_new(NULL);
        SSL_CTX_set_max_proto_version(client.context, version);
        assert_served(&client);
    }
    client = fixture_client_new(NULL);
    SSL_CTX_set_security_level(client.context, 0);
    SSL_CTX_set_min_proto_version(client.context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(client.context, TLS1_1_VERSION);
    assert_not_served(&client);
    client = fixture_client_new(NULL);
    SSL_CTX_set_max_proto_version(client.context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(client.context, "ECDHE+AES+SHA"); /* no authenticated encryption */
    assert_not_served(&client);
}

static void test_chain_is_trusted_by_the_authority(void **state)
{
    struct fixture_client client = fixture_client_new(NULL);

    (void)state;
    start_with("", "h2");
    SSL_CTX_load_verify_file(client.context, ca_path);
    SSL_CTX_set_verify(client.context, SSL_VERIFY_PEER, NULL);
    assert_served(&client);
}

static void test_alpn_is_agreed_on(void **state)
{
    static const unsigned char both[] = "\x08http/1.1\x02h2", http[] = "\x08http/1.1";
    const unsigned char *chosen;
    struct fixture_client client = fixture_client_new(NULL);
    unsigned len;

    (void)state;
    start_with("", "h2");
    SSL_CTX_set_alpn_protos(client.context, both, sizeof(both) - 1);
    assert_true(fixture_client_connect(&client, net_listener_port(fixture.listener)));
    SSL_get0_alpn_selected(client.ssl, &chosen, &len);
    assert_int_equal(len, 2);
    assert_memory_equal(chosen, "h2", 2);
    fixture_end(fixture_accepted());
    fixture_client_free(&client);

    client = fixture_client_new(NULL);
    SSL_CTX_set_alpn_protos(client.context, http, sizeof(http) - 1);
    assert_not_served(&client);
}

static void test_client_certificate_is_asked_for(void **state)
{
    struct fixture_client client;

    (void)state;
    start_with(ca_path, "h2");
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        client = fixture_client_new(&client_cert);
        SSL_CTX_set_max_proto_version(client.context, version);
        assert_served(&client);
        client = fixture_client_new(NULL);
        SSL_CTX_set_max_proto_version(client.context, version);
        assert_not_served(&client);
        client = fixture_client_new(&stranger);
        SSL_CTX_set_max_proto_version(client.context, version);
        assert_not_served(&client);
    }
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    *(SSL_SESSION **)SSL_get_app_data(ssl) = session;
    return 1;
}

/* A ticket of a client with a certificate resumes; OpenSSL refuses that when sessions have no context. */
static void test_client_certificate_session_resumes(void **state)
{
    struct fixture_client client = fixture_client_new(&client_cert), again = fixture_client_new(&client_cert);
    SSL_SESSION *session = NULL;
    int server;

    (void)state;
    start_with(ca_path, "h2");
    SSL_CTX_set_session_cache_mode(client.context, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(client.context, keep_session);
    client.fd = -1;
    SSL_CTX_set_max_proto_version(client.context, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(again.context, TLS1_2_VERSION);
    client.fd = fixture_connect(AF_INET, net_listener_port(fixture.listener));
    client.ssl = SSL_new(client.context);
    SSL_set_app_data(client.ssl, &session);
    SSL_set_fd(client.ssl, client.fd);
    assert_int_equal(SSL_connect(client.ssl), 1);
    server = fixture_accepted();
    assert_talk(&client, server);
    assert_non_null(session);
    again.fd = fixture_connect(AF_INET, net_listener_port(fixture.listener));
    again.ssl = SSL_new(again.context);
    SSL_set_session(again.ssl, session);
    SSL_set_fd(again.ssl, again.fd);
    assert_int_equal(SSL_connect(again.ssl), 1);
    assert_int_equal(SSL_session_reused(again.ssl), 1);
    fixture_end(server);
    server = fixture_accepted();
    assert_talk(&again, server);
    fixture_end(server);
    SSL_SESSION_free(session);
    fixture_client_free(&client);
    fixture_client_free(&again);
}

/* --- reload ------------------------------------------------------------------------- */

static void assert_shows(struct fixture_client *client, X509 *cert)
{
    X509 *shown = SSL_get1_peer_certificate(client->ssl);

    assert_non_null(shown);
    assert_int_equal(X509_cmp(shown, cert), 0);
    X509_free(shown);
}

static void test_reload_is_for_new_connections(void **state)
{
    struct fixture_client before = fixture_client_new(NULL), after = fixture_client_new(NULL);
    struct err err;
    int server;

    (void)state;
    start_with("", "h2");
    assert_true(fixture_client_connect(&before, net_listener_port(fixture.listener)));
    server = fixture_accepted();
    assert_talk(&before, server);
    assert_false(net_tls_changed(tls));
    write_files(&stranger);
    assert_true(net_tls_changed(tls));
    assert_int_equal(net_tls_reload(tls, &err), 0);
    assert_false(net_tls_changed(tls));
    assert_talk(&before, server);
    assert_shows(&before, server_cert.cert);
    assert_true(fixture_client_connect(&after, net_listener_port(fixture.listener)));
    assert_shows(&after, stranger.cert);
    fixture_end(fixture_accepted());
    fixture_end(server);
    fixture_client_free(&before);
    fixture_client_free(&after);
}

static void test_reload_failure_keeps_what_was(void **state)
{
    struct fixture_client client = fixture_client_new(NULL);
    struct err err = {0};

    (void)state;
    start_with("", "h2");
    fixture_key_write(key_path, stranger.key, NULL); /* half of a change */
    assert_true(net_tls_changed(tls));
    assert_int_equal(net_tls_reload(tls, &err), -1);
    assert_non_null(strstr(err.text, "does not belong to certificate file"));
    assert_false(net_tls_changed(tls)); /* it is not tried again before there is something new */
    assert_served(&client);
    fixture_cert_write(cert_path, stranger.cert);
    assert_true(net_tls_changed(tls));
    assert_int_equal(net_tls_reload(tls, &err), 0);
}

static void reload(void)
{
    struct err err;

    assert_int_equal(net_tls_reload(tls, &err), 0);
}

static void test_reload_of_a_readable_key_is_said(void **state)
{
    char text[1024], expected[256];
    struct err err;

    (void)state;
    assert_int_equal(load("", &err), 0);
    fixture_capture_stderr(reload, text, sizeof(text));
    assert_string_equal(text, "");
    assert_int_equal(chmod(key_path, 0640), 0);
    assert_true(net_tls_changed(tls));
    fixture_capture_stderr(reload, text, sizeof(text));
    snprintf(expected, sizeof(expected), "%s: others than its owner may read it (mode 0640)", key_path);
    assert_non_null(strstr(text, "event=net.secret_readable"));
    assert_non_null(strstr(text, expected));
}

/* As Kubernetes does it: the files are links into a folder that is itself a link, and only that one is changed. */
static void test_changed_follows_links(void **state)
{
    char old[160], new[160], data[160], swap[160], file[200], link_cert[200], link_key[200];
    struct net_tls_options options = {link_cert, link_key, NULL};
    struct err err;

    (void)state;
    snprintf(old, sizeof(old), "%s/old", folder);
    snprintf(new, sizeof(new), "%s/new", folder);
    snprintf(data, sizeof(data), "%s/data", folder);
    snprintf(swap, sizeof(swap), "%s/swap", folder);
    for (int i = 0; i < 2; i++) {
        const struct fixture_cert *cert = i == 0 ? &server_cert : &stranger;

        assert_int_equal(mkdir(i == 0 ? old : new, 0700), 0);
        snprintf(file, sizeof(file), "%s/cert", i == 0 ? old : new);
        fixture_cert_write(file, cert->cert);
        snprintf(file, sizeof(file), "%s/key", i == 0 ? old : new);
        fixture_key_write(file, cert->key, NULL);
    }
    assert_int_equal(symlink("old", data), 0);
    snprintf(link_cert, sizeof(link_cert), "%s/link-cert", folder);
    snprintf(link_key, sizeof(link_key), "%s/link-key", folder);
    assert_int_equal(symlink("data/cert", link_cert), 0);
    assert_int_equal(symlink("data/key", link_key), 0);
    assert_int_equal(net_tls_new(&tls, &options, &err), 0);
    assert_false(net_tls_changed(tls));
    assert_int_equal(symlink("new", swap), 0);
    assert_int_equal(rename(swap, data), 0);
    assert_true(net_tls_changed(tls));
    assert_int_equal(net_tls_reload(tls, &err), 0);
    assert_false(net_tls_changed(tls));
}

static int make_all(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
    snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", folder);
    authority = fixture_cert_make("authority", NULL);
    server_cert = fixture_cert_make("server", &authority);
    client_cert = fixture_cert_make("client", &authority);
    stranger = fixture_cert_make("stranger", NULL);
    return 0;
}

static int remove_all(void **state)
{
    char command[64];

    (void)state;
    fixture_cert_free(&authority);
    fixture_cert_free(&server_cert);
    fixture_cert_free(&client_cert);
    fixture_cert_free(&stranger);
    net_tls_free(NULL);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_new_missing_file_is_config),        CASE(test_new_broken_file_is_config),
        CASE(test_new_encrypted_key_is_config),       CASE(test_new_foreign_key_is_config),
        CASE(test_new_key_of_another_kind_is_config), CASE(test_versions_from_1_2),
        CASE(test_chain_is_trusted_by_the_authority), CASE(test_alpn_is_agreed_on),
        CASE(test_client_certificate_is_asked_for),   CASE(test_client_certificate_session_resumes),
        CASE(test_reload_is_for_new_connections),     CASE(test_reload_failure_keeps_what_was),
        CASE(test_reload_of_a_readable_key_is_said),  CASE(test_changed_follows_links),
    };

    return cmocka_run_group_tests(tests, make_all, remove_all);
}
