// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM guest's MSRs, entry by entry: what each reads as when it is new, which values it takes, and what it reads as
 * then. All others are #GP.
 */
#include "tests/vcpu/hvm.h"

#define GP 0 /* reads, writes: #GP */
#define RO 1 /* reads as `value`; a write is #GP */
#define RZ 2 /* reads as `value`, whatever is written, which is no fault */
#define RW 3 /* reads as what was written: `good`, and not `bad` */

static const struct row {
    uint32_t first, last;
    unsigned int kind;
    uint64_t value, good, bad;
} table[] = {
    { 0x0, 0x1, RZ, 0, 0, 0 },
    { 0x2c, 0x2c, RO, 0, 0, 0 },
    { 0x3a, 0x3a, GP, 0, 0, 0 },
    { 0x3b, 0x3b, RW, 0, 0x1234, 0 },
    { 0x48, 0x49, GP, 0, 0, 0 },
    { 0x79, 0x79, GP, 0, 0, 0 },
    { 0x8b, 0x8b, RO, 0, 0, 0 },
    { 0xce, 0xce, RO, 0x80000000, 0, 0 },
    { 0xe7, 0xe8, GP, 0, 0, 0 },
    { 0xfe, 0xfe, RO, 0x508, 0, 0 },
    { 0x10a, 0x10b, GP, 0, 0, 0 },
    { 0x174, 0x174, RW, 0, 0x10, 0 },
    { 0x175, 0x176, RW, 0, 0x123456789a, UINT64_C(0x8000000000000000) },
    { 0x179, 0x179, RO, 2, 0, 0 },
    { 0x17a, 0x17a, RW, 0, 4, 0 },
    { 0x17b, 0x17b, RZ, 0, 0, 0 },
    { 0x198, 0x19c, GP, 0, 0, 0 },
    { 0x1a0, 0x1a0, GP, 0, 0, 0 },
    { 0x1d9, 0x1d9, RW, 0, 1, 0 },
    { 0x1db, 0x1de, RW, 0, 0x1000, 0 },
    { 0x200, 0x200, RW, 0, 0x80000006, 0x80000002 },
    { 0x201, 0x201, RW, 0, UINT64_C(0xff80000800), UINT64_C(0x1ff80000800) },
    { 0x20f, 0x20f, RW, 0, 0x800, 0x400 },
    { 0x210, 0x210, GP, 0, 0, 0 },
    { 0x250, 0x250, RW, 0, UINT64_C(0x0605040100060504), UINT64_C(0x0605040100060503) },
    { 0x258, 0x259, RW, 0, 0x0606, 0x0706 },
    { 0x268, 0x26f, RW, 0, 0x0606, 0x8000 },
    { 0x277, 0x277, RW, UINT64_C(0x0007040600070406), UINT64_C(0x0007010600070106), UINT64_C(0x0007010600070206) },
    { 0x280, 0x29f, RZ, 0, 0, 0 },
    { 0x2ff, 0x2ff, RW, 0, 0xc06, 0xc07 },
    { 0x345, 0x345, GP, 0, 0, 0 },
    { 0x400, 0x400, RZ, ~UINT64_C(0), 0, 0 },
    { 0x401, 0x403, RO, 0, 0, 0 }, /* 0 may be written */
    { 0x404, 0x404, RZ, ~UINT64_C(0), 0, 0 },
    { 0x408, 0x47f, RZ, 0, 0, 0 },
    { 0x480, 0x491, GP, 0, 0, 0 },
    { 0x6e0, 0x6e0, RZ, 0, 0, 0 },
    { 0x800, 0x83f, GP, 0, 0, 0 }, /* x2APIC, which CPUID does not offer */
    { 0xda0, 0xda0, GP, 0, 0, 0 },
    { 0xc0000081, 0xc0000081, RW, 0, UINT64_C(0x0023001000000000), 0 },
    { 0xc0000082, 0xc0000083, RW, 0, UINT64_C(0xffffffff81000000), UINT64_C(0x1000000000000000) },
    { 0xc0000084, 0xc0000084, RW, 0, 0x47700, 0 },
    { 0xc0000100, 0xc0000102, RW, 0, UINT64_C(0xffff888000000000), UINT64_C(0x1000000000000000) },
    { 0xc0000103, 0xc0000103, RW, 0, 7, UINT64_C(0x100000000) },
    { 0xc0000104, 0xc0000106, GP, 0, 0, 0 },
    { 0xc0000408, 0xc000040a, RZ, UINT64_C(1) << 61, 0, 0 },
    { 0xc0010000, 0xc0010007, RZ, 0, 0, 0 },
    { 0xc0010010, 0xc0010010, RZ, 0, 0, 0 },
    { 0xc0010015, 0xc0010015, RZ, 0x1000000, 0, 0 },
    { 0xc001001a, 0xc001001a, RZ, 0, 0, 0 },
    { 0xc001001d, 0xc001001d, RZ, 0, 0, 0 },
    { 0xc001001f, 0xc001001f, RZ, 0, 0, 0 },
    { 0xc0010020, 0xc0010020, GP, 0, 0, 0 },
    { 0xc0010055, 0xc0010055, RO, 0, 0, 0 },
    { 0xc0010114, 0xc0010114, RZ, 0, 0, 0 },
    { 0xc0010117, 0xc0010117, GP, 0, 0, 0 },
    { 0xc0010140, 0xc0010141, GP, 0, 0, 0 },
    { 0xc0010200, 0xc001020b, RZ, 0, 0, 0 },
    { 0xc0011023, 0xc0011023, RZ, 0, 0, 0 },
    { 0xc0011029, 0xc0011029, RZ, 2, 0, 0 },
    { 0xc001102a, 0xc001102a, RZ, 0, 0, 0 },
};

static void check(struct vcpu *v, uint32_t msr, const struct row *row)
{
    const uint64_t odd = UINT64_C(0x1234);
    uint64_t val = ~row->value;
    const bool reads = hvm_read_msr(v, msr, &val);

    if (reads != (row->kind != GP) || (reads && val != row->value))
        fail_msg("MSR %#x reads as %#lx (%u)", msr, (unsigned long)val, reads);
    if (row->kind == RW) {
        if (!hvm_write_msr(v, msr, row->good) || (row->bad && hvm_write_msr(v, msr, row->bad)))
            fail_msg("MSR %#x takes what it should not, or does not what it should", msr);
    } else if (hvm_write_msr(v, msr, odd) != (row->kind == RZ)) {
        fail_msg("MSR %#x is written", msr);
    }
    if (row->kind == GP)
        return;
    hvm_read_msr(v, msr, &val);
    if (val != (row->kind == RW ? row->good : row->value))
        fail_msg("MSR %#x reads as %#lx behind a write", msr, (unsigned long)val);
}

static void test_table(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        for (uint32_t msr = table[i].first; msr <= table[i].last; msr++)
            check(f->v, msr, &table[i]);
    assert_true(hvm_write_msr(f->v, 0x401, 0) && hvm_write_msr(f->v, 0x140, 0) && hvm_write_msr(f->v, 0x140, 1));
    assert_false(hvm_write_msr(f->v, 0x140, 2));
}

/* What is not in the table is nothing, but for these, which are tried elsewhere. */
static void test_others(void **state)
{
    static const uint32_t others[] = { 0x10, 0x1b, 0x140, 0xc0000080, 0x40000000 };
    static const uint32_t from[] = { 0, 0x40000000, 0xc0000000, 0xc0010000, 0xc0011000 };
    struct fixture *f = *state;
    unsigned int known = 0;
    uint64_t val;

    for (size_t k = 0; k < ARRAY_SIZE(from); k++)
        for (uint32_t msr = from[k]; msr < from[k] + 0x1000; msr++) {
            bool listed = (msr >= 0x202 && msr <= 0x20e) || (msr >= 0x405 && msr <= 0x407);

            for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                listed |= msr == others[i];
            for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                listed |= msr >= table[i].first && msr <= table[i].last;
            known += hvm_read_msr(f->v, msr, &val);
            if (!listed && (hvm_read_msr(f->v, msr, &val) || hvm_write_msr(f->v, msr, 0)))
                fail_msg("MSR %#x is there", msr);
        }
    assert_true(known > 200);
}

/* The TSC and its adjustment are one thing. */
static void test_tsc(void **state)
{
    struct fixture *f = *state;
    uint64_t was, val;

    assert_true(hvm_read_msr(f->v, 0x10, &was) && hvm_write_msr(f->v, 0x10, was + 1000));
    assert_true(hvm_read_msr(f->v, 0x3b, &val));
    assert_int_equal(val, 1000);
    assert_true(hvm_write_msr(f->v, 0x3b, 0) && hvm_read_msr(f->v, 0x10, &val));
    assert_int_equal(val, was);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_table, hvm_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(test_others, hvm_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(test_tsc, hvm_setup, fix_teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
