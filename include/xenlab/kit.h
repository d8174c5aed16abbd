// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kits: algorithms of a hypervisor, tried apart from it.
 *
 * Concept: a hypervisor, and the tools around it, decide the same few things over and over: who gets how much memory,
 * which pages are sent next, who runs where. A kit is a model of the rest of the machine around one such decision. It
 * tells facts, gets decisions, and measures what came of them (docs/kits.md). The algorithm is yours: one C file, which
 * becomes a shared object and exports one table.
 *
 *      #include "xenlab/kit.h"
 *
 *      static void tick(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target)
 *      { ... }
 *
 *      const struct memctl_ops xenlab_memctl_ops = {
 *          .k = { XENLAB_KIT_ABI, sizeof(struct memctl_ops), "mine", init },
 *          .tick = tick,
 *      };
 *
 *      cc -shared -fPIC -Iinclude -o even.so docs/examples/kit/even.c
 *      xenlab kit memctl --policy ./even.so --workload docs/examples/kit/phases.txt
 *
 * It runs in a process of its own, in a sandbox, and is asked one question after the other. What it is given is all
 * that it sees: copies, without a pointer to anything of the model's, and nothing of what is still to come. What is
 * pointed to is valid during the call. Functions are called one at a time (but for evtchn's: there a call stands still
 * while another goes on). Time is the model's; the host's clock tells nothing.
 *
 * Invariants: the same facts and the same seed are to give the same decisions. A table's `size` is that of the struct
 * that it was compiled with: the table of an older header is not loaded.
 *
 * Budget: 500 lines, since one header is what a project of yours includes.
 */
#ifndef XENLAB_KIT_H
#define XENLAB_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XENLAB_KIT_ABI 1

/* What all tables begin with. */
struct kit {
    uint32_t abi;     /* XENLAB_KIT_ABI */
    uint32_t size;    /* of the whole table */
    const char *name; /* of the algorithm, for reports; at most 63 characters */
    /*
     * Called once, before all else. What it returns is handed to every other function as `state`; NULL, or no function
     * here, is a state as well. `seed` is where random numbers may begin: it is another one with --seed.
     */
    void *(*init)(uint64_t seed);
};

/* --- memctl: how much memory each VM has --- */

/*
 * One host's memory is shared by VMs. Each VM has a balloon driver: told a target, it gives memory back to the host, or
 * takes some, a little each second. In Xen the target is memory/target in xenstore, written by `xl mem-set`, or by a
 * memory coordinator in dom0, which is what tick() is. (C. Waldspurger, "Memory Resource Management in VMware ESX
 * Server", OSDI 2002, is where balloons come from.)
 *
 * All sizes are MiB. "The last second" is what was measured since the tick before.
 */

/* What is known of a VM. */
struct vm_mem {
    uint64_t have;   /* memory that it has now */
    uint64_t floor;  /* what its kernel cannot do without: it should never have less */
    uint64_t max;    /* static-max: it cannot have more */
    uint64_t unused; /* of `have`, what nothing in the VM has used in the last second; 0: it may want any amount more */
    uint64_t in;     /* read back from its swap device in the last second: it was used, and was not there */
    uint64_t out;    /* written to its swap device in the last second, for want of memory */
};

/* And of the host. */
struct mem_host {
    uint64_t now;     /* seconds since the beginning: 1 at the first tick */
    uint64_t total;   /* what VMs have, and what is free */
    uint64_t free;    /* what no VM has */
    uint64_t reserve; /* of that, what dom0 needs for itself: not to be given to VMs */
    uint64_t rate;    /* what a balloon gives or takes in a second, at most */
};

struct memctl_ops {
    struct kit k;
    /*
     * Once a second. vm[0..n-1] are always the same VMs in the same order. target[i] is what VM i is to have, and
     * holds what was said of it last (at first: what it has). Leave it, or write another. More than max is a mistake,
     * and ends the run. Less than floor is carried out. What VMs take, others need to have given: in a second all
     * balloons first give; then they take, in order, as long as the host has anything free, its reserve included.
     */
    void (*tick)(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target);
};

/* --- precopy: a VM goes to another host while it runs --- */

/*
 * A VM's memory is sent over a link while the VM runs, and stores. The hypervisor keeps a dirty bitmap: a page's bit is
 * set whenever the VM stores to the page. In round 1 all pages are to be sent, in each other round those that have been
 * stored to since the one before began, and those that it has left out. At some time the VM is paused, and what is
 * missing is sent while it stands still: that is its downtime.
 *
 *      look | stop()? | round 1 | look | stop()? | round 2 | ... | look | stop()! pause | look | last round
 *                                                                                       <--- downtime --->
 *
 * In a round, order() says which pages are sent next, again and again. (C. Clark et al., "Live Migration of Virtual
 * Machines", NSDI 2005, sections 3.3 and 4: writable working sets, and pages that are skipped. In Xen it is
 * tools/libs/guest/xg_sr_save.c that decides, and docs/specs/libxc-migration-stream.pandoc what is on the link.)
 *
 * A page is a gfn, from 0; in a bitmap it is bit gfn % 64 of word gfn / 64, and bits of no page are 0. Times are ns.
 */

/* What is known when something is asked. Before each call the dirty bitmap is looked at, until the VM is paused. */
struct precopy_now {
    uint64_t now;    /* since the beginning */
    uint64_t pages;  /* that the VM has: gfns are less */
    uint64_t page;   /* how long the link takes for one */
    uint64_t look;   /* and how long a look takes: the VM runs meanwhile */
    uint64_t round;  /* stop(): how many are over, at first 0; order(): which one it is, from 1 */
    uint64_t paused; /* 1: the VM is, this is the last round; else 0 */
    uint64_t began;  /* when the round began (stop(): the one that is over) */
    uint64_t sent;   /* pages that were sent in that round so far */
    uint64_t all;    /* and in all rounds */
    uint64_t todo;   /* pages that this round has still to send (stop(): that it has left out) */
    uint64_t again;  /* pages that were stored to since it began */
    uint64_t left;   /* pages that are either or both: a round that began now would have to send so many */
};

struct precopy_ops {
    struct kit k;
    /* Before each round: is the VM to be paused now? Then that round is the last. Before the first, nothing is sent. */
    bool (*stop)(void *state, const struct precopy_now *now);
    /*
     * What is to be sent next: gfn[0..n-1], in this order, n at most `max`; returns n. Each must be in `todo`, which
     * has what this round is still to send, and no page twice: else it is a mistake, and ends the run. `again` has what
     * the VM has stored to since the round began: such a page has to be sent once more anyway, and may be left to the
     * next round. Asked until `todo` is empty, or it returns 0: then the round is over. What the last one has left out
     * is lost.
     */
    size_t (*order)(void *state, const struct precopy_now *now, const uint64_t *todo, const uint64_t *again,
                    uint64_t *gfn, size_t max);
};

/* --- balance: on which pCPU each vCPU runs --- */

/*
 * Each pCPU has a run queue, and each vCPU is in one of them: there it runs in turn with the others, 1 ms at a time,
 * when it has work. A pCPU with nothing to run is idle, even while vCPUs wait elsewhere: to move one is what tick() is
 * for. That is not free. A vCPU that was moved runs for a while without getting on, until the cache has its data; and
 * on another node its memory is remote, for as long as it is there. (In Xen, credit2 balances its run queues itself,
 * xen/common/sched/credit2.c; a daemon in dom0 does by XEN_DOMCTL_getvcpuinfo and _setvcpuaffinity, as `xl vcpu-pin`.)
 *
 * Times are ns. "The last tick" is what was measured since the tick before.
 */

/* What is known of the host. */
struct balance_host {
    uint64_t now;    /* since the beginning */
    uint64_t tick;   /* from one tick to the next */
    uint64_t pcpus;  /* numbered from 0; at most 64 */
    uint64_t nodes;  /* of as many pCPUs each: pCPU p is of node p / (pcpus / nodes) */
    uint64_t cold;   /* what a move costs the vCPU, of its own running time, */
    uint64_t far;    /* and one to another node */
    uint64_t remote; /* percent: what takes 100 on the node of its memory takes 100 + remote on others */
};

/* And of a vCPU. Others than how it runs tells nobody how much it would like to: used + waited is when it had work. */
struct vcpu_load {
    uint64_t used;   /* ran so long in the last tick */
    uint64_t waited; /* had work so long, and did not run */
    uint64_t still;  /* since when it is where it is: since it was moved last, or the beginning */
    uint64_t node;   /* where its memory is: the node where it began */
    uint64_t vm;     /* whose it is: vCPUs of one VM have the same number, and lie side by side */
};

struct balance_ops {
    struct kit k;
    /*
     * Behind each tick but the last. load[0..n-1] are always the same vCPUs in the same order; n is at most 256.
     * pcpu[i] is where vCPU i is; leave it, or write another, to which it is moved at once, to the end of the queue.
     * One that there is not is a mistake, and ends the run.
     */
    void (*tick)(void *state, const struct balance_host *host, const struct vcpu_load *load, size_t n, uint8_t *pcpu);
};

/* --- reclaim: which page leaves memory --- */

/*
 * A domain has more pages than the host has frames for it. The others are on a disk; a page that the domain touches,
 * and that is not in memory, is a fault: it comes in, and if all frames are taken another one, the victim, goes out
 * before. The disk keeps what it has, so only a dirty victim is written: one that was stored to since it came in.
 *
 *      touch --> in memory? --yes--> its A bit is set; by a store, D as well
 *                    | no
 *                fault: no frame free? --> victim()!, dirty? write it --> read the page, if the disk has it; else zeros
 *
 * (In Xen: XENMEM_paging_op_nominate, _evict and _prep in xen/include/public/memory.h, asked by a pager in dom0, which
 * is what this is. The A and D bits are those of EPT entries, Intel SDM volume 3, "Accessed and Dirty Flags for EPT".)
 *
 * A page is a gfn, from 0. Times are ns that the domain has run: while it waits for the disk its time stands still, so
 * each algorithm sees the same touches at the same times.
 */

/* What is known when something is told or asked. */
struct reclaim_now {
    uint64_t now;      /* since the beginning */
    uint64_t pages;    /* that the domain has: gfns are less */
    uint64_t frames;   /* pages that may be in memory; at the first victim(), and ever after, so many are */
    uint64_t resident; /* pages that are */
    uint64_t read;     /* how long the disk takes to read a page, */
    uint64_t write;    /* and to write one */
    uint64_t wanted;   /* victim(): the page that comes in when the victim is gone; scan(): 0 */
    uint64_t store;    /* victim(): 1: wanted is about to be stored to, 0: read; scan(): 0 */
    /*
     * victim(): how many victims there have been since wanted was one, itself among them: 1, it was the last; 0, it was
     * none yet. At most `frames`: with twice the memory it might have stayed ("refault distance"). scan(): 0
     */
    uint64_t distance;
};

#define RECLAIM_ACCESSED 1 /* it was touched since the scan before, or came in since */
#define RECLAIM_DIRTY    2 /* as a victim it would be written */

struct reclaim_ops {
    struct kit k;
    /*
     * A look at all pages that are in memory: gfn[0..n-1], rising, and ad[i], the bits of page gfn[i]. It comes each
     * `scan` of the workload's, if there are any, and before the first victim(). If there are many it comes in parts,
     * of at most 4096, one call after the other. A bits are clear then; D stays until the page is written.
     */
    void (*scan)(void *state, const struct reclaim_now *now, const uint64_t *gfn, const uint8_t *ad, size_t n);
    /*
     * Which page is to go? It must be in memory, else it is a mistake, and ends the run; `wanted` is not, yet. When
     * this returns the victim is gone, and wanted is there: so what is in memory is known at any time. Faults are not
     * told of otherwise: until the first victim() they are those pages that a scan has, and had not before.
     */
    uint64_t (*victim)(void *state, const struct reclaim_now *now);
};

/* --- ring: when the other side of a ring is told --- */

/*
 * Two domains share a ring: a producer puts requests into it, a consumer takes them out. Both sides' indices count
 * requests, and wrap at 2^32; the slot is index % slots. Who finds the ring empty sleeps, and has to be told, by an
 * event channel; who is awake need not be. So the consumer leaves in the ring at which index it wants to be told:
 * `event`.
 *
 *      producer: requests into slots | prod = new | read event | notify()? send     (RING_PUSH_REQUESTS_AND_CHECK_NOTIFY)
 *      consumer: take all up to prod | event = next_event() | is prod still cons? sleep   (RING_FINAL_CHECK_FOR_REQUESTS)
 *
 * Each | is a moment in which the other side may do anything. (xen/include/public/io/ring.h has both macros, and
 * "Notification hold-off".) A notification costs the sender a hypercall, and the receiver a wake-up; one that is
 * missing leaves a sleeper asleep with work to do. Sends merge until the consumer has woken, as an event channel's do.
 *
 * Beside the three numbers that the macros have, both functions are told what else that side knows (struct ring_now):
 * without `due`, how many are sure to come, nobody could hold off and be sure to be told at all; and several rings
 * share a policy.
 *
 * There is one `state`, and in life there are two sides, which have in common what is in the ring. Who hands something
 * from one function to the other through `state` decides what no two domains could. Times are ns.
 */
struct ring_now {
    uint64_t now;     /* since the beginning; in all orders (life > 0): steps of the two sides so far */
    uint64_t ring;    /* which one: 0 to 15, in the order of the workload */
    uint64_t life;    /* 0; where all orders of steps are tried: another one for each, which begins with a new ring */
    uint64_t slots;   /* a power of 2 */
    uint64_t cost;    /* what a notification takes of the producer's time; orders: 0 */
    uint64_t latency; /* from then until the consumer is woken; orders: 0 */
    /*
     * How many more are sure to come, whatever is decided. notify(): requests that are to be put behind prod: they wait
     * already, or the consumer has asked for them. next_event(): what the consumer has asked for and not taken, as a
     * frontend knows how many responses are to come; 0: nobody has promised anything. If all of it is in the ring, then
     * prod is cons + due.
     */
    uint64_t due;
};

struct ring_ops {
    struct kit k;
    /*
     * The producer has just moved its index from `old` to `prod` (prod - old requests, at least 1), and then read
     * `event`, which the consumer may have left long ago. Is the consumer to be told?
     */
    bool (*notify)(void *state, const struct ring_now *now, uint32_t old, uint32_t prod, uint32_t event);
    /*
     * The consumer has taken all that it has seen, up to `cons`, and is about to sleep: what is to be `event`? Any
     * number is allowed; one that prod will not go past, for want of requests or of slots, is slept through. Of what
     * came meanwhile the consumer learns when it looks once more, before it sleeps.
     */
    uint32_t (*next_event)(void *state, const struct ring_now *now, uint32_t cons);
};

/* --- tlbflush: whose TLB is flushed --- */

/*
 * A pCPU's TLB keeps what it has read in page tables: which page a domain's address is, and whether it may be stored
 * to. Who changes page tables changes no TLB. Before a page that was freed is given to somebody else, and before one
 * that was taken the right to be stored to is relied on (as a page table, say), each pCPU that may have an entry of it
 * has to flush its TLB: else somebody uses a page that is no longer his. To ask another pCPU costs an interrupt (IPI),
 * and a flush all the entries that were still good.
 *
 * So Xen counts flushes: each moves the TLB clock, and leaves its time as the pCPU's stamp. A page that is freed gets
 * the clock's time as well. Who has flushed since needs not flush for that page (NEED_FLUSH() in Xen's
 * xen/arch/x86/include/asm/flushtlb.h, xen/arch/x86/flushtlb.c). The clock wraps, and stamps from before look younger
 * than they are.
 *
 *      page is unmapped, stamp = clock ... who()? flush ... the page is somebody else's             TLB_REUSE
 *      page may no longer be stored to, stamp = clock ... who()? flush ... it is a page table       TLB_REVOKE
 *      clock = 0 ... who()? flush, pCPUs' stamps = 0 ... clock = 1                                  TLB_WRAP
 *
 * Beside what Xen's filter has, struct tlb_now says what else Xen knows there (a domain's dirty_cpumask). Numbers of
 * pCPUs are bits in masks. Times are ns.
 */
enum tlb_cause { TLB_REUSE, TLB_REVOKE, TLB_WRAP };

struct tlb_now {
    uint64_t now;    /* since the beginning */
    uint64_t cause;  /* enum tlb_cause */
    uint64_t bits;   /* that the clock has; Xen's has 32. From 2^bits - 1 it goes to 0; after TLB_WRAP it is 1 */
    uint32_t clock;  /* its time; TLB_WRAP: 0 */
    uint32_t stamp;  /* its time when the page was freed, or its right taken; it may have wrapped since. TLB_WRAP: 0 */
    uint64_t page;   /* which one: from 0; WRAP: 0, as is all that follows but `here` */
    uint64_t domain; /* whose it is, or was: from 0, in the order of the workload */
    uint64_t ran;    /* pCPUs where one of its vCPUs has run, and which have not flushed since then */
    uint64_t runs;   /* pCPUs where one runs now: in `ran` as well */
    uint64_t here;   /* the pCPU that asks, a number: it needs no interrupt to flush its own TLB */
};

struct tlbflush_ops {
    struct kit k;
    /*
     * Which pCPUs have to flush now? A mask; there are n of them, and stamp[i] is the clock's time at the last flush
     * of pCPU i, whatever that was for (at first: the clock's time at the beginning). Bits of no pCPU are a mistake,
     * and end the run. The others flush, the lowest first, each with the clock's next time, before anything else
     * happens.
     */
    uint64_t (*who)(void *state, const struct tlb_now *now, const uint32_t *stamp, size_t n);
};

/* --- shadow: what becomes of a store to a page table that has a shadow --- */

/*
 * A guest has page tables; the processor walks shadows of them, which the hypervisor makes. A table that has a shadow
 * is write-protected: a store to it faults, and somebody decides what becomes of it.
 *
 *      store --> shadowed? --no, or out of sync--> it is done, for nothing
 *                    | yes
 *                fault: on_write()! --> EMULATE      the hypervisor stores, and the shadow has the same
 *                                   --> OUT_OF_SYNC  the table is writable from now on; when CR3 is loaded or INVLPG
 *                                                    executed, all its entries are compared, and it is in sync again
 *                                   --> UNSHADOW     the shadow goes, and its frame is free; when the table is walked
 *                                                    again a new one is made, and is filled entry by entry
 *
 * Shadows have a frame each, of a pool. If a shadow is wanted and none is free, another goes: evict(). Nothing that is
 * decided here makes a translation wrong; it makes it slow. (In Xen: xen/arch/x86/mm/shadow/, SHOPT_OUT_OF_SYNC.)
 *
 * A table is an mfn, an offset is in bytes. Times are ns that the guests have run: they stand still while the
 * hypervisor works, so each algorithm sees the same stores at the same times.
 */

/* What is known when something is asked. */
struct shadow_now {
    uint64_t now; /* since the beginning */
    uint64_t
        guest; /* whose store it is, or who wants a shadow: 0 to 7, in the order of the workload; it has one vCPU */
    uint64_t frames;   /* of the pool */
    uint64_t used;     /* of them: so many shadows there are. evict(): all */
    uint64_t out;      /* tables of this guest that are out of sync */
    uint64_t most_out; /* that may be. One more, and that which has been so longest is compared and in sync first */
    uint64_t fault, emulate, compare, make, drop; /* what each costs: a fault; beside it, to emulate the store; for each
                                                     of 512 entries, to compare; to make a shadow; to drop one */
};

/* And of a shadow. */
struct shadow_page {
    uint64_t mfn;      /* of the guest's table */
    uint64_t level;    /* 1: a leaf; 2: a root */
    uint64_t made;     /* when the shadow was made */
    uint64_t stores;   /* to the table that have faulted since, this one among them */
    uint64_t busy;     /* 1: it is the root that a vCPU has in CR3: it must neither be unshadowed nor evicted; else 0 */
    uint64_t out;      /* 1: it is out of sync; else 0 */
    uint64_t accessed; /* 1: it was walked since evict() was asked last, or made since; else 0 */
};

enum shadow_answer { SHADOW_EMULATE, SHADOW_OUT_OF_SYNC, SHADOW_UNSHADOW };

struct shadow_ops {
    struct kit k;
    /*
     * The guest stores 8 bytes to page->mfn, at `off`, 0 to 4088. One of enum shadow_answer; another number is a
     * mistake, and ends the run. So are SHADOW_OUT_OF_SYNC of a root (in Xen, too, only leaves can be), and
     * SHADOW_UNSHADOW of a busy one.
     */
    int (*on_write)(void *state, const struct shadow_now *now, const struct shadow_page *page, unsigned int off);
    /*
     * Which shadow is to go? The mfn of one of page[0..n-1], which are all there are, by rising mfn; not of a busy one.
     * Else it is a mistake, and ends the run. When this returns it is gone, and all `accessed` are 0.
     */
    uint64_t (*evict)(void *state, const struct shadow_now *now, const struct shadow_page *page, size_t n);
};

/* --- evtchn: how a guest is told that a port is pending --- */

/*
 * An ABI of event channels: which words in memory that hypervisor and guest share say which ports are pending, which
 * are masked, and what is to be looked at first. The hypervisor's half and the guest's are one table here.
 *
 *      hypervisor: somebody sends to port p: set_pending(); does it return true, the guest's vCPU gets an upcall
 *      guest:      upcall: take() a port after the other, until there is none; some are masked for a while by mask();
 *                  then the hypercall EVTCHNOP_unmask: unmask(); does it return true, there is an upcall as well
 *
 * Both run at once, and each access to a word is a moment in front of which the other side may do anything. Sends, and
 * unmask(), come one after the other, as under a lock; there is one vCPU. Several sends to a port may become one
 * delivery, but each has to be followed by one, when the port is not masked. A port that nobody has sent to since it
 * was taken, or that is masked, is delivered in vain.
 *
 * This is not the hypervisor's own struct evtchn_port_ops: that has domains, and not the guest's half, and half an ABI
 * cannot be tried. What is to be remembered has to be in the words, which are 0 at first: there is no
 * state, and all orders of accesses begin anew. Variables of yours survive from one order to
 * the next: have none. Two calls may be in progress at once, each on a stack of its own, of 256 KiB.
 *
 * What guests see of Xen's two ABIs is defined in xen/include/public/event_channel.h (EVTCHN_FIFO_*, struct
 * evtchn_fifo_control_block, EVTCHNOP_unmask) and xen.h (struct shared_info: evtchn_pending, evtchn_mask; struct
 * vcpu_info: evtchn_upcall_pending, evtchn_pending_sel); the hypervisor's halves in xen/common/event_2l.c and
 * event_fifo.c; "FIFO-based event channel ABI", D. Vrabel, 2013.
 */

#define EVTCHN_WORDS 128

/*
 * Accesses, each atomic and seen at once. They return what the word held before: compare_exchange() has stored if
 * that is `expected`. `word`: 0 to EVTCHN_WORDS - 1; another is a mistake, and ends the run, as do 10000 accesses in
 * one call. The table of them, and the port, are yours to read until the call returns.
 */
struct evtchn_mem {
    uint64_t (*load)(unsigned int word);
    uint64_t (*store)(unsigned int word, uint64_t value);
    uint64_t (*fetch_or)(unsigned int word, uint64_t bits);
    uint64_t (*fetch_and)(unsigned int word, uint64_t bits);
    uint64_t (*compare_exchange)(unsigned int word, uint64_t expected, uint64_t value);
};

struct evtchn_port {
    uint32_t port;     /* from 1; take(): 0 */
    uint32_t ports;    /* that there are: 1 to this, at most 63 */
    uint32_t priority; /* of the port: 0 is the highest, 15 the lowest, 7 the default */
};

struct evtchn_ops {
    struct kit k; /* what its init returns, if there is one, is given to nobody */
    /* Hypervisor: an event for the port. Is the guest to have an upcall? */
    bool (*set_pending)(const struct evtchn_mem *m, const struct evtchn_port *p);
    /* Hypervisor, for the guest: the port is masked no more. Is the guest to have an upcall? */
    bool (*unmask)(const struct evtchn_mem *m, const struct evtchn_port *p);
    /* Guest: the port is masked from when this returns. */
    void (*mask)(const struct evtchn_mem *m, const struct evtchn_port *p);
    /*
     * Guest: a port that is pending and not masked, and now no longer pending; 0: there is none. More than there are is
     * a mistake, and ends the run; so are 100 one after the other that were masked, or nobody had sent to.
     */
    uint32_t (*take)(const struct evtchn_mem *m, const struct evtchn_port *all);
};

#endif
