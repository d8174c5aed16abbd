// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who may do what to whom: one table.
 *
 * Concept: Xen asks its security module before every operation that is not a domain's own affair. Without a policy
 * loaded the answer is the operation's default action, which looks at no more than who asks and whom it is about:
 *
 *                    the control    the target's    the domain   the xenstore's   anybody
 *                    domain         device model    itself       domain           else
 *      XSM_TARGET    yes            yes             yes          no               no
 *      XSM_XS_PRIV   yes            yes             no           yes              no
 *      XSM_DM_PRIV   yes            yes             no           no               no
 *      XSM_PRIV      yes            no              no           no               no
 *
 * (A device model's domain is one that XEN_DOMCTL_set_target gave power over another.) Each line of XSM_OPERATIONS
 * makes a function, xsm_NAME(src, target): 0 or -EPERM. Its name is Xen's, and so is its action. An operation whose
 * command decides (Xen: XSM_OTHER) has a line for each answer. Privilege is apart from kind: nothing here asks what
 * kind of guest a domain is.
 *
 * Not here: limits that are properties of the control domain rather than permissions (the largest extent, NUMA nodes,
 * interrupts).
 *
 * Corresponds to xen/include/xsm/dummy.h.
 */
#ifndef VCPU_NOUN_XSM_H
#define VCPU_NOUN_XSM_H

#include "vcpu/noun/domain.h"

#include <errno.h>
#include <xen/domctl.h>

/*      name                       default action  where the public headers define the operation */
#define XSM_OPERATIONS(X)                                                                                              \
    X(evtchn_unbound, XSM_TARGET, "event_channel.h: EVTCHNOP_alloc_unbound")                                           \
    X(evtchn_status, XSM_TARGET, "event_channel.h: EVTCHNOP_status")                                                   \
    X(evtchn_reset, XSM_TARGET, "event_channel.h: EVTCHNOP_reset")                                                     \
    X(grant_setup, XSM_TARGET, "grant_table.h: GNTTABOP_setup_table, get_status_frames")                               \
    X(grant_query_size, XSM_TARGET, "grant_table.h: GNTTABOP_query_size, get_version")                                 \
    X(memory_adjust_reservation, XSM_TARGET, "memory.h: XENMEM_increase_, decrease_reservation, populate_physmap")     \
    X(memory_stat_reservation, XSM_TARGET, "memory.h: XENMEM_current_, maximum_reservation, maximum_gpfn")             \
    X(memory_exchange, XSM_TARGET, "memory.h: XENMEM_exchange")                                                        \
    X(get_vnumainfo, XSM_TARGET, "memory.h: XENMEM_get_vnumainfo")                                                     \
    X(domain_memory_map, XSM_TARGET, "memory.h: XENMEM_set_memory_map")                                                \
    X(add_to_physmap, XSM_TARGET, "memory.h: XENMEM_add_to_physmap and its kin")                                       \
    X(map_gmfn_foreign, XSM_TARGET, "memory.h: XENMEM_add_to_physmap_batch of foreign frames")                         \
    X(domain_resource_map, XSM_DM_PRIV, "memory.h: XENMEM_acquire_resource")                                           \
    X(claim_pages, XSM_PRIV, "memory.h: XENMEM_claim_pages")                                                           \
    X(pod_target, XSM_PRIV, "memory.h: XENMEM_set_pod_target, get_pod_target")                                         \
    X(machine_memory_map, XSM_PRIV, "memory.h: XENMEM_machine_memory_map")                                             \
    X(mmu_update, XSM_TARGET, "xen.h: mmu_update")                                                                     \
    X(update_va_mapping, XSM_TARGET, "xen.h: update_va_mapping_otherdomain")                                           \
    X(mmuext_op, XSM_TARGET, "xen.h: mmuext_op")                                                                       \
    X(priv_mapping, XSM_TARGET, "xen.h: mmu_update, an L1 entry for a third domain's frame")                           \
    X(schedop_shutdown, XSM_DM_PRIV, "sched.h: SCHEDOP_remote_shutdown")                                               \
    X(hvm_param, XSM_TARGET, "hvm/hvm_op.h: HVMOP_get_mem_type")                                                       \
    X(dm_op, XSM_DM_PRIV, "hvm/dm_op.h")                                                                               \
    X(getdomaininfo, XSM_XS_PRIV, "domctl.h: XEN_DOMCTL_getdomaininfo")                                                \
    X(domctl_device, XSM_DM_PRIV, "domctl.h: ioport_mapping, memory_mapping, bind_pt_irq, unbind_pt_irq")              \
    X(domctl, XSM_PRIV, "domctl.h: all others")                                                                        \
    X(sysctl, XSM_PRIV, "sysctl.h")                                                                                    \
    X(platform_op, XSM_PRIV, "platform.h")                                                                             \
    X(physdev_op, XSM_PRIV, "physdev.h: what is for owners of devices")                                                \
    X(console_io, XSM_PRIV, "xen.h: console_io, all but CONSOLEIO_write")                                              \
    X(xen_version, XSM_PRIV, "version.h: XENVER_commandline, build_id")                                                \
    X(kexec, XSM_PRIV, "kexec.h")                                                                                      \
    X(hypfs_op, XSM_PRIV, "hypfs.h")                                                                                   \
    X(do_mca, XSM_PRIV, "arch-x86/xen-mca.h")

enum xsm_default { XSM_TARGET, XSM_XS_PRIV, XSM_DM_PRIV, XSM_PRIV };

/* 0 or -EPERM. target: whom it is about; NULL: nobody in particular. */
static inline int xsm_default_action(enum xsm_default action, const struct domain *src, const struct domain *target)
{
    const bool device_model = target && src->target == target->domain_id;
    const bool xenstore = src->createflags & XEN_DOMCTL_CDF_xs_domain;

    if (is_control_domain(src) || (action == XSM_TARGET && src == target) || (action == XSM_XS_PRIV && xenstore) ||
        (action != XSM_PRIV && device_model))
        return 0;
    return -EPERM;
}

typedef int xsm_fn(const struct domain *src, const struct domain *target);

#define XSM_FUNCTION(name, action, where)                                                                              \
    static inline int xsm_##name(const struct domain *src, const struct domain *target)                                \
    {                                                                                                                  \
        return xsm_default_action(action, src, target);                                                                \
    }
XSM_OPERATIONS(XSM_FUNCTION)
#undef XSM_FUNCTION

/*
 * The domain that v names for an operation (DOMID_SELF or a number), with a reference, if v may do it to that domain.
 * 0; -ESRCH: there is none; -EPERM.
 */
int get_domain_for(struct vcpu *v, domid_t domid, xsm_fn *may, struct domain **out);

#endif
