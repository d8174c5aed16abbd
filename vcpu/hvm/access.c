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
#include "mmu/hvm/pod.h"
#include "sim/frame.h"
#include "sim/nested.h"
#include "vcpu/hvm/hvm.h"

#include <errno.h>
#include <string.h>

bool hvm_guard_ends(struct domain *d, uint64_t gpa)
{
    p2m_type_t t;
    const mfn_t mfn = p2m_get_entry(d, PFN_DOWN(gpa), &t);

    if (t == p2m_populate_on_demand)
        return p2m_pod_populate(d, PFN_DOWN(gpa));
    if (t != p2m_ram_logdirty || p2m_set_entry(d, PFN_DOWN(gpa), mfn, p2m_ram_rw))
        return false;
    d->log_dirty_faults += d->log_dirty;
    return true;
}

/* buf NULL: nothing is accessed. *gpa: of what was walked to last. */
static bool access_walk(struct vcpu *v, uint64_t addr, void *buf, size_t n, enum hvm_access access, bool user,
                        uint64_t *gpa, struct hvm_fault *fault)
{
    const uint32_t pfec = (access == HVM_ACCESS_WRITE ? PFEC_write_access : 0) | (user ? PFEC_user_mode : 0);
    struct nested_walk w;
    uint64_t at;

    do
        if (hvm_access(v, addr, buf, n, pfec, &w, &at)) {
            *gpa = w.gpa;
            return true;
        }
    while (w.result == NESTED_NPF && hvm_guard_ends(v->domain, w.gpa));
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

static bool copy_phys(struct domain *d, uint64_t gpa, uint8_t *buf, size_t n, bool write)
{
    struct machine *m = d->xen->machine;
    bool all = true;

    for (size_t done = 0, part; done < n; done += part) {
        const uint64_t at = gpa + done;
        p2m_type_t t;
        struct page_info *pg = get_page_from_gfn(d, PFN_DOWN(at), &t);

        part = PAGE_SIZE - PAGE_OFFSET(at) < n - done ? PAGE_SIZE - PAGE_OFFSET(at) : n - done;
        if (!pg || (write && t == p2m_ram_ro)) {
            all = false;
            if (!write)
                memset(buf + done, 0xff, part);
        } else if (write) {
            memcpy((uint8_t *)frame_write_begin(m, page_to_mfn(d->xen, pg)) + PAGE_OFFSET(at), buf + done, part);
            frame_write_end(m, page_to_mfn(d->xen, pg));
        } else {
            memcpy(buf + done, (const uint8_t *)mfn_to_virt(m, page_to_mfn(d->xen, pg)) + PAGE_OFFSET(at), part);
        }
        if (pg)
            put_page(d->xen, pg);
    }
    return all;
}

bool hvm_copy_from_guest_phys(struct domain *d, void *buf, uint64_t gpa, size_t n)
{
    return copy_phys(d, gpa, buf, n, false);
}

bool hvm_copy_to_guest_phys(struct domain *d, uint64_t gpa, const void *buf, size_t n)
{
    return copy_phys(d, gpa, (uint8_t *)(uintptr_t)buf, n, true);
}

/* --- what hypercalls name: as the guest's kernel would reach it --- */

static int copy_from(struct vcpu *v, void *dst, uint64_t src, size_t n)
{
    struct hvm_fault f;

    return hvm_linear(v, src, dst, n, HVM_ACCESS_READ, false, &f) ? 0 : -EFAULT;
}

static int copy_to(struct vcpu *v, uint64_t dst, const void *src, size_t n)
{
    struct hvm_fault f;

    return hvm_linear(v, dst, (void *)(uintptr_t)src, n, HVM_ACCESS_WRITE, false, &f) ? 0 : -EFAULT;
}

static bool okay(const struct vcpu *v, uint64_t addr, size_t n) { return true; }

const struct caller_mem_ops hvm_caller_mem = {
    .name = "HVM guest", .copy_from = copy_from, .copy_to = copy_to, .okay = okay
};
