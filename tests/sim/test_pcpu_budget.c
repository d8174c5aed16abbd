// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where budgets end follows from the guest's instructions alone.
 *
 * Concept: random programs run budget after budget, exact ones and others, and where each ends is noted. A model walks
 * along with the program, an instruction at a time, and says where they must end. Then the same again: with an observer
 * who stops here and there or everywhere, with translations dropped, with blocks cut by breakpoints of another vCPU and
 * of this one. The ends must be the same, and registers and memory at the program's end.
 *
 * Could pass wrongly: if no budget ended in a transfer of control beyond its number; hence the counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/engine/pcpu_private.h"
#include "sim/observe.h"
#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"
#include "tests/support/rough_code.h"

#define PROGRAMS 60
#define MAX_ENDS 4000

/* What else happens on the way. */
enum { STOPS = 1, EACH = 2, DROPS = 4, FAR = 8, OTHERS = 16, OWN = 32, BREAKS = 64, FULL = 128 };

struct end {
    uint64_t at, rip;
};

struct way {
    struct pv_guest *g;
    struct cpu_context *other; /* a vCPU with breakpoints */
    const struct rough_code *p;
    unsigned int what;
    uint64_t seed, budget;
    bool exact;
    struct pcpu_budget left;
    bool over; /* the program is */
    struct end end[MAX_ENDS];
    unsigned int nr;
    uint64_t insns, stops;
    /* of the model: */
    uint64_t at, still;
    bool due;
};

static uint64_t limit(struct way *w)
{
    if (w->what & EACH)
        return 1;
    if (!(w->what & STOPS))
        return PCPU_NO_STOP;
    return 1 + rough_random(&w->seed) % (w->what & FAR ? 300 : 12);
}

static void begin(struct way *w, struct pcpu_budget *b)
{
    w->still = w->budget;
    w->due = false;
    *b = (struct pcpu_budget){ .insns = w->budget, .exact = w->exact, .stop_after = limit(w) };
}

/* The model sees each instruction: the one at w->at has been executed. */
static void walk(struct way *w)
{
    const uint64_t off = w->at - PG_VA(0);

    assert_true(off < ROUGH_SIZE);
    assert_false(w->due);
    w->due = w->exact ? w->still == 1 : !w->still && w->p->transfers[off];
    w->still -= w->still != 0;
}

static bool exited(struct way *w, const struct sim_exit *x)
{
    struct cpu_state *st = w->g->st;

    switch (x->kind) {
    case EXIT_SYSCALL: return true;
    case EXIT_CPUID:
        st->rip += 2;
        if (x->insn.dr6 & X86_DR6_BS)
            st->rflags &= ~(uint64_t)X86_EFLAGS_TF;
        return true;
    case EXIT_EXCEPTION:
        if (x->exception.vector == X86_EXC_UD)
            return false;
        assert_int_equal(x->exception.vector, X86_EXC_DB);
        st->rflags &= ~(uint64_t)X86_EFLAGS_TF;
        st->rflags |= X86_EFLAGS_RF;
        return true;
    default: fail_msg("%s at %#lx", sim_exit_name(x->kind), (unsigned long)st->rip);
    }
    return false;
}

static bool take(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    *(struct sim_exit *)data = *x;
    return false;
}

static bool at_exit_of_guest(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    struct way *w = data;

    pcpu_budget_spend(budget, x->insns);
    w->insns += x->insns;
    if ((w->what & EACH) && !(w->what & OWN)) {
        assert_true(x->insns <= 1);
        if (x->insns)
            walk(w);
        assert_true(x->kind == EXIT_BUDGET ? w->due : x->kind != EXIT_STOP || !w->due);
    }
    if (x->kind == EXIT_BUDGET) {
        assert_true(w->nr < MAX_ENDS);
        w->end[w->nr++] = (struct end){ w->insns, w->g->st->rip };
        begin(w, budget);
    } else if (x->kind == EXIT_STOP) {
        assert_int_equal(x->stop.why, w->what & BREAKS ? x->stop.why : STOP_LIMIT);
        budget->resume = x->stop.why == STOP_BREAK;
        w->stops++;
        if ((w->what & DROPS) && rough_random(&w->seed) % 16 == 0)
            machine_code_written(w->g->m, PG_FRAME(rough_random(&w->seed) & 1));
        if ((w->what & DROPS) && rough_random(&w->seed) % 1000 == 0)
            w->g->m->pcpu[0]->emu->smc.buffer_full = true;
    } else {
        w->over = !exited(w, x);
        w->due &= w->exact; /* it came out with the instruction that would have ended it: so another one will */
    }
    w->at = w->g->st->rip;
    budget->stop_after = limit(w);
    w->left = *budget;
    return !w->over && rough_random(&w->seed) % 8;
}

/* From here on the engine knows of breakpoints that another vCPU has. */
static void others_break(struct way *w)
{
    struct cpu_state *other = cpu_context_state(w->other);

    other->dr[7] = X86_DR7_DEFAULT | 0x55;
    for (unsigned int i = 0; i < 4; i++)
        other->dr[i] = PG_VA(0) + w->p->insn[rough_random(&w->seed) % w->p->nr];
    other->dirty |= CPU_DIRTY_DR;
    other->rip = PG_NOWHERE;
    pcpu_run(w->g->m->pcpu[0], w->other, 1);
}

/* The observer does, at every third instruction or so. */
static void observer_breaks(struct way *w)
{
    static uint64_t addr[ROUGH_SIZE];
    size_t n = 0;

    for (unsigned int i = 0; i < w->p->nr && (w->what & BREAKS); i++)
        if (rough_random(&w->seed) % 3 == 0)
            addr[n++] = PG_VA(0) + w->p->insn[i];
    assert_int_equal(machine_break_set(w->g->m, addr, n), 0);
}

/* An instruction, and a place in memory that some write. */
static void own_break(struct way *w)
{
    struct cpu_state *st = w->g->st;

    st->dr[0] = PG_VA(0) + w->p->insn[w->p->nr / 2];
    st->dr[1] = PG_VA(ROUGH_AREA) + 16;
    st->dr[7] |= 0x5 | UINT64_C(0xd) << 20;
    st->dirty |= CPU_DIRTY_DR;
}

struct outcome {
    uint64_t gpr[16], rip, rflags, insns;
    uint8_t area[PAGE_SIZE], stack[PAGE_SIZE], fxsave[512];
};

static void run(struct way *w, struct outcome *o)
{
    struct cpu_state *st = w->g->st;

    rough_start(w->g, w->p);
    if (w->what & OWN)
        own_break(w);
    if (w->what & OTHERS)
        others_break(w);
    observer_breaks(w);
    if (w->what & FULL) /* by a few blocks */
        w->g->m->pcpu[0]->emu->smc.buffer_limit = 4000;
    w->insns = w->nr = 0;
    w->over = false;
    w->at = st->rip;
    begin(w, &w->left);
    while (!w->over)
        pcpu_run_on(w->g->m->pcpu[0], w->g->c, &w->left, at_exit_of_guest, w);
    w->g->m->pcpu[0]->emu->smc.buffer_limit = EMU_TB_BUFFER_LIMIT;
    cpu_context_save_fpu(w->g->c);
    memset(o, 0, sizeof(*o));
    memcpy(o->gpr, st->gpr, sizeof(o->gpr));
    o->rip = st->rip;
    o->rflags = st->rflags;
    o->insns = w->insns;
    memcpy(o->fxsave, st->fxsave, sizeof(o->fxsave));
    memcpy(o->area, ram_page(w->g->m, PG_FRAME(ROUGH_AREA)), PAGE_SIZE);
    memcpy(o->stack, ram_page(w->g->m, PG_FRAME(PG_STACK)), PAGE_SIZE);
}

static const unsigned int ways[] = {
    STOPS,
    EACH,
    STOPS | DROPS,
    STOPS | FAR,
    OTHERS,
    OTHERS | STOPS,
    OTHERS | EACH | DROPS,
    STOPS | FAR | DROPS,
    BREAKS,
    BREAKS | STOPS | OTHERS,
    FULL, /* which takes long: of one program in twenty */
};

static void compare(const struct way *a, const struct outcome *oa, const struct way *b, const struct outcome *ob,
                    unsigned int program)
{
    for (unsigned int i = 0; i < a->nr && i < b->nr; i++)
        if (a->end[i].at != b->end[i].at || a->end[i].rip != b->end[i].rip)
            fail_msg("program %u, budget %lu%s, way %#x: end %u at %lu %#lx, alone at %lu %#lx", program,
                     (unsigned long)b->budget, b->exact ? " exact" : "", b->what, i, (unsigned long)b->end[i].at,
                     (unsigned long)b->end[i].rip, (unsigned long)a->end[i].at, (unsigned long)a->end[i].rip);
    assert_int_equal(a->nr, b->nr);
    assert_memory_equal(oa, ob, sizeof(*oa));
}

static void test_ends(void **state)
{
    static struct rough_code p;
    static struct way alone, w;
    static struct outcome oa, ow;
    struct pv_guest *g = *state;
    struct cpu_context *other = pg_context(g->m, CPU_MODE_PV64);
    uint64_t s = 0x13579bdf, ends = 0, stops = 0, beyond = 0;

    for (unsigned int n = 0; n < PROGRAMS; n++) {
        const unsigned int own = n % 4 == 3 ? OWN : 0;

        rough_make(&p, &s);
        memset(&alone, 0, sizeof(alone));
        alone = (struct way){ .g = g, .other = other, .p = &p, .what = own, .seed = s | 1 };
        alone.budget = rough_random(&s) % (n % 3 ? 20 : 900) + 1;
        alone.exact = n % 5 == 4;
        run(&alone, &oa);
        for (unsigned int i = 0; i < ARRAY_SIZE(ways) - (n % 20 != 0); i++) {
            w = (struct way){ .g = g, .other = other, .p = &p, .what = own | ways[i], .seed = rough_random(&s) };
            w.budget = alone.budget;
            w.exact = alone.exact;
            run(&w, &ow);
            compare(&alone, &oa, &w, &ow, n);
            stops += w.stops;
        }
        ends += alone.nr;
        for (unsigned int i = 1; i < alone.nr; i++)
            beyond += alone.end[i].at - alone.end[i - 1].at > alone.budget;
    }
    print_message("%lu ends, %lu of them beyond their number; %lu stops\n", (unsigned long)ends, (unsigned long)beyond,
                  (unsigned long)stops);
    assert_true(ends > 2000 && beyond > 1000 && stops > 70000);
    cpu_context_destroy(other);
}

/* Behind a jump to where nothing is: what ends there ends before the fetch, which faults when the vCPU goes on. */
static void test_fetch(void **state)
{
    static const struct {
        struct pcpu_budget budget;
        enum sim_exit_kind kind;
    } cases[] = {
        { { .insns = 2, .exact = true, .stop_after = PCPU_NO_STOP }, EXIT_BUDGET },
        { { .insns = 1, .exact = false, .stop_after = PCPU_NO_STOP }, EXIT_BUDGET },
        { { .insns = 3, .exact = true, .stop_after = 2 }, EXIT_STOP },
        { { .insns = 2, .exact = false, .stop_after = 2 }, EXIT_STOP },
        { { .insns = 2, .exact = true, .stop_after = 2 }, EXIT_BUDGET },
        { { .insns = 0, .exact = false, .stop_after = 2 }, EXIT_BUDGET },
        { { .insns = 3, .exact = true, .stop_after = 3 }, EXIT_EXCEPTION },
        { { .insns = 2, .exact = false, .stop_after = 3 }, EXIT_EXCEPTION },
    };
    struct pv_guest *g = *state;

    pg_write(g, 0, 0, "\x90\xff\xe7", 3); /* nop; jmp *%rdi */
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sim_exit x;

        g->st->rip = PG_VA(0);
        g->st->rdi = PG_NOWHERE;
        pcpu_run_on(g->m->pcpu[0], g->c, &cases[i].budget, take, &x);
        assert_int_equal(x.insns, 2);
        assert_int_equal(x.kind, cases[i].kind);
        assert_int_equal(g->st->rip, PG_NOWHERE);
        assert_false(x.kind != EXIT_EXCEPTION && g->st->rflags & X86_EFLAGS_RF);
        x = pcpu_run(g->m->pcpu[0], g->c, 10);
        assert_int_equal(x.kind, EXIT_EXCEPTION);
        assert_int_equal(x.insns, 0);
        g->st->rflags = 0x202;
    }
}

/* The end is reached, and then the block that is next fills the buffer. */
static void test_full(void **state)
{
    struct pv_guest *g = *state;
    struct emu *e = g->m->pcpu[0]->emu;
    const struct pcpu_budget budget = { .insns = 1, .stop_after = PCPU_NO_STOP };
    struct sim_exit x;

    pg_write(g, 0, 0, "\x90\x90\xeb\x02\xcc\xcc\x90\x90\xeb\xf6",
             10); /* nop; nop; jmp 1f; ...; 1: nop; nop; jmp back */
    g->st->rip = PG_VA(0);
    emu_smc_flush_all(e);
    e->smc.buffer_limit = 1;
    pcpu_run_on(g->m->pcpu[0], g->c, &budget, take, &x);
    assert_int_equal(x.kind, EXIT_BUDGET);
    assert_int_equal(x.insns, 3);
}

/* Likewise without shortcuts into the engine. */
static void test_plain(void **state)
{
    struct pv_guest g = pg_create_engine(CPU_MODE_PV64, 1, true);
    void *plain = &g;

    test_ends(&plain);
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ends, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_full, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_fetch, pg_setup, pg_teardown),
        cmocka_unit_test(test_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
