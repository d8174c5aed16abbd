// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Other vCPUs.
 *
 * Concept: a vCPU is not started by an interrupt that makes it execute 16-bit code somewhere, but with everything a
 * processor can know at once: VCPUOP_initialise is given its registers, trap table, callbacks and page-table root,
 * VCPUOP_up lets it run. Here each gets one page: `struct cpu` at its bottom, and the stack on top of that.
 *
 * shared_info has room for 32 struct vcpu_info. Later vCPUs have none until they are given one in the guest's own
 * memory, and cannot be initialised before.
 *
 * Stated in public <xen/vcpu.h>.
 */
#include "guests/rt/guest.h"

extern char event_callback[], failsafe_callback[], syscall_callback[]; /* entry.S */

/* Many of them fit into a page. */
static struct vcpu_info *info_of_ones_own(unsigned int id)
{
    static struct vcpu_info *page, *next;
    struct vcpu_register_vcpu_info reg;

    if (!page || next == page + PAGE_SIZE / sizeof(*page))
        page = next = page_alloc();
    reg =
        (struct vcpu_register_vcpu_info){ .mfn = virt_to_mfn(page), .offset = (uint32_t)((char *)next - (char *)page) };
    return HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, id, &reg) ? NULL : next++;
}

long cpu_start(unsigned int id, void (*fn)(void))
{
    static struct vcpu_guest_context *c; /* more than a page */
    char *page;
    struct cpu *cpu;
    long rc;

    if (!c) {
        c = page_alloc();
        page_alloc(); /* the next one */
    }
    memset(c, 0, sizeof(*c));
    page = page_alloc();
    cpu = (struct cpu *)page;
    cpu_init(cpu, id);
    if (id >= XEN_LEGACY_MAX_VCPUS && !(cpu->info = info_of_ones_own(id)))
        return -XEN_ENOMEM;
    c->flags = VGCF_in_kernel;
    c->user_regs.rip = (uint64_t)fn;
    c->user_regs.rsp = (uint64_t)page + PAGE_SIZE - 8; /* as after a call */
    c->user_regs.cs = FLAT_KERNEL_CS;
    c->user_regs.ss = c->kernel_ss = FLAT_KERNEL_SS;
    c->user_regs.rflags = EFLAGS_IF;
    c->kernel_sp = (uint64_t)page + PAGE_SIZE;
    c->event_callback_eip = (uint64_t)event_callback;
    c->failsafe_callback_eip = (uint64_t)failsafe_callback;
    c->syscall_callback_eip = (uint64_t)syscall_callback;
    c->ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
    c->gs_base_kernel = (uint64_t)cpu;
    rc = HYPERVISOR_vcpu_op(VCPUOP_initialise, id, c);
    return rc ? rc : HYPERVISOR_vcpu_op(VCPUOP_up, id, NULL);
}
