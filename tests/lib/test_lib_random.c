// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Anything that may be put into a machine, in any order, by whoever uses libxenlab: nothing of it harms the hypervisor.
 *
 * Concept: domains of all types, whose memory is made of what hypercalls take, and random calls, exits, stores,
 * registers, traps and events; some have valid arguments, most do not. After every few the books are audited, and now
 * and then the machine goes back, and forth again, where it has to be what it was. A BUG() ends the program: the seed
 * is in its last line. LIB_OPS, LIB_SEED: how many, from which seed on (make campaign-lib).
 */
#include "xenlab/xenlab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xen/xen.h>

#define DOMAINS 4
#define PAGES   64
#define A_RUN   400 /* things that are put into one machine */

static uint64_t prng;
static struct {
    unsigned long calls, refused, well, exits, exits_refused, domains;
} done;

static uint64_t draw(uint64_t n)
{
    prng ^= prng << 13, prng ^= prng >> 7, prng ^= prng << 17;
    return (prng * UINT64_C(0x2545f4914f6cdd1d) >> 16) % n;
}

/* Numbers that mean something to somebody. */
static uint64_t number(struct xenlab *x, uint16_t d)
{
    switch (draw(9)) {
    case 0: return draw(64);
    case 1: return draw(8);
    case 2: return UINT64_MAX - draw(4);
    case 3: return UINT64_C(1) << draw(64);
    case 4: return DOMID_SELF;
    case 5: return xenlab_mfn(x, d, 0, xenlab_page(x, d, (unsigned int)draw(PAGES)));
    case 6: return xenlab_mfn(x, d, 0, xenlab_page(x, d, (unsigned int)draw(PAGES))) << 12 | draw(0x1000);
    case 7: return draw(UINT64_MAX);
    default: return xenlab_page(x, d, (unsigned int)draw(PAGES)) + draw(8) * 8;
    }
}

static void put_memory(struct xenlab *x, uint16_t d)
{
    uint64_t words[16];

    for (unsigned int i = 0; i < 16; i++)
        words[i] = draw(3) ? number(x, d) : number(x, d) << 32 | draw(256);
    xenlab_write(x, d, 0, xenlab_page(x, d, 4 + (unsigned int)draw(PAGES - 4)), words, sizeof(words));
}

static void put_call(struct xenlab *x, uint16_t d)
{
    uint64_t args[6];
    int64_t ret;

    for (unsigned int i = 0; i < 6; i++)
        args[i] = number(x, d);
    if (draw(2))
        args[0] = draw(40);
    if (xenlab_hypercall(x, d, 0, (unsigned int)draw(draw(8) ? 42 : 64), args, &ret))
        done.refused++;
    else
        done.calls++, done.well += ret >= 0;
}

static void put_exit(struct xenlab *x, uint16_t d)
{
    const struct xenlab_exit e = { .size = sizeof(e),
                                   .kind = (enum xenlab_exit_kind)draw(XENLAB_EXIT_KINDS),
                                   .insn_len = (unsigned int)draw(16),
                                   .vector = (unsigned int)draw(draw(2) ? 20 : 256),
                                   .error_code = (uint32_t)draw(32),
                                   .port = (uint16_t)draw(draw(2) ? 0x400 : 0x10000),
                                   .bytes = (uint8_t)(1u << draw(3)),
                                   .in = draw(2),
                                   .string = draw(2),
                                   .cr = (uint8_t)draw(16),
                                   .addr = number(x, d) };

    if (xenlab_exit(x, d, 0, &e))
        done.exits_refused++;
    else
        done.exits++;
}

static void put_other(struct xenlab *x, uint16_t d)
{
    static const char *const regs[] = { "rax", "rsp", "rip", "rflags", "rcx", "fs_base" };

    switch (draw(4)) {
    case 0: xenlab_register_set(x, d, 0, regs[draw(6)], number(x, d)); break;
    case 1: xenlab_trap(x, d, 0, (unsigned int)draw(24), (uint32_t)draw(16), number(x, d)); break;
    case 2: xenlab_event(x, d, 0, (uint32_t)draw(8)); break;
    case 3: xenlab_run(x, xenlab_now(x) + draw(20000)); break;
    }
}

/* One that has crashed, or ended itself, makes room for another. */
static void renew(struct xenlab *x, uint16_t *d)
{
    const struct xenlab_domain what = { .size = sizeof(what),
                                        .type = (enum xenlab_type)draw(3),
                                        .pages = PAGES,
                                        .vcpus = 1 + (unsigned int)draw(2),
                                        .control = !draw(4) };
    const int domid = (xenlab_domain_destroy(x, *d), xenlab_domain_create(x, &what));

    *d = domid > 0 ? (uint16_t)domid : 0;
    done.domains += domid > 0;
}

static bool is_alive(struct xenlab *x, uint16_t d)
{
    struct xenlab_domain_info info = { .size = sizeof(info) };
    unsigned int n = d;

    return d && xenlab_domain_next(x, &n, &info) && info.domid == d && !info.shut_down && !info.dying;
}

static void one_machine(uint64_t seed)
{
    struct xenlab *x = xenlab_create(2, (const char *const[]){ "--ram", "64" }, NULL, NULL, 0);
    struct xenlab_position there = { 0, 0 };
    uint16_t d[DOMAINS] = { 0 };
    uint64_t hash = 0;

    prng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    assert_non_null(x);
    for (unsigned int i = 0; i < A_RUN; i++) {
        uint16_t *who = &d[draw(DOMAINS)];

        if (!is_alive(x, *who))
            renew(x, who);
        if (*who)
            switch (draw(8)) {
            case 0:
            case 1: put_memory(x, *who); break;
            case 2: put_exit(x, *who); break;
            case 3: put_other(x, *who); break;
            default: put_call(x, *who); break;
            }
        if (i % 32 == 0 && xenlab_audit(x))
            fail_msg("seed %llu, %u: %s", (unsigned long long)seed, i, xenlab_error(x));
        if (i == A_RUN / 2)
            there = xenlab_position(x), hash = xenlab_hash(x);
    }
    if (xenlab_goto(x, there) || hash != xenlab_hash(x))
        fail_msg("seed %llu: what was is not what it was: %s", (unsigned long long)seed, xenlab_error(x));
    assert_int_equal(xenlab_goto(x, xenlab_end(x)), 0);
    if (xenlab_audit(x))
        fail_msg("seed %llu: %s", (unsigned long long)seed, xenlab_error(x));
    xenlab_destroy(x);
}

static void test_anything(void **state)
{
    const uint64_t ops = getenv("LIB_OPS") ? strtoull(getenv("LIB_OPS"), NULL, 0) : 2000,
                   from = getenv("LIB_SEED") ? strtoull(getenv("LIB_SEED"), NULL, 0) : 1;

    (void)state;
    for (uint64_t seed = from; seed < from + (ops + A_RUN - 1) / A_RUN; seed++) {
        if (getenv("LIB_OPS"))
            fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        one_machine(seed);
    }
    if (getenv("LIB_OPS"))
        fprintf(stderr, "%lu hypercalls (%lu went well, %lu more could not be made), %lu exits (%lu), %lu domains\n",
                done.calls, done.well, done.refused, done.exits, done.exits_refused, done.domains);
    assert_true(done.well > 0 && done.exits > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_anything) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
