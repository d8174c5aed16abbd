// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames that no table refers to yet: see frames.h. */
#include "labs/kit/frames.h"
#include "mmu/audit.h"
#include "mmu/page_private.h"
#include "mmu/pv/private.h"
#include "sim/frame.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/guest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/domctl.h>

#define SHARE 512 /* what hypercall_preempt_check() counts to */

static struct domain *guest_create(struct kit_scene *k, bool narrow, struct vcpu **v)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1,
        .max_evtchn_port = 1023,
        .max_grant_frames = 4,
        .max_maptrack_frames = 4,
        .grant_opts = 2,
    };
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_address_size, .interface_version = XEN_DOMCTL_INTERFACE_VERSION };
    struct hypercall_args args = { { (uintptr_t)&op } };
    struct domain *d;
    domid_t id = 1;

    for (struct domain *other; (other = get_domain_by_id(k->xen, id)); id++)
        put_domain(other);
    if (domain_create(k->xen, id, &pv64_guest, &config, false, &d))
        kit_die("no domain");
    d->max_pages = 2 * KIT_FRAMES_MAX;
    op.domain = id;
    op.u.address_size.size = 32;
    if (narrow && do_domctl(k->xen->dom0->vcpu[0], &args))
        kit_die("no 32-bit domain");
    if (vcpu_create(d, 0, v))
        kit_die("no vCPU");
    return d;
}

struct kit_frames *kit_frames(struct kit_scene *k, bool narrow, unsigned int nr)
{
    struct kit_frames *f = calloc(1, sizeof(*f));

    if (!f || nr > KIT_FRAMES_MAX)
        kit_die("not enough memory");
    f->k = k;
    f->dom0v = k->xen->dom0->vcpu[0];
    f->nr = nr;
    f->d = guest_create(k, narrow, &f->v);
    for (unsigned int i = 0; i < nr; i++) {
        struct page_info *pg = alloc_domheap_pages(k->xen, f->d, 0, 0);

        if (!pg)
            kit_die("no frame");
        f->frame[i] = page_to_mfn(k->xen, pg);
        set_gpfn_from_mfn(k->xen, f->frame[i], i);
    }
    return f;
}

void kit_frames_fresh(struct kit_frames *f)
{
    const uint64_t *ldt = pv_ldt_ptes(f->v);

    for (unsigned int i = 0; i < f->nr; i++) {
        struct page_info *pg = kit_page(f, i);

        pg->owner = f->d;
        pg->count_info = PGC_allocated | 1;
        pg->type_info = 0;
        pg->nr_validated_ptes = 0;
        pg->partial_flags = 0;
        pg->linear_pt_count = 0;
        memset(frame_write_begin(f->k->m, f->frame[i]), 0, PAGE_SIZE);
        frame_write_end(f->k->m, f->frame[i]);
    }
    for (unsigned int i = 0; i < 16; i++)
        frame_write_u64(f->k->m, &ldt[i], 0);
    f->v->pv.shadow_ldt_mapcnt = 0;
    f->v->old_guest_table = INVALID_MFN;
}

static const uint64_t *entry_at(const struct kit_frames *f, unsigned int n, unsigned int slot)
{
    return (const uint64_t *)mfn_to_virt(f->k->m, f->frame[n]) + slot;
}

void kit_frames_write(struct kit_frames *f, unsigned int n, unsigned int slot, uint64_t e)
{
    frame_write_u64(f->k->m, entry_at(f, n, slot), e);
}

uint64_t kit_frames_entry(const struct kit_frames *f, unsigned int n, unsigned int slot)
{
    return *entry_at(f, n, slot);
}

/* --- in words --- */

const char *kit_type_text(uint64_t type)
{
    static const char *const text[] = { "nothing",     "an L1 table",        "an L2 table", "an L3 table",
                                        "an L4 table", "a descriptor table", "shared",      "writable memory" };

    return type & PGT_pae_xen_l2 ? "a 32-bit guest's last L2 table" : text[type_level(type)];
}

const char *kit_frame_text(const struct page_info *pg, char text[160])
{
    const uint64_t t = pg->type_info, uses = t & PGT_count_mask;

    snprintf(text, 160, "%s%s, %" PRIu64 " uses%s%s%s%s; %" PRIu64 " references", kit_type_text(t),
             type_level(t) != 2 && t & PGT_pae_xen_l2 ? " (but no L2)" : "", uses,
             t & PGT_validated ? ", validated" : "", t & PGT_partial ? ", partial" : "",
             t & PGT_pinned ? ", pinned" : "", t & PGT_locked ? ", locked" : "",
             (uint64_t)(pg->count_info & PGC_count_mask));
    return text;
}

const char *kit_errno_text(long rc)
{
    switch (rc) {
    case 0: return "0";
    case -EINVAL: return "-EINVAL";
    case -EBUSY: return "-EBUSY";
    case -EPERM: return "-EPERM";
    case -ERESTART: return "-ERESTART";
    case -EACCES: return "-EACCES";
    default: return rc < 0 ? "another error" : "a number";
    }
}

void kit_frames_say(const struct kit_frames *f, const char *property, unsigned int n)
{
    char text[160];

    kit_fact(property, "frame %u: %s", n, kit_frame_text(kit_page(f, n), text));
}

void kit_frames_books(const struct kit_frames *f, const char *property)
{
    char why[200];

    kit_fact(property, "%s", mmu_audit(f->k->xen, why, sizeof(why)) ? why : "in order");
}

/* --- hypercalls --- */

static long call(struct kit_frames *f, hypercall_fn *fn, struct hypercall_args args, unsigned int work,
                 unsigned int turns)
{
    long rc;

    do {
        f->dom0v->preempt_count = work < SHARE ? SHARE - work : 0;
        f->turns++;
        rc = fn(f->dom0v, &args);
    } while (rc == -ERESTART && turns--);
    return rc;
}

long kit_frames_ext(struct kit_frames *f, unsigned int cmd, mfn_t mfn, unsigned int work, unsigned int turns)
{
    struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn_x(mfn) };

    return call(f, do_mmuext_op, (struct hypercall_args){ { (uintptr_t)&op, 1, 0, f->d->domain_id } }, work, turns);
}

long kit_frames_update(struct kit_frames *f, unsigned int n, unsigned int slot, uint64_t e, unsigned int work,
                       unsigned int turns)
{
    struct mmu_update u = { (mfn_x(f->frame[n]) << PAGE_SHIFT) + slot * 8, e };
    const uint32_t id = f->d->domain_id;

    return call(f, do_mmu_update, (struct hypercall_args){ { (uintptr_t)&u, 1, 0, (id + 1) << 16 | id } }, work, turns);
}
