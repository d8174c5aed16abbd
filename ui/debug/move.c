// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the debugger that go to a position: see ui/debug/debug.h. */
#include "ui/debug/debug.h"

#include "tools/units.h"

#include <stdlib.h>
#include <string.h>

/* --- where --- */

void debug_stop_begin(struct debug *g, const char *why)
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
        look_symbol(g->host, v.dom, v.pc, symbol);
        look_insn(g->host, v.dom, v.vcpu, v.pc, insn);
        say_field(&g->say, "vcpu", "d%uv%u", v.dom, v.vcpu);
        say_field(&g->say, "mode", "%s", v.mode);
        say_field(&g->say, "rip", "0x%llx", (unsigned long long)v.pc);
        say_symbol(g, symbol);
        say_field(&g->say, "insn", "%s", insn);
        say(&g->say, "  d%uv%u %s 0x%llx%s%s%s", v.dom, v.vcpu, v.mode, (unsigned long long)v.pc, symbol,
            *insn ? ": " : "", insn);
    } else {
        say(&g->say, "  d%uv%u %s", g->dbg.dom, g->dbg.vcpu, there ? "native" : "is not there");
    }
}

void debug_stop_say(struct debug *g, const char *why)
{
    debug_stop_begin(g, why);
    say_end(&g->say);
}

/* Who reads its console, and cannot go on; DOMID_INVALID: nobody. */
static domid_t reader(const struct debug *g)
{
    domid_t dom;

    for (unsigned int i = 0; (dom = host_guest_domid(g->host, i)) != DOMID_INVALID; i++)
        if (host_console_wants_input(g->host, i))
            return dom;
    return DOMID_INVALID;
}

/* The run does not go on by itself. */
static void end_say(struct debug *g)
{
    const domid_t dom = reader(g);
    char why[160] = "end: nothing runs, and nobody waits for input";

    if (!host_guests_left(g->host))
        snprintf(why, sizeof(why), "end: no guest is left");
    else if (dom != DOMID_INVALID)
        snprintf(why, sizeof(why),
                 "d%u reads its console; branch %s has no more input: input TEXT, input < FILE, or C back", dom,
                 g->rw.name);
    debug_stop_say(g, why);
}

bool debug_moved(struct debug *g, enum debug_result r, const char *what)
{
    switch (r) {
    case DEBUG_THERE: return true;
    case DEBUG_END:
    case DEBUG_INPUT: end_say(g); return false;
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
    char why[160];

    if (rewind_is_live(&g->rw))
        snprintf(why, sizeof(why), "LIVE, the end of branch %s", g->rw.name);
    else
        snprintf(why, sizeof(why), "REPLAY of branch %s, which is known up to #%llu.%llu", g->rw.name,
                 (unsigned long long)g->rw.end.insns, (unsigned long long)g->rw.end.step);
    debug_stop_say(g, why);
}

/* --- positions --- */

static struct debug_mark *mark_find(struct debug *g, const char *name)
{
    for (unsigned int i = 0; i < g->nr_marks; i++)
        if (!strcmp(g->marks[i].name, name))
            return &g->marks[i];
    return NULL;
}

/* The time before it is decoration. */
bool debug_position(const char *text, struct position *at)
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

static bool go(struct debug *g, struct position at)
{
    if (!debug_moved(g, debugger_goto(&g->dbg, at), "position"))
        return false;
    debug_stop_say(g, "goto");
    return true;
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
    if (debug_moved(g, debugger_goto_time(&g->dbg, t), "position"))
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
    else if (debug_position(args, &at))
        go(g, at);
    else
        go_to_time(g, args);
}

void debug_back(struct debug *g, const char *args, unsigned long count)
{
    const struct position here = g->rw.m->at;

    if (go(g, g->came_from))
        g->came_from = here;
}

bool debug_mark_put(struct debug *g, const char *name, struct position at)
{
    struct debug_mark *mark = mark_find(g, name);

    if (!mark && g->nr_marks == DEBUG_MARKS)
        return false;
    mark = mark ? mark : &g->marks[g->nr_marks++];
    snprintf(mark->name, sizeof(mark->name), "%s", name);
    mark->at = at;
    return true;
}

void debug_mark_drop(struct debug *g, const char *name)
{
    struct debug_mark *mark = mark_find(g, name);

    if (mark)
        memmove(mark, mark + 1, (size_t)(&g->marks[--g->nr_marks] - mark) * sizeof(*mark));
}

void debug_mark_set(struct debug *g, const char *args, unsigned long count)
{
    char at[POSITION_TEXT];

    if (!*args || strlen(args) >= sizeof(g->marks[0].name) || strpbrk(args, " \t#"))
        debug_fail(g, "arguments", "mark NAME: a word of up to %zu characters", sizeof(g->marks[0].name) - 1);
    else if (!debug_mark_put(g, args, g->rw.m->at))
        debug_fail(g, "marks", "there are %d marks already", DEBUG_MARKS);
    else
        say_line(&g->say, "mark", "mark %s is %s", args, position_text(g, at));
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
