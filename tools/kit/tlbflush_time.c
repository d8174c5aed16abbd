// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Domains in time: what their programs do, and which vCPU runs where.
 *
 * Concept: a pCPU has two things that may come next, the end of a slice and a use by the vCPU that it runs; a domain
 * three, the end of a program's step, a page that is freed or taken, and a right that is. The next of all is done, the
 * pCPUs' first where several are due. vCPUs take turns, whatever domain they are of, and so come to other pCPUs.
 */
#include "tools/kit/tlbflush.h"

#define SECOND UINT64_C(1000000000)

static uint64_t earliest(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* --- random numbers --- */

enum { OF_SLICE, OF_TOUCH, OF_RECYCLE, OF_REVOKE, NR_OF };

/* `who`: pCPUs, then domains. */
static uint64_t drawn(const struct tlb_model *m, unsigned int of, uint64_t who, uint64_t nr)
{
    return workload_stir(workload_stir(workload_stir(m->seed + 1) ^ (who * NR_OF + of + 1)) ^ nr);
}

/* When something that is so often a second comes next: after half of that time, to one and a half. */
static uint64_t next_at(const struct tlb_model *m, uint64_t rate, uint64_t random)
{
    return rate ? m->now + SECOND / rate / 2 + random % (SECOND / rate) + 1 : TLB_NEVER;
}

static uint64_t of_domain(const struct tlb_model *m, const struct tlb_domain *d)
{
    return TLBFLUSH_MAX_PCPUS + (uint64_t)(d - m->domain);
}

/* --- pCPUs --- */

static uint64_t touch_rate(const struct tlb_model *m, uint32_t vcpu)
{
    const struct tlb_domain *d = &m->domain[tlb_domain_of(m, vcpu)];

    return d->step[d->now].touch;
}

static void touch_set(struct tlb_model *m, uint64_t pcpu)
{
    struct tlb_pcpu *p = &m->pcpu[pcpu];

    p->touch_at = p->vcpu == TLB_NONE ? TLB_NEVER
                                      : next_at(m, touch_rate(m, p->vcpu), drawn(m, OF_TOUCH, pcpu, p->touches) >> 32);
}

static void touch(struct tlb_model *m, uint64_t pcpu)
{
    struct tlb_pcpu *p = &m->pcpu[pcpu];
    const uint32_t domain = tlb_domain_of(m, p->vcpu);
    const uint64_t random = drawn(m, OF_TOUCH, pcpu, p->touches++);

    tlb_use(m, pcpu, domain, (uint32_t)((random >> 1) % m->domain[domain].pages), random & 1);
    touch_set(m, pcpu);
}

static bool runs_somewhere(const struct tlb_model *m, uint32_t vcpu)
{
    for (unsigned int i = 0; i < m->nr_pcpus; i++)
        if (m->pcpu[i].vcpu == vcpu)
            return true;
    return false;
}

/* Whose turn it is; or the one that runs; or none. */
static uint32_t next_vcpu(struct tlb_model *m, uint32_t now)
{
    for (uint64_t i = 0; i < m->nr_vcpus; i++) {
        const uint32_t vcpu = (uint32_t)((m->next_vcpu + i) % m->nr_vcpus);

        if (!touch_rate(m, vcpu) || runs_somewhere(m, vcpu))
            continue;
        m->next_vcpu = (uint32_t)((vcpu + 1) % m->nr_vcpus);
        return vcpu;
    }
    return now != TLB_NONE && touch_rate(m, now) ? now : TLB_NONE;
}

static void slice_ends(struct tlb_model *m, uint64_t pcpu)
{
    struct tlb_pcpu *p = &m->pcpu[pcpu];
    const uint32_t vcpu = next_vcpu(m, p->vcpu);

    if (vcpu != p->vcpu) {
        tlb_switch(m, pcpu, vcpu);
        touch_set(m, pcpu);
    }
    p->slice_at = m->now + workload_within(&m->slice, drawn(m, OF_SLICE, pcpu, p->slices++));
}

/* --- domains --- */

static void recycle_set(struct tlb_model *m, struct tlb_domain *d)
{
    d->recycle_at = next_at(m, 2 * d->step[d->now].recycle, drawn(m, OF_RECYCLE, of_domain(m, d), d->recycled) >> 32);
}

static void revoke_set(struct tlb_model *m, struct tlb_domain *d)
{
    d->revoke_at = next_at(m, d->step[d->now].revoke, drawn(m, OF_REVOKE, of_domain(m, d), d->revokes) >> 32);
}

static void step_begin(struct tlb_model *m, struct tlb_domain *d)
{
    const uint64_t ns = d->step[d->now].ns;

    d->ends_at = ns ? m->now + ns : TLB_NEVER;
    recycle_set(m, d);
    revoke_set(m, d);
    for (unsigned int i = 0; i < m->nr_pcpus; i++)
        if (d->runs >> i & 1)
            touch_set(m, i);
}

/* An address that has a page, or has none: the first from a random one on. TLB_NONE: there is no such. */
static uint32_t address(const struct tlb_domain *d, bool there, uint64_t random)
{
    for (uint64_t i = 0; i < d->pages; i++) {
        const uint32_t a = (uint32_t)((random + i) % d->pages);

        if ((d->page[a] != TLB_NONE) == there)
            return a;
    }
    return TLB_NONE;
}

/* A hypercall of the domain's: on a pCPU that runs it, or (others do it) on the first. */
static void hypercall(struct tlb_model *m, const struct tlb_domain *d)
{
    m->here = d->runs ? (uint64_t)__builtin_ctzll(d->runs) : 0;
}

static void recycle(struct tlb_model *m, struct tlb_domain *d)
{
    const uint64_t random = drawn(m, OF_RECYCLE, of_domain(m, d), d->recycled);
    const bool frees = d->recycled++ % 2 == 0;
    const uint32_t a = address(d, frees, random >> 1);

    hypercall(m, d);
    if (a != TLB_NONE && frees)
        tlb_free(m, (uint32_t)(d - m->domain), a);
    else if (a != TLB_NONE)
        tlb_take(m, (uint32_t)(d - m->domain), a);
    recycle_set(m, d);
}

static void revoke(struct tlb_model *m, struct tlb_domain *d)
{
    const uint32_t a = address(d, true, drawn(m, OF_REVOKE, of_domain(m, d), d->revokes++) >> 1);

    hypercall(m, d);
    if (a != TLB_NONE)
        tlb_revoke(m, (uint32_t)(d - m->domain), a);
    revoke_set(m, d);
}

/* --- a run --- */

static uint64_t next_of_all(const struct tlb_model *m)
{
    uint64_t at = m->time;

    for (unsigned int i = 0; i < m->nr_pcpus; i++)
        at = earliest(at, earliest(m->pcpu[i].slice_at, m->pcpu[i].touch_at));
    for (unsigned int i = 0; i < m->nr_domains; i++)
        at = earliest(at, earliest(m->domain[i].ends_at, earliest(m->domain[i].recycle_at, m->domain[i].revoke_at)));
    return at;
}

/* All that is due now. */
static void due_do(struct tlb_model *m)
{
    for (unsigned int i = 0; i < m->nr_pcpus && !m->gone; i++) {
        if (m->pcpu[i].slice_at == m->now)
            slice_ends(m, i);
        if (m->pcpu[i].touch_at == m->now)
            touch(m, i);
    }
    for (struct tlb_domain *d = m->domain; d < m->domain + m->nr_domains && !m->gone; d++) {
        if (d->ends_at == m->now) {
            d->now = (d->now + 1) % d->nr_steps;
            step_begin(m, d);
        }
        if (d->recycle_at == m->now)
            recycle(m, d);
        if (d->revoke_at == m->now)
            revoke(m, d);
    }
}

void tlb_run(struct tlb_model *m)
{
    for (struct tlb_domain *d = m->domain; d < m->domain + m->nr_domains; d++)
        step_begin(m, d);
    while (!m->gone && (m->now = next_of_all(m)) < m->time) {
        due_do(m);
        if (!m->gone)
            m->passed(m->of, m->now);
    }
}
