/*
 * otlp_json_read.c - libyajl over a request: tokens here, their meaning in
 * otlp_json_reader.c.
 *
 * Runs on the caller's thread.  yajl calls back for each token and keeps one
 * byte for each level; it uses what it allocates without a look whether it was
 * given any, which is why it allocates from a pool (otlp_json_pool.h).  Its
 * check of UTF-8 is off: a string that is ill-formed is not worth a request,
 * and is repaired, and counted, where it is stored.
 *
 * Of lone surrogates, which JSON can write and UTF-8 cannot: yajl makes a high
 * one "?", and a low one three bytes that are repaired like the above.
 */
#include "otlp_json_read.h"

#include <errno.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "otlp_json_pool.h"
#include "otlp_json_reader.h"

static int on_null(void *reader)
{
    return otlp_json_reader_null(reader);
}

static int on_boolean(void *reader, int value)
{
    return otlp_json_reader_scalar(reader, (struct otlp_json_scalar){.kind = OTLP_JSON_IS_BOOL, .truth = value != 0});
}

static int on_number(void *reader, const char *text, size_t len)
{
    return otlp_json_reader_scalar(reader,
                                   (struct otlp_json_scalar){.kind = OTLP_JSON_IS_NUMBER, .text = slice_of(text, len)});
}

static int on_string(void *reader, const unsigned char *text, size_t len)
{
    return otlp_json_reader_scalar(reader,
                                   (struct otlp_json_scalar){.kind = OTLP_JSON_IS_STRING, .text = slice_of(text, len)});
}

static int on_key(void *reader, const unsigned char *text, size_t len)
{
    return otlp_json_reader_key(reader, slice_of(text, len));
}

static int on_begin_object(void *reader)
{
    return otlp_json_reader_begin_object(reader);
}

static int on_begin_list(void *reader)
{
    return otlp_json_reader_begin_list(reader);
}

static int on_end(void *reader)
{
    return otlp_json_reader_end(reader);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_begin_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_begin_list,
    .yajl_end_array = on_end,
};

/* yajl's text, "lexical error: invalid char in json text.\n", without its end. */
static void refuse_syntax(struct otlp_json_reader *reader, yajl_handle handle, size_t at)
{
    const char *text = (const char *)yajl_get_error(handle, 0, NULL, 0);

    otlp_json_reader_refuse_syntax(reader, at, slice_of(text, strcspn(text, "\n")));
}

static int parse(struct otlp_json_reader *reader, struct slice json, yajl_alloc_funcs *memory)
{
    yajl_handle handle = yajl_alloc(&callbacks, memory, reader);
    size_t at = json.len; /* where what is missing would be */
    yajl_status status;

    yajl_config(handle, yajl_dont_validate_strings, 1);
    status = yajl_parse(handle, json.data, json.len);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(handle);
    else
        at = yajl_get_bytes_consumed(handle);
    if (status == yajl_status_error)
        refuse_syntax(reader, handle, at);
    return status == yajl_status_ok ? 0 : -1; /* the handle goes with the pool */
}

int otlp_json_read(struct slice json, size_t max_bytes, struct buf *out, struct err *err)
{
    size_t own_max = out->max;
    struct otlp_json_reader reader;
    struct otlp_json_pool pool;
    yajl_alloc_funcs memory;
    int result;

    buf_clear(out);
    if (otlp_json_pool_init(&pool, json.len, &memory) < 0)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory to read JSON of %zu bytes", json.len);
    if (out->max > max_bytes)
        out->max = max_bytes; /* so that growing by doubling stays within it */
    otlp_json_reader_init(&reader, out, err);
    result = parse(&reader, json, &memory);
    otlp_json_pool_fini(&pool);
    out->max = own_max;
    if (result < 0)
        buf_clear(out);
    return result;
}
