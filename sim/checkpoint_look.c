// SPDX-License-Identifier: GPL-2.0-or-later
/* What there is to be seen of checkpoints, and whether a state is what it was: explained in sim/checkpoint.h. */
#include "sim/history.h"
#include "sim/ram_hash.h"

/* ------------------------------------------------------------------------------------------------------- looking -- */

size_t history_nr(const struct history *h) { return h->nr; }

struct checkpoint_info history_info(const struct history *h, size_t i)
{
    BUG_ON(i >= h->nr);
    return h->chain[i].info;
}

size_t history_base(const struct history *h)
{
    BUG_ON(!h->nr);
    return h->base;
}

size_t history_find(const struct history *h, struct position at)
{
    size_t i = 0, n = h->nr;

    while (i < n) { /* the first one behind it is in [i, n] */
        const size_t half = i + (n - i) / 2;

        if (position_is_before(at, h->chain[half].info.at))
            n = half;
        else
            i = half + 1;
    }
    return i ? i - 1 : HISTORY_NONE;
}

bool history_next(const struct history *h, struct position *at)
{
    if (h->base + 1 >= h->nr)
        return false;
    *at = h->chain[h->base + 1].info.at;
    return true;
}

void checkpoint_pin(struct history *h, size_t i, bool pinned)
{
    BUG_ON(i >= h->nr);
    h->chain[i].info.pinned = pinned;
}

void history_forget_ahead(struct history *h)
{
    if (h->nr)
        history_drop_after(h, h->base);
}

bool checkpoint_frame_stored(const struct history *h, size_t i, mfn_t mfn)
{
    return i + 1 >= h->nr || page_list_find(&h->chain[i].list, mfn_x(mfn));
}

uint64_t history_hash_ram(const struct history *h)
{
    uint64_t sum = h->sum[0];

    if (!h->nr)
        return machine_hash_ram(h->m);
    for (size_t i = 0; i < h->open.nr; i++)
        sum += page_hash(h->open.pages[i].nr, page_host(h, h->open.pages[i].nr)) - h->open.pages[i].hash;
    return sum;
}

/* ----------------------------------------------------------------------------------------------------- comparing -- */

struct finding_block {
    const uint8_t *at;
    const uint8_t *start;
    const char *place;
};

static void find_block(void *data, const void *p, size_t size, const char *place)
{
    struct finding_block *f = data;

    if ((const uint8_t *)p <= f->at && f->at < (const uint8_t *)p + size) {
        f->start = p;
        f->place = place;
    }
}

/* Page nr of the machine is not what was expected. */
__attribute__((no_sanitize_address)) static void describe(const struct history *h, struct divergence *d, uint64_t nr,
                                                          const uint8_t *expected)
{
    const uint8_t *page = page_host(h, nr);
    struct finding_block f = { .start = page };

    *d = (struct divergence){ .at = h->m->at, .in_ram = !page_kind(h, nr), .mfn = INVALID_MFN };
    while (d->offset < PAGE_SIZE - 1 && page[d->offset] == expected[d->offset])
        d->offset++;
    if (!d->in_ram) {
        f.at = page + d->offset;
        arena_blocks(h->m->arena, find_block, &f);
        d->offset = (unsigned int)(f.at - f.start);
        d->place = f.place;
        return;
    }
    d->mfn = _mfn(nr);
}

/* What has changed since the base is as it was there, but for what is another at the next checkpoint. */
bool history_is_as_known(const struct history *h, struct divergence *d)
{
    const struct page_list *l = &h->chain[h->base].list, *open = &h->open;
    _Alignas(uint64_t) uint8_t expected[PAGE_SIZE];

    for (size_t i = 0, j = 0; i < l->nr || j < open->nr;) {
        const uint64_t a = i < l->nr ? l->pages[i].nr : UINT64_MAX, b = j < open->nr ? open->pages[j].nr : UINT64_MAX;
        const uint64_t nr = a <= b ? a : b;

        page_copy(expected, page_host(h, nr));
        if (b <= a)
            lines_put(expected, open->pages[j].lines, open->pages[j].bytes);
        if (a <= b)
            lines_put(expected, l->pages[i].lines, l->pages[i].bytes);
        if (!page_equal(expected, page_host(h, nr))) {
            describe(h, d, nr, expected);
            return false;
        }
        i += a <= b;
        j += b <= a;
    }
    return true;
}

/* -------------------------------------------------------------------------------------------------------- trying -- */

struct checking {
    const struct history *h;
    struct divergence *d;
    bool whole;
};

static void check_page(struct checking *c, uint64_t nr, const uint8_t *at_the_base)
{
    if (!c->whole || page_hash(nr, at_the_base) == *page_hash_at(c->h, nr))
        return;
    c->whole = false;
    describe(c->h, c->d, nr, page_zero);
}

static void check_frame(void *data, mfn_t mfn, const uint8_t *page)
{
    struct checking *c = data;

    if (!c->h->saved[mfn_x(mfn)])
        check_page(c, mfn_x(mfn), page);
}

bool history_is_whole(const struct history *h, struct divergence *d)
{
    struct checking c = { h, d, true };

    BUG_ON(!h->nr);
    for_each_data_frame(h->m, check_frame, &c);
    for (size_t i = 0; i < h->open.nr; i++)
        check_page(&c, h->open.pages[i].nr, saved_page_contents(&h->open.pages[i]));
    for (uint64_t nr = 0; nr < h->arena_pages; nr++)
        check_page(&c, h->m->nr_frames + nr, arena_changes_copy(h->arena, nr));
    return c.whole;
}
