// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM guest's memory, as its processor would reach it: for delivering events and carrying out instructions.
 *
 * Concept: two-dimensional walks (sim/nested.h) a page at a time, with the rights that the access needs; A and D bits
 * are set as the processor sets them. Where the p2m has a page of RAM that is only guarded (log-dirty), the access is
 * made; where it has nothing, or a device, the caller hears of it: there is no memory to push a frame to.
 *
 * Corresponds to __hvm_copy() of xen/arch/x86/hvm/hvm.c.
 */
#include "mmu/guest_access.h"
#include "sim/nested.h"
#include "vcpu/hvm/hvm.h"

/* buf NULL: nothing is accessed. *gpa: of what was walked to last. */
static bool access_walk(struct vcpu *v, uint64_t addr, void *buf, size_t n, enum hvm_access access, bool user,
                        uint64_t *gpa, struct hvm_fault *fault)
{
    const uint32_t pfec = (access == HVM_ACCESS_WRITE ? PFEC_write_access : 0) | (user ? PFEC_user_mode : 0);
    struct nested_walk w;
    uint64_t at;

    if (hvm_access(v, addr, buf, n, pfec, &w, &at)) {
        *gpa = w.gpa;
        return true;
    }
    if (v->regs->efer & EFER_LMA && !is_canonical(at))
        *fault = (struct hvm_fault){ .vector = X86_EXC_GP };
    else if (w.result == NESTED_PF)
        *fault = (struct hvm_fault){ .vector = X86_EXC_PF, .error_code = w.error_code, .addr = at };
    else
        *fault = (struct hvm_fault){ .vector = HVM_NO_MEMORY, .addr = w.gpa };
    return false;
}

bool hvm_linear(struct vcpu *v, uint64_t addr, void *buf, size_t n, enum hvm_access access, bool user,
                struct hvm_fault *fault)
{
    uint64_t gpa;

    return access_walk(v, addr, buf, n, access, user, &gpa, fault);
}

bool hvm_linear_to_gpa(struct vcpu *v, uint64_t addr, enum hvm_access access, bool user, uint64_t *gpa,
                       struct hvm_fault *fault)
{
    return access_walk(v, addr, NULL, 1, access, user, gpa, fault);
}
