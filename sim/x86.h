// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The processor's own numbers: flags, control registers, page-table bits, vectors, error codes. The one place for them.
 *
 * Concept: what a guest, the emulated processor and the hypervisor agree upon is fixed by the architecture and not by
 * any of the three. Names are Xen's (below xen/arch/x86/include/asm/), numbers are those of AMD's manual, volume 2:
 *
 *   RFLAGS   21 20  19  18 17 16 15 14 13 12 11 10 9  8  7  6  5  4  3  2  1  0        3.1.6
 *            ID VIP VIF AC VM RF    NT IOPL  OF DF IF TF SF ZF    AF    PF 1  CF
 *
 *   entry    63 62..52     51..12        11..9 8 7       6 5 4   3   2  1  0           5.4.1
 *            NX available  frame number  avail G PAT/PSE D A PCD PWT US RW P
 *
 *   #PF      4    3         2    1     0                                              8.4.2
 *            insn reserved  user write present
 */
#ifndef SIM_X86_H
#define SIM_X86_H

#include <stdbool.h>
#include <stdint.h>

#define X86_EFLAGS_CF   0x00000001u
#define X86_EFLAGS_MBS  0x00000002u /* must be set */
#define X86_EFLAGS_PF   0x00000004u
#define X86_EFLAGS_AF   0x00000010u
#define X86_EFLAGS_ZF   0x00000040u
#define X86_EFLAGS_SF   0x00000080u
#define X86_EFLAGS_TF   0x00000100u
#define X86_EFLAGS_IF   0x00000200u
#define X86_EFLAGS_DF   0x00000400u
#define X86_EFLAGS_OF   0x00000800u
#define X86_EFLAGS_IOPL 0x00003000u
#define X86_EFLAGS_NT   0x00004000u
#define X86_EFLAGS_RF   0x00010000u
#define X86_EFLAGS_VM   0x00020000u
#define X86_EFLAGS_AC   0x00040000u
#define X86_EFLAGS_VIF  0x00080000u
#define X86_EFLAGS_VIP  0x00100000u
/* What arithmetic computes. */
#define X86_EFLAGS_ARITH_MASK                                                                                          \
    (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

#define X86_CR0_PE 0x00000001u
#define X86_CR0_MP 0x00000002u
#define X86_CR0_EM 0x00000004u
#define X86_CR0_TS 0x00000008u
#define X86_CR0_ET 0x00000010u
#define X86_CR0_NE 0x00000020u
#define X86_CR0_WP 0x00010000u
#define X86_CR0_AM 0x00040000u
#define X86_CR0_NW 0x20000000u
#define X86_CR0_CD 0x40000000u
#define X86_CR0_PG 0x80000000u

#define X86_CR4_VME        0x00000001u
#define X86_CR4_PVI        0x00000002u
#define X86_CR4_TSD        0x00000004u
#define X86_CR4_DE         0x00000008u
#define X86_CR4_PSE        0x00000010u
#define X86_CR4_PAE        0x00000020u
#define X86_CR4_MCE        0x00000040u
#define X86_CR4_PGE        0x00000080u
#define X86_CR4_PCE        0x00000100u
#define X86_CR4_OSFXSR     0x00000200u
#define X86_CR4_OSXMMEXCPT 0x00000400u
#define X86_CR4_FSGSBASE   0x00010000u
#define X86_CR4_SMEP       0x00100000u

#define EFER_SCE  0x0001u
#define EFER_LME  0x0100u
#define EFER_LMA  0x0400u
#define EFER_NXE  0x0800u
#define EFER_SVME 0x1000u

/* The other bits of DR6 that #DB sets are 0 to 3: which breakpoint. DEFAULT: those that are always 1. */
#define X86_DR6_BS      0x4000u /* single-step */
#define X86_DR6_BT      0x8000u /* the T bit of a task */
#define X86_DR6_DEFAULT UINT64_C(0xffff0ff0)
#define X86_DR7_ACTIVE  0x00ffu /* any breakpoint is enabled, for this task or for all */
#define X86_DR7_DEFAULT 0x0400u
#define X86_DR7_GD      0x2000u

/* clang-format off */
enum {
    X86_EXC_DE = 0, X86_EXC_DB = 1, X86_EXC_NMI = 2, X86_EXC_BP = 3, X86_EXC_OF = 4, X86_EXC_BR = 5, X86_EXC_UD = 6, X86_EXC_NM = 7,
    X86_EXC_DF = 8, X86_EXC_TS = 10, X86_EXC_NP = 11, X86_EXC_SS = 12, X86_EXC_GP = 13, X86_EXC_PF = 14, X86_EXC_MF = 16,
    X86_EXC_AC = 17, X86_EXC_MC = 18, X86_EXC_XM = 19, X86_EXC_VE = 20, X86_EXC_CP = 21,
};
/* clang-format on */

/* The vectors that push an error code. */
#define X86_EXC_HAVE_EC                                                                                                \
    (1u << X86_EXC_DF | 1u << X86_EXC_TS | 1u << X86_EXC_NP | 1u << X86_EXC_SS | 1u << X86_EXC_GP | 1u << X86_EXC_PF | \
     1u << X86_EXC_AC | 1u << X86_EXC_CP)

/* Error codes with a selector: what its upper bits are the index of, if not of a descriptor in the GDT. */
#define X86_XEC_IDT 2u /* of a gate in the IDT */

/* Error code of a page fault: how the access was meant, and whether it failed for lack of a right. */
#define PFEC_page_present 0x01u
#define PFEC_write_access 0x02u
#define PFEC_user_mode    0x04u
#define PFEC_reserved_bit 0x08u
#define PFEC_insn_fetch   0x10u

#define _PAGE_PRESENT  UINT64_C(0x001)
#define _PAGE_RW       UINT64_C(0x002)
#define _PAGE_USER     UINT64_C(0x004)
#define _PAGE_PWT      UINT64_C(0x008)
#define _PAGE_PCD      UINT64_C(0x010)
#define _PAGE_ACCESSED UINT64_C(0x020)
#define _PAGE_DIRTY    UINT64_C(0x040)
#define _PAGE_PAT      UINT64_C(0x080) /* level 1 */
#define _PAGE_PSE      UINT64_C(0x080) /* above: a large page */
#define _PAGE_GLOBAL   UINT64_C(0x100)
#define _PAGE_AVAIL    UINT64_C(0xe00)
#define _PAGE_NX       (UINT64_C(1) << 63)

#define PTE_MFN_MASK   UINT64_C(0x000ffffffffff000)
#define PTES_PER_TABLE 512u

/* Where the entry for va stands in its table of this level, 1 to 4. */
static inline unsigned int pte_index(uint64_t va, unsigned int level)
{
    return (va >> (12 + 9 * (level - 1))) & (PTES_PER_TABLE - 1);
}

/* The upper half of a segment descriptor (4.7). */
#define _SEGMENT_TYPE      0x00000f00u
#define _SEGMENT_S         0x00001000u /* code or data, and no gate or TSS */
#define _SEGMENT_DPL       0x00006000u
#define _SEGMENT_DPL_SHIFT 13
#define _SEGMENT_P         0x00008000u
#define _SEGMENT_L         0x00200000u
#define _SEGMENT_DB        0x00400000u
#define _SEGMENT_G         0x00800000u

/* struct cpu_segment.attr: bits 55:52 and 47:40 of a descriptor, pushed together as in a VMCB (15.5.1). */
#define SEG_ATTR_P 0x080u /* present */
#define SEG_ATTR_L 0x200u /* 64-bit code */
#define SEG_ATTR_D 0x400u /* 32-bit code, else 16-bit */
#define SEG_ATTR_G 0x800u /* in a descriptor the limit counts pages */

/* Bits 63:47 are all alike: what the processor accepts as an address. */
static inline bool is_canonical(uint64_t addr) { return ((int64_t)(addr << 16) >> 16) == (int64_t)addr; }

#endif
