// SPDX-License-Identifier: GPL-2.0-or-later
/* TSC modes, what a guest reads in each, and what it is told about them. */
#include "tests/vcpu/fixture.h"

#include "vcpu/cpuid.h"
#include "vcpu/time.h"
#include "vcpu/tsc.h"

static int tsc_op(struct fixture *f, domid_t domid, uint32_t cmd, struct xen_domctl_tsc_info *info)
{
    struct xen_domctl op = { .cmd = cmd, .domain = domid, .u.tsc_info = *info };
    int rc = xc_domctl(f->xc, &op);

    *info = op.u.tsc_info;
    return rc;
}

static int set_mode(struct fixture *f, uint32_t mode, uint32_t khz, uint64_t elapsed, uint32_t incarnation)
{
    struct xen_domctl_tsc_info info = { mode, khz, incarnation, 0, elapsed };

    return tsc_op(f, f->d->domain_id, XEN_DOMCTL_settscinfo, &info);
}

static struct xen_domctl_tsc_info get_info(struct fixture *f)
{
    struct xen_domctl_tsc_info info = { 0 };

    assert_int_equal(tsc_op(f, f->d->domain_id, XEN_DOMCTL_gettscinfo, &info), 0);
    return info;
}

static uint64_t rdtsc(struct fixture *f)
{
    const struct sim_exit e = { .kind = EXIT_RDTSC, .insn_len = 2 };

    pv_handle_exit(f->v, &e);
    return f->v->regs->rax | f->v->regs->rdx << 32;
}

/* ns by the formula of public xen/xen.h: 128 bits, since the difference may have 64. */
static uint64_t system_time(const struct vcpu_time_info *t, uint64_t tsc)
{
    uint64_t delta = tsc - t->tsc_timestamp;

    delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
    return t->system_time + (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
}

static void refusals(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl_tsc_info info = { 0 };

    assert_int_equal(set_mode(f, 3, 0, 0, 0), -EINVAL);
    assert_int_equal(set_mode(f, ~0u, 0, 0, 0), -EINVAL);
    assert_int_equal(tsc_op(f, 0, XEN_DOMCTL_gettscinfo, &info), -EINVAL); /* not itself */
    assert_int_equal(tsc_op(f, 0, XEN_DOMCTL_settscinfo, &info), -EINVAL);
    info = get_info(f);
    assert_int_equal(info.tsc_mode, TSC_MODE_DEFAULT);
    assert_int_equal(info.gtsc_khz, 1000000);
    assert_int_equal(info.incarnation, 1);
}

static void native(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl_tsc_info info;

    f->m->clock.now = SECONDS(3);
    assert_int_equal(rdtsc(f), SECONDS(3)); /* the default, on a machine where it is safe */
    assert_int_equal(get_info(f).elapsed_nsec, SECONDS(3));
    f->xen->nr_pcpus = 2;
    assert_int_equal(set_mode(f, TSC_MODE_NEVER_EMULATE, 2000000, 1, 6), 0);
    assert_int_equal(rdtsc(f), SECONDS(3));
    assert_int_equal(rdtsc(f), SECONDS(3));
    info = get_info(f);
    assert_int_equal(info.tsc_mode, TSC_MODE_NEVER_EMULATE);
    assert_int_equal(info.gtsc_khz, 0);
    assert_int_equal(info.elapsed_nsec, 0);
    assert_int_equal(info.incarnation, 7);
}

/* A frequency of its own, counting from its creation, wherever that was. */
static void emulated_frequency(void **state)
{
    struct fixture *f = *state;
    static const uint32_t khz[] = { 1000000, 2000000, 2800000, 500000, 1193, 4294967, 4294967295u };
    const struct vcpu_time_info *t = &f->v->vcpu_info->time;

    for (unsigned int i = 0; i < ARRAY_SIZE(khz); i++) {
        double want, got;

        f->m->clock.now = SECONDS(100);
        f->d->tsc.last = 0;
        assert_int_equal(set_mode(f, TSC_MODE_ALWAYS_EMULATE, khz[i], SECONDS(5), 0), 0);
        assert_int_equal(t->system_time, SECONDS(100)); /* the guest knows already */
        f->m->clock.now += MILLISECS(2345);
        want = 7.345 * 1000 * khz[i], got = (double)rdtsc(f);
        if (got < want * (1 - 1e-8) - 2 || got > want * (1 + 1e-8) + 2)
            fail_msg("%u kHz: the TSC is %.0f, expected %.0f", khz[i], got, want);
        /* ...and the guest finds its way back to system time */
        want = 102.345e9, got = (double)system_time(t, tsc_at(f->d, f->m->clock.now));
        if (got < want - 1e6 / khz[i] - 50 || got > want + 50)
            fail_msg("%u kHz: system time is %.0f, expected %.0f", khz[i], got, want);
        assert_int_equal(get_info(f).gtsc_khz, khz[i]);
        assert_int_equal(get_info(f).elapsed_nsec, MILLISECS(7345));
    }
    /* By default, too, when it is not the machine's. */
    assert_int_equal(set_mode(f, TSC_MODE_DEFAULT, 2000000, 0, 0), 0);
    assert_true(f->d->tsc.emulated);
    assert_int_equal(set_mode(f, TSC_MODE_DEFAULT, 1000000, 0, 0), 0);
    assert_false(f->d->tsc.emulated);
}

/* Whoever asks gets a larger value, even on a pCPU that is behind. */
static void emulated_grows(void **state)
{
    struct fixture *f = *state;
    uint64_t last;

    f->m->clock.now = SECONDS(1);
    f->xen->nr_pcpus = 2;
    assert_int_equal(set_mode(f, TSC_MODE_DEFAULT, 0, SECONDS(1), 0), 0);
    last = rdtsc(f);
    assert_int_equal(last, SECONDS(1));
    f->m->clock.now -= MICROSECS(15); /* another pCPU */
    for (unsigned int i = 0; i < 10; i++) {
        uint64_t now = rdtsc(f);

        assert_true(now > last);
        last = now;
    }
    f->m->clock.now = SECONDS(2);
    assert_int_equal(rdtsc(f), SECONDS(2));
    update_vcpu_system_time(f->v, f->v);
    assert_int_equal(f->v->vcpu_info->time.flags, 0); /* clocks of two vCPUs are not to be compared */
    f->xen->nr_pcpus = 1;
    update_vcpu_system_time(f->v, f->v);
    assert_int_equal(f->v->vcpu_info->time.flags, XEN_PVCLOCK_TSC_STABLE_BIT);
}

static void cpuid_leaf_3(void **state)
{
    struct fixture *f = *state;
    struct cpuid_leaf l = guest_cpuid(f->v, 0x40000003, 0);

    assert_true(l.a == 6 && l.b == TSC_MODE_DEFAULT && l.c == 1000000 && l.d == 1);
    l = guest_cpuid(f->v, 0x40000003, 1);
    assert_true(l.c == 0x80000000 && l.d == 1);
    l = guest_cpuid(f->v, 0x40000003, 2);
    assert_true(l.a == 1000000 && !l.b && !l.c && !l.d);
    l = guest_cpuid(f->v, 0x40000003, 3);
    assert_true(!l.a && !l.b && !l.c && !l.d);
    f->m->clock.now = SECONDS(4);
    f->xen->nr_pcpus = 2;
    assert_int_equal(set_mode(f, TSC_MODE_ALWAYS_EMULATE, 4000000, SECONDS(1), 3), 0);
    l = guest_cpuid(f->v, 0x40000003, 0);
    assert_true(l.a == 5 && l.b == TSC_MODE_ALWAYS_EMULATE && l.c == 4000000 && l.d == 4);
    l = guest_cpuid(f->v, 0x40000003, 1);
    assert_true(!l.a && !l.b && l.c == 0x80000000 && (int8_t)l.d == -1); /* the offset is in what is read */
    assert_int_equal(set_mode(f, TSC_MODE_NEVER_EMULATE, 0, 0, 0), 0);
    l = guest_cpuid(f->v, 0x40000003, 1);
    assert_int_equal(l.a | (uint64_t)l.b << 32, SECONDS(3));
}

/* CR4.TSD keeps it from user mode, not from the kernel. */
static void time_stamp_disable(void **state)
{
    struct fixture *f = *state;
    const struct sim_exit e = { .kind = EXIT_RDTSC, .insn_len = 2 };
    uint64_t rip = f->v->regs->rip;

    f->v->pv.ctrlreg[4] |= X86_CR4_TSD;
    pv_handle_exit(f->v, &e);
    assert_int_equal(f->v->regs->rip, rip + 2);
    f->v->pv.ctrlreg[4] &= ~(uint64_t)X86_CR4_TSD;
    f->v->pv.kernel_mode = false;
    pv_handle_exit(f->v, &e);
    assert_int_equal(f->v->regs->rip, rip + 4);
    f->v->pv.ctrlreg[4] |= X86_CR4_TSD;
    f->v->pv.trap_ctxt[X86_EXC_GP] = (struct trap_info){ X86_EXC_GP, 0, FLAT_KERNEL_CS, UINT64_C(0xffffffff80001000) };
    f->v->pv.kernel_sp = f->scratch + 2048;
    pv_handle_exit(f->v, &e);
    assert_int_equal(f->v->regs->rip, UINT64_C(0xffffffff80001000));
    assert_int_equal(fix_read(f, f->v->regs->rsp + 24),
                     rip + 4); /* behind rcx, r11, error code: the instruction itself */
}

/* RDTSCP reads a word of the kernel's as well, which is where vCPUs keep their numbers. */
static void tsc_aux(void **state)
{
    struct fixture *f = *state;
    const struct sim_exit wrmsr = { .kind = EXIT_EXCEPTION, .exception = { .vector = X86_EXC_GP } },
                          rdtscp = { .kind = EXIT_RDTSC, .insn_len = 3, .insn = { .rdtscp = true } };
    const uint64_t code = fix_put(f, 0, "\x0f\x30", 2);

    assert_true(guest_cpuid(f->v, 0x80000001, 0).d >> 27 & 1);
    f->v->regs->rip = code;
    f->v->regs->rcx = 0xc0000103, f->v->regs->rax = 77, f->v->regs->rdx = 0;
    pv_handle_exit(f->v, &wrmsr);
    assert_int_equal(f->v->regs->rip, code + 2);
    f->m->clock.now = SECONDS(6);
    pv_handle_exit(f->v, &rdtscp);
    assert_int_equal(f->v->regs->rip, code + 5);
    assert_int_equal(f->v->regs->rcx, 77);
    assert_int_equal(f->v->regs->rax | f->v->regs->rdx << 32, SECONDS(6));
    f->v->pv.trap_ctxt[X86_EXC_GP] = (struct trap_info){ X86_EXC_GP, 0, FLAT_KERNEL_CS, UINT64_C(0xffffffff80001000) };
    f->v->regs->rip = code;
    f->v->regs->rcx = 0xc0000103, f->v->regs->rdx = 1; /* it has 32 bits */
    pv_handle_exit(f->v, &wrmsr);
    assert_int_equal(f->v->regs->rip, UINT64_C(0xffffffff80001000));
}

/* XEN_DOMCTL_settimeoffset: seconds, any number of them. */
static void wallclock(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_settimeoffset, .domain = f->d->domain_id };
    const struct shared_info *s = f->d->shared_info;
    uint32_t version = s->wc_version;

    f->xen->wallclock_offset = SECONDS(1700000000) + 5;
    op.u.settimeoffset.time_offset_seconds = -100;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_int_equal(s->wc_sec, 1699999900);
    assert_int_equal(s->wc_nsec, 5);
    assert_int_equal(s->wc_sec_hi, 0);
    assert_int_equal(s->wc_version, version + 2);
    op.u.settimeoffset.time_offset_seconds = INT64_C(1) << 40;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_int_equal(s->wc_sec, 1700000000);
    assert_int_equal(s->wc_sec_hi, 1 << 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        TEST(refusals),           TEST(native),  TEST(emulated_frequency), TEST(emulated_grows), TEST(cpuid_leaf_3),
        TEST(time_stamp_disable), TEST(tsc_aux), TEST(wallclock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
