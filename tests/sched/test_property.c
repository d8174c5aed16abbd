// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the scheduler promises, on random machines: shares follow weights, caps hold, and whatever an administrator does
 * while vCPUs run (affinity, parameters, pCPUs and CPU pools and domains that come and go) the books stay right, nobody
 * who can run starves, and no pCPU idles while somebody waits who may run there.
 *
 * Everything is seeded and in virtual time, so a failure names a seed that fails again.
 *
 * Budget: each property needs the same made-up domains, and the last one everything that an administrator can do.
 */
#include "common.h"

#include "vcpu/sched/cpupool.h"

static unsigned int pick(unsigned int n) { return (unsigned int)rand() % n; }

/* --- shares and caps --- */

#define MAX_CLAIMS 64

struct claim {
    struct wb_vcpu *wv;
    double weight, ideal;
    bool settled;
};

/* Divide `left` pCPUs by weight; nobody can use more than one, and what somebody cannot use goes to the others. */
static void divide(struct claim *c, unsigned int nr, double left)
{
    for (bool again = true; again;) {
        double weights = 0, rest = left;

        again = false;
        for (unsigned int i = 0; i < nr; i++)
            weights += c[i].settled ? 0 : c[i].weight;
        for (unsigned int i = 0; i < nr; i++) {
            if (c[i].settled)
                continue;
            c[i].ideal = left * c[i].weight / weights;
            if (c[i].ideal < 1)
                continue;
            c[i].ideal = 1;
            c[i].settled = again = true;
            rest -= 1;
        }
        left = rest;
    }
}

/*
 * Spinners in random domains. A weight counts for each vCPU of a domain, in credit as in credit2: as in Xen since 4.0.
 */
static unsigned int spinners(struct wb *wb, struct claim *c, bool any_weight, bool caps)
{
    unsigned int nr = 0;

    for (unsigned int d = 0, doms = 1 + pick(12); d < doms; d++) {
        const unsigned int vcpus = 1 + pick(5), weight = any_weight ? 1 + pick(65535) : 64u << pick(5);
        struct wb_domain *wd;
        char name[16];

        snprintf(name, sizeof(name), "d%u", d);
        wd = domain_new(wb, name, vcpus, weight, caps && pick(2) ? 1 + pick(100 * vcpus) : 0, "compute forever");
        for (unsigned int i = 0; i < vcpus; i++)
            c[nr++] = (struct claim){ .wv = wb_vcpu(wd, i), .weight = weight };
    }
    return nr;
}

/*
 * How far shares may be from weights. On several pCPUs credit2 forgets how far somebody with a pCPU to itself is ahead
 * of others beyond CSCHED2_CARRYOVER_MAX, and debts below CSCHED2_CREDIT_MIN, which those of little weight have after
 * each slice: as Xen.
 */
static double tolerance(const char *policy, unsigned int pcpus, bool any_weight)
{
    if (!strcmp(policy, "credit") || (pcpus == 1 && !any_weight))
        return 0.01;
    return any_weight ? 0.16 : 0.1;
}

/* Even so nobody gets less than somebody with less weight. */
static void check_order(const char *policy, unsigned int seed, const struct claim *c, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        for (unsigned int j = 0; j < nr; j++)
            if (c[i].weight >= c[j].weight && wb_runtime(c[i].wv) < wb_runtime(c[j].wv) - MILLISECS(100))
                fail_msg("%s, seed %u: weight %g got %.2f s, weight %g got %.2f", policy, seed, c[i].weight,
                         (double)wb_runtime(c[i].wv) / 1e9, c[j].weight, (double)wb_runtime(c[j].wv) / 1e9);
}

static void test_shares(void **state)
{
    static const char *const fair[] = { "credit", "credit2" };
    double worst = 0;
    unsigned int near = 0, all = 0;

    for (size_t p = 0; p < ARRAY_SIZE(fair); p++) {
        for (unsigned int seed = 0; seed < 40; seed++) {
            struct claim c[MAX_CLAIMS];
            unsigned int nr, pcpus;
            struct wb *wb;

            srand(seed);
            pcpus = 1 + pick(16);
            wb = wb_new(fair[p], pcpus);
            wb->max_spans = 0;
            nr = spinners(wb, c, seed % 2, false);
            divide(c, nr, pcpus);
            run(wb, SECONDS(10));
            for (unsigned int i = 0; i < nr; i++) {
                const double got = (double)wb_runtime(c[i].wv) / 1e10;

                const double off = got > c[i].ideal ? got - c[i].ideal : c[i].ideal - got;

                if (off > tolerance(fair[p], pcpus, seed % 2))
                    fail_msg("%s, seed %u: d%u.%u of weight %g got %.4f instead of %.4f of a pCPU", fair[p], seed,
                             c[i].wv->v.domain->domain_id, c[i].wv->v.vcpu_id, c[i].weight, got, c[i].ideal);
                worst = off > worst ? off : worst;
                near += off <= 0.01;
                all++;
            }
            check_order(fair[p], seed, c, nr);
            assert_int_equal(wb->lost, 0);
            wb_destroy(wb);
        }
    }
    if (getenv("SHOW"))
        printf("%u of %u shares within 1 %% of a pCPU, the worst %.1f %% off\n", near, all, 100 * worst);
    assert_true(near * 100 > all * 95);
}

/* --- waiting --- */

/* One thing that an administrator may do to a domain, or to pCPUs. */
static void change(struct wb *wb, unsigned int kind, struct wb_domain *wd)
{
    const uint64_t hard = 1 + pick((1u << wb->xen.nr_pcpus) - 1);

    switch (kind) {
    case 0: /* a cap is lifted, whose ever */
        for (wd = wb->domains; wd; wd = wd->next) {
            wd->cap = 0;
            wb_domain_apply(wd);
        }
        break;
    case 1: wd->weight = 1 + pick(65535); break;
    case 2:
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
            assert_int_equal(sched_set_affinity(wd->d.vcpu[i], &hard, NULL), 0);
        break;
    case 3: /* from one pCPU to all, and the other way round */
        for (struct wb_domain *other = wb->domains; other; other = other->next)
            pin(other, 0, other->d.vcpu[0]->hard_affinity == 1 ? UINT64_MAX : 1);
        break;
    case 4:
        if (wb->xen.nr_pcpus > 1)
            assert_int_equal(sched_cpu_hotplug(&wb->xen, 1, false), 0);
        break;
    default: /* one that was paused for a while comes back */
        wd->d.vcpu[0]->pause_count++;
        vcpu_sleep_nosync(wd->d.vcpu[0]);
        run(wb, wb->machine.clock.now + MILLISECS(500));
        wd->d.vcpu[0]->pause_count--;
        vcpu_wake(wd->d.vcpu[0]);
    }
    wb_domain_apply(wd ? wd : wb->domains);
}

/*
 * Credit2: whatever changes, the past keeps nobody waiting. Credits lie between -10 and 10.5 ms and are burnt no slower
 * than time passes, so each of the others may be ahead by 20.5 ms, and goes on for a slice of 1 ms beyond.
 */
static void test_waits(void **state)
{
    for (unsigned int seed = 0; seed < 240; seed++) {
        struct wb *wb;
        unsigned int nr = 0;
        s_time_t start;

        srand(seed);
        wb = wb_new("credit2", 1 + pick(3));
        wb->max_spans = 0;
        for (unsigned int i = 0, doms = 2 + pick(2); i < doms; i++) {
            const char name[] = { (char)('a' + i), 0 };
            const unsigned int vcpus = 1 + pick(2);

            domain_new(wb, name, vcpus, seed % 2 ? 256 : 1 + pick(1024), i ? 0 : 5 + pick(95), "compute forever");
            nr += vcpus;
        }
        if (seed % 3 == 0)
            pin(wb->domains, 0, 1);
        run(wb, SECONDS(1));
        change(wb, seed % 6, wb->domains);
        start = wb->machine.clock.now;
        for (struct wb_domain *wd = wb->domains; wd; wd = wd->next)
            for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
                wb_vcpu(wd, i)->max_wait = 0;
                if (wb_vcpu(wd, i)->waiting_since >= 0)
                    wb_vcpu(wd, i)->waiting_since = start;
            }
        run(wb, start + SECONDS(1));
        for (struct wb_domain *wd = wb->domains; wd; wd = wd->next)
            for (unsigned int i = 0; !wd->cap && i < wd->d.max_vcpus; i++)
                if (wb_vcpu(wd, i)->max_wait > (nr - 1) * MICROSECS(21500))
                    fail_msg("seed %u: %s.%u of %u vCPUs waited for %.1f ms", seed, wd->name, i, nr,
                             (double)wb_vcpu(wd, i)->max_wait / 1e6);
        wb_destroy(wb);
    }
}

/*
 * A domain gets no more than its cap, all of it if there is room, and its vCPUs get equal parts; nearly: under credit2
 * their credits decide who comes first for the rest of a period's budget.
 */
static void test_caps(void **state)
{
    static const char *const fair[] = { "credit", "credit2" };

    for (size_t p = 0; p < ARRAY_SIZE(fair); p++) {
        for (unsigned int seed = 0; seed < 40; seed++) {
            const bool room = seed % 2;
            struct claim c[MAX_CLAIMS];
            struct wb *wb;

            srand(seed);
            wb = wb_new(fair[p], room ? 16 : 1 + pick(8));
            wb->max_spans = 0;
            if (room)
                for (unsigned int i = 0; i < 4; i++) {
                    const char name[] = { (char)('a' + i), 0 };
                    const unsigned int vcpus = 1 + pick(4);

                    domain_new(wb, name, vcpus, 1 + pick(65535), 1 + pick(100 * vcpus), "compute forever");
                }
            else
                spinners(wb, c, false, true);
            run(wb, SECONDS(10));
            for (struct wb_domain *wd = wb->domains; wd; wd = wd->next) {
                const double got = (double)domain_runtime(wd) / 1e8;
                s_time_t least = SECONDS(10), most = 0;

                for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
                    const s_time_t t = wb_runtime(wb_vcpu(wd, i));

                    least = t < least ? t : least;
                    most = t > most ? t : most;
                }
                if (wd->cap && (got > wd->cap + 1 || (room && got < wd->cap - 1)))
                    fail_msg("%s, seed %u: %s with cap %u got %.2f", fair[p], seed, wd->name, wd->cap, got);
                if (wd->cap && most - least > MILLISECS(150))
                    fail_msg("%s, seed %u: one vCPU of %s got %.2f s, another %.2f", fair[p], seed, wd->name,
                             (double)least / 1e9, (double)most / 1e9);
            }
            wb_destroy(wb);
        }
    }
}

/* --- administrators --- */

struct chaos {
    struct wb *wb;
    unsigned int pcpus, born;
    bool pools, conserving;
    s_time_t birth[1024];
    struct wb_domain *gone;
};

static void domain_random(struct chaos *ch)
{
    static const char *const programs[] = {
        "compute forever",
        "compute forever",
        "compute 100us..5ms, sleep 100us..20ms",
        "compute 1ms..3ms, yield, compute 1ms, sleep 2ms",
        "compute 10us, sleep 1us..50us",
        "compute 50us, wake d0, block, compute 1us",
    };
    struct wb_domain *wd;
    char name[16];

    snprintf(name, sizeof(name), "d%u", ch->born);
    wd = wb_domain_add(ch->wb, name, 1 + pick(pick(2) ? 3 : 20), programs[pick(ARRAY_SIZE(programs))]);
    assert_non_null(wd);
    ch->birth[ch->born++] = ch->wb->machine.clock.now;
    wd->weight = 1 + pick(65535);
    wd->cap = ch->conserving || pick(3) ? 0 : pick(100 * wd->d.max_vcpus + 1);
    wd->period_us = 1000 + pick(100000);
    wd->budget_us = 10 + pick(wd->period_us - 10);
    wd->extratime = pick(2);
    assert_int_equal(wb_domain_apply(wd), 0);
}

/* The program of others may still name it, so its memory lives until the end. */
static void chaos_domain_destroy(struct chaos *ch, struct wb_domain *wd)
{
    struct wb_domain **link = &ch->wb->domains;
    struct domain **dlink = &ch->wb->xen.domain_list;

    for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
        timer_stop(&ch->wb->machine.clock, &wb_vcpu(wd, i)->timer);
        sched_destroy_vcpu(wd->d.vcpu[i]);
    }
    sched_destroy_domain(&wd->d);
    while (*link != wd)
        link = &(*link)->next;
    while (*dlink != &wd->d)
        dlink = &(*dlink)->next;
    *dlink = wd->d.next;
    *link = wd->next;
    if (!wd->next)
        ch->wb->domains_tail = link;
    ch->wb->nr_vcpus -= wd->d.max_vcpus;
    wd->next = ch->gone;
    ch->gone = wd;
}

static void gone_free(struct chaos *ch)
{
    while (ch->gone) {
        struct wb_domain *wd = ch->gone;

        ch->gone = wd->next;
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
            free(wb_vcpu(wd, i)->latency.v);
            free(wd->d.vcpu[i]);
            wb_program_free(&wd->own[i]);
        }
        wb_program_free(&wd->program);
        free(wd->own);
        free(wd->d.vcpu);
        free(wd);
    }
}

static void pool_op(struct chaos *ch, uint32_t op, uint32_t id, uint32_t arg)
{
    struct xen_sysctl_cpupool_op o = { .op = op, .cpupool_id = id, .sched_id = arg, .domid = arg, .cpu = arg };
    uint64_t map;

    cpupool_do_sysctl(&ch->wb->xen, &o, &map);
}

static void param_random(struct scheduler *s)
{
    static const char *const names[] = { "tslice_ms", "ratelimit_us", "slice_ms" };
    static const long values[] = { 0, 1, 2, 5, 30, 100, 200, 500, 1000 };

    sched_set_param(s, names[pick(ARRAY_SIZE(names))], values[pick(ARRAY_SIZE(values))]);
}

/* Anything that may happen to pools; with the others below. */
static void disturb_pools(struct chaos *ch, struct wb_domain *wd)
{
    const uint32_t pool = pick(5), cpu = pick(4) ? pick(ch->pcpus) : XEN_SYSCTL_CPUPOOL_PAR_ANY;

    switch (pick(5)) {
    case 0: pool_op(ch, XEN_SYSCTL_CPUPOOL_OP_CREATE, XEN_SYSCTL_CPUPOOL_PAR_ANY, 4 + pick(8)); break;
    case 1: pool_op(ch, XEN_SYSCTL_CPUPOOL_OP_DESTROY, pool, 0); break;
    case 2: pool_op(ch, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, pool, cpu); break;
    case 3: pool_op(ch, XEN_SYSCTL_CPUPOOL_OP_RMCPU, pool, cpu); break;
    default: pool_op(ch, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, pool, wd->d.domain_id);
    }
}

static void disturb(struct chaos *ch)
{
    const uint64_t hard = 1 + pick((1u << ch->pcpus) - 1), soft = pick(1u << ch->pcpus);
    struct wb *wb = ch->wb;
    struct wb_domain *wd = wb->domains;
    struct vcpu *v;

    for (unsigned int skip = pick(20); skip; skip--)
        wd = wd->next ? wd->next : wb->domains;
    v = wd->d.vcpu[pick(wd->d.max_vcpus)];
    if (ch->pools && !pick(3)) {
        disturb_pools(ch, wd);
        return;
    }
    switch (pick(11)) {
    case 0: sched_set_affinity(v, &hard, NULL); break;
    case 1: sched_set_affinity(v, NULL, &soft); break;
    case 2: sched_set_affinity(v, &hard, &soft); break;
    case 3: sched_cpu_hotplug(&wb->xen, pick(ch->pcpus), false); break;
    case 4: sched_cpu_hotplug(&wb->xen, pick(ch->pcpus), true); break;
    case 5:
        v->pause_count++;
        vcpu_sleep_nosync(v);
        break;
    case 6:
        v->pause_count = 0;
        vcpu_wake(v);
        break;
    case 7:
        wd->weight = 1 + pick(65535);
        wd->cap = ch->conserving || pick(2) ? 0 : pick(300);
        wb_domain_apply(wd);
        break;
    case 8:
        if (wb->domains->next && wd != wb->domains)
            chaos_domain_destroy(ch, wd);
        break;
    case 9:
        if (wb->nr_vcpus < 200)
            domain_random(ch);
        break;
    default: pick(2) ? vcpu_migrate(v) : param_random(wd->d.sched);
    }
}

static const char *wrong_vcpu(const struct chaos *ch, const struct wb_vcpu *wv)
{
    const struct vcpu *v = &wv->v;
    const s_time_t age = ch->wb->machine.clock.now - ch->birth[v->domain->domain_id];
    const int state = v->is_running                               ? RUNSTATE_running
                      : v->pause_flags & (VPF_blocked | VPF_poll) ? RUNSTATE_blocked
                      : vcpu_runnable(v)                          ? RUNSTATE_runnable
                                                                  : RUNSTATE_offline;
    struct vcpu_runstate_info rs;

    vcpu_runstate_get(v, &rs);
    if ((s_time_t)(rs.time[0] + rs.time[1] + rs.time[2] + rs.time[3]) != age)
        return "the runstate times do not add up to its age";
    if (rs.state != state)
        return "it is in the wrong runstate";
    if (v->sched_awake != vcpu_runnable(v))
        return "the policy was not told whether it can run";
    return NULL;
}

static const char *wrong_pcpu(struct chaos *ch, unsigned int cpu)
{
    const struct xen_pcpu *p = &ch->wb->xen.pcpu[cpu];

    if (!p->curr)
        return NULL;
    if (!p->curr->is_running || p->curr->processor != cpu)
        return "what it runs does not know it";
    if (p->sched != p->curr->domain->sched)
        return "it runs a vCPU of another pool";
    if (!p->need_resched && !(vcpu_cpumask(p->curr) >> cpu & 1))
        return "it runs a vCPU whose affinity does not allow it";
    return NULL;
}

static void check(struct chaos *ch, const char *where)
{
    const char *wrong = NULL;

    for (unsigned int cpu = 0; cpu < ch->pcpus; cpu++)
        if ((wrong = wrong_pcpu(ch, cpu)))
            fail_msg("%s: pCPU %u: %s", where, cpu, wrong);
    for (struct scheduler *s = ch->wb->xen.sched; s; s = s->next)
        if (s->fault)
            fail_msg("%s: pool %u: %s (%s)", where, s->cpupool_id, s->fault, s->fault_text);
    for (struct wb_domain *wd = ch->wb->domains; wd; wd = wd->next)
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
            if ((wrong = wrong_vcpu(ch, wb_vcpu(wd, i))))
                fail_msg("%s: %s.%u: %s", where, wd->name, i, wrong);
}

static void chaos_run(const char *policy, unsigned int seed, bool pools, bool conserving)
{
    struct chaos *ch = calloc(1, sizeof(*ch));
    char where[96];

    assert_non_null(ch);
    srand(seed);
    ch->pools = pools;
    ch->conserving = conserving;
    ch->pcpus = 1 + pick(pick(3) ? 4 : 16);
    ch->wb = wb_new(policy, ch->pcpus);
    ch->wb->max_spans = 0;
    ch->wb->scan = conserving;
    for (unsigned int i = 1 + pick(8); i; i--)
        domain_random(ch);
    for (unsigned int step = 0; step < 120; step++) {
        snprintf(where, sizeof(where), "%s, seed %u, step %u", policy, seed, step);
        run(ch->wb, ch->wb->machine.clock.now + 1 + pick(pick(4) ? (unsigned int)MILLISECS(30) : 2000));
        check(ch, where);
        if (ch->wb->lost)
            fail_msg("%s: pCPUs idled for %lld ns while vCPUs waited", where, (long long)ch->wb->lost);
        disturb(ch);
        check(ch, where);
    }
    wb_destroy(ch->wb);
    gone_free(ch);
    free(ch);
}

static void test_administrators(void **state)
{
    static const char *const policies[] = {
        "credit", "credit2", "credit2,cpus_per_runqueue=2", "rtds", "null", "arinc653", "arinc653,slice_ms=3", "rr",
    };

    for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
        const bool conserving = !strncmp(policies[p], "credit", 6) || !strcmp(policies[p], "rr");

        for (unsigned int seed = 0; seed < 12; seed++) {
            chaos_run(policies[p], seed, true, false);
            chaos_run(policies[p], seed, false, conserving);
        }
    }
}

/*
 * Null: whatever comes and goes, no pCPU stays free that somebody who waits may use. All spin, so one that idles is
 * free.
 */
static void test_null_leaves_nothing_free(void **state)
{
    for (unsigned int seed = 0; seed < 60; seed++) {
        struct wb *wb;
        struct wb_domain *wd;

        srand(seed);
        wb = wb_new("null", 1 + pick(4));
        wb->max_spans = 0;
        wd = domain_new(wb, "a", 1 + pick(7), 256, 0, "compute forever");
        for (unsigned int step = 0; step < 100; step++) {
            struct vcpu *v = wd->d.vcpu[pick(wd->d.max_vcpus)];
            const uint64_t hard = 1 + pick((1u << wb->xen.nr_pcpus) - 1), soft = pick(1u << wb->xen.nr_pcpus);

            switch (pick(4)) {
            case 0: sched_set_affinity(v, pick(2) ? &hard : NULL, pick(2) ? &soft : NULL); break;
            case 1: sched_cpu_hotplug(&wb->xen, pick(wb->xen.nr_pcpus), pick(2)); break;
            case 2:
                v->pause_flags |= VPF_down;
                vcpu_sleep_nosync(v);
                break;
            default: v->pause_flags &= ~VPF_down; vcpu_wake(v);
            }
            run(wb, wb->machine.clock.now + (pick(2) ? 0 : MILLISECS(1)));
            if (wb->lost)
                fail_msg("seed %u, step %u: a pCPU was free while a vCPU waited for it", seed, step);
        }
        wb_destroy(wb);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_administrators),
        cmocka_unit_test(test_null_leaves_nothing_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
