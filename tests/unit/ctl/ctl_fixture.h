/*
 * ctl_fixture.h - what the tests of ctl share: spans out of nothing, text out of a buffer.
 */
#ifndef TRACESPOOL_CTL_FIXTURE_H
#define TRACESPOOL_CTL_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "ctl_spans.h"

#define FIXTURE_BEGIN 1700000000000000000ULL
#define FIXTURE_MS 1000000ULL

/* Span `id` under `parent` (0: none), by milliseconds after FIXTURE_BEGIN; an end before the start stays so. */
static inline struct ctl_span fixture_span(uint8_t id, uint8_t parent, const char *service, const char *name,
                                           uint64_t start_ms, uint64_t end_ms)
{
    struct ctl_span span = {
        .has_parent = parent != 0,
        .service = slice_of_text(service),
        .name = slice_of_text(name),
        .kind = 1,
        .start_unix_nano = FIXTURE_BEGIN + start_ms * FIXTURE_MS,
        .end_unix_nano = FIXTURE_BEGIN + end_ms * FIXTURE_MS,
        .places = CTL_IN_PENDING,
    };

    memset(span.span_id, id, sizeof(span.span_id));
    memset(span.parent_span_id, parent, sizeof(span.parent_span_id));
    span.content = id;
    return span;
}

/* The buffer's text with its NUL; valid until the next append. */
static inline const char *fixture_text(struct buf *buf)
{
    if (buf->len == 0 || buf->data[buf->len - 1] != '\0') {
        assert_int_equal(buf_append(buf, "", 1), 0);
    }
    return (const char *)buf->data;
}

#endif
