// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Here or there, it is the same policy: each built-in one, built as a shared object and asked over a socket, gives the
 * report that it gives in this process, byte for byte. Workloads are the examples, and random ones in which everything
 * happens, with few vCPUs (all are compared at each question) and with many (those that are known to have changed).
 */
#include "command.h"

#define S "vcpu/sched/"

static const struct {
    const char *name, *sources;
} builtin[] = {
    { "rr", S "rr.c" },
    { "credit", S "credit.c " S "credit_acct.c " S "credit_runq.c" },
    { "credit2", S "credit2.c " S "credit2_balance.c " S "credit2_cap.c " S "credit2_rqd.c" },
    { "rtds", S "rtds.c" },
    { "null", S "null.c" },
    { "arinc653", S "arinc653.c" },
};

static bool build_policy(size_t i)
{
    char command[1024];

    snprintf(command, sizeof(command),
             "cc -shared -fPIC -O1 -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing -I. -D__XEN_TOOLS__ "
             "-D__XEN_INTERFACE_VERSION__=0x00041100 -Dsched_%s_ops=xenlab_sched_ops -w -o %s %s",
             builtin[i].name, path("policy.so"), builtin[i].sources);
    return system(command) == 0;
}

static void compare(const char *name, const char *workload, const char *seed, const char *pcpus)
{
    int rc[2];
    char *here, *there;

    rc[0] = WORKBENCH("--policy", name, "--workload", workload, "--seed", seed, "--pcpus", pcpus, "--json");
    here = file_read("out");
    rc[1] =
        WORKBENCH("--policy", path("policy.so"), "--workload", workload, "--seed", seed, "--pcpus", pcpus, "--json");
    there = file_read("out");
    if (rc[0] != rc[1] || strcmp(here, there)) {
        there = file_read("err");
        fail_msg("%s, %s, seed %s, %s pCPUs: another report than here (status %d and %d): %s", name, workload, seed,
                 pcpus, rc[0], rc[1], there);
    }
    free(here);
    free(there);
}

/* A sanitizer's are fewer: each takes a second. */
#ifdef __SANITIZE_ADDRESS__
#define SOME(nr)  (((nr) + 4) / 5)
#define SOME_STEP 3
#else
#define SOME(nr)  (nr)
#define SOME_STEP 1
#endif
static void test_examples(void **state)
{
    static const char *const workloads[] = { "arinc653", "caps",     "crowd",   "hotplug",
                                             "pingpong", "realtime", "torture", "weights" },
                             *const pcpus[] = { "2", "4" };
    char file[64];

    for (size_t p = 0; p < ARRAY_SIZE(builtin); p++) {
        if (!build_policy(p))
            skip();
        for (size_t w = p % SOME_STEP; w < ARRAY_SIZE(workloads); w += SOME_STEP)
            for (size_t c = 0; c < SOME(ARRAY_SIZE(pcpus)); c++) {
                snprintf(file, sizeof(file), "docs/examples/sched/%s.txt", workloads[w]);
                compare(builtin[p].name, file, c ? "7" : "1", pcpus[c]);
            }
    }
}

static uint32_t x;
static unsigned int dice(unsigned int n)
{
    x = x * 1664525 + 1013904223;
    return (x >> 8) % n;
}

/* A workload in which domains of all sorts are paused, pinned, capped, and pCPUs come and go. */
static void workload_write(unsigned int seed, unsigned int domains, unsigned int vcpus)
{
    FILE *f = fopen(path("w"), "w");

    assert_non_null(f);
    x = seed * 2654435761u + 1;
    fprintf(f, "pcpus 4\ntime %ums\nswitch-cost %uus\n", domains * vcpus > 100 ? 60 : 300, dice(3));
    for (unsigned int i = 0; i < domains; i++) {
        fprintf(f, "domain d%u vcpus=%u weight=%u cap=%u period=%ums budget=%ums extratime=%u hard=%s soft=%s : ", i,
                1 + dice(vcpus), 1 + dice(1000), dice(3) ? 0 : 10 + dice(90), 10 + dice(20), 1 + dice(9), dice(2),
                dice(3) ? "all" : "0-1", dice(3) ? "all" : "2");
        switch (dice(5)) {
        case 0: fprintf(f, "compute forever\n"); break;
        case 1: fprintf(f, "compute 1ms..4ms, sleep 1ms..9ms\n"); break;
        case 2: fprintf(f, "compute 2ms, period %ums\n", 10 + dice(20)); break;
        case 3: fprintf(f, "compute 100us..2ms, wake d%u, yield\n", i ? dice(i) : 0); break;
        default: fprintf(f, "compute 300us, block\n"); break;
        }
    }
    for (unsigned int i = 0; i < 12; i++) {
        const unsigned int d = dice(domains), at = dice(60);

        switch (dice(6)) {
        case 0: fprintf(f, "at %ums pause d%u\n", at, d); break;
        case 1: fprintf(f, "at %ums pause d%u\nat %ums unpause d%u\n", at, d, at + 1 + dice(9), d); break;
        case 2: fprintf(f, "at %ums weight d%u %u\n", at, d, 1 + dice(900)); break;
        case 3: fprintf(f, "at %ums hard d%u %s\n", at, d, dice(2) ? "0,2" : "all"); break;
        case 4: fprintf(f, "at %ums soft d%u %s\n", at, d, dice(2) ? "1" : "all"); break;
        default: fprintf(f, "at %ums cap d%u %u\n", at, d, dice(100)); break;
        }
    }
    fprintf(f, "at 15ms unplug 3\nat 30ms plug 3\nat 31ms unplug 1\n");
    fclose(f);
}

static void random_workloads(unsigned int nr, unsigned int domains, unsigned int vcpus)
{
    char seed[16];

    for (size_t p = 0; p < ARRAY_SIZE(builtin); p++) {
        if (!build_policy(p))
            skip();
        for (unsigned int i = 1; i <= nr; i++) {
            workload_write(i, domains, vcpus);
            snprintf(seed, sizeof(seed), "%u", i);
            compare(builtin[p].name, path("w"), seed, "4");
        }
    }
}

static void test_few(void **state) { random_workloads(SOME(15), 6, 4); }
static void test_many(void **state) { random_workloads(SOME(2), 90, 8); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
