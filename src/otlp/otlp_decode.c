/*
 * otlp_decode.c - protobuf-c over an arena.
 *
 * Runs on the caller's thread.  protobuf-c gives one answer, NULL, to every
 * failure; whether the arena was full is what the allocator remembers.
 */
#include "otlp_decode.h"

#include <errno.h>

struct allocation {
    struct arena *arena;
    bool is_full;
};

static void *take(void *data, size_t size)
{
    struct allocation *allocation = data;
    void *memory = arena_alloc(allocation->arena, size);

    if (memory == NULL)
        allocation->is_full = true;
    return memory;
}

/* The arena gives everything back at once. */
static void give_back(void *data, void *memory)
{
    (void)data;
    (void)memory;
}

static int decode(const void **message, const ProtobufCMessageDescriptor *descriptor, struct arena *arena,
                  struct slice bytes, struct err *err)
{
    struct allocation allocation = {.arena = arena};
    ProtobufCAllocator allocator = {.alloc = take, .free = give_back, .allocator_data = &allocation};

    *message = protobuf_c_message_unpack(descriptor, &allocator, bytes.len, bytes.data);
    if (*message != NULL)
        return 0;
    if (allocation.is_full)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory to decode a %s of %zu bytes", descriptor->short_name,
                       bytes.len);
    return err_set(err, ERR_POISON, EBADMSG, "%zu bytes do not decode as a %s", bytes.len, descriptor->short_name);
}

int otlp_decode_span(const Otlp__Span **span, struct arena *arena, struct slice bytes, struct err *err)
{
    return decode((const void **)span, &otlp__span__descriptor, arena, bytes, err);
}

int otlp_decode_resource(const Otlp__Resource **resource, struct arena *arena, struct slice bytes, struct err *err)
{
    return decode((const void **)resource, &otlp__resource__descriptor, arena, bytes, err);
}

int otlp_decode_scope(const Otlp__InstrumentationScope **scope, struct arena *arena, struct slice bytes,
                      struct err *err)
{
    return decode((const void **)scope, &otlp__instrumentation_scope__descriptor, arena, bytes, err);
}

struct slice otlp_attribute_string(Otlp__KeyValue *const *attributes, size_t count, const char *key)
{
    struct slice wanted = slice_of_text(key);

    for (size_t i = 0; i < count; i++) {
        const Otlp__KeyValue *attribute = attributes[i];

        if (!slice_equal(slice_of(attribute->key.data, attribute->key.len), wanted) || attribute->value == NULL)
            continue;
        if (attribute->value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE)
            return slice_of(attribute->value->string_value.data, attribute->value->string_value.len);
    }
    return slice_of(NULL, 0);
}
