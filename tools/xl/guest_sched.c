// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scheduling settings become hypercalls.
 *
 * Concept: what a configuration says of scheduling is carried out between building a domain and unpausing it, each time
 * anew when it is restarted: first the CPU pool (it decides on the scheduler), then the affinities (within that pool),
 * then the parameters that this scheduler has. Everything goes through dom0's hypercalls, so it is refused where Xen
 * refuses.
 *
 * A parameter that the scheduler does not have is passed over, as xl does, but not in silence: who wrote it meant
 * something.
 *
 * Corresponds to libxl's sched_*_domain_set() (tools/libs/light/libxl_sched.c), whose limits these are, and to the
 * affinity part of libxl__build_pre().
 */
#include "tools/xl/guest_sched.h"

#include "tools/xc/xc.h"
#include "vcpu/sched/names.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static int fail(char *err, const char *where, const char *fmt, ...)
{
    const int n = snprintf(err, GUEST_SCHED_ERR_SIZE, "%.500s: ", where);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err + n, (size_t)(GUEST_SCHED_ERR_SIZE - n), fmt, ap);
    va_end(ap);
    return -1;
}

__attribute__((format(printf, 3, 4))) static void warn(const struct guest_sched_env *env, const char *where,
                                                       const char *fmt, ...)
{
    char line[GUEST_SCHED_ERR_SIZE];
    int n = snprintf(line, sizeof(line), "%.500s: warning: ", where);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
    va_end(ap);
    if (env->warn)
        env->warn(env->data, line);
}

/* --- the CPU pool --- */

static bool pool_find(const struct guest_sched_env *env, const char *name, uint32_t *id)
{
    char *end;
    unsigned long n = strtoul(name, &end, 10);

    if (!strcmp(name, "Pool-0")) {
        *id = 0;
        return true;
    }
    for (unsigned int i = 0; i < env->nr_pools; i++) {
        if (!strcmp(name, env->pools[i].name)) {
            *id = env->pools[i].id;
            return true;
        }
    }
    if (*name < '0' || *name > '9' || *end || n > UINT16_MAX)
        return false;
    *id = (uint32_t)n;
    return xc_cpupool_getinfo(env->xc, *id, NULL, NULL) == 0;
}

static int pool_apply(const struct guest_sched_env *env, domid_t domid, const struct xl_sched *s, uint32_t *id,
                      char *err)
{
    char names[256] = "Pool-0";
    int rc;

    *id = 0;
    if (!s->pool)
        return 0;
    for (unsigned int i = 0; i < env->nr_pools && strlen(names) < sizeof(names) - 64; i++)
        snprintf(names + strlen(names), sizeof(names) - strlen(names), ", %s", env->pools[i].name);
    if (!pool_find(env, s->pool, id))
        return fail(err, s->pool_where, "there is no CPU pool \"%.100s\" (there are: %s; --cpupool makes one)", s->pool,
                    names);
    rc = xc_cpupool_movedomain(env->xc, *id, domid);
    return rc ? fail(err, s->pool_where, "the domain cannot be moved to \"%.100s\": %s", s->pool, strerror(-rc)) : 0;
}

/* --- affinity --- */

static int affinity_apply(const struct guest_sched_env *env, domid_t domid, unsigned int nr_vcpus, uint64_t cpus,
                          const struct xl_affinity *a, bool hard, char *err)
{
    struct xen_sysctl_physinfo phys;
    int rc = a->where ? xc_physinfo(env->xc, &phys) : 0;

    if (rc)
        return fail(err, a->where, "%s", strerror(-rc));
    if (a->each && a->nr > nr_vcpus)
        warn(env, a->where, "%u entries, but %u vCPU%s only", a->nr, nr_vcpus, PLURAL(nr_vcpus));
    for (unsigned int id = 0; a->where && id < nr_vcpus; id++) {
        const struct xl_cpus *c;

        if (a->each && id >= a->nr)
            break;
        c = &a->cpus[a->each ? id : 0];
        if (hard && !(c->mask & cpus))
            return fail(err, a->where,
                        "none of these pCPUs is in the CPU pool of the guest (the machine has %u, from 0 on)",
                        phys.nr_cpus);
        if (c->highest > phys.max_cpu_id && (a->each || id == 0))
            warn(env, a->where, "the machine has no pCPUs above %u", phys.max_cpu_id);
        rc = xc_vcpu_setaffinity(env->xc, domid, id, hard ? &c->mask : NULL, hard ? NULL : &c->mask);
        if (rc)
            return fail(err, a->where, "refused for vCPU %u: %s", id, strerror(-rc));
    }
    return 0;
}

/* --- parameters of the scheduler --- */

static void ignored(const struct guest_sched_env *env, const struct xl_sched *s, enum xl_sched_key key,
                    const char *sched)
{
    if (s->number[key].where)
        warn(env, s->number[key].where, "ignored: the scheduler is %s, and %s counts under %s", sched,
             xl_sched_key_name(key), key <= XL_SCHED_CAP ? "credit and credit2" : "rtds");
}

/* credit and credit2: their structures are alike, but not the same. A policy of one's own has credit2's. */
static int credit_apply(const struct guest_sched_env *env, domid_t domid, unsigned int nr_vcpus,
                        const struct xl_sched *s, uint32_t sched_id, char *err)
{
    const struct xl_sched_number *weight = &s->number[XL_SCHED_WEIGHT], *cap = &s->number[XL_SCHED_CAP];
    struct xen_domctl_scheduler_op op = { .sched_id = sched_id, .cmd = XEN_DOMCTL_SCHEDOP_getinfo };
    const bool two = sched_id != XEN_SCHEDULER_CREDIT;
    int rc;

    if (!weight->where && !cap->where)
        return 0;
    if (cap->where && cap->value > nr_vcpus * 100)
        return fail(err, cap->where, "expected 0 to %u percent of one pCPU, since it has %u vCPU%s, got %u",
                    nr_vcpus * 100, nr_vcpus, PLURAL(nr_vcpus), cap->value);
    rc = xc_domain_scheduler_op(env->xc, domid, &op);
    if (!sched_name_by_id(sched_id) && (rc || !op.u.credit2.weight)) { /* a policy of one's own need not tell */
        op.u.credit2.weight = 256;
        op.u.credit2.cap = 0;
        rc = 0;
    }
    if (!rc) {
        uint16_t *w = two ? &op.u.credit2.weight : &op.u.credit.weight, *c = two ? &op.u.credit2.cap : &op.u.credit.cap;

        *w = weight->where ? (uint16_t)weight->value : *w;
        *c = cap->where ? (uint16_t)cap->value : *c;
        op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
        rc = xc_domain_scheduler_op(env->xc, domid, &op);
    }
    return rc ? fail(err, weight->where ? weight->where : cap->where, "refused: %s", strerror(-rc)) : 0;
}

/* rtds keeps its parameters by the vCPU; a configuration has one set for all of them. */
static int rtds_apply(const struct guest_sched_env *env, domid_t domid, unsigned int nr_vcpus, const struct xl_sched *s,
                      char *err)
{
    const struct xl_sched_number *period = &s->number[XL_SCHED_PERIOD], *budget = &s->number[XL_SCHED_BUDGET],
                                 *extra = &s->number[XL_SCHED_EXTRATIME];
    const char *where = budget->where ? budget->where : period->where ? period->where : extra->where;
    struct xen_domctl_schedparam_vcpu p = { 0 };
    struct xen_domctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_RTDS };

    for (p.vcpuid = 0; where && p.vcpuid < nr_vcpus; p.vcpuid++) {
        int rc;

        set_xen_guest_handle(op.u.v.vcpus, &p);
        op.u.v.nr_vcpus = 1;
        op.cmd = XEN_DOMCTL_SCHEDOP_getvcpuinfo;
        rc = xc_domain_scheduler_op(env->xc, domid, &op);
        if (period->where)
            p.u.rtds.period = period->value;
        if (budget->where)
            p.u.rtds.budget = budget->value;
        if (extra->where)
            p.u.rtds.flags = extra->value ? XEN_DOMCTL_SCHEDRT_extra : 0;
        if (!rc && p.u.rtds.budget > p.u.rtds.period)
            return fail(err, where, "expected a budget within the period, got %u us of %u us", p.u.rtds.budget,
                        p.u.rtds.period);
        op.u.v.nr_vcpus = 1;
        op.cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo;
        if (!rc)
            rc = xc_domain_scheduler_op(env->xc, domid, &op);
        if (rc)
            return fail(err, where, "refused with a budget of %u us in %u us: %s", p.u.rtds.budget, p.u.rtds.period,
                        strerror(-rc));
    }
    return 0;
}

int guest_sched_apply(const struct guest_sched_env *env, domid_t domid, unsigned int nr_vcpus, const struct xl_sched *s,
                      char err[GUEST_SCHED_ERR_SIZE])
{
    const char *sched;
    uint32_t pool, sched_id;
    uint64_t cpus = 0;

    if (pool_apply(env, domid, s, &pool, err))
        return -1;
    if (xc_cpupool_getinfo(env->xc, pool, &sched_id, &cpus))
        return fail(err, "scheduling", "the CPU pool tells nothing of itself");
    sched = sched_name_by_id(sched_id);
    if (affinity_apply(env, domid, nr_vcpus, cpus, &s->hard, true, err) ||
        affinity_apply(env, domid, nr_vcpus, cpus, &s->soft, false, err))
        return -1;
    if (sched && sched_id != XEN_SCHEDULER_CREDIT && sched_id != XEN_SCHEDULER_CREDIT2) {
        ignored(env, s, XL_SCHED_WEIGHT, sched);
        ignored(env, s, XL_SCHED_CAP, sched);
    } else if (credit_apply(env, domid, nr_vcpus, s, sched_id, err)) {
        return -1;
    }
    if (sched_id == XEN_SCHEDULER_RTDS)
        return rtds_apply(env, domid, nr_vcpus, s, err);
    for (int key = XL_SCHED_PERIOD; key < XL_SCHED_NR; key++)
        ignored(env, s, (enum xl_sched_key)key, sched ? sched : "a policy of one's own");
    return 0;
}

/* --- making CPU pools --- */

bool host_pool_parse(const char *text, struct host_pool *pool, char *why, size_t len)
{
    const char *eq = strchr(text, '='), *colon = eq ? strchr(eq, ':') : NULL;
    uint32_t sched_id;
    char cpus[128];

    memset(pool, 0, sizeof(*pool));
    if (!eq || eq == text || (size_t)(eq - text) >= sizeof(pool->name)) {
        snprintf(why, len, "expected NAME=CPUS[:SCHEDULER], such as rt=2-3:rtds, got \"%.100s\"", text);
        return false;
    }
    memcpy(pool->name, text, (size_t)(eq - text));
    snprintf(cpus, sizeof(cpus), "%.*s", colon ? (int)(colon - eq - 1) : (int)strlen(eq + 1), eq + 1);
    if (colon && !sched_id_by_name(colon + 1, strlen(colon + 1), &sched_id)) {
        sched_name_unknown(colon + 1, strlen(colon + 1), why, len);
        return false;
    }
    snprintf(pool->sched, sizeof(pool->sched), "%s", colon ? colon + 1 : "");
    return xl_cpus_parse(cpus, &pool->cpus, why, len);
}

int host_pool_create(struct xc_handle *xc, struct host_pool *pool, char err[GUEST_SCHED_ERR_SIZE])
{
    char where[64];
    uint32_t sched_id;
    uint64_t cpus;
    int rc = xc_cpupool_getinfo(xc, 0, &sched_id, &cpus);

    snprintf(where, sizeof(where), "--cpupool %s", pool->name);
    if (pool->sched[0])
        sched_id_by_name(pool->sched, strlen(pool->sched), &sched_id); /* it was checked when it was read */
    if (!rc && !(pool->cpus.mask & cpus))
        return fail(err, where, "none of these pCPUs is free to be taken from Pool-0");
    if (!rc && pool->cpus.mask & 1)
        return fail(err, where, "pCPU 0 stays in Pool-0, dom0 lives there");
    if (!rc)
        rc = xc_cpupool_create(xc, sched_id, &pool->id);
    cpus &= pool->cpus.mask;
    for (uint32_t cpu = 0; !rc && cpu < 64; cpu++) {
        if (!(cpus >> cpu & 1))
            continue;
        rc = xc_cpupool_removecpu(xc, 0, cpu);
        if (!rc)
            rc = xc_cpupool_addcpu(xc, pool->id, cpu);
    }
    return rc ? fail(err, where, "%s", strerror(-rc)) : 0;
}
