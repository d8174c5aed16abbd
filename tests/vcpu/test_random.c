// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random hypercalls of a PV guest, and random contexts for it: the books stay right, and the answer is a number.
 *
 * Concept: numbers, commands and arguments are drawn from values that are likely to matter (small ones, limits,
 * addresses that are mapped and that are not, other domains), and the memory behind a good address is filled in the
 * same way. Time passes in between, so that timers fire. The audit after each round says if a reference was lost.
 *
 * When could it pass wrongly? If everything were refused: so some calls must have succeeded.
 */
#include "tests/vcpu/fixture.h"

#include "vcpu/sched/sched.h"
#include "vcpu/time.h"
#include "vcpu/tsc.h"

#include <xen/hvm/hvm_op.h>

#define ROUNDS 40
#define CALLS  1000

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

static uint64_t interesting(struct fixture *f)
{
    const uint64_t values[] = {
        0,
        1,
        2,
        3,
        4,
        5,
        31,
        32,
        63,
        64,
        128,
        129,
        1023,
        4095,
        4096,
        65536,
        DOMID_SELF,
        f->d->domain_id,
        INT32_MAX,
        UINT32_MAX,
        INT64_MAX,
        UINT64_MAX,
        UINT64_C(1) << 62,
        UINT64_C(1) << 63,
        UINT64_C(0x0000800000000000),
        UINT64_C(0xffff800000000000),
        MILLISECS(1),
        SECONDS(1),
        (uint64_t)NOW(f->xen),
        mfn_x(f->v->pv.guest_table),
        f->scratch & ~UINT64_C(4095),
        0x1000,
    };

    return rnd() % 4 ? values[rnd() % ARRAY_SIZE(values)] : rnd() >> rnd() % 64;
}

/* An argument: mostly the address of something. */
static uint64_t argument(struct fixture *f)
{
    uint64_t words[16];
    uint32_t halves[32];

    if (rnd() % 8 == 0)
        return interesting(f);
    for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
        words[i] = interesting(f);
    if (rnd() % 2) {
        for (unsigned int i = 0; i < ARRAY_SIZE(halves); i++)
            halves[i] = (uint32_t)interesting(f);
        memcpy(words, halves, sizeof(words));
    }
    if (rnd() % 4 == 0) { /* a frame that it owns, at the front */
        uint32_t pfec = 0;

        words[0] = mfn_x(guest_walk(f->v, f->scratch, &pfec));
    }
    return fix_put(f, rnd() % 2 ? 0 : rnd() % 256, words, sizeof(words));
}

/* Not memory's: those have their own tests. No iret: it would take the stack away from under the scratch page. */
static const uint8_t calls[] = {
    __HYPERVISOR_set_trap_table,
    __HYPERVISOR_set_callbacks,
    __HYPERVISOR_fpu_taskswitch,
    __HYPERVISOR_platform_op,
    __HYPERVISOR_set_debugreg,
    __HYPERVISOR_get_debugreg,
    __HYPERVISOR_set_timer_op,
    __HYPERVISOR_event_channel_op_compat,
    __HYPERVISOR_physdev_op_compat,
    __HYPERVISOR_vm_assist,
    __HYPERVISOR_vcpu_op,
    __HYPERVISOR_vcpu_op,
    __HYPERVISOR_vcpu_op,
    __HYPERVISOR_set_segment_base,
    __HYPERVISOR_nmi_op,
    __HYPERVISOR_sched_op,
    __HYPERVISOR_callback_op,
    __HYPERVISOR_event_channel_op,
    __HYPERVISOR_event_channel_op,
    __HYPERVISOR_event_channel_op,
    __HYPERVISOR_event_channel_op,
    __HYPERVISOR_physdev_op,
    __HYPERVISOR_hvm_op,
    __HYPERVISOR_dm_op,
    __HYPERVISOR_arch_1,
    __HYPERVISOR_domctl,
    __HYPERVISOR_sysctl,
};

static long call(struct fixture *f, uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    struct cpu_state *r = f->v->regs;

    if (!is_pv_32bit_domain(f->d))
        return fix_hypercall(f, nr, a1, a2, a3, a4);
    r->rax = nr, r->rbx = a1, r->rcx = a2, r->rdx = a3, r->rsi = a4;
    compat_hypercall_guest(f->v);
    return (int32_t)r->rax;
}

/* Go on, whatever it did to itself. */
static void revive(struct fixture *f)
{
    f->d->is_shutting_down = f->d->is_shut_down = false;
    f->d->shutdown_code = -1;
    f->v->pause_flags &= ~VPF_down;
    f->v->pv.kernel_mode = true;
    f->v->vcpu_info->evtchn_upcall_mask = 1;
    vcpu_unblock(f->v);
}

static void random_calls(void **state)
{
    struct fixture *f = *state;
    unsigned int succeeded = 0;

    xc_domain_unpause(f->xc, f->d->domain_id);
    for (unsigned int round = 0; round < ROUNDS; round++) {
        char why[200] = "";

        for (unsigned int i = 0; i < CALLS; i++) {
            const uint8_t nr = calls[rnd() % ARRAY_SIZE(calls)];
            const uint64_t cmd = rnd() % 8 ? rnd() % 32 : interesting(f);
            const bool id_second = nr == __HYPERVISOR_vcpu_op || nr == __HYPERVISOR_set_debugreg;
            const uint64_t second = id_second ? (rnd() % 8 ? rnd() % 5 : interesting(f)) : argument(f);
            const uint64_t rip = f->v->regs->rip;

            succeeded += call(f, nr, cmd, second, argument(f), interesting(f)) >= 0;
            f->v->regs->rip = rip;
            if (rnd() % 16 == 0) {
                f->m->clock.now += (s_time_t)(rnd() % (uint64_t)MILLISECS(3));
                vclock_run(&f->m->clock);
            }
            if (rnd() % 16 == 0)
                update_vcpu_system_time(f->v, f->v);
            revive(f);
        }
        if (mmu_audit(f->xen, why, sizeof(why)))
            fail_msg("round %u: %s", round, why);
    }
    assert_in_range(succeeded, ROUNDS * CALLS / 20, ROUNDS * CALLS);
    assert_int_equal(xc_domain_destroy(f->xc, f->d->domain_id), 0);
}

/* Whole contexts with a few words changed: refused, or the vCPU can be brought onto a pCPU and told of events. */
static void random_contexts(void **state)
{
    struct fixture *f = *state;
    struct vcpu *v = f->d->vcpu[1];
    struct vcpu_guest_context good = { 0 }, c;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpucontext, .domain = f->d->domain_id };
    unsigned int accepted = 0;

    op.u.vcpucontext.ctxt.p = &good;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    for (unsigned int i = 0; i < 3000; i++) {
        uint64_t *words = (uint64_t *)&c;
        char why[200] = "";

        c = good;
        for (uint64_t n = 1 + rnd() % 6; n; n--)
            words[rnd() % (sizeof(c) / 8)] = interesting(f);
        accepted += xc_vcpu_setcontext(f->xc, f->d->domain_id, 1, &c) == 0;
        if (v->is_initialised) {
            f->d->is_shutting_down = f->d->is_shut_down = false;
            v->nmi_pending = rnd() % 2;
            v->vcpu_info->evtchn_upcall_pending = rnd() % 2;
            v->vcpu_info->evtchn_upcall_mask = rnd() % 2;
            pv_reload_segments(v);
            pv_deliver_events(v);
            update_vcpu_system_time(v, v);
        }
        if (rnd() % 2)
            while (xc_vcpu_setcontext(f->xc, f->d->domain_id, 1, NULL))
                ;
        if (i % 100 == 0 && mmu_audit(f->xen, why, sizeof(why)))
            fail_msg("%u: %s", i, why);
    }
    assert_in_range(accepted, 300, 2999);
}

/* The toolstack may be wrong, too. */
static void random_tsc_modes(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 0;

    for (unsigned int i = 0; i < 2000; i++) {
        struct xen_domctl op = { .cmd = XEN_DOMCTL_settscinfo, .domain = f->d->domain_id };

        op.u.tsc_info.tsc_mode = rnd() % 4;
        op.u.tsc_info.gtsc_khz = (uint32_t)interesting(f);
        op.u.tsc_info.elapsed_nsec = interesting(f);
        f->xen->nr_pcpus = rnd() % 3;
        assert_int_equal(xc_domctl(f->xc, &op), op.u.tsc_info.tsc_mode > 2 ? -EINVAL : 0);
        update_vcpu_system_time(f->v, f->v);
        last ^= guest_rdtsc(f->v);
        op.cmd = XEN_DOMCTL_gettscinfo;
        assert_int_equal(xc_domctl(f->xc, &op), 0);
        f->m->clock.now += (s_time_t)(rnd() % (uint64_t)SECONDS(1));
    }
    f->xen->nr_pcpus = 0;
    assert_int_not_equal(last, 0);
}

static int setup_32(void **state)
{
    fix_setup(state);
    fix_guest(*state, &kernel_legacy32);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_calls, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(random_calls, setup_32, fix_teardown),
        cmocka_unit_test_setup_teardown(random_contexts, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(random_tsc_modes, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
