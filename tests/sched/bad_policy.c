// SPDX-License-Identifier: GPL-2.0-or-later
/* Policies that go wrong, one for each value of BAD: what test_workbench.c expects the workbench to name. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vcpu/sched/sched.h"

struct list {
    struct timer timer;
    struct vcpu *v[64];
    unsigned int nr, next;
};

static int init(struct scheduler *s)
{
#if BAD == 7
    exit(0);
#elif BAD == 15
    _exit(99);
#endif
    return (s->sched_data = calloc(1, sizeof(struct list))) ? 0 : -1;
}

static void insert(struct scheduler *s, struct vcpu *v)
{
    struct list *l = s->sched_data;

    l->v[l->nr++ % 64] = v;
}

static int overflow(volatile char *p)
{
    volatile char here[4096];

    here[0] = *p;
    return overflow(here) + here[0];
}

static void wake(struct scheduler *s, struct vcpu *v)
{
    for (unsigned int cpu = 0; cpu < s->xen->nr_pcpus; cpu++)
        sched_kick_cpu(s->xen, cpu);
#if BAD == 33 /* no mistake: how one looks what happens */
    printf("woken: d%dv%u\n", v->domain->domain_id, v->vcpu_id);
    if (write(STDOUT_FILENO, "{\n", 2) != 2)
        exit(1);
#elif BAD == 34
    printf("last words\n");
    *(volatile int *)8 = 1;
#elif BAD == 6
    *(volatile int *)8 = 1;
#elif BAD == 12
    free(v);
    free(v);
#elif BAD == 14
    char c = 0;

    overflow(&c);
#elif BAD == 16
    memset(v, 0, sizeof(*v));
#elif BAD == 17
    for (int fd = 0; fd < 100; fd++)
        close(fd);
#elif BAD == 18
    s->xen->machine->clock.now += 1000;
#elif BAD == 29
    s->xen->pcpu[0].curr = v;
#elif BAD == 30
    v->runstate.time[RUNSTATE_running] = UINT64_C(1) << 60;
#elif BAD == 31
    v->processor = 9999;
#elif BAD == 32
    s->cpus = 0;
#endif
    (void)overflow;
}

static void over_and_over(void *data)
{
    struct scheduler *s = data;

#if BAD == 19
    for (volatile int i = 0;; i = 0)
        ;
#else
    timer_set(&s->xen->machine->clock, &((struct list *)s->sched_data)->timer, s->xen->machine->clock.now);
#endif
}

static void *alloc_udata(struct scheduler *s, struct vcpu *v, void *dd) { return BAD == 23 ? NULL : s; }

static unsigned int pick_resource(struct scheduler *s, struct vcpu *v)
{
    return BAD == 11 ? 999 : BAD == 21 ? 1 : (unsigned int)__builtin_ctzll(vcpu_cpumask(v));
}

static struct task_slice do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct list *l = s->sched_data;

#if BAD == 1
    return (struct task_slice){ cpu ? NULL : l->v[0], MILLISECS(1) }; /* whether it is blocked or not */
#elif BAD == 4
    return (struct task_slice){ (struct vcpu *)((char *)l->v[0] + 8), MILLISECS(1) };
#elif BAD == 5
    for (volatile int i = 0;; i = 0)
        ;
#elif BAD == 19 || BAD == 20
    if (!l->timer.fn) {
        timer_init(&l->timer, over_and_over, s);
        timer_set(&s->xen->machine->clock, &l->timer, now + 1);
    }
#elif BAD == 22
    l->v[1]->hard_affinity = 2; /* not its own to change */
#elif BAD == 8
    return (struct task_slice){ vcpu_runnable(l->v[0]) ? l->v[0] : NULL, 0 };
#endif
    for (unsigned int i = 0; i < l->nr; i++) {
        struct vcpu *v = l->v[i];

        if (!vcpu_runnable(v))
            continue;
        if (BAD != 2 && v->is_running && v != prev)
            continue;
        if (BAD != 3 && !(vcpu_cpumask(v) >> cpu & 1))
            continue;
        if (BAD == 9)
            return (struct task_slice){ NULL, 0 };
        return (struct task_slice){ v, BAD == 24 ? INT64_MAX : BAD == 25 ? INT64_MIN : BAD == 28 ? 10 : MILLISECS(1) };
    }
    return (struct task_slice){ NULL, -1 };
}

#if BAD == 13
static void __attribute__((constructor)) never(void)
{
    for (volatile int i = 0;; i = 0)
        ;
}
#endif

#if BAD == 26 /* as if from another version of sched.h */
extern const struct {
    const char *name, *opt_name;
} xenlab_sched_ops;
const __typeof__(xenlab_sched_ops) xenlab_sched_ops = { "a", "b" };
#elif BAD == 27
void xenlab_sched_ops(void) {}
#else
#if BAD == 36 /* no mistake: it admits what fits into half of a pCPU */
static int adjust(struct scheduler *s, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    if (op->cmd == XEN_DOMCTL_SCHEDOP_putinfo)
        return 0;
    if (op->cmd != XEN_DOMCTL_SCHEDOP_putvcpuinfo)
        return -95;
    printf("vCPU %u: %u of %u us, flags %u\n", op->u.v.vcpus.p->vcpuid, op->u.v.vcpus.p->u.rtds.budget,
           op->u.v.vcpus.p->u.rtds.period, op->u.v.vcpus.p->u.rtds.flags);
    return 2 * op->u.v.vcpus.p->u.rtds.budget > op->u.v.vcpus.p->u.rtds.period ? -28 : 0;
}
#endif

extern const struct sched_ops xenlab_sched_ops;
const struct sched_ops xenlab_sched_ops = {
#if BAD == 35 /* what would steer a terminal */
    .name = "\033[31mRound\nRobin c\u1ee7a\a",
    .opt_name = "r\033r",
#else
    .name = "Bad <&> \xff Scheduler",
    .opt_name = "bad",
#endif
    .init = init,
    .insert_unit = insert,
    .wake = wake,
    .pick_resource = pick_resource,
    .alloc_udata = alloc_udata,
#if BAD == 36
    .adjust = adjust,
#endif
    .do_schedule = BAD == 10 ? NULL : do_schedule,
};
#endif
