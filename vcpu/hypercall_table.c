// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypercall table: the whole interface between a guest's kernel and the hypervisor.
 *
 * Concept: a line a hypercall, and a column for each kind of caller, because a handler may have to understand 32-bit
 * layouts, or must not be offered at all. What is not there is answered by -ENOSYS: see hypercall.c.
 *
 * Corresponds to xen/include/hypercall-defs.c.
 */
#include "evtchn/evtchn.h"
#include "mmu/pv/pv.h"
#include "vcpu/hypercall.h"
#include "vcpu/pv/pv.h"

#include <xen/arch-x86/xen-mca.h>

#define CALL(nr, handler, compat, hvm_, native_) [__HYPERVISOR_##nr] = { #nr, { handler, compat, hvm_, native_ } }

// clang-format off: a table
const struct hypercall_entry hypercall_table[XEN_NR_HYPERCALLS] = {
    /*   name                          PV64                      PV32                      HVM     native */
    CALL(set_trap_table, do_set_trap_table, do_set_trap_table, NULL, NULL),
    CALL(mmu_update, do_mmu_update, do_mmu_update, NULL, do_mmu_update),
    CALL(set_gdt, do_set_gdt, do_set_gdt, NULL, NULL),
    CALL(stack_switch, do_stack_switch, do_stack_switch, NULL, NULL),
    CALL(set_callbacks, do_set_callbacks, compat_set_callbacks, NULL, NULL),
    CALL(fpu_taskswitch, do_fpu_taskswitch, do_fpu_taskswitch, NULL, NULL),
    CALL(sched_op_compat, do_sched_op_compat_old, do_sched_op_compat_old, NULL, NULL),
    CALL(platform_op, do_platform_op, do_platform_op, NULL, do_platform_op),
    CALL(set_debugreg, do_set_debugreg, do_set_debugreg, NULL, NULL),
    CALL(get_debugreg, do_get_debugreg, do_get_debugreg, NULL, NULL),
    CALL(update_descriptor, do_update_descriptor, compat_update_descriptor, NULL, NULL),
    CALL(memory_op, do_memory_op, compat_memory_op, do_memory_op, do_memory_op),
    CALL(multicall, do_multicall, do_multicall, do_multicall, do_multicall),
    CALL(update_va_mapping, do_update_va_mapping, compat_update_va_mapping, NULL, NULL),
    CALL(set_timer_op, do_set_timer_op, compat_set_timer_op, do_set_timer_op, do_set_timer_op),
    CALL(event_channel_op_compat, do_event_channel_op_compat, do_event_channel_op_compat, NULL, NULL),
    CALL(xen_version, do_xen_version, do_xen_version, do_xen_version, do_xen_version),
    CALL(console_io, do_console_io, do_console_io, do_console_io, do_console_io),
    CALL(physdev_op_compat, do_physdev_op_compat, do_physdev_op_compat, NULL, NULL),
    CALL(grant_table_op, do_grant_table_op, do_grant_table_op, do_grant_table_op, do_grant_table_op),
    CALL(vm_assist, do_vm_assist, do_vm_assist, do_vm_assist, do_vm_assist),
    CALL(update_va_mapping_otherdomain, do_update_va_mapping_otherdomain, compat_update_va_mapping_otherdomain, NULL,
         NULL),
    CALL(iret, do_iret, compat_iret, NULL, NULL),
    CALL(vcpu_op, do_vcpu_op, do_vcpu_op, do_vcpu_op, do_vcpu_op),
    CALL(set_segment_base, do_set_segment_base, NULL, NULL, NULL),
    CALL(mmuext_op, do_mmuext_op, do_mmuext_op, NULL, do_mmuext_op),
    CALL(xsm_op, do_xsm_op, do_xsm_op, do_xsm_op, do_xsm_op),
    CALL(nmi_op, do_nmi_op, do_nmi_op, NULL, NULL),
    CALL(sched_op, do_sched_op, do_sched_op, do_sched_op, do_sched_op),
    CALL(callback_op, do_callback_op, compat_callback_op, NULL, NULL),
    CALL(event_channel_op, do_event_channel_op, do_event_channel_op, do_event_channel_op, do_event_channel_op),
    CALL(physdev_op, do_physdev_op, do_physdev_op, do_physdev_op, do_physdev_op),
    CALL(hvm_op, do_hvm_op, do_hvm_op, do_hvm_op, do_hvm_op),
    CALL(sysctl, do_sysctl, do_sysctl, do_sysctl, do_sysctl),
    CALL(domctl, do_domctl, do_domctl, do_domctl, do_domctl),
    CALL(kexec_op, do_kexec_op, do_kexec_op, NULL, do_kexec_op),
    CALL(xenpmu_op, do_xenpmu_op, do_xenpmu_op, do_xenpmu_op, do_xenpmu_op),
    CALL(dm_op, do_dm_op, do_dm_op, do_dm_op, do_dm_op),
    CALL(hypfs_op, do_hypfs_op, do_hypfs_op, do_hypfs_op, do_hypfs_op),
    [__HYPERVISOR_mca] = { "mca", { do_mca, do_mca, NULL, do_mca } },
    [__HYPERVISOR_arch_1] = { "paging_domctl_cont",
                              { do_paging_domctl_cont, do_paging_domctl_cont, do_paging_domctl_cont,
                                do_paging_domctl_cont } },
};
// clang-format on

const char *hypercall_name(unsigned int nr)
{
    const char *name = nr < XEN_NR_HYPERCALLS ? hypercall_table[nr].name : NULL;

    return name ? name : "unknown";
}
