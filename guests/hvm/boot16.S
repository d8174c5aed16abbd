// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The modes of an x86 processor, one after the other, by an HVM guest that stands in hvmloader's place.
 *
 *      32-bit protected mode (where Xen starts it) -> real mode -> protected mode -> long mode -> ring 3 -> ring 0
 *
 * Each says so at port 0xe9, Xen's console of HVM guests, and nothing is said by one that is not in its mode: CS, CR0
 * and EFER are looked at, and where a number is printed it comes from the processor. From ring 3 the port may be
 * written because IOPL is 3; back comes INT 0x80. The end is HLT without interrupts, which Xen takes for one.
 *
 * Linked at 1 MiB; what runs in real mode is copied to 0x7000, where 16 bits reach.
 */
#include "guests/hvm/note.S"

#define LOW  0x7000
#define PORT 0xe9

#define CODE32 0x08
#define DATA32 0x10
#define CODE16 0x18
#define DATA16 0x20
#define CODE64 0x28
#define DATA3  0x30
#define CODE3  0x38
#define TSS    0x40


/* --------------------------------------------------------------------------------------- protected mode, 32 bits -- */

        .text
        .code32
        .globl  start
start:  mov     $stack, %esp
        mov     $low_begin, %esi
        mov     $LOW, %edi
        mov     $low_end - low_begin, %ecx
        cld
        rep     movsb
        lgdt    gdtr
        ljmp    $CODE32, $1f
1:      mov     $DATA32, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $in32, %esi
        call    say32
        lidt    idtr16
        ljmp    $CODE16, $LOW + to_real - low_begin

say32:  lodsb
        test    %al, %al
        jz      1f
        out     %al, $PORT
        jmp     say32
1:      ret

/* Back from real mode. */
back32: mov     $DATA32, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $stack, %esp
        mov     %cr0, %eax
        mov     $again32, %esi
        test    $1, %al
        jz      stop32
        call    say32

        /* Tables that map the first 2 MiB as they are, for ring 3 as well; then EFER.LME, and paging. */
        mov     $l3 + 7, %eax
        mov     %eax, l4
        mov     $l2 + 7, %eax
        mov     %eax, l3
        movl    $0x87, l2
        mov     %cr4, %eax
        or      $1 << 5, %eax           /* PAE */
        mov     %eax, %cr4
        mov     $l4, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx       /* EFER */
        rdmsr
        or      $1 << 8, %eax           /* LME */
        wrmsr
        mov     %cr0, %eax
        or      $1 << 31, %eax          /* PG */
        mov     %eax, %cr0
        ljmp    $CODE64, $long_mode
stop32: cli
        hlt
        jmp     stop32

/* ----------------------------------------------------------------------------------------------------- real mode -- */

low_begin:
        .code16
to_real:
        mov     $DATA16, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     %cr0, %eax
        and     $~1, %al
        mov     %eax, %cr0
        ljmp    $0, $LOW + real - low_begin
real:   xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $LOW, %sp
        mov     %cr0, %eax
        test    $1, %al
        jnz     stop16
        mov     $LOW + in16 - low_begin, %si
        cld
1:      lodsb
        test    %al, %al
        jz      2f
        out     %al, $PORT
        jmp     1b
        /* INT by way of the table at 0: what it does is seen in DI. */
2:      movw    $LOW + handler - low_begin, 4 * 0x21
        movw    $0, 4 * 0x21 + 2
        xor     %di, %di
        int     $0x21
        cmp     $0x1621, %di
        jne     stop16
        mov     $LOW + int16 - low_begin, %si
1:      lodsb
        test    %al, %al
        jz      2f
        out     %al, $PORT
        jmp     1b
2:      lgdtl   LOW + gdtr - low_begin
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $CODE32, $back32
handler:
        mov     $0x1621, %di
        iret
stop16: cli
        hlt
        jmp     stop16
in16:   .asciz  "boot16: real mode, ring 0\n"
int16:  .asciz  "boot16: INT 21h through the table at 0\n"

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      /* code, 32 bits */
        .quad   0x00cf93000000ffff      /* data */
        .quad   0x00009b000000ffff      /* code, 16 bits */
        .quad   0x000093000000ffff      /* data */
        .quad   0x00af9b000000ffff      /* code, 64 bits */
        .quad   0x00cff3000000ffff      /* ring 3: data */
        .quad   0x00affb000000ffff      /* code, 64 bits */
        .quad   0x0000890000000067, 0   /* TSS; its address is filled in */
gdtr:   .word   . - gdt - 1
        .long   LOW + gdt - low_begin
idtr16: .word   0x3ff
        .long   0
low_end:

/* ----------------------------------------------------------------------------------------------------- long mode -- */

        .code64
long_mode:
        mov     $DATA32, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $stack, %rsp
        mov     $0xc0000080, %ecx
        rdmsr
        bt      $10, %eax               /* LMA */
        jnc     stop
        mov     %cs, %eax
        mov     $in64, %rsi
        test    $3, %al
        jnz     stop
        call    say

        mov     $tss, %rax
        mov     $LOW + gdt - low_begin + TSS, %rdi
        mov     %ax, 2(%rdi)
        shr     $16, %rax
        mov     %al, 4(%rdi)
        mov     %ah, 7(%rdi)
        movq    $stack, tss + 4         /* RSP0 */
        mov     $TSS, %eax
        ltr     %ax
        mov     $from_ring3, %rax       /* gate 0x80, for ring 3 */
        mov     $idt + 0x80 * 16, %rdi
        mov     %ax, (%rdi)
        movw    $CODE64, 2(%rdi)
        movw    $0xee00, 4(%rdi)
        shr     $16, %rax
        mov     %ax, 6(%rdi)
        lidt    idtr

        pushq   $DATA3 | 3
        pushq   $stack3
        pushq   $0x3002                 /* IOPL 3 */
        pushq   $CODE3 | 3
        pushq   $ring3
        iretq
ring3:  mov     %cs, %eax
        and     $3, %eax
        lea     '0'(%rax), %eax
        mov     %al, in3_ring
        mov     $in3, %rsi
        call    say
        int     $0x80
        jmp     stop                    /* not reached: nobody returns */
from_ring3:
        mov     %cs, %eax
        and     $3, %eax
        lea     '0'(%rax), %eax
        mov     %al, in0_ring
        mov     $in0, %rsi
        call    say
stop:   cli
        hlt
        jmp     stop

say:    lodsb
        test    %al, %al
        jz      1f
        out     %al, $PORT
        jmp     say
1:      ret

        .data
in32:   .asciz  "boot16: protected mode, 32 bits\n"
again32: .asciz "boot16: protected mode again\n"
in64:   .asciz  "boot16: long mode, ring 0\n"
in3:    .ascii  "boot16: long mode, ring "
in3_ring: .asciz "?\n"
in0:    .ascii  "boot16: INT 80h: back in ring "
in0_ring: .asciz "?\nboot16: done\n"
        .balign 8
idtr:   .word   256 * 16 - 1
        .quad   idt

        .bss
        .balign 4096
l4:     .skip   4096
l3:     .skip   4096
l2:     .skip   4096
idt:    .skip   4096
tss:    .skip   104
        .skip   2048
stack:
        .skip   2048
stack3:
