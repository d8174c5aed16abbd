// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accesses to guest-physical addresses behind which there is no memory.
 *
 * Concept: the processor says that an access failed, and at which guest-physical address; not what was to be done
 * there. So the instruction is decoded, and carried out with a device, or with nobody, in memory's place: nobody
 * answers with all ones, and what is written to him is lost.
 *
 * Corresponds to hvm_hap_nested_page_fault() and the emulator behind it (xen/arch/x86/hvm/emulate.c).
 */
#include "mmu/guest_access.h"
#include "sim/insn.h"
#include "vcpu/hvm/hvm.h"

#include <string.h>

static void write_gpr(struct cpu_state *r, const struct insn_operand *op, uint64_t val)
{
    uint8_t *reg = (uint8_t *)&r->gpr[op->gpr & 15];

    if (op->size == 4)
        r->gpr[op->gpr & 15] = (uint32_t)val;
    else
        memcpy(reg + op->high_byte, &val, op->size);
}

static uint64_t source(const struct cpu_state *r, const struct insn_operand *op)
{
    return op->kind == INSN_IMM ? op->imm : op->gpr < 0 ? 0 : r->gpr[op->gpr & 15] >> (op->high_byte ? 8 : 0);
}

static bool is_apic(const struct vcpu *v, uint64_t gpa)
{
    return !vlapic_hw_disabled(&v->hvm->vlapic) &&
           PFN_DOWN(gpa) == PFN_DOWN(v->hvm->vlapic.apic_base_msr & UINT64_C(0xffffff000));
}

static uint64_t mmio_read(struct vcpu *v, uint64_t gpa, unsigned int size)
{
    return is_apic(v, gpa) ? vlapic_read(&v->hvm->vlapic, PAGE_OFFSET(gpa), size) : ~UINT64_C(0);
}

static void mmio_write(struct vcpu *v, uint64_t gpa, unsigned int size, uint64_t val)
{
    if (is_apic(v, gpa))
        vlapic_write(&v->hvm->vlapic, PAGE_OFFSET(gpa), size, (uint32_t)val);
}

void hvm_mmio(struct vcpu *v, const struct sim_exit *e)
{
    struct cpu_state *r = v->regs;
    uint8_t code[INSN_MAX_LEN];
    const size_t n = guest_fetch_insn(v, insn_linear_rip(r), code, sizeof(code));
    const struct insn in = insn_decode(v->domain->xen->machine->edges->decoder, r, code, n);

    if (e->npf.table || e->npf.error_code & PFEC_insn_fetch || in.op != INSN_MOV) {
        domain_crash(v, "%s at guest-physical %#lx, where there is no memory",
                     e->npf.table                          ? "a page table"
                     : e->npf.error_code & PFEC_insn_fetch ? "code"
                                                           : in.text,
                     (unsigned long)e->npf.gpa);
        return;
    }
    if (in.opnd[0].kind == INSN_REG && in.opnd[0].gpr >= 0)
        write_gpr(r, &in.opnd[0], mmio_read(v, e->npf.gpa, in.opnd[0].size));
    else if (in.opnd[0].kind == INSN_MEM)
        mmio_write(v, e->npf.gpa, in.opnd[0].size, source(r, &in.opnd[1]));
    hvm_insn_done(v, in.len);
}
