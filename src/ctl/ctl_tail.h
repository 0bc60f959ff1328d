/*
 * ctl_tail.h - the spans of `tracespool tail`: which, and how they are shown.
 */
#ifndef TRACESPOOL_CTL_TAIL_H
#define TRACESPOOL_CTL_TAIL_H

#include "ctl_batch.h"
#include "ctl_spans.h"

#define CTL_TAIL_ANY_STATUS (-1)

/* What is shown. */
struct ctl_tail_filter {
    const char *service; /* exactly this service.name; NULL: any */
    int status;          /* OTLP's status code, or CTL_TAIL_ANY_STATUS */
    uint64_t min_duration_ns;
};

struct ctl_tail_span {
    uint64_t seq;
    uint64_t received_ns;
    const uint8_t *trace_id; /* OTLP_TRACE_ID_BYTES */
    struct ctl_span span;    /* but for places and content */
};

/* --- ctl_tail_put.c: pure ---------------------------------------------------- */

/* "unset", "ok", "error".  -1: it is none of them. */
int ctl_tail_status(const char *name, int *status);

bool ctl_tail_is_wanted(const struct ctl_tail_filter *filter, const struct ctl_span *span);

/* How many columns of the terminal's width are left for a span's name. */
unsigned ctl_tail_name_columns(unsigned width);

/* One line.  Appended. */
void ctl_tail_text(const struct ctl_tail_span *span, unsigned name_columns, bool colored, struct buf *out);
void ctl_tail_json(const struct ctl_tail_span *span, struct buf *out);

/* --- ctl_tail_read.c --------------------------------------------------------- */

/* Memory for one batch and one span of it at a time. */
struct ctl_tail_reader {
    struct ctl_batch batch;
    struct arena span;
};

void ctl_tail_reader_init(struct ctl_tail_reader *reader);
void ctl_tail_reader_fini(struct ctl_tail_reader *reader);

/* -1: enough, go no further. */
typedef int ctl_tail_visit(void *context, const struct ctl_tail_span *span);

enum ctl_tail_found {
    CTL_TAIL_GONE,    /* removed meanwhile */
    CTL_TAIL_READ,    /* or left by a visit */
    CTL_TAIL_DAMAGED, /* and `err` says how */
    CTL_TAIL_FAILED,  /* the spool cannot be read */
};

/* A call for each span of the batch that passes the filter, in the order of the request. */
enum ctl_tail_found ctl_tail_read(struct ctl_tail_reader *reader, struct spool *spool, uint64_t seq,
                                  const struct ctl_tail_filter *filter, ctl_tail_visit *visit, void *context,
                                  struct err *err);

#endif
