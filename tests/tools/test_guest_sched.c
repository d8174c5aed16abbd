// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scheduling settings become hypercalls: what arrives in the hypervisor, and what is refused or warned about, in which
 * words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/host_private.h"
#include "tools/xc/xc.h"
#include "tools/xl/guest_sched.h"
#include "vcpu/sched/sched.h"

#define VCPUS 2

struct scene {
    struct host *host;
    struct domain *d;
    struct guest_sched_env env;
    struct xl_sched s;
    char warnings[1024];
    char err[GUEST_SCHED_ERR_SIZE];
};

static void note(void *data, const char *line)
{
    struct scene *sc = data;

    strncat(sc->warnings, line, sizeof(sc->warnings) - strlen(sc->warnings) - 2);
    strcat(sc->warnings, "\n");
}

/* A machine of four pCPUs with that scheduler, and an empty domain of two vCPUs. */
static void begin(struct scene *sc, const char *sched, struct host_pool *pools, unsigned int nr_pools)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = VCPUS, .max_evtchn_port = 1023, .max_grant_frames = 4, .max_maptrack_frames = 4, .grant_opts = 1
    };
    const struct host_config cfg = {
        .ram_mib = 64, .nr_pcpus = 4, .sched = sched, .pools = pools, .nr_pools = nr_pools
    };
    const struct host_io io = { 0 };
    domid_t domid = 0;

    memset(sc, 0, sizeof(*sc));
    sc->host = host_create(&cfg, &io, sc->err);
    if (!sc->host)
        fail_msg("%s", sc->err);
    sc->env = (struct guest_sched_env){ sc->host->xc, pools, nr_pools, note, sc };
    assert_int_equal(xc_domain_create(sc->env.xc, &config, &domid), 0);
    assert_int_equal(xc_domain_max_vcpus(sc->env.xc, domid, VCPUS), 0);
    sc->d = get_domain_by_id(host_xen(sc->host), domid);
    put_domain(sc->d);
}

static int apply(struct scene *sc)
{
    int rc = guest_sched_apply(&sc->env, sc->d->domain_id, VCPUS, &sc->s, sc->err);

    xl_sched_free(&sc->s);
    return rc;
}

static void end(struct scene *sc)
{
    xl_sched_free(&sc->s);
    host_destroy(sc->host);
}

static void set_cpus(struct xl_affinity *a, const char *list0, const char *list1)
{
    struct xl_cpus cpus[2];
    char why[256];

    assert_true(xl_cpus_parse(list0, &cpus[0], why, sizeof(why)));
    assert_true(!list1 || xl_cpus_parse(list1, &cpus[1], why, sizeof(why)));
    assert_true(xl_sched_set_affinity(a, "c:1: cpus", list1 != NULL, cpus, list1 ? 2 : 1));
}

static void set(struct scene *sc, enum xl_sched_key key, uint32_t value)
{
    char where[32];

    snprintf(where, sizeof(where), "c:1: %s", xl_sched_key_name(key));
    assert_true(xl_sched_set_number(&sc->s, key, where, value));
}

/* --- weight and cap --- */

static void weight_and_cap(void **state)
{
    static const struct {
        const char *name;
        uint32_t id;
    } policies[] = { { "credit", XEN_SCHEDULER_CREDIT }, { "credit2", XEN_SCHEDULER_CREDIT2 } };

    for (int i = 0; i < 2; i++) {
        struct xen_domctl_scheduler_op op = { .sched_id = policies[i].id, .cmd = XEN_DOMCTL_SCHEDOP_getinfo };
        struct scene sc;

        begin(&sc, policies[i].name, NULL, 0);
        set(&sc, XL_SCHED_WEIGHT, 1000);
        assert_int_equal(apply(&sc), 0);
        set(&sc, XL_SCHED_CAP, VCPUS * 100);
        assert_int_equal(apply(&sc), 0); /* leaves the weight as it is */
        assert_int_equal(xc_domain_scheduler_op(sc.env.xc, sc.d->domain_id, &op), 0);
        assert_int_equal(i ? op.u.credit2.weight : op.u.credit.weight, 1000);
        assert_int_equal(i ? op.u.credit2.cap : op.u.credit.cap, VCPUS * 100);
        set(&sc, XL_SCHED_CAP, VCPUS * 100 + 1);
        assert_int_equal(apply(&sc), -1);
        assert_string_equal(sc.err, "c:1: cap: expected 0 to 200 percent of one pCPU, since it has 2 vCPUs, got 201");
        assert_string_equal(sc.warnings, "");
        set(&sc, XL_SCHED_BUDGET, 5);
        assert_int_equal(apply(&sc), 0);
        assert_non_null(strstr(sc.warnings, "c:1: budget: warning: ignored"));
        end(&sc);
    }
}

static void policies_without_them(void **state)
{
    static const char *const names[] = { "rr", "null", "arinc653", "rtds" };

    for (int i = 0; i < 4; i++) {
        struct scene sc;

        begin(&sc, names[i], NULL, 0);
        set(&sc, XL_SCHED_WEIGHT, 1);
        set(&sc, XL_SCHED_CAP, 60000);
        assert_int_equal(apply(&sc), 0);
        assert_non_null(strstr(sc.warnings, "c:1: cpu_weight: warning: ignored: the scheduler is"));
        assert_non_null(strstr(sc.warnings, "c:1: cap: warning: ignored: the scheduler is"));
        end(&sc);
    }
}

/* --- rtds --- */

static void rtds_parameters(void **state)
{
    struct xen_domctl_schedparam_vcpu p = { .vcpuid = 1 };
    struct xen_domctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_RTDS, .cmd = XEN_DOMCTL_SCHEDOP_getvcpuinfo };
    struct scene sc;

    begin(&sc, "rtds", NULL, 0);
    set(&sc, XL_SCHED_PERIOD, 20000);
    set(&sc, XL_SCHED_BUDGET, 20000);
    set(&sc, XL_SCHED_EXTRATIME, 1);
    assert_int_equal(apply(&sc), 0);
    set_xen_guest_handle(op.u.v.vcpus, &p);
    op.u.v.nr_vcpus = 1;
    assert_int_equal(xc_domain_scheduler_op(sc.env.xc, sc.d->domain_id, &op), 0);
    assert_true(p.u.rtds.period == 20000 && p.u.rtds.budget == 20000 && p.u.rtds.flags == XEN_DOMCTL_SCHEDRT_extra);
    set(&sc, XL_SCHED_BUDGET, 20001);
    assert_int_equal(apply(&sc), -1);
    assert_string_equal(sc.err, "c:1: budget: expected a budget within the period, got 20001 us of 20000 us");
    set(&sc, XL_SCHED_PERIOD, 5);
    set(&sc, XL_SCHED_BUDGET, 5);
    assert_int_equal(apply(&sc), -1);
    assert_string_equal(sc.err, "c:1: budget: refused with a budget of 5 us in 5 us: Invalid argument");
    assert_string_equal(sc.warnings, "");
    end(&sc);
}

/* --- affinity --- */

static void affinity(void **state)
{
    struct scene sc;

    begin(&sc, "credit2", NULL, 0);
    set_cpus(&sc.s.hard, "0-2,^1", NULL);
    set_cpus(&sc.s.soft, "2", NULL);
    assert_int_equal(apply(&sc), 0);
    assert_true(vcpu_cpumask(sc.d->vcpu[0]) == 5 && vcpu_cpumask(sc.d->vcpu[1]) == 5);
    assert_int_equal(vcpu_soft_cpumask(sc.d->vcpu[1]), 4);
    set_cpus(&sc.s.hard, "3", "all");
    assert_int_equal(apply(&sc), 0);
    assert_true(vcpu_cpumask(sc.d->vcpu[0]) == 8 && vcpu_cpumask(sc.d->vcpu[1]) == 15);
    assert_string_equal(sc.warnings, "");
    set_cpus(&sc.s.hard, "3-9", NULL); /* some of them are there: as much as there is */
    assert_int_equal(apply(&sc), 0);
    assert_int_equal(vcpu_cpumask(sc.d->vcpu[0]), 8);
    assert_string_equal(sc.warnings, "c:1: cpus: warning: the machine has no pCPUs above 3\n");
    set_cpus(&sc.s.hard, "9", NULL);
    assert_int_equal(apply(&sc), -1);
    assert_string_equal(
        sc.err, "c:1: cpus: none of these pCPUs is in the CPU pool of the guest (the machine has 4, from 0 on)");
    end(&sc);
}

/* --- CPU pools --- */

static void pools(void **state)
{
    struct xen_domctl_getdomaininfo info;
    struct host_pool pool[2];
    struct scene sc;
    char why[256];

    assert_true(host_pool_parse("rt=2-3:rtds", &pool[0], why, sizeof(why)));
    assert_true(host_pool_parse("one=1", &pool[1], why, sizeof(why)));
    begin(&sc, "credit", pool, 2);
    assert_true(xl_sched_set_pool(&sc.s, "c:1: pool", "rt"));
    set(&sc, XL_SCHED_BUDGET, 1000);
    assert_int_equal(apply(&sc), 0);
    assert_int_equal(vcpu_cpumask(sc.d->vcpu[0]), 0xc);
    assert_int_equal(xc_domain_getinfo(sc.env.xc, sc.d->domain_id, &info), 0);
    assert_int_equal(info.cpupool, pool[0].id);
    assert_int_equal(sc.d->sched->ops->sched_id, XEN_SCHEDULER_RTDS);
    assert_true(xl_sched_set_pool(&sc.s, "c:1: pool", "2")); /* by number */
    set_cpus(&sc.s.hard, "0", NULL);
    assert_int_equal(apply(&sc), -1);
    assert_non_null(strstr(sc.err, "c:1: cpus: none of these pCPUs is in the CPU pool"));
    assert_int_equal(vcpu_cpumask(sc.d->vcpu[0]), 2);
    assert_int_equal(sc.d->sched->ops->sched_id, XEN_SCHEDULER_CREDIT);
    assert_true(xl_sched_set_pool(&sc.s, "c:1: pool", "Pool-0"));
    assert_int_equal(apply(&sc), 0);
    assert_int_equal(vcpu_cpumask(sc.d->vcpu[0]), 1);
    assert_true(xl_sched_set_pool(&sc.s, "c:1: pool", "nosuch"));
    assert_int_equal(apply(&sc), -1);
    assert_string_equal(sc.err,
                        "c:1: pool: there is no CPU pool \"nosuch\" (there are: Pool-0, rt, one; --cpupool makes one)");
    end(&sc);
}

static void pools_refused(void **state)
{
    struct host_pool pool[2];
    const struct host_config cfg = { .ram_mib = 64, .nr_pcpus = 2, .pools = pool, .nr_pools = 2 };
    const struct host_io io = { 0 };
    char err[HOST_ERR_SIZE];

    assert_true(host_pool_parse("a=0-1", &pool[0], err, sizeof(err)));
    assert_null(host_create(&cfg, &io, err));
    assert_string_equal(err, "--cpupool a: pCPU 0 stays in Pool-0, dom0 lives there");
    assert_true(host_pool_parse("a=1", &pool[0], err, sizeof(err)));
    assert_true(host_pool_parse("b=1", &pool[1], err, sizeof(err)));
    assert_null(host_create(&cfg, &io, err));
    assert_string_equal(err, "--cpupool b: none of these pCPUs is free to be taken from Pool-0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weight_and_cap),  cmocka_unit_test(policies_without_them),
        cmocka_unit_test(rtds_parameters), cmocka_unit_test(affinity),
        cmocka_unit_test(pools),           cmocka_unit_test(pools_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
