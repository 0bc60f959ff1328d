/*
 * power_record.c - the system calls of <unistd.h> and <fcntl.h>, recorded.
 *
 * Any thread.  A write is logged before it is made and again when it has
 * returned; a length when it has changed; a sync when it has returned, with
 * how much had been logged when it began, since what came later is not in it.
 * A call that is missing here is found by the tests: what was logged, done
 * again from the start, has to give the file as it is.
 */
#undef _FORTIFY_SOURCE /* its inline functions have the names that are defined here */
#include "power_record.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 1024
#define SYNC_US_MAX 700 /* a disk that took no time would never let a group gather */

enum what { OTHER, DATA, DATA_DURABLE, DIRECTORY };

static struct power_log *record;
static const char *directory;
static _Atomic(int) whats[DESCRIPTORS_MAX];

void power_record_start(struct power_log *to, const char *path)
{
    record = to;
    directory = path;
}

static enum what what_is(int fd)
{
    return record == NULL || fd < 0 || fd >= DESCRIPTORS_MAX ? OTHER : (enum what)atomic_load(&whats[fd]);
}

static bool is_data(int fd)
{
    return what_is(fd) == DATA || what_is(fd) == DATA_DURABLE;
}

/* --- open and close -------------------------------------------------------- */

static enum what what_opens(const char *path, int flags)
{
    size_t len = record == NULL ? 0 : strlen(directory);

    if (record == NULL || strncmp(path, directory, len) != 0)
        return OTHER;
    if (path[len] == '\0')
        return DIRECTORY;
    if (strcmp(path + len, "/data.mdb") != 0 || (flags & O_ACCMODE) == O_RDONLY)
        return OTHER;
    return (flags & O_DSYNC) != 0 ? DATA_DURABLE : DATA;
}

int open(const char *path, int flags, ...)
{
    enum what what = what_opens(path, flags);
    mode_t mode = 0;
    va_list arguments;
    int fd;

    if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, what == DATA_DURABLE ? flags & ~O_SYNC : flags, mode);
    assert(fd < DESCRIPTORS_MAX || what == OTHER);
    if (fd >= 0 && fd < DESCRIPTORS_MAX)
        atomic_store(&whats[fd], what);
    return fd;
}

int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS_MAX)
        atomic_store(&whats[fd], OTHER);
    return (int)syscall(SYS_close, fd);
}

/* --- writing --------------------------------------------------------------- */

static size_t begin_write(int fd, const void *bytes, size_t len, off_t offset)
{
    struct power_entry entry = {
        .kind = POWER_WRITE, .durable = what_is(fd) == DATA_DURABLE, .offset = (uint64_t)offset, .bytes = len};

    return is_data(fd) ? power_log_append(record, &entry, bytes) : 0;
}

static ssize_t end_write(int fd, size_t number, ssize_t written, size_t len)
{
    struct power_entry entry = {.kind = POWER_WRITTEN, .of = number};

    if (is_data(fd)) {
        assert(written == (ssize_t)len); /* the tests are given a disk with room */
        power_log_append(record, &entry, NULL);
    }
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    size_t number = begin_write(fd, bytes, len, offset);

    return end_write(fd, number, syscall(SYS_pwrite64, fd, bytes, len, offset), len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    size_t number = is_data(fd) ? begin_write(fd, bytes, len, lseek(fd, 0, SEEK_CUR)) : 0;

    return end_write(fd, number, syscall(SYS_write, fd, bytes, len), len);
}

/* One after the other: it is the sectors that are torn, so where one call ends says nothing. */
ssize_t pwritev(int fd, const struct iovec *vectors, int count, off_t offset)
{
    ssize_t sum = 0;

    for (int i = 0; i < count; i++) {
        ssize_t written = pwrite(fd, vectors[i].iov_base, vectors[i].iov_len, offset + sum);

        if (written == -1)
            return -1;
        sum += written;
    }
    return sum;
}

ssize_t writev(int fd, const struct iovec *vectors, int count)
{
    ssize_t sum;

    if (!is_data(fd))
        return syscall(SYS_writev, fd, vectors, count);
    sum = pwritev(fd, vectors, count, lseek(fd, 0, SEEK_CUR));
    if (sum != -1)
        lseek(fd, sum, SEEK_CUR);
    return sum;
}

/* --- lengths --------------------------------------------------------------- */

static int note_length(int fd, enum power_kind kind, off_t length, int rc)
{
    struct power_entry entry = {.kind = kind, .offset = (uint64_t)length};

    if (rc == 0 && is_data(fd))
        power_log_append(record, &entry, NULL);
    return rc;
}

int ftruncate(int fd, off_t length)
{
    return note_length(fd, POWER_LENGTH, length, (int)syscall(SYS_ftruncate, fd, length));
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    assert(mode == 0 || !is_data(fd));
    return note_length(fd, POWER_GROWN, offset + length, (int)syscall(SYS_fallocate, fd, mode, offset, length));
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    return fallocate(fd, 0, offset, length) == 0 ? 0 : errno;
}

/* --- syncing --------------------------------------------------------------- */

static void take_a_while(void)
{
    static _Atomic(unsigned) state = 1;
    unsigned us = (atomic_fetch_add(&state, 1) * 2654435761U >> 8) % SYNC_US_MAX;

    nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
}

int fdatasync(int fd)
{
    struct power_entry entry = {.kind = what_is(fd) == DIRECTORY ? POWER_NAMED : POWER_SYNC};

    if (what_is(fd) != OTHER) {
        entry.of = power_log_count(record);
        take_a_while();
        power_log_append(record, &entry, NULL);
    }
    return 0;
}

int fsync(int fd)
{
    return fdatasync(fd);
}

/* --- the same under other names -------------------------------------------- */

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset) __attribute__((alias("pwrite")));
ssize_t pwritev64(int fd, const struct iovec *vectors, int count, off64_t offset) __attribute__((alias("pwritev")));
int ftruncate64(int fd, off64_t length) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off64_t offset, off64_t length) __attribute__((alias("fallocate")));
int posix_fallocate64(int fd, off64_t offset, off64_t length) __attribute__((alias("posix_fallocate")));
