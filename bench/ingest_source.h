/*
 * ingest_source.h - the spans of captured requests, as a list to cut new
 * requests from.
 */
#ifndef TRACESPOOL_INGEST_SOURCE_H
#define TRACESPOOL_INGEST_SOURCE_H

#include <stddef.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "otlp_index.h"

#define INGEST_SOURCE_FILES_MAX 256

/* A span with what it stands under; spans of one request have the same pointers. */
struct ingest_span {
    struct slice bytes; /* Span message */
    const struct otlp_scope_ref *scope;
    const struct otlp_resource_ref *resource;
};

struct ingest_source {
    struct arena arena; /* the indexes and the list */
    struct buf files[INGEST_SOURCE_FILES_MAX];
    struct otlp_index indexes[INGEST_SOURCE_FILES_MAX];
    size_t file_count;
    struct ingest_span *spans; /* file after file, in the order of their names */
    size_t span_count;
};

/*
 * Reads what the SDKs' agents sent, java-*.pb and node-*.pb in `folder`.  Of
 * their valid spans as many are taken of the one as of the other: about 460
 * bytes each.  0, or -1: a file cannot be read, or
 * there is no span.  _fini in either case.
 */
int ingest_source_init(struct ingest_source *source, const char *folder, struct err *err);
void ingest_source_fini(struct ingest_source *source);

#endif
