/*
 * fake_sink.c - see the header.  Linear search is enough for the captures.
 */
#include "fake_sink.h"

#include <string.h>

struct sink_session {
    struct fake_sink *fake;
};

static struct sink_session one_session; /* stateless, so all threads share it */

static int session_open(struct sink *sink, struct sink_session **session, struct err *err)
{
    struct fake_sink *fake = (struct fake_sink *)sink;
    bool fails;

    pthread_mutex_lock(&fake->lock);
    fails = fake->fail_opens > 0;
    fake->fail_opens -= fails;
    one_session.fake = fake;
    pthread_mutex_unlock(&fake->lock);
    if (fails)
        return err_set(err, ERR_RETRY, 0, "no session for now");
    *session = &one_session;
    return 0;
}

static void session_close(struct sink_session *session)
{
    (void)session;
}

static bool holds_refused_span(const struct fake_sink *fake, const struct otlp_fragment *fragment)
{
    for (uint32_t i = 0; fake->refuses && i < fragment->span_count; i++) {
        const struct otlp_span_ref *span = &fragment->index->spans[fragment->spans[i]];

        if (memcmp(span->span_id, fake->refused_span_id, OTLP_SPAN_ID_BYTES) == 0)
            return true;
    }
    return false;
}

static bool is_known(const struct fake_sink *fake, const uint8_t *hash)
{
    for (size_t i = 0; i < fake->count; i++) {
        if (memcmp(fake->hashes[i], hash, OTLP_FRAGMENT_HASH_BYTES) == 0)
            return true;
    }
    return false;
}

/* Under the lock. */
static void store(struct fake_sink *fake, const struct otlp_fragment *fragment, struct sink_verdict *verdict)
{
    memset(verdict, 0, sizeof(*verdict));
    if (holds_refused_span(fake, fragment)) {
        verdict->outcome = SINK_REFUSED;
        verdict->code = 121;
        strcpy(verdict->text, "Document failed validation");
    } else if (is_known(fake, fragment->hash)) {
        verdict->outcome = SINK_STORED_BEFORE;
        fake->again++;
    } else {
        verdict->outcome = SINK_STORED;
        memcpy(fake->hashes[fake->count++], fragment->hash, OTLP_FRAGMENT_HASH_BYTES);
        fake->spans += fragment->span_count;
    }
}

static int write_fragments(struct sink_session *session, const struct otlp_fragment *fragments, size_t count,
                           struct sink_verdict *verdicts, struct err *err)
{
    struct fake_sink *fake = session->fake;
    bool fails;

    pthread_mutex_lock(&fake->lock);
    fails = fake->fail_writes > 0;
    fake->fail_writes -= fails;
    fake->failed_writes += fails;
    fake->largest_write = count > fake->largest_write ? count : fake->largest_write;
    for (size_t i = 0; i < count && !fails; i++)
        store(fake, &fragments[i], &verdicts[i]);
    pthread_mutex_unlock(&fake->lock);
    return fails ? err_set(err, fake->fail_class, 6, "the sink is away") : 0;
}

static const struct sink_ops ops = {
    .session_open = session_open, .session_close = session_close, .write = write_fragments};

void fake_sink_init(struct fake_sink *fake)
{
    memset(fake, 0, sizeof(*fake));
    fake->base.ops = &ops;
    pthread_mutex_init(&fake->lock, NULL);
}

void fake_sink_fini(struct fake_sink *fake)
{
    pthread_mutex_destroy(&fake->lock);
}
