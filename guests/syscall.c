// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * syscall: a user program, its system calls, and its end by a fault.
 *
 * Shows the way from kernel to user and back: iret with RPL 3 goes to user mode on other page tables; SYSCALL there
 * comes to the kernel's syscall callback, not to Xen's hypercalls; a fault comes to the trap table, with the U bit in
 * a page fault's code. The program has three system calls (number in RAX, argument in RDI): write a string, add one,
 * exit.
 */
#include "guests/rt/guest.h"

enum { SYS_WRITE = 1, SYS_ADD_ONE = 2, SYS_EXIT = 3 };

/* --- user mode: runs at USER_BASE, sees nothing but the section .user --- */

static USER_DATA char greeting[] = "user: hello from user mode";
static USER_DATA char peeking[] = "user: now I read the kernel's memory";

static inline __attribute__((always_inline)) long sys(long number, long arg)
{
    long ret;

    asm volatile("syscall" : "=a"(ret) : "a"(number), "D"(arg) : "rcx", "r11", "memory");
    return ret;
}

static USER_CODE long program(long kernel_secret)
{
    uint16_t cs;

    sys(SYS_WRITE, (long)greeting);
    asm volatile("mov %%cs, %0" : "=r"(cs));
    if (sys(SYS_ADD_ONE, cs) == cs + 1)
        sys(SYS_WRITE, (long)peeking);
    return sys(SYS_EXIT, *(volatile long *)kernel_secret);
}

/* Straight to Xen, as the kernel does: the same instruction. */
static USER_CODE long impostor(long arg) { return sys(__HYPERVISOR_sched_op, arg); }

/* --- kernel --- */

static long secret = 42;

/* Serve system calls until the program ends. */
static void serve(const char *name, long (*fn)(long), long arg)
{
    struct guest_regs regs;

    printf("kernel: starting %s\n", name);
    user_run(fn, arg, &regs);
    while (regs.vector == TRAP_SYSCALL) {
        switch (regs.rax) {
        case SYS_WRITE:
            printf("%s\n", (const char *)regs.rdi); /* its addresses are valid here, too: see rt/user.c */
            user_resume(&regs, 0);
            break;
        case SYS_ADD_ONE:
            printf("kernel: asked to add one to %#lx (user mode's CS)\n", regs.rdi);
            user_resume(&regs, (long)regs.rdi + 1);
            break;
        case SYS_EXIT: printf("kernel: %s exits with %ld\n", name, (long)regs.rdi); return;
        default:
            printf("kernel: %s makes system call %lu, which I do not have; Xen did not take it as a hypercall\n", name,
                   regs.rax);
            return;
        }
    }
    printf("kernel: %s is killed: %s, error code %#lx%s\n", name, trap_name((unsigned int)regs.vector), regs.error_code,
           regs.error_code & 4 ? " (from user mode)" : "");
    if (regs.vector == TRAP_PAGE_FAULT && vcpu_info()->arch.cr2 == (unsigned long)&secret)
        printf("kernel: the address is that of my variable, where user mode has nothing\n");
}

int guest_main(void)
{
    uint16_t cs;

    user_space_init();
    asm volatile("mov %%cs, %0" : "=r"(cs));
    printf("kernel: my own CS is %#x: ring %u\n", cs, cs & 3);
    serve("program", program, (long)&secret);
    serve("impostor", impostor, SCHEDOP_shutdown);
    printf("kernel: my secret is still %ld\n", secret);
    return 0;
}
