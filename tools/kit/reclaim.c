// SPDX-License-Identifier: GPL-2.0-or-later
/* reclaim: an access after the other, and who goes for it. reclaim.h says what the model is. */
#include "tools/kit/reclaim.h"

#include <string.h>

static void moment(struct reclaim *m, struct kit_asked *a, uint64_t now)
{
    m->told.now = now;
    snprintf(a->at, sizeof(a->at), "%.3f ms", (double)now / 1e6);
    kit_passed(a, (int64_t)now);
}

/* --- scan --- */

/* What has been gathered is told, if there is anything. */
static bool tell(struct reclaim *m, struct kit_asked *a, const uint64_t *gfn, const uint8_t *ad, uint64_t *n)
{
    char bytes[sizeof(m->told) + sizeof(*n) + RECLAIM_AT_ONCE * (sizeof(*gfn) + sizeof(*ad))], *at = bytes;

    if (!*n)
        return true;
    memcpy(at, &m->told, sizeof(m->told));
    memcpy(at += sizeof(m->told), n, sizeof(*n));
    memcpy(at += sizeof(*n), gfn, *n * sizeof(*gfn));
    memcpy(at += *n * sizeof(*gfn), ad, *n * sizeof(*ad));
    at += *n * sizeof(*ad);
    *n = 0;
    return kit_ask(a, RECLAIM_SCAN, bytes, (size_t)(at - bytes), 0, 0);
}

static bool scan(struct reclaim *m, struct kit_asked *a)
{
    uint64_t gfn[RECLAIM_AT_ONCE], n = 0;
    uint8_t ad[RECLAIM_AT_ONCE];

    m->scans++;
    m->told.wanted = m->told.store = m->told.distance = 0;
    for (uint64_t g = 0; g < m->told.pages; g++) {
        if (!(m->page[g] & RECLAIM_RESIDENT))
            continue;
        gfn[n] = g;
        ad[n++] = m->page[g] & (RECLAIM_ACCESSED | RECLAIM_DIRTY);
        m->page[g] &= (uint8_t)~RECLAIM_ACCESSED;
        if (n == RECLAIM_AT_ONCE && !tell(m, a, gfn, ad, &n))
            return false;
    }
    return tell(m, a, gfn, ad, &n);
}

/* Those that are due until then. */
static bool scans(struct reclaim *m, struct kit_asked *a, uint64_t until)
{
    for (; m->next_scan <= until; m->next_scan += m->scan) {
        moment(m, a, m->next_scan);
        if (!scan(m, a))
            return false;
    }
    return true;
}

/* --- victim --- */

static bool allowed(const struct reclaim *m, struct kit_asked *a, uint64_t gfn)
{
    const unsigned long long g = gfn;

    if (gfn >= m->told.pages)
        return kit_fault(a, "gave page %llu as the victim, and the domain's pages are 0 to %llu,", g,
                         (unsigned long long)m->told.pages - 1);
    if (gfn == m->told.wanted)
        return kit_fault(a, "gave page %llu as the victim, which is the one that is wanted, and not in memory yet,", g);
    if (!(m->page[gfn] & RECLAIM_SEEN))
        return kit_fault(a, "gave page %llu as the victim, which has never been in memory,", g);
    if (!(m->page[gfn] & RECLAIM_RESIDENT))
        return kit_fault(a, "gave page %llu as the victim, which has gone already (it was the victim %llu calls ago),",
                         g, (unsigned long long)(m->victims - m->went[gfn] + 1));
    return true;
}

/* One page goes. Is its content written? */
static bool evict(struct reclaim *m, struct kit_asked *a, bool *written)
{
    uint64_t gfn;

    if (!kit_ask(a, RECLAIM_VICTIM, &m->told, sizeof(m->told), sizeof(gfn), sizeof(gfn)))
        return false;
    memcpy(&gfn, a->message.bytes, sizeof(gfn));
    if (!allowed(m, a, gfn))
        return false;
    *written = m->page[gfn] & RECLAIM_DIRTY;
    m->page[gfn] &= (uint8_t) ~(RECLAIM_RESIDENT | RECLAIM_ACCESSED | RECLAIM_DIRTY);
    if (*written)
        m->page[gfn] |= RECLAIM_KEPT;
    m->went[gfn] = ++m->victims;
    m->told.resident--;
    return true;
}

/* --- accesses --- */

static bool fault(struct reclaim *m, struct kit_asked *a, const struct reclaim_touch *x)
{
    struct reclaim_region *g = &m->region[x->region];
    const uint64_t distance = m->went[x->gfn] ? m->victims - m->went[x->gfn] + 1 : 0;
    bool written = false;

    if (m->told.resident == m->told.frames) {
        if (!m->asked && !scan(m, a))
            return false;
        m->asked = true;
        m->told.wanted = x->gfn;
        m->told.store = x->store;
        m->told.distance = distance;
        if (!evict(m, a, &written))
            return false;
    }
    g->faults++;
    g->refaults += distance && distance <= m->told.frames;
    g->reads += (m->page[x->gfn] & RECLAIM_KEPT) != 0;
    g->swaps += written;
    m->cold += !(m->page[x->gfn] & RECLAIM_SEEN);
    m->page[x->gfn] |= RECLAIM_RESIDENT | RECLAIM_SEEN;
    m->told.resident++;
    reclaim_column(m, x->time)->faults++;
    reclaim_column(m, x->time)->came[x->gfn * RECLAIM_ROWS / m->told.pages]++;
    return true;
}

static bool touch(struct reclaim *m, struct kit_asked *a, const struct reclaim_touch *x)
{
    if (!scans(m, a, x->time))
        return false;
    moment(m, a, x->time);
    if (!(m->page[x->gfn] & RECLAIM_RESIDENT) && !fault(m, a, x))
        return false;
    m->page[x->gfn] |= RECLAIM_ACCESSED | (x->store ? RECLAIM_DIRTY : 0);
    m->region[x->region].touches++;
    reclaim_column(m, x->time)->touched[x->gfn * RECLAIM_ROWS / m->told.pages]++;
    return true;
}

static void run(void *model, struct kit_asked *a)
{
    struct reclaim *m = model;
    struct reclaim_cursor cursor[RECLAIM_MAX_REGIONS] = { 0 };
    struct reclaim_touch x;

    m->next_scan = m->scan;
    while (reclaim_next(m, cursor, &x))
        if (!touch(m, a, &x))
            return;
    if (!scans(m, a, m->time - 1))
        return;
    moment(m, a, m->time);
    reclaim_min(m);
}

/* --- figures --- */

enum { ACCESSES, FAULTS, REFAULTS, READS, SWAPS, STALLED, COLD, VICTIMS, SCANS, SLOWDOWN, MIN, RATIO };

static const struct kit_figure figures[] = {
    [ACCESSES] = { "accesses", "", "of the domain to its memory" },
    [FAULTS] = { "faults", "pages", "touched, and not in memory" },
    [REFAULTS] = { "refaults", "pages", "of them, gone not more victims ago than there are frames" },
    [READS] = { "reads", "pages", "of those touched, read from the disk: others came as zeros" },
    [SWAPS] = { "swaps", "pages", "written to the disk: dirty victims" },
    [STALLED] = { "stalled", "ms", "in which the domain waited for the disk" },
    [COLD] = { "cold", "pages", "touched for the first time: no algorithm spares these faults" },
    [VICTIMS] = { "victims", "pages", "gone: faults for which no frame was free" },
    [SCANS] = { "scans", "", "of the A and D bits" },
    [SLOWDOWN] = { "slowdown", "", "its time with the disk, divided by that without" },
    [MIN] = { "min", "pages", "faults of Belady's MIN, which knows what is to come: nobody has fewer" },
    [RATIO] = { "ratio", "", "faults, divided by those of MIN" },
    { NULL, NULL, NULL },
};

static double stalled(const struct reclaim *m, uint64_t reads, uint64_t swaps)
{
    return (double)(reads * m->read + swaps * m->write) / 1e6;
}

static void metrics(const void *model, struct kit_metrics *list)
{
    const struct reclaim *m = model;
    double all[STALLED + 1] = { 0 };

    for (unsigned int i = 0; i < m->nr_regions; i++) {
        const struct reclaim_region *g = &m->region[i];
        const double is[] = {
            [ACCESSES] = (double)g->touches, [FAULTS] = (double)g->faults, [REFAULTS] = (double)g->refaults,
            [READS] = (double)g->reads,      [SWAPS] = (double)g->swaps,   [STALLED] = stalled(m, g->reads, g->swaps)
        };

        for (unsigned int n = 0; n <= STALLED; n++) {
            kit_metric_add(list, &figures[n], g->name, is[n]);
            all[n] += is[n];
        }
    }
    for (unsigned int n = 0; n <= STALLED; n++)
        kit_metric_add(list, &figures[n], "", all[n]);
    kit_metric_add(list, &figures[COLD], "", (double)m->cold);
    kit_metric_add(list, &figures[VICTIMS], "", (double)m->victims);
    kit_metric_add(list, &figures[SCANS], "", (double)m->scans);
    kit_metric_add(list, &figures[SLOWDOWN], "", 1 + all[STALLED] / ((double)m->time / 1e6));
    kit_metric_add(list, &figures[MIN], "", (double)m->least);
    kit_metric_add(list, &figures[RATIO], "", m->least ? all[FAULTS] / (double)m->least : 1);
}

static const char *const hooks[] = { "init", "scan", "victim", NULL };

static int64_t time_of(const void *model) { return (int64_t)((const struct reclaim *)model)->time; }

#define ONE(figure) (UINT64_C(1) << (figure))

static const char *const references[] = { "clock", "random", NULL };

const struct kit_model kit_reclaim = {
    .name = "reclaim",
    .what = "which page leaves memory when another is wanted",
    .example = "docs/examples/kit/loop.txt",
    .hooks = hooks,
    .required = UINT32_C(1) << RECLAIM_SCAN | UINT32_C(1) << RECLAIM_VICTIM,
    .figures = figures,
    .sums = ONE(ACCESSES) | ONE(FAULTS) | ONE(REFAULTS) | ONE(READS) | ONE(SWAPS) | ONE(STALLED) | ONE(COLD) |
            ONE(VICTIMS) | ONE(SCANS),
    .references = references,
    .time = time_of,
    .load = reclaim_load,
    .run = run,
    .metrics = metrics,
    .svg = reclaim_svg,
    .free = reclaim_free,
};
