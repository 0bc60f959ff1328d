/*
 * ctl.c - the command's frame: options, the verb, the configuration, the spool.
 *
 * One thread.  Options before the verb are read, the verb is looked up and
 * runs; what it makes on demand (configuration) is freed here.  A write to
 * standard output that fails (full disk) is an error of the command, since a
 * list that is cut must not look whole.
 */
#include "ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "ctl_help.h"
#include "ctl_text.h"

static void say(const struct ctl *ctl, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

static void say(const struct ctl *ctl, const char *format, va_list arguments)
{
    char text[2 * ERR_TEXT_MAX];
    struct buf line;

    /* Texts may quote what a stranger sent, so they are made harmless here, once for all. */
    vsnprintf(text, sizeof(text), format, arguments);
    buf_init(&line, 16 * sizeof(text));
    ctl_text_append(&line, slice_of_text(text), CTL_TEXT_WHOLE);
    fprintf(ctl->err, "tracespool%s%s: %.*s\n", ctl->verb != NULL ? " " : "", ctl->verb != NULL ? ctl->verb->name : "",
            (int)line.len, line.len > 0 ? (const char *)line.data : "");
    buf_fini(&line);
}

int ctl_fail(const struct ctl *ctl, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(ctl, format, arguments);
    va_end(arguments);
    return CTL_FAILED;
}

void ctl_note(const struct ctl *ctl, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(ctl, format, arguments);
    va_end(arguments);
}

void ctl_write(const struct ctl *ctl, struct buf *text)
{
    if (text->len > 0)
        fwrite(text->data, 1, text->len, ctl->out);
    buf_clear(text);
}

static void print_problem(void *context, const char *file, int line, const char *text)
{
    const struct ctl *ctl = context;

    if (line > 0)
        ctl_note(ctl, "%s:%d: %s", file, line, text);
    else
        ctl_note(ctl, "%s: %s", file, text);
}

const struct conf *ctl_conf(struct ctl *ctl)
{
    const char *path = ctl->conf_path;

    if (ctl->conf_loaded || ctl->conf_failed)
        return ctl->conf_loaded ? &ctl->conf : NULL;
    /* Without the default file the defaults hold; one that is named must be there. */
    if (path == NULL && (access(CONF_DEFAULT_PATH, F_OK) == 0 || errno != ENOENT))
        path = CONF_DEFAULT_PATH;
    ctl->conf_failed = conf_load(&ctl->conf, path, print_problem, ctl) > 0;
    ctl->conf_loaded = !ctl->conf_failed;
    return ctl->conf_loaded ? &ctl->conf : NULL;
}

int ctl_conf_named(struct ctl *ctl)
{
    return ctl->conf_path == NULL || ctl_conf(ctl) != NULL ? 0 : -1;
}

const char *ctl_spool_path(struct ctl *ctl)
{
    const struct conf *conf;

    if (ctl->spool_path != NULL && (ctl->conf_path == NULL || ctl->conf_failed))
        return ctl->spool_path;
    /* A configuration that is named is read even when it is not needed: its name may be the mistake. */
    conf = ctl_conf(ctl);
    if (conf != NULL)
        return ctl->spool_path != NULL ? ctl->spool_path : conf->spool.path;
    if (ctl->spool_path == NULL || access(ctl->conf_path, R_OK) != 0)
        return NULL;
    ctl_note(ctl, "going on without it where it is not needed, as --spool names the spool");
    return ctl->spool_path;
}

struct spool *ctl_open_spool(struct ctl *ctl)
{
    struct spool *spool;
    struct err err;
    const char *path = ctl_spool_path(ctl);

    if (path == NULL)
        return NULL;
    if (spool_open_readonly(&spool, path, &err) < 0) {
        ctl_fail_open(ctl, &err);
        return NULL;
    }
    return spool;
}

int ctl_fail_open(const struct ctl *ctl, const struct err *err)
{
    bool by_default = ctl->spool_path == NULL && ctl->conf_path == NULL && access(CONF_DEFAULT_PATH, F_OK) != 0;

    if (by_default && (err->code == ENOENT || err->code == ENOTDIR))
        return ctl_fail(ctl,
                        "%s There is no configuration at " CONF_DEFAULT_PATH
                        ", so the defaults hold: name it by --config, or the spool by --spool",
                        err->text);
    return ctl_fail(ctl, "%s", err->text);
}

int ctl_no_such_verb(const struct ctl *ctl, const char *name)
{
    const struct ctl_verb *near = ctl_verb_suggest(name);

    ctl_fail(ctl, "there is no verb \"%s\"", name);
    if (near != NULL)
        fprintf(ctl->err, "Did you mean `tracespool %s`?\n", near->name);
    else
        fprintf(ctl->err, "`tracespool help` lists the verbs.\n");
    return CTL_FAILED;
}

static int run_verb(struct ctl *ctl, int argc, char **argv)
{
    static const struct ctl_option none = {NULL, NULL, 0, NULL};
    const char *argument;

    ctl_options_start();
    if (ctl_options_next(ctl, argc, argv, &none, &argument) == CTL_OPTIONS_STOP)
        return ctl->exit;
    if (optind >= argc) {
        fprintf(ctl->err, "tracespool: a verb is missing; `tracespool help` lists them\n");
        return CTL_FAILED;
    }
    int first = optind;
    const struct ctl_verb *verb = ctl_verb_find(argv[first]);
    if (verb == NULL)
        return ctl_no_such_verb(ctl, argv[first]);
    ctl->verb = verb;
    ctl_options_start();
    return verb->run(ctl, argc - first, argv + first);
}

int ctl_run(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl ctl = {.out = out, .err = err};

    ctl_text_init();
    int status = run_verb(&ctl, argc, argv);
    if (fflush(out) != 0 || ferror(out))
        status = ctl_fail(&ctl, "cannot write the output: %s", strerror(errno));
    if (ctl.conf_loaded)
        conf_free(&ctl.conf);
    return status;
}
