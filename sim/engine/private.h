// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unicorn's private functions that this program replaces or calls.
 *
 * Concept: Unicorn's shared library exports its internals and calls them through the dynamic linker, so a function of
 * the same name in the program takes the library's place for everybody (interposition). What the public API cannot do
 * is done so: keep translated code right when it is written (smc.c), count instructions at the price of a subtraction a
 * block (count.c, translate.c), look at each instruction before it is translated (gate.c), break where a guest asks for
 * it (debug.c), leave an I/O instruction before it executes (io.c), give the TLB virtual time (mmu.c), compute what the
 * library computes wrongly (sse.c, helpers.c). None of it is promised by anybody, so it is tied to one version, and
 * self-tests at start decide whether the machine starts at all: there is no second way, for no other keeps a guest from
 * bending the emulator.
 *
 * How it works: each replacement looks at `emu_running`, the engine in use on this thread. The original is found with
 * dlsym(RTLD_NEXT). The program must be linked with -rdynamic.
 */
#ifndef SIM_ENGINE_PRIVATE_H
#define SIM_ENGINE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opaque on purpose: QEMU's types are named, never laid out. */
struct CPUState;
struct CPUX86State;
struct DisasContextBase;
struct TCGContext;
struct TCGOp;
struct TCGTemp;
struct TranslationBlock;
struct TranslatorOps;
struct page_collection;
struct uc_struct;

/* A helper, by the short name that Unicorn's translator has for it. */
#define HELPER(name) helper_##name##_x86_64

/* In a helper: the place in translated code that it was called from. */
#define RETADDR ((uintptr_t)__builtin_return_address(0))

/* An SSE register as helpers get it; its address may have any alignment. */
struct xmm {
    uint64_t q[2];
};

/*
 * Called, not replaced. They are weak so that a library without one is refused (emu_private_find()) and not the
 * program.
 */
extern struct TCGOp *tcg_emit_op_x86_64(struct TCGContext *tcg, int opc) __attribute__((weak));
extern struct TCGTemp *tcg_temp_new_internal_x86_64(struct TCGContext *tcg, int type, bool local) __attribute__((weak));
extern void tcg_temp_free_internal_x86_64(struct TCGContext *tcg, struct TCGTemp *temp) __attribute__((weak));
extern void tcg_gen_callN_x86_64(struct TCGContext *tcg, void *function, struct TCGTemp *result, int nargs,
                                 struct TCGTemp **args) __attribute__((weak));
extern void tlb_reset_dirty_x86_64(struct CPUState *cpu, uint64_t host_addr, uint64_t length) __attribute__((weak));
extern void tlb_flush_page_x86_64(struct CPUState *cpu, uint64_t vaddr) __attribute__((weak));
extern void tb_invalidate_phys_page_range_x86_64(struct uc_struct *uc, uint64_t start, uint64_t end)
    __attribute__((weak));
extern uint32_t cpu_cc_compute_all_x86_64(struct CPUX86State *env, int op) __attribute__((weak));
extern void helper_enter_mmx_x86_64(struct CPUX86State *env) __attribute__((weak));
extern void update_mxcsr_status_x86_64(struct CPUX86State *env) __attribute__((weak));
extern uint32_t cpu_ldub_data_ra_x86_64(struct CPUX86State *env, uint64_t addr, uintptr_t host_pc)
    __attribute__((weak));
extern uint32_t cpu_lduw_data_ra_x86_64(struct CPUX86State *env, uint64_t addr, uintptr_t host_pc)
    __attribute__((weak));
extern uint32_t cpu_ldl_data_ra_x86_64(struct CPUX86State *env, uint64_t addr, uintptr_t host_pc) __attribute__((weak));
/*
 * host_pc: where translated code is to be left, or 0: where its state says. The second returns if that is not
 * intercepted.
 */
extern void raise_exception_err_ra_x86_64(struct CPUX86State *env, int vector, int error_code, uintptr_t host_pc)
    __attribute__((weak));
extern void cpu_svm_check_intercept_param_x86_64(struct CPUX86State *env, uint32_t exit_code, uint64_t info1,
                                                 uintptr_t host_pc) __attribute__((weak));

extern void cpu_vmexit_x86_64(struct CPUX86State *env, uint32_t exit_code, uint64_t info1, uintptr_t host_pc)
    __attribute__((weak));
/* The block is never entered again; page_addr: -1. The second: leave translated code, whose state has been restored. */
extern void tb_phys_invalidate_x86_64(struct TCGContext *tcg, struct TranslationBlock *tb, uint64_t page_addr)
    __attribute__((weak));
extern void cpu_loop_exit_noexc_x86_64(struct CPUState *cpu) __attribute__((weak));
/* attrs: MemTxAttrs, 0; rights: 1 to read, 2 to write, 4 to execute. */
extern void tlb_set_page_with_attrs_x86_64(struct CPUState *cpu, uint64_t vaddr, uint64_t paddr, uint32_t attrs,
                                           int rights, int mmu_idx, uint64_t size) __attribute__((weak));

/* smc.c */
void tlb_protect_code_x86_64(struct uc_struct *uc, uint64_t ram_addr);
void tlb_unprotect_code_x86_64(struct uc_struct *uc, uint64_t ram_addr);
void tb_invalidate_phys_page_fast_x86_64(struct uc_struct *uc, struct page_collection *pages, uint64_t start, int len,
                                         uintptr_t retaddr);
void tlb_reset_dirty_by_vaddr_x86_64(struct CPUState *cpu, uint64_t start, uint64_t length);

/* tlb.c */
void tlb_set_dirty_x86_64(struct CPUState *cpu, uint64_t vaddr);

/* translate.c */
void translator_loop_x86_64(const struct TranslatorOps *ops, struct DisasContextBase *db, struct CPUState *cpu,
                            struct TranslationBlock *tb, int max_insns);
void tcg_gen_op3_x86_64(struct TCGContext *tcg, int opc, uintptr_t a1, uintptr_t a2, uintptr_t a3);
void tcg_gen_exit_tb_x86_64(struct TCGContext *tcg, struct TranslationBlock *tb, unsigned int idx);
void check_exit_request_x86_64(struct TCGContext *tcg);

/* count.c */
struct TranslationBlock *tcg_tb_lookup_x86_64(struct TCGContext *tcg, uintptr_t host_pc);
bool cpu_restore_state_x86_64(struct CPUState *cpu, uintptr_t host_pc, bool will_exit);
void restore_state_to_opc_x86_64(struct CPUX86State *env, struct TranslationBlock *tb, uint64_t *data);
void tb_exec_lock_x86_64(void *tcg);
void helper_raise_exception_x86_64(struct CPUX86State *env, int vector);

/* gate.c */
uint32_t cpu_ldub_code_x86_64(struct CPUX86State *env, uint64_t addr);
uint32_t cpu_lduw_code_x86_64(struct CPUX86State *env, uint64_t addr);
uint32_t cpu_ldl_code_x86_64(struct CPUX86State *env, uint64_t addr);

/* string.c */
void helper_clgi_x86_64(struct CPUX86State *env);

/* operand.c */
void tcg_gen_qemu_ld_i64_x86_64(struct TCGContext *tcg, uintptr_t value, uintptr_t addr, uint64_t mode, uint32_t memop);
void tcg_gen_qemu_st_i64_x86_64(struct TCGContext *tcg, uintptr_t value, uintptr_t addr, uint64_t mode, uint32_t memop);

/* run.c */
extern int cpu_exec_x86_64(struct uc_struct *uc, struct CPUState *cpu) __attribute__((weak));

extern void tcg_gen_lookup_and_goto_ptr_x86_64(struct TCGContext *tcg) __attribute__((weak));
/* lookup.c; the first: where in RAM the code at a linear address lies, or ~0; faults do not return. */
extern uint64_t get_page_addr_code_x86_64(struct CPUX86State *env, uint64_t addr) __attribute__((weak));
/* observe.c; for each block, also those that are given up: (what it is found by, the block, data). */
extern void tcg_tb_foreach_x86_64(struct TCGContext *tcg, int (*look)(void *, void *, void *), void *data)
    __attribute__((weak));
extern size_t tcg_tb_phys_invalidate_count_x86_64(struct TCGContext *tcg) __attribute__((weak));
void *helper_lookup_tb_ptr_x86_64(struct CPUX86State *env);
struct TranslationBlock *tb_htable_lookup_x86_64(struct CPUState *cpu, uint64_t pc, uint64_t cs_base, uint32_t flags,
                                                 uint32_t cflags);
void tlb_flush_by_mmuidx_x86_64(struct CPUState *cpu, uint16_t tlbs);
void tlb_flush_page_by_mmuidx_x86_64(struct CPUState *cpu, uint64_t addr, uint16_t tlbs);
void tb_flush_x86_64(struct CPUState *cpu);

/* phys.c */
uint64_t x86_ldq_phys_x86_64(struct CPUState *cpu, uint64_t addr);
void x86_stl_phys_notdirty_x86_64(struct CPUState *cpu, uint64_t addr, uint32_t value);
void x86_stq_phys_x86_64(struct CPUState *cpu, uint64_t addr, uint64_t value);

/* mmu.c */
bool x86_cpu_tlb_fill_x86_64(struct CPUState *cpu, uint64_t addr, int size, int type, int mmu_idx, bool probe,
                             uintptr_t retaddr);
void helper_cr4_testbit_x86_64(struct CPUX86State *env, uint32_t bit);

/*
 * debug.c: where accesses to memory go that are not translated, or not to be. `how` is how: byte order, privilege. The
 * first half is called by translated code, the second by the library's helpers.
 */
#define EMU_LOADS(X)                                                                                                   \
    X(helper_ret_ldub_mmu_x86_64, 1)                                                                                   \
    X(helper_le_lduw_mmu_x86_64, 2)                                                                                    \
    X(helper_le_ldul_mmu_x86_64, 4)                                                                                    \
    X(helper_le_ldq_mmu_x86_64, 8)                                                                                     \
    X(helper_be_lduw_mmu_x86_64, 2)                                                                                    \
    X(helper_be_ldul_mmu_x86_64, 4)                                                                                    \
    X(helper_be_ldq_mmu_x86_64, 8)                                                                                     \
    X(cpu_ldub_mmuidx_ra_x86_64, 1)                                                                                    \
    X(cpu_ldsb_mmuidx_ra_x86_64, 1)                                                                                    \
    X(cpu_lduw_mmuidx_ra_x86_64, 2)                                                                                    \
    X(cpu_ldsw_mmuidx_ra_x86_64, 2)                                                                                    \
    X(cpu_ldl_mmuidx_ra_x86_64, 4)                                                                                     \
    X(cpu_ldq_mmuidx_ra_x86_64, 8)
#define EMU_STORES(X)                                                                                                  \
    X(helper_ret_stb_mmu_x86_64, 1)                                                                                    \
    X(helper_le_stw_mmu_x86_64, 2)                                                                                     \
    X(helper_le_stl_mmu_x86_64, 4)                                                                                     \
    X(helper_le_stq_mmu_x86_64, 8)                                                                                     \
    X(helper_be_stw_mmu_x86_64, 2)                                                                                     \
    X(helper_be_stl_mmu_x86_64, 4)                                                                                     \
    X(helper_be_stq_mmu_x86_64, 8)                                                                                     \
    X(cpu_stb_mmuidx_ra_x86_64, 1)                                                                                     \
    X(cpu_stw_mmuidx_ra_x86_64, 2)                                                                                     \
    X(cpu_stl_mmuidx_ra_x86_64, 4)                                                                                     \
    X(cpu_stq_mmuidx_ra_x86_64, 8)
#define EMU_LOAD(name, size) uint64_t name(struct CPUX86State *env, uint64_t addr, uint32_t how, uintptr_t host_pc);
#define EMU_STORE(name, size)                                                                                          \
    void name(struct CPUX86State *env, uint64_t addr, uint64_t value, uint32_t how, uintptr_t host_pc);
EMU_LOADS(EMU_LOAD)
EMU_STORES(EMU_STORE)
#undef EMU_LOAD
#undef EMU_STORE
int cpu_watchpoint_address_matches_x86_64(struct CPUState *cpu, uint64_t addr, uint64_t len);

void helper_syscall_x86_64(struct CPUX86State *env, int len);

/* system.c */
void helper_sysret_x86_64(struct CPUX86State *env, int size);
void helper_sysenter_x86_64(struct CPUX86State *env, int len);
void helper_sysexit_x86_64(struct CPUX86State *env, int size);
void helper_rdmsr_x86_64(struct CPUX86State *env);
void helper_wrmsr_x86_64(struct CPUX86State *env);
void helper_ljmp_protected_x86_64(struct CPUX86State *env, int sel, uint64_t offset, uint64_t next_eip);
void helper_lcall_protected_x86_64(struct CPUX86State *env, int sel, uint64_t offset, int size, uint64_t next_eip);
void helper_iret_protected_x86_64(struct CPUX86State *env, int size, int next_eip);
void helper_iret_real_x86_64(struct CPUX86State *env, int size);
void helper_write_crN_x86_64(struct CPUX86State *env, int cr, uint64_t value);
bool x86_cpu_exec_interrupt_x86_64(struct CPUState *cpu, int request);

/* segment.c */
void helper_rsm_x86_64(struct CPUX86State *env);
void helper_load_seg_x86_64(struct CPUX86State *env, int seg, int sel);
void helper_ltr_x86_64(struct CPUX86State *env, int sel, int unused);
void helper_lret_protected_x86_64(struct CPUX86State *env, int size, int pops);

/* helpers.c */
void helper_clac_x86_64(struct CPUX86State *env);
void helper_stac_x86_64(struct CPUX86State *env);
void helper_stgi_x86_64(struct CPUX86State *env);
void helper_fcomi_ST0_FT0_x86_64(struct CPUX86State *env);
void helper_fucomi_ST0_FT0_x86_64(struct CPUX86State *env);
void helper_emms_x86_64(struct CPUX86State *env);
void helper_fldcw_x86_64(struct CPUX86State *env, uint32_t value);

/* sse.c */
void helper_fxrstor_x86_64(struct CPUX86State *env, uint64_t addr);

/* io.c */
void helper_outb_x86_64(struct CPUX86State *env, uint32_t port, uint32_t data);
void helper_outw_x86_64(struct CPUX86State *env, uint32_t port, uint32_t data);
void helper_outl_x86_64(struct CPUX86State *env, uint32_t port, uint32_t data);
uint64_t helper_inb_x86_64(struct CPUX86State *env, uint32_t port);
uint64_t helper_inw_x86_64(struct CPUX86State *env, uint32_t port);
uint64_t helper_inl_x86_64(struct CPUX86State *env, uint32_t port);
void helper_rdtscp_x86_64(struct CPUX86State *env);

#endif
