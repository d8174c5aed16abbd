// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab ctl clone` and `snapshot`: a second guest like one that runs, with its memory, its registers and its disks.
 *
 * Concept: a PV guest takes part in being copied, for it knows machine frames. It is asked to suspend, as for xl save,
 * and then stands still in a hypercall; a domain is made of what it is now (tools/build/copy_pv.c); and both go on: the
 * old one hears that the suspend was called off, the new one that it was restored, and connects to its own console,
 * xenstore and back ends.
 *
 *      control/shutdown = suspend --> SHUTDOWN_suspend --> copy, a step at a time --> connect --> both go on
 *           '- 60 s without --> control/shutdown = ""
 *
 * A snapshot is a copy that is not let run: it has its memory, its devices and its name, and waits. Copies of it can be
 * made at any time, and it runs when it is unpaused.
 *
 * Its disks become clones of the other's (rings/disk.h): what neither has written since they share.
 *
 * Invariants: while it is copied a guest is GUEST_SUSPENDED, and nobody else touches it: the job that does it is the
 * only one that dom0 works for then. Whatever fails, the guest goes on.
 *
 * Corresponds to tools/libs/light/libxl_dom_suspend.c for the suspending. Xen's own clone, by sharing memory, is for
 * HVM guests alone.
 */
#include "tools/build/copy_pv.h"
#include "tools/host_ctl_private.h"

#include <string.h>

#define SUSPEND_PATIENCE SECONDS(60) /* libxl's; virtual */

struct clone {
    struct guest *of, *made;
    struct copier *copier;
};

/* Has the job to go on waiting for its guest to suspend? */
bool clone_waits(const struct host *h, const struct ctl_job *job)
{
    return job->clone && !job->clone->made && job->clone->of->state == GUEST_ALIVE && host_now(h) < job->deadline;
}

/* --- the new guest, as a configuration --- */

static struct guest *guest_like(struct host *h, const struct guest *g, const char *name)
{
    struct guest *made = xzalloc(h->arena, struct guest);
    struct host_guest cfg = g->cfg;

    if (!made)
        return NULL;
    cfg.name = name;
    cfg.has_uuid = false;
    cfg.where = NULL;
    cfg.disks = NULL;
    made->host = h;
    made->kernel = g->kernel;
    made->ramdisk = g->ramdisk;
    made->built = made->added = true;
    if (!guest_configure(made, &cfg) || !guest_devices_clone(made, g)) {
        guest_free(h, made);
        return NULL;
    }
    guest_name_claim(h, made);
    guest_uuid_make(made);
    made->build = (struct pv_build){
        .image = &g->kernel->image,
        .nr_pages = (uint64_t)g->cfg.memory_mib << 8,
        .max_pages = (uint64_t)g->cfg.maxmem_mib << 8,
        .max_vcpus = g->cfg.maxvcpus,
        .tsc_mode = g->cfg.tsc_mode,
        .limits = g->cfg.limits,
    };
    memcpy(made->build.handle, made->cfg.uuid, sizeof(made->build.handle));
    return made;
}

/* --- the job --- */

static enum outcome end(struct context *c, bool good)
{
    struct clone *cl = c->job->clone;

    copy_pv_end(cl->copier);
    if (!good && cl->made)
        guest_free(c->h, cl->made);
    cl->of->suspend_wanted = false;
    if (cl->of->state == GUEST_SUSPENDED)
        guest_resume(c->h, cl->of);
    xfree(cl);
    c->job->clone = NULL;
    return good ? DONE : FAILED;
}

void clone_forget(struct host *h, const struct ctl_job *job)
{
    struct clone *cl = job->clone;

    if (!cl)
        return;
    copy_pv_end(cl->copier);
    if (cl->made)
        guest_free(h, cl->made);
    xfree(cl);
}

static enum outcome copy_begin(struct context *c)
{
    struct clone *cl = c->job->clone;
    const struct guest *g = cl->of;

    if (!ctl_name_free(c, c->r->arg[1]))
        return end(c, false);
    cl->made = guest_like(c->h, g, c->r->arg[1]);
    if (cl->made)
        cl->copier =
            copy_pv_begin(c->h->xc, c->h->arena, &cl->made->build, g->domid, g->template_only, cl->made->build_err);
    if (cl->copier)
        return MORE;
    ctl_say(c, HOST_CTL_ERR, "out of memory\n");
    return end(c, false);
}

static enum outcome begin(struct context *c)
{
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    struct clone *cl;

    if (!g || !ctl_name_free(c, c->r->arg[1]))
        return FAILED;
    if (g->state != GUEST_ALIVE || g->suspend_wanted)
        return ctl_fail(c, "%s cannot be cloned now: it is being built, taken down or cloned\n", g->cfg.name);
    if (g->driver)
        return ctl_fail(c, "%s is a driver domain: what it has in memory is its guests' business\n", g->cfg.name);
    if (guest_is_hvm(g))
        return ctl_fail(c, "%s cannot be cloned: it is %s guest\n", g->cfg.name, guest_has_dm(g) ? "an HVM" : "a PVH");
    if (!g->kernel->image.is64)
        return ctl_fail(c, "%s cannot be cloned: it is a 32-bit guest\n", g->cfg.name);
    if (guest_devices_uncloned(g))
        return ctl_fail(c, "%s cannot be cloned: it has a device of type %s\n", g->cfg.name, guest_devices_uncloned(g));
    if (c->h->guests_left == HOST_MAX_GUESTS)
        return ctl_fail(c, "there are %u guests already: dom0 has no event channels left\n", HOST_MAX_GUESTS);
    cl = c->job->clone = xzalloc(c->h->arena, struct clone);
    if (!cl)
        return ctl_fail(c, "out of memory\n");
    cl->of = g;
    if (g->template_only)
        return copy_begin(c);
    domain_node_write(c->h, g->domid, "control/shutdown", "suspend");
    g->suspend_wanted = true;
    c->job->deadline = host_now(c->h) + SUSPEND_PATIENCE;
    return WAITS;
}

static enum outcome suspended(struct context *c)
{
    struct clone *cl = c->job->clone;
    struct guest *g = cl->of;

    if (g->state == GUEST_ALIVE) {
        domain_node_write(c->h, g->domid, "control/shutdown", "");
        ctl_say(c, HOST_CTL_ERR, "guest didn't acknowledge suspend, cancelling request\n%s cannot be cloned\n",
                g->cfg.name);
        return end(c, false);
    }
    if (g->state != GUEST_SUSPENDED) {
        ctl_say(c, HOST_CTL_ERR, "%s is gone, or has shut down otherwise\n", g->cfg.name);
        return end(c, false);
    }
    return copy_begin(c);
}

/* It is a guest like all others from now on. */
static void join(struct host *h, struct guest *made, const struct guest *of)
{
    guest_list_append(h, made);
    h->guests_left++;
    made->state = GUEST_ALIVE;
    made->settled = true;
    task_init(&made->task, h->dom0, h->guest_task, made);
    if (console_backend_connected(of->console))
        console_backend_connect(made->console);
    if (!made->template_only)
        host_guest_start(h, made->domid);
}

enum outcome ctl_clone(struct context *c)
{
    struct clone *cl = c->job->clone;
    struct guest *made = cl ? cl->made : NULL;
    int rc;

    if (!cl)
        return begin(c);
    if (!made)
        return suspended(c);
    rc = copy_pv_step(cl->copier);
    if (rc > 0)
        return MORE;
    if (rc < 0 || guest_connect(c->h, made, made->err)) {
        ctl_say(c, HOST_CTL_ERR, "%s cannot be cloned: %s\n", cl->of->cfg.name, rc < 0 ? made->build_err : made->err);
        return end(c, false);
    }
    made->template_only = !strcmp(c->r->command->name, "snapshot");
    join(c->h, made, cl->of);
    ctl_say(c, HOST_CTL_OUT, "%s is domain %u\n", made->cfg.name, made->domid);
    return end(c, true);
}
