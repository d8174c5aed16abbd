/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What traps, at a known place; the call that outlives it; code that changes. */
        .text
        .globl  do_divide, do_ud2, do_int3, do_read, do_write, try_call, try_failed, patched_code, patch_ahead

do_divide:
        xor     %edx, %edx
        mov     $1, %eax
        div     %rdi
        ret
do_ud2: ud2
        ret
do_int3: int3
        ret
do_read: mov    (%rdi), %rax
        ret
do_write: mov   %rdi, (%rdi)
        ret

/* uint64_t try_call(fn, arg): the trap's handler comes to try_failed, with the stack as it is at the call. */
try_call: push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        push    %rdi
        mov     %rsp, try_stack
        mov     %rdi, %rax
        mov     %rsi, %rdi
        call    *%rax
try_failed:
        pop     %rdi
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

patched_code:
        mov     $0x12345678, %eax       /* b8, and 4 bytes */
        ret

/* uint32_t patch_ahead(val): the store changes the very next instruction. */
patch_ahead:
        mov     %edi, ahead + 1
ahead:  mov     $0, %eax
        ret

        .bss
        .balign 8
        .globl  try_stack
try_stack: .skip 8

        .section .note.GNU-stack, "", @progbits
