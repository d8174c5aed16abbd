// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `xenlab limits` says: docs/cpu.md says the same, and of HVM guests it is so. Each row that is about them, or
 * about all guests, is tried by a few instructions in a guest; a limit that is none any more fails here.
 *
 * GOLDEN=write writes the list into docs/cpu.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/hvm_guest.h"
#include "ui/cmd_limits.h"

#define CODE (HG_CODE * PAGE_SIZE)

/* --- the list --- */

static char *printed(void)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    assert_int_equal(cmd_limits(0, NULL, f), 0);
    fclose(f);
    return text;
}

static void test_documented(void **state)
{
    static const char begin[] = "```text\n", end[] = "```\n";
    const char *write = getenv("GOLDEN");
    char *is = printed(), *page = NULL, *from, *to;
    size_t cap = 0;
    FILE *f = fopen("docs/cpu.md", "r");

    assert_true(f && getdelim(&page, &cap, '\0', f) > 0);
    fclose(f);
    from = strstr(page, begin);
    assert_non_null(from);
    from += strlen(begin);
    to = strstr(from, end);
    assert_non_null(to);
    if (write && !strcmp(write, "write")) {
        f = fopen("docs/cpu.md", "w");
        assert_non_null(f);
        fprintf(f, "%.*s%s%s", (int)(from - page), page, is, to);
        fclose(f);
    } else if ((size_t)(to - from) != strlen(is) || memcmp(from, is, strlen(is)) != 0) {
        fail_msg("docs/cpu.md has not what xenlab limits prints (GOLDEN=write build/tests/ui/test_limits)");
    }
    free(page);
    free(is);
}

static void test_command(void **state)
{
    char help[] = "--help", other[] = "other", *text = NULL, *argv[] = { help };
    size_t size;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    assert_int_equal(cmd_limits(1, argv, f), 0);
    fclose(f);
    assert_non_null(strstr(text, "Usage: xenlab limits"));
    argv[0] = other;
    assert_int_equal(cmd_limits(1, argv, stdout), 1);
    free(text);
}

/* --- that it is so --- */

static void assert_kind(struct sim_exit x, enum sim_exit_kind kind)
{
    if (x.kind != kind)
        fail_msg("%s (vector %u) instead of %s", sim_exit_name(x.kind), sim_exit_vector(&x), sim_exit_name(kind));
}

/* hlt beyond the limit of CS. */
static void segments(struct hvm_guest *g)
{
    for (unsigned int exact = 0; exact < 2; exact++) {
        g->m->exact_segments = exact;
        hg_mode(g, HG_PROTECTED);
        g->st->seg[CPU_SEG_CS] = (struct cpu_segment){ 0x8, 0x49b, 0xff, 0 };
        g->st->dirty |= CPU_DIRTY_SEGS;
        assert_kind(HG_EXEC(g, "\xf4"), exact ? EXIT_EXCEPTION : EXIT_HLT);
    }
    g->m->exact_segments = false;
}

static void branch(struct hvm_guest *g)
{
    struct sim_exit x;

    hg_mode(g, HG_LONG);
    g->st->rax = UINT64_C(1) << 63;
    x = HG_EXEC(g, "\x90\xff\xe0"); /* jmp *%rax */
    assert_kind(x, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, X86_EXC_GP);
    assert_int_equal(g->st->rip, UINT64_C(1) << 63);
}

/* retf with RSP above 4 GiB: the page fault is below. */
static void far_ret(struct hvm_guest *g)
{
    struct sim_exit x;

    hg_mode(g, HG_LONG);
    g->st->rsp = UINT64_C(0x140000000);
    x = HG_EXEC(g, "\xcb");
    assert_kind(x, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, X86_EXC_PF);
    assert_int_equal(x.exception.addr, 0x40000000);
}

static void exceptions(struct hvm_guest *g)
{
    hg_mode(g, HG_LONG);
    assert_kind(HG_EXEC(g, "\x90\xcd\x80"), EXIT_SOFTINT);
    hg_mode(g, HG_LONG);
    assert_kind(HG_EXEC(g, "\x90\x0f\x0b"), EXIT_EXCEPTION);
}

static void rdtsc(struct hvm_guest *g)
{
    hg_mode(g, HG_LONG);
    assert_kind(HG_EXEC(g, "\x90\x0f\x31"), EXIT_RDTSC);
}

/* (How many in a row: tests/vcpu/test_hvm_idle.c.) */
static void pause_insn(struct hvm_guest *g)
{
    hg_mode(g, HG_LONG);
    assert_kind(HG_EXEC(g, "\x90\xf3\x90"), EXIT_PAUSE);
}

static void cr8(struct hvm_guest *g)
{
    hg_mode(g, HG_LONG);
    assert_kind(HG_EXEC(g, "\x90\x44\x0f\x20\xc0"), EXIT_CR_READ);
}

static void debug_registers(struct hvm_guest *g)
{
    hg_mode(g, HG_LONG);
    for (unsigned int i = 0; i < 3; i++)
        assert_kind(HG_EXEC(g, "\x90\x0f\x21\xc0"), EXIT_DR_READ);
}

/* The last level is not there: the levels above stay as they were. */
static void accessed(struct hvm_guest *g)
{
    uint64_t *l4, *l1;
    struct sim_exit x;

    hg_mode(g, HG_LONG);
    l4 = hg_at(g, HG_L4 * PAGE_SIZE);
    l1 = hg_at(g, HG_L1 * PAGE_SIZE);
    l4[1] = l4[0] & ~(uint64_t)_PAGE_ACCESSED; /* the same tables once more, 512 GiB above */
    l1[HG_DATA] &= ~(uint64_t)_PAGE_PRESENT;
    g->st->rbx = (UINT64_C(1) << 39) + HG_DATA * PAGE_SIZE;
    x = HG_EXEC(g, "\x90\x8b\x03");
    assert_kind(x, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, X86_EXC_PF);
    assert_false(l4[1] & _PAGE_ACCESSED);
}

static void caches(struct hvm_guest *g)
{
    hg_mode(g, HG_LONG);
    g->st->cr0 |= X86_CR0_CD;
    g->st->dirty |= CPU_DIRTY_CR;
    *(uint32_t *)hg_at(g, HG_DATA * PAGE_SIZE) = 0;
    g->st->rbx = HG_DATA * PAGE_SIZE;
    g->st->rax = 7;
    assert_kind(HG_EXEC(g, "\x89\x03\x0f\x09\x8b\x0b\xf4"), EXIT_HLT); /* mov %eax, (%rbx); wbinvd; mov (%rbx), %ecx */
    assert_int_equal(g->st->rcx, 7);
}

static void hidden(struct hvm_guest *g)
{
    struct sim_exit x;

    hg_mode(g, HG_LONG);
    x = HG_EXEC(g, "\x90\x0f\x01\xd8"); /* vmrun */
    assert_kind(x, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, X86_EXC_UD);
    hg_mode(g, HG_LONG);
    x = HG_EXEC(g, "\x90\x0f\x33"); /* rdpmc */
    assert_kind(x, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, X86_EXC_GP);
    hg_mode(g, HG_LONG);
    x = HG_EXEC(g, "\x90\x0f\x01\xca"); /* clac */
    assert_kind(x, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, X86_EXC_UD);
}

/* NULL: tried elsewhere. */
static const struct {
    const char *name;
    void (*is_so)(struct hvm_guest *g);
} tries[] = {
    { "segment limits and types", segments },
    { "alignment checks (#AC)", NULL }, /* of PV guests; HVM guests have them, guests/hvmtest/traps.c */
    { "branches to addresses that are not canonical", branch },
    { "far RET and IRET with an operand of 16 or 32 bits", far_ret },
    { "exceptions and INT n", exceptions },
    { "RDTSC, RDTSCP", rdtsc },
    { "PAUSE", pause_insn },
    { "CR8", cr8 },
    { "debug registers", debug_registers },
    { "A bits of a page walk that faults", accessed },
    { "a local APIC's current count", NULL }, /* tests/hvm/test_vlapic.c */
    { "memory types: MTRR, PAT, CD, PCD; WBINVD", caches },
    { "SMAP, protection keys, PCID, TSC deadline, MONITOR, performance counters, SVM", hidden },
    { "SSE and MMX arithmetic with an operand that is no memory", NULL },       /* tests/vcpu/test_hvm_emulate.c */
    { "x87 code and data selectors (FCS, FDS)", NULL },                         /* tests/sim/test_pcpu_copy.c */
    { "prefixed SYSCALL without a handler", NULL },                             /* the survey, tests/cpu/ */
    { "breakpoints with a length, or on an address that is not mapped", NULL }, /* tests/sim/test_pcpu_debug.c */
    { "single-step (TF) inside a REP instruction", NULL },                      /* the same */
    { "a fault in the fetch of an instruction's last bytes", NULL },            /* tests/cpu/test_cpucheck.c */
    { "32-bit code in a segment that passes 4 GiB", NULL },                     /* the same */
};

static void test_true(void **state)
{
    struct hvm_guest *g = *state;
    char *all = printed(), *rest = NULL;
    unsigned int nr = 0;

    for (char *line = strtok_r(all, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (*line == ' ')
            continue;
        assert_true(nr < ARRAY_SIZE(tries));
        assert_string_equal(line, tries[nr].name);
        if (tries[nr++].is_so)
            tries[nr - 1].is_so(g);
    }
    assert_int_equal(nr, ARRAY_SIZE(tries));
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documented),
        cmocka_unit_test(test_command),
        cmocka_unit_test_setup_teardown(test_true, hg_setup, hg_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
