// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An observer's breakpoints and watches (sim/observe.h): the engine's part.
 *
 * Concept: both use what the guests' own are built from (debug.c), and so cost nothing where nothing hits.
 *
 * Breakpoints. A block ends in front of such an address, and one that begins there leaves at once (count.c). Those of
 * the guests keep to families of blocks, since other vCPUs do not have them; the observer's are in all families. So
 * when the set changes, the blocks that an address is in are looked for, and what was translated of their frames is
 * dropped. To go on, the instruction is executed in a block in which nothing breaks.
 *
 * Watches. `frames` tells which frames are watched, and how. A page of such a frame is marked "watched" when it comes
 * into the TLB; accesses through it come here, in front of all that they do, with their linear addresses, which are
 * translated without a trace. A hit leaves by a #DB, as a hit of a guest's own breakpoint does, and is taken for what
 * it is when the exit is looked at. A walk that is about to set an accessed or dirty bit comes here, too. An
 * instruction may have stored a part of its operand by then, or set such a bit: stores are noted, and those of the
 * instruction that is left are undone. So that the first part is seen of an operand that reaches into a watched page,
 * its neighbours are marked like it.
 *
 * Invariants: no block but those in which nothing breaks has a breakpoint of the set behind its beginning, and one that
 * begins there leaves; the TLB has no entry of a watched page that is not marked.
 */
#include "sim/observe.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/engine/block.h"
#include "sim/engine/private.h"
#include "sim/walk.h"

enum { WATCH_READ = 1, WATCH_WRITE = 2 }; /* as Unicorn's BP_MEM_READ and BP_MEM_WRITE */

/* --------------------------------------------------------------------------------------------------- breakpoints -- */

static int by_address(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The frames of blocks in which something has changed. */
struct dropping {
    const uint64_t *changed;
    size_t nr_changed;
    uint64_t *frames;
    size_t nr, room;
    bool all; /* too many, or no memory */
};

#define DROP_MANY 4096

static void drop_frame(struct dropping *d, uint64_t phys)
{
    if (d->nr && d->frames[d->nr - 1] == phys >> PAGE_SHIFT)
        return;
    if (d->nr == DROP_MANY || !d->frames)
        d->all = true;
    else
        d->frames[d->nr++] = phys >> PAGE_SHIFT;
}

static int look_at_block(void *key, void *block, void *data)
{
    struct dropping *d = data;
    const uint8_t *tb = block;
    uint64_t pc, page;
    uint16_t size;
    size_t i;

    memcpy(&pc, tb + TB_PC, sizeof(pc));
    memcpy(&size, tb + TB_SIZE, sizeof(size));
    i = emu_first_from(d->changed, d->nr_changed, pc);
    if (i == d->nr_changed || d->changed[i] - pc >= size)
        return 0;
    memcpy(&page, tb + TB_PAGE, sizeof(page)); /* with its first page's blocks go all that are in two */
    drop_frame(d, page);
    return d->all;
}

/* Drop the blocks that contain one of these addresses. */
static void drop_blocks(struct emu *e, const uint64_t *changed, size_t n)
{
    struct dropping d = { .changed = changed, .nr_changed = n, .frames = malloc(DROP_MANY * sizeof(*d.frames)) };
    struct emu *outer = emu_running;

    if (!n || !e->count.tcg) {
        free(d.frames);
        return;
    }
    emu_running = e;
    tcg_tb_foreach_x86_64(e->count.tcg, look_at_block, &d);
    emu_running = outer;
    for (size_t i = 0; i < d.nr && !d.all; i++)
        emu_smc_invalidate(e, d.frames[i]);
    if (d.all)
        e->smc.buffer_full = true; /* everything, before the next block */
    free(d.frames);
}

/* What is in one of two sorted arrays and not in both; returns how many. */
static size_t difference(uint64_t *to, const uint64_t *a, size_t na, const uint64_t *b, size_t nb)
{
    size_t n = 0, i = 0, j = 0;

    while (i < na || j < nb) {
        if (i < na && j < nb && a[i] == b[j]) {
            i++;
            j++;
        } else if (j == nb || (i < na && a[i] < b[j])) {
            to[n++] = a[i++];
        } else {
            to[n++] = b[j++];
        }
    }
    return n;
}

int machine_break_set(struct machine *m, const uint64_t *addr, size_t n)
{
    struct emu *e = m->edges->code->emu;
    struct emu_observe *o = &e->observe;
    uint64_t *breaks = malloc((n + 1) * sizeof(*breaks)), *old = o->breaks;
    uint64_t *changed = malloc((n + o->nr_breaks + 1) * sizeof(*changed));
    size_t unique = 0, nr_changed;

    if (!breaks || !changed) {
        free(breaks);
        free(changed);
        return -ENOMEM;
    }
    if (n)
        memcpy(breaks, addr, n * sizeof(*breaks));
    qsort(breaks, n, sizeof(*breaks), by_address);
    for (size_t i = 0; i < n; i++)
        if (!unique || breaks[unique - 1] != breaks[i])
            breaks[unique++] = breaks[i];
    nr_changed = difference(changed, breaks, unique, old, o->nr_breaks);
    o->breaks = breaks;
    o->nr_breaks = unique;
    o->changed = true;
    drop_blocks(e, changed, nr_changed);
    free(changed);
    free(old);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- watches -- */

static bool overlaps(const struct machine_watch *w, uint64_t addr, uint64_t size)
{
    return w->len && addr < w->addr + w->len && w->addr < addr + size;
}

/* Is this access in machine memory, within one frame, one that is watched? */
static bool is_watched(const struct emu *e, uint64_t phys, uint64_t size, bool write)
{
    const struct emu_observe *o = &e->observe;

    if (phys >> PAGE_SHIFT >= e->m->nr_frames || !(o->frames[phys >> PAGE_SHIFT] & (write ? WATCH_WRITE : WATCH_READ)))
        return false;
    for (size_t i = 0; i < o->nr_watches; i++)
        if ((write ? o->watches[i].write : o->watches[i].read) && overlaps(&o->watches[i], phys, size))
            return true;
    return false;
}

/* These bytes are about to change. */
static void note(struct emu *e, uint8_t *to, uint64_t size, bool walk, uintptr_t host_pc)
{
    struct emu_done *d = &e->observe.done[e->observe.nr_done++ % EMU_DONE_MANY];

    if (!to)
        return;
    *d = (struct emu_done){
        .at_insn = emu_count_block_end(e), .host_pc = host_pc, .to = to, .size = (uint8_t)size, .walk = walk
    };
    memcpy(&d->was, to, size);
}

/* What the instruction has done already that is about to be left in front of: it will be done again. */
static void undo(struct emu *e, uintptr_t host_pc)
{
    struct emu_observe *o = &e->observe;
    const uint64_t end = emu_count_block_end(e), undone = emu_count_undone(e, host_pc);
    bool walk = false;

    for (unsigned int n = 0; n < EMU_DONE_MANY && o->nr_done; n++) {
        const struct emu_done *d = &o->done[--o->nr_done % EMU_DONE_MANY];

        if (!d->to || d->at_insn != end || emu_count_undone(e, d->host_pc) != undone)
            break;
        memcpy(d->to, &d->was, d->size);
        walk |= d->walk;
    }
    o->nr_done = 0;
    if (walk) { /* the TLB knows those bits to be set */
        e->tlb.gone.all = true;
        emu_tlb_flush(e);
    }
}

/* Leave in front of the instruction that is about to do this. May return: it was a reason to stop already. */
static void stop_at(struct emu *e, struct CPUX86State *env, uint64_t phys, uint64_t size, bool write, uintptr_t host_pc)
{
    if (emu_count_resumes(e, host_pc))
        return;
    undo(e, host_pc);
    e->observe.stopped = true;
    e->observe.hit = (struct sim_exit){ .kind = EXIT_STOP };
    e->observe.hit.stop.why = STOP_WATCH;
    e->observe.hit.stop.write = write;
    e->observe.hit.stop.size = (uint8_t)size;
    e->observe.hit.stop.addr = phys;
    raise_exception_err_ra_x86_64(env, TRAP_debug, 0, host_pc);
}

/* Where an access of the loaded vCPU goes to in the machine. False: it faults. */
static bool leads(struct emu *e, uint64_t addr, uint32_t access, uint64_t *phys)
{
    struct nested_walk n;
    struct page_walk w;

    if (e->nested.on) {
        emu_nested_look(e, addr, access, &n);
        *phys = n.phys;
        return n.result == NESTED_OK;
    }
    if (!emu_walk(e, *raw_cr(&e->raw, 3), addr, &w) || !page_walk_allows(&w, access))
        return false;
    *phys = w.phys;
    return true;
}

void emu_observe_access(struct emu *e, struct CPUX86State *env, uint64_t addr, uint64_t size, uint32_t access,
                        uintptr_t host_pc)
{
    const bool write = access & PFEC_write_access;
    const uint64_t in_page = PAGE_SIZE - PAGE_OFFSET(addr), first = size < in_page ? size : in_page;
    uint64_t phys[2];

    if (!leads(e, addr, access, &phys[0]) || (first < size && !leads(e, addr + first, access, &phys[1])))
        return;
    if (is_watched(e, phys[0], first, write))
        stop_at(e, env, phys[0], size, write, host_pc);
    else if (first < size && is_watched(e, phys[1], size - first, write))
        stop_at(e, env, phys[1], size, write, host_pc);
    if (!write)
        return;
    note(e, emu_phys(e, phys[0]), first, false, host_pc);
    if (first < size)
        note(e, emu_phys(e, phys[1]), size - first, false, host_pc);
}

void emu_observe_walk(struct emu *e, struct CPUX86State *env, uint64_t addr, uint32_t access, uintptr_t host_pc)
{
    uint64_t next = *raw_cr(&e->raw, 3), rights = _PAGE_RW | _PAGE_USER;

    if (!is_canonical(addr))
        return;
    for (unsigned int level = 4; level > 0; level--) {
        const uint64_t at = (next & PTE_MFN_MASK) + pte_index(addr, level) * sizeof(uint64_t);
        uint8_t *entry = emu_phys(e, at);
        uint64_t due = _PAGE_ACCESSED;
        bool leaf;

        if (!entry)
            return;
        memcpy(&next, entry, sizeof(next));
        if (!(next & _PAGE_PRESENT))
            return;
        rights &= next;
        leaf = level == 1 || (level < 4 && next & _PAGE_PSE);
        if (leaf && access & (PFEC_write_access | PFEC_user_mode) & ~rights)
            return; /* it faults */
        if (leaf && access & PFEC_write_access)
            due |= _PAGE_DIRTY;
        if ((next & due) != due && is_watched(e, at, sizeof(next), true))
            stop_at(e, env, at, sizeof(next), true, host_pc);
        if ((next & due) != due)
            note(e, entry, sizeof(next), true, host_pc);
        if (leaf)
            return;
    }
}

void emu_observe_nested(struct emu *e, struct CPUX86State *env, const struct nested_walk *w, uintptr_t host_pc)
{
    for (unsigned int i = 0; i < w->nr; i++)
        if (w->step[i].set) {
            if (is_watched(e, w->step[i].phys, w->step[i].size, true))
                stop_at(e, env, w->step[i].phys, w->step[i].size, true, host_pc);
            note(e, emu_phys(e, w->step[i].phys), w->step[i].size, true, host_pc);
        }
}

int emu_observe_page(struct emu *e, uint64_t addr)
{
    uint64_t phys;
    int how = 0;

    if (!e->observe.nr_watches)
        return 0;
    for (int64_t page = -1; page <= 1; page++)
        if (leads(e, addr + (uint64_t)page * PAGE_SIZE, 0, &phys) && phys >> PAGE_SHIFT < e->m->nr_frames)
            how |= e->observe.frames[phys >> PAGE_SHIFT];
    return how;
}

/* Which frames it is in. */
static void mark_frames(const struct machine *m, uint8_t *frames, const struct machine_watch *w)
{
    const uint64_t end = m->nr_frames << PAGE_SHIFT;
    uint64_t last;

    if (!w->len || w->addr >= end)
        return;
    last = w->len - 1 < end - 1 - w->addr ? w->addr + (w->len - 1) : end - 1;
    for (uint64_t f = w->addr >> PAGE_SHIFT; f <= last >> PAGE_SHIFT; f++)
        frames[f] |= (uint8_t)((w->read ? WATCH_READ : 0) | (w->write ? WATCH_WRITE : 0));
}

int machine_watch_set(struct machine *m, const struct machine_watch *watch, size_t n)
{
    struct emu *e = m->edges->code->emu;
    struct emu_observe *o = &e->observe;
    struct machine_watch *watches = malloc((n + 1) * sizeof(*watches));
    uint8_t *frames = calloc(m->nr_frames, 1);

    if (!watches || !frames) {
        free(watches);
        free(frames);
        return -ENOMEM;
    }
    if (n)
        memcpy(watches, watch, n * sizeof(*watches));
    for (size_t i = 0; i < n; i++)
        mark_frames(m, frames, &watches[i]);
    free(o->watches);
    free(o->frames);
    o->watches = watches;
    o->nr_watches = n;
    o->frames = frames;
    o->changed = true;
    e->tlb.gone.all = true; /* its entries are marked, or not */
    emu_tlb_flush(e);
    return 0;
}

void emu_observe_destroy(struct emu *e)
{
    free(e->observe.breaks);
    free(e->observe.watches);
    free(e->observe.frames);
}
