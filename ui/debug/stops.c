// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the debugger that go on to the next stop, or back to the last, and what stops: see ui/debug/debug.h. */
#include "ui/debug/debug.h"

#include "sim/trace.h"

#include <stdlib.h>
#include <string.h>

/* --- stepping, running --- */

static void repeat(struct debug *g, enum debug_result (*move)(struct debugger *d), const char *what,
                   unsigned long count)
{
    bool more = count > 0;

    while (more && count--)
        more = debug_moved(g, move(&g->dbg), what);
    if (more)
        debug_stop_say(g, what);
}

void debug_step(struct debug *g, const char *args, unsigned long count) { repeat(g, debugger_step, "step", count); }

void debug_reverse_step(struct debug *g, const char *args, unsigned long count)
{
    repeat(g, debugger_reverse_step, "instruction of this vCPU", count);
}

static void break_say(struct debug *g)
{
    char why[48] = "continue";

    if (g->dbg.stopped_at)
        snprintf(why, sizeof(why), "breakpoint %u", g->dbg.stopped_at->id);
    debug_stop_say(g, why);
}

void debug_continue(struct debug *g, const char *args, unsigned long count)
{
    bool more = count > 0;

    while (more && count--)
        more = debug_moved(g, debugger_continue(&g->dbg), "stop");
    if (more)
        break_say(g);
}

void debug_reverse_continue(struct debug *g, const char *args, unsigned long count)
{
    bool more = count > 0;

    while (more && count--)
        more = debug_moved(g, debugger_reverse_continue(&g->dbg), "breakpoint");
    if (more)
        break_say(g);
}

void debug_break(struct debug *g, const char *args, unsigned long count)
{
    struct debug_addr a;
    char symbol[96];
    unsigned int id;

    if (!*args) {
        debug_fail(g, "arguments", "break where? An address or a symbol: break main, break d2:0x401000");
        return;
    }
    if (!debug_address(g, args, &a))
        return;
    if (a.space != LOOK_VIRTUAL) {
        debug_fail(g, "arguments", "a breakpoint is at a virtual address");
        return;
    }
    id = debugger_break_add(&g->dbg, a.dom, a.addr);
    symbol_text(g, a.dom, a.addr, symbol);
    if (id)
        say_line(&g->say, "break", "breakpoint %u at d%u:0x%llx%s", id, a.dom, (unsigned long long)a.addr, symbol);
    else
        debug_fail(g, "memory", "out of memory");
}

void debug_breaks(struct debug *g, const char *args, unsigned long count)
{
    for (size_t i = 0; i < g->dbg.nr_breaks; i++) {
        const struct debug_break *b = &g->dbg.breaks[i];
        char symbol[96];

        symbol_text(g, b->dom, b->addr, symbol);
        say_line(&g->say, "break", "breakpoint %u at d%u:0x%llx%s", b->id, b->dom, (unsigned long long)b->addr, symbol);
    }
    if (!g->dbg.nr_breaks)
        say_line(&g->say, "breaks", "no breakpoints");
}

void debug_delete(struct debug *g, const char *args, unsigned long count)
{
    char *end;
    const unsigned long id = strtoul(args, &end, 10);

    if (!*args || *end || !debugger_break_delete(&g->dbg, (unsigned int)id))
        debug_fail(g, "arguments", "there is no breakpoint \"%s\" (see: list)", args);
    else
        say_line(&g->say, "delete", "breakpoint %lu is gone", id);
}

/* --- events --- */

struct among {
    const char *const *names; /* NULL: any */
};

static bool is_among(void *data, const struct trace_record *rec)
{
    const struct among *a = data;
    const char *name = trace_event_name(rec->event);

    for (const char *const *n = a->names; n && *n; n++)
        if (!strcmp(*n, name))
            return true;
    return !a->names;
}

static void event_say(struct debug *g) { debug_stop_say(g, trace_event_name(g->dbg.event.event)); }

static void seek(struct debug *g, const char *const *names, bool backward, const char *what, unsigned long count)
{
    struct among a = { names };
    bool more = count > 0;

    while (more && count--)
        more = debug_moved(g, (backward ? debugger_last_event : debugger_next_event)(&g->dbg, is_among, &a), what);
    if (more)
        event_say(g);
}

static const char *const exits[] = { "exit", NULL }, *const hypercalls[] = { "hypercall", NULL },
                         *const transitions[] = { "trap", "iret", "syscall", "sysenter", "failsafe", "upcall", NULL },
                         *const switches[] = { "sched_switch", NULL },
                         *const ios[] = { "console", "input", "ring", "xs", NULL };

#define SEEKS(name, names, what)                                                                                       \
    void debug_##name(struct debug *g, const char *args, unsigned long count) { seek(g, names, false, what, count); }  \
    void debug_reverse_##name(struct debug *g, const char *args, unsigned long count)                                  \
    {                                                                                                                  \
        seek(g, names, true, what, count);                                                                             \
    }

SEEKS(exit, exits, "exit")
SEEKS(hypercall, hypercalls, "hypercall")
SEEKS(transition, transitions, "transition")
SEEKS(event, NULL, "event")
SEEKS(switch, switches, "switch")
SEEKS(io, ios, "I/O")
