/*
 * ctl_requests.c - reading and writing files of requests.
 *
 * A message is read whole, under the bound of what a receiver takes; the
 * memory is that of the largest one.  A framed message, and a line of JSON,
 * that is no request is told, and the next one is read.  A message of no bytes
 * is a request without spans and is passed over: one is written before a first
 * message that is so long that its length would look like a request.  A file of
 * no bytes is a mistake; nothing on standard input is what an export of nothing
 * wrote.
 */
#include "ctl_requests.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "bounds.h"
#include "otlp_codec.h"
#include "otlp_json_read.h"

#define READ_BYTES (256UL << 10)
#define PIECE_BYTES 4096
#define FRAMED_BEFORE 0x08 /* the first byte of a length, and of no request */

static int too_large(struct err *err)
{
    return err_set(err, ERR_POISON, EMSGSIZE, "larger than %lu bytes, the most that a receiver takes",
                   CTL_REQUEST_BYTES_MAX);
}

/* --- bytes of the file ----------------------------------------------------- */

/* Up to `len` bytes; less at the end of the file. */
static int read_some(struct ctl_requests *requests, void *out, size_t len, size_t *got, struct err *err)
{
    size_t had = requests->head_len - requests->head_at;

    if (had > len)
        had = len;
    memcpy(out, requests->head + requests->head_at, had);
    requests->head_at += had;
    *got = had + fread((uint8_t *)out + had, 1, len - had, requests->file);
    requests->read_bytes += *got;
    return ferror(requests->file) ? err_set(err, ERR_CONFIG, errno, "%s", strerror(errno)) : 0;
}

static int next_byte(struct ctl_requests *requests)
{
    if (requests->head_at < requests->head_len)
        return requests->head[requests->head_at++];
    return getc_unlocked(requests->file);
}

/* --- what a message is compressed with ------------------------------------- */

static enum otlp_codec codec_of(struct slice bytes)
{
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd}, gzip[] = {0x1f, 0x8b};

    if (bytes.len >= sizeof(zstd) && memcmp(bytes.data, zstd, sizeof(zstd)) == 0)
        return OTLP_CODEC_ZSTD;
    if (bytes.len >= sizeof(gzip) && memcmp(bytes.data, gzip, sizeof(gzip)) == 0)
        return OTLP_CODEC_GZIP;
    return OTLP_CODEC_IDENTITY;
}

static bool is_json(struct slice bytes)
{
    return bytes.len > 0 && bytes.data[0] == '{';
}

/* What stands in the file, as a request in protobuf. */
static int make_request(struct ctl_requests *requests, struct slice *request, struct err *err)
{
    enum otlp_codec codec;

    *request = buf_slice(&requests->raw);
    codec = codec_of(*request);
    if (codec != OTLP_CODEC_IDENTITY) {
        if (otlp_codec_inflate(codec, *request, CTL_REQUEST_BYTES_MAX, &requests->inflated, err) < 0)
            return -1;
        *request = buf_slice(&requests->inflated);
    }
    if (!is_json(*request))
        return 0;
    if (otlp_json_read(*request, CTL_REQUEST_BYTES_MAX, &requests->converted, err) < 0)
        return -1;
    *request = buf_slice(&requests->converted);
    return 0;
}

/* --- opening --------------------------------------------------------------- */

static int tell_form(struct ctl_requests *requests, struct err *err)
{
    struct slice head = slice_of(requests->head, requests->head_len);
    struct stat stat;

    if (head.len == 0 && requests->file != stdin)
        return err_set(err, ERR_CONFIG, 0, "is empty: it holds no request");
    if (codec_of(head) != OTLP_CODEC_IDENTITY)
        return err_set(err, ERR_CONFIG, 0, "is compressed as a whole: `%s FILE | tracespool VERB -` reads it",
                       codec_of(head) == OTLP_CODEC_ZSTD ? "zstdcat" : "zcat");
    if (is_json(head))
        requests->form = CTL_REQUESTS_JSON;
    else if (head.len > 0 && head.data[0] < FRAMED_BEFORE)
        requests->form = CTL_REQUESTS_FRAMED;
    /* Told without reading it first. */
    if (requests->form == CTL_REQUESTS_ONE && fstat(fileno(requests->file), &stat) == 0 && S_ISREG(stat.st_mode) &&
        (uint64_t)stat.st_size > CTL_REQUEST_BYTES_MAX)
        return too_large(err);
    return 0;
}

int ctl_requests_open(struct ctl_requests *requests, const char *path, struct err *err)
{
    *requests = (struct ctl_requests){.file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe")};
    if (requests->file == NULL)
        return err_set(err, ERR_CONFIG, errno, "%s", strerror(errno));
    buf_init(&requests->raw, CTL_REQUEST_BYTES_MAX + READ_BYTES);
    buf_init(&requests->inflated, CTL_REQUEST_BYTES_MAX);
    buf_init(&requests->converted, CTL_REQUEST_BYTES_MAX);
    if (read_some(requests, requests->head, sizeof(requests->head), &requests->head_len, err) < 0 ||
        tell_form(requests, err) < 0) {
        ctl_requests_close(requests);
        return -1;
    }
    requests->read_bytes = 0;
    return 0;
}

void ctl_requests_close(struct ctl_requests *requests)
{
    buf_fini(&requests->converted);
    buf_fini(&requests->inflated);
    buf_fini(&requests->raw);
    if (requests->file != stdin)
        fclose(requests->file);
}

char *ctl_requests_place(char out[CTL_REQUESTS_PLACE_MAX], const struct ctl_requests *requests)
{
    out[0] = '\0';
    if (requests->form == CTL_REQUESTS_FRAMED)
        snprintf(out, CTL_REQUESTS_PLACE_MAX, "message %" PRIu64, requests->number);
    else if (requests->form == CTL_REQUESTS_JSON)
        snprintf(out, CTL_REQUESTS_PLACE_MAX, "line %" PRIu64, requests->first_line);
    return out;
}

/* --- one request ----------------------------------------------------------- */

/* All that is left of the file. */
static enum ctl_requests_result read_one(struct ctl_requests *requests, struct err *err)
{
    size_t got;

    if (requests->number > 0 || requests->head_len == 0)
        return CTL_REQUESTS_END;
    requests->number = 1;
    do {
        uint8_t *room = buf_reserve(&requests->raw, READ_BYTES);

        if (room == NULL)
            return too_large(err);
        if (read_some(requests, room, READ_BYTES, &got, err) < 0)
            return CTL_REQUESTS_FAILED;
        requests->raw.len += got;
    } while (got > 0);
    return CTL_REQUESTS_READ;
}

/* --- framed ---------------------------------------------------------------- */

static int cut_short(const struct ctl_requests *requests, struct err *err)
{
    return err_set(err, ERR_POISON, 0, "ends within message %" PRIu64, requests->number);
}

static uint32_t length_of(const uint8_t head[CTL_REQUESTS_HEAD_BYTES])
{
    return (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | (uint32_t)head[3];
}

static enum ctl_requests_result read_length(struct ctl_requests *requests, uint32_t *length, struct err *err)
{
    uint8_t head[CTL_REQUESTS_HEAD_BYTES];
    size_t got;

    requests->number++;
    if (read_some(requests, head, sizeof(head), &got, err) < 0)
        return CTL_REQUESTS_FAILED;
    if (got == 0)
        return CTL_REQUESTS_END;
    if (got < sizeof(head))
        return cut_short(requests, err);
    *length = length_of(head);
    if (*length > CTL_REQUEST_BYTES_MAX)
        return err_set(err, ERR_POISON, EMSGSIZE,
                       "message %" PRIu64 " is said to have %lu bytes: more than a receiver takes", requests->number,
                       (unsigned long)*length);
    return CTL_REQUESTS_READ;
}

static enum ctl_requests_result read_framed(struct ctl_requests *requests, struct err *err)
{
    enum ctl_requests_result result;
    uint32_t length = 0;
    uint8_t *room;
    size_t got;

    do {
        result = read_length(requests, &length, err);
    } while (result == CTL_REQUESTS_READ && length == 0);
    if (result == CTL_REQUESTS_END && !requests->any)
        return err_set(err, ERR_POISON, 0, "holds no message");
    if (result != CTL_REQUESTS_READ)
        return result;
    room = buf_reserve(&requests->raw, length);
    if (room == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for a message of %lu bytes", (unsigned long)length);
    if (read_some(requests, room, length, &got, err) < 0)
        return CTL_REQUESTS_FAILED;
    requests->raw.len += got;
    return got == length ? CTL_REQUESTS_READ : cut_short(requests, err);
}

/* --- JSON ------------------------------------------------------------------ */

/* Appends the next line with its end; what is over the bound of `raw` is passed over.  False at the end of the file. */
static bool read_line(struct ctl_requests *requests)
{
    uint8_t piece[PIECE_BYTES];
    size_t len = 0;
    bool any = false;
    int byte;

    requests->line++;
    do {
        byte = next_byte(requests);
        if (byte != EOF)
            piece[len++] = (uint8_t)byte;
        if (len == sizeof(piece) || byte == '\n' || byte == EOF) {
            any |= len > 0;
            requests->read_bytes += len;
            if (!requests->raw.failed)
                buf_append(&requests->raw, piece, len);
            len = 0;
        }
    } while (byte != '\n' && byte != EOF);
    return any;
}

static bool is_blank(struct slice line)
{
    while (line.len > 0 && memchr(" \t\r\n", line.data[line.len - 1], 4) != NULL)
        line.len--;
    return line.len == 0;
}

/* A line that only opens an object: the request is indented, and ends with a line that begins with its brace. */
static bool opens_indented(struct slice line)
{
    return is_json(line) && is_blank(slice_of(line.data + 1, line.len - 1));
}

static enum ctl_requests_result read_json(struct ctl_requests *requests, struct err *err)
{
    bool indented;

    do {
        buf_clear(&requests->raw);
        if (!read_line(requests))
            return ferror(requests->file) ? err_set(err, ERR_CONFIG, errno, "%s", strerror(errno)) : CTL_REQUESTS_END;
    } while (!requests->raw.failed && is_blank(buf_slice(&requests->raw)));
    requests->number++;
    requests->first_line = requests->line;
    for (indented = !requests->raw.failed && opens_indented(buf_slice(&requests->raw)); indented;) {
        size_t at = requests->raw.len;

        indented = read_line(requests) && (requests->raw.failed || requests->raw.data[at] != '}');
    }
    if (ferror(requests->file))
        return err_set(err, ERR_CONFIG, errno, "%s", strerror(errno));
    if (!requests->raw.failed && is_json(buf_slice(&requests->raw)))
        return CTL_REQUESTS_READ;
    if (requests->raw.failed)
        too_large(err);
    else
        err_set(err, ERR_POISON, EBADMSG, "no request in OTLP/JSON, which begins with {");
    return CTL_REQUESTS_BAD;
}

/* --- any ------------------------------------------------------------------- */

enum ctl_requests_result ctl_requests_next(struct ctl_requests *requests, struct slice *request, struct err *err)
{
    enum ctl_requests_result result;

    buf_clear(&requests->raw);
    result = requests->form == CTL_REQUESTS_JSON     ? read_json(requests, err)
             : requests->form == CTL_REQUESTS_FRAMED ? read_framed(requests, err)
                                                     : read_one(requests, err);
    requests->any |= result == CTL_REQUESTS_READ;
    if (result == CTL_REQUESTS_READ && make_request(requests, request, err) < 0)
        result = CTL_REQUESTS_BAD;
    return result;
}

static int write_one(FILE *file, struct slice request)
{
    uint8_t head[CTL_REQUESTS_HEAD_BYTES] = {(uint8_t)(request.len >> 24), (uint8_t)(request.len >> 16),
                                             (uint8_t)(request.len >> 8), (uint8_t)request.len};

    if (fwrite(head, 1, sizeof(head), file) != sizeof(head))
        return -1;
    return request.len == 0 || fwrite(request.data, 1, request.len, file) == request.len ? 0 : -1;
}

int ctl_requests_write(FILE *file, struct slice request, bool first)
{
    if (first && request.len >> 24 >= FRAMED_BEFORE && write_one(file, slice_of("", 0)) < 0)
        return -1;
    return write_one(file, request);
}
