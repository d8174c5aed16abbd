// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Time as a guest is shown it: clocks and runstates in shared memory, timers, the watchdog. Nothing runs: the test is
 * the clock.
 */
#include "tests/vcpu/fixture.h"

#include "vcpu/runstate.h"
#include "vcpu/sched/sched.h"
#include "vcpu/time.h"
#include "vcpu/tsc.h"

#define AREA 512 /* where in scratch the registered areas are; arguments come before */

static void pass_time(struct fixture *f, s_time_t ns)
{
    f->m->clock.now += ns;
    vclock_run(&f->m->clock);
}

/* VIRQ_TIMER is bound and looked for in the pending bitmap. */
static evtchn_port_t bind_timer(struct fixture *f, unsigned int vcpu)
{
    struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER, .vcpu = vcpu };
    uint64_t arg = fix_put(f, 0, &bind, sizeof(bind));

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, arg, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, &bind, arg, sizeof(bind)), 0);
    return bind.port;
}

/* Was there an event since the last look? */
static bool ticked(struct fixture *f, evtchn_port_t port)
{
    bool was = evtchn_port_is_pending(f->d, port);

    f->d->shared_info->evtchn_pending[0] &= ~(1ul << port);
    return was;
}

static long vcpu_op(struct fixture *f, unsigned int cmd, unsigned int id, const void *arg, size_t n)
{
    return fix_hypercall(f, __HYPERVISOR_vcpu_op, cmd, id, n ? fix_put(f, 0, arg, n) : 0, 0);
}

static long register_area(struct fixture *f, unsigned int cmd, unsigned int id, uint64_t addr)
{
    return vcpu_op(f, cmd, id, &addr, sizeof(addr));
}

static struct vcpu_runstate_info area(struct fixture *f)
{
    struct vcpu_runstate_info rs;

    assert_int_equal(copy_from_guest(f->v, &rs, f->scratch + AREA, sizeof(rs)), 0);
    return rs;
}

static struct vcpu_time_info time_area(struct fixture *f)
{
    struct vcpu_time_info t;

    assert_int_equal(copy_from_guest(f->v, &t, f->scratch + AREA, sizeof(t)), 0);
    return t;
}

/* User mode without page tables: nothing of the kernel's is mapped. */
static void enter_user(struct fixture *f) { f->v->pv.kernel_mode = false; }

/* --- runstate areas --- */

static void runstate_registered(void **state)
{
    struct fixture *f = *state;
    struct vcpu_runstate_info rs;
    const uint64_t hole = UINT64_C(0xffff800000000000);

    pass_time(f, 1000);
    vcpu_runstate_change(f->v, RUNSTATE_running, NOW(f->xen));
    pass_time(f, 500);
    assert_int_equal(register_area(f, VCPUOP_register_runstate_memory_area, 0, f->scratch + AREA), 0);
    rs = area(f); /* its own: as of the last change */
    assert_int_equal(rs.state, RUNSTATE_running);
    assert_int_equal(rs.state_entry_time, f->v->runstate.state_entry_time);
    assert_int_equal(rs.time[RUNSTATE_running], 0);
    assert_int_equal(register_area(f, VCPUOP_register_runstate_memory_area, 1, f->scratch + AREA), 0);
    rs = area(f); /* another's: up to now */
    assert_int_equal(rs.state, RUNSTATE_offline);
    assert_int_equal(rs.time[RUNSTATE_offline], NOW(f->xen) - (s_time_t)f->d->vcpu[1]->runstate.state_entry_time);

    assert_int_equal(register_area(f, VCPUOP_register_runstate_memory_area, 0, hole), -EFAULT);
    assert_int_equal(f->v->runstate_guest, f->scratch + AREA);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, 0x1000, 0),
                     -EFAULT);
    /* An address that is not mapped is good: it may be when it is needed. */
    assert_int_equal(register_area(f, VCPUOP_register_runstate_memory_area, 0, 0x1000), 0);
    update_runstate_area(f->v);
    assert_false(f->v->pv.need_update_runstate_area); /* the kernel itself has not mapped it: there is no better time */
}

/* In user mode the kernel's addresses are not mapped: what is missed is made up for on the way into the kernel. */
static void runstate_in_user_mode(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(register_area(f, VCPUOP_register_runstate_memory_area, 0, f->scratch + AREA), 0);
    enter_user(f);
    pass_time(f, 1000);
    vcpu_runstate_change(f->v, RUNSTATE_blocked, NOW(f->xen));
    update_runstate_area(f->v);
    f->v->pv.kernel_mode = true;
    assert_int_not_equal(area(f).state, RUNSTATE_blocked);
    f->v->pv.kernel_mode = false;
    toggle_guest_mode(f->v);
    assert_int_equal(area(f).state, RUNSTATE_blocked);
    assert_false(f->v->pv.need_update_runstate_area);
}

static void runstate_update_flag(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(register_area(f, VCPUOP_register_runstate_memory_area, 0, f->scratch + AREA), 0);
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag, 0, 0), 0);
    vcpu_runstate_change(f->v, RUNSTATE_blocked, NOW(f->xen) + 5);
    update_runstate_area(f->v);
    assert_int_equal(area(f).state_entry_time, NOW(f->xen) + 5); /* no flag is left behind */
}

/* --- vcpu_time_info --- */

static void time_info_versions(void **state)
{
    struct fixture *f = *state;
    const struct vcpu_time_info *t = &f->v->vcpu_info->time;
    uint32_t version = t->version;
    struct vcpu_time_info copy;

    pass_time(f, 12345);
    update_vcpu_system_time(f->v, f->v);
    assert_int_equal(t->version % 2, 0);
    assert_int_equal(t->version, version + 2);
    assert_int_equal(t->system_time, NOW(f->xen));
    assert_int_equal(t->tsc_timestamp, guest_rdtsc(f->v));
    assert_int_equal(register_area(f, VCPUOP_register_vcpu_time_memory_area, 0, f->scratch + AREA), 0);
    copy = time_area(f);
    assert_memory_equal(&copy, t, sizeof(copy));
    pass_time(f, 777);
    update_vcpu_system_time(f->v, f->v);
    copy = time_area(f);
    assert_memory_equal(&copy, t, sizeof(copy));
    assert_int_equal(copy.version, version + 6);
    assert_int_equal(register_area(f, VCPUOP_register_vcpu_time_memory_area, 0, UINT64_C(0xffff800000000000)), -EFAULT);
    /* On behalf of a vCPU that is not there yet: through the caller's page tables. */
    assert_int_equal(register_area(f, VCPUOP_register_vcpu_time_memory_area, 1, f->scratch + AREA), 0);
    copy = time_area(f);
    assert_memory_equal(&copy, &f->d->vcpu[1]->vcpu_info->time, sizeof(copy));
}

/* A copy that cannot be written in user mode is written when the kernel is entered, and goes on being kept. */
static void time_info_in_user_mode(void **state)
{
    struct fixture *f = *state;
    const struct vcpu_time_info *t = &f->v->vcpu_info->time;
    struct vcpu_time_info copy;

    assert_int_equal(register_area(f, VCPUOP_register_vcpu_time_memory_area, 0, f->scratch + AREA), 0);
    enter_user(f);
    for (unsigned int i = 0; i < 3; i++) {
        pass_time(f, 1000);
        update_vcpu_system_time(f->v, f->v);
    }
    toggle_guest_mode(f->v);
    copy = time_area(f);
    assert_memory_equal(&copy, t, sizeof(copy));
    assert_int_equal(copy.version % 2, 0);
    pass_time(f, 1000);
    update_vcpu_system_time(f->v, f->v);
    copy = time_area(f);
    assert_memory_equal(&copy, t, sizeof(copy));
}

/* A vCPU's own info is moved: the time is there at once, and everything is pending. */
static void vcpu_info_moves(void **state)
{
    struct fixture *f = *state;
    struct vcpu_register_vcpu_info info = { .mfn = 0, .offset = 4096 - 63 };
    uint32_t pfec = 0;

    info.mfn = mfn_x(guest_walk(f->v, f->scratch, &pfec));
    f->d->vcpu[1]->pause_flags &= ~VPF_down;
    assert_int_equal(vcpu_op(f, VCPUOP_register_vcpu_info, 1, &info, sizeof(info)),
                     -ENXIO); /* the offset comes first */
    info.offset = 64;
    assert_int_equal(vcpu_op(f, VCPUOP_register_vcpu_info, 1, &info, sizeof(info)), -EINVAL); /* it is up */
    f->d->vcpu[1]->pause_flags |= VPF_down;
    pass_time(f, 4242);
    assert_int_equal(vcpu_op(f, VCPUOP_register_vcpu_info, 0, &info, sizeof(info)), 0);
    assert_int_equal(f->v->vcpu_info->time.system_time, NOW(f->xen));
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(f->v->vcpu_info->evtchn_pending_sel, ~0ul);
    assert_int_equal(vcpu_op(f, VCPUOP_register_vcpu_info, 0, &info, sizeof(info)), -EINVAL); /* once */
}

/* --- timers --- */

static void periodic_limits(void **state)
{
    struct fixture *f = *state;
    struct vcpu_set_periodic_timer set = { .period_ns = MILLISECS(1) - 1 };

    assert_int_equal(vcpu_op(f, VCPUOP_set_periodic_timer, 0, &set, sizeof(set)), -EINVAL);
    set.period_ns = UINT64_C(1) << 62;
    assert_int_equal(vcpu_op(f, VCPUOP_set_periodic_timer, 0, &set, sizeof(set)), -EINVAL);
    set.period_ns = ~UINT64_C(0);
    assert_int_equal(vcpu_op(f, VCPUOP_set_periodic_timer, 0, &set, sizeof(set)), -EINVAL);
    set.period_ns = (UINT64_C(1) << 62) - 1;
    assert_int_equal(vcpu_op(f, VCPUOP_set_periodic_timer, 0, &set, sizeof(set)), 0);
    set.period_ns = MILLISECS(1);
    assert_int_equal(vcpu_op(f, VCPUOP_set_periodic_timer, 3, &set, sizeof(set)), 0);
    assert_int_equal(vcpu_op(f, VCPUOP_stop_periodic_timer, 3, NULL, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, 0, 0x1000, 0), -EFAULT);
}

/*
 * The tick is due a period after the last one; one tick stands for all that were missed, and the next is a period
 * later.
 */
static void periodic_ticks(void **state)
{
    struct fixture *f = *state;
    struct vcpu_set_periodic_timer set = { .period_ns = MILLISECS(2) };
    evtchn_port_t port = bind_timer(f, 0);

    pass_time(f, SECONDS(1));
    assert_false(ticked(f, port)); /* it does not run: no ticker, though PV guests start with one */
    assert_int_equal(vcpu_op(f, VCPUOP_set_periodic_timer, 0, &set, sizeof(set)), 0);
    assert_true(ticked(f, port)); /* the last tick was long ago */
    pass_time(f, MILLISECS(2) - 1);
    assert_false(ticked(f, port));
    pass_time(f, 1);
    assert_true(ticked(f, port));
    vcpu_periodic_timer_stop(f->v); /* it leaves its pCPU */
    pass_time(f, MILLISECS(7));
    assert_false(ticked(f, port));
    vcpu_periodic_timer_start(f->v); /* and is back */
    assert_true(ticked(f, port));
    pass_time(f, MILLISECS(1));
    assert_false(ticked(f, port));
    pass_time(f, MILLISECS(1));
    assert_true(ticked(f, port));
    assert_int_equal(vcpu_op(f, VCPUOP_stop_periodic_timer, 0, NULL, 0), 0);
    pass_time(f, SECONDS(1));
    assert_false(ticked(f, port));
}

static void singleshot(void **state)
{
    struct fixture *f = *state;
    struct vcpu_set_singleshot_timer set = { .flags = VCPU_SSHOTTMR_future };
    evtchn_port_t port = bind_timer(f, 0);

    pass_time(f, SECONDS(1));
    set.timeout_abs_ns = (uint64_t)NOW(f->xen) - 1;
    assert_int_equal(vcpu_op(f, VCPUOP_set_singleshot_timer, 1, &set, sizeof(set)), -EINVAL); /* only one's own */
    assert_int_equal(vcpu_op(f, VCPUOP_set_singleshot_timer, 0, &set, sizeof(set)), -ETIME);
    pass_time(f, 1);
    assert_false(ticked(f, port));
    set.flags = 0;
    assert_int_equal(vcpu_op(f, VCPUOP_set_singleshot_timer, 0, &set, sizeof(set)), 0);
    pass_time(f, 0);
    assert_true(ticked(f, port)); /* in the past: at once */
    set.timeout_abs_ns = 0;
    assert_int_equal(vcpu_op(f, VCPUOP_set_singleshot_timer, 0, &set, sizeof(set)), 0);
    pass_time(f, 0);
    assert_true(ticked(f, port)); /* 0 is in the past as well, unlike with set_timer_op */
    set.timeout_abs_ns = UINT64_C(1) << 63;
    set.flags = VCPU_SSHOTTMR_future;
    assert_int_equal(vcpu_op(f, VCPUOP_set_singleshot_timer, 0, &set, sizeof(set)), 0);
    pass_time(f, 0);
    assert_true(ticked(f, port)); /* compared as unsigned, set as signed */
    set.timeout_abs_ns = (uint64_t)NOW(f->xen) + MILLISECS(10);
    assert_int_equal(vcpu_op(f, VCPUOP_set_singleshot_timer, 0, &set, sizeof(set)), 0);
    assert_int_equal(vcpu_op(f, VCPUOP_stop_singleshot_timer, 1, NULL, 0), -EINVAL);
    pass_time(f, MILLISECS(9));
    assert_false(ticked(f, port));
    assert_int_equal(vcpu_op(f, VCPUOP_stop_singleshot_timer, 0, NULL, 0), 0);
    pass_time(f, MILLISECS(100));
    assert_false(ticked(f, port));
}

static void set_timer(struct fixture *f, s_time_t timeout)
{
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_timer_op, (uint64_t)timeout, 0, 0, 0), 0);
}

static void set_timer_op(void **state)
{
    struct fixture *f = *state;
    evtchn_port_t port = bind_timer(f, 0);

    pass_time(f, SECONDS(1));
    set_timer(f, NOW(f->xen) + MILLISECS(5));
    pass_time(f, MILLISECS(4));
    assert_false(ticked(f, port));
    pass_time(f, MILLISECS(1));
    assert_true(ticked(f, port));
    set_timer(f, NOW(f->xen) + MILLISECS(5));
    set_timer(f, 0); /* stops */
    pass_time(f, MILLISECS(10));
    assert_false(ticked(f, port));
    set_timer(f, 1); /* long past */
    pass_time(f, 0);
    assert_true(ticked(f, port));
    set_timer(f, NOW(f->xen) + CLOCK_NS_PER_HYPERCALL +
                     (INT64_C(1) << 50)); /* so far ahead that the guest's clock must have wrapped: in 100 ms */
    pass_time(f, MILLISECS(100) - 1);
    assert_false(ticked(f, port));
    pass_time(f, 1);
    assert_true(ticked(f, port));
    set_timer(f, -1);
    pass_time(f, MILLISECS(100));
    assert_true(ticked(f, port));
    set_timer(f, NOW(f->xen) + (INT64_C(1) << 50) - 1); /* just not that far */
    pass_time(f, SECONDS(1));
    assert_false(ticked(f, port));
}

/* --- watchdog --- */

static long watchdog(struct fixture *f, uint32_t id, uint32_t timeout)
{
    struct sched_watchdog w = { .id = id, .timeout = timeout };

    return fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_watchdog, fix_put(f, 0, &w, sizeof(w)), 0, 0);
}

static void watchdog_slots(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(watchdog(f, 3, 1), -EINVAL);
    assert_int_equal(watchdog(f, 1, 1), -EINVAL); /* not in use */
    assert_int_equal(watchdog(f, 1, 0), -EINVAL);
    assert_int_equal(watchdog(f, 0, 2), 1);
    assert_int_equal(watchdog(f, 0, 3), 2);
    assert_int_equal(watchdog(f, 0, 3), -ENOSPC);
    assert_int_equal(watchdog(f, 1, 0), 0);
    assert_int_equal(watchdog(f, 1, 5), -EINVAL);
    assert_int_equal(watchdog(f, 0, 2), 1); /* the lowest free one */
    pass_time(f, SECONDS(1));
    assert_int_equal(watchdog(f, 1, 5), 0); /* petted */
    pass_time(f, SECONDS(2) - MILLISECS(1));
    assert_false(f->d->is_shut_down);
    pass_time(f, MILLISECS(1));
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_watchdog);
}

static void watchdog_at_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(watchdog(f, 0, 0), 1);
    pass_time(f, 0);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_watchdog);
}

/* A domain that is going down anyway is not barked at. */
static void watchdog_too_late(void **state)
{
    struct fixture *f = *state;
    struct sched_shutdown off = { .reason = SHUTDOWN_poweroff };

    assert_int_equal(watchdog(f, 0, 1), 1);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown, fix_put(f, 0, &off, sizeof(off)), 0, 0),
                     0);
    pass_time(f, SECONDS(2));
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_poweroff);
    assert_null(strstr(f->log, "Watchdog"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        TEST(runstate_registered), TEST(runstate_in_user_mode),  TEST(runstate_update_flag),
        TEST(time_info_versions),  TEST(time_info_in_user_mode), TEST(vcpu_info_moves),
        TEST(periodic_limits),     TEST(periodic_ticks),         TEST(singleshot),
        TEST(set_timer_op),        TEST(watchdog_slots),         TEST(watchdog_at_once),
        TEST(watchdog_too_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
