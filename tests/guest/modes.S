/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modes: a PVH guest, in assembly alone, that is in each mode and ring of its processor once. What tests and tours show
 * of such guests they show of this one: a position in its run is the same whatever compiler made the other guests.
 *
 *      vCPU 0   protected mode without paging    protected32    as the toolstack starts it
 *               with pages of 4 MiB, two levels  legacy32
 *               PAE, three levels                pae32
 *               long mode, four levels           long64
 *               rings 1, 2, 3                    in_ring        each asks ring 0 by INT 0x80
 *               ring 3                           in_user        CLI (#GP), a page that is not there (#PF), SYSCALL
 *               a tick of the local APIC's timer tick           for which it halts
 *      vCPU 1   INIT and SIPI                    real16         real mode, from address 0x8000
 *               protected mode                   ap32
 *               long mode                        ap64           says that it is there, and halts for ever
 *
 * Its own page tables map the first 4 GiB one to one, for all rings: the first 2 MiB in pages of 4 KiB, where there are
 * more levels than two. Without a second vCPU it waits for it in vain, and says so.
 *
 * Budget: one path through all modes, and what each of them needs.
 */
#include <xen/xen.h>

/* Others' headers are for C alone. */
#define HVMOP_get_param 1
#define HVM_PARAM_CONSOLE_PFN 17
#define HVM_PARAM_CONSOLE_EVTCHN 18
#define EVTCHNOP_send 4
#define SCHEDOP_shutdown 2
#define SHUTDOWN_poweroff 0
#define CONSOLE_OUT 1024        /* struct xencons_interface */
#define CONSOLE_OUT_PROD 3084
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define CR0_PE 0x1
#define CR0_PG 0x80000000
#define CR4_PSE 0x10
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_SCE 0x1
#define EFER_LME 0x100
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084

#define CODE32 0x08
#define DATA 0x10
#define CODE64 0x18             /* SYSCALL wants STACK behind it */
#define STACK 0x20
#define RING(r) (0x28 + ((r) - 1) * 0x10) /* code; its data behind it */
#define TSS 0x58

#define LAPIC 0xfee00000
#define LAPIC_EOI 0xb0
#define LAPIC_SPIV 0xf0
#define LAPIC_ICR 0x300
#define LAPIC_ICR2 0x310
#define LAPIC_LVTT 0x320
#define LAPIC_TMICT 0x380
#define TICK 0x40               /* its vector */

.macro hypercall nr
    mov     $\nr, %eax
    vmmcall
.endm

/* To long mode, from protected mode without paging; then to a label. */
.macro to_long_mode where
    mov     $CR4_PAE, %eax
    mov     %eax, %cr4
    mov     $l4, %eax
    mov     %eax, %cr3
    mov     $MSR_EFER, %ecx
    rdmsr
    or      $EFER_LME | EFER_SCE, %eax
    wrmsr
    mov     %cr0, %eax
    or      $CR0_PG, %eax
    mov     %eax, %cr0
    ljmp    $CODE64, $\where
.endm

/* ------------------------------------------------------------------------------------------- vCPU 1, real mode -- */

    .section .low, "awx"
    .code16
    .globl real16
real16:
    cli
    mov     %cs, %ax
    mov     %ax, %ds
    movb    $1, ap_at - real16
    lgdtl   gdt_pointer16 - real16
    mov     %cr0, %eax
    or      $CR0_PE, %al
    mov     %eax, %cr0
    ljmpl   $CODE32, $ap32
gdt_pointer16:
    .short  gdt_end - gdt - 1
    .long   gdt
    .globl ap_at
ap_at:
    .byte   0

/* ------------------------------------------------------------------------------------------- protected mode -- */

    .text
    .code32
    .globl ap32
ap32:
    mov     $DATA, %eax
    mov     %eax, %ds
    mov     %eax, %ss
    mov     $ap_stack, %esp
    movb    $2, ap_at
    to_long_mode ap64

    .globl pvh_start
pvh_start:
    cld
    lgdt    gdt_pointer
    ljmp    $CODE32, $protected32
    .globl protected32
protected32:
    mov     $DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    mov     $stack, %esp
    incl    steps

    mov     $legacy, %edi                       /* 1,024 pages of 4 MiB */
    mov     $0x87, %eax
1:  stosl
    add     $0x400000, %eax
    jnc     1b
    mov     $l2, %edi                           /* 2,048 of 2 MiB */
    mov     $0x87, %eax
1:  stosl
    movl    $0, (%edi)
    add     $4, %edi
    add     $0x200000, %eax
    jnc     1b

    mov     $l1, %edi                           /* the first of these in 512 of 4 KiB */
    lea     0x7(%edi), %ecx
    mov     %ecx, l2
    mov     $0x7, %eax
1:  stosl
    movl    $0, (%edi)
    add     $4, %edi
    add     $0x1000, %eax
    cmp     $0x200007, %eax
    jne     1b

    mov     $CR4_PSE, %eax
    mov     %eax, %cr4
    mov     $legacy, %eax
    mov     %eax, %cr3
    call    paging_on
    .globl legacy32
legacy32:
    incl    steps
    call    paging_off

    mov     $CR4_PAE, %eax
    mov     %eax, %cr4
    mov     $pdpt, %eax
    mov     %eax, %cr3
    call    paging_on
    .globl pae32
pae32:
    incl    steps
    call    paging_off
    to_long_mode long64

paging_on:
    mov     %cr0, %eax
    or      $CR0_PG, %eax
    mov     %eax, %cr0
    ret

paging_off:
    mov     %cr0, %eax
    and     $~CR0_PG, %eax
    mov     %eax, %cr0
    ret

/* ------------------------------------------------------------------------------------------------- long mode -- */

    .code64
    .globl ap64
ap64:
    movb    $3, ap_at
    .globl ap_idle
ap_idle:
    hlt                                         /* with interrupts off: it is down */
    jmp     ap_idle

    .globl long64
long64:
    mov     $DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     $STACK, %eax
    mov     %eax, %ss
    incl    steps
    mov     $tss, %eax
    mov     %ax, gdt + TSS + 2
    shr     $16, %eax
    mov     %al, gdt + TSS + 4
    mov     $TSS, %eax
    ltr     %ax
    mov     $13, %ecx
    mov     $gp_entry, %eax
    call    gate
    mov     $14, %ecx
    mov     $pf_entry, %eax
    call    gate
    mov     $TICK, %ecx
    mov     $tick, %eax
    call    gate
    mov     $0x80, %ecx
    mov     $ask_entry, %eax
    call    gate
    lidt    idt_pointer
    mov     $HVM_PARAM_CONSOLE_PFN, %eax
    call    param
    shl     $12, %rax
    mov     %rax, console
    mov     $HVM_PARAM_CONSOLE_EVTCHN, %eax
    call    param
    mov     %eax, console_send
    mov     $line_long, %esi
    mov     $line_long_end - line_long, %ecx
    call    say

    mov     $RING(1) | 1, %ebx                  /* rings 1, 2, 3 */
1:  lea     8(%rbx), %eax
    push    %rax
    push    $ring_stack
    push    $0x2                                /* RFLAGS */
    push    %rbx
    push    $in_ring
    iretq
ring_done:
    add     $0x11, %ebx
    cmp     $RING(3) | 3, %ebx
    jbe     1b

    mov     $MSR_STAR, %ecx
    xor     %eax, %eax
    mov     $CODE64, %edx
    wrmsr
    mov     $MSR_LSTAR, %ecx
    mov     $system_call, %eax
    xor     %edx, %edx
    wrmsr
    push    $RING(3) + 8 | 3
    push    $ring_stack
    push    $0x2
    push    $RING(3) | 3
    push    $in_user
    iretq

    .globl system_call
system_call:
    mov     $stack, %esp
    movl    $LAPIC, %ebp
    movl    $0x1ff, LAPIC_SPIV(%rbp)
    movl    $TICK, LAPIC_LVTT(%rbp)
    movl    $1000, LAPIC_TMICT(%rbp)
    .globl wait_for_tick
wait_for_tick:
    sti
    hlt
    cli
    cmpl    $0, ticks
    je      wait_for_tick

    movl    $2 << 24, LAPIC_ICR2(%rbp)          /* vCPU 1's local APIC has number 2 */
    .globl send_init
send_init:
    movl    $0x4500, LAPIC_ICR(%rbp)
    .globl send_startup
send_startup:
    movl    $0x4600 | 0x8, LAPIC_ICR(%rbp)
    mov     $10000, %ecx
1:  pause
    cmpb    $3, ap_at
    je      2f
    loop    1b
    mov     $line_alone, %esi
    mov     $line_alone_end - line_alone, %ecx
    call    say
2:  mov     $line_done, %esi
    mov     $line_done_end - line_done, %ecx
    call    say
    mov     $SCHEDOP_shutdown, %edi
    mov     $poweroff, %esi
    hypercall __HYPERVISOR_sched_op
    ud2

/* The gate of vector ecx leads to eax, and may be called from all rings. */
gate:
    shl     $4, %ecx
    mov     %ax, idt(%rcx)
    movw    $CODE64, idt + 2(%rcx)
    movw    $0xee00, idt + 4(%rcx)
    shr     $16, %eax
    mov     %ax, idt + 6(%rcx)
    ret

/* eax: HVM_PARAM_*; its value in rax. */
param:
    mov     %eax, param_get + 4
    mov     $HVMOP_get_param, %edi
    mov     $param_get, %esi
    hypercall __HYPERVISOR_hvm_op
    mov     param_get + 8, %rax
    ret

/* ecx bytes at rsi to the console, and an event to dom0. */
    .globl say
say:
    mov     console, %rdx
    mov     CONSOLE_OUT_PROD(%rdx), %eax
    lea     CONSOLE_OUT(%rdx,%rax), %rdi        /* the ring is never full here */
    add     %ecx, %eax
    rep movsb
    mov     %eax, CONSOLE_OUT_PROD(%rdx)
    mov     $EVTCHNOP_send, %edi
    mov     $console_send, %esi
    hypercall __HYPERVISOR_event_channel_op
    ret

/* In rings 1, 2 and 3. */
    .globl in_ring
in_ring:
    int     $0x80
    ud2

    .globl in_user
in_user:
    cli                                         /* #GP */
    movabs  $0x100000000, %rbx
    .globl user_read
user_read:
    mov     (%rbx), %rax                        /* #PF */
    syscall
    ud2

    .globl ask_entry
ask_entry:                                      /* INT 0x80: does not go back */
    incl    asked
    mov     $stack, %esp
    jmp     ring_done

    .globl gp_entry
gp_entry:                                       /* steps over CLI */
    addq    $8, %rsp
    addq    $1, (%rsp)
    iretq

    .globl pf_entry
pf_entry:                                       /* and over the load */
    addq    $8, %rsp
    addq    $3, (%rsp)
    iretq

    .globl tick
tick:
    incl    ticks
    movl    $0, LAPIC_EOI(%rbp)              /* as wait_for_tick has it */
    iretq

/* ------------------------------------------------------------------------------------------------------ data -- */

    .data
    .balign 8
gdt:
    .quad   0
    .quad   0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff, 0x00cf93000000ffff
    .quad   0x00afbb000000ffff, 0x00cfb3000000ffff      /* ring 1 */
    .quad   0x00afdb000000ffff, 0x00cfd3000000ffff      /* ring 2 */
    .quad   0x00affb000000ffff, 0x00cff3000000ffff      /* ring 3 */
    .quad   0x0000890000000067, 0                       /* TSS: its base is filled in */
gdt_end:
gdt_pointer:
    .short  gdt_end - gdt - 1
    .long   gdt
idt_pointer:
    .short  0x81 * 16 - 1
    .quad   idt
    .balign 8
    .long   0
tss:
    .long   0
    .quad   stack                                       /* of ring 0 */
    .skip   0x68 - 12
param_get:                                              /* struct xen_hvm_param: domid, index, value */
    .short  DOMID_SELF, 0
    .long   0
    .quad   0
console_send:
    .long   0
poweroff:
    .long   SHUTDOWN_poweroff
line_long:
    .ascii  "modes: long mode\r\n"
line_long_end:
line_alone:
    .ascii  "modes: no second vCPU\r\n"
line_alone_end:
line_done:
    .ascii  "modes: done\r\n"
line_done_end:

    .balign 4096
pdpt:                                                   /* PAE's root, */
    .quad   l2 + 0x1, l2 + 0x1001, l2 + 0x2001, l2 + 0x3001
    .balign 4096
l3:                                                     /* and long mode's third level */
    .quad   l2 + 0x7, l2 + 0x1007, l2 + 0x2007, l2 + 0x3007
    .balign 4096
l4:
    .quad   l3 + 0x7
    .balign 4096

    .bss
    .balign 4096
legacy:
    .skip   4096
l2:
    .skip   4 * 4096
l1:
    .skip   4096
idt:
    .skip   0x81 * 16
    .balign 8
console:
    .quad   0
    .globl steps
steps:
    .long   0
    .globl asked
asked:
    .long   0
    .globl ticks
ticks:
    .long   0
    .skip   2048
stack:
    .skip   512
ring_stack:
    .skip   512
ap_stack:

    .section .note.Xen, "a", @note
    .long   4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz  "Xen"
    .long   pvh_start

    .section .note.GNU-stack, "", @progbits
