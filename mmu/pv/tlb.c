// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TLB flushes that guests ask for.
 *
 * Concept: a processor may keep a translation after its entry changed, so the kernel says when it must not: on this
 * vCPU, on all, or on those in a bitmap. Here a flush is a mark on the vCPU's registers and takes place before its next
 * instruction, so any number of requests in one hypercall cost one flush. A single page is told from the whole TLB on
 * the calling vCPU only.
 *
 * Corresponds to vcpumask_to_pcpumask() of xen/arch/x86/mm.c and xen/arch/x86/flushtlb.c.
 */
#include "mmu/compat.h"
#include "mmu/pv/private.h"

void pv_flush_tlb(struct domain *d)
{
    for_each_vcpu (d, v)
        vcpu_flush_tlb(v);
}

int pv_flush_vcpumask(struct vcpu *v, uint64_t bitmap)
{
    const unsigned int word = 8 * (unsigned int)word_size(v->domain), max = v->domain->max_vcpus;

    for (unsigned int bias = 0; bias < max; bias += word) {
        uint64_t bits;

        if (copy_word_from_guest(v, &bits, bitmap + bias / 8))
            return -EFAULT;
        for (unsigned int i = 0; i < word && bias + i < max; i++)
            if ((bits >> i & 1) && v->domain->vcpu[bias + i])
                vcpu_flush_tlb(v->domain->vcpu[bias + i]);
    }
    return 0;
}
