// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The exit loop: where guests run.
 *
 * Concept: on real hardware each pCPU loops on its own: schedule, enter the guest, handle the exit. Here one host
 * thread steps the pCPUs in turn. Each pCPU has its own position in virtual time; the one furthest behind goes next and
 * may get ahead of the others by at most a quantum. That makes the interleaving of pCPUs a function of virtual time
 * alone, so the same run happens again whatever the host does.
 *
 *      pick pCPU -> due timers -> schedule? -> deliver events -> pcpu_run_on() -> advance the clock -> handle the exit
 *
 * Invariants:
 *  - machine->clock.now is the time of the pCPU that is being stepped.
 *  - No vCPU sees time go backwards: one that moves to a pCPU that is behind takes that pCPU to its own time.
 *  - An idle pCPU takes no steps; it jumps to the time of whoever wakes it (sched_kick_cpu()).
 *
 * Corresponds to xen/arch/x86/domain.c (idle_loop, context_switch) and the return-to-guest path in entry.S.
 */
#include "vcpu/run.h"

#include "mmu/tlb.h"
#include "vcpu/noun/domain.h"
#include "vcpu/runstate.h"
#include "vcpu/sched/sched.h"
#include "vcpu/time.h"

#define PCPU_QUANTUM MICROSECS(20) /* how far pCPUs may drift apart */

/* The pCPU that is furthest behind among those with work; -1: all idle. */
static int pick_pcpu(struct xen *xen)
{
    int best = -1;

    for (unsigned int i = 0; i < xen->nr_pcpus; i++) {
        struct xen_pcpu *pc = &xen->pcpu[i];

        if (!pc->online || (!pc->curr && !pc->need_resched))
            continue;
        if (best < 0 || pc->now < xen->pcpu[best].now)
            best = (int)i;
    }
    return best;
}

/* How far this pCPU may go now: its slice, the first timer, and a quantum ahead of the others. */
static s_time_t horizon(const struct xen *xen, unsigned int cpu, s_time_t until)
{
    const struct xen_pcpu *pc = &xen->pcpu[cpu];
    s_time_t end = until, timer = vclock_next(&xen->machine->clock);

    if (pc->slice_end < end)
        end = pc->slice_end;
    if (timer < end)
        end = timer;
    if (xen->nr_pcpus > 1 && pc->now + PCPU_QUANTUM < end)
        end = pc->now + PCPU_QUANTUM;
    return end > xen->machine->clock.now ? end : xen->machine->clock.now + 1;
}

/* prev leaves a pCPU, next comes onto it. */
static void context_switch(struct xen *xen, struct vcpu *prev, struct vcpu *next)
{
    if (prev) {
        vcpu_periodic_timer_stop(prev);
        if (!prev->domain->is_dying)
            update_runstate_area(prev);
    }
    if (!next)
        return;
    if (next->last_run > NOW(xen))
        xen->machine->clock.now = next->last_run;
    next->domain->guest->switch_to(next);
}

/* Guest v runs until `end`, or until somebody else should run. */
struct guest_run {
    struct xen *xen;
    struct xen_pcpu *pc;
    struct vcpu *v;
    s_time_t end;
    const bool *stop;
};

/* What a guest is to see before it goes on. False: it is blocked, or worse. */
static bool guest_enter(const struct guest_run *r, uint64_t *budget)
{
    r->v->domain->guest->deliver(r->v);
    if (!vcpu_runnable(r->v))
        return false;
    tlb_catch_up(r->v);
    *budget = (uint64_t)(r->end - r->xen->machine->clock.now) / CLOCK_NS_PER_INSN + 1;
    return true;
}

/* For the trace: the address of a page fault, or what #DB reports. */
static uint64_t exit_addr(const struct sim_exit *e)
{
    switch (e->kind) {
    case EXIT_EXCEPTION: return e->exception.addr;
    case EXIT_CPUID:
    case EXIT_RDTSC:
    case EXIT_PAUSE: return e->insn.dr6;
    default: return 0;
    }
}

/*
 * It has come out: account for the time, do what it wants. The domain may be gone then, but that asks for a new
 * schedule.
 */
static bool guest_exit(void *data, const struct sim_exit *e, uint64_t *budget)
{
    const struct guest_run *r = data;
    struct xen *xen = r->xen;
    struct machine *m = xen->machine;

    m->clock.now += (s_time_t)e->insns * CLOCK_NS_PER_INSN;
    xen->stats.insns += e->insns;
    m->at = (struct position){ m->at.insns + e->insns, e->insns ? 0 : m->at.step + 1 };
    xen->stats.exits[e->kind]++;
    if (e->kind == EXIT_BUDGET) {
        m->clock.now += e->insns == 0; /* time must pass, whatever the processor says */
    } else {
        m->clock.now += CLOCK_NS_PER_EXIT;
        if (e->kind == EXIT_EXCEPTION)
            xen->stats.exceptions[e->exception.vector & 31]++;
        TRACE(m, exit, r->v->domain->domain_id, r->v->vcpu_id, e->kind, sim_exit_vector(e),
              e->kind == EXIT_EXCEPTION ? e->exception.error_code : 0, r->v->regs->rip, exit_addr(e), e->insns);
    }
    r->v->domain->guest->handle_exit(r->v, e);
    return m->clock.now < r->end && m->clock.now < vclock_next(&m->clock) && !r->pc->need_resched && !*r->stop &&
           guest_enter(r, budget);
}

void run_on_pcpu(struct vcpu *v, unsigned int cpu, s_time_t end, const bool *stop)
{
    struct xen *xen = v->domain->xen;
    struct guest_run r = { xen, &xen->pcpu[cpu], v, end, stop };
    uint64_t budget;

    if (guest_enter(&r, &budget))
        pcpu_run_on(xen->machine->pcpu[cpu], v->ctx, budget, guest_exit, &r);
}

static void step(struct xen *xen, unsigned int cpu, s_time_t until, const bool *stop)
{
    struct machine *m = xen->machine;
    struct xen_pcpu *pc = &xen->pcpu[cpu];

    m->cur_pcpu = cpu;
    m->clock.now = pc->now;
    vclock_run(&m->clock);
    if (pc->need_resched || pc->now >= pc->slice_end) {
        struct vcpu *prev = pc->curr, *next = sched_schedule(xen, cpu);

        if (next != prev)
            context_switch(xen, prev, next);
    }
    if (pc->curr)
        pc->curr->domain->guest->run(pc->curr, cpu, horizon(xen, cpu, until), stop);
    pc->now = m->clock.now;
}

enum run_result xen_run(struct xen *xen, s_time_t until, const bool *stop)
{
    struct vclock *clock = &xen->machine->clock;

    while (!*stop) {
        int cpu = pick_pcpu(xen);
        s_time_t next = vclock_next(clock);

        if (cpu >= 0 && xen->pcpu[cpu].now >= until) {
            clock->now = xen->pcpu[cpu].now;
            return RUN_UNTIL;
        }
        if (cpu >= 0) {
            step(xen, (unsigned int)cpu, until, stop);
            continue;
        }
        if (next == STIME_MAX)
            return RUN_IDLE;
        if (next > until) {
            clock->now = until;
            return RUN_UNTIL;
        }
        if (next > clock->now) {
            TRACE(xen->machine, idle, TRACE_NO_DOMAIN, 0, (uint64_t)next);
            clock->now = next;
        }
        vclock_run(clock);
    }
    return RUN_STOP;
}
