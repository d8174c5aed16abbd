// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ENTER with an operand of 16 bits writes BP, and nothing else of RBP; when its frame cannot be written it writes
 * nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/pv_guest.h"

static const struct row {
    const char *code;
    uint8_t len;
    bool word; /* an operand of 16 bits */
} rows[] = {
    { "\x66\xc8\x08\x00\x00", 5, true },
    { "\x66\xc8\x08\x00\x01", 5, true },
    { "\x90\x66\xc8\x08\x00\x00", 6, true },
    /* Of these the outer levels' frames are read through RBP. */
    { "\x66\xc8\x08\x00\x03", 5, true },
    { "\xc8\x08\x00\x00", 4, false },
    { "\x90\xc8\x08\x00\x03", 5, false },
};

/* Once with a stack, once with none. */
static void row_try(struct pv_guest *g, const struct row *r, uint64_t rbp, unsigned int size)
{
    const uint64_t rsp = PG_VA(PG_STACK) + 0x800, frame = rsp - (r->word ? 2 : size);
    const uint64_t after = r->word ? (rbp & ~UINT64_C(0xffff)) | (frame & 0xffff) : frame;
    uint8_t code[16];
    struct sim_exit x;

    memcpy(code, r->code, r->len);
    memcpy(code + r->len, "\x0f\x05", 2);
    g->st->rbp = rbp;
    g->st->rsp = rsp;
    x = pg_exec(g, code, sizeof(code));
    assert_int_equal(x.kind, EXIT_SYSCALL);
    assert_int_equal(g->st->rbp, after);
    g->st->rbp = rbp;
    g->st->rsp = PG_NOWHERE;
    x = pg_exec(g, code, sizeof(code));
    assert_int_equal(x.kind, EXIT_EXCEPTION);
    assert_int_equal(g->st->rbp, rbp);
}

static void test_64bit(void **state)
{
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        row_try(&g, &rows[i], PG_VA(PG_STACK) + 0xa00, 8);
    for (size_t i = 0; i < 3; i++)
        row_try(&g, &rows[i], UINT64_C(0x123456789abcdef0), 8);
    pg_destroy(&g);
}

static void test_32bit(void **state)
{
    struct pv_guest g = pg_create_user32();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        row_try(&g, &rows[i], PG_VA(PG_STACK) + 0xa00, 4);
    for (size_t i = 0; i < 3; i++)
        row_try(&g, &rows[i], 0x9abcdef0, 4);
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_64bit),
        cmocka_unit_test(test_32bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
