// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 19: shadow page tables, asked by somebody who plays the processor and the guest.
 *
 * Concept: the guest has page tables in each format, which lead to each other and to themselves, and a window through
 * which it reaches all of its memory. The processor knows shadows alone; what an access comes to is reported: where it
 * ends, or which fault it is. Which property that is of, the guest's own walk says (sim/nested.h), which is xenlab's.
 *
 *      gfn 16, 20   L4       24..27   L1                  40..55   data
 *          17, 32   L3       22       L2 of legacy
 *          18, 33   L2       28..31   L1 of legacy
 *          21       PAE's L3, two of them             34   L2, which leads to the same L1
 *          8        the monitor's L3, where it has one: nothing
 *          19, 23   the window's L1, wide and legacy: gfn << 12 is where gfn is
 *
 * Budget: over 400 lines: the guest's tables in all formats, and one file a check.
 */
#include "labs/kit/kit.h"
#include "mmu/hvm/p2m.h"
#include "mmu/hvm/shadow.h"
#include "mmu/m2p.h"
#include "mmu/pte.h"
#include "sim/frame.h"
#include "sim/walk.h"
#include "vcpu/hvm/hvm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 220
#define PAGES 64
#define TRIES 8 /* of one access, before nobody believes that it will ever be done */
#define TABLE (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER)
#define DATA  40

static struct kit_scene *k;
static struct domain *d;
static uint64_t fills, stores;

static const struct mode_row {
    const char *name;
    uint64_t cr0, cr4, efer;
} modes[] = {
    { "no paging", X86_CR0_PE, 0, 0 },
    { "legacy", X86_CR0_PE | X86_CR0_PG, 0, 0 },
    { "legacy, PSE", X86_CR0_PE | X86_CR0_PG, X86_CR4_PSE, 0 },
    { "PAE", X86_CR0_PE | X86_CR0_PG, X86_CR4_PAE, 0 },
    { "long mode", X86_CR0_PE | X86_CR0_PG, X86_CR4_PAE, EFER_LME | EFER_LMA },
};
enum { NO_PAGING, LEGACY, LEGACY_PSE, PAE, LONG };

static unsigned int mode_of(void)
{
    const struct cpu_state *r = k->v->regs;

    return !(r->cr0 & X86_CR0_PG) ? NO_PAGING
           : r->efer & EFER_LMA   ? LONG
           : r->cr4 & X86_CR4_PAE ? PAE
           : r->cr4 & X86_CR4_PSE ? LEGACY_PSE
                                  : LEGACY;
}

static struct nested_regs regs(void)
{
    const struct cpu_state *r = k->v->regs;

    return (struct nested_regs){ r->cr0, r->cr3, r->cr4, r->efer, r->ncr3 };
}

static mfn_t frame(uint64_t gfn)
{
    p2m_type_t t;

    return p2m_get_entry(d, gfn, &t);
}

/* ------------------------------------------------------------------------------------------------- the processor -- */

/* Whether a frame is a table whose shadow would not hear of a store. */
static bool is_guarded(mfn_t mfn) { return shadow_guarded(d->p2m->shadow, mfn); }

/* By an instruction of the guest's: the hypervisor does not hear of it. */
static void store_quietly(uint64_t phys, uint64_t val, unsigned int size)
{
    const mfn_t mfn = _mfn(PFN_DOWN(phys));
    uint8_t *mark = &k->m->shadowed->mark[mfn_x(mfn)];
    const uint8_t was = *mark;

    *mark = 0;
    memcpy((uint8_t *)frame_write_begin(k->m, mfn) + PAGE_OFFSET(phys), &val, size);
    frame_write_end(k->m, mfn);
    *mark = was;
}

/* By the hypervisor, in the guest's place. False: the guest is to do it itself. */
static bool store_for_it(uint64_t phys, uint64_t val, unsigned int size)
{
    const mfn_t mfn = _mfn(PFN_DOWN(phys));
    const unsigned int said = phys & 8 ? SHADOW_STORE_BYTES : size; /* who carries it out may not know how many */

    if (!shadow_store_begin(d, phys))
        return false;
    memcpy((uint8_t *)frame_write_begin(k->m, mfn) + PAGE_OFFSET(phys), &val, size);
    frame_write_end(k->m, mfn);
    shadow_store_end(d, phys, said);
    return true;
}

static bool shadow_allows(uint64_t root, const struct nested_regs *r, uint64_t va, uint32_t access, uint64_t *phys)
{
    struct page_walk s;

    if (!machine_walk(k->m, _mfn(PFN_DOWN(root)), va, &s) || !page_walk_allows(&s, access))
        return false;
    *phys = s.phys;
    return !(r->cr4 & X86_CR4_SMEP && r->cr0 & X86_CR0_PG && s.rights & _PAGE_USER &&
             (access & (PFEC_insn_fetch | PFEC_user_mode)) == PFEC_insn_fetch);
}

struct access {
    uint64_t va;
    uint32_t access;
    const uint64_t *val; /* that is stored; NULL: nothing is, it is only asked whether it may be */
    unsigned int size;
    char text[100]; /* what it came to */
    bool gone;      /* before it is heard of, all shadows go */
    bool again;     /* the guest is to make it itself, now */
    bool unheard;   /* it was allowed to store to a table that has a shadow */
};

static void where(struct access *a, uint64_t phys)
{
    const uint64_t gfn =
        mfn_valid(k->m, _mfn(PFN_DOWN(phys))) ? get_gpfn_from_mfn(d->xen, _mfn(PFN_DOWN(phys))) : PAGES;

    if (gfn < PAGES)
        snprintf(a->text, sizeof(a->text), "done, at guest-physical %#" PRIx64, gfn << PAGE_SHIFT | PAGE_OFFSET(phys));
    else
        snprintf(a->text, sizeof(a->text), "done, in a frame that is not the guest's");
}

/* The instruction that stores is carried out, or the table has no shadow any more. */
static void store_wanted(struct access *a, uint64_t phys)
{
    if (!(a->access & PFEC_write_access) || !mfn_valid(k->m, _mfn(PFN_DOWN(phys)))) {
        snprintf(a->text, sizeof(a->text), "SHADOW_STORE, and it is no store, or w->phys is nowhere");
        return;
    }
    if (a->val && shadow_is_table(d, phys)) {
        a->again = !store_for_it(phys, *a->val, a->size);
    } else if (a->val) {
        store_quietly(phys, *a->val, a->size);
    }
    where(a, phys);
}

/* Once more round. False: it is over, and a->text says how. */
static bool access_faults(struct access *a, const struct nested_regs *r)
{
    struct nested_walk w = { 0 };

    switch (shadow_fault(d, &k->v->hvm->shadow, r, a->va, a->access, &w)) {
    case SHADOW_FILLED: fills++; return true;
    case SHADOW_TRUE:
        snprintf(a->text, sizeof(a->text), "a page fault of the guest's, error code %#x", w.error_code);
        return false;
    case SHADOW_NPF:
        snprintf(a->text, sizeof(a->text), "nothing there, or guarded: guest-physical %#" PRIx64 ", error code %#x",
                 w.gpa, w.error_code);
        return false;
    case SHADOW_STORE: stores++, store_wanted(a, w.phys); return a->again;
    case SHADOW_TAKEN: snprintf(a->text, sizeof(a->text), "the guest's memory, and the monitor's"); return false;
    default: snprintf(a->text, sizeof(a->text), "an answer that there is not"); return false;
    }
}

static void access_do(struct access *a)
{
    const struct nested_regs r = regs();
    uint64_t phys;

    for (unsigned int tries = 0; tries < TRIES; tries++) {
        const uint64_t root = shadow_root(d, &k->v->hvm->shadow, &r);

        if (!root)
            kit_die("there is no memory for a root");
        if (!shadow_allows(root, &r, a->va, a->access, &phys)) {
            if (a->gone && !tries)
                shadow_blow_tables(d);
            if (!access_faults(a, &r))
                return;
            continue;
        }
        where(a, phys);
        if (a->access & PFEC_write_access && a->text[6] == 'a') {
            a->unheard = is_guarded(_mfn(PFN_DOWN(phys)));
            if (a->val)
                store_quietly(phys, *a->val, a->size);
        }
        return;
    }
    snprintf(a->text, sizeof(a->text), "%d times filled, and it still faults", TRIES);
}

/* --------------------------------------------------------------------------------------------------------- facts -- */

static void bits(const struct nested_walk *w)
{
    char text[100] = "";
    size_t n = 0;

    for (unsigned int i = 0; i < w->nr && n < sizeof(text); i++) {
        const struct nested_step *s = &w->step[i];
        uint64_t e = 0;

        memcpy(&e, (const uint8_t *)mfn_to_virt(k->m, _mfn(PFN_DOWN(s->phys))) + PAGE_OFFSET(s->phys), s->size);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%sL%u %s%s%s", i ? ", " : "", s->level,
                              e & _PAGE_ACCESSED ? "A" : "", e & _PAGE_DIRTY ? "D" : "",
                              e & (_PAGE_ACCESSED | _PAGE_DIRTY) ? "" : "-");
    }
    kit_fact("bits", "%s", w->nr ? text : "no tables");
}

static void audit(void)
{
    char why[160] = "";

    kit_fact("audit", "%s", shadow_audit(d, why, sizeof(why)) ? "clean" : why);
}

static bool is_monitors(uint64_t va)
{
    const struct nested_regs r = regs();

    return shadow_is_monitors(d->p2m->shadow, shadow_role_of(&r, 4), (unsigned int)pte_index(va, 4));
}

/* An access, and what came of it; of a property that is given, or of that which it is by the guest's tables. */
static void access_made(struct access a, const char *property)
{
    const uint64_t va = a.va;
    const uint32_t access = a.access;
    const struct nested_regs r = regs();
    struct nested_walk w = { .nr = 0 };
    const enum nested_result result = nested_walk(&r, va, access, machine_table, k->m, &w);

    access_do(&a);
    kit_fact(property               ? property
             : result == NESTED_PF  ? "fault"
             : result == NESTED_NPF ? "nested"
             : is_monitors(va)      ? "taken"
                                    : "reach",
             "%s", a.text);
    if (is_monitors(va)) {
        if (a.text[0] == 'd') /* done: its entry is lost, and in no chain. Who takes that one out looks for ever */
            exit(0);
        return;
    }
    if (result == NESTED_OK && access & PFEC_write_access)
        kit_fact("guard", "%s",
                 a.unheard ? "the guest may store to a table that has a shadow" : "no store goes unheard");
    if (!a.val && result != NESTED_NPF) /* then it may have set them, or not */
        bits(&w);
}

static void access_report(uint64_t va, uint32_t access, const uint64_t *val, unsigned int size, const char *property)
{
    access_made((struct access){ .va = va, .access = access, .val = val, .size = size }, property);
}

static const char *access_name(uint32_t access)
{
    static const char *const names[] = { "the kernel reads", "the kernel writes",   "a process reads",
                                         "a process writes", "the kernel jumps to", "a process jumps to" };

    if (access & PFEC_insn_fetch)
        return names[access & PFEC_user_mode ? 5 : 4];
    return names[(access & PFEC_user_mode ? 2 : 0) + (access & PFEC_write_access ? 1 : 0)];
}

static const char *mode_text(void)
{
    static char text[60];
    const struct cpu_state *r = k->v->regs;

    snprintf(text, sizeof(text), "%s%s%s%s", modes[mode_of()].name, r->cr0 & X86_CR0_WP ? ", WP" : "",
             r->cr4 & X86_CR4_SMEP ? ", SMEP" : "", r->efer & EFER_NXE ? ", NXE" : "");
    return text;
}

/* ---------------------------------------------------------------------------------------------------- the guest -- */

static void poke(uint64_t gfn, unsigned int at, uint64_t val, unsigned int size)
{
    memcpy((uint8_t *)frame_write_begin(k->m, frame(gfn)) + at, &val, size);
    frame_write_end(k->m, frame(gfn));
}

/* An entry of one of its tables that may be another at any time; those that the window is reached by may not. */
struct entry {
    uint64_t gfn, va; /* va: an address that it is read for, mostly */
    unsigned int index, size, level;
    uint64_t val;
};

static uint64_t flags(bool wide)
{
    return (kit_random(12) ? _PAGE_PRESENT : 0) | (kit_random(5) ? _PAGE_RW : 0) | (kit_random(5) ? _PAGE_USER : 0) |
           (kit_random(2) ? _PAGE_ACCESSED : 0) | (kit_random(2) ? _PAGE_DIRTY : 0) |
           (wide && !kit_random(10) ? _PAGE_NX : 0);
}

static uint64_t leaf_gfn(void)
{
    switch (kit_random(8)) {
    case 0: return 16 + kit_random(18); /* a table */
    case 1: return 60 + kit_random(8);  /* the last of memory, and where there is none */
    default: return DATA + kit_random(8);
    }
}

static struct entry any_entry(bool wide)
{
    struct entry e = { .size = wide ? 8 : 4, .level = (unsigned int)(kit_random(3) ? 1 : 2) };
    const unsigned int l1 = (unsigned int)kit_random(4);
    uint64_t to;

    if (wide && !kit_random(8))
        e.level = 3;
    if (e.level == 1) {
        e.gfn = (wide ? 24 : 28) + l1;
        e.index = (kit_random(8) ? (unsigned int)kit_random(4) : 511) + (wide || kit_random(3) ? 0 : 512);
        e.va = (uint64_t)(l1 + 1) << (wide ? 21 : 22) | (uint64_t)e.index << PAGE_SHIFT;
        to = leaf_gfn();
    } else if (e.level == 2) {
        e.gfn = wide ? 18 : 22;
        e.index = kit_random(8) ? 1 + (unsigned int)kit_random(5) : 255;
        e.index += wide || kit_random(3) ? 0 : 256 * (unsigned int)kit_random(4);
        e.va = (uint64_t)e.index << (wide ? 21 : 22) | kit_random(3) << PAGE_SHIFT;
        to = (wide ? 24 : 28) + kit_random(4);
    } else if (kit_random(2)) { /* PAE's: more than P is reserved */
        e.gfn = 21;
        e.index = 1 + (unsigned int)kit_random(7);
        e.index += e.index == 4; /* the window of the second */
        e.va = (uint64_t)(e.index % 4) << 30 | kit_random(4) << 21 | kit_random(3) << PAGE_SHIFT;
        e.val = (kit_random(2) ? 18 : 33) << PAGE_SHIFT | (kit_random(6) ? _PAGE_PRESENT : 0);
        return e;
    } else {
        e.gfn = 17;
        e.index = 1 + (unsigned int)kit_random(2);
        e.va = (uint64_t)e.index << 30 | kit_random(4) << 21 | kit_random(3) << PAGE_SHIFT;
        to = kit_random(2) ? 18 : 33;
    }
    if (!kit_random(16))
        to = 16 + kit_random(18);
    e.val = to << PAGE_SHIFT | flags(wide);
    if (e.level == 2 && !kit_random(5)) /* a large page of the memory that there is */
        e.val = (e.val & (0xfff | _PAGE_NX)) | _PAGE_PSE;
    return e;
}

static void tables(void)
{
    for (uint64_t gfn = 0; gfn < PAGES; gfn++) {
        poke(19, 8 * (unsigned int)gfn, gfn << PAGE_SHIFT | TABLE, 8);
        poke(23, 4 * (unsigned int)gfn, gfn << PAGE_SHIFT | TABLE, 4);
    }
    for (unsigned int i = 0; i < 120; i++) {
        const struct entry e = any_entry(i % 2);

        poke(e.gfn, e.index * e.size, e.val, e.size);
    }
    for (unsigned int i = 0; i < 4; i++) {
        poke(18, 8 * (1 + i), (24 + i) << PAGE_SHIFT | TABLE, 8);
        poke(33, 8 * i, (24 + i) << PAGE_SHIFT | TABLE, 8);
        poke(34, 8 * i, (24 + i) << PAGE_SHIFT | TABLE, 8);
        poke(22, 4 * (1 + i), (28 + i) << PAGE_SHIFT | TABLE, 4);
        poke(21, 8 * i, (i % 2 ? 33 : 18) << PAGE_SHIFT | _PAGE_PRESENT, 8);
        poke(21, 32 + 8 * i, (i % 3 ? 33 : 18) << PAGE_SHIFT | _PAGE_PRESENT, 8);
    }
    for (unsigned int i = 0; i < 4; i++) { /* the last of tables and of halves and quarters */
        poke(18, 8 * 255, 27 << PAGE_SHIFT | TABLE, 8);
        poke(22, 4 * (256 * i + 255), (28 + i) << PAGE_SHIFT | TABLE, 4);
        poke(24 + i, 8 * 511, (DATA + i) << PAGE_SHIFT | TABLE, 8);
        poke(28 + i, 4 * 511, (DATA + i) << PAGE_SHIFT | TABLE, 4);
        poke(28 + i, 4 * 1023, (DATA + 4 + i) << PAGE_SHIFT | TABLE, 4);
    }
    poke(16, 0, 17 << PAGE_SHIFT | TABLE, 8);
    poke(16, 8, 32 << PAGE_SHIFT | TABLE, 8);
    poke(20, 0, 17 << PAGE_SHIFT | TABLE, 8);
    poke(17, 0, 18 << PAGE_SHIFT | TABLE, 8);
    poke(32, 0, 18 << PAGE_SHIFT | TABLE, 8);
    poke(17, 8 * 5, 34 << PAGE_SHIFT | TABLE, 8);
    poke(18, 0, 19 << PAGE_SHIFT | TABLE, 8);
    poke(22, 0, 23 << PAGE_SHIFT | TABLE, 4);
}

static void mode_set(unsigned int mode)
{
    struct cpu_state *r = k->v->regs;

    r->cr0 = modes[mode].cr0 | (kit_random(3) ? X86_CR0_WP : 0);
    r->cr4 = modes[mode].cr4 | (kit_random(3) ? 0 : X86_CR4_SMEP);
    r->efer = modes[mode].efer | (kit_random(3) ? EFER_NXE : 0);
    r->cr3 = (mode == LONG ? (kit_random(2) ? 16 : 20) : mode == PAE ? 21 : 22) << PAGE_SHIFT;
    if (mode == PAE && kit_random(2))
        r->cr3 |= 0x20;
    shadow_flush(d);
}

static uint64_t address(void)
{
    const unsigned int mode = mode_of();
    uint64_t va = kit_random(4) << PAGE_SHIFT | kit_random(512) * 8;

    if (mode == NO_PAGING || !kit_random(8))
        return kit_random(70) << PAGE_SHIFT | PAGE_OFFSET(va);
    if (mode < PAE)
        return va | (1 + kit_random(5) + (kit_random(4) ? 0 : 256 * kit_random(4))) << 22 |
               (kit_random(3) ? 0 : 512 << PAGE_SHIFT);
    va |= (kit_random(6) ? 1 + kit_random(4) : 5) << 21 | (kit_random(3) ? 0 : kit_random(3)) << 30;
    return mode == LONG && !kit_random(4) ? va | UINT64_C(1) << 39 : va;
}

static uint32_t any_access(void)
{
    if (!kit_random(7))
        return PFEC_insn_fetch | (kit_random(2) ? PFEC_user_mode : 0);
    return (kit_random(2) ? PFEC_write_access : 0) | (kit_random(3) ? 0 : PFEC_user_mode);
}

/* --------------------------------------------------------------------------------------------------------- steps -- */

/* D is set by the second access alone, if that stores. */
static void step_access(void)
{
    const uint32_t access = any_access();
    const uint64_t va = address();
    const bool first = !kit_random(3);

    kit_step("%s: %s%s %#" PRIx64, mode_text(), first ? "the kernel reads, then " : "", access_name(access), va);
    if (first)
        access_report(va, 0, NULL, 0, NULL);
    access_report(va, access, NULL, 0, NULL);
}

/* What is there now, and after the entry has changed. */
static void step_store(bool others)
{
    const bool wide = mode_of() >= PAE || (mode_of() == NO_PAGING && kit_random(2));
    const struct entry e = any_entry(wide);
    const uint32_t access = any_access();
    const uint64_t va = kit_random(4) ? e.va : address(), at = e.gfn << PAGE_SHIFT | e.index * e.size;

    kit_step("%s: %s %#" PRIx64 "; %s makes entry %u of the L%u at gfn %" PRIu64 " %#" PRIx64 "; again", mode_text(),
             access_name(access), va, others ? "dom0" : "the kernel", e.index, e.level, e.gfn, e.val);
    access_report(va, access, NULL, 0, NULL);
    if (others)
        poke(e.gfn, e.index * e.size, e.val, e.size);
    else
        access_report(at, PFEC_write_access, &e.val, e.size, "store");
    if (d->p2m->shadow->policy == SHADOW_OOS)
        shadow_flush(d);
    access_report(va, access, NULL, 0, "follow");
}

/* Two entries at once, as 64 bits. */
static void step_store_two(void)
{
    struct entry e, f;
    uint64_t val;

    do
        e = any_entry(false);
    while (e.size != 4 || e.index % 2);
    f = any_entry(false);
    val = e.val | f.val << 32;
    f.va = e.va + (UINT64_C(1) << (e.level == 1 ? 12 : 22));
    kit_step("%s: the kernel reads %#" PRIx64 "; it makes entries %u and %u of the L%u at gfn %" PRIu64 " %#" PRIx64
             "; again",
             mode_text(), f.va, e.index, e.index + 1, e.level, e.gfn, val);
    access_report(f.va, 0, NULL, 0, NULL);
    access_report(e.gfn << PAGE_SHIFT | e.index * 4, PFEC_write_access, &val, 8, "store");
    if (d->p2m->shadow->policy == SHADOW_OOS)
        shadow_flush(d);
    access_report(f.va, 0, NULL, 0, "follow");
}

/* All shadows go just when it is seen that one lacks something. */
static void step_gone(void)
{
    struct access a = { .va = address(), .access = any_access(), .gone = true };

    kit_step("%s: all shadows go when %s %#" PRIx64, mode_text(), access_name(a.access), a.va);
    access_made(a, NULL);
}

/* A table that is out of sync, reached by a way that nobody has used. */
static void step_new_way(void)
{
    const unsigned int l1 = (unsigned int)kit_random(4), index = (unsigned int)kit_random(4);
    const uint64_t low = (uint64_t)index << PAGE_SHIFT, va = (uint64_t)(l1 + 1) << 21 | low,
                   other = UINT64_C(5) << 30 | (uint64_t)l1 << 21 | low,
                   val = (DATA + kit_random(8)) << PAGE_SHIFT | (kit_random(6) ? TABLE : 0),
                   at = (24 + l1) << PAGE_SHIFT | index * 8;

    mode_set(LONG);
    kit_step("%s: the kernel reads %#" PRIx64 "; it makes entry %u of the L1 at gfn %u %#" PRIx64 "; it reads %#" PRIx64
             ", by another way",
             mode_text(), va, index, 24 + l1, val, other);
    shadow_blow_tables(d);
    access_report(va, 0, NULL, 0, NULL);
    access_report(at, PFEC_write_access, &val, 8, "store");
    access_report(other | UINT64_C(511) << PAGE_SHIFT, 0, NULL, 0, NULL); /* now its L2 leads there */
    access_report(other, 0, NULL, 0, "follow");
    shadow_flush(d);
}

static void step_mode(void)
{
    mode_set((unsigned int)(kit_random(3) ? kit_random(5) : mode_of()));
    kit_step("%s, CR3 %#" PRIx64, mode_text(), k->v->regs->cr3);
}

static void step_memory(void)
{
    static const char *const names[] = { "writable", "read only", "watched (log-dirty)" };
    const uint64_t gfn = DATA + kit_random(8);
    const unsigned int what = (unsigned int)kit_random(3);

    kit_step("the hypervisor makes gfn %" PRIu64 " %s", gfn, names[what]);
    if (p2m_set_entry(d, gfn, frame(gfn), (p2m_type_t)(p2m_ram_rw + what)))
        kit_die("the p2m has no memory");
}

static void step_invlpg(void)
{
    const uint64_t va = address();
    const uint32_t access = any_access();
    const struct nested_regs r = regs();

    kit_step("%s: INVLPG %#" PRIx64 ", and %s it", mode_text(), va, access_name(access));
    if (!shadow_root(d, &k->v->hvm->shadow, &r))
        kit_die("there is no memory for a root");
    shadow_invlpg(d, &k->v->hvm->shadow, va);
    access_report(va, access, NULL, 0, NULL);
}

/* While dom0 has a table mapped nobody hears of its stores: the shadow is good for one access. */
static void step_shared(void)
{
    const struct entry e = any_entry(mode_of() >= PAE);
    const mfn_t mfn = frame(e.gfn);

    frame_share(k->m, mfn);
    kit_step("%s: dom0 has gfn %" PRIu64 " mapped, and the kernel reads %#" PRIx64, mode_text(), e.gfn, e.va);
    access_report(e.va, 0, NULL, 0, NULL);
    frame_unshare(k->m, mfn);
}

/* Text may not be written, whatever the policy: by the window, which is there in each mode. */
static void step_text(void)
{
    const uint64_t gfn = DATA + kit_random(8);

    kit_step("%s: gfn %" PRIu64 " is text, and the kernel writes %#" PRIx64, mode_text(), gfn, gfn << PAGE_SHIFT);
    shadow_text_begin(d, frame(gfn));
    access_report(gfn << PAGE_SHIFT, PFEC_write_access, NULL, 0, NULL);
    shadow_text_end(d, frame(gfn));
}

static void step(void *data, unsigned int number)
{
    const uint64_t kind = kit_random(112);

    (void)data, (void)number;
    if (kind < 45)
        step_access();
    else if (kind < 78)
        step_store(kind >= 74);
    else if (kind < 87)
        step_mode();
    else if (kind < 92)
        step_memory();
    else if (kind < 95)
        step_shared();
    else if (kind < 100)
        step_store_two();
    else if (kind < 102)
        step_gone();
    else if (kind < 107)
        d->p2m->shadow->policy == SHADOW_OOS ? step_new_way() : step_store(false);
    else if (kind < 110)
        step_invlpg();
    else
        step_text();
    audit();
}

static void *begin(void)
{
    k = kit_scene_hvm(false, PAGES);
    d = k->d;
    d->p2m->shadow->policy = kit_random(3) ? SHADOW_EMULATE : SHADOW_OOS;
    if (!kit_random(3))
        shadow_set_monitor(d, 1, mfn_x(frame(8)) << PAGE_SHIFT | SHADOW_ALWAYS);
    if (kit_random(2) && shadow_set_allocation(d, SHADOW_MIN_PAGES))
        kit_die("there is no pool");
    tables();
    mode_set((unsigned int)kit_random(5));
    return k;
}

static void end(void *data)
{
    (void)data;
    kit_count("fills", fills);
    kit_count("passed", stores);
    kit_scene_end(k);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
