// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a toolstack is told by its calls, when there is nothing in them: of a guest, of itself, of domains and vCPUs
 * that there are not. (What is in them: test_domctl.c and others.)
 */
#include "tests/support/user.h"

#define NONE 1 /* no answer is 1: the command is not asked */

static const struct {
    uint32_t cmd;
    long guest, self;
} commands[] = {
    { XEN_DOMCTL_createdomain, NONE, NONE },
    { XEN_DOMCTL_destroydomain, NONE, -EINVAL },
    { XEN_DOMCTL_pausedomain, 0, -EINVAL },
    { XEN_DOMCTL_unpausedomain, 0, -EINVAL },
    { XEN_DOMCTL_getdomaininfo, 0, 0 },
    { XEN_DOMCTL_setvcpuaffinity, -EINVAL, -EINVAL }, /* neither hard nor soft */
    { XEN_DOMCTL_getvcpuaffinity, -EINVAL, -EINVAL },
    { XEN_DOMCTL_setvcpucontext, 0, -EINVAL }, /* no context: it is reset */
    { XEN_DOMCTL_getvcpucontext, -ENODATA, -EINVAL },
    { XEN_DOMCTL_getvcpuinfo, 0, 0 },
    { XEN_DOMCTL_max_vcpus, -EINVAL, -EINVAL },
    { XEN_DOMCTL_scheduler_op, -EINVAL, -EINVAL }, /* another scheduler */
    { XEN_DOMCTL_setdomainhandle, 0, 0 },
    { XEN_DOMCTL_hypercall_init, -EACCES, -EACCES },
    { XEN_DOMCTL_settimeoffset, 0, 0 },
    { XEN_DOMCTL_resumedomain, 0, -EINVAL },
    { XEN_DOMCTL_sendtrigger, 0, NONE },
    { XEN_DOMCTL_set_address_size, -EINVAL, -EINVAL },
    { XEN_DOMCTL_get_address_size, 0, 0 },
    { XEN_DOMCTL_set_target, -EOPNOTSUPP, -EOPNOTSUPP }, /* dom0 */
    { XEN_DOMCTL_set_virq_handler, -EINVAL, -EINVAL },   /* the timer's is each vCPU's own */
    { XEN_DOMCTL_gettscinfo, 0, -EINVAL },
    { XEN_DOMCTL_settscinfo, 0, -EINVAL },
    { XEN_DOMCTL_getpageframeinfo3, 0, 0 },
    { XEN_DOMCTL_soft_reset, -EINVAL, -EINVAL },
    { XEN_DOMCTL_bind_pt_irq, -EINVAL, -EINVAL },
    { XEN_DOMCTL_unbind_pt_irq, -EINVAL, -EINVAL },
    { XEN_DOMCTL_gethvmcontext, -EINVAL, -EINVAL },
    { XEN_DOMCTL_sethvmcontext, -EINVAL, -EINVAL },
    { XEN_DOMCTL_ioport_mapping, -EOPNOTSUPP, -EOPNOTSUPP },
    { XEN_DOMCTL_get_paging_mempool_size, -EOPNOTSUPP, -EOPNOTSUPP },
    { XEN_DOMCTL_set_paging_mempool_size, -EOPNOTSUPP, -EOPNOTSUPP },
    { XEN_DOMCTL_mem_sharing_op, -ENOSYS, -ENOSYS },
    { 6, -ENOSYS, -ENOSYS }, /* what was removed: getmemlist, set_cpuid, set_max_evtchn, set_gnttab_limits */
    { 49, -ENOSYS, -ENOSYS },
    { 70, -ENOSYS, -ENOSYS },
    { 80, -ENOSYS, -ENOSYS },
    { 0, -ENOSYS, -ENOSYS },
    { 1009, -ENOSYS, -ENOSYS },
};

static void ask_domctl(struct user *u, uint32_t cmd, uint16_t domid, long want)
{
    struct xen_domctl op = { .cmd = cmd, .domain = domid };
    const int64_t got = want == NONE ? NONE : user_domctl(u, &op);

    if (got != want)
        fail_msg("domctl %u of domain %x: %lld in place of %ld", cmd, domid, (long long)got, want);
}

static void domctls(void **state)
{
    struct user *u = *state;

    for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++) {
        const uint32_t cmd = commands[i].cmd;
        const bool finds = cmd == XEN_DOMCTL_createdomain || cmd == XEN_DOMCTL_getdomaininfo;

        ask_domctl(u, cmd, u->d, commands[i].guest);
        ask_domctl(u, cmd, u->control, commands[i].self);
        ask_domctl(u, cmd, 4711, finds ? NONE : -ESRCH);
        ask_domctl(u, cmd, DOMID_SELF, finds ? NONE : -ESRCH);
        ask_domctl(u, cmd, DOMID_INVALID, finds ? NONE : -ESRCH);
    }
}

/* Commands on a vCPU that there is not, or that has not been made. */
static void absent_vcpus(void **state)
{
    struct user *u = *state;
    static const struct {
        uint32_t cmd;
        long beyond, missing;
    } ops[] = {
        { XEN_DOMCTL_setvcpucontext, -EINVAL, -EINVAL }, { XEN_DOMCTL_getvcpucontext, -EINVAL, -EINVAL },
        { XEN_DOMCTL_getvcpuinfo, -EINVAL, -ESRCH },     { XEN_DOMCTL_setvcpuaffinity, -EINVAL, -ESRCH },
        { XEN_DOMCTL_getvcpuaffinity, -EINVAL, -ESRCH }, { XEN_DOMCTL_sendtrigger, -ESRCH, -ESRCH },
    };
    const struct xen_domctl_createdomain config = { .max_vcpus = 2, .grant_opts = 1, .max_grant_frames = 1 };
    uint16_t empty = 0;

    assert_int_equal(user_create(u, &config, &empty), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
        for (uint32_t vcpu = 1; vcpu <= 2; vcpu++) {
            struct xen_domctl op = { .cmd = ops[i].cmd, .domain = empty };

            if (op.cmd == XEN_DOMCTL_sendtrigger)
                op.u.sendtrigger.vcpu = vcpu;
            else /* in all of these it comes first */
                op.u.getvcpuinfo.vcpu = vcpu;
            if (user_domctl(u, &op) != (vcpu == 2 ? ops[i].beyond : ops[i].missing))
                fail_msg("domctl %u of vCPU %u", ops[i].cmd, vcpu);
        }
    }
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, empty), 0);
}

static void sysctls(void **state)
{
    struct user *u = *state;
    static const struct {
        uint32_t cmd;
        long answer;
    } ops[] = {
        { XEN_SYSCTL_readconsole, 0 },
        { XEN_SYSCTL_debug_keys, 0 }, /* none */
        { XEN_SYSCTL_physinfo, 0 },
        { XEN_SYSCTL_sched_id, 0 },
        { XEN_SYSCTL_getdomaininfolist, 0 },
        { XEN_SYSCTL_getcpuinfo, 0 },
        { XEN_SYSCTL_availheap, 0 },
        { XEN_SYSCTL_cputopoinfo, 0 },
        { XEN_SYSCTL_cpupool_op, -ENOSYS },
        { XEN_SYSCTL_scheduler_op, -EINVAL },
        { XEN_SYSCTL_cpu_hotplug, -EEXIST },
        { XEN_SYSCTL_get_pmstat, -ENODEV },
        { XEN_SYSCTL_perfc_op, -ENOSYS },
        { XEN_SYSCTL_lockprof_op, -ENOSYS },
        { XEN_SYSCTL_psr_cmt_op, -ENODEV },
        { XEN_SYSCTL_psr_alloc, -ENODEV },
        { XEN_SYSCTL_coverage_op, -EOPNOTSUPP },
        { 0, -ENOSYS },
        { 24, -ENOSYS },
        { 999, -ENOSYS },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
        struct xen_sysctl op = { .cmd = ops[i].cmd };
        const int64_t got = user_sysctl(u, &op);

        if (got != ops[i].answer)
            fail_msg("sysctl %u: %lld in place of %ld", op.cmd, (long long)got, ops[i].answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        USER_TEST(domctls),
        USER_TEST(absent_vcpus),
        USER_TEST(sysctls),
    };

    return cmocka_run_group_tests(tests, user_begin_pv, user_end);
}
