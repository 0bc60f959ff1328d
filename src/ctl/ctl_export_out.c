/*
 * ctl_export_out.c - where and how `tracespool export` writes.
 *
 * A file of its own is written beside its name and gets it when it is complete
 * and on disk, so that what has the name is whole.  When it cannot be, somebody
 * asks to end, or there was nothing to write, it goes.  Standard output is given each request at
 * once, and a signal, or a reader that goes away, ends the command as it ends
 * others.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_export.h"
#include "ctl_requests.h"
#include "otlp_json_write.h"

static int cannot_write(const struct ctl_export *export, struct err *err)
{
    return err_set(err, ERR_CONFIG, errno, "cannot write %s: %s",
                   export->output != NULL ? export->output : "standard output", strerror(errno));
}

static int already_there(const struct ctl_export *export, struct err *err)
{
    return err_set(err, ERR_CONFIG, EEXIST, "%s is already there, and nothing is written over it", export->output);
}

int ctl_export_begin(struct ctl_export *export, struct err *err)
{
    struct stat stat;
    int fd;

    export->file = export->ctl->out;
    if (export->output == NULL)
        return 0;
    if (lstat(export->output, &stat) == 0)
        return already_there(export, err);
    if (snprintf(export->temporary, sizeof(export->temporary), "%s.XXXXXX", export->output) >= PATH_MAX)
        return err_set(err, ERR_CONFIG, ENAMETOOLONG, "the name of the output is too long");
    ctl_interrupt_watch(&export->interrupt);
    fd = mkostemp(export->temporary, O_CLOEXEC);
    export->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (export->file != NULL)
        return 0;
    cannot_write(export, err);
    if (fd >= 0)
        close(fd);
    ctl_interrupt_end(&export->interrupt);
    return -1;
}

/* --- a request ------------------------------------------------------------- */

static void write_text(void *context)
{
    struct ctl_export *export = context;

    if (export->text.len > 0)
        fwrite(export->text.data, 1, export->text.len, export->file);
    export->bytes += export->text.len;
    buf_clear(&export->text);
}

static int put_json(struct ctl_export *export, struct err *err)
{
    const struct otlp_json_write write = {.index = &export->batch.index,
                                          .parts = &export->parts,
                                          .out = &export->text,
                                          .each_span = write_text,
                                          .context = export};

    if (otlp_json_write(&write, err) < 0)
        return -1;
    if (export->text.failed)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for a span as JSON");
    write_text(export);
    return 0;
}

int ctl_export_pause(struct ctl_export *export, struct err *err)
{
    if (export->output == NULL || !ctl_interrupt_came(&export->interrupt))
        return 0;
    export->interrupted = true;
    return err_set(err, ERR_CONFIG, EINTR, "interrupted");
}

int ctl_export_put(struct ctl_export *export, struct err *err)
{
    if (export->proto) {
        export->bytes += CTL_REQUESTS_HEAD_BYTES + export->batch.request.len;
        ctl_requests_write(export->file, export->batch.request, export->requests == 0);
    } else if (put_json(export, err) < 0) {
        return -1;
    }
    if ((export->output == NULL && fflush(export->file) != 0) || ferror(export->file))
        return cannot_write(export, err);
    return 0;
}

/* --- a file of its own ----------------------------------------------------- */

/* Not over one that has come meanwhile; not every file system has both calls. */
static int give_name(const struct ctl_export *export, struct err *err)
{
    if (renameat2(AT_FDCWD, export->temporary, AT_FDCWD, export->output, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EINVAL && link(export->temporary, export->output) == 0)
        return unlink(export->temporary);
    return errno == EEXIST ? already_there(export, err) : cannot_write(export, err);
}

static int sync_directory(const struct ctl_export *export, struct err *err)
{
    char path[PATH_MAX];
    int fd, result;

    snprintf(path, sizeof(path), "%s", export->output);
    fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    result = fd < 0 || fsync(fd) < 0 ? cannot_write(export, err) : 0;
    if (fd >= 0)
        close(fd);
    return result;
}

int ctl_export_finish(struct ctl_export *export, int result, struct err *err)
{
    if (export->output == NULL)
        return result;
    if (result == 0 && (fflush(export->file) != 0 || fsync(fileno(export->file)) < 0))
        result = cannot_write(export, err);
    if (fclose(export->file) != 0 && result == 0)
        result = cannot_write(export, err);
    if (result == 0 && export->requests > 0)
        result = give_name(export, err);
    if (result < 0 || export->requests == 0)
        unlink(export->temporary);
    else
        result = sync_directory(export, err);
    ctl_interrupt_end(&export->interrupt);
    return result;
}
