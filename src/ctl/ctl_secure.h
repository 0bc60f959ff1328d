/*
 * ctl_secure.h - TLS and tokens of what the command sends: options, the configuration, files.
 *
 * A secret is in a file only: not on a command line, which others can read,
 * and in no text that is printed.
 */
#ifndef TRACESPOOL_CTL_SECURE_H
#define TRACESPOOL_CTL_SECURE_H

#include "ctl.h"
#include "export_client.h"

/* Rows of the options' table of a verb that sends, and their values. */
enum {
    CTL_SECURE_TLS = 'T',
    CTL_SECURE_CA = 'A',
    CTL_SECURE_CERT = 'C',
    CTL_SECURE_KEY = 'K',
    CTL_SECURE_NAME = 'N',
    CTL_SECURE_TOKEN = 'B'
};
#define CTL_SECURE_OPTIONS                                                                                             \
    {"tls", NULL, CTL_SECURE_TLS,                                                                                      \
     "TLS, with the system's authorities; --ca, --cert, --key and --tls-name mean it too"},                            \
        {"ca", "FILE", CTL_SECURE_CA, "authorities that the receiver's certificate may be of"},                        \
        {"cert", "FILE", CTL_SECURE_CERT, "a certificate to show"}, {"key", "FILE", CTL_SECURE_KEY, "and its key"},    \
        {"tls-name", "NAME", CTL_SECURE_NAME, "the name in the receiver's certificate, instead of HOST"},              \
    {                                                                                                                  \
        "token-file", "FILE", CTL_SECURE_TOKEN, "a file whose first line that is no comment is the bearer token"       \
    }

struct ctl_secure {
    bool tls;
    /* files, and a name; NULL: none */
    const char *ca_path;
    const char *cert_path;
    const char *key_path;
    const char *token_path;
    const char *name;

    /* what is in them, after ctl_secure_load */
    char *ca;
    char *cert;
    char *key;
    char *authorization;
};

/* Takes one of the options; false: it is none of them. */
bool ctl_secure_take_option(struct ctl_secure *secure, int option, const char *argument);

/* What options do not say: of the daemon that `conf` is of. */
void ctl_secure_default(struct ctl_secure *secure, const struct conf *conf);

/* Reads the files.  -1: ERR_CONFIG, the text names one.  ctl_secure_fini in either case. */
int ctl_secure_load(struct ctl_secure *secure, struct export_security *security, struct err *err);
void ctl_secure_fini(struct ctl_secure *secure);

#endif
