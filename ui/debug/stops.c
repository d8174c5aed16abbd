// SPDX-License-Identifier: GPL-2.0-or-later
/* The debugger's commands about stops: setting, listing, forgetting them. See ui/debug/debug.h. */
#include "ui/debug/debug.h"

#include "sim/trace.h"
#include "tools/debug/fit.h"
#include "tools/nearest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *stop_name(const struct debug_stop *s)
{
    static const char *const kinds[] = { "breakpoint", "watchpoint", "trace", "log" };

    return kinds[s->kind];
}

static const char *const accesses[] = { "c", "w", "r" }, *const accessed[] = { "changed", "written", "read" };

const char *stop_place(const struct debug *g, const struct debug_stop *s, uint64_t addr, char text[STOP_PLACE])
{
    static const char *const spaces[] = { "", "p:", "m:" };
    char who[16] = "", symbol[96] = "";

    if (s->space == LOOK_VIRTUAL)
        look_symbol(g->host, s->dom, addr, symbol);
    if (s->space != LOOK_MACHINE)
        snprintf(who, sizeof(who), s->vcpu ? "d%uv%u:" : "d%u:", s->dom, s->vcpu);
    snprintf(text, STOP_PLACE, "%s%s0x%" PRIx64 "%s", who, spaces[s->space], addr, symbol);
    return text;
}

static void stop_say(struct debug *g, const struct debug_stop *s)
{
    const bool event = s->kind == DEBUG_TRACE || s->kind == DEBUG_LOG;
    char place[STOP_PLACE];

    say_begin(&g->say, "break");
    say_number(&g->say, "id", s->id);
    say_field(&g->say, "type", "%s", stop_name(s));
    say(&g->say, "%s %u", stop_name(s), s->id);
    if (event) {
        say_field(&g->say, "event", "%s", trace_event_name(s->event));
        say(&g->say, " of %s", trace_event_name(s->event));
    } else {
        say_field(&g->say, "place", "%s", stop_place(g, s, s->addr, place));
        say(&g->say, " at %s", place);
    }
    if (s->kind == DEBUG_WATCH) {
        say_number(&g->say, "len", s->len);
        say_field(&g->say, "access", "%s", accesses[s->access]);
        say(&g->say, ", %" PRIu64 " byte%s, %s", s->len, s->len == 1 ? "" : "s", accessed[s->access]);
    }
    if (s->text) {
        say_field(&g->say, "if", "%s", s->text);
        say(&g->say, " if %s", s->text);
    }
    say_end(&g->say);
}

/* A logged event, as the trace has it, and where. */
static void log_say(void *data, const struct debug_stop *stop, const struct trace_record *rec)
{
    struct debug *g = data;
    char text[TRACE_JSON_SIZE + 1], at[POSITION_TEXT];

    text[trace_format_json(rec, text)] = '\0';
    say_begin(&g->say, "event");
    say_number(&g->say, "id", stop->id);
    say_field(&g->say, "pos", "%s", position_text(g, at));
    say_field(&g->say, "event", "%s", trace_event_name((enum trace_event)rec->event));
    say_field(&g->say, "record", "%s", text);
    say(&g->say, "%s  log %u %s", at, stop->id, text);
    say_end(&g->say);
}

static void add(struct debug *g, const struct debug_stop *what, const char *cond)
{
    char err[EXPR_ERR_SIZE];
    const struct debug_stop *s = stops_add(&g->dbg.stops, what, cond, err);
    struct look_vcpu v;

    g->dbg.log = log_say;
    g->dbg.log_data = g;
    if (!s) {
        debug_fail(g, "condition", "%s", err);
        return;
    }
    stop_say(g, s);
    if (s->kind == DEBUG_BREAK && !look_vcpu(g->host, s->dom, 0, &v))
        say_line(&g->say, "message", "breakpoint %u: d%u is not there now: it waits until it is", s->id, s->dom);
    if (s->kind == DEBUG_WATCH && !watch_is_there(&g->dbg.stops, s))
        say_line(&g->say, "message", "watchpoint %u: nothing is there now: it waits until there is", s->id);
}

/* Cut "ARGS if COND" in two. NULL: there is no condition; *text, of which args is a copy, ends in front of it. */
static const char *condition_cut(char *text)
{
    char *p = text;

    while ((p = strstr(p, "if"))) {
        const bool word = (p == text || strchr(" \t", p[-1])) && (!p[2] || strchr(" \t(", p[2]));

        if (word) {
            *p = '\0';
            p += 2;
            break;
        }
        p += 2;
    }
    for (size_t n = strlen(text); n && strchr(" \t", text[n - 1]); n--)
        text[n - 1] = '\0';
    return p ? p + strspn(p, " \t") : NULL;
}

/* The command's arguments, to be changed; with its condition cut off. NULL: it has said why. */
static char *args_cut(struct debug *g, const char *args, const char **cond)
{
    char *text = strdup(args);

    if (!text) {
        debug_fail(g, "memory", "out of memory");
        return NULL;
    }
    *cond = condition_cut(text);
    if (!*cond || **cond)
        return text;
    debug_fail(g, "condition", "what condition? For example: if mode==user && %%rax==0");
    free(text);
    return NULL;
}

void debug_break(struct debug *g, const char *args, unsigned long count)
{
    const char *cond;
    char *text = args_cut(g, args, &cond);
    struct look_vcpu v;
    struct debug_addr a;

    if (text && !*text)
        debug_fail(g, "arguments", "break where? An address or a symbol: break main, break d2:0x401000 if %%rdi==0");
    else if (text && debug_address_later(g, text, &a)) {
        if (a.space != LOOK_VIRTUAL)
            debug_fail(g, "arguments", "a breakpoint is at a virtual address");
        else if (look_vcpu(g->host, a.dom, a.vcpu, &v) && v.native)
            debug_fail(g, "address", "d%uv%u executes no instructions of this machine", a.dom, a.vcpu);
        else
            add(g, &(struct debug_stop){ .kind = DEBUG_BREAK, .dom = a.dom, .addr = a.addr }, cond);
    }
    free(text);
}

/* "ADDR[,LEN] [r|w|c]" */
static bool watch_parse(struct debug *g, char *text, struct debug_stop *s)
{
    char *comma, *how = text + strlen(text);
    struct debug_value len;
    struct debug_addr a;

    *s = (struct debug_stop){ .kind = DEBUG_WATCH, .len = 8 };
    if (how - text > 2 && strchr(" \t", how[-2]) && strchr("rwc", how[-1])) {
        s->access = how[-1] == 'r' ? DEBUG_READ : how[-1] == 'w' ? DEBUG_WRITTEN : DEBUG_CHANGED;
        how[-2] = '\0';
    }
    comma = strrchr(text, ',');
    if (comma) {
        *comma = '\0';
        if (!debug_value(g, comma + 1 + strspn(comma + 1, " \t"), &len))
            return false;
        s->len = len.value.u;
    }
    for (size_t n = strlen(text); n && strchr(" \t", text[n - 1]); n--)
        text[n - 1] = '\0';
    if (!debug_address_later(g, text, &a))
        return false;
    s->dom = a.dom;
    s->vcpu = a.vcpu;
    s->space = a.space;
    s->addr = a.addr;
    if (!s->len || s->len > DEBUG_WATCH_MAX || s->addr + (s->len - 1) < s->addr) {
        debug_fail(g, "arguments", "a watch is of 1 to %" PRIu64 " bytes, not %" PRIu64 ", and does not go round",
                   DEBUG_WATCH_MAX, s->len);
        return false;
    }
    return true;
}

/* There is something that the address may name, now or later. */
static bool watch_makes_sense(struct debug *g, const struct debug_stop *s)
{
    const uint64_t end = host_machine(g->host)->nr_frames << PAGE_SHIFT;
    struct look_vcpu v;

    if (s->space == LOOK_MACHINE && (s->addr >= end || s->len > end - s->addr))
        debug_fail(g, "address", "the machine's memory ends at 0x%" PRIx64, end);
    else if (s->space == LOOK_VIRTUAL && look_vcpu(g->host, s->dom, s->vcpu, &v) && v.native)
        debug_fail(g, "address", "d%uv%u has no page tables: p: or m: in front of an address names memory", s->dom,
                   s->vcpu);
    else
        return true;
    return false;
}

void debug_watch(struct debug *g, const char *args, unsigned long count)
{
    const char *cond;
    char *text = args_cut(g, args, &cond);
    struct debug_stop s;

    if (text && !*text)
        debug_fail(g, "arguments", "watch what? ADDR[,LEN] [r|w|c] [if COND]: watch d1:counter,8 w");
    else if (text && watch_parse(g, text, &s) && watch_makes_sense(g, &s))
        add(g, &s, cond);
    free(text);
}

static void event_add(struct debug *g, enum debug_kind kind, const char *args)
{
    const char *cond, *names[TRC_NR];
    char *text = args_cut(g, args, &cond), hint[NEAREST_HINT_SIZE];
    unsigned int ev = 0;

    if (!text)
        return;
    for (unsigned int i = 0; i < TRC_NR; i++)
        names[i] = trace_event_name((enum trace_event)i);
    while (ev < TRC_NR && strcmp(names[ev], text))
        ev++;
    if (ev < TRC_NR)
        add(g, &(struct debug_stop){ .kind = kind, .dom = g->dbg.dom, .event = (enum trace_event)ev }, cond);
    else if (!*text)
        debug_fail(g, "arguments", "which event? For example: hypercall_ret if ret<0 (docs/trace.md has all)");
    else
        debug_fail(g, "event", "there is no event \"%.40s\"%s (docs/trace.md has all)", text,
                   nearest_hint(text, names, TRC_NR, "", hint));
    free(text);
}

void debug_trace(struct debug *g, const char *args, unsigned long count) { event_add(g, DEBUG_TRACE, args); }

void debug_log(struct debug *g, const char *args, unsigned long count) { event_add(g, DEBUG_LOG, args); }

void debug_stops(struct debug *g, const char *args, unsigned long count)
{
    for (size_t i = 0; i < g->dbg.stops.nr; i++)
        stop_say(g, g->dbg.stops.list[i]);
    if (!g->dbg.stops.nr)
        say_line(&g->say, "breaks", "no stops (see: break, watch, trace, log)");
}

void debug_delete(struct debug *g, const char *args, unsigned long count)
{
    struct debug_stops *stops = &g->dbg.stops;
    char *end;
    const unsigned long id = strtoul(args, &end, 10);

    if (!*args) {
        debug_fail(g, "arguments", "delete which? A number (see: list), or: delete all");
    } else if (!strcmp(args, "all")) {
        const size_t nr = stops->nr;

        while (stops->nr)
            stops_delete(stops, stops->list[0]->id);
        g->dbg.nr_hits = 0;
        say_line(&g->say, "delete", "%zu stop%s gone", nr, nr == 1 ? " is" : "s are");
    } else if (*end || id > UINT32_MAX || !stops_delete(stops, (unsigned int)id)) {
        debug_fail(g, "arguments", "there is no stop \"%.40s\" (see: list)", args);
    } else {
        g->dbg.nr_hits = 0;
        say_line(&g->say, "delete", "stop %lu is gone", id);
    }
}
