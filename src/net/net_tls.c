/*
 * net_tls.c - the context in use, and exchanging it.
 *
 * OpenSSL counts references: a connection keeps the context that it began
 * with, so a reload only swaps the pointer under the lock.
 */
#include "net_tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fault.h"
#include "net_stamp.h"
#include "net_tls_internal.h"

enum { CERT_FILE, KEY_FILE, CLIENT_CA_FILE, FILES };

struct net_tls {
    char *paths[FILES]; /* set once; the client CA's is "" when there is none */
    pthread_mutex_t lock;
    /* Under the lock. */
    SSL_CTX *context;
    struct net_stamp stamps[FILES]; /* taken before the files were last read */
};

static void take_stamps(const struct net_tls *tls, struct net_stamp stamps[FILES])
{
    for (int i = 0; i < FILES; i++)
        stamps[i] = net_stamp_take(tls->paths[i]);
}

int net_tls_reload(struct net_tls *tls, struct err *err)
{
    const struct net_tls_options options = {tls->paths[CERT_FILE], tls->paths[KEY_FILE], tls->paths[CLIENT_CA_FILE]};
    struct net_stamp stamps[FILES];
    SSL_CTX *context, *before = NULL;

    take_stamps(tls, stamps);
    context = net_tls_context_new(&options, err);
    if (context != NULL)
        net_stamp_warn_if_readable(&stamps[KEY_FILE], S_IRGRP | S_IROTH, tls->paths[KEY_FILE]);
    pthread_mutex_lock(&tls->lock);
    memcpy(tls->stamps, stamps, sizeof(stamps));
    if (context != NULL) {
        before = tls->context;
        tls->context = context;
    }
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(before);
    return context != NULL ? 0 : -1;
}

int net_tls_new(struct net_tls **out, const struct net_tls_options *options, struct err *err)
{
    const char *paths[FILES] = {options->cert_file, options->key_file, options->client_ca_file};
    struct net_tls *tls = calloc(1, sizeof(*tls));

    *out = NULL;
    if (tls == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "out of memory for TLS");
    pthread_mutex_init(&tls->lock, NULL);
    for (int i = 0; i < FILES; i++) {
        tls->paths[i] = strdup(paths[i] == NULL ? "" : paths[i]);
        if (tls->paths[i] == NULL) {
            err_set(err, ERR_RETRY, ENOMEM, "out of memory for TLS");
            goto fail;
        }
    }
    if (net_tls_reload(tls, err) != 0)
        goto fail;
    *out = tls;
    return 0;

fail:
    net_tls_free(tls);
    return -1;
}

bool net_tls_changed(struct net_tls *tls)
{
    struct net_stamp now[FILES];
    bool changed = false;

    take_stamps(tls, now);
    pthread_mutex_lock(&tls->lock);
    for (int i = 0; i < FILES; i++)
        changed = changed || !net_stamp_equal(&tls->stamps[i], &now[i]);
    pthread_mutex_unlock(&tls->lock);
    return changed;
}

SSL *net_tls_session(struct net_tls *tls, int fd, const char *alpn)
{
    SSL *ssl;

    if (fault_point("net.session") != 0)
        return NULL;
    pthread_mutex_lock(&tls->lock);
    ssl = SSL_new(tls->context);
    pthread_mutex_unlock(&tls->lock);
    if (ssl == NULL)
        return NULL;
    if (SSL_set_app_data(ssl, (void *)(uintptr_t)alpn) != 1 || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return ssl;
}

void net_tls_free(struct net_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    pthread_mutex_destroy(&tls->lock);
    for (int i = 0; i < FILES; i++)
        free(tls->paths[i]);
    free(tls);
}
