/*
 * sink_value.c - attribute values as BSON.
 *
 * Recursive: only messages that the bounded walk accepted come here, so the
 * depth is at most OTLP_DEPTH_MAX.  A value that is unset, or that refers to
 * the string table of the profiling signal, is null.
 */
#include "sink_keys.h"
#include "sink_out.h"

static void put_array(struct sink_out *out, struct slice key, const Otlp__ArrayValue *array)
{
    char text[SINK_OUT_INDEX_MAX];
    size_t at;

    if (!sink_out_begin_array(out, key, &at))
        return;
    for (size_t i = 0; i < array->n_values && !sink_out_failed(out); i++)
        sink_out_value(out, sink_out_index(text, (uint32_t)i), array->values[i]);
    sink_out_end(out, at);
}

static void put_pairs(struct sink_out *out, Otlp__KeyValue *const *pairs, size_t count)
{
    struct sink_keys keys;

    if (!sink_out_may_fit(out, count))
        return;
    if (sink_keys_init(&keys, out->arena, count) != 0) {
        out->no_memory = true;
        return;
    }
    for (size_t i = 0; i < count && !sink_out_failed(out); i++) {
        struct slice original = sink_out_bytes(pairs[i]->key);
        struct slice stored;

        if (!sink_out_well_formed(out, &original))
            return;
        if (sink_keys_nested(&keys, original, &stored) != 0) {
            out->no_memory = true;
            return;
        }
        sink_out_value(out, stored, pairs[i]->value);
    }
}

static void put_map(struct sink_out *out, struct slice key, const Otlp__KeyValueList *list)
{
    size_t at;

    if (!sink_out_begin(out, key, &at))
        return;
    put_pairs(out, list->values, list->n_values);
    sink_out_end(out, at);
}

void sink_out_value(struct sink_out *out, struct slice key, const Otlp__AnyValue *value)
{
    switch (value == NULL ? OTLP__ANY_VALUE__VALUE__NOT_SET : value->value_case) {
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
        sink_out_text(out, key, sink_out_bytes(value->string_value));
        break;
    case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
        sink_out_bool(out, key, value->bool_value != 0);
        break;
    case OTLP__ANY_VALUE__VALUE_INT_VALUE:
        sink_out_int64(out, key, value->int_value);
        break;
    case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
        sink_out_double(out, key, value->double_value);
        break;
    case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
        put_array(out, key, value->array_value);
        break;
    case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
        put_map(out, key, value->kvlist_value);
        break;
    case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
        sink_out_binary(out, key, sink_out_bytes(value->bytes_value));
        break;
    default:
        sink_out_null(out, key);
        break;
    }
}
