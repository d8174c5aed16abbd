// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The virtual machine control block: what the processor reads at VMRUN and writes at #VMEXIT.
 *
 * AMD64 Architecture Programmer's Manual, volume 2, appendix B (Xen: arch/x86/include/asm/hvm/svm/vmcb.h). The first
 * kilobyte tells what to intercept and why an exit happened, the rest is the guest's state.
 */
#ifndef SIM_VMCB_H
#define SIM_VMCB_H

#include <stdint.h>

struct vmcb_segment {
    uint16_t sel, attr; /* attr: descriptor bits 55:52 and 47:40 */
    uint32_t limit;
    uint64_t base;
};

struct vmcb {
    uint16_t intercept_cr_read, intercept_cr_write; /* 0x000 */
    uint16_t intercept_dr_read, intercept_dr_write; /* 0x004 */
    uint32_t intercept_exceptions;                  /* 0x008: a bit a vector */
    uint32_t intercepts1, intercepts2;              /* 0x00c */
    uint8_t reserved_1[0x040 - 0x014];
    uint64_t iopm, msrpm, tsc_offset;           /* 0x040 */
    uint32_t asid, tlb_control;                 /* 0x058 */
    uint64_t int_ctl, int_shadow;               /* 0x060 */
    uint64_t exit_code, exit_info1, exit_info2; /* 0x070 */
    uint64_t exit_int_info, np_control;         /* 0x088 */
    uint8_t reserved_2[0x0a8 - 0x098];
    uint64_t event_inj, ncr3; /* 0x0a8 */
    uint8_t reserved_3[0x400 - 0x0b8];
    struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr; /* 0x400 */
    uint8_t reserved_4[0x4cb - 0x4a0];
    uint8_t cpl; /* 0x4cb */
    uint32_t reserved_5;
    uint64_t efer; /* 0x4d0 */
    uint8_t reserved_6[0x548 - 0x4d8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 0x548 */
    uint8_t reserved_7[0x5d8 - 0x580];
    uint64_t rsp; /* 0x5d8 */
    uint8_t reserved_8[0x5f8 - 0x5e0];
    uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base; /* 0x5f8 */
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;    /* 0x628 */
    uint8_t reserved_9[0x668 - 0x648];
    uint64_t pat; /* 0x668 */
};

_Static_assert(sizeof(struct vmcb) == 0x670, "layout of the VMCB");

#define VMCB1_RDTSC    (1u << 14)
#define VMCB1_RDPMC    (1u << 15)
#define VMCB1_CPUID    (1u << 18)
#define VMCB1_SWINT    (1u << 21)
#define VMCB1_INVD     (1u << 22)
#define VMCB1_PAUSE    (1u << 23)
#define VMCB1_HLT      (1u << 24)
#define VMCB1_INVLPG   (1u << 25)
#define VMCB1_INVLPGA  (1u << 26)
#define VMCB1_MSR      (1u << 28)
#define VMCB1_SHUTDOWN (1u << 31)

#define VMCB2_VMRUN   (1u << 0)
#define VMCB2_VMMCALL (1u << 1)
#define VMCB2_VMLOAD  (1u << 2)
#define VMCB2_VMSAVE  (1u << 3)
#define VMCB2_STGI    (1u << 4)
#define VMCB2_CLGI    (1u << 5)
#define VMCB2_SKINIT  (1u << 6)
#define VMCB2_RDTSCP  (1u << 7)
#define VMCB2_ICEBP   (1u << 8)
#define VMCB2_WBINVD  (1u << 9)
#define VMCB2_MONITOR (1u << 10)
#define VMCB2_MWAIT   (1u << 11)

/*
 * What makes a vCPU leave its guest, in the VMCB's words. Whoever makes a vCPU chooses (a PV guest's: PV_CONTROLS, an
 * HVM guest's: HVM_CONTROLS), and the engine only hands it to the processor. Accesses to MSRs and to I/O ports leave
 * always (sim/engine/io.c, system.c); interrupts are delivered by the hypervisor, so event_inj and the virtual
 * interrupt stay unused, as do ASID and np_control: the nested walk is sim/nested.c's.
 */
struct vcpu_controls {
    uint16_t intercept_cr_read, intercept_cr_write;
    uint16_t intercept_dr_read, intercept_dr_write;
    uint32_t intercept_exceptions;
    uint32_t intercepts1, intercepts2;
};

/*
 * Of guests that never run at CPL 0: control registers, MSRs and CLI fault there by themselves (and SMSW, which does
 * not, reads what the guest runs with, as on real Xen). Every fault and every INT is intercepted: see
 * sim/engine/pcpu_exit.c.
 */
#define PV_CONTROLS                                                                                                    \
    ((struct vcpu_controls){                                                                                           \
        .intercept_exceptions = ~0u,                                                                                   \
        .intercepts1 = VMCB1_RDTSC | VMCB1_RDPMC | VMCB1_CPUID | VMCB1_SWINT | VMCB1_INVD | VMCB1_PAUSE | VMCB1_HLT |  \
                       VMCB1_INVLPG | VMCB1_INVLPGA | VMCB1_SHUTDOWN,                                                  \
        .intercepts2 = VMCB2_VMRUN | VMCB2_VMMCALL | VMCB2_VMLOAD | VMCB2_VMSAVE | VMCB2_STGI | VMCB2_CLGI |           \
                       VMCB2_SKINIT | VMCB2_RDTSCP | VMCB2_ICEBP | VMCB2_WBINVD | VMCB2_MONITOR | VMCB2_MWAIT,         \
    })

/*
 * Of guests with a CPL 0 of their own. What changes how addresses are translated, or what the processor shown must
 * check and the engine does not, is the hypervisor's: CR0, CR4 (Xen intercepts the same), CR8, which is the local
 * APIC's, debug registers (which Xen gives back to the guest after the first access). CR3 and INVLPG are the guest's
 * own, since its tables are translated by nested ones.
 */
#define HVM_CONTROLS HVM_CONTROLS_AND(0, 0)
/* Under shadow page tables what the guest has its tables in is the hypervisor's affair, too. */
#define SHADOW_CONTROLS HVM_CONTROLS_AND(1u << 3, VMCB1_INVLPG)

#define HVM_CONTROLS_AND(cr, more)                                                                                     \
    ((struct vcpu_controls){                                                                                           \
        .intercept_cr_read = 1u << 8 | (cr),                                                                           \
        .intercept_cr_write = 1u << 0 | 1u << 4 | 1u << 8 | (cr),                                                      \
        .intercept_dr_read = 0xffff,                                                                                   \
        .intercept_dr_write = 0xffff,                                                                                  \
        .intercept_exceptions = ~0u,                                                                                   \
        .intercepts1 =                                                                                                 \
            VMCB1_RDTSC | VMCB1_RDPMC | VMCB1_CPUID | VMCB1_SWINT | VMCB1_PAUSE | VMCB1_HLT | VMCB1_SHUTDOWN | (more), \
        .intercepts2 = VMCB2_VMRUN | VMCB2_VMMCALL | VMCB2_VMLOAD | VMCB2_VMSAVE | VMCB2_STGI | VMCB2_CLGI |           \
                       VMCB2_SKINIT | VMCB2_RDTSCP | VMCB2_ICEBP | VMCB2_MONITOR | VMCB2_MWAIT,                        \
    })

/* Exit codes, as hooks see them with 0x100 added. */
enum svm_exit {
    SVM_EXIT_CR_READ = 0x00,
    SVM_EXIT_CR_WRITE = 0x10,
    SVM_EXIT_DR_READ = 0x20,
    SVM_EXIT_DR_WRITE = 0x30,
    SVM_EXIT_EXCEPTION = 0x40,
    SVM_EXIT_INTR = 0x60,
    SVM_EXIT_VINTR = 0x64,
    SVM_EXIT_RDTSC = 0x6e,
    SVM_EXIT_RDPMC = 0x6f,
    SVM_EXIT_CPUID = 0x72,
    SVM_EXIT_SWINT = 0x75,
    SVM_EXIT_PAUSE = 0x77,
    SVM_EXIT_HLT = 0x78,
    SVM_EXIT_INVLPG = 0x79,
    SVM_EXIT_IOIO = 0x7b,
    SVM_EXIT_MSR = 0x7c,
    SVM_EXIT_TASK_SWITCH = 0x7d,
    SVM_EXIT_SHUTDOWN = 0x7f,
    SVM_EXIT_VMRUN = 0x80,
    SVM_EXIT_VMMCALL = 0x81,
    SVM_EXIT_RDTSCP = 0x87,
    SVM_EXIT_NPF = 0x400,
    SVM_EXIT_INVALID = -1,
};

#endif
