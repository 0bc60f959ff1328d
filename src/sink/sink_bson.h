/*
 * sink_bson.h - a fragment as the document that docs/mongodb.md describes.  Pure.
 */
#ifndef TRACESPOOL_SINK_BSON_H
#define TRACESPOOL_SINK_BSON_H

#include "err.h"
#include "otlp_fragment.h"
#include "sink_out.h"

#define SINK_BSON_ID_BYTES (8 + OTLP_FRAGMENT_HASH_BYTES)

/*
 * Builds one document after another.  Fragments of one resource and spans of
 * one scope come in runs, so the last of each is kept as BSON.
 */
struct sink_bson {
    struct arena arena; /* one fragment, decoded */
    struct sink_out out;
    const struct otlp_index *resource_index; /* whose resource is kept; NULL: none */
    uint32_t resource_number;
    struct buf resource;                  /* a document */
    struct buf service;                   /* its service.name, well-formed */
    const struct otlp_index *scope_index; /* the same for the scope */
    uint32_t scope_number;
    struct buf scope; /* a document, or nothing when it says nothing */
};

void sink_bson_init(struct sink_bson *bson);
void sink_bson_fini(struct sink_bson *bson);

/* Forgets what is kept: an index may lie where another one lay.  Before each use with new indexes. */
void sink_bson_forget(struct sink_bson *bson);

/*
 * Appends the document to `to`, which must have room for SINK_DOCUMENT_BYTES_MAX
 * within its bound.  -1, and nothing is appended: ERR_POISON with code EMSGSIZE
 * when it would be over that, ERR_POISON when it does not decode, ERR_RETRY
 * when memory is short.
 */
int sink_bson_build(struct sink_bson *bson, const struct otlp_fragment *fragment, struct buf *to, struct err *err);

/* The document's _id: start, big-endian, then the hash. */
void sink_bson_id(uint8_t id[SINK_BSON_ID_BYTES], const struct otlp_fragment *fragment);

#endif
