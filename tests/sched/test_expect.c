// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Expectations of the workbench: what they say must be what the report says, whatever seed, window or policy.
 *
 * It could pass wrongly if report and expectation took one wrong number both: the figures themselves are tried in
 * test_workbench.c, and by each policy's own tests.
 */
#include "command.h"
#include "tools/workbench/figures.h"

#include <math.h>

static const char workload[] = "pcpus 2\ntime 900ms\nswitch-cost 3us\n"
                               "domain web vcpus=2 weight=512 cap=120 : compute 1ms..3ms, sleep 4ms..9ms\n"
                               "domain audio : compute 1ms, period 10ms\n"
                               "domain batch count=3 : compute forever\n"
                               "at 300ms pause web\nat 500ms unpause web\n";

/* What follows key in text, as a number. */
static double number_after(const char *text, const char *key)
{
    const char *at = text ? strstr(text, key) : NULL;

    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

/* The figure of one line, which is all that is expected. */
static double value(const char *policy, const char *seed, const char *line)
{
    char text[1024], *json;
    double is;

    snprintf(text, sizeof(text), "%sexpect %s\n", workload, line);
    file_write("w", text);
    assert_in_range(WORKBENCH("--policy", policy, "--workload", path("w"), "--json", "--seed", seed), 0, 4);
    json = file_read("out");
    is = number_after(strstr(json, "\"expectations\""), "\"value\":");
    free(json);
    return is;
}

static double of_report(const char *policy, const char *seed, const char *domain, const char *key)
{
    char *json;
    double is;

    file_write("w", workload);
    assert_int_equal(WORKBENCH("--policy", policy, "--workload", path("w"), "--json", "--seed", seed), 0);
    json = file_read("out");
    is = number_after(domain ? strstr(json, domain) : json, key);
    free(json);
    return is;
}

static void near(double a, double b, double by)
{
    if (fabs(a - b) > by)
        fail_msg("%.9g and %.9g differ", a, b);
}

static void test_figures(void **state)
{
    static const struct {
        const char *line, *domain, *key;
        double factor;
    } same[] = {
        { "share batch1 >= 0", "\"batch1\"", "\"share\":", 0.01 },
        { "p99 audio >= 0", "\"audio\"", "\"p99_ns\":", 1 },
        { "p50 web.1 >= 0", "{\"vcpu\":1", "\"p50_ns\":", 1 },
        { "max web.0 >= 0", "\"web\"", "\"max_ns\":", 1 },
        { "longest batch0 >= 0", "\"batch0\"", "\"longest_wait_ns\":", 1 },
        { "switches audio >= 0", "\"audio\"", "\"switches\":", 1 },
        { "migrations audio >= 0", "\"audio\"", "\"migrations\":", 1 },
        { "misses audio >= 0", "\"audio\"", "\"misses\":", 1 },
        { "jobs audio.0 >= 0", "\"audio\"", "\"jobs\":", 1 },
        { "refused audio >= 0", "\"audio\"", "\"refused\":", 1 },
        { "p99 >= 0", NULL, "\"p99_ns\":", 1 },
        { "switches >= 0", NULL, "\"context_switches\":", 1 },
        { "longest >= 0", NULL, "\"longest_wait_ns\":", 1 },
        { "misses >= 0", NULL, "\"misses\":", 1 },
        { "jobs >= 0", NULL, "\"jobs\":", 1 },
        { "migrations >= 0", NULL, "\"migrations\":", 1 },
        { "max >= 0", NULL, "\"max_ns\":", 1 },
        { "p50 >= 0", NULL, "\"p50_ns\":", 1 },
        { "fairness >= 0", NULL, "\"fairness_error\":", 0.01 },
        { "busy >= 0", NULL, "\"utilisation\":", 0.01 },
        { "decisions >= 0", NULL, "\"decisions\":", 1 },
    };

    for (size_t p = 0; p < ARRAY_SIZE(policies); p++)
        for (size_t i = 0; i < ARRAY_SIZE(same); i++)
            near(value(policies[p], "7", same[i].line),
                 same[i].factor * of_report(policies[p], "7", same[i].domain, same[i].key), 0.0001);
}

/* Why a domain was refused: credit2 has no cap above what its vCPUs can use. */
static void test_errno(void **state)
{
    file_write("w", "time 10ms\ndomain a cap=150 : compute forever\ndomain b : compute forever\n"
                    "expect errno a == 22\nexpect errno b == 0\nexpect refused == 1\n");
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w")), 0);
    file_write("w", "time 10ms\ndomain b : compute forever\nexpect errno b == 22\n");
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w")), 4);
}

/* Windows that follow each other have in them what there is; and what counts nothing holds nothing. */
static void test_windows(void **state)
{
    for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
        const char *policy = policies[p];

        near((value(policy, "3", "share web >= 0 from 0 to 300ms") +
              value(policy, "3", "share web >= 0 from 300ms to 600ms") +
              value(policy, "3", "share web >= 0 from 600ms to 900ms")) /
                 3,
             value(policy, "3", "share web >= 0"), 1e-6);
        near(value(policy, "3", "jobs audio >= 0 from 0 to 400ms") +
                 value(policy, "3", "jobs audio >= 0 from 400ms to 900ms"),
             value(policy, "3", "jobs audio >= 0"), 0);
        near(value(policy, "3", "switches >= 0 from 0 to 123ms") +
                 value(policy, "3", "switches >= 0 from 123ms to 900ms"),
             value(policy, "3", "switches >= 0"), 0);
        near(value(policy, "3", "decisions >= 0 from 0 to 123ms") +
                 value(policy, "3", "decisions >= 0 from 123ms to 900ms"),
             value(policy, "3", "decisions >= 0"), 0);
        near(value(policy, "3", "misses >= 0"), value(policy, "3", "misses audio >= 0"), 0); /* nobody else has any */
        near(value(policy, "3", "share web.0 >= 0") + value(policy, "3", "share web.1 >= 0"),
             value(policy, "3", "share web >= 0"), 1e-6);
        near(value(policy, "3", "longest web >= 0 from 305ms to 495ms"), 0, 0); /* what was before does not count */
        near(value(policy, "3", "share web >= 0 from 301ms to 499ms"), 0, 0);
        near(value(policy, "3", "jobs web >= 0 from 301ms to 499ms"), 0, 0);
    }
}

/* Of a policy that knows no weights: 3 to 1 is what is right, and one half what is. */
static void test_fairness(void **state)
{
    file_write("w", "time 2s\ndomain heavy weight=768 : compute forever\ndomain light weight=256 : compute forever\n"
                    "expect fairness >= 24.5%\nexpect fairness <= 25.5%\nexpect busy >= 99.9%\nexpect busy <= 1\n");
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w")), 0);
    file_write("w", "time 2s\ndomain one : compute forever\ndomain two : compute forever\nexpect fairness <= 1%\n");
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w")), 0);
}

/* A run that is looked at on the way is the run that it is. */
static void test_looked_at(void **state)
{
    for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
        struct wb *a = wb_create(policies[p], NULL, 2, 5), *b = wb_create(policies[p], NULL, 2, 5);

        assert_true(a && b);
        for (unsigned int i = 0; i < 2; i++) {
            struct wb *wb = i ? a : b;

            assert_non_null(wb_domain_add(wb, "one", 3, "compute 1ms..3ms, sleep 2ms..5ms"));
            assert_non_null(wb_domain_add(wb, "two", 2, "compute forever"));
            assert_non_null(wb_domain_add(wb, "three", 1, "compute 1ms, period 7ms"));
            for (struct wb_domain *wd = wb->domains; wd; wd = wd->next)
                wb_domain_apply(wd);
        }
        assert_true(wb_run(a, MILLISECS(500)));
        for (unsigned int i = 1; i <= 1000; i++)
            assert_true(wb_run(b, (s_time_t)i * MILLISECS(500) / 1000));
        assert_int_equal(a->decisions, b->decisions);
        for (unsigned int i = 0; i < a->nr_vcpus; i++) {
            assert_int_equal(wb_runtime(a->vcpus[i]), wb_runtime(b->vcpus[i]));
            assert_int_equal(a->vcpus[i]->switches, b->vcpus[i]->switches);
            assert_int_equal(a->vcpus[i]->latency.nr, b->vcpus[i]->latency.nr);
        }
        wb_destroy(a);
        wb_destroy(b);
    }
}

/* The worst of ten seeds is that of ten runs; and another policy's run is that policy's. */
static void test_seeds(void **state)
{
    char seed[8], *json;
    double worst = 0;

    for (unsigned int i = 1; i <= 10; i++) {
        const double is = (snprintf(seed, sizeof(seed), "%u", i), value("credit", seed, "p99 web <= 1ms"));

        worst = is > worst ? is : worst;
    }
    near(value("credit", "1", "p99 web <= 1ms seeds 1..10"), worst, 0);
    near(value("credit", "99", "p99 web <= 1ms seeds 1..10"), worst, 0);
    json = file_read("out");
    near(number_after(strstr(json, "\"expectations\""), "\"value\":"), worst, 0);
    free(json);
    for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
        char line[64];

        snprintf(line, sizeof(line), "share web >= 0.5*%s", policies[p]);
        value("credit2", "4", line);
        json = file_read("out");
        near(number_after(strstr(json, "\"expectations\""), "\"limit\":"),
             0.5 * value(policies[p], "4", "share web >= 0"), 1e-7);
        free(json);
    }
}

static void test_verdicts(void **state)
{
    static const struct {
        const char *line;
        int rc;
    } lines[] = {
        { "jobs audio == 90", 0 },
        { "jobs audio != 90", 4 },
        { "jobs audio <= 90", 0 },
        { "jobs audio < 90", 4 },
        { "jobs audio >= 90", 0 },
        { "jobs audio > 90", 4 },
        { "jobs audio > 89", 0 },
        { "p99 web <= 1*credit2", 0 },
        { "p99 web < 1*credit2", 4 },
        { "share web <= 120%", 0 },
        { "share web <= 1.2 # cap", 0 },
        { "expect", 1 },
        { "p99 audio <= 1s from 301ms to 302ms", 4 }, /* nobody woke: no figure is as good as it gets */
        { "p99 audio >= 0 from 301ms to 302ms", 4 },
        { "share web >= 1 from 1s to 2s", 1 },
        { "share web.2 >= 1", 1 },
        { "jobs audio == 90 seeds 1..2", 0 },
        { "jobs audio == 90 seeds 18446744073709551614..18446744073709551615", 0 },
        { "jobs audio == 90 seeds 1..2 from 0 to 900ms", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        char text[1024];

        snprintf(text, sizeof(text), "%sexpect %s\n", workload, lines[i].line);
        file_write("w", text);
        if (WORKBENCH("--policy", "credit2", "--workload", path("w")) != lines[i].rc)
            fail_msg("\"%s\": not %d", lines[i].line, lines[i].rc);
        snprintf(text, sizeof(text), "# a file of its own\n\nexpect %s\n", lines[i].line);
        file_write("w", workload);
        file_write("e", text);
        assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w"), "--expect", path("e")), lines[i].rc);
    }
}

/* It holds until audio is paused for longer than its period, and no more. */
static void test_when(void **state)
{
    file_write("w", "time 1s\ndomain audio : compute 1ms, period 10ms\nat 500ms pause audio\nat 530ms unpause audio\n"
                    "expect misses audio == 0\nexpect misses audio == 0 from 0 to 500ms\n");
    assert_int_equal(WORKBENCH("--policy", "credit2", "--workload", path("w")), 4);
    assert_in_file("out", "expectations      1 of 2 held");
    assert_in_file("out", "  LOST  misses audio == 0: is ");
    assert_in_file("out", "seed 1, from 0.54 s on (");
    assert_in_file("out", "  held  misses audio == 0 from 0 to 500ms: is 0, limit 0, margin +0, seed 1, at 0.5 s (");
}

/* All that is in a file; the workload's path is F there. */
static void whole(const char *name, const char *text)
{
    char *is = file_read(name), *at;
    const size_t len = strlen(path("w"));

    while ((at = strstr(is, path("w")))) {
        *at = 'F';
        memmove(at + 1, at + len, strlen(at + len) + 1);
    }
    assert_string_equal(is, text);
    free(is);
}

static void test_formats(void **state)
{
    char text[200];

    file_write("w", "domain a : compute forever\nexpect share a >= 90%\nexpect share a < 90%\n");
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--tap", "--junit", path("junit")), 4);
    whole("out",
          "TAP version 14\n1..2\n# policy rr\n"
          "ok 1 - share a >= 90%\n  ---\n  message: \"is 100.00 %, limit 90.00 %, margin +10.00 %, seed 1, at 1 s\"\n"
          "  at: \"F:2\"\n  ...\n"
          "not ok 2 - share a < 90%\n  ---\n  message: \"is 100.00 %, limit 90.00 %, margin -10.00 %, seed 1, "
          "from 0.01 s on\"\n  at: \"F:3\"\n  ...\n");
    whole("junit", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<testsuite name=\"xenlab sched\" tests=\"2\" failures=\"1\" errors=\"0\">\n"
                   "  <testcase classname=\"rr\" name=\"share a &#62;= 90%\" file=\"F\" line=\"2\">\n"
                   "    <system-out>is 100.00 %, limit 90.00 %, margin +10.00 %, seed 1, at 1 s</system-out>\n"
                   "  </testcase>\n"
                   "  <testcase classname=\"rr\" name=\"share a &#60; 90%\" file=\"F\" line=\"3\">\n"
                   "    <failure message=\"is 100.00 %, limit 90.00 %, margin -10.00 %, seed 1, from 0.01 s on\"/>\n"
                   "  </testcase>\n</testsuite>\n");
    /* the policy's fault: nothing is judged */
    if (!build("tests/sched/bad_policy.c", 7))
        return;
    assert_int_equal(
        WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--tap", "--junit", path("junit")), 2);
    assert_in_file("out", "Bail out! policy ");
    assert_in_file("junit", "failures=\"0\" errors=\"2\"");
    /* another one's: no limit */
    file_write("w", "domain a : compute forever\nexpect share a >= 90%\n");
    snprintf(text, sizeof(text), "expect share a >= 1*%s\n", path("policy.so"));
    file_write("e", text);
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--expect", path("e")), 1);
    assert_in_file("err", ":1: expect: so there is no limit: that is no fault of the policy that is tried");
    if (!build("tests/sched/bad_policy.c", 0))
        return;
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--expect", path("e")), 0);
    assert_in_file("out", "is 100.00 %, limit 100.00 %, margin +0.00 %");
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *line, *message;
    } wrong[] = {
        { "share >= 1", ":2: expect: share of whom?" },
        { "shar a >= 1",
          ":2: expect: there is no metric \"shar\"; did you mean share? (there are: share, wait, p50, " },
        { "p99 a <= 3", ":2: expect: p99: \"3\" has no unit" },
        { "share a >= 3ms", ":2: expect: \"3ms\": expected a part, such as 0.6 or 60%" },
        { "jobs a >= 3%", ":2: expect: \"3%\": expected a number" },
        { "jobs a >= -3", "expected a number" },
        { "jobs a >= nan", "expected a number" },
        { "jobs a >= 1e999", "expected a number" },
        { "jobs a", "expected <=, >=, ==, !=, < or >, got \"\"" },
        { "jobs a => 1", "got \"=>\"" },
        { "busy a >= 1", "busy is of the whole run" },
        { "share b >= 1", ":2: expect share: there is no such domain or vCPU" },
        { "share a.7 >= 1", ":2: expect share: domain a has no such vCPU" },
        { "share a >= 1*cfs", "there is no scheduler \"cfs\"" },
        { "share a >= x*rr", "expected FACTOR*POLICY" },
        { "share a >= *rr", "expected FACTOR*POLICY" },
        { "share a >= 1*", "expected FACTOR*POLICY" },
        { "share a >= 1*./none.so", "the policy ./none.so cannot be read" },
        { "share a >= -1*rr", "expected FACTOR*POLICY" },
        { "share a >= nan*rr", "expected FACTOR*POLICY" },
        { "share a >= 1 from 1s to 1s", "it ends before it begins, or as it begins" },
        { "share a >= 1 from 0 to 0", "it ends before it begins, or as it begins" },
        { "share a >= 1 for 1s to 2s", "\"for\": expected from, or seeds" },
        { "share a >= 1 from 1s", "expected: from TIME to TIME" },
        { "share a >= 1 from 2s to 1s", "it ends before it begins" },
        { "share a >= 1 from 1 to 2s", "from: \"1\" has no unit" },
        { "share a >= 1 from 0 to 2s", ":2: expect: it is about the time to 2 s, and the run ends at 1 s" },
        { "share a >= 1 seeds 1-5", "seeds: \"1-5\": expected A..B" },
        { "share a >= 1 seeds 5..1", "expected A..B" },
        { "share a >= 1 seeds 1..20000", "at most 10000" },
        { "share a >= 1 seeds 1..2 seeds 3..4", "\"seeds\": expected" },
        { "", "there is no metric \"\"" },
    };
    char text[256];

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        snprintf(text, sizeof(text), "domain a : compute forever\nexpect %s\n", wrong[i].line);
        file_write("w", text);
        if (WORKBENCH("--policy", "rr", "--workload", path("w")) != 1)
            fail_msg("\"%s\" will do", wrong[i].line);
        assert_in_file("err", wrong[i].message);
    }
    file_write("w", "domain a : compute forever\n");
    file_write("e", "domain b : compute forever\n");
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--expect", path("e")), 1);
    assert_in_file("err", ":1: lines here begin with expect");
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--expect", path("none")), 1);
    assert_in_file("err", "cannot read ");
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--tap"), 1);
    assert_in_file("err", "--tap: nothing is expected");
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--junit", path("w")), 1);
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--tap", "--json"), 1);
    assert_in_file("err", "--tap and --json: which of the two?");
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--junit", "-"), 1);
    assert_int_equal(WORKBENCH("--policy", "rr", "--workload", path("w"), "--decisions", "0"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),   cmocka_unit_test(test_windows), cmocka_unit_test(test_fairness),
        cmocka_unit_test(test_looked_at), cmocka_unit_test(test_seeds),   cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_when),      cmocka_unit_test(test_formats), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_errno),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
