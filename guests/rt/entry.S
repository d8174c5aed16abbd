/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where Xen delivers traps, events and system calls: from its bounce frame to a C handler and back.
 *
 * Concept: Xen plays the processor. It stores on the kernel's stack what hardware would, and below that RCX and R11,
 * because the way back is a hypercall, whose SYSCALL instruction destroys both:
 *
 *      RSP ->  rcx  r11  [error code]  rip  cs | upcall mask << 32  rflags  rsp  ss
 *
 * A stub takes RCX and R11 off again, which leaves the frame of real hardware; pushes what else belongs to a
 * struct guest_regs (guest.h); and calls trap_dispatch(). To return, it leaves the frame of public struct iret_context
 *
 *      RSP ->  [rax  r11  rcx]  flags  rip  cs  rflags  rsp  ss
 *
 * whose first three words the iret stub of the hypercall page pushes itself. Returning restores the upcall mask from
 * RFLAGS.IF, in one step with the jump.
 */
#include <xen/xen.h>

#define TRAP_EVENT 256
#define TRAP_SYSCALL 257
#define TRAP_FAILSAFE 258

    .text

/* 256 stubs of 16 bytes: entry n is at trap_entries + 16 n. Vectors 8, 10-14, 17, 21 come with an error code. */
    .balign 16
    .globl trap_entries
trap_entries:
    vector = 0
    .rept 256
    .balign 16
    pop     %rcx
    pop     %r11
    .if (vector != 8) && (vector != 17) && (vector != 21) && ((vector < 10) || (vector > 14))
    push    $0                          /* no error code */
    .endif
    push    $vector
    jmp     trap_common
    vector = vector + 1
    .endr

.macro callback name, vector
    .globl \name
\name:
    pop     %rcx
    pop     %r11
    push    $0
    push    $\vector
    jmp     trap_common
.endm
    callback event_callback, TRAP_EVENT
    callback syscall_callback, TRAP_SYSCALL

/* Xen could not load a segment register of ours, and shows all four below RCX and R11. */
    .globl failsafe_callback
failsafe_callback:
    pop     %rcx
    pop     %r11
    add     $32, %rsp
    push    $0
    push    $TRAP_FAILSAFE

trap_common:
    push    %rdi
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
    mov     %rsp, %rdi
    mov     %rsp, %rbx
    and     $-16, %rsp
    call    trap_dispatch
    mov     %rbx, %rsp
trap_return:
    pop     %r15
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
    add     $8, %rsp                    /* the vector; the error code becomes the flags of the iret: none */
    movq    $0, (%rsp)
    jmp     hypercall_page + __HYPERVISOR_iret * 32

/*
 * long context_call(struct context *c, long (*fn)(long), long arg): what fn(arg) returns, or what is given to
 * context_leave(). void context_leave(struct context *c, long value): return from the context_call() of c.
 */
    .globl context_call
context_call:
    push    %rbp
    push    %rbx
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    sub     $8, %rsp
    mov     %rsp, (%rdi)
    mov     %rdx, %rdi
    call    *%rsi
1:  add     $8, %rsp
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbx
    pop     %rbp
    ret

    .globl context_leave
context_leave:
    mov     (%rdi), %rsp
    mov     %rsi, %rax
    jmp     1b

/* void user_enter(struct guest_regs *regs): continue with these registers, in the mode they say. Does not return. */
    .globl user_enter
user_enter:
    mov     %rdi, %rsp
    jmp     trap_return

    .section .note.GNU-stack, "", @progbits
