// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine: one Unicorn instance, brought into SVM guest mode and kept there.
 *
 * Concept: a machine has one engine and its pCPUs take turns on it; they are stepped on one host thread anyway. What a
 * vCPU computed is swapped in when a pCPU runs another vCPU than the engine did last (about 0.5 us and a TLB flush).
 * One engine means one cache of translated code: a store through any pCPU drops the translations that any pCPU made.
 *
 * Guests run in SVM guest mode, PV guests too: every exception, software interrupt and sensitive instruction is
 * intercepted. But the #VMEXIT that would follow never happens: the emulator reports it to a hook, which asks it to
 * stop, and so a VMRUN is needed only once, when the machine is switched on.
 *
 *   physical addresses of the machine
 *   +---------------------------+ 0
 *   | RAM (struct machine.ram)  |
 *   +---------------------------+ nr_frames * 4096
 *   | nothing                   |
 *   +---------------------------+ EMU_PRIVATE
 *   | the host's own pages:     |   boot code, page tables, VMCB, host save area, pages for the self-tests.
 *   | enum emu_private_page     |   No guest can map them: they are no frames of the machine.
 *   +---------------------------+
 *
 * Invariants: `loaded` is the context whose registers the engine holds (NULL: nobody's); `running` (below) is set
 * whenever Unicorn's code runs, so that the functions that take the place of its own (private.h) find their engine.
 *
 * Budget: 500 lines: the engine's state is one structure, and what its files offer each other is a line or two each.
 */
#ifndef SIM_ENGINE_EMU_H
#define SIM_ENGINE_EMU_H

#include "sim/engine/private.h"
#include "sim/engine/raw.h"
#include "sim/fills.h"
#include "sim/machine.h"
#include "sim/nested.h"
#include "sim/pcpu.h"
#include "sim/vmcb.h"

/* The CPU model has 40 bits of physical address; one page-directory-pointer table reaches half of that. */
#define EMU_PRIVATE ((UINT64_C(1) << 39) - (1u << 20))

enum emu_private_page {
    EMU_PAGE_BOOT,
    EMU_PAGE_PML4,
    EMU_PAGE_PDPT,
    EMU_PAGE_VMCB,
    EMU_PAGE_HSAVE,
    EMU_PAGE_TEST, /* the self-tests' page tables, code and data */
    EMU_NR_PAGES = EMU_PAGE_TEST + 10,
};

/*
 * Room for translations, and how much of it may be used before all are dropped. Unicorn 2.1.1 crashes when the buffer
 * overflows in the middle of a run, so the engine interrupts the run and empties it, long before.
 */
#define EMU_GUEST_MODES     4
#define EMU_TB_BUFFER       (128u << 20)
#define EMU_TB_BUFFER_LIMIT (96u << 20)

/* Pages that the TLB was filled with, as many as are noted, in so many lists. */
#define EMU_FILLED_MANY  4096u
#define EMU_FILLED_LISTS 1024u

/* Vectors of exceptions. */
enum {
    TRAP_divide_error = 0,
    TRAP_debug = 1,
    TRAP_invalid_op = 6,
    TRAP_stack_fault = 12,
    TRAP_gp_fault = 13,
    TRAP_page_fault = 14,
    TRAP_simd_error = 19,
};

/* What a run was stopped by; the first cause counts. */
enum emu_stop {
    EMU_STOP_NONE,
    EMU_STOP_INTR,
    EMU_STOP_SYSCALL,
    EMU_STOP_SYSENTER,
    EMU_STOP_BUDGET,
    EMU_STOP_LIMIT, /* the observer's */
    EMU_STOP_FLUSH, /* the run is only interrupted: to empty the buffer of translations, */
    EMU_STOP_TAIL,  /* to go on in blocks of one instruction, */
    EMU_STOP_QUIET, /* in such, and nothing breaks in them, */
    EMU_STOP_USUAL, /* in the usual ones again */
    EMU_STOP_DEBUG, /* in front of an instruction at which a guest breaks */
    EMU_STOP_BREAK, /* at which the observer does */
};

struct cpu_context;
struct emu_context;
struct pcpu_run;
struct CPUState;
struct CPUX86State;
struct DisasContextBase;
struct TCGContext;
struct TranslationBlock;
struct TranslatorOps;
struct page_collection;
struct uc_struct;

/* Unicorn's own versions of the functions that this program replaces, found when the engine starts (private.c). */
struct emu_real {
    void (*tb_invalidate_phys_page_fast)(struct uc_struct *, struct page_collection *, uint64_t, int, uintptr_t);
    void (*tlb_set_dirty)(struct CPUState *, uint64_t);
    void (*translator_loop)(const struct TranslatorOps *, struct DisasContextBase *, struct CPUState *,
                            struct TranslationBlock *, int);
    void (*tcg_gen_op3)(struct TCGContext *, int, uintptr_t, uintptr_t, uintptr_t);
    void (*tcg_gen_exit_tb)(struct TCGContext *, struct TranslationBlock *, unsigned int);
    struct TranslationBlock *(*tcg_tb_lookup)(struct TCGContext *, uintptr_t);
    bool (*cpu_restore_state)(struct CPUState *, uintptr_t, bool);
    void (*restore_state_to_opc)(struct CPUX86State *, struct TranslationBlock *, uint64_t *);
    uint32_t (*cpu_ldub_code)(struct CPUX86State *, uint64_t);
    uint32_t (*cpu_lduw_code)(struct CPUX86State *, uint64_t);
    uint32_t (*cpu_ldl_code)(struct CPUX86State *, uint64_t);
    void (*fcomi)(struct CPUX86State *);
    void (*fucomi)(struct CPUX86State *);
    void (*emms)(struct CPUX86State *);
    void (*fldcw)(struct CPUX86State *, uint32_t);
    void (*fxrstor)(struct CPUX86State *, uint64_t);
    void (*ljmp_protected)(struct CPUX86State *, int, uint64_t, uint64_t);
    void (*lcall_protected)(struct CPUX86State *, int, uint64_t, int, uint64_t);
    void (*iret_protected)(struct CPUX86State *, int, int);
    void (*iret_real)(struct CPUX86State *, int);
    void (*ltr)(struct CPUX86State *, int, int);
    void (*load_seg)(struct CPUX86State *, int, int);
    void (*lret_protected)(struct CPUX86State *, int, int);
    void (*write_crN)(struct CPUX86State *, int, uint64_t);
    void (*tcg_gen_qemu_ld_i64)(struct TCGContext *, uintptr_t, uintptr_t, uint64_t, uint32_t);
    void (*tcg_gen_qemu_st_i64)(struct TCGContext *, uintptr_t, uintptr_t, uint64_t, uint32_t);
    uint64_t (*x86_ldq_phys)(struct CPUState *, uint64_t);
    void (*x86_stl_phys_notdirty)(struct CPUState *, uint64_t, uint32_t);
    void (*x86_stq_phys)(struct CPUState *, uint64_t, uint64_t);
    void (*tlb_flush_by_mmuidx)(struct CPUState *, uint16_t);
    void (*tlb_flush_page_by_mmuidx)(struct CPUState *, uint64_t, uint16_t);
    void *(*lookup_tb_ptr)(struct CPUX86State *);
    struct TranslationBlock *(*tb_htable_lookup)(struct CPUState *, uint64_t, uint64_t, uint32_t, uint32_t);
    bool (*x86_cpu_tlb_fill)(struct CPUState *, uint64_t, int, int, int, bool, uintptr_t);
    struct emu_access {
#define EMU_LOAD(name, size)  uint64_t (*name)(struct CPUX86State *, uint64_t, uint32_t, uintptr_t);
#define EMU_STORE(name, size) void (*name)(struct CPUX86State *, uint64_t, uint64_t, uint32_t, uintptr_t);
        EMU_LOADS(EMU_LOAD)
        EMU_STORES(EMU_STORE)
#undef EMU_LOAD
#undef EMU_STORE
    } access;
};

#define EMU_SHARED_MANY 16
#define EMU_DONE_MANY   128 /* more stores than any one instruction makes */
#define EMU_KEPT_LISTS  256

/*
 * struct machine's view of the engine: what it knows of frames, and has to hear of their change for. Translated code;
 * entries of an HVM guest's page tables that the TLB was filled from: of the last level, of others (tables.c).
 */
struct code_map {
    struct emu *emu;
    uint8_t *has_code; /* a byte a frame: the machine's, then the private pages */
};
#define HAS_CODE        1u
#define HAS_LEAVES      2u
#define HAS_TABLES      4u
#define EMU_TABLES_MANY 1024u

struct emu {
    struct machine *m;
    struct code_map code;
    unsigned int users; /* pCPUs */
    uc_engine *uc;
    struct raw_cpu raw;
    uint8_t *priv;          /* EMU_NR_PAGES pages at EMU_PRIVATE */
    uc_context *reset;      /* the state before the first instruction */
    struct emu_guest_mode { /* the state right after VMRUN: one for each kind of controls that a vCPU has had */
        struct vcpu_controls controls;
        uc_context *state;
    } guest_mode[EMU_GUEST_MODES];
    unsigned int nr_guest_modes;
    bool entering; /* on the way to one of them */
    struct cpu_context *loaded;
    struct emu_context *loaded_kept;          /* with a `loaded`: its entry in */
    struct emu_context *kept[EMU_KEPT_LISTS]; /* what is kept of vCPUs: pcpu_context.c */
    bool segments_due;                        /* segments have been loaded: emu_segments_changed() is to be called */
    struct raw_segment seg[CPU_NR_SEGS];      /* what stands for the loaded one's segments: converted when it changes */
    /*
     * An exit has happened, for the reason in `stop`: true: it was dealt with, the registers are loaded, the run goes
     * on. NULL: it ends with each exit.
     */
    bool (*on_exit)(struct emu *e);
    struct pcpu_run *run; /* pcpu.c: the vCPU that is being run */
    /* why the run stopped */
    enum emu_stop stop;
    uint32_t intno;  /* EMU_STOP_INTR: 0x100 + SVM exit code */
    bool io_pending; /* io.c: the #GP stands for this I/O instruction */
    uint16_t io_port;
    uint8_t io_size;
    bool io_in;
    struct emu_fast { /* run.c */
        bool refused; /* not possible: something is not where it should be */
        bool enter;   /* in use */
    } fast;
    struct emu_tlb {        /* tlb.c, flush.c */
        bool known;         /* it is laid out as tlb.h has it */
        bool two;           /* one of each root */
        uint64_t other;     /* the root that TLB 0 is of */
        uint64_t root;      /* the root that TLB 1 is of */
        struct {            /* since the last flush: */
            bool all, code; /* all mappings; mappings of frames with code, where jumps may lead to */
        } gone;
        struct emu_filled { /* the pages and frames of all entries, and perhaps others */
            uint64_t page, frame;
            uint16_t next; /* of the same list; as in list[]: a number from 1, or 0 */
        } filled[EMU_FILLED_MANY];
        uint16_t list[EMU_FILLED_LISTS]; /* by frame */
        unsigned int nr_filled;
        bool filled_lost; /* not of all entries */
    } tlb;
    struct emu_nested { /* nested.c */
        bool on;        /* the loaded vCPU is an HVM guest's */
        bool in_table;  /* the exit by NPF was for one of the guest's tables */
        bool tables_lost;
        unsigned int nr_tables;
        uint32_t tables[EMU_TABLES_MANY]; /* frames with HAS_LEAVES or HAS_TABLES; lost: and others */
        uint32_t stored, stores;          /* the table that was stored to last, and how often in a row */
        struct nested_regs regs;          /* as loaded, but for cr3 */
        uint64_t shadow;                  /* root of its shadow page tables; 0: it has none */
        struct machine_fills fills;
    } nested;
    uint16_t task_sel; /* system.c: of the exit for a task switch */
    uint8_t task_why;
    struct emu_lookup {            /* lookup.c */
        struct lookup_slot *slots; /* NULL: not in use */
        uint64_t flushes[2];       /* of the TLB: of what it knew of the lower half of addresses, of the upper half */
        const size_t *given_up;    /* the library's count of blocks that were */
        void *way_out;             /* code that goes back to the library's main loop */
        const uint64_t *eip, *cs_base;
        const uint32_t *hflags, *eflags;
        /* while the self-tests run: answers that agreed, one that did not, the last one */
        unsigned int tried, tried_code;
        bool refused;
        const uint8_t *found;
    } lookup;
    struct emu_mmu {
        struct machine_fills fills; /* of PV guests, and from shadow page tables */
        bool not_canonical;         /* the #GP stands for an access to addr, which is not */
        uint64_t addr;
    } mmu;
    struct emu_gate {
        uint64_t pc;    /* of the instruction that is being translated */
        bool refused;   /* the translator is shown UD2 in its place */
        bool transfers; /* it transfers control: a budget may end behind it */
        bool ends;      /* it is the last of its block: INTO, which leaves without saying where it is */
        /* Or parts of it in another form, see gate_sse.c: prefixes, */
        uint8_t nr_prefixes; /* of which F2 and F3 (and 66) */
        uint8_t rep;         /* read as this one */
        bool hides_66, hides_lock;
        bool has_byte;
        uint8_t byte_at, byte; /* and the byte so far behind its start; */
        uint8_t later_at;      /* 0, or where a displacement from RIP is that it takes for one less */
        uint8_t operand;       /* enum emu_operand */
        bool syscall;
        unsigned int accesses; /* of it that have been translated, */
        uintptr_t first_addr;  /* and the first one's address (TCG's name of it) */
        uint32_t flags;        /* the six in front of the last GATE_FLAGS that was executed */
        uint8_t string;        /* GATE_STRING: log2 of the element's size, EMU_STRING_MOVES */
        uint64_t frame;        /* RBP in front of the last GATE_FRAME */
        unsigned int nr_checks;
        struct {
            uint32_t what;
            int32_t disp;
        } check[4]; /* that are due in front of it, see segment.c */
        /* segment_code.c: its code segment's limit is to be obeyed, which is this; where that begins */
        bool limited, opens;
        uint32_t limit;
        uint64_t code_base;
        uint32_t reach;        /* the block's: the last offset that it reads at or branches to; of the instruction's */
        uint32_t branch;       /* target, if the block's may be that; */
        uint8_t *reach_op;     /* where it is told of it */
        uint32_t extra_offset; /* of the operand that is checked next */
    } gate;
    struct emu_count {
        struct TCGContext *tcg;
        void *block, *tb, *patch; /* the translation in progress */
        void (*translate_insn)(struct DisasContextBase *, struct CPUState *);
        bool armed;
        void *env_temp;
        struct TranslationBlock *marked;
        bool closed;              /* it ends with a transfer of control */
        struct pcpu_budget asked; /* for the run; */
        uint64_t end;             /* where that ends, if it is known; */
        uint64_t given;           /* what the counter began with */
        bool tail, quiet;         /* blocks of one instruction; and nothing breaks in them */
        bool was_tail;            /* at the observer's limit */
        bool peek;                /* look where an instruction is, and do nothing else */
        uint16_t undone;          /* of the block that was restored, or looked at */
        uintptr_t helper_pc;      /* within the library's version of a helper: where ours is to return to; else 0 */
        uint32_t cpl;             /* of what is executed, */
        uint64_t cpl_since;       /* behind so many instructions of the run */
        uint64_t last_pc;         /* that was found, or restored to */
    } count;
    struct emu_smc {
        uint64_t store_frame;             /* frame of the store that is being looked at */
        unsigned int nr_shared;           /* the shared frames that were translated from since the guest was entered; */
        uint64_t shared[EMU_SHARED_MANY]; /* more than that: buffer_full is set instead */
        struct CPUState *cpu;
        uintptr_t buffer_start; /* lowest address of a translation block: they lie in the buffer, by age */
        uintptr_t buffer_limit; /* EMU_TB_BUFFER_LIMIT, or less in tests */
        bool buffer_full;
    } smc;
    struct emu_debug {                     /* debug.c: of the loaded vCPU, from its DR0-3 and DR7; a bit a register */
        uint8_t breaking, watching, reads; /* on an instruction; on data; on reads of it, too */
        uint64_t addr[4];
        uint8_t last[4]; /* data: the length, less one */
        bool single;     /* one instruction is being executed: note hits, and do not stop */
        bool stopped;    /* the #DB stands for an access that is about to hit */
        bool inside;     /* an access that was looked at is being carried out */
        uint8_t hits;
        bool in_family, quiet, leaves;                              /* the block that is being translated */
        uint64_t known[4 * (RAW_HF_FAMILY >> RAW_HF_FAMILY_SHIFT)]; /* more than there are families for */
        unsigned int nr_known, family;                              /* the latest family; */
        unsigned int loaded_family;                                 /* the loaded vCPU's */
    } debug;
    struct emu_observe {  /* observe.c */
        uint64_t *breaks; /* sorted */
        size_t nr_breaks, nr_watches;
        struct machine_watch *watches;
        uint8_t *frames;      /* WATCH_* of each */
        bool changed;         /* since the run was entered */
        unsigned int nr_done; /* what has been done since the last stop: the latest EMU_DONE_MANY of it */
        struct emu_done {
            uint64_t at_insn;  /* by an instruction of the block that ends here, */
            uintptr_t host_pc; /* and there in it */
            uint8_t *to, size;
            bool walk; /* an A or D bit */
            uint64_t was;
        } done[EMU_DONE_MANY];
        bool stopped; /* the #DB stands for this: */
        struct sim_exit hit;
    } observe;
    struct emu_real real; /* the library's own versions of what is replaced */
    char name[128];
};

/* running.c: the engine whose code is being run on this host thread. */
extern _Thread_local __attribute__((tls_model("initial-exec"))) struct emu *emu_running;
/* From a hook: note the cause and stop. */
/* Nothing has stopped it yet. */
void emu_run_begins(struct emu *e);
void emu_stop(struct emu *e, enum emu_stop cause);
/* emu.c: likewise, unless who runs the guest deals with it and lets it go on. */
void emu_leave(struct emu *e, enum emu_stop cause);
/* EXITINFO2 of the last exit: the address of a #PF or NPF. */
uint64_t emu_exit_info2(const struct emu *e);

/* "Unicorn x.y.z cannot be used: <why>", and what to do about it. */
void emu_complain(char *err, size_t errlen, const char *why);

struct emu *emu_create(struct machine *m, char *err, size_t errlen);
void emu_destroy(struct emu *e);

/* Execute from raw eip until something stops it. */
uc_err emu_run(struct emu *e);
static inline void *emu_page(struct emu *e, enum emu_private_page page) { return e->priv + page * PAGE_SIZE; }
static inline uint64_t emu_page_addr(enum emu_private_page page) { return EMU_PRIVATE + page * PAGE_SIZE; }

/* Host address of a physical one; NULL when there is nothing. */
static inline uint8_t *emu_phys(const struct emu *e, uint64_t addr)
{
    if (addr < e->m->nr_frames << PAGE_SHIFT)
        return e->m->ram + addr;
    if (addr >= EMU_PRIVATE && addr < EMU_PRIVATE + EMU_NR_PAGES * PAGE_SIZE)
        return e->priv + (addr - EMU_PRIVATE);
    return NULL;
}

/* The number that smc.c has for the frame of a physical address, which is one of emu_phys(). */
static inline uint64_t emu_frame(const struct emu *e, uint64_t addr)
{
    return (addr < EMU_PRIVATE ? addr : addr - EMU_PRIVATE + (e->m->nr_frames << PAGE_SHIFT)) >> PAGE_SHIFT;
}

/* Is there translated code of it? */
static inline bool emu_has_code(const struct emu *e, uint64_t addr)
{
    return e->code.has_code[emu_frame(e, addr)] & HAS_CODE;
}

/* private.c: find Unicorn's own versions; false when some are missing or this is not the version they belong to. */
bool emu_private_find(struct emu *e);

/* count.c. At once the counter is given at most EMU_MAX_BUDGET. */
#define EMU_MAX_BUDGET (UINT64_C(1) << 30)
void emu_count_start(struct emu *e, const struct pcpu_budget *budget);
/* Instructions retired since emu_count_start(). */
uint64_t emu_count_stop(struct emu *e);
/* In the hook of an instruction that was its block's last, or in front of a block: the CPL may be another one. */
void emu_count_cpl(struct emu *e);
/* It goes on from an observer's stop after one instruction, whose blocks these are: in more of them, if that is all. */
bool emu_count_steps(struct emu *e, const struct pcpu_budget *budget);
/*
 * The instruction that called a helper which is to return to host_pc (0: the one that is next): is it the one that a
 * run was resumed at? How many instructions of its block are not done? Behind how many does the block end?
 */
bool emu_count_resumes(struct emu *e, uintptr_t host_pc);
uint64_t emu_count_undone(struct emu *e, uintptr_t host_pc);
uint64_t emu_count_block_end(struct emu *e);
/* Does the run end behind that many: EMU_STOP_BUDGET, EMU_STOP_LIMIT, EMU_STOP_NONE? */
enum emu_stop emu_count_end(const struct emu *e, uint64_t insns);
/* The run was interrupted (EMU_STOP_FLUSH, EMU_STOP_TAIL) and goes on. */
void emu_count_resume(struct emu *e);
/* Linear address of the guest instruction that called a helper, which is to return to host_pc. Changes nothing. */
uint64_t emu_insn_at(struct emu *e, uintptr_t host_pc);
/* After anything that may have undone a part of a block. */
void emu_count_unmark(struct emu *e);

/* run.c: enter translated code, which is left for one of the reasons in e->stop, or an error. */
uc_err emu_enter(struct emu *e);
/* In the first run: are things where emu_enter() would write? */
enum emu_run_phase { EMU_RUN_INSIDE, EMU_RUN_STOPPING, EMU_RUN_OVER };
void emu_run_check(struct emu *e, enum emu_run_phase phase);
void emu_run_init(struct emu *e, bool plain);

/* operand.c: what the memory operand of the instruction that is being translated needs. */
enum emu_operand { OPERAND_WHOLE, OPERAND_ALIGNED, OPERAND_8, OPERAND_4 };
/*
 * An access that takes the slow way; index: its MMU mode and MemOp. Raises #GP, or returns the index for the library.
 */
uint32_t emu_operand_check(struct CPUX86State *env, uint64_t addr, uint32_t index, uintptr_t host_pc);

/* gate.c: what is to become of the instruction at linear address pc, which is about to be translated. */
enum gate_answer { GATE_PASS, GATE_INVALID, GATE_OPENS, GATE_FLAGS, GATE_FRAME, GATE_STRING };
enum gate_answer emu_gate(struct emu *e, uint64_t pc);
/*
 * segment.c: are DS, ES and SS of these six flat, and CS, if that counts? The processor's have changed: put right what
 * the translator knows of them.
 */
bool emu_segments_flat(const struct emu *e, const struct raw_segment *seg);
void emu_segments_changed(struct emu *e);
/* Are there limits and types of segments at all? In 64-bit code there are none. */
static inline bool emu_segments_count(const struct emu *e, bool hvm) { return hvm || e->m->exact_segments; }
/* Does the segment allow an access to size bytes from an offset on? */
bool emu_segment_allows(struct emu *e, const struct raw_segment *s, uint64_t offset, unsigned int size, bool write);
/* segment_code.c: the block must end in front of pc. May not return. */
bool emu_code_ends(struct emu *e, uint64_t pc, bool first);
/* An instruction of the block has been translated, which ends in front of next. */
void emu_code_reaches(struct emu *e, uint64_t next);
/* A byte of code is wanted. May not return. */
void emu_code_limit(struct emu *e, uint64_t addr);
/* The call in front of a block, or an instruction, that is no check of an operand (struct emu_gate.check). */
void emu_code_check(struct emu *e, struct CPUX86State *env, uint32_t what, uint32_t value, uintptr_t host_pc);
/*
 * segment_far.c, in front of a far transfer of protected mode whose operand has so many bytes: what of it is beyond a
 * limit faults. push_size: of the words that a CALL pushes; 0: it is a JMP.
 */
void emu_far_to(struct emu *e, struct CPUX86State *env, uint16_t sel, uint32_t offset, unsigned int push_size,
                uintptr_t host_pc);
void emu_far_return(struct emu *e, struct CPUX86State *env, unsigned int size, unsigned int pops, uintptr_t host_pc);
void emu_far_iret(struct emu *e, struct CPUX86State *env, unsigned int size, uintptr_t host_pc);
/* Are there limits that they are to obey? */
static inline bool emu_far_limited(struct emu *e)
{
    return e->m->exact_segments && !e->entering && !(raw_get(&e->raw, hflags, uint32_t) & RAW_HF_CS64);
}
/* A branch to this offset of the code segment is about to be made. */
void emu_code_target(struct emu *e, struct CPUX86State *env, uint32_t offset, uintptr_t host_pc);
/* emu_gate.string, for string.c. */
#define EMU_STRING_MOVES 4u

/*
 * Within a block: what the call in front of an instruction was given; instructions that the budget has left; that many
 * were executed.
 */
uint32_t emu_count_note(struct emu *e);
uint32_t emu_count_note2(struct emu *e);
uint32_t emu_count_left(struct emu *e);
void emu_count_spend(struct emu *e, uint32_t n);

/* debug.c */
#define EMU_DEBUG_QUIET    (RAW_HF_FAMILY >> RAW_HF_FAMILY_SHIFT) /* the family in which nothing breaks */
#define EMU_DEBUG_FAMILIES (EMU_DEBUG_QUIET - 1)
#define EMU_DEBUG_LEAVE    INT32_MAX /* the length of a block that leaves at once: beyond every budget */
/* The loaded vCPU's debug registers, into a raw state. True: the TLB must be flushed. */
bool emu_debug_load(struct emu *e, const uint64_t dr[8]);
/* From here on: blocks of one instruction, in which nothing breaks, and accesses are noted. */
void emu_debug_single(struct emu *e, bool on);
/* A block is about to be translated; returns how many instructions it may have. */
int emu_debug_block(struct emu *e, const struct TranslationBlock *tb, int max_insns);
/* It must end in front of pc. */
bool emu_debug_breaks(const struct emu *e, uint64_t pc);
/* Nobody looks at single iterations (breakpoints, single steps) of it, and string.c has what it needs. */
bool emu_string_wanted(const struct emu *e);

/* observe.c: does the observer break at pc? */
bool emu_observe_breaks(const struct emu *e, uint64_t pc); /* running.c */
/* running.c. The first of n sorted addresses that is not below addr. */
size_t emu_first_from(const uint64_t *sorted, size_t n, uint64_t addr);
/* An access, or a walk for one (access: PFEC_*), is about to be done by what returns to host_pc. May not return. */
void emu_observe_access(struct emu *e, struct CPUX86State *env, uint64_t addr, uint64_t size, uint32_t access,
                        uintptr_t host_pc);
void emu_observe_walk(struct emu *e, struct CPUX86State *env, uint64_t addr, uint32_t access, uintptr_t host_pc);
/* The same of an HVM guest's walk, which w is. */
void emu_observe_nested(struct emu *e, struct CPUX86State *env, const struct nested_walk *w, uintptr_t host_pc);
/* How the page at addr, which comes into the TLB, is to be marked (BP_MEM_*). */
int emu_observe_page(struct emu *e, uint64_t addr);
void emu_observe_destroy(struct emu *e);

struct page_walk;
/* pcpu_walk.c: page_walk() in RAM and the pages of the engine. */
bool emu_walk(struct emu *e, uint64_t root, uint64_t addr, struct page_walk *w);

/* What the loaded HVM guest's addresses are translated by. */
static inline struct nested_regs emu_nested_regs(struct emu *e)
{
    struct nested_regs r = e->nested.regs;

    r.cr3 = *raw_cr(&e->raw, 3);
    return r;
}
/* pcpu_walk.c: where an access of the loaded HVM vCPU (PFEC_*) goes to, without a trace. */
void emu_nested_look(struct emu *e, uint64_t addr, uint32_t access, struct nested_walk *w);
/* pcpu_walk.c: a walk of the loaded vCPU's shadow page tables. False: no page, or not for this: *pfec says which. */
bool emu_shadow_walk(struct emu *e, uint64_t addr, uint32_t *pfec, struct page_walk *w);
/* nested.c: in place of the library's walk; host_pc as it has it. May not return. */
bool emu_nested_fill(struct emu *e, uint64_t addr, int type, int mmu_idx, bool probe, uintptr_t host_pc);
/* pcpu_walk.c: is this what a walk finds now? For tests. */
bool emu_nested_agrees(struct emu *e, uint64_t page, uint64_t phys, bool user, bool writable);

/* tables.c: the frame at phys holds an entry of an HVM guest's tables that was read; leaf: of the last level. */
void emu_table_note(struct emu *e, uint64_t phys, bool leaf);
/* The guest is about to store to such a frame. */
void emu_table_store(struct emu *e, uint64_t phys, unsigned int len);
/* filled.c: the TLB is empty, no frame is a table any more. */
void emu_tables_forget(struct emu *e);

/* run.c: leave the guest where it can be interrupted. */
void emu_want_interrupt(struct emu *e, bool want);

/* filled.c: stores to this frame take the slow way, by whatever address. */
void emu_tlb_protect(struct emu *e, uint64_t frame);
/* What leads to this frame goes, now, in the middle of a run; false: it is not known what that is. Or all goes. */
bool emu_tlb_take_out(struct emu *e, uint64_t frame);
void emu_tlb_take_out_all(struct emu *e);

/* flush.c: all that may have changed; one page, of both roots (false while the engine has not run). */
void emu_tlb_flush(struct emu *e);
/* All, whatever is known of it. */
void emu_tlb_forget(struct emu *e);
/* There is something to be flushed before a guest is entered. */
static inline bool emu_tlb_due(const struct emu *e) { return e->tlb.gone.all || e->tlb.gone.code; }

/*
 * emu.c: what the processor is in guest mode with these controls. The loaded context's registers must have been saved.
 */
uc_context *emu_guest_mode(struct emu *e, const struct vcpu_controls *controls);
bool emu_tlb_flush_page(struct emu *e, uint64_t addr);
/* Something that is gone since the last flush may have been code. */
bool emu_tlb_code_gone(const struct emu *e);
/* This one of its TLBs knows something of this address now. */
void emu_tlb_filled(struct emu *e, unsigned int tlb, uint64_t addr);
/* tlb.c */
/*
 * The memory at addr, if the TLB has it for what runs, and it is such that nothing happens on an access but the access.
 */
uint8_t *emu_tlb_host(struct emu *e, uint64_t addr, bool write);
/*
 * CR3 goes from one of two roots to the other; both keep what the TLB knows of them, if they are the two of last time.
 */
void emu_tlb_change_root(struct emu *e, uint64_t from, uint64_t to);
#define EMU_NO_ROOT ~UINT64_C(0)
/*
 * A guest has just read at addr, of the page at phys. Is the TLB laid out as known? If not, a change of roots flushes
 * it.
 */
bool emu_tlb_init(struct emu *e, uint64_t addr, uint64_t phys);

/*
 * lookup.c: after a guest has jumped about; give_up: gives up a block. Are blocks laid out as known? If not, the
 * library finds them.
 */
bool emu_lookup_init(struct emu *e, void (*give_up)(void *data), void *data);
/* All blocks are gone. */
void emu_lookup_forget(struct emu *e);
void emu_lookup_destroy(struct emu *e);

/* smc.c: after a store to a frame that may hold translated code: it does not any more. */
bool emu_smc_may_set_dirty(const struct emu *e);
bool emu_smc_init(struct emu *e);
void emu_smc_destroy(struct emu *e);
/* Translations fill the buffer: note where the one being made lies, and drop all of them when it is nearly full. */
void emu_smc_note_block(struct emu *e, uintptr_t tb);
void emu_smc_flush_all(struct emu *e);
/* Drop all translations of code in a frame (numbered as in emu.code.has_code). */
void emu_smc_invalidate(struct emu *e, uint64_t frame);
/* The guest is about to be entered: drop what was translated of shared frames (sim/frame.h) before. */
void emu_smc_drop_shared(struct emu *e);
/* Other frames may be shared than were when they were translated from: drop what was translated of those that are. */
void emu_smc_forget(struct emu *e);

/* sse.c: false when the host cannot do the guest's arithmetic. */
bool emu_sse_init(void);

#endif
