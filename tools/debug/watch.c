// SPDX-License-Identifier: GPL-2.0-or-later
/* Watches among the stops: where they are in the machine, and what has become of them. See tools/debug/stops.h. */
#include "tools/debug/stops.h"

#include "sim/observe.h"
#include "sim/walk.h"
#include "vcpu/noun/domain.h"

#include <stdlib.h>
#include <string.h>

/* --- where --- */

/*
 * Virtual addresses are those of the kernel, in either mode; what it does not have may be user mode's alone. Of an HVM
 * guest they are what the vCPU has loaded.
 */
static bool find_virtual(struct host *h, const struct debug_stop *stop, uint64_t addr, uint64_t *maddr)
{
    const struct domain *d = stop->dom < DOMID_FIRST_RESERVED ? host_xen(h)->domain_of[stop->dom] : NULL;
    const struct vcpu *v = d && stop->vcpu < d->max_vcpus ? d->vcpu[stop->vcpu] : NULL;
    const struct machine *m = host_machine(h);
    struct page_walk w;

    if (!v || !v->regs)
        return false;
    if (is_hvm_domain(d))
        return look_machine_address(h, stop->dom, stop->vcpu, LOOK_VIRTUAL, addr, maddr);
    if ((mfn_valid(m, v->pv.guest_table) && machine_walk(m, v->pv.guest_table, addr, &w)) ||
        (mfn_valid(m, v->pv.guest_table_user) && machine_walk(m, v->pv.guest_table_user, addr, &w))) {
        *maddr = w.phys;
        return true;
    }
    return false;
}

/* The search for a frame takes long, and is made only if its answer may be another one. */
static void find_physical(struct host *h, const struct debug_stop *stop, struct debug_piece *p)
{
    const uint64_t sets = host_xen(h)->m2p_sets;

    if (p->m2p_sets == sets + 1)
        return;
    p->m2p_sets = sets + 1;
    p->there = look_machine_address(h, stop->dom, stop->vcpu, LOOK_PHYSICAL, p->addr, &p->maddr);
}

static void find_piece(struct host *h, const struct debug_stop *stop, struct debug_piece *p)
{
    switch (stop->space) {
    case LOOK_VIRTUAL: p->there = find_virtual(h, stop, p->addr, &p->maddr); break;
    case LOOK_PHYSICAL: find_physical(h, stop, p); break;
    case LOOK_MACHINE:
        p->maddr = p->addr;
        p->there = true;
        break;
    }
    p->there = p->there && mfn_valid(host_machine(h), _mfn(PFN_DOWN(p->maddr)));
}

static uint8_t *piece_was(const struct debug_stop *stop, const struct debug_piece *p)
{
    return stop->was + (p->addr - stop->addr);
}

static const uint8_t *piece_is(struct host *h, const struct debug_piece *p)
{
    return (const uint8_t *)mfn_to_virt(host_machine(h), _mfn(PFN_DOWN(p->maddr))) + PAGE_OFFSET(p->maddr);
}

bool watches_find(struct debug_stops *s)
{
    bool moved = false;

    for (size_t i = 0; i < s->nr; i++)
        for (unsigned int n = 0; n < s->list[i]->nr_pieces; n++) {
            struct debug_piece *p = &s->list[i]->pieces[n], before = *p;

            find_piece(s->host, s->list[i], p);
            if (p->there == before.there && (!p->there || p->maddr == before.maddr))
                continue;
            moved = true;
            if (p->there)
                memcpy(piece_was(s->list[i], p), piece_is(s->host, p), p->len);
        }
    return moved;
}

void watches_forget(struct debug_stops *s)
{
    for (size_t i = 0; i < s->nr; i++)
        s->list[i]->accessed = false;
}

void watches_begin(struct debug_stops *s)
{
    watches_forget(s);
    for (size_t i = 0; i < s->nr; i++)
        for (unsigned int n = 0; n < s->list[i]->nr_pieces; n++) {
            s->list[i]->pieces[n].there = false;
            s->list[i]->pieces[n].m2p_sets = 0;
        }
    watches_find(s);
}

bool watch_is_there(struct debug_stops *s, const struct debug_stop *stop)
{
    bool there = true;

    watches_begin(s);
    for (unsigned int n = 0; n < stop->nr_pieces; n++)
        there &= stop->pieces[n].there;
    return there;
}

/* --- accesses --- */

bool watches_arm(struct debug_stops *s)
{
    struct machine_watch *w;
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < s->nr; i++)
        n += s->list[i]->nr_pieces;
    w = calloc(n + 1, sizeof(*w));
    if (!w)
        return false;
    n = 0;
    for (size_t i = 0; i < s->nr; i++)
        for (unsigned int k = 0; k < s->list[i]->nr_pieces && !s->list[i]->accessed; k++) {
            const struct debug_piece *p = &s->list[i]->pieces[k];
            const bool read = s->list[i]->access == DEBUG_READ;

            if (p->there)
                w[n++] = (struct machine_watch){ .addr = p->maddr, .len = p->len, .read = read, .write = !read };
        }
    rc = machine_watch_set(host_machine(s->host), w, n);
    free(w);
    return rc == 0;
}

static bool overlaps(const struct debug_piece *p, uint64_t maddr, uint64_t size)
{
    return p->there && maddr < p->maddr + p->len && p->maddr < maddr + size;
}

bool watches_told(struct debug_stops *s, const struct sim_exit *hit)
{
    bool any = false;

    for (size_t i = 0; i < s->nr; i++)
        for (unsigned int k = 0; k < s->list[i]->nr_pieces; k++)
            if ((s->list[i]->access == DEBUG_READ) != hit->stop.write &&
                overlaps(&s->list[i]->pieces[k], hit->stop.addr, hit->stop.size))
                any = s->list[i]->accessed = true;
    return any;
}

bool watches_left(const struct debug_stops *s)
{
    for (size_t i = 0; i < s->nr; i++)
        if (s->list[i]->kind == DEBUG_WATCH && s->list[i]->access != DEBUG_CHANGED && !s->list[i]->accessed)
            return true;
    return false;
}

/* The first of its bytes that are not what they were; false: there are none. */
static bool changed_at(struct host *h, const struct debug_stop *stop, uint64_t *addr)
{
    for (unsigned int k = 0; k < stop->nr_pieces; k++) {
        const struct debug_piece *p = &stop->pieces[k];
        const uint8_t *was, *is;
        uint32_t i = 0;

        if (!p->there)
            continue;
        was = piece_was(stop, p);
        is = piece_is(h, p);
        if (!memcmp(was, is, p->len))
            continue;
        while (was[i] == is[i])
            i++;
        *addr = p->addr + i;
        return true;
    }
    return false;
}

/* Words are told of as they lie: all of it, if it is one, or the one of eight bytes that `addr` is in. */
static void place(struct host *h, const struct debug_stop *stop, uint64_t addr, struct debug_hit *hit)
{
    const uint64_t end = stop->addr + stop->len;

    hit->addr = stop->len <= 8 || (addr & ~UINT64_C(7)) < stop->addr ? stop->addr : addr & ~UINT64_C(7);
    hit->size = (unsigned int)(end - hit->addr < 8 ? end - hit->addr : 8);
    for (unsigned int k = 0; k < stop->nr_pieces; k++) {
        const struct debug_piece *p = &stop->pieces[k];

        for (unsigned int i = 0; i < hit->size; i++) {
            const uint64_t at = hit->addr + i - p->addr;

            if (!p->there || at >= p->len)
                continue;
            memcpy((uint8_t *)&hit->old + i, piece_was(stop, p) + at, 1);
            memcpy((uint8_t *)&hit->new + i, piece_is(h, p) + at, 1);
        }
    }
}

static void remember(struct host *h, const struct debug_stop *stop)
{
    for (unsigned int k = 0; k < stop->nr_pieces; k++)
        if (stop->pieces[k].there)
            memcpy(piece_was(stop, &stop->pieces[k]), piece_is(h, &stop->pieces[k]), stop->pieces[k].len);
}

void watches_look(struct debug_stops *s, const struct debug_by *by,
                  void (*fn)(void *data, struct debug_stop *stop, struct debug_hit *hit), void *data)
{
    for (size_t i = 0; i < s->nr; i++) {
        struct debug_stop *stop = s->list[i];
        struct debug_hit hit = { .stop = stop, .by = *by };
        uint64_t addr = stop->addr;
        const bool changed = stop->kind == DEBUG_WATCH && changed_at(s->host, stop, &addr);

        if (stop->access == DEBUG_CHANGED || (by->hypervisor && stop->access == DEBUG_WRITTEN) ? changed
                                                                                               : stop->accessed) {
            place(s->host, stop, addr, &hit);
            if (changed)
                remember(s->host, stop);
            fn(data, stop, &hit);
        } else if (changed) {
            remember(s->host, stop);
        }
        stop->accessed = false;
    }
}
