// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * History: what pages were, at one position of a run after the other. For sim/ alone; others see sim/checkpoint.h.
 *
 * Concept: a checkpoint is a position, and the pages that differ between it and the next one. One chain of such
 * intervals works both ways: of what lies behind, an interval holds what its pages were at its beginning, of what lies
 * ahead, what they were at its end. To go over one is to exchange its pages with those of the machine.
 *
 *      checkpoint     0          1          2          3          4
 *                     |----------|----------|----------|----------|
 *      interval            0          1     ^    2          3
 *      holds           pages as they were   |   pages as they will be
 *                      at the beginning     |   at the end
 *                                        the base; since it the machine may have run on:
 *                                           |~~~~> `open`: what pages that changed were at the base
 *
 * What lies ahead is known once one has gone back. It stays known while the machine runs over it again, so that it can
 * be compared with, and be gone to without running.
 *
 * Most of what is stored to is a few lines (sim/page_store.h) of a page. So `open` has pages as they were, whole; when
 * the interval's end is known, only lines that are another there are kept of each. (A page that was all zero needs
 * nothing at first.) Both ends agree in all others, so to exchange a page is to exchange these.
 *
 * Pages have one numbering: machine frames, and behind them the pages of the arena. Those of frames are saved before
 * the first store to them (frame_changes()), those of the arena when a checkpoint is taken (sim/arena_changes.h).
 *
 * There is a limit to what is kept. When it is reached, a checkpoint is removed, and its two intervals become one; of
 * a line that is in both, one of two contents is kept. Which one: a gap of the chain may be half as long as it is far
 * away, so the near past is dense and the far one has few. What still does not fit is forgotten at the beginning.
 *
 * An interval also has the frames that were stored to and are at its end what they were at its beginning: so it tells
 * of each frame whether anybody stored to it at all.
 *
 * Invariants: `saved` of a frame is set if and only if it is in `open`; a frame that is shared (sim/frame.h) is always
 * in `open`, but during a checkpoint; an interval has each page at most once, in order; hash[] and the sums are those
 * of the base; pages in `open` are whole, but when a checkpoint is taken, others are not; outside of checkpoint_go()
 * history_used() is not above the limit.
 */
#ifndef SIM_HISTORY_H
#define SIM_HISTORY_H

#include "sim/arena_changes.h"
#include "sim/checkpoint.h"
#include "sim/page_store.h"

struct saved_page {
    uint64_t nr;
    uint64_t hash;  /* of the page at the one end of the interval */
    lines_t lines;  /* these are, perhaps, another at its other end; */
    uint8_t *bytes; /* what they are; NULL: zero */
    bool whole;     /* bytes are the whole page, of the store */
};

struct page_list {
    struct saved_page *pages;
    size_t nr, cap;
};

struct checkpoint {
    struct checkpoint_info info;
    struct page_list list; /* of the interval behind it */
};

struct history {
    struct machine *m;
    size_t limit, listed; /* bytes; entries of all lists, */
    size_t packed;        /* and bytes of those that are not whole */
    struct page_store store;
    struct arena_changes *arena;
    struct checkpoint *chain;
    size_t nr, cap; /* nr 0: it has not begun, or nothing could be kept; then nothing is saved, nor is any hash right */
    size_t base;    /* of the chain; the machine is there, or has gone on from there */
    size_t lo, hi;  /* the base, and while something is done with them its neighbours: not to be removed */
    uint8_t *saved; /* a byte a frame */
    uint64_t *hash[2];    /* of each frame, of each page of the arena */
    uint64_t arena_pages; /* how many of the latter */
    uint64_t sum[2];      /* of these */
    struct page_list open;
    uint64_t *shared; /* frames, for a moment */
    size_t nr_shared, cap_shared;
};

/* Which half of the numbering a page is in: 0 a frame, 1 the arena. */
static inline unsigned int page_kind(const struct history *h, uint64_t nr) { return nr >= h->m->nr_frames; }
static inline uint8_t *page_host(const struct history *h, uint64_t nr)
{
    return nr < h->m->nr_frames ? h->m->ram + nr * PAGE_SIZE
                                : (uint8_t *)arena_base(h->m->arena) + (nr - h->m->nr_frames) * PAGE_SIZE;
}
static inline uint64_t *page_hash_at(const struct history *h, uint64_t nr)
{
    return nr < h->m->nr_frames ? &h->hash[0][nr] : &h->hash[1][nr - h->m->nr_frames];
}

/* Page nr, which had these contents at the base, is in `open` from now on, if it is not yet. */
void history_save(struct history *h, uint64_t nr, const uint8_t *bytes);
/* After a journey: if more is in use than may be, forget some of where it came from. */
void history_fit(struct history *h, bool forward);
/* What an entry of `open` stands for. */
static inline const uint8_t *saved_page_contents(const struct saved_page *p) { return p->bytes ? p->bytes : page_zero; }
/* Room for these lines; NULL: no memory. And back. */
uint8_t *lines_alloc(struct history *h, lines_t lines);
void lines_free(struct history *h, lines_t lines, uint8_t *kept);
/* Of an entry of `open`, keep only lines in which the page is another now. False: no memory. */
bool saved_page_pack(struct history *h, struct saved_page *p);
/* Contents of an entry that is no longer wanted; of a whole list. */
void saved_page_drop(struct history *h, struct saved_page *p);
void page_list_clear(struct history *h, struct page_list *l);
/* In order of page numbers, in no more memory than needed. */
void page_list_sort(struct page_list *l);

/* NULL: page nr is not in this list, which is in order. */
struct saved_page *page_list_find(const struct page_list *l, uint64_t nr);

/* Nothing of what was can be kept: history begins anew. */
void history_lose(struct history *h);
/* The first checkpoint, if there is memory. */
void history_begin(struct history *h, struct checkpoint_info info);
/* `open`, in order, is the way back to the base: a checkpoint here, in front of what lies ahead. False: all is lost. */
bool history_insert(struct history *h, const struct checkpoint_info *info);
/* Likewise: the next checkpoint ahead has been reached by running. */
void history_reach(struct history *h);
/* Remove checkpoint i, which has two neighbours. False: no memory. */
bool history_remove(struct history *h, size_t i);
/* Forget the first checkpoint, which is not the base; forget what lies ahead of checkpoint i. */
void history_drop_first(struct history *h);
void history_drop_after(struct history *h, size_t i);

/*
 * checkpoint_look.c: is the machine, which has come here from the base and whose changes are all in `open`, what the
 * next checkpoint says?
 */
bool history_is_as_known(const struct history *h, struct divergence *d);

#endif
