// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accesses to guest-physical addresses behind which there is no memory: the instruction is carried out with whoever
 * answers there (intercept.h).
 *
 * Corresponds to hvm_hap_nested_page_fault() of xen/arch/x86/hvm/hvm.c.
 */
#include "vcpu/hvm/emulate.h"

void hvm_mmio(struct vcpu *v, const struct sim_exit *e)
{
    if (e->npf.table || e->npf.error_code & PFEC_insn_fetch) {
        domain_crash(v, "%s at guest-physical %#lx, where there is no memory", e->npf.table ? "a page table" : "code",
                     (unsigned long)e->npf.gpa);
        return;
    }
    hvm_emulate(v, e->npf.gpa);
}
