// SPDX-License-Identifier: GPL-2.0-or-later
/* Foreign frames, as native code sees them: see vcpu/native/map.h. */
#include "vcpu/native/map.h"

#include "mmu/memory/foreign.h"
#include "sim/frame.h"

#include <errno.h>
#include <string.h>
#include <xen/memory.h>

#define PTR(p) ((uint64_t)(uintptr_t)(p))

/* *gfn: where it is. */
static int add(struct vcpu *v, domid_t domid, mfn_t mfn, uint64_t window, uint64_t *gfn)
{
    struct xen_add_to_physmap_batch op = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 1, .u.foreign_domid = domid
    };
    uint64_t idx = mfn_x(mfn);
    int err = 0;
    long rc;

    *gfn = window;
    set_xen_guest_handle(op.idxs, &idx);
    set_xen_guest_handle(op.gpfns, gfn);
    set_xen_guest_handle(op.errs, &err);
    rc = hypercall_native(v, __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, PTR(&op), 0, 0, 0);
    return rc ? (int)rc : err;
}

static void take_away(struct vcpu *v, uint64_t gfn)
{
    struct xen_remove_from_physmap op = { .domid = DOMID_SELF, .gpfn = gfn };

    BUG_ON(hypercall_native(v, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, PTR(&op), 0, 0, 0));
}

void *native_map_foreign(struct vcpu *v, domid_t domid, mfn_t mfn)
{
    uint64_t gfn;

    return add(v, domid, mfn, 0, &gfn) ? NULL : frame_shared(v->domain->xen->machine, _mfn(gfn));
}

void native_unmap(struct vcpu *v, void *ptr) { take_away(v, mfn_x(virt_to_mfn(v->domain->xen->machine, ptr))); }

const void *native_look_foreign(struct vcpu *v, domid_t domid, mfn_t mfn)
{
    uint64_t gfn;

    if (add(v, domid, mfn, NATIVE_GFN_READ_ONLY, &gfn))
        return NULL;
    return mfn_to_virt(v->domain->xen->machine, _mfn(gfn & ~NATIVE_GFN_READ_ONLY));
}

void native_unlook(struct vcpu *v, const void *ptr)
{
    take_away(v, mfn_x(virt_to_mfn(v->domain->xen->machine, ptr)) | NATIVE_GFN_READ_ONLY);
}

int native_write_foreign(struct vcpu *v, domid_t domid, mfn_t mfn, const void *page)
{
    uint64_t gfn;
    const int rc = add(v, domid, mfn, 0, &gfn);

    if (rc)
        return rc;
    native_charge(v, CLOCK_NS_PER_KIB * PAGE_SIZE / 1024);
    frame_fill(v->domain->xen->machine, _mfn(gfn), page);
    take_away(v, gfn);
    return 0;
}

int native_read_foreign(struct vcpu *v, domid_t domid, mfn_t mfn, void *page)
{
    uint64_t gfn;
    const int rc = add(v, domid, mfn, NATIVE_GFN_READ_ONLY, &gfn);

    if (rc)
        return rc;
    native_charge(v, CLOCK_NS_PER_KIB * PAGE_SIZE / 1024);
    frame_read(v->domain->xen->machine, _mfn(gfn & ~NATIVE_GFN_READ_ONLY), page);
    take_away(v, gfn);
    return 0;
}
