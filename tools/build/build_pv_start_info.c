// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building a PV guest: what it finds when it starts. The pages that tell it of itself (start_info, shared_info, the
 * hypercall page), its two connections to dom0 (console and xenstore: a page, a grant and an event channel each), and
 * its first vCPU's registers, RSI with the address of start_info among them.
 *
 * Concept: a 32-bit guest has the same structures in its own layout, as <xen/foreign/x86_32.h> has them; nothing else
 * differs.
 *
 * Corresponds to start_info_x86_64(), bootlate_pv() and vcpu_x86_64() of tools/libs/guest/xg_dom_x86.c.
 */
#include "tools/build/build_pv_private.h"

#include <errno.h>
#include <xen/foreign/x86_32.h>
#include <xen/xen.h>

/* --- start_info, shared_info, grants, ports --- */

/* The fields of both layouts; T is the structure, PTR the type of its words. */
#define FILL_START_INFO(si, shared_mfn)                                                                                \
    do {                                                                                                               \
        (si)->nr_pages = w->b->nr_pages;                                                                               \
        (si)->shared_info = (shared_mfn) << PAGE_SHIFT;                                                                \
        (si)->flags =                                                                                                  \
            (w->ramdisk_unmapped ? SIF_MOD_START_PFN : 0) | (w->b->dom0 ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0);        \
        (si)->store_mfn = mfn_x(w->b->store_mfn);                                                                      \
        (si)->store_evtchn = w->b->store_port;                                                                         \
        (si)->console.domU.mfn = mfn_x(w->b->console_mfn);                                                             \
        (si)->console.domU.evtchn = w->b->console_port;                                                                \
        (si)->pt_base = va_of(w, w->l.tables);                                                                         \
        (si)->nr_pt_frames = w->l.nr_tables;                                                                           \
        (si)->mfn_list = w->p2m_apart ? w->img->p2m_base : va_of(w, w->l.p2m);                                         \
        (si)->mod_start = !w->l.ramdisk_pages ? 0 : w->ramdisk_unmapped ? w->l.ramdisk : va_of(w, w->l.ramdisk);       \
        (si)->mod_len = w->b->ramdisk_size;                                                                            \
        if (w->p2m_apart) {                                                                                            \
            (si)->first_p2m_pfn = w->l.p2m;                                                                            \
            (si)->nr_p2m_frames = w->l.p2m_pages;                                                                      \
        }                                                                                                              \
    } while (0)

static int fill_start_info(struct builder *w, uint64_t shared_mfn)
{
    const char *cmdline = w->b->cmdline ? w->b->cmdline : "";
    void *page = xc_map_foreign(w->xc, w->b->domid, _mfn(w->p2m[w->l.start_info]));

    if (!page)
        return build_pv_fail(w, "start_info", -EINVAL);
    if (w->is64) {
        struct start_info *si = page;

        snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64");
        FILL_START_INFO(si, shared_mfn);
        snprintf((char *)si->cmd_line, MAX_GUEST_CMDLINE, "%s", cmdline);
    } else {
        struct start_info_x86_32 *si = page;

        snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_32p");
        FILL_START_INFO(si, (uint32_t)shared_mfn);
        snprintf((char *)si->cmd_line, MAX_GUEST_CMDLINE, "%s", cmdline);
    }
    xc_unmap(w->xc, page);
    return 0;
}

static int fill_shared_info(struct builder *w, uint64_t *shared_mfn)
{
    struct xen_domctl_getdomaininfo info;
    struct shared_info *s;
    int rc = xc_domain_getinfo(w->xc, w->b->domid, &info);

    if (rc)
        return build_pv_fail(w, "getdomaininfo", rc);
    *shared_mfn = info.shared_info_frame;
    s = xc_map_foreign(w->xc, w->b->domid, _mfn(*shared_mfn));
    if (!s)
        return build_pv_fail(w, "shared_info", -EINVAL);
    for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
        s->vcpu_info[i].evtchn_upcall_mask = 1; /* in both layouts: 64 bytes a vCPU, the mask is the second */
    xc_unmap(w->xc, s);
    return 0;
}

/* The pages that tell it of itself. */
static int told(struct builder *w)
{
    uint64_t shared_mfn = 0;
    int rc = fill_shared_info(w, &shared_mfn);

    if (!rc)
        rc = fill_start_info(w, shared_mfn);
    if (!rc && w->img->hypercall_page != UNSET_ADDR) {
        rc = xc_domain_hypercall_init(w->xc, w->b->domid, _mfn(w->p2m[pfn_of(w, w->img->hypercall_page)]));
        if (rc)
            return build_pv_fail(w, "the hypercall page", rc);
    }
    return rc;
}

int build_pv_special_pages(struct builder *w)
{
    struct pv_build *b = w->b;
    int rc;

    if (b->dom0) { /* its console is the machine's, and xenstore is to be its own work: the fields of both are 0 */
        b->console_mfn = b->store_mfn = _mfn(0);
        return told(w);
    }
    b->console_mfn = _mfn(w->p2m[w->l.console]);
    b->store_mfn = _mfn(w->p2m[w->l.store]);
    rc = xc_evtchn_alloc_unbound(w->xc, b->domid, &b->store_port);
    if (!rc)
        rc = xc_evtchn_alloc_unbound(w->xc, b->domid, &b->console_port);
    if (rc == -ENOSPC) {
        b->setting = "max_event_channels";
        snprintf(w->err, IMAGE_ERR_SIZE, "expected at least 2, for console and xenstore, got %u",
                 b->limits.event_channels);
        return -1;
    }
    if (rc)
        return build_pv_fail(w, "the event channels of console and xenstore", rc);
    rc = xc_gnttab_seed(w->xc, b->domid, b->console_mfn, b->store_mfn);
    if (rc)
        return build_pv_fail(w, "the grants of console and xenstore", rc);
    return told(w);
}

/* --- the first vCPU --- */

int build_pv_start_context(struct builder *w)
{
    uint64_t root = w->p2m[w->l.tables], stack = va_of(w, w->l.stack + 1);
    int rc;

    if (w->is64) {
        struct vcpu_guest_context c = { .flags = VGCF_IN_KERNEL | VGCF_online };

        c.user_regs.rip = w->img->virt_entry;
        c.user_regs.rsp = stack;
        c.user_regs.rsi = va_of(w, w->l.start_info);
        c.user_regs.rflags = 1 << 9;
        c.user_regs.cs = FLAT_KERNEL_CS;
        c.user_regs.ss = c.user_regs.ds = c.user_regs.es = FLAT_KERNEL_SS;
        c.kernel_ss = FLAT_KERNEL_SS;
        c.kernel_sp = stack;
        c.ctrlreg[3] = root << PAGE_SHIFT;
        rc = xc_vcpu_setcontext(w->xc, w->b->domid, 0, &c);
    } else {
        struct vcpu_guest_context_x86_32 c = { .flags = VGCF_IN_KERNEL | VGCF_online };

        c.user_regs.eip = (uint32_t)w->img->virt_entry;
        c.user_regs.esp = (uint32_t)stack;
        c.user_regs.esi = (uint32_t)va_of(w, w->l.start_info);
        c.user_regs.eflags = 1 << 9;
        c.user_regs.cs = 0xe019; /* FLAT_RING1_CS, public arch-x86/xen-x86_32.h */
        c.user_regs.ss = c.user_regs.ds = c.user_regs.es = c.user_regs.fs = c.user_regs.gs = 0xe021; /* FLAT_RING1_DS */
        c.kernel_ss = 0xe021;
        c.kernel_sp = (uint32_t)stack;
        c.event_callback_cs = c.failsafe_callback_cs = 0xe019;
        c.ctrlreg[3] = (uint32_t)(root << 12 | root >> 20);
        rc = xc_vcpu_setcontext(w->xc, w->b->domid, 0, &c);
    }
    return rc ? build_pv_fail(w, "the first vCPU's context is refused", rc) : 0;
}
