// SPDX-License-Identifier: GPL-2.0-or-later
/* A shared page with two rings of events: see rings/fb/page.h. */
#include "rings/fb/page.h"

#include "vcpu/native/grant.h"
#include "vcpu/native/map.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/io/fbif.h>
#include <xen/io/kbdif.h>

_Static_assert(sizeof(union xenfb_out_event) == FB_EVENT_SIZE && sizeof(union xenkbd_in_event) == FB_EVENT_SIZE &&
                   offsetof(struct xenfb_page, out_prod) == offsetof(struct xenkbd_page, out_prod),
               "both are the same");

static long event_op(const struct fb_page *p, unsigned int cmd, void *op)
{
    return hypercall_native(native_vcpu(xenbus_kernel(p->dev->bus)), __HYPERVISOR_event_channel_op, cmd,
                            (uint64_t)(uintptr_t)op, 0, 0, 0);
}

static int page_map(struct fb_page *p)
{
    struct vcpu *v = native_vcpu(xenbus_kernel(p->dev->bus));
    uint64_t ref;

    p->granted = xenbus_read_number(p->dev, true, "page-gref", 1, UINT32_MAX, &ref);
    if (p->granted)
        p->page = native_grant_map(v, p->dev->front, (grant_ref_t)ref, &p->handle);
    else if (xenbus_read_number(p->dev, true, "page-ref", 0, UINT64_MAX >> PAGE_SHIFT, &ref))
        p->page = native_map_foreign(v, p->dev->front, _mfn(ref));
    else
        return xenbus_fail(p->dev, -EINVAL, "%d page-ref is missing, or no frame", EINVAL);
    return p->page ? 0 : xenbus_fail(p->dev, -EINVAL, "%d the page cannot be mapped", EINVAL);
}

int fb_page_connect(struct fb_page *p, struct xenbus_device *dev, struct task *t)
{
    struct evtchn_bind_interdomain bind = { .remote_dom = dev->front };
    uint64_t port;
    int rc;

    *p = (struct fb_page){ .dev = dev };
    rc = page_map(p);
    if (rc)
        return rc;
    if (!xenbus_read_number(dev, true, "event-channel", 1, UINT32_MAX, &port))
        return xenbus_fail(dev, -EINVAL, "%d event-channel is missing, or no port", EINVAL);
    bind.remote_port = (evtchn_port_t)port;
    if (event_op(p, EVTCHNOP_bind_interdomain, &bind))
        return xenbus_fail(dev, -EINVAL, "%d event-channel cannot be bound", EINVAL);
    p->port = bind.local_port;
    if (!native_bind(xenbus_kernel(dev->bus), p->port, t))
        return xenbus_fail(dev, -ENOMEM, "%d no memory", ENOMEM);
    return 0;
}

void fb_page_disconnect(struct fb_page *p)
{
    struct evtchn_close close = { .port = p->port };

    if (p->port) {
        native_bind(xenbus_kernel(p->dev->bus), p->port, NULL);
        event_op(p, EVTCHNOP_close, &close);
    }
    if (p->page && p->granted)
        native_grant_unmap(native_vcpu(xenbus_kernel(p->dev->bus)), p->page, p->handle);
    else if (p->page)
        native_unmap(native_vcpu(xenbus_kernel(p->dev->bus)), p->page);
    memset(p, 0, sizeof(*p));
}

int fb_page_take(struct fb_page *p, unsigned int offset, unsigned int nr, uint8_t event[FB_EVENT_SIZE])
{
    struct xenfb_page *page = (struct xenfb_page *)p->page;
    const uint32_t prod = *(volatile const uint32_t *)&page->out_prod;

    if (prod - p->out_cons > nr)
        return -EPROTO;
    if (prod == p->out_cons)
        return 0;
    atomic_thread_fence(memory_order_seq_cst); /* the index before the event */
    memcpy(event, p->page + offset + (size_t)(p->out_cons % nr) * FB_EVENT_SIZE, FB_EVENT_SIZE);
    p->out_cons++;
    atomic_thread_fence(memory_order_seq_cst); /* the event before its slot is given back */
    page->out_cons = p->out_cons;
    return 1;
}

int fb_page_put(struct fb_page *p, unsigned int offset, unsigned int nr, const uint8_t event[FB_EVENT_SIZE])
{
    struct xenfb_page *page = (struct xenfb_page *)p->page;
    const uint32_t cons = *(volatile const uint32_t *)&page->in_cons;

    if (p->in_prod - cons > nr)
        return -EPROTO;
    if (p->in_prod - cons == nr)
        return 0;
    atomic_thread_fence(memory_order_seq_cst); /* the index before the slot */
    memcpy(p->page + offset + (size_t)(p->in_prod % nr) * FB_EVENT_SIZE, event, FB_EVENT_SIZE);
    p->in_prod++;
    atomic_thread_fence(memory_order_seq_cst); /* the event before the index */
    page->in_prod = p->in_prod;
    return 1;
}

void fb_page_notify(const struct fb_page *p)
{
    struct evtchn_send op = { .port = p->port };

    event_op(p, EVTCHNOP_send, &op);
}
