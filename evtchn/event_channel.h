// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files of evtchn/ share, and nobody else sees: the op table of an ABI, and bits in memory that guests write
 * too.
 *
 * Concept: an ABI decides how "port p is pending" is told to the guest, and nothing else. Bindings, permissions, VIRQs
 * and pollers are the same for both, so they go through this table:
 *
 *   event_2l.c     two bitmaps in shared_info (pending, mask) and a selector word a vCPU: who is pending? find two bits
 *   event_fifo.c   a word a port in an array of the guest's frames, linked into 16 queues a vCPU: who is pending? the head
 *
 * Invariants: what lies in shared memory may change at any time to anything. It is read to decide whether to notify the
 * guest itself, and never becomes an index, a pointer or a count. Bits are changed by atomic operations, as the guest
 * changes the bits beside them.
 *
 * Corresponds to xen/common/event_channel.h.
 */
#ifndef EVTCHN_EVENT_CHANNEL_H
#define EVTCHN_EVENT_CHANNEL_H

#include "evtchn/evtchn.h"

struct evtchn_port_ops {
    const char *name;
    void (*init)(struct domain *d, struct evtchn *chn); /* the port was just bound; may be NULL */
    void (*set_pending)(struct domain *d, struct evtchn *chn);
    void (*clear_pending)(struct domain *d, struct evtchn *chn);
    void (*unmask)(struct domain *d, struct evtchn *chn);
    bool (*is_pending)(const struct domain *d, const struct evtchn *chn);
    bool (*is_masked)(const struct domain *d, const struct evtchn *chn);
    /* The port is free, but the guest has not taken it off its queue yet: it must not be used again. May be NULL. */
    bool (*is_busy)(const struct domain *d, const struct evtchn *chn);
    /* 0 or -EINVAL. NULL: this ABI has no priorities. */
    int (*set_priority)(struct domain *d, struct evtchn *chn, unsigned int priority);
};

/* The guest's side of a port exists: it is bound, and not to a consumer inside the hypervisor. */
static inline bool evtchn_usable(const struct evtchn *chn) { return chn->state > ECS_RESERVED && !chn->notify; }

/* NULL: no such vCPU. */
static inline struct vcpu *domain_vcpu(const struct domain *d, unsigned int id)
{
    return id < d->max_vcpus ? d->vcpu[id] : NULL;
}

/* --- event_port.c --- */

/*
 * The lowest free port. Nothing changes: the caller occupies it or leaves it. 0, -EINVAL (d is dying), -ENOSPC (limit),
 * or -ENOMEM.
 */
int get_free_port(struct domain *d, struct evtchn **out);
void evtchn_occupy(struct domain *d, struct evtchn *chn, enum evtchn_state state, unsigned int vcpu_id);
void evtchn_free(struct domain *d, struct evtchn *chn);

/* The event happened: set the pending bit and tell the guest, as d's ABI does it. */
void evtchn_port_set_pending(struct domain *d, struct evtchn *chn);
/* A port that is not the guest's counts as masked. */
bool evtchn_port_is_masked(const struct domain *d, const struct evtchn *chn);

/* --- event_channel.c --- */

/* Close a port. guest: on behalf of the guest, which may not close the hypervisor's own. */
int evtchn_close(struct domain *d, evtchn_port_t port, bool guest);
/* The operations of the hypercall; v is the caller. Ports go into the argument. 0 or -errno. */
int evtchn_alloc_unbound(struct vcpu *v, struct evtchn_alloc_unbound *op);
int evtchn_bind_interdomain(struct vcpu *v, struct evtchn_bind_interdomain *op);
int evtchn_bind_virq(struct vcpu *v, struct evtchn_bind_virq *op);
int evtchn_bind_ipi(struct vcpu *v, struct evtchn_bind_ipi *op);
int evtchn_bind_pirq(struct vcpu *v, struct evtchn_bind_pirq *op);
int evtchn_bind_vcpu(struct vcpu *v, const struct evtchn_bind_vcpu *op);
int evtchn_status(struct vcpu *v, struct evtchn_status *op);

/* --- event_send.c --- */

bool virq_is_global(uint32_t virq);
void clear_global_virq_handlers(struct domain *d);

/* --- event_2l.c, event_fifo.c --- */

void evtchn_2l_init(struct domain *d);
/* Ports that d's ABI has room for. */
unsigned int max_evtchns(const struct domain *d);
int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *op);
int evtchn_fifo_expand_array(struct domain *d, const struct evtchn_expand_array *op);
/* Give back the frames; d has no ABI until evtchn_2l_init(). Harmless when d does not use FIFO. */
void evtchn_fifo_destroy(struct domain *d);
/* For a vCPU that is made after its domain went over to FIFO. */
int evtchn_fifo_vcpu_init(struct vcpu *v);
void evtchn_fifo_vcpu_destroy(struct vcpu *v);

/* --- vcpu_info.c --- */

/* Where v's vcpu_info is as long as it registered none. */
void vcpu_info_reset(struct vcpu *v);
/* ABI: v (NULL: there is none) shall have its upcall. */
void vcpu_mark_events_pending(struct vcpu *v);
/* ABI: port became pending, masked or not: wake those that wait for it in SCHEDOP_poll. */
void evtchn_check_pollers(struct domain *d, evtchn_port_t port);

/* The selector word of v's vcpu_info, 32 or 64 bits. */
void *evtchn_pending_sel(const struct vcpu *v);
/*
 * Pin a guest's frame to write into: its host address, and its number for evtchn_unpin_frame(). Only ordinary writable
 * memory of d's own; NULL when it is not.
 */
void *evtchn_pin_frame(struct domain *d, uint64_t gfn, mfn_t *mfn);
void evtchn_unpin_frame(struct domain *d, mfn_t mfn);

/* --- bits in shared memory ---
 * The guest sees words of 32 or 64 bits. On a little-endian machine bit n of an array of words is bit n % 8 of byte n /
 * 8, whatever the size of a word.
 */
static inline bool shared_test_bit(const void *map, unsigned int n)
{
    return __atomic_load_n((const uint8_t *)map + n / 8, __ATOMIC_SEQ_CST) >> n % 8 & 1;
}

static inline bool shared_test_and_set_bit(void *map, unsigned int n)
{
    return __atomic_fetch_or((uint8_t *)map + n / 8, (uint8_t)(1u << n % 8), __ATOMIC_SEQ_CST) >> n % 8 & 1;
}

static inline bool shared_test_and_clear_bit(void *map, unsigned int n)
{
    return __atomic_fetch_and((uint8_t *)map + n / 8, (uint8_t) ~(1u << n % 8), __ATOMIC_SEQ_CST) >> n % 8 & 1;
}

#endif
