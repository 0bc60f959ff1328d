/*
 * spool_parts.c - writing, removing and reading entries that are cut into parts.
 *
 * Writing runs in the writer's transactions; reading in any transaction, on
 * any thread.  What is on disk is not trusted: a part that is missing, of
 * another entry, or does not match its checksums makes the entry damaged, and
 * that is an answer, not an error.
 */
#include "spool_parts.h"

#include <assert.h>
#include <string.h>

#include "checksum.h"
#include "fault.h"
#include "spool_walk_page.h"

#define PART_KEY_BYTES 4

static int put_part(MDB_txn *txn, const struct spool_parts_entry *entry, const struct spool_part *part,
                    struct slice payload)
{
    uint8_t key_bytes[SPOOL_KEY_BYTES_MAX] = {0};
    MDB_val key = spool_val(key_bytes, entry->prefix_len + PART_KEY_BYTES);
    MDB_val value = spool_val(NULL, SPOOL_PART_HEADER_BYTES + payload.len);
    int rc = fault_point("spool.part");

    memcpy(key_bytes, entry->prefix, entry->prefix_len);
    spool_key_put_u32(key_bytes + entry->prefix_len, part->index);
    /* Reserved and then filled: the payload is copied once, into the page that is written. */
    if (rc == 0)
        rc = mdb_put(txn, entry->dbi, &key, &value, MDB_RESERVE | MDB_NOOVERWRITE | entry->flags);
    if (rc != 0)
        return rc;
    spool_part_encode(value.mv_data, part);
    if (payload.len > 0)
        memcpy((uint8_t *)value.mv_data + SPOOL_PART_HEADER_BYTES, payload.data, payload.len);
    return 0;
}

int spool_parts_put(MDB_txn *txn, const struct spool_parts_entry *entry)
{
    uint32_t most = spool_part_bytes_max(entry->part_pages);
    uint64_t count = spool_part_count(entry->payload.len, most);
    struct spool_part part = entry->head;
    int rc = 0;

    assert(count <= UINT32_MAX && entry->prefix_len + PART_KEY_BYTES <= SPOOL_KEY_BYTES_MAX);
    part.count = (uint32_t)count;
    part.stored_bytes = entry->payload.len;
    for (part.index = 0; rc == 0 && part.index < part.count; part.index++) {
        size_t offset = (size_t)part.index * most, left = entry->payload.len - offset;
        struct slice payload = slice_of(left == 0 ? NULL : entry->payload.data + offset, left < most ? left : most);

        part.bytes = (uint32_t)payload.len;
        part.checksum = count == 1 && entry->checksum != NULL ? *entry->checksum : checksum_64(payload);
        rc = put_part(txn, entry, &part, payload);
    }
    return rc;
}

static bool at_entry(const struct spool_parts_reader *reader)
{
    return reader->key.mv_size == reader->prefix_len + PART_KEY_BYTES &&
           memcmp(reader->key.mv_data, reader->prefix, reader->prefix_len) == 0;
}

static int position(struct spool_parts_reader *reader, MDB_cursor_op op)
{
    int rc = mdb_cursor_get(reader->cursor, &reader->key, &reader->value, op);

    if (rc != 0)
        return rc;
    if (reader->key.mv_size != reader->prefix_len + PART_KEY_BYTES)
        return MDB_CORRUPTED;
    memcpy(reader->prefix, reader->key.mv_data, reader->prefix_len);
    return 0;
}

/*
 * LMDB gives back as many pages as the head of a value's first page says, from
 * the page that it says: one that has gone bad would give away pages that are
 * in use.  No walk reads these heads (spool_walk.h), so they are looked at here.
 * A value that this transaction wrote is not in the map.
 */
static bool owns_its_pages(const struct spool *spool, struct slice value)
{
    const uint8_t *head = value.data - WALK_HEAD_BYTES;
    uint64_t offset;

    if (spool == NULL || spool->map == NULL || value.data < spool->map || value.data >= spool->map + spool->map_bytes)
        return true;
    offset = (uint64_t)(head - spool->map);
    if (offset % SPOOL_PAGE_BYTES != 0) /* it lies in its leaf */
        return true;
    return spool_get_u64(head) == offset / SPOOL_PAGE_BYTES && walk_get_u16(head + 10) == WALK_OVERFLOW &&
           spool_get_u32(head + 12) == walk_overflow_pages(value.len);
}

static int check_pages(struct spool_parts_reader *reader, const uint8_t *prefix)
{
    const struct spool *spool = mdb_env_get_userctx(mdb_txn_env(mdb_cursor_txn(reader->cursor)));
    int rc = spool_parts_seek(reader, prefix);

    while (rc == 0 && memcmp(reader->prefix, prefix, reader->prefix_len) == 0) {
        if (!owns_its_pages(spool, spool_slice(reader->value)))
            return MDB_CORRUPTED;
        rc = position(reader, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int spool_parts_delete(MDB_txn *txn, MDB_dbi dbi, const uint8_t *prefix, size_t prefix_len, unsigned *removed)
{
    struct spool_parts_reader reader;
    int rc = spool_parts_open(&reader, txn, dbi, prefix_len);

    *removed = 0;
    if (rc != 0)
        return rc;
    rc = check_pages(&reader, prefix);
    while (rc == 0 && (rc = spool_parts_seek(&reader, prefix)) == 0 && memcmp(reader.prefix, prefix, prefix_len) == 0) {
        if ((rc = mdb_cursor_del(reader.cursor, 0)) != 0)
            break;
        ++*removed;
    }
    spool_parts_close(&reader);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int spool_parts_open(struct spool_parts_reader *reader, MDB_txn *txn, MDB_dbi dbi, size_t prefix_len)
{
    bool records = prefix_len + PART_KEY_BYTES == SPOOL_RECORD_KEY_BYTES;

    assert(records || prefix_len + PART_KEY_BYTES == SPOOL_PARKED_KEY_BYTES);
    *reader = (struct spool_parts_reader){
        .prefix_len = prefix_len,
        .magic = records ? SPOOL_MAGIC_RECORD : SPOOL_MAGIC_PARKED,
    };
    return mdb_cursor_open(txn, dbi, &reader->cursor);
}

void spool_parts_close(struct spool_parts_reader *reader)
{
    mdb_cursor_close(reader->cursor);
}

int spool_parts_seek(struct spool_parts_reader *reader, const uint8_t *prefix)
{
    uint8_t key[SPOOL_KEY_BYTES_MAX] = {0};

    memcpy(key, prefix, reader->prefix_len);
    reader->key = spool_val(key, reader->prefix_len + PART_KEY_BYTES);
    return position(reader, MDB_SET_RANGE);
}

int spool_parts_last(struct spool_parts_reader *reader)
{
    return position(reader, MDB_LAST);
}

int spool_parts_before(struct spool_parts_reader *reader, const uint8_t *prefix)
{
    uint8_t found[SPOOL_KEY_BYTES_MAX] = {0};
    int rc = spool_parts_seek(reader, prefix);

    if (rc == 0)
        rc = position(reader, MDB_PREV);
    else if (rc == MDB_NOTFOUND)
        rc = position(reader, MDB_LAST);
    if (rc != 0)
        return rc;
    memcpy(found, reader->prefix, reader->prefix_len);
    return spool_parts_seek(reader, found);
}

uint64_t spool_parts_seq(const struct spool_parts_reader *reader)
{
    return spool_key_get_u64(reader->prefix);
}

/* The part under the cursor, if it is intact and belongs where it stands. */
static bool decode_here(const struct spool_parts_reader *reader, struct spool_part *part)
{
    const uint8_t *key = reader->key.mv_data;

    return spool_part_decode(part, reader->magic, spool_slice(reader->value)) && part->seq == spool_parts_seq(reader) &&
           part->index == spool_key_get_u32(key + reader->prefix_len);
}

int spool_parts_head(struct spool_parts_reader *reader, struct spool_part *head, bool *damaged)
{
    uint8_t prefix[SPOOL_KEY_BYTES_MAX];
    int rc;

    *damaged = false;
    if (decode_here(reader, head))
        return 0;
    *damaged = true;
    memcpy(prefix, reader->prefix, sizeof(prefix));
    while ((rc = mdb_cursor_get(reader->cursor, &reader->key, &reader->value, MDB_NEXT)) == 0 && at_entry(reader)) {
        if (decode_here(reader, head))
            return spool_parts_seek(reader, prefix);
    }
    *head = (struct spool_part){.seq = spool_parts_seq(reader)};
    return rc == 0 || rc == MDB_NOTFOUND ? spool_parts_seek(reader, prefix) : rc;
}

int spool_parts_copy(struct spool_parts_reader *reader, const struct spool_part *head, uint8_t *out, bool *damaged)
{
    uint64_t copied = 0;
    struct spool_part part;
    int rc = 0;

    *damaged = true;
    for (uint32_t index = 0; index < head->count; index++) {
        if (index > 0 && (rc = mdb_cursor_get(reader->cursor, &reader->key, &reader->value, MDB_NEXT)) != 0)
            return rc == MDB_NOTFOUND ? 0 : rc;
        if (!at_entry(reader) || !decode_here(reader, &part) || part.index != index || part.count != head->count ||
            part.bytes > head->stored_bytes - copied)
            return 0;
        /* The copy is what is verified, since the copy is what is used. */
        if (part.bytes > 0)
            memcpy(out + copied, spool_part_payload(spool_slice(reader->value)).data, part.bytes);
        if (checksum_64(slice_of(out + copied, part.bytes)) != part.checksum)
            return 0;
        copied += part.bytes;
    }
    *damaged = copied != head->stored_bytes;
    return 0;
}
