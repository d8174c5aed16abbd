// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What Xen adds to a PV guest's address space: the M2P to read, and a place of its own for descriptor tables.
 *
 * Concept: the processor reads GDT and LDT at virtual addresses, so they must be mapped in whatever page tables the
 * guest loads. The guest cannot be trusted to keep them mapped, so Xen maps them itself, supervisor-only, in L4 slot
 * 260 of every table of the domain. Of its GDT of 16 pages a guest may fill the first 14 with frames of its own (whose
 * descriptors were checked); page 14 is Xen's: the flat segments that every PV guest can rely on without any GDT
 * (FLAT_KERNEL_CS and its like).
 *
 *      L4 slot 260 -> perdomain L3 -> L2 -> L1 tables: 32 entries a vCPU
 *      vCPU n:   | 0 .. 13 guest's GDT frames | 14 Xen's | 15 - | 16 .. 31 LDT pages, brought in by faults |
 *
 * Corresponds to create_perdomain_mapping(), init_xen_l4_slots() of xen/arch/x86/mm.c and xen/arch/x86/desc.c.
 * Simplified: Xen's own GDT page is one for the whole machine (real Xen has one a processor, with TSS and LDT
 * descriptors, which live in hidden registers here); slots 257 to 259 and 261 to 271 (directmap, Xen's code) are empty,
 * because the hypervisor is no guest code.
 */
#include "mmu/m2p.h"
#include "mmu/pv/private.h"

#include <string.h>

#define VCPUS_PER_L1 16

static mfn_t xen_frame(struct xen *xen)
{
    struct page_info *pg = alloc_xenheap_pages(xen, 0);

    return pg ? page_to_mfn(xen, pg) : INVALID_MFN;
}

/* Selector 0xe008 on: ring 0 code and data, which no guest can load, then the flat segments. */
static mfn_t xen_gdt(struct xen *xen, const struct guest_abi *abi)
{
    const mfn_t mfn = xen_frame(xen);
    uint64_t *desc;

    if (mfn_eq(mfn, INVALID_MFN))
        return mfn;
    desc = frame_write_begin(xen->machine, mfn);
    desc[1] = 0x00af9b000000ffff;
    desc[2] = 0x00cf93000000ffff;
    memcpy(&desc[3], abi->flat_gdt, sizeof(abi->flat_gdt));
    frame_write_end(xen->machine, mfn);
    return mfn;
}

/* Frames that all domains share; made when the first PV domain is. */
static int shared_frames_init(struct xen *xen)
{
    if (mfn_x(xen->zero_mfn))
        return 0;
    xen->pv64_gdt_mfn = xen_gdt(xen, &pv64_abi);
    xen->pv32_gdt_mfn = xen_gdt(xen, &pv32_abi);
    xen->zero_mfn = xen_frame(xen);
    return mfn_valid(xen->machine, xen->zero_mfn) ? 0 : -ENOMEM;
}

void init_xen_l4_slots(const struct domain *d, uint64_t *l4, bool ro_mpt)
{
    memset(&l4[ROOT_PAGETABLE_FIRST_XEN_SLOT], 0,
           (ROOT_PAGETABLE_LAST_XEN_SLOT - ROOT_PAGETABLE_FIRST_XEN_SLOT + 1) * sizeof(*l4));
    if (ro_mpt)
        l4[RO_MPT_SLOT] = pte_make(d->xen->m2p_l3, _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED);
    l4[PERDOMAIN_SLOT] = pte_make(d->pv.perdomain_l3, _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED);
}

/* The table below an entry, made when it is missing. */
static const uint64_t *table_below(struct xen *xen, const uint64_t *entry)
{
    if (!(*entry & _PAGE_PRESENT)) {
        struct page_info *pg = alloc_xenheap_pages(xen, 0);

        if (!pg)
            return NULL;
        frame_write_u64(xen->machine, entry, pte_make(page_to_mfn(xen, pg), _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED));
    }
    return table_map(xen, pte_mfn(*entry));
}

int pv_domain_initialise(struct domain *d)
{
    struct page_info *pg;
    int rc = shared_frames_init(d->xen);

    if (rc)
        return rc;
    pg = alloc_xenheap_pages(d->xen, 0);
    if (!pg)
        return -ENOMEM;
    d->pv.perdomain_l3 = page_to_mfn(d->xen, pg);
    return 0;
}

static void table_free(struct xen *xen, mfn_t mfn, unsigned int level)
{
    const uint64_t *t = table_map(xen, mfn);

    for (unsigned int i = 0; level > 1 && i < PTES_PER_TABLE; i++)
        if (t[i] & _PAGE_PRESENT)
            table_free(xen, pte_mfn(t[i]), level - 1);
    free_xenheap_pages(xen, mfn_to_page(xen, mfn), 0);
}

void pv_domain_destroy(struct domain *d)
{
    if (!mfn_x(d->pv.perdomain_l3) || mfn_eq(d->pv.perdomain_l3, INVALID_MFN))
        return;
    table_free(d->xen, d->pv.perdomain_l3, 3);
    d->pv.perdomain_l3 = INVALID_MFN;
}

const uint64_t *pv_gdt_ptes(const struct vcpu *v)
{
    const struct xen *xen = v->domain->xen;
    const mfn_t top = v->domain->pv.perdomain_l3;
    const uint64_t *l3 = mfn_eq(top, INVALID_MFN) ? NULL : table_map(xen, top), *l2;

    if (!l3 || !(l3[0] & _PAGE_PRESENT))
        return NULL;
    l2 = table_map(xen, pte_mfn(l3[0]));
    if (!(l2[v->vcpu_id / VCPUS_PER_L1] & _PAGE_PRESENT))
        return NULL;
    return table_map(xen, pte_mfn(l2[v->vcpu_id / VCPUS_PER_L1])) + v->vcpu_id % VCPUS_PER_L1 * 32;
}

void pv_destroy_gdt(struct vcpu *v)
{
    struct xen *xen = v->domain->xen;
    const uint64_t *ptes = pv_gdt_ptes(v);

    v->pv.gdt_ents = 0;
    machine_mappings_gone(xen->machine);
    for (unsigned int i = 0; ptes && i < FIRST_RESERVED_GDT_PAGE; i++) {
        if ((ptes[i] & _PAGE_PRESENT) && !mfn_eq(pte_mfn(ptes[i]), xen->zero_mfn))
            put_page_and_type(xen, mfn_to_page(xen, pte_mfn(ptes[i])));
        frame_write_u64(xen->machine, &ptes[i], pte_make(xen->zero_mfn, _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_NX));
        v->pv.gdt_frames[i] = 0;
    }
    vcpu_flush_tlb(v);
}

bool pv_destroy_ldt(struct vcpu *v)
{
    struct xen *xen = v->domain->xen;
    const uint64_t *ptes;

    if (!v->pv.shadow_ldt_mapcnt)
        return false;
    ptes = pv_ldt_ptes(v);
    machine_mappings_gone(xen->machine);
    for (unsigned int i = 0; i < 16; i++) {
        uint64_t e = ptes[i];

        if (!(e & _PAGE_PRESENT))
            continue;
        frame_write_u64(xen->machine, &ptes[i], 0);
        v->pv.shadow_ldt_mapcnt--;
        put_page_and_type(xen, mfn_to_page(xen, pte_mfn(e)));
    }
    BUG_ON(v->pv.shadow_ldt_mapcnt);
    return true;
}

/* PV32: the L4 above the guest's L3 is Xen's own, one a vCPU. Only its slot 0 ever changes. */
static int setup_compat_l4(struct vcpu *v)
{
    struct xen *xen = v->domain->xen;
    struct page_info *pg = alloc_xenheap_pages(xen, 0);

    if (!pg)
        return -ENOMEM;
    m2p32_begin(xen);
    v->pv.guest_table = page_to_mfn(xen, pg);
    init_xen_l4_slots(v->domain, frame_write_begin(xen->machine, v->pv.guest_table), false);
    frame_write_end(xen->machine, v->pv.guest_table);
    return 0;
}

int pv_vcpu_initialise(struct vcpu *v)
{
    struct xen *xen = v->domain->xen;
    const uint64_t *t;

    v->pv.guest_table = v->pv.guest_table_user = v->pv.compat_l3 = INVALID_MFN;
    if (mfn_eq(v->domain->pv.perdomain_l3, INVALID_MFN)) /* there was no memory when its width was set */
        return -ENOMEM;
    t = table_below(xen, table_map(xen, v->domain->pv.perdomain_l3));
    t = t ? table_below(xen, &t[v->vcpu_id / VCPUS_PER_L1]) : NULL;
    if (!t)
        return -ENOMEM;
    pv_destroy_gdt(v); /* fills the window with zero pages */
    frame_write_u64(xen->machine, &pv_gdt_ptes(v)[FIRST_RESERVED_GDT_PAGE],
                    pte_make(pv_xen_gdt_mfn(v->domain), _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_NX));
    return v->domain->abi->root_level == 3 ? setup_compat_l4(v) : 0;
}

void pv_vcpu_destroy(struct vcpu *v)
{
    machine_mappings_gone(v->domain->xen->machine); /* its windows go, and its root */
    if (v->domain->abi->root_level == 3 && !mfn_eq(v->pv.guest_table, INVALID_MFN)) {
        free_xenheap_pages(v->domain->xen, mfn_to_page(v->domain->xen, v->pv.guest_table), 0);
        v->pv.guest_table = INVALID_MFN;
    }
}
