// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of domains: found by number, and in order.
 *
 * Concept: a guest names a domain by its number, and a number is only as good as the moment: the domain may die within
 * the hypercall. So every look-up takes a reference, and whoever asked gives it back with put_domain(). The last one
 * gone, the structure goes, too: not from here, since that is the work of every folder above, but through xen->hooks.
 *
 * Invariants: the list is in ascending order of numbers and domain_of[] has the same domains; system domains
 * (DOMID_XEN, DOMID_IO) are on neither, so that no number of a guest's finds them.
 *
 * Corresponds to domain_list, get_domain_by_id(), rcu_lock_domain_by_any_id() of xen/common/domain.c. No RCU here (one
 * host thread): what Xen locks for the length of a hypercall holds a reference.
 */
#include "vcpu/noun/domain.h"

/* The link that points to domain `domid`, or will: the next field of the one with the next lower number. */
static struct domain **place_in_list(struct xen *xen, domid_t domid)
{
    while (domid-- > 0)
        if (xen->domain_of[domid])
            return &xen->domain_of[domid]->next;
    return &xen->domain_list;
}

void domain_list_insert(struct domain *d)
{
    struct domain **pd;

    d->xen->domain_of[d->domain_id] = d;
    pd = place_in_list(d->xen, d->domain_id);
    d->next = *pd;
    *pd = d;
}

void domain_list_remove(struct domain *d)
{
    if (d->xen->domain_of[d->domain_id] != d) /* it was taken off before: xen_boot_done() */
        return;
    *place_in_list(d->xen, d->domain_id) = d->next;
    d->xen->domain_of[d->domain_id] = NULL;
}

struct domain *get_domain_by_id(struct xen *xen, domid_t domid)
{
    struct domain *d = domid < DOMID_FIRST_RESERVED ? xen->domain_of[domid] : NULL;

    if (d)
        get_knownalive_domain(d);
    return d;
}

struct domain *get_system_domain(struct xen *xen, domid_t domid)
{
    struct domain *d = domid == DOMID_XEN ? xen->dom_xen : domid == DOMID_IO ? xen->dom_io : NULL;

    if (d)
        get_knownalive_domain(d);
    return d;
}

struct domain *get_domain_by_any_id(struct vcpu *v, domid_t domid)
{
    return get_domain_by_id(v->domain->xen, domid == DOMID_SELF ? v->domain->domain_id : domid);
}

struct domain *domain_from(const struct xen *xen, domid_t domid)
{
    for (unsigned int id = domid; id < DOMID_FIRST_RESERVED; id++)
        if (xen->domain_of[id])
            return xen->domain_of[id];
    return NULL;
}
