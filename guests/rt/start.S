/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first instructions of a PV guest, and the ELF notes by which Xen knows that it is one.
 *
 * Concept: a PV kernel is not booted, it is started. There is no BIOS, no real mode and no boot loader: the toolstack
 * reads the notes below, puts the image where they say, builds the first page tables, and starts the vCPU at ENTRY in
 * 64-bit mode with paging on. At that moment
 *
 *      RSI = virtual address of struct start_info      RSP = top of a page of stack
 *      CS, SS = Xen's flat ring-3 selectors            everything else is zero
 *
 * The hypercall page is a page of the image that Xen fills with code before we run: one stub of 32 bytes a hypercall.
 * The guest need not know which instruction enters the hypervisor.
 *
 * Stated in public <xen/elfnote.h> and <xen/xen.h> (start-of-day memory layout).
 */
#include <xen/elfnote.h>

.macro elfnote type, desc:vararg
    .pushsection .note.Xen, "a", @note
    .balign 4
    .long 4, 2f - 1f, \type     /* bytes of the name, bytes of the description, which note */
    .asciz "Xen"
1:  \desc
2:  .balign 4
    .popsection
.endm

    elfnote XEN_ELFNOTE_GUEST_OS,       .asciz "toy"
    elfnote XEN_ELFNOTE_GUEST_VERSION,  .asciz "1"
    elfnote XEN_ELFNOTE_LOADER,         .asciz "generic"
    elfnote XEN_ELFNOTE_XEN_VERSION,    .asciz "xen-3.0"            /* the name of the PV interface since 2005 */
    elfnote XEN_ELFNOTE_VIRT_BASE,      .quad VIRT_BASE
    elfnote XEN_ELFNOTE_PADDR_OFFSET,   .quad 0
    elfnote XEN_ELFNOTE_ENTRY,          .quad guest_entry
    elfnote XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
    elfnote XEN_ELFNOTE_PAE_MODE,       .asciz "yes"
    elfnote XEN_ELFNOTE_FEATURES,       .asciz "pae_pgdir_above_4gb"

    .section .text.entry, "ax", @progbits
    .balign 4096
    .globl hypercall_page
hypercall_page:
    .skip 4096, 0xcc

    .globl guest_entry
guest_entry:
    cld
    mov     %rsi, %rdi                  /* guest_start(start_info, first stack) */
    mov     %rsp, %rsi
    lea     stack_top(%rip), %rsp
    xor     %ebp, %ebp                  /* the end of every backtrace */
    call    guest_start
    ud2

    .bss
    .balign 4096
stack_bottom:
    .skip   32768
stack_top:

    .section .note.GNU-stack, "", @progbits
