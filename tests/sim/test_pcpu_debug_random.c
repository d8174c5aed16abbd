// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random programs with random breakpoints, run with random budgets, beside a model.
 *
 * Concept: a program is a row of instructions from a table that says what each accesses. The model walks along it and
 * keeps to the manual's rules; what the processor reports, in order, must be the same: where, DR6, RF. Then the program
 * runs without breakpoints: registers, memory and the number of instructions must come out alike.
 *
 * Could pass wrongly: if hardly anything broke; hence the count of events at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/engine/pcpu_private.h"
#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define PROGRAMS  2000
#define MAX_INSNS 16
#define AREA      PG_VA(20) /* two pages; accesses are about its middle */
#define MIDDLE    (AREA + PAGE_SIZE)
#define STACK     (MIDDLE + 64)

#define RF X86_EFLAGS_RF
#define TF X86_EFLAGS_TF
#define BS X86_DR6_BS

enum { READ = 1, STORE = 2, PUSH = 4, POP = 8, FROM_RSI = 16, TO_RDI = 32, LOAD_SS = 64, REP = 128 };

/*
 * `size` bytes at a displacement from RBX, RSI or RDI, 8 on the stack; a displacement of 4 bytes follows `code` where
 * disp is.
 */
static const struct kind {
    const char *code;
    uint8_t len, disp, size, what;
    bool both; /* exists in 32-bit code, and means the same */
} kinds[] = {
    { "\xff\xc2", 2, 0, 0, 0, true },                           /* inc %edx */
    { "\x8a\x83", 2, 4, 1, READ, true },                        /* mov disp(%rbx), %al */
    { "\x66\x8b\x83", 3, 4, 2, READ, true },                    /* ... %ax */
    { "\x8b\x83", 2, 4, 4, READ, true },                        /* ... %eax */
    { "\x48\x8b\x83", 3, 4, 8, READ, false },                   /* ... %rax */
    { "\x88\x83", 2, 4, 1, STORE, true },                       /* mov %al, disp(%rbx) */
    { "\x66\x89\x83", 3, 4, 2, STORE, true },                   /* %ax */
    { "\x89\x83", 2, 4, 4, STORE, true },                       /* %eax */
    { "\x48\x89\x83", 3, 4, 8, STORE, false },                  /* %rax */
    { "\x01\x83", 2, 4, 4, READ | STORE, true },                /* add %eax, disp(%rbx) */
    { "\x48\x11\x83", 3, 4, 8, READ | STORE, false },           /* adc %rax, disp(%rbx) */
    { "\x39\x83", 2, 4, 4, READ, true },                        /* cmp */
    { "\xfe\x83", 2, 4, 1, READ | STORE, true },                /* incb */
    { "\xf0\x0f\xb1\x93", 4, 4, 4, READ | STORE, true },        /* lock cmpxchg %edx: writes in either case */
    { "\x48\x0f\xc1\x93", 4, 4, 8, READ | STORE, false },       /* xadd %rdx */
    { "\x87\x83", 2, 4, 4, READ | STORE, true },                /* xchg %eax */
    { "\x0f\x10\x83", 3, 4, 16, READ, true },                   /* movups disp(%rbx), %xmm0 */
    { "\x0f\x11\x83", 3, 4, 16, STORE, true },                  /* and back */
    { "\xf2\x0f\x10\x8b", 4, 4, 8, READ, true },                /* movsd disp(%rbx), %xmm1 */
    { "\x0f\x13\x83", 3, 4, 8, STORE, true },                   /* movlps */
    { "\xdb\xab", 2, 4, 10, READ, true },                       /* fldt */
    { "\xdb\xbb", 2, 4, 10, STORE, true },                      /* fstpt */
    { "\x0f\x38\xf0\x83", 4, 4, 4, READ, true },                /* movbe disp(%rbx), %eax */
    { "\x48\x0f\x38\xf1\x83", 5, 4, 8, STORE, false },          /* movbe %rax, disp(%rbx) */
    { "\x50", 1, 0, 0, PUSH, false },                           /* push %rax */
    { "\x5a", 1, 0, 0, POP, false },                            /* pop %rdx */
    { "\xff\xb3", 2, 4, 8, READ | PUSH, false },                /* push disp(%rbx) */
    { "\x8f\x83", 2, 4, 8, STORE | POP, false },                /* pop disp(%rbx) */
    { "\xe8\x00\x00\x00\x00", 5, 0, 0, PUSH, false },           /* call of what follows */
    { "\xa4", 1, 0, 1, FROM_RSI | TO_RDI, true },               /* movsb */
    { "\xa5", 1, 0, 4, FROM_RSI | TO_RDI, true },               /* movsl */
    { "\xab", 1, 0, 4, TO_RDI, true },                          /* stosl */
    { "\xac", 1, 0, 1, FROM_RSI, true },                        /* lodsb */
    { "\xf3\xaa", 2, 0, 1, TO_RDI | REP, true },                /* rep stosb */
    { "\xf3\x66\xa5", 3, 0, 2, FROM_RSI | TO_RDI | REP, true }, /* rep movsw */
    { "\x8e\xd5", 2, 0, 0, LOAD_SS, true },                     /* mov %ebp, %ss */
    { "\x8e\x93", 2, 4, 2, READ | LOAD_SS, true },              /* mov disp(%rbx), %ss: of a place that holds one */
};

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* Flat segments: data for rings 1 and 3 is 0x11 and 0x23, 64-bit code 0x33. */
static const uint64_t gdt[] = {
    0, 0, UINT64_C(0x00cfb3000000ffff), 0, UINT64_C(0x00cff3000000ffff), 0, UINT64_C(0x00affb000000ffff)
};
#define SS_AT 512 /* where in the area a selector lies; nothing else comes there */

struct program {
    uint8_t code[256];
    unsigned int len, nr;
    uint8_t kind[MAX_INSNS];
    uint16_t at[MAX_INSNS + 1];
    uint64_t addr[MAX_INSNS]; /* of its operand at RBX */
    bool tf;
};

struct model {
    const struct cpu_state *st; /* debug registers */
    uint64_t rsi, rdi, rsp, rcx;
    uint64_t hits;
};

static void program_make(struct program *p, bool narrow, uint64_t *s)
{
    *p = (struct program){ .nr = 1 + next_random(s) % MAX_INSNS, .tf = next_random(s) % 4 == 0 };
    for (unsigned int i = 0; i < p->nr; i++) {
        const struct kind *k;
        int32_t disp;

        do { /* two loads of SS in a row are another story */
            p->kind[i] = (uint8_t)(next_random(s) % ARRAY_SIZE(kinds));
            k = &kinds[p->kind[i]];
        } while ((narrow && !k->both) || ((k->what & LOAD_SS) && i && (kinds[p->kind[i - 1]].what & LOAD_SS)));
        disp = k->what == (READ | LOAD_SS) ? SS_AT - (int32_t)PAGE_SIZE : (int)(next_random(s) % 32) - 16;
        p->at[i] = (uint16_t)p->len;
        p->addr[i] = MIDDLE + (uint64_t)(int64_t)disp;
        memcpy(p->code + p->len, k->code, k->len);
        memcpy(p->code + p->len + k->len, &disp, k->disp);
        p->len += k->len + k->disp;
    }
    p->at[p->nr] = (uint16_t)p->len;
    memcpy(p->code + p->len, "\x0f\x0b", 2);
    p->len += 2;
}

/* Breakpoints about the middle of the area, the stack, and at instructions. */
static void debug_make(struct cpu_state *st, const struct program *p, uint64_t *s)
{
    st->dr[7] = 0x400;
    for (unsigned int i = 0; i < 4; i++) {
        const unsigned int which = next_random(s) % 8, rw = next_random(s) & 1 ? 1 : 3, len = next_random(s) & 3;

        if (which < 3) {
            st->dr[i] = PG_VA(0) + p->at[next_random(s) % (p->nr + 1)];
            st->dr[7] |= UINT64_C(1) << (2 * i);
        } else {
            st->dr[i] = which == 3  ? AREA + SS_AT
                        : which < 6 ? STACK - 16 + next_random(s) % 24
                                    : MIDDLE - 24 + next_random(s) % 48;
            st->dr[7] |= (uint64_t)(rw | len << 2) << (16 + 4 * i) | (next_random(s) % 4) << (2 * i);
        }
    }
    st->dirty |= CPU_DIRTY_DR;
}

static void start(struct pv_guest *g, const struct program *p, bool narrow)
{
    const uint16_t ss = narrow ? 0x11 : 0x23, fcw = 0x37f;
    const uint32_t mxcsr = 0x1f80;

    for (unsigned int i = 0; i < PAGE_SIZE * 2; i++)
        ((uint8_t *)ram_page(g->m, PG_FRAME(20)))[i] = (uint8_t)(i * 7);
    pg_write(g, 20, SS_AT, &ss, 2);
    memset(g->st->gpr, 0, sizeof(g->st->gpr));
    g->st->rbp = ss;
    g->st->rbx = MIDDLE;
    g->st->rsi = MIDDLE - 9;
    g->st->rdi = MIDDLE - 5;
    g->st->rsp = STACK;
    g->st->rcx = 3;
    g->st->rip = PG_VA(0);
    g->st->rflags = 0x202 | (p->tf ? TF : 0);
    memset(g->st->fxsave, 0, sizeof(g->st->fxsave));
    memcpy(g->st->fxsave, &fcw, sizeof(fcw));
    memcpy(g->st->fxsave + 24, &mxcsr, sizeof(mxcsr));
    g->st->dirty |= CPU_DIRTY_FPU;
}

static void accessed(struct model *m, uint64_t addr, unsigned int size, bool store)
{
    static const unsigned int bytes[4] = { 1, 2, 8, 4 };

    for (unsigned int i = 0; i < 4; i++) {
        const unsigned int control = m->st->dr[7] >> (16 + 4 * i) & 15, len = bytes[control >> 2];
        const uint64_t from = m->st->dr[i] / len * len;

        if ((m->st->dr[7] >> (2 * i) & 3) && (control & 3) && (store || (control & 3) == 3) && addr < from + len &&
            from < addr + size)
            m->hits |= 1u << i;
    }
}

/* One instruction, or one iteration; false: it goes on. */
static bool execute(struct model *m, const struct kind *k, uint64_t addr)
{
    if ((k->what & REP) && !m->rcx)
        return true;
    if (k->what & READ)
        accessed(m, addr, k->size, false);
    if (k->what & STORE)
        accessed(m, addr, k->size, true);
    if (k->what & PUSH)
        accessed(m, m->rsp -= 8, 8, true);
    if (k->what & POP) {
        accessed(m, m->rsp, 8, false);
        m->rsp += 8;
    }
    if (k->what & FROM_RSI) {
        accessed(m, m->rsi, k->size, false);
        m->rsi += k->size;
    }
    if (k->what & TO_RDI) {
        accessed(m, m->rdi, k->size, true);
        m->rdi += k->size;
    }
    return !(k->what & REP) || !--m->rcx;
}

static unsigned int breaks_at(const struct model *m, uint64_t rip)
{
    unsigned int bits = 0;

    for (unsigned int i = 0; i < 4; i++)
        if ((m->st->dr[7] >> (2 * i) & 3) && !(m->st->dr[7] >> (16 + 4 * i) & 3) && m->st->dr[i] == rip)
            bits |= 1u << i;
    return bits;
}

/* To the next exit that is not the budget's; insns: all that were executed. */
static struct sim_exit go(struct pv_guest *g, uint64_t *insns, uint64_t *s)
{
    struct sim_exit x;

    do {
        const uint64_t budget = 1 + next_random(s) % 8;

        x = pcpu_run(g->m->pcpu[0], g->c, budget);
        assert_true(x.insns <= budget + 2); /* the end of a REP, and what is in the shadow of a MOV SS, belong to it */
        assert_true(x.kind != EXIT_BUDGET || x.insns >= budget);
        *insns += x.insns;
    } while (x.kind == EXIT_BUDGET);
    return x;
}

static void expect(struct pv_guest *g, uint64_t rip, uint64_t bits, uint64_t *insns, uint64_t *s, unsigned int *events)
{
    const struct sim_exit x = go(g, insns, s);

    assert_int_equal(x.kind, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, 1);
    assert_int_equal(g->st->rip, rip);
    assert_int_equal(x.exception.dr6, bits);
    ++*events;
}

/* Along the program with both; returns instructions executed. */
static uint64_t walk(struct pv_guest *g, const struct program *p, uint64_t *s, unsigned int *events)
{
    struct model m = { .st = g->st, .rsi = g->st->rsi, .rdi = g->st->rdi, .rsp = g->st->rsp, .rcx = g->st->rcx };
    uint64_t insns = 0;
    bool shadow = false;
    struct sim_exit x;

    for (unsigned int i = 0; i <= p->nr; i++) {
        const uint64_t rip = PG_VA(0) + p->at[i];
        const struct kind *k = i < p->nr ? &kinds[p->kind[i]] : NULL;
        const unsigned int bits = shadow ? 0 : breaks_at(&m, rip);
        bool done = false;

        if (bits) {
            expect(g, rip, bits, &insns, s, events);
            assert_false(g->st->rflags & RF);
            g->st->rflags |= RF;
        }
        while (k && !done) {
            done = execute(&m, k, p->addr[i]);
            if (k->what & LOAD_SS)
                break;
            m.hits |= p->tf ? BS : 0;
            if (m.hits) {
                expect(g, done ? PG_VA(0) + p->at[i + 1] : rip, m.hits, &insns, s, events);
                if (m.hits & 15)
                    assert_int_equal(!!(g->st->rflags & RF), !done);
            }
            m.hits = 0;
        }
        shadow = k && (k->what & LOAD_SS);
    }
    x = go(g, &insns, s);
    assert_int_equal(x.exception.vector, 6);
    return insns;
}

static void run_programs(struct pv_guest *g, bool narrow)
{
    static uint8_t memory[PAGE_SIZE * 2];
    uint64_t s = narrow ? 0x7654321 : 0x1234567, gpr[16];
    unsigned int events = 0;
    struct program p;
    bool tf;

    pg_write(g, 16, 0, gdt, sizeof(gdt));
    g->st->gdtr = (struct cpu_table){ PG_VA(16), sizeof(gdt) - 1 };
    for (unsigned int n = 0; n < PROGRAMS; n++) {
        uint64_t insns, plain = 0;

        program_make(&p, narrow, &s);
        debug_make(g->st, &p, &s);
        pg_write(g, 0, 0, p.code, p.len);
        start(g, &p, narrow);
        insns = walk(g, &p, &s, &events);
        memcpy(gpr, g->st->gpr, sizeof(gpr));
        memcpy(memory, ram_page(g->m, PG_FRAME(20)), sizeof(memory));
        g->st->dr[7] = 0x400;
        g->st->dirty |= CPU_DIRTY_DR;
        tf = p.tf;
        p.tf = false;
        start(g, &p, narrow);
        assert_int_equal(go(g, &plain, &s).exception.vector, 6);
        assert_memory_equal(gpr, g->st->gpr, sizeof(gpr));
        assert_memory_equal(memory, mfn_to_virt(g->m, PG_FRAME(20)), sizeof(memory));
        if (!tf) /* else a REP ends without the look at RCX that ends it otherwise */
            assert_int_equal(insns, plain);
    }
    print_message("%u programs, %u events\n", PROGRAMS, events);
    assert_true(events > 3 * PROGRAMS);
}

static void test_64(void **state)
{
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    run_programs(&g, false);
    pg_destroy(&g);
}

static void test_32(void **state)
{
    struct pv_guest g = pg_create(CPU_MODE_PV32, 1);

    run_programs(&g, true);
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_64), cmocka_unit_test(test_32) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
