// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel of a native domain: the idea is in kernel.h.
 *
 *      pending bits --scan--> task of the port --+
 *      VIRQ_TIMER --> tasks whose time has come -+--> ready queue --first--> one step --more?--> end of the queue
 *      task_ready() -----------------------------+
 *
 * Invariant: a port's pending bit is cleared before its task looks at the ring, so that an event that arrives during a
 * step sets it again and is not lost. This is the protocol that every guest's kernel follows as well. The bits are set
 * by the hypervisor alone: what the kernel itself wants to happen is a matter of its ready queue.
 */
#include "vcpu/native/kernel.h"
#include "vcpu/native/ring.h"

#include "evtchn/evtchn.h"

#include <stdlib.h>
#include <string.h>

#define KIND_KERNEL 0 /* what is done for no task */

struct native_kernel {
    struct vcpu *v;
    uint64_t *pool;        /* of its frames; NULL: it has none */
    struct task **task_of; /* by port; NULL: nobody's */
    size_t nr_ports;
    struct task *ready, **ready_tail;
    struct task *running; /* the one whose step is being executed, unless it has ended itself */
    struct task *due;     /* by time, the first first */
    evtchn_port_t timer_port;
    struct task_kind kinds[NATIVE_KINDS_MAX];
    size_t nr_kinds;
};

/* --- tasks --- */

static struct task_kind *kind_of(struct native_kernel *k, const struct task_ops *ops)
{
    for (size_t i = 0; i < k->nr_kinds; i++)
        if (k->kinds[i].ops == ops)
            return &k->kinds[i];
    BUG_ON(k->nr_kinds == NATIVE_KINDS_MAX);
    k->kinds[k->nr_kinds].ops = ops;
    return &k->kinds[k->nr_kinds++];
}

void task_init(struct task *t, struct native_kernel *k, const struct task_ops *ops, void *data)
{
    *t = (struct task){ .ops = ops, .data = data, .kernel = k, .kind = kind_of(k, ops) };
}

void task_charge(struct task *t, unsigned int requests, size_t bytes)
{
    native_charge(t->kernel->v, (s_time_t)requests * CLOCK_NS_PER_UNIT + (s_time_t)bytes * CLOCK_NS_PER_KIB / 1024);
}

size_t native_kinds(const struct native_kernel *k, const struct task_kind **kinds)
{
    *kinds = k->kinds;
    return k->nr_kinds;
}

void task_ready(struct task *t)
{
    struct native_kernel *k = t->kernel;

    if (t->ready)
        return;
    t->ready = true;
    t->next = NULL;
    *k->ready_tail = t;
    k->ready_tail = &t->next;
    vcpu_kick(k->v);
}

static void ready_remove(struct native_kernel *k, struct task *t)
{
    struct task **p = &k->ready;

    if (!t->ready)
        return;
    while (*p != t)
        p = &(*p)->next;
    *p = t->next;
    if (k->ready_tail == &t->next)
        k->ready_tail = p;
    t->ready = false;
}

static void due_remove(struct native_kernel *k, struct task *t)
{
    struct task **p = &k->due;

    if (!t->due)
        return;
    while (*p != t)
        p = &(*p)->next_due;
    *p = t->next_due;
    t->due = 0;
}

void task_end(struct task *t)
{
    struct native_kernel *k = t->kernel;

    if (!k)
        return;
    ready_remove(k, t);
    due_remove(k, t);
    if (k->running == t)
        k->running = NULL;
    t->kernel = NULL;
}

/* --- times --- */

/* The vCPU's timer is for the first of them; 0: there is none. */
static void timer_arm(struct native_kernel *k)
{
    hypercall_native(k->v, __HYPERVISOR_set_timer_op, k->due ? (uint64_t)k->due->due : 0, 0, 0, 0, 0);
}

void task_ready_at(struct task *t, s_time_t due)
{
    struct native_kernel *k = t->kernel;
    const struct task *first = k->due;
    struct task **p = &k->due;

    BUG_ON(!k->timer_port);
    due_remove(k, t);
    if (due) {
        while (*p && (*p)->due <= due)
            p = &(*p)->next_due;
        t->due = due;
        t->next_due = *p;
        *p = t;
    }
    if (k->due != first || k->due == t)
        timer_arm(k);
}

static void timer_expired(struct native_kernel *k)
{
    while (k->due && k->due->due <= NOW(k->v->domain->xen)) {
        struct task *t = k->due;

        due_remove(k, t);
        task_ready(t);
    }
    timer_arm(k);
}

int native_timers_start(struct native_kernel *k)
{
    struct evtchn_bind_virq op = { .virq = VIRQ_TIMER };
    long rc =
        hypercall_native(k->v, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, (uint64_t)(uintptr_t)&op, 0, 0, 0);

    if (rc == 0)
        k->timer_port = op.port;
    return (int)rc;
}

/* --- events --- */

static void port_fired(struct native_kernel *k, evtchn_port_t port)
{
    if (port == k->timer_port)
        timer_expired(k);
    else if (port < k->nr_ports && k->task_of[port])
        task_ready(k->task_of[port]);
}

/* The upcall: one pass over what is pending, the two-level scan of selector word and port words. */
static void upcall(struct native_kernel *k)
{
    struct shared_info *s = k->v->domain->shared_info;
    struct vcpu_info *vi = k->v->vcpu_info;
    unsigned long sel = vi->evtchn_pending_sel;

    vi->evtchn_upcall_pending = 0;
    vi->evtchn_pending_sel = 0;
    for (; sel; sel &= sel - 1) {
        unsigned int word = (unsigned int)__builtin_ctzl(sel);
        unsigned long bits = s->evtchn_pending[word] & ~s->evtchn_mask[word];

        s->evtchn_pending[word] &= ~bits;
        for (; bits; bits &= bits - 1)
            port_fired(k, word * 64 + (unsigned int)__builtin_ctzl(bits));
    }
}

bool native_bind(struct native_kernel *k, evtchn_port_t port, struct task *t)
{
    if (port >= k->nr_ports) {
        size_t nr = port + 64;
        struct task **bigger = xrealloc_array(k->v->domain->xen->machine->arena, k->task_of, nr);

        if (!bigger)
            return false;
        k->task_of = bigger;
        k->nr_ports = nr;
    }
    k->task_of[port] = t;
    return true;
}

/* --- running --- */

/* One step of t, and what has been done for it since `begin`. */
static void task_step(struct native_kernel *k, struct task *t, s_time_t begin)
{
    const struct xen *xen = k->v->domain->xen;
    struct task_kind *kind = t->kind;
    bool more;

    native_charge(k->v, CLOCK_NS_PER_STEP);
    k->running = t;
    more = t->ops->step(t, NATIVE_STEP_BUDGET);
    kind->steps++;
    kind->ns += NOW(xen) - begin;
    if (!k->running)
        return; /* it has ended, and may be gone */
    k->running = NULL;
    t->ns += NOW(xen) - begin;
    if (more)
        task_ready(t);
}

/* Take what has happened into account, then give the first ready task a step. False: there is nothing to do. */
static bool native_step(struct vcpu *v, void *data)
{
    struct native_kernel *k = data;
    const s_time_t begin = NOW(v->domain->xen);
    struct task *t;

    v->native.metered = true;
    if (v->vcpu_info->evtchn_upcall_pending)
        upcall(k);
    t = k->ready;
    if (t) {
        ready_remove(k, t);
        task_step(k, t, begin);
    } else { /* somebody's time has come who has ended */
        k->kinds[KIND_KERNEL].ns += NOW(v->domain->xen) - begin;
    }
    v->native.metered = false;
    return t;
}

static const struct native_ops native_kernel_ops = { .name = "native kernel", .step = native_step };

static const struct task_ops no_task = { .name = "kernel" };

struct native_kernel *native_kernel_create(struct domain *d, const uint64_t *frames, size_t nr)
{
    struct arena *const arena = d->xen->machine->arena;
    struct native_kernel *k = xzalloc(arena, struct native_kernel);

    if (k && frames)
        k->pool = xzalloc_array(arena, uint64_t, nr);
    if (!k || (frames && !k->pool)) {
        xfree(k);
        return NULL;
    }
    if (frames)
        memcpy(k->pool, frames, nr * sizeof(*frames));
    k->ready_tail = &k->ready;
    kind_of(k, &no_task);
    k->v = d->vcpu[0];
    k->v->native = (struct native_vcpu){
        .ops = &native_kernel_ops, .data = k, .pooled = frames, .pool = k->pool, .nr_pool = frames ? nr : 0
    };
    k->v->is_initialised = true;
    k->v->pause_flags &= ~(unsigned int)VPF_down;
    if (d == d->xen->dom0) { /* there is nobody to unpause it */
        d->controller_pause_count = 0;
        vcpu_wake(k->v);
    }
    return k;
}

void native_kernel_destroy(struct native_kernel *k)
{
    if (!k)
        return;
    xfree(k->pool);
    xfree(k->task_of);
    xfree(k);
}

void native_kernel_gone(struct native_kernel *k) { k->v->native.gone = true; }

struct vcpu *native_vcpu(struct native_kernel *k) { return k->v; }

size_t native_rings(const struct vcpu *v, evtchn_port_t *port, struct task_ring *r)
{
    const struct native_kernel *k = v->regs || v->native.ops != &native_kernel_ops ? NULL : v->native.data;

    for (; k && *port < k->nr_ports; ++*port) {
        const struct task *t = k->task_of[*port];
        const size_t nr = t && t->ops->rings ? t->ops->rings(t, *port, r) : 0;

        if (nr)
            return nr;
    }
    return 0;
}
