// SPDX-License-Identifier: GPL-2.0-or-later
/* The checker finds what is wrong: each invariant is broken by hand, and must be reported as such. */
#include "fixture.h"

enum { L4, L3, L2, L1, DATA = FIX_FREE };

struct breakage {
    const char *name, *reported;
    void (*fn)(struct fixture *f);
};

static void reference_too_many(struct fixture *f) { fix_page(f, 1, DATA)->count_info++; }
static void reference_too_few(struct fixture *f) { fix_page(f, 1, DATA)->count_info--; }
static void type_too_many(struct fixture *f) { fix_page(f, 1, DATA)->type_info++; }
static void pin_forgotten(struct fixture *f) { fix_page(f, 1, L4)->type_info |= PGT_pinned; }
static void table_writable(struct fixture *f) { fix_table(f, f->frame[1][L1])[L2] |= _PAGE_RW; }
static void foreign_frame(struct fixture *f)
{
    fix_table(f, f->frame[1][L1])[100] = fix_pte(f, 2, DATA, PTE_RO);
    fix_page(f, 2, DATA)->count_info++;
}
static void foreign_table(struct fixture *f)
{
    fix_table(f, f->frame[1][L2])[100] = fix_pte(f, 2, L1, PTE_RO);
    fix_page(f, 2, L1)->count_info++;
    fix_page(f, 2, L1)->type_info++;
}
static void free_frame(struct fixture *f)
{
    uint64_t n = mfn_x(f->frame[1][DATA]) & ~UINT64_C(511);

    while (f->xen->frame_table[n].owner || f->xen->frame_table[n].count_info != PGC_state_free)
        n++;
    fix_table(f, f->frame[1][L1])[100] = pte_make(_mfn(n), PTE_RO);
}
static void frame_out_of_range(struct fixture *f)
{
    fix_table(f, f->frame[1][L1])[100] = pte_make(_mfn(f->m->nr_frames), PTE_RO);
}
static void forbidden_bit(struct fixture *f) { fix_table(f, f->frame[1][L2])[0] |= _PAGE_PSE; }
static void supervisor_entry(struct fixture *f) { fix_table(f, f->frame[1][L1])[DATA] &= ~_PAGE_USER; }
static void xen_slot(struct fixture *f) { fix_table(f, f->frame[1][L4])[258] = fix_pte(f, 1, L4, PTE_RO); }
static void m2p_slot_writable(struct fixture *f) { fix_table(f, f->frame[1][L4])[256] |= _PAGE_RW; }
static void not_validated(struct fixture *f) { fix_page(f, 1, L1)->type_info &= ~PGT_validated; }
static void linear_count(struct fixture *f) { fix_page(f, 1, L4)->linear_pt_count++; }
static void page_count(struct fixture *f) { f->d[1]->tot_pages++; }
static void list_link(struct fixture *f) { fix_page(f, 1, DATA)->list = PAGE_LIST_none; }
static void root_without_reference(struct fixture *f) { f->d[1]->vcpu[1]->guest_table = f->frame[1][L4]; }
static void gdt_without_reference(struct fixture *f) { pv_gdt_ptes(f->v[1])[0] = fix_pte(f, 1, DATA, PTE_RO); }

static const struct breakage breakages[] = {
    // clang-format off
    { "a reference too many",       "has count",            reference_too_many },
    { "a reference too few",        "has count",            reference_too_few },
    { "a type count too many",      "type count",           type_too_many },
    { "pinned without reference",   "has count",            pin_forgotten },
    { "a writable page table",      "is used as type 7",    table_writable },
    { "a foreign frame, no grant",  "without a grant",      foreign_frame },
    { "a foreign page table",       "of another domain",    foreign_table },
    { "a free frame is mapped",     "nobody's",             free_frame },
    { "a frame that does not exist", "maps frame",          frame_out_of_range },
    { "a large page",               "has entry",            forbidden_bit },
    { "an entry without US",        "has entry",            supervisor_entry },
    { "something in Xen's slots",   "Xen's slot",           xen_slot },
    { "the M2P writable",           "Xen's slot",           m2p_slot_writable },
    { "a table not validated",      "neither validated",    not_validated },
    { "a wrong linear count",       "linear count",         linear_count },
    { "a wrong page count",         "on its list",          page_count },
    { "a frame not on its list",    "does not belong",      list_link },
    { "a root nobody counted",      "count",                root_without_reference },
    { "a GDT page nobody checked",  "is used as type 5",    gdt_without_reference },
    // clang-format on
};

/* Everything that a breakage may have touched, to put it right again. */
struct snapshot {
    void *ram;
    struct page_info *frames;
    struct domain d;
    struct vcpu v;
};

static void snapshot(struct fixture *f, struct snapshot *s, bool restore)
{
    const size_t ram = f->m->nr_frames << PAGE_SHIFT, frames = f->m->nr_frames * sizeof(*s->frames);

    if (restore) {
        memcpy(f->m->ram, s->ram, ram);
        memcpy(f->xen->frame_table, s->frames, frames);
        *f->d[1] = s->d;
        *f->d[1]->vcpu[1] = s->v;
        free(s->ram);
        free(s->frames);
        return;
    }
    s->ram = malloc(ram);
    s->frames = malloc(frames);
    assert_true(s->ram && s->frames);
    memcpy(s->ram, f->m->ram, ram);
    memcpy(s->frames, f->xen->frame_table, frames);
    s->d = *f->d[1];
    s->v = *f->d[1]->vcpu[1];
}

static void each_invariant(void **state)
{
    struct fixture f;

    fix_open(&f, false);
    for (unsigned int i = 0; i < ARRAY_SIZE(breakages); i++) {
        struct snapshot s;
        char why[200] = "";

        snapshot(&f, &s, false);
        breakages[i].fn(&f);
        if (!mmu_audit(f.xen, why, sizeof(why)))
            fail_msg("not seen: %s", breakages[i].name);
        if (!strstr(why, breakages[i].reported))
            fail_msg("%s: reported as \"%s\"", breakages[i].name, why);
        snapshot(&f, &s, true);
        fix_audit(&f);
    }
    fix_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_invariant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
