// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrapping a policy; guard.h says why.
 *
 * Concept: the guard is a policy itself. Each of its hooks notes its name, calls the real hook, and notes that it came
 * back. Only hooks that the real policy has are wrapped, so that what is optional stays optional. A hook that is given
 * a vCPU may change its sched_priv and processor; the rest belongs to the core and is compared afterwards.
 */
#include "tools/workbench/guard.h"

#include "tools/printable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_DECISIONS_IN_MS 50000

#define GUARD(s) ((struct wb_guard *)(uintptr_t)(s)->ops)

const char *wb_where_name(unsigned int where)
{
    static const char *const names[WB_NR_WHERE] = { [WB_NOWHERE] = "nothing of it",
                                                    [WB_CONSTRUCTORS] = "its constructors",
                                                    [WB_NAMES] = "its name or opt_name",
                                                    [WB_TIMER] = "a timer function",
#define X(hook) [WB_IN_##hook] = #hook,
                                                    WB_HOOKS(X)
#undef X
    };

    return where < WB_NR_WHERE ? names[where] : "an unknown place";
}

static struct wb *wb_of(const struct scheduler *s) { return (struct wb *)((char *)s->xen - offsetof(struct wb, xen)); }

/*
 * Hooks can lie inside each other (a policy's timer function that wakes somebody): `outer` is what goes on afterwards.
 */
static struct wb_call enter(struct scheduler *s, enum wb_where where, struct wb_who who)
{
    struct wb_watch *w = GUARD(s)->watch;
    const struct wb_call outer = { w->where, w->who };

    w->where = where;
    w->who = who;
    w->calls++;
    w->now = NOW(s->xen);
    return outer;
}

static struct wb_who nobody(void) { return wb_who(NULL, NULL, -1); }
static struct wb_who on_cpu(unsigned int cpu) { return wb_who(NULL, NULL, (int)cpu); }
static struct wb_who of_domain(const struct domain *d) { return wb_who(d, NULL, -1); }
static struct wb_who of_vcpu(const struct vcpu *v) { return wb_who(NULL, v, (int)v->processor); }

static void fault(struct scheduler *s, enum wb_where where, const char *rule, const struct vcpu *v, int cpu)
{
    if (s->fault)
        return;
    snprintf(s->fault_text, sizeof(s->fault_text), "%s %s", wb_where_name(where), rule);
    s->fault = s->fault_text;
    s->fault_vcpu = v;
    s->fault_cpu = cpu;
    GUARD(s)->watch->fault_call = GUARD(s)->watch->calls;
}

static void leave(struct scheduler *s, const struct wb_call *outer)
{
    struct wb_watch *w = GUARD(s)->watch;

    if (NOW(s->xen) != w->now) {
        const struct wb *wb = wb_of(s);
        const bool known = w->who.vcpu >= 0 && wb->nr_sorted; /* domains are listed once they are complete */

        fault(s, (enum wb_where)w->where, "changed the clock",
              known ? wb->by_id[w->who.domid]->d.vcpu[w->who.vcpu] : NULL, w->who.cpu);
        s->xen->machine->clock.now = w->now;
    }
    w->where = outer->where;
    w->who = outer->who;
}

/* --- what a vCPU is for the core --- */

struct vcpu_state {
    unsigned int vcpu_id, pause_flags;
    int pause_count;
    bool is_initialised, is_running, sched_awake;
    int state;
    uint64_t state_since, time[4];
    uint64_t hard, soft;
    const struct domain *domain;
};

/* And what a pCPU is. */
struct pcpu_state {
    struct vcpu *curr;
    s_time_t slice_end;
    struct scheduler *sched;
};

/* The vCPU that a hook is given, and where they are few all others too; all pCPUs. */
#define MAX_SNAPSHOT 32
struct snapshot {
    enum wb_where where;
    unsigned int cpu; /* on which the hook was called, or its vCPU's */
    struct pcpu_state pcpu[MACHINE_MAX_PCPUS];
    uint64_t cpus;
    struct vcpu *v[MAX_SNAPSHOT + 1];
    struct vcpu_state state[MAX_SNAPSHOT + 1];
    unsigned int nr;
};

static struct vcpu_state state_of(const struct vcpu *v)
{
    struct vcpu_state s;

    memset(&s, 0, sizeof(s)); /* padding as well: it is compared */
    s.vcpu_id = v->vcpu_id;
    s.pause_flags = v->pause_flags;
    s.pause_count = v->pause_count;
    s.is_initialised = v->is_initialised;
    s.is_running = v->is_running;
    s.sched_awake = v->sched_awake;
    s.state = v->runstate.state;
    s.state_since = v->runstate.state_entry_time;
    memcpy(s.time, v->runstate.time, sizeof(s.time));
    s.hard = v->hard_affinity;
    s.soft = v->soft_affinity;
    s.domain = v->domain;
    return s;
}

static void snapshot_take(struct snapshot *sn, const struct scheduler *s, enum wb_where where, struct vcpu *v,
                          unsigned int cpu)
{
    const struct wb *wb = wb_of(s);

    sn->where = where;
    sn->cpu = cpu;
    sn->nr = 0;
    if (v)
        sn->v[sn->nr++] = v;
    for (unsigned int i = 0; wb->nr_sorted <= MAX_SNAPSHOT && i < wb->nr_sorted; i++)
        sn->v[sn->nr++] = (struct vcpu *)(uintptr_t)wb->sorted[i];
    for (unsigned int i = 0; i < sn->nr; i++)
        sn->state[i] = state_of(sn->v[i]);
    sn->cpus = s->cpus;
    for (unsigned int i = 0; i < s->xen->nr_pcpus; i++) {
        const struct xen_pcpu *p = &s->xen->pcpu[i];

        sn->pcpu[i] = (struct pcpu_state){ p->curr, p->slice_end, p->sched };
    }
}

static void pcpus_check(const struct snapshot *sn, struct scheduler *s)
{
    int changed = s->cpus != sn->cpus ? (int)sn->cpu : -1;

    for (unsigned int i = 0; i < s->xen->nr_pcpus; i++) {
        const struct pcpu_state *before = &sn->pcpu[i];
        struct xen_pcpu *p = &s->xen->pcpu[i];

        if (p->curr != before->curr || p->slice_end != before->slice_end || p->sched != before->sched)
            changed = (int)i;
        p->curr = before->curr;
        p->slice_end = before->slice_end;
        p->sched = before->sched;
    }
    s->cpus = sn->cpus;
    if (changed >= 0)
        fault(s, sn->where, "wrote to a pCPU, or to the mask of those in its pool: they are the core's",
              sn->nr ? sn->v[0] : NULL, changed);
}

/* Was one changed? Say so, and put back what the report needs. */
static void snapshot_check(const struct snapshot *sn, struct scheduler *s)
{
    pcpus_check(sn, s);
    for (unsigned int i = 0; i < sn->nr; i++) {
        const struct vcpu_state after = state_of(sn->v[i]), *before = &sn->state[i];
        struct vcpu *v = sn->v[i];

        if (v->processor >= s->xen->nr_pcpus) {
            v->processor = 0;
            fault(s, sn->where, "gave a vCPU a processor that does not exist", v, (int)sn->cpu);
        }
        if (!memcmp(&after, before, sizeof(after)))
            continue;
        fault(s, sn->where, "wrote to a struct vcpu: only sched_priv and processor are the policy's", v, (int)sn->cpu);
        v->domain = (struct domain *)(uintptr_t)before->domain;
        v->vcpu_id = before->vcpu_id;
        v->is_running = before->is_running;
        v->pause_flags = before->pause_flags;
        v->hard_affinity = before->hard;
        v->runstate.state = before->state;
        v->runstate.state_entry_time = before->state_since;
        memcpy(v->runstate.time, before->time, sizeof(before->time));
    }
}

/* --- hooks --- */

/* `who`: what the call is about. */
#define VOID_HOOK(hook, who, params, ...)                                                                              \
    static void guard_##hook params                                                                                    \
    {                                                                                                                  \
        const struct wb_call outer = enter(s, WB_IN_##hook, who);                                                      \
                                                                                                                       \
        GUARD(s)->real->hook(s, ##__VA_ARGS__);                                                                        \
        leave(s, &outer);                                                                                              \
    }
#define VCPU_HOOK(hook, params, ...)                                                                                   \
    static void guard_##hook params                                                                                    \
    {                                                                                                                  \
        const struct wb_call outer = enter(s, WB_IN_##hook, of_vcpu(v));                                               \
        struct snapshot sn;                                                                                            \
                                                                                                                       \
        snapshot_take(&sn, s, WB_IN_##hook, v, v->processor);                                                          \
        GUARD(s)->real->hook(s, v, ##__VA_ARGS__);                                                                     \
        snapshot_check(&sn, s);                                                                                        \
        leave(s, &outer);                                                                                              \
    }
#define INT_HOOK(hook, who, params, ...)                                                                               \
    static int guard_##hook params                                                                                     \
    {                                                                                                                  \
        const struct wb_call outer = enter(s, WB_IN_##hook, who);                                                      \
        const int result = GUARD(s)->real->hook(s, ##__VA_ARGS__);                                                     \
                                                                                                                       \
        leave(s, &outer);                                                                                              \
        return result;                                                                                                 \
    }
/* NULL means that there is no memory. */
#define ALLOC_HOOK(hook, who, of, cpu_of, params, ...)                                                                 \
    static void *guard_##hook params                                                                                   \
    {                                                                                                                  \
        const struct wb_call outer = enter(s, WB_IN_##hook, who);                                                      \
        void *result = GUARD(s)->real->hook(s, ##__VA_ARGS__);                                                         \
                                                                                                                       \
        leave(s, &outer);                                                                                              \
        if (!result)                                                                                                   \
            fault(s, WB_IN_##hook, "returned NULL: out of memory", of, (int)(cpu_of));                                 \
        return result;                                                                                                 \
    }

VOID_HOOK(deinit, nobody(), (struct scheduler * s))
VOID_HOOK(free_pdata, on_cpu(cpu), (struct scheduler * s, void *pdata, unsigned int cpu), pdata, cpu)
VOID_HOOK(free_domdata, nobody(), (struct scheduler * s, void *dd), dd)
VOID_HOOK(free_udata, nobody(), (struct scheduler * s, void *vd), vd)
VOID_HOOK(dump_settings, nobody(), (struct scheduler * s, char *buf, size_t len), buf, len)
VCPU_HOOK(insert_unit, (struct scheduler * s, struct vcpu *v))
VCPU_HOOK(remove_unit, (struct scheduler * s, struct vcpu *v))
VCPU_HOOK(sleep, (struct scheduler * s, struct vcpu *v))
VCPU_HOOK(wake, (struct scheduler * s, struct vcpu *v))
VCPU_HOOK(yield, (struct scheduler * s, struct vcpu *v))
VCPU_HOOK(context_saved, (struct scheduler * s, struct vcpu *v))
VCPU_HOOK(adjust_affinity, (struct scheduler * s, struct vcpu *v, const uint64_t *hard, const uint64_t *soft), hard,
          soft)
VCPU_HOOK(migrate, (struct scheduler * s, struct vcpu *v, unsigned int new_cpu), new_cpu)
INT_HOOK(init, nobody(), (struct scheduler * s))
INT_HOOK(adjust, of_domain(d), (struct scheduler * s, struct domain *d, struct xen_domctl_scheduler_op *op), d, op)
INT_HOOK(adjust_global, nobody(), (struct scheduler * s, struct xen_sysctl_scheduler_op *op), op)
INT_HOOK(set, nobody(), (struct scheduler * s, const char *param, long value), param, value)
ALLOC_HOOK(alloc_pdata, on_cpu(cpu), NULL, cpu, (struct scheduler * s, unsigned int cpu), cpu)
ALLOC_HOOK(alloc_domdata, of_domain(d), NULL, -1, (struct scheduler * s, struct domain *d), d)
ALLOC_HOOK(alloc_udata, of_vcpu(v), v, v->processor, (struct scheduler * s, struct vcpu *v, void *dd), v, dd)

/* The answer is used as an index: one that is none would hurt us. */
static unsigned int guard_pick_resource(struct scheduler *s, struct vcpu *v)
{
    const struct wb_call outer = enter(s, WB_IN_pick_resource, of_vcpu(v));
    struct snapshot sn;
    unsigned int cpu;

    snapshot_take(&sn, s, WB_IN_pick_resource, v, v->processor);
    cpu = GUARD(s)->real->pick_resource(s, v);
    snapshot_check(&sn, s);
    leave(s, &outer);
    if (cpu >= s->xen->nr_pcpus)
        fault(s, WB_IN_pick_resource, "returned a pCPU that does not exist", v, (int)cpu);
    else if (vcpu_cpumask(v) && !(vcpu_cpumask(v) >> cpu & 1))
        fault(s, WB_IN_pick_resource, "returned a pCPU that the vCPU's hard affinity does not hold", v, (int)cpu);
    else
        return cpu;
    return sched_pick_default(v);
}

/* Is this the address of one of our vCPUs? Looking inside it would be too late. */
static bool is_vcpu(struct wb *wb, const struct vcpu *v)
{
    size_t lo = 0, hi = wb->nr_sorted;

    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;

        if (wb->sorted[mid] == v)
            return true;
        if (wb->sorted[mid] < v)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

/* Slices of nanoseconds make a run last for hours; usually milliseconds were meant. */
static void count_decision(struct scheduler *s, unsigned int cpu, const struct vcpu *prev)
{
    struct wb_guard *g = GUARD(s);
    const s_time_t now = NOW(s->xen);

    if (now == g->last_decision)
        return;
    if (now / MILLISECS(1) != g->last_decision / MILLISECS(1))
        g->decisions = 0;
    g->last_decision = now;
    if (++g->decisions > MAX_DECISIONS_IN_MS)
        fault(s, WB_IN_do_schedule, "was asked 50000 times in a millisecond: are its slices, in ns, too short?", prev,
              (int)cpu);
}

static struct task_slice guard_do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    const struct wb_call outer = enter(s, WB_IN_do_schedule, wb_who(NULL, prev, (int)cpu));
    struct task_slice ts;
    struct snapshot sn;

    count_decision(s, cpu, prev);
    snapshot_take(&sn, s, WB_IN_do_schedule, prev, cpu);
    ts = GUARD(s)->real->do_schedule(s, cpu, prev, now);
    snapshot_check(&sn, s);
    leave(s, &outer);
    if (ts.task && !is_vcpu(wb_of(s), ts.task)) {
        fault(s, WB_IN_do_schedule, "returned a pointer that is no vCPU", prev, (int)cpu);
        ts.task = NULL;
    }
    return ts;
}

/* The clock's timers fire, among them those that the policy has set. */
static void guard_timers(struct wb *wb)
{
    const struct wb_call outer = enter(wb->xen.sched, WB_TIMER, nobody());

    vclock_run(&wb->machine.clock);
    leave(wb->xen.sched, &outer);
    GUARD(wb->xen.sched)->watch->beats++;
}

void wb_guard_timers(struct wb *wb) { wb->run_timers = guard_timers; }

const char *wb_guard_init(struct wb_guard *g, const struct sched_ops *real, struct wb_watch *watch)
{
    if (!real->do_schedule)
        return "xenlab_sched_ops has no do_schedule";
    if (!real->name || !real->opt_name)
        return "xenlab_sched_ops has no name or no opt_name";
    g->last_decision = 0;
    g->decisions = 0;
    g->real = real;
    g->watch = watch;
    watch->where = WB_NAMES;
    watch->who = nobody();
    snprintf(g->name, sizeof(g->name), "%s", real->name);
    snprintf(g->opt_name, sizeof(g->opt_name), "%s", real->opt_name);
    make_printable(g->name, strlen(g->name), false); /* the report shows them */
    make_printable(g->opt_name, strlen(g->opt_name), false);
    watch->where = WB_NOWHERE;
    g->ops = (struct sched_ops){ .name = g->name, .opt_name = g->opt_name, .sched_id = real->sched_id };
#define X(hook) g->ops.hook = real->hook ? guard_##hook : NULL;
    WB_HOOKS(X)
#undef X
    return NULL;
}
