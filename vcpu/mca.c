// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * do_mca: machine checks, which the owner of the machine asks for.
 *
 * Concept: a processor reports an error of its hardware by a machine check; Xen collects the reports, and dom0's kernel
 * fetches them for its log. The processors here are simulated and never fail, so there is never a report; but which
 * processors there are is asked by the same call.
 *
 *      XEN_MC_fetch            XEN_MC_NODATA; to acknowledge one (XEN_MC_ACK): taken
 *      XEN_MC_physcpuinfo      how many processors there are, and which, if there is room for them
 *      all others              -EINVAL: injected errors are for tests of hardware that is not here
 *
 * Corresponds to do_mca() of xen/arch/x86/cpu/mcheck/mce.c. Source: the public header arch-x86/xen-mca.h.
 */
#include "mmu/guest_access.h"
#include "vcpu/cpuid.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <string.h>
#include <xen/arch-x86/xen-mca.h>

/* A handle of the caller's; of a PV32 domain's it is the lower half, in the same place. */
static uint64_t handle(const struct vcpu *v, const void *p)
{
    return v->domain->type == DOMAIN_PV32 ? (uint32_t)(uintptr_t)p : (uintptr_t)p;
}

static int fetch(const struct vcpu *v, struct xen_mc_fetch *op)
{
    const uint32_t which = op->flags & (XEN_MC_NONURGENT | XEN_MC_URGENT);

    if (which != XEN_MC_NONURGENT && which != XEN_MC_URGENT)
        return -EINVAL;
    if (op->flags & XEN_MC_ACK) {
        op->flags = XEN_MC_OK;
        return 0;
    }
    if (!handle(v, op->data.p))
        return -EINVAL;
    op->flags = XEN_MC_NODATA;
    op->fetch_id = 0;
    return 0;
}

/* Every processor is a chip of its own, as XEN_SYSCTL_cputopoinfo tells of sockets and cores. */
static void describe(const struct vcpu *v, uint32_t cpu, struct mcinfo_logical_cpu *to)
{
    const struct cpuid_leaf id = guest_cpuid(v, 0, 0), l = guest_cpuid(v, 1, 0);

    *to = (struct mcinfo_logical_cpu){
        .mc_cpunr = cpu,
        .mc_coreid = (uint16_t)cpu,
        .mc_apicid = 2 * cpu, /* as tools/build/acpi.c has it in the MADT */
        .mc_ncores = 1,
        .mc_ncores_active = 1,
        .mc_nthreads = 1,
        .mc_cpuid_level = (int32_t)id.a,
        .mc_family = (l.a >> 8 & 0xf) + ((l.a >> 8 & 0xf) == 0xf ? l.a >> 20 & 0xff : 0),
        .mc_model = (l.a >> 4 & 0xf) | (l.a >> 16 & 0xf) << 4,
        .mc_step = l.a & 0xf,
    };
    memcpy(to->mc_vendorid, &id.b, 4);
    memcpy(to->mc_vendorid + 4, &id.d, 4);
    memcpy(to->mc_vendorid + 8, &id.c, 4);
}

static int physcpuinfo(struct vcpu *v, struct xen_mc_physcpuinfo *op)
{
    const struct xen *xen = v->domain->xen;
    const uint64_t to = handle(v, op->info.p);
    const uint32_t room = to ? op->ncpus : UINT32_MAX;
    uint32_t nr = 0;

    if (to && (int32_t)op->ncpus <= 0)
        return -EINVAL;
    for (uint32_t cpu = 0; cpu < xen->nr_pcpus && nr < room; cpu++) {
        struct mcinfo_logical_cpu info;

        if (!xen->pcpu[cpu].online)
            continue;
        describe(v, cpu, &info);
        if (to && copy_to_guest(v, to + nr * sizeof(info), &info, sizeof(info)))
            return -EFAULT;
        nr++;
    }
    op->ncpus = nr;
    return 0;
}

long do_mca(struct vcpu *v, struct hypercall_args *args)
{
    struct xen_mc op;
    int rc = xsm_do_mca(v->domain, NULL);

    if (rc)
        return rc;
    if (copy_from_guest(v, &op, args->a[0], sizeof(op)))
        return -EFAULT;
    if (op.interface_version != XEN_MCA_INTERFACE_VERSION)
        return -EACCES;
    switch (op.cmd) {
    case XEN_MC_fetch: rc = fetch(v, &op.u.mc_fetch); break;
    case XEN_MC_physcpuinfo: rc = physcpuinfo(v, &op.u.mc_physcpuinfo); break;
    default: return -EINVAL;
    }
    return rc == 0 && copy_to_guest(v, args->a[0], &op, sizeof(op)) ? -EFAULT : rc;
}
