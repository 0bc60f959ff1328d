/*
 * sink_stored.c - a fragment as a document, and back.
 *
 * Any thread.
 */
#include "sink_stored.h"

#include <stdlib.h>

#include "sink_bson.h"
#include "sink_restore.h"

struct sink_stored {
    struct sink_bson bson;
    struct buf document;
};

struct sink_stored *sink_stored_new(void)
{
    struct sink_stored *stored = calloc(1, sizeof(*stored));

    if (stored == NULL)
        return NULL;
    sink_bson_init(&stored->bson);
    buf_init(&stored->document, SINK_DOCUMENT_BYTES_MAX);
    return stored;
}

void sink_stored_free(struct sink_stored *stored)
{
    if (stored == NULL)
        return;
    buf_fini(&stored->document);
    sink_bson_fini(&stored->bson);
    free(stored);
}

int sink_stored_request(struct sink_stored *stored, const struct otlp_fragment *fragment, struct buf *request,
                        struct err *err)
{
    bson_t document;

    buf_clear(request);
    buf_clear(&stored->document);
    sink_bson_forget(&stored->bson); /* fragments of one index come in no order that is known here */
    if (sink_bson_build(&stored->bson, fragment, &stored->document, err) < 0)
        return -1;
    /* Cannot fail: the length that a document begins with is that of its bytes. */
    bson_init_static(&document, stored->document.data, stored->document.len);
    return sink_restore(request, &document, err);
}
