// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control interface: the handle, the two calls through which most others go, and questions about the machine. The
 * others are in a file for each group of them, named as in libxenctrl.
 */
#include "tools/xc/xc_private.h"

#include <string.h>

struct xc_handle *xc_interface_open(struct vcpu *v)
{
    struct xc_handle *xc = xzalloc(v->domain->xen->machine->arena, struct xc_handle);

    if (xc)
        xc->v = v;
    return xc;
}

void xc_interface_close(struct xc_handle *xc) { xfree(xc); }

int xc_domctl(struct xc_handle *xc, struct xen_domctl *op)
{
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return (int)xc_hypercall(xc, __HYPERVISOR_domctl, PTR(op), 0, 0, 0, 0);
}

int xc_sysctl(struct xc_handle *xc, struct xen_sysctl *op)
{
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return (int)xc_hypercall(xc, __HYPERVISOR_sysctl, PTR(op), 0, 0, 0, 0);
}

int xc_physinfo(struct xc_handle *xc, struct xen_sysctl_physinfo *info)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo };
    int rc = xc_sysctl(xc, &op);

    *info = op.u.physinfo;
    return rc;
}

int xc_send_debug_keys(struct xc_handle *xc, const char *keys)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_debug_keys, .u.debug_keys.nr_keys = (uint32_t)strlen(keys) };

    op.u.debug_keys.keys.p = (char *)keys;
    return xc_sysctl(xc, &op);
}

int xc_readconsolering(struct xc_handle *xc, char *buf, uint32_t size, bool clear, uint32_t *index)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_readconsole,
                             .u.readconsole = { .clear = clear, .incremental = 1, .index = *index, .count = size } };
    int rc;

    set_xen_guest_handle(op.u.readconsole.buffer, buf);
    rc = xc_sysctl(xc, &op);
    *index = op.u.readconsole.index;
    return rc ? rc : (int)op.u.readconsole.count;
}

int xc_version(struct xc_handle *xc, unsigned int cmd, void *arg)
{
    return (int)xc_hypercall(xc, __HYPERVISOR_xen_version, cmd, PTR(arg), 0, 0, 0);
}
