// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A sample of `make cpucheck`: some thousand cases, always the same, of each family of instructions.
 *
 * Could pass wrongly: where the generator made only faults; so the sample must reach the end of its code often enough.
 * That a difference is seen is shown by giving the guest another start than the host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "tests/cpu/cpucheck.h"

#define BATCH   256
#define BATCHES 8

/*
 * With the address sanitizer the host's process has its shadow memory where the cases expect none, so what the two did
 * cannot be compared: the cases run, for what the sanitizer finds in the emulated processor, and the test says that it
 * judged nothing.
 */
#ifdef __SANITIZE_ADDRESS__
static const bool can_judge = false;
#else
static const bool can_judge = true;
#endif

static void run_family(struct check_run *run, unsigned int families, unsigned int bits)
{
    run->o.families = families;
    run->o.bits = bits;
    for (unsigned int i = 0; i < BATCHES; i++)
        check_batch(run, UINT64_C(0x5eed) << 32 | i * BATCH, BATCH);
    assert_int_equal(run->ran, BATCH * BATCHES);
    assert_true(run->completed > run->ran / 8);
    if (!can_judge) {
        print_message("not compared: the sanitizer's memory is in the way\n");
        skip();
    }
    assert_int_equal(run->differed, 0);
}

static int setup(void **state)
{
    static struct check_run run;

    run.out = can_judge ? stderr : fopen("/dev/null", "w");
    assert_non_null(run.out);
    run.native = check_native_create(BATCH);
    run.guest = check_guest_create();
    check_features_choose(run.o.features, stderr);
    *state = &run;
    return 0;
}

static int teardown(void **state)
{
    struct check_run *run = *state;

    check_guest_destroy(run->guest);
    check_native_destroy(run->native);
    if (run->out != stderr)
        fclose(run->out);
    return 0;
}

static void reset(struct check_run *run) { run->ran = run->completed = run->differed = run->instructions = 0; }

#define FAMILY_TEST(name, families)                                                                                    \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        reset(*state);                                                                                                 \
        run_family(*state, families, 64);                                                                              \
    }

FAMILY_TEST(int, 1u << FAMILY_INT)
FAMILY_TEST(string, 1u << FAMILY_STRING)
FAMILY_TEST(lock, 1u << FAMILY_LOCK)
FAMILY_TEST(x87, 1u << FAMILY_X87)
FAMILY_TEST(mmx, 1u << FAMILY_MMX)
FAMILY_TEST(sse, 1u << FAMILY_SSE)
FAMILY_TEST(all, (1u << NR_FAMILIES) - 1)

/* All that a division can do: the library's own IDIV of -2^63 by -1, (EDX:EAX), ended the program. */
static void test_division(void **state)
{
    struct check_run *run = *state;
    static struct check_case cases[BATCH];
    unsigned int i = 0, nr = 0, all;

    reset(run);
    do {
        all = check_division_make(&cases[nr++], i++);
        if (nr == BATCH || i == all) {
            check_cases(run, cases, nr);
            nr = 0;
        }
    } while (i < all);
    assert_int_equal(run->ran, all);
    if (!can_judge) {
        print_message("not compared: the sanitizer's memory is in the way\n");
        skip();
    }
    assert_int_equal(run->differed, 0);
}

static void test_32(void **state)
{
    struct check_run *run = *state;

    reset(run);
    if (!check_native_has_32(run->native)) {
        print_message("this host does not run 32-bit code\n");
        skip();
    }
    run_family(run, (1u << NR_FAMILIES) - 1, 32);
}

/* The judge sees a wrong bit of each kind. */
static void test_judge_sees(void **state)
{
    struct check_run *run = *state;
    struct check_case c;
    static struct check_result n, g;
    static uint8_t mem[CHECK_PAGES][CHECK_PAGE];
    unsigned int seen = 0;

    memset(&c, 0, sizeof(c));
    c.bits = 64;
    c.rflags = 0x202;
    memcpy(c.fxsave, "\x7f\x03", 2);
    memcpy(c.fxsave + 24, "\x80\x1f", 2);
    check_native_run(run->native, &c, 1, mem, &n);
    check_guest_run(run->guest, &c, mem, &g);
    assert_false(check_differs(&c, &n, &g));
    for (unsigned int kind = 0; kind < 9; kind++) {
        struct check_result *w = &g;

        check_guest_run(run->guest, &c, mem, w);
        switch (kind) {
        case 0: w->gpr[3] ^= 1; break;
        case 1: w->rflags ^= FLAG_A; break;
        case 2: w->rip++; break;
        case 3: w->vector = 13; break;
        case 4: w->mem[2][4095] ^= 1; break;
        case 5: w->fxsave[24] ^= 1; break;
        case 6: w->fxsave[160 + 255] ^= 1; break;
        case 7: w->fxsave[32] ^= 1; break;
        default: w->fxsave[3] ^= 8; break;
        }
        seen += check_differs(&c, &n, w);
    }
    assert_int_equal(seen, 9);
}

/* Of 32-bit code a #GP of the host is let pass where an operand passes 4 GiB, and nowhere else. */
static void test_limit(void **state)
{
    struct check_run *run = *state;
    struct check_case c;
    static struct check_result n, g;
    static uint8_t mem[CHECK_PAGES][CHECK_PAGE];

    for (unsigned int passes = 0; passes < 2; passes++) {
        memset(&c, 0, sizeof(c));
        c.bits = 32;
        c.rflags = 0x202;
        c.nr = 1;
        memcpy(c.fxsave, "\x7f\x03", 2);
        memcpy(c.insn[0].bytes, "\x8b\x03", 2); /* mov (%ebx), %eax */
        c.insn[0].len = 2;
        c.insn[0].known = 1u << KNOWN_LIMIT;
        c.gpr[3] = passes ? 0xfffffffe : 0xfffffff0;
        check_guest_run(run->guest, &c, mem, &g);
        assert_int_equal(g.vector, 14);
        n = g;
        assert_false(check_differs(&c, &n, &g));
        n.vector = 13;
        n.error_code = 0;
        assert_int_equal(check_differs(&c, &n, &g), !passes);
    }
}

/* docs/cpu.md has a line for each difference that is let pass. */
static void test_known_are_listed(void **state)
{
    FILE *f = fopen("docs/cpu.md", "r");
    static char text[65536];
    char name[40];

    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    for (unsigned int k = 1; k < NR_KNOWN; k++) {
        snprintf(name, sizeof(name), "`%s`", check_known_names[k]);
        if (!strstr(text, name))
            fail_msg("docs/cpu.md does not list %s", name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_string),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_x87),
        cmocka_unit_test(test_mmx),
        cmocka_unit_test(test_sse),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_32),
        cmocka_unit_test(test_division),
        cmocka_unit_test(test_judge_sees),
        cmocka_unit_test(test_known_are_listed),
        cmocka_unit_test(test_limit),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
