// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fixed sample of the survey (survey.h), and: would it say so? Its judges are told of processors that are not this
 * one, and its team of a case that kills.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "tests/cpu/survey.h"

static void print(const struct survey_result *r)
{
    for (unsigned int i = 0; i < r->nr_findings; i++) {
        const struct survey_finding *f = &r->finding[i];
        char name[64];

        survey_case_name(&f->first, name, sizeof(name));
        print_message("%s %s: %s (%lu times)\n", survey_way_name(f->way), name, f->why, (unsigned long)f->count);
    }
}

static void sample(void **state)
{
    const struct survey_plan plan = {
        .workers = 2,
        .seconds = 60,
        .ways = (1u << SURVEY_NR_WAYS) - 1,
        .every = { [SURVEY_SINGLE] = 199,
                   [SURVEY_PAGE] = 3989,
                   [SURVEY_WHOLE] = 1999,
                   [SURVEY_WHOLE_PAGE] = 15991,
                   [SURVEY_HOST] = 199 },
    };
    struct survey_result *r = survey_run(&plan);

    print(r);
    assert_true(r->complete);
    assert_int_equal(r->nr_findings, 0);
    assert_true(r->tried[SURVEY_SINGLE] > 20000 && r->tried[SURVEY_PAGE] > 1000);
    assert_true(r->tried[SURVEY_WHOLE] > 3000 && r->tried[SURVEY_WHOLE_PAGE] > 400);
    assert_true(r->invalid > r->tried[SURVEY_SINGLE] / 4 && r->invalid < r->tried[SURVEY_SINGLE] * 9 / 10);
    survey_result_free(r);
}

/*
 * The judges are told that a feature is there, or is not. Both must be seen to be untrue; what has nothing to do with
 * it is fine.
 */
static void judges_speak(void **state)
{
    static const struct {
        enum survey_feature feature;
        bool claimed;
        const char *hex, *says;
    } rows[] = {
        { FEAT_RDRAND, true, "0fc7f0", "announced" },
        { FEAT_AVX, true, "c5f058c9", NULL /* allowed either way */ },
        { FEAT_SSE3, false, "f20f7cc9", "not announced" },
        { FEAT_SSE41, false, "660f3817c9", "not announced" },
        { FEAT_POPCNT, false, "f30fb8c8", "not announced" },
        { FEAT_SSE3, false, "660ffec9", NULL },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const survey_features bit = UINT64_C(1) << rows[i].feature;
        struct survey_fast *s =
            survey_fast_create(rows[i].claimed ? survey_announced() | bit : survey_announced() & ~bit);
        char why[SURVEY_WHY] = "fine";
        struct survey_case c;

        assert_true(survey_case_parse(&c, "64", rows[i].hex));
        if (survey_single(s, &c, why) != !rows[i].says || !strstr(why, rows[i].says ?: "fine"))
            fail_msg("%s: %s", rows[i].hex, why);
        survey_fast_destroy(s);
    }
}

static void die_at_some(const struct survey_case *c)
{
    if (c->mode == SURVEY_RING1 && c->map == MAP_0F && (c->opcode & 0xf0) == 0xa0)
        raise(SIGKILL);
}

/* Whoever tries one of some opcodes dies: each is a finding, and every case is tried all the same. */
static void team_survives(void **state)
{
    const struct survey_plan plan = { .workers = 2,
                                      .seconds = 60,
                                      .ways = 1u << SURVEY_SINGLE,
                                      .every = { [SURVEY_SINGLE] = 499 },
                                      .before = die_at_some },
                             alive = { .workers = 1, .seconds = 60, .ways = plan.ways, .every = { 499 } };
    struct survey_result *r = survey_run(&plan), *all = survey_run(&alive);
    unsigned int deaths = 0;

    for (unsigned int i = 0; i < r->nr_findings; i++)
        if (strstr(r->finding[i].why, "dies of signal 9"))
            deaths++;
    assert_true(r->complete && all->complete);
    assert_int_equal(r->tried[SURVEY_SINGLE], all->tried[SURVEY_SINGLE]);
    assert_true(deaths > 0);
    assert_int_equal(r->nr_findings, all->nr_findings + deaths);
    survey_result_free(all);
    survey_result_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_speak),
        cmocka_unit_test(team_survives),
        cmocka_unit_test(sample),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
