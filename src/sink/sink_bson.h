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
    bson_t resource;
    struct buf service;                   /* its service.name, well-formed */
    const struct otlp_index *scope_index; /* the same for the scope */
    uint32_t scope_number;
    bson_t scope;
};

/*
 * Zeroed memory for a struct that has a bson_t as a member, which asks for an
 * alignment that calloc does not give.  For free().  NULL: there is none.
 */
void *sink_bson_alloc(size_t size);

void sink_bson_init(struct sink_bson *bson);
void sink_bson_fini(struct sink_bson *bson);

/* Forgets what is kept: an index may lie where another one lay.  Before each use with new indexes. */
void sink_bson_forget(struct sink_bson *bson);

/*
 * Replaces what `document` (initialized) holds.  -1: ERR_POISON with code
 * EMSGSIZE when it would be over SINK_DOCUMENT_BYTES_MAX, ERR_POISON when it
 * does not decode, ERR_RETRY when memory is short.
 */
int sink_bson_build(struct sink_bson *bson, const struct otlp_fragment *fragment, bson_t *document, struct err *err);

/* The document's _id: start, big-endian, then the hash. */
void sink_bson_id(uint8_t id[SINK_BSON_ID_BYTES], const struct otlp_fragment *fragment);

#endif
