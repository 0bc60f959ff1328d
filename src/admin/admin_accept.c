/*
 * admin_accept.c - which format of /metrics a client would rather have.
 *
 * Pure.  Of what a client accepts (RFC 9110, 12.5.1) the best that there is
 * counts, of equals the first; who says nothing, or nothing that there is,
 * gets Prometheus's text.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin_internal.h"

#define SPACE " \t"

struct wish {
    const char *text;
    size_t len;
};

/* The piece of *rest before the next `end`, without spaces around it; *rest goes behind. */
static struct wish next_piece(struct wish *rest, char end)
{
    const char *stop = memchr(rest->text, end, rest->len);
    size_t len = stop == NULL ? rest->len : (size_t)(stop - rest->text);
    struct wish piece = {rest->text, len};
    size_t used = stop == NULL ? len : len + 1;

    *rest = (struct wish){rest->text + used, rest->len - used};
    while (piece.len > 0 && strchr(SPACE, piece.text[0]) != NULL) {
        piece.text++;
        piece.len--;
    }
    while (piece.len > 0 && strchr(SPACE, piece.text[piece.len - 1]) != NULL)
        piece.len--;
    return piece;
}

static bool is(struct wish piece, const char *text)
{
    return piece.len == strlen(text) && strncasecmp(piece.text, text, piece.len) == 0;
}

static bool begins(struct wish piece, const char *text)
{
    return piece.len >= strlen(text) && strncasecmp(piece.text, text, strlen(text)) == 0;
}

/* 0 to 1000; what is no number is 0. */
static unsigned quality_of(struct wish piece)
{
    char text[8] = "";

    if (piece.len >= sizeof(text))
        piece.len = sizeof(text) - 1;
    memcpy(text, piece.text, piece.len);
    double value = strtod(text, NULL);
    return value >= 0 && value <= 1 ? (unsigned)(value * 1000 + 0.5) : 0;
}

/* The format that it stands for; 0 when that is none of ours, else its quality. */
static unsigned weigh(struct wish wish, enum metrics_format *format)
{
    struct wish type = next_piece(&wish, ';');
    unsigned quality = 1000;

    if (is(type, "application/openmetrics-text"))
        *format = METRICS_OPENMETRICS;
    else if (is(type, "text/plain") || is(type, "text/*") || is(type, "*/*"))
        *format = METRICS_PROMETHEUS_TEXT;
    else
        return 0;
    while (wish.len > 0) {
        struct wish parameter = next_piece(&wish, ';');

        if (begins(parameter, "q="))
            quality = quality_of((struct wish){parameter.text + 2, parameter.len - 2});
        else if (*format == METRICS_OPENMETRICS && begins(parameter, "version=") && !is(parameter, "version=1.0.0"))
            return 0;
    }
    return quality;
}

enum metrics_format admin_accept_metrics(const char *accept)
{
    struct wish rest = {accept, accept == NULL ? 0 : strlen(accept)};
    enum metrics_format best = METRICS_PROMETHEUS_TEXT;
    unsigned best_quality = 0;

    while (rest.len > 0) {
        enum metrics_format format = METRICS_PROMETHEUS_TEXT;
        unsigned quality = weigh(next_piece(&rest, ','), &format);

        if (quality <= best_quality)
            continue;
        best = format;
        best_quality = quality;
    }
    return best;
}
