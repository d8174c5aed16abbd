// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files about guests ask of the host: to say something, what time it is, a name, and to let the machine run.
 * They know nothing of the hypervisor themselves.
 */
#include "tools/host_private.h"

#include "tools/xl/xl_cfg.h"
#include "vcpu/noun/domain.h"
#include "vcpu/run.h"
#include "vcpu/sched/sched.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guest *guest_find(const struct host *h, domid_t domid)
{
    struct guest *g = domid < DOMID_FIRST_RESERVED ? h->guest_of[domid] : NULL;

    return g && g->domid == domid ? g : NULL;
}

struct guest *guest_at(const struct host *h, unsigned int index)
{
    struct guest *g = h->guests;

    while (g && g->index != index)
        g = g->next;
    return g;
}

void host_message(struct host *h, const char *fmt, ...)
{
    char line[HOST_ERR_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (h->edges->io.message)
        h->edges->io.message(h->edges->io.data, line);
}

void host_ctl_say(struct host *h, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    if (h->edges->io.ctl_say)
        h->edges->io.ctl_say(h->edges->io.data, id, what, text, len);
}

s_time_t host_now(const struct host *h) { return NOW(h->xen); }

s_time_t host_wallclock(const struct host *h) { return h->xen->wallclock_offset + NOW(h->xen); }

bool host_wait(struct host *h, s_time_t patience, const bool *done)
{
    return xen_run(h->xen, NOW(h->xen) + patience, done) == RUN_STOP;
}

struct scheduler *host_scheduler(const struct host *h) { return h->xen->sched; }

const char *host_sched_name(const struct host *h) { return h->xen->dom0->sched->ops->opt_name; }

char *host_name_free(const char *base, unsigned int first, bool (*taken)(const void *data, const char *name),
                     const void *data)
{
    for (unsigned int n = first;; n++) {
        char *name = NULL;

        if (asprintf(&name, n > 1 ? "%s-%u" : "%s", base, n) < 0)
            return NULL;
        if (strcmp(name, XL_DOM0_NAME) && !taken(data, name))
            return name;
        free(name);
    }
}

/* --- what schedulers say, for who only looks --- */

const char *host_snapshot_scheduler(const struct host *h, uint32_t pool, struct xen_sysctl_scheduler_op *op)
{
    return snapshot_scheduler(h->xen, pool, op);
}

bool host_snapshot_rtds(const struct host *h, domid_t domid, int vcpu, struct xen_domctl_sched_rtds *p)
{
    return snapshot_rtds(h->xen, domid, vcpu, p);
}

/* A command line may come from another key. */
static const char *key_stated(const struct guest *g, const char *key)
{
    if (xl_where_is(g->cfg.where, key))
        return key;
    return !strcmp(key, "cmdline") ? "extra" : !strcmp(key, "pvshim_cmdline") ? "pvshim_extra" : key;
}

const char *guest_where(const struct guest *g, const char *key, char where[XL_WHERE_SIZE])
{
    key = key ? key_stated(g, key) : NULL;
    if (!key || !xl_where_is(g->cfg.where, key))
        snprintf(where, XL_WHERE_SIZE, "%.400s: ", g->cfg.kernel);
    else
        xl_where(g->cfg.where, key, where);
    return where;
}

void guest_console_out(const struct guest *g, const char *text, size_t len)
{
    if (g->host->edges->io.console_out)
        g->host->edges->io.console_out(g->host->edges->io.data, g->domid, text, len);
}

size_t guest_input_take(struct guest *g, char *buf, size_t len)
{
    const size_t n = g->nr_input < len ? g->nr_input : len;

    memcpy(buf, g->input, n);
    memmove(g->input, g->input + n, g->nr_input - n);
    g->nr_input -= n;
    return n;
}
