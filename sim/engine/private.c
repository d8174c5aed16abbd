// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding Unicorn's own versions of the functions that this program replaces (see private.h).
 */
#include "sim/engine/private.h"

#include <dlfcn.h>

#include "sim/engine/emu.h"

/* The version whose translator's numbers count.c knows. */
#define KNOWN_VERSION 0x020101u

/* The library's, behind ours; ours must be the one that is found first, or it is not part of this program. */
static bool find(const char *name, void *function)
{
    void *sym = dlsym(RTLD_NEXT, name);

    memcpy(function, &sym, sizeof(sym));
    return sym && dlsym(RTLD_DEFAULT, name) != sym;
}

static bool called_are_there(void)
{
    return tcg_emit_op_x86_64 && tcg_temp_new_internal_x86_64 && tcg_temp_free_internal_x86_64 &&
           tcg_gen_callN_x86_64 && tcg_gen_lookup_and_goto_ptr_x86_64 && tlb_reset_dirty_x86_64 &&
           tlb_flush_page_x86_64 && tb_invalidate_phys_page_range_x86_64 && cpu_cc_compute_all_x86_64 &&
           helper_enter_mmx_x86_64 && update_mxcsr_status_x86_64 && cpu_exec_x86_64 && get_page_addr_code_x86_64 &&
           tcg_tb_phys_invalidate_count_x86_64 && raise_exception_err_ra_x86_64 && cpu_svm_check_intercept_param_x86_64;
}

bool emu_private_find(struct emu *e)
{
    struct emu_real *real = &e->real;
    bool ok = uc_version(NULL, NULL) >> 8 == KNOWN_VERSION && called_are_there();

    ok &= find("tb_invalidate_phys_page_fast_x86_64", &real->tb_invalidate_phys_page_fast);
    ok &= find("tlb_set_dirty_x86_64", &real->tlb_set_dirty);
    ok &= find("translator_loop_x86_64", &real->translator_loop);
    ok &= find("tcg_gen_op3_x86_64", &real->tcg_gen_op3);
    ok &= find("tcg_gen_exit_tb_x86_64", &real->tcg_gen_exit_tb);
    ok &= find("tcg_tb_lookup_x86_64", &real->tcg_tb_lookup);
    ok &= find("cpu_restore_state_x86_64", &real->cpu_restore_state);
    ok &= find("restore_state_to_opc_x86_64", &real->restore_state_to_opc);
    ok &= find("cpu_ldub_code_x86_64", &real->cpu_ldub_code);
    ok &= find("tcg_gen_qemu_ld_i64_x86_64", &real->tcg_gen_qemu_ld_i64);
    ok &= find("tcg_gen_qemu_st_i64_x86_64", &real->tcg_gen_qemu_st_i64);
    ok &= find("x86_ldq_phys_x86_64", &real->x86_ldq_phys);
    ok &= find("x86_stl_phys_notdirty_x86_64", &real->x86_stl_phys_notdirty);
    ok &= find("x86_stq_phys_x86_64", &real->x86_stq_phys);
    ok &= find("tlb_flush_by_mmuidx_x86_64", &real->tlb_flush_by_mmuidx);
    ok &= find("tlb_flush_page_by_mmuidx_x86_64", &real->tlb_flush_page_by_mmuidx);
    ok &= find("helper_lookup_tb_ptr_x86_64", &real->lookup_tb_ptr);
    ok &= find("tb_htable_lookup_x86_64", &real->tb_htable_lookup);
    ok &= find("x86_cpu_tlb_fill_x86_64", &real->x86_cpu_tlb_fill);
#define FIND_ACCESS(name, size) ok &= find(#name, &real->access.name);
    EMU_LOADS(FIND_ACCESS)
    EMU_STORES(FIND_ACCESS)
    ok &= find("helper_fcomi_ST0_FT0_x86_64", &real->fcomi);
    ok &= find("helper_fucomi_ST0_FT0_x86_64", &real->fucomi);
    ok &= find("helper_emms_x86_64", &real->emms);
    ok &= find("helper_fldcw_x86_64", &real->fldcw);
    return ok;
}
