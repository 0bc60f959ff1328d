/*
 * seed_otlp.c - inputs for fuzz_otlp_codec, fuzz_otlp_json and fuzz_otlp_status
 * to begin with:
 *
 *   seed_otlp DIRECTORY REQUEST.pb...   makes DIRECTORY/codec, /json and /status
 *
 * Of each request, which is protobuf, the first kilobytes in every codec and
 * its first spans as JSON; and the answers that there are.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otlp_index.h"
#include "otlp_json.h"
#include "otlp_response.h"
#include "otlp_status.h"
#include "packers.h"

#define REQUEST_BYTES_MAX (16UL << 20)
#define CODEC_BYTES_MAX 4096
#define SPANS_MAX 3

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "seed_otlp: %s\n", what);
    exit(1);
}

static void read_file(struct buf *bytes, const char *path)
{
    int fd = open(path, O_RDONLY);
    uint8_t *to = buf_reserve(bytes, REQUEST_BYTES_MAX);
    ssize_t len;

    require(fd != -1 && to != NULL, path);
    len = read(fd, to, REQUEST_BYTES_MAX);
    require(len >= 0, path);
    bytes->len = (size_t)len;
    close(fd);
}

static void write_file(const char *directory, const char *kind, const char *name, unsigned variant, struct slice bytes)
{
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "%s/%s/%s-%u", directory, kind, name, variant);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    require(fd != -1 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len, "cannot write a seed");
    close(fd);
}

static void seed_codec(const char *directory, const char *name, unsigned variant, unsigned codec,
                       const struct buf *packed)
{
    struct buf seed;
    uint8_t head[2] = {(uint8_t)codec, 0};

    buf_init(&seed, REQUEST_BYTES_MAX);
    require(buf_append(&seed, head, 2) == 0 && buf_append(&seed, packed->data, packed->len) == 0, "no memory");
    write_file(directory, "codec", name, variant, buf_slice(&seed));
    buf_fini(&seed);
}

static void seed_codecs(const char *directory, const char *name, struct slice request)
{
    struct buf packed;

    if (request.len > CODEC_BYTES_MAX)
        request.len = CODEC_BYTES_MAX;
    buf_init(&packed, REQUEST_BYTES_MAX);
    for (unsigned codec = OTLP_CODEC_IDENTITY; codec <= OTLP_CODEC_SNAPPY; codec++) {
        pack((enum otlp_codec)codec, request, &packed);
        seed_codec(directory, name, codec, codec, &packed);
    }
    pack_snappy_block(request, &packed);
    seed_codec(directory, name, OTLP_CODEC_SNAPPY + 1, OTLP_CODEC_SNAPPY, &packed);
    buf_fini(&packed);
}

static void seed_span(const char *directory, const char *name, unsigned variant, const Otlp__Span *span)
{
    struct json json;
    struct buf text;

    buf_init(&text, REQUEST_BYTES_MAX);
    json_init(&json, &text);
    buf_text(&text, "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{\"name\":\"s\"},\"spans\":[");
    otlp_json_span(&json, span);
    buf_text(&text, "],\"schemaUrl\":\"u\"}]}]}");
    require(!text.failed, "no memory");
    write_file(directory, "json", name, variant, buf_slice(&text));
    buf_fini(&text);
}

static void seed_json(const char *directory, const char *name, struct slice request)
{
    struct otlp_index index;
    struct arena arena;
    const Otlp__Span *span;

    arena_init(&arena, 16 * REQUEST_BYTES_MAX);
    require(otlp_index_build(&index, &arena, request, NULL) == 0, "not a request");
    for (uint32_t i = 0; i < index.span_count && i < SPANS_MAX; i++) {
        require(otlp_decode_span(&span, &arena, index.spans[i].bytes, NULL) == 0, "a span does not decode");
        seed_span(directory, name, i, span);
    }
    arena_fini(&arena);
}

static void seed_status(const char *directory)
{
    struct buf out;

    buf_init(&out, 4096);
    otlp_status_put_retry(&out, 14, "the spool is full", 1250);
    write_file(directory, "status", "retry", 0, buf_slice(&out));
    buf_clear(&out);
    otlp_status_put_bad_request(&out, 3, "not hexadecimal", "request");
    write_file(directory, "status", "bad", 0, buf_slice(&out));
    buf_clear(&out);
    otlp_response_put(&out, 300, "trace_id: 300");
    write_file(directory, "status", "response", 0, buf_slice(&out));
    buf_fini(&out);
}

static void make_directory(const char *directory, const char *kind)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", directory, kind);
    require(mkdir(path, 0777) == 0, "DIRECTORY is there already, or cannot be made");
}

int main(int argc, char **argv)
{
    require(argc > 2, "usage: seed_otlp DIRECTORY REQUEST.pb...");
    make_directory(argv[1], "");
    make_directory(argv[1], "codec");
    make_directory(argv[1], "json");
    make_directory(argv[1], "status");
    seed_status(argv[1]);
    for (int i = 2; i < argc; i++) {
        const char *slash = strrchr(argv[i], '/');
        const char *name = slash == NULL ? argv[i] : slash + 1;
        struct buf request;

        buf_init(&request, REQUEST_BYTES_MAX);
        read_file(&request, argv[i]);
        seed_codecs(argv[1], name, buf_slice(&request));
        seed_json(argv[1], name, buf_slice(&request));
        buf_fini(&request);
    }
    return 0;
}
