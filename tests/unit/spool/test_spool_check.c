/*
 * test_spool_check.c - sound spools are found sound; each thing that can be wrong is made and found.
 *
 * What a disk does is done to the file's bytes; what our own defects would do
 * is written with LMDB, behind the back of the code that keeps the invariants.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

#include "checksum.h"
#include "clock.h"
#include "spool_check.h"
#include "spool_edit.h"
#include "spool_park.h"
#include "spool_record.h"
#include "spool_state.h"

static struct spool_check_report report;
static unsigned told;
static unsigned progress_calls;

static void on_finding(void *context, const struct spool_check_finding *finding)
{
    assert_ptr_equal(context, &report);
    assert_true(finding->text[0] != '\0');
    told++;
}

static void on_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    assert_ptr_equal(context, &report);
    assert_non_null(what);
    progress_calls++;
}

static int run_check(const char *path, struct err *err)
{
    struct spool_check_to to = {.context = &report, .finding = on_finding, .progress = on_progress};

    told = 0;
    return spool_check(path, &to, &report, err);
}

/* Checks the fixture's spool, which is closed. */
static void check(struct fixture *fixture)
{
    struct err err = {.text = ""};

    if (run_check(fixture->path, &err) == -1)
        fail_msg("%s", err.text);
    assert_int_equal(told, report.finding_count);
}

static void assert_sound(struct fixture *fixture)
{
    check(fixture);
    if (report.finding_count > 0)
        fail_msg("%s", report.findings[0].text);
    assert_true(report.structure_checked);
    assert_true(report.content_checked);
    assert_true(report.counters_compared);
    assert_string_equal(report.structure_note, "");
    assert_int_equal(report.owner, 0);
}

/* Exactly this, and nothing else. */
static void assert_found(struct fixture *fixture, enum spool_check_kind kind, uint64_t seq, const char *text)
{
    check(fixture);
    if (report.finding_count != 1)
        for (size_t i = 0; i < report.finding_count && i < SPOOL_CHECK_FINDINGS_MAX; i++)
            print_error("found: %s\n", report.findings[i].text);
    assert_int_equal(report.finding_count, 1);
    assert_string_equal(report.findings[0].text, text);
    assert_int_equal(report.findings[0].kind, kind);
    assert_int_equal(report.findings[0].seq, seq);
}

/* It is among what was found. */
static void assert_among(const char *text)
{
    for (size_t i = 0; i < report.finding_count && i < SPOOL_CHECK_FINDINGS_MAX; i++) {
        if (strcmp(report.findings[i].text, text) == 0)
            return;
    }
    for (size_t i = 0; i < report.finding_count && i < SPOOL_CHECK_FINDINGS_MAX; i++)
        print_error("found: %s\n", report.findings[i].text);
    fail_msg("not found: %s", text);
}

/* --- breaking things -------------------------------------------------------- */

/* One write transaction in a spool that is closed. */
struct raw {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
};

static void raw_begin(struct raw *raw, struct fixture *fixture, const char *database)
{
    assert_int_equal(mdb_env_create(&raw->env), 0);
    assert_int_equal(mdb_env_set_maxdbs(raw->env, 5), 0);
    assert_int_equal(mdb_env_open(raw->env, fixture->path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(raw->env, NULL, 0, &raw->txn), 0);
    assert_int_equal(mdb_dbi_open(raw->txn, database, 0, &raw->dbi), 0);
}

static void raw_end(struct raw *raw)
{
    assert_int_equal(mdb_txn_commit(raw->txn), 0);
    mdb_env_close(raw->env);
}

static MDB_val raw_val(const void *data, size_t len)
{
    return (MDB_val){.mv_data = (void *)(uintptr_t)data, .mv_size = len};
}

static void raw_put(struct fixture *fixture, const char *database, const void *key, size_t key_len, const void *value,
                    size_t value_len)
{
    MDB_val k = raw_val(key, key_len), v = raw_val(value, value_len);
    struct raw raw;

    raw_begin(&raw, fixture, database);
    assert_int_equal(mdb_put(raw.txn, raw.dbi, &k, &v, 0), 0);
    raw_end(&raw);
}

static void raw_delete(struct fixture *fixture, const char *database, const void *key, size_t key_len)
{
    MDB_val k = raw_val(key, key_len);
    struct raw raw;

    raw_begin(&raw, fixture, database);
    assert_int_equal(mdb_del(raw.txn, raw.dbi, &k, NULL), 0);
    raw_end(&raw);
}

static const uint8_t *record_key(uint64_t seq, uint32_t part)
{
    static uint8_t key[SPOOL_RECORD_KEY_BYTES];

    spool_key_put_u64(key, seq);
    spool_key_put_u32(key + 8, part);
    return key;
}

static void delete_part(struct fixture *fixture, uint64_t seq, uint32_t part)
{
    raw_delete(fixture, "records", record_key(seq, part), SPOOL_RECORD_KEY_BYTES);
}

/* Puts the value of one key under another. */
static void copy_part(struct fixture *fixture, uint64_t from, uint32_t from_part, uint64_t to, uint32_t to_part)
{
    MDB_val key, value;
    uint8_t *bytes;
    size_t len;
    struct raw raw;

    raw_begin(&raw, fixture, "records");
    key = raw_val(record_key(from, from_part), SPOOL_RECORD_KEY_BYTES);
    assert_int_equal(mdb_get(raw.txn, raw.dbi, &key, &value), 0);
    len = value.mv_size;
    bytes = malloc(len);
    assert_non_null(bytes);
    memcpy(bytes, value.mv_data, len);
    raw_end(&raw);
    raw_put(fixture, "records", record_key(to, to_part), SPOOL_RECORD_KEY_BYTES, bytes, len);
    free(bytes);
}

static void put_range(struct fixture *fixture, const char *database, uint64_t first, uint64_t end)
{
    uint8_t key[8], value[8];

    spool_key_put_u64(key, first);
    spool_key_put_u64(value, end);
    raw_put(fixture, database, key, sizeof(key), value, sizeof(value));
}

static void delete_range(struct fixture *fixture, const char *database, uint64_t first)
{
    uint8_t key[8];

    spool_key_put_u64(key, first);
    raw_delete(fixture, database, key, sizeof(key));
}

static void add_to_counter(struct fixture *fixture, size_t offset, int64_t more)
{
    MDB_val key = raw_val("counters", 8), value;
    uint8_t bytes[2 * sizeof(struct spool_counters)];
    struct raw raw;

    raw_begin(&raw, fixture, "state");
    assert_int_equal(mdb_get(raw.txn, raw.dbi, &key, &value), 0);
    size_t len = value.mv_size;
    assert_in_range(len, offset + 8, sizeof(bytes));
    memcpy(bytes, value.mv_data, len);
    spool_put_u64(bytes + offset, spool_get_u64(bytes + offset) + (uint64_t)more);
    spool_put_u64(bytes + len - 8, checksum_64(slice_of(bytes, len - 8)));
    value = raw_val(bytes, len);
    assert_int_equal(mdb_put(raw.txn, raw.dbi, &key, &value, 0), 0);
    raw_end(&raw);
}

#define ADD_TO_COUNTER(fixture, name, more) add_to_counter(fixture, offsetof(struct spool_counters, name), more)

/* --- spools ------------------------------------------------------------------ */

static void put_three(struct fixture *fixture, size_t len)
{
    for (uint64_t i = 1; i <= 3; i++)
        fixture_put(fixture, i, len);
}

static int try_park(struct fixture *fixture, uint64_t seq, uint32_t index, enum spool_park_reason reason, bool whole,
                    size_t len, struct err *err)
{
    uint8_t *payload = malloc(len + 1);
    int result;
    struct spool_parked parked = {.seq = seq,
                                  .index = index,
                                  .whole = whole,
                                  .reason = reason,
                                  .spans = 1,
                                  .text = "why",
                                  .payload = slice_of(payload, len)};

    assert_non_null(payload);
    fixture_fill(payload, 700 + index, len);
    result = spool_writer_park(fixture->writer, &parked, 1, err);
    free(payload);
    return result;
}

static void park(struct fixture *fixture, uint64_t seq, uint32_t index, enum spool_park_reason reason, bool whole,
                 size_t len)
{
    struct err err = {.text = ""};

    if (try_park(fixture, seq, index, reason, whole, len, &err) == -1)
        fail_msg("%s", err.text);
}

static void park_whole(struct fixture *fixture, uint64_t seq)
{
    struct err err = {.text = ""};
    struct spool_parked parked = {
        .seq = seq, .whole = true, .reason = SPOOL_PARK_DAMAGED, .text = "its checksum is wrong"};

    if (spool_writer_park(fixture->writer, &parked, 1, &err) == -1)
        fail_msg("%s", err.text);
}

/* On a spool that is closed. */
static void edit(struct fixture *fixture, enum spool_edit_kind kind, uint64_t first, uint64_t end)
{
    struct spool_edit what = {.kind = kind, .range = {first, end}, .until_ns = UINT64_MAX, .states = ~0U};
    struct spool_edit_result result = {0};
    struct spool *spool;
    struct err err = {.text = ""};

    assert_int_equal(spool_open_edit(&spool, fixture->path, &err), 0);
    assert_int_equal(spool_edit_step(spool, &what, &first, &result, &err), 0);
    assert_true(result.records > 0);
    spool_close(spool);
}

static void test_check_of_an_empty_spool(void **state)
{
    struct fixture *fixture = *state;

    fixture_close(fixture);
    assert_sound(fixture);
    assert_int_equal(report.records, 0);
    assert_true(report.used_pages > 0);
}

static void test_check_of_sound_spools_in_every_state(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 1900, 2000, 4008, 4009, 126888, 126889, 900000};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    struct fixture *fixture = *state;

    for (uint64_t i = 0; i < 4 * SIZES; i++)
        fixture_put(fixture, i + 1, sizes[i % SIZES]);
    fixture_close(fixture);
    assert_sound(fixture);
    assert_int_equal(report.records, 4 * SIZES);
    assert_int_equal(report.pending_records, 4 * SIZES);
    fixture_open(fixture);
    fixture_deliver(fixture, 1, SIZES);
    fixture_deliver(fixture, SIZES + 3, SIZES + 8); /* a range before a gap */
    park(fixture, 2, 0, SPOOL_PARK_REFUSED, false, 10);
    park(fixture, 2, 7, SPOOL_PARK_REFUSED, false, 400000);
    park(fixture, 9999999, 1, SPOOL_PARK_UNDECODABLE, false, 5000); /* its batch has gone */
    park_whole(fixture, SIZES);
    fixture_close(fixture);
    assert_sound(fixture);
    assert_int_equal(report.parked, 4);
    assert_int_equal(report.held_records, 1);
    edit(fixture, SPOOL_EDIT_HOLD, 20, 30);
    assert_sound(fixture);
    assert_int_equal(report.held_records, 11);
    edit(fixture, SPOOL_EDIT_REPLAY, 3, 6);
    edit(fixture, SPOOL_EDIT_REMOVE, 22, 25);
    edit(fixture, SPOOL_EDIT_REMOVE, 35, 37);
    assert_sound(fixture);
    assert_int_equal(report.records, 4 * SIZES - 5);
    edit(fixture, SPOOL_EDIT_RELEASE, 1, SPOOL_SEQ_OPEN);
    assert_sound(fixture);
    assert_int_equal(report.held_records, 0);
    assert_int_equal(report.damaged_records, 0);
}

/* More keys and more bytes than one transaction looks at, and records that lie across their ends. */
static void test_check_goes_on_over_the_ends_of_its_transactions(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t i = 1; i <= SPOOL_CHECK_KEYS_MAX + 300; i++) {
        struct fixture_put put;
        struct err err;

        assert_int_equal(fixture_put_start(fixture, &put, i, 30, &err), 0);
        fixture_put_wait(&put);
        fixture_put_fini(&put);
    }
    for (uint64_t i = 1; i <= 6; i++)
        fixture_put(fixture, i, 5000000);
    fixture_close(fixture);
    progress_calls = 0;
    assert_sound(fixture);
    assert_int_equal(report.records, SPOOL_CHECK_KEYS_MAX + 306);
    assert_true(report.stored_bytes > 3 * SPOOL_READ_STEP_BYTES);
    assert_true(progress_calls > 3);
    fixture_flip_payload(fixture, 4, 4900000);
    assert_found(fixture, SPOOL_CHECK_RECORD, SPOOL_CHECK_KEYS_MAX + 304,
                 "batch 4400: the checksum of part 38 of 40 is wrong; it is pending: it will be held and parked when "
                 "its turn comes");
}

/* --- damaged records ----------------------------------------------------------- */

static void test_check_finds_a_damaged_payload_of_every_size(void **state)
{
    static const struct {
        size_t len;
        const char *text;
    } cases[] = {
        {300, "batch 2: the checksum of part 0 of 1 is wrong; it is delivered already: nothing is lost"},
        {3000, "batch 2: the checksum of part 0 of 1 is wrong; it is delivered already: nothing is lost"},
        {100000, "batch 2: the checksum of part 0 of 1 is wrong; it is delivered already: nothing is lost"},
        {400000, "batch 2: the checksum of part 3 of 4 is wrong; it is delivered already: nothing is lost"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_fini(fixture);
        fixture_init(fixture, FIXTURE_SIZE);
        fixture_open(fixture);
        put_three(fixture, cases[i].len);
        fixture_deliver(fixture, 1, 3);
        fixture_close(fixture);
        fixture_flip_payload(fixture, 2, cases[i].len - 64);
        assert_found(fixture, SPOOL_CHECK_RECORD, 2, cases[i].text);
        assert_int_equal(report.damaged_records, 1);
        assert_int_equal(report.known_records, 0);
        assert_false(report.findings[0].known);
    }
}

static void test_check_knows_what_is_parked_for_its_damage(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 3000);
    park_whole(fixture, 2);
    fixture_close(fixture);
    fixture_flip_payload(fixture, 2, 1000);
    assert_found(fixture, SPOOL_CHECK_RECORD, 2,
                 "batch 2: the checksum of part 0 of 1 is wrong; it is held, and parked for that");
    assert_int_equal(report.damaged_records, 1);
    assert_int_equal(report.known_records, 1);
    assert_true(report.findings[0].known);
}

static void test_check_of_a_held_record_that_is_damaged_for_nobody_yet(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 3000);
    fixture_close(fixture);
    edit(fixture, SPOOL_EDIT_HOLD, 2, 3);
    fixture_flip_payload(fixture, 2, 1000);
    assert_found(fixture, SPOOL_CHECK_RECORD, 2, "batch 2: the checksum of part 0 of 1 is wrong; it is held");
    assert_false(report.findings[0].known);
}

static void test_check_finds_a_damaged_header(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 3000);
    fixture_close(fixture);
    fixture_flip_header(fixture, 2, 2, 3000, 0);
    assert_found(fixture, SPOOL_CHECK_RECORD, 2,
                 "batch 2: part 0 has no intact header; it is pending: it will be held and parked when its turn comes");
}

static void test_check_finds_parts_that_are_missing(void **state)
{
    static const uint32_t gone[] = {0, 1, 3};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        fixture_fini(fixture);
        fixture_init(fixture, FIXTURE_SIZE);
        fixture_open(fixture);
        put_three(fixture, 400000);
        fixture_close(fixture);
        delete_part(fixture, 2, gone[i]);
        check(fixture);
        if (gone[i] == 3) {
            assert_among("batch 2: it has 3 parts of 4; it is pending: it will be held and parked when its turn comes");
        } else { /* keys that do not follow each other are a matter of structure */
            assert_int_equal(report.findings[0].kind, SPOOL_CHECK_STRUCTURE);
            assert_non_null(strstr(report.findings[0].text, " (records): a part has gone"));
        }
    }
}

static void test_check_finds_values_under_the_key_of_another(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 400000);
    fixture_close(fixture);
    copy_part(fixture, 1, 1, 2, 1);
    assert_found(fixture, SPOOL_CHECK_RECORD, 2,
                 "batch 2: under the key of part 1 is part 1 of batch 1; it is pending: it will be held and parked "
                 "when its turn comes");
    copy_part(fixture, 1, 3, 1, 4);
    check(fixture);
    assert_among("batch 1: under the key of part 4 is part 3 of batch 1; it is pending: it will be held and parked "
                 "when its turn comes");
}

static void test_check_finds_parts_of_two_divisions(void **state)
{
    struct fixture *fixture = *state;
    uint8_t value[SPOOL_PART_HEADER_BYTES + 50];
    struct spool_part part = {.magic = SPOOL_MAGIC_RECORD, .seq = 2, .index = 1, .count = 9, .bytes = 50};

    put_three(fixture, 200000);
    fixture_close(fixture);
    memset(value, 3, sizeof(value));
    part.stored_bytes = 200000;
    part.checksum = checksum_64(slice_of(value + SPOOL_PART_HEADER_BYTES, 50));
    spool_part_encode(value, &part);
    raw_put(fixture, "records", record_key(2, 1), SPOOL_RECORD_KEY_BYTES, value, sizeof(value));
    assert_found(fixture, SPOOL_CHECK_RECORD, 2,
                 "batch 2: part 1 is of another division; it is pending: it will be held and parked when its turn "
                 "comes");
    part.count = 2;
    spool_part_encode(value, &part);
    raw_put(fixture, "records", record_key(2, 1), SPOOL_RECORD_KEY_BYTES, value, sizeof(value));
    assert_found(fixture, SPOOL_CHECK_RECORD, 2,
                 "batch 2: its parts have 126938 bytes, not 200000; it is pending: it will be held and parked when "
                 "its turn comes");
}

static void test_check_finds_numbers_that_are_not_given(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 1000);
    fixture_close(fixture);
    ADD_TO_COUNTER(fixture, next_seq, -1);
    check(fixture);
    assert_among("batch 3: its number is not given yet, the next is 3; it is pending: it will be held and parked when "
                 "its turn comes");
    ADD_TO_COUNTER(fixture, next_seq, 1);
    copy_part(fixture, 1, 0, 0, 0);
    check(fixture);
    assert_among("batch 0: its number is none; it is delivered already: nothing is lost");
}

static void test_check_finds_a_value_that_is_too_large(void **state)
{
    struct fixture *fixture = *state;
    size_t len = 40 * SPOOL_PAGE_BYTES;
    uint8_t *value = calloc(1, len);

    assert_non_null(value);
    put_three(fixture, 1000);
    fixture_close(fixture);
    raw_put(fixture, "records", record_key(2, 0), SPOOL_RECORD_KEY_BYTES, value, len);
    free(value);
    assert_found(fixture, SPOOL_CHECK_RECORD, 2,
                 "batch 2: part 0 has 163840 bytes, more than a part can; it is pending: it will be held and parked "
                 "when its turn comes");
}

static void test_check_tells_what_the_disk_cannot_read(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 1000);
    fixture_close(fixture);
    fixture_fault("check.read", 3, EIO);
    assert_found(fixture, SPOOL_CHECK_RECORD, 3,
                 "batch 3: part 0 cannot be read: Input/output error; it is pending: it will be held and parked when "
                 "its turn comes");
}

static void test_check_keeps_a_bounded_number_of_findings(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t i = 1; i <= SPOOL_CHECK_FINDINGS_MAX + 10; i++)
        fixture_put(fixture, i, 300);
    fixture_close(fixture);
    for (uint64_t i = 1; i <= SPOOL_CHECK_FINDINGS_MAX + 10; i++)
        fixture_flip_payload(fixture, i, 100);
    check(fixture);
    assert_int_equal(report.finding_count, SPOOL_CHECK_FINDINGS_MAX + 10);
    assert_int_equal(report.findings[SPOOL_CHECK_FINDINGS_MAX - 1].seq, SPOOL_CHECK_FINDINGS_MAX);
}

/* --- parked -------------------------------------------------------------------- */

static void test_check_finds_a_damaged_parked_entry(void **state)
{
    struct fixture *fixture = *state;

    park(fixture, 4, 2, SPOOL_PARK_REFUSED, false, 200000);
    fixture_close(fixture);
    fixture_flip_payload(fixture, 702, 190000);
    assert_found(fixture, SPOOL_CHECK_PARKED, 4, "parked entry 4:2: the checksum of part 1 of 2 is wrong");
    assert_int_equal(report.damaged_parked, 1);
    assert_int_equal(report.damaged_records, 0);
}

static void test_check_finds_a_parked_entry_of_no_known_reason(void **state)
{
    struct fixture *fixture = *state;

    park(fixture, 4, 2, (enum spool_park_reason)9, false, 100);
    fixture_close(fixture);
    assert_found(fixture, SPOOL_CHECK_PARKED, 4, "parked entry 4:2: its reason is unknown (9)");
}

static void test_check_finds_a_parked_entry_that_makes_no_sense(void **state)
{
    struct fixture *fixture = *state;
    uint8_t key[SPOOL_PARKED_KEY_BYTES], value[SPOOL_PART_HEADER_BYTES + SPOOL_PARK_FIXED_BYTES] = {0};
    struct spool_part part = {.magic = SPOOL_MAGIC_PARKED,
                              .seq = 5,
                              .count = 1,
                              .bytes = SPOOL_PARK_FIXED_BYTES,
                              .stored_bytes = SPOOL_PARK_FIXED_BYTES};

    fixture_close(fixture);
    spool_put_u64(value + SPOOL_PART_HEADER_BYTES + 24, 100); /* a text that is not there */
    part.checksum = checksum_64(slice_of(value + SPOOL_PART_HEADER_BYTES, SPOOL_PARK_FIXED_BYTES));
    spool_part_encode(value, &part);
    spool_key_put_u64(key, 5);
    spool_key_put_u32(key + 8, 0);
    spool_key_put_u32(key + 12, 0);
    raw_put(fixture, "parked", key, sizeof(key), value, sizeof(value));
    ADD_TO_COUNTER(fixture, parked_entries, 1);
    assert_found(fixture, SPOOL_CHECK_PARKED, 5, "parked entry 5:0: what it says of itself makes no sense");
}

/* An entry for a whole batch, whatever has become of that; the spool is closed. */
static void raw_park_whole(struct fixture *fixture, uint64_t seq, size_t payload_len)
{
    uint8_t key[SPOOL_PARKED_KEY_BYTES] = {0}, value[SPOOL_PART_HEADER_BYTES + 200], payload[100] = {0};
    struct spool_parked parked = {.seq = seq,
                                  .whole = true,
                                  .reason = SPOOL_PARK_DAMAGED,
                                  .text = "why",
                                  .payload = slice_of(payload, payload_len)};
    struct spool_part part = {.magic = SPOOL_MAGIC_PARKED, .seq = seq, .count = 1};
    struct buf blob;
    struct err err;

    buf_init(&blob, 200);
    assert_int_equal(spool_park_encode(&blob, &parked, &err), 0);
    part.bytes = (uint32_t)blob.len;
    part.stored_bytes = blob.len;
    part.checksum = checksum_64(buf_slice(&blob));
    spool_part_encode(value, &part);
    memcpy(value + SPOOL_PART_HEADER_BYTES, blob.data, blob.len);
    spool_key_put_u64(key, seq);
    raw_put(fixture, "parked", key, sizeof(key), value, SPOOL_PART_HEADER_BYTES + blob.len);
    buf_fini(&blob);
    ADD_TO_COUNTER(fixture, parked_entries, 1);
}

static void test_check_finds_whole_entries_whose_batch_is_not_held(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 1000);
    fixture_deliver(fixture, 1, 2);
    fixture_close(fixture);
    edit(fixture, SPOOL_EDIT_HOLD, 3, 4);
    raw_park_whole(fixture, 1, 0);
    raw_park_whole(fixture, 2, 0);
    raw_park_whole(fixture, 3, 50);
    raw_park_whole(fixture, 77, 0);
    check(fixture);
    assert_int_equal(report.finding_count, 4);
    assert_int_equal(report.damaged_parked, 4);
    assert_among("parked entry 1:0: it stands for a whole batch, which is delivered and not held");
    assert_among("parked entry 2:0: it stands for a whole batch, which is pending and not held");
    assert_among("parked entry 3:0: it stands for a whole batch, and has bytes of its own");
    assert_among("parked entry 77:0: it stands for a whole batch, which is not there");
}

/* --- pending and held ------------------------------------------------------------ */

static void test_check_finds_lost_batches(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t i = 1; i <= 9; i++)
        fixture_put(fixture, i, 1000);
    fixture_deliver(fixture, 1, 2);
    fixture_close(fixture);
    delete_part(fixture, 1, 0); /* delivered: nothing is lost */
    ADD_TO_COUNTER(fixture, kept_records, -1);
    assert_sound(fixture);
    delete_part(fixture, 4, 0);
    check(fixture);
    assert_among("batch 4 is pending, and is not there: lost");
    assert_among("the counter of batches says 8, and there are 7");
    assert_among("the counter of pending batches says 8, and there are 7");
    delete_part(fixture, 8, 0);
    delete_part(fixture, 9, 0);
    check(fixture);
    assert_among("batches 8 to 9 are pending, and are not there: lost");
    edit(fixture, SPOOL_EDIT_HOLD, 6, 8);
    delete_part(fixture, 7, 0);
    check(fixture);
    assert_among("batch 7 is held, and is not there: lost");
}

static void test_check_finds_ranges_that_are_not_as_they_should(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t i = 1; i <= 30; i++)
        fixture_put(fixture, i, 500);
    fixture_deliver(fixture, 11, 21); /* pending: 1 .. 10 and 21 .. */
    fixture_close(fixture);
    assert_sound(fixture);
    put_range(fixture, "pending", 11, 13);
    check(fixture);
    assert_among("the pending range of batches 11 to 12 overlaps or touches the one before");
    delete_range(fixture, "pending", 11);
    put_range(fixture, "pending", 5, 8);
    check(fixture);
    assert_among("the pending range of batches 5 to 7 overlaps or touches the one before");
    delete_range(fixture, "pending", 5);
    put_range(fixture, "held", 9, 12);
    check(fixture);
    assert_among("the held range of batches 9 to 11 is pending too");
    delete_range(fixture, "held", 9);
    put_range(fixture, "held", 31, 40);
    check(fixture);
    assert_among("the held range of batches 31 to 39 is longer than the numbers that are given");
    delete_range(fixture, "held", 31);
    delete_range(fixture, "pending", 21);
    put_range(fixture, "pending", 21, 25);
    check(fixture);
    assert_among("the last pending range is not open: batches that come would not be delivered");
    delete_range(fixture, "pending", 21);
    put_range(fixture, "pending", 40, SPOOL_SEQ_OPEN);
    check(fixture);
    assert_among("the pending range of batches 40 to 18446744073709551614 begins behind the next number");
    delete_range(fixture, "pending", 40);
    put_range(fixture, "pending", 29, 33);
    put_range(fixture, "pending", 35, SPOOL_SEQ_OPEN);
    check(fixture);
    assert_among("the pending range of batches 29 to 32 is longer than the numbers that are given");
}

static void test_check_finds_ranges_that_are_none(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 500);
    fixture_close(fixture);
    put_range(fixture, "held", 3, 3);
    check(fixture);
    assert_among("a held range is no range");
    delete_range(fixture, "held", 3);
    put_range(fixture, "held", 0, 1);
    check(fixture);
    assert_among("the held range of batches 0 to 0 begins with no number");
}

/* --- counters ---------------------------------------------------------------------- */

static void test_check_finds_each_counter_that_is_wrong(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 1000); /* 2, 3 and 4 spans */
    park(fixture, 2, 3, SPOOL_PARK_REFUSED, false, 50);
    fixture_close(fixture);
    edit(fixture, SPOOL_EDIT_HOLD, 3, 4);
    assert_sound(fixture);

#define FIND(name, what, says, counted)                                                                                \
    ADD_TO_COUNTER(fixture, name, 1);                                                                                  \
    assert_found(fixture, SPOOL_CHECK_COUNTERS, 0, "the counter of " what " says " says ", and there are " counted);   \
    ADD_TO_COUNTER(fixture, name, -1)

    FIND(kept_records, "batches", "4", "3");
    FIND(pending_records, "pending batches", "3", "2");
    FIND(held_records, "held batches", "2", "1");
    FIND(parked_entries, "parked entries", "2", "1");
    FIND(pending_spans, "pending spans", "6", "5");
    FIND(pending_bytes, "pending bytes", "2001", "2000");
    FIND(held_spans, "held spans", "5", "4");
    assert_sound(fixture);
    raw_put(fixture, "state", "counters", 8, "short", 5);
    assert_found(fixture, SPOOL_CHECK_COUNTERS, 0, "the counters are damaged: nothing can be compared with them");
    assert_false(report.content_checked);
}

/* --- the file ------------------------------------------------------------------------ */

static void test_check_of_a_damaged_structure_looks_no_further(void **state)
{
    struct fixture *fixture = *state;
    uint8_t key[SPOOL_RECORD_KEY_BYTES];

    put_three(fixture, 20000);
    fixture_close(fixture);
    /* The node of record 2 in its leaf: size, flags and the key's length stand before the key. */
    memcpy(key, record_key(2, 0), sizeof(key));
    fixture_flip(fixture, slice_of(key, sizeof(key)), -1);
    check(fixture);
    assert_true(report.finding_count == 1);
    assert_int_equal(report.findings[0].kind, SPOOL_CHECK_STRUCTURE);
    assert_true(report.structure_checked);
    assert_false(report.content_checked);
    assert_false(report.counters_compared);
    assert_int_equal(report.records, 0);
}

static void test_check_of_what_is_no_spool(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {.text = ""};
    char path[128];
    int fd;

    fixture_close(fixture);
    assert_int_equal(run_check("/nowhere", &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_string_equal(err.text, "no spool at /nowhere: is this the spool.path of the daemon?");
    snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
    assert_int_equal(run_check(path, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "no spool at all, but some text", 30), 30);
    close(fd);
    assert_true(run_check(fixture->path, &err) == -1 || report.finding_count == 1);
    assert_false(report.content_checked);
}

/* --- beside a daemon ------------------------------------------------------------------- */

struct child {
    pid_t pid;
    int stop; /* closing it stops the child */
};

/*
 * The pages that a check pins may be those that a spool which is full of history
 * needs next: it refuses for a moment then, as it would refuse a client.
 */
static void pass_refusal(struct fixture *fixture, const struct err *err)
{
    if (err->class != ERR_BUSY)
        fail_msg("%s", err->text);
    spool_writer_wait(fixture->writer, SPOOL_SEQ_OPEN, clock_mono_ns() + 10 * NS_PER_MS);
}

static uint64_t put_patiently(struct fixture *fixture, uint64_t seed, size_t len)
{
    struct err err;
    uint64_t seq;

    while ((seq = fixture_try_put(fixture, seed, len, &err)) == 0)
        pass_refusal(fixture, &err);
    return seq;
}

static void deliver_patiently(struct fixture *fixture, uint64_t first, uint64_t end)
{
    struct err err;

    for (uint64_t seq = first; seq < end; seq++)
        while (spool_writer_delivered(fixture->writer, &seq, 1, &err) == -1)
            pass_refusal(fixture, &err);
}

static void park_patiently(struct fixture *fixture, uint64_t seq, uint32_t index, size_t len)
{
    struct err err;

    while (try_park(fixture, seq, index, SPOOL_PARK_REFUSED, false, len, &err) == -1)
        pass_refusal(fixture, &err);
}

/* Puts, delivers and parks without a pause, until the parent closes its end. */
static void live(struct fixture *fixture, int ready, int stop)
{
    char byte;

    fixture_open(fixture);
    assert_int_equal(fcntl(stop, F_SETFL, O_NONBLOCK), 0);
    for (uint64_t i = 1; read(stop, &byte, 1) == -1; i++) {
        uint64_t seq = put_patiently(fixture, i, i % 7 * 30000);

        if (i % 3 == 0)
            deliver_patiently(fixture, seq - 2, seq + 1);
        if (i % 50 == 0)
            park_patiently(fixture, seq, (uint32_t)(i % 3), 200000);
        if (i == 300)
            assert_int_equal(write(ready, "r", 1), 1);
    }
    fixture_close(fixture);
}

static void start_child(struct child *child, struct fixture *fixture)
{
    int ready[2], stop[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(stop), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        close(stop[1]);
        close(ready[0]);
        live(fixture, ready[1], stop[0]);
        _exit(0);
    }
    close(stop[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    child->stop = stop[1];
}

static void test_check_beside_a_writer_finds_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct child child;
    int status;

    fixture_close(fixture);
    start_child(&child, fixture);
    for (unsigned i = 0; i < 30; i++) {
        check(fixture);
        if (report.finding_count > 0)
            fail_msg("%s", report.findings[0].text);
        assert_int_equal(report.owner, child.pid);
        assert_true(report.content_checked);
        assert_true(report.structure_checked || report.structure_note[0] != '\0');
        assert_true(report.records > 0);
    }
    close(child.stop);
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_sound(fixture);
    assert_true(report.parked > 0);
}

/* A walk that would take too long is left out beside a daemon, and that is said. */
static void test_check_beside_a_writer_pins_nothing_for_long(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {.text = ""};
    struct child child;
    int status;

    fixture_close(fixture);
    start_child(&child, fixture);
    fixture_fault("check.walk", 1, ETIMEDOUT);
    check(fixture);
    assert_int_equal(report.finding_count, 0);
    assert_false(report.structure_checked);
    assert_true(report.content_checked);
    assert_string_equal(report.structure_note,
                        "the file's structure was not checked beside a running daemon: it takes longer than 1.0 s, "
                        "for which the daemon's free pages may be pinned; it is checked at every start of the daemon");
    fixture_fault("check.walk", 1, ENOMEM);
    assert_int_equal(run_check(fixture->path, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "walk: Cannot allocate memory");
    close(child.stop);
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_check_of_an_empty_spool),
        TEST(test_check_of_sound_spools_in_every_state),
        TEST(test_check_goes_on_over_the_ends_of_its_transactions),
        TEST(test_check_finds_a_damaged_payload_of_every_size),
        TEST(test_check_knows_what_is_parked_for_its_damage),
        TEST(test_check_of_a_held_record_that_is_damaged_for_nobody_yet),
        TEST(test_check_finds_a_damaged_header),
        TEST(test_check_finds_parts_that_are_missing),
        TEST(test_check_finds_values_under_the_key_of_another),
        TEST(test_check_finds_parts_of_two_divisions),
        TEST(test_check_finds_numbers_that_are_not_given),
        TEST(test_check_finds_a_value_that_is_too_large),
        TEST(test_check_tells_what_the_disk_cannot_read),
        TEST(test_check_keeps_a_bounded_number_of_findings),
        TEST(test_check_finds_a_damaged_parked_entry),
        TEST(test_check_finds_a_parked_entry_of_no_known_reason),
        TEST(test_check_finds_a_parked_entry_that_makes_no_sense),
        TEST(test_check_finds_whole_entries_whose_batch_is_not_held),
        TEST(test_check_finds_lost_batches),
        TEST(test_check_finds_ranges_that_are_not_as_they_should),
        TEST(test_check_finds_ranges_that_are_none),
        TEST(test_check_finds_each_counter_that_is_wrong),
        TEST(test_check_of_a_damaged_structure_looks_no_further),
        TEST(test_check_of_what_is_no_spool),
        TEST(test_check_beside_a_writer_finds_nothing),
        TEST(test_check_beside_a_writer_pins_nothing_for_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
