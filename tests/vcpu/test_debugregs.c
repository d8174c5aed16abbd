// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug registers as a PV guest's kernel sees them: MOV, the hypercalls, what #DB leaves in DR6, RF in frames. That
 * they break is tested in tests/sim/test_pcpu_debug.c.
 */
#include "tests/vcpu/fixture.h"

#define HANDLER UINT64_C(0xffffffff80010000)

static void gate(struct fixture *f, unsigned int vector)
{
    f->v->pv.trap_ctxt[vector] = (struct trap_info){ (uint8_t)vector, 0, FLAT_KERNEL_CS, HANDLER + vector };
}

static void exception(struct fixture *f, uint8_t vector, uint64_t addr)
{
    const struct sim_exit e = { .kind = EXIT_EXCEPTION, .exception = { .vector = vector, .addr = addr } };

    pv_handle_exit(f->v, &e);
}

/* `mov` between RAX and a debug register: the exception that it makes, or 0. */
static unsigned int mov_dr(struct fixture *f, unsigned int reg, bool to_reg)
{
    const uint8_t code[3] = { 0x0f, to_reg ? 0x23 : 0x21, (uint8_t)(0xc0 | reg << 3) };

    f->v->regs->rsp = f->scratch + 2048;
    f->v->regs->rip = fix_put(f, 0, code, sizeof(code));
    exception(f, X86_EXC_GP, 0);
    return f->v->regs->rip == f->scratch + 3 ? 0 : (unsigned int)(f->v->regs->rip - HANDLER);
}

/* What does not exist is #UD, what is not allowed #GP; every address can be read back. */
static void mov(void **state)
{
    static const struct {
        uint64_t val;
        unsigned int reg, vector;
    } writes[] = {
        { UINT64_C(0xffff800000000000), 0, X86_EXC_GP }, /* Xen's */
        { UINT64_C(0x0000800000000000), 1, X86_EXC_GP },
        { (uint64_t)-19, 2, 0 },
        { 0x1234, 3, 0 },
        { UINT64_C(1) << 32, 4, X86_EXC_GP },
        { UINT64_C(1) << 32, 6, X86_EXC_GP },
        { UINT64_C(1) << 32, 7, X86_EXC_GP },
        { 0x2000, 7, X86_EXC_GP }, /* GD */
        { 2u << 16 | 1, 7, X86_EXC_GP },
        { 2u << 16, 5, 0 },
        { 3u << 16 | 1, 5, 0 },
    };
    struct fixture *f = *state;

    gate(f, X86_EXC_GP);
    gate(f, X86_EXC_UD);
    for (unsigned int i = 0; i < ARRAY_SIZE(writes); i++) {
        f->v->regs->rax = writes[i].val;
        assert_int_equal(mov_dr(f, writes[i].reg, true), writes[i].vector);
        if (writes[i].vector || writes[i].reg > 3)
            continue;
        f->v->regs->rax = 0;
        assert_int_equal(mov_dr(f, writes[i].reg, false), 0);
        assert_int_equal(f->v->regs->rax, writes[i].val);
    }
    assert_int_equal(mov_dr(f, 5, false), 0);
    assert_int_equal(f->v->regs->rax, 0x30401);
    f->v->pv.ctrlreg[4] |= X86_CR4_DE;
    for (unsigned int reg = 4; reg < 6; reg++) {
        assert_int_equal(mov_dr(f, reg, false), X86_EXC_UD);
        assert_int_equal(mov_dr(f, reg, true), X86_EXC_UD);
    }
}

/* Conditions accumulate until the guest clears them. */
static void dr6(void **state)
{
    struct fixture *f = *state;

    gate(f, X86_EXC_DB);
    exception(f, X86_EXC_DB, 5);
    exception(f, X86_EXC_DB, 0x4002);
    assert_int_equal(f->v->regs->rip, HANDLER + X86_EXC_DB);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_get_debugreg, 6, 0, 0, 0), 0xffff4ff7);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 6, 0, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_get_debugreg, 6, 0, 0, 0), 0xffff0ff0);
}

/*
 * RF is in the frame of a fault, clear for the handler; what is emulated is complete. An INT n that is refused is a
 * fault.
 */
static void rf(void **state)
{
    struct fixture *f = *state;
    const struct sim_exit int80 = { .kind = EXIT_SOFTINT, .softint = { .vector = 0x80 }, .insn_len = 2 };

    gate(f, X86_EXC_GP);
    f->v->regs->rflags |= X86_EFLAGS_RF;
    f->v->regs->rip = fix_put(f, 0, "\x0f\x05", 2);
    exception(f, X86_EXC_GP, 0);
    assert_true(fix_read(f, f->v->regs->rsp + 40) & X86_EFLAGS_RF);
    assert_false(f->v->regs->rflags & X86_EFLAGS_RF);
    pv_handle_exit(f->v, &int80);
    assert_true(fix_read(f, f->v->regs->rsp + 40) & X86_EFLAGS_RF);
    f->v->regs->rflags |= X86_EFLAGS_RF;
    assert_int_equal(mov_dr(f, 7, false), 0);
    assert_false(f->v->regs->rflags & X86_EFLAGS_RF);
}

/* Instructions that are exits here and not on Xen: a trap that waited for them, and single-step, come behind them. */
static void behind_exits(void **state)
{
    static const enum sim_exit_kind kinds[] = { EXIT_CPUID, EXIT_RDTSC, EXIT_PAUSE };
    struct fixture *f = *state;

    gate(f, X86_EXC_DB);
    for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct sim_exit e = { .kind = kinds[i], .insn_len = 2, .insn = { .dr6 = 4 } };

        f->v->regs->rip = 0x1000;
        f->v->regs->rflags = 0x202 | X86_EFLAGS_TF;
        f->v->regs->dr[6] = 0;
        pv_handle_exit(f->v, &e);
        assert_int_equal(f->v->regs->rip, HANDLER + X86_EXC_DB);
        assert_int_equal(f->v->regs->dr[6], 0x4004);
        assert_int_equal(fix_read(f, f->v->regs->rsp + 16), 0x1002);
    }
}

/* A vCPU is born with breakpoints armed: VCPUOP_initialise, setvcpucontext. */
static void born_with(void **state)
{
    struct fixture *f = *state;
    struct pv_guest_context *g = calloc(1, sizeof(*g));
    struct vcpu *v = f->d->vcpu[0];

    pv_get_info_guest(v, g);
    g->nat.debugreg[2] = 0x5000;
    g->nat.debugreg[6] = 0x4001;
    g->nat.debugreg[7] = 0x0f000020;
    v->regs->dirty = 0;
    assert_int_equal(pv_set_info_guest(v, g), 0);
    assert_int_equal(v->regs->dr[2], 0x5000);
    assert_int_equal(v->regs->dr[6], 0xffff4ff1);
    assert_int_equal(v->regs->dr[7], 0x0f000420);
    assert_true(v->regs->dirty & CPU_DIRTY_DR);
    free(g);
}

/* The breakpoint on a port needs CR4.DE, also later. */
static void port_without_de(void **state)
{
    struct fixture *f = *state;
    const struct sim_exit e = { .kind = EXIT_IO, .io = { .port = 0x70, .size = 1, .in = true } };

    gate(f, X86_EXC_DB);
    f->v->pv.iopl = 3;
    f->v->pv.ctrlreg[4] |= X86_CR4_DE;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 1, 0x70, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, 2u << 20 | 4, 0, 0), 0);
    for (unsigned int de = 0; de < 2; de++) {
        f->v->pv.ctrlreg[4] = de ? f->v->pv.ctrlreg[4] | X86_CR4_DE : f->v->pv.ctrlreg[4] & ~(uint64_t)X86_CR4_DE;
        f->v->regs->rip = fix_put(f, 0, "\xe4\x70", 2);
        pv_handle_exit(f->v, &e);
        assert_int_equal(f->v->regs->rip, de ? HANDLER + X86_EXC_DB : f->scratch + 2);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = { TEST(mov),          TEST(dr6),       TEST(rf),
                                        TEST(behind_exits), TEST(born_with), TEST(port_without_de) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
