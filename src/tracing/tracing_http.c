/*
 * tracing_http.c - OTLP/HTTP by libcurl.
 *
 * The exporter's thread.  One connection, kept open; one request at a time,
 * driven by libcurl's multi interface, since that can be woken when the daemon
 * stops.  No redirect is followed, no proxy of the environment asked, and
 * nothing but HTTP is spoken: spans and the token go where the configuration
 * says.  What comes back is bounded and given to the reader of OTLP's answers.
 *
 * Each request carries a traceparent that is not sampled.  Whoever honours it,
 * and a tracespoold does, records nothing about being sent spans: a daemon
 * whose spans come back to itself would otherwise never come to an end.
 *
 * What fails is told with ERR_RETRY and libcurl's words.
 */
#include "tracing_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "fault.h"
#include "otlp_response.h"
#include "tracing_context.h"
#include "tracing_random.h"

#define PATH "/v1/traces"

struct tracing_http {
    CURL *easy;
    CURLM *multi;
    char *url;
    char *authorization; /* a header line, or NULL */
    char trouble[CURL_ERROR_SIZE];
    struct buf answer;
    size_t header_bytes;
    bool is_too_large;

    _Atomic uint64_t end_ns; /* monotonic */
};

int tracing_http_init(struct err *err)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : err_set(err, ERR_RETRY, 0, "cannot set up libcurl");
}

void tracing_http_cleanup(void)
{
    curl_global_cleanup();
}

/* --- what comes back ---------------------------------------------------------- */

/* Anything but `size` ends the transfer. */
static size_t take_body(char *bytes, size_t one, size_t size, void *context)
{
    struct tracing_http *http = context;

    (void)one;
    if (buf_append(&http->answer, bytes, size) == 0)
        return size;
    http->is_too_large = true;
    return size + 1;
}

static size_t take_header(char *bytes, size_t one, size_t size, void *context)
{
    struct tracing_http *http = context;

    (void)bytes;
    (void)one;
    http->header_bytes += size;
    if (http->header_bytes <= TRACING_ANSWER_BYTES_MAX)
        return size;
    http->is_too_large = true;
    return size + 1;
}

static int read_answer(struct tracing_http *http, uint64_t *rejected_spans, struct err *err)
{
    char message[ERR_TEXT_MAX / 2];
    int64_t rejected;
    long status = 0;

    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299)
        return err_set(err, ERR_RETRY, (int)status, "%s answered with status %ld", http->url, status);
    /* What cannot be read is somebody's who answers OK in words of his own. */
    if (otlp_response_read(buf_slice(&http->answer), &rejected, message, sizeof(message)) == 0 && rejected > 0)
        *rejected_spans = (uint64_t)rejected;
    return 0;
}

/* --- one request ----------------------------------------------------------------- */

static struct curl_slist *add_header(struct curl_slist *headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(headers, line);

    if (longer == NULL)
        curl_slist_free_all(headers);
    return longer;
}

static struct curl_slist *make_headers(const struct tracing_http *http)
{
    struct tracing_context context = {.is_valid = true, .is_sampled = false};
    char parent[TRACING_PARENT_MAX], line[TRACING_PARENT_MAX + sizeof("traceparent: ")];
    struct curl_slist *headers;

    tracing_random_fill(context.trace_id, sizeof(context.trace_id));
    tracing_random_fill(context.span_id, sizeof(context.span_id));
    snprintf(line, sizeof(line), "traceparent: %s", tracing_context_format(parent, &context));
    headers = curl_slist_append(NULL, line);
    if (headers != NULL)
        headers = add_header(headers, "Content-Type: application/x-protobuf");
    if (headers != NULL)
        headers = add_header(headers, "Expect:"); /* no question before the body: it is small */
    if (headers != NULL && http->authorization != NULL)
        headers = add_header(headers, http->authorization);
    return headers;
}

static uint64_t deadline_of(const struct tracing_http *http, uint64_t begun_ns)
{
    uint64_t end_ns = atomic_load(&http->end_ns), deadline_ns = begun_ns + TRACING_EXPORT_MS * NS_PER_MS;

    return end_ns < deadline_ns ? end_ns : deadline_ns;
}

/* Until it is over.  -1: ERR_RETRY, out of time. */
static int drive(struct tracing_http *http, struct err *err)
{
    uint64_t begun_ns = clock_mono_ns(), now_ns, deadline_ns;
    int running;

    for (;;) {
        if (curl_multi_perform(http->multi, &running) != CURLM_OK)
            return err_set(err, ERR_RETRY, 0, "%s: libcurl failed", http->url);
        if (running == 0)
            return 0;
        now_ns = clock_mono_ns();
        deadline_ns = deadline_of(http, begun_ns);
        if (now_ns >= deadline_ns)
            return err_set(err, ERR_RETRY, ETIMEDOUT, "%s did not answer in time", http->url);
        curl_multi_poll(http->multi, NULL, 0, (int)((deadline_ns - now_ns) / NS_PER_MS) + 1, NULL);
    }
}

/* How it ended.  -1: ERR_RETRY. */
static int read_outcome(struct tracing_http *http, struct err *err)
{
    int left;
    const CURLMsg *message = curl_multi_info_read(http->multi, &left);
    const char *trouble = http->trouble;

    if (http->is_too_large)
        return err_set(err, ERR_RETRY, EMSGSIZE, "%s answered with more than %lu bytes", http->url,
                       TRACING_ANSWER_BYTES_MAX);
    if (message == NULL)
        return err_set(err, ERR_RETRY, 0, "%s: libcurl failed", http->url);
    if (message->data.result == CURLE_OK)
        return 0;
    if (trouble[0] == '\0')
        trouble = curl_easy_strerror(message->data.result);
    return err_set(err, ERR_RETRY, (int)message->data.result, "%s: %s", http->url, trouble);
}

int tracing_http_post(struct tracing_http *http, struct slice request, uint64_t *rejected_spans, struct err *err)
{
    struct curl_slist *headers = fault_point("tracing.post") == 0 ? make_headers(http) : NULL;
    int rc;

    *rejected_spans = 0;
    if (headers == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "no memory for a request");
    http->trouble[0] = '\0';
    http->header_bytes = 0;
    http->is_too_large = false;
    buf_clear(&http->answer);
    curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request.len);
    curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, request.data);
    if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
        curl_slist_free_all(headers);
        return err_set(err, ERR_RETRY, 0, "%s: libcurl failed", http->url);
    }
    rc = drive(http, err);
    if (rc == 0)
        rc = read_outcome(http, err);
    curl_multi_remove_handle(http->multi, http->easy);
    curl_slist_free_all(headers);
    return rc == 0 ? read_answer(http, rejected_spans, err) : -1;
}

void tracing_http_end(struct tracing_http *http, uint64_t deadline_ns)
{
    atomic_store(&http->end_ns, deadline_ns);
    curl_multi_wakeup(http->multi);
}

/* --- the receiver ------------------------------------------------------------------ */

/* As the specification has it for OTEL_EXPORTER_OTLP_ENDPOINT: the signal's path behind the endpoint's own. */
static char *make_url(const char *endpoint)
{
    size_t len = strlen(endpoint);
    char *url;

    while (len > 0 && endpoint[len - 1] == '/')
        len--;
    return asprintf(&url, "%.*s" PATH, (int)len, endpoint) < 0 ? NULL : url;
}

static bool set_options(struct tracing_http *http, const struct tracing_http_options *options)
{
    CURL *easy = http->easy;
    bool ok = curl_easy_setopt(easy, CURLOPT_URL, http->url) == CURLE_OK;

    ok = ok && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_USERAGENT, "tracespoold/" TRACESPOOL_VERSION) == CURLE_OK;
    if (options->ca_file != NULL && options->ca_file[0] != '\0')
        ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file) == CURLE_OK;
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);   /* SIGPIPE is ignored by the daemon */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name server that is silent must not hold up the end */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)TRACING_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->trouble);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
    return ok;
}

int tracing_http_new(struct tracing_http **out, const struct tracing_http_options *options, struct err *err)
{
    struct tracing_http *http = calloc(1, sizeof(*http));

    if (http == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for the exporter of spans");
    buf_init(&http->answer, TRACING_ANSWER_BYTES_MAX);
    atomic_store(&http->end_ns, UINT64_MAX);
    http->url = make_url(options->endpoint);
    http->easy = curl_easy_init();
    http->multi = curl_multi_init();
    if (options->authorization != NULL &&
        asprintf(&http->authorization, "Authorization: %s", options->authorization) < 0)
        http->authorization = NULL;
    if (http->url != NULL && http->easy != NULL && http->multi != NULL &&
        (options->authorization == NULL) == (http->authorization == NULL) && set_options(http, options)) {
        *out = http;
        return 0;
    }
    tracing_http_free(http);
    return err_set(err, ERR_BUSY, ENOMEM, "cannot set up a client for tracing.endpoint");
}

void tracing_http_free(struct tracing_http *http)
{
    if (http == NULL)
        return;
    curl_multi_cleanup(http->multi);
    curl_easy_cleanup(http->easy);
    if (http->authorization != NULL)
        explicit_bzero(http->authorization, strlen(http->authorization));
    free(http->authorization);
    free(http->url);
    buf_fini(&http->answer);
    free(http);
}
