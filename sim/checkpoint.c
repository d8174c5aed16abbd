// SPDX-License-Identifier: GPL-2.0-or-later
/* Checkpoints of a machine, and going to them: explained in sim/checkpoint.h, what is kept of them in sim/history.h. */
#include "sim/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/frame.h"
#include "sim/history.h"
#include "sim/ram_hash.h"

/* ---------------------------------------------------------------------------------------------------- on and off -- */

struct history *history_create(struct machine *m, const struct history_config *cfg)
{
    struct history *h = calloc(1, sizeof(*h));

    BUG_ON(m->edges->history || !cfg->limit_mib);
    if (!h)
        return NULL;
    h->m = m;
    h->limit = (size_t)cfg->limit_mib << 20;
    h->arena = arena_changes_create(m->arena, cfg->by_comparing);
    h->saved = table_grow(NULL, 0, m->nr_frames);
    h->hash[0] = table_grow(NULL, 0, m->nr_frames * sizeof(*h->hash[0]));
    m->edges->history = h;
    m->saved = h->saved;
    if (!h->arena || !h->saved || !h->hash[0]) {
        history_destroy(h);
        return NULL;
    }
    return h;
}

static void table_free(void *p, size_t size)
{
    if (p)
        munmap(p, size);
}

void history_destroy(struct history *h)
{
    if (!h)
        return;
    h->m->edges->history = NULL;
    h->m->saved = NULL;
    history_lose(h);
    table_free(h->saved, h->m->nr_frames);
    table_free(h->hash[0], h->m->nr_frames * sizeof(*h->hash[0]));
    table_free(h->hash[1], h->arena_pages * sizeof(*h->hash[1]));
    arena_changes_destroy(h->arena);
    page_store_destroy(&h->store);
    free(h->shared);
    free(h->chain);
    free(h);
}

bool history_by_comparing(const struct history *h) { return !arena_changes_by_kernel(h->arena); }

/* -------------------------------------------------------------------------------------------------------- taking -- */

/* The arena has become larger. */
static bool tables_grow(struct history *h)
{
    const uint64_t was = h->arena_pages, nr = arena_size(h->m->arena) / PAGE_SIZE;
    uint64_t *hash;

    if (nr <= was)
        return true;
    hash = table_grow(h->hash[1], was * sizeof(*hash), nr * sizeof(*hash));
    if (!hash)
        return false;
    h->hash[1] = hash;
    h->arena_pages = nr;
    return true;
}

/* A page of the arena is not what it was at the base. */
static void arena_page_changed(void *data, uint64_t nr, uint8_t *page, uint8_t *copy)
{
    struct history *h = data;

    history_save(h, h->m->nr_frames + nr, copy);
    page_copy(copy, page);
}

static bool note_shared(struct history *h, uint64_t nr)
{
    const size_t cap = h->cap_shared ? 2 * h->cap_shared : 64;
    uint64_t *shared;

    if (h->nr_shared == h->cap_shared) {
        shared = realloc(h->shared, cap * sizeof(*shared));
        if (!shared)
            return false;
        h->shared = shared;
        h->cap_shared = cap;
    }
    h->shared[h->nr_shared++] = nr;
    return true;
}

/*
 * The machine is at a checkpoint, the base: what is written at any time is saved at once, what is written from now on
 * is noticed.
 */
static void begin_interval(struct history *h, bool look_for_shared)
{
    h->lo = h->hi = h->base;
    for (uint64_t nr = 0; look_for_shared && nr < h->m->nr_frames; nr++)
        if (h->m->shares[nr])
            history_save(h, nr, page_host(h, nr));
    for (size_t i = 0; i < h->nr_shared; i++)
        history_save(h, h->shared[i], page_host(h, h->shared[i]));
    h->nr_shared = 0;
    machine_arm_stores(h->m);
}

static struct checkpoint_info here(const struct history *h)
{
    return (struct checkpoint_info){
        .at = h->m->at, .now = machine_now(h->m), .hash = h->sum[0] + h->sum[1], .hash_ram = h->sum[0]
    };
}

static void hash_frame(void *data, mfn_t mfn, const uint8_t *page)
{
    struct history *h = data;

    h->hash[0][mfn_x(mfn)] = page_hash(mfn_x(mfn), page);
    h->sum[0] += h->hash[0][mfn_x(mfn)];
}

/* Nothing is known yet: all pages are looked at. */
static void take_first(struct history *h)
{
    if (!arena_changes_find(h->arena, arena_page_changed, h) || !tables_grow(h))
        return;
    madvise(h->hash[0], h->m->nr_frames * sizeof(uint64_t), MADV_DONTNEED); /* zero */
    h->sum[0] = h->sum[1] = 0;
    for_each_data_frame(h->m, hash_frame, h);
    for (uint64_t nr = 0; nr < h->arena_pages; nr++) {
        h->hash[1][nr] = page_hash(h->m->nr_frames + nr, arena_changes_copy(h->arena, nr));
        h->sum[1] += h->hash[1][nr];
    }
    history_begin(h, here(h));
    h->nr_shared = 0;
    begin_interval(h, true);
}

static bool same_position(struct position a, struct position b) { return a.insns == b.insns && a.step == b.step; }

/*
 * What has changed since the base: pages of the arena are added, those dropped that are as they were, hashes made.
 * Frames that were stored to and are as they were stay: that there was a store is worth knowing.
 */
static bool collect(struct history *h)
{
    const bool nothing = same_position(h->chain[h->base].info.at, h->m->at);
    bool noted = true, packed = true;
    size_t n = 0;

    if (!tables_grow(h) || !arena_changes_find(h->arena, arena_page_changed, h))
        return false;
    for (size_t i = 0; i < h->open.nr; i++) {
        struct saved_page *p = &h->open.pages[i];
        const uint64_t hash = page_hash(p->nr, page_host(h, p->nr));

        if (!page_kind(h, p->nr)) {
            h->saved[p->nr] = 0;
            noted &= !h->m->shares[p->nr] || note_shared(h, p->nr);
        }
        if ((nothing || page_kind(h, p->nr)) && hash == p->hash &&
            page_equal(saved_page_contents(p), page_host(h, p->nr))) {
            saved_page_drop(h, p);
            continue;
        }
        packed &= saved_page_pack(h, p);
        h->sum[page_kind(h, p->nr)] += hash - p->hash;
        *page_hash_at(h, p->nr) = hash;
        h->open.pages[n++] = *p;
    }
    h->open.nr = n;
    page_list_sort(&h->open);
    return noted && packed;
}

/* Those between the base and here were not stopped at, or are not there any more. */
static void pass(struct history *h)
{
    while (h->base + 1 < h->nr && position_is_before(h->chain[h->base + 1].info.at, h->m->at))
        if (h->base + 2 == h->nr || !history_remove(h, h->base + 1))
            history_drop_after(h, h->base);
}

/* False: no memory. */
static bool take_next(struct history *h, struct divergence *d, bool *as_known)
{
    const struct checkpoint_info info = here(h);

    pass(h);
    if (!h->open.nr && same_position(h->chain[h->base].info.at, h->m->at))
        return true;
    if (h->base + 1 < h->nr && same_position(h->chain[h->base + 1].info.at, h->m->at)) {
        *as_known = history_is_as_known(h, d);
        if (*as_known) {
            history_reach(h);
            return true;
        }
        history_drop_after(h, h->base);
    }
    return history_insert(h, &info);
}

bool checkpoint_take(struct history *h, struct divergence *d)
{
    bool as_known = true;

    BUG_ON(h->m->frames_open);
    pcpu_sync(h->m);
    if (h->nr && !collect(h))
        history_lose(h);
    if (!h->nr || !take_next(h, d, &as_known))
        take_first(h);
    else
        begin_interval(h, false);
    return as_known;
}

/* --------------------------------------------------------------------------------------------------------- going -- */

static void arena_page_back(void *data, uint64_t nr, uint8_t *page, uint8_t *copy) { page_copy(page, copy); }

/* The machine has changed a page by our hands. */
static void was_put(struct history *h, uint64_t nr)
{
    if (page_kind(h, nr))
        page_copy(arena_changes_copy(h->arena, nr - h->m->nr_frames), page_host(h, nr));
    else
        frame_restored(h->m, _mfn(nr));
}

/* To the base: what the machine has done since is gone. */
static void undo(struct history *h)
{
    for (size_t i = 0; i < h->open.nr; i++) {
        struct saved_page *p = &h->open.pages[i];

        page_copy(page_host(h, p->nr), saved_page_contents(p));
        h->saved[p->nr] = 0;
        was_put(h, p->nr);
    }
    page_list_clear(h, &h->open);
    BUG_ON(!arena_changes_find(h->arena, arena_page_back, h));
}

/* What an entry keeps, for what these lines of the page are now. False: no memory to keep that. */
static bool exchange_page(struct history *h, struct saved_page *p)
{
    uint8_t *const page = page_host(h, p->nr);
    uint64_t *hash = page_hash_at(h, p->nr);
    const uint64_t before = *hash;
    bool kept = true;

    if (!p->bytes && p->lines && before) {
        p->bytes = lines_alloc(h, p->lines);
        kept = p->bytes;
        if (kept)
            lines_get(p->bytes, p->lines, page);
        lines_put(page, p->lines, NULL);
    } else if (p->bytes) {
        lines_swap(page, p->lines, p->bytes);
    }
    if (!before) { /* the page was zero */
        lines_free(h, p->lines, p->bytes);
        p->bytes = NULL;
    }
    if (p->lines)
        was_put(h, p->nr);
    *hash = p->hash;
    p->hash = before;
    h->sum[page_kind(h, p->nr)] += *hash - before;
    return kept;
}

/* Over the interval behind the base, or in front of it, to its other end. */
static void exchange(struct history *h, bool forward)
{
    bool kept = true;

    h->base -= !forward;
    for (size_t i = 0; i < h->chain[h->base].list.nr; i++)
        kept &= exchange_page(h, &h->chain[h->base].list.pages[i]);
    if (!kept && !forward)
        history_drop_after(h, h->base);
    h->base += forward;
    while (!kept && forward && h->base)
        history_drop_first(h);
}

void checkpoint_go(struct history *h, size_t i)
{
    const bool forward = i > h->base;

    BUG_ON(i >= h->nr || h->m->frames_open);
    undo(h);
    for (size_t left = forward ? i - h->base : h->base - i; left; left--)
        exchange(h, forward);
    history_fit(h, forward);
    arena_restored(h->m->arena);
    pcpu_forget(h->m);
    begin_interval(h, true);
}
