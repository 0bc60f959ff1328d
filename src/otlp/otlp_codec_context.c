/*
 * otlp_codec_context.c - the codecs' working memory, once a thread.
 *
 * zstd's contexts take hundreds of kilobytes; making them for each request
 * costs more page faults than compressing a usual request takes time.
 */
#include <pthread.h>
#include <stdlib.h>

#include "fault.h"
#include "otlp_codec_internal.h"

struct contexts {
    struct libdeflate_decompressor *inflate; /* gzip and zlib */
    ZSTD_DCtx *unzstd;
    ZSTD_CCtx *zstd;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_failed;

static void free_contexts(void *data)
{
    struct contexts *contexts = data;

    if (contexts->inflate != NULL)
        libdeflate_free_decompressor(contexts->inflate);
    ZSTD_freeDCtx(contexts->unzstd);
    ZSTD_freeCCtx(contexts->zstd);
    free(contexts);
}

static void make_key(void)
{
    key_failed = pthread_key_create(&key, free_contexts);
}

static struct contexts *own_contexts(void)
{
    struct contexts *contexts;

    if (fault_point("otlp_codec.context") != 0)
        return NULL;
    pthread_once(&once, make_key);
    if (key_failed != 0)
        return NULL;
    contexts = pthread_getspecific(key);
    if (contexts != NULL)
        return contexts;
    contexts = calloc(1, sizeof(*contexts));
    if (contexts != NULL && pthread_setspecific(key, contexts) != 0) {
        free(contexts);
        contexts = NULL;
    }
    return contexts;
}

struct libdeflate_decompressor *otlp_codec_context_inflate(void)
{
    struct contexts *contexts = own_contexts();

    if (contexts == NULL)
        return NULL;
    if (contexts->inflate == NULL)
        contexts->inflate = libdeflate_alloc_decompressor();
    return contexts->inflate;
}

ZSTD_DCtx *otlp_codec_context_unzstd(void)
{
    struct contexts *contexts = own_contexts();

    if (contexts == NULL)
        return NULL;
    if (contexts->unzstd == NULL)
        contexts->unzstd = ZSTD_createDCtx();
    return contexts->unzstd;
}

ZSTD_CCtx *otlp_codec_context_zstd(void)
{
    struct contexts *contexts = own_contexts();

    if (contexts == NULL)
        return NULL;
    if (contexts->zstd == NULL)
        contexts->zstd = ZSTD_createCCtx();
    return contexts->zstd;
}
