// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answering the workbench's questions with a policy's hooks.
 *
 * Concept: receive, bring the mirror up to date, call the hook, look what it has done, answer. vcpu_migrate() is the
 * one thing a policy may call in the core that calls hooks itself (affinity.c): it is asked of the workbench, whose
 * core does it, and questions are answered meanwhile. What alloc_* returns stays here; the workbench hears whether
 * there is any.
 *
 * Invariant: one hook returns before its answer is sent, so questions and answers nest as calls do.
 */
#include "tools/policy/mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/sandbox/asked.h"

static struct {
    struct mirror *m;
    const struct sched_ops *ops;
} serving; /* vcpu_migrate() has no other way to them */

void policy_send(const void *message, size_t len)
{
    if (!asked_answer(message, len))
        _exit(GUARDED_EXIT_LOST);
}

/* --- hooks, each with what the core does around it --- */

/* Parameters: the structure, and behind it what its handle points to. */
static int64_t adjust(struct mirror *m, struct domain *d, void *bytes)
{
    struct {
        struct xen_domctl_scheduler_op op;
        struct xen_domctl_schedparam_vcpu vcpu;
    } *p = bytes;

    if (p->op.cmd == XEN_DOMCTL_SCHEDOP_putvcpuinfo)
        set_xen_guest_handle(p->op.u.v.vcpus, &p->vcpu);
    return serving.ops->adjust(&m->sched, d, &p->op);
}

static int64_t adjust_global(struct mirror *m, void *bytes)
{
    struct {
        struct xen_sysctl_scheduler_op op;
        struct xen_sysctl_arinc653_schedule schedule;
    } *p = bytes;

    set_xen_guest_handle(p->op.u.sched_arinc653.schedule, &p->schedule);
    return serving.ops->adjust_global(&m->sched, &p->op);
}

/* Hooks that make and free what hangs on sched_priv. */
static int64_t call_data(struct mirror *m, const struct wire_question *q)
{
    const struct sched_ops *o = serving.ops;
    struct scheduler *s = &m->sched;
    struct xen_pcpu *p = q->cpu < MACHINE_MAX_PCPUS ? &m->xen.pcpu[q->cpu] : NULL;
    struct vcpu *v = mirror_vcpu(m, q->vcpu);
    struct domain *d = mirror_domain(m, q->domain);

    switch (q->hook) {
    case WIRE_alloc_pdata: return (p->sched_priv = o->alloc_pdata(s, q->cpu)) != NULL;
    case WIRE_alloc_domdata: return (d->sched_priv = o->alloc_domdata(s, d)) != NULL;
    case WIRE_alloc_udata: return (v->sched_priv = o->alloc_udata(s, v, v->domain->sched_priv)) != NULL;
    case WIRE_free_pdata:
        o->free_pdata(s, p->sched_priv, q->cpu);
        p->sched_priv = NULL;
        return 0;
    case WIRE_free_domdata:
        o->free_domdata(s, d->sched_priv);
        d->sched_priv = NULL;
        return 0;
    default:
        o->free_udata(s, v->sched_priv);
        v->sched_priv = NULL;
        return 0;
    }
}

static void do_schedule(struct mirror *m, const struct wire_question *q, struct wire_answer *a)
{
    const struct task_slice ts = serving.ops->do_schedule(&m->sched, q->cpu, mirror_vcpu(m, q->vcpu), q->now);

    a->task = mirror_vcpu_number(m, ts.task);
    a->slice = ts.time;
}

static int64_t call(struct mirror *m, struct wire_question *q, char *bytes, struct wire_answer *a)
{
    const struct sched_ops *o = serving.ops;
    struct scheduler *s = &m->sched;
    struct vcpu *v = mirror_vcpu(m, q->vcpu);

    switch (q->hook) {
    case WIRE_init: return o->init(s);
    case WIRE_deinit: o->deinit(s); return 0;
    case WIRE_insert_unit: o->insert_unit(s, v); return 0;
    case WIRE_remove_unit: o->remove_unit(s, v); return 0;
    case WIRE_sleep: o->sleep(s, v); return 0;
    case WIRE_wake: o->wake(s, v); return 0;
    case WIRE_yield: o->yield(s, v); return 0;
    case WIRE_context_saved: o->context_saved(s, v); return 0;
    case WIRE_pick_resource: return o->pick_resource(s, v);
    case WIRE_migrate: o->migrate(s, v, q->cpu); return 0;
    case WIRE_do_schedule: do_schedule(m, q, a); return 0;
    case WIRE_adjust: return adjust(m, mirror_domain(m, q->domain), bytes);
    case WIRE_adjust_affinity:
        o->adjust_affinity(s, v, q->has_hard ? &q->hard : NULL, q->has_soft ? &q->soft : NULL);
        return 0;
    case WIRE_adjust_global: return adjust_global(m, bytes);
    case WIRE_set: return o->set(s, bytes, (long)q->value);
    case WIRE_dump_settings:
        o->dump_settings(s, a->text, sizeof(a->text));
        a->text[sizeof(a->text) - 1] = '\0';
        return 0;
    default: return call_data(m, q);
    }
}

/* The first of its timers fires: it is due, says the workbench. */
static void fire(struct mirror *m)
{
    struct timer *t = m->machine.clock.nr ? m->machine.clock.heap[0].t : NULL;

    if (!t)
        return;
    timer_stop(&m->machine.clock, t);
    t->fn(t->data);
}

/* --- the conversation --- */

/* Answer questions until `until` of them (WIRE_DONE) comes; 0: until there are no more. */
static void serve(enum wire_kind until)
{
    struct mirror *m = serving.m;
    /* A buffer each: hooks lie inside each other, and keep their arguments. */
    char *buf = malloc(WIRE_MAX_QUESTION);
    struct wire_question *q = (struct wire_question *)buf;

    BUG_ON(!buf);
    for (;;) {
        const ssize_t n = asked_receive(buf, WIRE_MAX_QUESTION);
        struct wire_answer a = { .kind = WIRE_ANSWER, .task = WIRE_NOBODY };

        if (n < (ssize_t)sizeof(*q))
            _exit(n ? GUARDED_EXIT_LOST : 0);
        mirror_update(m, q);
        if (q->kind == until)
            break;
        if (q->kind == WIRE_STATE)
            continue;
        a.call = q->call;
        if (q->kind == WIRE_FIRE)
            fire(m);
        else
            a.result = call(m, q, buf + n - q->nr_bytes, &a);
        fflush(stdout);
        mirror_differences(m, (const uint32_t[]){ q->vcpu, a.task, WIRE_NOBODY }, &a);
        policy_send(&a, q->hook == WIRE_dump_settings && q->kind == WIRE_CALL ? sizeof(a) : WIRE_ANSWER_SIZE);
    }
    free(buf);
}

/* The core's (vcpu/sched/affinity.c), as a policy may call it. */
void vcpu_migrate(struct vcpu *v)
{
    struct mirror *m = serving.m;
    struct wire_answer a = { .kind = WIRE_MIGRATE, .call = m->told.call, .task = mirror_vcpu_number(m, v) };

    mirror_differences(m, (const uint32_t[]){ m->told.vcpu, a.task, WIRE_NOBODY }, &a);
    policy_send(&a, WIRE_ANSWER_SIZE);
    serve(WIRE_DONE);
}

void policy_serve(struct mirror *m, const struct sched_ops *ops)
{
    serving.m = m;
    serving.ops = ops;
    m->sched.ops = ops;
    serve(0);
    _exit(0);
}
