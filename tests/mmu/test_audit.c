// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The checker finds what is wrong: each invariant is broken by hand, one mutant a line, and must be reported as such.
 *
 * Concept: a checker that says nothing is worth nothing until it was seen to speak. The mutants change one thing in a
 * machine that is in order, behind the back of all code that keeps it so. Beside them stands the list of what the
 * checker can say, taken from its source: a message that no mutant provokes fails the test, so that no rule is added
 * without being tried.
 *
 * Could pass wrongly if a mutant broke two rules, of which the second is the one that is meant: the checker reports the
 * first difference only, and its message is compared.
 *
 * Budget: a line and a function a mutant.
 */
#include "fixture.h"

#include "mmu/grant/private.h"
#include "mmu/m2p.h"

#include <fnmatch.h>

/* By index of the guest's frames; the same in both kinds, but that a 32-bit guest has no L4. */
enum { L4_64, L3_64, L2_64, L1_64 };
enum { L3_32, L2_32, L1_32 };
enum { DATA = FIX_FREE, LENT, OTHER_L2 };

#define GRANT_REF 8
#define FREE_SLOT 100 /* of the L1 */

struct mutant {
    const char *rule, *how;
    const char *says; /* fnmatch(3) */
    void (*fn)(struct fixture *f);
};

static uint64_t *entry(struct fixture *f, unsigned int t, unsigned int slot)
{
    return &fix_table(f, f->frame[1][t])[slot];
}
static struct grant_table *grants_of(struct fixture *f, domid_t id) { return f->d[id]->grant_table; }

/* --- 1: references --- */
static void reference_too_many(struct fixture *f) { fix_page(f, 1, DATA)->count_info++; }
static void reference_too_few(struct fixture *f) { fix_page(f, 1, DATA)->count_info--; }
static void reference_to_its_own(struct fixture *f) { fix_page(f, 1, DATA)->count_info &= ~PGC_allocated; }
static void pin_forgotten(struct fixture *f) { fix_page(f, 1, L4_64)->type_info |= PGT_pinned; }
static void root_without_reference(struct fixture *f) { f->d[1]->vcpu[1]->pv.guest_table = f->frame[1][L4_64]; }
static void user_root_without_reference(struct fixture *f) { f->v[1]->pv.guest_table_user = f->frame[1][L4_64]; }
static void old_table_without_reference(struct fixture *f) { f->v[1]->old_guest_table = f->frame[1][DATA]; }
static void vcpu_info_without_reference(struct fixture *f) { f->v[1]->vcpu_info_mfn = f->frame[1][DATA]; }
static void map_without_reference(struct fixture *f) { *entry(f, L1_64, FREE_SLOT) = fix_pte(f, 1, DATA, PTE_RO); }
static mfn_t free_frame(const struct fixture *f)
{
    uint64_t n = heap_first_frame(f->xen);

    while (!m2p_is_open(f->xen, _mfn(n)) || f->xen->frame_table[n].owner ||
           (f->xen->frame_table[n].count_info & (PGC_xen_heap | PGC_count_mask)))
        n++;
    return _mfn(n);
}
static void free_frame_mapped(struct fixture *f) { *entry(f, L1_64, FREE_SLOT) = pte_make(free_frame(f), PTE_RO); }
static void free_frame_typed(struct fixture *f)
{
    struct page_info *pg = mfn_to_page(f->xen, free_frame(f));

    pg->count_info = 0; /* whatever block it is the first of */
    pg->type_info = PGT_l1_page_table;
}
static void frame_out_of_range(struct fixture *f)
{
    *entry(f, L1_64, FREE_SLOT) = pte_make(_mfn(f->m->nr_frames), PTE_RO);
}
static void root_out_of_range(struct fixture *f) { f->v[1]->pv.guest_table_user = _mfn(f->m->nr_frames); }
static void m2p_frame(struct fixture *f) { *entry(f, L1_64, FREE_SLOT) = pte_make(f->xen->m2p_mfn, PTE_RW); }
static void firmware_frame(struct fixture *f) { *entry(f, L1_64, FREE_SLOT) = pte_make(_mfn(3), PTE_RO); }
static void untouched_frame(struct fixture *f)
{
    uint64_t n = heap_first_frame(f->xen);

    while (m2p_is_open(f->xen, _mfn(n)))
        n += PAGE_SIZE / 8;
    assert_in_range(n, 0, f->m->nr_frames - 1);
    *entry(f, L1_64, FREE_SLOT) = pte_make(_mfn(n), PTE_RO);
}

/* --- 2: types --- */
static void type_too_many(struct fixture *f) { fix_page(f, 1, DATA)->type_info++; }
static void type_too_few(struct fixture *f) { fix_page(f, 1, DATA)->type_info--; }
static void table_writable(struct fixture *f) { *entry(f, L1_64, L2_64) |= _PAGE_RW; }
static void data_as_table(struct fixture *f) { *entry(f, L2_64, 100) = fix_pte(f, 1, DATA, PTE_RO); }
/* An entry of the GDT's window. */
static uint64_t *window(struct fixture *f, unsigned int i)
{
    const uint64_t *entry = &pv_gdt_ptes(f->v[1])[i];

    return (uint64_t *)fix_table(f, virt_to_mfn(f->m, entry)) + PAGE_OFFSET((uintptr_t)entry) / 8;
}
static void gdt_page_unchecked(struct fixture *f) { *window(f, 0) = fix_pte(f, 1, DATA, _PAGE_PRESENT | _PAGE_RW); }
static void shared_frame_untyped(struct fixture *f) { mfn_to_page(f->xen, f->d[1]->shared_info_mfn)->type_info--; }

/* --- 3: tables --- */
static void forbidden_bit_l1(struct fixture *f) { *entry(f, L1_64, DATA) |= _PAGE_PCD; }
static void forbidden_bit_l2(struct fixture *f) { *entry(f, L2_64, 0) |= _PAGE_PSE; }
static void supervisor_l1(struct fixture *f) { *entry(f, L1_64, DATA) &= ~_PAGE_USER; }
static void supervisor_l4(struct fixture *f) { *entry(f, L4_64, 511) &= ~_PAGE_USER; }
static void table_out_of_range(struct fixture *f) { *entry(f, L3_64, 100) = pte_make(_mfn(f->m->nr_frames), PTE_RO); }
static void linear_l4_writable(struct fixture *f) { *entry(f, L4_64, 5) = fix_pte(f, 1, L4_64, PTE_RW); }
static void linear_l3_writable(struct fixture *f) { *entry(f, L3_64, 5) = fix_pte(f, 1, L3_64, PTE_RW); }
static void linear_l2_writable(struct fixture *f) { *entry(f, L2_64, 5) = fix_pte(f, 1, L2_64, PTE_RW); }
static void linear_to_other_writable(struct fixture *f)
{
    *entry(f, L2_64, 6) |= _PAGE_RW;
    assert_true(*entry(f, L2_64, 6) & _PAGE_PRESENT);
}
static void linear_l2_writable_32(struct fixture *f) { *entry(f, L2_32, 5) = fix_pte(f, 1, L2_32, PTE_RW); }
static void linear_l3_32(struct fixture *f) { *entry(f, L3_32, 0) = fix_pte(f, 1, L3_32, PTE_RW); }
static void l3_entry_as_written_32(struct fixture *f) { *entry(f, L3_32, 3) &= ~_PAGE_RW; }
static void nx_in_l3_32(struct fixture *f) { *entry(f, L3_32, 3) |= _PAGE_NX; }
static void fifth_slot_32(struct fixture *f) { *entry(f, L3_32, 4) = fix_pte(f, 1, DATA, _PAGE_ACCESSED); }
static void last_l2_unmarked_32(struct fixture *f) { fix_page(f, 1, L2_32)->type_info &= ~PGT_pae_xen_l2; }
static void m2p_slot_32(struct fixture *f) { *entry(f, L2_32, COMPAT_M2P_FIRST_SLOT) |= _PAGE_RW; }
static void m2p_slot_behind_32(struct fixture *f) { *entry(f, L2_32, 511) = fix_pte(f, 1, L1_32, PTE_RW); }
static void xen_l2_mark_on_l1_32(struct fixture *f) { fix_page(f, 1, L1_32)->type_info |= PGT_pae_xen_l2; }
static void xen_l2_mark_on_l2(struct fixture *f) { fix_page(f, 1, OTHER_L2)->type_info |= PGT_pae_xen_l2; }
static void xen_slot(struct fixture *f) { *entry(f, L4_64, 258) = fix_pte(f, 1, L4_64, PTE_RO); }
static void perdomain_slot_user(struct fixture *f) { *entry(f, L4_64, PERDOMAIN_SLOT) |= _PAGE_USER; }
static void m2p_slot_writable(struct fixture *f) { *entry(f, L4_64, RO_MPT_SLOT) |= _PAGE_RW; }
static void xen_l4_32(struct fixture *f) { fix_table(f, f->v[1]->pv.guest_table)[261] = fix_pte(f, 1, L3_32, PTE_RW); }
static void xen_l4_root_32(struct fixture *f)
{
    fix_table(f, f->v[1]->pv.guest_table)[0] = fix_pte(f, 1, L2_32, PTE_RW);
}
static void not_validated(struct fixture *f) { fix_page(f, 1, L1_64)->type_info &= ~PGT_validated; }
static void partial_and_validated(struct fixture *f) { fix_page(f, 1, L1_64)->type_info |= PGT_partial; }
static void partial_and_shared(struct fixture *f)
{
    fix_page(f, 1, L2_64)->type_info ^= PGT_partial | PGT_validated;
    fix_page(f, 1, L2_64)->type_info++;
}
static void validated_unused(struct fixture *f) { fix_page(f, 1, LENT)->type_info = PGT_l1_page_table | PGT_validated; }
static void partial_data(struct fixture *f) { fix_page(f, 1, DATA)->type_info |= PGT_partial; }
static void pinned_data(struct fixture *f) { fix_page(f, 1, DATA)->type_info |= PGT_pinned; }
static void partial_entry(struct fixture *f)
{
    struct page_info *pg = fix_page(f, 1, OTHER_L2); /* as if preempted at slot 0, whose table is half done */

    pg->type_info ^= PGT_partial | PGT_validated;
    pg->count_info++;
    pg->type_info = (pg->type_info & ~PGT_count_mask) | 1;
    pg->nr_validated_ptes = 0;
    pg->partial_flags = PTF_partial_set;
    *entry(f, OTHER_L2, 0) = fix_pte(f, 1, LENT, PTE_RO);
}

/* --- 4: others' frames --- */
static void foreign_frame(struct fixture *f)
{
    *entry(f, L1_64, FREE_SLOT) = fix_pte(f, 2, DATA, PTE_RO);
    fix_page(f, 2, DATA)->count_info++;
}
static void foreign_frame_writable(struct fixture *f) /* lent read-only, see lend() */
{
    uint64_t *e = &fix_table(f, f->frame[2][L1_64])[FREE_SLOT];

    assert_true(mfn_eq(pte_mfn(*e), f->frame[1][LENT]) && !(*e & _PAGE_RW));
    *e |= _PAGE_RW;
    fix_page(f, 1, LENT)->type_info++;
}
static void foreign_table(struct fixture *f)
{
    *entry(f, L2_64, FREE_SLOT) = fix_pte(f, 2, L1_64, PTE_RO);
    fix_page(f, 2, L1_64)->count_info++;
    fix_page(f, 2, L1_64)->type_info++;
}
static void pin_count(struct fixture *f) { grants_of(f, 1)->active[GRANT_REF].pin += GNTPIN_hstw_inc; }
static void grant_of_no_frame(struct fixture *f) { grants_of(f, 1)->active[GRANT_REF].mfn = INVALID_MFN; }
static void mapping_count(struct fixture *f) { grants_of(f, 2)->nr_mappings++; }
static void handle_lost(struct fixture *f) { grants_of(f, 2)->free_first = INVALID_MAPTRACK_HANDLE; }

/* --- 5: linear entries --- */
static void linear_count(struct fixture *f) { fix_page(f, 1, L4_64)->linear_pt_count++; }
static void linear_count_missing(struct fixture *f) { fix_page(f, 1, OTHER_L2)->linear_pt_count = 0; }

/* --- 6: lists --- */
static void page_count(struct fixture *f) { f->d[1]->tot_pages++; }
static void page_extra(struct fixture *f) { fix_page(f, 1, DATA)->count_info |= PGC_extra; }
static void page_extra_count(struct fixture *f)
{
    f->d[1]->tot_pages--;
    f->d[1]->extra_pages++;
}
static void list_mark(struct fixture *f) { fix_page(f, 1, DATA)->list = PAGE_LIST_relmem; }
static void list_link(struct fixture *f) { fix_page(f, 1, DATA)->prev = 5; }
static void list_owner(struct fixture *f) { fix_page(f, 1, DATA)->owner = f->d[2]; }
static void list_length(struct fixture *f) { f->d[1]->page_list.nr++; }
static void xen_list_length(struct fixture *f) { f->d[1]->xenpage_list.nr++; }
static void off_the_list(struct fixture *f)
{
    page_list_del(f->xen, &f->d[1]->page_list, fix_page(f, 1, DATA));
    fix_page(f, 1, DATA)->list = PAGE_LIST_none;
    f->d[1]->tot_pages--;
}

/* --- 7: descriptor windows --- */
static void window_user(struct fixture *f) { *window(f, 3) |= _PAGE_USER; }
static void window_of_xen_writable(struct fixture *f) { *window(f, FIRST_RESERVED_GDT_PAGE) |= _PAGE_RW; }
static void window_of_xen_replaced(struct fixture *f)
{
    *window(f, FIRST_RESERVED_GDT_PAGE) = fix_pte(f, 1, DATA, _PAGE_PRESENT);
}
static void ldt_count(struct fixture *f) { f->v[1]->pv.shadow_ldt_mapcnt++; }

/* --- 8: sums --- */
static void frame_lost(struct fixture *f)
{
    const mfn_t mfn = free_frame(f);
    struct page_info *pg = mfn_to_page(f->xen, mfn);

    pg->count_info |= PGC_xen_heap; /* in use and free */
}
static void free_frame_with_pfn(struct fixture *f) { m2p_entry_set(f->xen, free_frame(f), 5); }
static void claims_sum(struct fixture *f) { f->xen->outstanding_claims++; }

#define NOBODYS "frame * is nobody's, *"
#define COUNT   "frame * has count *, found are *"
#define TYPES   "frame * has type count *"
#define USED_AS "frame * is used as type * but has type_info *"
#define LINEAR  "L? table * has a linear entry that it must not have: *"
#define GIVEN   "a reference to frame *, which nobody was ever given"

/* clang-format off */
static const struct mutant mutants64[] = {
    { "1", "a reference too many",                 COUNT,                              reference_too_many },
    { "1", "a reference too few",                  COUNT,                              reference_too_few },
    { "1", "no allocation, but its reference",     COUNT,                              reference_to_its_own },
    { "1", "pinned without a reference",           COUNT,                              pin_forgotten },
    { "1", "a root that nobody counted",           COUNT,                              root_without_reference },
    { "1", "a user root that nobody counted",      COUNT,                              user_root_without_reference },
    { "1", "an old table that nobody counted",     COUNT,                              old_table_without_reference },
    { "1", "a vcpu_info that nobody counted",      COUNT,                              vcpu_info_without_reference },
    { "1", "an entry that nobody counted",         COUNT,                              map_without_reference },
    { "1", "a free frame is mapped",               NOBODYS,                            free_frame_mapped },
    { "1", "a free frame has a type",              NOBODYS,                            free_frame_typed },
    { "1", "an entry for no frame",                "L1 table * maps frame *",          frame_out_of_range },
    { "1", "a root that is no frame",              "a reference to frame *, which there is not", root_out_of_range },
    { "1", "the M2P is mapped",                    GIVEN,                              m2p_frame },
    { "1", "the firmware is mapped",               GIVEN,                              firmware_frame },
    { "1", "an untouched frame is mapped",         GIVEN,                              untouched_frame },
    { "2", "a type count too many",                TYPES,                              type_too_many },
    { "2", "a type count too few",                 TYPES,                              type_too_few },
    { "2", "a page table is mapped writable",      USED_AS,                            table_writable },
    { "2", "data is an L1 table",                  USED_AS,                            data_as_table },
    { "2", "a GDT page that nobody checked",       USED_AS,                            gdt_page_unchecked },
    { "2", "shared_info may become a table",       TYPES,                              shared_frame_untyped },
    { "3", "not cached, in an L1 entry",           "L1 table * has entry *",           forbidden_bit_l1 },
    { "3", "an L1 entry without US",               "L1 table * has entry *",           supervisor_l1 },
    { "3", "a large page",                         "L2 table * has entry *",           forbidden_bit_l2 },
    { "3", "an L4 entry without US",               "L4 table * has entry *",           supervisor_l4 },
    { "3", "an L3 entry for no frame",             "L3 table * has entry *",           table_out_of_range },
    { "3", "a writable linear L4",                 LINEAR,                             linear_l4_writable },
    { "3", "a writable linear L3",                 LINEAR,                             linear_l3_writable },
    { "3", "a writable linear L2",                 LINEAR,                             linear_l2_writable },
    { "3", "a writable entry for another L2",      LINEAR,                             linear_to_other_writable },
    { "3", "something in Xen's slots",             "L4 table * in Xen's slot 258",     xen_slot },
    { "3", "the descriptor tables for users",      "L4 table * in Xen's slot 260",     perdomain_slot_user },
    { "3", "the M2P writable",                     "L4 table * in Xen's slot 256",     m2p_slot_writable },
    { "3", "a table in use, not validated",        "table * is in use, but neither validated nor partial: *", not_validated },
    { "3", "partial and validated",                "table * is partial, but has *",    partial_and_validated },
    { "3", "partial, with two users",              "table * is partial, but has *",    partial_and_shared },
    { "3", "validated without a user",             "frame * is no table in use, *",    validated_unused },
    { "3", "data that is partial",                 "frame * is no table in use, *",    partial_data },
    { "3", "data that is pinned",                  "frame * is no table in use, *",    pinned_data },
    { "3", "Xen's mark on a 64-bit guest's L2",    "frame * has no entries of Xen's, *", xen_l2_mark_on_l2 },
    { "3", "a partial entry without a reference",  COUNT,                              partial_entry },
    { "4", "another's frame, not granted",         "L1 table * without a grant",       foreign_frame },
    { "4", "another's frame, granted to be read",  "L1 table * without a grant",       foreign_frame_writable },
    { "4", "another's page table",                 "L2 table * of another domain",     foreign_table },
    { "4", "a pin too many",                       "d1's grant 8 has pins *",          pin_count },
    { "4", "a grant of no frame",                  "d1's grant 8 is in use for no frame", grant_of_no_frame },
    { "4", "a mapping too many",                   "d2 has 1 mappings, 2 noted, *",    mapping_count },
    { "4", "free handles are lost",                "d2 has 1 mappings, 1 noted, and 0 free handles *", handle_lost },
    { "5", "a linear entry that is none",          "table * has linear count 1, found is 0", linear_count },
    { "5", "a linear entry not counted",           "table * has linear count *",       linear_count_missing },
    { "6", "a page too many",                      "d1 has * on its lists, *",         page_count },
    { "6", "an extra page among the others",       "d1 has * on its lists, *",         page_extra },
    { "6", "an extra page that is none",           "d1 has * on its lists, *",         page_extra_count },
    { "6", "a frame marked for another list",      "frame * does not belong on list 1 of d1", list_mark },
    { "6", "a link that leads elsewhere",          "frame * does not belong on list 1 of d1", list_link },
    { "6", "another's frame on the list",          "frame * does not belong on list 1 of d1", list_owner },
    { "6", "a list that is too short",             "list 1 of d1 has 64 frames, not 65", list_length },
    { "6", "a list of shared frames, too",         "list 2 of d1 has *",               xen_list_length },
    { "6", "a frame on no list",                   "frame * of d1 is on no list",      off_the_list },
    { "7", "a GDT for users",                      "the descriptor window of d1v0 *",  window_user },
    { "7", "Xen's descriptors writable",           "the descriptor window of d1v0 *",  window_of_xen_writable },
    { "7", "Xen's descriptors replaced",           "the descriptor window of d1v0 *",  window_of_xen_replaced },
    { "7", "an LDT page too many",                 "d1v0 has 0 pages of its LDT mapped, and 1 noted", ldt_count },
    { "8", "a frame free and in use",              "of * frames * are free, *",        frame_lost },
    { "8", "a free frame with a pfn",              "frame * is free, but somebody's pfn 5", free_frame_with_pfn },
    { "8", "a claim too many",                     "domains claim 0 frames, noted are 1", claims_sum },
};

static const struct mutant mutants32[] = {
    { "3", "a writable linear L2",                 LINEAR,                             linear_l2_writable_32 },
    { "3", "a linear L3",                          LINEAR,                             linear_l3_32 },
    { "3", "NX in an L3 of four entries",          "L3 table * has entry *",           nx_in_l3_32 },
    { "3", "an L3 entry as the guest wrote it",    "L3 table * has entry *",           l3_entry_as_written_32 },
    { "3", "a fifth entry",                        "L3 table * of 4 entries has * in slot 4", fifth_slot_32 },
    { "3", "the last L2 without its mark",         USED_AS,                            last_l2_unmarked_32 },
    { "3", "the M2P writable",                     "L2 table * in Xen's slot 428",     m2p_slot_32 },
    { "3", "a table behind the M2P",               "L2 table * in Xen's slot 511",     m2p_slot_behind_32 },
    { "3", "Xen's mark on an L1",                  "frame * has no entries of Xen's, *", xen_l2_mark_on_l1_32 },
    { "3", "something in Xen's own L4",            "L4 table * in Xen's slot 261",     xen_l4_32 },
    { "3", "a root that is not the guest's L3",    "d1v0 has another root than its L3: *", xen_l4_root_32 },
};
/* clang-format on */

/* --- what they have in common --- */

/* Guest 2 maps a frame that guest 1 lends it, read-only. */
static void lend(struct fixture *f)
{
    struct gnttab_map_grant_ref *op = fix_args(f, 2);

    *shared_entry_v1(grants_of(f, 1), GRANT_REF) =
        (grant_entry_v1_t){ .flags = GTF_permit_access | GTF_readonly, .domid = 2, .frame = mfn_x(f->frame[1][LENT]) };
    *op = (struct gnttab_map_grant_ref){ .host_addr = FIX_VA(f->d[2]) + FREE_SLOT * PAGE_SIZE,
                                         .flags = GNTMAP_host_map | GNTMAP_readonly,
                                         .ref = GRANT_REF,
                                         .dom = 1 };
    assert_int_equal(fix_call(f->v[2], do_grant_table_op, GNTTABOP_map_grant_ref, fix_args_va(f, 2), 1, 0), 0);
    assert_int_equal(op->status, GNTST_okay);
}

/* A second L2 of guest 1, and an entry of the first that leads there: linear, and as it may be. */
static void second_l2(struct fixture *f)
{
    assert_int_equal(fix_set(f, 1, L1_64, LENT, 0), 0); /* so that it can be a table, too */
    fix_readonly(f, 1, OTHER_L2, true);
    assert_int_equal(fix_set(f, 1, L3_64, 100, fix_pte(f, 1, OTHER_L2, PTE_RO)), 0);
    assert_int_equal(fix_set(f, 1, L2_64, 6, fix_pte(f, 1, OTHER_L2, PTE_RO)), 0);
}

/* Everything that a mutant may have touched, to put it right again. */
struct snapshot {
    void *ram, *frames;
    struct xen xen;
    struct domain d;
    struct vcpu v[2];
    struct grant_table gt[2];
    struct active_grant_entry active;
};

static void snapshot_take(struct fixture *f, struct snapshot *s)
{
    const size_t ram = f->m->nr_frames << PAGE_SHIFT, frames = f->m->nr_frames * sizeof(struct page_info);

    s->ram = malloc(ram);
    s->frames = malloc(frames);
    assert_true(s->ram && s->frames);
    memcpy(s->ram, f->m->ram, ram);
    memcpy(s->frames, f->xen->frame_table, frames);
    s->xen = *f->xen;
    s->d = *f->d[1];
    s->active = grants_of(f, 1)->active[GRANT_REF];
    for (unsigned int i = 0; i < 2; i++) {
        s->v[i] = *f->d[1]->vcpu[i];
        s->gt[i] = *grants_of(f, (domid_t)(1 + i));
    }
}

static void snapshot_restore(struct fixture *f, struct snapshot *s)
{
    memcpy(f->m->ram, s->ram, f->m->nr_frames << PAGE_SHIFT);
    memcpy(f->xen->frame_table, s->frames, f->m->nr_frames * sizeof(struct page_info));
    *f->xen = s->xen;
    *f->d[1] = s->d;
    grants_of(f, 1)->active[GRANT_REF] = s->active;
    for (unsigned int i = 0; i < 2; i++) {
        *f->d[1]->vcpu[i] = s->v[i];
        *grants_of(f, (domid_t)(1 + i)) = s->gt[i];
    }
    free(s->ram);
    free(s->frames);
}

static char said[ARRAY_SIZE(mutants64) + ARRAY_SIZE(mutants32)][200];
static unsigned int nr_said;

static void try_each(struct fixture *f, const struct mutant *mutants, unsigned int nr)
{
    for (const struct mutant *m = mutants; m < mutants + nr; m++) {
        char *why = said[nr_said++];
        struct snapshot s;

        snapshot_take(f, &s);
        m->fn(f);
        if (!mmu_audit(f->xen, why, sizeof(said[0])))
            fail_msg("rule %s, %s: not seen", m->rule, m->how);
        if (fnmatch(m->says, why, 0))
            fail_msg("rule %s, %s: reported as \"%s\"", m->rule, m->how, why);
        snapshot_restore(f, &s);
        fix_audit(f);
    }
}

/* --- what the checker can say --- */

/*
 * The next message of a source file from *at on, as a pattern: the literals of a call of wrong(), with * for
 * conversions.
 */
static bool next_message(const char **at, char *pattern)
{
    const char *p = strstr(*at, "wrong(a, \"");
    size_t n = 0;

    if (!p)
        return false;
    p += strlen("wrong(a, ");
    while (*p == '"') {
        for (p++; *p != '"'; p++) {
            if (*p != '%') {
                pattern[n++] = *p;
                continue;
            }
            pattern[n++] = '*';
            p += strspn(p + 1, "0123456789l") + 1;
        }
        p += strspn(p + 1, " \n") + 1; /* literals beside each other are one */
    }
    pattern[n] = 0;
    *at = p;
    return true;
}

static void messages_check(const char *path, unsigned int at_least)
{
    char text[65536] = "", pattern[400];
    const char *at = text;
    FILE *file = fopen(path, "r");
    unsigned int nr = 0;

    if (!file)
        fail_msg("%s: %s (tests run from the project's root)", path, strerror(errno));
    assert_in_range(fread(text, 1, sizeof(text) - 1, file), 1000, sizeof(text) - 2);
    fclose(file);
    for (; next_message(&at, pattern); nr++) {
        unsigned int i = 0;

        while (i < nr_said && fnmatch(pattern, said[i], 0))
            i++;
        if (i == nr_said)
            fail_msg("%s: no mutant makes it say \"%s\"", path, pattern);
    }
    assert_true(nr >= at_least); /* or they are no longer found */
    print_message("%s: %u messages, by %u mutants\n", path, nr, nr_said);
}

static void each_rule(void **state)
{
    struct fixture f;

    nr_said = 0;
    fix_open(&f, false);
    second_l2(&f);
    lend(&f);
    fix_audit(&f);
    try_each(&f, mutants64, ARRAY_SIZE(mutants64));
    fix_close(&f);
    fix_open(&f, true);
    try_each(&f, mutants32, ARRAY_SIZE(mutants32));
    fix_close(&f);
    messages_check("mmu/audit.c", 25);
    messages_check("mmu/grant/info.c", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
