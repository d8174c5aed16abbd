// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holes of x86, looked through and recognized.
 *
 * Concept: an instruction is prefixes, an opcode of one or two bytes, and for those asked here a ModRM byte, whose
 * middle three bits choose one of a group, and whose top two say whether its operand is a register (3) or memory.
 *
 *      66 | 41 | 0f 01 | e0          REX.B, group 7, operand a register, /4: SMSW
 *                        11 100 000
 */
#include "labs/code/holes.h"

#define IF_FLAG UINT64_C(0x200)

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static uint64_t flags_get(void)
{
    uint64_t flags;

    asm volatile("pushf; pop %0" : "=r"(flags));
    return flags;
}

static void flags_set(uint64_t flags) { asm volatile("push %0; popf" : : "r"(flags) : "cc", "memory"); }

struct seen look(void)
{
    const uint64_t flags = flags_get();
    struct table_register gdt, idt;
    struct seen s = { .interrupts = flags & IF_FLAG };
    uint64_t msw;

    asm volatile("sgdt %0" : "=m"(gdt));
    asm volatile("sidt %0" : "=m"(idt));
    asm volatile("sldt %0" : "=r"(s.ldt));
    asm volatile("str %0" : "=r"(s.tr));
    asm volatile("mov %%cs, %0" : "=r"(s.cs));
    asm volatile("smsw %0" : "=r"(msw));
    s.gdt_base = gdt.base, s.gdt_limit = gdt.limit;
    s.idt_base = idt.base, s.idt_limit = idt.limit;
    s.msw = (uint32_t)msw;
    flags_set(flags ^ IF_FLAG);
    s.popf_ignored = !((flags_get() ^ flags) & IF_FLAG);
    flags_set(flags);
    return s;
}

static bool is_prefix(uint8_t b)
{
    return b == 0x66 || b == 0x67 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x26 || b == 0x64 || b == 0x65 ||
           b == 0xf2 || b == 0xf3 || (b & 0xf0) == 0x40;
}

bool is_hole(const uint8_t *insn, size_t len)
{
    const uint8_t *const end = insn + len;
    unsigned int op = 0, modrm, n;

    while (insn < end && is_prefix(*insn))
        insn++;
    if (insn < end)
        op = *insn++;
    if (op == 0x0f && insn < end)
        op = 0x0f00 | *insn++;
    modrm = insn < end ? *insn : 0;
    n = modrm >> 3 & 7;
    /* PUSHF, POPF, LAR, LSL; MOV from CS and SS; SLDT, STR, VERR, VERW; SMSW, and SGDT and SIDT. */
    switch (op) {
    case 0x9c:
    case 0x9d:
    case 0x0f02:
    case 0x0f03: return true;
    case 0x8c: return n == 1 || n == 2;
    case 0x0f00: return 0x33 >> n & 1;
    case 0x0f01: return n == 4 || (n < 2 && modrm >> 6 != 3);
    default: return false;
    }
}
