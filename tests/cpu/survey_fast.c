// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The survey on a bare processor: single cases, and pages full of them.
 *
 * The guest: 0x400000 + n pages, as in tests/support/pv_guest.h, but nothing is mapped save
 *
 *      page 0      code of a single case, read-only          page 16     GDT, the supervisor's
 *      page 2      a page full of a case, read-only           pages 20-22 data, no code: all pointers point here
 *      page 3      nothing: where the full page ends          pages 38-40 stack
 *
 * A single case: CMP of two pointers, whose bits would be NT, DF, TF and more if an engine mistook an operand for flags
 * (it computes flags late); the case; NOPs; SYSCALL. Since every NOP counts, the count of instructions tells how long
 * the case was. It is run twice from the same state and has to do the same twice.
 *
 * What must hold is in judge_single() and survey_page(). The canary then computes a sum with the integer unit, the x87
 * and SSE, and looks whether anything was written outside of data and stack.
 *
 * Could pass wrongly: what an instruction computes is not looked at here, but the two runs' likeness is.
 */
#include "tests/cpu/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define CODE        0u
#define FULL        2u
#define GDT         16u
#define DATA        20u
#define DATA_PAGES  3u
#define STACK       38u
#define STACK_PAGES 3u
#define CASE_AT     2u /* behind the CMP */
#define SLED_END    64u
#define FIRST_FRAME 0x14u /* above the page tables, whose A and D bits change */
#define PTR         (PG_VA(DATA + 1) + 0x740)
#define PTR2        (PG_VA(DATA + 1) + 0xd40)

#define FLAGS_FIXED  0xffc2802au /* always 0, but bit 1; and VM */
#define FLAGS_SYSTEM 0x3e7700u   /* TF IF DF IOPL NT VM AC VIF VIP ID; not RF, which faults set in what they save */

struct survey_fast {
    struct pv_guest g;
    struct cpu_state init[3]; /* of the three modes */
    struct cpu_context *context[3];
    survey_features have;
    uint8_t data[DATA_PAGES * PAGE_SIZE], stack[STACK_PAGES * PAGE_SIZE]; /* what is there before each run */
    uint8_t *ram;                                                         /* all frames' contents, as they should be */
    bool invalid;
};

/* What a run ended with: to be compared with another's. */
struct outcome {
    struct sim_exit exit;
    struct cpu_state st;
    uint64_t memory; /* a sum of data and stack */
};

static uint8_t *page(struct survey_fast *s, unsigned int n) { return ram_page(s->g.m, PG_FRAME(n)); }

/*
 * ------------------------------------------------------------------------------------------------------ the guest --
 */

static void init_mode(struct cpu_state *st, enum survey_mode mode)
{
    const bool ring1 = mode == SURVEY_RING1;

    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        st->seg[i] = (struct cpu_segment){ ring1 ? 0x11 : 0x23, ring1 ? 0xcb3 : 0xcf3, ~0u, 0 };
    st->seg[CPU_SEG_CS] = mode == SURVEY_USER64 ? (struct cpu_segment){ 0x33, 0xafb, ~0u, 0 }
                          : ring1               ? (struct cpu_segment){ 0x09, 0xcbb, ~0u, 0 }
                                                : (struct cpu_segment){ 0x1b, 0xcfb, ~0u, 0 };
    st->cpl = ring1 ? 1 : 3;
    st->gdtr = (struct cpu_table){ PG_VA(GDT), sizeof(pg_gdt) - 1 };
    st->rflags = 0x202;
    for (unsigned int i = 0; i < 16; i++)
        st->gpr[i] = i & 1 ? PTR2 : PTR;
    st->rcx = 3;
    st->rdx = 0x23;
    st->rsp = PG_VA(STACK + 2) + 0x100;
    if (mode != SURVEY_USER64)
        memset(&st->r8, 0, 8 * 8);
    st->fxsave[4] = 0x07; /* x87 registers in use */
    for (unsigned int i = 0; i < 3; i++) {
        const uint64_t one_and_a_half = UINT64_C(0xc000000000000000);
        const uint16_t exponent = (uint16_t)(0x3fff + i);

        memcpy(st->fxsave + 32 + 16 * i, &one_and_a_half, 8);
        memcpy(st->fxsave + 40 + 16 * i, &exponent, 2);
    }
    for (unsigned int i = 0; i < 16; i++) {
        const float f[4] = { 1.5f, 2.0f + (float)i, -3.25f, 0.0f };

        memcpy(st->fxsave + 160 + 16 * i, f, 16);
    }
}

struct survey_fast *survey_fast_create(survey_features have)
{
    struct survey_fast *s = calloc(1, sizeof(*s));
    const uint32_t pair[2] = { (uint32_t)PTR, 0x1b };

    BUG_ON(!s);
    s->have = have;
    s->g = pg_create(CPU_MODE_PV64, 1);
    s->context[SURVEY_USER64] = s->g.c;
    s->context[SURVEY_COMPAT] = pg_context(s->g.m, CPU_MODE_PV64);
    s->context[SURVEY_RING1] = pg_context(s->g.m, CPU_MODE_PV32);
    for (unsigned int i = 0; i < PG_PAGES; i++)
        pg_map(&s->g, i, PG_FRAME(i), 0);
    pg_map(&s->g, CODE, PG_FRAME(CODE), PG_P | PG_US);
    pg_map(&s->g, FULL, PG_FRAME(FULL), PG_P | PG_US);
    pg_map(&s->g, GDT, PG_FRAME(GDT), PG_P | PG_RW);
    memcpy(page(s, GDT), pg_gdt, sizeof(pg_gdt));
    for (unsigned int i = 0; i < DATA_PAGES; i++)
        pg_map(&s->g, DATA + i, PG_FRAME(DATA + i), PG_P | PG_RW | PG_US | PG_NX);
    for (unsigned int i = 0; i < STACK_PAGES; i++)
        pg_map(&s->g, STACK + i, PG_FRAME(STACK + i), PG_P | PG_RW | PG_US | PG_NX);
    for (size_t i = 0; i < sizeof(s->data); i += 8)
        memcpy(s->data + i, pair, 8);
    memcpy(s->stack, s->data, sizeof(s->stack));
    for (enum survey_mode mode = SURVEY_USER64; mode <= SURVEY_RING1; mode++) {
        s->init[mode] = *cpu_context_state(s->context[mode]);
        init_mode(&s->init[mode], mode);
        if (HAS(have, FEAT_FSGSBASE))
            s->init[mode].cr4 |= X86_CR4_FSGSBASE;
    }
    s->ram = malloc(s->g.m->nr_frames << PAGE_SHIFT);
    BUG_ON(!s->ram);
    memcpy(s->ram, s->g.m->ram, s->g.m->nr_frames << PAGE_SHIFT);
    return s;
}

void survey_fast_destroy(struct survey_fast *s)
{
    cpu_context_destroy(s->context[SURVEY_COMPAT]);
    cpu_context_destroy(s->context[SURVEY_RING1]);
    pg_destroy(&s->g);
    free(s->ram);
    free(s);
}

bool survey_was_invalid(const struct survey_fast *s) { return s->invalid; }

/*
 * ---------------------------------------------------------------------------------------------------------- a run --
 */

static uint64_t sum(const uint8_t *p, size_t n)
{
    uint64_t h = n, word;

    for (size_t i = 0; i < n; i += 8) {
        memcpy(&word, p + i, 8);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h;
}

static struct outcome run(struct survey_fast *s, enum survey_mode mode, uint64_t rip, uint64_t budget)
{
    struct cpu_context *c = s->context[mode];
    struct cpu_state *st = cpu_context_state(c);
    const uint32_t dirty = st->dirty;
    struct outcome o;

    memcpy(page(s, DATA), s->data, sizeof(s->data));
    memcpy(page(s, STACK), s->stack, sizeof(s->stack));
    *st = s->init[mode];
    st->rip = rip;
    st->dirty = dirty | CPU_DIRTY_SEGS | CPU_DIRTY_FPU;
    o.exit = pcpu_run(s->g.m->pcpu[0], c, budget);
    cpu_context_save_fpu(c);
    o.st = *st;
    o.memory = sum(page(s, DATA), sizeof(s->data)) ^ sum(page(s, STACK), sizeof(s->stack));
    return o;
}

/* Put code into a page, and into what the page should hold. */
static void put(struct survey_fast *s, unsigned int n, unsigned int offset, const void *bytes, size_t len)
{
    pg_write(&s->g, n, offset, bytes, len);
    memcpy(s->ram + (mfn_x(PG_FRAME(n)) << PAGE_SHIFT) + offset, bytes, len);
}

/*
 * ------------------------------------------------------------------------------------------------------- judgement --
 */

#define SAY(...) (snprintf(why, SURVEY_WHY, __VA_ARGS__), false)

static bool same(const struct outcome *a, const struct outcome *b, char why[SURVEY_WHY])
{
    if (!pg_same_exit(&a->exit, &b->exit) || a->st.rip != b->st.rip)
        return SAY("run twice it ends in two ways");
    if (memcmp(a->st.gpr, b->st.gpr, sizeof(a->st.gpr)) || a->st.rflags != b->st.rflags)
        return SAY("run twice it computes two results");
    if (memcmp(a->st.fxsave, b->st.fxsave, sizeof(a->st.fxsave)))
        return SAY("run twice it computes two results in FPU or SSE registers");
    return a->memory == b->memory || SAY("run twice it stores two results");
}

/* What no instruction may do, whatever it is. */
static bool judge_state(const struct survey_fast *s, const struct survey_case *c, const struct survey_expect *x,
                        const struct outcome *o, char why[SURVEY_WHY])
{
    const struct cpu_state *st = &o->st, *init = &s->init[c->mode];

    if (o->exit.kind == EXIT_ERROR)
        return SAY("the machine gives up: %s", o->exit.error.why);
    if (st->cpl != init->cpl && !(st->cpl == 3 && x->segments))
        return SAY("privilege level %u", st->cpl);
    if ((st->rflags & FLAGS_FIXED) != 2 && !x->system_flags)
        return SAY("flags that cannot be: %06x", (unsigned int)st->rflags);
    if (((st->rflags ^ init->rflags) & FLAGS_SYSTEM) && !x->system_flags)
        return SAY("it changed system flags: %06x", (unsigned int)((st->rflags ^ init->rflags) & FLAGS_SYSTEM));
    if (st->cr0 != init->cr0 || st->cr3 != init->cr3 || st->cr4 != init->cr4 || st->efer != init->efer)
        return SAY("it changed a control register");
    if (memcmp(&st->seg, &init->seg, sizeof(st->seg)) && !x->segments)
        return SAY("it changed a segment");
    if (c->mode != SURVEY_USER64 && !x->segments && memcmp(&st->r8, &init->r8, 8 * 8))
        return SAY("32-bit code changed a register that it does not have");
    return true;
}

static bool judge_exit(const struct survey_expect *x, const struct sim_exit *e, char why[SURVEY_WHY])
{
    if (e->kind == EXIT_EXCEPTION) {
        if (e->exception.vector == 6)
            return x->legality != LEGAL || SAY("#UD, but it is announced, and legal");
        return e->exception.vector < 32 && (x->vectors >> e->exception.vector & 1)
                   ? true
                   : SAY("exception %u", e->exception.vector);
    }
    return (x->exits >> e->kind & 1) || SAY("exit: %s", sim_exit_name(e->kind));
}

static bool judge_single(struct survey_fast *s, const struct survey_case *c, const struct survey_expect *x,
                         const struct outcome *o, char why[SURVEY_WHY])
{
    const uint64_t start = PG_VA(CODE) + CASE_AT, end = PG_VA(CODE) + SLED_END + 2;
    const struct sim_exit *e = &o->exit;
    const bool ended = e->kind == EXIT_SYSCALL && o->st.rip == end;

    if (!judge_state(s, c, x, o, why))
        return false;
    s->invalid = e->kind == EXIT_EXCEPTION && e->exception.vector == 6 && o->st.rip == start;
    if (x->legality == ILLEGAL)
        return s->invalid || SAY("%s, vector %u: but it is %s", sim_exit_name(e->kind), sim_exit_vector(e),
                                 x->needs ? "not announced" : "illegal");
    if (!ended && !judge_exit(x, e, why))
        return false;
    if (e->kind == EXIT_EXCEPTION && e->exception.vector != 1 && !x->jumps && o->st.rip != start)
        return SAY("exception %u is reported at %+ld", e->exception.vector, (long)(o->st.rip - start));
    if (ended && x->len && !x->jumps && !x->repeats) {
        const uint64_t len = SLED_END - CASE_AT - (e->insns - 3); /* all but CMP, the case and SYSCALL are NOPs */

        if (len != x->len)
            return SAY("%u bytes long, not %u", (unsigned int)len, x->len);
    }
    return true;
}

bool survey_single(struct survey_fast *s, const struct survey_case *c, char why[SURVEY_WHY])
{
    const struct survey_expect x = survey_expect(c, s->have);
    uint8_t code[SLED_END + 2];
    struct outcome a, b;

    memset(code, 0x90, sizeof(code));
    memcpy(code, "\x39\xd8", 2); /* cmp %ebx, %eax */
    memcpy(code + CASE_AT, c->bytes, c->len);
    memcpy(code + SLED_END, "\x0f\x05", 2);
    if (x.len)
        memset(code + CASE_AT + x.len, 0x90, SLED_END - CASE_AT - x.len);
    put(s, CODE, 0, code, sizeof(code));
    s->invalid = false;
    a = run(s, c->mode, PG_VA(CODE), 4096);
    if (!judge_single(s, c, &x, &a, why))
        return false;
    if (a.exit.insns > 4096 + SLED_END)
        return SAY("%lu instructions in a budget of 4096", (unsigned long)a.exit.insns);
    b = run(s, c->mode, PG_VA(CODE), 4096);
    return same(&a, &b, why);
}

bool survey_page(struct survey_fast *s, const struct survey_case *c, char why[SURVEY_WHY])
{
    struct survey_expect x = survey_expect(c, s->have);
    uint8_t code[PAGE_SIZE];
    unsigned int at;
    struct outcome o;

    if (!x.len)
        x.len = c->len;
    at = (unsigned int)PAGE_SIZE % x.len;
    memset(code, 0x90, at);
    for (unsigned int i = at; i < PAGE_SIZE; i += x.len)
        memcpy(code + i, c->bytes, x.len);
    put(s, FULL, 0, code, sizeof(code));
    o = run(s, c->mode, PG_VA(FULL), 20000);
    x.vectors |= 1u << 14;
    x.vectors |= (c->map == MAP_ONE ? 1u << 16 : 0); /* what the one before left is reported by the next */
    if (!judge_state(s, c, &x, &o, why))
        return false;
    if (x.legality == ILLEGAL)
        return (o.exit.kind == EXIT_EXCEPTION && o.exit.exception.vector == 6) || SAY("a page of it: no #UD");
    if (o.exit.insns > 20000 + PAGE_SIZE)
        return SAY("%lu instructions in a budget of 20000", (unsigned long)o.exit.insns);
    return judge_exit(&x, &o.exit, why);
}

/*
 * ------------------------------------------------------------------------------------------------------ the canary --
 */

/* Valid in 32 and 64-bit code. */
static const uint8_t canary[] = {
    0xb9, 10,   0,    0,    0, /* mov $10, %ecx           */
    0x31, 0xc0,                /* xor %eax, %eax          */
    0x01, 0xc8,                /* add %ecx, %eax          */
    0x83, 0xe9, 0x01,          /* sub $1, %ecx            */
    0x75, 0xf9,                /* jnz                     */
    0x83, 0xf8, 0x37,          /* cmp $55, %eax           */
    0x9c, 0x5a,                /* pushf; pop %edx         */
    0xdb, 0xe3,                /* fninit                  */
    0xd9, 0xe8, 0xd9, 0xe8,    /* fld1; fld1              */
    0xde, 0xc1,                /* faddp                   */
    0xdb, 0x1b,                /* fistpl (%rbx)           */
    0x66, 0x0f, 0x6e, 0xc8,    /* movd %eax, %xmm1        */
    0x66, 0x0f, 0xfe, 0xc9,    /* paddd %xmm1, %xmm1      */
    0x66, 0x0f, 0x7e, 0xce,    /* movd %xmm1, %esi        */
    0x0f, 0x05,                /* syscall                 */
};

bool survey_canary(struct survey_fast *s, char why[SURVEY_WHY])
{
    const size_t first = FIRST_FRAME << PAGE_SHIFT;

    put(s, CODE, 0, canary, sizeof(canary));
    for (enum survey_mode mode = SURVEY_USER64; mode <= SURVEY_RING1; mode++) {
        const struct outcome o = run(s, mode, PG_VA(CODE), 1000);

        if (o.exit.kind != EXIT_SYSCALL || o.exit.insns != 44)
            return SAY("the canary (%s) ends with %s, vector %u, after %lu", survey_mode_name(mode),
                       sim_exit_name(o.exit.kind), sim_exit_vector(&o.exit), (unsigned long)o.exit.insns);
        if ((uint32_t)o.st.rax != 55 || (uint32_t)o.st.rsi != 110 || (o.st.rdx & 0xffff) != 0x246 ||
            *(volatile uint32_t *)(void *)(page(s, DATA + 1) + (PTR2 & 0xfff)) != 2)
            return SAY("the canary (%s) computes %u, %u, flags %x", survey_mode_name(mode), (unsigned int)o.st.rax,
                       (unsigned int)o.st.rsi, (unsigned int)o.st.rdx);
    }
    memcpy(s->ram + (mfn_x(PG_FRAME(DATA)) << PAGE_SHIFT), page(s, DATA), sizeof(s->data));
    memcpy(s->ram + (mfn_x(PG_FRAME(STACK)) << PAGE_SHIFT), page(s, STACK), sizeof(s->stack));
    if (memcmp(s->ram + first, s->g.m->ram + first, (s->g.m->nr_frames << PAGE_SHIFT) - first))
        return SAY("memory changed that the guest cannot write to");
    return true;
}
