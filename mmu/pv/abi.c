// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rows of struct guest_abi: what 64 and 32 bits mean for a PV guest, side by side. The fields are explained in
 * vcpu/noun/guest_abi.h.
 *
 * Numbers that guests see are those of the public headers, arch-x86/xen-x86_64.h and xen-x86_32.h; the latter's are
 * written out, since a 64-bit compiler does not get to see them.
 */
#include "mmu/compat.h"
#include "mmu/m2p.h"
#include "mmu/pte.h"
#include "vcpu/noun/guest_abi.h"

#include <xen/callback.h>
#include <xen/foreign/x86_32.h>

#define TABLE512 PTES_PER_TABLE, PTES_PER_TABLE /* a whole table, in which nothing is special */

#define CALLBACK_TYPES                                                                                                 \
    (1u << CALLBACKTYPE_event | 1u << CALLBACKTYPE_failsafe | 1u << CALLBACKTYPE_nmi | 1u << CALLBACKTYPE_sysenter |   \
     1u << CALLBACKTYPE_syscall32)

static uint64_t mfn_to_cr3_64(mfn_t mfn) { return mfn_x(mfn) << PAGE_SHIFT; }
static mfn_t cr3_to_mfn_64(uint64_t cr3) { return _mfn(cr3 >> PAGE_SHIFT); }

/* Of a register of 32 bits the low 12 hold the upper ones of a frame number that has more than 20. */
static uint64_t mfn_to_cr3_32(mfn_t mfn) { return (uint32_t)(mfn_x(mfn) << PAGE_SHIFT | mfn_x(mfn) >> 20); }
static mfn_t cr3_to_mfn_32(uint64_t cr3) { return _mfn((uint32_t)cr3 >> PAGE_SHIFT | (uint32_t)cr3 << 20); }

const struct guest_abi pv64_abi = {
    .word = 8,
    .layouts = compat_layouts64,
    .vcpu_info_cr2 = offsetof(struct vcpu_info, arch.cr2),
    .hypervisor_virt_start = HYPERVISOR_VIRT_START,
    .hypercall_vector = 256,
    .callback_types = CALLBACK_TYPES | 1u << CALLBACKTYPE_syscall,
    .efer = EFER_SCE | EFER_NXE | EFER_LME | EFER_LMA,
    .kernel_ring = 3,
    .flat_kernel_cs = FLAT_KERNEL_CS64,
    .flat_user_cs = FLAT_USER_CS64,
    .flat_user_cs32 = FLAT_USER_CS32,
    .flat_user_ss = FLAT_USER_SS,
    .flat_gdt = { 0, 0x00cffb000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff },
    .call_gate_refused = 0xff,
    .root_level = 4,
    .level[2] = { BASE_DISALLOW_MASK, _PAGE_USER, TABLE512 },
    .level[3] = { BASE_DISALLOW_MASK, _PAGE_USER, TABLE512 },
    .level[4] = { BASE_DISALLOW_MASK, _PAGE_USER, TABLE512 },
    .mfn_to_cr3 = mfn_to_cr3_64,
    .cr3_to_mfn = cr3_to_mfn_64,
};

const struct guest_abi pv32_abi = {
    .word = 4,
    .layouts = compat_layouts32,
    .vcpu_info_cr2 = offsetof(struct vcpu_info_x86_32, arch.cr2),
    .hypervisor_virt_start = 0xf5800000, /* HYPERVISOR_VIRT_START_PAE */
    .hypercall_vector = 0x82,
    .callback_types = CALLBACK_TYPES,
    .efer = EFER_SCE | EFER_NXE,
    .kernel_ring = 1,
    .flat_kernel_cs = 0xe019, /* FLAT_RING1_CS */
    .flat_user_cs = 0xe02b,   /* FLAT_RING3_CS */
    .flat_user_cs32 = 0xe02b,
    .flat_user_ss = 0xe033, /* FLAT_RING3_SS */
    .flat_gdt = { 0x00cfbb000000ffff, 0x00cfb3000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff },
    .segment_refused = _SEGMENT_L,
    .call_gate_refused = 0xe0,
    .root_level = 3,
    .level[2] = { BASE_DISALLOW_MASK, 0, TABLE512 },
    .level[3] = { BASE_DISALLOW_MASK | _PAGE_AVAIL_HIGH | _PAGE_NX, _PAGE_USER | _PAGE_RW, 4, 3 },
    .mfn_to_cr3 = mfn_to_cr3_32,
    .cr3_to_mfn = cr3_to_mfn_32,
};
