// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event channels: Xen's only asynchronous primitive.
 *
 * Concept: an event channel is a one-bit mailbox. A port of one domain is bound to a source: another domain's port, a
 * virtual interrupt (VIRQ), another vCPU of the same domain (IPI), a physical interrupt (PIRQ). Sending sets the
 * pending bit in memory shared with the guest; if the port is not masked and was not pending already, the bound vCPU is
 * told by an upcall. The state machine per port is the enum below; where the bits live (2-level bitmap or FIFO queues)
 * is a variation behind struct evtchn_port_ops (evtchn/event_channel.h).
 *
 * Reading order: this file, event_port.c (the table of ports), event_channel.c (how they are bound), event_send.c (what
 * sending does), event_2l.c and event_fifo.c (the two ABIs), vcpu_info.c (where a vCPU is told), event_op.c (the
 * hypercall).
 *
 * Corresponds to xen/common/event_channel.c, event_2l.c, event_fifo.c.
 */
#ifndef EVTCHN_EVTCHN_H
#define EVTCHN_EVTCHN_H

#include "vcpu/noun/domain.h"

/*
 *            alloc_unbound        bind_interdomain by the peer
 *   FREE ───────────────▶ UNBOUND ───────────────▶ INTERDOMAIN
 *    ▲ │                   │  ▲                      │    │
 *    │ │ bind_*            │  └──────────────────────┘    │
 *    │ └──▶ PIRQ VIRQ IPI  │      the peer closes         │
 *    └─────────┴───────────┴──────────────────────────────┘
 *                         close
 */
enum evtchn_state {
    ECS_FREE,        /* not in use */
    ECS_RESERVED,    /* never to be used: port 0, so that 0 can mean "no port" */
    ECS_UNBOUND,     /* waits for remote_domid to bind to it */
    ECS_INTERDOMAIN, /* connected */
    ECS_PIRQ,        /* a physical interrupt */
    ECS_VIRQ,        /* a virtual interrupt, raised by the hypervisor */
    ECS_IPI          /* the domain's own vCPUs send to notify_vcpu_id */
};

/* Called instead of an upcall: v is the vCPU that the port is bound to, port is the consumer's own. */
typedef void (*xen_event_channel_notification_t)(struct vcpu *v, evtchn_port_t port);

struct evtchn {
    enum evtchn_state state;
    evtchn_port_t port;
    unsigned int notify_vcpu_id; /* vCPU that gets the upcall */
    /*
     * FIFO ABI: the queue that it belongs on, the one that it was last put on, and a bit for which there is no page yet
     */
    uint8_t priority, last_priority;
    bool pending;
    unsigned int last_vcpu_id;
    union { /* selected by state */
        struct {
            domid_t remote_domid;
        } unbound; /* ECS_UNBOUND */
        struct {
            evtchn_port_t remote_port;
            struct domain *remote_dom;
        } interdomain; /* ECS_INTERDOMAIN */
        struct {
            uint32_t irq;
        } pirq;        /* ECS_PIRQ */
        uint32_t virq; /* ECS_VIRQ */
    } u;
    /* not NULL: the hypervisor itself consumes (Xen: xen_consumer) and the guest must not touch */
    xen_event_channel_notification_t notify;
};

/* --- life: called from vcpu/domain.c --- */

int evtchn_init(struct domain *d, unsigned int max_port);
/* Close all ports; peers fall back to unbound; frames are given back. Harmless when evtchn_init() was not called. */
void evtchn_destroy(struct domain *d);
/* Free the port table: nobody may name a port of d any more. */
void evtchn_destroy_final(struct domain *d);
/* xen->hooks->audit_refs: the frames that guests lent for FIFO event words and control blocks. */
void evtchn_audit_refs(struct xen *xen, struct audit *a);
int evtchn_vcpu_init(struct vcpu *v);
void evtchn_vcpu_destroy(struct vcpu *v);

/* --- hypercalls --- */

/* Number 32 (its structures are the same for 32-bit guests), and the older number 16: a struct evtchn_op. */
hypercall_fn do_event_channel_op, do_event_channel_op_compat;
/* EVTCHNOP_reset without the right to do so checked: soft reset. Ports of the hypervisor's own remain. */
void evtchn_reset(struct domain *d);

/* --- sending --- */

/* As EVTCHNOP_send by d. -EINVAL: no such port, or one that cannot be sent through. */
int evtchn_send(struct domain *d, evtchn_port_t port);
/* Raise a VIRQ: per-vCPU ones on v, global ones on whichever vCPU bound it. Silent when nobody bound it. */
void send_guest_vcpu_virq(struct vcpu *v, uint32_t virq);
void send_guest_global_virq(struct domain *d, uint32_t virq);
/* A global VIRQ to whom it concerns: the domain that set_virq_handler named, or dom0. */
void send_global_virq(struct xen *xen, uint32_t virq);
/* XEN_DOMCTL_set_virq_handler. -EINVAL: virq is not a global one. Forgotten when d dies. */
int set_global_virq_handler(struct domain *d, uint32_t virq);
/* Raise a physical interrupt that d bound with EVTCHNOP_bind_pirq. False: nobody did. */
bool send_guest_pirq(struct domain *d, uint32_t pirq);
/* Physical interrupts are numbered from 0 to one less than this. At most 256. */
unsigned int domain_nr_pirqs(const struct domain *d);

/* --- ports of the hypervisor's own: a device model's or monitor's channel to Xen --- */

/* An unbound port of d for remote_domid whose events call notify. The guest can see it, not use it. Port or -errno. */
int alloc_unbound_xen_event_channel(struct domain *d, unsigned int vcpu_id, domid_t remote_domid,
                                    xen_event_channel_notification_t notify);
void free_xen_event_channel(struct domain *d, evtchn_port_t port);
/* Send from such a port to whoever bound it. */
void notify_via_xen_event_channel(struct domain *d, evtchn_port_t port);

/* --- questions --- */

/* NULL when d has no such port. */
struct evtchn *evtchn_from_port(const struct domain *d, evtchn_port_t port);
bool port_is_valid(const struct domain *d, evtchn_port_t port);
/* SCHEDOP_poll's question: is this port pending? */
bool evtchn_port_is_pending(struct domain *d, evtchn_port_t port);

/* What v would take now. PV: an upcall, pending and not masked; HVM: an interrupt, whatever events are pending. */
static inline bool local_events_need_delivery(const struct vcpu *v)
{
    return is_hvm_domain(v->domain) ? v->domain->xen->hooks->hvm_local_events_need_delivery(v)
                                    : v->vcpu_info->evtchn_upcall_pending && !v->vcpu_info->evtchn_upcall_mask;
}

/* How many ports are pending and not masked for v, and the lowest one, if there is any: looks at all of them. */
unsigned int evtchn_nr_deliverable(const struct vcpu *v, uint64_t *first);

/* --- vcpu_info: vcpu_info.c --- */

/* shared_info and vcpu_info have the layout of <xen/foreign/x86_32.h>: PV32, and HVM guests that run 32-bit kernels. */
#define has_32bit_shinfo(d) ((d)->has_32bit_shinfo)

/*
 * VCPUOP_register_vcpu_info by `curr`: move v's vcpu_info into the guest's frame. -ENXIO: bad offset;
 * -EINVAL: done before, v is another vCPU that is up (it is using the old place), or not the guest's own writable
 * memory.
 */
int map_vcpu_info(struct vcpu *v, const struct vcpu *curr, uint64_t gfn, unsigned int offset);
/* Back to shared_info (what was in the guest's frame is not copied); the frame is released. */
void unmap_vcpu_info(struct vcpu *v);
/*
 * PHYSDEVOP_pirq_eoi_gmfn: the guest lends a frame of bits that say which interrupts it must acknowledge. None must,
 * here. -EINVAL: not the guest's own writable memory; -EBUSY: there is one already. Given back when the domain dies.
 */
int evtchn_map_pirq_eoi(struct domain *d, uint64_t gfn);
/* vCPUs from number 32 on have no vcpu_info until they register one, and cannot be initialised before (-EINVAL). */
static inline bool vcpu_info_is_dummy(const struct vcpu *v) { return v->vcpu_info == &v->dummy_vcpu_info; }

#endif
