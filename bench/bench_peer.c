/*
 * bench_peer.c - a bare LMDB loop.
 *
 * One thread; a transaction for each group and one sync for each transaction,
 * with the flags of the spool.  No ring, no checksums, no parts, no accounting,
 * and no second thread to hand records to: what LMDB and the disk cost, whoever
 * writes.
 */
#include "bench_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <string.h>
#include <sys/stat.h>

#include "bounds.h"
#include "clock.h"

#define ENV_FLAGS MDB_NOTLS
#define KEY_BYTES 12 /* as long as the spool's */

struct loop {
    const struct bench_peer *peer;
    MDB_env *env;
    MDB_dbi records;
    uint64_t next_seq;
    struct bench_load_result *result;
};

static int allocate(const struct loop *loop)
{
    int fd, rc = mdb_env_get_fd(loop->env, &fd);

    return rc == 0 ? posix_fallocate(fd, 0, (off_t)loop->peer->size_bytes) : rc;
}

static int open_env(struct loop *loop)
{
    MDB_txn *txn;
    int rc;

    if (mkdir(loop->peer->dir, 0700) == -1)
        return errno;
    if ((rc = mdb_env_create(&loop->env)) != 0 || (rc = mdb_env_set_mapsize(loop->env, loop->peer->size_bytes)) != 0 ||
        (rc = mdb_env_open(loop->env, loop->peer->dir, ENV_FLAGS, 0600)) != 0 || (rc = allocate(loop)) != 0 ||
        (rc = mdb_txn_begin(loop->env, NULL, 0, &txn)) != 0)
        return rc;
    if ((rc = mdb_dbi_open(txn, NULL, 0, &loop->records)) != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static int put_one(struct loop *loop, MDB_txn *txn, uint64_t *group_bytes)
{
    struct slice payload = bench_shape_next(loop->peer->shape);
    uint8_t key_bytes[KEY_BYTES] = {0};
    MDB_val key = {.mv_size = KEY_BYTES, .mv_data = key_bytes};
    MDB_val value = {.mv_size = payload.len, .mv_data = (void *)(uintptr_t)payload.data};

    for (unsigned i = 0; i < sizeof(loop->next_seq); i++)
        key_bytes[i] = (uint8_t)(loop->next_seq >> (56 - 8 * i));
    loop->next_seq++;
    *group_bytes += payload.len;
    return mdb_put(txn, loop->records, &key, &value, MDB_APPEND);
}

static int put_group(struct loop *loop)
{
    uint64_t bytes = 0;
    unsigned count = 0;
    MDB_txn *txn;
    int rc = mdb_txn_begin(loop->env, NULL, 0, &txn);

    if (rc != 0)
        return rc;
    while (rc == 0 && count < loop->peer->group &&
           (count == 0 || bytes + bench_shape_max(loop->peer->shape) <= SPOOL_GROUP_BYTES_MAX)) {
        rc = put_one(loop, txn, &bytes);
        count++;
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    if ((rc = mdb_txn_commit(txn)) == 0) {
        loop->result->records += count;
        loop->result->bytes += bytes;
        loop->result->commits++;
        bench_tenths_add(&loop->result->tenths, bytes);
    }
    return rc;
}

int bench_peer_run(const struct bench_peer *peer, struct bench_load_result *result, struct err *err)
{
    struct loop loop = {.peer = peer, .next_seq = 1, .result = result};
    uint64_t begin_ns;
    int rc = open_env(&loop);

    *result = (struct bench_load_result){.records = 0};
    bench_tenths_begin(&result->tenths, peer->total_bytes);
    begin_ns = clock_mono_ns();
    while (rc == 0 && result->bytes < peer->total_bytes && result->elapsed_ns < peer->duration_ns) {
        rc = put_group(&loop);
        result->elapsed_ns = clock_mono_ns() - begin_ns;
    }
    if (loop.env != NULL)
        mdb_env_close(loop.env);
    return rc == 0 ? 0 : err_set(err, ERR_FATAL, rc, "LMDB without a spool, in %s: %s", peer->dir, mdb_strerror(rc));
}

const char *bench_peer_version(void)
{
    return mdb_version(NULL, NULL, NULL);
}
