// SPDX-License-Identifier: GPL-2.0-or-later
/* Grants, as native code uses them: see vcpu/native/grant.h. */
#include "vcpu/native/grant.h"

#include "sim/frame.h"

#include <xen/memory.h>

#define PTR(p) ((uint64_t)(uintptr_t)(p))

void *native_grant_map(struct vcpu *v, domid_t domid, grant_ref_t ref, grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op = { .flags = GNTMAP_host_map, .ref = ref, .dom = domid };

    if (hypercall_native(v, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, PTR(&op), 1, 0, 0) ||
        op.status != GNTST_okay)
        return NULL;
    *handle = op.handle;
    return (void *)(uintptr_t)op.host_addr;
}

void native_grant_unmap(struct vcpu *v, void *ptr, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = { .host_addr = PTR(ptr), .handle = handle };

    BUG_ON(hypercall_native(v, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, PTR(&op), 1, 0, 0) ||
           op.status != GNTST_okay);
}

void native_grant_copy(struct vcpu *v, struct gnttab_copy *ops, unsigned int nr)
{
    if (nr)
        BUG_ON(hypercall_native(v, __HYPERVISOR_grant_table_op, GNTTABOP_copy, PTR(ops), nr, 0, 0));
}

void *native_frame_alloc(struct vcpu *v)
{
    struct xen_memory_reservation op = { .nr_extents = 1, .domid = DOMID_SELF };
    xen_pfn_t frame;

    if (v->native.pooled)
        return v->native.nr_pool ? frame_share(v->domain->xen->machine, _mfn(v->native.pool[--v->native.nr_pool]))
                                 : NULL;
    set_xen_guest_handle(op.extent_start, &frame);
    if (hypercall_native(v, __HYPERVISOR_memory_op, XENMEM_increase_reservation, PTR(&op), 0, 0, 0) != 1)
        return NULL;
    return frame_share(v->domain->xen->machine, _mfn(frame));
}

void native_frame_free(struct vcpu *v, void *ptr)
{
    struct xen_memory_reservation op = { .nr_extents = 1, .domid = DOMID_SELF };
    xen_pfn_t frame;

    if (!ptr)
        return;
    frame = native_frame(v, ptr);
    frame_unshare(v->domain->xen->machine, _mfn(frame));
    if (v->native.pooled) {
        v->native.pool[v->native.nr_pool++] = frame;
        return;
    }
    set_xen_guest_handle(op.extent_start, &frame);
    BUG_ON(hypercall_native(v, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, PTR(&op), 0, 0, 0) != 1);
}

xen_pfn_t native_frame(const struct vcpu *v, const void *ptr)
{
    return mfn_x(virt_to_mfn(v->domain->xen->machine, ptr));
}
