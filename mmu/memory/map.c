// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Maps of memory: what a guest is told about its own, and about the machine's.
 *
 * Concept: a PV guest has no BIOS to ask where its memory lies; the toolstack leaves a map (E820) that XENMEM_memory_map
 * returns. The machine-to-pfn table is one array for the whole machine, mapped read-only into every PV guest's hole:
 * machphys_mapping says where, machphys_mfn_list which frames it consists of, so that the toolstack can map it for itself when
 * it saves a guest.
 *
 * Corresponds to arch_memory_op() of xen/arch/x86/mm.c, subarch_memory_op() of xen/arch/x86/x86_64/mm.c, and their
 * counterparts for 32-bit callers.
 */
#include "mmu/memory/private.h"

#include "mmu/guest_access.h"
#include "mmu/m2p.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#pragma pack(push, 4)
struct xen_memory_map_x86_32 {
    uint32_t nr_entries, buffer;
};
struct xen_foreign_memory_map_x86_32 {
    domid_t domid;
    uint16_t pad;
    struct xen_memory_map_x86_32 map;
};
struct xen_machphys_mfn_list_x86_32 {
    uint32_t max_extents, extent_start, nr_extents;
};
struct xen_reserved_device_memory_map_x86_32 {
    uint32_t flags, nr_entries, buffer, dev;
};
#pragma pack(pop)

/* --- E820 --- */

/* struct xen_memory_map in host form; it is also written back, with nr_entries changed. */
struct map_arg {
    uint32_t nr_entries;
    uint64_t buffer;
};

static int map_arg_get(const struct memop *m, struct map_arg *a)
{
    struct xen_memory_map_x86_32 map32;
    struct xen_memory_map map;

    if (copy_from_guest(m->v, m->compat ? (void *)&map32 : &map, m->arg, m->compat ? sizeof(map32) : sizeof(map)))
        return -EFAULT;
    a->nr_entries = m->compat ? map32.nr_entries : map.nr_entries;
    a->buffer = m->compat ? map32.buffer : (uintptr_t)map.buffer.p;
    return 0;
}

/* nr_entries comes first in both layouts. */
static int map_arg_put(const struct memop *m, const struct map_arg *a)
{
    return copy_to_guest(m->v, m->arg, &a->nr_entries, sizeof(a->nr_entries));
}

long memory_memory_map(struct memop *m)
{
    const struct domain *d = m->currd;
    struct map_arg a;

    if (map_arg_get(m, &a))
        return -EFAULT;
    if (!d->nr_e820)
        return -ENOSYS; /* as hypervisors did that had no such call: the guest falls back to one region */
    if (a.nr_entries > d->nr_e820)
        a.nr_entries = d->nr_e820;
    if (copy_to_guest(m->v, a.buffer, d->e820, a.nr_entries * sizeof(*d->e820)))
        return -EFAULT;
    return map_arg_put(m, &a);
}

static int foreign_map_get(const struct memop *m, domid_t *domid, struct map_arg *a)
{
    struct xen_foreign_memory_map_x86_32 fmap32;
    struct xen_foreign_memory_map fmap;

    if (copy_from_guest(m->v, m->compat ? (void *)&fmap32 : &fmap, m->arg, m->compat ? sizeof(fmap32) : sizeof(fmap)))
        return -EFAULT;
    *domid = m->compat ? fmap32.domid : fmap.domid;
    a->nr_entries = m->compat ? fmap32.map.nr_entries : fmap.map.nr_entries;
    a->buffer = m->compat ? fmap32.map.buffer : (uintptr_t)fmap.map.buffer.p;
    return 0;
}

long memory_set_memory_map(struct memop *m)
{
    struct e820entry *e820;
    struct map_arg a;
    struct domain *d;
    domid_t domid;
    int rc;

    if (foreign_map_get(m, &domid, &a))
        return -EFAULT;
    if (a.nr_entries > E820_MAX)
        return -EINVAL;
    rc = domain_for_target(m->v, domid, &d);
    if (rc)
        return rc;
    e820 = calloc(a.nr_entries + 1, sizeof(*e820));
    rc = !e820 ? -ENOMEM : copy_from_guest(m->v, e820, a.buffer, a.nr_entries * sizeof(*e820));
    if (!rc) {
        free(d->e820);
        d->e820 = e820;
        d->nr_e820 = a.nr_entries;
    } else {
        free(e820);
    }
    domain_put(d);
    return rc;
}

/* The machine has no holes: RAM from 0 to its end. A NULL buffer asks how many entries there are. */
#define MACHINE_NR_E820 1u
long memory_machine_memory_map(struct memop *m)
{
    const struct e820entry ram = { .size = m->currd->xen->machine->nr_frames << PAGE_SHIFT, .type = E820_RAM };
    struct map_arg a;
    const bool copied = !map_arg_get(m, &a);

    if (m->compat && !copied)
        return -EFAULT; /* translated first, then looked at */
    if (!is_control_domain(m->currd))
        return -EPERM;
    if (!copied)
        return -EFAULT;
    if (a.buffer) {
        if (a.nr_entries < MACHINE_NR_E820 + 1) /* Xen wants room for an entry about what lies behind RAM */
            return -EINVAL;
        if (copy_to_guest(m->v, a.buffer, &ram, sizeof(ram)))
            return -EFAULT;
    }
    a.nr_entries = MACHINE_NR_E820;
    return map_arg_put(m, &a);
}

/* Regions that devices claim for themselves (RMRRs): there are none. */
long memory_reserved_device_memory_map(struct memop *m)
{
    struct xen_reserved_device_memory_map_x86_32 map32;
    struct xen_reserved_device_memory_map map;
    const uint32_t nr = 0;
    const size_t at = offsetof(struct xen_reserved_device_memory_map, nr_entries);

    /* flags and nr_entries come first in both layouts */
    if (copy_from_guest(m->v, m->compat ? (void *)&map32 : &map, m->arg, m->compat ? sizeof(map32) : sizeof(map)))
        return -EFAULT;
    if (!list_okay(m, m->compat ? map32.buffer : (uintptr_t)map.buffer.p,
                   (m->compat ? map32.nr_entries * UINT64_C(8) : map.nr_entries * UINT64_C(16))))
        return -EFAULT;
    if ((m->compat ? map32.flags : map.flags) & ~XENMEM_RDM_ALL)
        return -EINVAL;
    return copy_to_guest(m->v, m->arg + at, &nr, sizeof(nr));
}

/* --- the machine-to-pfn table --- */

long memory_machphys_mfn_list(struct memop *m)
{
    struct xen *xen = m->currd->xen;
    const bool compat_table = m->compat || m->op == XENMEM_machphys_compat_mfn_list;
    const mfn_t first = compat_table ? xen->m2p_compat : xen->m2p_mfn;
    const uint64_t nr = compat_table ? m2p32_frames(xen) : xen->m2p_frames;
    struct xen_machphys_mfn_list_x86_32 xmml32;
    struct xen_machphys_mfn_list xmml;
    uint32_t max, i;
    uint64_t list;

    if (copy_from_guest(m->v, m->compat ? (void *)&xmml32 : &xmml, m->arg, m->compat ? sizeof(xmml32) : sizeof(xmml)))
        return -EFAULT;
    max = m->compat ? xmml32.max_extents : xmml.max_extents;
    list = m->compat ? xmml32.extent_start : (uintptr_t)xmml.extent_start.p;
    for (i = 0; i < max && i * M2P_EXTENT_PAGES < nr; i++)
        if (extent_put(m, list, i, mfn_x(first) + i * M2P_EXTENT_PAGES))
            return -EFAULT;
    return copy_to_guest(
        m->v, m->arg + (m->compat ? offsetof(typeof(xmml32), nr_extents) : offsetof(typeof(xmml), nr_extents)), &i,
        sizeof(i));
}

long memory_machphys_mapping(struct memop *m)
{
    const struct xen_machphys_mapping map = {
        .v_start = MACH2PHYS_VIRT_START,
        .v_end = MACH2PHYS_VIRT_END,
        .max_mfn = (is_control_domain(m->currd) ? m->currd->xen->machine->nr_frames : MACH2PHYS_NR_ENTRIES) - 1,
    };
    const uint32_t map32[3] = { MACH2PHYS_COMPAT_VIRT_START, MACH2PHYS_COMPAT_VIRT_END,
                                MACH2PHYS_COMPAT_NR_ENTRIES - 1 };

    return m->compat ? copy_to_guest(m->v, m->arg, map32, sizeof(map32))
                     : copy_to_guest(m->v, m->arg, &map, sizeof(map));
}
