// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interpreter's memory: from linear addresses to the machine's RAM.
 *
 * Concept: each access is a two-dimensional walk (sim/nested.h), of up to 24 entries. So translations are kept, as
 * hardware's TLB keeps them, apart for reading, writing and fetching: one that was only read has not set D.
 *
 *      tlb[access][page mod 256]    tag: the page, and kernel or user    ->    where it is in RAM
 *
 * A real TLB may go on with what is no longer in the tables, until INVLPG. This one may not, for then it would be seen
 * how often it was emptied on the way: frames that tables are in are marked, and a store to one empties it.
 */
#include "mmu/guest_access.h"
#include "sim/frame.h"
#include "sim/nested.h"
#include "vcpu/five/interp.h"

#include <string.h>

static const uint32_t pfec[INTERP_ACCESSES] = { [INTERP_WRITE] = PFEC_write_access, [INTERP_FETCH] = PFEC_insn_fetch };

void interp_flush(struct interp *i)
{
    memset(i->s->tlb, 0, sizeof(i->s->tlb));
    memset(i->s->tables, 0, sizeof(i->s->tables));
}

static unsigned int table_bit(uint64_t mfn)
{
    return (mfn ^ mfn >> 12) % (64 * ARRAY_SIZE(((struct interp_store *)0)->tables));
}

/* The walk, and what it is if it fails. */
static bool walk(struct interp *i, uint64_t va, enum interp_access access, bool stack, struct nested_walk *w)
{
    const uint32_t how = pfec[access] | (i->r->cpl == 3 ? PFEC_user_mode : 0);

    if (i->r->efer & EFER_LMA && !is_canonical(va))
        return interp_exception(i, stack ? X86_EXC_SS : X86_EXC_GP, 0);
    switch (hvm_walk(i->v, va, how, w)) {
    case NESTED_OK: return true;
    case NESTED_PF:
        interp_exception(i, X86_EXC_PF, w->error_code);
        i->x.exception.addr = va;
        return false;
    case NESTED_NPF:
        interp_leave(i, EXIT_NPF, 0);
        i->x.npf.gpa = w->gpa;
        i->x.npf.error_code = w->error_code;
        i->x.npf.table = w->table;
        return false;
    }
    BUG();
}

static const uint8_t *fill(struct interp *i, uint64_t va, enum interp_access access, bool stack, struct interp_page *e,
                           uint64_t tag)
{
    struct nested_walk w;

    if (!walk(i, va, access, stack, &w))
        return NULL;
    for (unsigned int n = 0; n < w.nr; n++) {
        const unsigned int bit = table_bit(PFN_DOWN(w.step[n].phys));

        i->s->tables[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    e->tag = tag;
    e->host = mfn_to_virt(i->m, _mfn(PFN_DOWN(w.phys)));
    return e->host;
}

const uint8_t *interp_page(struct interp *i, uint64_t va, enum interp_access access, bool stack)
{
    const uint64_t tag = (va & PAGE_MASK) | (i->r->cpl == 3 ? 2 : 1);
    struct interp_page *e = &i->s->tlb[access][va >> PAGE_SHIFT & (INTERP_TLB - 1)];

    return e->tag == tag ? e->host : fill(i, va, access, stack, e, tag);
}

/* To a page that was found; if it is a table, what was found by way of it is forgotten. */
static void write(struct interp *i, const uint8_t *page, unsigned int at, const void *bytes, unsigned int n)
{
    const mfn_t mfn = virt_to_mfn(i->m, page);
    const unsigned int bit = table_bit(mfn_x(mfn));

    memcpy((uint8_t *)frame_write_begin(i->m, mfn) + at, bytes, n);
    frame_write_end(i->m, mfn);
    if (i->s->tables[bit / 64] >> bit % 64 & 1)
        interp_flush(i);
}

/* In the parts that lie in two pages; each is there before one is written. */
static bool split(struct interp *i, uint64_t va, unsigned int size, uint64_t *val, enum interp_access access,
                  bool stack)
{
    const unsigned int first = PAGE_SIZE - PAGE_OFFSET(va);
    uint8_t *const bytes = (uint8_t *)val;
    const uint8_t *low = interp_page(i, va, access, stack), *high;

    if (!low)
        return false;
    high = interp_page(i, i->r->efer & EFER_LMA ? va + first : (uint32_t)(va + first), access, stack);
    if (!high)
        return false;
    if (access == INTERP_READ) {
        memcpy(bytes, low + PAGE_OFFSET(va), first);
        memcpy(bytes + first, high, size - first);
        return true;
    }
    write(i, low, PAGE_OFFSET(va), bytes, first);
    write(i, high, 0, bytes + first, size - first);
    return true;
}

bool interp_load(struct interp *i, uint64_t va, unsigned int size, uint64_t *val, bool stack)
{
    const uint8_t *page;

    *val = 0;
    if (PAGE_OFFSET(va) + size > PAGE_SIZE)
        return split(i, va, size, val, INTERP_READ, stack);
    page = interp_page(i, va, INTERP_READ, stack);
    if (!page)
        return false;
    memcpy(val, page + PAGE_OFFSET(va), size);
    return true;
}

bool interp_store(struct interp *i, uint64_t va, unsigned int size, uint64_t val, bool stack)
{
    const uint8_t *page;

    if (PAGE_OFFSET(va) + size > PAGE_SIZE)
        return split(i, va, size, &val, INTERP_WRITE, stack);
    page = interp_page(i, va, INTERP_WRITE, stack);
    if (!page)
        return false;
    write(i, page, PAGE_OFFSET(va), &val, size);
    return true;
}
