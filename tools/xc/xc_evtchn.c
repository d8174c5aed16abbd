// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event channels: libxenctrl's xc_evtchn.c.
 */
#include "tools/xc/xc_private.h"

int xc_evtchn_alloc_unbound(struct xc_handle *xc, domid_t domid, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound op = { .dom = domid, .remote_dom = DOMID_SELF };
    long rc = xc_hypercall(xc, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, PTR(&op), 0, 0, 0);

    *port = op.port;
    return (int)rc;
}

int xc_evtchn_bind_virq(struct xc_handle *xc, uint32_t virq, evtchn_port_t *local)
{
    struct evtchn_bind_virq op = { .virq = virq };
    long rc = xc_hypercall(xc, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, PTR(&op), 0, 0, 0);

    *local = op.port;
    return (int)rc;
}
