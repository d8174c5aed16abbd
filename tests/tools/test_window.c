// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The trace before here: a window that was used on many ways, forward, back, far, into other futures, has the records
 * of one that is taken anew, and both have those that a listener heard of the straight run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/random.h"
#include "tests/tools/runs.h"
#include "tools/debug/window.h"

#define LEAST 60
#define MOST  3000

static uint64_t prng = 1;

static bool same(const struct trace_record *a, const struct trace_record *b)
{
    const size_t seq = sizeof(a->seq), size = trace_record_size(a);

    return size == trace_record_size(b) && !memcmp((const uint8_t *)a + seq, (const uint8_t *)b + seq, size - seq);
}

/* The shorter one is the longer one's end. */
static void is_end_of(const struct window *a, const struct window *b, const char *where)
{
    const size_t n = a->nr < b->nr ? a->nr : b->nr;

    for (size_t i = 0; i < n; i++)
        if (!same(&a->rec[a->nr - n + i], &b->rec[b->nr - n + i]))
            fail_msg("%s: record %zu of %zu and %zu differs", where, i, a->nr, b->nr);
}

static void compare(struct debugger *d, struct window *used, const char *where)
{
    struct window fresh = { 0 };
    const struct position here = debugger_here(d);

    assert_int_equal(window_take(d, LEAST, MOST, used), DEBUG_THERE);
    assert_int_equal(window_take(d, LEAST, MOST, &fresh), DEBUG_THERE);
    assert_memory_equal(&here, &d->rw->m->at, sizeof(here));
    assert_memory_equal(&used->to, &here, sizeof(here));
    assert_true(used->nr <= MOST && fresh.nr <= MOST);
    assert_true(used->nr >= LEAST || used->from_begin || fresh.nr < LEAST);
    is_end_of(used, &fresh, where);
    window_free(&fresh);
}

static void visits(const struct run_setup *s)
{
    static const bool never;
    const struct host_io io = { 0 };
    struct host *host = run_begin(s, &io, 0, NULL, NULL);
    const struct run_limit all = { .until = RUN_UNTIL_NS, .at = { .insns = UINT64_MAX }, .stop = &never };
    struct window used = { 0 };
    struct rewind rw = { 0 };
    struct debugger d;
    char err[REWIND_ERR_SIZE];

    assert_int_equal(rewind_begin(&rw, host, 64, err), 0);
    rw.every = 20000;
    debugger_begin(&d, &rw, &never);
    d.dom = 1;
    rewind_run(&rw, &all);
    for (unsigned int i = 0; i < 60; i++) {
        const uint64_t insns = debugger_here(&d).insns, near = random_of(&prng, 5000);
        struct position to = { .insns = random_of(&prng, rw.end.insns + 1) };

        if (i % 3)
            to.insns = i % 3 == 1 ? insns + near : insns > near ? insns - near : 0;
        if (position_is_before(rw.end, to))
            to = rw.end;
        if (position_is_before(to, rewind_first(&rw)))
            to = rewind_first(&rw);
        assert_int_equal(debugger_goto(&d, to), DEBUG_THERE);
        if (i % 7 == 3)
            rewind_checkpoint(&rw);
        compare(&d, &used, s->kernel);
        if (i == 40 && position_is_before(debugger_here(&d), rw.end))
            assert_int_equal(rewind_branch(&rw, NULL, err), 0);
    }
    window_free(&used);
    debugger_end(&d);
    rewind_finish(&rw);
    host_silence(host, true);
    host_destroy(host);
}

static void test_windows_of_many_ways(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(run_setups) - 2; i++)
        visits(&run_setups[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_windows_of_many_ways) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
