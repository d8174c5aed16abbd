// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The names of hypercalls and of their operations in a trace.
 *
 * Concept: most hypercalls are families: the first argument says which operation is meant, and so does, of those that
 * take a structure, its first word. The numbers are those of Xen's public headers, and the names are theirs without the
 * prefix of their family; tests/sim/test_trace_names.c looks whether any is missing.
 *
 * Here, since a trace is a value that prints without a hypervisor; nothing else in sim/ knows of hypercalls.
 */
#include "sim/trace.h"

#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hypfs.h>
#include <xen/kexec.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/pmu.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xen.h>

#define CALL(call) [__HYPERVISOR_##call] = #call

/* clang-format off */

static const char *const call_names[] = {
    CALL(set_trap_table), CALL(mmu_update), CALL(set_gdt), CALL(stack_switch), CALL(set_callbacks),
    CALL(fpu_taskswitch), CALL(sched_op_compat), CALL(platform_op), CALL(set_debugreg), CALL(get_debugreg),
    CALL(update_descriptor), CALL(memory_op), CALL(multicall), CALL(update_va_mapping), CALL(set_timer_op),
    CALL(event_channel_op_compat), CALL(xen_version), CALL(console_io), CALL(physdev_op_compat),
    CALL(grant_table_op), CALL(vm_assist), CALL(update_va_mapping_otherdomain), CALL(iret), CALL(vcpu_op),
    CALL(set_segment_base), CALL(mmuext_op), CALL(xsm_op), CALL(nmi_op), CALL(sched_op), CALL(callback_op),
    CALL(xenoprof_op), CALL(event_channel_op), CALL(physdev_op), CALL(hvm_op), CALL(sysctl), CALL(domctl),
    CALL(kexec_op), CALL(tmem_op), CALL(argo_op), CALL(xenpmu_op), CALL(dm_op), CALL(hypfs_op),
    [__HYPERVISOR_arch_0] = "mca", [__HYPERVISOR_arch_1] = "paging_domctl_cont",
};

#define OP(op) [SCHEDOP_##op] = #op
static const char *const sched_op_names[] = {
    OP(yield), OP(block), OP(shutdown), OP(poll), OP(remote_shutdown), OP(shutdown_code), OP(watchdog),
    OP(pin_override),
};
#undef OP

#define OP(op) [VCPUOP_##op] = #op
static const char *const vcpu_op_names[] = {
    OP(initialise), OP(up), OP(down), OP(is_up), OP(get_runstate_info), OP(register_runstate_memory_area),
    OP(set_periodic_timer), OP(stop_periodic_timer), OP(set_singleshot_timer), OP(stop_singleshot_timer),
    OP(register_vcpu_info), OP(send_nmi), OP(get_physid), OP(register_vcpu_time_memory_area),
};
#undef OP

#define OP(op) [EVTCHNOP_##op] = #op
static const char *const event_channel_op_names[] = {
    OP(bind_interdomain), OP(bind_virq), OP(bind_pirq), OP(close), OP(send), OP(status), OP(alloc_unbound),
    OP(bind_ipi), OP(bind_vcpu), OP(unmask), OP(reset), OP(init_control), OP(expand_array), OP(set_priority),
    [14] = "reset_cont", /* hidden from guests */
};
#undef OP

#define OP(op) [GNTTABOP_##op] = #op
static const char *const grant_table_op_names[] = {
    OP(map_grant_ref), OP(unmap_grant_ref), OP(setup_table), OP(dump_table), OP(transfer), OP(copy), OP(query_size),
    OP(unmap_and_replace), OP(set_version), OP(get_status_frames), OP(get_version), OP(swap_grant_ref),
    OP(cache_flush),
};
#undef OP

#define OP(op) [XENMEM_##op] = #op
static const char *const memory_op_names[] = {
    OP(increase_reservation), OP(decrease_reservation), OP(maximum_ram_page), OP(current_reservation),
    OP(maximum_reservation), OP(machphys_mfn_list), OP(populate_physmap), OP(add_to_physmap), OP(memory_map),
    OP(machine_memory_map), OP(exchange), OP(machphys_mapping), OP(set_memory_map), OP(maximum_gpfn),
    OP(remove_from_physmap), OP(set_pod_target), OP(get_pod_target), OP(get_sharing_freed_pages),
    OP(get_sharing_shared_pages), OP(paging_op), OP(access_op), OP(sharing_op), OP(add_to_physmap_batch),
    OP(claim_pages), OP(machphys_compat_mfn_list), OP(get_vnumainfo), OP(reserved_device_memory_map),
    OP(acquire_resource),
};
#undef OP

#define OP(op) [MMUEXT_##op] = #op
static const char *const mmuext_op_names[] = {
    OP(PIN_L1_TABLE), OP(PIN_L2_TABLE), OP(PIN_L3_TABLE), OP(PIN_L4_TABLE), OP(UNPIN_TABLE), OP(NEW_BASEPTR),
    OP(TLB_FLUSH_LOCAL), OP(INVLPG_LOCAL), OP(TLB_FLUSH_MULTI), OP(INVLPG_MULTI), OP(TLB_FLUSH_ALL), OP(INVLPG_ALL),
    OP(FLUSH_CACHE), OP(SET_LDT), OP(NEW_USER_BASEPTR), OP(CLEAR_PAGE), OP(COPY_PAGE), OP(FLUSH_CACHE_GLOBAL),
    OP(MARK_SUPER), OP(UNMARK_SUPER),
};
#undef OP

#define OP(op) [PHYSDEVOP_##op] = #op
static const char *const physdev_op_names[] = {
    OP(irq_status_query), OP(set_iopl), OP(set_iobitmap), OP(apic_read), OP(apic_write), OP(alloc_irq_vector),
    OP(free_irq_vector), OP(eoi), OP(map_pirq), OP(unmap_pirq), OP(manage_pci_add), OP(manage_pci_remove),
    OP(pirq_eoi_gmfn_v1), OP(restore_msi), OP(manage_pci_add_ext), OP(setup_gsi), OP(get_free_pirq),
    OP(pci_mmcfg_reserved), OP(pci_device_add), OP(pci_device_remove), OP(restore_msi_ext), OP(pirq_eoi_gmfn_v2),
    OP(dbgp_op), OP(prepare_msix), OP(release_msix),
};
#undef OP

#define OP(op) [CALLBACKOP_##op] = #op
static const char *const callback_op_names[] = {
    OP(register), OP(unregister),
};
#undef OP

#define OP(op) [XENVER_##op] = #op
static const char *const xen_version_names[] = {
    OP(version), OP(extraversion), OP(compile_info), OP(capabilities), OP(changeset), OP(platform_parameters),
    OP(get_features), OP(pagesize), OP(guest_handle), OP(commandline), OP(build_id),
};
#undef OP

#define OP(op) [CONSOLEIO_##op] = #op
static const char *const console_io_names[] = {
    OP(write), OP(read),
};
#undef OP

#define OP(op) [VMASST_CMD_##op] = #op
static const char *const vm_assist_names[] = {
    OP(enable), OP(disable),
};
#undef OP

#define OP(op) [XENNMI_##op] = #op
static const char *const nmi_op_names[] = {
    OP(register_callback), OP(unregister_callback),
};
#undef OP

#define OP(op) [HVMOP_##op] = #op
static const char *const hvm_op_names[] = {
    OP(set_param), OP(get_param),
    OP(flush_tlbs), OP(pagetable_dying), OP(get_time), OP(xentrace), OP(set_mem_access), OP(get_mem_access),
    OP(get_mem_type), OP(set_evtchn_upcall_vector), OP(guest_request_vm_event), OP(altp2m),
};
#undef OP

#define OP(op) [KEXEC_CMD_##op] = #op
static const char *const kexec_op_names[] = {
    OP(kexec), OP(kexec_load_v1), OP(kexec_unload_v1), OP(kexec_get_range), OP(kexec_load), OP(kexec_unload),
    OP(kexec_status),
};
#undef OP

#define OP(op) [XENPMU_##op] = #op
static const char *const xenpmu_op_names[] = {
    OP(mode_get), OP(mode_set), OP(feature_get), OP(feature_set), OP(init), OP(finish), OP(lvtpc_set),
    OP(flush),
};
#undef OP

#define OP(op) [XEN_HYPFS_OP_##op] = #op
static const char *const hypfs_op_names[] = {
    OP(get_version), OP(read), OP(write_contents),
};
#undef OP

#define OP(op) [XENPF_##op] = #op
static const char *const platform_op_names[] = {
    OP(settime32), OP(add_memtype), OP(del_memtype), OP(read_memtype), OP(microcode_update), OP(platform_quirk),
    OP(get_cpu_version), OP(efi_runtime_call), OP(firmware_info), OP(enter_acpi_sleep), OP(change_freq),
    OP(getidletime), OP(set_processor_pminfo), OP(get_cpuinfo), OP(cpu_online), OP(cpu_offline), OP(cpu_hotadd),
    OP(mem_hotadd), OP(core_parking), OP(resource_op), OP(settime64), OP(get_symbol),
};
#undef OP

#define OP(op) [XEN_SYSCTL_##op] = #op
static const char *const sysctl_names[] = {
    OP(readconsole), OP(tbuf_op), OP(physinfo), OP(sched_id), OP(perfc_op), OP(getdomaininfolist), OP(debug_keys),
    OP(getcpuinfo), OP(availheap), OP(get_pmstat), OP(cpu_hotplug), OP(pm_op), OP(page_offline_op), OP(lockprof_op),
    OP(cputopoinfo), OP(numainfo), OP(cpupool_op), OP(scheduler_op), OP(coverage_op), OP(psr_cmt_op),
    OP(pcitopoinfo), OP(psr_alloc), OP(get_cpu_levelling_caps), OP(get_cpu_featureset), OP(livepatch_op),
    OP(get_cpu_policy),
};
#undef OP

#define OP(op) [XEN_DOMCTL_##op] = #op
static const char *const domctl_names[] = {
    OP(createdomain), OP(destroydomain), OP(pausedomain), OP(unpausedomain), OP(getdomaininfo), OP(setvcpuaffinity),
    OP(shadow_op), OP(max_mem), OP(setvcpucontext), OP(getvcpucontext), OP(getvcpuinfo), OP(max_vcpus),
    OP(scheduler_op), OP(setdomainhandle), OP(setdebugging), OP(irq_permission), OP(iomem_permission),
    OP(ioport_permission), OP(hypercall_init), [23] = "soft_reset_cont", OP(settimeoffset), OP(getvcpuaffinity),
    OP(real_mode_area), OP(resumedomain), OP(sendtrigger), OP(subscribe), OP(gethvmcontext), OP(sethvmcontext),
    OP(set_address_size), OP(get_address_size), OP(assign_device), OP(bind_pt_irq), OP(memory_mapping),
    OP(ioport_mapping), OP(set_ext_vcpucontext), OP(get_ext_vcpucontext), OP(set_opt_feature),
    OP(test_assign_device), OP(set_target), OP(deassign_device), OP(unbind_pt_irq), OP(get_device_group),
    OP(debug_op), OP(gethvmcontext_partial), OP(vm_event_op), OP(mem_sharing_op), OP(gettscinfo), OP(settscinfo),
    OP(getpageframeinfo3), OP(setvcpuextstate), OP(getvcpuextstate), OP(set_access_required), OP(audit_p2m),
    OP(set_virq_handler), OP(set_broken_page_p2m), OP(setnodeaffinity), OP(getnodeaffinity), OP(cacheflush),
    OP(get_vcpu_msrs), OP(set_vcpu_msrs), OP(setvnumainfo), OP(psr_cmt_op), OP(monitor_op), OP(psr_alloc),
    OP(soft_reset), OP(vuart_op), OP(get_cpu_policy), OP(set_cpu_policy), OP(vmtrace_op),
    OP(get_paging_mempool_size), OP(set_paging_mempool_size),
};
#undef OP

#define SUBOPS(call) { __HYPERVISOR_##call, { #call, call##_names, ARRAY_SIZE(call##_names) } }
static const struct {
    uint64_t nr;
    struct trace_names names;
} subops[] = {
    SUBOPS(sched_op), SUBOPS(vcpu_op), SUBOPS(event_channel_op), SUBOPS(grant_table_op), SUBOPS(memory_op),
    SUBOPS(mmuext_op), SUBOPS(physdev_op), SUBOPS(callback_op), SUBOPS(xen_version), SUBOPS(console_io),
    SUBOPS(vm_assist), SUBOPS(nmi_op), SUBOPS(hvm_op), SUBOPS(kexec_op), SUBOPS(xenpmu_op), SUBOPS(hypfs_op),
    SUBOPS(platform_op), SUBOPS(sysctl), SUBOPS(domctl),
    /* Older forms, with the numbers of the newer. */
    { __HYPERVISOR_event_channel_op_compat,
      { "event_channel_op_compat", event_channel_op_names, ARRAY_SIZE(event_channel_op_names) } },
    { __HYPERVISOR_physdev_op_compat, { "physdev_op_compat", physdev_op_names, ARRAY_SIZE(physdev_op_names) } },
    { __HYPERVISOR_sched_op_compat, { "sched_op_compat", sched_op_names, ARRAY_SIZE(sched_op_names) } },
};

/* clang-format on */

static const struct trace_names call_table = { "hypercall", call_names, ARRAY_SIZE(call_names) };

const struct trace_names *trace_call_names(void) { return &call_table; }

const struct trace_names *trace_subops(uint64_t nr)
{
    for (size_t i = 0; i < ARRAY_SIZE(subops); i++)
        if (subops[i].nr == nr)
            return &subops[i].names;
    return NULL;
}

const struct trace_names *trace_subops_at(size_t i, uint64_t *nr)
{
    if (i >= ARRAY_SIZE(subops))
        return NULL;
    *nr = subops[i].nr;
    return &subops[i].names;
}
