/*
 * conf_table.h - every configuration key, once:
 *   CONF_SECTION(section, path)
 *   CONF_KEY(section, key, type, default, min, max, help)
 *
 * A section is a member of struct conf.  Its path is its name in the file;
 * "a.b" is the group b inside of section a, and there is no third level.
 *
 * Types: TEXT (min..max length), BYTES and DURATION (written as text with a
 * unit; min..max in bytes or ns), COUNT (integer), BOOL.  The parser, the
 * defaults, the checks and the test of etc/tracespool.conf come from here.
 */
/* clang-format off */
CONF_SECTION(receiver, "receiver")
CONF_KEY(receiver, grpc,              TEXT,     "127.0.0.1:4317",  0, 255,  "Address of the OTLP/gRPC endpoint: host:port, [v6]:port or unix:/path; empty: none.")
CONF_KEY(receiver, http,              TEXT,     "127.0.0.1:4318",  0, 255,  "Address of the OTLP/HTTP endpoint; empty: none.")
CONF_KEY(receiver, insecure,          BOOL,     "false",           0, 0,    "Listen without TLS on addresses that other machines reach.")
CONF_KEY(receiver, threads,           COUNT,    "2",               1, RECEIVER_THREADS_MAX, "Threads that answer calls.")
CONF_KEY(receiver, max_request_bytes, BYTES,    "64MiB",           64 << 10, 1 << 30, "Largest request, before and after decompression.")
CONF_KEY(receiver, max_depth,         COUNT,    "90",              1, OTLP_DEPTH_MAX, "Levels of nested attribute values.")
CONF_KEY(receiver, max_in_flight_bytes, BYTES,  "256MiB",          1 << 20, 64ULL << 30, "Bytes of requests in hand; above it requests are told to come back later.")
CONF_KEY(receiver, max_connections,   COUNT,    "1024",            1, 100000, "Connections at a time.")
CONF_KEY(receiver, max_calls,         COUNT,    "1024",            1, 100000, "Calls in hand, over all connections.")
CONF_KEY(receiver, max_header_bytes,  BYTES,    "16KiB",           4 << 10, 1 << 20, "Headers of one request.")
CONF_KEY(receiver, read_timeout,      DURATION, "30s",             100 * NS_PER_MS, 600 * NS_PER_S, "How long a request may take to come in whole, a connection to begin its first one, and an answer to be taken.")
CONF_KEY(receiver, idle_timeout,      DURATION, "10m",             NS_PER_S, NS_PER_DAY, "After so long without a call a connection is closed.")
CONF_KEY(receiver, stop_timeout,      DURATION, "10s",             0, 600 * NS_PER_S, "How long calls in hand may take when the daemon stops.")

CONF_KEY(receiver, bearer_tokens_file, TEXT,    "",                0, 4000, "File of tokens, one a line, of which a request must carry one; empty: none is asked for.")

CONF_SECTION(receiver_tls, "receiver.tls")
CONF_KEY(receiver_tls, cert_file,     TEXT,     "",                0, 4000, "Certificate chain of both endpoints, PEM; empty: no TLS.")
CONF_KEY(receiver_tls, key_file,      TEXT,     "",                0, 4000, "Private key of the certificate, PEM.")
CONF_KEY(receiver_tls, client_ca_file, TEXT,    "",                0, 4000, "Authorities, PEM, of which a client must show a certificate; empty: none is asked for.")

CONF_SECTION(spool, "spool")
CONF_KEY(spool, path,                 TEXT,     "/var/lib/tracespool", 1, 4000, "Directory of the spool, on a local file system.")
CONF_KEY(spool, size,                 BYTES,    "8GiB",            SPOOL_SIZE_MIN_BYTES, SPOOL_SIZE_MAX_BYTES, "Size of the spool.")
CONF_KEY(spool, reserve,              BOOL,     "true",            0, 0,    "Allocate the whole size at start, so that a full disk cannot hurt the spool.")
CONF_KEY(spool, history,              DURATION, "7d",              0, 3650 * NS_PER_DAY, "How long delivered batches are kept while there is room.")
CONF_KEY(spool, when_full,            TEXT,     "refuse",          6, 11,   "What a full spool does: refuse new batches, or drop_oldest of those that wait.")

CONF_SECTION(flush, "flush")
CONF_KEY(flush, order,                TEXT,     "both",            4, 12,   "What is delivered first: oldest_first, newest_first, or both at a time.")
CONF_KEY(flush, threads,              COUNT,    "2",               1, FLUSH_THREADS_MAX, "Threads that write to MongoDB.")
CONF_KEY(flush, batch_documents,      COUNT,    "1000",            1, SINK_MESSAGE_DOCUMENTS_MAX, "Documents in one bulk insert.")
CONF_KEY(flush, rate,                 COUNT,    "0",               0, FLUSH_RATE_MAX, "Most spans a second, all threads together, so that a MongoDB that comes back is not drowned; 0 is as fast as it takes them.")

CONF_SECTION(mongodb, "mongodb")
CONF_KEY(mongodb, uri,                TEXT,     "mongodb://127.0.0.1:27017", 10, 4000, "Connection string. MONGO_URI in the environment wins over it.")
CONF_KEY(mongodb, database,           TEXT,     "tracing",         1, 63,   "Database of the traces.")
CONF_KEY(mongodb, compressor,         TEXT,     "zstd",            4, 6,    "Block compressor of new collections: zstd, snappy, zlib or none.")
CONF_KEY(mongodb, retention,          DURATION, "30d",             0, 3650 * NS_PER_DAY, "How long a day's traces are kept; then its collection is dropped; 0: for ever.")
CONF_KEY(mongodb, min_free,           TEXT,     "10%",             1, 32,   "Free room on MongoDB's volume below which nothing is written: a share, a size, or 0 for none.")
CONF_KEY(mongodb, when_full,          TEXT,     "wait",            4, 11,   "What is done then: wait for a person, or drop_oldest of the days.")
CONF_KEY(mongodb, shard,              BOOL,     "false",           0, 0,    "Shard each new day by its trace ids, where MongoDB is a sharded cluster.")

CONF_SECTION(admin, "admin")
CONF_KEY(admin, listen,               TEXT,     "127.0.0.1:9464",  0, 255,  "Address of /metrics, /healthz and /readyz; empty: none.")

CONF_SECTION(tracing, "tracing")
CONF_KEY(tracing, endpoint,           TEXT,     "",                0, 1024, "OTLP/HTTP receiver that takes the daemon's own spans: http://host:port or https://host:port, to which /v1/traces is added; empty: there are none.")
CONF_KEY(tracing, sample_ratio,       TEXT,     "1%",              2, 32,   "Share of the traces that the daemon begins which is recorded; below a traceparent, its sender has decided.")
CONF_KEY(tracing, ca_file,            TEXT,     "",                0, 4000, "Authorities, PEM, that the receiver's certificate may be of; empty: the system's.")
CONF_KEY(tracing, token_file,         TEXT,     "",                0, 4000, "File whose first token is sent to the receiver; empty: none is sent.")

CONF_SECTION(log, "log")
CONF_KEY(log, level,                  TEXT,     "info",            4, 5,    "debug, info, warn or error.")
CONF_KEY(log, format,                 TEXT,     "logfmt",          4, 6,    "logfmt or json.")
/* clang-format on */
