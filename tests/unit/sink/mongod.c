#include "mongod.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants these before it */
#include <setjmp.h>

#include <cmocka.h>

#include "clock.h"

#define ARGUMENTS_MAX 32
#define START_DEADLINE_NS (60 * NS_PER_S)
#define POLL_NS (20 * NS_PER_MS)

struct mongod {
    const char *binary;
    const char *const *extra;
    char directory[64];
    char host[32];
    int port;
    pid_t pid; /* 0: not running */
};

static const char *find_binary(void)
{
    static char found[512];
    const char *named = getenv("TRACESPOOL_TEST_MONGOD");
    const char *path = getenv("PATH");

    if (named != NULL && named[0] != '\0')
        return named;
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");

        snprintf(found, sizeof(found), "%.*s/mongod", (int)len, path);
        if (access(found, X_OK) == 0)
            return found;
        path += len + (path[len] == ':');
    }
    return NULL;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Free a moment ago; mongod cannot be told to pick one itself. */
static int find_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static bool accepts(const struct mongod *mongod)
{
    struct sockaddr_in address = loopback(mongod->port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    close(fd);
    return connected;
}

static void run_mongod(const struct mongod *mongod)
{
    char port[16], log[128];
    const char *arguments[ARGUMENTS_MAX] = {
        mongod->binary, "--dbpath", mongod->directory, "--port", port, "--bind_ip", "127.0.0.1", "--nounixsocket",
        /* small: several of these may run beside each other */
        "--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false", "--setParameter",
        /* failCommand */
        "enableTestCommands=1"};
    int count = 14;
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(port, sizeof(port), "%d", mongod->port);
    for (size_t i = 0; mongod->extra != NULL && mongod->extra[i] != NULL; i++)
        arguments[count++] = mongod->extra[i];
    snprintf(log, sizeof(log), "%s/log", mongod->directory);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execv(mongod->binary, (char *const *)(uintptr_t)arguments);
    _exit(127);
}

void mongod_restart(struct mongod *mongod)
{
    const struct timespec poll = {.tv_nsec = (long)POLL_NS};
    uint64_t deadline_ns = clock_mono_ns() + START_DEADLINE_NS;

    mongod->pid = fork();
    assert_true(mongod->pid >= 0);
    if (mongod->pid == 0)
        run_mongod(mongod);
    while (!accepts(mongod)) {
        if (waitpid(mongod->pid, NULL, WNOHANG) != 0 || clock_mono_ns() > deadline_ns)
            fail_msg("%s did not start; see %s/log", mongod->binary, mongod->directory);
        nanosleep(&poll, NULL);
    }
}

struct mongod *mongod_start(const char *const *extra)
{
    const char *binary = find_binary();
    struct mongod *mongod;

    if (binary == NULL) {
        print_message("skipped: no mongod; set TRACESPOOL_TEST_MONGOD to its path\n");
        return NULL;
    }
    mongod = calloc(1, sizeof(*mongod));
    assert_non_null(mongod);
    mongod->binary = binary;
    mongod->extra = extra;
    mongod->port = find_port();
    snprintf(mongod->host, sizeof(mongod->host), "127.0.0.1:%d", mongod->port);
    snprintf(mongod->directory, sizeof(mongod->directory), "/tmp/tracespool-mongod-XXXXXX");
    assert_non_null(mkdtemp(mongod->directory));
    mongod_restart(mongod);
    return mongod;
}

void mongod_stop(struct mongod *mongod)
{
    if (mongod->pid == 0)
        return;
    kill(mongod->pid, SIGKILL);
    waitpid(mongod->pid, NULL, 0);
    mongod->pid = 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

void mongod_free(struct mongod *mongod)
{
    if (mongod == NULL)
        return;
    mongod_stop(mongod);
    nftw(mongod->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(mongod);
}

const char *mongod_host(const struct mongod *mongod)
{
    return mongod->host;
}

bson_t *mongod_command(struct mongod *mongod, const char *database, bson_t *command)
{
    char uri[128];
    mongoc_client_t *client;
    bson_error_t error;
    bson_t *copy;
    bson_t reply;

    snprintf(uri, sizeof(uri), "mongodb://%s/?directConnection=true", mongod->host);
    client = mongoc_client_new(uri);
    assert_non_null(client);
    if (!mongoc_client_command_simple(client, database, command, NULL, &reply, &error))
        fail_msg("%s", error.message);
    copy = bson_copy(&reply);
    bson_destroy(&reply);
    mongoc_client_destroy(client);
    bson_destroy(command);
    return copy;
}

bool mongod_has(struct mongod *mongod, const char *database, const char *name)
{
    bson_t *reply = mongod_command(
        mongod, database, BCON_NEW("listCollections", BCON_INT32(1), "filter", "{", "name", BCON_UTF8(name), "}"));
    bson_iter_t at, batch;
    bool has;

    assert_true(bson_iter_init(&at, reply));
    assert_true(bson_iter_find_descendant(&at, "cursor.firstBatch", &batch));
    has = bson_iter_recurse(&batch, &at) && bson_iter_next(&at);
    bson_destroy(reply);
    return has;
}

void mongod_fail_next(struct mongod *mongod, const char *command, int times, int code)
{
    bson_destroy(mongod_command(mongod, "admin",
                                BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times", BCON_INT32(times),
                                         "}", "data", "{", "failCommands", "[", BCON_UTF8(command), "]", "errorCode",
                                         BCON_INT32(code), "}")));
}
