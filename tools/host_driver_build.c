// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Driver domains, as the toolstack has them: built, named by devices, started again.
 *
 * Concept: a driver domain is a guest without a kernel file: what it runs is rings/ddomain.c. The toolstack gives it
 * memory, a xenstore page and a port, and a directory in the store that it may have back ends in; a device whose
 * `backend` names it has its nodes there. When it crashes it is started again in place:
 *
 *      shut down --> XEN_DOMCTL_soft_reset --> kernel, port, introduced again --> unpaused
 *                    ports, mappings gone      its number, its memory, the store's nodes and all grants stay
 *
 * Nobody else takes part in that, its guests neither: their rings stand still for a while. One that crashes again and
 * again is given up: its devices close, as far as the toolstack can close them.
 *
 * Corresponds to driver_domain=1 of xl.cfg(5), libxl__domain_make() for the nodes, and the supervisor of the papers on
 * driver domains (Fraser et al., "Safe hardware access with the Xen virtual machine monitor", 2004).
 */
#include "rings/ddomain.h"
#include "sim/frame.h"
#include "tools/nodes.h"
#include "tools/xc/xc.h"
#include "vcpu/domctl.h"

#include <stdio.h>
#include <string.h>
#include <xen/io/xenbus.h>
#include <xen/sched.h>

/* --- what it runs --- */

/* Its kernel begins as soon as it is unpaused. */
static bool kernel_load(struct guest *g, evtchn_port_t store_port)
{
    struct driver *dr = g->driver;
    struct domain *d = get_domain_by_id(g->host->xen, g->domid);
    const struct ddomain_config cfg = {
        .frames = dr->frames + 1,
        .nr_frames = dr->nr_frames - 1,
        .intf = dr->intf,
        .store_port = store_port,
        .disks = &g->host->disks,
        .tap = host_net_tap(g->host),
    };

    dr->runs = ddomain_create(d, &cfg);
    dr->started = host_now(g->host);
    put_domain(d);
    return dr->runs;
}

static int build_fail(struct guest *g, const char *what, char err[HOST_ERR_SIZE])
{
    snprintf(err, HOST_ERR_SIZE, "%s: the driver domain cannot be built: %s", g->cfg.name, what);
    return -1;
}

static int domain_make(struct guest *g, char err[HOST_ERR_SIZE])
{
    struct xen_domctl_createdomain config = { .flags = XENLAB_DOMCTL_CDF_native,
                                              .max_vcpus = 1,
                                              .max_evtchn_port = g->cfg.limits.event_channels ?: 1023,
                                              .max_grant_frames = (int32_t)(g->cfg.limits.grant_frames ?: 64),
                                              .max_maptrack_frames = (int32_t)(g->cfg.limits.maptrack_frames ?: 1024),
                                              .grant_opts = 2 };
    struct xc_handle *xc = g->host->xc;
    struct driver *dr = g->driver;

    memcpy(config.handle, g->cfg.uuid, sizeof(config.handle));
    g->domid = 0;
    if (xc_domain_create(xc, &config, &g->domid))
        return build_fail(g, "no domain", err);
    dr->nr_frames = (uint64_t)g->cfg.memory_mib << 8;
    dr->frames = xzalloc_array(g->host->arena, uint64_t, dr->nr_frames);
    if (!dr->frames || xc_domain_max_vcpus(xc, g->domid, 1) ||
        xc_domain_setmaxmem(xc, g->domid, (uint64_t)g->cfg.memory_mib << 10) ||
        xc_domain_populate_physmap(xc, g->domid, dr->nr_frames, dr->frames))
        return build_fail(g, "not enough memory (more --ram?)", err);
    if (xc_evtchn_alloc_unbound(xc, g->domid, &g->store_port))
        return build_fail(g, "no event channel", err);
    return 0;
}

int driver_build(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    const struct guest_sched_env env = { xc(h), h->pools, h->nr_pools, NULL, NULL };
    struct driver *dr = g->driver = xzalloc(h->arena, struct driver);
    int rc = dr ? domain_make(g, err) : build_fail(g, "out of memory", err);

    if (!rc)
        rc = guest_sched_apply(&env, g->domid, 1, &g->sched, err);
    if (!rc) {
        g->store_mfn = _mfn(dr->frames[0]);
        dr->intf = frame_share(h->machine, g->store_mfn);
        memset(dr->intf, 0, sizeof(*dr->intf));
        h->guest_of[g->domid] = g;
        if (!kernel_load(g, g->store_port) || !guest_introduce(g))
            rc = build_fail(g, "out of memory", err);
    }
    if (!rc) {
        g->built = true;
        g->born = host_now(h);
        return 0;
    }
    return rc;
}

/* --- started again --- */

struct each_device {
    struct guest *g;
    unsigned int nr;
    bool close;
};

/* A device of its, by its directory at the back end. */
static void device_seen(void *data, domid_t front, const char *type, unsigned int devid)
{
    struct each_device *e = data;
    struct host *h = e->g->host;
    struct node_writer w = { .h = h };
    char path[NODE_PATH_SIZE];

    e->nr++;
    if (!e->close)
        return;
    node(&w, path_make(path, "/local/domain/%u/backend/%s/%u/%u/online", e->g->domid, type, front, devid), AS_PARENT,
         "0");
    node(&w, path_make(path, "/local/domain/%u/backend/%s/%u/%u/state", e->g->domid, type, front, devid), AS_PARENT,
         "%u", XenbusStateClosed);
}

static unsigned int devices(struct guest *g, bool close)
{
    struct each_device e = { .g = g, .close = close };

    guest_devices_of(g->host, g->domid, device_seen, &e);
    return e.nr;
}

static bool start_again(struct host *h, struct guest *g)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_soft_reset, .domain = g->domid };
    struct driver *dr = g->driver;

    ddomain_destroy(dr->runs);
    dr->runs = NULL;
    if (xc_domctl(xc(h), &op) || xc_evtchn_alloc_unbound(xc(h), g->domid, &g->store_port) ||
        !kernel_load(g, g->store_port) || xenstored_restarted(h->xenstored, g->domid, g->store_port))
        return false;
    dr->restarts++;
    g->crash_wanted = false;
    return !xc_domain_unpause(xc(h), g->domid);
}

bool driver_down(struct host *h, struct guest *g)
{
    struct driver *dr = g->driver;
    const bool quick = host_now(h) - dr->started < GUEST_SHORT_LIFE;
    const unsigned int nr = devices(g, false);

    dr->crashes = quick ? dr->crashes + 1 : 1;
    if (dr->crashes <= GUEST_CRASHES_MAX && start_again(h, g)) {
        host_message(h, "%s, a driver domain, has crashed: it is started again; devices that wait for it: %u",
                     g->cfg.name, nr);
        return true;
    }
    host_message(h,
                 "%s, a driver domain, has crashed %u times in a row, each time within %lld s: given up; devices that "
                 "are closed: %u",
                 g->cfg.name, dr->crashes, (long long)(GUEST_SHORT_LIFE / SECONDS(1)), nr);
    devices(g, true);
    return false;
}
