/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits: an HVM guest, in hvmloader's place, that goes beyond its segments' limits in five ways, 64 times each, and
 * says how often it was stopped. A processor stops it each time.
 *
 *      a load       by way of ES                            #GP
 *      code         that runs over its segment's end     #GP
 *      a branch     over it, taken and by RET            #GP, twice
 *      ENTER        for more room than its stack has     #SS
 *
 * Where nothing stops it there is code that goes on, or memory.
 */
#include "guests/hvm/note.S"

#define PORT   0xe9
#define ROUNDS 64

#define CODE32 0x08
#define DATA32 0x10
#define SMALL  0x18                /* code, of small_end - small bytes */
#define LITTLE 0x20                /* data and stack, of 256 bytes */

        .text
        .code32
        .globl  start
start:  mov     $stack, %esp
        mov     $small, %edx
        mov     %edx, %ecx
        shl     $16, %edx
        or      %edx, gdt + SMALL
        shr     $16, %ecx
        or      %ecx, gdt + SMALL + 4
        lgdt    gdtr
        ljmp    $CODE32, $1f
1:      mov     $DATA32, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $LITTLE, %eax
        mov     %eax, %es
        mov     $stopped, %edx
        mov     %edx, %ecx
        and     $0xffff, %edx
        or      %edx, idt + 12 * 8
        or      %edx, idt + 13 * 8
        and     $0xffff0000, %ecx
        or      %ecx, idt + 12 * 8 + 4
        or      %ecx, idt + 13 * 8 + 4
        lidt    idtr
        xor     %ebx, %ebx
        mov     $ROUNDS, %edi

round:  mov     $1f, %ebp          /* where it goes on, stopped or not */
        mov     %es:0xfd, %eax
1:      mov     $1f, %ebp
        ljmp    $SMALL, $0
1:      mov     $1f, %ebp
        cmp     %eax, %eax
        ljmp    $SMALL, $small_branch - small
1:      mov     $1f, %ebp
        push    $small_end - small
        ljmp    $SMALL, $small_ret - small
1:      mov     $stack, %esp
        mov     $1f, %ebp
        mov     $LITTLE, %eax
        mov     %eax, %ss
        mov     $0x80, %esp
        enter   $0x200, $0
1:      mov     $DATA32, %eax
        mov     %eax, %ss
        mov     $stack, %esp
        dec     %edi
        jnz     round

        mov     $text, %esi
        mov     $8, %ecx
1:      lodsb
        out     %al, $PORT
        loop    1b
        mov     $4, %ecx           /* four digits */
1:      rol     $4, %bx
        mov     %ebx, %eax
        and     $15, %eax
        mov     digits(%eax), %al
        out     %al, $PORT
        loop    1b
        mov     $'\n', %al
        out     %al, $PORT
        cli
        hlt

/* #GP, #SS: on, where %ebp says. */
stopped: inc    %ebx
        mov     %ebp, 4(%esp)
        movl    $CODE32, 8(%esp)
        add     $4, %esp
        iret

        .balign 16
small:  nop
        inc     %ecx
        inc     %ecx
        jmp     small_last
small_branch:
        nop
        je      small_end
        ud2
small_ret:
        ret
small_last:
        nop
small_end:
        mov     %ebp, on           /* nobody has stopped it */
        ljmp    *on

        .data
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff
        .quad   0x00cf93000000ffff
        .word   small_end - small - 1, 0, 0x9b00, 0x0040
        .word   0xff, 0, 0x9300, 0x0040
gdt_end:
idt:    .rept   14
        .word   0, CODE32, 0x8e00, 0
        .endr
idt_end:
gdtr:   .word   gdt_end - gdt - 1
        .long   gdt
idtr:   .word   idt_end - idt - 1
        .long   idt
on:     .long   0, CODE32
text:   .ascii  "limits: "
digits: .ascii  "0123456789abcdef"
        .bss
        .balign 16
        .skip   4096
stack:
