// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrapping a policy; workbench_guard.h says why.
 *
 * Concept: the guard is a policy itself. Each of its hooks notes its name, calls the real hook, and notes that it came back. Only
 * hooks that the real policy has are wrapped, so that what is optional stays optional.
 */
#include "tools/workbench_guard.h"

#include <errno.h>

#define GUARD(s) ((struct wb_guard *)(uintptr_t)(s)->ops)

static const struct sched_ops *enter(struct scheduler *s, const char *hook)
{
    struct wb_guard *g = GUARD(s);

    g->watch->hook = hook;
    g->watch->calls++;
    g->watch->now = NOW(s->xen);
    return g->real;
}

static void leave(struct scheduler *s) { GUARD(s)->watch->hook = NULL; }

/* Hooks that return nothing, and hooks that return a value. */
#define VOID_HOOK(hook, params, ...)                                                                                   \
    static void guard_##hook params                                                                                    \
    {                                                                                                                  \
        enter(s, #hook)->hook(s, ##__VA_ARGS__);                                                                       \
        leave(s);                                                                                                      \
    }
#define VALUE_HOOK(type, hook, params, ...)                                                                            \
    static type guard_##hook params                                                                                    \
    {                                                                                                                  \
        type result = enter(s, #hook)->hook(s, ##__VA_ARGS__);                                                         \
                                                                                                                       \
        leave(s);                                                                                                      \
        return result;                                                                                                 \
    }

VOID_HOOK(deinit, (struct scheduler * s))
VOID_HOOK(free_pdata, (struct scheduler * s, void *pdata, unsigned int cpu), pdata, cpu)
VOID_HOOK(free_domdata, (struct scheduler * s, void *dd), dd)
VOID_HOOK(free_vdata, (struct scheduler * s, void *vd), vd)
VOID_HOOK(insert, (struct scheduler * s, struct vcpu *v), v)
VOID_HOOK(remove, (struct scheduler * s, struct vcpu *v), v)
VOID_HOOK(sleep, (struct scheduler * s, struct vcpu *v), v)
VOID_HOOK(wake, (struct scheduler * s, struct vcpu *v), v)
VOID_HOOK(yield, (struct scheduler * s, struct vcpu *v), v)
VOID_HOOK(context_saved, (struct scheduler * s, struct vcpu *v), v)
VOID_HOOK(migrate, (struct scheduler * s, struct vcpu *v, unsigned int new_cpu), v, new_cpu)
VOID_HOOK(dump, (struct scheduler * s, char *buf, size_t len), buf, len)
VALUE_HOOK(int, init, (struct scheduler * s))
VALUE_HOOK(int, adjust, (struct scheduler * s, struct domain *d, struct xen_domctl_scheduler_op *op), d, op)
VALUE_HOOK(int, adjust_affinity, (struct scheduler * s, struct vcpu *v), v)
VALUE_HOOK(int, adjust_global, (struct scheduler * s, struct xen_sysctl_scheduler_op *op), op)
VALUE_HOOK(int, set, (struct scheduler * s, const char *param, long value), param, value)

static void *guard_alloc_pdata(struct scheduler *s, unsigned int cpu)
{
    void *p = enter(s, "alloc_pdata")->alloc_pdata(s, cpu);

    leave(s);
    return p;
}

static void *guard_alloc_domdata(struct scheduler *s, struct domain *d)
{
    void *p = enter(s, "alloc_domdata")->alloc_domdata(s, d);

    leave(s);
    return p;
}

static void *guard_alloc_vdata(struct scheduler *s, struct vcpu *v, void *dd)
{
    void *p = enter(s, "alloc_vdata")->alloc_vdata(s, v, dd);

    leave(s);
    return p;
}

static void fault(struct scheduler *s, const char *rule)
{
    if (!s->fault)
        s->fault = rule;
}

/* The answer is used as an index: one that is none would hurt us. */
static unsigned int guard_pick_cpu(struct scheduler *s, struct vcpu *v)
{
    const unsigned int cpu = enter(s, "pick_cpu")->pick_cpu(s, v);

    leave(s);
    if (cpu < s->xen->nr_pcpus)
        return cpu;
    fault(s, "pick_cpu returned a pCPU that does not exist");
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

static struct task_slice guard_do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct wb *wb = (struct wb *)((char *)s->xen - offsetof(struct wb, xen));
    struct task_slice ts = enter(s, "do_schedule")->do_schedule(s, cpu, prev, now);

    leave(s);
    if (ts.task && !is_vcpu(wb, ts.task)) {
        fault(s, "do_schedule returned a pointer that is no vCPU");
        ts.task = NULL;
    }
    return ts;
}

const char *wb_guard_init(struct wb_guard *g, const struct sched_ops *real, struct wb_watch *watch)
{
    if (!real->do_schedule)
        return "xenlab_sched_ops has no do_schedule";
    if (!real->name || !real->opt_name)
        return "xenlab_sched_ops has no name or no opt_name";
    g->real = real;
    g->watch = watch;
    g->ops = (struct sched_ops){ .name = real->name, .opt_name = real->opt_name, .sched_id = real->sched_id };
#define WRAP(hook) g->ops.hook = real->hook ? guard_##hook : NULL
    WRAP(init);
    WRAP(deinit);
    WRAP(alloc_pdata);
    WRAP(free_pdata);
    WRAP(alloc_domdata);
    WRAP(free_domdata);
    WRAP(alloc_vdata);
    WRAP(free_vdata);
    WRAP(insert);
    WRAP(remove);
    WRAP(sleep);
    WRAP(wake);
    WRAP(yield);
    WRAP(context_saved);
    WRAP(pick_cpu);
    WRAP(migrate);
    WRAP(do_schedule);
    WRAP(adjust);
    WRAP(adjust_affinity);
    WRAP(adjust_global);
    WRAP(set);
    WRAP(dump);
#undef WRAP
    return NULL;
}
