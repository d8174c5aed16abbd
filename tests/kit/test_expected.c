// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Expectations of kits: mistakes in them are answered before anything runs; what they say is what can be reckoned by
 * hand; runs are as many as are wanted, and what goes wrong in which is told. tests/sched/test_expect.c has the same
 * language with schedulers.
 */
#include "tests/kit/fixture.h"

#define SMALL                                                                                                          \
    "memory 1G\nreserve 64M\ntime 20s\nvm web memory=256M floor=64M max=512M : use 100M\n"                             \
    "vm db memory=256M floor=64M max=512M : use 300M\n"

static const struct {
    const char *line, *says;
} unexpected[] = {
    { "expect lackin <= 3", "there is no figure \"lackin\"; did you mean lacking? (there are: faults, swaps, " },
    { "expect", "there is no figure \"\"" },
    { "expect lacking nobody <= 3", "there is no lacking of nobody" },
    { "expect moved web <= 3", "there is no moved of web" },
    { "expect lacking web 3", "expected <=, >=, ==, !=, < or >, got \"3\"" },
    { "expect lacking web <=", "\"\": expected a number, or a number of s" },
    { "expect lacking web <= 3MiB", "\"3MiB\": expected a number, or a number of s" },
    { "expect oscillations <= -3", "\"-3\": expected a number" },
    { "expect oscillations <= inf", "\"inf\": expected a number" },
    { "expect oscillations <= nan", "\"nan\": expected a number" },
    { "expect lacking <= 1.1*stil", "there is no policy \"stil\"; did you mean still? (memctl has: even, still;" },
    { "expect lacking <= 1.1*rounds", "there is no policy \"rounds\" (memctl has: even, still;" },
    { "expect lacking <= 1.1*./none.so", "the policy ./none.so cannot be read" },
    { "expect lacking <= 1.1*", "\"1.1*\": expected FACTOR*POLICY" },
    { "expect lacking <= x*still", "\"x*still\": expected FACTOR*POLICY, such as 1.1*still" },
    { "expect lacking <= inf*still", "expected FACTOR*POLICY" },
    { "expect lacking <= 1 from 1s", "expected: from TIME to TIME" },
    { "expect lacking <= 1 from 2s to 1s", "it ends before it begins" },
    { "expect lacking <= 1 from 2s to 2s", "it ends before it begins, or as it begins" },
    { "expect settled <= 1 from 1s to 2s", "settled is of a whole run: from and to are for faults, swaps, lacking, " },
    { "expect lacking <= 1 seeds 5..1", "seeds: \"5..1\": expected A..B" },
    { "expect lacking <= 1 seeds 1..20000", "at most 10000" },
    { "expect lacking <= 1 or so", "\"or\": expected from, or seeds" },
};

/* A mistake is told before anything runs, wherever the line stands. */
static void test_unexpected(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(unexpected); i++) {
        char text[1024];

        snprintf(text, sizeof(text), SMALL "%s\n", unexpected[i].line);
        file_write("w", text);
        assert_int_equal(KIT("memctl", "--policy", "/nowhere.so", "--workload", path("w")), 1);
        assert_true(in_file("err", "w:6: expect: "));
        assert_true(in_file("err", unexpected[i].says));
        file_write("w", SMALL);
        snprintf(text, sizeof(text), "# so\n%s\n", unexpected[i].line);
        file_write("x", text);
        assert_int_equal(KIT("memctl", "--policy", "/nowhere.so", "--workload", path("w"), "--expect", path("x")), 1);
        assert_true(in_file("err", "x:2: expect: "));
        assert_true(in_file("err", unexpected[i].says));
    }
    file_write("x", "time 5s\n");
    assert_int_equal(KIT("memctl", "--policy", "/nowhere.so", "--workload", path("w"), "--expect", path("x")), 1);
    assert_true(in_file("err", "x:1: lines here begin with expect"));
    assert_int_equal(KIT("memctl", "--policy", "/nowhere.so", "--workload", path("w"), "--expect", path("nothing")), 1);
    assert_true(in_file("err", "cannot read"));
}

/* Of `still` in SMALL: lacking of db is 20 s, of web 0. */
static const struct {
    const char *line;
    bool held;
    const char *says;
} expected[] = {
    { "lacking db <= 20s", true, "is 20 s, limit 20 s, margin +0 s, seed 1, at 20 s" },
    { "lacking db < 20", false, "is 20 s, limit 20 s, margin +0 s" },
    { "lacking >= 20", true, "is 20 s (web 0, db 20), limit 20 s, margin +0 s" },
    { "lacking > 20", false, "is 20 s (web 0, db 20), limit 20 s, margin +0 s" },
    { "lacking == 20", true, "margin +0 s" },
    { "lacking == 21", false, "margin -1 s" },
    { "lacking != 21", true, "margin +1 s" },
    { "lacking != 20", false, "margin +0 s" },
    { "unused web >= 156MiB", true, "is 156 MiB, limit 156 MiB, margin +0 MiB" },
    { "swaps <= 100", false, "is 640 MiB (web 0, db 640), limit 100 MiB, margin -540 MiB" },
    { "oscillations <= 0", true, "is 0 (web 0, db 0), limit 0, margin +0" },
    { "lacking db <= 20000ms", true, "is 20 s, limit 20 s" },
    { "lacking db <= 3", false, "margin -17 s, seed 1, from 4 s on" },
    { "lacking db == 5 from 10s to 15s", true, "is 5 s, limit 5 s, margin +0 s, seed 1, at 15 s" },
    { "lacking == 20 from 0 to 20s", true, "is 20 s (web 0, db 20)" },
    { "swaps db == 96 from 1s to 4s seeds 7..9", true, "is 96 MiB, limit 96 MiB, margin +0 MiB, worst seed 7, at 4 s" },
    { "unused web == 156 from 19s to 20s", true, "is 156 MiB" },
    { "free == 512 from 3s to 3500ms", true, "is 512 MiB" },
    { "lacking db <= 2 from 0 to 4s", false, "is 4 s, limit 2 s, margin -2 s, seed 1, from 3 s on" },
    { "lacking db == 1 from 500ms to 1500ms", true, "at 2 s" },
    { "lacking web == 0 from 5100ms to 5900ms", false,
      "has no value: no step of the model's time is over in that window, limit 0 s, no margin, seed 1, from 6 s on" },
    { "unused web >= 0 from 5100ms to 5900ms", false,
      "has no value: no step of the model's time is over in that window" },
    { "moved == 0 from 19500ms to 20s", true, "is 0 MiB" },
    { "lacking db <= 1*still", true, "is 20 s, limit 20 s" },
    { "lacking db < 1*still seeds 3..5", false, "limit 20 s, margin +0 s, worst seed 3" },
    { "lacking db > 0.5*even", true, "" },
};

static void test_expected(void **state)
{
    if (!build("docs/examples/kit/still.c", 0))
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        char text[1024], table[400];

        snprintf(text, sizeof(text), SMALL "  expect %s  # so\n", expected[i].line);
        file_write("w", text);
        assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", path("w"), "--json"),
                         expected[i].held ? 0 : 4);
        snprintf(text, sizeof(text), "{\"expect\":\"%s\",\"line\":6,\"held\":%s,\"said\":\"", expected[i].line,
                 expected[i].held ? "true" : "false");
        assert_true(in_file("out", text));
        assert_true(in_file("out", expected[i].says));
        assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", path("w")), expected[i].held ? 0 : 4);
        snprintf(table, sizeof(table), "expectations      %d of 1 held\n  %s  %s: ", expected[i].held,
                 expected[i].held ? "held" : "LOST", expected[i].line);
        assert_true(in_file("out", table));
    }
    file_write("w", SMALL "expect drained == 0\n"); /* both files count */
    file_write("x", "\nexpect drained > 0\n");
    assert_int_equal(KIT("memctl", "--policy", path("p.so"), "--workload", path("w"), "--expect", path("x")), 4);
    assert_true(in_file("out", "expectations      1 of 2 held"));
    assert_true(in_file("out", "x:2)"));
}

static unsigned int times(const char *name, const char *text)
{
    char *content = file_read(name);
    unsigned int nr = 0;

    for (const char *at = content; (at = strstr(at, text)); at++)
        nr++;
    free(content);
    return nr;
}

/* Who says when it is asked for the first time, and crashes when it is for the CRASHES'th. */
static const char loud[] = "#include <stdio.h>\n#include <stdlib.h>\n#include \"xenlab/kit.h\"\n"
                           "static int t; static int *volatile nowhere;\n"
                           "static void tick(void *s, const struct mem_host *h, const struct vm_mem *v, size_t n,\n"
                           "                 uint64_t *target)\n"
                           "{ if (!t++) puts(\"first\"); if (t == CRASHES) *nowhere = 1; }\n"
                           "const struct memctl_ops xenlab_memctl_ops =\n"
                           "    { { XENLAB_KIT_ABI, sizeof(struct memctl_ops), \"loud\", 0 }, tick };\n";

static bool loud_build(const char *name, const char *crashes)
{
    char text[1024];

    snprintf(text, sizeof(text), "#define CRASHES %s\n%s", crashes, loud);
    file_write("p.c", text);
    return build(path("p.c"), 0) && !rename(path("p.so"), path(name));
}

/* Each policy runs once for a seed and a window, whoever wants it; what goes wrong with another one is not this one's
 * fault. */
static void test_others(void **state)
{
    char text[1024];

    if (!loud_build("q.so", "0"))
        skip();
    snprintf(text, sizeof(text),
             SMALL "expect lacking < 1*%s\nexpect swaps < 2*%s\nexpect faults > 0.5*%s seeds 1..3\n"
                   "expect below == 1*%s from 1s to 5s\n",
             path("q.so"), path("q.so"), path("q.so"), path("q.so"));
    file_write("w", text);
    assert_int_equal(KIT("memctl", "--policy", "still", "--workload", path("w")), 4);
    assert_int_equal(times("err", "policy| first"), 4); /* seed 1, 2, 3; and the window */
    assert_true(in_file("out", "expectations      3 of 4 held"));
    assert_int_equal(KIT("memctl", "--policy", path("q.so"), "--workload", path("w")), 4);
    assert_int_equal(times("err", "policy| first"), 8 + 1); /* and when lacking does not hold */
    assert_true(loud_build("q.so", "5"));
    assert_int_equal(KIT("memctl", "--policy", "still", "--workload", path("w"), "--tap", "--junit", path("x")), 1);
    assert_true(in_file("err", " in tick, call 5, at 5 s, seed 1"));
    assert_true(in_file("err", "w:6: expect: so there is no limit: that is no fault of the policy that is tried"));
    file_write("w", SMALL "expect lacking < 100 seeds 4..5\n");
    assert_int_equal(KIT("memctl", "--policy", path("q.so"), "--workload", path("w"), "--tap", "--junit", path("x")),
                     2);
    assert_true(in_file("err", "in tick, call 5, at 5 s, seed 4"));
    assert_true(in_file("out", "Bail out! policy "));
    assert_true(in_file("x", "<testsuite name=\"xenlab kit memctl\" tests=\"1\" failures=\"0\" errors=\"1\">"));
    assert_true(in_file("x", "<error message=\"policy "));
}

static void test_formats(void **state)
{
    file_write("w", SMALL "expect lacking db <= 20\nexpect lacking db < 20\n");
    assert_int_equal(KIT("memctl", "--policy", "still", "--workload", path("w"), "--tap", "--junit", path("x")), 4);
    assert_true(in_file("out",
                        "TAP version 14\n1..2\n# policy still\nok 1 - lacking db <= 20\n  ---\n  message: \"is 20 "
                        "s, limit 20 s, margin +0 s, seed 1, at 20 s\"\n"));
    assert_true(in_file("out",
                        "not ok 2 - lacking db < 20\n  ---\n  message: \"is 20 s, limit 20 s, margin +0 s, seed 1, "
                        "from 20 s on\"\n"));
    assert_true(in_file("x",
                        "tests=\"2\" failures=\"1\" errors=\"0\">\n  <testcase classname=\"still\" name=\"lacking db "
                        "&#60;= 20\" file=\""));
    assert_true(in_file("x", "<system-out>is 20 s, limit 20 s, margin +0 s, seed 1, at 20 s</system-out>"));
    assert_true(in_file("x", "<failure message=\"is 20 s, limit 20 s, margin +0 s, seed 1, from 20 s on\"/>"));
    file_write("w", SMALL);
    assert_int_equal(KIT("memctl", "--policy", "still", "--workload", path("w"), "--tap"), 1);
    assert_true(in_file("err", "--tap: nothing is expected"));
    assert_int_equal(KIT("memctl", "--policy", "still", "--workload", path("w"), "--tap", "--json"), 1);
    assert_true(in_file("err", "--tap and --json: which of the two?"));
    assert_int_equal(KIT("memctl", "--policy", "still", "--workload", path("w"), "--junit", "-"), 1);
    assert_int_equal(KIT("memctl", "--policy", "stil", "--workload", path("w")), 1);
    assert_true(in_file("err", "--policy: there is no policy \"stil\"; did you mean still?"));
    file_write("w", SMALL "expect lacking <= 1 from 1s to 21s\n");
    assert_int_equal(KIT("memctl", "--policy", "still", "--workload", path("w")), 1);
    assert_true(in_file("err", "w:6: expect: it is about the time to 21 s, and the run ends at 20 s"));
}

/* Windows that follow each other have in them what there is, and a run that is over has no more. */
static void test_windows(void **state)
{
    static const char *const lines[] = { "moved", "swaps", "swaps one", "lacking", "oscillations", "drained" };
    char text[2048] = "memory 2048M\ntime 40s\nvm one memory=512M max=1G : use 360M..640M\n"
                      "vm two memory=512M max=1G : grow 100M..900M for 7s, use 360M..440M for 5s\n",
         *at, *next;
    double sum[3];

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "expect %s >= 0 from 0 to 13s\nexpect %s >= 0 from 13s to 40s\nexpect %s >= 0\n", lines[i], lines[i],
                 lines[i]);
    file_write("w", text);
    assert_int_equal(KIT("memctl", "--policy", "even", "--workload", path("w"), "--json"), 0);
    at = file_read("out");
    next = strstr(at, "\"expectations\"");
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        for (size_t n = 0; n < 3; n++) {
            next = strstr(next, "\"value\":") + strlen("\"value\":");
            sum[n] = strtod(next, NULL);
        }
        assert_true(sum[0] + sum[1] == sum[2]);
        assert_true(i > 2 || sum[0] > 0);
    }
    free(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unexpected), cmocka_unit_test(test_expected), cmocka_unit_test(test_others),
        cmocka_unit_test(test_formats),    cmocka_unit_test(test_windows),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
