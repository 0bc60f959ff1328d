/*
 * spool_resident.c - giving back what reading has mapped.
 *
 * LMDB maps the file, so a process that reads all of a spool ends up with all
 * of it resident.  That is the kernel's cache and no memory of its own, but it
 * looks like it, and counts where memory is limited.  LMDB does not tell where
 * its map is, so /proc/self/maps is asked each time; only a shared mapping of
 * the data file is touched, of which nothing is lost.  Where /proc is not
 * there, or names the file otherwise, nothing is given back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "spool_internal.h"

#define LINE_BYTES 8192
#define FILE_NAME "/data.mdb"

/* Whether the line is of a shared mapping of the file with this inode. */
static bool is_of_file(const char *line, ino_t inode, uintptr_t *first, uintptr_t *end)
{
    uint64_t found;
    char rights[5];
    size_t len = strcspn(line, "\n"), name = sizeof(FILE_NAME) - 1;

    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*x %*x:%*x %" SCNu64, first, end, rights, &found) != 4)
        return false;
    return rights[3] == 's' && found == (uint64_t)inode && len > name &&
           strncmp(line + len - name, FILE_NAME, name) == 0;
}

void spool_forget_pages(struct spool *spool)
{
    char line[LINE_BYTES];
    struct stat stat;
    mdb_filehandle_t fd;
    FILE *maps;

    if (mdb_env_get_fd(spool->env, &fd) != 0 || fstat(fd, &stat) != 0)
        return;
    maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        uintptr_t first, end;

        if (is_of_file(line, stat.st_ino, &first, &end))
            madvise((void *)first, end - first, MADV_DONTNEED);
    }
    if (maps != NULL)
        fclose(maps);
}
