/*
 * sink_error_table.h - what MongoDB's and the driver's errors mean, once.
 *
 *   SINK_CODE(code, name, where, meaning)   the server's codes
 *   SINK_LABEL(label, meaning)              the server's and the driver's labels
 *   SINK_DOMAIN(domain, code, meaning)      the driver's own; code 0 is the rest of the domain
 *
 * `where`: DOCUMENT is an entry of writeErrors, COMMAND a command that failed
 * as a whole, ANY both.  A row for the place wins over one for ANY.  What is
 * not here is UNKNOWN, which is sent again and never dropped.
 */
/* clang-format off */

/* Network between the nodes: the outcome is unknown. */
SINK_CODE(6,     HostUnreachable,                             ANY,      TRANSIENT)
SINK_CODE(7,     HostNotFound,                                ANY,      TRANSIENT)
SINK_CODE(89,    NetworkTimeout,                              ANY,      TRANSIENT)
SINK_CODE(145,   PooledConnectionsDropped,                    ANY,      TRANSIENT)
SINK_CODE(202,   NetworkInterfaceExceededTimeLimit,           ANY,      TRANSIENT)
SINK_CODE(384,   ConnectionError,                             ANY,      TRANSIENT)
SINK_CODE(9001,  SocketException,                             ANY,      TRANSIENT)

/* A mongos does not reach a shard, or does not know it yet. */
SINK_CODE(70,    ShardNotFound,                               ANY,      TRANSIENT)
SINK_CODE(71,    ReplicaSetNotFound,                          ANY,      TRANSIENT)
SINK_CODE(83,    RemoteResultsUnavailable,                    ANY,      TRANSIENT)
SINK_CODE(133,   FailedToSatisfyReadPreference,               ANY,      TRANSIENT)
SINK_CODE(199,   ReplicaSetMonitorRemoved,                    ANY,      TRANSIENT)
SINK_CODE(203,   ShardingStateNotInitialized,                 ANY,      TRANSIENT)

/* Elections, restarts. */
SINK_CODE(91,    ShutdownInProgress,                          ANY,      TRANSIENT)
SINK_CODE(134,   ReadConcernMajorityNotAvailableYet,          ANY,      TRANSIENT)
SINK_CODE(189,   PrimarySteppedDown,                          ANY,      TRANSIENT)
SINK_CODE(262,   ExceededTimeLimit,                           ANY,      TRANSIENT)
SINK_CODE(10058, LegacyNotPrimary,                            ANY,      TRANSIENT)
SINK_CODE(10107, NotWritablePrimary,                          ANY,      TRANSIENT)
SINK_CODE(11600, InterruptedAtShutdown,                       ANY,      TRANSIENT)
SINK_CODE(11602, InterruptedDueToReplStateChange,             ANY,      TRANSIENT)
SINK_CODE(13435, NotPrimaryNoSecondaryOk,                     ANY,      TRANSIENT)
SINK_CODE(13436, NotPrimaryOrSecondary,                       ANY,      TRANSIENT)

/* Too much at once. */
SINK_CODE(24,    LockTimeout,                                 ANY,      OVERLOAD)
SINK_CODE(46,    LockBusy,                                    ANY,      OVERLOAD)
SINK_CODE(50,    MaxTimeMSExpired,                            ANY,      OVERLOAD)
SINK_CODE(112,   WriteConflict,                               ANY,      OVERLOAD)
SINK_CODE(261,   TooManyLogicalSessions,                      ANY,      OVERLOAD)
SINK_CODE(264,   TooManyFilesOpen,                            ANY,      OVERLOAD)
SINK_CODE(290,   TransactionExceededLifetimeLimitSeconds,     ANY,      OVERLOAD)
SINK_CODE(365,   TemporarilyUnavailable,                      ANY,      OVERLOAD)
SINK_CODE(402,   ResourceExhausted,                           ANY,      OVERLOAD)
SINK_CODE(407,   PooledConnectionAcquisitionExceededTimeLimit,ANY,      OVERLOAD)
SINK_CODE(433,   AdmissionQueueOverflow,                      ANY,      OVERLOAD)
SINK_CODE(449,   RateLimitExceeded,                           ANY,      OVERLOAD)
SINK_CODE(450,   PooledConnectionAcquisitionRejected,         ANY,      OVERLOAD)
SINK_CODE(462,   IngressRequestRateLimitExceeded,             ANY,      OVERLOAD)
SINK_CODE(11601, Interrupted,                                 ANY,      OVERLOAD)

/* Applied, but not by a majority. */
SINK_CODE(64,    WriteConcernTimeout,                         ANY,      NOT_DURABLE)
SINK_CODE(75,    WriteConcernLegacyOK,                        ANY,      NOT_DURABLE)

/* A person has to act. */
SINK_CODE(11,    UserNotFound,                                ANY,      CONFIGURATION)
SINK_CODE(13,    Unauthorized,                                ANY,      CONFIGURATION)
SINK_CODE(18,    AuthenticationFailed,                        ANY,      CONFIGURATION)
SINK_CODE(20,    IllegalOperation,                            ANY,      CONFIGURATION)
SINK_CODE(23,    AlreadyInitialized,                          ANY,      CONFIGURATION)
SINK_CODE(59,    CommandNotFound,                             ANY,      CONFIGURATION)
SINK_CODE(61,    ShardKeyNotFound,                            ANY,      CONFIGURATION)
SINK_CODE(72,    InvalidOptions,                              ANY,      CONFIGURATION)
SINK_CODE(73,    InvalidNamespace,                            ANY,      CONFIGURATION)
SINK_CODE(79,    UnknownReplWriteConcern,                     ANY,      CONFIGURATION)
SINK_CODE(85,    IndexOptionsConflict,                        ANY,      CONFIGURATION)
SINK_CODE(86,    IndexKeySpecsConflict,                       ANY,      CONFIGURATION)
SINK_CODE(100,   UnsatisfiableWriteConcern,                   ANY,      CONFIGURATION)
SINK_CODE(115,   CommandNotSupported,                         ANY,      CONFIGURATION)
SINK_CODE(140,   InvalidSSLConfiguration,                     ANY,      CONFIGURATION)
SINK_CODE(141,   SSLHandshakeFailed,                          ANY,      CONFIGURATION)
SINK_CODE(166,   CommandNotSupportedOnView,                   ANY,      CONFIGURATION)
SINK_CODE(334,   MechanismUnavailable,                        ANY,      CONFIGURATION)
SINK_CODE(391,   ReauthenticationRequired,                    ANY,      CONFIGURATION)
SINK_CODE(8000,  AtlasError,                                  ANY,      CONFIGURATION)

/* No room, or writing is blocked. */
SINK_CODE(371,   UserWritesBlocked,                           ANY,      STORAGE)
SINK_CODE(14031, OutOfDiskSpace,                              ANY,      STORAGE)

/* One document will never be taken. */
SINK_CODE(2,     BadValue,                                    DOCUMENT, POISON)
SINK_CODE(14,    TypeMismatch,                                DOCUMENT, POISON)
SINK_CODE(15,    Overflow,                                    DOCUMENT, POISON)
SINK_CODE(22,    InvalidBSON,                                 DOCUMENT, POISON)
SINK_CODE(52,    DollarPrefixedFieldName,                     DOCUMENT, POISON)
SINK_CODE(53,    InvalidIdField,                              DOCUMENT, POISON)
SINK_CODE(56,    EmptyFieldName,                              DOCUMENT, POISON)
SINK_CODE(57,    DottedFieldName,                             DOCUMENT, POISON)
SINK_CODE(67,    CannotCreateIndex,                           DOCUMENT, POISON)
SINK_CODE(121,   DocumentValidationFailure,                   DOCUMENT, POISON)
SINK_CODE(171,   CannotIndexParallelArrays,                   DOCUMENT, POISON)
SINK_CODE(378,   NonConformantBSON,                           DOCUMENT, POISON)
SINK_CODE(10334, BSONObjectTooLarge,                          DOCUMENT, POISON)
SINK_CODE(11000, DuplicateKey,                                DOCUMENT, DUPLICATE)

/* A whole command is refused: perhaps for one of its documents. */
SINK_CODE(2,     BadValue,                                    COMMAND,  POISON)
SINK_CODE(9,     FailedToParse,                               COMMAND,  POISON)
SINK_CODE(16,    InvalidLength,                               COMMAND,  POISON)
SINK_CODE(22,    InvalidBSON,                                 COMMAND,  POISON)
SINK_CODE(10334, BSONObjectTooLarge,                          COMMAND,  POISON)
SINK_CODE(40414, IDLFailedToParse,                            COMMAND,  POISON)
SINK_CODE(40415, IDLUnknownField,                             COMMAND,  POISON)

/* The collection was dropped, moved or is being made. */
SINK_CODE(26,    NamespaceNotFound,                           ANY,      STALE)
SINK_CODE(48,    NamespaceExists,                             ANY,      STALE)
SINK_CODE(63,    StaleShardVersion,                           ANY,      STALE)
SINK_CODE(82,    NoProgressMade,                              ANY,      STALE)
SINK_CODE(117,   ConflictingOperationInProgress,              ANY,      STALE)
SINK_CODE(150,   StaleEpoch,                                  ANY,      STALE)
SINK_CODE(215,   DatabaseDropPending,                         ANY,      STALE)
SINK_CODE(249,   StaleDbVersion,                              ANY,      STALE)
SINK_CODE(319,   MovePrimaryInProgress,                       ANY,      STALE)
SINK_CODE(343,   ShardCannotRefreshDueToLocksHeld,            ANY,      STALE)
SINK_CODE(12587, BackgroundOperationInProgressForNamespace,   ANY,      STALE)
SINK_CODE(13388, StaleConfig,                                 ANY,      STALE)

SINK_LABEL("SystemOverloadedError",   OVERLOAD)
SINK_LABEL("RetryableError",          OVERLOAD)
SINK_LABEL("RetryableWriteError",     TRANSIENT)

SINK_DOMAIN(MONGOC_ERROR_CLIENT,           MONGOC_ERROR_CLIENT_AUTHENTICATE, CONFIGURATION)
SINK_DOMAIN(MONGOC_ERROR_CLIENT,           MONGOC_ERROR_CLIENT_GETNONCE,     CONFIGURATION)
SINK_DOMAIN(MONGOC_ERROR_CLIENT,           0,                                TRANSIENT)
SINK_DOMAIN(MONGOC_ERROR_STREAM,           0,                                TRANSIENT)
SINK_DOMAIN(MONGOC_ERROR_PROTOCOL,         MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION, CONFIGURATION)
SINK_DOMAIN(MONGOC_ERROR_PROTOCOL,         0,                                TRANSIENT)
SINK_DOMAIN(MONGOC_ERROR_SERVER_SELECTION, 0,                                TRANSIENT)
SINK_DOMAIN(MONGOC_ERROR_SASL,             0,                                CONFIGURATION)
SINK_DOMAIN(MONGOC_ERROR_SCRAM,            0,                                CONFIGURATION)
SINK_DOMAIN(MONGOC_ERROR_NAMESPACE,        0,                                CONFIGURATION)
SINK_DOMAIN(MONGOC_ERROR_BSON,             0,                                POISON)
SINK_DOMAIN(MONGOC_ERROR_COMMAND,          MONGOC_ERROR_COMMAND_INVALID_ARG, POISON)
/* clang-format on */
