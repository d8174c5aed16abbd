// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages, page tables and TLBs: tools/kit/tlbflush.h says what happens to them. */
#include "tools/kit/tlbflush.h"

#include <stdlib.h>
#include <string.h>

/* --- what charts show --- */

/* The stretch of now, which is before m->time. */
static struct tlb_column *column(struct tlb_model *m) { return &m->column[m->now / m->width]; }

/* --- as it begins --- */

static bool domain_begin(struct tlb_model *m, uint32_t id)
{
    struct tlb_domain *d = &m->domain[id];

    d->page = calloc(d->pages, sizeof(*d->page));
    d->writable = calloc(d->pages, sizeof(*d->writable));
    d->revoked = TLB_NONE;
    if (!d->page || !d->writable)
        return false;
    for (uint32_t a = 0; a < d->pages; a++)
        d->page[a] = TLB_NONE;
    for (uint32_t a = 0; a < d->pages - d->pages / 4; a++) {
        d->page[a] = (uint32_t)m->nr_pages++;
        d->writable[a] = true;
        m->page[d->page[a]] = (struct tlb_page){ .domain = id, .address = a };
    }
    return true;
}

bool tlb_begin(struct tlb_model *m)
{
    uint64_t nr = m->nr_spare;

    for (unsigned int i = 0; i < m->nr_domains; i++)
        nr += m->domain[i].pages;
    m->page = calloc(nr, sizeof(*m->page));
    m->heap = calloc(nr, sizeof(*m->heap));
    if (!m->page || !m->heap)
        return false;
    for (uint32_t i = 0; i < m->nr_domains; i++)
        if (!domain_begin(m, i))
            return false;
    for (uint64_t i = 0; i < m->nr_spare; i++) {
        m->page[m->nr_pages].stamp = (uint32_t)m->clock - 1; /* nobody has ever had it */
        m->heap[m->nr_heap++] = (uint32_t)m->nr_pages++;
    }
    for (unsigned int i = 0; i < m->nr_pcpus; i++) {
        m->pcpu[i] = (struct tlb_pcpu){
            .stamp = (uint32_t)m->clock, .vcpu = TLB_NONE, .before = TLB_NONE, .touch_at = TLB_NEVER
        };
        m->pcpu[i].entry = calloc(m->nr_entries, sizeof(struct tlb_entry));
        if (!m->pcpu[i].entry)
            return false;
    }
    m->width = m->time / TLB_COLUMNS + 1;
    return true;
}

void tlb_end(struct tlb_model *m)
{
    for (unsigned int i = 0; i < TLB_MAX_DOMAINS; i++) {
        free(m->domain[i].page);
        free(m->domain[i].writable);
    }
    for (unsigned int i = 0; i < TLBFLUSH_MAX_PCPUS; i++)
        free(m->pcpu[i].entry);
    free(m->page);
    free(m->heap);
}

uint32_t tlb_domain_of(const struct tlb_model *m, uint32_t vcpu)
{
    uint32_t domain = 0;

    while (vcpu >= m->domain[domain].vcpus)
        vcpu -= (uint32_t)m->domain[domain++].vcpus;
    return domain;
}

/* --- flushing --- */

static uint64_t ask(struct tlb_model *m, const struct tlb_now *now)
{
    uint32_t stamp[TLBFLUSH_MAX_PCPUS];
    uint64_t mask = 0;

    if (m->gone)
        return 0;
    for (unsigned int i = 0; i < m->nr_pcpus; i++)
        stamp[i] = m->pcpu[i].stamp;
    m->asked++;
    m->gone = !m->who(m->of, now, stamp, m->nr_pcpus, &mask);
    return m->gone ? 0 : mask;
}

/* Its TLB is empty; what it runs may fill it again. */
static void empty(struct tlb_model *m, uint64_t pcpu)
{
    struct tlb_pcpu *p = &m->pcpu[pcpu];

    memset(p->entry, 0, m->nr_entries * sizeof(*p->entry));
    p->stamp = (uint32_t)m->clock;
    for (unsigned int i = 0; i < m->nr_domains; i++)
        m->domain[i].ran &= m->domain[i].runs | ~(UINT64_C(1) << pcpu);
}

static void wrap(struct tlb_model *m)
{
    const struct tlb_now now = { .now = m->now, .cause = TLB_WRAP, .bits = m->bits, .here = m->here };
    const uint64_t mask = ask(m, &now);

    m->wraps++;
    column(m)->wraps++;
    for (unsigned int i = 0; i < m->nr_pcpus; i++) {
        if (!(mask >> i & 1))
            continue;
        empty(m, i);
        m->wrap_flushes++;
        m->ipis += i != m->here;
    }
    m->clock = 1;
}

static void flush(struct tlb_model *m, uint64_t pcpu)
{
    m->clock = (m->clock + 1) & ((UINT64_C(1) << m->bits) - 1);
    empty(m, pcpu);
    if (!m->clock)
        wrap(m);
}

/* pCPUs whose TLB has the page as it is now; to_store: and lets it be stored to. */
static uint64_t have(const struct tlb_model *m, uint32_t page, bool to_store)
{
    const struct tlb_page *p = &m->page[page];
    uint64_t mask = 0;

    for (unsigned int i = 0; i < m->nr_pcpus; i++) {
        const struct tlb_entry *e = &m->pcpu[i].entry[(p->address + 7 * p->domain) % m->nr_entries];

        mask |= (uint64_t)(e->there && e->page == page && e->number == p->number && (!to_store || e->writable)) << i;
    }
    return mask;
}

static void flush_for(struct tlb_model *m, enum tlb_cause cause, uint32_t page)
{
    const struct tlb_page *p = &m->page[page];
    const struct tlb_domain *d = &m->domain[p->domain];
    const struct tlb_now now = { .now = m->now,
                                 .cause = cause,
                                 .bits = m->bits,
                                 .clock = (uint32_t)m->clock,
                                 .stamp = p->stamp,
                                 .page = page,
                                 .domain = p->domain,
                                 .ran = d->ran,
                                 .runs = d->runs,
                                 .here = m->here };
    const uint64_t had = have(m, page, cause == TLB_REVOKE), mask = ask(m, &now);

    for (unsigned int i = 0; i < m->nr_pcpus && !m->gone; i++) {
        if (!(mask >> i & 1))
            continue;
        m->flushes++;
        m->needed += had >> i & 1;
        m->ipis += i != m->here;
        column(m)->flushes++;
        column(m)->needed += had >> i & 1;
        flush(m, i);
    }
    m->left += (uint64_t)__builtin_popcountll(m->gone ? 0 : have(m, page, cause == TLB_REVOKE));
}

/* --- what domains do --- */

void tlb_use(struct tlb_model *m, uint64_t pcpu, uint32_t domain, uint32_t address, bool store)
{
    struct tlb_domain *d = &m->domain[domain];
    struct tlb_entry *e = &m->pcpu[pcpu].entry[(address + 7 * domain) % m->nr_entries];
    const struct tlb_page *p = &m->page[e->page];

    d->uses++;
    if (e->there && e->domain == domain && e->address == address && !(store && !e->writable && d->writable[address])) {
        const bool stale = e->number != p->number || (store && e->writable && p->table);

        d->stale += stale;
        column(m)->stale += stale;
    } else if (d->page[address] != TLB_NONE) {
        *e = (struct tlb_entry){
            domain, address, d->page[address], true, d->writable[address], m->page[d->page[address]].number
        };
        d->fills++;
        column(m)->fills++;
    }
}

void tlb_free(struct tlb_model *m, uint32_t domain, uint32_t address)
{
    struct tlb_domain *d = &m->domain[domain];
    const uint32_t page = d->page[address];

    if (d->revoked == page)
        d->revoked = TLB_NONE;
    d->page[address] = TLB_NONE;
    m->page[page].stamp = (uint32_t)m->clock;
    m->heap[m->nr_heap++] = page;
}

void tlb_take(struct tlb_model *m, uint32_t domain, uint32_t address)
{
    struct tlb_domain *d = &m->domain[domain];
    uint32_t page;

    if (!m->nr_heap)
        return;
    page = m->heap[m->oldest ? 0 : m->nr_heap - 1];
    m->nr_heap--;
    if (m->oldest)
        memmove(m->heap, m->heap + 1, m->nr_heap * sizeof(*m->heap));
    flush_for(m, TLB_REUSE, page);
    m->page[page].domain = domain;
    m->page[page].address = address;
    m->page[page].table = false;
    m->page[page].number++;
    d->page[address] = page;
    d->writable[address] = true;
    d->taken++;
}

void tlb_revoke(struct tlb_model *m, uint32_t domain, uint32_t address)
{
    struct tlb_domain *d = &m->domain[domain];
    const uint32_t page = d->page[address];

    if (d->revoked != TLB_NONE) {
        flush_for(m, TLB_REVOKE, d->revoked);
        m->page[d->revoked].table = true;
        d->revoked = TLB_NONE;
    }
    if (m->page[page].table) {
        m->page[page].table = false;
        d->writable[address] = true;
        return;
    }
    d->writable[address] = false;
    m->page[page].stamp = (uint32_t)m->clock;
    d->revoked = page;
}

void tlb_switch(struct tlb_model *m, uint64_t pcpu, uint32_t vcpu)
{
    struct tlb_pcpu *p = &m->pcpu[pcpu];
    const uint64_t bit = UINT64_C(1) << pcpu;

    if (p->vcpu != TLB_NONE)
        m->domain[tlb_domain_of(m, p->vcpu)].runs &= ~bit;
    p->vcpu = vcpu;
    if (vcpu == TLB_NONE)
        return;
    m->here = pcpu;
    if (p->before != vcpu && p->before != TLB_NONE) {
        m->switches++;
        if (!m->tagged)
            flush(m, pcpu);
    }
    p->before = vcpu;
    m->domain[tlb_domain_of(m, vcpu)].runs |= bit;
    m->domain[tlb_domain_of(m, vcpu)].ran |= bit;
}
