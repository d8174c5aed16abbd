// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An observer's breakpoints and watches: reported at each place where they should be, in front of the instruction, and
 * without any influence.
 *
 * Concept: random programs run with breakpoints at some, at all, at thousands of addresses, which change on the way.
 * The stops must be those that are found by stepping, and the end of the program the same as without. Every other
 * program has breakpoints of its own, too. For watches, programs whose accesses are known: a model says at which
 * instruction which access comes first into which range; memory must not have changed yet.
 *
 * Could pass wrongly: if hardly anything hit; hence the counts.
 *
 * Budget: a table of ways to access memory, and the model that they are compared with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/observe.h"
#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"
#include "tests/support/rough_code.h"

#define PROGRAMS  60
#define MAX_STOPS 20000

/*
 * ---------------------------------------------------------------------------------------------------- breakpoints --
 */

struct arrival {
    uint64_t insns, rip;
};

struct look {
    struct pv_guest *g;
    const struct rough_code *p;
    uint64_t seed, insns;
    bool steps, changes, over;
    struct pcpu_budget left;
    uint64_t addr[4096];
    size_t nr_addr;
    struct arrival seen[MAX_STOPS];
    unsigned int nr;
};

static bool is_set(const struct look *l, uint64_t addr)
{
    for (size_t i = 0; i < l->nr_addr; i++)
        if (l->addr[i] == addr)
            return true;
    return false;
}

/* Of some, all, or no instructions, and perhaps of thousands of places where nobody comes. */
static void choose(struct look *l)
{
    const unsigned int how = rough_random(&l->seed) % 8;

    l->nr_addr = 0;
    for (unsigned int i = 0; i < l->p->nr && how; i++)
        if (how == 1 || rough_random(&l->seed) % 8 == 0)
            if (!is_set(l, PG_VA(0) + l->p->insn[i]))
                l->addr[l->nr_addr++] = PG_VA(0) + l->p->insn[i];
    for (unsigned int i = 0; i < 2000 && how == 2; i++)
        l->addr[l->nr_addr++] = PG_VA(60) + rough_random(&l->seed) % 65536;
}

static void note(struct look *l)
{
    const struct arrival a = { l->insns, l->g->st->rip };

    if (l->nr && !memcmp(&l->seen[l->nr - 1], &a, sizeof(a)))
        return; /* it came back to where it was stopped */
    assert_true(l->nr < MAX_STOPS);
    l->seen[l->nr++] = a;
}

/* Places in the run at which the set changes: the same for both. */
static void change(struct look *l)
{
    if (!l->changes || (l->insns * UINT64_C(0x9e3779b97f4a7c15) >> 60) != 5)
        return;
    l->seed = l->insns + 1;
    choose(l);
    if (!l->steps)
        assert_int_equal(machine_break_set(l->g->m, l->addr, l->nr_addr), 0);
}

static void exited(struct look *l, const struct sim_exit *x)
{
    struct cpu_state *st = l->g->st;

    if (x->kind == EXIT_CPUID)
        st->rip += 2;
    else if (x->kind == EXIT_EXCEPTION && x->exception.vector == X86_EXC_DB)
        st->rflags = (st->rflags & ~(uint64_t)X86_EFLAGS_TF) | X86_EFLAGS_RF;
    else if (x->kind != EXIT_SYSCALL)
        l->over = true;
    if (x->kind == EXIT_CPUID && x->insn.dr6)
        st->rflags &= ~(uint64_t)X86_EFLAGS_TF;
}

/* Stop everywhere, or where the set says; at an exit the set may change. */
static bool at_exit_of_guest(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    struct look *l = data;

    pcpu_budget_spend(budget, x->insns);
    l->insns += x->insns;
    assert_int_not_equal(x->kind, EXIT_BUDGET);
    if (x->kind != EXIT_STOP) {
        exited(l, x);
        change(l);
    } else if (!l->steps) {
        assert_int_equal(x->stop.why, STOP_BREAK);
        assert_true(is_set(l, l->g->st->rip));
        note(l);
        budget->resume = true;
    }
    if (l->steps) {
        if (is_set(l, l->g->st->rip) && !l->over)
            note(l);
        budget->stop_after = 1;
    }
    l->left = *budget;
    return !l->over && rough_random(&l->seed) % 4;
}

struct outcome {
    uint64_t gpr[16], rip, rflags, insns;
    uint8_t area[PAGE_SIZE], stack[PAGE_SIZE];
};

static void run(struct look *l, bool own, uint64_t seed, struct outcome *o)
{
    struct cpu_state *st = l->g->st;

    l->seed = seed;
    l->insns = l->nr = 0;
    l->over = false;
    rough_start(l->g, l->p);
    if (own) {
        st->dr[0] = PG_VA(0) + l->p->insn[l->p->nr / 2];
        st->dr[1] = PG_VA(ROUGH_AREA) + 16;
        st->dr[7] |= 0x5 | UINT64_C(0xd) << 20;
    }
    choose(l);
    assert_int_equal(machine_break_set(l->g->m, l->addr, l->steps ? 0 : l->nr_addr), 0);
    if (l->steps && is_set(l, st->rip))
        note(l);
    l->left = (struct pcpu_budget){ .insns = 1u << 20, .exact = true, .stop_after = l->steps ? 1 : PCPU_NO_STOP };
    while (!l->over)
        pcpu_run_on(l->g->m->pcpu[0], l->g->c, &l->left, at_exit_of_guest, l);
    memset(o, 0, sizeof(*o));
    memcpy(o->gpr, st->gpr, sizeof(o->gpr));
    o->rip = st->rip;
    o->rflags = st->rflags;
    o->insns = l->insns;
    memcpy(o->area, ram_page(l->g->m, PG_FRAME(ROUGH_AREA)), PAGE_SIZE);
    memcpy(o->stack, ram_page(l->g->m, PG_FRAME(PG_STACK)), PAGE_SIZE);
}

static void test_breaks(void **state)
{
    static struct rough_code p;
    static struct look steps, breaks;
    static struct outcome os, ob;
    uint64_t s = 0x2468ace1, total = 0, seed;

    for (unsigned int n = 0; n < PROGRAMS * 4; n++) {
        if (n % 4 == 0)
            rough_make(&p, &s);
        seed = rough_random(&s);
        steps.g = breaks.g = *state;
        steps.p = breaks.p = &p;
        steps.changes = breaks.changes = n % 4 > 1;
        steps.steps = true;
        run(&steps, n & 1, seed, &os);
        run(&breaks, n & 1, seed, &ob);
        for (unsigned int i = 0; i < steps.nr && i < breaks.nr; i++)
            if (memcmp(&steps.seen[i], &breaks.seen[i], sizeof(steps.seen[i])))
                fail_msg("program %u: %u is at %lu %#lx, found by stepping at %lu %#lx", n, i,
                         (unsigned long)breaks.seen[i].insns, (unsigned long)breaks.seen[i].rip,
                         (unsigned long)steps.seen[i].insns, (unsigned long)steps.seen[i].rip);
        if (steps.nr != breaks.nr)
            fail_msg("program %u: %u stops, %u found by stepping", n, breaks.nr, steps.nr);
        assert_memory_equal(&os, &ob, sizeof(os));
        total += breaks.nr;
    }
    machine_break_set(breaks.g->m, NULL, 0);
    print_message("%lu stops\n", (unsigned long)total);
    assert_true(total > 10000);
}

struct stepper {
    struct pv_guest *g;
    unsigned int limits, breaks;
};

static bool at_step(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    struct stepper *s = data;

    pcpu_budget_spend(budget, x->insns);
    if (x->stop.why == STOP_BREAK) {
        assert_int_equal(x->insns, 0);
        return ++s->breaks && false;
    }
    if (++s->limits == 5)
        assert_int_equal(machine_break_set(s->g->m, &s->g->st->rip, 1), 0);
    assert_true(s->limits <= 5);
    budget->stop_after = 1;
    return true;
}

/* The block that is next was translated, and chosen, before the set changes. */
static void test_set_at_a_step(void **state)
{
    struct pv_guest *g = *state;
    struct stepper s = { .g = g };

    pg_write(g, 0, 0, "\xff\xc0\xff\xc0\xeb\xfa", 6); /* inc, inc, jmp */
    g->st->rip = PG_VA(0);
    pcpu_run_on(g->m->pcpu[0], g->c, &(struct pcpu_budget){ .insns = 1000, .exact = true, .stop_after = 1 }, at_step,
                &s);
    assert_int_equal(s.limits, 5);
    assert_int_equal(s.breaks, 1);
}

/*
 * -------------------------------------------------------------------------------------------------------- watches --
 */

#define AREA     ROUGH_AREA /* two pages; accesses are about their middle */
#define MIDDLE   (PG_VA(AREA) + PAGE_SIZE)
#define STACK    (MIDDLE + 64)
#define MAX_ROW  24
#define MAX_HITS 64

/* What it accesses, in order; from RBX, RSP, RSI, RDI. */
enum base { NONE, RBX, PUSH, POP, RSI, RDI };
struct access {
    enum base base;
    uint8_t size;
    bool write;
};
static const struct kind {
    const char *code;
    uint8_t len, disp; /* a displacement from RBX follows */
    struct access access[2];
    bool rep;
} kinds[] = {
    { "\xff\xc2", 2, 0, { { NONE } }, false },
    { "\x8a\x83", 2, 4, { { RBX, 1, false } }, false },
    { "\x48\x8b\x83", 3, 4, { { RBX, 8, false } }, false },
    { "\x88\x83", 2, 4, { { RBX, 1, true } }, false },
    { "\x66\x89\x83", 3, 4, { { RBX, 2, true } }, false },
    { "\x48\x89\x83", 3, 4, { { RBX, 8, true } }, false },
    { "\x48\x11\x83", 3, 4, { { RBX, 8, false }, { RBX, 8, true } }, false },
    { "\xf0\x48\x0f\xb1\x93", 5, 4, { { RBX, 8, false }, { RBX, 8, true } }, false },
    { "\x48\x0f\xc1\x93", 4, 4, { { RBX, 8, false }, { RBX, 8, true } }, false },
    { "\x48\x87\x83", 3, 4, { { RBX, 8, false }, { RBX, 8, true } }, false },
    { "\x0f\x10\x83", 3, 4, { { RBX, 16, false } }, false },
    { "\x0f\x11\x83", 3, 4, { { RBX, 16, true } }, false },
    { "\xdb\xab", 2, 4, { { RBX, 10, false } }, false },
    { "\xdb\xbb", 2, 4, { { RBX, 10, true } }, false },
    { "\x48\x0f\x38\xf1\x83", 5, 4, { { RBX, 8, true } }, false },
    { "\x50", 1, 0, { { PUSH, 8, true } }, false },
    { "\x5a", 1, 0, { { POP, 8, false } }, false },
    { "\xff\xb3", 2, 4, { { RBX, 8, false }, { PUSH, 8, true } }, false },
    { "\x8f\x83", 2, 4, { { POP, 8, false }, { RBX, 8, true } }, false },
    { "\xe8\x00\x00\x00\x00", 5, 0, { { PUSH, 8, true } }, false },
    { "\xa5", 1, 0, { { RSI, 4, false }, { RDI, 4, true } }, false },
    { "\xac", 1, 0, { { RSI, 1, false } }, false },
    { "\xf3\xaa", 2, 0, { { RDI, 1, true } }, true },
    { "\xf3\x66\xa5", 3, 0, { { RSI, 2, false }, { RDI, 2, true } }, true },
};

struct row {
    uint8_t code[256], kind[MAX_ROW];
    unsigned int nr, len;
    uint16_t at[MAX_ROW + 1];
    uint64_t addr[MAX_ROW];
};

static void row_make(struct row *r, uint64_t *s)
{
    *r = (struct row){ .nr = 1 + (unsigned int)(rough_random(s) % MAX_ROW) };
    for (unsigned int i = 0; i < r->nr; i++) {
        const struct kind *k = &kinds[r->kind[i] = (uint8_t)(rough_random(s) % ARRAY_SIZE(kinds))];
        const int32_t disp = (int32_t)(rough_random(s) % 48) - 24;

        r->at[i] = (uint16_t)r->len;
        r->addr[i] = MIDDLE + (uint64_t)(int64_t)disp;
        memcpy(r->code + r->len, k->code, k->len);
        memcpy(r->code + r->len + k->len, &disp, k->disp);
        r->len += k->len + k->disp;
    }
    r->at[r->nr] = (uint16_t)r->len;
    memcpy(r->code + r->len, "\x0f\x0b", 2);
}

struct hit {
    uint64_t insns, rip, addr;
    bool write;
};

/* Machine addresses: the two pages lie in frames that do not follow each other. */
static const uint64_t frames[2] = { 0x100 + AREA, 0x100 + AREA + 3 };

static uint64_t machine_addr(uint64_t va) { return frames[va >= MIDDLE] << PAGE_SHIFT | (va & (PAGE_SIZE - 1)); }

/* Operands of more than 8 bytes are accessed in parts. */
static bool first_watched(const struct machine_watch *w, size_t n, uint64_t va, const struct access *a, uint64_t *addr)
{
    for (unsigned int byte = 0; byte < a->size; byte++)
        for (size_t i = 0; i < n; i++) {
            const uint64_t at = machine_addr(va + byte), part = va + byte / 8 * 8;

            if ((a->write ? w[i].write : w[i].read) && at >= w[i].addr && at - w[i].addr < w[i].len) {
                *addr = machine_addr(part < MIDDLE && va + byte >= MIDDLE ? MIDDLE : part);
                return true;
            }
        }
    return false;
}

/* Along the row: where it must stop, and why. */
static unsigned int model(const struct row *r, const struct machine_watch *w, size_t n, struct hit *hit)
{
    uint64_t rsp = STACK, rsi = MIDDLE - 9, rdi = MIDDLE - 5, rcx = 5, insns = 0;
    unsigned int nr = 0;

    for (unsigned int i = 0; i < r->nr; i++) {
        const struct kind *k = &kinds[r->kind[i]];
        uint64_t rounds = k->rep ? rcx : 1;

        for (; rounds; rounds--, insns++) {
            bool found = false;

            for (unsigned int j = 0; j < 2; j++) {
                const struct access *a = &k->access[j];
                uint64_t va = r->addr[i];

                switch (a->base) {
                case NONE: continue;
                case RBX: break;
                case PUSH: va = rsp -= 8; break;
                case POP:
                    va = rsp;
                    rsp += 8;
                    break;
                case RSI:
                    va = rsi;
                    rsi += a->size;
                    break;
                case RDI:
                    va = rdi;
                    rdi += a->size;
                    break;
                }
                assert_true(nr < MAX_HITS);
                if (!found && first_watched(w, n, va, a, &hit[nr].addr)) {
                    hit[nr].insns = insns;
                    hit[nr].rip = PG_VA(0) + r->at[i];
                    hit[nr++].write = a->write;
                    found = true;
                }
            }
        }
        insns += k->rep;
        rcx = k->rep ? 0 : rcx;
    }
    return nr;
}

struct watching {
    struct pv_guest *g;
    const struct hit *hit;
    unsigned int nr, at;
    uint64_t insns;
    bool over;
    uint8_t memory[2][PAGE_SIZE], table[PAGE_SIZE]; /* at the last stop */
};

static bool at_watch(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    struct watching *w = data;
    const struct hit *h = &w->hit[w->at];

    pcpu_budget_spend(budget, x->insns);
    w->insns += x->insns;
    if (x->kind == EXIT_EXCEPTION && x->exception.vector == X86_EXC_UD) {
        w->over = true;
        return false;
    }
    assert_int_equal(x->kind, EXIT_STOP);
    assert_int_equal(x->stop.why, STOP_WATCH);
    assert_true(w->at < w->nr);
    if (h->insns != w->insns || h->rip != w->g->st->rip || h->addr != x->stop.addr || h->write != x->stop.write)
        fail_msg("hit %u at %lu %#lx of %#lx, write %d; expected at %lu %#lx of %#lx, write %d", w->at,
                 (unsigned long)w->insns, (unsigned long)w->g->st->rip, (unsigned long)x->stop.addr, x->stop.write,
                 (unsigned long)h->insns, (unsigned long)h->rip, (unsigned long)h->addr, h->write);
    w->at++;
    budget->resume = true;
    memcpy(w->memory[0], ram_page(w->g->m, _mfn(frames[0])), PAGE_SIZE);
    memcpy(w->memory[1], ram_page(w->g->m, _mfn(frames[1])), PAGE_SIZE);
    memcpy(w->table, ram_page(w->g->m, PG_TABLE), PAGE_SIZE);
    return true;
}

static bool take(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    *(struct sim_exit *)data = *x;
    return false;
}

static void row_start(struct pv_guest *g, const struct row *r)
{
    const uint16_t fcw = 0x37f;

    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        ((uint8_t *)ram_page(g->m, _mfn(frames[0])))[i] = ((uint8_t *)ram_page(g->m, _mfn(frames[1])))[i] =
            (uint8_t)(i * 7);
    pg_write(g, 0, 0, r->code, sizeof(r->code));
    memset(g->st->gpr, 0, sizeof(g->st->gpr));
    memset(g->st->fxsave, 0, sizeof(g->st->fxsave));
    memcpy(g->st->fxsave, &fcw, sizeof(fcw));
    g->st->rbx = MIDDLE;
    g->st->rsp = STACK;
    g->st->rsi = MIDDLE - 9;
    g->st->rdi = MIDDLE - 5;
    g->st->rcx = 5;
    g->st->rip = PG_VA(0);
    g->st->rflags = 0x202;
    g->st->dirty |= CPU_DIRTY_FPU | CPU_DIRTY_TLB;
    for (unsigned int i = 0; i < PG_PAGES; i++) /* what the processor sets */
        ((uint64_t *)ram_page(g->m, PG_TABLE))[i] &= ~(uint64_t)(_PAGE_ACCESSED | _PAGE_DIRTY);
}

static void test_watches(void **state)
{
    static struct row r;
    static struct watching w;
    struct pv_guest *g = *state;
    struct machine_watch watch[3];
    struct hit hit[MAX_HITS];
    uint64_t s = 0x3579bdf1, total = 0, gpr[2][16];
    uint8_t memory[2][PAGE_SIZE];

    pg_map(g, AREA + 1, _mfn(frames[1]), PG_P | PG_RW | PG_US);
    for (unsigned int n = 0; n < PROGRAMS * 40; n++) {
        const size_t nr = 1 + rough_random(&s) % ARRAY_SIZE(watch);

        row_make(&r, &s);
        for (size_t i = 0; i < nr; i++) {
            const uint64_t how = 1 + rough_random(&s) % 3;

            watch[i] = (struct machine_watch){ machine_addr(MIDDLE - 32 + rough_random(&s) % 128),
                                               rough_random(&s) % 12, how & 1, how & 2 };
        }
        assert_int_equal(machine_watch_set(g->m, NULL, 0), 0);
        row_start(g, &r);
        assert_int_equal(pcpu_run(g->m->pcpu[0], g->c, 1000).kind, EXIT_EXCEPTION);
        memcpy(gpr[0], g->st->gpr, sizeof(gpr[0]));
        memcpy(memory[0], ram_page(g->m, _mfn(frames[0])), PAGE_SIZE);
        memcpy(memory[1], ram_page(g->m, _mfn(frames[1])), PAGE_SIZE);

        assert_int_equal(machine_watch_set(g->m, watch, nr), 0);
        row_start(g, &r);
        w = (struct watching){ .g = g, .hit = hit, .nr = model(&r, watch, nr, hit) };
        while (!w.over)
            pcpu_run_on(g->m->pcpu[0], g->c, &PG_BUDGET(1000), at_watch, &w);
        assert_int_equal(w.at, w.nr);
        assert_memory_equal(gpr[0], g->st->gpr, sizeof(gpr[0]));
        assert_memory_equal(memory[0], ram_page(g->m, _mfn(frames[0])), PAGE_SIZE);
        assert_memory_equal(memory[1], ram_page(g->m, _mfn(frames[1])), PAGE_SIZE);
        total += w.nr;
        if (w.nr) { /* nothing of the instruction was done */
            assert_int_equal(machine_watch_set(g->m, NULL, 0), 0);
            row_start(g, &r);
            pcpu_run(g->m->pcpu[0], g->c, hit[w.nr - 1].insns);
            assert_memory_equal(w.memory[0], ram_page(g->m, _mfn(frames[0])), PAGE_SIZE);
            assert_memory_equal(w.memory[1], ram_page(g->m, _mfn(frames[1])), PAGE_SIZE);
            assert_memory_equal(w.table + 8, (uint8_t *)ram_page(g->m, PG_TABLE) + 8,
                                PAGE_SIZE - 8); /* but the code's page */
        }
    }
    print_message("%lu hits\n", (unsigned long)total);
    assert_true(total > 3000);
    machine_watch_set(g->m, NULL, 0);
}

/* Accesses by other ways than operands of 8 bytes: RBX is the first page of the area, its table entry begins clean. */
static const struct {
    const char *name, *code;
    uint8_t len;
    bool in_table; /* the watch is at the area's page table entry, which is watched instead of `at` */
    uint16_t at;   /* in the area */
    bool write;
    uint64_t insns; /* in front of the access; ~0: there is none */
} ways_in[] = {
#define WAY(name, code, ...)                                                                                           \
    {                                                                                                                  \
        name, code, sizeof(code) - 1, __VA_ARGS__                                                                      \
    }
    WAY("fxsave", "\x90\x0f\xae\x03", false, 167, true, 1),
    WAY("fxrstor", "\x0f\xae\x03\x0f\xae\x0b", false, 40, false, 1),
    WAY("fnsave", "\x90\xdd\x33", false, 100, true, 1),
    WAY("cmpxchg16b", "\x90\x90\xf0\x48\x0f\xc7\x0b", false, 8, true, 2),
    WAY("cmpxchg8b", "\x90\x0f\xc7\x0b", false, 4, true, 1),
    WAY("enter", "\x48\x8d\x63\x40\x48\x8d\x6b\x20\xc8\x10\x00\x03", false, 0x28, true, 2),
    WAY("lock xadd", "\xf0\x0f\xc1\x03", false, 3, true, 0),
    WAY("maskmovdqu", "\x48\x89\xdf\x66\x0f\x76\xc0\x66\x0f\x76\xc9\x66\x0f\xf7\xc1", false, 9, true, 3),
    WAY("bts far from its operand", "\x90\x0f\xba\x2b\x07\x48\xc7\xc1\x00\x04\x00\x00\x48\x0f\xab\x0b", false, 128,
        true, 3),
    WAY("a load, in the table", "\x90\x8b\x03", true, 0, true, 1),
    WAY("a store, in the table", "\x90\x8b\x03\x89\x03", true, 1, true, 2),
    WAY("a second load, in the table", "\x90\x8b\x03\x8b\x03", true, 1, true, ~UINT64_C(0)),
    WAY("a load of the table's entry by the processor", "\x90\x8b\x03", true, 0, false, ~UINT64_C(0)),
    WAY("a fetch", "\x90\xff\xe3", false, 0, false, ~UINT64_C(0)),
    WAY("a store that faults", "\x89\x04\x25\x00\x00\x90\x00", false, 0, true, ~UINT64_C(0)),
};

/* A page that the TLB knows when it begins to be watched. */
static void test_set_later(void **state)
{
    struct pv_guest *g = *state;
    const struct machine_watch watch = { mfn_x(PG_FRAME(AREA)) << PAGE_SHIFT, 8, false, true };

    pg_write(g, 0, 0, "\x89\x03\x0f\x0b", 4); /* mov %eax, (%rbx) */
    g->st->rbx = PG_VA(AREA);
    for (unsigned int i = 0; i < 6; i++) {
        g->st->rip = PG_VA(0);
        assert_int_equal(pcpu_run(g->m->pcpu[0], g->c, 10).kind, i % 2 ? EXIT_STOP : EXIT_EXCEPTION);
        assert_int_equal(machine_watch_set(g->m, &watch, !(i % 2)), 0);
    }
}

/* Goes on from a stop that is not the one; in_table, at 1: from the first. */
static void test_ways_in(void **state)
{
    struct pv_guest *g = *state;
    const uint64_t entry = (mfn_x(PG_TABLE) << PAGE_SHIFT) + AREA * 8, area = mfn_x(PG_FRAME(AREA)) << PAGE_SHIFT;

    for (size_t i = 0; i < ARRAY_SIZE(ways_in); i++) {
        const uint64_t at = ways_in[i].in_table ? entry : area + ways_in[i].at;
        const struct machine_watch watch = { at, ways_in[i].in_table ? 8 : 1, !ways_in[i].write, ways_in[i].write };
        unsigned int skip = ways_in[i].in_table && ways_in[i].at;
        uint64_t insns = 0;
        struct sim_exit x = { 0 };

        memset(ram_page(g->m, PG_FRAME(AREA)), 0, PAGE_SIZE);
        pg_map(g, AREA, PG_FRAME(AREA), PG_P | PG_RW | PG_US);
        pg_write(g, 0, 0, ways_in[i].code, ways_in[i].len);
        pg_write(g, 0, ways_in[i].len, "\x0f\x0b", 2);
        pg_write(g, AREA, 0, ways_in[i].code[1] == '\xff' ? "\x0f\x0b" : "\x00\x00", 2);
        memset(g->st->gpr, 0, sizeof(g->st->gpr));
        g->st->rbx = PG_VA(AREA);
        g->st->rsp = PG_VA(PG_STACK + 1);
        g->st->rip = PG_VA(0);
        g->st->rflags = 0x202;
        assert_int_equal(machine_watch_set(g->m, &watch, 1), 0);
        do {
            struct pcpu_budget b = PG_BUDGET(1000);

            b.resume = x.kind == EXIT_STOP;
            pcpu_run_on(g->m->pcpu[0], g->c, &b, take, &x);
            insns += x.insns;
        } while (x.kind == EXIT_STOP && skip--);
        if (ways_in[i].insns == ~UINT64_C(0) ? x.kind == EXIT_STOP : x.kind != EXIT_STOP)
            fail_msg("%s: %s after %lu", ways_in[i].name, sim_exit_name(x.kind), (unsigned long)insns);
        if (x.kind != EXIT_STOP)
            continue;
        if (insns != ways_in[i].insns || x.stop.write != ways_in[i].write || at < x.stop.addr ||
            at >= x.stop.addr + x.stop.size)
            fail_msg("%s: after %lu, of %u at %#lx", ways_in[i].name, (unsigned long)insns, x.stop.size,
                     (unsigned long)x.stop.addr);
    }
    machine_watch_set(g->m, NULL, 0);
}

/* Likewise without shortcuts into the engine. */
static void test_plain(void **state)
{
    struct pv_guest g = pg_create_engine(CPU_MODE_PV64, 1, true);
    void *plain = &g;

    test_breaks(&plain);
    test_watches(&plain);
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_breaks, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_set_at_a_step, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_watches, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_set_later, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_ways_in, pg_setup, pg_teardown),
        cmocka_unit_test(test_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
