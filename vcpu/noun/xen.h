// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * struct xen: one running hypervisor.
 *
 * Concept: what real Xen keeps in global variables (the domain list, the frame table, the heap, the scheduler) lives in
 * one structure, because two machines may run in one process: migration and unit tests need that. Every domain points
 * to its struct xen, so `v->domain->xen` reaches everything.
 *
 * Layering: this file belongs to the nouns (with domain.h): mmu/ and evtchn/ may include it, and it includes nothing
 * above sim/. What lives above is reached through the tables handed down at start: the hypercall table, and struct
 * xen_hooks.
 */
#ifndef VCPU_NOUN_XEN_H
#define VCPU_NOUN_XEN_H

#include "sim/machine.h"
#include "vcpu/noun/work.h"

#include <xen/xen.h>

struct xen;
struct domain;
struct vcpu;
struct page_info;
struct heap;
struct scheduler;
struct hypercall_entry;
struct guest_ops;
struct audit;
struct cpu_policies;

#define XEN_NR_HYPERCALLS 64

struct xen_stats {
    uint64_t exits[EXIT_NR_KINDS];
    uint64_t exceptions[32];
    uint64_t hypercalls[XEN_NR_HYPERCALLS];
    uint64_t emulated; /* privileged instructions carried out */
    uint64_t ptwr;     /* direct page-table writes carried out */
    uint64_t switches;
    uint64_t decisions; /* times that a pCPU asked who is next */
};

/* One physical CPU as the hypervisor sees it: where the vCPU that runs on it is noted. */
struct xen_pcpu {
    struct vcpu *curr;  /* NULL: idle */
    s_time_t now;       /* this pCPU's own position in virtual time */
    s_time_t slice_end; /* when the scheduler wants to be asked again */
    bool need_resched;  /* SCHEDULE_SOFTIRQ is raised */
    bool online;
    struct scheduler *sched;        /* of the CPU pool that owns it; NULL: free or offline, runs nothing */
    struct timer idle_timer;        /* ends a slice in which nobody runs */
    s_time_t idle_time, idle_since; /* without a vCPU: in total, before the present time; the latter's beginning */
    void *sched_priv;
};

/* What lower rooms call, or name, above themselves. */
struct xen_hooks {
    /* An event is pending for v: end SCHEDOP_block or SCHEDOP_poll. vcpu/sched/wake.c; called by vcpu_kick(). */
    void (*vcpu_unblock)(struct vcpu *v);
    /* evtchn_upcall_pending was set for an HVM vCPU: the interrupt by which it is told is raised. vcpu/hvm/apic.c. */
    void (*hvm_assert_evtchn_irq)(struct vcpu *v);
    /* Whether an HVM vCPU would take an interrupt now. vcpu/hvm/apic.c. */
    bool (*hvm_local_events_need_delivery)(const struct vcpu *v);
    /* XENMEM_acquire_resource: a frame of an ioreq server of d, an HVM domain; 0 or -errno. vcpu/hvm/ioreq.c. */
    int (*ioreq_server_get_frame)(struct domain *d, const struct domain *caller, uint16_t id, uint64_t idx, mfn_t *mfn);
    /* The last reference to d is gone: free it. vcpu/domain.c; called by put_domain(). */
    void (*domain_destroy)(struct domain *d);
    /*
     * mmu_audit() asks who outside mmu/ keeps references to frames, to be told with audit_ref(). vcpu/xen.c; NULL:
     * nobody.
     */
    void (*audit_refs)(struct xen *xen, struct audit *a);
    /* The kind of a domain that XEN_DOMCTL_createdomain (vcpu/domctl.c) makes: a row of vcpu/pv/guest.c. */
    const struct guest_ops *new_domain;
    const struct guest_ops *new_hvm;
    const struct guest_ops *new_native; /* the same, of one that is to be native */
};

/*
 * The machine around processors and RAM, as a dom0 that is a guest reaches it: by instructions for ports, and by
 * hypercalls about interrupts. The functions are called within the instruction or the hypercall, and end at once.
 */
struct board_ops {
    /* One access of 1, 2 or 4 bytes. Where nothing answers, reads give all ones. */
    uint32_t (*port_read)(void *data, uint16_t port, unsigned int size);
    void (*port_write)(void *data, uint16_t port, unsigned int size, uint32_t val);
    /* Port 0xcfc + off, when cf8 is what was written to 0xcf8. val: what is written, or NULL. */
    uint32_t (*pci_config)(void *data, uint32_t cf8, unsigned int off, unsigned int size, const uint32_t *val);
    /* dom0 has dealt with interrupt gsi: if its line is up still, it is raised again. */
    void (*eoi)(void *data, unsigned int gsi);
    /* How many bytes were there, at most len. */
    size_t (*console_read)(void *data, char *buf, size_t len);
    void (*console_write)(void *data, const char *text, size_t len);
    /* dom0 has shut down, SHUTDOWN_*: so does the machine. */
    void (*shutdown)(void *data, int reason);
};

/* Where the exit loop stands between two of its steps: vcpu/run.c. */
enum run_phase { RUN_TURN, RUN_NATIVE, RUN_GUEST, RUN_EXIT };

struct run_state {
    enum run_phase phase;
    unsigned int cpu;     /* whose turn it is; the others: not in RUN_TURN */
    struct vcpu *v;       /* who runs there, */
    s_time_t end;         /* until then at most */
    bool exact;           /* it ends then, and not a few instructions later */
    uint64_t left;        /* RUN_GUEST: instructions until then */
    struct sim_exit exit; /* RUN_EXIT: what is to be dealt with */
};

/* Ways to execute an HVM guest: by hardware's help, or by one of vcpu/five/. */
enum hvm_technique { TECHNIQUE_HARDWARE, TECHNIQUE_EMULATE, TECHNIQUE_RING1, TECHNIQUE_TRANSLATE };

struct xen {
    struct machine *machine;
    const struct xen_hooks *hooks;

    /* mmu/: the frame table, one page_info a frame; the heap; the machine-to-phys table, which guests may read */
    struct page_info *frame_table;
    struct heap *heap;
    const uint64_t *m2p; /* host view of the table at MACH2PHYS_VIRT_START; nr_frames entries */
    mfn_t m2p_mfn;       /* first frame of it (contiguous) */
    uint64_t m2p_frames;
    mfn_t m2p_l3;     /* shared L3 that L4 slot 256 of every PV guest points to */
    mfn_t m2p_compat; /* the same for PV32: 4-byte entries, and the L2 mapping them */
    mfn_t m2p_compat_l2;
    const uint32_t *m2p32;
    uint64_t m2p32_entries;      /* that are kept: 0 until there is a PV32 domain */
    uint64_t outstanding_claims; /* the sum of all domains' outstanding_pages */
    uint64_t tlb_clock,
        tlb_flushed; /* mmu/tlb.h: now, and the time since which every vCPU that is entered must have flushed */
    mfn_t zero_mfn;  /* a frame of zeroes for empty GDT pages, and the pages of Xen's own descriptors */
    mfn_t pv64_gdt_mfn, pv32_gdt_mfn;

    struct domain *domain_list; /* by ascending domid; dying ones stay until their last reference is gone */
    struct domain *domain_of[DOMID_FIRST_RESERVED]; /* the same domains by number */
    struct domain *dom0;
    struct domain *boot;           /* who builds dom0, when that is a guest, and does no more; NULL: dom0 is native */
    const struct board_ops *board; /* for such a dom0; NULL: there is nothing */
    void *board_data;
    uint64_t pci_known[4];  /* a bit for each device and function of bus 0 that dom0 has told of */
    struct domain *dom_xen; /* DOMID_XEN: owns the hypervisor's shared frames (M2P, resources) */
    struct domain *dom_io;  /* DOMID_IO: owns frames that are no RAM */
    domid_t next_domid;
    struct domain *global_virq_handler[NR_VIRQS]; /* NULL: dom0, see send_global_virq() */

    struct cpu_policies *cpu_policies; /* vcpu/cpu_policy.c */

    const struct hypercall_entry *hypercalls; /* XEN_NR_HYPERCALLS entries */

    struct scheduler *sched; /* Pool-0; the other CPU pools follow it (sched->next) */
    struct xen_pcpu pcpu[MACHINE_MAX_PCPUS];
    unsigned int nr_pcpus;
    struct run_state run;
    bool outside_asked; /* a back end has a question: nothing happens until it is answered */
    bool powered_off;   /* by the toolstack, which has no more use for it: nothing happens any more */

    struct xen_stats stats;
    struct gone_domains gone;
    uint64_t units;            /* of work in hypercalls, see hypercall_preempt_check(); native callers pay for them, */
    uint64_t bytes_copied;     /* and for the bytes that a hypercall copies from frame to frame */
    uint64_t console_start;    /* where the log was last cleared, XEN_SYSCTL_readconsole */
    s_time_t wallclock_offset; /* ns since 1970 at virtual time 0 */
    uint64_t tsc_khz;
    uint64_t m2p_sets; /* entries of the M2P that were set: who knows what it says, asks whether it is still so */
    uint64_t nr_sent;  /* events, by whomever: numbers them in a trace */
    enum hvm_technique technique; /* by which HVM guests are executed that do not say */
    bool audit;                   /* run mmu_audit() after every hypercall */
    uint64_t nr_dispatched;       /* hypercalls, in builds with sanitizers */

    /* Called on the way out of a domain's crash while its registers are still there. */
    void (*crash_report)(void *data, struct vcpu *v, const char *why);
    void *hook_data;
};

/* Has dom0 told of that PCI device? The machine has one bus. */
static inline bool pci_is_known(const struct xen *xen, uint16_t seg, uint8_t bus, uint8_t devfn)
{
    return !seg && !bus && xen->pci_known[devfn / 64] >> devfn % 64 & 1;
}

static inline s_time_t NOW(const struct xen *xen) { return xen->machine->clock.now; }

/* Bring up the hypervisor on machine m: policy `sched` ("rr"), frames, heap, M2P, system domains, dom0. NULL: err. */
struct sched_ops;
struct xen *xen_create(struct machine *m, const char *sched, char *err, size_t errlen);
/*
 * The same under a policy whose table is `ops`, which outlives it; NULL: `sched`. builds_dom0: the first domain is not
 * dom0 but xen->boot, which has the last number there is; the first that it creates is dom0, of whatever kind.
 */
struct xen *xen_create_ops(struct machine *m, const char *sched, const struct sched_ops *ops, bool builds_dom0,
                           char *err, size_t errlen);
/* dom0 is built: from now on no number finds xen->boot, and nothing counts it. It can still make hypercalls. */
void xen_boot_done(struct xen *xen);
/* Destroys all domains too. */
void xen_destroy(struct xen *xen);

#endif
