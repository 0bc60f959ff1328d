/*
 * spool_state.c - named values of the state database.
 *
 * Inside the caller's transaction, on the caller's thread.  A value that is
 * missing, shorter than it was ever written or not what its checksum says is
 * damage: MDB_CORRUPTED.
 */
#include "spool_state.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "checksum.h"
#include "spool_record.h"

#define FORMAT_BYTES 8       /* the number, and its complement: a flipped bit must not look like a newer format */
#define FORMAT_1_BYTES 4     /* it had the number alone, */
#define FORMAT_1_COUNTERS 13 /* so many counters, and no checksum after them */

static const char FORMAT_NAME[] = "format";
static const char ID_NAME[] = "id";
static const char COUNTERS_NAME[] = "counters";
static const char DELIVERY_NAME[] = "delivery";

#define COUNTERS (sizeof(struct spool_counters) / sizeof(uint64_t))
#define DELIVERY_FIXED_BYTES 32 /* state, since_ns, last_ok_ns, attempts; then the text */

static_assert(sizeof(struct spool_counters) == COUNTERS * sizeof(uint64_t), "nothing but u64");
static_assert(sizeof(COUNTERS_NAME) <= STATE_NAME_MAX && sizeof(DELIVERY_NAME) <= STATE_NAME_MAX, "names are bounded");

static int put(MDB_txn *txn, MDB_dbi state, const char *name, const void *data, size_t len)
{
    MDB_val key = spool_val(name, strlen(name)), value = spool_val(data, len);

    return mdb_put(txn, state, &key, &value, 0);
}

static int get(MDB_txn *txn, MDB_dbi state, const char *name, struct slice *out)
{
    MDB_val key = spool_val(name, strlen(name)), value;
    int rc = mdb_get(txn, state, &key, &value);

    if (rc == 0)
        *out = spool_slice(value);
    return rc;
}

int spool_state_put_format(MDB_txn *txn, MDB_dbi state)
{
    uint8_t format[FORMAT_BYTES];

    spool_put_u32(format, SPOOL_FORMAT_VERSION);
    spool_put_u32(format + 4, ~(uint32_t)SPOOL_FORMAT_VERSION);
    return put(txn, state, FORMAT_NAME, format, sizeof(format));
}

int spool_state_create(MDB_txn *txn, const struct spool *spool, uint64_t first_seq)
{
    struct spool_counters counters = {.next_seq = first_seq, .clean = 1, .size_bytes = spool->size_bytes};
    uint8_t id[SPOOL_ID_BYTES];
    int rc;

    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
        return EIO;
    if ((rc = spool_state_put_format(txn, spool->state)) != 0 ||
        (rc = put(txn, spool->state, ID_NAME, id, sizeof(id))) != 0)
        return rc;
    return spool_state_put_counters(txn, spool, &counters);
}

int spool_state_get_format(MDB_txn *txn, MDB_dbi state, uint32_t *format)
{
    struct slice value;
    int rc = get(txn, state, FORMAT_NAME, &value);

    if (rc != 0)
        return rc;
    if (value.len < FORMAT_1_BYTES || (value.len > FORMAT_1_BYTES && value.len < FORMAT_BYTES))
        return MDB_CORRUPTED;
    *format = spool_get_u32(value.data);
    if (value.len == FORMAT_1_BYTES ? *format != 1 : spool_get_u32(value.data + 4) != ~*format)
        return MDB_CORRUPTED;
    return 0;
}

int spool_state_get_counters(MDB_txn *txn, const struct spool *spool, struct spool_counters *counters)
{
    uint64_t values[COUNTERS] = {0};
    struct slice value;
    int rc = get(txn, spool->state, COUNTERS_NAME, &value);

    if (rc != 0)
        return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
    if (value.len != 8UL * FORMAT_1_COUNTERS) {
        if (value.len % 8 != 0 || value.len <= 8UL * FORMAT_1_COUNTERS)
            return MDB_CORRUPTED;
        value.len -= 8;
        if (spool_get_u64(value.data + value.len) != checksum_64(value))
            return MDB_CORRUPTED;
    }
    for (size_t i = 0; i < COUNTERS && i < value.len / 8; i++)
        values[i] = spool_get_u64(value.data + 8 * i);
    memcpy(counters, values, sizeof(*counters));
    return counters->next_seq > 0 ? 0 : MDB_CORRUPTED;
}

int spool_state_read_counters(const struct spool *spool, struct spool_counters *counters)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return rc;
    rc = spool_state_get_counters(txn, spool, counters);
    mdb_txn_abort(txn);
    return rc;
}

int spool_state_put_counters(MDB_txn *txn, const struct spool *spool, const struct spool_counters *counters)
{
    uint64_t values[COUNTERS];
    uint8_t out[8 * COUNTERS + 8];

    assert(counters->next_seq > 0);
    memcpy(values, counters, sizeof(values));
    for (size_t i = 0; i < COUNTERS; i++)
        spool_put_u64(out + 8 * i, values[i]);
    spool_put_u64(out + 8 * COUNTERS, checksum_64(slice_of(out, 8 * COUNTERS)));
    return put(txn, spool->state, COUNTERS_NAME, out, sizeof(out));
}

static void take(uint64_t *from, uint64_t amount)
{
    *from = *from > amount ? *from - amount : 0;
}

void spool_counters_leave_pending(struct spool_counters *counters, const struct spool_part *head)
{
    take(&counters->pending_records, 1);
    take(&counters->pending_spans, head->spans);
    take(&counters->pending_bytes, head->stored_bytes);
    if (counters->pending_records == 0)
        counters->pending_spans = counters->pending_bytes = 0;
}

void spool_counters_enter_pending(struct spool_counters *counters, const struct spool_part *head)
{
    counters->pending_records++;
    counters->pending_spans += head->spans;
    counters->pending_bytes += head->stored_bytes;
}

void spool_counters_leave_held(struct spool_counters *counters, const struct spool_part *head)
{
    take(&counters->held_records, 1);
    take(&counters->held_spans, head->spans);
    if (counters->held_records == 0)
        counters->held_spans = 0;
}

void spool_counters_enter_held(struct spool_counters *counters, const struct spool_part *head)
{
    counters->held_records++;
    counters->held_spans += head->spans;
}

int spool_state_get_delivery(MDB_txn *txn, const struct spool *spool, struct spool_delivery *delivery)
{
    struct slice value;
    size_t text_len;
    int rc = get(txn, spool->state, DELIVERY_NAME, &value);

    memset(delivery, 0, sizeof(*delivery));
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return rc;
    /* A note that has gone bad is none: nothing hangs on it, and the next one replaces it. */
    if (value.len < DELIVERY_FIXED_BYTES || value.len >= DELIVERY_FIXED_BYTES + sizeof(delivery->text) ||
        spool_get_u64(value.data) >= SPOOL_DELIVERY_STATE_COUNT)
        return 0;
    delivery->state = (enum spool_delivery_state)spool_get_u64(value.data);
    delivery->since_ns = spool_get_u64(value.data + 8);
    delivery->last_ok_ns = spool_get_u64(value.data + 16);
    delivery->attempts = spool_get_u64(value.data + 24);
    text_len = value.len - DELIVERY_FIXED_BYTES;
    memcpy(delivery->text, value.data + DELIVERY_FIXED_BYTES, text_len);
    return 0;
}

int spool_state_put_delivery(MDB_txn *txn, const struct spool *spool, const struct spool_delivery *delivery)
{
    uint8_t out[DELIVERY_FIXED_BYTES + sizeof(delivery->text)];
    size_t text_len = strnlen(delivery->text, sizeof(delivery->text) - 1);

    spool_put_u64(out, (uint64_t)delivery->state);
    spool_put_u64(out + 8, delivery->since_ns);
    spool_put_u64(out + 16, delivery->last_ok_ns);
    spool_put_u64(out + 24, delivery->attempts);
    memcpy(out + DELIVERY_FIXED_BYTES, delivery->text, text_len);
    return put(txn, spool->state, DELIVERY_NAME, out, DELIVERY_FIXED_BYTES + text_len);
}
