// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a monitor needs of shadow page tables that runs the guest without hardware's help (vcpu/five/tc.h): addresses of
 * its own in each of the guest's address spaces, and to hear when the guest's text is written.
 *
 * Concept: addresses are one entry of each root for long mode, which is in no chain and does not count: it is the
 * monitor's. Frames of text are guarded as those of tables are: a store is carried out for the guest, since the
 * instruction that stores may be in the same frame. Then the frame is text no more, and the monitor is told before the
 * guest runs again.
 */
#include "mmu/hvm/shadow.h"

#include "mmu/hvm/p2m.h"
#include "sim/frame.h"

static struct shadow_domain *shadow_of(const struct domain *d) { return d->p2m->shadow; }

void shadow_set_monitor(struct domain *d, unsigned int slot, uint64_t entry)
{
    BUG_ON(shadow_of(d)->newest);
    shadow_of(d)->monitor_slot = slot;
    shadow_of(d)->monitor = entry;
}

void shadow_text_begin(struct domain *d, mfn_t mfn)
{
    if (shadow_of(d)->frame[mfn_x(mfn)].text)
        return;
    shadow_of(d)->frame[mfn_x(mfn)].text = true;
    shadow_remove_write_access(d, mfn);
    shadow_mark(d, mfn);
}

bool shadow_is_text(const struct domain *d, mfn_t mfn) { return shadow_of(d)->frame[mfn_x(mfn)].text; }

bool shadow_text_lost(struct domain *d)
{
    const bool lost = shadow_of(d)->text_lost;

    shadow_of(d)->text_lost = false;
    return lost;
}
