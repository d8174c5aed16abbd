// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 20: the p2m of an HVM guest, in the form in which the processor walks it.
 *
 * Concept: each step changes an entry, or looks. What came of it is asked twice: of p2m_get_entry(), and of a walk as
 * the processor makes it (sim/nested.h), which knows nothing of types. Where something is taken away, who has copies
 * must hear of it, and find it gone: the TLB, and p2m_domain.gone.
 *
 * What there is to be taken away is remembered here, by what was said to succeed. Frames are numbers: an entry of the
 * p2m holds no reference.
 */
#include "labs/kit/kit.h"
#include "mmu/hvm/p2m.h"
#include "mmu/pte.h"
#include "sim/nested.h"
#include "sim/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS  250
#define KNOWN  64 /* gfns that are used */
#define HOARD  32768
#define FREE   512 /* frames, when there is no want of them: more than tables take */
#define NO_MFN UINT64_MAX

static const struct type_row {
    const char *name;
    bool r, w, x;
} types[] = {
    [p2m_mmio_dm] = { "mmio_dm", false, false, false },
    [p2m_ram_rw] = { "ram_rw", true, true, true },
    [p2m_ram_ro] = { "ram_ro", true, false, true },
    [p2m_ram_logdirty] = { "ram_logdirty", true, false, true },
    [p2m_populate_on_demand] = { "populate_on_demand", false, false, false },
    [p2m_mmio_direct] = { "mmio_direct", true, false, false },
    [p2m_grant_map_rw] = { "grant_map_rw", true, true, false },
    [p2m_grant_map_ro] = { "grant_map_ro", true, false, false },
    [p2m_map_foreign] = { "map_foreign", true, true, false },
};
#define TYPES (sizeof(types) / sizeof(types[0]))

/* Where tables begin and end, and where the address space does. */
static const uint64_t corners[] = { 0, 1, 511, 512, 0x3ffff, 0x40000, 0x7ffffff, 0x8000000, P2M_MAX_GFN - 1 };
static const uint64_t beyond[] = { P2M_MAX_GFN + 1, UINT64_C(1) << 36, (UINT64_C(1) << 36) + 1, UINT64_MAX };

static const uint64_t frames[] = { 1, 0x100, 0x101, 0x1ff, 0x5fff };

static struct lab {
    struct kit_scene *k;
    struct domain *d;
    uint64_t avail;
    struct {
        uint64_t gfn, mfn;
        p2m_type_t t;
    } known[KNOWN];
    unsigned int nr;
    /* Of the entry that is being changed: */
    uint64_t gfn, old, new, heard;
    const struct type_row *becomes;
    bool there;                     /* when p2m_domain.gone was called, what was to be taken away was there */
    struct page_info *hoard[HOARD]; /* frames that nobody else is to have */
    unsigned int hoarded;
} lab;

/* No more frames than that are free from now on. How many were hoarded before? */
static unsigned int hoard(uint64_t left)
{
    const unsigned int was = lab.hoarded;

    while (lab.hoarded < HOARD && avail_domheap_pages(lab.k->xen) > left)
        lab.hoard[lab.hoarded++] = alloc_xenheap_pages(lab.k->xen, 0);
    return was;
}

static void hoard_until(unsigned int was)
{
    while (lab.hoarded > was)
        free_xenheap_pages(lab.k->xen, lab.hoard[--lab.hoarded], 0);
}

/* As the processor finds it: NO_MFN if the access is not allowed. */
static uint64_t hardware(uint64_t gfn, uint32_t access)
{
    uint64_t phys;
    uint32_t error;
    bool writable;

    return nested_translate(mfn_x(lab.d->p2m->root) << PAGE_SHIFT, gfn << PAGE_SHIFT, access, machine_table, lab.k->m,
                            &phys, &writable, &error)
               ? PFN_DOWN(phys)
               : NO_MFN;
}

static void gone(struct domain *d, mfn_t mfn)
{
    (void)d;
    lab.heard = mfn_x(mfn);
    lab.there |= hardware(lab.gfn, 0) == lab.old && lab.old != lab.new;
    lab.there |= hardware(lab.gfn, PFEC_write_access) != NO_MFN && !lab.becomes->w;
    lab.there |= hardware(lab.gfn, PFEC_insn_fetch) != NO_MFN && !lab.becomes->x;
}

static void *begin(void)
{
    lab.k = kit_scene_hvm(true, 0);
    lab.d = lab.k->d;
    p2m_teardown(lab.d);
    hoard(FREE);
    lab.avail = avail_domheap_pages(lab.k->xen);
    if (p2m_init(lab.d))
        kit_die("there is no memory for a p2m");
    lab.d->p2m->gone = gone;
    return &lab;
}

/* ------------------------------------------------------------------------------------------ what can be observed -- */

static void allows(char *text, size_t size, uint64_t gfn)
{
    static const struct {
        const char *name;
        uint32_t access;
    } rows[] = { { "read", 0 }, { "write", PFEC_write_access }, { "fetch", PFEC_insn_fetch } };
    size_t n = 0;

    for (unsigned int i = 0; i < 3 && n < size; i++) {
        const uint64_t mfn = hardware(gfn, rows[i].access);

        n += (size_t)(mfn == NO_MFN
                          ? snprintf(text + n, size - n, "%s%s refused", i ? ", " : "", rows[i].name)
                          : snprintf(text + n, size - n, "%s%s frame %#" PRIx64, i ? ", " : "", rows[i].name, mfn));
    }
}

/* AMD APM volume 2, 15.25.5: to the nested tables each access is one of user mode. */
static bool user_everywhere(uint64_t gfn)
{
    const uint64_t *table = mfn_to_virt(lab.k->m, lab.d->p2m->root);

    for (unsigned int level = 4; level; level--) {
        const uint64_t e = table[pte_index(gfn << PAGE_SHIFT, level)];

        if (!(e & _PAGE_PRESENT) || !mfn_valid(lab.k->m, pte_mfn(e)))
            return true;
        if (!(e & _PAGE_USER))
            return false;
        table = mfn_to_virt(lab.k->m, pte_mfn(e));
    }
    return true;
}

static void look(uint64_t gfn)
{
    p2m_type_t t = p2m_mmio_dm;
    const mfn_t mfn = p2m_get_entry(lab.d, gfn, &t);
    char text[120];

    if (mfn_eq(mfn, INVALID_MFN))
        kit_fact("entry", "no frame, %s", t < TYPES ? types[t].name : "a type that there is not");
    else
        kit_fact("entry", "frame %#" PRIx64 ", %s", mfn_x(mfn), t < TYPES ? types[t].name : "a type that there is not");
    if (gfn > P2M_MAX_GFN)
        return;
    allows(text, sizeof(text), gfn);
    kit_fact("hardware", "%s%s", text, user_everywhere(gfn) ? "" : "; but an entry on the way is without US");
}

static unsigned int tables_below(uint64_t mfn, unsigned int level)
{
    const uint64_t *table = mfn_to_virt(lab.k->m, _mfn(mfn));
    unsigned int n = 1;

    for (unsigned int i = 0; level > 1 && i < PTES_PER_TABLE; i++)
        if (table[i] & _PAGE_PRESENT && mfn_valid(lab.k->m, pte_mfn(table[i])))
            n += tables_below(mfn_x(pte_mfn(table[i])), level - 1);
    return n;
}

/* --------------------------------------------------------------------------------------------------------- steps -- */

static uint64_t any_gfn(void)
{
    switch (kit_random(12)) {
    case 0: return beyond[kit_random(sizeof(beyond) / sizeof(beyond[0]))];
    case 1: return P2M_MAX_GFN - kit_random(2);
    case 2:
    case 3: return corners[kit_random(sizeof(corners) / sizeof(corners[0]))];
    default: return 0x3fffc + kit_random(8);
    }
}

static unsigned int known(uint64_t gfn)
{
    unsigned int i = 0;

    while (i < lab.nr && lab.known[i].gfn != gfn)
        i++;
    if (i == lab.nr && lab.nr < KNOWN) {
        lab.known[lab.nr].gfn = gfn;
        lab.known[lab.nr].t = p2m_mmio_dm;
        lab.known[lab.nr++].mfn = NO_MFN;
    }
    return i;
}

/* Is there less than there was? */
static bool takes(p2m_type_t was, uint64_t old, p2m_type_t t, uint64_t mfn)
{
    return types[was].r &&
           (old != mfn || !types[t].r || (types[was].w && !types[t].w) || (types[was].x && !types[t].x));
}

static const char *answer(int rc)
{
    return !rc ? "0" : rc == -EINVAL ? "-EINVAL" : rc == -ENOMEM ? "-ENOMEM" : "another error";
}

static void set(uint64_t gfn, uint64_t mfn, p2m_type_t t)
{
    const unsigned int i = known(gfn);
    const p2m_type_t was = i < KNOWN ? lab.known[i].t : p2m_mmio_dm;
    const uint64_t told = lab.k->m->edges->told_gone;
    int rc;

    lab.gfn = gfn;
    lab.old = i < KNOWN ? lab.known[i].mfn : NO_MFN;
    lab.new = mfn;
    lab.becomes = &types[t];
    lab.heard = NO_MFN;
    lab.there = false;
    lab.d->p2m->gone = kit_random(8) ? gone : NULL; /* a guest without shadows has none */
    rc = p2m_set_entry(lab.d, gfn, mfn == NO_MFN ? INVALID_MFN : _mfn(mfn), t);
    kit_fact("answer", "%s", answer(rc));
    look(gfn);
    if (!rc && takes(was, lab.old, t, mfn)) {
        kit_fact("tlb", "%s that %s", lab.k->m->edges->told_gone > told ? "told" : "not told",
                 !types[t].r      ? "nothing is there any more"
                 : lab.old != mfn ? "another frame is there"
                                  : "less is allowed");
        if (!lab.d->p2m->gone)
            kit_fact("gone", "nobody wants to hear");
        else if (lab.there)
            kit_fact("gone", "called while the entry still is what it was");
        else if (lab.heard == NO_MFN)
            kit_fact("gone", "not called");
        else
            kit_fact("gone", "called for frame %#" PRIx64 ", when the entry is another", lab.heard);
    }
    if (lab.heard != NO_MFN && lab.heard != lab.old)
        kit_fact("gone", "called for frame %#" PRIx64 ", which was not there", lab.heard);
    else
        kit_fact("gone", "not called for what was not there");
    if (!rc && i < KNOWN) {
        lab.known[i].t = t;
        lab.known[i].mfn = mfn;
    }
    kit_fact("counts", "max_mapped_gfn %#" PRIx64 ", pod.entries %" PRIu64, lab.d->p2m->max_mapped_gfn,
             lab.d->p2m->pod.entries);
}

static void restrict_step(p2m_type_t t)
{
    const uint64_t e = (kit_random(2) ? _PAGE_RW : 0) | (kit_random(2) ? _PAGE_NX : 0) |
                       (kit_random(2) ? _PAGE_USER : 0) | _PAGE_PRESENT | (kit_random(2) ? _PAGE_DIRTY : 0) |
                       kit_random(1 << 20) << PAGE_SHIFT;

    kit_step("p2m_restrict(%s, an entry %#" PRIx64 ": %s, %s)", types[t].name, e, e & _PAGE_RW ? "RW" : "read only",
             e & _PAGE_NX ? "NX" : "may be executed");
    kit_fact("merge", "%#" PRIx64, p2m_restrict(t, e));
}

static void step(void *data, unsigned int number)
{
    const p2m_type_t t = (p2m_type_t)kit_random(TYPES);
    const uint64_t gfn = any_gfn(), mfn = types[t].r ? frames[kit_random(5)] : NO_MFN, kind = kit_random(100);
    char what[80];

    (void)data, (void)number;
    snprintf(what, sizeof(what),
             types[t].r ? "gfn %#" PRIx64 " becomes %s, frame %#" PRIx64 : "gfn %#" PRIx64 " becomes %s", gfn,
             types[t].name, mfn);
    if (kind < 70) {
        kit_step("%s", what);
        set(gfn, mfn, t);
    } else if (kind < 80) {
        kit_step("what is at gfn %#" PRIx64 "?", gfn);
        look(gfn);
    } else if (kind < 92) {
        restrict_step(t);
    } else {
        const unsigned int left = (unsigned int)kit_random(4), was = hoard(left);

        kit_step("%s, with %u frames free", what, left);
        set(gfn, mfn, t);
        hoard_until(was);
    }
}

static void end(void *data)
{
    const unsigned int n = tables_below(mfn_x(lab.d->p2m->root), 4);
    uint64_t left;

    (void)data;
    kit_count("tables", n);
    kit_fact("nr_tables", n == lab.d->p2m->nr_tables ? "as many as there are" : "%" PRIu64 ", and there are %u",
             lab.d->p2m->nr_tables, n);
    p2m_teardown(lab.d);
    left = lab.avail - avail_domheap_pages(lab.k->xen);
    kit_fact("memory", left ? "%" PRId64 " frames are missing" : "all frames are free again", (int64_t)left);
    hoard_until(0);
    if (p2m_init(lab.d))
        kit_die("there is no memory for a p2m");
    kit_scene_end(lab.k);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
