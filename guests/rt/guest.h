// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The runtime of the toy guests: what a PV kernel needs before it can say hello, and no more.
 *
 * Each guest is one C file that defines guest_main(), linked with the files of this folder; each of those explains its
 * part:
 *
 *      start.S    ELF notes, the first instructions      entry.S    where Xen delivers traps
 *      init.c     from start_info to guest_main()        traps.c    trap table, handlers, catching exceptions
 *      memory.c   frame numbers, page tables             event.c    event channels
 *      console.c  the console's ring                     time.c     the clock in shared memory
 *      text.c     printf, strings, the command line      user.c     user mode
 *      smp.c      other vCPUs                           grant.c    grant tables
 */
#ifndef GUESTS_RT_GUEST_H
#define GUESTS_RT_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guests/rt/hypercall.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define barrier()     asm volatile("" ::: "memory")

/* --------------------------------------------------------------------------------------- start and end (init.c) -- */

/* The guest. Its result ends the domain: 0 with a poweroff, anything else with a crash. */
int guest_main(void);

/* Called from start.S only. */
void guest_start(struct start_info *si, unsigned long first_stack);

/* End the domain, once the console has been read to its last character. `reason` is a SHUTDOWN_*. */
void guest_shutdown(unsigned int reason) __attribute__((noreturn));
/* Say why, and end the domain with SHUTDOWN_crash. */
void guest_panic(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* The hypercall must succeed. */
#define MUST(call) must((call), #call)
long must(long result, const char *call);

extern struct start_info *start_info;
extern struct shared_info *shared_info;

/* Which vCPU am I? (Kept where GS points to, as kernels do.) */
struct cpu {
    struct cpu *self;
    struct vcpu_info *info;
    unsigned int id;
};
void cpu_init(struct cpu *cpu, unsigned int id);
static inline struct cpu *cpu_self(void)
{
    struct cpu *cpu;

    asm volatile("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}
static inline unsigned int cpu_id(void) { return cpu_self()->id; }
static inline struct vcpu_info *vcpu_info(void) { return cpu_self()->info; }
/* Let another vCPU run fn, which never returns. -ENOENT: there is no such vCPU (smp.c). */
long cpu_start(unsigned int id, void (*fn)(void));

/* ------------------------------------------------------------------------------------- text (text.c, console.c) -- */

/* %d %i %u %x %p %s %c %%, with l, ll, z; width, - and 0. To the PV console; lines may be written in pieces. */
void printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list args) __attribute__((format(printf, 3, 0)));

void console_init(void);
void console_write(const char *text, size_t len);
void console_flush(void);
/* The next character typed; waits for it. */
char console_read(void);
/* To the hypervisor's own log, which needs no ring: for when nothing else works. */
void console_io_write(const char *text, size_t len);

/* The value of "name=..." on the command line, `missing` if it is not there. Text is copied: at most size - 1. */
long cmdline_number(const char *name, long missing);
const char *cmdline_text(const char *name, char *buf, size_t size, const char *missing);

void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
/* "-EINVAL" for -22, "ok" for 0; other values in a buffer that the next call reuses. */
const char *xen_error(long rc);

/* ---------------------------------------------------------------------------------------------- traps (traps.c) -- */

/* What a handler may look at and change: the order is that of the stack in entry.S. */
struct guest_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector, error_code;
    uint64_t rip;
    uint16_t cs, pad0;
    uint8_t upcall_mask, pad1[3];
    uint64_t rflags, rsp;
    uint16_t ss, pad2[3];
};

enum {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_BREAKPOINT = 3,
    TRAP_OVERFLOW = 4,
    TRAP_INVALID_OP = 6,
    TRAP_NO_DEVICE = 7,
    TRAP_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    /* No exceptions, but they come the same way. */
    TRAP_EVENT = 256,
    TRAP_SYSCALL = 257,
    TRAP_FAILSAFE = 258,
    NR_TRAPS
};

#define EFLAGS_TF 0x100u
#define EFLAGS_IF 0x200u

typedef void trap_handler_fn(struct guest_regs *regs);

void traps_init(void);
/* The handler runs with events masked; when it returns, the guest goes on with the registers as it left them. */
void trap_handler_set(unsigned int vector, trap_handler_fn *handler);
/* Allow INT vector from user mode (dpl 3), from the kernel too (1 or more), or to nobody (0). */
void trap_gate_set(unsigned int vector, unsigned int dpl);
/* "#PF" for 14. */
const char *trap_name(unsigned int vector);
void trap_print(const struct guest_regs *regs);
/* Called from entry.S only. */
void trap_dispatch(struct guest_regs *regs);

static inline bool from_user(const struct guest_regs *regs) { return (regs->cs & 3) == 3; }

/* What ended a function that was called with exceptions caught: nothing, or an exception. */
struct caught {
    bool trapped;
    unsigned int vector;
    uint32_t error_code;
    uint64_t address; /* of a page fault */
    uint64_t rip;
    long result; /* if nothing */
};
struct caught trap_catch(long (*fn)(long), long arg);

/* See entry.S. */
struct context {
    uint64_t rsp;
};
long context_call(struct context *c, long (*fn)(long), long arg);
void context_leave(struct context *c, long value) __attribute__((noreturn));

/* ------------------------------------------------------------------------------------------- user mode (user.c) -- */

/* Code and data of user mode stand in a section of their own. Literal strings do not: name them. */
#define USER_CODE __attribute__((section(".user.text"), noinline, used))
#define USER_DATA __attribute__((section(".user.data"), used))

/* Build a second tree of page tables, with nothing in it but the section .user, and make it user mode's. */
void user_space_init(void);
/* Call fn(arg) in user mode. It cannot return; the first exception or system call there ends it, described in regs. */
void user_run(long (*fn)(long), long arg, struct guest_regs *regs);
/* Go on after a system call, with `result` in RAX. */
void user_resume(struct guest_regs *regs, long result);
/* See entry.S. */
void user_enter(struct guest_regs *regs) __attribute__((noreturn));
/* A trap from user mode that has no handler: called from traps.c only. */
void user_ended(const struct guest_regs *regs);
extern uint64_t user_root_mfn;

/* --------------------------------------------------------------------------------------------- events (event.c) -- */

typedef void event_handler_fn(evtchn_port_t port);

void events_init(void);
/* Ports are masked until they get a handler. */
void event_handler_set(evtchn_port_t port, event_handler_fn *handler);
void event_mask(evtchn_port_t port);
void event_unmask(evtchn_port_t port);
bool event_is_pending(evtchn_port_t port);
void event_clear(evtchn_port_t port);
long event_send(evtchn_port_t port);
/* Where the bits are, for who changes the ABI (see fifo.c). */
extern struct event_abi {
    bool (*is_pending)(evtchn_port_t port);
    void (*clear)(evtchn_port_t port);
} event_abi;
evtchn_port_t event_bind_virq(unsigned int virq, unsigned int vcpu);
evtchn_port_t event_bind_ipi(unsigned int vcpu);
/* A port that `peer` may bind to. */
evtchn_port_t event_alloc_unbound(domid_t peer);
/* A port of our own, tied to a port of the peer's; negative if Xen refuses. */
long event_bind_interdomain(domid_t peer, evtchn_port_t remote);
/* A PV guest's CLI and STI: a byte in shared memory. Enabling delivers what became pending meanwhile. */
void events_disable(void);
void events_enable(void);
/* Wait for the next event, events enabled, in one step; they are disabled again afterwards. */
void events_wait(void);
/* Wait until this port is pending, and clear it; for ports without a handler. */
void event_wait(evtchn_port_t port);
/* Call handlers for what is pending; what the upcall does. */
void events_poll(void);

/* ------------------------------------------------------------------------------------------------ time (time.c) -- */

/* Virtual nanoseconds since the machine was started. */
uint64_t time_now(void);
/* Do nothing until then; other domains may run meanwhile. Events are not handled. */
void time_sleep_until(uint64_t deadline);
static inline void time_sleep(uint64_t ns) { time_sleep_until(time_now() + ns); }

/* -------------------------------------------------------------------------------------------- memory (memory.c) -- */

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul

#define PTE_P          0x001u
#define PTE_RW         0x002u
#define PTE_US         0x004u
#define PTE_A          0x020u
#define PTE_D          0x040u
#define PTE_PSE        0x080u
#define PTE_KERNEL     (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D) /* Xen sets US for a PV64 guest anyway */
#define PTE_TABLE      (PTE_P | PTE_RW | PTE_US | PTE_A)
#define PTE_READONLY   (PTE_P | PTE_US | PTE_A)
#define PTE_FRAME(pte) (((pte)&0x000ffffffffff000ul) >> PAGE_SHIFT)

extern char VIRT_BASE[];

void memory_init(unsigned long first_stack);

/* A page of zeroes, mapped read-write; taken from what lies behind Xen's boot structures, and never given back. */
void *page_alloc(void);
/* The first pfn that is neither used nor mapped by anything: from here to nr_pages memory is raw. */
unsigned long pfn_first_raw(void);

unsigned long virt_to_pfn(const void *va);
void *pfn_to_virt(unsigned long pfn);
unsigned long virt_to_mfn(const void *va);
void *mfn_to_virt(unsigned long mfn);

/* The page table of the given level (4: the root) on the way to va, readable; NULL if there is none. */
uint64_t *table_find(const void *va, unsigned int level);
static inline unsigned int table_index(const void *va, unsigned int level)
{
    return ((uintptr_t)va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}
/* The entry of that table, and its machine address: what mmu_update wants to know. */
uint64_t *pte_find(const void *va, unsigned int level);
uint64_t pte_machine(const void *va, unsigned int level);

/* Hypercalls, with 0 or -errno. */
long page_map(void *va, unsigned long mfn, uint64_t flags);
long page_protect(void *va, uint64_t flags);
long pte_write(uint64_t machine, uint64_t val); /* one mmu_update */
long mmuext(unsigned int cmd, unsigned long mfn);
/* Make a page read-only and pin it as a table of the given level. */
long table_pin(void *va, unsigned int level);
long table_unpin(void *va);

/* -------------------------------------------------------------------------------------- frame numbers (p2m.c) -- */

#define INVALID_P2M_ENTRY (~0ul)

/* INVALID_P2M_ENTRY: there is no frame at that pfn (it may be any number). */
unsigned long pfn_to_mfn(unsigned long pfn);
/* INVALID_P2M_ENTRY: it is not this domain's, or no frame at all (it may be any number). */
unsigned long mfn_to_pfn(unsigned long mfn);
/* From now on this frame is at pfn, which is below nr_pages; m2p is Xen's to set. */
void p2m_set(unsigned long pfn, unsigned long mfn);
/*
 * Another frame behind the page at va, in the initial region: Xen gets the present one. What is in the page stays, and
 * how it is mapped. 0; or Xen's -errno, and all is as it was: -XEN_EINVAL, too, where no page of ours is mapped.
 */
long page_exchange(void *va);

/* --------------------------------------------------------------------------------------------- grants (grant.c) -- */

/* Map this domain's table; the number of entries it has. The first GNTTAB_NR_RESERVED_ENTRIES are the toolstack's. */
unsigned int grants_init(void);
void grant_access(grant_ref_t ref, domid_t peer, const void *page, bool readonly);
/* False: still in use by the peer. */
bool grant_revoke(grant_ref_t ref);
/* These give a GNTST_*. `va` is a page whose own mapping is lost; after unmapping nothing is there. */
int grant_map(void *va, domid_t peer, grant_ref_t ref, bool readonly, grant_handle_t *handle);
int grant_unmap(void *va, grant_handle_t handle);
/* Between the start of a page of ours and the start of the peer's. */
int grant_copy(void *page, domid_t peer, grant_ref_t ref, bool to_peer, size_t len);
const char *grant_error(int status);

#endif
