// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of structures that 32-bit guests lay out differently, with the fields that cross the boundary
 * (mmu/compat.h).
 *
 * This file is compiled twice, once with -m32 (see the Makefile): so the numbers of both tables come from the public
 * headers and a compiler, and cannot differ from what a guest's compiler makes of them.
 */
#include "mmu/compat.h"

#include <xen/xen.h>

#include <xen/grant_table.h>
#include <xen/hvm/dm_op.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#ifdef __i386__
#define THIS_TABLE compat_layouts32
#define WC_SEC_HI  arch.wc_sec_hi
#else
#define THIS_TABLE compat_layouts64
#define WC_SEC_HI  wc_sec_hi
#endif

/* S: a structure, FIELDS: how many follow; F: a field (or an array that is the same in both), A: an array of longs. */
#define S(name, fields, ...) [COMPAT_##name] = { sizeof(struct name), fields, { __VA_ARGS__ } }
#define MEMBER(name, f)      (((struct name *)0)->f)
#define F(name, f)                                                                                                     \
    {                                                                                                                  \
        offsetof(struct name, f), sizeof(MEMBER(name, f)), 1                                                           \
    }
#define A(name, f)                                                                                                     \
    {                                                                                                                  \
        offsetof(struct name, f), sizeof(MEMBER(name, f)[0]), sizeof(MEMBER(name, f)) / sizeof(MEMBER(name, f)[0])     \
    }

/* clang-format off */
const struct compat_layout THIS_TABLE[NR_COMPAT_STRUCTS] = {
    S(gnttab_setup_table, 4, F(gnttab_setup_table, dom), F(gnttab_setup_table, nr_frames), F(gnttab_setup_table, status),
      F(gnttab_setup_table, frame_list)),
    S(gnttab_get_status_frames, 4, F(gnttab_get_status_frames, nr_frames), F(gnttab_get_status_frames, dom),
      F(gnttab_get_status_frames, status), F(gnttab_get_status_frames, frame_list)),
    S(gnttab_transfer, 4, F(gnttab_transfer, mfn), F(gnttab_transfer, domid), F(gnttab_transfer, ref),
      F(gnttab_transfer, status)),
    /* u.gmfn: or u.ref, its lower half */
    S(gnttab_copy, 9, F(gnttab_copy, status), F(gnttab_copy, source.u.gmfn), F(gnttab_copy, source.domid),
      F(gnttab_copy, source.offset), F(gnttab_copy, dest.u.gmfn), F(gnttab_copy, dest.domid),
      F(gnttab_copy, dest.offset), F(gnttab_copy, len), F(gnttab_copy, flags)),

    S(xen_memory_reservation, 5, F(xen_memory_reservation, extent_start), F(xen_memory_reservation, nr_extents),
      F(xen_memory_reservation, extent_order), F(xen_memory_reservation, mem_flags), F(xen_memory_reservation, domid)),
    S(xen_memory_exchange, 11, F(xen_memory_exchange, in.extent_start), F(xen_memory_exchange, in.nr_extents),
      F(xen_memory_exchange, in.extent_order), F(xen_memory_exchange, in.mem_flags), F(xen_memory_exchange, in.domid),
      F(xen_memory_exchange, out.extent_start), F(xen_memory_exchange, out.nr_extents),
      F(xen_memory_exchange, out.extent_order), F(xen_memory_exchange, out.mem_flags), F(xen_memory_exchange, out.domid),
      F(xen_memory_exchange, nr_exchanged)),
    S(xen_mem_acquire_resource, 7, F(xen_mem_acquire_resource, domid), F(xen_mem_acquire_resource, type),
      F(xen_mem_acquire_resource, id), F(xen_mem_acquire_resource, nr_frames), F(xen_mem_acquire_resource, pad),
      F(xen_mem_acquire_resource, frame), F(xen_mem_acquire_resource, frame_list)),
    S(xen_pod_target, 1, F(xen_pod_target, domid)),
    S(xen_mem_access_op, 1, F(xen_mem_access_op, domid)),
    S(xen_add_to_physmap, 5, F(xen_add_to_physmap, domid), F(xen_add_to_physmap, size), F(xen_add_to_physmap, space),
      F(xen_add_to_physmap, idx), F(xen_add_to_physmap, gpfn)),
    S(xen_add_to_physmap_batch, 6, F(xen_add_to_physmap_batch, domid), F(xen_add_to_physmap_batch, space),
      F(xen_add_to_physmap_batch, size), F(xen_add_to_physmap_batch, idxs), F(xen_add_to_physmap_batch, gpfns),
      F(xen_add_to_physmap_batch, errs)),
    S(xen_remove_from_physmap, 1, F(xen_remove_from_physmap, domid)),
    S(xen_memory_map, 2, F(xen_memory_map, nr_entries), F(xen_memory_map, buffer)),
    S(xen_foreign_memory_map, 3, F(xen_foreign_memory_map, domid), F(xen_foreign_memory_map, map.nr_entries),
      F(xen_foreign_memory_map, map.buffer)),
    S(xen_machphys_mfn_list, 3, F(xen_machphys_mfn_list, max_extents), F(xen_machphys_mfn_list, extent_start),
      F(xen_machphys_mfn_list, nr_extents)),
    S(xen_machphys_mapping, 3, F(xen_machphys_mapping, v_start), F(xen_machphys_mapping, v_end),
      F(xen_machphys_mapping, max_mfn)),
    S(xen_reserved_device_memory_map, 3, F(xen_reserved_device_memory_map, flags),
      F(xen_reserved_device_memory_map, nr_entries), F(xen_reserved_device_memory_map, buffer)),

    S(mmuext_op, 3, F(mmuext_op, cmd), F(mmuext_op, arg1.mfn), F(mmuext_op, arg2.src_mfn)),
    S(multicall_entry, 3, F(multicall_entry, op), F(multicall_entry, result), A(multicall_entry, args)),
    S(trap_info, 4, F(trap_info, vector), F(trap_info, flags), F(trap_info, cs), F(trap_info, address)),
    S(xennmi_callback, 1, F(xennmi_callback, handler_address)),

    /* the upper half of the seconds is in two places, since the one for 64 bits came later */
    S(shared_info, 3, F(shared_info, wc_version), F(shared_info, WC_SEC_HI), F(shared_info, arch.max_pfn)),
    S(sched_poll, 3, F(sched_poll, ports), F(sched_poll, nr_ports), F(sched_poll, timeout)),
    S(vcpu_set_singleshot_timer, 2, F(vcpu_set_singleshot_timer, timeout_abs_ns), F(vcpu_set_singleshot_timer, flags)),
    S(vcpu_runstate_info, 3, F(vcpu_runstate_info, state), F(vcpu_runstate_info, state_entry_time),
      F(vcpu_runstate_info, time)),

    S(physdev_op, 2, F(physdev_op, cmd), F(physdev_op, u.apic_op.apic_physbase)),
    S(physdev_set_iobitmap, 2, F(physdev_set_iobitmap, bitmap), F(physdev_set_iobitmap, nr_ports)),
    S(physdev_apic, 0),
    S(physdev_map_pirq, 1, F(physdev_map_pirq, domid)),
    S(xen_dm_op_buf, 2, F(xen_dm_op_buf, h), F(xen_dm_op_buf, size)),
};
/* clang-format on */
