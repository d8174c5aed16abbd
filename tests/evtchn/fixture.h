// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A world for the tests of event channels: three domains, some frames, and nothing that runs.
 *
 * Concept: evtchn/ asks mmu/ for references to the frames that guests lend it, and vcpu/ to wake vCPUs. The first are
 * the real ones, on a frame table made by hand: a frame of another domain is refused because of its owner, a page table
 * because of the type that a test gives it, and world_destroy() finds every reference that was not given back. Waking
 * goes up through xen->hooks, which are the tests' own and count. So neither a processor nor page tables nor a
 * scheduler take part. Guest addresses are host addresses; those below 4096 are not mapped.
 *
 * Include it once in a test program.
 */
#ifndef TESTS_EVTCHN_FIXTURE_H
#define TESTS_EVTCHN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/foreign/x86_32.h>

#include "evtchn/event_channel.h"
#include "mmu/guest_access.h"
#include "mmu/page.h"
#include "tests/support/ram.h"

#define WORLD_FRAMES    256
#define WORLD_VCPUS     34
#define FRAMES_A_DOMAIN 64 /* domain n owns [64 n, 64 n + 64); its shared_info is the first of them */

struct world {
    struct xen xen;
    struct machine machine;
    struct machine_edges edges;
    struct domain dom[3]; /* 0: dom0, native; 1: PV64; 2: PV64 (a test may change it) */
    struct vcpu *curr;
    unsigned int nr_traces;
    struct trace_record trace[8];
};

static void world_trace(void *data, const struct trace_record *rec)
{
    struct world *w = data;

    if (w->nr_traces < ARRAY_SIZE(w->trace))
        w->trace[w->nr_traces] = *rec;
    w->nr_traces++;
}

static inline uint64_t world_frame(unsigned int domid, unsigned int n) { return (uint64_t)domid * FRAMES_A_DOMAIN + n; }

static inline void *world_frame_virt(struct world *w, uint64_t frame) { return ram_page(&w->machine, _mfn(frame)); }

#define WORLD_READ_ONLY ((uint64_t)1 << 63) /* or-ed to an address: can be read and not written */

static int world_copy_from(struct vcpu *v, void *dst, uint64_t src, size_t n)
{
    src &= ~WORLD_READ_ONLY;
    if (src < PAGE_SIZE)
        return -EFAULT;
    memcpy(dst, (const void *)(uintptr_t)src, n);
    return 0;
}

static int world_copy_to(struct vcpu *v, uint64_t dst, const void *src, size_t n)
{
    if (dst < PAGE_SIZE || dst & WORLD_READ_ONLY)
        return -EFAULT;
    memcpy((void *)(uintptr_t)dst, src, n);
    return 0;
}

static bool world_okay(const struct vcpu *v, uint64_t addr, size_t n) { return true; }

static const struct caller_mem_ops world_caller_mem = {
    .name = "test", .copy_from = world_copy_from, .copy_to = world_copy_to, .okay = world_okay
};

static void world_add_domain(struct world *w, unsigned int id, unsigned int max_port)
{
    struct domain *d = &w->dom[id];

    d->domain_id = (domid_t)id;
    d->xen = &w->xen;
    d->refcnt = 1;
    d->type = id ? DOMAIN_PV64 : DOMAIN_NATIVE;
    d->is_privileged = !id;
    d->target = DOMID_INVALID;
    d->max_vcpus = WORLD_VCPUS;
    d->vcpu = calloc(WORLD_VCPUS, sizeof(*d->vcpu));
    d->shared_info_mfn = _mfn(world_frame(id, 0));
    d->shared_info = world_frame_virt(w, world_frame(id, 0));
    domain_list_insert(d);
    for (unsigned int i = 0; i < FRAMES_A_DOMAIN; i++) {
        w->xen.frame_table[world_frame(id, i)].owner = d;
        w->xen.frame_table[world_frame(id, i)].count_info = PGC_allocated | 1;
    }
    assert_int_equal(evtchn_init(d, max_port), 0);
    for (unsigned int i = 0; i < WORLD_VCPUS - 1; i++) { /* the last one does not exist */
        d->vcpu[i] = calloc(1, sizeof(struct vcpu));
        d->vcpu[i]->vcpu_id = i;
        d->vcpu[i]->domain = d;
        d->vcpu[i]->caller_mem = &world_caller_mem;
        assert_int_equal(evtchn_vcpu_init(d->vcpu[i]), 0);
    }
}

/* As vcpu/sched/wake.c, and counts: nothing runs here, so last_run is free for it. */
static void world_unblock(struct vcpu *v)
{
    if (!(v->pause_flags & (VPF_blocked | VPF_poll)))
        return;
    v->pause_flags &= ~(VPF_blocked | VPF_poll);
    v->poll_evtchn = 0;
    v->domain->poll_mask &= ~(UINT64_C(1) << v->vcpu_id);
    v->last_run++;
}

static const struct xen_hooks world_hooks = { .vcpu_unblock = world_unblock };

static struct world *world_create(unsigned int max_port)
{
    struct world *w = calloc(1, sizeof(*w));

    w->machine.arena = arena_create();
    w->machine.nr_frames = WORLD_FRAMES;
    w->machine.shares = calloc(WORLD_FRAMES, sizeof(*w->machine.shares));
    w->machine.ram = aligned_alloc(PAGE_SIZE, WORLD_FRAMES * PAGE_SIZE);
    memset(w->machine.ram, 0, WORLD_FRAMES * PAGE_SIZE);
    w->machine.edges = &w->edges;
    w->edges.trace.sink = world_trace;
    w->edges.trace.data = w;
    w->xen.machine = &w->machine;
    w->xen.hooks = &world_hooks;
    w->xen.frame_table = calloc(WORLD_FRAMES, sizeof(struct page_info));
    for (unsigned int id = 0; id < 3; id++)
        world_add_domain(w, id, max_port);
    w->xen.dom0 = &w->dom[0];
    return w;
}

/* What domain_kill() does to event channels. */
static void world_kill(struct world *w, unsigned int id)
{
    w->dom[id].is_dying = DOMDYING_dying;
    evtchn_destroy(&w->dom[id]);
    for_each_vcpu (&w->dom[id], v)
        unmap_vcpu_info(v);
    w->dom[id].is_dying = DOMDYING_dead;
}

/* Destroys all; nothing may be left over. */
static void world_destroy(struct world *w)
{
    for (unsigned int id = 0; id < 3; id++) {
        struct domain *d = &w->dom[id];

        if (!d->is_dying)
            world_kill(w, id);
        assert_int_equal(d->refcnt, 1);
        assert_int_equal(d->active_evtchns, 0);
        for_each_vcpu (d, v) {
            evtchn_vcpu_destroy(v);
            free(v);
        }
        evtchn_destroy_final(d);
        free(d->vcpu);
    }
    for (unsigned int i = 0; i < WORLD_FRAMES; i++) {
        assert_int_equal(w->xen.frame_table[i].count_info & PGC_count_mask, i < 3 * FRAMES_A_DOMAIN);
        assert_int_equal(w->xen.frame_table[i].type_info & PGT_count_mask, 0);
    }
    free(w->xen.frame_table);
    free(w->machine.ram);
    free(w->machine.shares);
    assert_int_equal(arena_blocks(w->machine.arena, NULL, NULL), 0);
    arena_destroy(w->machine.arena);
    free(w);
}

static inline unsigned int world_wakeups(const struct vcpu *v) { return (unsigned int)v->last_run; }

/* --- making the hypercall --- */

static inline long event_op(struct vcpu *v, unsigned int cmd, void *arg)
{
    struct hypercall_args args = { .a = { cmd, (uintptr_t)arg } };

    return do_event_channel_op(v, &args);
}

/* The port, or -errno. */
static inline long op_alloc_unbound(struct vcpu *v, domid_t dom, domid_t remote)
{
    struct evtchn_alloc_unbound op = { .dom = dom, .remote_dom = remote };
    long rc = event_op(v, EVTCHNOP_alloc_unbound, &op);

    return rc ? rc : (long)op.port;
}

static inline long op_bind_interdomain(struct vcpu *v, domid_t remote, long port)
{
    struct evtchn_bind_interdomain op = { .remote_dom = remote, .remote_port = (evtchn_port_t)port };
    long rc = event_op(v, EVTCHNOP_bind_interdomain, &op);

    return rc ? rc : (long)op.local_port;
}

static inline long op_bind_virq(struct vcpu *v, uint32_t virq, uint32_t vcpu)
{
    struct evtchn_bind_virq op = { .virq = virq, .vcpu = vcpu };
    long rc = event_op(v, EVTCHNOP_bind_virq, &op);

    return rc ? rc : (long)op.port;
}

static inline long op_bind_ipi(struct vcpu *v, uint32_t vcpu)
{
    struct evtchn_bind_ipi op = { .vcpu = vcpu };
    long rc = event_op(v, EVTCHNOP_bind_ipi, &op);

    return rc ? rc : (long)op.port;
}

static inline long op_bind_pirq(struct vcpu *v, uint32_t pirq)
{
    struct evtchn_bind_pirq op = { .pirq = pirq };
    long rc = event_op(v, EVTCHNOP_bind_pirq, &op);

    return rc ? rc : (long)op.port;
}

/* close, send and unmask take just a port. */
static inline long op_port(struct vcpu *v, unsigned int cmd, long port)
{
    evtchn_port_t arg = (evtchn_port_t)port;

    return event_op(v, cmd, &arg);
}

static inline long op_bind_vcpu(struct vcpu *v, long port, uint32_t vcpu)
{
    struct evtchn_bind_vcpu op = { .port = (evtchn_port_t)port, .vcpu = vcpu };

    return event_op(v, EVTCHNOP_bind_vcpu, &op);
}

static inline struct evtchn_status op_status(struct vcpu *v, domid_t dom, long port)
{
    struct evtchn_status op = { .dom = dom, .port = (evtchn_port_t)port };

    assert_int_equal(event_op(v, EVTCHNOP_status, &op), 0);
    return op;
}

static inline long op_reset(struct vcpu *v, domid_t dom)
{
    struct evtchn_reset op = { .dom = dom };

    return event_op(v, EVTCHNOP_reset, &op);
}

static inline long op_init_control(struct vcpu *v, uint32_t vcpu, uint64_t gfn, uint32_t offset)
{
    struct evtchn_init_control op = { .control_gfn = gfn, .offset = offset, .vcpu = vcpu };
    long rc = event_op(v, EVTCHNOP_init_control, &op);

    if (!rc)
        assert_int_equal(op.link_bits, EVTCHN_FIFO_LINK_BITS);
    return rc;
}

static inline long op_expand_array(struct vcpu *v, uint64_t gfn)
{
    struct evtchn_expand_array op = { .array_gfn = gfn };

    return event_op(v, EVTCHNOP_expand_array, &op);
}

static inline long op_set_priority(struct vcpu *v, long port, uint32_t priority)
{
    struct evtchn_set_priority op = { .port = (evtchn_port_t)port, .priority = priority };

    return event_op(v, EVTCHNOP_set_priority, &op);
}

/* A world and its vCPUs 0, for the usual test. */
#define WORLD(max_port)                                                                                                \
    struct world *w = world_create(max_port);                                                                          \
    struct vcpu *v0 __attribute__((unused)) = w->dom[0].vcpu[0];                                                       \
    struct vcpu *v1 __attribute__((unused)) = w->dom[1].vcpu[0];                                                       \
    struct vcpu *v2 __attribute__((unused)) = w->dom[2].vcpu[0]

#endif
