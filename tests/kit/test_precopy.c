// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kit precopy: what goes wrong with a policy is named; mistakes in workloads are answered; its VM and its figures
 * are as the headers say, in cases that can be reckoned by hand. Built with cc, as a student would; without, skipped.
 */
#include "tests/kit/fixture.h"
#include "tools/kit/precopy.h"

/* 256 pages, 0.244140 ms each; a look takes 1 ms. */
#define SMALL "memory 1M\nlink 16M\n"

static const struct fault faults[] = {
    { 1, 2, "gave page 256, and the VM's pages are 0 to 255,@" },
    { 2, 2, "gave page 34 twice@" },
    { 11, 0, "" },
    { 12, 0, "" },
    { 16, 2, "gave page 0, which this round is not to send, or has sent,@" },
    { 17, 2, "gave 1025 pages, where 1024 are the most,@" },
    { 18, 2, "gave 18446744073709551615 pages, where 1024 are the most,@" },
    { 19, 2, "gave page 18446744073709551615, and the VM's pages are 0 to 255,@" },
    { 23, 1, "exports no `const struct precopy_ops xenlab_precopy_ops`" },
    { 25, 1, "xenlab_precopy_ops has abi 99 and size 40, where 1 and 40 are wanted" },
    { 28, 1, "xenlab_precopy_ops has no stop" },
    { 29, 1, "xenlab_precopy_ops has no order" },
};

/* init 1, stop 2, order 3, 4, and 5: behind 16 pages and a look, twice. */
static void test_faults(void **state)
{
    static const char source[] = "tests/kit/bad_precopy.c", where[] = " in order, call 5, at 11.812 ms";

    file_write("w", SMALL);
    if (!faults_can_be_tried("precopy", source))
        skip();
    faults_tried("precopy", source, faults_of_all, ARRAY_SIZE(faults_of_all), where, "sent", "", 256);
    faults_tried("precopy", source, faults, ARRAY_SIZE(faults), where, "sent", "", 256);
}

/* --- mistakes of the user's --- */

static const struct {
    const char *workload, *says;
} mistakes[] = {
    { "", "w:1: memory of 0M: 1M to 512M are possible" },
    { "memory 1G\n", "w:1: memory of 1024M: 1M to 512M are possible" },
    { "memory 1M\nlink 0M\n", "w:2: a link of 0M a second: 1M to 64G are possible" },
    { "memory 1M\nlink 65537M\n", "w:2: a link of 65537M a second" },
    { "look 10us\n", "w:1: look: \"10us\" is no time of whole 100us, up to 600s" },
    { "time 1us\n", "w:1: time: \"1us\" is no time of whole ms, up to 600s" },
    { "time 601s\n", "w:1: time: \"601s\" is no time" },
    { "speed 5M\n", "w:1: \"speed\" is no statement: memory, link, look, time, region and expect are" },
    { "region a at=0 size=1M write 5\n", "w:1: a region is \"region NAME at=0M size=16M : PROGRAM\"" },
    { "region at=0 size=1M : write 5\n", "w:1: a region needs a name" },
    { "region a size=1M : write 5\nregion a size=1M : write 5\n", "w:2: there is a region a already" },
    { "region a length=1M : write 5\n", "w:1: a region has at= and size=, not \"length\"" },
    { "region a at : write 5\n", "w:1: a region has at= and size=, not \"at\"" },
    { "region a at=1M : write 5\n", "w:1: a: which size= has it?" },
    { "region a size=1M : store 5\n", "w:1: a step is \"write 2000 for 10s\"" },
    { "region a size=1M : write\n", "w:1: a step is" },
    { "region a size=1M : write 5 for\n", "w:1: a step is" },
    { "region a size=1M : write 5M\n", "w:1: write: \"5M\" is no number up to 1000000" },
    { "region a size=1M : scan 1000001\n", "w:1: scan: \"1000001\" is no number up to 1000000" },
    { "region a size=1M : write 5, write 6\n", "w:1: only a program's last step may be without a time" },
    { "region a size=1M : write 5 for 1us\n", "w:1: for: \"1us\" is no time of whole ms" },
    { "memory 4M\nregion a at=3M size=2M : write 5\n", "w:2: a ends at 5M, and the VM's memory at 4M" },
    { "memory 4M\nexpect left == 0 from 1s to 2s\n",
      "w:2: expect: left is of a whole run: from and to are for stores," },
    { "memory 4M\nexpect sent < 1*even\n", "w:2: expect: there is no policy \"even\" (precopy has: rounds, outpaced;" },
    { "memory 4M\nexpect lots == 0\n", "w:2: expect: there is no figure \"lots\"" },
    { "memory 4M\nexpect downtime a == 0\n", "w:2: expect: there is no downtime of a" },
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        file_write("w", mistakes[i].workload);
        assert_int_equal(KIT("precopy", "--policy", "/nowhere.so", "--workload", path("w")), 1);
        assert_true(in_file("err", mistakes[i].says));
    }
    assert_int_equal(KIT("precopy", "--help"), 0);
    assert_true(in_file("out", "downtime"));
    assert_int_equal(KIT("precop"), 1);
    assert_true(in_file("err", "did you mean precopy?"));
}

/* --- the VM --- */

/* Who stores when, what is dirty, and what arrives: without a policy. */
static void test_vm(void **state)
{
    char text[] = "memory 1M\nlink 16M\nregion a size=1M : scan 1000 for 10ms, write 0 for 5ms\n", why[KIT_WHY];
    FILE *f = fmemopen(text, strlen(text), "r");
    struct precopy_model *p = precopy_load(f, 1, why);
    struct precopy_vm *vm;

    fclose(f);
    assert_non_null(p);
    vm = &p->vm;
    assert_int_equal(vm->nr_pages, 256);
    assert_int_equal(vm->page, 244140);
    assert_int_equal(vm->nr_todo, 256);
    precopy_vm_run(vm, MILLISECS(3));
    assert_int_equal(vm->stores, 3); /* at 1, 2 and 3 ms, to pages 0, 1 and 2 */
    assert_int_equal(vm->dirty[0], 7);
    assert_int_equal(vm->nr_left, 256);
    precopy_vm_send(vm, 2); /* dirty: it arrives, and will have to once more */
    assert_int_equal(vm->vain, 1);
    assert_int_equal(vm->nr_todo, 255);
    assert_int_equal(vm->nr_left, 256);
    assert_int_equal(vm->there[2], vm->here[2]);
    precopy_vm_send(vm, 5);
    assert_int_equal(vm->nr_left, 255);
    precopy_vm_clean(vm);
    assert_int_equal(vm->nr_todo, 255);
    assert_int_equal(vm->nr_dirty, 0);
    precopy_vm_run(vm, MILLISECS(12) - vm->now); /* and the tenth at 10 ms; then it rests until 15 ms */
    assert_int_equal(vm->stores, 10);
    precopy_vm_run(vm, MILLISECS(4));
    assert_int_equal(vm->stores, 11);
    assert_true(vm->dirty[0] >> 10 & 1);
    vm->paused = true;
    precopy_vm_run(vm, SECONDS(1));
    assert_int_equal(vm->stores, 11);
    for (uint64_t gfn = 0; gfn < 256; gfn++)
        precopy_vm_send(vm, gfn);
    assert_int_equal(precopy_vm_differ(vm), 0);
    precopy_vm_store(vm, 77);
    assert_int_equal(precopy_vm_differ(vm), 1);
    assert_int_equal(vm->sent, 258);
    assert_int_equal(vm->first, 256);
    precopy_free(p);
}

/* --- runs --- */

static const char policy[] =
    "#include \"xenlab/kit.h\"\n"
    "static bool stop(void *s, const struct precopy_now *w) { return w->round == ROUNDS; }\n"
    "static size_t order(void *s, const struct precopy_now *w, const uint64_t *todo, const uint64_t *again,\n"
    "                    uint64_t *gfn, size_t max)\n"
    "{ size_t n = 0;\n"
    "  for (uint64_t g = 0; g < w->pages && n < (w->paused ? LAST : 1024); g++)\n"
    "      if (todo[g / 64] >> g % 64 & 1) gfn[n++] = g;\n"
    "  return w->paused && w->sent ? 0 : n; }\n"
    "const struct precopy_ops xenlab_precopy_ops =\n"
    "    { { XENLAB_KIT_ABI, sizeof(struct precopy_ops), \"x\", 0 }, stop, order };\n";

static void policy_build(const char *rounds, const char *last)
{
    char text[2048];

    snprintf(text, sizeof(text), "#define ROUNDS %s\n#define LAST %s\n%s", rounds, last, policy);
    file_write("p.c", text);
    if (!build(path("p.c"), 0))
        skip();
}

/* By hand: a VM that stores to 8 pages of 256 all the time, and what that comes to. */
static void test_figures(void **state)
{
    file_write("w", "memory 1M\nlink 16M\ntime 10s\nregion all size=1M : write 0\nregion low size=1M : scan 4096\n");
    policy_build("0", "1024"); /* stop and copy */
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("rounds", ""), 0);
    assert_int_equal(figure("sent", ""), 256);
    assert_int_equal(figure("last", ""), 256);
    assert_int_equal(figure("last", "low"), 256);
    assert_int_equal(figure("left", ""), 256);
    assert_int_equal(figure("stores", ""), 4); /* in one look: 4096 a second is one each 0.244 ms */
    assert_int_equal(figure("stores", "all"), 0);
    assert_true(figure("downtime", "") > 63.49 && figure("downtime", "") < 63.51); /* a look, and 256 * 0.24414 */
    assert_true(figure("total", "") > 64.49 && figure("total", "") < 64.51);
    assert_int_equal(figure("looks", ""), 2);
    assert_int_equal(figure("lost", ""), 0);
    assert_int_equal(figure("done", ""), 1);
    policy_build("2", "1024");
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("rounds", ""), 2);
    assert_int_equal(figure("left", ""), 256); /* it stores as fast as the link sends, and a look is some stores more */
    assert_int_equal(figure("sent", ""), 3 * 256);
    assert_int_equal(figure("resent", ""), 2 * 256);
    assert_int_equal(figure("lost", ""), 0);
    policy_build("0", "200"); /* 56 pages are forgotten */
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("sent", ""), 200);
    assert_int_equal(figure("lost", ""), 56);
    policy_build("-1", "0"); /* it never stops, and is given up */
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("done", ""), 0);
    assert_int_equal(figure("downtime", ""), 0);
    assert_true(figure("total", "") >= 10000 && figure("total", "") < 10300);
    file_write("w", "memory 1M\nlink 16M\ntime 10s\nregion low size=1M : scan 4096\nexpect done == 1\n");
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", path("w"), "--json"), 4);
}

/* Windows that follow each other have in them what there is, in rounds, between them, and while the VM is paused. */
static void test_windows(void **state)
{
    static const char *const lines[] = { "stores", "sent",  "last",     "rounds",  "resent",
                                         "vain",   "looks", "sent low", "last low" };
    char text[2048] = "memory 2M\nlink 16M\ntime 1s\nregion low size=1M : scan 3000\n", *json;
    const char *next;
    double is[3];

    policy_build("2", "1024");
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "expect %s >= 0 from 0 to 220ms\nexpect %s >= 0 from 220ms to 1s\nexpect %s >= 0\n", lines[i],
                 lines[i], lines[i]);
    file_write("w", text);
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_true(figure("total", "") > 220 && figure("total", "") - figure("downtime", "") < 220);
    json = file_read("out");
    next = strstr(json, "\"expectations\"");
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        for (size_t n = 0; n < 3; n++) {
            next = strstr(next, "\"value\":") + strlen("\"value\":");
            is[n] = strtod(next, NULL);
        }
        assert_true(is[0] + is[1] == is[2]);
        assert_true(is[0] > 0 && (i > 2 || is[1] > 0 || i == 0));
    }
    free(json);
}

/* The examples: what they are for, the same twice, another seed otherwise; the chart is there. */
static void test_examples(void **state)
{
    static const char bursts[] = "docs/examples/kit/bursts.txt";
    double rounds_resent, rounds_downtime;
    char *one, *two;

    if (!build("docs/examples/kit/rounds.c", 0))
        skip();
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", bursts, "--json"), 0);
    rounds_resent = figure("resent", "");
    rounds_downtime = figure("downtime", "");
    assert_int_equal(figure("rounds", ""), 5);
    assert_true(build("docs/examples/kit/outpaced.c", 0));
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", bursts, "--json"), 0);
    assert_true(figure("resent", "") < rounds_resent);
    assert_true(figure("downtime", "") < rounds_downtime);
    assert_int_equal(figure("lost", ""), 0);
    one = file_read("out");
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", bursts, "--json", "--svg", path("svg")), 0);
    two = file_read("out");
    assert_string_equal(one, two);
    free(two);
    assert_int_equal(KIT("precopy", "--policy", path("p.so"), "--workload", bursts, "--json", "--seed", "2"), 0);
    two = file_read("out");
    assert_string_not_equal(one, two);
    assert_true(in_file("svg", "128 MiB</text>"));
    free(one);
    free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),  cmocka_unit_test(test_mistakes), cmocka_unit_test(test_vm),
        cmocka_unit_test(test_figures), cmocka_unit_test(test_windows),  cmocka_unit_test(test_examples),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
