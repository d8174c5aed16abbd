// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench as a user meets it: reports, and mistakes on the command line and in workloads.
 */
#include "command.h"

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
        { "domain a : compute", ":1: compute: how long? Such as compute 3ms, or 1ms..3ms" },
        { "domain a : compute 5", ":1: compute: \"5\" has no unit (ns, us, ms, s or m), such as 5ms" },
        { "domain a : compute 2ms..1ms", ":1: compute 2ms..1ms: the range goes from more to less" },
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
        { "domain a : compute 1ms\nat 1s pause b", ":2: pause b: there is no such domain or vCPU (domains so far: a)" },
        { "domain a : compute 1ms\nvcpu a.1 hard=0", ":2: vcpu a.1: domain a has no such vCPU; it has a.0 only" },
        { "pcpus 17\ndomain a : compute 1ms", "pcpus must be 1 to 16" },
        { "time forever\ndomain a : compute 1ms", "\"forever\" is no time such as 500us" },
        { "frobnicate", "unknown word" },
        { "domain a vcpus=10000 count=10000 : compute 1ms", "too many" },
        { "domain a vcpus=-1 : compute 1ms", ":1: vcpus=-1" },
        { "domain a234567890123456789012345 : compute 1ms", ":1: a domain needs a name" },
        { "domain a : compute 1ms,", ":1: a step is missing" },
        { "domain a : compute 0ms", "takes time" },
        { "domain a : compute 1e3ms", "\"1e3ms\" is no time such as 500us" },
        { "domain a : block, wake a", "takes time" },
        { "pcpus 2x\ndomain a : compute 1ms", ":1: pcpus must be 1 to 16" },
        { "pcpus 4294967297\ndomain a : compute 1ms", ":1: pcpus must be 1 to 16" },
        { "pcpus\ndomain a : compute 1ms", ":1: pcpus must be 1 to 16" },
        { "time 0s\ndomain a : compute 1ms", ":1: \"0s\": must be above 0" },
        { "domain a : compute 1ms\nset tslice_ms 5x", ":2: set tslice_ms: \"5x\" is no number; expected: set" },
        { "domain a : compute 1ms\nset tslice 5",
          ":2: no policy has a parameter \"tslice\"; did you mean tslice_ms? (there are: tslice_ms, " },
        { "domain a : compute 1ms\nslot a 0ms", ":2: slot a: \"0ms\": must be above 0" },
        { "domain a : compute 1ms\nframe 0ms", ":2: \"0ms\": must be above 0" },
        { "domain a : compute 1ms\nvcpu a.x hard=0", ":2: vcpu a.x: domain a has no such vCPU" },
        { "domain a : compute 1ms\nvcpu a.4294967296 hard=0", ":2: vcpu a.4294967296: domain a has no such vCPU" },
        { "domain a : compute 1ms\nvcpu a.0 weight=3", ":2: a single vCPU has" },
        { "domain b : compute 1ms\n\ndomain a : compute 1ms, wake b.1",
          ":3: wake b.1: domain b has no such vCPU; it has b.0 only" },
        { "domain a : compute 1ms\nat 1s pause a.0", ":2: pause a.0: it concerns a whole domain: expected a, without" },
        { "domain a : compute 1ms\nat 1s weight a 5x", ":2: expected: at TIME weight" },
        { "domain a : compute 1ms\nat 1s weight a 5 6", ":2: expected: at TIME" },
        { "domain a : compute 1ms\nat 1s hard a 3", ":2: hard affinity holds none" },
        { "domain a : compute 5h", "\"5h\": the units are ns, us, ms, s and m" },
        { "domain a : compute 1..2ms", "\"1\" has no unit" },
        { "domain a : compute 1ms..2", "\"2\" has no unit" },
        { "domain a : compute 99999999999s", "longer than 28 years" },
        { "domain a : sleeep 5ms", "\"sleeep\" is no step; did you mean sleep? (steps are: compute TIME," },
        { "domain a : \\\n compute 1ms, \\\n  sleeep 5ms", ":1: \"sleeep\" is no step" },
        { "domain a : \\\n compute 1ms\nvcpu a.x hard=0", ":3: vcpu a.x: domain a has no such vCPU" },
        { "domain a : compute 1ms, \\", "\"\\\" is no step" },
        { "domain a : block 5ms", "for a time it is: sleep 5ms" },
        { "domain a : yield 1", "yield takes nothing behind it, but has \"1\"" },
        { "domain a : wake", "wake: whom?" },
        { "domain a : period 0ms", "period: \"0ms\": must be above 0" },
        { "domain a : period 1ms..2ms", "a period is one time" },
        { "domain a : compute 1ms,,sleep 1ms", "a step is missing before a comma" },
        { "domain a : compute 1ms sleep 2ms", "a comma follows" },
        { "domain a wieght=3 : compute 1ms", "there is no \"wieght=\"; did you mean weight?" },
        { "domain a hard=16 : compute 1ms", "hard=16: expected pCPUs of 0 to 15" },
        { "domain a period=5 : compute 1ms", "period=\"5\" has no unit" },
        { "domain a budget=1ns : compute 1ms", "budget=\"1ns\": must be 1us at least" },
        { "domain a period=5000s : compute 1ms", "period=5000s: must be 4000s at most" },
        { "domain web : compute 1ms\nat 1s pause wbe",
          ":2: pause wbe: there is no such domain or vCPU; did you mean web? (domains so far: web)" },
        { "domain web vcpus=4 : compute 1ms\nvcpu web.7 hard=0",
          ":2: vcpu web.7: domain web has no such vCPU; it has web.0 to web.3" },
        { "vcpu web.0 hard=0", ":1: vcpu web.0: there is no such domain or vCPU (no domain line came before)" },
        { "domain a : compute 1ms\nvcpu a hard=0", ":2: expected: vcpu DOMAIN.NUMBER" },
        { "domain a : compute 1ms\nslot b 10ms", ":2: slot b: there is no such domain" },
        { "domain a : compute 1ms\nslot a 10", ":2: slot a: \"10\" has no unit" },
        { "domain web count=40 : compute 1ms, wake webb", "did you mean web0? (domains so far: web0, web1, web2," },
        { "domain a : compute 1ms\nat 5 pause a", "\"5\" has no unit" },
        { "domain a : compute 1ms\nat 1s puase a", "got \"puase\"; did you mean pause?" },
        { "domain a : compute 1ms\nat 1s unplug 7", "unplug 7: there is no such pCPU: this machine has 0 to 0" },
        { "domain a : compute 1ms\nat 1s unplug", ":2: expected: at TIME unplug PCPU" },
        { "domain a : compute 1ms\nat 1s weight a", ":2: expected: at TIME weight DOMAIN NUMBER" },
        { "domain a : compute 1ms\nat 1s hard a 77", "pCPUs are 0 to 15" },
        { "time 5\ndomain a : compute 1ms", ":1: \"5\" has no unit" },
        { "time 5ms 6ms\ndomain a : compute 1ms", ":1: expected one time" },
        { "switch-cost 5\ndomain a : compute 1ms", ":1: \"5\" has no unit" },
        { "doman a : compute 1ms", "unknown word \"doman\"; did you mean domain?" },
        { "pcpu 3", "did you mean pcpus?" },
        { "swi 3us", "did you mean switch-cost?" },
        { "domain a wei=3 : compute 1ms", "there is no \"wei=\"; did you mean weight?" },
        { "domain a : comp 5ms", "did you mean compute?" },
        { "domain web : compute 1ms\nat 1s unp web", "got \"unp\"\n" },
        { "domain web : compute 1ms\nat 1s unpl 0", "got \"unpl\"; did you mean unplug?" },
        { "domain a : compute 1ms\nset tslice_ms 5000", ":2: the policy refuses tslice_ms=5000: expected 1 to 1000" },
        { "domain a : compute 1ms\nat 1ms unplug 0", ":2: at 1 ms: unplug 0 cannot be done: it is the last pCPU" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        file_write("w", wrong[i].text);
        assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w")), 1);
        assert_in_file("err", wrong[i].message);
    }
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("missing")), 1);
}

/* Every mistake on the command line is answered with what would be right. */
static void test_wrong_arguments(void **state)
{
    static const struct {
        const char *args[4], *message;
    } wrong[] = {
        { { NULL }, "which policy? --policy credit, credit2, " },
        { { "--policy", "rr" }, "which workload? --workload FILE" },
        { { "--polcy", "rr" }, "there is no option --polcy; did you mean --policy?" },
        { { "--polcy=rr" }, "there is no option --polcy; did you mean --policy?" },
        { { "--pol=rr" }, "there is no option --pol; did you mean --policy?" },
        { { "--work=w" }, "there is no option --work; did you mean --workload?" },
        { { "--pcp=2" }, "there is no option --pcp; did you mean --pcpus?" },
        { { "--tim=2s" }, "there is no option --tim; did you mean --time?" },
        { { "--jso" }, "there is no option --jso; did you mean --json?" },
        { { "--win=1ms..2ms" }, "there is no option --win; did you mean --window?" },
        { { "--lim=5" }, "there is no option --lim; did you mean --limit?" },
        { { "--ben" }, "there is no option --ben; did you mean --bench?" },
        { { "--hel" }, "there is no option --hel; did you mean --help?" },
        { { "--colour" }, "there is no option --colour (see: xenlab sched --help)" },
        { { "-x" }, "there is no option -x (see: xenlab sched --help)" },
        { { "w.txt" }, "\"w.txt\" belongs to no option; a workload is named by --workload FILE" },
        { { "--policy" }, "--policy needs a value: --policy NAME|" },
        { { "--policy=" }, "--policy: the value is empty" },
        { { "--json=1" }, "--json takes no value" },
        { { "--pcpus", "17" }, "--pcpus: \"17\" is no number from 1 to 16" },
        { { "--pcpus", "0" }, "--pcpus: \"0\" is no number from 1 to 16" },
        { { "--limit", "x" }, "--limit: \"x\" is no time from 1 to 3600 seconds, such as 5, 5s or 2m" },
        { { "--decisions", "0" }, "--decisions: \"0\" is no number from 1 to " },
        { { "--seed", "-1" }, "--seed: \"-1\" is no number" },
        { { "--seed", "99999999999999999999" }, "is no number" },
        { { "--time", "5" }, "--time: \"5\" has no unit (ns, us, ms, s or m), such as 5ms" },
        { { "--time", "0s" }, "--time: \"0s\": must be above 0" },
        { { "--window", "5ms" }, "--window: \"5ms\" is no window such as 0ms..200ms" },
        { { "--window", "5..6ms" }, "--window: \"5\" has no unit" },
        { { "--window", "5ms..6" }, "--window: \"6\" has no unit" },
        { { "--window", "6ms..5ms" }, "--window: it ends before it begins" },
        { { "--bench", "--json" }, "--bench measures all policies with workloads of its own" },
        { { "--policy=rr", "--workload=w", "--window=1ms..2ms" }, "it needs --svg FILE" },
        { { "--policy=nonsense", "--workload=docs/examples/sched/weights.txt" },
          "there is no scheduler \"nonsense\" (there are: credit, " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_int_equal(workbench_to(path("out"), wrong[i].args), 1);
        assert_in_file("err", wrong[i].message);
    }
    file_write("w", "domain a : compute 1ms");
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--time=1ms", "--pcpus=2", "--json"), 0);
    assert_in_file("out", "\"pcpus\":2,");
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
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w")), 0);
    assert_in_file("out", "refused           a: Invalid argument; it was not started\n");
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w"), "--json"), 0);
    assert_in_file("out", "\"refused\":-22,\"started\":false,");
    file_write("w", "domain a : compute 1ms\nat 1ms cap a 101");
    assert_int_equal(WORKBENCH("--policy", "credit", "--workload", path("w")), 0);
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w")), 0);
    assert_in_file("out", "refused           a: Invalid argument; it goes on with what it had\n");
    /* Who was kept out comes in when the policy takes him. */
    file_write("w", "domain a cap=101 : compute 1ms\nat 1ms cap a 100");
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w"), "--json"), 0);
    assert_in_file("out", "\"refused\":0,\"started\":true,");
    assert_in_file("out", "\"share\":99.9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_wrong_workloads),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_odd_workloads),
        cmocka_unit_test(test_caps_that_credit2_refuses),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
