// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel of native domains: which task has its step when.
 *
 * A task of these tests writes its letter into a line that all share, so that a line is an order of steps.
 */
#include "tests/vcpu/fixture.h"

#include "vcpu/run.h"

struct scribe {
    struct task task;
    char letter;
    unsigned int steps;  /* that it has work for */
    struct task *wakes;  /* made ready in its step */
    struct scribe *ends; /* ended in its step */
    evtchn_port_t port;
    struct fixture *f;
    char *line;
};

static bool scribe_step(struct task *t, unsigned int budget)
{
    struct scribe *s = t->data;
    const size_t len = strlen(s->line);

    assert_int_equal(budget, NATIVE_STEP_BUDGET);
    s->line[len] = s->letter;
    s->line[len + 1] = 0;
    if (s->wakes)
        task_ready(s->wakes);
    s->wakes = NULL;
    if (s->steps)
        s->steps--;
    if (s->ends)
        task_end(&s->ends->task);
    return s->ends != s && s->steps > 0;
}

static const struct task_ops scribe_ops = { .name = "scribe", .step = scribe_step };

struct scene {
    struct fixture *f;
    char line[100];
    struct scribe a, b, c;
};

static void scribe_init(struct scene *s, struct scribe *w, struct native_kernel *k, char letter, unsigned int steps)
{
    *w = (struct scribe){ .letter = letter, .steps = steps, .f = s->f, .line = s->line };
    task_init(&w->task, k, &scribe_ops, w);
}

static void scene_init(struct scene *s, void **state)
{
    *s = (struct scene){ .f = *state };
    scribe_init(s, &s->a, s->f->dom0, 'a', 1);
    scribe_init(s, &s->b, s->f->dom0, 'b', 1);
    scribe_init(s, &s->c, s->f->dom0, 'c', 1);
}

static enum run_result run_until(struct scene *s, s_time_t until)
{
    const bool stop = false;

    return xen_run(s->f->xen, until, &stop);
}

/* First ready, first served; who has more to do goes behind the others; being ready twice is being ready. */
static void in_turn(void **state)
{
    struct scene s;

    scene_init(&s, state);
    s.b.steps = 3;
    s.a.steps = 2;
    task_ready(&s.b.task);
    task_ready(&s.a.task);
    task_ready(&s.b.task);
    task_ready(&s.c.task);
    assert_int_equal(run_until(&s, SECONDS(1)), RUN_IDLE);
    assert_string_equal(s.line, "bacbab");
}

/* What is made ready during its own step is not lost, although that step says that there is nothing left. */
static void ready_during_its_step(void **state)
{
    struct scene s;

    scene_init(&s, state);
    s.a.wakes = &s.a.task;
    task_ready(&s.a.task);
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "aa");
}

static void ends(void **state)
{
    struct scene s;

    scene_init(&s, state);
    s.b.ends = &s.c;
    task_ready(&s.a.task);
    task_ready(&s.b.task);
    task_ready(&s.c.task); /* the last of the queue */
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "ab");
    s.a.ends = &s.a;
    s.a.wakes = &s.a.task;
    s.b.ends = NULL;
    task_ready(&s.a.task);
    task_ready(&s.b.task);
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "abab");
    task_end(&s.a.task); /* harmless */
    task_ready(&s.b.task);
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "ababb");
}

static void times(void **state)
{
    struct scene s;

    scene_init(&s, state);
    assert_int_equal(native_timers_start(s.f->dom0), 0);
    task_ready_at(&s.a.task, MILLISECS(30));
    task_ready_at(&s.b.task, MILLISECS(20));
    task_ready_at(&s.c.task, MILLISECS(10));
    assert_int_equal(run_until(&s, MILLISECS(15)), RUN_UNTIL);
    assert_string_equal(s.line, "c");
    task_ready_at(&s.c.task, MILLISECS(40));
    task_ready_at(&s.a.task, MILLISECS(16)); /* another time instead */
    run_until(&s, MILLISECS(25));
    assert_string_equal(s.line, "cab");
    task_ready_at(&s.c.task, 0);
    task_ready_at(&s.b.task, MILLISECS(50));
    task_end(&s.b.task);
    assert_int_equal(run_until(&s, SECONDS(1)), RUN_IDLE);
    assert_string_equal(s.line, "cab");
}

/* The guest's events make the task of the port ready, and nothing when there is none any more. */
static void ports(void **state)
{
    struct evtchn_send send = { 0 };
    evtchn_port_t local;
    uint64_t arg;
    struct scene s;

    scene_init(&s, state);
    send.port = s.f->store_port;
    assert_int_equal(xc_evtchn_bind_interdomain(s.f->xc, s.f->d->domain_id, s.f->store_port, &local), 0);
    assert_true(native_bind(s.f->dom0, local, &s.a.task));
    run_until(&s, SECONDS(1));
    s.line[0] = 0; /* a bound port fires once */
    arg = fix_put(s.f, 0, &send, sizeof(send));
    assert_int_equal(fix_hypercall(s.f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, arg, 0, 0), 0);
    assert_int_equal(fix_hypercall(s.f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, arg, 0, 0), 0);
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "a");
    native_bind(s.f->dom0, local, NULL);
    assert_int_equal(fix_hypercall(s.f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, arg, 0, 0), 0);
    assert_int_equal(run_until(&s, SECONDS(1)), RUN_IDLE);
    assert_string_equal(s.line, "a");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fix_setup, fix_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_turn), TEST(ready_during_its_step), TEST(ends), TEST(times), TEST(ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
