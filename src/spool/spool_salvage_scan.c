/*
 * spool_salvage_scan.c - a window that moves over the file.
 *
 * Each window is read with as many bytes behind it as a part can have, so a
 * part that begins in it is there whole.  What an intact part holds is its
 * sender's and is not searched: requests may hold anything, such as parts of
 * another spool.  Behind a damaged part the search goes on one byte later.
 *
 * A block that the disk cannot read counts as zeros and the search goes on; a
 * part that lies across it does not match its checksum.  Any other error, such
 * as a directory in the file's place, ends it.
 */
#include "spool_salvage_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"
#include "fault.h"

#define BLOCK_BYTES 4096U /* passed over when it cannot be read */
#define PART_BYTES_MAX (SPOOL_PART_PAGES * SPOOL_PAGE_BYTES)
#define WINDOW_BYTES SPOOL_SALVAGE_WINDOW_BYTES
#define BASE_BYTES 44 /* of a header: up to and with its number of spans */

static const uint8_t magic_start[] = {'T', 'S', 'P'}; /* of TSPR and TSPP as they are on disk */

static_assert((SPOOL_MAGIC_RECORD & 0xFFFFFFU) == 0x505354U && (SPOOL_MAGIC_PARKED & 0xFFFFFFU) == 0x505354U,
              "both magics begin alike");

int spool_salvage_file_open(struct spool_salvage_file *file, const char *path, struct err *err)
{
    off_t end;

    *file = (struct spool_salvage_file){.path = path};
    /* Not blocking: a fifo without a writer is told, not waited for. */
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd == -1)
        return err_set(err, ERR_CONFIG, errno, "cannot open %s: %s", path, strerror(errno));
    end = lseek(file->fd, 0, SEEK_END);
    if (end == -1)
        return err_set(err, ERR_CONFIG, errno, "cannot search %s: it is no file (%s); copy it into one", path,
                       strerror(errno));
    file->bytes = (uint64_t)end;
    file->window = malloc(WINDOW_BYTES + PART_BYTES_MAX);
    if (file->window == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory to search %s", path);
    return 0;
}

void spool_salvage_file_close(struct spool_salvage_file *file)
{
    if (file->fd != -1)
        close(file->fd);
    free(file->window);
    file->fd = -1;
    file->window = NULL;
}

/* --- reading --------------------------------------------------------------- */

static ssize_t read_at(const struct spool_salvage_file *file, const char *point, uint8_t *out, size_t len,
                       uint64_t offset)
{
    ssize_t got;
    int fault = fault_point(point);

    if (fault != 0) {
        errno = fault;
        return -1;
    }
    do {
        got = pread(file->fd, out, len, (off_t)offset);
    } while (got == -1 && errno == EINTR);
    return got;
}

/* What a larger read could not: block by block, those that fail as zeros.  Returns what was read or filled. */
static ssize_t read_blocks(const struct spool_salvage_file *file, uint8_t *out, size_t len, uint64_t offset,
                           uint64_t *unreadable)
{
    size_t step = BLOCK_BYTES - offset % BLOCK_BYTES;
    ssize_t got;

    if (step > len)
        step = len;
    got = read_at(file, "salvage.block", out, step, offset);
    if (got == -1 && errno == EIO) {
        memset(out, 0, step);
        *unreadable += step;
        return (ssize_t)step;
    }
    return got;
}

/* Fills `out`; *got is less than `len` only at the end of the file.  -1: errno. */
static int read_full(const struct spool_salvage_file *file, uint8_t *out, size_t len, uint64_t offset, size_t *got,
                     uint64_t *unreadable)
{
    *got = 0;
    while (*got < len) {
        ssize_t more = read_at(file, "salvage.read", out + *got, len - *got, offset + *got);

        if (more == -1 && errno == EIO)
            more = read_blocks(file, out + *got, len - *got, offset + *got, unreadable);
        if (more == -1)
            return -1;
        if (more == 0)
            break;
        *got += (size_t)more;
    }
    return 0;
}

bool spool_salvage_file_read(struct spool_salvage_file *file, const struct spool_salvage_part *part,
                             struct spool_part *head, uint8_t *out)
{
    uint8_t header[SPOOL_PART_HEADER_BYTES];
    uint32_t magic = part->parked ? SPOOL_MAGIC_PARKED : SPOOL_MAGIC_RECORD;
    uint64_t unreadable = 0;
    size_t got;

    return read_full(file, header, sizeof(header), part->offset, &got, &unreadable) == 0 && got == sizeof(header) &&
           spool_part_decode_header(head, magic, header) && head->seq == part->seq && head->index == part->index &&
           head->bytes == part->bytes && head->checksum == part->checksum &&
           read_full(file, out, part->bytes, part->offset + sizeof(header), &got, &unreadable) == 0 &&
           got == part->bytes && checksum_64(slice_of(out, part->bytes)) == part->checksum;
}

/* --- finding --------------------------------------------------------------- */

/* The part at `in`, of which `len` bytes are here, and how far on the search goes. */
static bool find_part(const uint8_t *in, size_t len, struct spool_salvage_part *part, size_t *step)
{
    struct spool_part head;

    *step = 1;
    if (len < SPOOL_PART_HEADER_BYTES || (!spool_part_decode_header(&head, SPOOL_MAGIC_RECORD, in) &&
                                          !spool_part_decode_header(&head, SPOOL_MAGIC_PARKED, in)))
        return false;
    /* No part of ours is larger, and the window's tail would not hold it. */
    if (head.bytes > PART_BYTES_MAX - SPOOL_PART_HEADER_BYTES)
        return false;
    *part = (struct spool_salvage_part){
        .seq = head.seq,
        .base = checksum_64(slice_of(in, BASE_BYTES)),
        .checksum = head.checksum,
        .count = head.count,
        .index = head.index,
        .bytes = head.bytes,
        .parked = head.magic == SPOOL_MAGIC_PARKED,
        .damaged = len - SPOOL_PART_HEADER_BYTES < head.bytes ||
                   checksum_64(slice_of(in + SPOOL_PART_HEADER_BYTES, head.bytes)) != head.checksum,
    };
    if (!part->damaged)
        *step = SPOOL_PART_HEADER_BYTES + head.bytes;
    return true;
}

/* Searches what begins in the first `own` of `len` bytes; *at is where the search goes on. */
static int search_window(const uint8_t *window, size_t len, size_t own, uint64_t offset, size_t *at,
                         struct spool_salvage_index *index, struct err *err)
{
    struct spool_salvage_part part;
    const uint8_t *found;
    size_t step;

    while (*at < own && (found = memmem(window + *at, len - *at, magic_start, sizeof(magic_start))) != NULL) {
        *at = (size_t)(found - window);
        if (*at >= own)
            return 0;
        if (find_part(found, len - *at, &part, &step)) {
            part.offset = offset + *at;
            if (spool_salvage_index_add(index, &part, err) == -1)
                return -1;
        }
        *at += step;
    }
    if (*at < own)
        *at = own;
    return 0;
}

int spool_salvage_file_scan(struct spool_salvage_file *file, struct spool_salvage_index *index,
                            const struct spool_salvage_to *to, struct spool_salvage_report *report, struct err *err)
{
    size_t at = 0; /* in the window: an intact part may reach into the next one */

    report->scanned_bytes = report->unreadable_bytes = 0;
    for (uint64_t offset = 0; offset < file->bytes; offset += WINDOW_BYTES, at -= WINDOW_BYTES) {
        uint64_t left = file->bytes - offset, passed_over = 0;
        size_t own = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES, got, behind;

        if (read_full(file, file->window, own, offset, &got, &report->unreadable_bytes) == -1)
            return err_set(err, ERR_CONFIG, errno, "cannot read %s: %s", file->path, strerror(errno));
        report->scanned_bytes += got;
        /* The window's tail is counted when it is read as the next window. */
        left -= own;
        if (got == own && read_full(file, file->window + own, left < PART_BYTES_MAX ? (size_t)left : PART_BYTES_MAX,
                                    offset + own, &behind, &passed_over) == 0)
            got += behind;
        if (search_window(file->window, got, got < own ? got : own, offset, &at, index, err) == -1)
            return -1;
        if (to->progress != NULL)
            to->progress(to->context, report->scanned_bytes, file->bytes);
        if (got < own || at < WINDOW_BYTES)
            break;
    }
    return 0;
}
