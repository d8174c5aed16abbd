// SPDX-License-Identifier: GPL-2.0-or-later
/* shadow: the hypervisor, from one store or access to the next. shadow.h says what the model is. */
#include "tools/kit/shadow.h"

#include <string.h>

#include "sim/types.h"

static struct shadow_column *column(struct shadow *m) { return &m->column[m->now * SHADOW_COLUMNS / m->time]; }

static void frames_now(struct shadow *m, uint64_t used)
{
    m->held += m->used * (m->now - m->held_at);
    m->held_at = m->now;
    m->used = used;
    m->most = used > m->most ? used : m->most;
}

/* --- facts --- */

static struct shadow_now told(const struct shadow *m, const struct shadow_guest *g)
{
    return (struct shadow_now){ .now = m->now,
                                .guest = (uint64_t)(g - m->guest),
                                .frames = m->frames,
                                .used = m->used,
                                .out = g->nr_out,
                                .most_out = m->most_out,
                                .fault = m->fault,
                                .emulate = m->emulate,
                                .compare = m->compare,
                                .make = m->make,
                                .drop = m->drop };
}

static bool busy(const struct shadow *m, uint64_t table)
{
    for (unsigned int i = 0; i < m->nr_guests; i++)
        if (m->guest[i].root == table)
            return true;
    return false;
}

static struct shadow_page page_of(const struct shadow *m, uint64_t table)
{
    const struct shadow_table *t = &m->table[table];

    return (
        struct shadow_page){ table + SHADOW_FIRST, t->level, t->made, t->stores, busy(m, table), t->out, t->accessed };
}

static void moment(const struct shadow *m, struct kit_asked *a)
{
    snprintf(a->at, sizeof(a->at), "%.6f ms", (double)m->now / 1e6);
    a->now = (int64_t)m->now;
}

/* --- shadows --- */

static struct shadow_guest *owner(struct shadow *m, uint64_t table)
{
    unsigned int i = 0;

    while (table >= m->guest[i].first + m->guest[i].nr_tables)
        i++;
    return &m->guest[i];
}

/* It is not among those that are out of sync any more. */
static void out_forget(struct shadow *m, uint64_t table)
{
    struct shadow_guest *g = owner(m, table);

    for (uint64_t i = 0; i < g->nr_out; i++)
        if (g->out[i] == table) {
            memmove(g->out + i, g->out + i + 1, (--g->nr_out - i) * sizeof(*g->out));
            break;
        }
    m->table[table].out = false;
}

/* All roots forget where it is. */
static void drop(struct shadow *m, struct shadow_guest *payer, uint64_t table)
{
    const struct shadow_guest *g = owner(m, table);
    struct shadow_table *t = &m->table[table];

    out_forget(m, table);
    t->shadowed = false;
    memset(t->shadow, 0, sizeof(t->shadow));
    for (uint64_t r = g->first; t->level == 1 && r < g->first + g->nr_tables; r++)
        for (uint64_t s = 0; s < g->slots && m->table[r].level == 2; s++)
            if (m->table[r].shadow[s] >> 12 == table + SHADOW_FIRST)
                m->table[r].shadow[s] = 0;
    frames_now(m, m->used - 1);
    payer->count.cost += m->drop;
}

static bool evict(struct shadow *m, struct shadow_guest *g, struct kit_asked *a)
{
    char bytes[sizeof(struct shadow_now) + sizeof(uint64_t) + SHADOW_MAX_FRAMES * sizeof(struct shadow_page)];
    const struct shadow_now now = told(m, g);
    char *at = bytes;
    uint64_t n = m->used, mfn;

    memcpy(at, &now, sizeof(now));
    memcpy(at += sizeof(now), &n, sizeof(n));
    at += sizeof(n);
    for (uint64_t t = 0; t < m->nr_tables; t++) {
        const struct shadow_page page = page_of(m, t);

        if (!m->table[t].shadowed)
            continue;
        memcpy(at, &page, sizeof(page));
        at += sizeof(page);
        m->table[t].accessed = false;
    }
    moment(m, a);
    if (!kit_ask(a, SHADOW_EVICT, bytes, (size_t)(at - bytes), sizeof(mfn), sizeof(mfn)))
        return false;
    memcpy(&mfn, a->message.bytes, sizeof(mfn));
    if (mfn < SHADOW_FIRST || mfn >= SHADOW_FIRST + m->nr_tables || !m->table[mfn - SHADOW_FIRST].shadowed)
        return kit_fault(a, "gave mfn %llu, which has no shadow,", (unsigned long long)mfn);
    if (busy(m, mfn - SHADOW_FIRST))
        return kit_fault(a, "gave mfn %llu, the root that a vCPU has in CR3,", (unsigned long long)mfn);
    drop(m, g, mfn - SHADOW_FIRST);
    g->count.evicted++;
    return true;
}

/* The table gets a shadow, in which nothing is yet. */
static bool make(struct shadow *m, struct shadow_guest *g, uint64_t table, struct kit_asked *a)
{
    struct shadow_table *t = &m->table[table];

    if (m->used == m->frames && !evict(m, g, a))
        return false;
    frames_now(m, m->used + 1);
    t->shadowed = t->accessed = true;
    t->made = m->now;
    t->stores = 0;
    g->count.made++;
    g->count.cost += m->make;
    return true;
}

/* All entries are compared, and what was used and is another one now is as in the guest's table. */
static void resync(struct shadow *m, struct shadow_guest *g, uint64_t table)
{
    struct shadow_table *t = &m->table[table];

    for (unsigned int i = 0; i < SHADOW_ENTRIES; i++)
        if (t->shadow[i])
            t->shadow[i] = t->entry[i];
    out_forget(m, table);
    g->count.resyncs++;
    g->count.compared += SHADOW_ENTRIES;
    g->count.cost += SHADOW_ENTRIES * m->compare;
    column(m)->compared += SHADOW_ENTRIES;
}

static void faulted(struct shadow *m, struct shadow_guest *g)
{
    g->count.faults++;
    g->count.cost += m->fault;
    column(m)->faults++;
}

/* --- what guests do --- */

static bool ask(struct shadow *m, struct shadow_guest *g, const struct shadow_event *e, struct kit_asked *a,
                int32_t *what)
{
    const struct shadow_now now = told(m, g);
    const struct shadow_page page = page_of(m, e->table);
    const uint32_t off = (uint32_t)(e->index * sizeof(uint64_t));
    char bytes[sizeof(now) + sizeof(page) + sizeof(off)];

    memcpy(bytes, &now, sizeof(now));
    memcpy(bytes + sizeof(now), &page, sizeof(page));
    memcpy(bytes + sizeof(now) + sizeof(page), &off, sizeof(off));
    moment(m, a);
    if (!kit_ask(a, SHADOW_ON_WRITE, bytes, sizeof(bytes), sizeof(*what), sizeof(*what)))
        return false;
    memcpy(what, a->message.bytes, sizeof(*what));
    if (*what < SHADOW_EMULATE || *what > SHADOW_UNSHADOW)
        return kit_fault(a, "answered %d: 0 is emulate, 1 out of sync, 2 unshadow,", *what);
    if (*what == SHADOW_OUT_OF_SYNC && page.level == 2)
        return kit_fault(a, "lets mfn %llu go out of sync, which is a root: only leaves can,",
                         (unsigned long long)page.mfn);
    if (*what == SHADOW_UNSHADOW && page.busy)
        return kit_fault(a, "unshadows mfn %llu, the root that a vCPU has in CR3,", (unsigned long long)page.mfn);
    return true;
}

static bool stored(struct shadow *m, struct shadow_guest *g, const struct shadow_event *e, struct kit_asked *a)
{
    struct shadow_table *t = &m->table[e->table];
    int32_t what;

    g->count.stores++;
    if (!t->shadowed || t->out)
        return true;
    faulted(m, g);
    t->stores++;
    if (!ask(m, g, e, a, &what))
        return false;
    if (what == SHADOW_UNSHADOW) {
        g->count.unshadows++;
        drop(m, g, e->table);
    } else if (what == SHADOW_OUT_OF_SYNC) {
        if (g->nr_out == m->most_out)
            resync(m, g, g->out[0]);
        g->count.outs++;
        t->out = true;
        g->out[g->nr_out++] = e->table;
    } else {
        g->count.emulated++;
        g->count.cost += m->emulate;
        column(m)->emulated++;
        t->shadow[e->index] = t->level == 1 ? t->entry[e->index] : 0;
    }
    return true;
}

static bool accessed(struct shadow *m, struct shadow_guest *g, const struct shadow_event *e, struct kit_asked *a)
{
    struct shadow_table *root = &m->table[g->root], *leaf = &m->table[e->table];
    uint64_t *shadow = &leaf->shadow[e->index], entry = leaf->entry[e->index];
    bool missing = false;

    g->count.accesses++;
    if (!leaf->shadowed) {
        missing = true;
        if (!make(m, g, e->table, a))
            return false;
    }
    if (root->shadow[e->slot] != root->entry[e->slot]) { /* a leaf that is walked again: its entries may be old */
        missing = true;
        g->count.refills++;
        root->shadow[e->slot] = root->entry[e->slot];
        if (leaf->out)
            resync(m, g, e->table);
    }
    if (!*shadow || (e->write && !(*shadow & SHADOW_W))) {
        missing = true;
        g->count.refills++;
        *shadow = entry;
    }
    m->stale += *shadow != entry;
    root->accessed = leaf->accessed = true;
    if (missing)
        faulted(m, g);
    return true;
}

static bool happens(struct shadow *m, const struct shadow_event *e, void *data)
{
    struct shadow_guest *g = &m->guest[e->guest];
    struct kit_asked *a = data;
    bool ok = true;

    m->now = e->time;
    switch (e->what) {
    case SHADOW_STORE: ok = stored(m, g, e, a); break;
    case SHADOW_ACCESS: ok = accessed(m, g, e, a); break;
    case SHADOW_INVLPG:
        if (m->table[e->table].out)
            resync(m, g, e->table);
        break;
    case SHADOW_CR3:
        while (g->nr_out)
            resync(m, g, g->out[0]);
        g->root = UINT64_MAX;
        if (!m->table[e->table].shadowed)
            ok = make(m, g, e->table, a);
        g->root = e->table;
        m->table[e->table].accessed = true;
        break;
    }
    if (!ok)
        return false;
    column(m)->frames = (uint32_t)m->used > column(m)->frames ? (uint32_t)m->used : column(m)->frames;
    kit_passed(a, (int64_t)m->now);
    return !a->gone;
}

static void run(void *model, struct kit_asked *a)
{
    struct shadow *m = model;

    shadow_begin(m);
    for (unsigned int i = 0; i < m->nr_guests; i++)
        m->guest[i].root = UINT64_MAX;
    if (!shadow_guests(m, happens, a))
        return;
    m->now = m->time;
    frames_now(m, m->used);
    kit_passed(a, (int64_t)m->now);
}

/* --- figures --- */

enum {
    ACCESSES,
    STORES,
    FAULTS,
    EMULATED,
    OUTS,
    RESYNCS,
    COMPARED,
    UNSHADOWS,
    REFILLS,
    MADE,
    EVICTED,
    OVERHEAD,
    SLOWDOWN,
    MEMORY,
    MOST,
    STALE
};

static const struct kit_figure figures[] = {
    [ACCESSES] = { "accesses", "", "of guests to their memory" },
    [STORES] = { "stores", "", "of guests to their page tables" },
    [FAULTS] = { "faults", "", "of stores to tables in sync, and of accesses that found something missing" },
    [EMULATED] = { "emulated", "", "stores" },
    [OUTS] = { "outs", "", "times that a table went out of sync" },
    [RESYNCS] = { "resyncs", "", "times that one was compared: CR3, INVLPG, or too many" },
    [COMPARED] = { "compared", "", "entries, at resyncs" },
    [UNSHADOWS] = { "unshadows", "", "shadows gone because of a store" },
    [REFILLS] = { "refills", "", "entries filled in because an access found them missing" },
    [MADE] = { "made", "", "shadows" },
    [EVICTED] = { "evicted", "", "shadows gone for want of a frame" },
    [OVERHEAD] = { "overhead", "us", "that the hypervisor has worked" },
    [SLOWDOWN] = { "slowdown", "", "time with the overhead of all, divided by that without" },
    [MEMORY] = { "memory", "frames", "with shadows, on average" },
    [MOST] = { "most", "frames", "with shadows at a time" },
    [STALE] = { "stale", "", "accesses through an entry that the guest has flushed: always 0" },
    { NULL, NULL, NULL },
};

static void metrics(const void *model, struct kit_metrics *list)
{
    const struct shadow *m = model;
    double all[OVERHEAD + 1] = { 0 };

    for (unsigned int i = 0; i < m->nr_guests; i++) {
        const struct shadow_counts *c = &m->guest[i].count;
        const double is[] = { (double)c->accesses, (double)c->stores,  (double)c->faults,   (double)c->emulated,
                              (double)c->outs,     (double)c->resyncs, (double)c->compared, (double)c->unshadows,
                              (double)c->refills,  (double)c->made,    (double)c->evicted,  (double)c->cost / 1e3 };

        for (unsigned int n = 0; n <= OVERHEAD; n++) {
            kit_metric_add(list, &figures[n], m->guest[i].name, is[n]);
            all[n] += is[n];
        }
    }
    for (unsigned int n = 0; n <= OVERHEAD; n++)
        kit_metric_add(list, &figures[n], "", all[n]);
    kit_metric_add(list, &figures[SLOWDOWN], "", 1 + all[OVERHEAD] / ((double)(m->time * m->nr_guests) / 1e3));
    kit_metric_add(list, &figures[MEMORY], "",
                   m->now ? (double)(m->held + m->used * (m->now - m->held_at)) / (double)m->now : 0);
    kit_metric_add(list, &figures[MOST], "", (double)m->most);
    kit_metric_add(list, &figures[STALE], "", (double)m->stale);
}

static const char *const hooks[] = { "init", "on_write", "evict", NULL };

static int64_t time_of(const void *model) { return (int64_t)((const struct shadow *)model)->time; }

#define ONE(figure) (UINT64_C(1) << (figure))

static const char *const references[] = { "oos", "emulate", NULL };

const struct kit_model kit_shadow = {
    .name = "shadow",
    .what = "what becomes of a store to a page table with a shadow",
    .example = "docs/examples/kit/forks.txt",
    .hooks = hooks,
    .required = UINT32_C(1) << SHADOW_ON_WRITE | UINT32_C(1) << SHADOW_EVICT,
    .figures = figures,
    .sums = (ONE(OVERHEAD + 1) - 1) | ONE(STALE),
    .means = ONE(MEMORY),
    .references = references,
    .time = time_of,
    .load = shadow_load,
    .run = run,
    .metrics = metrics,
    .svg = shadow_svg,
    .free = shadow_free,
};
