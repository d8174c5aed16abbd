// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page faults, nested ones too, of instructions that read, change and write memory.
 *
 * Concept: the processor asks for the right to write before it reads what such an instruction changes, so its first
 * fault says "write", and it has done nothing yet. Unicorn reads, computes, writes: the first fault of ADD on a page
 * that is not there says "read", and when the write faults (a page that is to be copied), RCL and RCR have put their
 * carry into RFLAGS already, which they would take for the old one when they are executed again. Both are put right
 * when the fault is reported.
 *
 * Sources: AMD APM volume 2, 8.4.2 (error code); volume 3, appendix A, for which instructions these are.
 */
#include "sim/engine/pcpu_private.h"

/* The groups' opcodes are told apart by reg of ModRM. */
static bool modifies_memory_0f(uint8_t opcode, uint8_t reg)
{
    switch (opcode) {
    case 0xa4: /* SHLD SHRD */
    case 0xa5:
    case 0xac:
    case 0xad:
    case 0xab: /* BTS BTR BTC */
    case 0xb3:
    case 0xbb:
    case 0xb0: /* CMPXCHG */
    case 0xb1:
    case 0xc0: /* XADD */
    case 0xc1: return true;
    case 0xba: return reg >= 5;
    case 0xc7: return reg == 1; /* CMPXCHG8B, 16B */
    default: return false;
    }
}

static bool modifies_memory(const uint8_t opcode[static 3])
{
    const uint8_t op = opcode[0], reg = opcode[1] >> 3 & 7;

    if (op == 0x0f)
        return modifies_memory_0f(opcode[1], opcode[2] >> 3 & 7);
    if (op < 0x38)
        return (op & 7) < 2; /* ADD OR ADC SBB AND SUB XOR, to memory */
    switch (op) {
    case 0x80 ... 0x83: return reg != 7; /* CMP */
    case 0x86:                           /* XCHG */
    case 0x87:
    case 0xc0: /* shifts */
    case 0xc1:
    case 0xd0 ... 0xd3: return true;
    case 0xf6:
    case 0xf7: return reg == 2 || reg == 3; /* NOT NEG */
    case 0xfe:
    case 0xff: return reg < 2; /* INC DEC */
    default: return false;
    }
}

static bool rotates_through_carry(const uint8_t opcode[static 3])
{
    return ((opcode[0] & 0xfe) == 0xc0 || (opcode[0] & 0xfc) == 0xd0) && (opcode[1] >> 4 & 3) == 1;
}

void pcpu_page_fault(struct emu *e, struct cpu_state *st, const uint8_t opcode[static 3], uint32_t *error_code)
{
    if ((*error_code & PFEC_insn_fetch) || !modifies_memory(opcode))
        return;
    *error_code |= PFEC_write_access;
    if (rotates_through_carry(opcode)) /* the gate has made it save the flags in front of it */
        st->rflags = (st->rflags & ~(uint64_t)RAW_CC_MASK) | (e->gate.flags & RAW_CC_MASK);
}
