// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A boot sector that starts pcdev: the BIOS has loaded it to 0x7c00, in real mode; the kernel follows it on the disk,
 * and is read to 1 MiB in protected mode, without the BIOS.
 */
        .code16
        .globl  boot
boot:   cli
        cld
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        mov     $text, %si
1:      lodsb
        test    %al, %al
        jz      2f
        mov     $0x0e, %ah              /* a character to the screen */
        mov     $7, %bx
        int     $0x10
        jmp     1b
2:      cli
        in      $0x92, %al              /* address line 20 */
        or      $2, %al
        and     $0xfe, %al
        out     %al, $0x92
        lgdtl   gdtr
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmp    $0x08, $in32

        .code32
in32:   mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $0x7c00, %esp
        mov     $KERNEL, %edi
        mov     $1, %ebx                /* the sector */
next:   mov     $0x1f7, %edx
1:      in      (%dx), %al
        test    $0x80, %al              /* busy */
        jnz     1b
        mov     $0x1f2, %edx
        mov     $1, %al
        out     %al, (%dx)              /* one sector */
        inc     %edx
        mov     %ebx, %eax
        out     %al, (%dx)
        inc     %edx
        mov     %ah, %al
        out     %al, (%dx)
        inc     %edx
        xor     %eax, %eax
        out     %al, (%dx)
        inc     %edx
        mov     $0xe0, %al              /* the first disk, by LBA */
        out     %al, (%dx)
        inc     %edx
        mov     $0x20, %al              /* read */
        out     %al, (%dx)
1:      in      (%dx), %al
        and     $0x88, %al              /* busy; wants data to be taken */
        cmp     $0x08, %al
        jne     1b
        mov     $0x1f0, %edx
        mov     $128, %ecx
        rep     insl
        inc     %ebx
        cmp     $SECTORS, %ebx
        jbe     next
        jmp     *KERNEL + 0x1c          /* what its note says */

        .balign 4
gdt:    .quad   0
        .quad   0x00cf9b000000ffff
        .quad   0x00cf93000000ffff
gdtr:   .word   . - gdt - 1
        .long   gdt
text:   .asciz  "pcdev: boot sector, real mode\r\n"
        .org    510
        .word   0xaa55
