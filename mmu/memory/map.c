// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Maps of memory: what a guest is told about its own, and about the machine's.
 *
 * Concept: a PV guest has no BIOS to ask where its memory lies; the toolstack leaves a map (E820) that
 * XENMEM_memory_map returns. The machine-to-pfn table is one array for the whole machine, mapped read-only into every
 * PV guest's hole: machphys_mapping says where, machphys_mfn_list which frames it consists of, so that the toolstack
 * can map it for itself when it saves a guest.
 *
 * Corresponds to arch_memory_op() of xen/arch/x86/mm.c, subarch_memory_op() of xen/arch/x86/x86_64/mm.c, and their
 * counterparts for 32-bit callers.
 */
#include "mmu/memory/private.h"

#include "mmu/compat.h"
#include "mmu/m2p.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- E820 --- */

static int map_arg_get(const struct memop *m, struct xen_memory_map *map)
{
    return compat_from_guest(m->v, map, m->arg, COMPAT_xen_memory_map);
}

/* The number of entries is the answer. */
static int map_arg_put(const struct memop *m, const struct xen_memory_map *map)
{
    return copy_field_to_guest(m->v, m->arg, COMPAT_xen_memory_map, map, nr_entries);
}

long memory_memory_map(struct memop *m)
{
    const struct domain *d = m->currd;
    struct xen_memory_map a;

    if (map_arg_get(m, &a))
        return -EFAULT;
    if (!d->nr_e820)
        return -ENOSYS; /* as hypervisors did that had no such call: the guest falls back to one region */
    if (a.nr_entries > d->nr_e820)
        a.nr_entries = d->nr_e820;
    if (copy_to_guest(m->v, (uintptr_t)a.buffer.p, d->e820, a.nr_entries * sizeof(*d->e820)))
        return -EFAULT;
    return map_arg_put(m, &a);
}

long memory_set_memory_map(struct memop *m)
{
    struct e820entry *e820;
    struct xen_foreign_memory_map a;
    struct domain *d;
    int rc;

    if (compat_from_guest(m->v, &a, m->arg, COMPAT_xen_foreign_memory_map))
        return -EFAULT;
    if (a.map.nr_entries > E820_MAX)
        return -EINVAL;
    rc = get_domain_for(m->v, a.domid, xsm_domain_memory_map, &d);
    if (rc)
        return rc;
    e820 = xzalloc_array(d->xen->machine->arena, struct e820entry, a.map.nr_entries + 1);
    rc = !e820 ? -ENOMEM : copy_from_guest(m->v, e820, (uintptr_t)a.map.buffer.p, a.map.nr_entries * sizeof(*e820));
    if (!rc) {
        xfree(d->e820);
        d->e820 = e820;
        d->nr_e820 = a.map.nr_entries;
    } else {
        xfree(e820);
    }
    put_domain(d);
    return rc;
}

/*
 * What the machine's firmware says of it: RAM from 0 to its end, without the part of the first MiB that a BIOS and the
 * ACPI tables are in. A NULL buffer asks how many entries there are.
 */
#define MACHINE_NR_E820 3u
#define BIOS_START      0x9f000u
#define BIOS_END        0x100000u
long memory_machine_memory_map(struct memop *m)
{
    const struct e820entry map[MACHINE_NR_E820] = {
        { .size = BIOS_START, .type = E820_RAM },
        { .addr = BIOS_START, .size = BIOS_END - BIOS_START, .type = E820_RESERVED },
        { .addr = BIOS_END, .size = (m->currd->xen->machine->nr_frames << PAGE_SHIFT) - BIOS_END, .type = E820_RAM },
    };
    struct xen_memory_map a;
    const bool copied = !map_arg_get(m, &a);
    int rc;

    if (m->compat && !copied)
        return -EFAULT; /* translated first, then looked at */
    rc = xsm_machine_memory_map(m->currd, NULL);
    if (rc)
        return rc;
    if (!copied)
        return -EFAULT;
    if (a.buffer.p) {
        if (a.nr_entries < MACHINE_NR_E820 + 1) /* Xen wants room for an entry about what lies behind RAM */
            return -EINVAL;
        if (copy_to_guest(m->v, (uintptr_t)a.buffer.p, map, sizeof(map)))
            return -EFAULT;
    }
    a.nr_entries = MACHINE_NR_E820;
    return map_arg_put(m, &a);
}

/* Regions that devices claim for themselves (RMRRs): there are none. */
long memory_reserved_device_memory_map(struct memop *m)
{
    struct xen_reserved_device_memory_map map;

    if (compat_from_guest(m->v, &map, m->arg, COMPAT_xen_reserved_device_memory_map))
        return -EFAULT;
    if (!list_okay(m, (uintptr_t)map.buffer.p, map.nr_entries * (m->compat ? UINT64_C(8) : UINT64_C(16))))
        return -EFAULT;
    if (map.flags & ~XENMEM_RDM_ALL)
        return -EINVAL;
    map.nr_entries = 0;
    return copy_field_to_guest(m->v, m->arg, COMPAT_xen_reserved_device_memory_map, &map, nr_entries);
}

/* --- the machine-to-pfn table --- */

long memory_machphys_mfn_list(struct memop *m)
{
    struct xen *xen = m->currd->xen;
    const bool compat_table = m->compat || m->op == XENMEM_machphys_compat_mfn_list;
    const mfn_t first = compat_table ? xen->m2p_compat : xen->m2p_mfn;
    const uint64_t nr = compat_table ? m2p32_frames(xen) : xen->m2p_frames;
    struct xen_machphys_mfn_list xmml;
    uint32_t i;

    if (compat_from_guest(m->v, &xmml, m->arg, COMPAT_xen_machphys_mfn_list))
        return -EFAULT;
    for (i = 0; i < xmml.max_extents && i * M2P_EXTENT_PAGES < nr; i++)
        if (extent_put(m, (uintptr_t)xmml.extent_start.p, i, mfn_x(first) + i * M2P_EXTENT_PAGES))
            return -EFAULT;
    xmml.nr_extents = i;
    return copy_field_to_guest(m->v, m->arg, COMPAT_xen_machphys_mfn_list, &xmml, nr_extents);
}

long memory_machphys_mapping(struct memop *m)
{
    const struct xen_machphys_mapping map = {
        .v_start = MACH2PHYS_VIRT_START,
        .v_end = MACH2PHYS_VIRT_END,
        .max_mfn = (is_control_domain(m->currd) ? m->currd->xen->machine->nr_frames : MACH2PHYS_NR_ENTRIES) - 1,
    };
    const struct xen_machphys_mapping compat_map = { MACH2PHYS_COMPAT_VIRT_START, MACH2PHYS_COMPAT_VIRT_END,
                                                     MACH2PHYS_COMPAT_NR_ENTRIES - 1 };

    return compat_to_guest(m->v, m->arg, m->compat ? &compat_map : &map, COMPAT_xen_machphys_mapping);
}
