/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screens: an HVM guest, in assembly alone, in hvmloader's place, that shows something in one mode of its graphics card
 * after the other, without a BIOS. What tests of screens show, they show of this one. Where each is shown is a symbol:
 *
 *      start          nothing: no mode has been set
 *      text_shown     80x25 characters: all 256, all colours, and the cursor far down, far right
 *      bytes_shown    320x200, 256 colours (mode 13h): bands, and a ramp of greys down the screen
 *      planes_shown   640x480, 16 colours (mode 12h): vertical bars, a colour each, on the upper half
 *      deep_shown     64x48, 32 bits a pixel, by Bochs's extension: red to the right, green downwards, on blue
 *      high_shown     the same in 16 bits: red alone
 *      off_shown      text again, but switched off by the sequencer
 *
 * The end is HLT without interrupts.
 */
#include "guests/hvm/note.S"

#define TEXT   0xb8000
#define WINDOW 0xa0000
#define VBE    0x1ce

        .text
        .code32
        .globl  start, text_shown, bytes_shown, planes_shown, deep_shown, high_shown, off_shown
start:  cld
        mov     $stack, %esp
        mov     $mode_3, %esi
        call    mode_set
        mov     $TEXT, %edi             /* blank */
        mov     $0x07200720, %eax
        mov     $80 * 25 / 2, %ecx
        rep     stosl
        mov     $TEXT + 2 * 80, %edi    /* rows 1 to 8: 32 characters each, every other column */
        mov     $0x0700, %eax
1:      stosw
        add     $2, %edi
        inc     %al
        test    $31, %al
        jnz     2f
        add     $2 * 16, %edi
2:      test    %al, %al
        jnz     1b
        mov     $TEXT + 2 * 80 * 10, %edi /* row 10: colours on black; row 11: white on colours, the upper 8 of which blink */
        mov     $0x0041, %eax
3:      stosw
        add     $0x0101, %ax
        cmp     $0x0f51, %ax
        jbe     3b
        mov     $TEXT + 2 * 80 * 11, %edi
        mov     $0x0f41, %eax
4:      stosw
        add     $0x1001, %eax
        cmp     $0x10000, %eax
        jb      4b
        mov     $TEXT + 2 * (80 * 23 + 68), %edi
        mov     $says, %esi
        mov     $0x1e, %ah
5:      lodsb
        stosw
        cmpb    $0, (%esi)
        jne     5b
        mov     $80 * 23 + 76, %ebx     /* the cursor is behind it */
        mov     $0x0e, %al
        mov     %bh, %ah
        call    crtc
        mov     $0x0f, %al
        mov     %bl, %ah
        call    crtc
        call    drain
text_shown:
        nop

        mov     $mode_13, %esi
        call    mode_set
        mov     $0x3c8, %edx            /* colours 0 to 63: greys; 64 to 127 red, 128 to 191 green, 192 to 255 blue */
        xor     %eax, %eax
        out     %al, %dx
        inc     %edx
        xor     %ebx, %ebx
6:      mov     %ebx, %ecx
        and     $63, %ecx
        mov     %ebx, %eax
        shr     $6, %eax
        movzbl  parts(%eax), %esi
        mov     $3, %edi
7:      xor     %eax, %eax
        shr     $1, %esi
        jnc     8f
        mov     %cl, %al
8:      out     %al, %dx
        dec     %edi
        jnz     7b
        inc     %bl
        jnz     6b
        mov     $WINDOW, %edi
        xor     %ebx, %ebx              /* row */
9:      mov     %ebx, %eax              /* 80 pixels of each kind, as bright as the row is far down */
        shr     $2, %eax
        imul    $0x01010101, %eax
        mov     $4, %edx
10:     mov     $20, %ecx
        rep     stosl
        add     $0x40404040, %eax
        dec     %edx
        jnz     10b
        inc     %ebx
        cmp     $200, %ebx
        jb      9b
        call    drain
bytes_shown:
        nop

        mov     $mode_12, %esi
        call    mode_set
        mov     $8, %ebx                /* a plane at a time: its bars are those of colours that have its bit */
11:     mov     $0x02, %al
        mov     %bl, %ah
        mov     $0x3c4, %edx
        out     %ax, %dx
        mov     $WINDOW, %edi
        mov     $240, %ebp
12:     xor     %esi, %esi
13:     xor     %eax, %eax
        test    %esi, %ebx
        jz      14f
        dec     %eax
14:     stosl                           /* 40 pixels */
        stosb
        inc     %esi
        cmp     $16, %esi
        jb      13b
        dec     %ebp
        jnz     12b
        shr     $1, %ebx
        jnz     11b
        call    drain
planes_shown:
        nop

        mov     $32, %ebx
        call    vbe_set
        mov     $WINDOW, %edi
        xor     %ebx, %ebx
15:     xor     %ecx, %ecx
16:     mov     %ecx, %eax              /* 4 a pixel of red, 5 a row of green, and 0x40 of blue */
        shl     $18, %eax
        imul    $0x500, %ebx, %edx
        lea     0x40(%eax, %edx), %eax
        stosl
        inc     %ecx
        cmp     $64, %ecx
        jb      16b
        inc     %ebx
        cmp     $48, %ebx
        jb      15b
        call    drain
deep_shown:
        nop

        mov     $16, %ebx
        call    vbe_set
        mov     $WINDOW, %edi
        xor     %ebx, %ebx
17:     mov     %ebx, %eax
        and     $63, %eax
        shr     $1, %eax
        shl     $11, %eax
        stosw
        inc     %ebx
        cmp     $64 * 48, %ebx
        jb      17b
        call    drain
high_shown:
        nop

        mov     $4, %eax                /* the extension off */
        xor     %ecx, %ecx
        call    vbe
        mov     $mode_3, %esi
        call    mode_set
        mov     $0x2001, %eax
        mov     $0x3c4, %edx
        out     %ax, %dx
off_shown:
        nop
        cli
        hlt

/* Stores to the screen may be on their way still: nobody waits for them. A port is read behind them. */
drain:  mov     $0x3cc, %edx
        in      %dx, %al
        ret

/* A register of the extension, eax: ecx. */
vbe:    mov     $VBE, %edx
        out     %ax, %dx
        inc     %edx
        mov     %ecx, %eax
        out     %ax, %dx
        ret

/* 64x48 pixels of ebx bits. */
vbe_set:
        mov     $4, %eax
        xor     %ecx, %ecx
        call    vbe
        mov     $1, %eax
        mov     $64, %ecx
        call    vbe
        mov     $2, %eax
        mov     $48, %ecx
        call    vbe
        mov     $3, %eax
        mov     %ebx, %ecx
        call    vbe
        mov     $4, %eax
        mov     $0x41, %ecx
        jmp     vbe

/* A register of the CRTC, al: ah. */
crtc:   mov     $0x3d4, %edx
        out     %ax, %dx
        ret

/* The mode of the table at esi: 1 register, 5 of the sequencer, 25 of the CRTC, 9 of graphics, 21 of attributes. */
mode_set:
        mov     $0x3c2, %edx
        lodsb
        out     %al, %dx
        mov     $0x0e11, %eax           /* CRTC's first eight can be written */
        call    crtc
        mov     $0x3c4, %edx
        mov     $5, %ecx
        call    registers
        mov     $0x3d4, %edx
        mov     $25, %ecx
        call    registers
        mov     $0x3ce, %edx
        mov     $9, %ecx
        call    registers
        xor     %ecx, %ecx
1:      mov     $0x3da, %edx            /* its next byte is an index */
        in      %dx, %al
        mov     $0x3c0, %edx
        mov     %cl, %al
        out     %al, %dx
        lodsb
        out     %al, %dx
        inc     %ecx
        cmp     $21, %ecx
        jb      1b
        mov     $0x3da, %edx
        in      %dx, %al
        mov     $0x3c0, %edx
        mov     $0x20, %al              /* the screen is on */
        out     %al, %dx
        mov     $0x3c8, %edx            /* the palette's 64 colours: two bits each of red, green and blue, mixed up */
        xor     %eax, %eax
        out     %al, %dx
        inc     %edx
        xor     %ebx, %ebx
2:      mov     $2, %ecx
3:      xor     %eax, %eax
        bt      %ecx, %ebx              /* bits 2, 1, 0: two thirds of it */
        jnc     4f
        mov     $42, %al
4:      add     $3, %ecx
        bt      %ecx, %ebx              /* bits 5, 4, 3: a third */
        jnc     5f
        add     $21, %al
5:      sub     $3, %ecx
        out     %al, %dx
        dec     %ecx
        jns     3b
        inc     %ebx
        cmp     $64, %ebx
        jb      2b
        ret

/* ecx of them, by index and data at edx. */
registers:
        xor     %ebx, %ebx
1:      lodsb
        mov     %al, %ah
        mov     %bl, %al
        out     %ax, %dx
        inc     %ebx
        cmp     %ecx, %ebx
        jb      1b
        ret

        .data
says:   .asciz  "far down"
parts:  .byte   7, 1, 2, 4

#define ATTRIBUTES .byte 0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f
mode_3: .byte   0x67
        .byte   3, 0, 3, 0, 2
        .byte   0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0
        .byte   0, 0, 0, 0x9c, 0x0e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff
        .byte   0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff
        ATTRIBUTES
        .byte   0x0c, 0, 0x0f, 8, 0
mode_12: .byte  0xe3
        .byte   3, 1, 0x0f, 0, 6
        .byte   0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0
        .byte   0, 0, 0, 0xea, 0x0c, 0xdf, 0x28, 0, 0xe7, 0x04, 0xe3, 0xff
        .byte   0, 0, 0, 0, 0, 0, 0x05, 0x0f, 0xff
        ATTRIBUTES
        .byte   0x01, 0, 0x0f, 0, 0
mode_13: .byte  0x63
        .byte   3, 1, 0x0f, 0, 0x0e
        .byte   0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x41, 0, 0, 0
        .byte   0, 0, 0, 0x9c, 0x0e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff
        .byte   0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff
        .byte   0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        .byte   0x41, 0, 0x0f, 0, 0

        .bss
        .balign 16
        .skip   256
stack:
        .section .note.GNU-stack, "", @progbits
