// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two-dimensional page walk: how the addresses of an HVM guest are translated.
 *
 * Concept: such a guest has page tables of its own, in whatever mode it has switched the processor to, and what it
 * takes for physical addresses are guest-physical ones. The hypervisor has a second set of tables, the nested ones
 * (Xen: the p2m in its hardware form), which take these to the machine's. So the address of every entry of the guest's
 * tables is translated, too:
 *
 *                 guest's CR3       L4          L3          L2          L1         byte
 *      linear ->      gPA    ->     gPA   ->    gPA   ->    gPA   ->    gPA   ->   gPA
 *                      |             |           |           |           |          |        four entries of the
 *      machine         v             v           v           v           v          v        nested tables each
 *                     L4            L3          L2          L1                    byte
 *
 * which makes (4 + 1) * (4 + 1) - 1 = 24 entries that are read, where nothing is cached; without paging four.
 *
 * What can fail is of two kinds, and goes to two different places: an entry of the guest's withholds a right
 * (NESTED_PF: #PF, the guest's affair), or the nested tables know no such page or right (NESTED_NPF: the hypervisor's,
 * which the guest does not hear of).
 *
 * The walk looks and changes nothing. Which A and D bits the processor would set it says (struct nested_step), and who
 * makes the access sets them: the processor for its own (sim/engine/nested.c), the hypervisor for those that it makes
 * on the guest's behalf (mmu/hvm/).
 *
 * Differences from the processor: A is set in no entry of a walk that fails. The nested tables must be writable for an
 * entry whose A or D bit has to be set, and not, as AMD has it, for every entry that is read. SMAP and protection keys
 * are not there (the CPU policy hides them).
 *
 * Sources: AMD APM volume 2, 5.2 to 5.7 (legacy, PAE and long mode), 8.4.2 (#PF), 15.25 (nested paging; 15.25.6 for
 * what an NPF says).
 */
#ifndef SIM_NESTED_H
#define SIM_NESTED_H

#include "sim/types.h"
#include "sim/walk.h"

/* What a translation depends on. ncr3: machine address of the nested tables' root, four levels of the host's format. */
struct nested_regs {
    uint64_t cr0, cr3, cr4, efer, ncr3;
};

/* The width of guest-physical addresses that a guest's entries may hold: CPUID says the same. */
#define NESTED_PADDR_BITS 40

enum nested_result { NESTED_OK, NESTED_PF, NESTED_NPF };

/* An entry of the guest's tables. */
struct nested_step {
    uint64_t entry, gpa, phys;
    uint64_t set; /* A and D bits that an access has to set in it */
    uint8_t level, size;
    bool writable; /* as the nested tables have it */
};

struct nested_walk {
    enum nested_result result;
    uint32_t error_code; /* NESTED_PF: of the #PF; NESTED_NPF: EXITINFO1's lower half */
    bool table;          /* NESTED_NPF: it was an entry of the guest's tables that could not be reached */
    uint64_t gpa;        /* of the byte; NESTED_NPF: of what could not be reached */
    uint64_t phys;       /* of the byte, in the machine */
    bool writable;       /* a store with the same privilege would find nothing to do but to store */
    bool executable;     /* a fetch with the same privilege would be allowed */
    unsigned int refs;   /* entries that were read, of both kinds of tables */
    unsigned int nr;
    struct nested_step step[4];
};

/*
 * Translate va for an access (PFEC_write_access, PFEC_user_mode, PFEC_insn_fetch). table(ctx, addr) is the page of the
 * machine at addr, or NULL. Returns w->result.
 */
enum nested_result nested_walk(const struct nested_regs *r, uint64_t va, uint32_t access, page_walk_table_fn *table,
                               const void *ctx, struct nested_walk *w);

/*
 * Only the second half, for a guest-physical address: *phys is its place in the machine, *writable whether it may be
 * written. False: there is none, or the access (PFEC_write_access, PFEC_insn_fetch) is not allowed; then *error_code is
 * what an NPF says.
 */
bool nested_translate(uint64_t ncr3, uint64_t gpa, uint32_t access, page_walk_table_fn *table, const void *ctx,
                      uint64_t *phys, bool *writable, uint32_t *error_code);

#endif
