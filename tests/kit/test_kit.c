// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab kit`: what goes wrong with an algorithm is named, and reports are this side's; mistakes in workloads and
 * options are answered; memctl's model keeps its own rules. Built with cc, as a student would; without one, skipped.
 */
#include "tests/kit/fixture.h"

#define SMALL                                                                                                          \
    "memory 1G\nreserve 64M\ntime 20s\nvm web memory=256M floor=64M max=512M : use 100M\n"                             \
    "vm db memory=256M floor=64M max=512M : use 300M\n"

/* --- algorithms that go wrong --- */

static const struct fault faults[] = {
    { 1, 2, "gave db a target of 513 MiB, more than its max, 512 MiB,@" },
    { 2, 2, "gave web a target of 18446744073709550680 MiB, more than its max" },
    { 11, 0, "" },
    { 12, 0, "" },
    { 15, 2, "stopped: has slept, or waited, for 10 s@" },
    { 40, 2, "was stopped: it made a system call which no policy needs, with signals blocked (a thread?)@" },
    { 41, 2, "was stopped: it made the system call rt_sigaction, for SIGSYS, which no policy needs@" },
    { 42, 1, " cannot be loaded: all of it held" },
    { 23, 1, "exports no `const struct memctl_ops xenlab_memctl_ops`" },
    { 24, 1, "xenlab_memctl_ops is no `const struct memctl_ops`" },
    { 25, 1, "xenlab_memctl_ops has abi 99 and size 32, where 1 and 32 are wanted" },
    { 26, 1, "has abi 1 and size 24, where 1 and 32 are wanted" },
    { 27, 1, "xenlab_memctl_ops has no name" },
    { 28, 1, "xenlab_memctl_ops has no tick" },
};

static void faults_all(void)
{
    static const char source[] = "tests/kit/bad_memctl.c", where[] = " in tick, call 4, at 3 s";

    file_write("w", SMALL);
    if (!faults_can_be_tried("memctl", source))
        skip();
    faults_tried("memctl", source, faults_of_all, ARRAY_SIZE(faults_of_all), where, "lacking", "db", 20);
    faults_tried("memctl", source, faults, ARRAY_SIZE(faults), where, "lacking", "db", 20);
}

static void test_faults(void **state) { faults_all(); }

static void test_faults_bare(void **state)
{
    setenv("XENLAB_BWRAP", "no", 1);
    faults_all();
    unsetenv("XENLAB_BWRAP");
}

/* --- mistakes of the user's --- */

static const struct {
    const char *workload, *says;
} mistakes[] = {
    { "vm web memory=1G floor=1 max=1G use 5M\n", "w:1: a VM is \"vm NAME" },
    { "\n\nmemory lots\n", "w:3: memory: \"lots\" is no size such as 512M or 2G" },
    { "# so\ntime 1500ms\n", "w:2: time: \"1500ms\" is no time of whole seconds" },
    { "time 0s\n", "w:1: time: \"0s\" is no time of whole seconds" },
    { "time 5h\n", "w:1: time: \"5h\" is no time of whole seconds" },
    { "speed 5M\n", "w:1: \"speed\" is no statement: memory, reserve, rate, swap, time, vm and expect are" },
    { "vm : use 5M\n", "w:1: a VM needs a name" },
    { "vm a memory=5M : use 5M\nvm a memory=5M : use 5M\n", "w:2: there is a VM a already" },
    { "vm a memory=5M roof=2M : use 5M\n", "w:1: a VM has memory=, floor= and max=, not \"roof\"" },
    { "vm a floor=5M : use 5M\n", "w:1: a: how much memory= has it at the beginning?" },
    { "vm a memory=5M floor=6M : use 5M\n", "w:1: a: floor <= memory <= max does not hold" },
    { "vm a memory=5M : use 6M\n", "w:1: a: a working set of more than its max, 5M" },
    { "vm a memory=5M : eat 5M\n", "w:1: a step is \"use" },
    { "vm a memory=5M : use 5M, use 4M\n", "w:1: only a program's last step may be without a time" },
    { "vm a memory=5M : grow 2M..4M\n", "w:1: grow needs a range and a time" },
    { "vm a memory=5M : use 4M..2M\n", "w:1: use: the range ends before it begins" },
    { "vm a memory=5M : use 4M for\n", "w:1: a step is \"use" },
    { "vm a memory=5M : use 4M for 3s now\n", "w:1: a step is \"use" },
    { "memory 1G\n", "w:1: there is no VM" },
    { "", "w:1: there is no VM" },
    { "memory 1G\nreserve 2G\nvm a memory=1G : use 1M\n", "w:3: a reserve of 2048M, and the host's memory is 1024M" },
    { "memory 1G\nvm a memory=2G : use 1M\n", "w:2: VMs have 2048M in all at the beginning, and the host's memory is" },
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        file_write("w", mistakes[i].workload);
        assert_int_equal(KIT("memctl", "--policy", "/nowhere.so", "--workload", path("w")), 1);
        assert_true(in_file("err", mistakes[i].says));
    }
    file_write("w", SMALL);
    assert_int_equal(KIT("memctl", "--policy", "/nowhere.so", "--workload", path("w")), 1);
    assert_true(in_file("err", "policy /nowhere.so cannot be loaded: No such file"));
    assert_int_equal(KIT("memctl", "--policy", "/nowhere.so", "--workload", path("nothing")), 1);
    assert_true(in_file("err", "cannot read"));
    assert_int_equal(KIT("memctl", "--policy", "/nowhere.so", "--workload", path("w"), "--svg", path("w")), 1);
    assert_true(in_file("err", "is the workload: it would be overwritten"));
}

static void test_options(void **state)
{
    assert_int_equal(KIT("memctrl"), 1);
    assert_true(in_file("err", "there is no kit \"memctrl\"; did you mean memctl?"));
    assert_int_equal(KIT("memctl"), 1);
    assert_true(in_file("err", "which policy? --policy ./POLICY.so"));
    assert_int_equal(KIT("memctl", "--policy", "x.so"), 1);
    assert_true(in_file("err", "which workload? --workload FILE, such as docs/examples/kit/phases.txt"));
    assert_int_equal(KIT("memctl", "--polycy", "x.so"), 1);
    assert_true(in_file("err", "there is no option --polycy; did you mean --policy?"));
    assert_int_equal(KIT("memctl", "--policy", "x.so", "--workload", "w", "--seed", "many"), 1);
    assert_true(in_file("err", "--seed: \"many\" is no number"));
    assert_int_equal(KIT("memctl", "--policy", "x.so", "--workload", "w", "--limit=0"), 1);
    assert_true(in_file("err", "--limit: \"0\" is no number from 1 to 3600"));
    assert_int_equal(KIT("memctl", "--json=yes"), 1);
    assert_true(in_file("err", "--json takes no value"));
    assert_int_equal(KIT("memctl", "--workload"), 1);
    assert_true(in_file("err", "--workload needs a value: --workload FILE"));
    assert_int_equal(KIT("memctl", "w"), 1);
    assert_true(in_file("err", "\"w\" belongs to no option"));
    assert_int_equal(KIT("memctl", "--help"), 0);
    assert_true(in_file("out", "oscillations"));
    assert_int_equal(KIT("--help"), 0);
    assert_true(in_file("out", "memctl"));
}

/* --- memctl's model --- */

/* As the header says it, in a case that can be reckoned by hand: nothing moves. */
static void test_still(void **state)
{
    if (!build("docs/examples/kit/still.c", 0))
        skip();
    file_write("w", SMALL);
    assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("faults", "db"), 20 * 32 * 256); /* 44 MiB are lacking, and the device reads 32 a second */
    assert_int_equal(figure("swaps", "db"), 20 * 32);
    assert_int_equal(figure("lacking", ""), 20);
    assert_int_equal(figure("unused", "web"), 156);
    assert_int_equal(figure("moved", ""), 0);
    assert_int_equal(figure("free", ""), 512);
    assert_int_equal(figure("drained", ""), 0);
}

static const char sink[] = "#include \"xenlab/kit.h\"\n"
                           "static void tick(void *s, const struct mem_host *h, const struct vm_mem *v, size_t n,\n"
                           "                 uint64_t *target)\n"
                           "{ target[0] = h->now < 10 ? 10 : 200; target[1] = v[1].max; }\n"
                           "const struct memctl_ops xenlab_memctl_ops =\n"
                           "    { { XENLAB_KIT_ABI, sizeof(struct memctl_ops), \"sink\", 0 }, tick };\n";

/* Below the floor, a turn, the reserve, and the speed of balloons: by hand again. */
static void test_moves(void **state)
{
    file_write("p.c", sink);
    if (!build(path("p.c"), 0))
        skip();
    file_write("w", SMALL);
    assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    /* web: 256, 192, 128, 100 (28 + its device: 96), 64, 32, 10 (floor 64), and from 10 s on 64 a second up to 200 */
    assert_int_equal(figure("below", "web"), 6);
    assert_int_equal(figure("oscillations", "web"), 1);
    assert_int_equal(figure("oscillations", "db"), 0);
    assert_int_equal(figure("lacking", "db"), 1);
    assert_int_equal(figure("settled", ""), 12);
    assert_int_equal(figure("moved", ""), 256 - 10 + 190 + 256);
    assert_int_equal(figure("free", ""), 1024 - 200 - 512);
    assert_int_equal(figure("drained", ""), 0);
    file_write("w", "memory 600M\nreserve 64M\ntime 20s\nvm web memory=256M floor=64M max=512M : use 200M\n"
                    "vm db memory=256M floor=64M max=512M : use 300M\n");
    assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_true(figure("drained", "") > 0);
    assert_true(figure("swaps", "web") > 0); /* its balloon made it write */
}

/* The same run twice is the same; another seed is not; the chart and the table are there. */
static void test_same(void **state)
{
    char *one, *two;

    if (!build("docs/examples/kit/even.c", 0))
        skip();
    assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", "docs/examples/kit/noise.txt"), 0);
    one = file_read("out");
    assert_non_null(strstr(one, "oscillations"));
    assert_int_equal(
        KIT("memctl", "--policy", path("p.so"), "--workload", "docs/examples/kit/noise.txt", "--svg", path("svg")), 0);
    two = file_read("out");
    assert_string_equal(one, two);
    free(two);
    assert_int_equal(
        KIT("memctl", "--policy", path("p.so"), "--workload", "docs/examples/kit/noise.txt", "--seed", "2"), 0);
    two = file_read("out");
    assert_string_not_equal(one, two);
    assert_true(in_file("svg", "three</text>"));
    free(one);
    free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),  cmocka_unit_test(test_faults_bare), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_options), cmocka_unit_test(test_still),       cmocka_unit_test(test_moves),
        cmocka_unit_test(test_same),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
