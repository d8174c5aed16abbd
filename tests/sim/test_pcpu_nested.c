// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The TLB of HVM guests cannot be seen: two machines do the same random things, stores to page tables of theirs among
 * them; one of them forgets all that it knows at random times, and nobody can tell.
 *
 * A step is a few bytes of code in the guest: a load, a store, a jump, a store to an entry of a table (of the last
 * level or of one above; by the guest or by the hypervisor), a hundred of them in a row, INVLPG, MOV to CR3, a change
 * of the nested tables; in ring 0 or ring 3, in each of the three formats of tables. After each step the TLB is
 * compared with the tables, entry by entry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/hvm_guest.h"
#include "tests/support/ram.h"

#define CODE  (HG_CODE * PAGE_SIZE)
#define FIRST 0x40u /* pages that are played with: linear and guest-physical */
#define PAGES 12u
#define L1_B  0x30u /* another table of the last level */
#define STEPS 4000u

static uint64_t seed;
static unsigned int rnd(unsigned int n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned int)(seed >> 33) % n;
}

enum what { LOAD, STORE, JUMP, SET_LEAF, SET_UPPER, HYPERVISOR_SETS, FILL, INVLPG, MOV_CR3, NESTED, NR_WHAT };

/* What both machines are to do. */
struct step {
    enum what what;
    bool user, forget, backwards;
    uint64_t addr, value;
    unsigned int gfn, entries;
};

static const char *const code[NR_WHAT] = {
    [LOAD] = "\x8b\x03\xcc",       [STORE] = "\x89\x03\xcc",
    [JUMP] = "\xff\xe3",           [SET_LEAF] = "\x89\x03\xcc",
    [SET_UPPER] = "\x89\x03\xcc",  [FILL] = "\xf3\xab\xcc",
    [INVLPG] = "\x0f\x01\x3b\xcc", [MOV_CR3] = "\x0f\x20\xd8\x0f\x22\xd8\xcc",
};

static uint64_t random_entry(enum hg_mode mode)
{
    const uint64_t nx = mode == HG_LEGACY || rnd(4) ? 0 : _PAGE_NX;

    return (FIRST + rnd(PAGES)) * PAGE_SIZE | (rnd(5) ? _PAGE_PRESENT : 0) | (rnd(3) ? _PAGE_RW : 0) |
           (rnd(3) ? _PAGE_USER : 0) | (rnd(2) ? _PAGE_ACCESSED : 0) | (rnd(2) ? _PAGE_DIRTY : 0) | nx;
}

static struct step random_step(enum hg_mode mode)
{
    const unsigned int size = mode == HG_LEGACY ? 4 : 8;
    struct step s = { .what = rnd(NR_WHAT), .user = rnd(2), .forget = !rnd(4) };

    s.addr = (FIRST + rnd(PAGES)) * PAGE_SIZE + rnd(64) * 8;
    if (rnd(4) == 0) /* through the second entry of the table above, which is there now and then */
        s.addr += mode == HG_LEGACY ? 0x400000 : 0x200000;
    s.value = rnd(1u << 30);
    s.gfn = FIRST + rnd(PAGES);
    if (s.what == FILL && rnd(4))
        s.what = LOAD;
    if (s.what == FILL) {
        s.addr = (rnd(3) ? HG_L1 : L1_B) * PAGE_SIZE + FIRST * size;
        s.value = rnd(3) ? random_entry(mode) : 0;
        s.entries = 1 + rnd(160); /* of which the first PAGES matter: they are stored to first, or last */
        s.backwards = rnd(2);
        s.addr += s.backwards ? (s.entries - 1) * size : 0;
    } else if (s.what == SET_LEAF || s.what == HYPERVISOR_SETS) {
        s.addr = (rnd(3) ? HG_L1 : L1_B) * PAGE_SIZE + (FIRST + rnd(PAGES)) * size;
        s.value = random_entry(mode);
    } else if (s.what == SET_UPPER) {
        s.addr = (HG_L4 + 2) * PAGE_SIZE;
        s.value =
            (rnd(2) ? HG_L1 : L1_B) * PAGE_SIZE | _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | (rnd(2) ? _PAGE_ACCESSED : 0);
        if (rnd(2)) { /* what was only memory before becomes a table, or is none any more */
            s.addr += size;
            s.value = rnd(2) ? 0 : L1_B * PAGE_SIZE | _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;
        }
    } else if (s.what == NESTED) {
        s.value = rnd(4) ? _PAGE_PRESENT | _PAGE_USER | (rnd(3) ? _PAGE_RW : 0) : 0;
    }
    return s;
}

static struct sim_exit play(struct hvm_guest *g, const struct step *s, enum hg_mode mode, bool forgets)
{
    const char *insn = code[s->what];
    uint8_t bytes[16] = { 0 };
    unsigned int n = 0;

    if (s->what == NESTED) {
        hg_nested(g, s->gfn, s->value);
        return (struct sim_exit){ 0 };
    }
    if (s->what == HYPERVISOR_SETS) {
        hg_write(g, s->addr, &s->value, mode == HG_LEGACY ? 4 : 8);
        return (struct sim_exit){ 0 };
    }
    hg_mode(g, HG_PROTECTED);
    g->st->cr0 |= X86_CR0_PG;
    g->st->cr3 = (mode == HG_LONG ? HG_L4 : mode == HG_PAE ? HG_L4 + 1 : HG_L4 + 2) * PAGE_SIZE;
    g->st->cr4 |= mode == HG_LEGACY ? X86_CR4_PSE : X86_CR4_PAE;
    g->st->efer = mode == HG_LEGACY ? 0 : EFER_NXE | (mode == HG_LONG ? EFER_LME | EFER_LMA : 0);
    if (mode == HG_LONG)
        g->st->seg[CPU_SEG_CS] = (struct cpu_segment){ 0x18, 0xa9b, ~0u, 0 };
    if (s->user && (s->what == LOAD || s->what == STORE || s->what == JUMP))
        hg_user(g);
    g->st->dirty &= ~(CPU_DIRTY_TLB | CPU_DIRTY_CR3 | CPU_DIRTY_CR); /* it is as it was the last time */
    g->st->rbx = s->addr;
    g->st->rax = s->value;
    g->st->rflags = (g->st->rflags & ~(uint64_t)X86_EFLAGS_DF) | (s->backwards ? X86_EFLAGS_DF : 0);
    if (s->what == FILL) {
        g->st->rdi = s->addr;
        g->st->rcx = s->entries;
        bytes[n++] = *insn++;
    }
    if (mode == HG_LONG && (s->what == FILL || s->what == SET_LEAF || s->what == SET_UPPER))
        bytes[n++] = 0x48;
    memcpy(bytes + n, insn, strlen(insn));
    if (memcmp(hg_at(g, CODE), bytes, sizeof(bytes)))
        hg_write(g, CODE, bytes, sizeof(bytes));
    if (forgets && s->forget) {
        pcpu_sync(g->m);
        pcpu_forget(g->m);
        g->st->dirty = CPU_DIRTY_ALL;
    }
    return hg_run(g, s->what == FILL ? 400 : 20);
}

static bool same(const struct sim_exit *a, const struct sim_exit *b)
{
    return a->kind == b->kind && a->insns == b->insns && sim_exit_vector(a) == sim_exit_vector(b) &&
           (a->kind != EXIT_EXCEPTION ||
            (a->exception.error_code == b->exception.error_code && a->exception.addr == b->exception.addr)) &&
           (a->kind != EXIT_NPF || !memcmp(&a->npf, &b->npf, sizeof(a->npf)));
}

static void prepare(struct hvm_guest *g, enum hg_mode mode)
{
    hg_mode(g, mode);
    for (unsigned int page = 0; page < PAGES; page++)
        memset(hg_at(g, (FIRST + page) * PAGE_SIZE), 0xcc, PAGE_SIZE);
    memcpy(hg_at(g, L1_B * PAGE_SIZE), hg_at(g, HG_L1 * PAGE_SIZE), PAGE_SIZE);
}

static void play_both(enum hg_mode mode, uint64_t with_seed)
{
    struct hvm_guest a = hg_create(), b = hg_create();
    unsigned int kinds[EXIT_NR_KINDS] = { 0 };

    seed = with_seed;
    prepare(&a, mode);
    prepare(&b, mode);
    for (unsigned int i = 0; i < STEPS; i++) {
        const struct step s = random_step(mode);
        const struct sim_exit x = play(&a, &s, mode, false), y = play(&b, &s, mode, true);

        kinds[x.kind]++;
        if (!same(&x, &y) || memcmp(a.st->gpr, b.st->gpr, sizeof(a.st->gpr)) || a.st->rip != b.st->rip)
            fail_msg("mode %d, step %u, kind %d at %lx: %s and %s, %lx and %lx", mode, i, s.what, s.addr,
                     sim_exit_name(x.kind), sim_exit_name(y.kind), a.st->rip, b.st->rip);
        if (!(i % 256) && memcmp(a.m->ram, b.m->ram, a.m->nr_frames << PAGE_SHIFT))
            fail_msg("mode %d, step %u, kind %d at %lx: memory differs", mode, i, s.what, s.addr);
        if (!machine_tlb_agrees(a.m))
            fail_msg("mode %d, step %u, kind %d at %lx (%lx): the TLB does not agree", mode, i, s.what, s.addr,
                     s.value);
    }
    assert_true(kinds[EXIT_SOFTINT] > STEPS / 8 && kinds[EXIT_EXCEPTION] > STEPS / 16 && kinds[EXIT_NPF] > STEPS / 64);
    hg_destroy(&a);
    hg_destroy(&b);
}

static void test_cannot_be_seen(void **state)
{
    for (enum hg_mode mode = HG_LEGACY; mode <= HG_LONG; mode++)
        for (uint64_t i = 1; i <= 2; i++)
            play_both(mode, i * 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cannot_be_seen) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
