// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual time: order of firing, re-arming, and what callbacks may do to the queue they are called from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/bug.h"
#include "sim/clock.h"

#define MANY 500

/* What a test's timers share: the clock, and the order in which they fired. */
struct scene {
    struct arena *arena;
    struct vclock clock;
    unsigned int fired[4 * MANY];
    unsigned int nr;
};

struct alarm {
    struct timer timer;
    struct scene *scene;
    unsigned int id;
    struct alarm *other; /* for callbacks that touch a second one */
};

static void ring(void *data)
{
    struct alarm *a = data;

    assert_false(timer_armed(&a->timer));
    a->scene->fired[a->scene->nr++] = a->id;
}

static struct alarm make(struct scene *s, unsigned int id, timer_fn *fn, struct alarm *self)
{
    struct alarm a = { .scene = s, .id = id };

    timer_init(&a.timer, fn, self);
    return a;
}

static void test_order(void **state)
{
    struct scene s = { .nr = 0 };
    struct alarm a[4];

    vclock_init(&s.clock, s.arena = arena_create());
    assert_true(vclock_next(&s.clock) == STIME_MAX);
    for (unsigned int i = 0; i < 4; i++)
        a[i] = make(&s, i, ring, &a[i]);
    timer_set(&s.clock, &a[0].timer, 300);
    timer_set(&s.clock, &a[1].timer, 100);
    timer_set(&s.clock, &a[2].timer, 300); /* same time as 0, armed later */
    timer_set(&s.clock, &a[3].timer, 200);
    assert_true(vclock_next(&s.clock) == 100);

    s.clock.now = 99;
    vclock_run(&s.clock);
    assert_int_equal(s.nr, 0);
    s.clock.now = 200;
    vclock_run(&s.clock);
    assert_int_equal(s.nr, 2);
    timer_set(&s.clock, &a[0].timer, 300); /* re-armed: now behind 2 */
    s.clock.now = 1000;
    vclock_run(&s.clock);
    assert_int_equal(s.nr, 4);
    assert_int_equal(s.fired[0], 1);
    assert_int_equal(s.fired[1], 3);
    assert_int_equal(s.fired[2], 2);
    assert_int_equal(s.fired[3], 0);
    vclock_destroy(&s.clock);
    assert_int_equal(arena_blocks(s.arena, NULL, NULL), 0);
    arena_destroy(s.arena);
}

static void ring_again(void *data)
{
    struct alarm *a = data;

    ring(data);
    timer_set(&a->scene->clock, &a->timer, a->scene->clock.now - 5);
}

/* A timer for the past fires at the next run, once a run, and not before one that was due already. */
static void test_past(void **state)
{
    struct scene s = { .nr = 0 };
    struct alarm again, due;

    vclock_init(&s.clock, s.arena = arena_create());
    again = make(&s, 1, ring_again, &again);
    due = make(&s, 2, ring, &due);
    timer_set(&s.clock, &due.timer, 40);
    s.clock.now = 50;
    timer_set(&s.clock, &again.timer, 10);
    assert_true(again.timer.expires == 50);
    vclock_run(&s.clock);
    assert_int_equal(s.nr, 2);
    assert_int_equal(s.fired[0], 2);
    assert_int_equal(s.fired[1], 1);
    vclock_run(&s.clock);
    assert_int_equal(s.nr, 3);
    assert_true(vclock_next(&s.clock) == 50);
    vclock_destroy(&s.clock);
    assert_int_equal(arena_blocks(s.arena, NULL, NULL), 0);
    arena_destroy(s.arena);
    assert_false(timer_armed(&again.timer));
}

static void ring_and_stop_other(void *data)
{
    struct alarm *a = data;

    ring(data);
    timer_stop(&a->scene->clock, &a->other->timer);
    timer_stop(&a->scene->clock, &a->timer); /* not armed: harmless */
}

static void test_stop_in_callback(void **state)
{
    struct scene s = { .nr = 0 };
    struct alarm killer, victim;

    vclock_init(&s.clock, s.arena = arena_create());
    killer = make(&s, 1, ring_and_stop_other, &killer);
    victim = make(&s, 2, ring, &victim);
    killer.other = &victim;
    timer_set(&s.clock, &killer.timer, 10);
    timer_set(&s.clock, &victim.timer, 10);
    s.clock.now = 10;
    vclock_run(&s.clock);
    assert_int_equal(s.nr, 1);
    assert_false(timer_armed(&victim.timer));
    assert_true(vclock_next(&s.clock) == STIME_MAX);
    vclock_destroy(&s.clock);
    assert_int_equal(arena_blocks(s.arena, NULL, NULL), 0);
    arena_destroy(s.arena);
}

/* Many timers, armed, re-armed and stopped at random: they fire sorted by time, then by arming. */
static void test_many(void **state)
{
    struct scene s = { .nr = 0 };
    struct alarm a[MANY];
    uint64_t armed[MANY];
    uint32_t rng = 1;

    vclock_init(&s.clock, s.arena = arena_create());
    for (unsigned int i = 0; i < MANY; i++)
        a[i] = make(&s, i, ring, &a[i]);
    for (unsigned int step = 0; step < 20 * MANY; step++) {
        struct alarm *one;

        rng = rng * 1664525 + 1013904223;
        one = &a[(rng >> 8) % MANY];
        if (rng >> 30) {
            timer_set(&s.clock, &one->timer, (rng >> 16) % 64);
            armed[one - a] = step;
        } else {
            timer_stop(&s.clock, &one->timer);
        }
    }
    for (unsigned int i = 0; i < MANY; i++)
        s.nr += timer_armed(&a[i].timer);
    assert_int_equal(s.nr, s.clock.nr);
    assert_true(s.nr > MANY / 2);
    s.nr = 0;
    while (vclock_next(&s.clock) != STIME_MAX) {
        s.clock.now = vclock_next(&s.clock);
        vclock_run(&s.clock);
    }
    for (unsigned int i = 1; i < s.nr; i++) {
        const unsigned int x = s.fired[i - 1], y = s.fired[i];
        const s_time_t tx = a[x].timer.expires, ty = a[y].timer.expires;

        assert_true(tx < ty || (tx == ty && armed[x] < armed[y]));
    }
    vclock_destroy(&s.clock);
    assert_int_equal(arena_blocks(s.arena, NULL, NULL), 0);
    arena_destroy(s.arena);
}

static jmp_buf caught;

static void catch_bug(const char *file, int line, const char *what) { longjmp(caught, 1); }

/* A bug in here can be caught by a test, and the former handler comes back. */
static void test_bug(void **state)
{
    struct vclock c;
    struct timer t;
    bug_handler_t *former = bug_set_handler(catch_bug);

    vclock_init(&c, NULL); /* nothing is queued in it */
    timer_init(&t, ring, NULL);
    t.slot = 7; /* claims to be in a queue that is empty */
    if (!setjmp(caught)) {
        timer_stop(&c, &t);
        fail();
    }
    assert_ptr_equal(bug_set_handler(former), catch_bug);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order), cmocka_unit_test(test_past), cmocka_unit_test(test_stop_in_callback),
        cmocka_unit_test(test_many),  cmocka_unit_test(test_bug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
