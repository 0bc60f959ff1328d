/*
 * spool_check_parts.c - every part of every entry, against its header and its checksum.
 *
 * The caller's thread.  A transaction looks at SPOOL_READ_STEP_BYTES, or at
 * SPOOL_CHECK_KEYS_MAX keys, and is over; the next one goes on behind the key
 * at which it stopped.  An entry that was removed between, or was put anew, is
 * forgotten, or begun again.
 *
 * Values are read with pread and not where LMDB has mapped them: a block that
 * the disk cannot give is a finding then, and not a SIGBUS.  Where a value lies
 * in the file is reckoned from its key's page, which tells its own number.
 */
#include "spool_check_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"
#include "fault.h"
#include "spool_state.h"

#define PART_KEY_BYTES 4
#define MARK_OFFSET (SPOOL_PART_HEADER_BYTES - 8) /* of a header's own checksum: tells two values apart */
#define VALUE_BYTES_MAX (SPOOL_PART_PAGES * SPOOL_PAGE_BYTES)

struct step {
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    mdb_filehandle_t fd;
    size_t bytes;
    unsigned keys;
};

void spool_check_parts_wrong(struct spool_check_parts *parts, const char *format, ...)
{
    va_list arguments;

    if (parts->entry.wrong[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(parts->entry.wrong, sizeof(parts->entry.wrong), format, arguments);
    va_end(arguments);
}

/* --- one value ------------------------------------------------------------- */

/* The page that a key lies in begins with its own number, and the map is one piece. */
static off_t offset_of(const struct spool_check_parts *parts, const struct step *step)
{
    uint64_t page_bytes = parts->check->spool->page_bytes, page_number;
    const uint8_t *key = step->key.mv_data, *value = step->value.mv_data, *page;

    page = key - ((uintptr_t)key & (page_bytes - 1));
    memcpy(&page_number, page, sizeof(page_number));
    return (off_t)(page_number * page_bytes) + (off_t)(value - page);
}

/* 0, or an errno; ENODATA: the file ends before it does. */
static int read_value(const struct spool_check_parts *parts, const struct step *step)
{
    off_t offset = offset_of(parts, step);
    int fault = fault_point("check.read");

    if (fault != 0)
        return fault;
    for (size_t got = 0; got < step->value.mv_size;) {
        ssize_t more = pread(step->fd, parts->check->value + got, step->value.mv_size - got, offset + (off_t)got);

        if (more == -1 && errno == EINTR)
            continue;
        if (more <= 0)
            return more == 0 ? ENODATA : errno;
        got += (size_t)more;
    }
    return 0;
}

static void check_part(struct spool_check_parts *parts, uint32_t index, struct slice value)
{
    struct spool_check_entry *entry = &parts->entry;
    struct spool_part part;

    if (!spool_part_decode(&part, parts->magic, value)) {
        spool_check_parts_wrong(parts, "part %u has no intact header", index);
        return;
    }
    if (part.seq != entry->seq || part.index != index) {
        spool_check_parts_wrong(parts, "under the key of part %u is part %u of batch %llu", index, part.index,
                                (unsigned long long)part.seq);
        return;
    }
    if (!entry->has_head)
        entry->head = part;
    else if (part.count != entry->head.count || part.stored_bytes != entry->head.stored_bytes)
        spool_check_parts_wrong(parts, "part %u is of another division", index);
    entry->has_head = true;
    entry->bytes += part.bytes;
    if (index != entry->seen)
        spool_check_parts_wrong(parts, "part %u is missing", entry->seen);
    if (checksum_64(spool_part_payload(value)) != part.checksum)
        spool_check_parts_wrong(parts, "the checksum of part %u of %u is wrong", index, part.count);
    else
        parts->part(parts, &part, spool_part_payload(value));
}

static void take_value(struct spool_check_parts *parts, struct step *step)
{
    uint32_t index = spool_key_get_u32((const uint8_t *)step->key.mv_data + parts->prefix_len);
    int code;

    parts->check->report->parts++;
    if (step->value.mv_size > VALUE_BYTES_MAX) {
        spool_check_parts_wrong(parts, "part %u has %zu bytes, more than a part can", index, step->value.mv_size);
    } else if ((code = read_value(parts, step)) != 0) {
        spool_check_parts_wrong(parts, "part %u cannot be read: %s", index,
                                code == ENODATA ? "the file ends before it" : strerror(code));
    } else {
        check_part(parts, index, slice_of(parts->check->value, step->value.mv_size));
        if (step->value.mv_size >= SPOOL_PART_HEADER_BYTES)
            parts->last_mark = spool_get_u64(parts->check->value + MARK_OFFSET);
    }
    parts->entry.seen = index + 1;
}

/* --- entries --------------------------------------------------------------- */

static int end_entry(struct spool_check_parts *parts, struct step *step)
{
    struct spool_check_entry *entry = &parts->entry;

    if (!parts->in_entry)
        return 0;
    parts->in_entry = false;
    parts->done++;
    if (entry->has_head && entry->seen != entry->head.count)
        spool_check_parts_wrong(parts, "it has %u parts of %u", entry->seen, entry->head.count);
    if (entry->has_head && entry->bytes != entry->head.stored_bytes)
        spool_check_parts_wrong(parts, "its parts have %llu bytes, not %llu", (unsigned long long)entry->bytes,
                                (unsigned long long)entry->head.stored_bytes);
    return parts->entry_end(parts, step->txn);
}

static void begin_entry(struct spool_check_parts *parts, const uint8_t *key)
{
    parts->entry = (struct spool_check_entry){.seq = spool_key_get_u64(key)};
    memcpy(parts->entry.prefix, key, parts->prefix_len);
    parts->in_entry = true;
    if (parts->entry.seq == 0)
        spool_check_parts_wrong(parts, "its number is none");
}

/* The value under the cursor. */
static int take_key(struct spool_check_parts *parts, struct step *step)
{
    const uint8_t *key = step->key.mv_data;
    int rc;

    if (step->key.mv_size != parts->prefix_len + PART_KEY_BYTES)
        return MDB_CORRUPTED;
    if (!parts->in_entry || memcmp(parts->entry.prefix, key, parts->prefix_len) != 0) {
        if ((rc = end_entry(parts, step)) != 0)
            return rc;
        begin_entry(parts, key);
    }
    memcpy(parts->last_key, key, step->key.mv_size);
    take_value(parts, step);
    step->keys++;
    step->bytes += step->value.mv_size;
    return 0;
}

/* --- steps ----------------------------------------------------------------- */

static int get(struct step *step, MDB_cursor_op op)
{
    return mdb_cursor_get(step->cursor, &step->key, &step->value, op);
}

static bool stands_on(const struct step *step, const uint8_t *key, size_t len)
{
    return step->key.mv_size == len && memcmp(step->key.mv_data, key, len) == 0;
}

/* Whether what stands there is what stood there when the last transaction stopped. */
static bool is_unchanged(const struct step *step, uint64_t mark)
{
    return step->value.mv_size >= SPOOL_PART_HEADER_BYTES &&
           spool_get_u64((const uint8_t *)step->value.mv_data + MARK_OFFSET) == mark;
}

/* Stands on the key behind the last one. */
static int go_on(struct spool_check_parts *parts, struct step *step)
{
    size_t len = parts->prefix_len + PART_KEY_BYTES;
    uint8_t key[SPOOL_KEY_BYTES_MAX];
    int rc;

    if (!parts->started) {
        parts->started = true;
        return get(step, MDB_FIRST);
    }
    memcpy(key, parts->last_key, len);
    step->key = spool_val(key, len);
    rc = get(step, MDB_SET_RANGE);
    if (rc == 0 && stands_on(step, parts->last_key, len) &&
        (parts->entry.wrong[0] != '\0' || is_unchanged(step, parts->last_mark)))
        return get(step, MDB_NEXT);
    /* The entry has gone, or is another one now: from its start. */
    parts->in_entry = false;
    memset(key + parts->prefix_len, 0, PART_KEY_BYTES);
    step->key = spool_val(key, len);
    return rc == 0 || rc == MDB_NOTFOUND ? get(step, MDB_SET_RANGE) : rc;
}

static int run_cursor(struct spool_check_parts *parts, struct step *step)
{
    int rc = go_on(parts, step);

    while (rc == 0) {
        if ((rc = take_key(parts, step)) != 0)
            return rc;
        if (step->bytes >= SPOOL_READ_STEP_BYTES || step->keys >= SPOOL_CHECK_KEYS_MAX)
            return 0;
        rc = get(step, MDB_NEXT);
    }
    if (rc == MDB_NOTFOUND && (rc = end_entry(parts, step)) == 0)
        rc = MDB_NOTFOUND;
    return rc;
}

/* MDB_NOTFOUND at the end. */
static int run_step(struct spool_check_parts *parts)
{
    struct spool_counters counters;
    struct step step = {.bytes = 0};
    int rc = mdb_txn_begin(parts->check->spool->env, NULL, MDB_RDONLY, &step.txn);

    if (rc != 0)
        return rc;
    if ((rc = spool_state_get_counters(step.txn, parts->check->spool, &counters)) == 0 &&
        (rc = mdb_env_get_fd(parts->check->spool->env, &step.fd)) == 0 &&
        (rc = mdb_cursor_open(step.txn, parts->dbi, &step.cursor)) == 0) {
        parts->next_seq = counters.next_seq;
        rc = run_cursor(parts, &step);
        mdb_cursor_close(step.cursor);
    }
    mdb_txn_abort(step.txn);
    return rc;
}

int spool_check_parts_run(struct spool_check_parts *parts)
{
    const struct spool_check_to *to = parts->check->to;
    int rc;

    while ((rc = run_step(parts)) == 0) {
        spool_forget_pages(parts->check->spool); /* the keys' pages, and what the kernel maps around them */
        if (to->progress != NULL)
            to->progress(to->context, parts->progress, parts->done, parts->check->expected_records);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}
