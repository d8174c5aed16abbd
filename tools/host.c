// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host: the composition root. host_create() reads as the order in which a Xen machine comes up.
 *
 * What happens to a guest that shuts down is the toolstack's decision, taken where xl takes it: dom0 gets VIRQ_DOM_EXC, looks
 * with getdomaininfo which domain it was, and carries out on_poweroff, on_reboot or on_crash.
 */
#include "tools/host.h"

#include "rings/console.h"
#include "rings/native.h"
#include "rings/xenstore.h"
#include "tools/build_pv.h"
#include "tools/xc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#define DEFAULT_RAM_MIB   512
#define DEFAULT_GUEST_MIB 64
#define XEN_OVERHEAD_MIB  32 /* frame table and page tables aside, what the hypervisor and the builder need */
#define RUN_SLICE         MILLISECS(1)

struct guest {
    struct guest *next;
    domid_t domid;
    bool ended;
    int end_reason;
    struct host_guest cfg; /* strings are ours */
    struct xl_sched sched; /* cfg.sched points here */
    bool built;            /* before: what is to be warned about has been said */
    struct image image;
    uint8_t *ramdisk;
    size_t ramdisk_size;
    struct console_backend *console;
    struct xenstore_conn *xenstore;
};

struct host {
    struct machine *machine;
    struct xen *xen;
    struct native_kernel *dom0;
    struct host_io io;
    struct guest *guests, **guests_tail;
    struct guest *guest_of[DOMID_FIRST_RESERVED]; /* who had this number last; see guest_find() */
    unsigned int guests_left;                     /* that have not ended */
    struct host_pool *pools;
    unsigned int nr_pools;
    bool audit;
    bool stop; /* no guest is left */
};

static struct vcpu *xc(const struct host *h) { return native_vcpu(h->dom0); }

static struct guest *guest_find(const struct host *h, domid_t domid)
{
    struct guest *g = domid < DOMID_FIRST_RESERVED ? h->guest_of[domid] : NULL;

    return g && g->domid == domid ? g : NULL;
}

/* --- building and taking down guests --- */

static void guest_disconnect(struct guest *g)
{
    console_backend_destroy(g->console);
    xenstore_conn_destroy(g->xenstore);
    g->console = NULL;
    g->xenstore = NULL;
}

static void guest_free(struct guest *g)
{
    image_free(&g->image);
    free(g->ramdisk);
    free((char *)g->cfg.name);
    free((char *)g->cfg.kernel);
    free((char *)g->cfg.ramdisk);
    free((char *)g->cfg.cmdline);
    xl_sched_free(&g->sched);
    free(g);
}

__attribute__((format(printf, 2, 3))) static void message(struct host *h, const char *fmt, ...)
{
    char line[HOST_ERR_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (h->io.message)
        h->io.message(h->io.data, line);
}

static void sched_warning(void *data, const char *line) { message(data, "%s", line); }

/* Pool, affinity, weight...: between building and unpausing. */
static int guest_schedule(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    const struct guest_sched_env env = { xc(h), h->pools, h->nr_pools, g->built ? NULL : sched_warning, h };

    return guest_sched_apply(&env, g->domid, g->cfg.maxvcpus, &g->sched, err);
}

/* Build the domain of g (again) and connect its devices. */
static int guest_build(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    char why[IMAGE_ERR_SIZE];
    struct pv_build b = {
        .image = &g->image,
        .ramdisk = g->ramdisk,
        .ramdisk_size = g->ramdisk_size,
        .cmdline = g->cfg.cmdline,
        .nr_pages = (uint64_t)g->cfg.memory_mib << 8,
        .max_pages = (uint64_t)g->cfg.maxmem_mib << 8,
        .max_vcpus = g->cfg.maxvcpus,
    };
    struct console_io io = { h->io.data, h->io.console_out, h->io.console_in };

    if (build_pv(xc(h), &b, why)) {
        snprintf(err, HOST_ERR_SIZE, "%s: %s", g->cfg.kernel, why);
        return -1;
    }
    g->domid = b.domid;
    if (guest_schedule(h, g, err)) {
        xc_domain_destroy(xc(h), b.domid);
        return -1;
    }
    g->built = true;
    g->console = console_backend_create(h->dom0, b.domid, b.console_mfn, b.console_port, &io);
    g->xenstore = xenstore_conn_create(h->dom0, b.domid, b.store_mfn, b.store_port);
    if (g->console && g->xenstore) {
        g->ended = false;
        h->guest_of[g->domid] = g;
        h->guests_left++;
        return 0;
    }
    guest_disconnect(g);
    xc_domain_destroy(xc(h), b.domid);
    snprintf(err, HOST_ERR_SIZE, "%s: the console or xenstore cannot be connected", g->cfg.kernel);
    return -1;
}

static char *name_from_path(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strdup(slash ? slash + 1 : path);
}

static bool guest_configure(struct guest *g, const struct host_guest *cfg)
{
    g->cfg = *cfg;
    g->cfg.name = cfg->name ? strdup(cfg->name) : name_from_path(cfg->kernel);
    g->cfg.kernel = strdup(cfg->kernel);
    g->cfg.ramdisk = cfg->ramdisk ? strdup(cfg->ramdisk) : NULL;
    g->cfg.cmdline = cfg->cmdline ? strdup(cfg->cmdline) : NULL;
    g->cfg.sched = &g->sched;
    if (!g->cfg.memory_mib)
        g->cfg.memory_mib = DEFAULT_GUEST_MIB;
    if (g->cfg.maxmem_mib < g->cfg.memory_mib)
        g->cfg.maxmem_mib = g->cfg.memory_mib;
    if (!g->cfg.vcpus)
        g->cfg.vcpus = 1;
    if (g->cfg.maxvcpus < g->cfg.vcpus)
        g->cfg.maxvcpus = g->cfg.vcpus;
    if (cfg->sched && !xl_sched_override(&g->sched, cfg->sched))
        return false;
    return g->cfg.name && g->cfg.kernel && (!cfg->ramdisk || g->cfg.ramdisk) && (!cfg->cmdline || g->cfg.cmdline);
}

static int guest_load(struct guest *g, char err[HOST_ERR_SIZE])
{
    char why[IMAGE_ERR_SIZE];

    if (g->cfg.has_type && g->cfg.type != XL_TYPE_PV) {
        snprintf(err, HOST_ERR_SIZE, "%s: type=\"%s\" is not supported yet, only \"pv\"", g->cfg.kernel,
                 xl_type_name(g->cfg.type));
        return -1;
    }
    if (image_load(&g->image, g->cfg.kernel, IMAGE_PV, why)) {
        snprintf(err, HOST_ERR_SIZE, "%s: %s", g->cfg.kernel, why);
        return -1;
    }
    if (g->cfg.ramdisk && image_read_file(g->cfg.ramdisk, &g->ramdisk, &g->ramdisk_size, why)) {
        snprintf(err, HOST_ERR_SIZE, "%s: %s", g->cfg.ramdisk, why);
        return -1;
    }
    return 0;
}

int host_guest_add(struct host *h, const struct host_guest *cfg, domid_t *domid, char err[HOST_ERR_SIZE])
{
    struct guest *g = calloc(1, sizeof(*g));

    if (!g || !guest_configure(g, cfg)) {
        snprintf(err, HOST_ERR_SIZE, "out of memory");
        goto fail;
    }
    if (guest_load(g, err) || guest_build(h, g, err))
        goto fail;
    *h->guests_tail = g;
    h->guests_tail = &g->next;
    *domid = g->domid;
    return 0;

fail:
    if (g)
        guest_free(g);
    return -1;
}

int host_guest_start(struct host *h, domid_t domid) { return xc_domain_unpause(xc(h), domid); }

/* --- what becomes of a guest that has shut down --- */

static enum xl_action action_for(const struct guest *g, int reason)
{
    switch (reason) {
    case SHUTDOWN_poweroff: return g->cfg.on_poweroff;
    case SHUTDOWN_reboot: return g->cfg.on_reboot;
    case SHUTDOWN_crash:
    case SHUTDOWN_watchdog: return g->cfg.on_crash;
    default: return XL_ACTION_PRESERVE; /* suspend: somebody is saving it */
    }
}

static void guest_restart(struct host *h, struct guest *g)
{
    char why[HOST_ERR_SIZE];

    if (guest_build(h, g, why) == 0) {
        xc_domain_unpause(xc(h), g->domid);
        return;
    }
    message(h, "%s: cannot be restarted: %s", g->cfg.name, why);
}

static void guest_end(struct host *h, struct guest *g, int reason)
{
    enum xl_action action = action_for(g, reason);
    domid_t domid = g->domid;

    g->ended = true;
    h->guests_left--;
    g->end_reason = reason;
    console_backend_drain(g->console);
    if (h->io.guest_ended)
        h->io.guest_ended(h->io.data, domid, reason);
    if (action == XL_ACTION_PRESERVE)
        return;
    guest_disconnect(g);
    xc_domain_destroy(xc(h), domid);
    if (action == XL_ACTION_RESTART || action == XL_ACTION_RENAME_RESTART || action == XL_ACTION_COREDUMP_RESTART)
        guest_restart(h, g);
}

/* VIRQ_DOM_EXC: something about some domain changed. Which one it was is not said, so look at all, many at a time. */
static void domain_exception(void *data, evtchn_port_t port)
{
    struct xen_domctl_getdomaininfo info[64];
    struct host *h = data;
    domid_t first = 0;
    int n;

    (void)port;
    do {
        n = xc_domain_getinfolist(xc(h), first, ARRAY_SIZE(info), info);
        for (int i = 0; i < n; i++) {
            struct guest *g = guest_find(h, info[i].domain);

            if (g && !g->ended && (info[i].flags & XEN_DOMINF_shutdown))
                guest_end(h, g, (int)(info[i].flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask));
            first = (domid_t)(info[i].domain + 1);
        }
    } while (n == ARRAY_SIZE(info));
    if (!h->guests_left)
        h->stop = true;
}

static void guest_crashed(void *data, struct vcpu *v, const char *why)
{
    struct host *h = data;

    if (h->io.guest_crashed)
        h->io.guest_crashed(h->io.data, v, why);
}

/* --- coming up --- */

static int dom0_boot(struct host *h)
{
    evtchn_port_t port;

    h->dom0 = native_kernel_create(h->xen->dom0);
    if (!h->dom0)
        return -ENOMEM;
    if (xc_evtchn_bind_virq(xc(h), VIRQ_DOM_EXC, &port))
        return -EINVAL;
    return native_handle(h->dom0, port, domain_exception, h) ? 0 : -ENOMEM;
}

struct host *host_create(const struct host_config *cfg, const struct host_io *io, char err[HOST_ERR_SIZE])
{
    struct host *h = calloc(1, sizeof(*h));
    uint64_t need = cfg->guests_mib + cfg->guests_mib / 32 + XEN_OVERHEAD_MIB;
    struct machine_config mc = {
        .ram_mib = cfg->ram_mib             ? cfg->ram_mib
                   : need > DEFAULT_RAM_MIB ? need
                                            : DEFAULT_RAM_MIB,
        .nr_pcpus = cfg->nr_pcpus ? cfg->nr_pcpus : 1,
        .seed = cfg->seed,
    };

    if (!h) {
        snprintf(err, HOST_ERR_SIZE, "out of memory");
        return NULL;
    }
    h->io = *io;
    h->guests_tail = &h->guests;
    h->machine = machine_create(&mc, err, HOST_ERR_SIZE); /* RAM, processors, clock */
    if (h->machine)
        h->xen = xen_create(h->machine, cfg->sched ? cfg->sched : "rr", err,
                            HOST_ERR_SIZE); /* frames, heap, scheduler, dom0 */
    if (!h->xen) {
        host_destroy(h);
        return NULL;
    }
    h->xen->audit = cfg->audit;
    h->xen->hook_data = h;
    h->xen->crash_report = guest_crashed;
    if (dom0_boot(h)) { /* dom0's kernel: events from here on */
        snprintf(err, HOST_ERR_SIZE, "dom0 does not start");
        host_destroy(h);
        return NULL;
    }
    h->pools = cfg->pools;
    for (; h->nr_pools < cfg->nr_pools; h->nr_pools++) {
        if (host_pool_create(xc(h), &h->pools[h->nr_pools], err)) {
            host_destroy(h);
            return NULL;
        }
    }
    return h;
}

void host_destroy(struct host *h)
{
    if (!h)
        return;
    while (h->guests) {
        struct guest *g = h->guests;

        h->guests = g->next;
        guest_disconnect(g);
        guest_free(g);
    }
    xen_destroy(h->xen);
    native_kernel_destroy(h->dom0);
    machine_destroy(h->machine);
    free(h);
}

/* --- running --- */

enum run_result host_run(struct host *h, s_time_t until, const bool *stop)
{
    enum run_result r = RUN_UNTIL;

    while (!h->stop && !*stop && r == RUN_UNTIL && NOW(h->xen) < until) {
        s_time_t end = NOW(h->xen) + RUN_SLICE;

        r = xen_run(h->xen, end < until ? end : until, &h->stop);
    }
    return h->stop || *stop ? RUN_STOP : r;
}

unsigned int host_guests_left(const struct host *h) { return h->guests_left; }

void host_console_kick(struct host *h)
{
    for (struct guest *g = h->guests; g; g = g->next)
        if (g->console)
            console_backend_kick(g->console);
}

bool host_console_wants_input(const struct host *h)
{
    for (const struct guest *g = h->guests; g; g = g->next)
        if (g->console && !g->ended && console_backend_wants_input(g->console))
            return true;
    return false;
}

struct xen *host_xen(struct host *h) { return h->xen; }

const struct image *host_guest_image(const struct host *h, domid_t domid)
{
    const struct guest *g = guest_find(h, domid);

    return g ? &g->image : NULL;
}

const char *host_guest_name(const struct host *h, domid_t domid)
{
    const struct guest *g = guest_find(h, domid);

    return g ? g->cfg.name : NULL;
}
