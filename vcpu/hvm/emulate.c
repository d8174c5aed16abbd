// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions that reach for memory where there is none.
 *
 * Concept: the processor says that an access failed, and at which guest-physical address; not what was to be done
 * there. So the whole instruction is carried out here, as the processor would: its operands are found and allowed (a
 * page at a time: one half of an operand may be RAM, the other a device's), read, computed with, written.
 *
 *      decode --> places of all operands --> read --> compute --> write --> registers, flags, RIP
 *                      |                      |                     |
 *                      '-- #PF, #GP, #SS      '---------------------'-- a device that has to be asked first
 *
 * Invariants: nothing of the vCPU has changed, and no RAM, before the last answer of a device is there; so when one is
 * waited for the instruction is begun anew later, and comes by the same accesses (mmio.c). Places are found before
 * anything is read: a fault leaves no access behind it.
 *
 * Corresponds to hvm/emulate.c of xen/arch/x86.
 */
#include "vcpu/hvm/emulate.h"

#include "mmu/guest_access.h"

static bool is_string(const struct hvm_insn *in)
{
    return in->map == MAP_ONE && in->op >= 0xa4 && in->op <= 0xaf && (in->op < 0xa8 || in->op > 0xa9);
}

bool hvm_emulate_at(struct vcpu *v, bool *string)
{
    struct emul e = { .v = v, .r = v->regs, .flags = v->regs->rflags };
    uint8_t code[INSN_MAX_LEN];
    const size_t n = guest_fetch_insn(v, insn_linear_rip(v->regs), code, sizeof(code));

    v->hvm->io.next = 0;
    *string = false;
    if (!hvm_decode(v->regs, code, n, &e.in))
        return false;
    *string = is_string(&e.in);
    if (*string) {
        emul_string(&e);
    } else if (emul_operation(&e)) {
        v->regs->rflags = e.flags;
        hvm_insn_done(v, e.in.len);
    }
    return !e.unknown;
}

void hvm_emulate(struct vcpu *v, uint64_t gpa)
{
    bool string;

    if (!hvm_emulate_at(v, &string)) /* as Xen answers what its emulator does not know */
        hvm_inject_hw_exception(v, X86_EXC_GP, 0);
}
