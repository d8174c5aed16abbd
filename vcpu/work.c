// SPDX-License-Identifier: GPL-2.0-or-later
/* What domains have had of the processor, summed up: see vcpu/work.h. */
#include "vcpu/work.h"

#include "mmu/hvm/p2m.h"
#include "mmu/hvm/shadow.h"

#include <stdlib.h>
#include <string.h>

static const char *paging_of(const struct domain *d)
{
    static const char *const shadow[] = {
        [SHADOW_DROP] = "shadow, drop", [SHADOW_EMULATE] = "shadow, emulate", [SHADOW_OOS] = "shadow, oos"
    };

    if (!d->p2m)
        return d->paging ? "direct" : "none";
    return d->p2m->shadow ? shadow[d->p2m->shadow->policy] : "nested";
}

struct domain_work domain_work(const struct domain *d)
{
    struct domain_work w = d->work;

    w.domid = d->domain_id;
    w.kind = d->guest->name;
    w.paging = paging_of(d);
    if (d->p2m && d->p2m->shadow) {
        const struct shadow_counters *c = &d->p2m->shadow->count;

        w.shadow.used = true;
        w.shadow.true_faults = c->true_faults, w.shadow.fills = c->fills;
        w.shadow.stores = w.table_stores = c->stores;
        w.shadow.unshadowed = c->unshadowed, w.shadow.syncs = c->syncs, w.shadow.evictions = c->evictions;
        memcpy(w.shadow.pages, c->pages, sizeof(w.shadow.pages));
        w.shadow.nr = c->used, w.shadow.most = c->most;
    }
    for_each_vcpu (d, v)
        for (unsigned int cpl = 0; v->regs && cpl < ARRAY_SIZE(w.insns_in); cpl++)
            w.insns_in[cpl] += v->regs->insns_in[cpl];
    return w;
}

void domain_work_keep(const struct domain *d)
{
    struct gone_domains *g = &d->xen->gone;

    if (d->guest)
        g->work[g->nr++ % GONE_MANY] = domain_work(d);
}

static int by_domid(const void *a, const void *b)
{
    return ((const struct domain_work *)a)->domid - ((const struct domain_work *)b)->domid;
}

unsigned int domain_work_all(const struct xen *xen, struct domain_work *w, unsigned int most)
{
    const struct gone_domains *g = &xen->gone;
    unsigned int n = 0;

    for (uint64_t i = g->nr > GONE_MANY ? g->nr - GONE_MANY : 0; i < g->nr && n < most; i++)
        w[n++] = g->work[i % GONE_MANY];
    for_each_domain (xen, d)
        if (d->guest && n < most)
            w[n++] = domain_work(d);
    qsort(w, n, sizeof(w[0]), by_domid);
    return n;
}
