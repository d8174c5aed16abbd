// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grant tables for people and for the checker: nothing in here changes anything.
 *
 * Concept: gnttab_audit() is the definition of "right" for grant tables. It forgets the pin counts, adds them up again from
 * every domain's mappings, and compares.
 */
#include "mmu/grant/private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PIN_COUNT(pin, kind) (((pin) / GNTPIN_##kind##_inc) & 0xff)

static uint64_t entry_frame(const struct grant_table *gt, grant_ref_t ref)
{
    return gt->version == 1 ? shared_entry_v1(gt, ref)->frame : shared_entry_v2(gt, ref)->full_page.frame;
}

bool gnttab_entry_info(const struct domain *d, grant_ref_t ref, struct gnttab_entry_info *info)
{
    const struct grant_table *gt = d->grant_table;
    const grant_entry_header_t *entry;
    uint32_t pin;

    if (!gt || ref >= nr_grant_entries(gt))
        return false;
    entry = shared_entry_header(gt, ref);
    pin = gt->active[ref].pin;
    *info = (struct gnttab_entry_info){
        .flags = entry->flags | *grant_status_word(gt, ref),
        .domid = entry->domid,
        .frame = entry_frame(gt, ref),
        .host_readers = PIN_COUNT(pin, hstr),
        .host_writers = PIN_COUNT(pin, hstw),
        .dev_readers = PIN_COUNT(pin, devr),
        .dev_writers = PIN_COUNT(pin, devw),
        .mfn = pin ? gt->active[ref].mfn : INVALID_MFN,
    };
    return true;
}

void gnttab_usage(const struct domain *d, struct gnttab_usage *u)
{
    const struct grant_table *gt = d->grant_table;

    *u = (struct gnttab_usage){ 0 };
    if (!gt)
        return;
    u->version = gt->version;
    u->nr_frames = gt->nr_grant_frames;
    u->max_frames = gt->max_grant_frames;
    u->nr_status_frames = gt->nr_status_frames;
    u->nr_entries = nr_grant_entries(gt);
    u->nr_mappings = gt->nr_mappings;
    u->nr_handles = gt->maptrack_limit;
    u->max_handles = gt->max_maptrack_frames * MAPTRACK_PER_FRAME;
    for (grant_ref_t ref = 0; ref < u->nr_entries; ref++) {
        u->nr_permitting += (shared_entry_header(gt, ref)->flags & GTF_type_mask) != GTF_invalid;
        u->nr_active += gt->active[ref].pin != 0;
    }
}

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
