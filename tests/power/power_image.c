/*
 * power_image.c - see the header.  One thread, after the recording.
 */
#include "power_image.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "power_work.h"

#define SECTOR_BYTES 512U

struct power_builder {
    const struct power_log *log;
    uint64_t size_bytes;
    enum power_defect defect;
    size_t at;        /* entries gone through */
    size_t last_sync; /* what the last sync had behind it */
    size_t *pending;  /* entries that are not synced, in order */
    size_t pending_count;
    uint8_t *synced;
    uint64_t synced_length;
    struct power_image image;
    struct power_model *model;
};

static void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes);

    if (memory == NULL)
        abort();
    return memory;
}

struct power_builder *power_builder_new(struct power_log *log, uint64_t size_bytes, enum power_defect defect)
{
    struct power_builder *builder = allocate(sizeof(*builder));

    builder->log = log;
    builder->size_bytes = size_bytes;
    builder->defect = defect;
    builder->pending = allocate(power_log_count(log) * sizeof(builder->pending[0]));
    builder->synced = allocate(size_bytes);
    builder->image.bytes = allocate(size_bytes);
    builder->model = allocate(sizeof(*builder->model));
    return builder;
}

void power_builder_free(struct power_builder *builder)
{
    if (builder == NULL)
        return;
    free(builder->pending);
    free(builder->synced);
    free(builder->image.bytes);
    free(builder->model);
    free(builder);
}

const struct power_model *power_builder_model(const struct power_builder *builder)
{
    return builder->model;
}

size_t power_builder_unsynced(const struct power_builder *builder)
{
    return builder->pending_count;
}

/* --- what is synced -------------------------------------------------------- */

static void set_length(uint8_t *bytes, uint64_t *length, uint64_t to)
{
    if (to < *length)
        memset(bytes + to, 0, *length - to);
    *length = to;
}

static void write_bytes(uint8_t *bytes, uint64_t *length, uint64_t offset, const void *from, size_t count)
{
    memcpy(bytes + offset, from, count);
    if (*length < offset + count)
        *length = offset + count;
}

static void apply(const struct power_log *log, const struct power_entry *entry, uint8_t *bytes, uint64_t *length)
{
    if (entry->kind == POWER_WRITE)
        write_bytes(bytes, length, entry->offset, power_log_data(log, entry), entry->bytes);
    else if (entry->kind == POWER_LENGTH || entry->offset > *length)
        set_length(bytes, length, entry->offset);
}

static void sync_entry(struct power_builder *builder, const struct power_entry *entry)
{
    apply(builder->log, entry, builder->synced, &builder->synced_length);
}

static void sync_before(struct power_builder *builder, size_t end)
{
    size_t kept = 0;

    for (size_t i = 0; i < builder->pending_count; i++) {
        if (builder->pending[i] < end)
            sync_entry(builder, power_log_at(builder->log, builder->pending[i]));
        else
            builder->pending[kept++] = builder->pending[i];
    }
    builder->pending_count = kept;
}

static void sync_one(struct power_builder *builder, size_t number)
{
    for (size_t i = 0; i < builder->pending_count; i++) {
        if (builder->pending[i] != number)
            continue;
        sync_entry(builder, power_log_at(builder->log, number));
        memmove(&builder->pending[i], &builder->pending[i + 1],
                (builder->pending_count - i - 1) * sizeof(builder->pending[0]));
        builder->pending_count--;
        return;
    }
}

/* A sync that is left out has come to pass, by the kernel's own writing back, when the next one is made. */
static void follow_sync(struct power_builder *builder, const struct power_entry *entry)
{
    sync_before(builder, builder->defect == POWER_WITHOUT_DATA_SYNC ? builder->last_sync : entry->of);
    builder->last_sync = entry->of;
}

static void follow_written(struct power_builder *builder, size_t number)
{
    if (power_log_at(builder->log, number)->durable && builder->defect != POWER_WITHOUT_META_SYNC)
        sync_one(builder, number);
}

static void follow(struct power_builder *builder, size_t number)
{
    const struct power_entry *entry = power_log_at(builder->log, number);

    switch (entry->kind) {
    case POWER_WRITE:
    case POWER_LENGTH:
    case POWER_GROWN:
        assert(entry->offset + entry->bytes <= builder->size_bytes);
        builder->pending[builder->pending_count++] = number;
        break;
    case POWER_WRITTEN:
        follow_written(builder, entry->of);
        break;
    case POWER_SYNC:
        follow_sync(builder, entry);
        break;
    case POWER_NAMED:
        builder->model->named = true;
        break;
    case POWER_MARK:
        power_model_follow(builder->model, power_log_data(builder->log, entry));
        break;
    }
}

/* --- what is not ----------------------------------------------------------- */

enum subset { ALL, NONE, LAST_ONLY, LAST_SOME, WHOLE_WRITES, SECTORS };

static const char *const subset_names[] = {"all", "none", "the last", "the last some", "some", "some sectors"};

static enum subset choose_subset(uint64_t *random)
{
    static const enum subset likely[] = {ALL,     NONE,         LAST_ONLY, LAST_SOME, LAST_SOME,
                                         SECTORS, WHOLE_WRITES, SECTORS,   SECTORS,   SECTORS};

    return likely[power_random_below(random, sizeof(likely) / sizeof(likely[0]))];
}

/* Of 100, how many of the writes that `subset` leaves to chance, or of their sectors, are there. */
static unsigned percent_of(const struct power_builder *builder, enum subset subset, size_t place, unsigned percent)
{
    switch (subset) {
    case ALL:
        return 100;
    case NONE:
        return 0;
    case LAST_ONLY:
        return place + 1 == builder->pending_count ? 100 : 0;
    case LAST_SOME:
        return place * 100 >= builder->pending_count * percent ? 100 : 0;
    case WHOLE_WRITES:
    case SECTORS:
        break;
    }
    return percent;
}

static void tear(struct power_image *image, const struct power_entry *entry, const uint8_t *from, unsigned percent,
                 uint64_t *random)
{
    /* Sectors of the disk: a write may begin within one. */
    for (uint64_t done = 0, step; done < entry->bytes; done += step) {
        step = SECTOR_BYTES - (entry->offset + done) % SECTOR_BYTES;
        if (step > entry->bytes - done)
            step = entry->bytes - done;
        if (power_random_below(random, 100) < percent)
            write_bytes(image->bytes, &image->length, entry->offset + done, from + done, step);
    }
}

static void add_unsynced(struct power_builder *builder, uint64_t *random)
{
    static const unsigned percents[] = {10, 50, 90};
    enum subset subset = choose_subset(random);
    unsigned percent = percents[power_random_below(random, 3)];

    for (size_t i = 0; i < builder->pending_count; i++) {
        const struct power_entry *entry = power_log_at(builder->log, builder->pending[i]);
        unsigned of_this = percent_of(builder, subset, i, percent);
        bool is_torn = subset == SECTORS && entry->kind == POWER_WRITE;

        if (is_torn)
            tear(&builder->image, entry, power_log_data(builder->log, entry), of_this, random);
        else if (power_random_below(random, 100) < of_this)
            apply(builder->log, entry, builder->image.bytes, &builder->image.length);
    }
    snprintf(builder->image.text, sizeof(builder->image.text), "after entry %zu, of %zu unsynced writes %s (%u %%)",
             builder->at, builder->pending_count, subset_names[subset], percent);
}

const struct power_image *power_builder_cut(struct power_builder *builder, size_t cut, uint64_t *random)
{
    assert(cut >= builder->at);
    for (; builder->at < cut; builder->at++)
        follow(builder, builder->at);
    memcpy(builder->image.bytes, builder->synced, builder->size_bytes);
    builder->image.length = builder->synced_length;
    add_unsynced(builder, random);
    builder->image.exists = builder->model->named || power_random_below(random, 2) == 0;
    return &builder->image;
}
