// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading guest code through the guest's page tables: the processor does not say which INT n it has stopped at, so the
 * hypervisor looks. The walk itself is sim/walk.h's; the tables may be in the engine's own pages, as those of its
 * self-test are. An HVM guest's are sim/nested.c's affair, and 24 reads: but its TLB agrees with its tables (tables.c),
 * and code that has just executed is in there.
 */
#include "sim/engine/pcpu_private.h"
#include "sim/engine/tlb.h"
#include "sim/walk.h"

static const uint64_t *table(const void *e, uint64_t addr) { return (const uint64_t *)(void *)emu_phys(e, addr); }

bool emu_walk(struct emu *e, uint64_t root, uint64_t addr, struct page_walk *w)
{
    return page_walk(w, root, addr, table, e);
}

void emu_nested_look(struct emu *e, uint64_t addr, uint32_t access, struct nested_walk *w)
{
    const struct nested_regs r = emu_nested_regs(e);

    nested_walk(&r, r.efer & EFER_LMA ? addr : (uint32_t)addr, access, table, e, w);
}

/*
 * Hardware that knows of no second dimension walks one set of tables, which the hypervisor has made of the guest's and
 * its own (mmu/hvm/shadow.h); in the host's format, and with the host's CR0.WP, whatever the guest's mode is. A and D
 * are set in all their entries.
 */
bool emu_shadow_walk(struct emu *e, uint64_t addr, uint32_t *pfec, struct page_walk *w)
{
    const struct nested_regs *r = &e->nested.regs;
    const bool smep = r->cr4 & X86_CR4_SMEP && r->cr0 & X86_CR0_PG;

    if (!emu_walk(e, e->nested.shadow, addr, w))
        return false;
    if (page_walk_allows(w, *pfec) &&
        !(smep && (*pfec & (PFEC_insn_fetch | PFEC_user_mode)) == PFEC_insn_fetch && w->rights & _PAGE_USER))
        return true;
    *pfec |= PFEC_page_present;
    return false;
}

static bool is_in_tlb(struct emu *e, uint64_t addr, uint64_t *phys)
{
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        const uint8_t *entry = entry_at(e, tlb, addr);

        if (page_of(entry) == (addr & PAGE_MASK)) {
            *phys = (phys_of(entry) & PAGE_MASK) | PAGE_OFFSET(addr);
            return true;
        }
    }
    return false;
}

/* Where in the machine the loaded guest's linear address lies; NULL: nothing is there. */
static const uint8_t *look(struct emu *e, uint64_t addr)
{
    struct page_walk w;

    if (e->nested.on) {
        struct nested_walk n;
        uint64_t phys;

        if (is_in_tlb(e, emu_nested_regs(e).efer & EFER_LMA ? addr : (uint32_t)addr, &phys))
            return emu_phys(e, phys);
        emu_nested_look(e, addr, 0, &n);
        return n.result == NESTED_OK ? emu_phys(e, n.phys) : NULL;
    }
    return emu_walk(e, *raw_cr(&e->raw, 3), addr, &w) ? emu_phys(e, w.phys) : NULL;
}

size_t pcpu_fetch(struct emu *e, uint64_t addr, uint8_t *buf, size_t n)
{
    size_t done = 0;

    while (done < n) {
        const uint64_t left = PAGE_SIZE - PAGE_OFFSET(addr + done), len = n - done < left ? n - done : left;
        const uint8_t *host = look(e, addr + done);

        if (!host)
            break;
        memcpy(buf + done, host, len);
        done += len;
    }
    return done;
}

bool emu_nested_agrees(struct emu *e, uint64_t page, uint64_t phys, bool user, bool writable)
{
    uint32_t pfec = user ? PFEC_user_mode : 0;
    struct nested_walk w;
    struct page_walk s;

    if (e->nested.shadow)
        return emu_shadow_walk(e, page, &pfec, &s) && s.phys == phys && (!writable || s.rights & _PAGE_RW);
    emu_nested_look(e, page, user ? PFEC_user_mode : 0, &w);
    if (w.result != NESTED_OK) /* a page that may be executed, but not read, there is none */
        return false;
    for (unsigned int i = 0; i < w.nr; i++)
        if (w.step[i].set)
            return false;
    return w.phys == phys && (!writable || w.writable);
}
