// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HVM and PVH guests: what the hypervisor keeps of them, and what the files of vcpu/hvm/ offer each other.
 *
 * Concept: such a guest has a processor of its own, with rings and page tables that it changes as it likes (non-root
 * mode in Intel's words); Xen is in the ring below (root mode, "-1") and gets control by exits. What an exit asks for
 * is what hardware would have done:
 *
 *      guest --- exit ---> hvm_handle_exit()  --+--> an instruction that only the machine's owner may execute: done on
 *                                               |      the vCPU's own state (cr.c, msr.c, io.c), stepped over
 *                                               +--> an exception or INT n: delivered through the guest's IDT (deliver.c)
 *                                               +--> VMMCALL: a hypercall
 *      guest <-- deliver() of guest.c <----------'    before it goes on: an event's upcall, an interrupt
 *
 * Invariants: v->regs is what the guest believes of its processor, all of it (unlike a PV guest's); EFER.SVME, which
 * the engine needs, is not in it. RIP moves behind an instruction exactly when it was carried out.
 *
 * Corresponds to xen/arch/x86/hvm/hvm.c, svm/svm.c and xen/arch/x86/include/asm/hvm/{domain,vcpu}.h.
 */
#ifndef VCPU_HVM_HVM_H
#define VCPU_HVM_HVM_H

#include "mmu/hvm/shadow.h"
#include "sim/x86.h"
#include "vcpu/hvm/hpet.h"
#include "vcpu/hvm/intercept.h"
#include "vcpu/hvm/ioreq.h"
#include "vcpu/hvm/irq.h"
#include "vcpu/hvm/pit.h"
#include "vcpu/hvm/pmtimer.h"
#include "vcpu/hvm/rtc.h"
#include "vcpu/noun/domain.h"

#include <xen/hvm/params.h>

struct hvm_hw_mtrr;
struct hvm_vmce_vcpu;

struct tc;
struct hvm_domain {
    uint64_t params[HVM_NR_PARAMS];
    enum hvm_technique technique; /* by which it is executed */
    struct tc *tc;                /* its translations (vcpu/five/tc.h), if it has any */
    struct hvm_irq irq;
    struct pit pit;
    struct rtc rtc;
    struct pmtimer pmtimer;
    struct hpet hpet;
    uint32_t pci_cf8; /* port 0xcf8: which PCI function port 0xcfc is about */
    /* A device model without messages (rings/dm/direct.c), in all servers' place; NULL: there is none. */
    enum hvm_io (*direct_access)(void *data, struct hvm_io_op *op);
    void *direct_data;
    struct ioreq_server *ioreq_server[MAX_NR_IOREQ_SERVERS];
    struct page_info **held; /* frames that direct_access's device model looks at, with a reference each */
    size_t nr_held, room_held;
    struct vcpu *apic_page_of; /* whose local APIC's page is in the p2m: that of who was entered last */
};

/* What is delivered through the guest's IDT. */
enum hvm_event_type {
    HVM_EVENT_INTERRUPT, /* from outside */
    HVM_EVENT_NMI,
    HVM_EVENT_EXCEPTION, /* by hardware */
    HVM_EVENT_SOFTINT,   /* INT n, INT3, INTO: the gate must allow it */
    HVM_EVENT_ICEBP,     /* F1: like INT, and allowed always */
};
struct hvm_event {
    enum hvm_event_type type;
    uint8_t vector;
    uint8_t insn_len; /* SOFTINT, ICEBP: RIP is behind the instruction; it goes back by so much if delivery faults */
    bool has_error_code;
    uint32_t error_code;
    uint64_t cr2; /* of a #PF */
};
/* Why the guest was left, in the VMCB's words: see exit_code.c. */
struct hvm_vmexit {
    uint64_t code, info1, info2; /* EXITCODE, EXITINFO1, EXITINFO2 */
};

struct hvm_vcpu {
    uint8_t evtchn_upcall_vector; /* HVMOP_set_evtchn_upcall_vector; 0: none */
    struct vlapic vlapic;
    struct shadow_vcpu shadow; /* what it has loaded, without nested paging */
    struct hvm_vcpu_io io;
    struct {
        bool set;
        struct hvm_event event;
    } inject; /* XEN_DMOP_inject_event: at the next entry */
    mfn_t apic_page;
    bool fpu_used;       /* in ring 1 (vcpu/five/ring1.h): since it came onto its pCPU */
    bool waits_for_sipi; /* INIT has come: it is down, and a start-up message makes it run */
    uint32_t tsc_aux;
    bool cpuid_faults; /* the MSR 0x140: in ring 3 CPUID is #GP */
    int64_t tsc_adjust;
    struct hvm_mtrr {
        uint64_t variable[16], fixed[11], def_type;
    } mtrr; /* msr.c, as these: */
    uint64_t mcg_status, debugctl, last_branch[4];
    /* For who looks: the last exit; how many of each kind, and of those how many that real hardware does not take. */
    struct hvm_vmexit last_exit;
    uint64_t exits[EXIT_NR_KINDS], engine_exits[EXIT_NR_KINDS];
};

/* --- deliver.c --- */

/*
 * v stands at the handler afterwards; or at that of the fault that delivering made, #DF among them; or its domain has
 * shut down (triple fault).
 */
void hvm_inject_event(struct vcpu *v, const struct hvm_event *event);
/* A processor that cannot even deliver #DF stops. HVM_PARAM_TRIPLE_FAULT_REASON says what becomes of the domain. */
void hvm_triple_fault(struct vcpu *v);
/* An exception of hardware, with its error code if it has one; a #PF. */
void hvm_inject_hw_exception(struct vcpu *v, unsigned int vector, uint32_t error_code);
void hvm_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error_code);

/* --- access.c: the guest's memory, as the processor would reach it --- */

extern const struct caller_mem_ops hvm_caller_mem;
/*
 * RAM that is only guarded (log-dirty), or is to be populated, is touched: it is plain RAM now. False: there is no such
 * page at gpa, or no frame.
 */
bool hvm_guard_ends(struct domain *d, uint64_t gpa);
enum hvm_access { HVM_ACCESS_READ, HVM_ACCESS_WRITE };
#define HVM_NO_MEMORY 255
struct hvm_fault {
    uint8_t vector; /* X86_EXC_PF, X86_EXC_GP (not canonical), or HVM_NO_MEMORY: none is behind the address */
    uint32_t error_code;
    uint64_t addr;
};
/*
 * n bytes at a linear address, with the rights of ring 3 (user) or of the rings above. False: *fault says why, and what
 * lies in front of the page that faults may have been written.
 */
bool hvm_linear(struct vcpu *v, uint64_t addr, void *buf, size_t n, enum hvm_access access, bool user,
                struct hvm_fault *fault);

/* The same without an access: where the first byte lies, if it is memory. */
bool hvm_linear_to_gpa(struct vcpu *v, uint64_t addr, enum hvm_access access, bool user, uint64_t *gpa,
                       struct hvm_fault *fault);
/* What such a fault makes. */
void hvm_inject_fault(struct vcpu *v, const struct hvm_fault *f);
/* #DB, since a task's TSS says so. */
void hvm_inject_task_trap(struct vcpu *v);

/* --- task.c --- */

enum hvm_task_why { HVM_TASK_JMP, HVM_TASK_CALL, HVM_TASK_IRET, HVM_TASK_EVENT /* a task gate in the IDT */ };
enum hvm_task {
    HVM_TASK_DONE,
    HVM_TASK_TRAP,        /* and its TSS wants hvm_inject_task_trap() when all is done */
    HVM_TASK_FAULT,       /* *f; it is the old task still */
    HVM_TASK_FAULT_IN_NEW /* *f; it is the new one already */
};
/*
 * To the task that sel names (IRET: to the one that the TSS links to), which the old one is to go on behind at rip.
 */
enum hvm_task hvm_task_switch(struct vcpu *v, uint16_t sel, enum hvm_task_why why, uint64_t rip, struct hvm_fault *f);

/*
 * n bytes of d's memory by its own addresses, in as many pages as they lie in. False: not all of it is memory (to be
 * written); what is not reads as all ones.
 */
bool hvm_copy_from_guest_phys(struct domain *d, void *buf, uint64_t gpa, size_t n);
bool hvm_copy_to_guest_phys(struct domain *d, uint64_t gpa, const void *buf, size_t n);

/*
 * --- held.c: frames of d's that a device model within the hypervisor keeps in sight ---
 *
 * hold: to be read until they are let go, whatever the guest does with its gfn. NULL: there is no RAM, or no memory.
 * move: false: there is something at `to`, or no RAM at `from`.
 */
const void *hvm_frame_hold(struct domain *d, uint64_t gfn);
bool hvm_frame_move(struct domain *d, uint64_t from, uint64_t to);
void hvm_frames_let_go(struct domain *d);
struct audit;
void hvm_frames_audit_refs(struct xen *xen, struct audit *a);

/* --- the instructions --- */

/* exits.c */
void hvm_handle_exit(struct vcpu *v, const struct sim_exit *exit);
/* exit_code.c: v has left for it. */
void hvm_exit_note(struct vcpu *v, const struct sim_exit *exit);
/* insn_done.c: an instruction of len bytes was carried out. */
void hvm_insn_done(struct vcpu *v, unsigned int len);
/* The #DB of single-stepping (TF), behind an instruction, whoever has carried it out. */
void hvm_inject_step_trap(struct vcpu *v);
/*
 * shadow.c: guests without nested paging. v is about to be entered; it uses INVLPG; it has faulted. False: as *npf
 * would be, if it had nested paging.
 */
void hvm_shadow_enter(struct vcpu *v);
void hvm_shadow_invlpg(struct vcpu *v);
bool hvm_shadow_fault(struct vcpu *v, const struct sim_exit *exit, struct sim_exit *npf);
/* cr.c: the instruction at RIP, which accesses a control or a debug register. */
void hvm_cr_access(struct vcpu *v);
/* Set EFER as the guest wants it. False: #GP. */
bool hvm_set_efer(struct vcpu *v, uint64_t val);
/* Can a processor of d's be in the mode that CR0, CR4, EFER and CS of *r say? */
bool hvm_mode_valid(const struct domain *d, const struct cpu_state *r);
/* msr.c. False: #GP. */
bool hvm_read_msr(struct vcpu *v, uint32_t msr, uint64_t *val);
bool hvm_write_msr(struct vcpu *v, uint32_t msr, uint64_t val);
/*
 * Memory types, and the machine checks that may be reported, as records of hvmcontext, and back: values that the guest
 * could not write are not loaded. -EINVAL, -EPERM: of a processor with more of them.
 */
void hvm_mtrr_save(const struct vcpu *v, struct hvm_hw_mtrr *r);
int hvm_mtrr_load(struct vcpu *v, const struct hvm_hw_mtrr *r);
void hvm_vmce_save(const struct vcpu *v, struct hvm_vmce_vcpu *r);
int hvm_vmce_load(const struct vcpu *v, const struct hvm_vmce_vcpu *r);
/* io.c: IN, OUT, INS, OUTS at RIP. */
void hvm_port_io(struct vcpu *v, const struct sim_exit *exit);

/*
 * v's domain is told where its shared structures are: they have the layout of the code that v runs (Xen:
 * hvm_latch_shinfo_size()). params.c.
 */
void hvm_latch_shinfo_size(const struct vcpu *v);

/* apic.c: the local APIC at its place in the guest's memory. False: #GP. */
bool hvm_apic_base_set(struct vcpu *v, uint64_t val);
int hvm_apic_init(struct vcpu *v);
void hvm_apic_destroy(struct vcpu *v);
/* v is entered: its own page is where the guest looks for it. */
void hvm_apic_enter(struct vcpu *v);
extern const struct hvm_irq_ops hvm_irq_ops;
/* xen->hooks: events are pending for v. */
void hvm_assert_evtchn_irq(struct vcpu *v);
bool hvm_local_events_need_delivery(const struct vcpu *v);

/* mmio.c: an access to where there is no memory. */
void hvm_mmio(struct vcpu *v, const struct sim_exit *exit);

/* save_cpu.c: -EINVAL: no processor can be so. */
struct hvm_hw_cpu;
void hvm_cpu_save(struct vcpu *v, struct hvm_hw_cpu *c);
int hvm_cpu_load(struct vcpu *v, const struct hvm_hw_cpu *c);

/* --- context.c: guest_ops.set_context, get_context, reset_context --- */
int hvm_set_context(struct vcpu *v, struct vcpu *caller, uint64_t addr, bool once);
int hvm_get_context(struct vcpu *v, struct vcpu *caller, uint64_t addr);
int hvm_reset_context(struct vcpu *v);

/*
 * --- save.c: XEN_DOMCTL_gethvmcontext, sethvmcontext, gethvmcontext_partial of d. ---
 *
 * 0; -EFAULT; -ENOSPC (the buffer is too short), -ENODATA (it has no end), -EINVAL (not what a processor or a device
 * can be, or no such kind); -ENODEV (the domain has no such device); -EOPNOTSUPP (there is no XSAVE); -EPERM (more
 * machine checks than there are). partial: -ENOENT (no such instance, or a vCPU that is down), -ENOBUFS. What stands
 * in front of a record that is refused is loaded.
 */
struct xen_domctl_hvmcontext;
struct xen_domctl_hvmcontext_partial;
int hvm_save(struct domain *d, struct vcpu *caller, struct xen_domctl_hvmcontext *op);
int hvm_save_one(struct domain *d, struct vcpu *caller, struct xen_domctl_hvmcontext_partial *op);
int hvm_load(struct domain *d, struct vcpu *caller, const struct xen_domctl_hvmcontext *op);

#endif
