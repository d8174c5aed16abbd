// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Policies of one's own: what they get, and what is said of those that go wrong (bad_policy.c).
 */
#include "command.h"

static void test_policy_of_ones_own(void **state)
{
    if (!build("docs/examples/sched/lottery.c", 0))
        skip();
    file_write("w", "time 2s\ndomain a weight=256 : compute forever\ndomain b weight=512 : compute 3ms, sleep 1ms\n");
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w")), 0);
    assert_in_file("out", "Lottery Scheduler");
}

/* "./mine.so,param=3": `set` gets them; what it does not take is said. */
static void test_parameters_of_ones_own(void **state)
{
    static const struct {
        const char *params, *message; /* NULL: fine */
    } cases[] = {
        { ",tslice_ms=1", NULL },
        { ",tslice_ms=1,tslice_ms=1000", NULL },
        { ",tslice_ms=0", "policy.so: its `set` refuses tslice_ms=0: Invalid argument" },
        { ",tslice_ms=-3", "refuses tslice_ms=-3" },
        { ",tslice=5", "policy.so: its `set` knows no parameter \"tslice\"" },
        { ",tslice_ms", "expected PARAM=NUMBER, got \"tslice_ms\"" },
        { ",tslice_ms=", "expected PARAM=NUMBER, got \"tslice_ms=\"" },
        { ",tslice_ms=x", "expected PARAM=NUMBER, got \"tslice_ms=x\"" },
        { ",tslice_ms=5x", "expected PARAM=NUMBER, got \"tslice_ms=5x\"" },
        { ",tslice_ms=99999999999999999999", "expected PARAM=NUMBER" },
        { ",=5", "expected PARAM=NUMBER, got \"=5\"" },
        { ",", "expected PARAM=NUMBER, got \"\"" },
        { ",tslice_ms=5,", "expected PARAM=NUMBER, got \"\"" },
    };
    char *ten, *one, policy[128];

    if (!build("docs/examples/sched/lottery.c", 0))
        skip();
    file_write("w", "domain a vcpus=2 : compute forever\n");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(policy, sizeof(policy), "%s%s", path("policy.so"), cases[i].params);
        assert_int_equal(WORKBENCH("--policy", policy, "--workload", path("w")), cases[i].message ? 1 : 0);
        if (cases[i].message)
            assert_in_file("err", cases[i].message);
    }
    /* They arrive. */
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--json"), 0);
    ten = file_read("out");
    snprintf(policy, sizeof(policy), "%s,tslice_ms=1", path("policy.so"));
    assert_int_equal(WORKBENCH("--policy", policy, "--workload", path("w"), "--json"), 0);
    one = file_read("out");
    assert_non_null(strstr(ten, "\"decisions\":101,"));
    assert_non_null(strstr(one, "\"decisions\":1001,"));
    free(ten);
    free(one);
    assert_true(build("tests/sched/bad_policy.c", 0));
    assert_int_equal(WORKBENCH("--policy", policy, "--workload", path("w")), 1);
    assert_in_file("err", "it takes no parameters: its xenlab_sched_ops has no `set`");
}

/* Periods and budgets reach it, of each vCPU; whom it refuses is not started, and that is a result. */
static void test_admission(void **state)
{
    if (!build("tests/sched/bad_policy.c", 36))
        skip();
    file_write("w", "domain a vcpus=2 period=20ms budget=5ms extratime=1 : compute 5ms, period 20ms\n"
                    "domain b period=20ms budget=11ms : compute 5ms, period 20ms\ndomain c : compute 1ms, sleep 1ms\n");
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w")), 0);
    assert_in_file("err", "policy| vCPU 0: 5000 of 20000 us, flags 1\npolicy| vCPU 1: 5000 of 20000 us, flags 1\n"
                          "policy| vCPU 0: 11000 of 20000 us, flags 0\n");
    assert_in_file("out", "refused           b: No space left on device; it was not started\n");
    assert_in_file("out", "b.0                     256     0     0.00     0.00        0");
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--json"), 0);
    assert_in_file("out", "{\"name\":\"b\",\"weight\":256,\"cap\":0,\"refused\":-28,\"started\":false,");
    assert_in_file("out", "{\"name\":\"a\",\"weight\":256,\"cap\":0,\"refused\":0,\"started\":true,");
    /* One that knows no periods is asked, and may say so. */
    assert_true(build("docs/examples/sched/lottery.c", 0));
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--json"), 0);
    assert_in_file("out", "{\"name\":\"b\",\"weight\":256,\"cap\":0,\"refused\":0,\"started\":true,");
}

/* What a policy prints is seen, even if it crashes then, and is no part of the report. */
static void test_policy_that_prints(void **state)
{
    char *out;

    file_write("w", "domain a : compute 1ms, sleep 1ms\n");
    if (!build("tests/sched/bad_policy.c", 33))
        skip();
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--json"), 0);
    assert_in_file("err", "woken: d0v0\n");
    out = file_read("out");
    assert_true(!strncmp(out, "{\"policy\":\"bad\"", 15) && !strstr(out, "woken") && !strstr(out, "{\n"));
    free(out);
    /* A report that gets lost is no success. */
    assert_int_equal(workbench_to("/dev/full", ARGS("--policy", path("policy.so"), "--workload", path("w"))), 1);
    assert_in_file("err", "standard output: No space left on device");
    assert_int_equal(workbench_to("/dev/full", ARGS("--policy", "rr", "--workload", path("w"))), 1);
    assert_in_file("err", "standard output: No space left on device");
    assert_true(build("tests/sched/bad_policy.c", 34));
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w")), 2);
    assert_in_file("err", "last words\n");
}

/* The example with one line changed, as it would look if that had been forgotten. */
static bool build_without(const char *line, const char *instead)
{
    char *text = calloc(1, 1 << 20), *at;
    FILE *f = fopen("docs/examples/sched/lottery.c", "r"), *out = fopen(path("policy.c"), "w");

    assert_true(text && f && out);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    at = strstr(text, line);
    assert_non_null(at);
    fprintf(out, "%.*s%s%s", (int)(at - text), text, instead, at + strlen(line));
    fclose(out);
    free(text);
    return build(path("policy.c"), 0);
}

/* The torture workload: sound policies stand it, and what an easy workload forgives is named. */
static void test_torture(void **state)
{
    static const char torture[] = "docs/examples/sched/torture.txt", *const seeds[] = { "1", "2", "3" };
    static const struct {
        const char *line, *instead, *message;
    } forgotten[] = {
        { "    .sleep = take,\n", "", "not runnable (blocked, down or paused) [domain " },
        { "    if (prev && vcpu_runnable(prev))", "    if (prev)", "not runnable (blocked, down or paused) [domain " },
        { "        if (!(vcpu_cpumask(t->v) >> cpu & 1))", "        if (0)",
          "whose hard affinity does not hold this pCPU [domain " },
        { "    if (v->is_running)\n        return;\n", "", "" }, /* whatever comes of it */
    };

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
        for (size_t s = 0; s < ARRAY_SIZE(seeds); s++)
            assert_int_equal(WORKBENCH("--policy", policies[i], "--workload", torture, "--seed", seeds[s]), 0);
    if (!build("docs/examples/sched/lottery.c", 0))
        skip();
    for (size_t s = 0; s < ARRAY_SIZE(seeds); s++)
        assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", torture, "--seed", seeds[s]), 0);
    for (size_t i = 0; i < ARRAY_SIZE(forgotten); i++) {
        assert_true(build_without(forgotten[i].line, forgotten[i].instead));
        assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", torture, "--limit", "1"), 2);
#if !defined(__SANITIZE_ADDRESS__)
        assert_in_file("err", forgotten[i].message);
#endif
    }
}

/* JSON says it in the same words as the message. */
static void test_fault_in_reports(void **state)
{
    static const char who[] = "not runnable (blocked, down or paused) [domain a, vCPU 0 (d0v0), pCPU 0]";

    if (!build("tests/sched/bad_policy.c", 1))
        skip();
    file_write("w", "domain a : compute 1ms, sleep 1ms\n");
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--json"), 2);
    assert_in_file("out", who);
    assert_in_file("err", who);
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w")), 2);
    assert_in_file("out", who);
}

static void test_bad_policies(void **state)
{
    static const struct {
        int bad, rc;
        const char *message, *who;
    } cases[] = {
        { 1, 2, "not runnable", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 2, 2, "running on another pCPU", "[domain a, vCPU 0 (d0v0), pCPU 1]" },
        { 3, 2, "hard affinity", "[domain b, vCPU 0 (d1v0), pCPU 1]" },
        { 4, 2, "no vCPU", "[pCPU 0]" },
        { 5, 2, "did not return within 1 s of CPU time in do_schedule", "in do_schedule [pCPU 0], call " },
        { 6, 2, "crashed (Segmentation fault) in wake", "in wake [domain a, vCPU 0 (d0v0), pCPU 0], call " },
        { 7, 2, "ended the process (exit 0) in init", NULL },
        { 8, 2, "slice of 0 ns", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 9, 2, "slice of 0 ns", "[pCPU 0]" },
        { 10, 2, "no do_schedule", NULL },
        { 11, 2, "pick_resource returned a pCPU that does not exist", "[domain a, vCPU 0 (d0v0), pCPU 999]" },
        { 12, 2, "in wake", "in wake [domain a, vCPU 0 (d0v0), pCPU 0], call " },
        { 13, 2, "did not return within 1 s of CPU time in its constructors", NULL },
        { 14, 2, "in wake", "in wake [domain a, vCPU 0 (d0v0), pCPU 0], call " },
        { 15, 2, "ended the process (exit 99) in init", NULL },
        { 16, 2, "wake wrote to a struct vcpu", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 17, 2, "closed its connection to the workbench in wake", NULL },
        { 18, 2, "wake changed the clock", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 19, 2, "did not return within 1 s of CPU time in a timer function", NULL },
        { 20, 2, "a timer is set again and again", NULL },
        { 21, 2, "pick_resource returned a pCPU that the vCPU's hard affinity does not hold",
          "[domain b, vCPU 0 (d1v0), pCPU 1]" },
        { 22, 2, "do_schedule wrote to a struct vcpu", "[domain b, vCPU 0 (d1v0), pCPU 0]" },
        { 23, 2, "alloc_udata returned NULL",
          ": alloc_udata returned NULL: out of memory [domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 24, 0, NULL, NULL }, /* slices without end break no rule */
        { 25, 0, NULL, NULL },
        { 28, 2, "50000 times in a millisecond", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 29, 2, "wake wrote to a pCPU", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 30, 2, "wake wrote to a struct vcpu", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 31, 2, "wake gave a vCPU a processor that does not exist", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 32, 2, "wake wrote to a pCPU, or to the mask of those in its pool", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 26, 1, "another version of vcpu/sched/sched.h", NULL },
        { 27, 1, "is no `const struct sched_ops`", NULL },
    };

    file_write("w", "pcpus 2\ntime 100ms\ndomain a : compute 1ms, sleep 1ms\ndomain b hard=0 : compute 1ms, sleep 1ms\n"
                    "domain c : compute forever\n");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (!build("tests/sched/bad_policy.c", cases[i].bad))
            skip();
        assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--limit", "1"),
                         cases[i].rc);
#if !defined(__SANITIZE_ADDRESS__) /* which names crashes in its own words */
        if (cases[i].message)
            assert_in_file("err", cases[i].message);
        if (cases[i].who)
            assert_in_file("err", cases[i].who);
#endif
    }
    /* Whatever it calls itself. */
    assert_true(build("tests/sched/bad_policy.c", 0));
    assert_int_equal(
        WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--limit", "1", "--svg", path("svg")), 0);
    assert_in_file("svg", "Bad &lt;&amp;&gt; ? Scheduler");
    /* Its slices are of 1 ms, in 100 ms, on two pCPUs. */
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--decisions", "60"), 2);
    assert_in_file("err", "do_schedule was asked more often than --decisions N allows: are its slices too short?");
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--decisions", "1000"), 0);
    assert_true(build("tests/sched/bad_policy.c", 35));
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w")), 0);
    assert_in_file("out", "?[31mRound?Robin của? (r?r), 2 pCPUs");
    file_write("policy.so", "no shared object");
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w")), 1);
    assert_in_file("err", "cannot be loaded: ");
    assert_int_equal(WORKBENCH("--policy", path("missing.so"), "--workload", path("w")), 1);
    assert_int_equal(WORKBENCH("--policy", "missing.so", "--workload", path("w")), 1); /* a path without a slash */
    assert_in_file("err", "policy missing.so cannot be loaded: No such file");
    assert_int_equal(WORKBENCH("--policy", dir, "--workload", path("w")), 1);
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", dir), 1);
    assert_in_file("err", "Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_of_ones_own),
        cmocka_unit_test(test_parameters_of_ones_own),
        cmocka_unit_test(test_admission),
        cmocka_unit_test(test_policy_that_prints),
        cmocka_unit_test(test_torture),
        cmocka_unit_test(test_fault_in_reports),
        cmocka_unit_test(test_bad_policies),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
