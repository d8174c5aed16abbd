// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What guests do: stores to their page tables, accesses, CR3, INVLPG.
 *
 * Concept: a guest's kernel as it is seen from below. Memory is mapped when it is accessed first (demand paging); fork
 * copies all tables, and makes both sides' entries read-only; a store to such a page gets a page of its own (copy on
 * write), with INVLPG; exec leaves all leaf tables; protect makes SHADOW_REMAP entries read-only. A table that is free
 * is used again, the last one first, and is cleared before, entry by entry, when it may still have its old shadow.
 *
 * Invariant: what allows less than before is flushed before the next access.
 */
#include "tools/kit/shadow.h"

#include <string.h>

struct doing {
    struct shadow *m;
    struct shadow_guest *g;
    struct shadow_event e;
    bool (*event)(struct shadow *m, const struct shadow_event *e, void *data);
    void *data;
};

static uint64_t any(struct shadow_guest *g) { return workload_stir(++g->random); }

static bool say(struct doing *d, enum shadow_what what, uint64_t table, uint64_t index)
{
    d->e.what = what;
    d->e.table = table;
    d->e.index = index;
    return d->event(d->m, &d->e, d->data);
}

static bool store(struct doing *d, uint64_t table, uint64_t index, uint64_t value)
{
    d->m->table[table].entry[index] = value;
    return say(d, SHADOW_STORE, table, index);
}

static bool load_cr3(struct doing *d) { return say(d, SHADOW_CR3, d->g->process[d->g->current].root, 0); }

/* --- tables --- */

/* An entry of a root: where its leaf is. */
static uint64_t leaf_of(const struct shadow *m, uint64_t root, uint64_t slot)
{
    return (m->table[root].entry[slot] >> 12) - SHADOW_FIRST;
}

static bool table_new(struct doing *d, unsigned int level, uint64_t *table)
{
    struct shadow_guest *g = d->g;

    *table = g->free[level - 1][--g->nr_free[level - 1]];
    for (uint64_t i = 0; i < SHADOW_ENTRIES; i++)
        if (!store(d, *table, i, 0))
            return false;
    return true;
}

static void table_free(struct shadow_guest *g, unsigned int level, uint64_t table)
{
    g->free[level - 1][g->nr_free[level - 1]++] = table;
}

static bool leaf_new(struct doing *d, uint64_t root, uint64_t slot, uint64_t *leaf)
{
    return table_new(d, 1, leaf) && store(d, root, slot, (*leaf + SHADOW_FIRST) << 12 | SHADOW_P | SHADOW_W);
}

/* --- what it does --- */

static bool access_one(struct doing *d)
{
    struct shadow_guest *g = d->g;
    const uint64_t n = any(g), page = n % g->set, root = g->process[g->current].root, slot = page % g->slots;
    const uint64_t index = page / g->slots * 7 % SHADOW_ENTRIES;
    uint64_t leaf = leaf_of(d->m, root, slot), was;

    d->e.write = n >> 40 & 1;
    d->e.slot = slot;
    if (!d->m->table[root].entry[slot] && !leaf_new(d, root, slot, &leaf))
        return false;
    was = d->m->table[leaf].entry[index];
    if (!was && !store(d, leaf, index, ++g->pages << 12 | SHADOW_P | SHADOW_W))
        return false;
    if (was & SHADOW_COW && d->e.write &&
        (!store(d, leaf, index, ++g->pages << 12 | SHADOW_P | SHADOW_W) || !say(d, SHADOW_INVLPG, leaf, index)))
        return false;
    return say(d, SHADOW_ACCESS, leaf, index);
}

static bool read_only(struct doing *d, uint64_t leaf, uint64_t i)
{
    const uint64_t was = d->m->table[leaf].entry[i];

    return !(was & SHADOW_W) || store(d, leaf, i, (was & ~(uint64_t)SHADOW_W) | SHADOW_COW);
}

/* The process that lives longest, but for the current one, ends, and the current one is copied. */
static bool fork_one(struct doing *d)
{
    struct shadow_guest *g = d->g;
    const uint64_t parent = g->process[g->current].root;
    uint64_t oldest = g->current ? 0 : 1, root, leaf;

    for (uint64_t p = 0; p < g->processes; p++)
        if (p != g->current && g->process[p].born < g->process[oldest].born)
            oldest = p;
    root = g->process[oldest].root;
    for (uint64_t s = 0; s < g->slots; s++)
        if (d->m->table[root].entry[s])
            table_free(g, 1, leaf_of(d->m, root, s));
    table_free(g, 2, root);
    if (!table_new(d, 2, &root))
        return false;
    g->process[oldest] = (struct shadow_process){ root, ++g->born };
    for (uint64_t s = 0; s < g->slots; s++) {
        const uint64_t from = leaf_of(d->m, parent, s);

        if (!d->m->table[parent].entry[s])
            continue;
        if (!leaf_new(d, root, s, &leaf))
            return false;
        for (uint64_t i = 0; i < SHADOW_ENTRIES; i++)
            if (d->m->table[from].entry[i] &&
                (!read_only(d, from, i) || !store(d, leaf, i, d->m->table[from].entry[i])))
                return false;
    }
    return load_cr3(d);
}

static bool exec_one(struct doing *d)
{
    struct shadow_guest *g = d->g;
    const uint64_t root = g->process[g->current].root;

    for (uint64_t s = 0; s < g->slots; s++) {
        if (!d->m->table[root].entry[s])
            continue;
        table_free(g, 1, leaf_of(d->m, root, s));
        if (!store(d, root, s, 0))
            return false;
    }
    return load_cr3(d);
}

static bool protect_one(struct doing *d)
{
    struct shadow_guest *g = d->g;
    const uint64_t n = any(g), root = g->process[g->current].root, slot = n % g->slots;
    const uint64_t leaf = leaf_of(d->m, root, slot), from = (n >> 32) % (SHADOW_ENTRIES - SHADOW_REMAP + 1);

    if (!d->m->table[root].entry[slot])
        return true;
    for (uint64_t i = from; i < from + SHADOW_REMAP; i++)
        if (!read_only(d, leaf, i))
            return false;
    return load_cr3(d);
}

static bool act(struct doing *d)
{
    switch (d->g->step[d->g->at_step % d->g->nr_steps].how) {
    case SHADOW_FORK: return fork_one(d);
    case SHADOW_EXEC: return exec_one(d);
    case SHADOW_PROTECT: return protect_one(d);
    default: return true;
    }
}

/* --- when --- */

static void step_begin(struct shadow_guest *g, uint64_t now)
{
    const struct shadow_step *s = &g->step[g->at_step % g->nr_steps];
    const bool rests = s->how == SHADOW_REST;

    g->until = s->ns ? now + s->ns : UINT64_MAX;
    g->next_do = s->every ? now : UINT64_MAX;
    g->next_touch = rests ? UINT64_MAX : now;
    g->next_swap = rests || !g->swap || g->processes == 1 ? UINT64_MAX : now + g->swap;
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t next_of(const struct shadow_guest *g)
{
    return earlier(earlier(g->until, g->next_do), earlier(g->next_touch, g->next_swap));
}

void shadow_begin(struct shadow *m)
{
    uint64_t at = 0;

    for (uint64_t t = 0; t < m->nr_tables; t++)
        memset(m->table[t].entry, 0, sizeof(m->table[t].entry));
    for (unsigned int i = 0; i < m->nr_guests; i++) {
        struct shadow_guest *g = &m->guest[i];

        g->random = workload_stir(m->seed + workload_stir(i + 1));
        g->current = g->born = g->pages = g->at_step = 0;
        g->nr_free[0] = g->nr_free[1] = 0;
        g->first = at;
        for (uint64_t p = 0; p < g->processes; p++) {
            m->table[at].level = 2;
            g->process[p] = (struct shadow_process){ at++, ++g->born };
        }
        for (uint64_t n = 0; n < g->processes * g->slots; n++, at++) {
            m->table[at].level = 1;
            table_free(g, 1, at);
        }
        g->nr_tables = at - g->first;
        step_begin(g, 0);
    }
}

/* The first of what is due now. */
static bool guest_goes_on(struct doing *d, uint64_t now)
{
    struct shadow_guest *g = d->g;

    if (g->until == now) {
        g->at_step++;
        step_begin(g, now);
        return true;
    }
    if (g->next_swap == now) {
        g->next_swap += g->swap;
        g->current = (g->current + 1) % g->processes;
        return load_cr3(d);
    }
    if (g->next_do == now) {
        g->next_do += g->step[g->at_step % g->nr_steps].every;
        return act(d);
    }
    g->next_touch += g->touch;
    return access_one(d);
}

bool shadow_guests(struct shadow *m, bool (*event)(struct shadow *m, const struct shadow_event *e, void *data),
                   void *data)
{
    struct doing d = { .m = m, .event = event, .data = data };

    for (unsigned int i = 0; i < m->nr_guests; i++) {
        d.g = &m->guest[d.e.guest = i];
        if (!load_cr3(&d))
            return false;
    }
    for (;;) {
        unsigned int first = 0;

        for (unsigned int i = 1; i < m->nr_guests; i++)
            if (next_of(&m->guest[i]) < next_of(&m->guest[first]))
                first = i;
        d.g = &m->guest[d.e.guest = first];
        d.e.time = next_of(d.g);
        if (d.e.time >= m->time)
            return true;
        if (!guest_goes_on(&d, d.e.time))
            return false;
    }
}
