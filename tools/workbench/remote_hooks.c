// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hooks of a policy that lives elsewhere; remote.h says why.
 *
 * Concept: a hook notes what goes on, asks, carries out what the answer says, and holds against the contract what can
 * be seen here alone; the rest of the contract is the core's. Only hooks that the real policy has are filled in, so
 * that what is optional stays optional. What alloc_* returned stays there: here a number stands for it.
 */
#include "tools/workbench/remote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_DECISIONS_IN_MS   50000
#define MAX_DECISIONS_AT_ONCE 100000 /* in the machine: the workbench counts itself */
#define MAX_MIGRATIONS        100000 /* vcpu_migrate() in one hook */
#define MAX_DEPTH             32     /* vcpu_migrate() in a hook in vcpu_migrate() in a hook... */

#define REMOTE(s) ((struct wb_remote *)(uintptr_t)(s)->ops)

#define nobody()     REMOTE(s)->world->who(NULL, NULL, -1)
#define on_cpu(cpu)  REMOTE(s)->world->who(NULL, NULL, (int)(cpu))
#define of_domain(d) REMOTE(s)->world->who(d, NULL, -1)
#define of_vcpu(v)   REMOTE(s)->world->who(NULL, v, (int)(v)->processor)

/* What stands for the policy's data of number n. */
static void *token(uint32_t n) { return (void *)((uintptr_t)n + 1); }
static uint32_t token_number(const void *t) { return t ? (uint32_t)((uintptr_t)t - 1) : WIRE_NOBODY; }

/* --- a question and its answer --- */

/* Somebody calls vcpu_migrate() in the hook: the core does it, and asks hooks. */
static void migrate(struct wb_remote *r, struct scheduler *s, const struct wire_answer *a)
{
    struct vcpu *v = wb_remote_vcpu(r, a->task);

    if (!v)
        wb_remote_gone(r, "called vcpu_migrate() with a pointer that is no vCPU");
    else if (r->depth > MAX_DEPTH)
        wb_remote_gone(r, "called vcpu_migrate() in a hook that it calls, again and again");
    else if (++r->migrations > MAX_MIGRATIONS)
        wb_remote_gone(r, "called vcpu_migrate() %d times", MAX_MIGRATIONS);
    else
        vcpu_migrate(v);
}

static bool put(struct wb_remote *r, struct scheduler *s, struct wire_answer *a)
{
    const struct wire_question q = r->question;
    const size_t len = q.kind == WIRE_CALL && q.hook == WIRE_dump_settings ? sizeof(*a) : WIRE_ANSWER_SIZE;

    if (!r->depth)
        r->migrations = 0;
    r->depth++;
    wb_remote_send(r);
    while (!r->gone) {
        struct wb_expected e = { .kinds = UINT32_C(1) << WIRE_ANSWER | UINT32_C(1) << WIRE_MIGRATE,
                                 .len = len,
                                 .call = q.call,
                                 .clock_seq = r->question.clock_seq,
                                 .now = NOW(s->xen),
                                 .nr_vcpus = r->nr_vcpus,
                                 .nr_pcpus = s->xen->nr_pcpus };

        if (!wb_remote_receive(r, a, &e))
            break;
        wb_remote_apply(r, s, a);
        if (a->kind == WIRE_ANSWER)
            break;
        migrate(r, s, a);
        r->question.kind = WIRE_DONE;
        r->question.call = q.call;
        r->question.vcpu = q.vcpu;
        r->question.nr_bytes = 0;
        wb_remote_tell(r, s, NULL, NULL);
        wb_remote_send(r);
    }
    r->depth--;
    if (r->gone && !s->fault)
        s->fault = "the policy's process has ended"; /* so that the simulation does */
    return !r->gone;
}

/* A question about v (or d, or neither); hooks can lie inside each other, so what goes on is put back. */
static bool ask(struct scheduler *s, enum wb_where where, struct wb_who who, const struct vcpu *v,
                const struct domain *d, struct wire_answer *a)
{
    struct wb_remote *r = REMOTE(s);
    const enum wb_where outer = r->where;
    const struct wb_who outer_who = r->who;
    const struct domain *outer_domain = r->domain_asked;
    bool answered;

    *a = (struct wire_answer){ .task = WIRE_NOBODY };
    if (r->gone || r->gone_quiet)
        return false;
    if (s->fault && r->stop) { /* the machine's run ends; its policy's data may be in any state */
        *r->stop = r->gone_quiet = true;
        return false;
    }
    r->sched = s;
    r->where = where;
    r->who = who;
    r->calls++;
    r->question.kind = where == WB_TIMER ? WIRE_FIRE : WIRE_CALL;
    r->question.hook = where >= WB_IN_init ? where - WB_IN_init : 0;
    r->question.call = r->calls;
    wb_remote_tell(r, s, v, d);
    if (r->gone && !s->fault)
        s->fault = "the policy's process has ended";
    answered = put(r, s, a);
    r->where = outer;
    r->who = outer_who;
    r->domain_asked = outer_domain;
    return answered;
}

/* The arguments of the question to come. */
static struct wire_question *question(struct scheduler *s, const struct vcpu *v, const struct domain *d,
                                      unsigned int cpu)
{
    struct wire_question *q = &REMOTE(s)->question;

    q->vcpu = v ? REMOTE(s)->world->number(REMOTE(s), v) : WIRE_NOBODY;
    q->domain = d ? d->domain_id : WIRE_NOBODY;
    q->cpu = cpu;
    q->has_hard = q->has_soft = false;
    q->nr_bytes = 0;
    return q;
}

static void bytes(struct scheduler *s, const void *data, size_t len)
{
    struct wb_remote *r = REMOTE(s);

    BUG_ON(r->question.nr_bytes + len > sizeof(r->bytes));
    memcpy(r->bytes + r->question.nr_bytes, data, len);
    r->question.nr_bytes += (uint32_t)len;
}

/* As ask(), for hooks after which there is more to say: of the call that has just been made. */
static void fault(struct scheduler *s, enum wb_where where, const char *rule, const struct vcpu *v, int cpu)
{
    struct wb_remote *r = REMOTE(s);
    const enum wb_where outer = r->where;

    r->where = where;
    wb_remote_fault(r, s, rule, v, cpu);
    r->where = outer;
}

/* --- hooks --- */

#define VCPU_HOOK(hook)                                                                                                \
    static void remote_##hook(struct scheduler *s, struct vcpu *v)                                                     \
    {                                                                                                                  \
        struct wire_answer a;                                                                                          \
                                                                                                                       \
        question(s, v, NULL, WIRE_NOBODY);                                                                             \
        ask(s, WB_IN_##hook, of_vcpu(v), v, NULL, &a);                                                                 \
    }

VCPU_HOOK(insert_unit)
VCPU_HOOK(remove_unit)
VCPU_HOOK(sleep)
VCPU_HOOK(wake)
VCPU_HOOK(yield)
VCPU_HOOK(context_saved)

static int remote_init(struct scheduler *s)
{
    struct wire_answer a;

    question(s, NULL, NULL, WIRE_NOBODY);
    return ask(s, WB_IN_init, nobody(), NULL, NULL, &a) ? (int)a.result : 0;
}

static void remote_deinit(struct scheduler *s)
{
    struct wire_answer a;

    question(s, NULL, NULL, WIRE_NOBODY);
    ask(s, WB_IN_deinit, nobody(), NULL, NULL, &a);
}

/* NULL means that there is no memory. */
static void *allocated(struct scheduler *s, enum wb_where where, const struct vcpu *v, int cpu, bool answered,
                       const struct wire_answer *a, uint32_t number)
{
    if (!answered || a->result)
        return token(number);
    fault(s, where, "returned NULL: out of memory", v, cpu);
    return NULL;
}

static void *remote_alloc_pdata(struct scheduler *s, unsigned int cpu)
{
    struct wire_answer a;
    bool answered;

    question(s, NULL, NULL, cpu);
    answered = ask(s, WB_IN_alloc_pdata, on_cpu(cpu), NULL, NULL, &a);
    return allocated(s, WB_IN_alloc_pdata, NULL, (int)cpu, answered, &a, cpu);
}

static void *remote_alloc_domdata(struct scheduler *s, struct domain *d)
{
    struct wire_answer a;
    bool answered;

    question(s, NULL, d, WIRE_NOBODY);
    answered = ask(s, WB_IN_alloc_domdata, of_domain(d), NULL, d, &a);
    return allocated(s, WB_IN_alloc_domdata, NULL, -1, answered, &a, d->domain_id);
}

static void *remote_alloc_udata(struct scheduler *s, struct vcpu *v, void *dd)
{
    struct wire_answer a;
    bool answered;

    question(s, v, NULL, WIRE_NOBODY);
    answered = ask(s, WB_IN_alloc_udata, of_vcpu(v), v, NULL, &a);
    return allocated(s, WB_IN_alloc_udata, v, (int)v->processor, answered, &a, REMOTE(s)->world->number(REMOTE(s), v));
}

static void remote_free_pdata(struct scheduler *s, void *pdata, unsigned int cpu)
{
    struct wire_answer a;

    question(s, NULL, NULL, cpu);
    ask(s, WB_IN_free_pdata, on_cpu(cpu), NULL, NULL, &a);
}

static void remote_free_domdata(struct scheduler *s, void *dd)
{
    struct wire_answer a;

    question(s, NULL, NULL, WIRE_NOBODY)->domain = token_number(dd);
    ask(s, WB_IN_free_domdata, nobody(), NULL, NULL, &a);
}

static void remote_free_udata(struct scheduler *s, void *vd)
{
    struct wire_answer a;

    question(s, NULL, NULL, WIRE_NOBODY)->vcpu = token_number(vd);
    ask(s, WB_IN_free_udata, nobody(), NULL, NULL, &a);
}

static void remote_migrate(struct scheduler *s, struct vcpu *v, unsigned int new_cpu)
{
    struct wire_answer a;

    question(s, v, NULL, new_cpu);
    ask(s, WB_IN_migrate, of_vcpu(v), v, NULL, &a);
}

static void remote_adjust_affinity(struct scheduler *s, struct vcpu *v, const uint64_t *hard, const uint64_t *soft)
{
    struct wire_question *q = question(s, v, NULL, WIRE_NOBODY);
    struct wire_answer a;

    q->has_hard = hard != NULL;
    q->has_soft = soft != NULL;
    q->hard = hard ? *hard : 0;
    q->soft = soft ? *soft : 0;
    ask(s, WB_IN_adjust_affinity, of_vcpu(v), v, NULL, &a);
}

/* The answer is used as an index: one that is none would hurt us. */
static unsigned int remote_pick_resource(struct scheduler *s, struct vcpu *v)
{
    struct wire_answer a;
    bool answered;

    question(s, v, NULL, WIRE_NOBODY);
    answered = ask(s, WB_IN_pick_resource, of_vcpu(v), v, NULL, &a);
    if (!answered)
        return sched_pick_default(v);
    if (a.result < 0 || a.result >= s->xen->nr_pcpus)
        fault(s, WB_IN_pick_resource, "returned a pCPU that does not exist", v, (int)a.result);
    else if (vcpu_cpumask(v) && !(vcpu_cpumask(v) >> a.result & 1))
        fault(s, WB_IN_pick_resource, "returned a pCPU that the vCPU's hard affinity does not hold", v, (int)a.result);
    else
        return (unsigned int)a.result;
    return sched_pick_default(v);
}

/* Slices of nanoseconds make a run last for hours; usually milliseconds were meant. */
static void count_decision(struct scheduler *s, unsigned int cpu, const struct vcpu *prev)
{
    struct wb_remote *r = REMOTE(s);
    const s_time_t now = NOW(s->xen);

    if (now / SECONDS(1) != r->second)
        r->decisions_now = 0;
    r->second = now / SECONDS(1);
    if (++r->decisions_now > r->decisions_max && r->decisions_max)
        fault(s, WB_IN_do_schedule, "was asked more often than --decisions N allows: are its slices too short?", prev,
              (int)cpu);
    r->decisions_at_once = now == r->last_decision ? r->decisions_at_once + 1 : 0;
    if (r->stop && r->decisions_at_once > MAX_DECISIONS_AT_ONCE)
        fault(s, WB_IN_do_schedule, "was asked 100000 times at one moment: virtual time stands still", prev, (int)cpu);
    if (now == r->last_decision)
        return;
    if (now / MILLISECS(1) != r->last_decision / MILLISECS(1))
        r->decisions = 0;
    r->last_decision = now;
    if (++r->decisions > MAX_DECISIONS_IN_MS)
        fault(s, WB_IN_do_schedule, "was asked 50000 times in a millisecond: are its slices, in ns, too short?", prev,
              (int)cpu);
}

static struct task_slice remote_do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    const struct wb_who who = REMOTE(s)->world->who(NULL, prev, (int)cpu);
    struct wire_answer a;

    count_decision(s, cpu, prev);
    question(s, prev, NULL, cpu);
    if (!ask(s, WB_IN_do_schedule, who, prev, NULL, &a))
        return (struct task_slice){ NULL, -1 };
    if (a.task == WIRE_NO_VCPU)
        fault(s, WB_IN_do_schedule, "returned a pointer that is no vCPU", prev, (int)cpu);
    return (struct task_slice){ wb_remote_vcpu(REMOTE(s), a.task), a.slice };
}

static int remote_adjust(struct scheduler *s, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    struct xen_domctl_schedparam_vcpu none = { .vcpuid = 0 };
    struct wire_answer a;

    question(s, NULL, d, WIRE_NOBODY);
    bytes(s, op, sizeof(*op));
    bytes(s, op->cmd == XEN_DOMCTL_SCHEDOP_putvcpuinfo ? op->u.v.vcpus.p : &none, sizeof(none));
    return ask(s, WB_IN_adjust, of_domain(d), NULL, d, &a) ? (int)a.result : 0;
}

static int remote_adjust_global(struct scheduler *s, struct xen_sysctl_scheduler_op *op)
{
    struct wire_answer a;

    question(s, NULL, NULL, WIRE_NOBODY);
    bytes(s, op, sizeof(*op));
    bytes(s, op->u.sched_arinc653.schedule.p, sizeof(struct xen_sysctl_arinc653_schedule));
    return ask(s, WB_IN_adjust_global, nobody(), NULL, NULL, &a) ? (int)a.result : 0;
}

static int remote_set(struct scheduler *s, const char *param, long value)
{
    static const char end[8];
    const size_t len = strlen(param);
    struct wire_answer a;

    question(s, NULL, NULL, WIRE_NOBODY)->value = value;
    bytes(s, param, len);
    bytes(s, end, sizeof(end) - len % sizeof(end));
    return ask(s, WB_IN_set, nobody(), NULL, NULL, &a) ? (int)a.result : 0;
}

static void remote_dump_settings(struct scheduler *s, char *buf, size_t len)
{
    struct wire_answer a;

    question(s, NULL, NULL, WIRE_NOBODY);
    if (ask(s, WB_IN_dump_settings, nobody(), NULL, NULL, &a))
        snprintf(buf, len, "%s", a.text);
}

/* The first of the policy's timers is due. */
static void timer_fires(void *data)
{
    struct scheduler *s = ((struct wb_remote *)data)->sched;
    struct wire_answer a;

    question(s, NULL, NULL, WIRE_NOBODY);
    ask(s, WB_TIMER, nobody(), NULL, NULL, &a);
}

void wb_remote_hooks(struct wb_remote *r)
{
    r->ops = (struct sched_ops){ .name = r->name, .opt_name = r->opt_name, .sched_id = r->sched_id };
#define X(hook) r->ops.hook = r->hooks >> WIRE_##hook & 1 ? remote_##hook : NULL;
    WIRE_HOOKS(X)
#undef X
    timer_init(&r->timer, timer_fires, r);
}
