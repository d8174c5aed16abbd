// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PV paging as the rest of the hypervisor uses it. The rules are explained in mmu/pv/validate.c.
 */
#ifndef MMU_PV_PV_H
#define MMU_PV_PV_H

#include "mmu/page.h"
#include "vcpu/noun/guest_abi.h"

/* Xen's own slots in a PV64 guest's L4 (public: arch-x86/xen-x86_64.h, HYPERVISOR_VIRT_START/END). */
#define ROOT_PAGETABLE_FIRST_XEN_SLOT 256
#define ROOT_PAGETABLE_LAST_XEN_SLOT  271
#define RO_MPT_SLOT                   256
#define PERDOMAIN_SLOT                260
#define PERDOMAIN_VIRT_START          UINT64_C(0xffff820000000000)
/* GDT and LDT of vCPU n are mapped (supervisor) in the domain's own L4 slot: 16 pages each, 32 pages a vCPU. */
#define GDT_VIRT_START(v) (PERDOMAIN_VIRT_START + ((uint64_t)(v)->vcpu_id << (PAGE_SHIFT + 5)))
#define LDT_VIRT_START(v) (GDT_VIRT_START(v) + 16 * PAGE_SIZE)

/* d->paging of PV domains, and of native ones (mmu/pv/paging.c). */
extern const struct paging_ops pv_paging_ops;

/*
 * Create and free the per-domain mappings (perdomain_l3) and, per vCPU, its GDT/LDT windows incl. Xen's reserved GDT
 * page.
 */
int pv_domain_initialise(struct domain *d);
void pv_domain_destroy(struct domain *d);
int pv_vcpu_initialise(struct vcpu *v);
void pv_vcpu_destroy(struct vcpu *v);

/* The table that the guest's kernel has made its root, as it knows it; INVALID_MFN: none yet. */
static inline mfn_t pv_guest_root(const struct vcpu *v)
{
    return v->domain->abi->root_level == 3 ? v->pv.compat_l3 : v->pv.guest_table;
}
/* Make root the vCPU's kernel page table (setvcpucontext: validates it). do_mmuext NEW_BASEPTR uses the same. */
int new_guest_cr3(struct vcpu *v, mfn_t root, enum trace_cr3_why why);
int pv_set_user_cr3(struct vcpu *v, mfn_t root, enum trace_cr3_why why);
/* CR3 value that must be loaded now for v (kernel or user root), and the GDTR/LDTR; marks v->regs dirty. */
void pv_update_cr3(struct vcpu *v);
/* v has gone from its kernel to a program or back: the other root, without a flush. */
void toggle_guest_pt(struct vcpu *v);
/* Release v's roots, and what an earlier hypercall left to be taken apart (domain death); -ERESTART when preempted. */
int vcpu_destroy_pagetables(struct vcpu *v);

/* Load a GDT of `entries` descriptors from frames[]: validated as seg_desc pages. 0 or -EINVAL. */
int pv_set_gdt(struct vcpu *v, const uint64_t *frames, unsigned int entries);
void pv_destroy_gdt(struct vcpu *v);
/* #PF inside the LDT window: map the guest's LDT page. True when handled. */
bool pv_map_ldt_shadow_page(struct vcpu *v, uint64_t offset);
/* Drop all LDT pages that were faulted in. True when there were any. */
bool pv_destroy_ldt(struct vcpu *v);

/* A write fault on a read-only page-table frame: carry the write out as mmu_update would (ptwr). True when handled. */
bool pv_ro_page_fault(struct vcpu *v, uint64_t addr);

/*
 * Grant mappings in v's own page tables, rows of guest_ops; GNTST_okay or GNTST_general_error. The caller holds the
 * references that the new entry stands for. *host_addr: a virtual address, with GNTMAP_contains_pte the machine address
 * of an L1 entry. flags: GNTMAP_* (readonly, application_map, contains_pte, guest_avail).
 */
int create_grant_pv_mapping(struct vcpu *v, uint64_t *host_addr, mfn_t frame, unsigned int flags);
/*
 * Undo it: addr must map exactly `frame` (and as flags say). The entry becomes empty, or with new_addr != 0 takes over
 * the entry at that virtual address, which becomes empty. References stay: they are the caller's.
 */
int replace_grant_pv_mapping(struct vcpu *v, uint64_t addr, mfn_t frame, uint64_t new_addr, unsigned int flags);

/* TLB of d's vCPUs: all pCPUs drop what they cached. */
void pv_flush_tlb(struct domain *d);

/* Hypercalls of this folder, for the table. */
hypercall_fn do_mmu_update, do_update_va_mapping, compat_update_va_mapping, do_update_va_mapping_otherdomain,
    compat_update_va_mapping_otherdomain, do_mmuext_op, do_memory_op, compat_memory_op, do_grant_table_op, do_set_gdt,
    do_update_descriptor, compat_update_descriptor;

#endif
