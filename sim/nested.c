// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two-dimensional page walk (see nested.h).
 *
 * Concept: the three formats of tables that a guest may use differ in three numbers, how many levels, how many bits of
 * the address a level takes, how large an entry is; and in what the topmost entry of PAE may not say. So there is one
 * walk, and a description of each format.
 *
 *      format   levels   bits a level   entry        address 47..0, or 31..0
 *      long     4        9 9 9 9        8 bytes      |L4 9|L3 9|L2 9|L1 9|offset 12|
 *      PAE      3        2 9 9          8                      |L3 2|L2 9|L1 9|offset 12|
 *      legacy   2        10 10          4                      |L2 10|L1 10|offset 12|
 */
#include "sim/nested.h"

#include <string.h>

struct format {
    uint8_t levels, size, bits, top_bits;
};

static const struct format format_long = { 4, 8, 9, 9 }, format_pae = { 3, 8, 9, 2 }, format_legacy = { 2, 4, 10, 10 };

#define PADDR_MASK ((UINT64_C(1) << NESTED_PADDR_BITS) - 1)
/* Bits 51 to the width of addresses. */
#define ABOVE_PADDR (((UINT64_C(1) << 52) - 1) & ~PADDR_MASK)
/* A PDPTE of PAE (AMD APM volume 2, 5.2.3): 63:52, 8:5 and 2:1 are reserved. */
#define PAE_TOP_RESERVED (UINT64_C(0xfff) << 52 | 0x1e6)

/* ------------------------------------------------------------------------------------------------- nested tables -- */

static bool translate(struct nested_walk *w, uint64_t ncr3, uint64_t gpa, uint32_t access, page_walk_table_fn *table,
                      const void *ctx, uint64_t *phys, bool *writable)
{
    uint64_t e = ncr3, rights = ~UINT64_C(0), mask;
    unsigned int level;

    w->gpa = gpa;
    w->error_code = (access & (PFEC_write_access | PFEC_insn_fetch)) | PFEC_user_mode;
    if (gpa >> 48)
        return false;
    for (level = 4;; level--) {
        const uint64_t *t = table(ctx, e & PTE_MFN_MASK);

        if (!t)
            return false;
        e = t[pte_index(gpa, level)];
        w->refs++;
        if (!(e & _PAGE_PRESENT))
            return false;
        rights &= e ^ _PAGE_NX;
        if (level == 1 || ((e & _PAGE_PSE) && level < 4))
            break;
    }
    w->error_code |= PFEC_page_present;
    *writable = rights & _PAGE_RW;
    if (((access & PFEC_write_access) && !*writable) || ((access & PFEC_insn_fetch) && !(rights & _PAGE_NX)))
        return false;
    mask = (UINT64_C(1) << (PAGE_SHIFT + 9 * (level - 1))) - 1;
    *phys = (e & PTE_MFN_MASK & ~mask) | (gpa & mask);
    return true;
}

bool nested_translate(uint64_t ncr3, uint64_t gpa, uint32_t access, page_walk_table_fn *table, const void *ctx,
                      uint64_t *phys, bool *writable, uint32_t *error_code)
{
    struct nested_walk w;
    const bool ok = translate(&w, ncr3, gpa, access, table, ctx, phys, writable);

    *error_code = w.error_code;
    return ok;
}

/* ---------------------------------------------------------------------------------------------- the guest's own -- */

static enum nested_result page_fault(struct nested_walk *w, const struct nested_regs *r, uint32_t access, uint32_t why)
{
    /* Whether it was a fetch is said only where there is something that forbids fetches (8.4.2). */
    if (!((r->efer & EFER_NXE) && (r->cr4 & X86_CR4_PAE)) && !(r->cr4 & X86_CR4_SMEP))
        access &= ~PFEC_insn_fetch;
    w->error_code = access | why;
    return w->result = NESTED_PF;
}

static enum nested_result nested_fault(struct nested_walk *w, bool in_table)
{
    w->table = in_table;
    return w->result = NESTED_NPF;
}

/* Is an entry that is present one that says what it may not say? */
static bool reserved(const struct nested_regs *r, const struct format *f, uint64_t e, unsigned int level, bool leaf)
{
    uint64_t bits = ABOVE_PADDR | (r->efer & EFER_NXE ? 0 : _PAGE_NX);

    if (f == &format_legacy)
        return leaf && level == 2 && (e >> 21 & 1);
    if (f == &format_pae && level == 3)
        return e & (ABOVE_PADDR | PAE_TOP_RESERVED);
    if (f == &format_pae)
        bits |= UINT64_C(0x7ff) << 52;
    if (level == 4)
        bits |= _PAGE_PSE;
    if (leaf && level > 1)
        bits |= ((UINT64_C(1) << (PAGE_SHIFT + 9 * (level - 1))) - 1) & ~UINT64_C(0x1fff);
    return e & bits;
}

/* A large page, or the last level. */
static bool is_leaf(const struct nested_regs *r, const struct format *f, uint64_t e, unsigned int level)
{
    if (level == 1)
        return true;
    if (!(e & _PAGE_PSE))
        return false;
    return f == &format_legacy ? r->cr4 & X86_CR4_PSE : level == 2 || (level == 3 && f == &format_long);
}

static uint64_t leaf_address(const struct format *f, uint64_t e, unsigned int level, uint64_t va)
{
    const uint64_t mask = (UINT64_C(1) << (PAGE_SHIFT + f->bits * (level - 1))) - 1;

    if (f == &format_legacy && level == 2) /* 5.2.2: bits 39 to 32 of the address are in 20 to 13 */
        return (e & 0xffc00000) | (e >> 13 & 0xff) << 32 | (va & mask);
    return (e & PTE_MFN_MASK & ~mask) | (va & mask);
}

static bool allowed(const struct nested_regs *r, uint64_t rights, uint32_t access)
{
    const bool user = access & PFEC_user_mode;

    if (user && !(rights & _PAGE_USER))
        return false;
    if ((access & PFEC_write_access) && !(rights & _PAGE_RW) && (user || (r->cr0 & X86_CR0_WP)))
        return false;
    if (!(access & PFEC_insn_fetch))
        return true;
    if ((rights & _PAGE_NX) && (r->efer & EFER_NXE))
        return false;
    return user || !(rights & _PAGE_USER) || !(r->cr4 & X86_CR4_SMEP);
}

/* Which bits of the entries an access has to set, and may it? */
static bool set_bits(struct nested_walk *w, uint32_t access, const struct format *f)
{
    for (unsigned int i = 0; i < w->nr; i++) {
        struct nested_step *s = &w->step[i];
        uint64_t want = f == &format_pae && s->level == 3 ? 0 : _PAGE_ACCESSED;

        if (i == w->nr - 1 && (access & PFEC_write_access))
            want |= _PAGE_DIRTY;
        s->set = want & ~s->entry;
        if (s->set && !s->writable) {
            w->gpa = s->gpa;
            w->error_code = PFEC_page_present | PFEC_write_access | PFEC_user_mode;
            return false;
        }
    }
    return true;
}

/* From the root to the leaf. True: *gpa is the byte's; else the walk has a result. */
static bool guest_tables(const struct nested_regs *r, const struct format *f, uint64_t va, uint32_t access,
                         page_walk_table_fn *table, const void *ctx, struct nested_walk *w, uint64_t *gpa,
                         uint64_t *rights)
{
    uint64_t base = r->cr3 & (f == &format_long ? PTE_MFN_MASK : f == &format_pae ? 0xffffffe0 : 0xfffff000);
    unsigned int level = f->levels;

    *rights = _PAGE_RW | _PAGE_USER;
    for (;; level--) {
        struct nested_step *s = &w->step[w->nr];
        const unsigned int shift = PAGE_SHIFT + f->bits * (level - 1);
        const uint64_t index = va >> shift & ((1u << (level == f->levels ? f->top_bits : f->bits)) - 1);
        const void *page;
        bool leaf;

        *s = (struct nested_step){ .gpa = base + index * f->size, .level = (uint8_t)level, .size = f->size };
        if (!translate(w, r->ncr3, s->gpa, 0, table, ctx, &s->phys, &s->writable)) {
            nested_fault(w, true);
            return false;
        }
        page = table(ctx, s->phys & PAGE_MASK);
        if (!page) { /* the nested tables lead out of the machine: the hypervisor's fault */
            nested_fault(w, true);
            return false;
        }
        memcpy(&s->entry, (const uint8_t *)page + PAGE_OFFSET(s->phys), f->size);
        w->refs++;
        w->nr++;
        if (!(s->entry & _PAGE_PRESENT)) {
            page_fault(w, r, access, 0);
            return false;
        }
        leaf = is_leaf(r, f, s->entry, level);
        if (reserved(r, f, s->entry, level, leaf)) {
            page_fault(w, r, access, PFEC_page_present | PFEC_reserved_bit);
            return false;
        }
        if (!(f == &format_pae && level == 3))
            *rights = (*rights & (s->entry | _PAGE_NX)) | (s->entry & _PAGE_NX);
        if (leaf)
            break;
        base = s->entry & (f == &format_legacy ? 0xfffff000 : PTE_MFN_MASK);
    }
    *gpa = leaf_address(f, w->step[w->nr - 1].entry, level, va);
    return true;
}

enum nested_result nested_walk(const struct nested_regs *r, uint64_t va, uint32_t access, page_walk_table_fn *table,
                               const void *ctx, struct nested_walk *w)
{
    const struct format *f = r->efer & EFER_LMA ? &format_long : r->cr4 & X86_CR4_PAE ? &format_pae : &format_legacy;
    uint64_t gpa = va, rights = _PAGE_RW | _PAGE_USER;
    bool writable;

    w->result = NESTED_OK;
    w->table = false;
    w->refs = w->nr = 0;
    if (r->cr0 & X86_CR0_PG) {
        if (!guest_tables(r, f, va, access, table, ctx, w, &gpa, &rights))
            return w->result;
        if (!allowed(r, rights, access))
            return page_fault(w, r, access, PFEC_page_present);
    }
    if (!set_bits(w, access, f))
        return nested_fault(w, true);
    if (!translate(w, r->ncr3, gpa, access, table, ctx, &w->phys, &writable))
        return nested_fault(w, false);
    w->executable = allowed(r, rights, (access & PFEC_user_mode) | PFEC_insn_fetch);
    w->writable = writable && allowed(r, rights, (access & PFEC_user_mode) | PFEC_write_access) &&
                  (!w->nr || ((w->step[w->nr - 1].entry | w->step[w->nr - 1].set) & _PAGE_DIRTY));
    return NESTED_OK;
}
