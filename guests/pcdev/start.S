// SPDX-License-Identifier: GPL-2.0-or-later
/* The entry, the entries of traps, and that of further processors. */
#include "guests/hvm/note.S"

        .text
        .code32
        .globl  start, stop, gdt_load, trap_stubs, trampoline, trampoline_end

start:  cli
        cld
        mov     $bss_begin, %edi
        mov     $end, %ecx
        sub     %edi, %ecx
        xor     %eax, %eax
        rep     stosb
        mov     $stack, %esp
        call    main
stop:   cli
        hlt
        jmp     stop

gdt_load:
        mov     4(%esp), %eax
        lgdt    (%eax)
        ljmp    $0x08, $1f
1:      mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        ret

/* --------------------------------------------------------------------------------------------------------- traps -- */

        /* What the processor has pushed, an error code if it has not, the vector. */
        .altmacro
        .macro  stub n
stub_\n:
        .if     !(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17)
        push    $0
        .endif
        push    $\n
        jmp     common
        .endm
        .macro  stub_address n
        .long   stub_\n
        .endm

        .set    i, 0
        .rept   256
        stub    %i
        .set    i, i + 1
        .endr

common: pusha
        cld
        push    %esp
        call    trap
        add     $4, %esp
        popa
        add     $8, %esp
        iret

        .data
trap_stubs:
        .set    i, 0
        .rept   256
        stub_address %i
        .set    i, i + 1
        .endr
        .text

/* -------------------------------------------------------------------------------------------- further processors -- */

/* Copied to 0x8000, where a start-up message of vector 8 begins. The words at its end are filled in. */
        .code16
trampoline:
        cli
        xor     %ax, %ax
        mov     %ax, %ds
        lgdtl   0x8000 + (t_gdtr - trampoline)
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $0x08, $0x8000 + (t_32 - trampoline)
        .code32
t_32:   mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     0x8000 + (t_stack - trampoline), %esp
        mov     %cr4, %eax
        or      $0x10, %eax             /* pages of 4 MiB */
        mov     %eax, %cr4
        mov     0x8000 + (t_cr3 - trampoline), %eax
        mov     %eax, %cr3
        mov     %cr0, %eax
        or      $0x80010000, %eax       /* paging, write protection */
        mov     %eax, %cr0
        call    *0x8000 + (t_main - trampoline)
        jmp     stop
        .balign 4
t_gdtr: .word   0
        .long   0
        .balign 4
t_stack: .long  0
t_cr3:  .long   0
t_main: .long   0
trampoline_end:

        .bss
        .balign 16
        .skip   8192
stack:
