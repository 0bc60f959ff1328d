/*
 * sink_restore.h - a stored document as the OTLP that it was made of: the
 * inverse of sink_bson.h.  Pure.
 *
 * docs/mongodb.md says what does not come back.
 */
#ifndef TRACESPOOL_SINK_RESTORE_H
#define TRACESPOOL_SINK_RESTORE_H

#include <bson/bson.h>

#include "buf.h"
#include "err.h"

/*
 * Appends the ExportTraceServiceRequest of one ResourceSpans that `document`
 * holds, in protobuf; spans in their order, those that follow each other under
 * one scope in one ScopeSpans, fields in the order of their numbers.
 * -1: ERR_POISON when the document is not of the form of docs/mongodb.md, the
 * text names the member; ERR_BUSY when `out` is full.  Then what was appended
 * is of no use.
 */
int sink_restore(struct buf *out, const bson_t *document, struct err *err);

#endif
