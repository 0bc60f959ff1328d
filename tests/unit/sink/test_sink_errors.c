#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>

#include "sink_errors.h"

struct row {
    int code;
    const char *name;
    enum { ANY, DOCUMENT, COMMAND } where;
    enum sink_error meaning;
};

static const struct row rows[] = {
#define SINK_CODE(code, name, where, meaning) {code, #name, where, SINK_ERROR_##meaning},
#define SINK_LABEL(label, meaning)
#define SINK_DOMAIN(domain, code, meaning)
#include "sink_error_table.h"
#undef SINK_CODE
#undef SINK_LABEL
#undef SINK_DOMAIN
};
static const size_t row_count = sizeof(rows) / sizeof(rows[0]);

static bson_error_t server_error(int code)
{
    bson_error_t error = {.domain = MONGOC_ERROR_SERVER, .code = (uint32_t)code};

    strcpy(error.message, "what it said");
    return error;
}

static void test_every_row_means_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        bson_error_t error = server_error(rows[i].code);

        if (rows[i].where != COMMAND)
            assert_int_equal(sink_errors_of_document(rows[i].code), rows[i].meaning);
        if (rows[i].where != DOCUMENT)
            assert_int_equal(sink_errors_of_command(&error, NULL), rows[i].meaning);
        assert_string_equal(sink_errors_code_name(rows[i].code), rows[i].name);
    }
}

/* A code has one row for each place: ANY takes both. */
static void test_no_two_rows_contradict(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++)
        for (size_t j = i + 1; j < row_count; j++)
            if (rows[i].code == rows[j].code) {
                assert_int_not_equal(rows[i].where, ANY);
                assert_int_not_equal(rows[j].where, ANY);
                assert_int_not_equal(rows[i].where, rows[j].where);
                assert_string_equal(rows[i].name, rows[j].name);
            }
}

/* Which codes the design puts into which class: written down apart from the table. */
static void test_documents_codes_have_the_designs_meaning(void **state)
{
    static const int poison[] = {2, 10334, 121, 15, 22, 378, 14, 52, 53, 56, 57, 67, 171};
    static const int retry[] = {6,  7,   89,  9001, 384, 202, 11600, 11602, 10107, 13435, 13436, 10058, 189,
                                91, 262, 134, 64,   75,  26,  48,    215,   13388, 150,   63,    117,   12587,
                                70, 71,  83,  133,  145, 199, 203,   82,    249,   319,   343};
    static const int overload[] = {462, 449, 450, 433, 402, 407, 365, 50, 24, 46, 112, 11601, 261, 264, 290};
    static const int full[] = {14031, 371};
    static const int config[] = {13, 18, 11, 391, 8000, 334, 140, 141, 79,  100,
                                 20, 23, 59, 61,  72,   73,  85,  86,  115, 166};

    (void)state;
    for (size_t i = 0; i < sizeof(poison) / sizeof(poison[0]); i++)
        assert_int_equal(sink_errors_class(sink_errors_of_document(poison[i])), ERR_POISON);
    for (size_t i = 0; i < sizeof(retry) / sizeof(retry[0]); i++)
        assert_int_equal(sink_errors_class(sink_errors_of_document(retry[i])), ERR_RETRY);
    for (size_t i = 0; i < sizeof(overload) / sizeof(overload[0]); i++)
        assert_int_equal(sink_errors_class(sink_errors_of_document(overload[i])), ERR_OVERLOAD);
    for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++)
        assert_int_equal(sink_errors_class(sink_errors_of_document(full[i])), ERR_FULL);
    for (size_t i = 0; i < sizeof(config) / sizeof(config[0]); i++)
        assert_int_equal(sink_errors_class(sink_errors_of_document(config[i])), ERR_CONFIG);
    assert_int_equal(sink_errors_class(sink_errors_of_document(99999)), ERR_UNKNOWN);
    assert_int_equal(sink_errors_of_document(11000), SINK_ERROR_DUPLICATE);
}

static void test_whole_commands_codes_have_the_designs_meaning(void **state)
{
    static const int poison[] = {2, 9, 16, 22, 10334, 40414, 40415};
    static const int not_poison[] = {121, 11000, 15, 57, 99999};

    (void)state;
    for (size_t i = 0; i < sizeof(poison) / sizeof(poison[0]); i++) {
        bson_error_t error = server_error(poison[i]);

        assert_int_equal(sink_errors_of_command(&error, NULL), SINK_ERROR_POISON);
    }
    for (size_t i = 0; i < sizeof(not_poison) / sizeof(not_poison[0]); i++) {
        bson_error_t error = server_error(not_poison[i]);

        assert_int_not_equal(sink_errors_of_command(&error, NULL), SINK_ERROR_POISON);
        assert_int_not_equal(sink_errors_class(sink_errors_of_command(&error, NULL)), ERR_POISON);
    }
}

static enum sink_error with_label(int code, const char *label)
{
    bson_t *reply = BCON_NEW("ok", BCON_INT32(0), "errorLabels", "[", BCON_UTF8(label), "]");
    bson_error_t error = server_error(code);
    enum sink_error meaning = sink_errors_of_command(&error, reply);

    bson_destroy(reply);
    return meaning;
}

static void test_labels_decide_over_codes_except_a_persons(void **state)
{
    (void)state;
    assert_int_equal(with_label(99999, "RetryableWriteError"), SINK_ERROR_TRANSIENT);
    assert_int_equal(with_label(2, "RetryableWriteError"), SINK_ERROR_TRANSIENT);
    assert_int_equal(with_label(99999, "SystemOverloadedError"), SINK_ERROR_OVERLOAD);
    assert_int_equal(with_label(99999, "RetryableError"), SINK_ERROR_OVERLOAD);
    assert_int_equal(with_label(18, "RetryableWriteError"), SINK_ERROR_CONFIGURATION);
    assert_int_equal(with_label(2, "SomeOtherLabel"), SINK_ERROR_POISON);
}

static enum sink_error of_domain(uint32_t domain, uint32_t code)
{
    bson_error_t error = {.domain = domain, .code = code};

    return sink_errors_of_command(&error, NULL);
}

static void test_drivers_errors_are_never_read_as_the_servers(void **state)
{
    (void)state;
#define SINK_CODE(code, name, where, meaning)
#define SINK_LABEL(label, meaning)
#define SINK_DOMAIN(domain, number, meaning)                                                                           \
    assert_int_equal(of_domain(domain, (number) == 0 ? 1 : (number)), SINK_ERROR_##meaning);
#include "sink_error_table.h"
#undef SINK_CODE
#undef SINK_LABEL
#undef SINK_DOMAIN
    /* 13 is Unauthorized at the server. */
    assert_int_equal(of_domain(MONGOC_ERROR_STREAM, 13), SINK_ERROR_TRANSIENT);
    /* 22 is InvalidBSON at the server. */
    assert_int_equal(of_domain(MONGOC_ERROR_SERVER_SELECTION, 22), SINK_ERROR_TRANSIENT);
    assert_int_equal(of_domain(MONGOC_ERROR_GRIDFS, 18), SINK_ERROR_UNKNOWN);
}

static void test_write_concern_is_not_durable_whatever_the_code(void **state)
{
    (void)state;
    assert_int_equal(sink_errors_of_write_concern(64), SINK_ERROR_NOT_DURABLE);
    assert_int_equal(sink_errors_of_write_concern(91), SINK_ERROR_NOT_DURABLE);
    assert_int_equal(sink_errors_of_write_concern(2), SINK_ERROR_NOT_DURABLE);
    assert_int_equal(sink_errors_of_write_concern(99999), SINK_ERROR_NOT_DURABLE);
    assert_int_equal(sink_errors_of_write_concern(79), SINK_ERROR_CONFIGURATION);
    assert_int_equal(sink_errors_of_write_concern(100), SINK_ERROR_CONFIGURATION);
}

static void test_set_says_meaning_text_and_code(void **state)
{
    struct err err;
    bson_error_t stream = {.domain = MONGOC_ERROR_STREAM, .code = 11};

    (void)state;
    assert_int_equal(sink_errors_set(&err, SINK_ERROR_STORAGE, 14031, "available disk space is low"), -1);
    assert_int_equal(err.class, ERR_FULL);
    assert_int_equal(err.code, 14031);
    assert_string_equal(
        err.text, "MongoDB has no room or blocks writes: available disk space is low (code 14031 OutOfDiskSpace)");

    sink_errors_set(&err, SINK_ERROR_UNKNOWN, 99999, "odd");
    assert_string_equal(err.text, "MongoDB failed in a way that is not known: odd (code 99999)");

    strcpy(stream.message, "reset");
    assert_int_equal(sink_errors_set_command(&err, &stream, NULL), SINK_ERROR_TRANSIENT);
    assert_string_equal(err.text, "MongoDB cannot be reached or is changing state: reset (driver's code 2.11)");
}

/* Each session quotes an id of its own: the same refusal must be the same text, or it is logged for each of them. */
static void test_set_leaves_out_the_session(void **state)
{
    struct err err;

    (void)state;
    sink_errors_set(&err, SINK_ERROR_CONFIGURATION, 13,
                    "not authorized on tracing to execute command { insert: \"traces_20261122\", ordered: false, "
                    "lsid: { id: UUID(\"29aa2288-3a69-4d91-a54f-b47e33dd4a39\") }, writeConcern: { j: true } }");
    assert_string_equal(err.text, "MongoDB needs a person: not authorized on tracing to execute command "
                                  "{ insert: \"traces_20261122\", ordered: false, ... } (code 13 Unauthorized)");
}

/* --- docs/mongodb.md ------------------------------------------------------ */

static char *read_reference(void)
{
    FILE *stream = fopen(SOURCE_DIR "/docs/mongodb.md", "r");
    char *text = calloc(1, 1 << 20);

    assert_non_null(stream);
    assert_true(fread(text, 1, (1 << 20) - 1, stream) > 0);
    fclose(stream);
    return text;
}

/* How the reference calls a row's meaning. */
static const char *line_of(const struct row *row)
{
    switch (row->meaning) {
    case SINK_ERROR_TRANSIENT:
        return "\n| transient |";
    case SINK_ERROR_OVERLOAD:
        return "\n| overload |";
    case SINK_ERROR_NOT_DURABLE:
        return "\n| not durable |";
    case SINK_ERROR_CONFIGURATION:
        return "\n| configuration |";
    case SINK_ERROR_STORAGE:
        return "\n| storage |";
    case SINK_ERROR_STALE:
        return "\n| stale |";
    case SINK_ERROR_DUPLICATE:
        return "\n| duplicate |";
    default:
        return row->where == DOCUMENT ? "\n| poison, a document |" : "\n| poison, a command |";
    }
}

/* Whether the line that begins with `line` has "CODE NAME" in its list. */
static bool reference_has(const char *reference, const struct row *row)
{
    const char *line = strstr(reference, line_of(row));
    char *copy, entry[128];
    bool has;

    assert_non_null(line);
    copy = strndup(line + 1, strcspn(line + 1, "\n"));
    snprintf(entry, sizeof(entry), " %d %s", row->code, row->name);
    has = strstr(copy, entry) != NULL;
    free(copy);
    return has;
}

/* Entries of all lines: a number and a name that begins with a capital letter. */
static size_t count_reference(const char *reference)
{
    const char *at = strstr(reference, "## What an error does");
    size_t count = 0;

    assert_non_null(at);
    for (; *at != '\0'; at++) {
        size_t digits = strspn(at, "0123456789");

        if (digits > 0 && at[-1] == ' ' && at[digits] == ' ' && at[digits + 1] >= 'A' && at[digits + 1] <= 'Z')
            count++;
        at += digits;
        if (*at == '\0')
            break;
    }
    return count;
}

static void test_reference_has_every_row_and_no_other(void **state)
{
    char *reference = read_reference();

    (void)state;
    for (size_t i = 0; i < row_count; i++)
        if (!reference_has(reference, &rows[i]))
            fail_msg("docs/mongodb.md does not have %d %s in its line%s", rows[i].code, rows[i].name,
                     line_of(&rows[i]) + 1);
    assert_int_equal(count_reference(reference), row_count);
    free(reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_means_what_it_says),
        cmocka_unit_test(test_no_two_rows_contradict),
        cmocka_unit_test(test_documents_codes_have_the_designs_meaning),
        cmocka_unit_test(test_whole_commands_codes_have_the_designs_meaning),
        cmocka_unit_test(test_labels_decide_over_codes_except_a_persons),
        cmocka_unit_test(test_drivers_errors_are_never_read_as_the_servers),
        cmocka_unit_test(test_write_concern_is_not_durable_whatever_the_code),
        cmocka_unit_test(test_reference_has_every_row_and_no_other),
        cmocka_unit_test(test_set_says_meaning_text_and_code),
        cmocka_unit_test(test_set_leaves_out_the_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
