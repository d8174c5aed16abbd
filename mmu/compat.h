// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of 32-bit guests.
 *
 * Concept: a 32-bit guest's compiler lays the structures of the public headers out in its own way: pointers, longs and
 * frame numbers have 4 bytes, and 8-byte fields are aligned to 4. The hypervisor works on the 64-bit form alone; what
 * crosses the boundary is rewritten field by field. Which fields there are and where they lie is known to compilers:
 * one list (mmu/compat_layouts.c) is compiled twice, for 64 and for 32 bits, and gives two tables of numbers.
 *
 *      struct gnttab_transfer    64 bits:  mfn ............... | domid .. | ref ..... | status    24 bytes
 *                                32 bits:  mfn ..... | domid .. | ref ..... | status              16 bytes
 *
 * Rules: a field that is wider in the 64-bit form is zero-extended on the way in, and cut on the way out. What the list
 * leaves out (padding, fields that nobody reads) is 0 on the way in.
 *
 * Corresponds to Xen's xen/include/xlat.lst and the headers that xen/tools/compat-build-header.py makes.
 */
#ifndef MMU_COMPAT_H
#define MMU_COMPAT_H

#include <stddef.h>
#include <stdint.h>

/* The structures that differ, by their names in the public headers. */
enum compat_struct {
    COMPAT_none, /* no structure: one that is the same in both */
    COMPAT_gnttab_setup_table,
    COMPAT_gnttab_get_status_frames,
    COMPAT_gnttab_transfer,
    COMPAT_gnttab_copy,
    COMPAT_xen_memory_reservation,
    COMPAT_xen_memory_exchange,
    COMPAT_xen_mem_acquire_resource,
    COMPAT_xen_pod_target,
    COMPAT_xen_mem_access_op,
    COMPAT_xen_add_to_physmap,
    COMPAT_xen_add_to_physmap_batch,
    COMPAT_xen_remove_from_physmap,
    COMPAT_xen_memory_map,
    COMPAT_xen_foreign_memory_map,
    COMPAT_xen_machphys_mfn_list,
    COMPAT_xen_machphys_mapping,
    COMPAT_xen_reserved_device_memory_map,
    COMPAT_mmuext_op,
    COMPAT_multicall_entry,
    COMPAT_trap_info,
    COMPAT_xennmi_callback,
    COMPAT_shared_info,
    COMPAT_sched_poll,
    COMPAT_vcpu_set_singleshot_timer,
    COMPAT_vcpu_runstate_info,
    COMPAT_physdev_op,
    COMPAT_physdev_set_iobitmap,
    COMPAT_physdev_apic,
    COMPAT_physdev_map_pirq,
    COMPAT_xen_dm_op_buf,
    NR_COMPAT_STRUCTS
};

#define COMPAT_MAX_FIELDS 11

/*
 * One structure as one compiler sees it. Field i is the same in both tables; its place, and the size of an element, may
 * not be.
 */
struct compat_layout {
    uint16_t size, nr_fields;
    struct compat_field {
        uint16_t at, size, nr; /* nr elements of `size` bytes */
    } field[COMPAT_MAX_FIELDS];
};
extern const struct compat_layout compat_layouts64[NR_COMPAT_STRUCTS], compat_layouts32[NR_COMPAT_STRUCTS];

#ifndef __i386__
#include "mmu/guest_access.h"
#include "vcpu/noun/guest_abi.h"

static inline const struct compat_layout *compat_layout(const struct domain *d, enum compat_struct s)
{
    return &d->abi->layouts[s];
}

/* Bytes that the structure has in d's memory. */
static inline size_t compat_size(const struct domain *d, enum compat_struct s) { return compat_layout(d, s)->size; }
/* Where a field of the list is there: `at` is its offset in the 64-bit form. */
size_t compat_offset(const struct domain *d, enum compat_struct s, size_t at);

/* What the following do for 32-bit guests. */
int compat32_from_guest(struct vcpu *v, void *dst, uint64_t src, enum compat_struct s);
int compat32_to_guest(struct vcpu *v, uint64_t dst, const void *src, enum compat_struct s);
int compat32_field_to_guest(struct vcpu *v, uint64_t dst, enum compat_struct s, size_t at, const void *field);

/*
 * Read and write a structure at a guest address; dst and src here are the public header's (64-bit) ones. 0 or -EFAULT.
 */
static inline int compat_from_guest(struct vcpu *v, void *dst, uint64_t src, enum compat_struct s)
{
    return v->domain->abi->layouts == compat_layouts64 ? copy_from_guest(v, dst, src, compat_layouts64[s].size)
                                                       : compat32_from_guest(v, dst, src, s);
}
static inline int compat_to_guest(struct vcpu *v, uint64_t dst, const void *src, enum compat_struct s)
{
    return v->domain->abi->layouts == compat_layouts64 ? copy_to_guest(v, dst, src, compat_layouts64[s].size)
                                                       : compat32_to_guest(v, dst, src, s);
}

static inline int compat_field_to_guest(struct vcpu *v, uint64_t dst, enum compat_struct s, size_t at,
                                        const void *field, size_t n)
{
    return v->domain->abi->layouts == compat_layouts64 ? copy_to_guest(v, dst + at, field, n)
                                                       : compat32_field_to_guest(v, dst, s, at, field);
}
/* Write ptr->field, one of the list, and nothing else into the structure at guest address dst. 0 or -EFAULT. */
#define copy_field_to_guest(v, dst, s, ptr, field)                                                                     \
    compat_field_to_guest(v, dst, s, offsetof(typeof(*(ptr)), field), &(ptr)->field, sizeof((ptr)->field))

/* A guest's `unsigned long`: what its frame numbers, addresses and words of bitmaps are. */
static inline size_t word_size(const struct domain *d) { return d->abi->word; }
static inline int copy_word_from_guest(struct vcpu *v, uint64_t *word, uint64_t src)
{
    *word = 0;
    return copy_from_guest(v, word, src, word_size(v->domain)); /* little endian: the low half comes first */
}
static inline int copy_word_to_guest(struct vcpu *v, uint64_t dst, uint64_t word)
{
    return copy_to_guest(v, dst, &word, word_size(v->domain));
}
#endif

#endif
