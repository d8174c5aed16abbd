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
    const char *mode, *root; /* "kernel", "user": of the guest, and whose page tables are loaded */
    struct cpu_state regs;   /* with the FPU's */
    uint64_t cr[8];          /* what the guest believes its control registers to be */
    unsigned int iopl;
};

struct look_pcpu {
    unsigned int cpu;
    bool online, idle;
    domid_t dom; /* who runs, if it is not idle */
    unsigned int vcpu;
    s_time_t now, idled; /* its own time, and how much of it nobody ran */
    const char *sched;   /* of its CPU pool, NULL: it is in none */
};

struct look_domain {
    domid_t dom;
    const char *name; /* NULL: none of the toolstack's */
    const char *type; /* "pv64", "pv32", "native" */
    char state[LOOK_TEXT];
    unsigned int vcpus;
    uint64_t pages, max_pages;
};

struct look_port {
    evtchn_port_t port;
    const char *state; /* "unbound", "interdomain", "pirq", "virq", "ipi" */
    char to[LOOK_TEXT];
    unsigned int vcpu; /* that is told */
    bool pending, masked;
};

struct look_grant {
    grant_ref_t ref;
    domid_t user;
    mfn_t mfn;
    bool readonly;
    unsigned int pins;
};

struct look_timer {
    s_time_t expires;
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

struct look_walk {
    bool found;
    uint64_t maddr; /* if found: machine address */
    unsigned int nr;
    struct {
        unsigned int level, index;
        mfn_t table;
        uint64_t entry;
    } step[4]; /* top down */
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
bool look_port(struct host *h, domid_t dom, unsigned int *n, struct look_port *p);
bool look_grant(struct host *h, domid_t dom, unsigned int *n, struct look_grant *g); /* in use, by others */
/* The n-th of all that are armed, in order of expiry, from 0. */
bool look_timer(struct host *h, unsigned int n, struct look_timer *t);
/* False: there is no such frame. */
bool look_frame(struct host *h, mfn_t mfn, struct look_frame *f);
/* The page walk of a vCPU's virtual address; false: no such vCPU, or it has no page tables. */
bool look_walk(struct host *h, domid_t dom, unsigned int vcpu, uint64_t va, struct look_walk *w);
/* Where in the machine's memory that is; false: nowhere. */
bool look_machine_address(struct host *h, domid_t dom, unsigned int vcpu, enum look_space space, uint64_t addr,
                          uint64_t *maddr);
/* Copy up to n bytes of memory; how many there were before the first that is not there. */
size_t look_read(struct host *h, domid_t dom, unsigned int vcpu, enum look_space space, uint64_t addr, void *buf,
                 size_t n);
/* One instruction of the vCPU at a virtual address, as text; its length, 0: there is none. */
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
