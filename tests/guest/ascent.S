/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ascent: each way up to the hypervisor and back, once. A PV64 kernel in assembly alone, so that a position in its run
 * is the same whatever compiler made the other guests: what tests/ui/ expects to see on a screen is of this one.
 *
 *      hypercalls   update_va_mapping of the console page and shared_info, set_trap_table, a line for dom0
 *      refused      cli, in the kernel: IOPL is 0
 *      a fault      a read of address 0x800000, where nothing is
 *      an event     VIRQ_TIMER, for which it blocks
 *      user mode    at the same CPL 3, with the same page tables as the user root: cli again, and a system call
 *      two sends    to dom0 without its having run: the second one is no edge
 *
 * Handlers of faults step over the instruction that has faulted, whose length they know.
 */
#include <xen/xen.h>

/* <xen/event_channel.h> and <xen/sched.h> are for C alone. */
#define EVTCHNOP_bind_virq 1
#define EVTCHNOP_send 4
#define EVTCHNOP_unmask 9
#define SCHEDOP_block 1
#define SCHEDOP_shutdown 2
#define SHUTDOWN_poweroff 0

#define START_SHARED_INFO 40    /* struct start_info */
#define START_CONSOLE_MFN 72
#define START_CONSOLE_PORT 80
#define START_PT_BASE 88
#define START_MFN_LIST 104
#define CONSOLE_OUT 1024        /* struct xencons_interface */
#define CONSOLE_OUT_PROD 3084
#define SHARED_UPCALL_PENDING 0 /* struct shared_info, vcpu_info[0] */
#define SHARED_PENDING_SEL 8
#define SHARED_SYSTEM_TIME 48
#define SHARED_PENDING 2048
#define SHARED_MASK 2560
#define PTE_OURS 0x67           /* present, writable, for user mode, accessed, dirty */
#define KERNEL_CS 0xe030
#define FLAT_CS 0xe033          /* with RPL 3: user mode's */
#define FLAT_SS 0xe02b

.macro hypercall nr
    call    hypercall_page + \nr * 32
.endm

    .text
    .globl guest_start
guest_start:
    mov     %rdi, %rbp                          /* start_info */
    lea     shared(%rip), %rdi                  /* update_va_mapping(va, pte, flush that one) */
    mov     START_SHARED_INFO(%rbp), %rsi
    or      $PTE_OURS, %rsi
    mov     $UVMF_INVLPG, %edx
    hypercall __HYPERVISOR_update_va_mapping
    movq    $-1, shared + SHARED_MASK(%rip)     /* dom0's answers are not waited for */
    lea     console(%rip), %rdi
    mov     START_CONSOLE_MFN(%rbp), %rsi
    shl     $12, %rsi
    or      $PTE_OURS, %rsi
    mov     $UVMF_INVLPG, %edx
    hypercall __HYPERVISOR_update_va_mapping
    mov     START_CONSOLE_PORT(%rbp), %eax
    mov     %eax, console_send(%rip)
    call    say

    lea     traps(%rip), %rdi
    hypercall __HYPERVISOR_set_trap_table
    lea     event_entry(%rip), %rdi
    lea     failsafe_entry(%rip), %rsi
    lea     syscall_entry(%rip), %rdx
    hypercall __HYPERVISOR_set_callbacks
    mov     $FLAT_SS, %edi
    lea     kernel_stack(%rip), %rsi
    hypercall __HYPERVISOR_stack_switch

    .globl kernel_cli
kernel_cli:
    cli                                         /* #GP */
    mov     $0x800000, %ebx
    .globl kernel_read
kernel_read:
    mov     (%rbx), %rax                        /* #PF */

    mov     $EVTCHNOP_bind_virq, %edi
    lea     timer_bind(%rip), %rsi
    hypercall __HYPERVISOR_event_channel_op
    mov     timer_bind + 8(%rip), %eax
    mov     %eax, timer_unmask(%rip)
    mov     $EVTCHNOP_unmask, %edi
    lea     timer_unmask(%rip), %rsi
    hypercall __HYPERVISOR_event_channel_op
    mov     shared + SHARED_SYSTEM_TIME(%rip), %rdi
    add     $100000, %rdi                       /* ns */
    hypercall __HYPERVISOR_set_timer_op
    mov     $SCHEDOP_block, %edi
    xor     %esi, %esi
    hypercall __HYPERVISOR_sched_op

    mov     START_PT_BASE(%rbp), %rax           /* the kernel's root is to be user mode's, too */
    sub     $VIRT_BASE, %rax
    shr     $12, %rax
    mov     START_MFN_LIST(%rbp), %rdx
    mov     (%rdx,%rax,8), %rax
    mov     %rax, user_root + 8(%rip)
    lea     user_root(%rip), %rdi
    mov     $1, %esi
    xor     %edx, %edx
    mov     $DOMID_SELF, %r10d
    hypercall __HYPERVISOR_mmuext_op
    pushq   $FLAT_SS
    lea     user_stack(%rip), %rax
    push    %rax
    pushq   $0x200
    pushq   $FLAT_CS
    lea     user_cli(%rip), %rax
    push    %rax
    pushq   $0
    jmp     hypercall_page + __HYPERVISOR_iret * 32

    .globl user_cli
user_cli:
    cli                                         /* #GP, as in the kernel */
    syscall
    ud2

    .globl syscall_entry
syscall_entry:
    call    say
    call    say                                 /* nobody has run in between */
    mov     $SCHEDOP_shutdown, %edi
    lea     poweroff(%rip), %rsi
    hypercall __HYPERVISOR_sched_op
    ud2

/* A line to the console, and an event to dom0. */
say:
    lea     line(%rip), %rsi
    lea     console + CONSOLE_OUT(%rip), %rdi
    mov     console + CONSOLE_OUT_PROD(%rip), %eax
    add     %rax, %rdi                          /* the ring is never full here */
    mov     $line_end - line, %ecx
    add     %ecx, %eax
    rep movsb
    mov     %eax, console + CONSOLE_OUT_PROD(%rip)
    mov     $EVTCHNOP_send, %edi
    lea     console_send(%rip), %rsi
    hypercall __HYPERVISOR_event_channel_op
    ret

/* Xen's frame: rcx, r11, the error code, rip... */
    .globl gp_entry
gp_entry:
    pop     %rcx
    pop     %r11
    addq    $1, 8(%rsp)
    movq    $0, (%rsp)
    jmp     hypercall_page + __HYPERVISOR_iret * 32

    .globl pf_entry
pf_entry:
    pop     %rcx
    pop     %r11
    addq    $3, 8(%rsp)
    movq    $0, (%rsp)
    jmp     hypercall_page + __HYPERVISOR_iret * 32

/* The same without an error code. */
    .globl event_entry
event_entry:
    pop     %rcx
    pop     %r11
    movb    $0, shared + SHARED_UPCALL_PENDING(%rip)
    movq    $0, shared + SHARED_PENDING_SEL(%rip)
    movq    $0, shared + SHARED_PENDING(%rip)
    pushq   $0
    jmp     hypercall_page + __HYPERVISOR_iret * 32

failsafe_entry:
    ud2

    .data
    .balign 8
traps:                                          /* struct trap_info: vector, flags, cs, address */
    .byte   13, 0
    .short  FLAT_CS, 0, 0
    .quad   gp_entry
    .byte   14, 0
    .short  FLAT_CS, 0, 0
    .quad   pf_entry
    .quad   0, 0
user_root:                                      /* struct mmuext_op */
    .long   MMUEXT_NEW_USER_BASEPTR, 0
    .quad   0, 0
timer_bind:                                     /* virq, vcpu, port */
    .long   VIRQ_TIMER, 0, 0
timer_unmask:
    .long   0
console_send:
    .long   0
poweroff:
    .long   SHUTDOWN_poweroff
line:
    .ascii  "up and back\r\n"
line_end:

    .bss
    .balign 4096
    .globl shared
shared:
    .skip   4096
    .globl console
console:
    .skip   4096
    .skip   2048
kernel_stack:
    .skip   2048
user_stack:

    .section .note.GNU-stack, "", @progbits
