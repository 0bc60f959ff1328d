/*
 * spool_park.c - parked entries: encode, store, list.
 *
 * Encoding runs on the thread that parks, storing in the writer's transaction,
 * listing on any thread of any process.  A parked entry that is damaged itself
 * is listed as such, without its bytes.
 */
#include "spool_park.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "spool_parts.h"
#include "spool_space.h"

#define PREFIX_BYTES SPOOL_PARK_PREFIX_BYTES
#define WHOLE_BIT 0x80000000U /* beside the reason: the record itself is held */

void spool_park_encode_prefix(uint8_t prefix[PREFIX_BYTES], uint64_t seq, uint32_t index)
{
    spool_key_put_u64(prefix, seq);
    spool_key_put_u32(prefix + 8, index);
}

const char *spool_park_reason_name(enum spool_park_reason reason)
{
    switch (reason) {
    case SPOOL_PARK_REFUSED:
        return "refused";
    case SPOOL_PARK_DAMAGED:
        return "damaged";
    case SPOOL_PARK_UNDECODABLE:
        return "undecodable";
    }
    return "unknown";
}

/* --- writing --------------------------------------------------------------- */

int spool_park_encode(struct buf *out, const struct spool_parked *parked, struct err *err)
{
    size_t text_len = parked->text == NULL ? 0 : strnlen(parked->text, PARK_TEXT_MAX - 1);
    uint8_t fixed[SPOOL_PARK_FIXED_BYTES];

    spool_put_u32(fixed, parked->index);
    spool_put_u32(fixed + 4, (uint32_t)parked->reason | (parked->whole ? WHOLE_BIT : 0));
    spool_put_u32(fixed + 8, (uint32_t)parked->code);
    spool_put_u32(fixed + 12, parked->attempts);
    spool_put_u64(fixed + 16, parked->parked_ns);
    spool_put_u64(fixed + 24, text_len);
    buf_clear(out);
    buf_append(out, fixed, sizeof(fixed));
    buf_append(out, parked->text, text_len);
    buf_append(out, parked->payload.data, parked->payload.len);
    if (out->failed)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory to park %zu bytes of record %llu", parked->payload.len,
                       (unsigned long long)parked->seq);
    return 0;
}

int spool_park_put(MDB_txn *txn, const struct spool *spool, const struct spool_parked *parked, struct slice blob,
                   unsigned part_pages, struct spool_counters *counters)
{
    struct spool_parts_entry entry = {
        .dbi = spool->parked,
        .prefix_len = PREFIX_BYTES,
        .head = {.magic = SPOOL_MAGIC_PARKED,
                 .seq = parked->seq,
                 .received_ns = parked->received_ns,
                 .raw_bytes = parked->index,
                 .spans = parked->spans},
        .payload = blob,
        .part_pages = part_pages,
    };
    unsigned removed;
    int rc;

    spool_park_encode_prefix(entry.prefix, parked->seq, parked->index);
    rc = spool_parts_delete(txn, spool->parked, entry.prefix, PREFIX_BYTES, &removed);
    /* The one that is there cannot be removed; it says the same of the same span, so it stays. */
    if (rc == MDB_CORRUPTED)
        return 0;
    if (rc != 0)
        return rc;
    if (removed == 0)
        counters->parked_entries++;
    return spool_parts_put(txn, &entry);
}

int spool_park_remove(MDB_txn *txn, const struct spool *spool, uint64_t seq, uint32_t index,
                      struct spool_counters *counters)
{
    uint8_t prefix[PREFIX_BYTES];
    unsigned removed;
    int rc;

    spool_park_encode_prefix(prefix, seq, index);
    rc = spool_parts_delete(txn, spool->parked, prefix, PREFIX_BYTES, &removed);
    if (rc == 0 && removed > 0 && counters->parked_entries > 0)
        counters->parked_entries--;
    return rc;
}

/* --- reading --------------------------------------------------------------- */

int spool_park_exists(MDB_txn *txn, const struct spool *spool, uint64_t seq, uint32_t index, bool *exists)
{
    struct spool_parts_reader reader;
    uint8_t prefix[PREFIX_BYTES];
    int rc = spool_parts_open(&reader, txn, spool->parked, PREFIX_BYTES);

    if (rc != 0)
        return rc;
    spool_park_encode_prefix(prefix, seq, index);
    rc = spool_parts_seek(&reader, prefix);
    *exists = rc == 0 && memcmp(reader.prefix, prefix, PREFIX_BYTES) == 0;
    spool_parts_close(&reader);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

bool spool_park_is_whole(const struct spool_parts_reader *reader)
{
    struct slice value = spool_slice(reader->value), blob;
    struct spool_part head;

    if (!spool_part_decode(&head, SPOOL_MAGIC_PARKED, value))
        return false;
    blob = spool_part_payload(value);
    return head.index == 0 && blob.len >= SPOOL_PARK_FIXED_BYTES && (spool_get_u32(blob.data + 4) & WHOLE_BIT) != 0;
}

int spool_park_decode(struct spool_parked *parked, struct slice blob, struct arena *arena, bool *damaged)
{
    uint64_t text_len;
    char *text;

    *damaged = blob.len < SPOOL_PARK_FIXED_BYTES || spool_get_u32(blob.data) != parked->index;
    if (*damaged)
        return 0;
    text_len = spool_get_u64(blob.data + 24);
    *damaged = text_len >= PARK_TEXT_MAX || text_len > blob.len - SPOOL_PARK_FIXED_BYTES;
    if (*damaged)
        return 0;
    text = arena_alloc(arena, text_len + 1);
    if (text == NULL)
        return ENOBUFS;
    memcpy(text, blob.data + SPOOL_PARK_FIXED_BYTES, text_len);
    text[text_len] = '\0';
    parked->whole = (spool_get_u32(blob.data + 4) & WHOLE_BIT) != 0;
    parked->reason = (enum spool_park_reason)(spool_get_u32(blob.data + 4) & ~WHOLE_BIT);
    parked->code = (int)spool_get_u32(blob.data + 8);
    parked->attempts = spool_get_u32(blob.data + 12);
    parked->parked_ns = spool_get_u64(blob.data + 16);
    parked->text = text;
    parked->payload =
        slice_of(blob.data + SPOOL_PARK_FIXED_BYTES + text_len, blob.len - SPOOL_PARK_FIXED_BYTES - text_len);
    return 0;
}

int spool_park_read(struct spool_parts_reader *reader, struct arena *arena, struct spool_parked *parked)
{
    struct spool_part head;
    uint8_t *blob;
    bool damaged;
    int rc = spool_parts_head(reader, &head, &damaged);

    if (rc != 0)
        return rc;
    *parked = (struct spool_parked){
        .seq = head.seq,
        .index = spool_key_get_u32(reader->prefix + 8),
        .spans = head.spans,
        .received_ns = head.received_ns,
    };
    if (!damaged) {
        blob = arena_alloc(arena, head.stored_bytes);
        if (blob == NULL)
            return ENOBUFS;
        rc = spool_parts_copy(reader, &head, blob, &damaged);
        if (rc == 0 && !damaged)
            rc = spool_park_decode(parked, slice_of(blob, head.stored_bytes), arena, &damaged);
    }
    if (damaged) {
        parked->reason = SPOOL_PARK_DAMAGED;
        parked->text = "the parked entry itself is damaged";
    }
    return rc;
}

/* What is listed, in which direction. */
struct listing {
    bool backwards;
    uint64_t seq; /* from where; backwards, exclusive */
    uint32_t index;
    size_t max;
    struct arena *arena;
    struct spool_parked *parked;
    size_t *count;
};

static void move_on(const struct listing *listing, const struct spool_parked *entry, uint8_t prefix[PREFIX_BYTES])
{
    if (listing->backwards)
        spool_park_encode_prefix(prefix, entry->seq, entry->index);
    else
        spool_park_encode_prefix(prefix, entry->index == UINT32_MAX ? entry->seq + 1 : entry->seq, entry->index + 1);
}

static int list_entries(struct spool_parts_reader *reader, void *context)
{
    const struct listing *listing = context;
    uint8_t prefix[PREFIX_BYTES];
    int rc = 0;

    spool_park_encode_prefix(prefix, listing->seq, listing->index);
    while (rc == 0 && *listing->count < listing->max) {
        struct spool_parked *entry = &listing->parked[*listing->count];

        rc = listing->backwards ? spool_parts_before(reader, prefix) : spool_parts_seek(reader, prefix);
        if (rc == 0)
            rc = spool_park_read(reader, listing->arena, entry);
        if (rc != 0)
            break;
        ++*listing->count;
        move_on(listing, entry, prefix);
    }
    return rc == MDB_NOTFOUND || (rc == ENOBUFS && *listing->count > 0) ? 0 : rc;
}

/* A read transaction with a reader in it, by `work`. */
static int look(struct spool *spool, int (*work)(struct spool_parts_reader *reader, void *context), void *context,
                struct err *err)
{
    struct spool_parts_reader reader;
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot read spool %s", spool->path);
    rc = spool_parts_open(&reader, txn, spool->parked, PREFIX_BYTES);
    if (rc == 0) {
        rc = work(&reader, context);
        spool_parts_close(&reader);
    }
    mdb_txn_abort(txn);
    if (rc == ENOBUFS)
        return err_set(err, ERR_BUSY, rc, "no memory for a parked entry");
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot read spool %s", spool->path);
}

int spool_list_parked(struct spool *spool, uint64_t from_seq, uint32_t from_index, size_t max, struct arena *arena,
                      struct spool_parked *parked, size_t *count, struct err *err)
{
    struct listing listing = {
        .seq = from_seq, .index = from_index, .max = max, .arena = arena, .parked = parked, .count = count};

    *count = 0;
    return look(spool, list_entries, &listing, err);
}

int spool_list_parked_before(struct spool *spool, uint64_t seq, uint32_t index, size_t max, struct arena *arena,
                             struct spool_parked *parked, size_t *count, struct err *err)
{
    struct listing listing = {
        .backwards = true, .seq = seq, .index = index, .max = max, .arena = arena, .parked = parked, .count = count};

    *count = 0;
    return look(spool, list_entries, &listing, err);
}

struct counting {
    uint64_t seq;
    uint64_t *count;
};

static int count_entries(struct spool_parts_reader *reader, void *context)
{
    const struct counting *counting = context;
    uint8_t prefix[PREFIX_BYTES];
    uint32_t index = 0;
    int rc;

    do {
        spool_park_encode_prefix(prefix, counting->seq, index);
        rc = spool_parts_seek(reader, prefix);
        if (rc != 0 || spool_parts_seq(reader) != counting->seq)
            break;
        ++*counting->count;
        index = spool_key_get_u32(reader->prefix + 8);
    } while (index++ != UINT32_MAX);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int spool_count_parked(struct spool *spool, uint64_t seq, uint64_t *count, struct err *err)
{
    struct counting counting = {.seq = seq, .count = count};

    *count = 0;
    return look(spool, count_entries, &counting, err);
}
