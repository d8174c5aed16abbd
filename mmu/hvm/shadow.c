// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shadow page tables as a TLB (see shadow.h).
 *
 * Concept: four levels in the host's format, whatever the guest's is. Rights are in the last level alone; the others
 * lead there. Large pages of the guest's are made of small ones.
 *
 * The pool's size is what libxl asks Xen for if shadow_memory does not say: 1 MiB a vCPU, and 8 KiB a MiB of memory.
 * When it is used up all of the vCPU's tables go.
 */
#include "mmu/hvm/shadow.h"

#include "mmu/hvm/p2m.h"
#include "mmu/pte.h"
#include "sim/frame.h"

#include <errno.h>
#include <string.h>

#define TABLE_RIGHTS (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED)

static uint64_t pool_pages(const struct domain *d) { return d->max_vcpus * UINT64_C(256) + d->max_pages / 128; }

/* ------------------------------------------------------------------------------------------------------- tables -- */

static mfn_t table_alloc(struct domain *d)
{
    struct page_info *pg = d->shadow->nr_tables < pool_pages(d) ? alloc_xenheap_pages(d->xen, 0) : NULL;

    if (!pg)
        return INVALID_MFN;
    d->shadow->nr_tables++;
    return page_to_mfn(d->xen, pg);
}

static void table_free(struct domain *d, mfn_t table, unsigned int level);

static void tables_below_free(struct domain *d, mfn_t table, unsigned int level)
{
    const uint64_t *entry = mfn_to_virt(d->xen->machine, table);

    for (unsigned int i = 0; level > 1 && i < PTES_PER_TABLE; i++)
        if (entry[i] & _PAGE_PRESENT)
            table_free(d, pte_mfn(entry[i]), level - 1);
}

static void table_free(struct domain *d, mfn_t table, unsigned int level)
{
    tables_below_free(d, table, level);
    free_xenheap_pages(d->xen, mfn_to_page(d->xen, table), 0);
    d->shadow->nr_tables--;
}

int shadow_init(struct domain *d)
{
    struct arena *arena = d->xen->machine->arena;
    struct shadow_vcpu *vcpu = xzalloc_array(arena, struct shadow_vcpu, d->max_vcpus);

    d->shadow = vcpu ? xzalloc(arena, struct shadow_domain) : NULL;
    if (!d->shadow) {
        xfree(vcpu);
        return -ENOMEM;
    }
    d->shadow->vcpu = vcpu;
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        d->shadow->vcpu[i].root = INVALID_MFN;
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        d->shadow->vcpu[i].root = table_alloc(d);
        if (mfn_eq(d->shadow->vcpu[i].root, INVALID_MFN))
            return -ENOMEM;
    }
    return 0;
}

void shadow_teardown(struct domain *d)
{
    if (!d->shadow)
        return;
    machine_mappings_gone(d->xen->machine);
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (!mfn_eq(d->shadow->vcpu[i].root, INVALID_MFN))
            table_free(d, d->shadow->vcpu[i].root, 4);
    xfree(d->shadow->vcpu);
    xfree(d->shadow);
    d->shadow = NULL;
}

uint64_t shadow_root(const struct domain *d, unsigned int id)
{
    return d->shadow ? mfn_x(d->shadow->vcpu[id].root) << PAGE_SHIFT : 0;
}

/* ----------------------------------------------------------------------------------------------------- dropping -- */

void shadow_drop(struct domain *d, unsigned int id)
{
    struct machine *m = d->xen->machine;
    mfn_t root;

    if (!d->shadow)
        return;
    root = d->shadow->vcpu[id].root;
    machine_mappings_gone(m);
    tables_below_free(d, root, 4);
    memset(frame_write_begin(m, root), 0, PAGE_SIZE);
    frame_write_end(m, root);
    d->shadow->drops++;
}

void shadow_drop_all(struct domain *d)
{
    if (!d->shadow || d->shadow->nr_tables == d->max_vcpus) /* there is none, or nothing in them */
        return;
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (!mfn_eq(d->shadow->vcpu[i].root, INVALID_MFN))
            shadow_drop(d, i);
}

void shadow_enter(struct domain *d, unsigned int id, const struct cpu_state *r)
{
    struct shadow_vcpu *s = d->shadow ? &d->shadow->vcpu[id] : NULL;
    const uint64_t cr0 = r->cr0 & (X86_CR0_PG | X86_CR0_WP), efer = r->efer & (EFER_LMA | EFER_NXE);

    if (!s || (s->cr0 == cr0 && s->cr3 == r->cr3 && s->cr4 == r->cr4 && s->efer == efer))
        return;
    s->cr0 = cr0, s->cr3 = r->cr3, s->cr4 = r->cr4, s->efer = efer;
    shadow_drop(d, id);
}

/* ------------------------------------------------------------------------------------------------------ filling -- */

/* What the entry may allow. */
static uint64_t rights_of(const struct domain *d, const struct shadow_vcpu *s, uint32_t access,
                          const struct nested_walk *w)
{
    const uint64_t root = mfn_x(d->p2m->root) << PAGE_SHIFT;
    const bool dirty = !w->nr || (w->step[w->nr - 1].entry | w->step[w->nr - 1].set) & _PAGE_DIRTY;
    uint64_t rights = _PAGE_PRESENT | _PAGE_ACCESSED | (w->rights & _PAGE_USER), phys;
    uint32_t error_code;
    bool writable;

    if (s->efer & EFER_NXE)
        rights |= w->rights & _PAGE_NX;
    if (!nested_translate(root, w->gpa, PFEC_insn_fetch, machine_table, d->xen->machine, &phys, &writable, &error_code))
        rights |= _PAGE_NX;
    nested_translate(root, w->gpa, 0, machine_table, d->xen->machine, &phys, &writable, &error_code);
    if (w->rights & _PAGE_RW)
        return rights | (writable && dirty ? _PAGE_RW : 0);
    if (!(access & PFEC_write_access))
        return rights;
    if (rights & _PAGE_USER && s->cr4 & X86_CR4_SMEP)
        rights |= _PAGE_NX; /* a page of ring 3, still */
    return (rights & ~(uint64_t)_PAGE_USER) | _PAGE_RW;
}

/* The entry of va in the last level; NULL: no memory. */
static const uint64_t *entry_make(struct domain *d, unsigned int id, uint64_t va)
{
    const uint64_t *table = mfn_to_virt(d->xen->machine, d->shadow->vcpu[id].root);

    for (unsigned int level = 4; level > 1; level--) {
        const uint64_t *e = &table[pte_index(va, level)];

        if (!(*e & _PAGE_PRESENT)) {
            const mfn_t below = table_alloc(d);

            if (mfn_eq(below, INVALID_MFN))
                return NULL;
            frame_write_u64(d->xen->machine, e, mfn_x(below) << PAGE_SHIFT | TABLE_RIGHTS);
        }
        table = mfn_to_virt(d->xen->machine, pte_mfn(*e));
    }
    return &table[pte_index(va, 1)];
}

bool shadow_fill(struct domain *d, unsigned int id, uint64_t va, uint32_t access, const struct nested_walk *w)
{
    const uint64_t new = (w->phys & PAGE_MASK) | rights_of(d, &d->shadow->vcpu[id], access, w);
    const uint64_t *e = entry_make(d, id, va);

    if (!e) {
        shadow_drop(d, id);
        e = entry_make(d, id, va);
    }
    if (!e)
        return false;
    if (*e & _PAGE_PRESENT)
        machine_mapping_gone(d->xen->machine, pte_mfn(*e));
    frame_write_u64(d->xen->machine, e, new);
    d->shadow->fills++;
    return true;
}
