// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grant tables for the checker: nothing in here changes anything.
 *
 * Concept: gnttab_audit() is the definition of "right" for grant tables. It forgets the pin counts, adds them up again
 * from every domain's mappings, and compares.
 */
#include "mmu/grant/private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

unsigned int gnttab_mappings_of(const struct domain *d, mfn_t mfn, bool writable)
{
    const struct grant_table *gt = d->grant_table;
    unsigned int nr = 0;

    for (grant_handle_t h = 0; gt && gt->nr_mappings && h < gt->maptrack_limit; h++) {
        const struct grant_mapping *map = &gt->maptrack[h];

        nr += map->flags && !(writable && (map->flags & GNTMAP_readonly)) &&
              mfn_eq(map->rd->grant_table->active[map->ref].mfn, mfn);
    }
    return nr;
}

/* --- the checker --- */
struct audit {
    void (*report)(void *data, const char *what);
    void *data;
    unsigned int nr_wrong;
};

static void __attribute__((format(printf, 2, 3))) wrong(struct audit *a, const char *fmt, ...)
{
    char what[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    a->nr_wrong++;
    a->report(a->data, what);
}

/* What ld's mappings of rd's grants add up to, entry by entry. */
static void pins_add(const struct domain *ld, const struct domain *rd, uint32_t *pins)
{
    const struct grant_table *lgt = ld->grant_table;

    for (grant_handle_t h = 0; lgt && lgt->nr_mappings && h < lgt->maptrack_limit; h++)
        if (lgt->maptrack[h].flags && lgt->maptrack[h].rd == rd)
            pins[lgt->maptrack[h].ref] += gnttab_pin_increment(lgt->maptrack[h].flags);
}

static void handles_audit(struct audit *a, const struct domain *d)
{
    const struct grant_table *gt = d->grant_table;
    unsigned int live = 0, nr_free = 0;

    for (grant_handle_t h = 0; h < gt->maptrack_limit; h++)
        live += gt->maptrack[h].flags != 0;
    if (!d->is_dying) /* then the limit is on its way down */
        for (grant_handle_t h = gt->free_first; h != INVALID_MAPTRACK_HANDLE && nr_free <= gt->maptrack_limit;
             nr_free++)
            h = gt->maptrack[h].ref;
    if (live != gt->nr_mappings || (!d->is_dying && live + nr_free != gt->maptrack_limit))
        wrong(a, "d%u has %u mappings, %u noted, and %u free handles of %u", d->domain_id, live, gt->nr_mappings,
              nr_free, gt->maptrack_limit);
}

static void table_audit(struct audit *a, const struct xen *xen, const struct domain *rd)
{
    const struct grant_table *gt = rd->grant_table;
    uint32_t *pins = calloc(nr_grant_entries(gt), sizeof(*pins));

    if (!pins)
        return;
    for_each_domain (xen, ld)
        pins_add(ld, rd, pins);
    for (grant_ref_t ref = 0; ref < nr_grant_entries(gt); ref++) {
        const struct active_grant_entry *act = &gt->active[ref];

        if (act->pin != pins[ref])
            wrong(a, "d%u's grant %u has pins %08x, its mappings make %08x", rd->domain_id, ref, act->pin, pins[ref]);
        if (act->pin && !mfn_valid(xen->machine, act->mfn))
            wrong(a, "d%u's grant %u is in use for no frame", rd->domain_id, ref);
    }
    free(pins);
}

unsigned int gnttab_audit(const struct xen *xen, void (*report)(void *data, const char *what), void *data)
{
    struct audit a = { .report = report, .data = data };

    for_each_domain (xen, d) {
        if (!d->grant_table)
            continue;
        table_audit(&a, xen, d);
        handles_audit(&a, d);
    }
    return a.nr_wrong;
}
