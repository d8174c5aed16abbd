// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What Xen 4.17 answers to CPU pool operations and pCPU hotplug, written down a second time.
 *
 * Concept: a model of pools (which pCPUs, which domains, which ids) answers each call by the rules of
 * xen/common/sched/cpupool.c. The machine is asked the same: every operation with every argument at the edges, in
 * states that thousands of such calls lead to. After each call the answer and all that can be read are compared. At the
 * end each answer that an operation can give has been given: a rule that is never reached would be no test of it.
 */
#include "machine.h"

#define PCPUS     4
#define MAX_POOLS (2 * PCPUS)
#define DOMAINS   4 /* dom0 and three others */
#define CALLS     40000

enum { OP_OFFLINE = 100, OP_ONLINE, OP_DYING };

struct model {
    struct {
        uint32_t id, sched_id;
    } pool[MAX_POOLS]; /* by ascending id */
    unsigned int nr;
    bool online[PCPUS];
    uint32_t pool_of[PCPUS]; /* id, or ANY: none */
    domid_t domid[DOMAINS];
    uint32_t home[DOMAINS];
    bool dying[DOMAINS];
};

/* The index of the first pool with that id or a higher one. */
static unsigned int at(const struct model *m, uint32_t id)
{
    unsigned int i = 0;

    while (i < m->nr && m->pool[i].id < id)
        i++;
    return i;
}

static bool exists(const struct model *m, uint32_t id) { return at(m, id) < m->nr && m->pool[at(m, id)].id == id; }

static uint64_t cpus_of(const struct model *m, uint32_t id)
{
    uint64_t cpus = 0;

    for (unsigned int cpu = 0; cpu < PCPUS; cpu++)
        if (m->online[cpu] && m->pool_of[cpu] == id)
            cpus |= UINT64_C(1) << cpu;
    return cpus;
}

static uint32_t domains_of(const struct model *m, uint32_t id)
{
    uint32_t n = 0;

    for (unsigned int i = 0; i < DOMAINS; i++)
        n += m->home[i] == id;
    return n;
}

static int model_create(struct model *m, uint32_t id, uint32_t sched_id)
{
    unsigned int i;

    if (m->nr == MAX_POOLS)
        return -ENOSPC;
    if (id == ANY) {
        id = m->pool[m->nr - 1].id + 1;
        if (id == ANY) /* the first gap */
            for (id = 0; exists(m, id);)
                id++;
    }
    if (exists(m, id))
        return -EEXIST;
    if (sched_id < XEN_SCHEDULER_CREDIT || sched_id > XEN_SCHEDULER_NULL)
        return -ENOENT;
    i = at(m, id);
    memmove(&m->pool[i + 1], &m->pool[i], (m->nr - i) * sizeof(m->pool[0]));
    m->pool[i].id = id;
    m->pool[i].sched_id = sched_id;
    m->nr++;
    return 0;
}

static int model_destroy(struct model *m, uint32_t id)
{
    const unsigned int i = at(m, id);

    if (!exists(m, id))
        return -ENOENT;
    if (domains_of(m, id) || cpus_of(m, id))
        return -EBUSY;
    m->nr--;
    memmove(&m->pool[i], &m->pool[i + 1], (m->nr - i) * sizeof(m->pool[0]));
    return 0;
}

static int model_addcpu(struct model *m, uint32_t id, uint32_t cpu)
{
    const uint64_t free = cpus_of(m, ANY);

    if (!exists(m, id))
        return -ENOENT;
    if (cpu == ANY) {
        if (!free)
            return -ENODEV;
        cpu = (uint32_t)__builtin_ctzll(free);
    }
    if (cpu >= PCPUS)
        return -EINVAL;
    if (!(free >> cpu & 1))
        return -ENODEV;
    m->pool_of[cpu] = id;
    return 0;
}

static int model_rmcpu(struct model *m, uint32_t id, uint32_t cpu)
{
    const uint64_t cpus = cpus_of(m, id);

    if (!exists(m, id))
        return -ENOENT;
    if (cpu == ANY && cpus)
        cpu = 63 - (uint32_t)__builtin_clzll(cpus);
    if (cpu >= PCPUS || (!id && !cpu) || !m->online[cpu])
        return -EINVAL;
    if (!(cpus >> cpu & 1))
        return -EADDRNOTAVAIL;
    for (unsigned int i = 0; cpus == UINT64_C(1) << cpu && i < DOMAINS; i++) {
        if (m->home[i] == id && !m->dying[i])
            return -EBUSY;
        if (m->home[i] == id)
            m->home[i] = 0;
    }
    m->pool_of[cpu] = ANY;
    return 0;
}

static int model_move(struct model *m, uint32_t id, uint32_t domid)
{
    unsigned int i = 0;

    while (i < DOMAINS && m->domid[i] != (domid_t)domid)
        i++;
    if (i == DOMAINS)
        return -ESRCH;
    if (!i)
        return -EPERM; /* the caller */
    if (m->home[i] == id)
        return 0;
    if (!exists(m, id) || !cpus_of(m, id))
        return -ENOENT;
    m->home[i] = id;
    return 0;
}

static int model_hotplug(struct model *m, uint32_t op, uint32_t cpu)
{
    if (cpu >= PCPUS || (op == OP_OFFLINE && !cpu))
        return -EINVAL;
    if (m->online[cpu] == (op == OP_ONLINE))
        return -EEXIST;
    if (op == OP_OFFLINE && m->pool_of[cpu] && m->pool_of[cpu] != ANY)
        return -ENODEV;
    m->online[cpu] = op == OP_ONLINE;
    m->pool_of[cpu] = op == OP_ONLINE ? 0 : ANY;
    return 0;
}

static int model_answer(struct model *m, uint32_t op, uint32_t id, uint32_t arg)
{
    switch (op) {
    case XEN_SYSCTL_CPUPOOL_OP_CREATE: return model_create(m, id, arg);
    case XEN_SYSCTL_CPUPOOL_OP_DESTROY: return model_destroy(m, id);
    case XEN_SYSCTL_CPUPOOL_OP_INFO: return at(m, id) < m->nr ? 0 : -ENOENT;
    case XEN_SYSCTL_CPUPOOL_OP_ADDCPU: return model_addcpu(m, id, arg);
    case XEN_SYSCTL_CPUPOOL_OP_RMCPU: return model_rmcpu(m, id, arg);
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN: return model_move(m, id, arg);
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO: return 0;
    case OP_OFFLINE:
    case OP_ONLINE: return model_hotplug(m, op, arg);
    default: return -ENOSYS;
    }
}

/* The machine's answer. */
static int machine_answer(struct fixture *f, uint32_t op, uint32_t id, uint32_t arg)
{
    if (op == OP_OFFLINE || op == OP_ONLINE)
        return hotplug(f, op == OP_ONLINE ? XEN_SYSCTL_CPU_HOTPLUG_ONLINE : XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, arg);
    return pool(f, op, id, arg);
}

/* All that can be read: the list of pools, walked as toolstacks do; free pCPUs; where each domain is. */
static void compare(struct fixture *f, const struct model *m, unsigned int call)
{
    struct xen_sysctl_cpupool_op o;
    struct xen_domctl_getdomaininfo info;
    uint64_t map = 0;
    uint32_t id = 0;

    for (unsigned int i = 0; i < m->nr; i++, id = o.cpupool_id + 1) {
        map = 0;
        if (pool_op(f, XEN_SYSCTL_CPUPOOL_OP_INFO, id, 0, &o, &map) || o.cpupool_id != m->pool[i].id ||
            o.sched_id != m->pool[i].sched_id || o.n_dom != domains_of(m, o.cpupool_id) ||
            map != cpus_of(m, o.cpupool_id))
            fail_msg("after call %u: pool %u: id %u, scheduler %u, %u domains, pCPUs %llx", call, m->pool[i].id,
                     o.cpupool_id, o.sched_id, o.n_dom, (unsigned long long)map);
    }
    if (id != ANY)
        assert_int_equal(pool(f, XEN_SYSCTL_CPUPOOL_OP_INFO, id, 0), -ENOENT);
    map = 0;
    assert_int_equal(pool_op(f, XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0, 0, NULL, &map), 0);
    assert_int_equal(map, cpus_of(m, ANY));
    for (unsigned int i = 0; i < DOMAINS; i++) {
        assert_int_equal(xc_domain_getinfo(f->xc, m->domid[i], &info), 0);
        assert_int_equal(info.cpupool, m->home[i]);
    }
}

/* Every answer that an operation can give. */
static const struct {
    uint32_t op;
    int rc;
} reachable[] = {
    { XEN_SYSCTL_CPUPOOL_OP_CREATE, 0 },
    { XEN_SYSCTL_CPUPOOL_OP_CREATE, -ENOSPC },
    { XEN_SYSCTL_CPUPOOL_OP_CREATE, -EEXIST },
    { XEN_SYSCTL_CPUPOOL_OP_CREATE, -ENOENT },
    { XEN_SYSCTL_CPUPOOL_OP_DESTROY, 0 },
    { XEN_SYSCTL_CPUPOOL_OP_DESTROY, -ENOENT },
    { XEN_SYSCTL_CPUPOOL_OP_DESTROY, -EBUSY },
    { XEN_SYSCTL_CPUPOOL_OP_INFO, 0 },
    { XEN_SYSCTL_CPUPOOL_OP_INFO, -ENOENT },
    { XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0 },
    { XEN_SYSCTL_CPUPOOL_OP_ADDCPU, -ENOENT },
    { XEN_SYSCTL_CPUPOOL_OP_ADDCPU, -ENODEV },
    { XEN_SYSCTL_CPUPOOL_OP_ADDCPU, -EINVAL },
    { XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0 },
    { XEN_SYSCTL_CPUPOOL_OP_RMCPU, -ENOENT },
    { XEN_SYSCTL_CPUPOOL_OP_RMCPU, -EINVAL },
    { XEN_SYSCTL_CPUPOOL_OP_RMCPU, -EBUSY },
    { XEN_SYSCTL_CPUPOOL_OP_RMCPU, -EADDRNOTAVAIL },
    { XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0 },
    { XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, -ESRCH },
    { XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, -EPERM },
    { XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, -ENOENT },
    { XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0 },
    { 0, -ENOSYS },
    { 8, -ENOSYS },
    { UINT32_MAX, -ENOSYS },
    { OP_OFFLINE, 0 },
    { OP_OFFLINE, -EINVAL },
    { OP_OFFLINE, -EEXIST },
    { OP_OFFLINE, -ENODEV },
    { OP_ONLINE, 0 },
    { OP_ONLINE, -EINVAL },
    { OP_ONLINE, -EEXIST },
};

static uint32_t one_of(const uint32_t *list, size_t nr) { return list[(unsigned int)rand() % nr]; }
#define ONE_OF(...) one_of((const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* An argument that means something to this operation, or nearly. */
static uint32_t argument(const struct model *m, uint32_t op)
{
    const uint32_t domid = m->domid[(unsigned int)rand() % DOMAINS];

    switch (op) {
    case XEN_SYSCTL_CPUPOOL_OP_CREATE: return ONE_OF(5, 6, 7, 8, 9, 5, 6, 7, 8, 9, 0, 4, 10, 1000, UINT32_MAX);
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
        return ONE_OF(domid, domid, domid, domid | 0x10000, domid | 0xffff0000, 99, DOMID_SELF, DOMID_XEN, DOMID_IO,
                      ANY);
    default: return ONE_OF(0, 1, 2, 3, 1, 2, 3, 4, 63, 64, ANY - 1, ANY, ANY);
    }
}

static void cpupools(void **state)
{
    static const uint32_t ops[] = { XEN_SYSCTL_CPUPOOL_OP_CREATE,
                                    XEN_SYSCTL_CPUPOOL_OP_DESTROY,
                                    XEN_SYSCTL_CPUPOOL_OP_INFO,
                                    XEN_SYSCTL_CPUPOOL_OP_ADDCPU,
                                    XEN_SYSCTL_CPUPOOL_OP_RMCPU,
                                    XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN,
                                    XEN_SYSCTL_CPUPOOL_OP_FREEINFO,
                                    OP_OFFLINE,
                                    OP_ONLINE,
                                    OP_DYING,
                                    0,
                                    8,
                                    UINT32_MAX };
    struct fixture *f = *state;
    struct model m = { .nr = 1, .pool[0] = { 0, XEN_SCHEDULER_CREDIT } };
    struct domain *d[DOMAINS] = { f->xen->dom0, f->d, domain_create_empty(f), domain_create_empty(f) };
    unsigned int given[ARRAY_SIZE(reachable)] = { 0 };

    for (unsigned int cpu = 0; cpu < PCPUS; cpu++)
        m.online[cpu] = true;
    for (unsigned int i = 0; i < DOMAINS; i++)
        m.domid[i] = d[i]->domain_id;
    srand(1);
    for (unsigned int call = 0; call < CALLS; call++) {
        const uint32_t op = one_of(ops, ARRAY_SIZE(ops)), arg = argument(&m, op);
        const uint32_t id = ONE_OF(0, 1, 2, 3, 1, 2, 70000, ANY - 1, ANY);
        int want, got;

        if (op == OP_DYING) {
            const unsigned int i = 1 + arg % (DOMAINS - 1);

            m.dying[i] = !m.dying[i];
            d[i]->is_dying = m.dying[i] ? DOMDYING_dying : DOMDYING_alive;
            continue;
        }
        want = model_answer(&m, op, id, arg);
        got = machine_answer(f, op, id, arg);
        if (got != want)
            fail_msg("call %u: operation %u, id %u, argument %u: %d instead of %d", call, op, id, arg, got, want);
        compare(f, &m, call);
        for (size_t i = 0; i < ARRAY_SIZE(reachable); i++)
            given[i] += reachable[i].op == op && reachable[i].rc == want;
    }
    for (size_t i = 0; i < ARRAY_SIZE(reachable); i++)
        if (!given[i])
            fail_msg("operation %u never answered %d", reachable[i].op, reachable[i].rc);
    for (unsigned int i = 1; i < DOMAINS; i++)
        d[i]->is_dying = DOMDYING_alive;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cpupools, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
