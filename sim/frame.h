// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames are written in one way.
 *
 * Concept: guests' stores to machine RAM are the engine's affair: it sees each of them, and drops what it had
 * translated of the code that is overwritten. The stores of everybody else (the hypervisor, native code, the toolstack)
 * it does not see. So mfn_to_virt() is for reading only, and whoever writes comes through here:
 *
 *      uint8_t *page = frame_write_begin(m, mfn);
 *      ...                                             any number of stores to the page
 *      frame_write_end(m, mfn);                        from here on: the frame has changed
 *
 * Some frames are written by whoever keeps a pointer to them, at any time that no guest runs: shared_info and
 * vcpu_info, event arrays, grant tables, what native code has mapped of others. They are declared as shared for that
 * long. A guest may have code in such a frame, too: what was translated of it is dropped each time before a guest runs,
 * which is slow, and right.
 *
 *      void *page = frame_share(m, mfn);               a further user who keeps the pointer
 *      frame_unshare(m, mfn);                          it is no longer in use
 *
 * Who wants to know which frames change (sim/history.h) hears of it before the first store: frame_changes(), which the
 * engine calls for the stores of guests. A frame that is shared may change at any time.
 *
 * Who wants to know which were written since some moment has them logged: a bit a frame, in the arena, set by the same
 * frame_changes(). Of a frame that is shared it is known when it is so no more.
 *
 * Invariants: what a guest executes is what its frame contains; A and D bits, which the processor sets, are the
 * engine's affair as stores are (sim/engine/phys.c). No frame is in the middle of a write when a guest runs.
 *
 * And who keeps a shadow of a frame's contents (mmu/hvm/shadow.h) marks it, and is told which marked frames were
 * written by others: guests cannot, since it has taken their right to.
 *
 * Xen needs none of this, since processors keep what they know of code in step with memory. Its map_domain_page() is
 * the same pair of calls with another purpose, a place to reach a frame at; behind a write comes paging_mark_dirty().
 */
#ifndef SIM_FRAME_H
#define SIM_FRAME_H

#include "sim/machine.h"

/* smc.c: drop the translations of code in this frame, of which there are some; in n bytes of it. For sim/ alone. */
void machine_code_written(struct machine *m, mfn_t mfn);
void machine_code_part_written(struct machine *m, mfn_t mfn, unsigned int offset, unsigned int n);

/* history.c: keep what the frame is, if that has not been done since the last checkpoint. For sim/ alone. */
void history_save_frame(struct machine *m, mfn_t mfn);

/* The frame counts as written: frame_log_begin(). */
static inline void frame_log(struct machine *m, mfn_t mfn)
{
    if (__builtin_expect(m->written != NULL, 0))
        m->written[mfn_x(mfn) / 8] |= (uint8_t)(1u << mfn_x(mfn) % 8);
}

/* Marks, and which of the frames that have one were written. Of one machine; made when the first mark is set. */
#define SHADOWED_QUEUE 64
struct shadowed {
    uint32_t nr, written[SHADOWED_QUEUE];
    uint64_t lost;  /* how often there was no room: any may have been written */
    uint8_t mark[]; /* a byte a frame: 0, or SHADOWED_* */
};
#define SHADOWED      1
#define SHADOWED_BITS 2 /* and A and D are no mere bits in it */

/* -ENOMEM. */
int frame_shadow_init(struct machine *m);
/* frame.c: note it. For frame_written(). */
void frame_shadow_written(struct machine *m, mfn_t mfn);

/* The frame is about to change. For frame_write_begin(), its kin, and the engine. */
static inline void frame_changes(struct machine *m, mfn_t mfn)
{
    if (__builtin_expect(m->saved && !m->saved[mfn_x(mfn)], 0))
        history_save_frame(m, mfn);
    frame_log(m, mfn);
}

/* The frame is as it was once, and so is all else of the machine: no shadow is behind. For sim/checkpoint.c. */
static inline void frame_restored(struct machine *m, mfn_t mfn)
{
    if (__builtin_expect(m->has_code && m->has_code[mfn_x(mfn)], 0))
        machine_code_written(m, mfn);
}

/* Bits of it have changed of which no shadow hears: A and D, in entries of page tables. */
static inline void frame_bits_written(struct machine *m, mfn_t mfn)
{
    frame_restored(m, mfn);
    if (__builtin_expect(m->shadowed && m->shadowed->mark[mfn_x(mfn)] & SHADOWED_BITS, 0))
        frame_shadow_written(m, mfn);
}

/* Others may write to it from now on through page tables of their own: for a shadow it is as good as done. */
static inline void frame_opened(struct machine *m, mfn_t mfn)
{
    if (__builtin_expect(m->shadowed && m->shadowed->mark[mfn_x(mfn)], 0))
        frame_shadow_written(m, mfn);
}

/* An entry of a page table, size 4 or 8, with A and D bits that it did not have. */
void frame_write_bits(struct machine *m, uint64_t phys, uint64_t entry, unsigned int size);

/* The frame has changed. For frame_write_end() and its kin. */
static inline void frame_written(struct machine *m, mfn_t mfn)
{
    frame_bits_written(m, mfn);
    if (__builtin_expect(m->shadowed && m->shadowed->mark[mfn_x(mfn)], 0))
        frame_shadow_written(m, mfn);
}

/* A place to write the frame at, until frame_write_end(). Other frames may be begun in between, and this one again. */
static inline void *frame_write_begin(struct machine *m, mfn_t mfn)
{
    BUG_ON(!mfn_valid(m, mfn));
    m->frames_open++;
    frame_changes(m, mfn);
    return m->ram + (mfn_x(mfn) << PAGE_SHIFT);
}

static inline void frame_write_end(struct machine *m, mfn_t mfn)
{
    BUG_ON(!m->frames_open--);
    frame_written(m, mfn);
}

/* Both, for the word at `at`, which was found by reading: an entry of a page table, mostly. */
static inline void frame_write_u64(struct machine *m, const uint64_t *at, uint64_t val)
{
    const mfn_t mfn = virt_to_mfn(m, at);

    frame_changes(m, mfn);
    *(uint64_t *)(uintptr_t)at = val;
    frame_written(m, mfn);
}

/* Both, for n bytes of the frame: what was translated of code beside them stays. */
void frame_write_part(struct machine *m, mfn_t mfn, unsigned int offset, const void *bytes, unsigned int n);

/*
 * Both, for a whole frame, PAGE_SIZE bytes. As a copy, which whoever looks there sees, but of a frame that was never
 * touched the host need not clear and map a page first.
 */
void frame_fill(struct machine *m, mfn_t mfn, const void *page);

/* A whole frame, read. Where mfn_to_virt() would do as well, but for one that was never touched: it stays so. */
void frame_read(const struct machine *m, mfn_t mfn, void *page);

/*
 * The frame is written at any time from now on, through the pointer returned, until as many calls of frame_unshare().
 */
void *frame_share(struct machine *m, mfn_t mfn);
void frame_unshare(struct machine *m, mfn_t mfn);

/*
 * From here on it is logged which frames are written, by whomever, until as many calls of frame_log_end(). Whatever is
 * logged before the first frame_log_forget() of a frame means nothing. False: no memory.
 */
bool frame_log_begin(struct machine *m);
void frame_log_end(struct machine *m);
/* Was the frame written since it was forgotten? Somebody logs. */
static inline bool frame_logged(const struct machine *m, mfn_t mfn)
{
    return m->written[mfn_x(mfn) / 8] >> mfn_x(mfn) % 8 & 1;
}
/* The frame counts as not written. machine_arm_stores() follows, once for all of them, before a guest runs. */
static inline void frame_log_forget(struct machine *m, mfn_t mfn)
{
    m->written[mfn_x(mfn) / 8] &= (uint8_t) ~(1u << mfn_x(mfn) % 8);
}

/* The pointer again; the frame must be shared. */
static inline void *frame_shared(const struct machine *m, mfn_t mfn)
{
    BUG_ON(!mfn_valid(m, mfn) || !m->shares[mfn_x(mfn)]);
    return m->ram + (mfn_x(mfn) << PAGE_SHIFT);
}

#endif
