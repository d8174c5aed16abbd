// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exits dealt with inside the emulator's hook, beside the same ones dealt with outside (--plain-engine).
 *
 * A guest of small pieces, each of which ends in an exit, on two machines. What is done about an exit is drawn by lot,
 * the same lot for both: other registers, flags and segments, another piece, other code there, another vCPU's registers
 * looked at, the TLB dropped, breakpoints, another budget, an end. All exits must be the same, with all registers.
 *
 * Could pass wrongly: where nothing is dealt with inside. So that is counted: the engine is then running.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sim/engine/emu.h"
#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define RUNS      400
#define MAX_EXITS 200
#define PIECE     32 /* bytes apart */
#define NR_PIECES 64 /* in the first page; the second is the same, in another frame */
#define DATA      4

static const struct {
    const char *code;
    uint8_t len;
} pieces[] = {
#define P(literal)                                                                                                     \
    {                                                                                                                  \
        literal, sizeof(literal) - 1                                                                                   \
    }
    P("\x0f\x05"),                             /* syscall */
    P("\x48\x01\xd8\x0f\x05"),                 /* add %rbx, %rax; syscall */
    P("\x48\xff\xc9\x0f\x0b"),                 /* dec %rcx; ud2 */
    P("\x48\x39\xc8\xf4"),                     /* cmp %rcx, %rax; hlt */
    P("\x48\x11\xd2\xcd\x80"),                 /* adc %rdx, %rdx; int $0x80 */
    P("\x48\xd3\xe0\xcc"),                     /* shl %cl, %rax; int3 */
    P("\xfd\xfc\x48\x8b\x07\x0f\x05"),         /* std; cld; mov (%rdi), %rax; syscall */
    P("\x48\x89\x47\x08\x48\xff\xc0\x0f\x05"), /* mov %rax, 8(%rdi); inc %rax; syscall */
    P("\x0f\xa2"),                             /* cpuid */
    P("\x0f\x31"),                             /* rdtsc */
    P("\xf3\x90"),                             /* pause */
    P("\x64\x48\x8b\x06\x0f\x05"),             /* mov %fs:(%rsi), %rax; syscall */
    P("\x48\xff\xc8\x75\xfb\x0f\x05"),         /* 1: dec %rax; jnz 1b; syscall */
    P("\x8e\xda\x0f\x05"),                     /* mov %edx, %ds; syscall */
    P("\xff\xe3"),                             /* jmp *%rbx */
    P("\x66\x0f\xef\xc0\x0f\x05"),             /* pxor %xmm0, %xmm0; syscall */
    P("\xe4\x80"),                             /* in $0x80, %al */
    P("\x9c\x9d\x0f\x05"),                     /* pushf; popf; syscall */
#undef P
};

struct record {
    struct sim_exit exit;
    uint64_t gpr[16], rip, rflags, fs_base;
    uint16_t ds;
};

struct side {
    struct pv_guest g;
    struct cpu_context *other;
    uint64_t lot;
    struct record record[MAX_EXITS];
    unsigned int nr;
    unsigned int inside;
};

static uint64_t draw(struct side *s)
{
    s->lot = s->lot * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return s->lot >> 24;
}

static void piece_write(struct side *s, unsigned int page, unsigned int at)
{
    const unsigned int which = draw(s) % ARRAY_SIZE(pieces);

    pg_write(&s->g, page, at * PIECE, pieces[which].code, pieces[which].len);
}

static uint64_t piece_address(struct side *s) { return PG_VA(draw(s) % 2) + draw(s) % NR_PIECES * PIECE; }

/* Registers as a hypervisor may set them. */
static void change(struct side *s)
{
    struct cpu_state *st = s->g.st;
    const uint64_t r = draw(s);

    st->rip = piece_address(s);
    st->gpr[draw(s) % 4] = draw(s) % 50; /* RAX RCX RDX RBX */
    st->rbx = piece_address(s);
    st->rsp = PG_VA(PG_STACK) + 0x800;
    st->rdi = r & 7 ? PG_VA(DATA) + draw(s) % 4000 : PG_NOWHERE;
    st->rsi = 16;
    st->rflags =
        0x202 | (draw(s) & 0x8d5) | (r & 0x30 ? 0 : 0x400) | (r & 0x3c0 ? 0 : 0x100) | (r & 0x3c00 ? 0 : 0x10000);
    switch (r >> 16 & 31) {
    case 0: st->dirty |= CPU_DIRTY_TLB; break;
    case 1: cpu_context_flush_page(s->g.c, PG_VA(draw(s) % 2)); break;
    case 2: piece_write(s, (unsigned int)(draw(s) % 2), (unsigned int)(draw(s) % NR_PIECES)); break;
    case 3: cpu_context_save_fpu(s->other); break;
    case 4: cpu_context_save_fpu(s->g.c); break;
    case 5:
    case 6:
        st->seg[CPU_SEG_FS].base = PG_VA(DATA) + draw(s) % 512;
        st->dirty |= CPU_DIRTY_BASE;
        break;
    case 7:
        st->seg[CPU_SEG_DS] = (struct cpu_segment){ 0 };
        st->seg[CPU_SEG_FS].base = PG_VA(DATA);
        st->dirty |= CPU_DIRTY_SEGS | CPU_DIRTY_BASE;
        break;
    case 8:
        st->cr0 ^= 0x8; /* TS */
        st->dirty |= CPU_DIRTY_CR;
        break;
    case 9:
        st->dr[0] = piece_address(s);
        st->dr[7] = 0x401;
        st->dirty |= CPU_DIRTY_DR;
        break;
    case 10:
    case 11:
        st->dr[7] = 0x400;
        st->dirty |= CPU_DIRTY_DR;
        break;
    case 12: pg_map(&s->g, 1, PG_FRAME(1 + draw(s) % 2), PG_P | PG_RW | PG_US); break;
    }
}

static bool at_exit_of_guest(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    struct side *s = data;
    const struct cpu_state *st = s->g.st;
    struct record *r = &s->record[s->nr++];

    pcpu_budget_spend(budget, x->insns);
    memset(r, 0, sizeof(*r));
    r->exit = *x;
    memcpy(r->gpr, st->gpr, sizeof(r->gpr));
    r->rip = st->rip;
    r->rflags = st->rflags;
    r->fs_base = st->seg[CPU_SEG_FS].base;
    r->ds = st->seg[CPU_SEG_DS].sel;
    s->inside += emu_running != NULL;
    change(s);
    budget->insns = draw(s) & 3 ? 100000 : draw(s) % 20;
    return s->nr < MAX_EXITS && draw(s) % 64;
}

static void side_run(struct side *s, uint64_t seed)
{
    s->lot = seed;
    s->nr = 0;
    for (unsigned int i = 0; i < NR_PIECES; i++)
        piece_write(s, (unsigned int)(draw(s) % 3), i);
    change(s);
    pcpu_run_on(s->g.m->pcpu[0], s->g.c, &PG_BUDGET(1000), at_exit_of_guest, s);
}

static void side_create(struct side *s, bool plain)
{
    uint8_t ud2[PAGE_SIZE];

    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        ud2[i] = i % 2 ? 0x0b : 0x0f;
    s->g = pg_create_engine(CPU_MODE_PV64, 1, plain);
    for (unsigned int page = 0; page < 3; page++)
        pg_write(&s->g, page, 0, ud2, PAGE_SIZE);
    s->other = pg_context(s->g.m, CPU_MODE_PV64);
    pcpu_run(s->g.m->pcpu[0], s->other, 10);
}

static void side_destroy(struct side *s)
{
    cpu_context_destroy(s->other);
    pg_destroy(&s->g);
}

static void test_beside_outside(void **state)
{
    static struct side fast, plain;
    unsigned int exits = 0, kinds[EXIT_NR_KINDS] = { 0 };

    side_create(&fast, false);
    side_create(&plain, true);
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        side_run(&fast, seed);
        side_run(&plain, seed);
        for (unsigned int i = 0; i < fast.nr && i < plain.nr; i++) {
            const struct record *a = &fast.record[i], *b = &plain.record[i];

            if (memcmp(a, b, sizeof(*a)))
                fail_msg("run %lu, exit %u: %s vector %u, %lu instructions, rip %lx rflags %lx; %s vector %u, %lu "
                         "instructions, rip %lx rflags %lx",
                         seed, i, sim_exit_name(a->exit.kind), sim_exit_vector(&a->exit), a->exit.insns, a->rip,
                         a->rflags, sim_exit_name(b->exit.kind), sim_exit_vector(&b->exit), b->exit.insns, b->rip,
                         b->rflags);
            kinds[a->exit.kind]++;
        }
        assert_int_equal(fast.nr, plain.nr);
        exits += fast.nr;
    }
    assert_true(exits > RUNS * 20 && plain.inside == 0 && fast.inside > exits / 3);
    assert_true(kinds[EXIT_SYSCALL] > 1000 && kinds[EXIT_EXCEPTION] > 1000 && kinds[EXIT_BUDGET] > 100 &&
                kinds[EXIT_SOFTINT] > 100 && kinds[EXIT_CPUID] > 100);
    side_destroy(&fast);
    side_destroy(&plain);
}

static bool once_more(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    unsigned int *left = data;

    pcpu_budget_spend(budget, x->insns);
    return x->kind == EXIT_SYSCALL && (*left)-- > 0;
}

/* Where the run ends it ends: what stands behind the SYSCALL, and is translated already, is not executed. */
static void test_no_further(void **state)
{
    struct pv_guest g = pg_create_engine(CPU_MODE_PV64, 1, false);
    uint64_t *stored = ram_page(g.m, PG_FRAME(DATA));

    pg_write(&g, 0, 0, "\x0f\x05\x48\xff\x07\x0f\x05", 7); /* syscall; incq (%rdi); syscall */
    for (unsigned int i = 0; i < 8; i++) {
        unsigned int left = i % 2;

        *stored = 5;
        g.st->rip = PG_VA(0);
        g.st->rdi = PG_VA(DATA);
        pcpu_run_on(g.m->pcpu[0], g.c, &PG_BUDGET(1000), once_more, &left);
        assert_int_equal(*stored, 5 + i % 2);
        assert_int_equal(g.st->rip, PG_VA(0) + (i % 2 ? 7 : 2));
    }
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_beside_outside), cmocka_unit_test(test_no_further) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
