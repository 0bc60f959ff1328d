/*
 * sink_keys.c - an open-addressed set of the keys in use, and the two rules.
 *
 * The set is sized for the number of keys at the start and stays at most half
 * full, so it never grows.  Each key counts the suffixes that were tried on
 * it: a request with a hundred thousand equal keys costs as many steps, not
 * the square of it.
 *
 * Any thread, one document at a time; the only failure is a full arena.
 */
#include "sink_keys.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "checksum.h"

#define SUFFIX_MAX 24 /* "%#" or "_", 20 digits, NUL */

struct sink_keys_slot {
    struct slice key; /* data NULL: free */
    uint64_t hash;
    uint64_t last_suffix; /* the last one tried, 1 when none was */
};

int sink_keys_init(struct sink_keys *keys, struct arena *arena, size_t count)
{
    size_t slots = 4;

    while (slots < 2 * count)
        slots *= 2;
    keys->arena = arena;
    keys->mask = slots - 1;
    keys->room = count;
    keys->slots = arena_calloc(arena, slots, sizeof(keys->slots[0]));
    return keys->slots == NULL ? -1 : 0;
}

/* The slot that holds `key`, or the free one where it belongs. */
static struct sink_keys_slot *find(const struct sink_keys *keys, struct slice key, uint64_t hash)
{
    size_t i = hash & keys->mask;

    while (keys->slots[i].key.data != NULL && (keys->slots[i].hash != hash || !slice_equal(keys->slots[i].key, key)))
        i = (i + 1) & keys->mask;
    return &keys->slots[i];
}

static void take(struct sink_keys *keys, struct sink_keys_slot *slot, struct slice key, uint64_t hash)
{
    assert(keys->room > 0);
    keys->room--;
    *slot = (struct sink_keys_slot){.key = key, .hash = hash, .last_suffix = 1};
}

/* A copy of `base` with room for a suffix after it. */
static char *copy_for_suffix(struct sink_keys *keys, struct slice base)
{
    char *copy = arena_alloc(keys->arena, base.len + SUFFIX_MAX);

    if (copy != NULL)
        memcpy(copy, base.data, base.len);
    return copy;
}

/* --- top level ------------------------------------------------------------ */

/* Dots and what MongoDB does not take become `_`.  *named: a reader that turns every `_` back does not get `original`. */
static int dots_replaced(struct sink_keys *keys, struct slice original, struct slice *base, bool *named)
{
    uint8_t *copy;

    *named = original.len == 0;
    if (original.len == 0) {
        *base = slice_of_text("_");
        return 0;
    }
    copy = arena_alloc(keys->arena, original.len);
    if (copy == NULL)
        return -1;
    for (size_t i = 0; i < original.len; i++) {
        uint8_t byte = original.data[i];

        bool is_strange = byte == '\0' || (byte == '$' && i == 0);

        copy[i] = byte == '.' || is_strange ? '_' : byte;
        *named |= byte == '_' || is_strange;
    }
    *base = slice_of(copy, original.len);
    return 0;
}

/* `base` is taken: the first of base_2, base_3, ... that is not. */
static int next_free(struct sink_keys *keys, struct sink_keys_slot *holder, struct slice base, struct slice *stored)
{
    char *text = copy_for_suffix(keys, base);
    struct sink_keys_slot *slot;
    uint64_t hash;

    if (text == NULL)
        return -1;
    do {
        holder->last_suffix++;
        *stored = slice_of(text, base.len + (size_t)snprintf(text + base.len, SUFFIX_MAX, "_%llu",
                                                             (unsigned long long)holder->last_suffix));
        hash = checksum_64(*stored);
        slot = find(keys, *stored, hash);
    } while (slot->key.data != NULL);
    take(keys, slot, *stored, hash);
    return 0;
}

int sink_keys_top(struct sink_keys *keys, struct slice original, struct slice *stored, bool *named)
{
    struct slice base;
    struct sink_keys_slot *slot;
    uint64_t hash;

    if (dots_replaced(keys, original, &base, named) != 0)
        return -1;
    hash = checksum_64(base);
    slot = find(keys, base, hash);
    if (slot->key.data == NULL) {
        take(keys, slot, base, hash);
        *stored = base;
        return 0;
    }
    *named = true;
    return next_free(keys, slot, base, stored);
}

/* --- nested --------------------------------------------------------------- */

static bool must_escape(struct slice key, size_t i)
{
    return key.data[i] == '%' || key.data[i] == '\0' || (key.data[i] == '$' && i == 0);
}

static size_t count_escapes(struct slice key)
{
    size_t escapes = 0;

    for (size_t i = 0; i < key.len; i++)
        escapes += must_escape(key, i);
    return escapes;
}

static int escaped(struct sink_keys *keys, struct slice original, struct slice *base)
{
    size_t escapes = count_escapes(original);
    size_t len = 0;
    char *text;

    if (original.len == 0 || escapes == 0) {
        *base = original.len == 0 ? slice_of_text("%") : original;
        return 0;
    }
    text = arena_alloc(keys->arena, original.len + 2 * escapes);
    if (text == NULL)
        return -1;
    for (size_t i = 0; i < original.len; i++) {
        uint8_t byte = original.data[i];

        if (must_escape(original, i)) {
            memcpy(text + len, byte == '%' ? "%25" : byte == '$' ? "%24" : "%00", 3);
            len += 3;
        } else {
            text[len++] = (char)byte;
        }
    }
    *base = slice_of(text, len);
    return 0;
}

int sink_keys_nested(struct sink_keys *keys, struct slice original, struct slice *stored)
{
    struct sink_keys_slot *slot;
    uint64_t hash;
    char *text;

    if (escaped(keys, original, stored) != 0)
        return -1;
    hash = checksum_64(*stored);
    slot = find(keys, *stored, hash);
    if (slot->key.data == NULL) {
        take(keys, slot, *stored, hash);
        return 0;
    }
    /* No escaped key holds "%#", so what is made here cannot meet another one. */
    text = copy_for_suffix(keys, *stored);
    if (text == NULL)
        return -1;
    slot->last_suffix++;
    *stored = slice_of(text, stored->len + (size_t)snprintf(text + stored->len, SUFFIX_MAX, "%%#%llu",
                                                            (unsigned long long)slot->last_suffix));
    return 0;
}
