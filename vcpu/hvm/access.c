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
#include "sim/frame.h"
#include "sim/nested.h"
#include "vcpu/hvm/hvm.h"

#include <string.h>

bool hvm_linear(struct vcpu *v, uint64_t addr, void *buf, size_t n, enum hvm_access access, bool user,
                struct hvm_fault *fault)
{
    const struct cpu_state *r = v->regs;
    const struct nested_regs regs = { r->cr0, r->cr3, r->cr4, r->efer, r->ncr3 };
    const uint32_t pfec = (access == HVM_ACCESS_WRITE ? PFEC_write_access : 0) |
                          (access == HVM_ACCESS_FETCH ? PFEC_insn_fetch : 0) | (user ? PFEC_user_mode : 0);
    struct machine *m = v->domain->xen->machine;

    for (size_t done = 0, part; done < n; done += part) {
        const uint64_t at = r->efer & EFER_LMA ? addr + done : (uint32_t)(addr + done);
        struct nested_walk w;

        part = PAGE_SIZE - PAGE_OFFSET(at) < n - done ? PAGE_SIZE - PAGE_OFFSET(at) : n - done;
        if (!is_canonical(at)) {
            *fault = (struct hvm_fault){ .vector = X86_EXC_GP };
            return false;
        }
        if (nested_walk(&regs, at, pfec, machine_table, m, &w) != NESTED_OK) {
            *fault = (struct hvm_fault){ .vector = w.result == NESTED_PF ? X86_EXC_PF : 255,
                                         .error_code = w.error_code,
                                         .addr = w.result == NESTED_PF ? at : w.gpa };
            return false;
        }
        nested_set_bits(m, &w);
        if (access == HVM_ACCESS_WRITE) {
            memcpy((uint8_t *)frame_write_begin(m, _mfn(PFN_DOWN(w.phys))) + PAGE_OFFSET(w.phys),
                   (const uint8_t *)buf + done, part);
            frame_write_end(m, _mfn(PFN_DOWN(w.phys)));
        } else {
            memcpy((uint8_t *)buf + done, (const uint8_t *)mfn_to_virt(m, _mfn(PFN_DOWN(w.phys))) + PAGE_OFFSET(w.phys),
                   part);
        }
    }
    return true;
}
