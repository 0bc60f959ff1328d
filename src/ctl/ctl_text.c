/*
 * ctl_text.c - text of strangers on the terminal of an operator.
 *
 * Each character becomes a piece: its bytes and its columns.  Columns come
 * from wcwidth: Hangul takes two, a combining mark none.  Nothing here fails but a full buffer, which is sticky
 * in `out`.
 */
#include "ctl_text.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <wchar.h>

#include "clock.h"
#include "units.h"
#include "utf8.h"

#define REPLACEMENT 0xFFFD
#define ELLIPSIS "…"
#define MARKS_MAX 4 /* combining marks on one character: more of them paint over the lines above and below */

/*
 * Output is UTF-8 whatever the locale: names are, and a container without any
 * LANG still sits behind a UTF-8 terminal.  So without a UTF-8 locale the
 * columns are taken from C.UTF-8, which is part of glibc.
 */
void ctl_text_init(void)
{
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

struct piece {
    char bytes[16];
    unsigned len;
    unsigned columns;
};

/* Takes the next character off `text`; ill-formed bytes become U+FFFD one by one. */
static uint32_t next_code(struct slice *text)
{
    const uint8_t *at = text->data;
    size_t len = at[0] < 0x80 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    uint32_t code;

    if (len > text->len || !utf8_valid(slice_of(at, len))) {
        code = REPLACEMENT;
        len = 1;
    } else {
        code = len == 1 ? at[0] : at[0] & (0x7FU >> len);
        for (size_t i = 1; i < len; i++)
            code = code << 6 | (at[i] & 0x3F);
    }
    text->data += len;
    text->len -= len;
    return code;
}

/* Invisible, and able to reorder or break what stands around it. */
static bool is_deceptive(uint32_t code)
{
    return code == 0x061C || (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || (code >= 0xE0000 && code <= 0xE007F);
}

static void escape(struct piece *piece, uint32_t code)
{
    int len;

    if (code == '\n' || code == '\r' || code == '\t')
        len = snprintf(piece->bytes, sizeof(piece->bytes), "\\%c", code == '\n' ? 'n' : code == '\r' ? 'r' : 't');
    else if (code < 0x80)
        len = snprintf(piece->bytes, sizeof(piece->bytes), "\\x%02" PRIx32, code);
    else
        len = snprintf(piece->bytes, sizeof(piece->bytes), code < 0x10000 ? "\\u%04" PRIx32 : "\\U%08" PRIx32, code);
    piece->len = (unsigned)len;
    piece->columns = (unsigned)len;
}

static void put_code(struct piece *piece, uint32_t code)
{
    char *at = piece->bytes;

    if (code < 0x80) {
        *at++ = (char)code;
    } else if (code < 0x800) {
        *at++ = (char)(0xC0 | code >> 6);
        *at++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *at++ = (char)(0xE0 | code >> 12);
        *at++ = (char)(0x80 | (code >> 6 & 0x3F));
        *at++ = (char)(0x80 | (code & 0x3F));
    } else {
        *at++ = (char)(0xF0 | code >> 18);
        *at++ = (char)(0x80 | (code >> 12 & 0x3F));
        *at++ = (char)(0x80 | (code >> 6 & 0x3F));
        *at++ = (char)(0x80 | (code & 0x3F));
    }
    piece->len = (unsigned)(at - piece->bytes);
}

static struct piece next_piece(struct slice *text)
{
    struct piece piece = {.columns = 0};
    uint32_t code = next_code(text);
    int columns = code == REPLACEMENT ? 1 : wcwidth((wchar_t)code);

    if (columns < 0 || code < 0x20 || code == 0x7F || is_deceptive(code)) {
        escape(&piece, code);
    } else {
        put_code(&piece, code);
        piece.columns = (unsigned)columns;
    }
    return piece;
}

unsigned ctl_text_append(struct buf *out, struct slice text, unsigned max_columns)
{
    unsigned columns = 0, marks = 0;
    unsigned kept_columns = 0;  /* the most that leaves room for the ellipsis, */
    size_t kept_len = out->len; /* and what `out` held then */

    while (text.len > 0) {
        struct piece piece = next_piece(&text);

        marks = piece.columns == 0 ? marks + 1 : 0;
        if (marks > MARKS_MAX)
            continue;
        if (piece.columns > max_columns - columns) {
            if (max_columns == 0)
                return 0;
            out->len = kept_len;
            buf_text(out, ELLIPSIS);
            return kept_columns + 1;
        }
        buf_append(out, piece.bytes, piece.len);
        columns += piece.columns;
        if (columns < max_columns) {
            kept_columns = columns;
            kept_len = out->len;
        }
    }
    return columns;
}

void ctl_text_spaces(struct buf *out, unsigned count)
{
    while (count-- > 0)
        buf_append(out, " ", 1);
}

void ctl_text_pad(struct buf *out, struct slice text, unsigned columns)
{
    unsigned used = ctl_text_append(out, text, columns);

    ctl_text_spaces(out, columns - used);
}

unsigned ctl_text_columns(struct slice text, unsigned max)
{
    unsigned columns = 0;

    while (text.len > 0 && columns < max)
        columns += next_piece(&text).columns;
    return columns < max ? columns : max;
}

void ctl_text_wrap(struct buf *out, struct slice text, unsigned indent, unsigned width)
{
    unsigned column = indent;

    while (text.len > 0) {
        const uint8_t *space = memchr(text.data, ' ', text.len);
        struct slice word = slice_of(text.data, space != NULL ? (size_t)(space - text.data) : text.len);
        unsigned columns = ctl_text_columns(word, width);

        if (column > indent && column + 1 + columns > width) {
            buf_text(out, "\n");
            ctl_text_spaces(out, indent);
            column = indent;
        } else if (column > indent) {
            buf_text(out, " ");
            column++;
        }
        column += ctl_text_append(out, word, CTL_TEXT_WHOLE);
        size_t taken = word.len + (space != NULL);
        text = slice_of(text.data + taken, text.len - taken);
    }
}

void ctl_text_duration(struct buf *out, uint64_t ns)
{
    static const struct {
        uint64_t unit_ns;
        const char *name;
    } units[] = {{NS_PER_S, "s"}, {NS_PER_MS, "ms"}, {1000, "µs"}};
    char text[UNITS_TEXT_MAX];

    if (ns >= 60 * NS_PER_S) {
        buf_text(out, units_format_duration(text, ns));
        return;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ns < units[i].unit_ns)
            continue;
        /* Cut, not rounded: 999.9 ms must not become 1000 ms. */
        uint64_t whole = ns / units[i].unit_ns;
        uint64_t thousandths = ns % units[i].unit_ns * 1000 / units[i].unit_ns;
        if (whole < 10)
            buf_printf(out, "%" PRIu64 ".%02" PRIu64 " %s", whole, thousandths / 10, units[i].name);
        else if (whole < 100)
            buf_printf(out, "%" PRIu64 ".%" PRIu64 " %s", whole, thousandths / 100, units[i].name);
        else
            buf_printf(out, "%" PRIu64 " %s", whole, units[i].name);
        return;
    }
    buf_printf(out, "%" PRIu64 " ns", ns);
}

void ctl_text_span_duration(struct buf *out, uint64_t start_unix_nano, uint64_t end_unix_nano, unsigned columns)
{
    struct buf text;

    buf_init(&text, 2 * UNITS_TEXT_MAX);
    if (start_unix_nano == 0)
        buf_text(&text, "no start");
    else if (end_unix_nano == 0)
        buf_text(&text, "no end");
    else if (end_unix_nano < start_unix_nano)
        buf_text(&text, "end<start");
    else
        ctl_text_duration(&text, end_unix_nano - start_unix_nano);
    unsigned used = ctl_text_columns(buf_slice(&text), columns);
    ctl_text_spaces(out, columns - used);
    ctl_text_append(out, buf_slice(&text), columns);
    buf_fini(&text);
}

void ctl_text_style(struct buf *out, bool colored, enum ctl_style style)
{
    static const char *const sequences[] = {
        [CTL_PLAIN] = "\033[0m", [CTL_BOLD] = "\033[1m",   [CTL_DIM] = "\033[2m",
        [CTL_RED] = "\033[31m",  [CTL_GREEN] = "\033[32m", [CTL_YELLOW] = "\033[33m",
    };

    if (colored)
        buf_text(out, sequences[style]);
}
