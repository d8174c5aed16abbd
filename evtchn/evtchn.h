// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event channels: Xen's only asynchronous primitive.
 *
 * Concept: an event channel is a one-bit mailbox. A port of one domain is bound to a source: another domain's port, a
 * virtual interrupt (VIRQ), another vCPU of the same domain (IPI), a physical interrupt (PIRQ). Sending sets the pending
 * bit in memory shared with the guest; if the port is not masked and was not pending already, the bound vCPU is told by an
 * upcall. The state machine per port is the enum below; where the bits live (2-level bitmap or FIFO queues) is a variation
 * behind struct evtchn_port_ops.
 *
 * Corresponds to xen/common/event_channel.c, event_2l.c, event_fifo.c.
 */
#ifndef EVTCHN_EVTCHN_H
#define EVTCHN_EVTCHN_H

#include "vcpu/domain.h"

enum evtchn_state { ECS_FREE, ECS_RESERVED, ECS_UNBOUND, ECS_INTERDOMAIN, ECS_PIRQ, ECS_VIRQ, ECS_IPI };

struct evtchn {
    enum evtchn_state state;
    evtchn_port_t port;
    unsigned int notify_vcpu_id;
    bool pending_on_unmask_lost; /* not used by all ABIs */
    /* FIFO ABI */
    uint8_t priority, last_priority;
    unsigned int last_vcpu_id;
    bool fifo_pending;
    union { /* selected by state */
        struct { domid_t remote_domid; } unbound;                                       /* ECS_UNBOUND */
        struct { evtchn_port_t remote_port; struct domain *remote_dom; } interdomain;   /* ECS_INTERDOMAIN */
        struct { uint32_t irq; } pirq;                                                  /* ECS_PIRQ */
        uint32_t virq;                                                                  /* ECS_VIRQ */
    } u;
    /* A hypervisor-side consumer: called instead of an upcall (backends in tests, dom0's kernel has real upcalls). */
    void (*notify)(struct vcpu *v, evtchn_port_t port);
};

int evtchn_init(struct domain *d, unsigned int max_port);
/* Close all ports; peers fall back to unbound. Then free. */
void evtchn_destroy(struct domain *d);
void evtchn_destroy_final(struct domain *d);
int evtchn_vcpu_init(struct vcpu *v);
void evtchn_vcpu_destroy(struct vcpu *v);

hypercall_fn do_event_channel_op, do_event_channel_op_compat;

int evtchn_send(struct domain *d, evtchn_port_t port);
/* Raise a VIRQ: per-vCPU ones on v, global ones on whichever vCPU bound it. Silent when nobody bound it. */
void send_guest_vcpu_virq(struct vcpu *v, uint32_t virq);
void send_guest_global_virq(struct domain *d, uint32_t virq);

/* An upcall is due: pending and not masked (evtchn_upcall_pending && !evtchn_upcall_mask). */
static inline bool local_events_need_delivery(const struct vcpu *v)
{
    return v->vcpu_info->evtchn_upcall_pending && !v->vcpu_info->evtchn_upcall_mask;
}

/* SCHEDOP_poll's question: is one of these ports pending? */
bool evtchn_port_is_pending(struct domain *d, evtchn_port_t port);
bool evtchn_port_is_valid(const struct domain *d, evtchn_port_t port);

/* VCPUOP_register_vcpu_info: move vcpu_info into the guest's frame. 0 or -errno (Xen: map_vcpu_info). */
int evtchn_map_vcpu_info(struct vcpu *v, uint64_t gfn, unsigned int offset);
void evtchn_unmap_vcpu_info(struct vcpu *v);

/* 1 when a port is bound (used by the toolstack's checks and the debugger's panels). */
struct evtchn *evtchn_from_port(const struct domain *d, evtchn_port_t port);

#endif
