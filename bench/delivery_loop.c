/*
 * delivery_loop.c - the peer of tracespoold's delivery: a bare libmongoc loop
 * that writes the documents of one database into another one of the same
 * mongod, as fast as the driver can.
 *
 *   delivery_loop URI FROM TO [--threads N] [--batch N] [--singles]
 *
 * All documents of FROM's days are read into memory first; TO's collections
 * are made with the same block compressor and indexes.  Then N threads write
 * batches by turns, unordered, acknowledged by a majority with its journal.
 * --singles makes a document of each span, with the fragment's head.
 *
 * Prints one line of JSON: documents, spans, seconds, and CPU seconds of this
 * process, of the writing alone.  Any failure ends it.
 */
#include <getopt.h>
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define THREADS_MAX 16
#define COLLECTIONS_MAX 64

struct day {
    char name[64];
    bson_t **documents;
    size_t count;
    size_t capacity;
};

struct loop {
    /* set once */
    mongoc_client_pool_t *pool;
    const char *from;
    const char *to;
    size_t batch;
    bool singles;
    struct day days[COLLECTIONS_MAX];
    size_t day_count;
    uint64_t spans;

    atomic_size_t next_batch; /* over all days */
};

static void die(const char *what, const bson_error_t *error)
{
    fprintf(stderr, "delivery_loop: %s: %s\n", what, error == NULL ? "failed" : error->message);
    exit(1);
}

/* --- reading -------------------------------------------------------------------- */

static void keep(struct loop *loop, struct day *day, bson_t *document)
{
    (void)loop;
    if (day->count == day->capacity) {
        day->capacity = day->capacity == 0 ? 1024 : day->capacity * 2;
        day->documents = realloc(day->documents, day->capacity * sizeof(*day->documents));
        if (day->documents == NULL)
            die("memory", NULL);
    }
    day->documents[day->count++] = document;
}

/* The fragment with one of its spans, and an _id that continues the fragment's. */
static bson_t *make_single(const bson_t *fragment, const bson_iter_t *span, uint32_t number)
{
    bson_t *single = bson_new();
    bson_iter_t at;
    bson_t spans;

    bson_iter_init(&at, fragment);
    while (bson_iter_next(&at)) {
        const char *key = bson_iter_key(&at);

        if (strcmp(key, "_id") == 0) {
            bson_subtype_t subtype;
            const uint8_t *data;
            uint8_t id[32];
            uint32_t len;

            bson_iter_binary(&at, &subtype, &len, &data);
            memcpy(id, data, len);
            memcpy(id + len, &number, sizeof(number));
            bson_append_binary(single, "_id", -1, BSON_SUBTYPE_BINARY, id, len + (uint32_t)sizeof(number));
        } else if (strcmp(key, "spans") != 0)
            bson_append_iter(single, NULL, -1, &at);
    }
    bson_append_array_begin(single, "spans", -1, &spans);
    bson_append_iter(&spans, "0", -1, span);
    bson_append_array_end(single, &spans);
    return single;
}

static void take(struct loop *loop, struct day *day, const bson_t *document)
{
    uint32_t count = 0;
    bson_iter_t at, spans;

    if (!bson_iter_init_find(&at, document, "spans") || !bson_iter_recurse(&at, &spans))
        die("a document without spans", NULL);
    for (; bson_iter_next(&spans); count++)
        if (loop->singles)
            keep(loop, day, make_single(document, &spans, count));
    if (!loop->singles)
        keep(loop, day, bson_copy(document));
    loop->spans += count;
}

static void read_day(struct loop *loop, mongoc_client_t *client, const char *name)
{
    struct day *day = &loop->days[loop->day_count++];
    mongoc_collection_t *collection = mongoc_client_get_collection(client, loop->from, name);
    bson_t filter = BSON_INITIALIZER;
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, NULL, NULL);
    const bson_t *document;
    bson_error_t error;

    if (loop->day_count == COLLECTIONS_MAX)
        die("too many days", NULL);
    snprintf(day->name, sizeof(day->name), "%s", name);
    while (mongoc_cursor_next(cursor, &document))
        take(loop, day, document);
    if (mongoc_cursor_error(cursor, &error))
        die("read", &error);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(collection);
}

/* --- TO's collections ------------------------------------------------------------- */

static void make_indexes(struct loop *loop, mongoc_client_t *client, const char *name)
{
    mongoc_collection_t *from = mongoc_client_get_collection(client, loop->from, name);
    mongoc_cursor_t *cursor = mongoc_collection_find_indexes_with_opts(from, NULL);
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(name));
    const bson_t *index;
    uint32_t count = 0;
    bson_error_t error;
    bson_t indexes;

    bson_append_array_begin(command, "indexes", -1, &indexes);
    while (mongoc_cursor_next(cursor, &index)) {
        char key[16];
        bson_iter_t at;

        if (bson_iter_init_find(&at, index, "name") && strcmp(bson_iter_utf8(&at, NULL), "_id_") == 0)
            continue;
        snprintf(key, sizeof(key), "%u", count++);
        bson_append_document(&indexes, key, -1, index);
    }
    bson_append_array_end(command, &indexes);
    if (!mongoc_client_write_command_with_opts(client, loop->to, command, NULL, NULL, &error))
        die("make indexes", &error);
    bson_destroy(command);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(from);
}

/* Reads each day of FROM and makes it in TO as it was made there. */
static void prepare(struct loop *loop, mongoc_client_t *client)
{
    mongoc_database_t *from = mongoc_client_get_database(client, loop->from);
    bson_t *only_days =
        BCON_NEW("filter", "{", "type", "collection", "name", "{", "$regex", "^traces_[0-9]+$", "}", "}");
    mongoc_cursor_t *cursor = mongoc_database_find_collections_with_opts(from, only_days);
    const bson_t *found;
    bson_error_t error;

    while (mongoc_cursor_next(cursor, &found)) {
        bson_t *create;
        bson_iter_t name, options;
        bson_t document;

        if (!bson_iter_init_find(&name, found, "name") || !bson_iter_init_find(&options, found, "options"))
            die("list collections", NULL);
        create = BCON_NEW("create", BCON_UTF8(bson_iter_utf8(&name, NULL)));
        {
            const uint8_t *data;
            uint32_t len;

            bson_iter_document(&options, &len, &data);
            bson_init_static(&document, data, len);
            bson_concat(create, &document);
        }
        if (!mongoc_client_write_command_with_opts(client, loop->to, create, NULL, NULL, &error))
            die("make a collection", &error);
        bson_destroy(create);
        make_indexes(loop, client, bson_iter_utf8(&name, NULL));
        read_day(loop, client, bson_iter_utf8(&name, NULL));
    }
    if (mongoc_cursor_error(cursor, &error))
        die("list collections", &error);
    mongoc_cursor_destroy(cursor);
    bson_destroy(only_days);
    mongoc_database_destroy(from);
}

/* --- writing ------------------------------------------------------------------------ */

/* Batch number `batch`, counted over all days; false when there is none. */
static bool find_batch(const struct loop *loop, size_t batch, const struct day **day, size_t *first, size_t *count)
{
    for (size_t i = 0; i < loop->day_count; i++) {
        size_t batches = (loop->days[i].count + loop->batch - 1) / loop->batch;

        if (batch < batches) {
            *day = &loop->days[i];
            *first = batch * loop->batch;
            *count = (*day)->count - *first < loop->batch ? (*day)->count - *first : loop->batch;
            return true;
        }
        batch -= batches;
    }
    return false;
}

static void *write_batches(void *context)
{
    struct loop *loop = context;
    mongoc_client_t *client = mongoc_client_pool_pop(loop->pool);
    bson_t *options = BCON_NEW("ordered", BCON_BOOL(false), "validate", BCON_BOOL(false), "writeConcern", "{", "w",
                               "majority", "j", BCON_BOOL(true), "}");
    const struct day *day;
    size_t first, count;
    bson_error_t error;

    while (find_batch(loop, atomic_fetch_add(&loop->next_batch, 1), &day, &first, &count)) {
        mongoc_collection_t *collection = mongoc_client_get_collection(client, loop->to, day->name);

        if (!mongoc_collection_insert_many(collection, (const bson_t **)(day->documents + first), count, options, NULL,
                                           &error))
            die("insert", &error);
        mongoc_collection_destroy(collection);
    }
    bson_destroy(options);
    mongoc_client_pool_push(loop->pool, client);
    return NULL;
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_now(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void write_all(struct loop *loop, unsigned threads)
{
    double begin = seconds_now(), cpu = cpu_now();
    pthread_t ids[THREADS_MAX];
    size_t documents = 0;

    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, write_batches, loop) != 0)
            die("thread", NULL);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    for (size_t i = 0; i < loop->day_count; i++)
        documents += loop->days[i].count;
    printf("{\"documents\": %zu, \"spans\": %llu, \"seconds\": %.4f, \"cpu_s\": %.3f}\n", documents,
           (unsigned long long)loop->spans, seconds_now() - begin, cpu_now() - cpu);
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"threads", required_argument, NULL, 't'},
                                                 {"batch", required_argument, NULL, 'b'},
                                                 {"singles", no_argument, NULL, 's'},
                                                 {NULL, 0, NULL, 0}};
    static struct loop loop = {.batch = 1000};
    unsigned long threads = 2;
    mongoc_client_t *client;
    mongoc_uri_t *uri;
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 't')
            threads = strtoul(optarg, NULL, 10);
        else if (option == 'b')
            loop.batch = strtoul(optarg, NULL, 10);
        else if (option == 's')
            loop.singles = true;
        else
            return 2;
    }
    if (argc - optind != 3 || threads < 1 || threads > THREADS_MAX || loop.batch < 1) {
        fputs("usage: delivery_loop URI FROM TO [--threads N] [--batch N] [--singles]\n", stderr);
        return 2;
    }
    mongoc_init();
    uri = mongoc_uri_new(argv[optind]);
    if (uri == NULL)
        die("URI", NULL);
    loop.from = argv[optind + 1];
    loop.to = argv[optind + 2];
    loop.pool = mongoc_client_pool_new(uri);
    client = mongoc_client_pool_pop(loop.pool);
    prepare(&loop, client);
    mongoc_client_pool_push(loop.pool, client);
    write_all(&loop, (unsigned)threads);
    mongoc_client_pool_destroy(loop.pool);
    mongoc_uri_destroy(uri);
    mongoc_cleanup();
    return 0;
}
