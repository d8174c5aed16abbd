// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files of mmu/grant/ share: the layout of a grant table and the steps that several commands take.
 */
#ifndef MMU_GRANT_PRIVATE_H
#define MMU_GRANT_PRIVATE_H

#include "mmu/grant/grant_table.h"

/*
 * How often, and for what, an entry is in use: four counters in one word.
 *
 *   31      24 23      16 15       8 7        0
 *   +---------+----------+----------+---------+
 *   | dev  ro | dev   rw | host  ro | host rw |   a counter with its top bit set takes no more
 *   +---------+----------+----------+---------+
 */
#define GNTPIN_hstw_inc (1u << 0)
#define GNTPIN_hstr_inc (1u << 8)
#define GNTPIN_devw_inc (1u << 16)
#define GNTPIN_devr_inc (1u << 24)
_Static_assert(GNTPIN_devr_inc > GNTPIN_devw_inc && GNTPIN_devw_inc > GNTPIN_hstr_inc &&
                   (GNTPIN_devr_inc + GNTPIN_devw_inc + GNTPIN_hstr_inc + GNTPIN_hstw_inc) * 0xff == UINT32_MAX,
               "the drawing");
#define GNTPIN_hstw_mask     (0xffu << 0)
#define GNTPIN_devw_mask     (0xffu << 16)
#define GNTPIN_writers       (GNTPIN_hstw_mask | GNTPIN_devw_mask)
#define GNTPIN_overflow(inc) ((inc) << 7)

/* The hypervisor's own side of one grant entry: what was agreed when it was first used. Valid while pin != 0. */
struct active_grant_entry {
    uint32_t pin;
    domid_t domid;    /* who uses it */
    bool is_sub_page; /* copy only; also every transitive grant, since those cannot be mapped */
    uint16_t start, length;
    mfn_t mfn;
    struct domain *trans_domain; /* whose frame it is: the granter itself, or for a transitive grant another domain, */
    grant_ref_t trans_gref;      /* to which each pin then holds a reference, and a pin of this entry over there */
};

/* One mapping that a domain made of another's grant. The handle that the domain knows it by is the index. */
struct grant_mapping {
    struct domain *rd; /* the granter, with a reference */
    grant_ref_t ref;   /* free: the next free handle */
    uint16_t flags;    /* GNTMAP_*; 0: free */
};

struct grant_table {
    struct domain *domain;
    unsigned int version, max_version;
    unsigned int nr_grant_frames, max_grant_frames;
    unsigned int nr_status_frames;
    mfn_t *shared; /* frames of grant entries, xen heap, shared with the domain */
    mfn_t *status; /* version 2: frames of grant_status_t */
    struct active_grant_entry *active;

    struct grant_mapping *maptrack;
    unsigned int maptrack_limit; /* handles 0..limit-1 were brought into use */
    unsigned int max_maptrack_frames;
    grant_handle_t free_first, free_last; /* of free handles; first in, first out */
    unsigned int nr_mappings;
};

#define GRANTS_PER_FRAME_V1     (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define GRANTS_PER_FRAME_V2     (PAGE_SIZE / sizeof(grant_entry_v2_t))
#define STATUS_PER_FRAME        (PAGE_SIZE / sizeof(grant_status_t))
#define MAPTRACK_PER_FRAME      (PAGE_SIZE / 16)
#define INITIAL_NR_GRANT_FRAMES 1
#define INVALID_MAPTRACK_HANDLE UINT32_MAX

static inline unsigned int grant_to_status_frames(unsigned int nr)
{
    return (nr * GRANTS_PER_FRAME_V2 + STATUS_PER_FRAME - 1) / STATUS_PER_FRAME;
}

/* --- grant_table.c: entries --- */
unsigned int nr_grant_entries(const struct grant_table *gt);
grant_entry_v1_t *shared_entry_v1(const struct grant_table *gt, grant_ref_t ref);
grant_entry_v2_t *shared_entry_v2(const struct grant_table *gt, grant_ref_t ref);
grant_entry_header_t *shared_entry_header(const struct grant_table *gt, grant_ref_t ref);
/* Its flags and domid as they are at one moment: the granter may write them at any other. */
grant_entry_header_t grant_entry_read(const struct grant_table *gt, grant_ref_t ref);
/* Where GTF_reading and GTF_writing of an entry are kept: in version 1 beside the granter's flags. */
uint16_t *grant_status_word(const struct grant_table *gt, grant_ref_t ref);
/* Bring the table to nr frames (never shrinks it). -ENOMEM. */
int gnttab_grow_table(struct domain *d, unsigned int nr);
int gnttab_populate_status_frames(struct domain *d, unsigned int nr_grant_frames);
int gnttab_unpopulate_status_frames(struct domain *d);

/* --- pin.c: beginning and ending the use of an entry --- */
/*
 * May domain ldom use entry ref as asked? GNTST_okay, and the entry is marked (GTF_reading, and GTF_writing unless
 * readonly); or GNTST_general_error, and nothing has changed. Looked at is the entry as it is at one moment.
 *   - If nobody uses it yet (no pin), it must be for ldom and permit access. `map`: it is to be mapped, and neither a
 *     sub-page grant nor a transitive one will do; else it is to be copied, and both will, the latter in version 2.
 *   - If it is in use, that has been found, and only the next counts.
 *   - If it is to be written, it must not be GTF_readonly.
 */
int _set_status(struct grant_table *rgt, grant_ref_t ref, bool readonly, bool map, domid_t ldom);
/*
 * After one use less, which was readonly or not, or one that failed: take the marks back that no pin justifies any
 * longer: GTF_writing goes with the last writer, GTF_reading with the last of all. The pin has become less already.
 */
void reduce_status_for_pin(struct grant_table *rgt, grant_ref_t ref, bool readonly);
/* The frame behind a frame number that rd wrote into an entry, with a reference. GNTST_*. */
int get_paged_frame(struct domain *rd, uint64_t gfn, mfn_t *mfn, struct page_info **page);

/* --- map.c: mappings --- */
/*
 * What GNTMAP_device_map, _host_map and _readonly in flags stand for: pins, and references to the frame to give back.
 */
uint32_t gnttab_pin_increment(unsigned int flags);
void gnttab_put_refs(struct xen *xen, mfn_t mfn, unsigned int flags);
/* A handle's mapping is gone: the handle is free, its reference to the granter's struct domain is given back. */
void gnttab_mapping_remove(struct grant_table *gt, grant_handle_t handle);

/* --- commands. They return 0, -errno, or how many of the operations were done when there is more to do. --- */
typedef long gnttab_fn(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque);
gnttab_fn gnttab_map_grant_ref, gnttab_unmap_grant_ref, gnttab_unmap_and_replace; /* map.c, unmap.c */
gnttab_fn gnttab_setup_table, gnttab_query_size, gnttab_set_version, gnttab_get_status_frames,
    gnttab_get_version;                                               /* setup.c */
gnttab_fn gnttab_copy;                                                /* copy.c */
gnttab_fn gnttab_transfer, gnttab_swap_grant_ref, gnttab_cache_flush; /* transfer.c, misc.c */

#endif
