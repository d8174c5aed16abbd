// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Restoring a PV domain.
 *
 * Concept: what save_pv.c has made pfns of becomes frames again, others than they were. A page table may name pages
 * that come after it: they get their frame then and there, and their content when it comes.
 *
 *      END -> p2m list: this domain's frames -> shared_info -> start_info, console and xenstore -> page tables pinned
 *          -> registers
 *
 * What the domain must do itself (event channels, grants, its devices, mapping shared_info) it does when its hypercall
 * returns 0.
 *
 * Invariants: page tables are written before anything makes them page tables, so that the hypervisor looks at every
 * entry; start_info is where the first vCPU's RDX says, and names two pages of the domain.
 *
 * Corresponds to tools/libs/guest/xg_sr_restore_x86_pv.c.
 */
#include "tools/build/build_pv_private.h"
#include "tools/save/restore_private.h"

#include <errno.h>
#include <string.h>

#define FRAMES_STEP 4u /* pages of the p2m list in a step */

/* --- records --- */

static int pv_info(struct restorer *r, const struct stream_body *rec)
{
    struct libxc_pv_info info;

    if (rec->length != sizeof(info) || r->b->domid)
        return restore_refuse(r, "a damaged stream: an X86_PV_INFO of %zu bytes, or two", rec->length);
    memcpy(&info, rec->body, sizeof(info));
    if (!((info.width == 8 && info.levels == 4) || (info.width == 4 && info.levels == 3)))
        return restore_refuse(r, "a damaged stream: a domain of %u bits with page tables of %u levels", info.width * 8,
                              info.levels);
    r->is64 = info.width == 8;
    return build_pv_domain(r->xc, r->b, r->is64, r->err);
}

static uint64_t per_page(const struct restorer *r) { return r->is64 ? 512 : 1024; }

static uint64_t p2m_pfn(const struct restorer *r, uint64_t i)
{
    uint64_t pfn;

    memcpy(&pfn, r->p2m_frames.body + sizeof(struct libxc_p2m_frames) + i * sizeof(pfn), sizeof(pfn));
    return pfn;
}

static uint64_t nr_p2m_pages(const struct restorer *r) { return (r->nr_pfns + per_page(r) - 1) / per_page(r); }

static int p2m_frames(struct restorer *r, const struct stream_body *rec)
{
    struct libxc_p2m_frames f;

    if (!r->b->domid || r->nr_pfns || rec->length < sizeof(f))
        return restore_refuse(r, "a damaged stream: an X86_PV_P2M_FRAMES of %zu bytes, or out of order", rec->length);
    memcpy(&f, rec->body, sizeof(f));
    if (f.start_pfn)
        return restore_refuse(r, "its list of frames begins at page %#x, and not at 0", f.start_pfn);
    if (rec->length != sizeof(f) + (f.end_pfn / per_page(r) + 1) * sizeof(uint64_t))
        return restore_refuse(r, "a damaged stream: the list of frames has not as many pages as it needs");
    r->p2m_frames = *rec;
    return restore_pfns(r, f.end_pfn);
}

static int vcpu_record(struct restorer *r, const struct stream_body *rec, unsigned int which)
{
    struct libxc_vcpu_header head;

    if (rec->length < sizeof(head))
        return restore_refuse(r, "a damaged stream: a %s of %zu bytes", libxc_record_name(rec->type), rec->length);
    memcpy(&head, rec->body, sizeof(head));
    if (head.vcpu >= RESTORE_VCPUS || head.vcpu >= r->b->max_vcpus || head.reserved)
        return restore_refuse(r, "a %s is of vCPU %u, and there are %u", libxc_record_name(rec->type), head.vcpu,
                              r->b->max_vcpus);
    r->vcpu[head.vcpu][which] = (struct stream_body){ rec->type, rec->body + sizeof(head), rec->length - sizeof(head) };
    return 0;
}

static int record(struct restorer *r, const struct stream_body *rec)
{
    switch (rec->type) {
    case LIBXC_X86_PV_INFO: return pv_info(r, rec);
    case LIBXC_X86_PV_P2M_FRAMES: return p2m_frames(r, rec);
    case LIBXC_X86_PV_VCPU_BASIC: return vcpu_record(r, rec, VCPU_BASIC);
    case LIBXC_X86_PV_VCPU_EXTENDED: return vcpu_record(r, rec, VCPU_EXTENDED);
    case LIBXC_X86_PV_VCPU_XSAVE: return vcpu_record(r, rec, VCPU_XSAVE);
    case LIBXC_X86_PV_VCPU_MSRS: return vcpu_record(r, rec, VCPU_MSRS);
    case LIBXC_SHARED_INFO: r->shared_info = *rec; return 0;
    default:
        return restore_refuse(r, "a damaged stream: a record %s of a PV domain", libxc_record_name(rec->type) ?: "");
    }
}

/* --- pages --- */

static bool type_ok(uint32_t type)
{
    const uint32_t t = type & XEN_DOMCTL_PFINFO_LTABTYPE_MASK;

    return type == XEN_DOMCTL_PFINFO_NOTAB || (t >= XEN_DOMCTL_PFINFO_L1TAB && t <= XEN_DOMCTL_PFINFO_L4TAB);
}

/* Frames for its pfns; those that have none yet get one. */
static int table_translate(struct restorer *r, uint64_t pfn, uint64_t *table)
{
    for (unsigned int e = 0; e < TABLE_ENTRIES; e++) {
        const uint64_t to = (table[e] & ENTRY_FRAME) >> PAGE_SHIFT;
        uint64_t frame;

        if (!(table[e] & ENTRY_PRESENT))
            continue;
        if (to >= r->nr_pfns)
            return restore_refuse(r, "a damaged stream: entry %u of the page table in pfn %#llx maps pfn %#llx", e,
                                  (unsigned long long)pfn, (unsigned long long)to);
        if (restore_populate(r, &to, 1) || !restore_frame(r, to, &frame))
            return -1;
        table[e] = (table[e] & ~ENTRY_FRAME) | frame << PAGE_SHIFT;
    }
    return 0;
}

static int page(struct restorer *r, uint64_t pfn, const uint8_t *from)
{
    uint64_t copy[TABLE_ENTRIES], frame;
    int rc;

    memcpy(copy, from, sizeof(copy));
    if (r->type[pfn] && table_translate(r, pfn, copy))
        return -1;
    if (!restore_frame(r, pfn, &frame))
        return restore_refuse(r, "a damaged stream: page %#llx has no frame", (unsigned long long)pfn);
    rc = xc_copy_to_domain_page(r->xc, r->b->domid, _mfn(frame), copy);
    return rc ? restore_fail(r, "a page of its cannot be written", rc) : 0;
}

/* --- the p2m list, shared_info --- */

static int list_page(struct restorer *r, uint64_t i)
{
    uint8_t bytes[PAGE_SIZE] __attribute__((aligned(8)));
    const uint64_t pfn = p2m_pfn(r, i);
    uint64_t frame;
    int rc;

    if (!restore_frame(r, pfn, &frame) || r->type[pfn])
        return restore_refuse(r, "a damaged stream: page %llu of the list of frames is pfn %#llx, which is no page",
                              (unsigned long long)i, (unsigned long long)pfn);
    memset(bytes, 0xff, sizeof(bytes)); /* INVALID_MFN, of either width */
    for (uint64_t j = 0; j < per_page(r); j++) {
        uint64_t mfn;

        if (!restore_frame(r, i * per_page(r) + j, &mfn))
            continue;
        if (r->is64)
            ((uint64_t *)(void *)bytes)[j] = mfn;
        else
            ((uint32_t *)(void *)bytes)[j] = (uint32_t)mfn;
    }
    rc = xc_copy_to_domain_page(r->xc, r->b->domid, _mfn(frame), bytes);
    return rc ? restore_fail(r, "its list of frames", rc) : 0;
}

static int list(struct restorer *r)
{
    for (unsigned int n = 0; n < FRAMES_STEP && r->at < nr_p2m_pages(r); n++, r->at++)
        if (list_page(r, r->at))
            return -1;
    return r->at < nr_p2m_pages(r) ? RESTORE_MORE : 0;
}

#define SHARED_INFO_RESTORE(s, old)                                                                                    \
    do {                                                                                                               \
        memcpy((s)->vcpu_info, (old)->vcpu_info, sizeof((s)->vcpu_info));                                              \
        (s)->arch = (old)->arch;                                                                                       \
        (s)->arch.pfn_to_mfn_frame_list_list = 0;                                                                      \
        memset((s)->evtchn_pending, 0, sizeof((s)->evtchn_pending));                                                   \
        memset((s)->evtchn_mask, 0xff, sizeof((s)->evtchn_mask));                                                      \
        for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)                                                        \
            (s)->vcpu_info[i].evtchn_pending_sel = 0;                                                                  \
    } while (0)

/* What is the domain's own stays; its event channels, and its list of lists of frames, are for it to make anew. */
static int shared_info(struct restorer *r, uint64_t *mfn)
{
    struct xen_domctl_getdomaininfo info;
    union any_shared_info *s = NULL, old;
    int rc;

    if (r->shared_info.length != sizeof(old))
        return restore_refuse(r, "a damaged stream: there is no SHARED_INFO of a page");
    memcpy(&old, r->shared_info.body, sizeof(old));
    rc = xc_domain_getinfo(r->xc, r->b->domid, &info);
    if (!rc)
        s = xc_map_foreign(r->xc, r->b->domid, _mfn(*mfn = info.shared_info_frame));
    if (!s)
        return restore_fail(r, "shared_info", rc ? rc : -EINVAL);
    if (r->is64)
        SHARED_INFO_RESTORE(&s->c64, &old.c64);
    else
        SHARED_INFO_RESTORE(&s->c32, &old.c32);
    xc_unmap(r->xc, s);
    return 0;
}

/* --- start_info --- */

/* What the first vCPU had in its registers when it suspended. */
static int context_get(struct restorer *r, unsigned int vcpu, union any_context *c)
{
    const struct stream_body *basic = &r->vcpu[vcpu][VCPU_BASIC];

    if (basic->length != context_size(r->is64))
        return restore_refuse(r, "a damaged stream: there are no registers of vCPU %u", vcpu);
    memset(c, 0, sizeof(*c));
    memcpy(c, basic->body, basic->length);
    return 0;
}

static bool start_info_fill(struct restorer *r, union any_start_info *si, uint64_t shared)
{
    struct pv_build *b = r->b;
    uint64_t store, console;

    if (memcmp(si->c64.magic, "xen-", 4) || !restore_frame(r, WIDTH_GET(r->is64, si, store_mfn), &store) ||
        !restore_frame(r, WIDTH_GET(r->is64, si, console.domU.mfn), &console) ||
        r->type[WIDTH_GET(r->is64, si, store_mfn)] || r->type[WIDTH_GET(r->is64, si, console.domU.mfn)])
        return false;
    b->store_mfn = _mfn(store);
    b->console_mfn = _mfn(console);
    WIDTH_SET(r->is64, si, shared_info, shared << PAGE_SHIFT);
    WIDTH_SET(r->is64, si, flags, 0);
    WIDTH_SET(r->is64, si, store_mfn, store);
    WIDTH_SET(r->is64, si, store_evtchn, b->store_port);
    WIDTH_SET(r->is64, si, console.domU.mfn, console);
    WIDTH_SET(r->is64, si, console.domU.evtchn, b->console_port);
    return true;
}

static int start_info(struct restorer *r, uint64_t shared)
{
    union any_start_info *si = NULL;
    union any_context c;
    uint64_t pfn, mfn;
    bool good;

    if (context_get(r, 0, &c))
        return -1;
    pfn = WIDTH_RDX_GET(r->is64, &c);
    if (restore_frame(r, pfn, &mfn) && !r->type[pfn])
        si = xc_map_foreign(r->xc, r->b->domid, _mfn(mfn));
    good = si && start_info_fill(r, si, shared);
    if (si)
        xc_unmap(r->xc, si);
    return good
               ? 0
               : restore_refuse(r, "what it calls its start_info is none, or names console and xenstore otherwise than "
                                   "by pfn");
}

static int special_pages(struct restorer *r)
{
    struct pv_build *b = r->b;
    uint64_t shared = 0;
    int rc = xc_evtchn_alloc_unbound(r->xc, b->domid, &b->store_port)
                 ?: xc_evtchn_alloc_unbound(r->xc, b->domid, &b->console_port);

    if (rc)
        return restore_fail(r, "the event channels of console and xenstore", rc);
    if (shared_info(r, &shared) || start_info(r, shared) || restore_tsc(r, &r->tsc))
        return -1;
    rc = xc_gnttab_seed(r->xc, b->domid, b->console_mfn, b->store_mfn);
    return rc ? restore_fail(r, "the grants of console and xenstore", rc) : 0;
}

/* --- page tables, registers --- */

static int pin(struct restorer *r)
{
    for (; r->at < r->nr_pfns; r->at++) {
        const uint32_t type = r->type[r->at], level = type >> 28 & 7;
        uint64_t mfn;
        int rc;

        if (!(type & XEN_DOMCTL_PFINFO_LPINTAB) || !restore_frame(r, r->at, &mfn))
            continue;
        rc = xc_pin_table_step(r->xc, r->b->domid, MMUEXT_PIN_L1_TABLE + level - 1, _mfn(mfn));
        if (rc == -ERESTART)
            return RESTORE_MORE;
        if (rc)
            return restore_fail(r, "a page table of its is refused", rc);
        r->at++;
        return RESTORE_MORE;
    }
    return 0;
}

/* CR3, the user's (in ctrlreg[1]) if there is one, the frames of the GDT, and of the first vCPU start_info's. */
static bool context_translate(const struct restorer *r, unsigned int vcpu, union any_context *c)
{
    const uint64_t nr_gdt = (WIDTH_GET(r->is64, c, gdt_ents) * 8 + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t mfn;

    if (nr_gdt > 16 || !restore_frame(r, frame_of_cr3(r->is64, WIDTH_GET(r->is64, c, ctrlreg[3])), &mfn))
        return false;
    WIDTH_SET(r->is64, c, ctrlreg[3], cr3_of_frame(r->is64, mfn));
    for (uint64_t i = 0; i < nr_gdt; i++) {
        if (!restore_frame(r, WIDTH_GET(r->is64, c, gdt_frames[i]), &mfn))
            return false;
        WIDTH_SET(r->is64, c, gdt_frames[i], mfn);
    }
    if (!vcpu) {
        if (!restore_frame(r, WIDTH_RDX_GET(r->is64, c), &mfn))
            return false;
        WIDTH_RDX_SET(r->is64, c, mfn);
    }
    if (!r->is64)
        return true;
    if (!(c->c64.ctrlreg[1] & 1)) {
        c->c64.ctrlreg[1] = 0;
        return true;
    }
    if (!restore_frame(r, c->c64.ctrlreg[1] >> PAGE_SHIFT, &mfn))
        return false;
    c->c64.ctrlreg[1] = mfn << PAGE_SHIFT;
    return true;
}

/* Beside its registers, as far as the stream has it. */
static int rest_set(struct restorer *r, unsigned int vcpu)
{
    const struct stream_body *ext = &r->vcpu[vcpu][VCPU_EXTENDED], *xsave = &r->vcpu[vcpu][VCPU_XSAVE],
                             *msrs = &r->vcpu[vcpu][VCPU_MSRS];
    struct xen_domctl_ext_vcpucontext c = { 0 };
    xen_domctl_vcpu_msr_t list[64];
    int rc = 0;

    if (ext->length > 128 || msrs->length > sizeof(list) || msrs->length % sizeof(list[0]))
        return restore_refuse(r, "a damaged stream: the state of vCPU %u", vcpu);
    if (ext->body) {
        memcpy(&c, ext->body, ext->length < sizeof(c) ? ext->length : sizeof(c));
        c.vcpu = vcpu;
        c.size = (uint32_t)ext->length;
        rc = xc_vcpu_set_ext_context(r->xc, r->b->domid, &c);
    }
    if (!rc && xsave->body)
        rc = xc_vcpu_set_xstate(r->xc, r->b->domid, vcpu, xsave->body, xsave->length);
    if (!rc && msrs->body) {
        memcpy(list, msrs->body, msrs->length);
        rc = xc_vcpu_set_msrs(r->xc, r->b->domid, vcpu, list, (uint32_t)(msrs->length / sizeof(list[0])));
    }
    return rc ? restore_fail(r, "the state of a vCPU is refused", rc) : 0;
}

static int contexts(struct restorer *r)
{
    for (unsigned int vcpu = 0; vcpu < r->b->max_vcpus && vcpu < RESTORE_VCPUS; vcpu++) {
        union any_context c;
        int rc;

        if (!r->vcpu[vcpu][VCPU_BASIC].body)
            continue; /* it was not up */
        if (context_get(r, vcpu, &c))
            return -1;
        if (!context_translate(r, vcpu, &c))
            return restore_refuse(r, "a damaged stream: vCPU %u has its tables in pages that are not there", vcpu);
        while ((rc = xc_vcpu_setcontext(r->xc, r->b->domid, vcpu, &c)) == -ERESTART)
            ;
        if (rc)
            return restore_fail(r, "its registers are refused", rc);
        if (rest_set(r, vcpu))
            return -1;
    }
    return 0;
}

/* --- all of it, in order --- */

static int (*const phases[])(struct restorer *r) = { list, special_pages, pin, contexts };

static int finish(struct restorer *r)
{
    int rc;

    if (!r->nr_pfns)
        return restore_refuse(r, "a damaged stream: it has no pages");
    rc = phases[r->phase](r);
    if (rc)
        return rc;
    r->at = 0;
    return ++r->phase < sizeof(phases) / sizeof(phases[0]) ? RESTORE_MORE : 0;
}

const struct restore_ops restore_pv_ops = { .record = record, .type_ok = type_ok, .page = page, .finish = finish };
