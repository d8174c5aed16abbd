// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kit balance: what goes wrong with a policy is named; mistakes in workloads are answered; figures are as reckoned
 * by hand, and as by this test's own way through a run; nothing is lost on the way, whoever moves whom.
 * Built with cc, as a student would; without, skipped.
 *
 * Budget: 540 lines, since a kit is one thing to try, and its other reckoning belongs beside it.
 */
#include "tests/kit/fixture.h"
#include "tools/kit/balance.h"

/* What a move costs, so many us, is the number of a fault. */
#define SMALL "pcpus 4\ntime 500ms\ncold 1NNus\nvm z : load 10%\nvm a vcpus=2 : load 10%\n"

static const struct fault faults[] = {
    { 1, 2, "gave vCPU 2 (a/1) pCPU 4, and there are 0 to 3,@" },
    { 2, 2, "gave vCPU 0 (z/0) pCPU 255, and there are 0 to 3,@" },
    { 11, 2, "gave vCPU 0 (z/0) pCPU 4, and there are 0 to 3,@" },
    { 12, 0, "" },
    { 16, 0, "" },
    { 17, 0, "" },
    { 31, 2, "crashed (Segmentation fault)@" },
    { 30, 2, "crashed (Segmentation fault)@" }, /* malloc() has failed */
};

static const struct fault tables[] = {
    { 23, 1, "exports no `const struct balance_ops xenlab_balance_ops`" },
    { 25, 1, "xenlab_balance_ops has abi 99 and size 32, where 1 and 32 are wanted" },
    { 26, 1, "xenlab_balance_ops has abi 1 and size 24, where 1 and 32 are wanted" },
    { 27, 1, "xenlab_balance_ops has no name" },
    { 28, 1, "xenlab_balance_ops has no tick" },
};

/* init 1, ticks 2, 3 and 4. */
static void test_faults(void **state)
{
    static const char source[] = "tests/kit/bad_balance.c", where[] = " in tick, call 4, at 0.300 s";

    file_write("w", "pcpus 1\ntime 100ms\nvm a : load 10%\n");
    if (!faults_can_be_tried("balance", source))
        skip();
    faults_told("balance", source, SMALL, faults_of_all, FAULTS_IN_CALLS, where, "work", 150);
    faults_told("balance", source, SMALL, faults, ARRAY_SIZE(faults), where, "work", 150);
    faults_tried("balance", source, tables, ARRAY_SIZE(tables), where, "work", "", 150);
}

/* --- mistakes of the user's --- */

static const struct {
    const char *workload, *says;
} mistakes[] = {
    { "", "w:1: how many pCPUs are there? 1 to 64 are possible: pcpus 8" },
    { "pcpus 65\n", "w:1: pcpus: \"65\" is no number up to 64" },
    { "pcpus 4\n", "w:1: there is no VM: vm NAME" },
    { "pcpus 4\nnodes 3\nvm a : load 1%\n", "w:3: 4 pCPUs cannot be of 3 nodes, as many of each" },
    { "pcpus 4\nnodes 0\nvm a : load 1%\n", "w:3: 4 pCPUs cannot be of 0 nodes" },
    { "cpus 4\n", "w:1: \"cpus\" is no statement: pcpus, nodes, tick, cold, far, remote, time, vm and expect are" },
    { "tick 5ms\n", "w:1: tick: \"5ms\" is no time of whole 10ms, up to 600s" },
    { "cold 2s\n", "w:1: cold: \"2s\" is no time of whole us, up to 1s" },
    { "far lots\n", "w:1: far: \"lots\" is no time of whole us" },
    { "remote 5\n", "w:1: remote: \"5\" is none of 0% to 1000%" },
    { "time 601s\n", "w:1: time: \"601s\" is no time of whole ms" },
    { "pcpus 1\ntime 150ms\nvm a : load 1%\n", "w:3: the time has to be of whole ticks, and at most 14400 of them" },
    { "pcpus 1\ntime 600s\ntick 10ms\nvm a : load 1%\n", "w:4: the time has to be of whole ticks" },
    { "vm a load 1%\n", "w:1: a VM is \"vm NAME vcpus=4 pcpu=0 every=10ms : PROGRAM\"" },
    { "vm : load 1%\n", "w:1: a VM needs a name" },
    { "vm a : load 1%\nvm a : load 1%\n", "w:2: there is a VM a already" },
    { "vm a vcpus=0 : load 1%\n", "w:1: vcpus: at least 1" },
    { "vm a vcpus=257 : load 1%\n", "w:1: vcpus: \"257\" is no number up to 256" },
    { "vm a vcpus=200 : load 1%\nvm b vcpus=57 : load 1%\n", "w:2: more than 256 vCPUs" },
    { "vm a pcpu=64 : load 1%\n", "w:1: pcpu: \"64\" is no number up to 63" },
    { "pcpus 4\nvm a pcpu=4 : load 1%\n", "w:2: a begins on pCPU 4, and there are 0 to 3" },
    { "vm a every=1us : load 1%\n", "w:1: every: \"1us\" is no time of whole ms" },
    { "vm a cpus=1 : load 1%\n", "w:1: a VM has vcpus=, pcpu= and every=, not \"cpus\"" },
    { "vm a vcpus : load 1%\n", "w:1: a VM has vcpus=, pcpu= and every=, not \"vcpus\"" },
    { "vm a : use 1%\n", "w:1: a step is \"load 40%\" or \"load 30%..60% for 10s\"" },
    { "vm a : load\n", "w:1: a step is \"load 40%\"" },
    { "vm a : load 101%\n", "w:1: load: \"101%\" is none of 0% to 100%" },
    { "vm a : load 1%..x%\n", "w:1: load: \"x%\" is none of 0% to 100%" },
    { "vm a : load 20%..10%\n", "w:1: load: the range ends before it begins" },
    { "vm a : load 1%, load 2%\n", "w:1: only a program's last step may be without a time" },
    { "vm a : load 1% for 1us\n", "w:1: for: \"1us\" is no time of whole ms" },
    { "pcpus 1\ntime 600s\nvm a vcpus=2 every=1ms : load 1%\n", "w:3: 1200002 jobs in all: at most 1000000" },
    { "pcpus 1\nvm a : load 1%\nexpect p99 a < 5ms from 1s to 2s\n", "w:3: expect: p99 is of a whole run" },
    { "pcpus 2\nvm a : load 1%\nvm b pcpu=2 : load 1%\n", "w:3: b begins on pCPU 2, and there are 0 to 1" },
    { "pcpus 1\nvm a : load 1%\nexpect work < 2*clock\n",
      "w:3: expect: there is no policy \"clock\" (balance has: greedy, steady, still;" },
    { "pcpus 1\nvm a : load 1%\nexpect idle a == 0\n", "w:3: expect: there is no idle of a" },
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        file_write("w", mistakes[i].workload);
        assert_int_equal(KIT("balance", "--policy", "/nowhere.so", "--workload", path("w")), 1);
        assert_true(in_file("err", mistakes[i].says));
    }
    assert_int_equal(KIT("balance", "--help"), 0);
    assert_true(in_file("out", "* migrations"));
    assert_int_equal(KIT("balanced"), 1);
    assert_true(in_file("err", "did you mean balance?"));
}

/* --- figures, by hand --- */

/* If a move costs 500 us, vCPU 1 goes to pCPU 1 behind the first tick; else one vCPU a tick goes on to the next pCPU.
 * It aborts if what it is told is not so. */
static const char mover[] =
    "#include <stdlib.h>\n"
    "#include \"xenlab/kit.h\"\n"
    "#define NEED(x) if (!(x)) abort()\n"
    "static uint8_t was[256];\n"
    "static uint64_t ticks, moved[256];\n"
    "static void tick(void *s, const struct balance_host *h, const struct vcpu_load *v, size_t n, uint8_t *pcpu)\n"
    "{ uint64_t used[64] = { 0 };\n"
    "  NEED(h->now == ++ticks * h->tick);\n"
    "  for (size_t i = 0; i < n; i++) {\n"
    "      NEED(pcpu[i] < h->pcpus && (ticks == 1 || pcpu[i] == was[i]) && v[i].used + v[i].waited <= h->tick);\n"
    "      NEED(v[i].node < h->nodes && (ticks > 1 || v[i].node == pcpu[i] / (h->pcpus / h->nodes)));\n"
    "      NEED(v[i].still == h->now - moved[i] && (i ? v[i].vm - v[i - 1].vm < 2 : v[i].vm == 0));\n"
    "      NEED((used[pcpu[i]] += v[i].used) <= h->tick);\n"
    "  }\n"
    "  size_t who = h->cold == 500000 ? 1 : ticks % n;\n"
    "  if (h->cold != 500000 || ticks == 1) pcpu[who] = h->cold == 500000 ? 1 : (pcpu[who] + 1) % h->pcpus;\n"
    "  if (h->cold != 500000 && h->pcpus > 1 || ticks == 1 && h->pcpus > 1) moved[who] = h->now;\n"
    "  for (size_t i = 0; i < n; i++) was[i] = pcpu[i]; }\n"
    "const struct balance_ops xenlab_balance_ops =\n"
    "    { { XENLAB_KIT_ABI, sizeof(struct balance_ops), \"mover\", 0 }, tick };\n";

static void run_of(const char *workload)
{
    file_write("w", workload);
    if (KIT("balance", "--policy", path("p.so"), "--workload", path("w"), "--json"))
        fail_msg("%s: %s", workload, file_read("err"));
}

#define US(metric, subject) ((int)(1000 * figure(metric, subject) + 0.5))

static void test_figures(void **state)
{
    file_write("p.c", mover);
    if (!build(path("p.c"), 0))
        skip();
    /* One pCPU: a b a b a a a, then nothing; from the second time on b is first: b a b a a a a. */
    run_of("pcpus 1\ntime 1s\ncold 1us\nvm a : load 50%\nvm b : load 20%\n");
    assert_int_equal(US("work", "a"), 500000);
    assert_int_equal(US("work", "b"), 200000);
    assert_int_equal(US("work", ""), 700000);
    assert_int_equal(figure("jobs", ""), 200);
    assert_int_equal(US("waited", "a"), 200000);
    assert_int_equal(US("waited", "b"), 101000);
    assert_int_equal(US("p99", "a"), 7000);
    assert_int_equal(US("p99", "b"), 3000);
    assert_int_equal(US("worst", "b"), 4000);
    assert_int_equal(US("idle", ""), 0);
    assert_int_equal(US("imbalance", ""), 0);
    assert_int_equal(figure("migrations", ""), 0);
    /* Two that want all there is: they share pCPU 0 for a tick, and then each has one of its own. */
    run_of("pcpus 2\ntime 200ms\nvm a pcpu=0 : load 100%\nvm b pcpu=0 : load 100%\n");
    assert_int_equal(US("work", "a"), 150000);
    assert_int_equal(US("work", "b"), 149500);
    assert_int_equal(US("lost", "b"), 500);
    assert_int_equal(US("waited", "a"), 50000);
    assert_int_equal(US("waited", "b"), 50000);
    assert_int_equal(US("idle", ""), 100000);
    assert_int_equal(US("imbalance", ""), 50000);
    assert_int_equal(figure("migrations", "b"), 1);
    assert_int_equal(figure("migrations", ""), 1);
    assert_int_equal(figure("far", ""), 0);
    assert_int_equal(US("settled", ""), 100);
    assert_int_equal(figure("jobs", "a"), 15);
    assert_int_equal(US("worst", "a"), 60000); /* that of 140 ms is not done yet */
    /* To another node: 2 ms in vain, and then 4 ms of work take 6. */
    run_of("pcpus 2\nnodes 2\nremote 50%\ntime 200ms\nvm a pcpu=0 : load 0%\nvm b pcpu=0 : load 40%\n");
    assert_int_equal(figure("jobs", "b"), 20);
    assert_int_equal(figure("jobs", "a"), 0);
    assert_int_equal(figure("far", "b"), 1);
    assert_int_equal(US("work", "b"), 80000);
    assert_int_equal(US("lost", "b"), 22000);
    assert_int_equal(US("worst", "b"), 8000);
    assert_int_equal(US("p99", "b"), 8000);
    assert_int_equal(US("p99", "a"), 0);
    assert_int_equal(US("waited", ""), 0);
    assert_int_equal(US("imbalance", ""), 25500); /* 40 and 0, then 0 and 62: 20 and 31 beyond the mean */
}

static struct balance *loaded(const char *text, uint64_t seed)
{
    char why[KIT_WHY] = "";
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    struct balance *b = balance_load(f, seed, why);

    fclose(f);
    if (!b)
        fail_msg("%s: %s", text, why);
    return b;
}

/* What a chart shows: two vCPUs on pCPU 0 want all of a tick, each; one runs at a time. Nobody is asked behind the last
 * tick. */
static void test_columns(void **state)
{
    struct balance *b = loaded("pcpus 2\ntime 100ms\nvm a pcpu=0 : load 100%\nvm b pcpu=0 : load 100%\n", 1);
    struct kit_asked nobody = { .model = &kit_balance };

    kit_balance.run(b, &nobody);
    assert_int_equal(b->over, 1);
    assert_int_equal(b->tick[0].used, 100000);
    assert_int_equal(b->tick[0].waited, 100000);
    assert_int_equal(b->tick[1].used + b->tick[1].waited, 0);
    balance_free(b);
}

/* --- random workloads --- */

static unsigned int any(uint64_t *random, uint64_t nr)
{
    return (unsigned int)((*random = workload_stir(*random + 1)) % nr);
}

static const char *random_workload(uint64_t seed)
{
    static const char *const every[] = { "1ms", "7ms", "10ms", "40ms", "100ms" };
    static char text[2048];
    uint64_t random = workload_stir(seed);
    const unsigned int nodes = any(&random, 3) + 1, pcpus = nodes * (any(&random, 3) + 1);
    size_t n = (size_t)snprintf(
        text, sizeof(text), "pcpus %u\nnodes %u\ntick %ums\ntime 1200ms\ncold %uus\nfar %uus\nremote %u%%\n", pcpus,
        nodes, any(&random, 2) ? 20 : 100, any(&random, 3000) + 501, any(&random, 5000) + 1, any(&random, 120));

    for (unsigned int i = 0, vms = any(&random, 4) + 1; i < vms; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "vm v%u vcpus=%u every=%s ", i, any(&random, 4) + 1,
                              every[any(&random, ARRAY_SIZE(every))]);
        if (any(&random, 2))
            n += (size_t)snprintf(text + n, sizeof(text) - n, "pcpu=%u ", any(&random, pcpus));
        n += (size_t)snprintf(text + n, sizeof(text) - n, ": load %u%%..%u%% for %ums, load %u%%\n", any(&random, 40),
                              any(&random, 60) + 40, any(&random, 700) + 1, any(&random, 101));
    }
    return text;
}

/* The test's own run. Jobs are those of `b`, in which all have come. There are no queues, but vCPUs have numbers, and
 * who has the least is first; and there is one list of all latencies. */
struct reckoning {
    double work, waited, lost, idle, imbalance, p99, worst;
    unsigned int jobs, moves, far;
};

struct mine {
    unsigned int pcpu, turn; /* turn: who has the least is first */
    uint64_t job, left, cold, busy;
};

static int by_value(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static struct reckoning reckon(const struct balance *b)
{
    static struct mine m[BALANCE_MAX_VCPUS];
    const uint64_t step = 1000000, per_node = b->host.pcpus / b->host.nodes;
    unsigned int turn = b->nr_vcpus, nr = 0;
    struct reckoning r = { 0 };
    double *latency;

    for (unsigned int v = 0; v < b->nr_vcpus; v++)
        nr += (unsigned int)b->vcpu[v].nr_jobs;
    latency = calloc(nr + 1, sizeof(*latency));
    nr = 0;
    for (unsigned int v = 0; v < b->nr_vcpus; v++)
        m[v] = (struct mine){ .pcpu = b->vm[b->vcpu[v].vm].pcpu < 64 ? (unsigned)b->vm[b->vcpu[v].vm].pcpu
                                                                     : v % (unsigned)b->host.pcpus,
                              .turn = v,
                              .left = b->vcpu[v].nr_jobs ? b->vcpu[v].job[0].work : 0 };
    for (uint64_t now = 0; now < b->time; now += step) {
        unsigned int idle = 0, waiters = 0;

        for (unsigned int p = 0; p < b->host.pcpus; p++) {
            uint64_t at = 0, until_turn = 0;
            bool any_ran = false;

            for (unsigned int asked = 0; asked < turn; asked++) { /* in the order of turns */
                struct mine *c = NULL;
                const struct balance_vcpu *of = NULL;

                for (unsigned int v = 0; v < b->nr_vcpus; v++)
                    if (m[v].pcpu == p && m[v].turn == asked)
                        c = &m[v], of = &b->vcpu[v];
                if (!c || c->job == of->nr_jobs || of->job[c->job].at > now)
                    continue;
                if (at == step) {
                    waiters++;
                    c->busy += step;
                    r.waited += 1;
                    continue;
                }
                r.waited += (double)at / 1e6;
                c->busy += at;
                any_ran = true;
                until_turn = asked;
                for (uint64_t room; (room = step - at) && c->job < of->nr_jobs && of->job[c->job].at <= now;) {
                    const uint64_t slow = p / per_node == of->node ? 100 : 100 + b->host.remote;
                    uint64_t takes = c->cold ? c->cold : (c->left * slow + 99) / 100;

                    takes = takes < room ? takes : room;
                    at += takes;
                    c->busy += takes;
                    if (c->cold) {
                        c->cold -= takes;
                        r.lost += (double)takes / 1e6;
                        continue;
                    }
                    const bool whole = takes * 100 >= c->left * slow;
                    const uint64_t done = whole ? c->left : takes * 100 / slow;

                    r.work += (double)done / 1e6;
                    r.lost += (double)(takes - done) / 1e6;
                    c->left -= done;
                    if (!whole)
                        break;
                    r.jobs++;
                    latency[nr++] = (double)(now + at - of->job[c->job].at) / 1e6;
                    c->job++;
                    c->left = c->job < of->nr_jobs ? of->job[c->job].work : 0;
                }
            }
            idle += !any_ran;
            for (unsigned int asked = 0; any_ran && asked <= until_turn; asked++) /* to the end, in their order */
                for (unsigned int v = 0; v < b->nr_vcpus; v++)
                    if (m[v].pcpu == p && m[v].turn == asked)
                        m[v].turn = turn++;
            /* Numbers are made small again: their order is what matters. */
            for (unsigned int next = 0, asked = 0; asked < turn; asked++)
                for (unsigned int v = 0; v < b->nr_vcpus; v++)
                    if (m[v].turn == asked)
                        m[v].turn = next++;
            turn = b->nr_vcpus;
        }
        r.idle += idle < waiters ? idle : waiters;
        if ((now + step) % b->host.tick)
            continue;
        double load[64] = { 0 }, most = 0, all = 0;

        for (unsigned int v = 0; v < b->nr_vcpus; v++) {
            load[m[v].pcpu] += (double)m[v].busy;
            all += (double)m[v].busy;
            m[v].busy = 0;
        }
        for (unsigned int p = 0; p < b->host.pcpus; p++)
            most = load[p] > most ? load[p] : most;
        r.imbalance += (most - all / (double)b->host.pcpus) * 100 / (double)b->time;
        if (now + step < b->time && b->host.pcpus > 1) {
            struct mine *c = &m[(now + step) / b->host.tick % b->nr_vcpus];
            const unsigned int to = (c->pcpu + 1) % (unsigned)b->host.pcpus;
            const bool far = to / per_node != c->pcpu / per_node;
            const uint64_t cost = far ? b->host.far : b->host.cold;

            c->cold = c->cold > cost ? c->cold : cost;
            c->pcpu = to;
            c->turn = turn++;
            r.moves++;
            r.far += far;
        }
    }
    for (unsigned int v = 0; v < b->nr_vcpus; v++)
        for (uint64_t i = m[v].job; i < b->vcpu[v].nr_jobs; i++)
            latency[nr++] = (double)(b->time - b->vcpu[v].job[i].at) / 1e6;
    qsort(latency, nr, sizeof(*latency), by_value);
    r.worst = nr ? latency[nr - 1] : 0;
    for (unsigned int i = 0; i < nr && !r.p99; i++)
        if ((i + 1) * 100 >= nr * 99)
            r.p99 = latency[i];
    free(latency);
    return r;
}

static bool near(double is, double ought) { return is > ought - 1e-4 && is < ought + 1e-4; }

static void test_random(void **state)
{
    file_write("p.c", mover);
    if (!build(path("p.c"), 0))
        skip();
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const char *text = random_workload(seed);
        struct balance *b = loaded(text, seed);
        char number[16], expected[120];
        struct reckoning r;

        while (b->host.now < b->time)
            balance_step(b);
        r = reckon(b);
        snprintf(number, sizeof(number), "%u", (unsigned)seed);
        file_write("w", text);
        snprintf(expected, sizeof(expected),
                 "expect p99 > 0\nexpect jobs == %u\nexpect migrations >= 0 from 0s to 200ms\n", r.jobs);
        file_write("x", expected);
        if (KIT("balance", "--policy", path("p.so"), "--workload", path("w"), "--json", "--seed", number, "--expect",
                path("x")))
            fail_msg("seed %s: %s%s", number, text, file_read("err"));
        if (!near(figure("work", ""), r.work) || !near(figure("waited", ""), r.waited) ||
            !near(figure("lost", ""), r.lost) || !near(figure("idle", ""), r.idle) ||
            !near(figure("imbalance", ""), r.imbalance) || !near(figure("p99", ""), r.p99) ||
            !near(figure("worst", ""), r.worst) || figure("jobs", "") != r.jobs ||
            figure("migrations", "") != r.moves || figure("far", "") != r.far)
            fail_msg("seed %s: %swork %g waited %g lost %g idle %g imbalance %g p99 %g worst %g jobs %u moves %u: %s",
                     number, text, r.work, r.waited, r.lost, r.idle, r.imbalance, r.p99, r.worst, r.jobs, r.moves,
                     file_read("out"));
        balance_free(b);
    }
}

/* Whoever is moved, at any time: all are in one queue, all time is used or idle, all work is done or left. */
static void invariants(const struct balance *b, uint64_t seed)
{
    uint64_t came = 0, left = 0, work = 0;
    unsigned int queued[BALANCE_MAX_VCPUS] = { 0 };

    for (unsigned int p = 0; p < b->host.pcpus; p++)
        for (unsigned int i = 0; i < b->queued[p]; i++) {
            queued[b->queue[p][i]]++;
            assert_int_equal(b->vcpu[b->queue[p][i]].pcpu, p);
        }
    for (unsigned int v = 0; v < b->nr_vcpus; v++) {
        const struct balance_vcpu *c = &b->vcpu[v];

        assert_int_equal(queued[v], 1);
        assert_true(c->used + c->waited <= b->host.now);
        for (uint64_t i = 0; i < c->nr_jobs; i++) {
            came += c->job[i].work;
            left += i == c->head ? c->left : i > c->head ? c->job[i].work : 0;
            assert_int_equal(c->job[i].done == BALANCE_UNDONE, i >= c->head);
            assert_true(!i || c->job[i].at > c->job[i - 1].at);
            assert_true(c->job[i].done >= c->job[i].at + c->job[i].work);
        }
    }
    for (unsigned int i = 0; i < b->nr_vms; i++)
        work += b->vm[i].work;
    if (came != work + left)
        fail_msg("seed %llu", (unsigned long long)seed);
}

static void test_invariants(void **state)
{
    for (uint64_t seed = 100; seed < 140; seed++) {
        struct balance *b = loaded(random_workload(seed), seed);
        uint64_t random = seed, used = 0, lost = 0, work = 0;

        while (b->host.now < b->time) {
            balance_step(b);
            if (b->host.pcpus > 1 && !any(&random, 5)) {
                const unsigned int v = any(&random, b->nr_vcpus);

                balance_move(b, v, (b->vcpu[v].pcpu + 1 + any(&random, b->host.pcpus - 1)) % (unsigned)b->host.pcpus);
            }
            if (b->host.now % MILLISECS(50) == 0)
                invariants(b, seed);
        }
        for (unsigned int v = 0; v < b->nr_vcpus; v++)
            used += b->vcpu[v].used;
        for (unsigned int i = 0; i < b->nr_vms; i++) {
            work += b->vm[i].work;
            lost += b->vm[i].lost;
        }
        assert_int_equal(used, work + lost);
        assert_true(used <= b->host.pcpus * b->host.now);
        balance_free(b);
    }
}

/* The examples: what they are for, the same twice, another seed otherwise; the chart is there. */
static void test_examples(void **state)
{
    static const char *const about[] = { "docs/examples/kit/uneven.txt", "docs/examples/kit/flutter.txt",
                                         "docs/examples/kit/nodes.txt" };
    double p99[3][3], moves[3][3], lost[3][3]; /* by workload, and: greedy, steady, still */
    char *one, *two;

    for (unsigned int i = 0; i < 3; i++) {
        static const char *const policies[] = { "docs/examples/kit/greedy.c", "docs/examples/kit/steady.c",
                                                "docs/examples/kit/still.c" };

        if (!build(policies[i], 0))
            skip();
        for (unsigned int w = 0; w < 3; w++) {
            assert_int_equal(KIT("balance", "--policy", path("p.so"), "--workload", about[w], "--json"), 0);
            p99[w][i] = figure("p99", "");
            moves[w][i] = figure("migrations", "");
            lost[w][i] = figure("lost", "");
        }
    }
    assert_true(p99[0][2] > 3 * p99[0][1] && p99[0][1] > 3 * p99[0][0]);       /* who waits until it lasts is late */
    assert_true(moves[1][0] > 5 * moves[1][1] && p99[1][0] > 1.1 * p99[1][1]); /* who does not runs after noise */
    assert_true(lost[2][0] > 1.5 * lost[2][1] && p99[2][2] > 10 * p99[2][1]);
    assert_int_equal(KIT("balance", "--policy", path("p.so"), "--workload", about[2], "--json", "--svg", path("svg")),
                     0);
    assert_true(in_file("svg", "pCPU 3, n1</text>"));
    one = file_read("out");
    assert_int_equal(KIT("balance", "--policy", path("p.so"), "--workload", about[2], "--json"), 0);
    two = file_read("out");
    assert_string_equal(one, two);
    free(two);
    assert_int_equal(KIT("balance", "--policy", path("p.so"), "--workload", about[2], "--json", "--seed", "2"), 0);
    two = file_read("out");
    assert_string_not_equal(one, two);
    free(one);
    free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),  cmocka_unit_test(test_mistakes),   cmocka_unit_test(test_figures),
        cmocka_unit_test(test_random),  cmocka_unit_test(test_invariants), cmocka_unit_test(test_examples),
        cmocka_unit_test(test_columns),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
