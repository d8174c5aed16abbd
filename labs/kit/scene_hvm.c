// SPDX-License-Identifier: GPL-2.0-or-later
/* An HVM guest to be played with: see kit.h. */
#include "labs/kit/kit.h"
#include "mmu/page.h"
#include "vcpu/hypercall.h"
#include "vcpu/native/kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xen/domctl.h>
#include <xen/memory.h>

static void domctl(struct kit_scene *k, struct xen_domctl *op)
{
    long rc;

    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    rc = hypercall_native(native_vcpu(k->dom0), __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0, 0);
    if (rc)
        kit_die("domctl %u: %ld", op->cmd, rc);
}

static void populate(struct kit_scene *k, unsigned int pages)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_max_mem, .domain = k->d->domain_id };
    struct xen_memory_reservation r = { .nr_extents = pages, .domid = k->d->domain_id };
    uint64_t *gfn = calloc(pages, sizeof(*gfn));
    long done;

    if (!gfn)
        kit_die("not enough memory");
    for (unsigned int i = 0; i < pages; i++)
        gfn[i] = i;
    op.u.max_mem.max_memkb = (uint64_t)pages << (PAGE_SHIFT - 10);
    domctl(k, &op);
    set_xen_guest_handle(r.extent_start, gfn);
    done =
        hypercall_native(native_vcpu(k->dom0), __HYPERVISOR_memory_op, XENMEM_populate_physmap, (uintptr_t)&r, 0, 0, 0);
    if (done != pages)
        kit_die("%ld of %u pages are populated", done, pages);
    free(gfn);
}

struct kit_scene *kit_scene_hvm(bool hap, unsigned int pages)
{
    struct kit_scene *k = kit_scene_empty();
    struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain };

    op.u.createdomain = (struct xen_domctl_createdomain){ .flags = XEN_DOMCTL_CDF_hvm | (hap ? XEN_DOMCTL_CDF_hap : 0),
                                                          .max_vcpus = 1,
                                                          .max_evtchn_port = 100,
                                                          .grant_opts = 1 };
    op.u.createdomain.max_grant_frames = op.u.createdomain.max_maptrack_frames = 4;
    domctl(k, &op);
    k->d = get_domain_by_id(k->xen, op.domain);
    put_domain(k->d);
    op = (struct xen_domctl){ .cmd = XEN_DOMCTL_max_vcpus, .domain = k->d->domain_id, .u.max_vcpus.max = 1 };
    domctl(k, &op);
    k->v = k->d->vcpu[0];
    if (pages)
        populate(k, pages);
    return k;
}
