/*
 * test_spool_salvage.c - what is intact in a file is found, wherever it lies and whatever lies around it.
 *
 * Files are made of parts by hand, and by real spools.  A payload is made from
 * a seed, which `received_ns` tells, so what is handed over is checked to the byte.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "buf.h"
#include "checksum.h"
#include "spool_park.h"
#include "spool_record.h"
#include "spool_salvage.h"

#define FOUND_MAX 4096
#define PART_MAX (spool_part_bytes_max(SPOOL_PART_PAGES))

struct found {
    uint64_t seqs[FOUND_MAX];
    uint64_t seeds[FOUND_MAX];
    size_t count;
    struct {
        uint64_t seq;
        uint32_t index;
        bool whole;
        uint64_t seed; /* of the payload, when it has one */
        size_t len;
        char text[64];
    } parked[FOUND_MAX];
    size_t parked_count;
    uint64_t last_seq;
    size_t stop_after; /* then the callback fails */
    unsigned progress_calls;
    uint64_t progress_done;
};

static struct found found;
static struct spool_salvage_report report;
static char path[64];
static struct buf file;

static int setup(void **state)
{
    (void)state;
    memset(&found, 0, sizeof(found));
    buf_init(&file, 256UL << 20);
    snprintf(path, sizeof(path), "/tmp/tracespool-salvage-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    buf_fini(&file);
    return 0;
}

/* --- files ----------------------------------------------------------------- */

static void put_zeros(size_t len)
{
    uint8_t *room = buf_reserve(&file, len + 1);

    assert_non_null(room);
    memset(room, 0, len);
    file.len += len;
}

static void put_bytes(const void *bytes, size_t len)
{
    assert_int_equal(buf_append(&file, bytes, len), 0);
}

/* Part `index` of a payload of `len` bytes from `seed`, cut at `most`.  Returns where it begins. */
static size_t put_part(uint64_t seq, uint64_t seed, size_t len, uint32_t most, uint32_t index)
{
    uint8_t header[SPOOL_PART_HEADER_BYTES], *payload = malloc(len + 1);
    size_t at = file.len, offset = (size_t)index * most;
    struct spool_part part = fixture_part(seq, seed, len, most, index);

    assert_non_null(payload);
    fixture_fill(payload, seed, len);
    part.bytes = (uint32_t)(len - offset < most ? len - offset : most);
    part.checksum = checksum_64(slice_of(payload + offset, part.bytes));
    spool_part_encode(header, &part);
    put_bytes(header, sizeof(header));
    put_bytes(payload + offset, part.bytes);
    free(payload);
    return at;
}

static size_t put_record(uint64_t seq, uint64_t seed, size_t len)
{
    size_t at = file.len;

    for (uint32_t i = 0; i < spool_part_count(len, PART_MAX); i++)
        put_part(seq, seed, len, PART_MAX, i);
    return at;
}

static void write_file(void)
{
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.data, file.len), file.len);
    close(fd);
}

/* --- what comes out --------------------------------------------------------- */

static void check_payload(uint64_t seed, struct slice payload)
{
    uint8_t *expected = malloc(payload.len + 1);

    assert_non_null(expected);
    fixture_fill(expected, seed, payload.len);
    assert_true(slice_equal(payload, slice_of(expected, payload.len)));
    free(expected);
}

static int on_record(void *context, const struct spool_record *record, struct err *err)
{
    uint64_t seed = record->received_ns - 1000000;

    assert_ptr_equal(context, &found);
    assert_true(record->seq >= found.last_seq && found.count < FOUND_MAX);
    assert_false(record->damaged);
    assert_int_equal(record->stored_bytes, record->payload.len);
    assert_int_equal(record->raw_bytes, record->stored_bytes * 3);
    assert_int_equal(record->spans, seed % 100 + 1);
    assert_int_equal(record->codec, seed % 3);
    check_payload(seed, record->payload);
    found.last_seq = record->seq;
    found.seqs[found.count] = record->seq;
    found.seeds[found.count++] = seed;
    if (found.count == found.stop_after)
        return err_set(err, ERR_BUSY, 7, "enough");
    return 0;
}

static int on_parked(void *context, const struct spool_parked *parked, struct err *err)
{
    (void)err;
    assert_ptr_equal(context, &found);
    assert_true(parked->seq >= found.last_seq && found.parked_count < FOUND_MAX);
    if (!parked->whole)
        check_payload(parked->received_ns, parked->payload);
    found.last_seq = parked->seq;
    found.parked[found.parked_count].seq = parked->seq;
    found.parked[found.parked_count].index = parked->index;
    found.parked[found.parked_count].whole = parked->whole;
    found.parked[found.parked_count].seed = parked->received_ns;
    found.parked[found.parked_count].len = parked->payload.len;
    snprintf(found.parked[found.parked_count++].text, 64, "%s", parked->text);
    return 0;
}

static void on_progress(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
    assert_ptr_equal(context, &found);
    assert_true(done_bytes <= total_bytes);
    found.progress_calls++;
    found.progress_done = done_bytes;
}

static int salvage_from(const char *from, size_t max_parts, struct err *err)
{
    struct spool_salvage_to to = {
        .context = &found, .record = on_record, .parked = on_parked, .progress = on_progress, .max_parts = max_parts};

    return spool_salvage(from, &to, &report, err);
}

static void salvage(void)
{
    struct err err = {.text = ""};

    write_file();
    if (salvage_from(path, 0, &err) == -1)
        fail_msg("%s", err.text);
    assert_int_equal(report.scanned_bytes, file.len);
    assert_int_equal(report.records, found.count);
    assert_int_equal(report.parked, found.parked_count);
}

static void assert_found(size_t at, uint64_t seq, uint64_t seed)
{
    assert_true(at < found.count);
    assert_int_equal(found.seqs[at], seq);
    assert_int_equal(found.seeds[at], seed);
}

/* --- what lies well ---------------------------------------------------------- */

static void test_salvage_of_a_sound_spool_finds_every_record(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 1900, 2000, 3000, 4008, 4009, 126888, 126888 + 1, 500000, 3 * 126888};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), ROUNDS = 3 };
    struct fixture fixture;
    struct err err = {.text = ""};
    char data[96];

    (void)state;
    fixture_init(&fixture, FIXTURE_SIZE);
    fixture_open(&fixture);
    for (uint64_t i = 0; i < ROUNDS * SIZES; i++)
        fixture_put(&fixture, i + 1, sizes[i % SIZES]);
    fixture_deliver(&fixture, 1, SIZES);
    fixture_close(&fixture);
    snprintf(data, sizeof(data), "%s/data.mdb", fixture.path);
    assert_int_equal(salvage_from(data, 0, &err), 0);
    assert_int_equal(report.records, ROUNDS * SIZES);
    assert_int_equal(report.multi_part, ROUNDS * 3);
    assert_int_equal(report.incomplete, 0);
    assert_int_equal(report.damaged_parts, 0);
    assert_int_equal(report.passes, 1);
    assert_int_equal(report.scanned_bytes, report.file_bytes);
    assert_int_equal(found.progress_done, report.file_bytes);
    assert_true(found.progress_calls > 0);
    for (uint64_t i = 0; i < ROUNDS * SIZES; i++)
        assert_found(i, i + 1, i + 1);
    fixture_fini(&fixture);
}

/* Many small records, one a transaction: the leaf pages are full of copies of copies. */
static void test_salvage_counts_copies_once_whatever_fits_into_memory(void **state)
{
    enum { RECORDS = 400 };
    struct fixture fixture;
    struct err err = {.text = ""};
    char data[96];

    (void)state;
    fixture_init(&fixture, FIXTURE_SIZE);
    fixture_open(&fixture);
    for (uint64_t i = 1; i <= RECORDS; i++)
        fixture_put(&fixture, i, 100 + i % 7 * 50);
    fixture_close(&fixture);
    snprintf(data, sizeof(data), "%s/data.mdb", fixture.path);
    for (size_t max_parts = 4; max_parts <= 1024; max_parts *= 4) {
        memset(&found, 0, sizeof(found));
        assert_int_equal(salvage_from(data, max_parts, &err), 0);
        assert_int_equal(report.records, RECORDS);
        assert_int_equal(report.parts, RECORDS);
        assert_true(max_parts > RECORDS ? report.passes == 1 : report.passes > RECORDS / max_parts);
        for (uint64_t i = 0; i < RECORDS; i++)
            assert_found(i, i + 1, i + 1);
    }
    fixture_fini(&fixture);
}

static void test_salvage_one_batch_of_more_parts_than_fit_is_told(void **state)
{
    struct err err = {.text = ""};

    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        put_part(9, 1, 6000, 1000, i);
    write_file();
    assert_int_equal(salvage_from(path, 4, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "batch 9 alone has more than 4 parts");
}

static void test_salvage_at_any_offset_in_any_order(void **state)
{
    (void)state;
    put_bytes("xyz", 3);
    for (uint32_t i = 6; i-- > 0;)
        put_part(12, 5, 600000, PART_MAX, i > 4 ? 0 : i);
    put_bytes("TSP", 3);
    put_record(3, 8, 1000);
    put_bytes("TSPR", 4);
    put_record(2, 9, 0);
    put_zeros(12345);
    put_record(1, 10, 1);
    salvage();
    assert_int_equal(found.count, 4);
    assert_found(0, 1, 10);
    assert_found(1, 2, 9);
    assert_found(2, 3, 8);
    assert_found(3, 12, 5);
    assert_int_equal(report.multi_part, 1);
    assert_int_equal(report.incomplete, 0);
}

/* A part that begins at each of the places around a window's end, with all of it behind that. */
static void test_salvage_over_the_windows_edge(void **state)
{
    static const int around[] = {-200, -73, -72, -71, -4, -3, -2, -1, 0, 1, 2};

    (void)state;
    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
        buf_clear(&file);
        memset(&found, 0, sizeof(found));
        put_zeros((size_t)((long)SPOOL_SALVAGE_WINDOW_BYTES + around[i]));
        put_record(1, i + 1, PART_MAX);
        put_record(2, i + 50, 10);
        salvage();
        assert_int_equal(found.count, 2);
        assert_found(0, 1, i + 1);
        assert_found(1, 2, i + 50);
        assert_int_equal(report.damaged_parts, 0);
    }
}

static void test_salvage_at_the_files_end(void **state)
{
    size_t whole;

    (void)state;
    put_record(1, 1, 100);
    put_record(2, 2, 5000);
    whole = file.len;
    salvage();
    assert_int_equal(found.count, 2);
    for (size_t cut = 1; cut < 5000; cut += 711) {
        memset(&found, 0, sizeof(found));
        file.len = whole - cut;
        salvage();
        assert_int_equal(found.count, 1);
        assert_found(0, 1, 1);
        assert_int_equal(report.damaged_parts, 1);
        assert_int_equal(report.incomplete, 1);
        assert_int_equal(report.incomplete_seqs[0], 2);
    }
    for (size_t left = 1; left < SPOOL_PART_HEADER_BYTES; left += 3) {
        memset(&found, 0, sizeof(found));
        file.len = whole - 5000 - SPOOL_PART_HEADER_BYTES + left;
        salvage();
        assert_int_equal(found.count, 1);
        assert_int_equal(report.incomplete, 0); /* nothing tells that it was there */
    }
}

/* --- what does not ----------------------------------------------------------- */

static void test_salvage_passes_over_garbage_with_magics(void **state)
{
    uint8_t noise[20000];

    (void)state;
    fixture_fill(noise, 99, sizeof(noise));
    for (size_t i = 0; i + 4 < sizeof(noise); i += 5)
        memcpy(noise + i, i % 2 ? "TSPR" : "TSPP", 4);
    put_bytes(noise, sizeof(noise));
    put_record(7, 1, 3000);
    put_bytes(noise, sizeof(noise));
    salvage();
    assert_int_equal(found.count, 1);
    assert_found(0, 7, 1);
    assert_int_equal(report.damaged_parts, 0);
}

static void test_salvage_of_a_flipped_bit_loses_that_record_alone(void **state)
{
    size_t second, third;

    (void)state;
    put_record(1, 1, 2000);
    second = put_record(2, 2, 300000);
    third = put_record(3, 3, 2000);
    put_record(4, 4, 2000);
    file.data[second + SPOOL_PART_HEADER_BYTES + PART_MAX + 500] ^= 1; /* payload of its second part */
    file.data[third + 40] ^= 1;                                        /* header */
    salvage();
    assert_int_equal(found.count, 2);
    assert_found(0, 1, 1);
    assert_found(1, 4, 4);
    assert_int_equal(report.damaged_parts, 1);
    assert_int_equal(report.incomplete, 1);
    assert_int_equal(report.incomplete_seq_count, 1);
    assert_int_equal(report.incomplete_seqs[0], 2);
}

/* An old part whose end was written over by a newer one. */
static void test_salvage_finds_what_was_written_over_a_damaged_part(void **state)
{
    size_t first;
    uint8_t saved[SPOOL_PART_HEADER_BYTES + 3000];

    (void)state;
    put_record(9, 9, 3000);
    memcpy(saved, file.data, sizeof(saved));
    buf_clear(&file);
    first = put_record(1, 1, 50000);
    memcpy(file.data + first + 4096, saved, sizeof(saved));
    salvage();
    assert_int_equal(found.count, 1);
    assert_found(0, 9, 9);
    assert_int_equal(report.incomplete_seqs[0], 1);
}

/* A request may hold bytes of a spool; they are its sender's and no batches of ours. */
static void test_salvage_does_not_look_into_an_intact_part(void **state)
{
    struct spool_part part = {.magic = SPOOL_MAGIC_RECORD, .seq = 5, .count = 2};
    uint8_t header[SPOOL_PART_HEADER_BYTES];
    size_t len;

    (void)state;
    put_record(1, 1, 100);
    len = file.len;
    part.bytes = (uint32_t)len;
    part.stored_bytes = 2 * len;
    part.checksum = checksum_64(buf_slice(&file));
    spool_part_encode(header, &part);
    put_zeros(sizeof(header));
    memmove(file.data + sizeof(header), file.data, len);
    memcpy(file.data, header, sizeof(header));
    salvage();
    assert_int_equal(report.records, 0);
    assert_int_equal(report.parts, 1);
    assert_int_equal(report.incomplete, 1); /* its second part is not there */
    assert_int_equal(report.incomplete_seqs[0], 5);
}

static void test_salvage_takes_any_complete_division(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) /* a try that was given up: parts 0 .. 2 of 5 */
        put_part(4, 1, 600000, PART_MAX, i);
    for (uint32_t i = 0; i < spool_part_count(600000, 4008); i++)
        put_part(4, 1, 600000, 4008, i);
    put_part(4, 1, 600000, PART_MAX, 1); /* a copy */
    salvage();
    assert_int_equal(found.count, 1);
    assert_found(0, 4, 1);
    assert_int_equal(report.incomplete, 0);
}

/* A transaction that was not finished, and its number given again. */
static void test_salvage_hands_over_both_records_of_one_seq(void **state)
{
    (void)state;
    put_record(4, 1, 300000);
    put_record(4, 2, 300000);
    salvage();
    assert_int_equal(found.count, 2);
    assert_int_equal(found.seqs[0], 4);
    assert_int_equal(found.seqs[1], 4);
    assert_int_equal(found.seeds[0] + found.seeds[1], 3);
}

/* Two records under one header cannot be told apart: what might be mixed is not handed over. */
static void test_salvage_does_not_mix_parts(void **state)
{
    size_t copy;

    (void)state;
    put_part(4, 1, 6000, 4000, 0);
    put_part(4, 1, 6000, 4000, 1);
    copy = put_part(4, 1, 6000, 4000, 1);
    struct spool_part part;
    assert_true(spool_part_decode_header(&part, SPOOL_MAGIC_RECORD, file.data + copy));
    file.data[copy + SPOOL_PART_HEADER_BYTES] ^= 1;
    part.checksum = checksum_64(slice_of(file.data + copy + SPOOL_PART_HEADER_BYTES, part.bytes));
    spool_part_encode(file.data + copy, &part);
    salvage();
    assert_int_equal(found.count, 0);
    assert_int_equal(report.parts, 3);
    assert_int_equal(report.incomplete, 1);
}

static void test_salvage_names_a_bounded_number_of_incomplete(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 2 * SPOOL_SALVAGE_SEQS_MAX; seq++)
        put_part(seq, seq, 9000, 4000, 1);
    salvage();
    assert_int_equal(report.incomplete, 2 * SPOOL_SALVAGE_SEQS_MAX);
    assert_int_equal(report.incomplete_seq_count, SPOOL_SALVAGE_SEQS_MAX);
    assert_int_equal(report.incomplete_seqs[SPOOL_SALVAGE_SEQS_MAX - 1], SPOOL_SALVAGE_SEQS_MAX);
}

/* --- parked ------------------------------------------------------------------ */

static void park(struct fixture *fixture, uint64_t seq, uint32_t index, const char *text, uint64_t seed, size_t len)
{
    uint8_t *payload = malloc(len + 1);
    struct err err = {.text = ""};
    struct spool_parked parked = {.seq = seq,
                                  .index = index,
                                  .whole = len == 0,
                                  .reason = SPOOL_PARK_REFUSED,
                                  .code = 121,
                                  .spans = 1,
                                  .parked_ns = seq + index,
                                  .received_ns = seed,
                                  .text = text,
                                  .payload = slice_of(payload, len)};

    assert_non_null(payload);
    fixture_fill(payload, seed, len);
    if (spool_writer_park(fixture->writer, &parked, 1, &err) == -1)
        fail_msg("%s", err.text);
    free(payload);
}

static void test_salvage_finds_parked_entries_of_every_size(void **state)
{
    static const size_t sizes[] = {0, 50, 3000, 300000, 300000, 300000};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    struct fixture fixture;
    struct err err = {.text = ""};
    char data[96];

    (void)state;
    fixture_init(&fixture, FIXTURE_SIZE);
    fixture_open(&fixture);
    fixture_put(&fixture, 1, 100);
    fixture_put(&fixture, 2, 100);
    for (uint32_t i = 0; i < SIZES; i++)
        park(&fixture, 1, i, "refused by a rule", 70 + i,
             sizes[i]); /* three of one length: told apart by their index */
    fixture_close(&fixture);
    snprintf(data, sizeof(data), "%s/data.mdb", fixture.path);
    assert_int_equal(salvage_from(data, 0, &err), 0);
    assert_int_equal(report.records, 2);
    assert_int_equal(report.parked, SIZES);
    assert_int_equal(report.parked_whole, 1);
    assert_int_equal(report.incomplete, 0);
    assert_int_equal(found.parked_count, SIZES);
    for (uint32_t i = 0; i < SIZES; i++) {
        bool seen = false;

        for (size_t j = 0; j < found.parked_count; j++)
            seen |= found.parked[j].index == i && found.parked[j].len == sizes[i] && found.parked[j].seed == 70 + i &&
                    found.parked[j].whole == (sizes[i] == 0) && strcmp(found.parked[j].text, "refused by a rule") == 0;
        assert_true(seen);
    }
    fixture_fini(&fixture);
}

/* Parked again at another time: the first parts differ, the others are the same. */
static void test_salvage_of_an_entry_that_was_parked_again(void **state)
{
    struct fixture fixture;
    struct err err = {.text = ""};
    char data[96];

    (void)state;
    fixture_init(&fixture, FIXTURE_SIZE);
    fixture_open(&fixture);
    park(&fixture, 1, 0, "first time", 70, 300000);
    park(&fixture, 1, 0, "other time", 70, 300000);
    fixture_close(&fixture);
    snprintf(data, sizeof(data), "%s/data.mdb", fixture.path);
    assert_int_equal(salvage_from(data, 0, &err), 0);
    assert_int_equal(report.incomplete, 0);
    assert_in_range(found.parked_count, 1, 2);
    fixture_fini(&fixture);
}

static void test_salvage_of_a_parked_entry_that_makes_no_sense(void **state)
{
    uint8_t header[SPOOL_PART_HEADER_BYTES], blob[SPOOL_PARK_FIXED_BYTES] = {0};
    struct spool_part part = {
        .magic = SPOOL_MAGIC_PARKED, .seq = 3, .stored_bytes = sizeof(blob), .count = 1, .bytes = sizeof(blob)};

    (void)state;
    spool_put_u64(blob + 24, 400); /* bytes of text that are not there */
    part.checksum = checksum_64(slice_of(blob, sizeof(blob)));
    spool_part_encode(header, &part);
    put_bytes(header, sizeof(header));
    put_bytes(blob, sizeof(blob));
    part.bytes = part.stored_bytes = 4; /* shorter than its fixed head */
    part.checksum = checksum_64(slice_of(blob, 4));
    spool_part_encode(header, &part);
    put_bytes(header, sizeof(header));
    put_bytes(blob, 4);
    salvage();
    assert_int_equal(found.parked_count, 0);
    assert_int_equal(report.incomplete, 2);
    assert_int_equal(report.incomplete_seq_count, 1);
    assert_int_equal(report.incomplete_seqs[0], 3);
}

/* --- files that cannot be read, and callbacks that end it ---------------------- */

static void test_salvage_of_nothing(void **state)
{
    (void)state;
    salvage();
    assert_int_equal(report.file_bytes, 0);
    put_zeros(100000);
    salvage();
    assert_int_equal(report.records + report.parked + report.incomplete + report.parts, 0);
    assert_int_equal(report.scanned_bytes, 100000);
}

static void test_salvage_of_what_cannot_be_opened(void **state)
{
    struct err err = {.text = ""};
    char fifo[80];

    (void)state;
    assert_int_equal(salvage_from("/nowhere/data.mdb", 0, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_string_equal(err.text, "cannot open /nowhere/data.mdb: No such file or directory");
    snprintf(fifo, sizeof(fifo), "%s.fifo", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(salvage_from(fifo, 0, &err), -1);
    unlink(fifo);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_non_null(strstr(err.text, ".fifo: it is no file (Illegal seek); copy it into one"));
    assert_int_equal(salvage_from("/tmp", 0, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
}

static void test_salvage_passes_over_blocks_that_cannot_be_read(void **state)
{
    struct err err = {.text = ""};

    (void)state;
    put_record(1, 1, 3000);
    put_zeros(4096 - file.len);
    put_record(2, 2, 3000);
    put_zeros(8192 - file.len);
    put_record(3, 3, 3000);
    write_file();
    /* The window cannot be read at once, and then its first block not either; what is behind it can. */
    fixture_fault("salvage.read", 1, EIO);
    fixture_fault("salvage.block", 1, EIO);
    assert_int_equal(salvage_from(path, 0, &err), 0);
    assert_int_equal(report.unreadable_bytes, 4096);
    assert_int_equal(report.scanned_bytes, file.len);
    assert_int_equal(found.count, 2);
    assert_found(0, 2, 2);
    assert_found(1, 3, 3);
    /* A window that cannot be read, of which every block can. */
    memset(&found, 0, sizeof(found));
    fixture_fault("salvage.read", 1, EIO);
    assert_int_equal(salvage_from(path, 0, &err), 0);
    assert_int_equal(report.unreadable_bytes, 0);
    assert_int_equal(found.count, 3);
    /* Another error is none of the disk's. */
    fixture_fault("salvage.read", 1, EINVAL);
    assert_int_equal(salvage_from(path, 0, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_non_null(strstr(err.text, ": Invalid argument"));
    assert_non_null(strstr(err.text, "cannot read "));
}

/* What the scan has seen is verified again when it is read. */
static void test_salvage_of_a_part_that_goes_bad_meanwhile(void **state)
{
    struct err err = {.text = ""};

    (void)state;
    put_record(1, 1, 3000);
    write_file();
    fixture_fault("salvage.read", 3, EIO); /* window, header, payload */
    fixture_fault("salvage.block", 1, EIO);
    assert_int_equal(salvage_from(path, 0, &err), 0);
    assert_int_equal(report.records, 0);
    assert_int_equal(report.incomplete, 1);
}

static void test_salvage_ends_when_a_callback_says_so(void **state)
{
    struct err err = {.text = ""};

    (void)state;
    for (uint64_t seq = 1; seq <= 5; seq++)
        put_record(seq, seq, 1000);
    write_file();
    found.stop_after = 3;
    assert_int_equal(salvage_from(path, 0, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, 7);
    assert_string_equal(err.text, "enough");
    assert_int_equal(report.records, 3);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_salvage_of_a_sound_spool_finds_every_record),
        TEST(test_salvage_counts_copies_once_whatever_fits_into_memory),
        TEST(test_salvage_one_batch_of_more_parts_than_fit_is_told),
        TEST(test_salvage_at_any_offset_in_any_order),
        TEST(test_salvage_over_the_windows_edge),
        TEST(test_salvage_at_the_files_end),
        TEST(test_salvage_passes_over_garbage_with_magics),
        TEST(test_salvage_of_a_flipped_bit_loses_that_record_alone),
        TEST(test_salvage_finds_what_was_written_over_a_damaged_part),
        TEST(test_salvage_does_not_look_into_an_intact_part),
        TEST(test_salvage_takes_any_complete_division),
        TEST(test_salvage_hands_over_both_records_of_one_seq),
        TEST(test_salvage_does_not_mix_parts),
        TEST(test_salvage_names_a_bounded_number_of_incomplete),
        TEST(test_salvage_finds_parked_entries_of_every_size),
        TEST(test_salvage_of_an_entry_that_was_parked_again),
        TEST(test_salvage_of_a_parked_entry_that_makes_no_sense),
        TEST(test_salvage_of_nothing),
        TEST(test_salvage_of_what_cannot_be_opened),
        TEST(test_salvage_passes_over_blocks_that_cannot_be_read),
        TEST(test_salvage_of_a_part_that_goes_bad_meanwhile),
        TEST(test_salvage_ends_when_a_callback_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
