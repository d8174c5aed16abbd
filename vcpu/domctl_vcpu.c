// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * domctl: what a vCPU has beside struct vcpu_guest_context, for who saves and restores domains.
 *
 * Concept: three commands to read it, three to set it. The extended context is where SYSCALL of 32-bit code and
 * SYSENTER enter a PV kernel, and what the vCPU knows of machine checks; the extended state is what XSAVE keeps, of
 * which no guest has any here, so that only its header is left; the MSRs are those that Xen sends to another machine,
 * of which a guest has none set: each is 0, and what is 0 is not sent.
 *
 * Corresponds to xen/arch/x86/domctl.c and cpu/mcheck/vmce.c; structures in public domctl.h.
 */
#include "mmu/guest_access.h"
#include "vcpu/domctl.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/pv/pv.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <xen/domctl.h>
#include <xen/hvm/save.h>

#define XSAVE_HDR_SIZE 16u /* Xen's PV_XSAVE_HDR_SIZE: xcr0, xcr0_accum */

static int vcpu_of(struct domain *d, unsigned int id, struct vcpu **out)
{
    *out = id < d->max_vcpus ? d->vcpu[id] : NULL;
    return *out ? 0 : -ESRCH;
}

/* --- the extended context --- */

static void ext_get(const struct vcpu *v, struct xen_domctl_ext_vcpucontext *c)
{
    const uint32_t id = c->vcpu;

    memset(c, 0, sizeof(*c));
    c->vcpu = id;
    c->size = sizeof(*c);
    if (is_pv_domain(v->domain)) {
        c->syscall32_callback_eip = v->pv.syscall32_callback_eip;
        c->syscall32_callback_cs = v->pv.syscall32_callback_cs;
        c->syscall32_disables_events = v->pv.syscall32_disables_events;
    }
    hvm_vmce_save(v, &c->vmce);
}

/* SYSENTER cannot be had on this processor: where it would enter is looked at, and forgotten. */
static int ext_set(struct vcpu *v, const struct xen_domctl_ext_vcpucontext *c)
{
    if (c->size < offsetof(struct xen_domctl_ext_vcpucontext, vmce))
        return -EINVAL;
    if (is_pv_domain(v->domain)) {
        if (!is_canonical(c->sysenter_callback_eip) || !is_canonical(c->syscall32_callback_eip))
            return -EINVAL;
        v->pv.syscall32_callback_eip = c->syscall32_callback_eip;
        v->pv.syscall32_callback_cs = fixup_guest_code_selector(v->domain, c->syscall32_callback_cs);
        v->pv.syscall32_disables_events = c->syscall32_disables_events != 0;
    } else if (c->sysenter_callback_cs | c->sysenter_callback_eip | c->sysenter_disables_events |
               c->syscall32_callback_cs | c->syscall32_callback_eip | c->syscall32_disables_events) {
        return -EINVAL;
    }
    if (c->size >= offsetof(struct xen_domctl_ext_vcpucontext, vmce) + sizeof(c->vmce))
        return hvm_vmce_load(v, &c->vmce);
    return 0;
}

static int ext_vcpucontext(struct vcpu *caller, struct domain *d, struct xen_domctl_ext_vcpucontext *c, bool set)
{
    struct vcpu *v;
    int rc = vcpu_of(d, c->vcpu, &v);

    if (rc || v == caller)
        return rc ? rc : -EINVAL;
    if (!set) {
        ext_get(v, c);
        return 0;
    }
    domain_pause(d);
    rc = ext_set(v, c);
    domain_unpause(d);
    return rc;
}

/* --- the extended state --- */

/* Without a buffer, or as a question: how large it is, and what is in it. */
static int xstate_get(struct vcpu *caller, struct xen_domctl_vcpuextstate *s)
{
    static const uint64_t header[2];
    const uint64_t buf = (uintptr_t)s->buffer.p;

    if ((!s->size && !s->xfeature_mask) || !buf) {
        s->xfeature_mask = 0;
        s->size = XSAVE_HDR_SIZE;
        return 0;
    }
    if (s->size != XSAVE_HDR_SIZE || s->xfeature_mask)
        return -EINVAL;
    return copy_to_guest(caller, buf, header, sizeof(header)) ? -EFAULT : 0;
}

/* Only one of nothing fits: 1 (x87) is what XCR0 is where it is not enabled. */
static int xstate_set(struct vcpu *caller, const struct xen_domctl_vcpuextstate *s)
{
    uint64_t header[2];

    if (s->size != XSAVE_HDR_SIZE)
        return -EINVAL;
    if (copy_from_guest(caller, header, (uintptr_t)s->buffer.p, sizeof(header)))
        return -EFAULT;
    return 0;
}

static int vcpuextstate(struct vcpu *caller, struct domain *d, struct xen_domctl_vcpuextstate *s, bool set)
{
    struct vcpu *v;
    const int rc = vcpu_of(d, s->vcpu, &v);

    if (rc || v == caller)
        return rc ? rc : -EINVAL;
    return set ? xstate_set(caller, s) : xstate_get(caller, s);
}

/* --- MSRs --- */

/* MSR_SPEC_CTRL, INTEL_MISC_FEATURES_ENABLES, TSX_CTRL, and the address masks of the breakpoints */
static const uint32_t msrs_to_send[] = { 0x48, 0x140, 0x122, 0xc0011027, 0xc0011019, 0xc001101a, 0xc001101b };
#define NR_MSRS (sizeof(msrs_to_send) / sizeof(msrs_to_send[0]))

/* Up to which of them there is nothing wrong. */
static int msrs_set(struct vcpu *caller, struct xen_domctl_vcpu_msrs *m)
{
    uint32_t i = 0;

    if (m->msr_count > NR_MSRS)
        return -EINVAL;
    for (; i < m->msr_count; i++) {
        struct xen_domctl_vcpu_msr msr;
        bool known = false;

        if (copy_from_guest(caller, &msr, (uintptr_t)m->msrs.p + i * sizeof(msr), sizeof(msr)))
            return -EFAULT;
        for (unsigned int k = 0; k < NR_MSRS; k++)
            known = known || msrs_to_send[k] == msr.index;
        if (msr.reserved || !known || msr.value)
            break;
    }
    if (i == m->msr_count)
        return 0;
    m->msr_count = i;
    return -EINVAL;
}

static int vcpu_msrs(struct vcpu *caller, struct domain *d, struct xen_domctl_vcpu_msrs *m, bool set)
{
    struct vcpu *v;
    const int rc = vcpu_of(d, m->vcpu, &v);

    if (rc || v == caller || !is_pv_domain(d))
        return rc ? rc : -EINVAL;
    if (set)
        return msrs_set(caller, m);
    m->msr_count = m->msrs.p ? 0 : NR_MSRS;
    return 0;
}

int domctl_vcpu_rest(struct vcpu *caller, struct domain *d, struct xen_domctl *op)
{
    switch (op->cmd) {
    case XEN_DOMCTL_get_ext_vcpucontext: return ext_vcpucontext(caller, d, &op->u.ext_vcpucontext, false);
    case XEN_DOMCTL_set_ext_vcpucontext: return ext_vcpucontext(caller, d, &op->u.ext_vcpucontext, true);
    case XEN_DOMCTL_getvcpuextstate: return vcpuextstate(caller, d, &op->u.vcpuextstate, false);
    case XEN_DOMCTL_setvcpuextstate: return vcpuextstate(caller, d, &op->u.vcpuextstate, true);
    case XEN_DOMCTL_get_vcpu_msrs: return vcpu_msrs(caller, d, &op->u.vcpu_msrs, false);
    case XEN_DOMCTL_set_vcpu_msrs: return vcpu_msrs(caller, d, &op->u.vcpu_msrs, true);
    default: return -ENOSYS;
    }
}
