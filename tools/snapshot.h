// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is to be seen of a machine, by value.
 *
 * Concept: who shows something (ui/) neither holds nor walks the hypervisor's structures, which change under its hands
 * and could be changed by them. It gets copies: numbers, names, bytes. They are made between two steps of the machine,
 * here and nowhere else, and making them changes nothing. (But for one thing: a crash's stack is read as the guest
 * itself would read it, so that its page table's A bits are set.) What they mean is for the reader: addresses become
 * symbols, and bytes code, in ui/.
 */
#ifndef TOOLS_SNAPSHOT_H
#define TOOLS_SNAPSHOT_H

#include "sim/fills.h"
#include "sim/pcpu.h"
#include "sim/types.h"
#include "vcpu/noun/work.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/xen.h>

struct xen;
struct vcpu;

#define SNAPSHOT_MAX_COUNTS  64
#define SNAPSHOT_MAX_DOMAINS 48

/* How often something happened; name is a constant. */
struct snapshot_count {
    const char *name;
    uint64_t n;
};

/* A vCPU that could run. */
struct snapshot_vcpu {
    domid_t domid;
    unsigned int vcpu;
    const char *sched; /* its scheduler, as --sched knows it */
};

struct snapshot {
    s_time_t now; /* virtual time */
    uint64_t insns, emulated, ptwr, switches, decisions;
    unsigned int nr_exits, nr_hypercalls;
    struct snapshot_count exits[SNAPSHOT_MAX_COUNTS], hypercalls[SNAPSHOT_MAX_COUNTS];
    uint64_t exceptions[32]; /* by vector */
    unsigned int nr_domains; /* by number; those that are gone, too */
    struct domain_work domains[SNAPSHOT_MAX_DOMAINS];
    struct machine_fills direct, nested;
    bool anybody_waits;
    struct snapshot_vcpu waiting; /* if so: the first that is runnable */
};

/* The virtual time that guests have taken up since the start: all of it but what they slept through. */
s_time_t snapshot_busy(const struct xen *xen);
void snapshot_take(const struct xen *xen, struct snapshot *s);

/* The machine as the toolstack is told of it. */
struct snapshot_machine {
    unsigned int nr_pcpus; /* online */
    uint32_t cpu_khz;
    uint64_t total_pages, free_pages;
    const char *sched; /* of the pool that dom0 lives in */
    uint32_t version;  /* XENVER_version, */
    const char *extra; /* and XENVER_extraversion */
};

struct snapshot_domain_vcpu {
    bool online, running, blocked;
    unsigned int cpu;
    s_time_t time;       /* that it has run */
    uint64_t hard, soft; /* a bit a pCPU */
};

void snapshot_machine(const struct xen *xen, struct snapshot_machine *s);
/* The scheduler of a pool, and its own parameters if it is credit or credit2. NULL: there is no such pool. */
const char *snapshot_scheduler(struct xen *xen, uint32_t pool, struct xen_sysctl_scheduler_op *op);
/* What rtds gives a vCPU; -1: a new one. False: the domain is not under rtds, or there is no such vCPU. */
bool snapshot_rtds(const struct xen *xen, domid_t domid, int vcpu, struct xen_domctl_sched_rtds *p);
/* The next domain, with a number of at least *n, which is its then. False: there are no more. */
bool snapshot_domain(const struct xen *xen, unsigned int *n, struct xen_domctl_getdomaininfo *info);
/* False: there is no such vCPU. */
bool snapshot_domain_vcpu(const struct xen *xen, domid_t domid, unsigned int vcpu, struct snapshot_domain_vcpu *s);
/* The hypervisor's messages since they were last cleared, at most size bytes; how many. */
size_t snapshot_dmesg(const struct xen *xen, char *buf, size_t size);

#define CRASH_CODE_BEFORE 1024 /* bytes of code before RIP, at most */
#define CRASH_CODE_AFTER  24
#define CRASH_STACK_WORDS 16
#define CRASH_FRAMES      23

/* Where a domain was when it crashed, and how it came there. */
struct crash_report {
    domid_t domid;
    unsigned int vcpu;
    const char *why; /* good for the call that brings the report */
    bool is_native;  /* then nothing of what follows is filled in */
    bool is_32bit, kernel_mode;
    struct cpu_state regs;
    mfn_t root, user_root; /* of page tables; user_root: INVALID_MFN if there is none */
    bool has_cr2;
    uint64_t cr2; /* what the guest was told */
    /* code[CRASH_CODE_BEFORE] is the byte at RIP; so many before it and from it on could be read */
    unsigned int nr_before, nr_after;
    uint8_t code[CRASH_CODE_BEFORE + CRASH_CODE_AFTER];
    unsigned int nr_words, nr_frames;
    uint64_t stack[CRASH_STACK_WORDS]; /* from RSP on */
    uint64_t frames[CRASH_FRAMES];     /* return addresses by frame pointers, innermost first */
};

void crash_report_make(struct vcpu *v, const char *why, struct crash_report *r);

#endif
