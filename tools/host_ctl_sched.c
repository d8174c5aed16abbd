// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sched-credit, sched-credit2 and sched-rtds of `xenlab ctl`, where they change something: see tools/host_ctl.c.
 *
 * Corresponds to tools/xl/xl_sched.c and to libxl_sched.c, whose words for errors these are.
 */
#include "tools/host_ctl_private.h"
#include "tools/xc/xc.h"

#include <limits.h>
#include <string.h>
#include <xen/sched.h>

static enum outcome sched_read(struct context *c, unsigned int nr_vcpus, uint16_t *weight, uint16_t *cap)
{
    unsigned long n;

    if (c->r->option['w']) {
        if (!ctl_number(c->r->option['w'], UINT16_MAX, &n) || n < 1)
            return ctl_fail(c, "Cpu weight out of range, valid values are within range from 1 to 65535\n");
        *weight = (uint16_t)n;
    }
    if (c->r->option['c']) {
        if (!ctl_number(c->r->option['c'], nr_vcpus * 100, &n))
            return ctl_fail(c, "Cpu cap out of range, valid range is from 0 to %u for specified number of vcpus\n",
                            nr_vcpus * 100);
        *cap = (uint16_t)n;
    }
    return DONE;
}

static enum outcome domain_set(struct context *c, bool two)
{
    struct xen_domctl_scheduler_op op = { .sched_id = two ? XEN_SCHEDULER_CREDIT2 : XEN_SCHEDULER_CREDIT,
                                          .cmd = XEN_DOMCTL_SCHEDOP_getinfo };
    struct xen_domctl_getdomaininfo info;
    uint16_t *weight = two ? &op.u.credit2.weight : &op.u.credit.weight;
    uint16_t *cap = two ? &op.u.credit2.cap : &op.u.credit.cap;
    domid_t domid;
    int rc;

    if (!c->r->option['d'])
        return ctl_fail(c, "Must specify a domain.\n");
    if (!ctl_domain_named(c, c->r->option['d'], &domid, &info))
        return FAILED;
    rc = xc_domain_scheduler_op(xc(c->h), domid, &op);
    if (!rc && sched_read(c, info.max_vcpu_id + 1, weight, cap) == FAILED)
        return FAILED;
    op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    rc = rc ? rc : xc_domain_scheduler_op(xc(c->h), domid, &op);
    return rc ? ctl_fail(c, "domain %u is not scheduled by %s, or that refuses: %s\n", domid,
                         two ? "credit2" : "credit", strerror(-rc))
              : DONE;
}

/* One of a scheduler's own parameters, if it is stated. */
static bool param_read(struct context *c, char letter, unsigned long min, unsigned long max, bool or_zero, uint32_t *to)
{
    const char *text = c->r->option[(unsigned char)letter];
    unsigned long n;

    if (!text)
        return true;
    if (!ctl_number(text, max, &n) || (n < min && !(or_zero && !n))) {
        ctl_say(c, HOST_CTL_ERR, "-%c %s: valid values are %lu to %lu%s\n", letter, text, min, max,
                or_zero ? ", or 0" : "");
        return false;
    }
    *to = (uint32_t)n;
    return true;
}

static bool params_read(struct context *c, bool two, struct xen_sysctl_scheduler_op *op)
{
    uint32_t slice = op->u.sched_credit.tslice_ms, delay = op->u.sched_credit.vcpu_migr_delay_us;
    uint32_t limit = two ? op->u.sched_credit2.ratelimit_us : op->u.sched_credit.ratelimit_us;

    if (!param_read(c, 'r', 100, 500000, true, &limit))
        return false;
    if (two) {
        op->u.sched_credit2.ratelimit_us = limit;
        return true;
    }
    if (!param_read(c, 't', 1, 1000, false, &slice) || !param_read(c, 'm', 0, 100000, false, &delay))
        return false;
    op->u.sched_credit = (struct xen_sysctl_credit_schedule){ slice, limit, delay };
    return true;
}

/* -s: of a pool's scheduler. */
static enum outcome scheduler_set(struct context *c, bool two)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_scheduler_op };
    struct xen_sysctl_scheduler_op *s = &op.u.scheduler_op;
    const char *pool = c->r->option['p'] ? c->r->option['p'] : "Pool-0";
    int rc;

    s->sched_id = two ? XEN_SCHEDULER_CREDIT2 : XEN_SCHEDULER_CREDIT;
    s->cmd = XEN_SYSCTL_SCHEDOP_getinfo;
    if (!host_pool_find(c->h, pool, &s->cpupool_id))
        return ctl_fail(c, "unknown cpupool '%s'\n", pool);
    rc = xc_sysctl(xc(c->h), &op);
    if (!rc && !params_read(c, two, s))
        return FAILED;
    s->cmd = XEN_SYSCTL_SCHEDOP_putinfo;
    rc = rc ? rc : xc_sysctl(xc(c->h), &op);
    return rc ? ctl_fail(c, "%s is not scheduled by %s, or that refuses: %s\n", pool, two ? "credit2" : "credit",
                         strerror(-rc))
              : DONE;
}

enum outcome ctl_sched_credit(struct context *c)
{
    const bool two = !strcmp(c->r->command->name, "sched-credit2");
    const bool of_domain = c->r->option['w'] || c->r->option['c'];
    const bool of_pool = c->r->option['r'] || c->r->option['t'] || c->r->option['m'];

    if (c->r->option['p'] && (c->r->option['d'] || of_domain))
        return ctl_fail(c, "Specifying a cpupool is not allowed with other options.\n");
    if (of_pool && (!c->r->option['s'] || of_domain || c->r->option['d']))
        return ctl_fail(c, "Must specify schedparam to set schedule parameter values.\n");
    return of_pool ? scheduler_set(c, two) : domain_set(c, two);
}

/* What is stated of a vCPU's period and budget. */
static bool rtds_read(struct context *c, struct xen_domctl_sched_rtds *p)
{
    uint32_t extra = p->flags & XEN_DOMCTL_SCHEDRT_extra ? 1 : 0;

    if (!param_read(c, 'p', 1, UINT32_MAX, false, &p->period) ||
        !param_read(c, 'b', 1, UINT32_MAX, false, &p->budget) || !param_read(c, 'e', 0, 1, false, &extra))
        return false;
    p->flags = extra ? XEN_DOMCTL_SCHEDRT_extra : 0;
    return true;
}

enum outcome ctl_sched_rtds(struct context *c)
{
    const char *which = c->r->option['v'];
    const bool all = !which || !strcmp(which, "all");
    struct xen_domctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_RTDS };
    struct xen_domctl_schedparam_vcpu p = { 0 };
    struct xen_domctl_getdomaininfo info;
    unsigned long vcpu = 0;
    domid_t domid;
    int rc = 0;

    if (c->r->option['c'])
        return ctl_fail(c, "Specifying a cpupool is not allowed with other options.\n");
    if (!c->r->option['d'])
        return ctl_fail(c, "Must specify a domain.\n");
    if (c->r->times['v'] > 1)
        return ctl_fail(c, "sched-rtds: one vCPU at a time, or all\n");
    if (!ctl_domain_named(c, c->r->option['d'], &domid, &info))
        return FAILED;
    if (!all && !ctl_number(which, info.max_vcpu_id, &vcpu))
        return ctl_fail(c, "VCPU %s is not there: the last is %u\n", which, info.max_vcpu_id);
    for (p.vcpuid = (uint32_t)vcpu; !rc && p.vcpuid <= (all ? info.max_vcpu_id : vcpu); p.vcpuid++) {
        set_xen_guest_handle(op.u.v.vcpus, &p);
        op.u.v.nr_vcpus = 1;
        op.cmd = XEN_DOMCTL_SCHEDOP_getvcpuinfo;
        rc = xc_domain_scheduler_op(xc(c->h), domid, &op);
        if (!rc && !rtds_read(c, &p.u.rtds))
            return FAILED;
        op.u.v.nr_vcpus = 1;
        op.cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo;
        rc = rc ? rc : xc_domain_scheduler_op(xc(c->h), domid, &op);
    }
    return rc ? ctl_fail(c,
                         "domain %u is not scheduled by rtds, or that refuses (the budget is within the period): %s\n",
                         domid, strerror(-rc))
              : DONE;
}
