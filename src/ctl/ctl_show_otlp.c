/*
 * ctl_show_otlp.c - `tracespool show TRACEID --otlp`: a trace as it was sent,
 * for other tools to read.
 *
 * The spool first, as it may be delivered and removed meanwhile: a line for
 * each batch and parked entry.  Then MongoDB: a line for each document that has
 * spans which were not printed yet.  Nothing is gathered, only a digest of each
 * span is kept, so the memory of a large trace is that of its largest request.
 *
 * A span's digest is over what MongoDB gives back of it.  For one from the
 * spool that is made as if it were delivered, so the two are the same exactly
 * if MongoDB cannot tell them apart.  What is printed of the spool's is what
 * came, with what MongoDB cannot hold.
 *
 * MongoDB being away is a note and not a failure, unless only MongoDB was
 * asked for.
 */
#include <errno.h>
#include <inttypes.h>

#include "bounds.h"
#include "checksum.h"
#include "ctl_scan.h"
#include "ctl_show.h"
#include "hex.h"
#include "otlp_json_write.h"
#include "sink_mongo.h"
#include "sink_seen.h"
#include "sink_stored.h"

#define KEEP_BYTES (4UL << 20)

struct printing {
    struct ctl *ctl;
    const uint8_t *trace_id;
    struct sink_seen seen; /* digests of spans that were printed */
    struct checksum_128 *checksum;
    struct sink_stored *stored;
    struct buf request;  /* what MongoDB gives back of a fragment of the spool */
    struct arena arena;  /* the index of a request in hand, its fragments, what is wanted of it */
    struct arena second; /* the index of `request` */
    struct arena parts;
    struct buf out;
    uint64_t printed; /* spans */
    struct ctl_scan_report report;
    uint64_t foreign; /* documents that are none of ours */
};

static void write_out(void *context)
{
    struct printing *printing = context;

    ctl_write(printing->ctl, &printing->out);
    printing->printed++;
}

static int print_wanted(struct printing *printing, const struct otlp_index *index, const bool *wanted, struct err *err)
{
    const struct otlp_json_write write = {.index = index,
                                          .wanted = wanted,
                                          .parts = &printing->parts,
                                          .out = &printing->out,
                                          .each_span = write_out,
                                          .context = printing};
    bool any = false;

    for (uint32_t i = 0; i < index->span_count; i++)
        any |= wanted[i];
    if (any && otlp_json_write(&write, err) < 0)
        return -1;
    ctl_write(printing->ctl, &printing->out);
    return 0;
}

static bool is_of_trace(const struct printing *printing, const struct otlp_span_ref *span)
{
    return span->validity == OTLP_VALID && memcmp(span->trace_id, printing->trace_id, OTLP_TRACE_ID_BYTES) == 0;
}

/* Whether the span was not printed yet; from now on it counts as printed. */
static int is_new(struct printing *printing, const struct otlp_index *index, uint32_t at, bool *wanted, struct err *err)
{
    const struct otlp_scope_ref *scope = &index->scopes[index->spans[at].scope];
    const struct otlp_resource_ref *resource = &index->resources[scope->resource];
    uint8_t digest[CHECKSUM_128_BYTES];
    int added;

    checksum_128_reset(printing->checksum);
    checksum_128_field(printing->checksum, resource->bytes);
    checksum_128_field(printing->checksum, resource->schema_url);
    checksum_128_field(printing->checksum, scope->bytes);
    checksum_128_field(printing->checksum, scope->schema_url);
    checksum_128_field(printing->checksum, index->spans[at].bytes);
    checksum_128_result(printing->checksum, digest);
    added = sink_seen_add(&printing->seen, digest);
    if (added < 0)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for the spans of a trace");
    *wanted = added == 1;
    return 0;
}

/* --- the spool's ---------------------------------------------------------------- */

/*
 * Marks what is new of a fragment.  One of which no document can be made is
 * not in MongoDB: then its spans are told apart as they came.
 */
static int choose(struct printing *printing, const struct otlp_fragment *fragment, bool *wanted, struct err *err)
{
    struct otlp_index index;
    int result = sink_stored_request(printing->stored, fragment, &printing->request, err);

    if (result < 0 && err->class != ERR_POISON)
        return -1;
    arena_reset(&printing->second, KEEP_BYTES);
    if (result == 0 && otlp_index_build(&index, &printing->second, buf_slice(&printing->request), err) < 0)
        return err_prefix(err, "restored");
    for (uint32_t i = 0; i < fragment->span_count; i++) {
        uint32_t at = fragment->spans[i];

        if (is_new(printing, result == 0 ? &index : fragment->index, result == 0 ? i : at, &wanted[at], err) < 0)
            return -1;
    }
    return 0;
}

static int print_spooled(void *context, struct ctl_batch *batch, unsigned place, struct err *err)
{
    struct printing *printing = context;
    struct otlp_fragment *fragments;
    size_t count;
    bool *wanted;

    (void)place;
    if (ctl_batch_walk(batch, err) < 0 ||
        otlp_fragment_build(&fragments, &count, &batch->decoded, &batch->index, batch->record.received_ns, err) < 0)
        return -1;
    wanted = arena_calloc(&batch->decoded, batch->index.span_count, sizeof(*wanted));
    if (wanted == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for %" PRIu32 " spans", batch->index.span_count);
    for (size_t i = 0; i < count; i++)
        if (is_of_trace(printing, &batch->index.spans[fragments[i].spans[0]]) &&
            choose(printing, &fragments[i], wanted, err) < 0)
            return -1;
    return print_wanted(printing, &batch->index, wanted, err);
}

static int ask_spool(struct printing *printing, const struct ctl_show_options *options)
{
    struct ctl_scan scan = {
        .trace_id = printing->trace_id, .visit = print_spooled, .context = printing, .report = &printing->report};
    struct err err;
    struct spool *spool = ctl_open_spool(printing->ctl);
    int result = -1;

    if (spool != NULL) {
        result = ctl_scan_spool(&scan, spool, &err);
        spool_close(spool);
        if (result < 0)
            ctl_fail(printing->ctl, "%s", err.text);
    }
    if (result < 0 && options->from == CTL_FROM_BOTH)
        ctl_note(printing->ctl, "--from mongodb looks in MongoDB alone");
    return result;
}

/* --- MongoDB's ---------------------------------------------------------------- */

static int print_stored(void *context, struct slice request, struct err *err)
{
    struct printing *printing = context;
    struct otlp_index index;
    bool *wanted;

    arena_reset(&printing->arena, KEEP_BYTES);
    if (otlp_index_build(&index, &printing->arena, request, err) < 0)
        return err_prefix(err, "restored");
    wanted = arena_calloc(&printing->arena, index.span_count, sizeof(*wanted));
    if (wanted == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for %" PRIu32 " spans", index.span_count);
    for (uint32_t i = 0; i < index.span_count; i++)
        if (is_of_trace(printing, &index.spans[i]) && is_new(printing, &index, i, &wanted[i], err) < 0)
            return -1;
    return print_wanted(printing, &index, wanted, err);
}

static int ask_mongodb(struct printing *printing, const struct ctl_show_options *options)
{
    const struct conf *conf = ctl_conf(printing->ctl);
    struct err err;

    if (conf == NULL)
        return -1;
    struct sink_mongo_options mongo = {
        .uri = conf->mongodb.uri,
        .database = conf->mongodb.database,
        .compressor = conf->mongodb.compressor,
        .sessions = 1,
    };
    sink_mongo_init();
    int result = sink_mongo_find_requests(&mongo, printing->trace_id, (unsigned)options->timeout_ms, print_stored,
                                          printing, &printing->foreign, &err);
    sink_mongo_cleanup();
    if (result == 0)
        return 0;
    if (options->from == CTL_FROM_MONGODB) {
        ctl_fail(printing->ctl, "MongoDB: %s", err.text);
        return -1;
    }
    ctl_note(printing->ctl, "only the spool was looked through, MongoDB: %s", err.text);
    return 0;
}

/* --- the verb --------------------------------------------------------------------- */

static int conclude(const struct printing *printing)
{
    char hex[2 * OTLP_TRACE_ID_BYTES + 1];
    int status = CTL_OK;

    hex_encode(hex, printing->trace_id, OTLP_TRACE_ID_BYTES);
    if (printing->printed == 0)
        status = ctl_fail(printing->ctl, "no span of trace %s was found", hex);
    if (printing->report.unreadable > 0)
        ctl_note(printing->ctl, "%" PRIu64 " damaged batches or parked entries could not be looked through",
                 printing->report.unreadable);
    if (printing->foreign > 0)
        ctl_note(printing->ctl, "%" PRIu64 " documents in MongoDB are not of the form that tracespool writes",
                 printing->foreign);
    if (status == CTL_OK && printing->report.unreadable + printing->foreign > 0)
        status = CTL_PARTIAL;
    return status;
}

static int print_trace(struct printing *printing, const struct ctl_show_options *options)
{
    if (printing->checksum == NULL || printing->stored == NULL)
        return ctl_fail(printing->ctl, "no memory");
    if ((options->from & CTL_FROM_SPOOL) != 0 && ask_spool(printing, options) < 0)
        return CTL_FAILED;
    if ((options->from & CTL_FROM_MONGODB) != 0 && ask_mongodb(printing, options) < 0)
        return CTL_FAILED;
    return conclude(printing);
}

int ctl_show_otlp(struct ctl *ctl, const uint8_t trace_id[OTLP_TRACE_ID_BYTES], const struct ctl_show_options *options)
{
    struct printing printing = {
        .ctl = ctl, .trace_id = trace_id, .checksum = checksum_128_new(), .stored = sink_stored_new()};

    buf_init(&printing.request, SINK_RESTORED_BYTES_MAX);
    arena_init(&printing.arena, OTLP_DECODED_BYTES_MAX);
    arena_init(&printing.second, OTLP_DECODED_BYTES_MAX);
    arena_init(&printing.parts, OTLP_DECODED_BYTES_MAX);
    buf_init(&printing.out, OTLP_DECODED_BYTES_MAX);
    int status = print_trace(&printing, options);
    buf_fini(&printing.out);
    arena_fini(&printing.parts);
    arena_fini(&printing.second);
    arena_fini(&printing.arena);
    buf_fini(&printing.request);
    sink_seen_fini(&printing.seen);
    sink_stored_free(printing.stored);
    checksum_128_free(printing.checksum);
    return status;
}
