/*
 * manual_text.c - escaping for roff and for shells.
 *
 * Pure but for the output.  The tables are ASCII, which is asserted: mdoc(7)
 * would take other characters for several.
 */
#include "manual_text.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#define LINE_COLUMNS 56 /* of the text; escapes add to it, and mandoc wants 80 at most */
#define MACRO_MAX 3     /* letters of mdoc's macros */

static void put_roff(FILE *out, char c)
{
    assert((unsigned char)c < 0x80);
    switch (c) {
    case '\\':
        fputs("\\e", out);
        break;
    case '-': /* as it is typed, not as it is set between words */
        fputs("\\-", out);
        break;
    case '`':
        fputs("\\(ga", out);
        break;
    case '^':
        fputs("\\(ha", out);
        break;
    case '~':
        fputs("\\(ti", out);
        break;
    case '"':
        fputs("\\(dq", out);
        break;
    default:
        fputc(c, out);
        break;
    }
}

static void put_roff_word(FILE *out, const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put_roff(out, word[i]);
}

/* A path, an option or a name of several parts, which must not be divided. */
static int is_literal(const char *word, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (!isalpha((unsigned char)word[i]))
            return 1;
    }
    return 0;
}

static size_t word_length(const char *text)
{
    return strcspn(text, " ");
}

void manual_text_roff(FILE *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t len = word_length(text);

        if (column > 0 && column + len > LINE_COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        if (column > 0)
            fputc(' ', out);
        else if (*text == '.' || *text == '\'')
            fputs("\\&", out);
        if (is_literal(text, len))
            fputs("\\%", out);
        put_roff_word(out, text, len);
        column += len + 1;
        if (len > 0 && text[len - 1] == '.' && text[len] != '\0')
            column = LINE_COLUMNS; /* a sentence ends: the next one has a line of its own */
        text += len + (text[len] == ' ');
    }
    fputc('\n', out);
}

/* What mdoc may take for a macro, or sets apart as punctuation. */
static int is_special(const char *word, size_t len)
{
    return len <= MACRO_MAX || ispunct((unsigned char)word[0]);
}

void manual_text_roff_arguments(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t len = word_length(text);

        if (len > 0)
            fprintf(out, " %s", is_special(text, len) ? "\\&" : "");
        put_roff_word(out, text, len);
        if (len > 0 && ispunct((unsigned char)text[len - 1]))
            fputs("\\&", out);
        text += len + (text[len] == ' ');
    }
}

void manual_text_roff_joined(FILE *out, const char *word)
{
    put_roff_word(out, word, strlen(word));
}

void manual_text_quoted(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    }
}

void manual_text_quoted_fish(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
}

void manual_text_quoted_zsh(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("[]:\\", *text) != NULL)
            fputc('\\', out);
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    }
}
