// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sweeps: settings of a workload, jobs, their results, and what `xenlab kit merge` makes of them: the means are those
 * of single runs, whatever the order of files; what is missing, there twice or foreign is told. No xargs here: jobs are
 * run in this process, by their number; docs/kits.md has the lines run by sh(1).
 *
 * Budget: settings, jobs and results are tried with one workload, and their mistakes are tables.
 */
#include "tests/kit/fixture.h"

#include <glob.h>
#include <math.h>

#include "tools/sweep/json.h"
#include "tools/sweep/student.h"
#include "tools/sweep/sweep.h"

#define W                                                                                                              \
    "memory 2048M\nparam low 360M # the least\ntime 30s\nvm one memory=512M max=1G : use $low..640M\n"                 \
    "vm two memory=512M max=1G : use 100M..900M\n"

/* --- means --- */

/* M. Abramowitz and I. Stegun, table 26.10: 0.975 of one side. */
static void test_student(void **state)
{
    static const struct {
        unsigned long degrees;
        double t;
    } table[] = { { 1, 12.706 }, { 2, 4.303 },  { 3, 3.182 },  { 4, 2.776 },  { 5, 2.571 },  { 9, 2.262 },
                  { 10, 2.228 }, { 29, 2.045 }, { 30, 2.042 }, { 60, 2.000 }, { 120, 1.980 } };
    const double x[] = { 4, 8, 6 };
    struct student s = student_of(x, 3);

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        assert_true(fabs(student_t(0.95, table[i].degrees) - table[i].t) < 0.0006);
    assert_true(fabs(student_t(0.99, 10) - 3.169) < 0.0006);
    assert_true(s.n == 3 && s.mean == 6 && s.sd == 2 && s.least == 4 && s.most == 8);
    assert_true(fabs(s.ci95 - 4.302653 * 2 / sqrt(3)) < 1e-5);
    s = student_of(x, 1);
    assert_true(s.mean == 4 && isnan(s.ci95) && isnan(s.sd));
    s = student_of(x, 0);
    assert_true(s.n == 0 && isnan(s.mean) && isnan(s.least));
}

static struct json *read_json(const char *text, char **copy)
{
    size_t at;

    *copy = strdup(text);
    return json_read(*copy, strlen(*copy), &at);
}

static void test_json(void **state)
{
    static const char *const right[] = {
        "0", "-0.5e+3", "\"\"", "[]", "{}", " [1 , {\"a\":[null,true,false]}]\n", "\"\\u0041\\n\\\\\\\"\""
    };
    static const char *const bad[] = { "",           "01",    "1.",  "1e",      "+1",          "nan",    "[1,]",
                                       "{\"a\"}",    "{a:1}", "\"",  "\"\\x\"", "\"\\u00g0\"", "\"\n\"", "[1 2]",
                                       "{\"a\":1,}", "1 1",   "tru", "[\"a\"",  "1e999",       "\"\\" };
    char deep[200], *copy;
    struct json *j;

    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        j = read_json(right[i], &copy);
        if (!j)
            fail_msg("%s", right[i]);
        json_free(j), free(copy);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        j = read_json(bad[i], &copy);
        if (j)
            fail_msg("%s", bad[i]);
        free(copy);
    }
    memset(deep, '[', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    assert_null(read_json(deep, &copy));
    free(copy);
    j = read_json("{\"t\":\"\\u0041\\n\\\"\",\"n\":17,\"x\":1.5}", &copy);
    assert_string_equal(json_text(j, "t"), "A\n\"");
    assert_true(json_member(j, "x", JSON_NUMBER)->number == 1.5);
    assert_null(json_member(j, "x", JSON_TEXT));
    json_free(j), free(copy);
}

/* --- settings --- */

static void test_settings(void **state)
{
    static const struct {
        const char *workload, *set, *says; /* NULL: it is all right */
    } is[] = {
        { W, "low=400M", NULL },
        { W, "memory=3G", NULL },
        { W, "swap=5M", NULL }, /* added */
        { W, "low=2G", "w:4: use: the range ends before it begins" },
        { W, "lo=2G", "w:6: \"lo\" is no statement" },
        { W, "vm=2G", "--set vm: its line has more than one value: give the one that is meant a name" },
        { W "rate 5M\nrate 6M\n", "rate=2M", "--set rate: 2 lines of the workload are \"rate VALUE\"" },
        { W "rate $lo\n", NULL, "w:6: there is no param lo above" },
        { "rate $r\nparam r 5M\n" W, NULL, "w:1: there is no param r above" },
        { W "param low 5M\n", NULL, "w:6: there is a param low already" },
        { W "param low\n", NULL, "w:6: expected: param NAME VALUE" },
        { W "param 5 low\n", NULL, "w:6: expected: param NAME VALUE" },
        { W "param\n", NULL, "w:6: expected: param NAME VALUE" },
        { W, "low", "--set: \"low\": expected NAME=VALUE" },
        { W, "=5", "--set: \"=5\": expected NAME=VALUE" },
        { W, "low=", "--set low: a value that is empty" },
        { W, "low=1M,", "--set low: a value that is empty" },
        { W, "low=1M,1M", "--set low: the value 1M is there twice" },
        { W, "low=$low", "--set low: a value that is empty, or has #, $" },
        { W, "low=1M\nvm x", "--set low: a value that is empty, or has #, $ or a control character" },
        { W "# $nothing, and param\n", NULL, NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(is); i++) {
        file_write("w", is[i].workload);
        if (KIT("memctl", "--policy", "still", "--workload", path("w"), is[i].set ? "--set" : NULL, is[i].set) !=
            (is[i].says != NULL))
            fail_msg("%s: %s", is[i].workload, is[i].set);
        if (is[i].says)
            assert_true(in_file("err", is[i].says));
    }
    file_write("w", W);
    assert_int_equal(
        KIT("memctl", "--policy", "still", "--workload", path("w"), "--set", "low=400M", "--set", "low=5M"), 1);
    assert_true(in_file("err", "--set low: it is there twice"));
}

/* --- jobs --- */

static const char *r(const char *name)
{
    char text[40];

    snprintf(text, sizeof(text), "r/%s", name);
    return path(text);
}

#define SWEEP                                                                                                          \
    "memctl", "--policy", "even", "--workload", path("w"), "--seeds", "4..6", "--set", "low=360M,400M", "--set",       \
        "swap=8M,16M", "--results", path("r")

static bool empty(const char *name)
{
    struct stat st;

    return !stat(path(name), &st) && !st.st_size;
}

static void jobs_run(void)
{
    char job[8], text[20], name[20];

    file_write("w", W "expect moved <= 1\n");
    for (int i = 1; i <= 12; i++) {
        snprintf(job, sizeof(job), "%d", i);
        assert_in_range(KIT(SWEEP, "--job", job), 0, 4);
        assert_true(empty("err") && empty("out"));
        snprintf(text, sizeof(text), "\"seed\":%d,", 4 + (i - 1) % 3);
        snprintf(name, sizeof(name), "r/%02d.json", i);
        assert_true(in_file(name, text));
        assert_true(in_file(name, i > 6 ? "{\"low\":\"400M\"" : "{\"low\":\"360M\""));
        assert_true(in_file(name, (i - 1) / 3 % 2 ? "\"swap\":\"16M\"}" : "\"swap\":\"8M\"}"));
    }
}

static void test_jobs(void **state)
{
    char *out, *at;
    unsigned int lines = 0;

    file_write("w", W);
    assert_int_equal(KIT(SWEEP), 0);
    out = at = file_read("out");
    for (; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 12);
    assert_non_null(strstr(out, " kit memctl --policy even --workload "));
    assert_non_null(strstr(out, " --set low=360M,400M --set swap=8M,16M --results "));
    assert_non_null(strstr(out, " --job 12\n"));
    free(out);
    assert_int_equal(
        KIT("memctl", "--policy", "even", "--workload", path("w"), "--set", "low=1M,2M", "--results", "it's $HOME"), 0);
    assert_true(in_file("out", " --results 'it'\\''s $HOME' --job 2\n"));
    assert_int_equal(KIT("memctl", "--policy", "even", "--workload", path("w"), "--set", "low=1M,much"), 1);
    assert_true(in_file("err", "(job 2)"));
    file_write("w", W "expect lackin <= 3\n");
    assert_int_equal(KIT(SWEEP), 1);
    assert_true(in_file("err", "w:6: expect: there is no figure") && empty("out"));
    file_write("w", "param n 3\ndomain a vcpus=$n : compute forever\n");
    assert_int_equal(KIT("sched", "--policy", "rr", "--workload", path("w"), "--set", "n=1,2,0"), 1);
    assert_true(in_file("err", "w:2: ") && empty("out"));
    assert_int_equal(KIT("sched", "--policy", "cfs", "--workload", path("w"), "--set", "n=1,2"), 1);
    assert_true(in_file("err", "there is no scheduler \"cfs\"") && empty("out"));
    assert_int_equal(KIT("sched", "--policy", "rr", "--workload", path("w"), "--set", "n=1,2"), 0);
    assert_true(access(path("r"), F_OK) != 0); /* nothing has run */
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *a, *b, *c, *d, *says;
    } is[] = {
        { "--seeds", "5..1", NULL, NULL, "--seeds: \"5..1\": it ends before it begins" },
        { "--seeds", "1-5", NULL, NULL, "--seeds: \"1-5\": expected A..B" },
        { "--seeds", "nan..5", NULL, NULL, "expected A..B" },
        { "--seeds", "-1..5", NULL, NULL, "expected A..B" },
        { "--seeds", "1..99999999999999999999", NULL, NULL, "expected A..B" },
        { "--seeds", "1..2000000", NULL, NULL, "--seeds: more than 1000000" },
        { "--seeds", "1..1000000", "--set", "low=1M,2M", "these are more than 1000000 jobs" },
        { "--seeds", "1..2", "--job", "3", "--job 3: there are 2" },
        { "--seeds", "1..2", "--job", "0", "--job: \"0\": expected a number" },
        { "--seeds", "1..2", "--seed", "1", "--seed and --seeds: which of the two?" },
        { "--job", "1", NULL, NULL, "--job is for sweeps" },
        { "--results", "x", NULL, NULL, "--results is for sweeps" },
        { "--seeds", "1..2", "--svg", "x", "--svg is of one run, and this is a sweep" },
        { "--seeds", "1..2", "--tap", NULL, "--tap is of one run" },
    };

    file_write("w", W "expect lacking <= 5\n");
    for (size_t i = 0; i < ARRAY_SIZE(is); i++) {
        assert_int_equal(
            KIT("memctl", "--policy", "still", "--workload", path("w"), is[i].a, is[i].b, is[i].c, is[i].d), 1);
        assert_true(in_file("err", is[i].says));
        assert_int_equal(KIT("sched", "--policy", "rr", "--workload", path("w"), is[i].a, is[i].b, is[i].c, is[i].d),
                         1);
        assert_true(in_file("err", is[i].says));
    }
    assert_int_equal(KIT("memctl", "--policy", "still", "--workload", "-", "--seeds", "1..2"), 1);
    assert_true(in_file("err", "jobs have no standard input"));
}

/* --- results, together --- */

/* The row of CSV that begins so: its n-th number (mean, ci95, sd, least, most). -1: there is no such row. */
static double number_of(const char *row, unsigned int n)
{
    char *out = file_read("out"), *at = strstr(out, row);
    double x = -1;

    if (at) {
        at += strlen(row);
        while (n--)
            at = strchr(at, ',') + 1;
        x = strtod(at, NULL);
    }
    free(out);
    return x;
}

static int merge(const char *option, bool backwards)
{
    const char *args[40] = { "merge" };
    glob_t g;
    size_t n = 1;
    int rc;

    assert_int_equal(glob(r("*"), 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++)
        args[n++] = g.gl_pathv[backwards ? g.gl_pathc - 1 - i : i];
    args[n++] = option;
    rc = kit_to(args);
    globfree(&g);
    return rc;
}

static void copy(const char *from, const char *to, const char *what, const char *with)
{
    char *text = file_read(from), *at = strstr(text, what);

    assert_non_null(at);
    assert_int_equal(strlen(what), strlen(with));
    memcpy(at, with, strlen(with));
    file_write(to, text);
    free(text);
}

/* The means of single runs; each of them is one of the three seeds. */
static void test_merge(void **state)
{
    double swaps[3], mean;
    char seed[4], *one;

    jobs_run();
    assert_int_equal(rename(r("02.json"), r("z.json")), 0); /* names say nothing */
    assert_int_equal(merge("--csv", false), 4);
    assert_true(
        in_file("out", "low,swap,metric,subject,unit,n,mean,ci95,sd,least,most\r\n360M,8M,faults,one,pages,3,"));
    for (int i = 0; i < 3; i++) {
        snprintf(seed, sizeof(seed), "%d", 4 + i);
        assert_in_range(KIT("memctl", "--policy", "even", "--workload", path("w"), "--seed", seed, "--set", "low=400M",
                            "--set", "swap=16M", "--json"),
                        0, 4);
        swaps[i] = figure("swaps", "two");
    }
    mean = (swaps[0] + swaps[1] + swaps[2]) / 3;
    assert_true(merge("--csv", false) == 4 && mean > 0);
    assert_true(fabs(number_of("400M,16M,swaps,two,MiB,3,", 0) - mean) < 1e-9);
    assert_true(fabs(number_of("400M,16M,swaps,two,MiB,3,", 1) - student_of(swaps, 3).ci95) < 1e-9);
    assert_true(number_of("400M,16M,swaps,two,MiB,3,", 4) >= mean);
    one = file_read("out");
    assert_int_equal(merge("--csv", true), 4);
    assert_true(in_file("out", one));
    file_write("r/.13.json", "{"); /* of a job that was broken off */
    file_write("r/readme.txt", "mine");
    assert_int_equal(KIT("merge", "--csv", path("r")), 4); /* the folder: all of them */
    assert_true(in_file("out", one) && empty("err"));
    unlink(r("readme.txt"));
    free(one);
    assert_int_equal(merge(NULL, false), 4);
    assert_true(in_file("out", "memctl, even, "));
    assert_true(in_file("out", ": 12 of 12 jobs\n\nlow=360M swap=8M\n"));
    assert_true(in_file("out", "  LOST  moved <= 1: in 0 of 3 runs; least margin -"));
    assert_true(empty("err"));
    assert_int_equal(merge("--json", false), 4);
    assert_true(in_file("out",
                        "\"jobs\":12,\"there\":12,\"faults\":0,\"whole\":true,\"rows\":[\n {\"set\":{\"low\":\"360M\","
                        "\"swap\":\"8M\"},\"metric\":\"faults\",\"subject\":\"one\",\"unit\":\"pages\",\"n\":3,"));
}

static void test_incomplete(void **state)
{
    char *one;

    jobs_run();
    unlink(r("03.json"));
    unlink(r("12.json"));
    copy("r/05.json", "r/same.json", "memctl", "memctl");
    copy("r/08.json", "r/differs.json", "\"swaps\"", "\"snaps\"");
    copy("r/09.json", "r/foreign.json", "\"jobs\":12", "\"jobs\":13");
    file_write("r/none.json", "{\"a\":1}");
    file_write("r/half.json", "{\"kit\":\"memctl\",");
    assert_int_equal(merge("--json", false), 1);
    assert_true(in_file("err", "r/none.json is foreign: no result of a sweep's job"));
    assert_true(in_file("err", "r/half.json is foreign: no JSON, or only a part of it (byte 16)"));
    assert_true(in_file("err", "r/foreign.json is foreign: "));
    assert_true(in_file("err", "job 5 is there twice: "));
    assert_true(in_file("err", "r/same.json, which say the same"));
    assert_true(in_file("err", "r/differs.json differ, so neither counts"));
    assert_true(in_file("err", "3 of 12 jobs are missing: 3, 8, 12 ("));
    assert_true(in_file("out", "\"jobs\":12,\"there\":9,"));
    assert_true(in_file("out", "\"whole\":false"));
    one = file_read("out");
    assert_int_equal(merge("--json", true), 1);
    assert_true(in_file("out", one));
    free(one);
}

/* Another sweep, if only the workload's contents are others. */
static void test_foreign(void **state)
{
    jobs_run();
    for (int i = 2; i <= 12; i++) {
        char name[20];

        snprintf(name, sizeof(name), "%02d.json", i);
        unlink(r(name));
    }
    file_write("w", W "# another one\n");
    assert_int_equal(KIT(SWEEP, "--job", "2"), 0);
    assert_int_equal(merge(NULL, false), 1);
    assert_true(in_file("err", "these are results of more than one sweep, of none more than of another"));
    assert_int_equal(KIT(SWEEP, "--job", "3"), 0);
    assert_int_equal(merge(NULL, false), 1);
    assert_true(in_file("err", "r/01.json is foreign: job 1 of another sweep (memctl, even, "));
    assert_true(in_file("err", "10 of 12 jobs are missing: 1, 4, 5, 6, 7, 8, 9, 10, 11, 12 ("));
    assert_int_equal(KIT("merge"), 1);
    assert_true(in_file("err", "which results?"));
    assert_int_equal(KIT("merge", "--xml"), 1);
    assert_true(in_file("err", "there is no option --xml"));
    assert_int_equal(KIT("merge", "--csv", "--json"), 1);
    assert_int_equal(KIT("merge", "tests/docs/"), 1);
    assert_true(in_file("err", "tests/docs/ is a folder without results (*.json)") && empty("out"));
    assert_int_equal(KIT("merge", path("r"), "tests/docs"), 1);
    assert_true(in_file("err", "r/01.json is foreign: job 1 of another sweep (memctl, even, "));
    assert_int_equal(KIT("merge", path("nothing")), 1);
    assert_true(in_file("err", "cannot read "));
    assert_int_equal(KIT("merge", "--help"), 0);
}

/* Or only what --expect's file, or the policy's, has in it. */
static void test_same_words(void **state)
{
    static const char *const policies[] = { "docs/examples/kit/still.c", "docs/examples/kit/even.c" };

    file_write("w", W);
    for (int i = 0; i < 3; i++) {
        if (!build(policies[i == 2], 0))
            skip();
        file_write("x", i ? "expect lacking >= 0\n" : "expect lacking >= 0 # always\n");
        assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", path("w"), "--expect", path("x"),
                             "--seeds", "1..3", "--results", path("r"), "--job",
                             i == 0   ? "1"
                             : i == 1 ? "2"
                                      : "3"),
                         0);
        assert_int_equal(merge(NULL, false), 1); /* each is of a sweep of its own */
        assert_true(in_file("err", i ? "these are results of more than one sweep" : "2 of 3 jobs are missing: 2, 3 ("));
    }
}

static const char crashes[] = "#include \"xenlab/kit.h\"\nstatic int t; static int *volatile nowhere;\n"
                              "static uint64_t s; static void *init(uint64_t seed) { s = seed; return 0; }\n"
                              "static void tick(void *x, const struct mem_host *h, const struct vm_mem *v, size_t n,\n"
                              "                 uint64_t *target)\n"
                              "{ if (t++ == 3) *nowhere = 1; }\n"
                              "const struct memctl_ops xenlab_memctl_ops =\n"
                              "    { { XENLAB_KIT_ABI, sizeof(struct memctl_ops), \"crashes\", init }, tick };\n";

/* A policy's fault is a result, too; a run that cannot be done is none. */
static void test_faults(void **state)
{
    file_write("p.c", crashes);
    if (!build(path("p.c"), 0))
        skip();
    file_write("w", W);
    assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", path("w"), "--seeds", "1..2", "--results",
                         path("r"), "--job", "1"),
                     2);
    assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", path("w"), "--seeds", "1..2", "--results",
                         path("r"), "--job", "2"),
                     2);
    assert_true(in_file("r/2.json", "\"fault\":\"policy "));
    assert_int_equal(merge(NULL, false), 2);
    assert_true(in_file("out", "in 2 jobs the policy was at fault: they have no figures"));
    assert_int_equal(KIT("memctl", "--policy", "still", "--workload", path("w"), "--seeds", "1..2", "--results",
                         path("w"), "--job", "2"),
                     1);
    assert_true(in_file("err", "cannot write "));
}

/* Schedulers: the same, and their --json has what is merged. */
static void test_sched(void **state)
{
    double share[2];

    file_write("w", "pcpus 2\nparam weight 256\ndomain a weight=$weight : compute 1ms..3ms, sleep 1ms..2ms\n"
                    "domain b count=3 : compute forever\nexpect share a >= 10%\n");
    for (int i = 1; i <= 2; i++) {
        const char *const n = i == 1 ? "1" : "2";

        assert_int_equal(
            KIT("sched", "--policy", "credit2", "--workload", path("w"), "--set", "weight=512", "--json", "--seed", n),
            0);
        share[i - 1] = figure("share", "a");
        assert_int_equal(KIT("sched", "--policy", "credit2", "--workload", path("w"), "--set", "weight=512", "--seeds",
                             "1..2", "--results", path("r"), "--job", n),
                         0);
        assert_true(empty("out"));
    }
    assert_true(share[0] > 0.1 && share[0] != share[1]);
    assert_int_equal(merge("--csv", false), 0);
    assert_true(fabs(number_of("512,share,a,part,2,", 0) - (share[0] + share[1]) / 2) < 1e-6);
    assert_int_equal(KIT("sched", "--policy", "credit2", "--workload", path("w"), "--seeds", "1..3"), 0);
    assert_true(in_file("out", " kit sched --policy credit2 --workload "));
    assert_true(in_file("out", " --seeds 1..3 --job 3\n"));
    assert_int_equal(KIT("sched", "--policy", "credit2", "--workload", path("w"), "--set", "domain=3"), 1);
    assert_true(in_file("err", "--set domain: its line has more than one value"));
}

static int results_remove(void **state)
{
    glob_t g;

    if (!glob(r("*"), GLOB_PERIOD, NULL, &g)) {
        for (size_t i = 0; i < g.gl_pathc; i++)
            unlink(g.gl_pathv[i]); /* . and .. stay */
        globfree(&g);
    }
    return rmdir(path("r")) && access(path("r"), F_OK) == 0 ? -1 : 0;
}

#define TEST(test) cmocka_unit_test_teardown(test, results_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_student),    TEST(test_json),   TEST(test_settings),   TEST(test_jobs),
        TEST(test_mistakes),   TEST(test_merge),  TEST(test_incomplete), TEST(test_foreign),
        TEST(test_same_words), TEST(test_faults), TEST(test_sched),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
