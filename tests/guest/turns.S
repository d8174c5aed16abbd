/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turns: a kernel's work, for figures: of the command line "n=N" so many turns, each a call, a return, a branch and
 * arithmetic, some of it in memory: 16 instructions. Of 64-bit code, in instructions that each technique knows. Ends by
 * switching the machine off (HLT that nothing ends).
 */
#include "guests/hvm/note.S"

#define CMDLINE_PADDR 24 /* of struct hvm_start_info */

        .code32
        .text
        .globl  start
start:  cli
        xor     %ebp, %ebp
        mov     CMDLINE_PADDR(%ebx), %esi
1:      cmpb    $0, (%esi)
        je      4f
        cmpw    $0x3d6e, (%esi)         /* n= */
        lea     1(%esi), %esi
        jne     1b
2:      lea     1(%esi), %esi
        movzbl  (%esi), %eax
        sub     $0x30, %eax
        cmp     $9, %eax
        ja      4f
        imul    $10, %ebp, %ebp
        add     %eax, %ebp
        jmp     2b
4:      movl    $l3 + 3, l4
        movl    $0x83, l3               /* a GiB, one to one */
        mov     %cr4, %eax
        or      $0x20, %eax             /* PAE */
        mov     %eax, %cr4
        mov     $l4, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx       /* EFER: LME */
        rdmsr
        or      $0x100, %eax
        wrmsr
        mov     $0x80010021, %eax       /* PG, WP, NE, PE */
        mov     %eax, %cr0
        lgdt    gdtr
        ljmp    $8, $long_mode
        .code64
long_mode:
        mov     $stack, %esp
        mov     $numbers, %edi
        test    %rbp, %rbp
        je      6f
5:      call    turn
        sub     $1, %rbp
        jne     5b
6:      cli
        hlt
        jmp     6b
        .balign 16
turn:   mov     (%rdi), %rax
        lea     7(%rax, %rax, 2), %rax
        xor     %rbp, %rax
        mov     %rax, 8(%rdi)
        mov     %rax, %rcx
        shr     $7, %rcx
        add     %rcx, %rdx
        test    $1, %dl
        je      7f
        add     $3, %rax
7:      mov     %rax, (%rdi)
        and     $0xffff, %ecx
        ret

        .data
        .balign 4096                    /* stores to the page that code is in are another matter */
gdt:    .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:   .word   . - gdt - 1
        .long   gdt
        .balign 8
numbers: .quad  1, 2
        .bss
        .balign 4096
l4:     .skip   4096
l3:     .skip   4096
        .skip   4096
stack:
        .section .note.GNU-stack, "", @progbits
