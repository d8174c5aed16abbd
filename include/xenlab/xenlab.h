// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libxenlab: a physical machine, a hypervisor with Xen's ABI, and dom0, in a program of yours.
 *
 * Concept: a machine is made from the words of a command line, those of `xenlab run` that are about the machine and its
 * guests (xenlab-run(1)), and from then on does nothing by itself. You let virtual time pass, look, and put things in:
 * hypercalls and exits in the name of a vCPU, registers, memory, events, keys, commands of xenlab-ctl(1). Domains need
 * no kernel: one that xenlab_domain_create() makes has memory and vCPUs, and does what you say.
 *
 *      struct xenlab *x = xenlab_create(0, NULL, NULL, err, sizeof(err));
 *      const struct xenlab_domain what = { .size = sizeof(what), .pages = 64 };
 *      const uint16_t d = xenlab_domain_create(x, &what);
 *      const uint64_t at = xenlab_page(x, d, 8);
 *
 *      xenlab_write(x, d, 0, at, &op, sizeof(op));
 *      xenlab_hypercall(x, d, 0, __HYPERVISOR_event_channel_op,
 *                       (const uint64_t[6]){ EVTCHNOP_alloc_unbound, at }, &ret);
 *      xenlab_destroy(x);
 *
 *      cc ... $(pkg-config --cflags --libs xenlab)
 *
 * A run is exact. It is a function of those words, of the files that they name, and of what you put in, in order: the
 * same makes the same run, in each process. So every position of it can be gone to again, back and forward:
 *
 *      begin                    here                         end
 *      |--------i------i---------|---------i------------------|      i: something was put in
 *                                 what is ahead is known, and comes again by itself
 *
 * Things are put in at the end alone. To do something else in the past, xenlab_forget() makes here the end.
 *
 * Functions that answer int answer 0, or a number that is not negative, or -1: then xenlab_error() says why, and
 * nothing has happened. An answer of the hypervisor's, such as -EINVAL, is no such failure: it is what a hypercall
 * returns. Strings are UTF-8, sizes bytes, times nanoseconds of virtual time, addresses and frame numbers the guest's
 * if nothing else is said. A NULL in place of a machine, or of what is to be read or written, is such a failure too:
 * -1, XENLAB_FAILED, or nothing; numbers of domains, vCPUs, frames and ports may be any.
 *
 * What may be relied upon: a program that was linked with libxenlab.so.0 runs with each later one of that name. Structs
 * that you hand over begin with their size, so that they can grow: set .size, and leave at 0 what you do not know.
 *
 * A machine is for one thread at a time; several machines may live in one process, each in a thread of its own. A
 * mistake of xenlab's own, an invariant of the hypervisor that does not hold, ends the process (SIGABRT), after saying
 * which one and where.
 */
#ifndef XENLAB_XENLAB_H
#define XENLAB_XENLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xenlab;

/* "0.1": of the library that is loaded. */
const char *xenlab_version(void);

/* --- a machine --- */

/* What it says. Each may be NULL; none may call a function of xenlab's. What is repeated in the past is not said. */
struct xenlab_io {
    size_t size; /* of this struct */
    void *data;  /* handed to each */
    /* What a guest writes to its console: len bytes, without a 0. */
    void (*console)(void *data, uint16_t domid, const char *text, size_t len);
    /* A line of the toolstack's, or of the hypervisor's, without its newline. */
    void (*message)(void *data, const char *line);
    /* A guest has ended: SHUTDOWN_* of Xen's sched.h, or -1: it was destroyed. */
    void (*ended)(void *data, uint16_t domid, int reason);
    /* What command `id` of xenlab_ctl() says; with its end, `text` is NULL and len its exit status. */
    void (*ctl)(void *data, int id, const char *text, size_t len);
};

/*
 * A machine, at the beginning of its run. words: options and guests as on the command line of `xenlab run`, such as
 * --ram, --pcpus, --sched, --seed, --audit, --fault TIME:WHAT, and kernels or xl.cfg files; without guests there is
 * dom0 alone. Options about anything outside of the machine (--record, --trace, --gdb, terminals, sockets) are refused,
 * and disks are never written. io: copied; or NULL. NULL: err (len bytes, at least 256 are of use) says why.
 */
struct xenlab *xenlab_create(int nr, const char *const words[], const struct xenlab_io *io, char *err, size_t len);
/* All of it. NULL is harmless. */
void xenlab_destroy(struct xenlab *x);

/* Of the last call that has answered -1. Valid until the next call. */
const char *xenlab_error(const struct xenlab *x);

/* --- domains without a kernel --- */

enum xenlab_type { XENLAB_PV, XENLAB_PV32, XENLAB_HVM };

struct xenlab_domain {
    size_t size;           /* of this struct */
    enum xenlab_type type; /* HVM: in long mode, with nested paging, guest-physical addresses equal to virtual ones */
    unsigned int vcpus;    /* 1 to 32; 0: 1. All but the first are down, until it brings them up */
    unsigned int pages;    /* of memory for you, 4 to 131072; 0: 64 */
    bool control;          /* it may make each hypercall, as dom0 may */
};

/*
 * A domain. Its number. It is paused: its vCPUs execute nothing, but what is put in is dealt with. Page i of its memory
 * is at address xenlab_page(x, domid, i). Page 0 of a PV domain has the hypercall page; vCPU 0 would begin at page 1,
 * where there is a jump to itself, in its kernel's mode, with the stack at the end of the last page. A PV domain has
 * start info (RSI), shared info and page tables as its kernel would find them.
 */
int xenlab_domain_create(struct xenlab *x, const struct xenlab_domain *what);
uint64_t xenlab_page(const struct xenlab *x, uint16_t domid, unsigned int i);
/* Its vCPUs run when virtual time passes; or no more. Each of the first takes back one of the second. */
int xenlab_domain_unpause(struct xenlab *x, uint16_t domid);
int xenlab_domain_pause(struct xenlab *x, uint16_t domid);
/* It is gone when those who map its memory have let go of it. */
int xenlab_domain_destroy(struct xenlab *x, uint16_t domid);

/* --- what is put in: vCPUs of domains without a kernel, and of guests --- */

/*
 * The vCPU makes a hypercall, as its kernel: __HYPERVISOR_* of Xen's headers, arguments in order, addresses the
 * guest's. Calls that are preempted are made until they are done. It has then what the hypervisor answered, in RAX, and
 * so has *ret (or NULL); its other registers are as before, if the call is not about them. Virtual time passes as for a
 * guest's call. -1: there is no such vCPU, it is down, it is in user mode.
 */
int xenlab_hypercall(struct xenlab *x, uint16_t domid, unsigned int vcpu, unsigned int nr, const uint64_t args[6],
                     int64_t *ret);

/*
 * Why a vCPU leaves the processor: AMD's APM volume 2, 15.9 to 15.14, has the intercepts of HVM guests. A PV guest's
 * kernel is deprivileged, so that it comes out with what it may not do. What the processor would not say is read from
 * memory at RIP: put the instruction there.
 */
enum xenlab_exit_kind {
    XENLAB_EXIT_EXCEPTION, /* vector, error_code; #PF: addr */
    XENLAB_EXIT_SOFTINT,   /* PV: INT n: vector; RIP is behind the instruction, insn_len before that */
    XENLAB_EXIT_SYSCALL,   /* PV: RIP is behind it */
    XENLAB_EXIT_VMMCALL,   /* HVM */
    XENLAB_EXIT_IO,        /* port, bytes (1, 2, 4), in, string */
    XENLAB_EXIT_RDMSR,
    XENLAB_EXIT_WRMSR,
    XENLAB_EXIT_CPUID,
    XENLAB_EXIT_RDTSC,
    XENLAB_EXIT_CR_READ, /* HVM, as those below: cr */
    XENLAB_EXIT_CR_WRITE,
    XENLAB_EXIT_DR_READ,
    XENLAB_EXIT_DR_WRITE,
    XENLAB_EXIT_NPF, /* HVM: nested page fault: addr is guest-physical; error_code as of #PF */
    XENLAB_EXIT_HLT,
    XENLAB_EXIT_PAUSE,
    XENLAB_EXIT_SHUTDOWN, /* a triple fault */
    XENLAB_EXIT_KINDS
};

struct xenlab_exit {
    size_t size; /* of this struct */
    enum xenlab_exit_kind kind;
    unsigned int insn_len; /* of the instruction; 0: not known */
    unsigned int vector;
    uint32_t error_code;
    uint16_t port;
    uint8_t bytes;
    bool in, string;
    uint8_t cr;
    uint64_t addr;
};

/* It comes out so, and the hypervisor deals with it. -1: as above; or its processor knows no such exit. */
int xenlab_exit(struct xenlab *x, uint16_t domid, unsigned int vcpu, const struct xenlab_exit *why);

/*
 * Memory at a virtual address, in the page tables that the vCPU is on. Reading: how many of n bytes there were before
 * one that is not mapped. Writing: -1 where it is not mapped, or a page table, or the hypervisor's.
 */
size_t xenlab_read(struct xenlab *x, uint16_t domid, unsigned int vcpu, uint64_t addr, void *buf, size_t n);
int xenlab_write(struct xenlab *x, uint16_t domid, unsigned int vcpu, uint64_t addr, const void *buf, size_t n);
/* The same at a guest-physical address (PV: pfn and offset). */
size_t xenlab_read_physical(struct xenlab *x, uint16_t domid, uint64_t addr, void *buf, size_t n);
/* The machine's frame behind a virtual address; UINT64_MAX: none. A PV guest knows its memory by these. */
uint64_t xenlab_mfn(struct xenlab *x, uint16_t domid, unsigned int vcpu, uint64_t addr);

/* "rax" to "r15", "rip", "rflags", "fs_base", "gs_base". Read only: "cr0", "cr2", "cr3", "cr4", "cpl". */
int xenlab_register(struct xenlab *x, uint16_t domid, unsigned int vcpu, const char *name, uint64_t *value);
int xenlab_register_set(struct xenlab *x, uint16_t domid, unsigned int vcpu, const char *name, uint64_t value);

/* A guest's kernel gets an exception; an event at a port of its. */
int xenlab_trap(struct xenlab *x, uint16_t domid, unsigned int vcpu, unsigned int vector, uint32_t error_code,
                uint64_t addr);
int xenlab_event(struct xenlab *x, uint16_t domid, unsigned int vcpu, uint32_t port);
/* Keys for the console of a guest, len bytes. -1: it has no room for so many now. */
int xenlab_type(struct xenlab *x, uint16_t domid, const char *text, size_t len);
/*
 * A command of xenlab-ctl(1) that changes something: { "mem-set", "web", "64" }. dom0 carries it out as time passes.
 * Its id.
 */
int xenlab_ctl(struct xenlab *x, int nr, const char *const words[]);

/* --- time --- */

/* Before instruction `insns` of the run (all guests' count), and behind so many steps of the hypervisor. */
struct xenlab_position {
    uint64_t insns, step;
};
struct xenlab_position xenlab_position(const struct xenlab *x);
int xenlab_position_compare(struct xenlab_position a, struct xenlab_position b); /* <0, 0, >0 */
/* The first position that can be gone to, and the end of what is known. */
struct xenlab_position xenlab_begin(const struct xenlab *x);
struct xenlab_position xenlab_end(const struct xenlab *x);
uint64_t xenlab_now(const struct xenlab *x);

enum xenlab_why {
    XENLAB_UNTIL,  /* the time, or the position, is reached */
    XENLAB_IDLE,   /* nobody runs, and no timer is armed: only what is put in can go on */
    XENLAB_OVER,   /* no guest is left, of those that the machine was made with */
    XENLAB_FAILED, /* xenlab_error() says why: this run differs from itself, a mistake of xenlab's */
};
/* On, until a time; to a position, or the next that there is; one step, of the hypervisor or up to its next one. */
enum xenlab_why xenlab_run(struct xenlab *x, uint64_t until);
enum xenlab_why xenlab_run_to(struct xenlab *x, struct xenlab_position at);
enum xenlab_why xenlab_step(struct xenlab *x);

/* Anywhere between begin and end; to a position that is none, to the next one. */
int xenlab_goto(struct xenlab *x, struct xenlab_position at);
/* What is ahead is forgotten: here is the end. */
void xenlab_forget(struct xenlab *x);
/* To come here again is quick. (There are checkpoints every ten million instructions anyway.) */
void xenlab_checkpoint(struct xenlab *x);
/* Of all that is the machine's state, equal in each process that has come to the same position of the same run. */
uint64_t xenlab_hash(struct xenlab *x);

/* --- looking, which changes nothing --- */

struct xenlab_domain_info {
    size_t size; /* of this struct, as you know it */
    uint16_t domid;
    char type[8];  /* "pv64", "pv32", "pvh", "hvm"; dom0: "native" */
    char name[64]; /* its configuration's; "": it has none */
    unsigned int vcpus;
    uint64_t pages, max_pages;
    bool paused, dying, shut_down;
    unsigned int reason; /* shut_down: SHUTDOWN_* */
};
/* The next domain, with a number of at least *n, which is then its own. 1, or 0: there are no more. */
int xenlab_domain_next(struct xenlab *x, unsigned int *n, struct xenlab_domain_info *info);

struct xenlab_vcpu_info {
    size_t size;
    char state[12]; /* "running", "runnable", "blocked", "offline" */
    unsigned int pcpu;
    uint64_t ran; /* virtual time that it has had of a pCPU */
};
int xenlab_vcpu_look(struct xenlab *x, uint16_t domid, unsigned int vcpu, struct xenlab_vcpu_info *info);

struct xenlab_port_info {
    size_t size;
    uint32_t port;
    char state[12];       /* "unbound", "interdomain", "pirq", "virq", "ipi" */
    uint16_t remote;      /* interdomain: whose the other end is */
    uint32_t remote_port; /* and which */
    unsigned int vcpu;    /* who is told */
    bool pending, masked;
};
/* The next port that is not free; as above. */
int xenlab_port_next(struct xenlab *x, uint16_t domid, unsigned int *n, struct xenlab_port_info *info);

struct xenlab_grant_info {
    size_t size;
    uint32_t ref;
    char state[12]; /* "in use", "offered", "transfer", "transitive", "withdrawn": in use, and offered no more */
    uint16_t to;
    bool readonly;
    uint64_t mfn;      /* in use: the frame; else UINT64_MAX */
    unsigned int pins; /* how often it is mapped, or being copied */
};
/* The next grant that is offered, or in use; as above. */
int xenlab_grant_next(struct xenlab *x, uint16_t domid, unsigned int *n, struct xenlab_grant_info *info);

struct xenlab_frame_info {
    size_t size;
    bool free;
    uint16_t owner;                  /* 0x7ff4 (DOMID_INVALID): nobody's */
    char type[16];                   /* as Xen's PGT_*: "none", "l1".."l4", "seg_desc", "writable", "shared" */
    uint64_t type_count, count, gfn; /* gfn: what its owner calls it; UINT64_MAX: nothing */
    bool pinned, validated;
};
int xenlab_frame_look(struct xenlab *x, uint64_t mfn, struct xenlab_frame_info *info);

/* How often: by the name that `xenlab run --stats` has for an exit or a hypercall. 0 for what is unknown. */
uint64_t xenlab_count(struct xenlab *x, const char *name);
/* Do the hypervisor's books agree: reference and type counts, owners, mappings? -1: xenlab_error() names the first. */
int xenlab_audit(struct xenlab *x);

#ifdef __cplusplus
}
#endif

#endif
