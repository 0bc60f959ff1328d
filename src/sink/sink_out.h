/*
 * sink_out.h - writing a BSON document, element by element, at the end of a
 * buffer and under its size bound.  Pure.
 *
 * Every element is charged before it is written, and once a document is too
 * large all further writes do nothing, so a run of them is checked once, at
 * the end.
 */
#ifndef TRACESPOOL_SINK_OUT_H
#define TRACESPOOL_SINK_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "otlp_decode.h"
#include "slice.h"

struct sink_out {
    struct arena *arena; /* for keys; reset by the owner between documents */
    struct buf *to;      /* the owner's, where the document goes */
    struct buf scratch;  /* one text being repaired */
    size_t room_bytes;   /* left in the document */
    bool too_large;      /* sticky until sink_out_start */
    bool no_memory;      /* the same */
    uint64_t repaired;   /* texts that were not UTF-8, since the owner zeroed it */
    uint64_t clamped;    /* times past int64, the same */
};

void sink_out_init(struct sink_out *out, struct arena *arena);
void sink_out_fini(struct sink_out *out);

/* Begins a document of at most SINK_DOCUMENT_BYTES_MAX at the end of `to`; where, for sink_out_end. */
size_t sink_out_start(struct sink_out *out, struct buf *to);

/* Takes `bytes` from the room.  False when there is not enough, or there was not before: then append nothing. */
bool sink_out_charge(struct sink_out *out, size_t bytes);

static inline bool sink_out_failed(const struct sink_out *out)
{
    return out->too_large || out->no_memory;
}

/*
 * Whether `count` more elements may fit, by the least that one takes: asked
 * before memory is taken for their keys.  False is sticky, as above.
 */
bool sink_out_may_fit(struct sink_out *out, size_t count);

/* `key` holds no NUL; sink_out_key makes one of a literal. */
#define sink_out_key(literal) slice_of(literal, sizeof(literal) - 1)

void sink_out_text(struct sink_out *out, struct slice key, struct slice text);
void sink_out_hex(struct sink_out *out, struct slice key, struct slice bytes);
void sink_out_binary(struct sink_out *out, struct slice key, struct slice bytes);
void sink_out_int32(struct sink_out *out, struct slice key, int32_t value);
void sink_out_int64(struct sink_out *out, struct slice key, int64_t value);
void sink_out_count(struct sink_out *out, struct slice key, uint32_t value); /* int32 if it fits */
void sink_out_time(struct sink_out *out, struct slice key, uint64_t unix_nano);
void sink_out_bool(struct sink_out *out, struct slice key, bool value);
void sink_out_double(struct sink_out *out, struct slice key, double value);
void sink_out_null(struct sink_out *out, struct slice key);
void sink_out_copy(struct sink_out *out, struct slice key, struct slice document);

/* A document or an array within: what follows goes into it until sink_out_end(out, *at).  False: no room, do not end. */
bool sink_out_begin(struct sink_out *out, struct slice key, size_t *at);
bool sink_out_begin_array(struct sink_out *out, struct slice key, size_t *at);
void sink_out_end(struct sink_out *out, size_t at);

/* Key of an array's element; `text` has SINK_OUT_INDEX_MAX bytes. */
#define SINK_OUT_INDEX_MAX 16
struct slice sink_out_index(char *text, uint32_t i);

/* Any attribute value, with all that is in it. */
void sink_out_value(struct sink_out *out, struct slice key, const Otlp__AnyValue *value);

/* `text` as well-formed UTF-8 that lives as long as the arena; false when memory is short or it is far too long. */
bool sink_out_well_formed(struct sink_out *out, struct slice *text);

static inline struct slice sink_out_bytes(ProtobufCBinaryData data)
{
    return slice_of(data.data, data.len);
}

#endif
