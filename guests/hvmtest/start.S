// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hvmtest's way from where Xen starts it (32 bits, no paging) to its own mode, its tables, and traps both ways.
 *
 * LEVELS of page tables: 0 no paging; 2 PSE; 3 PAE; 4 long mode. They map 4 GiB one to one: the first table in pages of
 * 4 KiB, which facts change, the rest in large ones. User code reaches what the linker puts into .user (facts_begin()).
 */
#include "guests/hvm/note.S"
#include "guests/hvmtest/selectors.h"

#if LEVELS == 2
#define CR4_START 0x10 /* PSE */
#else
#define CR4_START 0x20 /* PAE */
#endif
#if LEVELS == 4
#define EFER_START 0x900 /* NXE, LME */
#else
#define EFER_START 0x800 /* NXE */
#endif
#define EFER      0xc0000080
#define USER_TOP  user_stack + 4096

        .text
        .code32
        .globl  start
start:  cld
        cli
        mov     $stack, %esp
        mov     %ebx, start_info
        lgdt    gdt_pointer
        ljmp    $KERNEL_CS, $1f
1:      mov     $KERNEL_DS, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
#if LEVELS
        mov     $CR4_START, %eax
        mov     %eax, %cr4
        mov     $top_table, %eax
        mov     %eax, %cr3
#if LEVELS > 2
        mov     $EFER, %ecx
        rdmsr
        or      $EFER_START, %eax
        wrmsr
#endif
        mov     %cr0, %eax
        or      $0x80000000, %eax
        mov     %eax, %cr0
#if LEVELS == 4
        ljmp    $KERNEL_CS64, $2f
        .code64
2:
#endif
#endif
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        call    facts_begin
        cli
        hlt

#if LEVELS == 4
#define W      8
#define REG(n) %r##n
#define WORD   .quad
#define IRET   iretq
#else
#define W      4
#define REG(n) %e##n
#define WORD   .long
#define IRET   iret
#endif

/*
 * void probe_enter(void *code, bool user): call `code` in ring 0, or in ring 3 on the user stack; back here comes it by
 * returning, or by whatever trap trapped() does not want to return from.
 */
        .globl  probe_enter
probe_enter:
        push    REG(bp)
        push    REG(bx)
#if LEVELS == 4
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %edi, %eax
        mov     %esi, %edx
#else
        push    %esi
        push    %edi
        mov     20(%esp), %eax
        mov     24(%esp), %edx
#endif
        pushf
        mov     REG(sp), entered
        test    %edx, %edx
        jnz     3f
        call    *REG(ax)
        int     $LEFT
3:      mov     $(USER_TOP - 16), REG(cx)
#if LEVELS == 4
        movq    $user_left, (%rcx)
        pushq   $USER_DS
        push    %rcx
        pushq   probe_flags
        pushq   $USER_CS
        push    %rax
#else
        mov     $USER_DS, %ebx
        mov     %ebx, %ds
        mov     %ebx, %es
        movl    $user_left, %ss:(%ecx)
        pushl   $USER_DS
        push    %ecx
        pushl   %ss:probe_flags
        pushl   $USER_CS
        push    %eax
#endif
        IRET

recover:
        mov     entered, REG(sp)
        mov     $KERNEL_DS, %eax
        mov     %eax, %ss
        mov     %eax, %ds
        mov     %eax, %es
        popf
#if LEVELS == 4
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
#else
        pop     %edi
        pop     %esi
#endif
        pop     REG(bx)
        pop     REG(bp)
        ret

/* Vector n is entered at stubs + 16 * n; what lies on the stack then is struct trap_frame. */
        .balign 16
        .globl  stubs
stubs:
        .set    vector, 0
        .rept   256
        .balign 16
        push    $vector
        jmp     stub
        .set    vector, vector + 1
        .endr

stub:
#if LEVELS == 4
        push    %rax
        push    %rcx
        push    %rdx
        push    %rbx
        push    %rbp
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        mov     %rsp, %rdi
        mov     %rsp, %rbx
        and     $~15, %rsp
        cld
        call    trapped
        mov     %rbx, %rsp
        mov     %eax, %ebx
        test    %eax, %eax
        jz      recover
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        cmp     $2, %ebx
        pop     %rbp
        pop     %rbx
        pop     %rdx
        pop     %rcx
        pop     %rax
#else
        push    %eax
        push    %ecx
        push    %edx
        push    %ebx
        push    %ebp
        push    %esi
        push    %edi
        push    %ds
        push    %es
        mov     $KERNEL_DS, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %esp, %eax
        push    %eax
        cld
        call    trapped
        add     $4, %esp
        test    %eax, %eax
        jz      recover
        cmp     $2, %eax
        pop     %es
        pop     %ds
        pop     %edi
        pop     %esi
        pop     %ebp
        pop     %ebx
        pop     %edx
        pop     %ecx
        pop     %eax
#endif
        je      4f
        lea     W(REG(sp)), REG(sp)     /* the vector */
        IRET
4:      lea     2 * W(REG(sp)), REG(sp) /* and the error code */
        IRET

        .globl  hypercall_page
        .balign 4096
hypercall_page:
        .skip   4096, 0xcc

        .section .user, "awx"
        .globl  user_left, user_stack
user_left:
        int     $LEFT
        .balign 4096
user_stack:
        .skip   4096

        .data
        .globl  gdt, gdt_pointer, idt_pointer, tss, top_table, first_table, probe_flags, start_info
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      /* KERNEL_CS, as SYSENTER wants the next three behind it */
        .quad   0x00cf93000000ffff      /* KERNEL_DS */
        .quad   0x00cffb000000ffff      /* USER_CS32 */
        .quad   0x00cff3000000ffff      /* USER_DS */
        .quad   0x00affb000000ffff      /* USER_CS64, as SYSRET wants it */
        .quad   0x00af9b000000ffff      /* KERNEL_CS64 */
        .quad   0, 0                    /* TSS */
        .fill   16, 8, 0                /* FREE: the facts' own */
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        WORD    gdt
        .balign 8
idt_pointer:
        .word   256 * 2 * W - 1
        WORD    idt
        .balign 8
start_info:
        .quad   0
probe_flags:
        WORD    2
entered: WORD   0

        .balign 4096
#if LEVELS == 2
first_table:
        .set    at, 0
        .rept   1024
        .long   at + 3
        .set    at, at + 0x1000
        .endr
top_table:
        .long   first_table + 7
        .set    at, 0x400000
        .rept   1023
        .long   at + 0x83
        .set    at, at + 0x400000
        .endr
#elif LEVELS > 2
first_table:
        .set    at, 0
        .rept   512
        .long   at + 3, 0
        .set    at, at + 0x1000
        .endr
level2: .long   first_table + 7, 0
        .set    at, 0x200000
        .rept   2047
        .long   at + 0x83, 0
        .set    at, at + 0x200000
        .endr
#if LEVELS == 3
        .balign 32
top_table:
        .long   level2 + 0x0001, 0, level2 + 0x1001, 0, level2 + 0x2001, 0, level2 + 0x3001, 0
#else
level3: .long   level2 + 0x0007, 0, level2 + 0x1007, 0, level2 + 0x2007, 0, level2 + 0x3007, 0
        .fill   508, 8, 0
top_table:
        .long   level3 + 7, 0
        .fill   511, 8, 0
#endif
#else
first_table:
top_table:
#endif

        .bss
        .balign 4096
        .globl  idt, pages, trap_stack
pages:  .skip   4 * 4096                /* facts change what is mapped here */
idt:    .skip   256 * 2 * W
tss:    .skip   104
        .balign 16
trap_stack:
        .skip   8192
        .skip   16384
stack:
