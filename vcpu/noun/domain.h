// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The nouns: struct domain and struct vcpu.
 *
 * Concept: a domain is a container of resources (frames, event channels, grants, vCPUs); a vCPU is what runs. Nearly
 * all of a hypervisor is operations on these two, so they are declared in one place, below everything else. Each group
 * of fields names the folder that owns it; others only look.
 *
 * Invariants:
 *  - d->refcnt > 0 while the domain is on xen->domain_list; who keeps a pointer across a hypercall holds a reference.
 *  - v->regs is valid for guest vCPUs only outside pcpu_run(): the hypervisor runs when guests do not.
 *  - What belongs to one kind of domain is an arm of a union, here and in struct vcpu; d->type selects it
 *    (v->domain->type), and no other is to be read or written: PV64 and PV32 have `pv`, native domains `native`, HVM
 *    ones `hvm`, system domains none. tests/vcpu/test_kinds.c looks.
 *  - A vCPU is runnable when pause_flags == 0 and both pause counts are 0.
 *
 * Simplifies xen/include/xen/sched.h: no RCU, no locks (one host thread), no sched_units (a unit is a vCPU).
 * Going up happens through xen->hooks.
 *
 * Budget: over 400 lines, since the two structures and what is done to them belong together.
 */
#ifndef VCPU_NOUN_DOMAIN_H
#define VCPU_NOUN_DOMAIN_H

#include "vcpu/i8254.h"
#include "vcpu/noun/guest.h"
#include "vcpu/noun/xen.h"

#include <string.h>
#include <xen/event_channel.h>
#include <xen/vcpu.h>

struct grant_table;
struct hvm_domain;
struct hvm_vcpu;
struct p2m_domain;
struct paging_ops;
struct e820entry;
struct evtchn;
struct evtchn_port_ops;
struct evtchn_fifo_domain;
struct evtchn_fifo_vcpu;

#define MAX_VIRT_CPUS        64 /* a bit for each in poll_mask; Xen itself allows more */
#define XEN_LEGACY_MAX_VCPUS 32

/* v->pause_flags: why a vCPU does not run (names of Xen's sched.h) */
#define VPF_blocked        0x01u /* SCHEDOP_block: until an event is pending */
#define VPF_down           0x02u /* never brought up, or VCPUOP_down */
#define VPF_poll           0x04u /* SCHEDOP_poll */
#define VPF_blocked_in_xen 0x08u /* it waits for a device model, vcpu/hvm/ioreq.c */
#define VPF_migrating      0x10u /* on its way to another pCPU or CPU pool, see vcpu/sched/affinity.c */

/* A PV vCPU: trap bounce targets and descriptor tables, owned by vcpu/pv/; page tables, owned by mmu/pv/. */
#define PV_NR_GDT_FRAMES        16
#define FIRST_RESERVED_GDT_PAGE 14
struct pv_vcpu {
    mfn_t guest_table; /* the kernel's L4 (PV32: the L4 that Xen made above the guest's L3); holds a type reference */
    mfn_t guest_table_user; /* PV64: user mode's L4, or INVALID_MFN */
    mfn_t compat_l3;        /* PV32: the guest's own L3, INVALID_MFN for PV64 */
    struct trap_info trap_ctxt[256];
    uint64_t gdt_frames[PV_NR_GDT_FRAMES]; /* mfn; 0: not set */
    unsigned int gdt_ents;
    uint64_t ldt_base;
    unsigned int ldt_ents;
    unsigned int shadow_ldt_mapcnt; /* LDT pages faulted in (type references held), see mmu/ */
    uint64_t kernel_ss, kernel_sp;
    uint64_t event_callback_eip, failsafe_callback_eip, syscall_callback_eip;
    uint16_t event_callback_cs, failsafe_callback_cs; /* PV32 */
    uint64_t syscall32_callback_eip;
    uint16_t syscall32_callback_cs;
    bool syscall32_disables_events;
    uint32_t vgc_flags;    /* VGCF_failsafe_disables_events, VGCF_syscall_disables_events */
    unsigned int iopl;     /* 0..3, PHYSDEVOP_set_iopl */
    uint64_t iobmp;        /* guest address of its port bitmap, PHYSDEVOP_set_iobitmap */
    uint32_t iobmp_limit;  /* ports in it */
    uint64_t ctrlreg[8];   /* what the guest believes CR0, CR2, CR4 to be */
    uint64_t gs_base_user; /* the GS base that is not loaded (kernel mode: user's) */
    uint32_t tsc_aux;      /* what RDTSCP reads besides the time: the MSR TSC_AUX */
    uint64_t mcg_status;   /* the MSR: machine checks never come, but it can be written */
    uint64_t dr7_emul;     /* the bits of DR7 that the processor does not get: breakpoints on I/O */
    bool kernel_mode;      /* TF_kernel_mode: PV64 kernel rather than user (both run at CPL 3) */
    /* What could not be written since user mode's page tables were loaded: done on the way into the kernel. */
    bool need_update_runstate_area;
    struct vcpu_time_info pending_system_time; /* version 0: nothing */
};

/* A PV domain. */
struct pv_domain {
    mfn_t perdomain_l3; /* L4 slot 260: GDT and LDT of each vCPU, private to this domain. Owned by mmu/pv/ */
    struct i8254 pit;   /* channel 2, with which the guest may play: vcpu/pv/ioport.c */
    uint32_t pci_cf8;   /* PCI address latch, port 0xcf8 */
    uint8_t cmos_idx;   /* port 0x70 */
};

/* Native vCPUs: dom0 and driver domains are C code that the hypervisor schedules. */
struct native_ops {
    const char *name;
    /*
     * Do a bounded piece of work, and let the clock go on by what it costs; handle pending events. False: there is
     * nothing to do, and v blocks until the next event.
     */
    bool (*step)(struct vcpu *v, void *data);
};
struct native_vcpu {
    const struct native_ops *ops;
    void *data;
    bool metered; /* in a step, so what it does takes time; see native_charge() */
    bool pooled;  /* its memory is what is in the pool: it asks for no more */
    uint64_t *pool;
    size_t nr_pool;
    bool gone; /* what it ran has ended: no hypercall is made in its name, each answers 0 and does nothing */
};

/* A native domain: what it has mapped of others, by gfn; see mmu/memory/foreign.c. */
struct native_domain {
    struct native_physmap {
        struct foreign_mapping *map;
        size_t nr, room;
    } physmap;
};

/* A 32-bit guest may place these at any multiple of 4: pointers to them must not promise more. */
typedef struct vcpu_info vcpu_info_at_4 __attribute__((aligned(4)));
typedef struct vcpu_time_info vcpu_time_info_at_4 __attribute__((aligned(4)));

struct vcpu {
    unsigned int vcpu_id;
    struct domain *domain;
    struct cpu_context *ctx; /* NULL for native vCPUs: no processor ever has their registers */
    struct cpu_state *regs;  /* inside ctx; NULL likewise */
    union {
        struct pv_vcpu pv;
        struct native_vcpu native;
        struct hvm_vcpu *hvm; /* vcpu/hvm/hvm.h */
    };

    /* scheduling: vcpu/sched/ */
    bool is_initialised;
    unsigned int pause_flags; /* VPF_* */
    bool defer_shutdown;      /* within an instruction of an HVM vCPU's: its domain shuts down when that is done */
    int pause_count;
    unsigned int processor; /* pCPU it runs or last ran on */
    bool is_running;
    uint64_t insns_at; /* machine.at.insns behind the last instruction that it has executed */
    struct vcpu_runstate_info runstate;
    void *sched_priv;
    uint64_t hard_affinity, soft_affinity; /* bit per pCPU */
    s_time_t last_run;                     /* virtual time when it left its pCPU */
    bool sched_joined, sched_awake;        /* the policy knows it; was told wake() and not yet sleep() */
    unsigned int spins;                    /* PAUSEs in a row, the last one at: */
    s_time_t spin_last;

    /* for the trace: vcpu/run.c, vcpu/pv/ */
    uint64_t insns;     /* it has executed since it last came out for another reason than time */
    uint8_t resume_why; /* what has happened since then, or since it came onto a pCPU: TRACE_RESUME_* */

    /* paging: mmu/ */
    mfn_t old_guest_table; /* a table whose release was preempted in its hypercall, INVALID_MFN: none */
    uint64_t tlb_stamp;    /* xen->tlb_clock when it last flushed its TLB (mmu/tlb.h) */

    /* event channels and shared memory: evtchn/ */
    vcpu_info_at_4 *vcpu_info;        /* host address: in shared_info, or registered by VCPUOP_register_vcpu_info */
    mfn_t vcpu_info_mfn;              /* INVALID_MFN: inside shared_info (or the dummy) */
    struct vcpu_info dummy_vcpu_info; /* of vCPUs that have no place in shared_info, until they register one */
    evtchn_port_t virq_to_evtchn[NR_VIRQS];
    struct evtchn_fifo_vcpu *evtchn_fifo;
    int poll_evtchn;     /* 0: not polling; > 0: that one port; -1: several */
    bool poll_timed_out; /* what ends the poll now is its deadline */

    /* time: vcpu/time.c */
    struct timer singleshot_timer, periodic_timer, poll_timer;
    s_time_t periodic_period, periodic_last;
    uint64_t runstate_guest; /* guest virtual addresses registered, 0: none */
    uint64_t time_info_guest;

    bool nmi_pending, nmi_masked;

    /* who makes the hypercall that is carried out, see vcpu/noun/caller.h: mostly the vCPU itself */
    const struct caller_mem_ops *caller_mem;
    void *caller_data;

    /* multicall in progress: hypercall continuations go into the entry, not the registers */
    bool in_multicall;
    uint32_t preempt_count; /* counts down work within one hypercall; see hypercall_preempt_check() */
};

/* Why a domain is on its way out, in this order (Xen: enum domdying). */
enum domain_dying { DOMDYING_alive, DOMDYING_dying, DOMDYING_dead };

/* The TSC as the domain sees it, see vcpu/tsc.c. */
struct time_scale {
    int shift;
    uint32_t mul_frac;
};
struct domain_tsc {
    uint32_t mode, khz, incarnation;
    bool emulated;
    s_time_t offset; /* emulated: system time at which it was 0 */
    s_time_t last;   /* emulated: the latest system time that was given to anybody */
    struct time_scale to_ns, from_ns;
};

/* A list of frames: heads and links are frame numbers, see mmu/page.h. */
struct page_list {
    uint32_t first, last; /* mfn; PAGE_LIST_NULL: empty */
    uint64_t nr;
};

struct domain {
    domid_t domain_id;
    struct xen *xen;
    struct domain *next;
    unsigned int refcnt;

    enum domain_type type;
    const struct guest_ops *guest; /* the operations of its kind; NULL: a system domain */
    const struct guest_abi *abi;   /* its row's, vcpu/noun/guest_abi.h */
    union {
        struct pv_domain pv;
        struct native_domain native;
        struct hvm_domain *hvm; /* vcpu/hvm/hvm.h */
    };
    bool is_privileged; /* dom0: is_control_domain() */
    domid_t target;     /* XEN_DOMCTL_set_target: may act on that domain; DOMID_INVALID: none */
    uint8_t handle[16];
    uint32_t createflags; /* XEN_DOMCTL_CDF_* */
    uint32_t ssidref;
    bool msr_relaxed;              /* XEN_X86_MSR_RELAXED, see vcpu/pv/msr.c */
    struct cpu_policy *cpu_policy; /* what CPUID says: vcpu/cpu_policy.c; NULL: a system domain */

    unsigned int max_vcpus;
    struct vcpu **vcpu; /* max_vcpus pointers, NULL until XEN_DOMCTL_max_vcpus */
    bool creation_finished;
    int pause_count;
    int controller_pause_count; /* XEN_DOMCTL_pausedomain */
    enum domain_dying is_dying;
    bool is_shutting_down, is_shut_down;
    int shutdown_code;       /* SHUTDOWN_*, -1: running */
    struct domain_work work; /* but for what its vCPUs have: vcpu/work.h */
    char crash_reason[120];

    /* mmu/ */
    const struct paging_ops *paging; /* mmu/paging.h; NULL: its frames never become tables */
    bool log_dirty;                  /* mmu/log_dirty.h: it is logged which frames are written, */
    uint32_t log_dirty_faults;       /* and so many stores have left for that since XEN_DOMCTL_SHADOW_OP_CLEAN */
    enum trace_root trace_root;      /* of an HVM guest, in records of what it does */
    struct p2m_domain *p2m;          /* mmu/hvm/p2m.h; NULL: it has the machine's frame numbers */
    uint64_t tot_pages, max_pages;   /* of 32 bits, as in Xen: memory_op answers with them */
    uint64_t outstanding_pages, extra_pages;
    struct page_list page_list;    /* frames that count in tot_pages */
    struct page_list xenpage_list; /* hypervisor frames shared with the domain: shared_info, grant frames */
    struct page_list arch_relmem;  /* frames on their way out during relinquish */
    unsigned int relmem_step;      /* how far domain_relinquish_memory() got */
    uint64_t vm_assist;            /* bits VMASST_TYPE_* */
    struct grant_table *grant_table;
    struct e820entry *e820; /* XENMEM_set_memory_map; malloc'ed, see mmu/memory/memory.h */
    unsigned int nr_e820;

    /* evtchn/ */
    struct shared_info *shared_info; /* host address of the frame */
    mfn_t shared_info_mfn;
    struct evtchn **evtchn_bucket;  /* lazily allocated groups of ports */
    unsigned int max_evtchn_port;   /* highest port number allowed (XEN_DOMCTL_createdomain), inclusive */
    unsigned int valid_evtchns;     /* ports that exist */
    unsigned int active_evtchns;    /* ports in use, port 0 not counted */
    unsigned int first_free_evtchn; /* all ports below it are in use */
    bool has_32bit_shinfo;          /* shared_info has the 32-bit layout: for PV32; an HVM guest may change it */
    const struct evtchn_port_ops *evtchn_port_ops;
    struct evtchn_fifo_domain *evtchn_fifo;
    uint64_t poll_mask;    /* bit per vCPU that polls */
    uint64_t pirqs[4];     /* bit per physical interrupt that was given out, PHYSDEVOP_get_free_pirq */
    uint64_t pirq_eoi_mfn; /* PHYSDEVOP_pirq_eoi_gmfn, 0: none */

    /* time, ports and console */
    int64_t time_offset_seconds; /* XEN_DOMCTL_settimeoffset: of the wallclock */
    struct domain_tsc tsc;
    struct timer watchdog[2];
    uint32_t emulation_flags; /* XEN_X86_EMU_* */
    bool watchdog_armed[2];
    char console_line[256]; /* console_io(write): collected until a newline */
    unsigned int console_len;

    uint64_t node_affinity;  /* NUMA nodes that were chosen, a bit each; 0: nobody has */
    struct scheduler *sched; /* of the CPU pool that it lives in */
    void *sched_priv;
};

#define is_pv_32bit_domain(d) ((d)->type == DOMAIN_PV32)
#define is_pv_domain(d)       ((d)->type == DOMAIN_PV64 || (d)->type == DOMAIN_PV32)
#define is_hvm_domain(d)      ((d)->type == DOMAIN_HVM)
#define is_native_domain(d)   ((d)->type == DOMAIN_NATIVE)
#define is_control_domain(d)  ((d)->is_privileged)
/* The guest that has the machine's devices: a dom0 that is not native. */
#define is_hardware_domain(d)    ((d)->xen->boot && (d)->xen->boot != (d) && (d)->xen->dom0 == (d))
#define paging_mode_translate(d) ((d)->type == DOMAIN_HVM)
#define VM_ASSIST(d, name)       (((d)->vm_assist >> VMASST_TYPE_##name) & 1)

#define for_each_domain(xen, d) for (struct domain *d = (xen)->domain_list; d; d = d->next)
#define for_each_vcpu(d, v)                                                                                            \
    for (unsigned int v##_i = 0; v##_i < (d)->max_vcpus; v##_i++)                                                      \
        for (struct vcpu *v = (d)->vcpu[v##_i]; v; v = NULL)

/* The guest CPL as Xen sees it: PV64 kernel 0, user 3 (the real CPL is 3 for both); PV32 kernel 1; HVM as it is. */
static inline bool guest_kernel_mode(const struct vcpu *v)
{
    if (is_hvm_domain(v->domain))
        return (v->regs->cpl & 3) != 3;
    return is_pv_32bit_domain(v->domain) ? (v->regs->cpl & 3) == 1 : v->pv.kernel_mode;
}

/* --- the trace: what v is doing, for TRACE_VCPU() --- */

static inline struct trace_who vcpu_trace_who(const struct vcpu *v)
{
    struct trace_who who = trace_who(v->domain->domain_id, v->vcpu_id);

    if (is_native_domain(v->domain)) {
        who.mode = TRACE_MODE_NATIVE;
    } else if (v->regs && is_hvm_domain(v->domain)) {
        who.mode = TRACE_MODE_HVM0 + (v->regs->cpl & 3);
        who.root = v->domain->trace_root;
    } else if (v->regs && is_pv_domain(v->domain)) {
        who.mode = guest_kernel_mode(v) ? TRACE_MODE_KERNEL : TRACE_MODE_USER;
        who.root = is_pv_32bit_domain(v->domain) || v->pv.kernel_mode ? TRACE_ROOT_KERNEL : TRACE_ROOT_USER;
    }
    return who;
}

#define TRACE_VCPU(v, ev, ...) TRACE_BY((v)->domain->xen->machine, ev, vcpu_trace_who(v), ##__VA_ARGS__)
/* TRACE() about a vCPU, or a domain, by the hypervisor. */
#define TRACE_DOMAIN(d, op, reason, text)                                                                              \
    TRACE_TEXT_BY((d)->xen->machine, domain, trace_who((d)->domain_id, 0), text, strlen(text), op, reason)
#define TRACE_ABOUT(v, ev, ...)                                                                                        \
    TRACE((v)->domain->xen->machine, ev, (v)->domain->domain_id, (v)->vcpu_id, ##__VA_ARGS__)

/* --- the list of domains: vcpu/noun/domain_list.c --- */

/* Another reference to a domain that is there already. */
static inline void get_knownalive_domain(struct domain *d) { d->refcnt++; }
/* Give a reference back. The last one frees the domain, which must be dead (or a system domain). */
static inline void put_domain(struct domain *d)
{
    BUG_ON(d->refcnt == 0);
    if (!--d->refcnt)
        d->xen->hooks->domain_destroy(d);
}
/* Look up by number and take a reference; NULL when there is none. Dying domains are found, system domains are not. */
struct domain *get_domain_by_id(struct xen *xen, domid_t domid);
/* DOMID_XEN or DOMID_IO, with a reference. NULL: another number, or not made yet. */
struct domain *get_system_domain(struct xen *xen, domid_t domid);
/*
 * As get_domain_by_id() for what a guest names in a hypercall, DOMID_SELF or a number: Xen's
 * rcu_lock_domain_by_any_id(). NULL: -ESRCH.
 */
struct domain *get_domain_by_any_id(struct vcpu *v, domid_t domid);
/* The domain with the lowest number that is not below domid, without a reference; NULL: none. */
struct domain *domain_from(const struct xen *xen, domid_t domid);
/* By d's number, which must be free; for domain_create() and domain_destroy(). */
void domain_list_insert(struct domain *d);
void domain_list_remove(struct domain *d);

/* --- life of domains: vcpu/domain.c --- */

/*
 * DOMCTL createdomain's lower half: an empty, paused domain of a kind; guest and config NULL: a system domain. Its kind
 * does not make it privileged, nor the other way round. -errno on refusal.
 */
struct xen_domctl_createdomain;
int domain_create(struct xen *xen, domid_t domid, const struct guest_ops *guest,
                  const struct xen_domctl_createdomain *config, bool privileged, struct domain **out);
/* d is of this kind from now on: its row, and what is copied from there. NULL: a system domain. */
void domain_set_guest(struct domain *d, const struct guest_ops *guest);
/* Add vCPU `id` (must not exist). It starts down and uninitialised. */
int vcpu_create(struct domain *d, unsigned int id, struct vcpu **out);
/*
 * Destroy: preemptible (-ERESTART: call again). Complete when it returns 0; the struct stays while references remain.
 */
int domain_kill(struct domain *d);
/* xen->hooks: the last reference is gone. Frees d. */
void domain_destroy(struct domain *d);

/* --- how it stops: vcpu/shutdown.c --- */

/*
 * Tell dom0, or whom it put in charge (VIRQ_DOM_EXC), that something about d changed; it will look with getdomaininfo.
 */
void domain_notify(struct domain *d);
/* Stop running, record the reason, tell dom0 (VIRQ_DOM_EXC). reason: SHUTDOWN_*. */
void domain_shutdown(struct domain *d, int reason);
void domain_resume(struct domain *d);
/*
 * XEN_DOMCTL_soft_reset: d, which has shut down, is as if it had just been created, and paused, but for its number, its
 * memory and what others have granted to it. In Xen for HVM guests; here for native domains. -EINVAL: it has not shut
 * down. (xen/common/domain.c: domain_soft_reset().)
 */
int domain_soft_reset(struct domain *d);
/* v did what cannot be continued: why is printed, and its domain shut down. (Xen: domain_crash(current->domain).) */
void domain_crash(struct vcpu *v, const char *why, ...) __attribute__((format(printf, 2, 3)));
void vcpu_end_shutdown_deferral(struct vcpu *v);
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);

/* --- scheduling seen from below: vcpu/sched/wake.c --- */
static inline bool vcpu_runnable(const struct vcpu *v)
{
    return v->is_initialised && !v->pause_flags && !v->pause_count && !v->domain->pause_count &&
           !v->domain->controller_pause_count && (!v->domain->is_shutting_down || v->defer_shutdown) &&
           !v->domain->is_dying;
}
/* Something changed that may make v runnable. */
void vcpu_wake(struct vcpu *v);
/* v must not run any more (its pause_flags or counts were set). If it is running its pCPU is asked to reschedule. */
void vcpu_sleep_nosync(struct vcpu *v);
/* An event is pending for v: end SCHEDOP_block or SCHEDOP_poll. (Below vcpu/sched/: vcpu_kick().) */
void vcpu_unblock(struct vcpu *v);
/* An event was made pending (not masked): wake v up if it blocks; it takes the upcall when it next enters the guest. */
static inline void vcpu_kick(struct vcpu *v)
{
    if (v->pause_flags & (VPF_blocked | VPF_poll))
        v->domain->xen->hooks->vcpu_unblock(v);
}

/* --- hypercalls --- */
#define HYPERCALL_MAX_ARGS 6
/*
 * Arguments of a hypercall in order. A handler that must be continued later changes them to what is left and returns
 * -ERESTART; the dispatcher then arranges for the call to be made again (PV: rip back onto the syscall instruction).
 */
struct hypercall_args {
    uint64_t a[HYPERCALL_MAX_ARGS];
};
typedef long hypercall_fn(struct vcpu *v, struct hypercall_args *args);

/*
 * Native code has worked for ns: time passes, if that was in a step of its kernel. What it does outside of one (before
 * the machine runs, when it is switched off, in unit tests) takes no time, since there is no pCPU whose time it could
 * be.
 */
static inline void native_charge(struct vcpu *v, s_time_t ns)
{
    if (v->native.metered)
        v->domain->xen->machine->clock.now += ns;
}

/*
 * A hypercall made by native code as vCPU v (dom0's kernel and toolstack), continued until it is done. It costs what a
 * guest's does, its units of work, and the bytes that it copies.
 */
long hypercall_native(struct vcpu *v, unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
/* Once: -ERESTART: make it again, with what args have become; or as it was, as long as their first is not 0. */
long hypercall_native_once(struct vcpu *v, unsigned int nr, struct hypercall_args *args);

/*
 * True when the hypercall that v executes should be preempted: its share of work is used up. Call it once per unit of
 * work (a page, a batch entry). Deterministic: counts, does not look at a clock. Native callers are preempted too, and
 * pay for the units.
 */
static inline bool hypercall_preempt_check(struct vcpu *v)
{
    v->domain->xen->units++;
    return ++v->preempt_count > 512 && (v->preempt_count = 0, true);
}

#endif
