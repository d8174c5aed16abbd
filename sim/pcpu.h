// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The physical CPU: the boundary between the emulated processor and the hypervisor.
 *
 * Concept: on real hardware a hypervisor enters a guest (VMRUN, IRET) and gets control back on an exit: a fault, an
 * interrupt, an intercepted instruction. Here that is one call. pcpu_run() executes guest instructions until something
 * needs the hypervisor and says what, by value, in a struct sim_exit; pcpu_run_on() says it to a function, and stays
 * with the guest for as long as that wants. The guest's registers live in a struct cpu_state that belongs to the vCPU;
 * sim/ loads it before and saves it after. Nothing above this header knows Unicorn, so everything above can be driven
 * by made-up exits in a unit test.
 *
 * Invariants:
 *  - Between two pcpu_run() calls, and in the function, `struct cpu_state` is the truth; the emulator's copy is a cache
 *    of it. Whoever changes anything but gpr/rip/rflags sets the matching CPU_DIRTY_* bit.
 *  - On every exit but EXIT_SYSCALL and EXIT_SOFTINT, rip points at the instruction that caused it (faults are
 *    restartable); on those two it points behind it, and insn_len tells how far to go back.
 *  - Where a budget ends follows from the guest's instructions alone, and is the same however often an observer stops
 *    it on the way (struct pcpu_budget). (Where an access hits a breakpoint of the guest's own, an instruction in the
 *    shadow of a MOV SS and a REP's last look at its count go with the one before: no budget ends and no observer
 *    stops between them.)
 */
#ifndef SIM_PCPU_H
#define SIM_PCPU_H

#include "sim/types.h"
#include "sim/vmcb.h"
#include "sim/x86.h"

struct machine;
struct pcpu;

/* How the guest's code executes: which page tables and which privilege rules. */
enum cpu_mode {
    CPU_MODE_PV64, /* CPL 3, CR3 holds machine frames, no nested paging */
    CPU_MODE_PV32, /* kernel in ring 1, user in ring 3, compatibility mode under PAE-shaped 4-level tables */
    CPU_MODE_HVM,  /* SVM guest mode under nested paging */
};

/* CR0 and CR4 in the two PV modes: what the processor has whatever cr0 and cr4 say, and what it takes from them. */
#define PV_CR0_FIXED (X86_CR0_PG | X86_CR0_AM | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | X86_CR0_MP | X86_CR0_PE)
#define PV_CR0_OWN   X86_CR0_TS
#define PV_CR4_FIXED (X86_CR4_OSXMMEXCPT | X86_CR4_OSFXSR | X86_CR4_PAE)
#define PV_CR4_OWN   (X86_CR4_FSGSBASE | X86_CR4_DE | X86_CR4_TSD)

/*
 * A segment register with its hidden part, attributes as in a VMCB (AMD APM vol. 2, 15.5.1: descriptor bits
 * 55:52,47:40).
 */
struct cpu_segment {
    uint16_t sel;
    uint16_t attr;
    uint32_t limit;
    uint64_t base;
};

struct cpu_table {
    uint64_t base;
    uint16_t limit;
};

enum { CPU_SEG_ES, CPU_SEG_CS, CPU_SEG_SS, CPU_SEG_DS, CPU_SEG_FS, CPU_SEG_GS, CPU_NR_SEGS };

/* Which parts of struct cpu_state changed since the last exit. General registers, RIP and RFLAGS are always loaded. */
#define CPU_DIRTY_SEGS 0x01u /* seg[], ldtr, gdtr, idtr, cpl, int_shadow */
#define CPU_DIRTY_CR3  0x02u /* cr3, ncr3, shadow_cr3: also flushes the TLB */
#define CPU_DIRTY_CR   0x04u /* cr0, cr4, efer, cr2 */
#define CPU_DIRTY_TLB  0x08u /* translations changed below an unchanged cr3: flush */
#define CPU_DIRTY_DR   0x10u /* dr0-3, dr6, dr7 */
#define CPU_DIRTY_MSR  0x20u /* kernel_gs_base, star, lstar, cstar, sfmask, pat, sysenter_* */
#define CPU_DIRTY_FPU  0x40u /* fxsave[] holds a new FPU/SSE image to load */
#define CPU_DIRTY_ROOT                                                                                                 \
    0x80u /* cr3 and root: the vCPU goes to the other one of two roots, and nothing else has changed */
#define CPU_DIRTY_ALL  0xffu
#define CPU_DIRTY_BASE 0x100u /* of FS or GS: seg[].base, and nothing else of what CPU_DIRTY_SEGS stands for */
#define CPU_DIRTY_SYNCED                                                                                               \
    0x200u /* pcpu_sync() has set it: fxsave[] is the truth; what else is not in the engine, that knows */

/*
 * One vCPU's architectural registers: the whole truth about it. Copied into a new context of the same mode, with all
 * bits of `dirty` set, it goes on exactly as it would have, on any pCPU of any machine with the same memory
 * (tests/sim/test_pcpu_copy.c). What the engine keeps of a vCPU besides is either a copy, or cannot be seen by a guest:
 *
 *      FPU, MMX, SSE     in the engine since CPU_DIRTY_FPU loaded them; cpu_context_save_fpu() is what makes a copy whole
 *      segments          as the engine holds them, to see which ones the guest has reloaded
 *      RFLAGS            in parts, within a run
 *      the TLB           transparent: it knows what a walk would find (sim/engine/flush.c)
 *      code              translated, of what its frames contain (sim/frame.h); how it is cut into blocks is not seen
 *      MSRs, CR0, CR4    what no PV guest can change is not loaded; DR6 and CR2 are the hypervisor's, who reports them
 *
 * Order of gpr[]: the processor's encoding, RAX RCX RDX RBX RSP RBP RSI RDI.
 */
struct cpu_state {
    union {
        uint64_t gpr[16];
        struct {
            uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
        };
    };
    uint64_t rip, rflags;
    uint64_t exit_rip; /* rip at the last exit */
    uint32_t dirty;    /* CPU_DIRTY_* */
    uint8_t cpl;
    uint8_t root;    /* of cr3: 0, 1: which of two roots that the vCPU alternates between (a kernel's, a program's) */
    bool int_shadow; /* the instruction at exit_rip is in the shadow of a MOV SS; to move rip ends it */
    enum cpu_mode mode;
    struct vcpu_controls controls; /* as it was created with */
    struct cpu_segment seg[CPU_NR_SEGS];
    struct cpu_segment ldtr, tr; /* tr: HVM */
    struct cpu_table gdtr, idtr;
    uint64_t cr0, cr2, cr3, cr4, cr8, efer;
    uint64_t dr[8];
    uint64_t kernel_gs_base, star, lstar, cstar, sfmask, pat;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip, ncr3; /* ncr3: HVM, the nested tables' machine address */
    uint64_t shadow_cr3; /* HVM under shadow page tables: what is walked, in place of the guest's tables; or 0 */
    bool nmi_blocked;    /* HVM: one was delivered; IRET clears it */
    bool want_nmiwin;    /* HVM: leave, with EXIT_INTWIN, behind the IRET that does so */
    bool want_intwin;    /* HVM: leave, with EXIT_INTWIN, in front of the first instruction that could be interrupted */
    /*
     * These are valid after cpu_context_save_fpu(), or to load with CPU_DIRTY_FPU. The image has the form with 64-bit
     * pointers.
     */
    _Alignas(16) uint8_t fxsave[512];
    uint16_t fpu_cs, fpu_ds; /* the selectors beside FIP and FDP, which the form with 32-bit pointers has */
    uint64_t insns_in[4];    /* no register: instructions that it has executed at each CPL; sim/ adds to them */
};

/* A vCPU as sim/ sees it: the registers above, and the rest of the processor's state (FPU, SSE), which sim/ keeps. */
struct cpu_context;

/*
 * In m's arena, to run on m's pCPUs; in the state in which Xen starts a PV guest of that mode. NULL: no memory. Destroy
 * it before m.
 */
struct cpu_context *cpu_context_create(struct machine *m, enum cpu_mode mode, const struct vcpu_controls *controls);
void cpu_context_destroy(struct cpu_context *c);
struct cpu_state *cpu_context_state(struct cpu_context *c);
/* An HVM vCPU behind RESET (AMD APM volume 2, 14.1.3): mode, controls and ncr3 are what is left of its earlier life. */
void cpu_state_reset(struct cpu_state *st);
/*
 * To load with what a processor takes of an FXSAVE image, as it would save it again: a vCPU that was entered and has
 * executed nothing yet is as it was. NULL: as after a reset.
 */
void cpu_state_set_fpu(struct cpu_state *st, const void *image);
/* Bring fxsave[] up to date with what the guest last computed (for getvcpucontext, save, the debugger). */
void cpu_context_save_fpu(struct cpu_context *c);

/*
 * One translation changed below an unchanged cr3 (INVLPG): cheaper than CPU_DIRTY_TLB, takes effect before the next
 * run.
 */
void cpu_context_flush_page(struct cpu_context *c, uint64_t addr);

enum sim_exit_kind {
    EXIT_BUDGET, /* the time slice is used up */
    EXIT_STOP,   /* an observer wanted to look: nothing has happened, and it costs no time */
    EXIT_EXCEPTION,
    EXIT_SOFTINT, /* INT n; rip behind it, by insn_len */
    /* SYSCALL; rip behind it, insn_len 2; registers not yet changed by it (RCX and R11 are the guest's) */
    EXIT_SYSCALL,
    EXIT_SYSENTER,
    EXIT_VMMCALL,
    EXIT_IO, /* IN/OUT/INS/OUTS before it executes */
    EXIT_RDMSR,
    EXIT_WRMSR,
    EXIT_CPUID,
    EXIT_RDTSC,   /* RDTSC or RDTSCP */
    EXIT_CR_READ, /* HVM: MOV from/to control register, CLTS, LMSW; for PV a #GP exception */
    EXIT_CR_WRITE,
    EXIT_DR_READ, /* HVM: MOV from/to debug register */
    EXIT_DR_WRITE,
    EXIT_NPF, /* nested page fault */
    EXIT_HLT,
    EXIT_INTWIN, /* the guest can take an interrupt now, or an NMI */
    EXIT_PAUSE,
    EXIT_TASK_SWITCH, /* HVM: a JMP, CALL or IRET that switches tasks */
    EXIT_INVLPG,      /* HVM, where that is intercepted */
    EXIT_SHUTDOWN,    /* triple fault */
    EXIT_ERROR,       /* the emulator gave up: the guest did something it cannot do */
    EXIT_NR_KINDS
};

/* Why an observer has the guest. */
enum sim_stop {
    STOP_LIMIT, /* stop_after instructions are over */
    STOP_BREAK, /* rip is at an address of machine_break_set() */
    STOP_WATCH, /* the instruction at rip is about to access memory of machine_watch_set() */
};

/* What the guest was left for. kind selects the arm of the union, and no other is to be read; other kinds have none. */
struct sim_exit {
    enum sim_exit_kind kind;
    uint8_t insn_len; /* 0 when sim/ does not know it */
    uint64_t insns;   /* guest instructions retired in this run */
    union {
        struct {
            uint8_t vector;
            bool has_error_code;
            uint32_t error_code; /* 0 without one */
            union {
                uint64_t addr; /* #PF: the faulting address */
                uint64_t dr6;  /* #DB: the bits of DR6 that it sets; of other exceptions 0 */
            };
        } exception; /* EXIT_EXCEPTION */
        struct {
            uint8_t vector;
        } softint; /* EXIT_SOFTINT */
        struct {
            uint16_t port;
            uint8_t size; /* bytes: 1, 2, 4 */
            bool in;
            bool string;
        } io; /* EXIT_IO */
        struct {
            uint64_t dr6; /* bits of DR6 that #DB is to report behind the instruction */
            bool rdtscp;  /* EXIT_RDTSC: it was RDTSCP */
        } insn;           /* EXIT_CPUID, EXIT_RDTSC, EXIT_PAUSE */
        struct {
            uint8_t nr;
        } cr; /* EXIT_CR_READ, EXIT_CR_WRITE, EXIT_DR_READ, EXIT_DR_WRITE */
        struct {
            uint64_t gpa;        /* of the access, or of the entry of the guest's tables */
            uint32_t error_code; /* EXITINFO1's lower half: PFEC_* */
            bool table;          /* it was one of the guest's tables that could not be reached */
        } npf;                   /* EXIT_NPF */
        struct {
            uint16_t sel; /* of the TSS or the task gate; IRET: 0, the link in the TSS says */
            enum { TASK_JMP, TASK_CALL, TASK_IRET } why;
        } task; /* EXIT_TASK_SWITCH */
        struct {
            enum sim_stop why;
            /* STOP_WATCH: a store or a load, of so many bytes (larger operands are accessed in parts of 8), */
            bool write;
            uint8_t size;
            uint64_t addr; /* and where in machine memory; if it lies in two pages: in the first that is watched */
        } stop;            /* EXIT_STOP */
        struct {
            const char *why; /* static text */
        } error;             /* EXIT_ERROR */
    };
};

/* The vector of an exception or a software interrupt, 0 of all else. */
static inline uint8_t sim_exit_vector(const struct sim_exit *x)
{
    return x->kind == EXIT_EXCEPTION ? x->exception.vector : x->kind == EXIT_SOFTINT ? x->softint.vector : 0;
}

/* Name of a kind for statistics and traces. */
const char *sim_exit_name(enum sim_exit_kind kind);

/*
 * Create pCPU `id` of machine `m`. Runs the self-tests the first time (sim/engine/pcpu_selftest.c).
 * Returns NULL and a message in err (what is wrong, what to do) when the emulator cannot be used.
 */
struct pcpu *pcpu_create(struct machine *m, unsigned int id, char *err, size_t errlen);
void pcpu_destroy(struct pcpu *p);

/*
 * How far a vCPU may go. An exact budget ends behind `insns` instructions: where somebody waits for that time. One that
 * is not ends a little later, where it costs nothing: behind the first instruction after those that transfers control
 * (a jump, taken or not, a call, a return, an iteration of a repeated string instruction); with none left, behind the
 * next such. So a slice that ends in the middle of straight code costs no tail of single instructions, and the next one
 * begins where translated code begins.
 *
 * An observer stops the vCPU behind `stop_after` instructions, exactly. It is to go on with what is left of the budget,
 * which then ends where it would have ended. Where both end, it is the budget's end. Both come before anything of the
 * next instruction, a fault of its fetch included.
 */
#define PCPU_NO_STOP UINT64_MAX /* beyond the life of the machine, as is what is left of it */
struct pcpu_budget {
    uint64_t insns;
    bool exact;
    bool resume;         /* the instruction that is next is no reason to stop: it was one */
    bool resume_break;   /* the same, but what it accesses may be a reason */
    uint64_t stop_after; /* PCPU_NO_STOP: nobody looks */
};

/* n instructions were executed. */
static inline void pcpu_budget_spend(struct pcpu_budget *b, uint64_t n)
{
    b->insns -= n < b->insns ? n : b->insns;
    b->stop_after -= n < b->stop_after ? n : b->stop_after;
}

/* Run context `c` for exactly `insns` instructions, or to an exit. c may have been run on another pCPU before. */
struct sim_exit pcpu_run(struct pcpu *p, struct cpu_context *c, uint64_t insns);

/*
 * Deal with an exit of c; *budget is what it was given: pcpu_budget_spend() makes it what is left. True: c goes on, for
 * as long as *budget then says. False: it does not, and may be gone.
 */
typedef bool pcpu_exit_fn(void *data, const struct sim_exit *exit, struct pcpu_budget *budget);
/*
 * As pcpu_run(), but stay with c for as long as on_exit(data, ...) says so: cheaper than to come back each time. No
 * guest may be run from there.
 */
void pcpu_run_on(struct pcpu *p, struct cpu_context *c, const struct pcpu_budget *budget, pcpu_exit_fn *on_exit,
                 void *data);

/* The context is about to be read by somebody else or destroyed: write the emulator's copy back and forget it. */
void pcpu_release(struct cpu_context *c);

/*
 * The arena is about to be saved or compared: each cpu_state is made the whole truth about its vCPU, in a form that
 * does not depend on what the emulator has in store. Not during a run; what runs next goes on as if it had not been
 * called.
 */
void pcpu_sync(struct machine *m);
/*
 * The arena was put back as it once was after pcpu_sync(): the emulator forgets all that it knows of vCPUs and their
 * page tables. What is lost is only time. (Frames that were put back are told of by frame_written().)
 */
void pcpu_forget(struct machine *m);

/* Name and version of the emulator in use. */
const char *pcpu_backend_name(struct pcpu *p);
/*
 * The shortcuts into it are taken: they were wanted, and it is laid out as they need it. Without them budgets, counts
 * and an observer's stops are as exact, but each stop takes longer.
 */
bool pcpu_backend_is_fast(const struct pcpu *p);

#endif
