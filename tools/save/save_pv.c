// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving a PV domain.
 *
 * Concept: a PV domain knows machine frames, which mean nothing elsewhere. Where one stands, the stream has the pfn:
 *
 *      page tables             each entry; those that are the hypervisor's become empty: canonical.h
 *      the vCPUs' registers    CR3, the frames of the GDT, and in RDX of the first the frame of start_info
 *      the p2m list            is written as it is: the stream says which pages it is in, and who restores fills it anew
 *
 * What else the domain had in its hands (start_info's two frames, shared_info, grants) it has put away itself when it
 * suspended.
 *
 * Invariant: no table in the stream names a frame. One that maps what is not the domain's own is refused.
 *
 * Corresponds to tools/libs/guest/xg_sr_save_x86_pv.c. Refused as there: domains that say by address only where their
 * p2m list is (p2m_cr3), or not at all.
 */
#include "tools/save/canonical.h"
#include "tools/save/format.h"
#include "tools/save/save_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TYPES_BATCH 1024

static bool is64(const struct saver *s) { return s->what->is64; }

static struct canonical frames_of(const struct saver *s)
{
    return (struct canonical){ is64(s), s->nr_frames, s->index_of, s->page };
}

static bool pfn_of(const struct saver *s, uint64_t mfn, uint64_t *pfn)
{
    const struct canonical c = frames_of(s);

    return canonical_pfn(&c, mfn, pfn);
}

/* --- what there is --- */

static int frames_index(struct saver *s)
{
    struct xen_sysctl_physinfo phys;
    const int rc = xc_physinfo(s->xc, &phys);

    if (rc)
        return save_fail(s, "the machine", rc);
    s->nr_frames = phys.max_mfn + 1;
    s->index_of = calloc(s->nr_frames, sizeof(*s->index_of));
    if (!s->index_of)
        return save_fail(s, "its pages", -ENOMEM);
    for (uint64_t i = 0; i < s->nr; i++)
        s->index_of[s->page[i].mfn] = (uint32_t)i + 1;
    return 0;
}

static int types_get(struct saver *s)
{
    uint64_t batch[TYPES_BATCH];

    for (uint64_t at = 0; at < s->nr; at += TYPES_BATCH) {
        const uint64_t n = s->nr - at < TYPES_BATCH ? s->nr - at : TYPES_BATCH;
        int rc;

        for (uint64_t i = 0; i < n; i++)
            batch[i] = s->page[at + i].mfn;
        rc = xc_get_pfn_type_batch(s->xc, s->what->domid, (unsigned int)n, batch);
        if (rc)
            return save_fail(s, "the types of its pages", rc);
        for (uint64_t i = 0; i < n; i++)
            s->type[at + i] = (uint32_t)batch[i] & XEN_DOMCTL_PFINFO_LTABTYPE_MASK ? (uint32_t)batch[i] : 0;
    }
    return 0;
}

/* A page of frame numbers, of one of the list's levels, that is the domain's own. */
static int list_read(struct saver *s, uint64_t mfn, uint8_t page[PAGE_SIZE])
{
    uint64_t pfn;
    int rc;

    if (!pfn_of(s, mfn, &pfn))
        return save_refuse(s, "frame %#llx in its list of frames is not its own", (unsigned long long)mfn);
    rc = xc_read_foreign(s->xc, s->what->domid, _mfn(mfn), page);
    return rc ? save_fail(s, "its list of frames", rc) : 0;
}

static uint64_t list_entry(const struct saver *s, const uint8_t *page, uint64_t i)
{
    return is64(s) ? ((const uint64_t *)(const void *)page)[i] : ((const uint32_t *)(const void *)page)[i];
}

/* shared_info leads to a page of frames, whose pages name the frames of the p2m list, for max_pfn entries. */
static int list_find(struct saver *s, const union any_shared_info *shared)
{
    const uint64_t per_page = is64(s) ? 512 : 1024, root = WIDTH_GET(is64(s), shared, arch.pfn_to_mfn_frame_list_list);
    uint8_t top[PAGE_SIZE] __attribute__((aligned(8))), mid[PAGE_SIZE] __attribute__((aligned(8)));

    s->max_pfn = WIDTH_GET(is64(s), shared, arch.max_pfn);
    s->nr_p2m = (s->max_pfn + per_page - 1) / per_page;
    if (!root || !s->max_pfn || (s->nr && s->page[s->nr - 1].pfn >= s->max_pfn) || s->nr_p2m > per_page * per_page)
        return save_refuse(s, "it does not say where its list of frames is, or that is too short "
                              "(pfn_to_mfn_frame_list_list, max_pfn of shared_info)");
    s->p2m_pfn = calloc(s->nr_p2m, sizeof(*s->p2m_pfn));
    if (!s->p2m_pfn)
        return save_fail(s, "its list of frames", -ENOMEM);
    if (list_read(s, root, top))
        return -1;
    for (uint64_t i = 0; i < s->nr_p2m; i++) {
        if (i % per_page == 0 && list_read(s, list_entry(s, top, i / per_page), mid))
            return -1;
        if (!pfn_of(s, list_entry(s, mid, i % per_page), &s->p2m_pfn[i]))
            return save_refuse(s, "page %llu of its list of frames is not its own", (unsigned long long)i);
    }
    return 0;
}

/* --- page tables --- */

static int table_translate(struct saver *s, uint64_t i, uint64_t *table)
{
    const struct canonical c = frames_of(s);
    uint64_t frame;
    const int e = canonical_table(&c, s->type[i] & XEN_DOMCTL_PFINFO_LTABTYPE_MASK, table, &frame);

    return e < 0 ? 0
                 : save_refuse(s,
                               "entry %d of the page table in pfn %#llx maps frame %#llx, which is not its own: it has "
                               "not put it away",
                               e, (unsigned long long)s->page[i].pfn, (unsigned long long)frame);
}

/* --- vCPUs --- */

/* CR3, the user's (in ctrlreg[1]) if there is one, the frames of the GDT, and of the first vCPU start_info's. */
static int context_translate(struct saver *s, unsigned int vcpu, union any_context *c)
{
    const uint64_t nr_gdt = (WIDTH_GET(is64(s), c, gdt_ents) * 8 + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t pfn;

    if (!vcpu) {
        if (!pfn_of(s, WIDTH_RDX_GET(is64(s), c), &pfn))
            return save_refuse(s, "the third argument of its SCHEDOP_shutdown, %#llx, is no frame of its own",
                               (unsigned long long)WIDTH_RDX_GET(is64(s), c));
        WIDTH_RDX_SET(is64(s), c, pfn);
    }
    for (uint64_t i = 0; i < nr_gdt && i < 16; i++) {
        if (!pfn_of(s, WIDTH_GET(is64(s), c, gdt_frames[i]), &pfn))
            return save_refuse(s, "a frame of the GDT of its vCPU %u is not its own", vcpu);
        WIDTH_SET(is64(s), c, gdt_frames[i], pfn);
    }
    if (!pfn_of(s, frame_of_cr3(is64(s), WIDTH_GET(is64(s), c, ctrlreg[3])), &pfn))
        return save_refuse(s, "the page tables of its vCPU %u are not its own", vcpu);
    WIDTH_SET(is64(s), c, ctrlreg[3], cr3_of_frame(is64(s), pfn));
    if (!is64(s) || !c->c64.ctrlreg[1])
        return 0;
    if (!pfn_of(s, c->c64.ctrlreg[1] >> PAGE_SHIFT, &pfn))
        return save_refuse(s, "the user's page tables of its vCPU %u are not its own", vcpu);
    c->c64.ctrlreg[1] = pfn << PAGE_SHIFT | 1; /* 1: it has some */
    return 0;
}

/* What there is beside registers, if there is any. */
static int rest_write(struct saver *s, unsigned int vcpu)
{
    const struct libxc_vcpu_header head = { vcpu, 0 };
    struct xen_domctl_ext_vcpucontext ext;
    xen_domctl_vcpu_msr_t msrs[64];
    uint64_t size = 0, features = 0;
    uint32_t nr = sizeof(msrs) / sizeof(msrs[0]);
    int rc = xc_vcpu_get_ext_context(s->xc, s->what->domid, vcpu, &ext)
                 ?: xc_vcpu_get_xstate(s->xc, s->what->domid, vcpu, NULL, &size, &features)
                 ?: xc_vcpu_get_msrs(s->xc, s->what->domid, vcpu, msrs, &nr);

    if (rc)
        return save_fail(s, "the state of a vCPU", rc);
    if (features) /* no guest has any: vcpu/domctl_vcpu.c */
        return save_refuse(s, "its vCPU %u has extended state %#llx", vcpu, (unsigned long long)features);
    out_record(s->out, LIBXC_X86_PV_VCPU_EXTENDED, &head, sizeof(head), &ext, sizeof(ext));
    if (nr)
        out_record(s->out, LIBXC_X86_PV_VCPU_MSRS, &head, sizeof(head), msrs, nr * sizeof(msrs[0]));
    return 0;
}

static int vcpu_write(struct saver *s, unsigned int vcpu)
{
    const struct libxc_vcpu_header head = { vcpu, 0 };
    union any_context c = { 0 };
    const int rc = xc_vcpu_getcontext(s->xc, s->what->domid, vcpu, &c);

    if (rc == -ENODATA || (!rc && !(WIDTH_GET(is64(s), &c, flags) & VGCF_online)))
        return 0; /* it starts it when it wants to */
    if (rc)
        return save_fail(s, "its registers cannot be read", rc);
    if (context_translate(s, vcpu, &c))
        return -1;
    out_record(s->out, LIBXC_X86_PV_VCPU_BASIC, &head, sizeof(head), &c, context_size(is64(s)));
    return rest_write(s, vcpu);
}

/* --- all of it --- */

int save_pv(struct saver *s)
{
    const struct libxc_pv_info info = { .width = is64(s) ? 8 : 4, .levels = is64(s) ? 4 : 3 };
    struct libxc_p2m_frames frames = { 0 };
    union any_shared_info shared;
    int rc = frames_index(s);

    if (!rc && (rc = xc_read_foreign(s->xc, s->what->domid, _mfn(s->info.shared_info_frame), &shared)))
        return save_fail(s, "shared_info", rc);
    if (rc || types_get(s) || list_find(s, &shared))
        return -1;
    out_record(s->out, LIBXC_X86_PV_INFO, &info, sizeof(info), NULL, 0);
    if (save_policies(s))
        return -1;
    out_record(s->out, LIBXC_STATIC_DATA_END, NULL, 0, NULL, 0);
    frames.end_pfn = (uint32_t)(s->max_pfn - 1);
    out_record(s->out, LIBXC_X86_PV_P2M_FRAMES, &frames, sizeof(frames), s->p2m_pfn, s->nr_p2m * sizeof(uint64_t));
    if (save_pages(s, table_translate) || save_tsc_info(s))
        return -1;
    out_record(s->out, LIBXC_SHARED_INFO, &shared, sizeof(shared), NULL, 0);
    for (unsigned int vcpu = 0; vcpu <= s->info.max_vcpu_id; vcpu++)
        if (vcpu_write(s, vcpu))
            return -1;
    return 0;
}
