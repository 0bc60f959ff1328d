/*
 * flush_fixture.h - a real spool with its writer, a fake sink, and a flusher between them.
 *
 * Everything asserts; waits have a deadline.
 */
#ifndef FLUSH_FIXTURE_H
#define FLUSH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_sink.h"
#include "flush.h"
#include "otlp_codec.h"
#include "spool_edit.h"

#define REQUEST_MAX (64UL << 20)

struct fixture {
    char path[64];
    struct spool *spool;
    struct spool_writer *writer;
    struct fake_sink sink;
    struct flusher *flusher;
};

/* cmocka's: a new spool, open, and no flusher yet. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

void fixture_start(struct fixture *fixture, enum flush_order order, unsigned threads, size_t batch_documents);
void fixture_start_with(struct fixture *fixture, const struct flush_options *options);
void fixture_stop(struct fixture *fixture);

void fixture_must(int rc, const struct err *err);

/* Puts and waits until it is durable.  Its seq. */
uint64_t fixture_put(struct fixture *fixture, struct slice stored, enum otlp_codec codec, uint32_t spans);

/* Requests of one span each, with the numbers first .. end - 1 (fake_sink.h); durable in that order afterwards. */
void fixture_put_numbers(struct fixture *fixture, uint64_t first, uint64_t end);

/*
 * What `tracespool` would do beside the daemon: an edit of seqs
 * first .. end - 1 by another process.  Ends when it is done.
 */
void fixture_edit(struct fixture *fixture, enum spool_edit_kind kind, uint64_t first, uint64_t end);

/* At the start of main: true when this process is to edit for a test, and has done so; *status is main's result. */
bool fixture_edit_main(int argc, char **argv, int *status);

typedef bool condition(struct fixture *fixture, const struct spool_stat *stat);

/* Waits until `holds`, and gives the figures with which it did. */
struct spool_stat fixture_until(struct fixture *fixture, condition *holds, const char *what);

bool nothing_pending(struct fixture *fixture, const struct spool_stat *stat);
bool backing_off(struct fixture *fixture, const struct spool_stat *stat);

#endif
