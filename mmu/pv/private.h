// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files of PV paging share with each other.
 */
#ifndef MMU_PV_PRIVATE_H
#define MMU_PV_PRIVATE_H

#include "mmu/page_private.h"
#include "mmu/pv/pv.h"
#include "sim/frame.h"

#include <errno.h>

/* A refused request, for the student who asks why: visible at log level debug. */
#define pv_refused(d, fmt, ...)                                                                                        \
    do {                                                                                                               \
        if ((d)->xen->machine->log.level >= LOG_DEBUG)                                                                 \
            printk((d)->xen->machine, LOG_DEBUG, "d%u " fmt, (d)->domain_id, ##__VA_ARGS__);                           \
    } while (0)

/* Is none of the eight entries from t[0] on present? Most tables are nearly empty. */
static inline bool none_present(const uint64_t *t)
{
    return !((t[0] | t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7]) & _PAGE_PRESENT);
}

/* The next present entry at or after slot i, and the last one before slot i; 512, -1: none. */
static inline unsigned int next_present(const uint64_t *t, unsigned int i)
{
    while (i < PTES_PER_TABLE) {
        if (i % 8 == 0 && none_present(&t[i]))
            i += 8;
        else if (t[i] & _PAGE_PRESENT)
            break;
        else
            i++;
    }
    return i;
}

static inline int prev_present(const uint64_t *t, unsigned int i)
{
    while (i) {
        if (i % 8 == 0 && none_present(&t[i - 8]))
            i -= 8;
        else if (t[i - 1] & _PAGE_PRESENT)
            break;
        else
            i--;
    }
    return (int)i - 1;
}

static inline const uint64_t *table_map(const struct xen *xen, mfn_t mfn) { return mfn_to_virt(xen->machine, mfn); }

/* --- mmu/pv/l1.c: what an L1 entry refers to --- */

/*
 * Take the references that present entry e of a table of `d` stands for, mapping a frame of pg_owner. -EINVAL, -EPERM,
 * -EBUSY. The other gives up what an entry holds; one that is not present holds nothing.
 */
int get_page_from_l1e(uint64_t e, struct domain *d, struct domain *pg_owner);
void put_page_from_l1e(uint64_t e, struct domain *d);
int promote_l1_table(struct xen *xen, struct page_info *pg);
void demote_l1_table(struct xen *xen, struct page_info *pg);

/* --- mmu/pv/validate.c: what tables of level 2 to 4 refer to --- */

/* May the guest use this slot, or is it Xen's? type: of the table, for PGT_pae_xen_l2. */
bool pv_is_guest_slot(const struct domain *d, uint64_t type, unsigned int slot);
/* References of entry e of `table` (of level `level`, owned by d). flags: PTF_*. */
int get_page_from_table_entry(struct vcpu *v, struct domain *d, mfn_t table, unsigned int level, unsigned int slot,
                              uint64_t e, unsigned int flags);
int put_page_from_table_entry(struct xen *xen, struct vcpu *v, mfn_t table, uint64_t e, unsigned int flags);
int pv_promote_table(struct xen *xen, struct vcpu *v, struct page_info *pg, uint64_t type);
int pv_demote_table(struct xen *xen, struct vcpu *v, struct page_info *pg);

/* --- mmu/pv/mod.c: changing one entry of a live table --- */

/* cmd: MMU_NORMAL_PT_UPDATE and its variants. curr: who does it; d: owner of the table. */
int mod_l1_entry(const uint64_t *ptr, uint64_t e, unsigned int cmd, struct domain *d, struct domain *pg_owner);
int mod_table_entry(struct vcpu *curr, struct domain *d, mfn_t table, const uint64_t *ptr, uint64_t e,
                    unsigned int cmd);
/*
 * The L1 entry that maps va in v's kernel page tables, inside a frame that v's domain has as a live L1 table; else
 * NULL.
 */
const uint64_t *map_guest_l1e(struct vcpu *v, uint64_t va);
/* The table behind machine address ma: is it a live L1 table of d? Its entry, or NULL. */
const uint64_t *pv_map_l1e_at(struct domain *d, uint64_t ma);

/* For the trace: v has asked for entry e in place of `old`, and the answer is rc. */
#define TRACE_PTE(v, ptr, level, old, e, via, rc)                                                                      \
    do {                                                                                                               \
        struct domain_work *work_ = &(v)->domain->work;                                                                \
        *((via) == TRACE_PTE_PTWR ? &work_->table_stores : &work_->table_updates) += !(rc);                            \
        TRACE_VCPU(v, pte, mfn_x(virt_to_mfn((v)->domain->xen->machine, ptr)), PAGE_OFFSET((uintptr_t)(ptr)) / 8,      \
                   level, old, (rc) ? (e) : *(ptr), via, (uint64_t)(int64_t)(rc));                                     \
    } while (0)

/* --- mmu/pv/pin.c: curr pins a table of d's, and unpins it; preemptible --- */
int pv_pin_table(struct vcpu *curr, struct domain *d, mfn_t mfn, unsigned int level);
int pv_unpin_table(struct vcpu *curr, struct domain *d, mfn_t mfn);

/* --- mmu/pv/perdomain.c, mmu/pv/roots.c --- */

/* Xen's own slots of a fresh L4. */
void init_xen_l4_slots(const struct domain *d, uint64_t *l4, bool ro_mpt);
/* The GDT and LDT windows of v: 32 entries. */
const uint64_t *pv_gdt_ptes(const struct vcpu *v);
static inline const uint64_t *pv_ldt_ptes(const struct vcpu *v) { return pv_gdt_ptes(v) + 16; }
/* The page that is Xen's in the GDT window of d's vCPUs. */
static inline mfn_t pv_xen_gdt_mfn(const struct domain *d)
{
    return d->abi == &pv32_abi ? d->xen->pv32_gdt_mfn : d->xen->pv64_gdt_mfn;
}

/* --- mmu/pv/descriptor.c --- */
int validate_segdesc_page(struct xen *xen, struct page_info *pg);

/* --- TLB requests of guests, mmu/pv/tlb.c --- */
/* Flush the vCPUs in a guest's bitmap: -EFAULT when it cannot be read. */
int pv_flush_vcpumask(struct vcpu *v, uint64_t bitmap);

/* The domains that a paging hypercall names; NULL: -ESRCH is the answer. With a reference. */
struct domain *get_pg_owner(struct vcpu *v, domid_t domid);

#endif
