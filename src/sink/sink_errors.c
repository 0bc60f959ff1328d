/*
 * sink_errors.c - looks up sink_error_table.h.
 *
 * A server's code is asked for only when the error is the server's
 * (MONGOC_ERROR_SERVER): the driver's own codes are small numbers that mean
 * other things (11 is a failed authentication there and an unknown user here).
 *
 * Labels stand between: what the server says about its code wins over the
 * code, except that a person's errors stay a person's.
 */
#include "sink_errors.h"

#include <stddef.h>
#include <string.h>

#define SESSION_MEMBER ", lsid: { id: "

enum where { ANY, DOCUMENT, COMMAND };

static const struct {
    int code;
    const char *name;
    enum where where;
    enum sink_error meaning;
} codes[] = {
#define SINK_CODE(code, name, where, meaning) {code, #name, where, SINK_ERROR_##meaning},
#define SINK_LABEL(label, meaning)
#define SINK_DOMAIN(domain, code, meaning)
#include "sink_error_table.h"
#undef SINK_CODE
#undef SINK_LABEL
#undef SINK_DOMAIN
};

static const struct {
    const char *label;
    enum sink_error meaning;
} labels[] = {
#define SINK_CODE(code, name, where, meaning)
#define SINK_LABEL(label, meaning) {label, SINK_ERROR_##meaning},
#define SINK_DOMAIN(domain, code, meaning)
#include "sink_error_table.h"
#undef SINK_CODE
#undef SINK_LABEL
#undef SINK_DOMAIN
};

static const struct {
    uint32_t domain;
    uint32_t code;
    enum sink_error meaning;
} domains[] = {
#define SINK_CODE(code, name, where, meaning)
#define SINK_LABEL(label, meaning)
#define SINK_DOMAIN(domain, code, meaning) {domain, code, SINK_ERROR_##meaning},
#include "sink_error_table.h"
#undef SINK_CODE
#undef SINK_LABEL
#undef SINK_DOMAIN
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum sink_error find_code(int code, enum where where)
{
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].code == code && (codes[i].where == where || codes[i].where == ANY))
            return codes[i].meaning;
    return SINK_ERROR_UNKNOWN;
}

static enum sink_error find_label(const bson_t *reply)
{
    for (size_t i = 0; reply != NULL && i < COUNT(labels); i++)
        if (mongoc_error_has_label(reply, labels[i].label))
            return labels[i].meaning;
    return SINK_ERROR_UNKNOWN;
}

static enum sink_error find_domain(const bson_error_t *error)
{
    for (size_t i = 0; i < COUNT(domains); i++)
        if (domains[i].domain == error->domain && (domains[i].code == error->code || domains[i].code == 0))
            return domains[i].meaning;
    return SINK_ERROR_UNKNOWN;
}

enum sink_error sink_errors_of_document(int code)
{
    return find_code(code, DOCUMENT);
}

static bool is_servers(const bson_error_t *error)
{
    return error->domain == MONGOC_ERROR_SERVER || error->domain == MONGOC_ERROR_WRITE_CONCERN;
}

enum sink_error sink_errors_of_command(const bson_error_t *error, const bson_t *reply)
{
    enum sink_error by_code = is_servers(error) ? find_code((int)error->code, COMMAND) : find_domain(error);
    enum sink_error by_label = find_label(reply);

    if (by_code == SINK_ERROR_CONFIGURATION || by_label == SINK_ERROR_UNKNOWN)
        return by_code;
    return by_label;
}

enum sink_error sink_errors_of_write_concern(int code)
{
    return find_code(code, COMMAND) == SINK_ERROR_CONFIGURATION ? SINK_ERROR_CONFIGURATION : SINK_ERROR_NOT_DURABLE;
}

enum err_class sink_errors_class(enum sink_error meaning)
{
    switch (meaning) {
    case SINK_ERROR_CONFIGURATION:
        return ERR_CONFIG;
    case SINK_ERROR_POISON:
        return ERR_POISON;
    case SINK_ERROR_OVERLOAD:
        return ERR_OVERLOAD;
    case SINK_ERROR_STORAGE:
        return ERR_FULL;
    case SINK_ERROR_UNKNOWN:
        return ERR_UNKNOWN;
    case SINK_ERROR_TRANSIENT:
    case SINK_ERROR_NOT_DURABLE:
    case SINK_ERROR_STALE:
    case SINK_ERROR_DUPLICATE:
        break;
    }
    return ERR_RETRY;
}

const char *sink_errors_code_name(int code)
{
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].code == code)
            return codes[i].name;
    return "";
}

static const char *lead_of(enum sink_error meaning)
{
    switch (meaning) {
    case SINK_ERROR_TRANSIENT:
        return "MongoDB cannot be reached or is changing state";
    case SINK_ERROR_OVERLOAD:
        return "MongoDB is overloaded";
    case SINK_ERROR_NOT_DURABLE:
        return "a majority has not confirmed the write";
    case SINK_ERROR_CONFIGURATION:
        return "MongoDB needs a person";
    case SINK_ERROR_STORAGE:
        return "MongoDB has no room or blocks writes";
    case SINK_ERROR_STALE:
        return "the collection changed meanwhile";
    case SINK_ERROR_DUPLICATE:
        return "a unique index has this key already";
    case SINK_ERROR_POISON:
        return "MongoDB refuses it";
    case SINK_ERROR_UNKNOWN:
        break;
    }
    return "MongoDB failed in a way that is not known";
}

/*
 * Some refusals quote the whole command, with the id of its session.  What comes
 * before that says enough; with it each session's error would be another one, to
 * be said again.
 */
static int length_to_say(const char *text)
{
    const char *session = strstr(text, SESSION_MEMBER);

    return (int)(session == NULL ? strlen(text) : (size_t)(session - text));
}

int sink_errors_set(struct err *err, enum sink_error meaning, int code, const char *text)
{
    const char *name = sink_errors_code_name(code);
    int length = length_to_say(text);

    return err_set(err, sink_errors_class(meaning), code, "%s: %.*s%s (code %d%s%s)", lead_of(meaning), length, text,
                   text[length] == '\0' ? "" : ", ... }", code, name[0] == '\0' ? "" : " ", name);
}

enum sink_error sink_errors_set_command(struct err *err, const bson_error_t *error, const bson_t *reply)
{
    enum sink_error meaning = sink_errors_of_command(error, reply);

    if (is_servers(error))
        sink_errors_set(err, meaning, (int)error->code, error->message);
    else
        err_set(err, sink_errors_class(meaning), (int)error->code, "%s: %s (driver's code %u.%u)", lead_of(meaning),
                error->message, error->domain, error->code);
    return meaning;
}
