// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of ports of a domain.
 *
 * Concept: a port number is an index. Ports are created in buckets of EVTCHNS_PER_BUCKET, from 0 up, when somebody
 * needs one and all are in use; they are not destroyed before the domain is. valid_evtchns counts those that exist.
 *
 * Invariants: port 0 is ECS_RESERVED, so that 0 can mean "none". The lowest free port is the one that is given out, up
 * to max_evtchn_port (XEN_DOMCTL_createdomain) and to what the ABI can express. All ports below first_free_evtchn are
 * in use.
 *
 * Simplifies get_free_port() and friends in xen/common/event_channel.c: one level of buckets.
 */
#include "evtchn/event_channel.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define EVTCHNS_PER_BUCKET 64u

bool port_is_valid(const struct domain *d, evtchn_port_t port) { return port < d->valid_evtchns; }

struct evtchn *evtchn_from_port(const struct domain *d, evtchn_port_t port)
{
    if (!port_is_valid(d, port))
        return NULL;
    return &d->evtchn_bucket[port / EVTCHNS_PER_BUCKET][port % EVTCHNS_PER_BUCKET];
}

static int bucket_add(struct domain *d)
{
    const unsigned int nr = d->valid_evtchns / EVTCHNS_PER_BUCKET;
    struct evtchn **buckets = xrealloc_array(d->xen->machine->arena, d->evtchn_bucket, nr + 1);

    if (!buckets)
        return -ENOMEM;
    d->evtchn_bucket = buckets;
    buckets[nr] = xzalloc_array(d->xen->machine->arena, struct evtchn, EVTCHNS_PER_BUCKET);
    if (!buckets[nr])
        return -ENOMEM;
    for (unsigned int i = 0; i < EVTCHNS_PER_BUCKET; i++)
        buckets[nr][i].port = d->valid_evtchns + i;
    d->valid_evtchns += EVTCHNS_PER_BUCKET;
    return 0;
}

static bool is_busy(const struct domain *d, const struct evtchn *chn)
{
    return d->evtchn_port_ops->is_busy && d->evtchn_port_ops->is_busy(d, chn);
}

int get_free_port(struct domain *d, struct evtchn **out)
{
    if (d->is_dying)
        return -EINVAL;
    for (evtchn_port_t port = d->first_free_evtchn; port <= d->max_evtchn_port && port < max_evtchns(d); port++) {
        struct evtchn *chn = evtchn_from_port(d, port);

        if (!chn) {
            int rc = bucket_add(d);

            if (rc)
                return rc;
            chn = evtchn_from_port(d, port);
        }
        if (chn->state != ECS_FREE) {
            if (port == d->first_free_evtchn)
                d->first_free_evtchn++;
        } else if (!is_busy(d, chn)) {
            *out = chn;
            return 0;
        }
    }
    return -ENOSPC;
}

void evtchn_occupy(struct domain *d, struct evtchn *chn, enum evtchn_state state, unsigned int vcpu_id)
{
    chn->state = state;
    chn->notify_vcpu_id = vcpu_id;
    d->active_evtchns++;
    if (d->evtchn_port_ops->init)
        d->evtchn_port_ops->init(d, chn);
}

void evtchn_free(struct domain *d, struct evtchn *chn)
{
    /* Whoever gets this port next must not find an event of its former life. */
    if (evtchn_usable(chn))
        d->evtchn_port_ops->clear_pending(d, chn);
    chn->pending = false;
    chn->state = ECS_FREE;
    chn->notify_vcpu_id = 0;
    chn->notify = NULL;
    d->active_evtchns--;
    if (chn->port < d->first_free_evtchn)
        d->first_free_evtchn = chn->port;
}

/* --- what the ABI does with a port --- */

/* The record comes before what follows from the event, so the port is known to those who tell of that (wake.c). */
static __attribute__((cold)) void set_pending_traced(struct domain *d, struct evtchn *chn)
{
    struct trace *t = &d->xen->machine->edges->trace;
    const bool pending = d->evtchn_port_ops->is_pending(d, chn), masked = d->evtchn_port_ops->is_masked(d, chn);

    TRACE(d->xen->machine, evtchn_pending, d->domain_id, chn->notify_vcpu_id, chn->port,
          t->sent ? t->peer_dom : TRACE_NO_DOMAIN, t->sent ? t->peer_port : TRACE_NONE, masked, !pending,
          t->sent ? t->flow : TRACE_NONE);
    t->port = chn->port;
    d->evtchn_port_ops->set_pending(d, chn);
    t->port = 0;
}

void evtchn_port_set_pending(struct domain *d, struct evtchn *chn)
{
    if (!evtchn_usable(chn))
        return;
    if (TRACE_ON(d->xen->machine)) {
        set_pending_traced(d, chn);
        return;
    }
    d->evtchn_port_ops->set_pending(d, chn);
}

bool evtchn_port_is_masked(const struct domain *d, const struct evtchn *chn)
{
    return !evtchn_usable(chn) || d->evtchn_port_ops->is_masked(d, chn);
}

unsigned int evtchn_nr_deliverable(const struct vcpu *v, uint64_t *first)
{
    const struct domain *d = v->domain;
    unsigned int nr = 0;

    for (evtchn_port_t port = d->valid_evtchns; port-- > 1;) {
        const struct evtchn *chn = evtchn_from_port(d, port);

        if (evtchn_usable(chn) && chn->notify_vcpu_id == v->vcpu_id && d->evtchn_port_ops->is_pending(d, chn) &&
            !d->evtchn_port_ops->is_masked(d, chn)) {
            *first = port;
            nr++;
        }
    }
    return nr;
}

bool evtchn_port_is_pending(struct domain *d, evtchn_port_t port)
{
    const struct evtchn *chn = evtchn_from_port(d, port);

    return chn && evtchn_usable(chn) && d->evtchn_port_ops->is_pending(d, chn);
}

/* --- life of the table --- */

int evtchn_init(struct domain *d, unsigned int max_port)
{
    int rc;

    evtchn_2l_init(d);
    d->max_evtchn_port = max_port < INT_MAX ? max_port : INT_MAX;
    rc = bucket_add(d);
    if (!rc)
        evtchn_from_port(d, 0)->state = ECS_RESERVED;
    return rc;
}

void evtchn_destroy_final(struct domain *d)
{
    for (unsigned int i = 0; i < d->valid_evtchns / EVTCHNS_PER_BUCKET; i++)
        xfree(d->evtchn_bucket[i]);
    xfree(d->evtchn_bucket);
    d->evtchn_bucket = NULL;
    d->valid_evtchns = 0;
}
