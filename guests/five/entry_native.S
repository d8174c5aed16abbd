/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * five on a processor of its own: from 32 bits without paging to C, and the entries of traps.
 *
 *      physical  0x100000  this image          virtual  the same, for the start
 *                                                       virt_base + physical, the first GiB
 *                0xfee00000  local APIC                  apic
 */
#include <xen/elfnote.h>

#define TRAP_TIMER   256
#define TRAP_SYSCALL 257
#define FRAME_VECTOR 15 * 8
#define FRAME_CS     18 * 8

        .section .note.Xen, "a", @note
        .balign 4
        .long   4, 4, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .long   start

/* --------------------------------------------------------------------------------------------------------- start -- */

        .section .boot, "ax"
        .code32
        .globl  start
start:  cli
        mov     $root_phys, %edi
        movl    $l3_phys + 3, (%edi)
        movl    $l3_phys + 3, 511 * 8(%edi)
        mov     $l3_phys, %esi
        movl    $l2_phys + 3, (%esi)
        movl    $l2_phys + 3, 510 * 8(%esi)
        movl    $apic_phys + 3, 511 * 8(%esi)
        movl    $0xfee00000 + 0x9b, apic_phys       /* 2 MiB, not cached */
        mov     $l2_phys, %esi
        mov     $0x83, %eax                             /* the first 16 MiB */
1:      mov     %eax, (%esi)
        add     $8, %esi
        add     $0x200000, %eax
        cmp     $0x1000083, %eax
        jne     1b

        mov     %cr4, %eax
        or      $1 << 5, %eax           /* PAE */
        mov     %eax, %cr4
        mov     %edi, %cr3
        mov     $0xc0000080, %ecx       /* EFER: */
        rdmsr
        or      $1 << 8 | 1, %eax       /* LME, SCE */
        wrmsr
        mov     $0x80010023, %eax       /* CR0: PG, WP, NE, MP, PE */
        mov     %eax, %cr0
        lgdt    boot_gdtr
        ljmp    $8, $long_mode
        .code64
long_mode:
        mov     $16, %eax
        mov     %eax, %ss
        mov     %eax, %ds
        mov     %eax, %es
        mov     $stack, %rsp
        xor     %ebp, %ebp
        mov     $five_main, %rax
        call    *%rax
        .balign 8
boot_gdt: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdtr: .word . - boot_gdt - 1
        .long   boot_gdt

/* --------------------------------------------------------------------------------------------------------- traps -- */

        .text
        .globl  entries, syscall_entry, user_enter
/* What the processor has pushed, an error code if it has not, which trap. */
        .altmacro
        .macro  stub n, trap
entry_\n:
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
        stub    32, TRAP_TIMER
        stub    33, 0x80

/* SYSCALL changes neither stack nor tables: what a trap from user mode stores is stored here. */
syscall_entry:
        mov     %rsp, user_rsp
        mov     $user_left + 64 + 176, %rsp
        push    $0x23
        push    user_rsp
        push    %r11
        push    $0x2b
        push    %rcx
        push    $0
        push    $TRAP_SYSCALL
common:
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
        testb   $3, FRAME_CS(%rsp)
        jnz     user_leave
        mov     %rsp, %rdi
        call    trap
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
        add     $16, %rsp
        iretq

/* void user_enter(struct frame *f): returns at the next trap of user mode. By the way it came: SYSRET or IRET. */
user_enter:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, kernel_rsp
        mov     %rdi, %rsp
        cmpq    $TRAP_SYSCALL, FRAME_VECTOR(%rsp)
        jne     go_on
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        add     $8, %rsp
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rax
        add     $8, %rsp
        pop     %rdx
        pop     %rsi
        pop     %rdi
        mov     16(%rsp), %rcx          /* RIP */
        mov     32(%rsp), %r11          /* RFLAGS */
        mov     40(%rsp), %rsp
        sysretq

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
        .rept   34
        stub_address %i
        .set    i, i + 1
        .endr

        .bss
        .globl  boot_root, boot_l3, boot_l2, apic_l2
        .balign 4096
boot_root: .skip 4096
boot_l3: .skip  4096
boot_l2: .skip  4096
apic_l2: .skip  4096
        .skip   16384
stack:
kernel_rsp: .skip 8
user_rsp: .skip 8

        .section .note.GNU-stack, "", @progbits
