// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Self-modifying code: translations must die when the bytes they were made from are written.
 *
 * Concept: the emulator translates guest code once and keeps the result. A store to a frame that holds translated code
 * has to be noticed, through whatever virtual address it comes (Linux patches its own text through an alias). The
 * emulator's TLB can do that: an entry marked "not dirty" sends stores the slow way round, where the translations of
 * the written bytes are dropped. Unicorn 2.1 gets the book-keeping wrong in two ways: after the first such store it
 * marks the entry dirty although other translations remain in the frame, and new translations protect only the one
 * virtual address that they were fetched through.
 *
 * So the functions that keep the books are replaced, with the rule that QEMU itself follows: a frame with code in it is
 * not dirty in any TLB entry.
 *
 * The first store to a frame since it came into the TLB takes the slow way, too, whatever is in the frame: that is how
 * history hears of it (frame_changes()). At a checkpoint all entries are marked anew.
 *
 * What others than guests write comes in by sim/frame.h. Frames that they write at any time are noted when they are
 * translated from, and what was translated is dropped before the next run.
 *
 * Invariant: has_code[f] is set whenever a translation of bytes in frame f exists, and then no TLB entry for f lets a
 * store pass unseen.
 */
#include <sys/mman.h>

#include "sim/engine/emu.h"
#include "sim/engine/private.h"
#include "sim/frame.h"

static bool frame_valid(const struct emu *e, uint64_t frame) { return frame < e->m->nr_frames + EMU_NR_PAGES; }

static uint8_t *frame_host(struct emu *e, uint64_t frame)
{
    return frame < e->m->nr_frames ? e->m->ram + (frame << PAGE_SHIFT)
                                   : e->priv + ((frame - e->m->nr_frames) << PAGE_SHIFT);
}

/* Of an HVM guest, one that the TLB was filled from. */
static bool is_table(const struct emu *e, uint64_t frame)
{
    return e->code.has_code[frame] & (HAS_LEAVES | HAS_TABLES);
}

static uint64_t nr_noted(const struct emu *e) { return e->m->nr_frames + EMU_NR_PAGES; }

/* The first frame from f on of which anything is known, or nr_noted(). */
static uint64_t next_noted(const struct emu *e, uint64_t f)
{
    const uint8_t *known = e->code.has_code;
    uint64_t word;

    for (;;) {
        while (f < nr_noted(e) && !known[f] && f % sizeof(word))
            f++;
        while (f + sizeof(word) <= nr_noted(e) && (memcpy(&word, known + f, sizeof(word)), !word))
            f += sizeof(word);
        while (f < nr_noted(e) && !known[f] && (f + 1) % sizeof(word))
            f++;
        if (f >= nr_noted(e) || known[f])
            return f < nr_noted(e) ? f : nr_noted(e);
        f++;
    }
}

static void note_shared(struct emu *e, uint64_t frame)
{
    if (e->smc.nr_shared < EMU_SHARED_MANY)
        e->smc.shared[e->smc.nr_shared++] = frame;
    else
        e->smc.buffer_full = true; /* of this, too: everything is dropped, soon */
}

/* ------------------------------------------------------------------------------------ in place of Unicorn's own -- */

/* A block was translated from this frame. */
void tlb_protect_code_x86_64(struct uc_struct *uc, uint64_t ram_addr)
{
    struct emu *e = emu_running;
    const uint64_t frame = ram_addr >> PAGE_SHIFT;

    if (!e || !frame_valid(e, frame))
        return;
    e->code.has_code[frame] |= HAS_CODE;
    if (frame < e->m->nr_frames && e->m->shares[frame])
        note_shared(e, frame);
    if (e->smc.cpu)
        tlb_reset_dirty_x86_64(e->smc.cpu, (uintptr_t)frame_host(e, frame), PAGE_SIZE);
}

/* The frame's last block is gone. */
void tlb_unprotect_code_x86_64(struct uc_struct *uc, uint64_t ram_addr)
{
    struct emu *e = emu_running;

    if (e && frame_valid(e, ram_addr >> PAGE_SHIFT))
        e->code.has_code[ram_addr >> PAGE_SHIFT] &= (uint8_t)~HAS_CODE;
}

/* A store took the slow way: drop the blocks it overwrites. May not return, when it overwrites the running block. */
void tb_invalidate_phys_page_fast_x86_64(struct uc_struct *uc, struct page_collection *pages, uint64_t start, int len,
                                         uintptr_t retaddr)
{
    struct emu *e = emu_running;

    if (!e)
        return;
    e->smc.store_frame = start >> PAGE_SHIFT;
    if (e->smc.store_frame < e->m->nr_frames)
        frame_changes(e->m, _mfn(e->smc.store_frame));
    if (e->smc.store_frame < e->m->nr_frames && __builtin_expect(is_table(e, e->smc.store_frame), 0))
        emu_table_store(e, start, (unsigned int)len);
    e->real.tb_invalidate_phys_page_fast(uc, pages, start, len, retaddr);
    emu_count_unmark(e);
}

/* Unicorn's own way of protecting new code, one virtual address. */
void tlb_reset_dirty_by_vaddr_x86_64(struct CPUState *cpu, uint64_t start, uint64_t length) {}

/* ------------------------------------------------------------------------------------------------------ our side -- */

bool emu_smc_init(struct emu *e)
{
    const size_t frames = e->m->nr_frames + EMU_NR_PAGES;

    e->code.emu = e;
    e->smc.buffer_limit = EMU_TB_BUFFER_LIMIT;
    e->code.has_code = mmap(NULL, frames, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (e->code.has_code == MAP_FAILED) {
        e->code.has_code = NULL;
        return false;
    }
    return true;
}

void emu_smc_destroy(struct emu *e)
{
    if (e->code.has_code)
        munmap(e->code.has_code, e->m->nr_frames + EMU_NR_PAGES);
}

void emu_smc_note_block(struct emu *e, uintptr_t tb)
{
    if (!e->smc.buffer_start || tb < e->smc.buffer_start)
        e->smc.buffer_start = tb;
    if (tb - e->smc.buffer_start > e->smc.buffer_limit)
        e->smc.buffer_full = true;
}

void emu_smc_flush_all(struct emu *e)
{
    emu_count_unmark(e);
    uc_ctl_flush_tb(e->uc);
    emu_lookup_forget(e);
    e->smc.buffer_full = false;
    e->smc.nr_shared = 0;
    for (uint64_t f = next_noted(e, 0); f < nr_noted(e); f = next_noted(e, f + 1))
        e->code.has_code[f] &= (uint8_t)~HAS_CODE;
}

void emu_smc_invalidate(struct emu *e, uint64_t frame)
{
    struct emu *outer = emu_running;

    if (!frame_valid(e, frame) || !(e->code.has_code[frame] & HAS_CODE))
        return;
    emu_running = e;
    tb_invalidate_phys_page_range_x86_64((struct uc_struct *)e->uc, frame << PAGE_SHIFT, (frame + 1) << PAGE_SHIFT);
    e->code.has_code[frame] &= (uint8_t)~HAS_CODE;
    emu_running = outer;
}

void machine_code_part_written(struct machine *m, mfn_t mfn, unsigned int offset, unsigned int n)
{
    struct emu *e = m->edges->code->emu, *outer = emu_running;
    const uint64_t start = (mfn_x(mfn) << PAGE_SHIFT) + offset;

    if (is_table(e, mfn_x(mfn)))
        e->tlb.gone.all = true;
    if (!(e->code.has_code[mfn_x(mfn)] & HAS_CODE))
        return;
    emu_running = e;
    tb_invalidate_phys_page_range_x86_64((struct uc_struct *)e->uc, start, start + n);
    emu_running = outer;
}

void emu_smc_drop_shared(struct emu *e)
{
    while (e->smc.nr_shared)
        emu_smc_invalidate(e, e->smc.shared[--e->smc.nr_shared]);
}

void emu_smc_forget(struct emu *e)
{
    for (uint64_t f = next_noted(e, 0); f < e->m->nr_frames; f = next_noted(e, f + 1))
        if (e->m->shares[f])
            emu_smc_invalidate(e, f);
}

void machine_arm_stores(struct machine *m)
{
    struct emu *e = m->edges->code ? m->edges->code->emu : NULL;

    if (e && e->smc.cpu)
        tlb_reset_dirty_x86_64(e->smc.cpu, (uintptr_t)m->ram, m->nr_frames << PAGE_SHIFT);
}

void machine_code_written(struct machine *m, mfn_t mfn)
{
    struct emu *e = m->edges->code->emu;

    emu_smc_invalidate(e, mfn_x(mfn));
    if (is_table(e, mfn_x(mfn)))
        e->tlb.gone.all = true;
}

bool emu_smc_may_set_dirty(const struct emu *e)
{
    return !frame_valid(e, e->smc.store_frame) || !e->code.has_code[e->smc.store_frame];
}
