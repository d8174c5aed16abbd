// SPDX-License-Identifier: GPL-2.0-or-later
/* The debugger's commands that go on to something, or back to it, and what they say of it: see ui/debug/debug.h. */
#include "ui/debug/debug.h"

#include "tools/debug/fit.h"

#include <inttypes.h>
#include <string.h>

typedef enum debug_result move_fn(struct debugger *d);

/* --- what it has come to --- */

static void by_text(const struct debug *g, const struct debug_by *by, char text[160])
{
    char symbol[96];

    if (by->hypervisor && by->dom == DOMID_INVALID) {
        snprintf(text, 160, "the hypervisor");
    } else if (by->hypervisor) {
        snprintf(text, 160, "the hypervisor for d%uv%u", by->dom, by->vcpu);
    } else {
        look_symbol(g->host, by->dom, by->rip, symbol);
        snprintf(text, 160, "d%uv%u at 0x%" PRIx64 "%s", by->dom, by->vcpu, by->rip, symbol);
    }
}

/* " of d1v3", if it is another one than what is shown of. */
static void other_text(const struct debug *g, unsigned int dom, unsigned int vcpu, char text[24])
{
    text[0] = '\0';
    if (dom < DOMID_FIRST_RESERVED && (dom != g->dbg.dom || vcpu != g->dbg.vcpu))
        snprintf(text, 24, " of d%uv%u", dom, vcpu);
}

/* "watchpoint 2 d1:0x5000 0x29 -> 0x2a by d1v0 at 0x401000" */
static void hit_text(const struct debug *g, const struct debug_hit *h, char *text, size_t size)
{
    char place[STOP_PLACE], by[160], of[24];

    if (h->stop->kind == DEBUG_BREAK) {
        other_text(g, h->by.dom, h->by.vcpu, of);
        snprintf(text, size, "breakpoint %u%s", h->stop->id, of);
    } else if (h->stop->kind != DEBUG_WATCH) {
        other_text(g, h->event.who.domain, h->event.who.vcpu, of);
        snprintf(text, size, "trace %u %s%s", h->stop->id, trace_event_name((enum trace_event)h->event.event), of);
    } else {
        stop_place(g, h->stop, h->addr, place);
        by_text(g, &h->by, by);
        if (h->stop->access == DEBUG_READ)
            snprintf(text, size, "watchpoint %u %s read 0x%" PRIx64 " by %s", h->stop->id, place, h->new, by);
        else
            snprintf(text, size, "watchpoint %u %s 0x%" PRIx64 " -> 0x%" PRIx64 " by %s", h->stop->id, place, h->old,
                     h->new, by);
    }
}

static void of_field(struct debug *g, unsigned int dom, unsigned int vcpu)
{
    if (dom < DOMID_FIRST_RESERVED)
        say_field(&g->say, "of", "d%uv%u", dom, vcpu);
}

/* For programs. */
static void hit_fields(struct debug *g, const struct debug_hit *h)
{
    char by[160];

    say_number(&g->say, "id", h->stop->id);
    if (h->stop->kind == DEBUG_BREAK)
        of_field(g, h->by.dom, h->by.vcpu);
    else if (h->stop->kind != DEBUG_WATCH)
        of_field(g, h->event.who.domain, h->event.who.vcpu);
    if (h->stop->kind != DEBUG_WATCH)
        return;
    by_text(g, &h->by, by);
    say_field(&g->say, "addr", "0x%" PRIx64, h->addr);
    say_number(&g->say, "len", h->size);
    say_field(&g->say, "old", "0x%" PRIx64, h->old);
    say_field(&g->say, "new", "0x%" PRIx64, h->new);
    say_field(&g->say, "by", "%s", by);
}

/* One announcement. */
void debug_hits_say(struct debug *g, const char *what)
{
    const struct debugger *d = &g->dbg;
    char why[1024];
    size_t n = 0;

    for (unsigned int i = 0; i < d->nr_hits && n < sizeof(why) - 1; i++) {
        n += (size_t)snprintf(why + n, sizeof(why) - n, n ? ", " : "");
        if (d->hits[i].stop)
            hit_text(g, &d->hits[i], why + n, sizeof(why) - n);
        else
            snprintf(why + n, sizeof(why) - n, "%s", what);
        n += strlen(why + n);
    }
    debug_stop_begin(g, n ? why : what);
    for (unsigned int i = 0; i < d->nr_hits; i++)
        if (d->hits[i].stop) {
            hit_fields(g, &d->hits[i]);
            break;
        }
    say_end(&g->say);
}

/* A condition that has asked for memory that is not there says so once. */
static void unreadable_say(struct debug *g)
{
    static const char *const spaces[] = { [EXPR_VIRTUAL] = "", [EXPR_PHYSICAL] = "p:", [EXPR_MACHINE] = "m:" };

    for (size_t i = 0; i < g->dbg.stops.nr; i++) {
        struct debug_stop *s = g->dbg.stops.list[i];
        const struct expr_addr *a = &s->cond.where;

        if (!s->text || !s->cond.unreadable || s->warned)
            continue;
        s->warned = true;
        say_line(&g->say, "message",
                 "%s %u: memory at d%dv%d:%s0x%" PRIx64 " could not be read: its condition counts as false there",
                 stop_name(s), s->id, a->domain, a->vcpu, spaces[a->space], a->addr);
    }
}

/* --- stepping, running --- */

static void repeat(struct debug *g, move_fn *move, const char *what, const char *none, unsigned long count)
{
    bool more = count > 0;

    while (more && count--)
        more = debug_moved(g, move(&g->dbg), none);
    unreadable_say(g);
    if (more)
        debug_hits_say(g, what);
}

#define MOVES(name, what, none)                                                                                        \
    void debug_##name(struct debug *g, const char *args, unsigned long count)                                          \
    {                                                                                                                  \
        repeat(g, debugger_##name, what, none, count);                                                                 \
    }

MOVES(step, "step", "step")
MOVES(reverse_step, "instruction of this vCPU", "instruction of this vCPU")
MOVES(over, "over", "instruction of this vCPU")
MOVES(reverse_over, "instruction of this vCPU", "instruction of this vCPU")
MOVES(finish, "finish", "return")
MOVES(reverse_finish, "call", "call of this function")

/* So often; or, as if each stop had this condition besides its own. */
static void go_on(struct debug *g, move_fn *move, const char *args, unsigned long count)
{
    struct condition besides;
    char err[EXPR_ERR_SIZE];

    if (*args && condition_parse(&besides, g->host, g->dbg.dom, args, err)) {
        debug_fail(g, "condition", "%s", err);
        return;
    }
    g->dbg.besides = *args ? &besides : NULL;
    repeat(g, move, "continue", "stop", count);
    if (*args)
        condition_free(&besides);
    g->dbg.besides = NULL;
}

void debug_continue(struct debug *g, const char *args, unsigned long count)
{
    go_on(g, debugger_continue, args, count);
}

void debug_reverse_continue(struct debug *g, const char *args, unsigned long count)
{
    go_on(g, debugger_reverse_continue, args, count);
}

/* ------------------------------------------------------------------------------------------------------- events -- */

struct among {
    struct event_set set;
    struct condition cond;
    bool conditional;
};

static bool is_among(void *data, const struct trace_record *rec)
{
    struct among *a = data;

    return a->set.has[rec->event] && (!a->conditional || condition_holds(&a->cond, rec));
}

/* False: it has said why. */
static bool among_parse(struct debug *g, const char *const *names, const char *cond, struct among *a)
{
    char err[EXPR_ERR_SIZE];

    *a = (struct among){ .conditional = *cond };
    for (unsigned int ev = 0; ev < TRC_NR; ev++) {
        a->set.has[ev] = !names;
        for (const char *const *n = names; n && *n; n++)
            a->set.has[ev] |= !strcmp(*n, trace_event_name((enum trace_event)ev));
    }
    if (!a->conditional)
        return true;
    if (condition_parse(&a->cond, g->host, g->dbg.dom, cond, err) == 0) {
        if (expr_fits(a->cond.expr, &a->set, err))
            return true;
        condition_free(&a->cond);
    }
    debug_fail(g, "condition", "%s", err);
    return false;
}

static void event_say(struct debug *g, const struct trace_record *rec)
{
    char why[64], of[24];

    other_text(g, rec->who.domain, rec->who.vcpu, of);
    snprintf(why, sizeof(why), "%s%s", trace_event_name((enum trace_event)rec->event), of);
    debug_stop_begin(g, why);
    of_field(g, rec->who.domain, rec->who.vcpu);
    say_end(&g->say);
}

static void seek(struct debug *g, const char *const *names, bool backward, const char *what, const char *cond,
                 unsigned long count)
{
    struct among a;
    bool more = count > 0;

    if (!among_parse(g, names, cond, &a))
        return;
    while (more && count--)
        more = debug_moved(g, (backward ? debugger_last_event : debugger_next_event)(&g->dbg, is_among, &a), what);
    if (a.conditional && a.cond.unreadable)
        say_line(&g->say, "message", "memory at d%dv%d:0x%" PRIx64 " could not be read: the condition is false there",
                 a.cond.where.domain, a.cond.where.vcpu, a.cond.where.addr);
    if (a.conditional)
        condition_free(&a.cond);
    unreadable_say(g);
    if (more)
        event_say(g, &g->dbg.event);
}

static const char *const exits[] = { "exit", NULL }, *const hypercalls[] = { "hypercall", NULL },
                         *const transitions[] = { "trap", "iret", "syscall", "sysenter", "failsafe", "upcall", NULL },
                         *const switches[] = { "sched_switch", NULL },
                         *const ios[] = { "console", "input", "ring", "xs", NULL };

#define SEEKS(name, names, what)                                                                                       \
    void debug_##name(struct debug *g, const char *args, unsigned long count)                                          \
    {                                                                                                                  \
        seek(g, names, false, what, args, count);                                                                      \
    }                                                                                                                  \
    void debug_reverse_##name(struct debug *g, const char *args, unsigned long count)                                  \
    {                                                                                                                  \
        seek(g, names, true, what, args, count);                                                                       \
    }

SEEKS(exit, exits, "exit")
SEEKS(hypercall, hypercalls, "hypercall")
SEEKS(transition, transitions, "transition")
SEEKS(event, NULL, "event")
SEEKS(switch, switches, "switch")
SEEKS(io, ios, "I/O")
