/*
 * conf_conflict.c - keys that are good alone and cannot both be meant.
 *
 * Main's thread.  A value that is wrong by itself is not compared.  A problem
 * is told at the line of the first of its keys that the file sets, since that
 * is where somebody will look.
 */
#include "conf_internal.h"

#include <assert.h>

#include "units.h"

#define SPOOL_REQUESTS_MIN 4     /* spool.size in requests of the largest size */
#define IN_FLIGHT_REQUESTS_MIN 2 /* receiver.max_in_flight_bytes in these */
#define RULE_KEYS_MAX 3

/* --- sizes ------------------------------------------------------------------ */

static int check_size(const struct conf *conf, const char *name, uint64_t bytes, unsigned requests, struct err *err)
{
    uint64_t least = requests * conf->receiver.max_request_bytes;
    char size[UNITS_TEXT_MAX], needed[UNITS_TEXT_MAX];

    if (bytes >= least)
        return 0;
    return err_set(err, ERR_CONFIG, 0, "%s: %s is too small, must be at least %s, %u times receiver.max_request_bytes",
                   name, units_format_bytes(size, bytes), units_format_bytes(needed, least), requests);
}

/* A ring that one request nearly fills would refuse the next one until MongoDB has the first. */
static int check_spool_size(const struct conf *conf, struct err *err)
{
    return check_size(conf, "spool.size", conf->spool.size, SPOOL_REQUESTS_MIN, err);
}

/* A request may be in hand twice, as it came and inflated. */
static int check_in_flight(const struct conf *conf, struct err *err)
{
    return check_size(conf, "receiver.max_in_flight_bytes", conf->receiver.max_in_flight_bytes, IN_FLIGHT_REQUESTS_MIN,
                      err);
}

/* --- who can reach us ------------------------------------------------------- */

static int check_exposed(const struct conf *conf, const char *name, const char *address, struct err *err)
{
    if (address[0] == '\0' || conf_address_is_local(address))
        return 0;
    if (conf->receiver.insecure || conf->receiver_tls.cert_file[0] != '\0')
        return 0;
    return err_set(err, ERR_CONFIG, 0,
                   "%s: \"%s\" can be reached from other machines and has no TLS: set receiver.tls.cert_file and "
                   "receiver.tls.key_file, or listen on 127.0.0.1, or set receiver.insecure = true where the network "
                   "is trusted",
                   name, address);
}

static int check_grpc_exposed(const struct conf *conf, struct err *err)
{
    return check_exposed(conf, "receiver.grpc", conf->receiver.grpc, err);
}

static int check_http_exposed(const struct conf *conf, struct err *err)
{
    return check_exposed(conf, "receiver.http", conf->receiver.http, err);
}

static int check_endpoints(const struct conf *conf, struct err *err)
{
    if (conf->receiver.grpc[0] != '\0' || conf->receiver.http[0] != '\0')
        return 0;
    return err_set(err, ERR_CONFIG, 0, "receiver.grpc and receiver.http are both empty: nothing could be received");
}

/* --- TLS -------------------------------------------------------------------- */

static int check_cert(const struct conf *conf, struct err *err)
{
    if (conf->receiver_tls.cert_file[0] == '\0' || conf->receiver_tls.key_file[0] != '\0')
        return 0;
    return err_set(err, ERR_CONFIG, 0, "receiver.tls.cert_file: needs receiver.tls.key_file beside it");
}

static int check_key(const struct conf *conf, struct err *err)
{
    if (conf->receiver_tls.key_file[0] == '\0' || conf->receiver_tls.cert_file[0] != '\0')
        return 0;
    return err_set(err, ERR_CONFIG, 0, "receiver.tls.key_file: needs receiver.tls.cert_file beside it");
}

static int check_client_ca(const struct conf *conf, struct err *err)
{
    if (conf->receiver_tls.client_ca_file[0] == '\0' || conf->receiver_tls.cert_file[0] != '\0')
        return 0;
    return err_set(err, ERR_CONFIG, 0,
                   "receiver.tls.client_ca_file: needs receiver.tls.cert_file and receiver.tls.key_file beside it");
}

static int check_tracing_ca(const struct conf *conf, struct err *err)
{
    if (conf->tracing.ca_file[0] == '\0' || conf->tracing.endpoint[0] == '\0' ||
        conf_url_is_https(conf->tracing.endpoint))
        return 0;
    return err_set(err, ERR_CONFIG, 0, "tracing.ca_file: needs a tracing.endpoint that begins with https://");
}

/* --- all of them ------------------------------------------------------------ */

struct rule {
    int (*check)(const struct conf *conf, struct err *err);
    unsigned count;
    unsigned keys[RULE_KEYS_MAX]; /* that it compares */
};

static const struct rule rules[] = {
    {check_endpoints, 2, {CONF_INDEX_receiver_grpc, CONF_INDEX_receiver_http}},
    {check_grpc_exposed,
     3,
     {CONF_INDEX_receiver_grpc, CONF_INDEX_receiver_insecure, CONF_INDEX_receiver_tls_cert_file}},
    {check_http_exposed,
     3,
     {CONF_INDEX_receiver_http, CONF_INDEX_receiver_insecure, CONF_INDEX_receiver_tls_cert_file}},
    {check_cert, 2, {CONF_INDEX_receiver_tls_cert_file, CONF_INDEX_receiver_tls_key_file}},
    {check_key, 2, {CONF_INDEX_receiver_tls_key_file, CONF_INDEX_receiver_tls_cert_file}},
    {check_client_ca, 2, {CONF_INDEX_receiver_tls_client_ca_file, CONF_INDEX_receiver_tls_cert_file}},
    {check_tracing_ca, 2, {CONF_INDEX_tracing_ca_file, CONF_INDEX_tracing_endpoint}},
    {check_in_flight, 2, {CONF_INDEX_receiver_max_in_flight_bytes, CONF_INDEX_receiver_max_request_bytes}},
    {check_spool_size, 2, {CONF_INDEX_spool_size, CONF_INDEX_receiver_max_request_bytes}},
};

static void apply_rule(struct conf_load *load, const struct rule *rule)
{
    const struct conf_found *at = NULL;
    struct err err;

    for (unsigned i = 0; i < rule->count; i++) {
        const struct conf_found *origin = &load->found[rule->keys[i]];

        if (origin->bad)
            return;
        if (at == NULL && origin->file != NULL)
            at = origin;
    }
    if (rule->check(load->conf, &err) == 0)
        return;
    assert(at != NULL); /* the defaults contradict nothing */
    conf_report(load, at->file, at->line, "%s", err.text);
}

void conf_conflict_check(struct conf_load *load)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        apply_rule(load, &rules[i]);
}
