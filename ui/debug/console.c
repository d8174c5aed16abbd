// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What guests have said, and where they have crashed: the command `console`, and `!` on the timeline. See
 * ui/debug/debug.h.
 *
 * Concept: a machine that repeats its past is silent. So what it says for the first time is kept with its position, a
 * log for each line of the tree of futures, by its name: from any position one can see what was said up to there, and
 * what is known to be said later. A future that is left takes its log with it.
 *
 * Invariants: a log is in the order of positions. It has at most CONSOLE_BYTES, those that were said last.
 */
#include "ui/debug/debug.h"

#include <stdlib.h>
#include <string.h>

#define CONSOLE_BYTES (1 << 20)

struct console_piece {
    struct position at;
    domid_t dom;
    size_t len;
    char *text;
    bool crash; /* the text is why, and nobody has said it */
};

struct console_log {
    char name[REWIND_NAME_SIZE]; /* of the line */
    struct console_piece *pieces;
    size_t nr, cap, bytes;
};

static struct console_log *log_find(const struct debug *g, const char *name)
{
    for (size_t i = 0; i < g->nr_logs; i++)
        if (!strcmp(g->logs[i].name, name))
            return &g->logs[i];
    return NULL;
}

/* NULL: no memory. */
static struct console_log *log_of(struct debug *g, const char *name)
{
    struct console_log *log = log_find(g, name), *more;

    if (log)
        return log;
    more = reallocarray(g->logs, g->nr_logs + 1, sizeof(*more));
    if (!more)
        return NULL;
    g->logs = more;
    log = &g->logs[g->nr_logs++];
    *log = (struct console_log){ 0 };
    snprintf(log->name, sizeof(log->name), "%s", name);
    return log;
}

static void drop(struct console_log *log, size_t first, size_t nr)
{
    if (!nr)
        return;
    for (size_t i = first; i < first + nr; i++) {
        log->bytes -= log->pieces[i].len;
        free(log->pieces[i].text);
    }
    log->nr -= nr;
    memmove(log->pieces + first, log->pieces + first + nr, (log->nr - first) * sizeof(*log->pieces));
}

/* What there is no memory for is not kept. */
static void add(struct console_log *log, struct position at, domid_t dom, const char *text, size_t len, bool crash)
{
    char *copy = malloc(len + 1);

    if (log->nr == log->cap) {
        const size_t cap = log->cap ? 2 * log->cap : 64;
        struct console_piece *pieces = reallocarray(log->pieces, cap, sizeof(*pieces));

        if (pieces)
            log->pieces = pieces, log->cap = cap;
    }
    if (!copy || log->nr == log->cap) {
        free(copy);
        return;
    }
    memcpy(copy, text, len);
    log->pieces[log->nr++] = (struct console_piece){ at, dom, len, copy, crash };
    log->bytes += len;
    if (log->bytes > CONSOLE_BYTES)
        drop(log, 0, (log->nr + 1) / 2);
}

void debug_console_add(struct debug *g, domid_t dom, const char *text, size_t len)
{
    struct console_log *log = g->rw.m ? log_of(g, g->rw.name) : NULL;

    if (log)
        add(log, g->rw.m->at, dom, text, len, false);
}

void debug_crash_add(struct debug *g, domid_t dom, const char *why)
{
    struct console_log *log = g->rw.m ? log_of(g, g->rw.name) : NULL;

    for (size_t i = 0; log && i < log->nr; i++)
        if (log->pieces[i].crash && log->pieces[i].dom == dom)
            return; /* the toolstack has come to know of it as well */
    if (log)
        add(log, g->rw.m->at, dom, why, strlen(why) + 1, true);
}

void debug_crash_each(const struct debug *g, debug_crash_fn *fn, void *data)
{
    const struct console_log *log = log_find(g, g->rw.name);

    for (size_t i = 0; log && i < log->nr; i++)
        if (log->pieces[i].crash)
            fn(data, log->pieces[i].dom, log->pieces[i].at, log->pieces[i].text);
}

void debug_console_branch(struct debug *g, const char *kept)
{
    struct console_log *other = log_of(g, kept), *log = log_find(g, g->rw.name);
    size_t nr;

    if (!log || !other)
        return;
    for (size_t i = 0; i < log->nr; i++)
        add(other, log->pieces[i].at, log->pieces[i].dom, log->pieces[i].text, log->pieces[i].len,
            log->pieces[i].crash);
    for (nr = log->nr; nr && position_is_before(g->rw.m->at, log->pieces[nr - 1].at);)
        nr--;
    drop(log, nr, log->nr - nr);
}

void debug_console_free(struct debug *g)
{
    for (size_t i = 0; i < g->nr_logs; i++) {
        drop(&g->logs[i], 0, g->logs[i].nr);
        free(g->logs[i].pieces);
    }
    free(g->logs);
}

/* --- showing it --- */

/* A line of a domain that is not finished; domains take turns. */
struct row {
    char text[512];
    size_t len;
    bool later;
    domid_t dom;
    struct position at;
};

struct showing {
    debug_console_row *fn;
    void *data;
    struct row row;
};

static void row_end(struct showing *s)
{
    struct row *r = &s->row;

    r->text[r->len] = '\0';
    r->len = 0;
    s->fn(s->data, r->dom, r->at, r->later, r->text);
}

static void piece_show(struct showing *s, const struct console_piece *p, bool later)
{
    struct row *r = &s->row;

    if (r->len && (later != r->later || p->dom != r->dom))
        row_end(s);
    r->later = later;
    r->dom = p->dom;
    for (size_t n = 0; n < p->len; n++) {
        r->at = r->len ? r->at : p->at;
        if (p->text[n] == '\n' || r->len == sizeof(r->text) - 1)
            row_end(s);
        if (p->text[n] != '\n' && p->text[n] != '\r')
            r->text[r->len++] = p->text[n];
    }
}

void debug_console_each(const struct debug *g, int dom, debug_console_row *fn, void *data)
{
    const struct console_log *log = log_find(g, g->rw.name);
    struct showing s = { .fn = fn, .data = data };

    for (size_t i = 0; log && i < log->nr; i++)
        if (!log->pieces[i].crash && (dom < 0 || log->pieces[i].dom == dom))
            piece_show(&s, &log->pieces[i], position_is_before(g->rw.m->at, log->pieces[i].at));
    if (s.row.len)
        row_end(&s);
}

static void row_say(void *data, domid_t dom, struct position at, bool later, const char *text)
{
    struct debug *g = data;

    say_begin(&g->say, "console");
    say_number(&g->say, "dom", dom);
    say_bool(&g->say, "later", later);
    say_field(&g->say, "text", "%s", text);
    say(&g->say, "[d%u]%s %s", dom, later ? "~" : "", text);
    say_end(&g->say);
}

void debug_console(struct debug *g, const char *args, unsigned long count)
{
    domid_t dom;

    if (debug_domain(g, args, &dom))
        debug_console_each(g, dom, row_say, g);
}
