/*
 * ctl_show_raw.c - `tracespool show SEQ --raw`: the bytes of a request as they
 * came, uncompressed, for `tracespool send`, protoc or a file.
 *
 * Never onto a terminal: what a stranger sent would be typed at it.
 */
#include <inttypes.h>
#include <unistd.h>

#include "ctl_batch.h"
#include "ctl_show.h"

int ctl_show_raw_bytes(const struct ctl *ctl, struct slice bytes)
{
    if (fwrite(bytes.data, 1, bytes.len, ctl->out) != bytes.len)
        return CTL_FAILED; /* ctl_run says why */
    return CTL_OK;
}

bool ctl_show_may_be_raw(const struct ctl *ctl)
{
    int fd = fileno(ctl->out);

    if (fd < 0 || isatty(fd) != 1)
        return true;
    ctl_fail(ctl, "--raw is no text and is not written to a terminal; send it to a file or a pipe");
    return false;
}

static int write_batch(const struct ctl *ctl, struct ctl_batch *batch, uint64_t seq)
{
    struct err err;

    if (batch->record.damaged)
        err_set(&err, ERR_POISON, 0, "a part is missing or its checksum is wrong");
    else if (ctl_batch_inflate(batch, &err) == 0)
        return ctl_show_raw_bytes(ctl, batch->request);
    ctl_fail(ctl, "batch %" PRIu64 " cannot be read: %s", seq, err.text);
    return CTL_PARTIAL;
}

int ctl_show_raw(struct ctl *ctl, uint64_t seq)
{
    struct spool *spool = ctl_open_spool(ctl);
    struct ctl_batch batch;
    struct err err;
    int status;

    if (spool == NULL)
        return CTL_FAILED;
    ctl_batch_init(&batch);
    int found = ctl_batch_read(&batch, spool, seq, &err);
    if (found > 0)
        status = write_batch(ctl, &batch, seq);
    else if (found < 0)
        status = ctl_fail(ctl, "%s", err.text);
    else
        status = ctl_show_no_batch(ctl, spool, seq);
    ctl_batch_fini(&batch);
    spool_close(spool);
    return status;
}
