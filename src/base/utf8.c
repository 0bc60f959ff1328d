/*
 * utf8.c - the well-formed byte sequences of Unicode 15, table 3-7.
 *
 * A lead byte fixes how many bytes follow and the range of the first of them;
 * that range is what excludes overlong forms, surrogates and code points past
 * U+10FFFF.
 */
#include "utf8.h"

#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/*
 * Length of the sequence at p: > 0 when it is well-formed, else minus the
 * length of the maximal subpart that one U+FFFD stands for (1 to 3).
 */
static int sequence_length(const uint8_t *p, const uint8_t *end)
{
    uint8_t low = 0x80, high = 0xbf;
    int follow;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        follow = 1;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        follow = 2;
        low = p[0] == 0xe0 ? 0xa0 : low;
        high = p[0] == 0xed ? 0x9f : high;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        follow = 3;
        low = p[0] == 0xf0 ? 0x90 : low;
        high = p[0] == 0xf4 ? 0x8f : high;
    } else {
        return -1;
    }
    for (int i = 1; i <= follow; i++) {
        if (p + i >= end || p[i] < low || p[i] > high)
            return -i;
        low = 0x80;
        high = 0xbf;
    }
    return follow + 1;
}

/* Past ASCII, which is what most text is. */
static const uint8_t *skip_ascii(const uint8_t *p, const uint8_t *end)
{
    uint64_t word;

    for (; (size_t)(end - p) >= sizeof(word); p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        if ((word & 0x8080808080808080U) != 0)
            break;
    }
    while (p < end && *p < 0x80)
        p++;
    return p;
}

/* Pointer to the first ill-formed sequence, or end. */
static const uint8_t *find_ill_formed(const uint8_t *p, const uint8_t *end)
{
    for (p = skip_ascii(p, end); p < end; p = skip_ascii(p, end)) {
        int length = sequence_length(p, end);

        if (length < 0)
            break;
        p += length;
    }
    return p;
}

bool utf8_valid(struct slice text)
{
    const uint8_t *end;

    if (text.len == 0) /* data may be NULL, and NULL + 0 is not C */
        return true;
    end = text.data + text.len;
    return find_ill_formed(text.data, end) == end;
}

int utf8_append_repaired(struct buf *out, struct slice text)
{
    const uint8_t *p = text.data;
    const uint8_t *end;
    size_t len_before = out->len;

    if (text.len == 0)
        return 0;
    end = p + text.len;
    while (p < end) {
        const uint8_t *good_end = find_ill_formed(p, end);

        if (buf_append(out, p, (size_t)(good_end - p)) != 0)
            goto fail;
        p = good_end;
        if (p < end) {
            if (buf_append(out, replacement, sizeof(replacement) - 1) != 0)
                goto fail;
            p += -sequence_length(p, end);
        }
    }
    return 0;

fail:
    out->len = len_before;
    return -1;
}
