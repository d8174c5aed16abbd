// SPDX-License-Identifier: GPL-2.0-or-later
/* A machine, and the time that passes in it: see include/xenlab/xenlab.h. */
#include "tools/debug/look.h"
#include "ui/lib/lib.h"
#include "ui/start.h"
#include "ui/version.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *xenlab_version(void) { return XENLAB_VERSION; }

int lib_fail(struct xenlab *x, const char *fmt, ...)
{
    va_list ap;

    if (!x)
        return -1;
    va_start(ap, fmt);
    vsnprintf(x->err, sizeof(x->err), fmt, ap);
    va_end(ap);
    return -1;
}

const char *xenlab_error(const struct xenlab *x) { return x ? x->err : "there is no machine (NULL)"; }

bool lib_take(void *ours, size_t len, const void *theirs)
{
    size_t size = 0;

    if (theirs)
        memcpy(&size, theirs, sizeof(size));
    if (size < sizeof(size))
        return false;
    memcpy(ours, theirs, size < len ? size : len);
    return true;
}

void lib_give(void *theirs, const void *ours, size_t len)
{
    size_t size = 0;

    if (theirs)
        memcpy(&size, theirs, sizeof(size));
    if (size <= sizeof(size))
        return;
    memcpy((char *)theirs + sizeof(size), (const char *)ours + sizeof(size), (size < len ? size : len) - sizeof(size));
}

/* --- what it says --- */

static void on_console(void *data, domid_t domid, const char *text, size_t len)
{
    const struct xenlab *x = data;

    if (x->io.console)
        x->io.console(x->io.data, domid, text, len);
}

static void on_message(void *data, const char *line)
{
    const struct xenlab *x = data;

    if (x->io.message)
        x->io.message(x->io.data, line);
}

/* The hypervisor's have an end of line. */
static void on_log(void *data, const char *line, size_t len)
{
    char text[1024];

    snprintf(text, sizeof(text), "%.*s", (int)(len && line[len - 1] == '\n' ? len - 1 : len), line);
    on_message(data, text);
}

static void on_ended(void *data, domid_t domid, int reason)
{
    const struct xenlab *x = data;

    if (x->io.ended)
        x->io.ended(x->io.data, domid, reason);
}

static void on_ctl(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    const struct xenlab *x = data;

    if (x->io.ctl)
        x->io.ctl(x->io.data, (int)id, what == HOST_CTL_END ? NULL : text, what == HOST_CTL_END ? (uint8_t)*text : len);
}

/* --- a machine --- */

static int start(struct xenlab *x, int nr, const char *const words[], char *err, size_t len)
{
    const struct host_io io = {
        .data = x, .console_out = on_console, .message = on_message, .guest_ended = on_ended, .ctl_say = on_ctl
    };
    char **argv = calloc((size_t)nr + 1, sizeof(*argv)), why[START_ERR_SIZE] = "out of memory";
    int rc = -1;

    for (int i = 0; argv && i < nr; i++)
        argv[i] = (char *)words[i]; /* they are read only */
    if (argv && !options_parse(&x->options, COMMAND_LIBRARY, nr, argv, why) &&
        !guest_list_load(&x->guests, &x->options, why)) {
        x->host = start_host(&x->options, &x->guests, &io, x->pools, NULL, why);
        if (x->host) {
            host_log(x->host, on_log, x, start_log_level(&x->options));
            rc = start_guests(x->host, &x->guests, why);
        }
    }
    rc = rc ?: rewind_begin(&x->rewind, x->host, REWIND_HISTORY_MIB, why);
    x->rewinds = !rc;
    if (rc && err && len)
        snprintf(err, len, "%s", why);
    free(argv);
    return rc;
}

static bool words_are_there(int nr, const char *const words[])
{
    for (int i = 0; i < nr; i++)
        if (!words || !words[i])
            return false;
    return nr >= 0;
}

struct xenlab *xenlab_create(int nr, const char *const words[], const struct xenlab_io *io, char *err, size_t len)
{
    struct xenlab *x = calloc(1, sizeof(*x));
    bool ok = x && words_are_there(nr, words);

    if (err && len)
        snprintf(err, len, "%s",
                 !x    ? "out of memory"
                 : !ok ? "xenlab_create: there are not as many words"
                       : "xenlab_create: io has no size");
    if (ok && io)
        ok = lib_take(&x->io, sizeof(x->io), io);
    if (ok && !start(x, nr, words, err, len))
        return x;
    xenlab_destroy(x);
    return NULL;
}

void xenlab_destroy(struct xenlab *x)
{
    if (!x)
        return;
    if (x->rewinds)
        rewind_finish(&x->rewind);
    if (x->host) {
        host_silence(x->host, true); /* who is destroyed with it has not ended */
        host_destroy(x->host);
    }
    guest_list_free(&x->guests);
    options_free(&x->options);
    free(x);
}

/* --- positions --- */

static struct xenlab_position theirs(struct position p) { return (struct xenlab_position){ p.insns, p.step }; }

static struct position ours(struct xenlab_position p) { return (struct position){ .insns = p.insns, .step = p.step }; }

static const struct xenlab_position nowhere;

struct xenlab_position xenlab_position(const struct xenlab *x) { return x ? theirs(x->rewind.m->at) : nowhere; }
struct xenlab_position xenlab_begin(const struct xenlab *x) { return x ? theirs(rewind_first(&x->rewind)) : nowhere; }
struct xenlab_position xenlab_end(const struct xenlab *x) { return x ? theirs(x->rewind.end) : nowhere; }

int xenlab_position_compare(struct xenlab_position a, struct xenlab_position b)
{
    if (a.insns != b.insns)
        return a.insns < b.insns ? -1 : 1;
    return a.step < b.step ? -1 : a.step > b.step;
}

uint64_t xenlab_now(const struct xenlab *x) { return x ? (uint64_t)host_now(x->host) : 0; }

/* --- time passes --- */

static enum xenlab_why run(struct xenlab *x, struct run_limit l)
{
    static const bool never;

    if (!x)
        return XENLAB_FAILED;
    l.stop = &never;
    switch (rewind_run(&x->rewind, &l)) {
    case RUN_UNTIL:
    case RUN_AT:
    case RUN_STEP: return XENLAB_UNTIL;
    case RUN_IDLE:
        if (l.until != STIME_MAX)
            x->until = l.until;
        return XENLAB_IDLE;
    case RUN_STOP:
    case RUN_ASKED:
    case RUN_BREAK: break;
    }
    if (!x->rewind.err[0])
        return XENLAB_OVER;
    lib_fail(x, "%s", x->rewind.err);
    return XENLAB_FAILED;
}

enum xenlab_why xenlab_run(struct xenlab *x, uint64_t until)
{
    const s_time_t end = until > STIME_MAX ? STIME_MAX : (s_time_t)until;

    return run(x, (struct run_limit){ .until = end, .at = { .insns = UINT64_MAX } });
}

enum xenlab_why xenlab_run_to(struct xenlab *x, struct xenlab_position at)
{
    return run(x, (struct run_limit){ .until = STIME_MAX, .at = ours(at) });
}

enum xenlab_why xenlab_step(struct xenlab *x)
{
    return run(x, (struct run_limit){ .until = STIME_MAX, .at = { .insns = UINT64_MAX }, .each_step = true });
}

int xenlab_goto(struct xenlab *x, struct xenlab_position at)
{
    static const bool never;

    if (!x)
        return -1;
    x->until = 0;
    return rewind_goto(&x->rewind, ours(at), &never, x->err);
}

void xenlab_forget(struct xenlab *x)
{
    if (x)
        rewind_forget(&x->rewind);
}

void xenlab_checkpoint(struct xenlab *x)
{
    if (x)
        rewind_checkpoint(&x->rewind);
}

uint64_t xenlab_hash(struct xenlab *x) { return x ? look_hash(x->host) : 0; }
