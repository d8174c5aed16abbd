// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The translation cache's memory: see tc.h. One lowest table of 512 pages:
 *
 *      0            words that the product writes
 *      64 to 127    code, as far as there is some
 *      256 to 511   the table, of which pages without addresses are one and the same
 */
#include "vcpu/five/tc.h"

#include "mmu/hvm/p2m.h"
#include "mmu/pte.h"
#include "sim/frame.h"

#include <errno.h>
#include <string.h>

#define TABLE_RIGHTS (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)
#define WORD_RIGHTS  TABLE_RIGHTS
#define READ_RIGHTS  (_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY)

#define CODE_PAGE    ((TC_CODE - TC_BASE) / PAGE_SIZE)
#define TABLE_PAGE   ((TC_LOOKUP - TC_BASE) / PAGE_SIZE)
#define PAIRS_A_PAGE (PAGE_SIZE / sizeof(struct tc_pair))

/* -------------------------------------------------------------------------------------------------------- memory -- */

static struct machine *machine_of(const struct domain *d) { return d->xen->machine; }

static bool frame_make(struct domain *d, mfn_t *mfn)
{
    struct page_info *pg = alloc_xenheap_pages(d->xen, 0);

    if (!pg)
        return false;
    *mfn = page_to_mfn(d->xen, pg);
    return true;
}

static void frame_free(struct domain *d, mfn_t mfn)
{
    if (!mfn_eq(mfn, INVALID_MFN))
        free_xenheap_pages(d->xen, mfn_to_page(d->xen, mfn), 0);
}

static void entry_set(struct domain *d, mfn_t table, uint64_t index, mfn_t mfn, uint64_t rights)
{
    const uint64_t *entries = mfn_to_virt(machine_of(d), table);

    frame_write_u64(machine_of(d), &entries[index], mfn_x(mfn) << PAGE_SHIFT | rights);
}

bool tc_code_write(struct domain *d, uint32_t at, const void *bytes, size_t n)
{
    struct tc *tc = d->hvm->tc;

    while (n) {
        const unsigned int page = at / PAGE_SIZE, offset = (unsigned int)PAGE_OFFSET(at);
        const size_t part = n < PAGE_SIZE - offset ? n : PAGE_SIZE - offset;

        if (mfn_eq(tc->code[page], INVALID_MFN)) {
            if (!frame_make(d, &tc->code[page]))
                return false;
            entry_set(d, tc->l1, CODE_PAGE + page, tc->code[page], READ_RIGHTS);
        }
        frame_write_part(machine_of(d), tc->code[page], offset, bytes, (unsigned int)part);
        bytes = (const uint8_t *)bytes + part;
        at += (uint32_t)part;
        n -= part;
    }
    return true;
}

static void table_clear(struct domain *d, mfn_t mfn)
{
    struct tc_pair *pair = frame_write_begin(machine_of(d), mfn);

    for (unsigned int i = 0; i < PAIRS_A_PAGE; i++)
        pair[i] = (struct tc_pair){ 0, TC_MISS };
    frame_write_end(machine_of(d), mfn);
}

bool tc_table_set(struct domain *d, uint64_t rip, uint64_t product)
{
    struct tc *tc = d->hvm->tc;
    const unsigned int at = (unsigned int)(rip & 0xffff), page = at / PAIRS_A_PAGE;
    struct tc_pair *pair;

    if (mfn_eq(tc->table[page], INVALID_MFN)) {
        if (!frame_make(d, &tc->table[page]))
            return false;
        table_clear(d, tc->table[page]);
        entry_set(d, tc->l1, TABLE_PAGE + page, tc->table[page], READ_RIGHTS);
        machine_mappings_gone(machine_of(d));
    }
    pair = frame_write_begin(machine_of(d), tc->table[page]);
    pair[at % PAIRS_A_PAGE] = (struct tc_pair){ product == TC_MISS ? 0 : -rip, product };
    frame_write_end(machine_of(d), tc->table[page]);
    return true;
}

uint64_t tc_word(const struct domain *d, enum tc_word w)
{
    return ((const uint64_t *)mfn_to_virt(machine_of(d), d->hvm->tc->words))[w / 8];
}

void tc_word_set(struct domain *d, enum tc_word w, uint64_t val)
{
    const uint64_t *words = mfn_to_virt(machine_of(d), d->hvm->tc->words);

    if (words[w / 8] != val)
        frame_write_u64(machine_of(d), &words[w / 8], val);
}

/* ---------------------------------------------------------------------------------------------------------- life -- */

bool tc_empty(struct domain *d)
{
    static const uint8_t ud2[] = { 0x0f, 0x0b };
    struct tc *tc = d->hvm->tc;

    tc->nr_blocks = 0;
    memset(tc->hash, 0, sizeof(tc->hash));
    tc->used = sizeof(ud2);
    tc->map[0] = (struct tc_map){ .kind = TC_INDIRECT, .out = true };
    tc->nr_map = 1;
    tc->nr_text = 0;
    tc->resumes = tc->wants_block = false;
    return tc_code_write(d, 0, ud2, sizeof(ud2));
}

int tc_init(struct domain *d)
{
    struct tc *tc = xzalloc(machine_of(d)->arena, struct tc);

    if (!tc)
        return -ENOMEM;
    d->hvm->tc = tc;
    tc->l1 = tc->l2 = tc->l3 = tc->words = tc->empty = INVALID_MFN;
    for (unsigned int i = 0; i < ARRAY_SIZE(tc->code); i++)
        tc->code[i] = INVALID_MFN;
    for (unsigned int i = 0; i < ARRAY_SIZE(tc->table); i++)
        tc->table[i] = INVALID_MFN;
    if (!frame_make(d, &tc->l1) || !frame_make(d, &tc->l2) || !frame_make(d, &tc->l3) || !frame_make(d, &tc->words) ||
        !frame_make(d, &tc->empty) || !tc_empty(d))
        return -ENOMEM;
    table_clear(d, tc->empty);
    entry_set(d, tc->l3, 0, tc->l2, TABLE_RIGHTS);
    entry_set(d, tc->l2, 0, tc->l1, TABLE_RIGHTS);
    entry_set(d, tc->l1, 0, tc->words, WORD_RIGHTS);
    for (unsigned int i = 0; i < ARRAY_SIZE(tc->table); i++)
        entry_set(d, tc->l1, TABLE_PAGE + i, tc->empty, READ_RIGHTS);
    shadow_set_monitor(d, TC_SLOT, mfn_x(tc->l3) << PAGE_SHIFT | TABLE_RIGHTS);
    return 0;
}

void tc_destroy(struct domain *d)
{
    struct tc *tc = d->hvm->tc;

    if (!tc)
        return;
    for (unsigned int i = 0; i < ARRAY_SIZE(tc->code); i++)
        frame_free(d, tc->code[i]);
    for (unsigned int i = 0; i < ARRAY_SIZE(tc->table); i++)
        frame_free(d, tc->table[i]);
    frame_free(d, tc->l1);
    frame_free(d, tc->l2);
    frame_free(d, tc->l3);
    frame_free(d, tc->words);
    frame_free(d, tc->empty);
    xfree(tc);
    d->hvm->tc = NULL;
}
