/*
 * ingest_source.c - reads captures and lists their spans.
 *
 * Before the clock starts.  Any failure ends the program.
 */
#include "ingest_source.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX (16UL << 20)
#define ARENA_BYTES_MAX (256UL << 20)
#define READ_BYTES (64UL << 10)

static int read_file(struct buf *out, const char *path, struct err *err)
{
    FILE *file = fopen(path, "rbe");
    size_t got = 1;

    if (file == NULL)
        return err_set(err, ERR_CONFIG, errno, "%s: %s", path, strerror(errno));
    while (got > 0 && buf_reserve(out, READ_BYTES) != NULL) {
        got = fread(out->data + out->len, 1, READ_BYTES, file);
        out->len += got;
    }
    if (ferror(file) || out->failed)
        err_set(err, ERR_CONFIG, 0, "%s cannot be read, or has more than %lu bytes", path, FILE_BYTES_MAX);
    got = ferror(file) || out->failed;
    fclose(file);
    return got ? -1 : 0;
}

static int add_file(struct ingest_source *source, const char *path, struct err *err)
{
    struct buf *file = &source->files[source->file_count];
    struct otlp_index *index = &source->indexes[source->file_count];

    if (source->file_count == INGEST_SOURCE_FILES_MAX)
        return err_set(err, ERR_CONFIG, 0, "more than %d captures", INGEST_SOURCE_FILES_MAX);
    buf_init(file, FILE_BYTES_MAX);
    source->file_count++;
    if (read_file(file, path, err) < 0)
        return -1;
    if (otlp_index_build(index, &source->arena, buf_slice(file), err) < 0)
        return err_prefix(err, "%s", path);
    return 0;
}

static size_t count_spans(const struct ingest_source *source, size_t file, size_t end)
{
    size_t count = 0;

    for (; file < end; file++)
        count += source->indexes[file].by_validity[OTLP_VALID];
    return count;
}

static int add_files(struct ingest_source *source, const char *folder, const char *pattern, struct err *err)
{
    char path[4096];
    glob_t found;
    int rc = 0;

    snprintf(path, sizeof(path), "%s/%s", folder, pattern);
    if (glob(path, 0, NULL, &found) != 0)
        return err_set(err, ERR_CONFIG, 0, "there is no %s", path);
    for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
        rc = add_file(source, found.gl_pathv[i], err);
    globfree(&found);
    return rc;
}

/* The first `most` valid spans of the files from `file` on, behind those that are there. */
static void list_spans(struct ingest_source *source, size_t file, size_t end, size_t most)
{
    for (; file < end; file++) {
        const struct otlp_index *index = &source->indexes[file];

        for (uint32_t i = 0; i < index->span_count && most > 0; i++) {
            const struct otlp_span_ref *span = &index->spans[i];
            const struct otlp_scope_ref *scope = &index->scopes[span->scope];

            if (span->validity != OTLP_VALID)
                continue;
            source->spans[source->span_count++] =
                (struct ingest_span){span->bytes, scope, &index->resources[scope->resource]};
            most--;
        }
    }
}

int ingest_source_init(struct ingest_source *source, const char *folder, struct err *err)
{
    size_t java_files, java, node, each;

    *source = (struct ingest_source){.file_count = 0};
    arena_init(&source->arena, ARENA_BYTES_MAX);
    if (add_files(source, folder, "java-*.pb", err) < 0)
        return -1;
    java_files = source->file_count;
    if (add_files(source, folder, "node-*.pb", err) < 0)
        return -1;
    java = count_spans(source, 0, java_files);
    node = count_spans(source, java_files, source->file_count);
    each = java < node ? java : node;
    source->spans = arena_calloc(&source->arena, 2 * each, sizeof(*source->spans));
    if (source->spans == NULL || each == 0)
        return err_set(err, ERR_CONFIG, 0, "no span in the captures, or no memory for them");
    list_spans(source, 0, java_files, each);
    list_spans(source, java_files, source->file_count, each);
    return 0;
}

void ingest_source_fini(struct ingest_source *source)
{
    for (size_t i = 0; i < source->file_count; i++)
        buf_fini(&source->files[i]);
    arena_fini(&source->arena);
}
