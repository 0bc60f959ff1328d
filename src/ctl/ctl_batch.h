/*
 * ctl_batch.h - one batch out of the spool: read, inflated, walked.
 */
#ifndef TRACESPOOL_CTL_BATCH_H
#define TRACESPOOL_CTL_BATCH_H

#include "arena.h"
#include "bounds.h"
#include "buf.h"
#include "otlp_index.h"
#include "spool.h"

/* Reused from batch to batch: its memory is that of the largest one. */
struct ctl_batch {
    struct spool_record record;
    struct slice request; /* uncompressed, after ctl_batch_inflate */
    struct otlp_index index;
    bool readable;         /* after ctl_batch_look and ctl_batch_look_at */
    struct err unreadable; /* why it is not */

    struct arena stored;  /* record.payload */
    uint64_t mapped;      /* bytes read since the spool's file was forgotten */
    struct buf raw;       /* the request, when it was compressed */
    struct arena decoded; /* the index, and what the caller decodes */
};

void ctl_batch_init(struct ctl_batch *batch);
void ctl_batch_fini(struct ctl_batch *batch);

/* Fills `record`.  1, 0 when there is no such batch, -1. */
int ctl_batch_read(struct ctl_batch *batch, struct spool *spool, uint64_t seq, struct err *err);

/* After ctl_batch_read of a record that is not damaged: fills `request`. */
int ctl_batch_inflate(struct ctl_batch *batch, struct err *err);

/* After ctl_batch_inflate, or with a `request` that the caller has set: fills `index`. */
int ctl_batch_walk(struct ctl_batch *batch, struct err *err);

/* All three: 1 and batch->readable, 0 when there is no such batch, -1 when the spool cannot be read. */
int ctl_batch_look(struct ctl_batch *batch, struct spool *spool, uint64_t seq, struct err *err);

/* Walks a request that is not a batch of the spool, such as a parked span's: sets batch->readable. */
void ctl_batch_look_at(struct ctl_batch *batch, struct slice request);

/* Whether it has spans of a resource with this service.name, byte by byte.  After a look that found it readable. */
bool ctl_batch_has_service(struct ctl_batch *batch, struct slice service);

/* The service.name of a resource, in the batch's `decoded`; empty when it says none.  -1: no memory. */
int ctl_batch_service(struct ctl_batch *batch, uint32_t resource, struct slice *service, struct err *err);

struct ctl_services {
    struct slice names[CTL_SERVICES_MAX]; /* in the batch's `decoded` */
    size_t count;
    bool more; /* than fit */
};

/* After ctl_batch_walk: the distinct service.name of its resources, in order. */
int ctl_batch_services(struct ctl_batch *batch, struct ctl_services *services, struct err *err);

#define CTL_MISSING_TEXT_MAX 96

/* What to say of a number under which there is no batch.  Returns `out`.  Pure. */
const char *ctl_batch_missing(char out[CTL_MISSING_TEXT_MAX], uint64_t seq, uint64_t next_seq);

#endif
