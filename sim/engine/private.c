// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding Unicorn's own versions of the functions that this program replaces (see private.h).
 *
 * Concept: here everything that takes a function's place is named. So what the linker takes out of the library of
 * objects follows from this file, too: nobody else calls most of these functions.
 */
#include "sim/engine/private.h"

#include <dlfcn.h>

#include "sim/engine/emu.h"

/* The version whose numbers translate.c, block.h, tlb.h and run.c know. */
#define KNOWN_VERSION 0x020101u

typedef void any_fn(void);

/* Ours must be the one that is found first: then the library calls it, too. */
static bool is_ours(const char *name, any_fn *ours)
{
    void *first = dlsym(RTLD_DEFAULT, name);

    return !memcmp(&first, &ours, sizeof(first));
}

/* The library's, behind ours. */
static bool find(const char *name, any_fn *ours, void *function)
{
    void *sym = dlsym(RTLD_NEXT, name);

    memcpy(function, &sym, sizeof(sym));
    return sym && is_ours(name, ours);
}

#define IS_OURS(name)         ok &= is_ours(#name, (any_fn *)name)
#define REPLACES(name, field) ok &= find(#name, (any_fn *)name, &real->field)

static bool called_are_there(void)
{
    return tcg_emit_op_x86_64 && tcg_temp_new_internal_x86_64 && tcg_temp_free_internal_x86_64 &&
           tcg_gen_callN_x86_64 && tcg_gen_lookup_and_goto_ptr_x86_64 && tlb_reset_dirty_x86_64 &&
           tlb_flush_page_x86_64 && tb_invalidate_phys_page_range_x86_64 && cpu_cc_compute_all_x86_64 &&
           helper_enter_mmx_x86_64 && update_mxcsr_status_x86_64 && cpu_ldub_data_ra_x86_64 &&
           cpu_lduw_data_ra_x86_64 && cpu_ldl_data_ra_x86_64 && tb_phys_invalidate_x86_64 &&
           cpu_loop_exit_noexc_x86_64 && cpu_exec_x86_64 && get_page_addr_code_x86_64 &&
           tcg_tb_phys_invalidate_count_x86_64 && tcg_tb_foreach_x86_64 && raise_exception_err_ra_x86_64 &&
           cpu_vmexit_x86_64 && tlb_set_page_with_attrs_x86_64 && cpu_svm_check_intercept_param_x86_64;
}

bool emu_private_find(struct emu *e)
{
    struct emu_real *real = &e->real;
    bool ok = uc_version(NULL, NULL) >> 8 == KNOWN_VERSION && called_are_there();

    REPLACES(tb_invalidate_phys_page_fast_x86_64, tb_invalidate_phys_page_fast);
    REPLACES(tlb_set_dirty_x86_64, tlb_set_dirty);
    REPLACES(translator_loop_x86_64, translator_loop);
    REPLACES(tcg_gen_op3_x86_64, tcg_gen_op3);
    REPLACES(tcg_gen_exit_tb_x86_64, tcg_gen_exit_tb);
    REPLACES(tcg_tb_lookup_x86_64, tcg_tb_lookup);
    REPLACES(cpu_restore_state_x86_64, cpu_restore_state);
    REPLACES(restore_state_to_opc_x86_64, restore_state_to_opc);
    REPLACES(cpu_ldub_code_x86_64, cpu_ldub_code);
    REPLACES(cpu_lduw_code_x86_64, cpu_lduw_code);
    REPLACES(cpu_ldl_code_x86_64, cpu_ldl_code);
    REPLACES(tcg_gen_qemu_ld_i64_x86_64, tcg_gen_qemu_ld_i64);
    REPLACES(tcg_gen_qemu_st_i64_x86_64, tcg_gen_qemu_st_i64);
    REPLACES(x86_ldq_phys_x86_64, x86_ldq_phys);
    REPLACES(x86_stl_phys_notdirty_x86_64, x86_stl_phys_notdirty);
    REPLACES(x86_stq_phys_x86_64, x86_stq_phys);
    REPLACES(tlb_flush_by_mmuidx_x86_64, tlb_flush_by_mmuidx);
    REPLACES(tlb_flush_page_by_mmuidx_x86_64, tlb_flush_page_by_mmuidx);
    REPLACES(helper_lookup_tb_ptr_x86_64, lookup_tb_ptr);
    REPLACES(tb_htable_lookup_x86_64, tb_htable_lookup);
    REPLACES(x86_cpu_tlb_fill_x86_64, x86_cpu_tlb_fill);
#define FIND_ACCESS(name, size) REPLACES(name, access.name);
    EMU_LOADS(FIND_ACCESS)
    EMU_STORES(FIND_ACCESS)
    REPLACES(helper_fcomi_ST0_FT0_x86_64, fcomi);
    REPLACES(helper_fucomi_ST0_FT0_x86_64, fucomi);
    REPLACES(helper_emms_x86_64, emms);
    REPLACES(helper_fldcw_x86_64, fldcw);
    REPLACES(helper_fxrstor_x86_64, fxrstor);
    REPLACES(helper_ljmp_protected_x86_64, ljmp_protected);
    REPLACES(helper_lcall_protected_x86_64, lcall_protected);
    REPLACES(helper_iret_protected_x86_64, iret_protected);
    REPLACES(helper_iret_real_x86_64, iret_real);
    REPLACES(helper_ltr_x86_64, ltr);
    REPLACES(helper_load_seg_x86_64, load_seg);
    REPLACES(helper_lret_protected_x86_64, lret_protected);
    IS_OURS(helper_rsm_x86_64);
    REPLACES(helper_write_crN_x86_64, write_crN);
    IS_OURS(helper_syscall_x86_64);
    IS_OURS(helper_sysret_x86_64);
    IS_OURS(helper_sysenter_x86_64);
    IS_OURS(helper_sysexit_x86_64);
    IS_OURS(helper_rdmsr_x86_64);
    IS_OURS(helper_wrmsr_x86_64);
    IS_OURS(x86_cpu_exec_interrupt_x86_64);
    IS_OURS(helper_outb_x86_64);
    IS_OURS(helper_inb_x86_64);
    IS_OURS(helper_rdtscp_x86_64);
    return ok;
}
