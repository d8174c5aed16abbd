// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * docs/examples/sched/lottery.c, which goes wrong at its 41st decision, when guests have run for a while: one for each
 * value of LATE. It comes before, with a table called lottery_ops (cc -Dxenlab_sched_ops=lottery_ops -include).
 */
#undef xenlab_sched_ops

#include <errno.h>
#include <stdlib.h>

#define DECISIONS 40

struct sched_ops xenlab_sched_ops;

static struct task_slice decide(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    static unsigned int calls;
    struct task_slice slice = lottery_ops.do_schedule(s, cpu, prev, now);

    if (++calls <= DECISIONS)
        return slice;
#if LATE == 1
    *(volatile int *)8 = 1;
#elif LATE == 2
    slice.time = 0;
#elif LATE == 3
    exit(0);
#endif
    return slice;
}

static int refuse(struct scheduler *s, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    return LATE == 4 ? -EPERM : lottery_ops.adjust(s, d, op);
}

static void __attribute__((constructor)) begin(void)
{
    xenlab_sched_ops = lottery_ops;
    xenlab_sched_ops.do_schedule = decide;
    xenlab_sched_ops.adjust = refuse;
}
