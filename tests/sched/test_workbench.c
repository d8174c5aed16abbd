// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench as a user meets it: reports, mistakes in workloads, and policies that go wrong.
 *
 * Policies are built here with cc, as a student would; without a compiler those tests are skipped.
 */
#include "common.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tools/workbench.h"

static char dir[] = "build/workbench-XXXXXX";

static const char *path(const char *name)
{
    static char buf[8][64];
    static unsigned int next;
    char *p = buf[next++ % 8];

    snprintf(p, sizeof(buf[0]), "%s/%s", dir, name);
    return p;
}

static void file_write(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static char *file_read(const char *name)
{
    FILE *f = fopen(path(name), "r");
    char *text = calloc(1, 1 << 20);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) < (1 << 20) - 1);
    fclose(f);
    return text;
}

/* Run the command; what it prints goes to the file of that path, and to the file err. */
static int workbench_to(const char *to, const char *const *args)
{
    char *argv[20] = { (char *)(uintptr_t) "sched" };
    int argc = 1, out, err, rc;

    while (*args)
        argv[argc++] = (char *)(uintptr_t)*args++;
    fflush(NULL);
    out = dup(1);
    err = dup(2);
    assert_non_null(freopen(to, "w", stdout));
    assert_non_null(freopen(path("err"), "w", stderr));
    rc = workbench_main(argc, argv);
    fflush(NULL);
    clearerr(stdout);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    return rc;
}

#define ARGS(...)                                                                                                      \
    (const char *const[]) { __VA_ARGS__, NULL }
#define WORKBENCH(...) workbench_to(path("out"), ARGS(__VA_ARGS__))

static void assert_in_file(const char *name, const char *text)
{
    char *content = file_read(name);

    if (!strstr(content, text))
        fail_msg("\"%s\" is not in: %s", text, content);
    free(content);
}

static void test_reports(void **state)
{
    char *a, *b;

    file_write("w", "pcpus 2\ntime 1s\ndomain a vcpus=2 weight=512 : compute forever\n"
                    "domain b : compute 1ms..2ms, sleep 3ms..9ms # random\n");
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w"), "--svg", path("svg")), 0);
    assert_in_file("out", "a.1");
    assert_in_file("out", "fairness error");
    assert_in_file("svg", "</svg>");

    /* The same inputs give the same output; another seed another. */
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w"), "--json"), 0);
    a = file_read("out");
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w"), "--json"), 0);
    b = file_read("out");
    assert_string_equal(a, b);
    free(b);
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w"), "--json", "--seed", "2"), 0);
    b = file_read("out");
    assert_string_not_equal(a, b);
    free(a);
    free(b);
}

static void test_wrong_workloads(void **state)
{
    static const struct {
        const char *text, *message;
    } wrong[] = {
        { "", "no domain" },
        { "domain a compute 1ms", "expected: domain NAME" },
        { "domain a : compute", "is no step" },
        { "domain a : compute 5", "is no step" },
        { "domain a : compute 2ms..1ms", "is no step" },
        { "domain a : block, yield", "takes time" },
        { "domain a : ", "the program is empty" },
        { "domain a weight=0 : compute 1ms", "weight=0" },
        { "domain a weight=70000 : compute 1ms", "weight=70000" },
        { "domain a hard=2 : compute 1ms", "hard affinity" },
        { "domain a hard=3-1 : compute 1ms", "hard=3-1" },
        { "domain a colour=red : compute 1ms", "colour" },
        { "domain a<b : compute 1ms", "needs a name" },
        { "domain a : compute 1ms\ndomain a : compute 1ms", ":2: domain a exists" },
        { "domain a : compute 1ms, wake b", "no such domain" },
        { "domain a : compute 1ms\nat 1s explode a", ":2: expected: at TIME" },
        { "domain a : compute 1ms\nat 1s pause b", "expected: at TIME" },
        { "domain a : compute 1ms\nvcpu a.1 hard=0", "expected: vcpu" },
        { "pcpus 17\ndomain a : compute 1ms", "pcpus must be 1 to 16" },
        { "time forever\ndomain a : compute 1ms", "expected a time" },
        { "frobnicate", "unknown word" },
        { "domain a vcpus=10000 count=10000 : compute 1ms", "too many" },
        { "domain a vcpus=-1 : compute 1ms", ":1: vcpus=-1" },
        { "domain a234567890123456789012345 : compute 1ms", ":1: a domain needs a name" },
        { "domain a : compute 1ms,", ":1: a step is missing" },
        { "domain a : compute 0ms", "takes time" },
        { "domain a : compute 1e3ms", "is no step" },
        { "domain a : block, wake a", "takes time" },
        { "pcpus 2x\ndomain a : compute 1ms", ":1: pcpus must be 1 to 16" },
        { "pcpus 4294967297\ndomain a : compute 1ms", ":1: pcpus must be 1 to 16" },
        { "pcpus\ndomain a : compute 1ms", ":1: pcpus must be 1 to 16" },
        { "time 0s\ndomain a : compute 1ms", ":1: expected a time above 0" },
        { "domain a : compute 1ms\nset tslice_ms 5x", ":2: expected: set" },
        { "domain a : compute 1ms\nset tslice 5", ":2: no policy has a parameter 'tslice'" },
        { "domain a : compute 1ms\nslot a 0ms", ":2: expected: slot" },
        { "domain a : compute 1ms\nframe 0ms", ":2: expected a time above 0" },
        { "domain a : compute 1ms\nvcpu a.x hard=0", ":2: expected: vcpu" },
        { "domain a : compute 1ms\nvcpu a.4294967296 hard=0", ":2: expected: vcpu" },
        { "domain a : compute 1ms\nvcpu a.0 weight=3", ":2: a single vCPU has" },
        { "domain b : compute 1ms\n\ndomain a : compute 1ms, wake b.1", ":3: wake b.1: there is no such" },
        { "domain a : compute 1ms\nat 1s pause a.0", ":2: expected: at TIME pause" },
        { "domain a : compute 1ms\nat 1s weight a 5x", ":2: expected: at TIME weight" },
        { "domain a : compute 1ms\nat 1s weight a 5 6", ":2: expected: at TIME" },
        { "domain a : compute 1ms\nat 1s hard a 3", ":2: hard affinity holds none" },
        { "domain a : compute 1ms\nat 1ms unplug 0", ":2: at 1 ms: unplug 0 cannot be done: it is the last pCPU" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        file_write("w", wrong[i].text);
        assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w")), 1);
        assert_in_file("err", wrong[i].message);
    }
    assert_int_equal(WORKBENCH("--policy", "nonsense", "--workload", path("w")), 1);
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("missing")), 1);
    assert_int_equal(WORKBENCH("--policy", "rr"), 1);
    assert_int_equal(WORKBENCH("--pcpus", "0"), 1);
    assert_int_equal(WORKBENCH("--policy"), 1);
}

/* What looks odd and is none the less all right. */
static void test_odd_workloads(void **state)
{
    static const char *const odd[] = {
        "domain a : block",
        "domain a : compute 0ms..1us, sleep 0ms",
        "pcpus 2 # two\n domain a vcpus=2 soft=9 : compute 290000000s",
        "domain a vcpus=66 cap=6553 weight=65535 : compute 1ms, yield, block\ntime 1ns",
        "domain a : wake b, sleep 1ms\ndomain b : block",
        "domain a : sleep 1ns\ntime 1us\nswitch-cost 10s",
        "domain a vcpus=3 : compute 1ms\nat 200000000s pause a\nat 0s unpause a\nat 0s cap a 5",
    };

    for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
        file_write("w", odd[i]);
        assert_int_equal(WORKBENCH("--policy", "credit", "--workload", path("w"), "--svg", path("svg")), 0);
        assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w"), "--json"), 0);
    }
}

/* Credit2 refuses, as Xen's does, what credit takes. */
static void test_caps_that_credit2_refuses(void **state)
{
    file_write("w", "domain a vcpus=2 cap=201 : compute 1ms");
    assert_int_equal(WORKBENCH("--policy", "credit", "--workload", path("w")), 0);
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w")), 1);
    assert_in_file("err", ":1: the policy refuses these parameters: it takes a cap of 100 at most for each vCPU");
    file_write("w", "domain a : compute 1ms\nat 1ms cap a 101");
    assert_int_equal(WORKBENCH("--policy", "credit", "--workload", path("w")), 0);
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w")), 1);
    assert_in_file("err", ":2: at 1 ms: cap a 101 cannot be done: the policy takes 100 at most for each vCPU");
}

static bool build(const char *source, int bad)
{
    char command[512];

    snprintf(command, sizeof(command), "cc -shared -fPIC -O1 -I. -D__XEN_TOOLS__ -DBAD=%d -w -o %s %s", bad,
             path("policy.so"), source);
    return system(command) == 0;
}

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
        { 5, 2, "did not return within 1 s in do_schedule", "in do_schedule [pCPU 0], call " },
        { 6, 2, "crashed (Segmentation fault) in wake", "in wake [domain a, vCPU 0 (d0v0), pCPU 0], call " },
        { 7, 2, "ended the process (exit 0) in init", NULL },
        { 8, 2, "slice of 0 ns", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 9, 2, "slice of 0 ns", "[pCPU 0]" },
        { 10, 2, "no do_schedule", NULL },
        { 11, 2, "pick_resource returned a pCPU that does not exist", "[domain a, vCPU 0 (d0v0), pCPU 999]" },
        { 12, 2, "in wake", "in wake [domain a, vCPU 0 (d0v0), pCPU 0], call " },
        { 13, 2, "did not return within 1 s in its constructors", NULL },
        { 14, 2, "in wake", "in wake [domain a, vCPU 0 (d0v0), pCPU 0], call " },
        { 15, 2, "ended the process (exit 99) in init", NULL },
        { 16, 2, "wake wrote to a struct vcpu", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 17, 2, "the report is lost", NULL },
        { 18, 2, "wake changed the clock", "[domain a, vCPU 0 (d0v0), pCPU 0]" },
        { 19, 2, "did not return within 1 s in a timer function", NULL },
        { 20, 2, "a timer is set again and again", NULL },
        { 21, 2, "pick_resource returned a pCPU that the vCPU's hard affinity does not hold",
          "[domain b, vCPU 0 (d1v0), pCPU 1]" },
        { 22, 2, "do_schedule wrote to a struct vcpu", "[domain b, vCPU 0 (d1v0), pCPU 0]" },
        { 23, 2, "alloc_udata returned NULL",
          "call 2: alloc_udata returned NULL: out of memory [domain a, vCPU 0 (d0v0), pCPU 0]" },
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
    assert_in_file("svg", "Bad ??? ? Scheduler");
    file_write("policy.so", "no shared object");
    assert_int_equal(WORKBENCH("--policy", path("policy.so"), "--workload", path("w")), 1);
    assert_in_file("err", "cannot load");
    assert_int_equal(WORKBENCH("--policy", path("missing.so"), "--workload", path("w")), 1);
    assert_int_equal(WORKBENCH("--policy", "missing.so", "--workload", path("w")), 1); /* a path without a slash */
    assert_in_file("err", "cannot load missing.so");
    assert_int_equal(WORKBENCH("--policy", dir, "--workload", path("w")), 1);
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", dir), 1);
    assert_in_file("err", "Is a directory");
}

static int setup(void **state) { return mkdtemp(dir) ? 0 : -1; }

static int teardown(void **state)
{
    static const char *const names[] = { "w", "out", "err", "svg", "policy.so" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(path(names[i]));
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_wrong_workloads),
        cmocka_unit_test(test_odd_workloads),
        cmocka_unit_test(test_caps_that_credit2_refuses),
        cmocka_unit_test(test_policy_of_ones_own),
        cmocka_unit_test(test_parameters_of_ones_own),
        cmocka_unit_test(test_policy_that_prints),
        cmocka_unit_test(test_fault_in_reports),
        cmocka_unit_test(test_bad_policies),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
