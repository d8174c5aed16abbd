// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What gdb wishes, and its end: moves, and what a stop is told as. See ui/gdb/server.h.
 *
 * What of gdb decides how it is told (gdb 13):
 *
 *      a stop of a thread that was not resumed      gdb aborts: hits of others are passed over when one alone runs
 *      "swbreak" where gdb has no breakpoint        gdb goes on, silently, for ever: other doors' stops are plain ones
 *      the end of history                           "replaylog:", else gdb goes on to look for it
 *      a breakpoint where a reverse run begins      is not told of again: the debugger's moves end elsewhere anyway
 */
#include "ui/gdb/private.h"

#include <stdlib.h>
#include <string.h>

#define SIGNAL_INT  2
#define SIGNAL_TRAP 5
/* Instructions of others, which a thread that is stepped is waited for: less than a second of the host's. */
#define STEP_MOST 50000000

/* --- stops --- */

void gdb_stop_put(struct gdb_server *s, int signal, const char *what)
{
    s->wish = GDB_STAND;
    s->only = GDB_ALL;
    s->g->dbg.dom = s->dom;
    s->g->dbg.vcpu = s->thread;
    gdb_reply(s, "T%02xthread:%x;%s", (unsigned int)signal, s->thread + 1, what);
}

static bool is_match(void *data, const struct trace_record *rec)
{
    const struct gdb_server *s = data;

    return rec->who.domain == s->dom;
}

/*
 * Who is told of: whoever was resumed alone, else whom packets are about. A domain that is gone has no registers to
 * show: back to the last that it has done.
 */
static void to_somebody(struct gdb_server *s)
{
    struct look_vcpu v;

    if (s->only >= 0)
        s->thread = (unsigned int)s->only;
    if (!look_vcpu(s->g->host, s->dom, 0, &v))
        debugger_last_event(&s->g->dbg, is_match, s);
    if (!look_vcpu(s->g->host, s->dom, s->thread, &v))
        s->thread = 0;
}

static void stop_at_history(struct gdb_server *s, const char *which, const char *why)
{
    char text[640];

    if (*why)
        gdb_console(s, text, (size_t)snprintf(text, sizeof(text), "%.600s\n", why));
    to_somebody(s);
    gdb_stop_put(s, SIGNAL_TRAP, which);
}

void gdb_server_end_of_run(struct gdb_server *s, const char *why) { stop_at_history(s, "replaylog:end:;", why); }

void gdb_server_interrupt(struct gdb_server *s)
{
    to_somebody(s);
    gdb_stop_put(s, SIGNAL_INT, "");
}

/* Whose hit it is: a vCPU of the domain; GDB_NOBODY: not that of one. */
static int hit_by(const struct gdb_server *s, const struct debug_hit *h)
{
    if (h->is_event || h->by.dom != s->dom)
        return GDB_NOBODY;
    return (int)h->by.vcpu;
}

static void hit_put(struct gdb_server *s, const struct debug_hit *h, const struct gdb_point *p)
{
    static const char *const watches[] = { [2] = "watch", [3] = "rwatch", [4] = "awatch" };
    char what[64] = "";

    if (hit_by(s, h) >= 0)
        s->thread = (unsigned int)hit_by(s, h);
    if (p && p->type >= 2)
        snprintf(what, sizeof(what), "%s:%llx;", watches[p->type], (unsigned long long)h->addr);
    else if (p && p->type == 1 && s->hwbreak)
        snprintf(what, sizeof(what), "hwbreak:;");
    else if (p && p->type == 0 && s->swbreak)
        snprintf(what, sizeof(what), "swbreak:;");
    to_somebody(s);
    gdb_stop_put(s, SIGNAL_TRAP, what);
}

/* The machine is at hits: gdb's, which come first, or those of others. False: none that is to be told of. */
static bool hits_put(struct gdb_server *s)
{
    const struct debugger *d = &s->g->dbg;
    const struct debug_hit *other = NULL;

    for (unsigned int i = 0; i < d->nr_hits; i++) {
        const struct debug_hit *h = &d->hits[i];
        const struct gdb_point *p = gdb_point_of(s, h->stop);

        if (!p)
            other = h;
        else if (s->only < 0 || hit_by(s, h) == s->only) {
            hit_put(s, h, p);
            return true;
        }
    }
    if (other)
        hit_put(s, other, NULL);
    return other != NULL;
}

/* --- running --- */

/* What a move that has not come to what it was to find is told as. */
static enum gdb_went not_there(struct gdb_server *s, enum debug_result r)
{
    switch (r) {
    case DEBUG_BEGIN:
        if (s->wish == GDB_REVERSE_CONTINUE) /* gdb expects to be there; who has never run has no past to step into */
            debugger_goto(&s->g->dbg, rewind_first(&s->g->rw));
        stop_at_history(s, "replaylog:begin:;", "");
        break;
    case DEBUG_INTERRUPTED: gdb_server_interrupt(s); break;
    case DEBUG_ERROR: stop_at_history(s, "", s->g->dbg.err); break;
    case DEBUG_LIMIT: gdb_server_end_of_run(s, "the limit of virtual time (--max-vtime)"); break;
    default: return GDB_IDLE;
    }
    return GDB_STANDS;
}

static enum gdb_went run(struct gdb_server *s, s_time_t until)
{
    struct debugger *d = &s->g->dbg;
    const s_time_t limit = d->limit;
    enum debug_result r;

    d->limit = until < limit ? until : limit;
    r = debugger_continue(d);
    d->limit = limit;
    if (r == DEBUG_INTERRUPTED || (r == DEBUG_LIMIT && until < limit))
        return GDB_RUNS;
    if (r != DEBUG_THERE)
        return not_there(s, r);
    return hits_put(s) ? GDB_STANDS : GDB_RUNS;
}

static enum gdb_went run_back(struct gdb_server *s)
{
    enum debug_result r;

    rewind_checkpoint(&s->g->rw); /* who presses Ctrl-C is here again, and soon */
    do
        r = debugger_reverse_continue(&s->g->dbg);
    while (r == DEBUG_THERE && !hits_put(s));
    return r == DEBUG_THERE ? GDB_STANDS : not_there(s, r);
}

/* --- steps --- */

/* gdb has watchpoints, and wants to know of what a step accesses. */
static bool has_watches(const struct gdb_server *s)
{
    for (unsigned int i = 0; i < s->nr_points; i++)
        if (s->points[i].type >= 2)
            return true;
    return false;
}

/* Is something watched accessed between the two? The machine is anywhere then. */
static bool is_accessed(struct gdb_server *s, struct position from, struct position to, s_time_t until,
                        struct debug_hit *hit)
{
    struct debugger *d = &s->g->dbg;
    const s_time_t limit = d->limit;
    bool found = false;

    d->limit = until;
    if (debugger_goto(d, from) == DEBUG_THERE)
        while (!found && debugger_continue(d) == DEBUG_THERE && !position_is_before(to, debugger_here(d)))
            for (unsigned int i = 0; i < d->nr_hits && !found; i++) {
                const struct gdb_point *p = gdb_point_of(s, d->hits[i].stop);

                found = p && p->type >= 2;
                *hit = d->hits[i];
            }
    d->limit = limit;
    return found;
}

/* The vCPU has not come to an instruction, while others executed so many: it may never. */
static enum gdb_went not_soon(struct gdb_server *s, struct position origin)
{
    struct look_vcpu v;
    char text[256];

    debugger_goto(&s->g->dbg, origin);
    if (look_vcpu(s->g->host, s->dom, s->thread, &v)) {
        const int n =
            snprintf(text, sizeof(text), "d%uv%u has no next instruction soon, it is %s%s%s: nothing has moved\n",
                     s->dom, s->thread, v.state, *v.why ? ": " : "", v.why);

        gdb_console(s, text, (size_t)n);
    }
    gdb_stop_put(s, SIGNAL_TRAP, "");
    return GDB_STANDS;
}

/* One instruction of the thread, this way or that; what it accesses is told of as if the run had come to it. */
static enum gdb_went step(struct gdb_server *s, bool backward)
{
    struct debugger *d = &s->g->dbg;
    const struct position origin = debugger_here(d);
    const s_time_t now = host_now(s->g->host);
    struct debug_hit hit;
    struct position there;
    enum debug_result r;
    bool is_late;

    d->dom = s->dom;
    d->vcpu = s->thread = s->only >= 0 ? (unsigned int)s->only : s->thread;
    if (!backward)
        d->bound = (struct position){ origin.insns + STEP_MOST, 0 };
    r = backward ? debugger_reverse_step(d) : debugger_step(d);
    is_late = !backward && r == DEBUG_THERE && !position_is_before(debugger_here(d), d->bound);
    d->bound = (struct position){ UINT64_MAX, 0 };
    if (is_late)
        return not_soon(s, origin);
    if (r != DEBUG_THERE) {
        const enum gdb_went went = not_there(s, r);

        if (went == GDB_IDLE)
            gdb_server_end_of_run(s, "the run does not go on from here by itself");
        return GDB_STANDS;
    }
    there = debugger_here(d);
    if (has_watches(s) && is_accessed(s, backward ? there : origin, backward ? origin : there,
                                      (backward ? now : host_now(s->g->host)) + 1, &hit)) {
        debugger_goto(d, there);
        hit_put(s, &hit, gdb_point_of(s, hit.stop));
        return GDB_STANDS;
    }
    debugger_goto(d, there);
    to_somebody(s);
    gdb_stop_put(s, SIGNAL_TRAP, "");
    return GDB_STANDS;
}

/* --- monitor --- */

/* gdb waits, and can ask nobody. */
static bool nobody_asks(void *data, const char *question)
{
    struct gdb_server *s = data;

    say_line(&s->g->say, "message", "this is the past: monitor branch NAME begins another future here");
    return false;
}

/* A line of the command table; what is said is for gdb. The session that it is in neither ends nor fails by it. */
static enum gdb_went monitor(struct gdb_server *s)
{
    static const char stale[] = "(gdb still shows where it was: maintenance flush register-cache)\n";
    struct debug *g = s->g;
    const struct debug before = *g;
    const struct position here = debugger_here(&g->dbg);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    s->wish = GDB_STAND;
    if (!out) {
        gdb_reply(s, "E0c"); /* ENOMEM */
        return GDB_STANDS;
    }
    g->say = (struct say){ .out = out };
    g->screen = NULL;
    g->script = NULL;
    g->ask = nobody_asks;
    g->ask_data = s;
    g->asked = false;
    g->dbg.dom = s->dom;
    g->dbg.vcpu = s->thread;
    debug_command(g, s->line);
    g->say = before.say;
    g->screen = before.screen;
    g->script = before.script;
    g->ask = before.ask;
    g->ask_data = before.ask_data;
    g->asked = before.asked;
    g->quit = before.quit;
    g->failed = before.failed;
    fclose(out);
    gdb_console(s, text, n);
    if (memcmp(&here, &g->rw.m->at, sizeof(here)))
        gdb_console(s, stale, sizeof(stale) - 1);
    free(text);
    gdb_reply(s, "OK");
    return GDB_STANDS;
}

enum gdb_went gdb_server_go(struct gdb_server *s, s_time_t until)
{
    if (s->interrupted && s->wish != GDB_MONITOR) {
        s->interrupted = false;
        gdb_server_interrupt(s);
    }
    switch (s->wish) {
    case GDB_STAND: break;
    case GDB_TELL:
        to_somebody(s);
        gdb_stop_put(s, SIGNAL_TRAP, "");
        break;
    case GDB_CONTINUE: return run(s, until);
    case GDB_STEP:
    case GDB_REVERSE_STEP: return step(s, s->wish == GDB_REVERSE_STEP);
    case GDB_REVERSE_CONTINUE: return run_back(s);
    case GDB_MONITOR: return monitor(s);
    }
    return GDB_STANDS;
}
