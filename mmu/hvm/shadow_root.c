// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The root that a vCPU is entered with (see shadow.h).
 *
 * Concept: the guest's CR3 and its mode say which table is the uppermost, and how it is read; that is the root's key.
 * While a vCPU has a root loaded it is pinned. To enter is also when it is looked at which tables others than the guest
 * have stored to: a shadow that nobody kept true goes before it is used.
 *
 * Corresponds to the update of CR3 in xen/arch/x86/mm/shadow/multi.c.
 */
#include "mmu/hvm/shadow.h"

#include "mmu/guest_access.h"
#include "mmu/hvm/p2m.h"
#include "sim/frame.h"

#include <string.h>

static struct shadow_domain *shadow_of(const struct domain *d) { return d->p2m->shadow; }

struct shadow_role shadow_role_of(const struct nested_regs *r, unsigned int level)
{
    struct shadow_role role = { .level = (uint8_t)level };

    if (!(r->cr0 & X86_CR0_PG)) {
        role.format = SHADOW_SPLIT;
        role.bits = SHADOW_SPLIT_RW;
        return role;
    }
    role.format = r->efer & EFER_LMA ? SHADOW_LONG : r->cr4 & X86_CR4_PAE ? SHADOW_PAE : SHADOW_LEGACY;
    role.bits = (uint8_t)((r->efer & EFER_NXE ? SHADOW_NXE : 0) |
                          (role.format == SHADOW_LEGACY && r->cr4 & X86_CR4_PSE ? SHADOW_PSE : 0));
    return role;
}

/* Without paging all of memory is one page, from 0. PAE's L3 is 32 bytes of its frame. */
static uint64_t root_key(const struct nested_regs *r, struct shadow_role *role)
{
    *role = shadow_role_of(r, 4);
    if (role->format == SHADOW_SPLIT)
        return 0;
    if (role->format == SHADOW_PAE)
        role->part = (uint8_t)(PAGE_OFFSET(r->cr3) >> 5);
    return PFN_DOWN(role->format == SHADOW_LONG ? r->cr3 & PTE_MFN_MASK : (uint32_t)r->cr3);
}

void shadow_vcpu_forget(struct domain *d, struct shadow_vcpu *sv)
{
    struct shadow_domain *s = shadow_of(d);

    if (s && s->page && sv->root <= s->nr_pages && s->page[sv->root].life == sv->life)
        s->page[sv->root].pinned = false;
    sv->root = 0;
}

/* Tables that others than the guest have written to, or (`shared`) may have, have no shadows any more. */
static void look_at_written(struct domain *d, bool shared)
{
    struct shadow_domain *s = shadow_of(d);
    struct shadowed *w = d->xen->machine->shadowed;
    const bool any = s->lost != w->lost, look = any || (shared && s->nr_shared);
    uint32_t left = 0;

    for (uint32_t i = 0; i < w->nr; i++) {
        const uint32_t mfn = w->written[i];

        if (w->mark[mfn])
            shadow_text_written(d, _mfn(mfn));
        if (s->frame[mfn].tables && w->mark[mfn])
            shadow_unshadow(d, _mfn(mfn));
        if (w->mark[mfn]) /* by another domain */
            w->written[left++] = mfn;
    }
    w->nr = left;
    for (uint32_t i = 1; i <= s->nr_pages && look; i++)
        if (s->page[i].used && !mfn_eq(s->page[i].table, INVALID_MFN) && (any || s->page[i].shared))
            shadow_unshadow(d, s->page[i].table);
    s->text_lost |= any;
    s->lost = w->lost;
}

uint64_t shadow_root(struct domain *d, struct shadow_vcpu *sv, const struct nested_regs *r)
{
    struct shadow_domain *s = shadow_of(d);
    struct shadow_role role;
    const uint64_t gfn = root_key(r, &role);
    const struct shadow_page *p;

    look_at_written(d, !sv->filled);
    sv->filled = false;
    p = &s->page[sv->root <= s->nr_pages ? sv->root : 0];
    if (p->used && p->life == sv->life && p->gfn == gfn && !memcmp(&p->role, &role, sizeof(role)))
        return mfn_x(p->mfn) << PAGE_SHIFT;
    shadow_vcpu_forget(d, sv);
    sv->root = shadow_get(d, gfn, role);
    if (!sv->root)
        return 0;
    sv->life = s->page[sv->root].life;
    s->page[sv->root].pinned = true;
    return mfn_x(s->page[sv->root].mfn) << PAGE_SHIFT;
}
