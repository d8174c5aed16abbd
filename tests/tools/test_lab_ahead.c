// SPDX-License-Identifier: GPL-2.0-or-later
/* Several seeds at the same time: what is taken, and in which order, is the same for any number of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/lab/ahead.h"

#include <stdatomic.h>

static atomic_uint worked, under_way, most;
static unsigned int taken, freed, untaken, stop_after;
static uint64_t next;

static void work(struct ahead *a)
{
    const unsigned int now = ++under_way;
    unsigned int seen = most;

    while (seen < now && !atomic_compare_exchange_weak(&most, &seen, now))
        ;
    a->rc = (int)(a->seed % 1000);
    worked++;
    under_way--;
}

static bool take(struct check *c, struct ahead *a)
{
    assert_true(a->seed == next++);
    assert_int_equal(a->rc, a->seed % 1000);
    assert_ptr_equal(a->c.lab, c->lab);
    return ++taken != stop_after;
}

static void let_go(struct ahead *a, bool was_taken)
{
    (void)a;
    freed++;
    untaken += !was_taken;
}

static void test_order(void **state)
{
    static const struct {
        uint64_t from, to;
        unsigned int stop_after, taken;
    } rows[] = {
        { 1, 1, 0, 1 },
        { 1, 9, 0, 9 },
        { 1, 9, 1, 1 },
        { 1, 9, 4, 4 },
        { 1, 9, 9, 9 },
        { 0, 199, 0, 200 },
        { 0, 199, 73, 73 },
        { UINT64_MAX - 2, UINT64_MAX, 0, 3 }, /* there is no next one */
        { UINT64_MAX, UINT64_MAX, 0, 1 },
    };
    static const struct ahead_work w = { work, take, let_go };
    const struct lab lab = { .form = "H" };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (unsigned int at_once = 0; at_once < 7; at_once++) {
            struct check c = { .lab = &lab, .seed_from = rows[i].from, .seed_to = rows[i].to, .at_once = at_once };

            worked = most = taken = freed = untaken = 0;
            next = rows[i].from, stop_after = rows[i].stop_after;
            ahead_run(&c, &w);
            assert_int_equal(taken, rows[i].taken);
            assert_int_equal(freed, worked);
            assert_int_equal(untaken, worked - taken);
            assert_true(most <= (at_once > AHEAD_MAX ? AHEAD_MAX : at_once ?: 1));
            assert_true(worked < taken + AHEAD_MAX);
            assert_int_equal(under_way, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
