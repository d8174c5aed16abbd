// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chain of checkpoints, and what is kept of each: explained in sim/history.h.
 *
 * Budget: entries, their lists and the chain of these, none of which is of use without the others.
 */
#include "sim/history.h"

#include <stdlib.h>
#include <string.h>

#include "sim/frame.h"

static bool reclaim(struct history *h);

/* -------------------------------------------------------------------------------------------------- lists, pages -- */

uint64_t history_used(const struct history *h)
{
    return h->store.in_use * PAGE_SIZE + h->packed + h->listed * sizeof(struct saved_page) +
           h->nr * sizeof(struct checkpoint);
}

static bool make_room(struct history *h, size_t bytes)
{
    while (history_used(h) + bytes > h->limit)
        if (!reclaim(h))
            return false;
    return true;
}

uint8_t *lines_alloc(struct history *h, lines_t lines)
{
    uint8_t *kept = malloc(lines_size(lines));

    h->packed += kept ? lines_size(lines) : 0;
    return kept;
}

void lines_free(struct history *h, lines_t lines, uint8_t *kept)
{
    h->packed -= kept ? lines_size(lines) : 0;
    free(kept);
}

static void contents_drop(struct history *h, struct saved_page *p)
{
    if (p->whole && p->bytes)
        page_store_put(&h->store, p->bytes);
    else
        lines_free(h, p->lines, p->bytes);
    p->bytes = NULL;
}

void saved_page_drop(struct history *h, struct saved_page *p)
{
    contents_drop(h, p);
    h->listed--;
}

bool saved_page_pack(struct history *h, struct saved_page *p)
{
    const lines_t lines = lines_differ(saved_page_contents(p), page_host(h, p->nr));
    uint8_t *kept = NULL;

    if (p->bytes && lines) {
        kept = lines_alloc(h, lines);
        if (!kept)
            return false;
        lines_get(kept, lines, p->bytes);
    }
    contents_drop(h, p);
    p->lines = lines;
    p->bytes = kept;
    p->whole = false;
    return true;
}

/*
 * An entry has these lines of another as well: the page's at the other entry's end, and at this one's, where no line is
 * another that this entry does not have. False: no memory.
 */
static bool saved_page_widen(struct history *h, struct saved_page *p, const struct saved_page *by)
{
    const lines_t lines = p->lines | by->lines;
    _Alignas(uint64_t) uint8_t page[PAGE_SIZE];
    uint8_t *kept = NULL;

    if (lines == p->lines)
        return true;
    if (p->bytes || by->bytes) {
        kept = lines_alloc(h, lines);
        if (!kept)
            return false;
        lines_put(page, by->lines, by->bytes);
        lines_put(page, p->lines, p->bytes);
        lines_get(kept, lines, page);
    }
    lines_free(h, p->lines, p->bytes);
    p->lines = lines;
    p->bytes = kept;
    return true;
}

void page_list_clear(struct history *h, struct page_list *l)
{
    for (size_t i = 0; i < l->nr; i++)
        saved_page_drop(h, &l->pages[i]);
    free(l->pages);
    *l = (struct page_list){ 0 };
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = ((const struct saved_page *)a)->nr, y = ((const struct saved_page *)b)->nr;

    return (x > y) - (x < y);
}

void page_list_sort(struct page_list *l)
{
    struct saved_page *fitting;

    if (!l->nr)
        return;
    qsort(l->pages, l->nr, sizeof(*l->pages), by_number);
    fitting = realloc(l->pages, l->nr * sizeof(*l->pages));
    if (fitting) {
        l->pages = fitting;
        l->cap = l->nr;
    }
}

struct saved_page *page_list_find(const struct page_list *l, uint64_t nr)
{
    const struct saved_page key = { .nr = nr };

    return l->nr ? bsearch(&key, l->pages, l->nr, sizeof(key), by_number) : NULL;
}

static bool list_reserve(struct page_list *l, size_t nr)
{
    size_t cap = l->cap ? l->cap : 64;
    struct saved_page *pages;

    if (nr <= l->cap)
        return true;
    while (cap < nr)
        cap *= 2;
    pages = realloc(l->pages, cap * sizeof(*pages));
    if (!pages)
        return false;
    l->pages = pages;
    l->cap = cap;
    return true;
}

static bool list_add(struct history *h, struct page_list *l, struct saved_page p)
{
    if (!make_room(h, sizeof(p)) || !list_reserve(l, l->nr + 1))
        return false;
    l->pages[l->nr++] = p;
    h->listed++;
    return true;
}

/* An entry of `open`, for a page with these contents. */
static bool add_whole(struct history *h, struct saved_page p, const uint8_t *page)
{
    p.whole = true;
    if (p.hash) {
        p.bytes = make_room(h, PAGE_SIZE) ? page_store_get(&h->store) : NULL;
        if (!p.bytes)
            return false;
        page_copy(p.bytes, page);
    }
    if (list_add(h, &h->open, p))
        return true;
    contents_drop(h, &p);
    return false;
}

/* The same as entry p, which is not whole. */
static bool add_same(struct history *h, struct page_list *l, struct saved_page p)
{
    const uint8_t *bytes = p.bytes;

    if (bytes) {
        p.bytes = make_room(h, lines_size(p.lines)) ? lines_alloc(h, p.lines) : NULL;
        if (!p.bytes)
            return false;
        memcpy(p.bytes, bytes, lines_size(p.lines));
    }
    if (list_add(h, l, p))
        return true;
    contents_drop(h, &p);
    return false;
}

void history_save(struct history *h, uint64_t nr, const uint8_t *bytes)
{
    const bool frame = nr < h->m->nr_frames;

    if (!h->nr || (frame && h->saved[nr]))
        return;
    if (!add_whole(h, (struct saved_page){ .nr = nr, .hash = *page_hash_at(h, nr) }, bytes))
        history_lose(h);
    else if (frame)
        h->saved[nr] = 1;
}

void history_save_frame(struct machine *m, mfn_t mfn)
{
    history_save(m->edges->history, mfn_x(mfn), page_host(m->edges->history, mfn_x(mfn)));
}

/* ----------------------------------------------------------------------------------------------------- the chain -- */

static void chain_delete(struct history *h, size_t i)
{
    memmove(&h->chain[i], &h->chain[i + 1], (h->nr - i - 1) * sizeof(*h->chain));
    h->nr--;
    h->base -= i < h->base;
    h->hi -= i < h->hi;
    h->lo -= i < h->lo;
}

void history_drop_first(struct history *h)
{
    BUG_ON(!h->base);
    page_list_clear(h, &h->chain[0].list);
    chain_delete(h, 0);
}

void history_drop_after(struct history *h, size_t i)
{
    while (h->nr > i + 1)
        page_list_clear(h, &h->chain[--h->nr].list);
    page_list_clear(h, &h->chain[i].list);
}

void history_lose(struct history *h)
{
    for (size_t i = 0; i < h->open.nr; i++)
        if (h->open.pages[i].nr < h->m->nr_frames)
            h->saved[h->open.pages[i].nr] = 0;
    page_list_clear(h, &h->open);
    while (h->nr)
        page_list_clear(h, &h->chain[--h->nr].list);
    h->base = h->lo = h->hi = 0;
}

/* Entries of pages in both lists have all lines that either has. That alone changes nothing. */
static bool widen(struct history *h, struct page_list *keep, const struct page_list *other)
{
    for (size_t i = 0, j = 0; i < keep->nr && j < other->nr;) {
        const uint64_t a = keep->pages[i].nr, b = other->pages[j].nr;

        if (a == b && !saved_page_widen(h, &keep->pages[i], &other->pages[j]))
            return false;
        i += a <= b;
        j += b <= a;
    }
    return true;
}

/* Two intervals, one behind the other, become one: of lines in both, the contents in `keep` stay. */
static bool merge(struct history *h, struct page_list *keep, struct page_list *other)
{
    struct page_list both = { 0 };
    size_t i = 0, j = 0;

    if (!widen(h, keep, other) || !list_reserve(&both, keep->nr + other->nr))
        return false;
    while (i < keep->nr || j < other->nr) {
        const uint64_t a = i < keep->nr ? keep->pages[i].nr : UINT64_MAX;
        const uint64_t b = j < other->nr ? other->pages[j].nr : UINT64_MAX;

        both.pages[both.nr++] = a <= b ? keep->pages[i] : other->pages[j];
        if (a == b)
            saved_page_drop(h, &other->pages[j]);
        i += a <= b;
        j += b <= a;
    }
    free(keep->pages);
    free(other->pages);
    *other = (struct page_list){ 0 };
    *keep = both;
    return true;
}

bool history_remove(struct history *h, size_t i)
{
    struct page_list *before = &h->chain[i - 1].list, *after = &h->chain[i].list;
    const bool behind = i < h->base;

    BUG_ON(!i || i + 1 >= h->nr || i == h->base);
    if (!(behind ? merge(h, before, after) : merge(h, after, before)))
        return false;
    if (!behind)
        *before = *after;
    chain_delete(h, i);
    return true;
}

static bool chain_reserve(struct history *h)
{
    const size_t cap = h->cap ? 2 * h->cap : 64;
    struct checkpoint *chain;

    if (!make_room(h, sizeof(*h->chain)))
        return false;
    if (h->nr < h->cap)
        return true;
    chain = realloc(h->chain, cap * sizeof(*chain));
    if (!chain)
        return false;
    h->chain = chain;
    h->cap = cap;
    return true;
}

void history_begin(struct history *h, struct checkpoint_info info)
{
    BUG_ON(h->nr);
    if (!chain_reserve(h))
        return;
    h->chain[0] = (struct checkpoint){ .info = info };
    h->nr = 1;
}

/* Is the machine's page already what it is at the entry's end? */
static bool saved_page_is(const struct history *h, const struct saved_page *p)
{
    _Alignas(uint64_t) uint8_t page[PAGE_SIZE];

    if (p->hash != *page_hash_at(h, p->nr))
        return false;
    page_copy(page, page_host(h, p->nr));
    lines_put(page, p->lines, p->bytes);
    return page_equal(page, page_host(h, p->nr));
}

/*
 * The machine stands between the base and the checkpoint ahead of it. What is in the interval between them becomes
 * *ahead, what lies between here and there: what will be another there than at the base; and what has changed since the
 * base, and will be again as it was. Pages of the arena that are already as they will be are not in it.
 */
static bool split(struct history *h, struct page_list *ahead)
{
    struct page_list *l;
    size_t n = 0;

    for (size_t i = 0; i < h->open.nr; i++)
        if (!add_same(h, ahead, h->open.pages[i]))
            return false;
    l = &h->chain[h->base].list; /* the chain may have become shorter */
    if (!merge(h, l, ahead))
        return false;
    for (size_t i = 0; i < l->nr; i++) {
        struct saved_page *p = &l->pages[i];

        if (page_kind(h, p->nr) && saved_page_is(h, p))
            saved_page_drop(h, p);
        else
            l->pages[n++] = *p;
    }
    l->nr = n;
    *ahead = *l;
    *l = (struct page_list){ 0 };
    return true;
}

bool history_insert(struct history *h, const struct checkpoint_info *info)
{
    struct page_list ahead = { 0 };
    struct checkpoint *c;

    h->hi = h->base + (h->base + 1 < h->nr);
    if (!chain_reserve(h) || (h->hi > h->base && !split(h, &ahead))) {
        page_list_clear(h, &ahead);
        history_drop_after(h, h->base);
    }
    h->hi = h->base;
    if (!chain_reserve(h)) {
        history_lose(h);
        return false;
    }
    c = &h->chain[h->base + 1];
    memmove(c + 1, c, (h->nr - h->base - 1) * sizeof(*c));
    *c = (struct checkpoint){ .info = *info, .list = ahead };
    h->nr++;
    h->chain[h->base].list = h->open;
    h->open = (struct page_list){ 0 };
    h->base = h->lo = h->hi = h->base + 1;
    return true;
}

void history_reach(struct history *h)
{
    page_list_clear(h, &h->chain[h->base].list);
    h->chain[h->base].list = h->open;
    h->open = (struct page_list){ 0 };
    h->base = h->lo = h->hi = h->base + 1;
}

/* ------------------------------------------------------------------------------------------------------ thinning -- */

static uint64_t distance(uint64_t a, uint64_t b) { return a < b ? b - a : a - b; }

/* Without checkpoint i: how long would the gap be, and how far away is it? */
static uint64_t gap_without(const struct history *h, size_t i)
{
    return distance(h->chain[i - 1].info.at.insns, h->chain[i + 1].info.at.insns);
}

static uint64_t away(const struct history *h, size_t i)
{
    return distance(h->m->at.insns, h->chain[i].info.at.insns) + 1;
}

/* The one that will be missed least: the shortest gap, by how far away it is. 0: none may be removed. */
static size_t least(const struct history *h)
{
    size_t best = 0;

    for (size_t i = 1; i + 1 < h->nr; i++) {
        if ((i >= h->lo && i <= h->hi) || h->chain[i].info.pinned)
            continue;
        if (!best ||
            (unsigned __int128)gap_without(h, i) * away(h, best) < (unsigned __int128)gap_without(h, best) * away(h, i))
            best = i;
    }
    return best;
}

/* Remove a checkpoint where they are denser than they should be. False: they are not. */
static bool thin(struct history *h)
{
    const size_t i = least(h);

    return i && gap_without(h, i) <= away(h, i) / 2 && history_remove(h, i);
}

/* Make room. False: only what is held is left. */
static bool reclaim(struct history *h)
{
    size_t i;

    if (thin(h))
        return true;
    if (h->lo && !h->chain[0].info.pinned) {
        history_drop_first(h);
        return true;
    }
    i = least(h);
    if (i && history_remove(h, i))
        return true;
    if (h->lo) {
        history_drop_first(h);
        return true;
    }
    if (h->hi + 1 < h->nr) {
        history_drop_after(h, h->nr - 2);
        return true;
    }
    return false;
}

void history_fit(struct history *h, bool forward)
{
    h->lo = h->hi = h->base;
    while (history_used(h) > h->limit && (forward ? h->base : h->base + 1 < h->nr)) {
        if (thin(h))
            continue;
        if (forward)
            history_drop_first(h);
        else
            history_drop_after(h, h->nr - 2);
    }
}
