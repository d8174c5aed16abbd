// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * struct cpu_state is the whole truth about a vCPU: copied into a new context, on another pCPU, in another machine with
 * the same memory, it goes on as if nothing had happened.
 *
 * Concept: random programs run twice, in pieces, side by side. One vCPU stays what it is. The other is at random exits
 * copied into a new context and forgotten; now and then with its memory, to a machine whose engine has never seen it;
 * or the engine forgets all that it knew. (For the first one the engine only makes its state whole, and goes on.)
 * After each piece exits, instruction counts and registers must be equal, and in the end memory. At an exit that is no
 * end of a budget both are sent somewhere else in the program, as a hypervisor would.
 *
 * The table has what leaves traces in a processor: x87 and its environment, SSE and MXCSR, segments, MOV SS and POP SS,
 * TF and other flags, strings in the middle of their work; a quarter of the programs has breakpoints, an eighth TS.
 *
 * Where a budget ends depends on where blocks end, and these end in front of the breakpoints of whoever ran on the
 * engine before (sim/engine/debug.c): so programs with breakpoints run from event to event.
 *
 * Could pass wrongly: if every piece ended at once in a fault; hence the counts at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define PROGRAMS  600
#define PIECES    24
#define MAX_INSNS 24
#define AREA      PG_VA(20) /* two pages; operands are about its middle */
#define MIDDLE    (AREA + PAGE_SIZE)
#define GDT_PAGE  16

/* `code`, and then a displacement from RBX if it has one; wide: 64-bit code only. */
static const struct {
    const char *code;
    uint8_t len;
    bool disp, wide;
} insns[] = {
#define I(code)                                                                                                        \
    {                                                                                                                  \
        code, sizeof(code) - 1, false, false                                                                           \
    }
#define M(code)                                                                                                        \
    {                                                                                                                  \
        code, sizeof(code) - 1, true, false                                                                            \
    }
#define I64(code)                                                                                                      \
    {                                                                                                                  \
        code, sizeof(code) - 1, false, true                                                                            \
    }
#define M64(code)                                                                                                      \
    {                                                                                                                  \
        code, sizeof(code) - 1, true, true                                                                             \
    }
    I("\xff\xc2"), /* inc %edx */
    M("\x8b\x83"), /* mov disp(%rbx), %eax */
    M("\x89\x83"),
    M("\x01\x83"),
    M("\x11\x93"),         /* adc %edx */
    M("\xf0\x0f\xb1\x93"), /* lock cmpxchg %edx */
    M64("\x48\x8b\x83"),
    M64("\x48\x0f\xc1\x93"),
    I("\x50"),
    I("\x58"), /* push, pop %eax */
    I("\x9c"),
    I("\x9d"),                     /* pushf, popf */
    I("\x6a\x02\x9d"),             /* push $2; popf */
    I("\x68\x02\x01\x00\x00\x9d"), /* TF */
    I("\xfc"),
    I("\xfd"),
    I("\xf9"),
    I("\xf5"), /* cld std stc cmc */
    I("\x75\x02\xff\xc2"),
    I("\x73\x02\xff\xc2"),
    I("\x7b\x02\xff\xc2"),
    I("\xa5"),
    I("\xac"),
    I("\xab"),
    I("\xf3\xaa"),
    I("\xf3\xa5"),
    I("\xf3\xa6"),
    I("\xf2\xae"),
    I("\x8e\xd5"),
    I("\x8e\xd5"), /* mov %ebp, %ss */
    I("\x8e\xd5\x9d"),
    I("\x55\x17"), /* and popf behind it; push %ebp; pop %ss */
    I("\x8e\xe5"),
    I("\x8e\xed"),
    I("\x8e\xc5"),
    I("\x8e\xdd"), /* FS GS ES DS */
    I("\x8c\xe0"),
    I("\x64\x8b\x00"), /* mov %fs, %eax; mov %fs:(%rax), %eax */
    I("\xd9\xe8"),
    I("\xd9\xeb"),
    I("\xd9\xee"),
    I("\xd8\xc1"),
    I("\xde\xc9"),
    I("\xd9\xfa"),
    I("\xde\xf9"),
    I("\xd9\xc9"),
    I("\xd9\xf7"),
    I("\xd9\xf6"),
    I("\xdd\xc0"),
    I("\xdb\xe3"),
    I("\xdb\xe2"),
    I("\xdf\xe0"),
    I("\xdb\xf1"),
    I("\xda\xc1"),
    I("\x0f\x77"),
    I("\x9b"),
    I("\xd9\xe5"),
    I("\xd9\xfc"),
    M("\xd9\x83"),
    M("\xdd\x83"),
    M("\xdb\xab"),
    M("\xdb\xbb"),
    M("\xd9\x9b"),
    M("\xdb\x9b"),
    M("\xdd\x8b"),
    M("\xd9\xab"),
    M("\xd9\xbb"), /* fldcw, fnstcw */
    M("\xdd\xb3"),
    M("\xdd\xa3"),
    M("\xd9\xb3"),
    M("\xd9\xa3"), /* fnsave, frstor, fnstenv, fldenv */
    M("\x0f\xae\x83"),
    M("\x0f\xae\x8b"), /* fxsave, fxrstor */
    M("\x0f\xae\x93"),
    M("\x0f\xae\x9b"),                         /* ldmxcsr, stmxcsr */
    I("\x68\x80\x7f\x00\x00\x0f\xae\x14\x24"), /* push $0x7f80; ldmxcsr (%rsp): truncate */
    I("\x68\x00\x1f\x00\x00\x0f\xae\x14\x24"), /* invalid operations are not masked */
    I("\x68\x7f\x03\x00\x00\xd9\x2c\x24"),
    I("\x68\x7f\x0c\x00\x00\xd9\x2c\x24"),
    I("\x68\x3e\x03\x00\x00\xd9\x2c\x24"),
    M("\x0f\x10\x83"),
    M("\x0f\x11\x83"),
    M("\xf2\x0f\x10\x8b"),
    I("\x0f\x58\xc1"),
    I("\xf2\x0f\x5e\xc1"),
    I("\xf3\x0f\x51\xd0"),
    I("\x0f\x59\xd1"),
    I("\x66\x0f\xef\xc9"),
    I("\x0f\x2f\xc1"),
    I("\xf2\x0f\x2d\xc1"),
    I("\xf3\x0f\x2a\xca"),
    I("\x66\x0f\x38\x00\xc1"),
    I("\x0f\x6e\xc2"),
    I("\x0f\xfc\xc1"),
    I("\x0f\x7f\xc2"),
    M64("\x44\x0f\x10\xbb"),
    I64("\x45\x0f\x58\xf9"),
    I("\xcc"),
    I("\xcd\x80"),
    I("\x0f\x05"),
    I("\x0f\xa2"),
    I("\x0f\x31"),
    I("\xf3\x90"),
    I("\xec"),
    I("\x0f\x0b"),
};

/* Flat: data for rings 1 and 3 is 0x11 and 0x23; 0x2b is a data segment with a base. */
static const uint64_t gdt[] = { 0,
                                0,
                                UINT64_C(0x00cfb3000000ffff),
                                0,
                                UINT64_C(0x00cff3000000ffff),
                                UINT64_C(0x00cff3000010ffff),
                                UINT64_C(0x00affb000000ffff) };

struct program {
    uint8_t code[512];
    unsigned int len;
    uint16_t at[MAX_INSNS];
};

struct side {
    struct pv_guest g[2];
    unsigned int where; /* the machine it is in */
    struct cpu_context *c;
    struct cpu_state *st;
};

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void program_make(struct program *p, bool narrow, uint64_t *s)
{
    p->len = 0;
    for (unsigned int i = 0; i < MAX_INSNS; i++) {
        const int32_t disp = (int)(next_random(s) % 32) * (next_random(s) % 2 ? 16 : 4) - 64;
        size_t k;

        do
            k = next_random(s) % ARRAY_SIZE(insns);
        while (narrow && insns[k].wide);
        p->at[i] = (uint16_t)p->len;
        memcpy(p->code + p->len, insns[k].code, insns[k].len);
        memcpy(p->code + p->len + insns[k].len, &disp, insns[k].disp ? 4 : 0);
        p->len += insns[k].len + (insns[k].disp ? 4u : 0u);
    }
    memcpy(p->code + p->len, "\x0f\x05", 2);
    p->len += 2;
}

static void debug_make(struct cpu_state *st, const struct program *p, uint64_t r)
{
    st->dr[0] = PG_VA(0) + p->at[r % MAX_INSNS];
    st->dr[1] = MIDDLE + (r >> 8 & 0x78);
    st->dr[2] = PG_VA(PG_STACK) + 2040;
    st->dr[3] = PG_VA(0) + p->at[(r >> 16) % MAX_INSNS];
    st->dr[7] = X86_DR7_DEFAULT | 0x55 | UINT64_C(0xd) << 20 | UINT64_C(0xb) << 24;
}

/* Where the program goes on after an exit. */
static void go_on(struct cpu_state *st, const struct program *p, bool narrow, uint64_t r)
{
    st->rsp = PG_VA(PG_STACK) + 2048;
    st->rbx = MIDDLE;
    st->rsi = MIDDLE - (r & 31), st->rdi = MIDDLE + (r >> 5 & 31);
    st->rcx = r >> 10 & 15;
    st->rbp = (const uint16_t[]){ 0x11, 0x23, 0x23, 0x2b }[r >> 14 & 3];
    if (narrow && st->cpl == 1 && (r >> 16 & 3))
        st->rbp = 0x11;
    st->rax = r >> 20 & 1 ? MIDDLE : r >> 40;
    if (r >> 21 & 1)
        st->rflags &= ~(uint64_t)(X86_EFLAGS_TF | X86_EFLAGS_AC);
    if (r >> 22 & 1)
        st->rip = PG_VA(0) + p->at[(r >> 24) % MAX_INSNS];
}

static void start(struct side *a, const struct program *p, bool narrow, uint64_t r)
{
    struct pv_guest *g = &a->g[a->where];
    uint64_t s = r | 1;

    for (unsigned int i = 0; i < 2 * PAGE_SIZE / 8; i++)
        ((uint64_t *)ram_page(g->m, PG_FRAME(20)))[i] =
            next_random(&s) % 3 ? next_random(&s) : next_random(&s) & 0x1f80;
    memset(ram_page(g->m, PG_FRAME(PG_STACK)), 0, PAGE_SIZE);
    pg_write(g, 0, 0, p->code, p->len);
    pg_write(g, GDT_PAGE, 0, gdt, sizeof(gdt));
    a->c = pg_context(g->m, narrow ? CPU_MODE_PV32 : CPU_MODE_PV64);
    a->st = cpu_context_state(a->c);
    a->st->gdtr = (struct cpu_table){ PG_VA(GDT_PAGE), sizeof(gdt) - 1 };
    if (r % 4 == 0)
        debug_make(a->st, p, next_random(&s));
    if (r % 8 == 1)
        a->st->cr0 |= X86_CR0_TS;
    go_on(a->st, p, narrow, next_random(&s));
}

/* Into a context that no engine has seen; perhaps in the other machine. */
static void copy(struct side *a, bool elsewhere)
{
    struct cpu_context *c = cpu_context_create(a->g[a->where ^ elsewhere].m, a->st->mode, &a->st->controls);

    cpu_context_save_fpu(a->c);
    *cpu_context_state(c) = *a->st;
    cpu_context_state(c)->dirty = CPU_DIRTY_ALL;
    cpu_context_destroy(a->c);
    a->c = c;
    a->st = cpu_context_state(c);
    if (!elsewhere)
        return;
    for (uint64_t mfn = 0x10; mfn < mfn_x(PG_FRAME(PG_PAGES)); mfn++)
        memcpy(ram_page(a->g[!a->where].m, _mfn(mfn)), ram_page(a->g[a->where].m, _mfn(mfn)), PAGE_SIZE);
    a->where = !a->where;
}

static struct sim_exit run(struct side *a, uint64_t budget, unsigned int pcpu)
{
    return pcpu_run(a->g[a->where].m->pcpu[pcpu], a->c, budget);
}

static void same_state(struct side *a, struct side *b, bool fpu, unsigned int program, unsigned int piece)
{
    const struct cpu_state *x = a->st, *y = b->st;

    if (memcmp(x->gpr, y->gpr, sizeof(x->gpr)) || x->rip != y->rip || x->rflags != y->rflags || x->cpl != y->cpl ||
        memcmp(x->dr, y->dr, sizeof(x->dr)) || x->int_shadow != y->int_shadow)
        fail_msg("program %u, piece %u: registers (rip %lx %lx, rflags %lx %lx)", program, piece, x->rip, y->rip,
                 x->rflags, y->rflags);
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        if (x->seg[i].sel != y->seg[i].sel || x->seg[i].attr != y->seg[i].attr || x->seg[i].base != y->seg[i].base ||
            x->seg[i].limit != y->seg[i].limit)
            fail_msg("program %u, piece %u: segment %u", program, piece, i);
    if (!fpu)
        return;
    cpu_context_save_fpu(a->c);
    cpu_context_save_fpu(b->c);
    assert_true(x->fpu_cs == y->fpu_cs && x->fpu_ds == y->fpu_ds);
    for (unsigned int i = 0; i < sizeof(x->fxsave); i++)
        if (x->fxsave[i] != y->fxsave[i])
            fail_msg("program %u, piece %u: FXSAVE image at %u", program, piece, i);
}

static struct side side_create(enum cpu_mode mode)
{
    struct side a = { .g = { pg_create(mode, 2), pg_create(mode, 2) } };

    return a;
}

static void side_destroy(struct side *a)
{
    pg_destroy(&a->g[0]);
    pg_destroy(&a->g[1]);
}

static void copied(bool narrow)
{
    struct side stays = side_create(narrow ? CPU_MODE_PV32 : CPU_MODE_PV64), moves = side_create(stays.g[0].st->mode);
    uint64_t s = 0x9e3779b97f4a7c15, insns_run = 0;
    unsigned int budgets = 0, shadows = 0, traps = 0;

    for (unsigned int n = 0; n < PROGRAMS; n++) {
        struct program p;
        const uint64_t r = next_random(&s);

        program_make(&p, narrow, &s);
        start(&stays, &p, narrow, r);
        start(&moves, &p, narrow, r);
        for (unsigned int i = 0; i < PIECES; i++) {
            const uint64_t some = 1 + next_random(&s) % (next_random(&s) % 2 ? 4 : 40), then = next_random(&s);
            const uint64_t budget = stays.st->dr[7] & X86_DR7_ACTIVE ? 1000 : some;
            struct sim_exit x, y;

            if (then >> 60 & 1)
                copy(&moves, (then >> 57 & 7) == 0);
            if (then >> 54 & 1)
                pcpu_sync(stays.g[stays.where].m);
            if ((then >> 52 & 3) == 3) {
                pcpu_sync(moves.g[moves.where].m);
                pcpu_forget(moves.g[moves.where].m);
            }
            x = run(&stays, budget, 0);
            y = run(&moves, budget, then >> 56 & 1);
            if (!pg_same_exit(&x, &y))
                fail_msg("program %u, piece %u: %s(%u) after %lu, %s(%u) after %lu", n, i, sim_exit_name(x.kind),
                         sim_exit_vector(&x), x.insns, sim_exit_name(y.kind), sim_exit_vector(&y), y.insns);
            same_state(&stays, &moves, i % 4 == 3, n, i);
            insns_run += x.insns;
            budgets += x.kind == EXIT_BUDGET;
            shadows += stays.st->int_shadow;
            traps += x.kind == EXIT_EXCEPTION && x.exception.vector == 1;
            if (x.kind != EXIT_BUDGET) {
                go_on(stays.st, &p, narrow, then);
                go_on(moves.st, &p, narrow, then);
            }
        }
        assert_memory_equal(ram_page(stays.g[stays.where].m, PG_FRAME(0)),
                            ram_page(moves.g[moves.where].m, PG_FRAME(0)), PG_PAGES * PAGE_SIZE);
        cpu_context_destroy(stays.c);
        cpu_context_destroy(moves.c);
    }
    side_destroy(&stays);
    side_destroy(&moves);
    print_message("%lu instructions, %u budgets used up, %u traps, %u shadows\n", insns_run, budgets, traps, shadows);
    assert_true(budgets > PROGRAMS * 2 && shadows > PROGRAMS / 10 && traps > PROGRAMS &&
                insns_run > PROGRAMS * PIECES * 2);
}

static void copied_64(void **state) { copied(false); }
static void copied_32(void **state) { copied(true); }

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(copied_64), cmocka_unit_test(copied_32) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
