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
 * The loop goes in steps, between which nothing of it is on the C stack: where it stands then is in xen->run. So it can
 * be left and entered again between any two of them, and between any two instructions of a guest, and whoever does that
 * to look around changes nothing:
 *
 *                .-- nobody is there ----.
 *                v                       |
 *      +--> RUN_TURN: pick, timers, schedule, deliver --+--> RUN_NATIVE: one step of its kernel --+--> (again)
 *      |                                                |                                         |
 *      |                                                '--> RUN_GUEST: instructions ----.        |
 *      |                                                         ^                       v        |
 *      |                                                         '--- deliver --- RUN_EXIT: deal with it
 *      '--- the turn is over ---------------------------------------------------------------------'
 *
 * As long as nobody wants to look, RUN_GUEST and RUN_EXIT go round within pcpu_run_on(), which is faster.
 *
 * Invariants:
 *  - machine->clock.now is the time of the pCPU that is being stepped.
 *  - No vCPU sees time go backwards: one that moves to a pCPU that is behind takes that pCPU to its own time.
 *  - An idle pCPU takes no steps; it jumps to the time of whoever wakes it (sched_kick_cpu()).
 *  - Limits (struct run_limit) decide where xen_run() returns, and nothing else: not one instruction, step or time.
 *
 * Corresponds to xen/arch/x86/domain.c (idle_loop, context_switch) and the return-to-guest path in entry.S.
 *
 * Budget: one loop, which is best read at a stretch.
 */
#include "vcpu/run.h"

#include "mmu/tlb.h"
#include "vcpu/noun/domain.h"
#include "vcpu/runstate.h"
#include "vcpu/sched/sched.h"
#include "vcpu/time.h"
#include "vcpu/trace.h"
#include "vcpu/work.h"

#define PCPU_QUANTUM MICROSECS(20) /* how far pCPUs may drift apart */

/* The pCPU that is furthest behind among those with work; -1: all idle. */
static int pick_pcpu(const struct xen *xen)
{
    int best = -1;

    for (unsigned int i = 0; i < xen->nr_pcpus; i++) {
        const struct xen_pcpu *pc = &xen->pcpu[i];

        if (!pc->online || (!pc->curr && !pc->need_resched))
            continue;
        if (best < 0 || pc->now < xen->pcpu[best].now)
            best = (int)i;
    }
    return best;
}

/*
 * How far this pCPU may go now: its slice, the first timer, and a quantum ahead of the others. Nothing happens at the
 * end of a quantum, so that need not be exact.
 */
static s_time_t horizon(const struct xen *xen, unsigned int cpu, bool *exact)
{
    const struct xen_pcpu *pc = &xen->pcpu[cpu];
    s_time_t end = pc->slice_end, timer = vclock_next(&xen->machine->clock);

    if (timer < end)
        end = timer;
    *exact = xen->nr_pcpus == 1 || end <= pc->now + PCPU_QUANTUM;
    if (!*exact)
        end = pc->now + PCPU_QUANTUM;
    return end > xen->machine->clock.now ? end : xen->machine->clock.now + 1;
}

/* The hypervisor does something, from here to the next such place. */
static void step_begin(struct machine *m) { m->at.step++; }

/* Whoever had this turn comes to the end of it. */
static void turn_over(struct xen *xen)
{
    xen->pcpu[xen->run.cpu].now = xen->machine->clock.now;
    xen->run.phase = RUN_TURN;
    xen->run.left = 0;
}

/* Is this as far as is wanted? */
static bool limit_reached(const struct xen *xen, const struct run_limit *l)
{
    const struct position *at = &xen->machine->at;

    return *l->stop || xen->powered_off || at->insns > l->at.insns ||
           (at->insns == l->at.insns && at->step >= l->at.step);
}

static bool time_reached(const struct xen *xen, const struct run_limit *l)
{
    return xen->machine->clock.now >= l->until;
}

/* Nor is anything else due. */
static inline bool turn_goes_on(const struct xen *xen)
{
    const struct vclock *c = &xen->machine->clock;

    return c->now < xen->run.end && c->now < vclock_next(c) && !xen->pcpu[xen->run.cpu].need_resched;
}

/*
 * ------------------------------------------------------------------------------------------------ RUN_GUEST, _EXIT --
 */

/* What a guest is to see before it goes on. It may be blocked by that: then its turn is over. */
static void guest_enter(struct xen *xen)
{
    struct run_state *r = &xen->run;

    r->v->domain->guest->deliver(r->v);
    if (!vcpu_runnable(r->v)) {
        turn_over(xen);
        return;
    }
    r->end = horizon(xen, r->cpu, &r->exact); /* what it came out for may have set a timer, or stopped one */
    if (TRACE_ON(xen->machine))
        trace_resume(r->v);
    r->v->resume_why = TRACE_RESUME_NONE;
    tlb_catch_up(r->v);
    r->phase = RUN_GUEST;
    r->left = (uint64_t)(r->end - xen->machine->clock.now) / CLOCK_NS_PER_INSN + 1;
}

/* The guest that runs has executed so many instructions. */
static void insns_account(struct machine *m, struct vcpu *v, uint64_t insns)
{
    m->at.insns += insns;
    if (insns) {
        m->at.step = 0;
        vcpu_insns_account(v, insns);
    }
    m->clock.now += (s_time_t)insns * CLOCK_NS_PER_INSN;
}

/* It has come out for a reason of its own. */
static void exit_account(struct xen *xen, struct machine *m, struct vcpu *v, const struct sim_exit *e)
{
    step_begin(m);
    domain_charge(v->domain, CLOCK_NS_PER_EXIT);
    xen->stats.exits[e->kind]++;
    if (e->kind == EXIT_EXCEPTION)
        xen->stats.exceptions[e->exception.vector & 31]++;
    if (TRACE_ON(m))
        trace_exit(v, e);
    v->resume_why = TRACE_RESUME_HANDLED;
    v->insns = 0;
}

/* Do what it came out for. The domain may be gone then, but that asks for a new schedule. */
static inline __attribute__((always_inline)) void exit_handle(struct xen *xen, struct machine *m, struct vcpu *v,
                                                              const struct sim_exit *e)
{
    step_begin(m);
    v->domain->guest->handle_exit(v, e);
    if (turn_goes_on(xen))
        guest_enter(xen);
    else
        turn_over(xen);
}

/* A guest runs from exit to exit. */
struct guest_run {
    struct xen *xen;
    const struct run_limit *limit;
    bool steps;  /* there is a position to stop at, or each is one */
    bool broken; /* it stands in front of an instruction at which somebody stops */
};

/* Behind an exit, in front of what it is for: only a position, or a trace, makes somebody want to look here. */
static __attribute__((noinline)) bool guest_exit_wanted(const struct guest_run *g)
{
    return *g->limit->stop || (g->steps && (g->limit->each_step || limit_reached(g->xen, g->limit)));
}

/* How many instructions it may execute before somebody wants to have a look; 0: now. */
static inline __attribute__((always_inline)) uint64_t guest_stop_after(const struct guest_run *g)
{
    const struct run_limit *l = g->limit;
    const struct xen *xen = g->xen;
    const s_time_t time = l->until - xen->machine->clock.now;
    uint64_t n = time < 0 ? 0 : (uint64_t)time, insns;

    if (__builtin_expect(g->steps, 0)) {
        if (limit_reached(xen, l))
            return 0;
        insns = l->at.insns - xen->machine->at.insns;
        insns = insns ?: l->at.step != UINT64_MAX; /* what comes next may be an exit instead of an instruction */
        n = insns < n ? insns : n;
    }
    return __builtin_expect(*l->stop, 0) ? 0 : n;
}

/* False: somebody wants to have a look now. */
static inline __attribute__((always_inline)) bool guest_budget(const struct guest_run *g, struct pcpu_budget *budget)
{
    budget->insns = g->xen->run.left;
    budget->exact = g->xen->run.exact;
    budget->stop_after = guest_stop_after(g);
    return budget->stop_after;
}

static bool guest_exit(void *data, const struct sim_exit *e, struct pcpu_budget *budget)
{
    struct guest_run *g = data;
    struct xen *xen = g->xen;
    struct run_state *r = &xen->run;
    struct machine *m = xen->machine;
    struct vcpu *v = r->v;

    insns_account(m, v, e->insns);
    if (e->kind == EXIT_BUDGET || e->kind == EXIT_STOP) {
        pcpu_budget_spend(budget, e->insns);
        r->left = budget->insns;
        g->broken = e->kind == EXIT_STOP && e->stop.why != STOP_LIMIT;
        if (g->broken)
            *g->limit->hit = *e;
        if (e->kind == EXIT_BUDGET) {
            xen->stats.exits[EXIT_BUDGET]++;
            turn_over(xen);
        }
        return false;
    }
    exit_account(xen, m, v, e);
    if (__builtin_expect((g->steps || TRACE_ON(m)) && guest_exit_wanted(g), 0)) {
        r->phase = RUN_EXIT;
        r->left = 0; /* how often it was looked at on the way is no state */
        r->exit = *e;
        r->exit.insns = 0; /* since when nobody has looked is no state */
        return false;
    }
    exit_handle(xen, m, v, e);
    if (r->phase != RUN_GUEST)
        return false;
    return guest_budget(g, budget);
}

/* True: RUN_BREAK. */
static bool guest_go_on(struct xen *xen, const struct run_limit *l, bool first)
{
    struct guest_run g = { .xen = xen, .limit = l, .steps = l->each_step || l->at.insns != UINT64_MAX };
    struct pcpu_budget budget = { .resume = first && l->resume, .resume_break = first && l->resume_break };

    if (!guest_budget(&g, &budget))
        return false;
    xen->run.v->domain->guest->run_on(xen->run.v, &budget, guest_exit, &g);
    return g.broken;
}

/* ------------------------------------------------------------------------------------------------- RUN_NATIVE -- */

static void native_go_on(struct xen *xen)
{
    struct run_state *r = &xen->run;
    const struct xen_pcpu *pc = &xen->pcpu[r->cpu];
    struct vcpu *v = r->v;

    if (pc->curr == v && turn_goes_on(xen)) { /* it may have taken its own pCPU away */
        step_begin(xen->machine);
        if (v->domain->guest->step(v))
            return;
        if (pc->curr == v && vcpu_runnable(v))
            vcpu_block(v);
    }
    turn_over(xen);
}

/* --------------------------------------------------------------------------------------------------- RUN_TURN -- */

/* prev leaves a pCPU, next comes onto it. */
static void context_switch(struct xen *xen, struct vcpu *prev, struct vcpu *next)
{
    if (prev) {
        vcpu_periodic_timer_stop(prev);
        if (prev->domain->guest->switch_from)
            prev->domain->guest->switch_from(prev);
        if (!prev->domain->is_dying)
            update_runstate_area(prev);
    }
    if (!next)
        return;
    if (next->last_run > NOW(xen))
        xen->machine->clock.now = next->last_run;
    next->resume_why = TRACE_RESUME_SCHEDULED;
    next->domain->guest->switch_to(next);
}

static void turn(struct xen *xen, unsigned int cpu)
{
    struct machine *m = xen->machine;
    struct xen_pcpu *pc = &xen->pcpu[cpu];

    step_begin(m);
    m->cur_pcpu = cpu;
    m->clock.now = pc->now;
    vclock_run(&m->clock);
    if (pc->need_resched || pc->now >= pc->slice_end) {
        struct vcpu *prev = pc->curr, *next = sched_schedule(xen, cpu);

        if (next != prev)
            context_switch(xen, prev, next);
    }
    xen->run = (struct run_state){ .cpu = cpu, .v = pc->curr, .phase = RUN_NATIVE };
    if (!pc->curr) {
        turn_over(xen);
        return;
    }
    xen->run.end = horizon(xen, cpu, &xen->run.exact);
    if (!pc->curr->domain->guest->step)
        guest_enter(xen);
}

/* Nobody runs: on to the first timer. False: there is none before the limit, and the clock stands still. */
static bool idle(struct xen *xen, s_time_t until)
{
    struct vclock *clock = &xen->machine->clock;
    const s_time_t next = vclock_next(clock);

    if (next == STIME_MAX || next > until)
        return false;
    step_begin(xen->machine);
    if (next > clock->now) {
        TRACE(xen->machine, idle, TRACE_NO_DOMAIN, 0, (uint64_t)next);
        clock->now = next;
    }
    vclock_run(clock);
    return true;
}

/* Has somebody else taken the pCPU away meanwhile? Then the turn is over, whether or not that has been seen yet. */
static bool turn_lost(const struct xen *xen)
{
    return xen->run.phase != RUN_TURN && xen->pcpu[xen->run.cpu].curr != xen->run.v;
}

bool xen_is_idle(const struct xen *xen)
{
    return (xen->run.phase == RUN_TURN || turn_lost(xen)) && pick_pcpu(xen) < 0 &&
           vclock_next(&xen->machine->clock) == STIME_MAX;
}

void xen_interrupt(struct xen *xen, s_time_t now)
{
    step_begin(xen->machine);
    if (xen->run.phase == RUN_GUEST || turn_lost(xen))
        turn_over(xen);
    if (xen->run.phase == RUN_TURN && pick_pcpu(xen) < 0 && xen->machine->clock.now < now)
        xen->machine->clock.now = now;
}

void xen_exit_made_up(struct xen *xen, struct vcpu *v, const struct sim_exit *e, s_time_t now)
{
    struct machine *m = xen->machine;
    struct xen_pcpu *pc = &xen->pcpu[v->processor];

    const bool runs = pc->curr == v; /* else it comes onto the pCPU for just that */

    xen_interrupt(xen, now);
    m->cur_pcpu = v->processor;
    if (m->clock.now < pc->now)
        m->clock.now = pc->now;
    if (!runs)
        context_switch(xen, NULL, v);
    exit_account(xen, m, v, e);
    v->domain->guest->handle_exit(v, e);
    if (!runs)
        context_switch(xen, v, NULL);
    if (pc->now < m->clock.now)
        pc->now = m->clock.now;
}

enum run_result xen_run_to(struct xen *xen, const struct run_limit *l)
{
    const struct position begin = xen->machine->at;
    struct run_state *r = &xen->run;
    bool first = true;
    struct sim_exit e;
    int cpu;

    for (;;) {
        if (limit_reached(xen, l))
            return *l->stop || xen->powered_off ? RUN_STOP : RUN_AT;
        if (xen->outside_asked)
            return RUN_ASKED;
        if (l->each_step && xen->machine->at.step && position_is_before(begin, xen->machine->at))
            return RUN_STEP;
        if (turn_lost(xen)) {
            turn_over(xen);
            continue;
        }
        if (r->phase != RUN_TURN && time_reached(xen, l))
            return RUN_UNTIL;
        switch (r->phase) {
        case RUN_TURN:
            cpu = pick_pcpu(xen);
            if (cpu >= 0 && xen->pcpu[cpu].now < l->until)
                turn(xen, (unsigned int)cpu);
            else if (cpu >= 0)
                return RUN_UNTIL;
            else if (!idle(xen, l->until))
                return vclock_next(&xen->machine->clock) == STIME_MAX ? RUN_IDLE : RUN_UNTIL;
            break;
        case RUN_NATIVE: native_go_on(xen); break;
        case RUN_GUEST:
            if (xen->machine->at.insns >= l->at.insns && l->at.step == UINT64_MAX)
                return RUN_AT;
            if (guest_go_on(xen, l, first))
                return RUN_BREAK;
            first = false;
            break;
        case RUN_EXIT:
            e = r->exit;
            r->exit = (struct sim_exit){ 0 };
            exit_handle(xen, xen->machine, r->v, &e);
            break;
        }
    }
}

enum run_result xen_run(struct xen *xen, s_time_t until, const bool *stop)
{
    const struct run_limit l = { .until = until, .at = { .insns = UINT64_MAX }, .stop = stop };

    return xen_run_to(xen, &l);
}
