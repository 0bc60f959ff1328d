/*
 * daemon_reload.h - a changed configuration, taken over while the daemon runs.
 *
 * Main's thread.
 */
#ifndef TRACESPOOL_DAEMON_RELOAD_H
#define TRACESPOOL_DAEMON_RELOAD_H

#include "conf.h"
#include "flush.h"

/* How the log and the flusher are to be, by a configuration that was loaded without problems. */
void daemon_reload_configure_log(const struct conf *conf);
struct flush_settings daemon_reload_flush_settings(const struct conf *conf);

/*
 * Loads `path` again.  What can change at once does (log and flush, but for
 * flush.threads); of what else is not as in `running`, the configuration that
 * the daemon began with, it is logged that it needs a restart.  A
 * configuration with problems changes nothing.
 */
void daemon_reload(const struct conf *running, const char *path, struct flusher *flusher);

#endif
