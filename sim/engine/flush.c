// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flushing the engine's TLB: what has to go, and no more.
 *
 * Concept: a flush forgets what may have changed. A PV guest's page tables are changed by the hypervisor alone, which
 * tells of each mapping that is gone (machine_mapping_gone()); and a new root has the kernel's half of the old one,
 * mostly. So a flush takes out what leads to those frames, and with another root the lower half: what is left is what a
 * walk would find again, A and D bits included. A mapping that was never used (A is clear) is in no TLB. To look
 * through a whole TLB takes longer than a flush is worth, so the addresses that it was filled for are noted, up to
 * EMU_FILLED_MANY.
 *
 *      told of                               at the next flush goes
 *      nothing                               nothing
 *      mappings of single frames             what leads to them, by whatever address
 *      a new root, upper halves alike        the lower half of TLB 1, TLB 0
 *      more, or a hypervisor that is silent  everything
 *
 * Invariant: between flushes an entry agrees with the tables under its root, or its frame is noted, or everything is
 * (machine_tlb_agrees(), which mmu_audit() asks). Where jumps lead to in a frame is forgotten with it: if it holds code
 * when it is noted, or any gets some after.
 */
#include "sim/engine/private.h"
#include "sim/engine/tlb.h"
#include "sim/walk.h"

#define TLB_SIZE   1024 /* entries of TLB 0 and TLB 1, at least */
#define UPPER_HALF (UINT64_C(1) << 63)

/* ------------------------------------------------------------------------------------------------------ flushing -- */

/*
 * The library makes a table as small as what was in use between two flushes: after a few dozen system calls that is so
 * small that two pages, of a stack and of a heap, throw each other out all the time. So it is told of more: to double
 * (over 70 % in use), or to stay (30 %).
 */
static void keep_large(struct emu *e)
{
    for (unsigned int tlb = 0; tlb < 2; tlb++) {
        const size_t n = entries(e, tlb), wanted = n < TLB_SIZE ? n : n * 3 / 10 + 1;
        size_t most;

        memcpy(&most, desc(e, tlb) + TLB_DESC_MOST, sizeof(most));
        if (most < wanted)
            memcpy(desc(e, tlb) + TLB_DESC_MOST, &wanted, sizeof(wanted));
    }
}

static void flush_all(struct emu *e)
{
    if (e->tlb.two)
        keep_large(e);
    uc_ctl_flush_tlb(e->uc);
    e->tlb.other = EMU_NO_ROOT;
    e->tlb.filled.nr = 0;
}

static bool is_gone(const struct emu *e, uint64_t frame)
{
    return e->tlb.gone.frames[frame % EMU_GONE_BITS / 64] >> frame % 64 & 1;
}

void emu_tlb_filled(struct emu *e, uint64_t addr)
{
    if (e->tlb.filled.nr < EMU_FILLED_MANY)
        e->tlb.filled.page[e->tlb.filled.nr++] = addr & PAGE_MASK;
}

/*
 * What is to be taken out: what leads to frames whose mappings are gone, and the lower half if that is of another root.
 */
struct taking {
    struct emu *e;
    uint16_t tlbs; /* a bit each: of these */
    bool lower;
    uint64_t victims[NR_TLBS * NR_VICTIMS]; /* pages of those that stay */
    unsigned int nr_victims;
};

/* Look at an entry, which may be one of a page in use. True: it stays. */
static bool stays(struct taking *t, unsigned int tlb, uint8_t *entry)
{
    const uint64_t page = page_of(entry);
    size_t used;

    if (page == NO_PAGE)
        return false;
    if (!(t->lower && !(page & UPPER_HALF)) && !is_gone(t->e, phys_of(entry) >> PAGE_SHIFT))
        return true;
    memset(entry, 0xff, ENTRY_SIZE);
    memcpy(&used, desc(t->e, tlb) + TLB_DESC_USED, sizeof(used));
    used--;
    memcpy(desc(t->e, tlb) + TLB_DESC_USED, &used, sizeof(used));
    return false;
}

static void take_out_victims(struct taking *t)
{
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++)
        for (unsigned int i = 0; i < NR_VICTIMS && (t->tlbs >> tlb & 1); i++)
            if (stays(t, tlb, victim_at(t->e, tlb, i)))
                t->victims[t->nr_victims++] = page_of(victim_at(t->e, tlb, i));
}

/* Does anything of this page stay? */
static bool page_stays(struct taking *t, uint64_t page)
{
    bool any = false;

    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        uint8_t *entry = entry_at(t->e, tlb, page);

        any |= (t->tlbs >> tlb & 1) && page_of(entry) == page && stays(t, tlb, entry);
    }
    for (unsigned int i = 0; i < t->nr_victims && !any; i++)
        any = t->victims[i] == page;
    return any;
}

/* Few pages are known of: look at these, and drop those of which nothing stays. */
static void take_out_filled(struct taking *t)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < t->e->tlb.filled.nr; i++)
        if (page_stays(t, t->e->tlb.filled.page[i]))
            t->e->tlb.filled.page[n++] = t->e->tlb.filled.page[i];
    t->e->tlb.filled.nr = n;
}

/* Look at everything, and note what stays. */
static void take_out_all(struct taking *t)
{
    t->e->tlb.filled.nr = 0;
    for (unsigned int i = 0; i < t->nr_victims; i++)
        emu_tlb_filled(t->e, t->victims[i]);
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        const size_t n = t->tlbs >> tlb & 1 ? entries(t->e, tlb) : 0;

        for (size_t i = 0; i < n; i++) {
            uint8_t *entry = fast(t->e, tlb)->table + i * ENTRY_SIZE;

            if (stays(t, tlb, entry))
                emu_tlb_filled(t->e, page_of(entry));
        }
    }
}

static void take_out(struct emu *e, uint16_t tlbs, bool lower)
{
    struct taking t = { .e = e, .tlbs = tlbs, .lower = lower };

    take_out_victims(&t);
    if (e->tlb.filled.nr < EMU_FILLED_MANY)
        take_out_filled(&t);
    else
        take_out_all(&t);
}

static bool same_upper_half(struct emu *e, uint64_t root, uint64_t other)
{
    const uint8_t *a = emu_phys(e, root), *b = emu_phys(e, other);

    return a && b && !memcmp(a + PAGE_SIZE / 2, b + PAGE_SIZE / 2, PAGE_SIZE / 2);
}

static void flush_gone(struct emu *e, bool new_root)
{
    uint16_t full;

    if (!new_root && !e->tlb.gone.nr)
        return;
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    take_out(e, new_root ? full & ~1u : full, new_root); /* TLB 0 goes, then */
    if (!new_root && !e->tlb.gone.code)
        return;
    keep_large(e);
    e->real.tlb_flush_by_mmuidx(e->smc.cpu, new_root); /* TLB 0, or none; and where jumps lead */
    e->lookup.flushes[0]++;
    e->lookup.flushes[1] += e->tlb.gone.code;
    if (new_root)
        e->tlb.other = EMU_NO_ROOT;
}

/* All that is gone since the last flush is noted. */
static bool is_told(const struct emu *e)
{
    return e->tlb.two && e->m->tells_of_mappings && !e->tlb.gone.all && e->tlb.root != EMU_NO_ROOT;
}

bool emu_tlb_code_gone(const struct emu *e) { return !is_told(e) || e->tlb.gone.code; }

static void nothing_gone(struct emu *e)
{
    if (e->tlb.gone.nr)
        memset(e->tlb.gone.frames, 0, sizeof(e->tlb.gone.frames));
    e->tlb.gone.nr = 0;
    e->tlb.gone.all = e->tlb.gone.code = false;
}

void emu_tlb_forget(struct emu *e)
{
    struct emu *outer = emu_running;

    emu_running = e;
    flush_all(e);
    emu_running = outer;
    e->tlb.root = EMU_NO_ROOT;
    nothing_gone(e);
}

void emu_tlb_flush(struct emu *e)
{
    const uint64_t root = *raw_cr(&e->raw, 3);
    struct emu *outer = emu_running;

    emu_running = e;
    if (!is_told(e) || (root != e->tlb.root && !same_upper_half(e, root, e->tlb.root)))
        flush_all(e);
    else
        flush_gone(e, root != e->tlb.root);
    emu_running = outer;
    e->tlb.root = root;
    nothing_gone(e);
}

void machine_mapping_gone(struct machine *m, mfn_t mfn)
{
    struct emu *e = m->edges->code ? m->edges->code->emu : NULL;

    if (!e || e->tlb.gone.all)
        return;
    e->tlb.gone.code |= !mfn_valid(m, mfn) || e->code.has_code[mfn_x(mfn)];
    e->tlb.gone.frames[mfn_x(mfn) % EMU_GONE_BITS / 64] |= UINT64_C(1) << mfn_x(mfn) % 64;
    if (++e->tlb.gone.nr > EMU_GONE_MANY)
        e->tlb.gone.all = true;
}

void machine_mappings_gone(struct machine *m)
{
    if (m->edges->code)
        m->edges->code->emu->tlb.gone.all = true;
}

void machine_root_gone(struct machine *m, mfn_t root)
{
    const uint64_t addr = mfn_x(root) << PAGE_SHIFT;

    if (m->edges->code && (m->edges->code->emu->tlb.root == addr || m->edges->code->emu->tlb.other == addr))
        m->edges->code->emu->tlb.gone.all = true;
}

bool emu_tlb_flush_page(struct emu *e, uint64_t addr)
{
    struct emu *outer = emu_running;

    if (!e->smc.cpu)
        return false;
    if (is_told(e) && !e->tlb.gone.nr)
        return true; /* it agrees with the page tables as it is */
    emu_running = e;
    tlb_flush_page_x86_64(e->smc.cpu, addr & PAGE_MASK);
    emu_running = outer;
    return true;
}

/* ------------------------------------------------------------------------------------------------------ checking -- */

static bool is_filled(const struct emu *e, uint64_t page)
{
    for (unsigned int i = 0; i < e->tlb.filled.nr; i++)
        if (e->tlb.filled.page[i] == page)
            return true;
    return e->tlb.filled.nr == EMU_FILLED_MANY;
}

static bool entry_agrees(struct emu *e, unsigned int tlb, const uint8_t *entry)
{
    const uint64_t page = page_of(entry), phys = phys_of(entry);
    struct page_walk w;
    uint64_t write;

    if (page == NO_PAGE)
        return true;
    if (!is_filled(e, page))
        return false;
    if (is_gone(e, phys >> PAGE_SHIFT))
        return true;
    memcpy(&write, entry + ENTRY_WRITE, sizeof(write));
    return emu_walk(e, tlb ? e->tlb.root : e->tlb.other, page, &w) && w.phys == (phys & PAGE_MASK) &&
           (write == ~UINT64_C(0) || (w.rights & _PAGE_RW && w.leaf & _PAGE_DIRTY)) &&
           (tlb == 2 || w.rights & _PAGE_USER);
}

bool machine_tlb_agrees(struct machine *m)
{
    struct emu *e = m->edges->code ? m->edges->code->emu : NULL;
    uint16_t full;

    if (!e || !is_told(e))
        return true;
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        if (!(full >> tlb & 1) || (!tlb && e->tlb.other == EMU_NO_ROOT))
            continue;
        for (unsigned int i = 0; i < NR_VICTIMS; i++)
            if (!entry_agrees(e, tlb, victim_at(e, tlb, i)))
                return false;
        for (size_t i = 0; i < entries(e, tlb); i++)
            if (!entry_agrees(e, tlb, fast(e, tlb)->table + i * ENTRY_SIZE))
                return false;
    }
    return true;
}
