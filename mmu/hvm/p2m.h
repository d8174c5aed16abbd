// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The p2m: from a guest's frame numbers to the machine's, for guests that know only their own.
 *
 * Concept: a PV guest is told which frames of the machine it has. An HVM or PVH guest is not: it numbers its memory as
 * a machine of its own would, from 0 (gfn), and the hypervisor keeps a map to frames (mfn). The processor needs the
 * same map for each access, as the nested tables of sim/nested.h; so the map *is* the nested tables, and what the
 * hypervisor knows beyond is in bits that the processor ignores:
 *
 *      63 62..59 58..55        54..52  51..12              11..9  8..0
 *      NX        type          -       mfn                 -      A D US RW P
 *
 *      type               the processor may         what is there
 *      p2m_mmio_dm        nothing (not present)     nothing: the device model answers. An empty entry.
 *      p2m_ram_rw         read, write, execute      a frame of the guest's
 *      p2m_ram_ro         read, execute             one that it may not write: what it writes is lost
 *      p2m_ram_logdirty   read, execute             one of which somebody wants to know whether it is written
 *      p2m_populate_on_demand  nothing              RAM, but nobody has touched it: see pod.h
 *      p2m_mmio_direct    read                      a page of the hypervisor's that reads like memory
 *      p2m_grant_map_*    read, or read and write   a frame of another domain's, granted
 *      p2m_map_foreign    read, write               one of another domain's, mapped as a right
 *
 * Invariants: an entry holds no reference, but for those of frames of other domains. A change that takes something away
 * is told (machine_mapping_gone()), so no TLB knows more than the tables do. gfn and mfn are equal nowhere but by
 * chance.
 *
 * Corresponds to xen/arch/x86/mm/p2m.c, p2m-pt.c; 4 KiB pages alone.
 */
#ifndef MMU_HVM_P2M_H
#define MMU_HVM_P2M_H

#include "mmu/page.h"

/* Xen's p2m_type_t (arch/x86/include/asm/p2m.h), as far as they occur; the number of an empty entry is 0 here. */
typedef enum {
    p2m_mmio_dm,
    p2m_ram_rw,
    p2m_ram_ro,
    p2m_ram_logdirty,
    p2m_populate_on_demand,
    p2m_mmio_direct,
    p2m_grant_map_rw,
    p2m_grant_map_ro,
    p2m_map_foreign,
} p2m_type_t;

static inline bool p2m_is_ram(p2m_type_t t) { return t >= p2m_ram_rw && t <= p2m_ram_logdirty; }
/* Of another domain's, or of the hypervisor's. */
static inline bool p2m_is_special(p2m_type_t t) { return t >= p2m_mmio_direct; }

/* The widest guest frame number: as many bits of address as sim/nested.h walks. */
#define P2M_MAX_GFN ((UINT64_C(1) << (40 - PAGE_SHIFT)) - 1)

struct shadow_domain;

struct p2m_domain {
    mfn_t root;
    struct { /* frames of graphics memory whose changes a device model asks for: XEN_DMOP_track_dirty_vram */
        uint64_t first, nr; /* gfn */
    } dirty_vram;
    uint64_t max_mapped_gfn;                   /* the highest that ever was */
    struct shadow_domain *shadow;              /* mmu/hvm/shadow.h; NULL: its processor walks in two dimensions */
    void (*gone)(struct domain *d, mfn_t mfn); /* who wants to hear of what is taken away; or NULL */
    uint64_t nr_tables;
    struct p2m_pod {              /* pod.h */
        uint64_t entries;         /* places that are marked */
        struct page_info **cache; /* frames that wait for one */
        size_t count, room;
        uint64_t max_gfn; /* the highest that was ever marked */
        uint64_t sweep;   /* where the search for zeroes goes on */
        bool starved;     /* a place was touched, and there was no frame */
    } pod;
};

/* d->p2m, empty. 0 or -ENOMEM. */
int p2m_init(struct domain *d);
/* Its tables go; nobody runs on them any more. NULL is good. */
void p2m_teardown(struct domain *d);

/* The rights (RW, NX) of an entry of a page table, as far as a page of type t has them. */
uint64_t p2m_restrict(p2m_type_t t, uint64_t entry);

/* What is at gfn: INVALID_MFN where no frame is. */
mfn_t p2m_get_entry(const struct domain *d, uint64_t gfn, p2m_type_t *t);
/* gfn is mfn from now on; INVALID_MFN: of types without a frame. 0, -EINVAL (gfn is too large), -ENOMEM. */
int p2m_set_entry(struct domain *d, uint64_t gfn, mfn_t mfn, p2m_type_t t);

/* --- with d's frame numbers, whatever kind of domain it is: a gfn is an mfn where nothing is translated --- */

/* The frame at gfn, which is d's RAM, with a reference, populated if it is to be; NULL: it is not RAM. */
struct page_info *get_page_from_gfn(struct domain *d, uint64_t gfn, p2m_type_t *t);

/*
 * A frame of d's comes to gfn, in place of what is there (which d still owns); its number in the M2P, too. Of a domain
 * that is not translated only the M2P. 0, -EINVAL (gfn is too large, or what is there is not d's memory), -ENOMEM.
 */
int guest_physmap_add_page(struct domain *d, uint64_t gfn, mfn_t mfn);
/* It is no longer at gfn; -EINVAL: it was not, or is not d's memory. */
int guest_physmap_remove_page(struct domain *d, uint64_t gfn, mfn_t mfn);

#endif
