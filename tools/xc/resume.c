// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calling a suspend off.
 *
 * Concept: a guest suspends when it is to be saved. It puts away what will not be the same after a restore, and says
 * SCHEDOP_shutdown(SHUTDOWN_suspend), with the frame of its start_info as third argument, in RDX. Two things may
 * follow: somewhere, some time, a domain is made of the saved memory, and there the hypercall returns 0; or the domain
 * itself goes on, as after a checkpoint (xl save -c). Whether a guest knows the second case it says with the ELF note
 * SUSPEND_CANCEL.
 *
 *      it does     the hypercall returns 1 (the toolstack writes that into RAX), and nothing else is changed
 *      it does not it must believe that it was restored: the hypercall returns 0, start_info names its two frames by
 *      mfn
 *                  again (the guest had turned them into pfns), and every vCPU but the first is back where it was at
 *                  boot
 *
 * An HVM guest has neither such frames nor the note, and is told the second case with 1, too, if it has asked for
 * interrupts by event channel, and so knows of suspending at all.
 *
 * A guest that suspends by itself, and that nobody is saving, goes on at once.
 *
 * Corresponds to tools/libs/guest/xg_resume.c, xc_domain_resume_cooperative() and xc_domain_resume_any(). That looks
 * the two frames up in the guest's own p2m list; this toolstack has not forgotten them.
 */
#include "tools/xc/resume.h"

#include "tools/xc/xc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xen/foreign/x86_32.h>
#include <xen/hvm/params.h>

union context {
    struct vcpu_guest_context c64;
    struct vcpu_guest_context_x86_32 c32;
};

static int fail(char *err, const char *what, int rc)
{
    snprintf(err, RESUME_ERR_SIZE, "%s: %s", what, strerror(-rc));
    return -1;
}

/* The hypercall that suspended the domain returns 1. */
static int return_one(struct xc_handle *xc, const struct suspended *s, union context *c)
{
    if (s->is64)
        c->c64.user_regs.rax = 1;
    else
        c->c32.user_regs.eax = 1;
    return xc_vcpu_setcontext(xc, s->domid, 0, c);
}

/* The console's and xenstore's frames as mfns, where the guest has left pfns. */
static int start_info_restore(struct xc_handle *xc, const struct suspended *s, const union context *c, char *err)
{
    const mfn_t mfn = _mfn(s->is64 ? c->c64.user_regs.rdx : c->c32.user_regs.edx);
    char *page = xc_map_foreign(xc, s->domid, mfn);
    int rc = 0;

    if (!page || memcmp(page, "xen-", 4)) {
        snprintf(err, RESUME_ERR_SIZE,
                 "the third argument of its SCHEDOP_shutdown, %#llx, is not the frame of start_info",
                 (unsigned long long)mfn_x(mfn));
        rc = -1;
    } else if (s->is64) {
        struct start_info *si = (struct start_info *)page;

        si->store_mfn = mfn_x(s->store_mfn);
        si->console.domU.mfn = mfn_x(s->console_mfn);
    } else {
        struct start_info_x86_32 *si = (struct start_info_x86_32 *)page;

        si->store_mfn = (uint32_t)mfn_x(s->store_mfn);
        si->console.domU.mfn = (uint32_t)mfn_x(s->console_mfn);
    }
    if (page)
        xc_unmap(xc, page);
    return rc;
}

static int reset_others(struct xc_handle *xc, const struct suspended *s)
{
    struct xen_domctl_getdomaininfo info;
    int rc = xc_domain_getinfo(xc, s->domid, &info);

    for (unsigned int id = 1; !rc && id <= info.max_vcpu_id; id++)
        rc = xc_vcpu_setcontext(xc, s->domid, id, NULL);
    return rc;
}

/* modify_returncode() of libxc: in such a guest's registers it is the same for all widths. */
static int hvm_return_one(struct xc_handle *xc, const struct suspended *s, union context *c)
{
    uint64_t callback = 0;
    const int rc = xc_hvm_param_get(xc, s->domid, HVM_PARAM_CALLBACK_IRQ, &callback);

    if (rc || !callback)
        return rc;
    c->c64.user_regs.rax = 1;
    return xc_vcpu_setcontext(xc, s->domid, 0, c);
}

int resume(struct xc_handle *xc, const struct suspended *s, char err[RESUME_ERR_SIZE])
{
    union context c = { 0 };
    int rc = xc_vcpu_getcontext(xc, s->domid, 0, &c);

    if (rc) {
        fail(err, "its registers cannot be read", rc);
    } else if (s->hvm || s->cancel) {
        rc = s->hvm ? hvm_return_one(xc, s, &c) : return_one(xc, s, &c);
        if (rc)
            fail(err, "its registers cannot be written", rc);
    } else {
        rc = start_info_restore(xc, s, &c, err);
        if (!rc && (rc = reset_others(xc, s)))
            fail(err, "its other vCPUs cannot be reset", rc);
    }
    if (!rc && (rc = xc_domain_resume(xc, s->domid)))
        fail(err, "XEN_DOMCTL_resumedomain", rc);
    return rc ? -1 : 0;
}
