// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the debugger that go somewhere: see ui/debug/debug.h. */
#include "ui/debug/debug.h"

#include "sim/trace.h"
#include "tools/units.h"

#include <stdlib.h>
#include <string.h>

/* --- where --- */

void debug_stop_say(struct debug *g, const char *why)
{
    char at[POSITION_TEXT], insn[96] = "", symbol[96] = "";
    struct look_vcpu v;
    const bool there = look_vcpu(g->host, g->dbg.dom, g->dbg.vcpu, &v);

    say_begin(&g->say, "stop");
    say_field(&g->say, "pos", "%s", position_text(g, at));
    say_field(&g->say, "why", "%s", why);
    say_bool(&g->say, "live", rewind_is_live(&g->rw));
    say(&g->say, "%s  %s", at, why);
    if (there && !v.native) {
        symbol_text(g, v.dom, v.regs.rip, symbol);
        look_insn(g->host, v.dom, v.vcpu, v.regs.rip, insn);
        say_field(&g->say, "vcpu", "d%uv%u", v.dom, v.vcpu);
        say_field(&g->say, "mode", "%s", v.mode);
        say_field(&g->say, "rip", "0x%llx", (unsigned long long)v.regs.rip);
        say_field(&g->say, "symbol", "%s", symbol);
        say_field(&g->say, "insn", "%s", insn);
        say(&g->say, "  d%uv%u %s 0x%llx%s%s%s", v.dom, v.vcpu, v.mode, (unsigned long long)v.regs.rip, symbol,
            *insn ? ": " : "", insn);
    } else {
        say(&g->say, "  d%uv%u %s", g->dbg.dom, g->dbg.vcpu, there ? "native" : "is not there");
    }
    say_end(&g->say);
}

/* What has come of a move, and where it has led to. True: it may be repeated. */
static bool moved(struct debug *g, enum debug_result r, const char *what)
{
    switch (r) {
    case DEBUG_THERE: return true;
    case DEBUG_END:
        debug_stop_say(g,
                       host_guests_left(g->host) ? "end: nothing runs until there is input" : "end: no guest is left");
        return false;
    case DEBUG_INPUT: debug_stop_say(g, "a guest waits for input"); return false;
    case DEBUG_LIMIT: debug_stop_say(g, "the limit of virtual time (--max-vtime)"); return false;
    case DEBUG_BEGIN:
        debug_fail(g, "begin", "there is no %s before here: history begins at #%llu.%llu", what,
                   (unsigned long long)rewind_first(&g->rw).insns, (unsigned long long)rewind_first(&g->rw).step);
        return false;
    case DEBUG_INTERRUPTED: debug_fail(g, "interrupted", "left off: the machine is where it was"); return false;
    case DEBUG_ERROR: debug_fail(g, "error", "%s", g->dbg.err); return false;
    }
    return false;
}

void debug_where(struct debug *g, const char *args, unsigned long count)
{
    debug_stop_say(g, rewind_is_live(&g->rw) ? "the end of what is known" : "the past");
}

/* --- stepping, running --- */

static void repeat(struct debug *g, enum debug_result (*move)(struct debugger *d), const char *what,
                   unsigned long count)
{
    bool more = count > 0;

    while (more && count--)
        more = moved(g, move(&g->dbg), what);
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
        more = moved(g, debugger_continue(&g->dbg), "stop");
    if (more)
        break_say(g);
}

void debug_reverse_continue(struct debug *g, const char *args, unsigned long count)
{
    bool more = count > 0;

    while (more && count--)
        more = moved(g, debugger_reverse_continue(&g->dbg), "breakpoint");
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
        more = moved(g, (backward ? debugger_last_event : debugger_next_event)(&g->dbg, is_among, &a), what);
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

/* --- positions --- */

static struct debug_mark *mark_find(struct debug *g, const char *name)
{
    for (unsigned int i = 0; i < g->nr_marks; i++)
        if (!strcmp(g->marks[i].name, name))
            return &g->marks[i];
    return NULL;
}

/* "#80747.1", "107.947us#80747.1": the time before it is decoration. */
static bool position_parse(const char *text, struct position *at)
{
    char *end;

    text = strchr(text, '#');
    if (!text || text[1] < '0' || text[1] > '9')
        return false;
    *at = (struct position){ .insns = strtoull(text + 1, &end, 10) };
    if (*end == '.' && end[1] >= '0' && end[1] <= '9')
        at->step = strtoull(end + 1, &end, 10);
    return !*end;
}

static void go(struct debug *g, struct position at)
{
    if (moved(g, debugger_goto(&g->dbg, at), "position"))
        debug_stop_say(g, "goto");
}

static void go_to_time(struct debug *g, const char *text)
{
    const bool before = *text == '-', after = *text == '+';
    s_time_t t;

    if (!duration_parse(text + (before || after), &t)) {
        debug_fail(g, "position",
                   "\"%s\" is no position: #INSN, #INSN.STEP, a time (107us, -10us), begin, end, or a mark", text);
        return;
    }
    t = before ? host_now(g->host) - t : after ? host_now(g->host) + t : t;
    if (moved(g, debugger_goto_time(&g->dbg, t), "position"))
        debug_stop_say(g, "goto");
}

void debug_goto(struct debug *g, const char *args, unsigned long count)
{
    const struct debug_mark *mark = mark_find(g, args);
    struct position at;

    if (!*args)
        debug_fail(g, "arguments", "goto where? #INSN, #INSN.STEP, a time (107us, -10us), begin, end, or a mark");
    else if (mark)
        go(g, mark->at);
    else if (!strcmp(args, "end"))
        go(g, g->rw.end);
    else if (!strcmp(args, "begin"))
        go(g, rewind_first(&g->rw));
    else if (position_parse(args, &at))
        go(g, at);
    else
        go_to_time(g, args);
}

void debug_back(struct debug *g, const char *args, unsigned long count)
{
    const struct position here = g->rw.m->at;

    go(g, g->came_from);
    g->came_from = here;
}

void debug_mark_set(struct debug *g, const char *args, unsigned long count)
{
    struct debug_mark *mark = mark_find(g, args);
    char at[POSITION_TEXT];

    if (!*args || strlen(args) >= sizeof(mark->name) || strpbrk(args, " \t#")) {
        debug_fail(g, "arguments", "mark NAME: a word of up to %zu characters", sizeof(mark->name) - 1);
        return;
    }
    if (!mark && g->nr_marks == DEBUG_MARKS) {
        debug_fail(g, "marks", "there are %d marks already", DEBUG_MARKS);
        return;
    }
    mark = mark ? mark : &g->marks[g->nr_marks++];
    snprintf(mark->name, sizeof(mark->name), "%s", args);
    mark->at = g->rw.m->at;
    say_line(&g->say, "mark", "mark %s is %s", mark->name, position_text(g, at));
}

void debug_jump(struct debug *g, const char *args, unsigned long count)
{
    const struct debug_mark *mark = mark_find(g, args);

    if (mark)
        go(g, mark->at);
    else
        debug_fail(g, "mark", "there is no mark \"%s\" (see: marks)", args);
}

void debug_marks(struct debug *g, const char *args, unsigned long count)
{
    for (unsigned int i = 0; i < g->nr_marks; i++)
        say_line(&g->say, "mark", "#%llu.%llu %s", (unsigned long long)g->marks[i].at.insns,
                 (unsigned long long)g->marks[i].at.step, g->marks[i].name);
    if (!g->nr_marks)
        say_line(&g->say, "marks", "no marks");
}

/* --- the future --- */

void debug_input(struct debug *g, const char *args, unsigned long count)
{
    const int index = host_guest_index(g->host, g->dbg.dom);
    char text[HOST_INPUT_MAX], err[REWIND_ERR_SIZE];
    const int n = snprintf(text, sizeof(text), "%s\n", args);

    if (index < 0)
        debug_fail(g, "input", "d%u has no console", g->dbg.dom);
    else if (host_console_room(g->host, (unsigned int)index) < (size_t)n)
        debug_fail(g, "input", "d%u does not take so much input now", g->dbg.dom);
    else if (rewind_input(&g->rw, (unsigned int)index, text, (size_t)n, host_now(g->host), err))
        debug_fail(g, "past", "%s: branch first, if the known future may be forgotten", err);
    else
        debug_stop_say(g, "input");
}

void debug_branch(struct debug *g, const char *args, unsigned long count)
{
    rewind_cut(&g->rw);
    debug_stop_say(g, "another future begins here");
}
