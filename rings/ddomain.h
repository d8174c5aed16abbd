// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver domain: back ends in a domain of their own.
 *
 * Concept: what dom0 does for devices an unprivileged native domain can do as well: a kernel (vcpu/native/kernel.h), a
 * bus over its own xenstore ring (bus_ring.c), and the same back ends. It makes hypercalls in its own name, so it
 * reaches of others what they have granted to it and nothing else, and its memory is its own.
 *
 *      kernel --first step--> timer, store, bus --> a task a device
 *
 * If it crashes all of that is lost. What remains is with others: the front ends' rings and grants, the nodes in the
 * store, the disks. So who is started in its place finds its devices in the store and each ring where it stands: what
 * was taken and not answered is taken again. A block request can be carried out twice, for the front end has not
 * touched its pages meanwhile; frames that were on their way are lost, as on a wire.
 *
 * Invariants: between two hypercalls of a step nobody else runs, and a crash comes between two steps. So an answer that
 * is in its slot is also published.
 *
 * Source: xl.cfg(5), driver_domain, and public io/xenbus.h; what is particular to native domains is ours.
 */
#ifndef RINGS_DDOMAIN_H
#define RINGS_DDOMAIN_H

#include "rings/blkback.h"
#include "rings/net/netback.h"

struct ddomain;

/* What the toolstack has made for it. Frames and page belong to the domain. */
struct ddomain_config {
    const uint64_t *frames; /* copied */
    size_t nr_frames;
    struct xenstore_domain_interface *intf;
    evtchn_port_t store_port;
    struct blkback_disks *disks; /* kept */
    struct bridge_tap tap;
};

/* Give native domain d, which is paused, this to run. NULL: out of memory. */
struct ddomain *ddomain_create(struct domain *d, const struct ddomain_config *cfg);
/*
 * Forget it: its domain has shut down, or is paused and about to be destroyed; nothing of it runs any more, and the
 * hypervisor does not hear of this. Harmless for NULL.
 */
void ddomain_destroy(struct ddomain *dd);

/* NULL: it has not run yet. */
struct xenbus *ddomain_bus(const struct ddomain *dd);
const struct netback *ddomain_net(const struct ddomain *dd);

#endif
