// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm_op: what a device model asks of the hypervisor.
 *
 * Concept: the calls of a program that is trusted with one domain and no other: to hear of its accesses to devices
 * (ioreq.h), to pull the lines of its interrupt controllers, to say which of its memory it has written. Arguments lie
 * in buffers that are named one by one, so that whoever runs the device model's system can check them without knowing
 * the calls.
 *
 * Corresponds to xen/arch/x86/hvm/dm.c of 4.17; public hvm/dm_op.h.
 */
#include "evtchn/event_channel.h"
#include "mmu/compat.h"
#include "mmu/guest_access.h"
#include "mmu/hvm/pod.h"
#include "mmu/log_dirty.h"
#include "mmu/memory/memory.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/hvm/ioreq.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <string.h>
#include <xen/memory.h>

struct dmop {
    struct vcpu *v;   /* who calls */
    struct domain *d; /* the domain it is about */
    struct xen_dm_op op;
    struct xen_dm_op_buf buf[2];
    unsigned int nr_bufs;
    bool changed; /* op goes back to the caller */
};

/* ------------------------------------------------------------------------------------------------------- servers -- */

static int create_server(struct dmop *m)
{
    struct xen_dm_op_create_ioreq_server *a = &m->op.u.create_ioreq_server;

    m->changed = true;
    if (a->pad[0] || a->pad[1] || a->pad[2])
        return -EINVAL;
    return ioreq_server_create(m->d, m->v->domain, a->handle_bufioreq, &a->id);
}

static int get_info(struct dmop *m)
{
    struct xen_dm_op_get_ioreq_server_info *a = &m->op.u.get_ioreq_server_info;

    m->changed = true;
    return a->flags & ~XEN_DMOP_no_gfns ? -EINVAL : ioreq_server_get_info(m->d, m->v->domain, a);
}

static int io_range(struct dmop *m)
{
    const struct xen_dm_op_ioreq_server_range *a = &m->op.u.map_io_range_to_ioreq_server;

    return a->pad ? -EINVAL
                  : ioreq_server_range(m->d, m->v->domain, a, m->op.op == XEN_DMOP_map_io_range_to_ioreq_server);
}

static int set_state(struct dmop *m)
{
    const struct xen_dm_op_set_ioreq_server_state *a = &m->op.u.set_ioreq_server_state;

    return a->pad ? -EINVAL : ioreq_server_set_state(m->d, m->v->domain, a->id, a->enabled);
}

static int destroy_server(struct dmop *m)
{
    const struct xen_dm_op_destroy_ioreq_server *a = &m->op.u.destroy_ioreq_server;

    return a->pad ? -EINVAL : ioreq_server_destroy(m->d, m->v->domain, a->id);
}

/* ---------------------------------------------------------------------------------------------------- interrupts -- */

static int set_pci_intx_level(struct dmop *m)
{
    const struct xen_dm_op_set_pci_intx_level *a = &m->op.u.set_pci_intx_level;

    if (a->domain || a->bus || a->device > 31 || a->intx > 3 || a->level > 1)
        return -EINVAL;
    (a->level ? hvm_pci_intx_assert : hvm_pci_intx_deassert)(&m->d->hvm->irq, a->device, a->intx);
    return 0;
}

static int set_isa_irq_level(struct dmop *m)
{
    const struct xen_dm_op_set_isa_irq_level *a = &m->op.u.set_isa_irq_level;

    if (a->isa_irq > 15 || a->level > 1)
        return -EINVAL;
    (a->level ? hvm_isa_irq_assert : hvm_isa_irq_deassert)(&m->d->hvm->irq, a->isa_irq);
    return 0;
}

static int set_pci_link_route(struct dmop *m)
{
    const struct xen_dm_op_set_pci_link_route *a = &m->op.u.set_pci_link_route;

    return hvm_set_pci_link_route(&m->d->hvm->irq, a->link, a->isa_irq);
}

static int inject_msi(struct dmop *m)
{
    const struct xen_dm_op_inject_msi *a = &m->op.u.inject_msi;

    return a->pad ? -EINVAL : hvm_inject_msi(&m->d->hvm->irq, a->addr, a->data);
}

static int inject_event(struct dmop *m)
{
    const struct xen_dm_op_inject_event *a = &m->op.u.inject_event;
    struct vcpu *v;

    if (a->pad0 || a->pad1)
        return -EINVAL;
    v = domain_vcpu(m->d, a->vcpuid);
    if (!v)
        return -EINVAL;
    if (v->hvm->inject.set)
        return -EBUSY;
    v->hvm->inject.event = (struct hvm_event){ .vector = a->vector,
                                               .insn_len = a->insn_len,
                                               .has_error_code = a->error_code != UINT32_MAX,
                                               .error_code = a->error_code,
                                               .cr2 = a->cr2 };
    switch (a->type) {
    case XEN_DMOP_EVENT_ext_int: v->hvm->inject.event.type = HVM_EVENT_INTERRUPT; break;
    case XEN_DMOP_EVENT_nmi: v->hvm->inject.event.type = HVM_EVENT_NMI; break;
    case XEN_DMOP_EVENT_hw_exc: v->hvm->inject.event.type = HVM_EVENT_EXCEPTION; break;
    case XEN_DMOP_EVENT_pri_sw_exc: v->hvm->inject.event.type = HVM_EVENT_ICEBP; break;
    case XEN_DMOP_EVENT_sw_int:
    case XEN_DMOP_EVENT_sw_exc: v->hvm->inject.event.type = HVM_EVENT_SOFTINT; break;
    default: return -EINVAL;
    }
    v->hvm->inject.set = true;
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- memory -- */

/* A device model has written to these, through a mapping: the log cannot know. */
static int modified_memory(struct dmop *m)
{
    struct xen_dm_op_modified_memory *a = &m->op.u.modified_memory;
    const uint64_t room = m->nr_bufs > 1 ? m->buf[1].size / sizeof(struct xen_dm_op_modified_memory_extent) : 0;

    m->changed = true;
    if (a->opaque > a->nr_extents || a->nr_extents > room)
        return -EINVAL;
    for (; a->opaque < a->nr_extents; a->opaque++) {
        struct xen_dm_op_modified_memory_extent e;

        if (copy_from_guest(m->v, &e, (uintptr_t)m->buf[1].h.p + a->opaque * sizeof(e), sizeof(e)))
            return -EFAULT;
        if (e.pad || e.first_pfn + e.nr <= e.first_pfn || e.first_pfn + e.nr - 1 > P2M_MAX_GFN) {
            a->nr_extents = a->opaque + 1;
            return -EINVAL;
        }
        for (uint64_t gfn = e.first_pfn; m->d->log_dirty && gfn < e.first_pfn + e.nr; gfn++) {
            p2m_type_t t;
            const mfn_t mfn = p2m_get_entry(m->d, gfn, &t);

            if (p2m_is_ram(t))
                paging_mark_dirty(m->d, mfn);
        }
    }
    a->opaque = 0;
    return 0;
}

static int set_mem_type(struct dmop *m)
{
    static const int8_t p2m_type[] = {
        [HVMMEM_ram_rw] = p2m_ram_rw, [HVMMEM_ram_ro] = p2m_ram_ro, [HVMMEM_mmio_dm] = p2m_mmio_dm, [HVMMEM_unused] = -1
    };
    struct xen_dm_op_set_mem_type *a = &m->op.u.set_mem_type;

    m->changed = true;
    if (a->pad)
        return -EINVAL;
    if (a->mem_type >= ARRAY_SIZE(p2m_type) || p2m_type[a->mem_type] < 0)
        return -EINVAL;
    if (!a->nr || a->first_pfn > P2M_MAX_GFN || a->first_pfn + a->nr - 1 > P2M_MAX_GFN)
        return -EINVAL;
    while (a->nr) {
        p2m_type_t t;
        mfn_t mfn;
        int rc = 0;

        p2m_pod_populate(m->d, a->first_pfn);
        mfn = p2m_get_entry(m->d, a->first_pfn, &t);
        if (p2m_is_special(t) || (!p2m_is_ram(t) && p2m_type[a->mem_type] != p2m_mmio_dm))
            return -EINVAL;
        if (p2m_is_ram(t))
            rc = p2m_type[a->mem_type] == p2m_mmio_dm
                     ? guest_physmap_remove_page(m->d, a->first_pfn, mfn)
                     : p2m_set_entry(m->d, a->first_pfn, mfn, (p2m_type_t)p2m_type[a->mem_type]);
        if (rc)
            return rc;
        a->first_pfn++, a->nr--;
        if (a->nr && hypercall_preempt_check(m->v))
            return -ERESTART;
    }
    return 0;
}

/*
 * Which frames of a range have been written since the last call: they are read-only until they are, so the first store
 * to each leaves (exits.c). The first call for a range finds all of them changed.
 */
static int track_dirty_vram(struct dmop *m)
{
    const struct xen_dm_op_track_dirty_vram *a = &m->op.u.track_dirty_vram;
    struct p2m_domain *p2m = m->d->p2m;
    const bool anew = p2m->dirty_vram.first != a->first_pfn || p2m->dirty_vram.nr != a->nr;

    if (a->pad || a->nr > (1u << 30 >> PAGE_SHIFT) || a->first_pfn > P2M_MAX_GFN || a->first_pfn + a->nr > P2M_MAX_GFN)
        return -EINVAL;
    if (m->nr_bufs < 2 || m->buf[1].size < (a->nr + 7) / 8)
        return -EINVAL;
    for (uint64_t i = 0; i < a->nr; i += 8) {
        uint8_t bits = 0;

        for (unsigned int bit = 0; bit < 8 && i + bit < a->nr; bit++) {
            p2m_type_t t;
            const mfn_t mfn = p2m_get_entry(m->d, a->first_pfn + i + bit, &t);

            if (anew || t == p2m_ram_rw)
                bits |= (uint8_t)(1u << bit);
            if (t == p2m_ram_rw && p2m_set_entry(m->d, a->first_pfn + i + bit, mfn, p2m_ram_logdirty))
                return -ENOMEM;
        }
        if (copy_to_guest(m->v, (uintptr_t)m->buf[1].h.p + i / 8, &bits, 1))
            return -EFAULT;
    }
    p2m->dirty_vram.first = a->first_pfn;
    p2m->dirty_vram.nr = a->nr;
    return 0;
}

static int relocate_memory(struct dmop *m)
{
    struct xen_dm_op_relocate_memory *a = &m->op.u.relocate_memory;

    m->changed = true;
    if (a->pad)
        return -EINVAL;
    while (a->size) {
        const int rc = xenmem_add_to_physmap_one(m->d, XENMAPSPACE_gmfn, a->src_gfn, a->dst_gfn);

        if (rc)
            return rc;
        a->src_gfn++, a->dst_gfn++, a->size--;
        if (a->size && hypercall_preempt_check(m->v))
            return -ERESTART;
    }
    return 0;
}

/* All of a guest's memory is of one type here, whatever it says: it is only looked whether there is such a type. */
static int pin_memory_cacheattr(struct dmop *m)
{
    const struct xen_dm_op_pin_memory_cacheattr *a = &m->op.u.pin_memory_cacheattr;

    if (a->pad || a->end < a->start)
        return -EINVAL;
    switch (a->type) {
    case XEN_DMOP_DELETE_MEM_CACHEATTR:
    case XEN_DMOP_MEM_CACHEATTR_UC:
    case XEN_DMOP_MEM_CACHEATTR_WC:
    case XEN_DMOP_MEM_CACHEATTR_WT:
    case XEN_DMOP_MEM_CACHEATTR_WP:
    case XEN_DMOP_MEM_CACHEATTR_WB:
    case XEN_DMOP_MEM_CACHEATTR_UCM: return 0;
    default: return -EINVAL;
    }
}

/* ---------------------------------------------------------------------------------------------------------- rest -- */

static int remote_shutdown(struct dmop *m)
{
    domain_shutdown(m->d, (int)m->op.u.remote_shutdown.reason);
    return 0;
}

static int nr_vcpus(struct dmop *m)
{
    m->op.u.nr_vcpus.vcpus = m->d->max_vcpus;
    m->changed = true;
    return 0;
}

#define OP(name, handler) [XEN_DMOP_##name] = { handler, sizeof(((struct xen_dm_op *)0)->u.name) }
static const struct {
    int (*handler)(struct dmop *m);
    size_t size;
} ops[] = {
    OP(create_ioreq_server, create_server),
    OP(get_ioreq_server_info, get_info),
    OP(map_io_range_to_ioreq_server, io_range),
    OP(unmap_io_range_from_ioreq_server, io_range),
    OP(set_ioreq_server_state, set_state),
    OP(destroy_ioreq_server, destroy_server),
    OP(track_dirty_vram, track_dirty_vram),
    OP(set_pci_intx_level, set_pci_intx_level),
    OP(set_isa_irq_level, set_isa_irq_level),
    OP(set_pci_link_route, set_pci_link_route),
    OP(modified_memory, modified_memory),
    OP(set_mem_type, set_mem_type),
    OP(inject_event, inject_event),
    OP(inject_msi, inject_msi),
    OP(remote_shutdown, remote_shutdown),
    OP(relocate_memory, relocate_memory),
    OP(pin_memory_cacheattr, pin_memory_cacheattr),
    OP(nr_vcpus, nr_vcpus),
};

static int dm_op(struct dmop *m)
{
    const size_t head = offsetof(struct xen_dm_op, u);
    const uint64_t at = (uintptr_t)m->buf[0].h.p;
    int rc;

    if (!m->nr_bufs || m->buf[0].size < head || copy_from_guest(m->v, &m->op, at, head))
        return -EFAULT;
    if (m->op.op >= ARRAY_SIZE(ops) || !ops[m->op.op].handler)
        return -EOPNOTSUPP;
    if (m->buf[0].size < head + ops[m->op.op].size || copy_from_guest(m->v, &m->op.u, at + head, ops[m->op.op].size))
        return -EFAULT;
    if (m->op.pad)
        return -EINVAL;
    rc = ops[m->op.op].handler(m);
    if ((!rc || rc == -ERESTART || m->op.op == XEN_DMOP_modified_memory) && m->changed &&
        copy_to_guest(m->v, at + head, &m->op.u, ops[m->op.op].size))
        return -EFAULT;
    return rc;
}

static int buffers(struct dmop *m, uint64_t at)
{
    const size_t size = compat_size(m->v->domain, COMPAT_xen_dm_op_buf);

    for (unsigned int i = 0; i < m->nr_bufs; i++)
        if (compat_from_guest(m->v, &m->buf[i], at + i * size, COMPAT_xen_dm_op_buf))
            return -EFAULT;
    return 0;
}

/* (Xen answers 0 for a domain that is none of HVM's, and does nothing.) */
long do_dm_op(struct vcpu *v, struct hypercall_args *args)
{
    struct dmop m = { .v = v, .nr_bufs = (unsigned int)args->a[1] };
    long rc;

    if (m.nr_bufs > ARRAY_SIZE(m.buf))
        return -E2BIG;
    if (buffers(&m, args->a[2]))
        return -EFAULT;
    m.d = get_domain_by_id(v->domain->xen, (domid_t)args->a[0]);
    if (!m.d)
        return -ESRCH;
    if (m.d == v->domain)
        rc = -EPERM;
    else
        rc = !is_hvm_domain(m.d) ? 0 : xsm_dm_op(v->domain, m.d) ?: m.d->is_dying ? -EINVAL : dm_op(&m);
    put_domain(m.d);
    return rc;
}
