// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interpreter's loop: fetch, decode, execute, and is it time to stop? See interp.h.
 *
 * An instruction's end is where RIP moves: until then it has either changed nothing that it may not change, or the
 * guest leaves in front of it. Between two instructions, in this order: the budget is spent; an observer looks; an
 * interrupt that waits can be taken; the next one is fetched.
 */
#include "vcpu/five/interp.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------------------------- fetch -- */

/* In an instruction that begins near a page's end the next page is looked at only if it goes that far. */
static const struct interp_insn *decode_across(struct interp *i, const uint8_t *at, bool code64)
{
    static const unsigned int all = 2 * INTERP_BYTES;
    struct interp_insn *in = &i->across;
    uint8_t bytes[2 * INTERP_BYTES];
    const unsigned int n = PAGE_SIZE - PAGE_OFFSET(i->r->rip);
    const uint8_t *next;

    memcpy(bytes, at, n);
    interp_decode(bytes, n, code64, in);
    if (in->len)
        return in;
    next = interp_page(i, i->r->rip + n, INTERP_FETCH, false);
    if (!next)
        return NULL;
    memcpy(bytes + n, next, all - n);
    interp_decode(bytes, all, code64, in);
    return in;
}

/* The instruction at RIP, decoded; NULL: it cannot be had. */
static const struct interp_insn *fetch(struct interp *i)
{
    const bool code64 = interp_is_64(i->r);
    const uint8_t *page = interp_page(i, i->r->rip, INTERP_FETCH, false), *at;
    struct interp_cached *c;
    uint64_t bytes[2];

    if (!page)
        return NULL;
    at = page + PAGE_OFFSET(i->r->rip);
    if (PAGE_OFFSET(i->r->rip) > PAGE_SIZE - INTERP_BYTES)
        return decode_across(i, at, code64);
    memcpy(bytes, at, sizeof(bytes));
    c = &i->s->cache[((uintptr_t)at ^ (uintptr_t)at >> PAGE_SHIFT) % INTERP_CACHE];
    if (c->bytes[0] != bytes[0] || c->bytes[1] != bytes[1] || c->in.code64 != code64 || !c->in.len) {
        memcpy(c->bytes, bytes, sizeof(bytes));
        interp_decode(at, INTERP_BYTES, code64, &c->in);
    }
    return &c->in;
}

/* ------------------------------------------------------------------------------------------------------ one step -- */

/* Modes that are not there. */
static bool is_known_code(struct interp *i)
{
    const struct cpu_state *r = i->r;

    if (interp_is_64(r))
        return true;
    if (!(r->seg[CPU_SEG_CS].attr & SEG_ATTR_D) || r->rflags & X86_EFLAGS_VM || !(r->cr0 & X86_CR0_PE))
        return interp_refuse(i, KNOWS_NO "code of 16 bits");
    for (unsigned int s = CPU_SEG_ES; s <= CPU_SEG_DS; s++)
        if (r->seg[s].base)
            return interp_refuse(i, KNOWS_NO "segments that do not begin at 0");
        else if (i->m->exact_segments && r->seg[s].limit != UINT32_MAX)
            return interp_refuse(i, KNOWS_NO "segments with limits, which are to be exact");
    return true;
}

static bool is_known_mode(struct interp *i)
{
    if (i->r->rflags & X86_EFLAGS_TF)
        return interp_refuse(i, KNOWS_NO "single-stepping (TF)");
    if (i->r->dr[7] & X86_DR7_ACTIVE)
        return interp_refuse(i, KNOWS_NO "breakpoints (DR7)");
    return is_known_code(i);
}

static bool in_shadow(const struct cpu_state *r) { return r->int_shadow && r->rip == r->exit_rip; }

/* Somebody waits for a place to deliver something, and here is one: the guest leaves. */
static bool window(struct interp *i)
{
    const struct cpu_state *r = i->r;

    if ((r->want_intwin && r->rflags & X86_EFLAGS_IF && !in_shadow(r)) || (r->want_nmiwin && !r->nmi_blocked))
        return !interp_leave(i, EXIT_INTWIN, 0);
    return false;
}

/* One instruction. False: the guest leaves in front of it. */
static bool step(struct interp *i)
{
    struct cpu_state *r = i->r;
    const struct interp_insn *in;

    i->cpl = r->cpl;
    i->transfers = i->shadow = i->keeps_rf = i->counts_twice = false;
    in = fetch(i);
    if (!in)
        return false;
    if (!in->len || in->len > INSN_MAX_LEN)
        return interp_exception(i, X86_EXC_GP, 0);
    i->next = in->code64 ? r->rip + in->len : (uint32_t)(r->rip + in->len);
    if (!interp_execute(i, in))
        return false;
    r->rip = i->next;
    if (!i->keeps_rf)
        r->rflags &= ~(uint64_t)X86_EFLAGS_RF;
    r->int_shadow = i->shadow;
    r->exit_rip = r->rip;
    return true;
}

/* --------------------------------------------------------------------------------------------------------- a run -- */

/* Until the guest leaves, or is to be left: i->x. */
static void run(struct interp *i, const struct pcpu_budget *b)
{
    uint64_t n = 0;

    interp_flush(i); /* what the hypervisor has changed meanwhile is nobody's to follow */
    while (is_known_mode(i) && !window(i) && step(i)) {
        n += i->counts_twice ? 2 : 1;
        i->r->insns_in[i->cpl] += i->counts_twice ? 2 : 1;
        if (n >= b->insns && (b->exact || i->transfers)) {
            interp_leave(i, EXIT_BUDGET, 0);
            break;
        }
        if (n >= b->stop_after) {
            interp_leave(i, EXIT_STOP, 0);
            i->x.stop.why = STOP_LIMIT;
            break;
        }
    }
    if (i->x.kind == EXIT_SOFTINT) { /* it is behind its instruction, all others in front of it */
        i->r->insns_in[i->cpl]++;
        n++;
    }
    i->x.insns = n;
    if (i->r->rip != i->r->exit_rip)
        i->r->int_shadow = false;
    i->r->exit_rip = i->r->rip;
}

static struct interp begin(struct vcpu *v)
{
    struct machine *m = v->domain->xen->machine;

    if (!m->edges->interp)
        m->edges->interp = calloc(1, sizeof(struct interp_store));
    BUG_ON(!m->edges->interp);
    return (struct interp){ .v = v, .r = v->regs, .m = m, .s = m->edges->interp };
}

bool interp_one(struct vcpu *v, struct sim_exit *x)
{
    struct interp i = begin(v);

    interp_flush(&i);
    if (is_known_code(&i) && step(&i))
        return true;
    *x = i.x;
    return false;
}

void interp_run_on(struct vcpu *v, const struct pcpu_budget *budget, pcpu_exit_fn *on_exit, void *data)
{
    struct interp i = begin(v);
    struct pcpu_budget b = *budget;
    struct sim_exit x;

    do {
        run(&i, &b);
        x = i.x;
    } while (on_exit(data, &x, &b));
}
