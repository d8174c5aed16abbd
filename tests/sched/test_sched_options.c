// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What may be written behind --sched: the table in options.c agrees with what the policies take, and mistakes get a
 * list of what would be right.
 */
#include "tests/sched/common.h"
#include "vcpu/sched/names.h"

/* Both say the same of this option. */
static void expect(const char *option, bool good)
{
    struct wb *wb = wb_create(option, NULL, 2, 1);
    char why[256] = "";

    if (sched_option_check(option, why, sizeof(why)) != good)
        fail_msg("the check says of %s: %s", option, good ? why : "fine");
    if ((wb != NULL) != good)
        fail_msg("the scheduler says of %s: %s", option, good ? "no" : "fine");
    wb_destroy(wb);
}

static void table_and_policies_agree(void **state)
{
    char option[128];
    size_t nr;
    const struct sched_tunable *p = sched_tunables(&nr);

    for (size_t i = 0; i < nr; i++) {
        /* A slice long enough for any ratelimit. */
        const char *also = !strcmp(p[i].policy, "credit") && strcmp(p[i].name, "tslice_ms") ? ",tslice_ms=1000" : "";
        const long values[] = { p[i].min, p[i].max, p[i].min - 1, p[i].max + 1, 0 };

        for (int k = 0; k < 5; k++) {
            snprintf(option, sizeof(option), "%s,%s=%ld%s", p[i].policy, p[i].name, values[k], also);
            expect(option, k < 2 || (values[k] == 0 && (p[i].or_zero || p[i].min == 0)));
        }
    }
}

static void names_and_combinations(void **state)
{
    static const char *const good[] = {
        "credit",
        "credit2",
        "rtds",
        "arinc653",
        "null",
        "rr",
        "credit,ratelimit_us=50000,tslice_ms=60",
        "credit,tslice_ms=60,ratelimit_us=50000",
    };
    static const char *const bad[] = {
        "",
        "Credit",
        "credit3",
        "credit2,tslice_ms=5",
        "rtds,x=1",
        "null,slice_ms=1",
        "credit,",
        "credit,,",
        "credit,tslice_ms",
        "credit,tslice_ms=",
        "rr,=5",
        "rr,tslice_ms=5,",
        "credit,a=5",
        "rr,tslice_ms=5x",
        "rr,tslice_ms=0x10",
        "rr;tslice_ms=5",
        "credit,ratelimit_us=31000", /* longer than a slice */
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        expect(good[i], true);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char why[256] = "";

        assert_false(sched_option_check(bad[i], why, sizeof(why)));
        assert_true(strlen(why) > 20);
    }
}

static void mistakes_list_what_is_right(void **state)
{
    static const char *const cases[][2] = {
        { "cfs", "there is no scheduler \"cfs\" (there are: credit, credit2, rtds, arinc653, null, rr)" },
        { "credit,x=1", "credit has no parameter \"x\" (it has: tslice_ms, ratelimit_us, vcpu_migr_delay_us)" },
        { "rtds,x=1", "rtds has no parameter \"x\" (it has: none)" },
        { "credit2,ratelimit_us=99", "expected ratelimit_us=0, or 100 to 500000, got \"ratelimit_us=99\"" },
        { "rr,tslice_ms=often", "expected tslice_ms=1 to 1000, got \"tslice_ms=often\"" },
        { "credit,ratelimit_us=31000", "ratelimit_us=31000 is longer than a slice, tslice_ms=30" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char why[256];

        assert_false(sched_option_check(cases[i][0], why, sizeof(why)));
        assert_string_equal(why, cases[i][1]);
    }
}

/*
 * Every beginning, of three letters or more, that fits one parameter of the policy only; and the same of the policies'
 * names.
 */
static void beginnings_are_answered(void **state)
{
    char option[128], says[64], why[256];
    size_t nr;
    const struct sched_tunable *p = sched_tunables(&nr);

    for (size_t i = 0; i < nr; i++)
        for (size_t len = 3; len < strlen(p[i].name); len++) {
            snprintf(option, sizeof(option), "%s,%.*s=1", p[i].policy, (int)len, p[i].name);
            snprintf(says, sizeof(says), "; did you mean %s? (it has", p[i].name);
            assert_false(sched_option_check(option, why, sizeof(why)));
            if (!strstr(why, says))
                fail_msg("%s: %s", option, why);
        }
    static const char *const names[][2] = {
        { "arinc", "arinc653" }, { "ari", "arinc653" }, { "rtd", "rtds" }, { "nul", "null" }, { "credi", "credit" },
        { "credit3", "credit" }, { "cre", NULL },       { "cfs", NULL },   { "fifo", NULL },  { "roundrobin", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(says, sizeof(says), "; did you mean %s? (there are", names[i][1] ? names[i][1] : "");
        assert_false(sched_option_check(names[i][0], why, sizeof(why)));
        if (names[i][1] ? !strstr(why, says) : strstr(why, "did you mean") != NULL)
            fail_msg("%s: %s", names[i][0], why);
    }
}

/* Shared objects belong to the workbench: whoever tries them with guests is told. */
static void policies_of_ones_own(void **state)
{
    char why[256] = "";

    assert_false(sched_option_check("./lottery.so", why, sizeof(why)));
    assert_non_null(strstr(why, "xenlab sched --policy ./lottery.so"));
    assert_false(sched_option_check("lottery.so", why, sizeof(why)));
    assert_non_null(strstr(why, "xenlab sched --policy lottery.so"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_of_ones_own),    cmocka_unit_test(table_and_policies_agree),
        cmocka_unit_test(names_and_combinations),  cmocka_unit_test(mistakes_list_what_is_right),
        cmocka_unit_test(beginnings_are_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
