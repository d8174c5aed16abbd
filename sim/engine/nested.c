// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HVM guests' addresses: the processor's two-dimensional walk.
 *
 * Concept: the library has nested paging of its own, but says too little of what it finds, and asks for the right to
 * write to each table that it reads. So when its TLB does not know a page of an HVM guest, the walk is sim/nested.c's;
 * here its result becomes what the processor makes of it: A and D bits that are set, an entry of the TLB, or a #PF, or
 * the exit of an NPF. Which frames the TLB was filled from is noted (tables.c).
 */
#include "sim/nested.h"
#include "sim/engine/emu.h"
#include "sim/engine/private.h"
#include "sim/frame.h"
#include "sim/vmcb.h"
#include "sim/walk.h"

/* MMUAccessType. */
#define ACCESS_STORE 1
#define ACCESS_FETCH 2
/* The MMU mode of ring 3. */
#define MMU_USER 1
/* What a TLB's entry allows. */
#define PAGE_READ  1
#define PAGE_WRITE 2
#define PAGE_EXEC  4

static const uint64_t *table(const void *e, uint64_t addr) { return (const uint64_t *)(void *)emu_phys(e, addr); }

/* The processor sets A and D bits of the entries that it has used. */
static void set_bits(struct emu *e, const struct nested_walk *w)
{
    for (unsigned int i = 0; i < w->nr; i++) {
        const struct nested_step *s = &w->step[i];

        if (!s->set)
            continue;
        if (s->size == 8)
            x86_stq_phys_x86_64(e->smc.cpu, s->phys, s->entry | s->set);
        else
            x86_stl_phys_notdirty_x86_64(e->smc.cpu, s->phys, (uint32_t)(s->entry | s->set));
    }
}

static bool shadow_fill(struct emu *e, uint64_t addr, uint32_t pfec, int mmu_idx, bool probe, uintptr_t host_pc)
{
    const bool smep = e->nested.regs.cr4 & X86_CR4_SMEP && e->nested.regs.cr0 & X86_CR0_PG && mmu_idx != MMU_USER;
    struct page_walk w;

    e->mmu.fills.fills++;
    if (!emu_shadow_walk(e, addr, &pfec, &w)) {
        if (probe)
            return false;
        ((struct vmcb *)emu_page(e, EMU_PAGE_VMCB))->exit_info2 = addr;
        raise_exception_err_ra_x86_64((struct CPUX86State *)(void *)e->raw.st, TRAP_page_fault, (int)pfec, host_pc);
    }
    e->mmu.fills.refs += 5 - w.level;
    tlb_set_page_with_attrs_x86_64(e->smc.cpu, addr & PAGE_MASK, w.phys & PAGE_MASK, 0,
                                   PAGE_READ | (w.rights & _PAGE_RW ? PAGE_WRITE : 0) |
                                       (w.rights & _PAGE_NX || (smep && w.rights & _PAGE_USER) ? 0 : PAGE_EXEC),
                                   mmu_idx, PAGE_SIZE);
    return true;
}

/* A fault, or an exit: translated code is left. The address goes where the processor reports it (EXITINFO2). */
static void leave(struct emu *e, const struct nested_walk *w, uint64_t addr, uintptr_t host_pc)
{
    struct CPUX86State *env = (struct CPUX86State *)(void *)e->raw.st;
    struct vmcb *vmcb = emu_page(e, EMU_PAGE_VMCB);

    if (w->result == NESTED_PF) {
        vmcb->exit_info2 = addr;
        raise_exception_err_ra_x86_64(env, TRAP_page_fault, (int)w->error_code, host_pc);
    } else {
        vmcb->exit_info2 = w->gpa;
        e->nested.in_table = w->table;
        cpu_vmexit_x86_64(env, SVM_EXIT_NPF, w->error_code, host_pc);
    }
}

bool emu_nested_fill(struct emu *e, uint64_t addr, int type, int mmu_idx, bool probe, uintptr_t host_pc)
{
    const struct nested_regs r = emu_nested_regs(e);
    const bool long_mode = r.efer & EFER_LMA;
    const uint32_t access = (type == ACCESS_STORE ? PFEC_write_access : 0) |
                            (type == ACCESS_FETCH ? PFEC_insn_fetch : 0) | (mmu_idx == MMU_USER ? PFEC_user_mode : 0);
    struct nested_walk w;

    if (long_mode && !is_canonical(addr)) {
        if (probe)
            return false;
        raise_exception_err_ra_x86_64((struct CPUX86State *)(void *)e->raw.st, TRAP_gp_fault, 0, host_pc);
    }
    if (e->nested.shadow)
        return shadow_fill(e, long_mode ? addr : (uint32_t)addr, access, mmu_idx, probe, host_pc);
    nested_walk(&r, long_mode ? addr : (uint32_t)addr, access, table, e, &w);
    if (w.result != NESTED_OK) {
        if (!probe)
            leave(e, &w, long_mode ? addr : (uint32_t)addr, host_pc);
        return false;
    }
    if (__builtin_expect(e->observe.nr_watches, 0) && !probe)
        emu_observe_nested(e, (struct CPUX86State *)(void *)e->raw.st, &w, host_pc);
    e->nested.fills.fills++;
    e->nested.fills.refs += w.refs;
    set_bits(e, &w);
    for (unsigned int i = 0; i < w.nr; i++)
        emu_table_note(e, w.step[i].phys, i == w.nr - 1 && w.step[i].level == 1);
    tlb_set_page_with_attrs_x86_64(e->smc.cpu, addr & PAGE_MASK, w.phys & PAGE_MASK, 0,
                                   PAGE_READ | (w.writable ? PAGE_WRITE : 0) | (w.executable ? PAGE_EXEC : 0), mmu_idx,
                                   PAGE_SIZE);
    return true;
}
