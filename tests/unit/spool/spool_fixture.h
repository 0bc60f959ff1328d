/*
 * spool_fixture.h - a real spool in a directory of its own, for tests.
 *
 * Payloads come from a seed, so what was put can be checked from its seed and
 * its length alone.  Everything asserts; waits have a deadline.
 */
#ifndef TRACESPOOL_SPOOL_FIXTURE_H
#define TRACESPOOL_SPOOL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spool.h"
#include "spool_record.h"
#include "spool_writer.h"

#define FIXTURE_SIZE (64UL << 20)
#define FIXTURE_WAIT_S 30

struct fixture {
    char path[64];
    struct spool_options options;
    struct spool *spool;
    struct spool_writer *writer;
};

/* A new directory, nothing in it; history is kept. */
void fixture_init(struct fixture *fixture, uint64_t size_bytes);
/* The same in memory, where there is such a file system: for tests of many files, in which no sync is waited for. */
void fixture_init_fast(struct fixture *fixture, uint64_t size_bytes);
void fixture_open(struct fixture *fixture); /* the spool and its writer */
void fixture_close(struct fixture *fixture);
void fixture_fini(struct fixture *fixture); /* closes what is open, removes the directory */

/* The writer's on_fatal where nothing fatal is expected. */
void fixture_fatal(const struct err *err);

/* cmocka's setup and teardown: FIXTURE_SIZE, open. */
int fixture_setup(void **state);
/* The same of a size, made by `init`: fixture_init, or what calls it. */
int fixture_setup_by(void **state, void (*init)(struct fixture *fixture, uint64_t size_bytes), uint64_t size_bytes);
int fixture_teardown(void **state);

struct fixture_put {
    struct spool_put put;
    uint64_t seed;
    unsigned tells;
    bool failed;
    struct err failure;
};

/* Queues `len` bytes from `seed`; -1 as spool_writer_put. */
int fixture_put_start(struct fixture *fixture, struct fixture_put *put, uint64_t seed, size_t len, struct err *err);
void fixture_put_wait(struct fixture_put *put);
void fixture_put_fini(struct fixture_put *put);

/* Puts and waits; 0 and *err when it was refused at once or later, else its seq. */
uint64_t fixture_try_put(struct fixture *fixture, uint64_t seed, size_t len, struct err *err);
/* The same, and it must succeed. */
uint64_t fixture_put(struct fixture *fixture, uint64_t seed, size_t len);

void fixture_deliver(struct fixture *fixture, uint64_t first, uint64_t end);

/* The record is there, intact, in this state, with these bytes. */
void fixture_check(struct spool *spool, uint64_t seq, uint64_t seed, size_t len, enum spool_record_state record_state);
bool fixture_exists(struct spool *spool, uint64_t seq);
struct spool_stat fixture_stat(struct spool *spool);

/* Pending records with seq >= from, as spool_read_pending. */
int fixture_read_pending(struct fixture *fixture, uint64_t from, size_t max_records, size_t max_bytes,
                         struct arena *arena, struct spool_record *records, size_t *count, struct err *err);

void fixture_fill(uint8_t *out, uint64_t seed, size_t len);

/* Part `index` of a record of `len` bytes from `seed`, cut at `most` bytes; without `bytes` and `checksum`. */
struct spool_part fixture_part(uint64_t seq, uint64_t seed, size_t len, uint32_t most, uint32_t index);

/*
 * Flip a bit in the file of a spool that is closed, wherever it is: LMDB's free
 * pages may hold older copies.  `offset` bytes after every place where `needle`
 * is; in the payload that was made from `seed`, after its byte `at`; in a part's
 * header, in the byte that holds the number of spans.
 */
void fixture_flip(struct fixture *fixture, struct slice needle, long offset);
void fixture_flip_payload(struct fixture *fixture, uint64_t seed, size_t at);
void fixture_flip_header(struct fixture *fixture, uint64_t seq, uint64_t seed, size_t len, uint32_t index);

/* Arms a fault point; where these are not compiled in, the test is skipped, with a line that says so. */
void fixture_fault(const char *point, unsigned countdown, int action);

/* Runs `condition` until it is true; fails the test after FIXTURE_WAIT_S. */
void fixture_until(bool (*condition)(void *context), void *context);

#endif
