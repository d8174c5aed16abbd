// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports of a PV guest whose IOPL allows them: what answers, how wide, and string instructions with their faults. */
#include "tests/vcpu/fixture.h"

#define HANDLER UINT64_C(0xffffffff80001000)
#define CODE    1024 /* offset of the instruction in the fixture's scratch area */
#define DATA    1536

static int setup(void **state)
{
    struct fixture *f;

    fix_setup(state);
    f = *state;
    f->v->pv.iopl = 3;
    for (uint8_t i = 0; i < 32; i++)
        f->v->pv.trap_ctxt[i] = (struct trap_info){ i, 0, FLAT_KERNEL_CS, HANDLER + i };
    return 0;
}

/* Execute an instruction given as text; where the guest is then: 0 behind it, 1 on it, else the exception's handler. */
static uint64_t run(struct fixture *f, const char *insn, size_t n)
{
    const uint64_t rip = fix_put(f, CODE, insn, n);

    f->v->regs->rip = rip;
    pv_handle_exit(f->v, &(struct sim_exit){ .kind = EXIT_IO });
    return f->v->regs->rip == rip + n ? 0 : f->v->regs->rip == rip ? 1 : f->v->regs->rip;
}
#define RUN(f, text) run(f, text, sizeof(text) - 1)

static uint32_t in(struct fixture *f, uint16_t port, unsigned int size)
{
    f->v->regs->rax = UINT64_C(0x5555555500000000);
    f->v->regs->rdx = port;
    assert_int_equal(size == 1 ? RUN(f, "\xec") : size == 2 ? RUN(f, "\x66\xed") : RUN(f, "\xed"), 0);
    assert_int_equal(f->v->regs->rax >> 32, size == 4 ? 0 : 0x55555555);
    return (uint32_t)f->v->regs->rax;
}

static void out(struct fixture *f, uint16_t port, unsigned int size, uint32_t val)
{
    f->v->regs->rax = val;
    f->v->regs->rdx = port;
    assert_int_equal(size == 1 ? RUN(f, "\xee") : size == 2 ? RUN(f, "\x66\xef") : RUN(f, "\xef"), 0);
}

static void pci_address_latch(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(in(f, 0xcf8, 4), 0);
    out(f, 0xcf8, 4, 0x80001234);
    assert_int_equal(in(f, 0xcf8, 4), 0x80001234);
    out(f, 0xcf8, 1, 0xff); /* only 32 bits wide */
    out(f, 0xcf8, 2, 0xffff);
    assert_int_equal(in(f, 0xcf8, 1), 0xff);
    assert_int_equal(in(f, 0xcf8, 2), 0xffff);
    assert_int_equal(in(f, 0xcf8, 4), 0x80001234);
    for (uint16_t port = 0xcfc; port < 0xd00; port++)
        assert_int_equal(in(f, port, 1), 0xff); /* no device */
    assert_int_equal(in(f, 0xcfc, 4), UINT32_MAX);
}

static void clock_index(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(in(f, 0x70, 1), 0);
    out(f, 0x70, 1, 0x8a);
    assert_int_equal(in(f, 0x70, 1), 0x8a);
    assert_int_equal(in(f, 0x71, 1), 0xff); /* the clock is not the guest's */
    assert_int_equal(in(f, 0x70, 2), 0xff8a);
    out(f, 0x6f, 2, 0x1200); /* the second byte is port 0x70's */
    assert_int_equal(in(f, 0x70, 1), 0x12);
    assert_int_equal(in(f, 0x6e, 4), 0xff12ffff);
}

/*
 * A count is loaded, runs down with virtual time, and shows its end in bit 5 of port 0x61: how kernels measure their
 * TSC.
 */
static void one_shot(void **state)
{
    struct fixture *f = *state;

    out(f, 0x61, 1, 1);    /* gate open, loudspeaker off */
    out(f, 0x43, 1, 0xb0); /* channel 2, low then high, mode 0 */
    out(f, 0x42, 1, 0x34);
    out(f, 0x42, 1, 0x12);
    assert_int_equal(in(f, 0x61, 1) & 0x23, 0x01);
    f->m->clock.now += MILLISECS(1); /* 1193 ticks */
    assert_int_equal(in(f, 0x42, 1), (0x1234 - 1193) & 0xff);
    assert_int_equal(in(f, 0x42, 1), (0x1234 - 1193) >> 8);
    out(f, 0x43, 1, 0x80); /* latch */
    f->m->clock.now += MILLISECS(2);
    assert_int_equal(in(f, 0x42, 1), (0x1234 - 1193) & 0xff);
    assert_int_equal(in(f, 0x42, 1), (0x1234 - 1193) >> 8);
    assert_int_equal(in(f, 0x61, 1) & 0x20, 0);
    f->m->clock.now += MILLISECS(1);
    assert_int_equal(in(f, 0x61, 1) & 0x20, 0x20); /* 4773 ticks: over */
    out(f, 0x43, 1, 0xe8);                         /* read back the status of channel 2 */
    assert_int_equal(in(f, 0x42, 1), 0x80 | 3 << 4);
    assert_int_equal(in(f, 0x43, 1), 0);
}

static void square_wave(void **state)
{
    struct fixture *f = *state;

    out(f, 0x43, 1, 0xb6); /* mode 3 */
    out(f, 0x42, 1, 0);
    out(f, 0x42, 1, 4); /* 1024 ticks are 858 us */
    f->m->clock.now += MICROSECS(500);
    assert_int_equal(in(f, 0x61, 1) & 0x21, 0x20); /* a gate that is low holds it */
    out(f, 0x61, 1, 1);
    assert_int_equal(in(f, 0x61, 1) & 0x20, 0x20);
    f->m->clock.now += MICROSECS(500);
    assert_int_equal(in(f, 0x61, 1) & 0x20, 0);
    f->m->clock.now += MICROSECS(500);
    assert_int_equal(in(f, 0x61, 1) & 0x20, 0x20);
    out(f, 0x61, 1, 0);
    out(f, 0x61, 1, 3); /* the gate's rise starts it anew */
    f->m->clock.now += MICROSECS(300);
    assert_int_equal(in(f, 0x61, 1) & 0x23, 0x23);
    out(f, 0x43, 1, 0x94); /* low byte only, mode 2; other channels' words are lost */
    out(f, 0x43, 1, 0x36);
    out(f, 0x42, 1, 100);
    f->m->clock.now += MICROSECS(100); /* 119 ticks */
    assert_int_equal(in(f, 0x42, 1), 81);
    assert_int_equal(in(f, 0x42, 1), 81);
}

static void without_a_timer(void **state)
{
    struct fixture *f = *state;

    f->d->emulation_flags = 0; /* as libxl makes PV domains */
    out(f, 0x61, 1, 1);
    assert_int_equal(in(f, 0x61, 1), 0xff);
    assert_int_equal(in(f, 0x42, 2), 0xffff);
}

static void by_immediate_and_prefixes(void **state)
{
    struct fixture *f = *state;

    f->v->regs->rax = 0x77;
    assert_int_equal(RUN(f, "\xe6\x70"), 0);
    f->v->regs->rax = 0;
    assert_int_equal(RUN(f, "\x48\xe4\x70"), 0); /* REX.W changes nothing */
    assert_int_equal(f->v->regs->rax, 0x77);
    assert_int_equal(RUN(f, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xe5\x70"), 0); /* 15 bytes */
    assert_int_equal(f->v->regs->rax, 0xff77);
    f->v->pv.iopl = 0;
    assert_int_equal(RUN(f, "\xe4\x70"), HANDLER + X86_EXC_GP);
}

static void strings(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const uint64_t data = fix_put(f, DATA, "\x11\x22\x33\x44\0\0\0\0", 8);

    r->rdx = 0x70, r->rsi = data, r->rcx = 3;
    assert_int_equal(RUN(f, "\xf3\x6e"), 0); /* rep outsb */
    assert_true(r->rsi == data + 3 && r->rcx == 0 && f->d->pv.cmos_idx == 0x33);
    r->rdi = data + 4, r->rcx = 7;
    assert_int_equal(RUN(f, "\x6c"), 0); /* insb: once */
    assert_true(r->rdi == data + 5 && r->rcx == 7);
    assert_int_equal(fix_read(f, data), UINT64_C(0x3344332211));
    r->rdi = data + 7, r->rcx = 2, r->rflags |= X86_EFLAGS_DF;
    assert_int_equal(RUN(f, "\xf2\x6c"), 0); /* repne is the same; downwards */
    assert_true(r->rdi == data + 5 && r->rcx == 0);
    assert_int_equal(fix_read(f, data), UINT64_C(0x3333003344332211));
    r->rflags &= ~(uint64_t)X86_EFLAGS_DF;
    r->rdx = 0xcf8, r->rsi = data;
    assert_int_equal(RUN(f, "\x6f"), 0); /* outsd */
    assert_true(r->rsi == data + 4 && f->d->pv.pci_cf8 == 0x44332211);
    r->rcx = UINT64_C(0xffffffff00000002), r->rsi = data; /* a counter of 32 bits, and a pointer to nowhere */
    assert_int_equal(RUN(f, "\x67\xf3\x6f"), HANDLER + X86_EXC_PF);
    assert_int_equal(f->v->pv.ctrlreg[2], (uint32_t)data);
    r->rsi = data, r->rcx = 1000;
    assert_int_equal(RUN(f, "\xf3\x6e"), 1); /* a share of the work */
    assert_int_equal(r->rcx, 1000 - 512);
    r->rsi = data;
    assert_int_equal(RUN(f, "\xf3\x6e"), 0);
    assert_int_equal(r->rcx, 0);
}

static void string_faults(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const uint64_t stack = r->rsp;
    uint64_t edge = f->scratch;
    uint32_t pfec = PFEC_write_access;

    r->rdx = 0x3f8, r->rdi = UINT64_C(0x800000000000), r->rcx = 5;
    assert_int_equal(RUN(f, "\xf3\x6c"), HANDLER + X86_EXC_GP); /* no address */
    assert_int_equal(fix_read(f, r->rsp + 16), 0);
    r->rsp = stack, r->rsi = UINT64_C(0xffff800000000000);
    assert_int_equal(RUN(f, "\xf3\x6e"), HANDLER + X86_EXC_GP); /* Xen's own */
    r->rsp = stack, r->rsi = UINT64_C(0x800000000000);
    assert_int_equal(RUN(f, "\x36\x6e"), HANDLER + X86_EXC_GP + (X86_EXC_SS - X86_EXC_GP)); /* with SS */
    r->rsp = stack, r->rdi = 0x1000;
    assert_int_equal(RUN(f, "\xf3\x6c"), HANDLER + X86_EXC_PF);
    assert_true(f->v->pv.ctrlreg[2] == 0x1000 && r->rcx == 5 && r->rdi == 0x1000);
    assert_int_equal(fix_read(f, r->rsp + 16), PFEC_write_access);
    r->rsp = stack;
    /*
     * From a page that can be written into one that cannot: what is done is done, and the address is the second page's.
     */
    for (; !mfn_eq(guest_walk(f->v, edge, &pfec), INVALID_MFN); edge += PAGE_SIZE)
        pfec = PFEC_write_access;
    edge &= ~(uint64_t)(PAGE_SIZE - 1);
    r->rdi = edge - 6, r->rcx = 4;
    assert_int_equal(RUN(f, "\xf3\x6d"), HANDLER + X86_EXC_PF);
    assert_true(f->v->pv.ctrlreg[2] == edge && r->rcx == 3 && r->rdi == edge - 2);
    assert_int_equal(fix_read(f, r->rsp + 16), pfec);
    assert_int_equal(fix_read(f, edge - 8) >> 16 & UINT32_MAX, UINT32_MAX);
}

/* Single steps and breakpoints come between the elements. */
static void string_traps(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const uint64_t data = fix_put(f, DATA, "\x11\x22\x33\x44\0\0\0\0", 8), stack = r->rsp;

    r->rdx = 0x70, r->rsi = data, r->rcx = 3, r->rflags |= X86_EFLAGS_TF;
    assert_int_equal(RUN(f, "\xf3\x6e"), HANDLER + X86_EXC_DB);
    assert_true(r->rcx == 2 && r->rsi == data + 1 && f->d->pv.cmos_idx == 0x11);
    assert_int_equal(fix_read(f, r->rsp + 16), f->scratch + CODE);
    r->rsp = stack, r->rcx = 1, r->rflags |= X86_EFLAGS_TF;
    assert_int_equal(RUN(f, "\xf3\x6e"), HANDLER + X86_EXC_DB);
    assert_int_equal(fix_read(f, r->rsp + 16), f->scratch + CODE + 2);
    r->rsp = stack;
    f->v->pv.ctrlreg[4] |= X86_CR4_DE;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 0, 0x70, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, 2u << 16 | 1, 0, 0), 0);
    r->rdx = 0x70, r->rsi = data, r->rcx = 3;
    assert_int_equal(RUN(f, "\xf3\x6e"), HANDLER + X86_EXC_DB);
    assert_true(r->rcx == 2 && (r->dr[6] & 15) == 1);
    r->rsp = stack;
    f->v->pv.ctrlreg[4] &= ~(uint64_t)X86_CR4_DE; /* the breakpoint sleeps */
    assert_int_equal(RUN(f, "\xf3\x6e"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        TEST(pci_address_latch), TEST(clock_index),     TEST(one_shot),
        TEST(square_wave),       TEST(without_a_timer), TEST(by_immediate_and_prefixes),
        TEST(strings),           TEST(string_faults),   TEST(string_traps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
