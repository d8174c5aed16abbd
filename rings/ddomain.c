// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver domain: the idea is in rings/ddomain.h. */
#include "rings/ddomain.h"

struct ddomain {
    struct native_kernel *kernel;
    struct task start;
    struct xenstore_domain_interface *intf;
    evtchn_port_t store_port;
    struct netback net;
    struct xenbus_kind kinds[3];
    struct xenbus *bus;
};

/* Its first step, in its own name: from now on it serves whoever asks. */
static bool start_step(struct task *t, unsigned int budget)
{
    struct ddomain *dd = t->data;

    (void)budget;
    if (!native_timers_start(dd->kernel))
        dd->bus = xenbus_create_ring(dd->kernel, dd->intf, dd->store_port, dd->kinds);
    if (!dd->bus)
        printk(native_vcpu(dd->kernel)->domain->xen->machine, LOG_ERR, "d%u: a driver domain without memory",
               native_vcpu(dd->kernel)->domain->domain_id);
    return false;
}

static const struct task_ops start_task = { .name = "start", .step = start_step };

struct ddomain *ddomain_create(struct domain *d, const struct ddomain_config *cfg)
{
    struct ddomain *dd = xzalloc(d->xen->machine->arena, struct ddomain);

    if (!dd)
        return NULL;
    dd->kernel = native_kernel_create(d, cfg->frames, cfg->nr_frames);
    if (!dd->kernel) {
        xfree(dd);
        return NULL;
    }
    dd->intf = cfg->intf;
    dd->store_port = cfg->store_port;
    bridges_init(&dd->net.bridges, native_vcpu(dd->kernel));
    dd->net.tap = cfg->tap;
    dd->kinds[0] = (struct xenbus_kind){ &blkback, cfg->disks };
    dd->kinds[1] = (struct xenbus_kind){ &netback, &dd->net };
    task_init(&dd->start, dd->kernel, &start_task, dd);
    task_ready(&dd->start);
    return dd;
}

void ddomain_destroy(struct ddomain *dd)
{
    if (!dd)
        return;
    native_kernel_gone(dd->kernel);
    xenbus_destroy(dd->bus);
    bridges_end(&dd->net.bridges);
    task_end(&dd->start);
    native_kernel_destroy(dd->kernel);
    xfree(dd);
}

struct xenbus *ddomain_bus(const struct ddomain *dd) { return dd->bus; }
const struct netback *ddomain_net(const struct ddomain *dd) { return &dd->net; }
