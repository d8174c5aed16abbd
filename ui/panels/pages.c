// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `pages`: the way from a virtual address through the page tables, as the processor goes it. Frames are said
 * as GFN/MFN: what the guest calls them, and what they are.
 *
 *      level index table      entry      bits       frame                P present  W writable  U for user mode
 *      L4      254 3f11/1a2c4 3f10/1b007 P W U A D  d1 l3:1              A accessed  D written to  PS large
 *      L3      ...                                                       G global  NX no code
 *      =                                            maps m:0x1c113123, which user mode may read
 *
 * An HVM guest's entries hold its own numbers. Below them is what takes these to the machine's: the walk of the nested
 * tables for the page (N4 to N1; panel nested has those for the tables, too), or that of its shadow page tables, which
 * is all that the processor does (S4 to S1; an entry that is not there yet is made when it is used).
 *
 * Concept: what an address may be used for is what all levels allow. A PV64 guest's kernel runs at the processor's
 * level of user mode: Xen sets U for its pages, too.
 */
#include "ui/panels/panel.h"

#include "tools/debug/look_hvm.h"

#include <inttypes.h>

static const struct table_column columns[] = {
    { .title = "level" }, { .title = "index", .right = true },
    { .title = "table" }, { .title = "entry" },
    { .title = "bits" },  { .title = "frame" },
};

#define PRESENT  (UINT64_C(1) << 0)
#define WRITABLE (UINT64_C(1) << 1)
#define USER     (UINT64_C(1) << 2)
#define NO_CODE  (UINT64_C(1) << 63)
#define FRAME(e) _mfn((e) >> 12 & ((UINT64_C(1) << 40) - 1))

static void bits_take(struct table *t, struct table_row *row, uint64_t entry, unsigned int level)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } bits[] = { { PRESENT, "P" },
                 { WRITABLE, "W" },
                 { USER, "U" },
                 { UINT64_C(1) << 3, "PWT" },
                 { UINT64_C(1) << 4, "PCD" },
                 { UINT64_C(1) << 5, "A" },
                 { UINT64_C(1) << 6, "D" },
                 { UINT64_C(1) << 7, "PS" },
                 { UINT64_C(1) << 8, "G" },
                 { NO_CODE, "NX" } };
    char text[64] = "";
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
        if (entry & bits[i].bit)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "",
                                  level == 1 && bits[i].bit == UINT64_C(1) << 7 ? "PAT" : bits[i].name);
    table_cell(t, row, "%s", n ? text : "-");
}

/* "3f11/1a2c4". */
static void frame_take(struct table *t, struct table_row *row, struct debug *g, mfn_t mfn)
{
    struct look_frame f;

    if (!look_frame(g->host, mfn, &f))
        table_cell(t, row, "-/%" PRIx64, mfn_x(mfn));
    else if (f.gfn == UINT64_MAX || f.free)
        table_cell(t, row, "-/%" PRIx64, mfn_x(mfn));
    else
        table_cell(t, row, "%" PRIx64 "/%" PRIx64, f.gfn, mfn_x(mfn));
}

static void use_take(struct table *t, struct table_row *row, struct debug *g, mfn_t mfn)
{
    struct look_frame f;

    if (!look_frame(g->host, mfn, &f))
        table_cell(t, row, "no memory");
    else if (f.free)
        table_cell(t, row, "free");
    else if (f.owner == DOMID_INVALID)
        table_cell(t, row, "xen");
    else
        table_cell(t, row, "d%u %s:%" PRIu64 "%s", f.owner, f.type, f.type_count, f.pinned ? " pinned" : "");
}

/* The same of an HVM guest's entry: what it points to in its numbering, and where the nested tables have that. */
static void own_frame_take(struct table *t, struct table_row *row, const struct look_walk_step *step)
{
    if (mfn_x(step->frame_mfn) == mfn_x(INVALID_MFN))
        table_cell(t, row, "%" PRIx64 "/-", step->frame_gfn);
    else
        table_cell(t, row, "%" PRIx64 "/%" PRIx64, step->frame_gfn, mfn_x(step->frame_mfn));
}

static void step_take(struct table *t, struct debug *g, domid_t dom, const struct look_walk *w, unsigned int i)
{
    const unsigned int level = w->step[i].level;
    const uint64_t entry = w->step[i].entry;
    struct table_row *row = table_row(t, "L%u", level);

    table_cell(t, row, "L%u", level);
    table_cell(t, row, "%u", w->step[i].index);
    frame_take(t, row, g, w->step[i].table);
    if (entry & PRESENT && w->is_hvm)
        own_frame_take(t, row, &w->step[i]);
    else if (entry & PRESENT)
        frame_take(t, row, g, FRAME(entry));
    else
        table_cell(t, row, entry ? "0x%" PRIx64 : "-", entry);
    bits_take(t, row, entry, level);
    if (entry & PRESENT)
        use_take(t, row, g, w->is_hvm ? w->step[i].frame_mfn : FRAME(entry));
    table_ask(t, row, "why u64[d%u:m:0x%" PRIx64 "]", dom,
              mfn_x(w->step[i].table) << PAGE_SHIFT | w->step[i].index * 8);
    if (row && !(entry & PRESENT))
        row->style = STYLE_error;
}

/* An entry that is the hypervisor's. */
static void below_take(struct table *t, struct debug *g, const struct look_nested_ref *r)
{
    const char kind = r->shadow ? 'S' : 'N';
    struct table_row *row = table_row(t, "%c%u", kind, r->level);

    table_cell(t, row, "%c%u", kind, r->level);
    table_cell(t, row, "%u", r->index);
    frame_take(t, row, g, _mfn(r->maddr >> 12));
    if (r->entry & PRESENT)
        frame_take(t, row, g, FRAME(r->entry));
    else
        table_cell(t, row, r->entry ? "0x%" PRIx64 : "-", r->entry);
    bits_take(t, row, r->entry, r->level);
    if (r->oos)
        table_cell(t, row, "out of sync");
    else if (r->entry & PRESENT)
        use_take(t, row, g, FRAME(r->entry));
    if (row)
        row->style = r->entry & PRESENT ? STYLE_xen : STYLE_error;
}

/* Of an HVM guest: its shadow page tables, or the nested tables for the page. */
static void below_all(struct table *t, struct debug *g, const struct debug_addr *a)
{
    struct look_nested n;
    unsigned int last = 0;

    if (!look_nested(g->host, a->dom, a->vcpu, a->addr, &n))
        return;
    for (unsigned int i = 0; i < n.nr; i++)
        if (n.ref[i].guest)
            last = i;
    for (unsigned int i = 0; i < n.nr; i++)
        if (n.ref[0].shadow ? n.ref[i].shadow : !n.ref[i].guest && (i > last || !n.ref[last].guest))
            below_take(t, g, &n.ref[i]);
}

/* What comes of the way. */
static void end_take(struct table *t, const struct debug_addr *a, const struct look_walk *w)
{
    struct table_row *row = table_row(t, "=");
    uint64_t all = PRESENT | WRITABLE | USER, any = 0;

    for (unsigned int i = 0; i < w->nr; i++) {
        all &= w->step[i].entry | (w->is_hvm && w->step[i].level == 3 && i == 0 ? WRITABLE | USER : 0); /* PAE's root */
        any |= w->step[i].entry;
    }
    table_cell(t, row, "=");
    for (unsigned int i = 1; i + 1 < ARRAY_SIZE(columns); i++)
        table_cell(t, row, "%s", "");
    if (w->found && w->is_hvm && !w->nr)
        table_cell(t, row, "no paging: gpa 0x%" PRIx64 ", which is m:0x%" PRIx64, w->gpa, w->maddr);
    else if (w->found && w->is_hvm)
        table_cell(t, row, "maps gpa 0x%" PRIx64 " = m:0x%" PRIx64 ", which %s may %s%s", w->gpa, w->maddr,
                   all & USER ? "ring 3" : "rings 0 to 2", all & WRITABLE ? "write" : "read",
                   any & NO_CODE ? "" : " and execute");
    else if (w->npf)
        table_cell(t, row, "the nested tables have nothing at gpa 0x%" PRIx64 ": an exit, NPF", w->gpa);
    else if (w->found)
        table_cell(t, row, "maps m:0x%" PRIx64 ", which %s may %s%s", w->maddr,
                   all & USER ? "user mode" : "the hypervisor alone", all & WRITABLE ? "write" : "read",
                   any & NO_CODE ? "" : " and execute");
    else if (!w->nr)
        table_cell(t, row, "not canonical: #GP");
    else if (w->step[w->nr - 1].entry & PRESENT)
        table_cell(t, row, "its L%u entry leads to no memory", w->step[w->nr - 1].level);
    else
        table_cell(t, row, "not present in L%u: #PF", w->step[w->nr - 1].level);
    table_ask(t, row, "why pte d%uv%u:0x%" PRIx64, a->dom, a->vcpu, a->addr);
    if (row)
        row->style = w->found ? STYLE_title : STYLE_error;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    const struct debug_addr here = { .dom = s->dom, .vcpu = s->vcpu, .addr = s->v.pc };
    const struct debug_addr *a = s->about.given ? &s->about.what : &here;
    struct look_vcpu v;
    struct look_walk w;

    if (!look_walk(g->host, a->dom, a->vcpu, a->addr, &w) || !look_vcpu(g->host, a->dom, a->vcpu, &v))
        return;
    snprintf(t->note, sizeof(t->note), "%s = d%uv%u:0x%" PRIx64 ", %s root", s->about.given ? s->about.text : "%rip",
             a->dom, a->vcpu, a->addr, v.root);
    for (unsigned int i = 0; i < w.nr; i++)
        step_take(t, g, a->dom, &w, i);
    below_all(t, g, a);
    end_take(t, a, &w);
}

/* What comes of it, which has no room in its column. */
static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    const struct table_row *end = t->nr ? &t->row[t->nr - 1] : NULL;

    if (end)
        area_print(a, 0, 1, end->style, "%s", end->cell[ARRAY_SIZE(columns) - 1] ?: "");
    return end ? 1 : 0;
}

const struct panel_ops panel_pages = { .name = "pages",
                                       .help = "the page tables on the way to %rip, or to ADDR",
                                       .empty = "there are no page tables: a native vCPU, or none",
                                       .column = columns,
                                       .nr_columns = ARRAY_SIZE(columns),
                                       .about = scene_about_address,
                                       .take = take,
                                       .draw = draw };
