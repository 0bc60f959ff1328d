/*
 * daemon_config.h - the configuration as a person meets it: its problems.
 *
 * Main's thread.
 */
#ifndef TRACESPOOL_DAEMON_CONFIG_H
#define TRACESPOOL_DAEMON_CONFIG_H

#include "conf.h"
#include "receiver.h"
#include "sink_mongo.h"
#include "tracing_export.h"

/* 0, or -1 when there are problems, each of which was logged as "FILE:LINE: text". */
int daemon_config_load(struct conf *conf, const char *path);

/* Loads, tries MongoDB's options without connecting, prints what is found or "FILE: OK".  0 or -1. */
int daemon_config_check(const char *path);

/* The sink's part; its texts are the configuration's. */
struct sink_mongo_options daemon_config_sink(const struct conf *conf);

/* The receiver's. */
struct receiver_options daemon_config_receiver(const struct conf *conf);

/* That of the daemon's own spans. */
struct tracing_export_options daemon_config_tracing(const struct conf *conf);

#endif
