// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers about what was, see tools/debug/why.h: registers, memory, refusals, events. Those about what has no address
 * are in tools/debug/why_things.c.
 */
#include "sim/insn.h"
#include "tools/debug/why_private.h"
#include "vcpu/noun/domain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * -------------------------------------------------------------------------------------------------------- registers --
 */

struct change {
    bool found;
    struct position before;
    s_time_t t;
    uint64_t rip, old, new;
};

static bool value_of(struct debugger *d, struct condition *c, uint64_t *value)
{
    struct expr_value v;

    if (!condition_value(c, d->dom, d->vcpu, NULL, &v))
        return false;
    *value = v.u;
    return true;
}

/* Between here and `to`: step by step, the last one that makes a difference. */
static enum debug_result last_change_until(struct debugger *d, struct condition *c, struct position to,
                                           struct change *ch)
{
    enum debug_result r = DEBUG_THERE;
    uint64_t old = 0, new;
    bool had = value_of(d, c, &old);

    d->bound = to;
    while (r == DEBUG_THERE && position_is_before(debugger_here(d), to)) {
        const struct position before = debugger_here(d);
        const struct vcpu *v = debug_vcpu_of(d);
        const uint64_t rip = v && v->regs ? insn_linear_rip(v->regs) : 0;
        const s_time_t t = host_now(d->host);

        r = debugger_step(d);
        if (is_at(before, debugger_here(d)))
            break;
        if (value_of(d, c, &new)) {
            if (had && new != old)
                *ch = (struct change){ true, before, t, rip, old, new };
            old = new;
            had = true;
        }
    }
    d->bound = FAR;
    return r == DEBUG_END ? DEBUG_THERE : r;
}

static bool creates(void *data, const struct trace_record *rec)
{
    const struct debugger *d = data;

    return rec->event == TRC_domain && record_field(rec, "op") == TRACE_DOMAIN_CREATE && rec->who.domain == d->dom;
}

/* The first position at which the vCPU has registers: history's, or soon behind the domain's creation. */
static enum debug_result life_begins(struct debugger *d, struct position *at)
{
    struct trace_record rec;
    enum debug_result r = debugger_goto(d, rewind_first(d->rw));
    const struct vcpu *v = r == DEBUG_THERE ? debug_vcpu_of(d) : NULL;

    *at = debugger_here(d);
    if (r != DEBUG_THERE || (v && v->regs))
        return r;
    r = debugger_goto(d, d->rw->end);
    d->at_event = false;
    if (r == DEBUG_THERE)
        r = past_last_event(d, creates, d, &rec);
    while (r == DEBUG_THERE && !((v = debug_vcpu_of(d)) && v->regs))
        r = debugger_goto(d, (struct position){ debugger_here(d).insns, debugger_here(d).step + 1 });
    *at = debugger_here(d);
    return r;
}

enum debug_result why_register(struct debugger *d, const char *name, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct position to = q.here, first;
    struct change ch = { 0 };
    struct condition c;
    char insn[96];
    uint64_t value = 0;
    enum debug_result r;

    if (condition_parse(&c, d->host, d->dom, name, d->err))
        return DEBUG_ERROR;
    if (!value_of(d, &c, &value)) {
        snprintf(d->err, sizeof(d->err), "d%uv%u has no %s", d->dom, d->vcpu, name);
        condition_free(&c);
        return DEBUG_ERROR;
    }
    r = life_begins(d, &first);
    for (uint64_t span = 1000; r == DEBUG_THERE && !ch.found && position_is_before(first, to); span *= 10) {
        const struct position back = { to.insns > span ? to.insns - span : 0, 0 };
        const struct position from = position_is_before(back, first) ? first : back;

        r = debugger_goto(d, from);
        if (r == DEBUG_THERE)
            r = last_change_until(d, &c, to, &ch);
        to = from;
    }
    condition_free(&c);
    sentence_add(&w->says, "d%uv%u's %s is 0x%" PRIx64, d->dom, d->vcpu, name, value);
    if (ch.found) {
        sentence_add(&w->says, ": last changed by what is at ");
        sentence_add_address(&w->says, d->host, d->dom, ch.rip);
        r = debugger_goto(d, ch.before);
        if (r == DEBUG_THERE && look_insn(d->host, d->dom, d->vcpu, ch.rip, insn))
            sentence_add(&w->says, ": %s", insn);
        sentence_add(&w->says, ", at ");
        why_add_place(w, ch.t, ch.before);
        sentence_add(&w->says, "; before, it was 0x%" PRIx64, ch.old);
    } else if (r == DEBUG_THERE) {
        sentence_add(&w->says, " ");
        why_add_never(w, d);
    }
    return past_answered(d, &q, r);
}

/*
 * ----------------------------------------------------------------------------------------------------------- memory --
 */

/* The last hit of a watch; the machine goes to in front of it. */
static enum debug_result last_access(struct debugger *d, const struct debug_stop *watch, struct debug_hit *hit)
{
    struct seek s = { .d = d, .origin = debugger_here(d), .backward = true, .stops = true };
    enum debug_result r;

    d->stops = (struct debug_stops){ .host = d->host };
    r = stops_add(&d->stops, watch, NULL, d->err) ? seek_go(&s) : DEBUG_ERROR;
    if (r == DEBUG_THERE)
        *hit = d->hits[d->nr_hits - 1];
    stops_free(&d->stops);
    return r;
}

static void add_by(struct why *w, struct debugger *d, const struct debug_by *by)
{
    if (by->hypervisor)
        sentence_add(&w->says, "by the hypervisor");
    if (by->dom != DOMID_INVALID)
        sentence_add(&w->says, by->hypervisor ? ", for d%uv%u" : "by d%uv%u", by->dom, by->vcpu);
    if (by->dom != DOMID_INVALID && by->rip) {
        sentence_add(&w->says, " at ");
        sentence_add_address(&w->says, d->host, by->dom, by->rip);
    }
}

/* ", last changed by ... at ...; before, it was ..." *at: behind it. */
static enum debug_result add_access(struct debugger *d, const struct debug_stop *watch, struct why *w,
                                    struct debug_hit *hit)
{
    const enum debug_result r = last_access(d, watch, hit);

    if (r == DEBUG_THERE) {
        sentence_add(&w->says, watch->access == DEBUG_WRITTEN ? ", last written " : ", last changed ");
        add_by(w, d, &hit->by);
        sentence_add(&w->says, ", at ");
        why_add_place(w, host_now(d->host), hit->before);
        sentence_add(&w->says, "; before, it was 0x%" PRIx64, hit->old);
    } else if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, " ");
        why_add_never(w, d);
        sentence_add(&w->says, ": the toolstack has built it so");
    }
    return r;
}

enum debug_result why_memory(struct debugger *d, const struct debug_stop *what, struct why *w)
{
    static const char *const spaces[] = { [LOOK_VIRTUAL] = "v", [LOOK_PHYSICAL] = "p", [LOOK_MACHINE] = "m" };
    const struct past_question q = why_begin(d, w);
    struct debug_stop watch = *what;
    struct debug_hit hit;
    uint64_t value = 0;

    if (look_read(d->host, what->dom, what->vcpu, what->space, what->addr, &value, what->len) != what->len) {
        snprintf(d->err, sizeof(d->err), "d%u:%s:0x%" PRIx64 ": there is no memory", what->dom, spaces[what->space],
                 what->addr);
        return DEBUG_ERROR;
    }
    sentence_add(&w->says, "u%u d%u:%s:", (unsigned int)what->len * 8, what->dom, spaces[what->space]);
    if (what->space == LOOK_VIRTUAL)
        sentence_add_address(&w->says, d->host, what->dom, what->addr);
    else
        sentence_add(&w->says, "0x%" PRIx64, what->addr);
    sentence_add(&w->says, " is 0x%" PRIx64, value);
    /* The memory that the address names now, whatever it was called then: of that it is known when it was stored to. */
    if (PAGE_OFFSET(what->addr) + what->len <= PAGE_SIZE &&
        look_machine_address(d->host, what->dom, what->vcpu, what->space, what->addr, &watch.addr))
        watch.space = LOOK_MACHINE;
    return past_answered(d, &q, add_access(d, &watch, w, &hit));
}

static bool is_pte_event(void *data, const struct trace_record *rec)
{
    const uint64_t *maddr = data;

    return rec->event == TRC_pte &&
           (record_field(rec, "table") << PAGE_SHIFT | record_field(rec, "index") * 8) == *maddr;
}

enum debug_result why_pte(struct debugger *d, domid_t dom, unsigned int vcpu, uint64_t va, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    uint64_t maddr;
    struct past_match m = { .match = is_pte_event, .data = &maddr };
    struct look_walk walk;
    struct debug_hit hit;
    enum debug_result r;

    if (!look_walk(d->host, dom, vcpu, va, &walk) || !walk.nr) {
        snprintf(d->err, sizeof(d->err), "d%uv%u has no page table for 0x%" PRIx64, dom, vcpu, va);
        return DEBUG_ERROR;
    }
    maddr = mfn_x(walk.step[walk.nr - 1].table) << PAGE_SHIFT | walk.step[walk.nr - 1].index * 8;
    sentence_add(&w->says, "L%u[%u] of mfn 0x%" PRIx64 ", for 0x%" PRIx64 ", is 0x%" PRIx64 "%s",
                 walk.step[walk.nr - 1].level, walk.step[walk.nr - 1].index, mfn_x(walk.step[walk.nr - 1].table), va,
                 walk.step[walk.nr - 1].entry, walk.step[walk.nr - 1].entry & 1 ? "" : " (not present)");
    r = add_access(
        d, &(struct debug_stop){ .kind = DEBUG_WATCH, .dom = dom, .space = LOOK_MACHINE, .addr = maddr, .len = 8 }, w,
        &hit);
    if (r == DEBUG_THERE)
        r = past_match_step(d, hit.after, &m);
    if (r == DEBUG_THERE && m.found) {
        sentence_add(&w->says, ". ");
        sentence_add_records(&w->says, d->host, &m.rec, 1);
    }
    return past_answered(d, &q, r);
}

/*
 * --------------------------------------------------------------------------------------------- refusals, events --
 */

static bool is_refusal(void *data, const struct trace_record *rec)
{
    const struct debugger *d = data;

    return rec->who.domain == d->dom && record_refuses(rec);
}

enum debug_result why_refused(struct debugger *d, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct trace_record rec;
    enum debug_result r = past_last_event(d, is_refusal, d, &rec);

    if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, "d%u has been refused nothing ", d->dom);
        why_add_never(w, d);
    } else if (r == DEBUG_THERE) {
        sentence_add(&w->says, "refused at ");
        why_add_place(w, rec.time, rec.at);
        sentence_add(&w->says, ": ");
        r = why_add_episode(d, &rec, w);
    }
    return past_answered(d, &q, r);
}

enum debug_result why_here(struct debugger *d, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct trace_record rec;

    if (!d->at_event)
        return why_vcpu(d, d->dom, d->vcpu, w);
    memcpy(&rec, &d->event, sizeof(rec));
    why_add_place(w, rec.time, rec.at);
    sentence_add(&w->says, ": ");
    return past_answered(d, &q, why_add_episode(d, &rec, w));
}

static bool any_said(void *data, const struct trace_record *rec) { return past_is_said(rec); }

static bool is_console(void *data, const struct trace_record *rec) { return rec->event == TRC_console; }

enum debug_result why_at(struct debugger *d, struct position at, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct past_match m = { .match = any_said };
    enum debug_result r = past_match_step(d, at, &m);
    struct trace_record rec;

    if (r == DEBUG_THERE && !m.found) {
        sentence_add(&w->says, "nothing of the trace happened in the step to #%" PRIu64 ".%" PRIu64, at.insns, at.step);
        return past_answered(d, &q, r);
    }
    memcpy(&rec, &m.rec, sizeof(rec));
    if (r == DEBUG_THERE) {
        why_add_place(w, rec.time, rec.at);
        sentence_add(&w->says, ": ");
        m = (struct past_match){ .match = is_console };
        r = past_match_step(d, at, &m);
    }
    if (r == DEBUG_THERE && m.found) { /* by no hypercall of dom0's, which makes one because of it */
        sentence_add_records(&w->says, d->host, &m.rec, 1);
        sentence_add(&w->says, "; ");
    }
    return past_answered(d, &q, r == DEBUG_THERE ? why_add_episode(d, &rec, w) : r);
}
