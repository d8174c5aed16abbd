// SPDX-License-Identifier: GPL-2.0-or-later
/* Policies that go wrong, one for each value of BAD: what test_workbench.c expects the workbench to name. */
#include <stdlib.h>

#include "vcpu/sched/sched.h"

struct list {
    struct vcpu *v[64];
    unsigned int nr, next;
};

static int init(struct scheduler *s)
{
#if BAD == 7
    exit(0);
#endif
    return (s->priv = calloc(1, sizeof(struct list))) ? 0 : -1;
}

static void insert(struct scheduler *s, struct vcpu *v)
{
    struct list *l = s->priv;

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
#if BAD == 6
    *(volatile int *)8 = 1;
#elif BAD == 12
    free(v);
    free(v);
#elif BAD == 14
    char c = 0;

    overflow(&c);
#endif
    (void)overflow;
}

static unsigned int pick_cpu(struct scheduler *s, struct vcpu *v) { return BAD == 11 ? 999 : 0; }

static struct task_slice do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct list *l = s->priv;

#if BAD == 1
    return (struct task_slice){ cpu ? NULL : l->v[0], MILLISECS(1) }; /* whether it is blocked or not */
#elif BAD == 4
    return (struct task_slice){ (struct vcpu *)((char *)l->v[0] + 8), MILLISECS(1) };
#elif BAD == 5
    for (volatile int i = 0;; i = 0)
        ;
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
        return (struct task_slice){ v, MILLISECS(1) };
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

extern const struct sched_ops xenlab_sched_ops;
const struct sched_ops xenlab_sched_ops = {
    .name = "Bad <&> Scheduler",
    .opt_name = "bad",
    .init = init,
    .insert = insert,
    .wake = wake,
    .pick_cpu = pick_cpu,
    .do_schedule = BAD == 10 ? NULL : do_schedule,
};
