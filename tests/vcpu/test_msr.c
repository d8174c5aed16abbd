// SPDX-License-Identifier: GPL-2.0-or-later
/* Which MSRs a PV kernel can read and write, with what in them: all others of the four populated ranges are #GP. */
#include "tests/vcpu/fixture.h"

#include "vcpu/cpu_policy.h"

#define GP_HANDLER UINT64_C(0xffffffff80001230)
#define CODE       1024 /* offset of the instruction in the fixture's scratch page */

/* RDMSR or WRMSR as the kernel's next instruction. True: executed; false: the guest is at its #GP handler. */
static bool execute(struct fixture *f, const char insn[2], uint32_t msr, uint64_t val)
{
    struct cpu_state *r = f->v->regs;
    const uint64_t rsp = r->rsp, rip = fix_put(f, CODE, insn, 2);
    const struct sim_exit e = { .kind = insn[1] == 0x32 ? EXIT_RDMSR : EXIT_WRMSR };
    bool done;

    r->rip = rip;
    r->rcx = msr, r->rax = (uint32_t)val, r->rdx = val >> 32;
    pv_handle_exit(f->v, &e);
    done = r->rip == rip + 2;
    if (!done)
        assert_true(r->rip == GP_HANDLER && fix_read(f, r->rsp + 16) == 0);
    r->rsp = rsp;
    return done;
}

static bool read_msr(struct fixture *f, uint32_t msr, uint64_t *val)
{
    const bool ok = execute(f, "\x0f\x32", msr, UINT64_C(0x1111111122222222));

    *val = (uint32_t)f->v->regs->rax | f->v->regs->rdx << 32;
    return ok;
}

static bool write_msr(struct fixture *f, uint32_t msr, uint64_t val) { return execute(f, "\x0f\x30", msr, val); }

static void handler(struct fixture *f)
{
    f->v->pv.trap_ctxt[X86_EXC_GP] = (struct trap_info){ X86_EXC_GP, 0, FLAT_KERNEL_CS, GP_HANDLER };
}

enum write { GP, LOST, KEPT, SAME, ZERO }; /* SAME: only what it reads as; ZERO: only 0 */

static const struct {
    uint32_t first, last;
    uint64_t val; /* as a new domain reads it */
    enum write write;
} msrs[] = {
    { 0x0, 0x1, 0, GP },
    { 0x1b, 0x1b, 0xfee00900, GP },
    { 0x8b, 0x8b, 0, GP },
    { 0xce, 0xce, 0, GP },
    { 0x140, 0x140, 0, ZERO },
    { 0x179, 0x179, 2, LOST }, /* MCG_CAP: two banks */
    { 0x17a, 0x17a, 0, KEPT },
    { 0x17b, 0x17b, 0, LOST },
    { 0x277, 0x277, 0x050100070406, GP },
    { 0x280, 0x29f, 0, LOST },
    { 0x345, 0x345, 0, GP },
    { 0x400, 0x400, UINT64_MAX, LOST },
    { 0x401, 0x403, 0, ZERO },
    { 0x404, 0x404, UINT64_MAX, LOST },
    { 0x405, 0x407, 0, ZERO },
    { 0x408, 0x47f, 0, LOST },
    { 0xc0000080, 0xc0000080, 0xd01, SAME },
    { 0xc0000100, 0xc0000102, 0, KEPT },
    { 0xc0000103, 0xc0000103, 0, KEPT },
    { 0xc0010000, 0xc0010007, 0, LOST },
    { 0xc0010015, 0xc0010015, 0, LOST },
    { 0xc001001f, 0xc001001f, 0, LOST },
    { 0xc0010041, 0xc0010042, 0, LOST },
    { 0xc0010058, 0xc0010058, 0, LOST },
    { 0xc0010061, 0xc001006b, 0, LOST },
    { 0xc0010200, 0xc001020b, 0, LOST },
    { 0xc0011029, 0xc0011029, 2, LOST },
};

static unsigned int find(uint32_t msr)
{
    unsigned int i = 0;

    while (i < ARRAY_SIZE(msrs) && (msr < msrs[i].first || msr > msrs[i].last))
        i++;
    return i;
}

static void check(struct fixture *f, uint32_t msr)
{
    const unsigned int i = find(msr);
    const enum write w = i < ARRAY_SIZE(msrs) ? msrs[i].write : GP;
    uint64_t val, again;
    const bool readable = read_msr(f, msr, &val);

    if (readable != (i < ARRAY_SIZE(msrs)) || (readable && val != msrs[i].val))
        fail_msg("rdmsr %x: %d, %lx", msr, readable, val);
    if (write_msr(f, msr, 0x55) != (w == LOST || w == KEPT) || write_msr(f, msr, 0) != (w >= LOST && w != SAME) ||
        (readable && write_msr(f, msr, val) != (w >= LOST)))
        fail_msg("wrmsr %x", msr);
    if (w == KEPT)
        assert_true(write_msr(f, msr, 0x55) && read_msr(f, msr, &again) && again == 0x55 && write_msr(f, msr, val));
    else if (readable)
        assert_true(read_msr(f, msr, &again) && again == val);
}

static void all_of_them(void **state)
{
    static const uint32_t ranges[] = { 0, 0x40000001, 0xc0000000, 0xc0010000 };
    struct fixture *f = *state;

    handler(f);
    for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++)
        for (uint32_t msr = ranges[i]; msr < ranges[i] + 0x2000; msr++)
            if (msr != 0x10) /* TSC */
                check(f, msr);
}

/* Values that are not taken. */
static void refusals(void **state)
{
    struct fixture *f = *state;
    uint64_t val;

    handler(f);
    for (uint32_t msr = 0xc0000100; msr <= 0xc0000102; msr++)
        assert_false(write_msr(f, msr, UINT64_C(0x800000000000)));
    assert_false(write_msr(f, 0xc0000103, UINT64_C(1) << 32));
    assert_false(write_msr(f, 0xc0000080, 0xd00));
    f->d->cpu_policy->extd[1].d &= ~(1u << 27); /* no RDTSCP, no register for it */
    assert_false(write_msr(f, 0xc0000103, 1) || read_msr(f, 0xc0000103, &val));
    assert_true(read_msr(f, 0x10, &val) && val == (uint64_t)NOW(f->xen));
    assert_false(write_msr(f, 0x10, val));
}

/* Before it has a handler for #GP, a kernel reads 0 from registers that the processor has. */
static void without_a_handler(void **state)
{
    struct fixture *f = *state;
    uint64_t val;

    assert_true(read_msr(f, 0xc0010010, &val) && val == 0); /* SYSCFG */
    assert_true(read_msr(f, 0x200, &val) && val == 0);      /* an MTRR */
    assert_int_equal(f->d->shutdown_code, -1);
    f->v->regs->rip = fix_put(f, CODE, "\x0f\x32", 2);
    f->v->regs->rcx = 0x3a; /* FEATURE_CONTROL: Intel's */
    pv_handle_exit(f->v, &(struct sim_exit){ .kind = EXIT_RDMSR });
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
}

static void relaxed(void **state)
{
    struct fixture *f = *state;
    uint64_t val;

    handler(f);
    f->d->msr_relaxed = true;
    assert_true(read_msr(f, 0xc0010010, &val) && val == 0 && write_msr(f, 0xc0010010, 1));
    assert_false(read_msr(f, 0x3a, &val) || write_msr(f, 0x3a, 0));
    assert_false(read_msr(f, 0xc00102f0, &val) || write_msr(f, 0xc0010020, 0)); /* PPIN, PATCHLOADER */
    assert_true(read_msr(f, 0xc0011029, &val) && val == 2);
}

/* MSR 0x40000000 is how a kernel without a note gets its hypercall page. */
static void hypercall_page(void **state)
{
    struct fixture *f = *state;
    uint32_t pfec = 0;
    const uint64_t mfn = mfn_x(guest_walk(f->v, f->scratch, &pfec));
    const uint8_t *page = mfn_to_virt(f->m, _mfn(mfn));
    uint64_t val;

    handler(f);
    assert_true(read_msr(f, 0x40000000, &val) && val == 0);
    assert_false(write_msr(f, 0x40000000, mfn << PAGE_SHIFT | 1));                          /* a second page */
    assert_false(write_msr(f, 0x40000000, mfn_x(f->v->pv.guest_table) << PAGE_SHIFT));      /* a page table */
    assert_false(write_msr(f, 0x40000000, (uint64_t)mfn_x(f->xen->m2p_mfn) << PAGE_SHIFT)); /* Xen's */
    assert_false(read_msr(f, 0x400000ff, &val) || write_msr(f, 0x40000001, 0));
    assert_true(write_msr(f, 0x40000000, mfn << PAGE_SHIFT));
    assert_memory_equal(page + 32 * __HYPERVISOR_sched_op, "\x51\x41\x53\xb8\x1d\0\0\0\x0f\x05\x41\x5b\x59\xc3", 14);
}

/* A 32-bit kernel has no segment bases to speak of, and is told less of EFER. */
static void pv32(void **state)
{
    struct fixture *f = *state;
    uint64_t val;

    fix_guest(f, &kernel_legacy32);
    for (uint32_t msr = 0xc0000100; msr <= 0xc0000102; msr++)
        assert_false(pv_write_msr(f->v, msr, 0));
    assert_true(pv_read_msr(f->v, 0xc0000080, &val) && val == 0x801);
    assert_true(pv_read_msr(f->v, 0xc0010015, &val) && val == 0);
}

static void control_registers(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const struct sim_exit gp = { .kind = EXIT_EXCEPTION, .exception = { .vector = X86_EXC_GP } };
    const uint64_t code = fix_put(f, CODE, "\x0f\x20\xe0\x0f\x01\xf0\x0f\x08", 8); /* mov rax, cr4; lmsw ax; invd */

    handler(f);
    r->rip = code;
    pv_handle_exit(f->v, &gp);
    assert_int_equal(r->rip, code + 3);
    assert_int_equal(r->rax & 0x6e0, 0x660); /* PAE MCE OSFXSR OSXMMEXCPT */
    r->rax = 0x80050033 | 8;
    pv_handle_exit(f->v, &gp);
    assert_int_equal(r->rip, GP_HANDLER);
    assert_false(r->cr0 & X86_CR0_TS);
    r->rip = code + 6;
    pv_handle_exit(f->v, &gp);
    assert_int_equal(r->rip, GP_HANDLER);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_of_them),    TEST(refusals), TEST(without_a_handler), TEST(relaxed),
        TEST(hypercall_page), TEST(pv32),     TEST(control_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
