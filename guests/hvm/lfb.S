// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A picture in the memory of a screen, by an HVM guest that stands in hvmloader's place.
 *
 * It gives the screen's BAR 0 a place, asks for 640x480 pixels of 32 bits by Bochs's ports, and writes 1,228,800
 * pixels, four pictures one over the other, as any program writes to its memory. Its last words are what it read back.
 */
#include "guests/hvm/note.S"

#define PORT   0xe9
#define CONFIG 0x80001000 /* PCI 00:02.0 */
#define LFB    0xe0000000
#define PIXELS (640 * 480)

        .text
        .code32
        .globl  start
start:  mov     $stack, %esp
        mov     $CONFIG + 0x10, %eax
        mov     $LFB, %ebx
        call    config
        mov     $CONFIG + 4, %eax
        mov     $3, %ebx
        call    config
        mov     $vbe, %esi
        mov     $VBE_NR, %ecx
        xor     %eax, %eax
1:      lodsb
        mov     $0x1ce, %dx
        out     %ax, %dx
        lodsw
        mov     $0x1cf, %dx
        out     %ax, %dx
        xor     %eax, %eax
        loop    1b

        xor     %ebp, %ebp              /* of the pictures which */
2:      mov     $LFB, %edi
        xor     %ecx, %ecx
3:      mov     %ecx, %eax
        shl     $6, %eax
        xor     %ecx, %eax
        add     %ebp, %eax
        mov     %eax, (%edi)
        add     $4, %edi
        inc     %ecx
        cmp     $PIXELS, %ecx
        jb      3b
        inc     %ebp
        cmp     $4, %ebp
        jb      2b

        mov     LFB + 4 * 1000, %eax
        mov     $8, %ecx
4:      rol     $4, %eax
        mov     %eax, %ebx
        and     $15, %ebx
        mov     digits(%ebx), %bl
        xchg    %eax, %ebx
        out     %al, $PORT
        mov     %ebx, %eax
        loop    4b
        mov     $10, %al
        out     %al, $PORT
        cli
5:      hlt
        jmp     5b

/* Register EAX of PCI's becomes EBX. */
config: mov     $0xcf8, %dx
        out     %eax, %dx
        mov     %ebx, %eax
        mov     $0xcfc, %dx
        out     %eax, %dx
        ret

        .section .rodata
digits: .ascii  "0123456789abcdef"
        .macro  reg index, value
        .byte   \index
        .word   \value
        .endm
vbe:    reg     4, 0
        reg     1, 640
        reg     2, 480
        reg     3, 32
        reg     4, 0x41
        .set    VBE_NR, (. - vbe) / 3

        .bss
        .balign 16
        .space  4096
stack:
