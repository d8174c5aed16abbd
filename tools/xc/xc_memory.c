// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A domain's memory: giving it some, its frames as the toolstack sees them, its page tables, and the grants that it
 * starts with.
 *
 * A foreign frame is reached in two ways: as a copy of a page, or mapped into dom0; both are the hypervisor's calls,
 * which look at whose the frame is and what it is used as.
 */
#include "tools/xc/xc_private.h"

#include "mmu/memory/e820.h"
#include "vcpu/native/map.h"

#include <errno.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>
#include <xen/memory.h>
#include <xen/xen.h>

static int populate(struct xc_handle *xc, domid_t domid, uint64_t nr, uint64_t *p2m, unsigned int flags)
{
    struct xen_memory_reservation res = { .domid = domid, .nr_extents = nr, .mem_flags = flags };
    long done;

    res.extent_start.p = (xen_pfn_t *)p2m;
    done = xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_populate_physmap, PTR(&res), 0, 0, 0);
    if (done < 0)
        return (int)done;
    return (uint64_t)done == nr ? 0 : -ENOMEM;
}

int xc_domain_populate_physmap(struct xc_handle *xc, domid_t domid, uint64_t nr, uint64_t *p2m)
{
    return populate(xc, domid, nr, p2m, 0);
}

int xc_domain_populate_on_demand(struct xc_handle *xc, domid_t domid, uint64_t nr, uint64_t *p2m)
{
    return populate(xc, domid, nr, p2m, XENMEMF_populate_on_demand);
}

int xc_domain_set_pod_target(struct xc_handle *xc, domid_t domid, uint64_t nr)
{
    struct xen_pod_target target = { .target_pages = nr, .domid = domid };

    return (int)xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_set_pod_target, PTR(&target), 0, 0, 0);
}

long xc_domain_maximum_gpfn(struct xc_handle *xc, domid_t domid)
{
    return xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_maximum_gpfn, PTR(&domid), 0, 0, 0);
}

int xc_domain_get_pod(struct xc_handle *xc, domid_t domid, uint64_t *entries, uint64_t *cache)
{
    struct xen_pod_target target = { .domid = domid };
    const int rc = (int)xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_get_pod_target, PTR(&target), 0, 0, 0);

    *entries = target.pod_entries;
    *cache = target.pod_cache_pages;
    return rc;
}

int xc_domain_populate_extent(struct xc_handle *xc, domid_t domid, unsigned int order, uint64_t *p2m)
{
    struct xen_memory_reservation res = { .domid = domid, .nr_extents = 1, .extent_order = order };
    xen_pfn_t first = p2m[0];
    long done;

    res.extent_start.p = &first;
    done = xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_populate_physmap, PTR(&res), 0, 0, 0);
    if (done < 0)
        return (int)done;
    for (uint64_t i = 0; done && i < UINT64_C(1) << order; i++)
        p2m[i] = first + i;
    return done ? 0 : -ENOMEM;
}

int xc_domain_set_memmap_limit(struct xc_handle *xc, domid_t domid, uint64_t map_limitkb)
{
    struct e820entry ram = { .size = map_limitkb << 10, .type = E820_RAM };
    struct xen_foreign_memory_map fmap = { .domid = domid, .map.nr_entries = 1 };

    set_xen_guest_handle(fmap.map.buffer, &ram);
    return (int)xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_set_memory_map, PTR(&fmap), 0, 0, 0);
}

int xc_domain_set_memory_map(struct xc_handle *xc, domid_t domid, const struct hvm_memmap_table_entry *map,
                             unsigned int nr)
{
    struct e820entry e820[E820_MAX];
    struct xen_foreign_memory_map fmap = { .domid = domid, .map.nr_entries = nr };

    if (nr > E820_MAX)
        return -E2BIG;
    for (unsigned int i = 0; i < nr; i++)
        e820[i] = (struct e820entry){ .addr = map[i].addr, .size = map[i].size, .type = map[i].type };
    set_xen_guest_handle(fmap.map.buffer, e820);
    return (int)xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_set_memory_map, PTR(&fmap), 0, 0, 0);
}

int xc_hvm_param_set(struct xc_handle *xc, domid_t domid, uint32_t param, uint64_t value)
{
    struct xen_hvm_param p = { .domid = domid, .index = param, .value = value };

    return (int)xc_hypercall(xc, __HYPERVISOR_hvm_op, HVMOP_set_param, PTR(&p), 0, 0, 0);
}

int xc_hvm_param_get(struct xc_handle *xc, domid_t domid, uint32_t param, uint64_t *value)
{
    struct xen_hvm_param p = { .domid = domid, .index = param };
    const int rc = (int)xc_hypercall(xc, __HYPERVISOR_hvm_op, HVMOP_get_param, PTR(&p), 0, 0, 0);

    *value = p.value;
    return rc;
}

/* A context of one record, of a vCPU. */
static int hvm_record_set(struct xc_handle *xc, domid_t domid, uint16_t code, unsigned int vcpu, const void *record,
                          size_t size)
{
    struct {
        struct hvm_save_descriptor d1;
        struct hvm_save_header header;
        struct hvm_save_descriptor d2;
        uint8_t rest[sizeof(struct hvm_hw_cpu) + sizeof(struct hvm_save_descriptor)];
    } __attribute__((packed)) s = {
        .d1 = { HVM_SAVE_CODE(HEADER), 0, sizeof(s.header) },
        .header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION },
        .d2 = { code, (uint16_t)vcpu, (uint32_t)size },
    };
    const struct hvm_save_descriptor end = { HVM_SAVE_CODE(END), 0, 0 };
    struct xen_domctl op = { .cmd = XEN_DOMCTL_sethvmcontext, .domain = domid };

    BUG_ON(size + sizeof(end) > sizeof(s.rest));
    memcpy(s.rest, record, size);
    memcpy(s.rest + size, &end, sizeof(end));
    op.u.hvmcontext.size = (uint32_t)(sizeof(s) - sizeof(s.rest) + size + sizeof(end));
    set_xen_guest_handle(op.u.hvmcontext.buffer, (uint8_t *)&s);
    return xc_domctl(xc, &op);
}

int xc_domain_hvm_setcontext_cpu(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const struct hvm_hw_cpu *cpu)
{
    return hvm_record_set(xc, domid, HVM_SAVE_CODE(CPU), vcpu, cpu, sizeof(*cpu));
}

int xc_domain_hvm_mtrr_default(struct xc_handle *xc, domid_t domid, unsigned int vcpu, uint64_t def_type)
{
    struct hvm_hw_mtrr mtrr;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gethvmcontext_partial, .domain = domid };
    int rc;

    op.u.hvmcontext_partial.type = HVM_SAVE_CODE(MTRR);
    op.u.hvmcontext_partial.instance = vcpu;
    op.u.hvmcontext_partial.bufsz = sizeof(mtrr);
    set_xen_guest_handle(op.u.hvmcontext_partial.buffer, (uint8_t *)&mtrr);
    rc = xc_domctl(xc, &op);
    mtrr.msr_mtrr_def_type = def_type;
    return rc ? rc : hvm_record_set(xc, domid, HVM_SAVE_CODE(MTRR), vcpu, &mtrr, sizeof(mtrr));
}

int xc_pin_table_step(struct xc_handle *xc, domid_t domid, unsigned int cmd, mfn_t root)
{
    struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn_x(root) };

    struct hypercall_args args = { { PTR(&op), 1, 0, domid } };
    int rc;

    /* Without its list the call is over, but for giving up what a table that was refused had taken. */
    do
        rc = (int)hypercall_native_once(xc->v, __HYPERVISOR_mmuext_op, &args);
    while (rc == -ERESTART && !args.a[0]);
    return rc;
}

static int seed_at(struct xc_handle *xc, domid_t domid, mfn_t table, mfn_t console, mfn_t xenstore)
{
    grant_entry_v1_t *entry = xc_map_foreign(xc, domid, table);

    if (!entry)
        return -EINVAL;
    entry[GNTTAB_RESERVED_CONSOLE] = (grant_entry_v1_t){ GTF_permit_access, 0, (uint32_t)mfn_x(console) };
    entry[GNTTAB_RESERVED_XENSTORE] = (grant_entry_v1_t){ GTF_permit_access, 0, (uint32_t)mfn_x(xenstore) };
    xc_unmap(xc, entry);
    return 0;
}

int xc_gnttab_hvm_seed(struct xc_handle *xc, domid_t domid, mfn_t scratch, mfn_t console, mfn_t xenstore)
{
    struct xen_add_to_physmap add = { .domid = domid, .space = XENMAPSPACE_grant_table, .gpfn = mfn_x(scratch) };
    struct xen_remove_from_physmap remove = { .domid = domid, .gpfn = mfn_x(scratch) };
    int rc = (int)xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, PTR(&add), 0, 0, 0);

    if (rc)
        return rc;
    rc = seed_at(xc, domid, scratch, console, xenstore);
    return (int)xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, PTR(&remove), 0, 0, 0) ?: rc;
}

int xc_gnttab_seed(struct xc_handle *xc, domid_t domid, mfn_t console, mfn_t xenstore)
{
    xen_pfn_t frame = 0;
    struct gnttab_setup_table setup = { .dom = domid, .nr_frames = 1 };
    long rc;

    set_xen_guest_handle(setup.frame_list, &frame);
    rc = xc_hypercall(xc, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, PTR(&setup), 1, 0, 0);
    if (rc || setup.status != GNTST_okay)
        return rc ? (int)rc : -EINVAL;
    return seed_at(xc, domid, _mfn(frame), console, xenstore);
}

int xc_get_pfn_type_batch(struct xc_handle *xc, domid_t domid, unsigned int nr, uint64_t *frames)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getpageframeinfo3, .domain = domid, .u.getpageframeinfo3.num = nr };

    op.u.getpageframeinfo3.array.p = (void *)frames;
    return xc_domctl(xc, &op);
}

int xc_machphys_mfn_list(struct xc_handle *xc, unsigned int max, xen_pfn_t *extents)
{
    struct xen_machphys_mfn_list op = { .max_extents = max };
    long rc;

    set_xen_guest_handle(op.extent_start, extents);
    rc = xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, PTR(&op), 0, 0, 0);
    return rc ? (int)rc : (int)op.nr_extents;
}

int xc_read_foreign(struct xc_handle *xc, domid_t domid, mfn_t mfn, void *page)
{
    return native_read_foreign(xc->v, domid, mfn, page);
}

int xc_copy_to_domain_page(struct xc_handle *xc, domid_t domid, mfn_t mfn, const void *page)
{
    return native_write_foreign(xc->v, domid, mfn, page);
}

void *xc_map_foreign(struct xc_handle *xc, domid_t domid, mfn_t mfn) { return native_map_foreign(xc->v, domid, mfn); }

void xc_unmap(struct xc_handle *xc, void *ptr) { native_unmap(xc->v, ptr); }
