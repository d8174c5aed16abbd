// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rows of struct paging_ops of guests that know only their own frame numbers: nested paging, and shadow.
 *
 * Concept: the guest's tables are its own affair, and no frame of it has a type. What there is to do is for log-dirty
 * mode (mmu/log_dirty.h): all RAM becomes p2m_ram_logdirty, which may not be written. A store leaves with a nested page
 * fault, which makes that one entry p2m_ram_rw again (hvm_guard_ends()). So an entry that is p2m_ram_rw has been
 * written, or has come to be since.
 *
 * The hypervisor's own frames that the guest sees (shared_info, grant tables) are no part of what is copied.
 *
 * Graphics memory that a device model follows in the same way (XEN_DMOP_track_dirty_vram) is left alone: which of its
 * entries are p2m_ram_rw is that one's knowledge. The log knows of stores without.
 *
 * Corresponds to hap/hap.c of xen/arch/x86/mm/.
 */
#include "mmu/hvm/hap.h"

#include "mmu/hvm/shadow.h"

static void change_type(struct domain *d, p2m_type_t from, p2m_type_t to)
{
    const struct p2m_domain *p2m = d->p2m;

    for (struct page_info *pg = page_list_first(d->xen, &d->page_list); pg; pg = page_list_next(d->xen, pg)) {
        const uint64_t gfn = get_gpfn_from_mfn(d->xen, page_to_mfn(d->xen, pg));
        p2m_type_t t;
        const mfn_t mfn = p2m_get_entry(d, gfn, &t);

        if (t == from && mfn_eq(mfn, page_to_mfn(d->xen, pg)) && gfn - p2m->dirty_vram.first >= p2m->dirty_vram.nr)
            BUG_ON(p2m_set_entry(d, gfn, mfn, to)); /* which there is: it takes no memory */
    }
}

static void protect(struct domain *d) { change_type(d, p2m_ram_rw, p2m_ram_logdirty); }
static void release(struct domain *d) { change_type(d, p2m_ram_logdirty, p2m_ram_rw); }

static uint64_t hap_allocation(const struct domain *d) { return d->p2m->nr_tables; }

static const struct log_dirty_ops hap_log_dirty = {
    .enable = protect,
    .disable = release,
    .clean = protect,
};

const struct paging_ops hap_paging_ops = {
    .name = "hap",
    .log_dirty = &hap_log_dirty,
    .allocation = hap_allocation,
};

const struct paging_ops shadow_paging_ops = {
    .name = "shadow",
    .log_dirty = &hap_log_dirty, /* what the p2m takes away the shadows lose (shadow.h) */
    .allocation = shadow_allocation,
    .set_allocation = shadow_set_allocation,
};
