// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Beginning and ending the use of a grant entry.
 *
 * Concept: an entry is a contract that the granter wrote. Its first user has it checked (does it permit anything, and
 * me, and writing?) and the hypervisor marks it; further uses by the same domain rest on the note in the active entry,
 * only writing is checked again when nobody writes yet. The last user's end clears the marks, and the granter may take
 * the entry back.
 *
 * What stands there may be another value at the next look, for the granter's other processors do not stop meanwhile.
 * (In xenlab they do; in Xen they do not, and the code is as Xen's has to be.) So flags and domid are read once, and
 * together, and what is checked is what was read. Marking an entry changes these two bits and no others.
 *
 * Corresponds to _set_status(), get_paged_frame() and the many ends of functions of xen/common/grant_table.c.
 */
#include "mmu/grant/private.h"
#include "mmu/hvm/p2m.h"

/* May ldom begin to use an entry that reads so? Version 2 has transitive grants as well, good for copies only. */
static bool entry_permits(const struct grant_table *rgt, const grant_entry_header_t *entry, bool map, domid_t ldom)
{
    const uint16_t flags = entry->flags & (GTF_type_mask | (map ? GTF_sub_page : 0));

    if (entry->domid != ldom)
        return false;
    return flags == GTF_permit_access || (rgt->version == 2 && !map && flags == GTF_transitive);
}

int _set_status(struct grant_table *rgt, grant_ref_t ref, bool readonly, bool map, domid_t ldom)
{
    const grant_entry_header_t entry = grant_entry_read(rgt, ref);

    if (!rgt->active[ref].pin && !entry_permits(rgt, &entry, map, ldom))
        return GNTST_general_error;
    if (!readonly && (entry.flags & GTF_readonly))
        return GNTST_general_error;
    *grant_status_word(rgt, ref) |= GTF_reading | (readonly ? 0 : GTF_writing);
    return GNTST_okay;
}

void reduce_status_for_pin(struct grant_table *rgt, grant_ref_t ref, bool readonly)
{
    const uint32_t pin = rgt->active[ref].pin;
    uint16_t *status = grant_status_word(rgt, ref);

    if (!readonly && !(pin & GNTPIN_writers))
        *status &= ~GTF_writing;
    if (!pin)
        *status &= ~GTF_reading;
}

int get_paged_frame(struct domain *rd, uint64_t gfn, mfn_t *mfn, struct page_info **page)
{
    p2m_type_t t;

    *page = get_page_from_gfn(rd, gfn, &t); /* it must own what it grants */
    *mfn = *page ? page_to_mfn(rd->xen, *page) : INVALID_MFN;
    return *page ? GNTST_okay : GNTST_bad_page;
}
