// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking into a machine that stands still, by value.
 *
 * Concept: a debugger shows what a vCPU, a domain, a frame, a port is, and what memory holds, by the names of those who
 * use it: a guest's virtual address, its frame numbers, the machine's. Each answer here is a copy, and looking changes
 * nothing: no A bit, no cache of the processor, no counter. What it looks like on a screen is for ui/.
 */
#ifndef TOOLS_DEBUG_LOOK_H
#define TOOLS_DEBUG_LOOK_H

#include "tools/host.h"
#include "vcpu/noun/work.h"

#define LOOK_TEXT 64

struct look_vcpu {
    domid_t dom;
    unsigned int vcpu;
    bool native;
    const char *state;   /* "running", "runnable", "blocked", "offline" */
    char why[LOOK_TEXT]; /* why it does not run, in words; or empty */
    s_time_t since;      /* it is in that state, virtual time */
    s_time_t ran;        /* all in all */
    unsigned int cpu;
    bool on_cpu;
    uint64_t insns_at; /* the last instruction that it has executed ended there (struct position); 0: none */
    /* Of those with a processor: */
    const char *mode;      /* "kernel", "user"; an HVM guest's ring: "hvm0" to "hvm3" */
    const char *root;      /* whose page tables are loaded: "kernel", "user"; an HVM guest's "own" */
    const char *works;     /* how the processor does, in words: "real mode", "32-bit, PAE"; of a PV guest NULL */
    uint64_t pc;           /* the linear address of the instruction that is next: RIP and the base of CS */
    struct cpu_state regs; /* with the FPU's */
    uint64_t cr[8];        /* what the guest believes its control registers to be */
    unsigned int iopl;
};

struct look_pcpu {
    unsigned int cpu;
    bool online, idle;
    domid_t dom; /* who runs, if it is not idle */
    unsigned int vcpu;
    s_time_t now, idled; /* its own time up to now, and how much of it nobody ran */
    const char *sched;   /* of its CPU pool, NULL: it is in none */
};

struct look_domain {
    domid_t dom;
    const char *name; /* NULL: none of the toolstack's */
    const char *type; /* "pv64", "pv32", "native" */
    char state[LOOK_TEXT];
    unsigned int vcpus;
    uint64_t pages, max_pages;
    bool works; /* guest code of its does: then the virtual time of that, by CPL, and Xen's on its behalf */
    s_time_t in_ring[4], in_kernel /* PV64: of in_ring[3] */, in_xen;
    uint64_t restarts; /* of a driver domain, in place, and when last */
    s_time_t restarted;
};

/* What becomes of a port's event. */
enum look_told {
    LOOK_TOLD_NOTHING,       /* there is none, or dom0's code has been called with it */
    LOOK_TOLD_SOON,          /* its vCPU gets an upcall when it next runs */
    LOOK_TOLD_MASKED,        /* nobody is told as long as the port is masked */
    LOOK_TOLD_UPCALL_MASKED, /* nor while the vCPU's evtchn_upcall_mask is set */
    LOOK_TOLD_NOTED          /* the upcall has been taken note of: it is the guest's to find the port, or it is lost */
};

struct look_port {
    evtchn_port_t port;
    const char *state; /* "unbound", "interdomain", "pirq", "virq", "ipi" */
    char to[LOOK_TEXT];
    domid_t peer;            /* whose the other end is, or may be; DOMID_INVALID: nobody's */
    evtchn_port_t peer_port; /* 0: not bound */
    unsigned int vcpu;       /* that is told */
    bool pending, masked;
    enum look_told told;
};

struct look_sched {
    const char *policy; /* "credit2" */
    unsigned int pool;
    int queue;   /* -1: it belongs to none */
    bool queued; /* it waits there, */
    int64_t key; /* the smallest first, then */
    uint64_t seq;
    bool has_credit;
    s_time_t credit;
    unsigned int weight, cap; /* 0: none */
    char text[LOOK_TEXT];
};

/* An entry of a grant table: what its domain has written there, and what use is made of it. */
struct look_grant {
    grant_ref_t ref;
    const char *state; /* "in use", "offered", "transfer", "transitive"; "withdrawn": in use, and offered no more */
    domid_t user;      /* for whom it is */
    uint64_t frame;    /* as the domain has written it: of a PV guest an mfn; UINT64_MAX: another domain's */
    bool readonly;
    mfn_t mfn; /* in use: the frame, INVALID_MFN: it is not */
    unsigned int pins;
};

/* A shared ring. */
struct look_ring {
    domid_t back, front;
    evtchn_port_t port;        /* the back end's */
    const char *device, *name; /* "console", "out" */
    bool from_front;           /* the front end produces */
    uint32_t prod, cons, size; /* bytes, or slots */
    bool has_event;
    uint32_t event;
    uint64_t sent, saved; /* notifications that the back end has sent, and has not needed to send */
    char letter[512 + 1]; /* one a slot: '.' free, 'R'equested, 'T'aken, 'D'one, 'A'nswered; "": these are bytes */
    s_time_t full_since;  /* all slots are in use; 0: no */
    uint64_t lost;        /* what had no room, and did not wait for it either */
};

struct look_timer {
    s_time_t expires;
    unsigned int kind; /* TIMER_SINGLESHOT... (sim/clock.h) */
    const char *label; /* "singleshot", "sched"... */
    domid_t dom;       /* whose, DOMID_INVALID: nobody's */
    unsigned int vcpu;
    char what[LOOK_TEXT];
};

struct look_frame {
    mfn_t mfn;
    bool free;
    domid_t owner; /* DOMID_INVALID: nobody's */
    const char *type;
    uint64_t type_count, count, gfn; /* gfn: what its owner calls it; UINT64_MAX: nothing */
    bool pinned, validated, xen_heap;
};

/* What a frame is used for; what hides what in a picture of many, from the last to the first. */
enum look_frame_kind {
    LOOK_FRAME_FREE,
    LOOK_FRAME_XEN, /* the hypervisor's own */
    LOOK_FRAME_NONE,
    LOOK_FRAME_WRITABLE,
    LOOK_FRAME_SHARED,
    LOOK_FRAME_SEG_DESC,
    LOOK_FRAME_L1,
    LOOK_FRAME_L2,
    LOOK_FRAME_L3,
    LOOK_FRAME_L4,
    LOOK_FRAME_KINDS
};

struct look_frame_cell {
    domid_t owner; /* DOMID_INVALID: nobody's */
    uint8_t kind;
};

#define LOOK_FRAME_CELLS 4096

/* All frames. */
struct look_frames {
    uint64_t frames;
    size_t nr;
    struct look_frames_of {
        domid_t owner;
        uint8_t kind;
        uint64_t frames, pinned;
        mfn_t first;
    } * of;          /* those of one owner and kind */
    size_t nr_cells; /* ranges of frames, equal in size: the kind that hides the others of the range */
    struct look_frame_cell cell[LOOK_FRAME_CELLS];
};

struct look_walk {
    bool found;
    uint64_t maddr; /* if found: machine address */
    /* An HVM guest's tables are in its own numbering: an entry's frame there is frame_mfn in the machine. */
    bool is_hvm, npf; /* npf: its tables say gpa, of which the nested ones know nothing */
    uint64_t gpa;     /* if found, or npf */
    unsigned int nr;
    struct look_walk_step {
        unsigned int level, index;
        mfn_t table;
        uint64_t entry;
        uint64_t frame_gfn; /* of HVM: what the entry points to */
        mfn_t frame_mfn;    /* INVALID_MFN: to nothing */
    } step[4];              /* top down */
};

/* Whose address it is, and of what kind. */
enum look_space { LOOK_VIRTUAL, LOOK_PHYSICAL, LOOK_MACHINE };

/* "107.947us", "2.654795ms", "3.012614921s". */
void look_time(s_time_t t, char text[LOOK_TEXT]);
#define LOOK_SYMBOL 96
/* " <name+0x12>", what an address of a domain falls on; or nothing. */
void look_symbol(struct host *h, domid_t dom, uint64_t addr, char text[LOOK_SYMBOL]);
/* False: there is no such vCPU. */
bool look_vcpu(struct host *h, domid_t dom, unsigned int vcpu, struct look_vcpu *v);
/* False: there is no such pCPU. */
bool look_pcpu(struct host *h, unsigned int cpu, struct look_pcpu *p);
/*
 * The next one: with a number of at least n (an index, a port, a reference), which is then where it was found. False:
 * there are no more, or no such domain.
 */
bool look_domain(struct host *h, unsigned int *n, struct look_domain *d);
/* What each domain with guest code has had of the processor and of memory's virtualization: vcpu/noun/work.h. */
bool look_work(struct host *h, unsigned int *n, struct domain_work *w);
bool look_port(struct host *h, domid_t dom, unsigned int *n, struct look_port *p);
bool look_grant(struct host *h, domid_t dom, unsigned int *n, struct look_grant *g); /* offered, or in use */
/* All that are armed, in order of expiry; for free(). *nr 0: there are none, or there is no memory. */
struct look_timer *look_timers(struct host *h, size_t *nr);
/* All shared rings, for free(). *nr 0: there are none, or there is no memory. */
struct look_ring *look_rings(struct host *h, size_t *nr);
/* What its scheduler knows of a vCPU. False: there is no such vCPU. */
bool look_sched(struct host *h, domid_t dom, unsigned int vcpu, struct look_sched *s);
/* False: there is no such frame. */
bool look_frame(struct host *h, mfn_t mfn, struct look_frame *f);
/* All of them, in one pass. NULL: no memory. */
struct look_frames *look_frames(struct host *h);
void look_frames_free(struct look_frames *f);
/* "free", "xen", "writable", "l4"... */
const char *look_frame_kind(unsigned int kind);
/* The page walk of a vCPU's virtual address; false: no such vCPU, or it has no page tables. */
bool look_walk(struct host *h, domid_t dom, unsigned int vcpu, uint64_t va, struct look_walk *w);
/* Where in the machine's memory that is; false: nowhere. */
bool look_machine_address(struct host *h, domid_t dom, unsigned int vcpu, enum look_space space, uint64_t addr,
                          uint64_t *maddr);
/* Copy up to n bytes of memory; how many there were before the first that is not there. */
size_t look_read(struct host *h, domid_t dom, unsigned int vcpu, enum look_space space, uint64_t addr, void *buf,
                 size_t n);
/* One instruction of the vCPU at a virtual (linear) address, as text; its length, 0: there is none. */
unsigned int look_insn(struct host *h, domid_t dom, unsigned int vcpu, uint64_t va, char text[96]);

/*
 * A hash of the machine at its position that is the same in each process that has come there: RAM, the clock, the
 * position, all vCPUs' registers; and of the hypervisor's structures the domains, vCPUs, ports, grants, frames and
 * timers, without pointers (tools/debug/look_hash.c).
 */
uint64_t look_hash(struct host *h);
/* Of the clock, the position and the registers alone: cheap. */
uint64_t look_hash_cpus(struct host *h);

#endif
