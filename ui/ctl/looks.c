// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of `xenlab ctl` that only look, see ui/ctl/looks.h. Columns are xl's, to the character: tools/xl/xl_list.c,
 * xl_info.c, xl_vcpu.c, xl_sched.c of Xen 4.17, and xentop's.
 *
 * Budget: a short function a command.
 */
#include "ui/ctl/looks.h"

#include "tools/debug/look.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#define SECONDS_OF(s) (double)(s) / 1e9

struct look {
    struct host *h;
    const struct ctl_request *r;
    FILE *out, *err;
    struct snapshot_machine m;
};

/* --- domains --- */

static bool domain_info(const struct host *h, domid_t domid, struct xen_domctl_getdomaininfo *info)
{
    unsigned int n = domid;

    return host_snapshot_domain(h, &n, info) && n == domid;
}

static const char *name_of(const struct host *h, domid_t domid)
{
    const char *name = host_guest_name(h, domid);

    return name ? name : domid ? "(null)" : XL_DOM0_NAME;
}

bool ctl_domain_find(const struct host *h, const char *who, domid_t *domid)
{
    struct xen_domctl_getdomaininfo info;
    unsigned long number;

    if (ctl_number(who, DOMID_FIRST_RESERVED - 1, &number)) {
        *domid = (domid_t)number;
        return domain_info(h, *domid, &info);
    }
    for (unsigned int n = 0; host_snapshot_domain(h, &n, &info); n++)
        if (!strcmp(name_of(h, info.domain), who)) {
            *domid = info.domain;
            return true;
        }
    return false;
}

typedef void domain_fn(struct look *l, const struct xen_domctl_getdomaininfo *info);

/* Those that are named, or all. The exit status. */
static int domains_each(struct look *l, domain_fn *fn)
{
    struct xen_domctl_getdomaininfo info;
    domid_t domid;

    for (unsigned int n = 0; !l->r->nr_args && host_snapshot_domain(l->h, &n, &info); n++)
        fn(l, &info);
    for (unsigned int i = 0; i < l->r->nr_args; i++) {
        if (!ctl_domain_find(l->h, l->r->arg[i], &domid) || !domain_info(l->h, domid, &info)) {
            fprintf(l->err, CTL_NO_DOMAIN, l->r->arg[i]);
            return 1;
        }
        fn(l, &info);
    }
    return 0;
}

static bool is_crashed(const struct xen_domctl_getdomaininfo *info)
{
    return info->flags & XEN_DOMINF_shutdown &&
           (info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask) == SHUTDOWN_crash;
}

static char letter(const struct xen_domctl_getdomaininfo *info, uint32_t flag, char c)
{
    return info->flags & flag ? c : '-';
}

/* --- list --- */

static void uuid_print(const uint8_t *u, FILE *out)
{
    for (unsigned int i = 0; i < 16; i++)
        fprintf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", u[i]);
}

static void list_row(struct look *l, const struct xen_domctl_getdomaininfo *i)
{
    fprintf(l->out, "%-40s %5d %5lu %5d     %c%c%c%c%c%c  %8.1f", name_of(l->h, i->domain), i->domain,
            (unsigned long)((i->tot_pages + i->outstanding_pages) >> 8), i->nr_online_vcpus,
            letter(i, XEN_DOMINF_running, 'r'), letter(i, XEN_DOMINF_blocked, 'b'), letter(i, XEN_DOMINF_paused, 'p'),
            letter(i, XEN_DOMINF_shutdown, 's'), is_crashed(i) ? 'c' : '-', letter(i, XEN_DOMINF_dying, 'd'),
            SECONDS_OF(i->cpu_time));
    if (l->r->option['v']) {
        putc(' ', l->out);
        uuid_print(i->handle, l->out);
        if (i->flags & XEN_DOMINF_shutdown)
            fprintf(l->out, " %8x", i->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask);
        else
            fprintf(l->out, " %8s", "-");
    }
    if (l->r->option['v'] || l->r->option['Z'])
        fprintf(l->out, " %16s", "-");
    if (l->r->option['c'])
        fprintf(l->out, "%16s", host_pool_name(l->h, i->cpupool));
    if (l->r->option['n'])
        fputs(" all", l->out);
    putc('\n', l->out);
}

static int list(struct look *l)
{
    if (l->r->option['l']) {
        fprintf(l->err, "list -l: the configuration of a domain is not printed as JSON here\n");
        return 1;
    }
    fputs("Name                                        ID   Mem VCPUs\tState\tTime(s)", l->out);
    if (l->r->option['v'])
        fputs("   UUID                            Reason-Code\tSecurity Label", l->out);
    if (l->r->option['Z'] && !l->r->option['v'])
        fputs("   Security Label", l->out);
    if (l->r->option['c'])
        fputs("         Cpupool", l->out);
    if (l->r->option['n'])
        fputs(" NODE Affinity", l->out);
    putc('\n', l->out);
    return domains_each(l, list_row);
}

/* --- vCPUs --- */

static void cpus_print(uint64_t mask, uint64_t all, FILE *out)
{
    bool first = true;

    if (!(mask & all))
        fputs("none", out);
    else if ((mask & all) == all)
        fputs("all", out);
    for (unsigned int cpu = 0; (mask & all) != all && cpu < 64; cpu++) {
        const unsigned int begin = cpu;

        if (!(mask & all) || !((mask & all) >> cpu & 1))
            continue;
        while (cpu < 63 && (mask & all) >> (cpu + 1) & 1)
            cpu++;
        fprintf(out, begin == cpu ? "%s%u" : "%s%u-%u", first ? "" : ",", begin, cpu);
        first = false;
    }
}

static void vcpu_rows(struct look *l, const struct xen_domctl_getdomaininfo *i)
{
    const uint64_t all = l->m.nr_pcpus < 64 ? (UINT64_C(1) << l->m.nr_pcpus) - 1 : UINT64_MAX;
    struct snapshot_domain_vcpu v;

    for (unsigned int n = 0; host_snapshot_vcpu(l->h, i->domain, n, &v); n++) {
        fprintf(l->out, "%-32s %5u %5u", name_of(l->h, i->domain), i->domain, n);
        if (!v.online)
            fprintf(l->out, "%5c %3c%cp ", '-', '-', '-');
        else
            fprintf(l->out, "%5u %3c%c- ", v.cpu, v.running ? 'r' : '-', v.blocked ? 'b' : '-');
        fprintf(l->out, "%9.1f  ", SECONDS_OF(v.time));
        cpus_print(v.hard, all, l->out);
        fputs(" / ", l->out);
        cpus_print(v.soft, all, l->out);
        putc('\n', l->out);
    }
}

static int vcpu_list(struct look *l)
{
    fprintf(l->out, "%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State", "Time(s)",
            "Affinity (Hard / Soft)");
    return domains_each(l, vcpu_rows);
}

/* --- scheduling --- */

/* Under which policy, in which pool. */
struct sched_look {
    struct look *l;
    const char *policy;
    uint32_t pool;
};

/* A row a domain. False: it is scheduled otherwise. */
static bool credit_row(const struct sched_look *s, const struct xen_domctl_getdomaininfo *i)
{
    struct look_sched sched;

    if (!look_sched(s->l->h, i->domain, 0, &sched) || strcmp(sched.policy, s->policy) != 0)
        return false;
    fprintf(s->l->out, "%-33s %4d %6d %4d\n", name_of(s->l->h, i->domain), i->domain, sched.weight, sched.cap);
    return true;
}

/* The same, or rows of its vCPUs. */
static bool rtds_rows(const struct sched_look *s, const struct xen_domctl_getdomaininfo *i)
{
    const char *which = s->l->r->option['v'], *name = name_of(s->l->h, i->domain);
    struct xen_domctl_sched_rtds p;
    unsigned long only = 0;
    bool any = false;

    if (which && strcmp(which, "all") != 0 && !ctl_number(which, i->max_vcpu_id, &only))
        return false;
    for (int n = which ? (int)only : -1; host_snapshot_rtds(s->l->h, i->domain, n, &p); n++) {
        const char *extra = p.flags & XEN_DOMCTL_SCHEDRT_extra ? "yes" : "no";

        any = true;
        if (!which)
            fprintf(s->l->out, "%-33s %4d %9u %9u %10s\n", name, i->domain, p.period, p.budget, extra);
        else
            fprintf(s->l->out, "%-33s %4d %4d %9u %9u %10s\n", name, i->domain, n, p.period, p.budget, extra);
        if (!which || strcmp(which, "all") != 0)
            break;
    }
    return any;
}

static bool sched_rows(const struct sched_look *s, const struct xen_domctl_getdomaininfo *i)
{
    return strcmp(s->policy, "rtds") ? credit_row(s, i) : rtds_rows(s, i);
}

/* A pool, and its scheduler's own parameters. False: it is not under this policy. */
static bool sched_head(const struct sched_look *s, uint32_t pool)
{
    struct xen_sysctl_scheduler_op op;
    const char *policy = host_snapshot_scheduler(s->l->h, pool, &op);

    if (!policy || strcmp(policy, s->policy) != 0)
        return false;
    fprintf(s->l->out, "Cpupool %s:", host_pool_name(s->l->h, pool));
    if (!strcmp(policy, "rtds"))
        fprintf(s->l->out, " sched=RTDS\n");
    else if (!strcmp(policy, "credit2"))
        fprintf(s->l->out, " ratelimit=%uus\n", op.u.sched_credit2.ratelimit_us);
    else
        fprintf(s->l->out, " tslice=%ums ratelimit=%uus migration-delay=%uus\n", op.u.sched_credit.tslice_ms,
                op.u.sched_credit.ratelimit_us, op.u.sched_credit.vcpu_migr_delay_us);
    return true;
}

static void columns_print(const struct sched_look *s)
{
    if (strcmp(s->policy, "rtds"))
        fprintf(s->l->out, "%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
    else if (s->l->r->option['v'])
        fprintf(s->l->out, "%-33s %4s %4s %9s %9s %10s\n", "Name", "ID", "VCPU", "Period", "Budget", "Extratime");
    else
        fprintf(s->l->out, "%-33s %4s %9s %9s %10s\n", "Name", "ID", "Period", "Budget", "Extratime");
}

static int sched_of_domain(const struct sched_look *s, const char *who)
{
    struct xen_domctl_getdomaininfo info;
    domid_t domid;

    if (!ctl_domain_find(s->l->h, who, &domid) || !domain_info(s->l->h, domid, &info)) {
        fprintf(s->l->err, CTL_NO_DOMAIN, who);
        return 1;
    }
    columns_print(s);
    if (sched_rows(s, &info))
        return 0;
    fprintf(s->l->err, "domain %u is not scheduled by %s, or has no such vCPU\n", domid, s->policy);
    return 1;
}

static int sched(struct look *l)
{
    const bool rtds = !strcmp(l->r->command->name, "sched-rtds");
    const char *who = l->r->option['d'], *pool = l->r->option[rtds ? 'c' : 'p'];
    struct sched_look s = { l, l->r->command->name + strlen("sched-"), 0 };
    struct xen_domctl_getdomaininfo info;

    if (pool && !host_pool_find(l->h, pool, &s.pool)) {
        fprintf(l->err, "unknown cpupool '%s'\n", pool);
        return 1;
    }
    if (who && pool) {
        fprintf(l->err, "Specifying a cpupool is not allowed with other options.\n");
        return 1;
    }
    if (who)
        return sched_of_domain(&s, who);
    for (uint32_t id = 0; id < 64; id++) {
        if (((pool || l->r->option['s']) && id != s.pool) || !sched_head(&s, id) || l->r->option['s'])
            continue;
        columns_print(&s);
        for (unsigned int n = 0; host_snapshot_domain(l->h, &n, &info); n++)
            if (info.cpupool == id)
                sched_rows(&s, &info);
    }
    return 0;
}

/* --- the machine --- */

__attribute__((format(printf, 3, 4))) static void fact(struct look *l, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(l->out, "%-23s: ", name);
    vfprintf(l->out, fmt, ap);
    putc('\n', l->out);
    va_end(ap);
}

static int info(struct look *l)
{
    fact(l, "host", "xenlab");
    fact(l, "machine", "x86_64");
    fact(l, "nr_cpus", "%u", l->m.nr_pcpus);
    fact(l, "max_cpu_id", "%u", l->m.nr_pcpus - 1);
    fact(l, "nr_nodes", "1");
    fact(l, "cores_per_socket", "%u", l->m.nr_pcpus);
    fact(l, "threads_per_core", "1");
    fact(l, "cpu_mhz", "%u.%03u", l->m.cpu_khz / 1000, l->m.cpu_khz % 1000);
    fact(l, "virt_caps", "pv hvm hap gnttab-v1 gnttab-v2");
    fact(l, "total_memory", "%llu", (unsigned long long)l->m.total_pages >> 8);
    fact(l, "free_memory", "%llu", (unsigned long long)l->m.free_pages >> 8);
    fact(l, "sharing_freed_memory", "0");
    fact(l, "sharing_used_memory", "0");
    fact(l, "outstanding_claims", "0");
    fact(l, "free_cpus", "0");
    fact(l, "xen_major", "%u", l->m.version >> 16);
    fact(l, "xen_minor", "%u", l->m.version & 0xffff);
    fact(l, "xen_extra", "%s", l->m.extra);
    fact(l, "xen_version", "%u.%u%s", l->m.version >> 16, l->m.version & 0xffff, l->m.extra);
    fact(l, "xen_scheduler", "%s", l->m.sched);
    fact(l, "xen_pagesize", "4096");
    return 0;
}

static int dmesg(struct look *l)
{
    static const size_t size = 64 << 10;
    char *text = malloc(size);

    if (text)
        fwrite(text, 1, host_snapshot_dmesg(l->h, text, size), l->out);
    free(text);
    return 0;
}

static void top_row(struct look *l, const struct xen_domctl_getdomaininfo *i)
{
    const double all = (double)(l->m.total_pages << 2),
                 now = (double)(host_now(l->h) - host_guest_born(l->h, i->domain));
    const double kib = (double)(i->tot_pages << 2), max = (double)i->max_pages * 4;

    fprintf(l->out, "%10s %c%c%c%c%c%c %10llu %6.1f %10.0f %6.1f", name_of(l->h, i->domain),
            letter(i, XEN_DOMINF_dying, 'd'), letter(i, XEN_DOMINF_shutdown, 's'), letter(i, XEN_DOMINF_blocked, 'b'),
            is_crashed(i) ? 'c' : '-', letter(i, XEN_DOMINF_paused, 'p'), letter(i, XEN_DOMINF_running, 'r'),
            (unsigned long long)i->cpu_time / 1000000000, now > 0 ? (double)i->cpu_time / now * 100 : 0, kib,
            kib / all * 100);
    if (i->max_pages > l->m.total_pages)
        fprintf(l->out, " %10s %9s", "no limit", "n/a");
    else
        fprintf(l->out, " %10.0f %9.1f", max, max / all * 100);
    fprintf(l->out, " %5u", i->nr_online_vcpus);
    ctl_devices_top(l->h, i->domain, l->out);
    fprintf(l->out, " %4u\n", i->ssidref);
}

static int top(struct look *l)
{
    fputs(
        "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS "
        "  VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID\n",
        l->out);
    return domains_each(l, top_row);
}

static void uptime_row(struct look *l, const struct xen_domctl_getdomaininfo *i)
{
    const long long s = (host_now(l->h) - host_guest_born(l->h, i->domain)) / SECONDS(1);

    fprintf(l->out, "%-33s %4d ", name_of(l->h, i->domain), i->domain);
    if (s >= 86400)
        fprintf(l->out, "%lld day%s, ", s / 86400, s >= 2 * 86400 ? "s" : "");
    fprintf(l->out, l->r->option['s'] ? "%2lld:%02lld\n" : "%2lld:%02lld:%02lld\n", s / 3600 % 24, s / 60 % 60, s % 60);
}

static int uptime(struct look *l)
{
    fprintf(l->out, "%-33s %4s %s\n", "Name", "ID", "Uptime");
    return domains_each(l, uptime_row);
}

static int domid(struct look *l)
{
    domid_t n;

    if (!ctl_domain_find(l->h, l->r->arg[0], &n) || strcmp(name_of(l->h, n), l->r->arg[0]) != 0) {
        fprintf(l->err, "Can't get domid of domain name '%s', maybe this domain does not exist.\n", l->r->arg[0]);
        return 1;
    }
    fprintf(l->out, "%u\n", n);
    return 0;
}

static int domname(struct look *l)
{
    struct xen_domctl_getdomaininfo i;
    unsigned long n;

    if (!ctl_number(l->r->arg[0], DOMID_FIRST_RESERVED - 1, &n)) {
        fprintf(l->err, "Invalid domain id.\n");
        return 1;
    }
    if (!domain_info(l->h, (domid_t)n, &i)) {
        fprintf(l->err, "Can't get domain name of domain id '%s', maybe this domain does not exist.\n", l->r->arg[0]);
        return 1;
    }
    fprintf(l->out, "%s\n", name_of(l->h, (domid_t)n));
    return 0;
}

static int devices(struct look *l)
{
    domid_t n;

    ctl_devices_head(l->r->command->name, l->out);
    for (unsigned int i = 0; i < l->r->nr_args; i++)
        if (ctl_domain_find(l->h, l->r->arg[i], &n))
            ctl_devices_rows(l->h, l->r->command->name, n, l->out);
        else
            fprintf(l->err, "%s is an invalid domain identifier\n", l->r->arg[i]);
    return 0;
}

static const struct {
    const char *name;
    int (*look)(struct look *l);
} looks[] = {
    { "list", list },
    { "vcpu-list", vcpu_list },
    { "sched-credit", sched },
    { "sched-credit2", sched },
    { "sched-rtds", sched },
    { "info", info },
    { "dmesg", dmesg },
    { "top", top },
    { "uptime", uptime },
    { "domid", domid },
    { "domname", domname },
    { "block-list", devices },
    { "network-list", devices },
    { "channel-list", devices },
};

int ctl_look(struct host *h, const struct ctl_request *r, FILE *out, FILE *err)
{
    struct look l = { .h = h, .r = r, .out = out, .err = err };

    host_snapshot_machine(h, &l.m);
    for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
        if (!strcmp(looks[i].name, r->command->name))
            return looks[i].look(&l);
    fprintf(err, "%s is not answered here\n", r->command->name);
    return 1;
}
