// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * User mode of a PV64 guest.
 *
 * Concept: x86-64 has no segment limits, and a PV64 kernel runs at CPL 3, where its users run, too. So the only thing
 * that can keep users out of the kernel is that they cannot see it: kernel and user have two trees of page tables, and
 * Xen changes from one to the other on every entry and exit. The user's root is given by MMUEXT_NEW_USER_BASEPTR, the
 * kernel's is CR3.
 *
 *      kernel root --+--> all of the kernel
 *                    +--> L3 -> L2 -> L1 --> section .user (at USER_BASE)
 *      user root   --+
 *
 * The lower part is shared, so that the kernel sees the user's memory at the user's addresses. Entering user mode is
 * HYPERVISOR_iret with RPL 3 in the frame's CS; leaving it is a trap or SYSCALL. Xen then changes tables and GS base,
 * and takes the kernel's stack from the last HYPERVISOR_stack_switch.
 */
#include "guests/rt/guest.h"

extern char user_start[], user_end[], user_load[]; /* pv64.lds */

uint64_t user_root_mfn;

static char user_stack[PAGE_SIZE] __attribute__((section(".user.stack"), aligned(4096), used));
static char trap_stack[4 * PAGE_SIZE] __attribute__((aligned(4096)));

/* A run of user mode, and what ended it. */
static struct run {
    struct context context;
    struct guest_regs *regs;
} * running;

void user_ended(const struct guest_regs *regs)
{
    *running->regs = *regs;
    context_leave(&running->context, 0);
}

static long enter(long arg)
{
    struct guest_regs regs = *(struct guest_regs *)arg;

    user_enter(&regs);
}

/* Until user mode traps into nobody's handler. */
static void run(struct guest_regs *regs)
{
    struct run r = { .regs = regs };
    struct guest_regs start = *regs;

    running = &r;
    context_call(&r.context, enter, (long)&start);
    running = NULL;
    vcpu_info()->evtchn_upcall_mask = regs->upcall_mask;
}

void user_run(long (*fn)(long), long arg, struct guest_regs *regs)
{
    *regs = (struct guest_regs){
        .rip = (uint64_t)fn,
        .rdi = (uint64_t)arg,
        .rsp = (uint64_t)user_stack + sizeof(user_stack) - 8, /* as a function that was called finds it */
        .rflags = vcpu_info()->evtchn_upcall_mask ? 0 : EFLAGS_IF,
        .cs = FLAT_USER_CS,
        .ss = FLAT_USER_SS,
    };
    run(regs);
}

void user_resume(struct guest_regs *regs, long result)
{
    regs->rax = (uint64_t)result;
    run(regs);
}

void user_space_init(void)
{
    uint64_t *l1 = page_alloc(), *l2 = page_alloc(), *l3 = page_alloc(), *root = page_alloc();
    const char *user = (const char *)(uintptr_t)user_start;

    for (char *va = user_start, *from = user_load; va < user_end; va += PAGE_SIZE, from += PAGE_SIZE)
        l1[table_index(va, 1)] = virt_to_mfn(from) << PAGE_SHIFT | PTE_KERNEL;
    l2[table_index(user, 2)] = virt_to_mfn(l1) << PAGE_SHIFT | PTE_TABLE;
    l3[table_index(user, 3)] = virt_to_mfn(l2) << PAGE_SHIFT | PTE_TABLE;
    root[table_index(user, 4)] = virt_to_mfn(l3) << PAGE_SHIFT | PTE_TABLE;

    /* To become page tables they must no longer be writable; Xen counts. */
    MUST(page_protect(l1, PTE_READONLY));
    MUST(page_protect(l2, PTE_READONLY));
    MUST(page_protect(l3, PTE_READONLY));
    user_root_mfn = virt_to_mfn(root);
    MUST(table_pin(root, 4));
    MUST(mmuext(MMUEXT_NEW_USER_BASEPTR, user_root_mfn));
    MUST(pte_write(pte_machine(user, 4), virt_to_mfn(l3) << PAGE_SHIFT | PTE_TABLE)); /* the kernel's, too */
    MUST(HYPERVISOR_stack_switch(FLAT_KERNEL_SS, (unsigned long)trap_stack + sizeof(trap_stack)));
}
