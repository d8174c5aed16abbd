// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Durations and sizes: what is one, and that every option and file that takes one takes the same, and answers a mistake
 * in the same words.
 *
 * Concept: the parser by itself, with a table. Then all places that take a duration or a size, each tried with all of a
 * list of good and bad ones. What is no place of the kind (a number without unit, as xl.cfg's) says so in the table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/units.h"
#include "tools/workbench/args.h"
#include "tools/workbench/load.h"
#include "tools/xl/xl_cfg.h"
#include "ui/options.h"

/* --- the parser --- */

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        s_time_t ns; /* -1: refused */
    } cases[] = {
        { "1ns", 1 },
        { "500us", 500000 },
        { "20ms", 20000000 },
        { "1s", 1000000000 },
        { "2m", 120000000000 },
        { "1.5s", 1500000000 },
        { "0.1s", 100000000 },
        { "0.000000001s", 1 },
        { "1.25us", 1250 },
        { "0.5m", 30000000000 },
        { "0s", 0 },
        { "0.1ns", 0 },
        { "100000000s", 100000000000000000 },
        { "900000000s", 900000000000000000 },
        { "900000001s", -1 },
        { "15000001m", -1 },
        { "", -1 },
        { "5", -1 },
        { "s", -1 },
        { "ms", -1 },
        { "-1s", -1 },
        { "+1s", -1 },
        { " 1s", -1 },
        { "1 s", -1 },
        { "1s ", -1 },
        { "1.s", -1 },
        { ".5s", -1 },
        { "1e3s", -1 },
        { "0x1s", -1 },
        { "1h", -1 },
        { "1S", -1 },
        { "1.2.3s", -1 },
        { "1.0000000000s", -1 },
        { "99999999999999999999999s", -1 },
        { "nans", -1 },
    };
    s_time_t ns;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ns = -1;
        if (duration_parse(cases[i].text, &ns) != (cases[i].ns >= 0) || ns != cases[i].ns)
            fail_msg("\"%s\" gives %lld", cases[i].text, (long long)ns);
    }
    assert_true(duration_parse_in("5", "s", &ns) && ns == SECONDS(5));
    assert_true(duration_parse_in("5ms", "s", &ns) && ns == MILLISECS(5));
    assert_false(duration_parse_in("5x", "s", &ns));
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t mib; /* 0: refused */
    } cases[] = {
        { "64", 64 },    { "64M", 64 },     { "64m", 64 },
        { "64MiB", 64 }, { "64MB", 64 },    { "1G", 1024 },
        { "2g", 2048 },  { "1T", 1048576 }, { "", 0 },
        { "M", 0 },      { "64K", 0 },      { "64 M", 0 },
        { "-1", 0 },     { "+1", 0 },       { "1.5G", 0 },
        { "0x10", 0 },   { "64MM", 0 },     { "99999999999999999999T", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t mib = 0;

        if (size_parse(cases[i].text, &mib) != (cases[i].mib != 0) || mib != cases[i].mib)
            fail_msg("\"%s\" gives %llu", cases[i].text, (unsigned long long)mib);
    }
}

/* --- where they are written --- */

/* Each tries a text; false: what was said of it is in `said`. */
static bool run_with(const char *option, const char *text, struct run_options *o, char said[OPTIONS_ERR_SIZE])
{
    char *args[] = { (char *)(uintptr_t)option, (char *)(uintptr_t)text, (char *)(uintptr_t) "guest" };
    const bool good = options_parse(o, COMMAND_RUN, 3, args, said) == 0;

    options_free(o);
    return good;
}

static bool run_max_vtime(const char *text, s_time_t *ns, char said[OPTIONS_ERR_SIZE])
{
    struct run_options o;
    const bool good = run_with("--max-vtime", text, &o, said);

    *ns = o.max_vtime;
    return good;
}

static bool sched_with(const char *option, const char *text, struct wb_args *a, char said[OPTIONS_ERR_SIZE])
{
    char value[128];
    char *args[] = { (char *)(uintptr_t) "sched", (char *)(uintptr_t) "--policy=rr", (char *)(uintptr_t) "--workload=w",
                     (char *)(uintptr_t) "--svg=s", value };

    snprintf(value, sizeof(value), "%s=%s", option, text);
    return wb_args_parse(a, 5, args, said, OPTIONS_ERR_SIZE);
}

static bool sched_time(const char *text, s_time_t *ns, char said[OPTIONS_ERR_SIZE])
{
    struct wb_args a;
    const bool good = sched_with("--time", text, &a, said);

    *ns = a.time;
    return good;
}

static bool sched_window(const char *text, s_time_t *ns, char said[OPTIONS_ERR_SIZE])
{
    char both[64];
    struct wb_args a;

    snprintf(both, sizeof(both), "0ns..%s", text);
    const bool good = sched_with("--window", both, &a, said);

    *ns = a.to;
    return good;
}

/* A workload with this line in it. */
static bool workload(const char *line, struct wb *wb, s_time_t *time, char said[OPTIONS_ERR_SIZE])
{
    FILE *f = fmemopen((void *)(uintptr_t)line, strlen(line), "r");
    bool good;

    assert_non_null(f);
    good = wb_load(wb, f, time, said, OPTIONS_ERR_SIZE);
    fclose(f);
    return good;
}

static bool workload_with(const char *format, const char *text, s_time_t *ns, char said[OPTIONS_ERR_SIZE])
{
    struct wb *wb = wb_create("rr", NULL, 1, 1);
    char line[160], *at = strchr(strcpy(line, format), '@'), rest[80];
    bool good;

    strcpy(rest, at + 1);
    strcpy(at, text);
    strcat(line, rest);
    *ns = 0;
    good = workload(line, wb, ns, said);
    wb_destroy(wb);
    return good;
}

static bool workload_time(const char *text, s_time_t *ns, char said[OPTIONS_ERR_SIZE])
{
    return workload_with("time @\ndomain a : compute 1ms\n", text, ns, said);
}

/* What was read is not looked at in these. */
static bool workload_frame(const char *text, s_time_t *ns, char said[OPTIONS_ERR_SIZE])
{
    const bool good = workload_with("frame @\ndomain a : compute 1ms\n", text, ns, said);

    *ns = -1;
    return good;
}

static bool workload_slot(const char *text, s_time_t *ns, char said[OPTIONS_ERR_SIZE])
{
    const bool good = workload_with("domain a : compute 1ms\nslot a @\n", text, ns, said);

    *ns = -1;
    return good;
}

static bool workload_period(const char *text, s_time_t *ns, char said[OPTIONS_ERR_SIZE])
{
    const bool good = workload_with("domain a : compute 1ms, period @\n", text, ns, said);

    *ns = -1;
    return good;
}

static void test_every_duration(void **state)
{
    static const struct {
        const char *name;
        bool (*try)(const char *text, s_time_t *ns, char said[OPTIONS_ERR_SIZE]);
    } places[] = {
        { "run --max-vtime", run_max_vtime },    { "sched --time", sched_time }, { "sched --window", sched_window },
        { "time of a workload", workload_time }, { "frame", workload_frame },    { "slot", workload_slot },
        { "period of a step", workload_period },
    };
    static const char *const good[] = { "1ns", "500us", "20ms", "1.5s", "2m", "0.5m", "100000000s" };
    static const char *const bad[] = {
        "5", "1.5", "5h", "5M", "5 ", "x", "-1s", "1e3s", "99999999999s", "5msec", ".5s"
    };
    char said[OPTIONS_ERR_SIZE], why[UNITS_WHY_SIZE];
    s_time_t ns, expected;

    for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
            assert_true(duration_parse(good[i], &expected));
            if (!places[p].try(good[i], &ns, said))
                fail_msg("%s does not take %s: %s", places[p].name, good[i], said);
            if (ns >= 0 && ns != expected)
                fail_msg("%s takes %s for %lld", places[p].name, good[i], (long long)ns);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
            if (!strcmp(bad[i], "5 ") && p > 2)
                continue; /* in a file, a space ends a word */
            duration_why(bad[i], 1, why);
            if (places[p].try(bad[i], &ns, said))
                fail_msg("%s takes %s", places[p].name, bad[i]);
            if (!strstr(said, why))
                fail_msg("%s of %s: \"%s\" instead of \"%s\"", places[p].name, bad[i], said, why);
        }
        if (places[p].try("0s", &ns, said))
            fail_msg("%s takes 0s", places[p].name);
    }
}

/* What is a number of one unit by tradition takes others as well, on the command line. */
static void test_default_units(void **state)
{
    static const struct {
        const char *option, *text;
        uint32_t us; /* 0: refused */
    } cases[] = {
        { "--period", "10000", 10000 }, { "--period", "20ms", 20000 }, { "--period", "1.5ms", 1500 },
        { "--budget", "500us", 500 },   { "--budget", "1s", 1000000 }, { "--period", "500ns", 0 },
        { "--period", "0", 0 },         { "--budget", "5h", 0 },       { "--budget", "x", 0 },
    };
    char said[OPTIONS_ERR_SIZE];
    struct wb_args a;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *args[] = { (char *)(uintptr_t)cases[i].option, (char *)(uintptr_t)cases[i].text,
                         (char *)(uintptr_t) "guest" };
        struct run_options o;
        const bool good = options_parse(&o, COMMAND_RUN, 3, args, said) == 0;
        const enum xl_sched_key key = !strcmp(cases[i].option, "--period") ? XL_SCHED_PERIOD : XL_SCHED_BUDGET;

        if (good != (cases[i].us != 0) || (good && o.guest_sched.number[key].value != cases[i].us))
            fail_msg("%s %s: %u", cases[i].option, cases[i].text, o.guest_sched.number[key].value);
        if (!good && !strstr(said, "expected a positive number of microseconds, or a time such as 20ms, got"))
            fail_msg("%s", said);
        options_free(&o);
    }
    assert_true(sched_with("--limit", "7", &a, said) && a.limit == 7);
    assert_true(sched_with("--limit", "2m", &a, said) && a.limit == 120);
    assert_true(sched_with("--limit", "1500ms", &a, said) && a.limit == 2);
    assert_true(sched_with("--decisions", "20000", &a, said) && a.decisions == 20000);
    assert_false(sched_with("--limit", "0", &a, said));
    assert_false(sched_with("--limit", "61m", &a, said));
    assert_non_null(strstr(said, "--limit: \"61m\" is no time from 1 to 3600 seconds, such as 5, 5s or 2m"));
}

static void test_every_size(void **state)
{
    static const char *const options[] = { "--memory", "--ram" };
    static const char *const bad[] = { "64K", "x", "1.5G", "-1", "", "0", "64 M", "1P" };
    char said[OPTIONS_ERR_SIZE], err[XL_ERR_SIZE];
    struct run_options o;
    struct xl_config cfg;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        assert_true(run_with(options[i], "64", &o, said) && (i ? o.ram_mib : o.memory_mib) == 64);
        assert_true(run_with(options[i], "64M", &o, said) && (i ? o.ram_mib : o.memory_mib) == 64);
        assert_true(run_with(options[i], "1G", &o, said) && (i ? o.ram_mib : o.memory_mib) == 1024);
        for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
            assert_false(run_with(options[i], bad[k], &o, said));
            assert_non_null(strstr(said, " MiB, such as 64, 64M or 1G"));
        }
    }
    /* xl.cfg's are numbers, since xl takes nothing else. */
    static const char text[] = "kernel = 'k'\nmemory = '64M'\n";

    assert_int_equal(xl_config_parse(&cfg, "g.cfg", text, sizeof(text) - 1, err), -1);
    assert_string_equal(err, "g.cfg:2: memory: expected a positive number of MiB (at most 524287), got \"64M\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),     cmocka_unit_test(test_sizes),      cmocka_unit_test(test_every_duration),
        cmocka_unit_test(test_default_units), cmocka_unit_test(test_every_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
