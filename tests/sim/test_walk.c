// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page-table walk, against a model that writes out each level, over random tables: shared, looping, with large
 * pages, with frames that the machine does not have. Could pass wrongly if random addresses hardly ever found a page:
 * the share of each outcome is asserted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/walk.h"
#include "tests/support/ram.h"

#define TABLES 24u /* frames 0 to 23 */
#define SLOTS  4u  /* of each, so many are filled: 0, 1, 510, 511 */
#define WALKS  20000

static uint64_t slot_of(uint64_t r) { return r % SLOTS < SLOTS / 2 ? r % SLOTS : PTES_PER_TABLE - SLOTS + r % SLOTS; }

static void fill(struct machine *m)
{
    for (unsigned int t = 0; t < TABLES; t++) {
        uint64_t *table = ram_page(m, _mfn(t));

        for (unsigned int i = 0; i < SLOTS; i++) {
            const uint64_t r = machine_random(m);
            uint64_t e = (r % 16 ? machine_random(m) % TABLES : m->nr_frames + r % 1000) << PAGE_SHIFT;

            e |= r >> 8 & 31 ? _PAGE_PRESENT : 0;
            e |= r >> 16 & 15 ? _PAGE_RW : 0;
            e |= r >> 20 & 15 ? _PAGE_USER : 0;
            e |= r >> 24 & 15 ? 0 : _PAGE_NX;
            e |= r >> 28 & 15 ? 0 : _PAGE_PSE;
            e |= r >> 32 & (_PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_AVAIL);
            table[slot_of(i)] = e;
        }
    }
}

struct model {
    unsigned int level; /* of the last entry that was read */
    uint64_t table, entry, phys;
    bool found, writable, user, executable;
};

/* One entry; false: the walk ends here. */
static bool step(struct machine *m, struct model *x, uint64_t table, unsigned int slot, unsigned int level)
{
    if (table / PAGE_SIZE >= m->nr_frames)
        return false;
    memcpy(&x->entry, (uint8_t *)ram_page(m, _mfn(table / PAGE_SIZE)) + slot * 8, 8);
    x->table = table;
    x->level = level;
    if (x->entry % 2 == 0)
        return false;
    x->writable = x->writable && (x->entry & 2);
    x->user = x->user && (x->entry & 4);
    x->executable = x->executable && !(x->entry >> 63);
    return true;
}

static uint64_t frame_in(uint64_t entry) { return (entry >> 12 & UINT64_C(0xffffffffff)) * 4096; }

static struct model model_walk(struct machine *m, uint64_t root, uint64_t va)
{
    struct model x = { .level = 5, .writable = true, .user = true, .executable = true };

    if (va >> 47 != 0 && va >> 47 != 0x1ffff)
        return x;
    if (!step(m, &x, root, va / (UINT64_C(1) << 39) % 512, 4))
        return x;
    if (!step(m, &x, frame_in(x.entry), va / (UINT64_C(1) << 30) % 512, 3))
        return x;
    if (x.entry & 0x80) {
        x.found = true;
        x.phys = frame_in(x.entry) / (UINT64_C(1) << 30) * (UINT64_C(1) << 30) + va % (UINT64_C(1) << 30);
        return x;
    }
    if (!step(m, &x, frame_in(x.entry), va / (UINT64_C(1) << 21) % 512, 2))
        return x;
    if (x.entry & 0x80) {
        x.found = true;
        x.phys = frame_in(x.entry) / (UINT64_C(1) << 21) * (UINT64_C(1) << 21) + va % (UINT64_C(1) << 21);
        return x;
    }
    if (!step(m, &x, frame_in(x.entry), va / 4096 % 512, 1))
        return x;
    x.found = true;
    x.phys = frame_in(x.entry) + va % 4096;
    return x;
}

static uint64_t random_va(struct machine *m)
{
    uint64_t va = machine_random(m) % PAGE_SIZE;

    for (unsigned int level = 1; level <= 4; level++)
        va |= slot_of(machine_random(m)) << (PAGE_SHIFT + 9 * (level - 1));
    if (va >> 47)
        va |= UINT64_C(0xffff) << 48;
    return machine_random(m) % 20 ? va : va ^ UINT64_C(1) << (47 + machine_random(m) % 17);
}

static void check_access(const struct page_walk *w, const struct model *x)
{
    for (uint32_t access = 0; access < 32; access++) {
        const bool refused =
            ((access & 2) && !x->writable) || ((access & 4) && !x->user) || ((access & 16) && !x->executable);

        assert_int_equal(page_walk_allows(w, access), !refused);
    }
}

static void test_random(void **state)
{
    const struct machine_config cfg = { .ram_mib = 1, .seed = 7 };
    unsigned int ended[6] = { 0 }, large = 0, pages = 0;
    char err[200] = "";
    struct machine *m = machine_create(&cfg, err, sizeof(err));

    (void)state;
    assert_non_null(m);
    for (unsigned int i = 0; i < WALKS; i++) {
        struct page_walk w;
        struct model x;
        uint64_t va;
        mfn_t root;

        if (i % 100 == 0)
            fill(m);
        root = _mfn(machine_random(m) % (TABLES + 1));
        if (mfn_x(root) == TABLES)
            root = machine_random(m) % 2 ? INVALID_MFN : _mfn(m->nr_frames);
        va = random_va(m);
        x = model_walk(m, (mfn_x(root) & UINT64_C(0xffffffffff)) << PAGE_SHIFT, va);
        assert_int_equal(machine_walk(m, root, va, &w), x.found);
        assert_int_equal(w.level, x.level);
        if (x.level < 5) {
            assert_int_equal(w.table, x.table);
            assert_int_equal(w.leaf, x.entry);
            assert_ptr_equal(w.entry, (uint64_t *)ram_page(m, _mfn(PFN_DOWN(x.table))) + pte_index(va, x.level));
        }
        if (x.found) {
            assert_int_equal(w.phys, x.phys);
            check_access(&w, &x);
            large += x.level > 1;
            pages += x.level == 1;
        } else {
            ended[x.level]++;
        }
    }
    assert_in_range(pages, WALKS / 4, WALKS);
    assert_in_range(large, WALKS / 100, WALKS);
    for (unsigned int level = 1; level <= 5; level++)
        assert_in_range(ended[level], WALKS / 200, WALKS);
    machine_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
