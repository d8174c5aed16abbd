// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vcpu_info: where a vCPU is told that something is pending, and the frames that a guest lends to event channels.
 *
 * Concept: the first 32 vCPUs have a struct vcpu_info in the domain's shared_info. A guest may move it into memory of
 * its own (VCPUOP_register_vcpu_info), once for each vCPU, which is what Linux does, and what vCPU 32 and up must do:
 * until then they have a dummy that no guest can see. FIFO control blocks and event arrays are frames lent in the same
 * way.
 *
 * Invariants: a frame that the hypervisor writes to holds a reference (it is not freed) and a writable type (it does
 * not become a page table) for as long as it is written to. While the move happens nothing may be lost: the old
 * contents are copied, and then everything is marked as pending; the guest finds out what really was.
 *
 * Corresponds to map_vcpu_info() and vcpu_info_reset() in xen/common/domain.c, map_guest_page() in event_fifo.c.
 */
#include "evtchn/event_channel.h"

#include "mmu/hvm/p2m.h"
#include "mmu/page.h"
#include "sim/frame.h"

#include <errno.h>
#include <string.h>
#include <xen/foreign/x86_32.h>

void *evtchn_pin_frame(struct domain *d, uint64_t gfn, mfn_t *mfn)
{
    struct xen *xen = d->xen;
    struct page_info *pg;
    p2m_type_t t;

    pg = get_page_from_gfn(d, gfn, &t);
    if (!pg)
        return NULL;
    if (!get_page_type(xen, pg, PGT_writable_page)) {
        put_page(xen, pg);
        return NULL;
    }
    *mfn = page_to_mfn(xen, pg);
    return frame_share(xen->machine, *mfn);
}

void evtchn_unpin_frame(struct domain *d, mfn_t mfn)
{
    frame_unshare(d->xen->machine, mfn);
    put_page_and_type(d->xen, mfn_to_page(d->xen, mfn));
}

void *evtchn_pending_sel(const struct vcpu *v)
{
    if (has_32bit_shinfo(v->domain))
        return &((struct vcpu_info_x86_32 *)v->vcpu_info)->evtchn_pending_sel;
    return &v->vcpu_info->evtchn_pending_sel;
}

void vcpu_info_reset(struct vcpu *v)
{
    if (v->vcpu_id < XEN_LEGACY_MAX_VCPUS)
        v->vcpu_info = &v->domain->shared_info->vcpu_info[v->vcpu_id];
    else
        v->vcpu_info = &v->dummy_vcpu_info;
    v->vcpu_info_mfn = INVALID_MFN;
}

void vcpu_mark_events_pending(struct vcpu *v)
{
    if (!v ||
        shared_test_and_set_bit(&v->vcpu_info->evtchn_upcall_pending, 0)) /* its other bits are the guest's affair */
        return;
    if (is_hvm_domain(v->domain))
        v->domain->xen->hooks->hvm_assert_evtchn_irq(v);
    else
        vcpu_kick(v);
}

void evtchn_check_pollers(struct domain *d, evtchn_port_t port)
{
    uint64_t waiting = d->poll_mask;

    for (; waiting; waiting &= waiting - 1) {
        struct vcpu *v = d->vcpu[__builtin_ctzll(waiting)];

        if (v->poll_evtchn > 0 && (evtchn_port_t)v->poll_evtchn != port)
            continue;
        d->poll_mask &= ~(UINT64_C(1) << v->vcpu_id);
        v->poll_evtchn = 0;
        vcpu_kick(v);
    }
}

int map_vcpu_info(struct vcpu *v, const struct vcpu *curr, uint64_t gfn, unsigned int offset)
{
    const bool is_32bit = has_32bit_shinfo(v->domain);
    const unsigned int align = is_32bit ? sizeof(uint32_t) : sizeof(uint64_t);
    vcpu_info_at_4 *info;
    mfn_t mfn;
    void *page;

    if (offset > PAGE_SIZE - sizeof(*info) || offset % align)
        return -ENXIO;
    if (!mfn_eq(v->vcpu_info_mfn, INVALID_MFN))
        return -EINVAL;
    if (v != curr && !(v->pause_flags & VPF_down))
        return -EINVAL;
    page = evtchn_pin_frame(v->domain, gfn, &mfn);
    if (!page)
        return -EINVAL;
    info = (vcpu_info_at_4 *)((uint8_t *)page + offset);
    memcpy(info, v->vcpu_info, sizeof(*info));
    if (vcpu_info_is_dummy(v)) {
        memset(info, 0, sizeof(*info));
        info->evtchn_upcall_mask = 1;
    }
    v->vcpu_info = info;
    v->vcpu_info_mfn = mfn;
    info->evtchn_upcall_pending = 1;
    memset(evtchn_pending_sel(v), 0xff, is_32bit ? 4 : 8);
    return 0;
}

void unmap_vcpu_info(struct vcpu *v)
{
    const mfn_t mfn = v->vcpu_info_mfn;

    if (mfn_eq(mfn, INVALID_MFN))
        return;
    vcpu_info_reset(v);
    evtchn_unpin_frame(v->domain, mfn);
}

int evtchn_map_pirq_eoi(struct domain *d, uint64_t gfn)
{
    mfn_t mfn;

    if (!evtchn_pin_frame(d, gfn, &mfn))
        return -EINVAL;
    if (d->pirq_eoi_mfn) {
        evtchn_unpin_frame(d, mfn);
        return -EBUSY;
    }
    d->pirq_eoi_mfn = mfn_x(mfn);
    if (is_hardware_domain(d)) { /* it is to say EOI for each of them: edges' do no harm */
        memset(frame_write_begin(d->xen->machine, mfn), 0xff, sizeof(d->pirqs));
        frame_write_end(d->xen->machine, mfn);
    }
    return 0;
}
