/*
 * ctl_shape_print.c - services by age, as a table and as JSON.  Pure.
 *
 * Columns are as wide as what stands in them; the names take what is left.
 */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "ctl_shape.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

#define COLUMNS (CTL_SHAPE_BUCKETS + 1) /* the total and the ages */
#define NAME_COLUMNS_MIN 12
#define NAMELESS "(no service.name)"
#define OTHERS "(others)"

struct table {
    const struct ctl_shape_page *page;
    struct buf *out;
    bool bytes;
    unsigned name_columns;
    unsigned columns[COLUMNS];
};

static uint64_t value_of(const struct ctl_shape_row *row, unsigned column)
{
    return column == 0 ? row->total : row->ages[column - 1];
}

static const char *format(const struct table *table, char text[UNITS_TEXT_MAX], uint64_t value)
{
    if (table->bytes && value > 0)
        return units_format_bytes(text, value);
    snprintf(text, UNITS_TEXT_MAX, "%" PRIu64, value);
    return text;
}

/* "1m", "512m", "10s": where a bucket ends, in the largest unit that it is a multiple of; hours only when it began so. */
static const char *label(const struct ctl_shape *shape, char text[UNITS_TEXT_MAX], unsigned column)
{
    static const struct {
        uint64_t unit_ns;
        const char *name;
    } units[] = {{3600 * NS_PER_S, "h"}, {60 * NS_PER_S, "m"}, {NS_PER_S, "s"}, {NS_PER_MS, "ms"}};
    uint64_t end_ns = column > 0 ? shape->bucket_ns << (column - 1) : 0;
    size_t unit = 0;

    if (column == 0)
        return "TOTAL";
    if (column == COLUMNS - 1)
        return "older";
    while (unit + 1 < sizeof(units) / sizeof(units[0]) &&
           (end_ns % units[unit].unit_ns != 0 || (unit == 0 && shape->bucket_ns % units[0].unit_ns != 0)))
        unit++;
    snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 "%s", end_ns / units[unit].unit_ns, units[unit].name);
    return text;
}

static struct slice name_of(const struct ctl_shape_row *row)
{
    return row->name.len > 0 ? row->name : slice_of_text(NAMELESS);
}

static void widen(unsigned *columns, size_t len)
{
    *columns = len > *columns ? (unsigned)len : *columns;
}

static void measure_row(struct table *table, const struct ctl_shape_row *row, struct slice name)
{
    char text[UNITS_TEXT_MAX];

    widen(&table->name_columns, ctl_text_columns(name, table->page->width));
    for (unsigned i = 0; i < COLUMNS; i++)
        widen(&table->columns[i], strlen(format(table, text, value_of(row, i))));
}

static void measure(struct table *table)
{
    const struct ctl_shape_page *page = table->page;
    unsigned used = 0;
    char text[UNITS_TEXT_MAX];

    table->name_columns = NAME_COLUMNS_MIN;
    for (unsigned i = 0; i < COLUMNS; i++)
        widen(&table->columns[i], strlen(label(page->shape, text, i)));
    measure_row(table, &page->shape->total, slice_of_text(""));
    for (size_t i = 0; i < page->shown; i++)
        measure_row(table, &page->shape->rows[i], name_of(&page->shape->rows[i]));
    for (unsigned i = 0; i < COLUMNS; i++)
        used += table->columns[i] + 2;
    if (table->name_columns > NAME_COLUMNS_MIN && used + table->name_columns > page->width)
        table->name_columns = page->width > used + NAME_COLUMNS_MIN ? page->width - used : NAME_COLUMNS_MIN;
}

static void print_row(const struct table *table, const struct ctl_shape_row *row, struct slice name)
{
    char text[UNITS_TEXT_MAX];

    ctl_text_pad(table->out, name, table->name_columns);
    for (unsigned i = 0; i < COLUMNS; i++)
        buf_printf(table->out, "  %*s", (int)table->columns[i], format(table, text, value_of(row, i)));
    buf_text(table->out, "\n");
}

static void print_head(const struct table *table)
{
    char text[UNITS_TEXT_MAX];

    ctl_text_style(table->out, table->page->colored, CTL_BOLD);
    ctl_text_pad(table->out, slice_of_text("SERVICE"), table->name_columns);
    for (unsigned i = 0; i < COLUMNS; i++)
        buf_printf(table->out, "  %*s", (int)table->columns[i], label(table->page->shape, text, i));
    ctl_text_style(table->out, table->page->colored, CTL_PLAIN);
    buf_text(table->out, "\n");
}

void ctl_shape_print(const struct ctl_shape_page *page, struct buf *out)
{
    struct table table = {.page = page, .out = out, .bytes = strcmp(page->unit, "bytes") == 0};

    measure(&table);
    print_head(&table);
    print_row(&table, &page->shape->total, slice_of_text("TOTAL"));
    for (size_t i = 0; i < page->shown; i++)
        print_row(&table, &page->shape->rows[i], name_of(&page->shape->rows[i]));
    if (page->others.total > 0)
        print_row(&table, &page->others, slice_of_text(OTHERS));
}

/* --- JSON --------------------------------------------------------------------- */

static void put_end(struct json *json, const struct ctl_shape *shape, unsigned bucket)
{
    json_key(json, "younger_than_seconds");
    if (bucket == CTL_SHAPE_BUCKETS - 1)
        json_null(json);
    else
        json_double(json, (double)(shape->bucket_ns << bucket) / NS_PER_S);
}

static void put_row(const struct ctl_shape_page *page, const struct ctl_shape_row *row, const char *kind,
                    struct buf *out)
{
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "row");
    json_text(&json, kind);
    json_key(&json, "service");
    if (row->name.len > 0)
        json_string(&json, row->name);
    else
        json_null(&json);
    json_key(&json, "unit");
    json_text(&json, page->unit);
    json_member_uint(&json, "total", row->total);
    json_key(&json, "ages");
    json_begin_array(&json);
    for (unsigned i = 0; i < CTL_SHAPE_BUCKETS; i++) {
        json_begin_object(&json);
        put_end(&json, page->shape, i);
        json_member_uint(&json, "count", row->ages[i]);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    buf_text(out, "\n");
}

void ctl_shape_put(const struct ctl_shape_page *page, struct buf *out)
{
    put_row(page, &page->shape->total, "total", out);
    for (size_t i = 0; i < page->shown; i++)
        put_row(page, &page->shape->rows[i], "service", out);
    if (page->others.total > 0)
        put_row(page, &page->others, "others", out);
}
