// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel of a native domain: the idea is in kernel.h.
 *
 * Invariant: a port's pending bit is cleared before its handler looks at the ring, so that an event that arrives while the
 * handler runs sets it again and is not lost. This is the protocol that every guest's kernel follows as well.
 */
#include "vcpu/native/kernel.h"

#include "evtchn/evtchn.h"

#include <stdlib.h>
#include <string.h>

struct handler {
    native_handler *fn;
    void *data;
};

struct native_kernel {
    struct vcpu *v;
    struct handler *handlers; /* by port */
    size_t nr_handlers;
};

static void dispatch(struct native_kernel *k, evtchn_port_t port)
{
    if (port < k->nr_handlers && k->handlers[port].fn)
        k->handlers[port].fn(k->handlers[port].data, port);
}

/* One pass over what is pending: the two-level scan of selector word and port words. */
static void native_run(struct vcpu *v, void *data)
{
    struct native_kernel *k = data;
    struct shared_info *s = v->domain->shared_info;
    struct vcpu_info *vi = v->vcpu_info;

    while (vi->evtchn_upcall_pending) {
        unsigned long sel;

        vi->evtchn_upcall_pending = 0;
        sel = vi->evtchn_pending_sel;
        vi->evtchn_pending_sel = 0;
        for (; sel; sel &= sel - 1) {
            unsigned int word = (unsigned int)__builtin_ctzl(sel);
            unsigned long bits;

            while ((bits = s->evtchn_pending[word] & ~s->evtchn_mask[word]) != 0) {
                unsigned int bit = (unsigned int)__builtin_ctzl(bits);

                s->evtchn_pending[word] &= ~(1UL << bit);
                dispatch(k, word * 64 + bit);
            }
        }
    }
}

static const struct native_ops native_kernel_ops = { .name = "native kernel", .run = native_run };

struct native_kernel *native_kernel_create(struct domain *d)
{
    struct native_kernel *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    k->v = d->vcpu[0];
    k->v->native = &native_kernel_ops;
    k->v->native_data = k;
    d->controller_pause_count = 0; /* it was waiting for its kernel */
    vcpu_wake(k->v);
    return k;
}

void native_kernel_destroy(struct native_kernel *k)
{
    if (!k)
        return;
    free(k->handlers);
    free(k);
}

struct vcpu *native_vcpu(struct native_kernel *k) { return k->v; }

bool native_handle(struct native_kernel *k, evtchn_port_t port, native_handler *handler, void *data)
{
    if (port >= k->nr_handlers) {
        size_t nr = port + 64;
        struct handler *h = realloc(k->handlers, nr * sizeof(*h));

        if (!h)
            return false;
        memset(h + k->nr_handlers, 0, (nr - k->nr_handlers) * sizeof(*h));
        k->handlers = h;
        k->nr_handlers = nr;
    }
    k->handlers[port] = (struct handler){ handler, data };
    return true;
}

void native_raise(struct native_kernel *k, evtchn_port_t port)
{
    struct vcpu_info *vi = k->v->vcpu_info;

    k->v->domain->shared_info->evtchn_pending[port / 64] |= 1UL << (port % 64);
    vi->evtchn_pending_sel |= 1UL << (port / 64);
    vi->evtchn_upcall_pending = 1;
    vcpu_kick(k->v);
}
