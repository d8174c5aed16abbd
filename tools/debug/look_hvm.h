// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking at what only HVM and PVH guests have, by value (see tools/debug/look.h): the virtual machine control block,
 * the nested tables, interrupt controllers. Each answer is false, or nothing, of other guests.
 */
#ifndef TOOLS_DEBUG_LOOK_HVM_H
#define TOOLS_DEBUG_LOOK_HVM_H

#include "sim/vmcb.h"
#include "tools/debug/look.h"

/* A vCPU's control block: what makes it leave its guest, and why it did last. The guest's state is its registers. */
struct look_vmcb {
    struct vcpu_controls controls;
    uint64_t exit_code, info1, info2; /* EXITCODE, EXITINFO1, EXITINFO2 */
    bool has_exit;                    /* it has had one */
    bool want_intwin,
        int_shadow;            /* an interrupt waits until it can be taken; the next instruction is not interrupted */
    uint64_t ncr3, shadow_cr3; /* one of these is in use; the latter, or 0 */
    uint8_t upcall_vector;     /* by which it hears of events; 0: none */
};
bool look_vmcb(struct host *h, domid_t dom, unsigned int vcpu, struct look_vmcb *out);
/* "NPF", "CPUID", "#PF", "CR0 write", as AMD calls it. */
void look_exit_name(uint64_t exit_code, char text[LOOK_TEXT]);

/* How often the vCPU was left, by kind: the next one from *n on that there were any of. */
struct look_exits {
    const char *kind;
    uint64_t times, engine; /* and how many of these are no exits of real hardware */
};
bool look_exits(struct host *h, domid_t dom, unsigned int vcpu, unsigned int *n, struct look_exits *out);

/* The two-dimensional walk, entry by entry, in the order in which the processor reads them: sim/nested.h. */
#define LOOK_NESTED_REFS 28 /* 24, and 4 of shadow page tables */
struct look_nested {
    unsigned int nr;
    struct look_nested_ref {
        bool shadow;               /* an entry of what is walked in place of all others, */
        bool oos;                  /* which may be older than the guest's; or */
        bool guest;                /* an entry of the guest's own tables, else of the nested ones, */
        unsigned int level, index; /* of this level, */
        uint64_t gpa;              /* at this address; a nested one's: the address that it helps to translate */
        uint64_t maddr, entry;     /* where it is in the machine, and what it says */
        bool large;                /* it is the last of its tables: a large page */
    } ref[LOOK_NESTED_REFS];
    bool found; /* the address leads to a byte of the machine's: */
    uint64_t gpa, maddr;
    bool npf; /* not found: the nested tables do not have gpa; else the guest's tables do not have the address */
};
bool look_nested(struct host *h, domid_t dom, unsigned int vcpu, uint64_t va, struct look_nested *out);

/* A vCPU's local APIC. */
struct look_apic {
    uint64_t base; /* the MSR */
    bool enabled;  /* by it, and by SVR */
    bool waits_for_sipi;
    uint32_t id, version, tpr, ppr, ldr, dfr, svr, esr, icr_low, icr_high;
    uint32_t lvt[6]; /* timer, thermal, performance counters, LINT0, LINT1, error */
    uint32_t timer_initial, timer_current, timer_divide;
    uint32_t irr[8], isr[8], tmr[8]; /* a bit a vector */
};
bool look_apic(struct host *h, domid_t dom, unsigned int vcpu, struct look_apic *out);

/* A domain's I/O APIC. */
#define LOOK_IOAPIC_PINS 48
struct look_ioapic {
    uint8_t id;
    uint64_t redir[LOOK_IOAPIC_PINS];
    unsigned int lines[LOOK_IOAPIC_PINS]; /* how many lines hold the pin up */
};
bool look_ioapic(struct host *h, domid_t dom, struct look_ioapic *out);

/* One of its two 8259: master, slave. */
struct look_pic {
    uint8_t irr, imr, isr, lines, elcr, base, priority;
    bool output, auto_eoi, initialising;
};
bool look_pic(struct host *h, domid_t dom, struct look_pic out[2]);

/*
 * A place for a vCPU's request in the page that the hypervisor shares with a device model; and of buffered ones, which
 * nobody waits for, a line of the server's own (no_vcpu). The next one from *n on.
 */
struct look_ioreq {
    unsigned int server, vcpu;
    bool no_vcpu, enabled, read, memory, pci;
    domid_t emulator;
    const char *state; /* "none", "ready", "in process", "answered" */
    uint64_t addr, data;
    uint32_t size, count;
    uint64_t sent, buffered; /* by the server, in all */
};
bool look_ioreq(struct host *h, domid_t dom, unsigned int *n, struct look_ioreq *out);

#endif
