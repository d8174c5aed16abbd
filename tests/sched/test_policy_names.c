// SPDX-License-Identifier: GPL-2.0-or-later
/* What a policy calls itself is shown in reports: it cannot steer a terminal, nor break JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/workbench/guard.h"
#include "vcpu/sched/sched.h"

static void test_names(void **state)
{
    struct sched_ops ops = *sched_ops_by_name("rr", 2);
    struct wb_watch watch = { 0 };
    struct wb_guard guard = { 0 };

    ops.name = "\033[31mRound\nRobin của tôi\a";
    ops.opt_name = "r\033r";
    assert_null(wb_guard_init(&guard, &ops, &watch));
    assert_string_equal(guard.ops.name, "?[31mRound?Robin của tôi?");
    assert_string_equal(guard.ops.opt_name, "r?r");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
