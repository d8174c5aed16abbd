// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checkpoints: the state of a machine at positions of its run, to which it can be brought back.
 *
 * Concept: all that a run can change is RAM and the arena, pages of memory. So the state at a position is what these
 * pages were, and a machine goes there by having them put back; it does not know. What its pages were is kept in a
 * history (sim/history.h explains how), of those only that changed from one checkpoint to the next.
 *
 *      history_create()
 *      run, checkpoint_take(), run, checkpoint_take(), ...     every so many instructions, between two steps
 *      checkpoint_go()                                         to any of them, back or forward
 *      run, checkpoint_take()                                  over known ground: is it as it was?
 *
 * Checkpoints belong to positions (machine.at). Where one is already, another is not made, but compared: a run that is
 * repeated and differs is a mistake of this program, and the first page that differs says whose. So whoever runs over
 * known ground stops at history_next(). One that differs takes the place of the one that was known, and of all behind.
 *
 * Not part of the state, and as they are: the history itself, what the engine has translated (of frames that change it
 * is dropped), and whatever lies neither in RAM nor in the arena.
 *
 * Two hashes. One of all pages, for comparing states within a process: pages of the arena hold addresses, some of which
 * differ from process to process. One of RAM alone, the same in each (sim/ram_hash.h).
 */
#ifndef SIM_CHECKPOINT_H
#define SIM_CHECKPOINT_H

#include "sim/machine.h"

struct history;

struct history_config {
    unsigned int limit_mib; /* at least 1; for pages that are kept: the arena's copy and 9 bytes a frame come on top */
    bool by_comparing;      /* find changed pages of the arena in the slow way, as under an old kernel */
};

/*
 * Begin a history of m, which has none; it is empty until the first checkpoint. NULL: no memory. To be destroyed before
 * the machine. Harmless for NULL.
 */
struct history *history_create(struct machine *m, const struct history_config *cfg);
void history_destroy(struct history *h);
/* Is the slow way in use? The machine's user should be told. */
bool history_by_comparing(const struct history *h);

struct checkpoint_info {
    struct position at;
    s_time_t now;
    uint64_t hash;     /* of all pages */
    uint64_t hash_ram; /* of RAM: machine_hash_ram() there */
    bool pinned;       /* checkpoint_pin() */
};

/* Checkpoints are numbered from 0, by position, until a checkpoint is taken or gone to, or the machine runs. */
size_t history_nr(const struct history *h);
struct checkpoint_info history_info(const struct history *h, size_t i);
/* The one that the machine is at, or has gone on from. There must be one. */
size_t history_base(const struct history *h);
/* The last one at or before a position, or HISTORY_NONE: history begins later. */
#define HISTORY_NONE SIZE_MAX
size_t history_find(const struct history *h, struct position at);
/* Position of the next one ahead; false: unknown ground lies ahead. */
bool history_next(const struct history *h, struct position *at);
/* Bytes in use, of the limit. */
uint64_t history_used(const struct history *h);

/* What differs, when the same position was reached with another state. */
struct divergence {
    struct position at;
    bool in_ram;
    mfn_t mfn;           /* in_ram: the first frame that differs */
    unsigned int offset; /* the first byte in it, or in the block of the arena */
    const char *place;   /* who allocated that block; NULL: the arena's own */
};

/*
 * The machine as it is becomes a checkpoint at m->at. No guest may be running. False: it is not what it was here
 * before, and *d says where.
 */
bool checkpoint_take(struct history *h, struct divergence *d);
/*
 * The machine becomes what it was at checkpoint i. It is history's new base. If there is not enough room (the limit) to
 * remember what lies ahead, that is forgotten; going forward, what lies behind.
 */
void checkpoint_go(struct history *h, size_t i);
/* Do not remove it when room is needed, unless there is no other left. */
void checkpoint_pin(struct history *h, size_t i, bool pinned);
/* The future will be another one: forget all checkpoints ahead. */
void history_forget_ahead(struct history *h);

/*
 * May anybody have stored to the frame between checkpoint i and the next one? If not, nobody has; behind the last one
 * nothing is known.
 */
bool checkpoint_frame_stored(const struct history *h, size_t i, mfn_t mfn);

/* machine_hash_ram(), quickly. */
uint64_t history_hash_ram(const struct history *h);
/* Has every change since the base been noticed? Looks at all of RAM and the arena. For tests. */
bool history_is_whole(const struct history *h, struct divergence *d);

#endif
