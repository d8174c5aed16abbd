/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * five under Xen: the entries of traps, events and SYSCALL, and the way back by hypercall. guests/rt/entry.S explains
 * the frames.
 */
#include <xen/xen.h>

#define TRAP_TIMER   256
#define TRAP_SYSCALL 257
#define FRAME_VECTOR 15 * 8
#define FRAME_CS     18 * 8

        .text
        .globl  entries, event_entry, syscall_entry, failsafe_entry, user_enter
        .altmacro
        .macro  stub n, trap
entry_\n:
        pop     %rcx
        pop     %r11
        .if     !(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21)
        push    $0
        .endif
        push    $\trap
        jmp     common
        .endm
        .macro  stub_address n
        .quad   entry_\n
        .endm
        .set    i, 0
        .rept   32
        stub    %i, %i
        .set    i, i + 1
        .endr
        stub    32, 0x80
        stub    33, TRAP_TIMER
        stub    34, TRAP_SYSCALL
        .set    event_entry, entry_33
        .set    syscall_entry, entry_34
failsafe_entry:
        ud2                             /* no segment register of ours can be wrong */

common: push    %rdi
        push    %rsi
        push    %rdx
        push    %rcx
        push    %rax
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        cld
        movl    $0, FRAME_CS + 4(%rsp)  /* the upcall mask that was: RFLAGS.IF has it, too */
        testb   $3, FRAME_CS(%rsp)
        jnz     user_leave
        mov     %rsp, %rdi
        mov     %rsp, %rbx
        and     $-16, %rsp
        call    trap
        mov     %rbx, %rsp
go_on:  pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rax
        pop     %rcx
        pop     %rdx
        pop     %rsi
        pop     %rdi
        add     $8, %rsp                /* the vector; the error code becomes the flags of the iret: none */
        movq    $0, (%rsp)
        jmp     hypercall_page + __HYPERVISOR_iret * 32

/* void user_enter(struct frame *f): returns at the next trap of user mode. */
user_enter:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, kernel_rsp
        mov     %rdi, %rsp
        jmp     go_on

user_leave:
        mov     kernel_rsp, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

        .section .rodata, "a"
        .balign 8
entries:
        .set    i, 0
        .rept   33
        stub_address %i
        .set    i, i + 1
        .endr

        .bss
        .balign 8
kernel_rsp: .skip 8

        .section .note.GNU-stack, "", @progbits
