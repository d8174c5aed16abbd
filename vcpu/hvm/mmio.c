// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accesses to guest-physical addresses behind which there is no memory: who answers. Nobody answers with all ones, and
 * what is written to him is lost.
 *
 * Corresponds to hvm_hap_nested_page_fault() of xen/arch/x86/hvm/hvm.c.
 */
#include "vcpu/hvm/emulate.h"

static bool is_apic(const struct vcpu *v, uint64_t gpa)
{
    return !vlapic_hw_disabled(&v->hvm->vlapic) &&
           PFN_DOWN(gpa) == PFN_DOWN(v->hvm->vlapic.apic_base_msr & UINT64_C(0xffffff000));
}

static enum hvm_io ask(struct vcpu *v, uint64_t gpa, unsigned int size, bool write, uint64_t *data)
{
    if (!is_apic(v, gpa))
        *data = write ? *data : ~UINT64_C(0);
    else if (write)
        vlapic_write(&v->hvm->vlapic, PAGE_OFFSET(gpa), size, (uint32_t)*data);
    else
        *data = vlapic_read(&v->hvm->vlapic, PAGE_OFFSET(gpa), size);
    return HVM_IO_DONE;
}

void hvm_mmio(struct vcpu *v, const struct sim_exit *e)
{
    if (e->npf.table || e->npf.error_code & PFEC_insn_fetch) {
        domain_crash(v, "%s at guest-physical %#lx, where there is no memory", e->npf.table ? "a page table" : "code",
                     (unsigned long)e->npf.gpa);
        return;
    }
    hvm_emulate(v, e->npf.gpa, ask);
}
