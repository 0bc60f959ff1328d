/*
 * fake_sink.c - see the header.  Linear search is enough for the captures.
 */
#include "fake_sink.h"

#include <assert.h>
#include <sched.h>
#include <string.h>

/* Sessions have no state, so the sink itself is every thread's. */
struct sink_session {
    struct fake_sink fake;
};

static int session_open(struct sink *sink, struct sink_session **session, struct err *err)
{
    struct fake_sink *fake = (struct fake_sink *)sink;
    bool fails;

    pthread_mutex_lock(&fake->lock);
    fails = fake->fail_opens > 0;
    fake->fail_opens -= fails;
    pthread_mutex_unlock(&fake->lock);
    if (fails)
        return err_set(err, ERR_RETRY, 0, "no session for now");
    *session = (struct sink_session *)fake;
    return 0;
}

static void session_close(struct sink_session *session)
{
    (void)session;
}

static uint64_t number_of(const struct otlp_fragment *fragment, uint32_t i)
{
    const uint8_t *id = fragment->index->spans[fragment->spans[i]].span_id;
    uint64_t number = 0;

    for (unsigned byte = 0; byte < OTLP_SPAN_ID_BYTES; byte++)
        number = number << 8 | id[byte];
    return number;
}

static bool holds_refused_span(const struct fake_sink *fake, const struct otlp_fragment *fragment)
{
    for (uint32_t i = 0; fake->refuses && i < fragment->span_count; i++) {
        const struct otlp_span_ref *span = &fragment->index->spans[fragment->spans[i]];

        if (memcmp(span->span_id, fake->refused_span_id, OTLP_SPAN_ID_BYTES) == 0)
            return true;
    }
    for (uint32_t i = 0; fake->refused_every > 0 && i < fragment->span_count; i++) {
        if (number_of(fragment, i) % fake->refused_every == 0)
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
        assert(fake->count < FAKE_SINK_FRAGMENTS_MAX);
        fake->numbers[fake->count] = number_of(fragment, 0);
        memcpy(fake->hashes[fake->count++], fragment->hash, OTLP_FRAGMENT_HASH_BYTES);
        fake->spans += fragment->span_count;
    }
}

static bool holds_number(const struct fake_write *write, uint64_t number)
{
    for (size_t i = 0; number != 0 && i < write->count; i++) {
        for (uint32_t n = 0; n < write->fragments[i].span_count; n++) {
            if (number_of(&write->fragments[i], n) == number)
                return true;
        }
    }
    return false;
}

static uint64_t count_shared(const struct fake_write *one, const struct fake_write *other)
{
    uint64_t shared = 0;

    for (size_t i = 0; i < one->count; i++) {
        for (size_t n = 0; n < other->count; n++)
            shared += memcmp(one->fragments[i].hash, other->fragments[n].hash, OTLP_FRAGMENT_HASH_BYTES) == 0 ? 1 : 0;
    }
    return shared;
}

/* Under the lock. */
static struct fake_write *begin_write(struct fake_sink *fake, const struct otlp_fragment *fragments, size_t count)
{
    struct fake_write *write = NULL;

    for (unsigned i = 0; i < FLUSH_THREADS_MAX; i++) {
        if (fake->writes[i].count == 0)
            write = &fake->writes[i];
    }
    assert(write != NULL && count > 0);
    *write = (struct fake_write){fragments, count};
    for (unsigned i = 0; i < FLUSH_THREADS_MAX; i++) {
        if (&fake->writes[i] != write)
            fake->met += count_shared(write, &fake->writes[i]);
    }
    return write;
}

/* Under the lock, which is open for a while: others' writes come in between, as they would with a server. */
static void travel(struct fake_sink *fake, const struct fake_write *write)
{
    while (holds_number(write, fake->hang_number)) {
        fake->hanging++;
        pthread_cond_wait(&fake->moved, &fake->lock);
        fake->hanging--;
    }
    pthread_mutex_unlock(&fake->lock);
    sched_yield();
    pthread_mutex_lock(&fake->lock);
}

static int write_fragments(struct sink_session *session, const struct otlp_fragment *fragments, size_t count,
                           bool apart, struct sink_verdict *verdicts, struct err *err)
{
    struct fake_sink *fake = &session->fake;
    struct fake_write *write;
    enum err_class fail_class;
    bool fails;

    pthread_mutex_lock(&fake->lock);
    write = begin_write(fake, fragments, count);
    travel(fake, write);
    fake->writes_apart += apart;
    fails = fake->fail_writes > 0 && !(apart && fake->fail_class == ERR_UNKNOWN);
    fail_class = fake->fail_class;
    fake->fail_writes -= fails;
    fake->failed_writes += fails;
    if (!fails && fake->write_count < FAKE_SINK_WRITES_MAX)
        fake->documents_of_writes[fake->write_count++] = count;
    fake->largest_write = count > fake->largest_write ? count : fake->largest_write;
    for (size_t i = 0; i < count && !fails; i++)
        store(fake, &fragments[i], &verdicts[i]);
    *write = (struct fake_write){0};
    pthread_mutex_unlock(&fake->lock);
    return fails ? err_set(err, fail_class, 6, "the sink is away") : 0;
}

static void watch(struct sink *sink, void (*told)(void *context, bool passable), void *context)
{
    struct fake_sink *fake = (struct fake_sink *)sink;

    pthread_mutex_lock(&fake->lock);
    fake->told = told;
    fake->context = context;
    pthread_mutex_unlock(&fake->lock);
}

static void describe(struct sink *sink, const struct otlp_fragment *fragments, size_t count, struct tracing_span *span)
{
    (void)sink;
    (void)fragments;
    (void)count;
    tracing_span_text(span, "db.system.name", "fake");
}

static const struct sink_ops ops = {.session_open = session_open,
                                    .session_close = session_close,
                                    .write = write_fragments,
                                    .watch = watch,
                                    .describe = describe};

void fake_sink_init(struct fake_sink *fake)
{
    memset(fake, 0, sizeof(*fake));
    fake->base.ops = &ops;
    fake->fail_class = ERR_RETRY;
    pthread_mutex_init(&fake->lock, NULL);
    pthread_cond_init(&fake->moved, NULL);
}

void fake_sink_fini(struct fake_sink *fake)
{
    pthread_cond_destroy(&fake->moved);
    pthread_mutex_destroy(&fake->lock);
}

void fake_sink_hang(struct fake_sink *fake, uint64_t number)
{
    pthread_mutex_lock(&fake->lock);
    fake->hang_number = number;
    pthread_cond_broadcast(&fake->moved);
    pthread_mutex_unlock(&fake->lock);
}

void fake_sink_fail(struct fake_sink *fake, unsigned writes)
{
    pthread_mutex_lock(&fake->lock);
    fake->fail_writes = writes;
    pthread_mutex_unlock(&fake->lock);
}

bool fake_sink_has(struct fake_sink *fake, uint64_t number)
{
    bool has = false;

    pthread_mutex_lock(&fake->lock);
    for (size_t i = 0; i < fake->count && !has; i++)
        has = fake->numbers[i] == number;
    pthread_mutex_unlock(&fake->lock);
    return has;
}

void fake_sink_tell(struct fake_sink *fake, bool passable)
{
    pthread_mutex_lock(&fake->lock);
    if (fake->told != NULL)
        fake->told(fake->context, passable);
    pthread_mutex_unlock(&fake->lock);
}
