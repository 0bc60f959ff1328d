/*
 * Page accounting, and the tables that stand beside it: what LMDB's codes mean,
 * which file systems are refused.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <string.h>

#include "spool_internal.h"
#include "spool_lock.h"
#include "spool_parts.h"
#include "spool_space.h"

#define PAGE 4096UL

static void test_layout_leaves_two_groups_and_a_mebibyte(void **state)
{
    static const uint64_t sizes[] = {SPOOL_SIZE_MIN_BYTES, 64UL << 20, 500UL << 20, 8UL << 30, SPOOL_SIZE_MAX_BYTES};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct spool_layout layout = spool_layout_of(sizes[i], PAGE);
        uint64_t headroom = layout.size_pages - layout.limit_pages;

        assert_int_equal(layout.size_pages, sizes[i] / PAGE);
        assert_true(headroom >= 2 * layout.group_pages + (1UL << 20) / PAGE);
        assert_true(headroom >= layout.size_pages / 16);
        assert_true(headroom <= layout.size_pages / 8);
        assert_true(layout.group_pages >= SPOOL_PART_PAGES);
        assert_true(layout.group_pages * PAGE <= SPOOL_GROUP_BYTES_MAX);
        assert_true(layout.record_pages <= layout.limit_pages / 2);
        assert_true(layout.reopen_pages < layout.limit_pages);
    }
}

static void test_layout_of_the_smallest_spool(void **state)
{
    struct spool_layout layout = spool_layout_of(16UL << 20, PAGE);

    (void)state;
    assert_int_equal(layout.size_pages, 4096);
    assert_int_equal(layout.group_pages, 128);
    assert_int_equal(layout.limit_pages, 3584);
}

/* The estimate that admits a record is compared with what LMDB then says that it took. */
static void test_entry_pages_are_never_less_than_what_is_taken(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 1900, 1946, 1947, 4008, 4009, 8104, 100000, 126888, 126889, 3000000};
    static const unsigned pages[] = {SPOOL_PART_PAGES, 7, 1};
    static uint8_t bytes[3000000];
    struct fixture *fixture = *state;
    struct spool *spool = fixture->spool;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t j = 0; j < sizeof(pages) / sizeof(pages[0]); j++) {
            uint64_t before, after, estimate = spool_layout_entry_pages(sizes[i], pages[j], PAGE);
            struct spool_parts_entry entry = {.dbi = spool->records,
                                              .prefix = {[7] = 9},
                                              .prefix_len = 8,
                                              .head = {.magic = SPOOL_MAGIC_RECORD, .seq = 9},
                                              .payload = slice_of(bytes, sizes[i]),
                                              .part_pages = pages[j]};
            MDB_txn *txn;

            assert_int_equal(mdb_txn_begin(spool->env, NULL, 0, &txn), 0);
            assert_int_equal(spool_space_used(txn, spool, &before), 0);
            assert_int_equal(spool_parts_put(txn, &entry), 0);
            assert_int_equal(spool_space_used(txn, spool, &after), 0);
            mdb_txn_abort(txn);
            assert_true(after - before <= estimate);
            assert_true(estimate <= (after - before) + 3 + (after - before) / 40);
        }
    }
}

static void test_lmdb_codes_have_their_classes(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(spool_lmdb_class(MDB_MAP_FULL), ERR_BUSY);
    assert_int_equal(spool_lmdb_class(ENOSPC), ERR_BUSY);
    assert_int_equal(spool_lmdb_class(MDB_READERS_FULL), ERR_BUSY);
    assert_int_equal(spool_lmdb_class(MDB_MAP_RESIZED), ERR_RETRY);
    assert_int_equal(spool_lmdb_class(EACCES), ERR_CONFIG);
    assert_int_equal(spool_lmdb_class(MDB_INVALID), ERR_CONFIG);
    assert_int_equal(spool_lmdb_class(EIO), ERR_FATAL);
    assert_int_equal(spool_lmdb_class(MDB_PANIC), ERR_FATAL);
    assert_int_equal(spool_lmdb_class(MDB_CORRUPTED), ERR_FATAL);
    assert_int_equal(spool_lmdb_class(MDB_KEYEXIST), ERR_FATAL);
    assert_int_equal(spool_lmdb_error(&err, ENOSPC, "cannot write %s", "x"), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, ENOSPC);
    assert_string_equal(err.text, "cannot write x: No space left on device");
}

static void test_network_name_knows_what_cannot_hold_a_spool(void **state)
{
    static const struct {
        unsigned long type;
        const char *name;
    } cases[] = {
        {0x6969, "NFS"},      {0x517B, "SMB"},    {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB"},
        {0x00C36400, "Ceph"}, {0x01021997, "9p"}, {0xEF53, NULL},       {0x58465342, NULL},
        {0x9123683E, NULL},   {0x01021994, NULL}, {0x2FC12FC1, NULL},   {0x794C7630, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *name = spool_lock_network_name(cases[i].type);

        if (cases[i].name == NULL)
            assert_null(name);
        else
            assert_string_equal(name, cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout_leaves_two_groups_and_a_mebibyte),
        cmocka_unit_test(test_layout_of_the_smallest_spool),
        cmocka_unit_test_setup_teardown(test_entry_pages_are_never_less_than_what_is_taken, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test(test_lmdb_codes_have_their_classes),
        cmocka_unit_test(test_network_name_knows_what_cannot_hold_a_spool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
