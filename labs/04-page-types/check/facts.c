// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 04: types of frames, and what level 1 entries refer to.
 *
 * Concept: three kinds of steps. In the first a frame is put into a state, and one type reference is taken or given up;
 * what looks through tables is replaced (d->paging), and answers as the step says. In the second, level 1 entries and
 * tables of them are taken and given up, of frames in all states. Both begin with frames that are made what the step
 * says they are, so no step follows from another. In the third a guest of each width goes on with what is there: it
 * writes tables, pins them, changes entries; the hypercalls are the real ones. Reported is what callers can see: the
 * answers, and the frame table.
 *
 * Budget: three kinds of steps, over the same frames.
 */
#include "labs/kit/frames.h"
#include "labs/kit/stores.h"
#include "mmu/page_private.h"
#include "mmu/paging.h"
#include "mmu/pv/private.h"
#include "sim/frame.h"
#include "vcpu/noun/guest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS   500
#define FLUSHED 500 /* xen->tlb_flushed when a step begins */

static struct kit_scene *k;
static struct kit_frames *unit, *unit32, *other, *stream[2];
static struct page_info *hypervisors; /* a frame of the hypervisor's own */

/* --- what looks through tables, in place of mmu/pv/ --- */

static struct {
    int answer;
    bool later; /* it left the frame to be taken apart: v->old_guest_table */
    unsigned int calls;
    char said[320];
} script;

static const char *about(const struct vcpu *v, const struct page_info *pg, char text[160])
{
    static char all[240];

    snprintf(all, sizeof(all), "%s, entry %u%s, while it is %s", v ? "for a vCPU" : "all at once",
             pg->nr_validated_ptes, pg->partial_flags ? " is partial" : "", kit_frame_text(pg, text));
    return all;
}

static int promote(struct xen *xen, struct vcpu *v, struct page_info *pg, uint64_t type)
{
    char text[160];

    script.calls++;
    snprintf(script.said, sizeof(script.said), "looked through as %s: %s", kit_type_text(type), about(v, pg, text));
    if (script.later)
        page_put_later(v, pg);
    return script.answer;
}

static int demote(struct xen *xen, struct vcpu *v, struct page_info *pg)
{
    char text[160];

    script.calls++;
    snprintf(script.said, sizeof(script.said), "taken apart: %s", about(v, pg, text));
    return script.answer;
}

static const struct paging_ops scripted = { .name = "a step's", .promote = promote, .demote = demote };
static const struct paging_ops none = { .name = "none" };

/* --- the machine --- */

static void *begin(void)
{
    kit_setup("setup");
    k = kit_scene_empty();
    unit = kit_frames(k, false, 8);
    unit32 = kit_frames(k, true, 8);
    other = kit_frames(k, false, 4);
    for (unsigned int i = 0; i < 2; i++)
        stream[i] = kit_frames(k, i, 12);
    hypervisors = alloc_xenheap_pages(k->xen, 0);
    if (!hypervisors)
        kit_die("no frame");
    kit_fact("setup", "two guests have memory, and no tables");
    return NULL;
}

/* The machine is left as it is: with wrong books it could not be taken down. */
static void end(void *data) { (void)data; }

/* TLBs know nothing that is older than FLUSHED; the frame has been used until then, or a little before or after. */
static unsigned int stamp(struct page_info *pg)
{
    k->xen->tlb_clock = 2 * FLUSHED;
    k->xen->tlb_flushed = FLUSHED;
    pg->tlb_stamp = FLUSHED - 1 + kit_random(3);
    return (unsigned int)pg->tlb_stamp;
}

static void stamp_say(const char *property, const struct page_info *pg)
{
    kit_fact(property, "vCPUs must have flushed since %" PRIu64 "; the frame was used until %s", k->xen->tlb_flushed,
             pg->tlb_stamp == k->xen->tlb_clock ? "now"
             : pg->tlb_stamp < FLUSHED + 2      ? "then"
                                                : "another time");
}

/* --- a type reference is taken, or given up --- */

enum was { NEVER, ONCE, USED, FULL, PARTIAL, NR_WAS };

/* A state that there is: rules of mmu/page_type.c. Returns the type with all that belongs to it. */
static uint64_t state_make(struct page_info *pg, enum was was, uint64_t type, unsigned int uses)
{
    const bool table = type_is_table(type);

    pg->nr_validated_ptes = (uint16_t)(1 + kit_random(500));
    pg->partial_flags = (uint8_t)kit_random(2);
    switch (was) {
    case ONCE: pg->type_info = type | (table || !type ? 0 : PGT_validated); break;
    case USED:
    case FULL:
        if (type == PGT_l2_page_table && !kit_random(3))
            type |= PGT_pae_xen_l2;
        pg->type_info = type | PGT_validated | (was == FULL ? PGT_count_mask : uses);
        if (table && !kit_random(3))
            pg->type_info |= PGT_pinned;
        pg->count_info += was == FULL ? 0 : uses; /* so many references there are not */
        break;
    case PARTIAL:
        pg->type_info = type | PGT_partial | 1;
        pg->count_info++;
        break;
    default: break;
    }
    return type;
}

static uint64_t any_type(bool table)
{
    return table ? level_type(1 + (unsigned int)kit_random(4)) : level_type(1 + (unsigned int)kit_random(7));
}

/* What the replaced code is going to answer, and for whom; *v is NULL where all is done at once. */
static const char *script_make(uint64_t type, bool get, struct vcpu **v)
{
    const bool slow = type_level(type) >= 2 && type_level(type) <= 4 && kit_random(3);

    memset(&script, 0, sizeof(script));
    unit->d->paging = &scripted;
    *v = slow ? unit->v : NULL;
    if (get && !kit_random(12)) {
        unit->d->paging = &none;
        return "its domain has no page tables";
    }
    switch (kit_random(slow ? 5 : 3)) {
    case 0: script.answer = get ? -EINVAL : 0; break;
    case 1:
    case 2: break;
    case 3: script.answer = -ERESTART; break;
    default:
        script.answer = get ? -EINVAL : -ERESTART;
        script.later = get;
        break;
    }
    return script.later                 ? "it is found bad half way, and left for later"
           : script.answer == -ERESTART ? "it takes too long"
           : script.answer              ? "it is found bad"
           : !get                       ? "it can be taken apart"
                                        : "it is found good";
}

static void type_say(const char *property, struct page_info *pg, int rc)
{
    char text[160];

    kit_fact(property, "%s", script.calls == 1 ? script.said : script.calls ? "looked through twice" : "not looked at");
    kit_fact(property, "%s; then it is %s", kit_errno_text(rc), kit_frame_text(pg, text));
    stamp_say("stale", pg);
}

static void step_get(void)
{
    struct page_info *pg = kit_page(unit, 0);
    const enum was was = (enum was)kit_random(NR_WAS);
    uint64_t now =
                 was == PARTIAL ? level_type(2 + (unsigned int)kit_random(3)) : any_type(was == USED && kit_random(2)),
             want = any_type(kit_random(2));
    const char *what, *property;
    char text[160];
    struct vcpu *v;
    unsigned int since;

    kit_frames_fresh(unit);
    now = state_make(pg, was, now, 1 + (unsigned int)kit_random(3));
    if (was == NEVER)
        now = PGT_none;
    else if (kit_random(3))
        want = now;
    if (want == PGT_l2_page_table && !kit_random(4))
        want |= PGT_pae_xen_l2;
    since = stamp(pg);
    pg->count_info++; /* the caller's */
    what = script_make(want, true, &v);
    kit_step("frame (%s), used until %u, is to be %s%s; %s", kit_frame_text(pg, text), since, kit_type_text(want),
             v ? ", for a vCPU" : "", what);
    property = was == USED || was == FULL                   ? (want == now ? "again" : "other")
               : was == PARTIAL                             ? (want == now ? "partial" : "other")
               : script.later || script.answer == -ERESTART ? "partial"
               : script.answer || unit->d->paging == &none  ? "refused"
                                                            : "first";
    type_say(property, pg, _get_page_type(k->xen, v, pg, want));
}

static void step_put(void)
{
    struct page_info *pg = kit_page(unit, 0);
    const enum was was = kit_random(3) ? USED : PARTIAL;
    const uint64_t now = was == PARTIAL ? level_type(2 + (unsigned int)kit_random(3)) : any_type(kit_random(3));
    const unsigned int uses = 1 + (unsigned int)kit_random(4) / 2;
    const char *what;
    char text[160];
    struct vcpu *v;
    unsigned int since;
    uint64_t told;

    kit_frames_fresh(unit);
    state_make(pg, was, now, uses);
    since = stamp(pg);
    what = script_make(now, false, &v);
    kit_step("frame (%s), used until %u: one use ends%s; %s", kit_frame_text(pg, text), since, v ? ", for a vCPU" : "",
             what);
    told = k->m->edges->told_gone;
    type_say(was == PARTIAL || script.answer ? "partial"
             : uses > 1                      ? "again"
                                             : "last",
             pg, _put_page_type(k->xen, v, pg));
    if (now == PGT_l4_page_table && !script.answer && (was == PARTIAL || uses == 1))
        kit_fact("root", "an L4 table is in use no more: the TLB is %s",
                 k->m->edges->told_gone > told ? "told" : "not told");
}

/* --- level 1 entries --- */

enum target {
    FRESH,
    WRITABLE,
    TABLE1,
    TABLE2,
    TABLE4,
    HALF,
    DESCRIPTORS,
    WAS_TABLE,
    OWN_END, /* the guest's own */
    OTHERS,
    OTHERS_TABLE,
    TRANSLATED,
    HYPERVISORS,
    FREE,
    FIRMWARE,
    BEYOND,
    ALL_ONES,
    NR_TARGETS
};

static const char *const target_text[NR_TARGETS] = {
    "a fresh frame of its own",
    "a frame of its own that is writable memory",
    "an L1 table of its own",
    "an L2 table of its own",
    "an L4 table of its own",
    "a partial L3 table of its own",
    "a descriptor table of its own",
    "a frame of its own that was an L2 table",
    NULL,
    "another guest's frame",
    "another guest's L1 table",
    "a frame of a guest that is translated",
    "Xen's own frame",
    "a free frame",
    "the firmware's frame 5",
    "a frame beyond the memory",
    "the last frame that an entry can name",
};

/* Frame 1 of unit, or of the other guest, becomes that. */
static mfn_t target_make(struct kit_frames *f, enum target t, unsigned int uses)
{
    struct page_info *own = kit_page(f, 1), *others = kit_page(other, 1);
    uint64_t type = 0;

    switch (t) {
    case WRITABLE: type = PGT_writable_page | PGT_validated; break;
    case TABLE1: type = PGT_l1_page_table | PGT_validated; break;
    case TABLE2: type = PGT_l2_page_table | PGT_validated; break;
    case TABLE4: type = PGT_l4_page_table | PGT_validated; break;
    case HALF: type = PGT_l3_page_table | PGT_partial, uses = 1; break;
    case DESCRIPTORS: type = PGT_seg_desc_page | PGT_validated; break;
    case WAS_TABLE: type = PGT_l2_page_table, uses = 0; break;
    case OTHERS_TABLE:
        others->type_info = PGT_l1_page_table | PGT_validated | uses;
        others->count_info += uses;
        return other->frame[1];
    case OTHERS:
    case TRANSLATED: return other->frame[1];
    case HYPERVISORS: return page_to_mfn(k->xen, hypervisors);
    case FREE: {
        struct page_info *pg = alloc_domheap_pages(k->xen, NULL, 0, MEMF_no_owner);

        if (!pg)
            kit_die("no frame");
        free_domheap_page(k->xen, pg);
        return page_to_mfn(k->xen, pg);
    }
    case FIRMWARE: return _mfn(5);
    case BEYOND: return _mfn(k->m->nr_frames + 3);
    case ALL_ONES: return _mfn(PTE_MFN_MASK >> PAGE_SHIFT);
    default: uses = 0; break;
    }
    own->type_info = type | uses;
    own->count_info += uses;
    return f->frame[1];
}

static const struct {
    uint64_t bit;
    const char *name;
} bits[] = { { _PAGE_RW, "RW" },
             { _PAGE_USER, "US" },
             { _PAGE_ACCESSED, "A" },
             { _PAGE_DIRTY, "D" },
             { _PAGE_GLOBAL, "G" },
             { UINT64_C(1) << 10, "AVL" },
             { _PAGE_GUEST_KERNEL, "GK" },
             { UINT64_C(1) << 57, "bit 57" },
             { _PAGE_NX, "NX" },
             /* which a guest must not have */
             { _PAGE_PWT, "PWT" },
             { _PAGE_PCD, "PCD" },
             { _PAGE_PAT, "PAT" },
             { _PAGE_GNTTAB, "GNTTAB" } };
#define NR_BITS  (sizeof(bits) / sizeof(bits[0]))
#define NR_LEGAL 9

static const char *flags_text(uint64_t e, char text[80])
{
    size_t n = (size_t)snprintf(text, 80, "%s", e & _PAGE_PRESENT ? "P" : "-");

    for (unsigned int i = 0; i < NR_BITS; i++)
        if (e & bits[i].bit)
            n += (size_t)snprintf(text + n, 80 - n, " %s", bits[i].name);
    return text;
}

static uint64_t any_flags(bool rw)
{
    uint64_t e = _PAGE_PRESENT | (rw ? _PAGE_RW : 0);

    for (uint64_t n = kit_random(4); n; n--)
        e |= bits[1 + kit_random(NR_LEGAL - 1)].bit;
    return e;
}

static void l1_fresh(struct kit_frames *f)
{
    kit_frames_fresh(f);
    kit_frames_fresh(other);
    other->d->type = DOMAIN_PV64;
    stamp(kit_page(f, 1));
    stamp(kit_page(other, 1));
}

static const char *domain_text(const struct kit_frames *f, const struct domain *d)
{
    return d == f->d ? "its own" : d == other->d ? "another guest's" : "dom0's";
}

static void target_say(const struct kit_frames *f, const char *property)
{
    char text[160];

    kit_fact(property, "the guest's frame is %s", kit_frame_text(kit_page(f, 1), text));
    kit_fact(property, "the other guest's frame is %s", kit_frame_text(kit_page(other, 1), text));
    kit_fact(property, "Xen's frame has %" PRIu64 " references", (uint64_t)(hypervisors->count_info & PGC_count_mask));
}

static void step_entry(void)
{
    struct kit_frames *f = kit_random(4) ? unit : unit32;
    const enum target t =
        (enum target)(kit_random(2) ? kit_random(OWN_END) : OWN_END + 1 + kit_random(NR_TARGETS - OWN_END - 1));
    const bool rw = kit_random(2), foreign = t > OWN_END;
    struct domain *d = f->d, *pg_owner = f->d;
    uint64_t e = any_flags(rw);
    char text[80];
    mfn_t mfn;
    int rc;

    l1_fresh(f);
    mfn = target_make(f, t, 1 + (unsigned int)kit_random(2));
    if (!kit_random(5))
        e |= bits[NR_LEGAL + kit_random(NR_BITS - NR_LEGAL)].bit;
    if (kit_random(4) < (foreign ? 3 : 1))
        pg_owner = kit_random(3) ? other->d : k->xen->dom0;
    if (!kit_random(6))
        d = k->xen->dom0;
    if (t == TRANSLATED)
        other->d->type = DOMAIN_HVM;
    e |= pte_make(mfn, 0);
    kit_step("entry %s for %s, in a table of %s, of frames that are %s", flags_text(e, text), target_text[t],
             d == f->d ? "the guest" : "dom0", domain_text(f, pg_owner));
    rc = get_page_from_l1e(e, d, pg_owner);
    kit_fact(e & L1_DISALLOW_MASK                    ? "flags"
             : foreign || pg_owner != d || d != f->d ? "foreign"
             : rw                                    ? "writable"
                                                     : "read-only",
             "%s: %s", e & L1_DISALLOW_MASK ? flags_text(e & (L1_DISALLOW_MASK | _PAGE_PRESENT), text) : target_text[t],
             kit_errno_text(rc));
    target_say(f, "taken");
    other->d->type = DOMAIN_PV64;
}

/* The descriptor table is in the guest's LDT window, too, which holds both references. */
static void ldt_make(struct kit_frames *f, unsigned int n)
{
    const uint64_t *ldt = pv_ldt_ptes(f->v);
    struct page_info *pg = kit_page(f, n);

    frame_write_u64(k->m, &ldt[3], pte_make(f->frame[n], _PAGE_PRESENT | _PAGE_RW));
    f->v->pv.shadow_ldt_mapcnt = 1;
    pg->type_info = (pg->type_info & PGT_count_mask ? pg->type_info : PGT_seg_desc_page | PGT_validated) + 1;
    pg->count_info++;
}

static void step_given(void)
{
    static const enum target all[] = { WRITABLE,    WRITABLE,  FRESH, TABLE1, DESCRIPTORS,
                                       DESCRIPTORS, WAS_TABLE, HALF,  OTHERS, TRANSLATED };
    struct kit_frames *f = kit_random(4) ? unit : unit32;
    const enum target t = all[kit_random(sizeof(all) / sizeof(all[0]))];
    const bool rw = t == WRITABLE || ((t == OTHERS || t == TRANSLATED) && kit_random(2)), ldt = kit_random(2);
    uint64_t e = any_flags(rw), uses;
    bool others_descriptors = false;
    struct page_info *pg;
    char text[80];
    mfn_t mfn;

    l1_fresh(f);
    mfn = target_make(f, t, t == DESCRIPTORS ? (unsigned int)kit_random(3) : 1 + (unsigned int)kit_random(2));
    pg = mfn_to_page(k->xen, mfn);
    if (ldt)
        ldt_make(f, t == DESCRIPTORS && kit_random(2) ? 1 : 2);
    if (t == TRANSLATED)
        other->d->type = DOMAIN_HVM;
    if (t != WRITABLE)
        pg->count_info++; /* the entry's: that of a writable frame is one of its uses */
    if (t == OTHERS && rw)
        pg->type_info = PGT_writable_page | PGT_validated | 1;
    if (t == OTHERS && !rw && kit_random(2)) {
        pg->type_info = PGT_seg_desc_page | PGT_validated | 1;
        pg->count_info++;
        others_descriptors = true;
    }
    if (!kit_random(6))
        e &= ~_PAGE_PRESENT;
    e |= pte_make(mfn, 0);
    kit_step("entry %s for %s%s is given up; %s", flags_text(e, text), target_text[t],
             others_descriptors ? ", a descriptor table," : "",
             ldt ? "a page of the guest's LDT is mapped" : "no LDT is mapped");
    uses = pg->type_info & PGT_count_mask;
    put_page_from_l1e(e, f->d);
    target_say(f, "given");
    kit_fact("ldt", "after an entry for %s%s, of which there were %" PRIu64 " uses: %u pages of the LDT are mapped",
             target_text[t], others_descriptors ? ", a descriptor table" : "", uses, f->v->pv.shadow_ldt_mapcnt);
    stamp_say("given", pg);
    other->d->type = DOMAIN_PV64;
}

/* --- tables of them --- */

#define ENTRIES 6
enum { SELF, PLAIN, DATA, TABLE, DESC, NR_IN };
static const char *const in_text[NR_IN] = { "itself", "a fresh frame", "writable memory", "an L2 table",
                                            "descriptors" };

/* Frame 0 is looked through; frames 1 to 4 are what its entries are for. */
static void frames_make(struct kit_frames *f)
{
    static const uint64_t is[NR_IN] = { PGT_l1_page_table, 0, PGT_writable_page | PGT_validated,
                                        PGT_l2_page_table | PGT_validated, PGT_seg_desc_page | PGT_validated };

    l1_fresh(f);
    for (unsigned int i = 0; i < NR_IN; i++)
        if (is[i]) {
            kit_page(f, i)->type_info = is[i] | 1;
            kit_page(f, i)->count_info++;
        }
}

static void table_say(const struct kit_frames *f, const char *property)
{
    for (unsigned int i = 0; i < NR_IN; i++)
        kit_frames_say(f, property, i);
    target_say(f, property);
}

/* Slots, in order, of the entries that are there; most of them not next to each other. */
static unsigned int slots_make(unsigned int slot[ENTRIES])
{
    const unsigned int nr = 1 + (unsigned int)kit_random(ENTRIES);
    unsigned int next = kit_random(2) ? 0 : (unsigned int)kit_random(60);

    for (unsigned int i = 0; i < nr; i++) {
        slot[i] = next;
        next += 1 + (unsigned int)kit_random(kit_random(2) ? 3 : 80);
    }
    if (!kit_random(3))
        slot[nr - 1] = PTES_PER_TABLE - 1;
    return nr;
}

static const char *entry_text(uint64_t e, char text[80]) { return e ? flags_text(e, text) : "nothing"; }

static void step_table(void)
{
    struct kit_frames *f = kit_random(3) ? unit : unit32;
    unsigned int slot[ENTRIES], bad = ENTRIES;
    unsigned int nr, kind[ENTRIES];
    char text[ENTRIES][80], all[200];
    size_t n = 0;
    int rc;

    frames_make(f);
    nr = slots_make(slot);
    if (kit_random(2))
        bad = (unsigned int)kit_random(nr);
    for (unsigned int i = 0; i < nr; i++) {
        const bool is_bad = i == bad;
        uint64_t e;

        kind[i] = (unsigned int)kit_random(NR_IN);
        e = pte_make(f->frame[kind[i]], any_flags((kind[i] == PLAIN || kind[i] == DATA) && kit_random(2)));
        if (is_bad) {
            switch (kit_random(3)) {
            case 0: e |= bits[NR_LEGAL + kit_random(NR_BITS - NR_LEGAL)].bit; break;
            case 1: e = pte_make(f->frame[kind[i] = kit_random(2) ? SELF : TABLE], any_flags(true)); break;
            default: e = pte_make(other->frame[1], any_flags(false)); break;
            }
        }
        kit_frames_write(f, 0, slot[i], e);
        if (n < sizeof(all))
            n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%u: %s%s", i ? ", " : "", slot[i],
                                  is_bad && pte_mfn(e).m == other->frame[1].m ? "another guest's" : in_text[kind[i]],
                                  e & _PAGE_RW ? " RW" : "");
    }
    if (kit_random(2)) /* what is not present is nobody's business */
        kit_frames_write(f, 0, slot[nr - 1] == 200 ? 201 : 200, pte_make(other->frame[2], _PAGE_RW | _PAGE_PCD));
    kit_step("a frame of a guest of %d bits is to be an L1 table: %s%s", f == unit ? 64 : 32, all,
             bad < nr ? "; one is bad" : "");
    rc = promote_l1_table(k->xen, kit_page(f, 0));
    kit_fact("table", "%s", kit_errno_text(rc));
    for (unsigned int i = 0; i < nr; i++) { /* after a refusal they are of no interest */
        if (rc)
            kit_fact("adjusted", "entry %u: not looked at", slot[i]);
        else
            kit_fact("adjusted", "entry %u: %s", slot[i], entry_text(kit_frames_entry(f, 0, slot[i]), text[i]));
    }
    table_say(f, bad < nr ? "leak" : "table");
}

static void step_apart(void)
{
    struct kit_frames *f = kit_random(3) ? unit : unit32;
    unsigned int slot[ENTRIES];
    unsigned int nr, kind;
    char all[200];
    size_t n = 0;

    frames_make(f);
    nr = slots_make(slot);
    for (unsigned int i = 0; i < nr; i++) {
        bool rw;

        kind = (unsigned int)kit_random(NR_IN);
        rw = kind == DATA && kit_random(2);
        kit_frames_write(f, 0, slot[i], pte_make(f->frame[kind], any_flags(rw)));
        kit_page(f, kind)->count_info++;
        kit_page(f, kind)->type_info += rw;
        if (n < sizeof(all))
            n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%u: %s%s", i ? ", " : "", slot[i], in_text[kind],
                                  rw ? " RW" : "");
    }
    kit_step("an L1 table of a guest of %d bits is one no more: %s", f == unit ? 64 : 32, all);
    demote_l1_table(k->xen, kit_page(f, 0));
    table_say(f, "given");
}

/* Promoted or demoted; how often all of its entries could have been looked at meanwhile is counted. */
static struct {
    struct page_info *pg;
    bool apart;
    int rc;
    uint64_t accesses;
} walk;

static void walk_run(void *data)
{
    (void)data;
    if (walk.apart)
        demote_l1_table(k->xen, walk.pg);
    else
        walk.rc = promote_l1_table(k->xen, walk.pg);
}

static void walk_seen(void *data, const void *place, bool write, uintptr_t code)
{
    (void)data, (void)place, (void)write, (void)code;
    walk.accesses++;
}

static int walk_do(struct kit_frames *f, bool apart)
{
    void *page = frame_write_begin(k->m, f->frame[0]);

    frame_write_end(k->m, f->frame[0]);
    walk.pg = kit_page(f, 0);
    walk.apart = apart;
    walk.accesses = 0;
    kit_accesses(&page, 1, walk_run, walk_seen, NULL);
    kit_count("looks", (walk.accesses + PTES_PER_TABLE - 1) / PTES_PER_TABLE);
    return walk.rc;
}

/* Many entries, far apart: what looks for the next one from the beginning reads the table as often as it has some. */
static void step_many(void)
{
    struct kit_frames *f = kit_random(3) ? unit : unit32;
    const unsigned int first = (unsigned int)kit_random(8);

    frames_make(f);
    kit_step(
        "a frame of a guest of %d bits is to be an L1 table, and is one no more: slots %u, %u, ... for a fresh frame",
        f == unit ? 64 : 32, first, first + 8);
    for (unsigned int slot = first; slot < PTES_PER_TABLE; slot += 8)
        kit_frames_write(f, 0, slot, pte_make(f->frame[PLAIN], _PAGE_PRESENT));
    kit_fact("table", "%s", kit_errno_text(walk_do(f, false)));
    table_say(f, "table");
    walk_do(f, true);
    table_say(f, "given");
}

/* --- two guests that go on --- */

/* What frame n mostly is: 0 to 2 L1, 3 and 4 L2, 5 and 6 L3, 7 L4, the others data. */
static unsigned int role(unsigned int n) { return n < 3 ? 1 : n < 5 ? 2 : n < 7 ? 3 : n < 8 ? 4 : 0; }

static unsigned int frame_of_role(unsigned int level)
{
    static const unsigned int first[] = { 8, 0, 3, 5, 7 }, nr[] = { 4, 3, 2, 2, 1 };

    return first[level] + (unsigned int)kit_random(nr[level]);
}

static void step_stream(void)
{
    struct kit_frames *f = stream[kit_random(4) == 0];
    const unsigned int n = (unsigned int)kit_random(kit_random(3) ? 8 : 12), level = role(n);
    const unsigned int to = kit_random(6) ? frame_of_role(level ? level - 1 : 0) : (unsigned int)kit_random(12);
    const unsigned int slot = kit_random(3) ? (unsigned int)kit_random(4) : (unsigned int)kit_random(256);
    const bool rw = kit_random(level > 1 ? 2 : 3);
    const unsigned int work = kit_random(3) ? (unsigned int)kit_random(2) : 1000,
                       turns = kit_random(3) ? 50 : (unsigned int)kit_random(2);
    /* Such that adjust_guest_l1e() leaves it alone: what a refused table has become of is of no interest. */
    const uint64_t flags = _PAGE_PRESENT | _PAGE_USER | _PAGE_GUEST_KERNEL | (rw ? _PAGE_RW : 0);
    const uint64_t e = kit_random(5) ? pte_make(f->frame[to], flags) : 0;
    const char *who = f == stream[1] ? "32-bit guest" : "64-bit guest";
    const char *how = work >= 512 ? "" : turns > 1 ? ", preempted" : ", preempted, and not gone on with";
    unsigned int as = kit_random(5) ? level : 1 + (unsigned int)kit_random(4);
    long rc = 0;

    as = as ? as : 1;
    switch (kit_random(6)) {
    case 0:
    case 1: {
        const uint64_t t = kit_page(f, n)->type_info;

        kit_step("%s stores in frame %u, slots %u and %u, if that is no table: %s, frame %u%s", who, n, slot, slot + 70,
                 !e ? "not present" : "present", to, rw ? ", RW" : "");
        if (type_is_table(t) && t & PGT_count_mask) {
            rc = -EBUSY;
        } else {
            kit_frames_write(f, n, slot, e);
            kit_frames_write(f, n, slot + 70, e);
        }
        break;
    }
    case 2:
        kit_step("%s unpins frame %u%s", who, n, how);
        rc = kit_frames_ext(f, MMUEXT_UNPIN_TABLE, f->frame[n], work, turns);
        break;
    case 3:
        kit_step("%s pins frame %u as L%u%s", who, n, as, how);
        rc = kit_frames_ext(f, MMUEXT_PIN_L1_TABLE + as - 1, f->frame[n], work, turns);
        break;
    default:
        kit_step("%s updates frame %u, slot %u: %s, frame %u%s%s", who, n, slot, !e ? "not present" : "present", to,
                 rw ? ", RW" : "", how);
        rc = kit_frames_update(f, n, slot, e, work, turns);
        break;
    }
    kit_frames_books(f, "books");
    kit_fact("stream", "%s", kit_errno_text(rc));
    for (unsigned int i = 0; i < f->nr; i++)
        kit_frames_say(f, "stream", i);
}

static void step(void *data, unsigned int number)
{
    (void)data;
    (void)number;
    /* Made-up states are no longer there when the books are looked at. */
    switch (kit_random(12)) {
    case 0:
    case 1: step_get(); break;
    case 2: step_put(); break;
    case 3:
    case 4: step_entry(); break;
    case 5: step_given(); break;
    case 6: step_table(); break;
    case 7: kit_random(24) ? step_apart() : step_many(); break;
    default: step_stream(); return;
    }
    k->xen->tlb_clock = 2 * FLUSHED;
    k->xen->tlb_flushed = FLUSHED;
    kit_frames_fresh(unit);
    kit_frames_fresh(unit32);
    kit_frames_fresh(other);
    unit->d->paging = stream[0]->d->paging;
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
