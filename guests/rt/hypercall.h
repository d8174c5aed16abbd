// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hypercalls, as C functions.
 *
 * Concept: a hypercall is a system call whose kernel is the hypervisor. The number selects a stub of 32 bytes in the
 * hypercall page (filled in by Xen); arguments go in RDI, RSI, RDX, R10, R8; the answer comes in RAX: a value, or a
 * negative error number of <xen/errno.h>. Xen may be interrupted in a long hypercall: it then lets the vCPU execute
 * the instruction once more, with arguments that say what is left. So the argument registers may come back changed.
 *
 * The names are those that every PV guest uses, whoever wrote it. What each hypercall does stands in the public header
 * named beside it.
 */
#ifndef GUESTS_RT_HYPERCALL_H
#define GUESTS_RT_HYPERCALL_H

#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/callback.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define HYPERCALL_STUB_SIZE 32

/* `nr` must be a constant. */
static inline __attribute__((always_inline)) long hypercall(unsigned int nr, unsigned long a1, unsigned long a2,
                                                            unsigned long a3, unsigned long a4, unsigned long a5)
{
    register unsigned long r10 asm("r10") = a4;
    register unsigned long r8 asm("r8") = a5;
    long ret;

    asm volatile("call hypercall_page + %c[stub]"
                 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                 : [stub] "i"(nr * HYPERCALL_STUB_SIZE)
                 : "rcx", "r11", "memory");
    return ret;
}

#define HYPERCALL_ARG(a)       ((unsigned long)(a))
#define HYPERCALL1(name, a)    hypercall(__HYPERVISOR_##name, HYPERCALL_ARG(a), 0, 0, 0, 0)
#define HYPERCALL2(name, a, b) hypercall(__HYPERVISOR_##name, HYPERCALL_ARG(a), HYPERCALL_ARG(b), 0, 0, 0)
#define HYPERCALL3(name, a, b, c)                                                                                      \
    hypercall(__HYPERVISOR_##name, HYPERCALL_ARG(a), HYPERCALL_ARG(b), HYPERCALL_ARG(c), 0, 0)
#define HYPERCALL4(name, a, b, c, d)                                                                                   \
    hypercall(__HYPERVISOR_##name, HYPERCALL_ARG(a), HYPERCALL_ARG(b), HYPERCALL_ARG(c), HYPERCALL_ARG(d), 0)

/* --- the virtual processor: <xen/xen.h>, <xen/arch-x86/xen.h>, <xen/callback.h> --- */

static inline long HYPERVISOR_set_trap_table(const struct trap_info *table)
{
    return HYPERCALL1(set_trap_table, table);
}

static inline long HYPERVISOR_callback_op(int cmd, const void *arg) { return HYPERCALL2(callback_op, cmd, arg); }

static inline long HYPERVISOR_stack_switch(unsigned long ss, unsigned long sp)
{
    return HYPERCALL2(stack_switch, ss, sp);
}

static inline long HYPERVISOR_set_segment_base(int which, unsigned long base)
{
    return HYPERCALL2(set_segment_base, which, base);
}

static inline long HYPERVISOR_set_gdt(const unsigned long *frames, unsigned int entries)
{
    return HYPERCALL2(set_gdt, frames, entries);
}

static inline long HYPERVISOR_update_descriptor(uint64_t maddr, uint64_t desc)
{
    return HYPERCALL2(update_descriptor, maddr, desc);
}

static inline long HYPERVISOR_fpu_taskswitch(int set) { return HYPERCALL1(fpu_taskswitch, set); }

static inline long HYPERVISOR_set_debugreg(int reg, unsigned long val) { return HYPERCALL2(set_debugreg, reg, val); }

static inline long HYPERVISOR_get_debugreg(int reg) { return HYPERCALL1(get_debugreg, reg); }

static inline long HYPERVISOR_vm_assist(unsigned int cmd, unsigned int type)
{
    return HYPERCALL2(vm_assist, cmd, type);
}

static inline long HYPERVISOR_vcpu_op(int cmd, unsigned int vcpu, void *arg)
{
    return HYPERCALL3(vcpu_op, cmd, vcpu, arg);
}

/* --- memory: <xen/xen.h>, <xen/memory.h>, <xen/grant_table.h> --- */

static inline long HYPERVISOR_mmu_update(const struct mmu_update *req, unsigned int count, unsigned int *done,
                                         domid_t dom)
{
    return HYPERCALL4(mmu_update, req, count, done, dom);
}

static inline long HYPERVISOR_mmuext_op(const struct mmuext_op *op, unsigned int count, unsigned int *done, domid_t dom)
{
    return HYPERCALL4(mmuext_op, op, count, done, dom);
}

static inline long HYPERVISOR_update_va_mapping(unsigned long va, uint64_t pte, unsigned long flags)
{
    return HYPERCALL3(update_va_mapping, va, pte, flags);
}

static inline long HYPERVISOR_update_va_mapping_otherdomain(unsigned long va, uint64_t pte, unsigned long flags,
                                                            domid_t dom)
{
    return HYPERCALL4(update_va_mapping_otherdomain, va, pte, flags, dom);
}

static inline long HYPERVISOR_memory_op(unsigned int cmd, void *arg) { return HYPERCALL2(memory_op, cmd, arg); }

static inline long HYPERVISOR_grant_table_op(unsigned int cmd, void *ops, unsigned int count)
{
    return HYPERCALL3(grant_table_op, cmd, ops, count);
}

/* --- time, events, and the rest: <xen/sched.h>, <xen/event_channel.h>, <xen/version.h>, <xen/physdev.h> --- */

static inline long HYPERVISOR_sched_op(int cmd, void *arg) { return HYPERCALL2(sched_op, cmd, arg); }

static inline long HYPERVISOR_set_timer_op(uint64_t deadline) { return HYPERCALL1(set_timer_op, deadline); }

static inline long HYPERVISOR_event_channel_op(int cmd, void *arg) { return HYPERCALL2(event_channel_op, cmd, arg); }

static inline long HYPERVISOR_xen_version(int cmd, void *arg) { return HYPERCALL2(xen_version, cmd, arg); }

static inline long HYPERVISOR_console_io(int cmd, size_t count, const char *text)
{
    return HYPERCALL3(console_io, cmd, count, text);
}

static inline long HYPERVISOR_physdev_op(int cmd, void *arg) { return HYPERCALL2(physdev_op, cmd, arg); }

static inline long HYPERVISOR_multicall(struct multicall_entry *calls, unsigned int count)
{
    return HYPERCALL2(multicall, calls, count);
}

#endif
