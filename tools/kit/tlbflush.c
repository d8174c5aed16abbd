// SPDX-License-Identifier: GPL-2.0-or-later
/* tlbflush: who decides is asked, and what came of it. tlbflush.h says what happens between questions. */
#include "tools/kit/tlbflush.h"

#include <string.h>

/* --- asking --- */

static bool who(void *of, const struct tlb_now *now, const uint32_t *stamp, uint64_t n, uint64_t *mask)
{
    struct kit_asked *a = of;
    struct {
        struct tlbflush_question q;
        uint32_t stamp[TLBFLUSH_MAX_PCPUS];
    } ask = { .q = { *now, n } };

    memcpy(ask.stamp, stamp, n * sizeof(*stamp));
    snprintf(a->at, sizeof(a->at), "%.3f us", (double)now->now / 1e3);
    a->now = (int64_t)now->now;
    if (!kit_ask(a, TLBFLUSH_WHO, &ask, sizeof(ask.q) + n * sizeof(*stamp), sizeof(*mask), sizeof(*mask)))
        return false;
    memcpy(mask, a->message.bytes, sizeof(*mask));
    if (n < 64 && *mask >> n)
        return kit_fault(a, "gave the mask %#llx, and there are pCPUs 0 to %llu,", (unsigned long long)*mask,
                         (unsigned long long)n - 1);
    return true;
}

static void passed(void *of, uint64_t now) { kit_passed(of, (int64_t)now); }

static void run(void *model, struct kit_asked *a)
{
    struct tlb_model *m = model;

    m->who = who;
    m->passed = passed;
    m->of = a;
    tlb_run(m);
}

/* --- figures --- */

enum { USES, FILLS, TAKEN, STALE, ASKED, FLUSHES, WASTED, IPIS, LEFT, SWITCHES, WRAPS, WRAP_FLUSHES, SPENT };

static const struct kit_figure figures[] = {
    [USES] = { "uses", "", "of an address, by a vCPU" },
    [FILLS] = { "fills", "", "walks of page tables: the TLB had no such entry" },
    [TAKEN] = { "taken", "pages", "out of the heap: used anew" },
    [STALE] = { "stale", "", "uses of a page that was somebody else's by then, or had become a page table" },
    [ASKED] = { "asked", "", "times" },
    [FLUSHES] = { "flushes", "", "of a pCPU's TLB, for a page" },
    [WASTED] = { "wasted", "", "of these, where the TLB had no entry of that page" },
    [IPIS] = { "ipis", "", "to other pCPUs than the one that asked" },
    [LEFT] = { "left", "", "TLBs that had an entry of the page, and were not flushed" },
    [SWITCHES] = { "switches", "", "of a pCPU to another vCPU" },
    [WRAPS] = { "wraps", "", "of the clock" },
    [WRAP_FLUSHES] = { "wrapflushes", "", "of a pCPU's TLB, when the clock wrapped" },
    [SPENT] = { "spent", "us", "on flushes, IPIs and walks" },
    { NULL, NULL, NULL },
};

static void metrics(const void *model, struct kit_metrics *list)
{
    const struct tlb_model *m = model;
    uint64_t all[STALE + 1] = { 0 };

    for (const struct tlb_domain *d = m->domain; d < m->domain + m->nr_domains; d++) {
        const uint64_t is[] = { [USES] = d->uses, [FILLS] = d->fills, [TAKEN] = d->taken, [STALE] = d->stale };

        for (unsigned int n = 0; n <= STALE; n++) {
            kit_metric_add(list, &figures[n], d->name, (double)is[n]);
            all[n] += is[n];
        }
    }
    for (unsigned int n = 0; n <= STALE; n++)
        kit_metric_add(list, &figures[n], "", (double)all[n]);
    kit_metric_add(list, &figures[ASKED], "", (double)m->asked);
    kit_metric_add(list, &figures[FLUSHES], "", (double)m->flushes);
    kit_metric_add(list, &figures[WASTED], "", (double)(m->flushes - m->needed));
    kit_metric_add(list, &figures[IPIS], "", (double)m->ipis);
    kit_metric_add(list, &figures[LEFT], "", (double)m->left);
    kit_metric_add(list, &figures[SWITCHES], "", (double)m->switches);
    kit_metric_add(list, &figures[WRAPS], "", (double)m->wraps);
    kit_metric_add(list, &figures[WRAP_FLUSHES], "", (double)m->wrap_flushes);
    kit_metric_add(list, &figures[SPENT], "",
                   (double)((m->flushes + m->wrap_flushes) * m->flush + m->ipis * m->ipi + all[FILLS] * m->walk) / 1e3);
}

static int64_t time_of(const void *model) { return (int64_t)((const struct tlb_model *)model)->time; }

static const char *const references[] = { "everybody", "stamps", NULL };
static const char *const hooks[] = { "init", "who", NULL };

const struct kit_model kit_tlbflush = {
    .name = "tlbflush",
    .what = "which pCPUs flush their TLBs before a page is used anew",
    .example = "docs/examples/kit/tenants.txt",
    .hooks = hooks,
    .required = UINT32_C(1) << TLBFLUSH_WHO,
    .figures = figures,
    .sums = (UINT64_C(1) << (SPENT + 1)) - 1, /* all of them */
    .references = references,
    .load = tlbflush_load,
    .time = time_of,
    .run = run,
    .metrics = metrics,
    .svg = tlbflush_svg,
    .free = tlbflush_free,
};
