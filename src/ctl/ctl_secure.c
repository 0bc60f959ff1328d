/*
 * ctl_secure.c - TLS and tokens of what the command sends.
 *
 * The daemon's own certificate is the authority by default when it is its
 * daemon that is sent to: that is enough when it is signed by itself, or when
 * the file holds its authority too.  Its first token is taken: whoever may read
 * that file may send.
 */
#include "ctl_secure.h"

#include <stdlib.h>

#include "secret_file.h"

bool ctl_secure_take_option(struct ctl_secure *secure, int option, const char *argument)
{
    switch (option) {
    case CTL_SECURE_TLS:
        break;
    case CTL_SECURE_CA:
        secure->ca_path = argument;
        break;
    case CTL_SECURE_CERT:
        secure->cert_path = argument;
        break;
    case CTL_SECURE_KEY:
        secure->key_path = argument;
        break;
    case CTL_SECURE_NAME:
        secure->name = argument;
        break;
    case CTL_SECURE_TOKEN:
        secure->token_path = argument;
        return true;
    default:
        return false;
    }
    secure->tls = true;
    return true;
}

void ctl_secure_default(struct ctl_secure *secure, const struct conf *conf)
{
    const char *cert = conf->receiver_tls.cert_file, *tokens = conf->receiver.bearer_tokens_file;

    if (cert[0] != '\0' && secure->ca_path == NULL && !secure->tls)
        secure->ca_path = cert;
    secure->tls |= cert[0] != '\0';
    if (tokens[0] != '\0' && secure->token_path == NULL)
        secure->token_path = tokens;
}

int ctl_secure_load(struct ctl_secure *secure, struct export_security *security, struct err *err)
{
    if ((secure->cert_path == NULL) != (secure->key_path == NULL))
        return err_set(err, ERR_CONFIG, 0, "--cert and --key come together");
    if ((secure->ca_path != NULL &&
         secret_file_read(&secure->ca, secure->ca_path, CTL_SECURE_FILE_BYTES_MAX, err) < 0) ||
        (secure->cert_path != NULL &&
         secret_file_read(&secure->cert, secure->cert_path, CTL_SECURE_FILE_BYTES_MAX, err) < 0) ||
        (secure->key_path != NULL &&
         secret_file_read(&secure->key, secure->key_path, CTL_SECURE_FILE_BYTES_MAX, err) < 0) ||
        (secure->token_path != NULL && secret_file_read_bearer(&secure->authorization, secure->token_path, err) < 0))
        return -1;
    *security = (struct export_security){.tls = secure->tls,
                                         .ca = secure->ca,
                                         .cert = secure->cert,
                                         .key = secure->key,
                                         .name = secure->name,
                                         .authorization = secure->authorization};
    return 0;
}

void ctl_secure_fini(struct ctl_secure *secure)
{
    free(secure->ca);
    free(secure->cert);
    secure->ca = secure->cert = NULL;
    secret_file_forget(&secure->key);
    secret_file_forget(&secure->authorization);
}
