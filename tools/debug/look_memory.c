// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking into a machine, see tools/debug/look.h: frames, page tables, memory, code. */
#include "tools/debug/look_private.h"

#include "mmu/guest_access.h"
#include "mmu/hvm/p2m.h"
#include "mmu/m2p.h"
#include "sim/insn.h"
#include "sim/nested.h"
#include "sim/walk.h"

#include <stdlib.h>
#include <string.h>

/* One that was given back, or that nobody has ever had (mmu/page.h: it is all zero). */
static bool frame_is_free(const struct xen *xen, const struct page_info *pg)
{
    return (pg->count_info & PGC_state) == PGC_state_free ||
           (!pg->count_info && !pg->owner && mfn_x(page_to_mfn(xen, pg)) >= FIRMWARE_FRAMES);
}

bool look_frame(struct host *h, mfn_t mfn, struct look_frame *out)
{
    static const char *const types[] = { "none", "l1", "l2", "l3", "l4", "seg_desc", "shared", "writable" };
    const struct xen *xen = host_xen(h);
    const struct page_info *pg;

    if (!mfn_valid(xen->machine, mfn))
        return false;
    pg = mfn_to_page(xen, mfn);
    *out = (struct look_frame){ .mfn = mfn,
                                .free = frame_is_free(xen, pg),
                                .owner = pg->owner ? pg->owner->domain_id : DOMID_INVALID,
                                .type = "none",
                                .count = pg->count_info & PGC_count_mask,
                                .gfn = UINT64_MAX,
                                .xen_heap = pg->count_info & PGC_xen_heap };
    if (out->free)
        return true;
    out->type = types[pg->type_info >> 61];
    out->type_count = pg->type_info & PGT_count_mask;
    out->pinned = pg->type_info & PGT_pinned;
    out->validated = pg->type_info & PGT_validated;
    if (m2p_is_open(xen, mfn))
        out->gfn = xen->m2p[mfn_x(mfn)];
    return true;
}

/* --- all frames --- */

const char *look_frame_kind(unsigned int kind)
{
    static const char *const names[LOOK_FRAME_KINDS] = { "free",     "xen", "none", "writable", "shared",
                                                         "seg_desc", "l1",  "l2",   "l3",       "l4" };

    return kind < LOOK_FRAME_KINDS ? names[kind] : "?";
}

static struct look_frame_cell cell_of(const struct xen *xen, const struct page_info *pg)
{
    static const uint8_t kinds[] = { LOOK_FRAME_NONE, LOOK_FRAME_L1,       LOOK_FRAME_L2,     LOOK_FRAME_L3,
                                     LOOK_FRAME_L4,   LOOK_FRAME_SEG_DESC, LOOK_FRAME_SHARED, LOOK_FRAME_WRITABLE };

    if (frame_is_free(xen, pg))
        return (struct look_frame_cell){ DOMID_INVALID, LOOK_FRAME_FREE };
    if (!pg->owner)
        return (struct look_frame_cell){ DOMID_INVALID, LOOK_FRAME_XEN };
    return (struct look_frame_cell){ pg->owner->domain_id, kinds[pg->type_info >> 61] };
}

/* Where what is of one owner and kind is counted: 1 + its index into of[]; 0: there was none yet. */
typedef uint32_t frames_index[UINT16_MAX + 1][LOOK_FRAME_KINDS];

static struct look_frames_of *count_of(struct look_frames *f, frames_index *index, struct look_frame_cell c, mfn_t mfn)
{
    uint32_t *at = &(*index)[c.owner][c.kind];

    if (!*at && !(f->nr & (f->nr - 1))) { /* a power of two: full */
        struct look_frames_of *of = reallocarray(f->of, f->nr ? 2 * f->nr : 1, sizeof(*of));

        if (!of)
            return NULL;
        f->of = of;
    }
    if (!*at) {
        f->of[f->nr++] = (struct look_frames_of){ .owner = c.owner, .kind = c.kind, .first = mfn };
        *at = (uint32_t)f->nr;
    }
    return &f->of[*at - 1];
}

struct look_frames *look_frames(struct host *h)
{
    const struct xen *xen = host_xen(h);
    const uint64_t nr = xen->machine->nr_frames;
    struct look_frames *f = calloc(1, sizeof(*f));
    frames_index *index = calloc(1, sizeof(*index)); /* what is not used of it costs nothing */
    struct look_frames_of *of = NULL;

    if (!f || !index)
        goto out;
    f->frames = nr;
    f->nr_cells = nr < LOOK_FRAME_CELLS ? nr : LOOK_FRAME_CELLS;
    for (size_t i = 0; i < f->nr_cells; i++) {
        f->cell[i] = (struct look_frame_cell){ DOMID_INVALID, LOOK_FRAME_FREE };
        for (uint64_t mfn = nr * i / f->nr_cells; mfn < nr * (i + 1) / f->nr_cells; mfn++) {
            const struct page_info *pg = &xen->frame_table[mfn];
            const struct look_frame_cell c = cell_of(xen, pg);

            if (!of || of->owner != c.owner || of->kind != c.kind)
                of = count_of(f, index, c, _mfn(mfn));
            if (!of)
                goto out;
            of->frames++;
            of->pinned += !!(c.kind > LOOK_FRAME_XEN && pg->type_info & PGT_pinned);
            if (c.kind > f->cell[i].kind)
                f->cell[i] = c;
        }
    }
    free(index);
    return f;
out:
    free(index);
    look_frames_free(f);
    return NULL;
}

void look_frames_free(struct look_frames *f)
{
    if (f)
        free(f->of);
    free(f);
}

/* --- addresses --- */

/* Through an HVM guest's own tables, whose addresses are its own, and the nested ones. */
static void walk_hvm(const struct machine *m, const struct cpu_state *r, uint64_t va, struct look_walk *out)
{
    const struct nested_regs regs = { r->cr0, r->cr3, r->cr4, r->efer, r->ncr3 };
    struct nested_walk w;
    uint64_t next, phys;
    uint32_t error_code;
    bool writable;

    if (r->efer & EFER_LMA && !is_canonical(va))
        return;
    nested_walk(&regs, r->efer & EFER_LMA ? va : (uint32_t)va, 0, machine_table, m, &w);
    for (unsigned int i = 0; i < w.nr; i++) {
        out->step[i].level = w.step[i].level;
        out->step[i].index = (unsigned int)(PAGE_OFFSET(w.step[i].gpa) / w.step[i].size);
        out->step[i].table = _mfn(PFN_DOWN(w.step[i].phys));
        out->step[i].entry = w.step[i].entry;
        next = i + 1 < w.nr ? w.step[i + 1].gpa : w.result == NESTED_PF ? w.step[i].entry & PTE_MFN_MASK : w.gpa;
        out->step[i].frame_gfn = PFN_DOWN(next);
        out->step[i].frame_mfn = nested_translate(r->ncr3, next, 0, machine_table, m, &phys, &writable, &error_code)
                                     ? _mfn(PFN_DOWN(phys))
                                     : INVALID_MFN;
    }
    out->is_hvm = true;
    out->npf = w.result == NESTED_NPF;
    out->gpa = w.gpa;
    out->nr = w.nr;
    out->found = w.result == NESTED_OK;
    out->maddr = out->found ? w.phys : 0;
}

bool look_walk(struct host *h, domid_t dom, unsigned int vcpu, uint64_t va, struct look_walk *out)
{
    const struct vcpu *v = look_vcpu_of(h, dom, vcpu);
    const struct machine *m = host_machine(h);
    uint64_t table;

    if (!v || !v->regs)
        return false;
    *out = (struct look_walk){ 0 };
    if (is_hvm_domain(v->domain)) {
        walk_hvm(m, v->regs, va, out);
        return true;
    }
    table = v->regs->cr3 & PTE_MFN_MASK;
    for (unsigned int level = 4; level && is_canonical(va); level--) {
        const uint64_t *t = machine_table(m, table);
        const unsigned int index = (unsigned int)pte_index(va, level);

        if (!t)
            return true;
        out->step[out->nr].level = level;
        out->step[out->nr].index = index;
        out->step[out->nr].table = _mfn(PFN_DOWN(table));
        out->step[out->nr++].entry = t[index];
        if (!(t[index] & _PAGE_PRESENT))
            return true;
        table = t[index] & PTE_MFN_MASK;
        if (level == 1 || (t[index] & _PAGE_PSE && level < 4)) {
            const uint64_t offset = (UINT64_C(1) << (PAGE_SHIFT + 9 * (level - 1))) - 1;

            out->found = true;
            out->maddr = (table & ~offset) | (va & offset);
            return true;
        }
    }
    return true;
}

/* A domain's frame number becomes the machine's, by the table that says the reverse. */
static bool frame_of_gfn(const struct xen *xen, const struct domain *d, uint64_t gfn, uint64_t *mfn)
{
    for (const struct page_info *pg = page_list_first(xen, &d->page_list); pg; pg = page_list_next(xen, pg))
        if (xen->m2p[mfn_x(page_to_mfn(xen, pg))] == gfn) {
            *mfn = mfn_x(page_to_mfn(xen, pg));
            return true;
        }
    return false;
}

/* An HVM domain's, by its nested tables. */
static bool frame_of_hvm(const struct domain *d, uint64_t gfn, uint64_t *mfn)
{
    p2m_type_t t;

    *mfn = mfn_x(p2m_get_entry(d, gfn, &t));
    return *mfn != mfn_x(INVALID_MFN);
}

bool look_machine_address(struct host *h, domid_t dom, unsigned int vcpu, enum look_space space, uint64_t addr,
                          uint64_t *maddr)
{
    const struct domain *d = look_domain_of(h, dom);
    struct look_walk w;
    uint64_t mfn;

    switch (space) {
    case LOOK_MACHINE: *maddr = addr; return true;
    case LOOK_PHYSICAL:
        if (!d || !(is_hvm_domain(d) ? frame_of_hvm(d, PFN_DOWN(addr), &mfn)
                                     : frame_of_gfn(host_xen(h), d, PFN_DOWN(addr), &mfn)))
            return false;
        *maddr = mfn << PAGE_SHIFT | (addr & ~PAGE_MASK);
        return true;
    case LOOK_VIRTUAL:
        if (!look_walk(h, dom, vcpu, addr, &w) || !w.found)
            return false;
        *maddr = w.maddr;
        return true;
    }
    return false;
}

size_t look_read(struct host *h, domid_t dom, unsigned int vcpu, enum look_space space, uint64_t addr, void *buf,
                 size_t n)
{
    const struct machine *m = host_machine(h);
    size_t done = 0;

    while (done < n) {
        const size_t in_page = PAGE_SIZE - ((addr + done) & ~PAGE_MASK), part = n - done < in_page ? n - done : in_page;
        uint64_t maddr;

        if (!look_machine_address(h, dom, vcpu, space, addr + done, &maddr) || !mfn_valid(m, _mfn(PFN_DOWN(maddr))))
            break;
        memcpy((uint8_t *)buf + done, (const uint8_t *)mfn_to_virt(m, _mfn(PFN_DOWN(maddr))) + (maddr & ~PAGE_MASK),
               part);
        done += part;
    }
    return done;
}

unsigned int look_insn(struct host *h, domid_t dom, unsigned int vcpu, uint64_t va, char text[96])
{
    const struct vcpu *v = look_vcpu_of(h, dom, vcpu);
    uint8_t bytes[INSN_MAX_LEN];
    struct cpu_state at;
    struct insn insn;
    size_t n;

    if (!v || !v->regs)
        return 0;
    at = *v->regs;
    at.rip += va - insn_linear_rip(&at);
    n = look_read(h, dom, vcpu, LOOK_VIRTUAL, va, bytes, sizeof(bytes));
    if (!n) /* not in the guest's tables: in the shadow of its kernel, a translation */
        n = look_tc_read(h, dom, va, bytes, sizeof(bytes));
    insn = insn_decode(host_machine(h)->edges->decoder, &at, bytes, n);
    memcpy(text, insn.text, sizeof(insn.text));
    return insn.len;
}
