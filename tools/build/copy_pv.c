// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A second domain like one that has suspended.
 *
 * Concept: a PV guest knows machine frames. So its memory cannot just be copied into other frames: wherever a frame
 * number stands, the one of the copy must stand. A guest that suspends has put away most of them, and what is left is
 * known to the toolstack:
 *
 *      page tables             each entry; those that are the hypervisor's become empty
 *      the guest's p2m list    its pages, and the two levels of lists by which shared_info leads to them
 *      the vCPUs' registers    CR3, the frames of the GDT, and in RDX of the first the frame of start_info
 *      start_info              shared_info, and the pages of console and xenstore, for which the guest has put pfns
 *
 *      frame of the old domain --index_of--> page --to--> frame of the new domain
 *
 * Phases: collect -> create -> populate -> find the lists -> copy -> special pages -> pin -> registers. What the guest
 * must do itself (event channels, grants, its devices, mapping shared_info) it does when its hypercall returns 0: it
 * believes that it was restored somewhere else.
 *
 * Invariant: no frame number of the old domain is left in what was translated. A page table that maps a frame which is
 * not the guest's own is refused, and with it the copy.
 *
 * Budget: the phases, one after the other.
 *
 * Corresponds to tools/libs/guest/xg_sr_save_x86_pv.c and xg_sr_restore_x86_pv.c, of which it is both, without a file
 * in between. Simplifies: refused are guests whose p2m list is told by address only (p2m_cr3), and 32-bit
 * ones.
 */
#include "tools/build/copy_pv.h"

#include "sim/arena.h"
#include "sim/bug.h"
#include "sim/x86.h"
#include "tools/build/build_pv_private.h"
#include "tools/xc/pages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How much is done in a step. */
#define POPULATE_FRAMES 64
#define COPY_PAGES      16
#define TYPES_BATCH     1024

#define IS_LIST      1u                             /* beside XEN_DOMCTL_PFINFO_*: the page is full of frame numbers */
#define ENTRIES      (PAGE_SIZE / sizeof(uint64_t)) /* of a page of frame numbers, or of page table entries */
#define ENTRY_FRAME  UINT64_C(0x000ffffffffff000)
#define XEN_L4_FIRST 256 /* ROOT_PAGETABLE_FIRST_XEN_SLOT, public arch-x86/xen-x86_64.h */
#define XEN_L4_LAST  271

struct copier {
    struct xc_handle *xc;
    struct arena *arena;
    struct pv_build *b;
    domid_t from;
    bool made;
    bool fresh; /* the old domain has not run yet: its start_info is as it was filled */
    unsigned int phase;
    struct xen_domctl_getdomaininfo info;
    uint64_t nr, at;
    struct domain_page *page; /* of the old domain, by pfn */
    uint64_t *to;             /* the new domain's frame of each */
    uint32_t *type;           /* XEN_DOMCTL_PFINFO_*, and IS_LIST */
    uint32_t *index_of;       /* by the old domain's frames: index + 1, 0 for others' */
    uint64_t nr_frames;
    uint64_t start_info; /* the new domain's frame of it */
    char *err;
};

static int fail(struct copier *w, const char *what, int rc)
{
    snprintf(w->err, IMAGE_ERR_SIZE, "%s: %s", what, strerror(-rc));
    return -1;
}

/* --- what there is --- */

static int collect(struct copier *w)
{
    struct xen_sysctl_physinfo phys;
    int rc = xc_domain_getinfo(w->xc, w->from, &w->info) ?: xc_physinfo(w->xc, &phys);

    if (rc)
        return fail(w, "the domain", rc);
    w->nr_frames = phys.max_mfn + 1;
    w->page = xzalloc_array(w->arena, struct domain_page, w->info.tot_pages + DOMAIN_PAGES_EXTRA);
    w->to = xzalloc_array(w->arena, uint64_t, w->info.tot_pages + DOMAIN_PAGES_EXTRA);
    w->type = xzalloc_array(w->arena, uint32_t, w->info.tot_pages + DOMAIN_PAGES_EXTRA);
    w->index_of = xzalloc_array(w->arena, uint32_t, w->nr_frames);
    rc = !w->page || !w->to || !w->type || !w->index_of
             ? -ENOMEM
             : domain_pages(w->xc, w->from, w->info.tot_pages + DOMAIN_PAGES_EXTRA, w->page, &w->nr);
    if (rc)
        return fail(w, "its pages", rc);
    for (uint64_t i = 0; i < w->nr; i++)
        w->index_of[w->page[i].mfn] = (uint32_t)i + 1;
    return 0;
}

static int create(struct copier *w)
{
    const int rc = build_pv_domain(w->xc, w->b, true, w->err);

    w->made = w->b->domid;
    return rc;
}

/* The same pfns. */
static int populate(struct copier *w)
{
    const uint64_t left = w->nr - w->at, n = left < POPULATE_FRAMES ? left : POPULATE_FRAMES;
    int rc;

    for (uint64_t i = w->at; i < w->at + n; i++)
        w->to[i] = w->page[i].pfn;
    rc = xc_domain_populate_physmap(w->xc, w->b->domid, n, w->to + w->at);
    if (rc == -ENOMEM) {
        snprintf(w->err, IMAGE_ERR_SIZE, "not enough machine memory for %llu MiB more (see --ram)",
                 (unsigned long long)w->nr >> 8);
        return -1;
    }
    if (rc)
        return fail(w, "the domain's memory", rc);
    w->at += n;
    return n < left ? MORE : 0;
}

static int types(struct copier *w)
{
    const uint64_t left = w->nr - w->at, n = left < TYPES_BATCH ? left : TYPES_BATCH;
    uint64_t batch[TYPES_BATCH];
    int rc;

    for (uint64_t i = 0; i < n; i++)
        batch[i] = w->page[w->at + i].mfn;
    rc = xc_get_pfn_type_batch(w->xc, w->from, (unsigned int)n, batch);
    if (rc)
        return fail(w, "the types of its pages", rc);
    for (uint64_t i = 0; i < n; i++)
        w->type[w->at + i] = (uint32_t)batch[i];
    w->at += n;
    return n < left ? MORE : 0;
}

/* --- the lists of frames --- */

static bool list_mark(struct copier *w, uint64_t mfn, uint64_t *index)
{
    if (mfn >= w->nr_frames || !w->index_of[mfn])
        return false;
    *index = w->index_of[mfn] - 1;
    w->type[*index] |= IS_LIST;
    return true;
}

/* shared_info leads to a page of frames, whose pages name the frames of the p2m list, for max_pfn entries. */
static int lists(struct copier *w)
{
    uint64_t shared[ENTRIES], top[ENTRIES], mid[ENTRIES], index, root, max_pfn;
    const struct shared_info *s = (const void *)shared;
    int rc = xc_read_foreign(w->xc, w->from, _mfn(w->info.shared_info_frame), shared);

    if (rc)
        return fail(w, "shared_info", rc);
    root = s->arch.pfn_to_mfn_frame_list_list;
    max_pfn = s->arch.max_pfn;
    if (!root || !list_mark(w, root, &index)) {
        snprintf(w->err, IMAGE_ERR_SIZE,
                 "it does not say where its list of frames is (pfn_to_mfn_frame_list_list of shared_info)");
        return -1;
    }
    rc = xc_read_foreign(w->xc, w->from, _mfn(root), top);
    for (uint64_t i = 0; !rc && i < ENTRIES && i * ENTRIES * ENTRIES < max_pfn; i++) {
        if (!list_mark(w, top[i], &index))
            continue;
        rc = xc_read_foreign(w->xc, w->from, _mfn(w->page[index].mfn), mid);
        for (uint64_t j = 0; !rc && j < ENTRIES && (i * ENTRIES + j) * ENTRIES < max_pfn; j++)
            list_mark(w, mid[j], &index);
    }
    return rc ? fail(w, "its list of frames", rc) : 0;
}

/* --- pages --- */

static bool frame_of_copy(const struct copier *w, uint64_t mfn, uint64_t *copy)
{
    if (mfn >= w->nr_frames || !w->index_of[mfn])
        return false;
    *copy = w->to[w->index_of[mfn] - 1];
    return true;
}

/* What is no frame of the guest's stays as it is: "there is none" has many values. */
static void list_translate(const struct copier *w, uint64_t *page)
{
    for (unsigned int i = 0; i < ENTRIES; i++)
        frame_of_copy(w, page[i], &page[i]);
}

static bool is_xens(uint32_t type, unsigned int entry)
{
    return type == XEN_DOMCTL_PFINFO_L4TAB && entry >= XEN_L4_FIRST && entry <= XEN_L4_LAST;
}

static int table_translate(struct copier *w, uint64_t pfn, uint32_t type, uint64_t *table)
{
    uint64_t copy;

    for (unsigned int i = 0; i < ENTRIES; i++) {
        const uint64_t mfn = (table[i] & ENTRY_FRAME) >> PAGE_SHIFT;

        if (!(table[i] & 1))
            continue;
        if (frame_of_copy(w, mfn, &copy)) {
            table[i] = (table[i] & ~ENTRY_FRAME) | copy << PAGE_SHIFT;
        } else if (is_xens(type, i)) {
            table[i] = 0;
        } else {
            snprintf(w->err, IMAGE_ERR_SIZE,
                     "entry %u of the page table in pfn %#llx maps frame %#llx, which is not the guest's own: it has "
                     "not put it away",
                     i, (unsigned long long)pfn, (unsigned long long)mfn);
            return -1;
        }
    }
    return 0;
}

static bool is_zero(const uint64_t *page)
{
    for (unsigned int i = 0; i < ENTRIES; i++)
        if (page[i])
            return false;
    return true;
}

/* A page of zeroes is in the new domain already: memory that nobody has used stays so, and costs nothing. */
static int copy_page(struct copier *w, uint64_t i)
{
    const uint32_t type = w->type[i] & XEN_DOMCTL_PFINFO_LTABTYPE_MASK;
    uint64_t page[ENTRIES];
    int rc = xc_read_foreign(w->xc, w->from, _mfn(w->page[i].mfn), page);

    if (rc)
        return fail(w, "a page of its cannot be read", rc);
    if (is_zero(page))
        return 0;
    if (w->type[i] & IS_LIST)
        list_translate(w, page);
    else if (type >= XEN_DOMCTL_PFINFO_L1TAB && type <= XEN_DOMCTL_PFINFO_L4TAB &&
             table_translate(w, w->page[i].pfn, type, page))
        return -1;
    rc = xc_copy_to_domain_page(w->xc, w->b->domid, _mfn(w->to[i]), page);
    return rc ? fail(w, "a page of the copy cannot be written", rc) : 0;
}

static int copy(struct copier *w)
{
    for (unsigned int n = 0; n < COPY_PAGES && w->at < w->nr; n++, w->at++)
        if (copy_page(w, w->at))
            return -1;
    return w->at < w->nr ? MORE : 0;
}

/* --- start_info, shared_info, console, xenstore --- */

static bool frame_of_pfn(const struct copier *w, uint64_t pfn, uint64_t *mfn)
{
    uint64_t low = 0, high = w->nr;

    while (low < high) {
        const uint64_t mid = low + (high - low) / 2;

        if (w->page[mid].pfn < pfn)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == w->nr || w->page[low].pfn != pfn)
        return false;
    *mfn = w->to[low];
    return true;
}

/* The frame that the copy has for what start_info names: by pfn, or if nobody has read it yet by mfn. */
static bool named_frame(const struct copier *w, uint64_t name, uint64_t *mfn)
{
    return w->fresh ? frame_of_copy(w, name, mfn) : frame_of_pfn(w, name, mfn);
}

/* The frame of start_info is where the guest has said it when it suspended. */
static int start_info_find(struct copier *w)
{
    struct vcpu_guest_context c = { 0 };
    uint64_t mfn;
    const int rc = xc_vcpu_getcontext(w->xc, w->from, 0, &c);

    if (rc)
        return fail(w, "its registers cannot be read", rc);
    mfn = c.user_regs.rdx;
    if (frame_of_copy(w, mfn, &w->start_info))
        return 0;
    snprintf(w->err, IMAGE_ERR_SIZE, "the third argument of its SCHEDOP_shutdown, %#llx, is no frame of the guest's",
             (unsigned long long)mfn);
    return -1;
}

static int start_info_fill(struct copier *w, uint64_t shared)
{
    struct start_info *si = xc_map_foreign(w->xc, w->b->domid, _mfn(w->start_info));
    struct pv_build *b = w->b;
    uint64_t store = 0, console = 0;
    const bool good = si && !memcmp(si->magic, "xen-", 4) && named_frame(w, si->store_mfn, &store) &&
                      named_frame(w, si->console.domU.mfn, &console);

    if (good) {
        b->store_mfn = _mfn(store);
        b->console_mfn = _mfn(console);
        si->shared_info = shared << PAGE_SHIFT;
        si->flags = 0;
        si->store_mfn = store;
        si->store_evtchn = b->store_port;
        si->console.domU.mfn = console;
        si->console.domU.evtchn = b->console_port;
    } else {
        snprintf(w->err, IMAGE_ERR_SIZE,
                 "what it calls its start_info is none, or names console and xenstore otherwise than by pfn");
    }
    if (si)
        xc_unmap(w->xc, si);
    return good ? 0 : -1;
}

/* What is the guest's own stays; its event channels are for it to make anew. */
static int shared_info_fill(struct copier *w, uint64_t *shared)
{
    uint64_t page[ENTRIES], list = 0;
    const struct shared_info *old = (const void *)page;
    struct xen_domctl_getdomaininfo info;
    struct shared_info *s = NULL;
    int rc = xc_domain_getinfo(w->xc, w->b->domid, &info)
                 ?: xc_read_foreign(w->xc, w->from, _mfn(w->info.shared_info_frame), page);

    if (!rc) {
        *shared = info.shared_info_frame;
        s = xc_map_foreign(w->xc, w->b->domid, _mfn(*shared));
    }
    if (!s)
        return fail(w, "shared_info", rc ? rc : -EINVAL);
    frame_of_copy(w, old->arch.pfn_to_mfn_frame_list_list, &list);
    memcpy(s->vcpu_info, old->vcpu_info, sizeof(s->vcpu_info));
    s->arch = old->arch;
    s->arch.pfn_to_mfn_frame_list_list = list;
    memset(s->evtchn_pending, 0, sizeof(s->evtchn_pending));
    memset(s->evtchn_mask, 0xff, sizeof(s->evtchn_mask));
    for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
        s->vcpu_info[i].evtchn_pending_sel = 0;
    xc_unmap(w->xc, s);
    return 0;
}

static int special_pages(struct copier *w)
{
    struct pv_build *b = w->b;
    uint64_t shared = 0;
    int rc = xc_evtchn_alloc_unbound(w->xc, b->domid, &b->store_port)
                 ?: xc_evtchn_alloc_unbound(w->xc, b->domid, &b->console_port);

    if (rc)
        return fail(w, "the event channels of console and xenstore", rc);
    if (shared_info_fill(w, &shared) || start_info_find(w) || start_info_fill(w, shared))
        return -1;
    rc = xc_gnttab_seed(w->xc, b->domid, b->console_mfn, b->store_mfn);
    return rc ? fail(w, "the grants of console and xenstore", rc) : 0;
}

/* --- page tables, registers --- */

static int pin(struct copier *w)
{
    for (; w->at < w->nr; w->at++) {
        const uint32_t type = w->type[w->at] & ~IS_LIST, level = type >> 28 & 7;
        int rc;

        if (!(type & XEN_DOMCTL_PFINFO_LPINTAB) || level < 1 || level > 4)
            continue;
        rc = xc_pin_table_step(w->xc, w->b->domid, MMUEXT_PIN_L1_TABLE + level - 1, _mfn(w->to[w->at]));
        if (rc == -ERESTART)
            return MORE;
        if (rc)
            return fail(w, "a page table of the copy is refused", rc);
        w->at++;
        return MORE;
    }
    return 0;
}

static bool root_translate(const struct copier *w, uint64_t *cr3)
{
    uint64_t mfn;

    if (!frame_of_copy(w, *cr3 >> PAGE_SHIFT, &mfn))
        return false;
    *cr3 = mfn << PAGE_SHIFT;
    return true;
}

/* CR3, the user's (in ctrlreg[1]) if there is one, and the frames of the GDT. */
static bool frames_translate(const struct copier *w, struct vcpu_guest_context *c)
{
    bool good = root_translate(w, &c->ctrlreg[3]) && (!c->ctrlreg[1] || root_translate(w, &c->ctrlreg[1]));

    for (uint64_t i = 0; good && i < (c->gdt_ents * 8 + PAGE_SIZE - 1) / PAGE_SIZE; i++)
        good = frame_of_copy(w, c->gdt_frames[i], &c->gdt_frames[i]);
    return good;
}

static int context_copy(struct copier *w, unsigned int vcpu)
{
    struct vcpu_guest_context c = { 0 };
    int rc = xc_vcpu_getcontext(w->xc, w->from, vcpu, &c);

    if (rc == -ENODATA || (!rc && !(c.flags & VGCF_online)))
        return 0; /* it starts it when it wants to */
    if (rc)
        return fail(w, "its registers cannot be read", rc);
    if (!frames_translate(w, &c)) {
        snprintf(w->err, IMAGE_ERR_SIZE,
                 "its vCPU %u has its page tables or its GDT in frames that are not the guest's", vcpu);
        return -1;
    }
    if (!vcpu)
        c.user_regs.rdx = w->start_info;
    rc = xc_vcpu_setcontext(w->xc, w->b->domid, vcpu, &c);
    return rc ? fail(w, "the registers of the copy are refused", rc) : 0;
}

static int contexts(struct copier *w)
{
    for (unsigned int id = 0; id <= w->info.max_vcpu_id; id++)
        if (context_copy(w, id))
            return -1;
    return 0;
}

/* --- all of it, in order --- */

static int (*const phases[])(struct copier *w) = {
    collect, create, populate, types, lists, copy, special_pages, pin, contexts,
};

struct copier *copy_pv_begin(struct xc_handle *xc, struct arena *arena, struct pv_build *b, domid_t from, bool fresh,
                             char err[IMAGE_ERR_SIZE])
{
    struct copier *w = xzalloc(arena, struct copier);

    if (!w) {
        snprintf(err, IMAGE_ERR_SIZE, "out of memory");
        return NULL;
    }
    w->xc = xc, w->arena = arena, w->b = b, w->from = from, w->fresh = fresh, w->err = err;
    b->domid = 0;
    return w;
}

int copy_pv_step(struct copier *w)
{
    const int rc = phases[w->phase](w);

    if (rc == 0) {
        w->phase++;
        w->at = 0;
    }
    return rc < 0 ? rc : w->phase < ARRAY_SIZE(phases);
}

void copy_pv_end(struct copier *w)
{
    if (!w)
        return;
    if (w->made && w->phase < ARRAY_SIZE(phases))
        xc_domain_destroy(w->xc, w->b->domid);
    xfree(w->page);
    xfree(w->to);
    xfree(w->type);
    xfree(w->index_of);
    memset(w, 0, sizeof(*w)); /* it knows the caller's stack, and what is freed is part of the state */
    xfree(w);
}
