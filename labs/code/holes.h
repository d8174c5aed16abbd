// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holes of x86: instructions that show or change what is the hypervisor's, and do not trap.
 *
 * Stated in Robin and Irvine, "Analysis of the Intel Pentium's Ability to Support a Secure Virtual Machine Monitor"
 * (USENIX Security 2000), of Popek and Goldberg's condition (CACM 17(7), 1974).
 */
#ifndef LABS_CODE_HOLES_H
#define LABS_CODE_HOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a kernel in ring 3 sees of the real machine through them. */
struct seen {
    uint64_t gdt_base, idt_base;
    uint16_t gdt_limit, idt_limit; /* as the registers have them: the last byte */
    uint16_t ldt, tr, cs;          /* selectors */
    uint32_t msw;                  /* the lower half of CR0 */
    bool interrupts;               /* IF */
    bool popf_ignored;             /* IF is as it was, when POPF was to change it; left as it was in any case */
};
/* Without a single exception. */
struct seen look(void);

/*
 * Is the instruction of these bytes (1 to 15, whole and valid in 64-bit mode, prefixes included) a hole? That is: in
 * ring 3 it is executed, and reads or is there to write GDTR, IDTR, LDTR, TR, CR0, IF, the privilege in CS or SS, or
 * rights and limit of a descriptor. Not asked are those that any program uses to go elsewhere (CALL, RET, INT...) or to
 * load a segment register, nor CPUID and RDTSC, which a processor can be told to stop at.
 */
bool is_hole(const uint8_t *insn, size_t len);

#endif
