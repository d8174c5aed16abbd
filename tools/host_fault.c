// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults that are put into a run: a task of dom0's that carries them out when their time has come.
 *
 * Concept: what is done is what would be seen if it happened by itself: a domain crashes or stands still, a disk
 * answers with errors or late, a notification is not sent, a front end's index is nonsense, xenstored finds a conflict.
 */
#include "tools/host_private.h"
#include "tools/xc/xc.h"

#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

static void fault_say(struct host *h, const struct host_fault *f, const char *what)
{
    host_message(h, "fault: %s%s%s: %s", f->domain, *f->disk ? "/" : "", f->disk, what);
}

static const struct guest *guest_named(const struct host *h, const char *name)
{
    for (const struct guest *g = h->guests; g; g = g->next)
        if (g->state == GUEST_ALIVE && !strcmp(g->cfg.name, name))
            return g;
    return NULL;
}

/* A domain by its number, as those without a name have to be called. */
static bool domain_numbered(struct host *h, const char *number, domid_t *domid)
{
    struct xen_domctl_getdomaininfo info;
    char *end;
    const unsigned long n = strtoul(number, &end, 10);

    *domid = (domid_t)n;
    return *number >= '1' && *number <= '9' && !*end && n < DOMID_FIRST_RESERVED &&
           !xc_domain_getinfo(xc(h), *domid, &info);
}

/*
 * The domain that is called so: a guest's, the one that its device model is in ("NAME-dm"), or by its number. False:
 * there is none.
 */
static bool domain_named(struct host *h, const char *name, domid_t *domid)
{
    const size_t len = strlen(name);
    const struct guest *g = guest_named(h, name);

    if (g) {
        *domid = g->domid;
        return true;
    }
    for (g = h->guests; g; g = g->next)
        if (g->state == GUEST_ALIVE && g->stub_domid && len == strlen(g->cfg.name) + 3 &&
            !strncmp(g->cfg.name, name, len - 3) && !strcmp(name + len - 3, "-dm")) {
            *domid = g->stub_domid;
            return true;
        }
    return domain_numbered(h, name, domid);
}

static void disk_fault(struct host *h, const struct host_fault *f, const struct guest_disk *gd)
{
    struct disk *d = gd->disk;

    switch (f->what) {
    case FAULT_EIO: d->fault.fail += (unsigned int)f->count; break;
    case FAULT_SLOW: d->fault.slower = f->time; break;
    case FAULT_DROP_EVENT: d->fault.drop += (unsigned int)f->count; break;
    case FAULT_CORRUPT_INDEX:
        if (!blkback_corrupt(driver_bus(h, gd->cfg.backend), d))
            fault_say(h, f, "no front end is connected to it, and nothing happens");
        break;
    default: break;
    }
}

static void carry_out(struct host *h, struct host_fault *f)
{
    const struct guest *g = *f->domain ? guest_named(h, f->domain) : NULL;
    domid_t domid;

    f->done = true;
    if (f->what == FAULT_STORE_EAGAIN) {
        h->xenstored->store.conflicts += (unsigned int)f->count;
        return;
    }
    if (!domain_named(h, f->domain, &domid)) {
        fault_say(h, f, "there is no such domain now, and nothing happens");
        return;
    }
    if (f->what == FAULT_CRASH) {
        xc_domain_shutdown(xc(h), domid, SHUTDOWN_crash);
        return;
    }
    if (f->what == FAULT_FREEZE) {
        xc_domain_pause(xc(h), domid);
        f->done = false; /* it goes on after that time */
        f->when = host_now(h) + f->time;
        f->time = -1;
        return;
    }
    for (unsigned int i = 0; g && i < g->nr_disks; i++)
        if (!strcmp(g->disks[i].cfg.vdev, f->disk)) {
            disk_fault(h, f, &g->disks[i]);
            return;
        }
    fault_say(h, f, "there is no such disk now, and nothing happens");
}

static void thaw(struct host *h, struct host_fault *f)
{
    domid_t domid;

    f->done = true;
    if (domain_named(h, f->domain, &domid))
        xc_domain_unpause(xc(h), domid);
}

static bool faults_step(struct task *t, unsigned int budget)
{
    struct host *h = t->data;
    s_time_t next = 0;

    (void)budget; /* they are few */
    for (unsigned int i = 0; i < h->nr_faults; i++) {
        struct host_fault *f = &h->faults[i];

        if (!f->done && f->when <= host_now(h)) {
            if (f->time < 0)
                thaw(h, f);
            else
                carry_out(h, f);
            task_charge(t, 1, 0);
        }
        if (!f->done && (!next || f->when < next))
            next = f->when;
    }
    if (next)
        task_ready_at(t, next);
    return false;
}

static const struct task_ops faults_task = { .name = "faults", .step = faults_step };

bool faults_start(struct host *h, const struct host_fault *faults, unsigned int nr)
{
    if (!nr)
        return true;
    h->faults = xzalloc_array(h->arena, struct host_fault, nr);
    if (!h->faults)
        return false;
    memcpy(h->faults, faults, nr * sizeof(*faults));
    h->nr_faults = nr;
    task_init(&h->fault, h->dom0, &faults_task, h);
    task_ready(&h->fault);
    return true;
}

void faults_end(struct host *h)
{
    task_end(&h->fault);
    xfree(h->faults);
}
